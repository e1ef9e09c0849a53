"""Answer files in CampaignsTable: opened once, and moved on by their receipts alone."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from kulanz.adapters import answer_items as items
from kulanz.adapters.aws import call, query
from kulanz.adapters.campaign_keys import Item, chunk_of_cursor
from kulanz.adapters.due_items import due_additions
from kulanz.adapters.index_items import OPEN_PARTITION, placed
from kulanz.adapters.moved_items import moved_additions, read_moved
from kulanz.adapters.receipt_items import read_cursor
from kulanz.adapters.transactions import write_together, write_until_alone
from kulanz.application.ports import Outdated, Refused
from kulanz.domain.campaigns.campaign import CampaignId, Cursor
from kulanz.domain.delivery.answer_pass import AnswerFile, AnswerReceipt
from kulanz.domain.delivery.credit import Size
from kulanz.domain.delivery.moved import MovedSums


class DynamoAnswers:
    """The answer files."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def open(self, file: AnswerFile) -> AnswerFile:
        with suppress(Outdated):  # it was opened before: what stands there counts
            opened = self._put(items.open_answers_key(file.channel, file.id) | {"since": {"S": placed(file.opened_at)}})
            listed = self._put(items.listed_item(file))
            write_together(self._client, [self._put_new(items.file_item(file)), listed, opened])
        standing = self.file(file.channel, file.id)
        if standing is None:
            raise Refused("an answer file is not there after it was opened")
        return standing

    def file(self, channel: str, file_id: str) -> AnswerFile | None:
        found = self._get(items.file_key(channel, file_id))
        return None if found is None else items.read_file(channel, file_id, found)

    def files(self, channel: str) -> Iterator[AnswerFile]:
        for item in query(self._client.query, self._table, items.channel_partition(channel), "20"):
            found = self.file(channel, items.file_of_listed(item))
            if found is not None:
                yield found

    def cursor(self, file: AnswerFile, chunk: int) -> Cursor | None:
        found = self._get(items.cursor_key(file.channel, file.id, chunk))
        return None if found is None else read_cursor(found)

    def record(self, receipt: AnswerReceipt) -> bool:
        key = items.file_key(receipt.channel, receipt.file)
        actions = [
            self._put_new(items.receipt_item(receipt)),
            self._move_cursor(receipt),
            self._add(key, items.file_additions(receipt), "attribute_exists(pk)"),
        ]
        for campaign_id in sorted(receipt.totals.campaigns, key=str):
            additions = moved_additions(receipt.totals, campaign_id)
            if additions:
                actions.append(self._add(items.billed_key(campaign_id, receipt.channel), additions))
        actions += [self._add(key, additions) for key, additions in due_additions(receipt.totals.dues)]
        try:
            write_together(self._client, actions)
        except Outdated:
            standing = self._get(items.receipt_key(receipt))
            return standing is not None and self._read(receipt.channel, receipt.file, standing) == receipt
        return True

    def receipts(self, file: AnswerFile) -> Iterator[AnswerReceipt]:
        partition = items.file_partition(file.channel, file.id)
        for item in query(self._client.query, self._table, partition, items.RECEIPT_PREFIX):
            yield self._read(file.channel, file.id, item)

    def _read(self, channel: str, file_id: str, item: Item) -> AnswerReceipt:
        return items.read_receipt(channel, file_id, item)

    def open_files(self) -> list[tuple[str, str]]:
        found = query(self._client.query, self._table, OPEN_PARTITION, "ANSWERS#")
        named = (item["sk"]["S"].split("#") for item in found)
        return [(channel, file_id) for _, channel, file_id in named]

    def finished_chunks(self, file: AnswerFile) -> set[int]:
        partition = items.file_partition(file.channel, file.id)
        found = query(self._client.query, self._table, partition, "CURSOR#")
        return {chunk_of_cursor(item) for item in found if read_cursor(item).finished}

    def note_seen(self, file: AnswerFile) -> None:
        write_until_alone(
            "UpdateItem",
            self._client.update_item,
            TableName=self._table,
            Key=items.file_key(file.channel, file.id),
            UpdateExpression="SET seen = :seen",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeValues={":seen": {"N": str(file.bytes_done)}},
        )

    def close(self, file: AnswerFile) -> None:
        """In a transaction, because functions may delete in one alone."""
        delete = {"TableName": self._table, "Key": items.open_answers_key(file.channel, file.id)}
        write_together(self._client, [{"Delete": delete}])

    def billed(self, campaign_id: CampaignId, channel: str) -> MovedSums:
        found = self._get(items.billed_key(campaign_id, channel))
        return {} if found is None else read_moved(campaign_id, found)

    def _move_cursor(self, receipt: AnswerReceipt) -> Item:
        values: Item = {":end": {"N": str(receipt.end)}, ":finished": {"BOOL": receipt.finishes_chunk}}
        condition = "attribute_not_exists(pk)"
        if receipt.moved_from is not None:
            condition = "#position = :moved_from AND finished = :no"
            values |= {":moved_from": {"N": str(receipt.moved_from)}, ":no": {"BOOL": False}}
        return {
            "Update": {
                "TableName": self._table,
                "Key": items.cursor_key(receipt.channel, receipt.file, receipt.chunk),
                "UpdateExpression": "SET #position = :end, finished = :finished",
                "ConditionExpression": condition,
                "ExpressionAttributeNames": {"#position": "position"},
                "ExpressionAttributeValues": values,
            }
        }

    def _add(self, key: Item, additions: Mapping[str, Size], condition: str = "") -> Item:
        names = {f"#a{number}": name for number, name in enumerate(additions)}
        added = ", ".join(f"#a{number} :a{number}" for number in range(len(additions)))
        update: Item = {
            "TableName": self._table,
            "Key": key,
            "UpdateExpression": f"ADD {added}",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {
                f":a{number}": {"N": str(value)} for number, value in enumerate(additions.values())
            },
        }
        return {"Update": update | ({"ConditionExpression": condition} if condition else {})}

    def _put_new(self, item: Item) -> Item:
        return {"Put": {"TableName": self._table, "Item": item, "ConditionExpression": "attribute_not_exists(pk)"}}

    def _put(self, item: Item) -> Item:
        return {"Put": {"TableName": self._table, "Item": item}}

    def _get(self, key: Item) -> Item | None:
        answer = call("GetItem", self._client.get_item, TableName=self._table, Key=key, ConsistentRead=True)
        found: Item | None = answer.get("Item")
        return found
