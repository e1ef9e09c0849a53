"""Values in which no two fields are alike, for statements about which field becomes which.

Two fields with equal values hide that one was taken for the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from itertools import count
from types import NoneType, UnionType
from typing import Any, TypeAliasType, Union, get_args, get_origin, get_type_hints

from tests.support.values import NOW

_NUMBERS = count(2)
FLOAT_STEP = 0.5


def distinct[Value](made: type[Value], **given: Any) -> Value:
    """A dataclass with a value of its own in each field that is not given, and in the fields of what it holds.

    Nothing is left at its default: what may be None is not, and each collection has one element. A truth is True where
    its default is not. Raises TypeError for a type that has no distinct values here; give that field.
    """
    hints = get_type_hints(made)
    values: dict[str, Any] = {}
    for one in fields(made):  # type: ignore[arg-type] # each caller names a dataclass
        if one.init:
            default = None if one.default is MISSING else one.default
            values[one.name] = given.get(one.name) if one.name in given else _of(hints[one.name], one.name, default)
    return made(**values)


def _of(hint: Any, name: str, default: Any) -> Any:
    number = next(_NUMBERS)
    hint = hint.__value__ if isinstance(hint, TypeAliasType) else hint
    origin, inner = get_origin(hint), [one for one in get_args(hint) if one is not NoneType]
    if origin in (UnionType, Union):
        return _of(inner[0], name, default)
    if origin in (tuple, Sequence, list, frozenset, set):
        return (list if origin is Sequence else origin)([_of(inner[0], name, None)])
    if origin in (dict, Mapping):
        return {_of(inner[0], name, None): _of(inner[1], name, None)}
    if isinstance(hint, type) and is_dataclass(hint):
        return distinct(hint)
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = list(hint)
        return members[number % len(members)]
    makers: dict[Any, Callable[[], Any]] = {
        str: lambda: f"{name.replace('_', '-')}-{number}",
        int: lambda: number,
        bool: lambda: not default,
        float: lambda: number + FLOAT_STEP,
        Decimal: lambda: Decimal(number),
        bytes: f"{name}-{number}".encode,
        datetime: lambda: NOW + timedelta(days=number, seconds=number),
        date: lambda: NOW.date() + timedelta(days=number),
        timedelta: lambda: timedelta(minutes=number),
    }
    if hint not in makers:
        raise TypeError(f"{name}: no distinct values of {hint}")
    return makers[hint]()
