"""Telling a decision as the steps of its arithmetic, by evaluating the very closures that decided it."""

# ruff: noqa: PLR2004 (how many operands an operation has)

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.policy.expression import Node, Row
from kulanz.domain.policy.kinds import DURATION, Kind, money, show, show_number
from kulanz.domain.policy.program import CompiledClause, FactSlot, NamedValue
from kulanz.domain.policy.tables import StepTable, TierTable

if TYPE_CHECKING:
    from kulanz.domain.policy.verdict import HeadResult, Judge, Verdict

_TIMES = {1: "once", 2: "twice"}
_WORDS = {">=": "is at least", ">": "is more than", "<=": "is at most", "<": "is less than", "=": "is", "!=": "is not"}
_OPPOSITE = {
    ">=": "is less than",
    ">": "is not more than",
    "<=": "is more than",
    "<": "is at least",
    "=": "is not",
    "!=": "is",
}
_OUTCOMES = {
    Outcome.GRANTED: "Granted",
    Outcome.DECLINED: "Declined",
    Outcome.HELD: "Held, because a person has to decide or something is not known",
    Outcome.REFERRED: "Referred to a person",
    Outcome.OFFERED: "Owed as soon as the customer claims or accepts it",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and the steps that led to it, each a sentence a support agent can read out."""

    decision: Decision
    steps: tuple[str, ...]

    def text(self) -> str:
        """Give the steps as numbered lines."""
        return "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))


def explain(judge: "Judge", verdict: "Verdict", decision: Decision, row: Row, slots: list[FactSlot]) -> Explanation:
    """Tell a verdict. The row is the one that was judged, so that everything in it is what was computed."""
    return Explanation(decision, tuple(_Teller(judge, row, slots).steps(verdict, decision)))


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
        steps.append("Facts used: " + (", ".join(self._facts()) or "none") + ".")
        for clause in self._judge.who:
            steps += self._needed(clause.node)
            steps.append(self._clause(clause))
            if clause is verdict.clause:
                return [*steps, self._end(verdict, decision)]
        for head in self._judge.heads:
            if head.node is not None:
                steps += self._needed(head.node)
                steps.append(self._condition(head.name, head.node))
        for result in verdict.results:
            steps += self._head(result)
        steps += self._total(verdict)
        for clause in self._judge.payout if verdict.results else ():
            steps.append(self._clause(clause))
            if clause is verdict.clause:
                break
        return [*steps, *self._delivery(verdict), self._end(verdict, decision)]

    def _facts(self) -> list[str]:
        kinds_of = {name: self._program.scope.resolve(name, ()) for name in self._program.slots}
        told = []
        for slot in self._slots:
            name = slot.declaration.name
            node = kinds_of[name]
            assert node is not None
            told.append(f"{name} {show(node.kind, self._row[slot.index], self._zone)}")
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
        for child in node.children:
            steps += self._needed(child)
        if named is not None:
            assert named.source is not None
            steps.append(f"{_spoken(named.name)}: {self._sum_up(named.source)}.")
        elif node.operation == "name" and node.text == "outage":
            steps.append(self._outage(node))
        return steps

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
        return phrase if phrase == value or node.operation == "literal" else f"{phrase} = {value}"

    def _phrase(self, node: Node) -> str:  # noqa: C901, PLR0911, PLR0912 (one case per operation, one line each)
        """Give a node in words, its operands with their values."""
        operands = [self._operand(child) for child in node.children]
        match node.operation, operands:
            case "literal", _:
                return node.text
            case "name", _:
                return (
                    self._value(node)
                    if node.constant and not node.children
                    else f"{_spoken(node.text)} {self._value(node)}"
                )
            case "*", [left, right]:
                return f"{left} of {right}" if left.endswith("%") else f"{left} times {right}"
            case "/", [left, right]:
                return f"{left} divided by {right}"
            case "+" | "-" as sign, [left, right]:
                return f"{left} {'plus' if sign == '+' else 'minus'} {right}"
            case "negative", [only]:
                return f"minus {only}"
            case "max" | "min" as which, _:
                word = (
                    ("higher" if which == "max" else "lower")
                    if len(operands) == 2
                    else ("highest" if which == "max" else "lowest")
                )
                return f"the {word} of " + _listed(operands)
            case "and" | "or" as word, _:
                return f" {word} ".join(operands)
            case "not", [only]:
                return f"not ({only})"
            case "in", [left, right]:
                return f"{left} is one of {right}"
            case "has", [left, right]:
                return f"{left} has {right}"
            case "known", [only]:
                return f"{only} is known"
            case ("begun" | "full") as which, [left, right]:
                return f"{which} blocks of {right} in {left}"
            case "round", _:
                return f"{operands[0]} rounded" + (f" to {operands[1]}" if len(operands) > 1 else "")
            case "if", [_, then, otherwise]:
                return then if node.children[0].evaluate(self._row) else otherwise
            case "first_known", _:
                return next(
                    (o for o, c in zip(operands, node.children, strict=True) if c.evaluate(self._row) is not None),
                    "unknown",
                )
            case operation, [left, right] if operation in _WORDS:
                return f"{left} {_WORDS[operation]} {right}"
            case operation, _:
                return f"{operation}({', '.join(operands)})" if operands else operation

    def _operand(self, node: Node) -> str:  # noqa: PLR0911 (one return per form)
        """Give an operand: computed ones by their value, unless they say more in words."""
        if node.operation == "literal":
            return node.text
        if node.operation == "name":
            if node.kind.name in ("outage", "period"):
                return f"the {_spoken(node.text)}"
            return (
                f"{_spoken(node.text)} {self._value(node)}"
                if node.kind.name != "yes or no"
                else f"{_spoken(node.text)} ({self._value(node)})"
            )
        if node.kind.name == "outage":
            return self._phrase(node)
        if node.kind.name == "yes or no":
            return f"({self._phrase(node)}: {self._value(node)})"
        if node.operation in ("*", "max", "min", "total", "longest", "days", "count", "length"):
            return self._sum_up(node)
        return self._value(node)

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

    def _truth(self, node: Node) -> str:  # noqa: PLR0911 (one return per form)
        """Say a condition as it turned out: the comparison where it holds, its opposite where it does not."""
        value = node.evaluate(self._row)
        if node.operation in _WORDS and len(node.children) == 2:
            left, right = (self._operand(child) for child in node.children)
            if value is None:
                return f"whether {left} {_WORDS[node.operation]} {right} is unknown"
            return f"{left} {(_WORDS if value else _OPPOSITE)[node.operation]} {right}"
        if node.operation == "in" and len(node.children) == 2:
            left, right = (self._operand(child) for child in node.children)
            return f"{left} is {'' if value else 'not '}one of {right}" if value is not None else f"{left}"
        if node.operation in ("and", "or"):
            return f" {node.operation} ".join(self._truth(child) for child in node.children)
        if node.operation == "not":
            return self._truth(node.children[0])
        if node.operation == "name":
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
        line = "none of the lines above" if tier.bound is None else f"{tier.words} {tier.bound.text}"
        if tier.bound is not None and tier.bound.operation != "literal":
            line = f"{tier.words} {self._value(tier.bound)}"
        return [f"{_spoken(named.name)}: {self._sum_up(table.by)}, which is {line}: {self._sum_up(tier.value)}."]

    def _head(self, result: "HeadResult") -> list[str]:
        steps: list[str] = []
        pay = result.head.pay
        if pay is not None:
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
        raw = sum((r.head.pay.evaluate(self._row) for r in verdict.results if r.head.pay is not None), 0)
        if len(verdict.results) > 1:
            steps.append(f"Together: {show(kind, raw)}.")
        if raw > verdict.exact:
            steps.append(f"Limited to {show(kind, verdict.exact)}.")
        if verdict.exact != verdict.minor:
            mode = self._program.policy.rounding.mode.replace("_", " ")
            steps.append(f"Rounded ({mode}): {show(kind, verdict.minor)}.")
        return steps

    def _delivery(self, verdict: "Verdict") -> list[str]:
        steps = []
        how = {
            "automatic": "credited automatically",
            "claim": "on the customer's claim",
            "offer": "as an offer to accept",
        }
        state = {"granted": "", "offered": ", not yet made", "late": ", made or still open after its last day"}
        for result in verdict.results:
            if result.mode is None:
                continue
            due = f", due: {result.head.due}" if result.head.due is not None else ""
            condition = f" ({self._truth(result.mode.node)})" if result.mode.node is not None else ""
            way = result.mode.way
            told = how[way] if way == "automatic" else how[way] + state[result.state]
            steps.append(f"{_spoken(result.head.name)} is delivered: {told}{condition}{due.replace('_', ' ')}.")
        return steps

    def _end(self, verdict: "Verdict", decision: Decision) -> str:
        owed = []
        for benefit in decision.benefits:
            if benefit.money is not None:
                owed.append(show(money(benefit.money.currency), benefit.money.minor))
            else:
                owed.append(f"{benefit.quantity} {benefit.unit}")
        told = ": " + " and ".join(owed) if owed else ""
        unknown = f" Not known: {verdict.unknown}." if verdict.unknown else ""
        return f"{_OUTCOMES[decision.outcome]}{told}. Reason: {decision.reason}.{unknown}"


def _spoken(name: str) -> str:
    return name.replace("_", " ").replace(".", " ")


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + " and " + words[-1]


def _range(say: str, first: int, last: int) -> str:
    if first == last:
        return f"{say} {first}"
    return f"{say} {first} {'and' if last == first + 1 else 'to'} {last}"
