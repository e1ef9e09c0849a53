"""What every kind of receipt does in its transaction: it stands once, moves its chunk's cursor and adds to its record.

Receipts of campaigns, deliveries, answer files, voids and exports differ in their keys and sums, not in this.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from kulanz.adapters.campaign_keys import Item, chunk_of_cursor
from kulanz.adapters.receipt_items import read_cursor
from kulanz.domain.money import Size

NEW = "attribute_not_exists(pk)"
STANDING = "attribute_exists(pk)"


class MovesCursor(Protocol):
    """A receipt of a range of a chunk: how far it came, and from where, in bytes of the file."""

    @property
    def end(self) -> int: ...
    @property
    def moved_from(self) -> int | None: ...
    @property
    def finishes_chunk(self) -> bool: ...


def put_action(table: str, item: Item, condition: str = "") -> Item:
    """A put in a transaction. Without a condition it follows from the rest of the transaction."""
    conditional = {"ConditionExpression": condition} if condition else {}
    return {"Put": {"TableName": table, "Item": item, **conditional}}


def add_action(table: str, key: Item, additions: Mapping[str, Size], condition: str = "") -> Item:
    """Numbers that are added to the attributes of an item, in a transaction."""
    update: dict[str, Any] = {
        "TableName": table,
        "Key": key,
        "UpdateExpression": "ADD " + ", ".join(f"#a{n} :a{n}" for n in range(len(additions))),
        "ExpressionAttributeNames": {f"#a{n}": name for n, name in enumerate(additions)},
        "ExpressionAttributeValues": {f":a{n}": {"N": str(size)} for n, size in enumerate(additions.values())},
    }
    return {"Update": update | ({"ConditionExpression": condition} if condition else {})}


def move_cursor_action(table: str, key: Item, receipt: MovesCursor) -> Item:
    """The cursor of a chunk moves to a receipt's end, only from where the receipt began and only until it finished."""
    values: Item = {":end": {"N": str(receipt.end)}, ":finished": {"BOOL": receipt.finishes_chunk}}
    condition = NEW
    if receipt.moved_from is not None:
        condition = "#position = :moved_from AND finished = :no"
        values |= {":moved_from": {"N": str(receipt.moved_from)}, ":no": {"BOOL": False}}
    return {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET #position = :end, finished = :finished",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#position": "position"},
            "ExpressionAttributeValues": values,
        }
    }


def finished_of(cursors: Iterable[Item]) -> set[int]:
    """The chunks that are finished, of the items of cursors."""
    return {chunk_of_cursor(item) for item in cursors if read_cursor(item).finished}
