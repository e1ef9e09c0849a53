"""What a start reserves: in as many currencies as one step has room for, and what it sets free, the newest first."""

from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.budgets import reserve as module
from kulanz.application.budgets.reserve import TooManyCurrencies, needed_of, reservation_of_start, set_free_by
from kulanz.application.budgets.set_budget import LIMIT_DIGITS_MOST, limit_of
from kulanz.domain.budgets import CURRENCIES_MOST, RELEASED_AT_START_MOST, Needed, Reservation
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.money import AmountError


def reserved(seq: int, currency: str, claimable: int) -> Reservation:
    """What an earlier campaign still keeps."""
    return Reservation(f"outage/{seq}", currency, "2026-02", 0, claimable, claimable)


def test_what_earlier_campaigns_keep_is_set_free_the_newest_first_and_as_much_as_one_step_has_room_for() -> None:
    number = RELEASED_AT_START_MOST + 2
    made = {seq: [reserved(seq, "CHF", 0), reserved(seq, "EUR", seq)] for seq in range(1, number + 1)}
    campaigns: Any = SimpleNamespace(reservations=lambda of: made[of.seq])
    campaign: Any = SimpleNamespace(id=CampaignId("outage", 99), follows=tuple(made))
    found = [one.campaign for one in set_free_by(campaign, campaigns)]
    assert found == [f"outage/{seq}" for seq in range(number, number - RELEASED_AT_START_MOST, -1)]


def test_a_plan_needs_what_it_can_cost_of_each_currency_and_nothing_of_what_is_no_money() -> None:
    plan: Any = SimpleNamespace(
        at_most={"USD": 7, "EUR": 70, "CHF": 0, "GB": 5}, granted={"EUR": 10, "USD": 7}, offered={"EUR": 20},
        claimable={"EUR": 40, "GB": 5},
    )  # fmt: skip
    assert list(needed_of(plan).items()) == [("EUR", Needed(10, 60)), ("USD", Needed(7, 0))]


@pytest.mark.parametrize("more", [0, 1])
def test_a_start_reserves_in_so_many_currencies_and_in_no_more(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [
        "AUD",
        "BRL",
        "CAD",
        "CHF",
        "CLP",
        "CNY",
        "CZK",
        "DKK",
        "EUR",
        "GBP",
        "HKD",
        "HUF",
        "ILS",
        "INR",
        "JPY",
        "KRW",
        "MXN",
        "NOK",
        "NZD",
        "PLN",
        "SEK",
        "SGD",
        "THB",
        "TRY",
        "USD",
        "ZAR",
    ]
    chosen = dict.fromkeys(names[: CURRENCIES_MOST + more], 1)
    assert len(chosen) == CURRENCIES_MOST + more
    plan: Any = SimpleNamespace(at_most=chosen, granted=chosen, offered={}, claimable={}, claims_until=None)
    campaigns: Any = SimpleNamespace(budget=lambda *place: place)
    campaign: Any = SimpleNamespace(id=CampaignId("outage", 1), follows=())
    monkeypatch.setattr(module, "step_of_start", lambda read, *_: sorted(one.currency for one in read))
    if more:
        with pytest.raises(TooManyCurrencies):
            reservation_of_start(campaign, plan, "2026-03", campaigns)
    else:
        step: Any = reservation_of_start(campaign, plan, "2026-03", campaigns)
        assert step == sorted(chosen)


def test_a_limit_has_so_many_digits_before_its_point_whatever_stands_behind_it() -> None:
    nines = "9" * LIMIT_DIGITS_MOST
    assert (limit_of(nines, "EUR"), limit_of(f"{nines}.99", "EUR")) == (int(f"{nines}00"), int(f"{nines}99"))
    for text in (f"{nines}9", f"{nines}9.0", "1.001", ".5", "1.", "", "-1", "\u0661"):
        with pytest.raises(AmountError):
            limit_of(text, "EUR")
