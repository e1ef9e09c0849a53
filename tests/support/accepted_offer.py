"""A campaign that offers, and a later one that decides anew: between its plan and its execution customers may accept.

The list names `taker` twice.
"""

from functools import cache

from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.domain.campaigns.campaign import CampaignId, State
from tests.support.faults import Tap, tapped
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import World

SECOND = CampaignId(INCIDENT_ID, 2)
HEAD = """
kulanz: 1
id: part
version: {version}
title: A part of the fee
currency: EUR
facts:
  fee: money
  {history}
who:
  - decline: cheap
    when: fee < 5.00 EUR
"""
OFFERED, ENTITLED = 50, 80
"""Percent of the fee."""
OFFER = f"pay: {OFFERED}% of fee\nmode:\n  offer: yes\n"
LATER = {
    "grants more": f"pay: {ENTITLED}% of fee\n",
    "grants the same": f"pay: {OFFERED}% of fee\n",
    "offers more": f"pay: {ENTITLED}% of fee\nmode:\n  offer: yes\n",
    "holds": "  - hold: not_yet\n",
    "declines": "  - decline: after_all\n",
    "gives minutes beside": f"pay: {ENTITLED}% of fee\ngive: {{quantity: 20, unit: call_minute}}\n",
}
"""What the later campaign's policy says."""
HISTORIES = {"no history": "", "a history": "paid: {type: money, per: calendar year, add: amount}"}
CAP = "cap:\n  per: calendar year\n  at: 100.00 EUR - paid\n"
FEES = {"taker": 1_000, "other": 2_000, "cheap": 400}
LIST = b"account_id,fee\ntaker,10.00\nother,20.00\ncheap,4.00\ntaker,10.00\n"


@cache
def _offered(later: str, history: str) -> World:
    world = World(chunk_bytes=65_536)
    for version, amount in ((1, OFFER), (2, LATER[later])):
        keeps = history == "a history" and "pay" in amount
        text = HEAD.format(version=version, history=HISTORIES[history] if keeps else "") + amount
        world.policies.publish("part", version, sealed_policy(text + CAP * keeps))
    world.lists.upload("lists/part.csv", LIST)
    request(world, 1)
    world.run_until_quiet()
    request(world, 2)
    return world


def request(world: World, number: int, version: int | None = None) -> None:
    """Request the campaign of that number."""
    world.publish(event(key="lists/part.csv", rows=4, policy="part", policy_version=version or number, revision=number))


def offered(later: str = "grants more", history: str = "no history") -> World:
    """The world in which the first campaign has offered; the request of the second is on its way."""
    return _offered(later, history).copy()


def waiting(later: str = "grants more", history: str = "no history") -> World:
    """The world in which the second campaign's plan waits, and nobody approves it by themselves."""
    world = offered(later, history)
    world.approvers = ()
    world.run_until_quiet()
    assert world.campaign(str(SECOND)).state is State.AWAITING_APPROVAL
    return world


def accept(world: World, account: str = "taker", tap: Tap | None = None) -> bool:
    """Accept the first campaign's offer; False where it is over by then."""
    used = tap or Tap()
    ports = AcceptPorts(
        tapped(world.ledger, "ledger", used), world.stores, tapped(world.campaigns, "campaigns", used),
        tapped(world.offers, "offers", used),
    )  # fmt: skip
    try:
        accept_offer(account, INCIDENT_ID, ports, "support", world.now, seq=1)
    except OfferRefused as refused:
        if refused.reason != "offer_superseded":
            raise
        return False
    return True
