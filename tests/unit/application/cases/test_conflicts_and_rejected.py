"""Contradicting and rejected rows are cases: a person decides them once, and everything that counts counts it."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import pytest

from kulanz.application.ledger.check_ledger import check_ledger
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.void import VoidState
from kulanz.domain.ledger.hand_decision import CaseKind
from tests.support.by_hand import CARLA, decide, door_of, look, second
from tests.support.small_campaign import CAMPAIGN, HEADER, event, list_of, row, small_world
from tests.support.world import ANNA, BEN, World
from tests.support.world_door import WorldDoor, check_ports
from tests.support.world_voids import approved, asked, run_voids
from tests.unit.application.cases.test_deciding import entry_of, granted, later
from tests.unit.application.cases.test_waiting import names, pages
from tests.unit.application.delivery.test_additions import a_day_later, booked, line
from tests.unit.application.delivery.test_additions import granted as ledger_grants

TO_BILL = HEADER + b",biller_account"
LINES: Mapping[str, bytes] = {
    "less": row("torn-1", fee="20.00"),
    "more": row("torn-1", fee="30.00"),
    "not at all": row("torn-2", affected="no"),
    "in fact": row("torn-2", fee="10.00"),
    "wrong fact": row("bad-fee", fee="29.901"),
    "wrong account": row("b#d", fee="40.00"),
    "no account": row(""),
    "open": row("held-1", fee=""),
    "right": row("right-1", fee="10.00"),
}


@cache
def _closed(header: bytes = HEADER) -> World:
    lines = list(LINES.values())
    if header == TO_BILL:
        lines = [one + b",K-" + one.split(b",")[0].replace(b"#", b"") for one in lines]
    world = small_world(list_of(lines, header), channel=Channel("billing"))
    world.publish(event(rows=len(lines)))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return world


def closed(header: bytes = HEADER) -> World:
    """A closed campaign over two contradictions, three rows that cannot be read, and two that can."""
    return _closed(header).copy()


def at(name: str) -> int:
    """Where a line of the list starts."""
    before = list(LINES.values())[: list(LINES).index(name)]
    return len(HEADER) + 1 + sum(len(one) + 1 for one in before)


def law_holds(world: World) -> None:
    """The ledger, entry by entry, is what the counters say."""
    found = check_ledger(CampaignId.parse(CAMPAIGN), check_ports(WorldDoor(world)), world.now)
    assert (found.differences, found.beyond, found.broken) == ((), (), ())


def test_a_contradicting_row_is_granted_beside_what_stands_and_no_more_than_it_comes_to() -> None:
    world = closed()
    door = door_of(world)
    shown = look(door, "torn-1", row=at("more")).content
    assert (shown["kind"], shown["row"]["fee"], shown["earlier"]) == (
        "conflict", "30.00", {"EUR": "200", "call_minute": "20"},
    )  # fmt: skip
    (owed,) = shown["would_owe"]
    assert owed["decision"]["benefits"][0]["money"] == [100, "EUR"]
    first = entry_of(world, "torn-1")
    reply = decide(door, "torn-1", row=at("more"))
    assert (reply.status, reply.content["state"]) == (200, "decided"), reply.content
    assert granted(world, "torn-1") == {"EUR": 300, "call_minute": 20}
    stands = entry_of(world, "torn-1")
    assert (stands.body, stands.effective_at, stands.expires_at) == (first.body, first.effective_at, first.expires_at)
    assert ("conflict", "torn-1") not in names(pages(world)[0])
    law_holds(world)


def test_the_lesser_row_or_a_decline_leaves_what_stands_and_closes_the_case() -> None:
    world = closed()
    door = door_of(world)
    before = granted(world, "torn-1")
    reply = decide(door, "torn-1", row=at("more"), way="decline")
    assert reply.content["by_hand"]["decision"]["outcome"] == "declined"
    assert granted(world, "torn-1") == before
    assert entry_of(world, "torn-1").status is Outcome.GRANTED
    assert ("conflict", "torn-1") not in names(pages(world)[0])
    assert look(door, "torn-1", row=at("more")).content["closed"]["reason"] == "decided"
    assert door.cases.additions(CampaignId.parse(CAMPAIGN)) == []
    law_holds(world)


def test_who_was_declined_by_one_row_is_granted_by_the_other() -> None:
    world = closed()
    reply = decide(door_of(world), "torn-2", row=at("in fact"))
    assert reply.status == 200, reply.content
    assert granted(world, "torn-2") == {"EUR": 100, "call_minute": 20}
    law_holds(world)


@pytest.mark.parametrize(
    ("name", "account", "facts", "owed"),
    [
        ("wrong fact", "bad-fee", {"fee": "29.90"}, {"EUR": 299, "call_minute": 20}),
        ("wrong account", "b-d", {}, {"EUR": 400, "call_minute": 20}),
    ],
)
def test_a_rejected_row_is_granted_to_the_account_that_a_person_recognises(
    name: str, account: str, facts: Mapping[str, str], owed: Mapping[str, int]
) -> None:
    world = closed()
    door = door_of(world)
    shown = look(door, account, row=at(name)).content
    assert (shown["kind"], shown["status"], shown["closed"]) == ("rejected", "held", None)
    assert world.ledger.of_account(account) == []
    reply = decide(door, account, row=at(name), facts=facts)
    assert (reply.status, reply.content["state"]) == (200, "decided"), reply.content
    assert granted(world, account) == owed
    left = {one.offset for one in pages(world, frozenset({CaseKind.REJECTED}))[0]}
    assert at(name) not in left
    assert len(left) == 2
    law_holds(world)
    counted = door.cases.decided(CampaignId.parse(CAMPAIGN)).counts
    assert counted == {(CaseKind.REJECTED, Outcome.GRANTED): 1}


def test_a_wrong_value_is_never_filled_in_by_a_default() -> None:
    """The row says something of the fee that nobody can read: without a person's word the policy holds it."""
    world = closed()
    door = door_of(world)
    (owed,) = look(door, "bad-fee", row=at("wrong fact")).content["would_owe"] or [{"decision": {"outcome": "held"}}]
    assert owed["decision"]["outcome"] == "held"
    refused = decide(door, "bad-fee", row=at("wrong fact"))
    assert (refused.status, refused.content["reason"]) == (409, "policy_does_not_grant")
    assert world.ledger.of_account("bad-fee") == []


