"""Instants of two sources' bodies from both sides: which of two of them counts, and how far apart they may be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported, Stamp, order_text
from kulanz.sources import aws_health, incident_io, pagerduty, servicenow, statuspage, tmf656
from kulanz.sources.reading import (
    CHANGES_PER_PART,
    COMPONENTS_PER_PART,
    ID_CHARACTERS,
    PART_BYTES,
    ReadSettings,
    SourceProblem,
    within_limits,
)

AT = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


def text_at(minute: int) -> str:
    return (AT + timedelta(minutes=minute)).isoformat()


def page(**update: str) -> dict[str, Any]:
    """An incident of a page with one update."""
    written = {"id": "u-1", "status": "investigating", "created_at": AT.isoformat(), **update}
    told = {"id": "i-1", "status": "investigating", "created_at": AT.isoformat(), "updated_at": AT.isoformat()}
    return {"page": {"id": "p-1"}, "incident": {**told, "incident_updates": [written]}}


@pytest.mark.parametrize(
    ("apart", "is_backdated"),
    [
        (timedelta(0), False),
        (timedelta(minutes=1), False),
        (timedelta(minutes=-1), False),
        (timedelta(minutes=1, microseconds=1), True),
        (timedelta(minutes=-1, microseconds=-1), True),
    ],
)
def test_a_change_that_is_shown_more_than_a_minute_beside_its_writing_is_marked(
    apart: timedelta, *, is_backdated: bool
) -> None:
    (part,) = statuspage.read(page(display_at=(AT + apart).isoformat()), ReadSettings()).parts
    assert (Mark.BACKDATED in part.reported.marks) is is_backdated


def test_an_update_that_was_edited_later_is_the_newer_delivery() -> None:
    """Nothing else of the body says that it is newer: the incident's own instants stay."""
    unedited = statuspage.read(page(created_at=text_at(7), display_at=text_at(9)), ReadSettings()).parts[0]
    assert unedited.order == order_text(AT + timedelta(minutes=7)), "one that was never edited is of its writing"
    edited = page(updated_at=(AT + timedelta(minutes=5)).isoformat())
    orders = [statuspage.read(body, ReadSettings()).parts[0].order for body in (page(), edited)]
    assert orders[0] < orders[1]


@pytest.mark.parametrize("stated", [None, AT + timedelta(minutes=7)])
def test_a_window_of_a_reopened_incident_begins_when_it_was_reopened(stated: datetime | None) -> None:
    """Not when that was told, which is later; where nothing says when, it is."""
    told = AT + timedelta(minutes=9)
    data = {
        "id": "i-1",
        "type": "incident",
        "status": "triggered",
        "created_at": AT.isoformat(),
        "service": {"id": "s"},
    }
    if stated is not None:
        data["reopened_at"] = stated.isoformat()
    body = {"event": {"id": "e", "event_type": "incident.reopened", "occurred_at": told.isoformat(), "data": data}}
    (part,) = pagerduty.read(body, ReadSettings()).parts
    assert [change.stamp.at for change in part.reported.changes] == [AT, stated or told]


@pytest.mark.parametrize(
    ("kind", "ends"),
    [("resolved", True), ("priority_updated", False), ("annotated", False), ("service_updated", False)],
)
def test_an_incident_ended_when_it_was_resolved_not_when_more_was_told_of_it(kind: str, ends: bool) -> None:
    """Events behind its resolution state that it is resolved, too."""
    data = {
        "id": "i-1",
        "type": "incident",
        "status": "resolved",
        "created_at": (AT - timedelta(minutes=9)).isoformat(),
        "service": {"id": "s"},
    }
    event = {"id": "e", "event_type": f"incident.{kind}", "occurred_at": AT.isoformat(), "data": data}
    (part,) = pagerduty.read({"event": event}, ReadSettings()).parts
    assert (part.reported.ended and part.reported.ended.at) == (AT if ends else None)
    assert (AT in [change.stamp.at for change in part.reported.changes]) is ends


def outage(count: str, **changes: str) -> dict[str, Any]:
    """A record of ServiceNow after so many modifications."""
    record = {"sys_id": "s-1", "cmdb_ci": "voice", "type": "outage", "begin": AT.isoformat(), "sys_mod_count": count}
    return {"result": {**record, **changes}}


