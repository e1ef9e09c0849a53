"""A question or an action as a use case gets it, and the world that answering needs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from kulanz.application.door.routes import Route
from kulanz.application.ports import (
    Archive,
    CampaignIndex,
    CampaignStore,
    ChunkQueue,
    DiscretionStore,
    Ledger,
    ListStore,
    PeopleStore,
    PolicyShelf,
    Rejection,
    Stores,
    Troubles,
    Uploads,
)
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.estimate import Operation
from kulanz.domain.incident_record import Revision
from kulanz.domain.people.caller import Caller, Machine, Person, caller_with

if TYPE_CHECKING:  # a question needs neither: what they import takes a tenth of a second
    from kulanz.application.budgets.store import BudgetStore
    from kulanz.application.byhand.goodwill_store import GoodwillStore
    from kulanz.application.campaigns.open_campaign import OpenSettings
    from kulanz.application.cases.store import CaseStore
    from kulanz.application.delivery.act_on_credit import CreditActions
    from kulanz.application.delivery.world import (
        AnswerFiles,
        AnswerQueue,
        Booked,
        CreditLedger,
        DeliveryStore,
        Dues,
        VoidStore,
    )
    from kulanz.application.door.action_store import Actions
    from kulanz.application.drafts.draft_ports import DraftStore, SourcesStore
    from kulanz.application.exports.ports import ExportQueue, ExportStore
    from kulanz.application.ledger.accept_offer import OfferStore
    from kulanz.domain.delivery.channel import Channel
    from kulanz.domain.gate.settings import GateSettings


class Acting(Protocol):
    """Whoever asks or acts: a person or a machine, by one id."""

    @property
    def id(self) -> str:
        """The id that the log keeps."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked, by whom and when. Path and query are checked by the table of routes; the body is JSON.

    `seconds_left` is what remains of the time in which the gateway waits for an answer.
    """

    route: Route
    of: Mapping[str, str]
    query: Mapping[str, str]
    body: Mapping[str, Any]
    caller: Acting
    now: datetime
    seconds_left: Callable[[], float]

    @property
    def campaign_id(self) -> CampaignId:
        """The campaign that the path names."""
        return CampaignId(self.of["incident"], int(self.of["seq"]))

    @property
    def acting(self) -> Caller:
        """The person or machine that `caller` is."""
        return self.caller if isinstance(self.caller, (Person, Machine)) else caller_with(self.caller.id)

    @property
    def question(self) -> Mapping[str, str]:
        """What a cursor belongs to: the route with all its values, but for the cursor itself."""
        return {
            "": self.route.key,
            **{f"/{name}": value for name, value in self.of.items()},
            **{f"?{name}": value for name, value in self.query.items() if name != "cursor"},
        }


@dataclass(frozen=True, slots=True)
class Document:
    """A document in the bucket: its key and its size in bytes."""

    key: str
    size: int


class Documents(Protocol):
    """What campaigns leave behind in the bucket, to be listed and to be fetched by a caller."""

    def under(self, prefix: str, after: str, most: int) -> list[Document]:
        """The first `most` documents whose keys begin with `prefix` and come after the key `after`, by key."""

    def link(self, key: str, seconds: int) -> str:
        """A URL under which a document can be fetched for so many seconds."""


@dataclass(frozen=True, slots=True)
class RefusedEvent:
    """A refused event in its queue. `rejection` is None where the message is none that Kulanz wrote."""

    message_id: str
    rejection: Rejection | None


class RefusedEvents(Protocol):
    """The queue of refused events, as a person looks into it."""

    def look(self, most: int) -> list[RefusedEvent]:
        """Up to `most` refused events. All stay in the queue. Raises TryAgain."""

    def take_out(self, message_ids: Sequence[str], seconds_left: Callable[[], float]) -> set[str]:
        """Take out the named ones, as far as they are there; which were taken out. Raises TryAgain."""


class DeadLetters(Protocol):
    """The dead letters of a queue, by the queue's name in the routes."""

    def redrive(self, queue: str, seconds_left: Callable[[], float]) -> tuple[int, bool]:
        """Move dead letters back to their queue: how many, and whether none is left. Raises TryAgain."""


class Workers(Protocol):
    """The functions that do again what a stream's record would have made them do. Raises TryAgain where one fails."""

    def advance(self, campaign_id: CampaignId) -> None:
        """Let advance_campaign look at a campaign."""

    def publish_decisions(self, decisions: "Sequence[Booked]") -> None:
        """Let publish_notices publish the notices of some decisions, and of what was taken back of them."""

    def publish_revisions(self, revisions: Sequence[Revision]) -> None:
        """Let publish_notices publish the status notices of some revisions."""


class Door(Protocol):
    """The world behind the API. Each part is made when a use case asks for it."""

    @property
    def actions(self) -> "Actions": ...
    @property
    def campaigns(self) -> CampaignStore: ...
    @property
    def index(self) -> CampaignIndex: ...
    @property
    def troubles(self) -> Troubles: ...
    @property
    def uploads(self) -> Uploads: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def lists(self) -> ListStore: ...
    @property
    def policies(self) -> PolicyShelf: ...
    @property
    def archive(self) -> Archive: ...
    @property
    def deliveries(self) -> "DeliveryStore": ...
    @property
    def documents(self) -> Documents: ...
    @property
    def offers(self) -> "OfferStore": ...
    @property
    def cases(self) -> "CaseStore": ...
    @property
    def credit_actions(self) -> "CreditActions": ...
    @property
    def budgets(self) -> "BudgetStore": ...
    @property
    def chunks(self) -> ChunkQueue: ...
    @property
    def voids(self) -> "VoidStore": ...
    @property
    def exports(self) -> "ExportStore": ...
    @property
    def credits(self) -> "CreditLedger": ...
    @property
    def answers(self) -> "AnswerFiles": ...
    @property
    def answer_queue(self) -> "AnswerQueue": ...
    @property
    def dues(self) -> "Dues": ...
    @property
    def export_queue(self) -> "ExportQueue": ...
    @property
    def stores(self) -> Stores: ...
    @property
    def refused_events(self) -> RefusedEvents: ...
    @property
    def dead_letters(self) -> DeadLetters: ...
    @property
    def workers(self) -> Workers: ...
    @property
    def operation(self) -> Operation: ...
    @property
    def gate(self) -> "GateSettings": ...
    @property
    def people(self) -> PeopleStore: ...
    @property
    def goodwill(self) -> "GoodwillStore": ...
    @property
    def channel(self) -> "Channel | None": ...
    @property
    def other_channels(self) -> "Sequence[Channel]": ...
    @property
    def warn_before(self) -> timedelta: ...
    @property
    def discretion(self) -> DiscretionStore: ...
    @property
    def drafts(self) -> "DraftStore": ...
    @property
    def sources(self) -> "SourcesStore": ...
    @property
    def settings(self) -> "OpenSettings": ...
    @property
    def code_version(self) -> str: ...


def page_after[Item](items: Sequence[Item], name: Callable[[Item], str], after: str, most: int) -> Iterator[Item]:
    """The first `most` items that come after the one that was named, in their order."""
    at = 0
    if after:
        at = next((place + 1 for place, item in enumerate(items) if name(item) == after), len(items))
    yield from items[at : at + most]
