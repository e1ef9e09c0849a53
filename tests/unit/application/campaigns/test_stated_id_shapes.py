"""The shape that ids were stated to have is the campaign's: plan, apply and every later answer read the list by it."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest

from kulanz.application.incidents.incident_event import IncidentEvent, read_incident_event
from kulanz.config.environment import SettingError
from kulanz.config.open_campaign import OpenCampaignConfig
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.canonical import canonical_json
from kulanz.domain.lists.id_shape import IdShape
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, LIST_KEY, event, list_of, row, small_world
from tests.support.world import BUCKET, World

SHAPE = {"pattern": "[A-Za-z]+|[0-9]{4}"}
IDS = ("nan", "Total", "1001", "10011")
LIMITS = {"rejected": "100%", "held": "100%", "conflicts": "100%"}


def stated(**shapes: Mapping[str, object]) -> dict[str, Any]:
    content = event(rows=len(IDS))
    content["detail"]["campaign"]["affected"] |= shapes
    content["detail"]["campaign"]["limits"] = LIMITS
    return content


def world_with(content: Mapping[str, Any], **settings: Any) -> World:
    world = small_world(list_of([row(account_id) for account_id in IDS]), **settings)
    world.publish(content)
    world.run_until_quiet()
    return world


def decided(world: World) -> set[str]:
    return {entry.key.account_id for entry in world.ledger.all_entries()}


def test_without_a_shape_words_and_totals_are_no_accounts() -> None:
    world = world_with(stated())
    assert decided(world) == {"1001", "10011"}


def test_a_stated_shape_decides_what_an_account_is_and_ask_reads_by_it() -> None:
    world = world_with(stated(account_ids=SHAPE))
    assert world.campaign(CAMPAIGN).state is State.CLOSED, world.campaign(CAMPAIGN).state_reason
    assert decided(world) == {"nan", "Total", "1001"}
    (told,) = world.ask("nan").decisions
    assert told.explained.value == "agrees"
    reasons = {reason for (result, reason) in world.campaign(CAMPAIGN).plan.totals.results() if result == "rejected"}
    assert reasons == {"account_id_shape"}


def test_a_request_with_another_shape_is_another_request_and_one_without_is_the_same_as_ever() -> None:
    worlds = [world_with(content) for content in (stated(), stated(account_ids=SHAPE))]
    digests = [world.campaign(CAMPAIGN).request_digest for world in worlds]
    assert digests[0] != digests[1]


def requested(**stated: Any) -> IncidentEvent:
    """An event whose campaign states these parts; `affected.x` stands in the part of the accounts."""
    told = event(rows=3, version_id="v-1")
    campaign = told["detail"]["campaign"]
    campaign.pop("limits")
    for name, value in stated.items():
        (campaign["affected"] if name in ("account_ids", "subject_ids") else campaign)[name] = value
    return read_incident_event("billing", told["detail-type"], told["detail"])


LATER: dict[str, Any] = {
    "limits": {"held": "30 %"},
    "ignored_columns": ["Fee"],
    "same_outage_as": ["another"],
    "account_ids": SHAPE,
    "subject_ids": SHAPE,
}


def test_a_request_that_states_nothing_of_later_releases_has_the_digest_that_it_always_had() -> None:
    """Stacks that were upgraded know requests by it: with another one the same event would open a second campaign."""
    place = {"bucket": BUCKET, "key": LIST_KEY, "version_id": "v-1"}
    request = {
        "affected": {"inline": None, "rows": 3, "s3": place},
        "policy": {"id": "net-credit", "parameters": {}, "version": 1},
    }
    head = {"incident_id": INCIDENT_ID, "revision": 1}
    content = canonical_json(head).encode() + b"\n" + canonical_json(request).encode()
    assert requested().request_digest == sha256(content).hexdigest()


def test_every_part_that_a_request_may_state_makes_another_request() -> None:
    digests = {requested().request_digest, *(requested(**{name: part}).request_digest for name, part in LATER.items())}
    assert len(digests) == 1 + len(LATER)
    assert requested(**LATER).request_digest not in digests


@pytest.mark.parametrize(
    ("shape", "says"),
    [({"pattern": "(a+)+"}, "groups"), ({"check": "crc"}, "luhn"), ({}, "a pattern"), ({"patern": "a"}, "not known")],
)
def test_a_shape_that_cannot_be_used_refuses_the_event(shape: Mapping[str, object], says: str) -> None:
    world = world_with(stated(account_ids=shape))
    (refused,) = world.rejected.sent
    assert refused.reason == "event_invalid"
    assert says in refused.message
    assert not decided(world)


def test_the_shape_of_the_stack_holds_where_the_event_states_none() -> None:
    digits = IdShape(pattern="[0-9]{5}")
    assert decided(world_with(stated(), account_ids=digits)) == {"10011"}
    assert decided(world_with(stated(account_ids=SHAPE), account_ids=digits)) == {"nan", "Total", "1001"}


_TEXTS = (
    *("CREDITS_TABLE", "CAMPAIGNS_TABLE", "LIST_BUCKET", "LIST_PREFIX", "POLICY_PREFIX", "CHUNK_QUEUE_URL"),
    *("REJECTED_QUEUE_URL", "INCIDENT_SOURCES", "CAMPAIGN_SOURCES"),
)
ENVIRONMENT = dict.fromkeys(_TEXTS, "x") | {"CHUNK_BYTES": "4096", "DECIDABLE_DAYS": "400"}


def test_the_stack_states_its_shape_as_json() -> None:
    assert OpenCampaignConfig.read(ENVIRONMENT).account_ids is None
    given = ENVIRONMENT | {"ACCOUNT_ID_SHAPE": '{"pattern": "[0-9]{10}", "check": "luhn"}'}
    assert OpenCampaignConfig.read(given).account_ids == IdShape(pattern="[0-9]{10}", check="luhn")


@pytest.mark.parametrize("text", ["[0-9]{10}", '{"pattern": "(a)"}', "{}", '{"size": 10}', "[1]", '{"minimum": "4"}'])
def test_a_shape_that_cannot_be_used_is_named_at_the_setting(text: str) -> None:
    with pytest.raises(SettingError, match="ACCOUNT_ID_SHAPE"):
        OpenCampaignConfig.read(ENVIRONMENT | {"ACCOUNT_ID_SHAPE": text})
