"""Whose a grant under another id is, is sometimes not known: then the account is held, and stays held."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from kulanz.application.campaigns.read_earlier import EarlierReader
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.earlier_decisions import GRANTED_UNDER_FORMER_ID, Before
from kulanz.domain.ledger.entries import DecisionKey, Lifetime, decision_body, new_entry
from kulanz.domain.ledger.former_accounts import DECIDED_UNDER_FORMER_ID, FORMER_IDS_MOST, with_former
from kulanz.domain.lists.former_ids import Former
from kulanz.domain.time import format_instant, parse_instant
from tests.support.by_hand import decide, door_of
from tests.support.fakes import FakeLedger
from tests.support.small_campaign import INCIDENT_ID, event
from tests.support.world import START
from tests.unit.application.campaigns.test_accounts_that_changed import (
    BEFORE_THE_INCIDENT,
    campaign,
    closed,
    has,
    line,
    reasons,
    world_of,
)


def test_a_grant_under_an_id_that_was_given_up_before_the_incident_holds_the_account() -> None:
    world = world_of()
    campaign(world, line("old"))
    second = campaign(world, line("new", fee="8.00", was="old", since=BEFORE_THE_INCIDENT))
    assert closed(world, second) == {"held": 1}
    assert reasons(world, "new") == [("held", GRANTED_UNDER_FORMER_ID)]
    assert has(world, "old", "new") == 500


def test_an_id_that_was_given_up_at_the_instant_at_which_the_incident_began_was_given_up_before_it() -> None:
    """From that instant on the former id may have been another account's, also while the incident lasted."""
    began = parse_instant(event(rows=1)["detail"]["windows"][0]["start"])
    found = {}
    for microseconds in (-1, 0, 1):
        world = world_of()
        campaign(world, line("old"))
        since = format_instant(began + timedelta(microseconds=microseconds))
        found[microseconds] = closed(world, campaign(world, line("new", fee="8.00", was="old", since=since)))
    assert found == {-1: {"held": 1}, 0: {"held": 1}, 1: {"granted": 1}}


def test_a_grant_by_hand_of_a_row_that_named_no_former_id_ends_no_doubt() -> None:
    """Whoever decided the row did not see that somebody had been granted something under the former id."""
    world = world_of()
    first = campaign(world, line("old"), line("new", fee=""))
    assert decide(door_of(world), "new", campaign=first, facts={"fee": "3.00"}).status == 200
    second = campaign(world, line("new", fee="8.00", was="old", since=BEFORE_THE_INCIDENT))
    assert closed(world, second) == {"held": 1}
    assert reasons(world, "new")[-1] == ("held", GRANTED_UNDER_FORMER_ID)
    assert (has(world, "old"), has(world, "new")) == (500, 300)


def test_nothing_is_in_doubt_where_the_former_id_was_granted_nothing() -> None:
    world = world_of()
    campaign(world, line("old", fee="0.00"))
    closed(world, campaign(world, line("new", was="old", since=BEFORE_THE_INCIDENT)))
    assert has(world, "new") == 500


def test_a_doubt_does_not_end_with_a_list_that_says_nothing_of_it_or_with_a_third_id() -> None:
    """Somebody else's grant takes the place of nobody's."""
    later = {
        "without the former id": [line("new", fee="8.00")],
        "under a third id": [line("newest", fee="8.00", was="new")],
        "the former id itself": [line("old", fee="8.00")],
    }
    wrong = {}
    for what, lines in later.items():
        world = world_of()
        campaign(world, line("old"))
        second = campaign(world, line("new", fee="8.00", was="old", since=BEFORE_THE_INCIDENT))
        by_hand = decide(door_of(world), "new", campaign=second, way="amount", amount="4.00", measure="EUR")
        if what != "the former id itself":
            entry = world.ledger.of_account("new")[-1]
            world.ledger.replace_entry(replace(entry, voided=((0, 400),)))
        third = campaign(world, *lines)
        if (by_hand.status, closed(world, third)) != (200, {"held": 1}):
            wrong[what] = world.campaign(third).apply.totals.results()
    assert wrong == {}


