"""A name of a policy means one thing: what the language names, and what is named elsewhere, is not named again."""

from itertools import combinations

import pytest

from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.deciding.program import RESERVED
from tests.unit.domain.policy.rulebook import written

SECTIONS = {
    "parameters": "parameters: {{{0}: {{first: A reading., second: Another.}}}}\n",
    "facts": "facts: {{{0}: {{type: yes_no, default: yes}}}}\n",
    "values": "values: {{{0}: 1 EUR > 0 EUR}}\n",
}
"""In the order in which they are looked at; each declares one name."""


@pytest.mark.parametrize(("first", "second"), [*combinations(SECTIONS, 2)])
def test_no_name_stands_in_two_sections(first: str, second: str) -> None:
    with pytest.raises(PolicyError, match=f"this name is already used under {first}; choose another") as refused:
        load_policy(written(SECTIONS[second].format("same") + SECTIONS[first].format("same") + "pay: 1 EUR"))
    assert refused.value.path == (second, "same")


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize("name", [name for name in RESERVED if name.islower()])
def test_no_section_gives_a_word_of_the_language_another_meaning(section: str, name: str) -> None:
    with pytest.raises(PolicyError, match="the language's own") as refused:
        load_policy(written(SECTIONS[section].format(name) + "pay: 1 EUR"))
    assert refused.value.path == (section, name)


@pytest.mark.parametrize(("section", "says"), [("parameters", "nothing uses it"), ("values", "nothing uses it")])
def test_what_nothing_names_is_refused_at_its_name(section: str, says: str) -> None:
    with pytest.raises(PolicyError, match=says) as refused:
        load_policy(written(SECTIONS[section].format("idle") + "pay: 1 EUR"))
    assert refused.value.path == (section, "idle")
