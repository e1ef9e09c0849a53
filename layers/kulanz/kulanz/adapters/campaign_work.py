"""What a worker reads and writes of a campaign in CampaignsTable: its record, cursors and receipts, and its stop.

Every change is one conditional write or one transaction. A condition that failed may be our own earlier write whose
reply was lost, so each method looks at what stands there before it says that somebody else was first.
"""

from collections.abc import Callable, Iterator
from typing import Any

from kulanz.adapters import campaign_items as items
from kulanz.adapters import campaign_keys as keys
from kulanz.adapters import halt_items, receipt_items
from kulanz.adapters import index_items as index
from kulanz.adapters.aws import call, item_of, query
from kulanz.adapters.receipt_actions import NEW, STANDING, add_action, move_cursor_action, put_action
from kulanz.adapters.transactions import write_together, write_until_alone
from kulanz.application.ports import Outdated, Refused
from kulanz.domain.audit import change_entry
from kulanz.domain.campaigns.campaign import (
    ENDED,
    Campaign,
    CampaignId,
    Cursor,
    Frozen,
    Pass,
    Receipt,
    State,
    StateChange,
)
from kulanz.domain.halt import NEVER_SET, Halt

type Item = dict[str, Any]


class DynamoCampaignWork:
    """Campaigns as a worker needs them."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        found = self._get(keys.meta_key(campaign_id))
        return None if found is None else items.read_meta(found)

    def state_of(self, campaign_id: CampaignId) -> State | None:
        answer = call(
            "GetItem",
            self._client.get_item,
            TableName=self._table,
            Key=keys.meta_key(campaign_id),
            ConsistentRead=True,
            ProjectionExpression="#state",
            ExpressionAttributeNames={"#state": "state"},
        )
        return State(answer["Item"]["state"]["S"]) if "Item" in answer else None

    def frozen(self, campaign_id: CampaignId) -> Frozen:
        found = self._get(keys.frozen_key(campaign_id))
        if found is None:
            raise Refused("the campaign has no frozen policy")
        return items.read_frozen(found)

    def halt(self) -> Halt:
        found = self._get(halt_items.halt_key())
        return NEVER_SET if found is None else halt_items.read_halt(found)

    def change_state(self, before: Campaign, change: StateChange) -> None:
        if change.target is State.APPLYING:
            raise AssertionError("no worker begins an execution, or goes on with one")
        self._change_state(before, change, self._let_go(before.id, change.target))

    def _change_state(self, before: Campaign, change: StateChange, with_it: list[Item]) -> None:
        """Move a campaign's state and log it, in one step with other writes. Raises Outdated."""
        actions = [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": keys.meta_key(before.id),
                    "UpdateExpression": "SET #state = :target, state_reason = :reason, log_count = :number",
                    "ConditionExpression": "#state = :source AND log_count = :before",
                    "ExpressionAttributeNames": {"#state": "state"},
                    "ExpressionAttributeValues": {
                        ":target": {"S": change.target.value},
                        ":reason": {"S": change.reason},
                        ":number": {"N": str(change.number)},
                        ":source": {"S": before.state.value},
                        ":before": {"N": str(before.log_count)},
                    },
                }
            },
            self._put_new(items.log_item(before.id, change)),
            *with_it,
            self._put(index.open_item(before.id, change.target, change.at)),
            *map(self._put, index.audit_items(change_entry(before.id, change))),
        ]
        try:
            self._write_conditionally(actions)
        except Outdated:
            standing = self._get(keys.log_key(before.id, change.number))
            if standing is None or items.read_log(standing) != change:
                raise

    def _let_go(self, campaign_id: CampaignId, target: State) -> list[Item]:
        """What frees the incident of a campaign that ends, if it waits for it. One that was closed and then flagged has
        let it go for good."""
        if target not in ENDED:
            return []
        incident = self._get(keys.incident_key(campaign_id.incident_id))
        occupies = incident is not None and incident.get("open_seq") == {"N": str(campaign_id.seq)}
        return [self._record_in_incident(campaign_id, target)] if occupies else []

    def _record_in_incident(self, campaign_id: CampaignId, target: State) -> Item:
        """The incident learns that the campaign may have granted, or that it is free again."""
        values: Item = {":seq": {"N": str(campaign_id.seq)}, ":one": {"N": "1"}}
        told = "REMOVE open_seq ADD version :one"
        if target is State.APPLYING:
            values[":applied"] = {"NS": [str(campaign_id.seq)]}
            told = "ADD version :one, applied :applied"
        return {
            "Update": {
                "TableName": self._table,
                "Key": keys.incident_key(campaign_id.incident_id),
                "UpdateExpression": told,
                "ConditionExpression": "open_seq = :seq",
                "ExpressionAttributeValues": values,
            }
        }

    def mark_dispatched(self, campaign: Campaign, work: Pass, sent: int) -> None:
        self._set(campaign.id, items.dispatched_name(work), items.dispatched_value(campaign, sent))

    def _set(self, campaign_id: CampaignId, name: str, value: Item) -> None:
        self._write(
            "UpdateItem",
            self._client.update_item,
            TableName=self._table,
            Key=keys.meta_key(campaign_id),
            # Without the counter a repetition would change nothing, and the stream would not tell of it.
            UpdateExpression="SET #name = :value ADD touched :one",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value, ":one": {"N": "1"}},
        )

    # Cursors and receipts

    def cursor(self, campaign_id: CampaignId, work: Pass, chunk: int) -> Cursor | None:
        found = self._get(keys.cursor_key(campaign_id, work, chunk))
        return None if found is None else receipt_items.read_cursor(found)

    def receipts(
        self, campaign_id: CampaignId, work: Pass, start: int = 0, stop: int | None = None
    ) -> Iterator[Receipt]:
        last = keys.LAST_OFFSET if stop is None else stop
        bounds = (keys.offset_text(start), keys.offset_text(last))
        place = keys.campaign_partition(campaign_id), keys.receipt_prefix(work)
        for item in query(self._client.query, self._table, *place, *bounds):
            yield receipt_items.read_receipt(campaign_id, item)

    def record_receipt(self, receipt: Receipt) -> bool:
        cursor_key = keys.cursor_key(receipt.campaign, receipt.work, receipt.chunk)
        try:
            self._write_conditionally(
                [
                    self._put_new(receipt_items.receipt_item(receipt)),
                    move_cursor_action(self._table, cursor_key, receipt),
                    add_action(self._table, keys.meta_key(receipt.campaign), items.meta_additions(receipt), STANDING),
                ]
            )
        except Outdated:
            standing = self._get(keys.receipt_key(receipt))
            return standing is not None and receipt_items.read_receipt(receipt.campaign, standing) == receipt
        return True

    # The calls

    def _put(self, item: Item) -> Item:
        """A write of what follows from the rest of its transaction, whose conditions are conditions of it, too."""
        return put_action(self._table, item)

    def _put_new(self, item: Item) -> Item:
        return put_action(self._table, item, NEW)

    def _get(self, key: Item) -> Item | None:
        return item_of(self._client, self._table, key)

    def _write_conditionally(self, actions: list[Item]) -> None:
        """One transaction. Raises Outdated when a condition failed, TryAgain when conflicts outlast the attempts."""
        write_together(self._client, actions)

    def _write(self, what: str, write: Callable[..., object], **arguments: Any) -> None:
        write_until_alone(what, write, **arguments)
