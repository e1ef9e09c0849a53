"""What persons decide by hand at its edges: two measures, a history, a part to claim, the last instant, the workers of
a campaign that was stopped.
"""

import json
from decimal import Decimal
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, cancel, may_write_until
from kulanz.application.campaigns.read_history import HISTORY_OF_FORMER_ID, Read
from kulanz.application.cases import waiting
from kulanz.application.cases.case import CasePorts, _is_amended, find_case
from kulanz.application.cases.waiting import counted
from kulanz.application.ledger.answer import HELD_ALL_THE_SAME
from kulanz.domain.byhand.counts import CountOf
from kulanz.domain.byhand.discretion import ByHand
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, Totals, WriteResult
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.ledger.hand_decision import CaseKind
from kulanz.domain.policy.deciding.history import NO_HISTORY
from kulanz.domain.time import MICROSECOND
from tests.support.by_hand import CARLA, DISCRETION, decide, door_of, look, second, seen
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, list_of, row, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_door import ANNA
from tests.support.yearly_cap import incident, outage
from tests.support.yearly_cap import world as yearly_world
from tests.unit.application.cases.test_waiting import closed, pages

HELD = "held"
BY_AMOUNT: dict[str, Any] = {"way": "amount", "amount": "1.00", "measure": "EUR"}


def yearly(*incidents: str) -> World:
    """Incidents under a policy that keeps a history; the fee of one account is not known."""
    world = yearly_world()
    content = b"account_id,fee,excluded\nsmall,20.00,no\nheld,,no\n"
    for day, name in enumerate(incidents, 1):
        world.lists.upload("lists/all.csv", content)
        told = incident(name, outage(day))
        told["detail"]["campaign"]["affected"]["rows"] = 2
        world.publish(told)
        world.run_until_quiet()
        assert world.campaign(f"{name}/1").state is State.CLOSED
    return world


@pytest.mark.parametrize(
    ("fee", "state"), [("49.90", "decided"), ("50.00", "decided"), ("50.10", "waits"), ("500.00", "waits")]
)
def test_each_measure_of_a_decision_is_within_what_one_person_may(fee: str, state: str) -> None:
    """A tenth of the fee, of which one person may give 5.00, beside twenty minutes of a hundred."""
    reply = decide(door_of(closed()), "held-2", facts={"fee": fee})
    assert (reply.status, reply.content.get("state")) == (200, state), reply.content


@pytest.mark.parametrize(("fee", "by_second"), [("40.00", False), ("80.00", True)])
def test_each_measure_of_a_decision_counts_for_its_asker_and_the_account(fee: str, by_second: bool) -> None:
    """Also where a second person agreed to it: then nothing counts for that one."""
    door = door_of(closed())
    came = decide(door, "held-2", facts={"fee": fee}).content
    if by_second:
        assert second(door, "held-2", CARLA, came["hash"]).content["state"] == "decided"
    month = f"{door.world.now:%Y-%m}"

    def counted_of(measure: str, **of: str) -> Any:
        (found,) = door.cases.counts([CountOf(ByHand.CASES, month, measure, **of)])
        return found.size

    expected = {"EUR": int(Decimal(fee) * 10), "call_minute": 20}
    found = {one: counted_of(one, person=ANNA.id) for one in expected}
    assert found == {one: counted_of(one, account="held-2") for one in expected} == expected
    assert [counted_of(one, person=CARLA.id) for one in expected] == [0, 0]
    assert [counted_of(one, account="held-1") for one in expected] == [0, 0]


def test_minutes_above_a_limit_wait_though_the_money_does_not() -> None:
    few = {"alone": dict.fromkeys(("decision", "person_month", "account_month"), "19")}
    two = {"two": dict.fromkeys(("decision", "person_month", "account_month"), "100")}
    file = {**DISCRETION, "cases": {**DISCRETION["cases"], "call_minute": {**few, **two}}}
    assert decide(door_of(closed(), file), "held-2", facts={"fee": "10.00"}).content["state"] == "waits"


