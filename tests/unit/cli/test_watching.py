"""`kulanz watch` says how far a campaign is before its lines are counted, and that one which never comes is none."""

from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.door.problems import Kind
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz_cli import watch
from kulanz_cli.door import DoorProblem
from kulanz_cli.watch import AT_REST, POLL_SECONDS, UNKNOWN_SECONDS, CampaignBars, StillAtWork, states_of
from tests.support.reading import read
from tests.support.small_campaign import INCIDENT_ID, ROWS, event, small_world
from tests.support.world_stack import WorldStack, run


@pytest.mark.parametrize(
    ("campaigns", "says"), [(0, "its incident has none yet"), (1, "its incident has 1 campaign so far")]
)
@pytest.mark.parametrize("ahead", [1, 5])
def test_a_campaign_that_there_is_not_says_how_many_there_are(
    monkeypatch: pytest.MonkeyPatch, campaigns: int, says: str, ahead: int
) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.0)
    world = small_world()
    left_out: dict[str, Any] = {} if campaigns else {"campaign": ...}
    world.publish(event(rows=ROWS, **left_out))
    world.run_until_quiet()
    shown = run(WorldStack(world), "watch", f"{INCIDENT_ID}/{campaigns + ahead}", "--seconds", "0")
    assert shown.exit_code == 3
    assert f"there is no campaign {INCIDENT_ID}/{campaigns + ahead}: {says}" in read(shown.output)


class Clock:
    """Time that passes while somebody sleeps, and in no other way."""

    def __init__(self) -> None:
        self.seconds = 1_000.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        assert self.seconds < 1_000.0 + 2 * 60.0, "nobody waits for ever"


class Incident:
    """An API that knows in-7/3 from an instant on, in a state, and its incident with so many campaigns, or not."""

    def __init__(
        self, clock: Clock, *, known_from: float = 0.0, state: str = "applying", next_seq: int | None = 4
    ) -> None:
        self._clock, self._known_at, self._state, self._next_seq = clock, clock.seconds + known_from, state, next_seq

    def ask(self, use: str, **of: object) -> dict[str, Any]:
        if use == "campaigns.one":
            assert of == {"incident": "in-7", "seq": 3}
            if self._clock.seconds < self._known_at:
                raise DoorProblem("none", Kind.UNKNOWN)
            return {"state": self._state}
        assert (use, of) == ("incidents.one", {"incident": "in-7"})
        if self._next_seq is None:
            raise DoorProblem("none", Kind.UNKNOWN)
        return {"next_seq": self._next_seq}


NEVER, DAY = 1e9, 24 * 3_600.0


@pytest.mark.parametrize(
    ("incident", "longest", "waits", "says"),
    [
        ({"known_from": NEVER, "next_seq": None}, DAY, UNKNOWN_SECONDS, "its incident is not recorded"),
        ({"known_from": NEVER, "next_seq": None}, 3.0, 3.0, "its incident is not recorded"),
        ({"known_from": NEVER, "next_seq": 3}, DAY, UNKNOWN_SECONDS, "its incident has 2 campaigns so far"),
        ({"known_from": NEVER, "next_seq": 2}, DAY, 0.0, "its incident has 1 campaign so far"),
        ({"known_from": NEVER, "next_seq": 4}, DAY, UNKNOWN_SECONDS, "its incident has 3 campaigns so far"),
        ({"state": "applying"}, 60.0, 60.0, "is still applying after 60 seconds"),
        ({"known_from": 5.0, "next_seq": 3, "state": "planning"}, 60.0, 60.0, "is still planning after 60 seconds"),
    ],
)
def test_whoever_waits_for_what_does_not_come_waits_so_long_and_no_longer(
    incident: dict[str, Any], longest: float, waits: float, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(watch, "time", clock)
    door: Any = Incident(clock, **incident)
    with pytest.raises(StillAtWork, match=says):
        list(states_of(door, CampaignId.parse("in-7/3"), longest))
    assert clock.seconds == 1_000.0 + waits


@pytest.mark.parametrize("state", State)
def test_a_campaign_is_looked_at_until_it_rests(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(watch, "time", clock)
    door: Any = Incident(clock, known_from=2 * POLL_SECONDS, state=state.value, next_seq=None)
    found = states_of(door, CampaignId.parse("in-7/3"), 60.0)
    seen: list[Any] = [next(found) for _ in range(3)]
    assert seen == [None, None, {"state": state.value}]
    assert bool(next(found, None)) is (state not in AT_REST)


def passed(done: int, lines: int, *, finished: bool = False) -> Any:
    return SimpleNamespace(bytes_done=done, is_finished=finished, totals=SimpleNamespace(lines=lines))


@pytest.mark.parametrize(
    ("work", "plan", "lines"),
    [
        (Pass.PLAN, passed(0, 0), 700),  # as the event announced
        (Pass.PLAN, passed(250, 100), 400),
        (Pass.PLAN, passed(999, 401), 401),
        (Pass.PLAN, passed(1_000, 390, finished=True), 390),
        (Pass.APPLY, passed(1_000, 390, finished=True), 390),
    ],
)
def test_the_lines_of_a_campaign_are_estimated_by_its_bytes_until_they_are_counted(
    work: Pass, plan: Any, lines: int
) -> None:
    shown: Any = SimpleNamespace(plan=plan, rows_announced=700, bytes_in_all=1_000)
    assert CampaignBars._lines_in_all(shown, work) == lines
