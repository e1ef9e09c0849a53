"""A deployed stack of which everything is as it must be, in answers that a test changes one at a time."""

import io
import json
from collections.abc import Iterator
from copy import copy
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.validate import validate_parameters

import kulanz
from kulanz.domain.confirmation import Confirmation, Occasion, Tables
from kulanz.versions import VERSIONS_ASKED, versions
from kulanz_cli.direct import DirectStack
from kulanz_cli.stack import StackOutputs
from tests.template.resolved import ACCOUNT_ID
from tests.template.resolved import Stack as Template

ACCOUNT = ACCOUNT_ID
CALLER = f"arn:aws:sts::{ACCOUNT_ID}:assumed-role/deployers/ada"
CALLER_ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/deployers"
ALARM_TOPIC = f"arn:aws:sns:eu-central-1:{ACCOUNT_ID}:alarms"
TOPIC = f"arn:aws:sns:eu-central-1:{ACCOUNT_ID}:notices"
CREDITS_TOPIC = f"arn:aws:sns:eu-central-1:{ACCOUNT_ID}:credits"
STREAM = f"arn:aws:dynamodb:eu-central-1:{ACCOUNT_ID}:table/a/stream/2026-11-29T00:00:00.000"
DENIED = "you are not authorized, with an explicit deny in a resource-based policy"
TABLES = Tables("credits@2026", "campaigns@2026")
QUEUES = {"IncidentsQueue": "incidents_queue_url", "ChunksQueue": "chunks_queue_url"}
QUEUES |= {"IncidentsDeadLetterQueue": "incidents_dead_letter_queue_url", "SourcesQueue": "sources_queue_url"}
UUID_CHARACTERS = 36
FUNCTION_PREFIXES = ("PublishNoticesFunction", "AdvanceCampaignFunction")
FUNCTIONS = ("draft_incidents", "open_campaign", "grant_credits", "publish_notices", "advance_campaign")
CONSOLE_FUNCTION = "ServeConsoleFunction"
NOW = datetime.now(UTC)


def refusal(code: str, operation: str, message: str = "no") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


class Stores:
    """The confirmation of both tables."""

    def __init__(self) -> None:
        self.given: Confirmation | None = Confirmation(TABLES, Occasion.FIRST, "ada", "new account", NOW)
        self.found = TABLES

    def confirmation(self) -> Confirmation | None:
        return self.given

    def tables(self) -> Tables:
        return self.found


class Client:
    """A client whose answers are the stack's."""

    def __init__(self, aws: "HealthyAws", service: str) -> None:
        self._aws, self._service = aws, service
        self.meta = SimpleNamespace(endpoint_url=aws.endpoint, region_name="eu-central-1")

    def __getattr__(self, operation: str) -> Any:
        def called(**arguments: Any) -> Any:
            _check_arguments(self._service, operation, arguments)
            self._aws.calls.append((operation, arguments))
            answer = self._aws.replies[f"{self._service}.{operation}"]
            if isinstance(answer, Exception):
                raise answer
            return answer(**arguments) if callable(answer) else answer

        return called

    def get_paginator(self, operation: str) -> Any:
        assert _real(self._service).can_paginate(operation), operation
        return SimpleNamespace(paginate=lambda **arguments: iter([getattr(self, operation)(**arguments)]))


