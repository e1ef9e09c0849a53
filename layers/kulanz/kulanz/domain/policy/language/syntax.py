"""The grammar of expressions: from a text to a tree. Nothing is looked up or computed here.

expression := or ; or := and ("or" and)* ; and := not ("and" not)* ; not := "not" not | comparison
comparison := sum (("=" | "!=" | "<" | "<=" | ">" | ">=") sum | "in" list | "has" sum | "is" ("known" | "unknown"))?
sum        := product (("+" | "-") product)* ; product := sign (("*" | "/" | "of") sign)* ; sign := "-"? primary
primary    := literal | name | name "(" arguments ")" | "(" expression ")" | list
literal    := 12 | 12.5 | 10% | 5.00 EUR | 24 h | 3 days | "text" | 2024-02-22 | 2024-02-22T09:45:00Z | 18:00 | yes | no
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from kulanz.domain.lists.cells import parse_number
from kulanz.domain.money import AmountError, format_minor, is_currency, minor_units, parse_minor, whole
from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.kinds import (
    DAY,
    DURATION,
    INSTANT,
    NUMBER,
    SPAN_DAYS,
    SPAN_MONTHS,
    SPAN_WORKING_DAYS,
    TEXT,
    TIME_OF_DAY,
    YES_NO,
    Kind,
    money,
)
from kulanz.domain.time import (
    HOUR_MICROSECONDS,
    SECOND_MICROSECONDS,
    TimeError,
    microseconds_of,
    parse_day,
    parse_instant,
)

MAX_EXPRESSION_CHARACTERS = 1000
TEXTS_REMEMBERED = 256
"""How many expressions' trees a process remembers: more than a policy has. Its examples are each decided by the policy
compiled for their incident, and all of these compile the same texts."""
MAX_DEPTH = 30
MAX_LEVELS = 60
"""The most operators that may rest on one another: a + b + c has two levels."""
MINUTES_PER_HOUR = 60

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<instant>\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d))
    | (?P<day>\d{4}-\d\d-\d\d)
    | (?P<clock>\d\d:\d\d)
    | (?P<number>\d+(?:\.\d+)?)
    | (?P<text>"[^"]*"|'[^']*')
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<operator><=|>=|!=|[=<>+\-*/(),\[\]%])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.ASCII,
)
_DURATIONS = {
    **dict.fromkeys(("s", "second", "seconds"), SECOND_MICROSECONDS),
    **dict.fromkeys(("min", "minute", "minutes"), 60 * SECOND_MICROSECONDS),
    **dict.fromkeys(("h", "hour", "hours"), HOUR_MICROSECONDS),
}
_SPANS = {
    **dict.fromkeys(("day", "days"), (SPAN_DAYS, 1)),
    **dict.fromkeys(("week", "weeks"), (SPAN_DAYS, 7)),
    **dict.fromkeys(("month", "months"), (SPAN_MONTHS, 1)),
    **dict.fromkeys(("year", "years"), (SPAN_MONTHS, 12)),
}
_AMOUNT_FIRST = "; write the currency after the amount: 5.00 EUR"
_HINTS = {
    **dict.fromkeys(("$", "€", "£", "¥", "dollars", "euros"), _AMOUNT_FIRST),
    **dict.fromkeys(("&", "&&", "AND"), "; write: and"),
    **dict.fromkeys(("|", "||", "OR"), "; write: or"),
    **dict.fromkeys(("!", "NOT"), "; write: not"),
    "=": "; a single = compares",
    ",": "; lists stand in square brackets, and numbers have no separators",
    "x": "; write: *",
    "if": "; write: if(condition, a, b)",
    "contains": "; write: has",
    "between": "; write two comparisons with and between them",
    "d": "; write: days",
    **dict.fromkeys(("\u00a0", "\u202f", "\u2009", "\u200b"), "; this is no plain space: delete it and type one"),
    "hr": "; write: h",
    "hrs": "; write: h",
    "mins": "; write: min",
    "secs": "; write: s",
    "%": "; a share of a name is its hundredth: / 100",
    "not": "; write not in front of the whole comparison",
    **dict.fromkeys(("<", "<=", ">", ">="), "; write each comparison out, with and between them"),
    **dict.fromkeys(("day", "days", "weeks", "months"), "; a name has no unit: multiply it, as in count * 1 day"),
    **dict.fromkeys(("h", "hours", "min", "minutes"), "; a name has no unit: multiply it, as in count * 1 h"),
}
"""What those probably meant who write as other languages do, by what could not be read."""
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
RESERVED_WORDS = {"and", "or", "not", "in", "has", "is", "of", "yes", "no", "known", "unknown", "nothing"}


@dataclass(frozen=True, slots=True)
class Literal:
    """A value written out; ``text`` is how."""

    kind: Kind
    value: Any
    text: str


@dataclass(frozen=True, slots=True)
class Name:
    """A fact, parameter, value or built-in name."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator with its arguments."""

    name: str
    arguments: tuple["Tree", ...]


