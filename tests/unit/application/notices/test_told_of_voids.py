"""What customers are told of voids: exactly what was taken back, once, and nothing where the policy has no text."""

import json
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.world import Booked
from kulanz.application.notices.publish_notices import PublishPorts, Recorded, publish_notices, voided_values
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.taken import Taken, taken_of
from kulanz.domain.delivery.void import Share, Void, VoidState
from kulanz.domain.halt import Halt, HaltAction, Verb
from kulanz.domain.ledger.entries import Entry
from kulanz.domain.notices import voided_notice_id
from tests.fake_biller.biller import Biller, Faults
from tests.support.by_hand import decide, door_of
from tests.support.effort import examples
from tests.support.faults import HALVABLE, Fault, Tap
from tests.support.road import ACCOUNTS, Road
from tests.support.small_campaign import (
    CAMPAIGN,
    TELLS_VOIDS,
    event,
    list_of,
    row,
    sealed_policy,
    small_world,
    telling_world,
)
from tests.support.voiding import file_of, net, stands
from tests.support.world import ANNA, BEN, World
from tests.support.world_door import WorldDoor
from tests.support.world_voids import approved, asked, run_voids, watched_voids

ROWS = [
    row("a-de", fee="29.90"),
    row("a-en", fee="10.00", language="en"),
    row("a-fr", fee="20.00", language="fr"),
    row("held", segment=""),
    row("declined", affected="no"),
]
GRANTED = {"a-de", "a-en", "a-fr"}


def closed(version: int = 2) -> World:
    """A world whose campaign has closed, and whose customers were told of it."""
    world = telling_world(list_of(ROWS))
    world.publish(event(rows=len(ROWS), policy_version=version))
    world.run_until_quiet()
    return world


def planned(world: World, **of: Any) -> Void:
    void = asked(world, ANNA, **of)
    run_voids(world)
    return stands(world, void)


def executed(world: World, tap: Tap | None = None, **of: Any) -> Void:
    """A void to its end; where a function dies, the schedule takes it there."""
    void = planned(world, **of)
    approved(world, void, BEN)
    run_voids(world, tap)
    for _ in range(3):
        watched_voids(world)
        run_voids(world)
    return stands(world, void)


def told(world: World) -> dict[str, dict[str, Any]]:
    """The distinct notices about voids, by id. Raises AssertionError where one came twice with other content."""
    found: dict[str, dict[str, Any]] = {}
    for message in world.topic.published:
        content = json.loads(message.text)
        for recipient in content["recipients"] if content["kind"] == "voided" else ():
            one = {**content, **recipient}
            del one["recipients"]
            assert found.setdefault(recipient["notice_id"], one) == one
    return found


def by_account(world: World) -> dict[str, dict[str, Any]]:
    found = told(world)
    by = {one["account_id"]: one for one in found.values()}
    assert len(by) == len(found), "an account was told twice of one void"
    return by


def due(world: World) -> set[str]:
    """The ids of the notices that the ledger's entries call for."""
    return {voided_notice_id(entry.key, taken) for entry, taken in _taken(world) if taken.is_taken}


def _taken(world: World) -> list[tuple[Entry, Any]]:
    entries = world.ledger.all_entries()
    return [(entry, taken) for entry in entries for taken in taken_of(entry, world.credits.of(entry.key))]


# What is told, and to whom


def test_a_plan_says_how_many_are_told_and_tells_nobody() -> None:
    world = closed()
    void = planned(world)
    world.run_until_quiet()
    assert (void.plan.totals.notices, void.plan.totals.decisions, told(world)) == (3, 3, {})
    assert (
        void.plan_hash != replace(void, plan=replace(void.plan, totals=replace(void.plan.totals, notices=2))).plan_hash
    )


