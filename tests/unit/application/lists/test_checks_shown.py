"""What a check of a list finds, whole: each figure and line of a list that has everything, and each refusal.

It is what stands between a list and a campaign: a figure that is another's, or a line that is one off, sends whoever
corrects the list elsewhere.
"""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from kulanz.application.lists import check_list as check_list_module
from kulanz.application.lists.check_list import (
    FIRST_LINES,
    LARGEST_SHOWN,
    NAMES_REMEMBERED,
    PROBLEMS_SHOWN,
    CheckedList,
    Found,
    Range,
    check_list,
)
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.incident import Incident
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.policy import CompiledPolicy, compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import Window
from tests.support.approved import must_be_as_approved
from tests.support.small_campaign import EVERY_KIND_OF_ROW

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
POLICY = """
kulanz: 1
id: fees
version: 1
title: The monthly fee
currency: EUR
zone: Europe/Berlin
facts:
  monthly_fee: money
  used: {type: number, default: 1}
  since: {type: day, default: 2020-01-01}
  seen: {type: instant, default: 2020-01-01T00:00:00Z}
  language: {type: text, default: en}
  parts: {type: amounts, default: unknown}
who:
  - decline later_customer: since > 2026-01-01
  - decline never: seen > 2030-01-01T00:00:00Z or (parts is known and sum(parts) > 900.00 EUR)
pay: monthly_fee * used
give: {quantity: 20, unit: call_minute}
notice:
  locale: language
  texts: {granted: {en: {subject: Sorry, text: "We credit {{ amount }}."}}}
"""
HEADER = "account_id,monthly_fee,used,since,seen,language,parts,currency,note,account_was,account_since\n"
ROWS = (
    "A-1,10.00,1.5,2021-05-04,2026-01-02T03:04:05Z,de,1.00|7.50,,,,", "A-2,20.00,0.125,2019-05-04,,xx yy,,EUR,,,",
    "A-3,,,,,,,,,,", ",,,", "A-4,30.00,2,2026-02-01,,,,,,,", "a-1,40.00,1,,,,,,,,",
    "A-1,10.00,1.50,2021-05-04,2026-01-02T03:04:05Z,de,1.00|7.50,,,,",
    "A-1,11.00,1.5,2021-05-04,,de,,,,,", "A-5,5.00,1,,,,,USD,,,",
    "A-6,6.00,1,,,,,,,B-6,2026-02-01T00:00:00Z", "A-7,7.00,1,,,,,,,B-7,2026-04-01T00:00:00Z", "Total,78.00,,,,,,,,,",
    "A-8,8.001,x,2026-02-30,,,,,,,", "A-9,9.00", 'A-10,"1,00",1', "A-11,11.00,1,,,,,,,,,x", "001012,12.00,1,,,,,,,,",
    "1012,12.00,1,,,,,,,,", "1012.0,12.00,1,,,,,,,,", "", "A-13,1.00,1,,,,,,,B-6,2026-02-01T00:00:00Z",
    *(f"L-{number},{number}.00,1,,,,,,,," for number in range(101, 115)),
)  # fmt: skip
RECORDS = (
    {"account_id": "A-1", "monthly_fee": 10, "used": "1.5", "note": 1},
    {"account_id": 7, "monthly_fee": "x", "of": {"a": 1}},
    {"monthly_fee": 10}, {"account_id": "A-1", "monthly_fee": 10, "used": 1.5, "language": "de", "x.y": 1},
)  # fmt: skip


def compiled(text: str = POLICY) -> CompiledPolicy:
    window = Window(datetime(2026, 2, 27, tzinfo=UTC), datetime(2026, 2, 28, tzinfo=UTC))
    return compile_policy(freeze(load_policy(text), {}), Incident("in-1", 1, "T", "s", (), (window,)), NOW)


