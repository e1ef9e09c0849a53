"""Telling a decision as the steps of its arithmetic, by evaluating the very closures that decided it.

Only who asks for an explanation imports this.
"""

# ruff: noqa: PLR2004 (how many operands an operation has)

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kulanz.domain.decision import Decision, Due, Outcome
from kulanz.domain.policy.expression import Node, Row
from kulanz.domain.policy.functions import MONEY_BY_TIME
from kulanz.domain.policy.kinds import DURATION, OUTAGE, Kind, money, show, show_number
from kulanz.domain.policy.program import CompiledClause, FactSlot, NamedValue, kind_of
from kulanz.domain.policy.tables import StepTable, TierTable

if TYPE_CHECKING:
    from kulanz.domain.policy.verdict import HeadResult, Judge, Period, Verdict

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

    def steps(self, verdict: "Verdict", decision: Decision) -> list[str]:
        policy = self._program.policy
        steps = [f"Policy {policy.id}, version {policy.version}: {policy.title}."]
        if policy.parameters:
            chosen = [f"{name}: {p.choices[self._program.parameters[name]]}" for name, p in policy.parameters.items()]
            steps.append("As chosen for this campaign: " + "; ".join(chosen) + ".")
        if policy.tax:
            steps.append(f"Amounts {'include' if policy.tax == 'included' else 'do not include'} tax.")
        steps.append("Facts used: " + (", ".join(self._facts()) or "none") + ".")
        if self._judge.kept:
            steps.append("Kept of earlier incidents: " + (", ".join(self._kept()) or "nothing") + ".")
        steps += self._incident()
        for clause in self._judge.told:
            steps += self._needed(clause.node)
            period = self._judge.in_force
            steps.append(
                self._clause(clause) if period is None or clause is not period.clause else self._period(period)
            )
            if clause is verdict.clause:
                return [*steps, self._end(verdict, decision)]
        for head in self._judge.heads:
            if head.node is not None and not head.for_each:
                steps += self._needed(head.node)
                steps.append(self._condition(head.name, head.node))
        for result in verdict.results:
            steps += self._head(result)
        steps += self._total(verdict)
        if verdict.unknown in self._program.values:
            steps += self._needed(self._program.values[verdict.unknown].node)
        for clause in self._judge.payout if verdict.results else ():
            steps.append(self._clause(clause))
            if clause is verdict.clause:
                break
        return [*steps, *self._delivery(verdict), *self._adds(verdict), self._end(verdict, decision)]

    def _adds(self, verdict: "Verdict") -> list[str]:
        """Tell what later incidents will be decided with."""
        told = []
        for kept in self._judge.kept:
            kind, name = kind_of(kept.slot.declaration), kept.slot.declaration.name
            for added, value in verdict.added.items():
                if added == name or (kept.slot.per and added.startswith(f"{name}_")):
                    told.append(f"{_spoken(added)} {show(kind, value, self._zone)}")
            if name in verdict.cleared:
                told.append(f"{_spoken(name)} settled")
        return [f"Kept for later incidents: {', '.join(told)}."] if told else []

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
        stated = [
            slot
            for slot in self._program.slots.values()
            if not slot.from_account and not slot.columns and not slot.is_kept
        ]
        return [
            f"{slot.declaration.name} {show(kind_of(slot.declaration), self._row[slot.index], self._zone)}"
            for slot in [*self._slots, *stated]
        ]

    def _kept(self) -> list[str]:
        told = []
        for kept in self._judge.kept:
            kind, value = kind_of(kept.slot.declaration), self._row[kept.slot.index]
            of_periods = value.items() if kept.slot.per else [("", value)]
            name = _spoken(kept.slot.declaration.name)
            told += [
                f"{name} {period}".strip() + f" {show(kind, one, self._zone)}" for period, one in of_periods if one
            ]
        return told

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
            return self._needed(named.steps.count) + self._steps_table(named, named.steps)
        if named is not None and named.tiers is not None:
            return self._needed(named.tiers.by) + self._tiers_table(named, named.tiers)
        for child in self._used(node):
            steps += self._needed(child)
        if named is not None:
            assert named.source is not None
            steps.append(f"{_spoken(named.name)}: {self._sum_up(named.source)}.")
        elif node.operation == "name" and node.text == "outage":
            steps.append(self._outage(node))
        return steps

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
        return show(node.kind, node.evaluate(self._row), self._zone)

    def _sum_up(self, node: Node) -> str:
        """Give the phrase of a node and, where it was computed, its value."""
        phrase, value = self._phrase(node), self._value(node)
        return phrase if node.operation in ("literal", "name") or phrase == value else f"{phrase} = {value}"

    def _phrase(self, node: Node) -> str:  # noqa: C901, PLR0911, PLR0912 (one case per operation, one line each)
        """Give a node in words, its operands with their values."""
        operands = [self._operand(child) for child in node.children]
        match node.operation, operands:
            case "literal", _:
                return node.text
            case "name", _:
                return self._named(node)
            case "*", [left, right]:
                return f"{left} of {right}" if _is_share(node.children[0]) else f"{left} times {right}"
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
                return f"{which} blocks of {right} in {left}"
            case "round", _:
                return f"{operands[0]} rounded" + (f" to a multiple of {operands[1]}" if len(operands) > 1 else "")
            case "if", [_, then, otherwise]:
                return then if node.children[0].evaluate(self._row) else otherwise
            case "first_known", _:
                known = zip(operands, node.children, strict=True)
                return next((said for said, child in known if child.evaluate(self._row) is not None), "unknown")
            case operation, [left, right] if operation in _WORDS:
                return f"{left} {_WORDS[operation]} {right}"
            case operation, _ if operation in _PHRASES:
                return _PHRASES[operation].format(*operands)
            case operation, _:
                return f"{operation.replace('_', ' ')} of {', '.join(operands)}" if operands else operation

    def _named(self, node: Node) -> str:
        """Give a name with its value; an outage, a period and a condition are told apart, so only by name."""
        spoken = _spoken(node.text)
        if node.kind.name in ("outage", "period"):
            return f"the {spoken}"
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

    def _period(self, period: "Period") -> str:
        """Tell when the rule is in force, and whether what has to lie in that time does."""
        outside = period.clause.holds(self._row)
        word = "unknown" if outside is None else "applies" if outside else "does not apply"
        ends = (("from", period.from_), ("until", period.until))
        told = " ".join(f"{end} {self._operand(node)}" for end, node in ends if node is not None)
        return f"{period.clause.reason} {word}: the rule is in force {told}; {self._sum_up(period.by)}."

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
            return f" {operation} ".join(self._truth(child) for child in node.children)
        if value is not None and operation in (*_WORDS, "in", "has") and len(node.children) == 2:
            left, right = (self._operand(child) for child in node.children)
            words = (_WORDS if value else _OPPOSITE)[operation]
            return f"{left} {words} {right}"
        if operation == "name":
            return f"{_spoken(node.text)}: {self._value(node)}"
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
            for number, (row, _) in enumerate(result.pieces, 1):
                part = _Teller(self._judge, row, self._slots)
                parts = [*part._needed(pay), f"{_spoken(result.head.name)}: {part._sum_up(pay)}."]
                steps += [f"{result.head.for_each.capitalize()} {number}. {step}" for step in parts]
        elif pay is not None:
            steps += self._needed(pay)
            steps.append(f"{_spoken(result.head.name)}: {self._sum_up(pay)}.")
        for give, quantity, validity, chosen in result.gives:
            steps += self._needed(give.quantity_node)
            amount = quantity if isinstance(quantity, str) else show_number(quantity)
            told = f"{amount} {give.unit}" + (f" of your choice from {chosen}" if chosen else "")
            if give.restriction:
                told += f", to be used as listed under {give.restriction}"
            if validity.unit:
                told += f", for {validity.count} {validity.unit} from the {validity.start}"
            told += "".join(f", {key}: {value}" for key, value in give.terms.items())
            steps.append(f"{_spoken(result.head.name)}: {told}.")
        return steps

    def _total(self, verdict: "Verdict") -> list[str]:
        if not self._judge.currency or not verdict.results:
            return []
        kind: Kind = money(self._judge.currency)
        steps = []
        raw = sum((self._before_caps(result) for result in verdict.results), 0)
        if len(verdict.results) > 1:
            steps.append(f"Together: {show(kind, raw)}.")
        for label, share, limit in verdict.shares:
            capped = f"at most {show(kind, limit)}" if share > limit else "within its limit"
            steps.append(f"Share of {label} by time: {show(kind, share)}, {capped}.")
        if raw > verdict.exact:
            steps.append(f"Limited to {show(kind, verdict.exact)}.")
        if verdict.exact != verdict.minor:
            mode = self._program.policy.rounding.mode.replace("_", " ")
            steps.append(f"Rounded ({mode}): {show(kind, verdict.minor)}.")
        return steps

    def _before_caps(self, result: "HeadResult") -> Any:
        if result.pieces:
            return sum(exact for _, exact in result.pieces)
        return result.head.pay.evaluate(self._row) if result.head.pay is not None else 0

    def _delivery(self, verdict: "Verdict") -> list[str]:
        steps = []
        how = {
            "automatic": "credited automatically",
            "claim": "owed on the customer's claim",
            "offer": "an offer to accept",
        }
        state = {"granted": "", "offered": ", not yet made", "late": ", made or still open after its last day"}
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


def _is_share(node: Node) -> bool:
    """Say whether a factor is a share, written as a percentage or named for one."""
    return node.text.endswith("%")


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1]


def _range(say: str, first: int, last: int) -> str:
    if first == last:
        return f"{say} {first}"
    return f"{say} {first} {'and' if last == first + 1 else 'to'} {last}"
