"""The functions and operators of expressions, each with the kinds it takes and gives.

The table is what the guide documents; nothing outside it can be called.
"""

# ruff: noqa: PLR2004 (how many arguments a function takes)

import operator
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

from kulanz.domain.money import Exact, Rounding, round_exact, whole
from kulanz.domain.policy.language import exposure
from kulanz.domain.policy.language.expression import (
    Evaluate,
    Function,
    KindMismatch,
    Node,
    Row,
    conjunction,
    constant_node,
    disjunction,
    is_nothing,
    no_amount,
)
from kulanz.domain.policy.language.kinds import (
    DATES,
    DAY,
    DURATION,
    INSTANT,
    LIST,
    MONEY_BY_TIME,
    NUMBER,
    NUMBERS,
    OUTAGE,
    PERIOD,
    TEXT,
    YES_NO,
    Kind,
)

DIVIDE_BY_TIME = "divide it by a duration, such as 24 h or length(month(start(outage)))"
SCALABLE = ("money", "number", "duration")
SPANS = ("days", "working days", "months")
ORDERED = (*SCALABLE, "instant", "day", "time of day", *SPANS)

_CONVERSIONS = {
    (INSTANT, DAY): "; use day(...)",
    (DAY, INSTANT): "; use start_of(...), end_of(...) or at(...)",
    (PERIOD, OUTAGE): "; use during(outage, ...)",
}
"""How one kind becomes another, by the kind that is there and the one that is wanted."""
_MEASURES = {
    "outage": "; measure it, such as total(outage) or count(outage)",
    "period": "; use start(...), end(...) or length(...)",
    "list": "; use has, or count(...)",
}
"""What can be done with what cannot be compared."""

type Bound = tuple[Kind, Callable[..., Any]]


def divide(left: Exact, right: Exact) -> Exact | None:
    """Divide exactly; by zero is unknown."""
    if not right:
        return None
    if type(left) is int and type(right) is int:  # an exact type: isinstance asks an abstract class, which is slow
        quotient, remainder = divmod(left, right)
        return Fraction(left, right) if remainder else quotient
    return whole(Fraction(left) / right)


def multiply(left: Exact, right: Exact) -> Exact:
    """Multiply exactly, giving an int where the product is whole."""
    product = left * right
    return product if type(product) is int else whole(product)


def need(condition: bool, problem: str) -> None:
    """Raise ``KindMismatch`` with the problem unless the condition holds."""
    if not condition:
        raise KindMismatch(problem)


def check_kinds(nodes: tuple[Node, ...], *expected: Kind) -> None:
    """Check the number and kinds of arguments."""
    need(len(nodes) == len(expected), f"expected {len(expected)} argument(s), found {len(nodes)}")
    for node, kind in zip(nodes, expected, strict=True):
        _fill_nothing(node, kind)
        need(node.kind == kind, f"expected {kind}, found {node.kind}{_CONVERSIONS.get((node.kind, kind), '')}")


def _fill_nothing(node: Node, kind: Kind) -> None:
    """Make the word ``nothing`` the zero of the kind that is needed."""
    if is_nothing(node) and kind.name in (*SCALABLE, "outage"):
        known = constant_node(kind, no_amount(kind), "nothing")
        node.kind, node.value, node.evaluate = kind, known.value, known.evaluate


def same_kind(nodes: tuple[Node, ...], names: tuple[str, ...]) -> Kind:
    """Check that all arguments are of one kind out of ``names``; ``nothing`` takes the kind of the others."""
    need(bool(nodes), "expected an argument")
    kind = next((node.kind for node in nodes if not is_nothing(node)), nodes[0].kind)
    for node in nodes:
        _fill_nothing(node, kind)
        if node.kind != kind:
            amounts = {node.kind.currency, kind.currency}
            if node.kind.name == kind.name == "money":
                raise KindMismatch(f"cannot mix {' and '.join(sorted(amounts))}; write amounts in one currency")
            bare = NUMBER in (kind, node.kind) and {kind.name, node.kind.name} & {"money", "duration"}
            hint = "; say what the number is, such as 5.00 EUR or 4 h" if bare else _day_for_hours(kind, node.kind)
            raise KindMismatch(f"cannot combine {kind} with {node.kind}{hint}")
        need(kind.name in names, f"cannot do this with {kind}{_MEASURES.get(kind.name, '')}")
    return kind


def _day_for_hours(*kinds: Kind) -> str:
    """Advise whoever compares or divides hours with days of the calendar."""
    mixed = {kind.name for kind in kinds} == {"duration", "days"}
    return "; a day has 23 to 25 hours: write 24 h for a length, or count days(outage)" if mixed else ""


