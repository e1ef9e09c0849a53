"""`kulanz accept`: the offer of the subject that is named becomes a grant now, once, or the command says why not."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.decision import Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import Entry
from kulanz.domain.time import format_instant, parse_instant
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import World
from tests.support.world_stack import DESK, WorldStack, run

POLICY = """
kulanz: 1
id: minutes
version: 1
title: Minutes for a line that was out, for 30 days
subject: line_id
facts: {out: yes_no}
who:
  - decline: not_out
    unless: out
give: {quantity: 20, unit: call_minute, valid: 30 days}
mode: {offer: {until: day(decided_at) + 20 days}}
"""
LIST = b"account_id,line_id,out\na-1,l-1,yes\na-1,l-2,yes\na-2,l-1,no\n"


WHOLE = POLICY.replace("subject: line_id\n", ""), b"account_id,out\na-1,yes\na-2,no\n"


@pytest.fixture
def stack() -> WorldStack:
    return offering(POLICY, LIST)


def offering(policy: str, content: bytes) -> WorldStack:
    """Offers that were made three days ago."""
    began = datetime.now(UTC) - timedelta(days=3)
    world = World(now=began)
    world.policies.publish("minutes", 1, sealed_policy(policy))
    world.lists.upload("lists/lines.csv", content)
    hours = [{"start": format_instant(began - timedelta(hours=9)), "end": format_instant(began - timedelta(hours=7))}]
    world.publish(event(key="lists/lines.csv", rows=content.count(b"\n") - 1, policy="minutes", windows=hours))
    world.run_until_quiet()
    world.now = began + timedelta(days=3)
    return WorldStack(world)


def entries(stack: WorldStack) -> dict[tuple[str, str], Entry]:
    return {(entry.key.account_id, entry.key.subject): entry for entry in stack.world.ledger.all_entries()}


def accepted(stack: WorldStack, *words: str) -> dict[str, Any]:
    result = run(stack, "accept", "a-1", "--incident", INCIDENT_ID, *words, "--json")
    content: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, content["accepted"]) == (0, True)
    return content


@pytest.mark.parametrize(
    ("made", "words", "subject"),
    [((POLICY, LIST), ("--subject", "l-2"), "l-2"), ((POLICY, LIST), ("--subject", "l-1"), "l-1"),
     (WHOLE, (), WHOLE_ACCOUNT)],
)  # fmt: skip
def test_the_subject_that_is_named_is_granted_from_now_on_and_no_other(
    made: tuple[str, bytes], words: tuple[str, ...], subject: str
) -> None:
    stack = offering(*made)
    before, began = entries(stack), stack.world.now
    content = accepted(stack, *words)
    ended, after = stack.world.now, entries(stack)

    granted = after.pop(("a-1", subject))
    offered = before.pop(("a-1", subject))
    assert after == before
    assert (offered.status, granted.status, granted.body) == (Outcome.OFFERED, Outcome.GRANTED, offered.body)
    assert began <= granted.effective_at <= ended
    assert granted.expires_at == granted.effective_at + timedelta(days=30)
    assert granted.ttl >= max(offered.ttl, granted.expires_at.timestamp())
    assert parse_instant(content["effective_at"]) == granted.effective_at
    assert content["campaign"] == f"{INCIDENT_ID}/1"
    assert [one[:2] for one in stack.accepting.accepted] == [(granted.key, DESK.id)]


def test_accepting_again_says_the_same_and_changes_nothing(stack: WorldStack) -> None:
    first = accepted(stack, "--subject", "l-1")
    after = entries(stack)
    assert accepted(stack, "--subject", "l-1") == first
    assert entries(stack) == after
    assert len(stack.accepting.accepted) == 1
    told = run(stack, "accept", "a-1", "--incident", INCIDENT_ID, "--subject", "l-1")
    assert told.stdout == f"accepted: granted by campaign {INCIDENT_ID}/1 as of {first['effective_at']}\n"


@pytest.mark.parametrize(
    ("account", "words"),
    [("a-1", ("--subject", "l-3")), ("a-2", ("--subject", "l-1")), ("a-2", ()), ("nobody", ())],
)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_what_was_not_offered_is_a_no_and_changes_nothing(
    stack: WorldStack, account: str, words: tuple[str, ...], form: tuple[str, ...]
) -> None:
    before = entries(stack)
    result = run(stack, "accept", account, "--incident", INCIDENT_ID, *words, *form)
    assert result.exit_code == 1
    assert result.stdout
    assert (json.loads(result.stdout)["reason"] if form else "not_offered") == "not_offered"
    assert entries(stack) == before
