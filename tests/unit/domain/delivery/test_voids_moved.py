"""What a void moves of a campaign's sums: what its own entry says, of acceptances too, and nothing of another's."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from kulanz.application.delivery.ask_void import persons_needed
from kulanz.domain.budgets import Regained
from kulanz.domain.campaigns.campaign import PinnedList
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.delivery.entries import CreditEntries, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.moved import moved_by
from kulanz.domain.delivery.standing import AT_BILLER, CreditState, standing
from kulanz.domain.delivery.void import (
    Ends,
    Part,
    Share,
    Void,
    VoidProgress,
    VoidState,
    VoidTotals,
    moved_of,
    parts_of,
    regained_by,
    reversal_entry,
    void_entry,
)
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.ledger.entries import Entry
from tests.unit.domain.delivery.test_credit_entries import AGAIN, WAYS
from tests.unit.domain.delivery.test_credit_entries import AT as AT_BILLERS
from tests.unit.domain.delivery.test_credits import AT, FIVE, KEY, MINUTES, stored

LATER = AT + timedelta(days=3)
BOTH = stored(Decision(Outcome.GRANTED, "credit", (FIVE,), claimable=(MINUTES,)), LATER)
OFFER = stored(Decision(Outcome.OFFERED, "credit", (MINUTES,)), LATER, Outcome.GRANTED)
PLAIN = stored(Decision(Outcome.GRANTED, "credit", (FIVE, MINUTES)))
MONEY = {CreditState.DUE: -500, CreditState.VOIDED: 500}
UNIT = {CreditState.DUE: -20, CreditState.VOIDED: 20}


def void(name: str) -> Void:
    return Void(VoidId(KEY.campaign, name), "why", "anna", "anna", LATER, started_at=LATER)


def moved(entry: Entry, name: str, *entries: tuple[str, tuple[int, ...]]) -> list[tuple[str, object]]:
    """What the void `name` moved of a decision whose entries are those of some voids."""
    stands: CreditEntries = tuple(void_entry(void(of), places) for of, places in entries)
    assert all(one.kind is EntryKind.VOIDED for one in stands)
    return [(one.measure, one.by_state) for one in moved_of(void(name), entry, stands).values()]


@pytest.mark.parametrize("name", ["first", "second"])
def test_each_void_moves_what_its_own_entry_says(name: str) -> None:
    entries = (("first", (0,)), ("second", (1,)))
    expected = {"first": [("USD", MONEY)], "second": [("call_minute", UNIT)]}
    assert moved(PLAIN, name, *entries) == expected[name]
    assert moved(PLAIN, name) == []


def test_what_a_customer_accepted_later_counts_as_the_rest_does() -> None:
    assert moved(BOTH, "first", ("first", (0, 1))) == [("USD", MONEY), ("call_minute", UNIT)]
    assert moved(OFFER, "first", ("first", (0,))) == [("call_minute", UNIT)]


TICK = timedelta(microseconds=1)
ENDS = AT + timedelta(days=7)
"""When the minutes that were granted at once can no longer be used."""


@pytest.mark.parametrize(
    ("entry", "opened_at", "shares"),
    [
        (PLAIN, ENDS - TICK, {"USD": Share.VOIDABLE, "call_minute": Share.VOIDABLE}),
        (PLAIN, ENDS, {"USD": Share.VOIDABLE, "call_minute": Share.EXPIRED}),
        (BOTH, LATER - TICK, {"USD": Share.VOIDABLE}),
        (BOTH, LATER, {"USD": Share.VOIDABLE, "call_minute": Share.VOIDABLE}),
        (BOTH, ENDS, {"USD": Share.VOIDABLE, "call_minute": Share.VOIDABLE}),
        (BOTH, LATER + timedelta(days=7), {"USD": Share.VOIDABLE, "call_minute": Share.EXPIRED}),
        (OFFER, LATER - TICK, {}),
        (OFFER, LATER, {"call_minute": Share.VOIDABLE}),
    ],
)
def test_a_void_judges_at_its_instant_what_is_granted_by_then_and_what_has_ended(
    entry: Entry, opened_at: datetime, shares: dict[str, Share]
) -> None:
    judged = Void(VoidId(KEY.campaign, "v"), "why", "anna", "anna", opened_at)
    assert {part.measure: part.share for part in parts_of(entry, (), judged)} == shares


SHARES = {
    CreditState.DUE: Share.VOIDABLE,
    CreditState.REJECTED: Share.VOIDABLE,
    CreditState.TAKEN_BACK: Share.VOIDABLE,
    CreditState.ASSIGNED: Share.AT_BILLER,
    CreditState.SENT: Share.AT_BILLER,
    CreditState.UNKNOWN: Share.AT_BILLER,
    CreditState.ACCEPTED: Share.AT_BILLER,
    CreditState.APPLIED: Share.USED,
    CreditState.WRITTEN_OFF: Share.WRITTEN_OFF,
    CreditState.VOIDED: Share.VOIDED_BEFORE,
}


@pytest.mark.parametrize("state", CreditState)
def test_only_what_no_biller_has_and_no_bill_is_voidable(state: CreditState) -> None:
    """What the biller may have booked is the biller's to give back: also where nobody knows."""
    entries = WAYS[state]
    judged = Void(VoidId(KEY.campaign, "v"), "why", "anna", "anna", AT_BILLERS + timedelta(seconds=1))
    only_money = stored(Decision(Outcome.GRANTED, "credit", (FIVE,)))
    found = {part.share for part in parts_of(only_money, entries, judged)}
    expected = {Share.USED, Share.AT_BILLER} if state is CreditState.PARTLY_APPLIED else {SHARES[state]}
    assert found == expected


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((), Share.VOIDABLE),
        *((WAYS[state], Share.ASSIGNED_ONCE) for state in (CreditState.REJECTED, CreditState.TAKEN_BACK)),
        ((*WAYS[CreditState.REJECTED], AGAIN), Share.ASSIGNED_ONCE),
        ((*WAYS[CreditState.TAKEN_BACK], AGAIN), Share.ASSIGNED_ONCE),
    ],
)
def test_a_void_of_what_was_never_assigned_leaves_what_a_person_sends_again(
    entries: CreditEntries, expected: Share
) -> None:
    judged = replace(void("v"), opened_at=AT_BILLERS + timedelta(seconds=1), ends=Ends.UNASSIGNED)
    only_money = stored(Decision(Outcome.GRANTED, "credit", (FIVE,)))
    assert [part.share for part in parts_of(only_money, entries, judged)] == [expected]