def test_an_amount_by_hand_does_not_pass_a_history_by() -> None:
    door = door_of(yearly("in-1"))
    assert door.get(f"cases/one/{HELD}/in-1/1").content["no_amount"]["reason"] == "history_needs_policy"
    assert door_of(closed()).get(f"cases/one/held-2/{CAMPAIGN}").content["no_amount"] is None
    refused = decide(door, HELD, campaign="in-1/1", **BY_AMOUNT)
    assert (refused.status, refused.content["reason"]) == (409, "history_needs_policy")
    assert decide(door, HELD, campaign="in-1/1", name="d-2", facts={"fee": "10.00"}).content["state"] == "decided"
    again = yearly("in-1")
    assert decide(door_of(again), HELD, campaign="in-1/1", way="decline").content["state"] == "decided"


def test_what_another_incident_gave_since_makes_it_another_case() -> None:
    door = door_of(yearly("in-1", "in-2"))
    mine = seen(door, HELD, "in-1/1")
    assert decide(door, HELD, campaign="in-2/1", facts={"fee": "4.00"}).content["state"] == "decided"
    refused = decide(door, HELD, campaign="in-1/1", name="d-2", seen=mine, facts={"fee": "4.00"})
    assert (refused.status, refused.content["reason"]) == (409, "case_changed")
    assert decide(door, HELD, campaign="in-1/1", name="d-3", facts={"fee": "4.00"}).content["state"] == "decided"


def test_it_is_explained_by_the_history_that_it_was_decided_by() -> None:
    """The list was decided before the account had anything; the person decides after another incident paid it."""
    door = door_of(yearly("in-1", "in-2"))
    for name, incident_id in (("d-1", "in-1"), ("d-2", "in-2")):
        assert decide(door, HELD, campaign=f"{incident_id}/1", name=name, facts={"fee": "4.00"}).status == 200
    steps = {one["campaign"]: one["steps"] for one in door.get(f"accounts/{HELD}").content["decisions"]}
    for campaign, kept in (("in-1/1", "nothing."), ("in-2/1", "paid in 2026: 2.00 EUR")):
        by_person = steps[campaign][next(n for n, text in enumerate(steps[campaign]) if "Decided by hand" in text) :]
        (said,) = [text for text in by_person if text.startswith("Kept of earlier incidents:")]
        assert kept in said, campaign
        assert any(text.startswith("Granted: 2.00 EUR") for text in by_person)


def test_a_part_to_claim_is_no_decision_by_hand() -> None:
    parts = (
        "kulanz: 1\nid: parts\nversion: 1\ntitle: T\ncurrency: EUR\nfacts: {fee: money, extra: money}\n"
        "heads:\n  - {name: auto, pay: fee}\n  - {name: more, pay: extra, mode: claim}\n"
    )
    world = World()
    world.policies.publish("parts", 1, sealed_policy(parts))
    world.lists.upload("lists/parts.csv", b"account_id,fee,extra\nheld,,2.00\nplain,,0.00\n")
    world.publish(event(key="lists/parts.csv", rows=2, policy="parts"))
    world.run_until_quiet()
    door = door_of(world)
    refused = decide(door, "held", campaign=f"{INCIDENT_ID}/1", facts={"fee": "1.00"})
    assert (refused.status, refused.content["reason"]) == (409, "policy_does_not_grant")
    assert "a part to claim" in refused.content["detail"]
    allowed = decide(door, "plain", campaign=f"{INCIDENT_ID}/1", facts={"fee": "1.00"})
    assert allowed.content["state"] == "decided", allowed.content


def test_a_case_is_decided_until_the_incident_may_not_be_decided_any_more() -> None:
    world = closed()
    until = world.campaign(CAMPAIGN).decidable_until
    door = door_of(world)
    world.now = until
    refused = decide(door, "held-2", facts={"fee": "30.00"})
    assert (refused.status, refused.content["reason"]) == (409, "too_late")
    world.now = until - MICROSECOND
    assert decide(door, "held-2", name="d-2", facts={"fee": "30.00"}).content["state"] == "decided"


