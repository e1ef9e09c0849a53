"""A deployed stack as a client sees it: the names it gives out, and the ports over them."""

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.adapters.messaging import SqsChunks
from kulanz.adapters.offers import DynamoOffers
from kulanz.adapters.s3 import S3Lists, S3Policies
from kulanz.application.accept_offer import AcceptPorts
from kulanz.application.answer import AnswerPorts
from kulanz.application.control import ControlPorts
from kulanz.domain.estimate import Operation

POLICY_PREFIX = "policies/"
LIST_PREFIX = "lists/"
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 30
ATTEMPTS = 5


class StackUnusable(Exception):
    """The stack cannot be addressed; the text says what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class StackNames:
    """The outputs of a deployed stack that clients use."""

    event_bus: str
    list_bucket: str
    credits_table: str
    campaigns_table: str
    notices_topic: str
    rejected_queue: str
    incidents_queue: str
    incidents_dead_letters: str
    chunks_queue: str
    chunks_dead_letters: str
    publish_notices: str
    advance_campaign: str


_OUTPUTS = {
    "event_bus": "EventBusName",
    "list_bucket": "ListBucketName",
    "credits_table": "CreditsTableName",
    "campaigns_table": "CampaignsTableName",
    "notices_topic": "NoticesTopicArn",
    "rejected_queue": "RejectedQueueUrl",
    "incidents_queue": "IncidentsQueueUrl",
    "incidents_dead_letters": "IncidentsDeadLetterQueueUrl",
    "chunks_queue": "ChunksQueueUrl",
    "chunks_dead_letters": "ChunksDeadLetterQueueUrl",
    "publish_notices": "PublishNoticesFunctionName",
    "advance_campaign": "AdvanceCampaignFunctionName",
}


class Stack:
    """A stack by its name, and the ports over it. Nothing is read or connected before its first use."""

    def __init__(
        self,
        name: str,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        session: boto3.Session | None = None,
    ) -> None:
        self.name = name
        self._profile, self._region = profile, region
        self._endpoint_url = endpoint_url
        self._session = session
        self._clients: dict[str, Any] = {}
        self._described: Any = None
        self._names: StackNames | None = None

    def _connected(self) -> boto3.Session:
        """The session, from the AWS settings of the shell where none was given."""
        if self._session is None:
            try:
                session = boto3.Session(profile_name=self._profile, region_name=self._region)
            except BotoCoreError as error:
                raise StackUnusable(f"{error}; choose another with --profile") from None
            if not session.region_name:
                raise StackUnusable("no region is set; give --region, or set AWS_DEFAULT_REGION")
            self._session = session
        return self._session

    def client(self, service: str) -> Any:
        """A client with bounded waits. Raises StackUnusable when the shell's AWS settings do not do."""
        if service not in self._clients:
            config = Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=READ_TIMEOUT_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            )
            # The generated overloads know each service's name by itself only.
            make: Any = self._connected().client
            self._clients[service] = make(service, endpoint_url=self._endpoint_url, config=config)
        return self._clients[service]

    @property
    def names(self) -> StackNames:
        """What the stack gives out, read once. Raises StackUnusable when there is no such stack, or no access to it."""
        if self._names is None:
            self._names = self._read_names()
        return self._names

    def _read_names(self) -> StackNames:
        outputs = {output["OutputKey"]: output["OutputValue"] for output in self._description().get("Outputs", [])}
        return StackNames(**{field: self._named(outputs, "output", name) for field, name in _OUTPUTS.items()})

    def operation(self) -> Operation:
        """The settings of the deployed stack that an estimate depends on. Raises StackUnusable."""
        given = {one["ParameterKey"]: one["ParameterValue"] for one in self._description().get("Parameters", [])}
        return Operation(
            region=self.client("cloudformation").meta.region_name,
            recipients_per_message=int(self._named(given, "parameter", "NoticesPerMessage")),
            write_rate=int(self._named(given, "parameter", "TargetWriteRate")),
        )

    def _named(self, found: dict[str, str], what: str, name: str) -> str:
        if name not in found:
            raise StackUnusable(f"the stack {self.name} lacks the {what} {name}; is it a Kulanz stack?")
        return found[name]

    def _description(self) -> Any:
        """What CloudFormation says about the stack, asked once."""
        if self._described is None:
            try:
                answer = self.client("cloudformation").describe_stacks(StackName=self.name)
            except ClientError as error:
                problem = error.response.get("Error", {})
                if problem.get("Code") == "ValidationError":
                    raise StackUnusable(
                        f"there is no stack {self.name} in this account and region; deploy it, or name it with"
                        " --stack-name"
                    ) from None
                raise StackUnusable(f"the stack could not be read: {problem.get('Code')}") from None
            except BotoCoreError as error:
                raise StackUnusable(f"AWS did not answer: {error}") from None
            self._described = answer["Stacks"][0]
        return self._described

    def campaigns(self) -> DynamoCampaigns:
        """The campaign store."""
        return DynamoCampaigns(self.client("dynamodb"), self.names.campaigns_table)

    def policies(self) -> S3Policies:
        """The published policies."""
        return S3Policies(self.client("s3"), self.names.list_bucket, POLICY_PREFIX)

    def control(self) -> ControlPorts:
        """What holding, resuming and ending a campaign touches."""
        return ControlPorts(self.campaigns(), SqsChunks(self.client("sqs"), self.names.chunks_queue))

    def offers(self) -> AcceptPorts:
        """What accepting an offer touches."""
        database = self.client("dynamodb")
        ledger = DynamoLedger(database, self.names.credits_table, calls_in_flight=1)
        offers = DynamoOffers(database, self.names.credits_table, self.names.campaigns_table)
        return AcceptPorts(ledger, self.campaigns(), offers)

    def caller(self) -> str:
        """Who acts, for the record. Raises StackUnusable when AWS does not say."""
        try:
            return str(self.client("sts").get_caller_identity()["Arn"])
        except (BotoCoreError, ClientError) as error:
            raise StackUnusable(f"AWS does not say who you are: {type(error).__name__}") from None

    def answers(self) -> AnswerPorts:
        """What an answer about one account reads."""
        ledger = DynamoLedger(self.client("dynamodb"), self.names.credits_table, calls_in_flight=1)
        return AnswerPorts(self.campaigns(), S3Lists(self.client("s3"), self.names.list_bucket), ledger)
