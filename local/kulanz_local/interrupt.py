"""Ctrl-C ends a command quietly: no traceback, whatever was started is ended, and the exit code is 130.

Run as `python -m kulanz_local.interrupt MODULE ARGUMENTS`, Ctrl-C is as quiet while MODULE is still being imported.
"""

import runpy
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
"""What a shell calls the exit code of a command that Ctrl-C ended."""


class Terminated(Exception):
    """The command was ended from outside, by SIGTERM: a reader of its log wants to know how far it came."""


def take_interrupts() -> None:
    """Raise KeyboardInterrupt at the first Ctrl-C; a second one does not cut the clean-up short."""
    signal.signal(signal.SIGINT, _interrupted)
    signal.signal(signal.SIGTERM, _terminated)


@contextmanager
def quietly_interrupted() -> Iterator[None]:
    """A block that Ctrl-C ends with 130, after its own clean-up and without a word."""
    take_interrupts()
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _interrupted(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _terminated(_number: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Terminated("It was ended from outside.")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
