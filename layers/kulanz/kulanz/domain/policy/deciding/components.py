"""What is owed under a policy: its amount components with their conditions, amounts, units and delivery, compiled."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from typing import Any

from kulanz.domain.decision import ALWAYS_VALID, NEXT_BILL, UNLIMITED, Due, Validity
from kulanz.domain.money import is_currency
from kulanz.domain.policy.deciding.program import Program
from kulanz.domain.policy.document.owed import MAX_COMPONENTS, AmountComponent, Give, Mode, TakeUp
from kulanz.domain.policy.document.owed import Validity as ValidityRule
from kulanz.domain.policy.document.shape import MAX_ENTRIES
from kulanz.domain.policy.language import kinds
from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.expression import Evaluate, Node, Row, call_node
from kulanz.domain.policy.language.kinds import show_number
from kulanz.domain.policy.language.tables import condition
from kulanz.domain.time import TimeError, instant_of, parse_day

SINGLE_COMPONENT = "credit"
TERMS = ("each", "times", "of")
"""What a benefit's own entries say, which terms in words must not say otherwise: books and set-off go by them."""
MODES = ("automatic", "claim", "offer")
MAX_VALIDITY = {"hours": 24 * 36_525, "days": 36_525, "months": 1200}
"""A hundred years in each unit: a benefit that outlasts the calendar could not be credited."""
_SPAN_UNITS = {"hour": ("hours", 1), "day": ("days", 1), "week": ("days", 7), "month": ("months", 1)}


@dataclass(frozen=True, slots=True)
class CompiledGive:
    """A unit benefit: its quantity as a closure, and what stands beside it."""

    holds: Evaluate
    node: Node | None
    quantity: Evaluate
    quantity_node: Node | None
    unit: str
    restriction: str | None
    of: Evaluate | None
    validity: Callable[[Row], Validity | None]
    terms: dict[str, str]
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class CompiledMode:
    """One way of delivery; ``made`` says whether the claim or acceptance is in, ``at`` when, ``until`` the latest."""

    way: str
    holds: Evaluate
    node: Node | None
    made: Node | None = None
    at: Node | None = None
    until: Node | None = None


@dataclass(frozen=True, slots=True)
class CompiledComponent:
    """One thing owed."""

    name: str
    holds: Evaluate
    node: Node | None
    otherwise: str
    pay: Node | None
    gives: tuple[CompiledGive, ...]
    modes: tuple[CompiledMode, ...]
    due: Due | None
    for_each: str = ""
    to: Node | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        """What it is worked out from, for each piece of an outage where it is worked out for each."""
        nodes = (self.node, self.pay, *(node for give in self.gives for node in give.nodes))
        return tuple(node for node in nodes if node is not None)

    @property
    def parts(self) -> int:
        """How many operands it is worked out from."""
        return sum(node.parts for node in self.nodes)


def components_of(program: Program) -> tuple[tuple[AmountComponent, Path], ...]:
    """Give the amount components of a policy: its ``heads``; ``when``, ``pay`` and ``give`` at its top are one."""
    policy = program.policy
    single = bool(policy.pay or policy.give)
    if single and policy.heads:
        raise PolicyError("expected either pay and give, or heads", ("heads",))
    if single:
        shared = {item.name: getattr(policy, item.name) for item in fields(AmountComponent) if item.name != "name"}
        return ((AmountComponent(SINGLE_COMPONENT, **shared), ()),)
    if not policy.heads and all(clause.when or clause.unless for clause in policy.who):
        raise PolicyError("say what is owed: pay, give or heads; or end `who` with a clause without condition")
    names = [component.name for component in policy.heads]
    if len(set(names)) != len(names) or len(names) > MAX_COMPONENTS:
        raise PolicyError(f"expected at most {MAX_COMPONENTS} amount components, each with its own name", ("heads",))
    for key in ("when", "for_each"):
        if getattr(policy, key):
            raise PolicyError(
                "a policy with heads says this at each of them; a condition of all stands under who", (key,)
            )
    return tuple((_inherit(component, program), ("heads", index)) for index, component in enumerate(policy.heads))


def _inherit(component: AmountComponent, program: Program) -> AmountComponent:
    """An amount component without mode, due, to or bill has the policy's."""
    policy = program.policy
    return replace(
        component,
        mode=policy.mode if component.mode is None else component.mode,
        due=component.due or policy.due,
        to=component.to or policy.to,
        bill=component.bill or policy.bill,
    )


