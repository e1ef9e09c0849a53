"""The bench of pages measures every page of the console, and nothing that is none."""

from collections import Counter
from urllib.parse import urlsplit

from werkzeug.routing import Map, Rule

from bench.pages import PAGES
from kulanz_console.routes import QUESTIONS


def test_every_page_is_measured() -> None:
    every = Map([Rule(one.path, methods=["GET"], endpoint=one.path) for one in QUESTIONS]).bind("console")
    measured = Counter(every.match(urlsplit(path).path)[0] for path in PAGES.values())
    assert measured == Counter({one.path: 1 for one in QUESTIONS})
