"""What deciding one row can cost at most, from the shape of a policy: counted in steps, without looking at a clock.

A step is at most four calls of a function, and a microsecond or less on a machine of 2026 that others use too. What an
expression is asked is counted once for each row, because named values are remembered; for each piece or period it is
counted again.
"""

from collections import Counter
from collections.abc import Iterable

from kulanz.domain.policy.deciding.history import HISTORY_PARTS
from kulanz.domain.policy.deciding.judge import PARTS_OF_ALL_PIECES, Judge
from kulanz.domain.policy.language.errors import PolicyError
from kulanz.domain.policy.language.exposure import MAX_DAYS
from kulanz.domain.policy.language.expression import Node
from kulanz.domain.policy.language.periods import PERIODS
from kulanz.domain.time import MAX_WORKING_DAYS

MAX_ROW_STEPS = 400_000
"""The most steps of one row. Measured on the machine of the bench, beside other work: the costliest row of every policy
that was tried below the bound took at most 0.2 s, of one with eleven daily masks 0.9 s. The worker looks at its clock
after every row that it works out."""
SOURCE_INTERVALS = HISTORY_PARTS
"""The intervals that an outage has before any mask: a cell, an incident and a history have no more."""
DAILY_STEPS, MASK_STEPS, TIME_ON_DAYS_STEPS, LOCAL_DAY_STEPS, PERIOD_STEPS = 4, 6, 18, 6, 30
"""Steps for each day of a daily mask, of a mask by weekday, and of measuring days; for the local day of an interval,
and for dividing an outage over periods."""
WORKING_DAYS_STEPS = 8_000
"""Of counting the working days between two days of the years whose holidays are known."""
MONTH_DAYS_SHORTEST = 28
PIECE_DAYS = 3
"""The days that a mask looks at for a piece of one day: that day, and those beside it."""

_MASKS = {"daily": DAILY_STEPS, "weekdays": MASK_STEPS, "on_working_days": MASK_STEPS}
_MEASURES = {"days_with_more_than": TIME_ON_DAYS_STEPS, "days_with_at_least": TIME_ON_DAYS_STEPS}
_OF_EACH_INTERVAL = {"days": LOCAL_DAY_STEPS, "most_in_a_year": TIME_ON_DAYS_STEPS}
_JOINS = ("together", "overlap", "without")
_CUTS = ("during", "after", "before")
"""They find their place in an outage by halves."""


def must_be_affordable(judge: Judge) -> None:
    """Raise PolicyError for a policy of which one row could hold up a worker, with what to change."""
    steps, most = row_steps(judge), costliest(judge)
    if steps > MAX_ROW_STEPS:
        named = ", ".join(f"{name} ({count} times)" for name, count in most)
        raise PolicyError(
            f"one row with outages over {MAX_DAYS} days could take {steps:,} steps, at most {MAX_ROW_STEPS:,} are"
            f" allowed; what costs most is {named or 'its amounts in parts'}: use fewer of them, or give one a name"
            " under values and use that name again"
        )


