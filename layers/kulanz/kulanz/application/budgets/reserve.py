"""What an execution needs of the month's budgets, and the step that reserves it, which its start is one with."""

from collections.abc import Iterator, Mapping

from kulanz.application.ports import CampaignStore, Outdated
from kulanz.domain.budgets import (
    CURRENCIES_MOST,
    RELEASED_AT_START_MOST,
    BudgetPlace,
    BudgetStep,
    Needed,
    ReadApart,
    Reservation,
    step_of_start,
)
from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.gate.filed_plan import FiledPlan, Sums
from kulanz.domain.money import is_currency


class TooManyCurrencies(Exception):
    """A plan pays in more currencies than one start can reserve."""


def needed_of(plan: FiledPlan) -> Mapping[str, Needed]:
    """What a plan can cost at most, by currency. What is no money has no budget."""
    currencies = {measure for measure, size in plan.at_most.items() if is_currency(measure) and size}
    return {
        currency: Needed(
            _minor(plan.granted, currency), _minor(plan.offered, currency) + _minor(plan.claimable, currency)
        )
        for currency in sorted(currencies)
    }


def _minor(sums: Sums, currency: str) -> int:
    return int(sums.get(currency, 0))


def set_free_by(campaign: Campaign, campaigns: CampaignStore) -> list[Reservation]:
    """The reservations of earlier campaigns that still keep something for offers which this campaign's start ends."""
    found: list[Reservation] = []
    for one in _followed(campaign, campaigns):
        if one.claimable:
            found.append(one)
        if len(found) == RELEASED_AT_START_MOST:
            break
    return found


def _followed(campaign: Campaign, campaigns: CampaignStore) -> Iterator[Reservation]:
    for seq in sorted(campaign.follows, reverse=True):
        yield from campaigns.reservations(CampaignId(campaign.id.incident_id, seq))


def reservation_of_start(campaign: Campaign, plan: FiledPlan, month: str, campaigns: CampaignStore) -> BudgetStep:
    """What the start of a plan reserves in a month. Raises BudgetExceeded, TooManyCurrencies, Outdated."""
    needed = needed_of(plan)
    if len(needed) > CURRENCIES_MOST:
        raise TooManyCurrencies
    ended = set_free_by(campaign, campaigns)
    places = {BudgetPlace(month, currency) for currency in needed} | {one.place for one in ended}
    read = {place: campaigns.budget(place.currency, place.month) for place in sorted(places)}
    try:
        return step_of_start(read, str(campaign.id), month, needed, plan.claims_until, ended)
    except ReadApart:
        raise Outdated from None
