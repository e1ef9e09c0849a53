"""Voids in memory, as their port says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from kulanz.application.ports import Outdated
from kulanz.domain.budgets import Regained
from kulanz.domain.campaigns.campaign import CampaignId, Cursor, Pass
from kulanz.domain.delivery.dues import Dues, owe
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.moved import MovedOf, Moves
from kulanz.domain.delivery.standing import Counted
from kulanz.domain.delivery.void import OVER, Void, VoidProgress, VoidReceipt, VoidTotals
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.money import Size
from tests.support.fakes import FakeCampaigns


class FakeVoids:
    """Voids. `changes` has the id of every void whose record changed, as the stream tells of them."""

    def __init__(self, campaigns: FakeCampaigns, dues: Dues) -> None:
        self._campaigns = campaigns
        self._dues = dues
        self.changes: list[VoidId] = []
        self._found: dict[VoidId, Void] = {}
        self._listed: set[VoidId] = set()
        self._cursors: dict[tuple[VoidId, Pass, int], Cursor] = {}
        self._receipts: dict[tuple[VoidId, Pass, int, int], VoidReceipt] = {}

    def open(self, void: Void) -> None:
        if void.id in self._found:
            if self._found[void.id] != void:
                raise Outdated
            return
        self._listed.add(void.id)
        self._set(void)

    def _set(self, void: Void) -> None:
        self._found[void.id] = void
        self.changes.append(void.id)

    def void(self, void_id: VoidId) -> Void | None:
        return self._found.get(void_id)

    def of_campaign(self, campaign_id: CampaignId) -> list[Void]:
        return [self._found[one] for one in sorted(self._found, key=str) if one.campaign == campaign_id]

    def open_voids(self) -> list[VoidId]:
        return sorted(self._listed, key=str)

    def cursor(self, void_id: VoidId, work: Pass, chunk: int) -> Cursor | None:
        return self._cursors.get((void_id, work, chunk))

    def finished_chunks(self, void_id: VoidId, work: Pass) -> set[int]:
        return {
            chunk
            for (of, pass_, chunk), one in self._cursors.items()
            if (of, pass_) == (void_id, work) and one.finished
        }

    def record(self, receipt: VoidReceipt) -> bool:
        place = receipt.void, receipt.work, receipt.start, receipt.chunk
        cursor = self._cursors.get((receipt.void, receipt.work, receipt.chunk))
        stands_at = None if cursor is None else cursor.position
        if place in self._receipts or stands_at != receipt.moved_from or (cursor is not None and cursor.finished):
            return self._receipts.get(place) == receipt
        self._receipts[place] = receipt
        self._cursors[receipt.void, receipt.work, receipt.chunk] = Cursor(receipt.end, receipt.finishes_chunk)
        for due, (number, size) in receipt.moves.dues.items():
            owe(self._dues, due, number, size)
        before = self._found[receipt.void]
        progress = before.progress(receipt.work)
        totals = VoidTotals()
        totals.add(progress.totals)
        totals.add(receipt.totals)
        after = VoidProgress(progress.bytes_done + receipt.end - receipt.start, progress.sent, totals)
        self._set(_with_progress(before, receipt.work, after))
        return True

    def receipts(self, void_id: VoidId, work: Pass) -> Iterator[VoidReceipt]:
        places = sorted((place for place in self._receipts if place[:2] == (void_id, work)), key=lambda one: one[2:])
        return (self._receipts[place] for place in places)

    def moved(self, campaign_id: CampaignId) -> Mapping[MovedOf, Mapping[Counted, Size]]:
        whole = Moves()
        for receipt in self._receipts.values():
            whole.take_all(receipt.moves)
        return {place: sums for place, sums in whole.moved.items() if place.campaign == campaign_id}

    def mark_dispatched(self, void_id: VoidId, work: Pass, chunks: int) -> None:
        void = self._found[void_id]
        self._set(_with_progress(void, work, replace(void.progress(work), sent=chunks)))

    def note_seen(self, void_id: VoidId, bytes_done: int) -> None:
        self._set(replace(self._found[void_id], seen=bytes_done))

    def change(
        self,
        before: Void,
        after: Void,
        incident: tuple[IncidentRecord, IncidentRecord] | None = None,
        regained: Sequence[Regained] = (),
    ) -> None:
        known = self._found[before.id]
        if known.changes != before.changes:
            raise Outdated
        if incident is not None:
            self._campaigns.move_incident(*incident)
        self._campaigns.budget_items.regain(regained)
        self._set(
            replace(
                known,
                state=after.state,
                state_reason=after.state_reason,
                changes=after.changes,
                approvals=after.approvals,
                started_at=after.started_at,
            )
        )

    def close(self, void_id: VoidId) -> None:
        assert self._found[void_id].state in OVER
        self._listed.discard(void_id)


def _with_progress(void: Void, work: Pass, progress: VoidProgress) -> Void:
    return replace(void, plan=progress) if work is Pass.PLAN else replace(void, apply=progress)
