"""Bad events, and lists that cannot be used, end in a message that says what was expected and what to do.

Each test has a neighbour: another incident whose campaign has closed. Whatever is wrong, nothing of it moves.
"""

from typing import Any, Literal
from unicodedata import normalize

import pytest

from kulanz.application.campaigns.frozen import thaw_incident
from kulanz.application.incidents.incident_event import EventRefused, read_incident_event
from kulanz.domain.campaigns.campaign import State
from tests.support.end_state import check_sound
from tests.support.neighbour import CANARY, GOOD, campaign_of, good_event, refusal_of, world_with_neighbour
from tests.support.small_campaign import (
    CAMPAIGN,
    HEADER,
    INCIDENT_ID,
    LIST_KEY,
)
from tests.support.world import BUCKET, World


@pytest.fixture
def world() -> World:
    return world_with_neighbour()


# Events


@pytest.mark.parametrize(
    ("changes", "field", "says"),
    [
        ({"serivce": CANARY}, "serivce", "not known; did you mean service?"),
        ({"functoins": [CANARY]}, "functoins", "not known; did you mean functions?"),
        ({"start": CANARY}, "start", "not known in this place; remove it, or move it"),
        ({"campaign": campaign_of(budget=CANARY)}, "campaign.budget", "not known; remove it"),
        ({"campaign": campaign_of(affected={"row": 3})}, "campaign.affected.row", "not known; did you mean rows?"),
        ({"windows": ...}, "windows", "this field is missing; add it"),
        ({"windows": []}, "windows", "at least 1"),
        (
            {"windows": [{"start": "2026-02-27T20:00:00Z", "end": "2026-02-27T08:00:00Z"}]},
            "windows.0",
            "ends before it starts; correct them, or exchange start and end",
        ),
        ({"windows": [{"start": "2026-02-27T20:00:00Z", "end": "2026-02-27T20:00:00Z"}]}, "windows.0", "same instant"),
        ({"windows": [{"start": "2026-02-27T08:00:00"}]}, "windows.0.start", "instant with its offset"),
        (
            {"windows": [{"start": "2026-02-27T08:00:00Z", "end": ""}]},
            "windows.0.end",
            "or leave the field out while the outage goes on",
        ),
        ({"windows": [{"start": CANARY}]}, "windows.0.start", "instant with its offset"),
        ({"windows": [{"end": "2026-02-27T08:00:00Z"}]}, "windows.0.start", "this field is missing; add it"),
        (
            {"windows": [{"start": "2026-02-27T08:00:00Z"}, {"start": "2026-02-28T08:00:00Z"}]},
            "windows",
            "only the last window",
        ),
        ({"incident_id": CANARY.upper()}, "incident_id", "lower-case"),
        ({"incident_id": "a#b"}, "incident_id", "lower-case"),
        ({"revision": 0}, "revision", "must be greater than or equal to 1"),
        ({"revision": "1"}, "revision", "expected a whole number, without quotes"),
        ({"revision": True}, "revision", "expected a whole number, without quotes"),
        ({"title": ""}, "title", "must have at least 1 character"),
        ({"title": 7}, "title", "expected a text, in quotes"),
        ({"functions": "pay"}, "functions", "expected a list, in square brackets"),
        ({"campaign": "acme"}, "campaign", "expected an object, in braces"),
        ({"facts": {"a b": 1}}, "facts", "pattern"),
        ({"facts": {"ratio": 0.1}}, "facts.ratio", ""),
        ({"facts": {"split.phone": 0.1}}, "facts.split.phone", ""),
        ({"facts": {"split.": 1}}, "facts", "pattern"),
        ({"campaign": campaign_of(affected={"rows": 0})}, "campaign.affected.rows", "greater than or equal to 1"),
        (
            {"campaign": campaign_of(affected={"rows": "3"})},
            "campaign.affected.rows",
            "expected a whole number, without quotes",
        ),
        ({"campaign": campaign_of(affected={"inline": [{"account_id": CANARY}]})}, "campaign.affected", "exactly one"),
        ({"campaign": campaign_of(affected={"s3": None})}, "campaign.affected", "exactly one"),
        (
            {"campaign": campaign_of(policy={"version": "1"})},
            "campaign.policy.version",
            "expected a whole number, without quotes",
        ),
        ({"campaign": campaign_of(policy={"id": "../other"})}, "campaign.policy.id", "lower-case"),
    ],
)
def test_an_event_outside_its_contract_is_refused_by_field(
    world: World, changes: dict[str, Any], field: str, says: str
) -> None:
    refusal = refusal_of(world, good_event(**changes))

    assert refusal.reason == "event_invalid"
    assert refusal.field.startswith(field)
    assert says in refusal.message
    assert "Input" not in refusal.message
    assert "Value error" not in refusal.message
    assert world.campaigns.incident(INCIDENT_ID) is None


