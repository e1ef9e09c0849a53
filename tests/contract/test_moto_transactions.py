"""A transaction on moto that fails leaves everything as it was, with and without the repair that makes it cheap."""

from collections.abc import Mapping
from typing import Any
from unittest.mock import patch

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from kulanz.adapters.aws import client
from tests.support.moto_partiql import repaired_moto

FLAT = "flat"
"""The table whose key has one part, as that of the sessions."""
NAMES = ("one", "two", FLAT)
ACCOUNT, REGION = "123456789012", "eu-central-1"
KINDS = ("HASH", "RANGE")
type Steps = list[dict[str, Any]]


def key(name: str, table: str = "one") -> dict[str, Any]:
    return {"pk": {"S": name}} if table == FLAT else {"pk": {"S": name}, "sk": {"S": "x"}}


def put(name: str, table: str = "one", **more: Any) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": {**key(name, table), "size": {"N": "1"}}, **more}}


def add(name: str, table: str = "one", **more: Any) -> dict[str, Any]:
    given = {"UpdateExpression": "ADD size :one", "ExpressionAttributeValues": {":one": {"N": "1"}}, **more}
    return {"Update": {"TableName": table, "Key": key(name, table), **given}}


def delete(name: str, table: str = "one") -> dict[str, Any]:
    return {"Delete": {"TableName": table, "Key": key(name, table)}}


def absent(name: str, table: str = "one") -> dict[str, Any]:
    condition = {"ConditionExpression": "attribute_not_exists(pk)"}
    return {"ConditionCheck": {"TableName": table, "Key": key(name, table), **condition}}


TRANSACTIONS: Mapping[str, Steps] = {
    "all hold": [put("new"), add("old"), delete("gone"), put("other", "two")],
    "a condition fails first": [absent("old"), put("new"), add("old"), delete("gone")],
    "a condition fails last": [put("new"), add("old"), delete("gone"), add("fresh"), absent("old", "two")],
    "several fail": [put("old", ConditionExpression="attribute_not_exists(pk)"), put("new"), absent("gone")],
    "an update's condition fails": [put("new", "two"), add("absent", ConditionExpression="attribute_exists(pk)")],
    "an item twice": [put("new"), add("old"), add("old")],
    "a table that is not there": [put("new"), add("old"), put("lost", "three")],
    "something is put over another": [put("old"), absent("gone")],
    "keys of one part": [put("new", FLAT), add("old", FLAT), delete("gone", FLAT), add("fresh", FLAT), absent("old")],
}


def outcome(steps: Steps) -> dict[str, Any]:
    """What a transaction answers, and what is in tables and streams afterwards."""
    dynamodb = client("dynamodb")
    for name in NAMES:
        parts = [{"AttributeName": part, "KeyType": kind} for part, kind in zip(key("", name), KINDS, strict=False)]
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=parts,
            AttributeDefinitions=[{"AttributeName": part["AttributeName"], "AttributeType": "S"} for part in parts],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        for known in ("old", "gone"):
            dynamodb.put_item(TableName=name, Item={**key(known, name), "size": {"N": "7"}})
    try:
        answer: Any = dynamodb.transact_write_items(TransactItems=steps).get("Error")
    except ClientError as error:
        reasons = [one["Code"] for one in error.response.get("CancellationReasons", [])]
        answer = error.response["Error"]["Code"], reasons
    tables = dynamodb_backends[ACCOUNT][REGION].tables
    streams: dict[str, list[dict[str, Any]]] = {}
    for name in NAMES:
        shard = tables[name].stream_shard
        assert shard is not None
        streams[name] = [one.to_json()["dynamodb"] for one in shard.items]
    for record in (record for records in streams.values() for record in records):
        del record["ApproximateCreationDateTime"], record["SizeBytes"]  # which counts the digits of the former
    items = {name: sorted(map(str, dynamodb.scan(TableName=name)["Items"])) for name in NAMES}
    return {"answer": answer, "items": items, "streams": streams}


@pytest.mark.parametrize("steps", TRANSACTIONS.values(), ids=TRANSACTIONS)
def test_a_transaction_does_the_same_with_the_repair(steps: Steps) -> None:
    with mock_aws():
        expected = outcome(steps)
    with repaired_moto(), mock_aws():
        assert outcome(steps) == expected


def test_moto_still_copies_whole_tables() -> None:
    copied: list[str] = []

    def counted(table: Table, _: dict[int, Any]) -> Table:
        copied.append(table.name)
        return table

    with mock_aws(), patch.object(Table, "__deepcopy__", counted, create=True):
        outcome(TRANSACTIONS["all hold"])
    assert len(copied) == 4, "moto no longer copies tables: remove tests/support/moto_transactions.py"
