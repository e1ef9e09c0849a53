"""The whole of Kulanz in one process: its queues and streams, its four functions as steps, one clock, no AWS.

What can happen next is a list of `Step`s; whoever drives the world chooses one, and `run` lets it happen. One choice
function is one schedule, so a seeded one gives the same run every time. Each step does what the function's handler
does: a message whose function raised stays in its queue, a batch of a stream is repeated until it passes, and both are
bounded as the template bounds them.
"""

import json
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

from kulanz.adapters.parted_lists import PartedLists
from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.grant_credits import Worked, grant_credits
from kulanz.application.campaigns.open_campaign import (
    Opening,
    OpenPorts,
    OpenSettings,
    open_campaign,
    open_kept_requests,
    take,
)
from kulanz.application.campaigns.watch_open import Watched, WatchPorts, watch_open
from kulanz.application.delivery.world import Booked
from kulanz.application.incidents.follow_incident import follow_incident
from kulanz.application.incidents.incident_event import read_incident_event
from kulanz.application.ledger.answer import Answer, AnswerPorts, answer
from kulanz.application.ledger.confirm_tables import confirm_tables
from kulanz.application.ledger.settle_budgets import Settled, SettlePorts, settle_budgets
from kulanz.application.notices.keep_notices import kept_by_halt
from kulanz.application.notices.publish_notices import PublishPorts, Recorded, publish_notices
from kulanz.application.notices.publish_status import publish_status
from kulanz.application.ports import (
    ChunkMessage,
    DeliveryMessage,
    GivenUpBatch,
    Ledger,
    PublishMessage,
    Refused,
    TryAgain,
)
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause
from kulanz.domain.campaigns.estimate import AS_DEPLOYED, Operation
from kulanz.domain.confirmation import Occasion
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.entries import CreditEntries
from kulanz.domain.gate.approval import Approval, ApprovalRefused
from kulanz.domain.gate.settings import SAFE, GateSettings
from kulanz.domain.incident_record import Revision
from kulanz.domain.ledger.entries import Entry
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support.fake_answers import FakeCodes
from tests.support.fake_bucket import FakeArchive, FakeLists, FakePolicies
from tests.support.fake_budgets import FakeBudgets
from tests.support.fake_cases import FakeCases
from tests.support.fake_deliveries import FakeCredits, FakeDeliveries
from tests.support.fake_exports import FakeExportQueue, FakeExports
from tests.support.fake_index import FakeIndex
from tests.support.fake_messages import FakeAnnouncer, FakeChunks, FakeCreditsTopic, FakeRejected, FakeTopic
from tests.support.fake_offers import FakeOffers
from tests.support.fake_people import FakePeople
from tests.support.fake_troubles import FakeGivenUp, FakeTablePolicies, FakeTroubles
from tests.support.fake_voids import FakeVoids
from tests.support.fakes import FakeCampaigns, FakeLedger, FakeStores
from tests.support.faults import Killed, Tap, tapped
from tests.support.world_clock import TakingTime, WorldClock
from tests.support.world_deliveries import advanced, delivered, law_of_campaign, opened, watched
from tests.support.world_people import next_approver, to_approve
from tests.support.world_steps import (
    AMENDMENTS,
    CHANGES,
    DECISIONS,
    DELIVERIES,
    REVISIONS,
    TAKEN,
    Function,
    Message,
    Step,
    Stream,
    with_version,
)

BUCKET = "kulanz-lists"
START = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
RECEIVES_MOST = 5
"""As maxReceiveCount in the template: then a message goes to the dead letters."""
BATCH_ATTEMPTS = 10
"""How often a stream batch is repeated before it goes to the failure destination."""
DECISIONS_PER_BATCH = 100
CHANGES_PER_BATCH = 10
STEPS_MOST = 20_000
ANNA, BEN = (f"iam:arn:aws:iam::123456789012:user/{name}" for name in ("anna", "ben"))
"""Two persons."""
WORKER_SECONDS = 120.0
SECONDS_PER_STEP = 1
WATCH_INTERVAL = timedelta(minutes=5)
INCIDENT_SOURCES = frozenset({"incidents", "billing"})


