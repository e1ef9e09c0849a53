"""What was received of upstream incidents, in CampaignsTable.

pk UPSTREAM#<source>#<name>: PART#<key>, what a source reports of one incident; CONFIRMED#<service>, what a person
confirmed; DISMISSED#<service>, what a person dismissed; FOLLOWED#<service>, what was said of it.
pk COMPONENT#<source>#<component>: CHANGE#<instant>#<id>, a change
outside any incident. pk DRAFTS#<month>: INCIDENT#<source>#<name> and UNREAD#<source>#<digest>, what was received in a
month.
"""

import json
from dataclasses import asdict
from datetime import datetime
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import AFTER_EVERY_PLACE, call, error_code, item_of, query, translated
from kulanz.adapters.campaign_keys import Item, incident_key, item_key
from kulanz.adapters.halt_items import halt_key
from kulanz.application.drafts.draft_ports import Confirmed, Dismissed, Listed, Unread, Upstream
from kulanz.application.ports import INDEXED_PER_PAGE, Outdated, Page
from kulanz.domain.canonical import canonical_json
from kulanz.domain.drafts.following import Followed, Waits, Words
from kulanz.domain.drafts.reported import Change, Part, order_text, reported_of
from kulanz.domain.time import format_instant, parse_instant

PART_PREFIX, CHANGE_PREFIX, CONFIRMED_PREFIX, FOLLOWED_PREFIX = "PART#", "CHANGE#", "CONFIRMED#", "FOLLOWED#"
DISMISSED_PREFIX = "DISMISSED#"
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
        condition = {
            "ConditionExpression": "attribute_not_exists(pk) OR #o < :order OR (#o = :order AND report < :report)",
            "ExpressionAttributeNames": {"#o": "order"},
            "ExpressionAttributeValues": {":order": item["order"], ":report": item["report"]},
        }
        self._put_where(item, condition)

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
        if not self._put_next(item, confirmed.count) and self.confirmed(of, service) != confirmed:
            raise Outdated  # else it is our own, whose reply was lost

    def dismissed(self, of: Upstream, service: str) -> Dismissed | None:
        item = item_of(self._client, self._table, item_key(_upstream(of), DISMISSED_PREFIX + service))
        if item is None:
            return None
        return Dismissed(
            draft_id=item["draft_id"]["S"],
            count=int(item["count"]["N"]),
            digest=item["digest"]["S"],
            content=json.loads(item["content"]["S"]),
            reason=item["reason"]["S"],
            by=item["by"]["S"],
            at=parse_instant(item["at"]["S"]),
        )

    def dismiss(self, of: Upstream, service: str, dismissed: Dismissed) -> None:
        item = item_key(_upstream(of), DISMISSED_PREFIX + service) | {
            "draft_id": {"S": dismissed.draft_id},
            "count": {"N": str(dismissed.count)},
            "digest": {"S": dismissed.digest},
            "content": {"S": canonical_json(dict(dismissed.content))},
            "reason": {"S": dismissed.reason},
            "by": {"S": dismissed.by},
            "at": {"S": format_instant(dismissed.at)},
        }
        if not self._put_next(item, dismissed.count) and self.dismissed(of, service) != dismissed:
            raise Outdated  # else it is our own, whose reply was lost

    def _put_next(self, item: Item, count: int) -> bool:
        """Put a record in the place of the one before, by its count; whether that one stood there."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if count > 1:
            condition = {
                "ConditionExpression": "#c = :before",
                "ExpressionAttributeNames": {"#c": "count"},
                "ExpressionAttributeValues": {":before": {"N": str(count - 1)}},
            }
        return self._put_where(item, condition)

    def _put_where(self, item: Item, condition: dict[str, Any]) -> bool:
        """Put an item under a condition; whether it held."""
        try:
            self._client.put_item(TableName=self._table, Item=item, **condition)
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise translated(error, "PutItem") from error
            return False
        except BotoCoreError as error:
            raise translated(error, "PutItem") from error
        return True

    def unsettled(self, month: str) -> list[Listed]:
        listed = query(self._client.query, self._table, f"DRAFTS#{month}", INCIDENT_PREFIX)
        return [_as_listed(item) for item in listed if "settled" not in item]

    def settle(self, listed: Listed, now: datetime, *, is_settled: bool) -> None:
        received_at = {"S": format_instant(listed.received_at)}
        item = item_key(_month(listed.received_at), f"{INCIDENT_PREFIX}{listed.of.source}#{listed.of.name}")
        item |= {"received_at": received_at, "looked_at": {"S": format_instant(now)}}
        if is_settled:
            item["settled"] = {"BOOL": True}
        condition = {
            "ConditionExpression": "received_at = :seen",
            "ExpressionAttributeValues": {":seen": received_at},
        }
        self._put_where(item, condition)  # where it does not hold, something came, and it is looked at again

    def followed(self, of: Upstream, service: str) -> Followed:
        item = item_of(self._client, self._table, item_key(_upstream(of), FOLLOWED_PREFIX + service))
        return Followed() if item is None else _read_followed(item)

    def follow(self, of: Upstream, service: str, followed: Followed) -> None:
        item = item_key(_upstream(of), FOLLOWED_PREFIX + service) | _followed_item(followed)
        if not self._put_next(item, followed.count) and self.followed(of, service) != followed:
            raise Outdated

    def _put(self, item: Item) -> None:
        call("PutItem", self._client.put_item, TableName=self._table, Item=item)


class DynamoRecords:
    """What of incidents and of the halt stands beside the drafts, for whoever may only read it."""

    def __init__(self, client: Any, campaigns_table: str) -> None:
        self._client, self._table = client, campaigns_table

    def has_incident(self, incident_id: str) -> bool:
        return item_of(self._client, self._table, incident_key(incident_id)) is not None

    def is_halted(self) -> bool:
        found = item_of(self._client, self._table, halt_key())
        return found is not None and found["is_on"]["BOOL"] is True


def _month(at: datetime) -> str:
    return f"DRAFTS#{at:%Y-%m}"


def _upstream(of: Upstream) -> str:
    return f"UPSTREAM#{of.source}#{of.name}"


def _component(source: str, component: str) -> str:
    return f"COMPONENT#{source}#{component}"


def _as_listed(item: Item) -> Listed:
    _, source, name = item["sk"]["S"].split("#", 2)
    looked_at = item.get("looked_at")
    return Listed(
        Upstream(source, name),
        parse_instant(item["received_at"]["S"]),
        None if looked_at is None else parse_instant(looked_at["S"]),
    )


def _followed_item(followed: Followed) -> Item:
    item: Item = {
        "count": {"N": str(followed.count)},
        "asked": {"S": followed.asked.value},
        "digest": {"S": followed.digest},
        "number": {"N": str(followed.number)},
        "is_sent": {"BOOL": followed.is_sent},
    }
    for name, at in (("asked_at", followed.asked_at), ("said_at", followed.said_at)):
        if at is not None:
            item[name] = {"S": format_instant(at)}
    if followed.words is not None:
        item["words"] = {"S": canonical_json(asdict(followed.words))}
    return item


def _read_followed(item: Item) -> Followed:
    words = json.loads(item["words"]["S"]) if "words" in item else None
    return Followed(
        count=int(item["count"]["N"]),
        asked=Waits(item["asked"]["S"]),
        digest=item["digest"]["S"],
        asked_at=_instant(item, "asked_at"),
        words=None if words is None else Words(**words | {"functions": tuple(words["functions"])}),
        number=int(item["number"]["N"]),
        said_at=_instant(item, "said_at"),
        is_sent=item["is_sent"]["BOOL"],
    )


def _instant(item: Item, name: str) -> datetime | None:
    return parse_instant(item[name]["S"]) if name in item else None


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
