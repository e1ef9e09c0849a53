"""Where the stand-ins are known to differ from AWS in what the adapters touch: a table, and a probe for every line.

A probe fails when its stand-in has come to do what AWS does; then the line goes, and whatever was built around it.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kulanz.adapters.aws import client
from kulanz.application.ports import Outdated
from tests.contract.backends import AwsBackend
from tests.support.values import declared, revision


def _transaction_token(backend: AwsBackend) -> bool:
    record = declared()
    backend.campaigns.record_revision(None, record, revision())
    try:
        backend.campaigns.record_revision(None, record, revision())
    except Outdated:
        return True
    return False


def _insert(backend: AwsBackend, *accounts: str) -> list[dict[str, Any]]:
    names = "'pk': ?, 'sk': ?"
    statement = f'INSERT INTO "{backend.credits_table}" VALUE {{{names}}}'
    statements = [{"Statement": statement, "Parameters": [{"S": name}, {"S": "x"}]} for name in accounts]
    responses: list[dict[str, Any]] = backend.dynamodb.batch_execute_statement(Statements=statements)["Responses"]
    return responses


def _same_key_twice_in_a_batch(backend: AwsBackend) -> bool:
    """AWS refuses a batch with two statements for one item; this answers the second as a duplicate."""
    try:
        return "Error" not in _insert(backend, "a", "a")[0]
    except ClientError:
        return False


def _capacity(backend: AwsBackend) -> bool:
    item = {"pk": {"S": "a"}, "sk": {"S": "x"}, "body": {"S": "x" * 3_000}}
    answer = backend.dynamodb.put_item(TableName=backend.credits_table, Item=item, ReturnConsumedCapacity="TOTAL")
    return bool(answer["ConsumedCapacity"]["CapacityUnits"] < 3)


def _transactions_wait(backend: AwsBackend) -> bool:
    """AWS cancels one of two transactions that meet on an item; this lets one wait for the other."""
    credits_table = backend.credits_table

    def write(racer: int) -> set[str]:
        database, reasons = client("dynamodb"), set[str]()
        for step in range(50):
            keys = [("one", "item"), (f"of-{racer}", str(step))]
            puts = [{"Put": {"TableName": credits_table, "Item": {"pk": {"S": a}, "sk": {"S": b}}}} for a, b in keys]
            try:
                database.transact_write_items(TransactItems=puts)
            except ClientError as error:
                reasons |= {reason["Code"] for reason in error.response.get("CancellationReasons", [])}
        return reasons

    with ThreadPoolExecutor(6) as pool:
        return not set[str]().union(*pool.map(write, range(6)))


@dataclass(frozen=True)
class Divergence:
    """What AWS does, what the stand-in does, what stands in for the missing proof, and how to see it."""

    backend: str
    aws: str
    stand_in: str
    covered_by: str
    shows: Callable[[AwsBackend], bool]


KNOWN = [
    Divergence(
        "moto",
        "the same transaction with the same ClientRequestToken succeeds again for ten minutes",
        "its condition fails",
        "the use cases read again on Outdated; test_a_repeated_receipt_is_ours_and_counted_once",
        _transaction_token,
    ),
    Divergence(
        "moto",
        "a batch with two inserts of one key is refused",
        "the second is a duplicate",
        "the port demands distinct keys, and every adapter refuses others itself",
        _same_key_twice_in_a_batch,
    ),
    Divergence(
        "ministack",
        "a batch with two inserts of one key is refused",
        "the second is a duplicate",
        "the port demands distinct keys, and every adapter refuses others itself",
        _same_key_twice_in_a_batch,
    ),
    Divergence(
        "moto",
        "a write of 3 KB consumes three units or more",
        "one",
        "the size of items is computed in tests/unit/domain/test_item_size.py, never read from a stand-in",
        _capacity,
    ),
    Divergence(
        "dynamodb-local",
        "of transactions that meet on an item one is cancelled with TransactionConflict",
        "one waits for the other",
        "fakes that conflict in tests/unit/adapters/test_adapter_transactions.py; the outcomes in test_races",
        _transactions_wait,
    ),
]


def _cases() -> list[Any]:
    marks = {"ministack": [pytest.mark.ministack], "dynamodb-local": [pytest.mark.long, pytest.mark.dynamodb]}
    return [
        pytest.param(known.backend, known, marks=marks.get(known.backend, []), id=f"{known.backend}: {known.stand_in}")
        for known in KNOWN
    ]


@pytest.mark.parametrize(("emulator", "divergence"), _cases(), indirect=["emulator"])
def test_a_known_divergence_is_still_there(emulator: AwsBackend, divergence: Divergence) -> None:
    assert divergence.shows(emulator), f"{divergence.backend} does what AWS does now: {divergence.aws}"


def test_inserts_are_answered_one_by_one(emulator: AwsBackend) -> None:
    assert _insert(emulator, "a", "b") == [{"TableName": emulator.credits_table}] * 2

    first, second = _insert(emulator, "b", "c")

    assert first["Error"]["Code"] == "DuplicateItem"
    assert "Error" not in second