def test_each_customer_is_told_in_the_language_of_the_first_notice_what_was_taken_back() -> None:
    world = closed()
    void = executed(world)
    world.run_until_quiet()
    found = by_account(world)
    assert (void.state, void.apply.totals.notices) == (VoidState.VOIDED, 3)
    assert {account: one["locale"] for account, one in found.items()} == {"a-de": "de", "a-en": "en", "a-fr": "en"}
    one = found["a-de"]
    assert (one["kind"], one["channel"], one["campaign"]) == ("voided", "email", CAMPAIGN)
    assert one["template"] == {"subject": "Zurück", "text": "Wir nehmen {{ taken_back }} zurück."}
    assert one["policy"] == {"id": "net-credit", "version": 2}
    at = void.started_at
    assert at is not None
    assert one["values"] == {
        "reason": "credit",
        "taken_back": "2.99 EUR, 20 call_minute",
        "left": "0.00 EUR, 0 call_minute",
        "amount": "2.99",
        "currency": "EUR",
        "effective_at": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "void": f"{CAMPAIGN}/wrong-list",
    }


def test_a_value_of_the_policys_own_never_stands_for_what_was_taken_back() -> None:
    """It was worked out when it was decided: another amount, and another day, than those of the void."""
    ours = ("taken_back", "left", "amount", "currency", "effective_at", "void")
    own = "".join(f"    {name}: '\"theirs\"'\n" for name in (*ours, "quantity", "unit", "their_own"))
    world = small_world(list_of(ROWS))
    world.policies.publish("net-credit", 2, sealed_policy(f"{TELLS_VOIDS}  values:\n{own}"))
    world.publish(event(rows=len(ROWS), policy_version=2))
    world.run_until_quiet()
    executed(world)
    world.run_until_quiet()
    for account, one in by_account(world).items():
        assert {name for name, value in one["values"].items() if value == "theirs"} == {"their_own"}, account
        assert set(ours) <= one["values"].keys()


@pytest.mark.parametrize(
    ("benefit", "quantity", "unit"),
    [
        (Benefit(quantity="unlimited", unit="data"), "unlimited", "data"),
        (Benefit(quantity="unlimited", unit="data", terms={"each": "week", "times": "2"}), "unlimited", "data"),
        (Benefit(quantity="100", unit="GB", terms={"each": "week", "times": "2"}), "100", "GB"),
        (Benefit(quantity="1.5", unit="GB"), "1.5", "GB"),
    ],
)
def test_what_is_taken_back_is_said_as_it_was_when_it_was_granted(benefit: Benefit, quantity: str, unit: str) -> None:
    measure, size = worth_of(benefit)
    void = VoidId(CampaignId.parse(CAMPAIGN), "wrong")
    taken = Taken(datetime(2026, 7, 1, tzinfo=UTC), void, "void/1/wrong", (0,), {measure: size}, {measure: 0 * size})
    values = voided_values(Decision(Outcome.GRANTED, "credit", (benefit,)), taken)
    assert (values["quantity"], values["unit"]) == (quantity, unit)
    assert (values["taken_back"], values["left"]) == (f"{quantity} {unit}", f"{0 * size} {unit}")


def test_a_notice_names_no_person_and_not_why() -> None:
    world = closed()
    executed(world)
    world.run_until_quiet()
    said = "".join(message.text for message in world.topic.published)
    assert told(world)
    assert not [one for one in ("anna", "user/", "iam:", "it was the wrong list") if one in said]


def test_without_a_text_nobody_is_told_and_the_stream_hears_of_nothing() -> None:
    world = closed(version=1)
    void = executed(world)
    world.run_until_quiet()
    assert (void.state, void.plan.totals.notices, void.apply.totals.notices) == (VoidState.VOIDED, 0, 0)
    assert (told(world), world.credits.notice_locale, world.credits.changed) == ({}, {}, [])
    assert due(world), "something was taken back"


def test_only_whom_the_void_is_about_is_told() -> None:
    world = closed()
    executed(world, file=file_of(world, b"account_id\na-en\nheld\nnobody\n"))
    world.run_until_quiet()
    assert set(by_account(world)) == {"a-en"}


