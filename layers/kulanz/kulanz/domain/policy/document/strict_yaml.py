"""Reading a policy's YAML strictly: plain data, the line of every entry, and nothing that could surprise a lawyer.

Only texts, whole numbers, true, false, lists and mappings exist. A number with a decimal point is refused (it would be
binary), so are duplicate keys, anchors, aliases and tags. ``NO`` and ``18:00`` are texts. No worker imports this.
"""

import re
from pathlib import Path as FilePath
from typing import Any

import yaml

from kulanz.domain.policy.language.errors import Path, PolicyError

MAX_POLICY_BYTES = 256 * 1024
MAX_DEPTH = 16
MAX_NODES = 20_000

_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
_FLOAT = re.compile(
    r"[+-]?(?:[0-9][0-9_]*\.[0-9_]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+|[0-9]+[eE][+-]?[0-9]+|\.(?:inf|nan))", re.IGNORECASE
)
_PLAIN = {"true": True, "false": False, "null": None, "~": None, "": None}


def read_file(file: FilePath) -> tuple[dict[str, Any], dict[Path, int]]:
    """Read a file as ``read_yaml`` reads its text. Raises ``PolicyError`` with the file."""
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_POLICY_BYTES + 1)
    except OSError as error:
        raise PolicyError(f"cannot read it: {error.strerror}", file=str(file)) from None
    return read_yaml(text, str(file))


def read_yaml(text: str | bytes, file: str) -> tuple[dict[str, Any], dict[Path, int]]:
    """Give the document's plain data and the line of every entry by its path. Raises ``PolicyError`` with the line."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(data) > MAX_POLICY_BYTES:
        raise PolicyError(f"expected a file of at most {MAX_POLICY_BYTES} bytes; divide it", file=file)
    try:
        source = data.decode("utf-8")
    except UnicodeDecodeError:
        raise PolicyError("expected UTF-8; save the file in that encoding", file=file) from None
    return _Reader(source, file).document()


class _Reader:
    """Builds plain data from YAML's events, with limits that hold before anything is built."""

    def __init__(self, source: str, file: str) -> None:
        self._events = yaml.parse(source, Loader=yaml.SafeLoader)
        self._source = source
        self._file = file
        self._lines: dict[Path, int] = {}
        self._nodes = 0

    def document(self) -> tuple[dict[str, Any], dict[Path, int]]:
        try:
            self._next()
            if isinstance(self._next(), yaml.StreamEndEvent):
                raise PolicyError("the file is empty; it starts with kulanz: 1", file=self._file)
            data = self._node(self._next(), (), 0)
            self._next()
            if not isinstance(following := self._next(), yaml.StreamEndEvent):
                raise self._error("expected one document; remove what follows ---", following)
        except yaml.MarkedYAMLError as error:
            line = None if error.problem_mark is None else int(error.problem_mark.line) + 1
            raise PolicyError(f"not YAML: {error.problem}", file=self._file, line=line) from None
        except yaml.reader.ReaderError as error:
            line = self._source.count("\n", 0, error.position) + 1
            problem = f"not YAML: the character U+{error.character:04X} is not allowed; remove it"
            raise PolicyError(problem, file=self._file, line=line) from None
        except yaml.YAMLError as error:
            raise PolicyError(f"not YAML: {str(error).splitlines()[0]}", file=self._file) from None
        if not isinstance(data, dict):
            raise PolicyError(
                "expected entries written as name: value, starting with kulanz: 1", file=self._file, line=1
            )
        return data, self._lines

    def _next(self) -> Any:
        return next(self._events)

    def _error(self, problem: str, event: Any, path: Path = ()) -> PolicyError:
        return PolicyError(problem, path, file=self._file, line=_line(event))

    def _node(self, event: Any, path: Path, depth: int) -> Any:
        self._nodes += 1
        if depth > MAX_DEPTH:
            raise self._error(f"expected at most {MAX_DEPTH} levels; a policy is flat", event)
        if self._nodes > MAX_NODES:
            raise self._error(f"expected at most {MAX_NODES} entries", event)
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self._error(
                "anchors and aliases (& and *) are not allowed; write the entry out, or name a value", event
            )
        if event.tag is not None:
            raise self._error("tags (!) are not allowed; write plain text", event)
        self._lines[path] = _line(event)
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            items: list[Any] = []
            while not isinstance(item := self._next(), yaml.SequenceEndEvent):
                items.append(self._node(item, (*path, len(items)), depth + 1))
            return items
        return self._mapping(path, depth, in_braces=bool(event.flow_style))

    def _mapping(self, path: Path, depth: int, *, in_braces: bool) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while not isinstance(key_event := self._next(), yaml.MappingEndEvent):
            if not isinstance(key_event, yaml.ScalarEvent) or key_event.anchor is not None or key_event.tag is not None:
                raise self._error("expected a plain text before the colon", key_event, path)
            key = key_event.value
            if key in result:
                raise self._error(f"{key!r} is written twice; keep one of them", key_event, path)
            result[key] = None
            value_event = self._next()
            if (
                in_braces
                and isinstance(value_event, yaml.ScalarEvent)
                and not value_event.value
                and not value_event.style
            ):
                problem = f"{key!r} has no value; in braces, put an expression with commas into quotes"
                raise self._error(problem, key_event, path)
            result[key] = self._node(value_event, (*path, key), depth + 1)
            self._lines[(*path, key)] = _line(key_event)
        return result

    def _scalar(self, event: Any, path: Path) -> Any:
        text: str = event.value
        if not event.implicit[0]:
            return text
        if text in _PLAIN:
            return _PLAIN[text]
        if _WHOLE.fullmatch(text):
            return int(text)
        if _FLOAT.fullmatch(text):
            problem = "a number with a decimal point must say what it is: 5.00 EUR, 12.5%, 1.5 h, or in quotes"
            raise self._error(problem, event, path)
        return text


def _line(event: Any) -> int:
    """Give the line on which an event starts, counted from 1."""
    line: int = event.start_mark.line
    return line + 1
