"""Properties and storms are tried as hard as they state, or as the environment asks."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.effort import EXAMPLES_LEAST, examples, scaled

STATED = 120
tried: list[int] = []


@settings(max_examples=STATED, database=None)
@given(st.integers())
def test_a_property_is_tried_with_as_many_examples_as_are_asked_for(number: int) -> None:
    tried.append(number)


def test_so_many_they_are() -> None:
    tried.clear()
    test_a_property_is_tried_with_as_many_examples_as_are_asked_for()
    assert len(tried) == examples(STATED)


@pytest.mark.parametrize(
    ("stated", "percent", "expected"), [(200, 100, 200), (200, 25, 50), (200, 300, 600), (40, 25, EXAMPLES_LEAST)]
)
def test_a_share_is_never_less_than_the_least(stated: int, percent: int, expected: int) -> None:
    assert scaled(stated, percent, EXAMPLES_LEAST) == expected


def test_what_states_less_than_the_least_is_tried_as_it_states() -> None:
    assert examples(5) >= 5
