"""Delivers a chunk of a campaign's list, or what was added to it: what is due is assigned, then written as a part.

Assign first, then render from what is assigned. A worker that comes again, or beside another, finds what was assigned
and renders the same bytes under the same name. Nothing is released before the trailer names it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from kulanz.application.campaigns.chunk_run import (
    STOP_LOOK_SECONDS,
    TIME_TO_FINISH_SECONDS,
    Clock,
    GrantSettings,
    lines_of,
)
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.deliver_reversals import assign_reversals, reversals
from kulanz.application.delivery.world import Booked, CreditLedger, DeliveryQueue, DeliveryStore, EntriesChange
from kulanz.application.ports import (
    Archive,
    CampaignIndex,
    CampaignWork,
    DeliveryMessage,
    ListStore,
    Refused,
    TryAgain,
)
from kulanz.domain.byhand.goodwill import goodwill_bills
from kulanz.domain.campaigns.campaign import DELIVERABLE, Campaign, Cursor
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Benefit, Decision, DueAt, Outcome
from kulanz.domain.delivery.credit import Booking, Credit, CreditSums, CreditType, DueOf, SumOf, credits_of
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt, DeliveryState
from kulanz.domain.delivery.dues import dues_of
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.files import CONTENT_TYPES, PartHead, part_file, part_name, render_part
from kulanz.domain.delivery.standing import AddResult, CreditState, Standing, add_entry, standing
from kulanz.domain.identifiers import month_of_goodwill
from kulanz.domain.ledger.additions import AdditionKind
from kulanz.domain.ledger.entries import (
    DecisionKey,
    Entry,
    benefits_granted,
    granted_at,
    read_decision,
    without_digest,
)
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import Line, is_blank
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import LineReader, Record
from kulanz.domain.lists.to_bill import NOTHING_TO_BILL, TO_BILL_COLUMNS, ToBill
from kulanz.domain.money import Size
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.document.document import bills_of
from kulanz.domain.policy.document.frozen import read_frozen
from kulanz.domain.policy.document.owed import Bill
from kulanz.domain.time import instant_of, microseconds_of

LINES_PER_PART = 20_000
"""So many lines of 300 bytes are a part of 6 MB, which a worker holds twice."""
RECEIPTS_PER_MESSAGE = 1_000
DECISIONS_REMEMBERED = 4_096
ROUNDS_MOST = 5
"""How often an assignment is tried anew because somebody else changed the decision's entries."""
ASSIGN_WRITE_UNITS = 2
"""A decision of 1 KB with its list of entries: DynamoDB charges an update for the larger item of before and after."""


class DeliverWork(StrEnum):
    """What became of a delivery message."""

    FINISHED = "finished"
    CONTINUED = "continued"
    NOTHING_TO_DO = "nothing_to_do"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class DeliverPorts:
    """The world that delivering a chunk touches."""

    campaigns: CampaignWork
    lists: ListStore
    credits: CreditLedger
    deliveries: DeliveryStore
    queue: DeliveryQueue
    archive: Archive
    index: CampaignIndex


@dataclass(frozen=True, slots=True)
class DeliverDone:
    """What a worker did, for its log line: no value of any row."""

    work: DeliverWork
    lines: int = 0
    credits: int = 0
    receipts: int = 0


