"""Approvals, stops, revisions, acceptances and a halt, raced by threads over real transactions (DynamoDB Local alone).

`tests/unit/application/campaigns/test_at_once.py` enumerates the orders of their calls; here the calls truly meet.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from threading import Event

import pytest

from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.application.campaigns.control_campaign import ControlPorts, cancel
from kulanz.application.ledger.confirm_tables import confirm_tables
from kulanz.application.ports import AtTheGate, Outdated
from kulanz.domain.campaigns.campaign import Cause, State
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.canonical import canonical_json
from kulanz.domain.confirmation import Occasion
from kulanz.domain.decision import Outcome
from kulanz.domain.gate.approval import Approval, ApprovalRefused
from kulanz.domain.gate.filed_plan import FiledPlan, file_plan
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.halt import HaltAction, Verb, after
from kulanz.domain.incident_record import decision_digest, with_revision
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.contract.backends import AwsBackend
from tests.contract.conftest import DYNAMODB_LOCAL
from tests.contract.test_races import RACERS, STEPS, Racer, race
from tests.support.fake_messages import FakeChunks
from tests.support.small_campaign import FACTS_MEANT
from tests.support.values import CAUSE, FIRST, INCIDENT, NOW, OPENING, change, declared, entry, frozen, opened, revision
from tests.support.values import totals as some_totals

CONTENT = canonical_json({**FACTS_MEANT, "windows": [*FACTS_MEANT["windows"]], "title": "Down"}).encode()
AMENDED = canonical_json({**FACTS_MEANT, "cause": "storm", "title": "Down"}).encode()
LATER = NOW + timedelta(hours=1)

pytestmark = pytest.mark.parametrize("emulator", [DYNAMODB_LOCAL], indirect=True)


def waiting_plan(aws: AwsBackend) -> FiledPlan:
    """A campaign whose filed plan waits for two persons, over confirmed tables."""
    store, record = aws.campaigns, declared()
    store.record_revision(None, record, revision(content=CONTENT))
    after_opening, new = opened(record)
    store.open(record, after_opening, new, frozen(), OPENING)
    plan = file_plan(
        new, some_totals(), Measured(), (), decision_digest=decision_digest(CONTENT), read="e" * 64, planned_at=NOW
    )
    store.change_state(new, change(new, State.AWAITING_APPROVAL), AtTheGate(plan=plan))
    confirm_tables(aws.stores, Occasion.CHECKED, "a person", "a new stack", NOW)
    return plan


def approve(racer: Racer, aws: AwsBackend, plan: FiledPlan, name: str) -> str:
    """What became of a person's yes: empty where it counts."""
    person = f"iam:arn:aws:iam::123456789012:user/{name}"
    approval = Approval(f"{name}-yes", person, plan.hash, (), LATER)
    try:
        decide_plan(
            FIRST, approval, Person(person), GatePorts(racer.campaigns, aws.stores, SAFE, NOBODY_LISTED), "test"
        )
    except ApprovalRefused as refused:
        return refused.reason
    return ""


def check_log(aws: AwsBackend) -> list[State]:
    """The states of the campaign, of which each was left for the next; what it occupies and may have granted fits."""
    log, record = aws.campaigns.log(FIRST), aws.campaigns.incident(INCIDENT)
    assert record is not None
    assert [change.number for change in log] == list(range(1, len(log) + 1))
    assert [change.source for change in log] == [None, *(change.target for change in log[:-1])]
    states = [change.target for change in log]
    assert states.count(State.APPLYING) <= 1
    assert (record.applied == (FIRST.seq,)) is (State.APPLYING in states)
    assert (record.open_seq is None) is (states[-1] is State.CANCELLED)
    return states


def test_of_racing_approvers_two_start_one_execution_and_the_others_are_refused(emulator: AwsBackend) -> None:
    plan = waiting_plan(emulator)

    came = race(emulator, lambda racer: approve(racer, emulator, plan, f"person-{racer.number}"))

    assert sorted(came) == ["", "", *["not_waiting"] * (RACERS - 2)]
    assert check_log(emulator) == [
        State.PLANNING, State.AWAITING_APPROVAL, State.AWAITING_APPROVAL, State.APPLYING
    ]  # fmt: skip
    counted = {f"person-{number}-yes" for number, reason in enumerate(came) if not reason}
    assert {action.id for action in emulator.campaigns.actions(FIRST)} == counted


