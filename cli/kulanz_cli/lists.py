"""``kulanz list``: what a campaign would make of a list, before it is published. Reads files only; no AWS is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.incidents.incident_event import EventRefused, read_incident_event
from kulanz.application.lists.check_list import CheckedList, check_list
from kulanz.domain.incident import Incident
from kulanz.domain.lists.header import format_of
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.policy import compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import Window
from kulanz_cli.send import EventUnsendable, read_event
from kulanz_cli.settings import EXIT_NO, FILE_CODES, Unusable, as_json
from kulanz_cli.terminal import Column, console, counted_as, print_json, say, table

BLOCK_BYTES = 1024 * 1024
PROBLEMS_PRINTED = 50
CHECKED = {"s3": {"bucket": "checked", "key": "checked", "version_id": "checked"}, "rows": 1}
"""What the event of a list that is not uploaded yet names in its place."""


@click.group("list", epilog=FILE_CODES)
def account_list() -> None:
    """Check lists of affected accounts. Before they are sent; no AWS is asked."""


@account_list.command("check", epilog=FILE_CODES)
@click.argument("path", metavar="LIST", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--policy", "policy_path", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The policy's YAML file: it says which facts a row must state, and of which type.",
)  # fmt: skip
@click.option(
    "--event", "event_path", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The incident's event; with it, the results that the rows would have are counted.",
)  # fmt: skip
@click.option("--rows", type=click.IntRange(min=1), help="Your control total: the rows that the event will announce.")
@as_json
def check(path: Path, policy_path: Path, event_path: Path | None, rows: int | None, is_json: bool) -> None:
    """Show which lines of LIST a campaign would reject, and why. Lines are named by number, never by content.

    Exits with 1 when a line, or the whole list, would be refused. An account that is listed twice is found by the
    campaign itself: as duplicate, or as conflict where its rows differ.
    """
    document = load_policy(policy_path)
    now = datetime.now(UTC)
    incident, parameters = _incident(event_path, now)
    compiled = compile_policy(freeze(document, parameters), incident, now)
    refusal, checked = "", CheckedList()
    try:
        size, list_format = path.stat().st_size, format_of(path.name)
        checked = check_list(lambda start, stop: _blocks(path, start, stop), size, list_format, compiled, now)
        refusal = checked.refusal(rows)
    except ListRefused as problem:
        refusal = f"{problem.reason}: {problem}"
    if is_json:
        print_json(_content(path, checked, refusal, decided=event_path is not None))
    else:
        _show(path, checked, refusal, decided=event_path is not None)
    if refusal or checked.rejected:
        click.get_current_context().exit(EXIT_NO)


def _incident(event_path: Path | None, now: datetime) -> tuple[Incident, dict[str, str]]:
    """The event's incident and the policy parameters it chooses; without an event one that only gives facts a home."""
    if event_path is None:
        return Incident("list-check", 1, "List check", "", (), (Window(now, None),)), {}
    try:
        event = read_event(event_path)
        detail = event["detail"]
        if isinstance(detail.get("campaign"), dict):  # `send` names the list: here it is the one that is checked
            detail = {**detail, "campaign": {**detail["campaign"], "affected": CHECKED}}
        known = read_incident_event(event["source"], event["detail-type"], detail)
    except (EventUnsendable, EventRefused) as error:
        raise Unusable(f"{event_path}: {error}") from None
    if known.content is None:
        raise Unusable(f"{event_path}: a campaign request tells no incident; give the event that declares it")
    parameters = {} if known.request is None else known.request.policy.parameters
    return thaw_incident(known.content), parameters


def _blocks(path: Path, start: int, stop: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < stop and (block := file.read(min(BLOCK_BYTES, stop - start))):
            yield block
            start += len(block)


def _content(path: Path, checked: CheckedList, refusal: str, *, decided: bool) -> dict[str, Any]:
    return {
        "v": 1,
        "list": path.name,
        "refused": refusal or None,
        "lines": checked.lines,
        "rows": checked.rows,
        "blank": checked.blank,
        "rejected": checked.rejected,
        "results": [
            {"result": row_result.value, "reason": reason, "lines": number}
            for (row_result, reason), number in sorted(checked.classes.items())
            if decided or row_result.value in ("rejected", "blank")
        ],
        "problems": [
            {
                "line": found.line,
                "offset": found.offset,
                "reason": found.problem.reason,
                "field": found.problem.field,
                "expected": found.problem.expected,
            }
            for found in checked.problems
        ],
    }


def _show(path: Path, checked: CheckedList, refusal: str, *, decided: bool) -> None:
    out = console()
    if refusal:
        say(out, f"{path.name} would be refused as a whole: {refusal}", further=2)
    if checked.lines:
        figures = (counted_as(checked.rows, "row"), counted_as(checked.blank, "blank line"), f"{checked.rejected:,}")
        say(out, f"{path.name}: {', '.join(figures)} rejected")
    if decided and checked.classes:
        columns = [Column("result"), Column("reason"), Column("lines", is_number=True)]
        results = sorted(checked.classes.items())
        table(out, columns, [(one.value, reason, f"{number:,}") for (one, reason), number in results])
    for found in checked.problems[:PROBLEMS_PRINTED]:
        where = f", {found.problem.field}" if found.problem.field else ""
        problem = f"{found.problem.reason}{where}: expected {found.problem.expected}"
        say(out, f"line {found.line:,}: {problem}", further=2)
    if checked.rejected > PROBLEMS_PRINTED:
        more = checked.rejected - PROBLEMS_PRINTED
        say(out, f"and {more:,} more; --json prints the first {len(checked.problems):,}")
