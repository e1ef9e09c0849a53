"""What a decision grants, since when, until when, and what of it is still owed: from the field that says it."""

import json
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import WriteResult
from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Due, Notice, Outcome, Validity
from kulanz.domain.ledger.additions import AdditionKind
from kulanz.domain.ledger.earlier_decisions import (
    ASKED_BACK,
    GRANTED_UNDER_FORMER_ID,
    IN_ANOTHER_MEASURE,
    Before,
    Rule,
    entitled_to,
    follows,
    is_as_planned,
    is_more_than,
    less_granted,
    overpaid,
    stands_before,
    still_owed,
    unchanged_under_new_id,
)
from kulanz.domain.ledger.entries import (
    WRITER_LIFE,
    DecisionKey,
    Entry,
    HistoryChange,
    benefits_granted,
    decided_by_hand,
    decision_body,
    granted_at,
    is_expired,
    is_of_rejected_row,
    is_offer,
    is_taken,
    is_voided,
    judge,
    net_worth,
    read_decision,
    remaining_of,
    row_digest_of,
    without_digest,
)
from kulanz.domain.ledger.hand_decision import CaseKind, CaseRow, HandDecision, Way
from kulanz.domain.money import Money
from kulanz.domain.policy.deciding.history import Addition, HistoryKey, SubjectHistory

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
BY_HAND_AT, ACCEPTED_AT = AT + timedelta(days=3), AT + timedelta(days=5)
TICK = timedelta(microseconds=1)
FIVE, SEVEN, TWO_GB = Benefit(Money(500, "EUR")), Benefit(Money(700, "EUR")), Benefit(quantity="2.5", unit="GB")
CREDIT = Decision(Outcome.GRANTED, "credit", (FIVE,), claimable=(TWO_GB,))
OFFER = Decision(Outcome.OFFERED, "goodwill", (FIVE,))
HELD, DECLINED = Decision(Outcome.HELD, "fee_unknown"), Decision(Outcome.DECLINED, "prepaid")
HAND = HandDecision("h-1", BY_HAND_AT, Way.AMOUNT, replace(CREDIT, benefits=(SEVEN,), claimable=()), "r", "t", "anna")


def entry(decision: Decision, status: Outcome | None = None, seq: int = 1, **changes: Any) -> Entry:
    body = decision_body(CampaignId("out", seq), "3", "policy", "0" * 32, decision)
    key, left = DecisionKey("a-1", "out", "-", seq), remaining_of(decision.benefits)
    return Entry(key, body, status or decision.outcome, left, AT, None, 1_900_000_000, 17, **changes)


ACCEPTED, TAKEN = entry(CREDIT, accepted_at=ACCEPTED_AT), entry(OFFER, Outcome.GRANTED, accepted_at=ACCEPTED_AT)
BY_HAND, BESIDE = entry(HELD, Outcome.GRANTED, by_hand=HAND), entry(CREDIT, by_hand=HAND)


@pytest.mark.parametrize(
    ("stored", "granted", "offers", "took"),
    [
        (entry(CREDIT), [(FIVE, AT)], True, False),
        (ACCEPTED, [(FIVE, AT), (TWO_GB, ACCEPTED_AT)], True, True),
        (entry(OFFER), [], True, False),
        (TAKEN, [(FIVE, ACCEPTED_AT)], True, True),
        (entry(OFFER, Outcome.GRANTED), [(FIVE, AT)], True, True),
        (BY_HAND, [(SEVEN, BY_HAND_AT)], False, False),
        (BESIDE, [(FIVE, AT), (SEVEN, BY_HAND_AT)], True, False),
        (entry(HELD), [], False, False),
    ],
)
def test_each_benefit_is_granted_at_the_instant_of_whoever_granted_it(
    stored: Entry, granted: list[tuple[Benefit, datetime]], *, offers: bool, took: bool
) -> None:
    decision = read_decision(stored.body)
    found = benefits_granted(stored, decision)
    assert [(one, granted_at(stored, decision, place)) for place, one in enumerate(found)] == granted
    assert (is_offer(stored), is_taken(stored)) == (offers, took)


