"""How budgets and what is reserved of them are laid out in CampaignsTable.

| pk | sk | content |
|---|---|---|
| `BUDGETS` | `<month>#<currency>` | limit (where one is set), reserved, spent, voided |
| `BUDGETS` | `SET#<month>#<currency>#<id>` | an administrator's setting, which is never overwritten |
| campaign | `RESERVATION#<currency>` | what its execution may still cost |
| campaign | `STATED` | what persons stated of one that cannot be counted; a settled one is never overwritten |
| `RESERVED` | campaign | what is not settled, or is kept for open offers; deleted when nothing of it can change |

All budgets are one partition, so that those of a month, or of all months, are one query. An acceptance writes one item
of it, and a partition takes a thousand writes a second (DynamoDB).
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from kulanz.adapters.campaign_keys import Item, campaign_partition, item_key
from kulanz.domain.budgets import Budget, BudgetStep, Counted, Draw, LimitSet, Needed, Regained, Reservation
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.canonical import canonical_json
from kulanz.domain.gate.stated import Stated
from kulanz.domain.time import format_instant, parse_instant

BUDGETS = "BUDGETS"
SET_PREFIX = "SET#"
BEHIND_EVERY_MONTH = "A"
"""Months are digits, and settings begin with a letter."""
RESERVATION_PREFIX = "RESERVATION#"
RESERVED = "RESERVED"
STATED = "STATED"
_NAMES = {"#reserved": "reserved", "#spent": "spent", "#version": "version"}

type Action = dict[str, Any]


def budget_key(currency: str, month: str) -> Item:
    """The key of a month's budget."""
    return item_key(BUDGETS, f"{month}#{currency}")


def read_budget(item: Item) -> Budget:
    """A budget back from its item. One that was only drawn on has no limit."""
    month, _, currency = item["sk"]["S"].partition("#")
    return Budget(
        currency,
        month,
        int(item["limit"]["N"]) if "limit" in item else None,
        _number(item, "reserved"),
        _number(item, "spent"),
        _number(item, "version"),
        _number(item, "voided"),
    )


