"""Putting the expressions of a policy into words, with the values that they had for a row.

What did not matter (the branch not taken, the half of a condition that the other half decided) is left out.
"""

# ruff: noqa: PLR2004 (how many operands an operation has)

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from kulanz.domain.policy.deciding.judge import Judge
from kulanz.domain.policy.explaining.wording import aside, listed, said, said_share, spoken
from kulanz.domain.policy.language.calendars import calendar_functions
from kulanz.domain.policy.language.expression import UNKNOWN, Node, Row, unknown_name
from kulanz.domain.policy.language.functions import operators
from kulanz.domain.policy.language.kinds import DURATION, INSTANT, LIST, MONEY_BY_TIME, NUMBER, NUMBERS, PERIOD, YES_NO
from kulanz.domain.time import MONTH_NAMES, MONTHS_PER_YEAR

_WORDS = {
    ">=": ("is at least", "is less than"),
    ">": ("is more than", "is not more than"),
    "<=": ("is at most", "is more than"),
    "<": ("is less than", "is at least"),
    "=": ("is", "is not"),
    "!=": ("is not", "is"),
    "in": ("is one of", "is none of"),
    "has": ("contains", "does not contain all of"),
}
"""What a comparison says where it holds, and where it does not."""
_WORDS_OF_TIME = {
    ">=": ("is not before", "is before"),
    ">": ("is after", "is not after"),
    "<=": ("is not after", "is after"),
    "<": ("is before", "is not before"),
}
_SUPERLATIVES = {("max", True): "higher", ("min", True): "lower", ("max", False): "highest", ("min", False): "lowest"}
BUILT_IN = {
    "incident_start": "the start of the incident",
    "incident_end": "the end of the incident",
    "decided_at": "the moment of the decision",
    "functions": "the functions that failed",
    "amount": "the amount",
    "exact_amount": "the amount before rounding",
}
_FUNCTIONS = operators() | calendar_functions(None)
_PHRASES = {name: function.says for name, function in _FUNCTIONS.items() if function.says and not function.says_not}
"""How functions are said, with their arguments in order."""
_PHRASES_OF_NUMBERS = {"at_least": "the items of {0} of at least {1}"}
"""How those are said that take a list of numbers as well as an outage."""
_TESTS = {name: (function.says, function.says_not) for name, function in _FUNCTIONS.items() if function.says_not}


