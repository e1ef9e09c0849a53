"""The deliveries in CampaignsTable: each change is one conditional write or one transaction."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from kulanz.adapters import delivery_items as items
from kulanz.adapters.added_items import WAITING_PREFIX, added_key, read_added, read_waiting, taken_actions
from kulanz.adapters.aws import item_of, query
from kulanz.adapters.campaign_keys import campaign_partition
from kulanz.adapters.due_items import due_additions
from kulanz.adapters.index_items import OPEN_PARTITION
from kulanz.adapters.receipt_actions import NEW, STANDING, add_action, finished_of, move_cursor_action, put_action
from kulanz.adapters.receipt_items import read_cursor
from kulanz.adapters.transactions import write_together, write_until_alone
from kulanz.application.delivery.world import WaitingAdditions
from kulanz.application.ports import Outdated
from kulanz.domain.campaigns.campaign import CampaignId, Cursor
from kulanz.domain.delivery.added import Added
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt, DeliveryState
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.time import format_instant

type Item = dict[str, Any]


class DynamoDeliveries:
    """The delivery store."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def last_serial(self, channel: str) -> int:
        found = item_of(self._client, self._table, items.serial_key(channel))
        return 0 if found is None else int(found["serial"]["N"])

    def open(self, delivery: Delivery, added: Added | None = None) -> None:
        delivery_id = delivery.id
        named = {"delivery": {"S": str(delivery_id)}}
        actions = [
            self._count_on(delivery_id),
            put_action(self._table, items.delivery_item(delivery), NEW),
            *self._take(delivery, named, added),
            put_action(self._table, items.listed_key(delivery_id) | {"campaign": {"S": str(delivery.campaign)}}),
            put_action(
                self._table, items.open_delivery_key(delivery_id) | {"since": {"S": format_instant(delivery.opened_at)}}
            ),
        ]
        try:
            write_together(self._client, actions)
        except Outdated:
            if self.delivery(delivery_id) != delivery:
                raise

    def _take(self, delivery: Delivery, named: Item, added: Added | None) -> list[Item]:
        """What the delivery is over has no other one."""
        if delivery.additions is None:
            return [put_action(self._table, items.over_list_key(delivery.campaign) | named, NEW)]
        if added is None:
            raise ValueError("a delivery over additions is opened over what was read of them")
        return [
            put_action(self._table, items.over_additions_key(delivery.id, delivery.campaign) | named, NEW),
            *taken_actions(self._table, delivery.campaign, added, delivery.additions),
        ]

    def _count_on(self, delivery_id: DeliveryId) -> Item:
        """The channel's counter moves by one: serials have no gap."""
        put = put_action(
            self._table, items.serial_key(delivery_id.channel) | {"serial": {"N": str(delivery_id.serial)}}, NEW
        )
        if delivery_id.serial > 1:
            put["Put"]["ConditionExpression"] = "serial = :before"
            put["Put"]["ExpressionAttributeValues"] = {":before": {"N": str(delivery_id.serial - 1)}}
        return put

    def delivery(self, delivery_id: DeliveryId) -> Delivery | None:
        found = item_of(self._client, self._table, items.delivery_key(delivery_id))
        return None if found is None else items.read_delivery(found)

    def over_list(self, campaign_id: CampaignId) -> Delivery | None:
        found = item_of(self._client, self._table, items.over_list_key(campaign_id))
        return None if found is None else self.delivery(DeliveryId.parse(found["delivery"]["S"]))

    def over_additions(self, campaign_id: CampaignId) -> list[Delivery]:
        found = query(self._client.query, self._table, campaign_partition(campaign_id), items.DELIVERY_PREFIX)
        named = sorted(DeliveryId.parse(item["delivery"]["S"]) for item in found)
        return [one for delivery_id in named if (one := self.delivery(delivery_id)) is not None]

    def added(self, campaign_id: CampaignId, channel: str = "") -> Added:
        found = item_of(self._client, self._table, added_key(campaign_id))
        return Added(channel=channel) if found is None else read_added(campaign_id, found, channel)

    def waiting_additions(self) -> list[WaitingAdditions]:
        return list(map(read_waiting, query(self._client.query, self._table, OPEN_PARTITION, WAITING_PREFIX)))

    def of_channel(self, channel: str, after: int = 0) -> Iterator[Delivery]:
        first = f"{after + 1:08d}"
        for item in query(
            self._client.query, self._table, items.channel_partition(channel), items.DELIVERY_PREFIX, first
        ):
            found = self.delivery(DeliveryId(channel, int(item["sk"]["S"].rpartition("#")[2])))
            if found is not None:
                yield found

    def open_deliveries(self) -> list[DeliveryId]:
        found = query(self._client.query, self._table, OPEN_PARTITION, items.DELIVERY_PREFIX)
        named = (items.delivery_of_partition(item["sk"]["S"]) for item in found)
        return [one for one in named if one is not None]

    def cursor(self, delivery_id: DeliveryId, chunk: int) -> Cursor | None:
        found = item_of(self._client, self._table, items.delivery_cursor_key(delivery_id, chunk))
        return None if found is None else read_cursor(found)

    def finished_chunks(self, delivery_id: DeliveryId) -> set[int]:
        return finished_of(self._query(items.delivery_partition(delivery_id), items.CURSOR_PREFIX))

    def record(self, receipt: DeliveryReceipt) -> bool:
        actions = [
            put_action(self._table, items.delivery_receipt_item(receipt), NEW),
            move_cursor_action(self._table, items.delivery_cursor_key(receipt.delivery, receipt.chunk), receipt),
            add_action(self._table, items.delivery_key(receipt.delivery), items.delivery_additions(receipt), STANDING),
            *(add_action(self._table, key, additions) for key, additions in due_additions(receipt.dues)),
        ]
        try:
            write_together(self._client, actions)
        except Outdated:
            standing = item_of(self._client, self._table, items.delivery_receipt_key(receipt))
            return standing is not None and items.read_delivery_receipt(receipt.delivery, standing) == receipt
        return True

    def receipts(self, delivery_id: DeliveryId) -> Iterator[DeliveryReceipt]:
        for item in self._query(items.delivery_partition(delivery_id), items.RECEIPT_PREFIX):
            yield items.read_delivery_receipt(delivery_id, item)

    def receipt(self, delivery_id: DeliveryId, start: int, chunk: int) -> DeliveryReceipt | None:
        found = item_of(self._client, self._table, items.receipt_key(delivery_id, start, chunk))
        return None if found is None else items.read_delivery_receipt(delivery_id, found)

    def mark_dispatched(self, delivery_id: DeliveryId, chunks: int) -> None:
        self._set(delivery_id, "dispatched", chunks)

    def note_seen(self, delivery_id: DeliveryId, progress: int) -> None:
        self._set(delivery_id, "seen", progress)

    def _set(self, delivery_id: DeliveryId, name: str, number: int) -> None:
        write_until_alone(
            "UpdateItem",
            self._client.update_item,
            TableName=self._table,
            Key=items.delivery_key(delivery_id),
            # Without the counter a repetition would change nothing, and the stream would not tell of it.
            UpdateExpression="SET #name = :number ADD touched :one",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":number": {"N": str(number)}, ":one": {"N": "1"}},
        )

    def change(self, before: Delivery, after: Delivery) -> None:
        values: Item = {}
        told = ""
        if after.sent_at is not None:
            told = ", sent_at = :sent_at"
            values[":sent_at"] = {"S": format_instant(after.sent_at)}
        actions = [self._moved(before, after, told, values)]
        if after.state is DeliveryState.SENT:
            actions.append({"Delete": {"TableName": self._table, "Key": items.open_delivery_key(before.id)}})
        write_together(self._client, actions)

    def begin_round(self, before: Delivery, after: Delivery) -> None:
        values: Item = {":next": {"N": str(before.rounds + 1)}, ":none": {"N": "0"}}
        told = ", rounds = :next, published = :none, dispatched = :none REMOVE seen"
        is_open = items.open_delivery_key(before.id) | {"since": {"S": format_instant(before.opened_at)}}
        write_together(self._client, [self._moved(before, after, told, values), put_action(self._table, is_open)])

    def _moved(self, before: Delivery, after: Delivery, told: str, values: Item) -> Item:
        """The state and the reason of a delivery, and what else is `told`, if state and round are as they were read."""
        is_the_round = "rounds = :rounds" if before.rounds else "attribute_not_exists(rounds)"
        of_round = {":rounds": {"N": str(before.rounds)}} if before.rounds else {}
        update = {
            "TableName": self._table,
            "Key": items.delivery_key(before.id),
            "UpdateExpression": f"SET #state = :after, reason = :reason{told}",
            "ConditionExpression": f"#state = :before AND {is_the_round}",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": {
                ":before": {"S": before.state.value},
                ":after": {"S": after.state.value},
                ":reason": {"S": after.reason},
                **of_round,
                **values,
            },
        }
        return {"Update": update}

    def mark_published(self, receipt: DeliveryReceipt, round_: int) -> None:
        number = {":round": {"N": str(round_)}}
        part = {
            "TableName": self._table,
            "Key": items.delivery_receipt_key(receipt),
            "UpdateExpression": "SET published = :round",
            "ConditionExpression": "attribute_exists(pk) AND (attribute_not_exists(published) OR published < :round)",
            "ExpressionAttributeValues": number,
        }
        counted = {
            "TableName": self._table,
            "Key": items.delivery_key(receipt.delivery),
            "UpdateExpression": "ADD published :one",
            "ConditionExpression": "rounds = :round",
            "ExpressionAttributeValues": {**number, ":one": {"N": "1"}},
        }
        with suppress(Outdated):  # it was counted, or another round has begun
            write_together(self._client, [{"Update": part}, {"Update": counted}])

    def _query(self, partition: str, prefix: str) -> Iterator[Item]:
        return query(self._client.query, self._table, partition, prefix)
