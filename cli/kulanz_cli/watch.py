"""``kulanz watch``: follows a campaign by the sums of its receipts until it ends, pauses or is flagged."""

import time
from collections.abc import Iterator
from typing import Self

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

from kulanz.application.campaigns.advance_campaign import add_up
from kulanz.application.campaigns.report import campaign_report, differing_chunks
from kulanz.application.campaigns.same_outage import found_by_plan
from kulanz.application.ports import CampaignStore
from kulanz.domain.campaigns.campaign import ENDED, WAITING, Campaign, CampaignId, Pass, State
from kulanz.domain.campaigns.reconciliation import differences
from kulanz_cli.command import CampaignParameter
from kulanz_cli.reconciliation import show_others, show_reconciliation
from kulanz_cli.settings import ANSWER_CODES, EXIT_NO, Unusable, as_json, pass_stack
from kulanz_cli.stack import Stack
from kulanz_cli.terminal import PIPED_COLUMNS, console, counted_as, print_json, say

POLL_SECONDS = 0.25
WATCH_LONGEST_SECONDS = 24 * 60 * 60
UNKNOWN_SECONDS = 8
"""How long a campaign may be unknown: its event may be on its way. Below the 10 seconds after which `watch` says so."""
AT_REST = ENDED | WAITING
"""States in which nothing goes on by itself."""


class StillAtWork(Unusable):
    """The campaign did not stop within the time that was given, or there is none."""


def states_of(campaigns: CampaignStore, campaign_id: CampaignId, longest_seconds: float) -> Iterator[Campaign | None]:
    """The campaign again and again until it stops (that one included); None while it does not exist yet.

    Raises StillAtWork after `longest_seconds`; after `UNKNOWN_SECONDS` where there is no such campaign, and at once
    where the incident's record says that it cannot be the next one.
    """
    started = time.monotonic()
    while True:
        campaign = campaigns.campaign(campaign_id)
        yield campaign
        if campaign is not None and campaign.state in AT_REST:
            return
        waited = time.monotonic() - started
        if campaign is None:
            _may_still_open(campaigns, campaign_id, is_last=waited >= min(UNKNOWN_SECONDS, longest_seconds))
        elif waited >= longest_seconds:
            passed = counted_as(round(longest_seconds), "second")
            raise StillAtWork(f"campaign {campaign_id} is still {campaign.state} after {passed}")
        time.sleep(POLL_SECONDS)


def _may_still_open(campaigns: CampaignStore, campaign_id: CampaignId, *, is_last: bool) -> None:
    """Raise StillAtWork where the incident's record says that there is no such campaign, and none is to be expected."""
    record = campaigns.incident(campaign_id.incident_id)
    if record is None:
        if is_last:
            raise StillAtWork(
                f"there is no campaign {campaign_id}: its incident is not recorded on this stack; was its event sent"
                " here, and under this id? `kulanz rejected` shows refused events"
            )
        return
    opened = record.next_seq - 1
    if campaign_id.seq > record.next_seq or (is_last and campaign_id.seq == record.next_seq):
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

    def show(self, campaign: Campaign) -> None:
        """Draw what the receipts say. Before its plan is complete, a campaign's lines are estimated by its bytes."""
        for work in Pass:
            key, progress = (campaign.id, work), campaign.progress(work)
            if not (progress.bytes_done or progress.sent):
                continue
            finished = campaign.is_finished(work)
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
    def _lines_in_all(campaign: Campaign, work: Pass) -> int:
        plan = campaign.plan
        if work is Pass.APPLY or campaign.is_finished(Pass.PLAN):
            return plan.totals.lines
        if not plan.bytes_done:
            return campaign.rows_announced
        return max(plan.totals.lines, plan.totals.lines * campaign.chunks.total_bytes // plan.bytes_done)


def watch(
    campaigns: CampaignStore,
    campaign_id: CampaignId,
    out: Console,
    longest_seconds: float = WATCH_LONGEST_SECONDS,
) -> Campaign:
    """Draw a campaign's progress until it stops; returns it as it then stands. Raises StillAtWork."""
    with CampaignBars(out) as bars:
        for campaign in states_of(campaigns, campaign_id, longest_seconds):
            if campaign is not None:
                bars.show(campaign)
                if campaign.state in AT_REST:
                    return campaign
    raise AssertionError("unreachable: the states end with one that stops, or with StillAtWork")


@click.command("watch", epilog=ANSWER_CODES)
@click.argument("campaign_id", metavar="CAMPAIGN", type=CampaignParameter())
@click.option("--seconds", default=WATCH_LONGEST_SECONDS, show_default=True, help="How long to wait at most.")
@as_json
@pass_stack
def watch_campaign(stack: Stack, campaign_id: CampaignId, seconds: int, is_json: bool) -> None:
    """Follow CAMPAIGN until it stops, and print its reconciliation.

    CAMPAIGN is written att-2024-02-22/1. Exits with 1 unless it closed.
    """
    campaign = watch(stack.campaigns(), campaign_id, console(stderr=True), seconds)
    others = found_by_plan(stack.campaigns().log(campaign_id))
    if is_json:
        flagged = campaign.state is State.FLAGGED
        found = list(differences(campaign.plan.totals, campaign.apply.totals)) if flagged else []
        receipts = [stack.campaigns().receipts(campaign_id, work) for work in Pass]
        chunks = differing_chunks(campaign, *receipts) if flagged else []
        _, measured, _ = add_up(campaign, stack.campaigns().receipts(campaign_id, Pass.PLAN))
        print_json(campaign_report(campaign, found, stack.operation(), chunks, measured, others))
    else:
        show_reconciliation(campaign, console())
        if others is not None:
            show_others(others, console())
    if campaign.state is not State.CLOSED:
        click.get_current_context().exit(EXIT_NO)
