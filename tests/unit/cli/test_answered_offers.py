"""What `kulanz ask` says of an offer (open, accepted, or decided anew since), and of what is held."""

import io

import pytest
from rich.console import Console

from kulanz.application.door.accounts import ask_answer
from kulanz.domain.decision import Outcome
from kulanz.domain.time import parse_instant
from kulanz_cli.answers import answer_content, show_answer
from tests.support.small_campaign import INCIDENT_ID, event
from tests.support.world import World
from tests.unit.application.campaigns.test_later_campaigns import (
    CLAIMS_UNTIL,
    LIST,
    OFFER_HALF,
    PAY_WHOLE,
    accept,
    campaign,
)


@pytest.fixture
def world() -> World:
    world = World()
    campaign(world, 1, OFFER_HALF)
    return world


def told(world: World) -> str:
    printed = io.StringIO()
    show_answer(ask_answer(world.ask("a-1", INCIDENT_ID)), Console(file=printed, width=100))
    return printed.getvalue()


def statuses(world: World) -> list[str]:
    content = answer_content(ask_answer(world.ask("a-1", INCIDENT_ID)))
    return [decided["status"] for decided in content["decisions"]]


def test_an_open_offer_says_how_it_is_accepted(world: World) -> None:
    answer = told(world)
    assert answer.startswith("OFFERED 60.00 CHF")
    assert "kulanz accept a-1" in answer
    assert statuses(world) == ["offered"]


def test_an_answer_says_which_engine_decided_and_which_one_explains(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def engine_told() -> str:
        return next(line for line in told(world).splitlines() if line.strip().startswith("engine"))

    decided_by = world.campaign(f"{INCIDENT_ID}/1").engine
    content = answer_content(ask_answer(world.ask("a-1", INCIDENT_ID)))
    assert content["decisions"][0]["engine"] == decided_by
    assert engine_told().split() == ["engine", decided_by]
    monkeypatch.setattr("kulanz.application.door.accounts.ENGINE_VERSION", "a-later-one")
    assert f"{decided_by} decided" in engine_told()
    assert "engine a-later-one" in engine_told()


def test_an_accepted_offer_is_a_grant(world: World) -> None:
    accept(world, "a-1")
    answer = told(world)
    assert answer.startswith("GRANTED 60.00 CHF")
    assert "The customer accepted the offer" in answer
    assert "kulanz accept" not in answer
    assert statuses(world) == ["granted"]


def test_an_offer_that_was_decided_anew_cannot_be_accepted_any_more(world: World) -> None:
    campaign(world, 2, PAY_WHOLE)
    answer = told(world)
    assert "a later campaign has decided since" in answer
    assert "kulanz accept" not in answer
    assert statuses(world) == ["offered", "granted"]


def test_an_offer_that_nobody_took_up_in_time_is_not_called_open(world: World) -> None:
    world.now = parse_instant(CLAIMS_UNTIL)
    answer = told(world)
    assert "not accepted in time" in answer
    assert "kulanz accept" not in answer


def test_an_offer_of_a_stopped_campaign_is_not_called_open(world: World) -> None:
    world.publish(event(rows=1, detail_type="Incident Withdrawn", revision=2, campaign=..., source="incidents"))
    world.run_until_quiet()
    answer = told(world)
    assert "offered by a stopped campaign" in answer
    assert "kulanz accept" not in answer


def test_an_offer_to_a_line_says_to_which_line() -> None:
    world = World()
    lines = b"account_id,line_id,product,own_clause,monthly_fee,claims_until\na-1,l-7,voice,no,120.00,\n"
    campaign(world, 1, OFFER_HALF.replace("currency: CHF\n", "currency: CHF\nsubject: line_id\n"), lines)
    assert f"kulanz accept a-1 --incident {INCIDENT_ID} --subject l-7" in told(world)
    assert accept(world, "a-1", "l-7").status is Outcome.GRANTED


def test_what_a_policy_holds_is_not_called_unknown_and_what_is_unknown_is() -> None:
    held, unknown = World(), World()
    campaign(held, 1, PAY_WHOLE.replace("due: next bill", "payout: {{hold: carried}}"))
    campaign(unknown, 1, PAY_WHOLE, LIST.replace(b"a-1,voice,no,120.00", b"a-1,voice,no,"))
    assert "Nothing is given for now: the policy holds it" in told(held)
    assert "unknown" not in told(held)
    assert "Not decided: a fact that the policy needs is unknown" in told(unknown)
