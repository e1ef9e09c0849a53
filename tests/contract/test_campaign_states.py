"""The contract of CampaignStore's states: a change is logged, its conditions hold, and the incident knows of it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from kulanz.application.ports import AtTheGate, CampaignStore, KeptRequest, Outdated, Refused, Start
from kulanz.domain.campaigns.campaign import WAITING, CampaignId, Pass, State
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.gate.approval import Rejection
from kulanz.domain.gate.settings import Spent, SpentPlace
from kulanz.domain.halt import NEVER_SET, HaltAction, Verb
from kulanz.domain.halt import after as after_halt
from kulanz.domain.incident_record import IncidentRecord, with_revision
from kulanz.domain.people.people import NOBODY_LISTED
from tests.contract.backends import Backend
from tests.contract.stored_campaigns import known, open_first
from tests.support.values import (
    CAUSE,
    FIRST,
    INCIDENT,
    NOW,
    OPENING,
    approval,
    campaign,
    change,
    declared,
    filed,
    frozen,
    move,
    opened,
    receipt,
    revision,
)


@pytest.mark.parametrize(
    ("path", "open_seq", "applied"),
    [
        ([State.APPLYING], 1, (1,)),
        ([State.APPLYING, State.CLOSED], None, (1,)),
        ([State.REFUSED], None, ()),
        ([State.PAUSED], 1, ()),
        ([State.PAUSED, State.PLANNING], 1, ()),
        ([State.APPLYING, State.PAUSED, State.APPLYING], 1, (1,)),
        ([State.APPLYING, State.FLAGGED], 1, (1,)),
        ([State.APPLYING, State.CLOSED, State.FLAGGED], None, (1,)),
        ([State.APPLYING, State.FLAGGED, State.CLOSED], None, (1,)),
        ([State.PAUSED, State.FLAGGED], 1, ()),
        ([State.PAUSED, State.CANCELLED], None, ()),
        ([State.APPLYING, State.CANCELLED], None, (1,)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "x",
)
def test_a_change_of_state_is_logged_and_the_incident_knows(
    backend: Backend, path: list[State], open_seq: int | None, applied: tuple[int, ...]
) -> None:
    store = backend.campaigns
    open_first(store)
    changes = [OPENING]
    for target in path:
        changes += move(store, known(store), target, f"to {target}")

    found, record = known(store), store.incident(INCIDENT)
    assert (found.state, found.state_reason, found.log_count) == (path[-1], f"to {path[-1]}", len(changes))
    assert store.log(FIRST) == changes
    assert record is not None
    assert (record.open_seq, record.applied) == (open_seq, applied)
    assert store.waiting() == ([FIRST] if path[-1] in WAITING else [])


@pytest.mark.parametrize(("target", "open_seq"), [(State.REFUSED, None), (State.PAUSED, 1)])
def test_a_worker_stops_a_campaign_once_and_frees_its_incident_where_that_is_its_end(
    backend: Backend, target: State, open_seq: int | None
) -> None:
    store, worker = backend.campaigns, backend.campaign_work
    before = open_first(store)
    stop = change(before, target)

    worker.change_state(before, stop)
    worker.change_state(before, stop)  # the reply was lost
    with pytest.raises(Outdated):
        worker.change_state(before, replace(stop, reason="by another worker"))

    assert store.log(FIRST) == [OPENING, stop]
    record = store.incident(INCIDENT)
    assert record is not None
    assert (known(store).state, record.open_seq, worker.state_of(FIRST)) == (target, open_seq, target)


def test_no_worker_begins_an_execution(backend: Backend) -> None:
    store = backend.campaigns
    move(store, open_first(store), State.AWAITING_APPROVAL)
    waiting = known(store)
    with pytest.raises(AssertionError):
        backend.campaign_work.change_state(waiting, change(waiting, State.APPLYING))
    assert known(store) == waiting


def test_a_plan_its_approvals_and_the_sums_of_automatic_executions_are_kept(backend: Backend) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    assert (store.filed_plan(FIRST), store.actions(FIRST)) == (None, [])
    plan = filed(before)
    move(store, before, State.AWAITING_APPROVAL)
    said = [approval(plan), approval(plan, "ben")]
    for one in said:
        waiting = known(store)
        store.change_state(waiting, change(waiting, State.AWAITING_APPROVAL), AtTheGate(action=one))
    waiting, record = known(store), store.incident(INCIDENT)
    assert record is not None
    places = (SpentPlace(month="2026-03"), SpentPlace(incident_id=INCIDENT))
    spent = tuple(store.spent(place).with_plan({"EUR": 500, "call_minute": Decimal("0.5")}) for place in places)
    store.change_state(waiting, change(waiting, State.APPLYING), AtTheGate(start=Start(record, spent)))

    assert store.filed_plan(FIRST) == plan
    assert store.actions(FIRST) == said
    assert tuple(map(store.spent, places)) == spent
    assert store.spent(SpentPlace(month="2026-04")) == Spent(SpentPlace(month="2026-04"))


def test_a_rejection_is_kept_and_lets_the_incident_go(backend: Backend) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    move(store, before, State.AWAITING_APPROVAL)
    waiting, said = known(store), Rejection("no", "sso:ben", filed(before).hash, "another list", NOW)
    store.change_state(waiting, change(waiting, State.REJECTED), AtTheGate(action=said))

    record = store.incident(INCIDENT)
    assert record is not None
    assert (record.open_seq, record.applied, store.actions(FIRST)) == (None, (), [said])


def test_an_approval_by_one_person_alone_is_a_trouble_from_the_step_that_starts_the_execution(backend: Backend) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    move(store, before, State.AWAITING_APPROVAL)
    waiting, record = known(store), store.incident(INCIDENT)
    assert record is not None
    alone = Trouble(TroubleKind.GLASS_BROKEN, str(FIRST), NOW, NOW)
    late = Start(replace(record, version=record.version - 1))
    with pytest.raises(Outdated):
        store.change_state(waiting, change(waiting, State.APPLYING), AtTheGate(start=late, trouble=alone))
    assert backend.troubles.troubles() == []
    store.change_state(waiting, change(waiting, State.APPLYING), AtTheGate(start=Start(record), trouble=alone))
    assert backend.troubles.troubles() == [alone]
    assert store.waiting() == []


def _second_spending(store: CampaignStore, record: IncidentRecord) -> AtTheGate:
    """The start that counts as the second of its month, where there was none."""
    spent = store.spent(SpentPlace(month="2026-03")).with_plan({"EUR": 1})
    return AtTheGate(start=Start(record, (spent.with_plan({"EUR": 1}),)))


@pytest.mark.parametrize(
    "late",
    [
        lambda _, record: AtTheGate(action=approval(filed(campaign())), start=Start(record)),
        lambda _, record: AtTheGate(start=Start(replace(record, version=record.version - 1))),
        _second_spending,
    ],
    ids=["an id that is taken", "an incident that has moved", "another sum of the month"],
)
def test_a_start_whose_conditions_do_not_hold_is_not_written(
    backend: Backend, late: Callable[[CampaignStore, IncidentRecord], AtTheGate]
) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    move(store, before, State.AWAITING_APPROVAL)
    waiting = known(store)
    yes = AtTheGate(action=approval(filed(before)))
    store.change_state(waiting, change(waiting, State.AWAITING_APPROVAL), yes)
    waiting, record = known(store), store.incident(INCIDENT)
    assert record is not None

    with pytest.raises(Outdated):
        store.change_state(waiting, change(waiting, State.APPLYING), late(store, record))

    assert known(store) == waiting
    assert store.incident(INCIDENT) == record


@pytest.mark.parametrize("gate", [AtTheGate(), AtTheGate(plan=filed(campaign()))])
def test_no_execution_begins_without_a_start(backend: Backend, gate: AtTheGate) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    move(store, before, State.AWAITING_APPROVAL)
    waiting = known(store)
    with pytest.raises(AssertionError):
        store.change_state(waiting, change(waiting, State.APPLYING), gate)
    assert known(store) == waiting


def test_a_change_from_an_outdated_state_is_not_written(backend: Backend) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    store.change_state(before, change(before, State.PAUSED))

    with pytest.raises(Outdated):
        store.change_state(before, change(before, State.REFUSED))

    assert known(store).state is State.PAUSED
    assert len(store.log(FIRST)) == 2


def test_a_change_from_the_same_state_at_an_earlier_time_is_not_written(backend: Backend) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    store.change_state(before, change(before, State.PAUSED))
    store.change_state(known(store), change(known(store), State.PLANNING))

    with pytest.raises(Outdated):
        store.change_state(before, change(before, State.CANCELLED))
    assert known(store).state is State.PLANNING


def test_a_repeated_change_is_ours_and_logged_once(backend: Backend) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    for _ in range(2):
        store.change_state(before, change(before, State.AWAITING_APPROVAL), AtTheGate(plan=filed(before)))
    waiting, record = known(store), store.incident(INCIDENT)
    assert record is not None
    for _ in range(2):
        yes = AtTheGate(action=approval(filed(before)), start=Start(record))
        store.change_state(waiting, change(waiting, State.APPLYING), yes)

    assert len(store.log(FIRST)) == 3
    record = store.incident(INCIDENT)
    assert record is not None
    assert record.version == declared().version + 2


def test_receipts_do_not_make_a_change_of_state_outdated(backend: Backend) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    store.record_receipt(receipt(50, 450))
    store.change_state(before, change(before, State.PAUSED))

    assert known(store).state is State.PAUSED
    assert known(store).plan.bytes_done == 400


def test_an_event_over_a_record_from_before_the_change_is_outdated(backend: Backend) -> None:
    store, new = backend.campaigns, open_first(backend.campaigns)
    before = store.incident(INCIDENT)
    assert before is not None
    store.change_state(new, change(new, State.REFUSED))
    after = with_revision(before, revision(2), 400)
    assert after is not None

    with pytest.raises(Outdated):
        store.record_revision(before, after, revision(2))


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (lambda store: store.mark_dispatched(known(store), Pass.PLAN, 2), (2, 0, "")),
        (lambda store: store.mark_dispatched(known(store), Pass.APPLY, 3), (0, 3, "")),
        (lambda store: store.mark_announced(known(store), "3"), (0, 0, "3")),
    ],
    ids=["plan dispatched", "apply dispatched", "announced"],
)
def test_a_mark_says_one_thing_and_can_be_repeated(
    backend: Backend, mark: Callable[[CampaignStore], None], expected: tuple[bool, bool, str]
) -> None:
    store = backend.campaigns
    open_first(store)
    for _ in range(2):
        mark(store)

    found = known(store)
    assert (found.plan.sent, found.apply.sent, found.announced) == expected


@pytest.mark.parametrize("rests", [State.PAUSED, State.FLAGGED])
def test_chunks_that_were_sent_before_a_change_of_state_count_as_not_sent(backend: Backend, rests: State) -> None:
    store = backend.campaigns
    move(store, open_first(store), State.APPLYING)
    at_work = known(store)
    store.mark_dispatched(at_work, Pass.APPLY, 3)
    assert known(store).apply.sent

    store.change_state(at_work, change(at_work, rests))
    store.mark_dispatched(at_work, Pass.APPLY, 3)  # by who began to send them before

    assert not known(store).apply.sent


def test_a_campaign_that_does_not_exist_cannot_be_marked(backend: Backend) -> None:
    with pytest.raises(Refused):
        backend.campaigns.mark_dispatched(campaign(), Pass.PLAN, 1)
    assert backend.campaigns.campaign(FIRST) is None


def test_a_second_campaign_opens_after_the_first_was_refused(backend: Backend) -> None:
    store, first = backend.campaigns, open_first(backend.campaigns)
    store.change_state(first, change(first, State.REFUSED))
    before = store.incident(INCIDENT)
    assert before is not None
    after, second = opened(before, "request-2")
    store.open(before, after, second, frozen(), OPENING)

    assert [found.id.seq for found in store.campaigns_of(INCIDENT)] == [1, 2]
    assert second.id == CampaignId(INCIDENT, 2)
    assert store.log(second.id) == [OPENING]
    assert campaign(second.id, "request-2") == store.campaign(second.id)


def test_an_incident_knows_every_campaign_that_may_have_granted(backend: Backend) -> None:
    store, first = backend.campaigns, open_first(backend.campaigns)
    move(store, first, State.APPLYING)
    move(store, known(store), State.CLOSED)
    before = store.incident(INCIDENT)
    assert before is not None
    after, second = opened(before, "request-2")
    second = replace(second, follows=before.applied)
    store.open(before, after, second, frozen(), OPENING)
    move(store, second, State.APPLYING)

    found = store.incident(INCIDENT)
    assert found is not None
    assert found.applied == (1, 2)
    assert known(store, second.id).follows == (1,)


def test_instants_keep_their_microseconds(backend: Backend) -> None:
    new = open_first(backend.campaigns)
    stored = known(backend.campaigns)

    assert stored.decided_at == NOW
    assert stored.decidable_until == new.decidable_until == NOW + timedelta(days=400)
    assert backend.campaigns.log(FIRST)[0].cause == CAUSE


def test_a_request_that_waits_is_kept_once_until_it_is_forgotten(backend: Backend) -> None:
    store = backend.campaigns
    assert list(store.kept_requests()) == []
    first = KeptRequest("net-outage", "a" * 64, OPENING.at, CampaignId("net-outage", 1), '{"detail": {}}')
    other = replace(first, incident_id="another", after=CampaignId("another", 7))
    for request in (first, other, first):
        store.keep_request(request)
    assert list(store.kept_requests()) == [other, first]

    later = replace(first, opens_at=OPENING.at + timedelta(minutes=20), void="net-outage/1/wrong-list")
    store.keep_request(later)
    store.forget_request(first)
    assert list(store.kept_requests()) == [other, later], "it was kept anew"
    for _ in range(2):
        store.forget_request(later)
    assert list(store.kept_requests()) == [other]


def test_the_state_alone_is_that_of_the_campaign(backend: Backend) -> None:
    store = backend.campaigns
    assert store.state_of(FIRST) is None
    opened = open_first(store)
    assert store.state_of(opened.id) is State.PLANNING
    store.change_state(opened, change(opened, State.PAUSED))
    assert store.state_of(opened.id) is State.PAUSED


def test_the_halt_is_changed_once_and_keeps_an_execution_from_going_on(backend: Backend) -> None:
    store = backend.campaigns
    assert store.halt() == NEVER_SET
    on = HaltAction("stop-1", Verb.SET, "anna", "the amounts are wrong", OPENING.at)
    halted = after_halt(NEVER_SET, on, NOBODY_LISTED)
    opened = open_first(store)
    store.change_halt(NEVER_SET, halted, on)
    assert store.halt() == halted
    with pytest.raises(Outdated):
        store.change_halt(NEVER_SET, halted, replace(on, id="stop-2", person="bert"))
    with pytest.raises(Outdated):
        move(store, opened, State.APPLYING)
    assert store.state_of(opened.id) is State.AWAITING_APPROVAL

    halt = halted
    for person in ("anna", "bert"):
        lift = HaltAction(f"go-{person}", Verb.LIFT, f"sso:{person}", "they are right", OPENING.at)
        lifted = after_halt(halt, lift, NOBODY_LISTED)
        store.change_halt(halt, lifted, lift)
        halt = lifted
    assert not store.halt().is_on
    move(store, known(store), State.APPLYING)
    assert store.state_of(opened.id) is State.APPLYING
