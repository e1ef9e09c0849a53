"""What was received of upstream incidents, in CampaignsTable.

pk UPSTREAM#<source>#<name>: PART#<key>, what a source reports of one incident; CONFIRMED#<service>, what a person
confirmed. pk COMPONENT#<source>#<component>: CHANGE#<instant>#<id>, a change outside any incident. pk DRAFTS#<month>:
INCIDENT#<source>#<name> and UNREAD#<source>#<digest>, what was received in a month.
"""

import json
from datetime import datetime
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import AFTER_EVERY_PLACE, call, error_code, item_of, query, translated
from kulanz.adapters.campaign_keys import Item, item_key
from kulanz.application.drafts.draft_ports import Confirmed, Unread, Upstream
from kulanz.application.ports import INDEXED_PER_PAGE, Outdated, Page
from kulanz.domain.canonical import canonical_json
from kulanz.domain.drafts.reported import Change, Part, order_text, reported_of
from kulanz.domain.time import format_instant, parse_instant

PART_PREFIX, CHANGE_PREFIX, CONFIRMED_PREFIX = "PART#", "CHANGE#", "CONFIRMED#"
INCIDENT_PREFIX, UNREAD_PREFIX = "INCIDENT#", "UNREAD#"
DIGEST_CHARACTERS = 32


class DynamoDrafts:
    """The drafts of a stack."""

    def __init__(self, client: Any, campaigns_table: str) -> None:
        self._client, self._table = client, campaigns_table

    def keep(self, of: Upstream, part: Part, received_at: datetime) -> None:
        listed = item_key(_month(received_at), f"{INCIDENT_PREFIX}{of.source}#{of.name}")
        self._put(listed | {"received_at": {"S": format_instant(received_at)}})
        item = item_key(_upstream(of), PART_PREFIX + part.key) | {
            "incident": {"S": part.incident},
            "order": {"S": part.order},
            "report": {"S": part.reported.text},
        }
        self._put_newest(item)

    def _put_newest(self, item: Item) -> None:
        """Put a part unless one of a higher order stands: DynamoDB and Python compare texts alike, by code points."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                ConditionExpression="attribute_not_exists(pk) OR #o < :order OR (#o = :order AND report < :report)",
                ExpressionAttributeNames={"#o": "order"},
                ExpressionAttributeValues={":order": item["order"], ":report": item["report"]},
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise translated(error, "PutItem") from error
        except BotoCoreError as error:
            raise translated(error, "PutItem") from error

    def keep_change(self, source: str, part: Part, received_at: datetime) -> None:  # noqa: ARG002 (it has its own instant)
        for change in part.reported.changes:
            place = f"{CHANGE_PREFIX}{order_text(change.stamp.at)}#{part.key}"
            item = item_key(_component(source, change.component), place)
            self._put_newest(item | {"order": {"S": part.order}, "report": {"S": part.reported.text}})

    def parts(self, of: Upstream) -> list[Part]:
        return [
            Part(
                item["incident"]["S"],
                item["sk"]["S"].removeprefix(PART_PREFIX),
                item["order"]["S"],
                reported_of(json.loads(item["report"]["S"])),
            )
            for item in query(self._client.query, self._table, _upstream(of), PART_PREFIX)
        ]

    def changes(self, source: str, component: str, first: datetime, last: datetime | None) -> list[Change]:
        until = AFTER_EVERY_PLACE if last is None else order_text(last) + AFTER_EVERY_PLACE
        found = query(
            self._client.query, self._table, _component(source, component), CHANGE_PREFIX, order_text(first), until
        )
        return [
            change
            for item in found
            for change in reported_of(json.loads(item["report"]["S"])).changes
            if change.component == component
        ]

    def note_unread(self, unread: Unread) -> None:
        digest = sha256(unread.key.encode("utf-8", "surrogatepass")).hexdigest()[:DIGEST_CHARACTERS]
        item = item_key(_month(unread.received_at), f"{UNREAD_PREFIX}{unread.source}#{digest}") | {
            "body": {"S": unread.key},
            "reason": {"S": unread.reason},
            "message": {"S": unread.text},
            "received_at": {"S": format_instant(unread.received_at)},
        }
        self._put(item)

    def in_month(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Upstream | Unread]:
        partition = f"DRAFTS#{month}"
        start = {"ExclusiveStartKey": item_key(partition, after)} if after else {}
        answer = call(
            "Query",
            self._client.query,
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": partition}},
            Limit=most,
            **start,
        )
        last = answer.get("LastEvaluatedKey")
        return Page(tuple(map(_listed, answer.get("Items", []))), last["sk"]["S"] if last else "")

    def confirmed(self, of: Upstream, service: str) -> Confirmed | None:
        item = item_of(self._client, self._table, item_key(_upstream(of), CONFIRMED_PREFIX + service))
        if item is None:
            return None
        return Confirmed(
            draft_id=item["draft_id"]["S"],
            count=int(item["count"]["N"]),
            digest=item["digest"]["S"],
            content=json.loads(item["content"]["S"]),
            revision=int(item["revision"]["N"]),
            by=item["by"]["S"],
            at=parse_instant(item["at"]["S"]),
        )

    def confirm(self, of: Upstream, service: str, confirmed: Confirmed) -> None:
        item = item_key(_upstream(of), CONFIRMED_PREFIX + service) | {
            "draft_id": {"S": confirmed.draft_id},
            "count": {"N": str(confirmed.count)},
            "digest": {"S": confirmed.digest},
            "content": {"S": canonical_json(dict(confirmed.content))},
            "revision": {"N": str(confirmed.revision)},
            "by": {"S": confirmed.by},
            "at": {"S": format_instant(confirmed.at)},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if confirmed.count > 1:
            condition = {
                "ConditionExpression": "#c = :before",
                "ExpressionAttributeNames": {"#c": "count"},
                "ExpressionAttributeValues": {":before": {"N": str(confirmed.count - 1)}},
            }
        try:
            self._client.put_item(TableName=self._table, Item=item, **condition)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise translated(error, "PutItem") from error
            if self.confirmed(of, service) != confirmed:  # else it is our own, whose reply was lost
                raise Outdated from None
        except BotoCoreError as error:
            raise translated(error, "PutItem") from error

    def _put(self, item: Item) -> None:
        call("PutItem", self._client.put_item, TableName=self._table, Item=item)


def _month(at: datetime) -> str:
    return f"DRAFTS#{at:%Y-%m}"


def _upstream(of: Upstream) -> str:
    return f"UPSTREAM#{of.source}#{of.name}"


def _component(source: str, component: str) -> str:
    return f"COMPONENT#{source}#{component}"


def _listed(item: Item) -> Upstream | Unread:
    kind, source, name = item["sk"]["S"].split("#", 2)
    if f"{kind}#" == INCIDENT_PREFIX:
        return Upstream(source, name)
    return Unread(
        source,
        item["body"]["S"],
        item["reason"]["S"],
        item["message"]["S"],
        parse_instant(item["received_at"]["S"]),
    )
