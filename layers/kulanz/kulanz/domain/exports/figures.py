"""What the rows of an export add up to, and what they must add up to: the plan's figures, or the ledger's."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, NEVER_WRITTEN, RowResult, Totals, WriteResult
from kulanz.domain.delivery.law import STATED, Counted, Law, Shares, unequal
from kulanz.domain.money import Size


class Of(StrEnum):
    """What an export shows: what a plan decides, or what stands in the ledger."""

    PLAN = "plan"
    LEDGER = "ledger"


class Written(StrEnum):
    """Whether a line's decision stands in the ledger. PLANNED: the export is of a plan, and nothing is written.

    UNCOUNTED: it stands there and no receipt counts it, because its campaign was stopped in between.
    """

    PLANNED = ""
    YES = "yes"
    UNCOUNTED = "uncounted"
    NO = "no"


COUNTED = frozenset({Written.PLANNED, Written.YES})
"""The lines whose amounts are in the plan's sums, or in those of the reconciliation."""
DUPLICATE, CONFLICT = "duplicate", "conflict"
"""The result of a line that names a subject again: with the same facts, or with others. The first line counts."""
NOT_WRITTEN = "not_written"
"""The result of a line that the execution had not reached when its campaign was stopped."""
MISSING = "missing"
"""The result of a line whose decision should stand in the ledger, and does not."""
GOODWILL = "goodwill"
"""The result of a decision that a person gave, and that no row of a list made."""
CLAIMABLE, ACCEPTED, UNCOUNTED = "claimable", "accepted", "uncounted"
"""Sums beside those of the reconciliation: what customers may still claim, what they have accepted or persons granted,
and what stands in the ledger without a receipt that counts it. Beside these stand the shares of the law (`STATED`)."""
DECIDED = "decided"
"""All results that leave a decision: what is compared where some of them were capped or held since the plan."""


class LineKey(NamedTuple):
    """What lines are counted by."""

    result: str
    reason: str
    written: Written


class SumKey(NamedTuple):
    """What amounts are added up by. `measure` is a currency, in minor units, or a unit."""

    of: str
    measure: str


@dataclass(slots=True)
class Figures:
    """Lines and sums of some rows; adding those of two disjoint ranges gives those of both. Blank lines are no rows."""

    lines: Counter[LineKey] = field(default_factory=Counter)
    sums: dict[SumKey, Size] = field(default_factory=dict)

    def add(self, other: "Figures") -> None:
        """Add the figures of other lines."""
        self.lines.update(other.lines)
        for key, size in other.sums.items():
            self.add_sum(key, size)

    def add_sum(self, key: SumKey, size: Size) -> None:
        """Add an amount."""
        self.sums[key] = self.sums.get(key, 0) + size


def expected(campaign: Campaign, of: Of) -> Figures:
    """What an export must come to: the figures of the campaign's receipts."""
    if of is Of.PLAN:
        return _of_plan(campaign.plan.totals)
    return _of_ledger(campaign.apply.totals)


def _of_plan(totals: Totals) -> Figures:
    found = Figures()
    for (result, reason), number in totals.results().items():
        if result is not RowResult.BLANK:
            found.lines[LineKey(result.value, reason, Written.PLANNED)] = number
    found.sums = {SumKey(result.value, measure): size for (result, measure), size in totals.worth().items()}
    return found


def _of_ledger(totals: Totals) -> Figures:
    found = Figures()
    for key, number in totals.counts.items():
        match key.write_result:
            case WriteResult.DUPLICATE | WriteResult.CONFLICT:
                found.lines[LineKey(key.write_result.value, "", Written.NO)] += number
            case WriteResult.NONE:
                if key.row_result in (
                    RowResult.UNCHANGED,
                    RowResult.OVERPAID,
                ):  # which and why, the ledger does not say
                    found.lines[LineKey(RowResult.UNCHANGED.value, "", Written.NO)] += number
                elif key.row_result is not RowResult.BLANK:
                    found.lines[LineKey(key.row_result.value, key.reason, Written.NO)] += number
            case WriteResult.CAPPED | WriteResult.HELD_SINCE:
                found.lines[LineKey(DECIDED, "", Written.YES)] += number
            case _:
                found.lines[LineKey(key.row_result.value, key.reason, Written.YES)] += number
    worth = totals.worth(IN_THE_LEDGER)
    found.sums = {SumKey(result.value, measure): size for (result, measure), size in worth.items()}
    return found