class HealthyAws(DirectStack):
    """The stack, and AWS around it. `replies` holds a value, a function or an error for each `service.operation`."""

    def __init__(self, parameters: dict[str, str] | None = None) -> None:
        super().__init__("kulanz")
        self.endpoint = "https://dynamodb.eu-central-1.amazonaws.com"
        self.given = {"AlarmTopicArn": ALARM_TOPIC, **(parameters or {})}
        self.template = copy(_resolved(tuple(sorted(self.given.items()))))
        self.template.parameters = dict(self.template.parameters)
        self.state = "UPDATE_COMPLETE"
        self.confirmed = Stores()
        self.broken: set[str] = set()
        self.items: dict[str, Any] = {}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.mappings = {name: list(_mappings(name)) for name in FUNCTIONS}
        self.functions: dict[str, Any] = {
            name: {"Layers": [{"Arn": "packages:1"}], "Runtime": "python3.13"} for name in FUNCTIONS
        }
        if CONSOLE_FUNCTION in self.template.resources:
            self.functions[CONSOLE_FUNCTION] = self.template.properties(CONSOLE_FUNCTION)
        self.replies: dict[str, Any] = self._all_replies()
        names = {field: field.removesuffix("_name") for field in StackOutputs.__dataclass_fields__}
        names |= {f"{name}_function_name": name for name in FUNCTIONS}
        topics = {"notices_topic_arn": TOPIC, "credits_topic_arn": CREDITS_TOPIC}
        self._outputs = StackOutputs(**{**names, **topics, "stack_version": kulanz.__version__})

    def client(self, service: str) -> Any:
        return Client(self, service)

    def status(self) -> str:
        return self.state

    def parameters(self) -> dict[str, str]:
        return {
            name: ",".join(value) if isinstance(value, list) else value
            for name, value in self.template.parameters.items()
        }

    def resources(self) -> dict[str, tuple[str, str]]:
        return {name: (resource["Type"], _physical(name)) for name, resource in self.template.resources.items()}

    def stores(self) -> Any:
        return self.confirmed

    def caller(self) -> str:
        return CALLER

    def policy(self, resource: str, key: str = "PolicyDocument") -> Any:
        """The policy of a resource as the template has it, with whole ARNs of roles."""
        text = json.dumps(self.template.properties(resource)[key])
        for role in self.template.of_type("AWS::IAM::Role"):
            text = text.replace(f'"arn:{role}"', f'"arn:aws:iam::{ACCOUNT_ID}:role/{role}"')
        text = text.replace("arn:ListBucket", "arn:aws:s3:::list_bucket").replace(
            "event-bus/kulanz", "event-bus/event_bus"
        )
        for name, queue in QUEUES.items():
            text = text.replace(f'"arn:{name}"', f'"arn:aws:sqs:eu-central-1:{ACCOUNT_ID}:{queue}"')
        for name, topic in (("NoticesTopic", TOPIC), ("CreditsTopic", CREDITS_TOPIC)):
            text = text.replace(f'"Resource": "{name}"', f'"Resource": "{topic}"')
        return json.loads(text)

    def edit(self, answer: str, *path: Any, value: Any) -> None:
        """Change a place deep in an answer."""
        found = self.replies[answer]
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = value

    def _all_replies(self) -> dict[str, Any]:
        logs = [{"logGroupName": f"/aws/lambda/kulanz/{name}", "retentionInDays": 90} for name in FUNCTIONS]
        topic = [ALARM_TOPIC]
        alarms = [
            {"AlarmName": name, "ActionsEnabled": True, "AlarmActions": topic, "StateValue": "OK"}
            for name in self.template.of_type("AWS::CloudWatch::Alarm")
        ]
        rules = [
            {"ID": "AbandonedUploads", "Status": "Enabled", "Filter": {"Prefix": ""}},
            {"ID": "RefusedEvents", "Status": "Enabled", "Expiration": {"Days": 90}, "Filter": {"Prefix": "rejected/"}},
            {"ID": "Exports", "Status": "Enabled", "Expiration": {"Days": 7}, "Filter": {"Prefix": "exports/"}},
            {"ID": "Failed", "Status": "Enabled", "Expiration": {"Days": 90}, "Filter": {"Prefix": "aws/lambda/"}},
        ]
        self.expiry = {
            "credits_table": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"},
            "SessionsTable": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"},
            "campaigns_table": {"TimeToLiveStatus": "DISABLED"},
        }
        self.queue_policies = {
            "incidents_queue_url": self.policy("IncidentsQueuePolicy"),
            "chunks_queue_url": self.policy("ChunksQueuePolicy"),
            "sources_queue_url": self.policy("SourcesQueuePolicy"),
            "incidents_dead_letter_queue_url": self.policy("IncidentsDeadLetterQueuePolicy"),
            "chunks_dead_letter_queue_url": self.policy("TlsOnlyQueuePolicy"),
            "rejected_queue_url": self.policy("TlsOnlyQueuePolicy"),
        }
        self.bucket_policy = self.policy("ListBucketPolicy")
        self.table_policies = {
            "credits_table": self.policy("CreditsTable", "ResourcePolicy")["PolicyDocument"],
            "campaigns_table": self.policy("CampaignsTable", "ResourcePolicy")["PolicyDocument"],
        }
        if "SessionsTable" in self.template.resources:
            of_sessions = self.policy("SessionsTable", "ResourcePolicy")["PolicyDocument"]
            self.table_policies["SessionsTable"] = of_sessions
        self.login: Any = {"statusCode": 303, "headers": {"location": "https://login.example.com/authorize?x=1"}}
        self.bus_policy = self.policy("EventBus", "Policy")
        self.topic_policy = self.policy("NoticesTopicPolicy")
        self.credits_topic_policy = self.policy("CreditsTopicPolicy")
        self.readers = {
            name: {
                "UUID": name,
                "EventSourceArn": STREAM,
                "FilterCriteria": mapping["FilterCriteria"],
                "MetricsConfig": dict(mapping["MetricsConfig"]),
                "DestinationConfig": {"OnFailure": {"Destination": "arn:aws:s3:::list_bucket"}},
                "LastModified": NOW - timedelta(days=1),
            }
            for name, mapping in self.template.of_type("AWS::Lambda::EventSourceMapping").items()
            if "DestinationConfig" in mapping
        }
        self.running = versions(datetime.now(UTC))
        return {
            "dynamodb.describe_table": {
                "Table": {
                    "DeletionProtectionEnabled": True,
                    "SSEDescription": {"Status": "ENABLED"},
                    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
                    "LatestStreamArn": STREAM,
                }
            },
            "dynamodb.describe_continuous_backups": {
                "ContinuousBackupsDescription": {
                    "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
                }
            },
            "dynamodb.describe_time_to_live": lambda TableName: {"TimeToLiveDescription": self.expiry[TableName]},
            "dynamodb.describe_limits": {"TableMaxWriteCapacityUnits": 40_000},
            "dynamodb.list_tables": lambda **_: _dated({}, datetime.now(UTC)),
            "dynamodb.put_item": refusal("AccessDeniedException", "PutItem", DENIED),
            "dynamodb.delete_item": refusal("AccessDeniedException", "DeleteItem", DENIED),
            "dynamodb.get_resource_policy": lambda ResourceArn: {
                "Policy": json.dumps(self.table_policies[ResourceArn.rpartition("/")[2]])
            },
            "s3.get_bucket_versioning": {"Status": "Enabled"},
            "s3.get_bucket_encryption": {"ServerSideEncryptionConfiguration": {}},
            "s3.get_public_access_block": {
                "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": True}
            },
            "s3.get_bucket_lifecycle_configuration": {"Rules": rules},
            "s3.get_bucket_replication": refusal("ReplicationConfigurationNotFoundError", "GetBucketReplication"),
            "s3.get_bucket_policy": lambda **_: {"Policy": json.dumps(self.bucket_policy)},
            "events.describe_event_bus": lambda **_: {"Policy": json.dumps(self.bus_policy)},
            "events.put_events": refusal("AccessDeniedException", "PutEvents", DENIED),
            "sqs.get_queue_attributes": lambda QueueUrl, **_: {
                "Attributes": {"Policy": json.dumps(self.queue_policies[QueueUrl])}
            },
            "sqs.send_message": refusal("AccessDenied", "SendMessage", DENIED),
            "lambda.get_function_configuration": lambda FunctionName: self.functions[FunctionName],
            "lambda.invoke": self._invoke,
            "lambda.list_event_source_mappings": lambda FunctionName: {
                "EventSourceMappings": self.mappings[FunctionName]
            },
            "lambda.get_event_source_mapping": lambda UUID: self.readers[UUID.rstrip("-")],
            "iam.simulate_principal_policy": lambda ActionNames, **_: {
                "EvaluationResults": [{"EvalActionName": one, "EvalDecision": "allowed"} for one in ActionNames]
            },
            "sns.get_topic_attributes": lambda TopicArn: {
                "Attributes": {
                    "Policy": json.dumps(self.topic_policy if TopicArn == TOPIC else self.credits_topic_policy)
                }
            },
            "sns.list_subscriptions_by_topic": {"Subscriptions": [{"SubscriptionArn": f"{TOPIC}:1"}]},
            "cloudwatch.get_metric_statistics": {"Datapoints": [{"SampleCount": 30.0}]},
            "lambda.get_account_settings": {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}},
            "logs.describe_log_groups": {"logGroups": logs},
            "secretsmanager.describe_secret": lambda SecretId: {"Name": SecretId},
            "cloudwatch.describe_alarms": {"MetricAlarms": alarms},
        }

    def _invoke(self, FunctionName: str, Payload: bytes) -> Any:
        if FunctionName in self.broken:
            error = {"errorType": "Runtime.ImportModuleError"}
            return {"FunctionError": "Unhandled", "Payload": io.BytesIO(json.dumps(error).encode())}
        if FunctionName == CONSOLE_FUNCTION:
            assert json.loads(Payload)["headers"] == {
                "host": self.functions[FunctionName]["Environment"]["Variables"]["CONSOLE_HOST"]
            }
            return {"Payload": io.BytesIO(json.dumps(self.login).encode())}
        asked = json.loads(Payload) == VERSIONS_ASKED
        return {"Payload": io.BytesIO(json.dumps(self.running if asked else None).encode())}

    def take_items(self) -> None:
        """Become a stack whose tables take items from everybody."""

        def put(Item: Any, **_: Any) -> Any:
            self.items[Item["pk"]["S"]] = Item
            return {}

        self.replies["dynamodb.put_item"] = put
        self.replies["dynamodb.delete_item"] = lambda Key, **_: self.items.pop(Key["pk"]["S"], None) and {}


