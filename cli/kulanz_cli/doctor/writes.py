"""One test decision: inserted, inserted again and removed, with the write units that DynamoDB counts for each.

Its key can be no account's, and no filter of a stream matches it: nobody is granted anything or sent a notice.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz_cli.doctor.clock import now
from kulanz_cli.doctor.examined import Examined, Result, finding, not_shown, ok, unreadable

PARTITION = "DOCTOR#"
"""Decisions stand under ACCOUNT#; the streams' filters ask for a sort key DECISION#, REVISION# or META."""
PLACE = "TEST"
BODY_CHARACTERS = 800
"""With its key less than 1 KB, as every decision: one write unit."""
LEFT_OVER = timedelta(days=1)
"""After this the item would expire by itself, should it not be removed."""
CHEAP_UNITS = 1.0
OTHER_UNITS = "this is not AWS, and counts one unit for each statement, whatever AWS bills"


@dataclass(frozen=True, slots=True)
class Inserted:
    """What an insert came to: its write units, the error code of a refused one, and whether the standing item came."""

    units: float
    code: str
    has_item: bool


def insert(client: Any, table: str, partition: str) -> Inserted:
    """Insert the test decision by the statement with which decisions are inserted."""
    given = statement(table, partition) | {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    answer = client.batch_execute_statement(Statements=[given], ReturnConsumedCapacity="TOTAL")
    (response,) = answer["Responses"]
    error = response.get("Error", {})
    units = sum(float(one["CapacityUnits"]) for one in answer.get("ConsumedCapacity", []))
    return Inserted(units, error.get("Code", ""), bool(error.get("Item")))


def statement(table: str, partition: str) -> dict[str, Any]:
    """The insert of a test decision."""
    values = {
        "pk": {"S": partition},
        "sk": {"S": PLACE},
        "body": {"S": "x" * BODY_CHARACTERS},
        "ttl": {"N": str(int((now() + LEFT_OVER).timestamp()))},
    }
    shape = ", ".join(f"'{name}': ?" for name in values)
    return {"Statement": f'INSERT INTO "{table}" VALUE {{{shape}}}', "Parameters": list(values.values())}


def remove(client: Any, table: str, partition: str) -> None:
    """Remove the test decision; nothing happens where there is none."""
    client.delete_item(TableName=table, Key={"pk": {"S": partition}, "sk": {"S": PLACE}})


def decision(at: Examined) -> Iterator[Result]:
    """Insert, repeat and remove one; it is removed too where something fails midway."""
    client, table = at.client("dynamodb"), at.outputs.credits_table_name
    partition = f"{PARTITION}{uuid.uuid4()}"
    results: list[Result] = []
    try:
        results.extend(_inserted_twice(at, client, table, partition))
    except (ClientError, BotoCoreError) as error:
        results.append(unreadable(at, error))
    finally:  # at Ctrl-C too
        removed = _removed(client, table, partition)
    yield from (*results, removed)


def _inserted_twice(at: Examined, client: Any, table: str, partition: str) -> Iterator[Result]:
    first = insert(client, table, partition)
    if first.code:
        yield finding(f"A test decision could not be inserted: {first.code}.", "Try again; else look at the table.")
        return
    if first.units > CHEAP_UNITS:
        yield finding(
            f"A decision costs {first.units:g} write units and not one: campaigns take and cost as much more.",
            "Look for indexes or replicas that were added to the table of decisions.",
        )
    else:
        yield ok(f"A test decision costs {first.units:g} write unit.")
    again = insert(client, table, partition)
    if again.code != "DuplicateItem":
        yield finding(
            f"A repeated insert was not refused as a duplicate ({again.code or 'it was accepted'}): a credit could be"
            " granted twice.",
            "Stop all campaigns (kulanz pause) and report this as a fault of Kulanz.",
        )
        return
    yield ok("A repeated insert is refused as a duplicate; nothing is overwritten.")
    item = "with" if again.has_item else "without"
    if at.is_aws:
        yield ok(f"The refused insert costs {again.units:g} write units and answers {item} the standing item.")
    else:
        yield not_shown(f"What a refused insert costs, and whether it answers with the item: {OTHER_UNITS}.")


def _removed(client: Any, table: str, partition: str) -> Result:
    key = {"pk": {"S": partition}, "sk": {"S": PLACE}}
    by_hand = f"aws dynamodb delete-item --table-name {table} --key '{json.dumps(key, separators=(',', ':'))}'"
    try:
        remove(client, table, partition)
        left = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    except (ClientError, BotoCoreError) as error:
        left = {"error": type(error).__name__}
    if left:
        return finding(
            "The test decision could not be removed. It is no account's, changes nothing and expires in a day.",
            by_hand,
        )
    return ok("The test decision was removed.")
