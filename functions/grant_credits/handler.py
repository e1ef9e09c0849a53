"""Chunk messages, one at a time."""

from kulanz.startup import all_imported

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.aws import client
from kulanz.adapters.campaign_work import DynamoCampaignWork
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.adapters.messaging import SqsChunks, read_chunk_message
from kulanz.adapters.parted_lists import PartedLists
from kulanz.adapters.s3 import S3Archive, S3Lists
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.grant_credits import grant_credits
from kulanz.application.ports import (
    AnswerMessage,
    ChunkMessage,
    DeliveryMessage,
    ExportMessage,
    PublishMessage,
    VoidMessage,
)
from kulanz.config.grant_credits import GrantCreditsConfig
from kulanz.domain.campaigns.campaign import Cause
from kulanz.failures import without_content

if TYPE_CHECKING:
    from kulanz.adapters.credit_entries import DynamoCredits
    from kulanz.application.delivery.deliver_chunk import DeliverPorts
    from kulanz.application.delivery.hear_answers import AnswerPorts
    from kulanz.application.delivery.publish_credits import PublishCreditsPorts
    from kulanz.application.delivery.void_chunk import VoidChunkPorts
    from kulanz.application.exports.write_parts import ExportPorts

all_imported()
logger = Logger()
metrics = Metrics()
_policies = FrozenCache()


@cache
def _queue() -> SqsChunks:
    return SqsChunks(client("sqs"), GrantCreditsConfig.read().chunk_queue_url)


@cache
def _composed() -> tuple[GrantPorts, GrantSettings, DynamoLedger]:
    config = GrantCreditsConfig.read()
    s3 = client("s3")
    ledger = DynamoLedger(client("dynamodb"), config.credits_table, config.calls_in_flight)
    ports = GrantPorts(
        campaigns=DynamoCampaignWork(client("dynamodb"), config.campaigns_table),
        lists=PartedLists(S3Lists(s3, config.list_bucket)),
        ledger=ledger,
        chunks=_queue(),
        archive=S3Archive(s3, config.list_bucket),
    )
    settings = GrantSettings(config.calls_in_flight, config.units_per_second, config.retention_days)
    return ports, settings, ledger


@cache
def _delivering() -> "tuple[DeliverPorts, GrantSettings, DynamoCredits]":
    from kulanz.adapters.credit_entries import DynamoCredits
    from kulanz.adapters.delivery_table import DynamoDeliveries
    from kulanz.adapters.index_table import DynamoIndex
    from kulanz.application.delivery.deliver_chunk import DeliverPorts

    config = GrantCreditsConfig.read()
    granting, settings, _ = _composed()
    credits_ = DynamoCredits(client("dynamodb"), config.credits_table, config.calls_in_flight)
    ports = DeliverPorts(
        campaigns=granting.campaigns,
        lists=granting.lists,
        credits=credits_,
        deliveries=DynamoDeliveries(client("dynamodb"), config.campaigns_table),
        queue=_queue(),
        archive=granting.archive,
        index=DynamoIndex(client("dynamodb"), config.campaigns_table, config.credits_table),
    )
    return ports, settings, credits_


@cache
def _publishing() -> "PublishCreditsPorts":
    from kulanz.adapters.messaging import SnsCredits
    from kulanz.application.delivery.publish_credits import PublishCreditsPorts

    config = GrantCreditsConfig.read()
    delivering, _, _ = _delivering()
    return PublishCreditsPorts(
        campaigns=delivering.campaigns,
        deliveries=delivering.deliveries,
        archive=delivering.archive,
        topic=SnsCredits(client("sns"), config.credits_topic_arn),
    )


@cache
def _voiding() -> "tuple[VoidChunkPorts, GrantSettings, DynamoCredits]":
    from kulanz.adapters.answer_table import DynamoAnswers
    from kulanz.adapters.campaign_table import DynamoCampaigns
    from kulanz.adapters.case_table import DynamoCases
    from kulanz.adapters.credit_actions import DynamoReversals
    from kulanz.adapters.void_table import DynamoVoids
    from kulanz.application.delivery.void_chunk import VoidChunkPorts

    config = GrantCreditsConfig.read()
    granting, settings, _ = _composed()
    _, _, credits_ = _delivering()
    ports = VoidChunkPorts(
        work=granting,
        campaigns=DynamoCampaigns(client("dynamodb"), config.campaigns_table),
        credits=credits_,
        voids=DynamoVoids(client("dynamodb"), config.campaigns_table),
        queue=_queue(),
        rows=DynamoCases(client("dynamodb"), config.credits_table, config.campaigns_table),
        asks=DynamoReversals(client("dynamodb"), config.credits_table, config.campaigns_table),
        codes=DynamoAnswers(client("dynamodb"), config.campaigns_table),
    )
    return ports, settings, credits_


@cache
def _hearing() -> "AnswerPorts":
    from kulanz.adapters.answer_table import DynamoAnswers
    from kulanz.adapters.campaign_table import DynamoCampaigns
    from kulanz.adapters.troubles import DynamoTroubles
    from kulanz.application.delivery.hear_answers import AnswerPorts
    from kulanz.domain.gate.settings import GateSettings

    config = GrantCreditsConfig.read()
    granting, _, _ = _composed()
    delivering, _, _ = _delivering()
    return AnswerPorts(
        lists=delivering.lists,
        archive=delivering.archive,
        deliveries=delivering.deliveries,
        credits=delivering.credits,
        files=DynamoAnswers(client("dynamodb"), config.campaigns_table),
        campaigns=DynamoCampaigns(client("dynamodb"), config.campaigns_table),
        troubles=DynamoTroubles(client("dynamodb"), config.campaigns_table),
        ledger=granting.ledger,
        gate=GateSettings(budget_zone=config.budget_zone),
    )