def test_who_was_told_of_no_credit_is_not_told_that_it_is_gone() -> None:
    """Who is held has a notice, which says so. What a person grants after that is told by no notice."""
    world = closed()
    granted = decide(door_of(world), "held", way="amount", amount="2.50", measure="EUR")
    assert granted.status == 200
    void = executed(world)
    world.run_until_quiet()
    assert net(world, "held") == {}
    assert (void.plan.totals.notices, void.apply.totals.notices, set(by_account(world))) == (3, 3, GRANTED)


def test_a_second_void_of_the_rest_tells_the_others_alone() -> None:
    world = closed()
    executed(world, file=file_of(world, b"account_id\na-en\n"))
    void = executed(world, name="the-rest")
    world.run_until_quiet()
    assert void.apply.totals.notices == 2
    values = {account: one["values"]["void"].rpartition("/")[2] for account, one in by_account(world).items()}
    assert values == {"a-en": "wrong-list", "a-de": "the-rest", "a-fr": "the-rest"}


def test_of_what_was_overpaid_the_customer_is_told_the_difference_and_what_is_left() -> None:
    world = telling_world(list_of([row("a-1", fee="50.00"), row("a-2")]))
    world.publish(event(rows=2, policy_version=2))
    world.run_until_quiet()
    world.lists.upload("lists/next.csv", list_of([row("a-1", fee="20.00"), row("a-2")]))
    left_out = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    again = event(detail_type="Campaign Requested", key="lists/next.csv", rows=2, policy_version=2, **left_out)  # type: ignore[arg-type]
    world.publish(again)
    world.run_until_quiet()
    void = executed(world, campaign="net-outage/2", is_of_overpaid=True)
    world.run_until_quiet()
    assert (void.plan.totals.notices, void.apply.totals.notices) == (1, 1)
    (one,) = told(world).values()
    assert (one["account_id"], one["campaign"]) == ("a-1", "net-outage/1"), "the decision that was reduced"
    assert (one["values"]["taken_back"], one["values"]["left"]) == ("3.00 EUR", "2.00 EUR, 20 call_minute")


# Once


def possible(fault: Fault | None, name: str) -> Fault | None:
    """A fault, where it can happen to a call of this name."""
    return fault if fault is not Fault.HALF_DONE or name in HALVABLE else None


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("number", range(0, 30, 3))
def test_wherever_the_worker_of_a_void_dies_each_customer_is_told_once(number: int, fault: Fault) -> None:
    world = closed()
    void = executed(world, Tap(lambda at, name: possible(fault, name) if at == number else None))
    world.run_until_quiet()
    assert (void.state, void.apply.totals.notices) == (VoidState.VOIDED, 3)
    assert set(by_account(world)) == GRANTED
    assert set(told(world)) == due(world)


@settings(max_examples=examples(25), deadline=None)
@given(faults=st.lists(st.sampled_from([None, None, *Fault]), max_size=40), repeats=st.booleans())
def test_whatever_is_lost_or_repeated_between_ledger_and_topic_each_notice_is_the_same_one(
    faults: list[Fault | None], repeats: bool
) -> None:
    world = closed()
    executed(world)
    world.tap = Tap(lambda at, name: possible(faults[at], name) if at < len(faults) else None)
    world.run_until_quiet()
    world.tap = Tap()
    if repeats:
        world.repeat_streams()
    world.redrive()
    world.run_until_quiet()
    assert set(by_account(world)) == GRANTED
    assert set(told(world)) == due(world)


def test_notices_that_are_published_again_are_the_same() -> None:
    world = closed()
    executed(world)
    world.run_until_quiet()
    before = told(world)
    every = Counter(json.loads(message.text)["kind"] for message in world.topic.published)
    world.topic.published.clear()
    reply = WorldDoor(world).put(f"repairs/notices/{CAMPAIGN}/again", {})
    assert (reply.status, reply.content["next"]) == (200, None)
    assert told(world) == before != {}
    assert Counter(json.loads(one.text)["kind"] for one in world.topic.published).keys() == every.keys() - {
        "incident_declared"
    }


