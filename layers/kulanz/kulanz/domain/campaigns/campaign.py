"""A campaign: one incident revision under one policy version over one pinned list, and the states it goes through."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fractions import Fraction
from math import ceil

from kulanz.domain.campaigns.limits import DEFAULT_LIMITS, Limits
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.identifiers import is_incident_id
from kulanz.domain.lists.header import ListLayout
from kulanz.domain.time import TIME_ZONES

ENGINE_VERSION = "3"
"""What decisions mean. It is raised when the same row under the same frozen policy would be decided differently, and
only then: a campaign is never continued by an engine with another version.

2: what an incident states fills in a fact of an account only where the policy says `from: incident`; a history counts
what began before the incident; a cap per month is worked out for each month; working days follow the calendar's own
weekend; cells are read by one table, and an account id has a shape.

3: `t` and `f` are words of a yes_no, too; a row of JSON that names a fact nearly as the policy does is rejected; a
subject whose earlier decisions changed while its plan waited is held."""

CHUNKS_PER_LIST = 20_000
CHUNK_BYTES_SMALLEST = 256
CAMPAIGNS_PER_INCIDENT = 999
LINES_PER_LIST = 125_000_000
FROZEN_BYTES = 300 * 1024
"""Of a frozen policy and its incident together; the DynamoDB item that holds them has at most 400 KB."""

_CAMPAIGN_ID = re.compile(r"([^/]+)/([1-9][0-9]{0,2})", re.ASCII).fullmatch


@dataclass(frozen=True, slots=True)
class CampaignId:
    """The n-th campaign of an incident; written `att-2024-02-22/1`."""

    incident_id: str
    seq: int

    def __str__(self) -> str:
        return f"{self.incident_id}/{self.seq}"

    @property
    def folder(self) -> str:
        """Where the bucket has what the campaign leaves behind: reports, problems of rows, what its plan read."""
        return f"campaigns/{self.incident_id}/{self.seq:03d}"

    @classmethod
    def parse(cls, text: str) -> "CampaignId":
        """Read `<incident id>/<seq>`. Raises ValueError, without the text, when it is anything else."""
        found = _CAMPAIGN_ID(text)
        if found is None or not is_incident_id(found[1]):
            raise ValueError("a campaign is written <incident id>/<number from 1 to 999>, e.g. att-2024-02-22/1")
        return cls(found[1], int(found[2]))


class Pass(StrEnum):
    """The two readings of a list: `plan` counts what `apply` will write."""

    PLAN = "plan"
    APPLY = "apply"


class State(StrEnum):
    """Where a campaign stands. `refused`, `rejected`, `closed` and `cancelled` end it; `awaiting_approval`, `paused`
    and `flagged` wait for a person.

    A closed campaign is flagged when its incident is withdrawn afterwards.
    """

    PLANNING = "planning"
    AWAITING_APPROVAL = "awaiting_approval"
    APPLYING = "applying"
    CLOSED = "closed"
    REFUSED = "refused"
    REJECTED = "rejected"
    PAUSED = "paused"
    FLAGGED = "flagged"
    CANCELLED = "cancelled"


BALANCED = "balanced"
"""The reason of a campaign that closed by itself: all that was planned is accounted for."""
KEPT = "kept_by_hand"
"""How the reason begins of a flagged campaign of which a person keeps all that it granted: it is delivered, too."""
ENDED = frozenset({State.REFUSED, State.REJECTED, State.CLOSED, State.CANCELLED})
CAN_BE_REPLANNED = frozenset({State.AWAITING_APPROVAL, State.PAUSED, State.REJECTED, State.CANCELLED})
"""The states from which a campaign's list can be planned again, as the next campaign of its incident."""

DELIVERABLE = frozenset({State.CLOSED, State.CANCELLED})
"""The states in which a delivery that was opened goes on. One opens for a closed campaign only; a person who ends a
flagged one as cancelled leaves what was assigned with the biller."""

STOPPED = frozenset({State.PAUSED, State.FLAGGED})
"""The states of a campaign with which something is wrong, until a person ends them."""
WAITING = STOPPED | {State.AWAITING_APPROVAL}
"""The states that nothing but a person ends."""

