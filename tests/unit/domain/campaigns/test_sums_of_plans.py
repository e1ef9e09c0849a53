"""What a plan counts beside whole lists, how a limit is told, and what it is said to cost: exact figures."""

import json
from collections import Counter
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.ends import EndOf
from kulanz.domain.campaigns.estimate import (
    Calls,
    Operation,
    Planned,
    delivery_calls,
    execution_read_units,
    expected_calls,
    least_seconds,
    receipt_write_units,
)
from kulanz.domain.campaigns.limits import DEFAULT_LIMITS, Exceeded, conflicts_exceeded, exceeded, nearly_equal_exceeded
from kulanz.domain.campaigns.reconciliation import (
    CountKey,
    Difference,
    RowResult,
    SumKey,
    Totals,
    WriteResult,
    differences,
)
from kulanz.domain.campaigns.stretches import (
    STRETCH_ROW_STEPS,
    STRETCH_ROWS,
    STRETCH_ROWS_READ,
    Stretch,
    rows_per_stretch,
    stretch_of,
    stretches_from_bytes,
    stretches_to_bytes,
)
from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Outcome, Validity
from kulanz.domain.delivery.channel import Channel, FileFormat
from kulanz.domain.gate.filed_plan import FiledPlan, read_filed
from kulanz.domain.money import Money, amount_words, counted, measure_words
from tests.unit.domain.campaigns.test_limits import amounts, totals

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
FIVE, LESS = Benefit(Money(500, "EUR")), Benefit(Money(180, "EUR"))
GB = Benefit(quantity="2.5", unit="GB")
PLANNED = Decision(Outcome.GRANTED, "credit", (FIVE, GB))


@pytest.mark.parametrize(
    ("stands", "since", "sums"),
    [
        (Decision(Outcome.GRANTED, "less", (LESS,)), WriteResult.CAPPED,
         {("WRITTEN", "EUR"): 180, ("CAPPED", "EUR"): 320, ("CAPPED", "GB"): Decimal("2.5")}),
        (Decision(Outcome.HELD, "history_changed"), WriteResult.HELD_SINCE,
         {("HELD_SINCE", "EUR"): 500, ("HELD_SINCE", "GB"): Decimal("2.5")}),
        (Decision(Outcome.OFFERED, "less", (LESS,)), WriteResult.CAPPED,
         {("CAPPED", "EUR"): 500, ("CAPPED", "GB"): Decimal("2.5")}),
    ],
)  # fmt: skip
def test_what_a_line_gives_less_than_planned_is_counted_beside_what_it_gives(
    stands: Decision, since: WriteResult, sums: dict[tuple[str, str], Any]
) -> None:
    found = Totals()
    found.count_less(PLANNED, stands, WriteResult.WRITTEN)
    assert found.lines == 1
    assert found.counts == {CountKey(RowResult.GRANTED, "credit", since): 1}
    assert found.sums == {
        SumKey(RowResult.GRANTED, WriteResult[name], unit): size for (name, unit), size in sums.items()
    }
    assert (found.ledger_count(), sum(size for size in found.worth().values())) == (1, Decimal("502.5"))


def test_what_ends_is_counted_by_measure_and_hour_for_each_line() -> None:
    ending = replace(FIVE, validity=Validity(3, "hours"))
    later = replace(GB, validity=Validity(until=AT + timedelta(hours=5, minutes=1)))
    found = Totals()
    found.count_ends(Decision(Outcome.GRANTED, "c", (ending, ending, later, LESS)), AT, 7)
    found.count_ends(Decision(Outcome.GRANTED, "c", (ending,)), AT - timedelta(minutes=1))
    hour, next_one = EndOf("EUR", AT + timedelta(hours=3)), EndOf("GB", AT + timedelta(hours=6))
    assert found.ends == {hour: 7_500, next_one: Decimal("17.5")}
    both = Totals(ends={hour: 1})
    both.add(found)
    assert both.ends == {hour: 7_501, next_one: Decimal("17.5")}


def test_sums_that_are_too_much_are_added_up_and_a_plan_that_differs_says_where() -> None:
    plan, apply = Totals(5), Totals(6, digest=1)
    plan.count_overpaid((("EUR", 30), ("GB", Decimal("1.5"))))
    plan.count_overpaid((("EUR", 4),))
    apply.counts = Counter({CountKey(RowResult.HELD, "x", WriteResult.WRITTEN): 2})
    apply.sums = {SumKey(RowResult.OVERPAID, WriteResult.NONE, "EUR"): 33}
    assert list(differences(plan, apply)) == [
        Difference("lines", 5, 6),
        Difference("digest of the decisions", 0, 1),
        Difference("lines held (x)", 0, 2),
        Difference("EUR overpaid", 34, 33),
        Difference("GB overpaid", Decimal("1.5"), 0),
    ]


