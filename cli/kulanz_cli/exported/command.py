"""``kulanz export``: asks for the rows of a campaign, waits until they are written, and puts them into one file."""

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.law import STATED
from kulanz.domain.exports.figures import (
    ACCEPTED,
    CLAIMABLE,
    UNCOUNTED,
    Figures,
    LineKey,
    SumKey,
    Written,
    law_of_figures,
)
from kulanz.domain.money import measure_words
from kulanz_cli.command import CampaignParameter, action_id, under_id
from kulanz_cli.door import Door
from kulanz_cli.exported.fetch import Parts
from kulanz_cli.exported.files import ENDINGS, beside, sink
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO, Unusable
from kulanz_cli.reconciliation import figure, law_text, value_text
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import Column, console, counted_as, print_json, say, table

if TYPE_CHECKING:
    from kulanz.application.door.exports import ExportAnswer, FiguresItem

POLL_SECONDS = 0.5
WAIT_LONGEST_SECONDS = 24 * 60 * 60
BESIDE = {
    ACCEPTED: "accepted, or granted by hand, since",
    CLAIMABLE: "still to be claimed by customers",
    UNCOUNTED: "in the ledger, but counted by no receipt",
}
"""Sums that the reconciliation does not have, in words."""
LAW_COMPARED = "what was used, taken back and written off, and the rest: as the reconciliation says"
LAW_NOT_COMPARED = (
    "Not compared with the reconciliation: a void, an answer or a decision by hand moved this while it was exported."
    " Ask for another export."
)


class Differs(Exception):
    """The export does not come to what it must; nothing was put into the file."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("the export differs")
        self.lines = lines


@click.command("export", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option(
    "--to", "path", metavar="FILE", required=True, type=click.Path(dir_okay=False, path_type=Path),
    help="Where the rows are written; a file that is there is replaced. It ends with .csv, .jsonl or .parquet.",
)  # fmt: skip
@click.option(
    "--format",
    "kind",
    type=click.Choice(sorted(ENDINGS.values())),
    help="The format, where the name of FILE ends otherwise.",
)
@click.option("--reason", help="Why, for the audit log; no customer's data.")
@click.option("--seconds", default=WAIT_LONGEST_SECONDS, show_default=True, help="How long to wait at most.")
@under_id
@as_json
@pass_stack
def export_campaign(
    stack: Stack, campaign_id: CampaignId, path: Path, kind: str | None, reason: str | None, seconds: int,
    given_id: str | None, is_json: bool,
) -> None:  # fmt: skip
    """Write the rows of CAMPAIGN into FILE: who gets what.

    Until its execution begins the rows are those of its plan, and afterwards those of the ledger. Their sums are
    compared with the plan or the reconciliation. Where they differ, it exits with 1 and writes no file.
    """
    kind = kind or ENDINGS.get(path.suffix.lower())
    if kind is None:
        raise click.BadParameter(
            "expected a name that ends with .csv, .jsonl or .parquet, or --format", param_hint="--to"
        )
    export_id = given_id or action_id("export", str(campaign_id))
    place: dict[str, str | int] = {"incident": campaign_id.incident_id, "seq": campaign_id.seq, "id": export_id}
    door = stack.door()
    door.act("exports.begin", {} if reason is None else {"reason": reason}, **place)
    finished = _waited(door, place, seconds)
    parts = Parts(door, stack.fetch, place)
    try:
        _write(parts, finished, path, kind)
    except Differs as found:
        for line in found.lines:
            say(console(stderr=True), f"differs: {line}", further=2)
        say(console(stderr=True), "no file was written; report the difference to whoever runs the stack")
        click.get_current_context().exit(EXIT_NO)
    if is_json:
        kept = ("v", "campaign", "id", "of", "asked_by", "asked_at", "figures", "expected", "law_compared")
        print_json({**{name: finished[name] for name in kept}, "rows": parts.rows, "file": str(path)})  # type: ignore[literal-required]
    else:
        _show(finished, parts, path, console())


def _waited(door: Door, place: Mapping[str, str | int], longest_seconds: float) -> "ExportAnswer":
    """The export once it is finished. Raises Unusable where it fails, or takes longer."""
    started, out = time.monotonic(), console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    with Progress(*columns, console=out, disable=not out.is_terminal, transient=True) as progress:
        bar = progress.add_task("export", total=None)
        while True:
            answer = cast("ExportAnswer", door.ask("exports.one", None, **place))
            progress.update(bar, completed=answer["bytes_done"], total=answer["bytes_in_all"])
            if answer["failed"] is not None:
                raise Unusable(f"the export cannot be finished: {answer['failed']}")
            if answer["finished"]:
                return answer
            if time.monotonic() - started >= longest_seconds:
                share = 100 * answer["bytes_done"] // answer["bytes_in_all"]
                raise Unusable(
                    f"{share} % of the export is written; wait for the rest by the same command with --id {place['id']}"
                )
            time.sleep(POLL_SECONDS)


def _write(parts: Parts, finished: "ExportAnswer", path: Path, kind: str) -> None:
    """Put all rows into the file, unless they come to something else than they must. Raises Differs."""
    with beside(path) as place:
        with sink(place, kind) as rows:
            for row in parts.each(finished):
                rows.write(row)
        found = [
            f"{one['what']}: expected {one['expected']}, exported {one['exported']}"
            for one in finished["differences"] or ()
        ]
        if parts.figures != _figures(finished["figures"]):
            found.append("the rows that were fetched do not come to the figures of their parts")
        if found:
            raise Differs(found)


def _figures(content: "FiguresItem") -> Figures:
    found = Figures()
    for one in content["lines"]:
        found.lines[LineKey(one["result"], one["reason"], Written(one["written"]))] = one["lines"]
    for sum_ in content["sums"]:
        size = Decimal(sum_["sum"])
        found.sums[SumKey(sum_["of"], sum_["measure"])] = int(size) if size == int(size) else size
    return found


def _show(finished: "ExportAnswer", parts: Parts, path: Path, out: Console) -> None:
    of = "plan" if finished["of"] == "plan" else "ledger"
    lines = sum(parts.figures.lines.values())
    say(
        out, f"{finished['campaign']}: {counted_as(parts.rows, 'row')} of {counted_as(lines, 'line')} in {path}", "bold"
    )
    say(out, f"what the {of} says, as of {finished['asked_at']}; export {finished['id']}", further=2)
    compared = "plan" if of == "plan" else "reconciliation"
    owed = _figures(finished["expected"]).sums
    rows = [
        [key.of, measure_words(key.measure), figure(key.measure, size), figure(key.measure, owed.get(key, 0))]
        for key, size in sorted(parts.figures.sums.items())
        if key.of not in BESIDE and key.of not in STATED
    ]
    if rows:
        names = [Column("result"), Column("sum of"), Column("export", is_number=True), Column(compared, is_number=True)]
        table(out, names, rows)
    for key, size in sorted(parts.figures.sums.items()):
        if key.of in BESIDE:
            say(out, f"{value_text(key.measure, size)} {BESIDE[key.of]}", further=2)
    law = law_of_figures(parts.figures)
    for measure, shares in law.items():
        say(out, law_text(measure, shares), further=2)
    if law:
        say(out, LAW_COMPARED if finished["law_compared"] else LAW_NOT_COMPARED, further=2)
