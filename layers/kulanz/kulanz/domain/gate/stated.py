"""What a person states of a campaign that ended midway and cannot be counted, because the version of its list is gone.

Its receipts say what was written of the lines that they cover, and what was not. Of the other lines a worker may have
written everything or nothing before it died: the ledger alone knows, and only the list says where to look. So what is
stated lies between what the receipts have and what the plan leaves for the lines without one. It is never assumed.
All amounts are minor units of one currency.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from kulanz.domain.budgets import Needed, Reservation
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult, Totals
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.people.people import People

PERSONS_FOR_MUCH = 2
"""Persons who state the same where more is set free than one may."""


class Between(NamedTuple):
    """What a campaign granted at once, and lets customers claim, in one currency: at least, and at most."""

    least: Needed
    most: Needed

    def has(self, stated: Needed) -> bool:
        """Whether that is possible."""
        return (
            self.least.granting <= stated.granting <= self.most.granting
            and self.least.claimable <= stated.claimable <= self.most.claimable
        )


def known_of(plan: FiledPlan, written: Totals, standing: list[Reservation]) -> Mapping[str, Between]:
    """What is known of each currency that a campaign reserved. `written` are the sums of its execution's receipts.

    Receipts do not have what is claimable beside a grant: of that nothing is known but the plan.
    """
    of_lines, in_the_ledger = written.worth(), written.worth(IN_THE_LEDGER)
    found: dict[str, Between] = {}
    for made in standing:
        granted, offered = ((result, made.currency) for result in (RowResult.GRANTED, RowResult.OFFERED))
        least = Needed(int(in_the_ledger.get(granted, 0)), int(in_the_ledger.get(offered, 0)))
        open_lines = Needed(
            int(plan.granted.get(made.currency, 0)) - int(of_lines.get(granted, 0)),
            int(plan.offered.get(made.currency, 0)) - int(of_lines.get(offered, 0)),
        )
        claimable = int(plan.claimable.get(made.currency, 0))
        most = Needed(least.granting + open_lines.granting, least.claimable + open_lines.claimable + claimable)
        found[made.currency] = Between(least, most)
    return found


@dataclass(frozen=True, slots=True)
class Stated:
    """What a person stated, by currency, when and why. `second` is who stated the same; empty while nobody did.

    `is_settled`: it is what was spent of the budgets.
    """

    id: str
    amounts: Mapping[str, Needed]
    person: str
    reason: str
    at: datetime
    second: str = ""
    second_id: str = ""
    is_settled: bool = False

    def is_same_request(self, other: "Stated") -> bool:
        """Whether this was asked for by `other`, as the first person or as the second."""
        if other.amounts != self.amounts:
            return False
        return (other.id, other.person) in ((self.id, self.person), (self.second_id, self.second))

    def agreed(self, by: "Stated") -> "Stated":
        """It, after a second person stated the same."""
        return replace(self, second=by.person, second_id=by.id, is_settled=True)


def persons_to_state(amounts: Mapping[str, Needed], known: Mapping[str, Between], settings: GateSettings) -> int:
    """How many persons have to state this.

    What a statement sets free beyond what the records prove is money that others can spend. One person is enough where
    that is at most the threshold for a second person of a plan, and where it is nothing. A currency without a threshold
    needs two.
    """
    if settings.lone_operator:
        return 1
    for currency, stated in amounts.items():
        set_free = known[currency].most.amount - stated.amount
        if set_free > settings.second_person_above.get(currency, 0):
            return PERSONS_FOR_MUCH
    return 1


def is_agreed(before: Stated | None, now: Stated, people: People) -> bool:
    """Whether another person had stated the same."""
    return (
        before is not None
        and not before.is_settled
        and before.amounts == now.amounts
        and people.are_two(before.person, now.person)
    )
