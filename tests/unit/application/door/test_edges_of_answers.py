"""Answers at their edges: pages behind what is gone, the latest of many, and actions that leave a field out."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.door.actions import Action, _differences
from kulanz.application.door.asked import Door, page_after
from kulanz.application.door.bodies import read_body
from kulanz.application.door.incidents import REVISIONS_PER_ANSWER, _latest
from kulanz.application.door.problems import Problem
from kulanz.application.door.repairs import RepairBody
from tests.support.values import NOW, declared


@pytest.mark.parametrize(("after", "found"), [("", ["a", "b"]), ("a", ["b", "c"]), ("c", []), ("gone", [])])
def test_a_page_goes_on_behind_what_was_named_and_ends_where_that_is_gone(after: str, found: list[str]) -> None:
    assert list(page_after(["a", "b", "c"], str, after, 2)) == found


@pytest.mark.parametrize("separator", ["\n", "\r", "\x85", "\u2028", "\u2029", "\ud800", "\x1b"])
def test_a_reason_is_one_line(separator: str) -> None:
    assert read_body(RepairBody, {"reason": "one line"}).reason == "one line"
    with pytest.raises(Problem):
        read_body(RepairBody, {"reason": f"one{separator}line"})


def test_an_action_that_says_less_under_its_id_differs_as_one_that_says_more_does() -> None:
    def action(**fields: str) -> Action:
        return Action("STACK", "halt#1", "sso:anna", NOW, fields)

    less, more = action(reason="a"), action(reason="a", decides_by="b")
    assert [one["field"] for one in _differences(more, less)] == ["decides_by"]
    assert [one["field"] for one in _differences(less, more)] == ["decides_by"]
    assert _differences(more, more) == []


def test_of_more_revisions_than_an_answer_has_it_is_the_latest_lowest_first() -> None:
    numbers = range(1, REVISIONS_PER_ANSWER + 6)
    record: Any = SimpleNamespace(incident_id=declared().incident_id, revision_digests=dict.fromkeys(numbers, "d"))
    campaigns = SimpleNamespace(revision=lambda _, number: number)
    door = cast("Door", SimpleNamespace(campaigns=campaigns))
    assert cast("list[Any]", _latest(record, door)) == list(numbers)[-REVISIONS_PER_ANSWER:]
