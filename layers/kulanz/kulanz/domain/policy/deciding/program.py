"""Compiling a policy for one campaign: every name resolved, every expression a closure, then one call per row."""

from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from kulanz.domain.decision import Outcome
from kulanz.domain.incident import Incident
from kulanz.domain.money import Rounding, is_currency, round_exact
from kulanz.domain.policy.deciding.counted import counted_outage
from kulanz.domain.policy.deciding.facts import Facts, FactSlot, kind_of
from kulanz.domain.policy.deciding.occasion import OCCASION_NAMES, OF_THE_INCIDENT, Occasion
from kulanz.domain.policy.document.document import Clause, Policy, PolicyDocument, Steps, Tiers
from kulanz.domain.policy.language import kinds
from kulanz.domain.policy.language.calendars import calendar_functions
from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.expression import (
    UNSET,
    Evaluate,
    Node,
    Row,
    Scope,
    compile_text,
    constant_node,
    is_nothing,
)
from kulanz.domain.policy.language.functions import DIVIDE_BY_TIME, operators
from kulanz.domain.policy.language.kinds import Kind
from kulanz.domain.policy.language.syntax import RESERVED_WORDS
from kulanz.domain.policy.language.tables import StepTable, TierTable, compile_steps, compile_tiers, condition
from kulanz.domain.time import TimeError, WorkingDays, parse_day, zone_of

BUILT_IN = ("outage", *OCCASION_NAMES)
AMOUNTS = frozenset({"amount", "exact_amount"})
"""What the amount components come to, after cap and rounding: known under ``payout`` and ``mode`` only."""
RESERVED = (*(set(BUILT_IN) - set(OF_THE_INCIDENT)), *RESERVED_WORDS, *sorted(AMOUNTS))


@dataclass(frozen=True, slots=True)
class CompiledClause:
    """A clause with its condition; ``never`` where the incident and the parameters alone rule it out."""

    outcome: Outcome
    reason: str
    because: str
    negated: bool
    node: Node | None
    holds: Evaluate
    never: bool = False


@dataclass(slots=True)
class NamedValue:
    """A value of the policy: its node, and its table where it is one."""

    name: str
    node: Node
    source: Node | None = None
    tiers: TierTable | None = None
    steps: StepTable | None = None


class _NeedsValue(Exception):
    """A named value needs another one that is not compiled yet."""

    def __init__(self, name: str) -> None:
        self.name = name


