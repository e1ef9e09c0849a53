"""The AsyncAPI document is what the contracts write, whole, and what is really sent is what it says."""

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from kulanz.domain.delivery.channel import Channel
from kulanz_local.event_pages import DOCUMENT, MESSAGES, asyncapi, document
from tests.support.small_campaign import ROWS, event, small_world
from tests.support.world import World

FOUND = asyncapi()


def test_the_committed_document_is_the_one_that_the_contracts_write() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "out of date; run: python -m kulanz_local.event_pages"


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from ([part["$ref"]] if isinstance(part.get("$ref"), str) else ())
    for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from references(one)


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(FOUND)):
        place: Any = FOUND
        for step in reference.removeprefix("#/").split("/"):
            assert step in place, reference
            place = place[step]


@pytest.fixture(scope="module")
def world() -> World:
    world = small_world(channel=Channel.from_text("billing:topic"))
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def must_be(name: str, content: Any) -> None:
    schema = {**FOUND["components"]["messages"][name]["payload"], "components": FOUND["components"]}
    jsonschema.validate(content, schema)


def test_what_is_put_on_the_bus_is_what_the_document_says(world: World) -> None:
    by_type = {name: one.name for one in MESSAGES if one.source for name in one.types}
    sent = {one.detail_type for one in world.announcer.announced}
    assert sent >= {"Campaign Awaiting Approval", "Campaign Closed", "Delivery Sent"}
    assert sent <= by_type.keys()
    for one in world.announcer.announced:
        must_be(by_type[one.detail_type], json.loads(one.detail))


def test_what_is_published_is_what_the_document_says(world: World) -> None:
    for notice in world.topic.published:
        must_be("notice" if notice.recipients else "statusNotice", json.loads(notice.text))
    for credits_ in world.credits_topic.published:
        must_be("credits", json.loads(credits_.content))
    assert world.topic.published
    assert world.credits_topic.published


def test_what_the_document_asks_of_an_incident_is_what_is_taken() -> None:
    must_be("incident", event(rows=ROWS, version_id="a-version")["detail"])
    with pytest.raises(jsonschema.ValidationError):
        must_be("incident", {})
    with pytest.raises(jsonschema.ValidationError):
        must_be("credits", {"v": 1})
