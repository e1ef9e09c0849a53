"""The steps of a decision in German: every sentence of the engine is known, and what others wrote stays as it is."""

import re
from decimal import Decimal

import pytest

from kulanz.application.ledger.answer import set_off_step
from kulanz.domain.policy.explaining import explanation, phrases
from kulanz_console.catalogue import catalogue
from kulanz_console.steps import ALONE, BEFORE, BETWEEN, FIRST, ROUNDED, SENTENCES, TERMS, UNITS
from kulanz_console.words import Words
from tests.support.gallery import GALLERY

GERMAN, ENGLISH = Words("de").step, Words("en").step
VALUE = re.compile(r"\{(\w+)\}")
QUOTED = re.compile(r'"[^"]*"')
OF_THE_ENGINE = re.compile(r"\b(the|is not|is|because|times|divided by|at least|than|nothing|which|owed|rounded)\b")


def told() -> list[str]:
    """The steps of the gallery: of every public rule what it tells somebody who gets something, and who does not."""
    lines = GALLERY.read_text(encoding="utf-8").splitlines()
    return [found[1] for line in lines if (found := re.fullmatch(r"\d+\. (.*)", line))]


def test_every_step_of_every_public_rule_is_known() -> None:
    found = told()
    assert len(found) > 700
    assert [step for step in found if GERMAN.known(step) is None] == []


def test_of_every_clause_and_condition_nothing_of_the_engines_is_left_in_english() -> None:
    """Names of facts are the policy's, and are English here: only words that none of them has are looked for."""
    left = []
    for step in told():
        if (
            step.startswith(("Policy", "As chosen", "Facts used", "Kept for", "Declined", "Not known"))
            or "choice" in step
        ):
            continue
        said = QUOTED.sub('""', str(GERMAN.known(step)))
        said = re.sub(r"(?s)( Grund: .*|wie gewählt, .*|(?<=trifft zu: )[^.]*\. .*|(?<=gilt für alle\.) .*)", "", said)
        if OF_THE_ENGINE.search(said):
            left.append(said)
    assert left == []


def test_every_amount_share_and_length_of_time_of_a_step_is_in_its_german() -> None:
    figures = re.compile(r"\d+(?:[.,]\d+)?")
    wrong = [
        step for step in told()
        if sorted(one.replace(".", ",") for one in figures.findall(step))
        != sorted(one.replace(".", ",") for one in figures.findall(str(GERMAN.known(step))))
    ]  # fmt: skip
    assert wrong == []


def test_every_text_of_the_steps_has_its_german_with_the_same_values() -> None:
    texts, german = {*SENTENCES, *TERMS, *BETWEEN, *BEFORE, *ALONE, *FIRST, *UNITS, *ROUNDED}, catalogue("de", "steps.")
    assert sorted(texts - german.keys()) == [], "add to texts/steps.de.po"
    assert {text for text in german if VALUE.findall(text) != VALUE.findall(german[text])} == set()


def test_every_sentence_that_the_engine_has_as_a_constant_is_known() -> None:
    fixed = [
        *(text.format("x") for text in explanation._IMPLAUSIBLE.values()), *explanation._HELD_FOR_THE_OUTAGE.values(),
        *explanation._WHY.values(), *(f"{text}." for text in explanation._DELIVERY.values()),
        *(f"{text}. Reason: x." for text in explanation._OUTCOMES.values() if text != "Granted"),
        set_off_step({"EUR": Decimal(500)}),
    ]  # fmt: skip
    unknown = [text for text in fixed if GERMAN.known(text[:1].upper() + text[1:]) is None]
    assert unknown == []


def test_every_function_of_the_policy_language_is_said_in_german() -> None:
    """The first words of what a function says are known: those before its first operand, or between its two."""
    known = {*BEFORE, *BETWEEN, *FIRST}
    says = list(phrases._PHRASES.values()) + [text for pair in phrases._TESTS.values() for text in pair]
    parts = {part.strip(" ,") for text in says for part in re.split(r"\{\d\}", text)} - {""}
    assert sorted(part for part in parts if part not in known) == []


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("Owed: 5.00 USD.", "Geschuldet: 5,00 USD."),
        (
            "Taken back on 2026-03-01: 5.00 EUR. A machine asked for it, and 1 person approved it. The reason: 1.0.",
            (
                "Zurückgenommen am 2026-03-01: 5,00 EUR. Beantragt von einer Maschine, genehmigt von 1 Person."
                " Der Grund: 1.0."
            ),
        ),
        (
            "Taken back on 2026-03-01: 5.00 EUR. A requester asked for it, and 2 persons approved it. The reason: x.",
            (
                "Zurückgenommen am 2026-03-01: 5,00 EUR. Beantragt von einer Person der Rolle Antrag, genehmigt von 2"
                " Personen. Der Grund: x."
            ),
        ),
        ("Declined. Reason: nothing is due.", "Abgelehnt. Grund: nothing is due."),
        (
            'The exclusion "is not hit" applies: segment is "it is not hit". The outage is not over.',
            'Der Ausschluss "is not hit" trifft zu: segment ist "it is not hit". The outage is not over.',
        ),
        ("Facts used: impacted: no (whether it is not).", "Verwendete Angaben: impacted: nein (whether it is not)."),
        (
            "The condition is met: lines 1 is not more than 5.",
            "Die Bedingung ist erfüllt: lines 1 ist nicht mehr als 5.",
        ),
    ],
)
def test_what_a_policy_or_a_list_wrote_stays_as_it_is(step: str, says: str) -> None:
    assert GERMAN.known(step) == says


def test_a_step_that_is_not_known_stays_whole_and_is_marked() -> None:
    step = "Something new <b>happens</b>."
    assert str(GERMAN(step)) == '<bdi lang="en">Something new &lt;b&gt;happens&lt;/b&gt;.</bdi>'
    assert "lang" not in str(ENGLISH(step))


def test_a_refusal_keeps_its_values_and_what_is_not_known_is_marked() -> None:
    german = Words("de")
    assert "mehr als 1.200,00 EUR kosten kann" in german.stated("it can cost more than 1,200.00 EUR")
    applying = german.stated("its campaign is applying; a case is decided once its campaign is closed")
    assert "Stand der Kampagne: wird ausgeführt;" in applying
    assert 'lang="en"' in german.stated("something new")
    assert german.stated("no person requested it") == "<bdi>ihn keine Person beantragt hat</bdi>"
    assert Words("en").stated("no person requested it") == "<bdi>no person requested it</bdi>"
