"""A decision as it stands in the ledger: its permanent key, its immutable body, and how two of them compare."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NotRequired, Self, TypedDict

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import WriteResult, worth_of
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Outcome
from kulanz.domain.ledger.hand_decision import CaseKind, HandDecision
from kulanz.domain.policy.deciding.history import (
    NO_HISTORY,
    HistoryKey,
    HistoryValues,
    SubjectHistory,
    history_content,
    values_of_history,
)

BODY_VERSION = 1
ITEM_BYTES = 1024
"""One write unit of DynamoDB pays for an item of up to 1 KB."""
BODIES_REMEMBERED = 1_024
"""Of at most some 2 KB each; what they come to is never changed."""
WRITER_LIFE = timedelta(hours=24)
"""More than a worker can live, queue delays and clock differences included."""

_KEY = re.compile(r"ACCOUNT#([^#/]+)/DECISION#([^#/]+)#([^#/]+)#([0-9]{3})", re.ASCII).fullmatch


class StoredBenefit(TypedDict, total=False):
    """One thing owed: `money` as [minor units, currency], or `units` as [quantity, unit], and its terms."""

    money: tuple[int, str]
    units: tuple[str, str]
    restriction: str
    valid: Mapping[str, str]
    due: str
    terms: Mapping[str, str]
    component: str


class NoticeAsked(TypedDict):
    """The notice the policy asks for; amounts are not repeated, they are the decision's benefits."""

    kind: str
    locale: str
    channel: str
    values: NotRequired[Mapping[str, str]]


class StoredBill(TypedDict, total=False):
    """How billing books what a person gave, as the discretion file had it; what that did not say is left out."""

    text: str
    reason_code: str
    treatment: str
    ledger_account: str


class StoredByHand(TypedDict):
    """What stands beside a decision that a person made: `kind` is `goodwill`. `persons` is how many agreed.

    `title` is that of its reason, and `bill` how billing books it. `about` is an incident, `repeat_of` an earlier one
    that is repeated on purpose.
    """

    kind: str
    title: str
    persons: int
    about: NotRequired[str]
    ticket: NotRequired[str]
    repeat_of: NotRequired[str]
    bill: NotRequired[StoredBill]


class StoredFormer(TypedDict):
    """The id that an account had before, and since when it has its present one."""

    account: str
    since: str


class DecisionContract(TypedDict):
    """The immutable body of a decision in CreditsTable, as JSON text in the attribute `body`.

    `went_to` is the present id of an account, where the decision stands under a former one. `was` and `went_to` stand
    behind all other names.
    """

    v: int
    campaign: str
    engine: str
    policy: str
    row: str
    outcome: Outcome
    reason: str
    mode: NotRequired[str]
    benefits: NotRequired[list[StoredBenefit]]
    claimable: NotRequired[list[StoredBenefit]]
    notice: NotRequired[NoticeAsked]
    claim_until: NotRequired[str]
    earlier: NotRequired[Mapping[str, str]]
    history: NotRequired[Mapping[str, int | str | list[tuple[str, str]]]]
    by_hand: NotRequired[StoredByHand]
    was: NotRequired[StoredFormer]
    went_to: NotRequired[str]


@dataclass(frozen=True, slots=True)
class DecisionKey:
    """The natural key of a decision; it is never reused."""

    account_id: str
    incident_id: str
    subject: str
    seq: int

    @property
    def partition(self) -> str:
        """The account's partition in the ledger."""
        return f"ACCOUNT#{self.account_id}"

    @property
    def place(self) -> str:
        """The decision's place in the account's partition."""
        return f"DECISION#{self.incident_id}#{self.subject}#{self.seq:03d}"

    @property
    def campaign(self) -> CampaignId:
        """The campaign that decided."""
        return CampaignId(self.incident_id, self.seq)

    def __str__(self) -> str:
        return f"{self.partition}/{self.place}"

    @classmethod
    def parse(cls, partition: str, place: str) -> "DecisionKey":
        """Read a key back from storage. Raises ValueError when it is not a decision's."""
        found = _KEY(f"{partition}/{place}")
        if found is None:
            raise ValueError("not the key of a decision")
        return cls(found[1], found[2], found[3], int(found[4]))


