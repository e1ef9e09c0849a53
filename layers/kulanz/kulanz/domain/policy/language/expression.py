"""Compiling expressions: names resolved, kinds checked, constants folded, one closure per node.

A node's closure takes the row (a list: facts first, then remembered values) and gives the value, or None for unknown.
Unknown spreads through arithmetic; ``and`` and ``or`` follow Kleene: no and unknown is no, yes or unknown is yes. The
explanation evaluates the same closures, so it tells what was computed.
"""

# ruff: noqa: PLR2004 (how many operands an operation has)

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.kinds import LIST, Kind
from kulanz.domain.policy.language.syntax import RESERVED_WORDS, Call, Items, Literal, Name, Tree, parse

type Row = list[Any]
type Evaluate = Callable[[Row], Any]

MAX_LEVELS = 100
"""The deepest that expressions may rest on one another, named values included: each is a few frames of the stack."""
MAX_PARTS = 5000
"""The most operands that a value may be worked out from, those of the values it names counted each time."""
_BEYOND = (OverflowError, ValueError)
"""What a computation raises whose result the calendar does not have."""
_WORDS_MEANT = {"true": "write: yes", "false": "write: no", "null": "write: unknown, or nothing"}
_FUNCTIONS_MEANT = {
    "floor": "write: full(a, block)",
    "ceil": "write: begun(a, block)",
    "avg": "write: mean(amounts)",
    "average": "write: mean(amounts)",
    "abs": "write: max(a, -a)",
    **dict.fromkeys(("hours", "minutes", "duration"), "write: total(outage) / 1 h, with the unit it is counted in"),
    **dict.fromkeys(("now", "today"), "write: decided_at, or day(decided_at)"),
}
"""What those probably meant who write as other languages do."""
UNSET = object()
"""Marks a named value of a row that has not been computed yet."""
UNKNOWN = "unknown"
"""The word for a value that the rule does not know; what depends on it is held."""


@dataclass(slots=True)
class Node:
    """A compiled expression: its kind, its closure, and what the explanation needs.

    ``operation`` is ``literal``, ``name``, an operator or a function. ``reads`` are the facts it can depend on; a node
    that reads none is constant and its value known. ``culprit`` gives the node that makes it unknown, where that is not
    the first of its children that is.
    """

    kind: Kind
    evaluate: Evaluate
    operation: str
    text: str
    children: tuple["Node", ...] = ()
    reads: frozenset[str] = frozenset()
    constant: bool = False
    value: Any = None
    choices: tuple[str, ...] = ()
    culprit: "Callable[[Row], Node | None] | None" = None
    depth: int = 1
    parts: int = 1

    def rests_on(self, nodes: "Iterable[Node]", path: Path) -> "Node":
        """Count what the node is worked out from. Evaluation recurses, and products grow: both have their limit."""
        for node in nodes:
            self.depth = max(self.depth, node.depth + 1)
            self.parts += node.parts
        if self.depth > MAX_LEVELS:
            raise PolicyError(f"expected at most {MAX_LEVELS} levels of values that need one another", path)
        if self.parts > MAX_PARTS:
            raise PolicyError(f"expected a value that is worked out from at most {MAX_PARTS} parts", path)
        return self


@dataclass(frozen=True, slots=True)
class Zoned:
    """A plain function whose last argument is the rule's zone."""

    function: Callable[..., Any]


@dataclass(slots=True)
class Scope:
    """The names an expression can use. ``resolve`` gives the node of a name, or None.

    ``asks_clock`` is whether anything compiled so far depends on the clock or the calendar of the zone.
    """

    resolve: Callable[[str, Path], Node | None]
    functions: Mapping[str, "Function"]
    zone: Node
    known_names: Callable[[], Iterable[str]] = field(default=tuple)
    asks_clock: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function or operator: ``bind`` checks its arguments and gives the kind of the result and the plain function.

    ``strict`` functions are unknown as soon as one argument is; the others get closures and decide for themselves.
    ``choices`` are the only texts it can give. ``says`` is how explanations say it, with its arguments in order; of a
    condition, ``says_not`` where it does not hold.
    """

    signature: str
    bind: Callable[[tuple[Node, ...]], tuple[Kind, Callable[..., Any] | Zoned]]
    strict: bool = True
    choices: tuple[str, ...] = ()
    says: str = ""
    says_not: str = ""


class KindMismatch(ValueError):
    """Arguments of the wrong kind; the text says what was expected."""


def compile_text(text: str, scope: Scope, path: Path, expected: Kind | None = None) -> Node:
    """Compile an expression and check its kind. Raises ``PolicyError`` at the path."""
    tree = parse(text, path)
    if isinstance(tree, Name) and scope.resolve(tree.name, path) is None:
        raise _not_known(
            tree.name, scope, path, f"write '\"{tree.name}\"' if it is a text: YAML takes the outer quotes"
        )
    node = compile_tree(tree, scope, path)
    if expected is not None:
        node = expect(node, expected, path, text)
    return node


def expect(node: Node, expected: Kind, path: Path, text: str) -> Node:
    """Check a node's kind; ``nothing`` fits wherever an amount or an outage does, ``unknown`` everywhere."""
    if is_unknown(node):
        return constant_node(expected, None, UNKNOWN)
    if is_nothing(node) and expected.name in ("money", "number", "duration", "outage"):
        return constant_node(expected, no_amount(expected), "nothing")
    if node.kind == expected:
        return node
    raise PolicyError(f"expected {expected}, but this gives {node.kind}: {text}", path)


