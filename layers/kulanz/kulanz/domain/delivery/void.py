"""A void: the unused remainder of decisions of one campaign is taken back, planned first, approved, then written.

It is about every decision of the campaign, or about those that a file names; a few come inside the request. Or it is
about what the campaign found overpaid: then it takes the difference back of decisions of earlier ones.
Both passes judge a decision as it stood when the void was opened, so that what is written is what was planned, less
what was used, delivered or taken back in between; the reconciliation of a void has both.

    planning ─► awaiting_approval ─► voiding ─► voided
                     └─► rejected       └─► flagged ─► settled
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import NamedTuple

from kulanz.domain.budgets import Regained
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Chunks, Pass, PinnedList
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind, channel_of
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.moved import Moved, Moves, moved_by
from kulanz.domain.delivery.standing import Counted, CreditState, OfWhich, Standing, standing
from kulanz.domain.ledger.entries import Entry, benefits_granted, granted_at, granted_benefits, read_decision
from kulanz.domain.money import Size, is_currency
from kulanz.domain.time import format_instant

ACCOUNTS_MOST = 100
"""Decisions that a request names itself; more are a file."""
FILE_BYTES = 8 * 1024 * 1024
"""A file of accounts is worked as one chunk, by a worker that remembers each of its lines."""
PERSONS_MOST = 2


class VoidState(StrEnum):
    """Where a void stands. FLAGGED: what was written is not what was planned less what changed; a person looks.

    SETTLED: a person has looked, and ends it as it stands.
    """

    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    VOIDING = "voiding"
    VOIDED = "voided"
    FLAGGED = "flagged"
    REJECTED = "rejected"
    SETTLED = "settled"


WORKED: Mapping[VoidState, Pass] = {VoidState.PLANNING: Pass.PLAN, VoidState.VOIDING: Pass.APPLY}
"""The pass whose chunks are worked in a state."""
OVER = frozenset({VoidState.VOIDED, VoidState.REJECTED, VoidState.SETTLED})
"""The states of a void with which nobody has anything to do any more."""


class Ends(StrEnum):
    """What a void takes back of a flagged campaign that ends with it: all that is unused, or what was never assigned.

    UNASSIGNED leaves to the biller, and to the persons who correct it, everything that a delivery ever assigned.
    """

    UNUSED = "unused"
    UNASSIGNED = "unassigned"


class Share(StrEnum):
    """Where a part of what was granted is. The plan has VOIDABLE; of that, the pass after it VOIDED or CHANGED.

    USED: it is on bills. AT_BILLER: it was delivered, and only the biller can give it back. VOIDED_BEFORE: by another
    void. CHANGED: it was voidable, and was delivered, used or voided since. ASSIGNED_ONCE: the biller rejected it or
    took it back, also where a person sends it again, and the void is of what was never assigned. REPEATED: another line
    of the list names the subject, too, and took back what was overpaid.

    ASKED_BEFORE: another void asked the biller for it; what else there is of the credit stays until the answer. Where
    the void asks for what the biller has, the plan has ASKABLE; of that, the pass after it ASKED, or NOT_ASKED because
    it moved since. It is void once it is booked.
    """

    VOIDABLE = "voidable"
    VOIDED = "voided"
    CHANGED = "changed"
    USED = "used"
    EXPIRED = "expired"
    AT_BILLER = "at_biller"
    VOIDED_BEFORE = "voided_before"
    WRITTEN_OFF = "written_off"
    ASSIGNED_ONCE = "assigned_once"
    REPEATED = "repeated"
    ASKED_BEFORE = "asked_before"
    ASKABLE = "askable"
    ASKED = "asked_back"
    NOT_ASKED = "not_asked"


_OF_STATE: Mapping[CreditState, Share] = {
    CreditState.DUE: Share.VOIDABLE,
    CreditState.REJECTED: Share.VOIDABLE,
    CreditState.TAKEN_BACK: Share.VOIDABLE,
    CreditState.APPLIED: Share.USED,
    CreditState.PARTLY_APPLIED: Share.USED,
    CreditState.ASSIGNED: Share.AT_BILLER,
    CreditState.SENT: Share.AT_BILLER,
    CreditState.UNKNOWN: Share.AT_BILLER,
    CreditState.ACCEPTED: Share.AT_BILLER,
    CreditState.WRITTEN_OFF: Share.WRITTEN_OFF,
    CreditState.VOIDED: Share.VOIDED_BEFORE,
}


_CAME_TO = (Share.VOIDED, Share.CHANGED, Share.REPEATED)
"""What becomes of what was voidable."""
_ASKED_CAME_TO = (Share.ASKED, Share.NOT_ASKED)
"""What becomes of what was to be asked back."""
_PLANNED = frozenset({Share.VOIDABLE, *_CAME_TO, Share.ASKABLE, *_ASKED_CAME_TO})
_BY_CHANNEL = frozenset({Share.ASKABLE, Share.ASKED})
_TAKEN = frozenset({Share.VOIDABLE, Share.VOIDED, *_BY_CHANNEL})
"""What is taken back, or is asked for: what customers are told of."""


class Part(NamedTuple):
    """A part of what a benefit grants, by its place: minor units of a currency, or a quantity of a unit.

    `delivery` is where its credit was delivered, of what is to be asked back.
    """

    place: int
    share: Share
    measure: str
    size: Size
    delivery: str = ""


def parts_of(entry: Entry, entries: Sequence[CreditEntry], void: "Void") -> Iterator[Part]:
    """Where what a decision grants was when a void was opened: entries before count, and what had ended is expired.

    The same however often and whenever it is asked. The void's own entry never counts. Entries are stored in whole
    seconds, so those of the very second are taken for later ones: some of them were not there when the plan was made.
    What a customer accepted later was not granted yet, and is left out.
    """
    at = void.opened_at
    if entry.status is not Outcome.GRANTED:
        return
    decision = read_decision(entry.body)
    until = [one for one in entries if not is_own(void, one) and one.at < at.replace(microsecond=0)]
    for place, benefit in enumerate(benefits_granted(entry, decision)):
        since = granted_at(entry, decision, place)
        if since > at:
            continue
        measure, size = worth_of(benefit)
        ends_at = benefit.validity.expires_at(since)
        has_ended = ends_at is not None and at >= ends_at
        stood = standing(until, place, size)
        asked = stood.asked_back
        asks = void.asks_biller and stood.askable(size) > 0 and not (has_ended and _has_unbilled(stood))
        askable: Size = 0
        # What is on no bill yet is asked back first.
        for state, share in sorted(stood.shares(size).items(), key=lambda one: one[0] is CreditState.APPLIED):
            of = _OF_STATE[state]
            if asked and (of in _AT_BILLER or of is Share.VOIDABLE):
                before = min(asked, share)
                asked, share = asked - before, share - before  # noqa: PLW2901 (the rest of it)
                yield Part(place, Share.ASKED_BEFORE, measure, before)
            if asks and of in _AT_BILLER:
                askable += share
                continue
            if of is Share.VOIDABLE and stood.asked_back:
                of = Share.AT_BILLER
            if of is Share.VOIDABLE and void.ends is Ends.UNASSIGNED and not stood.is_new:
                of = Share.ASSIGNED_ONCE
            if has_ended and of in (Share.VOIDABLE, Share.AT_BILLER, Share.ASSIGNED_ONCE):
                of = Share.EXPIRED
            if share:
                yield Part(place, of, measure, share)
        if askable:
            yield Part(place, Share.ASKABLE, measure, askable, stood.delivery)


_AT_BILLER = frozenset({Share.AT_BILLER, Share.USED})


def _has_unbilled(stood: Standing) -> bool:
    """Whether some of what the biller has is on no bill: once it has ended, it never will be. A reversal takes that off
    first, so one of what is on bills alone would leave it there, and could be asked for again and again.
    """
    return stood.at_biller is not CreditState.APPLIED


@dataclass(slots=True)
class VoidTotals:
    """How many decisions lines are about, and where what they grant is; those of disjoint ranges add up.

    `decisions` have something that is voidable, or was voided. `unmatched` lines name no decision of the campaign, or
    one that an earlier line has. `asked` is how many credits are asked back, and how much of them, by channel and
    measure. `notices` is of how many of the decisions customers are told; where the biller is asked, once it has
    booked.
    """

    lines: int = 0
    unmatched: int = 0
    decisions: int = 0
    sums: dict[tuple[Share, str], Size] = field(default_factory=dict)
    asked: dict[tuple[str, str], tuple[int, Size]] = field(default_factory=dict)
    notices: int = 0

    def count(self, parts: Iterable[Part], notice_locale: str = "") -> None:
        """Count a decision by its parts. `notice_locale` is the language in which its customer is told; empty where the
        customer is not.
        """
        is_voided = is_told = False
        for part in parts:
            self._add((part.share, part.measure), part.size)
            is_voided = is_voided or part.share in _PLANNED
            is_told = is_told or (bool(notice_locale) and part.share in _TAKEN)
            if part.share in _BY_CHANNEL:
                self._ask((channel_of(part.delivery), part.measure), 1, part.size)
        self.decisions += is_voided
        self.notices += is_told

    def add(self, other: "VoidTotals") -> None:
        """Add the totals of another range."""
        self.lines += other.lines
        self.unmatched += other.unmatched
        self.decisions += other.decisions
        self.notices += other.notices
        for key, size in other.sums.items():
            self._add(key, size)
        for place, (number, size) in other.asked.items():
            self._ask(place, number, size)

    def _ask(self, place: tuple[str, str], number: int, size: Size) -> None:
        known_number, known_size = self.asked.get(place, (0, 0))
        self.asked[place] = known_number + number, known_size + size

    def _add(self, key: tuple[Share, str], size: Size) -> None:
        self.sums[key] = self.sums.get(key, 0) + size

    def by_measure(self, *shares: Share) -> dict[str, Size]:
        """The sums of some shares together, by measure, without those of nothing."""
        found: dict[str, Size] = {}
        for (share, measure), size in self.sums.items():
            if share in shares and size:
                found[measure] = found.get(measure, 0) + size
        return found


def regained_by(void: "Void", month: str) -> tuple[Regained, ...]:
    """What a void that ends gives back to the budgets of a month: what it voided, and nothing where that is nothing."""
    voided = void.apply.totals.by_measure(Share.VOIDED)
    return tuple(
        Regained(measure, month, int(size)) for measure, size in sorted(voided.items()) if is_currency(measure)
    )


def differing(plan: VoidTotals, done: VoidTotals) -> str:
    """Where a finished pass is not its plan; empty where planned = voided + changed + repeated and the rest equal."""
    for name in ("lines", "unmatched", "decisions"):
        planned, found = getattr(plan, name), getattr(done, name)
        if planned != found:
            return f"void differs: {name}: planned {planned}, found {found}"
    pairs: list[tuple[tuple[Share, ...], tuple[Share, ...]]] = [
        ((Share.VOIDABLE,), _CAME_TO),
        ((Share.ASKABLE,), _ASKED_CAME_TO),
    ]
    pairs += [((share,), (share,)) for share in sorted(set(Share) - _PLANNED)]
    for there, here in pairs:
        planned, found = plan.by_measure(*there), done.by_measure(*here)
        for measure in sorted(planned.keys() | found.keys()):
            if planned.get(measure, 0) != found.get(measure, 0):
                return (
                    f"void differs: {measure} {there[0]}: planned {planned.get(measure, 0)}, found"
                    f" {found.get(measure, 0)} (in the smallest unit)"
                )
    return ""


@dataclass(frozen=True, slots=True)
class VoidApproval:
    """A person's yes, under the id that the person chose."""

    id: str
    person: str
    at: datetime


