"""``kulanz people``: check, publish and show the people file, which says which ids are one human's."""

from pathlib import Path
from typing import Any

import click

from kulanz.application.ports import PeopleSealed
from kulanz.domain.people.caller import Door
from kulanz.domain.people.people import (
    PERSONS_OF,
    Listed,
    People,
    PeopleError,
    must_follow,
    people_json,
    read_people,
)
from kulanz_cli.direct import DirectStack
from kulanz_cli.outcomes import EXIT_NO
from kulanz_cli.settings import as_json, pass_direct_stack
from kulanz_cli.terminal import console, counted_as, print_json, say
from kulanz_cli.versioned_file import VersionedFile

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
PEOPLE_FILE = VersionedFile("the people file", read_people, must_follow, people_json, PeopleError, PeopleSealed)


@click.command("check")
@click.argument("file", metavar="FILE", type=FILE)
@as_json
def check(file: Path, is_json: bool) -> None:
    """Check a people FILE.

    It needs no AWS. Whether the file may follow the published one is checked when it is published.
    """
    _, people = PEOPLE_FILE.read(file)
    _report({"version": people.version, "persons": len(people.persons)}, _is_right(people), is_json)


@click.command("publish")
@click.argument("file", metavar="FILE", type=FILE)
@as_json
@pass_direct_stack
def publish(stack: DirectStack, file: Path, is_json: bool) -> None:
    """Publish a people FILE as the next version.

    A published version never changes. A version may add persons, join two that are one human, and say that somebody
    has left; it never drops or divides a person. From then on approvals are compared by it.
    """
    people, is_new, text = PEOPLE_FILE.publish(file, stack, stack.people)
    _report({"version": people.version, "persons": len(people.persons), "published": is_new}, text, is_json)


@click.command("show")
@as_json
@pass_direct_stack
def show(stack: DirectStack, is_json: bool) -> None:
    """Show the people file that holds now.

    Exits with 1 while none is published.
    """
    people = stack.people().current()
    if is_json:
        print_json({"v": 1, "version": people.version, "persons": [_content(one) for one in people.persons]})
    else:
        out = console()
        for person in people.persons:
            gone = "" if person.left_at is None else f" (until {person.left_at:%Y-%m-%d})"
            say(out, f"{person.name}{gone}: {', '.join(person.ids)}", further=2)
        if people.is_empty:
            say(out, f"no people file is published: only {PERSONS_OF[Door.IAM]} approve", further=2)
    if people.is_empty:
        click.get_current_context().exit(EXIT_NO)


def _content(person: Listed) -> dict[str, Any]:
    left_at = None if person.left_at is None else f"{person.left_at:%Y-%m-%d}"
    return {"name": person.name, "ids": list(person.ids), "left_at": left_at}


def _is_right(people: People) -> str:
    return f"version {people.version} of the people file is right: {counted_as(len(people.persons), 'person')}"


def _report(content: dict[str, Any], text: str, is_json: bool) -> None:
    if is_json:
        print_json({"v": 1, **content})
    else:
        say(console(), text)
