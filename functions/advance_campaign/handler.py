"""Changes of campaigns' META records, from the stream of CampaignsTable."""

from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.aws import client
from kulanz.adapters.campaign_keys import META, campaign_of_partition
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.messaging import EventBridgeAnnouncer, SqsChunks
from kulanz.adapters.s3 import S3Archive
from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.config import AdvanceCampaignConfig
from kulanz.domain.campaigns.campaign import WAITING, Cause, State
from kulanz.domain.campaigns.estimate import Operation
from kulanz.failures import without_content
from kulanz.versions import VERSIONS_ASKED, versions

logger = Logger()
metrics = Metrics()


@cache
def _composed() -> AdvancePorts:
    config = AdvanceCampaignConfig.read()
    dynamodb = client("dynamodb")
    return AdvancePorts(
        campaigns=DynamoCampaigns(dynamodb, config.campaigns_table),
        chunks=SqsChunks(client("sqs"), config.chunk_queue_url),
        archive=S3Archive(client("s3"), config.list_bucket),
        announcer=EventBridgeAnnouncer(client("events"), config.bus_name),
        operation=Operation(dynamodb.meta.region_name, config.recipients_per_message, config.write_rate),
    )


@logger.inject_lambda_context
@without_content(logger.error)
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, str] | None:
    """Advance each campaign that the batch names, once; an error repeats the batch, which is safe.

    An event without records is the schedule's: it asks how many campaigns wait. `kulanz doctor` asks what runs here.
    """
    if event == VERSIONS_ASKED:
        return versions(datetime.now(UTC))
    if "Records" not in event:
        _report_waiting(len(_composed().campaigns.waiting()))
        return None
    changed: dict[str, str] = {}

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    for record in event["Records"]:
        keys = record["dynamodb"]["Keys"]
        if keys["sk"]["S"] == META and record["eventName"] != "REMOVE":
            changed[keys["pk"]["S"]] = record["eventID"]
    for partition, event_id in changed.items():
        campaign_id = campaign_of_partition(partition)
        if campaign_id is None:
            continue
        cause = Cause(context.function_name, event_id, context.function_version)
        state = advance_campaign(campaign_id, _composed(), cause, datetime.now(UTC), seconds_left)
        if state in WAITING or state is State.REFUSED:  # told at once; the schedule tells of those that go on waiting
            _report_waiting(1)
        logger.info("campaign", campaign=str(campaign_id), state=None if state is None else state.value)
    return None


def _report_waiting(campaigns: int) -> None:
    metrics.add_metric("CampaignsWaitingForAPerson", MetricUnit.Count, campaigns)
    metrics.flush_metrics()
