"""An item of the ledger fits one write unit, 1 KB, for every policy of the rulebook and the longest legal names.

Sizes are computed as DynamoDB's documentation gives them, because no stand-in counts them: a name and a text by their
UTF-8 bytes, a number by a byte for two digits and one more, a list by three bytes and one for each element.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kulanz.adapters.ledger_table import entry_item
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.identifiers import IDENTIFIER_LENGTH_CHARACTERS
from kulanz.domain.incident import Incident
from kulanz.domain.ledger.decider import prepare
from kulanz.domain.ledger.entries import ITEM_BYTES, DecisionKey, Lifetime, new_entry
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactValue
from kulanz.domain.money import MAX_MINOR_UNITS
from kulanz.domain.policy import CompiledPolicy, PolicyError, compile_policy, freeze, policy_hash
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.time import Window
from tests.support.values import campaign

POLICIES = Path(__file__).parents[3] / "policies"
SAMPLES = 300
LONGEST = IDENTIFIER_LENGTH_CHARACTERS
INCIDENT_STARTS = [
    datetime(year, month, 6, 4, 30, tzinfo=UTC)
    for year, month in ((2024, 2), (2018, 12), (2023, 11), (2011, 4), (2026, 1))
]
"""Some policies are about a date; one of these lies near each of them."""


def number_bytes(text: str) -> int:
    digits = text.lstrip("-").replace(".", "").strip("0")
    return (len(digits) + 1) // 2 + 1 + text.startswith("-")


def value_bytes(value: dict[str, Any]) -> int:
    match value:
        case {"S": text}:
            return len(text.encode())
        case {"N": text}:
            return number_bytes(text)
        case {"NULL": _}:
            return 1
        case {"L": items}:
            return 3 + sum(1 + value_bytes(item) for item in items)
        case other:
            raise AssertionError(other)


def item_bytes(item: dict[str, Any]) -> int:
    return sum(len(name.encode()) + value_bytes(value) for name, value in item.items())


def test_sizes_are_those_of_the_documentation() -> None:
    item = {"pk": {"S": "ä"}, "n": {"N": "1234"}, "l": {"L": [{"NULL": True}, {"N": "-1.5"}]}}

    assert item_bytes(item) == (2 + 2) + (1 + 3) + (1 + 3 + (1 + 1) + (1 + 3))


def _fact(fact: FactDeclaration, start: datetime, choose: random.Random) -> FactValue | None:
    at = start + timedelta(hours=choose.choice([-1_000, -5, 0, 5, 100, 5_000]))
    values: dict[str, list[FactValue]] = {
        "yes_no": [True, True, False],
        "text": [*(fact.choices or ("de", "en", "x" * 40))],
        "money": [0, 1_999, MAX_MINOR_UNITS],
        "number": [0, 1, 3, 12, 100],
        "instant": [at],
        "day": [at.date()],
        "zone": ["America/Argentina/ComodRivadavia"],
        "list": [("first", "second")],
    }
    return choose.choice(values[fact.type])


def _compiled(path: Path) -> tuple[CompiledPolicy, str, datetime]:
    frozen = freeze(load_policy(path))
    for start in INCIDENT_STARTS:
        incident = Incident(
            "i" * LONGEST, 1, "t", "s", ("voice",), (Window(start, start + timedelta(hours=30)),), "power"
        )
        try:
            return compile_policy(frozen, incident, start + timedelta(days=3)), policy_hash(frozen), start
        except PolicyError:
            continue
    raise AssertionError(f"{path} fits none of the incidents")


def _items(path: Path) -> Iterator[dict[str, Any]]:
    policy, frozen_hash, start = _compiled(path)
    place = replace(campaign(CampaignId("i" * LONGEST, 999)), policy_hash=frozen_hash)
    key = DecisionKey("a" * LONGEST, "i" * LONGEST, "u" * LONGEST, 999)
    written = start + timedelta(days=3, microseconds=123_456)
    choose = random.Random(1)
    for _ in range(SAMPLES):
        decision = policy.decide([_fact(fact, start, choose) for fact in policy.facts])
        earlier = {"EUR": str(MAX_MINOR_UNITS), "call_minute": "12345.5"}
        body = prepare(place, decision, "", earlier=earlier).body("f" * 32)
        lifetime = Lifetime.of(decision, written, start + timedelta(days=10_000))
        yield entry_item(new_entry(key, 10**13 + 1, body, decision, lifetime))


@pytest.mark.parametrize(
    "path", sorted(POLICIES.glob("*/[0-9]*.yaml")), ids=lambda path: f"{path.parent.name}/{path.stem}"
)
def test_an_item_of_any_policy_with_the_longest_names_fits_one_write_unit(path: Path) -> None:
    assert max(item_bytes(item) for item in _items(path)) <= ITEM_BYTES


def test_the_rulebook_is_there() -> None:
    assert len(list(POLICIES.glob("*/[0-9]*.yaml"))) >= 2