class Difference(NamedTuple):
    """A place where an export does not come to what it must."""

    what: str
    expected: Size
    exported: Size


def differences(expected: Figures, exported: Figures) -> Iterator[Difference]:
    """Where an export is not what the campaign's receipts say; nothing where it is.

    Left out is what no receipt counts: lines without a receipt, what customers did since, and goodwill.
    """
    whole = any(key.result == DECIDED for key in expected.lines)
    there, here = _compared(expected, whole=whole), _compared(exported, whole=whole)
    for key in sorted(there.keys() | here.keys()):
        if there[key] != here[key]:
            reason = f" ({key.reason})" if key.reason else ""
            yield Difference(f"lines {key.result}{reason}", there[key], here[key])
    sums = {key for key in expected.sums.keys() | exported.sums.keys() if key.of in _SUMMED}
    for place in sorted(sums):
        owed, found = expected.sums.get(place, 0), exported.sums.get(place, 0)
        if owed != found:
            yield Difference(f"{place.measure} {place.of}", owed, found)


_SUMMED = frozenset(result.value for result in RowResult)
_DECIDED_RESULTS = _SUMMED - {result.value for result in NEVER_WRITTEN}


def _compared(figures: Figures, *, whole: bool) -> Counter[LineKey]:
    """The lines that a receipt counts; with `whole`, all decisions together.

    One that was capped or held since the plan has another result than was planned.
    """
    found: Counter[LineKey] = Counter()
    for key, number in figures.lines.items():
        if key.result in (NOT_WRITTEN, GOODWILL) or key.written is Written.UNCOUNTED:
            continue
        is_decided = key.written is Written.YES and (key.result == DECIDED or key.result in _DECIDED_RESULTS)
        found[LineKey(DECIDED, "", Written.YES) if whole and is_decided else _counted(key)] += number
    return found


def _counted(key: LineKey) -> LineKey:
    """A line as a receipt counts it: one that cannot be read leaves nothing, also where a person granted it later."""
    return key._replace(written=Written.NO) if key.result == RowResult.REJECTED and key.written else key


def law_differences(exported: Figures, counted: Mapping[str, Counted] | None) -> Iterator[Difference]:
    """Where the law does not hold in an export of the ledger, or is not what the campaign's counters say.

    `counted` is None where these cannot be compared. Nothing is compared where decisions stand in the ledger that no
    receipt counts.
    """
    if any(key.written is Written.UNCOUNTED for key in exported.lines):
        return
    law = law_of_figures(exported)
    granted: dict[str, Size] = {}
    for key, size in exported.sums.items():
        if key.of in (RowResult.GRANTED, ACCEPTED):
            granted[key.measure] = granted.get(key.measure, 0) + size
    for measure in sorted(granted.keys() | law.keys()):
        all_, shares = granted.get(measure, 0), law.get(measure, Shares()).granted
        if all_ != shares:
            yield Difference(f"{measure} used, expired, voided, written off and open", all_, shares)
    if counted is not None:
        for one in unequal(counted, law):
            yield Difference(f"{one.measure} {one.share}", one.counters, one.entries)


def law_of_figures(figures: Figures) -> Law:
    """Where what an export of the ledger shows as granted is, by measure."""
    found: dict[str, dict[str, Size]] = {}
    for key, size in figures.sums.items():
        if key.of in STATED:
            found.setdefault(key.measure, {})[key.of] = size
    return {measure: Shares(**sums) for measure, sums in sorted(found.items())}


def sums_of(figures: Figures, result: str) -> Mapping[str, Size]:
    """The sums of one result, by measure."""
    return {key.measure: size for key, size in sorted(figures.sums.items()) if key.of == result}
