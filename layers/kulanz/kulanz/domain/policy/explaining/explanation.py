"""A decision as the steps of its arithmetic, by evaluating the very closures that decided it.

Only who asks for an explanation imports this. Its readers are the customer, whoever answers him, and whoever checks it
afterwards: every amount with its currency, every operation with its operands, and no name that is only the policy's.
This module chooses and orders the steps; `phrases` puts the expressions in them into words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.decision import Decision, Outcome, Validity
from kulanz.domain.lists.facts import FactValue
from kulanz.domain.money import MAX_MINOR_UNITS
from kulanz.domain.policy.deciding.compiled import CompiledPolicy
from kulanz.domain.policy.deciding.components import SINGLE_COMPONENT, CompiledComponent, CompiledGive
from kulanz.domain.policy.deciding.facts import FactSlot, kind_of
from kulanz.domain.policy.deciding.history import HISTORY_PARTS, LOOK_BACK_LONGEST, NO_HISTORY, HistoryValues
from kulanz.domain.policy.deciding.judge import Judge
from kulanz.domain.policy.deciding.plausible import (
    AFTER_DECISION,
    BEFORE_INCIDENT,
    EMPTY_DATE,
    OWN_WINDOW_ELSEWHERE,
    OWN_WINDOW_OPEN,
)
from kulanz.domain.policy.deciding.program import CompiledClause
from kulanz.domain.policy.deciding.verdict import (
    BEYOND,
    CANNOT_BE_COMPUTED,
    IN_THE_FUTURE,
    LARGEST_QUANTITY,
    MOST_BENEFITS,
    NEVER_USABLE,
    NO_LENGTH,
    NO_SUCH_CHOICE,
    QUANTITY_TOO_LARGE,
    TOO_LONG_AGO,
    TOO_MANY_BENEFITS,
    TOO_MANY_PARTS,
    TOO_MUCH,
    ComponentResult,
    HistoryFact,
    Period,
    Verdict,
)
from kulanz.domain.policy.explaining.benefits import due_words, quantity_words, validity_words, worth_words
from kulanz.domain.policy.explaining.named_values import NamedValues
from kulanz.domain.policy.explaining.phrases import Phrases
from kulanz.domain.policy.explaining.wording import (
    aside,
    capital,
    last_moment,
    listed,
    quoted,
    said,
    said_amount,
    spoken,
    zone_name,
)
from kulanz.domain.policy.language import exposure
from kulanz.domain.policy.language.expression import Node, Row, not_computable
from kulanz.domain.policy.language.kinds import OUTAGE, YES_NO
from kulanz.domain.policy.language.periods import PERIODS, spoken_label
from kulanz.domain.policy.language.periods import label as label_of

LISTED_AT_MOST = 10
"""Entries of a list that are named; of a longer one the number is told."""
_HELD_FOR_THE_OUTAGE = {
    IN_THE_FUTURE: "the outage of this account ends after the decision; a time that has not come is not paid for.",
    TOO_LONG_AGO: (
        f"the outage began more than {LOOK_BACK_LONGEST.days} days before the decision; other incidents of that time"
        " may not be counted any more."
    ),
    TOO_MANY_BENEFITS: f"it comes to more than {MOST_BENEFITS} things besides money; more cannot be given at once.",
    QUANTITY_TOO_LARGE: f"that is more than {LARGEST_QUANTITY} of something, the most that can be given at once.",
    TOO_MANY_PARTS: (
        f"the outage has more than {HISTORY_PARTS} stretches of time; more are not kept for later incidents."
    ),
}
_WHY = {
    NO_LENGTH: "the outage has no length, by which the amount could be divided over the periods of the cap.",
    NEVER_USABLE: "the time in which it could be used ends before it starts.",
    NO_SUCH_CHOICE: "there is no such choice: it is a whole number of what a list of the policy has.",
    BEYOND: "an outage has more days or parts than are looked at, or a date lies beyond the calendar.",
}
_IMPLAUSIBLE = {
    EMPTY_DATE: "{} is a date that programs write where there is none; it decides nothing.",
    BEFORE_INCIDENT: "{} lies before the incident began, which nothing about it can; it decides nothing.",
    AFTER_DECISION: "{} lies after the decision, which nothing that has happened can; it decides nothing.",
    OWN_WINDOW_OPEN: "{}: the account's own outage has no end, although the incident is over.",
    OWN_WINDOW_ELSEWHERE: "{}: the account's own outage has no instant in common with the incident.",
}
_CLAUSES = {Outcome.DECLINED: "exclusion", Outcome.REFERRED: "referral", Outcome.HELD: "hold"}
_OUTCOMES = {
    Outcome.GRANTED: "Granted",
    Outcome.DECLINED: "Declined",
    Outcome.HELD: "Held for manual review",
    Outcome.REFERRED: "Referred to a person",
    Outcome.OFFERED: "Owed as soon as the customer claims or accepts it",
}
_DELIVERY = {
    ("automatic", "granted"): "credited automatically",
    ("claim", "granted"): "owed on the customer's claim, which has been made",
    ("claim", "offered"): "owed on the customer's claim, not made yet",
    ("claim", ""): "owed on the customer's claim, whose last day is not known",
    ("claim", "undated"): "owed on the customer's claim, which has been made, nobody knows whether in time",
    ("claim", "late"): "owed on the customer's claim only, and the time for it is over",
    ("offer", "granted"): "an offer, which the customer has accepted",
    ("offer", "offered"): "an offer, not accepted yet",
    ("offer", ""): "an offer, whose last day is not known",
    ("offer", "undated"): "an offer, which the customer has accepted, nobody knows whether in time",
    ("offer", "late"): "an offer, and the time for accepting it is over",
}


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and the steps that led to it, each a sentence a support agent can read out.

    `because` is what the policy lets support tell the customer of the clause that ended the matter; empty without one.
    """

    decision: Decision
    steps: tuple[str, ...]
    because: str = ""

    def text(self) -> str:
        """Give the steps as numbered lines."""
        return "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))


