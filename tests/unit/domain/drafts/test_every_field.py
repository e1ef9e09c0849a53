"""What of the parts of an incident stands where in its draft: no two values here are the same."""

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from kulanz.domain.drafts.difference import seen_content
from kulanz.domain.drafts.draft import (
    ComponentDraft,
    Draft,
    DraftWindow,
    Mapped,
    ServiceRule,
    SourceMap,
    Totals,
    decided_content,
    drafts_of,
    upstream_name,
)
from kulanz.domain.drafts.following import Waits, Words, may_still_change, waits_for, words_of
from kulanz.domain.drafts.reported import Change, Course, Degree, Mark, Part, Reported, Stamp, latest_parts
from kulanz.domain.drafts.timeline import Span, Timeline, timeline

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)


def at(minute: int, named: str = "") -> Stamp:
    return Stamp(NOON + timedelta(minutes=minute), named or f"field {minute}")


def iso(minute: int) -> str:
    return f"2026-03-10T{12 + minute // 60}:{minute % 60:02d}:00Z"


RULE = ServiceRule("voice", "Voice calls", frozenset({Degree.MAJOR, Degree.UNSTATED}), timedelta(minutes=2))
OTHER = ServiceRule("portal", "The portal")
MAPPING = SourceMap(
    "status",
    {
        "c-1": Mapped("voice", "calling"), "c-2": Mapped("voice", "texting"), "c-3": Mapped("portal"),
        "c-4": Mapped("voice", "faxing"),
    },
    {"voice": RULE, "portal": OTHER},
    frozenset({"c-8"}),
)  # fmt: skip
FIRST = Reported(
    "The first title", Course.OPEN, "https://first", at(3), None,
    (Change("c-1", at(5), Degree.MAJOR, Degree.OPERATIONAL), Change("c-2", at(7), Degree.PARTIAL, Degree.OPERATIONAL)),
    {"c-1": "Voice", "c-2": "Messages", "c-3": "Portal", "c-4": "Fax", "c-8": "Blog", "c-9": "Unheard"},
    frozenset({Mark.BACKDATED}),
)  # fmt: skip
SECOND = Reported(
    "The second title", Course.RESOLVED, "https://second", at(4), at(61),
    (
        Change("c-2", at(31), Degree.OPERATIONAL, Degree.PARTIAL), Change("c-1", at(47), Degree.PARTIAL, Degree.MAJOR),
        Change("c-1", at(59), Degree.OPERATIONAL, Degree.PARTIAL),
    ),
    {}, frozenset({Mark.PAGING_TIMES}),
)  # fmt: skip
PARTS = (Part("the-upstream", "event:1", "0001", FIRST), Part("the-upstream", "event:2", "0002", SECOND))
VOICE = Draft(
    id="status-up-voice",
    source="status",
    upstream_id="the-upstream",
    title="The second title",
    url="https://second",
    course=Course.RESOLVED,
    rule=RULE,
    began=at(3),
    ended=at(61),
    components=(
        ComponentDraft(
            "c-1", "Voice", "calling",
            Timeline((Span(Degree.MAJOR, at(5), at(47)), Span(Degree.PARTIAL, at(47), at(59))), frozenset()),
        ),
        ComponentDraft(
            "c-2", "Messages", "texting", Timeline((Span(Degree.PARTIAL, at(7), at(31)),), frozenset())
        ),
        ComponentDraft("c-4", "Fax", "faxing", Timeline((), frozenset())),
    ),
    unmapped=(("c-9", "Unheard"),),
    windows=(DraftWindow(at(5), at(47)),),
    totals=Totals(timedelta(minutes=42), timedelta(minutes=54), timedelta(minutes=58)),
    marks=frozenset({Mark.BACKDATED, Mark.PAGING_TIMES, Mark.COMPONENT_UNMAPPED}),
    windows_by_degree={
        "major": (DraftWindow(at(5), at(47)),),
        "partial": (DraftWindow(at(5), at(59)),),
        "whole": (DraftWindow(at(3), at(61)),),
    },
)  # fmt: skip


