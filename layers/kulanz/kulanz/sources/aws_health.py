"""AWS Health, over EventBridge: the trouble of a supplier. It is a fact and may be a cause; it is nobody's outage.

So a draft of it proposes no window. The same event comes in pages, and again from the backup Region.
"""

from kulanz.domain.drafts.reported import Course, Mark, Part, Reported, order_text
from kulanz.sources.reading import (
    Fields,
    Reading,
    ReadSettings,
    SourceProblem,
    Times,
    identifier,
    one_line,
    read_fields,
)

COURSES = {"open": Course.OPEN, "closed": Course.RESOLVED, "upcoming": Course.SCHEDULED}
PLANNED = {"open": Course.UNDER_WAY, "closed": Course.COMPLETED, "upcoming": Course.SCHEDULED}


class _Detail(Fields):
    eventArn: str  # noqa: N815 (the source's names)
    service: str
    statusCode: str  # noqa: N815
    eventTypeCode: str  # noqa: N815
    eventTypeCategory: str  # noqa: N815
    eventRegion: str = ""  # noqa: N815
    affectedAccount: str | None = None  # noqa: N815
    startTime: str | None = None  # noqa: N815
    endTime: str | None = None  # noqa: N815
    lastUpdatedTime: str | None = None  # noqa: N815


class _Event(Fields):
    account: str
    time: str
    detail: _Detail


def read(body: object, settings: ReadSettings) -> Reading:
    """What an event of the bus says. Notices to an account say nothing about an outage. Raises SourceProblem."""
    event = read_fields(_Event, body)
    told, times = event.detail, Times(settings.zone)
    speaker = identifier(told.affectedAccount or event.account)
    is_planned = told.eventTypeCategory == "scheduledChange"
    if told.eventTypeCategory not in ("issue", "investigation", "scheduledChange"):
        return Reading((), speaker)
    written = times.stamp(told.lastUpdatedTime, "detail.lastUpdatedTime") or times.stamp(event.time, "time")
    if written is None:
        raise SourceProblem("not_of_this_source", "expected detail.lastUpdatedTime, or time")
    course = (PLANNED if is_planned else COURSES).get(told.statusCode)
    component = one_line(f"{told.service} {told.eventRegion}", 100)
    reported = Reported(
        title=one_line(f"{told.eventTypeCode} {told.eventRegion}"),
        course=course,
        began=times.stamp(told.startTime, "detail.startTime"),
        ended=times.stamp(told.endTime, "detail.endTime") if told.statusCode == "closed" else None,
        components={identifier(component): one_line(told.service)},
        marks=frozenset({Mark.SUPPLIER} | times.marks | (set() if course is not None else {Mark.STATUS_UNKNOWN})),
    )
    return Reading((Part(identifier(told.eventArn), "incident", order_text(written.at), reported),), speaker)
