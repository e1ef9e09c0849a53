"""Budgets at the gate: what a start reserves, when it is refused, and what a plan says of its month."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from kulanz.application.budgets.review import review_budgets
from kulanz.application.budgets.set_budget import BudgetReserved, SetBudgetPorts, set_budget
from kulanz.application.campaigns.review_plan import PlanReview, ReviewPorts, review_plan
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, Outdated, Refused, TryAgain
from kulanz.domain.budgets import Budget, LimitSet, Reservation
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.gate.approval import ApprovalRefused
from kulanz.domain.gate.settings import GateSettings
from tests.support.fake_uploads import FakeUploads
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world
from tests.support.world import ANNA, BEN, World

ID = CampaignId.parse(CAMPAIGN)
MONTH = "2026-03"
LINES = [row("a-1", fee="100.00"), row("a-2", fee="10.00"), row("a-3", affected="no")]
NEEDED = 1_100
AUTOMATIC = GateSettings(
    automatic_below={"EUR": 10_000, "call_minute": 100},
    automatic_monthly={"EUR": 100_000, "call_minute": 1_000},
    automatic_sources=frozenset({"billing"}),
)


def waiting(**settings: Any) -> World:
    world = small_world(list_of(LINES), approvers=(), **settings)
    world.publish(event(rows=len(LINES)))
    world.run_until_quiet()
    return world


def limit(world: World, minor: int, month: str = MONTH, currency: str = "EUR", name: str = "") -> Budget:
    setting = LimitSet(name or f"{currency}-{month}-{minor}", currency, month, minor, ANNA, "as agreed", world.now)
    return set_budget(setting, SetBudgetPorts(world.campaigns, world.budgets))


def approve(world: World) -> None:
    world.approve(ID, ANNA)
    world.approve(ID, BEN)


def review(world: World) -> PlanReview:
    uploads = FakeUploads(world.policies, world.lists)
    ports = ReviewPorts(world.campaigns, world.lists, uploads, world.index, world.gate, world.operation)
    return review_plan(ID, ports, world.now)


def test_the_last_approval_reserves_what_the_plan_can_cost_and_units_have_no_budget() -> None:
    world = waiting()
    limit(world, 5_000)
    world.approve(ID, ANNA)
    assert world.campaigns.budget("EUR", MONTH).reserved == 0
    world.approve(ID, BEN)
    assert world.campaigns.budget("EUR", MONTH) == Budget("EUR", MONTH, 5_000, NEEDED, 0, 2)
    assert world.campaigns.reservations(ID) == [Reservation(CAMPAIGN, "EUR", MONTH, NEEDED, 0, NEEDED)]


def test_without_a_budget_nothing_is_refused_and_all_is_counted() -> None:
    world = waiting()
    approve(world)
    assert world.campaign(CAMPAIGN).state is State.APPLYING
    assert world.campaigns.budget("EUR", MONTH) == Budget("EUR", MONTH, None, NEEDED, 0, 1)


def test_a_plan_that_needs_exactly_what_is_left_starts() -> None:
    world = waiting()
    limit(world, NEEDED)
    approve(world)
    assert world.campaigns.budget("EUR", MONTH).left == 0


def test_an_approval_beyond_the_budget_is_refused_in_figures_and_changes_nothing() -> None:
    world = waiting()
    limit(world, NEEDED - 1)
    world.approve(ID, ANNA)
    with pytest.raises(ApprovalRefused) as refused:
        world.approve(ID, BEN)
    assert refused.value.reason == "budget_exceeded"
    assert "needs up to 11.00 EUR, and the budget of 2026-03 has 10.99 EUR left" in str(refused.value)
    assert "kulanz budget set EUR 2026-03" in str(refused.value)
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
    assert (world.campaigns.reservations(ID), len(world.campaigns.actions(ID))) == ([], 1)
    limit(world, NEEDED)
    world.approve(ID, BEN)
    assert world.campaign(CAMPAIGN).state is State.APPLYING


def test_the_month_is_that_of_the_last_approval_in_the_zone_of_budgets() -> None:
    """Half past eleven at night on 31 March in UTC is April in Berlin."""
    world = waiting(gate=GateSettings(budget_zone="Europe/Berlin"))
    limit(world, 0)
    world.approve(ID, ANNA)
    world.now = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
    world.campaigns._campaigns[ID].plan = _planned_then(world)
    world.approve(ID, BEN)
    assert [one.month for one in world.campaigns.reservations(ID)] == ["2026-04"]


def _planned_then(world: World) -> Any:
    """The plan as it would stand if it had been filed on that evening: its approval would else be over."""
    plan = world.campaigns.filed_plan(ID)
    assert plan is not None
    return replace(plan, planned_at=world.now)


def test_an_automatic_start_waits_for_a_budget_and_says_why_and_starts_when_there_is_one() -> None:
    world = small_world(list_of(LINES), approvers=(), gate=AUTOMATIC)
    limit(world, NEEDED - 1)
    world.publish(event(rows=len(LINES)))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
    assert review(world)["not_automatic"] == "not enough is left of the budget of 2026-03 in EUR"
    limit(world, NEEDED)
    assert review(world)["not_automatic"] == ""
    world.watch()
    assert world.campaign(CAMPAIGN).state is State.APPLYING
    assert world.campaigns.budget("EUR", MONTH).left == 0


def test_a_plan_shows_what_is_left_before_and_after_its_start() -> None:
    world = waiting()
    assert review(world)["budgets"] == [
        {
            "currency": "EUR", "month": MONTH, "limit": None, "reserved": "0", "spent": "0", "left": None,
            "needed": "1100", "set_free": "0", "is_reserved": False, "is_enough": True,
        }
    ]  # fmt: skip
    limit(world, 1_000)
    (found,) = review(world)["budgets"]
    assert (found["limit"], found["left"], found["is_enough"]) == ("1000", "1000", False)
    limit(world, 2_000)
    approve(world)
    (found,) = review(world)["budgets"]
    assert (found["left"], found["reserved"], found["is_reserved"], found["is_enough"]) == ("900", "1100", True, True)
    world.now += timedelta(days=60)
    assert review(world)["budgets"] == [found], "the month that pays it stays"


@pytest.mark.parametrize(
    ("month", "claimable", "set_free", "is_enough"),
    [(MONTH, 300, "300", True), (MONTH, 299, "299", False), (MONTH, 0, "0", False), ("2026-02", 300, "0", False)],
)
def test_what_a_start_sets_free_counts_in_its_own_month_alone(
    month: str, claimable: int, set_free: str, is_enough: bool
) -> None:
    """An earlier campaign's offers end with the start, and what was reserved for them is left again."""
    world = waiting()
    limit(world, NEEDED - 300)
    campaign, plan = replace(world.campaign(CAMPAIGN), follows=(9,)), world.campaigns.filed_plan(ID)
    assert plan is not None
    earlier = Reservation(f"{ID.incident_id}/9", "EUR", month, 0, claimable, claimable)
    world.campaigns.budget_items.reservations[earlier.campaign, "EUR"] = earlier
    (found,) = review_budgets(campaign, plan, world.campaigns, world.gate, world.now)
    assert (found["set_free"], found["is_enough"]) == (set_free, is_enough)