@cache
def _exporting() -> "tuple[ExportPorts, GrantSettings]":
    from kulanz.adapters.campaign_table import DynamoCampaigns
    from kulanz.adapters.case_table import DynamoCases
    from kulanz.adapters.export_table import DynamoExports
    from kulanz.application.exports.write_parts import ExportPorts

    config = GrantCreditsConfig.read()
    granting, settings, _ = _composed()
    delivering, _, _ = _delivering()
    ports = ExportPorts(
        work=granting,
        campaigns=DynamoCampaigns(client("dynamodb"), config.campaigns_table),
        exports=DynamoExports(client("dynamodb"), config.campaigns_table),
        queue=_queue(),
        credits=delivering.credits,
        rows=DynamoCases(client("dynamodb"), config.credits_table, config.campaigns_table),
        index=delivering.index,
    )
    return ports, settings


class _LambdaClock:
    """The clock of this invocation."""

    def __init__(self, context: LambdaContext) -> None:
        self._context = context

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds_left(self) -> float:
        return self._context.get_remaining_time_in_millis() / 1000

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


@logger.inject_lambda_context
@metrics.log_metrics
@without_content(logger.error)
def handle(event: dict[str, Any], context: LambdaContext) -> None:
    """Work the chunk of each message (the queue sends one); an error lets the message come again."""
    for record in event["Records"]:
        match read_chunk_message(record["body"]):
            case DeliveryMessage() as message:
                _deliver(message, context)
            case PublishMessage() as message:
                _publish(message)
            case AnswerMessage() as message:
                _hear(message, context)
            case VoidMessage() as message:
                _void(message, context)
            case ExportMessage() as message:
                _export(message, context)
            case message:
                cause = Cause(context.function_name, record["messageId"], context.function_version)
                _grant(message, cause, context)


@contextmanager
def _counting_throttled(ledger: "DynamoLedger | DynamoCredits") -> Iterator[None]:
    """Report the inserts that the table throttled, most of all where a chunk was given up because of them."""
    try:
        yield
    finally:
        metrics.add_metric("ThrottledInserts", MetricUnit.Count, ledger.take_throttled())


def _grant(message: ChunkMessage, cause: Cause, context: LambdaContext) -> None:
    ports, settings, ledger = _composed()
    with _counting_throttled(ledger):
        worked = grant_credits(message, ports, settings, _LambdaClock(context), cause, _policies)
    logger.info(
        "chunk",
        campaign=str(message.campaign),
        work=message.work.value,
        chunk=message.chunk,
        outcome=worked.work.value,
        lines=worked.lines,
        receipts=worked.receipts,
        in_the_ledger=worked.written,
    )
    metrics.add_metric("LinesWorked", MetricUnit.Count, worked.lines)
    metrics.add_metric("DecisionsInLedger", MetricUnit.Count, worked.written)


def _deliver(message: DeliveryMessage, context: LambdaContext) -> None:
    from kulanz.application.delivery.deliver_chunk import deliver_chunk

    ports, settings, credits_ = _delivering()
    with _counting_throttled(credits_):
        done = deliver_chunk(message, ports, settings, _LambdaClock(context), _policies)
    logger.info(
        "delivery",
        delivery=str(message.delivery),
        chunk=message.chunk,
        outcome=done.work.value,
        lines=done.lines,
        receipts=done.receipts,
        credits=done.credits,
    )
    metrics.add_metric("CreditsAssigned", MetricUnit.Count, done.credits)


def _publish(message: PublishMessage) -> None:
    from kulanz.application.delivery.publish_credits import publish_credits

    done = publish_credits(message, _publishing())
    logger.info(
        "credits",
        delivery=str(message.delivery),
        start=message.start,
        outcome=done.work.value,
        credits=done.credits,
        messages=done.messages,
    )
    metrics.add_metric("CreditsPublished", MetricUnit.Count, done.credits)


def _hear(message: AnswerMessage, context: LambdaContext) -> None:
    from kulanz.application.delivery.hear_answers import hear_chunk

    _, _, credits_ = _delivering()
    with _counting_throttled(credits_):
        finished = hear_chunk(message.channel, message.file, message.chunk, _hearing(), _LambdaClock(context))
    if not finished:
        _queue().send_answers([message])
    logger.info("answers", channel=message.channel, answers=message.file, chunk=message.chunk, finished=finished)


def _void(message: VoidMessage, context: LambdaContext) -> None:
    from kulanz.application.delivery.void_chunk import void_chunk

    ports, settings, credits_ = _voiding()
    with _counting_throttled(credits_):
        done = void_chunk(message, ports, settings, _LambdaClock(context), _policies)
    logger.info(
        "void",
        void=str(message.void),
        chunk=message.chunk,
        work=done.work,
        lines=done.lines,
        receipts=done.receipts,
        decisions=done.decisions,
    )


def _export(message: ExportMessage, context: LambdaContext) -> None:
    from kulanz.application.exports.write_parts import write_parts

    ports, settings = _exporting()
    done = write_parts(message, ports, settings, _LambdaClock(context), _policies)
    logger.info(
        "export",
        campaign=str(message.campaign),
        export=message.export,
        chunk=message.chunk,
        parts=done.parts,
        lines=done.lines,
        failed=done.failed,
    )
    metrics.add_metric("LinesExported", MetricUnit.Count, done.lines)
