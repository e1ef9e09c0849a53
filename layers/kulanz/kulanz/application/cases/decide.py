"""Decides a case by hand: by the policy with the fact supplied, by another amount, or that nothing is given.

A person decides within their limit; above it a second person agrees, who is never the same human. It is decided once.
The decision and the look at the incident's record are one transaction, as an acceptance is: so no campaign that sets
this one off can be under way beside it, and one that starts later reads what was granted by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kulanz.application.cases.case import Case, CasePorts, CaseRefused, find_case
from kulanz.application.cases.store import CaseStore, HandStep, Proposal, Rejection
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, Outdated, TryAgain
from kulanz.domain.budgets import Draw
from kulanz.domain.byhand.counts import CountOf, CountStep, steps_with, used_by
from kulanz.domain.byhand.discretion import ByHand, Discretion, Needs, NotAllowed, needs
from kulanz.domain.byhand.sizes import is_measure, parse_size, quantity_text
from kulanz.domain.campaigns.reconciliation import worth_by_measure
from kulanz.domain.decision import NEXT_BILL, UNLIMITED, Benefit, Decision, Outcome
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.ledger.entries import DecisionKey, Entry, HistoryChange, decided_by_hand
from kulanz.domain.ledger.hand_decision import HandDecision, Way
from kulanz.domain.lists.unread_columns import in_other_currency
from kulanz.domain.money import AmountError, Money, Size, is_currency
from kulanz.domain.people.caller import APART, Caller, Door, must_be_person
from kulanz.domain.people.people import People, approver_problem
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory


@dataclass(frozen=True, slots=True)
class DecidePorts:
    """The world that deciding by hand touches, with the files that hold when it does."""

    look: CasePorts
    cases: CaseStore
    discretion: Discretion
    people: People
    gate: GateSettings
    door: Door = Door.IAM


@dataclass(frozen=True, slots=True)
class HandRequest:
    """What a person asks for. `seen` is the case as that person saw it; `amount` is such as 5.00, of `measure`.

    `row` is where a row starts that contradicts the decided one, or cannot be read; None for the decided one.
    """

    id: str
    way: Way
    seen: str
    reason: str
    note: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    amount: str = ""
    measure: str = ""
    row: int | None = None


@dataclass(frozen=True, slots=True)
class HandOutcome:
    """What came of it: the decision as it stands, or what waits for a second person."""

    entry: Entry | None = None
    proposal: Proposal | None = None


def decide_case(
    key: DecisionKey, request: HandRequest, caller: Caller, ports: DecidePorts, now: datetime
) -> HandOutcome:
    """Decide a case, or let the decision wait for a second person. The same again is the same answer.

    Raises PersonNeeded for a machine, CaseRefused, and TryAgain.
    """
    person = _person(caller, ports, now)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        _must_not_be_halted(ports)
        case = find_case(key, ports.look, now, request.row)
        hand = HandDecision(
            request.id, now, request.way, Decision(Outcome.DECLINED, request.reason), request.reason, "", person,
            note=request.note, facts=request.facts, row=case.of,
        )  # fmt: skip
        if (known := case.entry.by_hand) is not None and _is_same(known, hand, request):
            return HandOutcome(entry=case.entry)
        waiting = ports.cases.proposal(key)
        if waiting is not None and _is_same(waiting.hand, hand, request):
            return HandOutcome(proposal=waiting)
        _must_be_open(case, request.seen)
        decision, history = _decision(case, request)
        hand = replace(hand, decision=decision, title=_title(request.reason, request.note, ports.discretion))
        if request.way is Way.POLICY and case.before is not None:
            hand = replace(hand, earlier=case.before.texts())
        if request.way is Way.POLICY and case.campaign.keeps_history:
            hand = replace(hand, history=case.read.kept)
        counts, is_enough = _within_limits(key, hand, ports, now)
        try:
            if is_enough:
                step = replace(_step(case, hand, history, counts, ports), waiting=waiting)
                ports.cases.decide(step)
                return HandOutcome(entry=step.decided)
            if waiting is not None and not waiting.is_over(now):
                raise CaseRefused(
                    "waits_for_second", "a decision of this case waits for a second person: agree to it, or reject it"
                )
            proposal = Proposal(key, hand, case.seen, case.entry.ttl)
            ports.cases.propose(proposal, waiting)
        except Outdated:
            continue
        return HandOutcome(proposal=proposal)
    raise TryAgain("the case or its incident keeps changing")


def agree_to_case(
    key: DecisionKey, proposal_hash: str, action_id: str, caller: Caller, ports: DecidePorts, now: datetime
) -> HandOutcome:
    """Decide what waits for a second person, at the word of one. The limits and the case are looked at again.

    Raises PersonNeeded for a machine, CaseRefused, and TryAgain.
    """
    person = _person(caller, ports, now)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        _must_not_be_halted(ports)
        proposed = ports.cases.proposal(key)
        row = None if proposed is None else proposed.hand.row
        case = find_case(key, ports.look, now, None if row is None else row.offset)
        known = case.entry.by_hand
        if known is not None and known.second == person and known.second_id == action_id:
            return HandOutcome(entry=case.entry)
        waiting = _waiting(key, proposal_hash, ports)
        if waiting.is_over(now):
            raise CaseRefused("waited_too_long", "it waited longer than 14 days; decide the case again")
        if not ports.people.are_two(person, waiting.hand.person):
            raise CaseRefused("second_is_first", f"who decided first cannot agree; ask another person ({APART})")
        _must_be_open(case, waiting.seen)
        asked = HandRequest(
            waiting.hand.id, waiting.hand.way, waiting.seen, waiting.hand.reason, waiting.hand.note, waiting.hand.facts,
            row=None if waiting.hand.row is None else waiting.hand.row.offset,
        )  # fmt: skip
        history: SubjectHistory | None = None
        if asked.way is Way.POLICY:
            decision, history = _decision(case, asked)
            if decision != waiting.hand.decision:
                raise CaseRefused("case_changed", "the policy comes to something else by now; decide the case again")
        hand = replace(waiting.hand, second=person, second_id=action_id, at=now)
        counts, _ = _within_limits(key, hand, ports, now)
        step = replace(_step(case, hand, history, counts, ports), waiting=waiting)
        try:
            ports.cases.decide(step)
        except Outdated:
            continue
        return HandOutcome(entry=step.decided)
    raise TryAgain("the case or its incident keeps changing")


def reject_case(
    key: DecisionKey, proposal_hash: str, reason: str, action_id: str, caller: Caller, ports: DecidePorts, now: datetime
) -> None:
    """Let what waits for a second person wait no more; the case stays open. The first person may do it, too.

    Safe to repeat. Raises PersonNeeded for a machine, CaseRefused, and TryAgain.
    """
    mine = Rejection(proposal_hash, _person(caller, ports, now), action_id, reason)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        if ports.cases.rejection(key) == mine:
            return
        try:
            ports.cases.reject(_waiting(key, proposal_hash, ports), mine, now)
        except Outdated:
            continue
        return
    raise TryAgain("what waits about the case keeps changing")


def _person(caller: Caller, ports: DecidePorts, now: datetime) -> str:
    person = must_be_person(caller)
    if problem := approver_problem(person, ports.people, ports.door, now):
        raise CaseRefused("may_not_decide", problem)
    return person.id


def _must_not_be_halted(ports: DecidePorts) -> None:
    if ports.look.campaigns.halt().is_on:
        raise CaseRefused("halted", "the stack is halted: nothing is decided by hand until that is lifted")


def _must_be_open(case: Case, seen: str) -> None:
    if case.closed is not None:
        raise CaseRefused(*case.closed)
    if case.seen != seen:
        raise CaseRefused("case_changed", "the case has changed since it was looked at; look at it again, then decide")


def _waiting(key: DecisionKey, proposal_hash: str, ports: DecidePorts) -> Proposal:
    waiting = ports.cases.proposal(key)
    if waiting is None:
        raise CaseRefused("nothing_waits", "nothing of this case waits for a second person")
    if waiting.hash != proposal_hash:
        raise CaseRefused("proposal_differs", "another decision waits by now; look at it, then agree to its hash")
    return waiting


def _is_same(known: HandDecision, mine: HandDecision, request: HandRequest) -> bool:
    """Whether a decision that stands, or waits, is this very request's."""
    names = ("id", "person", "way", "reason", "note", "facts", "row")
    if any(getattr(known, name) != getattr(mine, name) for name in names):
        return False
    return request.way is not Way.AMOUNT or known.decision == _of_amount(request)