TRANSITIONS: dict[State, frozenset[State]] = {
    State.PLANNING: frozenset({State.AWAITING_APPROVAL, State.REFUSED, State.PAUSED, State.CANCELLED}),
    State.AWAITING_APPROVAL: frozenset(  # with each approval but the last it stays where it is
        {State.AWAITING_APPROVAL, State.APPLYING, State.REJECTED, State.REFUSED, State.CANCELLED}
    ),
    State.APPLYING: frozenset({State.CLOSED, State.FLAGGED, State.PAUSED, State.CANCELLED}),
    State.PAUSED: frozenset({State.PLANNING, State.APPLYING, State.FLAGGED, State.CANCELLED}),
    State.FLAGGED: frozenset({State.CLOSED, State.CANCELLED}),
    State.CLOSED: frozenset({State.FLAGGED}),
    State.REFUSED: frozenset(),
    State.REJECTED: frozenset(),
    State.CANCELLED: frozenset(),
}

WORKABLE: dict[State, Pass] = {State.PLANNING: Pass.PLAN, State.APPLYING: Pass.APPLY}
"""The pass whose chunks may be worked in a state; in every other state a chunk message is acknowledged unread."""


@dataclass(frozen=True, slots=True)
class Chunks:
    """The frozen bounds of a list's chunks: equal spans of bytes from the first data line to the end of the list."""

    data_start: int
    size: int
    chunk_bytes: int

    def __post_init__(self) -> None:
        if not 0 <= self.data_start < self.size:
            raise ValueError("a list has at least one byte after its header")
        if self.chunk_bytes < CHUNK_BYTES_SMALLEST:
            raise ValueError(f"chunks have at least {CHUNK_BYTES_SMALLEST} bytes")
        if len(self) > CHUNKS_PER_LIST:
            raise ValueError(f"a list has at most {CHUNKS_PER_LIST} chunks; raise ChunkBytes")

    def __len__(self) -> int:
        return ceil(Fraction(self.total_bytes, self.chunk_bytes))

    def bounds(self, chunk: int) -> tuple[int, int]:
        """The half-open span of bytes in which the lines of `chunk` start."""
        if not 0 <= chunk < len(self):
            raise ValueError(f"chunk {chunk} of {len(self)}")
        start = self.data_start + chunk * self.chunk_bytes
        return start, min(start + self.chunk_bytes, self.size)

    @property
    def total_bytes(self) -> int:
        """What the receipts of a finished pass add up to."""
        return self.size - self.data_start