def test_what_was_voided_is_taken_off_its_own_benefit_and_all_of_it_is_void_only_where_nothing_is_left() -> None:
    both = entry(replace(CREDIT, benefits=(FIVE, SEVEN, TWO_GB), claimable=()))
    assert net_worth(both) == {"EUR": 1_200, "GB": Decimal("2.5")}
    some = replace(both, voided=((1, 30), (2, Decimal(1))))
    assert net_worth(some) == {"EUR": 1_170, "GB": Decimal("1.5")}
    whole = replace(both, voided=((0, 500), (1, 700), (2, Decimal("2.5"))))
    assert net_worth(whole) == {"EUR": 0, "GB": 0}
    assert [is_voided(one) for one in (both, some, whole, replace(whole, status=Outcome.HELD))] == [
        False, False, True, False,
    ]  # fmt: skip
    assert net_worth(replace(both, status=Outcome.OFFERED)) == {}


def test_a_benefit_has_ended_from_its_very_instant() -> None:
    ending = replace(entry(CREDIT), expires_at=AT)
    assert [is_expired(ending, AT + late) for late in (-TICK, timedelta(0), TICK)] == [False, True, True]
    assert not is_expired(entry(CREDIT), datetime.max.replace(tzinfo=UTC))
    assert remaining_of((FIVE, TWO_GB, Benefit(quantity=UNLIMITED, unit="data"))) == (500, Decimal("2.5"), None)


LATE, LATER = AT + timedelta(days=30), AT + timedelta(days=60)


@pytest.mark.parametrize(
    ("before", "by_hand", "expected"),
    [(LATE, LATER, LATER), (LATER, LATE, LATER), (None, LATE, None), (LATE, None, None)],
)
def test_what_a_person_grants_stands_beside_the_rest_and_both_end_with_the_later_one(
    before: datetime | None, by_hand: datetime | None, expected: datetime | None
) -> None:
    given = replace(SEVEN, validity=Validity(until=by_hand))
    hand = replace(HAND, decision=replace(CREDIT, benefits=(given,), claimable=()))
    held = replace(entry(CREDIT), expires_at=before)
    found = decided_by_hand(held, hand)
    kept = held.ttl + int((BY_HAND_AT - AT + WRITER_LIFE).total_seconds())
    changed: dict[str, Any] = {"remaining": (500, 700), "expires_at": expected, "by_hand": hand, "ttl": kept}
    assert found == replace(held, **changed)
    nothing = replace(hand, decision=DECLINED)
    assert decided_by_hand(held, nothing) == replace(held, by_hand=nothing, ttl=kept)
    waited = replace(entry(HELD), expires_at=before)
    changed = {"status": Outcome.GRANTED, "remaining": (700,), "effective_at": BY_HAND_AT, "expires_at": by_hand}
    assert decided_by_hand(waited, hand) == replace(waited, **changed, by_hand=hand, ttl=kept)


@pytest.mark.parametrize(("kind", "is_one"), [(None, False), (CaseKind.CONFLICT, False), (CaseKind.REJECTED, True)])
def test_only_a_row_that_cannot_be_read_has_no_decision_of_its_own(kind: CaseKind | None, *, is_one: bool) -> None:
    hand = replace(HAND, row=None if kind is None else CaseRow(kind, 7))
    assert is_of_rejected_row(entry(HELD, by_hand=hand)) is is_one
    assert not is_of_rejected_row(entry(HELD))


def test_a_decision_by_hand_is_read_back_in_every_field() -> None:
    plainest = replace(HAND, decision=replace(HAND.decision, mode="automatic"))
    whole = replace(
        plainest, second="ben", second_id="yes-1", note="n", facts={"fee": "7"}, earlier={"EUR": "3"},
        row=CaseRow(CaseKind.CONFLICT, 99), history={"paid": 11},
    )  # fmt: skip
    plain = {one.name: one.default for one in fields(HandDecision)}
    assert all(getattr(whole, name) != plain[name] for name in plain)
    assert HandDecision.from_text(whole.to_text()) == whole
    assert HandDecision.from_text(plainest.to_text()) == plainest
    assert (HAND.persons, whole.persons) == (1, 2)


def test_a_history_is_kept_as_long_as_its_decision_and_as_anything_of_it_counts() -> None:
    short = entry(CREDIT)
    key = HistoryKey("a-1", "policy", "-")
    long_ago = SubjectHistory(1, {"out": Addition(AT - timedelta(days=20_000), {"paid": 5})})
    recent = SubjectHistory(1, {"out": Addition(AT + timedelta(days=20_000), {"paid": 5})})
    ends = recent.ends_at()
    assert ends is not None
    assert HistoryChange(key, SubjectHistory(), long_ago).ttl(short) == short.ttl
    assert HistoryChange(key, SubjectHistory(), SubjectHistory()).ttl(short) == short.ttl
    assert HistoryChange(key, recent, recent).ttl(short) == int((ends + WRITER_LIFE).timestamp())


