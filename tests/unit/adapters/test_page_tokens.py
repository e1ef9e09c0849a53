"""Whoever goes on where a page ended sees everything once, also where DynamoDB answers fewer than it was asked for.

A page may be short, or empty, and still not be the last: only its key says so.
"""

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from kulanz.adapters.case_table import DynamoCases
from kulanz.adapters.drafts_table import DynamoDrafts
from kulanz.application.drafts.draft_ports import Upstream
from kulanz.domain.drafts.reported import Part, Reported
from tests.support.values import NOW
from tests.unit.adapters.test_conditions_of_writes import PROPOSED

MANY = 5


class Short:
    """A table that answers as many places as it is asked for, and leaves out of them what was hidden."""

    def __init__(self) -> None:
        self._items: dict[tuple[str, str], dict[str, Any]] = {}
        self.hidden: set[str] = set()

    def put_item(self, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803
        """An item."""
        self._items[Item["pk"]["S"], Item["sk"]["S"]] = Item

    def transact_write_items(self, TransactItems: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803
        """What a transaction puts."""
        for one in TransactItems:
            if "Put" in one:
                self.put_item(one["Put"]["Item"])

    def get_item(self, Key: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        """What stands there."""
        found = self._items.get((Key["pk"]["S"], Key["sk"]["S"]))
        return {} if found is None else {"Item": found}

    def places(self, partition: str, prefix: str = "") -> list[str]:
        """The sort keys of a partition, in their order."""
        return sorted(place for of, place in self._items if of == partition and place.startswith(prefix))

    def query(self, **asked: Any) -> dict[str, Any]:
        """The next places of a partition."""
        most, begin = asked["Limit"], asked.get("ExclusiveStartKey")
        values = {name: value["S"] for name, value in asked["ExpressionAttributeValues"].items()}
        places = self.places(values[":pk"], values.get(":prefix", ""))
        if begin is not None:
            assert begin["pk"]["S"] == values[":pk"]
            places = places[places.index(begin["sk"]["S"]) + 1 :]
        shown = [self._items[values[":pk"], place] for place in places[:most] if place not in self.hidden]
        more = {"pk": {"S": values[":pk"]}, "sk": {"S": places[most - 1]}} if len(places) > most else None
        return {"Items": shown, **({} if more is None else {"LastEvaluatedKey": more})}


def _proposals(table: Short) -> tuple[str, str, Callable[[str, int], tuple[Any, str]]]:
    store = DynamoCases(table, "credits", "campaigns")
    for number in range(MANY):
        store.propose(replace(PROPOSED, key=replace(PROPOSED.key, account_id=f"A-{number}")), None)
    return "OPEN", "CASE#", store.proposals


def _received(table: Short) -> tuple[str, str, Callable[[str, int], tuple[Any, str]]]:
    store = DynamoDrafts(table, "campaigns")
    for number in range(MANY):
        store.keep(Upstream("page", f"up#{number}"), Part("own", "key", "order", Reported()), NOW)

    def page(after: str, most: int) -> tuple[Any, str]:
        found = store.in_month("2026-03", after, most)
        return found.found, found.after

    return "DRAFTS#2026-03", "INCIDENT#", page


@pytest.mark.parametrize("made", [_proposals, _received])
@pytest.mark.parametrize("most", range(1, MANY + 2))
def test_all_pages_together_have_everything_once_in_its_order(made: Any, most: int) -> None:
    for are_hidden in product((False, True), repeat=MANY):
        table = Short()
        partition, prefix, read = made(table)
        places = table.places(partition, prefix)
        table.hidden = {place for place, is_hidden in zip(places, are_hidden, strict=True) if is_hidden}
        found: list[Any] = []
        after, pages = "", 0
        while True:
            page, after = read(after, most)
            found += page
            pages += 1
            if not after:
                break
        whole, _ = read("", MANY + 1)
        assert found == list(whole)
        assert len(found) == MANY - len(table.hidden)
        assert pages == max(1, -(-MANY // most))
