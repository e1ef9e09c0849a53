"""Deliveries and the entries of credits in memory, as their ports say."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kulanz.application.delivery.world import Booked, EntriesChange, WaitingAdditions
from kulanz.application.ports import Outdated
from kulanz.domain.campaigns.campaign import CampaignId, Cursor
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.added import Added
from kulanz.domain.delivery.credit import CreditSums
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt
from kulanz.domain.delivery.dues import Dues, owe
from kulanz.domain.delivery.entries import CreditEntries, entries_text, read_entries
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.entries import DecisionKey, HistoryChange
from kulanz.domain.policy.deciding.history import SubjectHistory
from tests.support.fake_added import AddedItems
from tests.support.fakes import FakeLedger


class FakeCredits:
    """The entries of credits, beside a fake ledger. `texts` are as they are stored."""

    def __init__(self, ledger: FakeLedger) -> None:
        self._ledger = ledger
        self.texts: dict[DecisionKey, str] = {}
        self.notice_locale: dict[DecisionKey, str] = {}
        self.changed: list[tuple[Booked, CreditEntries]] = []
        """What the stream tells of items that say in which language the customer is told, with the list before."""

    def booked(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Booked]:
        standing = self._ledger.standing(keys)
        return {key: Booked(entry, self.of(key), self.notice_locale.get(key, "")) for key, entry in standing.items()}

    def of(self, key: DecisionKey) -> CreditEntries:
        """What stands of one decision."""
        return read_entries(self.texts.get(key, ""))

    def write_entries(self, changes: Sequence[EntriesChange]) -> list[bool]:
        if len({change.key for change in changes}) != len(changes):
            raise ValueError("changes are of distinct decisions")
        return [self._write(change) for change in changes]

    def write_with_history(self, change: EntriesChange, history: HistoryChange) -> bool:
        if self._ledger.histories([history.key]).get(history.key, SubjectHistory()) != history.before:
            return False
        if not self._write(change):
            return False
        self._ledger.replace_history(history)
        return True

    def _write(self, change: EntriesChange) -> bool:
        entry = self._ledger.standing([change.key]).get(change.key)
        before = entries_text(change.before) if change.before else ""
        if entry is None or entry.status is not Outcome.GRANTED or self.texts.get(change.key, "") != before:
            return False
        self.texts[change.key] = entries_text(change.after)
        self._ledger.replace_entry(with_voided(entry, change.after))
        if change.notice_locale:
            self.notice_locale[change.key] = change.notice_locale
        if change.key in self.notice_locale:
            self.changed.append((self.booked([change.key])[change.key], change.before))
        return True


class FakeDeliveries:
    """Deliveries. `changes` has the id of every delivery whose record changed, as the stream tells of them."""

    def __init__(self, added_items: AddedItems | None = None) -> None:
        self.added_items = added_items or AddedItems()
        self.changes: list[DeliveryId] = []
        self.dues: Dues = {}
        self._found: dict[DeliveryId, Delivery] = {}
        self._cursors: dict[tuple[DeliveryId, int], Cursor] = {}
        self._receipts: dict[tuple[DeliveryId, int, int], DeliveryReceipt] = {}

    def last_serial(self, channel: str) -> int:
        return max((one.serial for one in self._found if one.channel == channel), default=0)

    def open(self, delivery: Delivery, added: Added | None = None) -> None:
        if self._found.get(delivery.id) == delivery:
            return
        if delivery.id.serial != self.last_serial(delivery.id.channel) + 1:
            raise Outdated
        if delivery.additions is None and self.over_list(delivery.campaign):
            raise Outdated
        if delivery.additions is not None:
            if added is None:
                raise ValueError("a delivery over additions is opened over what was read of them")
            self.added_items.take(delivery.campaign, added, delivery.additions)
        self._set(delivery)

    def _set(self, delivery: Delivery) -> None:
        self._found[delivery.id] = delivery
        self.changes.append(delivery.id)

    def delivery(self, delivery_id: DeliveryId) -> Delivery | None:
        return self._found.get(delivery_id)

    def over_list(self, campaign_id: CampaignId) -> Delivery | None:
        return next((one for one in self._of(campaign_id) if one.additions is None), None)

    def over_additions(self, campaign_id: CampaignId) -> list[Delivery]:
        return [one for one in self._of(campaign_id) if one.additions is not None]

    def _of(self, campaign_id: CampaignId) -> list[Delivery]:
        return sorted((one for one in self._found.values() if one.campaign == campaign_id), key=lambda one: one.id)

    def added(self, campaign_id: CampaignId, channel: str = "") -> Added:
        return self.added_items.of(campaign_id, channel)

    def waiting_additions(self) -> list[WaitingAdditions]:
        return [WaitingAdditions(one, since, channel) for (one, channel), since in self.added_items.waiting.items()]

    def of_channel(self, channel: str, after: int = 0) -> Iterator[Delivery]:
        ids = sorted(one for one in self._found if one.channel == channel and one.serial > after)
        return (self._found[one] for one in ids)

    def open_deliveries(self) -> list[DeliveryId]:
        return sorted(one.id for one in self._found.values() if one.sent_at is None or one.is_publishing)

    def cursor(self, delivery_id: DeliveryId, chunk: int) -> Cursor | None:
        return self._cursors.get((delivery_id, chunk))

    def finished_chunks(self, delivery_id: DeliveryId) -> set[int]:
        return {chunk for (of, chunk), cursor in self._cursors.items() if of == delivery_id and cursor.finished}

    def record(self, receipt: DeliveryReceipt) -> bool:
        place = receipt.delivery, receipt.start, receipt.chunk
        cursor = self._cursors.get((receipt.delivery, receipt.chunk))
        stands_at = None if cursor is None else cursor.position
        if place in self._receipts or stands_at != receipt.moved_from or (cursor is not None and cursor.finished):
            return self._receipts.get(place) == receipt
        self._receipts[place] = receipt
        self._cursors[receipt.delivery, receipt.chunk] = Cursor(receipt.end, receipt.finishes_chunk)
        for due, (number, size) in receipt.dues.items():
            owe(self.dues, due, number, size)
        before = self._found[receipt.delivery]
        self._set(
            replace(
                before,
                bytes_done=before.bytes_done + receipt.end - receipt.start,
                lines=before.lines + receipt.lines,
                parts=before.parts + (receipt.part is not None),
                sums=_both(before.sums, receipt.sums),
                elsewhere=_both(before.elsewhere, receipt.elsewhere),
                again=_both(before.again, receipt.again),
            )
        )
        return True

    def receipts(self, delivery_id: DeliveryId) -> Iterator[DeliveryReceipt]:
        places = sorted(place for place in self._receipts if place[0] == delivery_id)
        return (self._receipts[place] for place in places)

    def receipt(self, delivery_id: DeliveryId, start: int, chunk: int) -> DeliveryReceipt | None:
        return self._receipts.get((delivery_id, start, chunk))

    def mark_dispatched(self, delivery_id: DeliveryId, chunks: int) -> None:
        self._set(replace(self._found[delivery_id], dispatched=chunks))

    def note_seen(self, delivery_id: DeliveryId, progress: int) -> None:
        self._set(replace(self._found[delivery_id], seen=progress))

    def change(self, before: Delivery, after: Delivery) -> None:
        known = self._found[before.id]
        is_done = (known.state, known.reason, known.sent_at) == (after.state, after.reason, after.sent_at)
        if is_done and known.rounds == before.rounds:
            return
        if (known.state, known.rounds) != (before.state, before.rounds):
            raise Outdated
        self._set(replace(known, state=after.state, reason=after.reason, sent_at=after.sent_at))

    def begin_round(self, before: Delivery, after: Delivery) -> None:
        known = self._found[before.id]
        if (known.state, known.rounds) != (before.state, before.rounds):
            raise Outdated
        begun = replace(known, state=after.state, reason=after.reason)
        self._set(replace(begun, rounds=before.rounds + 1, published=0, dispatched=0, seen=-1))

    def mark_published(self, receipt: DeliveryReceipt, round_: int) -> None:
        place = receipt.delivery, receipt.start, receipt.chunk
        known, standing = self._found[receipt.delivery], self._receipts[place]
        if known.rounds == round_ and standing.published < round_:
            self._receipts[place] = replace(standing, published=round_)
            self._set(replace(known, published=known.published + 1))


def _both(one: CreditSums, other: CreditSums) -> CreditSums:
    sums = CreditSums(dict(one.found))
    sums.add(other)
    return sums
