"""Which instants are read: those that a field states. What is doubtful is marked, and counted as nothing."""

import copy
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from kulanz.domain.drafts.draft import Draft, joined_range
from kulanz.domain.drafts.reported import Mark
from kulanz.domain.drafts.timeline import JOINED_AFTER, JOINED_BEFORE
from kulanz.sources.reading import YEAR_EARLIEST, YEAR_LATEST, Times
from tests.support.sources import body_of, configured, drafts_from

BERLIN = ZoneInfo("Europe/Berlin")


def read(text: Any, zone: ZoneInfo | None = None) -> tuple[str | None, set[Mark]]:
    times = Times(zone)
    stamp = times.stamp(text, "told")
    return None if stamp is None else f"{stamp.at:%Y-%m-%d %H:%M:%S.%f}".removesuffix(".000000"), times.marks


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-10T10:00:00Z", "2026-03-10 10:00:00"),
        ("2026-03-10T10:00:00+01:00", "2026-03-10 09:00:00"),
        ("2026-03-10 10:00:00.123456789-0600", "2026-03-10 16:00:00.123456"),
        ("Tue, 10 Mar 2026 11:04:52 GMT", "2026-03-10 11:04:52"),
        ("10 Mar 2026 11:04:52 +0100", "2026-03-10 10:04:52"),
        (f"{YEAR_EARLIEST}-01-01T00:00:00Z", "2000-01-01 00:00:00"),
        (f"{YEAR_LATEST}-12-31T23:59:59Z", "2199-12-31 23:59:59"),
    ],
)
def test_an_instant_with_its_offset_is_the_same_in_every_zone(text: str, instant: str) -> None:
    assert read(text) == read(text, BERLIN) == (instant, set())


@pytest.mark.parametrize("text", [None, "", "0001-01-01T00:00:00Z"])
def test_what_is_not_yet_is_no_instant_and_no_mistake(text: Any) -> None:
    assert read(text) == (None, set())


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-30T10:00:00Z", "2026-03-10T24:00:00Z", "2026-03-10T23:59:60Z", "2026-03-10", "1773137753", "now"),
        *(f"{YEAR_LATEST + 1}-01-01T00:00:00Z", "9999-12-31T23:59:59Z", f"{YEAR_EARLIEST - 1}-12-31T23:59:59Z"),
        *("Tue, 10 Mar 2026 11:04:52 CET", "Tue, 10 Mar 2026 11:04:52 PDT", "10 Mar 26 11:04", "Mar 10 2026 11:04:52"),
        *(1773137753, True, ["2026-03-10T10:00:00Z"]),
    ],
)
def test_what_is_no_instant_is_marked_and_never_guessed_also_where_a_zone_is_configured(text: Any) -> None:
    for zone in (None, BERLIN):
        instant, marks = read(text, zone)
        assert (instant, Mark.TIME_UNREADABLE in marks) == (None, True)


@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2026-03-10 10:00:00", "2026-03-10 09:00:00"),
        ("Tue, 10 Mar 2026 10:00:00", "2026-03-10 09:00:00"),
        ("2026-03-29 01:59:59", "2026-03-29 00:59:59"),
        ("2026-03-29 02:00:00", None),  # the clock went from 2 to 3 that night
        ("2026-03-29 02:59:59", None),
        ("2026-03-29 03:00:00", "2026-03-29 01:00:00"),
        ("2026-10-25 01:59:59", "2026-10-24 23:59:59"),
        ("2026-10-25 02:00:00", None),  # and back from 3 to 2: every time between them came twice
        ("2026-10-25 02:59:59", None),
        ("2026-10-25 03:00:00", "2026-10-25 02:00:00"),
    ],
)
def test_a_time_without_zone_is_read_by_the_configured_one_unless_the_clock_shows_it_twice_or_never(
    local: str, instant: str | None
) -> None:
    doubt = set() if instant else {Mark.TIME_UNREADABLE}
    assert read(local, BERLIN) == (instant, {Mark.TIME_WITHOUT_ZONE} | doubt)
    assert read(local) == (None, {Mark.TIME_WITHOUT_ZONE, Mark.TIME_UNREADABLE})


def test_the_changes_that_may_belong_to_an_incident_can_be_named_for_every_instant_that_is_read() -> None:
    """Otherwise one delivery keeps a whole month from being listed."""
    for year in (YEAR_EARLIEST, YEAR_LATEST):
        earliest, latest = datetime(year, 1, 1, tzinfo=UTC), datetime(year, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
        assert earliest - JOINED_BEFORE < earliest
        assert latest + JOINED_AFTER > latest
    assert joined_range([]) is None


def outage(kind: str, ended: str) -> Draft:
    """An outage that its source calls over, with that text where its end stands."""
    name = {"servicenow": "outage-record", "tmf656": "state-change", "incident_io": "status-updated"}.get(kind, "")
    body = copy.deepcopy(body_of(kind, name or "outage-resolved"))
    if kind == "servicenow":
        body["result"]["end"] = ended
    elif kind == "tmf656":
        body["event"]["serviceProblem"] |= {"status": "resolved", "resolutionDate": ended}
    elif kind == "incident_io":
        incident = body[body["event_type"]]
        incident = incident.get("incident", incident)
        for one in incident["incident_timestamp_values"]:
            if one["incident_timestamp"]["name"] == "Fixed at":
                one["value"] = {"value": ended}
    else:
        body["incident"] |= {"resolved_at": ended}
        body["incident"]["incident_updates"][0]["affected_components"] = None  # which closes the components
        body["incident"]["incident_updates"][1]["affected_components"] = None
    counted = {"voice": {"counts": ["major", "unstated"]}}
    source = configured(kind, **({} if kind == "statuspage" else {"services": counted}))
    return next(one for one in drafts_from(source, [body]).values() if one.rule and one.rule.name == "voice")


@pytest.mark.parametrize("kind", ["statuspage", "incident_io", "servicenow", "tmf656"])
@pytest.mark.parametrize("ended", ["2026-03-10 25:00:00", "9999-12-31T23:59:59Z", "soon"])
def test_an_outage_that_is_over_at_an_instant_that_cannot_be_read_does_not_go_on(kind: str, ended: str) -> None:
    draft = outage(kind, ended)
    assert Mark.TIME_UNREADABLE in draft.marks
    windows = [*draft.windows, *(one for group in draft.windows_by_degree.values() for one in group)]
    assert [window for window in windows if window.end is None] == []
    assert None not in (draft.totals.major, draft.totals.major_and_partial)


def test_what_an_outage_has_that_goes_on_is_shown_as_going_on() -> None:
    draft = outage("servicenow", "")
    assert [window.end for window in draft.windows] == [None]
    assert draft.totals.major is None


@pytest.mark.parametrize(("microseconds", "is_proposed"), [(-1, False), (0, True), (1, True)])
def test_a_window_as_long_as_the_minimum_is_proposed_and_a_shorter_one_is_not(
    microseconds: int, *, is_proposed: bool
) -> None:
    end = datetime(2026, 3, 10, 9, 34, tzinfo=UTC) + timedelta(microseconds=microseconds)  # it begins at 9:24
    body = copy.deepcopy(body_of("servicenow", "outage-record"))
    body["result"]["end"] = f"{end:%Y-%m-%d %H:%M:%S.%f}"
    source = configured("servicenow", services={"voice": {"counts": ["major"], "minimum": "10 min"}})
    (draft,) = drafts_from(source, [body]).values()
    assert (len(draft.windows), Mark.BELOW_MINIMUM in draft.marks) == (is_proposed, not is_proposed)
