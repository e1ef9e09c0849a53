"""`kulanz budget`: what a month may cost, what is left of it as figures and as a bar, and who may set it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.budgets import Regained
from kulanz_cli.budget import BAR_CELLS, bar
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_door import ANNA, BERT
from tests.support.world_stack import WorldStack, run
from tests.unit.application.ledger.test_settle_budgets import midway
from tests.unit.application.ledger.test_settle_budgets import played as played_parts
from tests.unit.application.ledger.test_state_amounts import gone

LINES = [row("a-1", fee="1000.00"), row("a-2", affected="no")]
DONE, WRONG_LINE, UNUSABLE = 0, 2, 3


@pytest.fixture(autouse=True)
def _in_march(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command asks for the present month, which is the world's."""
    monkeypatch.setattr("kulanz_cli.budget.present_month", lambda: "2026-03")


def played() -> World:
    world = small_world(list_of(LINES))
    world.publish(event(rows=len(LINES)))
    world.run_until_quiet()
    return world


def set_budget(stack: WorldStack, currency: str, month: str, limit: str, *more: str) -> str:
    done = run(stack, "budget", "set", currency, month, limit, "--reason", "as agreed", *more)
    assert done.exit_code == DONE, done.output
    return done.stdout


def test_what_is_set_reserved_spent_and_left_is_shown() -> None:
    world = played()
    stack = WorldStack(world)
    told = set_budget(stack, "EUR", "2026-03", "250.00")
    row = ["2026-03", "EUR", "250.00", "0.00", "100.00", "150.00", "=" * 4 + "." * 6]
    assert told.splitlines()[1].split() == row
    world.watch()
    world.watch()
    set_budget(stack, "USD", "2026-04", "1000000.00")
    shown = run(stack, "budget")
    assert shown.exit_code == DONE
    rows = [line.split() for line in shown.stdout.splitlines()]
    assert rows[0] == ["month", "budget", "spent", "reserved", "left"]
    assert rows[1:3] == [
        ["2026-03", "EUR", "250.00", "100.00", "0.00", "150.00", "#" * 4 + "." * 6],
        ["2026-04", "USD", "1,000,000.00", "0.00", "0.00", "1,000,000.00", "." * BAR_CELLS],
    ]
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    later = run(stack, "budget", "show", "--since", "2026-04").stdout
    assert "2026-04" in later
    assert "2026-03" not in later
    answer = json.loads(run(stack, "budget", "show", "--json").stdout)
    assert (answer["v"], answer["month"]) == (1, "2026-03")
    assert answer["budgets"][0] == {
        "currency": "EUR", "month": "2026-03", "limit": "250.00", "reserved": "0.00", "spent": "100.00",
        "voided": "0.00", "left": "150.00",
    }  # fmt: skip


def test_where_nothing_is_set_that_is_said_and_what_was_spent_is_shown() -> None:
    stack = WorldStack(small_world())
    assert "no budget is set" in run(stack, "budget").stdout
    shown = run(WorldStack(played()), "budget").stdout
    assert "none" in shown
    assert "100.00" in shown


def test_one_action_under_one_id_is_done_once() -> None:
    stack = WorldStack(World())
    set_budget(stack, "EUR", "2026-03", "10.00", "--id", "mine")
    set_budget(stack, "EUR", "2026-03", "20.00")
    set_budget(stack, "EUR", "2026-03", "10.00", "--id", "mine")
    assert json.loads(run(stack, "budget", "show", "--json").stdout)["budgets"][0]["limit"] == "20.00"
    other = run(stack, "budget", "set", "EUR", "2026-03", "11.00", "--reason", "as agreed", "--id", "mine")
    assert other.exit_code == UNUSABLE