def row_steps(judge: Judge) -> int:
    """The most steps that a row of a policy can take."""
    whole, pieces = _Walk(judge, in_pieces=False), _Walk(judge, in_pieces=True)
    steps = whole.steps(judge.nodes())
    counted = whole.intervals(judge.outage)
    divided = 0
    for component in judge.components:
        if component.for_each:
            number = min(_pieces(component.for_each, counted), PARTS_OF_ALL_PIECES // max(component.parts, 1))
            steps += number * (pieces.steps(component.nodes) + MASK_STEPS)
            steps += whole.steps(component.nodes)  # one piece may be long; all are no longer than the outage
            divided += number * PERIOD_STEPS
    for node, per in judge.caps:
        if per != "incident":
            steps += _pieces(per, counted) * (pieces.steps([node]) + PERIOD_STEPS) + divided
    families = sum(1 for kept in judge.history if kept.slot.per)
    return steps + families * (_pieces("month", counted) * PERIOD_STEPS + divided)


def costliest(judge: Judge) -> list[tuple[str, int]]:
    """The functions that look at every day of an outage, with how often a policy uses them."""
    found = Counter(node.operation for node in reached(judge.nodes()) if node.operation in (*_MASKS, *_MEASURES))
    return found.most_common()


def reached(nodes: Iterable[Node]) -> list[Node]:
    """Every node that some nodes are worked out from, once; what is constant is worked out before any row."""
    seen: dict[int, Node] = {}
    left = [node for node in nodes if not node.constant]
    while left:
        node = left.pop()
        if id(node) not in seen:
            seen[id(node)] = node
            left += [child for child in node.children if not child.constant]
    return list(seen.values())


def _pieces(unit: str, intervals: int) -> int:
    if unit == "outage":
        return intervals
    if unit == "day":
        return MAX_DAYS
    months, _ = PERIODS[unit]
    return MAX_DAYS // (months * MONTH_DAYS_SHORTEST) + 2


class _Walk:
    """Steps and intervals of nodes, for whole outages or where `outage` is a piece of one."""

    def __init__(self, judge: Judge, *, in_pieces: bool) -> None:
        self._in_pieces = in_pieces and judge.program.piece_place is not None
        everything = reached(judge.nodes())
        masks = sum(node.operation in _MASKS for node in everything)
        sources = sum(node.kind.name == "outage" and not node.children for node in everything)
        self._most = masks * MAX_DAYS + (sources + 1) * SOURCE_INTERVALS
        """Masks and sources give edges, and nothing else does: an outage has no more intervals than all of them."""
        self._shapes: dict[int, tuple[int, int]] = {}

    def steps(self, nodes: Iterable[Node]) -> int:
        """The steps of working out some nodes once, each of what they rest on once."""
        return sum(map(self._own, self._reached(nodes)))

    def intervals(self, node: Node) -> int:
        """The most intervals that an outage can have."""
        return self._shape(node)[0]

    def _reached(self, nodes: Iterable[Node]) -> list[Node]:
        if not self._in_pieces:
            return reached(nodes)
        found = {id(node): node for node in nodes if not node.constant}
        left = list(found.values())
        while left:
            node = left.pop()
            for child in () if _is_outage(node) else node.children:
                if id(child) not in found and not child.constant:
                    found[id(child)] = child
                    left.append(child)
        return list(found.values())

    def _own(self, node: Node) -> int:
        shapes = [self._shape(child) for child in node.children if child.kind.name in ("outage", "period")]
        intervals, days = sum(shape[0] for shape in shapes), max((shape[1] for shape in shapes), default=0)
        name = node.operation
        steps = 1 + len(node.children)
        if name == "name":
            steps = SOURCE_INTERVALS if node.kind.name == "outage" and not node.children else 1
        elif name in _MASKS:
            steps += days * _MASKS[name] + 3 * intervals
        elif name in _MEASURES:
            steps += max(days, intervals) * _MEASURES[name]
        elif name in _OF_EACH_INTERVAL:
            steps += intervals * _OF_EACH_INTERVAL[name]
        elif name == "working_days":
            steps += WORKING_DAYS_STEPS
        elif name == "+" and any(child.kind.name == "working days" for child in node.children):
            steps += MAX_WORKING_DAYS
        elif name in _JOINS:
            steps += 2 * intervals
        elif name not in _CUTS:
            steps += intervals // 4
        return steps

    def _shape(self, node: Node) -> tuple[int, int]:
        """The most intervals and days of an outage."""
        known = self._shapes.get(id(node))
        if known is None:
            known = self._shapes[id(node)] = self._worked_out(node)
        return known

    def _worked_out(self, node: Node) -> tuple[int, int]:
        if self._in_pieces and _is_outage(node):
            return 1, PIECE_DAYS
        if node.constant:
            return len(node.value or ()), MAX_DAYS
        inner = [self._shape(child) for child in node.children if child.kind.name == "outage"]
        if not inner:
            return SOURCE_INTERVALS, MAX_DAYS
        days = max(shape[1] for shape in inner)
        if node.operation in _MASKS:
            return min(inner[0][0] + days, self._most), days
        count = sum if node.operation in _JOINS else max
        return min(count(shape[0] for shape in inner), self._most), days


def _is_outage(node: Node) -> bool:
    return (node.operation, node.text) == ("name", "outage")
