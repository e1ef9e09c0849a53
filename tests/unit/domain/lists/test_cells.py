from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Literal
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.lists.cells import EDGES, MAX_TEXT_CHARACTERS
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FACT_TYPES, INVALID, LIST_SEPARATOR_UNKNOWN, FactError, FactValue, canonical
from kulanz.domain.lists.words import NO_VALUE
from kulanz.domain.money import format_minor
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
        ("number", ".5", Fraction(1, 2)),
        ("number", "-.25", Fraction(-1, 4)),
        ("money", "79.90", 7990),
        ("money", ".5", 50),
        ("money", ".5000", 50),
        ("instant", "2024-02-22T09:45:00Z", INSTANT),
        ("day", "2024-02-22", date(2024, 2, 22)),
        ("list", "phone|internet|phone", ("internet", "phone")),
        ("zone", "Europe/Berlin", "Europe/Berlin"),
        ("windows", "2024-02-22T09:45:00Z/2024-02-22T10:45:00Z", (Window(INSTANT, LATER),)),
        ("windows", "2024-02-22T09:45:00Z/", (Window(INSTANT, None),)),
        ("numbers", "12|1.5", (12, Fraction(3, 2))),
        ("amounts", "12.50|13", (1250, 1300)),
        ("dates", "2024-02-29|2024-03-01", (date(2024, 2, 29), date(2024, 3, 1))),
        ("day", "2024-02-22 00:00:00", date(2024, 2, 22)),
        ("day", "2024-02-22T00:00:00.000", date(2024, 2, 22)),
        ("list", "phone | internet", ("internet", "phone")),
        ("list", '["phone", "internet, fast"]', ("internet, fast", "phone")),
        ("list", "||", ()),
        ("windows", "2024-02-22 09:45:00 UTC / 2024-02-22 11:45:00 Europe/Berlin", (Window(INSTANT, LATER),)),
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
        for text in ("Infinity", "1e400", "1_000", "\uff11\uff12", "12,5", "0x1", "1 000", "+1", "1.", "9" * 16)
    ]
    + [
        ("money", text)
        for text in ("-1", "1.005", "1e2", "\u0665", "39.901", "39.9001", "39.", "#REF!", "0001.000", ".", "..5")
    ]
    + [("money", text) for text in ("39,90", "1.299,00", "1,299.00", "1 299.00", "1'299.00", "1.299", "1.000")]
    + [("yes_no", text) for text in ("1", "y", "ja", "tRue")]
    + [("zone", text) for text in ("CET", "EST", "MST", "MESZ", "+01:00", "GMT+1")]
    + [
        (type_, text)
        for type_ in ("text", "list")
        for text in ("#¡REF!", "#ССЫЛКА!", "#VERW!", "#NAZWA?", "Err:502", "########", "[object Object]", "M\ufffdller")
    ]
    + [("instant", "2023-02-22T09:45:00"), ("day", "22.02.2024"), ("zone", "Atlantis"), ("windows", "yesterday")]
    + [
        ("windows", "2024-02-22T10:45:00Z/2024-02-22T09:45:00Z"),
        ("windows", "2024-02-22T10:45:00Z/2024-02-22T10:45:00Z"),
        ("windows", "2024-02-22T10:45:00Z"),
        ("text", "a\x00b"),
        ("text", "#BEZUG!"),
        ("list", "{internet}"),
        ("list", '["internet'),
        ("list", '{"a": 1}'),
        ("list", '["internet", null]'),
        ("list", "internet|NULL"),
        ("numbers", "1||2"),
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


HOUR = "2024-02-22T09:45:00Z/2024-02-22T10:45:00Z"
EDGES_OF_TYPES: dict[str, tuple[str, str, FactValue | None]] = {
    # the last text that is read, what it is, and beside it the first that is not
    "letters of a text": ("text", "x" * 200, "x" * 200),
    "items of a list": ("list", "|".join(f"{n:02d}" for n in range(50)), tuple(f"{n:02d}" for n in range(50))),
    "numbers": ("numbers", "|".join(["1"] * 50), (1,) * 50),
    "amounts": ("amounts", "|".join(["1.00"] * 50), (100,) * 50),
    "dates": ("dates", "|".join(["2024-02-22"] * 50), (date(2024, 2, 22),) * 50),
    "windows": ("windows", "|".join([HOUR] * 50), (Window(INSTANT, LATER),) * 50),
    "digits of a number": ("number", "9" * 15, 10**15 - 1),
    "decimals of a number": ("number", "0.123456789012", Fraction(123456789012, 10**12)),
}
ONE_MORE = {
    "letters of a text": "x" * 201,
    "items of a list": "|".join(f"{n:02d}" for n in range(51)),
    "numbers": "|".join(["1"] * 51),
    "amounts": "|".join(["1.00"] * 51),
    "dates": "|".join(["2024-02-22"] * 51),
    "windows": "|".join([HOUR] * 51),
    "digits of a number": "1" + "0" * 15,
    "decimals of a number": "0.1234567890123",
}


@pytest.mark.parametrize("edge", EDGES_OF_TYPES)
def test_as_much_as_the_limit_is_read_and_one_more_is_refused(edge: str) -> None:
    type_, most, value = EDGES_OF_TYPES[edge]
    assert declared(type_).parse_text(most) == value
    with pytest.raises(FactError):
        declared(type_).parse_text(ONE_MORE[edge])


@pytest.mark.parametrize(
    ("currency", "raw", "minor"),
    [
        ("EUR", "1.000", None), ("EUR", "999.999", None), ("EUR", "0.100", 10), ("EUR", "1000.000", 100_000),
        ("EUR", "1.0000", 100), ("EUR", "1.0001", None), ("EUR", "1.", None), ("EUR", "1.5", 150), ("EUR", "1", 100),
        ("JPY", "1.000", None), ("JPY", "1.00", 1), ("JPY", "1.0", 1), ("JPY", "1.01", None), ("JPY", "1000.000", 1000),
        ("KWD", "1.000", 1_000), ("KWD", "1.0000", 1_000), ("KWD", "1.0001", None), ("KWD", "0.001", 1),
    ],
)  # fmt: skip
def test_an_amount_is_exact_to_its_minor_unit_and_never_a_thousand_times_it(
    currency: str, raw: str, minor: int | None
) -> None:
    fact = FactDeclaration("fact", "money", currency=currency)
    if minor is None:
        with pytest.raises(FactError):
            fact.parse_text(raw)
    else:
        assert fact.parse_text(raw) == minor


@pytest.mark.parametrize("type_", ["number", "money"])
@pytest.mark.parametrize(
    ("raw", "is_within"),
    [("1.99", False), ("2", True), ("2.00", True), ("2.01", True), ("2.99", True), ("3", True), ("3.01", False)],
)
def test_a_value_is_within_its_least_and_its_most(type_: str, raw: str, is_within: bool) -> None:
    both = declared(type_, minimum=Fraction(2), maximum=Fraction(3))
    least, most = declared(type_, minimum=Fraction(2)), declared(type_, maximum=Fraction(3))
    for fact, inside in ((both, is_within), (least, is_within or raw > "3"), (most, is_within or raw < "2")):
        if inside:
            assert fact.parse_text(raw) == (Fraction(raw) * (100 if type_ == "money" else 1))
        else:
            with pytest.raises(FactError, match="a value of at "):
                fact.parse_text(raw)


@pytest.mark.parametrize(
    ("raw", "is_day"),
    [
        ("2024-02-22", True), ("2024-02-22 00:00", True), ("2024-02-22T00:00:00", True),
        ("2024-02-22 00:00:00.0", True),
        ("2024-02-22 00:00:00.000000", True), ("2024-02-22 00:00:01", False), ("2024-02-22 00:01", False),
        ("2024-02-22 01:00", False), ("2024-02-22 00:00:00.1", False), ("2024-02-22 00:00:00Z", False),
        ("2024-02-30", False), ("2024-2-22", False), ("24-02-22", False),
    ],
)  # fmt: skip
def test_a_day_may_have_a_midnight_behind_it_and_no_other_time(raw: str, is_day: bool) -> None:
    if is_day:
        assert declared("day").parse_text(raw) == date(2024, 2, 22)
    else:
        with pytest.raises(FactError):
            declared("day").parse_text(raw)


YES = ("true", "True", "TRUE", "yes", "Yes", "YES", "t")
NO = ("false", "False", "FALSE", "no", "No", "NO", "f")


def test_yes_and_no_are_read_in_these_spellings_alone() -> None:
    fact = declared("yes_no")
    assert [fact.parse_text(word) for word in (*YES, *NO)] == [True] * 7 + [False] * 7
    letters = {word.swapcase() for word in (*YES, *NO)} | {word[0].upper() for word in (*YES, *NO)}
    for wrong in (letters | {"y", "n", "1", "0", "on", "off", "wahr", "trues", "tr", "ye"}) - {*YES, *NO}:
        with pytest.raises(FactError, match="true or false"):
            fact.parse_text(wrong)


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


# What every cell goes through

GOOD = {
    "text": "Geschäftskunde",
    "yes_no": "true",
    "number": "12.50",
    "money": "79.90",
    "instant": "2024-02-22T09:45:00Z",
    "day": "2024-02-22",
    "list": "phone|internet",
    "zone": "Europe/Berlin",
    "windows": "2024-02-22T09:45:00Z/2024-02-22T10:45:00Z",
    "numbers": "12|1.5",
    "amounts": "12.50|13",
    "dates": "2024-02-29|2024-03-01",
}
AROUND = st.text(st.sampled_from(EDGES), max_size=4)


def test_every_type_is_among_the_good_ones_and_every_white_space_among_the_edges() -> None:
    assert set(GOOD) == set(FACT_TYPES)
    assert {character for character in map(chr, range(0x110000)) if character.isspace()} <= set(EDGES)


@given(st.sampled_from(sorted(GOOD)), AROUND, AROUND, st.sampled_from(["NFC", "NFD"]))
def test_what_nobody_sees_around_a_value_and_the_form_of_its_letters_change_nothing(
    type_: str, before: str, after: str, form: Literal["NFC", "NFD"]
) -> None:
    fact, cell = declared(type_), before + normalize(form, GOOD[type_]) + after
    plain = fact.parse_text(GOOD[type_])
    assert plain is not None
    assert fact.parse_text(cell) == plain
    if type_ != "yes_no":
        assert fact.parse_json(cell) == plain


@pytest.mark.parametrize("type_", sorted(GOOD))
def test_a_word_for_no_value_is_unknown_in_every_type_and_both_formats(type_: str) -> None:
    for fact in (declared(type_), declared(type_, hold_invalid=True)):
        for word in (*NO_VALUE, ""):
            for cell in (word, f" {word}", f"{word}\u200b\r", f"\ufeff{word} "):
                assert fact.parse_text(cell) is None
                assert fact.parse_json(cell) is None


@pytest.mark.parametrize(
    "word",
    ["NULL", "null", "\\N", "None", "nan", "NaN", "NaT", "N/A", "n/a", "#N/A", "(null)", "<NA>", "NA", "-"],
)
def test_the_usual_words_are_among_them(word: str) -> None:
    assert word in NO_VALUE


@given(st.sampled_from(sorted(NO_VALUE)))
def test_a_policy_that_lists_the_word_among_its_choices_keeps_it(word: str) -> None:
    fact = declared("text", choices=(word, "Basic"))
    assert fact.parse_text(word) == fact.parse_json(f" {word}") == word
    assert all(fact.parse_text(other) is None for other in NO_VALUE - {word})


@given(st.integers(0, 10**9), st.integers(0, 25), st.sampled_from([("EUR", 2), ("JPY", 0), ("KWD", 3)]))
def test_zeros_at_the_end_of_an_amount_are_exact(minor: int, zeros: int, currency: tuple[str, int]) -> None:
    code, places = currency
    text = format_minor(minor, places)
    more = (text if "." in text else f"{text}.") + "0" * zeros if zeros else text
    fact = FactDeclaration("fact", "money", currency=code)
    digits = len(more.partition(".")[2])
    if digits == 3 and places < 3 and 1 <= minor // 10**places < 1000:
        with pytest.raises(FactError, match="may mean thousands"):
            fact.parse_text(more)
    else:
        assert fact.parse_text(more) == minor
    assert fact.parse_json(Decimal(more)) == minor


@given(st.sampled_from(["list", "numbers", "amounts", "dates"]), st.sampled_from(",;"), st.booleans())
def test_a_list_without_a_bar_is_taken_apart_only_where_the_policy_names_its_separator(
    type_: str, separator: str, hold: bool
) -> None:
    cell = GOOD[type_].replace("|", f"{separator} ")
    with pytest.raises(FactError) as caught:
        declared(type_, hold_invalid=hold).parse_text(cell)
    assert caught.value.reason == LIST_SEPARATOR_UNKNOWN
    assert declared(type_, separator=separator).parse_text(cell) == declared(type_).parse_text(GOOD[type_])


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


@pytest.mark.parametrize("type_", ["yes_no", "text", "number", "money", "instant", "day", "list"])
@pytest.mark.parametrize("word", ["NULL", "", " \u00a0", "N/A", "\\N"])
def test_a_word_for_no_value_is_unknown_in_json_whatever_the_type(type_: str, word: str) -> None:
    assert declared(type_).parse_json(word) is None
    assert declared(type_, hold_invalid=True).parse_json(word) is None
