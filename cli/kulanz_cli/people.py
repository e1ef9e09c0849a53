"""``kulanz people``: check, publish and show the people file, which says which ids are one human's."""

from pathlib import Path
from typing import Any

import click

from kulanz.application.ports import PeopleSealed, PublishingForbidden
from kulanz.domain.people.caller import Door, stated_id
from kulanz.domain.people.people import (
    PERSONS_OF,
    Listed,
    People,
    PeopleError,
    must_follow,
    people_json,
    read_people,
)
from kulanz.domain.policy.document.strict_yaml import read_file
from kulanz.domain.policy.language.errors import PolicyError
from kulanz_cli.direct import DirectStack
from kulanz_cli.settings import EXIT_NO, Unusable, as_json, pass_direct_stack
from kulanz_cli.terminal import console, counted_as, print_json, say

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("check")
@click.argument("file", metavar="FILE", type=FILE)
@as_json
def check(file: Path, is_json: bool) -> None:
    """Check a people FILE.

    It needs no AWS. Whether the file may follow the published one is checked when it is published.
    """
    _, people = _read(file)
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
    content, people = _read(file)
    shelf = stack.people()
    before = shelf.current()
    if people.version != before.version:
        try:
            must_follow(before, people)
        except PeopleError as error:
            raise Unusable(f"{file}: {error}") from None
    try:
        is_new = shelf.publish(people.version, people_json(content), stated_id(stack.caller()))
    except PeopleSealed:
        raise Unusable(
            f"{file}: version {people.version} is published with other content, which stands; write the change as"
            f" version {people.version + 1}"
        ) from None
    except PublishingForbidden:
        raise Unusable(
            "you may not publish the people file: whoever deploys the stack lists its publishers in the parameter"
            " PolicyPublisherArns, and attaches the managed policy publisher"
        ) from None
    told = "is published" if is_new else "was published before, with the same content"
    content_told = {"version": people.version, "persons": len(people.persons), "published": is_new}
    _report(content_told, f"version {people.version} of the people file {told}", is_json)


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


def _read(file: Path) -> tuple[dict[str, Any], People]:
    """A file's plain data, and what it says. Raises Unusable with the line."""
    try:
        content, lines = read_file(file)
    except PolicyError as error:
        raise Unusable(str(error)) from None
    try:
        return content, read_people(content)
    except PeopleError as error:
        path = error.path
        while path and path not in lines:
            path = path[:-1]
        place = f"{file}:{lines[path]}" if path in lines else str(file)
        raise Unusable(f"{place}: {error}") from None


def _is_right(people: People) -> str:
    return f"version {people.version} of the people file is right: {counted_as(len(people.persons), 'person')}"


def _report(content: dict[str, Any], text: str, is_json: bool) -> None:
    if is_json:
        print_json({"v": 1, **content})
    else:
        say(console(), text)
