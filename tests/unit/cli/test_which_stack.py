"""Which stack a command speaks with, and how: as its options or the shell say, and as CloudFormation describes it."""

from collections.abc import Mapping
from dataclasses import fields
from types import SimpleNamespace
from typing import Any

import pytest

import kulanz
from kulanz_cli import direct as direct_module
from kulanz_cli import stack as stack_module
from kulanz_cli.door import Door
from kulanz_cli.stack import (
    ATTEMPTS,
    CONNECT_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
    Stack,
    StackOutputs,
    StackUnusable,
)
from tests.support.scripted import Scripted, error
from tests.support.world_stack import run


class _NamedError(Exception):
    """What a stack was made of; nothing further is done with it."""


class Named:
    def __init__(self, name: str, **settings: object) -> None:
        raise _NamedError(name, settings)


OPTIONS = {
    "--stack-name": "s-1", "--profile": "p-1", "--region": "eu-west-3", "--endpoint-url": "http://e", "--api": "http://a",
}  # fmt: skip
SHELL = {
    "KULANZ_STACK": "s-2", "AWS_PROFILE": "p-2", "AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_ENDPOINT_URL": "http://f", "KULANZ_API": "http://b",
}  # fmt: skip
NOTHING: Mapping[str, object] = dict.fromkeys(("profile", "region", "endpoint_url", "api"))


def stated(profile: str, region: str, endpoint_url: str, api: str) -> Mapping[str, object]:
    return {"profile": profile, "region": region, "endpoint_url": endpoint_url, "api": api}


