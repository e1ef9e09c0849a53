"""How long the windows are that a person confirms of a draft: together, and nothing is said while one lasts."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz_console.drawing.pictures import seconds_words
from kulanz_console.sessions import Session
from kulanz_console.views import drafts
from kulanz_console.visit import Visit
from kulanz_console.words import Words

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)


def window(start: str, end: str | None) -> dict[str, Any]:
    """A window of one day, as the API answers it."""
    ends = (start, end)
    first, last = (None if at is None else {"at": f"2026-03-10T{at}:00Z", "field": "told"} for at in ends)
    return {"start": first, "end": last}


class Draft:
    """A draft with windows by how they are counted."""

    def __init__(self, windows: list[Any], by: Mapping[str, list[Any]]) -> None:
        self._answer = {
            "draft": "it-1-voice", "digest": "d", "windows": windows, "by": by, "components": [], "suggested": {},
            "confirmed": None, "dismissed": None,
        }  # fmt: skip

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        return self._answer

    def act(self, use: str, content: Mapping[str, Any], **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        raise AssertionError(use)

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return dict.fromkeys(uses, True)


@pytest.mark.parametrize(
    ("windows", "minutes"),
    [
        ([window("08:00", "09:00")], 60),
        ([window("08:00", "09:00"), window("10:00", "10:30")], 90),
        ([window("08:00", "08:01"), window("10:00", "11:30"), window("12:00", "12:05")], 96),
        ([window("08:00", "09:00"), window("10:00", None)], None),
    ],
)
def test_windows_are_as_long_as_they_are_together(windows: list[Any], minutes: int | None) -> None:
    visit = Visit(
        Draft(windows, {"major": windows, "partial": []}), Session("s", "t", NOW), Words("en"), NOW,
        of={"draft": "it-1-voice"},
    )  # fmt: skip
    said = "" if minutes is None else seconds_words(timedelta(minutes=minutes))
    choices = drafts.show(visit).content["choices"]
    assert [(one["name"], one["length"]) for one in choices] == [("proposed", said), ("major", said)]


@pytest.mark.parametrize(
    ("milliseconds", "said"),
    [(999, "0:00:00"), (1_000, "0:00:01"), (59_999, "0:00:59"), (60_000, "0:01:00"), (90_061_900, "1 day, 1:01:01")],
)
def test_a_length_is_told_in_the_whole_seconds_that_have_passed(milliseconds: int, said: str) -> None:
    assert seconds_words(timedelta(milliseconds=milliseconds)) == said
