"""What an explanation says of a comparison is true of the two values that it names, however it turned out."""

import operator
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.policy.explaining.phrases import _WORDS, _WORDS_OF_TIME
from tests.unit.domain.policy.rulebook import compiled, written

TRUE_OF: dict[str, Callable[[Any, Any], bool]] = {
    "is at least": operator.ge,
    "is less than": operator.lt,
    "is more than": operator.gt,
    "is not more than": operator.le,
    "is at most": operator.le,
    "is not before": operator.ge,
    "is before": operator.lt,
    "is after": operator.gt,
    "is not after": operator.le,
    "is not": operator.ne,
    "is": operator.eq,
}
"""What each of the words means, the longer ones first."""
OF_TIME = ("before", "after")
NOON = datetime(2026, 5, 3, 12, tzinfo=UTC)
VALUES: dict[str, tuple[Any, Any]] = {
    "number": (3, 5),
    "money": (300, 500),
    "instant": (NOON, NOON + timedelta(seconds=1)),
    "day": (date(2026, 5, 3), date(2026, 5, 4)),
}
SIGNS = {">=": operator.ge, ">": operator.gt, "<=": operator.le, "<": operator.lt, "=": operator.eq, "!=": operator.ne}


@pytest.mark.parametrize("kind", VALUES)
@pytest.mark.parametrize("sign", SIGNS)
def test_a_comparison_is_told_as_it_turned_out_in_words_of_its_kind(kind: str, sign: str) -> None:
    policy = compiled(written(f"currency: EUR\nfacts: {{a: {kind}, b: {kind}}}\nwhen: a {sign} b\npay: 5 EUR"))
    less, more = VALUES[kind]
    for left, right in ((less, more), (less, less), (more, less)):
        told = explain(policy, (left, right))
        step = next(step for step in told.steps if step.startswith("The condition "))
        holds = SIGNS[sign](left, right)
        met, _, said = step.partition(": ")
        assert met == f"The condition {'is met' if holds else 'is not met'}"
        words = next(words for words in TRUE_OF if f" {words} b " in said)
        assert said.startswith("a "), "the left side is told first"
        assert TRUE_OF[words](left, right), step
        assert any(word in words for word in OF_TIME) is (kind in ("instant", "day") and sign not in ("=", "!=")), step


def test_each_word_of_a_comparison_is_the_opposite_of_the_one_where_it_does_not_hold() -> None:
    for words in (_WORDS, _WORDS_OF_TIME):
        for sign, (holds, fails) in words.items():
            if sign in SIGNS:
                for left in (1, 2, 3):
                    assert TRUE_OF[holds](left, 2) is SIGNS[sign](left, 2)
                    assert TRUE_OF[fails](left, 2) is not SIGNS[sign](left, 2)


LISTS: dict[str, tuple[str, Any, str]] = {
    "one of two, the first": ('plan in ["gold", "tin"]', "gold", 'is met: plan "gold" is one of "gold" and "tin".'),
    "one of two, the last": ('plan in ["gold", "tin"]', "tin", 'is met: plan "tin" is one of "gold" and "tin".'),
    "neither of two": ('plan in ["gold", "tin"]', "zinc", 'is not met: plan "zinc" is neither "gold" nor "tin".'),
    "none of three": (
        'plan in ["a", "b", "c"]', "zinc", 'is not met: plan "zinc" is none of "a", "b" and "c".',
    ),
    "not one": ('not plan in ["gold", "tin"]', "tin", 'is not met: plan "tin" is one of "gold" and "tin".'),
    "all that are wanted": (
        'marks has ["a", "b"]', ("b", "a", "c"), 'is met: marks "b", "a" and "c" contains "a" and "b".',
    ),
    "one that is wanted is not there": (
        'marks has ["a", "b"]', ("b", "c"), 'is not met: marks "b" and "c" does not contain all of "a" and "b".',
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_what_is_in_a_list_is_told_as_it_turned_out(case: str) -> None:
    condition, value, said = LISTS[case]
    kind = "list" if isinstance(value, tuple) else "text"
    name = "marks" if isinstance(value, tuple) else "plan"
    policy = compiled(written(f"facts: {{{name}: {kind}}}\nwhen: '{condition}'\npay: 5 EUR"))
    assert f"The condition {said}" in explain(policy, (value,)).steps
