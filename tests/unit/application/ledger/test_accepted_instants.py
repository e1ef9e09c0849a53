"""When an offer ends, and when what was accepted begins, ends and may be deleted: each by its value.

The offers are made under a policy in Berlin; the acceptance comes days later, in one case over a change of the clocks.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import WRITER_LIFE, Entry, read_decision
from kulanz.domain.time import MICROSECOND, parse_instant
from tests.support.fake_offers import FakeOffers
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import World

POLICY = """
kulanz: 1
id: offered
version: 1
title: Minutes on request
zone: Europe/Berlin
give: {{quantity: 20, unit: call_minute, valid: {valid}}}
mode: {{offer: {{until: {until}}}}}
"""
UNTIL = "2026-05-03T22:00:00Z"
"""The start of 4 May in Berlin: the incident was on 27 February, and 3 May is the last day."""


def offered(valid: str, until: str = "day(incident_end) + 65 days", **settings: int) -> World:
    world = World(**settings)  # type: ignore[arg-type] # the names are the fields'
    world.policies.publish("offered", 1, sealed_policy(POLICY.format(valid=valid, until=until)))
    world.lists.upload("lists/offered.csv", b"account_id\na-1\n")
    world.publish(event(key="lists/offered.csv", rows=1, policy="offered"))
    world.run_until_quiet()
    return world


def standing(world: World) -> Entry:
    (entry,) = world.ledger.all_entries()
    return entry


def accept(world: World, at: datetime) -> Entry:
    ports = AcceptPorts(world.ledger, world.stores, world.campaigns, FakeOffers(world.ledger, world.campaigns))
    return accept_offer("a-1", INCIDENT_ID, ports, "an agent", at)


def test_an_offer_is_open_until_its_end_whatever_its_benefits_last() -> None:
    world = offered("5 days")
    offer = standing(world)
    assert offer.status is Outcome.OFFERED
    assert read_decision(offer.body).claim_until == offer.expires_at == parse_instant(UNTIL)
    assert world.campaign(f"{INCIDENT_ID}/1").apply.totals.ends == {}  # nothing is granted, so nothing expires
    assert accept(world, parse_instant(UNTIL) - MICROSECOND).status is Outcome.GRANTED

    world = offered("5 days")
    with pytest.raises(OfferRefused) as refused:
        accept(world, parse_instant(UNTIL))
    assert refused.value.reason == "offer_over"
    assert standing(world).status is Outcome.OFFERED


@pytest.mark.parametrize(
    ("valid", "accepted", "ends"),
    [
        ("7 days", "2026-03-28T11:07:13.5Z", "2026-04-04T10:07:13.5Z"),  # the clocks go forward on 29 March
        ("36 hours", "2026-03-28T11:07:13.5Z", "2026-03-29T23:07:13.5Z"),
        ("1 month", "2026-03-31T09:30:00Z", "2026-04-30T09:30:00Z"),
        ("1 month", "2026-04-30T22:30:00Z", "2026-05-31T22:30:00Z"),  # 1 May in Berlin
        ("{from: 2026-06-01, for: 3 days}", "2026-04-01T10:00:00Z", "2026-06-03T22:00:00Z"),
        ("{until: 2026-06-30}", "2026-04-01T10:00:00Z", "2026-06-30T22:00:00Z"),
    ],
)
def test_what_was_accepted_begins_with_the_acceptance_and_ends_as_the_policy_says(
    valid: str, accepted: str, ends: str
) -> None:
    world = offered(valid)
    offer, at = standing(world), parse_instant(accepted)
    granted = accept(world, at)
    assert granted == standing(world)
    assert (granted.effective_at, granted.expires_at) == (at, parse_instant(ends))
    assert (granted.body, granted.origin, granted.remaining) == (offer.body, offer.origin, offer.remaining)
    world.now = parse_instant(ends) - MICROSECOND
    assert not world.ask("a-1").decisions[0].expired
    world.now = parse_instant(ends)
    assert world.ask("a-1").decisions[0].expired


def test_what_was_accepted_is_kept_while_it_can_be_used() -> None:
    world = offered("900 days", retention_days=10, decidable_days=100)
    offer, at = standing(world), datetime(2026, 5, 1, 7, 0, 0, 1, tzinfo=UTC)
    assert datetime.fromtimestamp(offer.ttl, UTC) >= parse_instant(UNTIL) + WRITER_LIFE
    granted = accept(world, at)
    assert granted.expires_at == at + timedelta(days=900)  # summer time then and now
    assert datetime.fromtimestamp(granted.ttl, UTC) >= granted.expires_at


def test_an_offer_is_kept_while_it_can_be_accepted() -> None:
    world = offered("5 days", until="day(incident_end) + 700 days", retention_days=10, decidable_days=100)
    offer = standing(world)
    assert offer.expires_at == datetime(2028, 1, 28, 23, tzinfo=UTC)  # 27 February 2026 and 700 days, in Berlin
    assert datetime.fromtimestamp(offer.ttl, UTC) >= offer.expires_at + WRITER_LIFE
    assert accept(world, offer.expires_at - MICROSECOND).status is Outcome.GRANTED


def test_an_offer_without_an_end_stays_open() -> None:
    world = World()
    text = POLICY.format(valid="5 days", until="x").replace("mode: {offer: {until: x}}", "mode: offer")
    world.policies.publish("offered", 1, sealed_policy(text))
    world.lists.upload("lists/offered.csv", b"account_id\na-1\n")
    world.publish(event(key="lists/offered.csv", rows=1, policy="offered"))
    world.run_until_quiet()
    assert (standing(world).expires_at, read_decision(standing(world).body).claim_until) == (None, None)
    at = world.now + timedelta(days=700)
    assert accept(world, at).effective_at == at


def test_a_late_acceptance_is_kept_from_then_on_as_long_as_every_decision() -> None:
    world = offered("5 days", retention_days=400)
    offer, at = standing(world), parse_instant(UNTIL) - timedelta(seconds=1)
    kept_for = datetime.fromtimestamp(offer.ttl, UTC) - offer.effective_at
    assert abs(datetime.fromtimestamp(accept(world, at).ttl, UTC) - at - kept_for) < timedelta(seconds=1)


@pytest.mark.parametrize("state", State)
def test_only_an_offer_of_a_campaign_that_goes_on_or_has_closed_can_be_accepted(state: State) -> None:
    world = offered("5 days")
    kept = world.campaigns._campaigns[CampaignId(INCIDENT_ID, 1)]
    kept.campaign = replace(kept.campaign, state=state)
    if state in (State.APPLYING, State.CLOSED):
        assert accept(world, world.now).status is Outcome.GRANTED
        return
    with pytest.raises(OfferRefused) as refused:
        accept(world, world.now)
    assert refused.value.reason == "offer_stopped"
    assert standing(world).status is Outcome.OFFERED
