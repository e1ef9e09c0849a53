"""`kulanz log`, `incidents` and `campaigns --month`: who did what, and what a month had, without a look at each."""

import json
from datetime import UTC, datetime

import pytest

from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz_cli.log import SHOWN, _line
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, small_world
from tests.support.world_stack import DESK, WorldStack, run

MONTH, DAY = "2026-03", "2026-03-01"


@pytest.fixture
def stack() -> WorldStack:
    """A campaign that a person has paused, resumed and paused again."""
    world = small_world()
    world.publish(event(rows=ROWS))
    while not world.campaigns.all_campaigns():
        world.run(world.steps()[0])
    found = WorldStack(world)
    for action, reason in (("pause", "a look"), ("resume", "all is well"), ("pause", "a look")):
        assert run(found, action, CAMPAIGN, "--reason", reason).exit_code == 0
    return found


def entries(stack: WorldStack, *words: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(run(stack, "log", *words, "--json").stdout)["entries"]
    return found


def test_the_log_of_a_campaign_names_every_action_with_who_did_it_and_why(stack: WorldStack) -> None:
    found = entries(stack, CAMPAIGN)
    by_person = [(one["action"], one["reason"]) for one in found if one["actor"] == DESK.id]
    assert by_person == [
        ("paused", "paused_by_hand: a look"), ("planning", "resumed_by_hand: all is well"),
        ("paused", "paused_by_hand: a look"),
    ]  # fmt: skip
    assert {one["on"] for one in found if one["about"] == "campaign"} == {CAMPAIGN}
    shown = read(run(stack, "log", CAMPAIGN).stdout)
    assert f"paused campaign {CAMPAIGN} by {DESK.id}: paused_by_hand: a look" in shown


def test_an_action_is_shown_in_words() -> None:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert f"awaiting approval campaign {CAMPAIGN} by" in read(run(WorldStack(world), "log", CAMPAIGN).stdout)


@pytest.mark.parametrize(
    "words", [("--incident", INCIDENT_ID), ("--policy", "net-credit"), ("--person", DESK.id), ("--day", DAY)]
)
def test_the_same_actions_are_found_by_incident_policy_person_and_day(
    stack: WorldStack, words: tuple[str, ...]
) -> None:
    found = entries(stack, *words)
    assert found
    if words[0] in ("--incident", "--person", "--day"):
        assert [one["action"] for one in found if one["actor"] == DESK.id].count("paused") == 2
    if words[0] == "--person":
        assert {one["actor"] for one in found} == {DESK.id}


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), 2), ((CAMPAIGN, "--day", DAY), 2), (("--day", "yesterday"), 2), (("--day", "2020-01-01"), 1),
        (("--person", "iam:nobody"), 1), (("another/1",), 3), (("--incident", "another"), 3), (("--policy", "p"), 3),
    ],
)  # fmt: skip
def test_one_thing_is_asked_for_and_what_is_unknown_has_its_code(
    stack: WorldStack, words: tuple[str, ...], code: int
) -> None:
    assert run(stack, "log", *words).exit_code == code


def test_what_is_not_shown_is_said(stack: WorldStack) -> None:
    assert SHOWN > 2
    result = run(stack, "log", CAMPAIGN, "--limit", "2", "--json")
    content = json.loads(result.stdout)
    assert (len(content["entries"]), content["more"]) == (2, True)
    assert "There is more: the first 2 are shown" in result.stderr


def test_there_is_more_only_where_something_is_not_shown(stack: WorldStack) -> None:
    in_all = len(entries(stack, CAMPAIGN))
    for limit in (in_all - 1, in_all, in_all + 1):
        result = run(stack, "log", CAMPAIGN, "--limit", str(limit), "--json")
        content = json.loads(result.stdout)
        shown = min(limit, in_all)
        assert (len(content["entries"]), content["more"]) == (shown, shown < in_all)
        assert ("There is more" in result.stderr) is (shown < in_all)


def test_a_month_has_its_incidents_and_its_campaigns(stack: WorldStack) -> None:
    assert INCIDENT_ID in run(stack, "incidents", "--month", MONTH).stdout
    listed = json.loads(run(stack, "incidents", "--month", MONTH, "--json").stdout)["incidents"]
    assert [one["incident_id"] for one in listed] == [INCIDENT_ID]
    assert CAMPAIGN in run(stack, "campaigns", "--month", MONTH).stdout
    for command in ("incidents", "campaigns"):
        other = run(stack, command, "--month", "2026-04")
        assert (other.exit_code, "2026-04" in other.stdout) == (1, True)
        assert run(stack, command, "--month", "2026-13").exit_code == 2
    assert run(stack, "campaigns", INCIDENT_ID, "--month", MONTH).exit_code == 2


def test_what_stands_still_is_shown_first_until_it_is_repaired(stack: WorldStack) -> None:
    troubles = stack.served.troubles
    kind = next(iter(TroubleKind))
    troubles.note(kind, CAMPAIGN, datetime(2026, 3, 1, 9, tzinfo=UTC))
    shown = run(stack, "campaigns").stdout
    assert shown.startswith(f"{kind.value} {CAMPAIGN} since 2026-03-01T09:00:00Z: ")
    assert "paused" in shown


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("was_paused", "was paused"),
        ("requested void v_1 of", "requested void v_1 of"),
        ("sent_again credit c_2 of", "sent again credit c_2 of"),
    ],
)
def test_what_was_done_is_in_words_and_an_id_is_as_it_is_typed(action: str, said: str) -> None:
    at = "2026-03-01T09:00:00.123456Z"
    entry = {"at": at, "action": action, "about": "campaign", "on": "in_7/3", "actor": "sso:an_na", "reason": "a_b"}
    assert _line(entry) == f"2026-03-01T09:00:00Z {said} campaign in_7/3 by sso:an_na: a_b"
