"""A delivery: one serial of one channel, over the list of one campaign or over what was added to it; how it ends."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.delivery.added import Additions
from kulanz.domain.delivery.channel import ChannelKind, FileFormat
from kulanz.domain.delivery.credit import CreditSums
from kulanz.domain.delivery.dues import Dues
from kulanz.domain.delivery.files import PartFile
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.standing import CreditState, Standing
from kulanz.domain.money import Size


class DeliveryState(StrEnum):
    """Where a delivery stands. ASSIGNING: its parts are being written, and nothing is released.

    PUBLISHING: its trailer is written, and its credits are being published on the topic. SENT: its trailer is written,
    and everything is published where its channel is a topic. FLAGGED: its parts are not what is to be booked, or not
    what was written; nothing more is released, and a person has to look at it.
    """

    ASSIGNING = "assigning"
    PUBLISHING = "publishing"
    SENT = "sent"
    FLAGGED = "flagged"


DELIVERY_MOVES: Mapping[DeliveryState, frozenset[DeliveryState]] = {
    DeliveryState.ASSIGNING: frozenset({DeliveryState.SENT, DeliveryState.PUBLISHING, DeliveryState.FLAGGED}),
    DeliveryState.PUBLISHING: frozenset({DeliveryState.SENT, DeliveryState.FLAGGED}),
    DeliveryState.FLAGGED: frozenset({DeliveryState.ASSIGNING}),
    DeliveryState.SENT: frozenset(),
}


@dataclass(frozen=True, slots=True)
class DeliveryReceipt:
    """The record that the lines of `[start, end)` are delivered: the part that has their credits, and its sums.

    Of additions the range is of microseconds since 1970, and each of them is a line. `moved_from` is where the chunk's
    cursor stood; None for its first receipt. `part` is None where the lines have no credit to deliver. `again` are
    those of `sums` that were delivered before. `elsewhere` are credits that were assigned to another delivery, or
    voided. `dues` is what becomes due of the part's credits. `published` is the latest round in which the part was
    published on the topic; 0 before.
    """

    delivery: DeliveryId
    chunk: int
    start: int
    end: int
    moved_from: int | None
    finishes_chunk: bool
    lines: int
    part: PartFile | None
    sums: CreditSums
    elsewhere: CreditSums
    dues: Dues = field(default_factory=dict)
    again: CreditSums = field(default_factory=CreditSums)
    published: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as its record tells it, with the sums of its receipts.

    `additions` is what it is over; None where that is the campaign's list. `bytes_done` (microseconds, of additions),
    `lines`, `parts`, `sums`, `again` and `elsewhere` are what the receipts add up to; `dispatched` counts chunks whose
    messages were sent. `seen` is its `progress` when the watch last looked. `sent_at` is when the trailer was written,
    and everything published where the channel is a topic.

    `rounds` is how often publishing was begun; `published` counts the parts that are published in the latest round, and
    `dispatched` then those whose messages were sent.
    """

    id: DeliveryId
    campaign: CampaignId
    form: FileFormat
    opened_at: datetime
    opened_by: str
    state: DeliveryState = DeliveryState.ASSIGNING
    reason: str = ""
    bytes_done: int = 0
    lines: int = 0
    parts: int = 0
    dispatched: int = 0
    seen: int = -1
    sums: CreditSums = field(default_factory=CreditSums)
    elsewhere: CreditSums = field(default_factory=CreditSums)
    sent_at: datetime | None = None
    additions: Additions | None = None
    again: CreditSums = field(default_factory=CreditSums)
    kind: ChannelKind = ChannelKind.FILE
    rounds: int = 0
    published: int = 0

    def bounds(self, campaign: Campaign) -> tuple[int, int]:
        """The range that its receipts have to cover."""
        if self.additions is not None:
            return self.additions.start, self.additions.end
        return campaign.chunks.data_start, campaign.chunks.size

    def chunks(self, campaign: Campaign) -> int:
        """In how many parts its range is worked. Additions are one: there are few of them."""
        return 1 if self.additions is not None else len(campaign.chunks)

    def chunk_bounds(self, campaign: Campaign, chunk: int) -> tuple[int, int]:
        """The half-open range of a chunk."""
        return self.bounds(campaign) if self.additions is not None else campaign.chunks.bounds(chunk)

    @property
    def is_publishing(self) -> bool:
        """Whether parts are still to be published in the latest round."""
        is_released = self.state in (DeliveryState.PUBLISHING, DeliveryState.SENT)
        return is_released and self.rounds > 0 and self.published < self.parts

    @property
    def is_released(self) -> bool:
        """Whether billing may have some of it: then what it answers is heard."""
        return self.state is DeliveryState.SENT or self.rounds > 0

    @property
    def progress(self) -> int:
        """A number that moves while something is done: bytes, and parts that are published."""
        return self.bytes_done + self.published


def state_of(stands: Standing, delivery: Delivery | None) -> CreditState:
    """The state of a credit to whoever asks. A file sends its credits by its trailer, which stands with its delivery.

    `delivery` is the one that the credit was assigned to last.
    """
    is_sent = stands.state is CreditState.ASSIGNED and delivery is not None and delivery.is_released
    return CreditState.SENT if is_sent else stands.state


def differing(booked: Mapping[str, Size], delivery: Delivery) -> str:
    """Where the sums of a finished delivery differ from what is to be booked, by measure; empty where they do not.

    Every credit counts once: assigned here, or to another delivery before.
    """
    found = delivery.sums.by_measure()
    for measure, size in delivery.again.by_measure().items():
        found[measure] -= size
    for measure, size in delivery.elsewhere.by_measure().items():
        found[measure] = found.get(measure, 0) + size
    for measure in sorted(found.keys() | booked.keys()):
        owed, assigned = booked.get(measure, 0), found.get(measure, 0)
        if owed != assigned:
            return f"sums_differ: {measure}: to be booked {owed}, delivered {assigned} (in the smallest unit)"
    return ""


def miscounted(additions: Additions, delivery: Delivery) -> str:
    """How many additions a finished delivery met, where it is not how many were made; empty where it is."""
    if delivery.lines == additions.number:
        return ""
    return f"additions_differ: {additions.number} were made, and {delivery.lines} delivered"


class Ranged(Protocol):
    """A receipt of the bytes of `[start, end)`."""

    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


def gap_in(receipts: Iterable[Ranged], first: int, end: int) -> str:
    """The first place where receipts, by where they start, leave a gap or overlap; empty where they tile the list."""
    position = first
    for receipt in receipts:
        if receipt.start == receipt.end:
            continue
        if receipt.start != position:
            return f"receipts_incomplete: expected a receipt at byte {position}, found one at {receipt.start}"
        position = receipt.end
    return "" if position == end else f"receipts_incomplete: the receipts end at byte {position} of {end}"
