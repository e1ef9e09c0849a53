"""`kulanz rejected`, `redrive`, `advance` and `notices`: what is refused is shown, what was lost is done again."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz.application.door import repairs
from kulanz.application.door.asked import RefusedEvent
from kulanz.application.door.incidents import REFUSED_EVENTS_PER_ANSWER
from kulanz.application.ledger import committed
from kulanz.application.ports import Rejection
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_LINE, ROWS, event, list_of, row, small_world
from tests.support.world_stack import WorldStack, run
from tests.support.world_steps import Function

HEADER_LINES = 1
RECEIVED = datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.fixture
def stack() -> WorldStack:
    return WorldStack(small_world())


@pytest.fixture
def closed(stack: WorldStack) -> WorldStack:
    stack.world.publish(event(rows=ROWS))
    stack.world.run_until_quiet()
    return stack


def refuse(stack: WorldStack, number: int, source: str = "billing") -> None:
    rejection = Rejection(
        "event_invalid", "revision", f"expected {number}", source, "Incident Declared", f"i-{number}",
        f"rejected/{number}.json", RECEIVED,
    )  # fmt: skip
    stack.world.rejected.send(rejection)


def waiting(stack: WorldStack) -> int:
    return len(stack.served.refused_events.look(10_000))


def test_looking_at_refused_events_takes_none_away(stack: WorldStack) -> None:
    for number in range(25):
        refuse(stack, number)
    for _ in range(2):
        result = run(stack, "rejected", "--json")
        assert result.exit_code == 1
        assert {item["incident_id"] for item in json.loads(result.output)["rejected"]} == {f"i-{n}" for n in range(25)}
        assert waiting(stack) == 25


def test_what_was_seen_and_done_is_taken_out(stack: WorldStack) -> None:
    refuse(stack, 1)
    assert "event_invalid (revision): expected 1" in read(run(stack, "rejected", "--done").output)
    assert waiting(stack) == 0
    result = run(stack, "rejected")
    assert (result.exit_code, result.output) == (0, "no event was refused\n")


def test_a_refused_event_cannot_write_to_the_terminal(stack: WorldStack) -> None:
    refuse(stack, 1, source="\x1b[2Jbilling\n")
    output = run(stack, "rejected").output
    assert "\x1b" not in output
    assert [line[:1] for line in output.splitlines()][1:] == [" "]


def test_rejected_rows_are_told_by_their_line_in_the_file(stack: WorldStack) -> None:
    stack.world.publish(event(rows=ROWS))
    stack.world.run_until_quiet()
    result = run(stack, "rejected", CAMPAIGN, "--json")
    assert result.exit_code == 1
    found = {item["line"]: item["reason"] for item in json.loads(result.output)["rejected"]}
    lines = list(EVERY_KIND_OF_LINE)
    rejected = {HEADER_LINES + number for number, name in enumerate(lines, 1) if name.startswith("rejected")}
    assert {line for line, reason in found.items() if reason != "conflict"} == rejected
    conflicts = {HEADER_LINES + lines.index(name) + 1 for name in lines if name.startswith("listed with other facts")}
    assert {line for line, reason in found.items() if reason == "conflict"} < conflicts
    some = run(stack, "rejected", CAMPAIGN, "--json", "--limit", "3")
    first, whole = json.loads(some.stdout), json.loads(result.stdout)
    assert first["rejected"] == whole["rejected"][:3]
    assert (first["more"], whole["more"]) == (True, False)
    assert "These are 3, and there are more" in some.stderr
    assert "expected" in run(stack, "rejected", CAMPAIGN).output


def test_rejected_rows_of_a_list_that_was_deleted_are_told_by_their_byte_alone(stack: WorldStack) -> None:
    stack.world.publish(event(rows=ROWS))
    stack.world.run_until_quiet()
    pinned = stack.world.campaign(CAMPAIGN).pinned
    stack.world.lists.delete_version(pinned.key, pinned.version_id)
    told = run(stack, "rejected", CAMPAIGN)
    assert told.exit_code == 1
    assert told.output.startswith("byte ")
    found = json.loads(run(stack, "rejected", CAMPAIGN, "--json").output)["rejected"]
    assert len(found) == sum(line.startswith("byte ") for line in told.output.splitlines())
    assert {item["line"] for item in found} == {None}


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_campaign_that_was_refused_as_a_whole_is_a_no_although_no_row_of_it_is_wrong(
    stack: WorldStack, form: tuple[str, ...]
) -> None:
    stack.world.lists.upload("lists/good.csv", list_of([row("a-1"), row("a-2")]))
    stack.world.publish(event(rows=3, key="lists/good.csv"))
    stack.world.run_until_quiet()
    assert not [key for key in stack.world.archive.documents if "problems" in key]
    result = run(stack, "rejected", CAMPAIGN, *form)
    assert result.exit_code == 1
    if form:
        content = json.loads(result.output)
        assert (content["rejected"], content["refused"][:12]) == ([], "rows_differ:")
    else:
        assert "was refused as a whole, and nobody was credited: rows_differ:" in read(result.output)


@pytest.mark.parametrize(("words", "code"), [(("rejected", "nothing"), 2), (("rejected", "other/1"), 3),
                                             (("rejected", "other/1", "--done"), 2)])  # fmt: skip
def test_a_campaign_that_is_none_is_an_error(stack: WorldStack, words: tuple[str, ...], code: int) -> None:
    assert run(stack, *words).exit_code == code


@pytest.mark.parametrize("queue", ["incidents", "chunks", "sources"])
def test_dead_letters_are_moved_back(stack: WorldStack, queue: str) -> None:
    stack.world.dead_letters = [(Function.OPEN, event(rows=ROWS))] * 3
    assert json.loads(run(stack, "redrive", queue, "--json").stdout) == {"v": 1, "queue": queue, "moved": 3}
    assert run(stack, "redrive", queue).stdout.startswith("0 messages")


def test_what_takes_longer_than_an_answer_may_goes_on_until_all_is_moved(
    stack: WorldStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    stretches = iter([(200, False), (200, False), (7, True)])
    monkeypatch.setattr(stack.served.dead_letters, "redrive", lambda *_: next(stretches))
    assert run(stack, "redrive", "chunks").stdout == "407 messages moved back to the queue of chunks\n"


def test_notices_are_published_again_in_as_many_stretches_as_it_takes(
    closed: WorldStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = json.loads(run(closed, "notices", "rebuild", CAMPAIGN, "--json").stdout)
    decisions = len(list(closed.world.ledger.all_entries()))
    assert whole == {"v": 1, "campaign": CAMPAIGN, "decisions": decisions}
    asked: list[str] = []
    act = type(closed.door()).act

    def counted(door: Any, use: str, content: Any, **values: Any) -> Any:
        asked.append(values["id"])
        return act(door, use, content, **values)

    monkeypatch.setattr(type(closed.door()), "act", counted)
    monkeypatch.setattr(repairs, "SECONDS_FOR_AN_ANSWER", 1_000.0)
    monkeypatch.setattr(committed, "KEYS_PER_READ", 1)
    assert json.loads(run(closed, "notices", "rebuild", CAMPAIGN, "--json").stdout) == whole
    assert len(asked) == len(set(asked)) > 1


def test_status_notices_and_a_campaign_are_looked_at_again(closed: WorldStack) -> None:
    sent = len(closed.world.topic.published)
    assert json.loads(run(closed, "notices", "status", "net-outage", "--json").stdout)["revisions"] == 1
    assert len(closed.world.topic.published) > sent
    assert run(closed, "advance", CAMPAIGN).stdout == f"{CAMPAIGN} is closed\n"


def test_more_refused_events_than_one_look_shows_are_pointed_to(stack: WorldStack) -> None:
    for number in range(REFUSED_EVENTS_PER_ANSWER + 5):
        refuse(stack, number)
    assert json.loads(run(stack, "rejected", "--json").stdout)["more"] is True
    result = run(stack, "rejected", "--done")
    assert f"These are {REFUSED_EVENTS_PER_ANSWER}, and there may be more" in result.stderr
    assert waiting(stack) == 5
    assert json.loads(run(stack, "rejected", "--json").stdout)["more"] is False


@pytest.mark.parametrize("done", [(), ("--done",)])
def test_a_message_that_somebody_else_wrote_takes_nothing_out(
    stack: WorldStack, done: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(stack, 1)
    look = stack.served.refused_events.look
    foreign = RefusedEvent("m-1", None)
    monkeypatch.setattr(stack.served.refused_events, "look", lambda most: [*look(most), foreign])
    result = run(stack, "rejected", *done)
    assert (result.exit_code, result.stdout) == (3, "")
    assert "m-1" in result.stderr
    monkeypatch.undo()
    assert waiting(stack) == 1
