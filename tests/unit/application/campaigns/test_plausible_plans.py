"""What stands beside a plan, so that a list that balances and is the wrong one is seen: what a line came to before."""

from dataclasses import replace
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, cancel
from kulanz.application.campaigns.plausible_plan import (
    IncidentReview,
    campaigns_before,
    is_older,
    usual_review,
)
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from tests.support.small_campaign import event, list_of, meant, row, small_world
from tests.support.world import ANNA, BEN, World

ROWS = [row("a-1", fee="50.00"), row("a-2", fee="70.00"), row("a-3", affected="no"), row("a-4", segment="business")]


@pytest.fixture
def world() -> World:
    return small_world(list_of(ROWS), approvers=())


def hours(day: int) -> list[dict[str, str]]:
    return [{"start": f"2026-02-{day:02}T08:00:00Z", "end": f"2026-02-{day:02}T20:00:00Z"}]


def request(world: World, number: int, incident_id: str = "", fees: tuple[str, ...] = ()) -> CampaignId:
    """A campaign of an incident, whose plan waits."""
    key, name = f"lists/{number}.csv", incident_id or f"outage-{number}"
    rows = [*ROWS, *(row(f"more-{place}", fee=fee) for place, fee in enumerate(fees)), row(f"own-{number}", fee="1.00")]
    world.lists.upload(key, list_of(rows))
    world.publish(event(rows=len(rows), key=key, incident_id=name, windows=hours(number)))
    world.run_until_quiet()
    return CampaignId(name, 1)


def close(world: World, campaign_id: CampaignId) -> None:
    for person in (ANNA, BEN):
        world.approve(campaign_id, person)
    world.run_until_quiet()


def usual(world: World, campaign_id: CampaignId) -> list[dict[str, Any]]:
    campaign = world.campaign(str(campaign_id))
    found = usual_review(campaign, campaigns_before(campaign, world.campaigns, world.index))
    return [{name: one[name] for name in ("campaign", "measure", "sum", "lines")} for one in map(dict[str, Any], found)]


def test_what_is_usual_is_what_the_granted_lines_of_the_last_closed_campaign_came_to(world: World) -> None:
    first = request(world, 1)
    assert usual(world, first) == []
    close(world, first)
    cancelled = request(world, 2, fees=("900.00",))
    cancel(
        cancelled, ControlPorts(world.campaigns, world.chunks, world.stores), "wrong", Cause("a", "b", "c"), world.now
    )
    waiting = request(world, 3, fees=("900.00",))
    # of 50.00, 70.00 and 1.00 a tenth, and twenty minutes each; the declined and the referred line are no average's
    expected = [
        {"campaign": str(first), "measure": "EUR", "sum": "1210", "lines": 3},
        {"campaign": str(first), "measure": "call_minute", "sum": "60", "lines": 3},
    ]
    assert usual(world, waiting) == expected
    close(world, waiting)
    more = list_of([*ROWS, row("another")])
    world.lists.upload("lists/more.csv", more)
    facts: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)
    asked = event(
        detail_type="Campaign Requested", key="lists/more.csv", rows=len(ROWS) + 1, incident_id="outage-3",
        **facts | {"decision_digest": meant(windows=hours(3))},
    )  # fmt: skip
    world.publish(asked)
    world.run_until_quiet()
    assert usual(world, CampaignId("outage-3", 2)) == expected, "what its own incident came to stands beside it already"
    assert usual(world, request(world, 4))[0]["campaign"] == str(waiting)


@pytest.mark.parametrize("state", [one for one in State if one is not State.CLOSED])
def test_of_the_campaigns_before_only_one_that_closed_says_what_is_usual(world: World, state: State) -> None:
    for number in (1, 2):
        close(world, request(world, number))
    here = world.campaign(str(request(world, 3)))
    latest, earlier = campaigns_before(here, world.campaigns, world.index)
    assert {one["campaign"] for one in usual_review(here, [latest, earlier])} == {str(latest.id)}
    other = replace(latest, state=state)
    assert {one["campaign"] for one in usual_review(here, [other, earlier])} == {str(earlier.id)}
    assert usual_review(here, [other]) == []


@pytest.mark.parametrize(
    ("fee", "times", "each_here"), [("363.00", 3, "1210"), ("362.50", None, "1209"), ("565.00", 4, "1715")]
)
def test_from_three_times_as_much_on_it_is_said_how_many_times_as_much_a_line_comes_to(
    world: World, fee: str, times: int | None, each_here: str
) -> None:
    close(world, request(world, 1))
    campaign = world.campaign(str(request(world, 2, fees=(fee,))))
    found = usual_review(campaign, campaigns_before(campaign, world.campaigns, world.index))
    assert [(one["measure"], one["each"], one["each_here"], one["times"]) for one in found] == [
        ("EUR", "403", each_here, times), ("call_minute", "20", "20", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("uploaded", "older"),
    [
        ("2026-02-01T07:59:59Z", True),
        ("2026-02-01T08:00:00Z", False),
        ("2026-02-02T12:00:00Z", False),
        (None, False),
    ],
)
def test_a_list_is_older_where_it_was_uploaded_before_the_first_window_began(
    uploaded: str | None, *, older: bool
) -> None:
    windows = [{"start": f"2026-02-0{day}T08:00:00Z", "end": None} for day in (3, 1)]
    incident: Any = {"title": "", "revision": 1, "windows": windows, "cause": None}
    reviewed: IncidentReview = incident
    assert is_older(uploaded, reviewed) is older