@dataclass(frozen=True, slots=True)
class Entry:
    """A decision as it is stored. `body` never changes; the rest says when it was first written and what is left of it.

    `remaining` holds one number per benefit (minor units of money, or a quantity; None is unlimited). `origin` is the
    byte offset of the row in the pinned list. `ttl` (seconds since 1970) only allows deletion and decides nothing.
    `accepted_at` is when the customer accepted what the decision offers or leaves to claim: what was claimable is
    granted, and left, beside the rest from then on. `voided` is how much was taken back of each benefit, by its place;
    it was never used. `by_hand` is what a person decided since about what was held or referred.
    `is_asked_back`: a void asked the biller for some of it, and the biller has not answered. `written_off` is how much
    of each benefit finance gave up, by its place: it stands, and never reached a bill.
    """

    key: DecisionKey
    body: str
    status: Outcome
    remaining: tuple[int | Decimal | None, ...]
    effective_at: datetime
    expires_at: datetime | None
    ttl: int
    origin: int
    accepted_at: datetime | None = None
    voided: tuple[tuple[int, int | Decimal], ...] = ()
    by_hand: HandDecision | None = None
    is_asked_back: bool = False
    written_off: tuple[tuple[int, int | Decimal], ...] = ()


def is_offer(entry: Entry) -> bool:
    """Whether something of a decision is the customer's to accept, or was."""
    decision = read_decision(entry.body)
    return decision.outcome is Outcome.OFFERED or bool(decision.claimable)


def is_taken(entry: Entry) -> bool:
    """Whether the customer has accepted what a decision offers."""
    is_granted = entry.status is Outcome.GRANTED
    return entry.accepted_at is not None or (is_granted and read_decision(entry.body).outcome is Outcome.OFFERED)


def granted_benefits(entry: Entry) -> tuple[Benefit, ...]:
    """What is granted by a decision as it stands: at once, and what was claimable once it was accepted."""
    return benefits_granted(entry, read_decision(entry.body)) if entry.status is Outcome.GRANTED else ()


def net_worth(entry: Entry) -> dict[str, int | Decimal]:
    """What a decision as it stands grants less what was voided of it, by measure.

    A measure of which all was voided is zero: it was granted once, and can be set off.
    """
    voided = dict(entry.voided)
    found: dict[str, int | Decimal] = {}
    for place, benefit in enumerate(granted_benefits(entry)):
        measure, size = worth_of(benefit)
        found[measure] = found.get(measure, 0) + size - voided.get(place, 0)
    return found


def written_off_worth(entry: Entry) -> dict[str, int | Decimal]:
    """How much finance gave up of what a decision grants, by measure."""
    written_off = dict(entry.written_off)
    found: dict[str, int | Decimal] = {}
    for place, benefit in enumerate(granted_benefits(entry) if written_off else ()):
        if place in written_off:
            measure, _ = worth_of(benefit)
            found[measure] = found.get(measure, 0) + written_off[place]
    return found


def is_voided(entry: Entry) -> bool:
    """Whether everything that a decision had granted was voided."""
    return bool(entry.voided) and entry.status is Outcome.GRANTED and not any(net_worth(entry).values())


def benefits_granted(entry: Entry, decision: Decision) -> tuple[Benefit, ...]:
    """The same for whoever has read the decision of the entry's body."""
    if entry.status is not Outcome.GRANTED:
        return ()
    if entry.by_hand is not None:
        return (*_at_once(decision), *entry.by_hand.decision.benefits)
    return decision.benefits if entry.accepted_at is None else (*decision.benefits, *decision.claimable)


def _at_once(decision: Decision) -> tuple[Benefit, ...]:
    """What a decision's body grants with no further act of anybody."""
    return decision.benefits if decision.outcome is Outcome.GRANTED else ()


def granted_at(entry: Entry, decision: Decision, place: int) -> datetime:
    """When the benefit at a place was granted: at once, by a person, or when the customer accepted it.

    `decision` is that of the entry's body.
    """
    if place < len(_at_once(decision)):
        return entry.effective_at
    if entry.by_hand is not None:
        return entry.by_hand.at
    return entry.accepted_at or entry.effective_at


