"""What makes a request for a void another one, how many persons it needs, and how large its file may be."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, cancel, may_write_until
from kulanz.application.delivery.ask_void import (
    VoidRefused,
    approve_void,
    ask_void,
    layout_of_file,
    may_take_overpaid,
    persons_needed,
    reject_void,
    settle_void,
)
from kulanz.domain.campaigns.campaign import CampaignId, Cause, PinnedList
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.difference import CAMPAIGNS_MOST
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.void import FILE_BYTES, Ends, Share, Void, VoidApproval, VoidProgress, VoidState, VoidTotals
from kulanz.domain.gate.approval import SUBJECTS_FOR_ONE_PERSON, SUBJECTS_WITHOUT_THRESHOLD
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN
from kulanz.domain.gate.settings import SAFE, GateSettings
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.money import Size
from kulanz.domain.people.caller import Machine, Person
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.voiding import closed, file_of, stands
from tests.support.world import ANNA, BEN, START, World
from tests.support.world_voids import run_voids, void_ports

VOID = VoidId(CampaignId.parse(CAMPAIGN), "wrong-list")

OTHERWISE: Mapping[str, Callable[[World], Any]] = {
    "file": lambda world: file_of(world, b"account_id\ngranted-1\n"),
    "reason": lambda _: "another reason",
    "caller": lambda _: Person(BEN),
    "ends": lambda _: Ends.UNUSED,
    "is_of_overpaid": lambda _: True,
    "asks_biller": lambda _: True,
}
"""Every part of a request, and a value that it has not."""


def ask(world: World, **otherwise: Any) -> Void:
    """A void is asked for, with parts of the request otherwise."""
    asked = {"file": None, "reason": "the wrong list", "caller": Person(ANNA), **otherwise}
    file, reason, caller = asked.pop("file"), asked.pop("reason"), asked.pop("caller")
    return ask_void(VOID, file, reason, caller, void_ports(world), world.now, **asked)


def test_the_same_request_is_the_same_void_and_one_that_differs_anywhere_is_refused() -> None:
    world = closed()
    void = ask(world)
    world.now += timedelta(hours=1)
    assert ask(world) == void
    for part, other in OTHERWISE.items():
        with pytest.raises(VoidRefused) as refused:
            ask(world, **{part: other(world)})
        assert refused.value.reason == "id_taken", part
    assert world.voids.void(VOID) == void


def test_a_void_says_who_asked_for_it_why_and_when() -> None:
    world = closed()
    void = ask(world)
    assert (void.reason, void.requested_by, void.requester) == ("the wrong list", ANNA, ANNA)
    assert (void.opened_at, void.pinned, void.started_at) == (world.now, None, None)
    machine = Machine("role:arn:aws:sts::123456789012:assumed-role/exporter/x", "a role's session")
    file = file_of(world, b"\xef\xbb\xbfaccount_id\ngranted-1\n")
    of_machine = ask_void(VoidId(VOID.campaign, "by-machine"), file, "why", machine, void_ports(world), world.now)
    assert (of_machine.requested_by, of_machine.requester) == (machine.id, "")
    assert (of_machine.pinned, of_machine.data_start) == (file, len(b"\xef\xbb\xbfaccount_id\n"))


def sized(requester: str = ANNA, decisions: int = 1, **sums: Mapping[str, Size]) -> Void:
    """A planned void; `sums` are by the name of what becomes of them."""
    found = {(Share(share), measure): size for share, some in sums.items() for measure, size in some.items()}
    totals = VoidTotals(lines=decisions, decisions=decisions, sums=found)
    return Void(VOID, "why", ANNA, requester, START, plan=VoidProgress(1, 1, totals))


EUR, GB = {"EUR": 500}, {"GB": 7}
ABOVE = replace(SAFE, second_person_above={"EUR": 500, "GB": 7})


@pytest.mark.parametrize(
    ("void", "settings", "persons"),
    [
        (sized(voidable=EUR), ABOVE, 1),
        (sized(voidable={"EUR": 501}), ABOVE, 2),
        (sized(askable=EUR), ABOVE, 1),
        (sized(askable={"EUR": 501}), ABOVE, 2),
        (sized(voidable={"EUR": 250}, askable={"EUR": 250}), ABOVE, 1),
        (sized(voidable={"EUR": 250}, askable={"EUR": 251}), ABOVE, 2),
        (sized(voidable=EUR, used={"EUR": 501}, expired={"EUR": 501}, at_biller={"EUR": 501}), ABOVE, 1),
        (sized(voidable=EUR | GB), ABOVE, 1),
        (sized(voidable=EUR | {"GB": 8}), ABOVE, 2),
        (sized(voidable={"EUR": 501} | GB), ABOVE, 2),
        (sized("", voidable=EUR), ABOVE, 2),
        (sized(decisions=SUBJECTS_FOR_ONE_PERSON, voidable=EUR), ABOVE, 1),
        (sized(decisions=SUBJECTS_FOR_ONE_PERSON + 1, voidable=EUR), ABOVE, 2),
        (sized(decisions=SUBJECTS_WITHOUT_THRESHOLD, voidable={"EUR": 501}), SAFE, 1),
        (sized(decisions=SUBJECTS_WITHOUT_THRESHOLD + 1, voidable=EUR), SAFE, 2),
        (sized(decisions=SUBJECTS_WITHOUT_THRESHOLD + 1, voidable=EUR), ABOVE, 1),
        (sized(decisions=SUBJECTS_WITHOUT_THRESHOLD + 1, voidable=EUR | {"lift": 1}), ABOVE, 2),
        (sized("", SUBJECTS_FOR_ONE_PERSON + 1, voidable={"EUR": 501}), replace(ABOVE, lone_operator=True), 1),
    ],
)
def test_a_void_needs_two_persons_above_each_limit_and_one_at_it(
    void: Void, settings: GateSettings, persons: int
) -> None:
    assert persons_needed(void, settings) == persons


@pytest.mark.parametrize(("size", "is_read"), [(FILE_BYTES + 1, False), (FILE_BYTES, True), (0, False)])
def test_a_file_may_be_as_large_as_is_said_and_no_larger(size: int, is_read: bool) -> None:
    world = closed()
    head = b"account_id\n"
    content = (head + b"\n" * (size - len(head)))[:size]
    pinned: PinnedList = file_of(world, content)
    assert pinned.size == size
    campaign = world.campaign(CAMPAIGN)
    if is_read:
        assert layout_of_file(pinned, campaign, world.lists).data_start == len(head)
        return
    with pytest.raises(VoidRefused) as refused:
        layout_of_file(pinned, campaign, world.lists)
    assert refused.value.reason == "file_size"


def test_ids_of_a_file_have_the_shapes_that_those_of_the_campaigns_list_have() -> None:
    world = closed()
    accounts, subjects = IdShape(pattern="a"), IdShape(pattern="b")
    campaign = world.campaign(CAMPAIGN)
    stated = replace(
        campaign, subject="line", layout=replace(campaign.layout, account_ids=accounts, subject_ids=subjects)
    )
    found = layout_of_file(file_of(world, b"account_id,line\na,b\n"), stated, world.lists)
    assert (found.account_ids, found.subject_ids) == (accounts, subjects)


def machine_asked(world: World) -> Void:
    """A void that a machine asked for, planned: two persons approve it."""
    asker = Machine("role:arn:aws:sts::123456789012:assumed-role/exporter/x", "a role's session")
    ask_void(VOID, None, "the wrong list", asker, void_ports(world), world.now)
    run_voids(world)
    return stands(world, Void(VOID, "", "", "", world.now))


def approve(world: World, person: str, name: str, digits: int = 64) -> Void:
    """A person approves what stands, by so many digits of its hash."""
    plan_hash = stands(world, Void(VOID, "", "", "", world.now)).plan_hash[:digits]
    return approve_void(VOID, plan_hash, name, Person(person), void_ports(world), world.now)


def test_a_void_keeps_who_approved_it_as_what_and_when_and_starts_with_the_last_yes() -> None:
    world = closed()
    machine_asked(world)
    first_at = world.now = world.now + timedelta(minutes=1)
    first = approve(world, BEN, "ben-1", HASH_DIGITS_SHOWN)
    assert first.approvals == (VoidApproval("ben-1", BEN, first_at),)
    assert (first.state, first.started_at) == (VoidState.AWAITING_APPROVAL, None)
    last_at = world.now = world.now + timedelta(minutes=1)
    last = approve(world, ANNA, "anna-1")
    assert last.approvals == (VoidApproval("ben-1", BEN, first_at), VoidApproval("anna-1", ANNA, last_at))
    assert (last.state, last.state_reason, last.started_at) == (VoidState.VOIDING, "approved: by 2", last_at)
    record = world.campaigns.incident(VOID.campaign.incident_id)
    assert record is not None
    assert record.voiding == str(VOID)
    world.now += timedelta(minutes=1)
    for name, person in (("ben-1", BEN), ("anna-1", ANNA)):
        assert approve(world, person, name) == stands(world, last), "a yes that comes again is the same"


@pytest.mark.parametrize("first", [ANNA, BEN])
def test_whoever_said_yes_before_says_it_not_again_under_another_id(first: str) -> None:
    """Also where somebody else said it since, in which case one more is needed."""
    world = closed()
    machine_asked(world)
    approve(world, first, "first")
    stood = stands(world, Void(VOID, "", "", "", world.now))
    given = (*stood.approvals, VoidApproval("second", "iam:arn:aws:iam::123456789012:user/clea", world.now))
    world.voids._set(replace(stood, approvals=given))
    with pytest.raises(VoidRefused) as refused:
        approve(world, first, "again")
    assert refused.value.reason == "approved_before"


def test_a_void_approved_when_its_workers_may_no_longer_write_starts_at_that_instant() -> None:
    world = small_world(chunk_bytes=300)
    world.publish(event(rows=ROWS))
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    control = ControlPorts(world.campaigns, world.chunks, world.stores)
    cancel(VOID.campaign, control, "wrong", Cause("an operator", "by hand", "test"), world.now)
    until = may_write_until(world.campaign(CAMPAIGN), world.campaigns)
    assert until is not None
    for before, reason in ((timedelta(microseconds=1), "workers_may_write"), (timedelta(0), "")):
        world.now, got = until - before, ""
        try:
            ask(world)
        except VoidRefused as refusal:
            got = refusal.reason
        assert got == reason


def test_what_a_person_says_ends_a_void_with_that_persons_name_and_reason_and_no_other() -> None:
    """Said again it is the same; said by somebody else, or for another reason, it is refused."""
    ends: Mapping[VoidState, Callable[..., Void]] = {
        VoidState.AWAITING_APPROVAL: reject_void,
        VoidState.FLAGGED: settle_void,
    }
    for state, end in ends.items():
        world = closed()
        machine_asked(world)
        stood = stands(world, Void(VOID, "", "", "", world.now))
        world.voids._set(replace(stood, state=state, state_reason="differs: by 7"))
        given = stands(world, stood).plan_hash
        after = end(VOID, given, "no more", Person(BEN), void_ports(world))
        said = {reject_void: f"rejected by {BEN}: no more", settle_void: f"settled by {BEN}: no more; differs: by 7"}
        assert after.state_reason == said[end]
        assert end(VOID, given, "no more", Person(BEN), void_ports(world)) == after
        for reason, person in (("no more", ANNA), ("no less", BEN)):
            with pytest.raises(VoidRefused) as refused:
                end(VOID, given, reason, Person(person), void_ports(world))
            assert refused.value.reason == {reject_void: "not_waiting", settle_void: "not_flagged"}[end]
        assert stands(world, stood) == after


@pytest.mark.parametrize("over", ["over_list", "over_additions"])
@pytest.mark.parametrize("state", DeliveryState)
def test_what_a_delivery_has_can_be_asked_back_once_it_is_sent_also_one_of_what_was_added(
    over: str, state: DeliveryState
) -> None:
    """One that is not may still be flagged: what it has assigned, no biller has."""
    world = closed()
    of = Delivery(DeliveryId("billing", 7), VOID.campaign, FileFormat.CSV, START, "cause", state=state)
    found = {"over_list": None, "over_additions": ()} | {over: of if over == "over_list" else (of,)}
    stub: Any = SimpleNamespace(**{name: lambda _, one=one: one for name, one in found.items()})
    ports = replace(void_ports(world), deliveries=stub)
    asked = (VOID, None, "why", Person(ANNA), ports, world.now)
    if of.is_released:
        assert ask_void(*asked, asks_biller=True).asks_biller
        return
    with pytest.raises(VoidRefused, match=f"billing/7 is {state}; what it has") as refused:
        ask_void(*asked, asks_biller=True)
    assert refused.value.reason == "delivery_under_way"


@pytest.mark.parametrize("state", DeliveryState)
def test_a_void_here_waits_for_a_delivery_only_while_that_takes_credits(state: DeliveryState) -> None:
    world = closed()
    of = Delivery(DeliveryId("billing", 7), VOID.campaign, FileFormat.CSV, START, "cause", state=state)
    stub: Any = SimpleNamespace(over_list=lambda _: of, over_additions=lambda _: ())
    asked = (VOID, None, "why", Person(ANNA), replace(void_ports(world), deliveries=stub), world.now)
    if state is not DeliveryState.ASSIGNING:
        assert ask_void(*asked).id == VOID
        return
    with pytest.raises(VoidRefused, match="the delivery billing/7 is under way; try again") as refused:
        ask_void(*asked)
    assert refused.value.reason == "delivery_under_way"


@pytest.mark.parametrize(("earlier", "is_refused"), [(CAMPAIGNS_MOST, False), (CAMPAIGNS_MOST + 1, True)])
def test_more_earlier_campaigns_than_the_limit_are_said_to_be_more(earlier: int, *, is_refused: bool) -> None:
    world = closed()
    campaign = world.campaign(CAMPAIGN)
    many = replace(campaign, follows=tuple(range(1, earlier + 1)))
    try:
        may_take_overpaid(many, world.campaigns)
    except VoidRefused as refused:
        said = (refused.reason, f"sets off more than {CAMPAIGNS_MOST} earlier ones" in str(refused))
    else:
        said = ("", False)
    assert said == (("too_many_earlier", True) if is_refused else ("", False))