def read(content: bytes) -> Callable[[int, int], Iterator[bytes]]:
    """What gives the bytes of a list in blocks."""

    def blocks(start: int, stop: int) -> Iterator[bytes]:
        for place in range(start, stop, 1_000):
            yield content[place : min(place + 1_000, stop)]

    return blocks


def check(content: bytes, list_format: ListFormat = ListFormat.CSV, **stated: Any) -> CheckedList:
    return check_list(read(content), len(content), list_format, compiled(), NOW, **stated)


def shown(found: CheckedList) -> Iterator[str]:
    yield f"{found.lines} lines, {found.rows} rows, {found.blank} blank, {found.rejected} rejected, {found.short} short"
    yield from (f"{result} {reason}: {lines}" for (result, reason), lines in sorted(found.classes.items()))
    for one in found.problems:
        yield f"line {one.line} at {one.offset}: {one.problem.reason} {one.problem.field}: {one.problem.expected}"
    yield from (f"{one.reason} {one.field}: {seen.lines} lines, {seen.first}" for one, seen in found.kinds.items())
    yield from (f"{name} {one.text(one.least)} to {one.text(one.most)}" for name, one in found.ranges.items())
    yield f"unknown {dict(found.unknown)}, no language {dict(found.no_language)}"
    yield from (f"largest {measure}: {sorted(most)}" for measure, most in found.largest.items())
    yield f"unread {found.unread}, absent {found.absent}, other currency {found.other_currency}"
    yield f"refusal {found.refusal(None)!r}; of 7 rows: {found.refusal(7)!r}; quotes {found.unbalanced_quotes}"


def test_what_a_check_finds_is_as_it_was_approved() -> None:
    said = ["# everything", *shown(check((HEADER + "\n".join(ROWS) + "\n").encode()))]
    said += ["# fit", *shown(check((HEADER + "A-1,10.00,1\n\nA-2,12.00,2").encode()))]
    said += ["# ignored", *shown(check((HEADER + "A-5,5.00,1,,,,,USD\n").encode(), ignored_columns=["currency"]))]
    records = "\n".join(map(json.dumps, RECORDS)).encode()
    said += ["# objects", *shown(check(records, ListFormat.JSONL))]
    said += ["# quotes", *shown(check((HEADER + 'A-1,"1.00\nA-2,2.00\n').encode()))]
    said += [
        "# every kind of row, under another policy",
        *shown(check(b"account_id,monthly_fee\n" + EVERY_KIND_OF_ROW)),
    ]
    must_be_as_approved("\n".join(said) + "\n", Path(__file__))


SEPARATOR = (
    "list_separator_unknown: lines with a list in a cell that has , or ; and no |: 3; separate its items with |, or"
    " name the separator in the policy"
)
CURRENCY = (
    "currency_differs: rows that would be paid in another currency than their own column says: 4; let the policy read"
    " that column, or name it in campaign.ignored_columns of the event"
)


@pytest.mark.parametrize(
    ("changes", "announced", "says"),
    [
        ({}, None, ""), ({}, 7, ""), ({}, 8, "rows_differ: rows announced: 8, rows of the list that are not blank: 7"),
        ({"quotes": 2}, 8, "quotes_unbalanced: lines with an odd number of double quotes: 2"),
        ({"separator": 3}, 8, SEPARATOR),
        ({"quotes": 2, "separator": 3}, None, "quotes_unbalanced: lines with an odd number of double quotes: 2"),
        ({"currency": 4}, 7, CURRENCY),
        ({"currency": 4}, 8, "rows_differ: rows announced: 8, rows of the list that are not blank: 7"),
    ],
)  # fmt: skip
def test_a_list_is_refused_for_what_is_worst(changes: dict[str, int], announced: int | None, says: str) -> None:
    found = CheckedList(lines=9)
    found.classes.update({(RowResult.BLANK, "blank"): 2})
    found.unbalanced_quotes = changes.get("quotes", 0)
    found.classes[RowResult.REJECTED, RowReason.LIST_SEPARATOR_UNKNOWN] += changes.get("separator", 0)
    found.other_currency = Found(changes.get("currency", 0), [])
    assert found.refusal(announced) == says


