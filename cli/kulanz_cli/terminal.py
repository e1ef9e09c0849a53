"""The console that everything is printed on: as wide as the terminal, and of a fixed width in a file or a pipe."""

from rich.console import Console

PIPED_COLUMNS = 100


def console(*, stderr: bool = False) -> Console:
    """A console for people; without colours, and the same on every machine, when it is no terminal."""
    found = Console(stderr=stderr)
    return found if found.is_terminal else Console(stderr=stderr, width=PIPED_COLUMNS)
