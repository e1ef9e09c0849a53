"""How what was granted beside a campaign's list is counted in CampaignsTable, in the transaction that grants it.

| pk | sk | content |
|---|---|---|
| `CAMPAIGN#<incident>#<seq>` | `ADDED` | how many additions, what they granted, and before which instant none is made |
| `OPEN` | `ADDED#<incident>#<seq>` | that some are in no delivery yet, and since when |
| | `ADDED#<incident>#<seq>#<channel>` | the same of what persons send to another channel than the plan's |

What is counted for another channel has the channel's text behind the name of its attribute: `n|letters:csv`.
"""

from datetime import datetime

from kulanz.adapters.campaign_keys import Item, campaign_partition, item_key
from kulanz.adapters.index_items import OPEN_PARTITION, placed
from kulanz.adapters.moved_items import moved_additions, read_moved
from kulanz.adapters.receipt_actions import add_action
from kulanz.application.delivery.world import WaitingAdditions
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.added import Added, Additions
from kulanz.domain.delivery.moved import MovedSums, Moves
from kulanz.domain.time import microseconds_of, parse_instant

WAITING_PREFIX = "ADDED#"


def added_key(campaign_id: CampaignId) -> Item:
    """The key of what was added to a campaign."""
    return item_key(campaign_partition(campaign_id), "ADDED")


def waiting_key(campaign_id: CampaignId, channel: str = "") -> Item:
    """The key of what says that additions of a campaign are in no delivery yet."""
    return item_key(
        OPEN_PARTITION, _of(f"{WAITING_PREFIX}{campaign_id.incident_id}#{campaign_id.seq:03d}", "#", channel)
    )


def _of(name: str, between: str, channel: str) -> str:
    """A name as it stands for a channel; that of the plan's is the name itself."""
    return f"{name}{between}{channel}" if channel else name


def read_waiting(item: Item) -> WaitingAdditions:
    """A campaign with additions that are in no delivery, and when the first of them was made."""
    _, incident_id, seq, *channel = item["sk"]["S"].split("#")
    since = parse_instant(item["since"]["S"])
    return WaitingAdditions(CampaignId(incident_id, int(seq)), since, channel[0] if channel else "")


def read_added(campaign_id: CampaignId, item: Item, channel: str) -> Added:
    """What was added to a campaign for a channel, back from its item."""
    number, until = (
        int(item[name]["N"]) if name in item else 0 for name in (_of("n", "|", channel), _of("until", "|", channel))
    )
    return Added(number, {} if channel else read_moved(campaign_id, item), until, channel)


def added_actions(
    table: str, campaign_id: CampaignId, at: datetime, moved: MovedSums, channel: str = "", number: int = 1
) -> list[Item]:
    """What additions made from an instant on count, on the condition that no delivery was opened over that instant."""
    counts = {_of("n", "|", channel): number, **moved_additions(Moves(moved), campaign_id)}
    count = add_action(table, added_key(campaign_id), counts)
    count["Update"]["ConditionExpression"] = "attribute_not_exists(#until) OR #until <= :at"
    count["Update"]["ExpressionAttributeNames"]["#until"] = _of("until", "|", channel)
    count["Update"]["ExpressionAttributeValues"][":at"] = {"N": str(microseconds_of(at))}
    wait = {
        "TableName": table,
        "Key": waiting_key(campaign_id, channel),
        "UpdateExpression": "SET since = if_not_exists(since, :since)",
        "ExpressionAttributeValues": {":since": {"S": placed(at)}},
    }
    return [count, {"Update": wait}]


def taken_actions(table: str, campaign_id: CampaignId, added: Added, taken: Additions) -> list[Item]:
    """What a delivery over all that was added so far changes, on the condition that nothing was added since."""
    values: Item = {":number": {"N": str(added.number)}, ":end": {"N": str(taken.end)}}
    condition = "#n = :number AND attribute_not_exists(#until)"
    if taken.start:
        condition = "#n = :number AND #until = :start"
        values[":start"] = {"N": str(taken.start)}
    update = {
        "TableName": table,
        "Key": added_key(campaign_id),
        "UpdateExpression": "SET #until = :end",
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#n": _of("n", "|", added.channel), "#until": _of("until", "|", added.channel)},
        "ExpressionAttributeValues": values,
    }
    return [{"Update": update}, {"Delete": {"TableName": table, "Key": waiting_key(campaign_id, added.channel)}}]
