"""Every text of the pages has its German, with the same values in it; numbers are written as each language does."""

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import kulanz_console
from kulanz.application.door.routes import Role
from kulanz.domain.audit import About
from kulanz.domain.byhand.goodwill import GoodwillState
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.reconciliation import RowResult, WriteResult
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.delivery.void import VoidState
from kulanz.domain.drafts.reported import Course, Mark
from kulanz.domain.ledger.hand_decision import CaseKind
from kulanz.domain.policy.deciding.facts import _KIND_OF_FACT
from kulanz_console.answered import (
    _BY_HAND,
    _MEANING,
    _NOTHING_GRANTED,
    EXPLAINED,
    WITHDRAWN,
)
from kulanz_console.answers import PARTS_MOST, Answers
from kulanz_console.catalogue import catalogue
from kulanz_console.drawing.ways import (
    NO_DIFFERENCE,
    NOTHING_ON_BILLS,
    NOTHING_TO_COMPARE,
    PARTLY_ON_BILLS,
    SAYS,
)
from kulanz_console.drawing.words import SENTENCES
from kulanz_console.on_the_way import _ON_ITS_WAY, COUNTED_BY
from kulanz_console.pages import padded
from kulanz_console.routes import MENU
from kulanz_console.still_open import (
    MAY_CHANGE,
    NOT_COUNTED,
    NOT_EVERY,
    NOT_OVER,
    NOTHING_OPEN,
    NOTHING_READ,
    OPEN_TEXTS,
)
from kulanz_console.views.drafts import CHOICES
from kulanz_console.views.voids import SHARES
from kulanz_console.words import Words

ROOT = Path(kulanz_console.__file__).parent
CALLED = {"words", "visit.words", "self.words", "outside.words", "NotLetIn", "Said"}
LETTERS = re.compile(r"[A-Za-z]")
VALUE = re.compile(r"\{(\w*)\}")


def written() -> Iterator[str]:
    """The texts of templates and views, as they stand there."""
    for template in ROOT.glob("templates/*.html"):
        yield from re.findall(r'_\("((?:[^"\\]|\\.)*)"', template.read_text(encoding="utf-8"))
    for file in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args:
                name = ast.unparse(node.func)
                if name in CALLED or (name == "NotAnswered" and "views" in file.parts):
                    yield from _texts_of(node.args[0])
    yield from (one.name for one in MENU)
    yield from (
        *OPEN_TEXTS.values(),
        MAY_CHANGE,
        NOTHING_OPEN,
        NOTHING_READ,
        NOT_OVER,
        NOT_EVERY,
        NOT_COUNTED,
        NO_DIFFERENCE,
        NOTHING_TO_COMPARE,
        NOTHING_ON_BILLS,
        PARTLY_ON_BILLS,
    )
    yield from Role
    yield from (*SHARES.values(), *CHOICES.values(), "To scale")
    yield from (*SAYS.values(), *EXPLAINED.values(), WITHDRAWN, *COUNTED_BY.values())
    yield from (*_ON_ITS_WAY.values(), *_MEANING.values(), *_NOTHING_GRANTED.values(), *chain(*_BY_HAND.values()))
    yield from (
        one.value.replace("_", " ") for one in (*State, *RowResult, *WriteResult) if one is not WriteResult.NONE
    )
    yield from (text for state, text in SENTENCES.items() if state not in (State.REFUSED, State.REJECTED))


def _texts_of(said: ast.expr) -> Iterator[str]:
    """The text or the two texts of a call; one that has nothing but values in it is the same in every language."""
    for one in (said.body, said.orelse) if isinstance(said, ast.IfExp) else (said,):
        if isinstance(one, ast.Constant) and LETTERS.search(VALUE.sub("", str(one.value))):
            yield str(one.value)


def test_every_text_has_its_german() -> None:
    found = set(written())
    assert len(found) > 250, "the search for texts no longer finds them"
    assert sorted(found - catalogue("de").keys()) == [], "add to texts/de.po"


def test_a_translation_has_the_values_of_its_text() -> None:
    differing = {
        text: german for text, german in catalogue("de").items()
        if sorted(VALUE.findall(text)) != sorted(VALUE.findall(german))
    }  # fmt: skip
    assert differing == {}


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("36,845.00 USD", "36.845,00 USD"),
        ("1,204 rows", "1.204 rows"),
        ("0.5", "0,5"),
        ("att-2024-02-22/1", "att-2024-02-22/1"),
        ("2026-03-01T09:00:49Z", "2026-03-01T09:00:49Z"),
        ("version 1.2.3", "version 1.2.3"),
        ("1234567", "1234567"),
        ("A-1,001", "A-1,001"),
        ("Results of 10,105 lines", "Ergebnisse von 10.105 Zeilen"),
        ("granted, EUR", "gewährt, EUR"),
        ("what nobody translated", "what nobody translated"),
    ],
)
def test_a_phrase_with_numbers_is_written_as_the_language_does(english: str, german: str) -> None:
    assert Words("de").phrase(english) == german
    assert Words("en").phrase(english) == english