# Whose write stands under a key

SAME: dict[str, Any] = {
    "campaign": CampaignId("out", 1),
    "engine": "3",
    "policy_hash": "policy",
    "row_digest": "1" * 32,
}


@pytest.mark.parametrize(
    ("other", "origin", "expected"),
    [
        ({}, 17, WriteResult.ALREADY),
        ({}, 18, WriteResult.DUPLICATE),
        ({"engine": "4"}, 17, WriteResult.ALREADY),
        ({"decision": HELD}, 18, WriteResult.DUPLICATE),
        ({"campaign": CampaignId("out", 2)}, 17, WriteResult.CONFLICT),
        ({"policy_hash": "another"}, 17, WriteResult.CONFLICT),
        ({"row_digest": "2" * 32}, 17, WriteResult.CONFLICT),
    ],
)
def test_the_same_row_under_the_same_policy_and_campaign_is_no_conflict(
    other: dict[str, Any], origin: int, expected: WriteResult
) -> None:
    mine = replace(entry(CREDIT), body=decision_body(**{**SAME, "decision": CREDIT}))
    stored = replace(mine, body=decision_body(**{**SAME, "decision": CREDIT, **other}), origin=origin)
    assert judge(mine, stored) is expected


def test_a_body_is_told_without_its_rows_digest_alone_whatever_a_policy_names() -> None:
    told = Notice("granted", "en", "sms", {"row": "not this", '"row":"': '"row":"x"'})
    body = decision_body(**{**SAME, "decision": replace(CREDIT, notice=told)})
    assert row_digest_of(body) == "1" * 32
    assert json.loads(without_digest(body)) == {**json.loads(body), "row": ""}
    assert (row_digest_of("{}"), without_digest("{}")) == ("", "{}")


# What is owed beside what stands


@pytest.mark.parametrize("mine_adds", [False, True])
def test_a_policy_follows_itself_and_others_only_where_both_replace(*, mine_adds: bool) -> None:
    applied = {4: Rule("mine", True), 1: Rule("other", False), 3: Rule("other", True), 2: Rule("mine", False)}
    expected = (2, 4) if mine_adds else (1, 2, 4)
    assert follows(Rule("mine", mine_adds), applied) == expected


def test_what_stands_adds_up_and_is_that_of_the_latest_where_nothing_is_granted() -> None:
    some = replace(entry(replace(CREDIT, benefits=(SEVEN,), claimable=()), seq=2), voided=((0, 100),))
    granted = Before(Outcome.GRANTED, (("EUR", 1_100),))
    assert stands_before([entry(CREDIT), some, entry(HELD, seq=3)]) == granted
    asked = replace(entry(CREDIT), is_asked_back=True)
    assert stands_before([asked, some]) == replace(granted, is_asked_back=True)
    void = replace(some, voided=((0, 700),))
    assert stands_before([entry(HELD), void]) == Before(None, ())
    assert stands_before([void, entry(HELD, seq=3)]) == Before(Outcome.HELD, ())
    assert stands_before([entry(CREDIT), void]) == Before(Outcome.GRANTED, (("EUR", 500),))
    assert stands_before([]) is None
    assert Before(Outcome.GRANTED, (("EUR", 500), ("GB", Decimal(3)))).money() == {"EUR": 500}


@pytest.mark.parametrize("flags", list(product([False, True], repeat=3)))
def test_what_stood_before_is_read_back_as_it_was_written(flags: tuple[bool, bool, bool]) -> None:
    for outcome in (None, *Outcome):
        before = Before(outcome, (("EUR", 500), ("GB", Decimal("2.5"))), *flags)
        assert Before.from_content(json.loads(json.dumps(before.content()))) == before


BOTH = replace(CREDIT, benefits=(SEVEN, replace(TWO_GB, due=Due(1, "week"))), claimable=(), mode="automatic")
LEFT = replace(TWO_GB, quantity="1.5", due=Due(1, "week"))


