"""Tiers and steps: the two tables a value can be.

Tiers choose one value by comparing another (``at least 24 h: 25%``); steps add one value for each of 1, 2, 3 ... up to
a count (``3 to 4: 5.00 EUR``). Lines that can never be reached are errors.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kulanz.domain.money import Exact
from kulanz.domain.policy.language import exposure
from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.expression import (
    UNKNOWN,
    Evaluate,
    Node,
    Row,
    Scope,
    compile_text,
    compile_tree,
    constant_node,
    expect,
    is_nothing,
    is_unknown,
)
from kulanz.domain.policy.language.functions import ORDERED, multiply
from kulanz.domain.policy.language.kinds import NUMBER, YES_NO, Kind
from kulanz.domain.policy.language.syntax import parse

MAX_STEPS = 1_000_000
"""The most steps that are added up; more is unknown, so that a wrong fact cannot give a fortune."""

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "at least": operator.ge,
    "from": operator.ge,
    "more than": operator.gt,
    "at most": operator.le,
    "up to": operator.le,
    "less than": operator.lt,
    "below": operator.lt,
    "before": operator.lt,
    "is": operator.eq,
}
_RISING = ("at most", "up to", "less than", "below", "before")
_LINE = re.compile(rf"({'|'.join(_COMPARISONS)})\s+(.+)")
_RANGE = re.compile(r"(?:from ([1-9][0-9]{0,5})|([1-9][0-9]{0,5})(?: to ([1-9][0-9]{0,5}))?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tier:
    """One line of tiers; no comparison means otherwise."""

    words: str
    compare: Callable[[Any, Any], bool] | None
    bound: Node | None
    value: Node


@dataclass(frozen=True, slots=True)
class Step:
    """One line of steps, for ``first`` to ``last`` (None: without end)."""

    first: int
    last: int | None
    value: Node


@dataclass(frozen=True, slots=True)
class TierTable:
    """Compiled tiers, for the explanation."""

    by: Node
    tiers: tuple[Tier, ...]

    def matching(self, row: Row) -> Tier | None:
        """Give the line that decides, or None where that is unknown."""
        value = self.by.evaluate(row)
        if value is None:
            return None
        for tier in self.tiers:
            if tier.compare is None:
                return tier
            assert tier.bound is not None
            bound = tier.bound.evaluate(row)
            if bound is None:
                return None
            if tier.compare(value, bound):
                return tier
        return None

    def culprit(self, row: Row) -> Node | None:
        """Give the node that makes the table unknown."""
        if self.by.evaluate(row) is None:
            return self.by
        tier = self.matching(row)
        if tier is not None:
            return tier.value
        return next((t.bound for t in self.tiers if t.bound is not None and t.bound.evaluate(row) is None), None)

    def evaluate(self, row: Row) -> Any:
        """Give the value of the line that decides."""
        tier = self.matching(row)
        return None if tier is None else tier.value.evaluate(row)


@dataclass(frozen=True, slots=True)
class StepTable:
    """Compiled steps; ``rounded`` is applied to every step where the policy rounds by step."""

    count: Node
    steps: tuple[Step, ...]
    say: str
    rounded: Callable[[Exact], Exact] | None = None

    def reached(self, row: Row) -> list[tuple[Step, int]] | None:
        """Give the lines that count, each with how many of its steps were reached."""
        count = self.count.evaluate(row)
        if count is None or count > MAX_STEPS:
            return None
        whole = int(count // 1)
        return [
            (step, number)
            for step in self.steps
            if (number := (whole if step.last is None else min(whole, step.last)) - step.first + 1) > 0
        ]

    def culprit(self, row: Row) -> Node | None:
        """Give the node that makes the sum unknown."""
        reached = self.reached(row)
        if reached is None:
            return self.count
        return next((step.value for step, _ in reached if step.value.evaluate(row) is None), None)

    def each(self, step: Step, row: Row) -> Any:
        """Give the value of one step of a line."""
        value = step.value.evaluate(row)
        return value if value is None or self.rounded is None else self.rounded(value)

    def evaluate(self, row: Row) -> Any:
        """Give the sum."""
        reached = self.reached(row)
        if reached is None:
            return None
        result: Exact = 0
        for step, number in reached:
            value = self.each(step, row)
            if value is None:
                return None
            result += multiply(value, number)
        return result


def compile_tiers(by: str, lines: Mapping[str, str], scope: Scope, path: Path) -> tuple[Kind, TierTable]:
    """Compile tiers; the last line must be ``otherwise``, unless each choice of what is compared has its line."""
    measured = compile_text(by, scope, (*path, "by"))
    tiers: list[Tier] = []
    kind: Kind | None = None
    covered: Any = ()
    for key, text in lines.items():
        place = (*path, "tiers", key)
        if tiers and tiers[-1].compare is None:
            raise PolicyError("this line can never be reached: it stands after otherwise", place)
        tier = _tier(key, text, measured, scope, place)
        covered = _with_reachable(tier, covered, tiers, place)
        if not is_nothing(tier.value) and not is_unknown(tier.value):
            kind = kind or tier.value.kind
        tiers.append(tier)
    if tiers[-1].compare is not None:
        _check_complete(measured, tiers, (*path, "tiers"))
    kind = kind or NUMBER
    checked = tuple(
        Tier(tier.words, tier.compare, tier.bound, expect(tier.value, kind, (*path, "tiers", key), lines[key]))
        for key, tier in zip(lines, tiers, strict=True)
    )
    return kind, TierTable(measured, checked)


def _check_complete(measured: Node, tiers: list[Tier], path: Path) -> None:
    """Without ``otherwise`` there is a line for each choice of what is compared."""
    named = {tier.bound.value for tier in tiers if tier.bound is not None and tier.bound.constant}
    left = [f'`is "{choice}"`' for choice in measured.choices if choice not in named]
    if left or not measured.choices:
        or_else = f", or a line for each other choice: {', '.join(left)}" if left else ""
        raise PolicyError(f"add a last line `otherwise: ...`{or_else}, so that every case has a value", path)


def _tier(key: str, text: str, measured: Node, scope: Scope, place: Path) -> Tier:
    value = constant_node(NUMBER, None, UNKNOWN) if text == UNKNOWN else compile_text(text, scope, place)
    if key == "otherwise":
        return Tier(key, None, None, value)
    match = _LINE.fullmatch(key)
    if match is None:
        raise PolicyError(
            f"expected a line such as `at least 24 h`; known: {', '.join(_COMPARISONS)}, otherwise", place
        )
    words, limit = match.groups()
    bound = compile_tree(parse(limit, place), scope, place)
    if bound.kind != measured.kind:
        raise PolicyError(f"the tiers compare {measured.kind}, but this line gives {bound.kind}", place)
    if words != "is" and measured.kind.name not in ORDERED:
        raise PolicyError(f"{measured.kind} has no order; use lines such as `is ...`", place)
    if measured.choices and bound.constant and bound.value not in measured.choices:
        raise PolicyError(f"{bound.text} is not one of the choices {', '.join(measured.choices)}", place)
    return Tier(words, _COMPARISONS[words], bound, value)


def _with_reachable(tier: Tier, covered: Any, earlier: list[Tier], place: Path) -> Any:
    """Add the values that a line fits to those ``covered`` by the lines before it, unless these have all of them."""
    if tier.bound is None or not tier.bound.constant or tier.bound.value is None:
        return covered
    first, last = _fits(tier)
    if any(low <= first and last <= high for low, high in covered):
        before = [other for other in earlier if other.bound and other.bound.constant and other.bound.value is not None]
        lines = " and ".join(f"`{other.words} {other.bound.text}`" for other in before if other.bound)
        stand = "stands" if len(before) == 1 else "stand"
        raise PolicyError(f"this line can never be reached: {lines} {stand} before it", place)
    return exposure.union((*covered, (first, last)))


def _fits(tier: Tier) -> Any:
    """Give the values a line fits, from a cut in their order to another: before a value (0) or right after it (1)."""
    assert tier.bound is not None
    value = tier.bound.value
    before, after = (1, value, 0), (1, value, 1)
    if tier.words == "is":
        return before, after
    if tier.words in _RISING:
        return (0,), after if tier.words in ("at most", "up to") else before
    return after if tier.words == "more than" else before, (2,)


def compile_steps(
    count: str,
    lines: Mapping[str, str],
    say: str,
    scope: Scope,
    path: Path,
    rounded: Callable[[Exact], Exact] | None,
) -> tuple[Kind, StepTable]:
    """Compile steps; ranges follow one another from 1 on, and the last is without end."""
    counted = compile_text(count, scope, (*path, "count"), NUMBER)
    steps: list[Step] = []
    kind: Kind | None = None
    for key, text in lines.items():
        place = (*path, "steps", key)
        first, last = _range(key, place)
        if steps and (steps[-1].last is None or first <= steps[-1].last):
            raise PolicyError("this line can never be reached: an earlier line holds these steps", place)
        skipped = first - (steps[-1].last or 0) - 1 if steps else first - 1
        if skipped:
            missing = str(first - 1) if skipped == 1 else f"{first - skipped} to {first - 1}"
            raise PolicyError(f"say what comes before it, such as `{missing}: nothing`", place)
        value = compile_text(text, scope, place)
        if not is_nothing(value):
            kind = kind or value.kind
        steps.append(Step(first, last, value))
    last = steps[-1].last
    if last is not None:
        raise PolicyError(f"say what comes after them, such as `from {last + 1}: nothing`", (*path, "steps"))
    kind = kind or NUMBER
    checked = tuple(
        Step(step.first, step.last, expect(step.value, kind, (*path, "steps", key), lines[key]))
        for key, step in zip(lines, steps, strict=True)
    )
    return kind, StepTable(counted, checked, say, rounded if kind.name == "money" else None)


def _range(key: str, place: Path) -> tuple[int, int | None]:
    match = _RANGE.fullmatch(key)
    if match is None:
        raise PolicyError("expected steps such as `1`, `3 to 4` or `from 5`", place)
    open_from, first, last = match.groups()
    if open_from:
        return int(open_from), None
    low, high = int(first), int(last or first)
    if high < low:
        raise PolicyError("the range ends before it starts", place)
    return low, high


def condition(text: str, negated: str, scope: Scope, path: Path) -> tuple[Node | None, Evaluate]:
    """Compile ``when`` and ``unless`` into one condition; without either it always holds."""
    if text:
        node = compile_text(text, scope, (*path, "when"), YES_NO)
        return node, node.evaluate
    if negated:
        node = compile_text(negated, scope, (*path, "unless"), YES_NO)
        evaluate = node.evaluate

        def opposite(row: Row) -> Any:
            value = evaluate(row)
            return None if value is None else not value

        return node, opposite
    return None, lambda _row: True
