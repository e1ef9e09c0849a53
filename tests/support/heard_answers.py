"""Answers of billers that the door took, read by workers that may die."""

from kulanz.application.delivery.hear_answers import AnswerPorts, hear_chunk
from kulanz.application.ports import Refused, TryAgain
from tests.support.billed import Clock
from tests.support.faults import Killed, Tap, tapped
from tests.support.world_door import WorldDoor

ATTEMPTS_MOST = 20
"""More than one fault needs."""


def hear_all(door: WorldDoor, tap: Tap | None = None) -> None:
    """Let every message about answers be worked, again where its worker died, and close the files that are read."""
    world, tap = door.world, tap or Tap()
    ports = AnswerPorts(
        tapped(world.lists, "lists", tap),
        tapped(world.archive, "archive", tap),
        tapped(world.deliveries, "deliveries", tap),
        tapped(world.credits, "credits", tap),
        tapped(door.answers, "answers", tap),
        tapped(world.campaigns, "campaigns", tap),
        tapped(world.troubles, "troubles", tap),
        tapped(world.ledger, "ledger", tap),
    )
    for message in door.answer_queue.messages:
        for _ in range(ATTEMPTS_MOST):
            try:
                if hear_chunk(message.channel, message.file, message.chunk, ports, Clock(world.now)):
                    break
            except (TryAgain, Refused, Killed):
                continue
        else:
            raise AssertionError("an answer does not come to its end")
    door.answer_queue.messages.clear()
    for channel, file in door.answers.open_files():
        found = door.answers.file(channel, file)
        assert found is not None
        assert found.is_finished
        door.answers.close(found)
