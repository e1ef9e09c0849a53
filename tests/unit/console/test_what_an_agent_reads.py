"""What is said of a decision, fact by fact and in this order: no two values of an answer are the same.

A date, an amount or a name in another's place is seen, and so is a sentence of another state.
"""

from collections.abc import Mapping
from typing import Any, cast

import pytest

from kulanz.domain.decision import NEXT_BILL, Benefit, Decision, Notice, Outcome
from kulanz.domain.money import Money
from kulanz.domain.time import parse_instant
from kulanz_console import answered
from tests.unit.console.test_what_is_said_of_an_account import CREDIT, HAND, OFFER, VOID, decided, standing


def at(day: int) -> str:
    return f"2026-03-{day:02}T09:00:00Z"


AMOUNT = Benefit(money=Money(500, "EUR"), due=NEXT_BILL, restriction="places", terms={"choice": "b"})
MINUTES = Benefit(quantity="20", unit="call_minute", due=NEXT_BILL)
LATER = Benefit(money=Money(700, "CHF"))
NOTICE = Notice("credited", "de", "email")
KNOWS = "whoever sends the notices knows whether it was sent; id n-1"


def facts(one: answered.Decided) -> list[tuple[str, str]]:
    """Every fact of a decision as it is read."""
    return [(name, str(text)) for name, text in answered.facts(one, cast("Any", {"explained_by": "9"}))]


def named(one: answered.Decided, *names: str) -> list[tuple[str, str]]:
    return [fact for fact in facts(one) if fact[0] in names]


def credit(**changes: Any) -> Mapping[str, Any]:
    return {**CREDIT, "sent_at": at(7), "due": at(8), **changes}


@pytest.mark.parametrize("outcome", [Outcome.GRANTED, Outcome.OFFERED])
@pytest.mark.parametrize("accepted_at", [None, at(4)])
def test_what_is_claimable_is_granted_once_it_is_accepted_and_not_before(
    outcome: Outcome, accepted_at: str | None
) -> None:
    now = () if outcome is Outcome.OFFERED else (AMOUNT,)
    offer = {**OFFER, "accepted": accepted_at is not None, "accepted_at": accepted_at}
    one = decided(Decision(outcome, "the-reason", now, claimable=(LATER,)), offer=offer, status="granted")
    assert one.granted == (*now, *((LATER,) if accepted_at else ()))


def test_every_fact_of_a_decision_has_its_own_value() -> None:
    one = decided(
        Decision(Outcome.GRANTED, "the-reason", (AMOUNT, MINUTES), NOTICE, claimable=(LATER,)),
        campaign="in-7/3", campaign_state="closed", decided_at=at(1), effective_at=at(2), expires_at=at(3),
        offer={**OFFER, "accepted": True, "accepted_at": at(4)}, notice_id="n-1", engine="8",
        policy={"id": "p-1", "version": 2, "hash": "0123456789abcdef"},
        taken_back=[
            {**VOID, "at": at(5), "reason": "wrong-list"},
            {**VOID, "at": at(6), "sums": {"EUR": "-300"}},
            {
                **VOID, "at": at(9), "sums": {"CHF": "100"}, "approved_by": 1, "reason": "again",
                "notice": {"id": "n-2", "locale": "fr", "channel": "letter"},
            },
        ],
    )  # fmt: skip
    assert facts(one) == [
        ("meaning", "The account gets it."), ("reason", "the-reason"), ("granted at", at(2)),
        ("claimable", f"7.00 CHF, accepted {at(4)}"), ("usable until", at(3)), ("due", "5.00 EUR on the next bill"),
        ("usable for", "places of the policy"), ("choice", "b"), ("due", "20 call minutes on the next bill"),
        ("billing", "in no delivery to billing yet"),
        ("taken back", f"5.00 EUR, {at(5)}, by the requester, approved by 2 persons: wrong-list"),
        ("given again", f"3.00 EUR, {at(6)}: billing had taken it back, and has undone that"),
        ("taken back", f"1.00 CHF, {at(9)}, by the requester, approved by 1 person: again"),
        ("campaign", f"in-7/3, closed, decided as of {at(1)}"), ("policy", "p-1 version 2 (0123456789ab)"),
        ("engine", "8 decided; the steps are worked out by engine 9, which may decide otherwise"),
        ("notice", f"credited, in de, by email; for sending since {at(2)}; {KNOWS}"),
        ("notice", f"what was taken back, in fr, by letter; for sending since {at(9)}; id n-2"),
        ("not told", "what was taken back; whoever asked for that tells the customer"),
    ]  # fmt: skip


