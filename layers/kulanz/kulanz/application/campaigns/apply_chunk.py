"""The apply pass over a chunk: a stretch of lines decided, compared with the plan, and only then written.

Where a line would come to something else than was planned, nothing of its stretch is written. Right before it writes,
the pass looks at what stands of earlier campaigns: a subject about which that is not what the plan had read is held.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kulanz.application.campaigns.chunk_run import ROUND_SECONDS
from kulanz.application.campaigns.read_earlier import UnitPlace
from kulanz.application.campaigns.read_history import HistoryReader, Read
from kulanz.application.campaigns.stretch_run import DecidedOtherwise, DecidedStretch, NotWritten, Owed, StretchRun
from kulanz.application.ports import TryAgain
from kulanz.domain.campaigns.campaign import Receipt
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult, WriteResult
from kulanz.domain.campaigns.write_units import HISTORY_WRITE_UNITS
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.decider import Remembered, prepare
from kulanz.domain.ledger.earlier_decisions import CHANGED_SINCE_PLAN, Before, is_as_planned, within_plan
from kulanz.domain.ledger.entries import (
    WRITER_LIFE,
    DecisionKey,
    Entry,
    EntryWithFormer,
    EntryWithHistory,
    HistoryMoved,
    Lifetime,
    entry_like,
    judge,
    new_entry,
    read_decision,
)
from kulanz.domain.ledger.former_accounts import under_other_id
from kulanz.domain.lists.rows import QUOTES_UNBALANCED
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory

HISTORY_ROUNDS = 10
"""How often a subject is decided again because another incident changed its history; then the chunk comes again."""

type ReadBefore = Mapping[int, Before]
"""What the plan had read of earlier decisions, by the offsets of the lines."""
type Held = Mapping[int, Owed]
"""What is written instead of some lines of a wave, by their offsets."""


@dataclass(slots=True)
class ApplyRun(StretchRun):
    """One attempt at a chunk in the apply pass.

    `can_end`: whether a decision grants something that ends. `ending` counts the lines of those, by when they were
    granted. `earlier_ids` are other ids of the accounts of a wave, as earlier campaigns or their rows name them.
    """

    can_end: dict[Remembered, bool] = field(default_factory=dict)
    ending: dict[tuple[Remembered, datetime], int] = field(default_factory=dict)
    earlier_ids: Mapping[UnitPlace, tuple[str, ...]] = field(default_factory=dict)

    def work(self) -> Receipt | None:
        """Decide, compare and write stretch after stretch; the receipt covers exactly the lines that are done.

        None where none was done: the time is over, or the campaign was stopped. Raises DecidedOtherwise.
        """
        chunk_start, chunk_stop = self.campaign.chunks.bounds(self.message.chunk)
        reached = None if self.cursor is None else self.cursor.position
        planned = list(self.planned(reached))
        begun = planned[0][0] if planned else chunk_start if reached is None else reached
        start = reached if reached is not None else begun if planned else chunk_stop
        lines, finished = self.lines(begun, chunk_stop), True
        for at, stretch in planned:
            is_over = at > begun and self.must_end(self.clock.seconds_left())
            decided = None if is_over else self.decided(lines, at, stretch)
            if decided is None:
                finished = False
                break
            if decided.stretch() != stretch:
                raise DecidedOtherwise(at, stretch)
            reached = self._written(decided, max(at, start))
            if reached < stretch.end:
                finished = False
                break
        if finished and next(lines, None) is not None:
            raise DecidedOtherwise(start if reached is None else reached, None)
        if not finished and reached in (None, start):
            return None
        self.settle()
        self.totals.digest_rows(self.row_hashes)
        return self.receipt(start, start if reached is None else reached, finishes_chunk=finished)

    def _written(self, stretch: DecidedStretch, start: int) -> int:
        """Write the lines of a stretch from `start` on, wave after wave; the byte before which every line is done."""
        owed = [line for line in stretch.owed if line.offset >= start]
        reached, done = stretch.end, 0
        while done < len(owed):
            if self.must_end(self.clock.seconds_left()):
                reached = owed[done].offset
                break
            wave = self._wave(owed, done)
            held: Held = self._held(wave, stretch.before) if self.campaign.follows else {}
            if self.history is None:
                self._write(wave, held)
            else:
                self._write_and_keep(wave, stretch.before, held, self.history)
            done += len(wave)
        for other in stretch.others:
            if start <= other.offset < reached:
                self._count_other(other)
        for offset, too_much in stretch.overpaid.items():
            if start <= offset < reached:
                self.totals.count_overpaid(too_much)
        return reached

    def _wave(self, owed: Sequence[Owed], start: int) -> list[Owed]:
        """The next lines that are written together: two rows of a subject in one call would hide which was first."""
        wave: dict[UnitPlace, Owed] = {}
        for line in owed[start : start + self.entries_per_wave]:
            if line.key in wave:
                break
            wave[line.key] = line
        return list(wave.values())

    def _count_other(self, line: NotWritten) -> None:
        match line.row_result:
            case RowResult.BLANK:
                self.totals.count_blank()
            case RowResult.UNCHANGED | RowResult.OVERPAID:
                self.totals.count_nothing_owed(line.row_result, line.reason)
            case _:
                self.totals.unbalanced_quotes += line.reason == QUOTES_UNBALANCED
                self.totals.count_rejected(line.reason)

    def _held(self, wave: Sequence[Owed], before: ReadBefore) -> Held:
        """What is written instead of some lines' decisions: their earlier decisions are not what the plan had read."""
        stands = self.stands_before(line.record for line in wave)
        self.earlier_ids = {place: one.other_ids for place, one in stands.items() if one.other_ids}
        moved = (line for line in wave if stands[line.key].before != before.get(line.offset))
        return {line.offset: self._held_since(line, stands[line.key].before) for line in moved}

    def _held_since(self, line: Owed, stands: Before | None) -> Owed:
        earlier = None if stands is None else stands.texts()
        decision, planned = Decision(Outcome.HELD, CHANGED_SINCE_PLAN), line.remembered
        held = prepare(self.campaign, decision, planned.facts, planned.kept, earlier=earlier)
        return Owed.of(line.offset, line.record, held)

    def _write(self, wave: Sequence[Owed], held: Held) -> None:
        """Insert the decisions of a wave, and count what became of each."""
        decided = [held.get(line.offset, line) for line in wave] if held else wave
        entries = self._entries(decided)
        before = self.clock.seconds_left()
        stored = self._insert(decided, entries)
        for line, written, entry, found in zip(wave, decided, entries, stored, strict=True):
            if found is None and written is line:
                self.count(line.hashed, line.remembered, WriteResult.WRITTEN)
                self._count_end(line.remembered, entry.effective_at)
            else:
                self._count_by_plan(line, written.remembered.decision, entry, found)
        self._pace(len(entries), before - self.clock.seconds_left())

    def _insert(self, decided: Sequence[Owed], entries: Sequence[Entry]) -> list[Entry | None]:
        """Insert entries; one of an account that changed in one step with what takes its former id's place."""
        formers = [self._formers(line, entry) for line, entry in zip(decided, entries, strict=True)]
        if not any(formers):
            return self.ports.ledger.insert(entries)
        pairs = list(zip(entries, formers, strict=True))
        plain = iter(self.ports.ledger.insert([entry for entry, former in pairs if not former]))
        changed = [EntryWithFormer(entry, former) for entry, former in pairs if former]
        with_former = iter(self._with_former(changed))
        stored = [next(with_former if former else plain) for former in formers]
        found = [one for one in stored if not isinstance(one, HistoryMoved)]
        if len(found) < len(stored):
            raise TryAgain("what stood under some keys is not there any more")
        return found

    def _with_former(self, entries: Sequence[EntryWithFormer]) -> list[Entry | HistoryMoved | None]:
        """Insert entries of accounts that changed.

        Where another id of the account was decided before, what stands there is named under the id of this row, so that
        a later list finds it by either.
        """
        stored = self.ports.ledger.insert_with_former(entries)
        links = [
            under_other_id(self.campaign, found, one.entry.key.account_id)
            for one, found in zip(entries, stored, strict=True)
            if isinstance(found, Entry) and found.key != one.entry.key
        ]
        if links:
            self.ports.ledger.insert(links)
        return stored

    def _formers(self, line: Owed, entry: Entry) -> tuple[Entry, ...]:
        """What takes the places of decisions under other ids of the account; nothing where it has one id."""
        ids = self.earlier_ids.get(line.key) if self.earlier_ids else None
        if ids is None:
            ids = () if line.record.former is None else (line.record.former.account_id,)
        return tuple([under_other_id(self.campaign, entry, account_id) for account_id in ids])

    def _count_end(self, remembered: Remembered, effective_at: datetime) -> None:
        """Count when a written decision's benefits end, where it grants any that do."""
        can_end = self.can_end.get(remembered)
        if can_end is None:
            decision = remembered.decision
            validities = [one.validity.expires_at(effective_at) for one in decision.benefits]
            can_end = decision.outcome is Outcome.GRANTED and any(validities)
            self.can_end[remembered] = can_end
        if can_end:
            place = remembered, effective_at
            self.ending[place] = self.ending.get(place, 0) + 1

    def settle(self) -> None:
        """Bring what was counted by remembered decision into the totals."""
        StretchRun.settle(self)
        for (remembered, effective_at), lines in self.ending.items():
            self.totals.count_ends(remembered.decision, effective_at, lines)
        self.ending.clear()
        self.can_end.clear()

    def _entries(self, lines: Sequence[Owed]) -> list[Entry]:
        campaign, now = self.campaign, self.clock.now()
        keep_until = max(campaign.decidable_until, now + timedelta(days=self.settings.retention_days)) + WRITER_LIFE
        incident_id, seq = campaign.id.incident_id, campaign.id.seq
        first_of: dict[Remembered, Entry] = {}
        entries = []
        for offset, record, remembered, body, _ in lines:
            key = DecisionKey(record.account_id, incident_id, record.subject, seq)
            first = first_of.get(remembered)
            if first is None:
                decision = remembered.decision
                lifetime = Lifetime.of(decision, now, keep_until)
                entry = first_of[remembered] = new_entry(key, offset, body, decision, lifetime)
            else:
                entry = entry_like(first, key, offset, body)
            entries.append(entry)
        return entries

    def _pace(self, write_units: int, spent_seconds: float) -> None:
        if self.settings.units_per_second > 0:
            self.clock.wait(max(0.0, write_units / self.settings.units_per_second - spent_seconds))

    def _note_conflict(self, line: Owed, stored: Entry) -> None:
        expected = "one set of facts for an account in a list"
        self.note(line.offset, "conflict", stored_offset=stored.origin, expected=expected)

    # With a history: the same, but what is written also depends on what is kept of the subject now

    def _write_and_keep(self, planned: list[Owed], before: ReadBefore, held: Held, history: HistoryReader) -> None:
        """Write a wave's decisions, each in one step with what it adds to its subject's history.

        Where somebody else's incident was first, the subject's history is read and the line decided again.
        """
        for _ in range(HISTORY_ROUNDS):
            if not planned or self.clock.seconds_left() < ROUND_SECONDS:
                break
            planned = self._round(planned, before, held, history)
        if planned:
            raise TryAgain("the histories of some subjects keep changing")

    def _round(self, planned: list[Owed], before: ReadBefore, held: Held, history: HistoryReader) -> list[Owed]:
        """One try at some lines; those whose subject's history moved meanwhile are left."""
        now = history.of(line.record for line in planned)
        decided = [
            held.get(line.offset) or self._within_plan(line, before.get(line.offset), history.read_of(line.record, now))
            for line in planned
        ]
        entries = self._entries(decided)
        spent = self.clock.seconds_left()
        found, units = self._keep(decided, entries, now, history)
        left = []
        for line, now_decided, entry in zip(planned, decided, entries, strict=True):
            came = found[line.offset]
            if isinstance(came, HistoryMoved):
                left.append(line)
            else:
                self._count_by_plan(line, now_decided.remembered.decision, entry, came)
        self._pace(units, spent - self.clock.seconds_left())
        return left

    def _keep(
        self,
        decided: Sequence[Owed],
        entries: Sequence[Entry],
        now: Mapping[HistoryKey, SubjectHistory],
        history: HistoryReader,
    ) -> tuple[dict[int, Entry | HistoryMoved | None], int]:
        """Insert entries, each in one step with what it changes of histories: what was found, by the lines' offsets,
        and the write units that it took.
        """
        plain: dict[int, Entry] = {}
        kept: dict[int, EntryWithHistory] = {}
        changed: dict[int, EntryWithFormer] = {}
        for line, entry in zip(decided, entries, strict=True):
            changes, former = history.changes(line.record, now, line.remembered.addition), self._formers(line, entry)
            if former:
                changed[line.offset] = EntryWithFormer(entry, former, changes)
            elif changes:
                kept[line.offset] = EntryWithHistory(entry, changes[0])
            else:
                plain[line.offset] = entry
        ledger = self.ports.ledger
        found: dict[int, Entry | HistoryMoved | None] = {}
        if kept:
            found |= zip(kept, ledger.insert_with_history(list(kept.values())), strict=True)
        if plain:
            found |= zip(plain, ledger.insert(list(plain.values())), strict=True)
        if changed:
            found |= zip(changed, self._with_former(list(changed.values())), strict=True)
        return found, len(plain) + HISTORY_WRITE_UNITS * (len(kept) + len(changed))

    def _within_plan(self, line: Owed, before: Before | None, read: Read) -> Owed:
        """What is written of a planned line, decided with what is kept now."""
        whole = self.with_history(line.record, read)
        now = self.less(line.record, whole, before)
        decision = within_plan(line.remembered.decision, None if now is None else now.decision)
        if now is None or decision is not now.decision:
            now = prepare(self.campaign, decision, whole.facts, whole.kept)
        return Owed.of(line.offset, line.record, now)

    def _count_by_plan(self, planned: Owed, decided: Decision, entry: Entry, found: Entry | None) -> None:
        """Count a line by its plan: written as planned, less since then, or somebody's row was there before."""
        write_result = WriteResult.WRITTEN if found is None else judge(entry, found)
        stands = decided if found is None or write_result not in IN_THE_LEDGER else read_decision(found.body)
        if write_result not in IN_THE_LEDGER or is_as_planned(planned.remembered.decision, stands):
            self.count(planned.hashed, planned.remembered, write_result)
        else:
            self.totals.count_less(planned.remembered.decision, stands, write_result)
            self.row_hashes += planned.hashed
        if write_result in IN_THE_LEDGER and stands.outcome is Outcome.GRANTED:
            self.totals.count_ends(stands, (found or entry).effective_at)
        if found is not None and write_result is WriteResult.CONFLICT:
            self._note_conflict(planned, found)
