"""TM Forum 656, Service Problem: events that an operator's OSS posts to a listener.

A problem has no start of its outage: `timeRaised` is when it was written down. Makers' own samples break their schema
(numbers as text, misspelt fields), so it is read leniently.
"""

from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported, Stamp, order_text
from kulanz.sources.reading import (
    Fields,
    Reading,
    ReadSettings,
    SourceProblem,
    Times,
    identifier,
    of_word,
    one_line,
    read_fields,
    within_limits,
)

COURSES = {
    "submitted": Course.OPEN,
    "acknowledged": Course.OPEN,
    "inprogress": Course.OPEN,
    "pending": Course.OPEN,
    "held": Course.OPEN,
    "resolved": Course.RESOLVED,
    "closed": Course.RESOLVED,
    "cancelled": Course.CANCELLED,
    "canceled": Course.CANCELLED,
    "rejected": Course.CANCELLED,
}
DELETED = "ServiceProblemDeleteEvent"


class _Service(Fields):
    id: str


class _Problem(Fields):
    id: str
    description: str = ""
    originatingSystem: str | None = None  # noqa: N815 (the source's names)
    status: str = ""
    timeRaised: str | None = None  # noqa: N815
    timeChanged: str | None = None  # noqa: N815
    statusChangeDate: str | None = None  # noqa: N815
    resolutionDate: str | None = None  # noqa: N815
    affectedService: tuple[_Service, ...] | None = None  # noqa: N815


class _Event(Fields):
    serviceProblem: _Problem  # noqa: N815


class _Body(Fields):
    eventType: str  # noqa: N815
    eventTime: str | None = None  # noqa: N815
    event: _Event


def read(body: object, settings: ReadSettings) -> Reading:
    """What an event says. Raises SourceProblem."""
    event = read_fields(_Body, body)
    told, times = event.event.serviceProblem, Times(settings.zone)
    texts = (event.eventTime, told.timeChanged, told.statusChangeDate, told.timeRaised)
    written = [stamp.at for stamp in (times.stamp(text, "") for text in texts) if stamp is not None]
    if not written:
        raise SourceProblem("not_of_this_source", "expected eventTime with its offset")
    word = "".join(letter for letter in told.status if letter.isalpha())
    course = Course.CANCELLED if event.eventType == DELETED else of_word(COURSES, word, None)
    began = times.stamp(told.timeRaised, "serviceProblem.timeRaised")
    ended = times.stamp(told.resolutionDate, "serviceProblem.resolutionDate") if course is Course.RESOLVED else None
    services = [identifier(one.id) for one in told.affectedService or ()]
    marks = times.marks | {Mark.WRITTEN_TIMES} | (set() if course is not None else {Mark.STATUS_UNKNOWN})
    reported = Reported(
        title=one_line(told.description),
        course=course,
        began=began,
        ended=ended,
        changes=tuple(change for one in services for change in _changes(one, began, ended)),
        components=dict.fromkeys(services, ""),
        marks=frozenset(marks),
    )
    part = Part(identifier(told.id), "incident", order_text(max(written)), reported)
    return Reading((within_limits(part),), told.originatingSystem or "")


def _changes(service: str, began: Stamp | None, ended: Stamp | None) -> list[Change]:
    if began is None or (ended is not None and ended.at <= began.at):
        return []
    changes = [Change(service, began, Degree.UNSTATED, place="0")]
    return changes if ended is None else [*changes, Change(service, ended, Degree.OPERATIONAL, place="1")]
