"""What the functions promise: a role, a log and settings of their own, and code that is there."""

import ast
from collections.abc import Callable, Iterator, Mapping
from itertools import combinations
from pathlib import Path

import pytest

from kulanz.config.advance_campaign import AdvanceCampaignConfig
from kulanz.config.api import ApiConfig
from kulanz.config.draft_incidents import DraftIncidentsConfig
from kulanz.config.grant_credits import GrantCreditsConfig
from kulanz.config.open_campaign import OpenCampaignConfig
from kulanz.config.publish_notices import PublishNoticesConfig
from kulanz.config.receive_incidents import ReceiveIncidentsConfig
from kulanz.config.serve_console import ConsoleConfig
from tests.template.resolved import CONSOLE, POOL, PROJECT, Json, Stack

FUNCTIONS: dict[str, Callable[[Mapping[str, str]], object]] = {
    "OpenCampaignFunction": OpenCampaignConfig.read,
    "GrantCreditsFunction": GrantCreditsConfig.read,
    "PublishNoticesFunction": PublishNoticesConfig.read,
    "AdvanceCampaignFunction": AdvanceCampaignConfig.read,
    "ApiFunction": ApiConfig.read,
    "ServeConsoleFunction": ConsoleConfig.read,
    "ReceiveIncidentsFunction": ReceiveIncidentsConfig.read,
    "DraftIncidentsFunction": DraftIncidentsConfig.read,
}
READ_BY_LIBRARIES = {
    "AWS_ENDPOINT_URL",
    "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_METRICS_NAMESPACE",
    "POWERTOOLS_LOG_LEVEL",
}


