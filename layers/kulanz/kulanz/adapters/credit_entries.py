"""What became of the credits of decisions: one attribute of the decision's item, written on what was read.

A PartiQL UPDATE with a condition costs one call for 25 decisions, and each two write units: DynamoDB charges an update
for the larger item of before and after, and a decision of 1 KB has a list of at most 1 KB. A condition that failed
answers ConditionalCheckFailed for its statement alone (and is charged too).
"""

import json
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii
from typing import Any

from kulanz.adapters.insert_calls import InsertCalls, ReadCalls, Statement
from kulanz.adapters.ledger_table import CREDITS, NOTICE_LOCALE, entry_item, history_update, read_entry
from kulanz.adapters.transactions import write_together
from kulanz.application.delivery.world import Booked, EntriesChange
from kulanz.application.ports import Outdated
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.entries import CreditEntries, entries_text, read_entries
from kulanz.domain.ledger.entries import DecisionKey, HistoryChange


class DynamoCredits:
    """The entries of credits in CreditsTable."""

    def __init__(self, client: Any, table: str, calls_in_flight: int) -> None:
        self._client, self._table = client, table
        self._reads = ReadCalls(client, table, calls_in_flight)
        self._calls = InsertCalls(client, calls_in_flight)
        self._updates = {
            (is_told, is_first): json.dumps(_update(table, is_told=is_told, is_first=is_first))
            for is_told in (False, True)
            for is_first in (False, True)
        }

    def take_throttled(self) -> int:
        """How many updates DynamoDB throttled since this was last asked."""
        return self._calls.take_throttled()

    def booked(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Booked]:
        found = {}
        for item in self._reads.read([(key.partition, key.place) for key in keys]):
            booked = read_booked(item)
            found[booked.entry.key] = booked
        return found

    def write_entries(self, changes: Sequence[EntriesChange]) -> list[bool]:
        if len({change.key for change in changes}) != len(changes):
            raise ValueError("changes are of distinct decisions")
        statements = [Statement(place, self._statement(change)) for place, change in enumerate(changes)]
        refused = set(self._calls.execute(statements))
        return [place not in refused for place in range(len(changes))]

    def write_with_history(self, change: EntriesChange, history: HistoryChange) -> bool:
        try:
            write_together(
                self._client,
                [
                    entries_action(self._table, change),
                    {"Update": {"TableName": self._table, **history_update(history)}},
                ],
            )
        except Outdated:
            return False
        return True

    def _statement(self, change: EntriesChange) -> str:
        """An update as JSON text: the list as it is to be, the key, and the conditions."""
        texts = [entries_text(change.after), change.key.partition, change.key.place, Outcome.GRANTED.value]
        if change.notice_locale:
            texts.insert(1, change.notice_locale)
        if change.before:
            texts.append(entries_text(change.before))
        statement = self._updates[bool(change.notice_locale), not change.before]
        parameters = ",".join([f'{{"S":{encode_basestring_ascii(text)}}}' for text in texts])
        return f'{{"Statement":{statement},"Parameters":[{parameters}]}}'


def _update(table: str, *, is_told: bool, is_first: bool) -> str:
    """An update of a list on the condition that it is as it was read: its parameters in the order of the text."""
    told = f' SET "{NOTICE_LOCALE}"=?' if is_told else ""
    stands = f'"{CREDITS}" IS MISSING' if is_first else f'"{CREDITS}"=?'
    return f'UPDATE "{table}" SET "{CREDITS}"=?{told} WHERE "pk"=? AND "sk"=? AND "status"=? AND {stands}'  # noqa: S608 - the table's name and ours


def read_booked(item: dict[str, Any]) -> Booked:
    """A decision back from its item (or from a stream record's image), with what became of its credits."""
    return Booked(read_entry(item), stored_entries(item), item[NOTICE_LOCALE]["S"] if NOTICE_LOCALE in item else "")


def booked_item(booked: Booked) -> dict[str, Any]:
    """A decision as its whole item, with what became of its credits."""
    item = entry_item(booked.entry)
    if booked.entries:
        item[CREDITS] = {"S": entries_text(booked.entries)}
    if booked.notice_locale:
        item[NOTICE_LOCALE] = {"S": booked.notice_locale}
    return item


def stored_entries(item: dict[str, Any]) -> CreditEntries:
    """The entries on a decision's item."""
    return read_entries(item[CREDITS]["S"]) if CREDITS in item else ()


def entries_action(table: str, change: EntriesChange) -> dict[str, Any]:
    """A list of entries in a transaction, as it was read before."""
    names = {"#credits": CREDITS, "#status": "status"}
    values = {":after": {"S": entries_text(change.after)}, ":granted": {"S": Outcome.GRANTED.value}}
    condition = "#status = :granted AND attribute_not_exists(#credits)"
    if change.before:
        condition = "#status = :granted AND #credits = :before"
        values[":before"] = {"S": entries_text(change.before)}
    told = "SET #credits = :after"
    if change.notice_locale:
        told += ", #told = :told"
        names["#told"], values[":told"] = NOTICE_LOCALE, {"S": change.notice_locale}
    return {
        "Update": {
            "TableName": table,
            "Key": {"pk": {"S": change.key.partition}, "sk": {"S": change.key.place}},
            "UpdateExpression": told,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
    }