def compile_amounts(program: Program) -> tuple[CompiledComponent, ...]:
    """Compile the amount components without their modes, which may need the amount."""
    compiled = []
    for component, path in components_of(program):
        if not component.pay and not component.give:
            raise PolicyError("expected pay or give", path)
        node, holds = condition(component.when, "", program.scope, path)
        pay = program.money(component.pay, (*path, "pay")) if component.pay else None
        gives = tuple(_give(program, give, (*path, "give", index)) for index, give in enumerate(component.give))
        due = _due(component.due, (*path, "due")) if component.due else None
        to = program.compile(component.to, (*path, "to"), kinds.TEXT) if component.to else None
        compiled.append(
            CompiledComponent(
                component.name, holds, node, component.otherwise, pay, gives, (), due, component.for_each, to
            )
        )
    return tuple(compiled)


def with_modes(program: Program, components: tuple[CompiledComponent, ...]) -> tuple[CompiledComponent, ...]:
    """Add the compiled modes to compiled amount components."""
    result = []
    for component, (source, path) in zip(components, components_of(program), strict=True):
        result.append(replace(component, modes=_modes(program, source.mode, (*path, "mode"))))
    return tuple(result)


def _due(text: str, path: Path) -> Due:
    if text == "next bill":
        return NEXT_BILL
    count, _, unit = text.partition(" ")
    if unit:
        return Due(int(count), unit.removesuffix("s").replace(" ", "_"))
    try:
        return Due(day=parse_day(text).isoformat())
    except TimeError as error:
        raise PolicyError(str(error), path) from None


def _give(program: Program, give: Give, path: Path) -> CompiledGive:
    node, holds = condition(give.when, "", program.scope, path)
    restrictions = program.policy.restrictions
    if give.restriction and give.restriction not in restrictions:
        raise PolicyError("there is no list of this name under restrictions", (*path, "restriction"))
    if bool(give.quantity) == bool(give.choose):
        raise PolicyError("expected either quantity or choose", path)
    if bool(give.choose) != bool(give.of):
        raise PolicyError("expected choose and of together", path)
    for key in TERMS:
        if key in give.usable:
            raise PolicyError(f"this says how often, or what of; write {key} beside usable", (*path, "usable", key))
    if is_currency(give.unit):
        raise PolicyError(f"money is paid: pay: 5 {give.unit}", (*path, "unit"))
    terms = dict(give.usable)
    if give.each:
        terms["each"] = give.each
    if give.times:
        times = program.compile(give.times, (*path, "times"), kinds.NUMBER)
        if not isinstance(times.value, int) or times.value < 1:
            raise PolicyError("expected a fixed whole number of at least 1", (*path, "times"))
        terms["times"] = show_number(times.value)
    text, field = (give.choose, "choose") if give.choose else (give.quantity, "quantity")
    number = None if text == UNLIMITED else program.compile(text, (*path, field), kinds.NUMBER)
    quantity = number.evaluate if number is not None else lambda _row: UNLIMITED
    if give.choose and number is not None and number.constant:
        most = entries(restrictions.get(give.of))
        if not isinstance(number.value, int) or not 1 <= number.value <= most:
            raise PolicyError(f"expected a whole number from 1 to {most}, as the list has entries", (*path, "choose"))
    of, of_node = _list_choice(program, give.of, (*path, "of")) if give.of else (None, None)
    validity, bounds = _validity(program, give.valid, (*path, "valid"))
    nodes = tuple(item for item in (node, number, of_node, *bounds) if item is not None)
    return CompiledGive(holds, node, quantity, number, give.unit, give.restriction or None, of, validity, terms, nodes)


def entries(named: Any) -> int:
    """Count what a list has to choose from; one that is not known yet may have any number."""
    if named is None:
        return MAX_ENTRIES
    return sum(map(len, named.values())) if isinstance(named, dict) else len(named)


def _list_choice(program: Program, text: str, path: Path) -> tuple[Evaluate, Node | None]:
    """Compile which list the customer chooses from: the name of a restriction list, or an expression that gives one."""
    restrictions = program.policy.restrictions
    if text in restrictions:
        return (lambda _row: text), None
    node = program.compile(text, path, kinds.TEXT)

    def named(row: Row) -> Any:
        value = node.evaluate(row)
        return value if value in restrictions else None

    if node.constant and node.value not in restrictions:
        raise PolicyError("there is no list of this name under restrictions", path)
    return named, node


