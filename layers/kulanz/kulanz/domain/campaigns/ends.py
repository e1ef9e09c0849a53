"""When what was granted ends, counted by full hours: a campaign's record stays small, however long it was executed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

END_COUNTED_EVERY = timedelta(hours=1)
"""An end counts from the next full hour of UTC: a report may call open for so long what has ended."""


class EndOf(NamedTuple):
    """What ends are counted by: the measure, and the full hour from which it counts as ended."""

    measure: str
    at: datetime


type Ends = Mapping[EndOf, int | Decimal]
"""How much of what was granted ends, in minor units or a quantity. What never ends is in none."""


def counted_end(ends_at: datetime) -> datetime:
    """The full hour of UTC from which an end counts; itself in the last hour of the calendar, which none follows."""
    begun = ends_at.replace(minute=0, second=0, microsecond=0)
    is_last_hour = begun > datetime.max.replace(tzinfo=ends_at.tzinfo) - END_COUNTED_EVERY
    return ends_at if begun == ends_at or is_last_hour else begun + END_COUNTED_EVERY
