"""Answer files in CampaignsTable: opened once, and moved on by their receipts alone."""

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

from kulanz.adapters import answer_items as items
from kulanz.adapters.aws import item_of, query
from kulanz.adapters.budget_items import regain_actions
from kulanz.adapters.campaign_keys import Item
from kulanz.adapters.due_items import due_additions
from kulanz.adapters.index_items import OPEN_PARTITION, placed
from kulanz.adapters.moved_items import moved_additions, read_moved
from kulanz.adapters.receipt_actions import NEW, STANDING, add_action, finished_of, move_cursor_action, put_action
from kulanz.adapters.receipt_items import read_cursor
from kulanz.adapters.transactions import write_together, write_until_alone
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, Outdated, Refused, TryAgain
from kulanz.domain.campaigns.campaign import CampaignId, Cursor
from kulanz.domain.delivery.answer_pass import AnswerFile, AnswerReceipt
from kulanz.domain.delivery.moved import MovedSums, with_codes


class DynamoAnswers:
    """The answer files."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def open(self, file: AnswerFile) -> AnswerFile:
        with suppress(Outdated):  # it was opened before: what stands there counts
            opened = put_action(
                self._table, items.open_answers_key(file.channel, file.id) | {"since": {"S": placed(file.opened_at)}}
            )
            listed = put_action(self._table, items.listed_item(file))
            write_together(self._client, [put_action(self._table, items.file_item(file), NEW), listed, opened])
        standing = self.file(file.channel, file.id)
        if standing is None:
            raise Refused("an answer file is not there after it was opened")
        return standing

    def file(self, channel: str, file_id: str) -> AnswerFile | None:
        found = item_of(self._client, self._table, items.file_key(channel, file_id))
        return None if found is None else items.read_file(channel, file_id, found)

    def files(self, channel: str) -> Iterator[AnswerFile]:
        for item in query(self._client.query, self._table, items.channel_partition(channel), "20"):
            found = self.file(channel, items.file_of_listed(item))
            if found is not None:
                yield found

    def cursor(self, file: AnswerFile, chunk: int) -> Cursor | None:
        found = item_of(self._client, self._table, items.cursor_key(file.channel, file.id, chunk))
        return None if found is None else read_cursor(found)

    def record(self, receipt: AnswerReceipt) -> bool:
        key = items.file_key(receipt.channel, receipt.file)
        actions = [
            put_action(self._table, items.receipt_item(receipt), NEW),
            move_cursor_action(self._table, items.cursor_key(receipt.channel, receipt.file, receipt.chunk), receipt),
            add_action(self._table, key, items.file_additions(receipt), STANDING),
        ]
        for campaign_id in sorted(receipt.totals.campaigns, key=str):
            additions = moved_additions(receipt.totals, campaign_id, receipt.channel)
            if additions:
                actions.append(add_action(self._table, items.billed_key(campaign_id, receipt.channel), additions))
        actions += [add_action(self._table, key, additions) for key, additions in due_additions(receipt.totals.dues)]
        actions += regain_actions(self._table, receipt.regained)
        try:
            write_together(self._client, actions)
        except Outdated:
            standing = item_of(self._client, self._table, items.receipt_key(receipt))
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
        return finished_of(found)

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
        found = item_of(self._client, self._table, items.billed_key(campaign_id, channel))
        return {} if found is None else read_moved(campaign_id, found, channel)

    def codes(self, campaign_id: CampaignId, channel: str, new: Collection[str] = ()) -> frozenset[str]:
        key = items.billed_key(campaign_id, channel)
        for _ in range(ATTEMPTS_AGAINST_OTHERS):
            found = item_of(self._client, self._table, key)
            before = items.read_codes(found)
            after = with_codes(before, new)
            if after == before:
                return frozenset(before)
            with suppress(Outdated):  # another worker was first, or our own answer was lost: what stands there counts
                write_together(self._client, [items.codes_action(self._table, key, before, after)])
                return frozenset(after)
        raise TryAgain("the codes of a campaign's rejected credits keep changing")