def test_what_has_ended_is_asked_back_only_where_all_of_it_is_on_bills_and_never_again() -> None:
    """A reversal takes off first what is on no bill. What has ended never comes onto one: asked back alone, what is on
    bills would stand there as before, and each further void would ask for it once more.
    """
    ending = replace(FIVE, validity=MINUTES.validity)
    entry = stored(Decision(Outcome.GRANTED, "credit", (ending,)))
    wrong = []
    for opened_at in (ENDS - TICK, ENDS):
        for state in (CreditState.ACCEPTED, CreditState.PARTLY_APPLIED, CreditState.APPLIED):
            entries: CreditEntries = tuple(replace(one, at=AT) for one in WAYS[state])
            asked: list[object] = []
            for number in range(3):
                name = VoidId(KEY.campaign, f"v{number}")
                judged = Void(name, "why", "anna", "anna", opened_at, started_at=AT, asks_biller=True)
                new = reversal_entry(judged, entry, entries, list(parts_of(entry, entries, judged)))
                if new is not None:
                    asked.append(new.sizes)
                    delivery = f"billing/{number + 7}"
                    sent = replace(
                        new, kind=EntryKind.REVERSAL_ASSIGNED, id=delivery, delivery=delivery, sizes=(), by="delivery"
                    )
                    booked = replace(sent, kind=EntryKind.REVERSAL_ACCEPTED, id="booked", attempt=len(asked))
                    entries = (*entries, new, sent, booked)
                    assert standing(entries, 0, 500).state is CreditState.VOIDED
            expected = [] if opened_at == ENDS and state is not CreditState.APPLIED else [(500,)]
            if asked != expected:
                wrong.append((opened_at, state, asked))
    assert wrong == []


