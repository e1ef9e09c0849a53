"""What is read from a decision's entries alone: for which void, at which channel, since when, and in which order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.at_channels import AtChannels
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.credit import CreditType, SumOf
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind, entries_text, read_entries
from kulanz.domain.delivery.files import PartFile, sum_text
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.reversal import Reversal, ReversalState
from kulanz.domain.delivery.standing import CreditState, RejectedWith, standing
from kulanz.domain.delivery.taken import taken_of
from kulanz.domain.delivery.to_the_bill import ToTheBill
from kulanz.domain.delivery.topic_messages import CREDITS_MESSAGE_BYTES, credits_messages
from kulanz.domain.delivery.void import Share, Void, parts_of
from kulanz.domain.delivery.voided import with_voided
from kulanz.domain.ledger.former_accounts import other_id, under_other_id
from kulanz.domain.money import Money, Size
from tests.support.values import campaign
from tests.unit.domain.ledger.test_what_stands import entry

AT = datetime(2026, 12, 1, 9, tzinfo=UTC)
EUR = Benefit(Money(500, "EUR"))
TWICE = entry(Decision(Outcome.GRANTED, "credit", (EUR, Benefit(Money(700, "EUR")))))
ONCE = entry(Decision(Outcome.GRANTED, "credit", (EUR,)))


def said(kind: EntryKind, place: int = 0, delivery: str = "billing/1", **stated: Any) -> CreditEntry:
    plain = CreditEntry(EntryKind.SENT, AT, "x", f"{kind}/{place}/{delivery}", (place,), delivery=delivery)
    return replace(plain, kind=kind, **stated)


def asked(size: int, place: int = 0) -> CreditEntry:
    return said(EntryKind.REVERSAL_ASKED, place, "", id="void/1/v/17", sizes=(size,))


ASSIGNED, ACCEPTED = said(EntryKind.ASSIGNED), said(EntryKind.ACCEPTED)
REJECTED = said(EntryKind.REJECTED, code="frozen")
SENT_BACK = said(EntryKind.REVERSAL_ASSIGNED, delivery="billing/6")


def test_what_a_biller_took_back_is_known_by_the_entry_with_which_the_void_had_asked() -> None:
    booked = said(EntryKind.REVERSAL_ACCEPTED, delivery="billing/6", at=AT + timedelta(hours=2))
    (found,) = taken_of(ONCE, (ASSIGNED, ACCEPTED, asked(130), SENT_BACK, booked))
    assert (found.entry_id, found.void, found.at) == (
        "void/1/v/17", VoidId(CampaignId("out", 1), "v"), AT + timedelta(hours=2),
    )  # fmt: skip
    assert (found.sizes, found.left, found.benefits) == ({"EUR": 130}, {"EUR": 370}, (0,))


@pytest.mark.parametrize("place", [0, 1])
def test_a_decision_is_asked_back_where_any_of_its_benefits_is(place: int) -> None:
    both = tuple(said(kind, one) for one in (0, 1) for kind in (EntryKind.ASSIGNED, EntryKind.ACCEPTED))
    assert with_voided(TWICE, (*both, asked(30, place))).is_asked_back
    assert not with_voided(TWICE, both).is_asked_back


@pytest.mark.parametrize(
    ("entries", "sums"),
    [
        ((ASSIGNED,), {CreditState.SENT: 500}),
        ((ASSIGNED, said(EntryKind.SENT)), {CreditState.SENT: 500}),
        ((ASSIGNED, REJECTED), {CreditState.REJECTED: 500, RejectedWith("frozen"): 500}),
        ((ASSIGNED, REJECTED, said(EntryKind.REDUCED, delivery="", sizes=(200,))),
         {CreditState.REJECTED: 300, RejectedWith("frozen"): 300}),
        ((ASSIGNED, ACCEPTED), {CreditState.ACCEPTED: 500}),
    ],
)  # fmt: skip
def test_only_what_is_rejected_is_rejected_with_a_code_and_what_is_assigned_counts_as_sent(
    entries: CreditEntries, sums: dict[Any, int]
) -> None:
    found = AtChannels()
    found.take(ONCE, entries)
    assert found.sums == {("EUR", "billing", what): size for what, size in sums.items()}
    by_state: dict[CreditState, Size] = {state: size for state, size in sums.items() if isinstance(state, CreditState)}
    unsent: dict[CreditState, Size] = {
        CreditState.ASSIGNED if state is CreditState.SENT else state: size for state, size in by_state.items()
    }
    rejected = {("billing", what): size for what, size in sums.items() if isinstance(what, RejectedWith)}
    for states in (by_state, unsent):
        line = ToTheBill("EUR", 500, 0, states, by_channel={"billing": states}, rejected_with=rejected)
        assert found.broken([line], lambda _: {"frozen"}) == []


def parts(entries: CreditEntries, opened_at: datetime, **stated: Any) -> list[tuple[Share, int]]:
    void = Void(VoidId(CampaignId("out", 1), "w"), "why", "anna", "anna", opened_at, **stated)
    granted = replace(ONCE, effective_at=AT - timedelta(days=1))
    return [(part.share, int(part.size)) for part in parts_of(granted, entries, void)]


@pytest.mark.parametrize(
    ("opened_at", "share"),
    [
        (AT, Share.VOIDABLE),
        (AT + timedelta(seconds=0.999999), Share.VOIDABLE),
        (AT + timedelta(seconds=1), Share.AT_BILLER),
    ],
)
def test_an_entry_of_the_very_second_at_which_a_void_was_opened_is_taken_for_a_later_one(
    opened_at: datetime, share: Share
) -> None:
    assert parts((ASSIGNED,), opened_at) == [(share, 500)]


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (130, [(Share.ASKED_BEFORE, 130), (Share.AT_BILLER, 170), (Share.USED, 200)]),
        (300, [(Share.ASKED_BEFORE, 300), (Share.USED, 200)]),
        (360, [(Share.ASKED_BEFORE, 300), (Share.ASKED_BEFORE, 60), (Share.USED, 140)]),
    ],
)
def test_what_is_asked_back_is_first_what_is_on_no_bill(size: int, expected: list[tuple[Share, int]]) -> None:
    billed = said(EntryKind.APPLIED, amount=200, bill="B-1", day=AT.date())
    found = parts((ASSIGNED, billed, asked(size)), AT + timedelta(days=1))
    assert [one for one in found if one[1]] == expected


def test_an_entry_is_what_it_is_once_it_was_stored() -> None:
    now = replace(ACCEPTED, at=AT + timedelta(microseconds=123_456))
    assert now.at == AT
    assert read_entries(entries_text((now,))) == (now,)


@pytest.mark.parametrize(("more", "messages"), [(0, [2]), (1, [1, 1])])
def test_a_message_of_credits_is_filled_to_its_last_byte(more: int, messages: list[int]) -> None:
    delivery = Delivery(DeliveryId("billing", 4), CampaignId("out", 1), FileFormat.JSONL, AT, "watch")
    part = PartFile("part", 1, "0" * 64, 2)
    (small,) = credits_messages(delivery, part, b"H\nx\n")
    fixed = len(small.content) - 1
    room = CREDITS_MESSAGE_BYTES - fixed - 2
    lines = b"a" * (room // 2), b"b" * (room - room // 2 + more)
    found = list(credits_messages(delivery, part, b"H\n" + b"\n".join(lines) + b"\n"))
    assert [one.credits for one in found] == messages
    assert {(one.channel, one.incident_id) for one in found} == {("billing", "out")}


def test_what_takes_the_place_under_another_id_has_the_row_the_times_and_the_offset_of_its_decision() -> None:
    own = replace(ONCE, effective_at=AT, ttl=77, origin=99)
    link = under_other_id(campaign(), own, "a-0")
    assert (link.key, other_id(link.body)) == (replace(own.key, account_id="a-0"), own.key.account_id)
    assert (link.status, link.remaining, link.expires_at) == (Outcome.DECLINED, (), None)
    assert (link.effective_at, link.ttl, link.origin) == (AT, 77, 99)
    assert '"row":"00000000000000000000000000000000"' in link.body


def test_a_reversal_says_where_it_is_how_much_of_it_is_on_bills_and_why_it_was_rejected() -> None:
    """Of two of one credit, each its own."""
    story = [
        ASSIGNED, ACCEPTED, asked(130), SENT_BACK,
        said(EntryKind.REVERSAL_REJECTED, delivery="billing/6", code="closed"),
        replace(asked(70), id="void/1/w"),
        said(EntryKind.REVERSAL_ASSIGNED, delivery="letters/9"),
        said(EntryKind.REVERSAL_APPLIED, delivery="letters/9", attempt=2, amount=20, bill="B-7", day=AT.date()),
    ]  # fmt: skip
    first = Reversal(1, 1, "billing/1", 130)
    sent = replace(first, state=ReversalState.ASSIGNED, delivery="billing/6")
    no = replace(sent, state=ReversalState.REJECTED, code="closed")
    second = Reversal(2, 1, "billing/1", 70)
    away = replace(second, state=ReversalState.ASSIGNED, delivery="letters/9")
    expected = [(), (), (first,), (sent,), (no,), (no, second), (no, away),
                (no, replace(away, state=ReversalState.BOOKED, applied=20))]  # fmt: skip
    found = [standing(story[: number + 1], 0, 500).reversals for number in range(len(story))]
    assert found == expected


@pytest.mark.parametrize("benefits", [(-1, 3), (3, -1), (2, 2), ()])
def test_an_entry_names_places_that_a_decision_can_have_each_once(benefits: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least one benefit, and names none twice"):
        said(EntryKind.ASSIGNED, benefits=benefits)


@pytest.mark.parametrize(
    ("measure", "is_money", "size", "text"),
    [("EUR", True, 1_050, "10.50"), ("JPY", True, 1_050, "1050"), ("KWD", True, 1_050, "1.050"),
     ("GB", False, Decimal("2.50"), "2.50"), ("minute", False, Decimal("1E+3"), "1000")],
)  # fmt: skip
def test_a_sum_is_written_in_the_decimals_of_its_measure(measure: str, size: Any, text: str, *, is_money: bool) -> None:
    assert sum_text(SumOf(CreditType.CREDIT, measure, is_money), size) == text
