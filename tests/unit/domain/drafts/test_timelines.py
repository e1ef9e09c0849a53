"""What a component's timeline promises: no gap is filled without a word, and no span ends before it starts."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.drafts.reported import Change, Degree, Mark, Stamp
from kulanz.domain.drafts.timeline import joined, timeline

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
OK, PARTIAL, MAJOR = Degree.OPERATIONAL, Degree.PARTIAL, Degree.MAJOR

type Told = tuple[int, Degree | None, Degree] | tuple[int, Degree | None, Degree, str]


def at(minute: int, *, is_assumed: bool = False) -> Stamp:
    return Stamp(NOON + timedelta(minutes=minute), "told", is_assumed)


def change(minute: int, before: Degree | None, after: Degree, outside: str = "") -> Change:
    return Change("voice", at(minute), after, before, is_own=not outside)


def spans_of(told: Sequence[Told], ended: int | None = 60) -> tuple[list[str], set[str]]:
    """The spans as text, with ~ before what is assumed; and the marks."""
    end = None if ended is None else at(ended)
    line = timeline([change(*one) for one in told], NOON, end, is_over=ended is not None)

    def shown(stamp: Stamp | None) -> str:
        if stamp is None:
            return "..."
        return ("~" if stamp.is_assumed else "") + str((stamp.at - NOON) // timedelta(minutes=1))

    return [f"{span.degree} {shown(span.start)}-{shown(span.end)}" for span in line.spans], set(line.marks)


CASES: list[tuple[str, Sequence[Told], list[str], set[str]]] = [
    ("nothing was reported", [], [], set()),
    ("operational throughout", [(0, OK, OK), (60, OK, OK)], [], set()),
    ("a chain", [(0, OK, PARTIAL), (6, PARTIAL, MAJOR), (24, MAJOR, PARTIAL), (37, PARTIAL, OK)],
     ["partial 0-6", "major 6-24", "partial 24-37"], set()),
    ("a status that lasts", [(0, OK, MAJOR), (9, MAJOR, MAJOR), (20, MAJOR, OK)], ["major 0-20"], set()),
    ("resolved while impaired", [(0, OK, PARTIAL)], ["partial 0-~60"], {"end_assumed"}),
    ("resolved as it became impaired", [(60, OK, PARTIAL)], [], {"end_assumed"}),
    ("impaired after it was resolved", [(61, OK, PARTIAL)], [], {"times_contradict"}),
    ("began before the first report", [(5, PARTIAL, PARTIAL), (9, PARTIAL, OK)], ["partial ~5-9"], {"start_assumed"}),
    ("over before the first report", [(5, MAJOR, OK)], [], {"start_unknown"}),
    ("began between two reports", [(0, OK, OK), (9, PARTIAL, PARTIAL), (20, PARTIAL, OK)], ["partial ~9-20"],
     {"timeline_broken", "start_assumed"}),
    ("ended between two reports", [(0, OK, MAJOR), (30, OK, OK)], ["major 0-~30"], {"timeline_broken", "end_assumed"}),
    ("worse between two reports", [(0, OK, PARTIAL), (30, MAJOR, MAJOR), (40, MAJOR, OK)],
     ["partial 0-~30", "major ~30-40"], {"timeline_broken", "end_assumed", "start_assumed"}),
    ("a word that nobody knows", [(0, OK, Degree.UNKNOWN), (10, Degree.UNKNOWN, OK)], [], {"status_unknown"}),
    ("the page closes it seconds later", [(0, OK, PARTIAL), (59, PARTIAL, OK, "outside")], ["partial 0-59"], set()),
    ("the page said it before", [(0, OK, PARTIAL, "outside"), (9, OK, PARTIAL), (20, PARTIAL, OK)], ["partial 0-20"],
     set()),
    ("the page repeats the end", [(0, OK, MAJOR), (20, MAJOR, OK), (21, MAJOR, OK, "outside")], ["major 0-20"], set()),
    ("the page alone said it", [(9, OK, MAJOR, "outside"), (20, MAJOR, OK, "outside")], ["major 9-20"], set()),
    ("another outage before it", [(-50, OK, MAJOR, "outside"), (-40, MAJOR, OK, "outside")], [], set()),
    ("another outage after it", [(70, OK, MAJOR, "outside")], [], set()),
]  # fmt: skip


@pytest.mark.parametrize(("told", "spans", "marks"), [one[1:] for one in CASES], ids=[one[0] for one in CASES])
def test_what_is_not_reported_is_marked(told: Sequence[Told], spans: list[str], marks: set[str]) -> None:
    assert spans_of(told) == (spans, marks)


def test_what_came_outside_of_any_incident_is_joined_within_an_hour_and_stays_what_came_outside() -> None:
    minutes = (-61, -60, -1, 0, 59, 60, 120, 121)
    changes = [change(minute, OK, MAJOR) for minute in minutes]
    for ended, last in ((60, 120), (None, 121)):
        found = joined(changes, NOON, None if ended is None else at(ended).at)
        assert [one.stamp for one in found] == [at(minute) for minute in minutes if -60 <= minute <= last]
        assert not any(one.is_own for one in found)
    assert joined(changes, None, None) == []


def test_what_goes_on_has_no_end() -> None:
    assert spans_of([(0, OK, MAJOR)], ended=None) == (["major 0-..."], set())


def test_an_incident_that_ended_before_its_component_changed_is_no_outage() -> None:
    assert spans_of([(0, OK, MAJOR)], ended=-5) == ([], {"times_contradict"})


def test_of_an_incident_that_is_over_without_saying_when_the_end_is_missing() -> None:
    line = timeline([change(0, OK, MAJOR)], NOON, None, is_over=True)
    assert [span.end for span in line.spans] == [None]
    assert line.marks == {Mark.END_MISSING}


changes = st.lists(
    st.builds(
        Change,
        st.just("voice"),
        st.builds(at, st.integers(-90, 90)),
        st.sampled_from(Degree),
        st.none() | st.sampled_from(Degree),
        st.sampled_from(["", "1", "2"]),
        st.booleans(),
    ),
    max_size=12,
)


@given(changes, st.none() | st.integers(-30, 90), st.randoms(use_true_random=False))
def test_any_order_and_number_of_reports_gives_the_same_spans_none_of_which_ends_before_it_starts(
    told: list[Change], ended: int | None, random: Random
) -> None:
    end = None if ended is None else at(ended)
    line = timeline(told, NOON, end, is_over=ended is not None)
    again = [*told, *told[::2]]
    random.shuffle(again)
    assert timeline(again, NOON, end, is_over=ended is not None) == line
    for span in line.spans:
        assert span.degree not in (Degree.OPERATIONAL, Degree.UNKNOWN)
        assert span.end is None or span.end.at > span.start.at
    closed = [(span.start.at, span.end.at) for span in line.spans if span.end is not None]
    assert all(one[1] <= later[0] for one, later in pairwise(closed)), "one degree at a time"


@given(changes)
def test_every_instant_is_one_that_the_source_stated(told: list[Change]) -> None:
    stated = {one.stamp.at for one in told} | {at(60).at}
    for span in timeline(told, NOON, at(60), is_over=True).spans:
        assert span.start.at in stated
        assert span.end is not None
        assert span.end.at in stated
