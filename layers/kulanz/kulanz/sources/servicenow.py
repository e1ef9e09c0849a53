"""ServiceNow: an outage record (table cmdb_ci_outage) as a business rule or a flow of the company's own posts it.

One record is one configuration item's outage, planned outage or degradation, with its begin and its end. The number of
its modifications is a true order. Instants are UTC without a zone: the configuration says `zone: UTC`.
"""

from typing import Any

from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported
from kulanz.sources.reading import (
    Fields,
    Reading,
    ReadSettings,
    SourceProblem,
    Times,
    identifier,
    is_stated,
    of_word,
    one_line,
    read_fields,
)

DEGREES = {"outage": Degree.MAJOR, "degradation": Degree.DEGRADED, "planned": Degree.PLANNED}
DEGREES |= {"planned outage": Degree.PLANNED}
ORDER_DIGITS = 12
"""Of the number of modifications, in front of which zeros make texts sort as numbers."""


class _Record(Fields):
    sys_id: str
    cmdb_ci: Any
    type: str
    begin: str
    end: str | None = None
    short_description: str = ""
    sys_mod_count: str


class _Body(Fields):
    result: _Record


def read(body: object, settings: ReadSettings) -> Reading:
    """What a record says. Raises SourceProblem."""
    told = read_fields(_Body, body).result
    times = Times(settings.zone)
    if not (told.sys_mod_count.isascii() and told.sys_mod_count.isdigit() and len(told.sys_mod_count) <= ORDER_DIGITS):
        raise SourceProblem("not_of_this_source", "expected result.sys_mod_count, a whole number as text")
    item = told.cmdb_ci.get("value") if isinstance(told.cmdb_ci, dict) else told.cmdb_ci
    component = identifier(item if isinstance(item, str) else "")
    began, ended = times.stamp(told.begin, "result.begin"), times.stamp(told.end, "result.end")
    degree = of_word(DEGREES, told.type, Degree.UNKNOWN)
    is_over = is_stated(told.end)
    is_backwards = began is not None and ended is not None and ended.at <= began.at
    changes = [] if began is None else [Change(component, began, degree, place="0")]
    changes += [] if began is None or ended is None else [Change(component, ended, Degree.OPERATIONAL, place="1")]
    is_planned = degree is Degree.PLANNED
    over, going = (Course.COMPLETED, Course.UNDER_WAY) if is_planned else (Course.RESOLVED, Course.OPEN)
    marks = times.marks | ({Mark.STATUS_UNKNOWN} if degree is Degree.UNKNOWN else set())
    reported = Reported(
        title=one_line(told.short_description),
        course=over if is_over else going,
        began=began,
        ended=ended,
        changes=() if is_backwards or (is_over and ended is None) else tuple(changes),
        components={component: ""},
        marks=frozenset(marks),
    )
    order = told.sys_mod_count.rjust(ORDER_DIGITS, "0")
    return Reading((Part(identifier(told.sys_id), "incident", order, reported),))
