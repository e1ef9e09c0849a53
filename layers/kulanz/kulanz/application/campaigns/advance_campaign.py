"""Moves a campaign on when a pass is complete: a plan that balances is filed for approval, and an execution that
reconciles closes the campaign. A filed plan is executed here where its stack allows that without a person.

It is driven by every change of a campaign's META record and acts only on what it then reads, so that a record may come
any number of times, late or out of order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from kulanz.application.campaigns.dispatch_chunks import dispatch, unlimited
from kulanz.application.campaigns.frozen import channel_of
from kulanz.application.campaigns.report import ReportedChunk, campaign_report, differing_chunks, reported_law
from kulanz.application.campaigns.same_outage import found_by_plan, pays_twice, same_outage
from kulanz.application.campaigns.start_execution import start_automatically
from kulanz.application.incidents.follow_incident import follow_incident
from kulanz.application.ports import (
    Announcement,
    Announcer,
    Archive,
    AtTheGate,
    CampaignStore,
    ChunkQueue,
    Outdated,
    Stores,
)
from kulanz.domain.campaigns.campaign import (
    BALANCED,
    DELIVERABLE,
    WORKABLE,
    Campaign,
    CampaignId,
    Cause,
    Pass,
    Receipt,
    State,
)
from kulanz.domain.campaigns.estimate import AS_DEPLOYED, Operation
from kulanz.domain.campaigns.limits import Exceeded, conflicts_written, every_row_rejected, exceeded, exceeded_text
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import Difference, RowResult, Totals, differences
from kulanz.domain.canonical import canonical_json
from kulanz.domain.confirmation import missing
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.law import Counted
from kulanz.domain.gate.approval import Reminder, due_reminders
from kulanz.domain.gate.filed_plan import ReadDigest, file_plan
from kulanz.domain.gate.settings import SAFE, GateSettings
from kulanz.domain.incident_record import decision_digest
from kulanz.domain.lists.rows import LIST_SEPARATOR_UNKNOWN, unseparated_lists
from kulanz.domain.lists.unread_columns import other_currency

ANNOUNCED: dict[State, str] = {
    State.AWAITING_APPROVAL: "Campaign Awaiting Approval",
    State.CLOSED: "Campaign Closed",
    State.FLAGGED: "Campaign Flagged",
    State.REFUSED: "Campaign Refused",
    State.REJECTED: "Campaign Rejected",
    State.PAUSED: "Campaign Paused",
    State.CANCELLED: "Campaign Cancelled",
}
"""The states that are told on the bus."""
STEPS_PER_RECORD = 4
"""A longer way goes on with the next record: every step changes META, which is what wakes this function."""


@dataclass(frozen=True, slots=True)
class AdvancePorts:
    """The world that advancing a campaign touches.

    `channel` is where the credits of campaigns that are planned now will be delivered to, where their policy names no
    other. `deliver` opens the delivery of a closed campaign; it comes before the end is announced, while the watch
    still knows the campaign. `law` counts where what a campaign granted is by then, for its report.
    """

    campaigns: CampaignStore
    chunks: ChunkQueue
    archive: Archive
    announcer: Announcer
    stores: Stores
    operation: Operation = AS_DEPLOYED
    gate: GateSettings = SAFE
    channel: Channel | None = None
    deliver: Callable[[Campaign, Cause, datetime], object] | None = None
    law: Callable[[Campaign, datetime], Mapping[str, Counted]] | None = None


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
    if campaign.state is State.AWAITING_APPROVAL and start_automatically(
        campaign, ports.campaigns, ports.stores, ports.gate, cause, now
    ):
        return True
    if campaign.state in ANNOUNCED:
        if campaign.state in DELIVERABLE and ports.deliver is not None:
            ports.deliver(campaign, cause, now)
        return _announce(campaign, ports, now)
    work = WORKABLE[campaign.state]
    if not campaign.is_dispatched(work):
        if work is Pass.APPLY and _must_wait(ports):
            return False  # lifting the halt comes back here, and the watch does
        return dispatch(campaign, work, ports.campaigns, ports.chunks, seconds_left)
    if not campaign.is_finished(work):
        return False
    if work is Pass.PLAN:
        _end_plan(campaign, ports, cause, now)
    else:
        target, reason = examine(campaign, ports.campaigns.receipts(campaign.id, work))
        ports.campaigns.change_state(campaign, campaign.change(target, reason, cause, now))
    return True


def _must_wait(ports: AdvancePorts) -> bool:
    """Whether no execution may go on now: the stack is halted, or nobody has confirmed its tables."""
    return ports.campaigns.halt().is_on or bool(missing(ports.stores.confirmation(), ports.stores.tables()))


def examine(campaign: Campaign, receipts: Iterable[Receipt]) -> tuple[State, str]:
    """Where a complete execution leads, and why. The receipts are added up again and must tile the list."""
    totals, _, wrong = _checked(campaign, Pass.APPLY, receipts)
    if wrong:
        return State.FLAGGED, wrong
    found = list(differences(campaign.plan.totals, totals))
    if found:
        return State.FLAGGED, f"plan_differs: {found[0].what}: planned {found[0].planned}, applied {found[0].applied}"
    if outside := list(conflicts_written(campaign.limits, totals)):
        return State.FLAGGED, (
            f"conflicts_exceeded: {outside[0].figures}. Of each subject the row that was written first counts;"
            f" `kulanz rejected {campaign.id}` lists the others"
        )
    return State.CLOSED, BALANCED


def _end_plan(campaign: Campaign, ports: AdvancePorts, cause: Cause, now: datetime) -> None:
    """File a complete plan for approval, or refuse it."""
    read = ReadDigest()
    receipts = read.over(ports.campaigns.receipts(campaign.id, Pass.PLAN))
    totals, measured, refusal = _checked(campaign, Pass.PLAN, receipts)
    refusal = refusal or next(_refusals(campaign, totals, measured), "")
    others = same_outage(campaign, ports.campaigns)
    refusal = refusal or pays_twice(campaign, others, ports.campaigns)
    if refusal:
        change = campaign.change(State.REFUSED, refusal, cause, now)
        ports.campaigns.change_state(campaign, replace(change, others=others.named()))
        return
    outside = exceeded(campaign.limits, totals, measured, follows=bool(campaign.follows))
    frozen = ports.campaigns.frozen(campaign.id)
    plan = file_plan(
        campaign,
        totals,
        measured,
        outside,
        decision_digest=decision_digest(frozen.incident),
        read=read.text(),
        planned_at=now,
        channel=channel_of(frozen) or ports.channel,
    )
    change = campaign.change(State.AWAITING_APPROVAL, _plan_reason(outside), cause, now)
    ports.campaigns.change_state(campaign, replace(change, others=others.named()), AtTheGate(plan=plan))


def _plan_reason(outside: Sequence[Exceeded]) -> str:
    return f"limits_exceeded: {exceeded_text(outside)}" if outside else "plan_balanced"


def _checked(campaign: Campaign, work: Pass, receipts: Iterable[Receipt]) -> tuple[Totals, Measured, str]:
    """The sums of a pass's receipts, and what is wrong with them; empty where they tile the list and add up."""
    totals, measured, gap = add_up(campaign, receipts)
    if gap:
        return totals, measured, f"receipts_incomplete: {gap}"
    if totals != campaign.progress(work).totals:
        return totals, measured, "sums_differ: the campaign's sums are not those of its receipts"
    return totals, measured, ""


