"""What an operator may set, and what a client is told."""

import re
from dataclasses import fields

import pytest

import kulanz
from kulanz.application.door.routes import Role
from kulanz_cli.stack import StackOutputs
from kulanz_local.deployment import EXPIRY_ATTRIBUTE
from tests.template.resolved import Json, Stack, translated

PARAMETERS: dict[str, Json] = translated()["Parameters"]


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_parameter_is_described_bounded_and_has_a_default_within_its_bounds(name: str) -> None:
    parameter = PARAMETERS[name]
    assert parameter["Description"].endswith(".")
    default = str(parameter["Default"])
    if "AllowedValues" in parameter:
        assert default in [str(value) for value in parameter["AllowedValues"]]
    elif parameter["Type"] == "Number":
        assert int(parameter["MinValue"]) <= int(default) <= int(parameter["MaxValue"])
    else:
        values = default.split(",") if parameter["Type"] == "CommaDelimitedList" else [default]
        assert all(re.fullmatch(parameter["AllowedPattern"], value) for value in values)


def uses(value: Json) -> set[str]:
    """Every name that a part of the template refers to."""
    if isinstance(value, dict):
        named = {str(value["Ref"])} if set(value) == {"Ref"} else set()
        return named.union(*map(uses, value.values()))
    if isinstance(value, list):
        return set().union(*map(uses, value))
    return set(re.findall(r"\$\{([A-Za-z]+)\}", value)) if isinstance(value, str) else set()


def test_every_parameter_has_an_effect() -> None:
    template = translated()
    used = uses([template["Resources"], template["Conditions"]])
    assert set(PARAMETERS) <= used


def test_clients_find_every_output_and_know_every_one() -> None:
    """But for the policies of roles, which people attach."""
    declared = set(translated()["Outputs"]) - {f"{role.value.title()}PolicyArn" for role in Role}
    assert declared == {field.name.title().replace("_", "") for field in fields(StackOutputs)}


def test_every_output_is_described_and_refers_to_something(stack: Stack) -> None:
    for name, output in translated()["Outputs"].items():
        assert output["Description"], name
        assert stack.resolve(output["Value"]), name


def test_the_stack_says_which_release_it_is(stack: Stack) -> None:
    assert stack.resolve(translated()["Outputs"]["StackVersion"]["Value"]) == kulanz.__version__


def test_the_embedded_aws_expires_decisions_by_the_same_attribute(stack: Stack) -> None:
    assert stack.properties("CreditsTable")["TimeToLiveSpecification"]["AttributeName"] == EXPIRY_ATTRIBUTE
