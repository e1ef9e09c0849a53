"""What the contract suites run against: the in-memory fakes, moto with its repair, and MiniStack with its launcher.

A backend has every port, and what publishers and subscribers do at the other end of it. Resources of AWS come into
being when a test first asks for them.
"""

import json
import time
from functools import cached_property
from typing import Any
from uuid import uuid4

from kulanz.adapters.actions import DynamoActions
from kulanz.adapters.answer_table import DynamoAnswers
from kulanz.adapters.aws import client
from kulanz.adapters.budget_table import DynamoBudgets
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.campaign_work import DynamoCampaignWork
from kulanz.adapters.case_table import DynamoCases
from kulanz.adapters.credit_actions import DynamoCreditActions, DynamoReversals
from kulanz.adapters.credit_entries import DynamoCredits
from kulanz.adapters.delivery_table import DynamoDeliveries
from kulanz.adapters.discretion import S3Discretion
from kulanz.adapters.documents import S3Documents
from kulanz.adapters.drafts_table import DynamoDrafts
from kulanz.adapters.due_table import DynamoDues
from kulanz.adapters.export_table import DynamoExports
from kulanz.adapters.given_up import S3GivenUp
from kulanz.adapters.goodwill_table import DynamoGoodwill
from kulanz.adapters.index_table import DynamoIndex
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.adapters.messaging import EventBridgeAnnouncer, SnsNotices, SqsChunks, SqsRejected, read_chunk_message
from kulanz.adapters.offers import DynamoOffers
from kulanz.adapters.people import S3People
from kulanz.adapters.repairs import SqsRefusedEvents
from kulanz.adapters.s3 import S3Archive, S3Lists, S3Policies
from kulanz.adapters.second_persons import DynamoSecondPersons
from kulanz.adapters.sources import S3Sources
from kulanz.adapters.stores import DynamoStores
from kulanz.adapters.troubles import DynamoTroubles
from kulanz.adapters.void_table import DynamoVoids
from kulanz.application.ports import Announcement, ChunkMessage
from tests.support.fake_answers import FakeAnswers, FakeDues
from tests.support.fake_bucket import FakeArchive, FakeLists, FakePolicies
from tests.support.fake_budgets import FakeBudgets
from tests.support.fake_cases import FakeCases
from tests.support.fake_credit_actions import FakeCreditActions, FakeReversals
from tests.support.fake_deliveries import FakeCredits, FakeDeliveries
from tests.support.fake_discretion import FakeDiscretion
from tests.support.fake_door import FakeActions, FakeDocuments, FakeRefusedEvents
from tests.support.fake_drafts import FakeDrafts, FakeSources
from tests.support.fake_exports import FakeExports
from tests.support.fake_goodwill import FakeGoodwill
from tests.support.fake_index import FakeIndex
from tests.support.fake_messages import FakeAnnouncer, FakeChunks, FakeRejected, FakeTopic
from tests.support.fake_offers import FakeOffers
from tests.support.fake_people import FakePeople
from tests.support.fake_second_persons import FakeSecondPersons
from tests.support.fake_troubles import FakeTroubles
from tests.support.fake_voids import FakeVoids
from tests.support.fakes import FakeCampaigns, FakeLedger, FakeStores

DELIVERY_SECONDS = 5.0
"""How long an emulator may take to carry a message from a topic or a bus to a queue."""
REGION = "eu-central-1"

type Backend = FakeBackend | AwsBackend


