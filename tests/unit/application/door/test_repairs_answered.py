"""What a repair says of itself: how much it did, what it did not find, and whether something is left to be done."""

from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.door import repairs
from kulanz.application.door.problems import CONTENT_TYPE, Kind
from kulanz.application.door.serve import RETRY_AFTER_SECONDS
from kulanz.application.ledger.confirm_tables import NotConfirmed
from kulanz.application.ports import Outdated, TryAgain
from tests.support.world import World
from tests.support.world_door import WorldDoor


def asked(**of: Any) -> Any:
    body = of.pop("body", {})
    return SimpleNamespace(of=of, body=body, seconds_left=lambda: 20.0)


@pytest.mark.parametrize("moved", [0, 1, 7])
@pytest.mark.parametrize("is_empty", [False, True])
@pytest.mark.parametrize("queue", ["chunks", "incidents", "sources"])
def test_dead_letters_are_left_where_a_queue_was_not_seen_empty(moved: int, is_empty: bool, queue: str) -> None:
    """Also where nothing was moved: there was no time, or none was there at that moment."""

    def redrive(name: str, _: Any) -> tuple[int, bool]:
        assert name == queue
        return moved, is_empty

    door: Any = SimpleNamespace(dead_letters=SimpleNamespace(redrive=redrive))
    found = repairs.redrive(asked(queue=queue), door)
    assert found == {"v": 1, "queue": queue, "moved": moved, "more": not is_empty}


@pytest.mark.parametrize(
    ("events", "done", "expected"),
    [
        (["c", "a", "b"], {"a", "b", "c"}, (["c", "a", "b"], [])),
        (["c", "a", "b"], {"b"}, (["b"], ["c", "a"])),
        (["c", "a", "b"], set(), ([], ["c", "a", "b"])),
    ],
)
def test_refused_events_are_named_as_they_were_asked_for(
    events: list[str], done: set[str], expected: tuple[list[str], list[str]]
) -> None:
    door: Any = SimpleNamespace(refused_events=SimpleNamespace(take_out=lambda ids, _: done if ids == events else None))
    found = repairs.refused(asked(body={"events": events}), door)
    assert (found["done"], found["not_found"]) == expected


def test_whoever_is_to_try_again_is_told_when_and_nobody_else() -> None:
    """A client that knows HTTP waits by itself."""
    door = WorldDoor(World())

    def halt() -> Any:
        raise TryAgain("DynamoDB is slow")

    door.campaigns.halt = halt  # type: ignore[method-assign]
    reply = door.get("halt/current")
    assert (reply.status, reply.content_type, reply.headers) == (503, CONTENT_TYPE, {"Retry-After": "2"})
    assert RETRY_AFTER_SECONDS == 2
    assert "DynamoDB" not in str(reply.content)
    unknown = door.get("incidents/one/nobody-knows-it")
    assert (unknown.status, unknown.headers) == (404, {})


@pytest.mark.parametrize(("raised", "says"), [(Outdated(), "somebody else confirmed the tables"), (None, "kulanz")])
def test_a_confirmation_that_cannot_be_is_refused_and_not_to_be_sent_again_unseen(
    raised: Exception | None, says: str
) -> None:
    """Somebody else may have confirmed other tables: whoever did not see them says nothing of them."""
    world = World()
    world.stores.replace_tables()
    door = WorldDoor(world)

    def confirm(*_: object) -> None:
        raise raised or NotConfirmed(f"{says} ledger check, first")

    door.stores.confirm = confirm  # type: ignore[assignment]
    reply = door.put("confirmations/c-1", {"occasion": "checked", "reason": "restored"})
    assert (reply.status, reply.content["type"]) == (Kind.REFUSED.status, Kind.REFUSED.type)
    assert reply.content["detail"].startswith(says)
