"""What finance asks about deliveries, and its word that a settled campaign is delivered."""

from dataclasses import replace
from decimal import Decimal

import pytest

from kulanz.application.delivery.advance_delivery import NotDelivered, open_settled
from kulanz.application.delivery.campaign_law import counted_lines
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.moved import MovedOf
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.time import format_instant
from tests.support import voiding
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_deliveries import KeptBack
from tests.support.world_door import ANNA, BERT, WorldDoor

BILLING = Channel("billing")
REASON = {"reason": "checked by hand"}


def closed(channel: Channel | None = BILLING) -> World:
    world = small_world(channel=channel)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def test_a_delivery_names_whose_word_or_which_function_opened_it() -> None:
    """Never who requested the campaign: that is another person's word."""
    world = small_world(channel=BILLING)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    ended = settled()
    assert WorldDoor(ended).put(f"deliveries/settled/{CAMPAIGN}/d-1", {"reason": "checked"}, BERT).status == 200
    for of, by in ((world, "advance_campaign"), (ended, BERT.id)):
        found = of.deliveries.over_list(CampaignId.parse(CAMPAIGN))
        assert found is not None
        assert found.opened_by == by
        assert of.campaign(CAMPAIGN).opened_by != by


def test_what_is_to_be_booked_of_a_campaign_is_what_no_void_took_back() -> None:
    world = voiding.closed()
    door = WorldDoor(world)

    def booked() -> dict[str, Decimal]:
        found = door.get(f"deliveries/campaign/{CAMPAIGN}").content["to_be_booked"]
        return {one["measure"]: Decimal(one["sum"]) for one in found}

    def granted() -> dict[str, Decimal]:
        """What the ledger grants net of voids."""
        found = voiding.net(world)
        return {"EUR": Decimal(found.get("EUR", 0)) / 100, "call_minute": Decimal(found.get("call_minute", 0))}

    before = granted()
    assert booked() == before
    voiding.voided(world, voiding.file_of(world, b"account_id\ngranted-1\n"), "some")
    assert booked() == granted() != before
    voiding.voided(world, name="all")
    assert booked() == granted() == dict.fromkeys(before, Decimal(0))


def settled(
    channel: Channel | None = BILLING, state: State = State.CLOSED, reason: str = "settled_by_hand: ok"
) -> World:
    """A campaign that was flagged, and that a person ended."""
    world = small_world(channel=channel, delivers=False)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    campaign = world.campaign(CAMPAIGN)
    for target, why in ((State.FLAGGED, "incident_withdrawn: by its source"), (state, reason)):
        change = world.campaign(CAMPAIGN).change(target, why, Cause("test", "x", "test"), world.now)
        world.campaigns.change_state(world.campaign(CAMPAIGN), change)
    world.delivers = True
    world.run_until_quiet()
    assert campaign.state is State.CLOSED
    return world


def test_a_delivery_is_found_by_its_channel_its_serial_and_its_campaign() -> None:
    door = WorldDoor(closed())
    (listed,) = door.get("deliveries/channel/billing").content["deliveries"]
    one = door.get("deliveries/one/billing/1").content
    of_campaign = door.get(f"deliveries/campaign/{CAMPAIGN}").content
    assert {**one, "v": 1} == {**listed, "v": 1}
    assert of_campaign["delivery"] == listed
    assert of_campaign["why_not"] == ""
    assert (listed["state"], listed["delivery"], listed["folder"]) == (
        "sent", "billing/1", "deliveries/billing/00000001",
    )  # fmt: skip
    assert {one["measure"]: one["sum"] for one in of_campaign["to_be_booked"]} == {
        one["measure"]: one["sum"] for one in listed["sums"]
    }
    assert door.get("deliveries/waiting").content["deliveries"] == []
    assert door.get("deliveries/one/billing/2").status == 404


def test_a_long_channel_comes_in_parts() -> None:
    world = closed()
    first = world.deliveries.delivery(next(iter(world.deliveries.of_channel("billing"))).id)
    assert first is not None
    for serial in range(2, 122):
        other = replace(first.campaign, incident_id=f"other-{serial}")
        world.deliveries.open(replace(first, id=replace(first.id, serial=serial), campaign=other))
    door, serials, cursor = WorldDoor(world), [], ""
    while True:
        page = door.get("deliveries/channel/billing", ANNA, **({"cursor": cursor} if cursor else {})).content
        serials += [int(one["delivery"].rpartition("/")[2]) for one in page["deliveries"]]
        cursor = page["next"]
        if not cursor:
            break
    assert serials == list(range(1, 122))


@pytest.mark.parametrize(
    ("world", "why"),
    [(closed(None), "no channel to billing was set up"), (settled(), "a person ended it")],
    ids=["no channel", "settled"],
)
def test_it_says_why_nothing_is_delivered(world: World, why: str) -> None:
    answer = WorldDoor(world).get(f"deliveries/campaign/{CAMPAIGN}").content
    assert answer["delivery"] is None
    assert why in answer["why_not"]
    assert answer["to_be_booked"]


def test_a_settled_campaign_is_delivered_when_a_person_says_so_once() -> None:
    world = settled()
    door = WorldDoor(world)
    assert world.deliveries.last_serial("billing") == 0, "nothing by itself"
    first = door.put(f"deliveries/settled/{CAMPAIGN}/d-1", REASON)
    again = door.put(f"deliveries/settled/{CAMPAIGN}/d-2", REASON)
    assert (first.status, again.status) == (200, 200)
    assert first.content["delivery"] == again.content["delivery"] == "billing/1"
    world.run_until_quiet()
    assert door.get("deliveries/one/billing/1").content["state"] == "sent"