def is_of_rejected_row(entry: Entry) -> bool:
    """Whether a person recognised whose a row is that cannot be read: no pass over the list wrote its decision."""
    hand = entry.by_hand
    return hand is not None and hand.row is not None and hand.row.kind is CaseKind.REJECTED


def decision_body(
    campaign: CampaignId,
    engine: str,
    policy_hash: str,
    row_digest: str,
    decision: Decision,
    earlier: Mapping[str, str] | None = None,
    kept: HistoryValues = NO_HISTORY,
) -> str:
    """The immutable body of a decision as canonical JSON: keys sorted, no spaces, no instant of the writer's clock.

    `earlier` is what earlier campaigns of the incident had granted, by measure, where it was set off. `kept` is what
    was read of the subject's earlier incidents.
    """
    body = {
        "v": BODY_VERSION,
        "campaign": str(campaign),
        "engine": engine,
        "policy": policy_hash,
        "row": row_digest,
        **decision.to_body(),
        **({"earlier": dict(earlier)} if earlier else {}),
        **({"history": history_content(kept)} if kept else {}),
    }
    return canonical_json(body)


def row_hash(offset: int, body: str) -> int:
    """The 128 bits by which a decided row, at its place in the list, enters the digest of a range."""
    return int.from_bytes(blake2b(b"%d:%b" % (offset, body.encode()), digest_size=16).digest())


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The instants of a decision written at `effective_at`: when its benefits end, and when it may be deleted."""

    effective_at: datetime
    expires_at: datetime | None
    ttl: int

    @classmethod
    def of(cls, decision: Decision, now: datetime, keep_until: datetime) -> Self:
        """The lifetime of a decision written at `now` that is kept at least until `keep_until`.

        An offer ends with the time to accept it; its benefits' own time begins when it is accepted.
        """
        if decision.outcome is Outcome.OFFERED:
            until = decision.claim_until
            kept = keep_until if until is None else max(keep_until, until)
            return cls(now, until, _purge_at(kept))
        if decision.claimable and decision.claim_until is not None:
            keep_until = max(keep_until, decision.claim_until)
        expiries = [benefit.validity.expires_at(now) for benefit in decision.benefits]
        known = [expiry for expiry in expiries if expiry is not None]
        expires_at = max(known) if known and len(known) == len(expiries) else None
        return cls(now, expires_at, _purge_at(max([keep_until, *known])))


def _purge_at(kept_until: datetime) -> int:
    """As seconds since 1970, because "no end" is often written as the calendar's last day."""
    return int(kept_until.timestamp()) + int(WRITER_LIFE.total_seconds())


def remaining_of(benefits: Iterable[Benefit]) -> tuple[int | Decimal | None, ...]:
    """What is left of benefits that nobody has used: minor units of money, or a quantity; None is unlimited."""
    return tuple(None if benefit.quantity == UNLIMITED else worth_of(benefit)[1] for benefit in benefits)


def new_entry(key: DecisionKey, origin: int, body: str, decision: Decision, lifetime: Lifetime) -> Entry:
    """The entry a worker writes for the row at byte `origin`."""
    return Entry(
        key=key,
        body=body,
        status=decision.outcome,
        remaining=remaining_of(decision.benefits),
        effective_at=lifetime.effective_at,
        expires_at=lifetime.expires_at,
        ttl=lifetime.ttl,
        origin=origin,
    )


def entry_like(other: Entry, key: DecisionKey, origin: int, body: str) -> Entry:
    """The entry of another row that came to the same decision, written at the same instant as `other`."""
    return Entry(key, body, other.status, other.remaining, other.effective_at, other.expires_at, other.ttl, origin)


