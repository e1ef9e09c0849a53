"""Content has one text, a name stands once, tables are those that were confirmed, and changes are told in order."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from kulanz.domain.canonical import canonical_json, no_constant, object_once
from kulanz.domain.confirmation import Confirmation, Occasion, Tables, missing
from kulanz.domain.drafts.difference import differences
from kulanz.domain.drafts.reported import Mark
from kulanz.domain.identifiers import goodwill_month, is_account_id, is_incident_id
from tests.unit.domain.drafts.test_differences import FIRST, LONGER, OPEN, SEEN


def test_equal_content_is_equal_text_without_spaces_in_letters_as_they_are() -> None:
    assert canonical_json({"b": [1, {"d": None, "c": True}], "a": "ü"}) == '{"a":"ü","b":[1,{"c":true,"d":null}]}'


@pytest.mark.parametrize("text", ['{"a":1,"b":2,"b":3}', '{"x":{"a":1,"b":2,"b":2}}', '{"c":0,"b":1,"a":2,"b":1}'])
def test_a_name_that_stands_twice_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(ValueError, match="'b' is written twice"):
        json.loads(text, object_pairs_hook=object_once)
    once = '{"a":1,"b":{"a":2}}'
    assert json.loads(once, object_pairs_hook=object_once) == {"a": 1, "b": {"a": 2}}


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_of_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=f"{text} is no number"):
        json.loads(f'{{"a":{text}}}', parse_constant=no_constant)


def test_a_confirmation_is_about_both_tables_as_they_were() -> None:
    tables = Tables("arn:credits@1", "arn:campaigns@1")
    said = Confirmation(tables, Occasion.FIRST, "anna", "first stack", datetime(2026, 12, 1, tzinfo=UTC))
    assert missing(said, tables) == ""
    assert "nobody has confirmed" in missing(None, tables)
    for other in (replace(tables, credits="arn:credits@2"), replace(tables, campaigns="arn:campaigns@2")):
        assert "replaced or restored since" in missing(said, other)


def test_several_changes_of_a_kind_are_told_in_their_order() -> None:
    marks = sorted(set(Mark) - set(SEEN["marks"]), reverse=True)
    now = {**SEEN, "marks": [*marks, *SEEN["marks"]], "unmapped": ["c-9", "c-1", "c-5"], "windows": [LONGER, OPEN]}
    assert differences({**SEEN, "windows": [FIRST]}, now) == [
        f"now proposed: {LONGER[0]} to {LONGER[1]}",
        f"now proposed: {OPEN[0]} to now",
        f"not proposed any more: {FIRST[0]} to {FIRST[1]}",
        *(f"new mark: {mark}" for mark in sorted(marks)),
        *(f"a component that is not mapped: {one}" for one in ("c-1", "c-5", "c-9")),
    ]


def test_names_are_as_long_as_they_may_be_and_not_longer() -> None:
    assert [is_account_id("a" * length) for length in (0, 1, 64, 65)] == [False, True, True, False]
    assert [is_incident_id("a" * length) for length in (0, 1, 64, 65)] == [False, True, True, False]
    assert [is_incident_id(text) for text in ("Out", "out-7", "-out", "out_7")] == [False, True, False, False]
    assert goodwill_month("2026-11") == "goodwill-2026-11"
