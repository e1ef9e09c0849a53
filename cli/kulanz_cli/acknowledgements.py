"""``kulanz acknowledge`` and ``acknowledgements``: give Kulanz what a biller answers, and see what happened to it."""

from pathlib import Path
from typing import Any

import click

from kulanz.application.delivery.open_answers import ANSWERS_FOLDER
from kulanz.domain.delivery.answers import FOR_A_PERSON, AnswerResult
from kulanz.domain.lists.header import format_of
from kulanz.domain.lists.lines import ListRefused
from kulanz_cli.command import action_id, under_id
from kulanz_cli.event_file import legal_name
from kulanz_cli.log import RouteParameter
from kulanz_cli.outcomes import ACTION_CODES, ANSWER_CODES, EXIT_NO, Unusable
from kulanz_cli.send import upload_file
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, console, print_json, say, table
from kulanz_console.drawing.text import seconds

ACKNOWLEDGEMENTS_VERSION = 1
PROBLEMS_SHOWN = 20
CHANGED = frozenset(AnswerResult) - FOR_A_PERSON
"""The results after which nobody has to look at a line; one that this release does not know is for a person."""


@click.command("acknowledge", epilog=ACTION_CODES)
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--channel", type=RouteParameter("channel"), required=True, help="The channel of the deliveries.")
@under_id
@as_json
@pass_stack
def acknowledge_file(stack: Stack, path: Path, channel: str, given_id: str | None, is_json: bool) -> None:
    """Give Kulanz the answer FILE of a biller.

    It is CSV or JSON Lines, as docs/delivery.md describes it. The workers read it. `kulanz acknowledgements` says what
    happened to its lines.
    """
    try:
        format_of(path.name)
    except ListRefused as refusal:
        raise Unusable(f"{path}: {refusal}") from None
    key = f"{ANSWERS_FOLDER}{channel}/{legal_name(path.name)}"
    uploaded = upload_file(stack.client("s3"), path, stack.outputs.list_bucket_name, key)
    done = stack.door().act(
        "acknowledgements.acknowledge",
        {"file": {"key": key, "version_id": uploaded.version_id}},
        channel=channel,
        id=given_id or action_id("acknowledge", channel, uploaded.version_id),
    )
    if is_json:
        print_json(done)
    else:
        say(console(), f"the answers are read as {done['id']}")
        say(console(), f"kulanz acknowledgements --channel {channel} --one {done['id']}", indent=2)


@click.command("acknowledgements", epilog=ANSWER_CODES)
@click.option("--channel", type=RouteParameter("channel"), required=True, help="The channel of the deliveries.")
@click.option("--one", "file", type=RouteParameter("file"), help="One answer file, with its lines for a person.")
@as_json
@pass_stack
def list_acknowledgements(stack: Stack, channel: str, file: str | None, is_json: bool) -> None:
    """List what a biller answered.

    It also says what happened to each file.

    Exits with 1 where lines ought to be looked at, where a file is not read to its end, or where
    there is none.
    """
    door = stack.door()
    if file is None:
        pages = door.pages("acknowledgements.of_channel", channel=channel)
        found = [one for page in pages for one in page["files"]]
        problems: list[dict[str, Any]] = []
    else:
        answers = list(door.pages("acknowledgements.one", channel=channel, file=file))
        found = [{name: value for name, value in answers[0].items() if name not in ("v", "problems", "next")}]
        problems = [problem for page in answers for problem in page["problems"]]
    if is_json:
        content: dict[str, Any] = {"v": ACKNOWLEDGEMENTS_VERSION, "files": found}
        print_json(content | ({"problems": problems} if file is not None else {}))
    else:
        _show(found, problems)
    if not found or any(map(is_waiting, found)):
        click.get_current_context().exit(EXIT_NO)


def is_waiting(one: dict[str, Any]) -> bool:
    """Whether a file is not read to its end, or has lines that a person ought to look at."""
    return not one["finished"] or any(count["result"] not in CHANGED for count in one["results"])


def _show(found: list[dict[str, Any]], problems: list[dict[str, Any]]) -> None:
    out = console()
    if not found:
        say(out, "the biller of this channel has answered nothing yet")
        return
    for one in found:
        read = "read" if one["finished"] else f"{one['bytes_done']:,} of {one['bytes_in_all']:,} bytes are read"
        say(out, f"{one['id']}: {one['lines']:,} lines, {read}; {one['key']}, {seconds(one['opened_at'])}", further=2)
        columns = [Column("result", is_label=True), Column("code"), Column("lines", is_number=True)]
        rows = [(count["result"], count["code"], f"{count['lines']:,}") for count in one["results"]]
        table(out, columns, rows)
    for problem in problems[:PROBLEMS_SHOWN]:
        named = ", ".join(str(problem[name]) for name in ("field", "expected") if name in problem)
        say(out, f"byte {problem['offset']}: {problem['result']}: {problem['reason']} {named}".rstrip(), further=2)
    if len(problems) > PROBLEMS_SHOWN:
        say(out, f"and {len(problems) - PROBLEMS_SHOWN:,} more; --json has them all")
