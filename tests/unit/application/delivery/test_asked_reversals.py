"""What asking a biller for credits writes: entries that name the void, and additions that name who asked, and when."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.delivery.ask_biller import ReversalAsking
from kulanz.application.delivery.deliver_reversals import reversals
from kulanz.application.delivery.world import Asking, Booked
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import DueAt, DueBy
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.credit import Booking, credit_id
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Void
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey, Entry
from tests.support.billed import CAMPAIGN, GRANTED_AT
from tests.unit.application.delivery.test_acting_on_credits import KEY, SIZES, TTL, assigned, decision

NOW = GRANTED_AT + timedelta(days=9)
VOID = Void(VoidId(CAMPAIGN, "wrong-list"), "why", "requested-by", "requester", GRANTED_AT + timedelta(days=8))
ASKED = CreditEntry(EntryKind.REVERSAL_ASKED, VOID.opened_at, "void", "void/wrong-list", (0, 1, 2), sizes=SIZES)
LETTERS = "letters:csv"


@dataclass
class Biller:
    """The stores that asking touches: what was asked of them, and how often they refuse."""

    refuses: int = 0
    asked: list[Sequence[Asking]] = field(default_factory=list)

    def ask(self, asked: Sequence[Asking]) -> bool:
        self.asked.append(asked)
        return len(self.asked) > self.refuses

    def booked(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Booked]:
        return {key: Booked(decision(), ALL) for key in keys}

    def filed_plan(self, _: CampaignId) -> Any:
        return SimpleNamespace(channel=Channel("billing"))

    def notice_locale(self, entry: Entry) -> str:
        assert entry.key == KEY
        return "fr"

    def run(self, entries: CreditEntries, wanted: CreditEntry) -> dict[DecisionKey, Booked]:
        """Ask for it once; how the decision stands then."""
        mine, stores = {KEY: Booked(decision(), entries)}, cast("Any", self)
        asking = ReversalAsking(VOID, stores, stores, stores, stores)

        def left() -> dict[DecisionKey, CreditEntry]:
            done = {place for one in mine[KEY].entries if one.kind is wanted.kind for place in one.benefits}
            places = tuple(place for place in wanted.benefits if place not in done)
            sizes = tuple(wanted.size_of(place) for place in places)
            return {KEY: replace(wanted, benefits=places, sizes=sizes)} if places else {}

        asking.ask(mine, left, cast("Any", SimpleNamespace(now=lambda: NOW)))
        return mine


def accepted(place: int) -> CreditEntry:
    """The biller has a credit."""
    at, name = GRANTED_AT + timedelta(days=1), "billing/3"
    return CreditEntry(EntryKind.ACCEPTED, at, "a-file", f"{name}/{place}/a", (place,), delivery=name)


def elsewhere(place: int) -> tuple[CreditEntry, ...]:
    """Billing rejected a credit, and letters has it."""
    at, first, second = GRANTED_AT + timedelta(days=2), "billing/3", "letters/1"
    return (
        CreditEntry(EntryKind.REJECTED, at, "a-file", f"{first}/{place}/r", (place,), delivery=first, code="C"),
        CreditEntry(EntryKind.SEND_AGAIN, at, "person", f"by/{place}", (place,), account="L-9", channel=LETTERS),
        CreditEntry(EntryKind.ASSIGNED, at, "delivery", second, (place,), delivery=second),
        CreditEntry(EntryKind.ACCEPTED, at, "a-file", f"{second}/{place}/a", (place,), delivery=second),
    )


ALL = (assigned(0, 1, 2), *map(accepted, range(3)))


@pytest.mark.parametrize("refuses", [0, 1])
def test_what_is_asked_names_who_asked_for_the_void_when_and_is_kept_as_long_as_its_decision(refuses: int) -> None:
    biller = Biller(refuses)
    stands = biller.run(ALL, ASKED)
    assert len(biller.asked) == refuses + 1
    (asking,) = biller.asked[-1]
    assert asking.addition == Addition(AdditionKind.REVERSAL, KEY, NOW, "requested-by", 0, "")
    assert (asking.ttl, asking.change.key, asking.change.before) == (TTL, KEY, ALL)
    assert asking.change.after == (*ALL, ASKED)
    assert asking.change.notice_locale == "fr"
    assert (stands[KEY].entries, stands[KEY].notice_locale) == (asking.change.after, "fr")
    assert stands[KEY].entry.is_asked_back


def test_where_one_of_several_keeps_changing_the_others_are_asked_each_by_itself() -> None:
    keys = [replace(KEY, account_id=account) for account in ("a-1", "a-2", "a-3")]
    moving, tried = keys[1], list[list[DecisionKey]]()
    entries = dict.fromkeys(keys, ALL)

    class Moving(Biller):
        def ask(self, asked: Sequence[Asking]) -> bool:
            tried.append([one.change.key for one in asked])
            is_written = moving not in tried[-1] or tried.count([moving]) > 1
            entries.update({one.change.key: one.change.after for one in asked} if is_written else {})
            return is_written

        def booked(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Booked]:
            return {key: Booked(replace(decision(), key=key), entries[key]) for key in keys}

        def notice_locale(self, _: Entry) -> str:
            return ""

    stores = cast("Any", Moving())
    mine = stores.booked(keys)
    asking = ReversalAsking(VOID, stores, stores, stores, stores)
    wanted = lambda: {key: ASKED for key, one in mine.items() if ASKED not in one.entries}  # noqa: E731
    asking.ask(mine, wanted, cast("Any", SimpleNamespace(now=lambda: NOW)))
    assert tried == [keys, *([key] for key in keys), [moving]]
    assert {one.entries for one in mine.values()} == set(entries.values()) == {(*ALL, ASKED)}


def test_each_channel_is_asked_for_its_own_with_the_sizes_of_its_own() -> None:
    biller = Biller()
    entries = (assigned(0, 1, 2), accepted(0), *elsewhere(1), accepted(2))
    biller.run(entries, ASKED)
    asked = [(one.addition.benefit, one.addition.channel, one.change.after[-1]) for (one,) in biller.asked]
    assert [(first, channel, new.benefits, new.sizes) for first, channel, new in asked] == [
        (0, "", (0, 2), (SIZES[0], SIZES[2])),
        (1, LETTERS, (1,), (SIZES[1],)),
    ]
    assert {(new.at, new.by, new.id) for *_, new in asked} == {(ASKED.at, ASKED.by, ASKED.id)}


@pytest.mark.parametrize("first", [0, 1])
def test_a_reversal_goes_to_the_account_at_the_biller_that_has_the_credit(first: int) -> None:
    """The key that a person corrected, where one did; and by its own addition's delivery alone."""
    biller = Biller()
    stands = biller.run((assigned(0, 1, 2), accepted(0), *elsewhere(1), accepted(2)), ASKED)
    delivery, places = {0: ("billing/9", (0, 2)), 1: ("letters/4", (1,))}[first]
    kind = EntryKind.REVERSAL_ASSIGNED
    sent = CreditEntry(kind, NOW, "delivery", f"{kind}/{delivery}", places, delivery=delivery)
    booked = Booked(stands[KEY].entry, (*stands[KEY].entries, sent))
    booking = Booking("K-7", {}, lambda _, __: DueAt(NOW, DueBy.POLICY))
    found = reversals(booked, booking, delivery, first)
    assert [one.corrects for one in found] == [credit_id(KEY, place) for place in places]
    assert {one.biller_account for one in found} == {"L-9" if first == 1 else "K-7"}
    assert [one.size for one in found] == [SIZES[place] for place in places]
    assert reversals(booked, booking, delivery, 1 - first) == []
    assert reversals(booked, booking, "billing/8", first) == []