def deliver_chunk(
    message: DeliveryMessage, ports: DeliverPorts, settings: GrantSettings, clock: Clock, cache: FrozenCache
) -> DeliverDone:
    """Deliver a chunk from its cursor to its end, or as far as time allows; then the rest is sent again.

    Raises TryAgain when the world does not answer; the message then comes again and goes on at the cursor.
    """
    lines = credits_ = receipts = tried = 0
    for _ in range(RECEIPTS_PER_MESSAGE):
        delivery = ports.deliveries.delivery(message.delivery)
        campaign = None if delivery is None else ports.campaigns.campaign(delivery.campaign)
        if delivery is None or campaign is None or delivery.state is not DeliveryState.ASSIGNING:
            return DeliverDone(DeliverWork.NOTHING_TO_DO, lines, credits_, receipts)
        if not 0 <= message.chunk < delivery.chunks(campaign):
            return DeliverDone(DeliverWork.NOTHING_TO_DO)
        cursor = ports.deliveries.cursor(delivery.id, message.chunk)
        if cursor is not None and cursor.finished:
            work = DeliverWork.FINISHED if receipts else DeliverWork.NOTHING_TO_DO
            return DeliverDone(work, lines, credits_, receipts)
        if campaign.state not in DELIVERABLE or ports.campaigns.halt().is_on:  # the watch sends the rest again
            return DeliverDone(DeliverWork.HALTED, lines, credits_, receipts)
        if clock.seconds_left() < TIME_TO_FINISH_SECONDS:
            break
        tried += 1
        run = _Run(delivery, campaign, message.chunk, cursor, ports, settings, clock, cache)
        receipt = run.work()
        if receipt is not None and ports.deliveries.record(receipt):
            lines, credits_, receipts = lines + receipt.lines, credits_ + receipt.sums.number, receipts + 1
    if tried and not receipts:
        raise TryAgain("no line of the chunk was delivered in a worker's time")
    ports.queue.send_deliveries([message])
    return DeliverDone(DeliverWork.CONTINUED, lines, credits_, receipts)


@dataclass(frozen=True, slots=True)
class _Row:
    """A line that may have a decision: whose, and what it says of the account's bill.

    `origin` is where the line is in the list; None of an addition, whose line is that of its decision. `benefit` is the
    place of a credit that is sent again. `is_reversal`: what is asked back of the decision is delivered, of what was
    asked together with `benefit`.
    """

    origin: int | None
    key: DecisionKey
    to_bill: ToBill
    benefit: int | None = None
    is_reversal: bool = False


class _Line(NamedTuple):
    """A range of what is delivered, and the row in it: a line of the list, or the instant of an addition."""

    offset: int
    end: int
    row: _Row | None


