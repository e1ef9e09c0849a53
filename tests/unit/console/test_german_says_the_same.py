"""Each German text says what its English says: the same values in the same order, a no where there is one, its terms.

A text that was exchanged, a `not` that was lost, or two values that changed places read well, and mislead.
"""

import re

import pytest

from kulanz_console.catalogue import catalogue

TEXTS = [(english, german) for part in ("", "steps.", "answers.") for english, german in catalogue("de", part).items()]
VALUE = re.compile(r"\{\w*\}")
NO = re.compile(
    r"\b(not|no|none|nobody|nothing|never|neither|nor|cannot|without|un(?:used|settled|counted|mapped|readable|less"
    r"|known)|stuck|gone|has left|lack|hides|endless)\b",
    re.IGNORECASE,
)
"""Words that deny; some do it in German with a word of its own."""
NICHT = re.compile(
    r"\b(nicht|nichts|kein\w*|niemand\w*|nie|weder|ohne|nein|außer|un(?:bekannt|klar|verbraucht)\w*)\b", re.IGNORECASE
)
CODE = re.compile(r"`[^`]*`|\bkulanz [a-z]+\b|(?=\S*[_<*/])(?!\{)\S+|\(may be empty[^)]*\)|\(kann leer[^)]*\)")
ORDER_OF_GERMAN = {
    (
        "{person} requested campaign {campaign}; after an amendment another person has to let it go on ({apart})"
    ): "it begins with the campaign",
}
BEFORE_AND_AFTER = (
    (r"at least", r"mindestens", r"at most", r"höchstens"),
    (
        r"before|until",
        r"vor\w*|bis\w*|bevor|ehe|schon|früher\w*|zuvor",
        r"after|since|later",
        r"nach\w*|seit\w*|später\w*",
    ),
    (r"more|above", r"mehr|über|oben|weit\w+|noch|größer\w*", r"less|fewer|below", r"weniger|unter\w*|abzüglich"),
    (
        r"first|earliest|oldest",
        r"erst\w*|zuerst|früheste\w*|älteste\w*",
        r"last|latest",
        r"letzt\w*|zuletzt|neueste\w*",
    ),
    (r"largest|highest", r"größt\w*|höchst\w*", r"smallest|least|lowest", r"kleinst\w*|mindest\w*|niedrigst\w*"),
    (r"granted", r"gewährt\w*|gutgeschrieben|bekommt", r"declined", r"abgelehnt"),
    (r"approved?", r"genehmig\w+", r"reject(?:ed)?", r"abgelehnt|ablehnen|abgewiesen|lehnt"),
)
"""What stands for one, in English and German, and what for its opposite."""
TERMS = {
    r"campaigns?": r"kampagne", r"incidents?": r"störung", r"plans?": r"plan|pläne", r"lists?": r"liste|gelistet",
    r"including": r"einschließlich", r"rows?": r"zeile", r"accounts?": r"konto|konten|kennung",
    r"credits?": r"gutschrift|gutgeschrieben",
    r"bills?": r"rechnung", r"policy|policies": r"regelwerk", r"reasons?": r"grund|gründe", r"months?": r"monat",
    r"budgets?": r"budget", r"persons?": r"person|niemand|wer es", r"planned": r"plan", r"offer(?:s|ed)?": r"ange?bot",
    r"expired": r"verfallen|abgelaufen", r"late": r"verspätet", r"deliver(?:ed|y|ies)": r"liefer",
    r"halt(?:ed)?": r"halt", r"biller": r"rechnungsstelle|storniert", r"approv\w+": r"genehmig|zustimmung|freigabe",
    r"rejected": r"ab(?:gelehnt|gewiesen|wies)|zurückgewiesen", r"revisions?": r"fassung",
    r"windows?": r"zeitr[aä]um", r"bytes?": r"byte|leer", r"lines?": r"zeile|leitung|anschl", r"days?": r"tag|täg",
    r"drafts?": r"entw", r"declined?": r"lehn", r"outage": r"ausfall|störung",
    r"granted": r"gewähr|gutgeschr|bekommt|gutschrift",
    r"weeks?": r"woche", r"hours?": r"stunde", r"minutes?": r"minute",
    r"currency": r"währung",
    r"amounts?": r"betr[aä]g",
    r"export": r"export", r"channels?": r"kanal|kanäle", r"cause": r"ursache", r"version": r"version|fassung",
}  # fmt: skip
"""Terms of the pages (docs/glossary.md), and how the German text has them."""
SAID_OTHERWISE = frozenset(
    {
        "1 to {number} ASCII letters, digits or . _ : ~ -, the first a letter or digit, no two dots in a row",
        "Above what one person may give, it waits for a second person.",
        "List should have at least {number} item after validation, not {other}",
        "List should have at most {number} items after validation, not {other}",
        "account was circle",
        "account was twice",
        (
            "conflicts_exceeded: {cause}. Of each subject the row that was written first counts; `kulanz rejected"
            " {campaign}` lists the others"
        ),
        "credit",
        "expected a reason, in one line, where it is rejected",
        "held, referred, conflict or rejected",
        "incidents, chunks or sources",
        (
            "limits_exceeded: {cause}. Correct the list, or accept each of these limits by its name where you approve"
            " the plan"
        ),
        "list separator unknown",
        "list version gone",
        "nor",
        (
            "others than the stack's functions may write to this table: its resource policy is not the deployed one;"
            " put it back (docs/deployment.md) and find out who changed it"
        ),
        "part gone",
        "rejected to give",
        "rejected void {said} of",
        "the campaign's incident is not there; report it",
        "the list has no bytes; upload at least a header and one row",
        "there is no campaign {campaign}; `kulanz campaigns {said}` lists them",
        "there is no campaign {campaign}; `kulanz campaigns {said}` lists those there are",
        "two ids count as two persons where both are of one kind, or the people file lists them apart",
        "while no people file is published, only {cause} may do this; publish a people file that lists this person",
    }
)
"""English texts whose German has other words for a term, or denies with another one: read, and right."""