def no_amount(kind: Kind) -> Any:
    """Give what ``nothing`` is of a kind: zero, or no time at all."""
    return () if kind.name == "outage" else 0


def is_nothing(node: Node) -> bool:
    """Say whether a node is the word ``nothing``."""
    return node.operation == "literal" and node.text == "nothing"


def is_unknown(node: Node) -> bool:
    """Say whether a node is the word ``unknown``."""
    return node.operation == "literal" and node.text == UNKNOWN


def constant_node(kind: Kind, value: Any, text: str, operation: str = "literal") -> Node:
    """Give a node whose value is known."""
    return Node(kind, lambda _row: value, operation, text, constant=True, value=value)


def compile_tree(tree: Tree, scope: Scope, path: Path) -> Node:
    """Compile a tree in a scope."""
    match tree:
        case Literal(kind, value, text):
            return constant_node(kind, value, text)
        case Name(name):
            node = scope.resolve(name, path)
            if node is None:
                raise _not_known(name, scope, path, "put it into quotes if it is a text")
            return node
        case Items(items):
            return _list_node(tuple(compile_tree(item, scope, path) for item in items), path)
        case Call(name, arguments):
            children = tuple(compile_tree(argument, scope, path) for argument in arguments)
            return call_node(name, children, scope, path)


def call_node(name: str, children: tuple[Node, ...], scope: Scope, path: Path) -> Node:
    """Bind a function or operator to compiled arguments, folding it where all of them are constant."""
    function = scope.functions.get(name)
    if function is None:
        raise PolicyError(f"there is no function {name!r}; {_function_meant(name, scope.functions)}", path)
    try:
        kind, apply = function.bind(children)
    except KindMismatch as error:
        raise PolicyError(f"{error} (use: {function.signature})", path) from None
    operands = children
    if isinstance(apply, Zoned):
        apply, operands = apply.function, (*children, scope.zone)
        scope.asks_clock = True
    evaluate = _strict(apply, operands) if function.strict else apply
    reads = frozenset[str]().union(*(operand.reads for operand in operands))
    node = Node(kind, evaluate, name, name, children, reads, choices=function.choices).rests_on(operands, path)
    if operands is not children:
        node.culprit = _first_unknown(operands)
    elif name == "if":
        node.culprit = _branch_taken(children)
    if all(operand.constant for operand in operands):
        node.constant, node.value = True, evaluate([])
        node.evaluate = _constantly(node.value)
        if node.value is None and all(child.operation == "literal" for child in children):
            written = " and ".join(child.text for child in children)
            raise PolicyError(f"with {written} this can never be computed (use: {function.signature})", path)
    elif name in ("and", "or"):
        _fold_kleene(node, name)
    elif name == "if" and children[0].constant and children[0].value is not None:
        branch = children[1] if children[0].value else children[2]
        node.evaluate, node.reads = branch.evaluate, branch.reads
        node.constant, node.value = branch.constant, branch.value
    return node


def _first_unknown(operands: tuple[Node, ...]) -> Callable[[Row], Node | None]:
    return lambda row: next((operand for operand in operands if operand.evaluate(row) is None), None)


def _branch_taken(children: tuple[Node, ...]) -> Callable[[Row], Node | None]:
    """An ``if`` is unknown because of its condition, or of the branch it takes."""

    def culprit(row: Row) -> Node | None:
        holds = children[0].evaluate(row)
        return children[0] if holds is None else children[1] if holds else children[2]

    return culprit


