"""Telling a decision as the steps of its arithmetic, by evaluating the very closures that decided it.

Only who asks for an explanation imports this.
"""

# ruff: noqa: PLR2004 (how many operands an operation has)

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kulanz.domain.decision import Decision, Due, Outcome
from kulanz.domain.money import MAX_MINOR_UNITS
from kulanz.domain.policy.expression import Node, Row
from kulanz.domain.policy.functions import MONEY_BY_TIME
from kulanz.domain.policy.kinds import DURATION, INSTANT, NUMBER, OUTAGE, Kind, money, show, show_number
from kulanz.domain.policy.program import CompiledClause, FactSlot, NamedValue, kind_of
from kulanz.domain.policy.tables import StepTable, TierTable
from kulanz.domain.policy.verdict import TOO_MUCH
from kulanz.domain.time import microseconds_of

if TYPE_CHECKING:
    from kulanz.domain.policy.verdict import HeadResult, Judge, Verdict

MAX_PIECES_TOLD = 40
"""How many outages, days or periods are told one by one."""
_AS_THEY_ARE = ("literal", "name")
_TIMES = {1: "once", 2: "twice"}
_WORDS = {
    ">=": "is at least",
    ">": "is more than",
    "<=": "is at most",
    "<": "is less than",
    "=": "is",
    "!=": "is not",
    "in": "is one of",
    "has": "contains",
}
_IN_TIME = {">=": "is not before", ">": "is after", "<=": "is not after", "<": "is before"}
"""How days, instants and times of day are compared."""
_OPPOSITE_OPERATOR = {">=": "<", ">": "<=", "<=": ">", "<": ">="}
_OPPOSITE = {
    ">=": "is less than",
    ">": "is not more than",
    "<=": "is more than",
    "<": "is at least",
    "=": "is not",
    "!=": "is",
    "in": "is not one of",
    "has": "does not contain",
}
_SUPERLATIVES = {("max", True): "higher", ("min", True): "lower", ("max", False): "highest", ("min", False): "lowest"}
_PHRASES = {
    "total": "the time of {0}",
    "longest": "the longest part of {0}",
    "count": "the number of {0}",
    "days": "the days of {0}",
    "length": "the length of {0}",
    "day": "the day of {0}",
    "start": "the start of {0}",
    "end": "the end of {0}",
    "start_of": "the start of {0}",
    "end_of": "the end of {0}",
    "month": "the month of {0}",
    "quarter": "the quarter of {0}",
    "year": "the year of {0}",
    "mean": "the mean of {0}",
    "sum": "the sum of {0}",
    "half_year": "the half-year of {0}",
    "during": "{0} in {1}",
    "after": "{0} from {1} on",
    "before": "{0} until {1}",
    "overlap": "{0} within {1}",
    "together": "{0} together with {1}",
    "without": "{0} without {1}",
    "daily": "{0} from {1} to {2} each day",
    "weekdays": "{0} on {1}",
    "on_working_days": "{0} on working days",
    "merge": "{0} with pauses under {1} joined",
    "at_least": "the parts of {0} of at least {1}",
    "below": "those of {0} below {1}",
    "longer_than": "the parts of {0} longer than {1}",
    "stretch": "the time from {0} to {1}",
    "period": "the time from {0} to {1}",
    "days_with_more_than": "the days with more than {1} of {0}",
    "days_with_at_least": "the days with at least {1} of {0}",
    "working_days": "the working days after {0} until {1}",
    "billing_period": "the billing period of {0} from day {1} on",
    "most_in_a_year": "the most of {0} in one year from month {1} on",
    "at": "{1} on {0}",
    "weekday": "the weekday of {0}",
    "time_of_day": "the time of day of {0}",
    "is_working_day": "{0} is a working day",
    "starts_with": "{0} starts with {1}",
}
"""How functions are spoken, with their arguments in order."""
_OUTCOMES = {
    Outcome.GRANTED: "Granted",
    Outcome.DECLINED: "Declined",
    Outcome.HELD: "Held until a person decides",
    Outcome.REFERRED: "Referred to a person",
    Outcome.OFFERED: "Owed as soon as the customer claims or accepts it",
}


