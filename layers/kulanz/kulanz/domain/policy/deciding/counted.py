"""The counted outage: the incident's windows as the policy's exposure lets them count for an account."""

from typing import Any

from kulanz.domain.policy.document.document import Exposure
from kulanz.domain.policy.language import kinds
from kulanz.domain.policy.language.errors import PolicyError
from kulanz.domain.policy.language.expression import Node, Scope, call_node, compile_text
from kulanz.domain.policy.language.syntax import Literal, parse


def counted_outage(rule: Exposure, scope: Scope) -> Node:
    """Give what an exposure makes of ``windows``: each of its entries is a function of the language, in order."""
    node = compile_text("windows", scope, ("exposure",))
    if rule.from_:
        node = _apply(scope, "after", node, "from", rule.from_)
    if rule.until:
        node = _apply(scope, "before", node, "until", rule.until)
    if rule.only:
        node = _apply(scope, "overlap", node, "only", rule.only)
    for index, stretch in enumerate(rule.without):
        node = _without(scope, node, index, stretch)
    if rule.daily:
        node = _daily(scope, node, rule.daily)
    if rule.merge_gaps_under:
        node = _apply(scope, "merge", node, "merge_gaps_under", rule.merge_gaps_under)
    if rule.ignore_under:
        node = _apply(scope, "at_least", node, "ignore_under", rule.ignore_under)
    return node


def _apply(scope: Scope, function: str, node: Node, key: str, text: str) -> Node:
    path = ("exposure", key)
    return call_node(function, (node, compile_text(text, scope, path)), scope, path)


def _without(scope: Scope, node: Node, index: int, stretch: Any) -> Node:
    path = ("exposure", "without", index)
    if isinstance(stretch, str):
        return call_node("without", (node, compile_text(stretch, scope, path)), scope, path)
    start = compile_text(stretch.from_, scope, (*path, "from"), kinds.INSTANT)
    end = compile_text(stretch.until, scope, (*path, "until"), kinds.INSTANT)
    hole = call_node("stretch", (start, end), scope, path)
    removed = call_node("without", (node, hole), scope, path)
    if stretch.when == "yes":
        return removed
    return call_node(
        "if", (compile_text(stretch.when, scope, (*path, "when"), kinds.YES_NO), removed, node), scope, path
    )


def _daily(scope: Scope, node: Node, text: str) -> Node:
    path = ("exposure", "daily")
    start_text, _, end_text = text.partition("-")
    start, end = parse(start_text, path), parse(end_text, path)
    if not isinstance(start, Literal) or not isinstance(end, Literal) or start.value == end.value:
        raise PolicyError("expected two different times of day such as 08:00-22:00", path)
    bounds = (compile_text(start_text, scope, path), compile_text(end_text, scope, path))
    return call_node("daily", (node, *bounds), scope, path)
