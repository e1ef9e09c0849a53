"""A console lives longer than its pages: of what these show in another language it remembers no more than it says."""

import pytest

from kulanz_console import answers
from kulanz_console.answers import Answers

KNOWN = "the stack is not halted; there is nothing to lift"


@pytest.mark.parametrize("most", [1, 2, 7])
def test_so_many_texts_are_remembered_and_each_is_told_the_same_again(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "FOUND_MOST", most)
    german = Answers("de", str.upper, str)
    first = german.known(KNOWN)
    assert first is not None
    assert first != KNOWN
    for number in range(3 * most):
        assert german.known(f"{KNOWN}; something that nobody said {number}") is None
        assert len(german._found) <= most
        assert german.known(KNOWN) == first
        assert german.known(f"{KNOWN}; {KNOWN}") == f"{first}; {first}"
