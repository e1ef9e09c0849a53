"""What is due and not on bills, by key: read by the watch, the list of the overdue and the month's report."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from kulanz.adapters import due_items as items
from kulanz.adapters.aws import query
from kulanz.adapters.transactions import write_together
from kulanz.application.ports import Outdated
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.money import Size


class DynamoDues:
    """The deadlines."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def before(self, instant: datetime) -> Iterator[tuple[DueOf, tuple[int, Size]]]:
        last = items.month_of(instant)
        for item in query(self._client.query, self._table, items.DUES_PARTITION, "20"):
            if item["sk"]["S"].partition("#")[0] > last:
                return
            yield from (one for one in items.read_dues(item) if one[0].due < instant)

    def forget_what_is_done(self, instant: datetime) -> None:
        last = items.month_of(instant)
        for item in query(self._client.query, self._table, items.DUES_PARTITION, "20"):
            if item["sk"]["S"].partition("#")[0] >= last:
                return
            if not any(True for _ in items.read_dues(item)):
                self._forget(item)

    def _forget(self, item: dict[str, Any]) -> None:
        """Delete an item that has come to nothing, unless it has moved since."""
        names = sorted(name for name in item if name.startswith("due|"))
        condition = " AND ".join(f"#a{number} = :a{number}" for number in range(len(names)))
        delete: dict[str, Any] = {
            "TableName": self._table,
            "Key": {name: item[name] for name in ("pk", "sk")},
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {f"#a{number}": name for number, name in enumerate(names)},
            "ExpressionAttributeValues": {f":a{number}": item[name] for number, name in enumerate(names)},
        }
        with suppress(Outdated):
            write_together(self._client, [{"Delete": delete}])
