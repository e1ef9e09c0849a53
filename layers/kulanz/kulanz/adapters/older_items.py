"""Lists what an older release wrote: its campaigns, incidents and changes of state come into the indexes, once.

It is the one scan of the table in a stack's life. How far it came stands in the table, so that it goes on there. What
is written meanwhile is in the indexes already, and is written there once more, as it is.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from kulanz.adapters import index_items as index
from kulanz.adapters.aws import call, item_of
from kulanz.adapters.campaign_items import read_meta
from kulanz.adapters.campaign_keys import META, meta_key
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.incident_items import read_incident
from kulanz.adapters.transactions import write_together
from kulanz.application.ports import Outdated
from kulanz.domain.audit import change_entry, opening_entry, revision_entry
from kulanz.domain.campaigns.campaign import ENDED, Campaign

LISTED_KEY = {"pk": {"S": "STACK"}, "sk": {"S": "INDEXED"}}
"""Where CampaignsTable keeps how far this came."""
SECONDS_FOR_A_PAGE = 60.0
"""A page is 1 MB of the table: a few hundred campaigns at most, each with some reads and writes."""

type Item = dict[str, Any]


class OlderItems:
    """What was written before there were indexes."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table
        self._campaigns = DynamoCampaigns(client, table)

    def bring_in(self, seconds_left: Callable[[], float]) -> bool:
        """List what is not listed yet, as far as the time goes; True when everything is. Safe to repeat."""
        known = item_of(self._client, self._table, LISTED_KEY)
        if known is not None and "after" not in known:
            return True
        after = None if known is None else known["after"]["M"]
        while seconds_left() > SECONDS_FOR_A_PAGE:
            page = self._page(after)
            for item in page["Items"]:
                self._list(item)
            after = page.get("LastEvaluatedKey")
            reached = {"after": {"M": after}} if after else {}
            call("PutItem", self._client.put_item, TableName=self._table, Item=LISTED_KEY | reached)
            if not after:
                return True
        return False

    def _page(self, after: Item | None) -> Item:
        page: Item = call(
            "Scan",
            self._client.scan,
            TableName=self._table,
            ConsistentRead=True,
            FilterExpression="sk IN (:meta, :incident)",
            ExpressionAttributeValues={":meta": {"S": META}, ":incident": {"S": "INCIDENT"}},
            **({"ExclusiveStartKey": after} if after else {}),
        )
        return page

    def _list(self, item: Item) -> None:
        found = self._of_campaign(item) if item["sk"]["S"] == META else self._of_incident(item)
        for one in found:
            call("PutItem", self._client.put_item, TableName=self._table, Item=one)

    def _of_incident(self, item: Item) -> Iterator[Item]:
        revisions = self._campaigns.revisions(read_incident(item).incident_id)
        if revisions:
            first = min(revisions, key=lambda revision: revision.recorded_at)
            yield index.incident_index_item(first.incident_id, first.recorded_at)
        for revision in revisions:
            yield from index.audit_items(revision_entry(revision))

    def _of_campaign(self, item: Item) -> Iterator[Item]:
        campaign = read_meta(item)
        self._list_as_open(campaign)
        yield from index.campaign_index_items(campaign)
        for change in self._campaigns.log(campaign.id):
            is_opening = change.source is None
            yield from index.audit_items(
                opening_entry(campaign, change) if is_opening else change_entry(campaign.id, change)
            )

    def _list_as_open(self, campaign: Campaign) -> None:
        """Unless its end was announced, or it has moved since the scan met it: then whoever moved it listed it."""
        if campaign.state in ENDED and campaign.announced == campaign.report_name:
            return
        since = max(change.at for change in self._campaigns.log(campaign.id))
        unmoved = {
            "TableName": self._table,
            "Key": meta_key(campaign.id),
            "ConditionExpression": "log_count = :known",
            "ExpressionAttributeValues": {":known": {"N": str(campaign.log_count)}},
        }
        listed = {"TableName": self._table, "Item": index.open_item(campaign.id, campaign.state, since)}
        with suppress(Outdated):
            write_together(self._client, [{"ConditionCheck": unmoved}, {"Put": listed}])
