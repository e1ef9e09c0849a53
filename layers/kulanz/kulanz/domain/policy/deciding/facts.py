"""The facts of a policy: where each stands in a row, how its value gets there, and what stands in for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, LIST_TYPES, FactError
from kulanz.domain.money import is_currency, minor_units
from kulanz.domain.policy.deciding.occasion import OF_THE_INCIDENT, Occasion
from kulanz.domain.policy.document.document import Fact, Policy
from kulanz.domain.policy.language import kinds
from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.expression import UNKNOWN, Scope, compile_text
from kulanz.domain.policy.language.kinds import Kind
from kulanz.domain.policy.language.periods import label_in
from kulanz.domain.time import TimeError, microseconds_of, zone_of

HISTORY_TYPES = ("money", "number", "windows")
"""The types of facts that can be kept: those that add up."""
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
    in_history: bool = False


class Facts:
    """The facts that a policy declares, read for one occasion. ``new_slot`` reserves a place in the row."""

    def __init__(self, policy: Policy, occasion: Occasion, scope: Scope, new_slot: Callable[[], int]) -> None:
        self._policy = policy
        self._occasion = occasion
        self._scope = scope
        self._new_slot = new_slot

    def slots(self) -> Iterator[tuple[str, FactSlot]]:
        """Give the slot of each fact, and of each period of a fact that has one for each, by its name."""
        for name, fact in self._policy.facts.items():
            self._check_period_names(name)
            yield from self._declared(name, fact)

    def _check_period_names(self, name: str) -> None:
        for family, fact in self._policy.facts.items():
            if fact.per and label_in(name, family, fact.per):
                raise PolicyError(f"this is the name of {family!r} in one period; choose another", ("facts", name))

    def _declared(self, name: str, fact: Fact) -> Iterator[tuple[str, FactSlot]]:
        path: Path = ("facts", name)
        if fact.choices and fact.type != "text":
            raise PolicyError("only texts have choices", (*path, "choices"))
        currency = fact.currency or self._policy.currency
        if fact.separator and fact.type not in LIST_TYPES:
            raise PolicyError("only lists have a separator", (*path, "separator"))
        if fact.early and fact.type not in ("instant", "day", "windows"):
            raise PolicyError("only instants, days and windows can be early", (*path, "early"))
        in_currency = fact.type in ("money", "amounts")
        if in_currency and not is_currency(currency):
            raise PolicyError("say which currency it is in: currency: EUR, here or for the policy", path)
        if fact.currency and not in_currency:
            raise PolicyError("only money and amounts have a currency", (*path, "currency"))
        if fact.add or fact.until or fact.counts:
            yield name, self._kept(name, fact, currency if in_currency else "", path)
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
        yield name, slot
        if fact.per:
            slot.from_account = False
            labels = self._occasion.period_labels(fact.per, fixed_zone(self._policy))
            columns = [f"{name}_{label}" for label in labels]
            slot.columns = tuple(self._column(column, fact, limits, default) for column in columns)
            yield from zip(columns, slot.columns, strict=True)

    def _kept(self, name: str, fact: Fact, currency: str, path: Path) -> FactSlot:
        """Declare a fact that Kulanz keeps itself; before the first incident it is nothing."""
        if not fact.add:
            entry = "until" if fact.until else "counts"
            raise PolicyError(f"`{entry}` belongs to a fact of the history: say what each incident adds to it", path)
        if fact.type not in HISTORY_TYPES:
            raise PolicyError(f"only {', '.join(HISTORY_TYPES)} can be kept", (*path, "type"))
        stated = ("minimum", "maximum", "default")
        wrong = [key for key in stated if getattr(fact, key)]
        if wrong or fact.invalid != "reject" or fact.from_:
            entry = (wrong or ["from or invalid"])[0]
            raise PolicyError(f"a fact of the history has no {entry}: nobody states it", path)
        if fact.per and (fact.type != "money" or fact.until):
            advice = "count in a period with windows, such as count(during(paid_for, year(incident_start)))"
            raise PolicyError(f"only money is kept for each period, and without `until`; {advice}", (*path, "per"))
        if fact.per and self._zone_is_a_fact():
            raise PolicyError("periods need one zone for all accounts; name it under zone", (*path, "per"))
        declaration = FactDeclaration(name, fact.type, currency=currency, required=False)
        nothing: Any = {} if fact.per else () if fact.type == "windows" else 0
        return FactSlot(declaration, self._new_slot(), None, nothing, False, per=fact.per, in_history=True)

    def _zone_is_a_fact(self) -> bool:
        return self._policy.zone in self._policy.facts

    def _column(self, name: str, fact: Fact, limits: dict[str, Any], default: Any) -> FactSlot:
        """Declare what a list has a column for: a fact, or in its place the fact of each period of a family."""
        incident = self._incident_value(name, fact, limits, ("facts", name))
        required = fact.from_ != "incident" and incident is None and not fact.default
        declaration = FactDeclaration(name, fact.type, **limits, required=required)
        fallback = default if incident is None else None if incident is INVALID else incident
        return FactSlot(declaration, self._new_slot(), self._conversion(fact.type), fallback, fact.from_ != "incident")

    def _limit(self, text: str, type_: str, currency: str, path: Path) -> Fraction | None:
        """Read the least or most that a fact can be; of money in the units that its list has it in."""
        if not text:
            return None
        if type_ not in ("number", "money"):
            raise PolicyError("only numbers and money have a minimum and a maximum", path)
        node = compile_text(text, self._scope, path)
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
        node = compile_text(fact.default, self._scope, (*path, "default"), expected)
        if node.value is None:
            raise PolicyError("expected a value written out, or unknown", (*path, "default"))
        return node.value

    def _incident_value(self, name: str, fact: Fact, limits: dict[str, Any], path: Path) -> Any:
        """Read the incident's word on a fact that is the incident's to state, typed like an account's.

        What an incident states never stands in for a fact of the account: whoever may record incidents would set what
        accounts are paid. A fact named like a field of the incident is the account's own, else that field.
        """
        incident = self._occasion.incident
        if incident is None or fact.from_ == "account":
            return None
        if fact.from_ != "incident" or name not in incident.facts:
            return self._incident_field(name, fact, path)
        try:
            value = FactDeclaration(name, fact.type, **limits).parse_json(incident.facts[name])
        except FactError as error:
            raise PolicyError(f"the incident's fact {name!r}: expected {error.expected}", path) from None
        convert = self._conversion(fact.type)
        return value if value is None or value is INVALID or convert is None else convert(value)

    def _incident_field(self, name: str, fact: Fact, path: Path) -> Any:
        """Give a field of the incident as the value of a fact of the same name."""
        if name not in OF_THE_INCIDENT:
            return None
        node = self._occasion.node(name)
        if node.kind != _KIND_OF_FACT.get(fact.type):
            raise PolicyError(f"the incident's {name} is of another type; expected {node.kind}", (*path, "type"))
        return node.value or None

    def _conversion(self, type_: str) -> Callable[[Any], Any] | None:
        """Give what turns a fact's value into the form that expressions compute with."""
        return self._occasion.intervals if type_ == "windows" else _CONVERSIONS.get(type_)


def kind_of(fact: FactDeclaration) -> Kind:
    """Give the kind of a fact's values in expressions."""
    if fact.type == "money":
        return kinds.money(fact.currency)
    return kinds.amounts(fact.currency) if fact.type == "amounts" else _KIND_OF_FACT[fact.type]


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


def fixed_zone(policy: Policy) -> ZoneInfo | None:
    """Give the policy's zone where it is the same for every account."""
    try:
        return zone_of(policy.zone)
    except TimeError:
        return None


_CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "instant": microseconds_of,
    "day": date.toordinal,
    "dates": lambda days: tuple(day.toordinal() for day in days),
}
