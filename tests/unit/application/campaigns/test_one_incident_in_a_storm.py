"""One incident told, amended, withdrawn, requested again, held, ended, accepted and settled at random, amid faults.

What interrupts a call here is another invocation, or a person, in the midst of it: at any call, one or two deep.
"""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from kulanz.application.campaigns.control_campaign import ControlPorts, ControlRefused, cancel, pause, resume, settle
from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.application.ledger.answer import Explained
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.budgets import LimitSet
from kulanz.domain.campaigns.campaign import WORKABLE, Cause
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import read_decision
from tests.support.budget_checks import check_budgets, check_settled
from tests.support.effort import seeds_tried
from tests.support.end_state import check_sound
from tests.support.fake_offers import FakeOffers
from tests.support.faults import HALVABLE, Fault, Killed, Tap, tapped
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import World
from tests.support.world_steps import Function, Step

SEEDS = seeds_tried(150)
pytestmark = pytest.mark.storm
EVENTS = 20
STEPS_BETWEEN_MOST = 15
FAULT_RATE = 0.02
INTERRUPTION_RATE = 0.2
DEPTH_MOST = 2
REDRIVES_MOST = 20
WORKERS_ARE_DEAD = timedelta(hours=2)
CAUSE = Cause("a person", "a ticket", "7")

HEAD = """
kulanz: 1
id: {id}
version: {version}
title: A storm
currency: EUR
facts:
  fee: money
  excluded: yes_no
who:
  - decline: excluded
    when: excluded
"""
OFFER = "mode:\n  offer: {until: day(decided_at) + 3 days}\n"
POLICIES: Mapping[tuple[str, int], tuple[str, int]] = {
    ("replaces", 1): ("pay: 50% of fee\n", 50),
    ("replaces", 2): ("pay: 75% of fee\n", 75),
    ("replaces", 3): ("pay: 25% of fee\n", 25),
    ("replaces", 4): ("pay: 60% of fee\n" + OFFER, 60),
    ("replaces", 5): ("pay: 90% of fee\nmode:\n  offer: yes\n", 90),
    ("replaces", 6): ("  - hold: not_yet\n", 0),
    ("adds", 1): ("pay: 10% of fee\nearlier: add\n", 10),
    ("adds", 2): ("pay: 15% of fee\nearlier: add\n", 15),
}
"""Each policy's amount, and the percentage of the fee that it entitles to."""
FEES = {f"a-{number}": 10 * number for number in range(1, 9)}
ROWS = [f"{account},{fee}.00,{'yes' if account == 'a-8' else 'no'},{'x' * 60}" for account, fee in FEES.items()]
LIST = "\n".join(["account_id,fee,excluded,note", *ROWS, ROWS[0], ""]).encode()


