"""What persons do in a world: they look at the plans that wait."""

from typing import TYPE_CHECKING

from kulanz.domain.campaigns.campaign import Campaign, State

if TYPE_CHECKING:
    from tests.support.world import World


def to_approve(world: "World") -> list[Campaign]:
    """The campaigns whose plans a person would approve now."""
    asked = (one for one in world.campaigns.waiting() if world.campaigns.state_of(one) is State.AWAITING_APPROVAL)
    found = [world.campaign(str(campaign_id)) for campaign_id in asked]
    is_halted = world.campaigns.halt().is_on
    return [one for one in found if (one.id, one.log_count, is_halted) not in world.left and next_approver(world, one)]


def next_approver(world: "World", campaign: Campaign) -> str:
    """Who would approve a campaign's plan; empty where nobody may, or its limits are exceeded."""
    plan, given = world.campaigns.filed_plan(campaign.id), world.campaigns.actions(campaign.id)
    if plan is None or plan.exceeded:
        return ""
    others = {plan.requester, *(action.person for action in given)}
    return next((one for one in world.approvers if one not in others), "")
