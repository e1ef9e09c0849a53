"""What an incident's earlier campaigns granted stays counted, whatever a later campaign of it comes to."""

from datetime import timedelta

import pytest

from kulanz.application.ledger.accept_offer import AcceptPorts, accept_offer
from kulanz.application.ledger.answer import Explained
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.earlier_decisions import IN_ANOTHER_MEASURE
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.policy.deciding import history as history_module
from kulanz.domain.policy.deciding.history import HISTORY_CHANGED, HISTORY_FULL, HISTORY_SETTLED, HistoryKey, Order
from tests.support.fake_offers import FakeOffers
from tests.support.small_campaign import sealed_policy
from tests.support.world import World
from tests.support.world_steps import Function
from tests.support.yearly_cap import CAP, FEES, POLICY, POLICY_ID, incident, outage, world


def granted(made: World, account: str) -> int:
    """Minor units that an account was granted, accepted offers included."""
    return sum(
        benefit.money.minor
        for entry in made.ledger.of_account(account)
        if entry.status is Outcome.GRANTED
        for benefit in read_decision(entry.body).benefits
        if benefit.money is not None
    )


def counted(made: World, account: str) -> int:
    """Minor units of 2026 that the next incident will find to be taken."""
    history = made.ledger.all_histories()[HistoryKey(account, POLICY_ID, "-")]
    kept = history.before(Order("the next", made.now, lambda _: True), made.now)
    found = kept.get("paid_2026:EUR", 0)
    assert isinstance(found, int)
    return found


def publish(made: World, version: int, *changes: tuple[str, str]) -> None:
    """Publish a version of the policy with texts of it replaced."""
    text = POLICY
    for before, after in (("version: 1", f"version: {version}"), *changes):
        assert before in text
        text = text.replace(before, after)
    made.policies.publish(POLICY_ID, version, sealed_policy(text))


BETTER = "pay: 50% of fee", "pay: 75% of fee"


def run(made: World, incident_id: str, day: int, **changes: object) -> None:
    made.publish(incident(incident_id, outage(day), **changes))
    made.run_until_quiet()


def run_but(made: World, waiting: CampaignId, until: CampaignId, state: State) -> None:
    """Until a campaign is in a state, while the apply pass of another one waits."""
    for _ in range(400):
        found = made.campaigns.campaign(until)
        if found is not None and found.state is state:
            return
        made.run(next(step for step in made.steps() if not _applies(made, step.function, step.index, waiting)))
    raise AssertionError(f"{until} did not come to {state}")


def _applies(made: World, function: Function, index: int, campaign: CampaignId) -> bool:
    if function is not Function.GRANT:
        return False
    message = made.chunk_messages[index].body
    return (message.campaign, message.work) == (campaign, Pass.APPLY)


def test_a_later_campaign_that_owes_nothing_any_more_takes_nothing_out_of_the_history() -> None:
    made = world(chunk_bytes=65_536)
    run(made, "in-1", 2)
    publish(made, 2, BETTER)
    amended = CampaignId("in-1", 2)
    made.publish(incident("in-1", outage(2), revision=2, policy_version=2))
    run_but(made, amended, amended, State.APPLYING)  # planned: 22.50 more for half
    for number in (2, 3):
        made.publish(incident(f"in-{number}", outage(number + 1)))
        run_but(made, amended, CampaignId(f"in-{number}", 1), State.CLOSED)
    made.run_until_quiet()

    assert read_decision(made.ledger.of_account("half", "in-1")[-1].body).reason == HISTORY_CHANGED
    assert {account: counted(made, account) for account in ("small", "half", "large")} == {
        account: granted(made, account) for account in ("small", "half", "large")
    }
    run(made, "in-4", 5)
    assert all(granted(made, account) <= CAP for account in FEES)


def test_a_later_campaign_over_a_full_history_takes_nothing_out_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = world()
    run(made, "in-1", 2)
    publish(made, 2, ("cap:\n", "mode: {offer: {until: day(incident_end) + 90 days}}\ncap:\n"))
    run(made, "in-2", 3, policy_version=2)
    before = made.ledger.all_histories()
    monkeypatch.setattr(history_module, "HISTORY_BYTES", 10)
    run(made, "in-2", 3, revision=2, policy_version=2)

    assert read_decision(made.ledger.of_account("half", "in-2")[-1].body).reason == HISTORY_FULL
    assert made.ledger.all_histories() == before


MINUTES = "    pay: fee\n", "    give: {quantity: 10, unit: call_minute}\n"


def test_a_unit_that_is_held_for_another_measure_keeps_what_it_was_granted_counted() -> None:
    made = world(chunk_bytes=65_536)
    run(made, "in-3", 4)
    publish(made, 2, BETTER, MINUTES)  # the third outage of an account gives minutes, which nobody planned
    amended = CampaignId("in-3", 2)
    made.publish(incident("in-3", outage(4), revision=2, policy_version=2))
    run_but(made, amended, amended, State.APPLYING)
    for number in (1, 2):
        made.publish(incident(f"in-{number}", outage(number + 1), policy_version=2))
        run_but(made, amended, CampaignId(f"in-{number}", 1), State.CLOSED)
    made.run_until_quiet()

    assert read_decision(made.ledger.of_account("small", "in-3")[-1].body).reason == IN_ANOTHER_MEASURE
    assert counted(made, "small") == granted(made, "small") == 1_000 + 2 * 1_500