def test_a_range_has_the_least_and_the_most_as_a_list_has_them() -> None:
    one = Range("", 5, 5)
    for value in (7, Fraction(1, 8), 3):
        one.see(value)
    assert (one.least, one.most) == (Fraction(1, 8), 7)
    assert [one.text(value) for value in (one.least, one.most, Fraction(7, 2))] == ["0.125", "7", "3.5"]
    assert [Range("EUR", 1, 1).text(value) for value in (1, 123_456)] == ["0.01 EUR", "1234.56 EUR"]
    assert [Range("JPY", 1, 1).text(1), Range("KWD", 1, 1).text(1)] == ["1 JPY", "0.001 KWD"]
    assert Range("", date(2026, 1, 2), date(2026, 1, 2)).text(date(2026, 1, 2)) == "2026-01-02"
    assert Range("", NOW, NOW).text(NOW) == "2026-03-01T09:00:00Z"


def test_of_each_kind_the_first_lines_are_named_and_of_each_measure_the_largest_rows() -> None:
    content = HEADER + "".join(f"A-{n},x\n" for n in range(7)) + "".join(f"B-{n},{n}.00\n" for n in range(20))
    found = check(content.encode())
    (kind,) = found.kinds.values()
    assert (kind.lines, kind.first) == (7, [2, 3, 4, 5, 6])
    assert len(kind.first) == FIRST_LINES
    euros = sorted(found.largest["EUR"], reverse=True)
    assert [(size, -line) for size, line in euros] == [(n * 100, n + 9) for n in range(19, 9, -1)]
    assert len(euros) == LARGEST_SHOWN
    assert sorted(-line for _, line in found.largest["call_minute"]) == list(range(9, 19)), "of equals the first"


def test_as_many_problems_are_shown_as_the_limit_says_and_all_are_counted() -> None:
    content = HEADER + "A-1,x,y\n" * (PROBLEMS_SHOWN // 2 + 1)
    found = check(content.encode())
    assert len(found.problems) == PROBLEMS_SHOWN == 1_000
    assert found.rejected == PROBLEMS_SHOWN // 2 + 1
    assert [kind.lines for kind in found.kinds.values()] == [PROBLEMS_SHOWN // 2 + 1] * 2


def test_names_of_records_are_remembered_up_to_a_bound_and_those_of_facts_always() -> None:
    records = [{"account_id": "A-1", **{f"n{number}": 1 for number in range(NAMES_REMEMBERED + 5)}},
               {"account_id": "A-2", "monthly_fee": 5, "late": 1}]  # fmt: skip
    found = check("\n".join(map(json.dumps, records)).encode(), ListFormat.JSONL)
    assert len(found.unread) == NAMES_REMEMBERED - 1, "account_id is read"
    assert "late" not in found.unread
    assert "monthly_fee" not in found.absent
    assert found.absent == ["used", "since", "seen", "language", "parts"]


def test_progress_is_told_now_and_then_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_list_module, "LINES_PER_PROGRESS", 10)
    content = (HEADER + "A-1,1.00\n" * 25).encode()
    told: list[int] = []
    check(content, progress=told.append)
    assert told == [len(HEADER) + 9 * 9, len(HEADER) + 9 * 19, len(content)]


def test_a_list_with_a_column_that_kulanz_keeps_itself_is_refused() -> None:
    from tests.support.yearly_cap import POLICY as YEARLY  # noqa: PLC0415 (this test alone)

    policy = compiled(YEARLY)
    content = b"account_id,fee,excluded,paid\nA-1,5.00,no,1.00\n"
    with pytest.raises(ListRefused) as refused:
        check_list(read(content), len(content), ListFormat.CSV, policy, NOW)
    assert refused.value.reason == "column_of_history"
    assert str(refused.value) == (
        "under this policy Kulanz keeps paid itself, from the incidents it decides; leave that column out"
    )
