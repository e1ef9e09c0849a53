"""What building and deploying promise: the code of the tree, in the functions, as the template describes them."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kulanz_local import deployment
from kulanz_local.deployment import DeploymentError, build, deploy, run_sam
from tests.pipeline.conftest import WORKERS, Deployed

PROBE = """
import os, sys
import aws_lambda_powertools, boto3, botocore, kulanz, pydantic

def handle(event, context):
    modules = (aws_lambda_powertools, boto3, botocore, kulanz, pydantic)
    return {
        "files": {module.__name__: module.__file__ for module in modules},
        "compiled": all(os.path.exists(module.__cached__) for module in modules),
        "endpoint": os.environ["AWS_ENDPOINT_URL"],
        "python": sys.version_info[:2],
    }
"""


@pytest.mark.ministack
def test_functions_import_from_the_layers_and_reach_their_own_aws(deployed: Deployed) -> None:
    functions = deployed.session.client("lambda", endpoint_url=deployed.aws.endpoint)
    worker = functions.get_function_configuration(FunctionName=deployed.outputs.grant_credits_function_name)
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("probe.py", PROBE)
    functions.create_function(
        FunctionName="probe",
        Runtime=worker["Runtime"],
        Role=worker["Role"],
        Handler="probe.handle",
        Code={"ZipFile": code.getvalue()},
        Layers=[layer["Arn"] for layer in worker["Layers"]],
        Timeout=60,
    )
    answer: dict[str, Any] = json.loads(functions.invoke(FunctionName="probe")["Payload"].read())
    for name, file in answer["files"].items():
        layer = "layer_1" if name == "kulanz" else "layer_0"
        assert f"/{layer}/python/{name}/" in file, f"{name} comes from {file}"
    assert answer["compiled"]
    assert answer["endpoint"] == deployed.aws.endpoint
    assert answer["python"] == [3, 13]


@pytest.mark.ministack
def test_as_many_workers_as_the_parameter_says_take_chunks(deployed: Deployed) -> None:
    functions = deployed.session.client("lambda", endpoint_url=deployed.aws.endpoint)
    mappings = functions.list_event_source_mappings(FunctionName=deployed.outputs.grant_credits_function_name)
    (mapping,) = mappings["EventSourceMappings"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": int(WORKERS)}


@pytest.mark.ministack
def test_decisions_expire_as_the_template_says(deployed: Deployed) -> None:
    dynamodb = deployed.session.client("dynamodb", endpoint_url=deployed.aws.endpoint)
    described = dynamodb.describe_time_to_live(TableName=deployed.outputs.credits_table_name)["TimeToLiveDescription"]
    assert described == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}


def refuse_to_run(*_: object) -> None:
    raise AssertionError("sam was run")


@pytest.mark.ministack
@pytest.mark.usefixtures("deployed")
def test_nothing_is_built_again_while_nothing_has_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deployment, "run_sam", refuse_to_run)
    assert build().exists()


def test_a_failed_deployment_says_what_sam_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sam = tmp_path / "sam"
    sam.write_text("#!/bin/sh\necho \"$1: 'sparc' is not in AllowedValues\"\necho to the other stream >&2\nexit 1\n")
    sam.chmod(0o755)
    monkeypatch.setattr(deployment, "SAM", sam)
    with pytest.raises(DeploymentError) as failure:
        run_sam(["deploy"], {}, 60)
    assert str(failure.value) == (
        "`sam deploy` failed with exit code 1:\ndeploy: 'sparc' is not in AllowedValues\nto the other stream"
    )


@pytest.mark.ministack
@pytest.mark.long
def test_the_real_sam_says_which_parameter_it_refuses(deployed: Deployed) -> None:
    with pytest.raises(
        DeploymentError, match=r"`sam deploy` failed with exit code 1:\n(?s:.*)'sparc' is not in Allowed"
    ):
        deploy(deployed.aws.endpoint, "unbuildable", {"Architecture": "sparc"})


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project whose inputs are digested."""
    for name in ("functions/open/handler.py", "layers/own/module.py", "template.yaml", "requirements/sam.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(deployment, "PROJECT", tmp_path)
    return tmp_path


def digest() -> str:
    return deployment._digest_of_inputs()


@pytest.mark.parametrize(
    "change",
    [
        lambda project: (project / "template.yaml").write_text("other"),
        lambda project: (project / "layers/own/module.py").rename(project / "layers/own/renamed.py"),
        lambda project: (project / "functions/open/new.py").write_text(""),
        lambda project: (project / "layers/own/module.py").unlink(),
        lambda project: (project / "requirements/sam.txt").write_text("aws-sam-cli==2"),
    ],
)
def test_whatever_a_build_reads_makes_a_new_one(project: Path, change: Any) -> None:
    before = digest()
    change(project)
    assert digest() != before


def test_what_running_the_code_leaves_behind_makes_no_new_build(project: Path) -> None:
    before = digest()
    cache = project / "layers/own/__pycache__"
    cache.mkdir()
    (cache / "module.cpython-313.pyc").write_bytes(b"\0")
    (project / "README.md").write_text("not built")
    assert digest() == before
