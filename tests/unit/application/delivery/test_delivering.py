"""What a closed campaign granted is in one delivery, once, to the cent; and nothing is released before all of it is."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from kulanz.application.delivery import advance_delivery as advance_module
from kulanz.application.delivery.advance_delivery import advance_delivery, granted_by_list, open_settled
from kulanz.application.delivery.world import EntriesChange
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.channel import Channel, FileFormat
from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.standing import CreditState, standing
from kulanz.domain.halt import Halt, HaltAction, Verb
from kulanz.domain.ledger.entries import granted_benefits
from tests.support.billing_files import ReadDelivery, is_released, read_delivery
from tests.support.faults import HALVABLE, Fault, Tap, fault_at
from tests.support.left_alike import Ends, struck
from tests.support.small_campaign import (
    CAMPAIGN,
    POLICY,
    ROWS,
    event,
    list_of,
    row,
    sealed_policy,
    small_world,
)
from tests.support.world import ANNA, BEN, World
from tests.support.world_deliveries import delivery_ports
from tests.support.world_door import WorldDoor

BILLING = Channel("billing")
FIRST = DeliveryId("billing", 1)


def closed(content: bytes | None = None, rows: int = ROWS, **settings: Any) -> World:
    """A world whose campaign has closed."""
    settings.setdefault("channel", BILLING)
    world = small_world(**({} if content is None else {"content": content}), **settings)
    world.publish(event(rows=rows))
    world.run_until_quiet()
    return world


def delivery(world: World) -> Delivery:
    found = world.deliveries.delivery(FIRST)
    assert found is not None
    return found


def read(world: World) -> ReadDelivery:
    return read_delivery(world.archive.documents, FIRST.folder)


def granted(world: World) -> Mapping[str, tuple[str, Decimal, str]]:
    """What the ledger grants, by the id of its credit: account, amount and measure. Worked out anew."""
    found = {}
    for entry in world.ledger.all_entries():
        for place, benefit in enumerate(granted_benefits(entry)):
            money = benefit.money
            amount = Decimal(benefit.quantity) if money is None else Decimal(money.minor).scaleb(-2)
            measure = benefit.unit if money is None else money.currency
            found[credit_id(entry.key, place)] = (entry.key.account_id, amount, measure)
    return found


def booked(world: World) -> Mapping[str, tuple[str, Decimal, str]]:
    credits_ = read(world).credits.items()
    return {id_: (one["account_id"], Decimal(one["amount"]), one["measure"]) for id_, one in credits_}


def test_every_credit_of_a_closed_campaign_is_delivered_once_and_to_the_cent() -> None:
    world = closed()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert delivery(world).state is DeliveryState.SENT
    assert booked(world) == granted(world)
    assert len(booked(world)) > 10
    assert delivery(world).sums.by_measure() == granted_by_list(world.campaign(CAMPAIGN))
    assert read(world).campaign == CAMPAIGN
    sent = [one for one in world.announcer.announced if one.detail_type == "Delivery Sent"]
    assert len(sent) == 1


def test_each_decision_says_where_its_credits_went() -> None:
    world = closed()
    for entry in world.ledger.all_entries():
        entries = world.credits.of(entry.key)
        if entry.status is not Outcome.GRANTED:
            assert entries == ()
            continue
        (assigned,) = entries
        assert assigned.benefits == tuple(range(len(granted_benefits(entry))))
        assert standing(entries, 0, 1).delivery == str(FIRST)


def test_json_lines_say_the_same() -> None:
    world = closed(channel=Channel("billing", format=FileFormat.JSONL))
    assert booked(world) == granted(world)
    assert all(key.endswith(".jsonl") for key in world.archive.documents if key.startswith(FIRST.folder))


@pytest.mark.parametrize("stack", [None, Channel("elsewhere")])
def test_a_policy_that_names_a_channel_is_delivered_there_whatever_the_stack_names(stack: Channel | None) -> None:
    world = small_world(channel=stack)
    text = POLICY.replace("version: 1", "version: 2") + "\nchannel: billing:jsonl\n"
    world.policies.publish("net-credit", 2, sealed_policy(text))
    world.publish(event(rows=ROWS, policy_version=2))
    world.run_until_quiet()
    assert world.deliveries.last_serial("elsewhere") == 0
    assert booked(world) == granted(world)
    assert delivery(world).form is FileFormat.JSONL
    plan = world.campaigns.filed_plan(CampaignId.parse(CAMPAIGN))
    assert plan is not None
    assert plan.channel == Channel("billing", format=FileFormat.JSONL)


def test_nothing_is_delivered_without_a_channel_or_where_nothing_was_granted() -> None:
    assert closed(channel=None).deliveries.open_deliveries() == []
    nothing = closed(list_of([row("a-1", affected="no")]), rows=1)
    assert nothing.deliveries.last_serial("billing") == 0


def test_a_channel_that_changes_after_the_plan_changes_no_plan() -> None:
    world = small_world(channel=BILLING, approvers=())
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    world.channel, world.approvers = Channel("elsewhere"), (ANNA, BEN)
    plan = world.campaigns.filed_plan(world.campaign(CAMPAIGN).id)
    assert plan is not None
    assert plan.channel == BILLING
    world.run_until_quiet()
    assert delivery(world).state is DeliveryState.SENT


def test_the_account_has_the_billers_key_where_the_list_has_one() -> None:
    header = b"account_id,segment,affected,fee,language,note,biller_account"
    lines = [row("a-1") + b",K-77", row("a-2") + b",K-78"]
    world = closed(list_of(lines, header), rows=2)
    keys = {one["account_id"]: one["biller_account"] for one in read(world).credits.values()}
    assert keys == {"a-1": "K-77", "a-2": "K-78"}


def test_the_deadline_is_counted_by_the_bill_dates_that_the_list_has() -> None:
    header = b"account_id,segment,affected,fee,language,note,next_bill_on"
    lines = [row("a-1") + b",2026-04-05|2026-05-05", row("a-2") + b",2026-04-05", row("a-3") + b","]
    world = closed(list_of(lines, header), rows=3)
    dues = {one["account_id"]: one["due"][:10] for one in read(world).credits.values()}
    assert dues["a-1"] == dues["a-2"] != dues["a-3"]
    assert dues["a-1"].startswith("2026-05-0")
    counted = {one["account_id"]: one["due_by"] for one in read(world).credits.values()}
    assert counted == {"a-1": "list", "a-2": "list_and_months", "a-3": "policy"}
    world.now = max(due.due for due in world.deliveries.dues)
    door = WorldDoor(world)
    late = door.get(f"overdue/{CAMPAIGN}").content["credits"]
    assert {one["account_id"]: (one["due"][:10], one["due_by"]) for one in late} == {
        account: (dues[account], counted[account]) for account in dues
    }
    for account, by in counted.items():
        (decision,) = door.get(f"accounts/{account}", incident=CAMPAIGN.partition("/")[0]).content["decisions"]
        assert {one["due_by"] for one in decision["credits"]} == {by}
    owed = {due.due.date().isoformat(): number for due, (number, _) in world.deliveries.dues.items()}
    assert owed == {dues["a-1"]: 2, dues["a-3"]: 1}


def test_what_the_policy_says_of_the_bill_is_in_the_credit() -> None:
    text = POLICY.replace(
        "due: 2 billing cycles",
        "due: 2 billing cycles\nbill: {text: {en: Credit, de: Gutschrift}, reason_code: SVC, ledger_account: '4000'}",
    ).replace("version: 1", "version: 2")
    world = small_world(list_of([row("a-1", language="de"), row("a-2", language="fr")]), channel=BILLING)
    world.policies.publish("net-credit", 2, sealed_policy(text))
    world.publish(event(rows=2, policy_version=2))
    world.run_until_quiet()
    found = [one for one in read(world).credits.values() if one["measure"] == "EUR"]
    assert {one["account_id"]: one["text"] for one in found} == {"a-1": "Gutschrift", "a-2": "Credit"}
    assert {(one["reason_code"], one["treatment"], one["ledger_account"]) for one in found} == {("SVC", "", "4000")}
    assert {one["due"] for one in found} == {"2026-05-01T22:00:00Z"}  # the end of 1 May in Berlin


@pytest.mark.parametrize("worker_seconds", [41.0, 45.0, 120.0])
@pytest.mark.parametrize("chunk_bytes", [2_000, 20_000, 1_000_000])
def test_however_the_list_is_cut_the_same_is_delivered(chunk_bytes: int, worker_seconds: float) -> None:
    world = closed(chunk_bytes=chunk_bytes, worker_seconds=worker_seconds, seconds_per_look=0.5)
    assert delivery(world).state is DeliveryState.SENT
    assert booked(world) == granted(world)


FEW_LINES = [row("twice-1"), row("twice-1")] + [row(f"a-{number}", language="en") for number in range(12)]
"""Two chunks of a list, with a row that stands twice."""


@cache
def _just_closed() -> World:
    return closed(list_of(FEW_LINES), rows=len(FEW_LINES), delivers=False)


def just_closed(tap: Tap) -> World:
    """A campaign that has closed, and whose record comes once more: all calls from here on are of its delivery."""
    world = _just_closed().copy()
    world.tap, world.delivers = tap, True
    world.campaigns.changes.append(world.campaign(CAMPAIGN).id)
    return world


def settled(world: World) -> tuple[Any, ...]:
    """What must not depend on faults: which credits, in which parts, and the entries but for their instants."""
    for _ in range(4):
        world.run_until_quiet()
        world.watch()
    found = read(world)
    entries = {
        str(entry.key): [(one.kind, one.benefits, one.delivery) for one in world.credits.of(entry.key)]
        for entry in world.ledger.all_entries()
    }
    told = {one.detail_type for one in world.announcer.announced}
    return found.credits.keys(), found.parts, entries, delivery(world).state, delivery(world).sums.found, told


END = Ends(settled)


@cache
def clean() -> tuple[tuple[Any, ...], tuple[str, ...]]:
    tap = Tap()
    world = just_closed(tap)
    world.run_until_quiet()
    calls = tuple(tap.calls)
    return settled(world), calls


FAULTS = [fault for fault in Fault if fault is not Fault.HALF_DONE]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_any_call_changes_nothing_in_the_end(fault: Fault) -> None:
    expected, calls = clean()
    assert len(calls) > 30
    for number in range(len(calls)):
        world = just_closed(Tap(fault_at(number, fault)))
        assert END(struck(world)) == expected, f"{fault} at call {number}, {calls[number]}"


def test_a_call_that_is_half_done_changes_nothing_in_the_end() -> None:
    expected, calls = clean()
    halvable = [number for number, name in enumerate(calls) if name in HALVABLE]
    assert {calls[number] for number in halvable} == {"credits.write_entries", "chunks.send_deliveries"}
    for number in halvable:
        assert settled(just_closed(Tap(fault_at(number, Fault.HALF_DONE)))) == expected, number


def test_records_that_come_again_deliver_nothing_twice() -> None:
    world = closed()
    before = dict(world.archive.documents)
    world.repeat_streams()
    world.run_until_quiet()
    assert world.deliveries.last_serial("billing") == 1
    assert {key: one for key, one in world.archive.documents.items() if "deliveries/" in key} == {
        key: one for key, one in before.items() if "deliveries/" in key
    }


def test_nothing_is_released_before_every_part_is_there() -> None:
    seen = []
    world = just_closed(Tap())
    while steps := world.steps():
        found = world.deliveries.delivery(FIRST)
        seen.append(is_released(world.archive.documents, FIRST.folder))
        if seen[-1]:
            assert found is not None
            assert found.bytes_done == world.campaign(CAMPAIGN).chunks.total_bytes
        world.run(steps[0])
    assert set(seen) == {False, True}


def test_a_halt_stops_a_delivery_and_lifting_it_lets_it_go_on() -> None:
    world = just_closed(Tap())
    before = world.campaigns.halt()
    action = HaltAction("h-1", Verb.SET, "a person", "a test", world.now)
    halted = Halt(version=1, number=1, set=action)
    world.campaigns.change_halt(before, halted, action)
    world.run_until_quiet()
    world.watch()
    world.run_until_quiet()
    assert delivery(world).state is DeliveryState.ASSIGNING
    assert delivery(world).lines == 0
    assert all(world.credits.of(entry.key) == () for entry in world.ledger.all_entries())
    lifting = HaltAction("h-2", Verb.LIFT, "another person", "over", world.now)
    world.campaigns.change_halt(halted, Halt(version=2, number=1), lifting)
    expected, _ = clean()
    assert settled(world) == expected


def test_a_halt_stops_the_trailer_of_a_delivery_whose_parts_are_all_written() -> None:
    world = just_closed(Tap())
    while world.deliveries.delivery(FIRST) is None or not is_written(world):
        world.run(world.steps()[0])
    before, action = world.campaigns.halt(), HaltAction("h-1", Verb.SET, "a person", "a wrong file", world.now)
    halted = Halt(version=1, number=1, set=action)
    world.campaigns.change_halt(before, halted, action)
    world.run_until_quiet()
    world.watch()
    assert delivery(world).state is DeliveryState.ASSIGNING
    assert not is_released(world.archive.documents, FIRST.folder)
    lifting = HaltAction("h-2", Verb.LIFT, "another person", "over", world.now)
    world.campaigns.change_halt(halted, Halt(version=2, number=1), lifting)
    expected, _ = clean()
    assert settled(world) == expected


def is_written(world: World) -> bool:
    """Whether receipts cover the whole list of the delivery."""
    found = delivery(world)
    first, end = found.bounds(world.campaign(CAMPAIGN))
    return found.bytes_done == end - first


def test_nothing_more_is_assigned_or_released_of_a_campaign_that_was_flagged_until_a_person_settles_it() -> None:
    """An incident that is withdrawn while its credits are on the way: what is not sent need not be taken back."""
    world = just_closed(Tap())
    world.run(world.steps()[0])  # the delivery opens

    def moved(target: State, reason: str) -> None:
        campaign = world.campaign(CAMPAIGN)
        change = campaign.change(target, reason, Cause("test", "x", "test"), world.now)
        world.campaigns.change_state(campaign, change)

    moved(State.FLAGGED, "incident_withdrawn: by its source")
    for _ in range(3):
        world.run_until_quiet()
        world.watch()
    assert (delivery(world).state, delivery(world).lines) == (DeliveryState.ASSIGNING, 0)
    assert not is_released(world.archive.documents, FIRST.folder)
    moved(State.CLOSED, "settled_by_hand: pay it all the same")
    expected, _ = clean()
    assert settled(world)[:4] == expected[:4]


def test_a_decision_that_is_gone_flags_the_delivery_and_nothing_is_released() -> None:
    world = just_closed(Tap())
    gone = next(entry for entry in world.ledger.all_entries() if entry.status is Outcome.GRANTED)
    world.ledger.forget(gone.key)
    world.run_until_quiet()
    assert delivery(world).state is DeliveryState.FLAGGED
    assert delivery(world).reason.startswith("sums_differ: EUR: to be booked ")
    assert not is_released(world.archive.documents, FIRST.folder)
    assert "Delivery Flagged" in {one.detail_type for one in world.announcer.announced}
    assert advance_delivery(FIRST, delivery_ports(world), world.now) is DeliveryState.FLAGGED
    assert world.deliveries.open_deliveries() == [FIRST]


def test_a_flagged_delivery_is_compared_again_and_released_only_where_it_is_right_now() -> None:
    world = just_closed(Tap())
    granted_by = advance_module.granted_by_list
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(advance_module, "granted_by_list", lambda one: {**granted_by(one), "EUR": 1})
        world.run_until_quiet()
        for _ in range(2):
            assert delivery(world).state is DeliveryState.FLAGGED
            open_settled(world.campaign(CAMPAIGN), world.campaigns, world.deliveries, "anna", world.now)
            assert delivery(world).state is DeliveryState.ASSIGNING
            world.run_until_quiet()
        assert delivery(world).state is DeliveryState.FLAGGED
        assert not is_released(world.archive.documents, FIRST.folder)
    open_settled(world.campaign(CAMPAIGN), world.campaigns, world.deliveries, "anna", world.now)
    world.run_until_quiet()
    assert settled(world)[:4] == clean()[0][:4]
    assert delivery(world).state is DeliveryState.SENT


def test_what_stands_elsewhere_is_not_delivered_again_and_counts_once() -> None:
    world = just_closed(Tap())
    first, second, *_ = [entry for entry in world.ledger.all_entries() if entry.status is Outcome.GRANTED]
    other = CreditEntry(EntryKind.ASSIGNED, world.now, "test", "other/1", (0, 1), delivery="other/1")
    off = CreditEntry(EntryKind.WRITTEN_OFF, world.now, "test", "off", (0,))
    world.credits.write_entries([EntriesChange(first.key, (), (other,)), EntriesChange(second.key, (), (off,))])
    world.run_until_quiet()
    assert delivery(world).state is DeliveryState.SENT
    left_out = {credit_id(first.key, 0), credit_id(first.key, 1), credit_id(second.key, 0)}
    assert booked(world).keys() == granted(world).keys() - left_out
    assert delivery(world).elsewhere.number == 3
    assert standing(world.credits.of(second.key), 0, 1).state is CreditState.WRITTEN_OFF


def test_what_somebody_else_assigns_between_reading_and_writing_is_not_delivered_here() -> None:
    tap = Tap()
    world = just_closed(tap)
    granting = [entry for entry in world.ledger.all_entries() if entry.status is Outcome.GRANTED]
    victim = min(granting, key=lambda entry: entry.origin)  # it has been read when the first ones are written
    other = CreditEntry(EntryKind.ASSIGNED, world.now, "test", "other/1", (0, 1), delivery="other/1")
    raced: list[bool] = []

    def race(_: int, name: str) -> None:
        if name == "credits.write_entries" and not raced:
            raced.extend(world.credits.write_entries([EntriesChange(victim.key, (), (other,))]))

    tap.choose = race
    world.run_until_quiet()
    assert raced == [True]
    assert delivery(world).state is DeliveryState.SENT
    assert booked(world).keys() == granted(world).keys() - {credit_id(victim.key, 0), credit_id(victim.key, 1)}
    assert world.credits.of(victim.key) == (other,)


def test_serials_of_a_channel_have_no_gap() -> None:
    world = closed()
    for number in (2, 3):
        incident = f"outage-{number}"
        windows = [{"start": f"2026-02-2{number}T08:00:00Z", "end": f"2026-02-2{number}T20:00:00Z"}]
        world.publish(event(rows=ROWS, incident_id=incident, windows=windows))
        world.run_until_quiet()
    assert [one.id.serial for one in world.deliveries.of_channel("billing")] == [1, 2, 3]
    assert [one.state for one in world.deliveries.of_channel("billing")] == [DeliveryState.SENT] * 3