def drafts(*parts: Part) -> tuple[Draft, ...]:
    return drafts_of(parts, (), MAPPING, "up")


@pytest.mark.parametrize("order", list(permutations(PARTS)))
def test_each_value_of_the_parts_stands_at_its_place_of_the_draft(order: tuple[Part, ...]) -> None:
    portal, voice = drafts(*order)
    assert voice == VOICE
    assert (portal.id, portal.rule, portal.windows) == ("status-up-portal", OTHER, ())
    assert [one.component for one in portal.components] == ["c-3"]


def test_what_a_person_confirms_is_what_the_draft_says() -> None:
    both: dict[str, Any] = {
        "service": "Voice calls",
        "functions": ["calling"],
        "title": "The second title",
        "course": "resolved",
        "unmapped": ["c-9"],
        "marks": ["backdated", "component_unmapped", "paging_times"],
    }
    assert decided_content(VOICE) == both | {
        "began": [iso(3), "field 3", False],
        "ended": [iso(61), "field 61", False],
        "windows": [[[iso(5), "field 5", False], [iso(47), "field 47", False]]],
        "components": {
            "c-1": [
                ["major", [iso(5), "field 5", False], [iso(47), "field 47", False]],
                ["partial", [iso(47), "field 47", False], [iso(59), "field 59", False]],
            ],
            "c-2": [["partial", [iso(7), "field 7", False], [iso(31), "field 31", False]]],
            "c-4": [],
        },
    }
    assert seen_content(VOICE) == both | {"windows": [[iso(5), iso(47)]]}
    (nowhere,) = drafts_of(PARTS, (), SourceMap("status", {}, {}), "up")
    assert (nowhere.id, decided_content(nowhere)["service"], seen_content(nowhere)["service"]) == ("status-up", "", "")
    assert nowhere.problem.startswith("no component of the incident is mapped")


def test_components_and_functions_are_in_their_order_whatever_the_source_says_first() -> None:
    names = {f"d-{number}": "" for number in (3, 9, 1, 7)}
    changes = tuple(Change(one, at(2), Degree.MAJOR) for one in ("c-4", "c-2", "c-1"))
    told = Reported(changes=changes, components={"c-4": "", "c-1": "", "c-2": "", **names})
    (draft,) = drafts(Part("the-upstream", "event:1", "0001", told))
    assert [one for one, _ in draft.unmapped] == ["d-1", "d-3", "d-7", "d-9"]
    assert "where these components belong: d-1, d-3, d-7, d-9;" in draft.problem
    assert [one.component for one in draft.components] == ["c-1", "c-2", "c-4"]
    assert draft.functions == ("calling", "faxing", "texting")


@pytest.mark.parametrize(
    ("began", "ended", "contradict"), [(3, 4, False), (4, 4, True), (5, 4, True), (3, None, False)]
)
def test_an_incident_that_ends_before_it_began_contradicts_itself(
    began: int, ended: int | None, *, contradict: bool
) -> None:
    for first, last in ((at(began), None if ended is None else at(ended)), (None, at(4))):
        (draft,) = drafts(part(0, Course.RESOLVED, began=first, ended=last))
        assert (Mark.TIMES_CONTRADICT in draft.marks) is (contradict and first is not None)


def part(order: int, course: Course | None = None, **told: Any) -> Part:
    return Part("the-upstream", f"event:{order}", f"{order:04d}", Reported(course=course, components=NAMES, **told))


NAMES = {"c-1": "Voice"}


@pytest.mark.parametrize("order", list(permutations([3, 9, 6])))
def test_an_incident_began_at_the_earliest_and_ended_at_the_latest_instant_of_its_parts(order: tuple[int, ...]) -> None:
    """And what a part does not say stays as the parts before it said."""
    said = [
        part(number, Course.RESOLVED, began=at(minute), ended=at(20 + minute), title=f"title {number}", url="u")
        for number, minute in enumerate(order)
    ]
    (draft,) = drafts(*said, part(7))
    assert (draft.began, draft.ended) == (at(3), at(29))
    assert (draft.title, draft.url, draft.course) == ("title 2", "u", Course.RESOLVED)


