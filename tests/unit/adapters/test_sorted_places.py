"""What is listed by an instant is listed in the order of instants, in whatever zone and fraction they are stated.

Texts are what DynamoDB sorts: 10:00:00.5 comes behind 10:00:00, and a winter hour of Berlin before one of New York.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kulanz.adapters import answer_items
from kulanz.adapters import index_items as index
from kulanz.adapters.answer_table import DynamoAnswers
from kulanz.adapters.drafts_table import DynamoDrafts
from kulanz.adapters.due_items import due_additions
from kulanz.adapters.due_table import DynamoDues
from kulanz.domain.audit import About, AuditEntry
from kulanz.domain.delivery.dues import DueOf, Dues
from kulanz.domain.drafts.reported import Change, Degree, Part, Reported, Stamp
from kulanz.domain.ledger.additions import Addition, AdditionKind
from tests.support.values import NOW, campaign, entry
from tests.unit.adapters.test_conditions_of_writes import ID
from tests.unit.adapters.test_items_read_back import ANSWERS


def _changed(at: datetime) -> dict[str, Any]:
    kept: list[dict[str, Any]] = []
    client: Any = SimpleNamespace(put_item=lambda Item, **_: kept.append(Item))  # noqa: N803
    utc = at.astimezone(UTC)  # as a delivery's instants are read
    told = Reported(changes=(Change("c-1", Stamp(utc, ""), Degree.MAJOR),))
    DynamoDrafts(client, "t").keep_change("page", Part("", "key", "order", told), NOW)
    return kept[0]


PLACED: dict[str, Callable[[datetime], dict[str, Any]]] = {
    "an answer file": lambda at: answer_items.listed_item(replace(ANSWERS, opened_at=at)),
    "an addition": lambda at: index.addition_item(Addition(AdditionKind.GOODWILL, entry("A-1").key, at, "anna")),
    "an action": lambda at: index.audit_items(AuditEntry(at, "anna", "did", About.CAMPAIGN, "i/1", "1", "", "c"))[0],
    "a campaign of a policy": lambda at: index.campaign_index_items(replace(campaign(), decided_at=at))[1],
    "an incident": lambda at: index.incident_index_item("out", at),
    "a change of a component": _changed,
}

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata")
SECONDS = [
    datetime(2000, 1, 1, tzinfo=UTC),
    datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
    datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC),
    datetime(2099, 12, 30, tzinfo=UTC),
]  # fmt: skip
INSTANTS = [
    (second + timedelta(microseconds=micro)).astimezone(ZoneInfo(ZONES[number % len(ZONES)]))
    for number, (second, micro) in enumerate(product(SECONDS, (0, 1, 10, 100_000, 500_000, 999_999)))
]
"""From the first to the last, each in the next zone; among them an hour that a clock shows twice, and one it skips."""


@pytest.mark.parametrize("name", PLACED)
def test_places_of_what_is_listed_sort_as_its_instants_do(name: str) -> None:
    places = [PLACED[name](at)["sk"]["S"] for at in INSTANTS]
    assert places == sorted(set(places))


class Range:
    """A table of which a query answers what lies between its two places, in their order."""

    def __init__(self, *items: dict[str, Any]) -> None:
        self._items = sorted(items, key=lambda item: str(item["sk"]["S"]))

    def query(self, **asked: Any) -> dict[str, Any]:
        """What a partition has."""
        partition, first, last = (asked["ExpressionAttributeValues"][name]["S"] for name in (":pk", ":first", ":last"))
        return {
            "Items": [one for one in self._items if one["pk"]["S"] == partition and first <= one["sk"]["S"] <= last]
        }

    def get_item(self, Key: dict[str, Any], **_: Any) -> dict[str, Any]:  # noqa: N803
        """What stands under a key."""
        return next(({"Item": one} for one in self._items if all(one[name] == Key[name] for name in Key)), {})


YEARS = [datetime(year, 1, 1, tzinfo=UTC) for year in range(2000, 2100, 9)]


def test_files_and_deadlines_of_a_whole_century_are_read() -> None:
    files = [replace(ANSWERS, id=f"f-{99 - number}", opened_at=at) for number, at in enumerate(YEARS)]
    table = Range(*map(answer_items.file_item, files), *map(answer_items.listed_item, files))
    assert list(DynamoAnswers(table, "t").files(ANSWERS.channel)) == files
    dues: Dues = {DueOf(ID, at, "EUR"): (number, 10 * number) for number, at in enumerate(YEARS, 1)}
    items = [key | {name: {"N": str(size)} for name, size in added.items()} for key, added in due_additions(dues)]
    assert dict(DynamoDues(Range(*items), "t").before(YEARS[-1] + timedelta(days=1))) == dues