@dataclass(frozen=True, slots=True)
class VoidReceipt:
    """The record that the lines of `[start, end)` are done. `moved_from` is where the chunk's cursor stood.

    `moves` is what was voided, as the campaign's way to the bill counts it; a plan moves nothing.
    """

    void: VoidId
    work: Pass
    chunk: int
    start: int
    end: int
    moved_from: int | None
    finishes_chunk: bool
    totals: VoidTotals
    moves: Moves = field(default_factory=Moves)


@dataclass(slots=True)
class VoidProgress:
    """What the receipts of a pass add up to; `sent` counts chunks whose messages were sent."""

    bytes_done: int = 0
    sent: int = 0
    totals: VoidTotals = field(default_factory=VoidTotals)


@dataclass(frozen=True, slots=True)
class Void:
    """A void as its record tells it.

    `pinned` is the file that names decisions, whose lines start at `data_start`; without one it is about all of the
    campaign. `requester` is the id of the person who asked, empty where a
    machine did. `started_at` is when its last approval was given. `seen` is how far it was when the watch last looked.
    `ends` is there where its campaign is flagged, and ends with it. `is_of_overpaid`: it takes back what its campaign
    found that earlier ones gave more than is owed, of decisions of these. `asks_biller`: what the biller has is asked
    back, too.
    """

    id: VoidId
    reason: str
    requested_by: str
    requester: str
    opened_at: datetime
    pinned: PinnedList | None = None
    data_start: int = 0
    ends: Ends | None = None
    is_of_overpaid: bool = False
    asks_biller: bool = False
    state: VoidState = VoidState.PLANNING
    state_reason: str = "requested"
    changes: int = 1
    approvals: tuple[VoidApproval, ...] = ()
    started_at: datetime | None = None
    seen: int = -1
    plan: VoidProgress = field(default_factory=VoidProgress)
    apply: VoidProgress = field(default_factory=VoidProgress)

    def chunks(self, campaign: Campaign) -> Chunks:
        """The chunks of what it reads: those of the campaign, or one."""
        if self.pinned is not None:
            return Chunks(self.data_start, self.pinned.size, max(self.pinned.size, _CHUNK_LEAST))
        return campaign.chunks

    def progress(self, work: Pass) -> VoidProgress:
        """The sums of the receipts of a pass."""
        return self.plan if work is Pass.PLAN else self.apply

    @property
    def is_running(self) -> bool:
        """Whether something may be written for it."""
        return self.state is VoidState.VOIDING

    def moved(self, state: VoidState, reason: str) -> "Void":
        """The void in another state; what was sent of its chunks was of the pass before."""
        return replace(self, state=state, state_reason=reason, changes=self.changes + 1)

    @property
    def plan_hash(self) -> str:
        """SHA-256, in hexadecimal, of all that the void will do: what an approval names."""
        totals = self.plan.totals
        content = {
            "void": str(self.id),
            "reason": self.reason,
            "requested_by": self.requested_by,
            "opened_at": format_instant(self.opened_at),
            "file": None if self.pinned is None else [self.pinned.key, self.pinned.version_id],
            "lines": totals.lines,
            "unmatched": totals.unmatched,
            "decisions": totals.decisions,
            "sums": [[share.value, measure, str(size)] for (share, measure), size in sorted(totals.sums.items())],
            **({} if self.ends is None else {"ends": self.ends.value}),
            **({"overpaid": True} if self.is_of_overpaid else {}),
            **({"at_biller": self._asked_content()} if self.asks_biller else {}),
            **({"notices": totals.notices} if totals.notices else {}),
        }
        return sha256(canonical_json(content).encode()).hexdigest()

    def _asked_content(self) -> list[list[str]]:
        asked = sorted(self.plan.totals.asked.items())
        return [[*place, str(number), str(size)] for place, (number, size) in asked]


