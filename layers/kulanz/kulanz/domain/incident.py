"""The incident as a decision sees it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256

from kulanz.domain.canonical import canonical_json
from kulanz.domain.time import Window, format_instant


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened: which service and functions, when, why, and facts that hold for every account.

    ``facts`` are plain JSON values; a policy declares the ones it reads with their types.
    """

    incident_id: str
    revision: int
    title: str
    service: str
    functions: tuple[str, ...]
    windows: tuple[Window, ...]
    cause: str | None = None
    facts: Mapping[str, object] = field(default_factory=dict)


def outage_digest(incident: Incident) -> str:
    """SHA-256, in hexadecimal, of the service and of the time that an incident covers.

    Two incidents with the same digest are about the same outage: the order of the windows, a window that another one
    covers or continues, and the letters' case in the service's name make no difference.
    """
    service = " ".join(incident.service.casefold().split())
    content = canonical_json({"service": service, "windows": list(_covered(incident.windows))})
    return sha256(content.encode()).hexdigest()


def _covered(windows: Iterable[Window]) -> Iterable[list[str | None]]:
    """The time that windows cover, as few windows as can be; the last may have no end."""
    start: datetime | None = None
    end: datetime | None = None
    for window in sorted(windows, key=lambda one: one.start):
        if start is None or (end is not None and window.start > end):
            if start is not None:
                yield _written(start, end)
            start, end = window.start, window.end
        elif end is not None:
            end = None if window.end is None else max(end, window.end)
    if start is not None:
        yield _written(start, end)


def _written(start: datetime, end: datetime | None) -> list[str | None]:
    return [format_instant(start), None if end is None else format_instant(end)]
