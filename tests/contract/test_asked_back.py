"""The contract of ReversalLedger: what is asked back of many decisions is one step over both tables, or nothing."""

from dataclasses import replace
from datetime import timedelta

from kulanz.application.delivery.world import ASKED_TOGETHER, Asking, EntriesChange
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz.domain.delivery.added import Additions
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.standing import add_entry
from kulanz.domain.delivery.void import Void, VoidReceipt, VoidTotals
from kulanz.domain.halt import NEVER_SET, HaltAction, Verb, after
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.time import microseconds_of
from tests.contract.backends import Backend
from tests.support.values import INCIDENT, NOW, entry

ASSIGNED = CreditEntry(EntryKind.ASSIGNED, NOW, "delivery", "billing/1", (0,), delivery="billing/1")
ASKED = CreditEntry(EntryKind.REVERSAL_ASKED, NOW, "anna", "void/1/wrong", (0,), sizes=(200,))
UNTIL = 1_900_000_000


def sent(backend: Backend, number: int) -> list[Asking]:
    """What is asked of some decisions that were delivered."""
    found = [entry(f"a-{one}") for one in range(number)]
    backend.ledger.insert(found)
    changes = [EntriesChange(one.key, (), (ASSIGNED,)) for one in found]
    assert all(backend.credits.write_entries(changes))
    return [
        Asking(
            EntriesChange(one.key, (ASSIGNED,), add_entry((ASSIGNED,), ASKED, {0: 500}).entries),
            Addition(AdditionKind.REVERSAL, one.key, NOW + timedelta(microseconds=place), "anna", 0),
            UNTIL,
        )
        for place, one in enumerate(found)
    ]


def test_as_many_as_fit_are_asked_in_one_step_and_the_same_again_is_refused(backend: Backend) -> None:
    asked = sent(backend, ASKED_TOGETHER)
    asked[0] = replace(asked[0], change=replace(asked[0].change, notice_locale="de"))
    campaign = asked[0].change.key.campaign
    assert backend.reversals.ask(asked)
    assert not backend.reversals.ask(asked[:1])
    keys = [one.change.key for one in asked]
    booked = backend.credits.booked(keys)
    assert {one.entries for one in booked.values()} == {(ASSIGNED, ASKED)}
    assert [booked[key].notice_locale for key in keys] == ["de"] + [""] * (ASKED_TOGETHER - 1)
    assert set(backend.index.additions(campaign).found) == {one.addition for one in asked}
    added = backend.deliveries.added(campaign)
    assert (added.number, added.worth) == (ASKED_TOGETHER, {})
    assert [one.campaign for one in backend.deliveries.waiting_additions()] == [campaign]


def test_nothing_is_asked_where_one_was_changed_or_a_delivery_was_opened(backend: Backend) -> None:
    first, second = sent(backend, 2)
    campaign = first.change.key.campaign
    changed = replace(second, change=replace(second.change, before=()))
    assert not backend.reversals.ask([first, changed])
    assert backend.reversals.ask([first])
    until = microseconds_of(NOW) + 1_000
    additions = Additions(0, until, 1)
    opened = Delivery(DeliveryId("billing", 1), campaign, FileFormat.CSV, NOW, "schedule", additions=additions)
    backend.deliveries.open(opened, backend.deliveries.added(campaign))
    assert not backend.reversals.ask([second])
    later = replace(second, addition=replace(second.addition, at=NOW + timedelta(seconds=1)))
    assert backend.reversals.ask([later])
    assert backend.deliveries.added(campaign).number == 2


def test_nothing_is_asked_in_a_halted_stack(backend: Backend) -> None:
    asked = sent(backend, 1)
    halted = HaltAction("halt", Verb.SET, "sso:anna", "amounts ten times too large", NOW)
    backend.campaigns.change_halt(NEVER_SET, after(NEVER_SET, halted, NOBODY_LISTED), halted)
    assert not backend.reversals.ask(asked)
    assert backend.deliveries.added(asked[0].change.key.campaign).number == 0


def test_a_void_that_asks_the_biller_is_read_as_it_was_written_with_what_each_channel_is_asked_for(
    backend: Backend,
) -> None:
    void = Void(VoidId(CampaignId(INCIDENT, 1), "at-biller"), "why", "iam:anna", "iam:anna", NOW, asks_biller=True)
    backend.voids.open(void)
    totals = VoidTotals(2, 0, 2, {}, {("billing", "EUR"): (2, 900), ("letters", "EUR"): (1, 5)})
    done = VoidReceipt(void.id, Pass.PLAN, 0, 0, 10, None, False, totals)
    assert backend.voids.record(done)
    assert backend.voids.record(done)
    assert list(backend.voids.receipts(void.id, Pass.PLAN)) == [done]
    found = backend.voids.void(void.id)
    assert found is not None
    assert found.asks_biller
    assert found.plan.totals == totals
