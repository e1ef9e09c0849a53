"""Which items a store takes for what: those of its own kind, behind a place, up to a number, and no others."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.adapters import drafts_table
from kulanz.adapters import index_items as index
from kulanz.adapters.campaign_keys import campaign_of_partition, campaign_partition
from kulanz.adapters.case_table import DynamoCases
from kulanz.adapters.credit_entries import booked_item, read_booked
from kulanz.adapters.delivery_items import delivery_of_partition, delivery_partition
from kulanz.adapters.drafts_table import DynamoDrafts
from kulanz.adapters.incident_items import is_revision, read_revision
from kulanz.adapters.index_table import DynamoIndex
from kulanz.adapters.ledger_table import is_decision
from kulanz.adapters.repairs import LambdaWorkers
from kulanz.adapters.void_table import void_of_partition, void_partition
from kulanz.application.cases.store import Proposal
from kulanz.application.delivery.world import Booked
from kulanz.application.ports import TryAgain
from kulanz.domain.audit import About, AuditEntry
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.drafts.reported import order_text
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.ledger.hand_decision import HandDecision, Way
from tests.support.values import NOW, entry, revision

ID = CampaignId("an-incident", 7)

# Places

PLACES: dict[str, tuple[Callable[[str], Any], Any, str]] = {
    "a campaign": (campaign_of_partition, ID, campaign_partition(ID)),
    "a void": (void_of_partition, VoidId(ID, "wrong"), void_partition(VoidId(ID, "wrong"))),
    "a delivery": (delivery_of_partition, DeliveryId("billing", 3), delivery_partition(DeliveryId("billing", 3))),
}


@pytest.mark.parametrize("name", PLACES)
@pytest.mark.parametrize("of", PLACES)
def test_a_partition_is_that_of_one_kind_of_thing(name: str, of: str) -> None:
    read, one, _ = PLACES[name]
    assert read(PLACES[of][2]) == (one if name == of else None)
    for other in ("INCIDENT#an-incident", "ACCOUNT#a", "OPEN", "", "CAMPAIGN#", "VOID#a#b", "DELIVERY#a", "VOID#a#x#v"):
        assert read(other) is None


@pytest.mark.parametrize(
    ("partition", "place", "of_revision", "of_decision"),
    [
        ("INCIDENT#out", "REVISION#0000001", True, False), ("INCIDENT#out", "INCIDENT", False, False),
        ("CAMPAIGN#out#001", "REVISION#0000001", False, False), ("ACCOUNT#a", "DECISION#out#-#001", False, True),
        ("ACCOUNT#a", "DECISION#out#-#001#ENTRY#1", False, False), ("ACCOUNT#a", "GOODWILL#g", False, False),
    ],
)  # fmt: skip
def test_a_record_of_a_stream_is_known_by_its_place(
    partition: str, place: str, of_revision: bool, of_decision: bool
) -> None:
    item = {"pk": {"S": partition}, "sk": {"S": place}}
    assert (is_revision(item), is_decision(item)) == (of_revision, of_decision)


# Repairs


def test_whoever_is_to_work_again_gets_the_records_that_it_missed_and_nobody_else_does() -> None:
    invoked: list[tuple[str, Any]] = []

    def invoke(FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803
        invoked.append((FunctionName, json.loads(Payload)["Records"]))
        return {}

    workers = LambdaWorkers(SimpleNamespace(invoke=invoke), "advances", "publishes")
    voided = CreditEntry(EntryKind.REDUCED, NOW, "kulanz", "void/7/wrong", (0,), sizes=(5,))
    decisions = [Booked(entry("a"), (voided,), "de"), Booked(entry("b"), ())]
    workers.advance(ID)
    workers.publish_decisions(decisions)
    workers.publish_revisions([revision(3), revision(4)])
    assert [name for name, _ in invoked] == ["advances", "publishes", "publishes"]
    ((moved,), told, revised) = (records for _, records in invoked)
    assert (moved["eventName"], moved["dynamodb"]["Keys"]["pk"]["S"]) == ("MODIFY", campaign_partition(ID))
    assert moved["dynamodb"]["Keys"]["sk"]["S"] == "META"
    assert [read_booked(one["dynamodb"]["NewImage"]) for one in told] == decisions
    assert [read_revision(one["dynamodb"]["NewImage"]) for one in revised] == [revision(3), revision(4)]
    for one, item in zip(told, map(booked_item, decisions), strict=True):
        assert one["dynamodb"]["Keys"] == {name: item[name] for name in ("pk", "sk")}
    assert {one["eventName"] for one in (*told, *revised)} == {"INSERT"}
    failing = LambdaWorkers(SimpleNamespace(invoke=lambda **_: {"FunctionError": "Unhandled"}), "a", "p")
    with pytest.raises(TryAgain):
        failing.advance(ID)


# Pages of an index


class Tables:
    """Two tables, each with its partitions; a query answers what lies behind a place, up to its limit."""

    def __init__(self, **tables: list[dict[str, Any]]) -> None:
        self._tables = tables

    def query(self, TableName: str, ExpressionAttributeValues: Any, Limit: int, **asked: Any) -> dict[str, Any]:  # noqa: N803
        """What a partition has."""
        assert asked["ConsistentRead"]
        values = {name: value["S"] for name, value in ExpressionAttributeValues.items()}
        found = sorted(
            (one for one in self._tables.get(TableName, []) if one["pk"]["S"] == values[":pk"]),
            key=lambda one: str(one["sk"]["S"]),
            reverse=not asked.get("ScanIndexForward", True),
        )
        kept = [
            one
            for one in found
            if one["sk"]["S"] > values.get(":after", "")
            and (":before" not in values or one["sk"]["S"] < values[":before"])
        ]
        return {"Items": kept[:Limit]}


def _entries() -> list[AuditEntry]:
    at = NOW.replace(hour=1)
    return [
        AuditEntry(at + timedelta(minutes=n), "sso:anna", "did", About.CAMPAIGN, "i/1", str(n), "why", f"c-{n}")
        for n in range(7)
    ]


@pytest.mark.parametrize("most", [1, 2, 3, 6, 7, 8])
def test_a_day_of_the_log_is_read_from_both_tables_in_one_order_and_no_entry_is_lost_or_repeated(most: int) -> None:
    entries = _entries()
    day = [index.audit_items(one)[0] for one in entries]
    client = Tables(campaigns=day[::2], credits=day[1::2])
    store = DynamoIndex(client, "campaigns", "credits")
    found: list[AuditEntry] = []
    after, pages = "", 0
    while True:
        page = store.audit_of_day(date(2026, 3, 1), after, most)
        found += page.found
        pages += 1
        after = page.after
        if not after:
            break
    assert found == entries
    assert pages == -(-len(entries) // most)


def test_additions_are_read_from_an_instant_on_behind_a_place_and_the_last_one_is_the_latest() -> None:
    def added(number: int) -> Addition:
        key = replace(entry(f"A-{number}").key, incident_id=ID.incident_id, seq=ID.seq)
        return Addition(AdditionKind.GOODWILL, key, NOW + timedelta(seconds=number), "anna")

    additions = [added(number) for number in range(4)]
    items = [index.addition_item(one) for one in additions]
    store = DynamoIndex(Tables(credits=items), "campaigns", "credits")
    assert list(store.additions(ID).found) == additions
    assert list(store.additions_from(ID, NOW + timedelta(seconds=2)).found) == additions[2:]
    page = store.additions(ID, most=2)
    assert list(page.found) == additions[:2]
    assert list(store.additions_from(ID, NOW, page.after).found) == additions[2:]
    assert store.last_addition(ID) == additions[-1]
    assert store.last_addition(CampaignId("another", 1)) is None


def test_campaigns_of_a_policy_are_those_before_an_instant_the_latest_first() -> None:
    items = [
        {"pk": {"S": "POLICY#p"}, "sk": {"S": f"{index.placed(NOW + timedelta(days=n))}#CAMPAIGN#i#00{n}"}}
        for n in range(1, 5)
    ]
    store = DynamoIndex(Tables(campaigns=items), "campaigns", "credits")
    found = store.latest_under("p", NOW + timedelta(days=4), 2)
    assert [(one.id.seq, one.at) for one in found] == [(n, NOW + timedelta(days=n)) for n in (3, 2)]


@given(st.lists(st.integers(0, 10**14 - 1), min_size=2, max_size=6, unique=True))
def test_places_of_instants_and_offsets_sort_as_these_do(offsets: list[int]) -> None:
    instants = [NOW + timedelta(microseconds=offset // 10_000) for offset in offsets]
    assert [index.placed(one) for one in sorted(instants)] == sorted(map(index.placed, instants))


# What waits


HAND = HandDecision("h-1", NOW, Way.DECLINE, Decision(Outcome.DECLINED, "too_short"), "code", "title", "sso:anna")
PROPOSED = Proposal(DecisionKey("A-1", "an-incident", "line-1", 7), HAND, "seen", 1_900_000_000)


def test_a_decision_that_waits_for_a_second_person_reads_back_until_it_waits_no_more() -> None:
    stored: dict[tuple[str, str], Any] = {}

    def write(TransactItems: list[dict[str, Any]], **_: Any) -> None:  # noqa: N803
        for one in TransactItems:
            if "Put" in one:
                item = one["Put"]["Item"]
                stored[item["pk"]["S"], item["sk"]["S"]] = item

    def get(Key: Any, **_: Any) -> dict[str, Any]:  # noqa: N803
        item = stored.get((Key["pk"]["S"], Key["sk"]["S"]))
        return {} if item is None else {"Item": item}

    open_keys: list[dict[str, Any]] = []
    client = SimpleNamespace(transact_write_items=write, get_item=get, query=lambda **_: {"Items": open_keys})
    store = DynamoCases(client, "credits", "campaigns")
    assert store.proposal(PROPOSED.key) is None
    store.propose(PROPOSED, None)
    assert store.proposal(PROPOSED.key) == PROPOSED
    open_keys += [{"sk": {"S": f"CASE#{PROPOSED.hash}"}}, {"sk": {"S": "CASE#gone"}}]
    assert store.proposals("", 5) == ([PROPOSED], "")
    waits = stored["ACCOUNT#A-1", "PROPOSED#an-incident#line-1#007"]
    waits["waits"] = {"BOOL": False}
    assert store.proposal(PROPOSED.key) is None
    assert store.proposals("", 5) == ([], "")


@pytest.mark.parametrize("last", [None, NOW])
def test_changes_of_a_component_are_those_of_it_alone(monkeypatch: pytest.MonkeyPatch, last: Any) -> None:
    asked: list[Any] = []

    def query(*said: Any) -> Any:
        asked.append(said[2:])
        return [{"report": {"S": json.dumps(names)}} for names in (["c-1", "c-2"], ["c-2"], ["c-1"])]

    monkeypatch.setattr(drafts_table, "query", query)
    monkeypatch.setattr(
        drafts_table,
        "reported_of",
        lambda names: SimpleNamespace(changes=[SimpleNamespace(component=one) for one in names]),
    )
    client: Any = SimpleNamespace(query=None)
    found = DynamoDrafts(client, "t").changes("status", "c-1", NOW - timedelta(days=1), last)
    assert [one.component for one in found] == ["c-1", "c-1"]
    ((partition, prefix, first, until),) = asked
    assert (partition, prefix) == ("COMPONENT#status#c-1", drafts_table.CHANGE_PREFIX)
    at = order_text(NOW)
    assert first < at
    assert until.startswith(at) is (last is not None)
    assert until > at
