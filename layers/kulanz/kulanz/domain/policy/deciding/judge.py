"""Judging one row: from values to a verdict."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from kulanz.domain.decision import UNLIMITED, Outcome, Validity
from kulanz.domain.money import MAX_MINOR_UNITS, Exact
from kulanz.domain.policy.deciding.components import (
    CompiledComponent,
    compile_amounts,
    entries,
    moment_node,
    until_node,
    with_modes,
)
from kulanz.domain.policy.deciding.delivery import Delivery
from kulanz.domain.policy.deciding.facts import FactSlot, kind_of
from kulanz.domain.policy.deciding.history import HISTORY_PARTS, LOOK_BACK_LONGEST
from kulanz.domain.policy.deciding.program import AMOUNTS, CompiledClause, Program
from kulanz.domain.policy.deciding.shares import Shares
from kulanz.domain.policy.deciding.verdict import (
    BEYOND,
    IN_THE_FUTURE,
    LARGEST_QUANTITY,
    MOST_BENEFITS,
    NEVER_USABLE,
    NO_SUCH_CHOICE,
    NOT_IN_FORCE,
    NOTHING_DUE,
    QUANTITY_TOO_LARGE,
    SMALLEST_QUANTITY,
    TOO_LONG_AGO,
    TOO_MANY_BENEFITS,
    TOO_MANY_PARTS,
    TOO_MUCH,
    ComponentResult,
    HistoryFact,
    Period,
    Verdict,
    held,
    not_known,
    total_of,
)
from kulanz.domain.policy.document.document import InForce
from kulanz.domain.policy.document.owed import Cap
from kulanz.domain.policy.language import exposure
from kulanz.domain.policy.language.errors import Path, PolicyError
from kulanz.domain.policy.language.expression import Node, Row, call_node
from kulanz.domain.time import CLOCK_ALLOWANCE, MICROSECOND

PARTS_OF_ALL_PIECES = 100_000
"""The most operands that a component is worked out from for all days of an outage together: 0.2 s of work at most. A
row beyond is held. An amount of 50 operands is worked out for the days of five years."""
NOTHING_GRANTED: Mapping[str, int] = MappingProxyType({})


class Judge:
    """The compiled rules of one campaign; ``judge`` is pure and looks at nothing but the row."""

    def __init__(self, program: Program) -> None:
        self.program = program
        policy = program.policy
        self.in_force = _in_force(program, policy.in_force) if policy.in_force is not None else None
        before = () if self.in_force is None else (self.in_force.clause,)
        self.all_clauses = (*before, *program.clauses(policy.who, ("who",)))
        self.who = tuple(clause for clause in self.all_clauses if not clause.never)
        components = compile_amounts(program)
        currencies = sorted({component.pay.kind.currency for component in components if component.pay is not None})
        self.currency = currencies[0] if len(currencies) == 1 else ""
        if len(currencies) > 1:
            self._check_currencies(currencies)
        self._check_step(currencies)
        self.caps = tuple(self._cap(cap, ("cap", index, "at")) for index, cap in enumerate(policy.cap))
        self.amount_place: int | None = None
        self.exact_place: int | None = None
        if self.currency:
            self.amount_place, self.exact_place = program.use_amounts(self.currency)
        self.components = with_modes(program, components)
        self.payout = program.clauses(policy.payout, ("payout",))
        self.outage = program.outage()
        self._shares = Shares(program, self.outage)
        self.history = tuple(self._history_fact(slot) for slot in program.slots.values() if slot.in_history)
        self._counted = self._counted_times()
        self.now = program.occasion.now
        self.delivery = Delivery(self.components, self.now)
        known = program.occasion.windows()
        self._latest = max(self.now + CLOCK_ALLOWANCE // MICROSECOND, known[-1][1] if known else 0)

    def _cap(self, cap: Cap, path: Path) -> tuple[Node, str]:
        self.program.cap_per = cap.per
        node = self.program.money(cap.at, path)
        self.program.cap_per = ""
        if node.kind.currency != self.currency:
            paid = f"money in {self.currency} is paid" if self.currency else "no money is paid"
            raise PolicyError(f"{paid}, but this gives {node.kind}: {cap.at}", path)
        return node, cap.per

    def _history_fact(self, slot: FactSlot) -> HistoryFact:
        name = slot.declaration.name
        path = ("facts", name, "add")
        fact = self.program.policy.facts[name]
        node = self.program.compile(fact.add, path, kind_of(slot.declaration))
        # What was granted counts in whatever order incidents are decided: else a cap would not hold.
        counts_all = fact.counts == "all" or (not fact.counts and bool(fact.until or node.reads & AMOUNTS))
        return HistoryFact(slot, node, bool(fact.until), counts_all)

    def _check_currencies(self, currencies: list[str]) -> None:
        """Amount components of several currencies have no sum, so that nothing may be said about it."""
        policy = self.program.policy
        if policy.cap or policy.rounding.stage == "total" or policy.compose == "max":
            named = ", ".join(currencies)
            raise PolicyError(f"amounts in {named} have no sum: leave out cap, compose: max and rounding at the total")

    def _check_step(self, currencies: list[str]) -> None:
        """Amounts are rounded to a step of their own currency."""
        to, path = self.program.policy.rounding.to, ("rounding", "to")
        step = self.program.money(to, path).kind.currency if to else ""
        others = [currency for currency in currencies if step and currency != step]
        if others:
            raise PolicyError(f"amounts in {', '.join(others)} cannot be rounded to a step in {step}", path)

    def nodes(self) -> Iterator[Node]:
        """Give every node a decision can evaluate."""
        for clause in (*self.who, *self.payout):
            if clause.node is not None:
                yield clause.node
        yield from (node for node, _ in self.caps)
        yield from (kept.node for kept in self.history)
        if any(per != "incident" for _, per in self.caps) or self.program.piece_place is not None or self.history:
            yield self.outage
        for component in self.components:
            candidates: list[Node | None] = [component.node, component.pay, component.to]
            for give in component.gives:
                candidates += give.nodes
            for mode in component.modes:
                candidates += [mode.node, mode.made, mode.at, mode.until]
            yield from (node for node in candidates if node is not None)

    def judge(self, row: Row, granted: Mapping[str, int] = NOTHING_GRANTED) -> Verdict:
        """Judge a row. One whose facts span more days than are looked at, or than the calendar has, is held."""
        try:
            verdict = self._judged(row)
            counts = verdict.outcome in (Outcome.GRANTED, Outcome.OFFERED) or (self.history and verdict.settled)
            if counts and self._lasts_into_the_future(row):
                return Verdict(Outcome.HELD, IN_THE_FUTURE)
            return self._keep(verdict, row, granted) if self.history and verdict.settled else verdict
        except (OverflowError, ValueError):
            return not_known("", why=BEYOND)

    def _lasts_into_the_future(self, row: Row) -> bool:
        """Whether an account's own outage ends after the decision: a mistyped year must not become money.

        No campaign is opened over an incident that does, so the incident's own windows are not asked here.
        """
        for node in self._counted:
            time = node.evaluate(row)
            if time and time[-1][1] > self._latest:
                return True
        return False

    def _counted_times(self) -> tuple[Node, ...]:
        """Give the account's own times that can become money: the outage, and its windows where they are used raw."""
        seen: set[int] = set()
        left, uses_raw = list(self.nodes()), False
        while left:
            node = left.pop()
            if id(node) in seen or (node.operation, node.text) == ("name", "outage"):
                continue
            seen.add(id(node))
            uses_raw = uses_raw or (node.operation, node.text) == ("name", "windows")
            left += node.children
        times = (self.outage, self.program.compile("windows", ("exposure",))) if uses_raw else (self.outage,)
        return tuple(node for node in times if not node.constant)

    def _judged(self, row: Row) -> Verdict:
        ended = self._clauses(self.who, row)
        if ended is not None:
            return ended
        results: list[ComponentResult] = []
        beside: list[ComponentResult] = []
        unmet: list[CompiledComponent] = []
        for component in self.components:
            result = self._each(component, row) if component.for_each else self._one(component, row)
            if isinstance(result, Verdict):
                return result
            if result is None or not result.applies:
                unmet.append(component)
            if result is None:
                continue
            result.exact = max(result.exact, 0)
            if result.exact > 0 or result.gives:
                results.append(result)
                if self.program.policy.compose == "first":
                    break
            else:
                beside.append(result)
        if not results:
            stated = [component.otherwise or self.program.policy.otherwise for component in unmet]
            reason = next((reason for reason in stated if reason), NOTHING_DUE)
            return Verdict(Outcome.DECLINED, reason, beside=beside, settled=True)
        if self.program.policy.compose == "max":
            highest = max(results, key=lambda result: result.exact)
            beside += [result for result in results if result is not highest]
            results = [highest]
        reason = _too_much_given(results)
        return Verdict(Outcome.HELD, reason) if reason else self._total(results, beside, row)

    def _keep(self, verdict: Verdict, row: Row, granted: Mapping[str, int]) -> Verdict:
        """Work out what the decided incident adds to what is kept; where that is unknown, the row is held.

        The amount that counts is never less than what its earlier campaigns granted, by currency.
        """
        is_paid = verdict.outcome in (Outcome.GRANTED, Outcome.OFFERED)
        after = self.program.fresh(row)
        if self.amount_place is not None and self.exact_place is not None:
            owed = [result for result in verdict.results if result.state in ("granted", "offered")] if is_paid else []
            before = granted.get(self.currency, 0)
            after[self.amount_place] = max(sum(result.minor for result in owed), before)
            after[self.exact_place] = max(sum((result.exact for result in owed), 0), before)
        for kept in self.history:
            value, name = kept.node.evaluate(after), kept.slot.declaration.name
            if value is None:
                return held(kept.node, after)
            known = row[kept.slot.index]
            if kept.slot.per:
                verdict.added |= self._shares.by_period(kept.slot, value, verdict, row)
            elif not kept.is_until_paid or not is_paid:
                verdict.added[name] = value
            elif isinstance(known, tuple):
                verdict.cleared[name] = known
            else:
                verdict.added[name] = -known
        if is_paid and self._began_at(row) < self.now - LOOK_BACK_LONGEST // MICROSECOND:
            return Verdict(Outcome.HELD, TOO_LONG_AGO)
        if sum(len(value) for value in verdict.added.values() if isinstance(value, tuple)) > HISTORY_PARTS:
            return Verdict(Outcome.HELD, TOO_MANY_PARTS)
        verdict.added = {name: value for name, value in verdict.added.items() if value}
        verdict.cleared = {name: time for name, time in verdict.cleared.items() if time}
        return verdict

    def ended_at(self, row: Row) -> int:
        """Give the instant at which what counts of the incident ended for a row; the decision's at the latest."""
        outage = self.outage.evaluate(row) or self.program.occasion.windows()
        return min(outage[-1][1], self.now) if outage else self.now

    def _began_at(self, row: Row) -> int:
        outage = self.outage.evaluate(row) or self.program.occasion.windows()
        return outage[0][0] if outage else self.now

    def _clauses(self, clauses: tuple[CompiledClause, ...], row: Row) -> Verdict | None:
        """The first clause that holds decides. Unknown ones before it hold the row, unless all of them end alike."""
        unknown: CompiledClause | None = None
        for clause in clauses:
            holds = clause.holds(row)
            if holds is False:
                continue
            if unknown is not None and unknown.outcome != clause.outcome:
                break
            if holds:
                return Verdict(clause.outcome, clause.reason, clause)
            unknown = unknown or clause
        return None if unknown is None else held(unknown.node, row, unknown)

    def _one(self, component: CompiledComponent, row: Row) -> ComponentResult | Verdict | None:
        """Work out an amount component for a row; None where its condition does not hold."""
        applies = component.holds(row)
        if applies is None:
            return held(component.node, row)
        return self._amounts(component, row) if applies else None

    def _each(self, component: CompiledComponent, row: Row) -> ComponentResult | Verdict | None:
        """Work out an amount component for every separate outage, day or period of it, and add up."""
        outage, zone = self.outage.evaluate(row), self.program.scope.zone.evaluate(row)
        if outage is None or zone is None:
            return held(self.outage if outage is None else self.program.scope.zone, row)
        whole = ComponentResult(component, applies=False)
        pieces = exposure.pieces(outage, zone, component.for_each)
        if len(pieces) * component.parts > PARTS_OF_ALL_PIECES:
            raise exposure.TooLong
        for piece in pieces:
            part = self.program.fresh(row)
            assert self.program.piece_place is not None
            part[self.program.piece_place] = piece
            result = self._one(component, part)
            if isinstance(result, Verdict):
                return result
            if result is not None:
                whole.applies = True
                whole.exact += result.exact
                whole.gives += result.gives
            whole.pieces.append((part, 0 if result is None else result.exact))
        return whole

    def _amounts(self, component: CompiledComponent, row: Row) -> ComponentResult | Verdict:
        result = ComponentResult(component)
        if component.pay is not None:
            exact = component.pay.evaluate(row)
            if exact is None:
                return held(component.pay, row)
            result.exact = exact
        for give in component.gives:
            holds = give.holds(row)
            if holds is None:
                return held(give.node, row)
            if not holds:
                continue
            quantity, validity = give.quantity(row), give.validity(row)
            chosen = give.of(row) if give.of is not None else ""
            if validity is not None and self._is_over_before_it_begins(validity):
                validity = None
            if quantity is None or validity is None or chosen is None:
                unknown = next((node for node in give.nodes if node.evaluate(row) is None), None)
                if unknown is None:
                    return not_known("", why=NO_SUCH_CHOICE if chosen is None else NEVER_USABLE)
                return held(unknown, row)
            if chosen and quantity != UNLIMITED:
                most = entries(self.program.policy.restrictions[chosen])
                if quantity.denominator != 1 or quantity > most:
                    return not_known("", why=NO_SUCH_CHOICE)
            if quantity == UNLIMITED or quantity >= SMALLEST_QUANTITY:
                result.gives.append((give, quantity, validity, chosen))
        return result

    def _is_over_before_it_begins(self, validity: Validity) -> bool:
        """Whether a validity with a fixed end or a fixed beginning leaves nothing for who is granted it now."""
        now = self.program.occasion.decided_at
        if now is None or (validity.until is None and validity.begins is None):
            return False
        ends_at = validity.expires_at(now)
        return ends_at is not None and ends_at <= validity.starts_at(now)

    def _total(self, results: list[ComponentResult], beside: list[ComponentResult], row: Row) -> Verdict:
        """Cap and round the amount components, then see how each is delivered."""
        verdict = Verdict(Outcome.GRANTED, "", results=results, beside=beside)
        capped, lowest = False, None
        for node, per in self.caps:
            limit = node.evaluate(row) if per == "incident" else self._shares.limit(node, per, verdict, row)
            if limit is None:
                return held(node, row)
            if isinstance(limit, Verdict):
                return limit
            limit = max(limit, 0)
            capped = _reduce(results, limit) or capped
            if per == "incident":
                lowest = limit if lowest is None else min(limit, lowest)
        verdict.exact = total_of(results)
        self._round(verdict, capped, lowest)
        if any(result.minor > MAX_MINOR_UNITS for result in results) or (
            self.currency and verdict.minor > MAX_MINOR_UNITS
        ):
            verdict.outcome, verdict.reason = Outcome.HELD, TOO_MUCH
            return verdict
        if self.amount_place is not None and self.exact_place is not None:
            row[self.amount_place], row[self.exact_place] = verdict.minor, verdict.exact
        ended = self._clauses(self.payout, row)
        if ended is not None:
            ended.settled = not ended.is_unknown
            return ended.after(verdict)
        verdict.settled = True
        due = [result for result in results if result.minor > 0 or result.gives]
        if not due:
            verdict.outcome, verdict.reason = Outcome.DECLINED, NOTHING_DUE
            return verdict
        return self.delivery.deliver(verdict, due, row)

    def _round(self, verdict: Verdict, capped: bool, lowest: Exact | None) -> None:
        """Round each component, or the total, whose last components then take the difference of the rounded parts.

        Components that reached a cap together do not pass it by their rounding, nor do those below it.
        """
        verdict.minor = 0
        for result in verdict.results:
            result.minor = self.program.round_minor(result.exact)
            verdict.minor += result.minor
        at_the_total = self.program.policy.rounding.stage == "total"
        passes = (lowest is not None and verdict.minor > lowest) or any(
            verdict.minor * share.exact > share.limit * verdict.exact for share in verdict.shares
        )
        if not (capped or at_the_total or passes):
            return
        total = self.program.round_minor(verdict.exact)
        if not at_the_total:
            total = min(total, verdict.minor)
        difference, verdict.minor = total - verdict.minor, total
        paying = [result for result in verdict.results if result.exact > 0]
        for result in reversed(paying):
            taken = max(difference, -result.minor)
            result.minor += taken
            difference -= taken
            if not difference:
                return


