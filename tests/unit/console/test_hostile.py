"""Texts from outside through every page: whatever they are, they stay text, and no page fails or grows sideways."""

import html
import re
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from html.parser import HTMLParser
from typing import Any

import pytest

from kulanz.application.door.routes import BY_USE
from kulanz_console.routes import QUESTIONS
from kulanz_console.words import LANGUAGES
from tests.support.console_browser import Browser
from tests.support.small_campaign import ROWS, event, small_world
from tests.support.world import World
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


@pytest.fixture(scope="module")
def worlds() -> tuple[World, ...]:
    """One whose plan waits, and one in which all is done."""
    waits = small_world()
    waits.publish(event(rows=ROWS))
    while not waits._to_approve():
        waits.run(waits.steps()[0])
    done = waits.copy()
    done.run_until_quiet()
    return waits, done


PATHS = [re.sub(r"<(\w+)>", lambda found: VALUES[found[1]], one.path) for one in QUESTIONS if "<draft>" not in one.path]
PATHS += ["/account?id=granted-1", "/account?id=held-1&incident=net-outage", "/deliveries?channel=billing"]
PATHS += ["/audit?campaign=net-outage/1", "/campaigns?incident=net-outage"]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_text_on_every_page(text: str, worlds: tuple[World, ...]) -> None:
    assert sum(_shown(world, text) for world in worlds) > len(PATHS) // 2, "the replaced texts are no longer shown"


def _shown(world: World, text: str) -> int:
    """On how many pages the text is to be read; on all of them it is nothing but text."""
    tame, wild, seen = Browser(world).enter(), Browser(world).enter(), 0
    wild.kulanz.seen = lambda answer: hostile(deepcopy(answer), text)
    for path in PATHS:
        expected, shown = tame.get(path), wild.get(path)
        assert (shown.status_code, expected.status_code) == (200, 200), path
        one, other = read(expected.text), read(shown.text)
        assert set(other.tags) - {"wbr"} <= set(one.tags), path
        assert set(other.attributes) <= set(one.attributes), path
        assert (other.tags["script"], other.tags["a"]) == (1, one.tags["a"]), path
        assert not set("\u202e\u2066\x1b\x00") & set(shown.text), path
        seen += HOSTILE[text] in html.unescape(shown.text.replace("<wbr>", ""))
    return seen


TYPED = (
    *(("/account", "id"), ("/account", "incident"), ("/campaigns", "month"), ("/campaigns", "incident")),
    *(("/audit", "actor"), ("/audit", "day"), ("/deliveries", "channel"), ("/month", "month")),
)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_typed_into_an_address_or_a_search_is_refused_or_shown_as_text(
    value: str, worlds: tuple[World, ...]
) -> None:
    browser = Browser(worlds[1]).enter()
    for path, name in TYPED:
        query = {"id": "granted-1", name: value} if path == "/account" else {name: value}
        response = browser.client.get(path, base_url="http://127.0.0.1:49152", query_string=query)
        assert response.status_code in (200, 400, 404, 422), path
        found = read(response.text)
        assert found.tags["script"] == 1
        assert not {"onerror", "onclick"} & found.attributes.keys()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_whole_and_has_its_landmarks_in_each_language(language: str, worlds: tuple[World, ...]) -> None:
    for world in worlds:
        browser = Browser(world).enter()
        for path in PATHS:
            response = browser.get(path, **{"Accept-Language": language})
            assert response.status_code == 200
            assert f'<html lang="{language}">' in response.text
            found = read(response.text)
            for landmark in ("header", "nav", "main", "footer", "h1", "title"):
                assert found.tags[landmark] >= 1, (path, landmark)
            assert (found.tags["main"], found.tags["h1"], found.attributes["style"]) == (1, 1, 0), path
            said = re.sub(r"<pre.*?</pre>", "", response.text, flags=re.DOTALL)
            assert not re.search(r"{\w*}|\bNone\b|Undefined|Markup", "".join(read(said).text)), path


def test_every_question_of_a_page_is_one_of_the_api(worlds: tuple[World, ...]) -> None:
    browser = Browser(worlds[1]).enter()
    for path in PATHS:
        browser.get(path)
    assert set(browser.kulanz.asked) <= BY_USE.keys()
