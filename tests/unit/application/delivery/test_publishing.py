"""What a delivery to a topic has is published completely, after it is released; a repetition is the same credits."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any, cast

import pytest

from kulanz.application.delivery.advance_delivery import NotDelivered, open_settled, publish_again
from kulanz.application.delivery.publish_credits import PublishWork
from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ports import DeliveryMessage, PublishMessage, Refused
from kulanz.domain.campaigns.campaign import Cause, State
from kulanz.domain.delivery.channel import Channel, ChannelKind
from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.files import CREDIT_FIELDS
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.moved import MovedOf
from kulanz.domain.delivery.standing import Counted, CreditState
from kulanz.domain.delivery.to_the_bill import to_the_bill
from kulanz.domain.delivery.topic_messages import CREDITS_MESSAGE_BYTES, CreditRecord, CreditsContract
from kulanz.domain.halt import Halt, HaltAction, Verb
from kulanz.domain.ledger.entries import granted_benefits
from kulanz.domain.money import Size
from tests.support.billing_files import is_released, read_delivery
from tests.support.faults import Fault, Tap, fault_at
from tests.support.left_alike import Ends, struck
from tests.support.small_campaign import CAMPAIGN, ROWS, event, list_of, row, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_deliveries import published
from tests.unit.application.delivery.test_additions import IN_TWO_PARTS, a_day_later, accept

TOPIC = cast("Channel", Channel.from_text("billing:topic"))
FIRST = DeliveryId("billing", 1)


def closed(content: bytes | None = None, rows: int = ROWS, **settings: Any) -> World:
    """A world whose campaign has closed, and whose deliveries go to the topic."""
    world = small_world(**({} if content is None else {"content": content}), channel=TOPIC, **settings)
    world.publish(event(rows=rows))
    world.run_until_quiet()
    return world


def delivery_or_none(world: World) -> Delivery | None:
    return world.deliveries.delivery(FIRST)


def delivery(world: World) -> Delivery:
    found = delivery_or_none(world)
    assert found is not None
    return found


def messages(world: World) -> Iterator[dict[str, Any]]:
    return (json.loads(one.content) for one in world.credits_topic.published)


def received(world: World) -> dict[str, dict[str, str]]:
    """What a receiver has that keeps the ids: each credit once, and always the same."""
    found: dict[str, dict[str, str]] = {}
    for message in messages(world):
        for credit in message["credits"]:
            assert found.setdefault(credit["credit_id"], credit) == credit
    return found


def filed(world: World) -> dict[str, Any]:
    return dict(read_delivery(world.archive.documents, FIRST.folder).credits)


def test_every_credit_is_published_once_as_the_files_have_it() -> None:
    world = closed()
    assert delivery(world).state is DeliveryState.SENT
    assert received(world) == filed(world)
    assert len(received(world)) > 10
    ids = Counter(credit["credit_id"] for message in messages(world) for credit in message["credits"])
    assert set(ids.values()) == {1}
    assert [one.detail_type for one in world.announcer.announced].count("Delivery Sent") == 1


def test_a_message_is_as_its_contract_says() -> None:
    world = closed()
    assert ("record", *CREDIT_FIELDS) == tuple(CreditRecord.__annotations__)
    for sent, message in zip(world.credits_topic.published, messages(world), strict=True):
        assert message.keys() == CreditsContract.__annotations__.keys()
        assert all(tuple(credit) == tuple(CreditRecord.__annotations__) for credit in message["credits"])
        assert (message["channel"], message["serial"], message["campaign"]) == ("billing", 1, CAMPAIGN)
        assert (sent.channel, sent.incident_id) == ("billing", CAMPAIGN.partition("/")[0])
        assert message["credits_in_delivery"] == len(received(world)) == delivery(world).sums.number
        assert f"{FIRST.folder}/{message['part']}" in world.archive.documents
        assert sent.credits == len(message["credits"])


def test_messages_are_as_large_as_one_unit_pays_for_and_not_larger() -> None:
    world = closed(list_of([row(f"a-{number:05d}") for number in range(300)]), rows=300, chunk_bytes=2_000_000)
    assert delivery(world).parts == 1, "a part of many messages"
    sizes = [len(one.content) for one in world.credits_topic.published]
    assert max(sizes) <= CREDITS_MESSAGE_BYTES
    assert received(world) == filed(world)
    assert len(sizes) > 2
    assert all(size >= CREDITS_MESSAGE_BYTES * 0.9 for size in sizes[:-1])


def test_nothing_is_published_before_all_of_it_is_released() -> None:
    world = just_closed(Tap())
    while steps := world.steps():
        before = len(world.credits_topic.published)
        world.run(steps[0])
        if len(world.credits_topic.published) > before:
            assert is_released(world.archive.documents, FIRST.folder)
            assert delivery(world).sums.number == len(filed(world))
            assert delivery(world).state is DeliveryState.PUBLISHING
            assert delivery(world).sent_at is None
    assert delivery(world).state is DeliveryState.SENT


def test_a_delivery_that_does_not_come_to_the_reconciliation_publishes_nothing() -> None:
    world = just_closed(Tap())
    world.ledger.forget(next(entry.key for entry in world.ledger.all_entries() if entry.status.value == "granted"))
    world.run_until_quiet()
    assert delivery(world).state is DeliveryState.FLAGGED
    assert not world.credits_topic.published


LINES = [row(f"an-account-with-a-long-number-{number:020d}", language="en") for number in range(3)]
"""Three chunks, and so three parts."""


@cache
def _just_closed() -> World:
    return closed(list_of(LINES), rows=len(LINES), delivers=False, chunk_bytes=256)


def just_closed(tap: Tap) -> World:
    """A campaign that has closed, and whose record comes once more: all calls from here on are of its delivery."""
    world = _just_closed().copy()
    world.tap, world.delivers = tap, True
    world.campaigns.changes.append(world.campaign(CAMPAIGN).id)
    return world


def settled(world: World) -> tuple[Any, ...]:
    """What must not depend on faults."""
    for _ in range(3):
        world.run_until_quiet()
        world.watch()
    stands = delivery(world)
    return received(world), stands.state, stands.published, stands.rounds, world.deliveries.open_deliveries()


@cache
def _assigned() -> World:
    world = just_closed(Tap())
    while delivery_or_none(world) is None or delivery(world).bytes_done < world.campaign(CAMPAIGN).chunks.total_bytes:
        world.run(world.steps()[0])
    return world


def assigned(tap: Tap) -> World:
    """A delivery of which every credit is assigned, and nothing is released yet."""
    world = _assigned().copy()
    world.tap = tap
    return world


END = Ends(settled)


@cache
def clean() -> tuple[tuple[Any, ...], tuple[str, ...]]:
    tap = Tap()
    world = assigned(tap)
    world.run_until_quiet()
    calls = tuple(tap.calls)
    return settled(world), calls


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HALF_DONE])
def test_a_fault_at_any_call_of_publishing_changes_nothing_in_the_end(fault: Fault) -> None:
    (all_of_it, state, parts, rounds, is_open), calls = clean()
    assert (len(all_of_it), state, rounds, is_open) == (6, DeliveryState.SENT, 1, [])
    assert parts == 3
    assert (calls.count("credits_topic.publish"), calls.count("deliveries.begin_round")) == (parts, 1)
    of_publishing = range(calls.index("archive.put"), len(calls))  # test_delivering has those before
    for number in (number for number in of_publishing if not calls[number].endswith("/next")):
        world = assigned(Tap(fault_at(number, fault)))
        assert END(struck(world)) == clean()[0], f"{fault} at call {number}, {calls[number]}"


def test_a_worker_says_how_many_credits_and_messages_it_published() -> None:
    """A row has two credits, and a part of few rows is one message."""
    world = released(just_closed(Tap()))
    (first, *_) = [one.body for one in world.delivery_messages if isinstance(one.body, PublishMessage)]
    done = published(world, first, Tap())
    assert (done.work, done.credits, done.messages) == (PublishWork.PUBLISHED, 2, 1)
    assert len(received(world)) == 2


def test_messages_that_come_again_publish_nothing_more() -> None:
    world = just_closed(Tap())
    again: list[PublishMessage] = []
    while steps := world.steps():
        again += [one.body for one in world.delivery_messages if isinstance(one.body, PublishMessage)]
        world.run(steps[0])
    before = len(world.credits_topic.published)
    assert len(set(again)) == delivery(world).parts == before
    for message in set(again):
        published(world, message, Tap())
    assert len(world.credits_topic.published) == before


def halted(world: World) -> Halt:
    action = HaltAction("h-1", Verb.SET, "a person", "a test", world.now)
    halt = Halt(version=1, number=1, set=action)
    world.campaigns.change_halt(world.campaigns.halt(), halt, action)
    return halt


def lifted(world: World, halt: Halt) -> None:
    lifting = HaltAction("h-2", Verb.LIFT, "another person", "over", world.now)
    world.campaigns.change_halt(halt, Halt(version=2, number=1), lifting)


def released(world: World) -> World:
    """Run until the first part waits to be published."""
    while not any(isinstance(one.body, PublishMessage) for one in world.delivery_messages):
        world.run(world.steps()[0])
    return world


def test_a_halt_stops_publishing_and_after_it_the_rest_is_published() -> None:
    world = released(just_closed(Tap()))
    halt = halted(world)
    for _ in range(3):
        world.run_until_quiet()
        world.watch()
    assert not world.credits_topic.published
    assert delivery(world).state is DeliveryState.PUBLISHING
    lifted(world, halt)
    assert settled(world) == clean()[0]


def test_a_campaign_that_is_flagged_publishes_nothing_more_until_it_is_settled() -> None:
    world = released(just_closed(Tap()))
    for target, reason in ((State.FLAGGED, "incident_withdrawn: by its source"), (State.CLOSED, "settled_by_hand: ok")):
        campaign = world.campaign(CAMPAIGN)
        change = campaign.change(target, reason, Cause("test", "x", "test"), world.now)
        world.campaigns.change_state(campaign, change)
        if target is State.FLAGGED:
            world.run_until_quiet()
            assert not world.credits_topic.published
    assert settled(world) == clean()[0]


@pytest.mark.parametrize("became", [b'"amount":"92.99"', b'"amount":"9.99"', b'"amount":"2.9"'])
def test_a_part_that_somebody_replaced_is_not_published_and_the_delivery_is_flagged(became: bytes) -> None:
    """Also by one of the same length."""
    world = released(just_closed(Tap()))
    key = next(key for key in world.archive.documents if key.startswith(f"{FIRST.folder}/part-"))
    written = world.archive.documents[key]
    world.archive.documents[key] = written.replace(b'"amount":"2.99"', became, 1)
    assert world.archive.documents[key] != written
    settled(world)
    assert delivery(world).state is DeliveryState.FLAGGED
    assert delivery(world).reason.startswith("part-")
    assert delivery(world).is_released, "what billing has of it can be answered"
    assert all(clean()[0][0][id_] == credit for id_, credit in received(world).items())
    assert len(received(world)) < len(clean()[0][0])
    assert world.deliveries.open_deliveries() == [FIRST]
    for content in (world.archive.documents[key], written):  # as it is, and put back
        world.archive.documents[key] = content
        open_settled(world.campaign(CAMPAIGN), world.campaigns, world.deliveries, "anna", world.now)
        world.watch()
        world.watch()
        settled(world)
        is_right = content == written
        assert delivery(world).state is (DeliveryState.SENT if is_right else DeliveryState.FLAGGED)
    assert settled(world) == clean()[0]


def test_what_is_published_again_are_the_same_credits() -> None:
    world = just_closed(Tap())
    settled(world)
    first = [one.content for one in world.credits_topic.published]
    (again,) = publish_again(world.campaign(CAMPAIGN), world.deliveries)
    assert (again.state, again.rounds, again.published, again.sent_at) == (
        DeliveryState.SENT, 2, 0, delivery(world).sent_at,
    )  # fmt: skip
    assert world.deliveries.open_deliveries() == [FIRST]
    assert publish_again(world.campaign(CAMPAIGN), world.deliveries) == [again], "it is under way"
    settled(world)
    assert sorted(one.content for one in world.credits_topic.published) == sorted(first * 2)
    assert world.deliveries.open_deliveries() == []
    assert [one.detail_type for one in world.announcer.announced].count("Delivery Sent") == 1


@pytest.mark.parametrize("fault", [Fault.KILLED_AFTER, Fault.REPLY_LOST, Fault.REQUEST_LOST])
def test_a_fault_while_it_is_published_again_changes_nothing_in_the_end(fault: Fault) -> None:
    sent = just_closed(Tap())
    settled(sent)
    publish_again(sent.campaign(CAMPAIGN), sent.deliveries)
    tap = Tap()
    whole = sent.copy()
    whole.tap = tap
    whole.run_until_quiet()
    calls = len(tap.calls)
    expected = settled(whole)
    assert expected[3:] == (2, [])
    for number in range(calls):
        world = sent.copy()
        world.tap = Tap(fault_at(number, fault))
        assert END(struck(world)) == expected, f"{fault} at call {number}"


def test_a_part_that_is_gone_when_it_is_published_again_is_an_error_that_somebody_hears() -> None:
    world = just_closed(Tap())
    settled(world)
    publish_again(world.campaign(CAMPAIGN), world.deliveries)
    part = next(one for one in world.deliveries.receipts(FIRST) if one.part is not None)
    assert part.part is not None
    world.archive.documents[f"{FIRST.folder}/{part.part.name}"] = b""
    with pytest.raises(Refused, match="is not what was written"):
        published(world, PublishMessage(FIRST, part.start, part.chunk), Tap())
    assert delivery(world).state is DeliveryState.SENT


def test_a_delivery_without_a_credit_has_nothing_to_publish_again_and_stays_sent() -> None:
    """All of it went elsewhere before; a round over no part would never end."""
    world = just_closed(Tap())
    for entry in world.ledger.all_entries():
        if places := tuple(range(len(granted_benefits(entry)))):
            one = CreditEntry(EntryKind.ASSIGNED, world.now, "test", "other/1", places, delivery="other/1")
            assert world.credits.write_entries([EntriesChange(entry.key, (), (one,))]) == [True]
    world.run_until_quiet()
    before = delivery(world)
    of_all = sum(len(granted_benefits(entry)) for entry in world.ledger.all_entries())
    assert (before.state, before.parts, before.elsewhere.number) == (DeliveryState.SENT, 0, of_all)
    assert publish_again(world.campaign(CAMPAIGN), world.deliveries) == [before]
    world.run_until_quiet()
    assert delivery(world) == before


def test_only_what_went_to_a_topic_is_published_again() -> None:
    files = small_world(channel=Channel("billing"))
    files.publish(event(rows=ROWS))
    files.run_until_quiet()
    assert not files.credits_topic.published
    with pytest.raises(NotDelivered, match="a channel that is a topic") as refused:
        publish_again(files.campaign(CAMPAIGN), files.deliveries)
    assert refused.value.reason == "not_published"
    on_the_way = released(just_closed(Tap()))
    with pytest.raises(NotDelivered, match="not sent yet"):
        publish_again(on_the_way.campaign(CAMPAIGN), on_the_way.deliveries)


def test_a_message_about_anything_else_does_nothing() -> None:
    world = just_closed(Tap())
    settled(world)
    before = len(world.credits_topic.published)
    for message in (PublishMessage(DeliveryId("billing", 7), 0, 0), PublishMessage(FIRST, 999_999, 0)):
        published(world, message, Tap())
    world.deliveries.begin_round(delivery(world), replace(delivery(world)))
    published(world, PublishMessage(FIRST, 999_999, 0), Tap())
    assert len(world.credits_topic.published) == before
    assert delivery(world).kind is ChannelKind.TOPIC
    assert not any(isinstance(one.body, DeliveryMessage) for one in world.delivery_messages)


def test_what_customers_accept_is_published_a_day_later_and_again_with_the_rest() -> None:
    world = small_world(list_of(LINES), channel=TOPIC)
    world.policies.publish("net-credit", 2, sealed_policy(IN_TWO_PARTS))
    world.publish(event(rows=len(LINES), policy_version=2))
    world.run_until_quiet()
    at_once = received(world).keys()
    entry = next(iter(world.ledger.all_entries()))
    accept(world, entry.key.account_id)
    a_day_later(world)
    added = received(world).keys() - at_once
    assert added == {credit_id(entry.key, 1)}
    publish_again(world.campaign(CAMPAIGN), world.deliveries)
    before = len(world.credits_topic.published)
    world.run_until_quiet()
    again = [json.loads(one.content)["credits"] for one in world.credits_topic.published[before:]]
    assert {one["credit_id"] for credits_ in again for one in credits_} == at_once | added


def test_what_is_answered_before_all_of_it_is_published_is_in_no_sum_twice() -> None:
    world = released(just_closed(Tap()))
    stands = delivery(world)
    assert stands.state is DeliveryState.PUBLISHING
    granted = stands.sums.by_measure()
    measure, size = next(iter(granted.items()))
    moved: dict[Counted, Size] = {CreditState.ASSIGNED: -size, CreditState.ACCEPTED: size}
    answered = {MovedOf(stands.campaign, measure, "", stands.id.channel): moved}
    lines = {line.measure: line for line in to_the_bill(granted, [stands], answered)}
    assert [wrong for line in lines.values() for wrong in line.differences()] == []
    assert lines[measure].by_state == {CreditState.ACCEPTED: size}
    assert all(line.by_state.keys() <= {CreditState.SENT, CreditState.ACCEPTED} for line in lines.values())


def test_a_part_is_published_once_a_round_however_often_its_message_comes() -> None:
    world = just_closed(Tap())
    while delivery_or_none(world) is None or delivery(world).state is not DeliveryState.PUBLISHING:
        world.run(world.steps()[0])
    while not world.credits_topic.published:
        world.run(world.steps()[0])
    (receipt,) = (one for one in world.deliveries.receipts(FIRST) if one.published)
    sent = list(world.credits_topic.published)
    message = PublishMessage(FIRST, receipt.start, receipt.chunk)
    assert published(world, message, Tap()).work is PublishWork.NOTHING_TO_DO
    assert world.credits_topic.published == sent
    world.run_until_quiet()
    ids = Counter(credit["credit_id"] for message in messages(world) for credit in message["credits"])
    assert set(ids.values()) == {1}
