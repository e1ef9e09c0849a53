"""A campaign that waits for a person is heard of for as long as it waits."""

import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from advance_campaign import handler
from kulanz.adapters.campaign_keys import meta_key
from kulanz.application.campaigns.advance_campaign import AdvancePorts
from kulanz.application.campaigns.control_campaign import ControlPorts, cancel, pause, resume
from kulanz.application.campaigns.watch_open import WatchPorts
from kulanz.application.delivery.watching import SECONDS_FOR_ONE, Looked, look_at_each
from kulanz.application.ports import TryAgain
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.gate.approval import APPROVAL_LONGEST
from kulanz.failures import FunctionFailed
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_deliveries import KeptBack, delivery_ports

ID = CampaignId.parse(CAMPAIGN)
HAND = Cause("a person", "a ticket", "1")
CONTEXT: Any = SimpleNamespace(
    function_name="advance_campaign",
    function_version="1",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:advance_campaign",
    get_remaining_time_in_millis=lambda: 120_000,
    aws_request_id="00000000-0000-0000-0000-000000000000",
)
SCHEDULED = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
WATCHED = (
    *("watch_open", "watch_deliveries", "watch_voids", "watch_kept_back", "watch_second_persons", "_watch_answers"),
    *("watch_given_again", "settle_budgets"),
)
"""What the schedule looks at."""
CHANGED = {"Records": [{"eventID": "a", "eventName": "MODIFY", "dynamodb": {"Keys": meta_key(ID)}}]}


def told(world: World, event: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the function tells CloudWatch of waiting campaigns when it gets an event."""
    ports = AdvancePorts(world.campaigns, world.chunks, world.archive, world.announcer, world.stores)
    monkeypatch.setattr(handler, "_composed", lambda: ports)
    watching = (
        WatchPorts(ports, world.index, world.troubles, world.given_up, world.table_policies),
        SimpleNamespace(bring_in=lambda _: True),
    )
    monkeypatch.setattr(handler, "_watching", lambda: watching)
    monkeypatch.setattr(handler, "_settling", world.settle_ports)
    monkeypatch.setattr(handler, "_delivering", lambda: delivery_ports(world))
    monkeypatch.setattr(handler, "_voiding", lambda: None)
    monkeypatch.setattr(handler, "_keeping_back", lambda: KeptBack(world))
    monkeypatch.setattr(handler, "watch_voids", lambda *_: Looked((), ()))
    monkeypatch.setattr(handler, "_second_persons", lambda: None)
    monkeypatch.setattr(handler, "watch_second_persons", lambda *_: 0)
    monkeypatch.setattr(handler, "_watch_answers", lambda *_: 0)
    with redirect_stdout(io.StringIO()) as printed:
        handler.handle(event, CONTEXT)
    lines = [json.loads(line) for line in printed.getvalue().splitlines() if "_aws" in line]
    return [value for line in lines for value in line["CampaignsWaitingForAPerson"]]


def paused() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    while world.campaigns.campaign(ID) is None:
        world.run(world.steps()[0])
    pause(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "look", HAND, world.now)
    return world


def test_a_campaign_is_counted_by_the_schedule_until_somebody_ends_its_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    world = paused()
    assert told(world, CHANGED, monkeypatch) == [1.0], "told at once"
    assert [told(world, SCHEDULED, monkeypatch) for _ in range(3)] == [[1.0]] * 3

    resume(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "looked", HAND, world.now)
    assert told(world, CHANGED, monkeypatch) == []
    assert told(world, SCHEDULED, monkeypatch) == [0.0]


def test_a_campaign_that_was_ended_waits_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    world = paused()
    cancel(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "wrong list", HAND, world.now)

    assert told(world, SCHEDULED, monkeypatch) == [0.0]


@pytest.mark.parametrize("is_over", [False, True])
def test_a_plan_that_waits_is_no_alarm_until_the_time_to_approve_it_is_over(
    monkeypatch: pytest.MonkeyPatch, *, is_over: bool
) -> None:
    planned_at = datetime.now(UTC) - (APPROVAL_LONGEST + timedelta(days=1) if is_over else timedelta())
    world = small_world(approvers=(), now=planned_at)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL

    assert told(world, CHANGED, monkeypatch) == []
    assert told(world, SCHEDULED, monkeypatch) == [float(is_over)]


def test_a_refused_campaign_is_told_once_because_it_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    world = small_world()
    world.publish(event(rows=ROWS + 1))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.REFUSED

    assert told(world, CHANGED, monkeypatch) == [1.0]
    assert told(world, SCHEDULED, monkeypatch) == [0.0]


@pytest.mark.parametrize("failing", WATCHED)
def test_whatever_of_the_watch_fails_everything_else_is_looked_at_and_counted(
    monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    world, looked_at = paused(), list[str]()
    ports = AdvancePorts(world.campaigns, world.chunks, world.archive, world.announcer, world.stores)
    watching = WatchPorts(ports, world.index, world.troubles, world.given_up, world.table_policies)
    monkeypatch.setattr(handler, "_watching", lambda: (watching, SimpleNamespace(bring_in=lambda _: True)))
    monkeypatch.setattr(handler, "_settling", world.settle_ports)
    monkeypatch.setattr(handler, "_delivering", lambda: delivery_ports(world))
    monkeypatch.setattr(handler, "_voiding", lambda: None)
    monkeypatch.setattr(handler, "_keeping_back", lambda: KeptBack(world))
    monkeypatch.setattr(handler, "_second_persons", lambda: None)
    answers: dict[str, Any] = {
        "watch_deliveries": Looked((("billing/1", "sums_differ"),), ()),
        "watch_voids": Looked((), (("i/1/v", "TryAgain"), ("i/2/v", "Refused"))),
        "watch_second_persons": 4,
        "_watch_answers": 0,
    }
    for name in WATCHED:
        real = getattr(handler, name)

        def look(*given: Any, name: str = name, real: Any = real) -> Any:
            looked_at.append(name)
            if name == failing:
                raise TryAgain("a throttle")
            return answers.get(name) if name in answers else real(*given)

        monkeypatch.setattr(handler, name, look)
    with redirect_stdout(io.StringIO()) as printed, pytest.raises(FunctionFailed):
        handler.handle(SCHEDULED, CONTEXT)

    lines = [json.loads(line) for line in printed.getvalue().splitlines() if "_aws" in line]
    counted = {"watch_open": 1.0, "watch_deliveries": 1.0, "watch_voids": 2.0, "watch_second_persons": 4.0}
    assert len(looked_at) == len(WATCHED)
    assert [line["CampaignsWaitingForAPerson"] for line in lines] == [
        [sum(number for name, number in counted.items() if name != failing)]
    ]


def test_one_that_cannot_be_moved_on_keeps_no_other_from_being_and_time_ends_the_look() -> None:
    def look_at(one: str) -> str | None:
        if one == "b":
            raise TryAgain("a throttle")
        return "sums_differ" if one == "c" else None

    assert look_at_each("abcd", look_at, lambda: SECONDS_FOR_ONE) == Looked(
        (("c", "sums_differ"),), (("b", "TryAgain: a throttle"),)
    )
    assert look_at_each("abcd", look_at, lambda: SECONDS_FOR_ONE - 1) == Looked((), ())
