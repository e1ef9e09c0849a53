"""The ledger in CreditsTable: insert-if-absent at one write unit a decision.

A PartiQL INSERT never overwrites. 25 of them travel in one BatchExecuteStatement, several calls in flight. DynamoDB
answers each statement on its own inside a 200: throttled ones are sent again, and a DuplicateItem is resolved by
reading what stands there, because it may be our own write whose reply was lost.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import batched
from json.encoder import encode_basestring_ascii
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import (
    ENTRY_ATTEMPTS,
    RETRIED_REASONS,
    backoff_seconds,
    call,
    error_code,
    query,
    read_number,
    translated,
)
from kulanz.adapters.insert_calls import InsertCalls, Statement
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.entries import read_entries
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.entries import (
    DecisionKey,
    Entry,
    EntryWithFormer,
    EntryWithHistory,
    HistoryChange,
    HistoryMoved,
)
from kulanz.domain.ledger.hand_decision import HandDecision
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory
from kulanz.domain.time import format_instant, parse_instant

KEYS_PER_READ = 100
"""The limit of BatchGetItem."""
WITH_HISTORY_PER_TRANSACTION = 25
"""Decisions with their histories: half of the 100 actions that TransactWriteItems takes, and 0.5 MB of its 4."""
CONDITION_FAILED = "ConditionalCheckFailed"
CREDITS = "credits"
"""The attribute of a decision's item that has what became of its credits."""
NOTICE_LOCALE = "notice_locale"
"""The attribute that has the language in which the customer is told of what voids take back. The stream's reader for
notices hears only of changes of items that have it."""

_INSTANTS_REMEMBERED = 256
_ATTRIBUTES = ("pk", "sk", "body", "status", "remaining", "effective_at", "ttl", "origin")

type Item = dict[str, Any]


def entry_item(entry: Entry) -> Item:
    """An entry as an item."""
    item: Item = {
        "pk": {"S": entry.key.partition},
        "sk": {"S": entry.key.place},
        "body": {"S": entry.body},
        "status": {"S": entry.status.value},
        "remaining": {"L": [{"NULL": True} if left is None else {"N": str(left)} for left in entry.remaining]},
        "effective_at": {"S": format_instant(entry.effective_at)},
        "ttl": {"N": str(entry.ttl)},
        "origin": {"N": str(entry.origin)},
    }
    if entry.expires_at is not None:
        item["expires_at"] = {"S": format_instant(entry.expires_at)}
    if entry.accepted_at is not None:
        item["accepted_at"] = {"S": format_instant(entry.accepted_at)}
    if entry.by_hand is not None:
        item["by_hand"] = {"S": entry.by_hand.to_text()}
    return item


def is_decision(item: Item) -> bool:
    """Whether an item is a decision, and not an entry about one."""
    place: str = item["sk"]["S"]
    return place.startswith("DECISION#") and "#ENTRY#" not in place


def read_entry(item: Item) -> Entry:
    """An entry back from its item (or from a stream record's image). Raises ValueError when it is not a decision."""
    expires_at, accepted_at = item.get("expires_at"), item.get("accepted_at")
    entry = Entry(
        key=DecisionKey.parse(item["pk"]["S"], item["sk"]["S"]),
        body=item["body"]["S"],
        status=Outcome(item["status"]["S"]),
        remaining=tuple(read_number(left["N"]) if "N" in left else None for left in item["remaining"]["L"]),
        effective_at=parse_instant(item["effective_at"]["S"]),
        expires_at=None if expires_at is None else parse_instant(expires_at["S"]),
        ttl=int(item["ttl"]["N"]),
        origin=int(item["origin"]["N"]),
        accepted_at=None if accepted_at is None else parse_instant(accepted_at["S"]),
        by_hand=HandDecision.from_text(item["by_hand"]["S"]) if "by_hand" in item else None,
    )
    entries = read_entries(item[CREDITS]["S"]) if CREDITS in item else ()
    return with_voided(entry, entries) if entries else entry


def history_put(change: HistoryChange, ttl: int) -> Item:
    """A write of a subject's history on the condition that it is still the one that was read."""
    item: Item = {
        "pk": {"S": change.key.partition},
        "sk": {"S": change.key.place},
        "version": {"N": str(change.after.version)},
        "history": {"S": change.after.to_text()},
        "ttl": {"N": str(ttl)},
    }
    if change.before.version == 0:
        return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
    return {
        "Item": item,
        "ConditionExpression": "version = :version",
        "ExpressionAttributeValues": {":version": {"N": str(change.before.version)}},
    }