def _number(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def reservation_key(campaign_id: CampaignId, currency: str) -> Item:
    """The key of what a campaign reserved in a currency."""
    return item_key(campaign_partition(campaign_id), f"{RESERVATION_PREFIX}{currency}")


def reservation_item(made: Reservation) -> Item:
    """A reservation as an item."""
    item = reservation_key(CampaignId.parse(made.campaign), made.currency) | {
        "campaign": {"S": made.campaign},
        "month": {"S": made.month},
        "granting": {"N": str(made.granting)},
        "claimable": {"N": str(made.claimable)},
        "at_most": {"N": str(made.at_most)},
        "drawn": {"N": str(made.drawn)},
        "is_settled": {"BOOL": made.is_settled},
        "is_over": {"BOOL": made.is_over},
        "version": {"N": str(made.version)},
    }
    if made.claims_until is not None:
        item["claims_until"] = {"S": format_instant(made.claims_until)}
    return item


def read_reservation(item: Item) -> Reservation:
    """A reservation back from its item."""
    until = item.get("claims_until")
    return Reservation(
        campaign=item["campaign"]["S"],
        currency=item["sk"]["S"].removeprefix(RESERVATION_PREFIX),
        month=item["month"]["S"],
        granting=_number(item, "granting"),
        claimable=_number(item, "claimable"),
        at_most=_number(item, "at_most"),
        drawn=_number(item, "drawn"),
        is_settled=item["is_settled"]["BOOL"],
        is_over=item["is_over"]["BOOL"],
        claims_until=None if until is None else parse_instant(until["S"]),
        version=_number(item, "version"),
    )


def reserved_key(campaign_id: CampaignId) -> Item:
    """The key of what says that something of a campaign's reservations can still change."""
    return item_key(RESERVED, campaign_partition(campaign_id))


def step_actions(table: str, step: BudgetStep) -> list[Action]:
    """The writes of a step, each on the condition that its item is as it was read."""
    actions = [_budget_moved(table, before, after) for before, after in step.budgets]
    actions += [_reservation_moved(table, before, after) for before, after in step.reservations]
    made = {one.campaign for one in step.made()}
    return actions + [
        {"Put": {"TableName": table, "Item": reserved_key(CampaignId.parse(one))}} for one in sorted(made)
    ]


def _budget_moved(table: str, before: Budget, after: Budget) -> Action:
    """The limit stays as it is: only an administrator sets it."""
    values = {
        ":reserved": {"N": str(after.reserved)},
        ":spent": {"N": str(after.spent)},
        ":version": {"N": str(after.version)},
    }
    condition = "attribute_not_exists(pk)"
    if before.version:
        condition = "#version = :before"
        values[":before"] = {"N": str(before.version)}
    return {
        "Update": {
            "TableName": table,
            "Key": budget_key(after.currency, after.month),
            "UpdateExpression": "SET #reserved = :reserved, #spent = :spent, #version = :version",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": values,
        }
    }


def _reservation_moved(table: str, before: Reservation | None, after: Reservation) -> Action:
    put: Action = {"TableName": table, "Item": reservation_item(after)}
    if before is None:
        return {"Put": put | {"ConditionExpression": "attribute_not_exists(pk)"}}
    condition = {
        "ConditionExpression": "#version = :before",
        "ExpressionAttributeNames": {"#version": "version"},
        "ExpressionAttributeValues": {":before": {"N": str(before.version)}},
    }
    return {"Put": put | condition}


def draw_actions(table: str, draws: tuple[Draw, ...]) -> list[Action]:
    """What acceptances write of budgets: sums that any number of them add to, in any order."""
    return [action for draw in draws for action in _draw(table, draw)]


def _draw(table: str, draw: Draw) -> list[Action]:
    amount, less, one = ({"N": str(number)} for number in (draw.amount, -draw.amount, 1))
    told, values = "ADD #spent :amount, #version :one", {":amount": amount, ":one": one}
    names = {"#spent": "spent", "#version": "version"}
    if draw.campaign:
        told, values, names = f"{told}, #reserved :less", values | {":less": less}, _NAMES
    spent = {
        "Update": {
            "TableName": table,
            "Key": budget_key(draw.currency, draw.month),
            "UpdateExpression": told,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
    }
    if not draw.campaign:
        return [spent]
    drawn = {
        "Update": {
            "TableName": table,
            "Key": reservation_key(CampaignId.parse(draw.campaign), draw.currency),
            "UpdateExpression": "ADD #claimable :less, #drawn :amount, #version :one",
            "ConditionExpression": "#claimable >= :amount",
            "ExpressionAttributeNames": {"#claimable": "claimable", "#drawn": "drawn", "#version": "version"},
            "ExpressionAttributeValues": {":less": less, ":amount": amount, ":one": one},
        }
    }
    return [spent, drawn]


def limit_changed(limit: int | None) -> Item:
    """What sets a budget's limit; or removes it, on the condition that nothing is reserved."""
    names, one = {"#limit": "limit", "#version": "version"}, {":one": {"N": "1"}}
    if limit is not None:
        return {
            "UpdateExpression": "SET #limit = :limit ADD #version :one",
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {**one, ":limit": {"N": str(limit)}},
        }
    return {
        "UpdateExpression": "REMOVE #limit ADD #version :one",
        "ConditionExpression": "attribute_not_exists(#reserved) OR #reserved = :nothing",
        "ExpressionAttributeNames": {**names, "#reserved": "reserved"},
        "ExpressionAttributeValues": {**one, ":nothing": {"N": "0"}},
    }


def regain_actions(table: str, regained: Sequence[Regained]) -> list[Action]:
    """What a void that ends adds to the budgets of its month."""
    return [
        {
            "Update": {
                "TableName": table,
                "Key": budget_key(one.currency, one.month),
                "UpdateExpression": "ADD #voided :amount, #version :one",
                "ExpressionAttributeNames": {"#voided": "voided", "#version": "version"},
                "ExpressionAttributeValues": {":amount": {"N": str(one.amount)}, ":one": {"N": "1"}},
            }
        }
        for one in regained
    ]


def stated_key(campaign_id: CampaignId) -> Item:
    """The key of what persons stated of a campaign."""
    return item_key(campaign_partition(campaign_id), STATED)


def stated_item(campaign_id: CampaignId, stated: Stated) -> Item:
    """What was stated, as an item."""
    return stated_key(campaign_id) | {
        "id": {"S": stated.id},
        "amounts": {"S": canonical_json(_sums_content(stated.amounts))},
        "person": {"S": stated.person},
        "reason": {"S": stated.reason},
        "at": {"S": format_instant(stated.at)},
        "second": {"S": stated.second},
        "second_id": {"S": stated.second_id},
        "is_settled": {"BOOL": stated.is_settled},
    }


def read_stated(item: Item) -> Stated:
    """What was stated, back from its item."""
    return Stated(
        id=item["id"]["S"],
        amounts=_read_sums(json.loads(item["amounts"]["S"])),
        person=item["person"]["S"],
        reason=item["reason"]["S"],
        at=parse_instant(item["at"]["S"]),
        second=item["second"]["S"],
        second_id=item["second_id"]["S"],
        is_settled=item["is_settled"]["BOOL"],
    )


def stated_action(table: str, campaign_id: CampaignId, before: Stated | None, after: Stated) -> Action:
    """The write of a statement, on the condition that the one before it stands and is not settled."""
    put: Action = {"TableName": table, "Item": stated_item(campaign_id, after)}
    if before is None:
        return {"Put": put | {"ConditionExpression": "attribute_not_exists(pk)"}}
    condition = {
        "ConditionExpression": "#id = :id AND #person = :person AND #is_settled = :no",
        "ExpressionAttributeNames": {"#id": "id", "#person": "person", "#is_settled": "is_settled"},
        "ExpressionAttributeValues": {
            ":id": {"S": before.id}, ":person": {"S": before.person}, ":no": {"BOOL": False}
        },
    }  # fmt: skip
    return {"Put": put | condition}


def setting_key(currency: str, month: str, setting_id: str) -> Item:
    """The key of one setting of a budget, under its own id."""
    return item_key(BUDGETS, f"{SET_PREFIX}{month}#{currency}#{setting_id}")


def setting_item(setting: LimitSet) -> Item:
    """A setting as an item."""
    return setting_key(setting.currency, setting.month, setting.id) | {
        "limit": {"NULL": True} if setting.limit is None else {"N": str(setting.limit)},
        "actor": {"S": setting.actor},
        "reason": {"S": setting.reason},
        "at": {"S": format_instant(setting.at)},
    }


def read_setting(item: Item) -> LimitSet:
    """A setting back from its item."""
    month, currency, setting_id = item["sk"]["S"].removeprefix(SET_PREFIX).split("#", 2)
    return LimitSet(
        id=setting_id,
        currency=currency,
        month=month,
        limit=int(item["limit"]["N"]) if "N" in item["limit"] else None,
        actor=item["actor"]["S"],
        reason=item["reason"]["S"],
        at=parse_instant(item["at"]["S"]),
    )


def counted_text(counted: Counted) -> str:
    """How far a pass has come as a text: equal for equal content."""
    return canonical_json({"position": counted.position, "sums": _sums_content(counted.sums)})


def read_counted(text: str) -> Counted:
    """That back from its text."""
    content = json.loads(text)
    return Counted(content["position"], _read_sums(content["sums"]))


def _sums_content(sums: Mapping[str, Needed]) -> Mapping[str, list[int]]:
    return {currency: [one.granting, one.claimable] for currency, one in sums.items()}


def _read_sums(content: Mapping[str, list[int]]) -> Mapping[str, Needed]:
    return {currency: Needed(*one) for currency, one in content.items()}