class Program:
    """Names and expressions of one policy, compiled for one incident, parameter choice and ``decided_at``.

    Without an incident (``None``) everything is checked, but nothing about an incident is known or folded.
    """

    def __init__(
        self,
        document: PolicyDocument,
        parameters: dict[str, str],
        incident: Incident | None,
        decided_at: datetime | None,
    ) -> None:
        self.document = document
        self.policy: Policy = document.policy
        self.parameters = parameters
        self.occasion = Occasion(incident, decided_at)
        self.slots: dict[str, FactSlot] = {}
        self.values: dict[str, NamedValue] = {}
        self.row_length = 0
        self.remembered: list[int] = []
        self.named: set[str] = set()
        """What the policy's expressions name: facts, values, parameters, and what is known of the incident."""
        self.piece_place = self.new_slot() if self._counts_each() else None
        self.cap_per = ""
        """The periods of the cap that is being compiled; empty outside of caps."""
        self._computing = False
        self._making_outage = False
        self._amount_nodes: dict[str, Node] = {}
        self._built_in: dict[str, Node] = {}
        self.working = working = self._working_days()
        utc = constant_node(kinds.TEXT, zone_of("UTC"), "UTC")
        self.scope = Scope(self._resolve, operators() | calendar_functions(working), utc, self._names)
        self._check_names()
        for name, slot in Facts(self.policy, self.occasion, self.scope, self.new_slot).slots():
            self.slots[name] = slot
        self.scope.zone = self._zone()
        self._rounding_mode = Rounding(self.policy.rounding.mode)
        self.rounding_step = self._step()
        for name in self.policy.values:
            self.value(name)

    def new_slot(self) -> int:
        """Reserve a place in the row."""
        self.row_length += 1
        return self.row_length - 1

    def compile(self, text: str, path: Path, expected: Kind | None = None) -> Node:
        """Compile an expression of the policy."""
        return compile_text(text, self.scope, path, expected)

    def money(self, text: str, path: Path) -> Node:
        """Compile an expression that must give money."""
        node = self.compile(text, path)
        if node.kind.name != "money":
            advice = f"; {DIVIDE_BY_TIME}" if node.kind.name == kinds.MONEY_BY_TIME else ""
            raise PolicyError(f"expected money, such as 5.00 EUR, but this gives {node.kind}: {text}{advice}", path)
        return node

    def clauses(self, clauses: tuple[Clause, ...], path: Path) -> tuple[CompiledClause, ...]:
        """Compile clauses."""
        compiled = []
        for index, clause in enumerate(clauses):
            node, holds = condition(clause.when, clause.unless, self.scope, (*path, index))
            if node is None and index < len(clauses) - 1:
                problem = "this clause can never be reached: the one before it has no condition, and always holds"
                raise PolicyError(problem, (*path, index + 1))
            negated = bool(clause.unless)
            never = node is not None and node.constant and node.value is negated
            outcome, reason = (
                (Outcome.DECLINED, clause.decline)
                if clause.decline
                else (Outcome.REFERRED, clause.refer)
                if clause.refer
                else (Outcome.HELD, clause.hold)
            )
            compiled.append(CompiledClause(outcome, reason, clause.because, negated, node, holds, never))
        return tuple(compiled)

    def use_amounts(self, currency: str) -> tuple[int, int]:
        """Make ``amount`` and ``exact_amount`` known; give the places of the row that hold them."""
        places = (self.new_slot(), self.new_slot())
        for name, place in zip(("amount", "exact_amount"), places, strict=True):
            self._amount_nodes[name] = Node(
                kinds.money(currency), _reader(place), "name", name, reads=frozenset({name})
            )
        return places

    def value(self, name: str) -> NamedValue:
        """Compile a named value once, after those that it needs; a value that needs itself is an error."""
        waiting = [] if name in self.values else [name]
        while waiting:
            current = waiting[-1]
            path: Path = ("values", current)
            self._computing = True
            try:
                self.values[current] = self._compile_value(current, self.policy.values[current], path)
                waiting.pop()
            except _NeedsValue as needed:
                if needed.name in waiting:
                    cycle = " needs ".join([*waiting[waiting.index(needed.name) :], needed.name])
                    raise PolicyError(f"a value cannot need itself: {cycle}", path) from None
                waiting.append(needed.name)
            finally:
                self._computing = False
        return self.values[name]

    def _compile_value(self, name: str, raw: Any, path: Path) -> NamedValue:
        if isinstance(raw, str):
            source = self.compile(raw, path)
            if is_nothing(source):
                raise PolicyError("say what there is nothing of, such as 0 EUR, 0 h or 0", path)
            return NamedValue(name, self._remembered(name, source.kind, source.evaluate, source, path), source)
        if isinstance(raw, Tiers):
            kind, tiers = compile_tiers(raw.by, raw.tiers, self.scope, path)
            nodes = [tiers.by, *(tier.value for tier in tiers.tiers)]
            nodes += [tier.bound for tier in tiers.tiers if tier.bound is not None]
            return NamedValue(name, self._table_node(name, kind, tiers, nodes, path), tiers=tiers)
        assert isinstance(raw, Steps)
        rounded = self.round_minor if self.policy.rounding.stage == "step" else None
        kind, steps = compile_steps(raw.count, raw.steps, raw.say, self.scope, path, rounded)
        nodes = [steps.count, *(step.value for step in steps.steps)]
        return NamedValue(name, self._table_node(name, kind, steps, nodes, path), steps=steps)

    def _table_node(self, name: str, kind: Kind, table: TierTable | StepTable, nodes: list[Node], path: Path) -> Node:
        reads = frozenset[str]().union(*(node.reads for node in nodes))
        source = Node(kind, table.evaluate, "table", name, tuple(nodes), reads, culprit=table.culprit)
        source.rests_on(nodes, path)
        if all(node.constant for node in nodes):
            source.constant, source.value = True, table.evaluate([])
        return self._remembered(name, kind, table.evaluate, source, path)

    def _remembered(self, name: str, kind: Kind, evaluate: Evaluate, source: Node, path: Path) -> Node:
        """Give the node of a named value: constant, or computed at most once per row."""
        if source.constant:
            node = constant_node(kind, source.value, name, "name")
            node.choices, node.children = source.choices, (source,)
            return node.rests_on((source,), path)
        place = self.new_slot()
        self.remembered.append(place)

        def remembered(row: Row) -> Any:
            value = row[place]
            if value is UNSET:
                value = row[place] = evaluate(row)
            return value

        node = Node(kind, remembered, "name", name, (source,), source.reads, choices=source.choices)
        return node.rests_on((source,), path)

    def fresh(self, row: Row) -> Row:
        """Give a copy of a row in which nothing is remembered, so that values are computed for other circumstances."""
        copy = row.copy()
        for place in self.remembered:
            copy[place] = UNSET
        return copy

    def round_minor(self, value: int | Fraction) -> int:
        """Round money as the policy says."""
        return round_exact(value, self._rounding_mode, self.rounding_step)

    def _step(self) -> int:
        """Give the step of rounding in minor units."""
        if not self.policy.rounding.to:
            return 1
        node = self.money(self.policy.rounding.to, ("rounding", "to"))
        if not node.constant or not isinstance(node.value, int) or node.value < 1:
            raise PolicyError("expected a fixed amount above zero, such as 0.05 CHF", ("rounding", "to"))
        return node.value

    def _working_days(self) -> WorkingDays | None:
        if not self.policy.working_days:
            return None
        if not self.document.holidays:
            raise PolicyError("its public holidays are missing; publish the policy again", ("working_days",))
        try:
            days = frozenset(parse_day(day) for day in self.document.holidays)
            worked = frozenset(parse_day(day) for day in self.document.worked)
        except TimeError as error:
            raise PolicyError(str(error), ("working_days",)) from None
        return WorkingDays(days, min(days).year, max(days).year, worked)

    def _zone(self) -> Node:
        name = self.policy.zone
        slot = self.slots.get(name)
        if slot is not None:
            if slot.declaration.type != "zone":
                raise PolicyError(f"the fact {name!r} must be of type zone", ("zone",))
            read = _reader(slot.index)

            def zone(row: Row) -> Any:
                value = read(row)
                return None if value is None else zone_of(value)

            return Node(kinds.TEXT, zone, "name", name, reads=frozenset({name}))
        try:
            return constant_node(kinds.TEXT, zone_of(name), name)
        except TimeError as error:
            raise PolicyError(f"{error}, or name a fact of type zone", ("zone",)) from None

    def _check_names(self) -> None:
        seen: dict[str, str] = {}
        for section in ("parameters", "facts", "values"):
            for name in getattr(self.policy, section):
                if name in RESERVED:
                    raise PolicyError("this name is the language's own; choose another", (section, name))
                if name in seen:
                    raise PolicyError(f"this name is already used under {seen[name]}; choose another", (section, name))
                seen[name] = section
        if self.policy.currency and not is_currency(self.policy.currency):
            raise PolicyError("expected an ISO 4217 currency such as EUR", ("currency",))

    def _names(self) -> list[str]:
        return [*self.slots, *self.policy.values, *self.parameters, *BUILT_IN]

    def outage(self) -> Node:
        """Give the node of the counted outage."""
        return self._built_in_node("outage")

    def _resolve(self, name: str, path: Path) -> Node | None:
        self.named.add(name)
        if name in self.slots:
            return self._fact_node(name, path)
        if name in self.policy.values:
            if self._computing and name not in self.values:
                raise _NeedsValue(name)
            return self.value(name).node
        if name in self.parameters:
            node = constant_node(kinds.TEXT, self.parameters[name], name, "name")
            node.choices = tuple(self.policy.parameters[name].choices)
            return node
        if name in ("amount", "exact_amount"):
            if name not in self._amount_nodes:
                only = "payout and mode only, where money of one currency is paid"
                raise PolicyError(f"{name!r} is known under {only}", path)
            return self._amount_nodes[name]
        if name in BUILT_IN:
            return self._built_in_node(name)
        return None

    def _counts_each(self) -> bool:
        return bool(self.policy.for_each) or any(component.for_each for component in self.policy.heads)

    def _fact_node(self, name: str, path: Path) -> Node:
        slot = self.slots[name]
        fact = slot.declaration
        kind = kind_of(fact)
        family = self.policy.facts.get(name)  # None for a column of one
        if family is not None and (per := family.per):
            if self.cap_per != per:
                problem = f"{name!r} has a value for each {per}; only `cap` with `per: {per}` can use it"
                raise PolicyError(f"{problem}, as in cap: {{per: {per}, at: 50.00 EUR - {name}}}", path)
            reads = frozenset({name} if slot.in_history else (column.declaration.name for column in slot.columns))
            return Node(kind, _reader(slot.index), "name", name, reads=reads)
        if self.occasion.incident is not None and not slot.from_account and not slot.in_history:
            node = constant_node(kind, slot.fallback, name, "name")
            node.choices = fact.choices
            return node
        return Node(kind, _reader(slot.index), "name", name, reads=frozenset({name}), choices=fact.choices)

    def _built_in_node(self, name: str) -> Node:
        if name not in self._built_in:
            self._built_in[name] = self._outage_node() if name == "outage" else self.occasion.node(name)
        return self._built_in[name]

    def _outage_node(self) -> Node:
        if self._making_outage:
            raise PolicyError("an exposure makes the outage and cannot use it; use windows", ("exposure",))
        self._making_outage = True
        try:
            counted = counted_outage(self.policy.exposure, self.scope)
        finally:
            self._making_outage = False
        whole = self._remembered("outage", counted.kind, counted.evaluate, counted, ("exposure",))
        place = self.piece_place
        if place is None:
            return whole

        def piece_or_whole(row: Row) -> Any:
            piece = row[place]
            return whole.evaluate(row) if piece is UNSET else piece

        return Node(kinds.OUTAGE, piece_or_whole, "name", "outage", (counted,), counted.reads)


def _reader(index: int) -> Evaluate:
    def read(row: Row) -> Any:
        return row[index]

    return read
