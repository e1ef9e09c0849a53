"""Running worked examples against a policy: what an example states is compared, and nothing else.

An example is ``{id, rule, account, incident, expected}``, with ``earlier`` (what was granted before) and ``reading``
(which reading of the rule it follows) where it needs them. A declared fact takes the account's entry of its name, else
the incident's, else the policy's test default; nested entries are named with a dot. An incident without a cause has the
cause ``unstated``: most rules except a few causes, and examples name a cause where it matters.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Outcome
from kulanz.domain.facts import FactError, FactValue, parse_number
from kulanz.domain.incident import Incident
from kulanz.domain.money import AmountError, Money, format_amount, parse_amount
from kulanz.domain.policy import CompiledPolicy, PolicyDocument, PolicyError, compile_policy, freeze
from kulanz.domain.policy.history import Kept
from kulanz.domain.succession import less_granted
from kulanz.domain.time import TimeError, Window, format_instant, local_day, parse_instant, zone_of

DECIDED_AT_WITHOUT_WINDOWS = datetime(2026, 1, 1, tzinfo=UTC)
UNSTATED_CAUSE = "unstated"
_ENTITLED = {Outcome.GRANTED: "entitled", Outcome.OFFERED: "entitled", Outcome.DECLINED: "none"}
_INCIDENT_FIELDS = ("id", "title", "windows", "cause", "service", "functions")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that an example states and the policy decides otherwise."""

    what: str
    expected: str
    decided: str


@dataclass(frozen=True, slots=True)
class Result:
    """How an example went; without differences it holds."""

    example: str
    rule: str
    differences: tuple[Difference, ...]
    explanation: str

    @property
    def holds(self) -> bool:
        return not self.differences


def same_rule(document: PolicyDocument, rule: str) -> bool:
    """Say whether examples of a rule are the policy's: by its test entry, else by its id."""
    return _plain(document.policy.test.rule or document.policy.id) == _plain(rule)


def _plain(name: str) -> str:
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def run(document: PolicyDocument, example: Mapping[str, Any]) -> Result:
    """Decide an example under a policy and compare."""
    name, rule = str(example.get("id", "?")), str(example.get("rule", ""))
    try:
        policy, values, kept, decided_at = prepare(document, example)
    except (PolicyError, FactError, TimeError) as error:
        return Result(name, rule, (Difference("input", "an example that can be read", str(error)),), "")
    explanation = policy.explain(values, kept)
    differences = tuple(_differences(document, policy, explanation.decision, example, decided_at))
    return Result(name, rule, differences, explanation.text())


def prepare(
    document: PolicyDocument, example: Mapping[str, Any]
) -> tuple[CompiledPolicy, tuple[FactValue | None, ...], Kept, datetime]:
    """Give the compiled policy, the row, what is kept and the instant of the decision. Raises what reading raises."""
    account = _flat(example.get("account") or {})
    happened, decided_at = _incident(document, example.get("incident") or {}, account)
    frozen = freeze(document, _parameters(document, example.get("reading")))
    policy = compile_policy(frozen, happened, decided_at)
    values = tuple(fact.parse_json(account.get(fact.name, happened.facts.get(fact.name))) for fact in policy.facts)
    kept = policy.kept_as_stated({**happened.facts, **account})
    return policy, values, kept, decided_at


