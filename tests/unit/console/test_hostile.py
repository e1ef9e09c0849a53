"""Texts from outside through every page: whatever they are, they stay text, and no page fails or grows sideways."""

import html
import re
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest

from kulanz.application.door.routes import BY_USE
from kulanz_console.routes import QUESTIONS
from kulanz_console.words import LANGUAGES
from tests.support.console_browser import EVERY_ROLE, Browser
from tests.support.console_waiting import ALL_THAT_WAITS, WAITING_CASE, with_everything
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world_people import to_approve
from tests.support.world_stack import WorldStack
from tests.unit.console.test_border import VALUES

HOSTILE = {
    "<script>alert(1)</script>": "<script>alert(1)</script>",
    "</style></title></svg><img src=x onerror=alert(1)>": "<img src=x onerror=alert(1)>",
    "\"'><a href=https://evil.example/?q=1 onclick=x>x</a>&lt;b&gt;": "onclick=x>x</a>&lt;b&gt;",
    "\u202egnp.exe \u2066 \u200f \x1b[2J \x00 \ud7ff": "gnp.exe",
    "שלום עולם and مرحبا": "שלום",
    "w" * 3_000: "w" * 3_000,
    "{{ 7 * 7 }} {% include '/etc/passwd' %} {0} {reason}": "{{ 7 * 7 }}",
    "<!-- ]]> --> <![CDATA[ x ]]> <?php ?>": "<![CDATA[ x ]]>",
}
"""Texts from outside, and what of each is to be read on a page."""
SENT = frozenset({
    *("title", "requester", "source", "person", "break_glass", "actor", "opened_by", "figures", "name", "key"),
    *("requested_by", "url", "problem", "changed", "upstream_id", "component"),
    *("note", "ticket", "asked_by", "field", "expected"),
    *("account", "text", "why", "says", "message", "steps", "reasons", "folder", "not_automatic", "cause", "on"),
})  # fmt: skip
"""Names whose values come from outside, or from another program's text."""


class Read(HTMLParser):
    """A page as a browser reads it: its elements, attributes and text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: Counter[str] = Counter()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> Read:
    found = Read()
    found.feed(text)
    return found


def hostile(content: Any, text: str, name: str = "") -> Any:
    """An answer in which every text from outside is replaced."""
    if isinstance(content, Mapping):
        return {key: hostile(value, text, key) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [hostile(one, text, name) for one in content]
    return text if isinstance(content, str) and name in SENT and content else content


OF_ONE_THING = ("<draft>", "<void>", "/case/")
"""Pages of what only waits in the third world."""
PATHS = [
    re.sub(r"<(\w+)>", lambda found: VALUES[found[1]], one.path)
    for one in QUESTIONS
    if not any(part in one.path for part in OF_ONE_THING)
]
PATHS += ["/account?id=granted-1", "/account?id=held-1&incident=net-outage", "/deliveries?channel=billing"]
PATHS += ["/audit?campaign=net-outage/1", "/campaigns?incident=net-outage"]

LISTS = ["/", f"/campaign/{CAMPAIGN}", "/cases", f"/cases/{CAMPAIGN}", "/goodwill", "/account?id=granted-1"]
"""Pages with other things on them where something of every kind waits."""
type Place = tuple[WorldStack, list[str]]


@pytest.fixture(scope="module")
def worlds() -> tuple[Place, ...]:
    """One whose plan waits, one in which all is done, and one in which something of every kind waits for a person."""
    waits = small_world()
    waits.publish(event(rows=ROWS))
    while not to_approve(waits):
        waits.run(waits.steps()[0])
    done = waits.copy()
    done.run_until_quiet()
    return (WorldStack(waits), PATHS), (WorldStack(done), PATHS), (with_everything(), [*LISTS, *ALL_THAT_WAITS])


@pytest.fixture(scope="module")
def tame(worlds: tuple[Place, ...]) -> list[dict[str, Read]]:
    """Every page of each world as it is without a hostile text, taken apart."""
    pages: list[dict[str, Read]] = []
    for place in worlds:
        browser, found = browser_of(place), {}
        for path in place[1]:
            response = browser.get(path)
            assert response.status_code == 200, path
            found[path] = read(response.text)
        pages.append(found)
    return pages


def browser_of(place: Place) -> Browser:
    return Browser(place[0].world, EVERY_ROLE, place[0]).enter()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_text_on_every_page(
    text: str, worlds: tuple[Place, ...], tame: list[dict[str, Read]]
) -> None:
    seen = [_shown(place, pages, text) for place, pages in zip(worlds, tame, strict=True)]
    assert sum(map(len, seen)) > len(PATHS) // 2, "the replaced texts are no longer shown"
    assert set(ALL_THAT_WAITS) <= seen[2], "a page of what waits no longer shows the replaced texts"


def _shown(place: Place, tame: dict[str, Read], text: str) -> set[str]:
    """The pages on which the text is to be read; on all of them it is nothing but text."""
    wild, seen = browser_of(place), set()
    wild.kulanz.seen = lambda answer: hostile(answer, text)
    for path, one in tame.items():
        shown = wild.get(path)
        assert shown.status_code == 200, path
        other = read(shown.text)
        assert set(other.tags) - {"wbr"} <= set(one.tags), path
        assert set(other.attributes) <= set(one.attributes), path
        assert (other.tags["script"], other.tags["a"]) == (1, one.tags["a"]), path
        assert not set("\u202e\u2066\x1b\x00") & set(shown.text), path
        if HOSTILE[text] in html.unescape(shown.text.replace("<wbr>", "")):
            seen.add(path)
    return seen


TYPED = (
    *(("/account", "id"), ("/account", "incident"), ("/campaigns", "month"), ("/campaigns", "incident")),
    *(("/cases", "month"), (f"/cases/{CAMPAIGN}", "kind"), (WAITING_CASE, "subject"), (WAITING_CASE, "fact_fee")),
    *(("/audit", "actor"), ("/audit", "day"), ("/deliveries", "channel"), ("/month", "month")),
)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_typed_into_an_address_or_a_search_is_refused_or_shown_as_text(
    value: str, worlds: tuple[Place, ...]
) -> None:
    browser = browser_of(worlds[1])
    for path, name in TYPED:
        query = {"id": "granted-1", name: value} if path == "/account" else {name: value}
        response = browser.client.get(path, base_url="http://127.0.0.1:49152", query_string=query)
        assert response.status_code in (200, 400, 404, 422), path
        found = read(response.text)
        assert found.tags["script"] == 1
        assert not {"onerror", "onclick"} & found.attributes.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_whole_and_has_its_landmarks_in_each_language(language: str, worlds: tuple[Place, ...]) -> None:
    for place in worlds:
        browser = browser_of(place)
        for path in place[1]:
            response = browser.get(path, **{"Accept-Language": language})
            assert response.status_code == 200
            assert f'<html lang="{language}">' in response.text
            found = read(response.text)
            for landmark in ("header", "nav", "main", "footer", "h1", "title"):
                assert found.tags[landmark] >= 1, (path, landmark)
            assert (found.tags["main"], found.tags["h1"], found.attributes["style"]) == (1, 1, 0), path
            said = re.sub(r"<pre.*?</pre>", "", response.text, flags=re.DOTALL)
            assert not re.search(r"{\w*}|\bNone\b|Undefined|Markup", "".join(read(said).text)), path


def test_every_question_of_a_page_is_one_of_the_api(worlds: tuple[Place, ...]) -> None:
    browser = browser_of(worlds[2])
    for path in worlds[2][1]:
        browser.get(path)
    assert set(browser.kulanz.asked) <= BY_USE.keys()
