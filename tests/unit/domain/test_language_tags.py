"""Language tags: however a system writes a tag it is the same tag, and what is none is known as none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.language_tags import broader, language_tag

TAGS = ["de", "pt-br", "zh-hant-tw", "es-419", "fil", "de-at"]


@given(st.sampled_from(TAGS), st.sampled_from("-_"), st.sampled_from([str.upper, str.lower, str.title]), st.booleans())
def test_separators_case_and_encoding_change_nothing(tag: str, mark: str, case: type[str], encoded: bool) -> None:
    written = case(tag.replace("-", mark)) + (".UTF-8" if encoded else "")
    assert language_tag(f" {written} ") == tag


@pytest.mark.parametrize(
    ("text", "tag"),
    [("deu", "de"), ("ger", "de"), ("deu_AT", "de-at"), ("fra", "fr"), ("fre", "fr"), ("de_DE@euro", "de-de")],
)
def test_three_letters_stand_for_two_where_a_language_has_both(text: str, tag: str) -> None:
    assert language_tag(text) == tag


@pytest.mark.parametrize("text", ["German", "Deutsch", "english", "d", "xx", "de/at", "12", "", "-", "deutsche"])
def test_names_of_languages_are_no_tags(text: str) -> None:
    assert language_tag(text) is None


def test_a_tag_is_looked_up_from_the_whole_to_the_language() -> None:
    assert list(broader("zh-hant-tw")) == ["zh-hant-tw", "zh-hant", "zh"]
