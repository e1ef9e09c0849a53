"""What delivering needs of the world. The errors are those of `kulanz.application.ports`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from kulanz.application.ports import AnswerMessage, DeliveryMessage, PublishMessage, VoidMessage
from kulanz.domain.budgets import Regained
from kulanz.domain.campaigns.campaign import CampaignId, Cursor, Pass
from kulanz.domain.delivery.added import Added
from kulanz.domain.delivery.answer_pass import AnswerFile, AnswerReceipt
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.delivery.entries import CreditEntries
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.moved import MovedOf
from kulanz.domain.delivery.standing import Counted
from kulanz.domain.delivery.topic_messages import CreditsMessage
from kulanz.domain.delivery.void import Void, VoidReceipt
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.ledger.additions import Addition
from kulanz.domain.ledger.entries import DecisionKey, Entry, HistoryChange
from kulanz.domain.money import Size


@dataclass(frozen=True, slots=True)
class Booked:
    """A decision as it stands, with what became of its credits.

    `notice_locale` is the language in which the customer is told of what voids take back; empty where nobody is told.
    """

    entry: Entry
    entries: CreditEntries
    notice_locale: str = ""


@dataclass(frozen=True, slots=True)
class EntriesChange:
    """A decision's list of credit entries as it was read, and as it is to be.

    `notice_locale` is the language in which the customer is told of what a void takes back by it, or asks the biller
    for. It stands beside the list from then on. Empty leaves it as it is.
    """

    key: DecisionKey
    before: CreditEntries
    after: CreditEntries
    notice_locale: str = ""


class CreditLedger(Protocol):
    """What became of the credits of decisions, on the decisions' own items."""

    def booked(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Booked]:
        """The decisions under some keys with their entries, read consistently; what is not there is left out."""

    def write_entries(self, changes: Sequence[EntriesChange]) -> list[bool]:
        """Write lists of entries of distinct decisions, each on the condition that the decision is granted and its
        list is as it was read.

        For each whether it was written. False may be our own earlier write whose reply was lost: whoever asked reads
        again. Raises TryAgain when some could not be written within the adapter's bounds; others may have been.
        """

    def write_with_history(self, change: EntriesChange, history: HistoryChange) -> bool:
        """Write a list of entries in one step with the subject's history, each as it was read, or neither.

        False is as of `write_entries`.
        """


@dataclass(frozen=True, slots=True)
class Asking:
    """What of a decision is asked back, as an addition that the next delivery of its channel has, and until when that
    is kept: as long as the decision (`ttl`, seconds since 1970).
    """

    change: EntriesChange
    addition: Addition
    ttl: int


ASKED_TOGETHER = 40
"""Decisions of which something is asked back in one transaction: each has two items, of at most 100."""


class ReversalLedger(Protocol):
    """Writes what is asked back of decisions."""

    def ask(self, asked: Sequence[Asking]) -> bool:
        """Write the entries of at most `ASKED_TOGETHER` decisions of one campaign, each as it was read, and the
        additions of one channel that deliver them: all in one step, or nothing of it.

        False where some entries are not as they were read, the stack is halted, or a delivery was opened over the
        additions' instant.
        """


class DeliveryQueue(Protocol):
    """Sends delivery messages to the workers."""

    def send_deliveries(self, messages: Iterable[DeliveryMessage]) -> None:
        """Send every message at least once. Raises TryAgain when some were refused within the adapter's bounds."""

    def send_parts(self, messages: Iterable[PublishMessage]) -> None:
        """Send every message at least once. Raises TryAgain as `send_deliveries`."""


class CreditsTopic(Protocol):
    """Publishes credits for those who book by event."""

    def publish(self, messages: Iterable[CreditsMessage]) -> None:
        """Publish every message at least once. Raises TryAgain when some were refused within the adapter's bounds."""


@dataclass(frozen=True, slots=True)
class WaitingAdditions:
    """A campaign with additions that are in no delivery, and when the first of these was made. `channel` is empty for
    the plan's.
    """

    campaign: CampaignId
    since: datetime
    channel: str = ""

    def __str__(self) -> str:
        return f"{self.campaign} for {self.channel}" if self.channel else str(self.campaign)


