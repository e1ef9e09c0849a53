"""A report is stored and read back in every field, and equal reports have one text whatever came first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.domain.drafts.reported import (
    Change,
    Course,
    Degree,
    Mark,
    Part,
    Reported,
    Stamp,
    latest_parts,
    order_text,
    reported_of,
)

AT = datetime(2026, 12, 1, 9, 0, 0, 5, tzinfo=UTC)
FIRST, *_, LAST = Degree
WHOLE = Reported(
    "the title",
    Course.RESOLVED,
    "https://status.example.com/1",
    Stamp(AT, "created_at"),
    Stamp(AT + timedelta(hours=1), "resolved_at", is_assumed=True),
    (
        Change("api", Stamp(AT + timedelta(minutes=7), "updated_at"), LAST, FIRST, "0007", is_own=False),
        Change("web", Stamp(AT + timedelta(minutes=9), "display_at", is_assumed=True), FIRST),
    ),
    {"web": "The web", "api": "The API"},
    frozenset({Mark.MERGED, Mark.BACKDATED}),
)


@pytest.mark.parametrize("report", [WHOLE, Reported()])
def test_a_report_is_read_back_in_every_field(report: Reported) -> None:
    assert reported_of(report.content()) == report


def test_equal_reports_have_one_text_and_others_another() -> None:
    turned = replace(WHOLE, components={"api": "The API", "web": "The web"})
    assert turned.text == WHOLE.text
    one, other = WHOLE.changes
    others = [
        replace(WHOLE, title="x"), replace(WHOLE, course=Course.OPEN), replace(WHOLE, url="x"),
        replace(WHOLE, began=WHOLE.ended, ended=WHOLE.began), replace(WHOLE, changes=(other, one)),
        replace(WHOLE, components={"web": "The API", "api": "The web"}), replace(WHOLE, marks=frozenset({Mark.MERGED})),
        *(replace(WHOLE, changes=(changed, other)) for changed in (
            replace(one, component="x"), replace(one, after=FIRST, before=LAST), replace(one, before=None),
            replace(one, place="x"), replace(one, is_own=True), replace(one, stamp=replace(one.stamp, field="x")),
            replace(one, stamp=replace(one.stamp, is_assumed=True)),
        )),
    ]  # fmt: skip
    assert len({one.text for one in (WHOLE, *others)}) == 1 + len(others)


def test_changes_are_in_order_by_instant_then_place_then_whose_they_are() -> None:
    plain = Change("api", Stamp(AT, "b"), LAST, LAST, "1", is_own=False)
    in_order = [
        replace(plain, stamp=Stamp(AT - timedelta(microseconds=1), "z"), place="9", is_own=True),
        replace(plain, place="0", is_own=True),
        replace(plain, stamp=Stamp(AT, "a")),
        plain,
        replace(plain, is_own=True),
        replace(plain, place="2"),
    ]
    turned = in_order[::-1]
    assert sorted(turned, key=lambda one: one.sort_key) == in_order
    without = replace(plain, before=None)
    assert without.sort_key < plain.sort_key


def test_of_each_part_the_latest_holds() -> None:
    parts = [Part("i", "a", "1", WHOLE), Part("i", "a", "2", Reported()), Part("i", "b", "1", Reported())]
    assert latest_parts(parts) == latest_parts(reversed(parts)) == (parts[2], parts[1])


def test_an_instant_as_text_sorts_as_the_instant_does() -> None:
    assert order_text(AT, "x") == "2026-12-01T09:00:00.000005Zx"
    assert order_text(AT.replace(microsecond=0)) < order_text(AT)