def test_a_later_list_that_has_the_account_right_pays_nothing_more() -> None:
    world = closed()
    door = door_of(world)
    decide(door, "b-d", row=at("wrong account"))
    decide(door, "torn-1", row=at("more"), name="d-2")
    later(world, row("b-d", fee="40.00"), row("torn-1", fee="30.00"), row("right-1", fee="10.00"))
    assert world.campaign("net-outage/2").state is State.CLOSED
    assert granted(world, "b-d") == {"EUR": 400, "call_minute": 20}
    assert granted(world, "torn-1") == {"EUR": 300, "call_minute": 20}


def test_what_a_later_list_paid_is_not_granted_by_the_rejected_row() -> None:
    world = closed()
    later(world, row("b-d", fee="40.00"))
    door = door_of(world)
    shown = look(door, "b-d", row=at("wrong account")).content
    assert shown["closed"]["reason"] == "superseded"
    refused = decide(door, "b-d", row=at("wrong account"), seen=shown["seen"])
    assert (refused.status, refused.content["reason"]) == (409, "superseded")
    assert granted(world, "b-d") == {"EUR": 400, "call_minute": 20}


def test_a_row_is_decided_once_whoever_is_recognised_in_it() -> None:
    world = closed()
    door = door_of(world)
    other = look(door, "b-e", row=at("wrong account")).content["seen"]
    first = decide(door, "b-d", row=at("wrong account"))
    assert decide(door, "b-d", row=at("wrong account"), seen=first.content.get("seen", "0" * 64)).status in (200, 409)
    refused = decide(door, "b-e", row=at("wrong account"), seen=other, name="d-2")
    assert (refused.status, refused.content["reason"]) == (409, "decided")
    assert world.ledger.of_account("b-e") == []
    assert len(door.cases.steps) == 1


REFUSED: Mapping[str, tuple[str, str, int, str]] = {
    "the row names another account": ("wrong fact", "other", 409, "row_of_another"),
    "the account has a row of its own": ("wrong account", "right-1", 200, "listed_elsewhere"),
    "a line where the policy decides accounts": ("wrong account", "b-d?subject=x", 409, "subject_unknown"),
    "the decided row": ("right", "right-1", 404, ""),
    "a duplicate of nothing": ("no account", "torn-1", 200, "listed_elsewhere"),
}


