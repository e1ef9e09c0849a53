"""Every page that leads on from the first one, whole: what stands on it, where it leads, and what its forms send.

A test that looks for one figure does not see that another beside it is wrong. Here a month has something of everything:
a campaign of every outcome, a plan that waits, what some got by hand, a void, drafts. Whoever changes what a page says
reads the difference to the approved text.
"""

import re
from collections import Counter, deque
from collections.abc import Mapping
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from kulanz.application.door.routes import Role
from tests.support.approved import must_be_as_approved
from tests.support.hosted_browser import ROOT, HostedBrowser
from tests.support.months import Month, dirty, on_bills, waiting_for_persons, worked

PAGES_MOST = 120
OF_A_KIND = 3
OTHER_MONTHS = r"month=(?!2026-0[23])"
BLOCKS = {
    "p",
    "div",
    "li",
    "tr",
    "h1",
    "h2",
    "h3",
    "dt",
    "section",
    "form",
    "summary",
    "caption",
    "label",
    "main",
    "rect",
}
CELLS = {"td", "th", "dd"}
NOT_SHOWN = {"style", "script", "head", "nav", "footer"}
SHOWN = (
    "href",
    "value",
    "name",
    "action",
    "datetime",
    "lang",
    "style",
    "width",
    "x",
    "height",
    "y",
    "title",
    "content",
)
"""The attributes that say something to whoever looks, types or follows."""
OF_A_VISIT = re.compile(r"(?<=value=)[0-9a-f]{64}(?= name=form_token)|(?<=Z-)[0-9a-f]{16}(?= name=id)")
"""What each visit draws anew: a form's token, and the end of the id of what it would do."""


class Page(HTMLParser):
    """The text of a page, a line for each block, with where links lead and what forms hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.lines: list[str] = [""]
        self._hidden = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in NOT_SHOWN
        if self._hidden:
            return
        if tag in BLOCKS:
            self.lines.append("")
        elif tag in CELLS:
            self.lines[-1] += " | "
        of = dict(attrs)
        said = [f"{name}={of[name]}" for name in SHOWN if of.get(name)]
        said += [name for name in ("checked", "selected", "required", "disabled") if name in of]
        if said:
            self.lines[-1] += f"<{tag} {' '.join(said)}>"

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in NOT_SHOWN
        if not self._hidden and tag in BLOCKS:
            self.lines.append("")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.lines[-1] += re.sub(r"\s+", " ", data)

    def text(self) -> str:
        return OF_A_VISIT.sub("...", "\n".join(line.strip() for line in self.lines if line.strip()))


def led_to(browser: HostedBrowser, first: str) -> Mapping[str, str]:
    """The pages to which the first one and those behind it lead: few of each kind, and those of two months alone."""
    found: dict[str, str] = {}
    kinds: Counter[str] = Counter()
    waiting = deque([first])
    while waiting:
        path = waiting.popleft()
        kind = (
            re.sub(r"=[^&]*", "=", re.sub(r"(?<=/)[^/?]+", "", path.removeprefix("/")))
            + path.split("/")[1].partition("?")[0]
        )
        if path in found or path.startswith("/static") or kinds[kind] >= OF_A_KIND or re.search(OTHER_MONTHS, path):
            continue
        kinds[kind] += 1
        answer = browser.get(path)
        assert answer.status_code == 200, path
        found[path] = Page(answer.text).text()
        links = (unescape(link).partition("#")[0] for link in re.findall(r'href="([^"]+)"', answer.text))
        waiting += [link.removeprefix(ROOT) for link in links if link.startswith(f"{ROOT}/")]
        assert len(found) <= PAGES_MOST
    return found


@pytest.mark.parametrize("month", [waiting_for_persons, on_bills, dirty, worked])
def test_every_page_of_a_month_is_as_it_was_read_and_approved(
    month: Month,
) -> None:
    with month() as (world, door):
        browser = HostedBrowser(world, *Role, door=door)
        browser.list_the_person()
        browser.sign_in()
        pages = led_to(browser, "/")
    text = "\n\n".join(f"==== {path}\n{text}" for path, text in pages.items()) + "\n"
    must_be_as_approved(text, Path(__file__).with_name(f"pages_{month.__name__}.txt"))
