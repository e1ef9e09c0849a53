from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.lists.cells import MAX_TEXT_CHARACTERS
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, FactError, FactValue, canonical
from kulanz.domain.time import Window

INSTANT = datetime(2024, 2, 22, 9, 45, tzinfo=UTC)
LATER = datetime(2024, 2, 22, 10, 45, tzinfo=UTC)


def declared(type_: str, **limits: object) -> FactDeclaration:
    return FactDeclaration("fact", type_, currency="EUR" if type_ in ("money", "amounts") else "", **limits)  # type: ignore[arg-type] # limits of one type


@pytest.mark.parametrize(
    ("type_", "raw", "value"),
    [
        ("text", "consumer", "consumer"),
        ("yes_no", "true", True),
        ("yes_no", "NO", False),
        ("number", "12", 12),
        ("number", "-3", -3),
        ("number", "12.50", Fraction(25, 2)),
        ("number", "12.0", 12),
        ("money", "79.90", 7990),
        ("instant", "2024-02-22T09:45:00Z", INSTANT),
        ("day", "2024-02-22", date(2024, 2, 22)),
        ("list", "phone|internet|phone", ("internet", "phone")),
        ("zone", "Europe/Berlin", "Europe/Berlin"),
        ("windows", "2024-02-22T09:45:00Z/2024-02-22T10:45:00Z", (Window(INSTANT, LATER),)),
        ("windows", "2024-02-22T09:45:00Z/", (Window(INSTANT, None),)),
        ("numbers", "12|1.5", (12, Fraction(3, 2))),
        ("amounts", "12.50|13", (1250, 1300)),
        ("dates", "2024-02-29|2024-03-01", (date(2024, 2, 29), date(2024, 3, 1))),
    ],
)
def test_a_cell_is_read_by_its_type(type_: str, raw: str, value: FactValue) -> None:
    assert declared(type_).parse_text(raw) == value


@pytest.mark.parametrize("type_", ["text", "yes_no", "number", "money", "instant", "day", "list", "zone", "windows"])
def test_an_empty_cell_is_unknown_in_every_type(type_: str) -> None:
    assert declared(type_).parse_text("") is None
    assert declared(type_).parse_json(None) is None


@pytest.mark.parametrize(
    ("type_", "raw"),
    [
        ("number", text)
        for text in ("NaN", "Infinity", "1e400", "1_000", "\uff11\uff12", "12,5", "0x1", " 1", "+1", "1.", "9" * 16)
    ]
    + [("money", text) for text in ("-1", "1.005", "NaN", "1e2", "\u0665")]
    + [("yes_no", text) for text in ("1", "y", "ja", "tRue")]
    + [("instant", "2023-02-22T09:45:00"), ("day", "22.02.2024"), ("zone", "Atlantis"), ("windows", "yesterday")]
    + [
        ("windows", "2024-02-22T10:45:00Z/2024-02-22T09:45:00Z"),
        ("text", "a\x00b"),
        ("text", "x" * (MAX_TEXT_CHARACTERS + 1)),
    ]
    + [("list", "|".join("x" * n for n in range(60)))],
)
def test_a_wrong_value_is_refused_without_being_repeated(type_: str, raw: str) -> None:
    with pytest.raises(FactError) as caught:
        declared(type_).parse_text(raw)
    assert caught.value.field == "fact"
    assert caught.value.expected
    if len(raw) > 3:
        assert raw not in str(caught.value)
    assert declared(type_, hold_invalid=True).parse_text(raw) is INVALID


@pytest.mark.parametrize(
    ("type_", "raw"),
    [
        ("number", 1.5),
        ("money", 5.0),
        ("number", True),
        ("yes_no", "true"),
        ("yes_no", 1),
        ("text", 5),
        ("list", ["a", "b", 1]),
        ("windows", [{"from": "x"}]),
        ("instant", 1708595100),
        ("number", Decimal("NaN")),
    ],
)
def test_a_json_value_of_another_type_is_refused(type_: str, raw: object) -> None:
    with pytest.raises(FactError):
        declared(type_).parse_json(raw)
    assert declared(type_, hold_invalid=True).parse_json(raw) is INVALID


def test_json_numbers_are_exact() -> None:
    assert declared("money").parse_json(Decimal("79.90")) == 7990
    assert declared("number").parse_json(12) == 12
    assert declared("number").parse_json(Decimal("1E+2")) == 100
    assert declared("list").parse_json([]) == ()
    assert declared("amounts").parse_json([12, "12.50", Decimal("0.5")]) == (1200, 1250, 50)
    with pytest.raises(FactError):
        declared("numbers").parse_json([1, Decimal("1E+99")])
    with pytest.raises(FactError):
        declared("numbers").parse_json([1.5])
    with pytest.raises(FactError):
        declared("list").parse_json(["a|b"])


def test_choices_are_the_only_texts() -> None:
    fact = declared("text", choices=("consumer", "business"))
    assert fact.parse_text("consumer") == "consumer"
    with pytest.raises(FactError, match="one of consumer, business"):
        fact.parse_text("Consumer")


@pytest.mark.parametrize(("raw", "good"), [("1", True), ("500", True), ("0", False), ("501", False), ("0.999", False)])
def test_a_range_includes_its_ends(raw: str, good: bool) -> None:
    fact = declared("number", minimum=Fraction(1), maximum=Fraction(500))
    if good:
        assert fact.parse_text(raw) is not None
    else:
        with pytest.raises(FactError, match="at least 1"):
            fact.parse_text(raw)


def test_a_range_of_money_is_in_its_currency() -> None:
    fact = declared("money", minimum=Fraction(11, 2))
    assert fact.parse_text("5.50") == 550
    with pytest.raises(FactError, match=r"a value of at least 5\.5"):
        fact.parse_text("5.49")


VALUES: list[FactValue] = [
    "a",
    True,
    False,
    1,
    0,
    Fraction(1, 2),
    INSTANT,
    date(2024, 2, 22),
    (),
    ("a",),
    ("a", "b"),
    (Window(INSTANT, None),),
]


def test_different_values_have_different_canonical_text_within_a_type() -> None:
    for type_ in {type(value) for value in VALUES}:
        texts = [canonical(value) for value in VALUES if type(value) is type_]
        assert len(set(texts)) == len(texts)
    assert len({canonical(None), canonical(INVALID), *(canonical(value) for value in VALUES)}) == len(VALUES) + 2
    assert canonical(None) == ""
    assert canonical(()) != ""


@given(st.integers(-(10**14), 10**14), st.integers(0, 10**6))
def test_a_number_is_read_exactly(whole: int, millionths: int) -> None:
    text = f"{whole}.{millionths:07}"
    exact = Fraction(Decimal(text))
    assert declared("number").parse_text(text) == exact