def _decision(case: Case, request: HandRequest) -> tuple[Decision, SubjectHistory | None]:
    """What is decided, and the subject's history after it where that changes. Raises CaseRefused."""
    decision, history = _by_way(case, request)
    if decision.outcome is Outcome.GRANTED and case.ungrantable is not None:
        raise CaseRefused(*case.ungrantable)
    return decision, history


def _by_way(case: Case, request: HandRequest) -> tuple[Decision, SubjectHistory | None]:
    match request.way:
        case Way.DECLINE:
            return Decision(Outcome.DECLINED, request.reason), None
        case Way.AMOUNT:
            if problem := no_amount(case):
                raise CaseRefused(*problem, "amount")
            return _of_amount(request), None
        case Way.POLICY:
            return _of_policy(case, request)


def no_amount(case: Case) -> tuple[str, str] | None:
    """Why no amount can be decided, whichever; None where one can."""
    if case.campaign.keeps_history:
        return "history_needs_policy", (
            "the policy counts what its subjects had before, and an amount by hand would not be in that: supply the"
            " missing fact, decline, or give it as goodwill"
        )
    return None


def _of_policy(case: Case, request: HandRequest) -> tuple[Decision, SubjectHistory | None]:
    if case.is_amended:
        raise CaseRefused(
            "incident_amended",
            "the incident was amended since, and the policy would decide by what was told before: request a further"
            " campaign, decide an amount, or decline",
        )
    owed = case.owed(request.facts)
    decision = owed.decision
    if decision is None:
        return Decision(Outcome.DECLINED, "granted_before"), None
    if decision.outcome is Outcome.DECLINED:
        return Decision(Outcome.DECLINED, decision.reason), owed.history
    if decision.outcome is not Outcome.GRANTED or decision.claimable:
        raise CaseRefused(
            "policy_does_not_grant",
            f"with these facts the policy's outcome is {decision.outcome}"
            f"{', with a part to claim' if decision.claimable else ''}: supply the fact that it lacks, decide an"
            " amount, or decline",
            "facts",
        )
    if case.row is not None and in_other_currency(decision, case.row.currencies):
        raise CaseRefused(
            "currency_differs",
            "the row states another currency than the policy would pay: decide an amount, or decline",
            "facts",
        )
    if any(benefit.quantity == UNLIMITED for benefit in decision.benefits):
        raise CaseRefused("unlimited", "the policy gives something without a limit, and no person has one; decline, or"
                          " request a campaign with the fact in its list", "facts")  # fmt: skip
    return Decision(Outcome.GRANTED, decision.reason, decision.benefits), owed.history