def test_a_later_modification_of_a_record_is_later_whatever_the_number_of_its_digits() -> None:
    counts = ["0", "9", "10", "99", "100", "999999999999"]
    orders = [servicenow.read(outage(count), ReadSettings()).parts[0].order for count in counts]
    assert orders == sorted(set(orders))


SETTINGS = ReadSettings(began="Impact started", ended="Fixed")


@pytest.mark.parametrize(
    ("ended", "changes"),
    [(None, 1), ("", 1), ("soon", 0), (AT.isoformat(), 0), ("later", 0), ("0001-01-01T00:00:00Z", 1)],
)
def test_an_end_that_cannot_be_read_is_no_outage_that_lasts(ended: str | None, changes: int) -> None:
    """Nor is one that is not after the begin."""
    stamps = [("Impact started", AT.isoformat()), ("Fixed", ended)]
    incident = {
        "id": "i-1", "updated_at": AT.isoformat(), "incident_status": {"category": "closed"},
        "incident_timestamp_values": [
            {"incident_timestamp": {"name": name}, "value": {"value": text}} for name, text in stamps
        ],
    }  # fmt: skip
    kind = "public_incident.incident_updated_v2"
    (part,) = incident_io.read({"event_type": kind, kind: incident}, SETTINGS).parts
    assert len(part.reported.changes) == changes


@pytest.mark.parametrize(("affected", "speaker"), [("210987654321", "210987654321"), (None, "123456789012")])
def test_an_event_of_aws_speaks_for_the_account_that_it_affects(affected: str | None, speaker: str) -> None:
    detail = {
        "eventArn": "arn:aws:health:global::event/EC2/x/1", "service": "EC2", "statusCode": "open",
        "eventTypeCode": "AWS_EC2_ISSUE", "eventTypeCategory": "issue",
        **({} if affected is None else {"affectedAccount": affected}),
    }  # fmt: skip
    assert (
        aws_health.read({"account": "123456789012", "time": AT.isoformat(), "detail": detail}, ReadSettings()).speaker
        == speaker
    )


@pytest.mark.parametrize(
    ("status", "is_over"),
    [
        ("resolved", True),
        ("Closed", True),
        ("inProgress", False),
        ("held", False),
        ("submitted", False),
        ("new", False),
    ],
)
def test_only_what_is_resolved_ends_at_its_date_of_resolution(status: str, *, is_over: bool) -> None:
    """Until then the field is when somebody means to resolve it."""
    told = {"id": "p-1", "status": status, "timeRaised": AT.isoformat(), "affectedService": [{"id": "s-1"}]}
    told["resolutionDate"] = (AT + timedelta(hours=1)).isoformat()
    body = {"eventType": "ServiceProblemStateChangeEvent", "eventTime": AT.isoformat()}
    (part,) = tmf656.read({**body, "event": {"serviceProblem": told}}, ReadSettings()).parts
    assert (part.reported.ended is not None) is is_over
    assert [one.stamp.at for one in part.reported.changes] == [AT, AT + timedelta(hours=1)][: 1 + is_over]


def many(changes: int, components: int, length: int = 1) -> Reported:
    change = Change("c", Stamp(AT, "told"), Degree.MAJOR, place="p" * length)
    return Reported(changes=(change,) * changes, components={f"c{number}": "" for number in range(components)})


def test_as_much_of_one_incident_is_kept_as_is_stated_and_not_one_more() -> None:
    bytes_of_one = len(many(1, 0).text)
    for told, is_kept in (
        (many(CHANGES_PER_PART, 1), True),
        (many(CHANGES_PER_PART + 1, 1), False),
        (many(1, COMPONENTS_PER_PART), True),
        (many(1, COMPONENTS_PER_PART + 1), False),
        (many(1, 0, PART_BYTES - bytes_of_one + 1), True),
        (many(1, 0, PART_BYTES - bytes_of_one + 2), False),
    ):
        part = Part("i-1", "incident", "1", told)
        if is_kept:
            assert within_limits(part) is part
        else:
            with pytest.raises(SourceProblem) as refused:
                within_limits(part)
            assert refused.value.reason == "too_large"