def test_what_is_no_case_of_an_account_is_refused_and_nothing_is_written() -> None:
    world = closed()
    door = door_of(world)
    before = {str(one.key): one for one in world.ledger.all_entries()}
    wrong = {}
    for what, (name, account, status, reason) in REFUSED.items():
        account_id, _, subject = account.partition("?subject=")
        query = {"row": str(at(name)), **({"subject": subject} if subject else {})}
        reply = door.get(f"cases/one/{account_id}/{CAMPAIGN}", **query)  # type: ignore[arg-type]
        closed_ = (reply.content.get("closed") or {}).get("reason", "") if reply.status == 200 else ""
        found = (reply.status, reply.content.get("reason", "") if reply.status != 200 else closed_)
        if found != (status, reason):
            wrong[what] = found
    for place in (0, at("right") + 1, 10**9):
        reply = look(door, "right-1", row=place)
        if (reply.status, reply.content.get("reason")) != (409, "not_a_case"):
            wrong[f"byte {place}"] = (reply.status, reply.content.get("reason"))
    assert wrong == {}
    assert {str(one.key): one for one in world.ledger.all_entries()} == before


def test_above_the_limit_a_second_person_agrees_to_a_row() -> None:
    world = closed()
    door = door_of(world)
    waits = decide(door, "b-d", row=at("wrong account"), way="amount", amount="20.00", measure="EUR")
    assert waits.content["state"] == "waits"
    assert world.ledger.of_account("b-d") == []
    agreed = second(door, "b-d", CARLA, waits.content["hash"])
    assert (agreed.status, agreed.content["state"]) == (200, "decided"), agreed.content
    assert granted(world, "b-d") == {"EUR": 2000}
    assert second(door, "b-d", CARLA, waits.content["hash"]).content == agreed.content
    law_holds(world)


@pytest.mark.parametrize("header", [HEADER, TO_BILL], ids=["by account", "by the biller's key"])
def test_what_is_granted_by_a_row_is_delivered_once_a_day_later(header: bytes) -> None:
    world = closed(header)
    door = door_of(world)
    offset_of = at if header == HEADER else _at_with_keys
    offsets = {name: offset_of(name) for name in ("more", "wrong fact", "wrong account")}
    conflict = decide(door, "torn-1", row=offsets["more"])
    assert conflict.status == 200, conflict.content
    fact = decide(door, "bad-fee", row=offsets["wrong fact"], facts={"fee": "29.90"}, name="d-2")
    assert fact.status == 200, fact.content
    unread = decide(door, "b-d", row=offsets["wrong account"], name="d-3")
    assert unread.status == (200 if header == HEADER else 409), unread.content
    if header == TO_BILL:
        assert unread.content["reason"] == "bill_unknown"
    a_day_later(world)
    assert booked(world) == ledger_grants(world)
    assert line(world)["by_state"].keys() == {"sent"}
    a_day_later(world)
    assert booked(world) == ledger_grants(world)
    law_holds(world)


def _at_with_keys(name: str) -> int:
    before = list(LINES.values())[: list(LINES).index(name)]
    keys = [b",K-" + one.split(b",")[0].replace(b"#", b"") for one in before]
    return len(TO_BILL) + 1 + sum(len(one) + len(key) + 1 for one, key in zip(before, keys, strict=True))


def test_a_void_of_the_campaign_takes_back_what_rows_were_granted_by_hand_and_not_what_comes_later() -> None:
    world = undelivered()
    door = door_of(world)
    decide(door, "torn-1", row=at("more"))
    decide(door, "b-d", row=at("wrong account"), name="d-2")
    void = asked(world, ANNA)
    run_voids(world)
    world.now += timedelta(seconds=5)
    came_later = decide(door, "bad-fee", row=at("wrong fact"), facts={"fee": "29.90"}, name="d-3")
    assert came_later.status == 200, came_later.content
    approved(world, void, BEN)
    run_voids(world)
    ended = world.voids.void(void.id)
    assert ended is not None
    assert ended.state is VoidState.VOIDED, ended.state_reason
    assert not any(granted(world, "b-d").values())
    assert not any(granted(world, "torn-1").values())
    assert granted(world, "bad-fee") == {"EUR": 299, "call_minute": 20}
    law_holds(world)