_CHUNK_LEAST = 256


def void_entry(void: Void, places: tuple[int, ...]) -> CreditEntry:
    """What a void writes of a decision: the same however often. Its id leads to the void's record, which says why."""
    if void.started_at is None:
        raise ValueError("a void writes after it was approved")
    return CreditEntry(EntryKind.VOIDED, void.started_at, void.requested_by, entry_id(void), places)


def entry_id(void: Void) -> str:
    """By what a void knows its own entries."""
    return f"void/{void.id.campaign.seq}/{void.id.name}"


def void_named_by(entry_id_: str, incident_id: str) -> VoidId | None:
    """The void that wrote an entry about a decision of an incident; None where the entry's id is no void's."""
    kind, *rest = entry_id_.split("/")
    if kind != "void" or len(rest) < _NAME_AND_SEQ or not rest[0].isdecimal():
        return None
    return VoidId(CampaignId(incident_id, int(rest[0])), rest[1])


_NAME_AND_SEQ = 2


def is_own(void: Void, entry: CreditEntry) -> bool:
    """Whether an entry is of a void; one of what was overpaid names its line, too."""
    own = entry_id(void)
    return entry.id == own or entry.id.startswith(f"{own}/")


def moved_of(void: Void, entry: Entry, entries: CreditEntries) -> dict[int, Moved]:
    """What a void moved of a decision between the sums of states, by place; the same however often it is asked."""
    own = [(at, one.benefits) for at, one in enumerate(entries) if one.id == entry_id(void)]
    granted = granted_benefits(entry) if own else ()
    return {place: moved_by(entries, at, place, granted[place]) for at, places in own for place in places}


