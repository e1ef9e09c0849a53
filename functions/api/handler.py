"""Requests of the HTTP API (payload 2.0), each signed by whoever asks."""

from kulanz.startup import all_imported

import json
import os
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.aws import client
from kulanz.application.door.problems import Kind, Problem, unknown
from kulanz.application.door.routes import BY_KEY
from kulanz.application.door.serve import Reply, Request, refusal, serve
from kulanz.config.api import ApiConfig
from kulanz.domain.people.caller import Caller, IdentityRefused, caller_of
from kulanz.failures import described

all_imported()
logger = Logger()

ANSWER_BYTES = 5 * 1024 * 1024
"""Lambda hands back at most 6 MB, in which the answer is a text within a text."""


class Deployed:
    """The world behind the API: each adapter is imported and made when a use case first asks for it."""

    def __init__(self, config: ApiConfig) -> None:
        self.config = config
        self.code_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", "")

    @cached_property
    def _dynamodb(self) -> Any:
        return client("dynamodb")

    @cached_property
    def _s3(self) -> Any:
        return client("s3")

    @cached_property
    def _sqs(self) -> Any:
        return client("sqs")

    @cached_property
    def actions(self) -> Any:
        from kulanz.adapters.actions import DynamoActions

        config = self.config
        return DynamoActions(self._dynamodb, config.credits_table, config.campaigns_table, config.retention_days)

    @cached_property
    def campaigns(self) -> Any:
        from kulanz.adapters.campaign_table import DynamoCampaigns

        return DynamoCampaigns(self._dynamodb, self.config.campaigns_table)

    @cached_property
    def index(self) -> Any:
        from kulanz.adapters.index_table import DynamoIndex

        return DynamoIndex(self._dynamodb, self.config.campaigns_table, self.config.credits_table)

    @cached_property
    def troubles(self) -> Any:
        from kulanz.adapters.troubles import DynamoTroubles

        return DynamoTroubles(self._dynamodb, self.config.campaigns_table)

    @cached_property
    def uploads(self) -> Any:
        from kulanz.adapters.uploads import S3Uploads

        return S3Uploads(self._s3, self.config.list_bucket, self.config.policy_prefix)

    @cached_property
    def ledger(self) -> Any:
        from kulanz.adapters.ledger_table import DynamoLedger

        return DynamoLedger(self._dynamodb, self.config.credits_table, calls_in_flight=1)

    @cached_property
    def lists(self) -> Any:
        from kulanz.adapters.parted_lists import PartedLists
        from kulanz.adapters.s3 import S3Lists

        return PartedLists(S3Lists(self._s3, self.config.list_bucket))

    @cached_property
    def policies(self) -> Any:
        from kulanz.adapters.s3 import S3Policies

        return S3Policies(self._s3, self.config.list_bucket, self.config.policy_prefix)

    @cached_property
    def archive(self) -> Any:
        from kulanz.adapters.s3 import S3Archive

        return S3Archive(self._s3, self.config.list_bucket)

    @cached_property
    def deliveries(self) -> Any:
        from kulanz.adapters.delivery_table import DynamoDeliveries

        return DynamoDeliveries(self._dynamodb, self.config.campaigns_table)

    @cached_property
    def documents(self) -> Any:
        from kulanz.adapters.documents import S3Documents

        return S3Documents(self._s3, self.config.list_bucket)

    @cached_property
    def offers(self) -> Any:
        from kulanz.adapters.offers import DynamoOffers

        return DynamoOffers(self._dynamodb, self.config.credits_table, self.config.campaigns_table)

    @cached_property
    def cases(self) -> Any:
        from kulanz.adapters.case_table import DynamoCases

        return DynamoCases(self._dynamodb, self.config.credits_table, self.config.campaigns_table)

    @cached_property
    def credit_actions(self) -> Any:
        from kulanz.adapters.credit_actions import DynamoCreditActions

        return DynamoCreditActions(self._dynamodb, self.config.credits_table, self.config.campaigns_table)

    @cached_property
    def budgets(self) -> Any:
        from kulanz.adapters.budget_table import DynamoBudgets

        return DynamoBudgets(self._dynamodb, self.config.campaigns_table)

    @cached_property
    def chunks(self) -> Any:
        from kulanz.adapters.messaging import SqsChunks

        return SqsChunks(self._sqs, self.config.chunk_queue_url)

    @cached_property
    def voids(self) -> Any:
        from kulanz.adapters.void_table import DynamoVoids

        return DynamoVoids(self._dynamodb, self.config.campaigns_table)

    @cached_property
    def exports(self) -> Any:
        from kulanz.adapters.export_table import DynamoExports

        return DynamoExports(self._dynamodb, self.config.campaigns_table)

    @property
    def export_queue(self) -> Any:
        return self.chunks

    @cached_property
    def credits(self) -> Any:
        from kulanz.adapters.credit_entries import DynamoCredits

        return DynamoCredits(self._dynamodb, self.config.credits_table, calls_in_flight=1)

    @cached_property
    def answers(self) -> Any:
        from kulanz.adapters.answer_table import DynamoAnswers

        return DynamoAnswers(self._dynamodb, self.config.campaigns_table)

    @property
    def answer_queue(self) -> Any:
        return self.chunks

    @cached_property
    def dues(self) -> Any:
        from kulanz.adapters.due_table import DynamoDues

        return DynamoDues(self._dynamodb, self.config.campaigns_table)

    @cached_property
    def stores(self) -> Any:
        from kulanz.adapters.stores import DynamoStores

        return DynamoStores(self._dynamodb, self.config.credits_table, self.config.campaigns_table)

    @cached_property
    def refused_events(self) -> Any:
        from kulanz.adapters.repairs import SqsRefusedEvents

        return SqsRefusedEvents(self._sqs, self.config.rejected_queue_url)

    @cached_property
    def dead_letters(self) -> Any:
        from kulanz.adapters.repairs import SqsDeadLetters

        incidents = (self.config.incidents_dead_letter_queue_url, self.config.incidents_queue_url)
        chunks = (self.config.chunks_dead_letter_queue_url, self.config.chunk_queue_url)
        sources = (self.config.sources_dead_letter_queue_url, self.config.sources_queue_url)
        return SqsDeadLetters(self._sqs, {"incidents": incidents, "chunks": chunks, "sources": sources})

    @cached_property
    def workers(self) -> Any:
        from kulanz.adapters.repairs import LambdaWorkers

        return LambdaWorkers(client("lambda"), self.config.advance_function, self.config.publish_function)

    @cached_property
    def operation(self) -> Any:
        from kulanz.domain.campaigns.estimate import Operation

        config = self.config
        return Operation(self._dynamodb.meta.region_name, config.recipients_per_message, config.write_rate)

    @cached_property
    def people(self) -> Any:
        from kulanz.adapters.people import S3People

        return S3People(self._s3, self.config.list_bucket, self.config.policy_prefix)

    @cached_property
    def goodwill(self) -> Any:
        from kulanz.adapters.goodwill_table import DynamoGoodwill

        return DynamoGoodwill(self._dynamodb, self.config.credits_table, self.config.campaigns_table)

    @property
    def channel(self) -> Any:
        return self.config.channel

    @property
    def other_channels(self) -> Any:
        return self.config.other_channels

    @property
    def warn_before(self) -> Any:
        return timedelta(days=self.config.warn_before_days)

    @cached_property
    def discretion(self) -> Any:
        from kulanz.adapters.discretion import S3Discretion

        return S3Discretion(self._s3, self.config.list_bucket, self.config.policy_prefix)

    @cached_property
    def drafts(self) -> Any:
        from kulanz.adapters.drafts_table import DynamoDrafts

        return DynamoDrafts(self._dynamodb, self.config.campaigns_table)

    @cached_property
    def sources(self) -> Any:
        from kulanz.adapters.sources import S3Sources

        return S3Sources(self._s3, self.config.list_bucket, self.config.policy_prefix)

    @property
    def gate(self) -> Any:
        return self.config.gate

    @cached_property
    def settings(self) -> Any:
        from kulanz.application.campaigns.open_campaign import OpenSettings

        config = self.config
        return OpenSettings(
            list_bucket=config.list_bucket,
            list_prefix=config.list_prefix,
            incident_sources=frozenset(),
            campaign_sources=frozenset(),
            chunk_bytes=config.chunk_bytes,
            decidable_days=config.decidable_days,
            account_ids=config.account_ids,
        )