class _Storm:
    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.made = World(chunk_bytes=300, calls_in_flight=1)
        if (budget := self.choose.choice((None, 100_00, 240_00, 300_00))) is not None:
            self.made.budgets.set_limit(LimitSet("a", "EUR", "2026-03", budget, "a person", "a storm", self.made.now))
        for (name, version), (amount, _) in POLICIES.items():
            text = HEAD.format(id=name, version=version) + amount
            self.made.policies.publish(name, version, sealed_policy(text))
        self.rages = True
        self.depth = 0
        self.reading: set[Step] = set()
        self.revision = 0
        self.request: dict[str, Any] | None = None
        self.made.tap = Tap(self.fault)

    def tapped[P](self, port: P, name: str) -> P:
        return tapped(port, name, Tap(self.fault))

    def fault(self, _: int, name: str) -> Fault | None:
        """What happens to a call: first somebody comes in between, then it may fail."""
        if not self.rages:
            return None
        if self.depth < DEPTH_MOST and self.choose.random() < INTERRUPTION_RATE:
            self.depth += 1
            try:
                self.choose.choice((self.step, self.act))()
            finally:
                self.depth -= 1
        if self.choose.random() >= FAULT_RATE:
            return None
        possible = [fault for fault in Fault if fault is not Fault.HALF_DONE or name in HALVABLE]
        return self.choose.choice(possible)

    def step(self) -> bool:
        """A function's next message or batch; False when there is none. One invocation reads a stream."""
        steps = [step for step in self.made.steps() if step not in self.reading]
        if not steps:
            return False
        step = self.choose.choice(steps)
        if step.function not in (Function.PUBLISH, Function.ADVANCE):
            self.made.run(step)
        else:
            self.reading.add(step)
            try:
                self.made.run(step)
            finally:
                self.reading.discard(step)
        self.check()
        return True

    def act(self) -> None:
        """Something that people or publishers do; time passes only between calls, which are short."""
        waits = () if self.depth else (self.wait,)
        acts: Sequence[Callable[[], None]] = (
            *(self.ask,) * 2, self.repeat, self.withdraw, *(self.accept,) * 2, *(self.move,) * 4, *(self.settle,) * 2,
            *waits,
        )  # fmt: skip
        self.choose.choice(acts)()
        self.check()

    def ask(self) -> None:
        self.revision += 1
        name, version = self.choose.choice(list(POLICIES))
        key = f"lists/{self.choose.randrange(3)}.csv"
        uploaded = self.made.lists.upload(key, LIST)
        self.request = event(
            key=key,
            rows=len(ROWS) + 1,
            version_id=self.choose.choice((uploaded, None)),
            policy=name,
            policy_version=version,
            revision=self.revision,
            detail_type="Incident Amended",
        )
        self.made.publish(self.request)

    def repeat(self) -> None:
        if self.request is not None:
            self.made.publish(self.request)

    def withdraw(self) -> None:
        if self.choose.random() < 2 / 3 or not self.revision:  # else the last one comes again, or is a conflict
            self.revision += 1
        withdrawn = "Incident Withdrawn"
        self.made.publish(
            event(rows=1, detail_type=withdrawn, revision=self.revision, campaign=..., source="incidents")
        )

    def accept(self) -> None:
        made = self.made
        offers = self.tapped(FakeOffers(made.ledger, made.campaigns), "offers")
        ports = AcceptPorts(made.ledger, made.stores, self.tapped(made.campaigns, "campaigns"), offers)
        with suppress(OfferRefused, TryAgain, Killed):
            accept_offer(self.choose.choice(list(FEES)), INCIDENT_ID, ports, "an agent", made.now)

    def move(self) -> None:
        campaigns = self.made.campaigns.all_campaigns()
        if not campaigns:
            return
        chosen = self.choose.choice((campaigns[-1], campaigns[-1], self.choose.choice(campaigns)))
        ports = ControlPorts(
            self.tapped(self.made.campaigns, "campaigns"), self.tapped(self.made.chunks, "chunks"), self.made.stores
        )  # fmt: skip
        way = self.choose.choice((pause, pause, resume, resume, resume, cancel, settle))
        with suppress(ControlRefused, TryAgain, Killed):
            way(chosen, ports, "a storm", CAUSE, self.made.now)

    def settle(self) -> None:
        """What comes every five minutes, also while the one before is at work."""
        with suppress(TryAgain, Refused, Killed):
            self.made.settle()

    def wait(self) -> None:
        self.made.now += timedelta(minutes=self.choose.choice((1, 31, 24 * 60, 4 * 24 * 60)))

    def check(self) -> None:
        """Nobody has more than the highest that was decided for him, and beside it what a policy adds."""
        campaigns = [self.made.campaign(str(found)) for found in self.made.campaigns.all_campaigns()]
        highest: Counter[str] = Counter()
        for campaign in campaigns:
            percent = POLICIES[campaign.policy_id, campaign.policy_version][1]
            highest[campaign.policy_id] = max(highest[campaign.policy_id], percent)
        granted: Counter[str] = Counter()
        for entry in self.made.ledger.all_entries():
            if entry.status is Outcome.GRANTED:
                for benefit in read_decision(entry.body).benefits:
                    assert benefit.money is not None
                    granted[entry.key.account_id] += benefit.money.minor
        for account, minor in granted.items():
            assert minor <= FEES[account] * highest.total(), account
        check_budgets(self.made)

    def end_everything(self) -> None:
        """Cancel what waits or has stopped, and settle when no worker can write any more."""
        made = self.made
        ports = ControlPorts(made.campaigns, made.chunks, made.stores)
        for campaign_id in made.campaigns.all_campaigns():
            with suppress(ControlRefused):
                cancel(campaign_id, ports, "the end", CAUSE, made.now)
        made.now += WORKERS_ARE_DEAD
        for _ in range(2):
            assert made.settle().failed == ()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_nobody_is_granted_too_much_and_no_campaign_stands_still_for_ever(seed: int) -> None:
    storm = _Storm(seed)
    made = storm.made
    for _ in range(EVENTS):
        storm.act()
        for _ in range(storm.choose.randrange(STEPS_BETWEEN_MOST)):
            storm.step()

    storm.rages = False
    for _ in range(REDRIVES_MOST):
        while storm.step():
            pass
        if not made.redrive():
            break
    for campaign_id in made.campaigns.all_campaigns():
        campaign = made.campaign(str(campaign_id))
        assert campaign.state not in WORKABLE, f"{campaign_id} is {campaign.state}, and nothing is left to do"
        assert "differ" not in campaign.state_reason
    check_sound(made)
    for account in FEES:
        for answered in made.ask(account, INCIDENT_ID).decisions:
            assert answered.explained is Explained.AGREES, answered.entry.key
    storm.end_everything()
    check_budgets(made)
    check_settled(made)