def test_a_plan_counts_as_to_be_asked_back_exactly_what_is_asked_where_nothing_moves() -> None:
    """Nobody knows whether what is unknown is booked, and what is written off is corrected by hand: neither can be
    asked back, so the plan that is approved does not say that it would be.
    """
    entry = stored(Decision(Outcome.GRANTED, "credit", (FIVE,)))
    judged = replace(void("v"), opened_at=AT_BILLERS + timedelta(seconds=1), started_at=AT_BILLERS, asks_biller=True)
    partly = WAYS[CreditState.PARTLY_APPLIED]
    ways: dict[str, CreditEntries] = {str(state): way for state, way in WAYS.items()}
    ways["written off in part"] = (*partly, *WAYS[CreditState.WRITTEN_OFF])
    found: dict[str, tuple[object, object]] = {}
    for way, entries in ways.items():
        parts = list(parts_of(entry, entries, judged))
        new = reversal_entry(judged, entry, entries, parts)
        asked = 0 if new is None else new.size_of(0)
        found[way] = (sum(part.size for part in parts if part.share is Share.ASKABLE), asked)
        assert sum(part.size for part in parts) == 500, way
    assert found == {way: (500, 500) if way in AT_BILLER else (0, 0) for way in ways}


def test_what_is_asked_back_and_was_rejected_meanwhile_is_not_voidable_before_the_answer() -> None:
    entry = stored(Decision(Outcome.GRANTED, "credit", (FIVE,)))
    asking = replace(void("v"), asks_biller=True, started_at=AT_BILLERS)
    sent = WAYS[CreditState.ACCEPTED]
    new = reversal_entry(asking, entry, sent, [Part(0, Share.ASKABLE, "USD", 500, standing(sent, 0, 500).delivery)])
    assert new is not None
    delivered = replace(new, kind=EntryKind.REVERSAL_ASSIGNED, id="billing/7", delivery="billing/7", sizes=())
    rejected = WAYS[CreditState.REJECTED][-1]
    later = replace(void("w"), opened_at=AT_BILLERS + timedelta(seconds=1))
    on_its_way = (*sent, new, delivered, rejected)
    assert [part.share for part in parts_of(entry, on_its_way, later)] == [Share.ASKED_BEFORE]
    answered = replace(delivered, kind=EntryKind.REVERSAL_REJECTED, id="no", code="not_booked")
    assert [part.share for part in parts_of(entry, (*on_its_way, answered), later)] == [Share.VOIDABLE]


TOTALS = VoidTotals(3, 1, 2, {(Share.VOIDABLE, "EUR"): 500})
PLANNED = replace(
    void("v"),
    state=VoidState.AWAITING_APPROVAL,
    plan=VoidProgress(1, 1, TOTALS),
    pinned=PinnedList("b", "k", "1", "e", 9),
)


