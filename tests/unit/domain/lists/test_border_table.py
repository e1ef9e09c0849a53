"""The words that are no values, and how much the border takes, are changed on purpose or not at all."""

import re
from pathlib import Path

from kulanz.domain.lists.account_ids import IdProblem, read_id
from kulanz.domain.lists.cells import clean
from kulanz.domain.lists.words import NO_VALUE
from tests.support.border_table import COMMAND, TABLE, table


def test_the_table_has_every_word_and_limit_as_it_is() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(), f"see what depends on the difference, then run: {COMMAND}"


PAGE = Path(__file__).parents[4] / "docs" / "account-list.md"


def test_the_words_that_the_page_names_are_no_values_and_no_accounts() -> None:
    written = PAGE.read_text(encoding="utf-8").partition("| the words | written by |")[2].partition("\n\n")[0]
    named = re.findall(r"`([^`]+)`", "\n".join(line.split(" | ")[0] for line in written.splitlines()))
    assert len(named) > 20
    for word in named:
        assert clean(word) in NO_VALUE
        assert isinstance(read_id(word), IdProblem)
