"""The resource policies that close the tables: only the stack's own functions write items.

CloudFormation does not notice when somebody changes or removes such a policy, and a deployment does not put it back
unless the template's text changes. So it is compared here with what was deployed.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import call, error_code, translated

ITEM_WRITES = (
    "dynamodb:PutItem",
    "dynamodb:UpdateItem",
    "dynamodb:DeleteItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PartiQLDelete",
)
"""What writes items; a transaction is authorised by these. The template states the same."""
EVERYBODY = ("*", {"AWS": "*"}, {"AWS": ["*"]})
"""How AWS may write a principal that is everybody."""


@dataclass(frozen=True, slots=True)
class ClosedTable:
    """A table, its name in the template, and the ARNs of the roles that alone write to it."""

    name: str
    table: str
    writers: frozenset[str]


class DynamoTablePolicies:
    """The resource policies of a stack's tables."""

    def __init__(self, client: Any, tables: Collection[ClosedTable]) -> None:
        self._client = client
        self._tables = tables

    def open_tables(self) -> list[str]:
        """The tables that others than the stack's functions may write to, as far as their policies say."""
        return [one.name for one in self._tables if not is_closed(self._policy(one.table), one.writers)]

    def _policy(self, table: str) -> Mapping[str, Any]:
        """A table's policy; empty where it has none."""
        arn = call("DescribeTable", self._client.describe_table, TableName=table)["Table"]["TableArn"]
        try:
            answer = self._client.get_resource_policy(ResourceArn=arn)
        except ClientError as error:
            if error_code(error) == "PolicyNotFoundException":
                return {}
            raise translated(error, "GetResourcePolicy") from error
        except (BotoCoreError, OSError) as error:
            raise translated(error, "GetResourcePolicy") from error
        found: Mapping[str, Any] = json.loads(answer["Policy"])
        return found


def closing_policy(writers: Collection[str]) -> dict[str, Any]:
    """A policy that lets nobody but some roles write items. The table is that which carries it."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "OnlyFunctionsWriteItems",
                "Effect": "Deny",
                "Principal": "*",
                "Action": list(ITEM_WRITES),
                "Resource": "*",
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": sorted(writers)}},
            }
        ],
    }


def is_closed(policy: Mapping[str, Any], writers: Collection[str]) -> bool:
    """Whether a policy denies every write of items to everybody but exactly these roles."""
    return any(_denies_all_but(one, writers) for one in _listed(policy.get("Statement", ())))


def _denies_all_but(statement: Any, writers: Collection[str]) -> bool:
    if not isinstance(statement, Mapping) or statement.get("Effect") != "Deny":
        return False
    condition = statement.get("Condition", {})
    names = condition.get("ArnNotEquals", {}) if isinstance(condition, Mapping) and len(condition) == 1 else {}
    excepted = names.get("aws:PrincipalArn", ()) if isinstance(names, Mapping) and len(names) == 1 else ()
    return (
        statement.get("Principal") in EVERYBODY
        and set(ITEM_WRITES) <= set(_listed(statement.get("Action", ())))
        and set(_listed(excepted)) == set(writers)
    )


def _listed(value: Any) -> list[Any]:
    """A policy's value that may stand without its list."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
