"""Columns that nobody reads: a misspelt fact is named, and so is a currency that is not the one that is paid."""

import json
import time
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.lines import Line, ListRefused
from kulanz.domain.lists.near_names import is_nearly
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.lists.rows import Problem, Record, Row
from kulanz.domain.lists.unread_columns import (
    SHAPES_REMEMBERED,
    entries_of,
    in_other_currency,
    must_not_nearly_name,
    names_in,
    near_misses,
    nearly_named,
)
from kulanz.domain.money import Money

FACTS = (FactDeclaration("segment", "text"), FactDeclaration("price_reduction_57", "number", required=False))
LETTERS = st.sampled_from("abcdefghijklmnopqrstuvwxyz")


@pytest.mark.parametrize(
    ("column", "name", "nearly"),
    [
        ("Price_Reduction_57", "price_reduction_57", True),
        ("price-reduction-57", "price_reduction_57", True),
        ("Price Reduction 57", "price_reduction_57", True),
        ("PRICEREDUCTION57", "price_reduction_57", True),
        ("price_reducton_57", "price_reduction_57", True),
        ("price_reducttion_57", "price_reduction_57", True),
        ("price_reductoin_57", "price_reduction_57", True),
        ("price_reduktion_57", "price_reduction_57", True),
        ("price_reduction_58", "price_reduction_57", False),
        ("price_reduction_5", "price_reduction_57", False),
        ("price_reduction_570", "price_reduction_57", False),
        ("price_increase_57", "price_reduction_57", False),
        ("own.windows", "own_windows", True),
        ("line", "lines", True),
        ("tv", "tw", False),
        ("ID", "id", True),
        # as people and tools write a name otherwise
        ("fees", "fee", True),
        ("categories", "category", True),
        ("grundgebühr", "grundgebuehr", True),
        ("Gebühr", "gebuhr", True),
        ("Prämie", "praemie", True),
        ("\uff46\uff45\uff45", "fee", True),
        ("fee\u200b", "fee", True),
        ("price_reduction_(57)", "price_reduction_57", True),
        ('"fee"', "fee", True),
        ("57_price_reduction", "price_reduction_57", True),
        ("date_of_acceptance", "acceptance_date", True),
        ("priceReduction57Eur", "price_reduction_57", True),
        ("max(price_reduction_57)", "price_reduction_57", True),
        ("ns__price_reduction_57__c", "price_reduction_57", True),
        ("business", "is_business", True),
        ("fee_eur", "fee", True),
        ("price_red_57", "price_reduction_57", True),
        ("mthly_fee", "monthly_fee", True),
        ("nr_of_lines", "number_of_lines", True),
        ("acct_type", "account_type", True),
        # other names
        ("fee_mobile", "fee", False),
        ("not_business", "business", False),
        ("yearly_fee", "monthly_fee", False),
        ("price_57", "price_reduction_57", True),
        ("price_reduction_57_2", "price_reduction_57", False),
        ("q1_usage", "q2_usage", False),
        ("m_fee", "monthly_fee", False),
        ("monthly_fee_of_the_last_contract_before", "monthly_fee", False),
        ("class", "clas", True),
        ("bonuses", "bonus", True),
        ("taxes", "tax", True),
        ("total_purchases", "purchase_total", True),
        ("statuses_of_account", "account_status", True),
        ("status", "statu", True),
        ("", "fee", False),
    ],
)
def test_a_name_is_near_by_its_letters_or_by_its_words(column: str, name: str, nearly: bool) -> None:
    assert is_nearly(column, name) is nearly
    assert is_nearly(name, column) is nearly


@given(
    st.text(LETTERS, min_size=5, max_size=20),
    st.integers(0, 19),
    LETTERS,
    st.sampled_from(["change", "add", "drop", "swap"]),
)
def test_every_single_slip_is_near(name: str, at: int, letter: str, slip: str) -> None:
    at %= len(name)
    slipped = {
        "change": name[:at] + letter + name[at + 1 :],
        "add": name[:at] + letter + name[at:],
        "drop": name[:at] + name[at + 1 :],
        "swap": name[:at] + name[at : at + 2][::-1] + name[at + 2 :],
    }[slip]
    assert is_nearly(slipped, name)
    assert list(nearly_named([slipped], [FactDeclaration(name, "text")], None)) == [(slipped, name)] * (slipped != name)


