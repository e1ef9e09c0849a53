"""The counted outage: the incident's windows as the policy's exposure lets them count for an account."""

from typing import TYPE_CHECKING, Any

from kulanz.domain.policy.document.document import Exposure
from kulanz.domain.policy.language import exposure, kinds
from kulanz.domain.policy.language.errors import PolicyError
from kulanz.domain.policy.language.expression import UNSET, Node, Row, call_node
from kulanz.domain.policy.language.periods import label
from kulanz.domain.policy.language.syntax import Literal, parse

if TYPE_CHECKING:
    from kulanz.domain.policy.deciding.program import Program


def counted_outage(program: "Program") -> Node:
    """Give the node of ``outage``: each entry of the exposure is a function of the language, applied in order."""
    rule: Exposure = program.policy.exposure
    node = program.compile("windows", ("exposure",))
    if rule.from_:
        node = _apply(program, "after", node, "from", rule.from_)
    if rule.until:
        node = _apply(program, "before", node, "until", rule.until)
    if rule.only:
        node = _apply(program, "overlap", node, "only", rule.only)
    for index, stretch in enumerate(rule.without):
        node = _without(program, node, index, stretch)
    if rule.daily:
        node = _daily(program, node, rule.daily)
    if rule.merge_gaps_under:
        node = _apply(program, "merge", node, "merge_gaps_under", rule.merge_gaps_under)
    if rule.ignore_under:
        node = _apply(program, "at_least", node, "ignore_under", rule.ignore_under)
    place = program.piece_place
    if place is None:
        return program.remember("outage", node)
    whole = program.remember("outage", node)

    def piece_or_whole(row: Row) -> Any:
        piece = row[place]
        return whole.evaluate(row) if piece is UNSET else piece

    return Node(kinds.OUTAGE, piece_or_whole, "name", "outage", (node,), node.reads)


def period_labels(program: "Program", per: str) -> list[str]:
    """Give the labels of the periods that the incident touches."""
    windows = program.incident_windows()
    zone = program.fixed_zone()
    if zone is None:
        return []
    try:
        periods = exposure.periods_of(windows, zone, per)
    except exposure.TooLong:
        problem = f"the incident lasts more than {exposure.MAX_DAYS} days, too long for a cap per {per}"
        raise PolicyError(problem, ("cap",)) from None
    return [label(period[0], per, zone) for period in periods]


def counts_elsewhere(program: "Program") -> bool:
    """Whether the counted outage may touch periods that the incident does not: in an account's own windows, in gaps."""
    return "windows" in program.slots or bool(program.policy.exposure.merge_gaps_under)


def _apply(program: "Program", function: str, node: Node, key: str, text: str) -> Node:
    path = ("exposure", key)
    return call_node(function, (node, program.compile(text, path)), program.scope, path)


def _without(program: "Program", node: Node, index: int, stretch: Any) -> Node:
    path = ("exposure", "without", index)
    scope = program.scope
    if isinstance(stretch, str):
        return call_node("without", (node, program.compile(stretch, path)), scope, path)
    start = program.compile(stretch.from_, (*path, "from"), kinds.INSTANT)
    end = program.compile(stretch.until, (*path, "until"), kinds.INSTANT)
    hole = call_node("stretch", (start, end), scope, path)
    removed = call_node("without", (node, hole), scope, path)
    if stretch.when == "yes":
        return removed
    return call_node("if", (program.compile(stretch.when, (*path, "when"), kinds.YES_NO), removed, node), scope, path)


def _daily(program: "Program", node: Node, text: str) -> Node:
    path = ("exposure", "daily")
    start_text, _, end_text = text.partition("-")
    start, end = parse(start_text, path), parse(end_text, path)
    if not isinstance(start, Literal) or not isinstance(end, Literal) or start.value == end.value:
        raise PolicyError("expected two different times of day such as 08:00-22:00", path)
    bounds = (program.compile(start_text, path), program.compile(end_text, path))
    return call_node("daily", (node, *bounds), program.scope, path)
