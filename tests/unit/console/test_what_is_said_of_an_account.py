"""Every sentence about an account reaches a German page as a sentence of ours, with what others wrote left as it is."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from kulanz.domain.decision import NEXT_BILL, Benefit, Decision, Notice, Outcome
from kulanz.domain.money import Money
from kulanz_console import answered, customer_notices
from kulanz_console.drawing.said import Said
from kulanz_console.words import Words

AT, LATER = "2026-03-01T09:00:00.5Z", "2026-04-01T00:00:00Z"
FIVE = Benefit(money=Money(500, "EUR"), due=NEXT_BILL, restriction="places", terms={"choice": "1.5 of 2.5"})
MINUTES = Benefit(quantity="20", unit="call_minute")
NOTICE = Notice("credited", "de", "email")
OFFER = {"open": True, "accepted": False, "accepted_at": None, "ended": False, "late": False, "replaced": False}
CREDIT: Mapping[str, Any] = {
    "credit_id": "c", "amount": "5.00", "voided": "0.00", "asked_back": "0.00", "measure": "EUR", "state": "sent",
    "delivery": "billing/1", "sent_at": AT, "due": LATER, "due_by": "list", "late": False, "bills": [], "code": "",
}  # fmt: skip
HAND: Mapping[str, Any] = {
    "at": AT, "kind": "held", "way": "amount", "reason": "open", "title": "granted", "role": "support",
    "persons": 1, "facts": {}, "note": "held", "decision": Decision(Outcome.GRANTED, "ok", (FIVE,)).to_body(),
}  # fmt: skip
VOID: Mapping[str, Any] = {
    "at": AT, "void": "v-1", "role": "requester", "approved_by": 2, "reason": "declined",
    "sums": {"EUR": "500"},
}  # fmt: skip
LOOKED: Mapping[str, Any] = {
    "campaign": "net-outage/1", "state": "closed", "finished": True, "may_have_expired": False,
    "subject": None, "searched": False, "rejected_rows": "",
}  # fmt: skip


def decided(decision: Decision | None = None, **content: Any) -> answered.Decided:
    given = decision or Decision(Outcome.GRANTED, "ok", (FIVE, MINUTES), NOTICE)
    body: dict[str, Any] = {
        "campaign": "net-outage/1", "campaign_state": "closed", "decided_at": AT, "subject": "-",
        "effective_at": AT, "expires_at": None, "expired": False, "superseded": False, "offer": None,
        "status": given.outcome.value, "decision": given.to_body(), "notice_id": "n-1", "engine": "1",
        "policy": {"id": "net-credit", "version": 2, "hash": "0" * 64},
    }  # fmt: skip
    return answered.Decided(cast("Any", body | content))


def standing(one: answered.Decided, state: str, **content: Any) -> answered.Standing:
    body: dict[str, Any] = {
        "state": state, "granted": {"EUR": "500"}, "expired": {}, "usable_until": None, "offered_by": [],
        "overpaid": None,
    }  # fmt: skip
    return answered.Standing(cast("Any", body | content), (one,))


CLAIMABLE = Decision(Outcome.GRANTED, "ok", (FIVE,), claimable=(MINUTES,))
OFFERED = Decision(Outcome.OFFERED, "ok", (FIVE,))
DECIDED = (
    decided(expires_at=LATER, expired=True),
    decided(expires_at=LATER),
    decided(CLAIMABLE, offer={**OFFER, "accepted": True, "accepted_at": AT}),
    decided(Decision(Outcome.HELD, "fee_unknown"), by_hand=HAND, status="granted"),
    decided(Decision(Outcome.HELD, "fee_unknown"), by_hand={**HAND, "persons": 2}, status="granted"),
    decided(taken_back=[VOID, {**VOID, "sums": {"EUR": "-500"}}]),
    decided(
        credits=[
            {
                **CREDIT,
                "voided": "2.00",
                "asked_back": "1.00",
                "reversals_rejected": [{"amount": "5.00", "code": "1.0"}],
            }
        ]
    ),
    decided(credits=[{**CREDIT, "state": "rejected", "code": "4.1", "late": True, "sent_at": None}]),
    decided(credits=[{**CREDIT, "state": "applied", "bills": [{"bill": "100.200", "billed_on": None, "amount": "5"}]}]),
    decided(taken_back=[{**VOID, "notice": {"id": "n-2", "locale": "de", "channel": "letter"}}]),
)
STANDINGS = (
    standing(decided(), "expired", usable_until=LATER),
    standing(decided(), "granted", usable_until=LATER, expired={"call_minute": "20"}),
    standing(decided(CLAIMABLE), "granted", offered_by=["net-outage/1"]),
    standing(decided(OFFERED), "offered", offered_by=["net-outage/1"]),
    standing(decided(), "granted", overpaid={"campaign": "net-outage/2", "sums": {"EUR": "1234500"}}),
    standing(decided(), "granted", overpaid={"campaign": "net-outage/2", "sums": None}),
    *(standing(decided(Decision(one, "why")), one.value) for one in (Outcome.HELD, Outcome.DECLINED, Outcome.REFERRED)),
)
CAMPAIGNS = (
    LOOKED, {**LOOKED, "finished": False}, {**LOOKED, "may_have_expired": True},
    {**LOOKED, "subject": "line_id", "searched": True}, {**LOOKED, "subject": "line_id"},
)  # fmt: skip


def said() -> Iterator[str]:
    """What is said of all these."""
    for one in DECIDED:
        yield from (text for _, text in answered.facts(one, cast("Any", {"explained_by": "2"})))
        yield answered.summary(one.decision)
    for each in STANDINGS:
        yield from (answered.now_words(each), answered.what_words(each), answered.overpaid_words(each))
    yield answered.looked_in(cast("Any", CAMPAIGNS))
    yield from map(answered.what_nothing_means, cast("Any", CAMPAIGNS))


def sentences() -> set[str]:
    """The texts with values of `answered`, as they stand there."""
    found = set()
    sources = [Path(str(one.__file__)).read_text(encoding="utf-8") for one in (answered, customer_notices)]
    for node in (node for source in sources for node in ast.walk(ast.parse(source))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Said":
            first = node.args[0]
            both = (first.body, first.orelse) if isinstance(first, ast.IfExp) else (first,)
            found |= {str(one.value) for one in both if isinstance(one, ast.Constant)}
    return found


def known(text: str) -> Iterator[str]:
    """The sentences that are still known in a text, as `Words.phrase` finds them."""
    if isinstance(text, Said):
        yield text.text
        for value in text.values.values():
            yield from known(value)


def test_no_sentence_loses_what_it_is_on_its_way_to_a_page() -> None:
    reached = {one for text in said() for one in known(text)}
    assert sorted(sentences() - reached) == [], "put together with + or an f-string, or no content here has it"


def german(one: answered.Decided) -> Sequence[tuple[str, str]]:
    return [(name, Words("de").facts(text)) for name, text in answered.facts(one, cast("Any", {"explained_by": "1"}))]


@pytest.mark.parametrize(
    ("one", "name", "kept"),
    [
        (DECIDED[8], "billing", "auf Rechnung 100.200"),
        (DECIDED[7], "billing", "(4.1)"),
        (DECIDED[6], "billing", "5,00 wurde zurückgefordert, und die Rechnungsstelle hat das abgelehnt (1.0)"),
        (DECIDED[3], "by hand", "granted (open)"),
        (DECIDED[3], "note", "held"),
        (DECIDED[5], "taken back", ": declined"),
        (DECIDED[0], "choice", "1.5 of 2.5"),
        (DECIDED[9], "notice", "Sprache de, Kanal letter; zum Senden bereit seit 2026-03-01T09:00:00Z; id n-2"),
    ],
)
def test_what_others_wrote_is_neither_translated_nor_counted(one: answered.Decided, name: str, kept: str) -> None:
    assert any(kept in text for named, text in german(one) if named == name), german(one)


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("accepted", [False, True])
def test_a_notice_is_for_sending_since_the_decision_alone(by_hand: bool, accepted: bool) -> None:
    """An acceptance and a person's decision move the instant of the decision, and send no notice of their own."""
    content: Any = {**decided().content, **({"by_hand": HAND} if by_hand else {})}
    said = dict(customer_notices.notices(content, NOTICE, is_accepted=accepted))
    assert ("for sending since" in said["notice"]) is (not by_hand and not accepted)


def test_what_the_biller_undid_is_given_again_and_never_a_negative_sum() -> None:
    found = dict(answered.facts(DECIDED[5], cast("Any", {"explained_by": "1"})))
    assert found["taken back"].startswith("5.00 EUR, 2026-03-01T09:00:00Z, by the requester")
    assert found["given again"] == "5.00 EUR, 2026-03-01T09:00:00Z: billing had taken it back, and has undone that"


@pytest.mark.parametrize(
    ("one", "says"),
    [
        (decided(), ["in no delivery to billing yet"]),
        (decided(credits=[CREDIT]), None),
        (decided(Decision(Outcome.HELD, "fee_unknown")), []),
        (decided(Decision(Outcome.DECLINED, "prepaid")), []),
    ],
)
def test_whoever_was_granted_something_hears_where_it_is_and_nobody_else(
    one: answered.Decided, says: list[str] | None
) -> None:
    facts = answered.facts(one, cast("Any", {"explained_by": "1"}))
    said = [str(text) for name, text in facts if name == "billing"]
    if says is None:
        assert len(said) == 1
        assert "in no delivery" not in said[0]
    else:
        assert said == says
