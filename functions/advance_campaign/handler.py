"""Changes of campaigns' META records, from CampaignsTable's stream; by a schedule, the watch over open ones."""

from kulanz.startup import all_imported

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.answer_table import DynamoAnswers
from kulanz.adapters.aws import client
from kulanz.adapters.budget_table import DynamoBudgets
from kulanz.adapters.campaign_keys import META, campaign_of_partition, incident_of_partition
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.delivery_items import delivery_of_partition
from kulanz.adapters.delivery_table import DynamoDeliveries
from kulanz.adapters.due_table import DynamoDues
from kulanz.adapters.given_up import S3GivenUp
from kulanz.adapters.incident_items import is_revision
from kulanz.adapters.index_table import DynamoIndex
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.adapters.messaging import EventBridgeAnnouncer, SqsChunks
from kulanz.adapters.older_items import OlderItems
from kulanz.adapters.parted_lists import PartedLists
from kulanz.adapters.s3 import S3Archive, S3Lists
from kulanz.adapters.second_persons import DynamoSecondPersons
from kulanz.adapters.stores import DynamoStores
from kulanz.adapters.table_policies import ClosedTable, DynamoTablePolicies
from kulanz.adapters.troubles import DynamoTroubles
from kulanz.adapters.void_table import DynamoVoids, void_of_partition
from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.application.campaigns.watch_open import WatchPorts, note_rung, watch_open
from kulanz.application.cases.second_persons import SecondPersonPorts, watch_second_persons
from kulanz.application.delivery.advance_delivery import (
    DeliveryPorts,
    advance_delivery,
    watch_deliveries,
)
from kulanz.application.delivery.advance_void import AdvanceVoidPorts, advance_void, watch_voids
from kulanz.application.delivery.campaign_law import law_at
from kulanz.application.delivery.given_again import watch_given_again
from kulanz.application.delivery.kept_back import end_delivered, watch_kept_back
from kulanz.application.delivery.open_answers import OpenAnswersPorts, watch_answers
from kulanz.application.delivery.watch_dues import look_at_dues
from kulanz.application.delivery.watching import Looked
from kulanz.application.incidents.follow_incident import follow_incident
from kulanz.application.ledger.settle_budgets import SettlePorts, settle_budgets
from kulanz.config.advance_campaign import AdvanceCampaignConfig
from kulanz.domain.campaigns.campaign import STOPPED, Campaign, Cause, State
from kulanz.domain.campaigns.estimate import Operation
from kulanz.domain.delivery.law import Counted
from kulanz.failures import without_content
from kulanz.versions import VERSIONS_ASKED, versions

all_imported()
logger = Logger()
metrics = Metrics()


@cache
def _delivering() -> DeliveryPorts:
    config = AdvanceCampaignConfig.read()
    dynamodb = client("dynamodb")
    return DeliveryPorts(
        campaigns=DynamoCampaigns(dynamodb, config.campaigns_table),
        deliveries=DynamoDeliveries(dynamodb, config.campaigns_table),
        queue=SqsChunks(client("sqs"), config.chunk_queue_url),
        archive=S3Archive(client("s3"), config.list_bucket),
        announcer=EventBridgeAnnouncer(client("events"), config.bus_name),
        index=DynamoIndex(dynamodb, config.campaigns_table, config.credits_table),
    )


@cache
def _voiding() -> AdvanceVoidPorts:
    config = AdvanceCampaignConfig.read()
    delivering = _delivering()
    voids = DynamoVoids(client("dynamodb"), config.campaigns_table)
    troubles = DynamoTroubles(client("dynamodb"), config.campaigns_table)
    return AdvanceVoidPorts(
        delivering.campaigns, voids, SqsChunks(client("sqs"), config.chunk_queue_url), troubles, config.gate
    )


@dataclass(frozen=True, slots=True)
class _KeptBack:
    """What has the counters of a campaign, and what waits for a person."""

    campaigns: DynamoCampaigns
    deliveries: DynamoDeliveries
    answers: DynamoAnswers
    voids: DynamoVoids
    troubles: DynamoTroubles


@cache
def _keeping_back() -> _KeptBack:
    config = AdvanceCampaignConfig.read()
    place = client("dynamodb"), config.campaigns_table
    return _KeptBack(
        DynamoCampaigns(*place), DynamoDeliveries(*place), DynamoAnswers(*place), DynamoVoids(*place),
        DynamoTroubles(*place),
    )  # fmt: skip


def _open_delivery(campaign: Campaign, cause: Cause, now: datetime) -> None:
    end_delivered(campaign, _delivering(), _keeping_back(), cause, now)


def _counted_law(campaign: Campaign, now: datetime) -> Mapping[str, Counted]:
    return law_at(campaign, _keeping_back(), now)


