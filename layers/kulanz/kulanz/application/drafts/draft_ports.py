"""What receiving, keeping and showing deliveries needs of the world. All raise TryAgain and Refused."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from kulanz.application.ports import INDEXED_PER_PAGE, Page, Refused
from kulanz.domain.drafts.following import Followed
from kulanz.domain.drafts.reported import Change, Part
from kulanz.sources.configuration import Configuration


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the body of a delivery lies, whose it is by the path that it came over, and when it came."""

    source: str
    key: str
    received_at: datetime


class DeliveryQueue(Protocol):
    """Hands deliveries on to whoever reads them."""

    def send(self, delivery: Delivery) -> None:
        """Send at least once."""


class Bodies(Protocol):
    """The bodies as they came. They name people: they are kept for some time, and never logged."""

    def put(self, source: str, body: bytes, received_at: datetime) -> str:
        """Keep a body; the key under which it lies. The same body of one day lies there once."""

    def get(self, key: str) -> bytes:
        """A body that was kept. Raises Refused where it is not there any more."""


class Secrets(Protocol):
    """The secrets that sources sign with."""

    def of(self, source: str, *, anew: bool = False) -> Sequence[str]:
        """The secrets of a source that are valid now, none where there is no such secret. `anew`: past any cache."""


class SourcesSealed(Refused):
    """That version of the configuration of sources has been published with other content, which stands."""


class SourcesStore(Protocol):
    """The configuration of sources. A published version never changes; the highest one holds."""

    def current(self) -> Configuration:
        """The version that holds now; NO_SOURCES where none was published. Raises Refused where it cannot be read."""


class HeldSources(SourcesStore, Protocol):
    """The configuration of sources as a function holds it for a while."""

    def anew(self) -> Configuration:
        """The version that holds now, past what is held: asked by whoever misses a source. Raises as `current`."""


class SourcesShelf(SourcesStore, Protocol):
    """Where the configuration of sources is published."""

    def publish(self, version: int, content: bytes, by: str = "") -> bool:
        """Publish a version, once, as `by` says. True when this call published it, False when the same content stands.

        Raises SourcesSealed for other content, and PublishingForbidden.
        """


class PublicPages(Protocol):
    """The public API of status pages."""

    def incident(self, host: str, incident: str) -> bytes:
        """An incident as its page shows it now, as JSON. Raises TryAgain."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """An upstream incident that something was received of: its source, and its name in ids."""

    source: str
    name: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A delivery that was authentic and could not be read, with the reason: a code, and a text without its values."""

    source: str
    key: str
    reason: str
    text: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a person confirmed of a draft. `count` counts the confirmations of one draft.

    `digest` and `content` are the draft's, as that person saw it; `revision` is the one of the incident.
    """

    draft_id: str
    count: int
    digest: str
    content: Mapping[str, Any] = field(hash=False)
    revision: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Dismissed:
    """What a person dismissed of a draft: nothing is to be recorded of what the source reported then, and why not.

    `count` counts the dismissals of one draft; `digest` and `content` are the draft's, as that person saw it.
    """

    draft_id: str
    count: int
    digest: str
    content: Mapping[str, Any] = field(hash=False)
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """An upstream incident in the list of a month: when something was received of it last, and when it was looked at
    since.
    """

    of: Upstream
    received_at: datetime
    looked_at: datetime | None = None


class DraftStore(Protocol):
    """What was received of upstream incidents, and what persons confirmed."""

    def keep(self, of: Upstream, part: Part, received_at: datetime) -> None:
        """Keep a part, and list its incident in the month. Of one key the part with the highest order stays."""

    def keep_change(self, source: str, part: Part, received_at: datetime) -> None:
        """Keep a change of a component that came without an incident. Safe to repeat."""

    def parts(self, of: Upstream) -> list[Part]:
        """The parts of an upstream incident, read consistently; none where nothing was received of it."""

    def changes(self, source: str, component: str, first: datetime, last: datetime | None) -> list[Change]:
        """The changes of a component that came without an incident, from `first` to `last`, read consistently."""

    def note_unread(self, unread: Unread) -> None:
        """Note a delivery that could not be read. Safe to repeat."""

    def in_month(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Upstream | Unread]:
        """What was received in a month of UTC: what could not be read, then incidents by source and name."""

    def unsettled(self, month: str) -> list[Listed]:
        """The upstream incidents of a month of UTC of which something may still have to be said, read consistently."""

    def settle(self, listed: Listed, now: datetime, *, is_settled: bool) -> None:
        """Note that an upstream incident was looked at, and whether nothing is left to be said of it.

        Nothing is noted where something was received of it since it was listed.
        """

    def followed(self, of: Upstream, service: str) -> Followed:
        """What was said of a draft, read consistently. `service` is empty for the draft of no service."""

    def follow(self, of: Upstream, service: str, followed: Followed) -> None:
        """Put what was said in the place of the record before, by its count. Raises Outdated."""

    def confirmed(self, of: Upstream, service: str) -> Confirmed | None:
        """What was confirmed last of a draft, read consistently."""

    def confirm(self, of: Upstream, service: str, confirmed: Confirmed) -> None:
        """Put a confirmation in the place of the one before, by its count. Raises Outdated."""

    def dismissed(self, of: Upstream, service: str) -> Dismissed | None:
        """What was dismissed last of a draft, read consistently. `service` is empty for the draft of no service."""

    def dismiss(self, of: Upstream, service: str, dismissed: Dismissed) -> None:
        """Put a dismissal in the place of the one before, by its count. Raises Outdated."""