def test_a_halt_keeps_what_was_taken_back_until_it_is_published_again() -> None:
    world = closed()
    executed(world)
    before, action = world.campaigns.halt(), HaltAction("h-1", Verb.SET, "a person", "a wrong text", world.now)
    world.campaigns.change_halt(before, Halt(version=1, number=1, set=action), action)
    world.run_until_quiet()
    assert told(world) == {}
    assert [(one.kind, one.on) for one in world.troubles.troubles()] == [(TroubleKind.NOTICES, CAMPAIGN)]


# What the biller is asked for


def notices(road: Road) -> Counter[str]:
    road.world.run_until_quiet()
    return Counter(one["values"]["taken_back"] for one in told(road.world).values())


def test_what_the_biller_is_asked_for_is_told_once_it_is_booked_credit_by_credit() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller, version=2)
        for step in ("deliver", "answer"):
            road.step(step)
        assert road.void(["booked"], asks_biller=True) is VoidState.VOIDED
        (void,) = road.world.voids.of_campaign(CampaignId.parse(CAMPAIGN))
        assert (void.plan.totals.notices, void.apply.totals.notices, void.apply.totals.by_measure(Share.VOIDED)) == (
            1,
            1,
            {},
        )
        assert notices(road) == {}, "it is asked for, and not void"
        road.step("deliver")
        assert notices(road) == {}
        road.step("answer")
        assert notices(road) == {"2.99 EUR": 1, "20 call_minute": 1}
        assert {one["values"]["void"] for one in told(road.world).values()} == {str(void.id)}
        before = told(road.world)
        for step in ("cycle", "answer", "deliver"):
            road.step(step)
        road.world.run_until_quiet()
        assert told(road.world) == before, "what comes onto a bill afterwards is no news"
        sent = [json.loads(message.text) for message in road.world.topic.published]
        assert sum(len(one["recipients"]) for one in sent if one["kind"] == "voided") == 2, "and is not sent again"


def test_what_the_biller_does_not_take_back_is_told_to_nobody_and_asked_again_it_is() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller, version=2)
        for step in ("deliver", "answer", "cycle"):
            road.step(step)
        biller.set_faults(Faults(rejects_reversals=1_000))
        for step in ("ask booked", "deliver", "answer"):
            road.step(step)
        assert notices(road) == {}
        biller.set_faults(Faults())
        for step in ("ask booked", "deliver", "answer", "cycle"):
            road.step(step)
        assert notices(road).total() == 2


def test_the_difference_that_the_biller_is_asked_for_is_told_once_it_is_booked() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller, version=2)
        for step in ("deliver", "answer"):
            road.step(step)
        road.world.lists.upload("lists/right.csv", list_of([row(account, fee="10.00") for account in ACCOUNTS[:1]]))
        left_out = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
        right: dict[str, Any] = {"key": "lists/right.csv", "rows": 1, "policy_version": 2, **left_out}
        road.world.publish(event(detail_type="Campaign Requested", **right))
        road.world.run_until_quiet()
        road.world.now = road.world.now.replace(microsecond=0)
        void = executed(road.world, campaign="net-outage/2", is_of_overpaid=True, asks_biller=True)
        assert (void.state, void.plan.totals.notices, void.apply.totals.notices) == (VoidState.VOIDED, 1, 1)
        assert notices(road) == {}
        for step in ("deliver", "answer"):
            road.step(step)
        assert notices(road) == {"1.99 EUR": 1}
        (one,) = told(road.world).values()
        assert (one["account_id"], one["values"]["left"]) == ("booked", "1.00 EUR, 20 call_minute")


WAYS = ("deliver", "answer", "cycle", "ask", "void", "ask booked", *(f"void {account}" for account in ACCOUNTS))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_in_whatever_order_what_is_void_was_told_and_nothing_else(seed: int) -> None:
    random = Random(seed)
    with closing(Biller(":memory:")) as biller:
        biller.set_faults(replace(Faults(), seed=seed, rejects_reversals=300, lines_twice=200, other_order=True))
        road = Road(biller, version=2)
        for step in ("void booked", *(random.choice(WAYS) for _ in range(12))):
            road.step(step)
        road.world.run_until_quiet()
        assert set(told(road.world)) == due(road.world) != set()


