"""A worker of a delivery: how far a part goes, in which order its credits are, and what the worker says that it did."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.delivery import deliver_chunk as module
from kulanz.application.delivery import kept_back as keeping
from kulanz.application.delivery.deliver_chunk import DeliverDone, DeliverWork
from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ports.messages import DeliveryMessage
from kulanz.domain.campaigns.campaign import DELIVERABLE, CampaignId, Cause, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt, DeliveryState
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.ledger.entries import DecisionKey, Lifetime, decided_by_hand, decision_body, new_entry
from kulanz.domain.ledger.hand_decision import HandDecision, Way
from kulanz.domain.money import Money
from tests.support import world_deliveries
from tests.support.billing_files import read_delivery
from tests.support.faults import Tap
from tests.support.small_campaign import CAMPAIGN, list_of, row
from tests.support.world import World
from tests.unit.application.delivery.test_delivering import closed

FIRST = DeliveryId("billing", 1)
PACE = 2.0
"""Entries a second: a wave has one row."""
MOST = 3


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[DeliverDone]:
    """What each worker says that it did, where a part has few lines."""
    found: list[DeliverDone] = []
    work = module.deliver_chunk

    def worked(*asked: Any) -> DeliverDone:
        found.append(work(*asked))
        return found[-1]

    monkeypatch.setattr(module, "LINES_PER_PART", MOST)
    monkeypatch.setattr(world_deliveries, "deliver_chunk", worked)
    return found


def receipts(world: World, delivery: DeliveryId = FIRST) -> list[DeliveryReceipt]:
    """Those of a delivery, as the list goes."""
    return sorted(world.deliveries.receipts(delivery), key=lambda one: one.start)


def accounts(world: World, delivery: Delivery) -> list[str]:
    """Whose the credits of a delivery are, each once, in the order of its files."""
    found = read_delivery(world.archive.documents, delivery.id.folder).credits.values()
    return list(dict.fromkeys(one["account_id"] for one in found))


def due(*lines: bytes, tap: Tap | None = None, pace: float = PACE) -> World:
    """A campaign over some lines that has closed, and is delivered from now on."""
    world = closed(list_of(lines), rows=sum(bool(line) for line in lines), delivers=False)
    world.units_per_second, world.delivers, world.tap = pace, True, tap or Tap()
    world.campaigns.changes.append(world.campaign(CAMPAIGN).id)
    return world


def test_a_part_ends_where_it_has_as_many_lines_as_it_may_and_the_worker_says_all_that_it_did(
    done: list[DeliverDone],
) -> None:
    """Lines are all that the list has, also those that are blank or grant nothing."""
    names = ("a-1", "", "a-2", "a-3", "no", "a-4", "a-5", "a-6", "a-7", "a-8")
    world = due(*(row(one, affected="no" if one == "no" else "yes") if one else b"" for one in names))
    world.run_until_quiet()
    found = receipts(world)
    assert [one.lines for one in found] == [3, 3, 3, 1]
    assert [one.sums.number for one in found] == [2 * granted for granted in (2, 2, 3, 1)]
    worked = [one for one in done if one.receipts]
    assert worked == [DeliverDone(DeliverWork.FINISHED, 10, 16, 4)]


def test_credits_are_in_the_order_of_their_lines_also_where_somebody_else_wrote_of_the_first_meanwhile() -> None:
    """Whoever renders the part again finds them in no other order, so that its bytes are the same."""
    tap = Tap()
    names = ["a-3", "a-1", "a-4", "a-2"]
    world = due(*map(row, names), tap=tap, pace=0.0)
    (victim,) = world.ledger.of_account("a-3")
    other = CreditEntry(EntryKind.VOIDED, world.now, "test", "void/1/other", (1,))
    raced: list[bool] = []

    def race(_: int, name: str) -> None:
        if name == "credits.write_entries" and not raced:
            raced.extend(world.credits.write_entries([EntriesChange(victim.key, (), (other,))]))

    tap.choose = race
    world.run_until_quiet()
    assert raced == [True]
    found = world.deliveries.delivery(FIRST)
    assert found is not None
    assert (found.state, accounts(world, found)) == (DeliveryState.SENT, names)


@pytest.mark.parametrize("delivery", ["other/1", str(FIRST)])
def test_what_was_void_before_a_credit_was_assigned_counts_once_whoever_has_the_credit(delivery: str) -> None:
    """Of a-1 a part was void when this delivery, or another one, took the rest of it."""
    world = due(row("a-1", fee="50.00"), row("a-2", fee="20.00"), pace=0.0)
    (victim,) = world.ledger.of_account("a-1")
    reduced = CreditEntry(EntryKind.REDUCED, world.now, "test", "void/1/other", (0,), sizes=(130,))
    assigned = CreditEntry(EntryKind.ASSIGNED, world.now, "delivery", delivery, (0, 1), delivery=delivery)
    assert world.credits.write_entries([EntriesChange(victim.key, (), (reduced, assigned))]) == [True]
    world.run_until_quiet()
    found = world.deliveries.delivery(FIRST)
    assert found is not None
    assert found.state is DeliveryState.SENT, found.reason
    is_mine = delivery == str(FIRST)
    sums = {"EUR": 500 - 130 + 200, "call_minute": 40} if is_mine else {"EUR": 200, "call_minute": 20}
    assert found.sums.by_measure() == sums
    assert found.elsewhere.by_measure() == ({"EUR": 130} if is_mine else {"EUR": 500, "call_minute": 20})


@pytest.mark.parametrize(("beyond", "asks"), [(0, True), (1, False)])
def test_a_message_of_a_finished_chunk_or_of_none_says_that_nothing_was_to_do(beyond: int, *, asks: bool) -> None:
    """The cursor of a chunk that the campaign has not is never asked for."""
    world = due(row("a-1"))
    campaign = world.campaign(CAMPAIGN)
    under_way = Delivery(FIRST, campaign.id, FileFormat.CSV, world.now, "cause")
    looked: list[int] = []

    def cursor(_: DeliveryId, chunk: int) -> Any:
        looked.append(chunk)
        return SimpleNamespace(finished=True)

    deliveries = SimpleNamespace(delivery=lambda _: under_way, cursor=cursor)
    ports: Any = SimpleNamespace(deliveries=deliveries, campaigns=world.campaigns)
    nothing: Any = None
    last = under_way.chunks(campaign) - 1
    found = module.deliver_chunk(DeliveryMessage(FIRST, last + beyond), ports, nothing, nothing, nothing)
    assert found == DeliverDone(DeliverWork.NOTHING_TO_DO)
    assert looked == ([last] if asks else [])


@pytest.mark.parametrize("state", DELIVERABLE)
@pytest.mark.parametrize("keeps", [True, False])
def test_whatever_an_ended_campaign_keeps_back_is_noted_in_whichever_state_it_ended(
    state: State, monkeypatch: pytest.MonkeyPatch, *, keeps: bool
) -> None:
    world = due(row("a-1"))
    campaign = replace(world.campaign(CAMPAIGN), state=state)
    opened: list[Any] = []
    monkeypatch.setattr(keeping, "open_over_list", lambda *asked: opened.append(asked))
    monkeypatch.setattr(keeping, "kept_back", lambda *_: ["a line"] if keeps else [])
    ports: Any = world
    cause = Cause("anna", "x", "1")
    keeping.end_delivered(campaign, ports, ports, cause, world.now)
    assert opened == [(campaign, world, cause, world.now)]
    kept = [(one.kind, one.on) for one in world.troubles.troubles() if one.kind is TroubleKind.KEPT_BACK]
    assert kept == ([(TroubleKind.KEPT_BACK, CAMPAIGN)] if keeps else [])


MONEY, TIME, MORE = (Benefit(Money(size, "EUR")) for size in (100, 200, 400))


@pytest.mark.parametrize(
    ("decision", "given", "whole"),
    [
        (Decision(Outcome.GRANTED, "x", (MONEY,), claimable=(TIME,)), None, (MONEY, TIME)),
        (Decision(Outcome.GRANTED, "x", (MONEY,)), MORE, (MONEY, MORE)),
        (Decision(Outcome.HELD, "x"), MORE, (MORE,)),
        (Decision(Outcome.REFERRED, "x"), MORE, (MORE,)),
    ],
)
def test_after_what_was_granted_at_once_comes_what_is_claimed_or_what_a_person_gave(
    decision: Decision, given: Benefit | None, whole: tuple[Benefit, ...]
) -> None:
    at = datetime(2026, 5, 3, tzinfo=UTC)
    key = DecisionKey("a-1", "outage", "-", 1)
    body = decision_body(CampaignId("outage", 1), "3", "policy", "0" * 32, decision)
    made = new_entry(key, 0, body, decision, Lifetime.of(decision, at, at))
    if given is not None:
        granted = Decision(Outcome.GRANTED, "long_wait", (given,))
        made = decided_by_hand(made, HandDecision("h-1", at, Way.AMOUNT, granted, "long_wait", "Long wait", "anna"))
    assert module._every(decision, made) == whole


def test_two_persons_amounts_for_alike_decisions_are_delivered_each_as_it_was_given() -> None:
    """Their bodies are equal: what a worker remembers of one must not count for the other."""
    at = datetime(2026, 5, 3, tzinfo=UTC)
    held = Decision(Outcome.HELD, "x")
    body = decision_body(CampaignId("outage", 1), "3", "policy", "0" * 32, held)
    worker: Any = SimpleNamespace(decisions={}, delivery=SimpleNamespace(additions=at), is_goodwill=False)
    row_: Any = SimpleNamespace(benefit=None)
    for name, given in (("a-1", MONEY), ("a-2", MORE), ("a-1", MONEY)):
        made = new_entry(DecisionKey(name, "outage", "-", 1), 0, body, held, Lifetime.of(held, at, at))
        granted = Decision(Outcome.GRANTED, "long_wait", (given,))
        hand = HandDecision("h-1", at, Way.AMOUNT, granted, "long_wait", "Long wait", "anna")
        booked: Any = SimpleNamespace(entry=decided_by_hand(made, hand))
        assert given.money is not None
        assert module._Run._decision(worker, booked, row_) == (held, {0: given.money.minor})
