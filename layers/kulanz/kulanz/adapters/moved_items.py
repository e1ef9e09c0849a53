"""How what entries moved is stored: in a receipt as JSON, and in a campaign's sums as an attribute for each of them."""

from collections.abc import Mapping
from typing import Any

from kulanz.adapters.aws import read_number
from kulanz.adapters.campaign_keys import Item
from kulanz.adapters.due_items import dues_content, dues_of_content
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.moved import MovedOf, MovedSums, Moves
from kulanz.domain.delivery.standing import Counted, CreditState, OfWhich


def moved_additions(moves: Moves, campaign_id: CampaignId) -> dict[str, Size]:
    """What entries add to the sums of one campaign, by attribute."""
    return {
        f"moved|{state}|{place.component}|{place.measure}": size
        for place, sums in moves.moved.items()
        if place.campaign == campaign_id
        for state, size in sums.items()
        if size
    }


def read_moved(campaign_id: CampaignId, item: Item) -> MovedSums:
    """What was moved of a campaign, by measure and amount component."""
    found: MovedSums = {}
    for name, value in item.items():
        if name.startswith("moved|") and (size := read_number(value["N"])):
            _, state, component, measure = name.split("|", 3)
            found.setdefault(MovedOf(campaign_id, measure, component), {})[_counted(state)] = size
    return found


def _counted(name: str) -> Counted:
    return OfWhich(name) if name in set(OfWhich) else CreditState(name)


def moves_content(moves: Moves) -> dict[str, Any]:
    """What was moved, as plain JSON in a fixed order."""
    return {
        "moved": sorted(
            [str(place.campaign), place.measure, place.component, state.value, str(size)]
            for place, sums in moves.moved.items()
            for state, size in sums.items()
        ),
        "dues": dues_content(moves.dues),
    }


def moves_of_content(content: Mapping[str, Any]) -> Moves:
    """Read what `moves_content` wrote."""
    moved: MovedSums = {}
    for campaign, measure, component, state, size in content["moved"]:
        place = MovedOf(CampaignId.parse(campaign), measure, component)
        moved.setdefault(place, {})[_counted(state)] = read_number(size)
    return Moves(moved, dues_of_content(content["dues"]))
