"""The samples as persons see them: figures that were read off by hand."""

import copy
from datetime import timedelta

import pytest

from kulanz.domain.drafts.draft import Draft
from kulanz.sources.reading import SourceProblem
from tests.support.sources import body_of, configured, drafts_from, recorded


def only(drafts: dict[str, Draft], service: str = "voice") -> Draft:
    (found,) = [one for one in drafts.values() if one.rule is not None and one.rule.name == service]
    return found


def minutes(length: timedelta | None) -> int | None:
    return None if length is None else length // timedelta(minutes=1)


def test_one_outage_is_18_or_37_minutes_by_what_one_counts() -> None:
    drafts = drafts_from(configured("statuspage"), [body_of("statuspage", "outage-resolved")])
    voice, portal = only(drafts), only(drafts, "portal")

    assert [minutes(one) for one in (voice.totals.major, voice.totals.major_and_partial)] == [18, 37]
    assert [minutes(one) for one in (portal.totals.major, portal.totals.major_and_partial)] == [0, 21]
    assert minutes(voice.totals.start_to_resolved) == minutes(portal.totals.start_to_resolved) == 37
    assert [(f"{w.start.at:%H:%M:%S}", w.end and f"{w.end.at:%H:%M:%S}") for w in voice.windows] == [
        ("09:37:26", "09:55:28")
    ]
    assert voice.windows[0].start.field == "incident_updates.u2.display_at"
    assert not portal.windows
    assert portal.marks == {"no_window"}
    assert not voice.marks


def test_two_components_of_one_service_are_one_draft_and_their_windows_one() -> None:
    components = {one: {"service": "voice", "function": one[:6]} for one in ("cvoice000001", "cportal00002")}
    source = configured("statuspage", components=components, services={"voice": {"counts": ["major", "partial"]}})
    draft = only(drafts_from(source, [body_of("statuspage", "outage-resolved")]))
    assert [minutes(w.end.at - w.start.at) for w in draft.windows if w.end] == [37]
    assert draft.functions == ("cporta", "cvoice")


def test_a_component_that_nobody_mapped_stops_the_draft_until_it_is_mapped_or_ignored() -> None:
    body = body_of("statuspage", "outage-resolved")
    components = {"cvoice000001": {"service": "voice"}}
    draft = only(drafts_from(configured("statuspage", components=components, services={"voice": {}}), [body]))
    assert "cportal00002" in draft.problem
    assert "component_unmapped" in draft.marks
    source = configured("statuspage", components=components, services={"voice": {}}, ignored=["cportal00002"])
    assert only(drafts_from(source, [body])).problem == ""


def test_without_any_mapped_component_there_is_a_draft_that_nobody_can_confirm() -> None:
    source = configured("statuspage", components={"other": {"service": "voice"}}, services={"voice": {}})
    (draft,) = drafts_from(source, [body_of("statuspage", "outage-resolved")]).values()
    assert draft.id == "it-0a1b2c3d4e5f"
    assert "no component" in draft.problem


def test_of_a_broken_timeline_start_and_end_are_assumed_and_said_to_be() -> None:
    draft = only(drafts_from(configured("statuspage"), [body_of("statuspage", "timeline-broken")]))
    assert draft.marks >= {"timeline_broken", "start_assumed", "end_assumed"}
    assert minutes(draft.totals.major_and_partial) == 51


def test_changes_outside_the_incident_close_what_it_leaves_open() -> None:
    closing = body_of("statuspage", "component-update")
    closing["component_update"]["created_at"] = "2026-03-10T18:14:52.138Z"
    opening = copy.deepcopy(closing)
    opening["component_update"] |= {
        "id": "cu0000",
        "old_status": "operational",
        "new_status": "partial_outage",
        "created_at": "2026-03-10T17:10:00Z",
    }
    draft = only(drafts_from(configured("statuspage"), [body_of("statuspage", "timeline-broken"), closing, opening]))
    assert draft.marks == {"no_window"}
    assert draft.totals.major_and_partial == timedelta(hours=1, minutes=4, seconds=52.138)


def test_what_was_written_down_days_later_has_no_length() -> None:
    draft = only(drafts_from(configured("statuspage"), [body_of("statuspage", "backdated")]))
    assert draft.marks == {"backdated", "times_contradict", "no_window"}
    assert draft.totals.start_to_resolved is None


