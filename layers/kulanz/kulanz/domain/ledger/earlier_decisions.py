"""What a later campaign of an incident still owes a subject that an earlier one has decided.

Whether a policy replaces what was granted before or adds to it is the policy's word (`earlier: replace | add`): it
says which campaigns a campaign follows. What those granted, less what was voided of it, is set off; the difference is
never negative. Taking back is a void's, never a later campaign's.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from kulanz.domain.campaigns.reconciliation import Overpaid, worth_by_measure, worth_of
from kulanz.domain.decision import UNLIMITED, Benefit, Decision, Outcome
from kulanz.domain.ledger.entries import Entry, is_voided, net_worth, written_off_worth
from kulanz.domain.ledger.former_accounts import DECIDED_UNDER_FORMER_ID, is_link
from kulanz.domain.money import Money, is_currency
from kulanz.domain.policy.deciding.history import HISTORY_CHANGED

ADDS = "add"
OFFER = "offer"
"""How what was left to claim is delivered once it is offered by itself."""
IN_ANOTHER_MEASURE = "granted_before_in_another_measure"
CHANGED_SINCE_PLAN = "changed_since_plan"
"""Held, because something else was granted before than the plan had read: an offer was accepted while it waited."""
GRANTED_UNDER_FORMER_ID = "granted_under_former_id"
"""Held, because it is not known whose the earlier grant is: the account had given that id up before the incident."""
ASKED_BACK = "asked_back_from_biller"
"""Held, because a void asked the biller for some of the earlier grant. Whether it still has it is known when the biller
answers: counted as given the subject could end with too little, counted as taken back with too much."""


@dataclass(frozen=True, slots=True)
class Before:
    """What stands about a subject from earlier campaigns: the latest outcome, and what was granted, by measure.

    `granted` is net of what was voided: zero of a measure that was voided beside others that stand. `outcome` is None
    where the latest decision had granted and all of it is void: then nothing stands in the way of another decision.
    `is_by_hand`: a person decided some of what stands. `is_in_doubt`: it was granted under a former id of the account,
    for an incident that began when the account had its present one: another account may have that id by now. Or the
    account had so many ids that not all were looked at: then nothing may be known of what was granted. `is_asked_back`:
    a void asked the biller for some of it, and the biller has not answered. `written_off` is how much of what was
    granted finance gave up, by measure: it is set off, because who decided that had settled it with the customer
    otherwise, or for good; but nothing of it is too much, because it never reached a bill.
    """

    outcome: Outcome | None
    granted: tuple[tuple[str, int | Decimal], ...]
    is_by_hand: bool = False
    is_in_doubt: bool = False
    is_asked_back: bool = False
    written_off: tuple[tuple[str, int | Decimal], ...] = ()

    def texts(self) -> Mapping[str, str]:
        """What was granted as exact texts, as a later decision's body tells it."""
        return _texts(self.granted)

    def money(self) -> Mapping[str, int]:
        """The minor units that were granted, by currency."""
        return {measure: size for measure, size in self.granted if isinstance(size, int) and is_currency(measure)}

    def content(self) -> Mapping[str, Any]:
        """This as JSON-able content; sizes are exact texts."""
        by_hand = {"by_hand": True} if self.is_by_hand else {}
        in_doubt = {"in_doubt": True} if self.is_in_doubt else {}
        asked_back = {"asked_back": True} if self.is_asked_back else {}
        given_up = {"written_off": _texts(self.written_off)} if self.written_off else {}
        outcome = None if self.outcome is None else self.outcome.value
        return {"outcome": outcome, "granted": self.texts(), **by_hand, **in_doubt, **asked_back, **given_up}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> "Before":
        """Read what `content` wrote."""
        outcome = content["outcome"]
        flags = (content.get(name, False) for name in ("by_hand", "in_doubt", "asked_back"))
        granted, given_up = _read_texts(content["granted"]), _read_texts(content.get("written_off", {}))
        before = cls(None if outcome is None else Outcome(outcome), granted, *flags)
        return replace(before, written_off=given_up) if given_up else before