def _of_amount(request: HandRequest) -> Decision:
    """Raises CaseRefused for an amount that is none."""
    if not is_measure(request.measure):
        raise CaseRefused("measure_unknown", "expected a currency of ISO 4217 such as EUR, or a unit", "measure")
    try:
        size = parse_size(request.amount, request.measure)
    except AmountError as error:
        raise CaseRefused("amount_invalid", str(error), "amount") from None
    if size <= 0:
        raise CaseRefused("amount_not_positive", "expected an amount above zero; to give nothing, decline", "amount")
    if is_currency(request.measure):
        benefit = Benefit(money=Money(int(size), request.measure), due=NEXT_BILL)
    else:
        benefit = Benefit(quantity=quantity_text(size), unit=request.measure)
    return Decision(Outcome.GRANTED, request.reason, (benefit,))


def _title(code: str, note: str, discretion: Discretion) -> str:
    try:
        return discretion.reason(code, note).title
    except NotAllowed as refusal:
        raise CaseRefused(refusal.reason, str(refusal), refusal.field_name) from None


def _within_limits(
    key: DecisionKey, hand: HandDecision, ports: DecidePorts, now: datetime
) -> tuple[tuple[CountStep, ...], bool]:
    """The steps of the month's counts, and whether no second person is needed. Raises CaseRefused.

    What needs a second person who has not agreed yet counts nothing.
    """
    steps, is_enough = list[CountStep](), True
    listed = ports.people.listed(hand.person)
    persons = (hand.person,) if listed is None else listed.ids
    month = ports.discretion.month_of(now)
    for measure, size in sorted(worth_by_measure(hand.decision).items()):
        places = [CountOf(ByHand.CASES, month, measure, person=one) for one in persons]
        places.append(CountOf(ByHand.CASES, month, measure, account=key.account_id))
        counts = ports.cases.counts(places)
        try:
            needed = needs(ByHand.CASES, measure, size, used_by(counts), ports.discretion, listed)
        except NotAllowed as refusal:
            raise CaseRefused(refusal.reason, str(refusal), refusal.field_name) from None
        is_enough = is_enough and needed is Needs.NOBODY
        steps += steps_with(counts, hand.person, size)
    return tuple(steps), is_enough


def _step(
    case: Case, hand: HandDecision, history: SubjectHistory | None, counts: tuple[CountStep, ...], ports: DecidePorts
) -> HandStep:
    change = None
    if history is not None:
        key = case.entry.key
        change = HistoryChange(HistoryKey(key.account_id, case.policy.policy_id, key.subject), case.history, history)
    return HandStep(
        held=case.entry,
        decided=decided_by_hand(case.entry, hand),
        incident=case.incident,
        history=change,
        draws=_draws(hand, ports.gate.budget_month(hand.at)),
        counts=counts,
    )


def _draws(hand: HandDecision, month: str) -> tuple[Draw, ...]:
    """What a decision by hand costs, by currency: of its own month, whatever is left.

    Its campaign reserved nothing for what it held: what that reserved for offers is their customers'.
    """
    worth: Mapping[str, Size] = worth_by_measure(hand.decision)
    return tuple(
        Draw(measure, month, int(size)) for measure, size in sorted(worth.items()) if is_currency(measure) and size
    )