def test_two_plans_share_what_is_left_and_the_second_is_refused() -> None:
    world = waiting()
    limit(world, NEEDED + 500)
    windows = [{"start": "2026-02-20T08:00:00Z", "end": "2026-02-20T09:00:00Z"}]
    world.publish(event(rows=len(LINES), incident_id="another", windows=windows))
    world.run_until_quiet()
    approve(world)
    second = CampaignId("another", 1)
    world.approve(second, ANNA)
    with pytest.raises(ApprovalRefused, match=r"has 5[.]00 EUR left"):
        world.approve(second, BEN)
    assert world.campaigns.budget("EUR", MONTH).reserved == NEEDED


# Setting


def test_the_same_setting_again_changes_nothing_also_after_a_later_one() -> None:
    world = World()
    limit(world, 5, name="one")
    limit(world, 9, name="two")
    assert limit(world, 5, name="one").limit == 9
    with pytest.raises(Refused, match="another setting"):
        limit(world, 6, name="one")


@pytest.mark.parametrize("changed", [{"limit": None}, {"limit": 6}, {"actor": "another"}, {"reason": "another"}])
def test_an_id_stands_for_one_setting_of_one_person_for_one_reason(changed: dict[str, Any]) -> None:
    """When it came counts for nothing: a reply that was lost is asked for later."""
    world = World()
    ports = SetBudgetPorts(world.campaigns, world.budgets)
    first = LimitSet("one", "EUR", MONTH, 5, "anna", "why", world.now)
    assert set_budget(first, ports) == set_budget(replace(first, at=world.now + timedelta(days=1)), ports)
    with pytest.raises(Refused, match="another setting"):
        set_budget(replace(first, **changed), ports)
    assert world.campaigns.budget("EUR", MONTH).limit == 5


class Racing:
    """Budgets whose record moves so often before a setting is written."""

    def __init__(self, world: World, times: int) -> None:
        self._budgets, self.left = world.budgets, times

    def limit_set(self, *of: str) -> LimitSet | None:
        return self._budgets.limit_set(*of)

    def set_limit(self, setting: LimitSet) -> None:
        if self.left:
            self.left -= 1
            raise Outdated
        self._budgets.set_limit(setting)


def test_a_setting_that_another_write_overtook_is_tried_again_and_only_a_removal_is_refused_for_what_is_reserved() -> (
    None
):
    world = waiting()
    approve(world)
    asked = LimitSet("one", "EUR", MONTH, 777, ANNA, "as agreed", world.now)
    racing = Racing(world, 1)
    assert set_budget(asked, SetBudgetPorts(world.campaigns, cast("Any", racing))).limit == 777
    removal = replace(asked, id="two", limit=None)
    with pytest.raises(BudgetReserved):
        set_budget(removal, SetBudgetPorts(world.campaigns, cast("Any", Racing(world, 1))))
    elsewhere = replace(asked, id="three", limit=None, month="2026-09")
    assert set_budget(elsewhere, SetBudgetPorts(world.campaigns, cast("Any", Racing(world, 1)))).limit is None
    for times, is_tried in ((ATTEMPTS_AGAINST_OTHERS - 1, True), (ATTEMPTS_AGAINST_OTHERS, False)):
        racing = Racing(world, times)
        again = replace(asked, id=f"after-{times}", limit=times)
        if is_tried:
            assert set_budget(again, SetBudgetPorts(world.campaigns, cast("Any", racing))).limit == times
        else:
            with pytest.raises(TryAgain):
                set_budget(again, SetBudgetPorts(world.campaigns, cast("Any", racing)))
    assert world.campaigns.budget("EUR", MONTH).limit == ATTEMPTS_AGAINST_OTHERS - 1


def test_a_limit_below_what_is_reserved_stops_further_starts_and_nothing_else() -> None:
    world = waiting()
    approve(world)
    assert limit(world, 1).left == 1 - NEEDED
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