SENT = "billing/1, sent 2026-03-07T09:00:00Z"
LATE = "late from 2026-03-08T09:00:00Z"
DUE = f"{LATE} (by the bill days that the list states)"
CREDITS: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "in part": (
        credit(amount="5.00", voided="2.00", state="accepted", asked_back="1.00"),
        ("3.00 EUR is booked by billing, and on no bill yet; 2.00 of 5.00 was taken back; 1.00 is asked back, and"
        f" billing has not answered; {SENT}; {DUE}"),
    ),
    "wholly void": (credit(amount="5.00", voided="5.00", state="voided"), f"5.00 EUR was taken back; {SENT}"),
    "rejected": (
        credit(state="rejected", code="frozen", late=True, due_by="policy"),
        (f"5.00 EUR was rejected by billing (frozen); {SENT};"
        " late since 2026-03-08T09:00:00Z (the latest day that the policy allows)"),
    ),
    "not released": (
        credit(state="assigned", sent_at=None, due_by="list_and_months"),
        (f"5.00 EUR is in a delivery to billing; billing/1, not released; {LATE}"
        " (by the bill days that the list states, and months behind them)"),
    ),
    "in no delivery": (
        credit(state="due", delivery=None, sent_at=None, due=None), "5.00 EUR is not delivered to billing yet",
    ),
    "on bills": (
        credit(
            state="partly_applied",
            bills=[
                {"bill": "b-1", "billed_on": "2026-04-01", "amount": "1.00"},
                {"bill": "b-2", "billed_on": None, "amount": "2.00"},
            ],
        ),
        (f"5.00 EUR is on a bill in part; {SENT}; 1.00 on bill b-1 of 2026-04-01; 2.00 on bill b-2 of no known day;"
        f" {DUE}"),
    ),
    "asked in vain": (
        credit(
            state="applied",
            reversals_rejected=[{"amount": "3.00", "code": "too-late"}, {"amount": "4.00", "code": "closed"}],
        ),
        ("5.00 EUR is on a bill; 3.00 was asked back, and billing rejected that (too-late); 4.00 was asked back, and"
        f" billing rejected that (closed); {SENT}"),
    ),
    "written off": (credit(state="written_off", late=True), f"5.00 EUR was written off; {SENT}"),
}  # fmt: skip


@pytest.mark.parametrize("name", CREDITS)
def test_a_credit_says_where_it_stands_what_was_taken_back_and_until_when_it_is_due(name: str) -> None:
    one, says = CREDITS[name]
    assert named(decided(credits=[one]), "billing") == [("billing", says)]


def test_each_credit_has_a_line_of_its_own_and_what_is_in_none_says_so() -> None:
    two = [credit(amount="5.00", delivery="billing/1"), credit(amount="6.00", delivery="billing/2")]
    assert [text.partition(" EUR")[0] for _, text in named(decided(credits=two), "billing")] == ["5.00", "6.00"]
    assert named(decided(), "billing") == [("billing", "in no delivery to billing yet")]
    assert named(decided(Decision(Outcome.DECLINED, "r")), "billing") == []


def test_a_benefit_is_late_by_the_one_credit_that_is_of_its_measure() -> None:
    of_minutes = credit(measure="call_minute", due=at(12), late=True)
    for credits_of, says in (
        ([credit(due=at(11)), of_minutes], ["late from 2026-03-11T09:00:00Z", "late since 2026-03-12T09:00:00Z"]),
        ([credit(due=at(11)), credit(due=at(13))], ["", ""]), ([of_minutes], ["", "late since 2026-03-12T09:00:00Z"]),
    ):  # fmt: skip
        one = decided(Decision(Outcome.GRANTED, "ok", (AMOUNT, MINUTES)), credits=credits_of)
        assert [text.partition("; ")[2] for _, text in named(one, "due")] == says


@pytest.mark.parametrize(
    ("offer", "until", "said"),
    [
        ({**OFFER}, at(5), [("open until", "2026-03-05T09:00:00Z")]), ({**OFFER}, None, [("open until", "no end")]),
        ({**OFFER, "accepted": True}, at(5), []), ({**OFFER, "replaced": True}, at(5), []), (None, at(5), []),
    ],
)  # fmt: skip
def test_an_offer_is_open_until_its_end_unless_it_was_accepted_or_replaced(
    offer: Any, until: str | None, said: list[tuple[str, str]]
) -> None:
    decision = Decision(Outcome.OFFERED, "ok", (AMOUNT,), claim_until=None if until is None else parse_instant(until))
    assert named(decided(decision, offer=offer), "open until") == said


@pytest.mark.parametrize(
    ("expires", "expired", "status", "said"),
    [
        (at(5), False, "granted", "2026-03-05T09:00:00Z"), (at(5), True, "granted", "2026-03-05T09:00:00Z (over)"),
        (None, False, "granted", None), (at(5), False, "offered", None),
    ],
)  # fmt: skip
def test_what_is_granted_says_until_when_it_is_usable(
    expires: str | None, expired: bool, status: str, said: str | None
) -> None:
    one = decided(expires_at=expires, expired=expired, status=status)
    assert [text for _, text in named(one, "usable until")] == ([] if said is None else [said])


