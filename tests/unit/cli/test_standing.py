"""`kulanz ask` begins with how matters stand now: by the clock, over all campaigns, and after a withdrawal."""

from datetime import timedelta
from typing import Any

import pytest

from kulanz.application.door.accounts import ask_answer
from kulanz.application.ledger.answer import answer
from kulanz.application.ledger.standing import Now, standings
from kulanz.domain.incident_record import DetailType
from kulanz.domain.time import parse_instant
from kulanz_cli.answers import answer_content
from tests.support.reading import read
from tests.support.small_campaign import INCIDENT_ID, event
from tests.support.voiding import closed, file_of, voided
from tests.support.world import World
from tests.support.world_stack import WorldStack, run
from tests.unit.application.campaigns.test_later_campaigns import (
    CLAIMS_UNTIL,
    GIVE_MINUTES,
    HOLD,
    OFFER_HALF,
    PAY_WHOLE,
    accept,
    campaign,
)
from tests.unit.cli.test_answered_offers import told

WEEK_OF_MINUTES = GIVE_MINUTES.replace("unit: call_minute", "unit: call_minute, valid: 7 days")
OF_LINES = PAY_WHOLE.replace("currency: CHF\n", "currency: CHF\nsubject: line_id\n")
LINES = b"account_id,line_id,product,own_clause,monthly_fee\na-1,l-7,voice,no,120.00\na-1,l-8,voice,no,50.00\n"


def standing(world: World) -> dict[str, Any]:
    (found,) = answer_content(ask_answer(world.ask("a-1", INCIDENT_ID)))["standings"]
    return dict(found)


def test_the_incident_is_named_with_its_title_and_its_beginning() -> None:
    world = World()
    campaign(world, 1, PAY_WHOLE)
    assert "net-outage, Network down began 2026-02-27T08:00:00Z" in read(told(world))
    assert (standing(world)["title"], standing(world)["began"]) == ("Network down", "2026-02-27T08:00:00Z")


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_incident_began_with_the_first_of_its_windows_whatever_their_order(order: tuple[int, int]) -> None:
    windows = [
        {"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T20:00:00Z"},
        {"start": "2026-02-27T21:00:00Z", "end": "2026-02-27T22:00:00Z"},
    ]
    world = World()
    told = event(
        rows=1,
        detail_type=DetailType.DECLARED,
        campaign=...,
        source="incidents",
        windows=[windows[place] for place in order],
    )
    world.publish(told)
    world.run_until_quiet()
    found = answer("a-1", INCIDENT_ID, WorldStack(world).answers(), world.now)
    assert found.incidents[INCIDENT_ID].began == parse_instant("2026-02-27T08:00:00Z")


def test_what_has_ended_by_the_clock_is_called_expired_at_the_very_instant() -> None:
    world = World()
    campaign(world, 1, WEEK_OF_MINUTES)
    ends = parse_instant(standing(world)["usable_until"])
    world.now = ends - timedelta(seconds=1)
    assert told(world).startswith("GRANTED 20 call minutes")
    world.now = ends
    assert told(world).startswith("EXPIRED 20 call minutes")
    assert (standing(world)["state"], standing(world)["expired"]) == ("expired", {"call_minute": "20"})


def test_the_sum_is_over_all_campaigns_and_an_earlier_decision_is_called_superseded() -> None:
    world = World()
    campaign(world, 1, OFFER_HALF)
    accept(world, "a-1")
    campaign(world, 2, PAY_WHOLE)
    text = told(world)
    assert text.startswith("GRANTED 120.00 CHF")
    assert "120.00 CHF, by 2 campaigns" in text
    assert "net-outage/1: offered 60.00 CHF (credit) meaning The customer accepted the offer" in read(text)
    assert standing(world)["granted"] == {"CHF": "12000"}


def test_a_campaign_that_granted_nothing_is_none_of_those_that_did() -> None:
    world = World()
    campaign(world, 1, HOLD)
    campaign(world, 2, OFFER_HALF)
    accept(world, "a-1")
    campaign(world, 3, PAY_WHOLE)
    assert len(world.ledger.of_account("a-1")) == 3
    assert "120.00 CHF, by 2 campaigns" in told(world)


def test_of_several_open_offers_each_is_accepted_by_its_own_number() -> None:
    world = World()
    campaign(world, 1, OFFER_HALF)
    assert "--campaign" not in told(world)
    more = OFFER_HALF.replace("id: voice", "id: extra") + "earlier: add\n"
    campaign(world, 2, more)
    words = [" ".join(part.split()) for part in told(world).split("to accept it:")[1:]]
    assert [f"--incident {INCIDENT_ID} --campaign {number}" in text for number, text in enumerate(words, 1)] == [
        True, True,
    ]  # fmt: skip


