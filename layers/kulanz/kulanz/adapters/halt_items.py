"""How the halt is laid out in CampaignsTable: its record, and each change of it, which is never overwritten."""

import json
from typing import Any

from kulanz.adapters.campaign_keys import Item, item_key
from kulanz.domain.canonical import canonical_json
from kulanz.domain.halt import Halt, HaltAction, Verb
from kulanz.domain.time import format_instant, parse_instant

HALT_PARTITION = "HALT"


def halt_key() -> Item:
    """The key of the halt's record."""
    return item_key(HALT_PARTITION, "HALT")


def halt_item(halt: Halt) -> Item:
    """The halt's record as an item; `is_on` stands apart, as what others' writes are conditional on."""
    content = {
        "number": halt.number,
        "set": None if halt.set is None else _content(halt.set),
        "lifts": [_content(lift) for lift in halt.lifts],
    }
    return halt_key() | {
        "version": {"N": str(halt.version)},
        "is_on": {"BOOL": halt.is_on},
        "halt": {"S": canonical_json(content)},
    }


def read_halt(item: Item) -> Halt:
    """The halt back from its item."""
    content = json.loads(item["halt"]["S"])
    return Halt(
        version=int(item["version"]["N"]),
        number=content["number"],
        set=None if content["set"] is None else _read(content["set"]),
        lifts=tuple(map(_read, content["lifts"])),
    )


def change_item(halt: Halt, action: HaltAction) -> Item:
    """A change of the halt as an item; `halt` is what it led to."""
    place = item_key(HALT_PARTITION, f"CHANGE#{halt.version:09d}")
    return place | {"action": {"S": canonical_json(_content(action))}, "is_on": {"BOOL": halt.is_on}}


def not_halted(table: str) -> dict[str, Any]:
    """The condition of a transaction that it is not on."""
    return {
        "ConditionCheck": {
            "TableName": table,
            "Key": halt_key(),
            "ConditionExpression": "attribute_not_exists(pk) OR is_on = :off",
            "ExpressionAttributeValues": {":off": {"BOOL": False}},
        }
    }


def _content(action: HaltAction) -> dict[str, Any]:
    return {
        "id": action.id,
        "verb": action.verb.value,
        "person": action.person,
        "reason": action.reason,
        "at": format_instant(action.at),
    }


def _read(content: dict[str, Any]) -> HaltAction:
    at = parse_instant(content["at"])
    return HaltAction(content["id"], Verb(content["verb"]), content["person"], content["reason"], at)
