"""In German no page has a clause of English, but where it is marked as such: what the engine or the API wrote.

A word is English where texts of ours have it in English and in no German one.
"""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from kulanz_console.catalogue import catalogue
from kulanz_console.drawing.figures import figures_of
from kulanz_console.drawing.sections import results_section
from kulanz_console.pages import Page, environment
from kulanz_console.words import Words
from tests.support.console_browser import Browser
from tests.support.console_waiting import ALL_THAT_WAITS, with_everything, with_plan
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world_people import to_approve
from tests.support.world_stack import WorldStack
from tests.unit.console.test_figures_of_drawings import of_pass, sources
from tests.unit.console.test_hostile import LISTS, PATHS

WORD = re.compile(r"[A-Za-zÄÖÜäöüß]{3,}")
ID = re.compile(r"\S*(?:[_/@#:]|\w-\w|\d[a-z]|[a-z]\d)\S*")
"""Ids, codes, keys and instants: the same in every language."""
UNTRANSLATED = frozenset({"pre", "code", "script", "style"})
PARTS = frozenset({
    *("p", "li", "td", "th", "h1", "h2", "h3", "dt", "dd", "option", "button", "label", "summary", "title"),
    *("desc", "figcaption", "caption", "div"),
})  # fmt: skip
COMMON = frozenset({"the", "and", "was", "with", "not", "that", "has", "are", "for", "since", "nothing", "from"})
OUTSIDE = (
    *("Network down", "Calls and portal disturbed", "Planned work on voice platform", "it was the wrong list"),
    "second, 2026",
    *("The customer waited too long", "The fact is known", "Something else", "called twice", "nobody"),
    *("A credit, minutes, and every other outcome", "Kulanz", "not affected", "business customer"),
    *("fee unknown", "segment unknown"),
)
"""Texts that persons, policies and sources wrote in these worlds."""
CODES = frozenset({"blank", "conflict", "yes", "unknown", "fee (money)", "Störung second"})
"""Reasons, values and ids, where they stand alone."""


def words_of(text: str) -> set[str]:
    return {one.lower() for one in WORD.findall(text)}


def without_outside(text: str) -> str:
    for one in OUTSIDE:
        text = text.replace(one, " ")
    return text


def english_alone() -> frozenset[str]:
    texts = catalogue("de")
    return frozenset((words_of(" ".join(texts)) | COMMON) - words_of(" ".join(texts.values())))


class Texts(HTMLParser):
    """The texts of a page that are ours: each part by itself, and what a screen reader is given for it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = [""]
        self._others = list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        if self._others:
            self._others += [tag] * (tag == self._others[0])
        elif tag in UNTRANSLATED or of.get("lang") == "en":
            self._others.append(tag)
        if tag in PARTS:
            self.found.append("")
        for name in ("aria-label", "placeholder", "alt"):
            self.found += [of.get(name) or "", ""] if name in of else []

    def handle_endtag(self, tag: str) -> None:
        if self._others and tag == self._others[0]:
            self._others.pop()

    def handle_data(self, data: str) -> None:
        if not self._others:
            self.found[-1] += data


def pages() -> Iterator[tuple[str, str]]:
    """Every page in German: while a plan waits, after it, and where something of every kind waits."""
    waits = small_world()
    waits.publish(event(rows=ROWS))
    while not to_approve(waits):
        waits.run(waits.steps()[0])
    done = waits.copy()
    done.run_until_quiet()
    rich = with_everything(with_plan())
    accounts = [f"/account?id={name}" for name in ("held-1", "referred-1", "declined-1", "torn-1", "nobody", "1001")]
    more = ["/account?id=held-1&incident=net-outage", "/plan/second/1", "/campaign/second/1", *accounts]
    for stack, paths in (
        (WorldStack(waits), PATHS), (WorldStack(done), PATHS), (rich, [*PATHS, *LISTS, *ALL_THAT_WAITS, *more]),
    ):  # fmt: skip
        browser = Browser(stack.world, stack=stack).enter()
        for path in dict.fromkeys(paths):
            shown = browser.get(path, **{"Accept-Language": "de"})
            if shown.status_code == 200:
                yield path, shown.text


def test_no_page_in_german_has_a_clause_of_english() -> None:
    english, found, read = english_alone(), dict[str, str](), 0
    for path, text in pages():
        page = Texts()
        page.feed(text)
        assert 'lang="de"' in text
        read += 1
        for part in page.found:
            ours = ID.sub(" ", without_outside(part))
            if words_of(ours) & english and part.strip() not in CODES:
                found.setdefault(" ".join(part.split()), path)
    assert read > len(PATHS), "the pages are no longer read"
    assert "\n".join(f"{path}: {part}" for part, path in sorted(found.items())) == ""


def test_a_reason_of_a_policy_stays_whole_beside_its_bar_and_its_figures() -> None:
    done = small_world()
    done.publish(event(rows=ROWS))
    done.run_until_quiet()
    page = Browser(done, stack=WorldStack(done)).enter().get(f"/campaign/{CAMPAIGN}", **{"Accept-Language": "de"}).text
    shown = re.sub("<[^>]+>", " ", page.replace("<wbr>", ""))
    assert {"fee_unknown", "segment_unknown", "account_id_invalid"} <= set(shown.split())
    assert "unbekannt" not in shown


@pytest.mark.parametrize("reason", ["nothing", "none", "began", "granted", "declined", "an_own_code"])
def test_a_reason_is_what_the_policy_calls_it_also_where_german_has_a_word_for_it(reason: str) -> None:
    """Whoever looks for the code of a policy or a ledger finds it in each language; the result beside it is ours."""
    german = Words("de")
    of = sources(of_pass([("granted", reason, "none", 8), ("declined", reason, "none", 5)]))
    made = Page(environment(), german, "stack", None, ())._picture(results_section(figures_of(of.report)))
    rows = [
        re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall("<tr.*?</tr>", made.replace("<wbr>", ""))
    ]
    shown = [[re.sub("<[^>]+>", "", cell) for cell in row[:2]] for row in rows]
    assert shown[1:3] == [[german.phrase("granted"), reason], [german.phrase("declined"), reason]]
    assert german.phrase("granted") != "granted"