def test_one_person_at_every_keyboard_is_one_approval(emulator: AwsBackend) -> None:
    plan = waiting_plan(emulator)
    came = race(emulator, lambda racer: approve(racer, emulator, plan, "anna"))
    assert came == [""] * RACERS, "the same request again is the same answer"
    assert [action.id for action in emulator.campaigns.actions(FIRST)] == ["anna-yes"]
    assert check_log(emulator)[-1] is State.AWAITING_APPROVAL


def stop(racer: Racer, aws: AwsBackend) -> str:
    ports = ControlPorts(racer.campaigns, FakeChunks(), aws.stores)
    cancel(FIRST, ports, "wrong", Cause(f"racer-{racer.number}", f"{racer.number}", "test"), LATER)
    return ""


def amend(racer: Racer, _: AwsBackend) -> str:
    """A revision that decides otherwise; tried again where the record has moved, as the function does."""
    told = replace(revision(2, content=AMENDED), detail_type="Incident Amended")
    while True:
        before = racer.campaigns.incident(INCIDENT)
        moved = with_revision(before, told, decidable_days=400)
        assert before is not None
        if moved is None:
            return ""
        try:
            racer.campaigns.record_revision(before, moved, told)
        except Outdated:
            continue
        return ""


@pytest.mark.parametrize("against", [stop, amend], ids=["a cancellation", "an amendment"])
def test_the_last_approver_and_what_stops_a_plan_have_one_order(
    emulator: AwsBackend, against: Callable[[Racer, AwsBackend], str]
) -> None:
    plan = waiting_plan(emulator)
    assert approve(Racer(0, emulator), emulator, plan, "anna") == ""

    def act(racer: Racer) -> str:
        if racer.number % 2:
            return against(racer, emulator)
        return approve(racer, emulator, plan, f"person-{racer.number}")

    came = race(emulator, act)

    states = check_log(emulator)
    started = State.APPLYING in states
    assert came[::2].count("") == started, "an approval that counts starts the execution, and no other does"
    refused = {reason for reason in came[::2] if reason}
    assert refused <= ({"not_waiting"} if against is stop else {"not_waiting", "incident_changed"})
    assert started or against is stop or refused == {"incident_changed"}
    assert (states[-1] is State.CANCELLED) is (against is stop)
    record = emulator.campaigns.incident(INCIDENT)
    assert record is not None
    assert record.highest_revision == (2 if against is amend else 1)


def test_no_acceptance_that_begins_after_a_halt_is_made(emulator: AwsBackend) -> None:
    record, is_halted = declared(), Event()
    emulator.campaigns.record_revision(None, record, revision())
    offers = [entry(f"offered-{number:03d}", status=Outcome.OFFERED) for number in range(RACERS * STEPS)]
    emulator.ledger.insert(offers)

    def act(racer: Racer) -> tuple[int, int]:
        made = refused = 0
        for step in range(STEPS):
            if racer.number == 0 and step == STEPS // 2:
                before = racer.campaigns.halt()
                action = HaltAction("halt", Verb.SET, CAUSE.actor, "amounts ten times too large", LATER)
                racer.campaigns.change_halt(before, after(before, action, NOBODY_LISTED), action)
                is_halted.set()
            offer, was_halted = offers[racer.number * STEPS + step], is_halted.is_set()
            grant = replace(offer, status=Outcome.GRANTED, effective_at=LATER)
            try:
                racer.offers.accept(offer, grant, record, f"sso:{racer.number}")
            except Outdated:
                refused += 1
                continue
            assert not was_halted, "accepted in a halted stack"
            made += 1
        return made, refused

    came = race(emulator, act)

    assert all(refused for _, refused in came[:1]), "the racer that halts is refused from then on"
    granted = [one for offer in offers for one in emulator.ledger.of_account(offer.key.account_id)]
    assert sum(one.status is Outcome.GRANTED for one in granted) == sum(made for made, _ in came) > 0
