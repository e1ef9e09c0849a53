"""Shapes: what a policy document may look like, declared once, for reading it and for its JSON Schema.

A shape reads plain data (what YAML or JSON gave) into typed values and says exactly what is wrong with it; the same
declaration gives the schema that editors use. A document's parts are dataclasses whose fields carry a shape.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from typing import Any, Protocol
from unicodedata import normalize

from kulanz.domain.policy.language.errors import DataFileNamed, Path, PolicyError

type Schema = dict[str, Any]

MAX_ENTRIES = 500
"""The most entries of one list or mapping of a policy."""
MAX_TEXT_CHARACTERS = 8000


class Shape(Protocol):
    """What one place of a document accepts."""

    def read(self, raw: Any, path: Path) -> Any:
        """Give the typed value, or raise ``PolicyError`` for this path."""

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        """Give the JSON Schema of this place, adding named parts to ``definitions``."""


@dataclass(frozen=True)
class Text:
    """A text; ``pattern`` must match all of it, and ``expected`` says in words what it is."""

    expected: str = "a text"
    pattern: str = ""
    examples: tuple[str, ...] = ()
    maximum_characters: int = MAX_TEXT_CHARACTERS

    def read(self, raw: Any, path: Path) -> str:
        if not isinstance(raw, str) or not raw or (self.pattern and re.fullmatch(self.pattern, raw) is None):
            raise PolicyError(f"expected {self.expected}" + _such_as(self.examples), path)
        if len(raw) > self.maximum_characters:
            raise PolicyError(f"expected at most {self.maximum_characters} characters", path)
        return raw

    def schema(self, definitions: dict[str, Schema]) -> Schema:  # noqa: ARG002 (a plain text names no part)
        schema: Schema = {"type": "string", "minLength": 1, "maxLength": self.maximum_characters}
        if self.pattern:
            schema["pattern"] = f"^(?:{self.pattern})$"
        if self.examples:
            schema["examples"] = list(self.examples)
        return schema


@dataclass(frozen=True)
class Expression:
    """An expression of the policy language, kept as its text. Whole numbers and true/false may stand without quotes."""

    gives: str = "a value"

    def read(self, raw: Any, path: Path) -> str:
        if isinstance(raw, bool):
            return "yes" if raw else "no"
        if isinstance(raw, int):
            return str(raw)
        if isinstance(raw, str) and raw.strip():
            return raw
        raise PolicyError(f"expected an expression that gives {self.gives}", path)

    def schema(self, definitions: dict[str, Schema]) -> Schema:  # noqa: ARG002 (an expression names no part)
        return {
            "type": ["string", "integer", "boolean"],
            "description": f"An expression that gives {self.gives}.",
        }


NAME = Text(
    "a name of lower-case letters, digits and _", r"[a-z][a-z0-9_]{0,47}(?:\.[a-z][a-z0-9_]{0,47})*", ("monthly_fee",)
)
REASON = Text("a reason code of lower-case letters, digits and _", r"[a-z][a-z0-9_]{0,47}", ("too_short",))
CURRENCY = Text("an ISO 4217 currency", r"[A-Z]{3}", ("EUR",))
LOCALE = Text("a language tag", r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*", ("de", "en"))
YES_NO = Expression("yes or no")


@dataclass(frozen=True)
class Whole:
    """A whole number within bounds."""

    minimum: int
    maximum: int

    def read(self, raw: Any, path: Path) -> int:
        if isinstance(raw, bool) or not isinstance(raw, int) or not self.minimum <= raw <= self.maximum:
            raise PolicyError(f"expected a whole number from {self.minimum} to {self.maximum}", path)
        return raw

    def schema(self, definitions: dict[str, Schema]) -> Schema:  # noqa: ARG002 (a number names no part)
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


@dataclass(frozen=True)
class Anything:
    """Plain data that only tests read."""

    def read(self, raw: Any, path: Path) -> Any:  # noqa: ARG002 (nothing is wrong with it)
        return raw

    def schema(self, definitions: dict[str, Schema]) -> Schema:  # noqa: ARG002 (it names no part)
        return {}


@dataclass(frozen=True)
class OneOf:
    """One of some words."""

    words: tuple[str, ...]

    def read(self, raw: Any, path: Path) -> str:
        if not isinstance(raw, str) or raw not in self.words:
            raise PolicyError("expected one of " + ", ".join(self.words), path)
        return raw

    def schema(self, definitions: dict[str, Schema]) -> Schema:  # noqa: ARG002 (words name no part)
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class ListOf:
    """A list of one shape; ``single`` lets one entry stand without its list."""

    item: Shape
    single: bool = False

    def read(self, raw: Any, path: Path) -> tuple[Any, ...]:
        if not isinstance(raw, list):
            if self.single:
                return (self.item.read(raw, path),)
            raise PolicyError("expected a list: start each entry with a dash", path)
        if not 1 <= len(raw) <= MAX_ENTRIES:
            raise PolicyError(f"expected 1 to {MAX_ENTRIES} entries", path)
        return tuple(self.item.read(item, (*path, index)) for index, item in enumerate(raw))

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        item = self.item.schema(definitions)
        listed = {"type": "array", "items": item, "minItems": 1, "maxItems": MAX_ENTRIES}
        return {"anyOf": [item, listed]} if self.single else listed


@dataclass(frozen=True)
class MapOf:
    """A mapping from names to one shape, in the order in which it is written."""

    value: Shape
    name: Shape = Text()

    def read(self, raw: Any, path: Path) -> dict[str, Any]:
        if not isinstance(raw, dict) or not 1 <= len(raw) <= MAX_ENTRIES:
            raise PolicyError(f"expected 1 to {MAX_ENTRIES} entries written as name: value", path)
        result = {}
        for key, value in raw.items():
            result[self.name.read(key, (*path, str(key)))] = self.value.read(value, (*path, str(key)))
        return result

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        schema: Schema = {"type": "object", "minProperties": 1, "maxProperties": MAX_ENTRIES}
        schema["additionalProperties"] = self.value.schema(definitions)
        schema["propertyNames"] = self.name.schema(definitions)
        return schema


@dataclass(frozen=True)
class ByKind:
    """One shape for a plain value, another for a list, another for a mapping."""

    plain: Shape | None = None
    listed: Shape | None = None
    mapped: Shape | None = None

    def read(self, raw: Any, path: Path) -> Any:
        shape = self.mapped if isinstance(raw, dict) else self.listed if isinstance(raw, list) else self.plain
        if shape is None:
            kinds = (("a text", self.plain), ("a list", self.listed), ("a mapping", self.mapped))
            raise PolicyError("expected " + " or ".join(word for word, shape in kinds if shape is not None), path)
        return shape.read(raw, path)

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        shapes = [shape.schema(definitions) for shape in (self.plain, self.listed, self.mapped) if shape is not None]
        return {"anyOf": shapes}


DATA_NAME = r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*"
"""The name of a data file; one of digits alone would be a policy's version."""
WRITTEN_OUT = Text("it written out, or the name of a data file", DATA_NAME, ("ofcom-repair-rate",), 64)


