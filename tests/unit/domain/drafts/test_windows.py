"""The windows of a draft: as few as can be, none shorter than is counted, and what came an hour beside the incident."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.drafts.draft import Mapped, ServiceRule, SourceMap, covered, drafts_of
from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported, Stamp
from kulanz.domain.drafts.timeline import JOINED_AFTER, JOINED_BEFORE, Span, joined
from kulanz.domain.time import MICROSECOND

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINIMUM = timedelta(minutes=10)
LONG = 30


def at(minute: int) -> Stamp:
    return Stamp(NOON + timedelta(minutes=minute), "told")


SPANS = st.tuples(st.integers(0, LONG), st.none() | st.integers(1, LONG)).map(
    lambda drawn: Span(Degree.MAJOR, at(drawn[0]), None if drawn[1] is None else at(drawn[0] + drawn[1]))
)


def minutes(start: Stamp, end: Stamp | None) -> set[int]:
    """The minutes of a stretch; of one that lasts, those up to an hour that is behind all others."""
    first = (start.at - NOON) // timedelta(minutes=1)
    last = 3 * LONG if end is None else (end.at - NOON) // timedelta(minutes=1)
    return set(range(first, last))


@given(st.lists(SPANS, max_size=8))
def test_windows_cover_the_time_of_their_spans_and_are_apart(spans: list[Span]) -> None:
    windows = covered(spans)
    stretches = [minutes(one.start, one.end) for one in windows]
    assert set().union(*stretches) == set().union(*(minutes(one.start, one.end) for one in spans))
    for before, after in pairwise(windows):
        assert before.end is not None
        assert before.end.at < after.start.at, "what meets is one window"


@pytest.mark.parametrize(
    ("length", "is_proposed"), [(MINIMUM - MICROSECOND, False), (MINIMUM, True), (MINIMUM + MICROSECOND, True)]
)
def test_a_window_of_the_least_length_is_proposed(length: timedelta, is_proposed: bool) -> None:
    end = Stamp(NOON + length, "told")
    changes = (Change("voice", at(0), Degree.MAJOR), Change("voice", end, Degree.OPERATIONAL))
    told = Reported("Down", Course.RESOLVED, "", at(0), end, changes, {"voice": "Voice"})
    rules = {"voice": ServiceRule("voice", "Voice", minimum=MINIMUM)}
    (draft,) = drafts_of(
        [Part("i-1", "incident", "1", told)], (), SourceMap("it", {"voice": Mapped("voice")}, rules), "i"
    )
    assert bool(draft.windows) is is_proposed
    assert (Mark.BELOW_MINIMUM in draft.marks) is not is_proposed


@pytest.mark.parametrize(
    ("courses", "ended"),
    [
        ([Course.OPEN, Course.RESOLVED], 1),
        ([Course.OPEN, Course.RESOLVED, Course.OPEN], None),  # what was reopened goes on
        ([Course.OPEN, Course.RESOLVED, Course.OPEN, Course.RESOLVED], 3),
        ([Course.OPEN, Course.CANCELLED, Course.OPEN], None),
    ],
)
def test_an_incident_ends_at_its_last_end_and_has_none_while_it_is_open_again(
    courses: list[Course], ended: int | None
) -> None:
    parts = [
        Part("i-1", f"event:{minute}", f"{minute}", Reported("Down", course, "", at(0), stamp, (), {"voice": "Voice"}))
        for minute, course in enumerate(courses)
        for stamp in (None if course is Course.OPEN else at(minute),)
    ]
    rules = {"voice": ServiceRule("voice", "Voice")}
    (draft,) = drafts_of(parts, (), SourceMap("it", {"voice": Mapped("voice")}, rules), "i")
    assert draft.ended == (None if ended is None else at(ended))
    assert [one.end for one in draft.windows_by_degree["whole"]] == [draft.ended]
    assert (draft.totals.start_to_resolved is None) is (ended is None)


@pytest.mark.parametrize(
    ("beside", "is_joined"),
    [
        (-JOINED_BEFORE - MICROSECOND, False),
        (-JOINED_BEFORE, True),
        (timedelta(minutes=60) + JOINED_AFTER, True),
        (timedelta(minutes=60) + JOINED_AFTER + MICROSECOND, False),
    ],
)
def test_a_change_outside_belongs_to_an_incident_up_to_an_hour_before_and_after_it(
    beside: timedelta, is_joined: bool
) -> None:
    change = Change("voice", Stamp(NOON + beside, "told"), Degree.MAJOR)
    assert bool(joined([change], NOON, at(60).at)) is is_joined
    assert joined([change], None, at(60).at) == []