class DeliveryStore(Protocol):
    """Deliveries: their serials, records, cursors and receipts. Every write is conditional on what was read."""

    def last_serial(self, channel: str) -> int:
        """The serial of a channel's latest delivery, read consistently; 0 where there is none."""

    def open(self, delivery: Delivery, added: Added | None = None) -> None:
        """Open a delivery over a campaign's list, or over what was added to it, under the channel's next serial.

        One step. `added` is what was added as it was read. Raises Outdated where the serial is taken, where the list
        has a delivery already, and where something was added since.
        """

    def delivery(self, delivery_id: DeliveryId) -> Delivery | None:
        """A delivery with the sums of its receipts, read consistently."""

    def over_list(self, campaign_id: CampaignId) -> Delivery | None:
        """The delivery over a campaign's list, read consistently; None where none was opened."""

    def over_additions(self, campaign_id: CampaignId) -> list[Delivery]:
        """The deliveries over what was added to a campaign, by serial, read consistently."""

    def added(self, campaign_id: CampaignId, channel: str = "") -> Added:
        """What was added to a campaign so far for a channel (empty: the plan's), read consistently."""

    def waiting_additions(self) -> list[WaitingAdditions]:
        """The campaigns with additions that are in no delivery, read consistently."""

    def of_channel(self, channel: str, after: int = 0) -> Iterator[Delivery]:
        """The deliveries of a channel behind a serial, by serial, lazily and read consistently."""

    def open_deliveries(self) -> list[DeliveryId]:
        """The deliveries that are not sent, or of which parts are to be published again, read consistently."""

    def cursor(self, delivery_id: DeliveryId, chunk: int) -> Cursor | None:
        """How far a chunk has come, read consistently; None when it has not begun."""

    def finished_chunks(self, delivery_id: DeliveryId) -> set[int]:
        """The chunks that are delivered, read consistently."""

    def record(self, receipt: DeliveryReceipt) -> bool:
        """Write a receipt, move its chunk's cursor and add to the delivery's sums, in one step.

        False when the cursor stands elsewhere: another worker was first. A repetition of a receipt is True.
        """

    def receipts(self, delivery_id: DeliveryId) -> Iterator[DeliveryReceipt]:
        """The receipts of a delivery by where they start, lazily and read consistently."""

    def receipt(self, delivery_id: DeliveryId, start: int, chunk: int) -> DeliveryReceipt | None:
        """The receipt of a chunk that starts at `start`, read consistently."""

    def mark_dispatched(self, delivery_id: DeliveryId, chunks: int) -> None:
        """Note that the messages of the chunks below `chunks` were sent."""

    def note_seen(self, delivery_id: DeliveryId, progress: int) -> None:
        """Note how far a delivery was when the watch looked at it."""

    def change(self, before: Delivery, after: Delivery) -> None:
        """Move a delivery's state, reason and instant of sending, if its state and its round are as they were read.

        One that is sent is not open any more. Raises Outdated.
        """

    def begin_round(self, before: Delivery, after: Delivery) -> None:
        """Begin to publish a delivery's parts, the first time or again, if its state and its round are as they were
        read: `after` has the state and the reason. None of them is published in the new round, and it is open.

        Raises Outdated.
        """

    def mark_published(self, receipt: DeliveryReceipt, round_: int) -> None:
        """Note that a receipt's part is published in a round, and count it, once. Nothing where the round is over."""


class AnswerQueue(Protocol):
    """Sends answer messages to the workers."""

    def send_answers(self, messages: Iterable[AnswerMessage]) -> None:
        """Send every message at least once. Raises TryAgain when some were refused within the adapter's bounds."""


class RejectCodes(Protocol):
    """Which of the biller's codes the sums of campaigns count by themselves."""

    def codes(self, campaign_id: CampaignId, channel: str, new: Collection[str] = ()) -> frozenset[str]:
        """The biller's codes that the sums of a campaign and channel count by themselves: those that were known, and
        `new` ones as far as there is room (`CODES_MOST`). Raises TryAgain.

        Whoever writes that a credit is rejected asks first, with its code; whoever counts it later then finds the code
        here, or knows that it counts with the others.
        """


