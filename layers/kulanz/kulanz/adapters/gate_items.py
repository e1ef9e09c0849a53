"""How filed plans, approvals and the sums of automatic executions are laid out in CampaignsTable."""

import json
from typing import Any

from kulanz.adapters.aws import read_number
from kulanz.adapters.campaign_keys import campaign_partition, incident_partition
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.canonical import canonical_json
from kulanz.domain.gate.approval import Action, Approval, Rejection
from kulanz.domain.gate.filed_plan import FiledPlan, read_filed
from kulanz.domain.gate.settings import Spent, SpentPlace
from kulanz.domain.time import format_instant, parse_instant

ACTION_PREFIX = "APPROVAL#"
APPROVED, REJECTED = "approve", "reject"

type Item = dict[str, Any]


def _key(partition: str, place: str) -> Item:
    return {"pk": {"S": partition}, "sk": {"S": place}}


def plan_key(campaign_id: CampaignId) -> Item:
    """The key of a campaign's filed plan."""
    return _key(campaign_partition(campaign_id), "PLAN")


def plan_item(plan: FiledPlan) -> Item:
    """A filed plan as an item."""
    return plan_key(plan.campaign) | {"text": {"S": plan.text}}


def read_plan(item: Item) -> FiledPlan:
    """A filed plan back from its item."""
    return read_filed(item["text"]["S"])


def action_item(campaign_id: CampaignId, action: Action) -> Item:
    """An approval or a rejection as an item: whoever chose its id may repeat it, and nobody may reuse it."""
    item = _key(campaign_partition(campaign_id), f"{ACTION_PREFIX}{action.id}") | {
        "actor": {"S": action.person},
        "at": {"S": format_instant(action.at)},
        "plan_hash": {"S": action.plan_hash},
    }
    if isinstance(action, Rejection):
        return item | {"kind": {"S": REJECTED}, "reason": {"S": action.reason}}
    limits = canonical_json(list(action.limits))
    return item | {"kind": {"S": APPROVED}, "limits": {"S": limits}, "break_glass": {"S": action.break_glass}}


def read_action(item: Item) -> Action:
    """An approval or a rejection back from its item."""
    kind = item["kind"]["S"]
    action_id, person = item["sk"]["S"].removeprefix(ACTION_PREFIX), item["actor"]["S"]
    plan_hash, at = item["plan_hash"]["S"], parse_instant(item["at"]["S"])
    if kind == REJECTED:
        return Rejection(action_id, person, plan_hash, item["reason"]["S"], at)
    limits = tuple(json.loads(item["limits"]["S"]))
    return Approval(action_id, person, plan_hash, limits, at, item["break_glass"]["S"])


def spent_key(place: SpentPlace) -> Item:
    """The key of what automatic executions of a month, or of an incident, add up to."""
    if place.incident_id:
        return _key(incident_partition(place.incident_id), "AUTOMATIC")
    return _key(f"AUTOMATIC#{place.month}", "AUTOMATIC")


def spent_item(spent: Spent) -> Item:
    """Such a sum as an item."""
    sums = canonical_json({measure: str(size) for measure, size in spent.sums.items()})
    return spent_key(spent.place) | {"version": {"N": str(spent.version)}, "sums": {"S": sums}}


def read_spent(place: SpentPlace, item: Item | None) -> Spent:
    """Such a sum back from its item; nothing where there is none."""
    if item is None:
        return Spent(place)
    sums = {measure: read_number(size) for measure, size in json.loads(item["sums"]["S"]).items()}
    return Spent(place, int(item["version"]["N"]), sums)