@pytest.mark.parametrize(
    ("decision", "before", "owed"),
    [
        (BOTH, None, BOTH),
        (BOTH, Before(Outcome.GRANTED, (("EUR", 0), ("GB", 0))), BOTH),
        (BOTH, Before(Outcome.GRANTED, (("EUR", 300), ("GB", 0))),
         replace(BOTH, benefits=(Benefit(Money(400, "EUR")), BOTH.benefits[1]))),
        (BOTH, Before(Outcome.GRANTED, (("EUR", 700), ("GB", 1))), replace(BOTH, benefits=(LEFT,))),
        (BOTH, Before(Outcome.GRANTED, (("EUR", 699), ("GB", 9))), replace(BOTH, benefits=(Benefit(Money(1, "EUR")),))),
        (BOTH, Before(Outcome.GRANTED, (("EUR", 700), ("GB", Decimal("2.5")))), None),
        (BOTH, Before(Outcome.GRANTED, (("EUR", 1),)), Decision(Outcome.HELD, IN_ANOTHER_MEASURE)),
        (BOTH, Before(Outcome.HELD, ()), BOTH),
        (BOTH, Before(Outcome.GRANTED, (("EUR", 1),), is_asked_back=True), Decision(Outcome.HELD, ASKED_BACK)),
        (BOTH, Before(Outcome.GRANTED, (), is_in_doubt=True), Decision(Outcome.HELD, GRANTED_UNDER_FORMER_ID)),
        (BOTH, Before(Outcome.GRANTED, (), is_in_doubt=True, is_asked_back=True),
         Decision(Outcome.HELD, GRANTED_UNDER_FORMER_ID)),
        (HELD, Before(Outcome.GRANTED, (("EUR", 1),)), None),
        (HELD, Before(Outcome.HELD, ()), None),
        (HELD, Before(Outcome.DECLINED, ()), HELD),
        (HELD, Before(None, ()), HELD),
    ],
)  # fmt: skip
def test_what_is_owed_is_what_was_not_granted_of_each_measure(
    decision: Decision, before: Before | None, owed: Decision | None
) -> None:
    assert still_owed(decision, before) == owed


@pytest.mark.parametrize(
    ("granted", "owed"),
    [
        ((("EUR", 0), ("GB", 0)), BOTH),
        ((("EUR", 300), ("GB", 0)), replace(BOTH, benefits=(Benefit(Money(400, "EUR")), BOTH.benefits[1]))),
        ((("EUR", 700), ("GB", 1)), replace(BOTH, benefits=(LEFT,))),
        ((("EUR", 700), ("GB", Decimal("2.5"))), None),
        ((("EUR", 1),), Decision(Outcome.HELD, IN_ANOTHER_MEASURE)),
    ],
)
def test_what_is_offered_is_less_what_was_granted_as_what_is_granted_is(
    granted: tuple[tuple[str, int | Decimal], ...], owed: Decision | None
) -> None:
    offer = replace(BOTH, outcome=Outcome.OFFERED, mode="offer")
    expected = (
        owed if owed is None or owed.outcome is Outcome.HELD else replace(owed, outcome=Outcome.OFFERED, mode="offer")
    )
    assert still_owed(offer, Before(Outcome.GRANTED, granted)) == expected
    assert still_owed(offer, Before(Outcome.OFFERED, ())) == offer, "what was not taken up is offered again"


@pytest.mark.parametrize("outcome", [Outcome.DECLINED, Outcome.HELD, Outcome.REFERRED])
def test_what_gives_nothing_changes_nothing_that_stands_so_or_was_granted(outcome: Outcome) -> None:
    now = Decision(outcome, "why")
    for before in (None, *Outcome):
        found = still_owed(now, Before(before, ()))
        assert found == (None if before in (outcome, Outcome.GRANTED) else now), before


@pytest.mark.parametrize("kind", AdditionKind)
def test_an_addition_has_a_row_where_a_pass_over_the_list_meets_its_decision(kind: AdditionKind) -> None:
    """What is sent again or asked back is of a decision that is there already, and no second one."""
    assert kind.has_row is (kind not in (AdditionKind.RECOGNISED, AdditionKind.GOODWILL))