def history_update(change: HistoryChange) -> Item:
    """The same of a history that stands, which is kept as long as before: something of it was taken back."""
    return {
        "Key": {"pk": {"S": change.key.partition}, "sk": {"S": change.key.place}},
        "UpdateExpression": "SET #version = :after, #history = :history",
        "ConditionExpression": "#version = :before",
        "ExpressionAttributeNames": {"#version": "version", "#history": "history"},
        "ExpressionAttributeValues": {
            ":after": {"N": str(change.after.version)},
            ":before": {"N": str(change.before.version)},
            ":history": {"S": change.after.to_text()},
        },
    }


def _read_history(item: Item) -> SubjectHistory:
    return SubjectHistory.from_text(int(item["version"]["N"]), item["history"]["S"])


def read_places(function: Callable[..., Any], table: str, places: Sequence[tuple[str, str]]) -> Iterator[Item]:
    """The items that stand at some places of the table, read consistently. `function` is BatchGetItem."""
    for page in batched(places, KEYS_PER_READ, strict=False):
        waiting = [{"pk": {"S": partition}, "sk": {"S": place}} for partition, place in page]
        for attempt in range(1, ENTRY_ATTEMPTS + 1):
            answer = call(
                "BatchGetItem",
                function,
                RequestItems={table: {"Keys": waiting, "ConsistentRead": True}},
            )
            yield from answer.get("Responses", {}).get(table, [])
            waiting = answer.get("UnprocessedKeys", {}).get(table, {}).get("Keys", [])
            if not waiting:
                break
            time.sleep(backoff_seconds(attempt))
        else:
            raise TryAgain(f"BatchGetItem: keys left {ENTRY_ATTEMPTS} times: {len(waiting)}")


