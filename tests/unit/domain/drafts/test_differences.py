"""What has changed of a draft since a person confirmed it is said: each change by its own sentence, nothing else."""

from typing import Any

import pytest

from kulanz.domain.drafts.difference import differences
from kulanz.domain.drafts.reported import Course

FIRST = ["2026-03-10T08:00:00Z", "2026-03-10T09:00:00Z"]
LONGER = ["2026-03-10T08:00:00Z", "2026-03-10T09:30:00Z"]
OPEN = ["2026-03-10T08:00:00Z", None]
SEEN: dict[str, Any] = {
    "title": "Voice is down",
    "course": Course.RESOLVED,
    "service": "Voice calls",
    "functions": ["calls"],
    "windows": [FIRST],
    "unmapped": [],
    "marks": ["paging_times"],
}
CHANGED: dict[str, tuple[dict[str, Any], list[str]]] = {
    "nothing": ({}, []),
    "withdrawn": (
        {"course": Course.CANCELLED},
        ["the source says that it was cancelled; if that is so, withdraw the incident"],
    ),
    "merged": ({"course": Course.MERGED}, ["the source says that it was merged; if that is so, withdraw the incident"]),
    "open again": ({"course": Course.OPEN}, ["it was resolved, and is open"]),
    "unknown now": ({"course": None}, ["it was resolved, and is in no known state"]),
    "a longer window": (
        {"windows": [LONGER]},
        [
            f"now proposed: {LONGER[0]} to {LONGER[1]}",
            f"not proposed any more: {FIRST[0]} to {FIRST[1]}",
        ],
    ),
    "a further window": ({"windows": [FIRST, OPEN]}, [f"now proposed: {OPEN[0]} to now"]),
    "no window any more": ({"windows": []}, [f"not proposed any more: {FIRST[0]} to {FIRST[1]}"]),
    "another service": (
        {"service": "Voice"},
        ["it was confirmed for the service Voice calls; by the configuration it is Voice"],
    ),
    "a further function": (
        {"functions": ["calls", "messages"]},
        ["the functions were calls, and are calls, messages"],
    ),
    "a function less": ({"functions": []}, ["the functions were calls, and are none"]),
    "another title": ({"title": "Voice was down"}, ["the title is another"]),
    "a further mark": ({"marks": ["backdated", "paging_times"]}, ["new mark: backdated"]),
    "a mark less": ({"marks": []}, []),
    "an unmapped component": ({"unmapped": ["c-9"]}, ["a component that is not mapped: c-9"]),
}


@pytest.mark.parametrize("what", CHANGED)
def test_each_change_has_its_sentence(what: str) -> None:
    changes, said = CHANGED[what]
    assert differences(SEEN, {**SEEN, **changes}) == said


def test_what_was_in_no_known_state_is_said_to_have_been_so() -> None:
    unknown = {**SEEN, "course": None}
    assert differences(unknown, SEEN) == ["it was in no known state, and is resolved"]


@pytest.mark.parametrize(("before", "now"), [(Course.MERGED, Course.CANCELLED), (Course.CANCELLED, Course.MERGED)])
def test_who_knows_that_it_is_gone_is_not_told_to_withdraw_it_again(before: Course, now: Course) -> None:
    assert differences({**SEEN, "course": before}, {**SEEN, "course": now}) == [f"it was {before}, and is {now}"]


def test_the_most_important_change_is_said_first() -> None:
    changes: dict[str, Any] = {}
    for one, _ in CHANGED.values():
        changes |= one
    changes |= {"course": Course.CANCELLED, "windows": [LONGER]}
    found = differences(SEEN, {**SEEN, **changes})
    assert [text.split(" ")[0] for text in found] == ["the", "now", "not", "it", "the", "the", "a"]
    assert differences(SEEN, SEEN) == []