def test_no_case_is_decided_while_workers_of_a_later_campaign_may_write() -> None:
    world = closed()
    door = door_of(world)
    world.lists.upload("lists/later.csv", list_of([row("other-1")]))
    world.publish(event(key="lists/later.csv", rows=1, detail_type="Incident Amended", revision=2))
    second = CampaignId(INCIDENT_ID, 2)
    while (found := world.campaigns.campaign(second)) is None or found.state is not State.APPLYING:
        world.run(world.steps()[0])
    cancel(second, ControlPorts(world.campaigns, world.chunks, world.stores), "wrong", Cause("a", "b", "c"), world.now)
    until = may_write_until(world.campaign(str(second)), world.campaigns)
    assert until is not None
    world.now = until - MICROSECOND
    refused = decide(door, "held-2", **BY_AMOUNT)
    assert (refused.status, refused.content["reason"]) == (409, "later_campaign")
    world.now = until
    assert decide(door, "held-2", name="d-2", **BY_AMOUNT).content["state"] == "decided"


def test_every_line_that_left_a_decision_of_a_persons_or_none_is_a_case_and_no_other() -> None:
    written = {WriteResult.WRITTEN, WriteResult.ALREADY}
    for result in RowResult:
        for write_result in WriteResult:
            totals = Totals()
            totals.counts[CountKey(result, "because", write_result)] = 3
            expected: CaseKind | None = None
            if write_result is WriteResult.HELD_SINCE:
                expected = CaseKind.HELD
            elif write_result is WriteResult.CONFLICT:
                expected = CaseKind.CONFLICT
            elif result is RowResult.REJECTED:
                expected = CaseKind.REJECTED
            elif write_result in written and result in (RowResult.HELD, RowResult.REFERRED):
                expected = CaseKind(result.value)
            assert dict(counted(totals)) == ({} if expected is None else {expected: 3}), (result, write_result)


def test_what_a_second_person_agrees_to_by_the_policy_is_decided_with_its_history() -> None:
    door = door_of(yearly("in-1", "in-2"))
    waits = decide(door, HELD, campaign="in-1/1", facts={"fee": "20.00"}).content
    assert waits["state"] == "waits"
    agreed = second(door, HELD, CARLA, waits["hash"], campaign="in-1/1")
    assert (agreed.status, agreed.content["state"]) == (200, "decided"), agreed.content
    shown = door.get(f"cases/one/{HELD}/in-2/1", facts=json.dumps({"fee": "4.00"})).content
    (said,) = [text for text in shown["would_owe"][0]["steps"] if text.startswith("Kept of earlier incidents:")]
    assert "paid in 2026: 10.00 EUR" in said


def test_a_history_is_changed_only_by_what_the_policy_counts() -> None:
    for world, account, campaign, body, changes in (
        (closed(), "held-2", CAMPAIGN, {"facts": {"fee": "30.00"}}, False),
        (closed(), "held-2", CAMPAIGN, BY_AMOUNT, False),
        (yearly("in-1"), HELD, "in-1/1", {"way": "decline"}, False),
        (yearly("in-1"), HELD, "in-1/1", {"facts": {"fee": "4.00"}}, True),
    ):
        door = door_of(world)
        assert decide(door, account, campaign=campaign, **body).content["state"] == "decided"
        assert [one.history is not None for one in door.cases.steps] == [changes]


def test_an_account_with_a_history_under_its_former_id_is_held_whatever_is_supplied() -> None:
    world = yearly("in-1")
    rows = b"account_id,fee,excluded,account_was,account_since\nnew,,no,small,2026-02-01T23:00:00Z\n"
    world.lists.upload("lists/all.csv", rows)
    told = incident("in-2", outage(2))
    told["detail"]["campaign"]["affected"]["rows"] = 1
    world.publish(told)
    world.run_until_quiet()
    ports = CasePorts(world.campaigns, world.lists, world.ledger, world.cases)
    case = find_case(DecisionKey("new", "in-2", "-", 1), ports, world.now)
    assert case.read == Read(NO_HISTORY, HISTORY_OF_FORMER_ID)
    owed = case.owed({"fee": "4.00"})
    assert owed.decision == Decision(Outcome.HELD, HISTORY_OF_FORMER_ID)
    assert owed.steps[-1] == HELD_ALL_THE_SAME[HISTORY_OF_FORMER_ID]


