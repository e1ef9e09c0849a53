"""How counts of what was given by hand are laid out: of accounts in CreditsTable, of persons in CampaignsTable."""

from collections.abc import Mapping
from typing import Any

from kulanz.adapters.aws import read_number
from kulanz.adapters.campaign_keys import item_key
from kulanz.adapters.receipt_actions import NEW, put_action
from kulanz.domain.byhand.counts import Count, CountOf, CountStep

type Item = dict[str, Any]


def account_partition(account_id: str) -> str:
    """Where everything about an account stands in CreditsTable."""
    return f"ACCOUNT#{account_id}"


def count_key(of: CountOf) -> Item:
    """The key of a count."""
    if of.account:
        return item_key(account_partition(of.account), f"BYHAND#{of.kind.value}#{of.month}#{of.measure}")
    return item_key(f"BYHAND#{of.month}", f"{of.kind.value}#{of.measure}#{of.person}")


def read_count(of: CountOf, item: Item | None) -> Count:
    """A count back from its item; nothing where there is none."""
    return Count(of) if item is None else Count(of, read_number(item["size"]["N"]), int(item["version"]["N"]))


def count_actions(tables: Mapping[bool, str], step: CountStep, ttl: int) -> Item:
    """What a step writes, or looks at, on the condition that the count is as it was read.

    `tables` are those of accounts (True) and of persons (False). What is counted of an account may be deleted at `ttl`.
    """
    of, before = step.after.of, step.before.version
    table, key = tables[bool(of.account)], count_key(of)
    condition: Item = {"ConditionExpression": NEW}
    if before:
        condition = {
            "ConditionExpression": "version = :before",
            "ExpressionAttributeValues": {":before": {"N": str(before)}},
        }
    if step.is_looked_at:
        return {"ConditionCheck": {"TableName": table, "Key": key, **condition}}
    item = key | {"size": {"N": str(step.after.size)}, "version": {"N": str(step.after.version)}}
    if of.account:
        item["ttl"] = {"N": str(ttl)}
    put = put_action(table, item)
    put["Put"] |= condition
    return put