@pytest.mark.parametrize(
    ("courses", "is_reopened"),
    [
        ((Course.OPEN, Course.OPEN), False), ((None, Course.OPEN), False), ((Course.RESOLVED, Course.OPEN), True),
        ((Course.CANCELLED, Course.OPEN), False), ((Course.RESOLVED, None), False),
        ((Course.RESOLVED, Course.CANCELLED), False),
    ],
)  # fmt: skip
def test_only_what_was_resolved_and_is_open_was_reopened(courses: tuple[Course, ...], *, is_reopened: bool) -> None:
    (draft,) = drafts(*(part(number, course) for number, course in enumerate(courses)))
    assert (Mark.REOPENED in draft.marks) is is_reopened


@pytest.mark.parametrize("course", Course)
@pytest.mark.parametrize("ended", [None, at(9)])
def test_the_end_is_missing_only_of_what_is_said_to_have_ended(course: Course, ended: Stamp | None) -> None:
    """Of an outage that was merged or cancelled, too; where nothing was out, only what ended has an end."""
    change = Change("c-1", at(3), Degree.MAJOR)
    (nothing_out,) = drafts(part(0, course, began=at(3), ended=ended))
    is_over = course in (Course.RESOLVED, Course.COMPLETED)
    assert (Mark.END_MISSING in nothing_out.marks) is (ended is None and is_over)
    (draft,) = drafts(part(0, course, began=at(3), ended=ended, changes=(change,)))
    assert (Mark.END_MISSING in draft.marks) is (ended is None and course in (
        Course.RESOLVED, Course.COMPLETED, Course.MERGED, Course.CANCELLED
    ))  # fmt: skip
    assert (Mark.PLANNED in draft.marks, Mark.NOT_BEGUN in draft.marks) == (
        course in (Course.SCHEDULED, Course.UNDER_WAY, Course.COMPLETED),
        course is Course.SCHEDULED,
    )


def test_of_equal_orders_the_greater_text_holds_and_parts_are_in_their_order() -> None:
    def of(key: str, order: str, title: str) -> Part:
        return Part("i", key, order, Reported(title))

    for given in permutations([of("b", "1", "b1"), of("a", "2", "a2"), of("a", "2", "a1"), of("c", "1", "c1")]):
        assert [one.reported.title for one in latest_parts(given)] == ["b1", "c1", "a2"]
        assert [one.reported.title for one in latest_parts([*given, of("b", "3", "b3")])] == ["c1", "a2", "b3"]


@pytest.mark.parametrize(
    ("begin", "end", "belongs"),
    [
        (-20, -1, False), (-20, 0, False), (-20, 1, True), (5, 6, True), (9, 30, True), (10, 30, False),
        (11, 30, False), (9, None, True), (10, None, False),
    ],
)  # fmt: skip
def test_a_span_from_outside_belongs_to_an_incident_where_they_have_time_in_common(
    begin: int, end: int | None, *, belongs: bool
) -> None:
    """The incident is from minute 0 to before minute 10."""
    changes = [Change("c-1", at(begin), Degree.MAJOR, is_own=False)]
    changes += [] if end is None else [Change("c-1", at(end), Degree.OPERATIONAL, is_own=False)]
    assert bool(timeline(changes, at(0).at, at(10), is_over=True).spans) is belongs


@pytest.mark.parametrize("first_is_own", [True, False])
@pytest.mark.parametrize("second_is_own", [True, False])
def test_a_span_is_the_incidents_own_where_one_of_two_equal_reports_is(first_is_own: bool, second_is_own: bool) -> None:
    """A span of long before the incident is left out where only changes outside of it state it."""
    changes = [
        Change("c-1", at(-30), Degree.MAJOR, is_own=first_is_own),
        Change("c-1", at(-29), Degree.MAJOR, is_own=second_is_own),
        Change("c-1", at(-10), Degree.OPERATIONAL, is_own=False),
    ]
    found = timeline(changes, at(0).at, at(10), is_over=True)
    assert bool(found.spans) is (first_is_own or second_is_own)


