"""What the use cases need of the world. Each port has an adapter over AWS, an in-memory fake and one contract suite.

Errors every port may raise: `TryAgain` when the same call may succeed later (the caller lets its message be delivered
again), and `Refused` for what a repetition cannot mend. A call that raised may have taken effect: every port is safe to
call again with the same arguments.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from kulanz.domain.campaigns.campaign import (
    Campaign,
    CampaignId,
    Cursor,
    Frozen,
    Pass,
    PinnedList,
    Receipt,
    State,
    StateChange,
)
from kulanz.domain.campaigns.same_outage import OutageCampaign
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.confirmation import Confirmation, Tables
from kulanz.domain.gate.approval import Action
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.gate.settings import Spent, SpentPlace
from kulanz.domain.incident_record import IncidentRecord, Revision
from kulanz.domain.ledger.entries import DecisionKey, Entry, EntryWithHistory, HistoryMoved
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory

if TYPE_CHECKING:
    from kulanz.domain.audit import AuditEntry
    from kulanz.domain.halt import Halt, HaltAction
    from kulanz.domain.ledger.additions import Addition
    from kulanz.domain.notices import NoticeMessage
    from kulanz.domain.people.people import People


class TryAgain(Exception):
    """The world did not answer as it will: a throttle, a lost connection, a conflict of transactions."""


class Refused(Exception):
    """What was asked cannot be done, however often it is tried."""


class ListMissing(Exception):
    """The named list, or the named version of it, does not exist or may not be read."""


class PinnedVersionGone(Exception):
    """The version of the list that a campaign pinned was deleted."""


class PolicyMissing(Exception):
    """No policy of that id and version has been published."""


class PolicySealed(Refused):
    """That version of a policy has been published with other content, which stands."""


class PublishingForbidden(Refused):
    """Whoever asked may not publish policies."""


class Outdated(Exception):
    """A conditional write found that somebody else had written first; read again and decide anew."""


ATTEMPTS_AGAINST_OTHERS = 5
"""How often a write is decided anew because somebody else was first; then it is for whoever asked to try again."""


class ListStore(Protocol):
    """The lists of affected accounts, in versioned storage."""

    def pin(self, bucket: str, key: str, version_id: str | None) -> PinnedList:
        """The current version (or the named one) of a list. Raises ListMissing.

        A list in parts is pinned by its manifest; a manifest that cannot be read raises ListRefused.
        """

    def read(self, pinned: PinnedList, start: int, stop: int | None = None) -> Iterator[bytes]:
        """The bytes from `start` to `stop` (default: the end) of exactly the pinned version, in bounded blocks, lazily.

        Raises PinnedVersionGone, also while iterating; TryAgain when the connection fails; ListRefused where a part is
        not what its manifest says.
        """

    def put_inline(self, key: str, content: bytes) -> PinnedList:
        """Store a list that came inside an event, once: a second call with the same key returns the first version."""


@dataclass(frozen=True, slots=True)
class PublishedPolicy:
    """A version of a policy that campaigns can be opened under."""

    policy_id: str
    version: int
    published_at: datetime


class PolicyStore(Protocol):
    """Published policies; a published version never changes."""

    def fetch(self, policy_id: str, version: int) -> bytes:
        """The canonical JSON of a policy. Raises PolicyMissing."""

    def is_replaced(self, policy_id: str, version: int) -> bool:
        """Whether a version was written more than once, or hidden and written again: past what protects it."""


class PolicyShelf(PolicyStore, Protocol):
    """Where policies are published, with their examples. Whatever decides needs no more than a PolicyStore."""

    def publish(self, policy_id: str, version: int, content: bytes, by: str = "") -> bool:
        """Publish a version, once: of several publishers at a time one writes it, and the others find it written.

        True when this call published it, False when the same content stands. Raises PolicySealed for other content,
        and PublishingForbidden. `by` is who publishes, for the audit log.
        """

    def publish_examples(self, policy_id: str, version: int, content: bytes, by: str = "") -> bool:
        """Publish the worked examples of a version, a list as JSON, once.

        Whether they stand now; False where other examples were published before. Raises PublishingForbidden.
        """

    def examples(self, policy_id: str, version: int) -> bytes | None:
        """The worked examples of a version. None where none are published.

        None also where the object has more than MAX_EXAMPLES_BYTES, which `kulanz policy publish` never writes.
        """

    def published(self) -> Iterator[PublishedPolicy]:
        """Every published version, by id and then by version."""


class PeopleSealed(Refused):
    """That version of the people file has been published with other content, which stands."""


class PeopleStore(Protocol):
    """The people file. A published version never changes; the highest one holds."""

    def current(self) -> "People":
        """The version that holds now, read consistently; NOBODY_LISTED where none was published.

        Raises Refused where it is not a people file: then nobody is known to be a person.
        """


class PeopleShelf(PeopleStore, Protocol):
    """Where the people file is published; no function of the stack needs more than `current`."""

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        """Publish a version, once, as `by` says. True when this call published it, False when the same content stands.

        Raises PeopleSealed for other content, and PublishingForbidden.
        """


@dataclass(frozen=True, slots=True)
class KeptRequest:
    """A campaign request that waits until no worker of the incident's ended campaigns can write.

    `event` is its EventBridge envelope as JSON text; `after` is the campaign that it waits for.
    """

    incident_id: str
    request_digest: str
    opens_at: datetime
    after: CampaignId
    event: str


@dataclass(frozen=True, slots=True)
class Start:
    """What the start of an execution is conditional on, in its own step.

    `incident` is the record as it was read: a revision that came since makes the start fail. `spent` are the sums of
    automatic executions, as they were read, to which this execution is added; empty where persons approved it.
    """

    incident: IncidentRecord
    spent: tuple[Spent, ...] = ()


@dataclass(frozen=True, slots=True)
class AtTheGate:
    """What is written in one step with a change of state: a filed plan, a person's action, the start of an execution.

    `start` comes with `plan` where the plan executes automatically, and with `action` where that was the last approval.
    """

    plan: FiledPlan | None = None
    action: Action | None = None
    start: Start | None = None


NOTHING_MORE = AtTheGate()


def must_begin_at_the_gate(before: Campaign, change: StateChange, gate: AtTheGate) -> None:
    """Raise AssertionError where an execution would begin or go on without its conditions, or another change has them.

    One that goes on was approved before; it is still conditional on the incident's record.
    """
    begins = before.state in (State.AWAITING_APPROVAL, State.PAUSED) and change.target is State.APPLYING
    if begins is not (gate.start is not None):
        raise AssertionError("an execution begins or goes on with its start, and nothing else has one")


class CampaignStore(Protocol):
    """Incidents and campaigns: the control plane. Every write is conditional on what its caller had read."""

    def incident(self, incident_id: str) -> IncidentRecord | None:
        """The incident's record, read consistently."""

    def revisions(self, incident_id: str) -> list[Revision]:
        """The recorded revisions of an incident, lowest first."""

    def revision(self, incident_id: str, number: int) -> Revision | None:
        """One recorded revision of an incident, read consistently."""

    def record_revision(self, before: IncidentRecord | None, after: IncidentRecord, revision: Revision) -> None:
        """Write a revision and move the incident's record from `before` to `after`. Raises Outdated."""

    def open(
        self, before: IncidentRecord, after: IncidentRecord, campaign: Campaign, frozen: Frozen, change: StateChange
    ) -> None:
        """Create a campaign, list it under its outage and occupy its incident, in one step. Raises Outdated."""

    def over_outage(self, outage: str) -> Iterator[OutageCampaign]:
        """The campaigns of all incidents over an outage, by incident, lazily and read consistently."""

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        """A campaign with the sums of its receipts, read consistently."""

    def state_of(self, campaign_id: CampaignId) -> State | None:
        """The state that a campaign is in, read consistently: what a worker looks at every second."""

    def frozen(self, campaign_id: CampaignId) -> Frozen:
        """What a campaign decides by."""

    def cursor(self, campaign_id: CampaignId, work: Pass, chunk: int) -> Cursor | None:
        """How far a chunk has come, read consistently; None when it has not begun."""

    def finished_chunks(self, campaign_id: CampaignId, work: Pass) -> set[int]:
        """The chunks whose pass is finished, read consistently."""

    def record_receipt(self, receipt: Receipt) -> bool:
        """Write a receipt, move its chunk's cursor and add to the campaign's sums, in one step.

        False when the cursor stands elsewhere: another worker was first, and this one's counts are void. A repetition
        of a receipt that was recorded is True.
        """

    def receipts(
        self, campaign_id: CampaignId, work: Pass, start: int = 0, stop: int | None = None
    ) -> Iterator[Receipt]:
        """The receipts of a pass that start in the bytes `[start, stop)`, by where they start, read consistently."""

    def change_state(self, before: Campaign, change: StateChange, gate: AtTheGate = NOTHING_MORE) -> None:
        """Move a campaign's state, log it, and let the incident know (applied, or free again). Raises Outdated.

        An execution begins only with a `gate.start`: from nothing else does a waiting plan come to its apply pass.
        While the stack is halted no campaign comes to its apply pass, nor back to it.
        """

    def filed_plan(self, campaign_id: CampaignId) -> FiledPlan | None:
        """The plan that a campaign filed for approval, read consistently; None where none is filed."""

    def actions(self, campaign_id: CampaignId) -> list[Action]:
        """The approvals and rejections of a campaign's plan, by their ids, read consistently."""

    def spent(self, place: SpentPlace) -> Spent:
        """What automatic executions of a month, or of an incident, add up to, read consistently."""

    def mark_dispatched(self, campaign: Campaign, work: Pass, sent: int) -> None:
        """Note that the chunks of the pass below `sent` were sent while the campaign was in the state that was read.

        After a further change of state they count as not sent: messages that met a campaign at rest are gone.
        """

    def mark_announced(self, campaign: Campaign, announced: str) -> None:
        """Note which state and figures have been announced; a campaign that has ended is open no more.

        Raises Outdated where it has ended and has changed its state since it was read.
        """

    def log(self, campaign_id: CampaignId) -> list[StateChange]:
        """The state changes of a campaign, first to last."""

    def waiting(self) -> list[CampaignId]:
        """The campaigns of all incidents that wait for a person, read consistently: in a state of `WAITING`, or in
        trouble."""

    def campaigns_of(self, incident_id: str) -> list[Campaign]:
        """The campaigns of an incident, first to last."""

    def halt(self) -> "Halt":
        """The halt of the stack, read consistently: what a worker looks at every second."""

    def change_halt(self, before: "Halt", after: "Halt", action: "HaltAction") -> None:
        """Move the halt's record from `before` to `after` and keep the action that did it. Raises Outdated."""

    def keep_request(self, request: KeptRequest) -> None:
        """Keep a campaign request that must wait; the same request again replaces the one that is kept."""

    def kept_requests(self) -> Iterator[KeptRequest]:
        """The requests that are kept, of all incidents, lazily and read consistently."""

    def forget_request(self, request: KeptRequest) -> None:
        """Keep a request no longer. Safe to repeat; one that was kept anew until another instant stays."""


