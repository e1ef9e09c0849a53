"""An outage is paid for when it is known: no campaign opens over a window that has not been yet."""

from datetime import datetime, timedelta

import pytest

from kulanz.application.campaigns.open_campaign import Opening
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.time import CLOCK_ALLOWANCE, MICROSECOND, format_instant
from tests.support.neighbour import GOOD
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, small_world
from tests.support.world import SECONDS_PER_STEP, START, World

READ_AT = START + timedelta(seconds=SECONDS_PER_STEP)
"""When the first event of a world is read."""
BEGAN = READ_AT - timedelta(hours=7)
EDGE = READ_AT + CLOCK_ALLOWANCE


def told(*windows: tuple[datetime, datetime | None]) -> World:
    world = small_world(GOOD)
    content = [
        {"start": format_instant(start), **({} if end is None else {"end": format_instant(end)})}
        for start, end in windows
    ]
    world.publish(event(rows=3, windows=content))
    world.run_until_quiet()
    return world


@pytest.mark.parametrize(
    "windows",
    [
        [(BEGAN, EDGE + MICROSECOND)],
        [(BEGAN, BEGAN.replace(year=BEGAN.year + 10))],
        [(BEGAN, BEGAN + timedelta(hours=1)), (EDGE + MICROSECOND, None)],
        [(BEGAN, BEGAN + timedelta(hours=1)), (EDGE + timedelta(days=1), EDGE + timedelta(days=1, hours=1))],
        [(BEGAN.replace(year=BEGAN.year + 1), None)],
    ],
)
def test_no_campaign_opens_over_a_window_that_has_not_been_yet(
    windows: list[tuple[datetime, datetime | None]],
) -> None:
    world = told(*windows)
    assert world.openings == [Opening.REJECTED]
    (refusal,) = world.rejected.sent
    assert (refusal.reason, refusal.field, refusal.incident_id) == ("window_in_future", "detail.windows", INCIDENT_ID)
    assert "when it is over" in refusal.message
    assert world.campaigns.all_campaigns() == []
    assert world.ledger.all_entries() == []
    assert len(world.campaigns.revisions(INCIDENT_ID)) == 1, "what was announced is recorded all the same"


@pytest.mark.parametrize(
    "windows",
    [
        [(BEGAN, EDGE)],
        [(BEGAN, None)],
        [(BEGAN, BEGAN + timedelta(hours=1)), (READ_AT, None)],
        [(BEGAN, READ_AT)],
    ],
)
def test_clocks_may_differ_and_an_outage_may_go_on(windows: list[tuple[datetime, datetime | None]]) -> None:
    world = told(*windows)
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert world.rejected.sent == []


def test_what_was_refused_as_too_early_is_decided_when_it_is_sent_again_after_its_end() -> None:
    ended = EDGE + timedelta(hours=2)
    world = told((BEGAN, ended))
    assert world.openings == [Opening.REJECTED]
    windows = [{"start": format_instant(BEGAN), "end": format_instant(ended)}]
    world.now = ended
    world.publish(event(rows=3, windows=windows))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