@cache
def _answering() -> tuple[OpenAnswersPorts, DynamoDues]:
    config = AdvanceCampaignConfig.read()
    dynamodb = client("dynamodb")
    files = DynamoAnswers(dynamodb, config.campaigns_table)
    queue = SqsChunks(client("sqs"), config.chunk_queue_url)
    lists = PartedLists(S3Lists(client("s3"), config.list_bucket))
    return OpenAnswersPorts(lists, files, queue), DynamoDues(dynamodb, config.campaigns_table)


@cache
def _composed() -> AdvancePorts:
    config = AdvanceCampaignConfig.read()
    dynamodb = client("dynamodb")
    delivering = _delivering()
    return AdvancePorts(
        campaigns=delivering.campaigns,
        chunks=SqsChunks(client("sqs"), config.chunk_queue_url),
        archive=delivering.archive,
        announcer=delivering.announcer,
        stores=DynamoStores(dynamodb, config.credits_table, config.campaigns_table),
        operation=Operation(dynamodb.meta.region_name, config.recipients_per_message, config.write_rate),
        gate=config.gate,
        channel=config.channel,
        deliver=_open_delivery,
        law=_counted_law,
    )


@cache
def _watching() -> tuple[WatchPorts, OlderItems]:
    config = AdvanceCampaignConfig.read()
    dynamodb = client("dynamodb")
    ports = WatchPorts(
        advance=_composed(),
        index=_delivering().index,
        troubles=DynamoTroubles(dynamodb, config.campaigns_table),
        given_up=S3GivenUp(client("s3"), config.list_bucket),
        tables=DynamoTablePolicies(
            dynamodb,
            (
                ClosedTable("CreditsTable", config.credits_table, config.credits_writers),
                ClosedTable("CampaignsTable", config.campaigns_table, config.campaigns_writers),
            ),
        ),
    )
    return ports, OlderItems(dynamodb, config.campaigns_table)


@cache
def _settling() -> SettlePorts:
    config = AdvanceCampaignConfig.read()
    dynamodb, watching = client("dynamodb"), _watching()[0]
    return SettlePorts(
        campaigns=watching.advance.campaigns,
        lists=PartedLists(S3Lists(client("s3"), config.list_bucket)),
        ledger=DynamoLedger(dynamodb, config.credits_table, calls_in_flight=1),
        budgets=DynamoBudgets(dynamodb, config.campaigns_table),
        troubles=watching.troubles,
    )


@logger.inject_lambda_context
@without_content(logger.error)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, str] | None:
    """Advance each campaign that the batch names, once; an error repeats the batch, which is safe.

    An event without records is the schedule's: every open campaign is looked at, and what waits for a person is
    counted. `kulanz doctor` asks what runs here.
    """
    if event == VERSIONS_ASKED:
        return versions(datetime.now(UTC))

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    if "Records" not in event:
        _watch(str(event.get("id", "")), context, seconds_left)
        return None
    changed: dict[str, str] = {}
    revised: dict[str, str] = {}
    for record in event["Records"]:
        keys = record["dynamodb"]["Keys"]
        if is_revision(keys) and record["eventName"] == "INSERT":
            revised[incident_of_partition(keys["pk"]["S"])] = record["eventID"]
        if keys["sk"]["S"] == META and record["eventName"] != "REMOVE":
            changed[keys["pk"]["S"]] = record["eventID"]
    for incident_id, event_id in revised.items():
        cause = Cause(context.function_name, event_id, context.function_version)
        follow_incident(incident_id, _composed().campaigns, cause, datetime.now(UTC))
        logger.info("incident", incident_id=incident_id)
    for partition, event_id in changed.items():
        _advance_credits(partition, Cause(context.function_name, event_id, context.function_version), seconds_left)
        campaign_id = campaign_of_partition(partition)
        if campaign_id is None:
            continue
        cause = Cause(context.function_name, event_id, context.function_version)
        state = advance_campaign(campaign_id, _composed(), cause, datetime.now(UTC), seconds_left)
        if state in STOPPED or state is State.REFUSED:  # told at once; the schedule tells of those that go on waiting
            _report_waiting(1)
        logger.info("campaign", campaign=str(campaign_id), state=None if state is None else state.value)
    return None


def _advance_credits(partition: str, cause: Cause, seconds_left: Callable[[], float]) -> None:
    """Move on the delivery or the void whose record changed, if it is the partition of one."""
    if (delivery_id := delivery_of_partition(partition)) is not None:
        stands = advance_delivery(delivery_id, _delivering(), datetime.now(UTC), seconds_left)
        logger.info("delivery", delivery=str(delivery_id), state=None if stands is None else stands.value)
    if (void_id := void_of_partition(partition)) is not None:
        is_at = advance_void(void_id, _voiding(), cause, datetime.now(UTC), seconds_left)
        logger.info("void", void=str(void_id), state=None if is_at is None else is_at.value)