@dataclass
class World:
    """One stack. `tap` sees every port call; `chunk_bytes` and the rest are the operator's settings."""

    tap: Tap = field(default_factory=Tap)
    chunk_bytes: int = 20_000
    calls_in_flight: int = 1
    units_per_second: float = 0.0
    recipients_per_message: int = 2
    decidable_days: int = 400
    account_ids: IdShape | None = None
    retention_days: int = 800
    operation: Operation = AS_DEPLOYED
    now: datetime = START
    worker_seconds: float = WORKER_SECONDS
    seconds_per_look: float = 0.0
    redelivered_first: bool = True
    approvers: tuple[str, ...] = (ANNA, BEN)
    """The persons who approve what waits, one after the other, as long as it keeps its limits."""
    gate: GateSettings = SAFE
    channel: Channel | None = None
    other_channels: tuple[Channel, ...] = ()
    """Where the credits of its campaigns are delivered to."""
    delivers: bool = True
    """Whether a campaign that closes opens its delivery."""
    requester: str = ""
    """The person who sends all events through the API; empty where they come over the bus."""

    def clock(self) -> datetime:
        """What time it is."""
        return self.now

    def __post_init__(self) -> None:
        self.lists, self.policies = FakeLists(BUCKET), FakePolicies()
        self.campaigns, self.ledger, self.archive = FakeCampaigns(), FakeLedger(), FakeArchive()
        self.chunks, self.topic, self.credits_topic = FakeChunks(), FakeTopic(), FakeCreditsTopic()
        self.announcer, self.rejected = FakeAnnouncer(), FakeRejected()
        self.stores = FakeStores(self.campaigns, self.ledger)
        self.troubles, self.given_up = FakeTroubles(self.campaigns), FakeGivenUp()
        self.table_policies, self.people = FakeTablePolicies(), FakePeople()
        self.offers = FakeOffers(self.ledger, self.campaigns)
        self.cases = FakeCases(self.ledger, self.campaigns)
        self.credits, self.deliveries = FakeCredits(self.ledger), FakeDeliveries(self.campaigns.added_items)
        self.voids, self.codes = FakeVoids(self.campaigns, self.deliveries.dues), FakeCodes()
        self.exports, self.export_queue = FakeExports(), FakeExportQueue()
        self.index = FakeIndex(self.campaigns, self.offers, self.cases)
        self.budgets = FakeBudgets(self.campaigns.budget_items)
        confirm_tables(self.stores, Occasion.FIRST, "a person", "first deployment", START)
        self.lists.now = self.clock
        self.events: list[Message[Mapping[str, Any]]] = []
        self.chunk_messages: list[Message[ChunkMessage]] = []
        self.delivery_messages: list[Message[DeliveryMessage | PublishMessage]] = []
        self.streams = {step: Stream() for step in (DECISIONS, TAKEN, REVISIONS, CHANGES, AMENDMENTS, DELIVERIES)}
        self.dead_letters: list[tuple[Function, object]] = []
        self.caught: list[tuple[Step, BaseException]] = []
        self.openings: list[Opening] = []
        self.worked: list[Worked] = []
        self._caches = {Function.GRANT: FrozenCache(), Function.PUBLISH: FrozenCache()}
        self._numbered = 0
        self.left: set[tuple[CampaignId, int, bool]] = set()

    # What people and publishers do

    def publish(self, event: Mapping[str, Any]) -> None:
        """Put an event on the bus; the rule carries it to the incidents queue, as text.

        A list that is named without its version gets the one that is current now, as `kulanz send` gives it.
        """
        pinned = with_version(json.loads(json.dumps(event)), self.lists.newest)
        self.events.append(Message(self._next_id("event"), pinned))

    def settings(self) -> OpenSettings:
        """The settings of `open_campaign`."""
        return OpenSettings(
            list_bucket=BUCKET,
            list_prefix="lists/",
            incident_sources=INCIDENT_SOURCES,
            campaign_sources=frozenset({"billing"}),
            chunk_bytes=self.chunk_bytes,
            decidable_days=self.decidable_days,
            account_ids=self.account_ids,
        )

    def ask(self, account_id: str, incident_id: str | None = None) -> Answer:
        """What the support desk asks."""
        ports = AnswerPorts(self.campaigns, PartedLists(self.lists), self.ledger)
        return answer(account_id, incident_id, ports, self.now)

    def campaign(self, campaign_id: str) -> Campaign:
        """A campaign that exists."""
        found = self.campaigns.campaign(CampaignId.parse(campaign_id))
        assert found is not None, f"{campaign_id} does not exist"
        return found

    # What can happen next, and letting it happen

    def steps(self) -> list[Step]:
        """Everything that could happen now; empty when the world is quiet."""
        self._collect_chunks()
        found = [Step(Function.OPEN, index) for index in range(len(self.events))]
        found += [Step(Function.GRANT, index) for index in range(len(self.chunk_messages))]
        found += [Step(Function.DELIVER, index) for index in range(len(self.delivery_messages))]
        lengths = {
            DECISIONS: len(self.ledger.inserted),
            TAKEN: len(self.credits.changed),
            REVISIONS: len(self.campaigns.recorded),
            CHANGES: len(self.campaigns.changes),
            AMENDMENTS: len(self.campaigns.recorded),
            DELIVERIES: len(self.deliveries.changes),
        }
        found += [reader for reader, length in lengths.items() if self.streams[reader].position < length]
        is_due = any(kept.opens_at <= self.now for kept in self.campaigns.kept_requests())
        found += [Step(Function.TICK)] * is_due
        return found + [Step(Function.APPROVE, index) for index in range(len(to_approve(self)))]

    def run(self, step: Step) -> None:
        """Let one step happen. An error of a port, or the end of the process, leaves its message to come again."""
        self.now += timedelta(seconds=SECONDS_PER_STEP)
        match step.function:
            case Function.OPEN:
                self._receive(step, self.events, self._open)
            case Function.GRANT:
                self._receive(step, self.chunk_messages, self._grant)
            case Function.DELIVER:
                self._receive(step, self.delivery_messages, self._deliver)
            case Function.PUBLISH if step == DECISIONS:
                self._next_batch(step, self.ledger.inserted, DECISIONS_PER_BATCH, self._publish)
            case Function.PUBLISH if step == TAKEN:
                self._next_batch(step, self.credits.changed, DECISIONS_PER_BATCH, self._publish_taken)
            case Function.PUBLISH:
                self._next_batch(step, self.campaigns.recorded, CHANGES_PER_BATCH, self._tell)
            case Function.ADVANCE if step == AMENDMENTS:
                self._next_batch(step, self.campaigns.recorded, CHANGES_PER_BATCH, self._follow)
            case Function.ADVANCE if step == DELIVERIES:
                self._next_batch(step, self.deliveries.changes, CHANGES_PER_BATCH, lambda some, _: advanced(self, some))
            case Function.ADVANCE:
                self._next_batch(step, self.campaigns.changes, CHANGES_PER_BATCH, self._advance)
            case Function.TICK:
                self._tick(step)
            case Function.APPROVE:
                self._approve(step)
        self._collect_chunks()

    def _approve(self, step: Step) -> None:
        """A person looks at a plan and approves it. One that cannot be approved is left until it changes."""
        campaign = to_approve(self)[step.index]
        try:
            self.approve(campaign.id, next_approver(self, campaign), tap=self.tap)
        except ApprovalRefused:
            self.left.add((campaign.id, campaign.log_count, self.campaigns.halt().is_on))
        except (TryAgain, Refused, Killed) as error:
            self._note(step, error)

    def approve_next(self) -> bool:
        """Let a person approve the first plan that waits; False where there is none that a person would approve."""
        is_any = bool(to_approve(self))
        if is_any:
            self._approve(Step(Function.APPROVE))
        return is_any

    def approve(
        self, campaign_id: CampaignId, person: str, limits: tuple[str, ...] = (), tap: Tap | None = None, **given: Any
    ) -> Campaign:
        """What a person does who has looked at the plan that waits now. Raises ApprovalRefused."""
        plan = self.campaigns.filed_plan(campaign_id)
        name = person.rpartition("/")[2]
        approval = Approval(f"{name}-yes", person, "" if plan is None else plan.hash, limits, self.now)
        ports = GatePorts(tapped(self.campaigns, "campaigns", tap or Tap()), self.stores, self.gate, NOBODY_LISTED)
        return decide_plan(campaign_id, replace(approval, **given), Person(person), ports, "test")

    def run_until_quiet(
        self, choose: Callable[[Sequence[Step]], Step] = lambda steps: steps[0], steps_most: int = STEPS_MOST
    ) -> int:
        """Run step after step until nothing is left to do; how many it took. Fails when it does not become quiet."""
        for number in range(steps_most):
            steps = self.steps()
            if not steps:
                return number
            self.run(choose(steps))
        raise AssertionError(f"not quiet after {steps_most} steps")

    def copy(self) -> "World":
        """This world once more, for another way to go on from here; its workers start anew in both."""
        self._caches = {function: FrozenCache() for function in self._caches}
        copied: World = pickle.loads(pickle.dumps(self))  # noqa: S301 - these bytes are its own
        return copied

    def repeat_streams(self) -> None:
        """Deliver every record of both streams again, from the first."""
        for reader in self.streams:
            self.streams[reader] = Stream()

    def redrive(self) -> int:
        """Send every dead letter back to where it came from, as an operator does; how many there were."""
        dead, self.dead_letters = self.dead_letters, []
        for function, body in dead:
            match function, body:
                case Function.OPEN, Mapping():
                    self.publish(body)
                case Function.GRANT, ChunkMessage():
                    self.chunks.sent.append(body)
                case Function.DELIVER, DeliveryMessage() | PublishMessage():
                    self.chunks.deliveries.append(body)
                case _:
                    self.repeat_streams()
        return len(dead)

    def _collect_chunks(self) -> None:
        self.chunk_messages += [Message(self._next_id("chunk"), message) for message in self.chunks.sent]
        self.chunks.sent.clear()
        self.delivery_messages += [Message(self._next_id("chunk"), message) for message in self.chunks.deliveries]
        self.chunks.deliveries.clear()

    def _next_id(self, kind: str) -> str:
        self._numbered += 1
        return f"{kind}-{self._numbered:05d}"

    def _receive[Body](self, step: Step, queue: list[Message[Body]], act: Callable[[Message[Body]], None]) -> None:
        message = queue.pop(step.index)
        message.receives += 1
        try:
            act(message)
        except (TryAgain, Refused, Killed) as error:
            self._note(step, error)
            if message.receives >= RECEIVES_MOST:
                self.dead_letters.append((step.function, message.body))
            else:
                queue.insert(step.index if self.redelivered_first else len(queue), message)

    def _next_batch[Record](
        self, step: Step, records: Sequence[Record], most: int, act: Callable[[Sequence[Record], str], None]
    ) -> None:
        stream = self.streams[step]
        batch = records[stream.position : stream.position + most]
        stream.attempts += 1
        try:
            act(batch, f"{step.function}-{stream.position}")
        except (TryAgain, Refused, Killed) as error:
            self._note(step, error)
            if stream.attempts < BATCH_ATTEMPTS:
                return
            self.dead_letters.append((step.function, tuple(batch)))
            self._keep_given_up(step, batch)
        stream.position += len(batch)
        stream.attempts = 0

    def _keep_given_up(self, step: Step, batch: Sequence[Any]) -> None:
        """Lambda puts the records of a batch that was given up into the bucket."""
        key = f"aws/lambda/{step.function}/{len(self.given_up.batches)}"
        if step == CHANGES:
            about = GivenUpBatch(key, moved=tuple(dict.fromkeys(batch)))
        elif step == DECISIONS:
            about = GivenUpBatch(key, unsent=tuple(dict.fromkeys(entry.key.campaign for entry in batch)))
        elif step == TAKEN:
            about = GivenUpBatch(key, unsent=tuple(dict.fromkeys(booked.entry.key.campaign for booked, _ in batch)))
        else:
            about = GivenUpBatch(key, incidents=tuple(dict.fromkeys(revision.incident_id for revision in batch)))
        self.given_up.batches[key] = about

    def watch(self) -> Watched:
        """What the schedule does every five minutes, with five minutes since."""
        self.now += WATCH_INTERVAL
        ports = WatchPorts(self._advance_ports(), self.index, self.troubles, self.given_up, self.table_policies)
        watched(self)
        found = watch_open(ports, Cause("watch_campaigns", "schedule", "test"), self.now, lambda: self.worker_seconds)
        self.settle()
        return found

    def settle(self) -> Settled:
        """What the schedule does after it has watched."""
        return settle_budgets(self.settle_ports(), self.now, lambda: self.worker_seconds)

    def settle_ports(self) -> SettlePorts:
        """The world that settling budgets touches."""
        return SettlePorts(
            campaigns=self._port(self.campaigns, "campaigns"),
            lists=PartedLists(self._port(self.lists, "lists")),
            ledger=self._port(self.ledger, "ledger"),
            budgets=self._port(self.budgets, "budgets"),
            troubles=self._port(self.troubles, "troubles"),
        )

    def _note(self, step: Step, error: BaseException) -> None:
        self.caught.append((step, error))
        if isinstance(error, Killed):
            self._caches = {function: FrozenCache() for function in self._caches}

    # The functions, composed as their handlers compose them

    def _port[P](self, port: P, name: str) -> P:
        return tapped(port, name, self.tap)

    def _open(self, message: Message[Mapping[str, Any]]) -> None:
        cause = Cause(Function.OPEN.value, str(message.body.get("id", message.id)), "test")
        if self.requester:
            known = read_incident_event(self.requester, message.body["detail-type"], message.body["detail"])
            self.openings.append(take(known, self._open_ports(), self.settings(), cause, self.now))
        else:
            self.openings.append(open_campaign(message.body, self._open_ports(), self.settings(), cause, self.now))

    def _open_ports(self) -> OpenPorts:
        return OpenPorts(
            campaigns=self._port(self.campaigns, "campaigns"),
            lists=PartedLists(self._port(self.lists, "lists")),
            policies=self._port(self.policies, "policies"),
            chunks=self._port(self.chunks, "chunks"),
            rejected=self._port(self.rejected, "rejected"),
            archive=self._port(self.archive, "archive"),
            stores=self._port(self.stores, "stores"),
        )

    def _tick(self, step: Step) -> None:
        """What comes every five minutes; one that failed comes again."""
        cause = Cause(Function.TICK.value, self._next_id("tick"), "test")
        try:
            self.openings += open_kept_requests(self._open_ports(), self.settings(), cause, self.now)
        except (TryAgain, Refused, Killed) as error:
            self._note(step, error)

    def _grant(self, message: Message[ChunkMessage]) -> None:
        self.worked.append(self.grant(message.body, self.tap, self._caches[Function.GRANT], message.id))

    def _deliver(self, message: Message[DeliveryMessage | PublishMessage]) -> None:
        delivered(self, message.body, self.tap, self._caches[Function.GRANT])

    def grant(self, message: ChunkMessage, tap: Tap, cache: FrozenCache, event_id: str) -> Worked:
        """Work a chunk message: what a step does, and what a test does with two workers at once."""
        ports = GrantPorts(
            campaigns=tapped(self.campaigns, "campaigns", tap),
            lists=PartedLists(tapped(self.lists, "lists", tap)),
            ledger=cast("Ledger", tapped(TakingTime(self), "ledger", tap)),
            chunks=tapped(self.chunks, "chunks", tap),
            archive=tapped(self.archive, "archive", tap),
        )
        settings = GrantSettings(self.calls_in_flight, self.units_per_second, self.retention_days)
        cause = Cause(Function.GRANT.value, event_id, "test")
        return grant_credits(message, ports, settings, WorldClock(self), cause, cache)

    def _publish(self, batch: Sequence[Entry], _: str) -> None:
        self._publish_records([Recorded(Booked(entry, ())) for entry in batch])

    def _publish_taken(self, batch: Sequence[tuple[Booked, CreditEntries]], _: str) -> None:
        self._publish_records([Recorded(*one) for one in batch])

    def _publish_records(self, batch: Sequence[Recorded]) -> None:
        ports = PublishPorts(
            campaigns=self._port(self.campaigns, "campaigns"),
            topic=self._port(self.topic, "topic"),
            troubles=self._port(self.troubles, "troubles"),
        )
        if self._is_kept(batch, ()):
            return
        publish_notices(batch, ports, self.recipients_per_message, self._caches[Function.PUBLISH])

    def _is_kept(self, records: Sequence[Recorded], revisions: Sequence[Revision]) -> bool:
        campaigns, troubles = self._port(self.campaigns, "campaigns"), self._port(self.troubles, "troubles")
        return kept_by_halt(records, revisions, campaigns, troubles, self.now)

    def _tell(self, batch: Sequence[Revision], _: str) -> None:
        if self._is_kept((), batch):
            return
        publish_status(batch, self._port(self.topic, "topic"))

    def _advance_ports(self) -> AdvancePorts:
        return AdvancePorts(
            campaigns=self._port(self.campaigns, "campaigns"),
            chunks=self._port(self.chunks, "chunks"),
            archive=self._port(self.archive, "archive"),
            announcer=self._port(self.announcer, "announcer"),
            stores=self._port(self.stores, "stores"),
            operation=self.operation,
            gate=self.gate,
            channel=self.channel,
            deliver=partial(opened, self) if self.delivers else None,
            law=partial(law_of_campaign, self),
        )

    def _follow(self, batch: Sequence[Revision], event_id: str) -> None:
        cause = Cause(Function.ADVANCE.value, event_id, "test")
        for incident_id in dict.fromkeys(revision.incident_id for revision in batch):
            follow_incident(incident_id, self._port(self.campaigns, "campaigns"), cause, self.now)

    def _advance(self, batch: Sequence[CampaignId], event_id: str) -> None:
        ports = self._advance_ports()
        for campaign_id in dict.fromkeys(batch):
            advance_campaign(campaign_id, ports, Cause(Function.ADVANCE.value, event_id, "test"), self.now)
