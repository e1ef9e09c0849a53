"""`earlier: add` stands beside what other policies grant, in whatever order the campaigns come."""

from math import perm
from typing import Any

import pytest

from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import Entry, granted_benefits
from tests.support.fake_offers import FakeOffers
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import World

HEAD = "kulanz: 1\nid: {id}\nversion: {version}\ntitle: T\ncurrency: EUR\nfacts:\n  fee: money\n"
POLICIES: dict[tuple[str, int], tuple[str, int]] = {
    ("law", 1): ("pay: fee\n", 1_000),
    ("law", 2): ("pay: fee * 1.2\n", 1_200),
    ("goodwill", 1): ("pay: 3.00 EUR\n", 300),
    ("sorry", 1): ("pay: 5.00 EUR\nearlier: add\n", 500),
    ("extra", 1): ("pay: 2.00 EUR\nearlier: add\n", 200),
}
"""What each pays for a fee of 10 EUR, in cents."""


def world() -> World:
    made = World()
    for (policy, version), (body, _) in POLICIES.items():
        text = HEAD.format(id=policy, version=version) + body
        made.policies.publish(policy, version, sealed_policy(text))
        offered = HEAD.format(id=f"{policy}-offer", version=version) + f"{body}mode:\n  offer: {{}}\n"
        made.policies.publish(f"{policy}-offer", version, sealed_policy(offered))
    return made


def decide(made: World, revision: int, policy: str, version: int = 1, accounts: tuple[str, ...] = ("a-0",)) -> None:
    """The incident's next campaign: these accounts under that policy."""
    key = f"lists/{revision}.csv"
    content = "".join(["account_id,fee\n", *(f"{account},10.00\n" for account in accounts)])
    made.lists.upload(key, content.encode())
    request: dict[str, Any] = {"policy": policy, "policy_version": version, "revision": revision}
    made.publish(event(key=key, rows=len(accounts), **request))
    made.run_until_quiet()
    assert made.rejected.sent == []


def paid(made: World, account: str = "a-0") -> int:
    entries = made.ledger.of_account(account, INCIDENT_ID)
    return sum(one.money.minor for entry in entries for one in granted_benefits(entry) if one.money is not None)


def accept(made: World, account: str, seq: int | None = None) -> Entry:
    ports = AcceptPorts(made.ledger, made.stores, made.campaigns, FakeOffers(made.ledger, made.campaigns))
    return accept_offer(account, INCIDENT_ID, ports, "support", made.now, seq=seq)


ADDING = {"sorry", "extra"}
CAMPAIGNS_MOST = 4
"""Of the five policies, one after the other."""


def test_what_is_paid_is_the_same_in_every_order() -> None:
    """Of the policies that replace each other the highest counts, and each that adds counts once beside it.

    Orders that begin alike go on from copies of one world, so that no campaign is run twice.
    """
    wrong: dict[tuple[tuple[str, int], ...], int] = {}
    begun: list[tuple[tuple[tuple[str, int], ...], World]] = [((), world())]
    tried = 0
    while begun:
        order, before = begun.pop()
        for policy in POLICIES.keys() - set(order):
            longer, made = (*order, policy), before.copy()
            decide(made, len(longer), *policy)
            replacing = [POLICIES[one][1] for one in longer if one[0] not in ADDING]
            added = [POLICIES[one][1] for one in longer if one[0] in ADDING]
            if paid(made) != max(replacing, default=0) + sum(added):
                wrong[longer] = paid(made)
            if len(longer) < CAMPAIGNS_MOST:
                begun.append((longer, made))
            tried += 1
    assert wrong == {}
    assert tried == sum(perm(len(POLICIES), many) for many in range(1, CAMPAIGNS_MOST + 1))


def test_a_policy_that_adds_never_adds_to_itself() -> None:
    made = world()
    for revision in (1, 2, 3):
        decide(made, revision, "sorry")
    assert paid(made) == 500


def test_an_apology_to_one_account_ends_no_offer() -> None:
    made = world()
    decide(made, 1, "law-offer", accounts=("a-0", "a-1"))
    decide(made, 2, "sorry")
    for account in ("a-0", "a-1"):
        accept(made, account)
    assert (paid(made, "a-0"), paid(made, "a-1")) == (1_500, 1_000)


def test_a_campaign_that_replaces_an_offer_ends_it() -> None:
    made = world()
    decide(made, 1, "law-offer", accounts=("a-0", "a-1"))
    decide(made, 2, "law", accounts=("a-0",))
    for account in ("a-0", "a-1"):
        with pytest.raises(OfferRefused):
            accept(made, account)
    assert (paid(made, "a-0"), paid(made, "a-1")) == (1_000, 0)


def test_of_several_open_offers_the_one_that_is_meant_is_named() -> None:
    made = world()
    decide(made, 1, "law-offer")
    decide(made, 2, "sorry-offer")
    with pytest.raises(OfferRefused, match=f"{INCIDENT_ID}/1, {INCIDENT_ID}/2") as refused:
        accept(made, "a-0")
    assert refused.value.reason == "offers_several"
    assert accept(made, "a-0", 2).key.seq == 2
    assert accept(made, "a-0", 2).key.seq == 2, "twice changes nothing"
    assert paid(made) == 500
    accept(made, "a-0", 1)
    assert paid(made) == 1_500
    assert [entry.status for entry in made.ledger.all_entries()] == [Outcome.GRANTED] * 2
