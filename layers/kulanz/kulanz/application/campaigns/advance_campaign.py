"""Moves a campaign on when a pass is complete: a plan that balances starts apply, books that balance close it.

It is driven by every change of a campaign's META record and acts only on what it then reads, so that a record may come
any number of times, late or out of order.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from kulanz.application.campaigns.dispatch_chunks import dispatch, unlimited
from kulanz.application.campaigns.report import ReportedChunk, campaign_report, differing_chunks
from kulanz.application.campaigns.same_outage import found_by_plan, pays_twice, same_outage
from kulanz.application.incidents.follow_incident import follow_incident
from kulanz.application.ports import Announcement, Announcer, Archive, CampaignStore, ChunkQueue, Outdated
from kulanz.domain.campaigns.campaign import WORKABLE, Campaign, CampaignId, Cause, Pass, Receipt, State
from kulanz.domain.campaigns.estimate import AS_DEPLOYED, Operation
from kulanz.domain.campaigns.limits import conflicts_written, exceeded, exceeded_text
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import Difference, RowResult, Totals, differences
from kulanz.domain.canonical import canonical_json
from kulanz.domain.lists.rows import LIST_SEPARATOR_UNKNOWN, unseparated_lists
from kulanz.domain.lists.unread_columns import other_currency

ANNOUNCED: dict[State, str] = {
    State.CLOSED: "Campaign Closed",
    State.FLAGGED: "Campaign Flagged",
    State.REFUSED: "Campaign Refused",
    State.PAUSED: "Campaign Paused",
    State.CANCELLED: "Campaign Cancelled",
}
"""The states that are told on the bus."""
STEPS_PER_RECORD = 4
"""A longer way goes on with the next record: every step changes META, which is what wakes this function."""


@dataclass(frozen=True, slots=True)
class AdvancePorts:
    """The world that advancing a campaign touches."""

    campaigns: CampaignStore
    chunks: ChunkQueue
    archive: Archive
    announcer: Announcer
    operation: Operation = AS_DEPLOYED


def advance_campaign(
    campaign_id: CampaignId,
    ports: AdvancePorts,
    cause: Cause,
    now: datetime,
    seconds_left: Callable[[], float] = unlimited,
) -> State | None:
    """Take every step that the campaign's records allow now. Returns where it stands; None when it does not exist.

    `seconds_left` is what the function has left: sending 20,000 chunks goes on with the next record where it stopped.
    """
    state: State | None = None
    for _ in range(STEPS_PER_RECORD):
        campaign = ports.campaigns.campaign(campaign_id)
        if campaign is None:
            return None
        state = campaign.state
        if state is State.APPLYING:
            follow_incident(campaign_id.incident_id, ports.campaigns, cause, now)
        try:
            if not _step(campaign, ports, cause, now, seconds_left):
                break
        except Outdated:
            continue
    return state


def _step(
    campaign: Campaign, ports: AdvancePorts, cause: Cause, now: datetime, seconds_left: Callable[[], float]
) -> bool:
    """One step; False when there is none to take."""
    if campaign.state in ANNOUNCED:
        return _announce(campaign, ports)
    work = WORKABLE[campaign.state]
    if not campaign.is_dispatched(work):
        if work is Pass.APPLY and ports.campaigns.halt().is_on:
            return False  # lifting the halt comes back here
        return dispatch(campaign, work, ports.campaigns, ports.chunks, seconds_left)
    if not campaign.is_finished(work):
        return False
    target, reason = examine(campaign, work, ports.campaigns.receipts(campaign.id, work))
    others = same_outage(campaign, ports.campaigns) if work is Pass.PLAN else None
    if others is not None and target is State.APPLYING and (twice := pays_twice(campaign, others, ports.campaigns)):
        target, reason = State.REFUSED, twice
    change = campaign.change(target, reason, cause, now)
    ports.campaigns.change_state(campaign, replace(change, others=None if others is None else others.named()))
    return True


def examine(campaign: Campaign, work: Pass, receipts: Iterable[Receipt]) -> tuple[State, str]:
    """Where a complete pass leads, and why. The receipts are added up again and must tile the list."""
    totals, measured, gap = add_up(campaign, receipts)
    if gap:
        return (State.REFUSED if work is Pass.PLAN else State.FLAGGED), f"receipts_incomplete: {gap}"
    if totals != campaign.progress(work).totals:
        reason = "sums_differ: the campaign's sums are not those of its receipts"
        return (State.REFUSED if work is Pass.PLAN else State.FLAGGED), reason
    if work is Pass.PLAN:
        return _examine_plan(campaign, totals, measured)
    found = list(differences(campaign.plan.totals, totals))
    if found:
        return State.FLAGGED, f"plan_differs: {found[0].what}: planned {found[0].planned}, applied {found[0].applied}"
    if outside := list(conflicts_written(campaign.limits, totals)):
        return State.FLAGGED, (
            f"conflicts_exceeded: {outside[0].figures}. Of each subject the row that was written first counts;"
            f" `kulanz rejected {campaign.id}` lists the others"
        )
    return State.CLOSED, "balanced"


def _examine_plan(campaign: Campaign, totals: Totals, measured: Measured) -> tuple[State, str]:
    refusal = next(_refusals(campaign, totals, measured), "")
    return (State.REFUSED, refusal) if refusal else (State.APPLYING, "plan_balanced")


def _refusals(campaign: Campaign, totals: Totals, measured: Measured) -> Iterator[str]:
    """Why a plan is not executed, what is wrong with the whole list first."""
    if totals.unbalanced_quotes:
        yield (
            f"quotes_unbalanced: lines with an odd number of double quotes: {totals.unbalanced_quotes}; a line break"
            " may hide in a field: write one record per line and publish the list again"
        )
    unseparated = totals.results().get((RowResult.REJECTED, LIST_SEPARATOR_UNKNOWN), 0)
    if unseparated:
        yield unseparated_lists(unseparated)
    if totals.rows() != campaign.rows_announced:
        yield (
            f"rows_differ: rows announced by the event: {campaign.rows_announced}, rows of the list that are not blank:"
            f" {totals.rows()}; publish the complete list or the right number"
        )
    if measured.other_currency:
        yield other_currency(measured.other_currency)
    outside = exceeded(campaign.limits, totals, measured, follows=bool(campaign.follows))
    if outside:
        yield f"limits_exceeded: {exceeded_text(outside)}"


def add_up(campaign: Campaign, receipts: Iterable[Receipt]) -> tuple[Totals, Measured, str]:
    """The sums of the receipts, and the first place where they leave a gap or overlap (empty when there is none)."""
    totals, measured, position = Totals(), Measured(), campaign.chunks.data_start
    for receipt in receipts:
        if receipt.start == receipt.end:
            continue
        if receipt.start != position:
            return totals, measured, f"expected a receipt at byte {position}, found one at {receipt.start}"
        totals.add(receipt.totals)
        if receipt.measured is not None:
            measured.add(receipt.measured)
        position = receipt.end
    if position != campaign.chunks.size:
        return totals, measured, f"the receipts end at byte {position} of {campaign.chunks.size}"
    return totals, measured, ""


def _announce(campaign: Campaign, ports: AdvancePorts) -> bool:
    """Announce a state, and again when workers that were under way have added to its figures since."""
    if campaign.announced == campaign.report_name:
        return False
    found: list[Difference] = []
    if campaign.state in (State.CLOSED, State.FLAGGED):
        found = list(differences(campaign.plan.totals, campaign.apply.totals))
    _, measured, _ = add_up(campaign, ports.campaigns.receipts(campaign.id, Pass.PLAN))
    chunks: list[ReportedChunk] = []
    if campaign.state is State.FLAGGED:
        receipts = [ports.campaigns.receipts(campaign.id, work) for work in Pass]
        chunks = differing_chunks(campaign, *receipts)
        if ports.campaigns.campaign(campaign.id) != campaign:
            raise Outdated  # a worker that was under way added a receipt
    others = found_by_plan(ports.campaigns.log(campaign.id))
    content = canonical_json(campaign_report(campaign, found, ports.operation, chunks, measured, others))
    key = f"{campaign.id.folder}/report-{campaign.report_name}.json"
    ports.archive.put(key, content.encode(), "application/json")
    ports.announcer.announce(Announcement(ANNOUNCED[campaign.state], content))
    ports.campaigns.mark_announced(campaign, campaign.report_name)
    return True