@pytest.mark.parametrize("persons", [1, 2])
def test_a_decision_by_hand_says_who_decided_when_and_why_and_what_it_gave_beside(persons: int) -> None:
    given = Decision(Outcome.GRANTED, "ok", (LATER,))
    hand = {**HAND, "at": at(6), "title": "Title", "reason": "code", "persons": persons, "note": "the note"}
    one = decided(
        Decision(Outcome.GRANTED, "ok", (MINUTES,)), by_hand={**hand, "kind": "conflict", "decision": given.to_body()}
    )
    second = " and a second person" if persons == 2 else ""
    assert named(one, "by hand", "note", "granted") == [
        ("by hand", f"2026-03-06T09:00:00Z, by support{second}: Title (code)"),
        ("note", "the note (not for the customer)"), ("granted", "20 call minutes + 7.00 CHF"),
    ]  # fmt: skip
    held = decided(
        Decision(Outcome.HELD, "x", (AMOUNT,)), by_hand={**hand, "decision": given.to_body()}, status="granted"
    )
    assert named(held, "granted") == [("granted", "7.00 CHF")], "what is held is not given"
    assert named(decided(by_hand={**hand, "note": ""}), "note") == []


def test_what_a_customer_was_told_is_said_of_each_notice_with_its_own_language_channel_and_id() -> None:
    granted = Decision(Outcome.GRANTED, "ok", (AMOUNT,), NOTICE)
    what, told = "credited, in de, by email", "what was taken back, in fr, by letter"
    back = {**VOID, "at": at(9), "notice": {"id": "n-2", "locale": "fr", "channel": "letter"}}
    by_hand = ("not told", "what was decided by hand; whoever decided it tells the customer")
    untold = ("not told", "what was taken back; whoever asked for that tells the customer")
    none = ("notice", "none: the policy has no text for this outcome, or chose no channel")
    goodwill = ("notice", "none: Kulanz tells the customer nothing of goodwill; whoever gave it does")
    first = ("notice", f"{what}; for sending since 2026-03-02T09:00:00Z; {KNOWS}")
    again = ("notice", f"{told}; for sending since 2026-03-09T09:00:00Z; id n-2")
    silent = Decision(Outcome.GRANTED, "ok", (AMOUNT,))
    for decision, content, said in (
        (granted, {}, [first]), (silent, {}, [none]), (silent, {"campaign": "goodwill-2026-03/1"}, [goodwill]),
        (granted, {"by_hand": HAND}, [("notice", f"{what}; {KNOWS}"), by_hand]),
        (granted, {"taken_back": [back]}, [first, again]), (granted, {"taken_back": [VOID]}, [first, untold]),
        (granted, {"taken_back": [VOID, back]}, [first, again, untold]),
        (granted, {"taken_back": [back, {**back, "notice": {**back["notice"], "id": "n-3"}}]},
         [first, again, (again[0], again[1].replace("n-2", "n-3"))]),
    ):  # fmt: skip
        one = decided(decision, effective_at=at(2), **cast("Any", content))
        assert named(one, "notice", "not told") == said


def test_of_two_campaigns_the_latest_says_why_and_each_offer_is_of_its_own() -> None:
    first = decided(Decision(Outcome.OFFERED, "first", (AMOUNT,)), campaign="in-7/9")
    last = decided(Decision(Outcome.HELD, "last"), campaign="in-7/10")
    other = decided(campaign="in-8/1")
    line = decided(campaign="in-7/11", subject="l-2")
    body: Any = {
        "decisions": [one.content for one in (last, other, first, line)],
        "standings": [{"incident_id": "in-7", "subject": "-", "state": "held", "offered_by": ["in-7/9"]}],
    }
    (found,) = answered.standings(body)
    assert [one.seq for one in found.decisions] == [9, 10]
    assert [one.seq for one in found.offered] == [9]
    assert (answered.what_words(found), answered.offered_words(found)) == ("last", "5.00 EUR")


@pytest.mark.parametrize(
    ("state", "content", "now", "what"),
    [
        ("expired", {"usable_until": at(4)}, "expired on 2026-03-04T09:00:00Z", "5.00 EUR + 20 call minutes"),
        ("expired", {}, "expired", "5.00 EUR + 20 call minutes"),
        ("granted", {}, "granted", "5.00 EUR + 20 call minutes"),
        (
            "granted",
            {"usable_until": at(4), "expired": {"EUR": "300", "call_minute": "7"}},
            "granted, usable until 2026-03-04T09:00:00Z; of it, 3.00 EUR + 7 call minutes has expired",
            "5.00 EUR + 20 call minutes",
        ),
        ("held", {}, None, "5.00 EUR + 20 call minutes"),
    ],
)
def test_how_a_subject_stands_now_is_said_with_its_dates_and_sums(
    state: str, content: Mapping[str, Any], now: str | None, what: str
) -> None:
    found = standing(decided(), state, **content)
    assert str(answered.what_words(found)) == what
    assert now is None or str(answered.now_words(found)) == now


def test_of_what_was_taken_back_in_part_the_rest_is_said_and_not_what_was_granted() -> None:
    sums = {"EUR": "300", "CHF": "0", "call_minute": "7"}
    assert (
        answered.what_words(standing(decided(taken_back=[VOID]), "granted", granted=sums))
        == "3.00 EUR + 7 call minutes"
    )
