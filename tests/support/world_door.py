"""The API over a world in memory: a request goes in as the gateway would hand it on, an answer comes out."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from kulanz.adapters.parted_lists import PartedLists
from kulanz.application.delivery.world import Booked
from kulanz.application.door.routes import BY_KEY, Route
from kulanz.application.door.serve import JSON_TYPE, Reply, Request, serve
from kulanz.application.ledger.check_ledger import CheckPorts
from kulanz.application.notices.publish_notices import PublishPorts, Recorded, publish_notices
from kulanz.application.notices.publish_status import publish_status
from kulanz.application.ports import PolicyShelf
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.estimate import Operation
from kulanz.domain.delivery.dues import WARN_BEFORE_DAYS
from kulanz.domain.incident_record import Revision
from tests.support.fake_answers import FakeAnswerQueue, FakeAnswers, FakeDues
from tests.support.fake_credit_actions import FakeCreditActions
from tests.support.fake_discretion import FakeDiscretion
from tests.support.fake_door import FakeActions, FakeDocuments, FakeRefusedEvents
from tests.support.fake_drafts import FakeDrafts, FakeSources
from tests.support.fake_goodwill import FakeGoodwill
from tests.support.fake_index import FakeIndex
from tests.support.fake_people import FakePeople
from tests.support.fake_troubles import FakeTroubles
from tests.support.fake_uploads import FakeUploads
from tests.support.world import World

OPERATION = Operation("eu-central-1", recipients_per_message=3, write_rate=20)


@dataclass(frozen=True)
class Somebody:
    """Whoever acts in a test."""

    id: str


ANNA = Somebody("iam:arn:aws:iam::123456789012:user/anna")
BERT = Somebody("iam:arn:aws:iam::123456789012:user/bert")


class FakeDeadLetters:
    """The world's dead letters, of whatever queue."""

    def __init__(self, world: World) -> None:
        self._world = world

    def redrive(self, queue: str, seconds_left: Callable[[], float]) -> tuple[int, bool]:  # noqa: ARG002
        return self._world.redrive(), True


class FakeWorkers:
    """The world's functions, which get a record at once."""

    def __init__(self, world: World) -> None:
        self._world = world

    def advance(self, campaign_id: CampaignId) -> None:
        self._world._advance([campaign_id], "repair")

    def publish_decisions(self, decisions: Sequence[Booked]) -> None:
        ports = PublishPorts(self._world.campaigns, self._world.topic, self._world.troubles)
        cache = next(iter(self._world._caches.values()))
        publish_notices(map(Recorded, decisions), ports, self._world.recipients_per_message, cache)

    def publish_revisions(self, revisions: Sequence[Revision]) -> None:
        publish_status(revisions, self._world.topic)


class WorldDoor:
    """The world behind the API, in memory."""

    code_version = "test"

    def __init__(self, world: World) -> None:
        self.world = world
        self.actions = FakeActions()
        self.campaigns, self.ledger, self.lists = world.campaigns, world.ledger, PartedLists(world.lists)
        self.voids = world.voids
        self.exports, self.export_queue = world.exports, world.export_queue
        self.credits = world.credits
        self.answers = FakeAnswers(world.deliveries.dues, world.codes)
        self.credit_actions = FakeCreditActions(world.credits, self.answers, world.campaigns)
        self.answer_queue, self.dues = FakeAnswerQueue(), FakeDues(world.deliveries.dues)
        self.archive, self.chunks, self.stores = world.archive, world.chunks, world.stores
        self.policies: PolicyShelf = world.policies
        self.deliveries = world.deliveries
        self.documents = FakeDocuments(world.archive)
        self.offers = world.offers
        self.index = FakeIndex(world.campaigns, self.offers, world.cases)
        self.troubles = FakeTroubles(world.campaigns)
        self.budgets = world.budgets
        self.cases = world.cases
        self.index.others = self.actions.entries
        self.uploads = FakeUploads(world.policies, world.lists)
        self.refused_events, self.dead_letters = FakeRefusedEvents(world.rejected), FakeDeadLetters(world)
        self.workers = FakeWorkers(world)
        self.drafts, self.sources = FakeDrafts(), FakeSources()
        self.operation, self.gate, self.people = OPERATION, world.gate, FakePeople()
        self.discretion, self.channel = FakeDiscretion(), world.channel
        self.other_channels, self.warn_before = world.other_channels, timedelta(days=WARN_BEFORE_DAYS)
        self.goodwill = FakeGoodwill(world.ledger, world.campaigns)
        self.goodwill.logged = self.actions.entries
        self.settings = replace(world.settings(), incident_sources=frozenset(), campaign_sources=frozenset())

    def send(self, request: Request, caller: Somebody = ANNA, seconds_left: float = 25.0) -> Reply:
        """Hand a request on, as the handler does."""
        return serve(request, caller, self, self.world.now, lambda: seconds_left)

    def get(self, path: str, caller: Somebody = ANNA, **query: str) -> Reply:
        """Ask: the path with its values, after the version."""
        return self.send(Request(routed("GET", f"/v1/{path}").key, f"/v1/{path}", query), caller)

    def put(self, path: str, body: Mapping[str, Any], caller: Somebody = ANNA, seconds_left: float = 25.0) -> Reply:
        """Act: the path with its values, after the version."""
        content = json.dumps(body).encode()
        request = Request(routed("PUT", f"/v1/{path}").key, f"/v1/{path}", {}, content, JSON_TYPE)
        return self.send(request, caller, seconds_left)


def check_ports(door: WorldDoor) -> CheckPorts:
    """The world as a check of its ledger reads it."""
    world = door.world
    return CheckPorts(
        world.campaigns,
        door.lists,
        world.ledger,
        world.credits,
        world.deliveries,
        door.answers,
        world.voids,
        door.index,
    )


def routed(method: str, path: str) -> Route:
    """The route that the gateway matches: the one with the most fixed words."""
    found = [route for route in BY_KEY.values() if route.method == method and route.match(path) is not None]
    assert found, f"no route matches {method} {path}"
    return max(found, key=lambda route: len(route.words))
