"""What a stack does by itself, with the figures that it goes by, as it is deployed: each of them was decided.

The text beside this file has queues, their readers, schedules, rules, alarms, functions, tables, what expires and what
is throttled. Who may do what is stated elsewhere. Each parameter has a value of its own.
"""

import json
from collections.abc import Iterator
from pathlib import Path

from tests.support.approved import must_be_as_approved
from tests.template.resolved import CONSOLE, Json, Stack, translated

KINDS = {
    "AWS::ApiGatewayV2::Integration": ("TimeoutInMillis", "PayloadFormatVersion"),
    "AWS::ApiGatewayV2::Stage": ("DefaultRouteSettings", "RouteSettings", "AutoDeploy"),
    "AWS::CloudWatch::Alarm": (
        *("Namespace", "MetricName", "Dimensions", "Statistic", "Period", "EvaluationPeriods", "Threshold"),
        *("DatapointsToAlarm", "ComparisonOperator", "TreatMissingData"),
    ),
    "AWS::DynamoDB::Table": (
        *("BillingMode", "KeySchema", "TimeToLiveSpecification", "StreamSpecification"),
        "PointInTimeRecoverySpecification",
    ),
    "AWS::Events::Rule": ("EventBusName", "EventPattern", "ScheduleExpression", "State", "Targets"),
    "AWS::Lambda::EventSourceMapping": (
        *("EventSourceArn", "FunctionName", "StartingPosition", "BatchSize", "MaximumBatchingWindowInSeconds"),
        *("FilterCriteria", "FunctionResponseTypes", "BisectBatchOnFunctionError", "MaximumRetryAttempts"),
        *("MaximumRecordAgeInSeconds", "ParallelizationFactor", "DestinationConfig", "ScalingConfig", "MetricsConfig"),
    ),
    "AWS::Lambda::Function": (
        *("Handler", "MemorySize", "Timeout", "Environment", "ReservedConcurrentExecutions", "RecursiveLoop"),
        *("TracingConfig", "LoggingConfig"),
    ),
    "AWS::Logs::LogGroup": ("LogGroupName", "RetentionInDays"),
    "AWS::S3::Bucket": ("LifecycleConfiguration", "VersioningConfiguration", "ObjectLockEnabled"),
    "AWS::SQS::Queue": (
        *("VisibilityTimeout", "MessageRetentionPeriod", "RedrivePolicy", "DelaySeconds"),
        "ReceiveMessageWaitTimeSeconds",
    ),
}
"""The properties that are stated, of each type of resource."""
WITH_EVERYTHING = CONSOLE | {"PartnerBusName": "aws.partner/example.com/1"}


def _stated(value: Json, place: str) -> Iterator[str]:
    """A line for each value by its name; of a list all in one line."""
    if isinstance(value, dict):
        for name, inner in sorted(value.items()):
            yield from _stated(inner, f"{place}.{name}")
    else:
        yield f"{place} = {json.dumps(value, sort_keys=True) if isinstance(value, list) else value}"


def _distinct() -> dict[str, str]:
    """A value of its own for each parameter that is a number, or is empty: what refers to another than it should shows.

    The last are said by their names.
    """
    declared = sorted(translated()["Parameters"].items())
    numbers = [name for name, one in declared if one["Type"] == "Number"]
    empty = [name for name, one in declared if one["Default"] == "" and "AllowedValues" not in one]
    return {name: name for name in empty} | {name: str(number) for number, name in enumerate(numbers, 1_001)}


def test_what_a_stack_goes_by_is_as_it_was_decided() -> None:
    stack = Stack(_distinct() | WITH_EVERYTHING)
    lines = [f"{name} = {said}" for name, said in _distinct().items() if name != said]
    for kind, names in KINDS.items():
        lines += ["", kind]
        for resource, properties in sorted(stack.of_type(kind).items()):
            for name in names:
                if name in properties:
                    lines += [f"    {one}" for one in _stated(properties[name], f"{resource}.{name}")]
    must_be_as_approved("\n".join(lines) + "\n", Path(__file__))