class Phrases:
    """The words for the expressions of a policy, each evaluated for one row."""

    def __init__(self, judge: Judge, row: Row, zone: ZoneInfo | None) -> None:
        self._program = judge.program
        self._row = row
        self._zone = zone
        self.shares = frozenset(_shares(judge))
        """Names of values that are told as percentages."""

    def used(self, node: Node) -> tuple[Node, ...]:
        """Give the operands that mattered: the branch taken, the known ones, those that decided a condition."""
        if node.operation == "if":
            holds = node.children[0].evaluate(self._row)
            return node.children[:1] if holds is None else (node.children[0], node.children[1 if holds else 2])
        if node.operation == "first_known":
            return tuple(child for child in node.children if child.evaluate(self._row) is not None)[:1]
        if node.operation in ("and", "or"):
            return self._deciding(node)
        return node.children

    def _deciding(self, node: Node) -> tuple[Node, ...]:
        """Give the operands of ``and`` or ``or`` that made it what it is: all that turned out as the whole did."""
        holds = node.evaluate(self._row)
        return tuple(child for child in node.children if child.evaluate(self._row) is holds)

    def value(self, node: Node) -> str:
        """Give a node's value; a share as a percentage."""
        value = node.evaluate(self._row)
        if value is not None and node.operation == "name" and node.text in self.shares:
            return said_share(value)
        return said(node.kind, value, self._zone)

    def sum_up(self, node: Node, *, share: bool = False) -> str:
        """Give the phrase of a node and, where it was computed, its value."""
        if node.operation == "if" and (holds := node.children[0].evaluate(self._row)) is not None:
            return self.sum_up(node.children[1 if holds else 2], share=share) + self.because(node.children[0])
        if node.operation == "first_known":
            return next((self.sum_up(child) for child in self.used(node)), "not known")
        if node.kind == YES_NO:
            return self.truth(node)
        value = self.value(node)
        if share and node.operation != "literal" and (exact := node.evaluate(self._row)) is not None:
            value = said_share(exact)
        if node.operation == "name":
            return self.phrase(node)
        if node.operation == "literal":
            return self.literal(node)
        return f"{self.phrase(node)} = {value}"

    def literal(self, node: Node) -> str:
        """Give what was written out as it was written, but amounts in full and texts and lists in words."""
        if node.text == UNKNOWN:
            return said(node.kind, None, None)
        if node.kind == LIST:
            return listed([self.literal(child) for child in node.children]) or "none"
        in_words = node.kind.currency or node.kind.name in ("text", "days", "working days", "months")
        return said(node.kind, node.value, self._zone) if in_words else node.text

    def phrase(self, node: Node) -> str:
        """Give a node in words, its operands with their values."""
        if node.operation == "literal":
            return self.literal(node)
        if node.operation == "name":
            return self._named(node)
        if node.operation in ("if", "first_known"):
            return next((self.operand(child, node) for child in self.used(node)[-1:]), "not known")
        return self._computed(node)

    def _computed(self, node: Node) -> str:  # noqa: PLR0911 (one case per operation, one line each)
        """Give an operation in words, each of its operands once: below them there may be many."""
        match node.operation, [self.operand(child, node) for child in node.children]:
            case "*", [left, right]:
                return f"{left} of {right}" if self._is_share(node.children[0]) else f"{left} times {right}"
            case "/", [left, right]:
                return f"{left} divided by {right}"
            case ("+" | "-") as sign, [left, right]:
                return f"{left} {'plus' if sign == '+' else 'minus'} {right}"
            case "negative", [only]:
                return f"minus {only}"
            case ("max" | "min") as which, operands:
                return f"the {_SUPERLATIVES[which, len(operands) == 2]} of {listed(operands)}"
            case ("begun" | "full") as which, [left, right]:
                return f"blocks of {right} {'begun' if which == 'begun' else 'completed'} in {left}"
            case "round", operands:
                mode = f" {spoken(node.children[2].value)}" if len(operands) > 2 else ""
                return f"{operands[0]} rounded{mode}" + (
                    f" to a multiple of {operands[1]}" if len(operands) > 1 else ""
                )
            case "most_in_a_year" as operation, [what, month]:
                number = node.children[1].evaluate(self._row)
                named = number in range(1, MONTHS_PER_YEAR + 1)
                return _PHRASES[operation].format(what, MONTH_NAMES[int(number) - 1] if named else f"month {month}")
            case "billing_period" as operation, [what, _]:
                return _PHRASES[operation].format(what, self.value(node.children[1]))
            case operation, operands if operation in _PHRASES:
                words = _PHRASES_OF_NUMBERS.get(operation) if node.kind == NUMBERS else None
                return (words or _PHRASES[operation]).format(*operands)
            case operation, operands:
                name = "the comparison" if operation in _WORDS else spoken(operation)
                return f"{name} of {listed(operands)}" if operands else name

    def _named(self, node: Node) -> str:
        """Give a name with its value; an outage, a period and a condition are told apart, so only by name."""
        name = BUILT_IN.get(node.text, spoken(node.text)) if node.text not in self._program.slots else spoken(node.text)
        if node.kind.name in ("outage", "period"):
            return "the outage" if node.text in ("outage", "windows") else f'"{name}"'
        value = self.value(node)
        apart = node.kind == YES_NO or (node.kind == INSTANT and node.text in BUILT_IN)
        return f"{name} ({value})" if apart or value == "not known" or name[-1:].isdigit() else f"{name} {value}"

    def operand(self, node: Node, parent: Node) -> str:  # noqa: PLR0911 (one way of telling, one line)
        """Give an operand: what was written or named as it is, what was computed with its value."""
        if node.operation == "if" and (because := self.because(node.children[0])):
            return f"({self.phrase(node)}{because})"
        if parent.operation in _PHRASES and node.text in BUILT_IN and node.kind == INSTANT:
            return BUILT_IN[node.text]
        phrase = self.truth(node) if node.kind == YES_NO and node.operation != "name" else self.phrase(node)
        if node.operation in ("literal", "name", "if", "first_known") or node.kind == YES_NO:
            return phrase
        if node.kind.name in ("outage", MONEY_BY_TIME) or _reads_on(node, parent):
            return phrase
        if node.kind == PERIOD:
            return self.value(node)
        if node.operation in _PHRASES:
            inner = parent.operation in _PHRASES and parent.kind != DURATION
            return phrase if inner else f"{phrase} ({self.value(node)})"
        return f"({phrase} = {self.value(node)})"

    def because(self, condition: Node) -> str:
        """Give the reason for a branch; the reading that a campaign chose is told at the beginning."""
        if condition.evaluate(self._row) is None or self._parameter(condition):
            return ""
        return f", because {self.truth(condition)}"

    def _parameter(self, condition: Node) -> str:
        return next((child.text for child in condition.children if child.text in self._program.parameters), "")

    def truth(self, node: Node) -> str:  # noqa: PLR0911 (one kind of condition, one line)
        """Say a condition as it turned out: the comparison where it holds, its opposite where it does not."""
        value, operation = node.evaluate(self._row), node.operation
        if operation == "not":
            return self.truth(node.children[0])
        if operation in ("and", "or"):
            return self._phrase_of_both(node)
        if parameter := self._parameter(node):
            return f"as chosen, {self.chosen(parameter)}"
        if value is None:
            missing = unknown_name(node, self._row)
            return f"{spoken(missing)} is not known" if missing else f"{self.phrase(node)} cannot be computed"
        if operation == "known":
            only = node.children[0]
            name = spoken(only.text) if only.operation == "name" else self.phrase(only)
            return f"{name} is known" if value else f"{name} is not known"
        if operation in _WORDS:
            return self._comparison(node, holds=value)
        if operation in _TESTS:
            operands = [self.operand(child, node) for child in node.children]
            return _TESTS[operation][0 if value else 1].format(*operands)
        if operation == "name":
            return f"{spoken(node.text)}: {'yes' if value else 'no'}"
        return f"{self.phrase(node)}: {'yes' if value else 'no'}"

    def _phrase_of_both(self, node: Node) -> str:
        """Say what decided an ``and`` or ``or``. Where all of one side does, the word between them is ``and``."""
        deciding = self._deciding(node) or node.children
        parts = [
            f"({self.truth(child)})" if child.operation in ("and", "or") and len(deciding) > 1 else self.truth(child)
            for child in deciding
        ]
        return " and ".join(dict.fromkeys(parts))

    def _comparison(self, node: Node, *, holds: bool) -> str:
        left, right = node.children
        of_time = left.kind.name in ("instant", "day", "time of day")
        words = (_WORDS_OF_TIME if of_time else {}).get(node.operation, _WORDS[node.operation])[0 if holds else 1]
        said_left, said_right = self._compared(left, right, node), self._compared(right, left, node)
        if node.operation == "in" and not holds and len(right.children) == 2:
            return f"{said_left} is neither {' nor '.join(map(self.literal, right.children))}"
        equal = (node.operation, holds) in (("=", True), ("!=", False))
        if equal and left.operation == "name" and right.operation == "literal":
            said_left = BUILT_IN.get(left.text, spoken(left.text))
        return f"{said_left} {words} {said_right}"

    def _compared(self, node: Node, other: Node, parent: Node) -> str:
        """Give one side of a comparison: beside a percentage, a percentage."""
        value = node.evaluate(self._row)
        if is_percentage(other) and node.operation not in ("literal", "name") and value is not None:
            return f"({self.phrase(node)} = {said_share(value)})"
        return self.operand(node, parent)

    def _is_share(self, node: Node) -> bool:
        """Say whether a factor is a share: written as a percentage, or named for one."""
        return is_percentage(node) or (node.operation == "name" and node.text in self.shares)

    def chosen(self, parameter: str) -> str:
        """The sentence of the reading that a campaign chose."""
        return aside(self._program.policy.parameters[parameter].choices[self._program.parameters[parameter]])


