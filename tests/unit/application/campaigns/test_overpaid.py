"""A later campaign that owes less than earlier ones gave says how much that is, and takes nothing back by itself."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.adapters.receipt_items import read_receipt, receipt_item
from kulanz.application.delivery.world import EntriesChange
from kulanz.domain.campaigns.campaign import CampaignId, Pass, Receipt, State
from kulanz.domain.campaigns.reconciliation import RowResult, Totals, nothing_owed, worth_by_measure
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.void import VoidState
from kulanz.domain.exports.figures import Of, SumKey, differences, expected
from kulanz.domain.ledger.earlier_decisions import Before, overpaid, still_owed
from kulanz.domain.money import Money
from tests.support.by_hand import decide, door_of
from tests.support.exporting import by_rows, exported, rows
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import ANNA, BEN, World
from tests.support.world_voids import approved, asked, run_voids

SECOND, THIRD = f"{INCIDENT_ID}/2", f"{INCIDENT_ID}/3"
MEASURES = ("EUR", "call_minute")
SIZES = st.integers(0, 40)
type Sums = dict[str, int]


def benefits(sums: Sums) -> tuple[Benefit, ...]:
    """What comes to some sums; nothing of nothing."""
    made = {
        "EUR": lambda size: Benefit(money=Money(size, "EUR")),
        "call_minute": lambda size: Benefit(quantity=str(size), unit="call_minute"),
    }
    return tuple(made[measure](size) for measure, size in sums.items() if size)


def before(sums: Sums, *, is_by_hand: bool = False) -> Before:
    granted = tuple((measure, size if measure == "EUR" else Decimal(size)) for measure, size in sums.items())
    return Before(Outcome.GRANTED, granted, is_by_hand)


# What is too much


@given(
    given_before=st.fixed_dictionaries(dict.fromkeys(MEASURES, SIZES)).filter(lambda sums: any(sums.values())),
    due=st.fixed_dictionaries(dict.fromkeys(MEASURES, SIZES)),
    claimable=st.integers(0, 40),
    outcome=st.sampled_from([Outcome.GRANTED, Outcome.OFFERED]),
)
def test_given_before_and_owed_now_are_what_is_due_and_what_is_too_much(
    given_before: Sums, due: Sums, claimable: int, outcome: Outcome
) -> None:
    beside = claimable if outcome is Outcome.GRANTED else 0
    whole = Decision(outcome, "credit", benefits(due), claimable=benefits({"EUR": beside}))
    stands = before(given_before)
    owed = still_owed(whole, stands)
    too_much = dict(overpaid(whole, stands, owed))
    now = {} if owed is None else worth_by_measure(owed)
    to_claim = {} if owed is None else worth_by_measure(Decision(Outcome.GRANTED, "", owed.claimable))
    entitled = {**due, "EUR": due["EUR"] + beside}
    for measure in MEASURES:
        has = given_before[measure] + now.get(measure, 0) + to_claim.get(measure, 0)
        assert has - too_much.get(measure, 0) == entitled[measure]
        assert too_much.get(measure, 0) >= 0
    assert nothing_owed(tuple(too_much.items())) is (RowResult.OVERPAID if too_much else RowResult.UNCHANGED)


FIVE = before({"EUR": 500})
LESS = Decision(Outcome.GRANTED, "credit", benefits({"EUR": 200}))


@pytest.mark.parametrize(
    ("whole", "stands", "too_much"),
    [
        pytest.param(LESS, FIVE, 300, id="less is granted"),
        pytest.param(Decision(Outcome.OFFERED, "o", benefits({"EUR": 200})), FIVE, 300, id="less is offered"),
        pytest.param(Decision(Outcome.DECLINED, "no"), FIVE, 500, id="nothing is granted"),
        pytest.param(Decision(Outcome.HELD, "unknown"), FIVE, 0, id="held: all may be owed"),
        pytest.param(Decision(Outcome.REFERRED, "business"), FIVE, 0, id="referred: all may be owed"),
        pytest.param(LESS, before({"EUR": 500}, is_by_hand=True), 0, id="a person decided"),
        pytest.param(Decision(Outcome.DECLINED, "no"), before({"EUR": 500}, is_by_hand=True), 0, id="and nothing now"),
        pytest.param(
            Decision(Outcome.DECLINED, "no"), replace(FIVE, is_in_doubt=True), 0, id="another account may have it"
        ),
        pytest.param(LESS, None, 0, id="nothing was decided"),
        pytest.param(LESS, Before(None, ()), 0, id="all of it is void"),
        pytest.param(Decision(Outcome.DECLINED, "no"), Before(Outcome.HELD, ()), 0, id="it was held"),
        pytest.param(LESS, before({"call_minute": 20}), 0, id="another measure: a person decides"),
    ],
)
def test_what_is_too_much(whole: Decision, stands: Before | None, too_much: int) -> None:
    found = dict(overpaid(whole, stands, still_owed(whole, stands)))
    assert found == ({"EUR": too_much} if too_much else {})


@pytest.mark.parametrize("is_by_hand", [False, True])
def test_what_stood_before_is_read_as_it_was_filed(is_by_hand: bool) -> None:
    stands = before({"EUR": 500, "call_minute": 20}, is_by_hand=is_by_hand)
    assert Before.from_content(stands.content()) == stands


def test_a_receipt_has_what_was_overpaid() -> None:
    totals = Totals()
    totals.count_nothing_owed(RowResult.OVERPAID, "credit")
    totals.count_overpaid((("EUR", 300), ("call_minute", Decimal("2.5"))))
    receipt = Receipt(
        campaign=CampaignId.parse(SECOND), work=Pass.PLAN, chunk=0, start=0, end=10, moved_from=None,
        finishes_chunk=True, totals=totals,
    )  # fmt: skip
    assert read_receipt(receipt.campaign, receipt_item(receipt)) == receipt


# In a campaign


def then(world: World, *content: bytes) -> None:
    """The incident's next campaign, over another list."""
    key = f"lists/next-{content[0].split(b',')[3].decode()}.csv"
    world.lists.upload(key, list_of(content))
    left_out: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    world.publish(event(detail_type="Campaign Requested", key=key, rows=len(content), **left_out))
    world.run_until_quiet()


