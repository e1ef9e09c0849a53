"""A name of a policy means one thing: what the language names, and what is named elsewhere, is not named again."""

from itertools import combinations

import pytest

from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.deciding.components import TERMS
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


NEARLY = ("gold ", " gold", "Gold", "GOLD", "gol", "golden", "")


@pytest.mark.parametrize("word", NEARLY)
@pytest.mark.parametrize(
    "condition",
    ['plan = "{}"', '"{}" != plan', 'plan in ["tin", "{}"]', 'weekday(day) = "{}"'],
)
def test_a_text_that_no_choice_has_letter_by_letter_would_never_hold_and_is_refused(word: str, condition: str) -> None:
    facts = "facts: {plan: [gold, tin], day: day}\n"
    with pytest.raises(PolicyError, match="is not one of the choices"):
        load_policy(written(f"{facts}when: '{condition.format(word)}'\npay: 1 EUR"))


@pytest.mark.parametrize("word", [word for word in NEARLY if word])
def test_a_line_of_tiers_that_no_choice_fits_is_refused(word: str) -> None:
    tiers = f'{{by: plan, tiers: {{is "{word}": 1 EUR, otherwise: 2 EUR}}}}'
    with pytest.raises(PolicyError, match="is not one of the choices gold, tin"):
        load_policy(written(f"facts: {{plan: [gold, tin]}}\nvalues: {{owed: {tiers}}}\npay: owed"))


@pytest.mark.parametrize("term", TERMS)
def test_terms_in_words_do_not_say_what_a_benefit_says_itself(term: str) -> None:
    give = "quantity: 1, unit: GB, usable: {on: weekends, "
    with pytest.raises(PolicyError, match=f"write {term} beside usable") as refused:
        load_policy(written(f"give: {{{give}{term}: week}}}}"))
    assert refused.value.path == ("give", 0, "usable", term)
    load_policy(written(f"give: {{{give}{term}s: week}}}}"))
