"""Looks at everything of a kind, each by itself: one that cannot be moved on keeps no other from being."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kulanz.application.ports import Refused, TryAgain

SECONDS_FOR_ONE = 20.0
"""What is kept of the given time for the one that is looked at last."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look came to, each by its name and why: `flagged` waits for a person, `failed` could not be moved on."""

    flagged: tuple[tuple[str, str], ...]
    failed: tuple[tuple[str, str], ...]

    @property
    def waiting(self) -> int:
        """How many wait for a person: what fails is tried again, and somebody ought to know."""
        return len(self.flagged) + len(self.failed)


def look_at_each[Id](
    named: Iterable[Id], look_at: Callable[[Id], str | None], seconds_left: Callable[[], float]
) -> Looked:
    """Look at each as long as there is time. `look_at` moves it on, and says why where it is flagged."""
    flagged: list[tuple[str, str]] = []
    failed: list[tuple[str, str]] = []
    for one in named:
        if seconds_left() < SECONDS_FOR_ONE:
            break
        try:
            why = look_at(one)
        except (TryAgain, Refused) as error:
            failed.append((str(one), f"{type(error).__name__}: {error}"))
        else:
            flagged += [(str(one), why)] if why is not None else []
    return Looked(tuple(flagged), tuple(failed))
