"""What the discretion file allows: who has to agree to an amount, and what nobody may give."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.byhand.discretion import (
    NO_DISCRETION,
    Allowed,
    ByHand,
    Discretion,
    DiscretionError,
    Limits,
    Needs,
    NotAllowed,
    Used,
    discretion_from_json,
    discretion_json,
    must_follow,
    needs,
    read_discretion,
)
from kulanz.domain.byhand.sizes import parse_size, size_text
from kulanz.domain.money import AmountError, Money
from kulanz.domain.people.people import Listed
from kulanz.domain.time import parse_instant

ALONE = {"decision": "50.00", "person_month": "500.00", "account_month": "100.00"}
TWO = {"decision": "200.00", "person_month": "2000.00", "account_month": "300.00"}
FULL: dict[str, Any] = {
    "kulanz_discretion": 1,
    "version": 1,
    "zone": "Europe/Berlin",
    "reasons": {"long_wait": {"title": "Waited too long"}, "other": {"title": "Something else", "note": True}},
    "goodwill": {"EUR": {"alone": ALONE, "two": TWO}, "GB": {"alone": dict.fromkeys(ALONE, "2.5")}},
    "cases": {"EUR": {"two": TWO}},
}


def changed(**entries: Any) -> dict[str, Any]:
    return FULL | entries


def euro(limits: dict[str, Any]) -> dict[str, Any]:
    return changed(goodwill={"EUR": {"alone": limits}})


def test_a_file_is_read_and_published_as_it_stands() -> None:
    found = read_discretion(FULL)
    assert found.limits[ByHand.GOODWILL]["EUR"] == Allowed(Limits(5000, 50000, 10000), Limits(20000, 200000, 30000))
    assert found.limits[ByHand.GOODWILL]["GB"].alone == Limits(*[Decimal("2.5")] * 3)
    assert found.reasons["other"].needs_note
    assert discretion_from_json(discretion_json(FULL)) == found


@pytest.mark.parametrize(
    ("content", "path", "says"),
    [
        ([], (), "known here: kulanz_discretion"),
        (changed(kulanz_discretion=True), (), "kulanz_discretion: 1"),
        (changed(version=0), ("version",), "whole number"),
        (changed(zone="Berlin"), ("zone",), "IANA time zone"),
        (changed(reasons={}), ("reasons",), "1 to 100 reasons"),
        (changed(reasons={"Long Wait": {"title": "x"}}), ("reasons", "Long Wait"), "long_wait"),
        (changed(reasons={"x": {"title": "a\nb"}}), ("reasons", "x", "title"), "one line"),
        (changed(reasons={"x": {"title": "y", "note": "yes"}}), ("reasons", "x", "note"), "true"),
        (changed(limit={}), ("limit",), "unknown entry"),
        (changed(goodwill={"EURO CENT": {}}), ("goodwill", "EURO CENT"), "ISO 4217"),
        (changed(goodwill={"EUX": {"alone": ALONE}}), ("goodwill", "EUX"), "three capital letters are a currency"),
        (changed(goodwill={"EUR": {}}), ("goodwill", "EUR"), "or both"),
        (euro(ALONE | {"decision": 50.0}), ("goodwill", "EUR", "alone", "decision"), "decimal point"),
        (euro(ALONE | {"decision": "-5.00"}), ("goodwill", "EUR", "alone", "decision"), "no sign"),
        (euro(ALONE | {"decision": "5.001"}), ("goodwill", "EUR", "alone", "decision"), "2 decimals"),
        (euro(ALONE | {"decision": "0"}), ("goodwill", "EUR", "alone", "decision"), "above zero"),
        (euro(ALONE | {"decision": "500000000"}), ("goodwill", "EUR", "alone", "decision"), "at most 10000000.00 EUR"),
        (euro(ALONE | {"decision": "100.01"}), ("goodwill", "EUR", "alone", "account_month"), "less than one decision"),
        (euro({"decision": "5.00"}), ("goodwill", "EUR", "alone", "person_month"), "decimal point"),
        (
            changed(goodwill={"EUR": {"alone": TWO, "two": TWO | {"account_month": "200.00"}}}),
            ("goodwill", "EUR", "two", "account_month"),
            "less than one alone",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_entry(content: Any, path: tuple[str, ...], says: str) -> None:
    with pytest.raises(DiscretionError, match=says) as caught:
        read_discretion(content)
    assert caught.value.path == path


@pytest.mark.parametrize(("room", "is_published"), [(0, True), (-1, False)])
def test_a_file_may_be_as_large_as_its_limit(monkeypatch: pytest.MonkeyPatch, room: int, *, is_published: bool) -> None:
    published = discretion_json(FULL)
    monkeypatch.setattr("kulanz.domain.byhand.discretion.BYTES_MOST", len(published) + room)
    if is_published:
        assert discretion_json(FULL) == published
        return
    with pytest.raises(DiscretionError, match=f"at most {len(published) - 1} bytes"):
        discretion_json(FULL)


def test_a_version_follows_the_one_before_and_keeps_its_reasons() -> None:
    first = read_discretion(FULL)
    must_follow(first, read_discretion(changed(version=2, goodwill={})))
    with pytest.raises(DiscretionError, match="keep its code"):
        must_follow(first, read_discretion(changed(version=2, reasons={"other": {"title": "x"}})))
    with pytest.raises(DiscretionError, match="expected 2"):
        must_follow(first, read_discretion(changed(version=3)))


def test_months_are_those_of_the_stated_zone() -> None:
    instant = parse_instant("2026-11-30T23:30:00Z")
    assert read_discretion(FULL).month_of(instant) == "2026-12"
    assert read_discretion(changed(zone="UTC")).month_of(instant) == "2026-11"


DISCRETION = read_discretion(FULL)


@pytest.mark.parametrize(
    ("kind", "measure", "amount", "used", "expected"),
    [
        (ByHand.GOODWILL, "EUR", "50.00", Used(), Needs.NOBODY),
        (ByHand.GOODWILL, "EUR", "50.01", Used(), Needs.SECOND),
        (ByHand.GOODWILL, "EUR", "50.00", Used(45000, 5000), Needs.NOBODY),
        (ByHand.GOODWILL, "EUR", "50.00", Used(45001, 0), Needs.SECOND),
        (ByHand.GOODWILL, "EUR", "50.00", Used(0, 5001), Needs.SECOND),
        (ByHand.GOODWILL, "EUR", "200.01", Used(), "decision_exceeded"),
        (ByHand.GOODWILL, "EUR", "50.00", Used(195001, 0), "person_month_exceeded"),
        (ByHand.GOODWILL, "EUR", "50.00", Used(0, 25001), "account_month_exceeded"),
        (ByHand.GOODWILL, "GB", "2.5", Used(), Needs.NOBODY),
        (ByHand.GOODWILL, "GB", "2.500001", Used(), "decision_exceeded"),
        (ByHand.GOODWILL, "USD", "0.01", Used(), "limit_none"),
        (ByHand.GOODWILL, "EUR", "0.00", Used(), "amount_not_positive"),
        (ByHand.CASES, "EUR", "0.01", Used(), Needs.SECOND),
        (ByHand.CASES, "GB", "1", Used(), "limit_none"),
    ],
)
def test_an_amount_is_one_persons_two_persons_or_nobodys(
    kind: ByHand, measure: str, amount: str, used: Used, expected: Needs | str
) -> None:
    try:
        found: Needs | str = needs(kind, measure, parse_size(amount, measure), used, DISCRETION)
    except NotAllowed as refused:
        found = refused.reason
    assert found == expected


def test_while_no_file_is_published_nobody_may_give_anything() -> None:
    for kind in ByHand:
        with pytest.raises(NotAllowed, match="no limit"):
            needs(kind, "EUR", 1, Used(), NO_DISCRETION)
    with pytest.raises(NotAllowed, match="no discretion file"):
        NO_DISCRETION.reason("long_wait", "")


def test_a_persons_own_limit_lowers_what_they_give_alone() -> None:
    anna = Listed("anna", ("sso:anna",), goodwill=(Money(2000, "EUR"),))
    assert needs(ByHand.GOODWILL, "EUR", 2000, Used(), DISCRETION, anna) is Needs.NOBODY
    assert needs(ByHand.GOODWILL, "EUR", 2001, Used(), DISCRETION, anna) is Needs.SECOND
    assert needs(ByHand.GOODWILL, "EUR", 5000, Used(), DISCRETION, Listed("ben", ("sso:ben",))) is Needs.NOBODY
    in_dollars = Listed("ben", ("sso:ben",), goodwill=(Money(2000, "USD"),))
    assert needs(ByHand.GOODWILL, "EUR", 1, Used(), DISCRETION, in_dollars) is Needs.SECOND
    nobody_else = read_discretion(euro(ALONE))
    with pytest.raises(NotAllowed) as caught:
        needs(ByHand.GOODWILL, "EUR", 2001, Used(), nobody_else, anna)
    assert caught.value.reason == "amount_above_own_limit"


def test_a_reason_is_one_of_the_file_and_has_the_note_that_it_needs() -> None:
    assert DISCRETION.reason("long_wait", "").title == "Waited too long"
    assert DISCRETION.reason("other", "the shop was closed").code == "other"
    for code, note, reason in [("other", " ", "note_missing"), ("unknown", "x", "reason_unknown")]:
        with pytest.raises(NotAllowed) as caught:
            DISCRETION.reason(code, note)
        assert caught.value.reason == reason


SIZES = st.integers(1, 30000)


@given(st.lists(SIZES, max_size=30))
def test_however_an_amount_is_divided_no_month_exceeds_its_limits(sizes: list[int]) -> None:
    """One person gives to one account again and again: alone never more than the limits for one, with two for two."""
    alone, all_of_it = 0, 0
    for size in sizes:
        try:
            found = needs(ByHand.GOODWILL, "EUR", size, Used(all_of_it, all_of_it), DISCRETION)
        except NotAllowed:
            continue
        all_of_it += size
        if found is Needs.NOBODY:
            alone = all_of_it
    assert alone <= 10000
    assert all_of_it <= 30000


@given(SIZES, SIZES, SIZES)
def test_what_needs_nobody_else_needs_nobody_when_it_is_less_or_less_is_used(size: int, used: int, less: int) -> None:
    def agreed(amount: int, before: int) -> int:
        try:
            return list(Needs).index(needs(ByHand.GOODWILL, "EUR", amount, Used(before, before), DISCRETION))
        except NotAllowed:
            return len(Needs)

    assert agreed(min(less, size), used) <= agreed(size, used)
    assert agreed(size, min(less, used)) <= agreed(size, used)


@pytest.mark.parametrize(
    ("text", "measure", "size", "shown"),
    [
        ("5", "EUR", 500, "5.00 EUR"),
        ("200", "JPY", 200, "200 JPY"),
        ("1.234", "KWD", 1234, "1.234 KWD"),
        ("20.50", "GB", Decimal("20.5"), "20.5 GB"),
        ("100", "call_minute", 100, "100 call minutes"),
    ],
)
def test_an_amount_is_read_and_shown_with_the_decimals_of_its_measure(
    text: str, measure: str, size: object, shown: str
) -> None:
    found = parse_size(text, measure)
    assert (found, size_text(found, measure)) == (size, shown)


@pytest.mark.parametrize(
    ("text", "measure"),
    [("5.001", "EUR"), ("5.0", "JPY"), ("-1", "EUR"), ("+1", "EUR"), ("1e3", "EUR"), ("1,000", "EUR"), ("", "EUR"),
     (" 1", "EUR"), ("٣", "EUR"), ("1" * 13, "EUR"), ("0.0000001", "GB"), ("5.", "EUR")],
)  # fmt: skip
def test_what_is_no_amount_of_its_measure_is_refused(text: str, measure: str) -> None:
    with pytest.raises(AmountError, match="expected"):
        parse_size(text, measure)


def test_the_empty_file_is_version_0() -> None:
    assert Discretion() == NO_DISCRETION
