"""How a function fails: its log says what and where, and nothing of the data that it was working on.

An exception's message may hold a value of a row or an event (`invalid literal for int(): '...'`), and so may the answer
of AWS from which ours was raised. Lambda prints the message of whatever leaves a handler. So what leaves one is always
`FunctionFailed`, and the log has types and places.
"""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from kulanz.application.ports import Refused, TryAgain
from kulanz.config.environment import SettingError

WITHOUT_CONTENT = (TryAgain, Refused, SettingError)
"""Their messages are made by us, of names and codes alone."""
CAUSES_MOST = 5


class FunctionFailed(Exception):
    """A function failed, and its log says where. The message is the type of the error, which holds no data."""


def described(error: BaseException) -> list[str]:
    """An error and those that it came from, the last first: each one's type and the places that it went through."""
    found: list[str] = []
    at: BaseException | None = error
    while at is not None and len(found) < CAUSES_MOST:
        says = f": {at}" if type(at) in WITHOUT_CONTENT else ""
        places = (f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(at.__traceback__))
        found.append(f"{type(at).__name__}{says} at {', '.join(places)}")
        at = at.__cause__ or at.__context__
    return found


@contextmanager
def without_content(log: Callable[..., object]) -> Iterator[None]:
    """Let whatever fails in here be logged by `log`, and leave as `FunctionFailed`."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - raised again, without what it says
        log("failed", errors=described(error))
        says = f": {error}" if type(error) in WITHOUT_CONTENT else ""
        raise FunctionFailed(f"{type(error).__name__}{says}") from None
