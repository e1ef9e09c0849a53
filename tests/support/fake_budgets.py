"""Budgets and reservations in memory: they stand with the campaigns, as in their table."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from kulanz.application.budgets.store import ReservedBy
from kulanz.application.ports import INDEXED_PER_PAGE, Outdated, Page, Refused
from kulanz.domain.budgets import (
    Budget,
    BudgetPlace,
    BudgetStep,
    Counted,
    Draw,
    LimitSet,
    Regained,
    Reservation,
    accept,
    charge,
)
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.gate.stated import Stated


class BudgetItems:
    """The items of all budgets. Each method is one step, of which nothing stays where it raises Outdated."""

    def __init__(self) -> None:
        self.budgets: dict[BudgetPlace, Budget] = {}
        self.reservations: dict[tuple[str, str], Reservation] = {}
        self.open: dict[str, Counted | None] = {}
        self.settings: dict[tuple[str, str, str], LimitSet] = {}
        self.stated: dict[str, Stated] = {}
        self.charged: Counter[BudgetPlace] = Counter()
        """What acceptances spent that no reservation had."""

    def budget(self, currency: str, month: str) -> Budget:
        return self.budgets.get(BudgetPlace(month, currency), Budget(currency, month))

    def of(self, campaign: str) -> list[Reservation]:
        return [one for (name, _), one in sorted(self.reservations.items()) if name == campaign]

    def require(self, step: BudgetStep) -> None:
        """The conditions of a step."""
        for before, _ in step.budgets:
            if self.budget(before.currency, before.month).version != before.version:
                raise Outdated
        for known, after in step.reservations:
            standing = self.reservations.get((after.campaign, after.currency))
            if (standing and standing.version) != (known and known.version):
                raise Outdated

    def apply(self, step: BudgetStep) -> None:
        """The writes of a step whose conditions hold."""
        for before, after in step.budgets:
            limit = self.budget(before.currency, before.month).limit
            if limit != after.limit:
                raise AssertionError("a step leaves the limit as it is")
            self.budgets[after.place] = after
        for _, made in step.reservations:
            self.reservations[made.campaign, made.currency] = made
        for one in step.made():
            self.open.setdefault(one.campaign, None)

    def require_draws(self, draws: Iterable[Draw]) -> None:
        """The conditions of an acceptance."""
        for draw in draws:
            made = self.reservations.get((draw.campaign, draw.currency))
            if draw.campaign and (made is None or made.claimable < draw.amount):
                raise Outdated

    def draw(self, draws: Iterable[Draw]) -> None:
        """The writes of an acceptance whose conditions hold."""
        for one in draws:
            budget = self.budget(one.currency, one.month)
            if one.campaign:
                place = (one.campaign, one.currency)
                budget, self.reservations[place] = accept(budget, self.reservations[place], one.amount)
            else:
                budget = charge(budget, one.amount)
                self.charged[budget.place] += one.amount
            self.budgets[budget.place] = budget

    def regain(self, regained: Iterable[Regained]) -> None:
        """What a void that ends gives back."""
        for one in regained:
            budget = self.budget(one.currency, one.month)
            self.budgets[budget.place] = replace(budget, voided=budget.voided + one.amount, version=budget.version + 1)


class FakeBudgets:
    """The budget store."""

    def __init__(self, items: BudgetItems) -> None:
        self._items = items

    def budgets_since(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Budget]:
        named = {f"{place.month}#{place.currency}": budget for place, budget in self._items.budgets.items()}
        found = sorted(name for name in named if name >= month and name > after)
        return Page(tuple(named[name] for name in found[:most]), found[most - 1] if len(found) > most else "")

    def limit_set(self, currency: str, month: str, setting_id: str) -> LimitSet | None:
        return self._items.settings.get((currency, month, setting_id))

    def set_limit(self, setting: LimitSet) -> None:
        place = setting.currency, setting.month, setting.id
        budget = self._items.budget(setting.currency, setting.month)
        if place in self._items.settings or (setting.limit is None and budget.reserved):
            raise Outdated
        self._items.settings[place] = setting
        self._items.budgets[budget.place] = replace(budget, limit=setting.limit, version=budget.version + 1)

    def reserved(self) -> list[ReservedBy]:
        found = [(CampaignId.parse(name), counted) for name, counted in self._items.open.items()]
        found.sort(key=lambda one: (one[0].incident_id, one[0].seq))
        return [ReservedBy(campaign_id, counted) for campaign_id, counted in found]

    def note_counted(self, campaign_id: CampaignId, before: Counted | None, after: Counted) -> None:
        name = str(campaign_id)
        if name not in self._items.open or self._items.open[name] != before:
            raise Outdated
        self._items.open[name] = after

    def write(self, campaign_id: CampaignId, step: BudgetStep, *, is_done: bool) -> None:
        self._items.require(step)
        if step.made():
            raise Refused("only a start reserves")
        self._items.apply(step)
        if is_done:
            self._items.open.pop(str(campaign_id), None)

    def stated(self, campaign_id: CampaignId) -> Stated | None:
        return self._items.stated.get(str(campaign_id))

    def state(self, campaign_id: CampaignId, before: Stated | None, after: Stated) -> None:
        self._require_stated(campaign_id, before)
        self._items.stated[str(campaign_id)] = after

    def settle_as_stated(
        self, campaign_id: CampaignId, step: BudgetStep, before: Stated | None, after: Stated, *, is_done: bool
    ) -> None:
        self._require_stated(campaign_id, before)
        self.write(campaign_id, step, is_done=is_done)
        self._items.stated[str(campaign_id)] = after

    def _require_stated(self, campaign_id: CampaignId, before: Stated | None) -> None:
        standing = self._items.stated.get(str(campaign_id))
        if (standing is None) is not (before is None):
            raise Outdated
        if standing is None or before is None:
            return
        if standing.is_settled or (standing.id, standing.person) != (before.id, before.person):
            raise Outdated