def came_to(planned: Iterable[Part], moved: Mapping[int, Moved]) -> Iterator[Part]:
    """The parts of a decision once a void has taken of it what it could: voidable is voided by it, or has changed; what
    was to be asked back is asked back, or is not.
    """
    for part in planned:
        if part.share not in _OUTCOMES:
            yield part
            continue
        counted, done, left = _OUTCOMES[part.share]
        taken = moved[part.place].by_state.get(counted, 0) if part.place in moved else 0
        if taken:
            yield part._replace(share=done, size=taken)
        if taken < part.size:
            yield part._replace(share=left, size=part.size - taken)


_OUTCOMES: Mapping[Share, tuple[Counted, Share, Share]] = {
    Share.VOIDABLE: (CreditState.VOIDED, Share.VOIDED, Share.CHANGED),
    Share.ASKABLE: (OfWhich.ASKED_BACK, Share.ASKED, Share.NOT_ASKED),
}


def reversal_entry(void: Void, booked: Entry, entries: CreditEntries, parts: Iterable[Part]) -> CreditEntry | None:
    """What a void writes of a decision of which it asks something back: as much as was planned, and is still there.

    None where nothing is left of it. A void asks once for each benefit, whatever the biller answers. What was
    sent again since is another credit.
    """
    if void.started_at is None:
        raise ValueError("a void writes after it was approved")
    name, kind = entry_id(void), EntryKind.REVERSAL_ASKED
    asked = {place for one in entries if one.id == name and one.kind is kind for place in one.benefits}
    granted = granted_benefits(booked)
    sizes: dict[int, Size] = {}
    for part in parts:
        if part.share is Share.ASKABLE and part.place < len(granted) and part.place not in asked:
            _, size = worth_of(granted[part.place])
            stands = standing(entries, part.place, size)
            left = min(part.size, stands.askable(size)) if stands.delivery == part.delivery else 0
            if left > 0:
                sizes[part.place] = left
    if not sizes:
        return None
    places = tuple(sizes)
    return CreditEntry(kind, void.started_at, void.requested_by, name, places, sizes=tuple(sizes.values()))
