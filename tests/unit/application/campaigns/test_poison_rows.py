"""A row whose facts the policy cannot compute with is held, and nobody else's decision moves (invariant I14)."""

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import is_expired
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import World

HEAD = "kulanz: 1\nid: poison\nversion: 1\ntitle: Poison\ncurrency: CHF\nfacts:\n  until: day\n  hours: number\n"
GOOD = b"good-1,2026-05-01,3\ngood-2,2026-05-02,6\n"


def world_after(policy: str, poison: bytes) -> World:
    world = World()
    world.policies.publish("poison", 1, sealed_policy(HEAD + policy))
    content = b"account_id,until,hours\n" + GOOD[:20] + b"poison-1," + poison + b"\n" + GOOD[20:]
    version = world.lists.upload("lists/poison.csv", content)
    world.publish(event(key="lists/poison.csv", rows=3, version_id=version, policy="poison"))
    world.run_until_quiet()
    return world


@pytest.mark.parametrize(
    ("policy", "poison", "outcome"),
    [
        ("give: {quantity: hours / 3, unit: minute}\n", b"2026-05-01,1", "granted"),
        ("give: {quantity: hours * hours * hours, unit: minute}\n", b"2026-05-01,999999999999999", "held"),
        ("give: {quantity: 6 / hours, unit: minute}\n", b"2026-05-01,0", "held"),
        ("pay: 5.00 CHF\nwhen: until + 30 days > until\n", b"9999-12-31,1", "held"),
        ("pay: 5.00 CHF\nwhen: until - 30 days < until\n", b"0001-01-01,1", "held"),
        ("pay: 5.00 CHF\nmode:\n  offer: {until: until}\n", b"9999-12-31,1", "held"),
        *(
            (f"give: {{quantity: 1, unit: GB, valid: {{from: until, for: {length}}}}}\n{mode}", poison, outcome)
            for mode in ("", "mode: offer\n", "notice: {texts: {granted: {en: {subject: Yours, text: Use it.}}}}\n")
            for length, poison, outcome in (
                ("7 days", b"9999-12-30,1", "held"),
                ("7 days", b"9999-12-25,1", "held"),
                ("7 days", b"9999-12-24,1", "offered" if mode.startswith("mode") else "granted"),
                ("1 month", b"9999-12-01,1", "held"),
                ("48 hours", b"9999-12-30,1", "held"),
            )
        ),
    ],
)
def test_facts_that_cannot_be_computed_with_end_their_own_row_alone(policy: str, poison: bytes, outcome: str) -> None:
    world = world_after(policy, poison)
    campaign = world.campaign(f"{INCIDENT_ID}/1")
    assert campaign.state is State.CLOSED, campaign.state_reason
    decided = {entry.key.account_id: entry.status for entry in world.ledger.all_entries()}
    assert decided["poison-1"] == outcome
    assert {"good-1", "good-2"} <= decided.keys()
    assert Outcome.HELD not in (decided["good-1"], decided["good-2"])
    assert world.dead_letters == []


def test_what_may_be_claimed_beside_a_grant_must_be_usable_too() -> None:
    policy = (
        "heads:\n  - {name: money, pay: 1.00 CHF}\n"
        "  - {name: data, give: {quantity: 1, unit: GB, valid: {from: until, for: 7 days}}, mode: claim}\n"
    )
    world = world_after(policy, b"9999-12-30,1")
    decided = {entry.key.account_id: entry.status for entry in world.ledger.all_entries()}
    assert decided == {"poison-1": Outcome.HELD, "good-1": Outcome.GRANTED, "good-2": Outcome.GRANTED}


def test_a_benefit_whose_end_is_the_last_instant_of_the_calendar_is_granted() -> None:
    policy = (
        HEAD.replace("until: day", "until: instant") + "give: {quantity: 20, unit: minute, valid: {until: until}}\n"
    )
    world = World()
    world.policies.publish("poison", 1, sealed_policy(policy))
    version = world.lists.upload("lists/poison.csv", b"account_id,until,hours\na-1,9999-12-31T23:59:59Z,1\n")
    world.publish(event(key="lists/poison.csv", rows=1, version_id=version, policy="poison"))
    world.run_until_quiet()
    (entry,) = world.ledger.all_entries()
    assert entry.status is Outcome.GRANTED
    assert not is_expired(entry, world.now)