def _texts(sums: Iterable[tuple[str, int | Decimal]]) -> dict[str, str]:
    return {measure: str(size) for measure, size in sums}


def _read_texts(texts: Mapping[str, str]) -> tuple[tuple[str, int | Decimal], ...]:
    return tuple(sorted((name, int(size) if is_currency(name) else Decimal(size)) for name, size in texts.items()))


def stands_before(entries: Iterable[Entry]) -> Before | None:
    """Add up the entries of a subject, lowest campaign first; None when there are none.

    An entry that only says under which id its account's decision stands (`is_link`) says nothing else.
    """
    latest: Entry | None = None
    granted: dict[str, int | Decimal] = {}
    given_up: dict[str, int | Decimal] = {}
    is_by_hand = is_asked_back = False
    for entry in entries:
        if is_link(entry):
            continue
        latest, worth = entry, net_worth(entry)
        is_asked_back = is_asked_back or entry.is_asked_back
        is_by_hand = is_by_hand or (entry.by_hand is not None and any(worth.values()))
        for measure, size in worth.items():
            granted[measure] = granted.get(measure, 0) + size
        for measure, size in written_off_worth(entry).items():
            given_up[measure] = given_up.get(measure, 0) + size
    if latest is None:
        return None
    if any(granted.values()):
        sums = tuple(sorted(granted.items())), tuple(sorted(given_up.items()))
        return Before(Outcome.GRANTED, sums[0], is_by_hand, is_asked_back=is_asked_back, written_off=sums[1])
    return Before(None if is_voided(latest) else latest.status, ())


@dataclass(frozen=True, slots=True)
class Rule:
    """Whose campaign it is, and whether its policy adds to what other policies granted (`earlier: add`)."""

    policy_id: str
    adds: bool


def follows(rule: Rule, applied: Mapping[int, Rule]) -> tuple[int, ...]:
    """Which of an incident's campaigns, by seq, a new one sets off.

    Of two different policies one sets off the other only where both replace: what one of them adds stands beside the
    other, whichever came first. A policy never adds to itself: requested again, under another revision or after a
    cancel, it grants only what is missing.
    """
    return tuple(
        seq
        for seq, other in sorted(applied.items())
        if other.policy_id == rule.policy_id or not (other.adds or rule.adds)
    )


def still_owed(decision: Decision, before: Before | None) -> Decision | None:
    """What is decided now, given what stands; None when nothing changes.

    An offer that was not taken up is made again, because only an incident's latest campaign can be accepted. What was
    granted in another currency or unit cannot be set off: the subject is held, and the others go on.
    """
    if before is None:
        return decision
    if decision.outcome not in (Outcome.GRANTED, Outcome.OFFERED):
        return None if before.outcome in (decision.outcome, Outcome.GRANTED) else decision
    granted = dict(before.granted)
    is_other = any(worth_of(benefit)[0] not in granted for benefit in decision.benefits)
    if why := _hold(before, is_other=bool(granted) and is_other):
        return Decision(Outcome.HELD, why)
    due = less_granted((*decision.benefits, *decision.claimable), granted)
    components = {benefit.component for benefit in decision.claimable}
    remaining = tuple(benefit for benefit in due if benefit.component not in components) if components else due
    claimable = due[len(remaining) :]
    if not due:
        return None
    if not remaining:  # what was granted at once stands; what can be claimed beside it is offered again
        offered = replace(decision, outcome=Outcome.OFFERED, benefits=claimable, claimable=(), notice=None)
        return replace(offered, reason=claimable[0].component or decision.reason, mode=OFFER)
    return replace(decision, benefits=remaining, claimable=claimable)


def _hold(before: Before, *, is_other: bool) -> str:
    """Why nothing can be set off before something else is known; empty where it can."""
    if before.is_in_doubt:
        return GRANTED_UNDER_FORMER_ID
    if before.is_asked_back:
        return ASKED_BACK
    return IN_ANOTHER_MEASURE if is_other else ""


