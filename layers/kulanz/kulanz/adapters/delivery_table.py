"""The deliveries in CampaignsTable: each change is one conditional write or one transaction."""

from collections.abc import Iterator, Mapping
from typing import Any

from kulanz.adapters import delivery_items as items
from kulanz.adapters.aws import call, query
from kulanz.adapters.campaign_keys import chunk_of_cursor
from kulanz.adapters.due_items import due_additions
from kulanz.adapters.index_items import OPEN_PARTITION
from kulanz.adapters.receipt_items import read_cursor
from kulanz.adapters.transactions import write_together, write_until_alone
from kulanz.application.ports import Outdated
from kulanz.domain.campaigns.campaign import CampaignId, Cursor
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.time import format_instant

type Item = dict[str, Any]

_ABSENT = "attribute_not_exists(pk)"


class DynamoDeliveries:
    """The delivery store."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def last_serial(self, channel: str) -> int:
        found = self._get(items.serial_key(channel))
        return 0 if found is None else int(found["serial"]["N"])

    def open(self, delivery: Delivery) -> None:
        delivery_id = delivery.id
        named = {"delivery": {"S": str(delivery_id)}}
        actions = [
            self._count_on(delivery_id),
            self._put(items.delivery_item(delivery), _ABSENT),
            self._put(items.over_list_key(delivery.campaign) | named, _ABSENT),
            self._put(items.listed_key(delivery_id) | {"campaign": {"S": str(delivery.campaign)}}),
            self._put(items.open_delivery_key(delivery_id) | {"since": {"S": format_instant(delivery.opened_at)}}),
        ]
        try:
            write_together(self._client, actions)
        except Outdated:
            if self.delivery(delivery_id) != delivery:
                raise

    def _count_on(self, delivery_id: DeliveryId) -> Item:
        """The channel's counter moves by one: serials have no gap."""
        put = self._put(items.serial_key(delivery_id.channel) | {"serial": {"N": str(delivery_id.serial)}}, _ABSENT)
        if delivery_id.serial > 1:
            put["Put"]["ConditionExpression"] = "serial = :before"
            put["Put"]["ExpressionAttributeValues"] = {":before": {"N": str(delivery_id.serial - 1)}}
        return put

    def delivery(self, delivery_id: DeliveryId) -> Delivery | None:
        found = self._get(items.delivery_key(delivery_id))
        return None if found is None else items.read_delivery(found)

    def over_list(self, campaign_id: CampaignId) -> Delivery | None:
        found = self._get(items.over_list_key(campaign_id))
        return None if found is None else self.delivery(DeliveryId.parse(found["delivery"]["S"]))

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
        found = self._get(items.delivery_cursor_key(delivery_id, chunk))
        return None if found is None else read_cursor(found)

    def finished_chunks(self, delivery_id: DeliveryId) -> set[int]:
        found = self._query(items.delivery_partition(delivery_id), items.CURSOR_PREFIX)
        return {chunk_of_cursor(item) for item in found if read_cursor(item).finished}

    def record(self, receipt: DeliveryReceipt) -> bool:
        actions = [
            self._put(items.delivery_receipt_item(receipt), _ABSENT),
            self._move_cursor(receipt),
            self._add(items.delivery_key(receipt.delivery), items.delivery_additions(receipt), "attribute_exists(pk)"),
            *(
                self._add(key, {name: str(value) for name, value in additions.items()})
                for key, additions in due_additions(receipt.dues)
            ),
        ]
        try:
            write_together(self._client, actions)
        except Outdated:
            standing = self._get(items.delivery_receipt_key(receipt))
            return standing is not None and items.read_delivery_receipt(receipt.delivery, standing) == receipt
        return True

    def _move_cursor(self, receipt: DeliveryReceipt) -> Item:
        values: Item = {":end": {"N": str(receipt.end)}, ":finished": {"BOOL": receipt.finishes_chunk}}
        condition = _ABSENT
        if receipt.moved_from is not None:
            condition = "#position = :moved_from AND finished = :no"
            values |= {":moved_from": {"N": str(receipt.moved_from)}, ":no": {"BOOL": False}}
        return {
            "Update": {
                "TableName": self._table,
                "Key": items.delivery_cursor_key(receipt.delivery, receipt.chunk),
                "UpdateExpression": "SET #position = :end, finished = :finished",
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#position": "position"},
                "ExpressionAttributeValues": values,
            }
        }

    def _add(self, key: Item, additions: Mapping[str, str], condition: str = "") -> Item:
        update: Item = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": "ADD " + ", ".join(f"#a{n} :a{n}" for n in range(len(additions))),
            "ExpressionAttributeNames": {f"#a{n}": name for n, name in enumerate(additions)},
            "ExpressionAttributeValues": {f":a{n}": {"N": text} for n, text in enumerate(additions.values())},
        }
        return {"Update": update | ({"ConditionExpression": condition} if condition else {})}

    def receipts(self, delivery_id: DeliveryId) -> Iterator[DeliveryReceipt]:
        for item in self._query(items.delivery_partition(delivery_id), items.RECEIPT_PREFIX):
            yield items.read_delivery_receipt(delivery_id, item)

    def mark_dispatched(self, delivery_id: DeliveryId, chunks: int) -> None:
        self._set(delivery_id, "dispatched", chunks)

    def note_seen(self, delivery_id: DeliveryId, bytes_done: int) -> None:
        self._set(delivery_id, "seen", bytes_done)

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
        values: Item = {
            ":before": {"S": before.state.value},
            ":after": {"S": after.state.value},
            ":reason": {"S": after.reason},
        }
        told = "SET #state = :after, reason = :reason"
        if after.sent_at is not None:
            told += ", sent_at = :sent_at"
            values[":sent_at"] = {"S": format_instant(after.sent_at)}
        update = {
            "TableName": self._table,
            "Key": items.delivery_key(before.id),
            "UpdateExpression": told,
            "ConditionExpression": "#state = :before",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": values,
        }
        actions: list[Item] = [{"Update": update}]
        if after.sent_at is not None:
            actions.append({"Delete": {"TableName": self._table, "Key": items.open_delivery_key(before.id)}})
        write_together(self._client, actions)

    def _put(self, item: Item, condition: str = "") -> Item:
        conditional = {"ConditionExpression": condition} if condition else {}
        return {"Put": {"TableName": self._table, "Item": item, **conditional}}

    def _get(self, key: Item) -> Item | None:
        found: Item | None = call(
            "GetItem", self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True
        ).get("Item")
        return found

    def _query(self, partition: str, prefix: str) -> Iterator[Item]:
        return query(self._client.query, self._table, partition, prefix)
