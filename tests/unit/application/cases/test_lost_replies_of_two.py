"""Where two persons decide a case, each request may come twice, late, or beside another's: it is done once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from kulanz.application.door.serve import Reply
from kulanz.application.ports import Outdated
from kulanz.application.ports.errors import ATTEMPTS_AGAINST_OTHERS
from kulanz.domain.people.people import people_json
from tests.support.by_hand import CARLA, decide, door_of, second
from tests.support.faults import Killed
from tests.support.world import START
from tests.support.world_door import ANNA, Somebody, WorldDoor
from tests.unit.application.cases.test_waiting import closed

CASE = "referred-1"
DORA = Somebody("iam:arn:aws:iam::123456789012:user/dora")
TWENTY: dict[str, Any] = {"way": "amount", "amount": "20.00", "measure": "EUR"}
NO: dict[str, Any] = {"action": "reject", "reason": "too much"}
WORDS: dict[str, dict[str, Any]] = {"agree": {}, "reject": NO}
LITTLE: dict[str, Any] = {"action": "reject", "reason": "too little"}


def waiting() -> tuple[WorldDoor, str]:
    """A case of which a decision waits for a second person, and its hash."""
    door = door_of(closed())
    reply = decide(door, CASE, **TWENTY)
    assert reply.content["state"] == "waits"
    return door, reply.content["hash"]


def state(door: WorldDoor) -> object:
    """All that decisions by hand have changed."""
    return list(door.cases.steps), door.cases.proposals("", 10), list(door.world.ledger.all_entries())


@pytest.mark.parametrize("is_kept", [True, False])
@pytest.mark.parametrize("action", ["ask", "agree", "reject"])
def test_the_same_request_again_is_the_same_answer_and_changes_nothing(
    action: str, is_kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the function died once it was done, before its answer was kept."""
    door, asked = waiting() if action != "ask" else (door_of(closed()), "")

    def once() -> Reply:
        return decide(door, CASE, **TWENTY) if action == "ask" else second(door, CASE, CARLA, asked, **WORDS[action])

    finish, dies = door.actions.finish, iter([not is_kept])

    def finished(*given: Any) -> None:
        if next(dies, False):
            raise Killed
        finish(*given)

    monkeypatch.setattr(door.actions, "finish", finished)
    if not is_kept:
        with pytest.raises(Killed):
            once()
    else:
        assert once().status == 200
    before = state(door)
    again = once()
    assert (again.status, again.content["state"]) == (
        200,
        {"ask": "waits", "agree": "decided", "reject": "rejected"}[action],
    )
    assert state(door) == before


OTHERS: dict[str, tuple[str, Callable[[WorldDoor, str], Reply]]] = {
    "another person": ("id-used", lambda door, asked: second(door, CASE, DORA, asked, **NO)),
    "another id": ("nothing_waits", lambda door, asked: second(door, CASE, CARLA, asked, "s-2", **NO)),
    "another reason": ("id-used", lambda door, asked: second(door, CASE, CARLA, asked, **LITTLE)),
    "another decision": ("id-used", lambda door, _: second(door, CASE, CARLA, "f" * 64, **NO)),
    "a yes": ("id-used", lambda door, asked: second(door, CASE, CARLA, asked)),
    "a later yes": ("nothing_waits", lambda door, asked: second(door, CASE, CARLA, asked, "s-2")),
}  # fmt: skip


@pytest.mark.parametrize("name", OTHERS)
def test_another_word_than_the_one_that_rejected_it_changes_nothing(name: str) -> None:
    door, asked = waiting()
    assert second(door, CASE, CARLA, asked, **NO).content["state"] == "rejected"
    expected, act = OTHERS[name]
    before = state(door)
    refused = act(door, asked)
    assert refused.status == 409
    assert expected in (refused.content.get("reason"), refused.content["type"].rpartition(":")[2])
    assert state(door) == before


def test_a_rejection_is_forgotten_once_something_waits_again() -> None:
    door, asked = waiting()
    second(door, CASE, CARLA, asked, **NO)
    assert decide(door, CASE, name="d-2", **{**TWENTY, "amount": "19.00"}).content["state"] == "waits"
    refused = second(door, CASE, CARLA, asked, "s-2", **NO)
    assert (refused.status, refused.content["reason"]) == (409, "proposal_differs")


def _outdated(times: int) -> Iterator[bool]:
    yield from (True for _ in range(times))
    while True:
        yield False


WRITES: dict[str, tuple[str, Callable[[WorldDoor, str], Reply]]] = {
    "propose": ("propose", lambda door, _: decide(door, CASE, CARLA, "d-9", **{**TWENTY, "amount": "21.00"})),
    "decide": ("decide", lambda door, _: decide(door, CASE, CARLA, "d-9", **{**TWENTY, "amount": "1.00"})),
    "agree": ("decide", lambda door, asked: second(door, CASE, CARLA, asked)),
    "reject": ("reject", lambda door, asked: second(door, CASE, CARLA, asked, **NO)),
}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize(("times", "status"), [(ATTEMPTS_AGAINST_OTHERS - 1, 200), (ATTEMPTS_AGAINST_OTHERS, 503)])
def test_whoever_was_overtaken_looks_again_and_says_so_in_the_end(
    name: str, times: int, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    door, asked = waiting() if name in ("agree", "reject") else (door_of(closed()), "")
    method, act = WRITES[name]
    write, outdated = getattr(door.cases, method), _outdated(times)

    def overtaken(*given: object) -> None:
        if next(outdated):
            raise Outdated
        write(*given)

    monkeypatch.setattr(door.cases, method, overtaken)
    before = state(door)
    reply = act(door, asked)
    assert reply.status == status, reply.content
    if status == 503:
        assert reply.content["type"] == "urn:kulanz:problem:try-again"
        assert state(door) == before


def test_who_has_left_neither_decides_nor_agrees_nor_rejects() -> None:
    door, asked = waiting()
    persons = {"anna": {"ids": [ANNA.id]}, "carla": {"ids": [CARLA.id], "left": f"{START:%Y-%m-%d}"}}
    door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": persons}))
    door.world.now += timedelta(days=1)
    before = state(door)
    for reply in (
        decide(door, "held-2", CARLA, **TWENTY),
        second(door, CASE, CARLA, asked),
        second(door, CASE, CARLA, asked, "s-2", **NO),
    ):
        assert (reply.status, reply.content["reason"]) == (409, "may_not_decide"), reply.content
    assert state(door) == before
