"""The tables themselves: which they are, what they hold, and whose word there is about them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from kulanz.application.ports import Outdated
from kulanz.domain.confirmation import Confirmation, Occasion, Tables
from tests.contract.backends import Backend
from tests.support.stored_values import CONFIRMATIONS
from tests.support.values import FIRST, NOW, OPENING, declared, frozen, opened, revision

WORD = Confirmation(Tables("credits-id", "campaigns-id"), Occasion.FIRST, "arn:a-person", "none before", NOW)


def test_two_tables_have_two_ids_that_stay(backend: Backend) -> None:
    first = backend.stores.tables()

    assert first == backend.stores.tables()
    assert first.credits != first.campaigns
    assert first.credits
    assert first.campaigns


def test_a_confirmation_is_kept_as_it_was_given_and_a_repetition_changes_nothing(backend: Backend) -> None:
    assert backend.stores.confirmation() is None
    backend.stores.confirm(WORD, None)
    backend.stores.confirm(WORD, None)  # its reply was lost

    assert backend.stores.confirmation() == WORD


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CONFIRMATIONS)
def test_every_field_of_a_confirmation_is_kept(backend: Backend, given_: Confirmation) -> None:
    backend.stores.confirm(given_, backend.stores.confirmation())

    assert backend.stores.confirmation() == given_


def test_of_two_persons_at_once_one_is_heard(backend: Backend) -> None:
    other = replace(WORD, actor="arn:another", at=NOW + timedelta(seconds=1))
    backend.stores.confirm(WORD, None)
    with pytest.raises(Outdated):
        backend.stores.confirm(other, None)
    assert backend.stores.confirmation() == WORD

    backend.stores.confirm(other, WORD)
    assert backend.stores.confirmation() == other


def test_tables_are_empty_until_something_is_recorded(backend: Backend) -> None:
    assert backend.stores.is_empty()
    backend.campaigns.record_revision(None, declared(), revision())
    assert not backend.stores.is_empty()


def test_every_campaign_is_found_without_knowing_its_incident(backend: Backend) -> None:
    assert list(backend.stores.campaign_ids()) == []
    before = declared()
    backend.campaigns.record_revision(None, before, revision())
    after, campaign = opened(before)
    backend.campaigns.open(before, after, campaign, frozen(), OPENING)
    assert list(backend.stores.campaign_ids()) == [FIRST]
