"""Times that nobody can have meant: an export's empty date, a claim before the incident, an outage that is another.

They are well-formed, so that nothing else stops them. Which facts they are asked of follows from what a policy does
with a fact: it is when something was claimed or accepted (`at`), what the outage is cut by (`exposure`), what chooses
the version (`in_force`), or an account's own windows. A contract may be of any age, so that days that only choose the
version may lie before the incident.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.decision import Outcome
from kulanz.domain.lists.facts import FactValue
from kulanz.domain.policy.deciding.facts import FactSlot
from kulanz.domain.policy.deciding.judge import Judge
from kulanz.domain.policy.deciding.program import Program
from kulanz.domain.policy.deciding.verdict import Verdict
from kulanz.domain.time import CLOCK_ALLOWANCE, Window, local_day

EMPTY_DATE = "empty_date"
BEFORE_INCIDENT = "time_before_incident"
AFTER_DECISION = "time_after_decision"
OWN_WINDOW_OPEN = "own_window_open"
OWN_WINDOW_ELSEWHERE = "own_window_elsewhere"

EMPTY_DATES = frozenset(
    date(*parts)
    for parts in (
        (1, 1, 1), (1582, 10, 15), (1601, 1, 1), (1753, 1, 1), (1800, 1, 1), (1899, 12, 30), (1899, 12, 31),
        (1900, 1, 1), (1900, 1, 2), (1904, 1, 1), (1970, 1, 1), (1980, 1, 1), (2999, 12, 31), (4712, 12, 31),
        (9999, 1, 1), (9999, 12, 30), (9999, 12, 31),
    )
)  # fmt: skip
"""What programs write where there is no date: .NET, SQL Server, Excel, Unix, Oracle, SAP."""
ONE_DAY = timedelta(days=1)
ANY_AGE = timedelta(days=365 * 400)
"""Of a day that may lie before the incident by any time."""
_UNITS = {"hour": timedelta(hours=1), "day": ONE_DAY, "week": timedelta(weeks=1)}


class Plausible:
    """What the times of one campaign's accounts must be like; looks at the typed values, before defaults stand in."""

    def __init__(self, program: Program, judge: Judge, slots: Sequence[FactSlot]) -> None:
        self._zone = program.scope.zone
        incident, self._now = program.occasion.incident, program.occasion.decided_at
        self._windows: tuple[Window, ...] = () if incident is None else incident.windows
        self._began = min((window.start for window in self._windows), default=None)
        self._is_over = all(window.end is not None for window in self._windows)
        roles = {} if incident is None or self._now is None else _roles(program, judge)
        self.names = tuple(roles)
        self._asked = tuple(
            (place, slot.declaration.name, roles[slot.declaration.name])
            for place, slot in enumerate(slots)
            if slot.declaration.name in roles
        )

    def judged(self, verdict: Verdict, values: Sequence[FactValue | None], row: Any) -> Verdict:
        """The verdict, or a hold where a time it rests on cannot be meant.

        What was decided without it stands: somebody who is excluded anyway, and what a person decides anyway.
        """
        if not self._asked or verdict.outcome in (Outcome.HELD, Outcome.REFERRED):
            return verdict
        for name, reason in self._implausible(values, row):
            clause = verdict.clause
            if clause is None or clause.node is None or name in clause.node.reads or verdict.results:
                return Verdict(Outcome.HELD, reason, why=name)
        return verdict

    def _implausible(self, values: Sequence[FactValue | None], row: Any) -> Iterator[tuple[str, str]]:
        for place, name, early in self._asked:
            value = values[place]
            reason = ""
            if isinstance(value, tuple):
                own = [window for window in value if isinstance(window, Window)]
                reason = next((found for window in own if (found := self._of_window(window, early))), "")
            elif isinstance(value, date):
                reason = self._of_time(value, early, row)
            if reason:
                yield name, reason

    def _of_window(self, window: Window, early: timedelta) -> str:
        if window.start.date() in EMPTY_DATES or (window.end is not None and window.end.date() in EMPTY_DATES):
            return EMPTY_DATE
        if self._began is None:
            return ""
        if window.start < self._began - early:
            return BEFORE_INCIDENT
        if window.end is None and self._is_over:
            return OWN_WINDOW_OPEN
        return "" if any(_meet(window, one) for one in self._windows) else OWN_WINDOW_ELSEWHERE

    def _of_time(self, value: date, early: timedelta, row: Any) -> str:
        days = {value.date(), *_beside(value)} if isinstance(value, datetime) else {value}
        if days & EMPTY_DATES:
            return EMPTY_DATE
        assert self._now is not None
        latest = self._now + CLOCK_ALLOWANCE
        earliest = None if early == ANY_AGE or self._began is None else self._began - early
        if isinstance(value, datetime):
            too_early, too_late = earliest is not None and value < earliest, value > latest
        else:
            zone = self._zone.evaluate(row)
            too_early = earliest is not None and value < _day(earliest, zone, -ONE_DAY)
            too_late = value > _day(latest, zone, ONE_DAY)
        return BEFORE_INCIDENT if too_early else AFTER_DECISION if too_late else ""


def _roles(program: Program, judge: Judge) -> Mapping[str, timedelta]:
    """The facts that say when something about the incident was done, with how long before it that may be."""
    policy = program.policy
    rules = [(policy.exposure.from_, ("exposure", "from")), (policy.exposure.until, ("exposure", "until"))]
    nodes = [program.compile(text, path) for text, path in rules if text]
    nodes += [mode.at for component in judge.components for mode in component.modes if mode.at is not None]
    done = frozenset[str]().union(*(node.reads for node in nodes))
    chooses = frozenset[str]()
    if policy.in_force is not None:
        chooses = program.compile(policy.in_force.by, ("in_force", "by")).reads
    roles: dict[str, timedelta] = {}
    for name, fact in policy.facts.items():
        is_time, is_own = fact.type in ("instant", "day"), (fact.type, name) == ("windows", "windows")
        if fact.early or (is_time and name in done) or (fact.type == "instant" and name in chooses) or is_own:
            roles[name] = _length(fact.early)
        elif is_time and name in chooses:
            roles[name] = ANY_AGE
    return roles


def _length(text: str) -> timedelta:
    count, _, unit = text.partition(" ")
    return int(count) * _UNITS[unit.removesuffix("s")] if text else timedelta()


def _meet(window: Window, other: Window) -> bool:
    """Whether two windows have an instant in common."""
    return (other.end is None or window.start < other.end) and (window.end is None or other.start < window.end)


def _beside(value: datetime) -> list[date]:
    """The days on which an instant lies in the zones that are ahead or behind: midnight is written in local time."""
    try:
        return [(value + shift).date() for shift in (timedelta(hours=14), timedelta(hours=-12))]
    except OverflowError:
        return [value.date()]


def _day(instant: datetime, zone: ZoneInfo | None, unsure: timedelta) -> date:
    """The day of an instant; where the zone is not known, a day beside it."""
    return local_day(instant, zone) if zone is not None else instant.astimezone(UTC).date() + unsure
