"""`kulanz void`: asks, shows the plan with its hash, and says what was taken back."""

import json

import pytest

from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import BEN
from tests.support.world_stack import WorldStack, run
from tests.support.world_voids import approved, run_voids
from tests.unit.application.delivery.test_voiding_overpaid import SECOND, overpaying


@pytest.fixture
def stack() -> WorldStack:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return WorldStack(world)


def test_a_void_is_asked_for_shown_with_its_plan_and_its_end(stack: WorldStack) -> None:
    assert run(stack, "void", CAMPAIGN).exit_code == 1
    asked = run(stack, "void", CAMPAIGN, "--reason", "the wrong list", "--id", "v-1")
    assert asked.exit_code == 0, asked.output
    assert (
        f"Its plan is being made; nothing is taken back before somebody approves it. See it: kulanz void {CAMPAIGN}"
        in (read(asked.stdout))
    )
    assert "0 decisions" not in asked.stdout
    run_voids(stack.world)
    shown = run(stack, "void", CAMPAIGN)
    text = read(shown.stdout)
    assert "unused, would be voided" in text
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    (found,) = json.loads(run(stack, "void", CAMPAIGN, "--json").stdout)["voids"]
    assert f"plan {found['plan_hash'][:12]}: approved by 0 of 1 persons" in text
    for verb in ("approve-void", "reject-void"):  # what is to be typed next
        assert f"kulanz {verb} {CAMPAIGN} v-1 --plan {found['plan_hash'][:12]}" in text
    (void,) = stack.world.voids.of_campaign(stack.world.campaign(CAMPAIGN).id)
    approved(stack.world, void, BEN)
    run_voids(stack.world)
    ended = read(run(stack, "void", CAMPAIGN).stdout)
    assert "is voided: balanced" in ended
    assert "approve-void" not in ended


@pytest.mark.parametrize("verb", ["approve-void", "reject-void"])
def test_help_names_the_command_that_shows_the_hash(stack: WorldStack, verb: str) -> None:
    assert "as `kulanz void CAMPAIGN` shows it" in read(run(stack, verb, "--help").stdout)


def test_an_answer_about_an_account_says_that_it_was_taken_back(stack: WorldStack) -> None:
    assert "The account gets it." in read(run(stack, "ask", "granted-1").stdout)
    run(stack, "void", CAMPAIGN, "--reason", "the wrong list", "--id", "v-1")
    run_voids(stack.world)
    (void,) = stack.world.voids.of_campaign(stack.world.campaign(CAMPAIGN).id)
    approved(stack.world, void, BEN)
    run_voids(stack.world)
    answered = read(run(stack, "ask", "granted-1").stdout)
    assert answered.startswith("VOIDED")
    assert "meaning The account does not get it: it was granted, and all of it was taken back." in answered


def test_some_accounts_are_named(stack: WorldStack) -> None:
    asked = run(stack, "void", CAMPAIGN, "--reason", "closed", "--account", "granted-1", "--id", "v-2", "--json")
    assert json.loads(asked.stdout)["about"] == "file"
    run_voids(stack.world)
    (found,) = json.loads(run(stack, "void", CAMPAIGN, "--json").stdout)["voids"]
    assert found["plan"]["decisions"] == 1
    rejected = run(
        stack, "reject-void", CAMPAIGN, "v-2", "--plan", found["plan_hash"], "--reason", "it is theirs", "--json"
    )
    assert json.loads(rejected.stdout)["state"] == "rejected"


def test_what_was_overpaid_is_asked_for_with_one_word_and_shown() -> None:
    stack = WorldStack(overpaying())
    for about in (("--account", "a-1"), ("--file", __file__)):
        assert run(stack, "void", SECOND, "--overpaid", "--reason", "a wrong fee", *about).exit_code == 2
    assert run(stack, "void", SECOND, "--overpaid").exit_code == 2, "it needs a reason"
    asked = run(stack, "void", SECOND, "--overpaid", "--reason", "a wrong fee", "--id", "v-1")
    assert asked.exit_code == 0, asked.output
    run_voids(stack.world)
    shown = run(stack, "void", SECOND)
    text = read(shown.stdout)
    assert "it reduces decisions of earlier campaigns of the incident, the latest first" in text
    assert "of 3 lines, 0 have nothing to take back, 2 have nothing that was overpaid" in text
    assert "of what was overpaid" in text
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    refused = run(stack, "void", CAMPAIGN, "--overpaid", "--reason", "a wrong fee")
    assert refused.exit_code != 0
    assert "sets off no earlier one" in read(refused.output)


def test_what_names_nothing_is_said(stack: WorldStack) -> None:
    assert run(stack, "void", CAMPAIGN, "--account", "a-1").exit_code == 2
    assert run(stack, "void", CAMPAIGN, "--reason", "two\nlines").exit_code == 2
    refused = run(stack, "approve-void", CAMPAIGN, "none", "--plan", "0" * 12)
    assert refused.exit_code != 0
    assert "there is no such void" in read(refused.output)


def test_a_flagged_campaign_is_ended_with_one_command_and_its_void_says_so(stack: WorldStack) -> None:
    world = stack.world
    assert run(stack, "end", CAMPAIGN, "--reason", "no outage").exit_code == 2
    assert "flagged" in read(run(stack, "end", CAMPAIGN, "--void-unused", "--reason", "no outage").output)
    world.publish(event(rows=ROWS, detail_type="Incident Withdrawn", revision=2, campaign=...))
    world.run_until_quiet()
    ended = run(stack, "end", CAMPAIGN, "--void-unassigned", "--reason", "no outage", "--id", "v-1")
    assert ended.exit_code == 0, ended.output
    assert f"kulanz void {CAMPAIGN}" in read(ended.stdout)
    run_voids(world)
    shown = run(stack, "void", CAMPAIGN)
    assert "ends with this void of what is unassigned" in read(shown.stdout)
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    assert run(stack, "settle-void", CAMPAIGN, "v-1", "--plan", "0" * 12, "--reason", "looked at").exit_code != 0
    for end in ("--keep", "--void-unassigned"):
        assert run(stack, "end", CAMPAIGN, end, "--at-biller", "--reason", "no outage").exit_code == 2
    asked = run(stack, "end", CAMPAIGN, "--void-unused", "--at-biller", "--reason", "no outage", "--id", "v-2")
    assert asked.exit_code == 0, asked.output
    (void,) = (one for one in world.voids.of_campaign(world.campaign(CAMPAIGN).id) if one.id.name == "v-2")
    assert void.asks_biller
    kept = json.loads(run(stack, "end", CAMPAIGN, "--keep", "--reason", "they keep it", "--json").stdout)
    assert (kept["state"], kept["void"]) == ("closed", None)