def _constant(function: Callable[..., Any], *kinds: Kind, gives: Kind) -> Callable[[tuple[Node, ...]], Bound]:
    """Give the binding of a function with fixed kinds."""

    def bind(nodes: tuple[Node, ...]) -> Bound:
        check_kinds(nodes, *kinds)
        return gives, function

    return bind


def _multiply(nodes: tuple[Node, ...]) -> Bound:
    need(len(nodes) == 2, "expected two operands")
    left, right = nodes
    for node in nodes:
        _fill_nothing(node, NUMBER)
    for money, time in (nodes, nodes[::-1]):
        if money.kind.name == "money" and time.kind == DURATION:
            return Kind(MONEY_BY_TIME, money.kind.currency), multiply
    scalable = (*SCALABLE, *SPANS, MONEY_BY_TIME)
    if left.kind == NUMBER and right.kind.name in scalable:
        return right.kind, multiply
    need(right.kind == NUMBER and left.kind.name in scalable, f"cannot multiply {left.kind} by {right.kind}")
    return left.kind, multiply


def _divide(nodes: tuple[Node, ...]) -> Bound:
    left, right = nodes
    _fill_nothing(left, right.kind)
    _fill_nothing(right, NUMBER)
    if left.kind.name == MONEY_BY_TIME and right.kind == DURATION:
        return Kind("money", left.kind.currency), divide
    if right.kind == NUMBER and left.kind.name in (*SCALABLE, MONEY_BY_TIME):
        return left.kind, divide
    need(
        left.kind == right.kind and left.kind.name in (*SCALABLE, *SPANS),
        f"cannot divide {left.kind} by {right.kind}"
        + (f"; {DIVIDE_BY_TIME}" if left.kind.name == MONEY_BY_TIME else "")
        + _day_for_hours(left.kind, right.kind),
    )
    return NUMBER, divide


def _compare(function: Callable[[Any, Any], bool], names: tuple[str, ...]) -> Callable[[tuple[Node, ...]], Bound]:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        kinds = {node.kind.name for node in nodes}
        need(kinds != {"instant", "day"}, "cannot compare an instant with a day; use day(...) or start_of(...)")
        same_kind(nodes, names)
        _check_choice(nodes)
        return YES_NO, function

    return bind


def _check_choice(nodes: tuple[Node, ...]) -> None:
    """A text compared with a fact that has choices must be one of them: a misspelt word would never hold."""
    for fact, literal in (nodes, nodes[::-1]):
        if fact.choices and literal.constant and literal.operation == "literal":
            words = literal.value if isinstance(literal.value, tuple) else (literal.value,)
            for word in words:
                need(word in fact.choices, f"{word!r} is not one of the choices {', '.join(fact.choices)}")


def _is_in(nodes: tuple[Node, ...]) -> Bound:
    left, right = nodes
    need(right.kind == LIST, f"expected a list after in, found {right.kind}")
    for item in right.children:
        need(item.kind == left.kind, f"cannot look for {left.kind} among {item.kind}")
    if not right.children:
        need(left.kind == TEXT, f"expected text before in, found {left.kind}")
    _check_choice(nodes)
    return YES_NO, lambda value, values: value in values


def _has(nodes: tuple[Node, ...]) -> Bound:
    need(nodes[0].kind == LIST, f"expected a list before has, found {nodes[0].kind}")
    need(nodes[1].kind in (TEXT, LIST), f"expected a text or a list after has, found {nodes[1].kind}")
    if nodes[1].kind == LIST:
        return YES_NO, lambda values, wanted: set(wanted) <= set(values)
    return YES_NO, lambda values, value: value in values


def _kleene(combine: Callable[[tuple[Node, ...]], Evaluate]) -> Callable[[tuple[Node, ...]], Bound]:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        for node in nodes:
            need(node.kind == YES_NO, f"expected yes or no, found {node.kind}")
        return YES_NO, combine(nodes)

    return bind


def item_kind(kind: Kind) -> Kind | None:
    """Give the kind of the items of a list of numbers, amounts or days."""
    if kind.name == "list of amounts":
        return Kind("money", kind.currency)
    return {NUMBERS: NUMBER, DATES: DAY}.get(kind)


def _negative(nodes: tuple[Node, ...]) -> Bound:
    need(len(nodes) == 1, "expected one argument")
    return same_kind(nodes, SCALABLE), operator.neg


def _items(nodes: tuple[Node, ...]) -> Kind:
    """Check for one list of numbers or amounts, and give the kind of its items."""
    kind = item_kind(nodes[0].kind) if len(nodes) == 1 else None
    need(kind is not None and kind != DAY, "expected a list of numbers or of amounts")
    assert kind is not None
    return kind


def _sum(nodes: tuple[Node, ...]) -> Bound:
    return _items(nodes), lambda values: whole(sum(values))