def _shares(judge: Judge) -> Iterator[str]:
    """Names of values that a policy writes as, or compares with, percentages; they are told as such."""
    for named in judge.program.values.values():
        if named.node.kind == NUMBER and named.tiers is not None:
            if any(is_percentage(tier.value) for tier in named.tiers.tiers):
                yield named.name
            if named.tiers.by.operation == "name" and any(
                tier.bound is not None and is_percentage(tier.bound) for tier in named.tiers.tiers
            ):
                yield named.tiers.by.text
    for node in _all_nodes(judge.nodes()):
        if node.operation in _WORDS and len(node.children) == 2:
            for side, other in (node.children, node.children[::-1]):
                if is_percentage(other) and side.operation == "name":
                    yield side.text


def _all_nodes(nodes: Iterable[Node]) -> Iterator[Node]:
    seen: set[int] = set()
    waiting = list(nodes)
    while waiting:
        node = waiting.pop()
        if id(node) not in seen:
            seen.add(id(node))
            yield node
            waiting += node.children


def is_percentage(node: Node) -> bool:
    """Say whether a node is a number written as a percentage."""
    return node.operation == "literal" and node.text.endswith("%")


def _reads_on(node: Node, parent: Node) -> bool:
    """Whether an operand needs no brackets and no value of its own: sums and products are read from left to right."""
    if not parent.children or parent.children[0] is not node:
        return False
    if parent.operation in ("+", "-"):
        return node.operation in ("+", "-")
    return node.operation == "*" and parent.operation in ("*", "/")
