"""Running worked examples against a policy: what an example states is compared, and nothing else.

An example is ``{id, rule, account, incident, expected}``, with ``earlier`` (what was granted before for the incident),
``past`` (incidents before it, whose decisions are worked out first) and ``reading`` (which reading of the rule it
follows) where it needs them. A declared fact takes the account's entry of its name, else
the incident's, else the policy's test default; nested entries are named with a dot. An incident without a cause has the
cause ``unstated``: most rules except a few causes, and examples name a cause where it matters. What may be
stated, and what is refused because it could not be compared, is in ``example_format``.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import MAXYEAR, MINYEAR, UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Outcome
from kulanz.domain.incident import Incident
from kulanz.domain.ledger.earlier_decisions import less_granted
from kulanz.domain.lists.cells import parse_number
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactError, FactValue
from kulanz.domain.money import Money, format_amount, parse_amount
from kulanz.domain.policy import CompiledPolicy, PolicyDocument, PolicyError, compile_policy, freeze
from kulanz.domain.policy.deciding.history import HistoryValues, SubjectHistory
from kulanz.domain.policy.explaining.explanation import Explanation, explain
from kulanz.domain.time import TimeError, Window, format_instant, local_day, parse_day, parse_instant, zone_of
from kulanz_cli.example_format import ExampleError, check_example, misspelt

DECIDED_AT_WITHOUT_WINDOWS = datetime(2026, 1, 1, tzinfo=UTC)
UNSTATED_CAUSE = "unstated"
_ENTITLED = {Outcome.GRANTED: "entitled", Outcome.OFFERED: "entitled", Outcome.DECLINED: "none"}
_INCIDENT_FIELDS = ("id", "title", "windows", "cause", "service", "functions")
_DECIDED_AT = ("decided_at", "granted_at")
_SPAN = re.compile(r"([1-9][0-9]*) (hour|day|week|month)s?")


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
    """Decide an example under a policy and compare. What cannot be compared is a difference, never a pass."""
    name, rule = str(example.get("id", "?")), str(example.get("rule", ""))
    try:
        check_example(example)
        _check_names(document, example, "")
        for place, before in enumerate(example.get("past", ())):
            _check_names(document, before, f"past[{place}].")
        case = prepare(document, example, left_out(document))
    except (PolicyError, FactError, TimeError, ExampleError) as error:
        return Result(name, rule, (Difference("example", "one that can be compared", str(error)),), "")
    explanation = case.explain()
    differences = []
    for place, (earlier, stated) in enumerate(zip(case.past, example.get("past", ()), strict=True)):
        if "expected" in stated:
            found = _differences(earlier, earlier.explain().decision, stated)
            differences += [replace(one, what=f"past[{place}] {one.what}") for one in found]
    differences += _differences(case, explanation.decision, example)
    return Result(name, rule, tuple(differences), case.text_of(explanation))


def without_policy(example: Mapping[str, Any]) -> Result:
    """The result of an example that no policy can decide: its rule is misspelt, or not in the book."""
    name, rule = str(example.get("id", "?")), str(example.get("rule", ""))
    return Result(name, rule, (Difference("rule", rule, "no policy of that rule is there"),), "")


def left_out(document: PolicyDocument) -> dict[str, Any]:
    """Give what an example need not say: the policy's test defaults, and a cause that no rule names."""
    return {"cause": UNSTATED_CAUSE, **document.policy.test.defaults}


@dataclass(frozen=True, slots=True)
class Case:
    """An example ready to be decided: the compiled policy, the row, what is kept, the zone of its days, the instant.

    ``past`` are the cases of the incidents before it, in their order.
    """

    policy: CompiledPolicy
    values: tuple[FactValue | None, ...]
    kept: HistoryValues
    zone: str
    decided_at: datetime
    past: tuple["Case", ...] = ()

    def explain(self) -> Explanation:
        """Decide it, with the reasons."""
        return explain(self.policy, self.values, self.kept)

    def text_of(self, explanation: Explanation) -> str:
        """Give the steps of its explanation as lines, after one line for each incident before it."""
        ends = [f"Before, {place}: {before.explain().steps[-1]}" for place, before in enumerate(self.past, 1)]
        return "\n".join([*ends, explanation.text()])


