"""What the campaign store makes of transactions that meet others, fail, or are not answered."""

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    NoCredentialsError,
    ReadTimeoutError,
)

from kulanz.adapters import aws
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.offers import DynamoOffers
from kulanz.application.ports import (
    Outdated,
    Refused,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.decision import Outcome
from tests.support.scripted import Scripted, error, waits_kept
from tests.support.values import OPENING, campaign, declared, entry, frozen, opened, receipt


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been."""
    return waits_kept(monkeypatch)


def _cancelled(*codes: str) -> ClientError:
    return error("TransactionCanceledException", CancellationReasons=[{"Code": code} for code in codes])


def _campaigns(*script: Any) -> tuple[DynamoCampaigns, Scripted]:
    client = Scripted(transact_write_items=script, get_item=lambda **_: {})
    return DynamoCampaigns(client, "campaigns"), client


@pytest.mark.parametrize(
    "passing",
    [
        _cancelled("None", "TransactionConflict", "None"),
        _cancelled("ThrottlingError"),
        error("TransactionInProgressException"),
    ],
)
def test_a_transaction_that_met_another_is_made_again_with_the_same_token(
    passing: ClientError, waits: list[float]
) -> None:
    campaigns, client = _campaigns(passing, passing, {})

    assert campaigns.record_receipt(receipt(50, 450))

    tokens = [asked["ClientRequestToken"] for asked in client.asked]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1
    assert len(waits) == 2


def test_a_transaction_that_always_meets_another_is_given_up_for_now() -> None:
    campaigns, client = _campaigns(*[_cancelled("TransactionConflict")] * aws.CONFLICT_ATTEMPTS)

    with pytest.raises(TryAgain, match="conflicts"):
        campaigns.record_receipt(receipt(50, 450))
    assert len(client.asked) == aws.CONFLICT_ATTEMPTS


def test_a_record_that_every_worker_adds_to_is_waited_for_often_and_shortly(waits: list[float]) -> None:
    campaigns, _ = _campaigns(*[_cancelled("None", "None", "TransactionConflict")] * 30, {})

    assert campaigns.record_receipt(receipt(50, 450))
    assert max(waits) <= aws.CONFLICT_BACKOFF_LONGEST_SECONDS


def test_a_mark_that_meets_a_receipt_is_set_again(waits: list[float]) -> None:
    """All chunks have just been sent, so the workers' receipts are busy with the record that is to be marked."""
    client = Scripted(update_item=[error("TransactionConflictException")] * 5 + [{}])

    DynamoCampaigns(client, "campaigns").mark_dispatched(campaign(), Pass.PLAN, 1)

    assert len(client.asked) == 6
    assert len(waits) == 5


def test_a_mark_on_a_campaign_that_is_not_there_is_refused() -> None:
    client = Scripted(update_item=[error("ConditionalCheckFailedException")])

    with pytest.raises(Refused, match="UpdateItem"):
        DynamoCampaigns(client, "campaigns").mark_announced(campaign(), "1")


def test_a_failed_condition_beside_a_conflict_is_a_lost_race() -> None:
    campaigns, _ = _campaigns(_cancelled("TransactionConflict", "ConditionalCheckFailed"))

    assert campaigns.record_receipt(receipt(50, 450)) is False


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (_cancelled("ValidationError", "None"), Refused),
        (error("ValidationException"), Refused),
        (error("InternalServerError", 500), TryAgain),
        (ReadTimeoutError(endpoint_url="x"), TryAgain),
        (NoCredentialsError(), TryAgain),
    ],
)
def test_a_transaction_that_failed_otherwise_says_whether_to_try_again(raised: Exception, expected: type) -> None:
    campaigns, _ = _campaigns(raised)

    with pytest.raises(expected):
        campaigns.record_receipt(receipt(50, 450))


def test_an_outdated_opening_stays_outdated() -> None:
    before = declared()
    after, new = opened(before)
    campaigns, _ = _campaigns(_cancelled("ConditionalCheckFailed", "None"))

    with pytest.raises(Outdated):
        campaigns.open(before, after, new, frozen(), OPENING)


# Acceptances


def _accepted(*script: Any) -> Scripted:
    client = Scripted(transact_write_items=script)
    offer = entry("a", status=Outcome.OFFERED)
    granted = replace(offer, status=Outcome.GRANTED)
    DynamoOffers(client, "credits", "campaigns").accept(offer, granted, declared(), "sso:anna")
    return client


def test_an_acceptance_that_meets_another_of_its_incident_waits_for_its_turn(waits: list[float]) -> None:
    """Every acceptance looks at the incident's record: a thousand a minute meet there again and again."""
    client = _accepted(*[_cancelled("None", "TransactionConflict")] * 10, {})

    assert len({asked["ClientRequestToken"] for asked in client.asked}) == 1
    assert len(waits) == 10


def test_an_acceptance_that_came_too_late_is_outdated_and_one_that_never_gets_its_turn_can_be_sent_again() -> None:
    with pytest.raises(Outdated):
        _accepted(_cancelled("ConditionalCheckFailed", "TransactionConflict"))
    with pytest.raises(TryAgain, match="conflicts"):
        _accepted(*[_cancelled("TransactionConflict")] * aws.CONFLICT_ATTEMPTS)
    with pytest.raises(Refused):
        _accepted(_cancelled("ValidationError"))
    with pytest.raises(TryAgain):
        _accepted(ReadTimeoutError(endpoint_url="x"))
