"""A plan outside a limit says so with its figures; a single row of a short list says nothing."""

from collections import Counter
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.campaigns.amounts import PLACES_MOST
from kulanz.domain.campaigns.limits import (
    DEFAULT_LIMITS,
    MAJOR_UNITS,
    ROWS_FORGIVEN,
    ROWS_TO_ESTIMATE,
    SHARES,
    TIMES_MEDIAN,
    LimitError,
    Limits,
    conflicts_written,
    exceeded,
    exceeded_text,
    percent,
    size_text,
    stated_limits,
)
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, Totals, WriteResult
from kulanz.domain.campaigns.repeats import HASHES, SUBJECTS_SAMPLED, Repeats, account_hash
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.lists.rows import row_digest
from kulanz.domain.money import Money


def totals(rows: int, **results: int) -> Totals:
    """So many rows; those that are not named are granted."""
    counts = {RowResult(name): lines for name, lines in results.items()}
    counts[RowResult.GRANTED] = rows - sum(results.values())
    keys = {CountKey(result, "because", WriteResult.NONE): lines for result, lines in counts.items() if lines}
    return Totals(lines=rows, counts=Counter(keys))


def repeats(rows: int, contradicting: int, bound: int = HASHES) -> Repeats:
    found = Repeats(bound)
    for number in range(rows - contradicting):
        found.see(0, f"a{number}", "-", row_digest(f"a{number}", "-", ""))
    for number in range(contradicting):
        found.see(0, f"a{number}", "-", row_digest(f"a{number}", "-", "other"))
    return found


def names(
    found: Totals, measured: Measured | None = None, limits: Limits = DEFAULT_LIMITS, *, follows: bool = False
) -> list[str]:
    return [one.limit for one in exceeded(limits, found, measured or Measured(), follows=follows)]


@pytest.mark.parametrize(
    ("rows", "number", "is_over"),
    [
        (1_000, 10, False), (1_000, 11, True), (100, 1, False), (100, 2, True), (5, 1, False), (5, 2, True),
        (2, 1, True), (1, 1, True), (30, 30, True), (3, 1, False), (200, 2, False), (200, 3, True),
    ],
)  # fmt: skip
def test_one_row_in_a_hundred_may_be_rejected(rows: int, number: int, is_over: bool) -> None:
    assert names(totals(rows, rejected=number)) == ["rejected"] * is_over


def test_nearly_equal_ids_have_a_limit_of_their_own() -> None:
    found = Repeats()
    for number, form in product(range(1, 21), ("{}", "00{}")):
        account = form.format(number)
        found.see(account_hash(account), account, "-", row_digest(account, "-", ""))
    measured = Measured(repeats=found)
    assert names(totals(40), measured) == ["nearly_equal"]
    assert names(totals(40), measured, stated_limits({"request": {"conflicts": "100 %"}})) == ["nearly_equal"]
    assert names(totals(40), measured, stated_limits({"request": {"nearly_equal": "49.9 %"}})) == ["nearly_equal"]
    assert names(totals(40), measured, stated_limits({"request": {"nearly_equal": "50 %"}})) == []


@pytest.mark.parametrize(
    ("rows", "number", "is_over"),
    [(1_000, 250, False), (1_000, 251, True), (4, 1, False), (3, 1, False), (7, 2, True), (2, 1, True), (8, 2, False)],
)
def test_one_row_in_four_may_be_held(rows: int, number: int, is_over: bool) -> None:
    assert names(totals(rows, held=number)) == ["held"] * is_over


@pytest.mark.parametrize(
    ("rows", "number", "is_over"), [(1_000, 1, False), (1_000, 2, True), (4, 2, True), (4, 1, False), (2, 1, True)]
)
def test_one_row_in_a_thousand_may_contradict(rows: int, number: int, is_over: bool) -> None:
    assert names(totals(rows), Measured(repeats=repeats(rows, number))) == ["conflicts"] * is_over