def test_an_offer_that_ended_and_was_decided_by_nobody_since_has_granted_nothing() -> None:
    world = World()
    campaign(world, 1, OFFER_HALF)
    assert told(world).startswith("OFFERED 60.00 CHF")
    world.now = parse_instant(CLAIMS_UNTIL)
    assert told(world).startswith("OFFER ENDED 60.00 CHF")
    assert standing(world)["granted"] == {}


def test_what_waits_for_a_person_names_the_command_that_shows_it_where_it_is_what_stands() -> None:
    decides = "to see what is missing, and decide it: kulanz cases net-outage/1 a-1"
    world = World()
    campaign(world, 1, HOLD)
    assert decides in read(told(world))
    world.publish(event(rows=1, detail_type=DetailType.WITHDRAWN, revision=2, campaign=..., source="incidents"))
    world.run_until_quiet()
    assert "kulanz cases" not in told(world)
    granted = World()
    campaign(granted, 1, HOLD)
    campaign(granted, 2, PAY_WHOLE)
    assert "kulanz cases" not in told(granted)
    lines = World()
    campaign(lines, 1, HOLD.replace("currency: CHF\n", "currency: CHF\nsubject: line_id\n"), LINES)
    assert "kulanz cases net-outage/1 a-1 --subject l-8" in read(told(lines))


def test_of_what_was_taken_back_nothing_is_due_any_more() -> None:
    world = closed()
    assert "due" in labels_of(world)
    voided(world, file_of(world, b"account_id\ngranted-1\n"))
    assert "taken back" in labels_of(world)
    assert "due" not in labels_of(world)


def labels_of(world: World) -> set[str]:
    """What support is told of an account of a small campaign, by the names of the facts."""
    shown = run(WorldStack(world), "ask", "granted-1").stdout
    return {line[2:14].strip() for line in shown.splitlines() if line[2:3].strip()}


def test_a_withdrawn_incident_says_so_before_anything_else_is_explained() -> None:
    world = World()
    campaign(world, 1, PAY_WHOLE)
    world.publish(event(rows=1, detail_type=DetailType.WITHDRAWN, revision=2, campaign=..., source="incidents"))
    world.run_until_quiet()
    text = read(told(world))
    assert 0 < text.index("The incident was withdrawn") < text.index(" why ")
    assert standing(world)["withdrawn"] is True


def test_a_grant_that_a_later_campaign_does_not_repeat_still_stands() -> None:
    world = World()
    campaign(world, 1, PAY_WHOLE)
    campaign(world, 2, HOLD)
    found = world.ask("a-1", INCIDENT_ID)
    assert "a later campaign has decided since" not in told(world)
    (one,) = standings(found.decisions)
    assert (one.state, dict(one.granted)) == (Now.GRANTED, {"CHF": 12_000})


def test_a_line_is_found_by_its_own_name_and_an_account_shows_each_of_its_lines() -> None:
    world = World()
    campaign(world, 1, OF_LINES, LINES)
    ports, now = WorldStack(world).answers(), world.now
    found = answer("l-7", INCIDENT_ID, ports, now)
    assert (found.account_id, found.found_as, [one.entry.key.subject for one in found.decisions]) == (
        "a-1",
        "l-7",
        ["l-7"],
    )
    assert [one.subject for one in standings(answer("a-1", INCIDENT_ID, ports, now).decisions)] == ["l-7", "l-8"]
    assert len(answer("a-1", INCIDENT_ID, ports, now, "l-8").decisions) == 1
    assert answer("l-9", INCIDENT_ID, ports, now).decisions == ()


def test_a_line_is_found_by_its_whole_id_and_not_by_a_longer_one_that_begins_with_it() -> None:
    world, rows = World(), (b"a-7,l-70,voice,no,120.00", b"a-8,xl-7,voice,no,120.00", b"a-1,l-7,l-7,no,120.00")
    campaign(world, 1, OF_LINES, b"\n".join((LINES.splitlines()[0], *rows, b"")))
    found = answer("l-7", INCIDENT_ID, WorldStack(world).answers(), world.now)
    assert (found.account_id, [one.entry.key.subject for one in found.decisions]) == ("a-1", ["l-7"])


def test_times_are_whole_seconds_for_people_and_exact_for_programs() -> None:
    world = World()
    world.now += timedelta(microseconds=250_000)
    campaign(world, 1, PAY_WHOLE)
    assert "." not in read(told(world)).partition("granted at ")[2].split()[0]
    (decided,) = answer_content(ask_answer(world.ask("a-1", INCIDENT_ID)))["decisions"]
    assert ".25" in decided["effective_at"]
