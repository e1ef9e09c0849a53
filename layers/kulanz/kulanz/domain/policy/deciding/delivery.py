"""How what is owed is delivered: automatically, on a claim or as an offer, in time or too late; and the benefits."""

from datetime import datetime

from kulanz.domain.decision import Benefit, Outcome, format_quantity
from kulanz.domain.money import Money
from kulanz.domain.policy.deciding.components import CompiledComponent, CompiledMode
from kulanz.domain.policy.deciding.verdict import ComponentResult, Verdict, held
from kulanz.domain.policy.language.expression import Row
from kulanz.domain.time import instant_of

MAX_REMEMBERED_BENEFITS = 4096


class Delivery:
    """The delivery of a policy's amount components. `now`: the decision's instant, in microseconds since 1970."""

    def __init__(self, components: tuple[CompiledComponent, ...], now: int) -> None:
        self._heads = components
        self._now = now
        self._benefits: dict[tuple[str, int, str | None], Benefit] = {}

    def deliver(self, verdict: Verdict, given: list[ComponentResult], row: Row) -> Verdict:
        """See how each amount component is delivered; one that was rounded to nothing is not."""
        late = ""
        for result in given:
            mode = self._mode(result.component, row)
            if isinstance(mode, Verdict):
                return mode.after(verdict)
            result.mode = mode
            result.state = self._state(mode, row)
            if not result.state:
                return held(mode.until, row).after(verdict)
            if result.state == "undated":
                return held(mode.at, row).after(verdict)
            if result.state == "late":
                late = f"{mode.way}_too_late"
            elif result.minor > 0 and result.component.to is not None and result.component.to.evaluate(row) is None:
                return held(result.component.to, row).after(verdict)
        states = {result.state for result in given}
        if "granted" in states:
            verdict.outcome = Outcome.GRANTED
        elif "offered" in states:
            verdict.outcome = Outcome.OFFERED
        else:
            verdict.outcome, verdict.reason = Outcome.DECLINED, late
            return verdict
        wanted = verdict.outcome.value
        verdict.reason = next(result.component.name for result in given if result.state == wanted)
        return verdict

    def _mode(self, component: CompiledComponent, row: Row) -> CompiledMode | Verdict:
        *conditional, last = component.modes
        for mode in conditional:
            holds = mode.holds(row)
            if holds is None:
                return held(mode.node, row)
            if holds:
                return mode
        return last

    def _state(self, mode: CompiledMode, row: Row) -> str:
        """Say whether a claim or acceptance is in, still open, or too late; nothing where its last day is unknown.

        A claim nobody knows of is not in. One that is in, on a day that the policy reads and nobody knows, is undated
        once its last day is over: it may have come in time or not.
        """
        if mode.way == "automatic":
            return "granted"
        made = mode.made.evaluate(row) if mode.made is not None else None
        at = mode.at.evaluate(row) if mode.at is not None else None
        until = mode.until.evaluate(row) if mode.until is not None else None
        if made is False:
            at = None
        taken = made is True or at is not None
        has_moment = not taken or mode.at is not None
        if mode.until is not None and has_moment:
            if until is None:
                return ""
            if (self._now if at is None else at) >= until:
                return "undated" if taken and at is None else "late"
        return "granted" if taken else "offered"

    def claim_until(self, verdict: Verdict, row: Row) -> datetime | None:
        """Give the first instant at which what is offered can no longer be accepted, the earliest of the components."""
        ends = [
            until
            for result in verdict.results
            if result.state == "offered" and result.mode is not None and result.mode.until is not None
            if (until := result.mode.until.evaluate(row)) is not None
        ]
        return instant_of(int(min(ends))) if ends else None

    def benefits(self, verdict: Verdict, state: str, row: Row) -> tuple[Benefit, ...]:
        """Give the benefits of the components in a state."""
        benefits: list[Benefit] = []
        several = len(self._heads) > 1
        for result in verdict.results:
            if result.state != state:
                continue
            name = result.component.name if several else ""
            to = result.component.to.evaluate(row) if result.component.to is not None else None
            if result.minor > 0:
                benefits.append(self._money(result, name, to))
            for give, quantity, validity, chosen in result.gives:
                terms = {**give.terms, "of": chosen} if chosen else give.terms
                amount = quantity if isinstance(quantity, str) else format_quantity(quantity)
                benefits.append(
                    Benefit(None, amount, give.unit, give.restriction, validity, result.component.due, terms, name)
                )
        return tuple(benefits)

    def _money(self, result: ComponentResult, name: str, to: str | None) -> Benefit:
        """Give a money benefit; equal ones are one object, because most amounts of a campaign recur."""
        key = (result.component.name, result.minor, to)
        benefit = self._benefits.get(key)
        if benefit is None:
            assert result.component.pay is not None
            money = Money(result.minor, result.component.pay.kind.currency)
            benefit = Benefit(money, due=result.component.due, terms={"to": to} if to else {}, component=name)
            if len(self._benefits) < MAX_REMEMBERED_BENEFITS:
                self._benefits[key] = benefit
        return benefit
