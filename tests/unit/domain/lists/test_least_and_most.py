"""The first and the last of what is taken: bytes of a line without an end, and digits of ids that may be rounded."""

from collections.abc import Sequence

import pytest

from kulanz.domain.lists import lines as module
from kulanz.domain.lists.account_ids import DIGITS_KEPT, DIGITS_ROUNDED, has_zeros_for_digits, is_long_number
from kulanz.domain.lists.lines import ListRefused, lines_starting_in

MOST = 40
LINE_MOST = 10


@pytest.mark.parametrize("cut", [1, 3, 7, 40, 41, 100])
@pytest.mark.parametrize(("size", "is_taken"), [(MOST - 1, True), (MOST, True), (MOST + 1, False), (MOST + 30, False)])
def test_a_line_may_have_as_many_bytes_before_its_end_as_are_looked_through(
    monkeypatch: pytest.MonkeyPatch, cut: int, size: int, *, is_taken: bool
) -> None:
    """Without any end in the blocks so far; one that is too long to be kept is told as a line all the same."""
    monkeypatch.setattr(module, "LINE_SCAN_BYTES", MOST)
    monkeypatch.setattr(module, "LINE_BYTES", LINE_MOST)
    content = b'"' + b"x" * (size - 1)

    def found(blocks: Sequence[bytes]) -> list[module.Line]:
        return list(lines_starting_in(blocks, 0, 0, 1_000, 0))

    blocks = [content[at : at + cut] for at in range(0, size, cut)]
    if is_taken:
        assert found(blocks) == [module.Line(0, None, size, 1)]
        assert found([*blocks, b"\nab\n"]) == [
            module.Line(0, None, size + 1, 1),
            module.Line(size + 1, b"ab", size + 4),
        ]
        return
    with pytest.raises(ListRefused) as refused:
        found(blocks)
    assert refused.value.reason == "line_endless"
    assert f"byte 0 has no end within {MOST} bytes" in str(refused.value)


@pytest.mark.parametrize("digits", range(DIGITS_KEPT - 2, DIGITS_ROUNDED + 3))
def test_a_number_is_long_from_the_first_digit_that_is_not_kept_to_the_last_that_says_not_enough(digits: int) -> None:
    is_long = DIGITS_KEPT + 1 <= digits <= DIGITS_ROUNDED - 1
    assert is_long_number("4" + "1" * (digits - 1)) is is_long
    assert not is_long_number("0" + "1" * (digits - 1)), "zeros in front are no number's"
    assert not is_long_number("4" * (digits - 1) + "a")


@pytest.mark.parametrize("zeros", range(5))
def test_zeros_stand_for_digits_only_where_all_behind_the_kept_ones_are(zeros: int) -> None:
    kept = "4" * DIGITS_KEPT
    assert has_zeros_for_digits(kept + "0" * zeros)
    if zeros:
        for place in range(zeros):
            assert not has_zeros_for_digits(kept + "0" * place + "1" + "0" * (zeros - place - 1))
    assert has_zeros_for_digits(kept[:-1] + "0" + "0" * zeros)
