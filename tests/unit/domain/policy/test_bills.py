"""What a policy says of how its credits are booked: checked, frozen, and nothing of it guessed."""

from dataclasses import fields, replace

import pytest

from kulanz.domain.policy import PolicyError, document_from_json, document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.document import bills_of, bookings_of
from kulanz.domain.policy.document.owed import NOTHING_BILLED, Bill
from tests.unit.domain.policy.rulebook import compiled, written

FULL = "bill: {text: Credit, reason_code: SVC-1, treatment: compensation, ledger_account: '4000'}\n"
TWO = "heads:\n- {name: delay, pay: 5 USD}\n- {name: visit, pay: 7 USD, bill: {reason_code: V}}\n"


def bills(body: str) -> dict[str, Bill]:
    document = document_from_json(document_json(load_policy(written(body))))
    return bills_of(document.policy)


def test_what_is_written_is_kept_and_the_rest_is_empty() -> None:
    assert bills(f"{FULL}pay: 5 USD\n") == {"": Bill("Credit", "SVC-1", "compensation", "4000")}
    assert bills("pay: 5 USD\n") == {"": NOTHING_BILLED}
    assert bills("bill: {reason_code: X}\npay: 5 USD\n") == {"": Bill(reason_code="X")}


def test_a_component_has_its_own_or_the_policys() -> None:
    found = bills(FULL + TWO)
    assert found["delay"].reason_code == "SVC-1"
    assert found["visit"] == Bill(reason_code="V")
    alone = bills("heads:\n- {name: visit, pay: 7 USD, bill: {reason_code: V}}\n")
    assert alone[""] == Bill(reason_code="V")  # a decision names components only where there are several


@pytest.mark.parametrize(
    ("body", "codes"),
    [
        ("pay: 5 USD\n", [""]),
        (f"{FULL}pay: 5 USD\n", ["SVC-1"]),
        (f"{FULL}heads:\n- {{name: a, pay: 5 USD}}\n- {{name: b, pay: 7 USD}}\n", ["SVC-1"]),
        (f"{FULL}{TWO}", ["SVC-1", "V"]),
        ("heads:\n- {name: a, pay: 5 USD}\n- {name: b, pay: 7 USD, bill: {text: other words}}\n", [""]),
    ],
)  # fmt: skip
def test_the_ways_of_booking_are_those_that_differ_in_more_than_words(body: str, codes: list[str]) -> None:
    document = document_from_json(document_json(load_policy(written(body))))
    assert [one.reason_code for one in bookings_of(document.policy)] == codes


@pytest.mark.parametrize("entry", [one.name for one in fields(Bill)])
def test_each_entry_of_a_bill_but_its_words_makes_it_another_booking_and_the_first_written_is_told_first(
    entry: str,
) -> None:
    others = {"text": "Refund", "reason_code": "A-0", "treatment": "price_reduction", "ledger_account": "0001"}
    first = Bill("Credit", "SVC-1", "compensation", "4000")
    other = replace(first, **{entry: others[entry]})
    policy = load_policy(written("heads:\n- {name: a, pay: 5 USD}\n- {name: b, pay: 6 USD}\n")).policy
    one, two = policy.heads
    told = bookings_of(replace(policy, heads=(replace(one, bill=first), replace(two, bill=other))))
    assert [replace(bill, text="") for bill in told] == list(
        dict.fromkeys(replace(bill, text="") for bill in (first, other))
    )


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("de", "Gutschrift"),
        ("DE-at", "Gutschrift"),
        ("pt-BR", "BR"),
        ("pt-PT", "Avoir"),
        ("", "Avoir"),
        ("es", "Avoir"),
    ],
)
def test_a_line_on_the_bill_is_in_the_nearest_language_else_the_first_and_one_line_is_for_all(
    locale: str, told: str
) -> None:
    assert Bill({"fr": "Avoir", "de": "Gutschrift", "pt-br": "BR"}).text_in(locale) == told
    assert Bill("Credit").text_in(locale) == "Credit"
    assert NOTHING_BILLED.text_in(locale) == ""


def test_a_bill_decides_nothing() -> None:
    assert compiled(written(f"{FULL}pay: 5 USD\n")).decide(()) == compiled(written("pay: 5 USD\n")).decide(())


@pytest.mark.parametrize(
    ("bill", "expected"),
    [
        ("{}", "say text, reason_code, treatment or ledger_account"),
        ("{text: ''}", "one line of at most 140 characters"),
        ("{text: '=1+1'}", "starts with a letter or digit"),
        ("{text: '-5 off'}", "starts with a letter or digit"),
        ('{text: "two\\nlines"}', "one line"),
        (f"{{text: {'x' * 141}}}", "at most 140"),
        ("{text: {German: Gutschrift}}", "a language tag"),
        ("{reason_code: 'a b'}", "a code of letters"),
        ("{treatment: gift}", "price_reduction, compensation"),
        ("{ledger_account: ''}", "a code of letters"),
        ("{gl_code: X}", "unknown entry"),
        ("[x]", "written as name: value"),
    ],
)
def test_what_cannot_be_booked_is_refused_with_its_place(bill: str, expected: str) -> None:
    with pytest.raises(PolicyError, match=expected) as refused:
        load_policy(written(f"pay: 5 USD\nbill: {bill}"))
    assert refused.value.path[0] == "bill"
