"""Writes pages: the templates, and what they may call. Every text is escaped, and plain before that."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, tostring

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from jinja2.ext import Extension
from markupsafe import Markup, escape

from kulanz.domain.money import amount_words, is_currency, measure_words, minor_units
from kulanz.domain.people.caller import short_id
from kulanz_console.drawing import markup
from kulanz_console.drawing.figures import size_of
from kulanz_console.drawing.text import plain, plain_lines
from kulanz_console.drawing.worth import value_text
from kulanz_console.inline import code, foreign, instant
from kulanz_console.paths import campaign_path, segment, url
from kulanz_console.routes import Question
from kulanz_console.visit import Visit
from kulanz_console.words import LANGUAGES, Words

TEMPLATES = Path(__file__).parent / "templates"
SHORT_HASH = 12
LEAST_COST_USD = Decimal("0.01")
_INSTANT = re.compile(r"(?<!\w)(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z)(?!\w)", re.ASCII)


_LINK = re.compile(r'((?:href|action|src)="|http-equiv="refresh" content="0;url=)(?=/|\{\{(?! elsewhere ))')
"""Where templates have a path of the console. An address of another place is called `elsewhere`."""


class _Rooted(Extension):
    """Templates and views state paths from the console's own root; where that is, is added as a template is read."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:  # noqa: ARG002
        return _LINK.sub(r"\g<1>{{ root }}", source)


@cache
def environment(root: str = "") -> Environment:
    """The templates of a console whose paths begin with `root`. A name that is not there fails the page."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, finalize=_plain,
        trim_blocks=True, lstrip_blocks=True, extensions=[_Rooted], auto_reload=False,
    )  # fmt: skip
    made.globals["root"] = root
    made.filters.update(
        foreign=foreign,
        person=person,
        code=code,
        short=lambda text: code(str(text)[:SHORT_HASH]),
        timed=timed,
        at=lambda text: instant(text) if text else "",
        drawn=drawn,
        campaign=campaign_path,
        segment=segment,
        lines=lambda text: Markup(escape(plain_lines(str(text)))),  # noqa: S704 (escaped)
    )
    return made


def _first_page(written: str, root: str) -> str:
    """The first page of a console with a root is at the root alone: a gateway has no route that ends in a slash.

    No text of anybody has a quotation mark here, so this is an attribute.
    """
    if not root:
        return written
    return written.replace(f'"{root}/"', f'"{root}"').replace(f'={root}/"', f'={root}"')


def _plain(value: object) -> object:
    """What hides or turns text around is replaced in everything that is not markup of ours."""
    return value if hasattr(value, "__html__") else plain(value)


def drawn(made: Element) -> Markup:
    """Markup of the drawing, which escapes all texts itself."""
    return Markup(tostring(made, encoding="unicode", method="html"))  # noqa: S704 (written by the standard library)


def timed(text: str) -> Markup:
    """A text of ours with instants in it, such as 2026-03-01T09:00:49Z, each of which is shown as one."""
    parts = _INSTANT.split(text)
    return Markup("").join(instant(part) if place % 2 else foreign(part) for place, part in enumerate(parts))


def person(text: str) -> Markup:
    """Who somebody is, by the short name; the whole id, such as that of a role's session, is at hand."""
    return Markup('<span title="{}">{}</span>').format(plain(text), foreign(short_id(text)))


def padded(measure: str, text: str) -> str:
    """An amount with all the decimals of its currency; a quantity as it is. Nothing is rounded."""
    size = Decimal(text)
    decimals = -int(size.as_tuple().exponent)
    least = minor_units(measure) if is_currency(measure) else 0
    return f"{size:,.{max(decimals, least)}f}"


@dataclass(frozen=True, slots=True)
class Page:
    """One page to be written."""

    environment: Environment
    words: Words
    stack: str
    visit: Visit | None
    menu: Sequence[Question]
    is_hosted: bool = False

    def write(self, template: str, title: str, content: Mapping[str, Any]) -> str:
        """Its text."""
        session = None if self.visit is None else self.visit.session
        news = ""
        if session is not None:
            news, session.said = session.said, ""
        written = self.environment.get_template(template).render(
            **content, title=title, menu=self._shown_menu(), _=self.words, words=self.words, stack=self.stack,
            languages=LANGUAGES, session=session, news=news, worth=self._worth, decimal=self._decimal, sums=self._sums,
            measured_in=self._measured_in, cost=self._cost, url=url, picture=self._picture,
            here="" if self.visit is None else self.visit.path, whose=self._whose(), is_hosted=self.is_hosted,
        )  # fmt: skip
        return _first_page(written, str(self.environment.globals["root"]))

    def _shown_menu(self) -> list[Question]:
        visit = self.visit
        return [] if visit is None else [one for one in self.menu if not one.use or visit.may(one.use)]

    def _whose(self) -> list[Markup]:
        """Whose page it is, in parts: who is signed in, in which roles, and at which stack."""
        words, visit, said = self.words, self.visit, []
        if visit is not None:
            who, roles = visit.who, visit.who.in_roles(visit.session.rights)
            if who.shown:
                said.append(Markup('<strong title="{}">{}</strong>').format(plain(who.id), foreign(who.shown)))
            said.append(escape(", ".join(map(words.code, roles))) if roles else words("no role of Kulanz"))
        return [*said, words("Stack {stack}", stack=self.stack)]

    def _worth(self, measure: str, exact: str) -> str:
        """A sum of a report or a plan: minor units of a currency, or a quantity."""
        return self.words.phrase(value_text(measure, size_of(measure, exact)))

    def _decimal(self, measure: str, text: str) -> str:
        """An amount as a currency writes it, or a quantity."""
        return self.words.phrase(amount_words(padded(measure, text), measure))

    def _measured_in(self, measure: str) -> str:
        """What sums are measured in, in words."""
        return self.words.phrase(measure_words(measure))

    def _cost(self, usd: str) -> str:
        """What AWS asks for it, about."""
        if Decimal(usd) < LEAST_COST_USD:
            return str(self.words("less than {sum}", sum=self._decimal("USD", str(LEAST_COST_USD))))
        return self._decimal("USD", f"{Decimal(usd):.2f}")

    def _sums(self, sums: Mapping[str, str]) -> str:
        return " + ".join(self._worth(measure, exact) for measure, exact in sorted(sums.items()))

    def _picture(self, made: Element) -> Markup:
        """A picture of a report, in the reader's language."""
        self._translate(made)
        return drawn(made)

    def _translate(self, one: Element) -> None:
        """The texts of an element and of those in it. A text that may be broken where its parts meet is one; a policy's
        reason and an id stay as they are.
        """
        if one.tag == "bdi":
            _put(one, self._phrase("".join(one.itertext())))
        elif one.tag != "code":
            one.text = one.text and self._within(one.text)
            for inner in one:
                if one.get("class") != "reason":
                    self._translate(inner)
                inner.tail = inner.tail and self._within(inner.tail)
        if label := one.get("aria-label"):
            one.set("aria-label", self._phrase(label))

    def _within(self, text: str) -> str:
        """A text between others, with the spaces around it."""
        said = text.strip()
        if said in ("", text):
            return self._phrase(text) if said else text
        return text.replace(said, self._phrase(said))

    def _phrase(self, text: str) -> str:
        return self.words.phrase(text)


def _put(made: Element, text: str) -> None:
    """Write a text into an element that has one of its own direction."""
    written = markup.foreign(text)
    made.text, made[:] = written.text, list(written)