def test_what_can_be_claimed_beside_what_was_granted_is_offered_by_itself() -> None:
    """By the name of its component; without a notice, because that told of what was granted."""
    claim = replace(SEVEN, component="delay")
    notice = Notice("granted", "en", "sms")
    decision = Decision(Outcome.GRANTED, "credit", (FIVE,), notice, "automatic", (claim,), LATE)
    offered = Decision(Outcome.OFFERED, "delay", (claim,), None, "offer", (), LATE)
    assert still_owed(decision, Before(Outcome.GRANTED, (("EUR", 500),))) == offered
    some = replace(claim, money=Money(600, "EUR"))
    assert still_owed(decision, Before(Outcome.GRANTED, (("EUR", 600),))) == replace(offered, benefits=(some,))
    less = replace(decision, benefits=(Benefit(Money(499, "EUR")),))
    assert still_owed(decision, Before(Outcome.GRANTED, (("EUR", 1),))) == less


def test_what_was_granted_is_taken_off_the_first_benefits_first() -> None:
    third = Benefit(Money(900, "EUR"), component="c")
    found = less_granted((FIVE, TWO_GB, SEVEN, third), {"EUR": 600, "USD": 7})
    assert found == (TWO_GB, replace(SEVEN, money=Money(600, "EUR")), third)
    assert less_granted((replace(TWO_GB, quantity="20"),), {"GB": Decimal("0.50")})[0].quantity == "19.5"
    endless = Benefit(quantity=UNLIMITED, unit="data")
    assert less_granted((endless,), {f"data:{UNLIMITED}": 1}) == ()
    assert less_granted((endless, FIVE), {"EUR": 100}) == (endless, replace(FIVE, money=Money(400, "EUR")))


WHOLE = Decision(Outcome.GRANTED, "credit", (FIVE,), claimable=(SEVEN, TWO_GB))
MORE = Before(Outcome.GRANTED, (("EUR", 1_201), ("GB", Decimal(3)), ("SEK", 4)))


@pytest.mark.parametrize(
    ("whole", "before", "owed", "too_much"),
    [
        (WHOLE, MORE, None, (("EUR", 1), ("GB", Decimal("0.5")), ("SEK", 4))),
        (WHOLE, replace(MORE, granted=(("EUR", 1_200), ("GB", Decimal("2.5")))), None, ()),
        (DECLINED, MORE, None, MORE.granted),
        (HELD, MORE, None, ()),
        (WHOLE, MORE, DECLINED, (("EUR", 1), ("GB", Decimal("0.5")), ("SEK", 4))),
        (WHOLE, MORE, HELD, ()),
        (WHOLE, replace(MORE, is_by_hand=True), None, ()),
        (WHOLE, replace(MORE, is_in_doubt=True), None, ()),
        (WHOLE, None, None, ()),
    ],
)
def test_too_much_is_what_stands_beyond_all_that_a_subject_is_entitled_to(
    whole: Decision, before: Before | None, owed: Decision | None, too_much: Any
) -> None:
    assert overpaid(whole, before, owed) == too_much
    assert entitled_to(WHOLE) == {"EUR": 1_200, "GB": Decimal("2.5")}


@pytest.mark.parametrize(("granted", "is_more"), [(500, False), (501, True)])
def test_a_capped_decision_gives_less_than_stands(granted: int, *, is_more: bool) -> None:
    assert is_more_than(Before(Outcome.GRANTED, (("EUR", granted),)), CREDIT) is is_more
    assert is_more_than(Before(Outcome.GRANTED, (("SEK", 1),)), CREDIT)


@pytest.mark.parametrize(
    "other",
    [
        replace(CREDIT, outcome=Outcome.OFFERED),
        replace(CREDIT, reason="another"),
        replace(CREDIT, benefits=(SEVEN,)),
        replace(CREDIT, benefits=(Benefit(Money(500, "SEK")),)),
    ],
)
def test_a_decision_is_as_planned_by_outcome_reason_and_worth(other: Decision) -> None:
    assert is_as_planned(CREDIT, replace(CREDIT, mode="claim"))
    assert not is_as_planned(CREDIT, other)


@pytest.mark.parametrize(("decision", "before", "waits"), [
    (HELD, Outcome.HELD, True), (HELD, Outcome.REFERRED, False), (HELD, Outcome.GRANTED, False),
    (replace(HELD, outcome=Outcome.REFERRED), Outcome.REFERRED, True), (DECLINED, Outcome.DECLINED, False),
])  # fmt: skip
def test_what_waits_for_a_person_waits_under_the_present_id(
    decision: Decision, before: Outcome, *, waits: bool
) -> None:
    found = unchanged_under_new_id(decision, Before(before, ()))
    assert found == (decision if waits else Decision(Outcome.DECLINED, "decided_under_former_id"))
