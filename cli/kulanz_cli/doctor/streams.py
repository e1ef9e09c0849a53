"""From the tables' streams to the topic, and back to the queue and the bus: who reads what, and may pass it on.

A test decision that publish_notices saw would be a notice, and reach customers. So nothing is sent through: the
mappings, Lambda's own count of what it asked the streams for, IAM's simulator and the topic are asked instead.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kulanz.domain.delivery.channel import ChannelKind
from kulanz_cli.doctor.clock import now
from kulanz_cli.doctor.examined import Examined, Result, finding, not_shown, ok
from kulanz_cli.doctor.policies import PUT_EVENTS, WITHOUT_TLS, Expected, compared

POLLED_WITHIN = timedelta(minutes=30)
"""Lambda counts every minute, and CloudWatch has a figure some minutes later."""
EVENT_COUNT = "EventCount"
PENDING = "PendingConfirmation"
OUR_SOURCE = "kulanz"
EMPTY_LIST_IS_ONE = "it takes an empty list of accounts for one"
IGNORES_SOURCE = "its simulator knows no source of an event"
NO_COUNTS = "it counts no records of a mapping"
OVER_THE_TABLE = "Deploy the stack again over this table (docs/deployment.md, Delete, move, restore)."


@dataclass(frozen=True, slots=True)
class Reader:
    """A mapping of the template: the function and the stream that it joins, and which records it lets through."""

    mapping: str
    function: str
    table: str
    patterns: tuple[Any, ...]


def _pattern(event_name: str, **attributes: Sequence[Any]) -> Any:
    """Lambda's filter: of records of one kind, or of all, by attributes of the item."""
    image = {"dynamodb": {"NewImage": {name: {"S": list(values)} for name, values in attributes.items()}}}
    return {"eventName": [event_name], **image} if event_name else image


_NEW_DECISIONS = _pattern("INSERT", sk=[{"prefix": "DECISION#"}])
_NOTICES_OF_VOIDS = _pattern("MODIFY", sk=[{"prefix": "DECISION#"}], notice_locale=[{"exists": True}])
_NEW_REVISIONS = _pattern("INSERT", sk=[{"prefix": "REVISION#"}])
_PROGRESS = _pattern("", sk=["META", {"prefix": "REVISION#"}])
READERS = (
    Reader("PublishNoticesFunctionDecisions", "publish_notices", "decisions", (_NEW_DECISIONS, _NOTICES_OF_VOIDS)),
    Reader("PublishNoticesFunctionRevisions", "publish_notices", "campaigns", (_NEW_REVISIONS,)),
    Reader("AdvanceCampaignFunctionProgress", "advance_campaign", "campaigns", (_PROGRESS,)),
)


def streams(at: Examined) -> Iterator[Result]:
    """What each reader of a stream reads, lets through, and does with what it gives up."""
    client, database = at.client("lambda"), at.client("dynamodb")
    names = {"decisions": at.outputs.credits_table_name, "campaigns": at.outputs.campaigns_table_name}
    current = {
        what: database.describe_table(TableName=name)["Table"].get("LatestStreamArn") for what, name in names.items()
    }
    for reader in READERS:
        _, uuid = at.resources.get(reader.mapping, ("", ""))
        if not uuid:
            yield finding(
                f"The mapping {reader.mapping} is missing: {reader.function} hears of nothing.", "Deploy again."
            )
            continue
        found = client.get_event_source_mapping(UUID=uuid)
        problems = list(_problems(at, reader, found, current[reader.table]))
        yield from problems
        if not problems:
            yield ok(f"{reader.function} reads the stream of the table of {reader.table} and keeps what it gives up.")
        yield _polled(at, reader, uuid, found)


def _problems(at: Examined, reader: Reader, found: Mapping[str, Any], stream: str | None) -> Iterator[Result]:
    if found.get("EventSourceArn") != stream:
        yield finding(
            f"{reader.function} reads another stream than the present one of the table of {reader.table}: it hears of"
            " nothing new.",
            OVER_THE_TABLE,
        )
    patterns = [json.loads(one["Pattern"]) for one in found.get("FilterCriteria", {}).get("Filters", [])]
    if patterns != list(reader.patterns):
        yield finding(
            f"{reader.function} hears of other records of the table of {reader.table} than the template says: notices"
            " are missing or are sent for what is none, or campaigns stand still.",
            "Deploy again; if that changes nothing, put the filter back in the console of Lambda.",
        )
    kept = found.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination", "")
    if not kept.endswith(f":::{at.outputs.list_bucket_name}"):
        yield finding(
            f"What {reader.function} gives up is not kept in the bucket: it is lost.",
            f"aws lambda update-event-source-mapping --uuid {found.get('UUID')} --destination-config"
            f" OnFailure={{Destination=arn:aws:s3:::{at.outputs.list_bucket_name}}}",
        )
    if EVENT_COUNT not in found.get("MetricsConfig", {}).get("Metrics", []):
        uncounted = finding(
            f"Nobody counts what {reader.function} gives up: no alarm rings for it.",
            f"aws lambda update-event-source-mapping --uuid {found.get('UUID')} --metrics-config Metrics=EventCount",
        )
        if at.is_aws:
            yield uncounted


