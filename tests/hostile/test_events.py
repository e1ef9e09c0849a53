"""Every hostile event is refused once, with its reason and field, and nothing but that happens."""

import json
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from tests.hostile.corpus import Case, body_of, cases, event_cases
from tests.hostile.handlers import Functions
from tests.support.small_campaign import CAMPAIGN, HEADER, INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import BUCKET

GOOD = list_of([row("good-1"), row("good-2", affected="no"), row("good-3", segment="business")]) + b"\n"
MESSAGE_CHARACTERS = 8_000
"""A refusal is read by people, and has to fit a message of any queue."""


@pytest.fixture
def functions() -> Functions:
    world = small_world(GOOD)
    for key in ("lists/hostile.csv.gz", "lists/hostile.xlsx"):
        world.lists.upload(key, GOOD)
    return Functions(world)


@pytest.mark.parametrize("case", event_cases(), ids=lambda case: case["name"])
def test_it_is_refused_with_its_reason_and_nothing_else_happens(functions: Functions, case: Case) -> None:
    functions.receive(body_of(case, BUCKET, functions.world.lists.newest))
    world = functions.world
    assert functions.dead_letters == []
    (rejection,) = world.rejected.sent
    assert rejection.reason == case.get("reason", rejection.reason)
    assert rejection.field == case.get("field", rejection.field)
    assert rejection.message, "a refusal says what to do"
    assert len(json.dumps([rejection.message, rejection.field])) < MESSAGE_CHARACTERS
    assert rejection.event_key in world.archive.documents
    assert world.campaigns.all_campaigns() == []
    assert world.ledger.all_entries() == []
    assert all(message.recipients == 0 for message in world.topic.published)


@pytest.mark.parametrize("case", event_cases(), ids=lambda case: case["name"])
def test_a_good_event_after_it_is_acted_on(functions: Functions, case: Case) -> None:
    functions.receive(body_of(case, BUCKET, functions.world.lists.newest, incident_id="hostile"))
    good = event(rows=3)
    functions.publish(good)
    assert functions.world.campaign(CAMPAIGN).state is State.CLOSED
    assert len(functions.world.ledger.all_entries()) == 3


def test_a_repeated_hostile_event_is_kept_once(functions: Functions) -> None:
    body = body_of(event_cases()[0], BUCKET, functions.world.lists.newest)
    functions.receive(body)
    functions.receive(body)
    assert len({rejection.event_key for rejection in functions.world.rejected.sent}) == 1


@pytest.mark.parametrize("case", cases("events/inline_rows.yaml"), ids=lambda case: case["name"])
def test_rows_inside_an_event_are_decided_or_rejected_one_by_one(functions: Functions, case: Case) -> None:
    rows: list[dict[str, Any]] = case["inline"]
    good = event(rows=len(rows))
    good["detail"]["campaign"]["affected"] = {"inline": [item["row"] for item in rows], "rows": len(rows)}
    functions.publish(good)
    campaign = functions.world.campaign(CAMPAIGN)
    assert campaign.state is State.CLOSED, campaign.state_reason
    wanted = sorted(item["is"].partition(" ")[0] for item in rows)
    found = sorted(
        row_result.value for (row_result, _), number in campaign.plan.totals.results().items() for _ in range(number)
    )
    assert found == wanted


def test_the_good_event_is_good(functions: Functions) -> None:
    assert HEADER.startswith(b"account_id")
    functions.publish(event(rows=3))
    assert functions.world.rejected.sent == []
    assert functions.world.campaign(f"{INCIDENT_ID}/1").state is State.CLOSED
