"""What waits for a person until it is repaired, beside the open campaigns in CampaignsTable."""

from contextlib import suppress
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters import index_items as items
from kulanz.adapters.aws import call, error_code, item_of, query, translated
from kulanz.adapters.transactions import write_together
from kulanz.application.ports import OpenCampaign, Outdated
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind

_UNMET = "ConditionalCheckFailedException"


class DynamoTroubles:
    """The troubles, and what the watch over open campaigns remembers."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def troubles(self) -> list[Trouble]:
        found = query(self._client.query, self._table, items.OPEN_PARTITION, items.TROUBLE_PREFIX)
        return [items.read_trouble(item) for item in found]

    def note(self, kind: TroubleKind, on: str, now: datetime) -> None:
        call(
            "UpdateItem",
            self._client.update_item,
            TableName=self._table,
            Key=items.trouble_key(kind, on),
            UpdateExpression="SET since = if_not_exists(since, :now), found_at = :now",
            ExpressionAttributeValues={":now": {"S": items.placed(now)}},
        )

    def repaired(self, kind: TroubleKind, on: str, began_at: datetime) -> None:
        """In a transaction, because functions may delete in one alone."""
        forgotten = {
            "TableName": self._table,
            "Key": items.trouble_key(kind, on),
            "ConditionExpression": "found_at < :began_at",
            "ExpressionAttributeValues": {":began_at": {"S": items.placed(began_at)}},
        }
        with suppress(Outdated):  # it is not there, or was found again since
            write_together(self._client, [{"Delete": forgotten}])

    def note_seen(self, seen: OpenCampaign) -> None:
        if seen.seen_at is None:
            raise ValueError("expected when it was seen")
        try:
            self._client.update_item(
                TableName=self._table,
                Key=items.open_key(seen.id),
                UpdateExpression="SET came_to = :came_to, seen_at = :seen_at",
                ConditionExpression="#state = :state",
                ExpressionAttributeNames={"#state": "state"},
                ExpressionAttributeValues={
                    ":came_to": {"N": str(seen.came_to)},
                    ":seen_at": {"S": items.placed(seen.seen_at)},
                    ":state": {"S": seen.state.value},
                },
            )
        except ClientError as error:
            if error_code(error) != _UNMET:  # else it has moved, and is seen the next time
                raise translated(error, "UpdateItem") from error
        except (BotoCoreError, OSError) as error:
            raise translated(error, "UpdateItem") from error

    def has_looked_at(self, key: str) -> bool:
        return item_of(self._client, self._table, items.given_up_key(key)) is not None

    def note_looked_at(self, key: str) -> None:
        call("PutItem", self._client.put_item, TableName=self._table, Item=items.given_up_key(key))