def kept(world: World, account: str, *entries: CreditEntry) -> Recorded:
    """A decision as the stream would have it, to whose credits this happened at once."""
    (entry,) = world.ledger.of_account(account)
    return Recorded(Booked(entry, entries, "de"), ())


def published(world: World, record: Recorded) -> list[str]:
    """What of it is said to be taken back, in the order of the notices' ids."""
    world.topic.published.clear()
    ports = PublishPorts(world.campaigns, world.topic, world.troubles)
    publish_notices([record], ports, 100, FrozenCache())
    return sorted(one["values"]["taken_back"] for one in told(world).values())


def test_what_the_biller_gives_again_is_no_notice() -> None:
    world = closed()
    sent = CreditEntry(EntryKind.ASSIGNED, world.now, "test", "billing/1", (0,), delivery="billing/1")
    asks = CreditEntry(EntryKind.REVERSAL_ASKED, world.now, "anna", "void/1/v", (0,), sizes=(299,))
    gone = CreditEntry(EntryKind.REVERSAL_ASSIGNED, world.now, "test", "r/1", (0,), delivery="billing/2")
    booked = CreditEntry(EntryKind.REVERSAL_ACCEPTED, world.now, "test", "a/1", (0,), delivery="billing/2")
    undone = CreditEntry(EntryKind.REVERSAL_UNDONE, world.now, "test", "u/1", (0,), delivery="billing/2")
    before = (sent, asks, gone, booked)
    assert published(world, kept(world, "a-de", *before)) == ["2.99 EUR"]
    again = replace(kept(world, "a-de", *before, undone), before=before)
    assert published(world, again) == []
    assert published(world, kept(world, "a-de", *before, undone)) == ["2.99 EUR"], "also when all is published again"


def test_each_void_of_a_decision_is_a_notice_of_its_own() -> None:
    world = closed()
    parts = [
        CreditEntry(EntryKind.REDUCED, world.now, "anna", f"void/2/v-{number}/7", (0,), sizes=(size,))
        for number, size in enumerate((100, 50))
    ]
    assert published(world, kept(world, "a-de", *parts)) == ["0.50 EUR", "1.00 EUR"]
    assert published(world, replace(kept(world, "a-de", *parts), before=(parts[0],))) == ["0.50 EUR"]


def test_the_text_is_in_the_language_that_the_policy_has_for_it_and_not_always_in_that_of_the_first_notice() -> None:
    world = small_world(list_of(ROWS))
    without = TELLS_VOIDS[: TELLS_VOIDS.rindex("      de:")]
    world.policies.publish("net-credit", 2, sealed_policy(without))
    world.publish(event(rows=len(ROWS), policy_version=2))
    world.run_until_quiet()
    executed(world)
    world.run_until_quiet()
    assert {account: one["locale"] for account, one in by_account(world).items()} == dict.fromkeys(GRANTED, "en")


# What whoever asks reads


def test_an_answer_has_the_id_of_what_the_customer_was_told() -> None:
    world = closed()
    executed(world, file=file_of(world, b"account_id\na-de\n"))
    world.run_until_quiet()
    ((named, one),) = told(world).items()
    (decision,) = WorldDoor(world).get("accounts/a-de").content["decisions"]
    (back,) = decision["taken_back"]
    assert back["notice"] == {"id": named, "locale": one["locale"], "channel": one["channel"]}


def test_an_answer_says_that_nothing_was_told_where_nothing_was() -> None:
    world = closed(version=1)
    executed(world)
    (decision,) = WorldDoor(world).get("accounts/a-de").content["decisions"]
    assert [sorted(one.keys() & {"notice", "sums"}) for one in decision["taken_back"]] == [["sums"]]


def test_a_world_without_voids_tells_nothing_of_them() -> None:
    world = small_world(list_of(ROWS))
    world.publish(event(rows=len(ROWS)))
    world.run_until_quiet()
    assert told(world) == {}