@pytest.mark.parametrize(
    "other",
    [
        replace(PLANNED, id=VoidId(KEY.campaign, "w")),
        replace(PLANNED, reason="another"),
        replace(PLANNED, requested_by="ben"),
        replace(PLANNED, opened_at=LATER + TICK),
        replace(PLANNED, pinned=None),
        replace(PLANNED, pinned=PinnedList("b", "k", "2", "e", 9)),
        replace(PLANNED, pinned=PinnedList("b", "l", "1", "e", 9)),
        replace(PLANNED, ends=Ends.UNUSED),
        replace(PLANNED, ends=Ends.UNASSIGNED),
        replace(PLANNED, plan=VoidProgress(1, 1, replace(TOTALS, lines=4))),
        replace(PLANNED, plan=VoidProgress(1, 1, replace(TOTALS, unmatched=2))),
        replace(PLANNED, plan=VoidProgress(1, 1, replace(TOTALS, decisions=3))),
        replace(PLANNED, plan=VoidProgress(1, 1, replace(TOTALS, sums={(Share.VOIDABLE, "EUR"): 501}))),
        replace(PLANNED, plan=VoidProgress(1, 1, replace(TOTALS, sums={(Share.USED, "EUR"): 500}))),
        replace(PLANNED, plan=VoidProgress(1, 1, replace(TOTALS, sums={(Share.VOIDABLE, "USD"): 500}))),
    ],
)
def test_an_approval_names_all_that_a_void_will_do(other: Void) -> None:
    assert other.plan_hash != PLANNED.plan_hash


def test_the_totals_of_ranges_are_added_up_in_every_figure() -> None:
    one, other = (
        VoidTotals(3 * n, 5 * n, 7 * n, {(Share.VOIDED, "EUR"): 11 * n}, {("billing", "EUR"): (13 * n, 17 * n)}, 19 * n)
        for n in (1, 10)
    )
    one.add(other)
    assert one == VoidTotals(33, 55, 77, {(Share.VOIDED, "EUR"): 121}, {("billing", "EUR"): (143, 187)}, 209)


def test_a_void_gives_back_what_it_voided_and_nothing_that_changed_before_it() -> None:
    sums: dict[tuple[Share, str], int | Decimal] = {(share, "EUR"): 2**n for n, share in enumerate(Share)}
    sums |= {(Share.VOIDED, "GB"): Decimal(5)}
    done = replace(PLANNED, apply=VoidProgress(1, 1, VoidTotals(sums=sums)))
    assert regained_by(done, "2026-03") == (Regained("EUR", "2026-03", int(sums[Share.VOIDED, "EUR"])),)


@pytest.mark.parametrize(
    ("decisions", "size", "requester", "gate", "persons"),
    [
        (1, 500, "anna", GateSettings(second_person_above={"EUR": 500}), 1),
        (1, 501, "anna", GateSettings(second_person_above={"EUR": 500}), 2),
        (1, 500, "", GateSettings(second_person_above={"EUR": 500}), 2),
        (1, 501, "", GateSettings(lone_operator=True), 1),
        (10_000, 501, "anna", GateSettings(), 1),
        (10_001, 501, "anna", GateSettings(), 2),
        (100_000, 1, "anna", GateSettings(second_person_above={"EUR": 500}), 1),
        (100_001, 1, "anna", GateSettings(second_person_above={"EUR": 500}), 2),
    ],
)
def test_as_many_persons_approve_a_void_as_a_plan_of_its_size(
    decisions: int, size: int, requester: str, gate: GateSettings, persons: int
) -> None:
    totals = VoidTotals(decisions, 0, decisions, {(Share.VOIDABLE, "EUR"): size, (Share.USED, "EUR"): 10**9})
    assert persons_needed(replace(PLANNED, requester=requester, plan=VoidProgress(1, 1, totals)), gate) == persons


@pytest.mark.parametrize("state", [one for one in CreditState if WAYS[one]])
def test_what_is_on_a_bill_or_never_will_be_is_not_late_and_everything_else_is(state: CreditState) -> None:
    """How many credits less are late by the entry that led to a state, and how much less of them."""
    owed = {CreditState.APPLIED: 0, CreditState.WRITTEN_OFF: 0, CreditState.VOIDED: 0, CreditState.PARTLY_APPLIED: 300}
    before = 0 if state is CreditState.TAKEN_BACK else 500  # it was on a bill
    after = owed.get(state, 500)
    entries = WAYS[state]
    found = moved_by(entries, len(entries) - 1, 0, FIVE)
    assert (found.off_bills, found.number) == (after - before, bool(after) - bool(before))
