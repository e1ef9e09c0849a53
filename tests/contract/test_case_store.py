"""The contract of CaseStore: a case is decided once, with all that this changes, or nothing of it is written."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.cases.store import HandStep, Proposal, Rejection
from kulanz.application.ports import Outdated
from kulanz.domain.budgets import Draw
from kulanz.domain.byhand.counts import Count, CountOf, CountStep, steps_with
from kulanz.domain.byhand.discretion import ByHand
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.halt import NEVER_SET, HaltAction, Verb, after
from kulanz.domain.incident_record import IncidentRecord, with_revision
from kulanz.domain.ledger.additions import AdditionKind
from kulanz.domain.ledger.entries import Entry, HistoryChange, decided_by_hand
from kulanz.domain.ledger.hand_decision import CaseKind, CaseRow, HandDecision, Way
from kulanz.domain.money import Money
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.policy.deciding.history import Addition, HistoryKey, SubjectHistory
from tests.contract.backends import AwsBackend, Backend
from tests.support.values import FIRST, NOW, declared, entry, revision

LATER = NOW + timedelta(days=3)
HELD_BODY = '{"outcome":"held","reason":"fee_unknown"}'
GRANTED_BODY = '{"benefits":[{"money":[500,"EUR"]}],"outcome":"granted","reason":"credit"}'
FIVE = Decision(Outcome.GRANTED, "credit", (Benefit(money=Money(500, "EUR")),), mode="automatic")
HAND = HandDecision("d-1", LATER, Way.POLICY, FIVE, "known_fact", "The fact is known", "sso:anna", note="n")
PERSON = CountOf(ByHand.CASES, "2026-03", "EUR", person="sso:anna")
ACCOUNT = CountOf(ByHand.CASES, "2026-03", "EUR", account="held")


def held(backend: Backend, account: str = "held") -> tuple[Entry, IncidentRecord]:
    """A held decision in the ledger, and the incident's record."""
    one = entry(account, body=HELD_BODY, status=Outcome.HELD, remaining=())
    backend.ledger.insert([one])
    record = declared()
    if backend.campaigns.incident(record.incident_id) is None:
        backend.campaigns.record_revision(None, record, revision())
    return one, record


def step_of(one: Entry, record: IncidentRecord, hand: HandDecision = HAND, **changes: object) -> HandStep:
    """What deciding it is."""
    return replace(HandStep(one, decided_by_hand(one, hand), record), **changes)  # type: ignore[arg-type]


def counts(backend: Backend) -> tuple[CountStep, ...]:
    """The counts of the month with what is decided."""
    return steps_with(backend.cases.counts([PERSON, ACCOUNT]), "sso:anna", 500)


def test_a_case_is_decided_once_and_its_body_stays(backend: Backend) -> None:
    one, record = held(backend)
    step = step_of(one, record, counts=counts(backend), draws=(Draw("EUR", "2026-03", 500),))
    backend.cases.decide(step)
    (stands,) = backend.ledger.of_account("held")
    assert stands == step.decided
    assert (stands.body, stands.status, stands.remaining) == (one.body, Outcome.GRANTED, (500,))
    assert backend.campaigns.budget("EUR", "2026-03").spent == 500
    assert backend.cases.counts([PERSON, ACCOUNT]) == (Count(PERSON, 500, 1), Count(ACCOUNT, 500, 1))
    assert backend.cases.decided(FIRST).counts == {(CaseKind.HELD, Outcome.GRANTED): 1}
    assert backend.cases.decided(FIRST).granted == {"EUR": 500}
    other = replace(HAND, id="d-2", person="sso:ben", at=LATER + timedelta(days=1))
    with pytest.raises(Outdated):
        backend.cases.decide(step_of(one, record, other, counts=counts(backend)))
    assert backend.ledger.of_account("held") == [stands]
    assert backend.cases.counts([PERSON])[0].size == 500


