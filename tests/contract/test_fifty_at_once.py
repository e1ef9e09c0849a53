"""Fifty workers and persons at once, over real transactions (DynamoDB Local alone): whatever meets has one order.

A void against a delivery that assigns, a void that asks the biller against its answers and against deliveries that
open, and decisions by hand against the start of an execution. That goodwill keeps its limits under fifty is shown in
test_goodwill_store.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from kulanz.adapters.aws import client
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.case_table import DynamoCases
from kulanz.adapters.credit_actions import DynamoReversals
from kulanz.adapters.credit_entries import DynamoCredits
from kulanz.adapters.delivery_table import DynamoDeliveries
from kulanz.adapters.index_table import DynamoIndex
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.application.campaigns.chunk_run import GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.cases.store import HandStep
from kulanz.application.delivery.ask_biller import ReversalAsking
from kulanz.application.delivery.void_writes import VoidWriter
from kulanz.application.delivery.world import Booked, EntriesChange
from kulanz.application.ports import AtTheGate, Outdated, Start, TryAgain
from kulanz.domain.byhand.counts import CountOf, steps_with
from kulanz.domain.byhand.discretion import ByHand
from kulanz.domain.campaigns.campaign import Pass, State
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.added import Additions, not_delivered
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.entries import CreditEntry, EntryKind, answer_id
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.standing import AddResult, CreditState, add_entry, standing
from kulanz.domain.delivery.void import Void, parts_of, reversal_entry, void_entry
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey, decided_by_hand
from kulanz.domain.ledger.hand_decision import HandDecision, Way
from kulanz.domain.money import Money
from kulanz.domain.time import microseconds_of
from tests.contract.backends import AwsBackend
from tests.contract.conftest import DYNAMODB_LOCAL
from tests.contract.test_races_at_the_gate import waiting_plan
from tests.support.billed import Clock
from tests.support.values import FIRST, INCIDENT, NOW, approval, change, entry

FIFTY = 50
DECISIONS = 20
PAGE = 5
"""Decisions that a worker writes in one call."""
SIZE = 500
GRANTED = '{"benefits":[{"money":[500,"EUR"]}],"outcome":"granted","reason":"credit"}'
HELD = '{"outcome":"held","reason":"fee_unknown"}'
LATER = NOW + timedelta(days=1)
ASSIGNED = CreditEntry(EntryKind.ASSIGNED, LATER, "delivery", "billing/1", (0,), delivery="billing/1")
VOID = Void(
    VoidId(FIRST, "wrong"), "why", "iam:anna", "iam:anna", LATER + timedelta(hours=1), asks_biller=True,
    started_at=LATER + timedelta(hours=2),
)  # fmt: skip
SETTINGS = GrantSettings(1, 0.0, 800)

pytestmark = pytest.mark.parametrize("emulator", [DYNAMODB_LOCAL], indirect=True)


class One:
    """One of the fifty, with connections of its own."""

    def __init__(self, number: int, backend: AwsBackend) -> None:
        database, credits_, campaigns = client("dynamodb"), backend.credits_table, backend.campaigns_table
        self.number, self.random = number, Random(number)
        self.ledger = DynamoLedger(database, credits_, calls_in_flight=1)
        self.campaigns = DynamoCampaigns(database, campaigns)
        self.credits = DynamoCredits(database, credits_, calls_in_flight=1)
        self.reversals = DynamoReversals(database, credits_, campaigns)
        self.deliveries = DynamoDeliveries(database, campaigns)
        self.index = DynamoIndex(database, campaigns, credits_)
        self.cases = DynamoCases(database, credits_, campaigns)

    def each(self, keys: Sequence[DecisionKey], act: Callable[[list[DecisionKey]], list[DecisionKey]]) -> None:
        """Act on some decisions, in an order of its own, and again on those that `act` leaves."""
        waiting = self.random.sample(list(keys), len(keys))
        while waiting:
            waiting = waiting[PAGE:] + act(waiting[:PAGE])


def all_at_once[Found](backend: AwsBackend, act: Callable[[One], Found]) -> list[Found]:
    """Let all fifty begin at the same moment; what each came to."""
    fifty, line = [One(number, backend) for number in range(FIFTY)], threading.Barrier(FIFTY)

    def begun(one: One) -> Found:
        line.wait()
        return act(one)

    with ThreadPoolExecutor(FIFTY) as pool:
        return list(pool.map(begun, fifty))


def granted(aws: AwsBackend, *entries: CreditEntry) -> list[DecisionKey]:
    """Decisions of a campaign, of whose credits something was said already."""
    found = [entry(f"a-{number:02d}", GRANTED) for number in range(DECISIONS)]
    aws.ledger.insert(found)
    if entries:
        assert all(aws.credits.write_entries([EntriesChange(one.key, (), entries) for one in found]))
    return [one.key for one in found]


def writer_of(one: One) -> VoidWriter:
    """What a void's worker writes with."""
    return VoidWriter(
        Pass.APPLY, False, one.campaigns, one.ledger, one.credits, FrozenCache(), SETTINGS, Clock(LATER)
    )  # fmt: skip


