"""JSON in one form: written so that equal content is equal text, and read so that one text has one meaning."""

import json
from collections import Counter
from collections.abc import Callable
from typing import Any, Never


def canonical_json(content: Any) -> str:
    """Write plain content with sorted names and no spaces."""
    return _encode(content)


_encode: Callable[[Any], str] = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""Made once: `json.dumps` makes an encoder for each text."""


def object_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON in which no name stands twice: whoever reads it next could take the other value.

    For `object_pairs_hook` of the json module. Raises ValueError with the name.
    """
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(name for name, number in Counter(name for name, _ in pairs).items() if number > 1)
        raise ValueError(f"{twice!r} is written twice; keep one of them")
    return found


def no_constant(text: str) -> Never:
    """Refuse NaN and Infinity, which are not JSON (RFC 8259, section 6): for `parse_constant` of the json module."""
    raise ValueError(f"{text} is no number")