def test_what_is_granted_is_an_addition_and_what_is_declined_is_none(backend: Backend) -> None:
    one, record = held(backend)
    backend.cases.decide(step_of(one, record))
    other, _ = held(backend, "other")
    declined = replace(HAND, decision=Decision(Outcome.DECLINED, "other"), way=Way.DECLINE)
    backend.cases.decide(step_of(other, record, declined))
    (added,) = backend.index.additions(FIRST).found
    assert (added.kind, added.key, added.actor, added.at) == (AdditionKind.DECIDED, one.key, "sso:anna", LATER)
    assert (backend.deliveries.added(FIRST).number, backend.deliveries.added(FIRST).worth) == (1, {"EUR": 500})
    assert backend.cases.decided(FIRST).counts == {
        (CaseKind.HELD, Outcome.GRANTED): 1,
        (CaseKind.HELD, Outcome.DECLINED): 1,
    }


def test_nothing_is_decided_after_the_incident_moved(backend: Backend) -> None:
    one, record = held(backend)
    second = revision(2)
    moved = with_revision(record, second, decidable_days=400)
    assert moved is not None
    backend.campaigns.record_revision(record, moved, second)
    with pytest.raises(Outdated):
        backend.cases.decide(step_of(one, record))
    assert backend.ledger.of_account("held") == [one]


def test_nothing_is_decided_nor_proposed_in_a_halted_stack(backend: Backend) -> None:
    one, record = held(backend)
    halted = HaltAction("halt", Verb.SET, "sso:anna", "amounts ten times too large", NOW)
    backend.campaigns.change_halt(NEVER_SET, after(NEVER_SET, halted, NOBODY_LISTED), halted)
    with pytest.raises(Outdated):
        backend.cases.decide(step_of(one, record))
    with pytest.raises(Outdated):
        backend.cases.propose(Proposal(one.key, HAND, "seen", one.ttl), None)
    assert backend.ledger.of_account("held") == [one]
    assert backend.cases.proposal(one.key) is None


def test_a_count_that_moved_since_refuses_the_step(backend: Backend) -> None:
    one, record = held(backend)
    two, _ = held(backend, "other")
    read = counts(backend)
    backend.cases.decide(step_of(two, record, counts=counts(backend)[:1]))
    with pytest.raises(Outdated):
        backend.cases.decide(step_of(one, record, counts=read))
    assert backend.ledger.of_account("held") == [one]
    assert backend.cases.counts([ACCOUNT])[0].size == 0


def test_a_history_that_moved_since_refuses_the_step(backend: Backend) -> None:
    one, record = held(backend)
    key = HistoryKey("held", "a-policy", "-")
    added = SubjectHistory().with_addition(record.incident_id, Addition(NOW, {"paid": 5}), NOW)
    with pytest.raises(Outdated):
        backend.cases.decide(step_of(one, record, history=HistoryChange(key, added, added)))
    assert backend.ledger.of_account("held") == [one]
    backend.cases.decide(step_of(one, record, history=HistoryChange(key, SubjectHistory(), added)))
    assert backend.ledger.histories([key]) == {key: added}


def test_a_proposal_waits_until_it_is_decided_by_what_was_proposed(backend: Backend) -> None:
    one, record = held(backend)
    proposal = Proposal(one.key, HAND, "seen", one.ttl)
    backend.cases.propose(proposal, None)
    assert backend.cases.proposal(one.key) == proposal
    assert backend.cases.proposals("", 10)[0] == [proposal]
    with pytest.raises(Outdated):
        backend.cases.propose(replace(proposal, seen="other"), None)
    with pytest.raises(Outdated):
        backend.cases.decide(step_of(one, record))  # whoever decides has read that nothing waits
    agreed = replace(HAND, second="sso:carla", second_id="s-1")
    with pytest.raises(Outdated):
        backend.cases.decide(step_of(one, record, agreed, waiting=replace(proposal, seen="other")))
    backend.cases.decide(step_of(one, record, agreed, waiting=proposal))
    assert backend.cases.proposal(one.key) is None
    assert backend.cases.proposals("", 10)[0] == []
    assert backend.ledger.of_account("held")[0].by_hand == agreed