def decided_by_hand(held: Entry, hand: HandDecision) -> Entry:
    """What a decision becomes when a person decides its case. It is kept as long from then on as before.

    What was granted stays granted, and what the person grants stands beside it.
    """
    decision = hand.decision
    kept_until = hand.at + (datetime.fromtimestamp(held.ttl, UTC) - held.effective_at)
    lifetime = Lifetime.of(decision, hand.at, kept_until)
    if held.status is Outcome.GRANTED:
        ends = (held.expires_at, lifetime.expires_at if decision.benefits else held.expires_at)
        return replace(
            held,
            remaining=(*held.remaining, *remaining_of(decision.benefits)),
            expires_at=None if ends[0] is None or ends[1] is None else max(ends[0], ends[1]),
            ttl=max(held.ttl, lifetime.ttl),
            by_hand=hand,
        )
    return replace(
        held,
        status=decision.outcome,
        remaining=remaining_of(decision.benefits),
        effective_at=hand.at,
        expires_at=lifetime.expires_at,
        ttl=max(held.ttl, lifetime.ttl),
        by_hand=hand,
    )


@dataclass(frozen=True, slots=True)
class HistoryChange:
    """A subject's history as it was read, and as a decision leaves it."""

    key: HistoryKey
    before: SubjectHistory
    after: SubjectHistory

    def ttl(self, entry: Entry) -> int:
        """When it may be deleted, in seconds since 1970: not while anything of it counts, nor before the decision."""
        ends_at = self.after.ends_at()
        return max(entry.ttl, 0 if ends_at is None else _purge_at(ends_at))


@dataclass(frozen=True, slots=True)
class EntryWithHistory:
    """A decision with what it changes of its subject's history, written in one step or not at all."""

    entry: Entry
    change: HistoryChange


@dataclass(frozen=True, slots=True)
class EntryWithFormer:
    """A decision with what takes the places under other ids of its account, and what it changes of histories, in one
    step.

    `changes` are of the histories that it was decided with: one that stays as it is only gets another version, so that
    nobody adds to it beside this.
    """

    entry: Entry
    former: tuple[Entry, ...]
    changes: tuple[HistoryChange, ...] = ()


class HistoryMoved(Enum):
    """What became of an entry whose subject's history somebody else had changed: nothing; read it and decide again."""

    MOVED = "moved"


def judge(mine: Entry, stored: Entry) -> WriteResult:
    """What it means that `stored` already stands under the key of `mine`.

    ALREADY: this row's own earlier write, whose reply was lost or whose message came again. DUPLICATE: the list names
    the subject again with the same facts. CONFLICT: anything else; the stored decision stays as it is.
    """
    if mine.body != stored.body and _identity(mine.body) != _identity(stored.body):
        return WriteResult.CONFLICT
    return WriteResult.ALREADY if mine.origin == stored.origin else WriteResult.DUPLICATE


def _identity(body: str) -> tuple[Any, ...]:
    content = json.loads(body)
    return tuple(content.get(name) for name in ("campaign", "policy", "row"))


_ROW = '"row":"'
"""Its last one is the body's own: behind it no name stands that a policy gives, and no text holds a bare quote."""


def row_digest_of(body: str) -> str:
    """The digest of the row that a stored body was decided from, as `Record.digest` makes it."""
    _, mark, rest = body.rpartition(_ROW)
    return rest.partition('"')[0] if mark else ""


def without_digest(body: str) -> str:
    """A stored body without the digest of its row: most bodies of a list differ in it alone. It is JSON like the body,
    and reads as the same decision.
    """
    head, mark, rest = body.rpartition(_ROW)
    return f'{head}{mark}"{rest.partition('"')[2]}' if mark else body


def is_expired(entry: Entry, now: datetime) -> bool:
    """Whether the benefit has ended at `now`: the clock decides, half-open, whatever is still stored."""
    return entry.expires_at is not None and now >= entry.expires_at


def read_decision(body: str) -> Decision:
    """The decision inside a stored body."""
    return _read_decision(without_digest(body))


@lru_cache(BODIES_REMEMBERED)
def _read_decision(body: str) -> Decision:
    return Decision.from_body(json.loads(body))


def history_read(body: str) -> HistoryValues:
    """What had been kept of the subject's earlier incidents when this body was decided, as far as it was read."""
    return values_of_history(json.loads(body).get("history", {}))


def earlier_grants(body: str) -> Mapping[str, str]:
    """What earlier campaigns of the incident had granted when this body was decided, by measure."""
    earlier: Mapping[str, str] = json.loads(body).get("earlier", {})
    return earlier
