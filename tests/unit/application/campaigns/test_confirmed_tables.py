"""A stack that does not remember what was granted grants nothing: no campaign opens over tables nobody confirmed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from kulanz.application.ledger.check_ledger import CheckPorts, check_ledger
from kulanz.application.ledger.confirm_tables import NotConfirmed, confirm_tables
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.confirmation import Confirmation, Occasion, Tables, missing
from tests.support.faults import Fault
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World

ID = CampaignId.parse(CAMPAIGN)


def closed() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def check(world: World) -> list[tuple[str, int, int]]:
    found = check_ledger(ID, CheckPorts(world.campaigns, world.lists, world.ledger), world.now)
    return [(one.what, int(one.planned), int(one.applied)) for one in found.differences]


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


def test_what_a_stopped_worker_wrote_and_nobody_counted_is_no_difference_but_a_loss_is() -> None:
    world = small_world()

    def no_second_receipt(_: int, name: str) -> Fault | None:
        campaign = world.campaigns.campaign(ID)
        counted = campaign is not None and campaign.apply.totals.ledger_count() > 0
        return Fault.KILLED_BEFORE if counted and name == "campaigns.record_receipt" else None

    world.tap.choose = no_second_receipt
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    counted = world.campaign(CAMPAIGN).apply.totals.ledger_count()
    assert 0 < counted < len(world.ledger.all_entries())

    assert check(world) == []
    while len(world.ledger.all_entries()) >= counted:
        world.ledger.forget(world.ledger.all_entries()[0].key)
    assert ("decisions", counted, counted - 1) in check(world)
