"""One outage under two incident ids is not paid twice without a word."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.application.campaigns.control_campaign import ControlPorts, cancel, pause
from kulanz.application.campaigns.same_outage import pays_twice, same_outage
from kulanz.domain.campaigns.campaign import OTHERS_NAMED, CampaignId, Cause, Pass, PinnedList, SameOutage, State
from kulanz.domain.campaigns.same_outage import OTHERS_READ, OutageCampaign, is_same_content, others_among
from kulanz.domain.incident import Incident, outage_digest
from kulanz.domain.time import Window, parse_instant
from tests.support.small_campaign import FACTS_MEANT, event, list_of, row, small_world
from tests.support.values import campaign as any_campaign
from tests.support.world import World
from tests.support.world_steps import CHANGES, Function, Step

BY = Cause("a person", "", "1")
ROWS = [row(f"a{number}") for number in range(12)]
CONTENT = list_of(ROWS)
FIRST, SECOND = CampaignId("net-outage", 1), CampaignId("noc-4711", 1)


LEFT_OUT: Any = dict.fromkeys(("title", *FACTS_MEANT), ...)


def told(incident_id: str = SECOND.incident_id, rows: int = len(ROWS), **changes: Any) -> dict[str, Any]:
    """The outage of the small campaign as another incident."""
    return event(rows=rows, incident_id=incident_id, **changes)


def two(second: dict[str, Any], content: bytes = CONTENT) -> World:
    """The outage is decided, then comes once more."""
    world = small_world(content)
    world.publish(told("net-outage"))
    world.run_until_quiet()
    assert world.campaign(str(FIRST)).state is State.CLOSED
    world.publish(second)
    world.run_until_quiet()
    return world


def reported(world: World) -> Any:
    """What the last report says of other incidents over the same outage."""
    return json.loads(world.announcer.announced[-1].detail)["same_outage"]


def grants(world: World) -> dict[str, int]:
    """How often each account was granted something."""
    found: dict[str, int] = {}
    for entry in world.ledger.inserted:
        account = entry.key.account_id
        found[account] = found.get(account, 0) + 1
    return found


SAME_WINDOWS: Sequence[tuple[str, dict[str, Any]]] = [
    ("as it was", {}),
    ("other words", {"title": "Störung", "cause": "fibre_cut", "functions": ["voice"]}),
    ("another zone", {"windows": [{"start": "2026-02-27T09:00:00+01:00", "end": "2026-02-27T21:00:00+01:00"}]}),
    ("in two windows", {"windows": [
        {"start": "2026-02-27T12:00:00Z", "end": "2026-02-27T20:00:00Z"},
        {"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T12:00:00Z"},
    ]}),
    ("other letters", {"service": " Broadband"}),
]  # fmt: skip


@pytest.mark.parametrize("changes", [changes for _, changes in SAME_WINDOWS], ids=[name for name, _ in SAME_WINDOWS])
def test_one_outage_and_list_under_a_second_incident_id_is_refused_and_names_the_first(changes: dict[str, Any]) -> None:
    world = two(told(**changes))
    campaign = world.campaign(str(SECOND))
    assert campaign.state is State.REFUSED
    assert campaign.state_reason.startswith("same_outage_twice: ")
    assert str(FIRST) in campaign.state_reason
    assert set(grants(world).values()) == {1}
    assert reported(world) == {"same_list": [str(FIRST)], "other_list": [], "named_all": True}


def test_another_copy_of_the_same_list_is_the_same_list() -> None:
    world = small_world(CONTENT)
    world.lists.upload("lists/copy.csv", CONTENT)
    world.publish(told("net-outage"))
    world.publish(told(key="lists/copy.csv"))
    world.run_until_quiet()
    assert set(grants(world).values()) == {1}
    states = {world.campaign(str(place)).state for place in (FIRST, SECOND)}
    assert states == {State.CLOSED, State.REFUSED}


@pytest.mark.parametrize(
    "changes",
    [
        {"service": "mobile"},
        {"windows": [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T20:00:01Z"}]},
    ],
    ids=["another service", "another end"],
)
def test_another_outage_is_decided_and_reports_nothing(changes: dict[str, Any]) -> None:
    world = two(told(**changes))
    assert world.campaign(str(SECOND)).state is State.CLOSED
    assert reported(world) == {"same_list": [], "other_list": [], "named_all": True}


def test_another_list_over_the_same_outage_is_decided_and_reported() -> None:
    world = small_world(CONTENT)
    world.lists.upload("lists/more.csv", list_of([row("b1"), row("b2")]))
    world.publish(told("net-outage"))
    world.publish(told(key="lists/more.csv", rows=2))
    world.run_until_quiet()
    assert {world.campaign(str(place)).state for place in (FIRST, SECOND)} == {State.CLOSED}
    assert reported(world)["same_list"] == []
    assert reported(world)["other_list"] in ([str(FIRST)], [str(SECOND)])


def test_who_names_the_other_incident_means_both() -> None:
    request = told()
    request["detail"]["campaign"]["same_outage_as"] = ["net-outage"]
    world = two(request)
    assert world.campaign(str(SECOND)).state is State.CLOSED
    assert set(grants(world).values()) == {2}

    request["detail"]["incident_id"] = "noc-4712"
    world.publish(request)
    world.run_until_quiet()
    third = world.campaign("noc-4712/1")
    assert third.state is State.REFUSED, "it named one of two"
    assert str(SECOND) in third.state_reason
    assert str(FIRST) not in third.state_reason


def test_a_campaign_that_gave_nothing_and_never_will_is_not_in_the_way() -> None:
    nobody = list_of([row(f"a{number}", affected="no") for number in range(3)])
    for end in ("refused", "cancelled", "declined"):
        world = small_world(nobody if end == "declined" else CONTENT)
        world.publish(told("net-outage", rows=99 if end == "refused" else 3 if end == "declined" else len(ROWS)))
        world.run(Step(Function.OPEN))
        if end == "cancelled":
            cancel(FIRST, ControlPorts(world.campaigns, world.chunks, world.stores), "the wrong id", BY, world.now)
        world.run_until_quiet()
        assert world.campaign(str(FIRST)).state in (State.REFUSED, State.CANCELLED, State.CLOSED)
        world.publish(told(rows=3 if end == "declined" else len(ROWS)))
        world.run_until_quiet()
        assert world.campaign(str(SECOND)).state is State.CLOSED, end


def test_a_campaign_that_was_stopped_half_way_has_paid() -> None:
    world = small_world(CONTENT)
    world.publish(told("net-outage"))
    while world.campaigns.campaign(FIRST) is None or world.campaign(str(FIRST)).state is not State.APPLYING:
        world.run(world.steps()[0])
    cancel(FIRST, ControlPorts(world.campaigns, world.chunks, world.stores), "stop", BY, world.now)
    world.publish(told())
    world.run_until_quiet()
    assert world.campaign(str(SECOND)).state is State.REFUSED


def test_a_campaign_that_waits_for_a_person_may_still_pay() -> None:
    world = small_world(CONTENT)
    world.publish(told("net-outage"))
    world.run(Step(Function.OPEN))
    pause(FIRST, ControlPorts(world.campaigns, world.chunks, world.stores), "a question", BY, world.now)
    world.publish(told())
    world.run_until_quiet()
    assert world.campaign(str(SECOND)).state is State.REFUSED


@pytest.mark.parametrize("seed", range(40))
def test_of_two_that_open_at_once_in_any_order_of_steps_at_most_one_pays(seed: int) -> None:
    world, chance = small_world(CONTENT, chunk_bytes=5_000), random.Random(seed)
    world.publish(told("net-outage"))
    world.publish(told())
    world.run_until_quiet(chance.choice)
    found = [world.campaign(str(place)) for place in (FIRST, SECOND)]
    assert [one.state for one in found].count(State.CLOSED) <= 1
    assert all(one.state_reason.startswith("same_outage_twice") for one in found if one.state is State.REFUSED)
    assert {one.state for one in found} <= {State.CLOSED, State.REFUSED}
    assert set(grants(world).values()) <= {1}


def test_two_whose_plans_were_looked_at_before_either_moved_are_both_refused() -> None:
    world = small_world(CONTENT)
    world.publish(told("net-outage"))
    world.publish(told())
    while any(step != CHANGES for step in world.steps()):
        world.run(next(step for step in world.steps() if step != CHANGES))
    for place in (FIRST, SECOND):
        campaign = world.campaign(str(place))
        assert campaign.is_finished(Pass.PLAN)
        assert pays_twice(campaign, same_outage(campaign, world.campaigns), world.campaigns)


def test_a_later_campaign_of_the_same_incident_is_not_another_incident() -> None:
    request = told("net-outage", detail_type="Campaign Requested", **LEFT_OUT)
    request["detail"]["campaign"]["limits"]["held"] = "99 %"
    world = two(request)
    assert world.campaigns.campaigns_of("net-outage")[1].state is State.CLOSED
    assert same_outage(world.campaign(str(FIRST)), world.campaigns).same_list == ()


# What counts as the same


def pinned(number: int, etag: str = '"a"', size: int = 9) -> PinnedList:
    return PinnedList("lists", f"lists/{number}.csv", f"v{number}", etag, size)


@pytest.mark.parametrize(
    ("other", "same"),
    [(pinned(1), True), (pinned(2), True), (pinned(1, '"b"'), False), (pinned(1, size=10), False)],
)
def test_lists_are_the_same_by_checksum_and_size(other: PinnedList, same: bool) -> None:
    assert is_same_content(pinned(1), other) is same


@pytest.mark.parametrize(
    ("count", "is_whole", "refused"),
    [(OTHERS_NAMED, True, False), (OTHERS_NAMED + 1, True, True), (0, False, True)],
)
def test_what_was_not_looked_at_counts_as_paid(count: int, is_whole: bool, refused: bool) -> None:
    """None of these campaigns exists, so none of those that are looked at has paid."""
    found = SameOutage(tuple(CampaignId(f"other-{number:05d}", 1) for number in range(count)), (), is_whole)
    assert bool(pays_twice(any_campaign(), found, small_world().campaigns)) is refused
    assert len(found.named().same_list) <= OTHERS_NAMED
    assert found.named().is_whole is not refused


def test_no_more_than_the_bound_is_read_of_an_outage() -> None:
    campaign, read = any_campaign(), []

    def listed() -> Any:
        for number in range(10 * OTHERS_READ):
            read.append(number)
            yield OutageCampaign(CampaignId(f"other-{number:05d}", 1), campaign.pinned)

    assert not others_among(campaign, listed()).is_whole
    assert len(read) == OTHERS_READ + 1


@pytest.mark.parametrize(("listed", "is_whole"), [(OTHERS_READ, True), (OTHERS_READ + 1, False)])
def test_as_many_as_are_read_are_all_there_are(listed: int, is_whole: bool) -> None:
    campaign = any_campaign()
    every = (OutageCampaign(CampaignId(f"other-{number:05d}", 1), campaign.pinned) for number in range(listed))
    found = others_among(campaign, every)
    assert (found.is_whole, len(found.same_list)) == (is_whole, OTHERS_READ)


DAY = [parse_instant(f"2026-02-27T{hour:02d}:00:00Z") for hour in range(24)]
WINDOWS = st.lists(
    st.tuples(st.integers(0, 22), st.integers(1, 6)).map(lambda at: (at[0], min(23, at[0] + at[1]))), min_size=1
)


def digest(windows: Sequence[tuple[int, int | None]], service: str = "app") -> str:
    as_told = tuple(Window(DAY[start], None if end is None else DAY[end]) for start, end in windows)
    return outage_digest(Incident("an-incident", 1, "Down", service, (), as_told))


@given(WINDOWS, WINDOWS)
def test_windows_are_the_same_when_they_cover_the_same_time(one: Any, another: Any) -> None:
    hours = [{hour for start, end in windows for hour in range(start, end)} for windows in (one, another)]
    assert (digest(one) == digest(another)) == (hours[0] == hours[1])
    assert digest(one) == digest(list(reversed(one)))
    assert digest([*one, (23, None)]) != digest(one)


@pytest.mark.parametrize(
    ("rows", "is_refused"),
    [
        ([row("a1")], True),
        ([row("a1", "business")], True),
        ([row("a1", "prepaid"), row("a2", "business")], True),
        ([row("a1", "prepaid")], False),
        ([row("a1", affected="no")], False),
        ([row("a1", affected="")], False),
        ([row("a1", "prepaid"), row("a2", affected="")], False),
    ],
    ids=["granted", "referred", "referred beside", "declined", "not affected", "held", "declined and held"],
)
def test_a_closed_campaign_has_paid_where_it_granted_something_or_a_person_decides(
    rows: list[bytes], is_refused: bool
) -> None:
    """Who is referred may be given something by hand; who is declined or held got nothing, and may be decided again."""
    world = small_world(list_of(rows))
    for incident_id in (FIRST.incident_id, SECOND.incident_id):
        world.publish(told(incident_id, rows=len(rows)))
        world.run_until_quiet()
    assert world.campaign(str(FIRST)).state is State.CLOSED
    campaign = world.campaign(str(SECOND))
    assert campaign.state is (State.REFUSED if is_refused else State.CLOSED), campaign.state_reason