@dataclass(frozen=True)
class OrDataFile:
    """Data written out, or the name of a data file that has it as its ``content``."""

    shape: Shape
    content: str

    def read(self, raw: Any, path: Path) -> Any:
        if isinstance(raw, str):
            raise DataFileNamed(WRITTEN_OUT.read(raw, path), self.content, path)
        return self.shape.read(raw, path)

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        return {"anyOf": [self.shape.schema(definitions), WRITTEN_OUT.schema(definitions)]}


@dataclass(frozen=True)
class Part:
    """A mapping with known keys, read into the dataclass whose fields declare them.

    ``alone`` is the key that a value means which stands in the place of the mapping.
    """

    cls: type[Any]
    check: Callable[[Any, Path], None] | None = None
    alone: str = ""

    def read(self, raw: Any, path: Path) -> Any:
        known = {key_of(item): item for item in fields(self.cls)}
        if self.alone and not isinstance(raw, (dict, list)):
            raw = {self.alone: raw}
        if not isinstance(raw, dict):
            raise PolicyError(f"expected entries written as name: value; known here: {', '.join(known)}", path)
        for key in raw:
            if key not in known:
                raise PolicyError(
                    f"unknown entry; {_meant(str(key), known)}known here: {', '.join(known)}", (*path, str(key))
                )
        values = {}
        for key, item in known.items():
            if key in raw:
                values[item.name] = item.metadata["shape"].read(raw[key], (*path, key))
            elif item.default is MISSING and item.default_factory is MISSING:
                raise PolicyError(f"the entry {key!r} is missing: {item.metadata['doc']}", path)
        part = self.cls(**values)
        if self.check is not None:
            self.check(part, path)
        return part

    def schema(self, definitions: dict[str, Schema]) -> Schema:
        name = self.cls.__name__
        if name not in definitions:
            definitions[name] = {}  # a part may contain itself
            properties, required = {}, []
            for item in fields(self.cls):
                key = key_of(item)
                properties[key] = {**item.metadata["shape"].schema(definitions), "description": item.metadata["doc"]}
                if item.default is MISSING and item.default_factory is MISSING:
                    required.append(key)
            definitions[name] = {
                "type": "object",
                "description": (self.cls.__doc__ or "").split("\n")[0],
                "properties": properties,
                "required": required,
                "additionalProperties": False,
            }
        whole: Schema = {"$ref": f"#/$defs/{name}"}
        if not self.alone:
            return whole
        shape = next(item.metadata["shape"] for item in fields(self.cls) if key_of(item) == self.alone)
        return {"anyOf": [shape.schema(definitions), whole]}


def entry(
    shape: Shape, doc: str, *, default: Any = MISSING, empty: Callable[[], Any] | None = None, key: str = ""
) -> Any:
    """Declare a field of a part: its shape, one sentence about it, its default, and its key where that is no name."""
    metadata: Mapping[str, Any] = {"shape": shape, "doc": doc, "key": key}
    if empty is not None:
        return field(default_factory=empty, metadata=metadata)
    return field(default=default, metadata=metadata)


def key_of(item: Field[Any]) -> str:
    """Give the key of a field: ``from_`` is written ``from``, unless the field was declared with another key."""
    key: str = item.metadata["key"]
    return key or item.name.removesuffix("_")


def _meant(key: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 (needed only to word an error)

    close = get_close_matches(key, known, n=1)
    return f"did you mean {close[0]!r}? " if close else ""


def _such_as(examples: tuple[str, ...]) -> str:
    return " such as " + " or ".join(examples) if examples else ""


def in_one_form(data: Any) -> Any:
    """The data with its letters in Unicode's form NFC, as the texts of a list are read: else they never are equal."""
    if isinstance(data, str):
        return data if data.isascii() else normalize("NFC", data)
    if isinstance(data, list):
        return [in_one_form(item) for item in data]
    if isinstance(data, dict):
        return {key: in_one_form(value) for key, value in data.items()}
    return data
