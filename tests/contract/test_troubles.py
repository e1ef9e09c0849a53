"""The contract of Troubles and of GivenUpRecords: a trouble stays until a repair that began after it was found."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kulanz.adapters.given_up import read_given_up
from kulanz.application.ports import GivenUpBatch, OpenCampaign, Refused
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.trouble import ON_CAMPAIGNS, TRIED_AGAIN, Trouble, TroubleKind
from tests.contract.backends import AwsBackend, Backend
from tests.contract.conftest import BACKENDS
from tests.contract.test_campaign_index import open_campaign
from tests.support.values import FIRST, NOW, change

LATER = NOW + timedelta(minutes=5)
INSTANT = timedelta(microseconds=1)


def test_a_trouble_is_noted_with_when_it_was_found_first_and_last(backend: Backend) -> None:
    troubles = backend.troubles
    assert troubles.troubles() == []
    for at in (NOW, LATER):
        troubles.note(TroubleKind.STUCK, "att/1", at)
    troubles.note(TroubleKind.NOTICES, "att/1", LATER)
    troubles.note(TroubleKind.STATUS, "att", NOW)

    assert troubles.troubles() == [
        Trouble(TroubleKind.NOTICES, "att/1", LATER, LATER),
        Trouble(TroubleKind.STATUS, "att", NOW, NOW),
        Trouble(TroubleKind.STUCK, "att/1", NOW, LATER),
    ]


def test_only_a_repair_that_began_afterwards_ends_a_trouble(backend: Backend) -> None:
    troubles = backend.troubles
    troubles.note(TroubleKind.NOTICES, "att/1", NOW)
    troubles.repaired(TroubleKind.NOTICES, "att/1", NOW)
    troubles.repaired(TroubleKind.STATUS, "att/1", LATER)
    assert len(troubles.troubles()) == 1

    for _ in range(2):
        troubles.repaired(TroubleKind.NOTICES, "att/1", NOW + INSTANT)
        assert troubles.troubles() == []


@pytest.mark.parametrize("kind", TroubleKind)
def test_a_campaign_in_trouble_waits_for_a_person(backend: Backend, kind: TroubleKind) -> None:
    """One that could not be moved on does when that is found again: a throttle is over by then."""
    new = open_campaign(backend, FIRST.incident_id)
    on = str(FIRST) if kind in ON_CAMPAIGNS else "an-incident"
    backend.troubles.note(kind, on, NOW)
    assert backend.campaigns.waiting() == [FIRST] * (kind in ON_CAMPAIGNS - TRIED_AGAIN)
    backend.troubles.note(kind, on, LATER)
    assert backend.campaigns.waiting() == [FIRST] * (kind in ON_CAMPAIGNS)

    backend.campaigns.change_state(new, change(new, State.PAUSED))
    assert backend.campaigns.waiting() == [FIRST]
    backend.troubles.repaired(kind, on, LATER + INSTANT)
    assert backend.campaigns.waiting() == [FIRST]


def test_how_far_a_campaign_was_is_remembered_until_it_changes_its_state(backend: Backend) -> None:
    new = open_campaign(backend, FIRST.incident_id)
    plain = OpenCampaign(FIRST, State.PLANNING, NOW)
    seen = replace(plain, came_to=420, seen_at=LATER)
    backend.troubles.note_seen(seen)
    assert backend.index.open_campaigns() == [seen]
    backend.troubles.note_seen(replace(seen, state=State.APPLYING, came_to=7))
    assert backend.index.open_campaigns() == [seen]

    backend.campaigns.change_state(new, change(new, State.PAUSED))
    assert backend.index.open_campaigns() == [replace(plain, state=State.PAUSED)]
    backend.troubles.note_seen(seen)
    assert backend.index.open_campaigns() == [replace(plain, state=State.PAUSED)]


def test_a_batch_is_looked_at_once(backend: Backend) -> None:
    key = "aws/lambda/a-mapping/shard-1/2026/03/01T09.00.00-x"
    assert not backend.troubles.has_looked_at(key)
    for _ in range(2):
        backend.troubles.note_looked_at(key)
        assert backend.troubles.has_looked_at(key)
    assert not backend.troubles.has_looked_at(key + "y")


def given_up(*places: tuple[str, str], as_text: bool = True) -> bytes:
    """An object as Lambda writes it."""
    records = [{"eventName": "INSERT", "dynamodb": {"Keys": {"pk": {"S": pk}, "sk": {"S": sk}}}} for pk, sk in places]
    event = {"Records": records}
    context = {"condition": "RetryAttemptsExhausted", "functionArn": "arn:aws:lambda:...", "approximateInvokeCount": 11}
    payload: Any = json.dumps(event) if as_text else event
    return json.dumps({"requestContext": context, "version": "1.0", "payload": payload}).encode()


PLACES = [
    ("CAMPAIGN#att#001", "META"),
    ("CAMPAIGN#att#001", "META"),
    ("CAMPAIGN#att#002", "META"),
    ("CAMPAIGN#att#002", "RECEIPT#plan#00000000000001#000001"),
    ("ACCOUNT#a-1", "DECISION#o2#-#001"),
    ("ACCOUNT#a-2", "DECISION#o2#-#001"),
    ("ACCOUNT#a-2", "DECISION#o2#-#001#ENTRY#001"),
    ("INCIDENT#att", "REVISION#0000001"),
]


@pytest.mark.parametrize("as_text", [True, False])
def test_what_a_batch_is_about_is_read_of_its_keys(as_text: bool) -> None:
    assert read_given_up("k", given_up(*PLACES, as_text=as_text)) == GivenUpBatch(
        "k", (CampaignId("att", 1), CampaignId("att", 2)), (CampaignId("o2", 1),), ("att",)
    )


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b'{"payload": "x"}', b'{"payload": {"Records": [1]}}', b"[" * 99_999]
)
def test_what_is_no_batch_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        read_given_up("k", content)


@pytest.mark.parametrize("emulator", BACKENDS[1:], indirect=True)
def test_the_batches_of_the_bucket_are_those_under_lambdas_prefix(emulator: AwsBackend) -> None:
    assert list(emulator.given_up.keys()) == []
    emulator.upload("aws/lambda/m/s/1", given_up(*PLACES))
    emulator.upload("lists/a.csv", b"account_id\n")

    assert list(emulator.given_up.keys()) == ["aws/lambda/m/s/1"]
    batch = emulator.given_up.batch("aws/lambda/m/s/1")
    assert batch is not None
    assert batch.incidents == ("att",)
    assert emulator.given_up.batch("aws/lambda/m/s/2") is None