def prepare(document: PolicyDocument, example: Mapping[str, Any], defaults: Mapping[str, Any]) -> Case:
    """Compile the policy for an example and read its row. Raises what reading them raises.

    Incidents of its ``past`` are decided one after the other, each with what those before it have added, and the
    example with what all of them have.
    """
    if not example.get("past"):
        return _case(document, example, defaults)
    _check_past(document, example)
    history, past = SubjectHistory(), list[Case]()
    for where, step in _sequence(example):
        try:
            case = _case(document, step, defaults)
        except (FactError, TimeError) as error:
            raise ExampleError(where.rstrip(".") or "example", str(error)) from None
        if past and case.decided_at < past[-1].decided_at:
            advice = "list incidents in the order of their decisions, with windows or `decided_at`"
            raise ExampleError(f"{where}incident", f"it is decided before the one above it; {advice}")
        if history.is_full():
            problem = "those above it fill the subject's history; a campaign would hold this one for that"
            raise ExampleError(f"{where}incident", problem)
        kept = case.policy.before(history, f"{where}incident", case.decided_at)
        past.append(replace(case, kept=kept))
        _, addition = case.policy.decide_with_history(case.values, kept)
        history = history.with_addition(f"{where}incident", addition, case.decided_at)
    return replace(past.pop(), past=tuple(past))