def explain(judge: "Judge", verdict: "Verdict", decision: Decision, row: Row, slots: list[FactSlot]) -> tuple[str, ...]:
    """Tell a verdict. The row is the one that was judged, so that everything in it is what was computed."""
    return tuple(_Teller(judge, row, slots).steps(verdict, decision))


class _Teller:
    def __init__(self, judge: "Judge", row: Row, slots: list[FactSlot]) -> None:
        self._judge = judge
        self._row = row
        self._slots = slots
        self._program = judge.program
        self._told: set[str] = set()
        zone = self._program.scope.zone.evaluate(row)
        self._zone: ZoneInfo | None = zone
        tables = [value.tiers for value in self._program.values.values() if value.tiers is not None]
        self._compared_with_shares = {
            table.by.text
            for table in tables
            if table.by.operation == "name"
            and any(tier.bound.text.endswith("%") for tier in table.tiers if tier.bound is not None)
        }

    def steps(self, verdict: "Verdict", decision: Decision) -> list[str]:
        policy = self._program.policy
        steps = [f"Policy {policy.id}, version {policy.version}: {policy.title}."]
        if policy.parameters:
            chosen = [f"{name}: {p.choices[self._program.parameters[name]]}" for name, p in policy.parameters.items()]
            steps.append("As chosen for this campaign: " + "; ".join(chosen) + ".")
        if policy.tax:
            steps.append(f"Amounts {'include' if policy.tax == 'included' else 'do not include'} tax.")
        steps.append("Facts used: " + (", ".join(self._facts()) or "none") + ".")
        steps += self._incident()
        for clause in self._judge.told:
            steps += self._needed(clause.node)
            steps.append(self._clause(clause))
            if clause is verdict.clause:
                return [*steps, self._end(verdict, decision)]
        steps += self._heads(verdict)
        steps += self._total(verdict)
        if verdict.reason == TOO_MUCH:
            most = show(money(self._judge.currency), MAX_MINOR_UNITS) if self._judge.currency else "the largest amount"
            steps.append(f"That is above {most}, the most that one credit can be.")
        for clause in self._judge.payout if verdict.results and verdict.reason != TOO_MUCH else ():
            steps.append(self._clause(clause))
            if clause is verdict.clause:
                break
        return [*steps, *self._delivery(verdict), self._end(verdict, decision)]

    def _heads(self, verdict: "Verdict") -> list[str]:
        steps: list[str] = []
        for head in self._judge.heads:
            if head.node is not None and not head.for_each:
                steps += self._needed(head.node)
                steps.append(self._condition(head.name, head.node))
            if self._program.policy.compose == "first" and verdict.results and head is verdict.results[0].head:
                break
        for result in verdict.considered or verdict.results:
            steps += self._head(result)
        if verdict.results and len(verdict.considered) > 1:
            steps.append(f"The highest of them counts: {_spoken(verdict.results[0].head.name)}.")
        return steps

    def _incident(self) -> list[str]:
        """Tell when it was, and why where that is known, in the rule's zone."""
        incident = self._program.incident
        windows = self._program.incident_windows()
        if incident is None or not windows:
            return []
        when = show(OUTAGE, windows, self._zone)
        zone = self._zone.key if self._zone is not None else "UTC"
        cause = f", cause {incident.cause}" if incident.cause else ""
        return [f"The incident: {when} ({zone}){cause}."]

    def _facts(self) -> list[str]:
        stated = [slot for slot in self._program.slots.values() if not slot.from_account and not slot.columns]
        return [
            f"{slot.declaration.name} {show(kind_of(slot.declaration), self._row[slot.index], self._zone)}"
            for slot in [*self._slots, *stated]
        ]

    def _needed(self, node: Node | None) -> list[str]:
        """Tell the named values a node uses, each once, those that it needs first."""
        if node is None:
            return []
        steps: list[str] = []
        named = self._program.values.get(node.text) if node.operation == "name" else None
        if node.operation == "name" and (named is not None or node.text == "outage"):
            if node.text in self._told:
                return []
            self._told.add(node.text)
        if named is not None and named.steps is not None:
            reached = named.steps.reached(self._row) or []
            used = [named.steps.count, *(step.value for step, _ in reached)]
            return [*self._all_needed(used), *self._steps_table(named, named.steps)]
        if named is not None and named.tiers is not None:
            tier = named.tiers.matching(self._row)
            used = [named.tiers.by, *((tier.bound, tier.value) if tier is not None else ())]
            return [*self._all_needed(used), *self._tiers_table(named, named.tiers)]
        steps += self._all_needed(self._used(node))
        if named is not None:
            assert named.source is not None
            steps.append(f"{_spoken(named.name)}: {self._defined(named)}.")
        elif node.operation == "name" and node.text == "outage":
            steps.append(self._outage(node))
        return steps

    def _all_needed(self, nodes: Iterable[Node | None]) -> list[str]:
        return [step for node in nodes for step in self._needed(node)]

    def _used(self, node: Node) -> tuple[Node, ...]:
        """Give the operands that mattered: of an ``if`` its condition and the branch taken, else the known ones."""
        if node.operation == "if":
            holds = node.children[0].evaluate(self._row)
            return node.children[:1] if holds is None else (node.children[0], node.children[1 if holds else 2])
        if node.operation == "first_known":
            return tuple(child for child in node.children if child.evaluate(self._row) is not None)[:1]
        return node.children

    def _outage(self, node: Node) -> str:
        value = node.evaluate(self._row)
        if not value:
            return "The outage counted for this customer: none."
        lengths = sum(end - start for start, end in value)
        name = self._zone.key if self._zone is not None else "UTC"
        shown = show(node.kind, value, self._zone)
        return f"The outage counted for this customer: {shown} ({name}), {show(DURATION, lengths)} in all."

    def _value(self, node: Node) -> str:
        value = node.evaluate(self._row)
        if value is not None and self._is_share(node):
            return f"{show_number(100 * value)}%"
        return show(node.kind, value, self._zone)

    def _is_share(self, node: Node) -> bool:
        """Say whether a number is a share: written as a percentage, chosen among some, or compared with some."""
        match node.operation:
            case "literal":
                return node.text.endswith("%")
            case "name":
                return node.text in self._compared_with_shares or any(self._is_share(child) for child in node.children)
            case "table":
                table = self._program.values[node.text].tiers
                return table is not None and any(self._is_share(tier.value) for tier in table.tiers)
            case "if":
                return any(self._is_share(child) for child in node.children[1:])
            case "max" | "min" | "first_known":
                return any(self._is_share(child) for child in node.children)
            case _:
                return False

    def _defined(self, named: NamedValue) -> str:
        """Tell what a named value came to: a condition with why, anything else with its arithmetic."""
        source = named.source
        assert source is not None
        if source.kind.name == "yes or no" and source.operation not in ("literal", "name"):
            return f"{self._value(source)}, because {self._truth(source)}"
        return self._sum_up(source, self._value(named.node))

    def _sum_up(self, node: Node, value: str = "") -> str:
        """Give the phrase of a node and, where it was computed, its value."""
        phrase, value = self._phrase(node), value or self._value(node)
        return phrase if node.operation in _AS_THEY_ARE or phrase == value else f"{phrase} = {value}"

    def _phrase(self, node: Node) -> str:  # noqa: C901, PLR0911, PLR0912 (one case per operation, one line each)
        """Give a node in words, its operands with their values."""
        operands = [self._operand(child) for child in node.children]
        match node.operation, operands:
            case "literal", _:
                return self._value(node) if node.kind.name == "money" else node.text
            case "name", _:
                return self._named(node)
            case "*", [left, right]:
                of = self._is_share(node.children[0]) and node.children[1].kind != NUMBER
                return f"{left} of {right}" if of else f"{left} times {right}"
            case "/", [left, right]:
                return f"{left} divided by {right}"
            case ("+" | "-") as sign, [left, right]:
                return f"{left} {'plus' if sign == '+' else 'minus'} {right}"
            case "negative", [only]:
                return f"minus {only}"
            case ("max" | "min") as which, _:
                return f"the {_SUPERLATIVES[which, len(operands) == 2]} of {_listed(operands)}"
            case ("and" | "or") as word, _:
                return f" {word} ".join(operands)
            case "not", [only]:
                return f"not {only}"
            case "in", [left, right]:
                return f"{left} is one of {right}"
            case "has", [left, right]:
                return f"{left} contains {right}"
            case "known", [only]:
                return f"{only} is known"
            case ("begun" | "full") as which, [left, right]:
                return f"the number of {which} blocks of {right} in {left}"
            case "round", _:
                return f"{operands[0]} rounded" + (f" to a multiple of {operands[1]}" if len(operands) > 1 else "")
            case "if", [_, then, otherwise]:
                return self._chosen(node.children[0], then, otherwise)
            case "first_known", _:
                known = zip(operands, node.children, strict=True)
                return next((said for said, child in known if child.evaluate(self._row) is not None), "unknown")
            case operation, [left, right] if operation in _WORDS:
                return f"{left} {_comparison(node)} {right}"
            case "at_least", [left, right] if node.kind.name != "outage":
                return f"those of {left} that are at least {right}"
            case operation, _ if operation in _PHRASES:
                return _PHRASES[operation].format(*operands)
            case operation, _:
                return f"{operation.replace('_', ' ')} of {', '.join(operands)}" if operands else operation

    def _chosen(self, condition: Node, then: str, otherwise: str) -> str:
        """Give the branch of an ``if`` that was taken, and why unless the campaign's parameters alone chose it."""
        holds = condition.evaluate(self._row)
        if holds is None:
            return f"unknown, because it cannot be told whether {self._truth(condition)}"
        chosen = then if holds else otherwise
        return chosen if condition.constant else f"{chosen} (as {self._truth(condition)})"

    def _named(self, node: Node) -> str:
        """Give a name with its value; an outage, a period and a condition are told apart, so only by name."""
        spoken = _spoken(node.text)
        if node.kind.name in ("outage", "period"):
            return f"the {spoken}" if node.text in ("outage", "windows") else f'"{spoken}"'
        if node.kind.name == "yes or no":
            return f"{spoken} ({self._value(node)})"
        return f"{spoken} {self._value(node)}"

    def _operand(self, node: Node) -> str:
        """Give an operand: what was written or named as it is, what was computed with its value in brackets."""
        if node.operation in ("literal", "name") or node.kind.name in ("outage", MONEY_BY_TIME):
            return self._phrase(node)
        if node.operation in ("if", "first_known"):
            return self._phrase(node)
        if node.kind.name == "period":
            return self._value(node)
        return f"{self._phrase(node)} ({self._value(node)})"

    def _clause(self, clause: CompiledClause) -> str:
        because = f" {clause.because}" if clause.because else ""
        if clause.node is None:
            return f"{clause.reason}: applies to everybody.{because}"
        holds = clause.holds(self._row)
        word = "unknown" if holds is None else "applies" if holds else "does not apply"
        condition = clause.node
        truth = self._truth(condition)
        return f"{clause.reason} {word}: {truth}.{because if holds else ''}"

    def _condition(self, name: str, node: Node) -> str:
        holds = node.evaluate(self._row)
        word = "cannot be told" if holds is None else "is met" if holds else "is not met"
        return f"The condition of {name} {word}: {self._truth(node)}."

    def _truth(self, node: Node) -> str:
        """Say a condition as it turned out: the comparison where it holds, its opposite where it does not."""
        value = node.evaluate(self._row)
        operation = node.operation
        if operation == "not":
            return self._truth(node.children[0])
        if operation in ("and", "or"):
            deciding = [child for child in node.children if child.evaluate(self._row) is value]
            return " and ".join(self._truth(child) for child in deciding)
        if value is not None and operation in _WORDS and len(node.children) == 2:
            left, right = (self._operand(child) for child in node.children)
            return f"{left} {_comparison(node, holds=value)} {right}"
        if operation == "known" and value is not None:
            return f"{self._operand(node.children[0])} is {'known' if value else 'not known'}"
        if operation == "name":
            return f"{_spoken(node.text)} is {self._value(node)}"
        return f"{self._phrase(node)}: {self._value(node)}"

    def _steps_table(self, named: NamedValue, table: StepTable) -> list[str]:
        reached = table.reached(self._row)
        if reached is None:
            return [f"{_spoken(named.name)}: unknown, because {self._phrase(table.count)} is."]
        parts = []
        kind = named.node.kind
        for step, number in reached:
            value = table.each(step, self._row)
            said = _range(table.say, step.first, step.first + number - 1)
            if not value:
                parts.append(f"{said}: {'unknown' if value is None else 'nothing'}")
                continue
            times = _TIMES.get(number, f"{number} times")
            each = self._rounded(step.value, value)
            parts.append(f"{said}: {each}" + (f", {times} {show(kind, value * number)}" if number > 1 else ""))
        told = "; ".join(parts) or "none reached"
        return [f"{_spoken(named.name)}: {told}; in all {self._value(named.node)}."]

    def _rounded(self, node: Node, value: Any) -> str:
        told = self._sum_up(node)
        exact = node.evaluate(self._row)
        return told if exact == value else f"{told}, rounded {show(node.kind, value)}"

    def _tiers_table(self, named: NamedValue, table: TierTable) -> list[str]:
        tier = table.matching(self._row)
        if tier is None:
            return [f"{_spoken(named.name)}: unknown, because {self._phrase(table.by)} is."]
        line = "otherwise" if tier.bound is None else f"{tier.words} {tier.bound.text}"
        if tier.bound is not None and tier.bound.operation != "literal":
            line = f"{tier.words} {self._value(tier.bound)}"
        return [f"{_spoken(named.name)}: {self._sum_up(table.by)}, {line}: {self._sum_up(tier.value)}."]

    def _head(self, result: "HeadResult") -> list[str]:
        steps: list[str] = []
        pay = result.head.pay
        if pay is not None and result.head.for_each:
            steps += self._pieces(result)
        elif pay is not None:
            steps += self._needed(pay)
            steps.append(f"{_spoken(result.head.name)}: {self._sum_up(pay)}.")
        for give, quantity, validity, chosen in result.gives:
            steps += self._needed(give.quantity_node)
            amount = quantity if isinstance(quantity, str) else show_number(quantity)
            told = f"{amount} {give.unit}" + (
                f" of the customer's choice from the list {_spoken(chosen)}" if chosen else ""
            )
            if give.restriction:
                told += f", to be used as listed under {give.restriction}"
            if validity.unit:
                told += f", for {validity.count} {validity.unit} from the {validity.start}"
            if validity.begins is not None:
                told += f", from {self._moment(validity.begins)} on"
            if validity.until is not None:
                told += f", until {self._moment(validity.until)}"
            told += "".join(f", {key}: {value}" for key, value in give.terms.items())
            steps.append(f"{_spoken(result.head.name)}: {told}.")
        return steps

    def _pieces(self, result: "HeadResult") -> list[str]:
        """Tell each separate outage, day or period: whether the condition is met, and what it comes to."""
        steps: list[str] = []
        head = result.head
        assert head.pay is not None
        for row, applies in result.pieces[:MAX_PIECES_TOLD]:
            part = _Teller(self._judge, row, self._slots)
            parts = [*part._needed(head.node), part._condition(head.name, head.node)] if head.node is not None else []
            if applies:
                parts += [*part._needed(head.pay), f"{_spoken(head.name)}: {part._sum_up(head.pay)}."]
            alone = len(result.pieces) == 1
            steps += parts if alone else [f"{self._piece(head.for_each, row)}: {step}" for step in parts]
        if len(result.pieces) > MAX_PIECES_TOLD:
            steps.append(f"And so on, {len(result.pieces)} in all.")
        return steps

    def _piece(self, unit: str, row: Row) -> str:
        """Name a piece by what tells it from the others."""
        assert self._program.piece_place is not None
        piece = row[self._program.piece_place]
        if unit == "outage":
            return f"Outage from {show(OUTAGE, piece, self._zone)}"
        start = show(INSTANT, piece[0][0], self._zone)
        year, month = start[:4], start[:7]
        named = {"day": start[:10], "month": month, "quarter": f"from {month}", "calendar year": year}
        return f"{unit.capitalize()} {named[unit]}"

    def _moment(self, instant: datetime) -> str:
        return show(INSTANT, microseconds_of(instant), self._zone)

    def _total(self, verdict: "Verdict") -> list[str]:
        if not verdict.results:
            return []
        if not self._judge.currency:
            return self._each_rounded(verdict)
        kind: Kind = money(self._judge.currency)
        steps = []
        raw = sum((self._before_caps(result) for result in verdict.results), 0)
        if len(verdict.results) > 1 or any(len(result.pieces) > 1 for result in verdict.results):
            steps.append(f"Together: {show(kind, raw)}.")
        for label, share, limit in verdict.shares:
            capped = f"at most {show(kind, limit)}" if share > limit else "within its limit"
            steps.append(f"Share of {label} by time: {show(kind, share)}, {capped}.")
        if raw > verdict.exact:
            steps.append(f"Limited to {show(kind, verdict.exact)}.")
        if any(result.exact != result.minor for result in verdict.results):
            steps.append(f"Rounded ({self._rounding()}): {show(kind, verdict.minor)}.")
        return steps

    def _each_rounded(self, verdict: "Verdict") -> list[str]:
        """Tell what was rounded where amounts of several currencies have no sum."""
        return [
            f"{_spoken(head.name)}, rounded ({self._rounding()}): {show(head.pay.kind, result.minor)}."
            for result in verdict.results
            if (head := result.head).pay is not None and result.exact != result.minor
        ]

    def _rounding(self) -> str:
        rule = self._program.policy.rounding
        return rule.mode.replace("_", " ") + (f", to {rule.to}" if rule.to else "")

    def _before_caps(self, result: "HeadResult") -> Any:
        if result.head.for_each:
            return result.before_caps
        return result.head.pay.evaluate(self._row) if result.head.pay is not None else 0

    def _delivery(self, verdict: "Verdict") -> list[str]:
        steps = []
        how = {
            "automatic": "credited automatically",
            "claim": "owed on the customer's claim",
            "offer": "an offer to accept",
        }
        state = {
            "granted": "",
            "offered": ", not yet made",
            "late": ", made or still open after its last day",
            "": ", whose last day is not known",
        }
        for result in verdict.results:
            if result.mode is None:
                continue
            due = f", due {_due(result.head.due)}" if result.head.due is not None else ""
            condition = f" ({self._truth(result.mode.node)})" if result.mode.node is not None else ""
            way = result.mode.way
            told = how[way] if way == "automatic" else how[way] + state[result.state]
            to = result.head.to
            where = f", to: {to.evaluate(self._row)}" if to is not None else ""
            steps.append(f"{_spoken(result.head.name)}: {told}{condition}{due}{where}.")
        return steps

    def _end(self, verdict: "Verdict", decision: Decision) -> str:
        owed = []
        for benefit in decision.benefits:
            if benefit.money is not None:
                owed.append(show(money(benefit.money.currency), benefit.money.minor))
            else:
                owed.append(f"{benefit.quantity} {benefit.unit}")
        told = ": " + " and ".join(owed) if owed else ""
        if verdict.unknown:
            told = f", because {_spoken(verdict.unknown)} is not known"
        return f"{_OUTCOMES[decision.outcome]}{told}. Reason: {decision.reason}."


def _due(due: Due) -> str:
    if due.day:
        return f"by {due.day}"
    return f"within {due.count} {due.unit.replace('_', ' ')}{'s' if due.count > 1 else ''}"


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")


def _comparison(node: Node, *, holds: bool = True) -> str:
    """Give the words of a comparison as it turned out; in time, one is before or after another."""
    operation = node.operation
    if operation in _IN_TIME and node.children[0].kind.name in ("day", "instant", "time of day"):
        return _IN_TIME[operation if holds else _OPPOSITE_OPERATOR[operation]]
    return (_WORDS if holds else _OPPOSITE)[operation]


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1]


def _range(say: str, first: int, last: int) -> str:
    if first == last:
        return f"{say} {first}"
    return f"{say} {first} {'and' if last == first + 1 else 'to'} {last}"
