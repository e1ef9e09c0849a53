"""What keeping a delivery promises: one draft whatever the way and the order, and a reason for what is not read."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from kulanz.adapters.sources import CachedSources
from kulanz.application.drafts.draft_ports import Delivery, Unread, Upstream
from kulanz.application.drafts.keep_delivery import KeepingPorts, Kept, keep_delivery, keep_event
from kulanz.application.drafts.read_drafts import read_drafts
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.drafts.draft import Draft
from kulanz.sources.configuration import NO_SOURCES, configuration_json
from tests.support.fake_drafts import FakeBodies, FakeDrafts, FakePages, FakeSources
from tests.support.sources import body_of, content_of, recorded

NOW = datetime(2026, 3, 10, 10, tzinfo=UTC)
OUTAGE = Upstream("it", "0a1b2c3d4e5f")


class Keeper:
    """Whoever reads deliveries, under the configuration of a kind's samples."""

    def __init__(self, kind: str = "statuspage", **entries: Any) -> None:
        self.sources, self.bodies, self.drafts, self.pages = FakeSources(), FakeBodies(), FakeDrafts(), FakePages()
        self.sources.publish(1, configuration_json(content_of(kind, **entries)))
        self.ports = KeepingPorts(self.sources, self.bodies, self.drafts, self.pages)

    def keep(self, body: Any, at: datetime = NOW) -> Kept:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return keep_delivery(Delivery("it", self.bodies.put("it", raw, at), at), self.ports).became

    def read(self, of: Upstream = OUTAGE) -> dict[str, Draft]:
        configured = self.sources.current().sources["it"]
        return {draft.id: draft for draft in read_drafts(of, configured, self.drafts)}

    def unread(self) -> list[tuple[str, str]]:
        page = self.drafts.in_month("2026-03")
        return [(one.source, one.reason) for one in page.found if isinstance(one, Unread)]


def test_the_recorded_outage_is_18_minutes_in_whatever_order_it_comes() -> None:
    bodies = recorded("statuspage")
    seen = set()
    for order in list(permutations(bodies))[::37]:
        keeper = Keeper()
        for number, body in enumerate([*order, order[0], order[-1]]):
            assert keeper.keep(body, NOW + timedelta(minutes=number)) is Kept.KEPT
        drafts = keeper.read()
        assert drafts["it-0a1b2c3d4e5f-voice"].totals.major == timedelta(seconds=1081, milliseconds=477)
        seen.add(tuple(draft.digest for draft in drafts.values()))
    assert len(seen) == 1


def test_a_component_that_changes_by_itself_is_joined_whenever_it_came() -> None:
    closing = body_of("statuspage", "component-update")
    closing["component_update"]["created_at"] = "2026-03-10T18:14:40Z"
    broken = body_of("statuspage", "timeline-broken")
    for order in ([closing, broken], [broken, closing]):
        keeper = Keeper()
        for body in order:
            keeper.keep(body)
        assert "end_assumed" not in keeper.read()["it-0a1b2c3d4e5f-voice"].marks


def test_a_change_of_a_component_alone_is_no_draft() -> None:
    keeper = Keeper()
    assert keeper.keep(body_of("statuspage", "component-update")) is Kept.KEPT
    assert keeper.drafts.in_month("2026-03").found == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"{", "not_json"),
        (b"\xff", "not_json"),
        (b"[]", "not_of_this_source"),
        ({"event": {"id": "E"}}, "not_of_this_source"),
        ({"page": {"id": "another"}, "incident": {"id": "i", "status": "resolved"}}, "not_of_this_source"),
    ],
)
def test_what_cannot_be_read_is_noted_with_its_reason_and_comes_not_again(body: Any, reason: str) -> None:
    keeper = Keeper()
    assert keeper.keep(body) is Kept.UNREAD
    assert keeper.unread() == [("it", reason)]


def test_a_page_that_the_source_may_not_speak_for_makes_no_draft() -> None:
    keeper = Keeper()
    body = body_of("statuspage", "outage-resolved")
    body["page"]["id"] = "0thersomebody"
    assert keeper.keep(body) is Kept.UNREAD
    assert keeper.unread() == [("it", "speaks_for_another")]
    assert keeper.read() == {}


