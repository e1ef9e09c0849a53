"""``kulanz drafts``: what incident sources reported in a month."""

from datetime import UTC, datetime, timedelta

import click

from kulanz.domain.time import MICROSECOND
from kulanz_cli.log import RouteParameter
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, console, print_json, say, table
from kulanz_console.drawing.text import seconds

DRAFTS_VERSION = 1
STATES = {
    "new": "to be confirmed",
    "confirmed": "confirmed",
    "changed": "confirmed; it has changed since",
    "held": "cannot be confirmed; look at it",
    "dismissed": "dismissed",
    "reopened": "dismissed; it has changed since",
}


@click.command("drafts", epilog=ANSWER_CODES)
@click.option("--month", type=RouteParameter("month"), help="A month of UTC, such as 2026-11; without it, this month.")
@as_json
@pass_stack
def list_drafts(stack: Stack, month: str | None, is_json: bool) -> None:
    """List what incident sources reported in a month.

    Nothing of it is an incident, or money, before somebody confirms it. Exits with 1 when there is none.
    """
    named = month or f"{datetime.now(UTC):%Y-%m}"
    pages = list(stack.door().pages("drafts.of_month", month=named))
    found = [one for page in pages for one in page["drafts"]]
    unread = [one for page in pages for one in page["unread"]]
    if is_json:
        print_json({"v": DRAFTS_VERSION, "month": named, "drafts": found, "unread": unread})
    else:
        out = console()
        columns = [Column("draft", is_label=True), Column("outage", is_number=True), Column("state", is_text=True)]
        columns.append(Column("title", is_text=True, spare=1))
        rows = [
            (one["draft"], length(one["proposed_microseconds"]), STATES[one["state"]], one["title"]) for one in found
        ]
        if found:
            table(out, columns, rows)
        for one in unread:
            said = f"{one['source']}, {seconds(one['received_at'])}: not read, {one['reason']}: {one['message']}"
            say(out, said, further=2)
        if not found and not unread:
            say(out, f"no source reported anything in {named}")
    if not found and not unread:
        click.get_current_context().exit(EXIT_NO)


def length(microseconds: int | None) -> str:
    """How long an outage was, in whole seconds: `1 h 4 min 52 s`. One of less than a second is not none."""
    if microseconds is None:
        return "goes on"
    if 0 < microseconds < timedelta(seconds=1) // MICROSECOND:
        return "less than 1 s"
    seconds = microseconds * MICROSECOND // timedelta(seconds=1)
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{number:,} {unit}" for number, unit in parts if number) or "none"
