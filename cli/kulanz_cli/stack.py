"""A deployed stack as the command sees it: its API, and the names it gives out.

The policy of each role permits to read the stack's outputs (`cloudformation:DescribeStacks`), where the API's address
is. Whoever is given the address, in KULANZ_API, needs not even that, and starts sooner.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import kulanz
from kulanz_cli.door import Door
from kulanz_cli.outcomes import Unusable
from kulanz_cli.signed import Http, Reply, SignedApi, SignedRequest, Signer
from kulanz_cli.terminal import console, say

if TYPE_CHECKING:
    from botocore.credentials import Credentials

LIST_PREFIX = "lists/"
CONNECT_TIMEOUT_SECONDS = 5
READ_TIMEOUT_SECONDS = 30
ATTEMPTS = 5
_HOST = re.compile(r"https://[a-z0-9-]+\.execute-api\.([a-z0-9-]+)\.")
"""The host of an API says which region it is in."""


class StackUnusable(Unusable):
    """The stack cannot be addressed; the text says what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class StackOutputs:
    """The outputs of the template, under their names in snake case."""

    stack_version: str
    api_id: str
    api_url: str
    console_url: str
    event_bus_name: str
    list_bucket_name: str
    credits_table_name: str
    campaigns_table_name: str
    notices_topic_arn: str
    credits_topic_arn: str
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
    sources_url: str
    sources_api_id: str
    sources_queue_url: str
    receive_incidents_function_name: str
    draft_incidents_function_name: str


class Stack:
    """A stack by its name, and its API. Nothing is read or connected before its first use."""

    def __init__(
        self,
        name: str,
        *,
        profile: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        make_client: Callable[..., Any] | None = None,
        api: str | None = None,
        credentials: "Credentials | None" = None,
    ) -> None:
        self.name = name
        self._api, self._credentials = api, credentials
        self._door: Door | None = None
        self._links: Http | None = None
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
            from botocore.exceptions import BotoCoreError
            from botocore.session import Session

            session = Session(profile=self._profile)
            if self._region:
                session.set_config_variable("region", self._region)
            try:
                region = session.get_config_variable("region")
            except BotoCoreError as error:
                raise StackUnusable(f"{error}; choose another with --profile") from None
            if not region:
                raise StackUnusable(
                    "no region is set; give --region, or set AWS_DEFAULT_REGION (for the stack of `make demo KEEP=yes`:"
                    " source .kulanz/demo.env)"
                )
            self._make_client = session.create_client
        return self._make_client

    def door(self) -> Door:
        """The stack's API. Raises StackUnusable where its address is not known."""
        if self._door is None:
            url = self._api or self._api_of_outputs()
            self._door = Door(
                SignedApi(url, Signer(self._region_of(url), self._profile, self._credentials).sign, Http())
            )
        return self._door

    def sources_url(self) -> str:
        """Where incident sources deliver."""
        if self._endpoint_url:
            return (
                f"{self._endpoint_url.rstrip('/')}/_aws/execute-api/{self.outputs.sources_api_id}/$default/v1/sources"
            )
        return self.outputs.sources_url

    def _api_of_outputs(self) -> str:
        if self._endpoint_url:
            return f"{self._endpoint_url.rstrip('/')}/_aws/execute-api/{self.outputs.api_id}/$default"
        return self.outputs.api_url

    def _region_of(self, url: str) -> str:
        found = _HOST.match(url)
        if found is not None:
            return found[1]
        if self._region:
            return self._region
        region: str = self.client("cloudformation").meta.region_name
        return region

    def fetch(self, url: str) -> Reply:
        """What a link of the API leads to: a document of the bucket, or its refusal. Raises NoReply."""
        if self._links is None:
            self._links = Http()
        return self._links(SignedRequest("GET", url, {}, b""))

    def client(self, service: str) -> Any:
        """A client with bounded waits. Raises StackUnusable when the shell's AWS settings do not do."""
        if service not in self._clients:
            from botocore.config import Config

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

    def _named(self, found: dict[str, str], what: str, name: str) -> str:
        if name not in found:
            raise StackUnusable(f"the stack {self.name} lacks the {what} {name}; is it a Kulanz stack?")
        return found[name]

    def _description(self) -> Any:
        """What CloudFormation says about the stack, asked once."""
        from botocore.exceptions import BotoCoreError, ClientError, ProfileNotFound

        if self._described is None:
            try:
                answer = self.client("cloudformation").describe_stacks(StackName=self.name)
            except ClientError as error:
                problem = error.response.get("Error", {})
                if problem.get("Code") == "ValidationError":
                    region = self.client("cloudformation").meta.region_name
                    raise StackUnusable(
                        f"there is no stack {self.name} in this account and region ({region}); deploy"
                        " it, or name it with --stack-name, or its region with --region"
                    ) from None
                raise StackUnusable(
                    f"the stack could not be read: {problem.get('Code')}; who may not read it names its API with --api,"
                    " or in KULANZ_API (its output ApiUrl)"
                ) from None
            except ProfileNotFound as error:
                raise StackUnusable(f"{error}; choose another with --profile") from None
            except BotoCoreError as error:
                raise StackUnusable(f"AWS did not answer: {error}") from None
            self._described = answer["Stacks"][0]
        return self._described

    def caller(self) -> str:
        """Who acts, for the record. Raises StackUnusable when AWS does not say."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return str(self.client("sts").get_caller_identity()["Arn"])
        except (BotoCoreError, ClientError) as error:
            raise StackUnusable(f"AWS does not say who you are: {type(error).__name__}") from None
