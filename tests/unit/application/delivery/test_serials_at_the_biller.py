"""What a biller sees of a delivery that is flagged: its serial is kept, and whoever books in order waits for it."""

from contextlib import closing

import pytest

from kulanz.application.delivery import advance_delivery as advance_module
from kulanz.application.delivery.advance_delivery import open_settled
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.ids import DeliveryId
from tests.fake_biller.biller import Biller
from tests.fake_biller.reading import Refused
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World

FIRST, SECOND = DeliveryId("billing", 1), DeliveryId("billing", 2)


def files_of(world: World, delivery: DeliveryId) -> dict[str, bytes]:
    """What the folder of a delivery has, by name."""
    folder = f"{delivery.folder}/"
    documents = world.archive.documents.items()
    return {key.removeprefix(folder): content for key, content in documents if key.startswith(folder)}


def state_of(world: World, delivery: DeliveryId) -> DeliveryState:
    found = world.deliveries.delivery(delivery)
    assert found is not None
    return found.state


def test_a_flagged_delivery_keeps_its_serial_and_those_behind_it_wait_at_the_biller_until_it_is_released() -> None:
    world = small_world(channel=Channel("billing"))
    with pytest.MonkeyPatch.context() as patch, closing(Biller(":memory:")) as biller:
        granted_by = advance_module.granted_by_list
        patch.setattr(advance_module, "granted_by_list", lambda one: {**granted_by(one), "EUR": 1})
        world.publish(event(rows=ROWS))
        world.run_until_quiet()
        assert state_of(world, FIRST) is DeliveryState.FLAGGED
        patch.undo()
        other = {"start": "2026-02-20T08:00:00Z", "end": "2026-02-20T11:00:00Z"}
        world.publish(event(rows=ROWS, incident_id="net-outage-2", windows=[other]))
        world.run_until_quiet()
        assert state_of(world, SECOND) is DeliveryState.SENT, "one campaign does not wait for another"
        with pytest.raises(Refused) as gap:
            biller.take("billing", 2, files_of(world, SECOND))
        assert gap.value.code == "serial_gap"
        with pytest.raises(Refused):  # it has parts, and no trailer
            biller.take("billing", 1, files_of(world, FIRST))
        open_settled(world.campaign(CAMPAIGN), world.campaigns, world.deliveries, "anna", world.now)
        world.run_until_quiet()
        assert state_of(world, FIRST) is DeliveryState.SENT
        assert [biller.take("billing", one.serial, files_of(world, one)) for one in (FIRST, SECOND)] == ["taken"] * 2
        assert world.deliveries.last_serial("billing") == 2, "no serial was given up"
