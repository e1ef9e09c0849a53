"""The contract of OfferStore: an offer becomes a grant once, and only while its incident's record stands still."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kulanz.application.ports import Outdated
from kulanz.domain.decision import Outcome
from kulanz.domain.halt import LIFTED_BY_LONE_OPERATOR, NEVER_SET, HaltAction, Verb, after
from kulanz.domain.incident_record import IncidentRecord, with_revision
from kulanz.domain.ledger.entries import Entry, EntryWithHistory, HistoryChange
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.policy.deciding.history import Addition, HistoryKey, SubjectHistory
from tests.contract.backends import AwsBackend, Backend
from tests.support.values import NOW, declared, entry, revision

LATER = NOW + timedelta(days=3)


def offered(backend: Backend, expires_at: datetime | None = None) -> tuple[Entry, Entry, IncidentRecord]:
    """An offer that stands in the ledger, the grant it becomes, and the incident's record."""
    offer = entry("offered", status=Outcome.OFFERED, expires_at=expires_at)
    backend.ledger.insert([offer])
    record = declared()
    backend.campaigns.record_revision(None, record, revision())
    return offer, replace(offer, status=Outcome.GRANTED, effective_at=LATER, ttl=offer.ttl + 100), record


def test_an_accepted_offer_is_a_grant_with_the_same_body(backend: Backend) -> None:
    offer, grant, record = offered(backend)

    backend.offers.accept(offer, grant, record, "support")

    assert backend.ledger.of_account("offered") == [grant]


def test_an_acceptance_changes_when_the_benefit_ends(backend: Backend) -> None:
    offer, grant, record = offered(backend, expires_at=NOW + timedelta(days=7))
    backend.offers.accept(offer, replace(grant, expires_at=LATER + timedelta(days=30)), record, "support")
    assert backend.ledger.of_account("offered")[0].expires_at == LATER + timedelta(days=30)


def test_an_acceptance_can_take_the_end_away(backend: Backend) -> None:
    offer, grant, record = offered(backend, expires_at=NOW + timedelta(days=7))
    backend.offers.accept(offer, replace(grant, expires_at=None), record, "support")
    assert backend.ledger.of_account("offered")[0].expires_at is None


def test_an_offer_is_accepted_once(backend: Backend) -> None:
    offer, grant, record = offered(backend)
    backend.offers.accept(offer, grant, record, "support")

    with pytest.raises(Outdated):
        backend.offers.accept(offer, replace(grant, effective_at=LATER + timedelta(days=1)), record, "somebody else")

    assert backend.ledger.of_account("offered") == [grant]


def test_nothing_is_accepted_after_the_incident_moved(backend: Backend) -> None:
    offer, grant, record = offered(backend)
    second = revision(2)
    moved = with_revision(record, second, decidable_days=400)
    assert moved is not None
    backend.campaigns.record_revision(record, moved, second)

    with pytest.raises(Outdated):
        backend.offers.accept(offer, grant, record, "support")

    assert backend.ledger.of_account("offered") == [offer]


def test_nothing_is_accepted_in_a_halted_stack_whatever_was_read_before(backend: Backend) -> None:
    offer, grant, record = offered(backend)
    halted = HaltAction("halt", Verb.SET, "sso:anna", "amounts ten times too large", NOW)
    on = after(NEVER_SET, halted, NOBODY_LISTED)
    backend.campaigns.change_halt(NEVER_SET, on, halted)

    with pytest.raises(Outdated):
        backend.offers.accept(offer, grant, record, "support")
    assert backend.ledger.of_account("offered") == [offer]

    lifted = HaltAction("lift", Verb.LIFT, "sso:anna", "corrected", NOW)
    backend.campaigns.change_halt(on, after(on, lifted, NOBODY_LISTED, LIFTED_BY_LONE_OPERATOR), lifted)
    backend.offers.accept(offer, grant, record, "support")
    assert backend.ledger.of_account("offered") == [grant]


def test_an_acceptance_keeps_for_good_what_the_offer_added(backend: Backend) -> None:
    offer, grant, record = offered(backend)
    key = HistoryKey("offered", "a-policy", "-")
    added = SubjectHistory().with_addition(record.incident_id, Addition(NOW, {"paid": 5}, lapses_at=LATER), NOW)
    other = replace(offer, key=replace(offer.key, incident_id="other"))
    backend.ledger.insert_with_history([EntryWithHistory(other, HistoryChange(key, SubjectHistory(), added))])
    kept = added.accepted(record.incident_id)
    assert kept is not None

    with pytest.raises(Outdated):
        backend.offers.accept(offer, grant, record, "support", HistoryChange(key, kept, kept))
    assert backend.ledger.of_account("offered", offer.key.incident_id) == [offer]

    backend.offers.accept(offer, grant, record, "support", HistoryChange(key, added, kept))
    assert backend.ledger.of_account("offered", offer.key.incident_id) == [grant]
    assert backend.ledger.histories([key]) == {key: kept}


def test_what_is_claimable_beside_a_grant_is_accepted_once(backend: Backend) -> None:
    """The decision stays granted; what is left of it grows by what was claimable."""
    _, _, record = offered(backend)
    grant = entry("claimable", status=Outcome.GRANTED)
    backend.ledger.insert([grant])
    accepted = replace(grant, remaining=(*grant.remaining, 3_000, None), ttl=grant.ttl + 100, accepted_at=LATER)

    backend.offers.accept(grant, accepted, record, "support")

    assert backend.ledger.of_account("claimable") == [accepted]
    with pytest.raises(Outdated):
        backend.offers.accept(grant, replace(accepted, accepted_at=LATER + timedelta(days=1)), record, "somebody else")
    assert backend.ledger.of_account("claimable") == [accepted]


def test_what_an_acceptance_lists_names_an_account_and_is_deleted_with_the_decision(backend: Backend) -> None:
    """The addition of its campaign, and the entries of the audit log: none of them outlives the decision."""
    if not isinstance(backend, AwsBackend):
        pytest.skip("a table's own items")
    offer, grant, record = offered(backend)
    backend.offers.accept(offer, grant, record, "support")
    items = backend.dynamodb.scan(TableName=backend.credits_table)["Items"]
    listed = {item["pk"]["S"].partition("#")[0]: item["ttl"]["N"] for item in items}
    assert listed.keys() >= {"ACCOUNT", "ADDITIONS", "AUDIT"}
    assert set(listed.values()) == {str(grant.ttl)}