def test_a_status_that_lasts_no_time_is_no_span() -> None:
    found = timeline(
        [Change("c-1", at(3), Degree.MAJOR, place="0"), Change("c-1", at(3), Degree.OPERATIONAL, place="1")],
        at(0).at, at(9), is_over=True,
    )  # fmt: skip
    assert found.spans == ()


def test_a_status_notice_says_the_title_or_else_which_draft_and_nothing_of_a_supplier_or_of_what_is_to_come() -> None:
    assert words_of(VOICE) == Words("The second title", "Voice calls", ("calling",), "resolved", is_planned=False)
    untold, *_ = drafts(part(0))
    assert words_of(untold) == Words("status-up-voice", "Voice calls", ("calling",), "unknown", is_planned=False)
    for mark in (Mark.SUPPLIER, Mark.NOT_BEGUN):
        (one,) = drafts(part(0, marks=frozenset({mark})))
        assert words_of(one) is None
    (nowhere,) = drafts_of(PARTS, (), SourceMap("status", {}, {}), "up")
    assert words_of(nowhere) is None


@pytest.mark.parametrize(
    ("length", "marks", "waits"),
    [(1, (), Waits.NO), (2, (), Waits.NEW), (None, (), Waits.NO), (None, (Mark.TIME_UNREADABLE,), Waits.NEW)],
)
def test_a_draft_waits_where_it_proposes_a_window_or_a_person_has_to_give_one(
    length: int | None, marks: tuple[Mark, ...], waits: Waits
) -> None:
    """The least length that counts is two minutes; without a length nothing was out."""
    changes = () if length is None else (
        Change("c-1", at(3), Degree.MAJOR), Change("c-1", at(3 + length), Degree.OPERATIONAL)
    )  # fmt: skip
    (draft,) = drafts(part(0, Course.RESOLVED, began=at(3), ended=at(40), changes=changes, marks=frozenset(marks)))
    assert waits_for(draft, None) is waits


def test_a_draft_waits_where_one_of_its_components_was_out_and_nothing_of_it_counts() -> None:
    changes = (Change("c-2", at(3), Degree.PARTIAL), Change("c-2", at(9), Degree.OPERATIONAL))
    told = Reported(course=Course.RESOLVED, changes=changes, components={"c-1": "", "c-2": ""})
    (draft,) = drafts(Part("the-upstream", "event:1", "0001", told))
    assert (draft.windows, waits_for(draft, None)) == ((), Waits.NEW)


@pytest.mark.parametrize(("microseconds", "may"), [(-1, True), (0, False), (1, False)])
def test_a_page_is_asked_for_three_days_after_the_end_and_always_while_it_goes_on(
    microseconds: int, *, may: bool
) -> None:
    now = NOON + timedelta(minutes=61, days=3, microseconds=microseconds)
    assert may_still_change(VOICE, now) is may
    open_one, *_ = drafts(part(0, Course.OPEN, began=at(3)))
    assert may_still_change(open_one, now)
    endless, *_ = drafts(part(0, Course.RESOLVED, began=at(3)))
    assert not may_still_change(endless, now)


def test_a_name_that_looks_like_a_digest_is_none_of_an_incident() -> None:
    long_x, long_y = "x" + "a" * 31, "y" + "a" * 31
    assert upstream_name(long_y, folds_case=False) == long_y
    assert upstream_name(long_x[:-1], folds_case=False) == long_x[:-1]
    for digested in (long_x, long_y + "a", "A1", ""):
        name = upstream_name(digested, folds_case=False)
        assert (name[0], len(name)) == ("x", 32)
        assert name != digested
    assert upstream_name("A1", folds_case=True) == "a1"