def explain(
    policy: CompiledPolicy, values: Sequence[FactValue | None], kept: HistoryValues = NO_HISTORY
) -> Explanation:
    """Decide a row and put the steps of its arithmetic into words, from the same evaluation.

    ``values`` are those of the policy's ``facts``, in their order; ``kept`` is what its subject's history holds.
    """
    judged = policy.judged(values, kept)
    writer = _StepWriter(judged.judge, judged.row, judged.slots)
    steps = tuple(capital(step) for step in writer.steps(judged.verdict, judged.decision))
    return Explanation(judged.decision, steps, _because(judged.verdict, judged.decision))


def _because(verdict: Verdict, decision: Decision) -> str:
    """What the policy says of the clause that applies; of one that may not, because a fact is not known, nothing."""
    clause = verdict.clause
    if clause is None or verdict.is_unknown or (clause.outcome, clause.reason) != (decision.outcome, decision.reason):
        return ""
    return clause.because


class _StepWriter:
    def __init__(self, judge: Judge, row: Row, slots: Sequence[FactSlot], stated: set[str] | None = None) -> None:
        self._judge = judge
        self._row = row
        self._slots = slots
        self._program = judge.program
        self._stated = set[str]() if stated is None else stated
        zone = self._program.scope.zone.evaluate(row)
        self._zone: ZoneInfo | None = zone
        self._words = Phrases(judge, row, self._zone)
        self._values = NamedValues(self._program, row, self._zone, self._words, self._stated)

    def steps(self, verdict: Verdict, decision: Decision) -> list[str]:
        steps = self._opening()
        for clause in self._judge.all_clauses:
            steps += self._values.steps(clause.node)
            period = self._judge.in_force
            steps.append(
                self._clause(clause) if period is None or clause is not period.clause else self._period(period)
            )
            if clause is verdict.clause:
                return [*steps, self._end(verdict, decision)]
        for component in self._judge.components:
            if component.node is not None and not component.for_each:
                steps += self._values.steps(component.node)
                steps.append(self._condition(component))
            if self._program.policy.compose == "first" and any(
                result.component is component for result in verdict.results
            ):
                break
        for result in (*verdict.beside, *verdict.results):
            steps += self._component(result)
        steps += [
            *self._total(verdict),
            *self._bounds(verdict),
            *self._delivery(verdict),
            *self._adds(verdict, decision),
        ]
        return [*steps, self._end(verdict, decision)]

    def _bounds(self, verdict: Verdict) -> list[str]:
        """Say what the amount was held against: the largest one there is, and the conditions of its payout."""
        if verdict.unknown in self._program.values:
            return self._values.steps(self._program.values[verdict.unknown].node)
        if verdict.reason == CANNOT_BE_COMPUTED and verdict.is_unknown:
            return self._stuck(verdict)
        if verdict.reason in _IMPLAUSIBLE:
            return [_IMPLAUSIBLE[verdict.reason].format(spoken(verdict.why))]
        if verdict.reason in _HELD_FOR_THE_OUTAGE:
            return [_HELD_FOR_THE_OUTAGE[verdict.reason]]
        if verdict.reason == TOO_MUCH:
            most = said_amount(MAX_MINOR_UNITS, self._judge.currency) if self._judge.currency else "the largest amount"
            return [f"that is above {most}, the most that one credit can be."]
        steps = []
        for clause in self._judge.payout if verdict.results else ():
            steps.append(self._clause(clause))
            if clause is verdict.clause:
                break
        return steps

    def _stuck(self, verdict: Verdict) -> list[str]:
        """Say what cannot be computed from facts that are known: a division by zero, half a working day."""
        if verdict.stuck is None:
            return [_WHY[verdict.why]]
        node, row = verdict.stuck
        within = _StepWriter(self._judge, row, self._slots)
        found = not_computable(node, row)
        return [*within._values.steps(found), f"this cannot be computed: {within._words.phrase(found)}."]

    def _opening(self) -> list[str]:
        """Say what the decision started from: policy, readings, facts, history and incident."""
        policy = self._program.policy
        steps = [f"Policy {policy.id}, version {policy.version}: {policy.title}."]
        if policy.parameters:
            steps.append(f"As chosen for this campaign: {'; '.join(map(self._words.chosen, policy.parameters))}.")
        if policy.tax:
            steps.append(f"Amounts {'include' if policy.tax == 'included' else 'do not include'} tax.")
        steps += self._facts()
        if self._judge.history:
            steps.append(f"Kept of earlier incidents: {'; '.join(self._kept()) or 'nothing'}.")
        return [*steps, *self._incident()]

    def _adds(self, verdict: Verdict, decision: Decision) -> list[str]:
        """Say what later incidents will be decided with."""
        told = []
        for kept in self._judge.history:
            name = kept.slot.declaration.name
            if kept.is_until_paid and decision.outcome in (Outcome.GRANTED, Outcome.OFFERED):
                told += [f"{spoken(name)}: settled"] if name in verdict.added or name in verdict.cleared else []
                continue
            mine = {place: one for place, one in verdict.added.items() if kept.is_named(place)}
            told += [self._one_of_history(kept, place, one) for place, one in mine.items()]
        return [f"Kept for later incidents: {'; '.join(told)}."] if told else []

    def _incident(self) -> list[str]:
        """Say when it was, and why where that is known, in the rule's zone."""
        incident = self._program.occasion.incident
        windows = self._program.occasion.windows()
        if incident is None or not windows:
            return []
        cause = f"; its cause: {spoken(incident.cause)}" if incident.cause else ""
        lasts = ", not over when this was decided" if any(window.end is None for window in incident.windows) else ""
        return [f"The incident: {said(OUTAGE, windows, self._zone)} ({zone_name(self._zone)}){lasts}{cause}."]

    def _facts(self) -> list[str]:
        """Say the facts, those that the policy explains with their meaning."""
        stated = [
            slot
            for slot in self._program.slots.values()
            if not slot.from_account and not slot.columns and not slot.in_history
        ]
        known, unknown = [], []
        for slot in [*self._slots, *stated]:
            name, value = slot.declaration.name, self._row[slot.index]
            fact = self._program.policy.facts.get(name)
            meaning = f" ({aside(fact.says)})" if fact is not None and fact.says else ""
            if value is None:
                unknown.append(spoken(name))
            elif kind_of(slot.declaration) == YES_NO:
                known.append(f"{spoken(name)}: {'yes' if value else 'no'}{meaning}")
            else:
                known.append(f"{spoken(name)}: {said(kind_of(slot.declaration), value, self._zone)}{meaning}")
        steps = [f"Facts used: {'; '.join(known)}."] if known else []
        return [*steps, f"Not known: {listed(unknown)}."] if unknown else steps

    def _kept(self) -> list[str]:
        told = []
        for kept in self._judge.history:
            value, name = self._row[kept.slot.index], kept.slot.declaration.name
            known = {f"{name}_{period}": one for period, one in value.items()} if kept.slot.per else {name: value}
            told += [self._one_of_history(kept, place, one) for place, one in known.items() if one]
        return told

    def _one_of_history(self, kept: HistoryFact, name: str, value: Any) -> str:
        own = kept.slot.declaration.name
        period = f" in {spoken_label(name.removeprefix(f'{own}_'))}" if kept.slot.per else ""
        return f"{spoken(own)}{period}: {said(kind_of(kept.slot.declaration), value, self._zone)}"

    def _clause(self, clause: CompiledClause) -> str:
        what = f"the {_CLAUSES[clause.outcome]} {quoted(clause.reason)}"
        because = f" {clause.because}" if clause.because else ""
        if clause.node is None:
            return f"{what} applies to everybody.{because}"
        holds = clause.holds(self._row)
        if holds is None:
            return f"whether {what} applies is not known: {self._words.truth(clause.node)}."
        word, because = ("applies", because) if holds else ("does not apply", "")
        return f"{what} {word}: {self._words.truth(clause.node)}.{because}"

    def _period(self, period: Period) -> str:
        """Say when the rule is in force, and whether what has to lie in that time does."""
        outside = period.clause.holds(self._row)
        assert period.clause.node is not None
        ends = []
        if period.from_ is not None:
            ends.append(f"from {self._words.operand(period.from_, period.clause.node)} on")
        if period.until is not None:
            end = self._words.operand(period.until, period.clause.node)
            ends.append(f"{'up to and including' if period.until.kind.name == 'day' else 'until'} {end}")
        moment = self._words.operand(period.by, period.clause.node)
        lies = "does not lie in that time" if outside else "lies in that time"
        if outside is None:
            return f"the rule is in force {', '.join(ends)}; whether that holds here is not known: {moment}."
        return f"the rule is in force {', '.join(ends)}; {moment} {lies}."

    def _condition(self, component: CompiledComponent) -> str:
        assert component.node is not None
        holds = component.node.evaluate(self._row)
        what = "the condition" if self._is_single(component) else f"the condition of {quoted(component.name)}"
        word = "cannot be told" if holds is None else "is met" if holds else "is not met"
        return f"{what} {word}: {self._words.truth(component.node)}."

    def _is_single(self, component: CompiledComponent) -> bool:
        return component.name == SINGLE_COMPONENT and len(self._judge.components) == 1

    def _label(self, component: CompiledComponent) -> str:
        return "owed" if self._is_single(component) else spoken(component.name)

    def _component(self, result: ComponentResult) -> list[str]:
        steps: list[str] = []
        component, pay = result.component, result.component.pay
        label = self._label(component)
        if pay is not None and component.for_each:
            if not result.pieces:
                steps.append(self._values.outage(self._judge.outage))
            for number, (row, _) in enumerate(result.pieces, 1):
                part = _StepWriter(self._judge, row, self._slots)
                name = part._period_of_piece(component.for_each) or f"{component.for_each} {number}"
                steps += [f"{name}: {step}" for step in part._piece(component, pay)]
        elif pay is not None:
            steps += self._values.steps(pay)
            nothing = ", which leaves nothing" if pay.evaluate(self._row) < 0 else ""
            steps.append(f"{label}: {self._words.sum_up(pay)}{nothing}.")
        for give, quantity, validity, chosen in result.gives:
            steps += self._values.steps(give.quantity_node)
            steps.append(f"{label}: {self._given(give, quantity, validity, chosen)}.")
        return steps

    def _period_of_piece(self, per: str) -> str:
        """Name the period that this row's outage lies in; `year from April 1` would be taken for a day."""
        if per not in PERIODS or self._zone is None:
            return ""
        ((start, _),) = exposure.periods_of(self._judge.outage.evaluate(self._row), self._zone, per)
        return spoken_label(label_of(start, per, self._zone))

    def _piece(self, component: CompiledComponent, pay: Node) -> list[str]:
        """Say what an amount component comes to for one outage, day or period."""
        steps = []
        if component.node is not None:
            steps += [*self._values.steps(component.node), self._condition(component)]
            if not component.node.evaluate(self._row):
                return steps
        return [*steps, *self._values.steps(pay), f"{self._label(component)}: {self._words.sum_up(pay)}."]

    def _given(self, give: CompiledGive, quantity: Any, validity: Validity, chosen: str) -> str:
        """Say a benefit that is no money: how much of what, for what, how long, and its terms."""
        node = give.quantity_node
        told = quantity_words(give, quantity)
        if chosen:
            told += f" of the customer's choice from {self._listed(chosen)}"
        why = self._words.because(node.children[0]) if node is not None and node.operation == "if" else ""
        if node is not None and node.operation not in ("literal", "name", "if"):
            told += f" ({self._words.sum_up(node)})"
        if give.restriction:
            told += f", to be used as listed under {spoken(give.restriction)} ({self._listed(give.restriction)})"
        told += validity_words(validity, self._zone)
        terms = dict(give.terms)
        if "each" in terms:
            told += f", each {terms.pop('each')}"
        if "times" in terms:
            times = terms.pop("times")
            told += ", once" if times == "1" else f", {times} times"
        return told + "".join(f"; {spoken(key)}: {spoken(value)}" for key, value in terms.items()) + why

    def _listed(self, name: str) -> str:
        """Say what a list of the policy holds: its entries, or how many there are."""
        entries = self._program.policy.restrictions[name]
        if isinstance(entries, dict):
            return listed([f"{len(items)} for {spoken(key)}" for key, items in entries.items()])
        return listed(list(entries)) if len(entries) <= LISTED_AT_MOST else f"{len(entries)} entries"

    def _total(self, verdict: Verdict) -> list[str]:
        currency = self._judge.currency
        if not currency:
            return [
                f"{self._label(result.component)}: {self._rounding(result.minor, result.component.pay.kind.currency)}."
                for result in verdict.results
                if result.exact != result.minor and result.component.pay is not None
            ]
        if not verdict.results:
            return []
        steps = []
        raw = sum((self._before_caps(result) for result in verdict.results), 0)
        if len(verdict.results) > 1:
            steps.append(f"Together: {said_amount(raw, currency)}.")
        by_time = "" if any(result.pieces for result in verdict.results) else ", by time"
        for share in verdict.shares:
            within = _StepWriter(self._judge, share.row, self._slots, self._stated)
            steps += within._values.steps(share.cap)
            bound = "at most" if share.exact > share.limit else "within its limit of"
            nothing = ", which leaves nothing" if (share.cap.evaluate(share.row) or 0) < 0 else ""
            part = f"Part of {spoken_label(share.period)}{by_time}: {said_amount(share.exact, currency)}"
            steps.append(f"{part}, {bound} {within._words.sum_up(share.cap)}{nothing}.")
        if raw > verdict.exact:
            limits = [node for node, per in self._judge.caps if per == "incident"]
            steps += [step for node in limits for step in self._values.steps(node)]
            bounds = [self._words.sum_up(node) for node in limits]
            steps.append(f"Limited to {said_amount(verdict.exact, currency)}{_bounded_by(bounds)}.")
        parts = [result.minor for result in verdict.results if result.exact > 0]
        by_itself = [self._program.round_minor(result.exact) for result in verdict.results if result.exact > 0]
        is_each_rounded = any(result.exact != result.minor for result in verdict.results) and parts == by_itself
        if len(parts) > 1 and is_each_rounded and self._program.policy.rounding.stage != "total":
            each = listed([said_amount(part, currency) for part in parts])
            steps.append(f"Each {self._rounding(verdict.minor, currency, f'{each}, together ')}.")
        elif verdict.exact != verdict.minor:
            steps.append(f"{self._rounding(verdict.minor, currency)}.")
        return steps

    def _rounding(self, minor: int, currency: str, parts: str = "") -> str:
        """Say how an amount was rounded, and to what."""
        how = self._program.policy.rounding.mode.replace("_", " ")
        if self._program.rounding_step > 1:
            how += f" to a multiple of {said_amount(self._program.rounding_step, currency)}"
        return f"rounded {how}: {parts}{said_amount(minor, currency)}"

    def _before_caps(self, result: ComponentResult) -> Any:
        if result.pieces:
            return max(sum(exact for _, exact in result.pieces), 0)
        return max(result.component.pay.evaluate(self._row), 0) if result.component.pay is not None else 0

    def _delivery(self, verdict: Verdict) -> list[str]:
        steps = []
        for result in verdict.results:
            mode = result.mode
            if mode is None:
                continue
            told = _DELIVERY[mode.way, result.state]
            until = mode.until.evaluate(self._row) if mode.until is not None and result.state == "offered" else None
            if until is not None:
                told += f"; possible {last_moment(until, self._zone)}"
            if mode.node is not None:
                told += f", because {self._words.truth(mode.node)}"
            if result.component.due is not None:
                told += f"; due {due_words(result.component.due)}"
            to = None if result.component.to is None else result.component.to.evaluate(self._row)
            if to is not None and result.minor > 0 and result.state in ("granted", "offered"):
                told += f"; paid to: {spoken(to)}"
            steps.append(
                told + "." if self._is_single(result.component) else f"{spoken(result.component.name)}: {told}."
            )
        return steps

    def _end(self, verdict: Verdict, decision: Decision) -> str:
        told = ": " + listed([worth_words(benefit) for benefit in decision.benefits]) if decision.benefits else ""
        if verdict.unknown:
            told = f", because {spoken(verdict.unknown)} is not known"
        how = _OUTCOMES[decision.outcome]
        by_payout = any(clause is verdict.clause for clause in self._judge.payout)
        if decision.outcome is Outcome.HELD and by_payout and not verdict.is_unknown:
            how = "Held, and not paid for now"
        return f"{how}{told}. Reason: {spoken(decision.reason)}."


def _bounded_by(bounds: list[str]) -> str:
    return f" by the upper bound: {'; '.join(bounds)}" if bounds else ""