def without_values(text: str) -> str:
    """A text without its values, and without commands, codes, fields and ids, which are the same in each language."""
    return VALUE.sub(" ", CODE.sub(" ", text))


def has(words: str, text: str) -> bool:
    return re.search(rf"\b(?:{words})\b", text, re.IGNORECASE) is not None


def test_the_values_of_a_german_text_stand_in_the_order_of_its_english() -> None:
    moved = {
        english for english, german in TEXTS
        if VALUE.findall(english) != VALUE.findall(german) and english not in ORDER_OF_GERMAN
    }  # fmt: skip
    assert sorted(moved) == [], "two values that change places are read for one another; say why, where they may"


def test_a_german_text_denies_where_its_english_does_and_nowhere_else() -> None:
    wrong = [
        (english, german) for english, german in TEXTS
        if bool(NO.search(without_values(english))) != bool(NICHT.search(without_values(german)))
    ]  # fmt: skip
    assert [one for one in wrong if one[0] not in SAID_OTHERWISE] == []


@pytest.mark.parametrize("pair", BEFORE_AND_AFTER, ids=lambda pair: pair[0])
def test_no_german_text_says_the_opposite(pair: tuple[str, str, str, str]) -> None:
    one, eins, other, andere = pair
    wrong = []
    for english, german in TEXTS:
        said, gesagt = without_values(english), without_values(german)
        is_one, is_other = has(one, said), has(other, said)
        if (
            is_one != is_other
            and not has(eins if is_one else andere, gesagt)
            and has(andere if is_one else eins, gesagt)
        ):
            wrong.append((english, german))
    assert [found for found in wrong if found[0] not in SAID_OTHERWISE] == []


@pytest.mark.parametrize("term", TERMS)
def test_each_term_of_a_text_is_in_its_german(term: str) -> None:
    wrong = [
        (english, german) for english, german in TEXTS
        if has(term, without_values(english)) and re.search(TERMS[term], german, re.IGNORECASE) is None
    ]  # fmt: skip
    assert [one for one in wrong if one[0] not in SAID_OTHERWISE] == []


def test_a_number_of_a_text_is_in_its_german() -> None:
    numbers = re.compile(r"\d+")
    wrong = [
        (english, german) for english, german in TEXTS if numbers.findall(english) != numbers.findall(german)
    ]  # fmt: skip
    assert wrong == []


def test_what_is_said_otherwise_is_still_said() -> None:
    assert SAID_OTHERWISE | ORDER_OF_GERMAN.keys() <= {english for english, _ in TEXTS}
