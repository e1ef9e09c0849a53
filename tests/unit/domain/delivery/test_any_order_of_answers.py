"""A biller's answers about a credit and what is asked back of it: in whatever order they come, they end the same."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import chain, combinations, permutations, product

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.answer_pass import AnswerTotals
from kulanz.domain.delivery.answers import AnswerResult, BillerAnswer, Hearing
from kulanz.domain.delivery.credit import CreditType, credit_id
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind, bill_id
from kulanz.domain.delivery.moved import MovedOf, moved_by
from kulanz.domain.delivery.standing import (
    AddResult,
    Counted,
    CreditState,
    Standing,
    add_entry,
    contradiction,
    standing,
)
from kulanz.domain.delivery.to_the_bill import to_the_bill
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body, remaining_of
from kulanz.domain.money import Money, Size
from tests.unit.domain.delivery.test_reversals import (
    ACCEPTED,
    APPLIED,
    ASSIGNED,
    BACK,
    PART,
    REJECTED,
    SENT_BACK,
    SIZE,
    SIZES,
    TAKEN_BACK,
    adding,
    answer,
    asked,
    back,
)

BENEFIT = Benefit(Money(SIZE, "EUR"))
REST = SIZE - PART
SAID_TOGETHER = 4
"""So many answers are tried in every order."""
SECOND, SENT_BACK_AGAIN = "billing/3", replace(SENT_BACK, id="reversal_assigned/billing/3", delivery="billing/3")

type Sums = dict[tuple[str, Counted], Size]
"""How much is in each state, by the channel that has it."""


def second(kind: EntryKind, amount: Size = PART) -> CreditEntry:
    """What the biller says of the second reversal of the credit."""
    said = back(kind, bill="B-4", amount=amount, number=2)
    number = bill_id("B-4", SECOND, 2) if said.bill else said.id.replace(BACK, SECOND)
    return replace(said, id=number, delivery=SECOND)


def right(said: Iterable[CreditEntry], sizes: Sequence[Size], begun: Sequence[EntryKind] = ()) -> dict[str, Size]:
    """What is right, from what was said alone: how much is void, how much on bills, and where the rest is.

    `sizes` are those of the reversals; `begun` is what was said of them before.
    """
    kinds = {(one.kind, one.attempt) for one in said} | {(kind, 1) for kind in begun}
    void = sum(
        (
            size
            for number, size in enumerate(sizes, start=1)
            if {(EntryKind.REVERSAL_ACCEPTED, number), (EntryKind.REVERSAL_APPLIED, number)} & kinds
            and not {(EntryKind.REVERSAL_REJECTED, number), (EntryKind.REVERSAL_UNDONE, number)} & kinds
        ),
        start=0,
    )
    billed = sum((one.amount or 0 for one in said if one.kind is APPLIED), start=0)
    of_credit = [kind for kind in (TAKEN_BACK, REJECTED, APPLIED, ACCEPTED) if (kind, 1) in kinds]
    where = CreditState(of_credit[0].value) if of_credit else CreditState.ASSIGNED
    left = SIZE - void
    if where is not CreditState.APPLIED:
        found = {where.value: left}
    else:
        on_bills = min(billed, left)
        found = {CreditState.APPLIED.value: on_bills, CreditState.ACCEPTED.value: left - on_bills}
    return {name: size for name, size in {**found, "voided": void}.items() if size}


def told(stands: Standing) -> dict[str, Size]:
    return {state.value: size for state, size in stands.shares(SIZE).items()}


def heard(begun: CreditEntries, said: Iterable[CreditEntry]) -> tuple[CreditEntries, list[str]]:
    """The entries after some answers, and what a person has to look at."""
    entries, why = begun, []
    for one in said:
        found = add_entry(entries, one, SIZES)
        if found.result is AddResult.ADDED:
            why.append(contradiction(found.moved[0][0], one).partition(":")[0])
        elif found.result is not AddResult.OVERTAKEN:
            why.append(found.reason.partition(":")[0])
        entries = found.entries
    return entries, [one for one in why if one]


def counted(entries: CreditEntries) -> Sums:
    """What the counters have by channel: what entries moved, and what deliveries had."""
    found: Sums = {}
    for at in range(len(entries)):
        moved = moved_by(entries, at, 0, BENEFIT)
        for state, size in moved.by_state.items():
            place = "" if state is CreditState.DUE else moved.channel, state
            found[place] = found.get(place, 0) + size
    return {place: size for place, size in found.items() if size}


def end_of(entries: CreditEntries) -> tuple[object, ...]:
    """All that anything else asks of where a credit stands, and what the counters have."""
    stands = standing(entries, 0, SIZE)
    can_be_undone = [one.state for one in stands.reversals]
    return (
        told(stands), stands.state, stands.at_biller, stands.asked_back, stands.attempt, stands.code, can_be_undone,
        counted(entries),
    )  # fmt: skip


CONTRADICT = (
    {(APPLIED, 0), (REJECTED, 0)},
    *({(EntryKind.REVERSAL_APPLIED, number), (EntryKind.REVERSAL_REJECTED, number)} for number in (1, 2)),
)
"""What a biller cannot say of one and the same record: that it is on a bill, and that it was never booked."""


def contradicts_itself(said: Iterable[CreditEntry]) -> bool:
    kinds = {(one.kind, one.attempt if one.kind.value.startswith("reversal") else 0) for one in said}
    return any(pair <= kinds for pair in CONTRADICT)


def sets_of(pool: Sequence[CreditEntry]) -> list[tuple[CreditEntry, ...]]:
    found = chain.from_iterable(combinations(pool, number) for number in range(1, SAID_TOGETHER + 1))
    return [said for said in found if not contradicts_itself(said)]


OF_CREDIT = (
    answer(ACCEPTED), replace(answer(REJECTED), code="closed"), answer(TAKEN_BACK),
    answer(APPLIED, bill="B-1", amount=PART), answer(APPLIED, bill="B-3", amount=REST),
)  # fmt: skip


@pytest.mark.parametrize("size", [SIZE, PART, 1])
def test_in_every_order_the_same_stands_and_is_counted(size: Size) -> None:
    """Of a credit and its reversal, of all of it or of a part: what stands is what a plain ledger says."""
    begun = adding(ASSIGNED, asked(size), SENT_BACK).entries
    of_reversal = back(ACCEPTED), back(APPLIED, amount=size), back(REJECTED), back(TAKEN_BACK)
    for said in sets_of((*OF_CREDIT, *of_reversal)):
        ends = [end_of(heard(begun, order)[0]) for order in permutations(said)]
        assert all(end == ends[0] for end in ends), [one.kind for one in said]
        stands = standing(heard(begun, said)[0], 0, SIZE)
        assert told(stands) == right(said, [size]), [one.kind for one in said]
        is_open = not any(one.kind.value.startswith("reversal") for one in said)
        assert stands.asked_back == (size if is_open else 0)


def test_of_two_reversals_of_one_credit_every_order_ends_the_same() -> None:
    """The second is asked for when the first is booked; then the biller may undo the first."""
    begun = adding(ASSIGNED, asked(PART), SENT_BACK, back(ACCEPTED), asked(REST, "two"), SENT_BACK_AGAIN).entries
    pool = (
        answer(APPLIED), answer(REJECTED), answer(TAKEN_BACK), back(APPLIED, amount=PART), back(TAKEN_BACK),
        second(ACCEPTED), second(APPLIED, REST), second(REJECTED), second(TAKEN_BACK),
    )  # fmt: skip
    for said in sets_of(pool):
        ends = [end_of(heard(begun, order)[0]) for order in permutations(said)]
        assert all(end == ends[0] for end in ends), [one.kind for one in said]
        expected = right(said, [PART, REST], [EntryKind.REVERSAL_ACCEPTED])
        assert told(standing(heard(begun, said)[0], 0, SIZE)) == expected, [one.kind for one in said]


@pytest.mark.parametrize("size", [SIZE, PART])
@pytest.mark.parametrize("kind", [REJECTED, TAKEN_BACK])
@pytest.mark.parametrize("booked", [ACCEPTED, APPLIED])
def test_one_of_the_two_answers_of_which_the_biller_may_have_taken_off_twice_is_looked_at(
    size: Size, kind: EntryKind, booked: EntryKind
) -> None:
    """Whichever comes second. Where the biller undoes the reversal, nothing of it is left, in either order."""
    begun = adding(ASSIGNED, answer(ACCEPTED), asked(size), SENT_BACK).entries
    for order in permutations((answer(kind), back(booked, amount=size))):
        entries, why = heard(begun, order)
        assert why == [f"credit_{kind}"]
        assert heard(entries, [back(APPLIED, bill="B-8", amount=1)])[1] in ([], ["amount_exceeds"]), "said once"
        after, more = heard(entries, [back(TAKEN_BACK)])
        assert (told(standing(after, 0, SIZE)), more) == ({kind.value: SIZE}, [])


def test_one_bill_with_a_credit_and_its_reversal_is_voided_and_nothing_of_both_is_left() -> None:
    """Both are reported as taken back, in whatever order."""
    for size in (SIZE, PART):
        begun = adding(ASSIGNED, answer(APPLIED), asked(size), SENT_BACK, back(APPLIED, amount=size)).entries
        for order in permutations((answer(TAKEN_BACK), back(TAKEN_BACK))):
            assert told(standing(heard(begun, order)[0], 0, SIZE)) == {"taken_back": SIZE}


def test_what_contradicts_itself_stands_as_it_came_first_until_the_biller_takes_it_back() -> None:
    """Then it ends the same in every order: that is the way out."""
    begun = adding(ASSIGNED, asked(PART), SENT_BACK).entries
    for pair, end in (
        ((answer(APPLIED), answer(REJECTED)), answer(TAKEN_BACK)),
        ((back(APPLIED, amount=PART), back(REJECTED)), back(TAKEN_BACK)),
    ):
        for order in permutations(pair):
            entries, why = heard(begun, order)
            assert [one.partition("_")[0] for one in why] in (["not"], ["reversal"])
            assert entries == (*begun, order[0])
        ends = [end_of(heard(begun, order)[0]) for order in permutations((*pair, end))]
        assert all(one == ends[0] for one in ends)


def test_what_a_void_reduced_meanwhile_stays_void_and_what_the_biller_undoes_does_not() -> None:
    """A void of what was overpaid takes the rest of what was rejected, before or after that."""
    begun = adding(ASSIGNED, asked(PART), SENT_BACK, answer(REJECTED), back(ACCEPTED)).entries
    reduced = CreditEntry(EntryKind.REDUCED, ASSIGNED.at, "anna", "void/2/x", (0,), sizes=(REST,))
    ends = [end_of(heard(begun, order)[0]) for order in permutations((reduced, back(TAKEN_BACK)))]
    assert ends[0] == ends[1]
    assert ends[0][0] == {"rejected": PART, "voided": REST}


AGAIN = CreditEntry(EntryKind.SEND_AGAIN, ASSIGNED.at, "person", "by/1", (0,))
SENT = replace(ASSIGNED, delivery=SECOND, id=SECOND)


def test_what_is_on_a_bill_and_stands_as_rejected_is_sent_again_under_its_id_and_answered_or_asked_again() -> None:
    """The ways out that the page for billers has."""
    begun = adding(ASSIGNED, replace(answer(REJECTED), code="closed")).entries
    stood, why = heard(begun, [answer(APPLIED)])
    assert (stood, why) == (begun, ["not_from_rejected"])
    billed = replace(answer(APPLIED), delivery=SECOND)
    entries, why = heard(stood, [AGAIN, SENT, billed])
    assert (told(standing(entries, 0, SIZE)), why) == ({"applied": SIZE}, [])
    begun = adding(ASSIGNED, asked(PART), SENT_BACK, back(REJECTED)).entries
    stood, why = heard(begun, [back(APPLIED, amount=PART)])
    assert (stood, why) == (begun, ["reversal_rejected"])
    entries, why = heard(stood, [back(TAKEN_BACK), asked(PART, "two"), SENT_BACK_AGAIN, second(ACCEPTED)])
    assert (told(standing(entries, 0, SIZE)), why) == ({"assigned": REST, "voided": PART}, [])


def test_what_is_sent_again_for_the_rest_can_be_rejected_and_taken_back_by_itself() -> None:
    """Its reversal is of what was sent before, and has nothing to do with it any more."""
    rejected = ASSIGNED, asked(PART), SENT_BACK, back(ACCEPTED), answer(REJECTED)
    begun = adding(*rejected, AGAIN, SENT).entries
    for kind in (REJECTED, TAKEN_BACK):
        said = replace(answer(kind), delivery=SECOND, id=f"{kind}/{SECOND}")
        entries, why = heard(begun, [said])
        assert (told(standing(entries, 0, SIZE)), why) == ({kind.value: REST, "voided": PART}, [])


def test_a_reversal_is_not_undone_once_the_rest_was_sent_again_whatever_was_taken_back_since() -> None:
    """A second reversal, of what was sent again, is as large as the first."""
    rejected = ASSIGNED, asked(PART), SENT_BACK, back(ACCEPTED), answer(REJECTED), AGAIN, SENT
    third = "billing/4"
    sent_back = replace(SENT_BACK, id=f"reversal_assigned/{third}", delivery=third)
    booked = replace(second(ACCEPTED), id=f"reversal_accepted/2/{third}", delivery=third)
    begun = adding(*rejected, asked(PART, "two"), sent_back, booked).entries
    for kind in (TAKEN_BACK, REJECTED):
        entries, why = heard(begun, [back(kind)])
        assert (entries, why) == (begun, ["sent_again"])
    undone, why = heard(begun, [replace(second(TAKEN_BACK), id=f"reversal_undone/2/{third}", delivery=third)])
    assert (told(standing(undone, 0, SIZE)), why) == ({"assigned": REST, "voided": PART}, [])


@pytest.mark.parametrize("size", [SIZE, PART])
def test_no_channel_has_less_than_nothing_whatever_follows_a_reversal_of_what_was_rejected(size: Size) -> None:
    """Also where it is undone while the rest waits to be sent again: what was void at a channel is no more."""
    campaign = CampaignId("an-incident", 1)
    rejected = ASSIGNED, asked(size), SENT_BACK, answer(REJECTED), back(ACCEPTED)
    ways = [(*rejected, back(TAKEN_BACK), AGAIN)]
    if size < SIZE:
        ways += [(*rejected, AGAIN, back(TAKEN_BACK))]
    for way in ways:
        entries = adding(*way).entries
        moved: dict[MovedOf, dict[Counted, Size]] = {}
        for at in range(1, len(entries)):
            one = moved_by(entries, at, 0, BENEFIT)
            sums = moved.setdefault(MovedOf(campaign, "EUR", "", one.channel), {})
            for state, change in one.by_state.items():
                sums[state] = sums.get(state, 0) + change
        first: dict[MovedOf, dict[Counted, Size]] = {
            MovedOf(campaign, "EUR", "", "billing"): {CreditState.SENT: SIZE, CreditState.DUE: -SIZE}
        }
        (line,) = to_the_bill({"EUR": SIZE}, [], first, moved)
        assert line.by_channel == {"": {CreditState.DUE: SIZE}}
        assert line.differences() == []


KEY = DecisionKey("A-1", "an-incident", "-", 1)
MINUTES = Benefit(quantity="20", unit="call_minute")
PARTS: Mapping[int, Size] = {0: PART, 1: Decimal(7)}
CHANNELS = "billing", "letters"


def of_two_channels() -> Hearing:
    """A decision whose money is at one channel and whose minutes are at another; a part of each is asked back."""
    decision = Decision(Outcome.GRANTED, "credit", (BENEFIT, MINUTES))
    body = decision_body(KEY.campaign, "2", "0" * 64, "0" * 32, decision)
    entry = Entry(KEY, body, Outcome.GRANTED, remaining_of(decision.benefits), ASSIGNED.at, None, 0, 0)
    entries: CreditEntries = ()
    for place, channel in enumerate(CHANNELS):
        one, two = f"{channel}/1", f"{channel}/2"
        for new in (
            replace(ASSIGNED, benefits=(place,), delivery=one, id=one),
            replace(asked(), benefits=(place,), sizes=(PARTS[place],)),
            replace(SENT_BACK, benefits=(place,), delivery=two, id=f"reversal_assigned/{two}"),
        ):
            adding = add_entry(entries, new, {0: SIZE, 1: Decimal(20)})
            assert adding.result is AddResult.ADDED, adding
            entries = adding.entries
    return Hearing(entry, entries)


def said_of(place: int, kind: EntryKind, of: CreditType) -> tuple[str, BillerAnswer]:
    """An answer of the biller of a channel, with the delivery that it is about. Both have a bill B-1."""
    serial = 1 if of is CreditType.CREDIT else 2
    told = BillerAnswer(serial, credit_id(KEY, place, 1, of), KEY.account_id, KEY.subject, kind)
    if kind is APPLIED:
        amount = Fraction(PARTS[place]) / (100 if place == 0 else 1)
        measure = "EUR" if place == 0 else "call_minute"
        told = replace(told, amount=amount, measure=measure, bill="B-1", day=date(2026, 12, 1))
    return f"{CHANNELS[place]}/{serial}", replace(told, code="closed" if kind is REJECTED else "")


def test_at_two_channels_the_same_stands_and_is_counted_whichever_answers_first() -> None:
    credit, reversal = CreditType.CREDIT, CreditType.REVERSAL
    for stories in product(
        [
            ((TAKEN_BACK, credit), (ACCEPTED, reversal), (TAKEN_BACK, reversal)),
            ((REJECTED, credit), (ACCEPTED, reversal)),
            ((APPLIED, credit), (APPLIED, reversal)),
        ],
        repeat=2,
    ):
        said = [said_of(place, *one) for place, story in enumerate(stories) for one in story]
        ends = []
        for order in permutations(said):
            hearing, totals = of_two_channels(), AnswerTotals()
            for number, (delivery, told) in enumerate(order):
                heard = hearing.hear(told, delivery, ASSIGNED.at, "file", str(number))
                assert heard.moved is not None or heard.result is AnswerResult.OVERTAKEN
                totals.count(KEY.campaign, heard, ["closed"])
            stand = [standing(hearing.entries, place, size) for place, (_, size) in enumerate(hearing.worths)]
            shares = [one.shares(size) for one, (_, size) in zip(stand, hearing.worths, strict=True)]
            moved = {
                place: {state: size for state, size in sums.items() if size} for place, sums in totals.moved.items()
            }
            ends.append((shares, {place: sums for place, sums in moved.items() if sums}))
        assert all(end == ends[0] for end in ends), stories