def _flat(entries: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Name nested entries with dots."""
    flat: dict[str, Any] = {}
    for key, value in entries.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat


def _incident(
    document: PolicyDocument, entries: Mapping[str, Any], account: Mapping[str, Any]
) -> tuple[Incident, datetime]:
    """Read an example's incident; what is not a field of it is a fact, and test defaults fill what it leaves out."""
    defaults = document.policy.test.defaults
    windows = tuple(
        Window(parse_instant(window["start"]), parse_instant(window["end"]) if window.get("end") else None)
        for window in entries.get("windows", ())
    )
    facts = {name: value for name, value in _flat(entries).items() if name not in _INCIDENT_FIELDS}
    ends = [window.end for window in windows if window.end is not None]
    edges = {
        "incident_start": min((window.start for window in windows), default=None),
        "incident_end": max(ends, default=None),
    }
    for name, value in defaults.items():
        if name not in account:
            edge = edges.get(value) if isinstance(value, str) else None
            facts.setdefault(name, value if edge is None else format_instant(edge))
    happened = Incident(
        incident_id=str(entries.get("id", "example")),
        revision=1,
        title=str(entries.get("title", "An example")),
        service=str(entries.get("service") or defaults.get("service") or ""),
        functions=tuple(entries.get("functions") or defaults.get("functions") or ()),
        windows=windows,
        cause=entries.get("cause") or defaults.get("cause") or UNSTATED_CAUSE,
        facts=facts,
    )
    stated = entries.get("decided_at") or entries.get("granted_at") or defaults.get("decided_at")
    return happened, parse_instant(stated) if stated else max(ends, default=DECIDED_AT_WITHOUT_WINDOWS)


def _parameters(document: PolicyDocument, reading: object) -> dict[str, str]:
    """A reading is the name of a choice, or the sentence that explains it, of one of the policy's parameters."""
    if not reading:
        return {}
    for name, parameter in document.policy.parameters.items():
        for choice, says in parameter.choices.items():
            if reading in (choice, says):
                return {name: choice}
    raise PolicyError("expected a choice of one of the policy's parameters, or its sentence", ("reading",))


def _differences(
    document: PolicyDocument,
    policy: CompiledPolicy,
    decision: Decision,
    example: Mapping[str, Any],
    decided_at: datetime,
) -> list[Difference]:
    expected = example.get("expected") or {}
    found: list[Difference] = []

    def compare(what: str, wanted: str, decided: str) -> None:
        if wanted != decided:
            found.append(Difference(what, wanted, decided))

    outcome = _ENTITLED.get(decision.outcome, decision.outcome.value)
    if "outcome" in expected:
        compare(
            "outcome",
            str(expected["outcome"]),
            outcome if outcome == expected["outcome"] else f"{outcome} ({decision.reason})",
        )
    if "mode" in expected:
        compare("mode", str(expected["mode"]), decision.mode or "none")
    try:
        if "money" in expected:
            compare("money", _stated_money(expected["money"]), _sum_up(decision.benefits))
        if "due_now" in expected:
            compare("due now", _stated_money(expected["due_now"]), _sum_up(_due_now(policy, decision, example)))
        if "units" in expected:
            given = [benefit for benefit in decision.benefits if benefit.money is None]
            zone = document.policy.zone if "/" in document.policy.zone else "UTC"
            found += _unit_differences(expected["units"], given, policy, decided_at, zone)
    except (AmountError, TimeError, ValueError, KeyError) as error:
        found.append(Difference("example", "money and units that can be read", str(error)))
    return found


def _due_now(policy: CompiledPolicy, decision: Decision, example: Mapping[str, Any]) -> tuple[Benefit, ...]:
    """Set off what was granted before, as a later campaign of the incident does."""
    granted: dict[str, int | Decimal] = {}
    for entry in example.get("earlier", ()):
        for item in entry.get("money", ()):
            money = _money(item)
            granted[money.currency] = granted.get(money.currency, 0) + money.minor
    return decision.benefits if policy.earlier == "add" else less_granted(decision.benefits, granted)


def _money(stated: Mapping[str, Any]) -> Money:
    return parse_amount(str(stated["amount"]), str(stated["currency"]))


def _stated_money(stated: list[Mapping[str, Any]]) -> str:
    return _sum_up(tuple(Benefit(money=_money(item)) for item in stated))


def _sum_up(benefits: tuple[Benefit, ...]) -> str:
    """Write the money of benefits as one sum per currency."""
    sums: dict[str, int] = {}
    for benefit in benefits:
        if benefit.money is not None:
            sums[benefit.money.currency] = sums.get(benefit.money.currency, 0) + benefit.money.minor
    return " + ".join(f"{format_amount(Money(minor, code))} {code}" for code, minor in sorted(sums.items())) or "none"


def _unit_differences(
    stated: list[Mapping[str, Any]], given: list[Benefit], policy: CompiledPolicy, granted_at: datetime, zone: str
) -> list[Difference]:
    """Match every stated unit with one that was given, and report what is left on either side."""
    left = list(given)
    found = []
    for wanted in stated:
        match = next((benefit for benefit in left if _unit_fits(wanted, benefit, policy, granted_at, zone)), None)
        if match is None:
            described = "; ".join(_describe(benefit, policy, granted_at) for benefit in left) or "none"
            found.append(Difference("units", _stated_unit(wanted), described))
        else:
            left.remove(match)
    if left and not found:
        found.append(
            Difference("units", "nothing more", "; ".join(_describe(item, policy, granted_at) for item in left))
        )
    return found


def _stated_unit(wanted: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in wanted.items() if not isinstance(value, dict))


def _unit_fits(
    wanted: Mapping[str, Any], benefit: Benefit, policy: CompiledPolicy, granted_at: datetime, zone: str
) -> bool:
    if "choice" in wanted:
        return bool(_choice(benefit, policy) == wanted["choice"])
    quantity = str(wanted.get("quantity", benefit.quantity))
    same: bool = quantity == benefit.quantity
    if not same and UNLIMITED not in (quantity, benefit.quantity):
        same = parse_number(quantity) == parse_number(benefit.quantity)
    expires_at = benefit.validity.expires_at(granted_at)
    starts_at = benefit.validity.starts_at(granted_at)
    checks: dict[str, Callable[[str], bool]] = {
        "unit": lambda value: value == benefit.unit,
        "valid_from": lambda value: parse_instant(value) == starts_at,
        "expires_at": lambda value: expires_at is not None and parse_instant(value) == expires_at,
        "from": lambda value: local_day(starts_at, zone_of(zone)).isoformat() == value,
        "to": lambda value: (
            expires_at is not None
            and local_day(expires_at - timedelta(microseconds=1), zone_of(zone)).isoformat() == value
        ),
    }
    return same and all(check(str(wanted[key])) for key, check in checks.items() if key in wanted)


def _choice(benefit: Benefit, policy: CompiledPolicy) -> str:
    listed = policy.restrictions.get(benefit.terms.get("of", ""))
    return f"{benefit.quantity} of {len(listed)} {benefit.unit}" if listed else ""


def _describe(benefit: Benefit, policy: CompiledPolicy, granted_at: datetime) -> str:
    told = _choice(benefit, policy) or f"quantity {benefit.quantity}, unit {benefit.unit}"
    expires_at = benefit.validity.expires_at(granted_at)
    return told if expires_at is None else f"{told}, expires {expires_at.isoformat()}"