def writing(one: One, new: CreditEntry, *, is_voiding: bool) -> Callable[[list[DecisionKey]], list[DecisionKey]]:
    """Write an entry of each decision that takes it, as a void's worker does, or as a delivery's; what is left."""
    writer = writer_of(one)

    def write(keys: list[DecisionKey]) -> list[DecisionKey]:
        stands = one.credits.booked(keys)
        changes = {}
        for key in keys:
            adding = add_entry(stands[key].entries, new, {0: SIZE})
            if adding.result is AddResult.ADDED:
                changes[key] = stands[key].entry, EntriesChange(key, stands[key].entries, adding.entries)
        if is_voiding:
            written = writer.write(list(changes.values()))
            return [key for key in changes if key not in written]
        results = one.credits.write_entries([of for _, of in changes.values()])
        return [key for key, is_written in zip(changes, results, strict=True) if not is_written]

    return write


def test_of_a_void_and_a_delivery_that_assigns_one_has_each_credit_and_never_both(emulator: AwsBackend) -> None:
    """25 workers of a void's chunk, and 25 of a delivery's, over the same decisions."""
    waiting_plan(emulator)
    keys, voided = granted(emulator), void_entry(VOID, (0,))

    def act(one: One) -> None:
        is_voiding = bool(one.number % 2)
        one.each(keys, writing(one, voided if is_voiding else ASSIGNED, is_voiding=is_voiding))

    all_at_once(emulator, act)

    stands = emulator.credits.booked(keys)
    assert {len(one.entries) for one in stands.values()} == {1}
    found = Counter(standing(one.entries, 0, SIZE).state for one in stands.values())
    assert found.keys() <= {CreditState.VOIDED, CreditState.ASSIGNED}
    assert found.total() == DECISIONS


def additions(aws: AwsBackend) -> list[Addition]:
    """What was added to the campaign."""
    page = aws.index.additions(FIRST)
    found = [*page.found]
    while page.after:
        page = aws.index.additions(FIRST, page.after)
        found += page.found
    return found


ANSWERS = (EntryKind.ACCEPTED, EntryKind.REJECTED)


