"""Instants of two sources' bodies from both sides: which of two of them counts, and how far apart they may be."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.drafts.reported import Mark
from kulanz.sources import pagerduty, statuspage
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