def _sequence(example: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Give the incidents of an example in their order, each as an example, with the place where it stands.

    An account is in the past what it is now, but for what is said to have been different.
    """
    account = _flat(example.get("account", {}))
    for place, before in enumerate(example.get("past", ())):
        then = {**account, **_flat(before.get("account", {}))}
        yield f"past[{place}].", {**example, "account": then, "incident": before["incident"]}
    yield "", example


def _check_past(document: PolicyDocument, example: Mapping[str, Any]) -> None:
    """Refuse a past that would change nothing, or would silently take the place of what is stated."""
    families = [name for name, fact in document.policy.facts.items() if fact.add]
    if not families:
        raise ExampleError("past", "the policy keeps nothing of earlier incidents: none of its facts has `add`")
    for where, step in _sequence(example):
        for entry in ("account", "incident"):
            for name in _flat(step.get(entry, {})):
                if name in families or _is_of_a_period(name, families, document):
                    problem = "it is worked out from `past`; state what is kept, or list the past, not both"
                    raise ExampleError(f"{where}{entry}.{name}", problem)


def _is_of_a_period(name: str, families: Iterable[str], document: PolicyDocument) -> bool:
    return name not in document.policy.facts and any(name.startswith(f"{family}_") for family in families)


def _case(document: PolicyDocument, example: Mapping[str, Any], defaults: Mapping[str, Any]) -> Case:
    account = _flat(example.get("account", {}))
    happened, decided_at = _incident(example.get("incident", {}), account, defaults)
    frozen = freeze(document, _parameters(document, example.get("reading")))
    policy = compile_policy(frozen, happened, decided_at)
    states_decision = _states_decision(example.get("incident", {}), defaults)
    latest = decided_at if states_decision else _latest_done(policy, account)
    if latest > decided_at:  # what was claimed later is decided later, where the example does not say when
        decided_at = latest
        policy = compile_policy(frozen, happened, decided_at)
    values = tuple(fact.parse_json(account.get(fact.name, happened.facts.get(fact.name))) for fact in policy.facts)
    zone = document.policy.zone
    if zone in document.policy.facts:
        zone = str(account.get(zone, happened.facts.get(zone)) or "UTC")
    return Case(policy, values, policy.history_as_stated({**happened.facts, **account}), zone, decided_at)


def _states_decision(incident: Mapping[str, Any], defaults: Mapping[str, Any]) -> bool:
    return any(incident.get(name) for name in _DECIDED_AT) or "decided_at" in defaults


def _latest_done(policy: CompiledPolicy, account: Mapping[str, Any]) -> datetime:
    """The last instant at which an account claims, accepts or reports; the end of a day."""
    done = [fact for fact in policy.facts if fact.name in policy.done_facts]
    stated = [fact.parse_json(account.get(fact.name)) for fact in done]
    moments = [
        value if isinstance(value, datetime) else datetime.combine(value, time(), UTC) + timedelta(days=1)
        for value in stated
        if isinstance(value, date) and date(MINYEAR + 1, 1, 1) < date(value.year, 1, 1) < date(MAXYEAR, 1, 1)
    ]
    return max(moments, default=datetime.min.replace(tzinfo=UTC))


def _check_names(document: PolicyDocument, example: Mapping[str, Any], place: str) -> None:
    """Refuse what looks like a misspelt fact: the real one would be unknown, and the example might hold for that."""
    declared = document.policy.facts
    stated = {where: _flat(example.get(where, {})) for where in ("account", "incident")}
    missing = [name for name in declared if not any(name in names for names in stated.values())]
    for where, names in stated.items():
        for name in names:
            is_read = name in declared or _is_of_a_period(name, declared, document)
            if not is_read and where == "incident" and name in ("start", "end"):
                advice = "the policy reads no such fact; when it was out is windows, a list with start and end for each"
                raise ExampleError(f"{place}{where}.{name}", advice)
            if not is_read and (meant := misspelt(name, missing)):
                raise ExampleError(f"{place}{where}.{name}", f"the policy reads no such fact; did you mean {meant!r}?")
    for name in document.policy.test.defaults:
        known = (*declared, *_INCIDENT_FIELDS, *_DECIDED_AT)
        if name not in known and not _is_of_a_period(name, declared, document):
            raise PolicyError("the policy reads no such fact", ("test", "defaults", name))


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
    entries: Mapping[str, Any], account: Mapping[str, Any], defaults: Mapping[str, Any]
) -> tuple[Incident, datetime]:
    """Read an example's incident; what is not a field of it is a fact, and test defaults fill what it leaves out."""
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
        cause=entries.get("cause") or defaults.get("cause"),
        facts=facts,
    )
    stated = entries.get("decided_at") or entries.get("granted_at") or defaults.get("decided_at")
    ends += _ends(account.get("windows"))
    return happened, parse_instant(stated) if stated else max(ends, default=DECIDED_AT_WITHOUT_WINDOWS)


def _ends(windows: object) -> list[datetime]:
    """When an account's own windows end; what is wrong with them is reported where the policy reads them."""
    try:
        read = FactDeclaration("windows", "windows").parse_json(windows)
    except FactError:
        return []
    parts = read if isinstance(read, tuple) else ()
    return [window.end for window in parts if isinstance(window, Window) and window.end is not None]


def _parameters(document: PolicyDocument, reading: object) -> dict[str, str]:
    """A reading is the name of a choice, or the sentence that explains it, of one of the policy's parameters.

    Where several parameters are to be chosen, or have choices of the same name, it is a mapping of them.
    """
    if reading is None:
        return {}
    if isinstance(reading, dict):
        return {str(name): str(choice) for name, choice in reading.items()}
    fitting = {
        name: choice
        for name, parameter in document.policy.parameters.items()
        for choice, says in parameter.choices.items()
        if reading in (choice, says)
    }
    if len(fitting) > 1:
        raise PolicyError(f"this is a choice of {', '.join(fitting)}; write which: {{parameter: choice}}", ("reading",))
    if not fitting:
        raise PolicyError("expected a choice of one of the policy's parameters, or its sentence", ("reading",))
    return fitting