@cache
def _without_channel() -> World:
    lines = list(LINES.values())
    world = small_world(list_of(lines))
    world.publish(event(rows=len(lines)))
    world.run_until_quiet()
    return world


def undelivered() -> World:
    return _without_channel().copy()


def test_the_answer_says_how_a_row_was_decided() -> None:
    world = closed()
    door = door_of(world)
    decide(door, "b-d", row=at("wrong account"))
    decide(door, "torn-1", row=at("more"), name="d-2")
    (rejected,) = door.get("accounts/b-d").content["decisions"]
    assert rejected["explained"] == "agrees"
    assert "was rejected: account_id_invalid" in rejected["steps"][0]
    assert "A person recognised whose row it is." in rejected["steps"]
    (torn,) = door.get("accounts/torn-1").content["decisions"]
    assert any("contradicts the decided one" in step for step in torn["steps"])
    assert any("granted 1.00 EUR" in step and "beside what stands" in step for step in torn["steps"])


def test_limits_count_what_is_granted_more_and_not_what_stood() -> None:
    world = closed()
    door = door_of(world)
    decide(door, "torn-1", row=at("more"))
    (step,) = door.cases.steps
    assert {one.after.of.measure: one.after.size for one in step.counts if one.after.of.person} == {"EUR": 100}
    assert [(one.currency, one.amount) for one in step.draws] == [("EUR", 100)]


def test_nothing_is_granted_where_a_row_that_cannot_be_read_may_hide_a_former_id() -> None:
    """What the account was credited under its former id would not be set off."""
    header = HEADER + b",account_was,account_since"
    lines = [row("b#d", fee="40.00") + b",,", row("bad-fee", fee="29.901") + b",old-1,2026-01-01T00:00:00Z"]
    world = small_world(list_of([*lines, row("right-1") + b",,"], header))
    world.publish(event(rows=3))
    world.run_until_quiet()
    door = door_of(world)
    first = len(header) + 1
    for account, offset, facts in (("b-d", first, {}), ("bad-fee", first + len(lines[0]) + 1, {"fee": "29.90"})):
        refused = decide(door, account, row=offset, facts=facts, name=account)
        assert (refused.status, refused.content["reason"]) == (409, "former_unknown")
        assert world.ledger.of_account(account) == []
        declined = decide(door, account, row=offset, way="decline", name=f"no-{account}")
        assert declined.content["state"] == "decided", declined.content


def test_no_row_is_paid_by_hand_in_another_currency_than_it_states() -> None:
    """The plan refuses a list for such a row where it would be paid at once; a person states the amount."""
    states = HEADER + b",currency"
    wrong_fact, held = row("bad-fee", fee="29.901"), row("held-1", fee="")
    csv = list_of([wrong_fact + b",USD", held + b",USD", row("right-1") + b",EUR"], states)
    records = [
        {**_record(one), "currency": currency}
        for one, currency in ((wrong_fact, "USD"), (held, "USD"), (row("right-1"), "EUR"))
    ]
    jsonl = "".join(f"{json.dumps(one)}\n" for one in records).encode()
    found = {}
    for name, content, first in (("csv", csv, len(states) + 1), ("jsonl", jsonl, 0)):
        world = small_world(csv)
        world.lists.upload(f"lists/stated.{name}", content)
        world.publish(event(key=f"lists/stated.{name}", rows=3))
        world.run_until_quiet()
        assert world.campaign(CAMPAIGN).state is State.CLOSED, world.campaign(CAMPAIGN).state_reason
        door = door_of(world)
        places: Sequence[tuple[str, dict[str, Any]]] = (("bad-fee", {"row": first}), ("held-1", {}))
        for account, place in places:
            reply = decide(door, account, facts={"fee": "29.90"}, name=account, **place)
            found[name, account] = reply.status, reply.content.get("reason")
            stated = decide(
                door, account, way="amount", amount="2.00", measure="EUR", name=f"stated-{account}", **place
            )
            assert stated.status == 200, stated.content
            assert granted(world, account) == {"EUR": 200}
    assert set(found.values()) == {(409, "currency_differs")}, found


def _record(line_of_csv: bytes) -> dict[str, Any]:
    """A row as a record of JSON."""
    typed = {"yes": True, "no": False, "": None}
    fields = zip(HEADER.decode().split(","), line_of_csv.decode().split(","), strict=True)
    return {name: typed.get(cell, int(cell) if cell.isdigit() else cell) for name, cell in fields}