@cache
def _composed() -> Deployed:
    return Deployed(ApiConfig.read())


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request. Whatever fails is logged without content, and answered as a problem without content.

    The log names neither who asked nor what about: the access log and the campaign's log do, under the request's id.
    """
    gateway: Mapping[str, Any] = event.get("requestContext") or {}
    key = str(gateway.get("routeKey", ""))
    named: dict[str, Any] = {
        "route": key if key in BY_KEY else "",
        "gateway_request": str(gateway.get("requestId", "")),
    }
    try:
        reply = _reply(event, gateway, context)
        logger.info("answered", status=reply.status, **named)
    except IdentityRefused as problem:
        logger.error("this is no identity of IAM's", expected=str(problem), **named)  # noqa: TRY400 (no trace)
        reply = refusal(unknown())
    except Exception as error:  # noqa: BLE001 - whoever asked gets an answer, and the log says where it failed
        logger.error("failed", errors=described(error), **named)  # noqa: TRY400 (it logs the message)
        reply = refusal(Problem(Kind.FAILED, "the function failed; its log says where, under the request's id"))
    return _answer(reply)


def _reply(event: Mapping[str, Any], gateway: Mapping[str, Any], context: LambdaContext) -> Reply:
    door = _composed()
    caller = _caller(gateway, door.config)

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    return serve(_request(event, gateway), caller, door, datetime.now(UTC), seconds_left)


def _caller(gateway: Mapping[str, Any], config: ApiConfig) -> Caller:
    """Whom the gateway verified. Headers say nothing about it: anybody may send them."""
    authorizer = gateway.get("authorizer") or {}
    return caller_of(authorizer.get("iam"), config.account_id, config.person_roles)


def _request(event: Mapping[str, Any], gateway: Mapping[str, Any]) -> Request:
    body = event.get("body") or ""
    headers = event.get("headers") or {}
    return Request(
        route_key=str(gateway.get("routeKey", "")),
        raw_path=str(event.get("rawPath", "")),
        query=event.get("queryStringParameters") or {},
        body=b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass"),
        content_type=str(headers.get("content-type", "")),
    )


def _answer(reply: Reply) -> dict[str, Any]:
    body = json.dumps(reply.content, ensure_ascii=False, separators=(",", ":"))
    if len(body.encode()) > ANSWER_BYTES:  # never cut without a word
        less = "ask for less, such as one incident"
        return _answer(refusal(Problem(Kind.ANSWER_TOO_LARGE, less)))
    return {
        "statusCode": reply.status,
        "headers": {"content-type": reply.content_type, "cache-control": "no-store", **reply.headers},
        "body": body,
        "isBase64Encoded": False,
    }
