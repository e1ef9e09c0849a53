"""Data files: dated values, lists and texts that a policy names and takes in when its YAML is read.

A file says what it is, where it was published, and has one of three contents: ``lines`` (values, each from a day on),
a ``list`` or ``texts``. What is taken in stands in the policy as if it were written there. No worker imports this.
"""

# ruff: noqa: RUF009 (an entry is a field, declared by a call)

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path as FilePath
from typing import Any

from kulanz.domain.money import Rounding, round_exact
from kulanz.domain.policy.document.document import LANGUAGE, NAMED_LIST, TEXTS
from kulanz.domain.policy.document.shape import DATA_NAME, Expression, ListOf, OneOf, Part, Text, Whole, entry
from kulanz.domain.policy.document.strict_yaml import read_file
from kulanz.domain.policy.language.errors import DataFileNamed, Path, PolicyError
from kulanz.domain.policy.language.expression import UNKNOWN, Node, Scope, compile_text, constant_node
from kulanz.domain.policy.language.functions import operators
from kulanz.domain.policy.language.kinds import NUMBER, TEXT, show
from kulanz.domain.time import TimeError, parse_day, zone_of

FOLDER = "data"
"""Beside the folders of the policies: what several of them take in."""
CONTENTS = ("lines", "list", "texts")
ONE_DAY = timedelta(days=1)
DAY = Text("a day", r"[0-9]{4}-[0-9]{2}-[0-9]{2}", ("2026-04-01",))


@dataclass(frozen=True)
class Line:
    """A value and the days on which it holds: until the next line, if nothing else is said."""

    from_: str = entry(DAY, "The first day on which it holds.")
    value: str = entry(Expression("a value written out"), "The value.")
    until: str = entry(DAY, "The last day on which it holds; what follows is not known.", default="")
    uprated: str = entry(Expression("a percentage"), "By how much the line before was uprated to it.", default="")
    source: str = entry(Text(), "Where it was published, if not where the others were.", default="")


@dataclass(frozen=True)
class Uprating:
    """How a value that was uprated is rounded."""

    mode: str = entry(OneOf(tuple(mode.value for mode in Rounding)), "The rounding mode.", default="half_up")
    to: str = entry(Expression("money"), "The step to round to, if not the smallest coin.", default="")


@dataclass(frozen=True)
class DataFile:
    """Data that policies take in by its name."""

    kulanz: int = entry(Whole(LANGUAGE, LANGUAGE), "The version of the language.")
    data: str = entry(Text("the file's name", DATA_NAME, ("ofcom-repair-rate",), 64), "Its name, as the file's.")
    title: str = entry(Text(maximum_characters=200), "What it is, in a line.")
    sources: tuple[str, ...] = entry(ListOf(Text(), single=True), "Where it was published.", default=())
    uprating: Uprating = entry(Part(Uprating), "How uprated values are rounded.", default=Uprating())
    lines: tuple[Line, ...] = entry(ListOf(Part(Line)), "Values, each from a day on, the oldest first.", default=())
    list_: Any = entry(NAMED_LIST, "A list, or several under names.", default=None)
    texts: Mapping[str, Any] | None = entry(TEXTS, "What customers are told, by outcome and language.", default=None)


DATA_FILE = Part(DataFile)


def is_data_file(file: FilePath) -> bool:
    """Say whether a YAML file is a data file: it has ``data`` where a policy has ``id``. Raises ``PolicyError``."""
    content, _ = read_file(file)
    return "data" in content


def take_in(named: DataFileNamed, policy_file: FilePath | None) -> tuple[FilePath, Any]:
    """Give the data file that a policy names, and what the policy has in its place.

    The file stands beside the policy, or in the folder ``data`` beside the policy's own. Raises ``PolicyError``.
    """
    if policy_file is None:
        raise PolicyError(f"to take in the data file {named.name}, the policy must be read from a file", named.path)
    own = policy_file.parent / f"{named.name}.yaml"
    shared = policy_file.parent.resolve().parent / FOLDER / f"{named.name}.yaml"
    found = next((file for file in (own, shared) if file.is_file()), None)
    if found is None:
        raise PolicyError(f"there is no data file {own} or {shared}; write one of them", named.path)
    return found, load_data_file(found, named.content)


