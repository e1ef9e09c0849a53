"""Another pass over a campaign's pinned list finds every decision that it committed, and nothing else."""

import json

from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.world import Booked
from kulanz.application.ledger.accept_offer import AcceptPorts, accept_offer
from kulanz.application.ledger.committed import committed_decisions
from kulanz.application.notices.publish_notices import PublishPorts, Recorded, publish_notices
from tests.support.fake_offers import FakeOffers
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, ROWS, event, sealed_policy, small_world
from tests.support.world import World


def closed_world() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def rebuild(world: World) -> set[str]:
    campaign = world.campaign(CAMPAIGN)
    policy = FrozenCache().get(campaign, world.campaigns)
    ports = PublishPorts(world.campaigns, world.topic, world.troubles)
    found = set()
    for entries in committed_decisions(campaign, policy, world.lists, world.ledger):
        records = [Recorded(Booked(one, ())) for one in entries]
        publish_notices(records, ports, world.recipients_per_message, FrozenCache())
        found |= {str(entry.key) for entry in entries}
    return found


def test_every_decision_is_found_by_its_row() -> None:
    world = closed_world()
    assert rebuild(world) == {str(entry.key) for entry in world.ledger.all_entries()}


def test_decisions_of_another_campaign_of_the_incident_are_not_found() -> None:
    world = closed_world()
    world.lists.upload("lists/second.csv", b"account_id,segment,affected,fee,language\nlate-1,consumer,yes,1.00,de\n")
    world.publish(event(key="lists/second.csv", rows=1))
    world.run_until_quiet()
    assert not any("late-1" in key for key in rebuild(world))


def test_notices_rebuilt_have_the_ids_that_they_had() -> None:
    world = closed_world()
    first = sorted(message.text for message in world.topic.published if message.recipients)
    known = {recipient for text in first for recipient in _ids(text)}
    world.topic.published.clear()
    rebuild(world)
    again = {recipient for message in world.topic.published for recipient in _ids(message.text)}
    assert again == known
    assert known


OFFER = """
kulanz: 1
id: told
version: 1
title: Told
give: {quantity: 20, unit: call_minute, valid: 7 days}
mode:
  offer: {until: day(decided_at) + 20 days}
notice:
  channel: '"email"'
  texts:
    offered:
      en: {subject: Yours, text: "Accept it before {{ expires_at }}."}
"""


def test_a_notice_of_an_offer_that_was_accepted_since_still_tells_until_when_it_was_open() -> None:
    world = World()
    world.policies.publish("told", 1, sealed_policy(OFFER))
    version = world.lists.upload("lists/told.csv", b"account_id\na-1\n")
    world.publish(event(key="lists/told.csv", rows=1, version_id=version, policy="told"))
    world.run_until_quiet()
    ports = AcceptPorts(world.ledger, world.stores, world.campaigns, FakeOffers(world.ledger, world.campaigns))
    accept_offer("a-1", INCIDENT_ID, ports, "support", world.now)
    rebuild(world)
    contents = [json.loads(message.text) for message in world.topic.published if message.recipients]
    told = [content["recipients"][0]["values"]["expires_at"] for content in contents]
    assert told == ["2026-03-22T00:00:00Z"] * 2


def _ids(text: str) -> set[str]:
    return {part.partition('"')[0] for part in text.split('"notice_id":"')[1:]}