class RecordedReads(Mapping[str, str]):
    """An environment that notes which of its variables were asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values
        self.asked: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def environment(stack: Stack, function: str) -> dict[str, str]:
    variables = stack.properties(function)["Environment"]["Variables"]
    return {name: str(value) for name, value in variables.items()}


def test_every_function_is_known_here(whole: Stack) -> None:
    assert set(whole.of_type("AWS::Lambda::Function")) == set(FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_gets_every_setting_that_it_reads(whole: Stack, function: str) -> None:
    reads = RecordedReads(environment(whole, function))
    FUNCTIONS[function](reads)
    assert reads.asked <= set(reads)


def test_no_setting_is_handed_out_that_nobody_reads(whole: Stack) -> None:
    read: set[str] = set()
    given: set[str] = set()
    for function, config in FUNCTIONS.items():
        reads = RecordedReads(environment(whole, function))
        config(reads)
        read |= reads.asked
        given |= set(reads)
    assert given - read - READ_BY_LIBRARIES == set()


def bounds() -> Iterator[tuple[str, str]]:
    for name, parameter in Stack().template["Parameters"].items():
        for bound in ("MinValue", "MaxValue"):
            if bound in parameter:
                yield name, str(parameter[bound])


def test_what_the_template_accepts_its_functions_accept() -> None:
    """Bounds of any two parameters together: what is deployed never fails at its first chunk."""
    refused: list[str] = []
    pairs = list(combinations(bounds(), 2))
    for pair in pairs:
        stack = Stack({**CONSOLE, **dict(pair)})
        for function, config in FUNCTIONS.items():
            try:
                config(environment(stack, function))
            except Exception as error:  # noqa: BLE001 - whatever a function raises is shown, with all others
                refused.append(f"{function} with {dict(pair)}: {error!r}")
    assert len(pairs) > 100, "the search for bounds no longer finds them"
    assert refused == []


def test_no_endpoint_is_set_on_aws_not_even_an_empty_one(whole: Stack) -> None:
    for function in FUNCTIONS:
        assert "AWS_ENDPOINT_URL" not in environment(whole, function)


def test_a_given_endpoint_reaches_every_function() -> None:
    stack = Stack({**CONSOLE, "EndpointUrl": "http://172.17.0.1:4566"})
    for function in FUNCTIONS:
        assert environment(stack, function)["AWS_ENDPOINT_URL"] == "http://172.17.0.1:4566"


def test_each_function_has_a_role_of_its_own(whole: Stack) -> None:
    roles = [properties["Role"].removeprefix("arn:") for properties in whole.of_type("AWS::Lambda::Function").values()]
    assert sorted(roles) == sorted(whole.of_type("AWS::IAM::Role"))


def test_each_function_has_a_log_of_its_own_that_ends() -> None:
    stack = Stack({**CONSOLE, "LogRetentionDays": "30"})
    groups = [properties["LoggingConfig"]["LogGroup"] for properties in stack.of_type("AWS::Lambda::Function").values()]
    assert sorted([*groups, "ApiAccessLogGroup", "SourcesAccessLogGroup"]) == sorted(
        stack.of_type("AWS::Logs::LogGroup")
    )
    assert {group["RetentionInDays"] for group in stack.of_type("AWS::Logs::LogGroup").values()} == {"30"}


def test_all_run_the_python_that_the_tests_run(whole: Stack) -> None:
    expected = (PROJECT / "pyproject.toml").read_text().partition('requires-python = "==')[2].partition(".*")[0]
    for properties in whole.of_type("AWS::Lambda::Function").values():
        assert properties["Runtime"] == f"python{expected}"
        assert properties["TracingConfig"] == {"Mode": "Active"}


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_a_processor_can_be_chosen_after_the_build(architecture: str) -> None:
    """`sam deploy --guided` asks for it then; layers made for the other one would fail every call."""
    stack = Stack({**CONSOLE, "Architecture": architecture})
    for properties in stack.of_type("AWS::Lambda::Function").values():
        assert properties["Architectures"] == [architecture]
    for properties in stack.of_type("AWS::Lambda::LayerVersion").values():
        assert properties["CompatibleArchitectures"] == ["arm64", "x86_64"]


def test_whoever_reads_or_sends_for_every_chunk_has_a_processor_and_the_time(whole: Stack) -> None:
    for function in ("OpenCampaignFunction", "AdvanceCampaignFunction"):
        assert whole.properties(function)["MemorySize"] == 1769
        assert whole.properties(function)["Timeout"] == 300
    assert whole.properties("PublishNoticesFunction")["MemorySize"] == 1769


LONGEST_STACK_NAME = "s" + "-x" * 63 + "y"
NAME_LIMITS = {
    ("AWS::Events::EventBus", "Name"): 256,
    ("AWS::Events::Rule", "Name"): 64,
    ("AWS::ApiGatewayV2::Api", "Name"): 128,
    ("AWS::Lambda::LayerVersion", "LayerName"): 140,
    ("AWS::Lambda::Function", "FunctionName"): 64,
    ("AWS::Logs::LogGroup", "LogGroupName"): 512,
    ("AWS::SQS::Queue", "QueueName"): 80,
    ("AWS::SNS::Topic", "TopicName"): 256,
    ("AWS::IAM::Role", "RoleName"): 64,
    ("AWS::DynamoDB::Table", "TableName"): 255,
    ("AWS::S3::Bucket", "BucketName"): 63,
    ("AWS::CloudWatch::Alarm", "AlarmName"): 255,
    ("AWS::Cognito::UserPoolDomain", "Domain"): 63,
    ("AWS::Cognito::UserPoolGroup", "GroupName"): 128,
}
"""Characters that a name may have, by the services' API references; names that CloudFormation makes it shortens."""


def test_a_stack_may_have_the_longest_name_that_cloudformation_takes() -> None:
    assert len(LONGEST_STACK_NAME) == 128
    stack = Stack({**CONSOLE, **POOL}, LONGEST_STACK_NAME)
    named = 0
    for (kind, name), longest in NAME_LIMITS.items():
        for properties in stack.of_type(kind).values():
            named += name in properties
            assert len(properties.get(name, "")) <= longest, (kind, name)
    assert named >= 4  # the bus, both layers and the logs


def handler_of(properties: Json) -> tuple[Path, str]:
    module, _, name = properties["Handler"].rpartition(".")
    return PROJECT / "functions" / Path(*module.split(".")).with_suffix(".py"), name


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_handler_is_where_the_template_says(whole: Stack, function: str) -> None:
    path, name = handler_of(whole.properties(function))
    tree = ast.parse(path.read_text())
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
