"""Each sentence, term and word of a step is said in German with its own values, whichever stand beside it."""

import re
from itertools import permutations

import pytest

from kulanz.domain.time import MONTH_NAMES
from kulanz_console.catalogue import catalogue
from kulanz_console.steps import ALONE, BEFORE, BETWEEN, FIRST, ROUNDED, SENTENCES, TERMS, UNITS
from kulanz_console.words import Words

STEP = Words("de").step
TEXTS = catalogue("de", "steps.")
VALUES = {
    "value": ("fee 7.50 USD is at least 5.25 USD", "fee 7,50 USD ist mindestens 5,25 USD"),
    "other": ("2 working days in all", "2 Arbeitstage zusammen"),
    "facts": (
        "fee: 6.50 USD (is not it); hit: no; name: not known",
        "fee: 6,50 USD (is not it); hit: nein; name: nicht bekannt",
    ),
    "names": ("is it and is not", "is it und is not"),
    "mode": ("half up to a multiple of 0.05", "kaufmännisch auf ein Vielfaches von 0,05"),
    "period": ("March 2026", "März 2026"),
    "terms": ("; due by 2026-04-01", "; fällig bis 2026-04-01"),
    "persons": ("2 persons", "2 Personen"),
    "role": ("requester", "Antrag"),
    "said": ("is not what it is", "is not what it is"),
    "title": ("nothing, and 1.50 of it", "nothing, and 1.50 of it"),
    "cause": ("because 2.50", "because 2.50"),
    "more": (" It is not 3.50.", " It is not 3.50."),
    "number": ("1,234", "1,234"),
    "of": ("2026-03-01", "2026-03-01"),
}
"""A value of each kind, and what becomes of it in German. What others wrote stays, also where it reads like a step."""
NAMED = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_sentence_is_said_with_each_value_in_its_place(sentence: str) -> None:
    names = NAMED.findall(sentence)
    said = STEP.known(sentence.format(**{name: VALUES[name][0] for name in names}))
    assert said == TEXTS[sentence].format(**{name: VALUES[name][1] for name in names})


@pytest.mark.parametrize("pair", list(permutations(TERMS, 2)), ids=lambda pair: f"{pair[0][2:14]}{pair[1][:14]}")
def test_of_several_terms_each_is_said(pair: tuple[str, str]) -> None:
    english = "".join(term.format(value="fee 7.50 USD is known", of="2026-04-01", said="acc") for term in pair)
    german = "".join(TEXTS[term].format(value="fee 7,50 USD ist bekannt", of="2026-04-01", said="acc") for term in pair)
    assert STEP.known(f"Credited automatically{english}.") == f"Wird automatisch gutgeschrieben{german}."


@pytest.mark.parametrize("word", BETWEEN)
def test_what_stands_between_two_operands_is_said(word: str) -> None:
    assert STEP.value(f"fee 7.50 {word} 2.25") == f"fee 7,50 {TEXTS[word]} 2,25"
    assert STEP.value(f'"the and of" {word} 2.25') == f'"the and of" {TEXTS[word]} 2,25'


@pytest.mark.parametrize("word", BEFORE)
def test_what_stands_before_an_operand_is_said(word: str) -> None:
    assert STEP.value(f"{word} x 2.25") == f"{TEXTS[word]} x 2,25"


@pytest.mark.parametrize("word", ALONE)
def test_what_stands_for_a_value_is_said_and_is_none_within_a_name(word: str) -> None:
    assert STEP.value(word) == TEXTS[word]
    assert STEP.value(f"fee: {word}") == f"fee: {TEXTS[word]}"
    assert STEP.value(f"x {word}x") == f"x {word}x"


@pytest.mark.parametrize("word", FIRST)
def test_what_stands_before_a_value_is_said(word: str) -> None:
    for text in (f"{word} 2.25", f"({word} 2.25)", f"x = {word} 2.25"):
        assert STEP.value(text) == text.replace(word, TEXTS[word]).replace("2.25", "2,25")


@pytest.mark.parametrize("word", UNITS)
def test_what_is_counted_is_said(word: str) -> None:
    assert STEP.value(f"2.25 {word}") == f"2,25 {TEXTS[word]}"


@pytest.mark.parametrize("mode", ROUNDED)
def test_how_it_is_rounded_is_said_alone_and_with_a_multiple(mode: str) -> None:
    assert STEP.known(f"Rounded {mode}: 5.25 USD.") == f"Gerundet ({TEXTS[mode]}): 5,25 USD."
    to = f"{TEXTS[mode]} {TEXTS['to a multiple of']} 0,05"
    assert STEP.known(f"Each rounded {mode} to a multiple of 0.05: 5.25 USD, together 6.") == (
        f"Jeweils gerundet ({to}): 5,25 USD, zusammen 6."
    )


@pytest.mark.parametrize("month", MONTH_NAMES)
def test_a_month_is_said_as_a_period_and_as_what_a_step_is_about(month: str) -> None:
    german = TEXTS[month]
    assert STEP.known(f"{month} 2026: limited to 2.25 USD.") == f"{german} 2026: {STEP.value('limited to 2.25 USD.')}"
    assert STEP.known(f"Part of {month} 2026: 2.25 USD, at most 3.50 USD.") == (
        f"Anteil von {german} 2026: 2,25 USD, höchstens 3,50 USD."
    )
