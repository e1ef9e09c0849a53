"""Build the project's template with the SAM CLI and deploy it to the embedded AWS, as to a real account."""

import fcntl
import hashlib
import json
import os
import platform
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import boto3

from kulanz.adapters.table_policies import closing_policy
from kulanz.application.ledger.confirm_tables import confirm_tables
from kulanz.domain.confirmation import Occasion
from kulanz_cli.direct import DirectStack
from kulanz_cli.stack import StackOutputs
from kulanz_local.embedded import PROJECT, REGION, EmbeddedAwsError, aws_environment, aws_session

SAM = PROJECT / ".venvs" / "sam" / "bin" / "sam"
SAM_FOLDER = PROJECT / ".aws-sam"
"""Everything that is built, in each clone its own; where `sam local invoke` looks by itself."""
BUILT_TEMPLATE = SAM_FOLDER / "build" / "template.yaml"
STAMP = SAM_FOLDER / "kulanz-build.sha256"
LOCK = SAM_FOLDER / "kulanz-build.lock"

INPUTS = (
    "template.yaml", "functions", "layers", "cli/kulanz_console", "cli/Makefile", "cli/requirements.txt",
    "requirements/sam.txt",
)  # fmt: skip
"""What a build depends on."""
ARTIFACT_BUCKET = "kulanz-artifacts"
EXPIRY_ATTRIBUTE = "ttl"

BUILD_SECONDS = 600
DEPLOY_SECONDS = 180
POLL_SECONDS = "0.2"
OUTPUT_TAIL_LINES = 60

ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}
"""What `platform.machine()` says, and what Lambda calls it."""


class DeploymentError(EmbeddedAwsError):
    """Building or deploying failed; the message ends with what the SAM CLI printed last."""


def machine_architecture() -> str:
    """What Lambda calls this machine's processor: MiniStack runs the functions, and their wheels, on it."""
    machine = platform.machine().lower()
    if machine not in ARCHITECTURES:
        raise DeploymentError(f"Lambda has no functions for processors of the kind {machine!r}.")
    return ARCHITECTURES[machine]


def build() -> Path:
    """Run `sam build`, unless nothing that it reads has changed since; return the built template's path."""
    SAM_FOLDER.mkdir(exist_ok=True)
    with _locked(fcntl.LOCK_EX):
        digest = _digest_of_inputs()
        if BUILT_TEMPLATE.exists() and STAMP.exists() and STAMP.read_text() == digest:
            return BUILT_TEMPLATE
        STAMP.unlink(missing_ok=True)
        run_sam(["build"], {}, BUILD_SECONDS)
        STAMP.write_text(digest)
    return BUILT_TEMPLATE


