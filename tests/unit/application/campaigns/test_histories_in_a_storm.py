"""Incidents, amendments, offers, stops and faults at random: no cap is passed at any moment, nothing is lost."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import pytest

from kulanz.application.campaigns.control_campaign import (
    Accepted,
    ControlPorts,
    ControlRefused,
    cancel,
    pause,
    resume,
    settle,
)
from kulanz.application.campaigns.replan import ReplanPorts, replan
from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.application.ledger.answer import Explained
from kulanz.application.ports import TryAgain
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.decision import Outcome
from kulanz.domain.gate.approval import ApprovalRefused
from kulanz.domain.incident_record import decision_digest
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.policy.deciding.history import HistoryKey
from tests.support.effort import seeds_tried
from tests.support.end_state import check_sound
from tests.support.fake_offers import FakeOffers
from tests.support.faults import HALVABLE, Choose, Fault, Killed, Tap, tapped
from tests.support.small_campaign import sealed_policy
from tests.support.world import ANNA, World
from tests.support.world_steps import Step
from tests.support.yearly_cap import CAP, FEES, POLICY, POLICY_ID, incident, outage, world

SEEDS = seeds_tried(60)
pytestmark = pytest.mark.storm
INCIDENTS = 5
EVENTS = 16
STEPS_BETWEEN_MOST = 25
FAULT_RATE = 0.03
ROUNDS_MOST = 20
"""How often people come back after the storm, at most."""
CAUSE = Cause("a person", "a ticket", "7")
ACCOUNTS = [account for account in FEES if account != "excluded"]
OFFERS = "cap:\n", "mode: {offer: {until: day(decided_at) + 20 days}}\ncap:\n"
MINUTES = "  - name: each\n", "  - name: minutes\n    give: {quantity: 10, unit: call_minute}\n  - name: each\n"
LESS_MONEY = "pay: 50% of fee", "pay: 20% of fee"
VERSIONS: Sequence[Sequence[tuple[str, str]]] = (
    [],
    [OFFERS],
    [("pay: 50% of fee", "pay: 75% of fee")],
    [("pay: 50% of fee", "pay: 75% of fee"), OFFERS],
    [MINUTES],
    [LESS_MONEY, (MINUTES[0], MINUTES[1].replace("10", "20"))],
)


def _world() -> World:
    made = world(calls_in_flight=1)
    for version, changes in enumerate(VERSIONS[1:], 2):
        text = POLICY.replace("version: 1", f"version: {version}")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        made.policies.publish(POLICY_ID, version, sealed_policy(text))
    return made


def _granted(made: World, account: str) -> Counter[str]:
    """Minor units that an account was granted, accepted offers included, by incident."""
    found: Counter[str] = Counter()
    for entry in made.ledger.of_account(account):
        if entry.status is Outcome.GRANTED:
            for benefit in read_decision(entry.body).benefits:
                found[entry.key.incident_id] += 0 if benefit.money is None else benefit.money.minor
    return found


def _check(made: World) -> None:
    """What was granted is what the history counts for good, and no more than the cap: at every moment."""
    for account in ACCOUNTS:
        granted = _granted(made, account)
        assert granted.total() <= CAP, account
        kept = made.ledger.all_histories().get(HistoryKey(account, POLICY_ID, "-"))
        for incident_id in {*granted, *(kept.incidents if kept else ())}:
            addition = kept.incidents.get(incident_id) if kept else None
            stays = None if addition is None else addition.for_good()
            assert (0 if stays is None else stays.added.get("paid_2026:EUR", 0)) == granted[incident_id], incident_id


class _Storm:
    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.made = _world()
        self.revisions: Counter[str] = Counter()
        self.control = ControlPorts(self.made.campaigns, self.made.chunks, self.made.stores)

    def faults(self) -> Choose:
        possible = [fault for fault in Fault if fault is not Fault.HALF_DONE]

        def choose(_: int, name: str) -> Fault | None:
            if self.choose.random() >= FAULT_RATE:
                return None
            return self.choose.choice([*possible, Fault.HALF_DONE] if name in HALVABLE else possible)

        return choose

    def act(self) -> None:
        """Something that people or publishers do."""
        acts: Sequence[Callable[[], None]] = (
            self.tell,
            self.tell,
            self.tell,
            self.accept,
            self.accept,
            self.stop,
            self.wait,
        )
        self.choose.choice(acts)()

    def tell(self) -> None:
        name = f"in-{self.choose.randrange(INCIDENTS)}"
        self.revisions[name] += 1
        kind = "Incident Withdrawn" if self.choose.random() < 0.1 else "Incident Amended"
        told = incident(
            name,
            outage(self.choose.randrange(1, 20)),
            revision=self.revisions[name],
            policy_version=self.choose.randrange(len(VERSIONS)) + 1,
            detail_type=kind,
        )
        if kind == "Incident Withdrawn":
            del told["detail"]["campaign"]
        self.made.publish(told)

    def accept(self) -> None:
        made, tap = self.made, Tap(self.faults())
        offers = tapped(FakeOffers(made.ledger, made.campaigns), "offers", tap)
        account, name = self.choose.choice(ACCOUNTS), f"in-{self.choose.randrange(INCIDENTS)}"
        with suppress(OfferRefused, TryAgain, Killed):
            accept_offer(
                account, name, AcceptPorts(made.ledger, made.stores, made.campaigns, offers), "an agent", made.now
            )

    def stop(self) -> None:
        campaigns = self.made.campaigns.all_campaigns()
        if campaigns:
            way = self.choose.choice((pause, pause, resume, self.go_on, cancel, settle))
            with suppress(ControlRefused):
                way(self.choose.choice(campaigns), self.control, "a storm", CAUSE, self.made.now)

    def go_on(self, campaign: CampaignId, control: ControlPorts, reason: str, cause: Cause, now: datetime) -> None:
        """Resume a campaign whatever its incident says by now: who requested it was a source of events."""
        told = self.made.campaigns.revisions(campaign.incident_id)[-1]
        accepted = Accepted(decision_digest(told.content), Person(ANNA), NOBODY_LISTED)
        resume(campaign, control, reason, cause, now, accepted)

    def wait(self) -> None:
        self.made.now += timedelta(days=self.choose.choice((1, 5, 30)))

    def step(self, step: Step) -> None:
        self.made.run(step)
        _check(self.made)

    def until_quiet(self) -> None:
        while steps := self.made.steps():
            self.step(self.choose.choice(steps))

    def see_to(self, campaign_id: CampaignId) -> bool:
        """What a person does after the storm with a campaign that waits for one; False where it waits for nobody."""
        state = self.made.campaign(str(campaign_id)).state
        if state is State.AWAITING_APPROVAL:
            self.approve_or_replan(campaign_id)
        elif state is State.PAUSED:
            self.go_on(campaign_id, self.control, "the storm is over", CAUSE, self.made.now)
        else:
            return False
        _check(self.made)
        return True

    def approve_or_replan(self, campaign_id: CampaignId) -> None:
        """A plan that cannot be approved any more is planned again."""
        made, plan = self.made, self.made.campaigns.filed_plan(campaign_id)
        assert plan is not None
        given = {action.person for action in made.campaigns.actions(campaign_id)}
        try:
            person = next(one for one in made.approvers if one not in given)
            made.approve(campaign_id, person, tuple(one.name for one in plan.exceeded))
        except ApprovalRefused:
            replan(campaign_id, ReplanPorts(made.campaigns, made.chunks), "the storm is over", CAUSE, made.now)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_no_cap_is_passed_at_any_moment_of_a_storm(seed: int) -> None:
    storm = _Storm(seed)
    made, choose = storm.made, storm.choose
    made.tap = Tap(storm.faults())
    for _ in range(EVENTS):
        storm.act()
        _check(made)
        for _ in range(choose.randrange(STEPS_BETWEEN_MOST)):
            if steps := made.steps():
                storm.step(choose.choice(steps))

    made.tap = Tap()
    for _ in range(ROUNDS_MOST):
        storm.until_quiet()
        seen_to = [storm.see_to(campaign_id) for campaign_id in made.campaigns.all_campaigns()]
        if not made.redrive() and not any(seen_to):
            break
    else:
        raise AssertionError(f"people still had something to do after {ROUNDS_MOST} rounds")
    check_sound(made)
    for campaign_id in made.campaigns.all_campaigns():
        campaign = made.campaign(str(campaign_id))
        told = campaign.state, campaign.state_reason
        assert campaign.state in (State.CLOSED, State.CANCELLED, State.FLAGGED, State.REFUSED), told
        assert "differ" not in campaign.state_reason, told
    for account in ACCOUNTS:
        for answered in made.ask(account).decisions:
            assert answered.explained is Explained.AGREES, (answered.entry.key, answered.decision, answered.recomputed)
