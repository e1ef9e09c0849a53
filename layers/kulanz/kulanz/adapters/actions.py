"""Actions under the ids that their callers chose, each in the partition of what it is about.

`ACTION#<key>` in CampaignsTable, which never expires. An action about an account stands with the account's decisions in
CreditsTable, and may be deleted as they may.
"""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import call, error_code, item_of, translated
from kulanz.adapters.index_items import audit_items
from kulanz.adapters.transactions import write_together
from kulanz.application.door.action_store import Action
from kulanz.application.ports import Outdated, Refused
from kulanz.domain.audit import AuditEntry
from kulanz.domain.canonical import canonical_json
from kulanz.domain.time import format_instant, parse_instant

OF_AN_ACCOUNT = "ACCOUNT#"

type Item = dict[str, Any]


class DynamoActions:
    """The actions, in the table of what each is about."""

    def __init__(self, client: Any, credits_table: str, campaigns_table: str, retention_days: int) -> None:
        self._client = client
        self._credits, self._campaigns = credits_table, campaigns_table
        self._kept = timedelta(days=retention_days)

    def begin(self, action: Action) -> Action:
        item = _key_of(action) | {
            "actor": {"S": action.actor},
            "at": {"S": format_instant(action.at)},
            "fields": {"S": canonical_json(dict(action.fields))},
        }
        if action.place.startswith(OF_AN_ACCOUNT):
            item["ttl"] = {"N": str(int((action.at + self._kept).timestamp()))}
        try:
            self._client.put_item(
                TableName=self._table(action), Item=item, ConditionExpression="attribute_not_exists(pk)"
            )
        except ClientError as error:
            if error_code(error) != "ConditionalCheckFailedException":
                raise translated(error, "PutItem") from error
            return self._standing(action)
        except BotoCoreError as error:
            raise translated(error, "PutItem") from error
        return action

    def _standing(self, action: Action) -> Action:
        item = item_of(self._client, self._table(action), _key_of(action))
        if item is None:
            raise Refused("an action that stood under its key is not there any more")
        return Action(
            place=action.place,
            key=action.key,
            actor=item["actor"]["S"],
            at=parse_instant(item["at"]["S"]),
            fields=json.loads(item["fields"]["S"]),
            answer=json.loads(item["answer"]["S"]) if "answer" in item else None,
        )

    def finish(self, action: Action, answer: Mapping[str, Any], entry: AuditEntry | None) -> None:
        done = {
            "TableName": self._table(action),
            "Key": _key_of(action),
            "UpdateExpression": "SET answer = if_not_exists(answer, :answer)",
            "ConditionExpression": "attribute_exists(pk)",
            "ExpressionAttributeValues": {":answer": {"S": canonical_json(dict(answer))}},
        }
        if entry is None:
            call("UpdateItem", self._client.update_item, **done)
            return
        listed = [{"Put": {"TableName": self._campaigns, "Item": item}} for item in audit_items(entry)]
        try:
            write_together(self._client, [{"Update": done}, *listed])
        except Outdated:
            raise Refused("an action that was begun is not there any more") from None

    def _table(self, action: Action) -> str:
        return self._credits if action.place.startswith(OF_AN_ACCOUNT) else self._campaigns


def _key_of(action: Action) -> Item:
    return {"pk": {"S": action.place}, "sk": {"S": f"ACTION#{action.key}"}}