class AnswerFiles(RejectCodes, Protocol):
    """The answer files that were opened, with their cursors and receipts."""

    def open(self, file: AnswerFile) -> AnswerFile:
        """Store a file that is to be read; the one that stands under its id then, read consistently."""

    def file(self, channel: str, file_id: str) -> AnswerFile | None:
        """A file with what its receipts add up to, read consistently."""

    def files(self, channel: str) -> Iterator[AnswerFile]:
        """Every file of a channel, first to last."""

    def cursor(self, file: AnswerFile, chunk: int) -> Cursor | None:
        """How far a chunk has come, read consistently."""

    def record(self, receipt: AnswerReceipt) -> bool:
        """Write a receipt, move its cursor, and add to the sums of the file and of each campaign, in one step.

        False where the cursor stands elsewhere. A repetition of a receipt that was recorded is True.
        """

    def receipts(self, file: AnswerFile) -> Iterator[AnswerReceipt]:
        """The receipts of a file by where they start, lazily and read consistently."""

    def open_files(self) -> list[tuple[str, str]]:
        """Channel and id of every file that is not closed, read consistently."""

    def finished_chunks(self, file: AnswerFile) -> set[int]:
        """The chunks of which every line has its result, read consistently."""

    def note_seen(self, file: AnswerFile) -> None:
        """Note how far a file has come now, for whoever looks next."""

    def close(self, file: AnswerFile) -> None:
        """Note that every line of a file has its result. Safe to repeat."""

    def billed(self, campaign_id: CampaignId, channel: str) -> Mapping[MovedOf, Mapping[Counted, Size]]:
        """What answers of a channel moved between the states of a campaign's credits, read consistently."""


class Dues(Protocol):
    """What is due and not on bills. Deliveries and answers move it with their receipts."""

    def before(self, instant: datetime) -> Iterator[tuple[DueOf, tuple[int, Size]]]:
        """What is due before an instant, by month: how many credits, and how much of them is not on bills."""

    def forget_what_is_done(self, instant: datetime) -> None:
        """Forget the deadlines of the months before an instant's of which everything is on bills. Safe to repeat."""


class VoidQueue(Protocol):
    """Sends messages of voids to the workers."""

    def send_voids(self, messages: Iterable[VoidMessage]) -> None:
        """Send every message at least once. Raises TryAgain when some were refused within the adapter's bounds."""


class VoidStore(Protocol):
    """Voids: their records, cursors and receipts. Every write is conditional on what was read."""

    def open(self, void: Void) -> None:
        """Open a void beside its campaign. Opening the same one again changes nothing. Raises Outdated for another."""

    def void(self, void_id: VoidId) -> Void | None:
        """A void with the sums of its receipts, read consistently."""

    def of_campaign(self, campaign_id: CampaignId) -> list[Void]:
        """The voids of a campaign, by their ids, read consistently."""

    def open_voids(self) -> list[VoidId]:
        """The voids that have not ended, read consistently."""

    def cursor(self, void_id: VoidId, work: Pass, chunk: int) -> Cursor | None:
        """How far a chunk has come, read consistently; None when it has not begun."""

    def finished_chunks(self, void_id: VoidId, work: Pass) -> set[int]:
        """The chunks whose pass is finished, read consistently."""

    def record(self, receipt: VoidReceipt) -> bool:
        """Write a receipt, move its chunk's cursor, and add to the void's sums, the campaign's and what is due, in one
        step.

        False when the cursor stands elsewhere: another worker was first. A repetition of a receipt is True.
        """

    def receipts(self, void_id: VoidId, work: Pass) -> Iterator[VoidReceipt]:
        """The receipts of a pass by where they start, lazily and read consistently."""

    def moved(self, campaign_id: CampaignId) -> Mapping[MovedOf, Mapping[Counted, Size]]:
        """What voids moved between the states of a campaign's credits, read consistently."""

    def mark_dispatched(self, void_id: VoidId, work: Pass, chunks: int) -> None:
        """Note that the messages of the chunks below `chunks` were sent."""

    def note_seen(self, void_id: VoidId, bytes_done: int) -> None:
        """Note how far a void was when the watch looked at it."""

    def change(
        self,
        before: Void,
        after: Void,
        incident: tuple[IncidentRecord, IncidentRecord] | None = None,
        regained: Sequence[Regained] = (),
    ) -> None:
        """Move a void's state, reason, approvals and start, and its incident's record in the same step where given.

        `regained` is what budgets get back in that step. Raises Outdated where either is not as it was read.
        """

    def close(self, void_id: VoidId) -> None:
        """List a void no longer among those that have not ended. Safe to repeat."""