def _validity(
    program: Program, rule: Any, path: Path
) -> tuple[Callable[[Row], Validity | None], tuple[Node | None, ...]]:
    if not rule:
        return (lambda _row: ALWAYS_VALID), ()
    if isinstance(rule, str):
        rule = ValidityRule(for_=rule)
    count, unit = _length(rule, path)
    until = until_node(program, rule.until, (*path, "until")) if rule.until else None
    if until is not None and until.constant and until.value is not None:
        _check_end(program, until.value, (*path, "until"))
    begin = None
    if rule.from_ not in ("grant", "redemption"):
        begin = moment_node(program, rule.from_, (*path, "from"))
    _check_order(begin, until, (*path, "until"))
    zone = program.scope.zone

    def validity(row: Row) -> Validity | None:
        key = zone.evaluate(row)
        first = begin.evaluate(row) if begin is not None else 0
        end = until.evaluate(row) if until is not None else 0
        if key is None or first is None or end is None:
            return None
        if begin is not None and until is not None and first >= end:
            return None  # nobody could use it
        return Validity(
            count,
            unit,
            key.key if unit in ("days", "months") else "UTC",
            until=instant_of(int(end)) if until is not None else None,
            start=rule.from_ if begin is None else "day",
            begins=instant_of(int(first)) if begin is not None else None,
        )

    if zone.constant and (until is None or until.constant) and (begin is None or begin.constant):
        fixed = validity([])
        return (lambda _row: fixed), ()
    return validity, (zone, begin, until)


def _length(rule: ValidityRule, path: Path) -> tuple[int, str]:
    """Give how many of which unit a validity lasts; no unit where only its end is said."""
    if not rule.for_:
        if not rule.until:
            raise PolicyError("say how long: for, until or both", path)
        return 0, ""
    digits, _, word = rule.for_.partition(" ")
    unit, factor = _SPAN_UNITS[word.removesuffix("s")]
    count = int(digits) * factor
    if count > MAX_VALIDITY[unit]:
        raise PolicyError("expected a validity of at most 100 years", (*path, "for"))
    return count, unit


def _check_order(begin: Node | None, until: Node | None, path: Path) -> None:
    first, last = (node.value if node is not None and node.constant else None for node in (begin, until))
    if first is not None and last is not None and first >= last:
        raise PolicyError("the validity ends before it starts", path)


def _check_end(program: Program, end: int | Fraction, path: Path) -> None:
    """A benefit that ends before the incident starts could never be used."""
    incident = program.occasion.incident
    if incident is not None and incident.windows and instant_of(int(end)) <= incident.windows[0].start:
        raise PolicyError("this ends before the incident starts; nobody could use it", path)


def until_node(program: Program, text: str, path: Path) -> Node:
    """Compile a latest moment: an instant, or a day, which is included."""
    return _edge_node(program, text, path, "end_of", "a last day")


def moment_node(program: Program, text: str, path: Path) -> Node:
    """Compile a moment: an instant, or a day, which counts from its start."""
    return _edge_node(program, text, path, "start_of", "a day")


def _edge_node(program: Program, text: str, path: Path, edge: str, day: str) -> Node:
    """Compile an instant, or a day, of which it is the ``edge`` that the function of this name gives."""
    node = program.compile(text, path)
    if node.kind == kinds.DAY:
        return call_node(edge, (node,), program.scope, path)
    if node.kind != kinds.INSTANT:
        raise PolicyError(f"expected an instant or {day}, but this gives {node.kind}: {text}", path)
    return node


def _modes(program: Program, rule: Any, path: Path) -> tuple[CompiledMode, ...]:
    if isinstance(rule, str):
        return (CompiledMode(rule, lambda _row: True, None),)
    listed = rule if isinstance(rule, tuple) else (rule,)
    compiled = [
        CompiledMode(mode, lambda _row: True, None)
        if isinstance(mode, str)
        else _mode(program, mode, (*path, index) if isinstance(rule, tuple) else path)
        for index, mode in enumerate(listed)
    ]
    for index, mode in enumerate(compiled[:-1]):
        if mode.node is None:
            raise PolicyError("this mode can never be reached: the one before it always holds", (*path, index + 1))
    if compiled[-1].node is not None:
        way = compiled[-1].way
        meant = "" if way == "automatic" else f"; whether it has come in is {way}: {{made: ...}}"
        last = (*path, len(compiled) - 1) if isinstance(rule, tuple) else path
        raise PolicyError(f"the last mode is what is left, and has no condition: write {way} alone{meant}", last)
    return tuple(compiled)


def _mode(program: Program, mode: Mode, path: Path) -> CompiledMode:
    way = next(word for word in MODES if getattr(mode, word) is not None)
    detail = getattr(mode, way)
    text = mode.when
    if isinstance(detail, str) and detail != "yes":
        if text:
            raise PolicyError("expected the condition in one place", (*path, "when"))
        text = detail
    node, holds = condition(text, "", program.scope, path)
    if not isinstance(detail, TakeUp):
        return CompiledMode(way, holds, node)
    place = (*path, way)
    made = program.compile(detail.made, (*place, "made"), kinds.YES_NO) if detail.made else None
    at = moment_node(program, detail.at, (*place, "at")) if detail.at else None
    until = until_node(program, detail.until, (*place, "until")) if detail.until else None
    return CompiledMode(way, holds, node, made, at, until)
