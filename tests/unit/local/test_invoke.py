"""How the containers of `sam local invoke` find the embedded AWS, and what is said without an engine."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from kulanz_cli.stack import StackOutputs
from kulanz_local import invoke
from kulanz_local.embedded import PROJECT
from kulanz_local.invoke import InvocationFailed


def network(**config: str) -> list[dict[str, Any]]:
    return [{"Name": "bridge", "IPAM": {"Config": [config]}}]


def test_containers_call_the_gateway_of_their_network() -> None:
    assert invoke._address_in(network(Subnet="172.18.0.0/16", Gateway="172.18.0.7")) == "172.18.0.7"


def test_the_gateway_is_the_first_address_where_the_engine_does_not_name_it() -> None:
    assert invoke._address_in(network(Subnet="172.17.0.0/16")) == "172.17.0.1"


def test_without_a_network_there_is_no_address() -> None:
    assert invoke._address_in([{"Name": "bridge", "IPAM": {"Config": None}}]) is None


def test_without_an_engine_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InvocationFailed, match="no container engine"):
        invoke.hosts()


def test_the_lines_to_try_are_those_of_the_readme_in_an_order_that_works() -> None:
    """Plan before apply, and each pass is looked at before the next begins: otherwise a function does nothing."""
    shown = re.findall(
        r"^\$ (\S+sam local invoke .*)$", (PROJECT / "README.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [" ".join(invoke.invocation(function, event)) for function, event in invoke.TO_TRY] == shown


def test_whoever_tries_the_functions_is_told_every_line_with_the_approvals_before_the_execution() -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8").partition("\n$ make local-aws\n")[2]
    lines = [line.removeprefix("$ ") for line in readme.partition("```")[0].splitlines()]
    told = invoke.how_to_try("http://127.0.0.1:1", Path(".kulanz/local-aws.env")).partition("folder:\n\n")[2]
    typed = [" ".join(line.split()) for line in told.replace("\\\n", " ").splitlines()]
    assert [line.replace("3f2a9c0b17de", "HASH") for line in lines] == typed


def test_a_difference_is_named_with_both_sides() -> None:
    with pytest.raises(InvocationFailed, match="state: expected planning, found None"):
        invoke.expect("state", None, "planning")


def test_every_function_of_the_template_is_run_with_every_event_that_is_kept_for_it() -> None:
    """A function that no container runs may miss a module of its layers, and nobody knows before it is deployed."""
    template = (PROJECT / "template.yaml").read_text(encoding="utf-8")
    functions = set(re.findall(r"^  (\w+):\n    Type: AWS::Serverless::Function$", template, re.MULTILINE))
    names = StackOutputs(**{one.name: one.name for one in fields(StackOutputs)})
    assert set(invoke.deployed(names, "console")) == functions
    source = Path(invoke.__file__).read_text(encoding="utf-8")
    events = {path.stem for path in invoke.EVENTS.glob("*.json")}
    assert {name.split("-")[0] for name in events} == {
        re.sub(r"(?<!^)(?=[A-Z])", "_", one.removesuffix("Function")).lower() for one in functions
    }
    called = set(re.findall(r"invoke\(\"(\w+)\"", source))
    assert called == functions
