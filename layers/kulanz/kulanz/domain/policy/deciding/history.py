"""The history of a subject under a policy: caps, repeat counts and carried amounts span its incidents.

Every incident that counts for a subject adds to its history, under its own id, in the transaction that writes its
decision. What an incident reads is a sum over others, so that deciding it again, or under a later campaign, never
counts it twice. What others granted counts in whatever order they are decided, so that a cap holds. What happened
counts where it began before this incident: the first of three outages, decided again, does not become the third.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from types import MappingProxyType
from typing import Any, NamedTuple

from kulanz.domain.canonical import canonical_json
from kulanz.domain.money import is_currency, whole
from kulanz.domain.policy.language import exposure
from kulanz.domain.time import format_instant, instant_of, microseconds_of, parse_instant

type HistoryValue = int | Fraction | exposure.Outage
"""Minor units of money, a number, or time as an outage."""
type HistoryValues = Mapping[str, HistoryValue]
"""Values by the name of what is kept; a period's share is named `<name>_<period>`, such as `already_paid_2026`. In a
history a name is followed by what its value is, such as `already_paid_2026:EUR` or `outages_before:windows`, so that a
version of the policy that keeps another type or currency under a name starts anew with it."""
type Net = Mapping[str, int | Decimal]
"""What an incident has granted a subject, less what is void: minor units by currency, quantities by unit."""
KIND_MARK = ":"
"""Between a name and what its value is; no name has it."""

HISTORY_LIFE = timedelta(days=1_827)
"""Five years: an incident that ended longer ago is not counted any more, whatever is still stored."""
LOOK_BACK_LONGEST = timedelta(days=1_461)
"""Four years: of an incident that began longer ago, others of the same year may have been dropped already."""
HISTORY_PARTS = 200
"""An addition has at most so many stretches of time, of some 50 bytes each."""
LAPSE_ALLOWANCE = timedelta(hours=24)
"""An offer that was not accepted is counted for so much longer than it is open: more than clocks differ."""
HISTORY_BYTES = 16 * 1024
"""A subject's history of more than this takes nothing more: its next incident is held for a person."""
HISTORY_FULL = "history_full"
HISTORY_CHANGED = "history_changed"
HISTORY_SETTLED = "history_settled"
NO_HISTORY: HistoryValues = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class HistoryKey:
    """Whose history it is: a subject of an account, under one policy, whatever its version."""

    account_id: str
    policy_id: str
    subject: str

    @property
    def partition(self) -> str:
        """The account's partition in the ledger."""
        return f"ACCOUNT#{self.account_id}"

    @property
    def place(self) -> str:
        """The history's place in the account's partition."""
        return f"STATE#{self.policy_id}#{self.subject}"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a biller took off an addition by reversals of one campaign's decision: it counts again where the biller
    undoes them.

    `money` is how much was reversed, in minor units by currency; `values` is what that took off. `others` is what other
    incidents had added under these names when it was taken off first: who has added since has used the room. What is
    decided under another id of the account is added there: `is_read` says that something was, by what is left here.
    """

    values: HistoryValues = field(default_factory=dict)
    money: Mapping[str, int] = field(default_factory=dict)
    others: HistoryValues = field(default_factory=dict)
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class Addition:
    """What one decision adds. `cleared` is time of earlier incidents that a payment has settled.

    `taken` is what reversals took off, by the number of the campaign. `dropped` counts again with the first of it that
    does: what went when nothing was left.

    `ended_at` is when the incident's outage ended: its age decides how long it counts. `began_at` is when the incident
    began; None in what was written before that was kept: then its end stands for it. `lapses_at` is the first instant
    at which an offer that nobody accepted stops counting; `lapsed` is what then counts in its place, because earlier
    campaigns of the incident had added it for good.
    """

    ended_at: datetime
    added: HistoryValues
    cleared: Mapping[str, exposure.Outage] = field(default_factory=dict)
    lapses_at: datetime | None = None
    lapsed: "Addition | None" = None
    began_at: datetime | None = None
    taken: Mapping[int, Taken] = field(default_factory=dict)
    dropped: "Addition | None" = None

    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        return not self.added and not self.cleared and self.lapsed is None and not self.taken

    def at(self, now: datetime) -> "Addition | None":
        """What of it counts for a decision made at `now`."""
        # Taken off `now`: an offer without an end is often written with the calendar's last day.
        has_lapsed = self.lapses_at is not None and now - LAPSE_ALLOWANCE >= self.lapses_at
        counted = self.lapsed if has_lapsed else self
        return counted if counted is not None and now - HISTORY_LIFE < counted.ended_at else None

    def for_good(self) -> "Addition | None":
        """What of it does not lapse."""
        return self if self.lapses_at is None else self.lapsed

    def granted(self) -> "Addition | None":
        """The same with what had gone of it: what voids take from, and reversals that are undone give to."""
        if self.lapses_at is None:
            return self
        return None if self.lapsed is None else replace(self.lapsed, dropped=self.dropped)

    def less(self, before: Net, after: Net) -> "Addition":
        """What is left of it once of `before` only `after` is: money in proportion, rounded up.

        So a cap never gives more again than was taken back. Where nothing is left, time that the payment had settled
        counts again. What happened stays: outages, and how many there were.
        """
        is_all = not any(after.values())
        values: dict[str, HistoryValue] = {}
        gone: dict[str, HistoryValue] = {}
        for name, value in self.added.items():
            currency = _currency(name)
            if isinstance(value, tuple):
                values[name] = value
            elif currency and (whole_before := before.get(currency, 0)):
                left = ceil(Fraction(value) * Fraction(after.get(currency, 0)) / Fraction(whole_before))
                values |= {name: left} if left else {}
            elif value > 0 or not is_all:
                values[name] = value
            else:
                gone[name] = value
        if not is_all:
            return replace(self, added=values)
        dropped = Addition(self.ended_at, gone, self.cleared) if gone or self.cleared else self.dropped
        return replace(self, added=values, cleared={}, dropped=dropped)

    def with_granted(self, before: "Addition", after: "Addition") -> "Addition":
        """The same once what it adds for good is not `before` but `after`; an offer beside it stays as it is."""
        if self.lapses_at is None:
            return after
        added = dict(self.added)
        for name in {
            name for one in (before, after) for name, value in one.added.items() if not isinstance(value, tuple)
        }:
            added[name] = _number(added, name) + _number(after.added, name) - _number(before.added, name)
        counted = {name: value for name, value in added.items() if value}
        return replace(self, added=counted, lapsed=replace(after, dropped=None), dropped=after.dropped)


@dataclass(frozen=True, slots=True)
class Order:
    """What one incident counts of others: `in_any_order` says it of a stored name, whenever the others began."""

    incident_id: str
    began_at: datetime
    in_any_order: Callable[[str], bool]

    def is_before(self, incident_id: str, addition: Addition) -> bool:
        """Whether another incident began before this one; of two that began together the lower id is the first."""
        began_at = addition.ended_at if addition.began_at is None else addition.began_at
        return (began_at, incident_id) < (self.began_at, self.incident_id)


@dataclass(frozen=True, slots=True)
class SubjectHistory:
    """The history of one subject under one policy, by incident. `version` counts its changes; 0: nothing is stored."""

    version: int = 0
    incidents: Mapping[str, Addition] = field(default_factory=dict)

    def before(self, order: Order, now: datetime) -> HistoryValues:
        """What other incidents add up to for one, as far as they count at `now`. Nothing and zero are left out."""
        kept: dict[str, HistoryValue] = {}
        cleared: dict[str, exposure.Outage] = {}
        for incident, stored in self.incidents.items():
            addition = None if incident == order.incident_id else stored.at(now)
            if addition is None:
                continue
            is_before = order.is_before(incident, addition)
            for name, value in addition.added.items():
                if is_before or order.in_any_order(name):
                    kept[name] = _together(kept[name], value) if name in kept else value
            for name, time in addition.cleared.items():
                cleared[name] = exposure.union((*cleared.get(name, ()), *time))
        for name, time in cleared.items():
            before = kept.get(name)
            if isinstance(before, tuple):
                kept[name] = exposure.without(before, time)
        # One form of each number: bodies with equal values are remembered by equality, so these must be told alike.
        return {
            name: value if isinstance(value, tuple) else whole(value) for name, value in sorted(kept.items()) if value
        }

    def settled(self, incident_id: str, now: datetime) -> HistoryValues:
        """The time that an incident added and that payments for others have settled since: it is paid already."""
        mine = self.incidents.get(incident_id)
        found: dict[str, HistoryValue] = {}
        for name, time in (mine.added if mine is not None else {}).items():
            if isinstance(time, tuple):
                others = (other.at(now) for place, other in self.incidents.items() if place != incident_id)
                cleared = [part for other in others if other is not None for part in other.cleared.get(name, ())]
                found[name] = exposure.both(time, exposure.union(cleared))
        return {name: time for name, time in found.items() if time}

    def with_addition(self, incident_id: str, addition: Addition, now: datetime) -> "SubjectHistory":
        """The history with an incident's addition in the place of its earlier one; what counts no more is dropped."""
        others = {name: other for name, other in self.incidents.items() if name != incident_id and other.at(now)}
        earlier = self.incidents.get(incident_id)
        if addition.lapses_at is not None and earlier is not None:
            stays = earlier.for_good()
            addition = replace(addition, lapsed=None if stays is None else replace(stays, taken={}, dropped=None))
        if earlier is not None and earlier.taken:
            addition = replace(addition, taken=earlier.taken, dropped=earlier.dropped)
        return SubjectHistory(self.version + 1, others if addition.is_empty() else {**others, incident_id: addition})

    def accepted(self, incident_id: str) -> "SubjectHistory | None":
        """The history once an incident's offer was accepted; None when that changes nothing."""
        offered = self.incidents.get(incident_id)
        if offered is None or offered.lapses_at is None:
            return None
        kept = replace(offered, lapses_at=None, lapsed=None)
        return SubjectHistory(self.version + 1, {**self.incidents, incident_id: kept})

    def voided(self, incident_id: str, before: Net, after: Net) -> "SubjectHistory | None":
        """The history once a void has taken back some of what an incident granted; None where it has nothing of it.

        `before` and `after` are what it had granted until then and what is left, by currency (in minor units) and unit.
        The history gets another version also where all its values stay: who works out beside this what is left has to
        read again.
        """
        added = self.incidents.get(incident_id)
        if added is None:
            return None
        granted = added.granted()
        if granted is None:
            return self._with(incident_id, added)
        left = granted.less(before, after)
        return self._with(
            incident_id, added.with_granted(granted, left if added.taken else replace(left, dropped=None))
        )

    def reversed(self, incident_id: str, seq: int, before: Net, after: Net, now: datetime) -> "Reversed | None":
        """The same once the biller has booked reversals of the decision of campaign `seq`, or has undone them.

        What that took off counts again to the last unit once all of it is undone, also where a later campaign has
        decided since. Of a part that is undone the share is rounded up. Where a history counts otherwise than in money
        as it is granted, each reversal that is not undone may be a minor unit off.
        """
        added = self.incidents.get(incident_id)
        granted = None if added is None else added.granted()
        if added is None or granted is None:
            return None
        booked = {measure: min(size, after.get(measure, 0)) for measure, size in before.items()}
        left = granted.less(before, booked) if booked != dict(before) else granted
        others = self._others(incident_id, now)
        taken = _with_taken(added.taken.get(seq, Taken()), granted, left, before, booked, others)
        undone = {measure: int(after[measure]) - int(size) for measure, size in booked.items() if is_currency(measure)}
        again, taken = _given_again(taken, {measure: size for measure, size in undone.items() if size > 0})
        is_used = any(
            size > 0 and (taken.is_read or _number(others, name) > _number(taken.others, name))
            for name, size in again.items()
        )
        values = {**left.added, **{name: _number(left.added, name) + size for name, size in again.items()}}
        left = replace(left, added={name: value for name, value in values.items() if value})
        if left.dropped is not None and any(after.get(measure, 0) > size for measure, size in booked.items()):
            is_used = is_used or self._is_settled_elsewhere(incident_id, left.dropped)
            left = _with_dropped(left, left.dropped)
        kept = {no: one for no, one in added.taken.items() if no != seq}
        if taken.money or is_used:  # else who has used the room would not be seen where it is taken and given once more
            kept[seq] = taken
        changed = replace(added.with_granted(granted, left), taken=kept)
        return Reversed(self._with(incident_id, changed), is_used)

    def _with(self, incident_id: str, addition: Addition) -> "SubjectHistory":
        return SubjectHistory(self.version + 1, {**self.incidents, incident_id: addition})

    def _others(self, incident_id: str, now: datetime) -> dict[str, int | Fraction]:
        """What other incidents have added in numbers, with what reversals took off. An offer that has lapsed is room
        that somebody else may have had.
        """
        found: dict[str, int | Fraction] = {}
        for place, one in self.incidents.items():
            counted = None if place == incident_id else one.at(now)
            if counted is None:
                continue
            for values in (counted.added, *(taken.values for taken in one.taken.values())):
                found |= {name: found.get(name, 0) + _number(values, name) for name in values}
        return found

    def _is_settled_elsewhere(self, incident_id: str, dropped: Addition) -> bool:
        """Whether time that counts as settled again was settled by another incident's payment meanwhile."""
        others = [one.cleared for place, one in self.incidents.items() if place != incident_id]
        return any(
            exposure.both(time, other.get(name, ())) for name, time in dropped.cleared.items() for other in others
        )

    def read_under_another_id(self) -> "SubjectHistory":
        """The history of a former id of an account, once something was decided by it under the present one."""

        def read(one: Addition) -> Addition:
            return replace(one, taken={seq: replace(taken, is_read=True) for seq, taken in one.taken.items()})

        incidents = {place: read(one) if one.taken else one for place, one in self.incidents.items()}
        return SubjectHistory(self.version + 1, incidents)

    def is_full(self) -> bool:
        """Whether it has grown beyond its limit."""
        return len(self.to_text().encode()) > HISTORY_BYTES

    def ends_at(self) -> datetime | None:
        """When nothing of it counts any more."""
        ends = [
            one.ended_at for stored in self.incidents.values() for one in (stored, stored.lapsed) if one is not None
        ]
        return max(ends) + HISTORY_LIFE if ends else None

    def to_text(self) -> str:
        """The history as canonical JSON, without its version."""
        return canonical_json({incident: _addition_content(one) for incident, one in self.incidents.items()})

    @classmethod
    def from_text(cls, version: int, text: str) -> "SubjectHistory":
        """Read what `to_text` wrote."""
        return cls(version, {incident: _read_addition(one) for incident, one in json.loads(text).items()})


