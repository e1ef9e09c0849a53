"""What following drafts promises: a person is asked once for each reason, and notices are words until one speaks."""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from kulanz.application.drafts.draft_ports import Confirmed, Delivery, Dismissed, Upstream
from kulanz.application.drafts.follow_drafts import (
    FOLLOWED_AT_ONCE_MOST,
    FollowPorts,
    WatchedDrafts,
    follow_kept,
    watch_drafts,
)
from kulanz.application.drafts.keep_delivery import keep_delivery, keep_event
from kulanz.application.drafts.waiting_long import waiting_long
from kulanz.application.ports import Outdated, TryAgain
from kulanz.domain.drafts.following import WAITS_LONG_AFTER, Followed, Waits
from kulanz.domain.notices import NoticeMessage
from kulanz.sources.configuration import Configuration, configuration_json
from tests.support.fake_messages import FakeAnnouncer, FakeTopic
from tests.support.sources import body_of, content_of, recorded
from tests.unit.application.drafts.test_keeping import NOW, OUTAGE, Keeper

PAGE = "status.example.com"
VOICE, PORTAL = "it-0a1b2c3d4e5f-voice", "it-0a1b2c3d4e5f-portal"


class FakeRecords:
    """Which incidents were recorded, and whether the stack is halted."""

    def __init__(self) -> None:
        self.recorded: set[str] = set()
        self.halted = False

    def has_incident(self, incident_id: str) -> bool:
        return incident_id in self.recorded

    def is_halted(self) -> bool:
        return self.halted


class BrokenTopic(FakeTopic):
    """A topic that takes what it is given, and whose answer is lost as often as `fails` says."""

    fails = 0

    def publish(self, messages: Sequence[NoticeMessage]) -> None:
        super().publish(messages)
        if self.fails:
            self.fails -= 1
            raise TryAgain("PublishBatch: entries refused")


class Follower(Keeper):
    """Whoever reads deliveries and follows their drafts."""

    def __init__(self, kind: str = "statuspage", **entries: Any) -> None:
        super().__init__(kind, **entries)
        self.records, self.announcer, self.topic = FakeRecords(), FakeAnnouncer(), BrokenTopic()
        self.following = FollowPorts(self.ports, self.records, self.announcer, self.topic)

    def hear(self, body: Any, at: datetime = NOW) -> None:
        delivery = Delivery("it", self.bodies.put("it", json.dumps(body).encode(), at), at)
        follow_kept(keep_delivery(delivery, self.ports), self.following, at)

    def watch(self, at: datetime = NOW, seconds_left: Callable[[], float] = lambda: 100.0) -> WatchedDrafts:
        return watch_drafts(self.following, at, seconds_left)

    def confirm(self, draft_id: str, service: str) -> None:
        before = self.drafts.confirmed(OUTAGE, service)
        count = 1 if before is None else before.count + 1
        draft = self.read()[draft_id]
        self.drafts.confirm(OUTAGE, service, Confirmed(draft_id, count, draft.digest, {}, count, "iam:anna", NOW))
        self.records.recorded.add(draft_id)

    def dismiss(self, draft_id: str, service: str) -> None:
        before = self.drafts.dismissed(OUTAGE, service)
        count = 1 if before is None else before.count + 1
        digest = self.read()[draft_id].digest
        self.drafts.dismiss(OUTAGE, service, Dismissed(draft_id, count, digest, {}, "a test", "iam:anna", NOW))

    @property
    def asked(self) -> list[tuple[str, str]]:
        details = [json.loads(one.detail) for one in self.announcer.announced]
        return [(one["draft"], one["state"]) for one in details]

    @property
    def said(self) -> list[dict[str, Any]]:
        return [json.loads(one.text) for one in self.topic.published]


def orders(bodies: Sequence[Any]) -> Iterable[list[Any]]:
    """Some orders of deliveries, with two of each that come again."""
    return [[*order, order[0], order[-1]] for order in list(permutations(bodies))[::53]]