def test_a_row_that_says_the_same_as_the_decided_one_is_no_case() -> None:
    lines = [row("twice-1"), row("twice-1"), row("twice-1", fee="1.00")]
    world = small_world(list_of(lines))
    world.publish(event(rows=3))
    world.run_until_quiet()
    start = len(list_of([])) + 1
    door = door_of(world)
    offsets = [start, start + len(lines[0]) + 1, start + 2 * (len(lines[0]) + 1)]
    assert [look(door, "twice-1", row=at).status for at in offsets] == [404, 409, 200]
    same = look(door, "twice-1", row=offsets[1]).content["detail"]
    assert same == "that row of the list contradicts no decided row of the account"


@pytest.mark.parametrize(("limit", "most"), [("LINES_PER_ANSWER", 1), ("READS_PER_ANSWER", 1)])
def test_an_answer_about_what_waits_ends_where_it_has_read_enough(
    limit: str, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = closed()
    (whole,) = pages(world)
    monkeypatch.setattr(waiting, "LINES_TOGETHER", 1)
    monkeypatch.setattr(waiting, limit, most)
    found = pages(world)
    assert len(found) > 3
    assert [one for page in found for one in page] == whole
    assert pages(world, seconds_left=waiting.SECONDS_FOR_MORE - 0.01)[1:], "and where little time is left"
    monkeypatch.setattr(waiting, limit, 10**9)
    assert pages(world, seconds_left=waiting.SECONDS_FOR_MORE) == [whole]


def test_only_the_policy_decides_over_what_was_read_and_only_its_decision_says_so() -> None:
    """Of rows that contradict each other: an amount stands beside what the first one was granted, and so does a no."""
    accounts = ("by-policy", "by-amount", "declined")
    lines = [row(one, fee=fee) for fee in ("10.00", "30.00") for one in accounts]
    world = small_world(list_of(lines))
    world.publish(event(rows=len(lines)))
    world.run_until_quiet()
    door, content = door_of(world), list_of(lines)
    ways: dict[str, dict[str, Any]] = {
        "by-policy": {}, "by-amount": BY_AMOUNT, "declined": {"way": "decline"},
    }  # fmt: skip
    for account, way in ways.items():
        reply = decide(door, account, row=content.index(row(account, fee="30.00")), **way)
        assert reply.content.get("state") == "decided", reply.content
    hands = {one: world.ledger.of_account(one)[-1].by_hand for one in accounts}
    assert {one: None if hand is None else dict(hand.earlier or {}) for one, hand in hands.items()} == {
        "by-policy": {"EUR": "100", "call_minute": "20"}, "by-amount": {}, "declined": {},
    }  # fmt: skip


def test_a_no_to_a_case_with_a_history_keeps_nothing_of_it() -> None:
    read = {}
    for way in ({"way": "decline"}, {"facts": {"fee": "8.00"}}):
        world = yearly("in-1", "in-2")
        first, then = (f"in-{number}/1" for number in (1, 2))
        door = door_of(world)
        assert decide(door, "held", campaign=first, facts={"fee": "8.00"}).content["state"] == "decided"
        assert decide(door, "held", name="d-2", campaign=then, **way).content.get("state") == "decided"
        (hand,) = [one.by_hand for one in world.ledger.of_account("held") if one.key.incident_id == "in-2"]
        assert hand is not None
        read[str(next(iter(way)))] = bool(hand.history)
    assert read == {"way": False, "facts": True}


@pytest.mark.parametrize("gone", [(), (1,), (2,), (1, 2)])
def test_an_incident_of_which_a_revision_is_missing_is_taken_for_amended(gone: tuple[int, ...]) -> None:
    """What the policy would decide by is not known then: nothing is granted by it."""
    world = closed()
    world.publish(event(rows=1, detail_type="Incident Updated", revision=2, title="Other words", campaign=...))
    world.run_until_quiet()
    campaign, incident = world.campaign(CAMPAIGN), world.campaigns.incident(INCIDENT_ID)
    assert incident is not None
    kept = world.campaigns.revision

    class Campaigns:
        frozen = staticmethod(world.campaigns.frozen)

        def revision(self, incident_id: str, number: int) -> Any:
            return None if number in gone else kept(incident_id, number)

    some: Any = Campaigns()
    assert _is_amended(campaign, incident, some) is bool(gone)