@dataclass(frozen=True, slots=True)
class Items:
    """A list written out."""

    items: tuple["Tree", ...]


type Tree = Literal | Name | Call | Items


def parse(text: str, path: Path) -> Tree:
    """Read an expression. Raises ``PolicyError`` that points at the place."""
    if len(text) > MAX_EXPRESSION_CHARACTERS:
        raise PolicyError(f"expected at most {MAX_EXPRESSION_CHARACTERS} characters; name its parts under values", path)
    try:
        return _parsed(text)
    except PolicyError as error:
        raise PolicyError(error.problem, path) from None


@lru_cache(maxsize=TEXTS_REMEMBERED)
def _parsed(text: str) -> Tree:
    return _Parser(text).whole()


def _levels(tree: Tree) -> int:
    """Count the levels of a tree, without recursion: how deep it may be is what is asked."""
    levels, level = 0, [tree]
    while level:
        levels += 1
        level = [part for each in level if isinstance(each, Call) for part in each.arguments]
    return levels


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._depth = 0
        self._tokens = list(self._scan())
        self._at = 0

    def _scan(self) -> Any:
        position = 0
        while True:
            match = _TOKEN.match(self._text, position)
            if match is None:
                raise self._error("cannot read this", self._text[position:].strip(" \t\n")[:20])
            kind = str(match.lastgroup)
            yield kind, match.group(kind)
            if kind == "end":
                return
            position = match.end()

    def _error(self, problem: str, near: str) -> PolicyError:
        place = f" near {near!r}" if near else " at its end"
        sign = "" if near[:1].isalpha() else near[:1]
        hint = _HINTS.get(near.partition(" ")[0]) or _HINTS.get(sign) or ""
        return PolicyError(f"{problem}{place} in: {self._text}{hint}")

    def _take(self) -> tuple[str, str]:
        token: tuple[str, str] = self._tokens[self._at]
        self._at += token[0] != "end"
        return token

    def _peek(self, *words: str) -> bool:
        kind, text = self._tokens[self._at]
        return kind in ("name", "operator") and text in words

    def _accept(self, *words: str) -> str:
        if self._peek(*words):
            return self._take()[1]
        return ""

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._error(f"expected {word!r}", self._tokens[self._at][1])

    def whole(self) -> Tree:
        tree = self._or()
        if self._tokens[self._at][0] != "end":
            raise self._error("expected an operator such as + or and", self._tokens[self._at][1])
        if _levels(tree) > MAX_LEVELS:
            raise self._error(f"expected at most {MAX_LEVELS} operators in a row; name its parts under values", "")
        return tree

    def _or(self) -> Tree:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"expected at most {MAX_DEPTH} levels; name its parts under values", "")
        parts = [self._and()]
        while self._accept("or"):
            parts.append(self._and())
        self._depth -= 1
        return parts[0] if len(parts) == 1 else Call("or", tuple(parts))

    def _and(self) -> Tree:
        parts = [self._not()]
        while self._accept("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else Call("and", tuple(parts))

    def _not(self) -> Tree:
        negations = 0
        while self._accept("not"):
            negations += 1
        tree = self._comparison()
        return Call("not", (tree,)) if negations % 2 else tree

    def _comparison(self) -> Tree:
        left = self._sum()
        if operator := self._accept(*_COMPARISONS):
            return Call(operator, (left, self._sum()))
        if self._accept("in"):
            return Call("in", (left, self._sum()))
        if self._accept("has"):
            return Call("has", (left, self._sum()))
        if self._accept("is"):
            word = self._accept("known", "unknown")
            if not word:
                raise self._error(
                    "expected known or unknown after is (two values are compared with =)", self._tokens[self._at][1]
                )
            known = Call("known", (left,))
            return known if word == "known" else Call("not", (known,))
        return left

    def _sum(self) -> Tree:
        tree = self._product()
        while operator := self._accept("+", "-"):
            tree = Call(operator, (tree, self._product()))
        return tree

    def _product(self) -> Tree:
        tree = self._sign()
        while operator := self._accept("*", "/", "of"):
            tree = Call("*" if operator == "of" else operator, (tree, self._sign()))
        return tree

    def _sign(self) -> Tree:
        if self._accept("-"):
            return Call("negative", (self._primary(),))
        return self._primary()

    def _primary(self) -> Tree:
        kind, text = self._take()
        match kind:
            case "number":
                return self._quantity(text)
            case "text":
                return Literal(TEXT, text[1:-1], text)
            case "instant" | "day" | "clock":
                return self._time(kind, text)
            case "name":
                return self._named(text)
            case _:
                pass
        if text == "(":
            tree = self._or()
            self._expect(")")
            return tree
        if text == "[":
            return Items(self._arguments("]"))
        raise self._error("expected a value", text)

    def _named(self, text: str) -> Tree:
        if is_currency(text) and self._tokens[self._at][0] == "number":
            raise PolicyError(f"expected a value near {text!r} in: {self._text}{_AMOUNT_FIRST}")
        if text in ("yes", "no"):
            return Literal(YES_NO, text == "yes", text)
        if text == "nothing":
            return Literal(NUMBER, None, text)
        if text in RESERVED_WORDS:
            raise self._error("expected a value", text)
        if self._accept("("):
            return Call(text, self._arguments(")"))
        return Name(text)

    def _arguments(self, closing: str) -> tuple[Tree, ...]:
        arguments: list[Tree] = []
        while not self._accept(closing):
            if arguments:
                self._expect(",")
            arguments.append(self._or())
        return tuple(arguments)

    def _quantity(self, digits: str) -> Tree:  # noqa: PLR0911 (one return per kind of literal)
        try:
            number = parse_number(digits)
        except ValueError:
            raise self._error("expected a number of at most 15 digits", digits) from None
        if self._accept("%"):
            return Literal(NUMBER, whole(Fraction(number) / 100), f"{digits}%")
        kind, unit = self._tokens[self._at]
        if kind != "name":
            return Literal(NUMBER, number, digits)
        if unit in _DURATIONS:
            self._take()
            return Literal(DURATION, whole(number * _DURATIONS[unit]), f"{digits} {unit}")
        if unit in _SPANS and isinstance(number, int):
            self._take()
            span, factor = _SPANS[unit]
            return Literal(span, number * factor, f"{digits} {unit}")
        if unit == "working" and isinstance(number, int):
            self._take()
            if not self._accept("day", "days"):
                raise self._error("expected days after working", self._tokens[self._at][1])
            return Literal(SPAN_WORKING_DAYS, number, f"{digits} working days")
        if is_currency(unit):
            self._take()
            try:
                return Literal(money(unit), parse_minor(digits, minor_units(unit)), f"{digits} {unit}")
            except AmountError as error:
                places = minor_units(unit)
                finer = f"; for a price finer than that write {digits} * {format_minor(10**places, places)} {unit}"
                hint = finer if len(digits.partition(".")[2]) > places else ""
                problem = f"expected at most {places} decimals" if hint else str(error)
                raise self._error(f"{problem}{hint}", digits) from None
        return Literal(NUMBER, number, digits)

    def _time(self, kind: str, text: str) -> Tree:
        try:
            if kind == "instant":
                return Literal(INSTANT, microseconds_of(parse_instant(text)), text)
            if kind == "day":
                return Literal(DAY, parse_day(text).toordinal(), text)
        except TimeError as error:
            raise self._error(str(error), text) from None
        hours, minutes = int(text[:2]), int(text[3:])
        if hours * 60 + minutes > 24 * 60 or minutes >= MINUTES_PER_HOUR:
            raise self._error("expected a time of day from 00:00 to 24:00", text)
        return Literal(TIME_OF_DAY, hours * 60 + minutes, text)
