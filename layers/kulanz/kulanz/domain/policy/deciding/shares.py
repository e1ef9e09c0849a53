"""Dividing an amount over the periods of the calendar that an outage lies in, each with its own cap."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.money import Exact
from kulanz.domain.policy.deciding.facts import FactSlot
from kulanz.domain.policy.deciding.history import HistoryValue
from kulanz.domain.policy.deciding.program import Program
from kulanz.domain.policy.deciding.verdict import NO_LENGTH, ComponentResult, Share, Verdict, held, not_known, total_of
from kulanz.domain.policy.language import exposure
from kulanz.domain.policy.language.expression import Node, Row, unknown_name
from kulanz.domain.policy.language.periods import label


class Shares:
    """The shares of a policy's amounts in the periods of ``outage``, the counted time."""

    def __init__(self, program: Program, outage: Node) -> None:
        self._program = program
        self._outage = outage
        self._families = [slot for slot in program.slots.values() if slot.columns or (slot.in_history and slot.per)]
        self._now = program.occasion.now

    def limit(self, cap: Node, per: str, verdict: Verdict, row: Row) -> Exact | Verdict:
        """Divide the amount over the periods, by time or as it was worked out, and limit each share by its own cap.

        Where an earlier cap of the same periods has divided it, it is divided as that one allowed.
        """
        outage, zone = self._outage.evaluate(row), self._program.scope.zone.evaluate(row)
        if outage is None or zone is None:
            return held(self._outage if outage is None else self._program.scope.zone, row)
        amount = total_of(verdict.results)
        weights = self._weights(outage, zone, per, verdict)
        whole = sum(weight for _, weight in weights)
        if amount and not whole:
            return not_known("", why=NO_LENGTH)
        allowed: Exact = 0
        pieces = self._pieces(outage, zone, per)
        for name, weight in weights:
            part = self._program.fresh(row)
            if self._program.piece_place is not None:
                part[self._program.piece_place] = pieces[name]
            for family in self._families:
                part[family.index] = _of_period(family, name, row)
            limit = cap.evaluate(part)
            if limit is None:
                missing = unknown_name(cap, part)
                known_family = any(family.declaration.name == missing for family in self._families)
                return not_known(f"{missing}_{name}") if known_family else held(cap, part)
            share = Fraction(amount) * weight / whole
            verdict.shares.append(Share(name, share, max(limit, 0), cap, part))
            allowed += min(share, max(limit, 0))
        return allowed

    def _pieces(self, outage: exposure.Outage, zone: ZoneInfo, per: str) -> Mapping[str, exposure.Outage]:
        """Give what of an outage lies in each period, by label, where the policy works out amounts in parts.

        There `outage` is a part; in the cap of a period it is what lies in that period.
        """
        if self._program.piece_place is None:
            return {}
        periods = exposure.periods_of(outage, zone, per)
        return {label(period[0], per, zone): exposure.clip(outage, *period) for period in periods}

    def by_period(self, slot: FactSlot, amount: Exact, verdict: Verdict, row: Row) -> dict[str, HistoryValue]:
        """Divide money over the periods as the cap of these periods allowed it, else as it was worked out.

        The parts are whole minor units that add up to the amount: the largest remainders get the units that are left.
        Where a cap was reached in one period, what rounding added counts in another one that has room.
        """
        zone = self._program.scope.zone.evaluate(row)
        outage = self._outage.evaluate(row) or ((self._now, self._now + 1),)
        weights = dict(self._weights(outage, zone, slot.per, verdict))
        limits: dict[str, Exact] = {}
        for share in verdict.shares:
            limits[share.period] = min(share.limit, limits.get(share.period, share.limit))
        whole = self._program.round_minor(amount)
        parts = {name: Fraction(whole) * weight / sum(weights.values()) for name, weight in weights.items()}
        return {f"{slot.declaration.name}_{name}": part for name, part in _whole_parts(whole, parts, limits).items()}

    def _weights(self, outage: exposure.Outage, zone: ZoneInfo, per: str, verdict: Verdict) -> list[tuple[str, Exact]]:
        """By what an amount is divided over periods: what their last cap allowed each, else what was worked out for it,
        else the outage's time in each.
        """
        by_time = _time_in_each(outage, zone, per)
        if len(by_time) == 1:  # most outages lie in one period, which then has all of it
            return list(by_time.items())
        allowed = {share.period: min(share.exact, share.limit) for share in verdict.shares if share.period in by_time}
        if sum(allowed.values()) > 0:
            return list(allowed.items())
        worked_out = self._worked_out(by_time, zone, per, verdict.results)
        return worked_out or list(by_time.items())

    def _worked_out(
        self, by_time: dict[str, Exact], zone: ZoneInfo, per: str, results: list[ComponentResult]
    ) -> list[tuple[str, Exact]]:
        """Give what each period has of amounts that were worked out in parts: each part is divided by its own time.

        Periods without any are left out; there is nothing to tell where no component was worked out in parts.
        """
        place = self._program.piece_place
        if place is None or not any(result.pieces for result in results):
            return []
        amounts: dict[str, Fraction] = dict.fromkeys(by_time, Fraction(0))
        for result in (result for result in results if result.exact):
            parts = [(_time_in_each(row[place], zone, per), exact) for row, exact in result.pieces if exact > 0]
            parts = parts or [(by_time, result.exact)]
            whole = sum(exact for _, exact in parts)
            for times, exact in parts:
                for name, time in times.items():
                    amounts[name] += Fraction(result.exact) * exact * time / whole / sum(times.values())
        return [(name, amount) for name, amount in amounts.items() if amount]


def _time_in_each(outage: exposure.Outage, zone: ZoneInfo, per: str) -> dict[str, Exact]:
    """Give the time that an outage has in each of the periods that it touches, by their labels."""
    periods = exposure.periods_of(outage, zone, per)
    return {label(period[0], per, zone): exposure.total(exposure.clip(outage, *period)) for period in periods}


def _whole_parts(whole: int, parts: Mapping[str, Fraction], limits: Mapping[str, Exact]) -> dict[str, int]:
    """Give parts as whole minor units: the largest remainders get what is left, as far as their limits have room."""
    given = {name: int(min(part, limits.get(name, part)) // 1) for name, part in parts.items()}
    left = whole - sum(given.values())
    order = sorted(parts, key=lambda name: (given[name] - parts[name], name))
    for most in (1, left):
        for name in order:
            room = int(limits[name] // 1) - given[name] if name in limits else left
            taken = min(most, left, room)
            given[name] += taken
            left -= taken
    given[order[0]] += left  # a step of rounding that no limit has room for
    return given


def _of_period(family: FactSlot, period: str, row: Row) -> Any:
    """Give the value that a fact of several periods has in one of them; what is kept is nothing where nothing was."""
    if family.in_history:
        return row[family.index].get(period, 0)
    name = f"{family.declaration.name}_{period}"
    column = next((slot for slot in family.columns if slot.declaration.name == name), None)
    return None if column is None else row[column.index]
