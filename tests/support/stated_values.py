"""What modules state by value: constants, members of enumerations, defaults of fields and arguments, sizes of caches.

A limit that another test takes by its name holds whatever it is. Read here, each is compared with what was approved.
"""

import ast
import enum
import importlib
import inspect
import os
import pkgutil
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from fractions import Fraction
from hashlib import sha256
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from botocore.config import Config
from pydantic import BaseModel

from kulanz.domain.lists.columns import FactDeclaration

PROJECT = Path(__file__).resolve().parents[2]
TEXT_MOST = 120
"""Characters of a constant that stands on one line; longer ones stand one part a line."""
PARTS_MOST = 60
"""Parts of a constant that are shown one by one; more are data, and are compared by their digest alone."""
LINE_MOST = 300
"""Characters that are shown of a part; the rest is compared by its digest alone."""
IN_NO_ORDER = frozenset({"RESERVED", "_STANDING"})
"""Sequences made of sets, of which nothing is asked but what is among them. So is a mapping inside another value."""


def stated(package: str, *, is_deep: bool = True) -> str:
    """All that the modules of a package state by value, as text. `is_deep`: also those of the packages in it."""
    return "\n".join(line for module in _modules(package, is_deep=is_deep) for line in _lines(module)) + "\n"


def written(folder: Path) -> str:
    """The constants of modules that cannot be imported without their environment, as their source writes them."""
    return "".join(
        f"{path.relative_to(folder)}: {_cut(ast.unparse(node))}\n"
        for path in sorted(folder.rglob("*.py"))
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
    )


def _modules(package: str, *, is_deep: bool) -> Iterator[ModuleType]:
    root = importlib.import_module(package)
    yield root
    if hasattr(root, "__path__"):
        walk = pkgutil.walk_packages if is_deep else pkgutil.iter_modules
        for found in sorted(walk(root.__path__, f"{package}."), key=lambda one: one.name):
            if is_deep or not found.ispkg:
                yield importlib.import_module(found.name)


def _lines(module: ModuleType) -> list[str]:
    assert module.__file__ is not None
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    lines: list[str] = []
    for node in tree.body:
        match node:
            case ast.Assign(targets=targets):
                for name in (one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)):
                    lines += _named(name, getattr(module, name))
            case ast.AnnAssign(target=ast.Name(id=name)) if hasattr(module, name):
                lines += _named(name, getattr(module, name))
            case ast.ClassDef(name=name):
                lines += _of_class(name, getattr(module, name))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                lines += _of_function(name, getattr(module, name))
            case _:
                pass
    return ["", f"## {module.__name__}", *lines] if lines else []


def _of_class(name: str, found: type) -> Iterator[str]:
    if issubclass(found, enum.Enum):
        yield from (f"{name}.{one.name} = {text_of(one.value)}" for one in found)
    elif is_dataclass(found):
        for field in fields(found):
            default = field.default if field.default_factory is MISSING else field.default_factory
            if default is not MISSING:
                yield from _named(f"{name}.{field.name}", default)
    else:
        for field_name, default in getattr(found, "_field_defaults", {}).items():
            yield from _named(f"{name}.{field_name}", default)
    for attribute, value in vars(found).items():
        is_own = not attribute.startswith("__") or (attribute == "__init__" and not is_dataclass(found))
        called = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        if is_own and callable(called) and not isinstance(called, type):
            yield from _of_function(f"{name}.{attribute}", called)


def _of_function(name: str, found: Callable[..., Any]) -> Iterator[str]:
    if hasattr(found, "cache_parameters"):
        kept = found.cache_parameters()
        yield f"{name}: keeps {kept['maxsize']}, {'by type, too' if kept['typed'] else 'by value'}"
    if not inspect.isroutine(inspect.unwrap(found)):
        return
    for argument in inspect.signature(found).parameters.values():
        if argument.default is not inspect.Parameter.empty:
            yield f"{name}({argument.name}={text_of(argument.default)})"


def _named(name: str, value: object) -> list[str]:
    if name in IN_NO_ORDER:
        value = frozenset(cast("Iterable[object]", value))
    text, parts = text_of(value), _parts(value)
    if parts is None or (len(text) <= TEXT_MOST and not isinstance(value, Mapping)):
        return [f"{name} = {_cut(text)}"]
    if len(parts) > PARTS_MOST:
        return [f"{name}: {len(parts)}, {_digest(chr(10).join(parts))}"]
    return [f"{name}: {len(parts)}", *(f"    {_cut(part)}" for part in parts)]


def _cut(text: str) -> str:
    return text if len(text) <= LINE_MOST else f"{text[:LINE_MOST]}… {len(text)} characters, {_digest(text)}"


def _digest(text: str) -> str:
    return f"SHA-256 {sha256(text.encode()).hexdigest()[:12]}"


def _parts(value: object) -> list[str] | None:
    match value:
        case Mapping():
            return [f"{text_of(key)}: {text_of(one)}" for key, one in value.items()]
        case frozenset() | set():
            return sorted(text_of(one) for one in value)
        case tuple() | list():
            return [text_of(one) for one in value]
        case _:
            return None


def text_of(value: object) -> str:  # noqa: C901, PLR0911, PLR0912 (a table)
    """A value as text that is the same in every process."""
    match value:
        case enum.Enum():
            return f"{type(value).__name__}.{value.name}"
        case None | bool() | int() | float() | str() | bytes() | Decimal() | Fraction() | timedelta():
            return repr(value)
        case date() | datetime() | time() | tzinfo():
            return str(value)
        case re.Pattern():
            return f"pattern {value.pattern!r}, {re.RegexFlag(value.flags)!r}"
        case struct.Struct():
            return f"struct {value.format!r}"
        case os._Environ():
            return "the environment"
        case Path():
            return f"path {value.relative_to(PROJECT) if value.is_relative_to(PROJECT) else value.name}"
        case Config():
            return f"Config{text_of(vars(value)['_user_provided_options'])}"
        case _:
            pass
    names = _fields_of(value)
    if names:
        shown = ", ".join(f"{name}={text_of(getattr(value, name))}" for name in names)
        return f"{type(value).__name__}({shown})"
    match value:
        case Mapping():
            return "{" + ", ".join(sorted(_parts(value) or ())) + "}"
        case frozenset() | set():
            return "set of (" + ", ".join(_parts(value) or ()) + ")"
        case tuple() | list():
            return "(" + ", ".join(_parts(value) or ()) + ")"
        case _:
            return str(getattr(value, "__qualname__", f"a {type(value).__name__}"))


def _fields_of(value: object) -> tuple[str, ...]:
    match value:
        case type():
            return ()
        case BaseModel():
            return tuple(type(value).model_fields)
        case FactDeclaration():
            return tuple(one for one in FactDeclaration.__slots__ if not callable(getattr(value, one)))
        case _ if is_dataclass(value):
            return tuple(one.name for one in fields(value) if one.repr)
        case _:
            return tuple(getattr(value, "_fields", ()))
