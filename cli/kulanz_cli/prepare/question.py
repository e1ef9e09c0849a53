"""What is asked of whoever knows an export."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Question:
    """What nobody can know from the file: the key of the answer, and the answers there are (none: any text)."""

    key: str
    text: str
    choices: Sequence[str] = ()
