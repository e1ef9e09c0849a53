"""A policy ready to decide: compiled once for a campaign, then called once per row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Any

from kulanz.domain.decision import VOIDED, Benefit, Decision, Due, DueAt, Notice, Outcome, due_at
from kulanz.domain.incident import Incident
from kulanz.domain.language_tags import broader, language_tag
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, FactValue
from kulanz.domain.policy.deciding.facts import FactSlot, fixed_zone
from kulanz.domain.policy.deciding.history import (
    KIND_MARK,
    NO_HISTORY,
    Addition,
    HistoryValue,
    HistoryValues,
    Order,
    SubjectHistory,
)
from kulanz.domain.policy.deciding.judge import NOTHING_GRANTED, Judge
from kulanz.domain.policy.deciding.plausible import Plausible
from kulanz.domain.policy.deciding.program import AMOUNTS, Program
from kulanz.domain.policy.deciding.row_cost import must_be_affordable, row_steps
from kulanz.domain.policy.deciding.verdict import Verdict
from kulanz.domain.policy.document.document import PERSONS, NoticeRule, NoticeText
from kulanz.domain.policy.document.frozen import read_frozen
from kulanz.domain.policy.language import kinds
from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.expression import UNSET, Node, Row
from kulanz.domain.policy.language.kinds import Kind, filled_in
from kulanz.domain.policy.language.periods import label_in
from kulanz.domain.time import Window, instant_of, local_day, zone_of

MAX_REMEMBERED_NOTICES = 4096
MAX_REMEMBERED_DUES = 4096
"""Deadlines by the day of the grant and the bills that a row states: some hundred for most lists."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decided row with everything that it was decided from, as an explanation needs it.

    ``slots`` are the facts that the policy reads of an account, in the order of its ``facts``.
    """

    decision: Decision
    verdict: Verdict
    row: Row
    judge: Judge
    slots: tuple[FactSlot, ...]


class CompiledPolicy:
    """Decides rows of one campaign. ``facts`` are the columns it reads, in the order ``decide`` expects them.

    ``history`` names what this policy adds up over a subject's incidents, with the type of each;
    ``decide_with_history`` gets its values as ``HistoryValues``.
    """

    def __init__(self, program: Program) -> None:
        policy = program.policy
        self.policy_id = policy.id
        self.version = policy.version
        self.title = policy.title
        self.subject: str | None = policy.subject or None
        self.earlier: str = policy.earlier
        self.limits: Mapping[str, str | tuple[str, ...]] = policy.limits.stated()
        self.persons_asked: int = PERSONS[policy.approval]
        self.parameters: Mapping[str, str] = program.parameters
        self.restrictions: Mapping[str, Any] = policy.restrictions
        self._program = program
        self._judge = Judge(program)
        self._notice = _CompiledNotice(program, policy.notice) if policy.notice is not None else None
        self.language_fact = policy.notice.locale if policy.notice and policy.notice.locale in policy.facts else ""
        """The fact that says in which language a customer is written to; empty where none does."""
        nodes = [*self._judge.nodes(), program.scope.zone, *(self._notice.nodes() if self._notice else ())]
        reads = frozenset[str]().union(*(node.reads for node in nodes))
        self._slots = tuple(slot for name, slot in program.slots.items() if name in reads and slot.from_account)
        self._plausible = Plausible(program, self._judge, self._slots)
        self.declared_facts: tuple[str, ...] = tuple(policy.facts)
        self.incident_facts: tuple[str, ...] = tuple(n for n, fact in policy.facts.items() if fact.from_ == "incident")
        """The facts that the incident states, for every account."""
        self.done_facts: tuple[str, ...] = self._plausible.names
        self.facts: tuple[FactDeclaration, ...] = tuple(slot.declaration for slot in self._slots)
        self.history: Mapping[str, FactDeclaration] = {
            kept.slot.declaration.name: kept.slot.declaration for kept in self._judge.history
        }
        self._periods = {
            f"{kept.slot.declaration.name}_{name}": (kept.slot, name)
            for kept in self._judge.history
            if kept.slot.per
            for name in program.occasion.period_labels(kept.slot.per, fixed_zone(policy))
        }
        self._in_any_order = frozenset(kept.slot.declaration.name for kept in self._judge.history if kept.counts_all)
        self._families = (
            [kept.slot for kept in self._judge.history if kept.slot.per] if _counts_elsewhere(program) else []
        )
        self._due_days: dict[tuple[Due, date], date] = {}
        self._due_instants: dict[tuple[Due, date, tuple[date, ...]], DueAt] = {}
        self._zone = fixed_zone(policy) or zone_of("UTC")
        self._granted_on = local_day(instant_of(self._judge.now), self._zone)
        self._blank: Row = [UNSET] * program.row_length
        for slot in program.slots.values():
            self._blank[slot.index] = slot.fallback

    def must_be_affordable(self) -> None:
        """Raise PolicyError where one row could hold up a worker, with what to change."""
        must_be_affordable(self._judge)

    @property
    def row_steps(self) -> int:
        """What deciding one row can take at most, in steps."""
        return row_steps(self._judge)

    def decide(self, values: Sequence[FactValue | None]) -> Decision:
        """Decide a row from the typed values of ``facts``, in that order, as if there were no earlier incidents."""
        row = self._row(values)
        return self._decision(self._plausible.judged(self._judge.judge(row), values, row), row)

    def due_day(self, decision: Decision) -> date | None:
        """Give the first of the latest days on which what a decision grants is due, were it granted when it is decided.

        None where it grants nothing, or nothing with a due day. What is offered is due once it is accepted.
        """
        if decision.outcome is not Outcome.GRANTED:
            return None
        days = (self._due_day(one.due, self._granted_on) for one in decision.benefits if one.due is not None)
        return min(days, default=None)

    def due_by(self, due: Due, granted_at: datetime) -> date:
        """Give the latest day on which something is due that is granted at an instant."""
        return self._due_day(due, local_day(granted_at, self._zone))

    def due_at(self, benefit: Benefit, granted_at: datetime, next_bills: Sequence[date] = ()) -> DueAt | None:
        """Give the first instant at which a benefit that was granted at an instant is late, and what it was counted by.

        None where the policy says nothing of it. Days are those of the policy's zone; of UTC where each account has its
        own. Billing cycles are counted by the account's next bill days where they are known.
        """
        if benefit.due is None:
            return None
        place = benefit.due, local_day(granted_at, self._zone), tuple(next_bills)
        found = self._due_instants.get(place)
        if found is None:
            if len(self._due_instants) >= MAX_REMEMBERED_DUES:
                self._due_instants.clear()
            found = due_at(benefit.due, granted_at, self._zone, self._program.working, next_bills)
            self._due_instants[place] = found
        return found

    def _due_day(self, due: Due, granted_on: date) -> date:
        day = self._due_days.get((due, granted_on))
        if day is None:
            day = self._due_days[due, granted_on] = due.last_day(granted_on, self._program.working)
        return day

    def decide_with_history(
        self, values: Sequence[FactValue | None], kept: HistoryValues, granted: Mapping[str, int] = NOTHING_GRANTED
    ) -> tuple[Decision, Addition]:
        """Decide a row with what is kept of its subject's earlier incidents, and say what this one adds to that.

        `granted` is what earlier campaigns of this incident granted, in minor units by currency: the amount that is
        added is never less, because it is not taken back.
        """
        row = self._row(values, kept)
        verdict = self._plausible.judged(self._judge.judge(row, granted), values, row)
        decision = self._decision(verdict, row)
        ended_at = instant_of(self._judge.ended_at(row))
        lapses_at = decision.claim_until if decision.outcome is Outcome.OFFERED else None
        added, cleared = self._stored(verdict.added), self._stored(verdict.cleared)
        return decision, Addition(ended_at, added, cleared, lapses_at, began_at=self.began_at())

    def history_as_stated(self, stated: Mapping[str, object]) -> HistoryValues:
        """Read what an example states to be kept, by name and period. Raises ``FactError``."""
        declared = {name: fact for name, fact in self.history.items() if name in stated}
        declared |= {name: period[0].declaration for name in stated if (period := self._period(name))}
        kept: dict[str, HistoryValue] = {}
        for name, fact in declared.items():
            read = fact.parse_json(stated[name])
            if isinstance(read, tuple):
                kept[name] = self._program.occasion.intervals(window for window in read if isinstance(window, Window))
            elif isinstance(read, (int, Fraction)):
                kept[name] = read
        return {name: value for name, value in kept.items() if value}

    def before(self, history: SubjectHistory, incident_id: str, now: datetime) -> HistoryValues:
        """What of a subject's history counts for an incident under this campaign, by the names that it reads."""
        return self.read_of(history.before(Order(incident_id, self.began_at(), self._counts_in_any_order), now))

    def began_at(self) -> datetime:
        """When the incident began; where it has no windows, when it is decided."""
        windows = self._program.occasion.windows()
        return instant_of(windows[0][0] if windows else self._judge.now)

    def _counts_in_any_order(self, stored: str) -> bool:
        """Whether others add to a stored value whenever they began: what is granted, or waits for a payment."""
        name = stored.partition(KIND_MARK)[0]
        period = self._period(name)
        return (name if period is None else period[0].declaration.name) in self._in_any_order

    def read_of(self, kept: HistoryValues) -> HistoryValues:
        """What of a subject's history this campaign reads, by the names that ``decide_with_history`` knows.

        Decisions that share it are alike. What another version kept as another type, or in another currency, is left.
        """
        stored = ((*name.partition(KIND_MARK), value) for name, value in kept.items())
        return {name: value for name, _, kind, value in stored if kind and kind == self._kind(name)}

    def _kind(self, name: str) -> str:
        """What a value of that name is stored as; empty where this campaign keeps none."""
        period = self._period(name)
        slot = self._program.slots.get(name) if period is None else period[0]
        if slot is None or not slot.in_history or bool(slot.per) is (period is None):
            return ""
        return kind_stored(slot.declaration)

    def _stored[Value](self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Values under the names of a history, each with what it is stored as."""
        return {
            f"{name}{KIND_MARK}{kind_stored(kept.slot.declaration)}": value
            for kept in self._judge.history
            for name, value in values.items()
            if kept.is_named(name)
        }

    def keeps(self, name: str) -> bool:
        """Whether this campaign reads a value of a subject's history: of a fact, or of one of its periods."""
        return name in self.history or self._period(name) is not None

    def _period(self, name: str) -> tuple[FactSlot, str] | None:
        """Which fact's value in which period a name is; None where this campaign's outage cannot touch it."""
        found = self._periods.get(name)
        for slot in self._families if found is None else ():
            label = label_in(name, slot.declaration.name, slot.per)
            found = (slot, label) if label else found
        return found

    def judged(self, values: Sequence[FactValue | None], kept: HistoryValues = NO_HISTORY) -> Judged:
        """Decide a row, and give with the decision what it was decided from."""
        row = self._row(values, kept)
        verdict = self._plausible.judged(self._judge.judge(row), values, row)
        return Judged(self._decision(verdict, row), verdict, row, self._judge, self._slots)

    def templates(self, kind: str, locale: str) -> NoticeText | None:
        """Give the text of a notice by outcome and language, as a decision's notice names them."""
        return None if self._notice is None else self._notice.templates.get((kind, locale))

    def voided_in(self, notice: Notice | None) -> str:
        """Give the language in which the customer of a decision is told what is taken back of it: that of its notice.

        Empty where its notice is of no credit, or it has none, or the policy no text.
        """
        return "" if self._notice is None or notice is None else self._notice.voided_in(notice)

    def _row(self, values: Sequence[FactValue | None], kept: HistoryValues = NO_HISTORY) -> Row:
        row = self._blank.copy()
        for slot, value in zip(self._slots, values, strict=True):
            if value is INVALID:
                row[slot.index] = None
            elif value is not None:
                row[slot.index] = value if slot.convert is None else slot.convert(value)
        for name, known in kept.items():
            place = self._period(name)
            if place is not None:
                slot, period = place
                row[slot.index] = {**row[slot.index], period: known}
            elif name in self.history:
                row[self._program.slots[name].index] = known
        return row

    def _decision(self, verdict: Verdict, row: Row) -> Decision:
        benefits: tuple[Benefit, ...] = ()
        claimable: tuple[Benefit, ...] = ()
        claim_until: datetime | None = None
        mode = ""
        judge = self._judge
        if verdict.outcome in (Outcome.GRANTED, Outcome.OFFERED):
            benefits = judge.delivery.benefits(verdict, verdict.outcome.value, row)
            for result in verdict.results:
                if result.mode is not None and result.state == verdict.outcome.value:
                    mode = result.mode.way
                    break
            if verdict.outcome is Outcome.GRANTED and len(verdict.results) > 1:
                claimable = judge.delivery.benefits(verdict, "offered", row)
            if verdict.outcome is Outcome.OFFERED or claimable:
                claim_until = judge.delivery.claim_until(verdict, row)
        notice = self._notice.notice(verdict.outcome, row) if self._notice is not None else None
        return Decision(verdict.outcome, verdict.reason, benefits, notice, mode, claimable, claim_until)


def _counts_elsewhere(program: Program) -> bool:
    """Whether the counted outage may touch periods that the incident does not: in an account's own windows, in gaps."""
    return "windows" in program.slots or bool(program.policy.exposure.merge_gaps_under)


def kind_stored(fact: FactDeclaration) -> str:
    """What a kept value is stored as: the currency of money, else its type."""
    return fact.currency or fact.type


_GIVEN = frozenset({Outcome.GRANTED.value, Outcome.OFFERED.value})
"""The outcomes of which something can be taken back."""


class _CompiledNotice:
    """The notice rule: which text an outcome and a language choose."""

    def __init__(self, program: Program, rule: NoticeRule) -> None:
        self.templates = {(kind, locale): text for kind, texts in rule.texts.items() for locale, text in texts.items()}
        for kind, texts in rule.texts.items():
            if rule.default_locale not in texts:
                problem = f"add the text in the default language {rule.default_locale!r}"
                raise PolicyError(problem, ("notice", "texts", kind))
        if VOIDED in rule.texts and not rule.texts.keys() & _GIVEN:
            problem = "add a text for granted or offered: without a notice of a credit, none says it is taken back"
            raise PolicyError(problem, ("notice", "texts", VOIDED))
        self._default = rule.default_locale
        self._written = {(kind, language_tag(locale) or locale): locale for kind, locale in self.templates}
        self._locale = _notice_node(program, rule.locale, ("notice", "locale"), kinds.TEXT) if rule.locale else None
        self._channel = _notice_node(program, rule.channel, ("notice", "channel"), kinds.TEXT)
        self._values = {
            name: _notice_node(program, text, ("notice", "values", name)) for name, text in rule.values.items()
        }
        self._zone = program.scope.zone
        self._texts = frozenset(rule.texts)
        self._remembered: dict[tuple[str, str, str], Notice] = {}

    def nodes(self) -> list[Node]:
        locale = [self._locale] if self._locale is not None else []
        return [*locale, self._channel, *self._values.values()]

    def notice(self, outcome: Outcome, row: Row) -> Notice | None:
        """Give the notice of a decision, or None where the policy tells nothing, or the customer wants no channel."""
        kind = outcome.value
        if kind not in self._texts:
            return None
        channel = self._channel.evaluate(row)
        if not channel or channel == "none":
            return None
        locale = self._locale.evaluate(row) if self._locale is not None else None
        chosen = self._language(kind, locale or self._default)
        if self._values:
            known = {name: (node.kind, node.evaluate(row)) for name, node in self._values.items()}
            zone = self._zone.evaluate(row)
            values = {name: filled_in(kind, value, zone) for name, (kind, value) in known.items() if value is not None}
            return Notice(kind, chosen, channel, values)
        key = (kind, chosen, channel)
        notice = self._remembered.get(key)
        if notice is None:
            notice = Notice(kind, chosen, channel)
            if len(self._remembered) < MAX_REMEMBERED_NOTICES:
                self._remembered[key] = notice
        return notice

    def voided_in(self, notice: Notice) -> str:
        """The language of the text about what is taken back; empty where there is none, or the notice is of no credit:
        what a person grants by hand to somebody who was held or declined is told by that person.
        """
        return self._language(VOIDED, notice.locale) if VOIDED in self._texts and notice.kind in _GIVEN else ""

    def _language(self, kind: str, locale: str) -> str:
        """The text of the language itself, else of the language without its region, else the default."""
        for candidate in broader(language_tag(locale) or ""):
            written = self._written.get((kind, candidate))
            if written is not None:
                return written
        return self._default


def _notice_node(program: Program, text: str, path: Path, kind: Kind | None = None) -> Node:
    """Compile an expression of a notice, which is told what is granted: the amount is not known to it yet."""
    node = program.compile(text, path, kind)
    if node.reads & AMOUNTS:
        problem = (
            "it reads the amount of the whole incident, and a later campaign grants only what is missing of it;"
            " {{ amount }} in a text is what is granted"
        )
        raise PolicyError(problem, path)
    return node


def compile_policy(frozen: bytes, incident: Incident, decided_at: datetime) -> CompiledPolicy:
    """Compile a frozen policy for an incident. ``decided_at`` is the aware instant that open windows last until.

    Raises ``PolicyError`` for a policy that cannot be used, or whose facts the incident states with a wrong type.
    """
    if decided_at.tzinfo is None:
        raise PolicyError("expected an aware decided_at")
    document, parameters = read_frozen(frozen)
    try:
        return CompiledPolicy(Program(document, parameters, incident, decided_at))
    except PolicyError as error:
        raise document.located(error) from None