def test_an_event_states_a_fact_by_the_name_that_a_policy_reads() -> None:
    event = good_event(facts={"split.phone": "20.00"}, version_id="a-version")
    read = read_incident_event(event["source"], event["detail-type"], event["detail"])
    assert read.content is not None
    assert thaw_incident(read.content).facts == {"split.phone": "20.00"}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_letters_of_an_incident_have_the_form_that_those_of_a_list_have(form: Literal["NFC", "NFD"]) -> None:
    told = normalize(form, "Störung")
    event = good_event(service=told, functions=[told, "tv"], cause=told, version_id="a-version")
    read = read_incident_event(event["source"], event["detail-type"], event["detail"])
    assert read.content is not None
    incident = thaw_incident(read.content)
    assert (incident.service, incident.functions, incident.cause) == ("Störung", ("Störung", "tv"), "Störung")


def test_an_event_with_many_mistakes_names_them_all_up_to_a_bound(world: World) -> None:
    refusal = refusal_of(world, good_event(**{f"unknown_{number:02d}": 1 for number in range(13)}))

    assert "unknown_00" in refusal.message
    assert "unknown_09" in refusal.message
    assert refusal.message.endswith("and 3 more")


@pytest.mark.parametrize("detail", [None, "text", [], 7, {}])
def test_an_event_whose_detail_is_no_incident_is_refused(world: World, detail: object) -> None:
    assert refusal_of(world, {**good_event(), "detail": detail}).reason == "event_invalid"


def test_an_event_of_another_type_is_refused_with_the_types_there_are(world: World) -> None:
    refusal = refusal_of(world, good_event(detail_type="Incident Deklared"))

    assert (refusal.reason, refusal.field) == ("detail_type_unknown", "detail-type")
    assert "Incident Declared" in refusal.message


def test_text_that_is_no_unicode_is_refused_and_kept(world: World) -> None:
    """A lone surrogate is legal in JSON and in no encoding."""
    refusal = refusal_of(world, good_event(title="\ud800"))

    assert refusal.reason == "event_invalid"
    assert refusal.field == "title"


@pytest.mark.parametrize("bad_row", [{"account_id": "a", "segment": "\ud800"}, {"account_id": "a", "\ud800": 1}])
def test_an_inline_row_that_is_no_unicode_is_refused(world: World, bad_row: dict[str, Any]) -> None:
    affected = {"s3": None, "inline": [bad_row], "rows": 1}
    refusal = refusal_of(world, good_event(campaign=campaign_of(affected=affected)))

    assert (refusal.reason, refusal.field) == ("event_invalid", "campaign.affected.inline")
    assert "whole characters" in refusal.message


def test_a_source_that_may_not_report_incidents_is_refused(world: World) -> None:
    refusal = refusal_of(world, good_event(source="marketing"))

    assert (refusal.reason, refusal.field) == ("source_unknown", "source")
    assert "IncidentSources" in refusal.message
    assert world.campaigns.incident(INCIDENT_ID) is None


def test_a_source_that_may_not_open_campaigns_reports_its_incident_and_opens_nothing(world: World) -> None:
    refusal = refusal_of(world, good_event(source="incidents"))

    assert (refusal.reason, refusal.field) == ("source_may_not_open", "source")
    assert "CampaignSources" in refusal.message
    assert world.campaigns.incident(INCIDENT_ID) is not None
    assert world.campaigns.campaigns_of(INCIDENT_ID) == []


@pytest.mark.parametrize("policy", [{"id": "no-such-policy"}, {"version": 2}])
def test_an_unknown_policy_or_version_is_refused(world: World, policy: dict[str, Any]) -> None:
    refusal = refusal_of(world, good_event(campaign=campaign_of(policy=policy)))

    assert (refusal.reason, refusal.field) == ("policy_unknown", "detail.campaign.policy")
    assert "publish it" in refusal.message