def _report_waiting(campaigns: int) -> None:
    metrics.add_metric("CampaignsWaitingForAPerson", MetricUnit.Count, campaigns)
    metrics.flush_metrics()


def _watch(event_id: str, context: LambdaContext, seconds_left: Callable[[], float]) -> None:
    """Look at everything that is open, each kind by itself: where one fails, the others are looked at and counted.

    Raises the first error at the end, so that the alarm of the function's errors rings.
    """
    cause = Cause(context.function_name, event_id, context.function_version)
    kinds: tuple[Callable[[], int], ...] = (
        lambda: _watch_campaigns(cause, seconds_left),
        lambda: _waiting_of("delivery", watch_deliveries(_delivering(), datetime.now(UTC), seconds_left)),
        _watch_kept_back,
        _watch_given_again,
        _watch_second_persons,
        lambda: _waiting_of("void", watch_voids(_voiding(), cause, datetime.now(UTC), seconds_left)),
        lambda: _watch_answers(datetime.now(UTC), seconds_left),
        lambda: _settle_budgets(seconds_left),
    )
    waiting, errors = 0, list[Exception]()
    for look_at in kinds:
        try:
            waiting += look_at()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is raised when the others were looked at
            errors.append(error)
    _report_waiting(waiting)
    if errors:
        raise errors[0]


def _watch_campaigns(cause: Cause, seconds_left: Callable[[], float]) -> int:
    """Look at every open campaign, also at those that an older release wrote; how many wait for a person."""
    ports, older = _watching()
    is_listed = older.bring_in(seconds_left)
    found = watch_open(ports, cause, datetime.now(UTC), seconds_left)
    for campaign_id, why in found.failed:
        logger.error("campaign could not be moved on", campaign=str(campaign_id), why=why)
    is_whole = is_listed and found.is_whole
    logger.info("watch", looked_at=found.looked_at, waiting=found.waiting, is_whole=is_whole)
    if found.to_ring:
        logger.warning("one person alone approved", campaigns=found.to_ring)
        metrics.add_metric("GlassBroken", MetricUnit.Count, len(found.to_ring))
        metrics.flush_metrics()
        note_rung(found.to_ring, ports.troubles, datetime.now(UTC))  # after it: an alarm may ring twice, and never not
    return found.waiting


def _waiting_of(kind: str, looked: Looked) -> int:
    """Log what of a kind is flagged or could not be moved on; how many that are."""
    for name, why in looked.flagged:
        logger.error("flagged", kind=kind, on=name, why=why)
    for name, why in looked.failed:
        logger.error("could not be moved on", kind=kind, on=name, why=why)
    return looked.waiting


@cache
def _second_persons() -> SecondPersonPorts:
    config = AdvanceCampaignConfig.read()
    return SecondPersonPorts(DynamoSecondPersons(client("dynamodb"), config.campaigns_table), _delivering().announcer)


def _watch_second_persons() -> int:
    """Announce what waits for a second person; how many waited in vain, each counted once."""
    expired = watch_second_persons(_second_persons(), datetime.now(UTC))
    if expired:
        logger.warning("what waited for a second person waits no more", number=expired)
    return expired


def _watch_kept_back() -> int:
    """Forget what is kept back no more; what still is, is a trouble, and counted with these."""
    watch_kept_back(_keeping_back(), datetime.now(UTC))
    return 0


def _watch_given_again() -> int:
    """Forget what was looked at; what was not is a trouble, and counted with these."""
    watch_given_again(_keeping_back(), datetime.now(UTC))
    return 0


def _settle_budgets(seconds_left: Callable[[], float]) -> int:
    """Settle what executions reserved of budgets; what waits for a person is a trouble, and counted with these."""
    settled = settle_budgets(_settling(), datetime.now(UTC), seconds_left)
    for campaign_id, why in settled.failed:
        logger.error("reservations could not be settled", campaign=str(campaign_id), why=why)
    for campaign_id in settled.beyond:
        logger.error(
            "the ledger holds more than was reserved; compare it: kulanz ledger check", campaign=str(campaign_id)
        )
    for budget in settled.exceeded:
        logger.warning("a budget is exceeded", budget=budget)
    logger.info("budgets", looked_at=settled.looked_at, is_whole=settled.is_whole)
    return 0


def _watch_answers(now: datetime, seconds_left: Callable[[], float]) -> int:
    """Move on answer files that stand still, and count the credits that are late or will be soon."""
    answering, dues = _answering()
    waiting = _waiting_of("answers", watch_answers(answering, seconds_left))
    late = look_at_dues(dues, now, timedelta(days=AdvanceCampaignConfig.read().warn_before_days))
    for name, number in (("CreditsOverdue", late.overdue), ("CreditsDueSoon", late.due_soon)):
        metrics.add_metric(name, MetricUnit.Count, number)
    metrics.flush_metrics()
    return waiting
