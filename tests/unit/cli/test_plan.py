"""What an approver reads of a plan is what the API answers, each figure in its place; and what a yes or no exits with.

The figures of the answer all differ, so that one shown in another's place is seen.
"""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz_cli import plan
from kulanz_cli.terminal import console
from tests.support.small_campaign import CAMPAIGN, LIST_KEY, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_door import ANNA, BERT
from tests.support.world_stack import WorldStack, run
from tests.support.wrong_lists import WRONG_LISTS, planned

HASH = "0123456789ab" + "c" * 52
YES, NO, UNUSABLE = 0, 1, 3
BUDGET = {
    "currency": "EUR", "month": "2026-03", "limit": "1000000", "reserved": "500000", "spent": "300000",
    "left": "200000", "needed": "124567", "set_free": "0", "is_reserved": False, "is_enough": True,
}  # fmt: skip
"""The budget of a month as a review has it."""


def review(**changes: Any) -> dict[str, Any]:
    """A plan as the API answers it."""
    return {
        "v": 1, "campaign": "in-7/4", "state": "awaiting_approval", "plan_hash": HASH,
        "planned_at": "2026-03-01T09:00:00Z", "approvable_until": "2026-03-15T09:00:01Z",
        "wanted_by": "2026-03-14T00:00:00Z", "first_due": "2026-05-02", "source": "billing", "requester": "",
        "persons_needed": 2, "reasons": ["no person requested it"], "not_automatic": "", "lone_operator": False,
        "approvals": [{"person": "sso:zoe", "at": "2026-03-02T10:00:00Z", "limits": [], "break_glass": ""}],
        "policy": {"id": "net-credit", "version": 6, "hash": "fedcba987654" + "0" * 52, "title": "A credit"},
        "list": {
            "key": "lists/a.csv", "version_id": "v-31", "rows": 1_019, "bytes": 88_888,
            "uploaded_at": "2026-02-27T07:00:00Z", "is_older": False, "same_as": [],
        },
        "incident": {
            "title": "Sign-in failed", "revision": 3, "cause": "storm",
            "windows": [{"start": "2026-02-26T09:00:00Z", "end": "2026-02-26T12:40:00Z"}],
        },
        "repeats": {
            "rows_looked_at": 1_017, "whole_list": True, "repeated": 0, "contradicting": 0, "nearly_equal": 0,
        },
        "usual": [],
        "decided_at": "2026-02-28T08:00:00Z", "lines": 1_021, "subjects": 907,
        "results": [
            {"result": "declined", "reason": "prepaid", "lines": 114, "before": 12},
            {"result": "granted", "reason": "credit", "lines": 907, "before": 33},
        ],
        "sums": [{"result": "granted", "measure": "EUR", "sum": "123456", "before": "7890"}],
        "claimable": {"EUR": "1111"}, "at_most": {"EUR": "124567", "call_minute": "40"}, "budgets": [BUDGET],
        "exceeded": [{"name": "held", "figures": "31 % of the rows are held, at most 25 %"}],
        "limits": {}, "compared_with": "in-7/3",
        "amounts": [{
            "result": "granted", "reason": "credit", "measure": "EUR", "lines": 907, "sum": "123456",
            "smallest": "100", "largest": "4321", "median": ["100", "100"],
            "histogram": [
                {"least": "100", "most": "100", "lines": 900}, {"least": "4000", "most": "4321", "lines": 7}
            ],
        }],
        "largest": [
            {"measure": "EUR", "amount": "4321", "lines": 5, "offset": 2_046, "account": "a-77", "subject": "-"}
        ],
        "estimate": {"usd": "3.275"},
        "delivery_usd": None,
        **changes,
    }  # fmt: skip


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def shown(capsys: pytest.CaptureFixture[str], content: Mapping[str, Any]) -> list[list[str]]:
    """The lines that are printed, each as its cells: two blanks stand between them."""
    plan._show(content, console())  # type: ignore[arg-type] # an answer of JSON
    return [re.split(r"  +", line.strip()) for line in capsys.readouterr().out.splitlines()]