@pytest.mark.parametrize(
    ("currency", "month", "limit", "code", "says"),
    [
        ("EURO", "2026-03", "1.00", WRONG_LINE, "a currency of ISO 4217"),
        ("XYZ", "2026-03", "1.00", WRONG_LINE, "a currency of ISO 4217"),
        ("EUR", "2026-13", "1.00", WRONG_LINE, "a month such as 2026-11"),
        ("EUR", "March", "1.00", WRONG_LINE, "a month such as 2026-11"),
        ("EUR", "2026-03", "1.001", UNUSABLE, "limit: expected at most 2 decimals"),
        ("JPY", "2026-03", "1.5", UNUSABLE, "limit: expected at most 0 decimals"),
        ("EUR", "2026-03", "1,000.00", UNUSABLE, "limit:"),
        ("EUR", "2026-03", "-1.00", WRONG_LINE, ""),
        ("EUR", "2026-03", "1e3", UNUSABLE, "limit:"),
        ("EUR", "2026-03", "9" * 16, UNUSABLE, "limit:"),
    ],
)
def test_bad_input_is_named_and_changes_nothing(currency: str, month: str, limit: str, code: int, says: str) -> None:
    stack = WorldStack(World())
    done = run(stack, "budget", "set", currency, month, limit, "--reason", "as agreed")
    assert done.exit_code == code
    assert says in read(done.output)
    assert limit not in done.output.replace("2026-11", "")
    assert stack.world.campaigns.budget_items.budgets == {}


def test_a_start_beyond_the_budget_says_which_month_lacks_how_much() -> None:
    world = small_world(list_of(LINES), approvers=())
    world.publish(event(rows=len(LINES)))
    world.run_until_quiet()
    stack = WorldStack(world)
    set_budget(stack, "EUR", "2026-03", "99.99")
    plan = json.loads(run(stack, "plan", CAMPAIGN, "--json").stdout)
    assert "99.99 EUR left of 99.99 EUR in 2026-03: not enough" in read(run(stack, "plan", CAMPAIGN).stdout)
    stack.desk = ANNA
    assert run(stack, "approve", CAMPAIGN, "--plan", plan["plan_hash"]).exit_code == DONE
    stack.desk = BERT
    done = run(stack, "approve", CAMPAIGN, "--plan", plan["plan_hash"])
    assert done.exit_code == UNUSABLE
    assert "needs up to 100.00 EUR, and the budget of 2026-03 has 99.99 EUR left" in read(done.output)


@pytest.mark.parametrize(
    ("limit", "spent", "reserved", "drawn"),
    [
        (None, "5.00", "5.00", ""),
        ("100.00", "0.00", "0.00", "." * 10),
        ("100.00", "50.00", "20.00", "#" * 5 + "=" * 2 + "." * 3),
        ("100.00", "0.01", "0.01", "#=" + "." * 8),
        ("100.00", "99.99", "0.01", "#" * 9 + "="),
        ("100.00", "100.00", "0.00", "#" * 10),
        ("100.00", "100.01", "0.00", "#" * 9 + "!"),
        ("0.00", "0.00", "0.00", "." * 10),
        ("0.00", "0.01", "0.00", "#" * 9 + "!"),
        ("0.00", "0.00", "0.01", "=" * 9 + "!"),
        ("100.00", "30.00", "90.00", "#" * 2 + "=" * 7 + "!"),
        ("100.00", "0.01", "99.98", "#" + "=" * 8 + "."),
    ],
)
def test_a_bar_has_a_cell_for_whatever_is_not_nothing(limit: str | None, spent: str, reserved: str, drawn: str) -> None:
    assert bar(limit, spent, reserved) == drawn


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_bar_is_whole_and_each_of_its_parts_is_seen_where_there_is_some_of_it(
    limit: int, spent: int, reserved: int
) -> None:
    drawn = bar(str(limit), str(spent), str(reserved))
    assert len(drawn) == BAR_CELLS
    assert ("#" in drawn, "=" in drawn) == (spent > 0, reserved > 0)
    assert ("!" in drawn) is (spent + reserved > limit)
    if limit:
        assert ("." in drawn) is (spent + reserved < limit)


def test_what_voids_took_back_is_shown_beside_what_was_spent_and_can_be_spent_again() -> None:
    world = played()
    stack = WorldStack(world)
    for _ in range(2):
        world.watch()
    set_budget(stack, "EUR", "2026-03", "250.00")
    world.campaigns.budget_items.regain([Regained("EUR", "2026-03", 40_00)])
    rows = [line.split() for line in run(stack, "budget").stdout.splitlines()]
    assert rows[0] == ["month", "budget", "spent", "voided", "reserved", "left"]
    assert rows[1] == ["2026-03", "EUR", "250.00", "100.00", "40.00", "0.00", "190.00", "#" * 2 + "." * 8]


