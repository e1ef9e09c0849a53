"""Why a person acts is one line: the same text is taken, or refused, by the domain, the API and every command."""

import click
import pytest

from kulanz.application.door.bodies import Body, Reason, Words, read_body
from kulanz.application.door.problems import Problem
from kulanz.domain.people.reason import REASON_CHARACTERS, is_one_line, is_reason
from kulanz_cli.control import must_be_a_reason


class _Act(Body):
    reason: Reason


class _Note(Body):
    note: Words = ""


LINES = {
    "the biller asked for it": True,
    "vom 3.\u00a0Mai, „Störung“ für 5\u202f€": True,
    "x" * REASON_CHARACTERS: True,
    "x" * (REASON_CHARACTERS + 1): False,
    " " + "x" * (REASON_CHARACTERS - 2) + " ": True,
    " " + "x" * (REASON_CHARACTERS - 1) + " ": False,
    "two\nlines": False,
    "a\ttab": False,
    "\x1b[31mred": False,
    "\x85": False,
    "a\u2028line": False,
    "a\u2029paragraph": False,
    "half a pair \ud800": False,
}
NOTHING_SAID = ("", " ", "\u00a0\u2003")


def _api_takes(model: type[Body], name: str, text: str) -> bool:
    try:
        read_body(model, {name: text})
    except Problem:
        return False
    return True


def _command_takes(text: str) -> bool:
    try:
        must_be_a_reason(text)
    except click.BadParameter:
        return False
    return True


@pytest.mark.parametrize(("text", "is_line"), LINES.items(), ids=map(ascii, LINES))
def test_a_reason_is_one_line_for_the_domain_the_api_and_the_commands(text: str, is_line: bool) -> None:
    asked = is_reason(text), _api_takes(_Act, "reason", text), _command_takes(text), _api_takes(_Note, "note", text)
    assert asked == (is_line,) * 4
    assert is_one_line(text) is (is_line or len(text) > REASON_CHARACTERS)


@pytest.mark.parametrize("text", NOTHING_SAID, ids=map(ascii, NOTHING_SAID))
def test_a_reason_says_something_and_a_note_need_not(text: str) -> None:
    assert not is_reason(text)
    assert not _api_takes(_Act, "reason", text)
    assert not _command_takes(text)
    assert _api_takes(_Note, "note", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("\u2003", "one line of text that is not blank"), ("a\nb", "one line of text without control")],
)
def test_what_is_wrong_with_a_reason_is_told_as_it_is(text: str, expected: str) -> None:
    with pytest.raises(Problem) as refused:
        read_body(_Act, {"reason": text})
    (error,) = refused.value.errors
    assert (error["field"], error["expected"].startswith(expected)) == ("reason", True)