def _differences(case: Case, decision: Decision, example: Mapping[str, Any]) -> list[Difference]:
    expected = example["expected"]
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
            compare("due now", _stated_money(expected["due_now"]), _sum_up(_due_now(case.policy, decision, example)))
        if "units" in expected:
            found += _unit_differences(expected["units"], decision.benefits, case)
    except ValueError as error:
        found.append(Difference("example", "money and units that can be read", str(error)))
    return found


def _due_now(policy: CompiledPolicy, decision: Decision, example: Mapping[str, Any]) -> tuple[Benefit, ...]:
    """Set off what was granted before, as a later campaign of the incident does."""
    granted: dict[str, int | Decimal] = {}
    for entry in example["earlier"]:
        for item in entry["money"]:
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


def _unit_differences(stated: list[Mapping[str, Any]], benefits: tuple[Benefit, ...], case: Case) -> list[Difference]:
    """Match every stated unit with one that was given, and report what is left on either side."""
    left = [benefit for benefit in benefits if benefit.money is None]
    found = []
    for wanted in sorted(stated, key=len, reverse=True):  # what says most has the least to choose from
        match = next((benefit for benefit in left if _unit_fits(wanted, benefit, case)), None)
        if match is None:
            found.append(Difference("units", _stated_unit(wanted), _described(left, case) or "none"))
        else:
            left.remove(match)
    if left and not found:
        found.append(Difference("units", "nothing more", _described(left, case)))
    return found


def _stated_unit(wanted: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in wanted.items() if not isinstance(value, dict))


def _unit_fits(wanted: Mapping[str, Any], benefit: Benefit, case: Case) -> bool:
    validity = benefit.validity
    expires_at, starts_at = validity.expires_at(case.decided_at), validity.starts_at(case.decided_at)
    zone = zone_of(case.zone)
    last = None if expires_at is None else expires_at - timedelta(microseconds=1)
    checks: dict[str, Callable[[str], bool]] = {
        "quantity": lambda value: _same_quantity(value, benefit.quantity),
        "unit": lambda value: value == benefit.unit,
        "choice": lambda value: value == _choice(benefit, case.policy),
        "valid_from": lambda value: parse_instant(value) == starts_at,
        "expires_at": lambda value: parse_instant(value) == expires_at,
        "from": lambda value: parse_day(value) == local_day(starts_at, zone),
        "to": lambda value: parse_day(value) == (None if last is None else local_day(last, zone)),
        "validity": lambda value: _span(value) == (validity.count, validity.unit),
        "per": lambda value: value == benefit.terms.get("each"),
        "cycles": lambda value: value == benefit.terms.get("times"),
        "restriction": lambda value: value == benefit.restriction,
    }
    stated = {key: value for key, value in wanted.items() if not isinstance(value, dict)}
    return all(check(str(stated[key])) for key, check in checks.items() if key in stated)


def _same_quantity(stated: str, given: str) -> bool:
    if UNLIMITED in (stated, given):
        return stated == given
    return parse_number(stated) == parse_number(given)


def _span(text: str) -> tuple[int, str]:
    match = _SPAN.fullmatch(text)
    if match is None:
        raise ValueError(f"expected a validity such as 3 days, found {text!r}")
    count, unit = int(match.group(1)), match.group(2)
    return (count * 7, "days") if unit == "week" else (count, f"{unit}s")


def _choice(benefit: Benefit, policy: CompiledPolicy) -> str:
    listed = policy.restrictions.get(benefit.terms.get("of", ""))
    return f"{benefit.quantity} of {len(listed)} {benefit.unit}" if listed else ""


def _described(benefits: list[Benefit], case: Case) -> str:
    return "; ".join(_describe(benefit, case) for benefit in benefits)


def _describe(benefit: Benefit, case: Case) -> str:
    described = _choice(benefit, case.policy) or f"quantity {benefit.quantity}, unit {benefit.unit}"
    expires_at = benefit.validity.expires_at(case.decided_at)
    return described if expires_at is None else f"{described}, expires_at {format_instant(expires_at)}"