@given(st.lists(st.text(st.sampled_from("aBc1_.-"), min_size=1, max_size=7), max_size=8, unique=True), st.data())
def test_names_are_near_as_each_pair_says(columns: list[str], data: st.DataObject) -> None:
    names = data.draw(st.lists(st.text(st.sampled_from("abc1_"), min_size=1, max_size=7), max_size=5, unique=True))
    expected = [
        (column, name)
        for column in columns
        for name in names
        if column not in names and name not in columns and is_nearly(column, name)
    ]
    assert list(nearly_named(columns, [FactDeclaration(name, "text") for name in names], None)) == expected


def test_a_name_inside_a_table_or_an_object_is_near_and_one_that_holds_it_is_not() -> None:
    facts = [FactDeclaration(name, "text") for name in ("segment", "plan.tier")]
    columns = ["t.segment", "customer.contract.deep.Segment", "segment.id", "tier", "x.plan.tier"]
    assert list(nearly_named(columns, facts, None)) == [
        ("t.segment", "segment"), ("customer.contract.deep.Segment", "segment"), ("x.plan.tier", "plan.tier"),
    ]  # fmt: skip


def test_of_our_own_columns_the_names_are_known_and_their_words_say_nothing() -> None:
    own = ("biller_account", "next_bill_on")
    columns = ["billing_account_status", "account_billing", "next_billing_amount", "Billing Account", "next_bill"]
    assert list(nearly_named(columns, (), None, own)) == [
        ("Billing Account", "biller_account"), ("next_bill", "next_bill_on"),
    ]  # fmt: skip


def test_only_a_fact_that_is_absent_can_be_meant() -> None:
    columns = ["account_id", "segment", "Segment", "Price_Reduction_57", "note"]
    assert list(nearly_named(columns, FACTS, None)) == [("Price_Reduction_57", "price_reduction_57")]
    assert list(nearly_named([*columns, "price_reduction_57"], FACTS, None)) == []
    assert list(nearly_named(columns, FACTS, "Price_Reduction_57")) == [], "it names the subject"


def test_the_refusal_names_both_and_the_event_may_say_that_it_is_meant() -> None:
    columns = ["account_id", "segment", "Price_Reduction_57"]
    with pytest.raises(ListRefused, match=r"'Price_Reduction_57'.*'price_reduction_57'") as refused:
        must_not_nearly_name(columns, FACTS, None, ())
    assert refused.value.reason == "column_nearly_named"
    must_not_nearly_name(columns, FACTS, None, ["Price_Reduction_57"])


def test_keys_of_json_lines_are_columns_too() -> None:
    layout = ListLayout(ListFormat.JSONL, (), 0)
    lines = [b'{"account_id":"1","Segment":"x"}', b"no json", b'{"account_id":"2","own":{"windows":1}}', b"[1]"]
    assert names_in(layout, lines) == ["account_id", "Segment", "own.windows"]


def stated_in(
    layout: ListLayout, raw: bytes, facts: Sequence[FactDeclaration] = (), ignored: Sequence[str] = ()
) -> tuple[str, ...]:
    """The cells of a row that state a currency and that nobody reads."""
    record = line_reader(layout, facts, None, ignored).record(Line(0, raw, len(raw) + 1))
    assert isinstance(record, Record)
    return record.currencies