class DynamoLedger:
    """The ledger."""

    def __init__(self, client: Any, table: str, calls_in_flight: int) -> None:
        self._client = client
        self._table = table
        self._inserts = InsertCalls(client, calls_in_flight)
        self._insert = _insert_statement(table, _ATTRIBUTES)
        self._insert_expiring = _insert_statement(table, (*_ATTRIBUTES, "expires_at"))

    def take_throttled(self) -> int:
        """How many inserts DynamoDB throttled since this was last asked."""
        return self._inserts.take_throttled()

    def insert(self, entries: Sequence[Entry]) -> list[Entry | None]:
        if len({(entry.key.partition, entry.key.place) for entry in entries}) != len(entries):
            raise ValueError("entries have distinct keys")
        statements = [Statement(place, self._statement(entry)) for place, entry in enumerate(entries)]
        standing = [entries[place].key for place in self._inserts.execute(statements)]
        if not standing:
            return [None] * len(entries)
        found = self.standing(standing)
        missing = [key for key in standing if key not in found]
        if missing:
            raise TryAgain(f"BatchGetItem: duplicates that are not there any more: {len(missing)}")
        return [found.get(entry.key) for entry in entries]

    def _statement(self, entry: Entry) -> str:
        """An insert of the entry as JSON text: what `entry_item` says, written out."""
        remaining = ",".join(['{"NULL":true}' if left is None else f'{{"N":"{left}"}}' for left in entry.remaining])
        expires_at = "" if entry.expires_at is None else f',{{"S":"{_instant_text(entry.expires_at)}"}}'
        key = entry.key
        return (
            f'{{"Statement":{self._insert if entry.expires_at is None else self._insert_expiring},"Parameters":['
            f'{{"S":{_json_text(key.partition)}}},{{"S":{_json_text(key.place)}}},'
            f'{{"S":{_json_text(entry.body)}}},{{"S":"{entry.status}"}},{{"L":[{remaining}]}},'
            f'{{"S":"{_instant_text(entry.effective_at)}"}},{{"N":"{entry.ttl}"}},{{"N":"{entry.origin}"}}{expires_at}]}}'
        )

    def insert_with_history(self, entries: Sequence[EntryWithHistory]) -> list[Entry | HistoryMoved | None]:
        if len({one.entry.key for one in entries}) != len(entries):
            raise ValueError("entries have distinct keys")
        waiting, waits = list(entries), 0
        write_results: dict[DecisionKey, Entry | HistoryMoved | None] = {}
        while waiting:
            some = waiting[:WITH_HISTORY_PER_TRANSACTION]
            failed = self._transact([action for one in some for action in self._actions_with_history(one)])
            decided = self._decided(some, list(batched(failed, 2, strict=True)))
            if not decided:
                waits += 1
                if waits >= ENTRY_ATTEMPTS:
                    raise TryAgain("TransactWriteItems: conflicts outlasted the attempts")
                time.sleep(backoff_seconds(waits))
            write_results |= decided
            waiting = [one for one in waiting if one.entry.key not in write_results]
        return [write_results[one.entry.key] for one in entries]

    def _decided(
        self, entries: Sequence[EntryWithHistory], failed: Sequence[tuple[str, str]]
    ) -> dict[DecisionKey, Entry | HistoryMoved | None]:
        """What is known after a transaction: all is written, or the conditions of some failed and the rest goes again.

        Empty when it met another transaction or a throttle; these alone are counted, for a failed condition takes its
        entry out.
        """
        if not failed:
            return {one.entry.key: None for one in entries}
        refused = [one.entry.key for one, codes in zip(entries, failed, strict=True) if CONDITION_FAILED in codes]
        standing = self.standing(refused) if refused else {}
        return {key: standing.get(key, HistoryMoved.MOVED) for key in refused}

    def _transact(self, actions: Sequence[Item]) -> list[str]:
        """Empty when all was written; else the reason of each action."""
        try:
            self._client.transact_write_items(TransactItems=actions)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise translated(error, "TransactWriteItems") from error
            codes = [str(reason.get("Code", "None")) for reason in error.response.get("CancellationReasons", [])]
            wrong = sorted(set(codes) - RETRIED_REASONS - {"None", CONDITION_FAILED})
            if wrong or len(codes) != len(actions):
                raise Refused(f"TransactWriteItems: {', '.join(wrong) or 'no reasons'}") from error
            return codes
        except (BotoCoreError, OSError) as error:
            raise translated(error, "TransactWriteItems") from error
        return []

    def _actions_with_history(self, one: EntryWithHistory) -> Iterator[Item]:
        decision = {"TableName": self._table, "Item": entry_item(one.entry)}
        yield {"Put": decision | {"ConditionExpression": "attribute_not_exists(pk)"}}
        yield {"Put": {"TableName": self._table, **history_put(one.change, one.change.ttl(one.entry))}}

    def insert_with_former(self, entries: Sequence[EntryWithFormer]) -> list[Entry | HistoryMoved | None]:
        return [self._insert_with_former(one) for one in entries]

    def _insert_with_former(self, one: EntryWithFormer) -> Entry | HistoryMoved | None:
        """One transaction an entry: of a list few accounts have changed."""
        all_ids = (one.entry, *one.former)
        puts = [{"Item": entry_item(entry), "ConditionExpression": "attribute_not_exists(pk)"} for entry in all_ids]
        puts += [history_put(change, change.ttl(one.entry)) for change in one.changes]
        actions = [{"Put": {"TableName": self._table, **put}} for put in puts]
        for attempt in range(1, ENTRY_ATTEMPTS + 1):
            failed = self._transact(actions)
            if not failed:
                return None
            if CONDITION_FAILED in failed:
                standing = self.standing([entry.key for entry in all_ids])
                return next((standing[entry.key] for entry in all_ids if entry.key in standing), HistoryMoved.MOVED)
            time.sleep(backoff_seconds(attempt))
        raise TryAgain("TransactWriteItems: conflicts outlasted the attempts")

    def histories(self, keys: Sequence[HistoryKey]) -> dict[HistoryKey, SubjectHistory]:
        by_place = {(key.partition, key.place): key for key in keys}
        found = read_places(self._client.batch_get_item, self._table, list(by_place))
        return {by_place[item["pk"]["S"], item["sk"]["S"]]: _read_history(item) for item in found}

    def standing(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Entry]:
        places = [(key.partition, key.place) for key in keys]
        entries = [read_entry(item) for item in read_places(self._client.batch_get_item, self._table, places)]
        return {entry.key: entry for entry in entries}

    def of_account(self, account_id: str, incident_id: str | None = None) -> list[Entry]:
        prefix = "DECISION#" if incident_id is None else f"DECISION#{incident_id}#"
        found = query(self._client.query, self._table, f"ACCOUNT#{account_id}", prefix)
        return [read_entry(item) for item in found if is_decision(item)]


def _insert_statement(table: str, attributes: Sequence[str]) -> str:
    """The statement as JSON text."""
    return json.dumps(f'INSERT INTO "{table}" VALUE {{{", ".join(f"'{name}': ?" for name in attributes)}}}')


_json_text = encode_basestring_ascii
_instant_text = lru_cache(_INSTANTS_REMEMBERED)(format_instant)
