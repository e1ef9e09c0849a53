"""What becomes of each field of a body: every value here is another, so that one in another's place is seen."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported, Stamp, order_text
from kulanz.sources.reading import Reading, ReadSettings
from kulanz.sources.table import SOURCES

AT = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)
LATEST = 500
SETTINGS = ReadSettings(began="Impact started", ended="Fixed", components="Affected")


def at(minute: int) -> datetime:
    return AT + timedelta(minutes=minute)


def text(minute: int) -> str:
    return at(minute).isoformat()


def stamp(minute: int, named: str) -> Stamp:
    return Stamp(at(minute), named)


@dataclass(frozen=True)
class Case:
    """A body, and what it says. `written` are the paths of the instants of which the latest orders deliveries, and
    `not_written` those of others.
    """

    kind: str
    body: Mapping[str, Any]
    reading: Reading
    written: tuple[str, ...] = ()
    not_written: tuple[str, ...] = ()
    settings: ReadSettings = field(default=SETTINGS)


def page_update(name: str, status: str, minute: int, *affected: dict[str, str]) -> dict[str, Any]:
    """An update as it is shown; it was written 20 seconds later, and edited a minute later."""
    return {
        "id": name, "status": status, "display_at": text(minute), "affected_components": list(affected),
        "created_at": (at(minute) + timedelta(seconds=20)).isoformat(), "updated_at": text(minute + 1),
    }  # fmt: skip


STATUSPAGE = Case(
    "statuspage",
    {
        "page": {"id": "the-page"},
        "incident": {
            "id": "the-incident", "name": "The title", "status": "resolved", "shortlink": "https://the.link",
            "created_at": text(11), "started_at": text(12), "updated_at": text(80), "resolved_at": text(70),
            "components": [{"id": "c-1", "name": "Voice"}, {"id": "c-2", "name": "Portal"}],
            "incident_updates": [
                page_update("u-3", "resolved", 60, {
                    "code": "c-1", "old_status": "partial_outage", "new_status": "operational",
                }),
                page_update("u-2", "identified", 30, {
                    "code": "c-1", "old_status": "major_outage", "new_status": "partial_outage",
                }, {"code": "c-2", "new_status": "degraded_performance"}),
            ],
        },
    },
    Reading(
        (
            Part(
                "the-incident", "incident", order_text(at(80)),
                Reported(
                    "The title", Course.RESOLVED, "https://the.link",
                    stamp(12, "incident.started_at"), stamp(70, "incident.resolved_at"),
                    (
                        Change(
                            "c-1", stamp(30, "incident_updates.u-2.display_at"), Degree.PARTIAL, Degree.MAJOR, "000000"
                        ),
                        Change("c-2", stamp(30, "incident_updates.u-2.display_at"), Degree.DEGRADED, None, "000000"),
                        Change(
                            "c-1", stamp(60, "incident_updates.u-3.display_at"), Degree.OPERATIONAL, Degree.PARTIAL,
                            "000001",
                        ),
                    ),
                    {"c-1": "Voice", "c-2": "Portal"},
                ),
            ),
        ),
        "the-page",
    ),
    written=("incident.created_at", "incident.updated_at", "incident.incident_updates.1.updated_at"),
    not_written=(
        "incident.started_at", "incident.resolved_at", "incident.incident_updates.0.display_at",
        "incident.incident_updates.0.created_at",
    ),
)  # fmt: skip
STATUSPAGE_COMPONENT = Case(
    "statuspage",
    {
        "page": {"id": "the-page"},
        "component": {"id": "another-id", "name": "Voice"},
        "component_update": {
            "id": "the-change", "component_id": "c-1", "old_status": "operational", "new_status": "major_outage",
            "created_at": text(21),
        },
    },
    Reading(
        (
            Part(
                "", "change:the-change", order_text(at(21)),
                Reported(
                    changes=(
                        Change(
                            "c-1", stamp(21, "component_update.created_at"), Degree.MAJOR, Degree.OPERATIONAL,
                            "the-change", is_own=False,
                        ),
                    ),
                    components={"c-1": "Voice"},
                ),
            ),
        ),
        "the-page",
    ),
    written=("component_update.created_at",),
)  # fmt: skip
RESPONSE = "public_incident.incident_updated_v2"
INCIDENT_IO = Case(
    "incident_io",
    {
        "event_type": RESPONSE,
        RESPONSE: {
            "id": "the-incident", "name": "The title", "permalink": "https://the.link", "updated_at": text(80),
            "incident_status": {"category": "closed"},
            "incident_timestamp_values": [
                {"incident_timestamp": {"name": "Reported"}, "value": {"value": text(12)}},
                {"incident_timestamp": {"name": "Fixed"}, "value": {"value": text(70)}},
                {"incident_timestamp": {"name": "Impact started"}, "value": {"value": text(11)}},
                {"incident_timestamp": {"name": ""}, "value": {"value": text(13)}},
            ],
            "custom_field_entries": [
                {
                    "custom_field": {"name": "Affected"},
                    "values": [
                        {"value_catalog_entry": {"external_id": "c-1", "id": "inner-1", "name": "Voice"}},
                        {"value_option": {"id": "c-2", "value": "Portal"}},
                    ],
                },
                {"custom_field": {"name": "Team"}, "values": [{"value_option": {"id": "t-1", "value": "Network"}}]},
            ],
        },
    },
    Reading(
        (
            Part(
                "the-incident", "incident", order_text(at(80)),
                Reported(
                    "The title", Course.RESOLVED, "https://the.link",
                    stamp(11, "incident_timestamp_values.Impact started"),
                    stamp(70, "incident_timestamp_values.Fixed"),
                    tuple(
                        change
                        for component in ("c-1", "c-2")
                        for change in (
                            Change(
                                component, stamp(11, "incident_timestamp_values.Impact started"), Degree.UNSTATED,
                                place="0",
                            ),
                            Change(
                                component, stamp(70, "incident_timestamp_values.Fixed"), Degree.OPERATIONAL, place="1"
                            ),
                        )
                    ),
                    {"c-1": "Voice", "c-2": "Portal"},
                ),
            ),
        ),
        None,
    ),
    written=(f"{RESPONSE}/updated_at",),
)  # fmt: skip
INCIDENT_IO_PAGE = Case(
    "incident_io",
    {
        "status_page_incident": {
            "id": "the-incident", "status_page_id": "the-page", "name": "The title", "incident_status": "resolved",
            "published_at": text(5), "updated_at": text(80), "updates": [{"published_at": text(7)}],
            "component_impacts": [
                {
                    "component_id": "c-1", "component_status": "partial_outage", "start_at": text(20),
                    "end_at": text(30),
                },
                {
                    "component_id": "c-2", "component_status": "full_outage", "start_at": text(11), "end_at": text(70),
                },
                {
                    "component_id": "c-3", "component_status": "degraded_performance", "start_at": text(40),
                    "end_at": text(50),
                },
            ],
        },
    },
    Reading(
        (
            Part(
                "the-incident", "incident", order_text(at(80)),
                Reported(
                    "The title", Course.RESOLVED, "",
                    stamp(11, "component_impacts.1.start_at"), stamp(70, "component_impacts.1.end_at"),
                    tuple(
                        change
                        for number, (component, start, end, degree) in enumerate(
                            (
                                ("c-1", 20, 30, Degree.PARTIAL), ("c-2", 11, 70, Degree.MAJOR),
                                ("c-3", 40, 50, Degree.DEGRADED),
                            )
                        )
                        for change in (
                            Change(component, stamp(start, f"component_impacts.{number}.start_at"), degree, place="1"),
                            Change(
                                component, stamp(end, f"component_impacts.{number}.end_at"), Degree.OPERATIONAL,
                                place="0",
                            ),
                        )
                    ),
                    {"c-1": "", "c-2": "", "c-3": ""},
                ),
            ),
        ),
        "the-page",
    ),
    written=(
        "status_page_incident.published_at", "status_page_incident.updated_at",
        "status_page_incident.updates.0.published_at",
    ),
    not_written=("status_page_incident.component_impacts.0.end_at",),
)  # fmt: skip
PAGERDUTY = Case(
    "pagerduty",
    {
        "event": {
            "id": "the-event", "event_type": "incident.resolved", "occurred_at": text(70),
            "data": {
                "id": "the-incident", "type": "incident", "title": "The title", "html_url": "https://the.link",
                "status": "resolved", "created_at": text(11), "reopened_at": text(20),
                "service": {"id": "the-service", "summary": "Voice"},
            },
        },
    },
    Reading(
        (
            Part(
                "the-incident", "event:the-event", order_text(at(70), "the-event"),
                Reported(
                    "The title", Course.RESOLVED, "https://the.link", stamp(11, "event.data.created_at"),
                    stamp(70, "event.occurred_at"),
                    (
                        Change("the-service", stamp(11, "event.data.created_at"), Degree.UNSTATED),
                        Change("the-service", stamp(70, "event.occurred_at"), Degree.OPERATIONAL, place="the-event"),
                    ),
                    {"the-service": "Voice"}, frozenset({Mark.PAGING_TIMES}),
                ),
            ),
        ),
        "the-service",
    ),
    not_written=("event.data.created_at", "event.data.reopened_at"),
)  # fmt: skip
SERVICENOW = Case(
    "servicenow",
    {
        "result": {
            "sys_id": "the-record", "cmdb_ci": {"value": "the-item", "link": "https://the.link"}, "type": "Degradation",
            "begin": text(11), "end": text(70), "short_description": "The title", "sys_mod_count": "17",
        },
    },
    Reading(
        (
            Part(
                "the-record", "incident", "000000000017",
                Reported(
                    "The title", Course.RESOLVED, "", stamp(11, "result.begin"), stamp(70, "result.end"),
                    (
                        Change("the-item", stamp(11, "result.begin"), Degree.DEGRADED, place="0"),
                        Change("the-item", stamp(70, "result.end"), Degree.OPERATIONAL, place="1"),
                    ),
                    {"the-item": ""},
                ),
            ),
        ),
        None,
    ),
)  # fmt: skip
TMF656 = Case(
    "tmf656",
    {
        "eventType": "ServiceProblemStateChangeEvent", "eventTime": text(80),
        "event": {
            "serviceProblem": {
                "id": "the-problem", "description": "The title", "originatingSystem": "the-system",
                "status": "resolved", "timeRaised": text(11), "timeChanged": text(60), "statusChangeDate": text(50),
                "resolutionDate": text(70), "affectedService": [{"id": "s-1"}, {"id": "s-2"}],
            },
        },
    },
    Reading(
        (
            Part(
                "the-problem", "incident", order_text(at(80)),
                Reported(
                    "The title", Course.RESOLVED, "", stamp(11, "serviceProblem.timeRaised"),
                    stamp(70, "serviceProblem.resolutionDate"),
                    tuple(
                        change
                        for service in ("s-1", "s-2")
                        for change in (
                            Change(service, stamp(11, "serviceProblem.timeRaised"), Degree.UNSTATED, place="0"),
                            Change(
                                service, stamp(70, "serviceProblem.resolutionDate"), Degree.OPERATIONAL, place="1"
                            ),
                        )
                    ),
                    {"s-1": "", "s-2": ""}, frozenset({Mark.WRITTEN_TIMES}),
                ),
            ),
        ),
        "the-system",
    ),
    written=(
        "eventTime", "event.serviceProblem.timeChanged", "event.serviceProblem.statusChangeDate",
        "event.serviceProblem.timeRaised",
    ),
    not_written=("event.serviceProblem.resolutionDate",),
)  # fmt: skip
AWS_HEALTH = Case(
    "aws_health",
    {
        "account": "111122223333", "time": text(90),
        "detail": {
            "eventArn": "arn:the-event", "service": "EC2", "statusCode": "closed", "eventTypeCode": "THE_CODE",
            "eventTypeCategory": "issue", "eventRegion": "eu-central-1", "affectedAccount": "444455556666",
            "startTime": text(11), "endTime": text(70), "lastUpdatedTime": text(80),
        },
    },
    Reading(
        (
            Part(
                "arn:the-event", "incident", order_text(at(80)),
                Reported(
                    "THE_CODE eu-central-1", Course.RESOLVED, "", stamp(11, "detail.startTime"),
                    stamp(70, "detail.endTime"), (), {"EC2 eu-central-1": "EC2"}, frozenset({Mark.SUPPLIER}),
                ),
            ),
        ),
        "444455556666",
    ),
    written=("detail.lastUpdatedTime",),
    not_written=("time", "detail.startTime", "detail.endTime"),
)  # fmt: skip
CASES = {
    "statuspage": STATUSPAGE,
    "statuspage, a component by itself": STATUSPAGE_COMPONENT,
    "incident.io": INCIDENT_IO,
    "incident.io, its page": INCIDENT_IO_PAGE,
    "pagerduty": PAGERDUTY,
    "servicenow": SERVICENOW,
    "tmf656": TMF656,
    "aws_health": AWS_HEALTH,
}


def read(case: Case, **changes: Any) -> Reading:
    """What a body says in which the values at some paths are others; None leaves a field out."""
    body: Any = copy.deepcopy(case.body)
    for path, value in changes.items():
        *way, last = path.split("/" if "/" in path else ".")
        inner = body
        for name in way:
            inner = inner[int(name)] if isinstance(inner, list) else inner[name]
        if value is None:
            del inner[last]
        else:
            inner[last] = value
    return SOURCES[case.kind].read(body, case.settings)


def reported(case: Case, **changes: Any) -> Reported:
    (part,) = read(case, **changes).parts
    return part.reported


@pytest.mark.parametrize("name", CASES)
def test_each_field_becomes_what_it_is_and_nothing_else(name: str) -> None:
    assert read(CASES[name]) == CASES[name].reading
    assert {case.kind for case in CASES.values()} == set(SOURCES)


@pytest.mark.parametrize("name", CASES)
def test_the_latest_instant_at_which_anything_was_written_orders_deliveries_and_no_other(name: str) -> None:
    case = CASES[name]
    order = case.reading.parts[0].order
    for path in case.written:
        assert read(case, **{path: text(LATEST)}).parts[0].order == order_text(at(LATEST)), path
    for path in case.not_written:
        assert read(case, **{path: text(LATEST)}).parts[0].order == order, path


def test_what_states_no_start_begins_at_the_next_field_that_does() -> None:
    planned = reported(STATUSPAGE, **{"incident.scheduled_for": text(3)})
    assert planned.began == stamp(3, "incident.scheduled_for")
    created = reported(STATUSPAGE, **{"incident.started_at": None})
    assert created.began == stamp(11, "incident.created_at")
    published = reported(INCIDENT_IO_PAGE, **{"status_page_incident.component_impacts": []})
    assert (published.began, published.ended) == (stamp(5, "status_page_incident.published_at"), None)
    of_event = reported(PAGERDUTY, **{"event.event_type": "incident.triggered", "event.data.created_at": None})
    assert of_event.began == stamp(70, "event.occurred_at")
    assert of_event.changes == (Change("the-service", stamp(70, "event.occurred_at"), Degree.UNSTATED),)
    of_another = reported(PAGERDUTY, **{"event.event_type": "incident.acknowledged", "event.data.created_at": None})
    assert (of_another.began, of_another.changes) == (None, ())
    told = reported(STATUSPAGE, **{"incident.incident_updates.0.display_at": None})
    written = at(60) + timedelta(seconds=20)
    assert told.changes[-1].stamp == Stamp(written, "incident_updates.u-3.created_at")


def test_a_supplier_that_says_not_when_it_wrote_is_ordered_by_its_event_and_open_it_has_no_end() -> None:
    (part,) = read(AWS_HEALTH, **{"detail.lastUpdatedTime": None, "detail.statusCode": "open"}).parts
    assert (part.order, part.reported.course, part.reported.ended) == (order_text(at(90)), Course.OPEN, None)


@pytest.mark.parametrize(
    ("status", "words", "course"),
    [("resolved", "merged into 9", Course.MERGED), ("resolved", "fixed", Course.RESOLVED),
     ("acknowledged", "merged into 9", Course.OPEN), ("who knows", "fixed", None)],
)  # fmt: skip
def test_only_a_resolved_incident_of_paging_can_have_been_merged(
    status: str, words: str, course: Course | None
) -> None:
    told = reported(PAGERDUTY, **{"event.data.status": status, "event.data.resolve_reason": words})
    assert told.course is course
    assert (told.ended is not None) is (course is Course.RESOLVED)


def test_an_incident_of_paging_that_went_to_another_service_says_so() -> None:
    moved = reported(PAGERDUTY, **{"event.event_type": "incident.service_updated"})
    assert moved.marks == {Mark.PAGING_TIMES, Mark.COMPONENT_CHANGED}


@pytest.mark.parametrize(
    ("kind", "began", "ended"),
    [
        ("servicenow", "result.begin", "result.end"),
        ("tmf656", "event.serviceProblem.timeRaised", "event.serviceProblem.resolutionDate"),
        (
            "incident.io, its page",
            "status_page_incident.component_impacts.1.start_at",
            "status_page_incident.component_impacts.1.end_at",
        ),
    ],
)
@pytest.mark.parametrize("apart", [-1, 0, 1])
def test_an_outage_ends_after_it_began_or_is_none(kind: str, began: str, ended: str, apart: int) -> None:
    case = CASES[kind]
    (first,) = case.reading.parts
    component = next(one.component for one in first.reported.changes if one.stamp.at == at(11))
    told = reported(case, **{began: text(300), ended: text(300 + apart)})
    changes = [one.stamp.at for one in told.changes if one.component == component]
    assert changes == ([at(300), at(300 + apart)] if apart > 0 else [])


def test_an_outage_without_a_beginning_has_no_change_whatever_its_end_says() -> None:
    told = reported(SERVICENOW, **{"result.begin": "soon"})
    assert (told.changes, told.began, told.ended) == ((), None, stamp(70, "result.end"))
    named = "incident_timestamp_values.2.value"
    for value in (None, {"value": None}):
        told = reported(INCIDENT_IO, **{f"{RESPONSE}/{named.replace('.', '/')}": value})
        assert (told.changes, told.began) == ((), None)


def test_a_timestamp_that_the_configuration_does_not_name_is_nobodys() -> None:
    unnamed = replace(INCIDENT_IO, settings=ReadSettings(components="Affected"))
    assert (reported(unnamed).began, reported(unnamed).ended, reported(unnamed).changes) == (None, None, ())


def test_what_is_not_known_of_a_state_is_marked() -> None:
    for case, path in (
        (STATUSPAGE, "incident.status"),
        (INCIDENT_IO, f"{RESPONSE}/incident_status/category"),
        (INCIDENT_IO_PAGE, "status_page_incident.incident_status"),
        (TMF656, "event.serviceProblem.status"),
        (AWS_HEALTH, "detail.statusCode"),
        (SERVICENOW, "result.type"),
    ):
        assert Mark.STATUS_UNKNOWN in reported(case, **{path: "dancing"}).marks, path
        assert Mark.STATUS_UNKNOWN not in reported(case).marks, path
