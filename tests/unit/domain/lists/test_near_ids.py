"""Ids that spreadsheets make of one have one normal form; others have not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.lists.near_ids import normal_id


@pytest.mark.parametrize(
    ("first", "second", "near"),
    [
        ("001042", "1042", True),
        ("1042.0", "1042", True),
        ("1042.00", "001042", True),
        ("AB-7", "ab-7", True),
        ("1042", "10420", False),
        ("1042.5", "1042", False),
        ("a.0b", "ab", False),
        ("000", "0", True),
        ("0", "1", False),
        ("1001", "1002", False),
        ("A-1", "A-01", False),
        ("1001a", "1001", False),
        ("10.5", "105", False),
    ],
)
def test_zeros_case_and_point_zero(first: str, second: str, near: bool) -> None:
    assert (normal_id(first) == normal_id(second)) is near


@given(st.integers(0, 10**12), st.integers(0, 5), st.sampled_from(["", ".0", ".00"]))
def test_a_number_is_the_same_however_it_is_padded(number: int, zeros: int, end: str) -> None:
    assert normal_id(f"{'0' * zeros}{number}{end}") == str(number)
