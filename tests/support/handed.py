"""What persons give by hand, in tests: a discretion file, and a door through which goodwill is given."""

from decimal import Decimal
from typing import Any

from kulanz.application.door.serve import Reply
from kulanz.domain.byhand.discretion import discretion_json
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.ledger.entries import net_worth
from tests.support.world import START, World
from tests.support.world_door import ANNA, Somebody, WorldDoor

ALONE = {"decision": "50.00", "person_month": "500.00", "account_month": "100.00"}
TWO = {"decision": "200.00", "person_month": "2000.00", "account_month": "300.00"}
MONTH = CampaignId(f"goodwill-{START:%Y-%m}", 1)
"""The campaign of the goodwill of a world's first month."""
GIVEN = {"amount": "20.00", "measure": "EUR", "reason": "long_wait"}


def discretion_content(version: int = 1, **entries: Any) -> dict[str, Any]:
    """A discretion file with limits for euros and gigabytes."""
    return {
        "kulanz_discretion": 1,
        "version": version,
        "zone": "Europe/Berlin",
        "reasons": {
            "long_wait": {"title": "The customer waited too long"},
            "other": {"title": "Something else", "note": True},
        },
        "goodwill": {"EUR": {"alone": ALONE, "two": TWO}, "GB": {"alone": dict.fromkeys(ALONE, "5")}},
        **entries,
    }


def publish_discretion(door: WorldDoor, version: int = 1, **entries: Any) -> None:
    """Publish a discretion file in a world."""
    door.discretion.publish(version, discretion_json(discretion_content(version, **entries)))


def give(door: WorldDoor, named: str = "T-1", account: str = "A-1001", by: Somebody = ANNA, **body: Any) -> Reply:
    """Ask to give 20 euros, or something else, to an account."""
    return door.put(f"goodwill/{account}/{named}", GIVEN | body, by)


def decide(door: WorldDoor, named: str, by: Somebody, action: str = "approve", under: str = "", **body: Any) -> Reply:
    """Approve or reject what waits."""
    return door.put(
        f"goodwill-approvals/{named}/{under or by.id[:3] + by.id[-3:] + action}", {"action": action, **body}, by
    )


def opened(**world: Any) -> WorldDoor:
    """The door of a new world in which goodwill may be given."""
    found = WorldDoor(World(**world))
    publish_discretion(found)
    return found


def worth(door: WorldDoor, account: str = "A-1001") -> dict[str, int | Decimal]:
    """What an account has net of voids, by measure."""
    found: dict[str, int | Decimal] = {}
    for entry in door.ledger.of_account(account):
        for measure, size in net_worth(entry).items():
            found[measure] = found.get(measure, 0) + size
    return found
