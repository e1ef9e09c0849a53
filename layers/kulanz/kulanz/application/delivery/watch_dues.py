"""What is late and what will be soon, by the counters of deadlines: nothing is scanned, and nothing is forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from kulanz.application.delivery.world import Dues
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.money import Size


@dataclass(frozen=True, slots=True)
class Late:
    """What is not on bills and late, or due soon, by deadline; and how many credits that are."""

    late: tuple[tuple[DueOf, int, Size], ...]
    soon: tuple[tuple[DueOf, int, Size], ...]

    @property
    def overdue(self) -> int:
        """How many credits are late."""
        return sum(number for _, number, _ in self.late)

    @property
    def due_soon(self) -> int:
        """How many credits will be late soon."""
        return sum(number for _, number, _ in self.soon)


def look_at_dues(dues: Dues, now: datetime, warn_before: timedelta, *, forgets: bool = True) -> Late:
    """What is late at `now`, and what will be within `warn_before`. A deadline is the first instant that is late.

    It `forgets` the months that are over and of which everything is on bills; a mere question changes nothing.
    """
    found = [(due, number, size) for due, (number, size) in dues.before(now + warn_before)]
    if forgets:
        dues.forget_what_is_done(now)
    return Late(
        tuple(one for one in found if one[0].due <= now),
        tuple(one for one in found if one[0].due > now),
    )
