"""Another pass over a campaign's pinned list finds every decision that it committed, and nothing else."""

from kulanz.application.committed import committed_decisions
from kulanz.application.frozen import FrozenCache
from kulanz.application.publish_notices import PublishPorts, publish_notices
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World


def closed_world() -> World:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def rebuild(world: World) -> set[str]:
    campaign = world.campaign(CAMPAIGN)
    policy = FrozenCache().get(campaign, world.campaigns)
    ports = PublishPorts(world.campaigns, world.topic)
    found = set()
    for entries in committed_decisions(campaign, policy, world.lists, world.ledger):
        publish_notices(entries, ports, world.recipients_per_message, FrozenCache())
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


def _ids(text: str) -> set[str]:
    return {part.partition('"')[0] for part in text.split('"notice_id":"')[1:]}