OFFERS = "cap:\n", "mode: {offer: {until: day(incident_end) + 30 days}}\ncap:\n"


@pytest.mark.parametrize("is_accepted", [True, False])
@pytest.mark.parametrize("first", [(), (OFFERS,)])
def test_an_offer_of_the_difference_that_lapses_leaves_what_was_granted_before_it_counted(
    first: tuple[tuple[str, str], ...], is_accepted: bool
) -> None:
    made = world()
    publish(made, 2, *first)
    publish(made, 3, BETTER, OFFERS)
    run(made, "in-1", 2, policy_version=2)
    ports = AcceptPorts(made.ledger, made.stores, made.campaigns, FakeOffers(made.ledger, made.campaigns))
    if first:
        accept_offer("half", "in-1", ports, "an agent", made.now)
    run(made, "in-1", 2, revision=2, policy_version=3)
    assert counted(made, "half") == 6_750
    if is_accepted:
        accept_offer("half", "in-1", ports, "an agent", made.now)
    made.now += timedelta(days=60)

    assert granted(made, "half") == counted(made, "half") == (6_750 if is_accepted else 4_500)
    for number in (2, 3):
        run(made, f"in-{number}", number + 1)
    assert granted(made, "half") == CAP


def test_a_later_campaign_that_owes_less_money_and_more_of_something_else_leaves_the_money_counted() -> None:
    minutes = "  - name: each\n", "  - name: minutes\n    give: {quantity: 10, unit: call_minute}\n  - name: each\n"
    more = minutes[0], minutes[1].replace("10", "20")
    made = world()
    publish(made, 2, minutes)
    publish(made, 3, more, ("pay: 50% of fee", "pay: 10% of fee"))
    run(made, "in-1", 2, policy_version=2)
    run(made, "in-1", 2, revision=2, policy_version=3)

    assert len(made.ledger.of_account("half", "in-1")) == 2
    assert counted(made, "half") == granted(made, "half") == 4_500
    for number in (2, 3):
        run(made, f"in-{number}", number + 1, policy_version=2)
    assert granted(made, "half") == CAP


TOGETHER = """
kulanz: 1
id: yearly-cap
version: 9
title: A euro for each hour, once they are more than ten that nothing was paid for
currency: EUR
facts:
  unpaid: {type: windows, add: outage, until: paid}
values:
  time: total(together(unpaid, outage))
when: time > 10 h
pay: full(time, 1 h) * 1.00 EUR
"""


def test_time_that_was_paid_for_with_a_later_incident_is_not_paid_for_again_by_a_further_campaign() -> None:
    made = world(chunk_bytes=65_536)
    made.policies.publish(POLICY_ID, 9, sealed_policy(TOGETHER))
    for number in (1, 2, 3):
        run(made, f"in-{number}", number + 1, policy_version=9)
    assert granted(made, "small") == 1_200  # six hours of each of the first two; those of the third wait

    for number in (1, 2, 3):
        run(made, f"in-{number}", number + 1, revision=2, policy_version=9)
    latest = {number: made.ledger.of_account("small", f"in-{number}")[-1] for number in (1, 2, 3)}
    assert read_decision(latest[1].body).reason == HISTORY_SETTLED
    assert {number: latest[number].key.seq for number in (2, 3)} == {2: 2, 3: 1}
    assert granted(made, "small") == 1_800  # the second incident, decided again, pays for the third one's time as well
    answered = made.ask("small", "in-1").decisions[-1]
    assert answered.explained is Explained.AGREES
    assert "paid for with another incident" in answered.steps[-1]
    campaign = made.campaign("in-1/2")
    assert (campaign.state, campaign.plan.totals.digest) == (State.CLOSED, campaign.apply.totals.digest)

    run(made, "in-4", 8, policy_version=9)
    assert granted(made, "small") == 1_800
    run(made, "in-5", 9, policy_version=9)
    assert granted(made, "small") == 3_000


@pytest.mark.parametrize(
    ("is_accepted", "days_later", "paid_then"),
    # Six hours each, and more than ten are paid for. An offer that lapsed leaves the time before it unpaid.
    [(True, 0, [None, 1_200, None, 1_200]), (True, 60, [None, 1_200, None, 1_200]),
     (False, 0, [None, 1_200, None, 1_200]), (False, 60, [None, 1_200, 1_200, None])],
)  # fmt: skip
def test_an_accepted_offer_settles_the_time_that_it_pays_for_and_one_that_lapsed_settles_none(
    is_accepted: bool, days_later: int, paid_then: list[int | None]
) -> None:
    made = world(chunk_bytes=65_536)
    offering = TOGETHER + "mode: {offer: {until: day(decided_at) + 30 days}}\n"
    made.policies.publish(POLICY_ID, 9, sealed_policy(offering))
    ports = AcceptPorts(made.ledger, made.stores, made.campaigns, FakeOffers(made.ledger, made.campaigns))
    for number in (1, 2, 3, 4):
        run(made, f"in-{number}", number + 1, policy_version=9)
        if number == 2:
            if is_accepted:
                accept_offer("small", "in-2", ports, "an agent", made.now)
            made.now += timedelta(days=days_later)

    offered = [read_decision(made.ledger.of_account("small", f"in-{number}")[0].body) for number in (1, 2, 3, 4)]
    sums = [next((one.money.minor for one in decision.benefits if one.money is not None), None) for decision in offered]
    assert sums == paid_then