def first(*content: bytes, **settings: Any) -> World:
    world = small_world(list_of(content), **settings)
    world.publish(event(rows=len(content)))
    world.run_until_quiet()
    return world


def sums(world: World, campaign: str, result: RowResult = RowResult.OVERPAID) -> dict[str, int | Decimal]:
    """The sums of a result, which the plan and the execution found alike."""
    plan, apply = world.campaign(campaign).plan.totals.worth(), world.campaign(campaign).apply.totals.worth()
    assert plan == apply
    return {measure: size for (of, measure), size in plan.items() if of is result}


RIGHT = (row("a-1", fee="20.00"), row("a-2", fee="29.90"), row("a-3", fee="40.00"))


def overpaying() -> World:
    """A first campaign over wrong fees: of a-1 too high, of a-2 right, of a-3 too low."""
    return first(row("a-1", fee="50.00"), row("a-2", fee="29.90"), row("a-3", fee="10.00"))


def test_a_campaign_reports_what_was_overpaid_and_changes_nothing_of_it() -> None:
    world = overpaying()
    had = [entry for entry in world.ledger.all_entries() if entry.key.account_id == "a-1"]
    then(world, *RIGHT)
    results = {result: n for (result, _), n in world.campaign(SECOND).apply.totals.results().items()}
    assert results == {RowResult.OVERPAID: 1, RowResult.UNCHANGED: 1, RowResult.GRANTED: 1}
    assert sums(world, SECOND) == {"EUR": 500 - 200}
    assert sums(world, SECOND, RowResult.GRANTED) == {"EUR": 400 - 100}
    assert [entry for entry in world.ledger.all_entries() if entry.key.account_id == "a-1"] == had


def test_the_ledger_of_such_a_campaign_is_exported_to_the_figures_of_its_receipts() -> None:
    world = overpaying()
    then(world, *RIGHT)
    export = exported(world, SECOND)
    assert [one["result"] for one in rows(world, export)] == ["unchanged", "unchanged", "granted"]
    assert list(differences(expected(world.campaign(SECOND), Of.LEDGER), export.figures)) == []


def test_the_plan_of_such_a_campaign_is_exported_with_what_each_account_has_too_much() -> None:
    world = overpaying()
    minutes = (CreditEntry(EntryKind.VOIDED, world.now, "test", "void/1", (1,)),)
    (entry,) = (one for one in world.ledger.all_entries() if one.key.account_id == "a-1")
    assert world.credits.write_entries([EntriesChange(entry.key, (), minutes)]) == [True]
    world.approvers = ()
    then(world, *RIGHT, row("a-4", fee="10.00"))
    assert world.campaign(SECOND).state is State.AWAITING_APPROVAL
    export = exported(world, SECOND)
    assert list(differences(expected(world.campaign(SECOND), Of.PLAN), export.figures)) == []
    assert by_rows(world, SECOND) == export.figures
    shown = [(one["account"], one["result"], one["part"], one["amount"]) for one in rows(world, export)]
    assert shown == [
        ("a-1", "granted", "decided", "20"),  # its minutes were voided, so they are owed again
        ("a-1", "granted", "overpaid", "3.00"),
        ("a-2", "unchanged", "", ""),
        ("a-3", "granted", "decided", "3.00"),
        ("a-4", "granted", "decided", "1.00"),
        ("a-4", "granted", "decided", "20"),
    ]
    assert export.figures.sums[SumKey("overpaid", "EUR")] == 300


def test_whom_a_person_granted_it_is_not_overpaid() -> None:
    world = first(row("a-1", fee=""), row("a-2"))
    assert decide(door_of(world), "a-1", facts={"fee": "30.00"}).status == 200
    then(world, row("a-1", fee="10.00"), row("a-2", fee="10.00"))
    assert sums(world, SECOND) == {"EUR": 299 - 100}


def test_what_is_overpaid_and_unused_is_voided_and_the_right_sum_paid() -> None:
    world = overpaying()
    then(world, *RIGHT)
    world.lists.upload("lists/overpaid.csv", b"account_id\na-1\n")
    file = world.lists.pin(world.lists.bucket, "lists/overpaid.csv", world.lists.newest("lists/overpaid.csv"))
    void = asked(world, ANNA, file, campaign=CAMPAIGN)
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    stands = world.voids.void(void.id)
    assert stands is not None
    assert stands.state is VoidState.VOIDED
    then(world, *RIGHT)
    assert sums(world, THIRD) == {}
    assert sums(world, THIRD, RowResult.GRANTED)["EUR"] == 200
    assert {one.key.account_id for one in world.ledger.all_entries() if one.key.seq == 3} == {"a-1"}