def test_a_policy_that_was_written_around_its_protection_is_refused_though_it_would_compute(world: World) -> None:
    event = good_event()
    policy = event["detail"]["campaign"]["policy"]
    content = world.policies.fetch(policy["id"], policy["version"])
    world.policies.replace(policy["id"], policy["version"], content)
    refusal = refusal_of(world, event)

    assert (refusal.reason, refusal.field) == ("policy_replaced", "detail.campaign.policy")
    assert "written more than once" in refusal.message


def test_an_unknown_parameter_of_a_policy_is_refused(world: World) -> None:
    refusal = refusal_of(world, good_event(campaign=campaign_of(policy={"parameters": {"eligible": "all"}})))

    assert (refusal.reason, refusal.field) == ("policy_unusable", "detail.campaign.policy")
    assert "eligible" in refusal.message


@pytest.mark.parametrize(
    ("place", "field"),
    [
        ({"bucket": "another-bucket"}, "detail.campaign.affected.s3.bucket"),
        ({"key": "policies/net-credit/1.json"}, "detail.campaign.affected.s3.key"),
        ({"key": "lists/../policies/a.csv"}, "detail.campaign.affected.s3.key"),
        ({"key": "lists/%2e%2e/a.csv"}, "detail.campaign.affected.s3.key"),
        ({"key": "lists//a.csv"}, "detail.campaign.affected.s3.key"),
        ({"key": "lists/ä.csv"}, "detail.campaign.affected.s3.key"),
        ({"key": "arn:aws:s3:::other/lists/a.csv"}, "detail.campaign.affected.s3.key"),
        ({"key": "lists/a.csv\n"}, "detail.campaign.affected.s3.key"),
    ],
)
def test_a_list_elsewhere_is_refused(world: World, place: dict[str, str], field: str) -> None:
    s3 = {"bucket": BUCKET, "key": LIST_KEY, **place}
    refusal = refusal_of(world, good_event(campaign=campaign_of(affected={"s3": s3})))

    assert (refusal.reason, refusal.field) == ("list_elsewhere", field)


def test_a_campaign_for_an_incident_that_nobody_declared_is_refused(world: World) -> None:
    request = good_event(detail_type="Campaign Requested")
    request["detail"] = {
        name: request["detail"][name] for name in ("incident_id", "revision", "campaign", "decision_digest")
    }

    refusal = refusal_of(world, request)

    assert (refusal.reason, refusal.field) == ("incident_unknown", "detail.incident_id")
    assert "publish Incident Declared first" in refusal.message


# Lists that cannot be used: nothing opens


@pytest.mark.parametrize(
    ("content", "reason", "says"),
    [
        (None, "list_missing", "upload it"),
        (b"", "list_empty", "no bytes"),
        (HEADER, "list_without_rows", "header and no row"),
        (HEADER + b"\r\n", "list_without_rows", "header and no row"),
        (GOOD.replace(b"segment", b"segmnet", 1), "column_missing", "lacks the column segment"),
        (GOOD.replace(b"account_id", b"account", 1), "column_missing", "lacks the column account_id"),
        (b"\xff\xfe" + GOOD, "list_not_utf8", "UTF-16"),
        (b"\x1f\x8b" + GOOD, "list_compressed", "plain"),
    ],
)
def test_a_list_that_cannot_be_used_opens_nothing_and_a_good_one_then_does(
    world: World, content: bytes | None, reason: str, says: str
) -> None:
    world.lists.delete(LIST_KEY)
    if content is not None:
        world.lists.upload(LIST_KEY, content)

    refusal = refusal_of(world, good_event())

    assert refusal.reason == reason
    assert says in refusal.message
    assert world.campaigns.campaigns_of(INCIDENT_ID) == []

    world.lists.upload(LIST_KEY, GOOD)
    world.publish(good_event())
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    check_sound(world)


def test_a_named_version_that_does_not_exist_opens_nothing(world: World) -> None:
    assert refusal_of(world, good_event(version_id="version-999999")).reason == "list_missing"


def test_a_window_without_a_length_is_not_told_to_leave_its_end_out() -> None:
    """Without an end an incident is paid until the decision."""
    window = {"start": "2026-09-11T08:00:00.000Z", "end": "2026-09-11T08:00:00.000Z"}
    detail = {**good_event()["detail"], "windows": [window]}
    with pytest.raises(EventRefused) as refused:
        read_incident_event("billing", "Incident Declared", detail)
    assert refused.value.field == "windows.0"
    assert "start and end are the same instant" in str(refused.value)
    assert "leave" not in str(refused.value)
