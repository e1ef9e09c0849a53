"""The parts of a report and a campaign's page that are drawn: each figure, sentence and length from its own value."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise, product
from typing import Any
from xml.etree.ElementTree import Element

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.campaigns.report import AMOUNTS_SHOWN
from kulanz.domain.campaigns.campaign import ENDED, State
from kulanz.domain.delivery.law import LAW
from kulanz_console.drawing.figures import figures_of
from kulanz_console.drawing.pictures import (
    LEAST_HUNDREDTHS,
    WHOLE_HUNDREDTHS,
    Bar,
    Segment,
    Span,
    TimeRow,
    picture,
    thin_bar,
    timeline,
)
from kulanz_console.drawing.sections import (
    HISTOGRAMS_SHOWN,
    KINDS_BESIDE,
    amounts_section,
    law_section,
    reconciliation_section,
    results_section,
)
from kulanz_console.drawing.sources import Sources
from kulanz_console.drawing.ways import NOT_EXACT
from kulanz_console.drawing.words import sentence
from kulanz_console.drawing.worth import RANGES_PRINTED, coarser_ranges

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
type Line = tuple[str, str, str, int]
"""Of a pass: a result, a reason, what was written of it, and how many lines."""
type Worth = tuple[str, str, str, str]
"""Of a pass: a result, what was written of it, a measure and a sum."""


def of_pass(lines: Sequence[Line] = (), worth: Sequence[Worth] = ()) -> dict[str, Any]:
    return {
        "lines": sum(number for *_, number in lines), "rows": 0, "digest": "0",
        "results": [
            {"result": result, "reason": reason, "write_result": written, "lines": number}
            for result, reason, written, number in lines
        ],
        "worth": [
            {"result": result, "write_result": written, "measure": measure, "sum": text}
            for result, written, measure, text in worth
        ],
    }  # fmt: skip


def sources(plan: Any = None, apply: Any = None, law: Sequence[Mapping[str, Any]] = (), **report: Any) -> Sources:
    stated = {
        "campaign": "in-7/1", "state": "closed", "plan": plan or of_pass(), "apply": apply or of_pass(),
        "differences": [], "measured": None, **report,
    }  # fmt: skip
    of: Any = {"campaign": {}, "report": stated, "law": law}
    return Sources(is_whole=True, log=(), plan=None, title="", policy=None, made_at=NOW, **of)


def text_of(made: Element) -> str:
    return " ".join(" ".join(made.itertext()).split())


def cells(made: Element) -> list[list[str]]:
    return [["".join(cell.itertext()) for cell in row] for row in made.iter("tr")]


def widths(made: Element) -> list[list[tuple[str, str, str]]]:
    """Of each bar where its parts begin, how wide they are, and their class."""
    return [
        [(one.get("x", ""), one.get("width", ""), one.get("class", "")) for one in drawn.iter("rect")]
        for drawn in made.iter("svg")
    ]


# What is said of plan and ledger

ALL = "All is accounted for: 3 lines, and every planned sum."
REST = "The execution has not gone through the whole plan, so that there is a rest that was not written."
GRANTED = ("granted", "hit", "none", 2)
DECLINED = ("declined", "miss", "none", 1)
WRITTEN = ("granted", "hit", "written", 2), ("declined", "miss", "written", 1)
OWED = ("granted", "none", "EUR", "700")
PLAN = of_pass([GRANTED, DECLINED], [OWED])
BALANCES: dict[str, tuple[Any, list[dict[str, str]], str]] = {
    "nothing written": (of_pass(), [], "Nothing was written: there is only the plan."),
    "all of it": (of_pass(WRITTEN, [("granted", "written", "EUR", "700")]), [], ALL),
    "all of it, in part beside": (
        of_pass(WRITTEN, [("granted", "written", "EUR", "300"), ("granted", "capped", "EUR", "400")]), [], ALL
    ),
    "a line that gets nothing is missing": (of_pass(WRITTEN[:1], [("granted", "written", "EUR", "700")]), [], REST),
    "a sum is missing": (of_pass(WRITTEN, [("granted", "written", "EUR", "699")]), [], REST),
    "a sum is more": (of_pass(WRITTEN, [("granted", "written", "EUR", "701")]), [], REST),
    "a line is more": (
        of_pass([*WRITTEN, ("declined", "x", "written", 1)], [("granted", "written", "EUR", "700")]), [], REST
    ),
    "all of it, and a difference": (
        of_pass(WRITTEN, [("granted", "written", "EUR", "700")]),
        [{"what": "digest", "planned": "a", "applied": "b"}],
        "Plan and ledger differ. The differences are named below.",
    ),
    "nothing written, and a difference": (
        of_pass(), [{"what": "digest", "planned": "a", "applied": "b"}],
        "Plan and ledger differ. The differences are named below.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BALANCES)
def test_it_is_said_whether_plan_and_ledger_balance(name: str) -> None:
    apply, differences, says = BALANCES[name]
    of = sources(PLAN, apply, differences=differences)
    made = reconciliation_section(of, figures_of(of.report))
    assert next(text_of(one) for one in made.iter("p")) == says
    assert ("Differs: digest: planned a, applied b" in text_of(made)) == bool(differences)


# Planned beside what is in the ledger

PLANNED = [("granted", "hit", "none", 1_000), ("offered", "o", "none", 200), ("declined", "miss", "none", 50)]
BESIDE = {"duplicate": 30, "conflict": 7, "capped": 5, "held_since": 3}


def reconciled() -> Sources:
    plan = of_pass(
        [*PLANNED, ("rejected", "bad", "none", 11), ("unchanged", "u", "none", 13)],
        [
            ("granted", "none", "EUR", "100000"), ("offered", "none", "EUR", "20000"),
            ("granted", "none", "GB", "64"), ("overpaid", "none", "EUR", "1234"), ("overpaid", "none", "CHF", "4321"),
        ],
    )  # fmt: skip
    apply = of_pass(
        [
            ("granted", "hit", "written", 800), ("granted", "hit", "already", 90), ("offered", "o", "written", 100),
            *(("granted", "hit", name, number) for name, number in BESIDE.items()),
        ],
        [
            ("granted", "written", "EUR", "70000"), ("granted", "already", "EUR", "8000"),
            ("granted", "duplicate", "EUR", "6000"), ("granted", "conflict", "EUR", "500"),
            ("granted", "capped", "EUR", "2500"), ("granted", "held_since", "EUR", "1250"),
            ("offered", "written", "EUR", "20000"), ("granted", "written", "GB", "65"),
        ],
    )  # fmt: skip
    return sources(plan, apply, state="applying")


def test_each_sum_stands_in_its_column_and_each_bar_has_its_parts() -> None:
    of = reconciled()
    made = reconciliation_section(of, figures_of(of.report))
    heads = [
        "Result",
        "Sum of",
        "Planned",
        "In the ledger",
        "Duplicate",
        "Conflict",
        "Capped",
        "Held since",
        "Not written",
    ]
    assert cells(made) == [
        heads,
        ["granted", "EUR", "1,000.00", "780.00", "60.00", "5.00", "25.00", "12.50", "117.50"],
        ["granted", "GB", "64", "65", "0", "0", "0", "0", "-1"],
        ["offered", "EUR", "200.00", "200.00", "0.00", "0.00", "0.00", "0.00", "0.00"],
    ]
    lines = "998 of 1,250 decided lines in the ledger"  # of those that were capped or held since with their decision
    assert [text_of(one) for one in made.iter("desc")] == [
        lines,
        (
            "1,000.00 EUR planned, of it 780.00 EUR in the ledger, 60.00 EUR duplicate, 5.00 EUR conflict,"
            " 25.00 EUR capped, 12.50 EUR held since, 117.50 EUR not written"
        ),
        "64 GB planned, of it 65 GB in the ledger, -1 GB not written",
        "200.00 EUR planned, of it 200.00 EUR in the ledger",
    ]
    words = [[text_of(one) for one in row.iter("span")] for row in made.iter("div") if row.get("class") == "words"]
    assert words == [
        ["decided lines", lines],
        ["granted, EUR", "780.00 of 1,000.00 EUR"],
        ["granted, GB", "65 of 64 GB"],
        ["offered, EUR", "200.00 of 200.00 EUR"],
    ]
    capped = f"bar {KINDS_BESIDE_CLASS['capped']}"
    bars = widths(made)
    assert bars[0] == [
        ("0.00%", "79.84%", "bar granted"), ("79.84%", "2.40%", "bar rest"), ("82.24%", "0.56%", "bar stopped"),
        ("82.80%", "17.20%", "bar waiting"),
    ]  # fmt: skip
    assert bars[1] == [
        ("0.00%", "78.00%", "bar granted"), ("78.00%", "6.00%", "bar rest"), ("84.00%", "0.50%", "bar stopped"),
        ("84.50%", "2.50%", capped), ("87.00%", "1.25%", "bar since"), ("88.25%", "11.75%", "bar waiting"),
    ]  # fmt: skip
    assert bars[2:] == [[("0.00%", "100.00%", "bar granted")], [("0.00%", "100.00%", "bar granted")]]
    overpaid = [text_of(one) for one in made.iter("p")][1:]
    said = "More than is owed now, given by earlier campaigns of the incident:"
    assert overpaid == [f"{said} 43.21 CHF", f"{said} 12.34 EUR"]


KINDS_BESIDE_CLASS = {one.value: kind for one, (_, kind) in KINDS_BESIDE.items()}


def test_where_nothing_of_a_sum_was_planned_or_written_that_is_said() -> None:
    of = sources(of_pass([GRANTED], [("granted", "none", "EUR", "0")]), of_pass())
    made = reconciliation_section(of, figures_of(of.report))
    assert [text_of(one) for one in made.iter("desc")][1] == "0.00 EUR planned, of it nothing"


def test_lines_by_reason_stand_with_those_in_the_ledger_and_a_sum_of_each() -> None:
    of = reconciled()
    made = results_section(figures_of(of.report))
    assert text_of(next(made.iter("h2"))) == "Results of 1,274 lines"
    assert cells(made) == [
        ["Result", "Reason", "Lines", "Ledger"],
        ["granted", "hit", "1,000", "898"], ["declined", "miss", "50", "0"], ["offered", "o", "200", "100"],
        ["unchanged", "u", "13", "-"], ["rejected", "bad", "11", "-"], ["all", "", "1,274", "998"],
    ]  # fmt: skip
    assert widths(made) == [
        [("0.00%", "100.00%", "bar granted")], [("0.00%", "5.00%", "bar rest")], [("0.00%", "20.00%", "bar offered")],
        [("0.00%", "1.30%", "bar rest")], [("0.00%", "1.10%", "bar stopped")],
    ]  # fmt: skip
    assert "No line was looked at." in text_of(results_section(figures_of(sources().report)))


# The law

EXACT = [(True, True), (True, False), (False, True), (False, False)]


@pytest.mark.parametrize("exact", EXACT)
def test_where_what_was_granted_is_stands_in_its_column(exact: tuple[bool, bool]) -> None:
    lines = [
        {
            "measure": measure, "granted": f"{number}0", "is_exact": is_exact,
            **{name: f"{number}{place}" for place, name in enumerate(LAW, 1)},
        }
        for number, measure, is_exact in zip((9, 8), ("EUR", "call_minute"), exact, strict=True)
    ]  # fmt: skip
    nothing = {"measure": "CHF", "granted": "0", **dict.fromkeys(LAW, "0"), "is_exact": False}
    made = law_section(sources(law=[*lines, nothing]))
    assert cells(made) == [
        ["Measure", "Granted", "Used", "Expired", "Voided", "Written off", "Open"],
        ["EUR", "0.90", "0.91", "0.92", "0.93", "0.94", "0.95"],
        ["call minutes", "80", "81", "82", "83", "84", "85"],
    ]
    assert (NOT_EXACT in text_of(made)) == (exact != (True, True))
    assert "The list granted nothing." in text_of(law_section(sources(law=[nothing])))


# Amounts of single lines


def amounts(number: int, **changes: Any) -> dict[str, Any]:
    ranges = [{"least": str(100 * number), "most": str(100 * number), "lines": number}]
    return {
        "result": "granted", "reason": f"r{number}", "measure": "EUR", "lines": number, "smallest": str(100 * number),
        "largest": str(100 * number), "histogram": ranges, **changes,
    }  # fmt: skip


@pytest.mark.parametrize("number", [1, HISTOGRAMS_SHOWN, HISTOGRAMS_SHOWN + 1, AMOUNTS_SHOWN - 1, AMOUNTS_SHOWN])
def test_the_most_frequent_amounts_are_drawn_and_all_are_stated(number: int) -> None:
    found = [amounts(one) for one in range(1, number + 1)]
    made = amounts_section(sources(measured={"amounts": found}))
    drawn = [text_of(one) for one in made.iter("figcaption")]
    shown = list(range(number, 0, -1))[:HISTOGRAMS_SHOWN]
    assert drawn == [f"granted, r{one}, EUR: every line has the same amount" for one in shown]
    assert cells(made)[1:] == [
        [f"granted, r{one}", str(one), f"{one}.00 EUR", f"{one}.00 EUR"] for one in range(1, number + 1)
    ]
    notes = [text_of(one) for one in made.iter("p")]
    more = [f"The first {AMOUNTS_SHOWN} are stated; there may be more."] if number == AMOUNTS_SHOWN else []
    few = f"Pictures of the {HISTOGRAMS_SHOWN} most frequent of {number}; the table has all."
    assert notes == [*more, *([few] if number > HISTOGRAMS_SHOWN else [])]


def test_a_picture_of_amounts_has_a_bar_for_each_range_and_the_smallest_before_the_largest() -> None:
    ranges = [{"least": "100", "most": "100", "lines": 1_000}, {"least": "101", "most": "500", "lines": 250}]
    one = amounts(2, reason="", result="held", lines=1_250, smallest="100", largest="450", histogram=ranges)
    made = amounts_section(sources(measured={"amounts": [one]}))
    assert [text_of(found) for found in made.iter("figcaption")] == ["held, all reasons, EUR: lines by amount"]
    assert cells(made)[1:] == [["held, ", "1,250", "1.00 EUR", "4.50 EUR"]]
    assert [text_of(found) for found in made.iter("title")] == ["1.00 EUR: 1,000", "1.01 EUR to 5.00 EUR: 250"]
    assert [text_of(found) for found in made.iter("desc")] == ["1,000 lines", "250 lines"]
    assert widths(made) == [[("0.00%", "100.00%", "bar waiting")], [("0.00%", "25.00%", "bar waiting")]]


@given(st.lists(st.integers(1, 1_000), min_size=1, max_size=24))
def test_ranges_that_are_put_together_keep_every_line_and_their_ends(lines: list[int]) -> None:
    """Neighbours with the fewest lines go first: what is put together never has more lines than two that stay apart."""
    ranges = [{"least": str(10 * at), "most": str(10 * at + 9), "lines": n} for at, n in enumerate(lines)]
    one: Any = amounts(1, measure="GB", histogram=ranges)
    found = coarser_ranges(one)
    ends = [tuple(map(int, re.findall(r"\d+", text))) for text, _ in found]
    assert len(found) == min(len(lines), RANGES_PRINTED)
    assert ends[0][0] == 0
    assert ends[-1][1] == 10 * len(lines) - 1
    assert all(here[1] + 1 == there[0] for here, there in pairwise(ends))
    for (first, last), (_, number) in zip(ends, found, strict=True):
        assert number == sum(lines[first // 10 : last // 10 + 1])
    together = [number for (first, last), (_, number) in zip(ends, found, strict=True) if last - first > 9]
    apart = [here[1] + there[1] for here, there in pairwise(found)]
    assert max(together, default=0) <= min(apart, default=1_000 * 24)


# Lengths


def hundredths_of(text: str) -> int:
    whole, _, part = text.removesuffix("%").partition(".")
    return int(whole) * 100 + int(part)


SIZES = st.lists(st.decimals("0.01", 1_000, places=2), min_size=1, max_size=5)


@given(SIZES, st.booleans())
def test_parts_of_a_bar_stand_one_behind_the_other_in_their_shares(sizes: list[Decimal], more: bool) -> None:
    whole = sum(sizes) * (2 if more else 1)
    segments = [Segment(size, f"k{place}") for place, size in enumerate(sizes)]
    made = picture("t", [Bar("a", "f", segments, "s")], whole if more else None)
    ((drawn),) = widths(made)
    at = 0
    for place, ((x, width, kind), size) in enumerate(zip(drawn, sizes, strict=True)):
        assert (hundredths_of(x), kind) == (at, f"bar k{place}")
        assert hundredths_of(width) == max(LEAST_HUNDREDTHS, int(WHOLE_HUNDREDTHS * size / Decimal(whole)))
        at += hundredths_of(width)


@pytest.mark.parametrize(
    ("size", "whole", "width"),
    [
        (1, 3, "33.33%"),
        (0, 3, None),
        (1, 0, None),
        (-1, 3, None),
        (1, 1_000_000, "0.50%"),
        (3, 3, "100.00%"),
        (4, 3, "100.00%"),
    ],
)
def test_a_bar_is_as_long_as_its_share_and_seen_however_small(size: int, whole: int, width: str | None) -> None:
    assert widths(thin_bar(size, whole, "k")) == [[] if width is None else [("0.00%", width, "bar k")]]


def minute(at: int | None) -> datetime | None:
    return None if at is None else NOW + timedelta(minutes=at)


def span(start: int, end: int | None, kind: str = "k", says: str = "") -> Span:
    return Span(NOW + timedelta(minutes=start), minute(end), kind, says)


def test_a_timeline_goes_from_the_first_start_to_the_last_end_wherever_they_stand() -> None:
    rows = [
        TimeRow("a", [span(30, 40, "k1", "major"), span(10, 20, "k2")]),
        TimeRow("b", [span(0, 100, "k3"), span(5, 6, "k4", "partial")]),
        TimeRow("c", [span(50, 60)]), TimeRow("d", []),
    ]  # fmt: skip
    made = timeline("t", rows, NOW + timedelta(minutes=500))
    assert made is not None
    none = ("0", "100%", "bar none")
    assert widths(made) == [
        [none, ("30.00%", "10.00%", "bar k1"), ("10.00%", "10.00%", "bar k2")],
        [none, ("0.00%", "100.00%", "bar k3"), ("5.00%", "1.00%", "bar k4")],
        [none, ("50.00%", "10.00%", "bar k")], [none],
    ]  # fmt: skip
    ends = [text_of(one) for one in list(made)[-1]]
    assert ends == ["2026-03-01 09:00:00 UTC", "2026-03-01 10:40:00 UTC"]
    whole = [text_of(one) for one in made.iter("span") if one.get("class") == "figure"]
    assert whole == ["0:20:00", "1:41:00", "0:10:00", "0:00:00"]
    said = [text_of(one) for one in made.iter("desc")]
    assert said[0] == (
        "major 2026-03-01 09:30:00 UTC to 2026-03-01 09:40:00 UTC; 2026-03-01 09:10:00 UTC to 2026-03-01 09:20:00 UTC"
    )


@pytest.mark.parametrize(("now", "end", "wide"), [(30, "09:30:00", "66.66%"), (5, "09:20:00", "0.50%")])
def test_what_lasts_goes_on_until_now_and_is_seen_also_where_it_begins_later(now: int, end: str, wide: str) -> None:
    rows = [TimeRow("a", [span(10, None)]), TimeRow("b", [span(0, 20)])]
    made = timeline("t", rows, NOW + timedelta(minutes=now))
    assert made is not None
    (_, (_, width, _)), _ = widths(made)
    assert width == wide
    assert [text_of(one) for one in list(made)[-1]][1] == f"2026-03-01 {end} UTC"
    assert [text_of(one) for one in made.iter("span") if one.get("class") == "figure"] == ["goes on", "0:20:00"]
    assert "to now" in text_of(made)


def test_a_span_at_the_very_end_is_seen_within_the_picture() -> None:
    made = timeline("t", [TimeRow("a", [span(0, 10_000), span(10_000, 10_000)])], NOW)
    assert made is not None
    assert widths(made)[0][2][:2] == ("99.50%", "0.50%")
    for nothing in ([], [TimeRow("a", [])], [TimeRow("a", [span(5, 5)])]):
        assert timeline("t", nothing, NOW) is None


# What is said first


@pytest.mark.parametrize(("needed", "given_by"), list(product((1, 2), (0, 1, 2))))
def test_of_a_plan_that_waits_it_is_said_how_many_it_needs_and_how_many_there_are(needed: int, given_by: int) -> None:
    of = sources(state="awaiting_approval")
    plan: Any = {"approvals": [{}] * given_by, "persons_needed": needed}
    waits = Sources(
        campaign=of.campaign,
        report=of.report,
        is_whole=True,
        law=(),
        log=(),
        plan=plan,
        title="",
        policy=None,
        made_at=NOW,
    )
    persons = {1: "1 person", 2: "2 persons"}[needed]
    have = {0: "nobody has", 1: "1 person has", 2: "2 persons have"}[given_by]
    assert sentence(waits, figures_of(of.report)) == (
        f"The plan waits for {persons}; {have} approved it. Nothing has been granted."
    )


@pytest.mark.parametrize("state", sorted(set(State) - {State.AWAITING_APPROVAL}))
def test_that_nothing_was_granted_is_said_of_what_has_ended_without_a_decision(state: State) -> None:
    for apply, is_granted in ((of_pass(), False), (of_pass(WRITTEN[:1]), True)):
        of = sources(PLAN, apply, state=state.value)
        said = sentence(of, figures_of(of.report)).endswith("Nothing was granted.")
        assert said == (state in ENDED and not is_granted)
