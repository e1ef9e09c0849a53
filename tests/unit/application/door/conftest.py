"""A world for what is asked and done through the API."""

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.delivery.channel import Channel
from tests.support.exporting import exported
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_door import ANNA
from tests.support.world_voids import asked, run_voids


@pytest.fixture(scope="module")
def closed() -> World:
    """A world whose campaign has closed, and was exported."""
    world = small_world(channel=Channel("billing"))
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    exported(world, CAMPAIGN)
    asked(world, ANNA.id)
    run_voids(world)
    return world