def test_what_is_asked_back_beside_answers_and_deliveries_has_one_addition_which_no_delivery_misses(
    emulator: AwsBackend,
) -> None:
    """20 workers of a void's chunk ask, 20 hear what the biller says of the same credits, 10 open deliveries."""
    waiting_plan(emulator)
    keys = granted(emulator, ASSIGNED)
    opened, begun = list[Additions](), time.monotonic()

    def ask(one: One) -> None:
        asking = ReversalAsking(VOID, one.campaigns, one.credits, one.reversals, writer_of(one))

        def page(some: list[DecisionKey]) -> list[DecisionKey]:
            mine: dict[DecisionKey, Booked] = one.credits.booked(some)
            parts = {key: list(parts_of(found.entry, found.entries, VOID)) for key, found in mine.items()}

            def wanted() -> dict[DecisionKey, CreditEntry]:
                found = (
                    (key, reversal_entry(VOID, mine[key].entry, mine[key].entries, of)) for key, of in parts.items()
                )
                return {key: new for key, new in found if new is not None}

            try:
                asking.ask(mine, wanted, Clock(VOID.opened_at + timedelta(seconds=time.monotonic() - begun)))
            except TryAgain:  # deliveries keep opening: by a later clock it is behind them
                return some
            return []

        one.each(keys, page)

    def hear(one: One) -> None:
        kind = ANSWERS[one.number // 5 % len(ANSWERS)]
        said = CreditEntry(kind, LATER, "file", answer_id(kind, "billing/1"), (0,), delivery="billing/1", code="x")
        one.each(keys, writing(one, replace(said, code="" if kind is EntryKind.ACCEPTED else "x"), is_voiding=False))

    def open_delivery(one: One) -> None:
        for _ in range(10):
            added, last = one.deliveries.added(FIRST), one.index.last_addition(FIRST)
            earlier = [of.additions for of in one.deliveries.over_additions(FIRST) if of.additions is not None]
            if last is None or microseconds_of(last.at) < added.until:
                continue
            taken = not_delivered(added, microseconds_of(last.at) + 1, earlier)
            serial = DeliveryId("billing", one.deliveries.last_serial("billing") + 1)
            try:
                one.deliveries.open(Delivery(serial, FIRST, FileFormat.CSV, LATER, "x", additions=taken), added)
            except Outdated:
                continue
            opened.append(taken)

    def act(one: One) -> None:
        (ask, hear, ask, hear, open_delivery)[one.number % 5](one)

    all_at_once(emulator, act)

    stands = emulator.credits.booked(keys)
    asked = {
        key for key, one in stands.items() if any(of.kind is EntryKind.REVERSAL_ASKED for of in one.entries)
    }  # fmt: skip
    assert all(sum(of.kind is EntryKind.REVERSAL_ASKED for of in one.entries) <= 1 for one in stands.values())
    listed = additions(emulator)
    assert all(one.kind is AdditionKind.REVERSAL for one in listed)
    assert Counter(one.key for one in listed) == dict.fromkeys(asked, 1)
    assert emulator.deliveries.added(FIRST).number == len(asked) > 0
    assert opened, "no delivery met what was asked"
    until = 0
    for start, end, number in sorted({(one.start, one.end, one.number) for one in opened}):
        assert start == until, "no instant is in two deliveries, and none in no one"
        until = end
        assert sum(start <= microseconds_of(one.at) < end for one in listed) == number


def test_no_case_is_decided_after_a_campaign_of_its_incident_began_to_grant_and_each_is_decided_once(
    emulator: AwsBackend,
) -> None:
    """49 persons decide the same cases, while a fiftieth gives the last yes to a campaign of the incident."""
    plan = waiting_plan(emulator)
    begun, first = threading.Event(), threading.Event()
    held = [entry(f"h-{number:02d}", HELD, status=Outcome.HELD, remaining=()) for number in range(FIFTY * 4)]
    emulator.ledger.insert(held)
    decision = Decision(Outcome.GRANTED, "credit", (Benefit(money=Money(SIZE, "EUR")),), mode="automatic")

    def start(one: One) -> tuple[int, int]:
        assert first.wait(60)
        while True:
            campaign, record = one.campaigns.campaign(FIRST), one.campaigns.incident(INCIDENT)
            assert campaign is not None
            assert record is not None
            gate = AtTheGate(action=approval(plan), start=Start(record))
            try:
                one.campaigns.change_state(campaign, change(campaign, State.APPLYING), gate)
            except Outdated:
                continue
            begun.set()
            return 0, 0

    def decide(one: One) -> tuple[int, int]:
        made = size = 0
        person = CountOf(ByHand.CASES, "2026-03", "EUR", person=f"sso:{one.number}")
        hand = HandDecision(f"d-{one.number}", LATER, Way.POLICY, decision, "known", "Known", f"sso:{one.number}")
        record = one.campaigns.incident(INCIDENT)
        assert record is not None
        for case in one.random.sample(held, DECISIONS):
            had_begun = begun.is_set()
            counts = steps_with(one.cases.counts([person]), f"sso:{one.number}", SIZE)
            try:
                one.cases.decide(HandStep(case, decided_by_hand(case, hand), record, counts=counts))
            except Outdated:
                continue
            first.set()
            assert not had_begun, "decided while a campaign of the incident grants"
            made, size = made + 1, size + SIZE
        assert one.cases.counts([person])[0].size == size
        return made, size

    came = all_at_once(emulator, lambda one: decide(one) if one.number else start(one))

    assert begun.is_set()
    stands = emulator.ledger.standing([one.key for one in held])
    decided = [one for one in stands.values() if one.by_hand is not None]
    assert sum(made for made, _ in came) == len(decided)
    assert emulator.cases.decided(FIRST).granted.get("EUR", 0) == SIZE * len(decided)
    assert Counter(one.key for one in emulator.index.additions(FIRST).found if one.key in stands).total() <= len(
        decided
    )