def _refusals(campaign: Campaign, totals: Totals, measured: Measured) -> Iterator[str]:
    """Why a list cannot be trusted, so that nobody may approve its plan; what is wrong with all of it first."""
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
            f" {totals.rows()}; send the complete list, or state the right number (--rows)"
        )
    if measured.other_currency:
        yield other_currency(measured.other_currency)
    yield from measured.changed.refusals()
    if nobody := every_row_rejected(totals):
        yield f"limits_exceeded: {exceeded_text([nobody])}"


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


def _reminders(campaign: Campaign, ports: AdvancePorts, now: datetime) -> tuple[Reminder, ...]:
    """The reminders of a waiting plan that are due; of any other campaign there are none."""
    plan = ports.campaigns.filed_plan(campaign.id) if campaign.state is State.AWAITING_APPROVAL else None
    return () if plan is None else due_reminders(plan, now)


def _announce(campaign: Campaign, ports: AdvancePorts, now: datetime) -> bool:
    """Announce a state, and again when workers that were under way have added to its figures since; a plan that waits
    also with each of its reminders. The watch over open campaigns comes by when one of them is due.
    """
    reminders = _reminders(campaign, ports, now)
    name = "-".join((campaign.report_name, *reminders[-1:]))
    if campaign.announced == name:
        return False
    if reminders:
        campaign = replace(campaign, state_reason=f"{campaign.state_reason}; reminder: {reminders[-1]}")
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
    # A plan that waits has reserved nothing. Read now, its reservations could be those of the start that came since.
    has_started = campaign.state is not State.AWAITING_APPROVAL
    reserved = ports.campaigns.reservations(campaign.id) if has_started else ()
    report = campaign_report(campaign, found, ports.operation, chunks, measured, others, reserved)
    key = f"{campaign.id.folder}/report-{name}.json"
    ports.archive.put(key, canonical_json(report).encode(), "application/json")
    if ports.law is not None:  # the document is the same whenever it is written, and this is as of now
        report["law"] = reported_law(ports.law(campaign, now), now)
    ports.announcer.announce(Announcement(ANNOUNCED[campaign.state], canonical_json(report)))
    ports.campaigns.mark_announced(campaign, name)
    return True