class FakeBackend:
    """The fakes that the unit tests run on."""

    name = "fake"
    bucket = "list-bucket"

    def __init__(self) -> None:
        self.lists, self.policies, self.archive = FakeLists(self.bucket), FakePolicies(), FakeArchive()
        self.people, self.discretion = FakePeople(), FakeDiscretion()
        self.drafts, self.sources = FakeDrafts(), FakeSources()
        self.campaigns, self.ledger = FakeCampaigns(), FakeLedger()
        self.campaign_work = self.campaigns
        self.offers = FakeOffers(self.ledger, self.campaigns)
        self.cases = FakeCases(self.ledger, self.campaigns)
        self.credits, self.deliveries = FakeCredits(self.ledger), FakeDeliveries(self.campaigns.added_items)
        self.goodwill = FakeGoodwill(self.ledger, self.campaigns)
        self.second_persons = FakeSecondPersons(self.cases, self.goodwill)
        self.answers, self.dues = FakeAnswers(self.deliveries.dues), FakeDues(self.deliveries.dues)
        self.credit_actions = FakeCreditActions(self.credits, self.answers, self.campaigns)
        self.reversals = FakeReversals(self.credits, self.campaigns)
        self.index = FakeIndex(self.campaigns, self.offers, self.cases)
        self.exports = FakeExports()
        self.voids = FakeVoids(self.campaigns, self.deliveries.dues)
        self.troubles = FakeTroubles(self.campaigns)
        self.budgets = FakeBudgets(self.campaigns.budget_items)
        self.stores = FakeStores(self.campaigns, self.ledger)
        self.actions, self.documents = FakeActions(), FakeDocuments(self.archive)
        self.chunks, self.topic, self.announcer, self.rejected = (
            FakeChunks(),
            FakeTopic(),
            FakeAnnouncer(),
            FakeRejected(),
        )
        self.refused_events = FakeRefusedEvents(self.rejected)

    def upload(self, key: str, content: bytes) -> str:
        return self.lists.upload(key, content)

    def delete(self, key: str) -> None:
        self.lists.delete(key)

    def delete_version(self, key: str, version_id: str) -> None:
        self.lists.delete_version(key, version_id)

    def document(self, key: str) -> bytes:
        return self.archive.documents[key]

    def chunks_received(self, _: int) -> list[ChunkMessage]:
        return self.chunks.sent

    def notices_received(self, _: int) -> list[str]:
        return [message.text for message in self.topic.published]

    def announcements_received(self, _: int) -> list[Announcement]:
        return self.announcer.announced

    def refusals_received(self, _: int) -> list[dict[str, Any]]:
        return [
            {
                "reason": refusal.reason,
                "field": refusal.field,
                "message": refusal.message,
                "event_key": refusal.event_key,
            }
            for refusal in self.rejected.sent
        ]