class Reversed(NamedTuple):
    """A history after a biller's answers to reversals. `is_room_used`: others have added since what counts again now
    was taken off, so that together they may be over a cap.
    """

    history: SubjectHistory
    is_room_used: bool


def _currency(name: str) -> str:
    """The currency of a value under a name of a history; empty where it is none."""
    kind = name.rpartition(KIND_MARK)[2]
    return kind if is_currency(kind) else ""


def _number(values: HistoryValues, name: str) -> int | Fraction:
    value = values.get(name, 0)
    return 0 if isinstance(value, tuple) else value


def _with_taken(
    taken: Taken,
    granted: Addition,
    left: Addition,
    before: Net,
    booked: Net,
    others: HistoryValues,
) -> Taken:
    """What was taken off by reversals, with what one more step takes: from `granted` to `left`."""
    money = {measure: int(size) - int(booked[measure]) for measure, size in before.items() if is_currency(measure)}
    less = {name: _number(granted.added, name) - _number(left.added, name) for name in granted.added if _currency(name)}
    values = {name: _number(taken.values, name) + size for name, size in less.items() if size}
    return Taken(
        {**taken.values, **values},
        {**taken.money, **{name: taken.money.get(name, 0) + size for name, size in money.items() if size}},
        {**{name: _number(others, name) for name in values}, **taken.others},
        taken.is_read,
    )


