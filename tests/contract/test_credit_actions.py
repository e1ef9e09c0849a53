"""The contract of CreditActions: what a person does with a credit is one step over both tables, or nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.delivery.world import EntriesChange, WaitingAdditions
from kulanz.application.ports import Outdated
from kulanz.domain.decision import DueAt, DueBy
from kulanz.domain.delivery.added import Additions
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.moved import Moved, MovedOf, Moves
from kulanz.domain.delivery.standing import CreditState, RejectedWith
from kulanz.domain.halt import NEVER_SET, HaltAction, Verb, after
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.time import microseconds_of
from tests.contract.backends import AwsBackend, Backend
from tests.support.values import NOW, entry

DUE = (NOW + timedelta(days=40)).replace(microsecond=0)
LATE = DueAt(DUE, DueBy.LIST)
ASSIGNED = CreditEntry(EntryKind.ASSIGNED, NOW, "delivery", "billing/1", (0,), delivery="billing/1", dues=(LATE,))
REJECTED = CreditEntry(
    EntryKind.REJECTED, NOW, "a", "rejected/billing/1", (0,), delivery="billing/1", code="unknown_account"
)
AGAIN = CreditEntry(EntryKind.SEND_AGAIN, NOW, "person", "by/0123456789", (0,), account="K-4711")
OFF = CreditEntry(EntryKind.WRITTEN_OFF, NOW, "person", "by/0123456789", (0,))
BACK = Moved(
    "USD", "outage", {CreditState.REJECTED: -500, CreditState.DUE: 500}, DUE, 0, 0, "billing", "unknown_account"
)
LOST = Moved("USD", "outage", {CreditState.REJECTED: -500, CreditState.WRITTEN_OFF: 500}, DUE, -500, -1)


def rejected(backend: Backend, account: str = "a-1") -> DecisionKey:
    """A decision whose credit the biller rejected."""
    one = entry(account)
    backend.ledger.insert([one])
    assert backend.credits.write_entries([EntriesChange(one.key, (), (ASSIGNED, REJECTED))]) == [True]
    return one.key


def moves(key: DecisionKey, moved: Moved) -> Moves:
    found = Moves()
    found.take(key.campaign, moved, {"unknown_account"})
    return found


def change(key: DecisionKey, new: CreditEntry) -> EntriesChange:
    return EntriesChange(key, (ASSIGNED, REJECTED), (ASSIGNED, REJECTED, new))


def billed(backend: Backend, key: DecisionKey) -> object:
    return backend.answers.billed(key.campaign, "billing")


def test_what_is_sent_again_is_an_addition_with_its_benefit(backend: Backend) -> None:
    key = rejected(backend)
    addition = Addition(AdditionKind.AGAIN, key, NOW, "anna", 0)
    backend.credit_actions.write(change(key, AGAIN), "billing", moves(key, BACK), addition, 1_900_000_000)
    assert backend.credits.booked([key])[key].entries == (ASSIGNED, REJECTED, AGAIN)
    place = MovedOf(key.campaign, "USD", "outage", "billing")
    expected = {
        place: {CreditState.REJECTED: -500, CreditState.DUE: 500},
        place._replace(component=""): {RejectedWith("unknown_account"): -500},
    }
    assert billed(backend, key) == expected
    assert backend.index.additions(key.campaign).found == (addition,)
    added = backend.deliveries.added(key.campaign)
    assert (added.number, added.worth) == (1, {})
    assert backend.deliveries.waiting_additions() == [WaitingAdditions(key.campaign, NOW)]
    with pytest.raises(Outdated):  # the entries are not as they were read
        backend.credit_actions.write(change(key, OFF), "billing", moves(key, LOST), None, 1)
    assert billed(backend, key) == expected


def test_what_is_sent_to_another_channel_is_counted_and_taken_for_that_one_alone(backend: Backend) -> None:
    key = rejected(backend)
    store, campaign = backend.deliveries, key.campaign
    letters = Addition(AdditionKind.AGAIN, key, NOW, "anna", 0, "letters:csv")
    again = replace(AGAIN, channel="letters:csv")
    backend.credit_actions.write(change(key, again), "billing", moves(key, BACK), letters, 1_900_000_000)
    assert backend.credits.booked([key])[key].entries == (ASSIGNED, REJECTED, again)
    assert backend.index.additions(campaign).found == (letters,)
    assert store.waiting_additions() == [WaitingAdditions(campaign, NOW, "letters:csv")]
    mine, plans = store.added(campaign, "letters:csv"), store.added(campaign)
    assert [(one.number, one.channel) for one in (mine, plans)] == [(1, "letters:csv"), (0, "")]
    end = microseconds_of(NOW) + 1
    opened = Delivery(
        DeliveryId("letters", 1),
        campaign,
        FileFormat.CSV,
        NOW,
        "anna",
        additions=Additions(0, end, 1, {}, "letters:csv"),
    )
    with pytest.raises(Outdated):  # something was added since it was read
        store.open(opened, replace(mine, number=0))
    store.open(opened, mine)
    assert store.delivery(opened.id) == opened
    assert (store.over_additions(campaign), store.waiting_additions()) == ([opened], [])
    assert store.added(campaign, "letters:csv") == replace(mine, until=end)
    assert store.added(campaign) == plans, "the plan's own channel has nothing of it"
    other = rejected(backend, "A-2")
    later = replace(letters, key=other)
    with pytest.raises(Outdated):  # a delivery of that channel was opened over this instant
        backend.credit_actions.write(change(other, again), "billing", moves(other, BACK), later, 1)
    plain = replace(later, channel="")
    backend.credit_actions.write(change(other, AGAIN), "billing", moves(other, BACK), plain, 1)
    assert store.waiting_additions() == [WaitingAdditions(campaign, NOW)]


def test_what_is_written_off_is_not_due_any_more(backend: Backend) -> None:
    key = rejected(backend)
    backend.credit_actions.write(change(key, OFF), "billing", moves(key, LOST), None, 1)
    assert backend.index.additions(key.campaign).found == ()
    late = dict(backend.dues.before(DUE + timedelta(days=1)))
    assert late[DueOf(key.campaign, DUE, "USD")] == (-1, -500), "a delivery had counted it"


def test_nothing_is_done_in_a_halted_stack(backend: Backend) -> None:
    key = rejected(backend)
    halted = HaltAction("halt", Verb.SET, "sso:anna", "amounts ten times too large", NOW)
    backend.campaigns.change_halt(NEVER_SET, after(NEVER_SET, halted, NOBODY_LISTED), halted)
    addition = replace(Addition(AdditionKind.AGAIN, key, NOW, "anna", 0))
    with pytest.raises(Outdated):
        backend.credit_actions.write(change(key, AGAIN), "billing", moves(key, BACK), addition, 1)
    assert backend.credits.booked([key])[key].entries == (ASSIGNED, REJECTED)
    assert billed(backend, key) == {}


def test_what_is_sent_again_names_an_account_and_is_deleted_with_the_decision(backend: Backend) -> None:
    if not isinstance(backend, AwsBackend):
        pytest.skip("a table's own items")
    key, kept_until = rejected(backend), 1_900_000_000
    addition = Addition(AdditionKind.AGAIN, key, NOW, "anna", 0)
    backend.credit_actions.write(change(key, AGAIN), "billing", moves(key, BACK), addition, kept_until)
    items = backend.dynamodb.scan(TableName=backend.credits_table)["Items"]
    kept = {item["pk"]["S"].partition("#")[0]: item.get("ttl", {}).get("N") for item in items}
    assert kept == {"ACCOUNT": str(entry("a-1").ttl), "ADDITIONS": str(kept_until)}
