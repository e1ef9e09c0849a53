"""What the watch of drafts promises: it asks pages, looks at a part at a time, and leaves what is settled alone."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.drafts import read_drafts as reading
from kulanz.application.drafts.draft_ports import Upstream
from kulanz.application.drafts.follow_drafts import POLLED_MOST, SECONDS_FOR_ONE, WATCHED_MOST
from kulanz.application.drafts.keep_delivery import read_body
from kulanz.application.drafts.read_drafts import unsettled_now
from kulanz.domain.drafts.following import POLLED_AFTER_END
from kulanz.sources.configuration import configuration_json
from tests.support.sources import body_of, content_of, recorded
from tests.unit.application.drafts.test_following import PAGE, PORTAL, VOICE, Follower
from tests.unit.application.drafts.test_keeping import NOW, OUTAGE, shown


def test_a_resolve_that_was_lost_is_found_on_the_page_by_the_watch() -> None:
    follower = Follower(page=PAGE)
    follower.pages.shown[(PAGE, "0a1b2c3d4e5f")] = json.dumps(recorded("statuspage")[0]).encode()
    follower.hear(recorded("statuspage")[0])
    follower.pages.shown[(PAGE, "0a1b2c3d4e5f")] = shown()
    assert follower.watch(NOW + timedelta(minutes=5)).polled == 1
    assert follower.read()[VOICE].totals.major == timedelta(seconds=1081, milliseconds=477)


def test_a_page_is_asked_while_an_incident_may_change_and_not_for_ever() -> None:
    follower = Follower(page=PAGE)
    follower.pages.shown[(PAGE, "0a1b2c3d4e5f")] = shown()
    follower.hear(body_of("statuspage", "outage-resolved"))
    ended = follower.read()[VOICE].ended
    assert ended is not None
    just_before, after = ended.at + POLLED_AFTER_END - timedelta(seconds=1), ended.at + POLLED_AFTER_END
    assert [follower.watch(at).polled for at in (just_before, after)] == [1, 0]


def test_a_page_that_shows_nothing_new_moves_no_incident_into_another_month() -> None:
    follower = Follower(page=PAGE)
    follower.pages.shown[(PAGE, "0a1b2c3d4e5f")] = json.dumps(recorded("statuspage")[0]).encode()
    follower.hear(recorded("statuspage")[0])
    assert follower.watch(datetime(2026, 4, 1, tzinfo=UTC)).polled == 1
    assert follower.drafts.in_month("2026-04").found == ()


def test_a_source_without_a_page_is_never_asked() -> None:
    follower = Follower()
    follower.hear(recorded("statuspage")[0])
    assert follower.watch().polled == 0


def test_one_page_that_does_not_answer_stops_no_other_draft() -> None:
    follower = Follower(page=PAGE, notices=True)
    follower.pages.shown[(PAGE, "0a1b2c3d4e5f")] = shown()
    follower.records.halted = True
    follower.hear(body_of("statuspage", "outage-resolved"))
    follower.records.halted = False
    follower.pages.shown.clear()
    found = follower.watch()
    assert [name for name, _ in found.failed] == ["it-0a1b2c3d4e5f"]
    assert {one["incident_id"] for one in follower.said} == {VOICE, PORTAL}


def test_what_is_settled_is_looked_at_again_only_when_something_comes() -> None:
    follower = Follower()
    follower.hear(body_of("statuspage", "outage-resolved"))
    assert sorted(follower.watch().waiting) == [PORTAL, VOICE]
    for draft_id, service in ((VOICE, "voice"), (PORTAL, "portal")):
        follower.confirm(draft_id, service)
    assert follower.watch().waiting == ()
    assert follower.drafts.unsettled("2026-03") == []
    follower.hear(body_of("statuspage", "outage-resolved"), NOW + timedelta(minutes=1))
    assert [one.of for one in follower.drafts.unsettled("2026-03")] == [OUTAGE]


def flood(follower: Follower, incidents: int) -> None:
    body = body_of("statuspage", "outage-resolved")
    (part,) = read_body(body, follower.sources.current().sources["it"]).parts
    for number in range(incidents):
        name = f"flood{number:06d}"
        body["incident"]["id"] = name
        follower.pages.shown[(PAGE, name)] = json.dumps(body).encode()
        follower.drafts.keep(Upstream("it", name), replace(part, incident=name), NOW)


def test_a_flood_is_looked_at_a_part_at_a_time_and_all_of_it_in_the_end() -> None:
    follower = Follower(page=PAGE)
    flood(follower, WATCHED_MOST + 5)
    first = follower.watch(NOW + timedelta(minutes=1))
    assert (first.is_whole, first.polled, len(first.waiting)) == (False, POLLED_MOST, WATCHED_MOST * 2)
    second = follower.watch(NOW + timedelta(minutes=6))
    seen = {draft.rpartition("-")[0] for draft in (*first.waiting, *second.waiting)}
    assert len(seen) == WATCHED_MOST + 5


def test_the_watch_ends_before_its_function_does() -> None:
    follower = Follower()
    flood(follower, 3)
    found = follower.watch(seconds_left=lambda: SECONDS_FOR_ONE - 1)
    assert (found.waiting, found.is_whole) == ((), False)


def test_what_came_at_the_end_of_a_month_is_looked_at_in_the_next() -> None:
    follower = Follower()
    follower.hear(body_of("statuspage", "outage-resolved"), datetime(2026, 3, 31, 23, 59, tzinfo=UTC))
    assert sorted(follower.watch(datetime(2026, 4, 1, tzinfo=UTC)).waiting) == [PORTAL, VOICE]
    assert follower.watch(datetime(2026, 5, 1, tzinfo=UTC)).waiting == ()


def test_a_dismissed_draft_waits_for_nobody_until_its_source_reports_something_else() -> None:
    follower = Follower(notices=True)
    early, late = recorded("statuspage")[0], body_of("statuspage", "outage-resolved")
    follower.hear(early)
    follower.dismiss(VOICE, "voice")
    asked, said = len(follower.asked), len(follower.said)
    follower.hear(early)
    assert VOICE not in follower.watch().waiting
    assert (len(follower.asked), len(follower.said)) == (asked, said)
    for _ in range(2):
        follower.hear(late)
        assert VOICE in follower.watch().waiting
    assert follower.asked[asked:].count((VOICE, "changed")) == 1
    follower.dismiss(VOICE, "voice")
    assert VOICE not in follower.watch().waiting


def test_a_dismissed_draft_that_is_confirmed_after_all_is_confirmed() -> None:
    follower = Follower()
    follower.hear(body_of("statuspage", "outage-resolved"))
    follower.dismiss(VOICE, "voice")
    follower.confirm(VOICE, "voice")
    assert VOICE not in follower.watch().waiting


def test_what_a_person_dismissed_while_the_stack_was_halted_is_not_published_after_it() -> None:
    follower = Follower(notices=True)
    follower.records.halted = True
    follower.hear(body_of("statuspage", "outage-resolved"))
    follower.dismiss(VOICE, "voice")
    follower.records.halted = False
    follower.watch()
    assert {one["incident_id"] for one in follower.said} == {PORTAL}


def test_an_incident_with_a_page_is_settled_once_its_page_is_asked_no_more() -> None:
    follower = Follower(page=PAGE)
    follower.pages.shown[(PAGE, "0a1b2c3d4e5f")] = shown()
    follower.hear(body_of("statuspage", "outage-resolved"))
    for draft_id, service in ((VOICE, "voice"), (PORTAL, "portal")):
        follower.confirm(draft_id, service)
    ended = follower.read()[VOICE].ended
    assert ended is not None
    left = []
    for at in (ended.at + POLLED_AFTER_END - timedelta(seconds=1), ended.at + POLLED_AFTER_END):
        follower.watch(at)
        left.append(len(follower.drafts.unsettled(f"{NOW:%Y-%m}")))
    assert left == [1, 0]


@pytest.mark.parametrize(
    ("day", "months"),
    [
        ("2026-01-01", ["2026-01", "2025-12"]),
        ("2026-01-31", ["2026-01", "2025-12"]),
        ("2026-03-01", ["2026-03", "2026-02"]),
        ("2026-03-31", ["2026-03", "2026-02"]),
        ("2026-05-31", ["2026-05", "2026-04"]),
        ("2026-12-31", ["2026-12", "2026-11"]),
    ],
)
def test_this_month_and_the_last_are_looked_at_on_whichever_day(day: str, months: list[str]) -> None:
    asked: list[str] = []

    def unsettled(month: str) -> list[str]:
        asked.append(month)
        return [month]

    store: Any = SimpleNamespace(unsettled=unsettled)
    now = datetime.fromisoformat(f"{day}T12:00:00+00:00")
    found: Any = unsettled_now(store, now)
    assert found == months
    assert asked == months


def test_each_component_is_asked_for_its_changes_within_the_incidents_own_time(monkeypatch: pytest.MonkeyPatch) -> None:
    among = SimpleNamespace(components={"b", "a"}, first="first", last="last")
    monkeypatch.setattr(reading, "joined_range", lambda _: among)
    store: Any = SimpleNamespace(changes=lambda *said: [said, said[1]])
    found: Any = reading.outside_changes("it", [], store)
    assert found == [("it", "a", "first", "last"), "a", ("it", "b", "first", "last"), "b"]


def test_what_a_stopped_source_reported_waits_for_nobody_and_is_settled() -> None:
    follower = Follower()
    follower.hear(body_of("statuspage", "outage-resolved"))
    assert follower.drafts.unsettled("2026-03") != []
    follower.sources.publish(2, configuration_json(content_of("statuspage", stopped=True)))
    found = follower.watch()
    assert (found.waiting, found.polled, found.failed, found.is_whole) == ((), 0, (), True)
    assert follower.drafts.unsettled("2026-03") == []
