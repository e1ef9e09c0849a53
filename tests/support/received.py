"""Deliveries of a source, as the functions read them, behind the API of a world in memory."""

import json
from typing import Any

from kulanz.application.drafts.draft_ports import Delivery
from kulanz.application.drafts.keep_delivery import KeepingPorts, keep_delivery
from kulanz.sources.configuration import configuration_json
from tests.support.fake_drafts import FakeBodies, FakePages
from tests.support.sources import content_of
from tests.support.world_door import WorldDoor


def configure(door: WorldDoor, kind: str, **entries: Any) -> None:
    """Publish the configuration of a kind's samples, whose source is named `it`."""
    door.sources.publish(1, configuration_json(content_of(kind, **entries)))


def receive(door: WorldDoor, *bodies: Any) -> None:
    """Have deliveries of the source `it` read."""
    kept = FakeBodies()
    ports = KeepingPorts(door.sources, kept, door.drafts, FakePages())
    for body in bodies:
        key = kept.put("it", json.dumps(body).encode(), door.world.now)
        keep_delivery(Delivery("it", key, door.world.now), ports)