def _given_again(taken: Taken, undone: Mapping[str, int]) -> tuple[dict[str, int | Fraction], Taken]:
    """What counts again of what was taken off, once so much money stands again, and what is still taken off then.

    Of what was reversed before this was kept nothing is known, and nothing counts again.
    """
    again: dict[str, int | Fraction] = {}
    money = dict(taken.money)
    for currency, size in undone.items():
        of = money.get(currency, 0)
        for name in taken.values if of else ():
            if _currency(name) == currency:
                value = _number(taken.values, name)
                again[name] = value if size >= of else ceil(Fraction(value * size, of))
        money[currency] = max(0, of - size)
    values = {name: _number(taken.values, name) - again.get(name, 0) for name in taken.values}
    return again, Taken(
        {name: value for name, value in values.items() if value},
        {currency: size for currency, size in money.items() if size},
        taken.others,
        taken.is_read,
    )


def _with_dropped(left: Addition, dropped: Addition) -> Addition:
    """An addition with what had gone when nothing was left."""
    cleared = dict(left.cleared)
    for name, time in dropped.cleared.items():
        cleared[name] = exposure.union((*cleared.get(name, ()), *time))
    return replace(left, added={**dropped.added, **left.added}, cleared=cleared, dropped=None)


def _together(one: HistoryValue, other: HistoryValue) -> HistoryValue:
    if isinstance(one, tuple) or isinstance(other, tuple):
        assert isinstance(one, tuple)
        assert isinstance(other, tuple)
        return exposure.union((*one, *other))
    return one + other


