"""Amounts of a currency without decimals, with two and with three: limits, defaults, steps and what is told of them."""

from fractions import Fraction
from typing import Any

import pytest

from kulanz.domain.lists.facts import FactError
from kulanz.domain.money import Money
from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.explaining.explanation import explain
from tests.unit.domain.policy.rulebook import compiled, written

DECIMALS = {"JPY": 0, "EUR": 2, "KWD": 3}
BY_CURRENCY = pytest.mark.parametrize(("currency", "decimals"), DECIMALS.items())


def amount(minor: int, decimals: int) -> str:
    """Written out by hand: 1234 minor units are 1234, 12.34 or 1.234."""
    digits = str(minor).zfill(decimals + 1)
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


@BY_CURRENCY
@pytest.mark.parametrize("entry", ["largest", "total"])
def test_a_limit_of_a_plan_has_the_decimals_of_its_currency_and_no_more(
    entry: str, currency: str, decimals: int
) -> None:
    load_policy(written(f"limits: {{{entry}: [7 GB, {amount(5_001, decimals)} {currency}]}}\npay: 1 {currency}"))
    more = f"{amount(5_001, decimals)}{'' if decimals else '.'}0 {currency}"
    with pytest.raises(PolicyError, match=f"expected no more decimals than {currency} has") as refused:
        load_policy(written(f"limits: {{{entry}: [7.125 GB, {more}]}}\npay: 1 {currency}"))
    assert refused.value.path == ("limits", entry)


@pytest.mark.parametrize("entry", ["rejected", "conflicts", "nearly_equal", "held", "known"])
@pytest.mark.parametrize(
    ("share", "is_taken"),
    [("0 %", True), ("0.0001 %", True), ("99.9999%", True), ("100 %", True), ("100.1 %", False), ("101 %", False),
     ("1.00001 %", False), ("-1 %", False), ("1", False), ("", False)],
)  # fmt: skip
def test_a_share_of_a_list_is_a_percentage_of_at_most_all_of_it(entry: str, share: str, is_taken: bool) -> None:
    text = written(f"limits: {{{entry}: '{share}', largest: 7 EUR}}\npay: 1 EUR")
    if is_taken:
        assert load_policy(text).policy.limits.stated() == {entry: share, "largest": ("7 EUR",)}
        return
    with pytest.raises(PolicyError, match="expected a share such as 2 % or") as refused:
        load_policy(text)
    assert refused.value.path == ("limits", entry)


@BY_CURRENCY
def test_the_limits_of_a_fact_hold_to_the_last_minor_unit(currency: str, decimals: int) -> None:
    limits = f"minimum: {amount(1_501, decimals)} {currency}, maximum: {amount(9_253, decimals)} {currency}"
    (fact,) = compiled(written(f"facts: {{fee: {{type: money, currency: {currency}, {limits}}}}}\npay: fee")).facts
    assert (fact.minimum, fact.maximum) == (Fraction(1_501, 10**decimals), Fraction(9_253, 10**decimals))
    assert [fact.parse_text(amount(minor, decimals)) for minor in (1_501, 9_253)] == [1_501, 9_253]
    for minor in (1_500, 9_254):
        with pytest.raises(FactError):
            fact.parse_text(amount(minor, decimals))


@BY_CURRENCY
@pytest.mark.parametrize(("default", "is_taken"), [(1_500, False), (1_501, True), (9_253, True), (9_254, False)])
def test_a_default_is_one_of_the_values_that_the_limits_let_through(
    default: int, is_taken: bool, currency: str, decimals: int
) -> None:
    limits = f"minimum: {amount(1_501, decimals)} {currency}, maximum: {amount(9_253, decimals)} {currency}"
    fact = f"{{type: money, currency: {currency}, {limits}, default: {amount(default, decimals)} {currency}}}"
    if is_taken:
        (benefit,) = compiled(written(f"facts: {{fee: {fact}}}\npay: fee")).decide([None]).benefits
        assert benefit.money == Money(default, currency)
        return
    with pytest.raises(PolicyError, match="the default is below the minimum or above the maximum") as refused:
        load_policy(written(f"facts: {{fee: {fact}}}\npay: fee"))
    assert refused.value.path == ("facts", "fee", "default")


@BY_CURRENCY
def test_what_is_paid_capped_and_rounded_is_told_with_the_decimals_of_its_currency(
    currency: str, decimals: int
) -> None:
    def written_out(minor: int) -> str:
        return f"{amount(minor, decimals)} {currency}"

    notice = "notice: {values: {fee: fee}, texts: {granted: {en: {subject: S, text: T}}}}"
    policy = compiled(
        written(
            f"currency: {currency}\nfacts: {{fee: money}}\npay: fee / 2\ncap: {written_out(60_003)}\n"
            f"rounding: {{mode: down, to: {written_out(50)}}}\n{notice}\n"
        )
    )
    decided: list[Any] = [explain(policy, [minor]) for minor in (100_001, 130_000)]
    assert [one.decision.benefits[0].money for one in decided] == [Money(50_000, currency), Money(60_000, currency)]
    assert [one.decision.notice.values["fee"] for one in decided] == [written_out(100_001), written_out(130_000)]
    step = f"down to a multiple of {written_out(50)}"
    below, capped = (one.text() for one in decided)
    assert f"Rounded {step}: {written_out(50_000)}." in below
    assert f"Granted: {written_out(50_000)}." in below
    assert f"Limited to {written_out(60_003)} by the upper bound: {written_out(60_003)}." in capped
    assert f"Rounded {step}: {written_out(60_000)}." in capped
