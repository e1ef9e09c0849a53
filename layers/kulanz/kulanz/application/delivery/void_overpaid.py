"""Works a chunk of a void of what was overpaid: the lines of the list that found it, decided again as planned.

A line says what its subject is entitled to. What earlier decisions gave more, as they stood when the void was opened,
is what the plan counts. The pass after it reduces these decisions, the latest first and one after the other, and never
below what the subject is entitled to by then.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched
from typing import NamedTuple, Protocol

from kulanz.application.campaigns.chunk_run import Clock, GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.stretch_run import LINES_READ_TOGETHER, DecidedOtherwise, DecidedStretch, StretchRun
from kulanz.application.delivery.ask_biller import ReversalAsking
from kulanz.application.delivery.deliver_chunk import ROUNDS_MOST
from kulanz.application.delivery.reject_codes import KnownCodes
from kulanz.application.delivery.void_writes import VoidWriter
from kulanz.application.delivery.world import (
    Booked,
    CreditLedger,
    EntriesChange,
    RejectCodes,
    ReversalLedger,
    VoidStore,
)
from kulanz.application.ports import CampaignStore, ChunkMessage, Outdated, PinnedVersionGone, Refused, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, Cursor, Pass
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.delivery.difference import Decided, Entitled, Taking, pieces_of
from kulanz.domain.delivery.entries import CreditEntry
from kulanz.domain.delivery.moved import Moves
from kulanz.domain.delivery.void import Share, Void, VoidReceipt, VoidState, VoidTotals
from kulanz.domain.ledger.earlier_decisions import entitled_to
from kulanz.domain.ledger.entries import DecisionKey, Entry
from kulanz.domain.lists.lines import Line, ListRefused


class OverpaidPorts(Protocol):
    """The world that it touches."""

    @property
    def work(self) -> GrantPorts: ...
    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def credits(self) -> CreditLedger: ...
    @property
    def voids(self) -> VoidStore: ...
    @property
    def codes(self) -> RejectCodes: ...
    @property
    def asks(self) -> ReversalLedger: ...
    def writer(
        self, work: Pass, campaign: Campaign, settings: GrantSettings, clock: Clock, cache: FrozenCache
    ) -> VoidWriter: ...


class _Line(NamedTuple):
    """A line of which something was overpaid when it was planned: its subject, and what that is entitled to.

    `other_ids` are those that its account has besides.
    """

    offset: int
    account_id: str
    subject: str
    entitled: Entitled
    other_ids: tuple[str, ...] = ()


type _Subject = dict[DecisionKey, Decided]
"""The decisions of a subject by the campaign, and by those that it set off."""


@dataclass(slots=True)
class OverpaidRun:
    """One attempt at a chunk: from the cursor to a receipt."""

    void: Void
    campaign: Campaign
    work: Pass
    chunk: int
    cursor: Cursor | None
    ports: OverpaidPorts
    settings: GrantSettings
    clock: Clock
    cache: FrozenCache
    totals: VoidTotals = field(default_factory=VoidTotals)
    moves: Moves = field(default_factory=Moves)
    writer: VoidWriter = field(init=False)
    codes: KnownCodes = field(init=False)

    def __post_init__(self) -> None:
        self.writer = self.ports.writer(self.work, self.campaign, self.settings, self.clock, self.cache)
        self.codes = KnownCodes(self.ports.codes)

    def work_on(self) -> VoidReceipt | None:
        """Work the plan's stretches; the receipt covers exactly the lines that are done. None where none was.

        Where lines cannot be decided as they were planned the plan is rejected. A void that has begun does not come to
        its plan then, and is flagged at its end.
        """
        chunk_stop = self.campaign.chunks.bounds(self.chunk)[1]
        reached = None if self.cursor is None else self.cursor.position
        policy = self.cache.get(self.campaign, self.ports.work.campaigns)
        message = ChunkMessage(self.campaign.id, Pass.PLAN, self.chunk)
        run = StretchRun(self.campaign, message, None, policy, self.ports.work, self.settings, self.clock)
        planned = list(run.planned(reached))
        begun = planned[0][0] if planned else chunk_stop if reached is None else reached
        start = begun if reached is None else reached
        lines = run.lines(begun, chunk_stop)
        for at, stretch in planned:
            if at > begun and self.writer.must_end():
                return self._receipt(start, reached, finished=False)
            try:
                decided = _as_planned(run, lines, at, stretch)
            except (DecidedOtherwise, PinnedVersionGone, ListRefused, Refused) as problem:
                if at > begun:
                    return self._receipt(start, reached, finished=False)
                return self._undecidable(start, planned[-1][1].end, problem)
            if decided is None:
                return self._receipt(start, reached, finished=False)
            reached = self._worked(run, decided, max(at, start))
            if reached < stretch.end:
                return self._receipt(start, reached, finished=False)
        return self._receipt(start, start if reached is None else reached, finished=True)

    def _receipt(self, start: int, reached: int | None, *, finished: bool) -> VoidReceipt | None:
        if reached is None or (not finished and reached == start):
            return None
        return VoidReceipt(
            void=self.void.id,
            work=self.work,
            chunk=self.chunk,
            start=start,
            end=reached,
            moved_from=None if self.cursor is None else self.cursor.position,
            finishes_chunk=finished,
            totals=self.totals,
            moves=self.moves,
        )

    def _undecidable(self, start: int, end: int, problem: Exception) -> VoidReceipt | None:
        if self.work is Pass.APPLY:
            return self._receipt(start, end, finished=True)
        void = self.ports.voids.void(self.void.id)
        if void is not None and void.state is VoidState.PLANNING:
            reason = f"decided_otherwise: lines of the list cannot be decided as they were planned ({problem})"
            try:
                self.ports.voids.change(void, void.moved(VoidState.REJECTED, reason))
            except Outdated:
                raise TryAgain("the void's record was changed") from None
        return None

    def _worked(self, run: StretchRun, stretch: DecidedStretch, start: int) -> int:
        """Work the lines of a stretch from `start` on; the byte before which every line is done."""
        overpaid = [(offset, *whole) for offset, whole in sorted(stretch.whole.items()) if offset >= start]
        waiting: list[_Line] = []
        for page in batched(overpaid, LINES_READ_TOGETHER, strict=False):
            earlier = run.stands_before(record for _, record, _ in page)
            for offset, record, whole in page:
                place = record.account_id, record.subject
                waiting.append(_Line(offset, *place, entitled_to(whole), earlier[place].other_ids))
        reached = stretch.end
        for number, wave in enumerate(_waves(waiting, self.writer.per_wave)):
            if number and self.writer.must_end():
                reached = wave[0].offset
                break
            self.totals.unmatched -= self._count(wave)
        offsets = (*(one.offset for one in stretch.owed), *(one.offset for one in stretch.others))
        lines = sum(start <= offset < reached for offset in offsets)
        self.totals.lines += lines
        self.totals.unmatched += lines
        return reached

    def _count(self, wave: Sequence[_Line]) -> int:
        """Count some lines of different subjects, of which the pass after the plan has written what was planned.

        Of how many something is too much, wherever that is.
        """
        began, seq = self.clock.seconds_left(), self.campaign.id.seq
        found = self._read([key for line in wave for key in self._keys(line)])
        subjects: dict[int, _Subject] = {}
        takings: dict[int, Taking] = {}
        for line in wave:
            subject = {key: found[key] for key in self._keys(line) if key in found}
            pieces = pieces_of(line.entitled, list(subject.values()), seq, self.void)
            if pieces and self._is_of(line, subject):
                subjects[line.offset] = subject
                takings[line.offset] = Taking(self.void, line.offset, line.entitled, pieces)
        if self.work is Pass.APPLY:
            written = self._take(takings, subjects)
            if self.void.asks_biller:
                self._ask(takings, subjects)
            self.writer.pace(written, began)
        for offset, taking in takings.items():
            if self.work is Pass.PLAN:
                self.totals.count(piece.part for piece in taking.pieces)
                planned = {key for key, part in taking.pieces if part.share in (Share.VOIDABLE, Share.ASKABLE)}
                self._count_notices(subjects[offset], planned)
                continue
            self.totals.count(taking.came_to(subjects[offset]))
            taken = list(taking.moved(subjects[offset].values()))
            self._count_notices(subjects[offset], {key for key, _ in taken})
            for key, moved in taken:
                self.moves.take(key.campaign, moved, self.codes.counting(key.campaign, moved))
        return len(takings)

    def _count_notices(self, subject: _Subject, keys: set[DecisionKey]) -> None:
        """Count of which of a subject's decisions the customer is told."""
        self.totals.notices += sum(bool(self.writer.notice_locale(subject[key].entry)) for key in keys)

    def _is_of(self, line: _Line, subject: _Subject) -> bool:
        """Whether a line is the one that the campaign's decision about its subject was written for, if there is one."""
        own = subject.get(self._key(line, self.campaign.id.seq))
        return own is None or own.entry.origin == line.offset

    def _keys(self, line: _Line) -> list[DecisionKey]:
        seqs, ids = (*self.campaign.follows, self.campaign.id.seq), (line.account_id, *line.other_ids)
        return [DecisionKey(one, self.campaign.id.incident_id, line.subject, seq) for seq in seqs for one in ids]

    def _key(self, line: _Line, seq: int) -> DecisionKey:
        return DecisionKey(line.account_id, self.campaign.id.incident_id, line.subject, seq)

    def _read(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Decided]:
        return {key: Decided(one.entry, one.entries) for key, one in self.ports.credits.booked(keys).items()}

    def _take(self, takings: Mapping[int, Taking], subjects: dict[int, _Subject]) -> int:
        """Reduce decisions, one of each subject at a time, until nothing is left to take; how many were reduced."""
        waiting, written = dict(takings), 0
        for _ in range(ROUNDS_MOST + max(map(len, subjects.values()), default=0)):
            changes: list[tuple[Entry, EntriesChange]] = []
            for offset, taking in list(waiting.items()):
                following = taking.next(subjects[offset])
                if following is None:
                    del waiting[offset]
                    continue
                key, after = following
                stands = subjects[offset][key]
                changes.append((stands.entry, EntriesChange(key, stands.entries, after)))
            if not changes:
                return written
            written += len(self.writer.write(changes))
            found = self._read([key for offset in waiting for key in subjects[offset]])
            for offset in waiting:
                subjects[offset] = {key: found[key] for key in subjects[offset] if key in found}
        raise TryAgain("the credit entries of some decisions keep changing")

    def _ask(self, takings: Mapping[int, Taking], subjects: dict[int, _Subject]) -> None:
        """Ask the biller for what is still too much then; the subjects stand as they then are."""
        ports = self.ports
        mine = {key: Booked(one.entry, one.entries) for offset in takings for key, one in subjects[offset].items()}

        def wanted() -> dict[DecisionKey, CreditEntry]:
            found: dict[DecisionKey, CreditEntry] = {}
            for offset, taking in takings.items():
                subjects[offset] = {key: Decided(mine[key].entry, mine[key].entries) for key in subjects[offset]}
                found |= taking.asks(subjects[offset])
            return found

        asking = ReversalAsking(self.void, ports.campaigns, ports.credits, ports.asks, self.writer)
        asking.ask(mine, wanted, self.clock)


def _as_planned(run: StretchRun, lines: Iterator[Line], at: int, planned: Stretch) -> DecidedStretch | None:
    """The lines of a stretch as the plan decided them; None where time ran out. Raises DecidedOtherwise."""
    decided = run.decided(lines, at, planned)
    if decided is not None and decided.stretch() != planned:
        raise DecidedOtherwise(at, planned)
    return decided


def _waves(lines: Sequence[_Line], most: int) -> Iterator[Sequence[_Line]]:
    """The lines in waves, none of which has a subject twice: two lines of a subject are worked one after the other."""
    for page in batched(lines, most, strict=False):
        wave: dict[tuple[str, str], _Line] = {}
        for line in page:
            if (line.account_id, line.subject) in wave:
                yield list(wave.values())
                wave = {}
            wave[line.account_id, line.subject] = line
        yield list(wave.values())