@pytest.mark.parametrize(
    ("kind", "sample", "speakers", "reason"),
    [
        ("tmf656", "named", ["OSS-1"], ""),
        ("tmf656", "other", ["OSS-1"], "speaks_for_another"),
        ("tmf656", "silent", ["OSS-1"], "speaks_for_another"),  # leaving it out would pass the list by
        ("incident_io", "response", ["a-page"], ""),  # a response incident names no page, and cannot
    ],
)
def test_who_could_say_whom_it_is_from_and_does_not_speaks_for_nobody(
    kind: str, sample: str, speakers: list[str], reason: str
) -> None:
    keeper = Keeper(kind, speaks_for=speakers)
    body = body_of(kind, "status-updated" if kind == "incident_io" else "state-change")
    if kind == "tmf656":
        problem = body["event"]["serviceProblem"]
        problem.pop("originatingSystem", None)
        problem |= {"named": {"originatingSystem": "OSS-1"}, "other": {"originatingSystem": "OSS-2"}}.get(sample, {})
    assert keeper.keep(body) is (Kept.UNREAD if reason else Kept.KEPT)
    assert keeper.unread() == ([("it", reason)] if reason else [])


def test_what_is_about_nothing_is_taken_and_forgotten() -> None:
    keeper = Keeper("pagerduty")
    ping = {"event": {"id": "E", "event_type": "pagey.ping", "occurred_at": "2026-03-10T10:00:00Z", "data": {}}}
    assert keeper.keep(ping) is Kept.NOTHING
    assert keeper.drafts.in_month("2026-03").found == ()


def test_a_body_that_has_expired_is_an_error_that_is_heard_of() -> None:
    keeper = Keeper()
    with pytest.raises(Refused):
        keep_delivery(Delivery("it", "upstream/it/2026-03-10/none", NOW), keeper.ports)


def test_a_source_that_is_not_configured_any_more_is_noted() -> None:
    keeper = Keeper()
    assert keep_delivery(Delivery("gone", "upstream/gone/x", NOW), keeper.ports).became is Kept.UNREAD
    assert keeper.unread() == [("gone", "source_unknown")]


def test_a_source_that_was_published_since_the_configuration_was_read_is_known() -> None:
    for kind in ("statuspage", "aws_health"):
        keeper, published = Keeper(kind), FakeSources()
        held = CachedSources(published)
        ports = replace(keeper.ports, sources=held)
        assert held.current() == NO_SOURCES
        published.publish(1, configuration_json(content_of(kind)))
        if kind == "aws_health":
            became = keep_event(body_of(kind, "issue-closed"), ports, NOW).became
        else:
            key = keeper.bodies.put("it", json.dumps(body_of(kind, "outage-resolved")).encode(), NOW)
            became = keep_delivery(Delivery("it", key, NOW), ports).became
        assert became is Kept.KEPT, kind
        assert keeper.unread() == []


# What the page itself shows


def shown(name: str = "outage-resolved", **incident: Any) -> bytes:
    body = body_of("statuspage", name)
    body["incident"] |= incident
    return json.dumps(body).encode()


def test_of_a_page_that_is_configured_only_what_it_shows_itself_is_believed() -> None:
    keeper = Keeper(page="status.example.com")
    keeper.pages.shown[("status.example.com", "0a1b2c3d4e5f")] = shown()
    forged = body_of("statuspage", "outage-resolved")
    forged["incident"] |= {"name": "Forged", "incident_updates": [], "started_at": "2026-01-01T00:00:00Z"}
    forged["page"]["url"] = "https://elsewhere.example"
    assert keeper.keep(forged) is Kept.KEPT
    draft = keeper.read()["it-0a1b2c3d4e5f-voice"]
    assert (draft.title, draft.totals.major) == (
        "Calls and portal disturbed",
        timedelta(seconds=1081, milliseconds=477),
    )