def _physical(name: str) -> str:
    """A resource's id: its name, which is long enough for a mapping's, too."""
    return name.ljust(UUID_CHARACTERS, "-") if name.startswith(FUNCTION_PREFIXES) else name


@cache
def _real(service: str) -> Any:
    make: Any = boto3.client
    return make(service, region_name="eu-central-1")


def _check_arguments(service: str, operation: str, arguments: dict[str, Any]) -> None:
    """Refuse what the SDK's own model of the call refuses, so that no check makes a call that AWS does not have."""
    meta = _real(service).meta
    shape = meta.service_model.operation_model(meta.method_to_api_mapping[operation]).input_shape
    validate_parameters(arguments, shape)


@cache
def _resolved(parameters: tuple[tuple[str, str], ...]) -> Template:
    return Template(dict(parameters))


def _mappings(name: str) -> Iterator[dict[str, Any]]:
    for number in range(2 if name == "publish_notices" else 1):
        found: dict[str, Any] = {"UUID": f"{name}-{number}", "State": "Enabled"}
        if name == "grant_credits":
            found["ScalingConfig"] = {"MaximumConcurrency": 10}
        if name in ("publish_notices", "advance_campaign"):
            found["LastProcessingResult"] = "OK"
        yield found


def _dated(answer: dict[str, Any], at: datetime, off: timedelta = timedelta()) -> dict[str, Any]:
    return {**answer, "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(at + off, usegmt=True)}}}


def off_by(seconds: float) -> Any:
    """An answer of a clock that is off."""
    return lambda **_: _dated({}, datetime.now(UTC), timedelta(seconds=seconds))