def test_every_figure_of_a_plan_is_shown_in_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(capsys, review()) == [
        ["in-7/4 waits for 2 persons, of whom 1 approved"],
        ["incident", "Sign-in failed"],
        ["2026-02-26T09:00:00Z to 2026-02-26T12:40:00Z, 3 h 40 min"],
        ["cause", "storm"],
        ["policy", "net-credit 6 (fedcba987654): A credit"],
        ["list", "lists/a.csv"],
        ["version", "v-31"],
        ["uploaded", "2026-02-27T07:00:00Z"],
        ["rows", "1,019 announced, 907 would get something"],
        ["requested", "no person: source billing"],
        ["approved", "sso:zoe"],
        ["two persons", "no person requested it"],
        ["at most", "1,245.67 EUR + 40 call minutes"],
        ["of it claims", "11.11 EUR"],
        ["budget", "2,000.00 EUR left of 10,000.00 EUR in 2026-03"],
        ["first due", "2026-05-02"],
        ["approve before 2026-03-15T09:00:01Z"],
        ["AWS cost", "3.28 USD"],
        ["outside limit held: 31 % of the rows are held, at most 25 %"],
        ["result", "reason", "lines", "in in-7/3"],
        ["declined", "prepaid", "114", "12"],
        ["granted", "credit", "907", "33"],
        ["all", "1,021", "45"],
        ["result", "sum", "in in-7/3"],
        ["granted", "1,234.56 EUR", "78.90 EUR"],
        ["granted, credit, EUR: lines by amount"],
        ["amount", "lines"],
        ["1.00 EUR", "900", "#" * 24],
        ["40.00 EUR to 43.21 EUR", "7", "#"],
        ["largest", "lines", "first account", "subject", "at byte"],
        ["43.21 EUR", "5", "a-77", "-", "2,046"],
        ["If you agree with all of it, or not:"],
        ["kulanz approve in-7/4 --plan 0123456789ab --limit held"],
        ["kulanz reject in-7/4 --plan 0123456789ab --reason ..."],
    ]


def test_a_plan_whose_credits_are_delivered_says_what_that_costs_of_aws(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, review(delivery_usd="1.862"))
    assert ["AWS cost", "3.28 USD, and 1.86 USD for its way to bills"] in lines


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"limit": None, "left": None}, "none is set for EUR in 2026-03"),
        ({}, "2,000.00 EUR left of 10,000.00 EUR in 2026-03"),
        ({"is_enough": False}, "2,000.00 EUR left of 10,000.00 EUR in 2026-03: not enough"),
        (
            {"set_free": "70000"},
            "2,000.00 EUR left of 10,000.00 EUR in 2026-03; its start sets 700.00 EUR free",
        ),
        ({"is_reserved": True}, "2,000.00 EUR left of 10,000.00 EUR in 2026-03, beside what this campaign reserved"),
        ({"left": "-50000"}, "-500.00 EUR left of 10,000.00 EUR in 2026-03"),
    ],
)
def test_a_plan_says_what_is_left_of_each_currency_of_its_month(
    capsys: pytest.CaptureFixture[str], changes: dict[str, Any], says: str
) -> None:
    lines = shown(capsys, review(budgets=[BUDGET | changes, BUDGET | {"currency": "JPY"}]))
    assert [cells[1] for cells in lines if cells[0] == "budget"] == [
        says, "200,000 JPY left of 1,000,000 JPY in 2026-03"
    ]  # fmt: skip


def test_who_asked_and_what_a_lone_operator_may_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, review(requester="sso:kim", lone_operator=True, persons_needed=1, approvals=[]))
    assert lines[0] == ["in-7/4 waits for 1 person, of whom 0 approved"]
    assert ["requested", "sso:kim"] in lines
    assert ["lone operator this stack lets one person request and approve"] in lines


def test_a_plan_that_does_not_wait_is_shown_without_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, review(state="closed", first_due=None, estimate=None, compared_with=""))
    assert lines[0] == ["in-7/4 is closed"]
    assert ["first due", "no day is stated"] in lines
    assert ["result", "reason", "lines"] in lines
    assert not any("approve in-7/4" in cell or "AWS cost" in cell for line in lines for cell in line)


FIRST = [row("a-1"), row("a-2", fee="10.00"), row("a-3", affected="no")]
SECOND = [row("a-1"), row("a-2", fee="50.00"), row("a-4"), row("a-5", segment="prepaid")]


@pytest.fixture
def world() -> World:
    made = small_world(list_of(FIRST), approvers=())
    made.publish(event(rows=len(FIRST)))
    made.run_until_quiet()
    return made


def plan_of(world: World, campaign: str = CAMPAIGN) -> str:
    found = world.campaigns.filed_plan(CampaignId.parse(campaign))
    assert found is not None
    return found.hash


def acted(world: World, by: Any, *words: str) -> tuple[int, str]:
    stack = WorldStack(world)
    stack.desk = by
    result = run(stack, *words)
    return result.exit_code, result.output


def test_a_yes_counts_once_and_the_last_one_starts_the_execution(world: World) -> None:
    approve = "approve", CAMPAIGN, "--plan", plan_of(world)[:12], "--id", "my-yes"
    assert acted(world, ANNA, *approve) == (YES, f"{CAMPAIGN} is awaiting_approval: approved: 1 of 2 persons\n")
    code, said = acted(world, ANNA, "approve", CAMPAIGN, "--plan", plan_of(world), "--id", "another-yes")
    assert code == UNUSABLE
    assert "this person has approved the plan" in " ".join(said.split())
    code, said = acted(world, BERT, "approve", CAMPAIGN, "--plan", plan_of(world))
    assert (code, said) == (YES, f"{CAMPAIGN} is applying: approved: by 2 persons\n")


