"""What stands inside a sentence is the same whether it is written at once, as pages do, or as a part of a drawing."""

import html
from collections.abc import Callable
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, tostring

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from kulanz.domain.time import format_instant
from kulanz_console import inline
from kulanz_console.drawing import markup
from kulanz_console.drawing.yaml_text import yaml_text
from kulanz_console.words import Words

PIECES: dict[str, tuple[Callable[[str], str], Callable[[str], Element]]] = {
    "foreign": (inline.foreign, markup.foreign),
    "code": (inline.code, markup.code),
    "instant": (inline.instant, markup.instant),
}
TEXTS = st.text(st.one_of(st.characters(), st.sampled_from("_:/<>&\"' a\u202e\x00\u200d")))


def read(text: str) -> str:
    """A quotation mark may be written in two ways, which say the same."""
    return html.unescape(text.replace("&lt;", "\ue000").replace("&gt;", "\ue001").replace("&amp;", "\ue002"))


@pytest.mark.parametrize("name", ["foreign", "code"])
@given(text=TEXTS)
@example(text="a_b:c/d/<e>&amp;_é:\u202eא/\x00a_\x1bb")
def test_a_text_from_outside_is_written_as_a_drawing_writes_it(name: str, text: str) -> None:
    at_once, drawn = PIECES[name]
    assert read(at_once(text)) == read(tostring(drawn(text), encoding="unicode", method="html"))


@given(st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001 (the range)
def test_an_instant_is_written_as_a_drawing_writes_it(at: datetime) -> None:
    text = format_instant(at)
    assert inline.instant(text) == tostring(markup.instant(text), encoding="unicode", method="html")
    assert f">{text[:10]} {text[11:19]} UTC<" in inline.instant(text)


@given(name=TEXTS)
def test_a_value_in_a_text_of_ours_is_escaped_once(name: str) -> None:
    said = Words("en")("Account {account}", account=name)
    assert said == "Account " + Words("en")("{account}", account=name)
    assert said == Words("en")("Account {account}", account=Words("en")("{account}", account=name))
    assert not {"<", ">", '"'} & set(said)


def test_a_value_that_a_text_names_and_nobody_states_fails() -> None:
    with pytest.raises(KeyError):
        Words("en")("Account {account}", other="x")


LINES = st.text(st.sampled_from("ab :-#'\"é\U0001f600\u2028\n{}[]|>"), max_size=90)


@given(st.dictionaries(LINES, st.one_of(LINES, st.lists(LINES), st.integers(), st.booleans())))
def test_a_document_reads_back_as_it_was(content: dict[str, object]) -> None:
    assert yaml.safe_load(yaml_text(content, 76)) == content


def test_an_emoji_of_a_notice_is_shown_as_one() -> None:
    assert "\U0001f600" in yaml_text({"text": "Sorry \U0001f600"}, 76)
