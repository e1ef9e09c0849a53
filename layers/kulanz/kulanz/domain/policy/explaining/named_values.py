"""The named values of a policy as steps: what each came to for a row, and the tables that they were read from."""

from typing import Any
from zoneinfo import ZoneInfo

from kulanz.domain.policy.deciding.program import NamedValue, Program
from kulanz.domain.policy.explaining.phrases import BUILT_IN, Phrases, is_percentage
from kulanz.domain.policy.explaining.wording import said, said_share, spoken, zone_name
from kulanz.domain.policy.language.expression import Node, Row
from kulanz.domain.policy.language.kinds import DURATION, OUTAGE
from kulanz.domain.policy.language.tables import StepTable, TierTable

_LINES = {
    "at least": "is at least {0}",
    "from": "is {0} or later",
    "more than": "is more than {0}",
    "at most": "is at most {0}",
    "up to": "is at most {0}",
    "less than": "is less than {0}",
    "below": "is below {0}",
    "before": "is before {0}",
    "is": "is {0}",
}


class NamedValues:
    """The values that steps of one row's explanation need, each stated once; ``stated`` are the names of these."""

    def __init__(self, program: Program, row: Row, zone: ZoneInfo | None, words: Phrases, stated: set[str]) -> None:
        self._program = program
        self._row = row
        self._zone = zone
        self._words = words
        self._stated = stated

    def steps(self, node: Node | None) -> list[str]:
        """Give the named values that a node uses as steps, each once, those that it needs first."""
        if node is None:
            return []
        steps: list[str] = []
        named = self._program.values.get(node.text) if node.operation == "name" else None
        if node.operation == "name" and (named is not None or node.text == "outage"):
            if node.text in self._stated:
                return []
            self._stated.add(node.text)
        if named is not None and named.steps is not None:
            values = [step.value for step, _ in named.steps.reached(self._row) or ()]
            needed = [step for child in (named.steps.count, *values) for step in self.steps(child)]
            return needed + self._steps_table(named, named.steps)
        if named is not None and named.tiers is not None:
            tier = named.tiers.matching(self._row)
            needed = self.steps(named.tiers.by) + self.steps(None if tier is None else tier.value)
            return needed + self._tiers_table(named, named.tiers)
        for child in self._words.used(node):
            steps += self.steps(child)
        if named is not None:
            assert named.source is not None
            steps.append(
                f"{spoken(named.name)}: {self._words.sum_up(named.source, share=named.name in self._words.shares)}."
            )
        elif node.operation == "name" and node.text == "outage":
            steps.append(self.outage(node))
        return steps

    def outage(self, node: Node) -> str:
        """Say how much of the incident counted for the row."""
        value = node.evaluate(self._row)
        if not value:
            return "the outage counted for this customer: none."
        length = said(DURATION, sum(end - start for start, end in value), None)
        if value == self._program.occasion.windows():
            return f"the outage counted for this customer: the whole incident, {length}."
        return (
            f"the outage counted for this customer: {said(OUTAGE, value, self._zone)} ({zone_name(self._zone)}),"
            f" {length} in all."
        )

    def _steps_table(self, named: NamedValue, table: StepTable) -> list[str]:
        reached = table.reached(self._row)
        if reached is None:
            return [f"{spoken(named.name)}: not known, because {self._words.phrase(table.count)} is not."]
        parts = []
        kind = named.node.kind
        for step, number in reached:
            value = table.each(step, self._row)
            told = _range(table.say, step.first, step.first + number - 1)
            if not value:
                parts.append(f"{told}: {'not known' if value is None else 'nothing'}")
                continue
            together = f"{said(kind, value * number, self._zone)}, for each " if number > 1 else ""
            parts.append(f"{told}: {together}{self._rounded(step.value, value)}")
        told = "; ".join(parts) or "none reached"
        return [f"{spoken(named.name)}: {told}; in all {self._words.value(named.node)}."]

    def _rounded(self, node: Node, value: Any) -> str:
        told = self._words.sum_up(node)
        exact = node.evaluate(self._row)
        return told if exact == value else f"{told}, rounded {said(node.kind, value, self._zone)}"

    def _tiers_table(self, named: NamedValue, table: TierTable) -> list[str]:
        tier = table.matching(self._row)
        if tier is None:
            return [f"{spoken(named.name)}: not known, because {self._words.truth(table.by)}."]
        value = self._words.sum_up(tier.value)
        percentages = any(other.bound is not None and is_percentage(other.bound) for other in table.tiers)
        by, exact = self._words.operand(table.by, named.node), table.by.evaluate(self._row)
        if percentages and table.by.operation != "name" and exact is not None:
            by = f"({self._words.phrase(table.by)} = {said_share(exact)})"
        if tier.bound is None:
            return [f"{spoken(named.name)}: {value}, because no other line of the table fits {by}."]
        bound = self._words.literal(tier.bound) if tier.bound.operation == "literal" else self._words.value(tier.bound)
        if tier.words == "is" and table.by.operation == "name":
            by = BUILT_IN.get(table.by.text, spoken(table.by.text))
        return [f"{spoken(named.name)}: {value}, because {by} {_LINES[tier.words].format(bound)}."]


def _range(say: str, first: int, last: int) -> str:
    if first == last:
        return f"{say} {first}"
    return f"{say}s {first} {'and' if last == first + 1 else 'to'} {last}"
