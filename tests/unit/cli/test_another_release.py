"""A command says in one line that the stack is of another release, wherever it reads the stack's outputs."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

import kulanz
from kulanz_cli.stack import Stack, StackOutputs


def stack_of_release(release: str) -> Stack:
    """A stack that CloudFormation describes once, with all outputs."""
    stack, client = Stack("other"), boto3.client("cloudformation")
    stack._clients["cloudformation"] = client
    outputs = [
        {"OutputKey": name.title().replace("_", ""), "OutputValue": release if name == "stack_version" else name}
        for name in StackOutputs.__dataclass_fields__
    ]
    described = {
        "StackName": "other",
        "CreationTime": datetime(2026, 1, 1, tzinfo=UTC),
        "StackStatus": "CREATE_COMPLETE",
        "Outputs": outputs,
    }
    stub = Stubber(client)
    stub.add_response("describe_stacks", {"Stacks": [described]})
    stub.activate()
    return stack


def test_another_release_is_told_once_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    stack = stack_of_release("0.0.9")
    assert stack.outputs.stack_version == "0.0.9"
    assert stack.outputs.list_bucket_name == "list_bucket_name"
    printed = capsys.readouterr()
    assert printed.out == ""
    assert " ".join(printed.err.split()) == (
        f"Warning: the stack other is release 0.0.9, this command {kulanz.__version__};"
        " use the command of the stack's release, or deploy this one"
    )
    assert max(map(len, printed.err.splitlines())) <= 80


def test_the_same_release_is_not_worth_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert stack_of_release(kulanz.__version__).outputs.stack_version == kulanz.__version__
    assert capsys.readouterr().err == ""