def test_a_rejected_proposal_waits_no_more_and_another_may(backend: Backend) -> None:
    one, _ = held(backend)
    proposal = Proposal(one.key, HAND, "seen", one.ttl)
    backend.cases.propose(proposal, None)
    backend.cases.reject(proposal, Rejection(proposal.hash, "sso:carla", "s-1", "too much"), LATER)
    with pytest.raises(Outdated):
        backend.cases.reject(proposal, Rejection(proposal.hash, "sso:carla", "s-2", "too much"), LATER)
    assert backend.cases.proposal(one.key) is None
    assert backend.cases.rejection(one.key) == Rejection(proposal.hash, "sso:carla", "s-1", "too much")
    again = replace(proposal, hand=replace(HAND, id="d-2"))
    backend.cases.propose(again, None)
    assert backend.cases.rejection(one.key) is None
    late = replace(proposal, hand=replace(HAND, id="d-3"))
    backend.cases.propose(late, again)
    assert backend.cases.proposals("", 10)[0] == [late]


def test_proposals_are_listed_some_at_a_time(backend: Backend) -> None:
    for number in range(3):
        one, _ = held(backend, f"held-{number}")
        backend.cases.propose(Proposal(one.key, HAND, "seen", one.ttl), None)
    found, after_ = backend.cases.proposals("", 2)
    rest, _ = backend.cases.proposals(after_, 2)
    assert {one.key.account_id for one in (*found, *rest)} == {"held-0", "held-1", "held-2"}


def recognised(backend: Backend, account: str, offset: int = 77) -> HandStep:
    """What deciding a rejected row for an account is; nothing of it is in the ledger."""
    record = declared()
    if backend.campaigns.incident(record.incident_id) is None:
        backend.campaigns.record_revision(None, record, revision())
    row = CaseRow(CaseKind.REJECTED, offset)
    unwritten = replace(entry(account, body=HELD_BODY, status=Outcome.HELD, remaining=()), origin=offset)
    return HandStep(unwritten, decided_by_hand(unwritten, replace(HAND, row=row)), record)


def test_a_rejected_row_is_written_once_for_one_account(backend: Backend) -> None:
    step = recognised(backend, "held")
    backend.cases.decide(step)
    assert backend.ledger.of_account("held") == [step.decided]
    assert backend.cases.recognised(FIRST, 77, 78) == {77: step.decided.key}
    assert backend.cases.recognised(FIRST, 0, 77) == backend.cases.recognised(FIRST, 78, 10**12) == {}
    assert backend.cases.decided(FIRST).counts == {(CaseKind.REJECTED, Outcome.GRANTED): 1}
    (added,) = backend.index.additions(FIRST).found
    assert (added.kind, added.key) == (AdditionKind.RECOGNISED, step.decided.key)
    for other in (recognised(backend, "other"), recognised(backend, "held", 90)):
        with pytest.raises(Outdated):
            backend.cases.decide(other)
    assert backend.ledger.of_account("other") == []
    assert backend.cases.recognised(FIRST, 0, 10**12) == {77: step.decided.key}
    assert backend.deliveries.added(FIRST).number == 1