def test_a_list_that_corrects_since_when_ends_the_doubt_and_so_does_a_grant_by_hand() -> None:
    world = world_of()
    campaign(world, line("old"))
    campaign(world, line("new", fee="8.00", was="old", since=BEFORE_THE_INCIDENT))
    assert closed(world, campaign(world, line("new", fee="8.00", was="old"))) == {"granted": 1}
    assert (has(world, "old"), has(world, "new")) == (500, 300)
    other = world_of()
    campaign(other, line("old"))
    second = campaign(other, line("new", fee="8.00", was="old", since=BEFORE_THE_INCIDENT))
    assert decide(door_of(other), "new", campaign=second, way="amount", amount="3.00", measure="EUR").status == 200
    assert closed(other, campaign(other, line("new", fee="8.00"))) == {"unchanged": 1}
    assert (has(other, "old"), has(other, "new")) == (500, 300)


def test_what_a_person_granted_under_the_former_id_is_in_doubt_like_any_grant() -> None:
    world = world_of()
    first = campaign(world, line("old", fee=""))
    assert decide(door_of(world), "old", campaign=first, facts={"fee": "5.00"}).status == 200
    second = campaign(world, line("new", fee="8.00", was="old", since=BEFORE_THE_INCIDENT))
    assert closed(world, second) == {"held": 1}
    assert reasons(world, "new") == [("held", GRANTED_UNDER_FORMER_ID)]


def test_an_account_with_more_ids_than_are_looked_at_is_held_and_never_paid_again() -> None:
    """Each list names the id before, so that the grant stands ever further away."""
    world = world_of()
    ids = [f"id-{number}" for number in range(FORMER_IDS_MOST + 4)]
    campaign(world, line(ids[0]))
    results = [closed(world, campaign(world, line(new, was=old))) for old, new in pairwise(ids)]
    assert has(world, *ids) == 500
    assert results == [{"declined": 1}] * (FORMER_IDS_MOST - 1) + [{"held": 1}] * 4


def test_where_only_links_are_found_under_all_ids_that_are_looked_at_nothing_is_known() -> None:
    """What was granted stands under an id behind them: to owe all again would pay the account twice."""
    ledger, decision = FakeLedger(), Decision(Outcome.DECLINED, DECIDED_UNDER_FORMER_ID)
    body = decision_body(CampaignId(INCIDENT_ID, 1), "3", "0" * 64, "0" * 32, decision)
    lifetime = Lifetime.of(decision, START, START)
    for number in range(1, FORMER_IDS_MOST + 4):
        key = DecisionKey(f"id-{number}", INCIDENT_ID, WHOLE_ACCOUNT, 1)
        ledger.insert([new_entry(key, 0, with_former(body, Former(f"id-{number - 1}", START)), decision, lifetime)])
    reader = EarlierReader(INCIDENT_ID, (1,), START, ledger)
    seen = {
        number: reader.read({(f"id-{number}", WHOLE_ACCOUNT): None})[f"id-{number}", WHOLE_ACCOUNT].before
        for number in (1, FORMER_IDS_MOST - 1, FORMER_IDS_MOST, FORMER_IDS_MOST + 3)
    }
    in_doubt = Before(None, (), is_in_doubt=True)
    assert [*seen.values()] == [None, None, in_doubt, in_doubt]


def test_rows_of_both_ids_that_cannot_be_read_are_granted_once_by_hand() -> None:
    world = world_of()
    campaign(world, line("old"))
    campaign(world, line("new", was="old"))
    rows = ["new,x", "old,x", "other,5.00"]
    head = "account_id,fee"
    world.lists.upload("lists/3.csv", "\n".join([head, *rows, ""]).encode())
    world.publish(event(key="lists/3.csv", rows=len(rows), policy="fee", revision=3))
    world.run_until_quiet()
    third, first_row = f"{INCIDENT_ID}/3", len(head) + 1
    for account, offset in (("new", first_row), ("old", first_row + len(rows[0]) + 1)):
        reply = decide(
            door_of(world), account, campaign=third, row=offset, facts={"fee": "8.00"}, name=f"for-{account}"
        )
        assert reply.status == 200, reply.content
    assert (has(world, "old"), has(world, "new")) == (500, 300)
