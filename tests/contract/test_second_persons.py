"""The contract of SecondPersons: what waits, what was announced of it, and that it waits no more."""

from datetime import timedelta

from kulanz.application.cases.second_persons import Asked, Waiting
from kulanz.application.cases.store import Proposal
from tests.contract.backends import Backend
from tests.contract.test_case_store import HAND, LATER, held
from tests.contract.test_goodwill_store import give, wanted
from tests.support.values import NOW


def test_what_was_announced_is_remembered_until_it_waits_no_more(backend: Backend) -> None:
    one, _ = held(backend)
    proposal = Proposal(one.key, HAND, "seen", one.ttl)
    assert backend.second_persons.waiting() == []
    backend.cases.propose(proposal, None)
    waits = Waiting(Asked.CASE, proposal.hash, LATER)
    assert backend.second_persons.waiting() == [waits]
    backend.second_persons.remember(waits, LATER + timedelta(days=1), "half")
    assert backend.second_persons.waiting() == [Waiting(Asked.CASE, proposal.hash, LATER, "half")]
    backend.second_persons.forget(waits)
    assert backend.second_persons.waiting() == []
    backend.second_persons.forget(waits)
    backend.second_persons.remember(waits, LATER, "four_fifths")
    assert backend.second_persons.waiting() == []
    assert backend.cases.proposal(one.key) == proposal, "its own record says that it waited"


def test_goodwill_that_waits_is_remembered_by_its_own_id(backend: Backend) -> None:
    give(backend, wanted(minor=6000))
    waits = Waiting(Asked.GOODWILL, "T-1", NOW)
    assert backend.second_persons.waiting() == [waits]
    backend.second_persons.remember(waits, NOW, "half")
    assert backend.second_persons.waiting() == [Waiting(Asked.GOODWILL, "T-1", NOW, "half")]
    backend.second_persons.forget(waits)
    assert (backend.second_persons.waiting(), backend.goodwill.goodwill("T-1") is not None) == ([], True)
