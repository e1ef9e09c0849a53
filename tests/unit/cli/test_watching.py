"""`kulanz watch` says how far a campaign is before its lines are counted, and that one which never comes is none."""

from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import Pass
from kulanz_cli import watch
from kulanz_cli.watch import CampaignBars
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
