"""What voids take, ask for and count of decisions that moved since their plan, with values that are all different."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import permutations
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId, PinnedList
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Benefit, Decision, Outcome, Validity
from kulanz.domain.delivery.difference import Decided, Taking, pieces_of
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.moved import Moved
from kulanz.domain.delivery.standing import CreditState, OfWhich, standing
from kulanz.domain.delivery.void import (
    Part,
    Share,
    VoidProgress,
    VoidState,
    VoidTotals,
    came_to,
    differing,
    entry_id,
    is_own,
    reversal_entry,
    void_entry,
    void_named_by,
)
from kulanz.domain.money import Money, Size
from kulanz.domain.time import format_instant
from tests.unit.domain.delivery.test_credit_entries import SIZE
from tests.unit.domain.delivery.test_difference import (
    AT,
    HELD,
    LATEST,
    OPENED,
    VOID,
    decided,
    hand,
    key,
)

ASKING = replace(VOID, asks_biller=True)
EUR = Benefit(Money(SIZE, "EUR"))
TWICE = Decision(Outcome.GRANTED, "credit", (EUR, EUR))


def taking(entitled: int, decisions: list[Decided], void: Any = VOID) -> Taking:
    return Taking(void, 7, {"EUR": entitled}, pieces_of({"EUR": entitled}, decisions, LATEST, void))


def standing_by_key(*decisions: Decided) -> dict[Any, Decided]:
    return {one.entry.key: one for one in decisions}


def with_entry(one: Decided, *entries: CreditEntry) -> Decided:
    return replace(one, entries=(*one.entries, *entries))


def test_of_one_decision_no_more_is_taken_than_is_too_much_now() -> None:
    decisions = [decided(1, CreditState.DUE), decided(2, decision=TWICE)]
    taken = taking(800, decisions)
    assert [(one.key.seq, one.part.place, one.part.size) for one in taken.pieces] == [(2, 1, 500), (2, 0, 200)]
    other = CreditEntry(EntryKind.REDUCED, OPENED, "anna", "void/1/other", (0,), sizes=(180,))
    following = taken.next(standing_by_key(with_entry(decisions[0], other), decisions[1]))
    assert following is not None
    assert [(one.benefits, one.sizes) for one in following[1]] == [((0, 1), (20, 500))]
    other = replace(other, sizes=(400,))
    following = taken.next(standing_by_key(with_entry(decisions[0], other), decisions[1]))
    assert following is not None
    assert [(one.benefits, one.sizes) for one in following[1]] == [((1,), (300,))]


def test_what_another_void_asked_the_biller_for_since_the_plan_is_too_much_no_more() -> None:
    decisions = [decided(1, CreditState.ACCEPTED), decided(2, CreditState.DUE)]
    taken = taking(600, decisions)
    other = CreditEntry(EntryKind.REVERSAL_ASKED, OPENED, "anna", "void/1/other", (0,), sizes=(130,))
    following = taken.next(standing_by_key(with_entry(decisions[0], other), decisions[1]))
    assert following is not None
    assert [one.sizes for one in following[1]] == [(270,)]


def test_a_line_asks_once_and_never_for_what_is_another_credit_or_another_lines() -> None:
    decisions = [decided(1, CreditState.ACCEPTED), decided(2, CreditState.ACCEPTED)]
    taken = taking(270, decisions, ASKING)
    stand = standing_by_key(*decisions)
    first = taken.asks(stand)
    assert {of.seq: one.sizes for of, one in first.items()} == {2: (500,), 1: (230,)}
    assert {(one.kind, one.at, one.by, one.id) for one in first.values()} == {
        (EntryKind.REVERSAL_ASKED, OPENED, "anna", f"{entry_id(ASKING)}/7")
    }
    asked = standing_by_key(*(with_entry(one, first[one.entry.key]) for one in decisions))
    assert taken.asks(asked) == {}
    back = CreditEntry(EntryKind.REVERSAL_ASSIGNED, OPENED, "delivery", "billing/9", (0,), delivery="billing/9")
    no = CreditEntry(EntryKind.REVERSAL_REJECTED, OPENED, "file", "no", (0,), delivery="billing/9", code="frozen")
    refused = {of: with_entry(one, back, no) for of, one in asked.items()}
    assert taken.asks(refused) == {}, "whatever the biller has answered"
    assert [one.key.seq for one in taken.pieces] == [2, 1]
    assert list(taken.asks({key(1): decisions[0]})) == [key(1)], "of what is there"
    elsewhere = _sent_again(decisions[1])
    assert list(taken.asks({**stand, key(2): elsewhere})) == [key(1)]
    line = replace(first[key(1)], id=f"{entry_id(ASKING)}/99")
    assert taken.asks({**stand, key(1): with_entry(decisions[0], line)}) == {}
    other = replace(line, id="void/4/w/7")
    assert list(taken.asks({**stand, key(1): with_entry(decisions[0], other)})) == [key(2)]
    given = hand(OPENED, Decision(Outcome.GRANTED, "credit", (EUR,)))
    by_hand = decided(3, decision=HELD, status=Outcome.GRANTED, by_hand=given)
    assert taken.asks({**stand, key(3): by_hand}) == {}


def _sent_again(one: Decided) -> Decided:
    """The biller rejected it, and has it again by another delivery."""
    told = (
        CreditEntry(EntryKind.REJECTED, OPENED, "file", "no", (0,), delivery="billing/1", code="frozen"),
        CreditEntry(EntryKind.SEND_AGAIN, OPENED, "anna", "by/1", (0,)),
        CreditEntry(EntryKind.ASSIGNED, OPENED, "delivery", "billing/2", (0,), delivery="billing/2"),
    )
    found = replace(one, entries=(*one.entries[:1], *told))
    assert standing(found.entries, 0, SIZE).state is CreditState.ASSIGNED
    return found


def test_what_a_line_asked_for_is_said_of_each_part() -> None:
    decisions = [decided(1, CreditState.ACCEPTED), decided(2, CreditState.APPLIED), decided(3, CreditState.DUE)]
    taken = taking(270, decisions, ASKING)
    stand = standing_by_key(*decisions)
    following = taken.next(stand)
    assert following is not None
    stand[following[0]] = replace(stand[following[0]], entries=following[1])
    asked = taken.asks(stand)
    assert {of.seq: one.sizes for of, one in asked.items()} == {2: (500,), 1: (230,)}
    stand[key(1)] = with_entry(stand[key(1)], asked[key(1)])
    said = [(part.share, part.size) for part in taken.came_to(stand)]
    assert said == [(Share.VOIDED, 500), (Share.NOT_ASKED, 500), (Share.ASKED, 230)]
    moved = {of.seq: one.by_state for of, one in taken.moved(stand.values())}
    assert moved == {1: {OfWhich.ASKED_BACK: 230}, 3: {CreditState.DUE: -500, CreditState.VOIDED: 500}}


def test_what_a_line_reduced_and_what_it_asked_for_of_one_decision_both_moved() -> None:
    decisions = [decided(1, CreditState.DUE, CreditState.ACCEPTED)]
    taken = Taking(ASKING, 7, {}, pieces_of({}, decisions, LATEST, ASKING))
    stand = standing_by_key(*decisions)
    following = taken.next(stand)
    assert following is not None
    stand[key(1)] = replace(stand[key(1)], entries=following[1])
    asked = taken.asks(stand)
    assert asked[key(1)].benefits == (1,)
    stand[key(1)] = with_entry(stand[key(1)], asked[key(1)])
    assert [(one.measure, one.by_state) for _, one in taken.moved(stand.values())] == [
        ("EUR", {CreditState.DUE: -500, CreditState.VOIDED: 500}),
        ("CHF", {OfWhich.ASKED_BACK: 500}),
    ]
    assert [(part.measure, part.share, part.size) for part in taken.came_to(stand)] == [
        ("CHF", Share.ASKED, 500), ("EUR", Share.VOIDED, 500),
    ]  # fmt: skip


@pytest.mark.parametrize("asked_before", [(), (0,), (1,), (0, 1)])
@pytest.mark.parametrize("entitled", [1_060, 1_200, 1_310])
def test_all_that_another_void_asked_for_of_a_decision_is_too_much_no_more(
    asked_before: tuple[int, ...], entitled: int
) -> None:
    """Of each of its benefits of a currency, and not of the last one alone."""
    twice = Decided(decided(1, decision=TWICE).entry, tuple(replace(one, at=AT) for one in _at_biller(0, 1)))
    decisions = [twice, decided(2, CreditState.ACCEPTED)]
    taken = taking(entitled, decisions, ASKING)
    sizes = tuple((130, 90)[place] for place in asked_before)
    other = (EntryKind.REVERSAL_ASKED, OPENED, "b", "void/4/w/7", asked_before)
    asked = [CreditEntry(*other, sizes=sizes)] if sizes else []
    found = taken.asks(standing_by_key(with_entry(twice, *asked), decisions[1]))
    too_much = 3 * SIZE - entitled - sum(sizes)
    assert {of.seq: one.sizes for of, one in found.items()} == ({2: (too_much,)} if too_much > 0 else {})


def test_a_decision_that_is_there_no_more_is_passed_over_and_the_next_one_is_reduced() -> None:
    decisions = [decided(1, CreditState.DUE), decided(2, CreditState.DUE)]
    taken = taking(0, decisions)
    following = taken.next({key(1): decisions[0]})
    assert following is not None
    assert following[0] == key(1)


def test_of_what_stays_first_comes_what_the_biller_may_give_back_then_what_ended_then_what_is_used() -> None:
    """A subject with one of each, whichever is the latest: as much is named of each as is too much by then."""
    ended = Decision(Outcome.GRANTED, "credit", (replace(EUR, validity=Validity(until=OPENED - timedelta(days=1))),))
    ways: dict[Share, tuple[CreditState, Decision | None]] = {
        Share.AT_BILLER: (CreditState.ACCEPTED, None),
        Share.EXPIRED: (CreditState.DUE, ended),
        Share.USED: (CreditState.APPLIED, None),
    }
    for order in permutations(ways):
        decisions = [decided(seq, ways[share][0], decision=ways[share][1]) for seq, share in enumerate(order, 1)]
        for too_much in (1, SIZE, SIZE + 1, 2 * SIZE, 2 * SIZE + 1, 3 * SIZE):
            entitled = {"EUR": 3 * SIZE - too_much}
            expected = [
                (share, min(SIZE, too_much - number * SIZE)) for number, share in enumerate(ways)
                if too_much > number * SIZE
            ]  # fmt: skip
            pieces = pieces_of(entitled, decisions, LATEST, VOID)
            assert [(one.part.share, one.part.size) for one in pieces] == expected


# A void of a campaign


def _planned(*parts: tuple[int, int, str]) -> list[Part]:
    return [Part(place, Share.ASKABLE, "EUR", size, delivery) for place, size, delivery in parts]


def _at_biller(*places: int) -> CreditEntries:
    return tuple(
        CreditEntry(kind, OPENED, "x", f"{kind}/{place}", (place,), delivery="billing/1")
        for place in places
        for kind in (EntryKind.ASSIGNED, EntryKind.ACCEPTED)
    )


def test_as_much_is_asked_back_as_was_planned_and_is_still_there() -> None:
    booked, entries = decided(1, decision=TWICE).entry, _at_biller(0, 1)

    def asked(*parts: tuple[int, int, str], beside: CreditEntries = ()) -> Any:
        new = reversal_entry(ASKING, booked, (*entries, *beside), _planned(*parts))
        return None if new is None else (new.benefits, new.sizes)

    assert asked((0, 30, "billing/1"), (1, 700, "billing/1")) == ((0, 1), (30, 500))
    assert asked((0, 30, "billing/2"), (1, 70, "billing/1")) == ((1,), (70,))
    assert asked((2, 30, "billing/1")) is None
    own = CreditEntry(EntryKind.REVERSAL_ASKED, OPENED, "anna", entry_id(ASKING), (1,), sizes=(9,))
    assert asked((0, 30, "billing/1"), (1, 70, "billing/1"), beside=(own,)) == ((0,), (30,))
    assert asked((1, 70, "billing/1"), beside=(replace(own, id="void/4/w"),)) is None
    booked_back = (
        replace(own, id="void/4/w"),
        CreditEntry(EntryKind.REVERSAL_ASSIGNED, OPENED, "x", "billing/3", (1,), delivery="billing/3"),
        CreditEntry(EntryKind.REVERSAL_ACCEPTED, OPENED, "x", "yes", (1,), delivery="billing/3"),
    )
    assert asked((1, 700, "billing/1"), beside=booked_back) == ((1,), (491,))
    voidable = reversal_entry(ASKING, booked, entries, [Part(0, Share.VOIDABLE, "EUR", 30, "billing/1")])
    assert voidable is None


def test_a_void_writes_nothing_before_it_was_approved() -> None:
    waits, booked = replace(ASKING, started_at=None), decided(1, decision=TWICE).entry
    with pytest.raises(ValueError, match="after it was approved"):
        void_entry(waits, (0,))
    with pytest.raises(ValueError, match="after it was approved"):
        reversal_entry(waits, booked, (), ())


def test_what_a_void_writes_is_of_the_instant_of_its_approval_its_requester_and_itself() -> None:
    void = replace(VOID, started_at=OPENED + timedelta(hours=1), requested_by="the door", requester="anna")
    expected = CreditEntry(EntryKind.VOIDED, OPENED + timedelta(hours=1), "the door", "void/4/v", (0, 2))
    assert void_entry(void, (0, 2)) == expected
    names = ("void/4/v", "void/4/v/17", "void/4/vv", "void/5/v")
    assert [is_own(void, replace(expected, id=name)) for name in names] == [True, True, False, False]


@pytest.mark.parametrize(
    ("text", "name"),
    [("void/4/v", "v"), ("void/4/v/17", "v"), ("void/x/v", None), ("void/4", None), ("by/4/v", None), ("", None)],
)
def test_the_void_that_wrote_an_entry_is_read_from_its_id(text: str, name: str | None) -> None:
    assert void_named_by(text, "out") == (None if name is None else VoidId(CampaignId("out", 4), name))


def test_what_was_planned_came_to_what_was_moved_of_its_own_benefit_and_the_rest_has_changed() -> None:
    planned = [
        Part(0, Share.VOIDABLE, "EUR", 500), Part(1, Share.VOIDABLE, "EUR", 70),
        Part(2, Share.ASKABLE, "EUR", 400, "b/1"), Part(3, Share.ASKABLE, "EUR", 30, "b/2"),
        Part(4, Share.USED, "EUR", 9),
    ]  # fmt: skip
    moved = {
        0: Moved("EUR", "", {CreditState.VOIDED: 320, OfWhich.ASKED_BACK: 11}, None, 0, 0),
        2: Moved("EUR", "", {OfWhich.ASKED_BACK: 400, CreditState.VOIDED: 13}, None, 0, 0),
        4: Moved("EUR", "", {CreditState.VOIDED: 9}, None, 0, 0),
    }
    found = [(part.place, part.share, part.size, part.delivery) for part in came_to(planned, moved)]
    assert found == [
        (0, Share.VOIDED, 320, ""), (0, Share.CHANGED, 180, ""), (1, Share.CHANGED, 70, ""),
        (2, Share.ASKED, 400, "b/1"), (3, Share.NOT_ASKED, 30, "b/2"), (4, Share.USED, 9, ""),
    ]  # fmt: skip


# Its totals


@pytest.mark.parametrize("share", Share)
@pytest.mark.parametrize("locale", ["", "de"])
def test_a_decision_counts_once_where_something_is_planned_and_is_told_where_something_is_taken(
    share: Share, locale: str
) -> None:
    totals = VoidTotals()
    parts = [
        Part(0, share, "EUR", 5, "billing/1"),
        Part(1, share, "EUR", 7, "letters/2"),
        Part(2, share, "GB", 9, "billing/3"),
    ]
    totals.count([*parts, Part(3, Share.USED, "SEK", 1)], locale)
    is_taken = share in (Share.VOIDABLE, Share.VOIDED, Share.ASKABLE, Share.ASKED)
    others = (Share.CHANGED, Share.REPEATED, Share.NOT_ASKED)
    by_channel: Asked = {("billing", "EUR"): (1, 5), ("letters", "EUR"): (1, 7), ("billing", "GB"): (1, 9)}
    assert totals == VoidTotals(
        decisions=int(is_taken or share in others),
        notices=int(is_taken and bool(locale)),
        sums={(share, "EUR"): 12, (share, "GB"): 9, (Share.USED, "SEK"): 1},
        asked=by_channel if share in (Share.ASKABLE, Share.ASKED) else {},
    )
    assert totals.by_measure(share) == {"EUR": 12, "GB": 9} | ({"SEK": 1} if share is Share.USED else {})


def _totals(**sums: int) -> VoidTotals:
    return VoidTotals(10, 2, 5, {(Share[name], "EUR"): size for name, size in sums.items()})


PLAN = _totals(VOIDABLE=100, ASKABLE=70, USED=9)


@pytest.mark.parametrize(
    ("done", "says"),
    [
        (_totals(VOIDED=60, CHANGED=30, REPEATED=10, ASKED=50, NOT_ASKED=20, USED=9), ""),
        (_totals(VOIDED=60, CHANGED=30, ASKED=50, NOT_ASKED=20, USED=9), "EUR voidable: planned 100, found 90"),
        (_totals(VOIDED=100, ASKED=50, USED=9), "EUR askable: planned 70, found 50"),
        (_totals(VOIDED=100, ASKED=70, USED=8), "EUR used: planned 9, found 8"),
        (_totals(VOIDED=100, ASKED=70, USED=9, EXPIRED=1), "EUR expired: planned 0, found 1"),
        (replace(_totals(VOIDED=100, ASKED=70, USED=9), lines=11), "lines: planned 10, found 11"),
        (replace(_totals(VOIDED=100, ASKED=70, USED=9), unmatched=3), "unmatched: planned 2, found 3"),
        (replace(_totals(VOIDED=100, ASKED=70, USED=9), decisions=4), "decisions: planned 5, found 4"),
    ],
)
def test_a_pass_that_is_not_its_plan_says_where(done: VoidTotals, says: str) -> None:
    found = differing(PLAN, done)
    assert found.removesuffix(" (in the smallest unit)") == (says and f"void differs: {says}")


type Asked = dict[tuple[str, str], tuple[int, Size]]
"""How many credits are asked back, and how much of them, by channel and measure."""
TOTALS = VoidTotals(3, 1, 2, {(Share.ASKABLE, "EUR"): 500}, {("a", "EUR"): (1, 200), ("b", "EUR"): (2, 300)}, 4)
PLANNED = replace(ASKING, plan=VoidProgress(1, 1, TOTALS))
OTHERS: list[Asked] = [
    {("a", "EUR"): (1, 200)},
    {("a", "EUR"): (2, 200), ("b", "EUR"): (1, 300)},
    {("a", "EUR"): (1, 300), ("b", "EUR"): (2, 200)},
    {("c", "EUR"): (1, 200), ("b", "EUR"): (2, 300)},
    {("a", "SEK"): (1, 200), ("b", "EUR"): (2, 300)},
]


@pytest.mark.parametrize(
    "other",
    [
        replace(PLANNED, asks_biller=False),
        replace(PLANNED, is_of_overpaid=True),
        replace(PLANNED, plan=VoidProgress(1, 1, replace(TOTALS, notices=5))),
        *(replace(PLANNED, plan=VoidProgress(1, 1, replace(TOTALS, asked=asked))) for asked in OTHERS),
    ],
)
def test_an_approval_names_what_is_asked_of_whom_and_who_is_told(other: Any) -> None:
    assert other.plan_hash != PLANNED.plan_hash


def test_how_far_a_void_is_and_in_which_order_it_counted_changes_nothing_of_its_plan() -> None:
    both = replace(TOTALS, sums={**TOTALS.sums, (Share.USED, "EUR"): 30, (Share.ASKABLE, "CHF"): 7})
    turned = replace(both, asked=dict(reversed(both.asked.items())), sums=dict(reversed(both.sums.items())))
    planned = replace(PLANNED, plan=VoidProgress(1, 1, both))
    again = replace(planned, plan=VoidProgress(2, 3, turned), seen=9, apply=VoidProgress(5, 5), started_at=None)
    assert again.plan_hash == planned.plan_hash
    moved = PLANNED.moved(VoidState.FLAGGED, "void differs")
    expected = replace(PLANNED, state=VoidState.FLAGGED, state_reason="void differs", changes=PLANNED.changes + 1)
    assert moved == expected


def test_a_void_that_was_planned_by_an_earlier_release_is_approved_under_the_same_hash() -> None:
    """What it has nothing of is not in it: neither notices nor a file, an end, what was overpaid, or a biller."""
    sums: dict[tuple[Share, str], Size] = {(Share.VOIDABLE, "EUR"): 700, (Share.USED, "EUR"): 30}
    void = replace(VOID, plan=VoidProgress(1, 1, VoidTotals(9, 2, 7, sums)))
    content = {
        "void": str(VOID.id), "reason": "why", "requested_by": "anna", "opened_at": format_instant(OPENED),
        "file": None, "lines": 9, "unmatched": 2, "decisions": 7,
        "sums": [["used", "EUR", "30"], ["voidable", "EUR", "700"]],
    }  # fmt: skip
    assert void.plan_hash == sha256(canonical_json(content).encode()).hexdigest()
    told = replace(void, plan=VoidProgress(1, 1, replace(void.plan.totals, notices=4)))
    assert told.plan_hash == sha256(canonical_json({**content, "notices": 4}).encode()).hexdigest()


@pytest.mark.parametrize(("size", "chunks"), [(100, [(40, 100)]), (5_000, [(40, 5_000)])])
def test_a_file_of_accounts_is_one_chunk_from_its_first_line_on(size: int, chunks: list[tuple[int, int]]) -> None:
    void = replace(VOID, pinned=PinnedList("b", "k", "1", "e", size), data_start=40)
    campaign: Any = None
    found = void.chunks(campaign)
    assert [found.bounds(number) for number in range(len(found))] == chunks
