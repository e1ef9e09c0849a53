"""How what is owed is delivered: automatically, on a claim or as an offer, in time or too late; and the benefits."""

from datetime import datetime

from kulanz.domain.decision import Benefit, Outcome, format_quantity
from kulanz.domain.money import Money
from kulanz.domain.policy.deciding.components import CompiledHead, CompiledMode
from kulanz.domain.policy.deciding.verdict import HeadResult, Verdict, held
from kulanz.domain.policy.language.expression import Row
from kulanz.domain.time import instant_of

MAX_REMEMBERED_BENEFITS = 4096


class Delivery:
    """The delivery of a policy's heads. `now` is the instant of the decision, in microseconds since 1970."""

    def __init__(self, heads: tuple[CompiledHead, ...], now: int) -> None:
        self._heads = heads
        self._now = now
        self._benefits: dict[tuple[str, int, str | None], Benefit] = {}

    def deliver(self, verdict: Verdict, given: list[HeadResult], row: Row) -> Verdict:
        """See how each head that gives something is delivered; one that was rounded to nothing is not."""
        late = ""
        for result in given:
            mode = self._mode(result.head, row)
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
            elif result.minor > 0 and result.head.to is not None and result.head.to.evaluate(row) is None:
                return held(result.head.to, row).after(verdict)
        states = {result.state for result in given}
        if "granted" in states:
            verdict.outcome = Outcome.GRANTED
        elif "offered" in states:
            verdict.outcome = Outcome.OFFERED
        else:
            verdict.outcome, verdict.reason = Outcome.DECLINED, late
            return verdict
        wanted = verdict.outcome.value
        verdict.reason = next(result.head.name for result in given if result.state == wanted)
        return verdict

    def _mode(self, head: CompiledHead, row: Row) -> CompiledMode | Verdict:
        *conditional, last = head.modes
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
        """Give the first instant at which what is offered can no longer be accepted, the earliest of the heads."""
        ends = [
            until
            for result in verdict.results
            if result.state == "offered" and result.mode is not None and result.mode.until is not None
            if (until := result.mode.until.evaluate(row)) is not None
        ]
        return instant_of(int(min(ends))) if ends else None

    def benefits(self, verdict: Verdict, state: str, row: Row) -> tuple[Benefit, ...]:
        """Give the benefits of the heads in a state."""
        benefits: list[Benefit] = []
        several = len(self._heads) > 1
        for result in verdict.results:
            if result.state != state:
                continue
            name = result.head.name if several else ""
            to = result.head.to.evaluate(row) if result.head.to is not None else None
            if result.minor > 0:
                benefits.append(self._money(result, name, to))
            for give, quantity, validity, chosen in result.gives:
                terms = {**give.terms, "of": chosen} if chosen else give.terms
                amount = quantity if isinstance(quantity, str) else format_quantity(quantity)
                benefits.append(
                    Benefit(None, amount, give.unit, give.restriction, validity, result.head.due, terms, name)
                )
        return tuple(benefits)

    def _money(self, result: HeadResult, name: str, to: str | None) -> Benefit:
        """Give a money benefit; equal ones are one object, because most amounts of a campaign recur."""
        key = (result.head.name, result.minor, to)
        benefit = self._benefits.get(key)
        if benefit is None:
            assert result.head.pay is not None
            money = Money(result.minor, result.head.pay.kind.currency)
            benefit = Benefit(money, due=result.head.due, terms={"to": to} if to else {}, head=name)
            if len(self._benefits) < MAX_REMEMBERED_BENEFITS:
                self._benefits[key] = benefit
        return benefit