@pytest.mark.parametrize(
    ("world", "reason"),
    [(settled(None), "no_channel"), (small_world(), "unknown")],
    ids=["no channel", "no campaign"],
)
def test_what_cannot_be_delivered_is_refused_with_its_reason(world: World, reason: str) -> None:
    reply = WorldDoor(world).put(f"deliveries/settled/{CAMPAIGN}/d-1", REASON)
    assert reply.status in (404, 409)
    assert reply.status == 404 or reply.content["reason"] == reason


def test_publishing_again_is_one_round_for_one_id_and_stands_in_the_audit_log() -> None:
    world = closed(Channel.from_text("billing:topic"))
    door = WorldDoor(world)
    assert door.get("deliveries/one/billing/1").content["kind"] == "topic"
    for _ in range(2):
        reply = door.put(f"deliveries/again/{CAMPAIGN}/r-1", REASON)
        assert (reply.status, [one["rounds"] for one in reply.content["deliveries"]]) == (200, [2])
        world.run_until_quiet()
    found = door.get("deliveries/one/billing/1").content
    assert (found["rounds"], found["published"], found["state"]) == (2, found["parts"], "sent")
    entries = [(entry.action, entry.on, entry.reason) for entry in door.actions.entries]
    assert entries == [("deliveries again", CAMPAIGN, REASON["reason"])]


def test_files_are_not_published_again() -> None:
    reply = WorldDoor(closed()).put(f"deliveries/again/{CAMPAIGN}/r-1", REASON)
    assert (reply.status, reply.content["reason"]) == (409, "not_published")


@pytest.mark.parametrize("end", [(State.CLOSED, "settled_by_hand: ok"), (State.CANCELLED, "cancelled_by_hand: no")])
def test_what_a_person_kept_back_stays_due_and_waits_until_it_is_delivered(end: tuple[State, str]) -> None:
    world = settled(BILLING, *end)
    door = WorldDoor(world)
    door.troubles = world.troubles
    (kept,) = door.get("deliveries/waiting").content["kept_back"]
    booked = door.get(f"deliveries/campaign/{CAMPAIGN}").content["to_be_booked"]
    (trouble,) = world.troubles.troubles()
    assert (kept["campaign"], kept["state"], kept["reason"]) == (CAMPAIGN, *end)
    assert kept["since"] == format_instant(trouble.since)
    assert trouble.since > world.campaign(CAMPAIGN).decided_at, "since it was ended, not since it was decided"
    assert kept["due"] == [one for one in booked if one["sum"] not in ("0", "0.00")]
    for _ in range(2):
        assert world.watch().waiting == 1, "somebody is called as long as it is kept back"
    assert door.put(f"deliveries/settled/{CAMPAIGN}/d-1", REASON).status == 200
    world.run_until_quiet()
    world.watch()
    assert door.get("deliveries/waiting").content["kept_back"] == []
    assert world.watch().waiting == 0
    assert {one["measure"]: one["sum"] for one in door.get("deliveries/one/billing/1").content["sums"]} == {
        one["measure"]: one["sum"] for one in kept["due"]
    }


def test_what_was_kept_back_waits_no_more_once_it_is_voided() -> None:
    world = settled(BILLING, State.CANCELLED, "cancelled_by_hand: no")
    of, lines = world.campaign(CAMPAIGN).id, counted_lines(world.campaign(CAMPAIGN), KeptBack(world))
    off = {
        MovedOf(of, line.measure, ""): {
            CreditState.DUE: -line.granted,
            CreditState.VOIDED: line.granted,
        }
        for line in lines
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world.voids, "moved", lambda _: off)
        assert world.watch().waiting == 0
    assert world.troubles.troubles() == []


@pytest.mark.parametrize(
    "world", [closed(), closed(None), settled(None), settled(BILLING, State.CLOSED, "kept_by_hand: ok")],
    ids=["closed by itself", "no channel", "settled without a channel", "kept"],
)  # fmt: skip
def test_what_is_delivered_or_is_not_to_be_is_not_kept_back(world: World) -> None:
    assert world.watch().waiting == 0
    assert world.troubles.troubles() == []


def test_a_campaign_that_was_cancelled_midway_is_not_delivered() -> None:
    world = settled(BILLING, State.CANCELLED, "cancelled_by_hand: no")
    whole = world.campaign(CAMPAIGN)
    half = replace(whole, apply=replace(whole.apply, bytes_done=whole.apply.bytes_done // 2))
    with pytest.raises(NotDelivered) as refused:
        open_settled(half, world.campaigns, world.deliveries, "anna", world.now)
    assert refused.value.reason == "ended_midway"
    assert world.deliveries.last_serial("billing") == 0
    assert open_settled(whole, world.campaigns, world.deliveries, "anna", world.now).id.serial == 1


def test_a_plan_says_what_the_way_to_bills_costs_of_aws_where_it_names_a_channel() -> None:
    for channel, is_told in ((BILLING, True), (None, False)):
        told = WorldDoor(closed(channel)).get(f"campaigns/plan/{CAMPAIGN}").content["delivery_usd"]
        assert (told is not None) is is_told
        assert told is None or 0 < Decimal(told) < 1
