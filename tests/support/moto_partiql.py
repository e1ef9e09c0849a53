"""Repairs moto's BatchExecuteStatement, which Kulanz's ledger writes with.

What AWS does: each statement of a batch is on its own. A parameterised `INSERT INTO "table" VALUE {'name': ?, ...}`
writes an item if its key is free and otherwise answers, inside the HTTP 200, an error `DuplicateItem` for that
statement alone; nothing is overwritten. An `UPDATE` whose condition does not hold, or whose item is not there, answers
`ConditionalCheckFailed` for that statement alone. More than 25 statements are refused as a whole with a
ValidationException.

What moto does: an INSERT with parameters ends in a TypeError, one with literals overwrites, and any number passes. An
UPDATE whose condition does not hold answers success and changes nothing.

The repair holds for the pinned version only: `tests/contract/test_moto_partiql.py` fails when moto does this itself.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import moto
from moto.dynamodb.exceptions import ConditionalCheckFailed, MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.table import Table

from tests.support.moto_transactions import the_table_itself, transact_write_items

MOTO_VERSION = "5.2.5"
STATEMENTS_PER_CALL = 25

_INSERT = re.compile(r"""INSERT INTO "([^"]+)" VALUE \{((?:'[^']+': \?(?:, )?)+)\}""").fullmatch
_UPDATE = re.compile(
    r"""UPDATE "([^"]+)" ((?:SET "[^"]+"=\? )+)WHERE "pk"=\? AND "sk"=\?((?: AND "[^"]+"(?:=\?| IS MISSING))*)"""
).fullmatch
_CONDITION = re.compile(r""" AND "([^"]+)"(=\?| IS MISSING)""")
_SET = re.compile(r"""SET "([^"]+)"=\?""")
_NAME = re.compile(r"'([^']+)': \?")

_original = DynamoDBBackend.batch_execute_statement


@contextmanager
def repaired_moto() -> Iterator[None]:
    """Let moto answer parameterised inserts as AWS does, and take transactions back without copies of whole tables.

    Raises RuntimeError for a moto that was not looked at.
    """
    if moto.__version__ != MOTO_VERSION:
        raise RuntimeError(f"moto is {moto.__version__}; look whether it still needs this repair of {MOTO_VERSION}")
    with (
        patch.object(DynamoDBBackend, "batch_execute_statement", _batch_execute_statement),
        patch.object(DynamoDBBackend, "transact_write_items", transact_write_items),
        patch.object(Table, "__deepcopy__", the_table_itself, create=True),
    ):
        yield


def _batch_execute_statement(self: DynamoDBBackend, statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if len(statements) > STATEMENTS_PER_CALL:
        raise MockValidationException(f"Member must have length less than or equal to {STATEMENTS_PER_CALL}")
    return [_answer(self, statement) for statement in statements]


def _answer(backend: DynamoDBBackend, statement: dict[str, Any]) -> dict[str, Any]:
    update = _UPDATE(statement["Statement"])
    if update is not None:
        return _updated(backend, update, statement["Parameters"])
    insert = _INSERT(statement["Statement"])
    if insert is None:
        return _original(backend, [statement])[0]
    table_name, names = insert[1], _NAME.findall(insert[2])
    if table_name not in backend.tables:
        return {"Error": {"Code": "ResourceNotFound", "Message": "Requested resource not found"}}
    item = dict(zip(names, statement["Parameters"], strict=True))
    try:
        backend.put_item(table_name, item, condition_expression="attribute_not_exists(pk)")
    except ConditionalCheckFailed:
        message = "Duplicate primary key exists in table"
        return {"Error": {"Code": "DuplicateItem", "Message": message}, "TableName": table_name}
    return {"TableName": table_name}


def _updated(backend: DynamoDBBackend, update: re.Match[str], parameters: list[Any]) -> dict[str, Any]:
    """An UPDATE of some attributes by moto's own conditional update."""
    table_name, told, conditions = update[1], _SET.findall(update[2]), _CONDITION.findall(update[3])
    new, (pk, sk, *stated) = parameters[: len(told)], parameters[len(told) :]
    names = {f"#told{number}": name for number, name in enumerate(told)}
    values = {f":new{number}": value for number, value in enumerate(new)}
    expressions = ["attribute_exists(pk)"]
    left = iter(stated)
    for number, (name, kind) in enumerate(conditions):
        names[f"#n{number}"] = name
        if kind == "=?":
            values[f":v{number}"] = next(left)
            expressions.append(f"#n{number} = :v{number}")
        else:
            expressions.append(f"attribute_not_exists(#n{number})")
    try:
        backend.update_item(
            table_name=table_name,
            key={"pk": pk, "sk": sk},
            update_expression="SET " + ", ".join(f"#told{number} = :new{number}" for number in range(len(told))),
            expression_attribute_names=names,
            expression_attribute_values=values,
            condition_expression=" AND ".join(expressions),
        )
    except ConditionalCheckFailed:
        return {"Error": {"Code": "ConditionalCheckFailed", "Message": "The conditional request failed"}}
    return {"TableName": table_name}
