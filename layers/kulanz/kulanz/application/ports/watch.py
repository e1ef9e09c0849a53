"""What the watch over open campaigns reads and remembers, and the tables themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kulanz.application.ports.campaigns import OpenCampaign
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.confirmation import Confirmation, Tables


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
