"""Moves a void on: its chunks are sent, its plan waits for its approval, and its end is examined.

It acts only on what the records say, so that it may be called any number of times, late or twice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import batched

from kulanz.application.campaigns.dispatch_chunks import CHUNKS_PER_LOOK_AT_THE_CLOCK, SECONDS_TO_FINISH, unlimited
from kulanz.application.delivery.watching import Looked, look_at_each
from kulanz.application.delivery.world import VoidQueue, VoidStore
from kulanz.application.ports import CampaignStore, Outdated, Troubles, VoidMessage
from kulanz.domain.campaigns.campaign import Campaign, Cause, Pass, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.delivery import gap_in
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import OVER, WORKED, Void, VoidState, VoidTotals, differing, regained_by
from kulanz.domain.gate.settings import SAFE, GateSettings
from kulanz.domain.incident_record import with_void


@dataclass(frozen=True, slots=True)
class AdvanceVoidPorts:
    """The world that moving voids on touches. `gate` says in which zone the months of budgets are."""

    campaigns: CampaignStore
    voids: VoidStore
    queue: VoidQueue
    troubles: Troubles
    gate: GateSettings = SAFE


def advance_void(
    void_id: VoidId,
    ports: AdvanceVoidPorts,
    cause: Cause,
    now: datetime,
    seconds_left: Callable[[], float] = unlimited,
    *,
    again: bool = False,
) -> VoidState | None:
    """Take the step that a void's records allow now; where it stands. `again` sends all that is not finished."""
    void = ports.voids.void(void_id)
    campaign = None if void is None else ports.campaigns.campaign(void_id.campaign)
    if void is None or campaign is None:
        return None
    if void.state in OVER:
        if void.state is not VoidState.VOIDED or _has_ended(void, campaign, ports, cause, now):
            ports.voids.close(void_id)
        return void.state
    work = WORKED.get(void.state)
    if work is None:
        return void.state
    chunks, progress = void.chunks(campaign), void.progress(work)
    if progress.bytes_done < chunks.total_bytes:
        if again or progress.sent < len(chunks):
            _dispatch(void, work, len(chunks), 0 if again else progress.sent, ports, seconds_left)
        return void.state
    try:
        return _end(void, work, campaign, ports, now)
    except Outdated:
        return void.state  # another reader of the same records was first, or the incident moved: the watch comes back


def _has_ended(void: Void, campaign: Campaign, ports: AdvanceVoidPorts, cause: Cause, now: datetime) -> bool:
    """End the flagged campaign of a void that ends it, once; False where somebody else moved the campaign just now.

    A cancelled campaign's offers have ended, and what a delivery had assigned of it is sent.
    """
    if void.ends is None or campaign.state is not State.FLAGGED:
        return True
    reason = f"voided_by_hand: the void {void.id.name} took back what was {void.ends} ({void.reason})"
    try:
        by = replace(cause, actor=void.requested_by, event_id=void.id.name)
        ports.campaigns.change_state(campaign, campaign.change(State.CANCELLED, reason, by, now))
    except Outdated:
        return False
    return True


def _dispatch(
    void: Void, work: Pass, chunks: int, first: int, ports: AdvanceVoidPorts, seconds_left: Callable[[], float]
) -> None:
    """Send every unfinished chunk from `first` on, and note how far they were sent."""
    finished = ports.voids.finished_chunks(void.id, work)
    unfinished = (chunk for chunk in range(first, chunks) if chunk not in finished)
    for page in batched(unfinished, CHUNKS_PER_LOOK_AT_THE_CLOCK, strict=False):
        ports.queue.send_voids(VoidMessage(void.id, chunk) for chunk in page)
        if seconds_left() < SECONDS_TO_FINISH and page[-1] + 1 < chunks:
            ports.voids.mark_dispatched(void.id, work, page[-1] + 1)
            return
    ports.voids.mark_dispatched(void.id, work, chunks)


def _end(void: Void, work: Pass, campaign: Campaign, ports: AdvanceVoidPorts, now: datetime) -> VoidState:
    """Examine a finished pass: its receipts tile what it read, and come to its sums.

    What a void took back can be spent again, in the month in which it ends, and in the step that ends it.
    """
    receipts, chunks = list(ports.voids.receipts(void.id, work)), void.chunks(campaign)
    totals = VoidTotals()
    for receipt in receipts:
        totals.add(receipt.totals)
    wrong = gap_in(receipts, chunks.data_start, chunks.size)
    if not wrong and totals != void.progress(work).totals:
        wrong = "sums_differ: the void's sums are not those of its receipts"
    if work is Pass.PLAN:
        after = void.moved(VoidState.REJECTED, wrong) if wrong else void.moved(VoidState.AWAITING_APPROVAL, "planned")
        if not wrong and not totals.decisions:
            nothing = "nothing to void: no decision has anything left that can be voided"
            after = void.moved(VoidState.REJECTED if void.ends is None else VoidState.VOIDED, nothing)
        ports.voids.change(void, after)
        return after.state
    wrong = wrong or differing(void.plan.totals, totals)
    after = void.moved(VoidState.FLAGGED, wrong) if wrong else void.moved(VoidState.VOIDED, "balanced")
    record = ports.campaigns.incident(campaign.id.incident_id)
    free = None if record is None or record.voiding != str(void.id) else (record, with_void(record, ""))
    regained = regained_by(void, ports.gate.budget_month(now)) if after.state is VoidState.VOIDED else ()
    ports.voids.change(void, after, free, regained)
    return after.state


def watch_voids(
    ports: AdvanceVoidPorts, cause: Cause, now: datetime, seconds_left: Callable[[], float] = unlimited
) -> Looked:
    """Move on every void that has not ended, as if its record had just come. One that is flagged is a trouble.

    Where nothing was done since the watch looked last, every chunk that is not finished is sent again.
    """
    is_halted = ports.campaigns.halt().is_on

    def look_at(void_id: VoidId) -> str | None:
        void = ports.voids.void(void_id)
        if void is None:
            return None
        work = WORKED.get(void.state)
        done = void.plan.bytes_done + void.apply.bytes_done
        stands_still = work is not None and void.seen == done
        state = advance_void(void_id, ports, cause, now, seconds_left, again=stands_still and not is_halted)
        if state is not VoidState.FLAGGED and work is not None and not stands_still:
            ports.voids.note_seen(void_id, done)
        if state is not VoidState.FLAGGED:
            return None
        ports.troubles.note(TroubleKind.VOID_FLAGGED, str(void_id), now)
        stands = ports.voids.void(void_id)
        return "" if stands is None else stands.state_reason

    open_voids = ports.voids.open_voids()
    looked = look_at_each(open_voids, look_at, seconds_left)
    known = {trouble.on for trouble in ports.troubles.troubles() if trouble.kind is TroubleKind.VOID_FLAGGED}
    for on in sorted(known - set(map(str, open_voids))):
        ports.troubles.repaired(TroubleKind.VOID_FLAGGED, on, now)
    return looked
