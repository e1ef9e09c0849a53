"""The contract of DeliveryStore: serials without a gap, one delivery of a list, each range delivered once."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from kulanz.application.delivery.world import WaitingAdditions
from kulanz.application.ports import Outdated
from kulanz.domain.campaigns.campaign import CampaignId, Cursor
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.added import Added, Additions
from kulanz.domain.delivery.channel import ChannelKind, FileFormat
from kulanz.domain.delivery.credit import CreditSums, CreditType, SumOf
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt, DeliveryState
from kulanz.domain.delivery.files import PartFile
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.time import SECOND_MICROSECONDS, microseconds_of
from tests.contract.backends import Backend
from tests.support.values import INCIDENT, NOW, declared, entry, revision

FIRST = DeliveryId("billing", 1)
USD = SumOf(CreditType.CREDIT, "USD", is_money=True)
MONTHLY = SumOf(CreditType.CREDIT, "GB:3 x month", is_money=False)


def delivery(serial: int = 1, incident: str = "an-incident", channel: str = "billing") -> Delivery:
    return Delivery(DeliveryId(channel, serial), CampaignId(incident, 1), FileFormat.CSV, NOW, "advance_campaign")


def receipt(start: int, end: int, moved_from: int | None = None, *, finishes: bool = False) -> DeliveryReceipt:
    return DeliveryReceipt(
        delivery=FIRST,
        chunk=0,
        start=start,
        end=end,
        moved_from=moved_from,
        finishes_chunk=finishes,
        lines=3,
        part=PartFile(f"part-{start}-{end}.csv", 100, "0" * 64, 2),
        sums=CreditSums({USD: (1, 500), MONTHLY: (1, Decimal("1.5"))}),
        elsewhere=CreditSums({USD: (1, 7)}),
    )


def test_a_delivery_is_read_as_it_was_opened_and_found_by_its_campaign_and_its_channel(backend: Backend) -> None:
    assert (backend.deliveries.last_serial("billing"), backend.deliveries.delivery(FIRST)) == (0, None)
    opened = delivery()
    backend.deliveries.open(opened)
    assert backend.deliveries.last_serial("billing") == 1
    assert backend.deliveries.delivery(FIRST) == opened
    assert backend.deliveries.over_list(opened.campaign) == opened
    assert backend.deliveries.over_list(CampaignId("an-incident", 2)) is None
    assert backend.deliveries.open_deliveries() == [FIRST]


def test_serials_have_no_gap_and_a_list_has_one_delivery(backend: Backend) -> None:
    backend.deliveries.open(delivery())
    backend.deliveries.open(delivery())  # the reply was lost
    for wrong in (delivery(1, "other"), delivery(3, "other"), delivery(2)):
        with pytest.raises(Outdated):
            backend.deliveries.open(wrong)
    backend.deliveries.open(delivery(2, "other"))
    backend.deliveries.open(delivery(1, "third", "vouchers"))
    assert [one.id.serial for one in backend.deliveries.of_channel("billing")] == [1, 2]
    assert [one.id.serial for one in backend.deliveries.of_channel("billing", 1)] == [2]
    assert backend.deliveries.last_serial("vouchers") == 1


def test_receipts_move_a_cursor_once_and_add_up(backend: Backend) -> None:
    backend.deliveries.open(delivery())
    first, second = receipt(10, 50), receipt(50, 90, 10 + 40, finishes=True)
    assert backend.deliveries.cursor(FIRST, 0) is None
    assert backend.deliveries.record(first)
    assert backend.deliveries.record(first), "its reply was lost"
    assert not backend.deliveries.record(receipt(10, 60)), "another worker was first"
    assert not backend.deliveries.record(replace(receipt(50, 70, 40), chunk=0)), "the cursor stands elsewhere"
    assert backend.deliveries.cursor(FIRST, 0) == Cursor(50, finished=False)
    assert backend.deliveries.finished_chunks(FIRST) == set()
    assert backend.deliveries.record(second)
    assert not backend.deliveries.record(receipt(90, 95, 90)), "the chunk is finished"
    assert backend.deliveries.finished_chunks(FIRST) == {0}
    assert list(backend.deliveries.receipts(FIRST)) == [first, second]
    found = backend.deliveries.delivery(FIRST)
    assert found is not None
    assert (found.bytes_done, found.lines, found.parts) == (80, 6, 2)
    assert found.sums.found == {USD: (2, 1000), MONTHLY: (2, Decimal(3))}
    assert found.elsewhere.found == {USD: (2, 14)}


def test_a_range_without_credits_has_no_part(backend: Backend) -> None:
    backend.deliveries.open(delivery())
    nothing = replace(receipt(10, 50, finishes=True), part=None, sums=CreditSums(), elsewhere=CreditSums())
    assert backend.deliveries.record(nothing)
    assert list(backend.deliveries.receipts(FIRST)) == [nothing]
    found = backend.deliveries.delivery(FIRST)
    assert found is not None
    assert (found.parts, found.sums.found, found.bytes_done) == (0, {}, 40)


def test_how_far_chunks_were_sent_and_how_far_it_was_seen_is_noted(backend: Backend) -> None:
    backend.deliveries.open(delivery())
    backend.deliveries.mark_dispatched(FIRST, 7)
    backend.deliveries.note_seen(FIRST, 80)
    assert backend.deliveries.delivery(FIRST) == replace(delivery(), dispatched=7, seen=80)


def test_a_delivery_is_sent_once_and_then_not_open_any_more(backend: Backend) -> None:
    backend.deliveries.open(delivery())
    flagged = replace(delivery(), state=DeliveryState.FLAGGED, reason="sums_differ: USD")
    backend.deliveries.change(delivery(), flagged)
    assert (backend.deliveries.delivery(FIRST), backend.deliveries.open_deliveries()) == (flagged, [FIRST])
    sent = replace(delivery(), state=DeliveryState.SENT, reason="balanced", sent_at=NOW)
    with pytest.raises(Outdated):
        backend.deliveries.change(delivery(), sent)
    backend.deliveries.change(flagged, sent)
    assert (backend.deliveries.delivery(FIRST), backend.deliveries.open_deliveries()) == (sent, [])


OFFER = '{"benefits":[{"money":[500,"USD"],"valid":{}}],"outcome":"offered","reason":"entitled"}'


def accepted(backend: Backend, account: str, at: datetime) -> None:
    """An offer of an account that is accepted at an instant."""
    offer = entry(account, status=Outcome.OFFERED, body=OFFER)
    backend.ledger.insert([offer])
    record = backend.campaigns.incident(offer.key.incident_id)
    if record is None:
        record = declared()
        backend.campaigns.record_revision(None, record, revision())
    granted = replace(offer, status=Outcome.GRANTED, effective_at=at, accepted_at=at)
    backend.offers.accept(offer, granted, record, "support")


def over_additions(serial: int, added: Added, end: int, worth: int) -> Delivery:
    additions = Additions(added.until, end, 1, {"USD": worth})
    return replace(delivery(serial, INCIDENT), additions=additions)


def test_a_delivery_over_additions_takes_all_that_was_added_once_and_what_comes_later_comes_behind(
    backend: Backend,
) -> None:
    campaign, store = CampaignId(INCIDENT, 1), backend.deliveries
    assert (store.added(campaign), store.waiting_additions()) == (Added(), [])
    accepted(backend, "a-1", NOW)
    first = store.added(campaign)
    assert (first.number, first.worth, first.until) == (1, {"USD": 500}, 0)
    assert store.waiting_additions() == [WaitingAdditions(campaign, NOW)]
    last = backend.index.last_addition(campaign)
    assert last is not None
    assert (last.key.account_id, last.at) == ("a-1", NOW)
    end = microseconds_of(NOW) + 1
    accepted(backend, "a-2", NOW + timedelta(seconds=1))
    with pytest.raises(Outdated):
        store.open(over_additions(1, first, end, 500), first)
    both = store.added(campaign)
    end += SECOND_MICROSECONDS
    opened = over_additions(1, both, end, 1000)
    store.open(opened, both)
    store.open(opened, both)  # the reply was lost
    assert (store.over_additions(campaign), store.over_list(campaign)) == ([opened], None)
    assert (store.waiting_additions(), store.added(campaign)) == ([], replace(both, until=end))
    with pytest.raises(Outdated):
        accepted(backend, "a-3", NOW)
    accepted(backend, "a-4", NOW + timedelta(hours=1))
    assert store.waiting_additions() == [WaitingAdditions(campaign, NOW + timedelta(hours=1))]
    later = store.added(campaign)
    with pytest.raises(Outdated):
        store.open(over_additions(2, both, end + 1, 500), later)
    store.open(over_additions(2, later, end + 1, 500), later)
    assert [one.id.serial for one in store.over_additions(campaign)] == [1, 2]
    found = backend.index.additions_from(campaign, NOW + timedelta(seconds=1)).found
    assert [one.key.account_id for one in found] == ["a-2", "a-4"]


TOPIC = replace(delivery(), form=FileFormat.JSONL, kind=ChannelKind.TOPIC)
PUBLISHING = DeliveryState.PUBLISHING


def test_a_receipt_is_found_by_where_it_starts(backend: Backend) -> None:
    backend.deliveries.open(TOPIC)
    backend.deliveries.record(receipt(10, 50, finishes=True))
    assert backend.deliveries.receipt(FIRST, 10, 0) == receipt(10, 50, finishes=True)
    assert (backend.deliveries.receipt(FIRST, 10, 1), backend.deliveries.receipt(FIRST, 50, 0)) == (None, None)


def test_each_part_is_counted_once_in_a_round_of_publishing(backend: Backend) -> None:
    backend.deliveries.open(TOPIC)
    first, second = receipt(10, 50), receipt(50, 90, 50, finishes=True)
    assert backend.deliveries.record(first)
    assert backend.deliveries.record(second)
    assigned = found(backend)
    backend.deliveries.mark_dispatched(FIRST, 1)
    backend.deliveries.note_seen(FIRST, 80)
    backend.deliveries.begin_round(assigned, replace(assigned, state=PUBLISHING, reason="balanced"))
    begun = replace(assigned, state=PUBLISHING, reason="balanced", rounds=1)
    assert found(backend) == begun, "nothing of the round was sent, published or seen"
    with pytest.raises(Outdated):
        backend.deliveries.begin_round(assigned, replace(assigned, state=PUBLISHING))
    for _ in range(2):
        backend.deliveries.mark_published(first, 1)
        assert found(backend) == replace(begun, published=1)
    assert [one.published for one in backend.deliveries.receipts(FIRST)] == [1, 0]
    backend.deliveries.mark_published(second, 2)
    assert found(backend) == replace(begun, published=1), "no such round has begun"
    backend.deliveries.mark_published(second, 1)
    assert not found(backend).is_publishing


def test_what_was_sent_is_open_again_while_it_is_published_again(backend: Backend) -> None:
    backend.deliveries.open(TOPIC)
    assert backend.deliveries.record(receipt(10, 50, finishes=True))
    opened = found(backend)
    backend.deliveries.begin_round(opened, replace(opened, state=PUBLISHING))
    backend.deliveries.mark_published(receipt(10, 50, finishes=True), 1)
    published = found(backend)
    sent = replace(published, state=DeliveryState.SENT, sent_at=NOW)
    backend.deliveries.change(published, sent)
    assert (found(backend), backend.deliveries.open_deliveries()) == (sent, [])
    backend.deliveries.begin_round(sent, sent)
    again = replace(sent, rounds=2, published=0)
    assert (found(backend), backend.deliveries.open_deliveries()) == (again, [FIRST])
    with pytest.raises(Outdated):
        backend.deliveries.change(published, replace(sent, reason="by another reader"))
    backend.deliveries.mark_published(receipt(10, 50, finishes=True), 1)
    assert found(backend) == again, "the round before is over"
    backend.deliveries.mark_published(receipt(10, 50, finishes=True), 2)
    backend.deliveries.change(again, again)
    assert (found(backend), backend.deliveries.open_deliveries()) == (replace(again, published=1), [])


def found(backend: Backend) -> Delivery:
    known = backend.deliveries.delivery(FIRST)
    assert known is not None
    return known
