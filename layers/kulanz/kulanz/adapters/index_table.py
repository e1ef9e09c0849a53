"""The index of campaigns, incidents and actions, read from both tables a page at a time."""

from collections.abc import Callable
from datetime import date, datetime
from heapq import merge
from typing import Any

from kulanz.adapters import index_items as items
from kulanz.adapters.aws import call, query
from kulanz.application.ports import INDEXED_PER_PAGE, Indexed, OpenCampaign, Page
from kulanz.domain.audit import AuditEntry
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.ledger.additions import Addition

BEFORE_EVERY_PLACE = " "
"""It sorts before whatever a sort key of an index begins with: a digit."""

type Item = dict[str, Any]


class DynamoIndex:
    """What spans incidents and campaigns."""

    def __init__(self, client: Any, campaigns_table: str, credits_table: str) -> None:
        self._client = client
        self._campaigns, self._credits = campaigns_table, credits_table

    def open_campaigns(self) -> list[OpenCampaign]:
        found = query(self._client.query, self._campaigns, items.OPEN_PARTITION, items.OPEN_PREFIX)
        return [items.read_open(item) for item in found]

    def campaigns_in(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Indexed[CampaignId]]:
        return self._page(items.month_partition(month), items.read_campaign, after, most)

    def incidents_in(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Indexed[str]]:
        return self._page(items.incidents_partition(month), items.read_incident_index, after, most)

    def campaigns_under(
        self, policy_id: str, after: str = "", most: int = INDEXED_PER_PAGE
    ) -> Page[Indexed[CampaignId]]:
        return self._page(items.policy_partition(policy_id), items.read_campaign, after, most)

    def latest_under(self, policy_id: str, before: datetime, most: int) -> list[Indexed[CampaignId]]:
        answer = call(
            "Query",
            self._client.query,
            TableName=self._campaigns,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk < :before",
            ExpressionAttributeValues={
                ":pk": {"S": items.policy_partition(policy_id)},
                ":before": {"S": items.placed(before)},
            },
            ScanIndexForward=False,
            Limit=most,
        )
        return [items.read_campaign(item) for item in answer["Items"]]

    def audit_of_day(self, day: date, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[AuditEntry]:
        return self._page(items.day_partition(day), items.read_audit, after, most, self._credits)

    def audit_of_actor(self, actor: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[AuditEntry]:
        return self._page(items.actor_partition(actor), items.read_audit, after, most, self._credits)

    def additions(self, campaign_id: CampaignId, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Addition]:
        return _cut(
            self._after(self._credits, items.additions_partition(campaign_id), after, most), items.read_addition, most
        )

    def additions_from(
        self, campaign_id: CampaignId, start: datetime, after: str = "", most: int = INDEXED_PER_PAGE
    ) -> Page[Addition]:
        return self.additions(campaign_id, after or items.placed(start), most)

    def last_addition(self, campaign_id: CampaignId) -> Addition | None:
        answer = call(
            "Query",
            self._client.query,
            TableName=self._credits,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": items.additions_partition(campaign_id)}},
            ScanIndexForward=False,
            Limit=1,
        )
        found = list(map(items.read_addition, answer["Items"]))
        return found[0] if found else None

    def _page[Found](
        self, partition: str, read: Callable[[Item], Found], after: str, most: int, *other_tables: str
    ) -> Page[Found]:
        """What follows the sort key `after` in a partition, of which both tables may have a part."""
        parts = [self._after(table, partition, after, most) for table in (self._campaigns, *other_tables)]
        return _cut(list(merge(*parts, key=_place)), read, most)

    def _after(self, table: str, partition: str, after: str, most: int) -> list[Item]:
        """At most one more than `most` of what follows a sort key."""
        answer = call(
            "Query",
            self._client.query,
            TableName=table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk > :after",
            ExpressionAttributeValues={":pk": {"S": partition}, ":after": {"S": after or BEFORE_EVERY_PLACE}},
            Limit=most + 1,
        )
        found: list[Item] = answer["Items"]
        return found


def _place(item: Item) -> str:
    place: str = item["sk"]["S"]
    return place


def _cut[Found](found: list[Item], read: Callable[[Item], Found], most: int) -> Page[Found]:
    return Page(tuple(map(read, found[:most])), _place(found[most - 1]) if len(found) > most else "")