@pytest.mark.parametrize(
    ("text", "is_id"),
    [("", False), ("i", True), ("i" * ID_CHARACTERS, True), ("i" * (ID_CHARACTERS + 1), False), ("i\n", False)],
)
def test_an_id_has_so_many_printable_characters(text: str, *, is_id: bool) -> None:
    body = page()
    body["incident"]["id"] = text
    if is_id:
        assert statuspage.read(body, ReadSettings()).parts[0].incident == text
    else:
        with pytest.raises(SourceProblem) as refused:
            statuspage.read(body, ReadSettings())
        assert refused.value.reason == "not_of_this_source"


@pytest.mark.parametrize(
    ("statuses", "is_reopened"),
    [
        (["investigating", "resolved"], False),
        (["resolved", "postmortem"], False),
        (["resolved", "investigating"], True),
        (["resolved", "identified", "resolved"], True),
        (["scheduled", "investigating"], False),
    ],
)
def test_a_page_reopens_an_incident_where_an_update_says_that_it_is_open_after_one_that_resolved_it(
    statuses: list[str], *, is_reopened: bool
) -> None:
    body = page()
    body["incident"]["incident_updates"] = [
        {"id": f"u-{number}", "status": status, "created_at": text_at(number)} for number, status in enumerate(statuses)
    ]
    for updates in (body["incident"]["incident_updates"], body["incident"]["incident_updates"][::-1]):
        body["incident"]["incident_updates"] = updates  # the page lists the newest first, or not
        (part,) = statuspage.read(body, ReadSettings()).parts
        assert (Mark.REOPENED in part.reported.marks) is is_reopened


@pytest.mark.parametrize(
    ("category", "course"), [("issue", Course.OPEN), ("investigation", Course.OPEN), ("scheduledChange", "under_way")]
)
def test_planned_work_of_a_supplier_is_under_way_and_its_trouble_open(category: str, course: str) -> None:
    detail = {"eventArn": "arn", "service": "EC2", "statusCode": "open", "eventTypeCode": "C"}
    detail |= {"eventTypeCategory": category}
    body = {"account": "123456789012", "time": AT.isoformat(), "detail": detail}
    (part,) = aws_health.read(body, ReadSettings()).parts
    assert part.reported.course == course


@pytest.mark.parametrize("category", ["issue", "investigation", "scheduledChange"])
@pytest.mark.parametrize(
    ("status", "plain", "planned"),
    [
        ("open", Course.OPEN, Course.UNDER_WAY), ("closed", Course.RESOLVED, Course.COMPLETED),
        ("upcoming", Course.SCHEDULED, Course.SCHEDULED), ("another", None, None),
    ],
)  # fmt: skip
def test_trouble_of_a_supplier_has_an_end_only_where_it_is_closed(
    category: str, status: str, plain: Course | None, planned: Course | None
) -> None:
    detail = {"eventArn": "arn", "service": "EC2", "statusCode": status, "eventTypeCode": "C"}
    detail |= {"eventTypeCategory": category, "startTime": text_at(1), "endTime": text_at(9)}
    body = {"account": "123456789012", "time": AT.isoformat(), "detail": detail}
    (part,) = aws_health.read(body, ReadSettings()).parts
    told = part.reported
    assert told.course is (planned if category == "scheduledChange" else plain)
    assert told.began is not None
    assert told.began.at == AT + timedelta(minutes=1)
    assert (told.ended is not None) is (status == "closed")
    assert (Mark.STATUS_UNKNOWN in told.marks) is (status == "another")


@pytest.mark.parametrize("count", ["", "1.5", "-1", "one", "\uff11", "\u00b2", "1" * 13])
def test_a_number_of_modifications_is_written_in_at_most_twelve_plain_digits(count: str) -> None:
    with pytest.raises(SourceProblem):
        servicenow.read(outage(count), ReadSettings())


def test_a_response_incident_without_a_readable_instant_of_its_writing_is_refused() -> None:
    kind = "public_incident.incident_updated_v2"
    incident = {"id": "i-1", "updated_at": "soon", "incident_status": {"category": "live"}}
    with pytest.raises(SourceProblem):
        incident_io.read({"event_type": kind, kind: incident}, SETTINGS)