def _mean(nodes: tuple[Node, ...]) -> Bound:
    return _items(nodes), lambda values: divide(sum(values), len(values))


def _extreme(function: Callable[..., Any]) -> Callable[[tuple[Node, ...]], Bound]:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        if len(nodes) == 1 and (kind := item_kind(nodes[0].kind)) is not None:
            return kind, lambda values: function(values) if values else None
        need(len(nodes) > 1, "expected two or more arguments")
        return same_kind(nodes, ORDERED), function

    return bind


def _if(nodes: tuple[Node, ...]) -> Bound:
    need(len(nodes) == 3, "expected a condition, the value if it holds, and the other value")
    need(nodes[0].kind == YES_NO, f"expected yes or no first, found {nodes[0].kind}")
    kind = same_kind(nodes[1:], (*ORDERED, "text", "yes or no", "outage", "list"))
    condition, then, otherwise = (node.evaluate for node in nodes)

    def evaluate(row: Row) -> Any:
        holds = condition(row)
        return None if holds is None else then(row) if holds else otherwise(row)

    return kind, evaluate


def _first_known(nodes: tuple[Node, ...]) -> Bound:
    kind = same_kind(nodes, (*ORDERED, "text", "yes or no", "list"))
    evaluators = tuple(node.evaluate for node in nodes)

    def evaluate(row: Row) -> Any:
        for each in evaluators:
            value = each(row)
            if value is not None:
                return value
        return None

    return kind, evaluate


def _known(nodes: tuple[Node, ...]) -> Bound:
    need(len(nodes) == 1, "expected one argument")
    only = nodes[0].evaluate
    return YES_NO, lambda row: only(row) is not None


def _blocks(rounding: Callable[[Exact, Exact], int]) -> Callable[[tuple[Node, ...]], Bound]:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        need(len(nodes) == 2, "expected what is divided and the size of a block")
        same_kind(nodes, (*SCALABLE, *SPANS))

        def count(value: Exact, block: Exact) -> int | None:
            return None if block <= 0 else max(0, rounding(value, block))

        return NUMBER, count

    return bind


def _round(nodes: tuple[Node, ...]) -> Bound:
    """``round(x)``, ``round(x, step)``, ``round(x, step, "up")``."""
    need(1 <= len(nodes) <= 3, "expected an amount, a step, and a rounding mode")
    kind = same_kind(nodes[:2], SCALABLE)
    if len(nodes) > 2:
        modes = [mode.value for mode in Rounding]
        need(nodes[2].constant and nodes[2].value in modes, f"expected one of {', '.join(modes)} in quotes")
    mode = Rounding(nodes[2].value) if len(nodes) > 2 else Rounding.HALF_UP

    def rounded(value: Exact, step: Exact = 1, _mode: str = "") -> Exact | None:
        return None if step <= 0 else multiply(round_exact(Fraction(value) / step, mode), step)

    return kind, rounded