class AwsBackend:
    """The adapters over whatever AWS the environment names, with resources of their own for every test."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._suffix = uuid4().hex[:12]

    # S3

    @cached_property
    def s3(self) -> Any:
        return client("s3")

    @cached_property
    def bucket(self) -> str:
        bucket = f"lists-{self._suffix}"
        self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return bucket

    @cached_property
    def lists(self) -> S3Lists:
        return S3Lists(self.s3, self.bucket)

    @cached_property
    def policies(self) -> S3Policies:
        return S3Policies(self.s3, self.bucket, "policies/")

    @cached_property
    def sources(self) -> S3Sources:
        return S3Sources(self.s3, self.bucket, "policies/")

    @cached_property
    def drafts(self) -> DynamoDrafts:
        return DynamoDrafts(self.dynamodb, self.campaigns_table)

    @cached_property
    def people(self) -> S3People:
        return S3People(self.s3, self.bucket, "policies/")

    @cached_property
    def discretion(self) -> S3Discretion:
        return S3Discretion(self.s3, self.bucket, "policies/")

    @cached_property
    def actions(self) -> DynamoActions:
        return DynamoActions(self.dynamodb, self.credits_table, self.campaigns_table, retention_days=30)

    @cached_property
    def documents(self) -> S3Documents:
        return S3Documents(self.s3, self.bucket)

    @cached_property
    def refused_events(self) -> SqsRefusedEvents:
        return SqsRefusedEvents(self.sqs, self.rejected_queue)

    @cached_property
    def archive(self) -> S3Archive:
        return S3Archive(self.s3, self.bucket)

    def upload(self, key: str, content: bytes) -> str:
        return str(self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)["VersionId"])

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def delete_version(self, key: str, version_id: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key, VersionId=version_id)

    def document(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read())

    # DynamoDB

    @cached_property
    def dynamodb(self) -> Any:
        return client("dynamodb")

    @cached_property
    def campaigns_table(self) -> str:
        return self._table("campaigns")

    @cached_property
    def credits_table(self) -> str:
        return self._table("credits")

    @cached_property
    def campaign_work(self) -> DynamoCampaignWork:
        return DynamoCampaignWork(self.dynamodb, self.campaigns_table)

    @cached_property
    def campaigns(self) -> DynamoCampaigns:
        return DynamoCampaigns(self.dynamodb, self.campaigns_table)

    @cached_property
    def credits(self) -> DynamoCredits:
        return DynamoCredits(self.dynamodb, self.credits_table, calls_in_flight=4)

    @cached_property
    def reversals(self) -> DynamoReversals:
        return DynamoReversals(self.dynamodb, self.credits_table, self.campaigns_table)

    @cached_property
    def credit_actions(self) -> DynamoCreditActions:
        return DynamoCreditActions(self.dynamodb, self.credits_table, self.campaigns_table)

    @cached_property
    def deliveries(self) -> DynamoDeliveries:
        return DynamoDeliveries(self.dynamodb, self.campaigns_table)

    @cached_property
    def answers(self) -> DynamoAnswers:
        return DynamoAnswers(self.dynamodb, self.campaigns_table)

    @cached_property
    def dues(self) -> DynamoDues:
        return DynamoDues(self.dynamodb, self.campaigns_table)

    @cached_property
    def index(self) -> DynamoIndex:
        return DynamoIndex(self.dynamodb, self.campaigns_table, self.credits_table)

    @cached_property
    def voids(self) -> DynamoVoids:
        return DynamoVoids(self.dynamodb, self.campaigns_table)

    @cached_property
    def exports(self) -> DynamoExports:
        return DynamoExports(self.dynamodb, self.campaigns_table)

    @cached_property
    def troubles(self) -> DynamoTroubles:
        return DynamoTroubles(self.dynamodb, self.campaigns_table)

    @cached_property
    def budgets(self) -> DynamoBudgets:
        return DynamoBudgets(self.dynamodb, self.campaigns_table)

    @cached_property
    def given_up(self) -> S3GivenUp:
        return S3GivenUp(self.s3, self.bucket)

    @cached_property
    def cases(self) -> DynamoCases:
        return DynamoCases(self.dynamodb, self.credits_table, self.campaigns_table)

    @cached_property
    def second_persons(self) -> DynamoSecondPersons:
        return DynamoSecondPersons(self.dynamodb, self.campaigns_table)

    @cached_property
    def goodwill(self) -> DynamoGoodwill:
        return DynamoGoodwill(self.dynamodb, self.credits_table, self.campaigns_table)

    @cached_property
    def offers(self) -> DynamoOffers:
        return DynamoOffers(self.dynamodb, self.credits_table, self.campaigns_table)

    @cached_property
    def stores(self) -> DynamoStores:
        return DynamoStores(self.dynamodb, self.credits_table, self.campaigns_table)

    @cached_property
    def ledger(self) -> DynamoLedger:
        """One call in flight: moto's conditional puts can race between threads."""
        return DynamoLedger(self.dynamodb, self.credits_table, calls_in_flight=1)

    def _table(self, kind: str) -> str:
        name = f"{kind}-{self._suffix}"
        self.dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )
        return name

    # SQS, SNS and EventBridge

    @cached_property
    def sqs(self) -> Any:
        return client("sqs")

    @cached_property
    def chunk_queue(self) -> str:
        return self._queue("chunks")

    @cached_property
    def chunks(self) -> SqsChunks:
        return SqsChunks(self.sqs, self.chunk_queue)

    @cached_property
    def rejected_queue(self) -> str:
        return self._queue("rejected")

    @cached_property
    def rejected(self) -> SqsRejected:
        return SqsRejected(self.sqs, self.rejected_queue)

    @cached_property
    def notices_queue(self) -> str:
        return self._queue("notices")

    @cached_property
    def topic(self) -> SnsNotices:
        sns = client("sns")
        topic = sns.create_topic(Name=f"topic-{self._suffix}")["TopicArn"]
        sns.subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=self._arn(self.notices_queue),
            Attributes={"RawMessageDelivery": "true"},
        )
        return SnsNotices(sns, topic)

    @cached_property
    def announcements_queue(self) -> str:
        return self._queue("announcements")

    @cached_property
    def announcer(self) -> EventBridgeAnnouncer:
        events, bus = client("events"), f"bus-{self._suffix}"
        events.create_event_bus(Name=bus)
        events.put_rule(Name="all", EventBusName=bus, EventPattern=json.dumps({"source": ["kulanz"]}))
        target = {"Id": "queue", "Arn": self._arn(self.announcements_queue)}
        events.put_targets(Rule="all", EventBusName=bus, Targets=[target])
        return EventBridgeAnnouncer(events, bus)

    def chunks_received(self, count: int) -> list[ChunkMessage]:
        found = [read_chunk_message(text) for text in self._received(self.chunk_queue, count)]
        return [message for message in found if isinstance(message, ChunkMessage)]

    def notices_received(self, count: int) -> list[str]:
        return self._received(self.notices_queue, count)

    def announcements_received(self, count: int) -> list[Announcement]:
        events = [json.loads(text) for text in self._received(self.announcements_queue, count)]
        return [Announcement(event["detail-type"], json.dumps(event["detail"])) for event in events]

    def refusals_received(self, count: int) -> list[dict[str, Any]]:
        return [json.loads(text) for text in self._received(self.rejected_queue, count)]

    def _queue(self, kind: str) -> str:
        return str(self.sqs.create_queue(QueueName=f"{kind}-{self._suffix}")["QueueUrl"])

    def _arn(self, queue: str) -> str:
        answer = self.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    def _received(self, queue: str, count: int) -> list[str]:
        """At least `count` messages, waiting for them; then whatever else is there."""
        found: list[str] = []
        deadline = time.monotonic() + DELIVERY_SECONDS
        while True:
            messages = self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
            for message in messages:
                found.append(message["Body"])
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            if not messages and (len(found) >= count or time.monotonic() > deadline):
                return found
            if not messages:
                time.sleep(0.05)
