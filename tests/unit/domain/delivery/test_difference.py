"""What of a difference is taken back: exactly what is too much and unused, the latest first, and never more."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.difference import Decided, Taking, pieces_of
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.standing import CreditState, add_entry
from kulanz.domain.delivery.void import Share, Void
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body, net_worth, remaining_of
from kulanz.domain.ledger.hand_decision import HandDecision, Way
from kulanz.domain.money import Money
from tests.unit.domain.delivery.test_credit_entries import SIZE, WAYS

AT = datetime.fromisoformat("2026-03-01T09:00:00+00:00")
OPENED = AT + timedelta(days=400)
"""Later than every entry of `WAYS`, so that all of them count."""
LATEST = 4
VOID = Void(VoidId(CampaignId("out", LATEST), "v"), "why", "anna", "anna", OPENED, started_at=OPENED)
EUR, CHF = (Benefit(Money(SIZE, currency)) for currency in ("EUR", "CHF"))


def key(seq: int) -> DecisionKey:
    return DecisionKey("a-1", "out", "-", seq)


def decided(seq: int, *ways: CreditState, decision: Decision | None = None, **changes: Any) -> Decided:
    """A decision of a campaign over EUR, or EUR and CHF: each as if it had gone the way to a state."""
    benefits = (EUR, CHF)[: len(ways)]
    decision = Decision(Outcome.GRANTED, "credit", benefits) if decision is None else decision
    body = decision_body(key(seq).campaign, "3", "0" * 64, "row", decision)
    entry = Entry(key(seq), body, decision.outcome, remaining_of(decision.benefits), AT, None, 0, 17)
    return Decided(replace(entry, **changes), _entries(ways))


def _entries(ways: tuple[CreditState, ...]) -> CreditEntries:
    found: CreditEntries = ()
    for place, state in enumerate(ways):
        for one in WAYS[state]:
            mine = replace(one, benefits=(place,), id=f"{one.id}/{place}")
            found = add_entry(found, mine, {0: SIZE, 1: SIZE}).entries
    return found


def net(decisions: dict[DecisionKey, Decided]) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in decisions.values():
        for measure, size in net_worth(with_voided(one.entry, one.entries)).items():
            found[measure] = found.get(measure, 0) + int(size)
    return found


def taken(
    entitled: dict[str, int], decisions: list[Decided], offset: int = 7
) -> tuple[Taking, dict[DecisionKey, Decided]]:
    """What a line takes of a subject until nothing is left to take."""
    stand = {one.entry.key: one for one in decisions}
    taking = Taking(VOID, offset, entitled, pieces_of(entitled, decisions, LATEST, VOID))
    for _ in range(len(decisions) + 1):
        following = taking.next(stand)
        if following is None:
            return taking, stand
        of, after = following
        stand[of] = replace(stand[of], entries=after)
    raise AssertionError("more decisions were reduced than there are")


VOIDABLE = (CreditState.DUE, CreditState.REJECTED, CreditState.TAKEN_BACK)
STATES = st.tuples(st.sampled_from(CreditState), st.sampled_from(CreditState))


@pytest.mark.property
@given(
    ways=st.lists(STATES, min_size=1, max_size=3),
    entitled=st.fixed_dictionaries(dict.fromkeys(("EUR", "CHF"), st.integers(0, 3 * SIZE))),
)
def test_exactly_what_is_too_much_and_unused_is_taken_and_each_part_is_counted_once(
    ways: list[tuple[CreditState, ...]], entitled: dict[str, int]
) -> None:
    decisions = [decided(seq, *some) for seq, some in enumerate(ways, 1)]
    before = net({one.entry.key: one for one in decisions})
    taking, stand = taken(entitled, decisions)
    after, parts = net(stand), list(taking.came_to(stand))
    for place, measure in enumerate(("EUR", "CHF")):
        unused = sum(SIZE for some in ways if some[place] in VOIDABLE)
        given_up = sum(SIZE for some in ways if some[place] is CreditState.WRITTEN_OFF)
        too_much = max(0, before[measure] - given_up - entitled[measure])
        assert after[measure] == before[measure] - min(too_much, unused)
        of = [part for part in parts if part.measure == measure]
        assert sum(part.size for part in of) == too_much
        assert sum(part.size for part in of if part.share is Share.VOIDED) == min(too_much, unused)
        assert {part.share for part in of} <= {Share.VOIDED, Share.USED, Share.AT_BILLER}
    moved = [one for _, one in taking.moved(stand.values())]
    for measure in ("EUR", "CHF"):
        assert before[measure] - after[measure] == sum(
            one.by_state.get(CreditState.VOIDED, 0) for one in moved if one.measure == measure
        )
    # Doing it again finds nothing more, by the same void or by another one.
    assert taking.next(stand) is None
    again = replace(VOID, id=VoidId(CampaignId("out", LATEST), "again"), opened_at=OPENED + timedelta(days=1))
    left = pieces_of(entitled, list(stand.values()), LATEST, again)
    assert not [piece for piece in left if piece.part.share is Share.VOIDABLE]


def test_the_latest_decision_is_reduced_first_and_of_one_its_last_benefit() -> None:
    twice = Decision(Outcome.GRANTED, "credit", (EUR, EUR))
    decisions = [decided(1, CreditState.DUE), decided(2, decision=twice), decided(3, CreditState.DUE)]
    taking, stand = taken({"EUR": 4 * SIZE - 700}, decisions)
    assert [(one.key.seq, one.part.place, one.part.size) for one in taking.pieces] == [(3, 0, 500), (2, 1, 200)]
    assert [dict(with_voided(one.entry, one.entries).voided) for one in stand.values()] == [{}, {1: 200}, {0: 500}]


def test_what_is_used_of_the_latest_is_taken_of_the_one_before() -> None:
    decisions = [decided(1, CreditState.DUE), decided(2, CreditState.APPLIED)]
    taking, stand = taken({"EUR": 600}, decisions)
    assert [(one.key.seq, one.part.share, one.part.size) for one in taking.pieces] == [(1, Share.VOIDABLE, 400)]
    assert net(stand) == {"EUR": 600}


def test_what_was_written_off_is_not_too_much_and_nothing_else_is_taken_for_it() -> None:
    """It never reached a bill. Counted as given, the subject would be left with less than it is owed."""
    decisions = [decided(1, CreditState.WRITTEN_OFF), decided(2, CreditState.DUE)]
    for owed, too_much in ((SIZE, 0), (SIZE - 100, 100)):
        taking, stand = taken({"EUR": owed}, decisions)
        assert sum(one.part.size for one in taking.pieces) == too_much
        assert net(stand) == {"EUR": 2 * SIZE - too_much}
    since = replace(VOID, opened_at=OPENED - timedelta(days=1))
    planned = Taking(
        since,
        0,
        {"EUR": SIZE},
        pieces_of({"EUR": SIZE}, [decided(1, CreditState.REJECTED), decisions[1]], LATEST, since),
    )
    assert planned.pieces
    written_off_since = {one.entry.key: one for one in decisions}
    assert planned.next(written_off_since) is None, "also where it was written off after the plan"


def test_never_below_what_is_used() -> None:
    decisions = [decided(1, CreditState.APPLIED), decided(2, CreditState.DUE)]
    taking, stand = taken({"EUR": 100}, decisions)
    assert [(one.part.share, one.part.size) for one in taking.pieces] == [(Share.VOIDABLE, 500), (Share.USED, 400)]
    assert net(stand) == {"EUR": 500}


HELD = Decision(Outcome.HELD, "unknown")


def hand(at: datetime, decision: Decision) -> HandDecision:
    return HandDecision("id", at, Way.AMOUNT, decision, "service", "Service", "anna")


GIVEN = hand(AT, Decision(Outcome.GRANTED, "credit", (EUR,)))


@pytest.mark.parametrize(
    "decisions",
    [
        pytest.param([decided(1, CreditState.DUE), decided(LATEST, decision=HELD)], id="it is held now"),
        pytest.param(
            [decided(1, CreditState.DUE), decided(LATEST, decision=Decision(Outcome.REFERRED, "business"))],
            id="it is referred now",
        ),
        pytest.param(
            [
                decided(1, CreditState.DUE),
                decided(2, decision=HELD, status=Outcome.GRANTED, by_hand=GIVEN),
            ],
            id="a person gave it",
        ),
    ],
)
def test_nothing_is_too_much_where_a_person_decides_or_did(decisions: list[Decided]) -> None:
    assert pieces_of({"EUR": 0}, decisions, LATEST, VOID) == []


def test_what_a_person_gave_since_the_plan_ends_the_taking() -> None:
    decisions = [decided(1, CreditState.DUE), decided(2, decision=HELD)]
    taking = Taking(VOID, 7, {"EUR": 0}, pieces_of({"EUR": 0}, decisions, LATEST, VOID))
    stand = {one.entry.key: one for one in decisions}
    assert taking.next(stand) is not None
    given = hand(OPENED + timedelta(days=1), Decision(Outcome.GRANTED, "credit", (EUR,)))
    entry = replace(decisions[1].entry, status=Outcome.GRANTED, by_hand=given, effective_at=given.at)
    stand[key(2)] = Decided(entry, ())
    assert taking.next(stand) is None
    assert [(part.share, part.size) for part in taking.came_to(stand)] == [(Share.CHANGED, SIZE)]


@pytest.mark.parametrize("void_since", [(), (0,), (1,), (0, 1)])
def test_what_a_person_gave_is_left_while_any_measure_of_it_stands(void_since: tuple[int, ...]) -> None:
    """Also where a void has taken back all of another one."""
    granted = Decision(Outcome.GRANTED, "credit", (EUR, CHF))
    before = [decided(1, CreditState.DUE), decided(2, decision=HELD)]
    taking = Taking(VOID, 7, {}, pieces_of({}, before, LATEST, VOID))
    other = [CreditEntry(EntryKind.VOIDED, OPENED, "anna", "void/1/other", void_since)] if void_since else []
    entry = replace(before[1].entry, status=Outcome.GRANTED, by_hand=hand(OPENED, granted), effective_at=OPENED)
    following = taking.next({key(1): before[0], key(2): Decided(entry, tuple(other))})
    assert (following is None) is (len(void_since) < len(granted.benefits))


@pytest.mark.parametrize("gone", [(), (1,), (2,), (3,), (1, 2), (1, 3), (2, 3), (1, 2, 3)])
@pytest.mark.parametrize("entitled", [0, 130, 400, 870, 1_310])
def test_the_biller_is_asked_for_no_more_than_is_too_much_by_then(gone: tuple[int, ...], entitled: int) -> None:
    """`gone` are the decisions that another void has taken back since the plan, as the biller has booked."""
    void = replace(VOID, asks_biller=True)
    decisions = [decided(seq, CreditState.ACCEPTED) for seq in (1, 2, 3)]
    taking = Taking(void, 7, {"EUR": entitled}, pieces_of({"EUR": entitled}, decisions, LATEST, void))
    stand = {one.entry.key: one for one in decisions}
    stand |= {key(seq): decided(seq, CreditState.VOIDED) for seq in gone}
    planned = {one.key: int(one.part.size) for one in taking.pieces if one.key.seq not in gone}
    asked = {of: int(one.size_of(0)) for of, one in taking.asks(stand).items()}
    too_much = max(0, SIZE * (len(decisions) - len(gone)) - entitled)
    assert sum(asked.values()) == min(too_much, sum(planned.values()))
    assert all(size <= planned[of] for of, size in asked.items())


def test_another_void_since_the_plan_is_taken_into_account() -> None:
    decisions = [decided(1, CreditState.DUE), decided(2, CreditState.DUE)]
    taking = Taking(VOID, 7, {"EUR": 400}, pieces_of({"EUR": 400}, decisions, LATEST, VOID))
    other = CreditEntry(EntryKind.VOIDED, OPENED, "anna", "void/1/other", (0,))
    stand = {key(1): replace(decisions[0], entries=(other,)), key(2): decisions[1]}
    following = taking.next(stand)
    assert following is not None
    assert following[0] == key(2)
    stand[key(2)] = replace(stand[key(2)], entries=following[1])
    assert taking.next(stand) is None
    assert net(stand) == {"EUR": 400}
    came_to = [(part.share, part.size) for part in taking.came_to(stand)]
    assert came_to == [(Share.VOIDED, 100), (Share.CHANGED, 400), (Share.CHANGED, 100)]


def test_of_what_another_void_reduced_since_the_plan_the_rest_is_taken() -> None:
    decisions = [decided(1, CreditState.DUE), decided(2, CreditState.DUE)]
    taking = Taking(VOID, 7, {"EUR": 0}, pieces_of({"EUR": 0}, decisions, LATEST, VOID))
    other = CreditEntry(EntryKind.REDUCED, OPENED, "anna", "void/1/other", (0,), sizes=(300,))
    stand = {key(1): decisions[0], key(2): replace(decisions[1], entries=(other,))}
    while (following := taking.next(stand)) is not None:
        stand[following[0]] = replace(stand[following[0]], entries=following[1])
    assert net(stand) == {"EUR": 0}
    came_to = [(part.share, part.size) for part in taking.came_to(stand)]
    assert came_to == [(Share.VOIDED, 200), (Share.CHANGED, 300), (Share.VOIDED, 500)]


def test_what_a_person_gave_and_a_void_took_back_whole_keeps_nothing_from_being_too_much() -> None:
    given = decided(2, CreditState.VOIDED, decision=HELD, status=Outcome.GRANTED, by_hand=GIVEN)
    decisions = [decided(1, CreditState.DUE), given]
    found = pieces_of({"EUR": 200}, decisions, LATEST, VOID)
    assert [(one.key.seq, one.part.share, one.part.size) for one in found] == [(1, Share.VOIDABLE, 300)]


def test_a_second_line_of_the_subject_takes_nothing_more() -> None:
    decisions = [decided(1, CreditState.DUE)]
    _, stand = taken({"EUR": 200}, decisions, offset=7)
    taking = Taking(VOID, 99, {"EUR": 100}, pieces_of({"EUR": 100}, decisions, LATEST, VOID))
    assert taking.next(stand) is None
    assert [(part.share, part.size) for part in taking.came_to(stand)] == [(Share.REPEATED, 400)]
    assert list(taking.moved(stand.values())) == []


def test_both_passes_judge_the_same_whatever_the_void_has_written() -> None:
    decisions = [decided(1, CreditState.DUE, CreditState.TAKEN_BACK), decided(2, CreditState.DUE)]
    entitled = {"EUR": 300, "CHF": 100}
    planned = pieces_of(entitled, decisions, LATEST, VOID)
    _, stand = taken(entitled, decisions)
    assert pieces_of(entitled, list(stand.values()), LATEST, VOID) == planned


def test_a_decision_without_room_for_another_entry_is_left() -> None:
    full: CreditEntries = ()
    number = 0
    while len(full) == number:
        one = CreditEntry(EntryKind.REDUCED, AT, "b", f"{number}", (0,), sizes=(1,))
        full, number = add_entry(full, one, {0: SIZE}).entries, number + 1
    decisions = [replace(decided(1, CreditState.DUE), entries=full)]
    taking, stand = taken({"EUR": 0}, decisions)
    assert {part.share for part in taking.came_to(stand)} == {Share.CHANGED}
