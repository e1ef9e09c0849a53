"""What pages need of Kulanz: questions and actions by their names in the API's table of routes.

`kulanz console` answers them through the stack's API with the shell's signature. A hosted function can answer the same
ones with the use cases themselves.
"""

from collections.abc import Mapping, Sequence
from enum import Enum, auto
from typing import Any, Protocol

DRAWN = "console-"
"""What the ids begin with that a page draws for an action."""


class Why(Enum):
    """Why a question or an action was not done, as far as a page treats it differently."""

    UNKNOWN = auto()
    """There is nothing of that name."""
    NOT_PERMITTED = auto()
    """Whoever asks lacks the role."""
    REFUSED = auto()
    """The action is not possible now, or not for this person."""
    WRONG = auto()
    """A value has another form than expected."""
    LATER = auto()
    """Something did not answer in time. The same can be asked again; an action is done once under its id."""


class NotAnswered(Exception):
    """The text says what was expected and what to do. `reason` is the code of a refusal."""

    def __init__(self, text: str, why: Why, reason: str = "") -> None:
        super().__init__(text)
        self.why = why
        self.reason = reason


class Kulanz(Protocol):
    """The one who answers. Used by several threads at once. Every method may raise NotAnswered."""

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> Mapping[str, Any]:
        """The answer to a question; of a long one, one page."""
        ...

    def act(self, use: str, content: Mapping[str, Any], **values: str | int) -> Mapping[str, Any]:
        """What an action came to. The same under the same id is done once."""
        ...

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        """Whether whoever asks has a role for each use. This decides what is shown; who answers decides what is done.
        Raises NotAnswered.
        """
        ...
