"""Every command's exit code: in each state of a campaign, for what is refused or unknown, and when a call fails midway.

0 is yes or done, 1 is no, 2 a wrong command line, 3 not possible. A program that follows a campaign relies on them.
"""

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from click.testing import Result

from kulanz.domain.campaigns.campaign import ENDED, WAITING, CampaignId, State
from kulanz_cli import signed
from tests.support.end_state import end_state
from tests.support.faults import Choose, Fault, Tap, fault_at, no_faults, tapped
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_stack import WorldStack, run
from tests.unit.application.campaigns.test_later_campaigns import OFFER_WHOLE, campaign

ID = CampaignId.parse(CAMPAIGN)
REASON = ("--reason", "we looked")


class FaultyStack(WorldStack):
    """A stack of whose API one call fails, or loses its reply."""

    def __init__(self, world: World, choose: Choose = no_faults) -> None:
        super().__init__(world)
        self.tap = Tap(choose)
        for name in ("campaigns", "lists", "ledger", "offers", "chunks", "actions"):
            setattr(self.served, name, tapped(getattr(self.served, name), name, self.tap))


@pytest.fixture
def asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No request is repeated, so that each failing call of the API is seen."""
    monkeypatch.setattr(signed, "ATTEMPTS", 1)


@pytest.fixture(scope="module")
def closed() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def in_state(world: World, state: State) -> WorldStack:
    """The campaign as it would be read in a state."""
    stack = WorldStack(world.copy())
    kept = stack.world.campaigns._campaigns[ID]
    kept.campaign = replace(kept.campaign, state=state, state_reason=f"{state.value}: because", announced="")
    record = stack.world.campaigns._incidents[INCIDENT_ID]
    stack.world.campaigns._incidents[INCIDENT_ID] = replace(record, open_seq=None if state in ENDED else ID.seq)
    return stack


def ran(stack: WorldStack, words: Sequence[str]) -> Result:
    result = run(stack, *words)
    if result.exit_code == 3:
        assert "\nError: " in f"\n{result.stderr}"
    if "--json" in words and result.stdout:
        json.loads(result.stdout)
    return result


# What a campaign has come to

WATCHED = {
    State.CLOSED: 0, State.FLAGGED: 1, State.REFUSED: 1, State.PAUSED: 1, State.CANCELLED: 1,
    State.PLANNING: 3, State.APPLYING: 3, State.AWAITING_APPROVAL: 1, State.REJECTED: 1,
}  # fmt: skip


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("state", State)
def test_watch_is_a_yes_for_a_closed_campaign_alone(closed: World, state: State, form: tuple[str, ...]) -> None:
    stack = in_state(closed, state)
    result = ran(stack, ("watch", CAMPAIGN, "--seconds", "0", *form))
    assert result.exit_code == WATCHED[state]
    if result.exit_code == 3:
        assert (result.stdout, state.value in result.stderr) == ("", True)
    elif form:
        assert json.loads(result.stdout)["state"] == state
    else:
        assert result.stdout.startswith(f"{CAMPAIGN} is {state}: {state.value}: because\n")


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("state", State)
def test_a_campaign_is_listed_in_every_state_and_waits_in_three(
    closed: World, state: State, form: tuple[str, ...]
) -> None:
    stack = in_state(closed, state)
    assert ran(stack, ("campaigns", INCIDENT_ID, *form)).exit_code == 0
    assert (ran(stack, ("campaigns", *form)).exit_code == 0) is (state in WAITING)


@pytest.mark.parametrize("state", State)
def test_an_answer_is_given_whatever_became_of_the_campaign(closed: World, state: State) -> None:
    stack = in_state(closed, state)
    assert ran(stack, ("ask", "granted-1", "--incident", INCIDENT_ID)).exit_code == 0
    assert ran(stack, ("ask", "unlisted", "--incident", INCIDENT_ID)).exit_code == 1


MOVED = {
    # what a state becomes by pause, resume, cancel and settle; None where a person is told that it cannot
    State.PLANNING: (State.PAUSED, State.PLANNING, State.CANCELLED, None),
    State.APPLYING: (State.PAUSED, State.APPLYING, State.CANCELLED, None),
    State.PAUSED: (State.PAUSED, State.APPLYING, State.CANCELLED, None),
    State.FLAGGED: (None, None, State.CANCELLED, State.CLOSED),
    State.CLOSED: (None, None, None, State.CLOSED),
    State.REFUSED: (None, None, None, None),
    State.CANCELLED: (None, None, State.CANCELLED, None),
    State.REJECTED: (None, None, None, None),
    State.AWAITING_APPROVAL: (None, None, State.CANCELLED, None),
}


@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("command", ["pause", "resume", "cancel", "settle"])
@pytest.mark.parametrize("state", State)
def test_a_campaign_is_moved_or_a_person_is_told_why_not(
    closed: World, state: State, command: str, form: tuple[str, ...]
) -> None:
    stack = in_state(closed, state)
    result = ran(stack, (command, CAMPAIGN, *REASON, *form))
    target = MOVED[state][("pause", "resume", "cancel", "settle").index(command)]
    assert result.exit_code == (3 if target is None else 0), result.output
    assert stack.world.campaign(CAMPAIGN).state is (target or state)
    if target is None:
        assert (result.stdout, CAMPAIGN in result.stderr) == ("", True)
    elif form:
        said = json.loads(result.stdout)
        assert (said.keys(), said["state"]) == ({"v", "campaign", "state", "may_write_until", "void"}, target)
    else:
        assert result.stdout.startswith(f"{CAMPAIGN} is {target}")


# What is unknown or wrong

UNKNOWN: Sequence[tuple[tuple[str, ...], int]] = (
    (("ask", "nobody"), 1),
    (("ask", "nobody", "--incident", "another"), 1),
    (("accept", "nobody", "--incident", INCIDENT_ID), 1),
    (("accept", "granted-1", "--incident", INCIDENT_ID), 1),
    (("accept", "granted-1", "--incident", "another"), 1),
    (("campaigns", "another"), 1),
    (("watch", "another/1", "--seconds", "0"), 3),
    (("watch", f"{INCIDENT_ID}/2", "--seconds", "0"), 3),
    (("rejected", "another/1"), 3),
    (("advance", "another/1"), 3),
    (("notices", "rebuild", "another/1"), 3),
    (("notices", "status", "another"), 3),
    *(((command, "another/1", *REASON), 3) for command in ("pause", "resume", "cancel", "settle")),
    *(((command, CAMPAIGN), 2) for command in ("pause", "resume", "cancel", "settle")),
    *(((command, CAMPAIGN, "--reason", reason), 2) for command in ("pause", "settle") for reason in ("", "a\nb")),
    (("ask", "a b"), 2),
    (("ask", "a@example.com", "--incident", INCIDENT_ID), 2),
    (("accept", "a@example.com", "--incident", INCIDENT_ID), 2),
    (("accept", "granted-1"), 2),
    (("watch", INCIDENT_ID), 2),
    (("campaigns", "A B"), 2),
    (("redrive", "everything"), 2),
)


@pytest.mark.parametrize(("words", "code"), UNKNOWN, ids=[" ".join(words) for words, _ in UNKNOWN])
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_is_unknown_or_wrong_has_its_code(
    closed: World, words: tuple[str, ...], code: int, form: tuple[str, ...]
) -> None:
    stack = WorldStack(closed)
    before = end_state(closed)
    result = ran(stack, (*words, *form))
    assert result.exit_code == code, result.output
    assert end_state(closed) == before
    if code != 1:
        assert (result.stdout, bool(result.stderr)) == ("", True)


# A call fails midway

READING: Sequence[tuple[str, ...]] = (
    ("watch", CAMPAIGN, "--seconds", "0"), ("campaigns", INCIDENT_ID), ("campaigns",),
    ("ask", "granted-1", "--incident", INCIDENT_ID), ("ask", "unlisted", "--incident", INCIDENT_ID),
)  # fmt: skip
CALLS_MOST = 60


@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("form", [(), ("--json",)])
@pytest.mark.parametrize("state", [State.CLOSED, State.FLAGGED])
@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_question_of_which_any_call_fails_is_not_answered_by_half(
    closed: World, words: tuple[str, ...], state: State, form: tuple[str, ...]
) -> None:
    world = in_state(closed, state).world
    for number in range(CALLS_MOST):
        stack = FaultyStack(world, fault_at(number, Fault.REQUEST_LOST))
        result = ran(stack, (*words, *form))
        if len(stack.tap.calls) <= number:
            break
        assert result.exit_code == 3, stack.tap.calls[number]
        assert (result.stdout, "try again" in result.stderr) == ("", True), stack.tap.calls[number]
    assert 0 < number < CALLS_MOST - 1


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_call_that_fails_once_is_made_again_and_nobody_notices(closed: World, words: tuple[str, ...]) -> None:
    world = in_state(closed, State.CLOSED).world
    whole = ran(WorldStack(world), words)
    for number in range(CALLS_MOST):
        stack = FaultyStack(world, fault_at(number, Fault.REQUEST_LOST))
        result = ran(stack, words)
        if len(stack.tap.calls) <= number:
            break
        assert (result.exit_code, result.output) == (whole.exit_code, whole.output), number


@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("fault", [Fault.REQUEST_LOST, Fault.REPLY_LOST])
@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.APPLYING, ("pause", CAMPAIGN, *REASON)), (State.PAUSED, ("resume", CAMPAIGN, *REASON)),
        (State.APPLYING, ("resume", CAMPAIGN, *REASON)), (State.PAUSED, ("cancel", CAMPAIGN, *REASON)),
        (State.FLAGGED, ("settle", CAMPAIGN, *REASON)),
    ],
)  # fmt: skip
def test_an_action_of_which_any_call_fails_says_so_and_is_done_once_when_repeated(
    closed: World, state: State, words: tuple[str, ...], fault: Fault
) -> None:
    whole = in_state(closed, state)
    assert ran(whole, words).exit_code == 0
    expected = whole.world.campaign(CAMPAIGN)
    for number in range(CALLS_MOST):
        world = in_state(closed, state).world
        stack = FaultyStack(world, fault_at(number, fault))
        result = ran(stack, words)
        if len(stack.tap.calls) <= number:
            break
        assert (result.exit_code, result.stdout) == (3, ""), stack.tap.calls[number]
        assert ran(WorldStack(world), words).exit_code == 0, stack.tap.calls[number]
        after = world.campaign(CAMPAIGN)
        assert (after.state, after.state_reason, after.log_count) == (
            expected.state, expected.state_reason, expected.log_count,
        ), stack.tap.calls[number]  # fmt: skip
    assert 0 < number < CALLS_MOST - 1


@pytest.mark.usefixtures("asked_once")
@pytest.mark.parametrize("fault", [Fault.REQUEST_LOST, Fault.REPLY_LOST])
def test_an_acceptance_of_which_any_call_fails_says_so_and_is_granted_once_when_repeated(fault: Fault) -> None:
    made = World()
    campaign(made, 1, OFFER_WHOLE)
    words = ("accept", "a-1", "--incident", INCIDENT_ID, "--json")
    for number in range(CALLS_MOST):
        # The command reads a clock of today, so the offer is one without an end: the fixture's ended long ago.
        stack = FaultyStack(_endless(made.copy()), fault_at(number, fault))
        result = ran(stack, words)
        if len(stack.tap.calls) <= number:
            break
        assert (result.exit_code, result.stdout) == (3, ""), stack.tap.calls[number]
        stack.tap = Tap()
        assert ran(stack, words).exit_code == 0, stack.tap.calls[number]
        assert len(stack.accepting.accepted) == 1
    assert 0 < number < CALLS_MOST - 1


def _endless(world: World) -> World:
    for key, entry in world.ledger._entries.items():
        content = json.loads(entry.body)
        content.pop("claim_until", None)
        world.ledger._entries[key] = replace(entry, body=json.dumps(content), expires_at=None)
    return world
