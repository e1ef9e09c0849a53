"""Cases as tests decide them: through the API of a world, under a discretion file that lets persons decide."""

from collections.abc import Mapping
from typing import Any

from kulanz.application.door.serve import Reply
from kulanz.domain.byhand.discretion import discretion_json
from kulanz.domain.campaigns.campaign import CampaignId
from tests.support.small_campaign import CAMPAIGN
from tests.support.world import World
from tests.support.world_door import ANNA, Somebody, WorldDoor

ALONE = {"decision": "5.00", "person_month": "12.00", "account_month": "8.00"}
TWO = {"decision": "50.00", "person_month": "60.00", "account_month": "55.00"}
MINUTES = dict.fromkeys(ALONE, "100")
DISCRETION: Mapping[str, Any] = {
    "kulanz_discretion": 1,
    "version": 1,
    "zone": "Europe/Berlin",
    "reasons": {"known_fact": {"title": "The fact is known"}, "other": {"title": "Something else", "note": True}},
    "cases": {"EUR": {"alone": ALONE, "two": TWO}, "call_minute": {"alone": MINUTES}},
}
CARLA = Somebody("iam:arn:aws:iam::123456789012:user/carla")


def door_of(world: World, discretion: Mapping[str, Any] | None = DISCRETION) -> WorldDoor:
    """The API of a world, with a discretion file."""
    door = WorldDoor(world)
    if discretion is not None:
        door.discretion.publish(1, discretion_json(discretion))
    return door


def look(door: WorldDoor, account: str, campaign: str = CAMPAIGN, row: int | None = None) -> Reply:
    """A case, or what refuses it."""
    named = CampaignId.parse(campaign)
    place = f"cases/one/{account}/{named.incident_id}/{named.seq}"
    return door.get(place) if row is None else door.get(place, row=str(row))


def seen(door: WorldDoor, account: str, campaign: str = CAMPAIGN, row: int | None = None) -> str:
    """The case as whoever looks now sees it."""
    reply = look(door, account, campaign, row)
    assert reply.status == 200, reply.content
    found: str = reply.content["seen"]
    return found


def decide(
    door: WorldDoor, account: str, caller: Somebody = ANNA, name: str = "d-1", campaign: str = CAMPAIGN, **body: Any
) -> Reply:
    """Decide a case; `body` replaces what a decision by the policy without facts says."""
    named = CampaignId.parse(campaign)
    content = {"way": "policy", "reason": "known_fact", **body}
    content.setdefault("seen", seen(door, account, campaign, body.get("row")))
    return door.put(f"case-decisions/{account}/{named.incident_id}/{named.seq}/{name}", content, caller)


def second(
    door: WorldDoor, account: str, caller: Somebody, proposal: str, name: str = "s-1", campaign: str = CAMPAIGN,
    **body: Any,
) -> Reply:  # fmt: skip
    """Agree as the second person, or reject."""
    named = CampaignId.parse(campaign)
    content = {"action": "agree", "hash": proposal, **body}
    return door.put(f"case-approvals/{account}/{named.incident_id}/{named.seq}/{name}", content, caller)