@pytest.mark.parametrize(
    ("record", "misses"),
    [
        ({"account_id": "1", "segment": "x"}, []),
        ({"account_id": "1", "segment": "x", "price_reduction_57": 1, "Price_Reduction_57": 2}, []),
        ({"account_id": "1", "segment": None, "Segment": "x"}, []),
        ({"account_id": "1", "segment": "x", "note": "y"}, []),
        ({"account_id": "1", "segment": "x", "price-reduction-57": 1}, ["price_reduction_57"]),
        ({"account_id": "1", "segment": "x", "price": {"reduction": {"57": 1}}}, ["price_reduction_57"]),
        ({"account_id": "1", "segmnet": "x", "priceReduction57": 1}, ["segment", "price_reduction_57"]),
        ({"account_id": "1", "segment": "x", "Meant": 1, "means": 1}, []),
    ],
)
def test_each_record_of_json_is_looked_at_for_the_facts_it_nearly_names(record: Any, misses: list[str]) -> None:
    facts = (*FACTS, FactDeclaration("meant", "text"))
    of = near_misses(facts, None, ["Meant"])

    def missed(record: dict[str, Any]) -> tuple[str, ...]:
        return of(record, any(isinstance(value, dict) for value in record.values()))

    others: list[dict[str, Any]] = [{"account_id": "1", "segment": "x"}, {"Segment": "x", "meant": "y"}]
    for one in (*others, record, *others):
        found = missed(one)
        if one is record:
            assert [name for name in found if name != "meant"] == misses
    assert missed(record) == missed(dict(record))
    assert "meant" not in missed({"segment": "x", "Meant": 1})
    assert "meant" in missed({"segment": "x", "Means": 1, "means_t": 1, "meants": 1})


def test_the_shapes_that_are_remembered_are_bounded_and_change_no_answer() -> None:
    missed = near_misses(FACTS, None, ())
    for number in range(2 * SHAPES_REMEMBERED + 1):
        assert missed({"segment": "x", f"n{number}": 1}, False) == ()
        assert missed({"Segment": "x", f"n{number}": 1}, False) == ("segment",)


def test_names_of_any_number_and_length_are_compared_in_bounded_time() -> None:
    facts = [FactDeclaration(f"fact_number_{number}", "text") for number in range(60)]
    started = time.process_time()
    assert list(nearly_named([f"fact_numbr_{number:03d}x" for number in range(4_000)], facts, None)) == []
    assert list(nearly_named(["x" * 64_000, "x_" * 32_000, "fact_" * 12_800, "xX" * 32_000], facts, None)) == []
    assert list(nearly_named([f"fact_{number:04d}_x" for number in range(500)], facts, None)) == []
    assert time.process_time() - started < 1


@pytest.mark.parametrize(
    ("column", "raw", "stated"),
    [
        ("currency", b"1,EUR,x", ["EUR"]),
        ("Currency", b"1,eur ,x", ["EUR"]),
        ("fee_currency", b'"1","KRW","a, b"', ["KRW"]),
        ("currency_code", b"1,JPY,x", ["JPY"]),
        ("currency", b"1,euro,x", []),
        ("currency", b"1,,x", []),
        ("currency", b"1", []),
    ],
)
def test_a_currency_that_a_row_states_is_read_as_its_code(column: str, raw: bytes, stated: list[str]) -> None:
    found = stated_in(ListLayout(ListFormat.CSV, ("account_id", column, "note"), 0), raw)
    pays = {code: Decision(Outcome.GRANTED, "c", (Benefit(money=Money(5, code)),)) for code in ("EUR", "KRW", "JPY")}
    assert [code for code in pays if in_other_currency(pays[code], found)] == [
        code for code in pays if stated and code not in stated
    ]


def test_a_currency_of_json_lines_is_read_wherever_it_stands() -> None:
    layout = ListLayout(ListFormat.JSONL, (), 0)
    assert stated_in(layout, b'{"account_id":"1","Currency" : "krw"}') == ("krw",)
    nested = b'{"account_id":"1","tariff":{"currency":"KRW","fee":{"ccy":"EUR"}}}'
    assert stated_in(layout, nested) == ("KRW", "EUR")
    assert stated_in(layout, nested, ignored=["tariff.currency"]) == ("EUR",)
    assert stated_in(layout, b'{"account_id":"1","currency":5}') == ()


def test_a_column_that_is_read_or_meant_is_not_looked_at() -> None:
    layout = ListLayout(ListFormat.CSV, ("account_id", "currency"), 0)
    assert stated_in(layout, b"1,KRW") == ("KRW",)
    assert stated_in(layout, b"1,KRW", facts=(FactDeclaration("currency", "text"),)) == ()
    assert stated_in(layout, b"1,KRW", ignored=["currency"]) == ()


