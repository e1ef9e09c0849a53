"""The spans in which a component did not work, from the status changes that a source reports.

Sources leave gaps: a status that changed between two reports, an incident that is resolved while its component is not.
A gap is never filled without a word: an instant that no report states is the next one that some report does, and is
marked as assumed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from kulanz.domain.drafts.reported import Change, Degree, Mark, Stamp

JOINED_BEFORE = timedelta(hours=1)
"""How long before an incident its component may change outside of it: pages are written after an outage began."""
JOINED_AFTER = timedelta(hours=1)
"""How long after the end a component's closing change may come: on a recorded page it came seconds later."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in which a component was not operational, half-open; `end` is None while it lasts."""

    degree: Degree
    start: Stamp
    end: Stamp | None
    is_own: bool = True


@dataclass(frozen=True, slots=True)
class Timeline:
    """The spans of a component, first to last, and what is doubtful about them."""

    spans: tuple[Span, ...]
    marks: frozenset[Mark]


def joined(changes: Iterable[Change], began: datetime | None, ended: datetime | None) -> list[Change]:
    """The changes that came outside of any incident and may belong to the one from `began` to `ended`."""
    if began is None:
        return []
    last = None if ended is None else ended + JOINED_AFTER
    return [
        replace(one, is_own=False)
        for one in changes
        if began - JOINED_BEFORE <= one.stamp.at and (last is None or one.stamp.at <= last)
    ]


def timeline(changes: Iterable[Change], began: datetime | None, ended: Stamp | None, *, is_over: bool) -> Timeline:
    """The spans of one component. `began` and `ended` are the incident's own, as far as its source states them.

    The order and the number of times in which the changes are given make no difference.
    """
    found = _Folded()
    for change in sorted(set(changes), key=lambda one: one.sort_key):
        found.take(change)
    found.close(ended, is_over=is_over)
    spans = [span for span in found.spans if span.is_own or _belongs(span, began, ended)]
    return Timeline(tuple(spans), frozenset(found.marks))


def _belongs(span: Span, began: datetime | None, ended: Stamp | None) -> bool:
    """Whether a span that only changes outside the incident state lies within the incident's time."""
    if began is not None and span.end is not None and span.end.at <= began:
        return False
    return ended is None or span.start.at < ended.at


class _Folded:
    """A component's status as it is known after each change."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.marks: set[Mark] = set()
        self._known: Degree | None = None
        self._is_own = True
        self._open: Span | None = None

    def take(self, change: Change) -> None:
        """Go on to the status that a change states."""
        if Degree.UNKNOWN in (change.after, change.before):
            self.marks.add(Mark.STATUS_UNKNOWN)
        if change.after is self._known and not (change.is_own and self._is_own):
            self._repeat(change)  # the page reports one change twice: with its incident, and by itself
            return
        before = self._known if change.before is None else change.before
        is_broken = self._known is not None and before is not self._known
        if is_broken:
            self.marks.add(Mark.TIMELINE_BROKEN)
        if is_broken or self._open is None or self._open.degree is not change.after:
            self._end(change, is_assumed=is_broken)
            self._begin(change, before, is_broken=is_broken)
        self._known, self._is_own = change.after, change.is_own

    def _repeat(self, change: Change) -> None:
        self._is_own = self._is_own or change.is_own
        if self._open is not None:
            self._open = replace(self._open, is_own=self._open.is_own or change.is_own)

    def _end(self, change: Change, *, is_assumed: bool) -> None:
        if self._open is None:
            return
        end = replace(change.stamp, is_assumed=True) if is_assumed else change.stamp
        if is_assumed:
            self.marks.add(Mark.END_ASSUMED)
        self._add(replace(self._open, end=end, is_own=self._open.is_own or change.is_own))
        self._open = None

    def _begin(self, change: Change, before: Degree | None, *, is_broken: bool) -> None:
        """Begin a span where a change states an impairment. One that lasted already began at an unknown instant."""
        is_impaired = change.after not in (Degree.OPERATIONAL, Degree.UNKNOWN)
        was_impaired = before not in (None, Degree.OPERATIONAL, Degree.UNKNOWN)
        started_before = was_impaired and (is_broken or self._known is None)
        if started_before:
            self.marks.add(Mark.START_ASSUMED if is_impaired else Mark.START_UNKNOWN)
        if is_impaired:
            start = replace(change.stamp, is_assumed=True) if started_before else change.stamp
            self._open = Span(change.after, start, None, change.is_own)

    def close(self, ended: Stamp | None, *, is_over: bool) -> None:
        """End what is still open: at the incident's own end, which is assumed for the component."""
        if self._open is None:
            return
        if ended is None:
            if is_over:
                self.marks.add(Mark.END_MISSING)
            self.spans.append(self._open)
        elif ended.at > self._open.start.at:
            self.marks.add(Mark.END_ASSUMED)
            self._add(replace(self._open, end=replace(ended, is_assumed=True)))
        elif self._open.is_own:
            self.marks.add(Mark.TIMES_CONTRADICT if ended.at < self._open.start.at else Mark.END_ASSUMED)
        self._open = None

    def _add(self, span: Span) -> None:
        if span.end is not None and span.end.at > span.start.at:
            self.spans.append(span)