def test_what_is_given_beside_what_stands_leaves_that_as_it_is(backend: Backend) -> None:
    stands = entry("held", remaining=(500,), status=Outcome.GRANTED, body=GRANTED_BODY)
    backend.ledger.insert([stands])
    backend.campaigns.record_revision(None, declared(), revision())
    torn = replace(HAND, row=CaseRow(CaseKind.CONFLICT, 77))
    step = step_of(stands, declared(), torn)
    backend.cases.decide(step)
    (now,) = backend.ledger.of_account("held")
    assert now == step.decided
    assert (now.effective_at, now.status, now.remaining) == (stands.effective_at, Outcome.GRANTED, (500, 500))
    assert backend.deliveries.added(FIRST).worth == {"EUR": 500}
    assert backend.cases.decided(FIRST).counts == {(CaseKind.CONFLICT, Outcome.GRANTED): 1}
    with pytest.raises(Outdated):
        backend.cases.decide(step_of(stands, declared(), replace(torn, id="d-2")))


def test_a_contradiction_that_is_declined_adds_nothing(backend: Backend) -> None:
    stands = entry("held", remaining=(500,), status=Outcome.GRANTED, body=GRANTED_BODY)
    backend.ledger.insert([stands])
    backend.campaigns.record_revision(None, declared(), revision())
    declined = replace(
        HAND, decision=Decision(Outcome.DECLINED, "other"), way=Way.DECLINE, row=CaseRow(CaseKind.CONFLICT, 77)
    )
    backend.cases.decide(step_of(stands, declared(), declined))
    (now,) = backend.ledger.of_account("held")
    assert (now.status, now.remaining, now.by_hand) == (Outcome.GRANTED, (500,), declined)
    assert backend.index.additions(FIRST).found == ()
    assert backend.cases.decided(FIRST).counts == {(CaseKind.CONFLICT, Outcome.DECLINED): 1}


def test_what_a_case_lists_names_an_account_and_is_deleted_with_the_decision(backend: Backend) -> None:
    """What waited, whose it is, the addition and the entries of the audit log: none of them outlives the decision."""
    if not isinstance(backend, AwsBackend):
        pytest.skip("a table's own items")
    one, record = held(backend)
    proposal = Proposal(one.key, HAND, "seen", one.ttl)
    backend.cases.propose(proposal, None)
    backend.cases.decide(step_of(one, record, replace(HAND, second="sso:carla", second_id="s-1"), waiting=proposal))
    items = backend.dynamodb.scan(TableName=backend.credits_table)["Items"]
    (stands,) = backend.ledger.of_account("held")
    kept = {(item["pk"]["S"].partition("#")[0], item.get("ttl", {}).get("N")) for item in items}
    assert {place for place, _ in kept} == {"ACCOUNT", "ADDITIONS", "AUDIT", "ACTOR", "PROPOSED"}
    assert {ttl for _, ttl in kept} <= {str(one.ttl), str(stands.ttl)}


def test_the_audit_log_has_each_word_of_each_person_under_its_own_id(emulator: Backend) -> None:
    one, record = held(emulator)
    proposal = Proposal(one.key, HAND, "seen", one.ttl)
    emulator.cases.propose(proposal, None)
    emulator.cases.reject(proposal, Rejection(proposal.hash, "sso:carla", "s-1", "too much"), LATER)
    again = replace(HAND, id="d-2", at=LATER + timedelta(minutes=30))
    proposed = Proposal(one.key, again, "seen", one.ttl)
    emulator.cases.propose(proposed, None)
    agreed = replace(again, second="sso:dora", second_id="s-2", at=LATER + timedelta(hours=1))
    emulator.cases.decide(step_of(one, record, agreed, waiting=proposed))
    on = f"{one.key.campaign} {one.key.account_id} {one.key.subject}"
    logged = {
        person: [
            (found.action, found.on, found.cause, found.at) for found in emulator.index.audit_of_actor(person).found
        ]
        for person in ("sso:anna", "sso:carla", "sso:dora")
    }
    assert logged == {
        "sso:anna": [
            ("asked to decide", on, "d-1", LATER),
            ("asked to decide", on, "d-2", again.at),
            ("granted by hand", on, "d-2", agreed.at),
        ],
        "sso:carla": [("rejected", on, "s-1", LATER)],
        "sso:dora": [("agreed to", on, "s-2", agreed.at)],
    }
