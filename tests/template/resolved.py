"""The template as CloudFormation sees it, with its functions resolved for given parameters.

Resources without a name get one of the form `<LogicalId>`, their ARNs are `arn:<LogicalId>`, and an attribute is
`<LogicalId>.<Attribute>`: enough to follow who refers to whom. A rule's ARN is as EventBridge makes it, because one of
its parts is used.
"""

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
TRANSLATE_SECONDS = 60
STACK = "kulanz"
ACCOUNT_ID = "123456789012"
REGION = "eu-central-1"
CONSOLE = {"ConsoleIssuer": "https://login.example.com/t1", "ConsoleClientId": "kulanz-console"} | {
    "ConsoleHost": "credits.example.com"
}
"""What makes a stack serve the console, by a provider of the company's."""
POOL = {"ConsoleUserPool": "yes"}
PSEUDO_PARAMETERS = {
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackId": "arn:aws:cloudformation:eu-central-1:123456789012:stack/kulanz/1",
}

type Json = Any  # a template's JSON: its shape is what these tests are about

FUNCTIONS: dict[str, Callable[[Json], Json]] = {
    "Join": lambda values: values[0].join(str(item) for item in values[1]),
    "Split": lambda values: values[1].split(values[0]),
    "Equals": lambda values: str(values[0]) == str(values[1]),
    "Not": lambda values: not values[0],
    "And": all,
    "Or": any,
    "Select": lambda values: values[1][int(values[0])],
}
"""CloudFormation's functions over values that are already resolved."""


class Absent:
    """What AWS::NoValue resolves to: the property is not there."""


@cache
def translated() -> Json:
    """The template after its SAM transform, as packaging and CloudFormation make it."""
    completed = subprocess.run(  # noqa: S603 - fixed arguments
        [PROJECT / ".venvs/ministack/bin/python", Path(__file__).with_name("translate.py"), PROJECT / "template.yaml"],
        capture_output=True,
        text=True,
        timeout=TRANSLATE_SECONDS,
        check=False,
        env={**os.environ, "AWS_DEFAULT_REGION": REGION},
    )
    assert completed.returncode == 0, completed.stderr
    return json.loads(completed.stdout)


class Stack:
    """The translated template's resources and outputs, resolved with its defaults or the given parameters."""

    def __init__(self, parameters: Mapping[str, str] | None = None, name: str = STACK) -> None:
        self.template = translated()
        self.name = name
        declared = self.template["Parameters"]
        unknown = set(parameters or {}) - set(declared)
        assert not unknown, f"the template has no parameter {unknown}"
        self.parameters: dict[str, Json] = {}
        for parameter, declaration in declared.items():
            text = str((parameters or {}).get(parameter, declaration["Default"]))
            is_list = declaration["Type"] == "CommaDelimitedList"
            self.parameters[parameter] = text.split(",") if is_list else text
        self.resources: dict[str, Json] = {
            name: self.resolve(resource)
            for name, resource in self.template["Resources"].items()
            if "Condition" not in resource or self._holds(resource["Condition"])
        }

    def of_type(self, kind: str) -> dict[str, Json]:
        """The properties of each resource of a type, by logical id."""
        return {name: resource["Properties"] for name, resource in self.resources.items() if resource["Type"] == kind}

    def arn(self, name: str) -> str:
        is_rule = self.template["Resources"][name]["Type"] == "AWS::Events::Rule"
        return f"arn:rule/{self.name}/{name}" if is_rule else f"arn:{name}"

    def properties(self, name: str) -> Json:
        return self.resources[name]["Properties"]

    def resolve(self, value: Json) -> Json:
        """Replace CloudFormation's functions by what they give."""
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not Absent]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (key, argument), *_ = value.items()
            if key == "Ref":
                return self._reference(argument)
            if key == "Condition" and isinstance(argument, str):
                return self._holds(argument)
            if key.startswith("Fn::"):
                return self._call(key.removeprefix("Fn::"), argument)
        resolved = {key: self.resolve(item) for key, item in value.items() if key != "Condition" or item != value}
        return {key: item for key, item in resolved.items() if item is not Absent}

    def _reference(self, name: str) -> Json:
        if name == "AWS::NoValue":
            return Absent
        if name == "AWS::StackName":
            return self.name
        if name in PSEUDO_PARAMETERS:
            return PSEUDO_PARAMETERS[name]
        if name in self.parameters:
            return self.parameters[name]
        assert name in self.template["Resources"], f"!Ref {name} refers to nothing"
        return name

    def _holds(self, condition: str) -> bool:
        return bool(self.resolve(self.template["Conditions"][condition]))

    def _call(self, function: str, argument: Json) -> Json:
        if function == "If":
            condition, then, otherwise = argument
            return self.resolve(then if self._holds(condition) else otherwise)
        if function == "GetAtt":
            name, attribute = argument.split(".") if isinstance(argument, str) else argument
            assert name in self.template["Resources"], f"!GetAtt {name} refers to nothing"
            return self.arn(name) if attribute == "Arn" else f"{name}.{attribute}"
        if function == "Sub":
            return self._substitute(argument)
        assert function in FUNCTIONS, f"Fn::{function} is not known to these tests"
        return FUNCTIONS[function](self.resolve(argument))

    def _substitute(self, argument: Json) -> str:
        text, extra = (argument, {}) if isinstance(argument, str) else argument

        def value_of(match: re.Match[str]) -> str:
            name = match[1]
            if name in extra:
                return str(self.resolve(extra[name]))
            return str(self._call("GetAtt", name) if "." in name else self._reference(name))

        return re.sub(r"\$\{([^!}]+)\}", value_of, text)


def as_list(value: Json) -> list[Json]:
    """One or several, as policies write them."""
    return value if isinstance(value, list) else [value]


def role_statements(stack: Stack, role: str) -> Iterator[Json]:
    """Every statement of a role's policies, each a resource of its own."""
    assert "Policies" not in stack.properties(role), "a role that names a table which names it is a circle"
    for policy in stack.of_type("AWS::IAM::Policy").values():
        if role in policy["Roles"]:
            yield from policy["PolicyDocument"]["Statement"]


def refused(statements: list[Json], action: str, resource: str, **context: str) -> bool:
    """Whether a Deny of a resource's policy meets a call of somebody whom IAM itself permits everything.

    `context` are the condition keys of the call with `_` for the first colon (`aws_PrincipalArn`), as far as it has
    them. IAM's rules: all conditions of a statement must hold, a negated one holds where its key is absent.
    """
    known = {name.replace("_", ":", 1).lower(): value for name, value in context.items()}
    for item in statements:
        if item["Effect"] != "Deny":
            continue
        assert item["Principal"] == "*"
        met = any(fnmatchcase(action, pattern) for pattern in as_list(item["Action"]))
        place = any(fnmatchcase(resource, pattern) for pattern in as_list(item["Resource"]))
        if met and place and _holds_for(item.get("Condition", {}), known):
            return True
    return False


def _holds_for(conditions: Json, known: dict[str, str]) -> bool:
    return all(
        CONDITION_OPERATORS[operator](known.get(key.lower()), as_list(values))
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


CONDITION_OPERATORS: dict[str, Callable[[str | None, list[str]], bool]] = {
    "ArnNotEquals": lambda value, values: value not in values,
    "ArnEquals": lambda value, values: value in values,
    "ForAnyValue:StringEquals": lambda value, values: value in values,
    "Bool": lambda value, values: value in values,
    "Null": lambda value, values: (value is None) == (values == ["true"]),
}
"""The operators that the template uses, for keys with one value."""