def test_only_money_in_another_currency_is_foreign() -> None:
    euros = Decision(Outcome.GRANTED, "credit", (Benefit(money=Money(5, "EUR")),))
    assert in_other_currency(euros, ["KRW"])
    assert not in_other_currency(euros, ["EUR"])
    assert in_other_currency(euros, ["EUR", "KRW"]), "one of two columns says another"
    assert not in_other_currency(Decision(Outcome.DECLINED, "other_brand"), ["MXN"])
    assert not in_other_currency(Decision(Outcome.GRANTED, "c", (Benefit(quantity="5", unit="minute"),)), ["MXN"])


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ('{"account_id":"1","own":{"fees":"5"}}', None),
        ('{"account_id":"1","own.fees":"5"}', None),
        ('{"account_id":"1","own":{"fee":"5"}}', "fact_nearly_named"),
        ('{"account_id":"1","own":{"Fees":"5"}}', "fact_nearly_named"),
        ('{"account_id":"1","Own":{"fees":"5"}}', "fact_nearly_named"),
        ('{"account_id":"1","own_fees":"5"}', "fact_nearly_named"),
        ('{"account_id":"1","own":{"meant":{"fees":"5"}}}', "fact_nearly_named"),
        ('{"account_id":"1","ownfees":"5"}', None),
        ('{"account_id":"-","own":{"fee":"5"}}', "account_id_null"),
    ],
)
def test_a_nested_name_is_compared_by_its_path(record: str, reason: str | None) -> None:
    facts = (FactDeclaration("own.fees", "money", currency="EUR", required=False),)
    reader = line_reader(ListLayout(ListFormat.JSONL, (), 0), facts, None, ["ownfees"])
    found = reader.row(record.encode())
    assert (found.reason.value if isinstance(found, Problem) else None) == reason
    if reason == "account_id_null":
        assert isinstance(found, Problem)
        assert [one.reason.value for one in found.each()] == ["account_id_null", "fact_nearly_named"]


def test_one_nested_object_is_enough_for_a_near_miss_in_it() -> None:
    facts = (FactDeclaration("tariff.fee", "money", currency="EUR", required=False),)
    reader = line_reader(ListLayout(ListFormat.JSONL, (), 0), facts, None, ())
    missed = reader.split(b'{"account_id":"A-1","tariff":{"fees":"5.00"}}')
    assert isinstance(missed, Problem)
    assert (missed.reason, missed.field) == (RowReason.FACT_NEARLY_NAMED, "tariff.fee")


def test_a_name_with_a_dot_is_read_where_the_record_has_it_and_else_in_the_object() -> None:
    facts = (FactDeclaration("tariff.fee", "money", currency="EUR"),)
    reader = line_reader(ListLayout(ListFormat.JSONL, (), 0), facts, None, ())
    for content in (b'{"account_id":"A-1","tariff.fee":"5.00"}', b'{"account_id":"A-1","tariff":{"fee":"5.00"}}'):
        record = reader.split(content)
        assert isinstance(record, Record)
        assert record.cells == (500,)


def test_a_record_nested_deeper_than_python_recurses_is_read() -> None:
    """A worker that ended at such a line would take it again and again, and its campaign would stand still."""
    depth = 1_500
    raw = b'{"account_id":"A-1","a":' + b'{"a":' * depth + b"1" + b"}" * depth + b',"b":{"c":2}}'
    record = json.loads(raw)
    assert list(entries_of(record)) == [("account_id", "A-1"), ("a" + ".a" * depth, 1), ("b.c", 2)]
    reader = line_reader(ListLayout(ListFormat.JSONL, (), 0), (), None, ())
    assert isinstance(reader.row(raw), Row)


def test_a_row_may_state_any_currency_in_which_it_is_paid_and_no_other() -> None:
    minutes = Benefit(quantity="5", unit="call_minute")
    both = Decision(Outcome.GRANTED, "ok", (Benefit(money=Money(1, "EUR")), minutes, Benefit(money=Money(2, "CHF"))))
    stated = {"EUR": False, " chf ": False, "USD": True, "": False, "euro": False, "call_minute": False}
    assert {code: in_other_currency(both, [code]) for code in stated} == stated
    assert in_other_currency(both, ["EUR", "USD"])
    assert not in_other_currency(Decision(Outcome.GRANTED, "ok", (minutes,)), ["USD"])
