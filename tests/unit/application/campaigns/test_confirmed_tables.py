"""A stack that does not remember what was granted grants nothing: over tables that nobody confirmed no
campaign opens, no plan is approved, and no execution starts or goes on.
"""

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, ControlRefused, pause, resume
from kulanz.application.ledger.accept_offer import OfferRefused
from kulanz.application.ledger.check_ledger import Checked, check_ledger
from kulanz.application.ledger.confirm_tables import NotConfirmed, confirm_tables
from kulanz.application.ports import PinnedVersionGone
from kulanz.domain.campaigns.campaign import CampaignId, Cause, Progress, State
from kulanz.domain.campaigns.reconciliation import WriteResult
from kulanz.domain.confirmation import Confirmation, Occasion, Tables, missing
from kulanz.domain.gate.approval import ApprovalRefused
from kulanz.domain.gate.settings import GateSettings
from tests.support.accepted_offer import accept, waiting
from tests.support.faults import Fault
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import ANNA, BEN, World
from tests.support.world_door import WorldDoor, check_ports

ID = CampaignId.parse(CAMPAIGN)


def closed() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def checked(world: World) -> Checked:
    return check_ledger(ID, check_ports(WorldDoor(world)), world.now)


def check(world: World) -> list[tuple[str, int, int]]:
    return [(one.what, int(one.planned), int(one.applied)) for one in checked(world).differences]


def test_after_a_table_was_replaced_the_same_event_records_an_incident_and_grants_nothing() -> None:
    world = small_world()
    world.stores.replace_tables()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()

    assert [refused.reason for refused in world.rejected.sent] == ["tables_unconfirmed"]
    assert world.ledger.all_entries() == []
    assert world.campaigns.incident(ID.incident_id) is not None, "what happened is recorded all the same"

    confirm_tables(world.stores, Occasion.CHECKED, "a person", "compared", world.now)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.ledger.all_entries() != []


@pytest.mark.parametrize("replaced", ["credits", "campaigns"])
def test_a_word_is_about_both_tables_and_no_more_where_one_of_them_was_replaced(replaced: str) -> None:
    tables = Tables("credits@1", "campaigns@1")
    given = Confirmation(tables, Occasion.FIRST, "anna", "new account", small_world().now)

    assert missing(given, tables) == ""
    assert "was replaced or restored" in missing(given, replace(tables, **{replaced: "restored@2"}))


def test_tables_that_hold_something_are_not_those_of_a_first_deployment() -> None:
    world = closed()
    world.stores.replace_tables()

    with pytest.raises(NotConfirmed, match="not the first deployment"):
        confirm_tables(world.stores, Occasion.FIRST, "a person", "new", world.now)


def test_a_confirmation_says_who_and_why_and_is_given_once() -> None:
    world = small_world()
    world.stores.replace_tables()
    first = confirm_tables(world.stores, Occasion.FIRST, "anna", "new account", world.now)
    again = confirm_tables(world.stores, Occasion.FIRST, "ben", "again", world.now + timedelta(hours=1))

    assert again == first
    assert (first.actor, first.reason, first.tables) == ("anna", "new account", world.stores.tables())


