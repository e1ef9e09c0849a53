"""How what is not on bills yet is laid out in CampaignsTable, by the month of its deadline.

| pk | sk | content |
|---|---|---|
| `DUES` | `<month>#CAMPAIGN#<incident>#<seq>` | `due|<instant>|<measure>|n` credits of a deadline, and `|sum` of them |

Deliveries add to it with their receipts, answers take away with theirs. An item that has come to nothing is deleted.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from kulanz.adapters.aws import read_number
from kulanz.adapters.campaign_keys import Item, campaign_of_partition, campaign_partition, item_key
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.dues import DueOf, Dues
from kulanz.domain.money import Size
from kulanz.domain.time import format_instant, parse_instant

DUES_PARTITION = "DUES"


def month_of(due: datetime) -> str:
    """The month of UTC in which a deadline lies."""
    return f"{due.astimezone(UTC):%Y-%m}"


def due_key(campaign_id: CampaignId, month: str) -> Item:
    """The key of what a campaign has due in a month."""
    return item_key(DUES_PARTITION, f"{month}#{campaign_partition(campaign_id)}")


def due_additions(dues: Dues) -> list[tuple[Item, dict[str, Size]]]:
    """What changes of the counters, an item for each campaign and month, with what is added to its attributes."""
    found: dict[tuple[CampaignId, str], dict[str, Size]] = {}
    for due, (number, size) in sorted(dues.items(), key=lambda one: (str(one[0].campaign), one[0].due, one[0].measure)):
        place = f"due|{format_instant(due.due)}|{due.measure}"
        additions = found.setdefault((due.campaign, month_of(due.due)), {})
        additions |= {name: value for name, value in ((f"{place}|n", number), (f"{place}|sum", size)) if value}
    return [(due_key(*place), additions) for place, additions in found.items() if additions]


def read_dues(item: Item) -> Iterator[tuple[DueOf, tuple[int, Size]]]:
    """What an item has that is not nothing."""
    campaign_id = campaign_of_partition(item["sk"]["S"].partition("#")[2])
    if campaign_id is None:
        raise ValueError("not the deadlines of a campaign")
    for name in sorted(item):
        if name.startswith("due|") and name.endswith("|n") and (number := int(item[name]["N"])):
            _, instant, measure = name.removesuffix("|n").split("|", 2)
            size = read_number(item[f"{name.removesuffix('n')}sum"]["N"])
            yield DueOf(campaign_id, parse_instant(instant), measure), (number, size)


def dues_content(dues: Dues) -> list[list[str | int]]:
    """Counters as plain JSON, in a fixed order."""
    return sorted(
        [str(due.campaign), format_instant(due.due), due.measure, number, str(size)]
        for due, (number, size) in dues.items()
    )


def dues_of_content(content: list[list[str | int]]) -> Dues:
    """Read what `dues_content` wrote."""
    return {
        DueOf(CampaignId.parse(str(campaign)), parse_instant(str(due)), str(measure)): (
            int(number),
            read_number(str(size)),
        )
        for campaign, due, measure, number, size in content
    }