# Limits in words


def test_a_limit_is_named_with_its_measure_and_measures_stand_in_their_order() -> None:
    measured = amounts(1, 1, 1_001, unit="minute")
    measured.amounts.add(amounts(1, 1, 100_001).amounts)
    measured.amounts.add(amounts(1, 1, 1_001, currency="JPY").amounts)
    found = exceeded(DEFAULT_LIMITS, totals(9), measured, follows=False)
    assert [one.name for one in found] == ["largest EUR", "largest JPY", "largest minute"]
    assert Exceeded("rejected", "figures").name == "rejected"


NEARLY = "from another row's id by zeros, letters' case or .0 alone"


@pytest.mark.parametrize(("number", "verbs"), [(1, ("contradicts", "differs")), (2, ("contradict", "differ"))])
def test_one_row_contradicts_and_two_contradict(number: int, verbs: tuple[str, str]) -> None:
    none = Fraction(0)
    said = [*conflicts_exceeded(none, 2, number), *nearly_equal_exceeded(none, 2, number)]
    share = "50 %" if number == 1 else "100 %"
    assert [one.figures for one in said] == [
        f"{number} of 2 rows ({share}) {verbs[0]} another row of the same subject, at most 0 %",
        f"{number} of 2 rows ({share}) {verbs[1]} {NEARLY}, at most 0 %",
    ]
    (one,) = conflicts_exceeded(none, 1, 1)
    assert one.figures.startswith("1 of 1 row (100 %)")


# Amounts in words


@pytest.mark.parametrize(
    ("size", "measure", "words"),
    [
        ("5.00", "USD", "5.00 USD"), ("1", "call_minute", "1 call minute"), ("20", "call_minute", "20 call minutes"),
        ("1.5", "call_minute", "1.5 call minutes"), ("100", "GB", "100 GB"), ("2", "gross", "2 gross"),
        ("unlimited", "minute", "unlimited minute"), ("3", "GB:3 x month", "3 times GB, 3 x month"),
        ("7", "data_pack:unlimited", "7 times data pack, unlimited"),
    ],
)  # fmt: skip
def test_an_amount_is_told_with_what_it_is_measured_in(size: str, measure: str, words: str) -> None:
    assert amount_words(size, measure) == words


def test_what_sums_are_measured_in_is_told_in_the_plural() -> None:
    found = [measure_words(one) for one in ("EUR", "call_minute", "GB", "gross", "data_pack:unlimited")]
    assert found == ["EUR", "call minutes", "GB", "gross", "times data pack, unlimited"]
    assert [counted(one, "day") for one in ("0", "1", "10", "1.0")] == ["0 days", "1 day", "10 days", "1.0 days"]


# Stretches


