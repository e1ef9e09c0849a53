"""The clock of this machine against AWS's."""

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from kulanz.domain.time import CLOCK_ALLOWANCE
from kulanz_cli.doctor.examined import Examined, Result, finding, not_shown, ok

SKEW_MOST_SECONDS = 60.0
"""Far below what signatures bear (5 minutes) and what decisions allow between two clocks (`CLOCK_ALLOWANCE`)."""
assert CLOCK_ALLOWANCE.total_seconds() > SKEW_MOST_SECONDS


def now() -> datetime:
    """This machine's time."""
    return datetime.now(UTC)


def clock(at: Examined) -> Iterator[Result]:
    """The Date header of an answer, between the moments before and after the call."""
    client = at.client("dynamodb")
    before = now()
    answer = client.list_tables(Limit=1)
    after = now()
    header = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
    if header is None:
        yield not_shown("The answer has no Date header, so that the clocks cannot be compared.")
        return
    stated = parsedate_to_datetime(header)
    skew = max((before - stated).total_seconds() - 1, (stated - after).total_seconds(), 0.0)  # it counts whole seconds
    if skew > SKEW_MOST_SECONDS:
        yield finding(
            f"This machine's clock is {skew:,.0f} s off: signed calls are refused from 300 s on, and what you record"
            " (reasons, acceptances) is dated wrongly.",
            "Let this machine take its time from a time server.",
        )
    else:
        yield ok("This machine's clock agrees with AWS's.")
