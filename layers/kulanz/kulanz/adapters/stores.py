"""The two tables themselves: which they are, whether they hold anything, and who confirmed them."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import call, error_code, item_of, translated
from kulanz.adapters.campaign_keys import META, campaign_of_partition
from kulanz.application.ports import Outdated
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.confirmation import Confirmation, Occasion, Tables
from kulanz.domain.time import format_instant, parse_instant

CONFIRMATION_KEY = {"pk": {"S": "STACK"}, "sk": {"S": "CONFIRMATION"}}
"""Where CampaignsTable keeps the confirmation. A copy of the table holds a copy of it, which names the other tables."""


class DynamoStores:
    """The stores of a stack, over both tables."""

    def __init__(self, client: Any, credits_table: str, campaigns_table: str) -> None:
        self._client = client
        self._credits, self._campaigns = credits_table, campaigns_table
        self._tables: Tables | None = None

    def tables(self) -> Tables:
        """Asked of DynamoDB once: under one name and one deployment a table stays the same."""
        if self._tables is None:
            self._tables = Tables(self._id_of(self._credits), self._id_of(self._campaigns))
        return self._tables

    def _id_of(self, table: str) -> str:
        found = call("DescribeTable", self._client.describe_table, TableName=table)["Table"]
        return f"{found['TableArn']}@{format_instant(found['CreationDateTime'])}"

    def confirmation(self) -> Confirmation | None:
        item = item_of(self._client, self._campaigns, CONFIRMATION_KEY)
        if item is None:
            return None
        return Confirmation(
            tables=Tables(item["credits_table"]["S"], item["campaigns_table"]["S"]),
            occasion=Occasion(item["occasion"]["S"]),
            actor=item["actor"]["S"],
            reason=item["reason"]["S"],
            at=parse_instant(item["at"]["S"]),
        )

    def confirm(self, confirmation: Confirmation, before: Confirmation | None) -> None:
        item = CONFIRMATION_KEY | {
            "credits_table": {"S": confirmation.tables.credits},
            "campaigns_table": {"S": confirmation.tables.campaigns},
            "occasion": {"S": confirmation.occasion.value},
            "actor": {"S": confirmation.actor},
            "reason": {"S": confirmation.reason},
            "at": {"S": format_instant(confirmation.at)},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if before is not None:
            condition = {
                "ConditionExpression": "#at = :before",
                "ExpressionAttributeNames": {"#at": "at"},
                "ExpressionAttributeValues": {":before": {"S": format_instant(before.at)}},
            }
        try:
            self._client.put_item(TableName=self._campaigns, Item=item, **condition)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise translated(error, "PutItem") from error
            if self.confirmation() != confirmation:  # else it is our own, whose reply was lost
                raise Outdated from None
        except BotoCoreError as error:
            raise translated(error, "PutItem") from error

    def is_empty(self) -> bool:
        tables = (self._credits, self._campaigns)
        return not any(
            call("Scan", self._client.scan, TableName=table, Limit=1, ConsistentRead=True)["Items"] for table in tables
        )

    def campaign_ids(self) -> Iterator[CampaignId]:
        start: dict[str, Any] = {}
        while True:
            page = call(
                "Scan",
                self._client.scan,
                TableName=self._campaigns,
                ConsistentRead=True,
                FilterExpression="sk = :meta",
                ProjectionExpression="pk",
                ExpressionAttributeValues={":meta": {"S": META}},
                **start,
            )
            for item in page["Items"]:
                found = campaign_of_partition(item["pk"]["S"])
                if found is not None:
                    yield found
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
