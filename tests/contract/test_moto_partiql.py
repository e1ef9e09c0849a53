"""What moto's BatchExecuteStatement does with its repair, and that it still needs it."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from kulanz.adapters.aws import client
from tests.support.moto_partiql import STATEMENTS_PER_CALL, repaired_moto

TABLE = "credits"


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
        yield dynamodb


def _insert(account: str, body: str = "first", table: str = TABLE) -> dict[str, Any]:
    return {
        "Statement": f"INSERT INTO \"{table}\" VALUE {{'pk': ?, 'sk': ?, 'body': ?}}",
        "Parameters": [{"S": account}, {"S": "x"}, {"S": body}],
    }


def _body(dynamodb: Any, account: str) -> str | None:
    item = dynamodb.get_item(TableName=TABLE, Key={"pk": {"S": account}, "sk": {"S": "x"}}).get("Item")
    return None if item is None else str(item["body"]["S"])


def _inserts_without_overwriting(dynamodb: Any) -> bool:
    try:
        dynamodb.batch_execute_statement(Statements=[_insert("a")])
        (again,) = dynamodb.batch_execute_statement(Statements=[_insert("a", "second")])["Responses"]
    except (ClientError, TypeError, KeyError, AttributeError):
        return False
    return again.get("Error", {}).get("Code") == "DuplicateItem" and _body(dynamodb, "a") == "first"


def test_a_repaired_insert_is_a_write_if_absent(dynamodb: Any) -> None:
    with repaired_moto():
        assert _inserts_without_overwriting(dynamodb)


def test_repaired_statements_are_each_on_their_own(dynamodb: Any) -> None:
    with repaired_moto():
        dynamodb.batch_execute_statement(Statements=[_insert("b")])
        statements = [_insert("a"), _insert("b", "second"), _insert("c", table="elsewhere"), _insert("d")]
        responses = dynamodb.batch_execute_statement(Statements=statements)["Responses"]

    assert [response.get("Error", {}).get("Code") for response in responses] == [
        None,
        "DuplicateItem",
        "ResourceNotFound",
        None,
    ]
    assert [_body(dynamodb, account) for account in "abd"] == ["first", "first", "first"]


def test_more_statements_than_a_call_may_hold_are_refused(dynamodb: Any) -> None:
    statements = [_insert(f"a-{number}") for number in range(STATEMENTS_PER_CALL + 1)]
    with repaired_moto(), pytest.raises(ClientError, match="ValidationException"):
        dynamodb.batch_execute_statement(Statements=statements)
    assert _body(dynamodb, "a-0") is None


def test_moto_still_needs_the_repair(dynamodb: Any) -> None:
    assert not _inserts_without_overwriting(dynamodb), (
        "moto inserts as AWS does now: remove tests/support/moto_partiql.py"
    )


def _update(account: str, before: str, after: str) -> dict[str, Any]:
    return {
        "Statement": f'UPDATE "{TABLE}" SET "body"=? WHERE "pk"=? AND "sk"=? AND "body"=?',  # noqa: S608
        "Parameters": [{"S": after}, {"S": account}, {"S": "x"}, {"S": before}],
    }


def _tells_of_failed_conditions(dynamodb: Any) -> bool:
    with repaired_moto():
        dynamodb.batch_execute_statement(Statements=[_insert("u")])
    (refused,) = dynamodb.batch_execute_statement(Statements=[_update("u", "another", "second")])["Responses"]
    return refused.get("Error", {}).get("Code") == "ConditionalCheckFailed" and _body(dynamodb, "u") == "first"


def test_a_repaired_update_is_conditional(dynamodb: Any) -> None:
    with repaired_moto():
        assert _tells_of_failed_conditions(dynamodb)
        statements = [_update("u", "first", "second"), _update("gone", "first", "second")]
        written, gone = dynamodb.batch_execute_statement(Statements=statements)["Responses"]
    assert "Error" not in written
    assert _body(dynamodb, "u") == "second"
    assert (gone["Error"]["Code"], _body(dynamodb, "gone")) == ("ConditionalCheckFailed", None)


def test_moto_still_hides_failed_conditions(dynamodb: Any) -> None:
    assert not _tells_of_failed_conditions(dynamodb), "moto does it itself: drop the repair of UPDATE"