@pytest.mark.parametrize("replaced", ["credits", "campaigns"])
def test_whichever_table_was_replaced_a_person_confirms_it_with_a_new_word(
    replaced: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world()
    confirm_tables(world.stores, Occasion.FIRST, "anna", "new account", world.now)
    tables = replace(world.stores.tables(), **{replaced: "restored@2"})
    monkeypatch.setattr(world.stores, "tables", lambda: tables)
    given = confirm_tables(world.stores, Occasion.CHECKED, "ben", "compared", world.now)

    assert (given.tables, given.actor) == (tables, "ben")
    assert world.stores.confirmation() == given


def test_a_whole_ledger_agrees_with_the_receipts_rows_listed_twice_included() -> None:
    assert check(closed()) == []


def test_a_ledger_that_was_restored_to_an_earlier_instant_is_found_short_in_number_and_sum() -> None:
    world = closed()
    granted = next(entry for entry in world.ledger.all_entries() if entry.key.account_id == "granted-1")
    world.ledger.forget(granted.key)

    differences = check(world)

    assert differences[0][0] == "decisions"
    assert differences[0][1] - differences[0][2] == 1
    assert [(planned - found) for what, planned, found in differences if what == "EUR"] == [299]


def test_a_campaign_that_has_written_nothing_has_nothing_to_compare() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run(world.steps()[0])
    assert check(world) == []


def killed_before_receipts_of_the_execution(*, after: int) -> World:
    """A world whose workers die before each receipt of the execution but the first `after`."""
    world = small_world()
    seen = 0

    def choose(_: int, name: str) -> Fault | None:
        nonlocal seen
        campaign = world.campaigns.campaign(ID)
        if campaign is None or campaign.state is not State.APPLYING or name != "campaigns.record_receipt":
            return None
        seen += 1
        return Fault.KILLED_BEFORE if seen > after else None

    world.tap.choose = choose
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


@pytest.mark.parametrize("receipts", [0, 1])
def test_what_a_stopped_worker_wrote_and_nobody_counted_is_said_and_is_no_difference_but_a_loss_is(
    receipts: int,
) -> None:
    world = killed_before_receipts_of_the_execution(after=receipts)
    counted = world.campaign(CAMPAIGN).apply.totals.ledger_count()
    written = world.ledger.all_entries()
    assert (counted > 0) == (receipts > 0)
    assert counted < len(written)

    found = checked(world)
    assert (found.differences, found.decisions) == ((), len(written))
    assert ("decisions", counted, len(written)) in [(one.what, one.planned, one.applied) for one in found.beyond]
    while len(world.ledger.all_entries()) >= max(counted, 1):
        world.ledger.forget(world.ledger.all_entries()[0].key)
    assert ("decisions", counted, counted - 1) in check(world) if counted else check(world) == []


@pytest.mark.parametrize("state", [State.PLANNING, State.REFUSED])
def test_decisions_of_a_campaign_whose_execution_never_began_are_a_difference(state: State) -> None:
    """The table of campaigns is older than that of decisions: nobody else can have written them."""
    world = closed()
    kept = world.campaigns._campaigns[ID]
    kept.campaign = replace(kept.campaign, state=state, apply=Progress())
    kept.log[1:] = []
    decisions = len(world.ledger.all_entries())
    assert ("decisions", 0, decisions) in check(world)


def test_a_finished_campaign_holds_no_more_than_its_receipts_say() -> None:
    world = closed()
    entry = world.ledger.all_entries()[0]
    kept = world.campaigns._campaigns[ID]
    totals = deepcopy(kept.campaign.apply.totals)
    place = next(key for key in totals.counts if key.write_result is WriteResult.WRITTEN)
    totals.counts[place] -= 1
    kept.campaign = replace(kept.campaign, apply=replace(kept.campaign.apply, totals=totals))
    assert [(what, ledger - receipts) for what, receipts, ledger in check(world)] == [("decisions", 1)], entry.key


def test_a_list_that_is_gone_stops_the_comparison_only_where_something_was_counted() -> None:
    begun, planned = closed(), small_world()
    planned.publish(event(rows=ROWS))
    planned.run(planned.steps()[0])
    for world in (begun, planned):
        pinned = world.campaign(CAMPAIGN).pinned
        world.lists.delete_version(pinned.key, pinned.version_id)
    with pytest.raises(PinnedVersionGone):
        check(begun)
    assert not checked(planned).is_read


def _restored(world: World) -> World:
    """The same world on tables that were restored since."""
    world.stores.replace_tables()
    return world


def _confirmed(world: World) -> None:
    confirm_tables(world.stores, Occasion.CHECKED, "a person", "compared", world.now)


def test_a_plan_that_waited_while_a_table_was_restored_is_approved_only_after_the_comparison() -> None:
    world = small_world(approvers=())
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    world.approve(ID, ANNA)
    _restored(world)
    with pytest.raises(ApprovalRefused) as refused:
        world.approve(ID, BEN)
    assert refused.value.reason == "tables_unconfirmed"
    assert "do the same again" in str(refused.value)
    world.run_until_quiet()
    assert (world.campaign(CAMPAIGN).state, world.ledger.all_entries()) == (State.AWAITING_APPROVAL, [])

    _confirmed(world)
    world.approve(ID, BEN)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


def test_no_offer_is_accepted_over_restored_tables_until_they_were_compared() -> None:
    """The copy may have forgotten an acceptance: then it would be granted, and paid, twice."""
    world = waiting()
    _restored(world)
    with pytest.raises(OfferRefused) as refused:
        accept(world)
    assert refused.value.reason == "tables_unconfirmed"
    assert [entry.accepted_at for entry in world.ledger.all_entries()] == [None] * len(world.ledger.all_entries())
    _confirmed(world)
    assert accept(world)


def test_nothing_starts_automatically_on_restored_tables() -> None:
    below = {"EUR": 10**9, "call_minute": 10**9}
    world = small_world(gate=GateSettings(below, below, {}, frozenset({"billing"})), approvers=())
    world.publish(event(rows=ROWS))
    while world.campaigns.campaign(ID) is None:
        world.run(world.steps()[0])
    _restored(world)
    world.run_until_quiet()
    assert (world.campaign(CAMPAIGN).state, world.ledger.all_entries()) == (State.AWAITING_APPROVAL, [])

    _confirmed(world)
    world.watch()
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


@pytest.mark.parametrize("begun", [False, True])
def test_a_paused_campaign_goes_on_over_restored_tables_only_after_the_comparison(begun: bool) -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    state = State.APPLYING if begun else State.PLANNING
    while (found := world.campaigns.campaign(ID)) is None or found.state is not state:
        world.run(world.steps()[0])
    ports, cause = ControlPorts(world.campaigns, world.chunks, world.stores), Cause("a person", "an action", "1")
    pause(ID, ports, "a restore", cause, world.now)
    _restored(world)
    with pytest.raises(ControlRefused, match="was replaced or restored"):
        resume(ID, ports, "go on", cause, world.now)
    assert world.campaign(CAMPAIGN).state is State.PAUSED

    _confirmed(world)
    resume(ID, ports, "go on", cause, world.now)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