def test_a_budget_is_removed_when_nothing_of_it_is_reserved() -> None:
    world = played()
    stack = WorldStack(world)
    set_budget(stack, "EUR", "2026-03", "250.00")
    refused = run(stack, "budget", "remove", "EUR", "2026-03", "--reason", "a mistake", "--id", "first")
    assert refused.exit_code == UNUSABLE, "its campaign's reservation is not settled yet"
    assert "something of this budget is reserved" in refused.stderr
    world.watch()
    world.watch()
    done = run(stack, "budget", "remove", "EUR", "2026-03", "--reason", "a mistake")
    assert done.exit_code == DONE, done.output
    assert done.stdout.splitlines()[1].split() == ["2026-03", "EUR", "none", "100.00", "0.00", "none"]


def test_what_is_known_of_a_campaign_without_its_list_is_shown_and_two_persons_settle_it() -> None:
    world = gone(midway())
    stack = WorldStack(world)
    shown = run(stack, "budget", "reserved", CAMPAIGN)
    assert shown.exit_code == DONE, shown.output
    known = json.loads(run(stack, "budget", "reserved", CAMPAIGN, "--json").stdout)["reserved"][0]
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["at", "least", known["granted_least"], known["claimable_least"]] in lines
    assert ["at", "most", known["granted_most"], known["claimable_most"]] in lines
    assert "2026-03 EUR: not settled, 440.00 reserved, 0.00 accepted" in read(shown.stdout)
    assert "kulanz budget settle states what it granted" in read(shown.stdout)
    state = ["budget", "settle", CAMPAIGN, "--granted", f"EUR={known['granted_least']}", "--reason", "as billing says"]
    stack.desk = ANNA
    first = run(stack, *state)
    assert (first.exit_code, "waits for a second person" in read(first.stdout)) == (DONE, True), first.output
    again = run(stack, *state)
    assert (again.exit_code, "ask another person" in read(again.output)) == (UNUSABLE, True)
    stack.desk = BERT
    done = run(stack, *state)
    assert done.exit_code == DONE, done.output
    assert "2026-03 EUR: settled" in done.stdout
    assert f"{known['granted_least']} EUR granted" in read(done.stdout)
    assert world.campaigns.budget("EUR", "2026-03").spent == int(known["granted_least"].replace(".", ""))
    assert all(len(line) <= 80 for line in (shown.stdout + first.stdout + done.stdout).splitlines())


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["--granted", "EUR"], WRONG_LINE, "a currency and an amount of it, such as EUR=1250.00"),
        (["--granted", "EURO=1.00"], WRONG_LINE, "a currency and an amount of it"),
        (["--granted", "EUR=1.00", "--granted", "EUR=2.00"], WRONG_LINE, "state each currency once"),
        (["--granted", "USD=1.00"], UNUSABLE, "an amount of each currency that it reserved, and of no other: EUR"),
        (["--granted", "EUR=1.001"], UNUSABLE, "expected at most 2 decimals"),
        (["--granted", "EUR=999999.00"], UNUSABLE, "less than its receipts have, or more than its plan leaves"),
    ],
)
def test_a_statement_that_cannot_be_is_named_and_changes_nothing(words: list[str], code: int, says: str) -> None:
    world = gone(midway())
    before = world.campaigns.budget("EUR", "2026-03")
    done = run(WorldStack(world), "budget", "settle", CAMPAIGN, *words, "--reason", "r")
    assert (done.exit_code, says in read(done.output)) == (code, True), done.output
    assert world.campaigns.budget("EUR", "2026-03") == before


def test_a_campaign_that_is_counted_is_not_stated() -> None:
    stack = WorldStack(played_parts())
    done = run(stack, "budget", "settle", CAMPAIGN, "--granted", "EUR=15.00", "--reason", "r")
    assert (done.exit_code, "is counted from its list" in read(done.output)) == (UNUSABLE, True), done.output