def _polled(at: Examined, reader: Reader, uuid: str, found: Mapping[str, Any]) -> Result:
    """Lambda counts what it read at each look into a stream, none included: a figure is a look."""
    text = f"the stream of the table of {reader.table} for {reader.function}"
    ending = now()
    answer = at.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/Lambda",
        MetricName="PolledEventCount",
        Dimensions=[{"Name": "EventSourceMappingUUID", "Value": uuid}],
        StartTime=ending - POLLED_WITHIN,
        EndTime=ending,
        Period=int(POLLED_WITHIN.total_seconds()),
        Statistics=["SampleCount"],
    )
    if any(point["SampleCount"] for point in answer["Datapoints"]):
        return ok(f"Lambda looks into {text}.")
    changed = found.get("LastModified")
    if isinstance(changed, datetime) and ending - changed < POLLED_WITHIN:
        return not_shown(f"Lambda has not yet counted a look into {text}: run this again in half an hour.")
    minutes = int(POLLED_WITHIN.total_seconds()) // 60
    return at.only_on_aws(
        finding(
            f"Lambda has not looked into {text} for {minutes} minutes.",
            "Look at the mapping in the console of Lambda: the role may lack a permission on the stream.",
        ),
        NO_COUNTS,
    )


def permissions(at: Examined) -> Iterator[Result]:
    """IAM's simulator, about what each reader's role needs to pass on what it hears."""
    partition, region, account = (
        at.caller.split(":")[1],
        at.client("lambda").meta.region_name,
        at.caller.split(":")[4],
    )
    kept = f"arn:{partition}:s3:::{at.outputs.list_bucket_name}/aws/lambda/a"
    queue = f"arn:{partition}:sqs:{region}:{account}:{at.outputs.chunks_queue_url.rpartition('/')[2]}"
    bus = f"arn:{partition}:events:{region}:{account}:event-bus/{at.outputs.event_bus_name}"
    needs = {
        "publish_notices": (
            "PublishNoticesRole",
            (("sns:Publish", at.outputs.notices_topic_arn), ("s3:PutObject", kept)),
        ),
        "advance_campaign": (
            "AdvanceCampaignRole",
            (("sqs:SendMessage", queue), (PUT_EVENTS, bus), ("s3:PutObject", kept)),
        ),
    }
    client = at.client("iam")
    for function, (role, wanted) in needs.items():
        _, name = at.resources.get(role, ("", "missing"))
        lacking = [
            action
            for action, resource in wanted
            if not _is_allowed(client, f"arn:{partition}:iam::{account}:role/{name}", action, resource)
        ]
        if lacking:
            problem = finding(
                f"The role of {function} may not call {', '.join(lacking)}: what it hears goes no further.",
                f"Compare the role's policy with {role} in template.yaml, and look for a permissions boundary.",
            )
            yield at.only_on_aws(problem, IGNORES_SOURCE) if lacking == [PUT_EVENTS] else problem
        else:
            yield ok(f"The role of {function} may pass on what it hears.")


def _is_allowed(client: Any, role: str, action: str, resource: str) -> bool:
    source = {"ContextKeyName": "events:source", "ContextKeyValues": [OUR_SOURCE], "ContextKeyType": "string"}
    answer = client.simulate_principal_policy(
        PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource], ContextEntries=[source]
    )
    return all(one["EvalDecision"] == "allowed" for one in answer["EvaluationResults"])


def topic(at: Examined) -> Iterator[Result]:
    """The notices topic: its policy, and whether a subscriber hears what it says."""
    nobody = not_shown("Nobody is subscribed to the topic: no system hears a notice until one is (docs/notices.md).")
    yield from _topic(at, at.outputs.notices_topic_arn, "SubscriberAccountIds", nobody)


def credits_topic(at: Examined) -> Iterator[Result]:
    """The credits topic, where credits are published on it: its policy, and whether billing hears them."""
    channels = [at.parameter("DeliveryChannel"), *at.parameter("OtherChannels").split(",")]
    if not any(one.endswith(f":{ChannelKind.TOPIC.value}") for one in channels):
        yield ok("Nothing new is sent to the credits topic: neither DeliveryChannel nor OtherChannels names it.")
        return
    nobody = finding(
        "Nobody is subscribed to the credits topic, and a channel sends credits there: nobody books them.",
        "Subscribe a queue of billing (docs/delivery.md). What was published before: kulanz resend CAMPAIGN.",
    )
    yield from _topic(at, at.outputs.credits_topic_arn, "CreditsSubscriberAccountIds", nobody)


def _topic(at: Examined, arn: str, accounts_of: str, nobody: Result) -> Iterator[Result]:
    client = at.client("sns")
    accounts = at.listed(accounts_of)
    expected = {"RefusePlainHttp": Expected("Deny", ["sns:Publish"], WITHOUT_TLS)}
    if accounts:
        subscribe = ["sns:Subscribe", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic"]
        expected["ListedAccountsMaySubscribe"] = Expected("Allow", subscribe, {}, principals=accounts)
    policy = client.get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy")
    for result in compared("the topic", f":{arn.rpartition(':')[2]}", policy, expected):
        yield at.only_on_aws(result, EMPTY_LIST_IS_ONE)
    pages = client.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=arn)
    found = [one["SubscriptionArn"] for page in pages for one in page["Subscriptions"]]
    pending = found.count(PENDING)
    if pending:
        yield finding(
            f"{pending} of {len(found)} subscriptions of the topic were never confirmed: nothing reaches them.",
            "Confirm them at the subscriber, or remove them in the console of SNS.",
        )
    if len(found) > pending:
        yield ok(f"{len(found) - pending} confirmed subscriptions hear the topic.")
    elif not pending:
        yield nobody
