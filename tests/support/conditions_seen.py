"""Which conditions of templates were looked at, and from which sides: each part of an `and` and an `or` by itself."""

from collections.abc import Iterator
from typing import Any

from jinja2 import Environment, nodes

type Seen = dict[tuple[str, int, str], set[bool]]
"""By template, line and what stands there: what it came to."""


def watching(seen: Seen) -> type[Environment]:
    """Templates that note each condition as it is worked out; those that nobody looks at are in it, too."""

    class Watching(Environment):
        def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
            tree = super()._parse(source, name, filename)
            for node in _choosing(tree):
                node.test = _noted(node.test, name or "", seen)
            return tree

    def noted(template: str, line: int, text: str, value: Any) -> Any:
        seen[template, line, text].add(bool(value))
        return value

    Watching.noted = staticmethod(noted)  # type: ignore[attr-defined]
    return Watching


def _choosing(tree: nodes.Template) -> Iterator[Any]:
    yield from tree.find_all((nodes.If, nodes.CondExpr))


def _noted(test: Any, template: str, seen: Seen) -> Any:
    if isinstance(test, (nodes.And, nodes.Or)):
        test.left, test.right = (_noted(one, template, seen) for one in (test.left, test.right))
        return test
    if isinstance(test, nodes.Not):
        test.node = _noted(test.node, template, seen)
        return test
    text = said_of(test)
    seen.setdefault((template, test.lineno, text), set())
    asked = nodes.Name("noted", "load", lineno=test.lineno)
    given = [nodes.Const(one, lineno=test.lineno) for one in (template, test.lineno, text)]
    return nodes.Call(asked, [*given, test], [], None, None, lineno=test.lineno)


def said_of(node: Any) -> str:
    """An expression about as a person could write it, by which it is found on its line."""
    parts = [said_of(one) for one in node.iter_child_nodes()]
    own = getattr(node, "name", None) or getattr(node, "attr", None) or getattr(node, "value", None)
    own = getattr(node, "op", None) if own is None else own
    return " ".join([*parts, *([] if own is None else [str(own)])])