@dataclass(slots=True)
class _Run:
    """One attempt at a chunk: from the cursor to a receipt."""

    delivery: Delivery
    campaign: Campaign
    chunk: int
    cursor: Cursor | None
    ports: DeliverPorts
    settings: GrantSettings
    clock: Clock
    cache: FrozenCache
    reader: LineReader = field(init=False)
    bills: Mapping[str, Bill] = field(init=False)
    policy: CompiledPolicy = field(init=False)
    assigned: CreditEntry = field(init=False)
    rows_per_wave: int = field(init=False)
    found: list[Credit] = field(default_factory=list)
    elsewhere: CreditSums = field(default_factory=CreditSums)
    again: CreditSums = field(default_factory=CreditSums)
    sent_again: set[str] = field(default_factory=set)
    is_to_bill: bool = field(init=False)
    is_goodwill: bool = field(init=False)
    decisions: dict[str, tuple[Decision, dict[int, Size]]] = field(default_factory=dict)
    first: dict[tuple[Any, ...], CreditEntries] = field(default_factory=dict)
    looks_below: float = float("inf")

    def __post_init__(self) -> None:
        campaign = self.campaign
        self.policy = self.cache.get(campaign, self.ports.campaigns)
        # The facts were read when the lines were decided; of the columns only what is about the bill is read again.
        self.reader = line_reader(campaign.layout, (), self.policy.subject, campaign.ignored_columns)
        is_csv = self.reader.format is ListFormat.CSV
        self.is_to_bill = not is_csv or not set(TO_BILL_COLUMNS).isdisjoint(campaign.layout.columns)
        self.is_goodwill = bool(month_of_goodwill(campaign.id.incident_id))
        document, _ = read_frozen(self.ports.campaigns.frozen(campaign.id).policy)
        self.bills = bills_of(document.policy)
        self.rows_per_wave = self.settings.entries_per_wave(ASSIGN_WRITE_UNITS)
        delivery = str(self.delivery.id)
        self.assigned = CreditEntry(
            EntryKind.ASSIGNED, self.delivery.opened_at, "delivery", delivery, (0,), delivery=delivery
        )

    def work(self) -> DeliveryReceipt | None:
        """Deliver lines wave after wave; the receipt covers exactly those that are done. None where none was."""
        chunk_start, chunk_stop = self.delivery.chunk_bounds(self.campaign, self.chunk)
        start = position = None if self.cursor is None else self.cursor.position
        number, finished = 0, True
        wave: dict[DecisionKey, _Row] = {}
        end = position
        if self.delivery.additions is not None and start is None:
            start = end = chunk_start  # what comes before the first addition is done, too
        lines = self._lines(chunk_start if start is None else start, chunk_stop)
        for line in lines:
            start = line.offset if start is None else start
            row = line.row
            if row is not None and (row.key in wave or len(wave) >= self.rows_per_wave):
                self._deliver(wave)
                wave = {}
                is_cut = end is None or line.offset >= end  # additions of one instant are of one part
                position = line.offset if is_cut else position
                if is_cut and (number >= LINES_PER_PART or self._must_end()):
                    finished = False
                    break
            if row is not None:
                wave[row.key] = row
            number, end = number + 1, line.end
        if finished:
            self._deliver(wave)
            position = chunk_stop if end is None or self.delivery.additions is not None else end
        if position is None or (not finished and position == start):
            return None
        return self._receipt(position if start is None else start, position, number, finishes_chunk=finished)

    def _lines(self, start: int, stop: int) -> Iterator[_Line]:
        if self.delivery.additions is None:
            for line in lines_of(self.campaign, self.ports.lists, start, stop):
                yield _Line(line.offset, line.end, self._row(line))
            return
        after = ""
        while True:
            page = self.ports.index.additions_from(self.campaign.id, instant_of(start), after)
            for addition in page.found:
                at = microseconds_of(addition.at)
                if at >= stop:
                    return
                if addition.channel != self.delivery.additions.channel:
                    continue
                is_reversal = addition.kind is AdditionKind.REVERSAL
                yield _Line(at, at + 1, _Row(None, addition.key, NOTHING_TO_BILL, addition.benefit, is_reversal))
            if not page.after:
                return
            after = page.after

    def _row(self, line: Line) -> _Row | None:
        if is_blank(line.raw, is_csv=self.reader.format is ListFormat.CSV):
            return None
        record = self.reader.record(line)
        if not isinstance(record, Record):
            return None
        campaign = self.campaign.id
        key = DecisionKey(record.account_id, campaign.incident_id, record.subject, campaign.seq)
        return _Row(line.offset, key, record.to_bill)

    def _must_end(self) -> bool:
        seconds_left = self.clock.seconds_left()
        if seconds_left < self.looks_below:
            self.looks_below = seconds_left - STOP_LOOK_SECONDS
            if self.ports.campaigns.halt().is_on:
                return True
        return seconds_left < TIME_TO_FINISH_SECONDS

    def _deliver(self, rows: dict[DecisionKey, _Row]) -> None:
        """Assign what is due of some rows, and take up the credits of all that is assigned to this delivery."""
        spent = self.clock.seconds_left()
        waiting, written = dict(rows), 0
        credits_: dict[DecisionKey, list[Credit]] = {}
        for _ in range(ROUNDS_MOST):
            if not waiting:
                break
            found = self.ports.credits.booked(list(waiting))
            assigning: dict[DecisionKey, tuple[Booked, EntriesChange]] = {}
            for key, listed in list(waiting.items()):
                row = listed
                booked = found.get(key)
                if booked is None or row.origin not in (None, booked.entry.origin):
                    del waiting[key]  # the row is blank of a decision, or another row decided its subject
                    continue
                if row.origin is None:
                    row = waiting[key] = self._row_of(booked.entry, row)
                change = self._assignment(booked, row)
                if change is None:
                    credits_[key] = self._credits(booked, row)
                    del waiting[key]
                else:
                    assigning[key] = booked, change
            results = self.ports.credits.write_entries([change for _, change in assigning.values()])
            for (key, (booked, change)), is_written in zip(assigning.items(), results, strict=True):
                if is_written:
                    written += 1
                    credits_[key] = self._credits(Booked(booked.entry, change.after), waiting.pop(key))
        if waiting:
            raise TryAgain("the credit entries of some decisions keep changing")
        for key in rows:
            self.found += credits_.get(key, ())
        if written and self.settings.units_per_second > 0:
            pace = ASSIGN_WRITE_UNITS * written / self.settings.units_per_second
            self.clock.wait(max(0.0, pace - (spent - self.clock.seconds_left())))

    def _row_of(self, entry: Entry, addition: _Row) -> _Row:
        """An addition with what the list's row that made its decision says of the bill. Raises Refused where that row
        is of somebody else.
        """
        if not self.is_to_bill:
            return addition
        lines = lines_of(self.campaign, self.ports.lists, entry.origin, entry.origin + 1)
        row = next((row for line in lines if (row := self._row(line)) is not None), None)
        if row is None or row.key != entry.key:
            raise Refused("the row of a decision is not where the decision says; nothing more of it is delivered")
        return replace(addition, to_bill=row.to_bill)

    def _decision(self, booked: Booked, row: _Row) -> tuple[Decision, dict[int, Size]]:
        """What is to be delivered of a decision, with the size of each benefit, by its place.

        Of the list what it granted at once; equal but for the row's digest is equal. Of an addition what was accepted,
        or granted by hand; of goodwill, which has no row, all of it; and what is sent again.
        """
        hand = booked.entry.by_hand
        if row.benefit is not None:
            found = read_decision(booked.entry.body)
            granted = benefits_granted(booked.entry, found)
            return found, {row.benefit: worth_of(granted[row.benefit])[1]} if row.benefit < len(granted) else {}
        kind = without_digest(booked.entry.body) + ("" if hand is None else hand.to_text())
        known = self.decisions.get(kind)
        if known is None:
            decision = read_decision(booked.entry.body)
            has_row = decision.outcome is Outcome.GRANTED and not self.is_goodwill
            at_once = decision.benefits if has_row else ()
            if self.delivery.additions is None:
                sizes = {place: worth_of(one)[1] for place, one in enumerate(at_once)}
            else:
                offered = _every(decision, booked.entry)[len(at_once) :]
                sizes = {place: worth_of(one)[1] for place, one in enumerate(offered, len(at_once))}
            if len(self.decisions) >= DECISIONS_REMEMBERED:
                self.decisions.clear()
            known = self.decisions[kind] = decision, sizes
        return known

    def _assignment(self, booked: Booked, row: _Row) -> EntriesChange | None:
        """What assigns all that is to be delivered of a decision and that is due, or was asked back; None where nothing
        is.
        """
        if row.is_reversal:
            return assign_reversals(booked, self.assigned, row.benefit)
        decision, sizes = self._decision(booked, row)
        stands = {place: standing(booked.entries, place, size) for place, size in sizes.items()}
        due = tuple(
            place
            for place, found in stands.items()
            if found.is_new or (row.benefit is not None and found.state is CreditState.DUE)
        )
        if not due or booked.entry.status is not Outcome.GRANTED:
            return None
        benefits, entry, due_at = _every(decision, booked.entry), booked.entry, self._due_of(row)
        late = tuple(
            _due_of(stands[place]) or due_at(benefits[place], granted_at(entry, decision, place)) for place in due
        )
        return EntriesChange(booked.entry.key, booked.entries, self._with(booked.entries, due, late, sizes))

    def _with(
        self,
        entries: CreditEntries,
        due: tuple[int, ...],
        late: tuple[DueAt | None, ...],
        sizes: Mapping[int, Size],
    ) -> CreditEntries:
        """Some entries with an assignment behind them. Most decisions have none before, and get the same one."""
        place = due, late, tuple(sizes.items())
        known = self.first.get(place) if not entries else None
        if known is not None:
            return known
        assigned = replace(self.assigned, benefits=due, dues=late if any(late) else ())
        adding = add_entry(entries, assigned, sizes)
        if adding.result is not AddResult.ADDED:
            raise Refused(f"a decision's credits cannot be assigned: {adding.reason or adding.result}")
        if not entries and len(self.first) < DECISIONS_REMEMBERED:
            self.first[place] = adding.entries
        return adding.entries

    def _due_of(self, row: _Row) -> DueOf:
        return partial(self.policy.due_at, next_bills=row.to_bill.next_bills)

    def _credits(self, booked: Booked, row: _Row) -> list[Credit]:
        """The credits that are assigned to this delivery; those that stand elsewhere are counted."""
        bills = goodwill_bills(booked.entry.body) if self.is_goodwill else self.bills
        if row.is_reversal:
            booking = Booking(row.to_bill.biller_account or row.key.account_id, bills, self._due_of(row))
            return reversals(booked, booking, str(self.delivery.id), row.benefit)
        decision, sizes = self._decision(booked, row)
        account = ""
        mine: dict[int, int] = {}
        others: dict[int, int] = {}
        less: dict[int, Size] = {}
        for place, size in sizes.items():
            found = standing(booked.entries, place, size)
            if found.is_new:
                continue
            is_mine = found.delivery == str(self.delivery.id)
            (mine if is_mine else others)[place] = found.attempt
            account = found.account
            if is_mine and found.left_out:
                less[place] = found.left_out
        biller_account = account or row.to_bill.biller_account or row.key.account_id
        booking = Booking(biller_account, bills, self._due_of(row))
        if row.benefit is not None:  # it was counted when it was delivered first
            again = list(credits_of(booked.entry, booking, mine, decision, less))
            self.again.add(CreditSums.over(again))
            self.sent_again |= {one.id for one in again}
            return again
        if others:
            self.elsewhere.add(CreditSums.over(credits_of(booked.entry, booking, others, decision)))
        benefits = benefits_granted(booked.entry, decision) if less else ()
        for place, left_out in less.items():  # what is void of a credit stands elsewhere, and is no credit
            measure, _ = worth_of(benefits[place])
            self.elsewhere.count(SumOf(CreditType.CREDIT, measure, benefits[place].money is not None), 0, left_out)
        return list(credits_of(booked.entry, booking, mine, decision, less)) if mine else []

    def _receipt(self, start: int, end: int, lines: int, *, finishes_chunk: bool) -> DeliveryReceipt:
        """Write the part, and give its receipt."""
        part = None
        if self.found:
            name = part_name(start, end, self.delivery.form)
            head = PartHead(self.delivery.id, str(self.campaign.id), start, self.delivery.opened_at)
            content = render_part(head, self.found, self.delivery.form)
            self.ports.archive.put(f"{self.delivery.id.folder}/{name}", content, CONTENT_TYPES[self.delivery.form])
            part = part_file(name, content, len(self.found))
        return DeliveryReceipt(
            delivery=self.delivery.id,
            chunk=self.chunk,
            start=start,
            end=end,
            moved_from=None if self.cursor is None else self.cursor.position,
            finishes_chunk=finishes_chunk,
            lines=lines,
            part=part,
            sums=CreditSums.over(self.found),
            elsewhere=self.elsewhere,
            dues=dues_of(self.campaign.id, (one for one in self.found if one.id not in self.sent_again)),
            again=self.again,
        )


def _due_of(stands: Standing) -> DueAt | None:
    """The deadline that a credit has since its first delivery."""
    return None if stands.due is None or stands.due_by is None else DueAt(stands.due, stands.due_by)


def _every(decision: Decision, entry: Entry) -> tuple[Benefit, ...]:
    """What a decision granted, or can, by its place: at once, or as an offer, then what is claimed or given by hand."""
    if entry.by_hand is not None:
        return benefits_granted(entry, decision)
    return (*decision.benefits, *decision.claimable)