@pytest.mark.parametrize(
    ("options", "shell", "name", "settings"),
    [
        ({}, {}, "kulanz", NOTHING),
        (OPTIONS, {}, "s-1", stated("p-1", "eu-west-3", "http://e", "http://a")),
        ({}, SHELL, "s-2", stated("p-2", "eu-west-2", "http://f", "http://b")),
        (OPTIONS, SHELL, "s-1", stated("p-1", "eu-west-3", "http://e", "http://a")),
        ({}, {"AWS_DEFAULT_REGION": "eu-west-1"}, "kulanz", {**NOTHING, "region": "eu-west-1"}),
        ({}, {"AWS_ENDPOINT_URL": "", "KULANZ_API": ""}, "kulanz", NOTHING),
        ({"--endpoint-url": "", "--api": ""}, {}, "kulanz", NOTHING),
    ],
)
@pytest.mark.parametrize("words", [("halt",), ("people", "show")], ids=" ".join)
def test_a_stack_is_the_one_that_the_command_line_or_else_the_shell_names(
    words: tuple[str, ...], options: Mapping[str, str], shell: Mapping[str, str], name: str,
    settings: Mapping[str, object], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(stack_module, "Stack", Named)
    monkeypatch.setattr(direct_module, "DirectStack", Named)
    for variable in SHELL:
        monkeypatch.delenv(variable, raising=False)
    for variable, text in shell.items():
        monkeypatch.setenv(variable, text)
    with pytest.raises(_NamedError) as made:
        run(None, *(word for option in options.items() for word in option), *words)
    assert made.value.args == (name, settings)


def test_a_client_waits_so_long_and_tries_so_often_at_the_endpoint_that_was_named() -> None:
    made: list[Any] = []

    def make(service: str, *, endpoint_url: str | None, config: Any) -> object:
        made.append((service, endpoint_url, config.connect_timeout, config.read_timeout, config.retries))
        return object()

    stack = Stack("kulanz", endpoint_url="http://e", make_client=make)
    assert stack.client("s3") is stack.client("s3")
    assert stack.client("s3") is not stack.client("sqs")
    retries = {"mode": "standard", "total_max_attempts": ATTEMPTS}
    waits = ("http://e", CONNECT_TIMEOUT_SECONDS, READ_TIMEOUT_SECONDS, retries)
    assert made == [("s3", *waits), ("sqs", *waits)]
    assert CONNECT_TIMEOUT_SECONDS < READ_TIMEOUT_SECONDS


OUTPUTS = {one.name: f"the-{one.name}" for one in fields(StackOutputs)} | {"stack_version": kulanz.__version__}
DESCRIBED = {
    "StackStatus": "UPDATE_COMPLETE",
    "Parameters": [{"ParameterKey": f"P{number}", "ParameterValue": f"v{number}"} for number in range(3)],
    "Outputs": [
        {"OutputKey": name.title().replace("_", ""), "OutputValue": text} for name, text in OUTPUTS.items()
    ],
}  # fmt: skip


def described(answer: Any, **settings: Any) -> tuple[Stack, Scripted]:
    formation = Scripted(describe_stacks=[answer])
    formation.meta = SimpleNamespace(region_name="eu-west-3")  # type: ignore[attr-defined]
    stack = Stack("my-stack", **settings)
    stack._clients = {"cloudformation": formation}
    return stack, formation


def test_a_stack_is_described_once_by_its_name_and_has_every_output_under_its_own_name() -> None:
    stack, formation = described({"Stacks": [DESCRIBED]})
    assert stack.status() == "UPDATE_COMPLETE"
    assert stack.parameters() == {"P0": "v0", "P1": "v1", "P2": "v2"}
    assert {one.name: getattr(stack.outputs, one.name) for one in fields(StackOutputs)} == OUTPUTS
    assert formation.asked == [{"StackName": "my-stack"}]
    assert stack.sources_url() == "the-sources_url"


@pytest.mark.parametrize("missing", OUTPUTS)
def test_a_stack_that_lacks_an_output_is_not_taken_for_one_of_kulanz(missing: str) -> None:
    name = missing.title().replace("_", "")
    outputs = [one for one in DESCRIBED["Outputs"] if one["OutputKey"] != name]  # type: ignore[index]
    stack, _ = described({"Stacks": [{**DESCRIBED, "Outputs": outputs}]})
    with pytest.raises(StackUnusable, match=rf"my-stack lacks the output {name};"):
        _ = stack.outputs


def test_an_embedded_aws_has_its_apis_below_its_own_address() -> None:
    for address in ("http://e", "http://e/"):
        stack, _ = described({"Stacks": [DESCRIBED]}, endpoint_url=address)
        assert stack.sources_url() == "http://e/_aws/execute-api/the-sources_api_id/$default/v1/sources"
        assert stack._api_of_outputs() == "http://e/_aws/execute-api/the-api_id/$default"


def test_the_address_that_was_named_is_asked_and_the_stack_is_not_read() -> None:
    stack, formation = described(AssertionError("not asked"), api="https://x.execute-api.eu-west-1.amazonaws.com")
    assert isinstance(stack.door(), Door)
    assert stack.door() is stack.door()
    assert formation.asked == []


def test_the_region_that_signs_is_that_of_the_address_or_else_the_named_or_else_the_shells() -> None:
    aws, other = "https://x.execute-api.eu-west-1.amazonaws.com", "https://api.example.com"
    for region, url, expected in (
        ("eu-west-2", aws, "eu-west-1"), (None, aws, "eu-west-1"), ("eu-west-2", other, "eu-west-2"),
        (None, other, "eu-west-3"),
    ):  # fmt: skip
        stack, _ = described({"Stacks": [DESCRIBED]}, region=region)
        assert stack._region_of(url) == expected


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("ValidationError", r"there is no stack my-stack .*\(eu-west-3\)"),
        ("AccessDenied", "could not be read: AccessDenied"),
    ],
)
def test_a_stack_that_is_not_there_or_may_not_be_read_says_which_it_is(code: str, says: str) -> None:
    stack, _ = described(error(code))
    with pytest.raises(StackUnusable, match=says):
        stack.status()


def test_every_resource_has_its_type_and_its_own_id_also_while_it_has_none() -> None:
    found = [
        {"LogicalResourceId": "A", "ResourceType": "type-a", "PhysicalResourceId": "id-a"},
        {"LogicalResourceId": "B", "ResourceType": "type-b"},
    ]
    pages = [{"StackResourceSummaries": [one]} for one in found]
    stack = Stack("my-stack")
    asked: list[Mapping[str, str]] = []

    def paginate(**of: str) -> Any:
        asked.append(of)
        return pages

    stack._clients = {"cloudformation": SimpleNamespace(get_paginator=lambda _: SimpleNamespace(paginate=paginate))}
    assert stack.resources() == {"A": ("type-a", "id-a"), "B": ("type-b", "")}
    assert asked == [{"StackName": "my-stack"}]
