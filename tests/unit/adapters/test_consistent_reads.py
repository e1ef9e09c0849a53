"""Every read of a table sees what was written before it: a worker that acts on an older state could pay twice."""

import ast
from collections.abc import Iterator
from pathlib import Path

import kulanz.adapters

ADAPTERS = Path(kulanz.adapters.__file__).parent
FEW = 5
READS = {"get_item", "query", "scan", "batch_get_item", "get_paginator"}


def _reads(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """The calls of a module that ask a client for items, by themselves or through `call`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            asked = {part.attr for part in (node.func, *node.args) if isinstance(part, ast.Attribute)} & READS
            if asked and node.keywords:
                yield f"{path.name}:{node.lineno} {min(asked)}", node


def _is_consistent(node: ast.Call) -> bool:
    stated = [keyword.value for keyword in node.keywords if keyword.arg == "ConsistentRead"]
    stated += [
        value
        for one in ast.walk(node)
        if isinstance(one, ast.Dict)
        for key, value in zip(one.keys, one.values, strict=True)
        if isinstance(key, ast.Constant) and key.value == "ConsistentRead"
    ]
    return any(isinstance(one, ast.Constant) and one.value is True for one in stated)


def test_every_read_of_a_table_is_consistent() -> None:
    found = dict(read for path in sorted(ADAPTERS.glob("*.py")) for read in _reads(path))
    assert len(found) > FEW
    assert [place for place, node in found.items() if not _is_consistent(node)] == []