def test_the_hash_of_another_plan_and_an_unknown_plan_exit_as_failures(world: World) -> None:
    code, said = acted(world, ANNA, "approve", CAMPAIGN, "--plan", "0" * 12)
    assert code == UNUSABLE
    assert "that is the hash of another plan" in " ".join(said.split())
    assert acted(world, ANNA, "plan", "net-outage/7")[0] == UNUSABLE
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL


def test_a_rejected_plan_stands_beside_the_next_one(world: World) -> None:
    reject = "reject", CAMPAIGN, "--plan", plan_of(world), "--reason", "last month's list"
    assert acted(world, ANNA, *reject) == (YES, f"{CAMPAIGN} is rejected: rejected_by_hand: last month's list\n")
    version = world.lists.upload(LIST_KEY, list_of(SECOND))
    world.publish(event(rows=len(SECOND), version_id=version, revision=2, detail_type="Incident Updated"))
    world.run_until_quiet()
    code, said = acted(world, ANNA, "plan", "net-outage/2")
    cells = [re.split(r"  +", line.strip()) for line in said.splitlines()]
    assert code == YES
    assert ["declined", "not_affected", "0", "1"] in cells
    assert ["declined", "prepaid", "1", "0"] in cells
    assert ["granted", "credit", "3", "2"] in cells
    assert ["all", "4", "3"] in cells
    assert ["granted", "10.98 EUR", "3.99 EUR"] in cells
    assert ["granted", "60 call minutes", "40 call minutes"] in cells


# What an approver must see who knows nothing but this screen


def facts_of(lines: list[list[str]]) -> dict[str, str]:
    """What stands beside each label, with the lines that continue it."""
    found, label = dict[str, str](), ""
    for line in lines:
        label = line[0] if len(line) > 1 else label
        found[label] = f"{found.get(label, '')} {line[-1]}".strip()
    return found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"is_older": True}, "2026-02-27T07:00:00Z, BEFORE the incident began: is it the list of another one?"),
        ({}, "2026-02-27T07:00:00Z"),
        ({"uploaded_at": None}, "its version was deleted"),
    ],
)
def test_a_list_that_is_older_than_its_incident_says_so(
    capsys: pytest.CaptureFixture[str], changes: dict[str, Any], says: str
) -> None:
    assert facts_of(shown(capsys, review(list=review()["list"] | changes)))["uploaded"] == says


def test_the_campaigns_whose_list_it_may_be_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    pinned = review()["list"] | {"same_as": ["in-5/1", "in-4/2", "in-3/1"]}
    found = facts_of(shown(capsys, review(list=pinned)))["same list"]
    assert found == "the same content as the list of in-5/1, in-4/2: is it THAT one?"
    assert "same list" not in facts_of(shown(capsys, review()))


def test_rows_that_repeat_each_other_are_named_and_none_where_none_do(capsys: pytest.CaptureFixture[str]) -> None:
    repeats = {
        "rows_looked_at": 1_017, "whole_list": False, "repeated": 408, "contradicting": 3, "nearly_equal": 7,
    }  # fmt: skip
    found = facts_of(shown(capsys, review(repeats=repeats)))
    assert found["repeated"].startswith("411 of 1,017 rows looked at, a sample, name a subject AGAIN")
    assert found["nearly equal"].startswith("7 of 1,017 rows looked at, a sample, have an id that differs from another")
    assert not {"repeated", "nearly equal"} & facts_of(shown(capsys, review())).keys()


@pytest.mark.parametrize(("times", "says"), [(136, ": 136 TIMES as much"), (None, "")])
def test_an_average_line_stands_beside_that_of_the_campaign_before_under_the_policy(
    capsys: pytest.CaptureFixture[str], times: int | None, says: str
) -> None:
    usual = [
        {"campaign": "in-5/1", "measure": "EUR", "sum": "907", "lines": 907, "each": "1", "each_here": "136",
         "times": times}
    ]  # fmt: skip
    average = facts_of(shown(capsys, review(usual=usual)))["on average"]
    assert average == f"1.36 EUR a granted line; 0.01 EUR in in-5/1, the last under this policy{says}"


def test_an_outage_that_goes_on_or_has_many_parts_is_shown_in_short(capsys: pytest.CaptureFixture[str]) -> None:
    windows = [{"start": f"2026-02-2{day}T09:00:00Z", "end": None} for day in range(5)]
    incident = review()["incident"] | {"windows": windows, "cause": None}
    lines = shown(capsys, review(incident=incident))
    assert ["since 2026-02-22T09:00:00Z"] in lines
    assert ["and 2 more windows"] in lines
    assert ["cause", "none is stated"] in lines


@pytest.mark.parametrize("name", WRONG_LISTS)
def test_each_wrong_list_is_recognised_from_the_screen_of_its_plan(name: str) -> None:
    wrong = WRONG_LISTS[name]
    shown_plan = run(WorldStack(planned(wrong)), "plan", "second/1")
    assert shown_plan.exit_code == YES, shown_plan.output
    found = facts_of([re.split(r"  +", line.strip()) for line in shown_plan.output.splitlines()])
    assert wrong.on_screen in found[wrong.label]
