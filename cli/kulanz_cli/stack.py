"""A deployed stack as a client sees it: the names it gives out, and the ports over them.

A port's adapters are imported when a command asks for it: most commands need one port of six.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

import kulanz
from kulanz_cli.settings import Unusable

if TYPE_CHECKING:
    from kulanz.adapters.campaign_table import DynamoCampaigns
    from kulanz.adapters.s3 import S3Policies
    from kulanz.application.campaigns.control_campaign import ControlPorts
    from kulanz.application.ledger.accept_offer import AcceptPorts
    from kulanz.application.ledger.answer import AnswerPorts
    from kulanz.application.ports import Stores
    from kulanz.domain.campaigns.estimate import Operation
from kulanz_cli.terminal import console, say

POLICY_PREFIX = "policies/"
LIST_PREFIX = "lists/"
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 30
ATTEMPTS = 5
RECEIVE_WAIT_SECONDS = 2
"""With any wait SQS asks all servers of a queue, so that an empty answer is an empty queue; else only some of them."""


class StackUnusable(Unusable):
    """The stack cannot be addressed; the text says what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class StackOutputs:
    """The outputs of the template, under their names in snake case."""

    stack_version: str
    api_id: str
    api_url: str
    event_bus_name: str
    list_bucket_name: str
    credits_table_name: str
    campaigns_table_name: str
    notices_topic_arn: str
    incidents_queue_url: str
    incidents_dead_letter_queue_url: str
    rejected_queue_url: str
    chunks_queue_url: str
    chunks_dead_letter_queue_url: str
    open_campaign_function_name: str
    grant_credits_function_name: str
    publish_notices_function_name: str
    advance_campaign_function_name: str
    api_function_name: str


class Stack:
    """A stack by its name, and the ports over it. Nothing is read or connected before its first use."""

    def __init__(
        self,
        name: str,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        make_client: Callable[..., Any] | None = None,
    ) -> None:
        self.name = name
        self._profile, self._region = profile, region
        self._endpoint_url = endpoint_url
        self._make_client = make_client
        self._clients: dict[str, Any] = {}
        self._described: Any = None
        self._outputs: StackOutputs | None = None

    def _connected(self) -> Callable[..., Any]:
        """What makes clients, by the AWS settings of the shell where none was given.

        It is botocore without boto3: no command needs boto3's resources, and importing them takes a tenth of a second.
        """
        if self._make_client is None:
            session = Session(profile=self._profile)
            if self._region:
                session.set_config_variable("region", self._region)
            try:
                region = session.get_config_variable("region")
            except BotoCoreError as error:
                raise StackUnusable(f"{error}; choose another with --profile") from None
            if not region:
                raise StackUnusable("no region is set; give --region, or set AWS_DEFAULT_REGION")
            self._make_client = session.create_client
        return self._make_client

    def client(self, service: str) -> Any:
        """A client with bounded waits. Raises StackUnusable when the shell's AWS settings do not do."""
        if service not in self._clients:
            config = Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=READ_TIMEOUT_SECONDS,
                retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            )
            self._clients[service] = self._connected()(service, endpoint_url=self._endpoint_url, config=config)
        return self._clients[service]

    @property
    def outputs(self) -> StackOutputs:
        """What the stack gives out, read once. Raises StackUnusable when there is no such stack, or no access to it."""
        if self._outputs is None:
            found = {output["OutputKey"]: output["OutputValue"] for output in self._description().get("Outputs", [])}
            names = {field.name: field.name.title().replace("_", "") for field in fields(StackOutputs)}
            self._outputs = StackOutputs(**{field: self._named(found, "output", name) for field, name in names.items()})
            self._warn_of_another_release(self._outputs.stack_version)
        return self._outputs

    def _warn_of_another_release(self, version: str) -> None:
        """One line where the outputs are read, so that every command that meets another release says it."""
        if version != kulanz.__version__:
            text = f"Warning: the stack {self.name} is release {version}, this command {kulanz.__version__}; use the"
            say(console(stderr=True), f"{text} command of the stack's release, or deploy this one", further=2)

    def status(self) -> str:
        """What CloudFormation says of the last deployment, such as UPDATE_COMPLETE. Raises StackUnusable."""
        return str(self._description()["StackStatus"])

    def parameters(self) -> dict[str, str]:
        """What the stack was deployed with. Raises StackUnusable."""
        return {one["ParameterKey"]: one["ParameterValue"] for one in self._description().get("Parameters", [])}

    def resources(self) -> dict[str, tuple[str, str]]:
        """The type and the physical id of each resource, by its name in the template."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        found = [one for page in pages for one in page["StackResourceSummaries"]]
        return {one["LogicalResourceId"]: (one["ResourceType"], one.get("PhysicalResourceId", "")) for one in found}

    def operation(self) -> "Operation":
        """The settings of the deployed stack that an estimate depends on. Raises StackUnusable."""
        from kulanz.domain.campaigns.estimate import Operation

        given = self.parameters()
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

    def campaigns(self) -> "DynamoCampaigns":
        """The campaign store."""
        from kulanz.adapters.campaign_table import DynamoCampaigns

        return DynamoCampaigns(self.client("dynamodb"), self.outputs.campaigns_table_name)

    def stores(self) -> "Stores":
        """The two tables themselves."""
        from kulanz.adapters.stores import DynamoStores

        outputs = self.outputs
        return DynamoStores(self.client("dynamodb"), outputs.credits_table_name, outputs.campaigns_table_name)

    def policies(self) -> "S3Policies":
        """The published policies."""
        from kulanz.adapters.s3 import S3Policies

        return S3Policies(self.client("s3"), self.outputs.list_bucket_name, POLICY_PREFIX)

    def control(self) -> "ControlPorts":
        """What holding, resuming and ending a campaign touches."""
        from kulanz.adapters.messaging import SqsChunks
        from kulanz.application.campaigns.control_campaign import ControlPorts

        return ControlPorts(self.campaigns(), SqsChunks(self.client("sqs"), self.outputs.chunks_queue_url))

    def offers(self) -> "AcceptPorts":
        """What accepting an offer touches."""
        from kulanz.adapters.ledger_table import DynamoLedger
        from kulanz.adapters.offers import DynamoOffers
        from kulanz.application.ledger.accept_offer import AcceptPorts

        database = self.client("dynamodb")
        ledger = DynamoLedger(database, self.outputs.credits_table_name, calls_in_flight=1)
        offers = DynamoOffers(database, self.outputs.credits_table_name, self.outputs.campaigns_table_name)
        return AcceptPorts(ledger, self.campaigns(), offers)

    def caller(self) -> str:
        """Who acts, for the record. Raises StackUnusable when AWS does not say."""
        try:
            return str(self.client("sts").get_caller_identity()["Arn"])
        except (BotoCoreError, ClientError) as error:
            raise StackUnusable(f"AWS does not say who you are: {type(error).__name__}") from None

    def answers(self) -> "AnswerPorts":
        """What an answer about one account reads."""
        from kulanz.adapters.ledger_table import DynamoLedger
        from kulanz.adapters.parted_lists import PartedLists
        from kulanz.adapters.s3 import S3Lists
        from kulanz.application.ledger.answer import AnswerPorts

        ledger = DynamoLedger(self.client("dynamodb"), self.outputs.credits_table_name, calls_in_flight=1)
        lists = PartedLists(S3Lists(self.client("s3"), self.outputs.list_bucket_name))
        return AnswerPorts(self.campaigns(), lists, ledger)
