"""Transactions of decisions with their histories, against a DynamoDB that cancels, conflicts and throttles."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from kulanz.adapters import ledger_table
from kulanz.adapters.aws import ENTRY_ATTEMPTS, RETRIED_REASONS
from kulanz.adapters.ledger_table import WITH_HISTORY_PER_TRANSACTION, DynamoLedger, entry_item
from kulanz.adapters.offers import DynamoOffers
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.ledger.entries import Entry, EntryWithFormer, EntryWithHistory, HistoryChange, HistoryMoved
from kulanz.domain.ledger.former_accounts import FORMER_IDS_MOST
from kulanz.domain.policy.deciding.history import (
    HISTORY_BYTES,
    HISTORY_LIFE,
    HISTORY_PARTS,
    Addition,
    HistoryKey,
    SubjectHistory,
)
from tests.support.values import NOW, declared, entry

SECRET = "account-4711"
TRANSACTION_ACTIONS = 100
TRANSACTION_BYTES = 4_000_000


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []
    monkeypatch.setattr(ledger_table, "time", SimpleNamespace(sleep=waited.append))
    return waited


def cancelled(*codes: str) -> ClientError:
    answer: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": SECRET},
        "CancellationReasons": [{"Code": code} for code in codes],
    }
    return ClientError(answer, "TransactWriteItems")


class Table:
    """A client that answers transactions from a script, and reads what is `standing`."""

    def __init__(self, script: Sequence[Exception | None], standing: Sequence[Entry] = ()) -> None:
        self._script = iter(script)
        self._standing = [entry_item(one) for one in standing]
        self.meta = None
        self.written: list[list[str]] = []

    def transact_write_items(self, TransactItems: list[dict[str, Any]]) -> None:  # noqa: N803 - boto3's own name
        self.written.append([action["Put"]["Item"]["pk"]["S"] for action in TransactItems[::2]])
        answer = next(self._script)
        if answer is not None:
            raise answer

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - boto3's own name
        ((table, asked),) = RequestItems.items()
        assert asked["ConsistentRead"] is True
        return {"Responses": {table: [item for item in self._standing if _key(item) in asked["Keys"]]}}


def _key(item: dict[str, Any]) -> dict[str, Any]:
    return {"pk": item["pk"], "sk": item["sk"]}


def kept(account_id: str) -> EntryWithHistory:
    after = SubjectHistory().with_addition("net-outage", Addition(NOW, {"paid_2026": 1}), NOW)
    return EntryWithHistory(entry(account_id), HistoryChange(HistoryKey(account_id, "a", "-"), SubjectHistory(), after))


def insert(table: Table, entries: Sequence[EntryWithHistory], monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.setattr(ledger_table, "InsertCalls", lambda *_: None)
    return DynamoLedger(table, "credits", 4).insert_with_history(entries)


def test_one_failed_condition_costs_the_others_of_its_transaction_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(
        [cancelled("None", "None", "ConditionalCheckFailed", "None", "None", "ConditionalCheckFailed"), None],
        standing=[entry("b", origin=7)],
    )
    found = insert(table, [kept("a"), kept("b"), kept("c")], monkeypatch)
    assert found == [None, entry("b", origin=7), HistoryMoved.MOVED]
    assert table.written == [["ACCOUNT#a", "ACCOUNT#b", "ACCOUNT#c"], ["ACCOUNT#a"]]


@pytest.mark.parametrize("code", sorted(RETRIED_REASONS))
def test_conflicts_and_throttles_are_sent_again_after_a_wait(
    code: str, monkeypatch: pytest.MonkeyPatch, waits: list[float]
) -> None:
    table = Table([cancelled(code, "None"), cancelled("None", code), None])
    assert insert(table, [kept("a")], monkeypatch) == [None]
    assert len(waits) == 2


def test_conflicts_that_do_not_end_let_the_message_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table([cancelled("TransactionConflict", "None")] * ENTRY_ATTEMPTS)
    with pytest.raises(TryAgain):
        insert(table, [kept("a")], monkeypatch)
    assert len(table.written) == ENTRY_ATTEMPTS


def test_what_a_repetition_cannot_mend_is_refused_without_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    for reasons in (("ValidationError", "None"), ("None", "ItemCollectionSizeLimitExceeded"), ()):
        with pytest.raises(Refused) as caught:
            insert(Table([cancelled(*reasons)]), [kept("a")], monkeypatch)
        assert SECRET not in str(caught.value)


def test_a_lost_reply_is_not_a_failure_but_a_reason_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TryAgain):
        insert(Table([ReadTimeoutError(endpoint_url="x")]), [kept("a")], monkeypatch)
    ours = Table([cancelled("ConditionalCheckFailed", "ConditionalCheckFailed")], standing=[entry("a")])
    assert insert(ours, [kept("a")], monkeypatch) == [entry("a")]


def test_an_account_that_changed_is_sent_again_by_itself(monkeypatch: pytest.MonkeyPatch, waits: list[float]) -> None:
    monkeypatch.setattr(ledger_table, "InsertCalls", lambda *_: None)
    some = [EntryWithFormer(entry(account), (entry(f"was-{account}"),)) for account in ("a", "b", "c")]
    script = [cancelled("TransactionConflict", "None"), None, cancelled("None", "ConditionalCheckFailed"), None]
    table = Table(script, standing=[entry("was-b", origin=7)])
    assert DynamoLedger(table, "credits", 4).insert_with_former(some) == [None, entry("was-b", origin=7), None]
    assert len(waits) == 1
    with pytest.raises(TryAgain):
        DynamoLedger(Table([script[0]] * ENTRY_ATTEMPTS), "credits", 4).insert_with_former(some)


def test_an_account_with_as_many_ids_as_are_looked_at_fits_a_transaction() -> None:
    ids_most, histories_most = 1 + 2 * FORMER_IDS_MOST, 2
    assert ids_most + histories_most <= TRANSACTION_ACTIONS


@pytest.mark.parametrize("decision_days", [0, 4_000])
def test_a_history_is_stored_as_long_as_anything_of_it_counts_and_as_its_decision(
    decision_days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger_table, "InsertCalls", lambda *_: None)
    one = replace(entry("a"), ttl=entry("a").ttl + decision_days * 86_400)
    lapsed = Addition(NOW, {"paid": 1})
    offered = SubjectHistory(
        1, {"net-outage": replace(lapsed, ended_at=NOW - HISTORY_LIFE, lapses_at=NOW, lapsed=lapsed)}
    )
    change = HistoryChange(HistoryKey("a", "a", "-"), offered, offered)
    client, written = SimpleNamespace(), list[dict[str, Any]]()
    client.transact_write_items = lambda **asked: written.extend(asked["TransactItems"])
    DynamoLedger(client, "credits", 4).insert_with_history([EntryWithHistory(one, change)])
    DynamoOffers(client, "credits", "campaigns").accept(one, one, declared(), "support", change)

    items = [action["Put"]["Item"] for action in written if "Put" in action]
    purged_at = [int(item["ttl"]["N"]) for item in items if item["sk"]["S"].startswith("STATE#")]
    assert len(purged_at) == 2
    for ttl in purged_at:
        assert ttl >= one.ttl
        assert ttl >= (NOW + HISTORY_LIFE).timestamp()


def test_many_entries_go_in_transactions_that_dynamodb_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table([None] * 3)
    assert insert(table, [kept(f"a-{number}") for number in range(60)], monkeypatch) == [None] * 60
    assert [len(accounts) for accounts in table.written] == [25, 25, 10]
    assert 2 * WITH_HISTORY_PER_TRANSACTION <= TRANSACTION_ACTIONS
    addition_bytes, settled_bytes, decision_bytes = 60 * HISTORY_PARTS, HISTORY_BYTES, HISTORY_BYTES + 4_096
    largest = HISTORY_BYTES + addition_bytes + settled_bytes + decision_bytes
    assert WITH_HISTORY_PER_TRANSACTION * largest < TRANSACTION_BYTES
