"""What waits for a second person, as CampaignsTable lists it beside what else is open.

| pk | sk | content |
|---|---|---|
| `OPEN` | `CASE#<hash>` | a decision of a case; `since`, and what was announced of it (`reminded`) |
| | `GOODWILL#<id>` | goodwill; the same |
"""

from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import error_code, query, translated
from kulanz.adapters.campaign_keys import item_key
from kulanz.adapters.case_table import CASE_PREFIX
from kulanz.adapters.goodwill_items import GOODWILL_PREFIX
from kulanz.adapters.index_items import OPEN_PARTITION
from kulanz.adapters.transactions import write_together
from kulanz.application.cases.second_persons import Asked, Waiting
from kulanz.application.ports import Outdated
from kulanz.domain.time import format_instant, parse_instant

_PREFIXES = {Asked.CASE: CASE_PREFIX, Asked.GOODWILL: GOODWILL_PREFIX}


class DynamoSecondPersons:
    """What waits for a second person."""

    def __init__(self, client: Any, campaigns_table: str) -> None:
        self._client = client
        self._table = campaigns_table

    def waiting(self) -> list[Waiting]:
        return [
            _read(asked, prefix, item)
            for asked, prefix in _PREFIXES.items()
            for item in query(self._client.query, self._table, OPEN_PARTITION, prefix)
        ]

    def remember(self, one: Waiting, since: datetime, reminded: str) -> None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(one),
                UpdateExpression="SET reminded = :reminded, since = if_not_exists(since, :since)",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":reminded": {"S": reminded}, ":since": {"S": format_instant(since)}},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":  # else it was decided meanwhile
                raise translated(error, "UpdateItem") from error
        except (BotoCoreError, OSError) as error:
            raise translated(error, "UpdateItem") from error

    def forget(self, one: Waiting) -> None:
        """In a transaction, because functions may delete in one alone."""
        delete = {"TableName": self._table, "Key": _key(one), "ConditionExpression": "attribute_exists(pk)"}
        try:
            write_together(self._client, [{"Delete": delete}])
        except Outdated:
            return  # it was decided meanwhile


def _key(one: Waiting) -> dict[str, Any]:
    return item_key(OPEN_PARTITION, f"{_PREFIXES[one.asked]}{one.name}")


def _read(asked: Asked, prefix: str, item: dict[str, Any]) -> Waiting:
    since = item.get("since", {}).get("S")
    name = item["sk"]["S"].removeprefix(prefix)
    return Waiting(asked, name, None if since is None else parse_instant(since), item.get("reminded", {}).get("S", ""))
