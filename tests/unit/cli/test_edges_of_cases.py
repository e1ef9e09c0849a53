"""`kulanz cases`, `decide` and `rejected` at their edges: exit codes, the order, a short hash, what is left."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.door.incidents import REFUSED_EVENTS_PER_ANSWER
from kulanz.domain.byhand.discretion import discretion_json
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN
from kulanz_cli.cases import _campaigns
from tests.support.by_hand import DISCRETION
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, small_world
from tests.support.world_stack import WorldStack, run
from tests.unit.application.cases.test_waiting import closed
from tests.unit.cli.test_refused_and_repaired import refuse, waiting

DECLINE = ("--decline", "--reason", "known_fact")


@pytest.fixture
def stack() -> WorldStack:
    made = WorldStack(closed())
    made.discretion().publish(1, discretion_json(DISCRETION))
    return made


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_case_exits_with_1_once_nobody_can_decide_it_any_more(stack: WorldStack, more: tuple[str, ...]) -> None:
    assert run(stack, "cases", CAMPAIGN, "held-2", *more).exit_code == 0
    assert run(stack, "decide", CAMPAIGN, "held-2", *DECLINE).exit_code == 0
    shown = run(stack, "cases", CAMPAIGN, "held-2", *more)
    assert (shown.exit_code, "decided by hand" in read(shown.stdout)) == (1, True)


@pytest.mark.parametrize(("digits", "code"), [(0, 3), (HASH_DIGITS_SHOWN - 1, 3), (HASH_DIGITS_SHOWN, 0), (64, 0)])
def test_a_case_is_named_by_as_many_digits_as_are_shown(stack: WorldStack, digits: int, code: int) -> None:
    seen = json.loads(run(stack, "cases", CAMPAIGN, "held-2", "--json").stdout)["seen"]
    assert run(stack, "decide", CAMPAIGN, "held-2", *DECLINE, "--case", seen[:digits]).exit_code == code


def test_campaigns_with_cases_stand_by_their_deadline(capsys: pytest.CaptureFixture[str]) -> None:
    stated = [("third", "2026-05", "2026-01"), ("first", "2026-03", "2026-02"), ("second", "2026-04", "2026-01")]
    found = [
        {"campaign": name, "decidable_until": until, "decided_at": at, "waiting": {}} for name, until, at in stated
    ]
    door: Any = SimpleNamespace(pages=lambda *_, **__: iter([{"campaigns": [one]} for one in found]))
    assert _campaigns(SimpleNamespace(door=lambda: door), "2026-03", is_json=True)  # type: ignore[arg-type]
    shown = json.loads(capsys.readouterr().out)["campaigns"]
    assert [one["campaign"] for one in shown] == ["first", "second", "third"]


@pytest.mark.parametrize("limit", [1, 2, REFUSED_EVENTS_PER_ANSWER])
def test_only_the_refused_events_that_were_shown_are_taken_out(limit: int) -> None:
    stack = WorldStack(small_world())
    for number in range(3):
        refuse(stack, number)
    shown = run(stack, "rejected", "--limit", str(limit), "--done", "--json")
    assert shown.exit_code == 1
    listed = json.loads(shown.stdout)["rejected"]
    assert len(listed) == min(limit, 3)
    assert waiting(stack) == 3 - len(listed)
    rest = {one.rejection.incident_id for one in stack.served.refused_events.look(10) if one.rejection is not None}
    assert rest == {"i-0", "i-1", "i-2"} - {one["incident_id"] for one in listed}
