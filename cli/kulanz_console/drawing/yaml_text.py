"""A document as YAML, as its author would read it."""

from typing import Any

import yaml

_FAST: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""libyaml's, where PyYAML was built with it: a policy takes ten times as long without."""
_ESCAPED = "\\U"
"""What libyaml writes of a character beyond the first 65,536, such as an emoji."""


def yaml_text(content: Any, columns: int) -> str:
    """The fields in their order, in lines of about so many columns. Every character that can be printed is itself."""
    text = str(yaml.dump(content, Dumper=_FAST, sort_keys=False, allow_unicode=True, width=columns))
    if _ESCAPED in text:
        return str(yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=columns))
    return text
