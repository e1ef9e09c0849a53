"""What a policy is compiled for: an incident and the instant of the decision."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.incident import Incident
from kulanz.domain.policy.language import exposure, kinds
from kulanz.domain.policy.language.errors import PolicyError
from kulanz.domain.policy.language.expression import Node, constant_node
from kulanz.domain.policy.language.kinds import Kind
from kulanz.domain.policy.language.periods import label
from kulanz.domain.time import Window, microseconds_of

OF_THE_INCIDENT = ("windows", "cause", "service", "functions")
"""What a fact may be called as well: the account's own, else the incident's."""
_KINDS: dict[str, Kind] = {
    "windows": kinds.OUTAGE,
    "incident_start": kinds.INSTANT,
    "incident_end": kinds.INSTANT,
    "cause": kinds.TEXT,
    "service": kinds.TEXT,
    "functions": kinds.LIST,
    "decided_at": kinds.INSTANT,
}
OCCASION_NAMES = tuple(_KINDS)
"""What expressions may name of the incident and of the decision."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """An incident, and the aware instant ``decided_at`` until which its open windows last.

    Without an incident (``None``) a policy is checked, but nothing about an incident is known.
    """

    incident: Incident | None = None
    decided_at: datetime | None = None

    def node(self, name: str) -> Node:
        """Give what a name of ``OCCASION_NAMES`` is: a constant, or unknown where there is no incident."""
        kind = _KINDS[name]
        if self.incident is None or self.decided_at is None:
            return Node(kind, lambda _row: None, "name", name, reads=frozenset({name}))
        windows = self.windows()
        value: Any = {
            "windows": windows,
            "incident_start": windows[0][0] if windows else None,
            "incident_end": windows[-1][1] if windows else None,
            "cause": self.incident.cause or None,
            "service": self.incident.service or None,
            "functions": self.incident.functions,
            "decided_at": self.now,
        }[name]
        return constant_node(kind, value, name, "name")

    @property
    def now(self) -> int:
        """The instant of the decision, in microseconds since 1970; 0 where there is none."""
        return 0 if self.decided_at is None else microseconds_of(self.decided_at)

    def windows(self) -> exposure.Outage:
        """Give the incident's windows, merged; one that still lasts ends at ``decided_at``."""
        if self.incident is None or self.decided_at is None:
            return ()
        return self.intervals(self.incident.windows)

    def intervals(self, windows: Iterable[Window]) -> exposure.Outage:
        """Give windows as an outage; one without an end lasts until ``decided_at``."""
        now = self.now
        return exposure.union(
            (microseconds_of(window.start), now if window.end is None else microseconds_of(window.end))
            for window in windows
        )

    def period_labels(self, per: str, zone: ZoneInfo | None) -> list[str]:
        """Give the labels of the periods that the incident touches; none where the zone is an account's own."""
        if zone is None:
            return []
        try:
            periods = exposure.periods_of(self.windows(), zone, per)
        except exposure.TooLong:
            problem = f"the incident lasts more than {exposure.MAX_DAYS} days, too long for a cap per {per}"
            raise PolicyError(problem, ("cap",)) from None
        return [label(period[0], per, zone) for period in periods]
