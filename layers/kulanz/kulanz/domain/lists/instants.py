"""Instants as databases and programs write them: every form that says which instant it is, and no other.

An instant needs its offset from UTC, or a zone whose clock showed that time exactly once. Fractions of a second beyond
microseconds are cut off. What is refused: a time without any offset, a zone known by an abbreviation alone (CST is four
of them) but UTC, GMT and Z, a day that does not exist, days as 02/03/2026, and seconds since 1970, which any number is.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

from kulanz.domain.time import MONTH_NAMES, TimeError, parse_instant, zone_of

EXPECTED = "an instant with its offset from UTC, such as 2024-02-22T09:45:00Z"
_MONTHS = {name[:3]: number for number, name in enumerate(MONTH_NAMES, 1)}
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_CLOCK = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]{1,12}))?)?"
_OFFSET = r"(?P<sign>[+-])(?P<oh>[0-9]{2})(?::?(?P<om>[0-9]{2})(?::?(?P<os>[0-9]{2}))?)?"
_UTC = r"(?P<utc>Z|z|UTC|GMT|Etc/UTC)"
_REGION = r"(?P<region>[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+){1,2})"
_NUMERIC = re.compile(
    # PostgreSQL, BigQuery, Snowflake, Presto and Trino, SQL Server's datetimeoffset, Python, Ruby, .NET, ISO 8601;
    # Java's ZonedDateTime has its zone in brackets, Go's time.String a name behind the offset and a monotonic reading.
    rf"(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})[T ]{_CLOCK} ?"
    rf"(?:{_UTC}|(?:UTC|GMT)?{_OFFSET}|{_REGION})(?:\[(?P<bracket>[A-Za-z0-9_+:/-]+)\])?"
    r"(?: (?P<name>[A-Z]{1,5}|[+-][0-9]{2,4})(?: m=[+-][0-9.]+)?)?",
    re.ASCII,
)
_COMPACT = re.compile(  # ISO 8601 without separators
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})T"
    rf"(?P<hour>[0-9]{{2}})(?P<minute>[0-9]{{2}})(?P<second>[0-9]{{2}})(?:[.](?P<fraction>[0-9]{{1,12}}))?(?:{_UTC}|{_OFFSET})",
    re.ASCII,
)
_MAIL = re.compile(  # RFC 5322 and HTTP; Snowflake's and JavaScript's toUTCString
    r"(?:(?P<weekday>[A-Z][a-z]{2}), )?(?P<day>[0-9]{1,2}) (?P<word>[A-Z][a-z]{2}) (?P<year>[0-9]{4}) "
    rf"{_CLOCK} (?:{_UTC}|{_OFFSET})",
    re.ASCII,
)
_PROGRAM = re.compile(  # Java's Date.toString, the date command; JavaScript's Date.toString
    rf"(?P<weekday>[A-Z][a-z]{{2}}) (?P<word>[A-Z][a-z]{{2}}) (?P<day>[0-9 ]?[0-9]) (?:"
    rf"{_CLOCK} (?P<utc>UTC|GMT|Z) (?P<year>[0-9]{{4}})|"
    r"(?P<year2>[0-9]{4}) (?P<hour2>[0-9]{2}):(?P<minute2>[0-9]{2}):(?P<second2>[0-9]{2})"
    r" GMT(?P<sign>[+-])(?P<oh>[0-9]{2})(?P<om>[0-9]{2})(?: \([^()]*\))?)",
    re.ASCII,
)
_FORMS = (_NUMERIC, _COMPACT, _MAIL, _PROGRAM)
_UTC_NAMES = ("UTC", "GMT", "Z")
_LONGEST_CHARACTERS = 100


def read_instant(text: str) -> datetime:
    """Read an instant in any unambiguous form into aware UTC. Raises ``ValueError`` with what was expected."""
    try:
        return parse_instant(text)
    except TimeError:
        pass
    if len(text) <= _LONGEST_CHARACTERS:
        for form in _FORMS:
            found = form.fullmatch(text)
            if found is not None:
                return _instant(found)
    raise ValueError(EXPECTED)


def _instant(found: re.Match[str]) -> datetime:
    parts = found.groupdict()

    def number(name: str) -> int:
        return int(parts.get(name) or parts.get(f"{name}2") or 0)

    month = _MONTHS.get(parts["word"], 0) if parts.get("word") else number("month")
    fraction = (parts.get("fraction") or "").ljust(6, "0")[:6]
    try:
        local = datetime(  # noqa: DTZ001 (its zone is worked out next)
            number("year"), month, number("day"), number("hour"), number("minute"), number("second"), int(fraction)
        )
        instant = _in_utc(local, parts)
    except (ValueError, OverflowError):
        raise ValueError(f"{EXPECTED}, and one that exists") from None
    if parts.get("weekday") and _WEEKDAYS[local.weekday()] != parts["weekday"]:
        raise ValueError("an instant whose day of the week is that of its date")
    _must_agree(instant, local, parts)
    return instant


def _must_agree(instant: datetime, local: datetime, parts: dict[str, str | None]) -> None:
    """Refuse an instant that names a zone, beside its offset, whose clocks showed another time."""
    bracket, name = parts.get("bracket"), parts.get("name")
    expected = "an instant whose offset is that of the zone it names"
    if name and (not parts.get("sign") or (name in _UTC_NAMES and instant.replace(tzinfo=None) != local)):
        raise ValueError(expected)
    if bracket and bracket[0] not in "+-":  # else it only repeats the offset
        try:
            zone = zone_of(bracket)
        except TimeError:
            raise ValueError(expected) from None
        if instant.astimezone(zone).replace(tzinfo=None) != local:
            raise ValueError(expected)


def _in_utc(local: datetime, parts: dict[str, str | None]) -> datetime:
    if parts.get("sign"):
        hours, minutes, seconds = (int(parts.get(name) or 0) for name in ("oh", "om", "os"))
        offset = timedelta(hours=hours, minutes=minutes, seconds=seconds)
        return local.replace(tzinfo=timezone(-offset if parts["sign"] == "-" else offset)).astimezone(UTC)
    if parts.get("utc"):
        return local.replace(tzinfo=UTC)
    zone = zone_of(parts["region"] or "")
    instants = {local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    if len(instants) != 1:
        raise ValueError("that time was shown twice, or never, by the clocks of its zone")
    return instants.pop()
