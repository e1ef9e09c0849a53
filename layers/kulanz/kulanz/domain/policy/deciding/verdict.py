"""What a row was judged to be: the record from which both the decision and its explanation are made."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from kulanz.domain.decision import QUANTITY_DECIMALS, Outcome, Validity
from kulanz.domain.money import Exact
from kulanz.domain.policy.deciding.components import CompiledComponent, CompiledGive, CompiledMode
from kulanz.domain.policy.deciding.facts import FactSlot
from kulanz.domain.policy.deciding.history import HistoryValue
from kulanz.domain.policy.deciding.program import CompiledClause
from kulanz.domain.policy.language import exposure
from kulanz.domain.policy.language.expression import Node, Row, unknown_name
from kulanz.domain.policy.language.periods import label_in

NOT_IN_FORCE = "not_in_force"
NOTHING_DUE = "nothing_due"
TOO_MUCH = "amount_too_large"
TOO_LONG_AGO = "too_long_ago"
IN_THE_FUTURE = "outage_in_the_future"
TOO_MANY_PARTS = "outage_in_too_many_parts"
TOO_MANY_BENEFITS = "too_many_benefits"
QUANTITY_TOO_LARGE = "quantity_too_large"
LARGEST_QUANTITY = 10**9
SMALLEST_QUANTITY = Fraction(1, 10**QUANTITY_DECIMALS)
"""What is less could be written as nothing only, and is nothing."""
CANNOT_BE_COMPUTED = "cannot_be_computed"
NO_LENGTH, NEVER_USABLE, NO_SUCH_CHOICE, BEYOND = "no_length", "never_usable", "no_such_choice", "beyond"
"""Why something cannot be computed, where that is no operation of the policy's own."""
MOST_BENEFITS = 100
"""A decision gives at most so many things besides money: with more, its record would outgrow what a table takes."""


@dataclass(slots=True)
class ComponentResult:
    """What an amount component came to for one row; ``state`` is granted, offered or late.

    ``applies`` is false where its condition held for no outage or period that it was worked out for.
    """

    component: CompiledComponent
    applies: bool = True
    exact: Exact = 0
    minor: int = 0
    gives: list[tuple[CompiledGive, Any, Validity, str]] = field(default_factory=list)
    mode: CompiledMode | None = None
    state: str = ""
    pieces: list[tuple[Row, Exact]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class HistoryFact:
    """A fact of the history: its place in the row, and what an incident adds to it.

    It `counts_all` other incidents, or those that began before the decided one.
    """

    slot: FactSlot
    node: Node
    is_until_paid: bool
    counts_all: bool

    def is_named(self, name: str) -> bool:
        """Whether a kept value is this fact's, or that of one of its periods."""
        own = self.slot.declaration.name
        return bool(label_in(name, own, self.slot.per)) if self.slot.per else name == own


@dataclass(frozen=True, slots=True)
class Share:
    """A period's part of the amount, what the period's cap allows of it, and the cap with the row that it was worked
    out from: there, facts of several periods have the value of this one.
    """

    period: str
    exact: Exact
    limit: Exact
    cap: Node
    row: Row


@dataclass(slots=True)
class Verdict:
    """How a row was judged: the outcome and reason, what decided it, and what every amount component came to.

    It is ``settled`` where the incident counts for the unit and nothing about it is unknown: only then it is kept.
    ``beside`` are those that applied and yet give nothing: they came to nothing, or another component is paid instead.
    ``stuck`` is what cannot be computed although its facts are known, with the row that it was tried for, and ``why``
    says it where that is no expression.
    """

    outcome: Outcome
    reason: str
    clause: CompiledClause | None = None
    unknown: str = ""
    is_unknown: bool = False
    stuck: tuple[Node, Row] | None = None
    why: str = ""
    results: list[ComponentResult] = field(default_factory=list)
    beside: list[ComponentResult] = field(default_factory=list)
    exact: Exact = 0
    minor: int = 0
    shares: list[Share] = field(default_factory=list)
    settled: bool = False
    added: dict[str, HistoryValue] = field(default_factory=dict)
    cleared: dict[str, exposure.Outage] = field(default_factory=dict)

    def after(self, amounts: "Verdict") -> "Verdict":
        """Give a verdict that ended the matter when the amounts were known already."""
        self.results, self.shares = amounts.results, amounts.shares
        self.exact, self.minor = amounts.exact, amounts.minor
        return self


@dataclass(frozen=True, slots=True)
class Period:
    """When the rule is in force: the clause that declines what lies outside, and its parts for the explanation."""

    clause: CompiledClause
    by: Node
    from_: Node | None
    until: Node | None


def held(node: Node | None, row: Row, clause: CompiledClause | None = None) -> Verdict:
    """Hold a row because of what a node does not know, or cannot compute."""
    name = unknown_name(node, row) if node is not None else ""
    verdict = not_known(name, clause)
    verdict.stuck = None if name or node is None else (node, row)
    return verdict


def not_known(name: str, clause: CompiledClause | None = None, why: str = "") -> Verdict:
    """Hold a row because a fact is not known or, without a name, because something cannot be computed."""
    reason = f"{name.replace('.', '_')}_unknown" if name else CANNOT_BE_COMPUTED
    return Verdict(Outcome.HELD, reason, clause, name, is_unknown=True, why=why)


def total_of(results: list[ComponentResult]) -> Exact:
    """Add up the exact amounts of components."""
    if len(results) == 1:
        return results[0].exact
    return sum((result.exact for result in results), 0)