def _in_force(program: Program, rule: InForce) -> Period:
    """Compile the period of a rule to the first clause of ``who``: it holds unless the moment lies in the period."""
    path: Path = ("in_force",)
    scope = program.scope
    moment = moment_node(program, rule.by, (*path, "by"))
    conditions = []
    start = end = None
    if rule.from_:
        start = moment_node(program, rule.from_, (*path, "from"))
        conditions.append(call_node(">=", (moment, start), scope, path))
    if rule.until:
        end = until_node(program, rule.until, (*path, "until"))
        conditions.append(call_node("<", (moment, end), scope, path))
    if start is not None and end is not None and start.constant and end.constant and start.value >= end.value:
        raise PolicyError("it ends before it starts", (*path, "until"))
    node = conditions[0] if len(conditions) == 1 else call_node("and", tuple(conditions), scope, path)
    outside = call_node("not", (node,), scope, path)
    never = outside.constant and outside.value is False
    clause = CompiledClause(Outcome.DECLINED, NOT_IN_FORCE, "", False, outside, outside.evaluate, never)
    texts = ((rule.by, "by"), (rule.from_, "from"), (rule.until, "until"))
    by, first, last = (program.compile(text, (*path, key)) if text else None for text, key in texts)
    assert by is not None
    return Period(clause, by, first, last)


def _too_much_given(results: list[ComponentResult]) -> str:
    """Say why what amount components give besides money cannot be given at once; empty where it can."""
    given = [quantity for result in results for _, quantity, _, _ in result.gives]
    if any(quantity != UNLIMITED and quantity > LARGEST_QUANTITY for quantity in given):
        return QUANTITY_TOO_LARGE
    return TOO_MANY_BENEFITS if len(given) > MOST_BENEFITS else ""


def _reduce(results: list[ComponentResult], limit: Exact) -> bool:
    """Bring the sum of the components down to a limit, the last component first; say whether it was above."""
    excess = above = total_of(results) - limit
    for result in reversed(results):
        if excess <= 0:
            break
        taken = min(result.exact, excess)
        result.exact -= taken
        excess -= taken
    return above > 0