def unknown_name(node: Node, row: Row) -> str:
    """Find the fact whose absence makes a node unknown, or the table that does not know.

    Empty where everything is known and nothing can be computed.
    """
    if node.operation == "name" and not node.children:
        return node.text
    if node.culprit is not None:
        found = node.culprit(row)
        if found is None:
            return ""
        return node.text if is_unknown(found) else unknown_name(found, row)
    for child in node.children:
        if child.evaluate(row) is None:
            return unknown_name(child, row)
    return ""


def not_computable(node: Node, row: Row) -> Node:
    """Find the innermost operation of a node that gives nothing, although everything it is worked out from is known."""
    if node.culprit is not None:
        found = node.culprit(row)
        return node if found is None else not_computable(found, row)
    part = next((child for child in node.children if child.evaluate(row) is None), None)
    return node if part is None else not_computable(part, row)


def _constantly(value: Any) -> Evaluate:
    return lambda _row: value


def _fold_kleene(node: Node, name: str) -> None:
    """A constant operand that decides makes the whole constant; one that cannot is left out of what is read."""
    dominant = name == "or"
    if any(child.constant and child.value is dominant for child in node.children):
        node.constant, node.value, node.reads = True, dominant, frozenset()
        node.evaluate = _constantly(dominant)


def _strict(apply: Callable[..., Any], children: tuple[Node, ...]) -> Evaluate:
    """Evaluate the arguments and give up at the first unknown one.

    What lies beyond the calendar (the year 10000, more days than are looked at) is unknown too.
    """
    if len(children) == 1:
        only = children[0].evaluate

        def unary(row: Row) -> Any:
            value = only(row)
            try:
                return None if value is None else apply(value)
            except _BEYOND:
                return None

        return unary
    if len(children) == 2:
        return _strict_binary(apply, *children)
    evaluators = tuple(child.evaluate for child in children)

    def general(row: Row) -> Any:
        values = []
        for evaluate in evaluators:
            value = evaluate(row)
            if value is None:
                return None
            values.append(value)
        try:
            return apply(*values)
        except _BEYOND:
            return None

    return general


def _strict_binary(apply: Callable[..., Any], left_node: Node, right_node: Node) -> Evaluate:
    left, right = left_node.evaluate, right_node.evaluate
    if right_node.constant and right_node.value is not None:
        fixed = right_node.value

        def with_constant(row: Row) -> Any:
            value = left(row)
            try:
                return None if value is None else apply(value, fixed)
            except _BEYOND:
                return None

        return with_constant

    def binary(row: Row) -> Any:
        first = left(row)
        if first is None:
            return None
        second = right(row)
        try:
            return None if second is None else apply(first, second)
        except _BEYOND:
            return None

    return binary


def _list_node(items: tuple[Node, ...], path: Path) -> Node:
    for item in items:
        if item.value is None:
            raise PolicyError("a list in brackets holds values written out, not names", path)
        if item.kind != items[0].kind:
            raise PolicyError(f"a list holds values of one kind; found {items[0].kind} and {item.kind}", path)
    values = tuple(item.value for item in items)
    node = constant_node(LIST, values, "[" + ", ".join(item.text for item in items) + "]")
    node.children = items
    return node


def _not_known(name: str, scope: Scope, path: Path, or_else: str) -> PolicyError:
    """Word the error of a name that nothing has, with what was probably meant."""
    meant = _WORDS_MEANT.get(name.lower()) or _closest(name, scope.known_names())
    advice = meant or f"declare it under facts, values or parameters, or {or_else}"
    return PolicyError(f"{name!r} is not known; {advice}", path)


def _function_meant(name: str, functions: Iterable[str]) -> str:
    names = sorted(item for item in functions if item[0].isalpha() and item not in RESERVED_WORDS)
    return _FUNCTIONS_MEANT.get(name.lower()) or _closest(name, names) or f"known: {', '.join(names)}"


def _closest(name: str, names: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 (needed only to word an error)

    close = get_close_matches(name, sorted(names), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


def conjunction(nodes: tuple[Node, ...]) -> Evaluate:
    """Kleene and: no if one is no, else unknown if one is unknown, else yes."""
    evaluators = tuple(node.evaluate for node in nodes)

    def evaluate(row: Row) -> Any:
        result: Any = True
        for each in evaluators:
            value = each(row)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    return evaluate


def disjunction(nodes: tuple[Node, ...]) -> Evaluate:
    """Kleene or: yes if one is yes, else unknown if one is unknown, else no."""
    evaluators = tuple(node.evaluate for node in nodes)

    def evaluate(row: Row) -> Any:
        result: Any = False
        for each in evaluators:
            value = each(row)
            if value is True:
                return True
            if value is None:
                result = None
        return result

    return evaluate
