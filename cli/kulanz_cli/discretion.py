"""``kulanz discretion``: check, publish and show the discretion file: what persons may decide and give by hand."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from kulanz.application.ports import DiscretionSealed
from kulanz.domain.byhand.discretion import (
    LIMIT_NAMES,
    ByHand,
    Discretion,
    DiscretionError,
    Limits,
    discretion_json,
    must_follow,
    read_discretion,
)
from kulanz.domain.byhand.sizes import size_text
from kulanz.domain.policy.document.owed import Bill
from kulanz_cli.direct import DirectStack
from kulanz_cli.outcomes import EXIT_NO
from kulanz_cli.settings import as_json, pass_direct_stack
from kulanz_cli.terminal import command, console, counted_as, print_json, say
from kulanz_cli.versioned_file import VersionedFile

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
DISCRETION_FILE = VersionedFile(
    "the discretion file", read_discretion, must_follow, discretion_json, DiscretionError, DiscretionSealed
)
_WHO = {"alone": "one person", "two": "two persons"}


@click.command("check")
@click.argument("file", metavar="FILE", type=FILE)
@as_json
def check(file: Path, is_json: bool) -> None:
    """Check a discretion FILE.

    It needs no AWS. Whether the file may follow the published one is checked when it is published.
    """
    _, found = DISCRETION_FILE.read(file)
    _report(_content(found), _is_right(found), is_json)


@click.command("publish")
@click.argument("file", metavar="FILE", type=FILE)
@as_json
@pass_direct_stack
def publish(stack: DirectStack, file: Path, is_json: bool) -> None:
    """Publish a discretion FILE as the next version.

    A published version never changes. A version may change every limit, and add reasons; the codes of reasons stay.
    From then on what persons decide and give by hand is compared with it.
    """
    found, is_new, text = DISCRETION_FILE.publish(file, stack, stack.discretion)
    _report({**_content(found), "published": is_new}, text, is_json)


@click.command("show")
@as_json
@pass_direct_stack
def show(stack: DirectStack, is_json: bool) -> None:
    """Show the discretion file that holds now.

    Exits with 1 while none is published.
    """
    found = stack.discretion().current()
    if is_json:
        print_json({"v": 1, **_content(found)})
    elif not found.version:
        out = console()
        say(out, "no discretion file is published: nobody decides or gives anything by hand")
        say(out, "Write one (docs/people.md has a sample), and publish it:")
        command(out, ["kulanz", "discretion", "publish", "FILE"])
    else:
        out = console()
        say(out, f"version {found.version}; months in {found.zone}")
        for kind, who, measure, limits in _limits(found):
            sizes = [size_text(getattr(limits, name), measure) for name in LIMIT_NAMES]
            shown = "{} a decision, {} a person and month, {} an account and month".format(*sizes)
            say(out, f"{kind.value}, {_WHO[who]}: {shown}", further=2)
        for reason in found.reasons.values():
            noted = " (needs a note)" if reason.needs_note else ""
            say(out, f"{reason.code}: {reason.title}{noted}", further=2)
            if stated := _bill(reason.bill):
                say(out, f"booked as {', '.join(map(str, stated.values()))}", indent=2)
    if not found.version:
        click.get_current_context().exit(EXIT_NO)


def _limits(found: Discretion) -> Iterator[tuple[ByHand, str, str, Limits]]:
    for kind, by_measure in found.limits.items():
        for measure, allowed in by_measure.items():
            for who, limits in (("alone", allowed.alone), ("two", allowed.two)):
                if limits is not None:
                    yield kind, who, measure, limits


def _content(found: Discretion) -> dict[str, Any]:
    return {
        "version": found.version,
        "zone": found.zone,
        "reasons": [
            {"code": one.code, "title": one.title, "note": one.needs_note, "bill": _bill(one.bill)}
            for one in found.reasons.values()
        ],
        "limits": [
            {
                "for": kind.value,
                "agreed_by": who,
                "measure": measure,
                **{name: size_text(getattr(limits, name), measure) for name in LIMIT_NAMES},
            }
            for kind, who, measure, limits in _limits(found)
        ],
    }  # fmt: skip


def _is_right(found: Discretion) -> str:
    counted = counted_as(len(found.reasons), "reason")
    return f"version {found.version} of the discretion file is right: {counted}"


def _report(content: dict[str, Any], text: str, is_json: bool) -> None:
    if is_json:
        print_json({"v": 1, **content})
    else:
        say(console(), text)


def _bill(bill: Bill) -> dict[str, object]:
    """What a reason says of how it is booked."""
    said = {
        "text": bill.text,
        "reason_code": bill.reason_code,
        "treatment": bill.treatment,
        "ledger_account": bill.ledger_account,
    }
    return {name: text for name, text in said.items() if text}
