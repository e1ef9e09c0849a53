"""What a plan means for its month's budgets, as whoever approves it is shown; and how a limit is read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.budgets import review as module
from kulanz.application.budgets.review import beyond_budget, review_budgets
from kulanz.application.budgets.set_budget import LIMIT_DIGITS_MOST, limit_of
from kulanz.domain.budgets import Budget, Needed, Reservation
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.money import AmountError
from tests.support.values import campaign

NOW = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
"""In Berlin it is April already."""
BERLIN = GateSettings(budget_zone="Europe/Berlin")
EUR = Budget("EUR", "2026-04", limit=1_000, reserved=200, spent=300, voided=70)
"""570 are left."""


class Campaigns:
    """What a campaign reserved, and the budgets of months."""

    def __init__(self, reserved: Sequence[Reservation] = (), budget: Budget = EUR) -> None:
        self.reserved, self.found = reserved, budget
        self.asked: list[tuple[str, str]] = []

    def reservations(self, _: object) -> Sequence[Reservation]:
        return self.reserved

    def budget(self, currency: str, month: str) -> Budget:
        self.asked.append((currency, month))
        return replace(self.found, currency=currency, month=month)


def reviewed(
    campaigns: Campaigns, monkeypatch: pytest.MonkeyPatch, ended: Sequence[Reservation] = (), needed: int = 571
) -> Any:
    """What is shown of a plan that needs euros."""
    monkeypatch.setattr(module, "needed_of", lambda _: {"EUR": Needed(needed - 30, 30)})
    monkeypatch.setattr(module, "set_free_by", lambda *_: list(ended))
    plan = cast("Any", SimpleNamespace())
    (found,) = review_budgets(campaign(), plan, cast("Any", campaigns), BERLIN, NOW)
    return found


def made(month: str, claimable: int, currency: str = "EUR") -> Reservation:
    """What a campaign reserved."""
    return Reservation("outage/1", currency, month, 11, claimable, 9_999)


def test_each_figure_of_a_budget_stands_under_its_name_and_is_of_the_present_month(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaigns = Campaigns()
    assert reviewed(campaigns, monkeypatch) == {
        "currency": "EUR", "month": "2026-04", "limit": "1000", "reserved": "200", "spent": "300", "left": "570",
        "needed": "571", "set_free": "0", "is_reserved": False, "is_enough": False,
    }  # fmt: skip
    assert campaigns.asked == [("EUR", "2026-04")]
    without = reviewed(Campaigns(budget=replace(EUR, limit=None)), monkeypatch)
    assert (without["limit"], without["left"], without["is_enough"]) == (None, None, True)


@pytest.mark.parametrize(("needed", "is_enough"), [(570, True), (571, False), (600, True), (601, False)])
def test_what_offers_keep_that_the_start_ends_is_left_for_it_in_the_same_month_and_currency(
    needed: int, monkeypatch: pytest.MonkeyPatch, *, is_enough: bool
) -> None:
    """Of two earlier campaigns: 10 and 20 of this budget, and more of others."""
    ended = [made("2026-04", 10), made("2026-04", 20), made("2026-03", 400), made("2026-04", 800, "CHF")]
    ended = ended if needed >= 600 else ended[2:]
    found = reviewed(Campaigns(), monkeypatch, ended, needed)
    assert (found["set_free"], found["is_enough"]) == ("30" if needed >= 600 else "0", is_enough)


def test_what_has_started_is_shown_in_the_month_in_which_it_started_and_ends_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    campaigns = Campaigns([made("2026-02", 5)])
    found = reviewed(campaigns, monkeypatch, [made("2026-02", 10)], needed=99_999)
    assert (found["month"], found["is_reserved"], found["is_enough"], found["set_free"]) == ("2026-02", True, True, "0")
    assert campaigns.asked == [("EUR", "2026-02")]


def test_a_plan_that_does_not_start_by_itself_names_each_budget_that_lacks() -> None:
    def shown(currency: str, *, is_enough: bool) -> Any:
        return {"month": "2026-04", "currency": currency, "is_enough": is_enough}

    found = [shown("CHF", is_enough=False), shown("EUR", is_enough=True), shown("USD", is_enough=False)]
    assert beyond_budget(found) == "not enough is left of the budget of 2026-04 in CHF, 2026-04 in USD"
    assert beyond_budget(found[1:2]) == beyond_budget([]) == ""


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("250000.00", "EUR", 25_000_000),
        ("250000", "EUR", 25_000_000),
        ("0.5", "EUR", 50),
        ("0.05", "EUR", 5),
        ("12", "JPY", 12),
        ("1.234", "KWD", 1_234),
        ("1.2", "KWD", 1_200),
        ("9" * LIMIT_DIGITS_MOST, "EUR", int("9" * LIMIT_DIGITS_MOST) * 100),
    ],
)
def test_a_limit_is_read_in_the_decimals_of_its_currency(text: str, currency: str, minor: int) -> None:
    assert limit_of(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("9" * (LIMIT_DIGITS_MOST + 1), "EUR"), ("1.234", "EUR"), ("1.2", "JPY"), ("1.2345", "KWD"), ("1.", "EUR"),
        (".5", "EUR"), ("", "EUR"), ("-1", "EUR"), ("1,50", "EUR"), ("1e3", "EUR"), ("٣", "EUR"), (" 1", "EUR"),
    ],
)  # fmt: skip
def test_what_is_no_limit_is_refused_and_not_repeated(text: str, currency: str) -> None:
    with pytest.raises(AmountError) as refused:
        limit_of(text, currency)
    assert text not in str(refused.value) or text in ("", "1.")
