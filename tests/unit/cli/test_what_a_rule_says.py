"""What is said of a rule: since when and until when it holds, and cells that have the bar of a table in them."""

import pytest

from kulanz_cli.rule_description import Summary
from kulanz_cli.rule_page import _cell

TIMES = {
    ("", ""): "", ("2019-04-01", ""): "from 2019-04-01", ("", "2023-03-31"): "until 2023-03-31",
    ("2019-04-01", "2023-03-31"): "2019-04-01 to 2023-03-31",
}  # fmt: skip


@pytest.mark.parametrize(("first", "last"), TIMES)
def test_a_rule_says_from_when_until_when_it_is_in_force(first: str, last: str) -> None:
    period = {name: day for name, day in (("from", first), ("until", last)) if day}
    summary = Summary("p", 1, "P", "", period, "EUR", ["EUR"], ["automatic"], [])
    assert summary.in_force_words() == TIMES[first, last]


def test_a_bar_or_a_line_end_in_a_cell_does_not_divide_the_table() -> None:
    assert _cell("a|b\nc|d") == "a\\|b c\\|d"
