"""A page as a tree of elements. A text is only ever text: what is written of it is escaped by the standard library.

There are no templates, so there is no place where somebody forgets to escape, and no package to install for one page.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from xml.etree.ElementTree import Element, tostring

from kulanz.domain.time import parse_instant
from kulanz_console.drawing.text import plain, plain_lines

type Part = Element | str

BREAKABLE = re.compile(r"(?<=[_:/])(?=\w)")
"""Where a long code or id may be broken."""


def element(tag: str, *parts: Part, **attributes: str) -> Element:
    """An element with its parts. `class_` is the attribute class, `aria_label` is aria-label.

    What hides or turns text around is replaced, as on a terminal.
    """
    made = Element(tag, {name.rstrip("_").replace("_", "-"): plain(value) for name, value in attributes.items()})
    for part in parts:
        _append(made, part)
    return made


def _append(made: Element, part: Part) -> None:
    if not isinstance(part, str):
        made.append(part)
        return
    text = plain(part)
    if len(made):
        made[-1].tail = made[-1].tail + text if made[-1].tail else text
    else:
        made.text = made.text + text if made.text else text


def foreign(text: object) -> Element:
    """A text that somebody outside wrote. It has a direction of its own, which ends with it.

    A long code or id may be broken where its parts meet.
    """
    made = element("bdi")
    for part in BREAKABLE.split(str(text)):
        if made.text or len(made):
            made.append(element("wbr"))
        _append(made, part)
    return made


def code(text: object) -> Element:
    """An id or a hash, whole."""
    return element("code", str(text), dir="ltr")


def instant(text: str) -> Element:
    """An instant of an answer, such as 2026-03-01T09:00:49Z, in UTC and saying so."""
    at = parse_instant(text).astimezone(UTC)
    return element("time", instant_text(at), datetime=text)


def instant_text(at: datetime) -> str:
    """An instant to the second, in UTC."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'seconds')} UTC"


def preformatted(text: str, label: str) -> Element:
    """A text of several lines, which stay as they are. It takes the keyboard's focus, because it may be scrolled."""
    made = element("pre", tabindex="0", role="region", aria_label=label, dir="ltr")
    made.text = plain_lines(text)
    return made


def definitions(pairs: Iterable[tuple[str, Sequence[Part]]], class_: str = "facts") -> Element:
    """Names, each with what it stands for."""
    made = element("dl", class_=class_)
    for name, parts in pairs:
        made.append(element("div", element("dt", name), element("dd", *parts)))
    return made


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[Part]], numbers: Iterable[int] = (), last: bool = False
) -> Element:
    """A table with its caption. Columns of `numbers` stand to the right; the `last` row is the sum of the others.

    The first cell of a row is its heading.
    """
    right = frozenset(numbers)
    body = element("tbody")
    for row in rows:
        cells = [
            element("td" if place else "th", cell, **_of_cell(place in right, is_row_head=not place))
            for place, cell in enumerate(row)
        ]
        body.append(element("tr", *cells))
    if last and len(body):
        body[-1].set("class", "sum")
    heading = element(
        "tr", *(element("th", name, **_of_cell(place in right), scope="col") for place, name in enumerate(heads))
    )
    made = element("table", element("caption", caption), element("thead", heading), body)
    return element("div", made, class_="wide", tabindex="0", role="region", aria_label=caption)


def _of_cell(is_number: bool, *, is_row_head: bool = False) -> dict[str, str]:
    return ({"class_": "number"} if is_number else {}) | ({"scope": "row"} if is_row_head else {})


def section(name: str, title: str, *parts: Part) -> Element:
    """A part of the page under its heading."""
    return element("section", element("h2", title, id=name), *parts, aria_labelledby=name)


def document(made: Element) -> str:
    """The text of a page."""
    return f"<!DOCTYPE html>\n{tostring(made, encoding='unicode', method='html')}\n"