@cache
def operators() -> MappingProxyType[str, Function]:
    """Give what needs no calendar; the same for every policy."""
    equal = (*ORDERED, "text", "yes or no")
    table = {
        "or": Function("a or b", _kleene(disjunction), strict=False),
        "and": Function("a and b", _kleene(conjunction), strict=False),
        "not": Function("not a", _constant(operator.not_, YES_NO, gives=YES_NO)),
        "=": Function("a = b", _compare(operator.eq, equal)),
        "!=": Function("a != b", _compare(operator.ne, equal)),
        "<": Function("a < b", _compare(operator.lt, ORDERED)),
        "<=": Function("a <= b", _compare(operator.le, ORDERED)),
        ">": Function("a > b", _compare(operator.gt, ORDERED)),
        ">=": Function("a >= b", _compare(operator.ge, ORDERED)),
        "in": Function('a in ["x", "y"]', _is_in),
        "has": Function('list has "x"', _has),
        "known": Function("a is known", _known, strict=False),
        "*": Function("number * amount, 10% of amount", _multiply),
        "/": Function("amount / number, amount / amount", _divide),
        "negative": Function("-a", _negative),
        "max": Function("max(a, b, ...)", _extreme(max)),
        "min": Function("min(a, b, ...)", _extreme(min)),
        "if": Function("if(condition, a, b)", _if, strict=False),
        "first_known": Function("first_known(a, b, ...)", _first_known, strict=False),
        "sum": Function("sum(list)", _sum, says="the sum of {0}"),
        "mean": Function("mean(list)", _mean, says="the mean of {0}"),
        "starts_with": Function(
            'starts_with(text, "x")',
            _constant(lambda text, start: text.startswith(start), TEXT, TEXT, gives=YES_NO),
            says="{0} starts with {1}",
            says_not="{0} does not start with {1}",
        ),
        "full": Function("full(amount, block)", _blocks(lambda value, block: int(value // block))),
        "begun": Function("begun(amount, block)", _blocks(lambda value, block: -int(-value // block))),
        "round": Function('round(amount, step, "up")', _round),
    }
    return MappingProxyType(table | _measures())


def _measures() -> dict[str, Function]:
    return {
        "total": Function("total(outage)", _constant(exposure.total, OUTAGE, gives=DURATION), says="the time of {0}"),
        "longest": Function(
            "longest(outage)", _constant(exposure.longest, OUTAGE, gives=DURATION), says="the longest part of {0}"
        ),
        "count": Function("count(outage), count(list)", _count, says="the number of {0}"),
        "merge": Function(
            "merge(outage, 2 h)",
            _constant(exposure.merge_gaps, OUTAGE, DURATION, gives=OUTAGE),
            says="{0} with pauses under {1} joined",
        ),
        "at_least": Function(
            "at_least(outage, 10 min), at_least(numbers, 90)", _at_least, says="the parts of {0} of at least {1}"
        ),
        "below": Function("below(numbers, 90)", _below, says="the items of {0} below {1}"),
        "after": Function(
            "after(outage, instant)",
            _constant(lambda o, i: exposure.clip(o, i, None), OUTAGE, INSTANT, gives=OUTAGE),
            says="{0} from {1} on",
        ),
        "before": Function(
            "before(outage, instant)",
            _constant(lambda o, i: exposure.clip(o, None, i), OUTAGE, INSTANT, gives=OUTAGE),
            says="{0} until {1}",
        ),
        "longer_than": Function(
            "longer_than(outage, 10 min)",
            _constant(exposure.longer_than, OUTAGE, DURATION, gives=OUTAGE),
            says="the parts of {0} longer than {1}",
        ),
        "together": Function(
            "together(outage, outage)",
            _constant(lambda a, b: exposure.union((*a, *b)), OUTAGE, OUTAGE, gives=OUTAGE),
            says="{0} together with {1}",
        ),
        "overlap": Function(
            "overlap(outage, outage)", _constant(exposure.both, OUTAGE, OUTAGE, gives=OUTAGE), says="{0} within {1}"
        ),
        "without": Function(
            "without(outage, outage)", _constant(exposure.without, OUTAGE, OUTAGE, gives=OUTAGE), says="{0} without {1}"
        ),
        "start": Function("start(outage), start(period)", _edge(0), says="the start of {0}"),
        "end": Function("end(outage), end(period)", _edge(1), says="the end of {0}"),
        "length": Function(
            "length(period)", _constant(lambda p: p[1] - p[0], PERIOD, gives=DURATION), says="the length of {0}"
        ),
        "stretch": Function(
            "stretch(from, until)",
            _constant(lambda a, b: ((a, b),) if a < b else (), INSTANT, INSTANT, gives=OUTAGE),
            says="the time from {0} to {1}",
        ),
        "period": Function(
            "period(from, until)",
            _constant(lambda a, b: (a, max(a, b)), INSTANT, INSTANT, gives=PERIOD),
            says="the time from {0} to {1}",
        ),
    }


def _at_least(nodes: tuple[Node, ...]) -> Bound:
    """Keep the outages that last as long, or the items of a list that are as much."""
    if nodes and item_kind(nodes[0].kind) is None:
        check_kinds(nodes, OUTAGE, DURATION)
        return OUTAGE, exposure.at_least
    return _item_filter(nodes), lambda items, least: tuple(item for item in items if item >= least)


def _below(nodes: tuple[Node, ...]) -> Bound:
    return _item_filter(nodes), lambda items, limit: tuple(item for item in items if item < limit)


def _item_filter(nodes: tuple[Node, ...]) -> Kind:
    kind = item_kind(nodes[0].kind) if nodes else None
    need(kind is not None, "expected a list of numbers, amounts or days")
    assert kind is not None
    check_kinds(nodes, nodes[0].kind, kind)
    return nodes[0].kind


def _count(nodes: tuple[Node, ...]) -> Bound:
    known = len(nodes) == 1 and (nodes[0].kind in (OUTAGE, LIST) or item_kind(nodes[0].kind) is not None)
    need(known, "expected an outage or a list")
    return NUMBER, len


def _edge(side: int) -> Callable[[tuple[Node, ...]], Bound]:
    def bind(nodes: tuple[Node, ...]) -> Bound:
        need(len(nodes) == 1 and nodes[0].kind in (OUTAGE, PERIOD), "expected an outage or a period")
        if nodes[0].kind == PERIOD:
            return INSTANT, operator.itemgetter(side)
        return INSTANT, lambda outage: outage[-side][side] if outage else None

    return bind
