"""Days and instants as an export writes them: by the format of a field, by ISO's form, or counted since 1970."""

import re
import time
from datetime import UTC, date, datetime
from functools import cache

from kulanz.domain.time import instant_of, local_day, zone_of
from kulanz_cli.prepare.profile import EPOCH_SECONDS_LEAST, EPOCHS, Field

_SECONDS = 1_000_000
_EPOCH_UNITS = dict(zip(EPOCHS, ("seconds", "milliseconds", "microseconds", "nanoseconds"), strict=True))
_OTHER_YEARS = "an instant of the years 1 to 9999, everywhere"
_DIGITS_OF = {"Y": 4, "j": 3}
"""The digits of a number in a format of strptime; the others have two."""


class Unread(ValueError):
    """A cell that is not what the profile says; the text says what was expected."""


def iso_local(text: str) -> datetime | None:
    """A time without offset in ISO's form; None where it is anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo is None and len(text) > len("2026-02-27") else None


def moment_of(text: str, field: Field) -> datetime:
    """What a text says by the field's format; without a zone where the format has none."""
    if field.format in EPOCHS:
        return _since_1970(text, field.format)
    try:
        moment = datetime.strptime(text, field.format)  # noqa: DTZ007 (its zone is the field's, looked at next)
        name = time.strptime(text, field.format).tm_zone if "%Z" in field.format else None
    except ValueError:
        raise Unread(f"a text as {field.format}") from None
    if not _with_all_digits(field.format).fullmatch(text):
        raise Unread(f"a text as {field.format}, with all its digits")
    if name is None or moment.tzinfo is not None:
        return moment
    if name.upper() not in ("UTC", "GMT"):
        raise Unread("a time in UTC or GMT; other zones have no name of their own in letters")
    return moment.replace(tzinfo=UTC)


@cache
def _with_all_digits(form: str) -> re.Pattern[str]:
    """What texts of a format look like: numbers that follow each other without a mark have all their digits.

    1032026 as %d%m%Y may be 10 March or 1 March.
    """

    def width(found: re.Match[str]) -> str:
        digits = sum(_DIGITS_OF.get(letter, 2) for letter in found[0][1::2])
        return f"[0-9]{{{digits}}}"

    written = re.sub("(?:%[YmdyHMSIj]){2,}", width, form)
    return re.compile(
        "".join(one if one.startswith("[") else ".*" for one in re.split(r"(\[0-9\]\{[0-9]+\})", written))
    )


def _since_1970(text: str, unit: str) -> datetime:
    if not re.fullmatch(r"-?[0-9]{1,19}", text, re.ASCII):
        raise Unread(f"a whole number of {_EPOCH_UNITS[unit]} since 1970")
    if 0 < abs(int(text)) < EPOCH_SECONDS_LEAST * EPOCHS[unit]:
        raise Unread(
            f"{_EPOCH_UNITS[unit]} since 1970; so few are within three years of it, and are probably of another unit"
        )
    try:
        return instant_of(int(text) * _SECONDS // EPOCHS[unit])
    except OverflowError:
        raise Unread(_OTHER_YEARS) from None


def day_in(instant: datetime, zone: str) -> date:
    """The day of an instant by the clocks of a zone."""
    try:
        return local_day(instant, zone_of(zone))
    except OverflowError:
        raise Unread(_OTHER_YEARS) from None


def in_zone(moment: datetime, field: Field) -> datetime:
    """The instant of a moment; that of a clock without offset only where its zone's clocks showed it exactly once."""
    if moment.tzinfo is not None:
        return moment
    if not field.timezone:
        raise Unread("an instant; it has no offset from UTC, state the timezone of its clock")
    zone = zone_of(field.timezone)
    try:
        instants = {moment.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    except OverflowError:
        raise Unread(_OTHER_YEARS) from None
    if len(instants) != 1:
        raise Unread(f"a time that the clocks of {field.timezone} showed exactly once; the clocks changed then")
    return instants.pop()
