"""Were a stored decision ever to differ from what its row comes to today, the answer says so and shows both."""

import json
from typing import Any

import pytest

from kulanz.application.ledger.answer import Explained
from kulanz.domain.campaigns.campaign import CampaignId, Frozen
from kulanz.domain.policy import document_json, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from tests.support.small_campaign import CAMPAIGN, HEADER, INCIDENT_ID, POLICY, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_stack import WorldStack, run

ACCOUNT = "granted-1"


def decided_by(policy: str, then: str) -> World:
    """A world in which a row was decided under a policy, and is explained under another one."""
    world = small_world(list_of([row(ACCOUNT, fee="29.90"), b""], HEADER))
    world.policies.publish("net-credit", 2, _published(policy, version=2))
    world.publish(event(rows=1, policy_version=2))
    world.run_until_quiet()
    kept = world.campaigns._campaigns[CampaignId.parse(CAMPAIGN)]
    kept.frozen = Frozen(freeze(load_policy(then.replace("version: 1", "version: 2")), {}), kept.frozen.incident)
    return world


def _published(text: str, version: int) -> bytes:
    return document_json(load_policy(text.replace("version: 1", f"version: {version}")))


def changed(before: str, after: str) -> str:
    assert before in POLICY
    return POLICY.replace(before, after)


THEN = [
        (changed("pay: 10% of fee", "pay: 11% of fee"), "3.29 EUR"),
        (changed("pay: 10% of fee", "pay: 9% of fee"), "2.69 EUR"),
        (changed("pay: 10% of fee", "pay: 10% of fee + 0.01 EUR"), "3.00 EUR"),
        (changed("quantity: 20", "quantity: 41 / 2"), "20.5 call minutes"),
        (changed("quantity: 20", "quantity: 19"), "19 call minutes"),
        (changed("unit: call_minute", "unit: call_unit"), "20 call units"),
        (changed("valid: 7 days", "valid: 8 days"), "benefits 2 valid for: 7 days; today: 8 days"),
        (changed("due: 2 billing cycles", "due: 3 billing cycles"), "due: 2 billing_cycle; today: 3 billing_cycle"),
        (
            changed("valid: 7 days", "restriction: places") + "restrictions: {places: [Chile]}\n",
            "restriction: none; today: places",
        ),
        (changed("locale: language", "locale: '\"en\"'"), "notice locale: de; today: en"),
        (changed('when: segment = "business"', 'when: segment = "consumer"'), "referred (business_customer)"),
        (changed("unless: affected", "when: affected"), "declined (not_affected)"),
        (changed("decline: not_affected\n    unless", "hold: not_affected\n    when"), "held (not_affected)"),
    ]  # fmt: skip
"""What the policy says later, and what must be shown of the decision as it would be then."""


@pytest.mark.parametrize(("then", "shown"), THEN, ids=[shown for _, shown in THEN])
def test_a_decision_that_differs_in_anything_is_shown_beside_what_is_decided_today(then: str, shown: str) -> None:
    world = decided_by(POLICY, then)
    (found,) = world.ask(ACCOUNT).decisions
    assert found.explained is Explained.DIFFERS
    assert found.recomputed is not None
    assert found.recomputed != found.decision

    stack = WorldStack(world)
    text = run(stack, "ask", ACCOUNT, "--incident", INCIDENT_ID).stdout
    assert text.startswith("GRANTED 2.99 EUR + 20 call minutes\n")
    assert "something else of this row today" in text
    assert shown in " ".join(text.partition("Both are shown.")[2].split())
    content: Any = json.loads(run(stack, "ask", ACCOUNT, "--json").stdout)["decisions"][0]
    assert (content["explained"], content["decision"]) == ("differs", found.decision.to_body())
    assert content["recomputed"] == found.recomputed.to_body()


def test_a_decision_that_agrees_is_shown_once() -> None:
    stack = WorldStack(decided_by(POLICY, POLICY))
    text = run(stack, "ask", ACCOUNT).stdout
    assert "today" not in text
    content = json.loads(run(stack, "ask", ACCOUNT, "--json").stdout)["decisions"][0]
    assert (content["explained"], "recomputed" in content) == ("agrees", False)