def test_a_page_that_does_not_answer_makes_the_delivery_come_again() -> None:
    keeper = Keeper(page="status.example.com")
    with pytest.raises(TryAgain):
        keeper.keep(body_of("statuspage", "outage-resolved"))
    assert keeper.read() == {}


@pytest.mark.parametrize("identifier", ["../../admin", "a/b", "a?b=c", "a#b", "a b", "ä"])
def test_an_id_cannot_lead_to_another_place_of_the_page(identifier: str) -> None:
    keeper = Keeper(page="status.example.com")
    body = body_of("statuspage", "outage-resolved")
    body["incident"]["id"] = identifier
    assert keeper.keep(body) is Kept.UNREAD


def test_a_page_that_shows_something_else_is_not_believed_either() -> None:
    keeper = Keeper(page="status.example.com")
    keeper.pages.shown[("status.example.com", "0a1b2c3d4e5f")] = shown(id="another")
    assert keeper.keep(body_of("statuspage", "outage-resolved")) is Kept.UNREAD
    assert keeper.unread() == [("it", "page_differs")]


# Events of buses


def test_an_event_of_aws_health_is_kept_for_the_account_that_is_configured() -> None:
    keeper = Keeper("aws_health")
    event = body_of("aws_health", "issue-closed")
    assert keep_event(event, keeper.ports, NOW).became is Kept.KEPT
    (of,) = keeper.drafts.in_month("2026-03").found
    assert isinstance(of, Upstream)
    assert [sorted(draft.marks) for draft in keeper.read(of).values()] == [["no_window", "supplier"]]
    assert keep_event({**event, "account": "999999999999"}, keeper.ports, NOW).became is Kept.NOTHING


def test_a_partners_event_is_read_as_the_delivery_that_it_carries() -> None:
    keeper = Keeper("pagerduty", partner="aws.partner/pagerduty.com/acme")
    envelope = {"id": "1", "source": "aws.partner/pagerduty.com/acme", "detail-type": "incident", "account": "1"}
    assert keep_event({**envelope, "detail": body_of("pagerduty", "resolved")}, keeper.ports, NOW).became is Kept.KEPT
    assert keep_event({**envelope, "detail": {"another": "shape"}}, keeper.ports, NOW).became is Kept.UNREAD
    assert keeper.unread() == [("it", "not_of_this_source")]
    other = {**envelope, "source": "aws.partner/pagerduty.com/other"}
    assert keep_event(other, keeper.ports, NOW).became is Kept.NOTHING


@pytest.mark.parametrize(("told", "kept"), [({}, ""), ({"id": "e" * 64}, "e" * 64), ({"id": "e" * 65}, "e" * 64)])
def test_an_event_that_cannot_be_read_is_noted_under_its_id_with_the_reason_and_when_it_came(
    told: dict[str, str], kept: str
) -> None:
    keeper = Keeper("pagerduty", partner="aws.partner/pagerduty.com/acme")
    envelope = {"source": "aws.partner/pagerduty.com/acme", "account": "1", "detail": {"another": "shape"}, **told}
    found = keep_event(envelope, keeper.ports, NOW)
    assert (found.became, found.source, found.upstream) == (Kept.UNREAD, "", ())
    (noted,) = keeper.drafts.in_month("2026-03").found
    assert isinstance(noted, Unread)
    assert (noted.source, noted.key, noted.reason, noted.received_at) == (
        "it", f"event {kept}", "not_of_this_source", NOW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("identifier", "is_asked"), [("a" * 64, True), ("a" * 65, False), ("Z9", True), ("a\n", False)]
)
def test_a_page_is_asked_by_ids_of_up_to_64_letters_and_digits(identifier: str, *, is_asked: bool) -> None:
    keeper = Keeper(page="status.example.com")
    body = body_of("statuspage", "outage-resolved")
    body["incident"]["id"] = identifier
    if is_asked:
        with pytest.raises(TryAgain, match="answered 404"):
            keeper.keep(body)
    else:
        assert keeper.keep(body) is Kept.UNREAD
        assert keeper.unread() == [("it", "not_of_this_source")]
