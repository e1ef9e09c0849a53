"""Lets moto take a failed transaction back by the items that it names, not by copies of whole tables.

Before a transaction moto copies its tables with everything in them, once for each item that the transaction names. That
was half of the processor time of all contracts on moto. `tests/contract/test_moto_transactions.py` holds that a caller
sees no difference, and notices when moto no longer does it.
"""

import copy
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType, Item
from moto.dynamodb.models.table import Table

type Named = tuple[Table, DynamoType, DynamoType | None, Item | None]
"""An item that a transaction names: its table, its key of one or two parts, and the item itself as it was."""

_original = DynamoDBBackend.transact_write_items


def the_table_itself(table: Table, _: dict[int, Any]) -> Table:
    """What moto gets for the copy of a table that it makes: putting it back changes nothing."""
    return table


def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """Do what moto does; where it fails, put back the items that are named, and drop what the streams were told."""
    before = [_named(backend, asked) for one in transact_items for asked in one.values()]
    known = [one for one in before if one is not None]
    shards = {id(shard): (shard, len(shard.items)) for table, *_ in known if (shard := table.stream_shard) is not None}
    try:
        _original(backend, transact_items)
    except BaseException:
        for table, pk, sk, item in known:
            place: dict[DynamoType, Any] = table.items if sk is None else table.items[pk]
            name = pk if sk is None else sk
            if item is None:
                place.pop(name, None)
            else:
                place[name] = item
        for shard, length in shards.values():
            del shard.items[length:]
        raise


def _named(backend: DynamoDBBackend, asked: dict[str, Any]) -> Named | None:
    table = backend.tables.get(asked.get("TableName", ""))
    key = asked.get("Key", asked.get("Item"))
    if table is None or key is None:
        return None
    pk = DynamoType(key[table.hash_key_attr])
    sk = None if table.range_key_attr is None else DynamoType(key[table.range_key_attr])
    return table, pk, sk, copy.deepcopy(table.get_item(pk, sk))
