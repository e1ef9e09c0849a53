"""``kulanz watch``: follows a campaign by the sums of its receipts until it ends or waits for a person."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Self

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from kulanz.application.door.problems import Kind
from kulanz.domain.campaigns.campaign import ENDED, WAITING, CampaignId, Pass, State
from kulanz_cli.command import CampaignParameter
from kulanz_cli.door import Door, DoorProblem
from kulanz_cli.outcomes import ANSWER_CODES, EXIT_NO, Unusable
from kulanz_cli.reconciliation import show_others, show_reconciliation
from kulanz_cli.settings import as_json, pass_stack
from kulanz_cli.shown_campaign import ShownCampaign
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import PIPED_COLUMNS, command, console, counted_as, print_json, say

if TYPE_CHECKING:
    from kulanz.application.door.campaigns import CampaignAnswer

POLL_SECONDS = 0.5
WATCH_LONGEST_SECONDS = 24 * 60 * 60
UNKNOWN_SECONDS = 8
"""How long a campaign may be unknown: its event may be on its way. Below the 10 seconds after which `watch` says so."""
AT_REST = ENDED | WAITING
"""States in which nothing goes on by itself."""


class StillAtWork(Unusable):
    """The campaign did not stop within the time that was given, or there is none."""


def states_of(door: Door, campaign_id: CampaignId, longest_seconds: float) -> "Iterator[CampaignAnswer | None]":
    """The campaign again and again until it stops (that one included); None while it does not exist yet.

    Raises StillAtWork after `longest_seconds`; after `UNKNOWN_SECONDS` where there is no such campaign, and at once
    where the incident's record says that it cannot be the next one.
    """
    started = time.monotonic()
    while True:
        campaign = _asked(door, campaign_id)
        yield campaign
        if campaign is not None and State(campaign["state"]) in AT_REST:
            return
        waited = time.monotonic() - started
        if campaign is None:
            _may_still_open(door, campaign_id, is_last=waited >= min(UNKNOWN_SECONDS, longest_seconds))
        elif waited >= longest_seconds:
            passed = counted_as(round(longest_seconds), "second")
            raise StillAtWork(f"campaign {campaign_id} is still {campaign['state']} after {passed}")
        time.sleep(POLL_SECONDS)


def _asked(door: Door, campaign_id: CampaignId) -> "CampaignAnswer | None":
    """The campaign as it stands; None where there is none."""
    try:
        return door.ask("campaigns.one", incident=campaign_id.incident_id, seq=campaign_id.seq)  # type: ignore[return-value]
    except DoorProblem as problem:
        if problem.kind is Kind.UNKNOWN:
            return None
        raise


def _may_still_open(door: Door, campaign_id: CampaignId, *, is_last: bool) -> None:
    """Raise StillAtWork where the incident's record says that there is no such campaign, and none is to be expected."""
    try:
        next_seq = door.ask("incidents.one", incident=campaign_id.incident_id)["next_seq"]
    except DoorProblem as problem:
        if problem.kind is not Kind.UNKNOWN:
            raise
        if is_last:
            raise StillAtWork(
                f"there is no campaign {campaign_id}: its incident is not recorded on this stack; was its event sent"
                " here, and under this id? `kulanz rejected` shows refused events"
            ) from None
        return
    opened = next_seq - 1
    if campaign_id.seq > next_seq or is_last:
        known = f"its incident has {counted_as(opened, 'campaign')} so far" if opened else "its incident has none yet"
        raise StillAtWork(
            f"there is no campaign {campaign_id}: {known}; `kulanz campaigns {campaign_id.incident_id}` lists them,"
            " `kulanz rejected` shows refused events"
        )


class _Rate(ProgressColumn):
    """Lines a second, by the receipts of the last looks."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


class CampaignBars:
    """A bar for each pass of each campaign; where there is no terminal, a line at each pass's start and end."""

    def __init__(self, console: Console, *, transient: bool = False) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            *([BarColumn(bar_width=None)] if console.width > PIPED_COLUMNS else []),
            TextColumn("{task.percentage:>3.0f}%"),
            MofNCompleteColumn(),
            *([_Rate(), TimeElapsedColumn()] if console.width > PIPED_COLUMNS else []),
            TextColumn("left"),
            TimeRemainingColumn(compact=True),
            console=console,
            disable=not console.is_terminal,
            transient=transient,
        )
        self._tasks: dict[tuple[CampaignId, Pass], TaskID] = {}
        self._printed: set[tuple[CampaignId, Pass]] = set()

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, campaign: ShownCampaign) -> None:
        """Draw what the receipts say. Before its plan is complete, a campaign's lines are estimated by its bytes."""
        for work in Pass:
            key, progress = (campaign.id, work), campaign.progress(work)
            if not (progress.bytes_done or progress.sent):
                continue
            finished = progress.is_finished
            lines = progress.totals.lines
            total = self._lines_in_all(campaign, work)
            if self._console.is_terminal:
                if key not in self._tasks:
                    self._tasks[key] = self._progress.add_task(f"{campaign.id} {work}", total=total)
                self._progress.update(self._tasks[key], completed=lines, total=lines if finished else total)
            elif finished and key not in self._printed:
                self._printed.add(key)
                say(self._console, f"{campaign.id} {work}: {counted_as(lines, 'line')}")

    @staticmethod
    def _lines_in_all(campaign: ShownCampaign, work: Pass) -> int:
        plan = campaign.plan
        if work is Pass.APPLY or plan.is_finished:
            return plan.totals.lines
        if not plan.bytes_done:
            return campaign.rows_announced
        return max(plan.totals.lines, plan.totals.lines * campaign.bytes_in_all // plan.bytes_done)


def watch(
    door: Door, campaign_id: CampaignId, out: Console, longest_seconds: float = WATCH_LONGEST_SECONDS
) -> "CampaignAnswer":
    """Draw a campaign's progress until it stops; returns it as it then stands. Raises StillAtWork."""
    with CampaignBars(out) as bars:
        for campaign in states_of(door, campaign_id, longest_seconds):
            if campaign is not None:
                bars.show(ShownCampaign.of(campaign))
                if State(campaign["state"]) in AT_REST:
                    return campaign
    raise AssertionError("unreachable: the states end with one that stops, or with StillAtWork")


@click.command("watch", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option("--seconds", default=WATCH_LONGEST_SECONDS, show_default=True, help="How long to wait at most.")
@as_json
@pass_stack
def watch_campaign(stack: Stack, campaign_id: CampaignId, seconds: int, is_json: bool) -> None:
    """Follow CAMPAIGN until it stops, and print its reconciliation.

    It stops when it ends or waits for a person, also when its plan waits for its approval. CAMPAIGN is written
    att-2024-02-22/1. Exits with 1 unless it closed.
    """
    door = stack.door()
    campaign = watch(door, campaign_id, console(stderr=True), seconds)
    if is_json:
        found = door.ask("campaigns.reconciliation", incident=campaign_id.incident_id, seq=campaign_id.seq)
        print_json(found["report"])
    else:
        show_reconciliation(ShownCampaign.of(campaign), console())
        others = campaign["report"]["same_outage"]
        if others is not None:
            show_others(others, console())
        if campaign["state"] == State.AWAITING_APPROVAL:
            say(console(), "nothing is granted before its plan is approved; look at it:")
            command(console(), ["kulanz", "plan", str(campaign_id)])
    if campaign["state"] != State.CLOSED:
        click.get_current_context().exit(EXIT_NO)
