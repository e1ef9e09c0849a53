"""Instants of two sources' bodies from both sides: which of two of them counts, and how far apart they may be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.drafts.reported import Mark
from kulanz.sources import aws_health, incident_io, pagerduty, servicenow, statuspage, tmf656
from kulanz.sources.reading import ReadSettings

AT = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


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


def outage(count: str, **changes: str) -> dict[str, Any]:
    """A record of ServiceNow after so many modifications."""
    record = {"sys_id": "s-1", "cmdb_ci": "voice", "type": "outage", "begin": AT.isoformat(), "sys_mod_count": count}
    return {"result": {**record, **changes}}


def test_a_later_modification_of_a_record_is_later_whatever_the_number_of_its_digits() -> None:
    counts = ["0", "9", "10", "99", "100", "999999999999"]
    orders = [servicenow.read(outage(count), ReadSettings()).parts[0].order for count in counts]
    assert orders == sorted(set(orders))


SETTINGS = ReadSettings(began="Impact started", ended="Fixed")


@pytest.mark.parametrize(("ended", "changes"), [(None, 1), ("", 1), ("soon", 0), (AT.isoformat(), 0), ("later", 0)])
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
