"""How what entries moved is stored: in a receipt as JSON, and in a campaign's sums as an attribute for each of them.

Attributes: `moved|<state>|<component>|<measure>` is how much a state gained; what it lost is negative.
`code|<measure>|<code>` is how much more is rejected with a code of the biller; without a code, with all others. There a
measure's own lines are written `%7C`: a unit is a text of the policy's. Of another channel than the item's own the
first word is `moved@<channel>` or `code@<channel>`.
"""

from collections.abc import Mapping
from typing import Any

from kulanz.adapters.aws import read_number
from kulanz.adapters.campaign_keys import Item
from kulanz.adapters.due_items import dues_content, dues_of_content
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.moved import MovedOf, MovedSums, Moves
from kulanz.domain.delivery.standing import Counted, CreditState, OfWhich, RejectedWith
from kulanz.domain.money import Size

_CODE = "code:"
"""What a code of rejection has before it, where it stands in the place of a state."""


def moved_additions(moves: Moves, campaign_id: CampaignId, channel: str = "") -> dict[str, Size]:
    """What entries add to the sums of one campaign, by attribute. `channel` is the one that the item is about."""
    return {
        _name(place, counted, channel): size
        for place, sums in moves.moved.items()
        if place.campaign == campaign_id
        for counted, size in sums.items()
        if size
    }


def _name(place: MovedOf, counted: Counted, channel: str) -> str:
    at = "" if place.channel == channel else f"@{place.channel}"
    if isinstance(counted, RejectedWith):
        return f"code{at}|{place.measure.replace('%', '%25').replace('|', '%7C')}|{counted.code}"
    return f"moved{at}|{counted}|{place.component}|{place.measure}"


def read_moved(campaign_id: CampaignId, item: Item, channel: str = "") -> MovedSums:
    """What was moved of a campaign, from an item that is about a channel."""
    found: MovedSums = {}
    for name, value in item.items():
        head, _, rest = name.partition("|")
        kind, elsewhere, at = head.partition("@")
        if kind in ("moved", "code") and rest and (size := read_number(value["N"])):
            of = at if elsewhere else channel
            if kind == "code":
                measure, _, code = rest.partition("|")
                plain = measure.replace("%7C", "|").replace("%25", "%")
                place, counted = MovedOf(campaign_id, plain, "", of), _counted(f"{_CODE}{code}")
            else:
                state, component, measure = rest.split("|", 2)
                place, counted = MovedOf(campaign_id, measure, component, of), _counted(state)
            found.setdefault(place, {})[counted] = size
    return found


def _counted(name: str) -> Counted:
    if name.startswith(_CODE):
        return RejectedWith(name.removeprefix(_CODE))
    return OfWhich(name) if name in set(OfWhich) else CreditState(name)


def _text(counted: Counted) -> str:
    return f"{_CODE}{counted.code}" if isinstance(counted, RejectedWith) else counted.value


def moves_content(moves: Moves) -> dict[str, Any]:
    """What was moved, as plain JSON in a fixed order."""
    return {
        "moved": sorted(
            [str(place.campaign), place.measure, place.component, _text(counted), str(size), place.channel]
            for place, sums in moves.moved.items()
            for counted, size in sums.items()
        ),
        "dues": dues_content(moves.dues),
    }


def moves_of_content(content: Mapping[str, Any]) -> Moves:
    """Read what `moves_content` wrote."""
    moved: MovedSums = {}
    for campaign, measure, component, counted, size, *channel in content["moved"]:
        place = MovedOf(CampaignId.parse(campaign), measure, component, *channel)  # older receipts name none
        moved.setdefault(place, {})[_counted(counted)] = read_number(size)
    return Moves(moved, dues_of_content(content["dues"]))
