"""Goodwill as its record and its decision tell it: each field from the one it belongs to, each instant to the tick."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from kulanz.domain.byhand.counts import Count, CountOf, CountStep, steps_with, used_by
from kulanz.domain.byhand.discretion import (
    LIMIT_NAMES,
    ByHand,
    Discretion,
    DiscretionError,
    Limits,
    Needs,
    NotAllowed,
    Reason,
    Used,
    discretion_from_json,
    discretion_json,
    must_follow,
    needs,
    read_discretion,
)
from kulanz.domain.byhand.goodwill import (
    EQUAL_WITHIN,
    WAITS,
    Goodwill,
    GoodwillState,
    about_of,
    differing,
    equals_of,
    goodwill_bills,
    goodwill_entry,
    goodwill_persons,
    goodwill_steps,
    is_goodwill_id,
    month_begins,
)
from kulanz.domain.byhand.sizes import is_measure, largest
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, CampaignId
from kulanz.domain.decision import NEXT_BILL, Benefit, Outcome
from kulanz.domain.ledger.entries import DecisionKey, row_digest_of
from kulanz.domain.money import Money
from kulanz.domain.people.people import Listed
from kulanz.domain.policy.document.owed import NOTHING_BILLED, Bill
from tests.unit.domain.byhand.test_discretion import FULL, changed, euro

ASKED_AT = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
GIVEN_AT = datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
TICK = timedelta(microseconds=1)
ASKED = Goodwill(
    id="T-1",
    account_id="A-1001",
    measure="EUR",
    size=2_050,
    reason="long_wait",
    title="Waited too long",
    asked_by="anna",
    asked_at=ASKED_AT,
    note="called twice",
    about="outage-7",
    ticket="TICKET-9",
    repeat_of="T-0",
    version=3,
)
GIVEN = ASKED.given(GIVEN_AT, "bert", "yes-1")
BILL = Bill("Sorry", "GOODWILL", "compensation", "4000-120")


def test_a_word_changes_the_record_by_what_it_says_and_counts_as_one_write() -> None:
    decided: dict[str, Any] = {"decided_by": "bert", "decided_as": "yes-1", "version": 4}
    assert replace(ASKED, state=GoodwillState.GIVEN, given_at=GIVEN_AT, **decided) == GIVEN
    no = ASKED.rejected("bert", "yes-1", "not ours", GIVEN_AT)
    assert replace(ASKED, state=GoodwillState.REJECTED, why="not ours", decided_at=GIVEN_AT, **decided) == no
    alone = ASKED.given(GIVEN_AT)
    assert (alone.decided_by, alone.decided_as, alone.decided_at) == ("", "", None)
    flags = [(one.is_waiting, one.is_rejected) for one in (ASKED, GIVEN, no)]
    assert flags == [(True, False), (False, False), (False, True)]


def test_it_is_of_the_month_of_utc_in_which_it_was_given_and_until_then_of_the_one_it_was_asked_in() -> None:
    november, december = (CampaignId(f"goodwill-2026-{month}", 1) for month in (11, 12))
    assert (ASKED.campaign, ASKED.month) == (None, november)
    assert (GIVEN.campaign, GIVEN.month) == (december, december)
    east = timezone(timedelta(hours=2))
    assert replace(ASKED, asked_at=ASKED_AT.astimezone(east)).month == november
    assert month_begins("2026-11") == datetime(2026, 11, 1, tzinfo=UTC)


def test_what_waits_is_over_from_the_very_instant_and_what_was_decided_never_is() -> None:
    end = ASKED_AT + WAITS
    assert [ASKED.is_over(now) for now in (end - TICK, end)] == [False, True]
    assert not GIVEN.is_over(end)


def test_two_requests_under_one_id_differ_by_every_name_of_what_is_asked_for() -> None:
    """What became of it, and when it was asked, is no part of the request; the title follows from the reason."""
    other: dict[str, Any] = {one.name: f"another {one.name}" for one in fields(Goodwill)}
    found = {name: differing(ASKED, replace(ASKED, **{name: value})) for name, value in other.items()}
    asked_for = {"account_id", "measure", "size", "reason", "note", "about", "ticket", "repeat_of", "asked_by"}
    assert {name for name, names in found.items() if names} == asked_for
    assert all(found[name] == [name] for name in asked_for)


def test_an_equal_amount_is_one_of_the_same_size_and_measure_that_was_given_or_may_be_within_the_time() -> None:
    now = GIVEN_AT + EQUAL_WITHIN
    just = replace(GIVEN, id="T-2", given_at=GIVEN_AT + TICK)
    waits = replace(ASKED, id="T-3", asked_at=now - WAITS + TICK)
    equal = [just, waits]
    others = [
        replace(just, id=ASKED.id),
        replace(just, id="T-4", size=2_051),
        replace(just, id="T-5", measure="USD"),
        replace(just, id="T-6", given_at=GIVEN_AT),
        replace(waits, id="T-7", asked_at=now - WAITS),
        replace(waits, id="T-8", state=GoodwillState.REJECTED),
        replace(GIVEN, id="T-9", asked_at=now),  # it counts from when it was given
    ]
    assert equals_of(ASKED, [*others, *equal], now) == equal


@pytest.mark.parametrize(
    ("text", "is_one"), [("T-1", True), ("a.b", True), ("a..b", False), ("#1", False), ("", False)]
)
def test_an_id_stands_as_the_subject_of_a_decision(text: str, *, is_one: bool) -> None:
    assert is_goodwill_id(text) is is_one


KEEP = datetime(2036, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("bill", [NOTHING_BILLED, BILL, Bill(reason_code="GOODWILL")])
@pytest.mark.parametrize("measure", ["EUR", "GB"])
def test_its_decision_says_what_was_given_for_which_reason_and_how_it_is_booked(bill: Bill, measure: str) -> None:
    given = replace(GIVEN, measure=measure, size=2_050 if measure == "EUR" else Decimal("2.5"))
    entry = goodwill_entry(given, "the-policy", KEEP, bill)
    named = "" if bill == NOTHING_BILLED else "long_wait"
    worth = Benefit(Money(2_050, "EUR"), due=NEXT_BILL) if measure == "EUR" else Benefit(quantity="2.5", unit="GB")
    body: dict[str, Any] = json.loads(entry.body)
    assert entry.key == DecisionKey("A-1001", "goodwill-2026-12", "T-1", 1)
    assert (entry.status, entry.origin, entry.effective_at, entry.expires_at) == (Outcome.GRANTED, 0, GIVEN_AT, None)
    assert entry.ttl >= KEEP.timestamp()
    assert entry.remaining == ((2_050,) if measure == "EUR" else (Decimal("2.5"),))
    assert {name: body[name] for name in ("campaign", "engine", "policy", "outcome", "reason")} == {
        "campaign": "goodwill-2026-12/1",
        "engine": ENGINE_VERSION,
        "policy": "the-policy",
        "outcome": "granted",
        "reason": "long_wait",
    }
    assert body["benefits"] == [replace(worth, component=named).to_body()]
    said = {"text": "Sorry", "reason_code": "GOODWILL", "treatment": "compensation", "ledger_account": "4000-120"}
    stated = {name: text for name, text in said.items() if getattr(bill, name)}
    told = {"kind": "goodwill", "title": "Waited too long", "persons": 2}
    named_too = {"about": "outage-7", "ticket": "TICKET-9", "repeat_of": "T-0"}
    assert body["by_hand"] == told | named_too | ({"bill": stated} if stated else {})
    assert goodwill_bills(entry.body) == ({} if bill == NOTHING_BILLED else {"long_wait": bill})
    assert (goodwill_persons(entry.body), about_of(entry.body)) == (2, "outage-7")


def test_two_ids_and_two_accounts_have_decisions_of_their_own() -> None:
    given = [GIVEN, replace(GIVEN, id="T-2"), replace(GIVEN, account_id="A-1002")]
    assert len({row_digest_of(goodwill_entry(one, "p", KEEP).body) for one in given}) == 3


def test_how_it_came_about_is_told_by_what_is_known_of_it() -> None:
    beside = "Goodwill: no policy owes it. It is given beside whatever policies grant, and nothing sets it off."
    reason = "The reason: Waited too long (long_wait)."
    assert goodwill_steps(goodwill_entry(GIVEN, "p", KEEP).body) == (
        beside,
        "Given by a person of the role support, and a second person agreed.",
        reason,
        "It is about the incident outage-7.",
        "The ticket: TICKET-9.",
        "It repeats, on purpose, the equal amount T-0.",
        "Granted: 20.50 EUR.",
    )
    plain = replace(ASKED, about="", ticket="", repeat_of="", measure="call_minute", size=20).given(GIVEN_AT)
    entry = goodwill_entry(plain, "p", KEEP)
    assert goodwill_steps(entry.body) == (
        beside, "Given by a person of the role support.", reason, "Granted: 20 call minutes.",
    )  # fmt: skip
    assert (goodwill_persons(entry.body), about_of(entry.body)) == (1, "")
    assert (goodwill_steps('{"reason":"x"}'), goodwill_persons('{"reason":"x"}'), about_of("{}")) == ((), 0, "")


# What a month has


def _counts() -> tuple[Count, ...]:
    person, other, account = (
        CountOf(ByHand.GOODWILL, "2026-11", "EUR", **whose)
        for whose in ({"person": "anna"}, {"person": "anna-too"}, {"account": "A-1001"})
    )
    return Count(person, 300, 2), Count(other, 40, 5), Count(account, 7, 9)


def test_all_ids_of_a_person_count_together_and_what_is_added_is_added_to_one_and_to_the_account() -> None:
    counts = _counts()
    person, other, account = counts
    assert used_by(counts) == Used(340, 7)
    added, looked_at, given = steps_with(counts, "anna", 1_000)
    assert added == CountStep(person, replace(person, size=1_300, version=3))
    assert looked_at == CountStep(other, other)
    assert given == CountStep(account, replace(account, size=1_007, version=10))
    assert [one.is_looked_at for one in (added, looked_at, given)] == [False, True, False]
    waits = steps_with(counts, "anna", 0)
    assert waits == (CountStep(person, person), looked_at, CountStep(account, replace(account, version=10)))
    assert used_by((replace(person, size=Decimal("2.50")), replace(account, size=Decimal(3)))) == Used(
        Decimal("2.5"), 3
    )


@pytest.mark.parametrize("whose", [{}, {"person": "anna", "account": "A-1"}])
def test_a_count_is_of_a_person_or_of_an_account(whose: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a person or of an account"):
        CountOf(ByHand.CASES, "2026-11", "EUR", **whose)


# What the file allows

LIMITS = Limits(decision=100, person_month=300, account_month=700)


@pytest.mark.parametrize(
    ("size", "used", "first"),
    [
        (100, Used(200, 600), ""),
        (101, Used(), "decision"),
        (101, Used(300, 700), "decision"),
        (100, Used(201, 601), "person_month"),
        (100, Used(200, 601), "account_month"),
        (100, Used(0, 601), "account_month"),
    ],
)
def test_the_first_limit_that_an_amount_exceeds_is_named(size: int, used: Used, first: str) -> None:
    assert LIMITS.exceeded_by(size, used) == first


def test_each_limit_and_each_list_of_limits_is_read_from_its_own_entry() -> None:
    alone, two = ({"decision": f"{n}.00", "person_month": f"{n}0.00", "account_month": f"{n}00.00"} for n in (2, 3))
    cases = {"EUR": {"two": two}}
    reasons = {"gift": {"title": "A gift", "note": True, "bill": {"text": "Gift", "ledger_account": "4711"}}}
    found = read_discretion(changed(goodwill={"EUR": {"alone": alone, "two": two}}, cases=cases, reasons=reasons))
    goodwill = found.limits[ByHand.GOODWILL]["EUR"]
    assert (goodwill.alone, goodwill.two) == (Limits(200, 2_000, 20_000), Limits(300, 3_000, 30_000))
    assert (found.limits[ByHand.CASES]["EUR"].alone, found.limits[ByHand.CASES]["EUR"].two) == (None, goodwill.two)
    bill = Bill(text="Gift", ledger_account="4711")
    assert found.reasons == {"gift": Reason("gift", "A gift", needs_note=True, bill=bill)}
    assert (found.version, found.zone) == (1, "Europe/Berlin")


def _measures(number: int) -> dict[str, Any]:
    limits = FULL["goodwill"]["GB"]
    return {f"unit_{place}": limits for place in range(number)}


def _reasons(number: int) -> dict[str, Any]:
    return {f"reason_{place}": {"title": "x"} for place in range(number)}


MONTHS = {"person_month": "99999999.00", "account_month": "99999999.00"}


@pytest.mark.parametrize(
    ("most", "beyond"),
    [
        (changed(version=99_999), changed(version=100_000)),
        (changed(reasons=_reasons(100)), changed(reasons=_reasons(101))),
        (changed(goodwill=_measures(60)), changed(goodwill=_measures(61))),
        (changed(reasons={"x": {"title": "t" * 100}}), changed(reasons={"x": {"title": "t" * 101}})),
        (changed(reasons={"c" * 40: {"title": "t"}}), changed(reasons={"c" * 41: {"title": "t"}})),
        (euro(MONTHS | {"decision": "10000000.00"}), euro(MONTHS | {"decision": "10000000.01"})),
        (euro({"decision": "5", "person_month": "5", "account_month": "5"}),
         euro({"decision": "5", "person_month": "4.99", "account_month": "5"})),
        (changed(goodwill={"EUR": {"two": dict.fromkeys(LIMIT_NAMES, "5")}}),
         changed(goodwill={"EUR": {"two": {}}})),
    ],
)  # fmt: skip
def test_a_file_is_taken_up_to_each_of_its_bounds_and_not_one_beyond(most: Any, beyond: Any) -> None:
    assert discretion_json(most)
    with pytest.raises(DiscretionError):
        discretion_json(beyond)


def test_how_a_reason_is_booked_stays_and_may_be_stated_later() -> None:
    def version(number: int, **bill: Any) -> Any:
        return read_discretion(changed(version=number, reasons={"gift": {"title": f"title {number}", **bill}}))

    booked, otherwise = ({"bill": {"reason_code": code}} for code in ("GIFT", "OTHER"))
    must_follow(version(1), version(2, **booked))
    must_follow(version(1, **booked), version(2, **booked))
    for after in (version(2), version(2, **otherwise)):
        with pytest.raises(DiscretionError, match="use another code") as caught:
            must_follow(version(1, **booked), after)
        assert caught.value.path == ("reasons", "gift", "bill")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("EUR", True), ("EUX", False), ("eux", True), ("GB", True), ("u" * 60, True), ("u" * 61, False), (None, False)],
)
def test_three_capital_letters_are_a_currency_and_else_a_unit_has_sixty_characters(
    text: object, *, is_one: bool
) -> None:
    assert is_measure(text) is is_one


def test_one_decision_gives_at_most_what_one_benefit_may_have() -> None:
    assert (largest("EUR"), largest("GB")) == (10**9, 10**9)


@pytest.mark.parametrize(
    ("raw", "says"),
    [(5, ""), ("5", ""), (True, "in quotes"), (5.5, "in quotes"), (None, "in quotes"), (0, "above zero")],
)
def test_a_limit_is_a_text_or_a_whole_number_above_zero(raw: object, says: str) -> None:
    content = euro({"decision": raw, "person_month": "7", "account_month": "9"})
    if not says:
        assert read_discretion(content).limits[ByHand.GOODWILL]["EUR"].alone == Limits(500, 700, 900)
        return
    with pytest.raises(DiscretionError, match=says) as caught:
        read_discretion(content)
    assert str(caught.value) == f"goodwill.EUR.alone.decision: {caught.value.problem}"


@pytest.mark.parametrize(
    ("reason", "name"),
    [({"title": 7}, "title"), ({"title": " "}, "title"), ({"title": "t", "note": 1}, "note"),
     ({"title": "t", "bill": {"text": {"en": "Sorry"}}}, "bill.text"), ({"title": "t", "bill": {}}, "bill")],
)  # fmt: skip
def test_what_is_wrong_with_a_reason_is_named_with_its_entry(reason: dict[str, Any], name: str) -> None:
    with pytest.raises(DiscretionError) as caught:
        read_discretion(changed(reasons={"gift": reason}))
    assert ".".join(map(str, caught.value.path)) == f"reasons.gift.{name}"


def test_a_file_is_known_by_the_hash_of_its_bytes_as_they_were_published() -> None:
    published = json.dumps(FULL).encode()
    assert discretion_from_json(published).digest == sha256(published).hexdigest()
    assert read_discretion(FULL).digest == sha256(discretion_json(FULL)).hexdigest()
    assert read_discretion(FULL, "stated").digest == "stated"


def test_a_limit_of_the_people_file_is_of_its_own_kind_and_of_currencies_alone() -> None:
    """Of a unit the people file says nothing, and of deciding cases nothing where it speaks of goodwill."""
    anna = Listed("anna", ("sso:anna",), goodwill=(Money(1, "EUR"),), decide=(Money(700, "EUR"),))
    both = read_discretion(changed(cases=FULL["goodwill"]))
    for kind, euros in ((ByHand.GOODWILL, 1), (ByHand.CASES, 700)):
        assert needs(kind, "EUR", euros, Used(), both, anna) is Needs.NOBODY
        assert needs(kind, "EUR", euros + 1, Used(), both, anna) is Needs.SECOND
        assert needs(kind, "GB", Decimal("2.5"), Used(), both, anna) is Needs.NOBODY


@pytest.mark.parametrize(("kind", "others"), [(ByHand.GOODWILL, "EUR, GB"), (ByHand.CASES, "EUR")])
def test_who_asks_for_a_measure_without_a_limit_is_told_which_have_one(kind: ByHand, others: str) -> None:
    with pytest.raises(NotAllowed, match=rf"no limit in USD for {kind}, .* has limits in {others}\. ") as caught:
        needs(kind, "USD", 1, Used(), read_discretion(FULL))
    assert (caught.value.reason, caught.value.field_name) == ("limit_none", "measure")
    with pytest.raises(NotAllowed, match="has limits in nothing"):
        needs(kind, "USD", 1, Used(), Discretion())


@pytest.mark.parametrize(
    ("used", "size", "says"),
    [(Used(), 20_001, "one decision gives at most 200.00 EUR"), (Used(190_000, 0), 10_001, "month is at most 2000.00"),
     (Used(0, 20_000), 10_001, "given in a month is at most 300.00 EUR")],
)  # fmt: skip
def test_who_exceeds_what_two_may_give_is_told_the_limit(used: Used, size: int, says: str) -> None:
    with pytest.raises(NotAllowed, match=says) as caught:
        needs(ByHand.GOODWILL, "EUR", size, used, read_discretion(FULL))
    assert caught.value.field_name == "amount"