def with_asked(*names: str) -> dict[str, Any]:
    services = content_of("statuspage")["sources"]["it"]["services"]
    return {name: {**rule, "asked": list(names)} for name, rule in services.items()}


def test_a_person_is_asked_once_for_a_new_draft_whatever_comes_twice_or_late() -> None:
    for order in orders(recorded("statuspage")):
        follower = Follower(services=with_asked("anna-berg"))
        for body in order:
            follower.hear(body)
        follower.watch()
        assert sorted(follower.asked) == [(PORTAL, "new"), (VOICE, "new")]
        assert {one.detail_type for one in follower.announcer.announced} == {"Incident Draft Waiting"}


def test_readers_of_deliveries_that_meet_over_a_draft_both_come_to_their_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that fails comes again after twelve minutes only. Who is asked may be asked twice then, never not."""
    first, *others = recorded("statuspage")
    alone, follower = (Follower(services=with_asked("anna-berg"), notices=True) for _ in range(2))
    for body in (*others, first):
        alone.hear(body)
    follow, left = follower.drafts.follow, list(others)

    def meets(of: Upstream, service: str, followed: Followed) -> None:
        if left:
            follower.hear(left.pop())  # another reader, who comes to its end in between
        follow(of, service, followed)

    monkeypatch.setattr(follower.drafts, "follow", meets)
    follower.hear(first)
    assert not left
    assert set(follower.asked) == set(alone.asked)
    for draft_id, draft in follower.read().items():
        mine = {one["reported"]["number"]: one["reported"] for one in follower.said if one["incident_id"] == draft_id}
        assert (mine[max(mine)]["title"], mine[max(mine)]["course"]) == (draft.title, draft.course)
    assert [follower.drafts.followed(OUTAGE, name).asked for name in ("voice", "portal")] == [Waits.NEW, Waits.NEW]


def test_a_draft_that_many_follow_at_once_is_left_after_some_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    follower, tried = Follower(services=with_asked("anna-berg")), list[str]()

    def is_outdated(_: Upstream, service: str, __: Followed) -> None:
        tried.append(service)
        raise Outdated

    monkeypatch.setattr(follower.drafts, "follow", is_outdated)
    with pytest.raises(TryAgain):
        follower.hear(recorded("statuspage")[0])
    assert len(tried) == FOLLOWED_AT_ONCE_MOST


def test_the_event_names_who_is_asked_and_holds_nothing_that_the_source_wrote() -> None:
    follower = Follower(services=with_asked("anna-berg"))
    body = body_of("statuspage", "outage-resolved")
    body["incident"]["name"] = "Mallory Example wrote this"
    follower.hear(body)
    details = [json.loads(one.detail) for one in follower.announcer.announced]
    assert [one["asked"] for one in details] == [["anna-berg"], ["anna-berg"]]
    assert all("Mallory" not in one.detail for one in follower.announcer.announced)
    assert set(details[0]) == {
        *("v", "draft", "digest", "source", "service", "state", "windows", "asked"),
    }  # fmt: skip


def test_a_draft_that_changed_after_its_confirmation_asks_once_for_each_change() -> None:
    follower = Follower()
    early, late = recorded("statuspage")[0], body_of("statuspage", "outage-resolved")
    follower.hear(early)
    follower.confirm(VOICE, "voice")
    asked = len(follower.asked)
    follower.hear(early)
    follower.watch()
    assert len(follower.asked) == asked, "what was confirmed is what it reports"
    for _ in range(2):
        follower.hear(late)
        follower.watch()
    assert follower.asked[asked:].count((VOICE, "changed")) == 1
    follower.confirm(VOICE, "voice")
    follower.watch()
    assert VOICE not in follower.watch().waiting


@pytest.mark.parametrize(
    ("kind", "name", "asked"),
    [
        ("statuspage", "outage-resolved", {"new"}),
        ("aws_health", "issue-closed", set[str]()),
        ("pagerduty", "resolved", {"new"}),
        ("servicenow", "outage-record", {"new"}),
    ],
)
def test_nobody_is_asked_for_what_nobody_can_confirm(kind: str, name: str, asked: set[str]) -> None:
    follower = Follower(kind)
    if kind == "aws_health":
        follow_kept(keep_event(body_of(kind, name), follower.ports, NOW), follower.following, NOW)
    else:
        follower.hear(body_of(kind, name))
    assert {state for _, state in follower.asked} == asked


def test_a_component_that_is_not_mapped_asks_for_a_mapping() -> None:
    follower = Follower(components={"cvoice000001": {"service": "voice"}})
    follower.hear(body_of("statuspage", "outage-resolved"))
    assert follower.asked == [(VOICE, "held")]
    follower.sources.publish(2, configuration_json({**content_of("statuspage"), "version": 2}))
    follower.watch()
    assert sorted(follower.asked[1:]) == [(PORTAL, "new"), (VOICE, "new")]


def test_a_draft_is_listed_as_waiting_from_a_day_after_somebody_was_asked_until_it_is_confirmed() -> None:
    follower = Follower()
    follower.hear(body_of("statuspage", "outage-resolved"))

    def listed(at: datetime) -> list[tuple[str, str]]:
        found = waiting_long(follower.sources.current(), follower.drafts, at)
        return sorted((one.draft_id, one.waits.value) for one in found)

    assert listed(NOW + WAITS_LONG_AFTER - timedelta(seconds=1)) == []
    assert listed(NOW + WAITS_LONG_AFTER) == [(PORTAL, "new"), (VOICE, "new")]
    follower.confirm(VOICE, "voice")
    assert listed(NOW + WAITS_LONG_AFTER) == [(PORTAL, "new")]
    follower.watch(NOW + WAITS_LONG_AFTER)
    later = body_of("statuspage", "outage-resolved")
    later["incident"] |= {"name": "Another title", "updated_at": "2026-03-12T10:00:00Z"}
    follower.hear(later, NOW + WAITS_LONG_AFTER)
    assert listed(NOW + 2 * WAITS_LONG_AFTER) == [(PORTAL, "new"), (VOICE, "changed")], "it waits since it changed"
    assert waiting_long(Configuration(), follower.drafts, NOW + 2 * WAITS_LONG_AFTER) == [], "of no source any more"


# What is right by its type and meant otherwise


def moved(minutes: int, written_at: str) -> dict[str, Any]:
    """The outage with the last update of each component moved, as somebody may edit it on the page."""
    body: dict[str, Any] = body_of("statuspage", "outage-resolved")
    last = body["incident"]["incident_updates"][0]
    last |= {"display_at": f"2026-03-10T10:{minutes:02d}:00Z", "updated_at": written_at}
    body["incident"] |= {"updated_at": written_at, "resolved_at": last["display_at"]}
    return body


def test_an_edit_of_an_update_after_the_confirmation_is_asked_about_and_records_nothing() -> None:
    follower = Follower(notices=True)
    follower.hear(body_of("statuspage", "outage-resolved"))
    follower.confirm(VOICE, "voice")
    follower.records.recorded.add(PORTAL)
    before = follower.drafts.confirmed(OUTAGE, "voice")
    said = len(follower.said)
    follower.hear(moved(59, "2026-03-12T08:00:00Z"))
    follower.hear(moved(58, "2026-03-12T09:00:00Z"))
    assert follower.asked.count((VOICE, "changed")) == 2, "once for each change"
    assert follower.drafts.confirmed(OUTAGE, "voice") == before
    assert len(follower.said) == said


def test_a_body_that_is_sent_again_after_a_newer_one_changes_says_and_asks_nothing() -> None:
    follower = Follower(notices=True)
    bodies = [*recorded("statuspage"), moved(59, "2026-03-12T08:00:00Z")]
    for body in bodies:
        follower.hear(body)
    digests = {name: draft.digest for name, draft in follower.read().items()}
    said, asked = follower.said, follower.asked
    for body in bodies[:-1]:
        follower.hear(body, NOW + timedelta(days=1))
    assert {name: draft.digest for name, draft in follower.read().items()} == digests
    assert (follower.said, follower.asked) == (said, asked)


def test_a_component_that_is_renamed_is_the_same_component() -> None:
    follower = Follower()
    follower.hear(body_of("statuspage", "outage-resolved"))
    digests = {name: draft.digest for name, draft in follower.read().items()}
    renamed = body_of("statuspage", "outage-resolved")
    renamed["incident"]["updated_at"] = "2026-03-12T08:00:00Z"
    for one in renamed["incident"]["components"]:
        one["name"] = "Something else"
    follower.hear(renamed)
    assert {name: draft.digest for name, draft in follower.read().items()} == digests


def test_planned_work_that_has_not_begun_asks_nobody_and_says_nothing() -> None:
    follower = Follower(notices=True)
    body = body_of("statuspage", "maintenance-completed")
    body["incident"] |= {"status": "scheduled", "resolved_at": None}
    follower.hear(body)
    assert (follower.said, follower.asked) == ([], [])


# Status notices


def test_no_status_notice_follows_a_draft_unless_its_source_says_so() -> None:
    follower = Follower()
    for body in recorded("statuspage"):
        follower.hear(body)
    follower.watch()
    assert follower.said == []


def test_a_status_notice_of_a_draft_has_words_and_no_window() -> None:
    follower = Follower(notices=True)
    for body in recorded("statuspage"):
        follower.hear(body)
    assert follower.said
    for one in follower.said:
        assert set(one) == {"v", "kind", "notice_id", "incident_id", "reported", "reported_at", "recipients"}
        assert set(one["reported"]) == {"number", "title", "service", "functions", "course", "planned"}
        assert (one["kind"], one["recipients"]) == ("incident_reported", [])
    assert len({one["notice_id"] for one in follower.said}) == len(follower.said)


def test_the_highest_number_says_what_the_draft_says_in_whatever_order_deliveries_come() -> None:
    for order in orders(recorded("statuspage")):
        follower = Follower(notices=True)
        for body in order:
            follower.hear(body)
        for draft_id, draft in follower.read().items():
            mine = [one["reported"] for one in follower.said if one["incident_id"] == draft_id]
            assert [one["number"] for one in mine] == list(range(1, len(mine) + 1))
            assert (mine[-1]["title"], mine[-1]["course"]) == (draft.title, draft.course)
            assert mine[-1]["functions"] == list(draft.functions)


def test_a_persons_word_wins_whether_they_confirmed_the_draft_or_recorded_the_incident() -> None:
    follower = Follower(notices=True)
    follower.hear(recorded("statuspage")[0])
    follower.confirm(VOICE, "voice")
    follower.records.recorded.add(PORTAL)
    said = len(follower.said)
    for body in recorded("statuspage"):
        follower.hear(body)
    follower.watch()
    assert len(follower.said) == said


def test_a_notice_whose_answer_was_lost_is_the_same_notice_again() -> None:
    follower = Follower(notices=True)
    follower.topic.fails = 1
    with pytest.raises(TryAgain):
        follower.hear(recorded("statuspage")[0])
    follower.hear(body_of("statuspage", "outage-resolved"))
    first, again, *_ = [one for one in follower.said if one["incident_id"] == follower.said[0]["incident_id"]]
    assert first == again


def test_what_the_halt_kept_is_said_when_it_is_lifted() -> None:
    follower = Follower(notices=True)
    follower.records.halted = True
    follower.hear(body_of("statuspage", "outage-resolved"))
    follower.watch()
    assert follower.said == []
    follower.records.halted = False
    follower.watch()
    assert {one["incident_id"] for one in follower.said} == {VOICE, PORTAL}