def test_planned_work_counts_only_where_that_is_configured_and_not_before_it_begins() -> None:
    body = body_of("statuspage", "maintenance-completed")
    assert only(drafts_from(configured("statuspage"), [body])).windows == ()
    services = {"voice": {"counts": ["planned"]}, "portal": {}}
    draft = only(drafts_from(configured("statuspage", services=services), [body]))
    assert (minutes(draft.totals.start_to_resolved), draft.is_planned, draft.problem) == (331, True, "")
    assert len(draft.windows) == 1

    body["incident"]["status"] = "scheduled"
    draft = only(drafts_from(configured("statuspage", services=services), [body]))
    assert "has not begun" in draft.problem


def test_a_response_incident_has_the_times_that_the_company_names() -> None:
    services = {"voice": {"counts": ["unstated"]}}
    draft = only(drafts_from(configured("incident_io", services=services), [body_of("incident_io", "status-updated")]))
    assert minutes(draft.totals.start_to_resolved) == 48
    assert [one.start.field for one in draft.windows] == ["incident_timestamp_values.Impact started"]
    without = configured("incident_io", services=services, timestamps=None)
    assert only(drafts_from(without, [body_of("incident_io", "status-updated")])).windows == ()


def test_a_status_page_incident_has_its_windows_ready() -> None:
    draft = only(drafts_from(configured("incident_io"), [body_of("incident_io", "status-page-incident")]))
    assert [minutes(one) for one in (draft.totals.major, draft.totals.major_and_partial)] == [18, 24]
    assert not draft.marks
    assert minutes(draft.totals.start_to_resolved) == 37


def test_a_suppliers_incident_is_never_an_outage_of_ours() -> None:
    draft = only(drafts_from(configured("aws_health"), [body_of("aws_health", "issue-closed")]))
    assert not draft.windows
    assert draft.marks == {"supplier", "no_window"}
    assert "supplier" in draft.problem
    assert minutes(draft.totals.start_to_resolved) == 81


@pytest.mark.parametrize(("minimum", "windows"), [("18 min", 1), ("19 min", 0)])
def test_what_is_shorter_than_the_least_length_is_not_proposed(minimum: str, windows: int) -> None:
    services = {"voice": {"minimum": minimum}, "portal": {}}
    draft = only(drafts_from(configured("statuspage", services=services), [body_of("statuspage", "outage-resolved")]))
    assert len(draft.windows) == windows
    assert ("below_minimum" in draft.marks) is not bool(windows)


def test_a_story_of_pagerduty_has_two_windows() -> None:
    (draft,) = drafts_from(configured("pagerduty"), recorded("pagerduty")).values()
    shown = [(f"{one.start.at:%d %H:%M}", f"{one.end.at:%d %H:%M}") for one in draft.windows if one.end]
    assert shown == [("10 09:33", "10 10:15"), ("12 02:15", "12 03:00")]
    assert "reopened" in draft.marks


def test_an_incident_that_was_merged_away_is_not_resolved() -> None:
    for reason in ("merged", {"type": "merge_resolve_reason"}):
        body = copy.deepcopy(body_of("pagerduty", "resolved"))
        body["event"]["data"]["resolve_reason"] = reason
        (draft,) = drafts_from(configured("pagerduty"), [body]).values()
        assert (draft.course, draft.ended) == ("merged", None)
        assert "merged it into another" in draft.problem


def test_an_outage_record_is_as_long_as_its_begin_and_end_say() -> None:
    draft = only(drafts_from(configured("servicenow"), recorded("servicenow")))
    assert minutes(draft.totals.major) == 48
    assert draft.marks == {"time_without_zone"}
    without = only(drafts_from(configured("servicenow", zone=None), recorded("servicenow")))
    assert not without.windows
    assert without.marks >= {"time_unreadable", "no_window"}


def test_a_service_problem_begins_when_it_was_written_down_and_says_so() -> None:
    draft = only(drafts_from(configured("tmf656"), recorded("tmf656")))
    assert [minutes(one.end.at - one.start.at) for one in draft.windows if one.end] == [31]
    assert draft.functions == ("north", "south")
    assert draft.marks == {"written_times"}


@pytest.mark.parametrize(("updates", "components", "length"), [(2_501, 1, 1), (1, 501, 1), (2_400, 1, 200)])
def test_an_incident_that_is_too_large_to_be_kept_is_refused_with_a_reason(
    updates: int, components: int, length: int
) -> None:
    body = body_of("statuspage", "outage-resolved")
    update = body["incident"]["incident_updates"][0]
    changed = [{"code": "c" * length, "old_status": "operational", "new_status": "major_outage"}]
    body["incident"]["incident_updates"] = [{**update, "affected_components": changed}] * updates
    body["incident"]["components"] = [{"id": f"c{number}"} for number in range(components)]
    with pytest.raises(SourceProblem) as refused:
        drafts_from(configured("statuspage"), [body])
    assert refused.value.reason == "too_large"
