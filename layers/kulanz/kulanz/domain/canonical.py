"""JSON of which equal content is equal text, for what is compared or hashed."""

import json
from typing import Any


def canonical_json(content: Any) -> str:
    """Write plain content with sorted names and no spaces."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