INDEXED_PER_PAGE = 100


@dataclass(frozen=True, slots=True)
class Page[Found]:
    """Some of what an index has, in the order of time. `after` goes on behind it; empty where this was the rest."""

    found: tuple[Found, ...]
    after: str


@dataclass(frozen=True, slots=True)
class Indexed[Id]:
    """What an index names, and the instant it stands under."""

    at: datetime
    id: Id


@dataclass(frozen=True, slots=True)
class OpenCampaign:
    """A campaign that has not ended, or whose end was not announced. It is in its state since `since`.

    The watch over open campaigns saw it last at `seen_at`, when it had come to `came_to`; None until it did.
    """

    id: CampaignId
    state: State
    since: datetime
    came_to: int = 0
    seen_at: datetime | None = None


class CampaignIndex(Protocol):
    """What spans incidents and campaigns, by key. Every entry is written in one step with what it names.

    `after` is that of the page before, of the same question; `most` is the size of a page. All reads are consistent.
    """

    def open_campaigns(self) -> list[OpenCampaign]:
        """The campaigns that have not ended, or whose end was not announced, by incident."""

    def campaigns_in(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Indexed[CampaignId]]:
        """The campaigns that were opened in a month of UTC, such as 2026-11, first to last."""

    def incidents_in(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Indexed[str]]:
        """The incidents whose first event came in a month of UTC, first to last."""

    def campaigns_under(
        self, policy_id: str, after: str = "", most: int = INDEXED_PER_PAGE
    ) -> Page[Indexed[CampaignId]]:
        """The campaigns under any version of a policy, first to last."""

    def audit_of_day(self, day: date, after: str = "", most: int = INDEXED_PER_PAGE) -> Page["AuditEntry"]:
        """What was done on a day of UTC, first to last."""

    def audit_of_actor(self, actor: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page["AuditEntry"]:
        """What a person or machine did, first to last."""

    def additions(self, campaign_id: CampaignId, after: str = "", most: int = INDEXED_PER_PAGE) -> Page["Addition"]:
        """What was granted in a campaign that no row of its list granted, first to last."""


UPLOADED_BY = "kulanz-by"
"""The metadata in which whoever puts a list or a policy into the bucket says who that is."""


@dataclass(frozen=True, slots=True)
class Upload:
    """When an object came into the bucket, and who put it there by its own word; `by` is empty where it has none."""

    at: datetime
    by: str


class Uploads(Protocol):
    """Who brought what into the bucket, as far as its objects say."""

    def policies(self, policy_id: str) -> Iterator[tuple[int, Upload]]:
        """Each published version of a policy, lowest first."""

    def policy(self, policy_id: str, version: int) -> Upload | None:
        """A published version of a policy; None where it is not there."""

    def pinned(self, pinned: PinnedList) -> Upload | None:
        """The version of a list that was pinned; None where it was deleted."""


@dataclass(frozen=True, slots=True)
class GivenUpBatch:
    """Records of a stream that their reader gave up: what they were about.

    `moved` are campaigns that advance_campaign should have looked at; `unsent` are those whose decisions, and
    `incidents` those whose revisions, publish_notices should have published.
    """

    key: str
    moved: tuple[CampaignId, ...] = ()
    unsent: tuple[CampaignId, ...] = ()
    incidents: tuple[str, ...] = ()


class GivenUpRecords(Protocol):
    """The batches of stream records that functions gave up, as the bucket keeps them for some time."""

    def keys(self) -> Iterator[str]:
        """The keys of all batches there are."""

    def batch(self, key: str) -> GivenUpBatch | None:
        """What a batch was about; None where it has expired. Raises Refused where it cannot be read."""


class TablePolicies(Protocol):
    """The resource policies that close the tables."""

    def open_tables(self) -> list[str]:
        """The tables that others than the stack's functions may write to, as far as their policies say."""


class Troubles(Protocol):
    """What waits for a person until it is repaired, and what the watch over open campaigns remembers."""

    def troubles(self) -> list[Trouble]:
        """Every trouble there is, by its kind and what it is on."""

    def note(self, kind: TroubleKind, on: str, now: datetime) -> None:
        """Note that a trouble was found, for the first time or again."""

    def repaired(self, kind: TroubleKind, on: str, began_at: datetime) -> None:
        """Forget a trouble whose repair began at `began_at`; one that was found later stays."""

    def note_seen(self, seen: OpenCampaign) -> None:
        """Note how far an open campaign had come, unless it has changed its state since it was read."""

    def has_looked_at(self, key: str) -> bool:
        """Whether everything that a batch was about is repaired or noted."""

    def note_looked_at(self, key: str) -> None:
        """Note that it is."""


class Stores(Protocol):
    """The tables themselves."""

    def tables(self) -> Tables:
        """Which tables these are."""

    def confirmation(self) -> Confirmation | None:
        """The last confirmation, of whichever tables, read consistently."""

    def confirm(self, confirmation: Confirmation, before: Confirmation | None) -> None:
        """Put a confirmation in the place of the one that was read. Raises Outdated."""

    def is_empty(self) -> bool:
        """Whether neither table holds anything."""

    def campaign_ids(self) -> Iterator[CampaignId]:
        """Every campaign of every incident, in no order: for whoever checks all of them."""


class Ledger(Protocol):
    """The decisions. Insert if absent; nothing is overwritten."""

    def insert(self, entries: Sequence[Entry]) -> list[Entry | None]:
        """Insert entries with distinct keys; for each, None when it was written, else the entry that stands there.

        Raises TryAgain when some could not be written within the adapter's bounds; the others stand.
        """

    def insert_with_history(self, entries: Sequence[EntryWithHistory]) -> list[Entry | HistoryMoved | None]:
        """Insert entries with distinct keys, each in one step with its subject's history as it is after it.

        For each: None when both were written; the entry that stands there; or MOVED when nothing stands there and the
        subject's history is not the one that was read. Raises TryAgain as `insert` does.
        """

    def histories(self, keys: Sequence[HistoryKey]) -> dict[HistoryKey, SubjectHistory]:
        """The histories of some subjects, as far as there are any, read consistently."""

    def standing(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Entry]:
        """The entries that stand under some keys, read consistently."""

    def of_account(self, account_id: str, incident_id: str | None = None) -> list[Entry]:
        """The decisions about an account (of one incident), read consistently."""


@dataclass(frozen=True, slots=True)
class ChunkMessage:
    """A hint that a chunk has work; what is to be done stands in the campaign's record alone."""

    campaign: CampaignId
    work: Pass
    chunk: int


class ChunkQueue(Protocol):
    """Sends chunk messages to the workers."""

    def send(self, messages: Iterable[ChunkMessage]) -> None:
        """Send every message at least once. Raises TryAgain when some were refused within the adapter's bounds."""


class NoticeTopic(Protocol):
    """Publishes notices to the company's systems."""

    def publish(self, messages: Sequence["NoticeMessage"]) -> None:
        """Publish every message at least once. Raises TryAgain when some were refused within the adapter's bounds."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """Something that happened to a campaign, as an event on the bus."""

    detail_type: str
    detail: str


class Announcer(Protocol):
    """Puts announcements on the bus."""

    def announce(self, announcement: Announcement) -> None:
        """Put one event. Raises TryAgain when the bus did not take it."""


class Archive(Protocol):
    """Documents that campaigns leave behind: reports, problems of rows, refused events. Keys are derived."""

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Write a document. Keys are derived, so a repetition writes the same place; older versions are kept."""

    def get(self, key: str) -> bytes:
        """A document that was written. Raises Refused when it is not there."""


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an event was refused: for the rejected queue. It holds no value of the event but its names."""

    reason: str
    field: str
    message: str
    source: str
    detail_type: str
    incident_id: str
    event_key: str
    received_at: datetime


class RejectedQueue(Protocol):
    """Reports events that were refused."""

    def send(self, rejection: Rejection) -> None:
        """Send at least once. Raises TryAgain."""
