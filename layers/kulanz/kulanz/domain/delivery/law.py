"""The law: what was granted is used, expired, voided, written off or open, and nothing else.

    granted = used + expired + voided + written off + open

By campaign and measure, twice: from the entries of its decisions, and from counters alone. USED is what the biller
reports on bills. Whatever is none of the others has expired once its end has passed by the clock, and is open before.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from kulanz.domain.campaigns.ends import Ends, counted_end
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.entries import CreditEntry
from kulanz.domain.delivery.standing import CreditState, standing
from kulanz.domain.delivery.to_the_bill import ToTheBill
from kulanz.domain.ledger.entries import Entry, benefits_granted, granted_at, read_decision
from kulanz.domain.money import Size

SETTLED: Mapping[CreditState, str] = {
    CreditState.APPLIED: "used",
    CreditState.VOIDED: "voided",
    CreditState.WRITTEN_OFF: "written_off",
}
"""The states of what is over, by their place in the law. Everything else is open, or has expired."""


LAW = ("used", "expired", "voided", "written_off", "open")
"""The names of the shares, in the order of the equation."""
STATED = (*LAW, "asked_back")
"""All that is said of what was granted: `asked_back` is a part of what is used or open."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Where what was granted of one measure is: minor units of money, or a quantity.

    `asked_back` is how much of what is used or open a void asked the biller for: it is not voided before the answer.
    """

    used: Size = 0
    expired: Size = 0
    voided: Size = 0
    written_off: Size = 0
    open: Size = 0
    asked_back: Size = 0

    @property
    def granted(self) -> Size:
        """What these come to."""
        return self.used + self.expired + self.voided + self.written_off + self.open

    def __add__(self, other: "Shares") -> "Shares":
        return Shares(
            self.used + other.used,
            self.expired + other.expired,
            self.voided + other.voided,
            self.written_off + other.written_off,
            self.open + other.open,
            self.asked_back + other.asked_back,
        )


type Law = Mapping[str, Shares]
"""The shares by measure."""


def shares_of(entry: Entry, entries: Sequence[CreditEntry], now: datetime) -> list[tuple[str, Shares]]:
    """Where each benefit that a decision grants is at `now`, with its measure: at once, and what was accepted.

    An end counts from the full hour after it (`counted_end`), as the counters have it.
    """
    if entry.status is not Outcome.GRANTED:
        return []
    found: list[tuple[str, Shares]] = []
    decision = read_decision(entry.body)
    for place, benefit in enumerate(benefits_granted(entry, decision)):
        measure, size = worth_of(benefit)
        ends_at = benefit.validity.expires_at(granted_at(entry, decision, place))
        has_ended = ends_at is not None and now >= counted_end(ends_at)
        sums: dict[str, Size] = {}
        stands = standing(entries, place, size)
        for state, share in stands.shares(size).items():
            name = SETTLED.get(state, "expired" if has_ended else "open")
            sums[name] = sums.get(name, 0) + share
        found.append((measure, Shares(**sums, asked_back=stands.asked_back)))
    return found


def law_of(entry: Entry, entries: Sequence[CreditEntry], now: datetime) -> Law:
    """Where what a decision grants is at `now`, by measure, from its entries."""
    found: dict[str, Shares] = {}
    for measure, shares in shares_of(entry, entries, now):
        found[measure] = found.get(measure, Shares()) + shares
    return found


def added_up(laws: Iterable[Law]) -> Law:
    """The shares of several decisions, or campaigns, together."""
    found: dict[str, Shares] = {}
    for law in laws:
        for measure, shares in law.items():
            found[measure] = found.get(measure, Shares()) + shares
    return found


@dataclass(frozen=True, slots=True)
class Counted:
    """The law of one measure from counters. `is_exact`: how much has expired is known, and not only at least so much.

    Counters know when what the list granted ends, and not when what was used or voided of it would have ended: before
    the last end that counts as the first that ended.
    """

    shares: Shares
    is_exact: bool


def law_of_counters(line: ToTheBill, ends: Ends, now: datetime) -> Counted:
    """Where what a campaign's list granted of a measure is at `now`, from its counters.

    Sums may be less than nothing where counters contradict each other (`ToTheBill.differences`).
    """
    used = line.by_state.get(CreditState.APPLIED, 0)
    written_off = line.by_state.get(CreditState.WRITTEN_OFF, 0)
    gone = used + line.voided + written_off
    left = line.granted - gone
    ended = sum((size for (measure, at), size in ends.items() if measure == line.measure and now >= at), start=0)
    expired = min(left, max(0, ended - gone))
    # What was added has ends that no counter knows
    is_exact = not line.added and (not ended or not gone or ended >= line.granted)
    return Counted(Shares(used, expired, line.voided, written_off, left - expired, line.asked_back), is_exact)


class Unequal(NamedTuple):
    """A share of a measure of which counters and entries do not say the same."""

    measure: str
    share: str
    counters: Size
    entries: Size


def unequal(counted: Mapping[str, Counted], entries: Law) -> Iterator[Unequal]:
    """Where counters and entries of a campaign differ; nothing where the law holds in both.

    Used, voided, written off and what is left (expired and open together) must be equal; expired alone, where the
    counters know it.
    """
    for measure in sorted(counted.keys() | entries.keys()):
        here = entries.get(measure, Shares())
        there = counted.get(measure, Counted(Shares(), is_exact=True))
        names = ("used", "voided", "written_off", "asked_back")
        pairs = [(name, getattr(there.shares, name), getattr(here, name)) for name in names]
        left = there.shares.expired + there.shares.open, here.expired + here.open
        pairs.append(("expired or open", *left))
        if there.is_exact and left[0] == left[1]:
            pairs.append(("expired", there.shares.expired, here.expired))
        yield from (
            Unequal(measure, name.replace("_", " "), counter, entry)
            for name, counter, entry in pairs
            if counter != entry
        )


def broken(counted: Mapping[str, Counted], entries: Law) -> list[str]:
    """The same as sentences."""
    return [
        f"{one.measure} {one.share}: counters {one.counters}, entries {one.entries} (in the smallest unit)"
        for one in unequal(counted, entries)
    ]
