"""Decisions that are delivered to the fake biller and answered by it: the loop to the bill, in memory.

Deliveries are assigned and rendered by the domain's own functions, without the campaign around them. What answers are
heard by is the use case itself.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from kulanz.application.delivery.hear_answers import AnswerPorts, hear_chunk
from kulanz.application.delivery.open_answers import OpenAnswersPorts, open_answers
from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ports import TryAgain
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Benefit, Decision, DueAt, DueBy, Outcome
from kulanz.domain.delivery.answer_pass import AnswerFile
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.credit import Booking, Credit, CreditSums, credits_of
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.dues import DueOf, dues_of, owe
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.files import PartHead, part_file, part_name, render_part, render_trailer, trailer_name
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.standing import (
    OTHER_CODES,
    AddResult,
    CreditState,
    RejectedWith,
    Standing,
    add_entry,
    standing,
)
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body, remaining_of
from kulanz.domain.money import Money
from tests.support.fake_answers import FakeAnswerQueue, FakeAnswers
from tests.support.fake_bucket import FakeArchive, FakeLists
from tests.support.fake_deliveries import FakeCredits, FakeDeliveries
from tests.support.fake_troubles import FakeTroubles
from tests.support.fakes import FakeCampaigns, FakeLedger

CHANNEL = "billing"
CAMPAIGN = CampaignId("outage", 1)
GRANTED_AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
DUE = datetime(2027, 1, 6, tzinfo=UTC)
LATE = DueAt(DUE, DueBy.POLICY)
SIZE = 500
CHUNK_BYTES = 1024
MESSAGES_MOST, ATTEMPTS_MOST = 500, 20
"""More than any test needs: code that goes round in circles fails."""
FILES: FileFormat = FileFormat.CSV


class WorkerDied(BaseException):
    """A worker that is gone in the middle; nothing of the code under test may catch it."""


class DyingCredits(FakeCredits):
    """Entries whose writer dies behind a write, when it is told to."""

    dies_after: int = -1

    def write_entries(self, changes: Sequence[EntriesChange]) -> list[bool]:
        results = super().write_entries(changes)
        if changes and self.dies_after >= 0:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise WorkerDied
        return results


class Clock:
    """A worker with all the time there is, or with a number of looks at the clock."""

    def __init__(self, at: datetime, looks: int = 1_000_000) -> None:
        self._at = at
        self._looks = looks

    def now(self) -> datetime:
        return self._at

    def seconds_left(self) -> float:
        self._looks -= 1
        return 800.0 if self._looks > 0 else 0.0

    def wait(self, seconds: float) -> None:
        """Nothing here is paced."""


class BilledWorld:
    """Decisions about accounts A-0, A-1 ...: each grants 5.00 USD."""

    def __init__(self, accounts: int) -> None:
        self.ledger = FakeLedger()
        self.credits = DyingCredits(self.ledger)
        self.deliveries = FakeDeliveries()
        self.answers = FakeAnswers(self.deliveries.dues)
        self.lists = FakeLists("bucket")
        self.archive = FakeArchive()
        self.queue = FakeAnswerQueue()
        self.now = GRANTED_AT
        self.keys = [DecisionKey(f"A-{number}", CAMPAIGN.incident_id, "-", CAMPAIGN.seq) for number in range(accounts)]
        self.ledger.insert([granted(key) for key in self.keys])
        self.biller_accounts = {key: key.account_id for key in self.keys}
        self.files: dict[int, dict[str, bytes]] = {}
        self.uploads = 0
        self.assigned: dict[CreditState, int] = {}
        """What assignments moved between the sums of states."""
        self.sent_again: dict[str, int] = {}
        """How much of what was rejected was sent again, by the code that is counted."""

    # Deliveries

    def deliver(self) -> int:
        """Assign what is due, was rejected or was taken back, under the next serial; 0 where there is nothing."""
        serial = self.deliveries.last_serial(CHANNEL) + 1
        delivery_id = DeliveryId(CHANNEL, serial)
        delivered: list[Credit] = []
        for key in self.keys:
            entry, entries = self.ledger.standing([key])[key], self.credits.of(key)
            before = standing(entries, 0, SIZE)
            if before.state in (CreditState.REJECTED, CreditState.TAKEN_BACK):
                again = CreditEntry(EntryKind.SEND_AGAIN, self.now, "person", f"by/{serial}", (0,))
                adding = add_entry(entries, again, {0: SIZE})
                if adding.result is not AddResult.ADDED:
                    continue
                assert FakeCredits.write_entries(self.credits, [EntriesChange(key, entries, adding.entries)]) == [True]
                entries = adding.entries
                if before.state is CreditState.REJECTED:
                    code = self.counted(before.code)
                    self.sent_again[code] = self.sent_again.get(code, 0) + SIZE
            elif before.state is not CreditState.DUE:
                continue
            new = CreditEntry(
                EntryKind.ASSIGNED,
                self.now,
                "delivery",
                str(delivery_id),
                (0,),
                delivery=str(delivery_id),
                dues=(DueAt(DUE, DueBy.POLICY),),
            )
            adding = add_entry(entries, new, {0: SIZE})
            if adding.result is not AddResult.ADDED:
                continue
            assert FakeCredits.write_entries(self.credits, [EntriesChange(key, entries, adding.entries)]) == [True]
            booking = Booking(self.biller_accounts[key], {}, lambda _, __: LATE)
            attempt = standing(adding.entries, 0, SIZE).attempt
            found = list(credits_of(entry, booking, {0: attempt}))
            if before.state is CreditState.DUE:
                for due, (number, size) in dues_of(CAMPAIGN, found).items():
                    owe(self.deliveries.dues, due, number, size)
            self.moved(before, standing(adding.entries, 0, SIZE))
            delivered += found
        if not delivered:
            return 0
        head = PartHead(delivery_id, str(CAMPAIGN), 0, self.now)
        content = render_part(head, delivered, FILES)
        name, sums = part_name(0, 1, FILES), CreditSums.over(delivered)
        trailer = render_trailer(delivery_id, [part_file(name, content, len(delivered))], sums, FILES)
        self.files[serial] = {name: content, trailer_name(FILES): trailer}
        delivery = Delivery(delivery_id, CAMPAIGN, FILES, self.now, "test", state=DeliveryState.SENT, sent_at=self.now)
        self.deliveries._set(replace(delivery, sums=sums))
        return serial

    def moved(self, before: Standing, after: Standing) -> None:
        """What an assignment moved, counted as a delivery's receipts count it."""
        for state, size in before.shares(SIZE).items():
            self.assigned[state] = self.assigned.get(state, 0) - int(size)
        for state, size in after.shares(SIZE).items():
            self.assigned[state] = self.assigned.get(state, 0) + int(size)

    # Answers

    def hear(self, content: bytes, random: Random | None = None) -> AnswerFile | None:
        """Upload an answer file and work it; with `random`, workers die, come twice and in any order. None where it has
        no line.
        """
        if content.count(b"\n") < 2:
            return None
        self.uploads += 1
        key = f"acknowledgements/{CHANNEL}/{self.uploads:04d}.csv"
        pinned = self.lists.pin("bucket", key, self.lists.upload(key, content))
        ports = OpenAnswersPorts(self.lists, self.answers, self.queue)
        file = open_answers(CHANNEL, pinned, ports, CHUNK_BYTES, "test", self.now)
        self.work(random)
        for _ in range(ATTEMPTS_MOST):
            if (done := self.file(file)).is_finished:
                return done
            open_answers(CHANNEL, pinned, ports, CHUNK_BYTES, "test", self.now)
            self.work()
        raise AssertionError("an answer file does not come to its end")

    def file(self, file: AnswerFile) -> AnswerFile:
        """A file as it stands."""
        found = self.answers.file(file.channel, file.id)
        assert found is not None
        return found

    def work(self, random: Random | None = None) -> None:
        """Work all messages that wait."""
        for _ in range(MESSAGES_MOST):
            if not self.queue.messages:
                return
            place = random.randrange(len(self.queue.messages)) if random else 0
            message = self.queue.messages.pop(place)
            if random and random.random() < 0.2:
                self.queue.messages.append(message)
            self.credits.dies_after = random.randrange(3) if random and random.random() < 0.3 else -1
            looks = random.randrange(2, 6) if random and random.random() < 0.3 else 1_000_000
            try:
                finished = hear_chunk(
                    message.channel, message.file, message.chunk, self.ports(), Clock(self.now, looks)
                )
            except (WorkerDied, TryAgain):
                finished = False
            self.credits.dies_after = -1
            if not finished:
                self.queue.messages.append(message)
        raise AssertionError("answer messages come again and again")

    def ports(self) -> AnswerPorts:
        """The world that hearing answers touches."""
        campaigns = FakeCampaigns()
        told = campaigns, FakeTroubles(campaigns), self.ledger
        return AnswerPorts(self.lists, self.archive, self.deliveries, self.credits, self.answers, *told)

    # What is known

    def standing(self, key: DecisionKey) -> Standing:
        """Where the credit of a decision stands."""
        return standing(self.credits.of(key), 0, SIZE)

    def by_entries(self) -> dict[CreditState, int]:
        """The sums of states by the entries of every decision."""
        found: dict[CreditState, int] = {}
        for key in self.keys:
            for state, share in self.standing(key).shares(SIZE).items():
                found[state] = found.get(state, 0) + int(share)
        return found

    def by_counters(self) -> dict[CreditState, int]:
        """The same by what deliveries and answers counted."""
        found = {CreditState.DUE: SIZE * len(self.keys)}
        for state, size in self.assigned.items():
            found[state] = found.get(state, 0) + size
        for sums in self.answers.billed(CAMPAIGN, CHANNEL).values():
            for counted, moved in sums.items():
                if not isinstance(counted, RejectedWith):
                    assert isinstance(counted, CreditState)  # nothing is asked back here
                    found[counted] = found.get(counted, 0) + int(moved)
        return {state: size for state, size in found.items() if size}

    def counted(self, code: str) -> str:
        """A code as it is counted: by itself, or with the others."""
        return code if code in self.answers.codes(CAMPAIGN, CHANNEL) else OTHER_CODES.code

    def rejected_by_entries(self) -> dict[str, int]:
        """What is rejected, by the biller's code as it is counted."""
        found: dict[str, int] = {}
        for key in self.keys:
            stands = self.standing(key)
            if stands.state is CreditState.REJECTED:
                found[self.counted(stands.code)] = found.get(self.counted(stands.code), 0) + SIZE
        return found

    def rejected_by_counters(self) -> dict[str, int]:
        """The same by what answers counted, less what was sent again since."""
        found = {code: -size for code, size in self.sent_again.items()}
        for sums in self.answers.billed(CAMPAIGN, CHANNEL).values():
            for counted, moved in sums.items():
                if isinstance(counted, RejectedWith):
                    found[counted.code] = found.get(counted.code, 0) + int(moved)
        return {code: size for code, size in found.items() if size}

    def owed(self) -> tuple[int, int]:
        """How many credits are not wholly on bills, and how much of them, by the counters of deadlines."""
        number, size = self.deliveries.dues.get(DueOf(CAMPAIGN, DUE, "USD"), (0, 0))
        return number, int(size)

    def pass_days(self, days: int) -> None:
        """Let time pass."""
        self.now += timedelta(days=days)


def granted(key: DecisionKey) -> Entry:
    """A decision that grants 5.00 USD."""
    decision = Decision(Outcome.GRANTED, "credit", (Benefit(Money(SIZE, "USD"), component="outage"),))
    assert worth_of(decision.benefits[0]) == ("USD", SIZE)
    body = decision_body(key.campaign, "2", "0" * 64, "0" * 32, decision)
    return Entry(key, body, Outcome.GRANTED, remaining_of(decision.benefits), GRANTED_AT, None, 0, 0)
