"""Compiling a policy for one campaign: every name resolved, every expression a closure, then one call per row."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.decision import Outcome
from kulanz.domain.incident import Incident
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, LIST_TYPES, FactError
from kulanz.domain.money import Rounding, is_currency, minor_units, round_exact
from kulanz.domain.policy.deciding.counted import counted_outage
from kulanz.domain.policy.document.document import Clause, Fact, Policy, PolicyDocument, Steps, Tiers
from kulanz.domain.policy.language import exposure, kinds
from kulanz.domain.policy.language.calendars import calendar_functions
from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.expression import (
    UNKNOWN,
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
from kulanz.domain.policy.language.periods import label, label_in
from kulanz.domain.policy.language.syntax import RESERVED_WORDS
from kulanz.domain.policy.language.tables import StepTable, TierTable, compile_steps, compile_tiers, condition
from kulanz.domain.time import TimeError, Window, WorkingDays, microseconds_of, parse_day, zone_of

BUILT_IN = ("outage", "windows", "incident_start", "incident_end", "cause", "service", "functions", "decided_at")
OF_THE_INCIDENT = ("windows", "cause", "service", "functions")
"""What a fact may be called as well: the account's own, else the incident's."""
KEPT_TYPES = ("money", "number", "windows")
"""The types of facts that can be kept: those that add up."""
AMOUNTS = frozenset({"amount", "exact_amount"})
"""What comes out of the heads, after cap and rounding: known under ``payout`` and ``mode`` only."""
RESERVED = (*(set(BUILT_IN) - set(OF_THE_INCIDENT)), *RESERVED_WORDS, *sorted(AMOUNTS))
_KIND_OF_FACT = {
    "text": kinds.TEXT,
    "zone": kinds.TEXT,
    "yes_no": kinds.YES_NO,
    "number": kinds.NUMBER,
    "instant": kinds.INSTANT,
    "day": kinds.DAY,
    "list": kinds.LIST,
    "numbers": kinds.NUMBERS,
    "dates": kinds.DATES,
    "windows": kinds.OUTAGE,
}


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
class FactSlot:
    """Where a fact stands in a row, how its value gets there, and what stands in for it."""

    declaration: FactDeclaration
    index: int
    convert: Callable[[Any], Any] | None
    fallback: Any
    from_account: bool
    columns: tuple["FactSlot", ...] = ()
    per: str = ""
    is_kept: bool = False


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
        self.incident = incident
        self.decided_at = decided_at
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
        working = self._working_days()
        utc = constant_node(kinds.TEXT, zone_of("UTC"), "UTC")
        self.scope = Scope(self._resolve, operators() | calendar_functions(working), utc, self._names)
        self._check_names()
        for name, fact in self.policy.facts.items():
            self._check_period_names(name)
            self._declare_fact(name, fact)
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
        except TimeError as error:
            raise PolicyError(str(error), ("working_days",)) from None
        return WorkingDays(days, min(days).year, max(days).year)

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

    def _check_period_names(self, name: str) -> None:
        for family, fact in self.policy.facts.items():
            if fact.per and label_in(name, family, fact.per):
                raise PolicyError(f"this is the name of {family!r} in one period; choose another", ("facts", name))

    def _declare_fact(self, name: str, fact: Fact) -> None:
        path: Path = ("facts", name)
        if fact.choices and fact.type != "text":
            raise PolicyError("only texts have choices", (*path, "choices"))
        currency = fact.currency or self.policy.currency
        if fact.separator and fact.type not in LIST_TYPES:
            raise PolicyError("only lists have a separator", (*path, "separator"))
        in_currency = fact.type in ("money", "amounts")
        if in_currency and not is_currency(currency):
            raise PolicyError("say which currency it is in: currency: EUR, here or for the policy", path)
        if fact.currency and not in_currency:
            raise PolicyError("only money and amounts have a currency", (*path, "currency"))
        if fact.add or fact.until:
            self.slots[name] = self._kept(name, fact, currency if in_currency else "", path)
            return
        default = self._default(fact, currency, path)
        limits: dict[str, Any] = {
            "currency": currency if in_currency else "",
            "choices": fact.choices,
            "minimum": self._limit(fact.minimum, fact.type, currency, (*path, "minimum")),
            "maximum": self._limit(fact.maximum, fact.type, currency, (*path, "maximum")),
            "hold_invalid": fact.invalid == "hold",
            "separator": fact.separator,
        }
        _check_limits(limits, fact.type, default, path)
        slot = self._column(name, fact, limits, default)
        if fact.per:
            slot.from_account = False
            labels = self.period_labels(fact.per)
            slot.columns = tuple(self._column(f"{name}_{label}", fact, limits, default) for label in labels)

    def _kept(self, name: str, fact: Fact, currency: str, path: Path) -> FactSlot:
        """Declare a fact that Kulanz keeps itself; before the first incident it is nothing."""
        if not fact.add:
            raise PolicyError("`until` belongs to a fact that is kept: say what each incident adds to it", path)
        if fact.type not in KEPT_TYPES:
            raise PolicyError(f"only {', '.join(KEPT_TYPES)} can be kept", (*path, "type"))
        stated = ("minimum", "maximum", "default")
        wrong = [key for key in stated if getattr(fact, key)]
        if wrong or fact.invalid != "reject" or fact.from_:
            raise PolicyError(f"a fact that is kept has no {(wrong or ['from or invalid'])[0]}: nobody states it", path)
        if fact.per and (fact.type != "money" or fact.until):
            advice = "count in a period with windows, such as count(during(paid_for, year(incident_start)))"
            raise PolicyError(f"only money is kept for each period, and without `until`; {advice}", (*path, "per"))
        if fact.per and self._zone_is_a_fact():
            raise PolicyError("periods need one zone for all accounts; name it under zone", (*path, "per"))
        declaration = FactDeclaration(name, fact.type, currency=currency, required=False)
        nothing: Any = {} if fact.per else () if fact.type == "windows" else 0
        return FactSlot(declaration, self.new_slot(), None, nothing, False, per=fact.per, is_kept=True)

    def _zone_is_a_fact(self) -> bool:
        return self.policy.zone in self.policy.facts

    def _column(self, name: str, fact: Fact, limits: dict[str, Any], default: Any) -> FactSlot:
        """Declare what a list has a column for: a fact, or in its place the fact of each period of a family."""
        incident = self._incident_value(name, fact, limits, ("facts", name))
        required = fact.from_ != "incident" and incident is None and not fact.default
        declaration = FactDeclaration(name, fact.type, **limits, required=required)
        fallback = default if incident is None else None if incident is INVALID else incident
        column = FactSlot(declaration, self.new_slot(), self._conversion(fact.type), fallback, fact.from_ != "incident")
        self.slots[name] = column
        return column

    def _limit(self, text: str, type_: str, currency: str, path: Path) -> Fraction | None:
        """Read the least or most that a fact can be; of money in the units that its list has it in."""
        if not text:
            return None
        if type_ not in ("number", "money"):
            raise PolicyError("only numbers and money have a minimum and a maximum", path)
        node = self.compile(text, path)
        if node.kind == kinds.money(currency) and type_ == "money" and node.value is not None:
            return Fraction(node.value, 10 ** minor_units(currency))
        if node.kind != kinds.NUMBER or node.value is None:
            such_as = f"an amount such as 5 {currency}" if type_ == "money" else "a number"
            raise PolicyError(f"expected {such_as}, written out", path)
        return Fraction(node.value)

    def _default(self, fact: Fact, currency: str, path: Path) -> Any:
        if not fact.default or fact.default == UNKNOWN:
            return None
        if fact.type in LIST_TYPES:
            if fact.default != "nothing":
                raise PolicyError("the default of a list can only be `nothing`: the empty list", (*path, "default"))
            return ()
        if fact.type in ("text", "zone"):
            if fact.default[0] in "\"'":
                raise PolicyError("expected the text itself, without quotes of its own", (*path, "default"))
            try:
                return FactDeclaration("", fact.type, choices=fact.choices).parse_json(fact.default)
            except FactError as error:
                raise PolicyError(f"expected {error.expected}, written as in a list", (*path, "default")) from None
        expected = kinds.money(currency) if fact.type == "money" else _KIND_OF_FACT[fact.type]
        node = self.compile(fact.default, (*path, "default"), expected)
        if node.value is None:
            raise PolicyError("expected a value written out, or unknown", (*path, "default"))
        return node.value

    def _incident_value(self, name: str, fact: Fact, limits: dict[str, Any], path: Path) -> Any:
        """Read the incident's word on a fact that is the incident's to state, typed like an account's.

        What an incident states never stands in for a fact of the account: whoever may record incidents would set what
        accounts are paid. A fact named like a field of the incident is the account's own, else that field.
        """
        if self.incident is None or fact.from_ == "account":
            return None
        if fact.from_ != "incident" or name not in self.incident.facts:
            return self._incident_field(name, fact, path)
        try:
            value = FactDeclaration(name, fact.type, **limits).parse_json(self.incident.facts[name])
        except FactError as error:
            raise PolicyError(f"the incident's fact {name!r}: expected {error.expected}", path) from None
        convert = self._conversion(fact.type)
        return value if value is None or value is INVALID or convert is None else convert(value)

    def _incident_field(self, name: str, fact: Fact, path: Path) -> Any:
        """Give a field of the incident as the value of a fact of the same name."""
        if name not in OF_THE_INCIDENT:
            return None
        node = self._incident_node(name)
        if node.kind != _KIND_OF_FACT.get(fact.type):
            raise PolicyError(f"the incident's {name} is of another type; expected {node.kind}", (*path, "type"))
        return node.value or None

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
        return bool(self.policy.for_each) or any(head.for_each for head in self.policy.heads)

    def _fact_node(self, name: str, path: Path) -> Node:
        slot = self.slots[name]
        fact = slot.declaration
        kind = kind_of(fact)
        family = self.policy.facts.get(name)  # None for a column of one
        if family is not None and (per := family.per):
            if self.cap_per != per:
                problem = f"{name!r} has a value for each {per}; only `cap` with `per: {per}` can use it"
                raise PolicyError(f"{problem}, as in cap: {{per: {per}, at: 50.00 EUR - {name}}}", path)
            reads = frozenset({name} if slot.is_kept else (column.declaration.name for column in slot.columns))
            return Node(kind, _reader(slot.index), "name", name, reads=reads)
        if self.incident is not None and not slot.from_account and not slot.is_kept:
            node = constant_node(kind, slot.fallback, name, "name")
            node.choices = fact.choices
            return node
        return Node(kind, _reader(slot.index), "name", name, reads=frozenset({name}), choices=fact.choices)

    def _built_in_node(self, name: str) -> Node:
        if name not in self._built_in:
            self._built_in[name] = self._outage_node() if name == "outage" else self._incident_node(name)
        return self._built_in[name]

    def _incident_node(self, name: str) -> Node:
        kind = {
            "windows": kinds.OUTAGE,
            "incident_start": kinds.INSTANT,
            "incident_end": kinds.INSTANT,
            "cause": kinds.TEXT,
            "service": kinds.TEXT,
            "functions": kinds.LIST,
            "decided_at": kinds.INSTANT,
        }[name]
        if self.incident is None or self.decided_at is None:
            return Node(kind, lambda _row: None, "name", name, reads=frozenset({name}))
        now = microseconds_of(self.decided_at)
        windows = self.incident_windows()
        value: Any = {
            "windows": windows,
            "incident_start": windows[0][0] if windows else None,
            "incident_end": windows[-1][1] if windows else None,
            "cause": self.incident.cause or None,
            "service": self.incident.service or None,
            "functions": self.incident.functions,
            "decided_at": now,
        }[name]
        return constant_node(kind, value, name, "name")

    def incident_windows(self) -> exposure.Outage:
        """Give the incident's windows, merged; one that still lasts ends at ``decided_at``."""
        if self.incident is None or self.decided_at is None:
            return ()
        return self.intervals(self.incident.windows)

    def intervals(self, windows: Iterable[Window]) -> exposure.Outage:
        """Give windows as an outage; one without an end lasts until ``decided_at``."""
        now = 0 if self.decided_at is None else microseconds_of(self.decided_at)
        return exposure.union(
            (microseconds_of(window.start), now if window.end is None else microseconds_of(window.end))
            for window in windows
        )

    def period_labels(self, per: str) -> list[str]:
        """Give the labels of the periods that the incident touches; none where the zone is an account's own."""
        zone = self.fixed_zone()
        if zone is None:
            return []
        try:
            periods = exposure.periods_of(self.incident_windows(), zone, per)
        except exposure.TooLong:
            problem = f"the incident lasts more than {exposure.MAX_DAYS} days, too long for a cap per {per}"
            raise PolicyError(problem, ("cap",)) from None
        return [label(period[0], per, zone) for period in periods]

    def _conversion(self, type_: str) -> Callable[[Any], Any] | None:
        """Give what turns a fact's value into the form that expressions compute with."""
        return self.intervals if type_ == "windows" else _CONVERSIONS.get(type_)

    def fixed_zone(self) -> ZoneInfo | None:
        """Give the policy's zone where it is the same for every account."""
        try:
            return zone_of(self.policy.zone)
        except TimeError:
            return None

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


def _check_limits(limits: dict[str, Any], type_: str, default: Any, path: Path) -> None:
    """Only numbers and amounts have limits; these let values through, and the default is one of them."""
    low, high = limits["minimum"], limits["maximum"]
    if low is None and high is None:
        return
    if low is not None and high is not None and low > high:
        raise PolicyError("the minimum is above the maximum: no value could be stated", (*path, "minimum"))
    value = None if default is None else Fraction(default)
    if value is not None and type_ == "money":
        value /= 10 ** minor_units(limits["currency"])
    if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
        raise PolicyError("the default is below the minimum or above the maximum", (*path, "default"))


def kind_of(fact: FactDeclaration) -> Kind:
    """Give the kind of a fact's values in expressions."""
    if fact.type == "money":
        return kinds.money(fact.currency)
    return kinds.amounts(fact.currency) if fact.type == "amounts" else _KIND_OF_FACT[fact.type]


def _reader(index: int) -> Evaluate:
    def read(row: Row) -> Any:
        return row[index]

    return read


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "instant": microseconds_of,
    "day": date.toordinal,
    "dates": lambda days: tuple(day.toordinal() for day in days),
}