def unchanged_under_new_id(decision: Decision, before: Before) -> Decision:
    """What is decided of an account that changed where nothing changes by it (`still_owed` is None).

    What waits for manual review waits under the present id: the case under the former one ends with this decision.
    """
    waits = decision.outcome in (Outcome.HELD, Outcome.REFERRED) and before.outcome is decision.outcome
    return decision if waits else Decision(Outcome.DECLINED, DECIDED_UNDER_FORMER_ID)


def within_plan(planned: Decision, decided: Decision | None) -> Decision:
    """What is written of a decision made with what is kept now, when the plan had been made with what was kept then.

    A plan is an upper bound. What gives as much or less stands; what would give more, or something else, is held: a
    further campaign of the incident decides it, with a plan that knows. None (nothing is owed any more) is held too.
    """
    if decided is not None and decided.outcome not in (Outcome.GRANTED, Outcome.OFFERED):
        return decided
    if decided is not None and decided.outcome is planned.outcome:
        most = worth_by_measure(planned)
        if all(size <= most.get(measure, 0) for measure, size in worth_by_measure(decided).items()):
            return decided
    return Decision(Outcome.HELD, HISTORY_CHANGED)


def is_as_planned(planned: Decision, stands: Decision) -> bool:
    """Whether a decision in the ledger comes to what was planned for its line."""
    return (stands.outcome, stands.reason) == (planned.outcome, planned.reason) and worth_by_measure(
        stands
    ) == worth_by_measure(planned)


def is_more_than(before: Before, whole: Decision) -> bool:
    """Whether more of something had been granted than a subject is entitled to now."""
    entitled = worth_by_measure(whole)
    return any(size > entitled.get(measure, 0) for measure, size in before.granted)


_DECIDED = frozenset({Outcome.GRANTED, Outcome.OFFERED, Outcome.DECLINED})
"""The outcomes that say how much a subject is entitled to. Who waits for a person may still be entitled to all."""


def overpaid(whole: Decision, before: Before | None, owed: Decision | None) -> Overpaid:
    """How much more earlier campaigns gave than a subject is entitled to now, by measure; nothing where a person waits.

    `owed` is what is decided less what was given (`still_owed`). What can still be claimed is an entitlement too.
    Where a person decided what stands, that is what the subject is entitled to: no policy calls it too much. Nor is it
    where another account may have it. What finance gave up never reached a bill, and is not too much either.
    """
    if before is None or before.is_by_hand or before.is_in_doubt or whole.outcome not in _DECIDED:
        return ()
    if owed is not None and owed.outcome is Outcome.HELD:
        return ()
    entitled, given_up = entitled_to(whole), dict(before.written_off)
    too_much = ((name, size - given_up.get(name, 0) - entitled.get(name, 0)) for name, size in before.granted)
    return tuple((measure, size) for measure, size in too_much if size > 0)


def entitled_to(whole: Decision) -> dict[str, int | Decimal]:
    """All that a decision gives its subject, by measure: what can still be claimed, too."""
    found: dict[str, int | Decimal] = {}
    for benefit in (*whole.benefits, *whole.claimable):
        measure, size = worth_of(benefit)
        found[measure] = found.get(measure, 0) + size
    return found


def less_granted(benefits: Iterable[Benefit], granted: Mapping[str, int | Decimal]) -> tuple[Benefit, ...]:
    """The benefits less what was granted of the same measure, taken off the first ones first."""
    left = dict(granted)
    remaining = []
    for benefit in benefits:
        measure, size = worth_of(benefit)
        taken = min(size, left.get(measure, 0))
        left[measure] = left.get(measure, 0) - taken
        if size > taken:
            remaining.append(benefit if not taken else _smaller(benefit, size - taken))
    return tuple(remaining)


def _smaller(benefit: Benefit, size: int | Decimal) -> Benefit:
    if benefit.money is not None:
        return replace(benefit, money=Money(int(size), benefit.money.currency))
    if benefit.quantity == UNLIMITED:
        raise AssertionError("something unlimited is granted whole or not at all")
    return replace(benefit, quantity=f"{Decimal(size).normalize():f}")