@given(st.text())
def test_english_is_left_as_it_stands(text: str) -> None:
    assert Words("en").phrase(text) == text


@pytest.mark.parametrize(
    ("measure", "text", "shown"),
    [
        ("EUR", "0", "0.00"), ("EUR", "1234.5", "1,234.50"), ("JPY", "500", "500"), ("BHD", "1.5", "1.500"),
        ("USD", "0.001", "0.001"), ("call_minute", "20", "20"), ("GB", "0.25", "0.25"), ("EUR", "-3.1", "-3.10"),
    ],
)  # fmt: skip
def test_an_amount_has_its_currencys_decimals_and_is_never_rounded(measure: str, text: str, shown: str) -> None:
    assert padded(measure, text) == shown


def test_a_value_of_a_text_is_only_ever_text() -> None:
    assert "<b>" not in Words("en")("Account {account}", account="<b>")


@pytest.mark.parametrize(
    ("reason", "english", "german"),
    [
        ("balanced", "all that was planned is accounted for", "alles Geplante ist nachgewiesen"),
        ("paused_by_hand: a_b: c", "paused by hand: a_b: c", "von einer Person angehalten: a_b: c"),
        ("the same_list twice", "the same_list twice", "the same_list twice"),
        ("rows_of_mine: none", "rows of mine: none", "rows of mine: none"),
    ],
)
def test_a_reason_is_in_words_and_what_a_person_wrote_stays(reason: str, english: str, german: str) -> None:
    said = [str(Words(language).noted(reason)).replace("<wbr>", "") for language in ("en", "de")]
    assert said == [f"<bdi>{english}</bdi>", f"<bdi>{german}</bdi>"]


def test_what_somebody_wrote_that_is_a_text_of_ours_with_a_place_for_a_value_stays_as_it_is() -> None:
    german = Words("de")
    places = [text for part in ("", "answers.", "steps.") for text in catalogue("de", part) if VALUE.search(text)]
    assert "Stack {stack}" in places
    for text in places:
        said = [str(say(text)).replace("<wbr>", "") for say in (german.phrase, german.noted)]
        assert [sorted(VALUE.findall(one)) for one in said] == [sorted(VALUE.findall(text))] * 2


@pytest.mark.parametrize(
    "text", ["; request the campaign again" * 23, "an id; " * 23 + "x", "; and 1 more" * 23, "a: " * 200 + "an id"]
)
def test_a_text_that_could_be_taken_apart_in_many_ways_is_looked_for_in_few(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked, one = [0], Answers._one

    def counted(self: Answers, part: str) -> str | None:
        looked[0] += 1
        return one(self, part)

    monkeypatch.setattr(Answers, "_one", counted)
    Words("de").noted(text)
    assert looked[0] <= PARTS_MOST**3


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "none: Kulanz tells the customer nothing of goodwill; whoever gave it does",
            "keine: von Kulanz erfährt der Kunde hier nichts; wer sie gab, sagt es ihm",
        ),
        ("nothing is granted; waits for a manual review", "nichts ist gewährt; wartet auf eine Prüfung von Hand"),
    ],
)
def test_a_fact_is_known_as_a_whole_or_by_its_clauses(written: str, said: str) -> None:
    assert Words("de").facts(written) == said


def test_states_of_what_is_named_are_in_words() -> None:
    text = (
        "the account has an equal amount of the last 30 days: T-1 (given, 2026-03-01T09:00:00Z), T-2 (waiting,"
        " 2026-03-02T09:00:00Z); if a second one is meant, state the earlier id as repeat_of (kulanz goodwill"
        " --repeat-of)"
    )
    said = str(Words("de").stated(text)).replace("<wbr>", "")
    assert "T-1 (gegeben, 2026-03-01T09:00:00Z), T-2 (wartet, 2026-03-02T09:00:00Z)" in said


CODES = (*(About, CaseKind, Course, CreditState, DeliveryState, GoodwillState, Mark, TroubleKind, VoidState),)
"""Codes that pages say in words."""
HEAD = re.compile(r"([a-z]+_[a-z_]+): ")
"""The code at the head of a reason, which a table shows alone."""


def test_every_code_that_a_page_says_in_words_has_its_german() -> None:
    codes = {one.value for kind in CODES for one in kind}
    codes |= {found[1] for sentence in catalogue("de", "answers.") if (found := HEAD.match(sentence))}
    codes |= {*_KIND_OF_FACT, "balanced", "plan_balanced"}
    assert len(codes) > 100
    assert sorted(one for one in codes if one.replace("_", " ") not in catalogue("de")) == []