def history_content(kept: HistoryValues) -> dict[str, Any]:
    """Values of a history as plain JSON: money as a whole number, a number as text, time as pairs of instants."""
    return {name: _plain(value) for name, value in kept.items()}


def values_of_history(content: Mapping[str, Any]) -> HistoryValues:
    """Read what `history_content` wrote."""
    return {name: _value(plain) for name, plain in content.items()}


def _plain(value: HistoryValue) -> Any:
    if isinstance(value, tuple):
        return [[format_instant(instant_of(start)), format_instant(instant_of(end))] for start, end in value]
    return f"{value.numerator}/{value.denominator}" if isinstance(value, Fraction) else value


def _value(plain: Any) -> HistoryValue:
    if isinstance(plain, list):
        return tuple(
            (microseconds_of(parse_instant(start)), microseconds_of(parse_instant(end))) for start, end in plain
        )
    return Fraction(plain) if isinstance(plain, str) else int(plain)


def _addition_content(addition: Addition) -> dict[str, Any]:
    content: dict[str, Any] = {"ended": format_instant(addition.ended_at)}
    if addition.began_at is not None:
        content["began"] = format_instant(addition.began_at)
    if addition.added:
        content["added"] = history_content(addition.added)
    if addition.cleared:
        content["cleared"] = history_content(addition.cleared)
    if addition.lapses_at is not None:
        content["lapses"] = format_instant(addition.lapses_at)
    if addition.lapsed is not None:
        content["lapsed"] = _addition_content(addition.lapsed)
    if addition.taken:
        content["taken"] = {str(seq): _taken_content(one) for seq, one in addition.taken.items()}
    if addition.dropped is not None:
        content["dropped"] = _addition_content(addition.dropped)
    return content


def _taken_content(taken: Taken) -> dict[str, Any]:
    return {
        "money": dict(taken.money),
        "others": history_content(taken.others),
        "values": history_content(taken.values),
        **({"is_read": True} if taken.is_read else {}),
    }


def _read_taken(content: Mapping[str, Any]) -> Taken:
    values, others = values_of_history(content["values"]), values_of_history(content["others"])
    return Taken(values, dict(content["money"]), others, content.get("is_read", False))


def _read_addition(content: Mapping[str, Any]) -> Addition:
    began, lapses, lapsed = content.get("began"), content.get("lapses"), content.get("lapsed")
    dropped = content.get("dropped")
    return Addition(
        ended_at=parse_instant(content["ended"]),
        added=values_of_history(content.get("added", {})),
        cleared={
            name: time
            for name, time in values_of_history(content.get("cleared", {})).items()
            if isinstance(time, tuple)
        },
        lapses_at=None if lapses is None else parse_instant(lapses),
        lapsed=None if lapsed is None else _read_addition(lapsed),
        began_at=None if began is None else parse_instant(began),
        taken={int(seq): _read_taken(one) for seq, one in content.get("taken", {}).items()},
        dropped=None if dropped is None else _read_addition(dropped),
    )