def test_of_a_sample_too_few_rows_do_not_say_what_share_they_are() -> None:
    few = repeats(1_000, ROWS_TO_ESTIMATE - 1, HASHES // 2)
    enough = repeats(1_000, ROWS_TO_ESTIMATE, HASHES // 2)
    assert names(totals(10**6), Measured(repeats=few)) == []
    assert names(totals(10**6), Measured(repeats=enough)) == ["conflicts"]
    assert SHARES["conflicts"] * SUBJECTS_SAMPLED == ROWS_TO_ESTIMATE, "the default is what a sample can say"


@pytest.mark.parametrize(
    ("rows", "known", "is_over"), [(4, 0, True), (4, 1, True), (4, 2, False), (1, 0, True), (1, 1, False)]
)
def test_half_of_a_later_list_is_known(rows: int, known: int, is_over: bool) -> None:
    measured = Measured(known=known)
    assert names(totals(rows), measured, follows=True) == ["known"] * is_over
    assert names(totals(rows), measured) == [], "nothing is followed"


def amounts(*minors: int, currency: str = "EUR", unit: str = "") -> Measured:
    measured = Measured()
    for minor in minors:
        benefit = Benefit(quantity=str(minor), unit=unit) if unit else Benefit(money=Money(minor, currency))
        measured.amounts.count(Decision(Outcome.GRANTED, "credit", (benefit,)))
    return measured


@pytest.mark.parametrize(
    ("measured", "is_over"),
    [
        (amounts(100, 100, 100_000), False),
        (amounts(100, 100, 100_001), True),
        (amounts(1_001, 1_001, 100_100), False),
        (amounts(1_001, 1_001, 100_101), True),
        (amounts(1, 1, 1_000, currency="JPY"), False),
        (amounts(1, 1, 1_001, currency="JPY"), True),
        (amounts(1, 1, 1_001, unit="minute"), True),
        (amounts(1, 1, 1_000, unit="minute"), False),
        (amounts(10**9), False),
    ],
)
def test_the_largest_is_no_more_than_a_hundred_medians_or_a_thousand(measured: Measured, is_over: bool) -> None:
    assert names(totals(3), measured) == ["largest"] * is_over


def test_a_median_in_a_range_is_taken_at_its_least() -> None:
    """In doubt somebody looks: the median is 10.00 to 20.00, the largest above a hundred times ten."""
    measured = amounts(*range(1_000, 1_100), 150_000)
    assert not measured.amounts.by_measure()["EUR"].is_exact
    assert names(totals(101), measured) == ["largest"]
    (found,) = exceeded(DEFAULT_LIMITS, totals(101), measured, follows=False)
    assert found.figures == "1500.00 EUR, at most 100 times the median (at least 10.00 EUR)"


def test_the_median_is_that_of_every_line_in_its_measure_whatever_its_result_and_reason() -> None:
    measured = amounts(100, 100)
    measured.amounts.count(Decision(Outcome.OFFERED, "goodwill", (Benefit(money=Money(150_000, "EUR")),)))
    (found,) = exceeded(DEFAULT_LIMITS, totals(3), measured, follows=False)
    assert found.figures == "1500.00 EUR, at most 100 times the median (1.00 EUR)"
    apart = amounts(150_000)
    apart.amounts.add(amounts(100, 100, currency="USD").amounts)
    assert names(totals(3), apart) == []


def test_more_measures_than_can_be_looked_at_are_a_limit_of_their_own() -> None:
    measured = Measured()
    for number in range(PLACES_MOST + 1):
        measured.amounts.count(Decision(Outcome.GRANTED, "c", (Benefit(quantity="1", unit=f"unit_{number}"),)))
    (found,) = exceeded(DEFAULT_LIMITS, totals(61), measured, follows=False)
    assert found[:2] == ("largest", "more than 60 currencies and units, which cannot be looked at")


WITH = WriteResult


@pytest.mark.parametrize(
    ("counts", "share", "figures"),
    [
        ({(RowResult.GRANTED, "a", WITH.WRITTEN): 998, (RowResult.GRANTED, "a", WITH.CONFLICT): 2}, "0.2 %", ""),
        ({(RowResult.GRANTED, "a", WITH.WRITTEN): 997, (RowResult.GRANTED, "a", WITH.CONFLICT): 3}, "0.2 %",
         "3 of 1,000 rows (0.3 %) contradict another row of the same subject, at most 0.2 %"),
        ({(RowResult.GRANTED, "a", WITH.CONFLICT): 1, (RowResult.DECLINED, "b", WITH.CONFLICT): 1,
          (RowResult.HELD, "c", WITH.CONFLICT): 1, (RowResult.GRANTED, "a", WITH.ALREADY): 997}, "0.2 %",
         "3 of 1,000 rows (0.3 %) contradict another row of the same subject, at most 0.2 %"),
        ({(RowResult.GRANTED, "a", WITH.DUPLICATE): 900, (RowResult.GRANTED, "a", WITH.CAPPED): 90,
          (RowResult.GRANTED, "a", WITH.CONFLICT): 1}, "0 %", ""),
        ({(RowResult.GRANTED, "a", WITH.WRITTEN): 2, (RowResult.BLANK, "blank", WITH.NONE): 96,
          (RowResult.GRANTED, "a", WITH.CONFLICT): 2}, "10 %",
         "2 of 4 rows (50 %) contradict another row of the same subject, at most 10 %"),
        ({(RowResult.GRANTED, "a", WITH.WRITTEN): 1, (RowResult.GRANTED, "a", WITH.CONFLICT): 1}, "10 %",
         "1 of 2 rows (50 %) contradicts another row of the same subject, at most 10 %"),
    ],
)  # fmt: skip
def test_every_conflict_that_was_written_is_held_against_the_limit(
    counts: dict[tuple[RowResult, str, WriteResult], int], share: str, figures: str
) -> None:
    limits = stated_limits({"request": {"conflicts": share}})
    found = Totals(lines=sum(counts.values()), counts=Counter({CountKey(*key): n for key, n in counts.items()}))
    assert [one.figures for one in conflicts_written(limits, found)] == [figures] * bool(figures)


def test_each_limit_says_its_figures() -> None:
    sampled = Measured(repeats=repeats(1_000, 9, HASHES // 2), known=1)
    found = exceeded(DEFAULT_LIMITS, totals(4_000, rejected=41, held=1_001), sampled, follows=True)
    assert [one[:2] for one in found] == [
        ("rejected", "41 of 4,000 rows (1.02 %) rejected, at most 1 %"),
        ("conflicts", "9 of 1,000 rows (0.9 %) of a sample contradict another row of the same subject, at most 0.1 %"),
        ("held", "1,001 of 4,000 rows (25.02 %) held, at most 25 %"),
        ("known", "1 of 4,000 rows (0.02 %) known from the campaigns that are followed, at least 50 %"),
    ]
    assert exceeded_text(found[:2]) == (
        f"rejected: {found[0].figures}; conflicts: {found[1].figures}. Correct the list, or accept each of these"
        " limits by its name where you approve the plan"
    )
    assert size_text("EUR", 123_456) == "1234.56 EUR"
    assert size_text("call_minute", 1_234) == "1,234 call minutes"
    assert exceeded(DEFAULT_LIMITS, Totals(), Measured(), follows=True) == [], "of no row nothing is a share"


def test_stated_amounts_hold_for_their_measure_alone() -> None:
    limits = stated_limits({"policy": {"largest": ["15.00 EUR"], "total": ("30 minute",)}})
    assert names(totals(2), amounts(1_500, 1_500), limits) == []
    assert names(totals(2), amounts(1_501), limits) == ["largest"]
    assert names(totals(2), amounts(1_501, currency="USD"), limits) == []
    assert names(totals(2), amounts(10, 20, unit="minute"), limits) == []
    assert names(totals(2), amounts(10, 21, unit="minute"), limits) == ["total"]
    assert names(totals(2), amounts(1, 1, 10**6, currency="USD"), limits) == ["largest"], "the default holds for others"


def test_the_request_comes_after_the_policy_and_each_limit_stands_by_itself() -> None:
    policy = {"rejected": "5 %", "held": "100 %", "largest": ("10.00 EUR", "5 GB")}
    limits = stated_limits({"policy": policy, "request": {"rejected": "0.5%", "largest": ["20.00 EUR"]}})
    assert limits.shares == {**SHARES, "rejected": Fraction(1, 200), "held": Fraction(1)}
    assert limits.largest == {"EUR": 2_000, "GB": 5}
    assert limits.stated == {"rejected": "request", "held": "policy", "largest EUR": "request", "largest GB": "policy"}
    assert Limits.from_content(limits.content()) == limits
    assert Limits.from_content(DEFAULT_LIMITS.content()) == DEFAULT_LIMITS
    older = limits.content()
    del older["shares"]["nearly_equal"]
    assert Limits.from_content(older) == limits, "what a campaign of an older release was opened with"


def test_no_limit_lets_a_list_through_of_which_every_row_was_rejected() -> None:
    limits = stated_limits({"request": {"rejected": "100 %"}})
    assert names(totals(30, rejected=30), limits=limits) == ["rejected"]
    assert names(totals(30, rejected=29), limits=limits) == []
    assert names(totals(30, rejected=27, blank=3), limits=limits) == ["rejected"]  # a blank line is no row
    assert names(totals(30, rejected=26, blank=3), limits=limits) == []
    assert names(totals(3, blank=3), limits=limits) == []


@pytest.mark.parametrize(
    "stated",
    [
        {"rejected": "101 %"}, {"rejected": "1"}, {"held": "-1 %"}, {"known": "1e1 %"}, {"conflicts": "\u0661 %"},
        {"largest": ["5"]}, {"largest": ["5.001 EUR"]}, {"total": ["5.5 JPY"]}, {"total": ["five EUR"]},
    ],
)  # fmt: skip
def test_what_is_no_limit_is_refused_by_name(stated: dict[str, Any]) -> None:
    with pytest.raises(LimitError, match=f"^{next(iter(stated))}: expected "):
        stated_limits({"request": stated})


@given(st.integers(0, 500), st.integers(1, 500))
def test_a_share_is_shown_as_it_is_compared(number: int, rows: int) -> None:
    shown = Decimal(percent(Fraction(number, rows)).removesuffix(" %"))
    assert abs(shown - Decimal(100 * number) / Decimal(rows)) <= Decimal("0.005")


def test_the_defaults_are_those_that_the_guide_names() -> None:
    assert {name: percent(share) for name, share in SHARES.items()} == {
        "rejected": "1 %", "conflicts": "0.1 %", "nearly_equal": "0.1 %", "held": "25 %", "known": "50 %",
    }  # fmt: skip
    assert (TIMES_MEDIAN, MAJOR_UNITS, ROWS_FORGIVEN) == (100, 1_000, 1)
