"""Drafts through the API: what is seen, and that nothing becomes an incident or money but by a person."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz.application.door.serve import Reply
from kulanz.application.drafts.draft_ports import Unread
from kulanz.domain.time import format_instant
from kulanz.sources.configuration import configuration_json
from tests.support.received import configure, receive
from tests.support.small_campaign import LIST_KEY, ROWS, event, small_world
from tests.support.sources import body_of, content_of, recorded
from tests.support.world_door import ANNA, BERT, Somebody, WorldDoor

VOICE = "it-0a1b2c3d4e5f-voice"
WINDOW = {"start": "2026-03-10T09:37:26.995Z", "end": "2026-03-10T09:55:28.472Z"}
STARTED, ENDED = "2026-03-10T09:37:26.995000Z", "2026-03-10T09:55:28.472000Z"
NOW = datetime(2026, 3, 12, 12, tzinfo=UTC)


class Desk(WorldDoor):
    """The API of a stack that receives a status page."""

    def __init__(self, *bodies: Any, **entries: Any) -> None:
        super().__init__(small_world())
        self.world.now = NOW
        configure(self, "statuspage", **entries)
        self.deliver(*bodies)

    def deliver(self, *bodies: Any) -> None:
        """Have deliveries read."""
        receive(self, *bodies)

    def draft(self, name: str = VOICE) -> Mapping[str, Any]:
        """A draft as it is now."""
        reply = self.get(f"incidents/drafts/one/{name}")
        assert reply.status == 200, reply.content
        return reply.content

    def confirm(self, action: str = "c1", caller: Any = ANNA, name: str = VOICE, **body: Any) -> Reply:
        """Confirm a draft as it is now, with its windows unless others are given."""
        stated = {"digest": self.draft(name)["digest"], "windows": [WINDOW], **body}
        return self.put(f"requests/drafts/{name}/{action}", stated, caller)


@pytest.fixture
def desk() -> Desk:
    return Desk(*recorded("statuspage"))


def refusal(reply: Reply) -> tuple[int, str]:
    return reply.status, str(reply.content.get("reason", ""))


def test_a_month_lists_drafts_with_what_they_propose(desk: Desk) -> None:
    listed = desk.get("incidents/drafts/month/2026-03").content
    assert [(one["draft"], one["state"], one["windows"], one["proposed_microseconds"]) for one in listed["drafts"]] == [
        ("it-0a1b2c3d4e5f-portal", "new", 0, 0),
        (VOICE, "new", 1, 1_081_477_000),
    ]
    assert (listed["unread"], listed["next"]) == ([], None)
    assert desk.get("incidents/drafts/month/2026-04").content["drafts"] == []


def test_a_long_month_is_never_cut_without_a_word() -> None:
    bodies = []
    for number in range(60):
        body = body_of("statuspage", "outage-resolved")
        body["incident"]["id"] = f"i{number:03d}"
        bodies.append(body)
    desk, found = Desk(*bodies), list[str]()
    query: dict[str, str] = {}
    for _ in range(10):
        page = desk.get("incidents/drafts/month/2026-03", ANNA, **query).content
        found += [one["draft"] for one in page["drafts"]]
        if page["next"] is None:
            break
        query = {"cursor": page["next"]}
    assert len(found) == len(set(found)) == 120


def test_a_delivery_that_could_not_be_read_is_listed_with_its_reason(desk: Desk) -> None:
    desk.deliver({"no": "delivery"})
    (line,) = desk.get("incidents/drafts/month/2026-03").content["unread"]
    assert (line["source"], line["reason"], line["received_at"]) == ("it", "not_of_this_source", format_instant(NOW))
    assert [one for one in desk.drafts.in_month("2026-03").found if isinstance(one, Unread)]


def test_a_draft_shows_windows_with_their_fields_and_all_three_totals(desk: Desk) -> None:
    draft = desk.draft()
    assert draft["windows"] == [
        {
            "start": {"at": STARTED, "field": "incident_updates.u2.display_at", "assumed": False},
            "end": {"at": ENDED, "field": "incident_updates.u5.display_at", "assumed": False},
        }
    ]  # fmt: skip
    assert draft["totals_microseconds"] == {
        "proposed": 1_081_477_000, "major": 1_081_477_000, "partial": 2_256_535_000, "whole": 2_256_620_000
    }  # fmt: skip
    assert (draft["began"]["at"], draft["began"]["field"]) == ("2026-03-10T09:31:02.713000Z", "incident.started_at")
    assert (draft["ended"]["at"], draft["ended"]["field"]) == ("2026-03-10T10:08:39.333000Z", "incident.resolved_at")
    assert (draft["service"], draft["functions"], draft["problem"], draft["confirmed"]) == (
        "voice",
        ["calls"],
        "",
        None,
    )


@pytest.mark.parametrize("name", ["it-0a1b2c3d4e5f-data", "it-unknown-voice", "other-0a1b2c3d4e5f-voice", "it-x"])
def test_what_is_no_draft_is_unknown_and_nothing_is_stored_about_it(desk: Desk, name: str) -> None:
    assert desk.get(f"incidents/drafts/one/{name}").status == 404
    reply = desk.put(f"requests/drafts/{name}/c1", {"digest": "0" * 64, "windows": [WINDOW]})
    assert reply.status == 404
    assert desk.actions.stored == {}


def test_receiving_records_no_incident(desk: Desk) -> None:
    assert desk.campaigns.incident(VOICE) is None
    assert desk.get("incidents/month/2026-03").content["incidents"] == []


def test_a_confirmation_records_the_incident_with_the_windows_that_the_person_chose(desk: Desk) -> None:
    reply = desk.confirm(cause="network")
    assert reply.status == 200, reply.content
    assert (reply.content["incident_id"], reply.content["revision"], reply.content["campaign"]) == (VOICE, 1, None)
    revision = desk.get(f"incidents/revision/{VOICE}/1").content
    assert (revision["detail_type"], revision["source"]) == ("Incident Resolved", ANNA.id)
    content = revision["content"]
    assert [window["start"] for window in content["windows"]] == ["2026-03-10T09:37:26.995000Z"]
    assert (content["service"], content["functions"], content["cause"]) == ("voice", ["calls"], "network")
    assert content["facts"] == {"source": "it", "source_id": "0a1b2c3d4e5f", "planned": False}
    assert (desk.draft()["confirmed"]["by"], desk.draft()["changed"]) == (ANNA.id, [])
    assert desk.get("incidents/drafts/month/2026-03").content["drafts"][1]["state"] == "confirmed"


@pytest.mark.parametrize("machine", ["machine:robot", "role:arn:aws:sts::123456789012:assumed-role/pager/anna"])
def test_no_machine_confirms_a_draft(desk: Desk, machine: str) -> None:
    reply = desk.confirm(caller=Somebody(machine))
    assert (reply.status, reply.content["type"]) == (403, "urn:kulanz:problem:person-needed")
    assert desk.campaigns.incident(VOICE) is None
    assert desk.draft()["confirmed"] is None
    assert desk.confirm("c2").status == 200, "a person may"


def test_no_cause_is_ever_stated_by_machine() -> None:
    services = {"voice": {"cause": "network", "policy": "acme-uptime/1"}, "portal": {}}
    desk = Desk(*recorded("statuspage"), services=services)
    assert desk.draft()["suggested"]["cause"] == "network"
    desk.confirm()
    assert desk.get(f"incidents/revision/{VOICE}/1").content["content"]["cause"] is None


def test_a_confirmation_can_request_the_campaign_with_the_person_as_requester_and_it_waits(desk: Desk) -> None:
    campaign = event(rows=ROWS)["detail"]["campaign"]
    campaign["affected"]["s3"]["version_id"] = desk.world.lists.newest(LIST_KEY)
    reply = desk.confirm(campaign=campaign)
    assert reply.status == 200, reply.content
    assert reply.content["campaign"] == f"{VOICE}/1"
    asked = desk.world.campaign(f"{VOICE}/1")
    assert (asked.opened_by, asked.state) == (ANNA.id, "planning")
    again = desk.confirm(campaign=campaign)
    assert again.content == reply.content


def test_the_same_confirmation_again_changes_nothing(desk: Desk) -> None:
    first = desk.confirm().content
    assert desk.confirm().content == first
    assert desk.confirm("c2", BERT).content == {**first}
    record = desk.campaigns.incident(VOICE)
    assert record is not None
    assert record.highest_revision == 1


def test_another_choice_is_the_next_revision(desk: Desk) -> None:
    desk.confirm()
    wider = {"start": "2026-03-10T09:31:02Z", "end": "2026-03-10T10:08:39Z"}
    assert desk.confirm("c2", windows=[wider]).content["revision"] == 2
    assert desk.get(f"incidents/revision/{VOICE}/2").content["detail_type"] == "Incident Amended"
    assert desk.draft()["confirmed"]["revision"] == 2


ONGOING = {"start": ENDED, "end": None}


@pytest.mark.parametrize(
    ("windows", "first", "then"),
    [
        ([WINDOW], "Incident Resolved", "Incident Amended"),
        ([ONGOING], "Incident Declared", "Incident Updated"),
        ([WINDOW, ONGOING], "Incident Declared", "Incident Updated"),
    ],
)
def test_an_incident_is_over_only_where_each_of_its_windows_is(
    desk: Desk, windows: list[Any], first: str, then: str
) -> None:
    desk.confirm(windows=windows)
    desk.confirm("c2", windows=windows, title="Another title")
    recorded_as = [desk.get(f"incidents/revision/{VOICE}/{number}").content["detail_type"] for number in (1, 2)]
    assert recorded_as == [first, then]


def later(**incident: Any) -> Any:
    """The outage as its page was edited a day later."""
    body = body_of("statuspage", "outage-resolved")
    body["incident"] |= {"updated_at": "2026-03-11T08:00:00Z", **incident}
    return body


def moved() -> Any:
    """The same with the begin of the full outage four minutes earlier."""
    body = later(status="postmortem")
    body["incident"]["incident_updates"][3]["display_at"] = "2026-03-10T09:33:26.995Z"
    return body


def test_what_the_source_changes_later_is_a_proposal_and_no_revision(desk: Desk) -> None:
    desk.confirm()
    desk.deliver(moved())
    draft = desk.draft()
    assert draft["changed"] == [
        "now proposed: 2026-03-10T09:33:26.995000Z to 2026-03-10T09:55:28.472000Z",
        "not proposed any more: 2026-03-10T09:37:26.995000Z to 2026-03-10T09:55:28.472000Z",
        "new mark: backdated",
    ]
    record = desk.campaigns.incident(VOICE)
    assert record is not None
    assert record.highest_revision == 1
    assert desk.get("incidents/drafts/month/2026-03").content["drafts"][1]["state"] == "changed"


def test_an_edit_that_changes_nothing_that_counts_is_no_change(desk: Desk) -> None:
    desk.confirm()
    body = later(status="postmortem")
    body["incident"]["incident_updates"][0]["body"] = "A long postmortem."
    desk.deliver(body)
    assert desk.draft()["changed"] == []


def test_a_draft_that_changed_since_it_was_looked_at_is_not_confirmed(desk: Desk) -> None:
    digest = desk.draft()["digest"]
    desk.deliver(moved())
    reply = desk.confirm(digest=digest)
    assert refusal(reply) == (409, "draft_changed")
    assert desk.campaigns.incident(VOICE) is None


@pytest.mark.parametrize(
    ("entries", "change"),
    [
        (
            {"services": {"voice": {"name": "telephony", "counts": ["major"]}, "portal": {}}},
            "it was confirmed for the service voice; by the configuration it is telephony",
        ),
        (
            {
                "components": {
                    "cvoice000001": {"service": "voice", "function": "sms"},
                    "cportal00002": {"service": "portal"},
                }
            },
            "the functions were calls, and are sms",
        ),
        (
            {"services": {"voice": {"counts": ["major", "partial"]}, "portal": {}}},
            "now proposed: 2026-03-10T09:31:02.798000Z to 2026-03-10T10:08:39.333000Z",
        ),
    ],
    ids=["service", "function", "counts"],
)
def test_another_configuration_makes_another_draft_than_was_looked_at(
    desk: Desk, entries: Mapping[str, Any], change: str
) -> None:
    """What is recorded is what was shown: also what comes from the configuration and not from the source."""
    desk.confirm()
    seen = desk.draft()["digest"]
    desk.sources.publish(2, configuration_json({**content_of("statuspage", **entries), "version": 2}))
    assert refusal(desk.confirm("c2", digest=seen)) == (409, "draft_changed")
    assert change in desk.draft()["changed"]
    record = desk.campaigns.incident(VOICE)
    assert record is not None
    assert record.highest_revision == 1


def test_a_revision_that_came_another_way_is_shown(desk: Desk) -> None:
    desk.confirm()
    incident: dict[str, Any] = {
        "title": "Withdrawn", "service": "voice", "functions": [], "windows": [WINDOW], "cause": None, "facts": {}
    }  # fmt: skip
    body = {"detail_type": "Incident Withdrawn", "incident": incident}
    assert desk.put(f"requests/incidents/{VOICE}/2", body).status == 200
    assert desk.draft()["changed"] == ["revision 2 of the incident was recorded without this draft"]
    assert desk.confirm("c2").content["revision"] == 3, "declared again, by a person"


def test_what_is_held_cannot_be_confirmed() -> None:
    held = [
        Desk(
            body_of("statuspage", "maintenance-completed"),
            components={"x": {"service": "voice"}},
            services={"voice": {}},
        ),
        Desk(*recorded("statuspage"), components={"cvoice000001": {"service": "voice"}}, services={"voice": {}}),
    ]
    for desk, name in zip(held, ("it-0a1b2c3d4e5f", VOICE), strict=True):
        assert desk.draft(name)["problem"]
        assert refusal(desk.confirm(name=name)) == (409, "draft_held")
        assert desk.campaigns.incident(name) is None


@pytest.mark.parametrize(
    "windows",
    [
        [],
        [{"start": WINDOW["end"], "end": WINDOW["start"]}],
        [{"start": WINDOW["start"], "end": WINDOW["start"]}],
        [{"start": "2026-03-10T09:37:26", "end": WINDOW["end"]}],
        [{"start": "0001-01-01T00:00:00Z"}],
        [{"begin": WINDOW["start"]}],
        [{"start": None}],
        [{"start": WINDOW["start"]}, WINDOW],
    ],
)
def test_windows_that_are_none_are_refused_with_their_field(desk: Desk, windows: list[Any]) -> None:
    reply = desk.confirm(windows=windows)
    assert reply.status == 422
    assert "windows" in json.dumps(reply.content["errors"])
    assert desk.campaigns.incident(VOICE) is None


def test_who_confirms_is_in_the_audit_log(desk: Desk) -> None:
    desk.confirm(reason="Only the full outage counts by our terms")
    (entry,) = desk.actions.entries
    assert (entry.actor, entry.on, entry.reason) == (ANNA.id, VOICE, "Only the full outage counts by our terms")


# Dismissing


def dismiss(desk: Desk, action: str = "d1", caller: Any = ANNA, name: str = VOICE, **body: Any) -> Reply:
    """Dismiss a draft as it is now, for a reason."""
    stated = {"action": "dismiss", "digest": desk.draft(name)["digest"], "reason": "a test of the page", **body}
    return desk.put(f"requests/drafts/{name}/{action}", stated, caller)


def listed_states(desk: Desk) -> dict[str, str]:
    return {one["draft"]: one["state"] for one in desk.get("incidents/drafts/month/2026-03").content["drafts"]}


def test_a_dismissed_draft_records_nothing_and_says_who_dismissed_it_and_why(desk: Desk) -> None:
    reply = dismiss(desk)
    assert reply.status == 200, reply.content
    assert desk.world.campaigns.incident(VOICE) is None
    told = desk.draft()["dismissed"]
    assert (told["reason"], told["by"], told["digest"]) == ("a test of the page", ANNA.id, desk.draft()["digest"])
    assert listed_states(desk)[VOICE] == "dismissed"
    assert dismiss(desk).content == reply.content, "the same again is the same answer"
    (entry,) = desk.actions.entries
    assert (entry.actor, entry.action, entry.on, entry.reason) == (
        *(ANNA.id, "dismissed the draft of", VOICE, "a test of the page"),
    )


def test_what_the_source_reports_later_reopens_it_with_its_difference() -> None:
    desk = Desk(recorded("statuspage")[0])
    assert dismiss(desk).status == 200
    assert desk.draft()["changed"] == []
    desk.deliver(body_of("statuspage", "outage-resolved"))
    assert listed_states(desk)[VOICE] == "reopened"
    assert desk.draft()["changed"] != []
    assert desk.confirm().status == 200
    assert listed_states(desk)[VOICE] == "confirmed"


def test_what_is_refused_of_a_dismissal_changes_nothing(desk: Desk) -> None:
    digest = desk.draft()["digest"]
    found = {
        "another draft was seen": refusal(dismiss(desk, "r1", digest="0" * 64)),
        "no reason": dismiss(desk, "r2", reason=None).status,
        "windows beside it": dismiss(desk, "r3", windows=[WINDOW]).status,
        "a cause beside it": dismiss(desk, "r4", cause="power").status,
        "a confirmation without windows": desk.put(f"requests/drafts/{VOICE}/r5", {"digest": digest}, ANNA).status,
        "a machine": dismiss(desk, "r6", Somebody("role:arn:aws:sts::123456789012:assumed-role/x/y")).status,
    }
    assert found == {
        "another draft was seen": (409, "draft_changed"),
        "no reason": 422,
        "windows beside it": 422,
        "a cause beside it": 422,
        "a confirmation without windows": 422,
        "a machine": 403,
    }
    assert listed_states(desk)[VOICE] == "new"
    assert desk.confirm().status == 200
    assert refusal(dismiss(desk, "r7")) == (409, "draft_confirmed")


def test_a_draft_that_cannot_be_confirmed_can_be_dismissed() -> None:
    desk = Desk(*recorded("statuspage"), components={"cvoice000001": {"service": "voice"}}, services={"voice": {}})
    name = next(draft for draft, state in listed_states(desk).items() if state == "held")
    assert dismiss(desk, name=name).status == 200
    assert listed_states(desk)[name] == "dismissed"