def load_data_file(file: FilePath, content: str = "") -> Any:
    """Read and check a data file; give its ``content`` as a policy carries it: dated lines as tiers.

    Raises ``PolicyError`` with file, line, and what to do.
    """
    raw, places = read_file(file)
    try:
        data: DataFile = DATA_FILE.read(raw, ())
        _check(data, file.stem, content)
        tiers = _tiers(data)
    except PolicyError as error:
        raise error.located(str(file), places) from None
    return tiers if content == "lines" else raw.get(content)


def _check(data: DataFile, name: str, content: str) -> None:
    if data.data != name:
        raise PolicyError(f"expected the file's name, {name}", ("data",))
    filled = [key for key, value in zip(CONTENTS, (data.lines, data.list_, data.texts), strict=True) if value]
    if len(filled) != 1:
        raise PolicyError("expected exactly one of lines, list and texts")
    if content and filled != [content]:
        raise PolicyError(f"a policy takes it in where {content} belong, but it has {filled[0]}", (filled[0],))


def _tiers(data: DataFile) -> dict[str, str]:
    """Give dated lines as tiers of a day, the latest first. On days without a line the value is not known."""
    constants = Scope(lambda _name, _path: None, operators(), constant_node(TEXT, zone_of("UTC"), "UTC"))
    tiers: dict[str, str] = {}
    before: tuple[Node, date | None] | None = None
    for index, line in enumerate(data.lines):
        path: Path = ("lines", index)
        first, last = _day(line.from_, (*path, "from")), _day(line.until, (*path, "until")) if line.until else None
        if last is not None and last < first:
            raise PolicyError(f"it ends before it starts, on {first}", (*path, "until"))
        value = _value(line.value, constants, (*path, "value"))
        if before is not None:
            _follows(before, (value, first), data.lines[index - 1].from_, path)
        if line.uprated:
            _check_uprating(data.uprating, None if before is None else before[0], line, value, constants, path)
        tiers[f"from {first}"] = line.value
        if last is not None and last < date.max:  # nothing follows the calendar's last day
            tiers[f"from {last + ONE_DAY}"] = UNKNOWN
        before = (value, last)
    return {**dict(reversed(tiers.items())), "otherwise": UNKNOWN}


def _day(text: str, path: Path) -> date:
    try:
        return parse_day(text)
    except TimeError as error:
        raise PolicyError(str(error), path) from None


def _value(text: str, constants: Scope, path: Path) -> Node:
    node = compile_text(text, constants, path)
    if not node.constant or node.value is None:
        raise PolicyError("expected a value written out, such as 10.34 GBP, 25% or 12", path)
    return node


def _follows(before: tuple[Node, date | None], line: tuple[Node, date], since: str, path: Path) -> None:
    """A line starts after the one before it, and after its end, and is of the same kind."""
    (value, last), (following, first) = before, line
    if first <= date.fromisoformat(since):
        raise PolicyError(
            f"expected a day after {since}, of the line before: write the oldest line first, one for each day",
            (*path, "from"),
        )
    if last is not None and first <= last:
        raise PolicyError(f"it overlaps the line before, which holds until {last}; change one of them", (*path, "from"))
    if following.kind != value.kind:
        raise PolicyError(
            f"expected {value.kind} as in the lines before, but this is {following.kind}", (*path, "value")
        )


def _check_uprating(rule: Uprating, before: Node | None, line: Line, value: Node, constants: Scope, path: Path) -> None:
    """What a line says must be what uprating the rounded value before it gives."""
    if before is None or value.kind.name != "money":
        raise PolicyError("only an amount that follows another can be uprated", (*path, "uprated"))
    step = compile_text(rule.to, constants, ("uprating", "to"), value.kind).value if rule.to else 1
    if not isinstance(step, int) or step < 1:
        raise PolicyError("expected a fixed amount above zero, such as 5 GBP", ("uprating", "to"))
    by = compile_text(line.uprated, constants, (*path, "uprated"), NUMBER).value
    if by is None:
        raise PolicyError("expected a percentage such as 4.2%", (*path, "uprated"))
    expected = round_exact(before.value * (1 + Fraction(by)), Rounding(rule.mode), step)
    if expected != value.value:
        shown, exact = show(value.kind, expected), show(value.kind, before.value * (1 + Fraction(by)))
        raise PolicyError(
            f"{before.text} uprated by {line.uprated} is {exact}, rounded ({rule.mode}) {shown}; change one of them",
            (*path, "value"),
        )