@dataclass(frozen=True, slots=True)
class PinnedList:
    """One version of one object in the list bucket; nothing uploaded later changes what a campaign reads."""

    bucket: str
    key: str
    version_id: str
    etag: str
    size: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a chunk's pass has come: every line that starts before `position` has its receipt."""

    position: int
    finished: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """The record that the lines in `[start, end)` are finished, with their classes and sums.

    `start` and `end` lie on line starts (or the end of the list), so that receipts tile the list. `moved_from` is where
    the chunk's cursor stood; it is None for the chunk's first receipt. A chunk in which no line starts has the receipt
    `[b, b)` of its upper bound. `read` is the digest of what the plan read about the subjects of its lines, where it
    read anything. `measured` is what the plan pass measured beside its totals; None in the apply pass. `stretches` are
    what the apply pass compares itself with; they tile the range of a plan's receipt.
    """

    campaign: CampaignId
    work: Pass
    chunk: int
    start: int
    end: int
    moved_from: int | None
    finishes_chunk: bool
    totals: Totals
    read: str = ""
    measured: Measured | None = None
    stretches: tuple[Stretch, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """What the receipts of one pass add up to. `sent`: the chunks below it were sent since the last change of state."""

    bytes_done: int = 0
    sent: int = 0
    totals: Totals = field(default_factory=Totals)


@dataclass(frozen=True, slots=True)
class Cause:
    """Who changes something and why: the function, the id of the event it acts on, and the version of its code."""

    actor: str
    event_id: str
    code_version: str


OTHERS_NAMED = 20
"""Campaigns of other incidents that a log line names of each kind, and of which the state is looked at."""


@dataclass(frozen=True, slots=True)
class SameOutage:
    """Campaigns of other incidents over a campaign's windows and service: with its list, and with another.

    `is_whole`: these are all, and not the first ones.
    """

    same_list: tuple[CampaignId, ...]
    other_list: tuple[CampaignId, ...]
    is_whole: bool

    def named(self) -> "SameOutage":
        """At most `OTHERS_NAMED` of each kind."""
        same, other = self.same_list[:OTHERS_NAMED], self.other_list[:OTHERS_NAMED]
        return SameOutage(same, other, self.is_whole and (same, other) == (self.same_list, self.other_list))


@dataclass(frozen=True, slots=True)
class StateChange:
    """One line of a campaign's log. `source` is None for the line that opens it.

    `others` is what a complete plan found under its outage, of other incidents; None in every other line. `decides_by`
    is the decision digest of the amended incident with which a person lets a paused campaign go on; empty else.
    """

    number: int
    at: datetime
    source: State | None
    target: State
    reason: str
    cause: Cause
    others: SameOutage | None = None
    decides_by: str = ""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign as its META record tells it; all but state, reason, log_count, announced and progress is immutable.

    `follows` are the earlier campaigns of its incident whose grants it sets off; its policy `adds` to those of others,
    or replaces them. It `keeps_history` where its policy
    keeps facts of the past. `subject` is the column that names what it decides about; empty for accounts.
    `ignored_columns` are those that the request says are meant to be read by nobody. `outage` is the digest of its
    service and windows (empty where it was opened before campaigns were listed by it), and `same_outage_as` are the
    incidents that the request says may pay for the same outage, too. `persons_asked` is how many persons its
    policy asks to approve the plan; 0 where it asks for none.
    """

    id: CampaignId
    incident_revision: int
    policy_id: str
    policy_version: int
    policy_hash: str
    engine: str
    time_zones: str
    pinned: PinnedList
    layout: ListLayout
    chunks: Chunks
    rows_announced: int
    decided_at: datetime
    decidable_until: datetime
    request_digest: str
    opened_by: str
    follows: tuple[int, ...] = ()
    adds: bool = False
    keeps_history: bool = False
    subject: str = ""
    limits: Limits = DEFAULT_LIMITS
    ignored_columns: tuple[str, ...] = ()
    outage: str = ""
    same_outage_as: tuple[str, ...] = ()
    persons_asked: int = 0
    state: State = State.PLANNING
    state_reason: str = ""
    log_count: int = 0
    announced: str = ""
    plan: Progress = field(default_factory=Progress)
    apply: Progress = field(default_factory=Progress)

    def is_dispatched(self, work: Pass) -> bool:
        """Whether every chunk of a pass was sent since the last change of state."""
        return self.progress(work).sent >= len(self.chunks)

    def progress(self, work: Pass) -> Progress:
        """The sums of the receipts of a pass."""
        return self.plan if work is Pass.PLAN else self.apply

    @property
    def report_name(self) -> str:
        """The name of a state with its figures, of which each is announced once: both only grow."""
        return f"{self.log_count:06d}-{self.plan.bytes_done + self.apply.bytes_done:015d}"

    def planned_otherwise(self) -> str:
        """Why the code that runs may not go on with this campaign, as `<reason>: <what differs>`; empty where it may.

        Its plan was made with another engine, or with another release of the time-zone database: the same row could
        come to something else than was planned.
        """
        if self.engine != ENGINE_VERSION:
            return f"engine_changed: planned by engine {self.engine}, running is {ENGINE_VERSION}"
        if self.time_zones != TIME_ZONES:
            return f"time_zones_changed: planned with time zones {self.time_zones}, running are {TIME_ZONES}"
        return ""

    def change(self, target: State, reason: str, cause: Cause, now: datetime) -> StateChange:
        """The log line of a move to `target`. Raises ValueError when that move does not exist."""
        if target not in TRANSITIONS[self.state]:
            raise ValueError(f"a campaign does not go from {self.state} to {target}")
        return StateChange(self.log_count + 1, now, self.state, target, reason, cause)

    def is_finished(self, work: Pass) -> bool:
        """Whether the receipts of a pass cover every byte of the list."""
        return self.progress(work).bytes_done == self.chunks.total_bytes


@dataclass(frozen=True, slots=True)
class Frozen:
    """What a campaign decides by, fixed when it was opened: the policy with its parameters, the incident's facts."""

    policy: bytes
    incident: bytes