def deploy(
    endpoint: str,
    stack_name: str = "kulanz",
    parameters: Mapping[str, str] | None = None,
    template: Path = BUILT_TEMPLATE,
) -> StackOutputs:
    """Deploy what `build` has built with `sam deploy`, and finish what MiniStack leaves undone of the template."""
    session = aws_session()
    parameters = {"Architecture": machine_architecture(), **(parameters or {})}
    s3 = session.client("s3", endpoint_url=endpoint)
    with suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # from an earlier deployment to this AWS
        s3.create_bucket(Bucket=ARTIFACT_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    arguments = [
        "deploy",
        *("--template-file", str(template)),
        *("--config-env", "embedded"),  # which samconfig.toml does not have: all settings are here
        *("--stack-name", stack_name),
        *("--s3-bucket", ARTIFACT_BUCKET),
        *("--capabilities", "CAPABILITY_IAM"),
        *("--on-failure", "DO_NOTHING"),
        "--no-confirm-changeset",
        "--no-fail-on-empty-changeset",
        "--no-progressbar",
        "--parameter-overrides",
        *(f'ParameterKey={key},ParameterValue="{_quoted(value)}"' for key, value in parameters.items()),
    ]
    with _locked(fcntl.LOCK_SH):
        run_sam(arguments, aws_environment(endpoint), DEPLOY_SECONDS)
    outputs = DirectStack(stack_name, endpoint_url=endpoint, make_client=session.client).outputs
    _finish(session, endpoint, outputs)
    stores = DirectStack(stack_name, endpoint_url=endpoint, make_client=session.client).stores()
    confirm_tables(stores, Occasion.FIRST, "kulanz_local", "a new stack on this machine", datetime.now(UTC))
    return outputs


def _quoted(value: str) -> str:
    """A parameter's value as the SAM CLI reads it between quotes: some are JSON."""
    return value.replace('"', '\\"')


def _finish(session: boto3.Session, endpoint: str, outputs: StackOutputs) -> None:
    """Do what CloudFormation does with this template and MiniStack does not.

    It hands the text of a parameter on as text, which its SQS poller then compares with a number, for ever; and it
    ignores the tables' expiry attribute and their resource policies.
    """
    functions = session.client("lambda", endpoint_url=endpoint)
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if "ScalingConfig" in mapping:
            limit = int(mapping["ScalingConfig"]["MaximumConcurrency"])
            functions.update_event_source_mapping(UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": limit})
    dynamodb = session.client("dynamodb", endpoint_url=endpoint)
    dynamodb.update_time_to_live(
        TableName=outputs.credits_table_name,
        TimeToLiveSpecification={"Enabled": True, "AttributeName": EXPIRY_ATTRIBUTE},
    )
    watching = functions.get_function_configuration(FunctionName=outputs.advance_campaign_function_name)
    settings = watching["Environment"]["Variables"]
    for table, writers in ((outputs.credits_table_name, "CREDITS"), (outputs.campaigns_table_name, "CAMPAIGNS")):
        arn = dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
        policy = closing_policy(settings[f"{writers}_WRITERS"].split(","))
        dynamodb.put_resource_policy(ResourceArn=arn, Policy=json.dumps(policy))


def run_sam(arguments: list[str], environment: dict[str, str], timeout_seconds: int) -> None:
    """Run the SAM CLI in the project, with nothing of the caller's AWS settings. Raises DeploymentError."""
    if not SAM.exists():
        raise DeploymentError(f"{SAM} does not exist. Run `make environments`.")
    with tempfile.TemporaryDirectory(prefix="kulanz-sam-") as folder:
        code, output = run_alone(
            [str(SAM), *arguments],
            timeout_seconds,
            environment={
                **{key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "SAM_", "PYTHON"))},
                "AWS_DEFAULT_REGION": REGION,
                **environment,
                # `sam build` looks for python3.13 and pip here.
                "PATH": f"{SAM.parent}:{os.environ.get('PATH', os.defpath)}",
                "SAM_CLI_TELEMETRY": "0",
                "SAM_CLI_POLL_DELAY": POLL_SECONDS,
                "__SAM_CLI_APP_DIR": str(SAM_FOLDER / "cli"),  # where it remembers things, else in the home folder
                "TMPDIR": folder,
            },
        )
    if code is None:
        raise DeploymentError(f"`sam {arguments[0]}` took longer than {timeout_seconds} seconds.")
    if code != 0:
        tail = "\n".join(output.splitlines()[-OUTPUT_TAIL_LINES:])
        raise DeploymentError(f"`sam {arguments[0]}` failed with exit code {code}:\n{tail}")


def run_alone(
    command: list[str], timeout_seconds: float, environment: Mapping[str, str] | None = None
) -> tuple[int | None, str]:
    """Run a command in the project's folder; its exit code (None when it took too long) and all that it printed.

    It has a process group of its own, of which nothing is left when this function ends, by Ctrl-C or otherwise.
    """
    with subprocess.Popen(
        command,
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            output, _ = process.communicate(timeout=timeout_seconds)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            if isinstance(error, subprocess.TimeoutExpired):
                return None, ""
            raise
    return process.returncode, output


def _digest_of_inputs() -> str:
    digest = hashlib.sha256()
    for name in INPUTS:
        for path in sorted(_files_under(PROJECT / name)):
            content = path.read_bytes()
            digest.update(f"\n{path.relative_to(PROJECT)} {len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


def _files_under(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for folder, folders, files in path.walk():
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (folder / name for name in files)


@contextmanager
def _locked(kind: int) -> Iterator[None]:
    """Hold the build folder, to write it alone (LOCK_EX) or to read it with others (LOCK_SH)."""
    with LOCK.open("a") as lock:
        fcntl.flock(lock, kind)
        yield