@pytest.mark.parametrize(
    ("steps", "reads", "rows"),
    [
        (1, False, STRETCH_ROWS), (1, True, STRETCH_ROWS_READ), (0, False, STRETCH_ROWS),
        (STRETCH_ROW_STEPS // STRETCH_ROWS, False, STRETCH_ROWS), (STRETCH_ROW_STEPS // 500, True, 500),
        (STRETCH_ROW_STEPS, False, 1), (STRETCH_ROW_STEPS + 1, False, 1),
    ],
)  # fmt: skip
def test_a_stretch_has_as_many_lines_as_can_be_decided_in_its_time(steps: int, rows: int, *, reads: bool) -> None:
    assert rows_per_stretch(steps, reads=reads) == rows


def test_a_stretch_is_known_by_its_place_its_lines_and_what_they_came_to() -> None:
    plain = stretch_of(10, 90, 7, 5)
    assert (plain.end, plain.lines) == (90, 7)
    others = [stretch_of(11, 90, 7, 5), stretch_of(10, 91, 7, 5), stretch_of(10, 90, 8, 5), stretch_of(10, 90, 7, 6)]
    assert len({one.digest for one in (plain, *others)}) == 5
    assert stretch_of(10, 90, 7, 5 + 2**128) == plain
    several = (plain, Stretch(200, 3, b"x" * 16))
    assert stretches_from_bytes(stretches_to_bytes(several)) == several


# What it costs: a small plan worked out by hand

SMALL = Planned(rows=1_000, decisions=600, chunks=3, keeps_history=True, results=(600, 400, 2), sums=2)


def test_calls_of_a_small_campaign_are_those_that_are_counted_by_hand() -> None:
    """A chunk's receipts have 7,513 and 387 bytes, and META 1,400 and 1,800 after each pass: 13 units, and two for the
    cursor, all of them double. Each of its six runs reads four records; those of the execution three units more.
    """
    assert (receipt_write_units(SMALL), execution_read_units(SMALL)) == (2 * 15 * 3, 3)
    assert expected_calls(SMALL, 100) == Calls(
        insert_calls=24,
        write_units=4 * 600 + 90,
        read_units=6 * 4 + 3 * 3 + 2 * 1_000,
        queue_requests=2 + 6 * 2,
        topic_messages=6,
        function_requests=2 * 6 + 1,
        function_gb_seconds=Decimal("1.728") * Decimal("0.082") + Decimal("0.5") * Decimal("0.108"),
        bucket_reads=6,
    )
    calls = expected_calls(SMALL, 100)
    assert calls.priced() == {one.name: getattr(calls, one.name) for one in fields(Calls) if one.name != "insert_calls"}


def test_calls_of_a_small_delivery_are_those_that_are_counted_by_hand() -> None:
    assert delivery_calls(7, chunks=3) == {
        "write_units": 2 * 7 * 2 + 6 * 2 * 3,
        "read_units": 2 * 7 + 6 * 4,
        "queue_requests": 1 + 6 * 2,
        "function_requests": 12,
        "function_gb_seconds": Decimal("1.728") * 2 * 7 * Decimal("0.0004"),
        "bucket_reads": 6,
        "bucket_writes": 3 + 1,
    }
    more = [delivery_calls(granted, chunks=1)["bucket_writes"] for granted in (0, 1, 20_000, 20_001)]
    assert more == [1, 2, 2, 3]


@pytest.mark.parametrize(
    ("units", "messages", "rate", "expected"),
    [
        (40_001, 1, 0, (2, "write units of one table")),
        (40_000, 1, 0, (1, "write units of one table")),
        (100, 100_000, 0, None),
        (4_001, 1, 4_000, (2, "TargetWriteRate")),
    ],
)
def test_the_least_time_is_that_of_the_narrowest_limit_rounded_up(
    units: int, messages: int, rate: int, expected: tuple[int, str] | None
) -> None:
    calls = replace(expected_calls(SMALL, 100), topic_messages=messages)
    found = least_seconds(
        replace(SMALL, decisions=units, keeps_history=False), calls, Operation("us-east-1", 100, rate)
    )
    assert found == expected if expected else found[1] == "messages of one topic in us-east-1"


# A filed plan


def test_what_decides_of_a_filed_plan_is_read_from_its_own_fields() -> None:
    content = {
        "campaign": "out/7", "planned_at": "2026-12-01T09:00:00Z", "decidable_until": "2027-01-02T03:04:05Z",
        "requested": {"source": "billing", "person": "iam:anna", "digest": "d"},
        "incident": {"revision": 3, "decision_digest": "decides"}, "policy": {"persons": 2},
        "totals": {
            "results": [["granted", "a", 5], ["granted", "b", 20], ["offered", "c", 100], ["held", "d", 7_000]],
            "worth": [["granted", "EUR", "11"], ["granted", "GB", "2.50"], ["offered", "EUR", "13"],
                      ["overpaid", "EUR", "9"]],
        },
        "measured": {"claimable": {"EUR": "17", "SEK": "1"}, "first_due": "2026-12-24",
                     "first_end": "2026-12-25T00:00:00Z", "claims_until": "2026-12-26T00:00:00Z"},
        "delivery": {"channel": "billing", "kind": "file", "format": "jsonl"},
        "exceeded": [["largest", "figures", "EUR"]],
    }  # fmt: skip
    text = json.dumps(content)
    plan = read_filed(text)
    assert plan == FiledPlan(
        text=text,
        campaign=CampaignId("out", 7),
        planned_at=AT,
        decidable_until=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC),
        decision_digest="decides",
        source="billing",
        requester="iam:anna",
        persons_asked=2,
        subjects=125,
        granted={"EUR": 11, "GB": Decimal("2.5")},
        offered={"EUR": 13},
        claimable={"EUR": 17, "SEK": 1},
        exceeded=(Exceeded("largest", "figures", "EUR"),),
        first_due=date(2026, 12, 24),
        first_end=datetime(2026, 12, 25, tzinfo=UTC),
        channel=Channel("billing", format=FileFormat.JSONL),
        claims_until=datetime(2026, 12, 26, tzinfo=UTC),
    )
    assert plan.at_most == {"EUR": 41, "GB": Decimal("2.5"), "SEK": 1}
    assert not plan.is_unlimited()
    endless = {f"data:{UNLIMITED}": 1}
    for one in (replace(plan, granted=endless), replace(plan, offered=endless), replace(plan, claimable=endless)):
        assert one.is_unlimited()
