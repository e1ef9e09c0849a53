"""`sam local invoke`: the two functions that decide, in Lambda's own container, against the embedded AWS.

`serve` starts the embedded AWS where containers reach it, deploys the stack, publishes a real incident, and writes the
files that an invocation needs; `check` does the same, runs the invocations, and looks at what they have changed.
Containers take the place of the two queues' pollers: these rest, all else works as deployed.
"""

import ipaddress
import json
import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any, Final

import click

from kulanz.adapters.messaging import chunk_message_text
from kulanz.application.ports import ChunkMessage
from kulanz.domain.campaign import Campaign, CampaignId, Pass, State
from kulanz_cli.send import send
from kulanz_cli.stack import Stack
from kulanz_local import drive
from kulanz_local.cases import ATT
from kulanz_local.deployment import SAM, SAM_FOLDER, StackOutputs, build, deploy, machine_architecture
from kulanz_local.embedded import LOOPBACK, PROJECT, REGION, EmbeddedAws, EmbeddedAwsError, aws_environment, aws_session
from kulanz_local.lists import Expectation, write_list
from kulanz_local.reconcile import discrepancies, notices_due

FOLDER: Final = SAM_FOLDER / "invoke"
CONFIG_FILE: Final = FOLDER / "samconfig.toml"
ENVIRONMENT_FILE: Final = FOLDER / "environment.json"
OPEN_EVENT: Final = FOLDER / "open_campaign.json"
CHUNK_EVENTS: Final = {work: FOLDER / f"grant_credits_{work}.json" for work in Pass}

ACCOUNTS = 300
SEED = 20240222
CAMPAIGN: Final = CampaignId(ATT.incident_id, 1)
CHUNK = 0
"""The list is small: it has one chunk."""

DOCKER_SECONDS = 20
MESSAGE_SECONDS = 20
INVOKE_SECONDS = 300
"""The first one builds an image with the layers."""
ADVANCE_SECONDS = 60
ENGINE_GATEWAY_NAME = "host.docker.internal"
"""How containers call the machine where the engine runs in a virtual machine of its own."""


class InvocationFailed(EmbeddedAwsError):
    """An invocation in a container did not do what it must."""


@dataclass(frozen=True)
class Ready:
    """An AWS with the stack and an incident on its bus, waiting for containers."""

    aws: EmbeddedAws
    outputs: StackOutputs
    stack: Stack
    expected: Expectation


@contextmanager
def ready() -> Iterator[Ready]:
    """Everything that an invocation needs, for the length of the block; the files are left behind."""
    bind_host, container_host = hosts()
    build()
    with EmbeddedAws(bind_host=bind_host) as aws:
        outputs = deploy(aws.endpoint, parameters={"EndpointUrl": aws.endpoint})
        _rest_pollers(aws, outputs)
        stack = drive.stack_of(aws)
        with tempfile.TemporaryDirectory(prefix="kulanz-invoke-") as folder:
            path = Path(folder) / Path(ATT.key).name
            expected = write_list(ATT.maker, ACCOUNTS, SEED, path)
            drive.run_kulanz(stack, "policy", "publish", str(ATT.policy))
            send(drive.completed_event(stack, ATT, path, expected.rows), stack)
        _write_files(aws, outputs, aws.endpoint.replace(bind_host, container_host))
        yield Ready(aws, outputs, stack, expected)


def hosts() -> tuple[str, str]:
    """Where the embedded AWS listens so that containers reach it and nobody beyond this machine; and their name for it.

    Raises InvocationFailed without a container engine.
    """
    try:
        subprocess.run(["docker", "version"], capture_output=True, timeout=DOCKER_SECONDS, check=True)  # noqa: S607
        inspected = subprocess.run(
            ["docker", "network", "inspect", "bridge"],  # noqa: S607 - the engine is the machine's, wherever it is
            capture_output=True,
            text=True,
            timeout=DOCKER_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise InvocationFailed(
            "There is no container engine: `docker version` fails. Start one and try again."
        ) from error
    address = _address_in(json.loads(inspected.stdout))
    if address is not None and _can_listen(address):
        return address, address
    return LOOPBACK, ENGINE_GATEWAY_NAME


def _address_in(networks: Any) -> str | None:
    """This machine's address in the engine's network: as told, or else the first of its subnet."""
    for network in networks:
        for config in network["IPAM"]["Config"] or ():
            if gateway := config.get("Gateway"):
                return str(gateway)
            return str(next(ipaddress.ip_network(config["Subnet"]).hosts()))
    return None


def _can_listen(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True


def _rest_pollers(aws: EmbeddedAws, outputs: StackOutputs) -> None:
    functions = aws_session().client("lambda", endpoint_url=aws.endpoint)
    for name in (outputs.open_campaign_function_name, outputs.grant_credits_function_name):
        for mapping in functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def _write_files(aws: EmbeddedAws, outputs: StackOutputs, container_endpoint: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    functions = aws_session().client("lambda", endpoint_url=aws.endpoint)
    deployed = {
        "OpenCampaignFunction": outputs.open_campaign_function_name,
        "GrantCreditsFunction": outputs.grant_credits_function_name,
    }
    environment = {}
    for logical_id, name in deployed.items():
        variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        environment[logical_id] = {**variables, "AWS_ENDPOINT_URL": container_endpoint}
    _write(ENVIRONMENT_FILE, environment)
    message = _received(aws, outputs.incidents_queue_url)
    _write(OPEN_EVENT, _lambda_event("incidents", message["MessageId"], message["Body"]))
    for work, path in CHUNK_EVENTS.items():
        _write(path, _lambda_event("chunks", f"chunk-{work}-{CHUNK}", _chunk_text(work)))
    CONFIG_FILE.write_text(
        "version = 0.1\n"
        "[default.local_invoke.parameters]\n"
        f"env_vars = {json.dumps(str(ENVIRONMENT_FILE))}\n"
        f'parameter_overrides = "Architecture={machine_architecture()} EndpointUrl={container_endpoint}"\n'
        f'region = "{REGION}"\n'
        "skip_pull_image = true\n"
    )


def _chunk_text(work: Pass) -> str:
    return chunk_message_text(ChunkMessage(CAMPAIGN, work, CHUNK))


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _received(aws: EmbeddedAws, queue_url: str) -> Any:
    """The one message that a queue must have."""
    sqs = aws_session().client("sqs", endpoint_url=aws.endpoint)
    answer = sqs.receive_message(QueueUrl=queue_url, WaitTimeSeconds=MESSAGE_SECONDS, MaxNumberOfMessages=10)
    messages = answer.get("Messages", [])
    if len(messages) != 1:
        raise InvocationFailed(f"{queue_url.rpartition('/')[2]} has {len(messages)} messages, not one.")
    return messages[0]


def _lambda_event(queue: str, message_id: str, body: str) -> dict[str, Any]:
    """What Lambda's poller hands to a function, as far as it is documented."""
    record = {
        "messageId": message_id,
        "receiptHandle": "handle",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:000000000000:{queue}",
        "awsRegion": REGION,
    }
    return {"Records": [record]}


def invocation(function: str, event: Path) -> list[str]:
    """The command line that runs a function in a container, from the project's folder, as the README shows it."""
    config, event = CONFIG_FILE.relative_to(PROJECT), event.relative_to(PROJECT)
    sam = SAM.relative_to(PROJECT)
    return [str(sam), "local", "invoke", function, "--config-file", str(config), "--event", str(event)]


def invoke(function: str, event: Path, endpoint: str) -> Any:
    """Run a function in a container and return its answer. Raises InvocationFailed with what it printed."""
    started = time.monotonic()
    completed = subprocess.run(
        invocation(function, event),
        cwd=PROJECT,
        env=sam_environment(endpoint),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=INVOKE_SECONDS,
        check=False,
    )
    answer = completed.stdout.strip().rpartition("\n")[2]
    if completed.returncode != 0 or "errorMessage" in answer:
        raise InvocationFailed(f"{function} failed in its container:\n{completed.stderr}\n{completed.stdout}")
    click.echo(f"ok    {function} with {event.name} in a container, {time.monotonic() - started:.1f} s")
    return json.loads(answer) if answer else None


def sam_environment(endpoint: str) -> dict[str, str]:
    """The variables with which `sam local invoke` asks nothing of the shell's own AWS account."""
    return {
        **{key: os.environ[key] for key in ("HOME", "LANG", "DOCKER_HOST") if key in os.environ},
        "PATH": f"{SAM.parent}:{os.environ.get('PATH', os.defpath)}",
        **aws_environment(endpoint),
        "SAM_CLI_TELEMETRY": "0",
        "__SAM_CLI_APP_DIR": str(SAM_FOLDER / "cli"),
    }


def check() -> None:
    """Open a campaign and decide its accounts in containers. Raises InvocationFailed unless all is as it must be."""
    with ready() as prepared:
        aws, outputs, store = prepared.aws, prepared.outputs, prepared.stack.campaigns()
        expect("no campaign before", store.campaign(CAMPAIGN), None)
        expect("answer", invoke("OpenCampaignFunction", OPEN_EVENT, aws.endpoint), {"batchItemFailures": []})
        expect("state", _state(store.campaign(CAMPAIGN)), State.PLANNING)
        for work, state in ((Pass.PLAN, State.APPLYING), (Pass.APPLY, State.CLOSED)):
            expect(
                "chunk message",
                json.loads(_received(aws, outputs.chunks_queue_url)["Body"]),
                json.loads(_chunk_text(work)),
            )
            invoke("GrantCreditsFunction", CHUNK_EVENTS[work], aws.endpoint)
            campaign = store.campaign(CAMPAIGN)
            expect(f"{work} finished", campaign is not None and campaign.is_finished(work), True)
            reached = partial(_is_in, prepared.stack, state)
            drive.wait_until(f"{state} after {work}", ADVANCE_SECONDS, reached)
        campaign = store.campaign(CAMPAIGN)
        assert campaign is not None
        stored = drive.decisions_stored(prepared.stack)[CAMPAIGN.incident_id]
        notices = notices_due(prepared.expected, campaign)  # they are not what this is about
        problems = [*discrepancies(prepared.expected, campaign, notices, stored)]
        if problems:
            raise InvocationFailed("\n".join(problems))
        click.echo(f"ok    {campaign.apply.totals.lines} lines became {stored} decisions; every book balances")


def expect(what: str, found: object, wanted: object) -> None:
    """Raise InvocationFailed unless something is as it must be."""
    if found != wanted:
        raise InvocationFailed(f"{what}: expected {wanted}, found {found}")


def _state(campaign: Campaign | None) -> State | None:
    return None if campaign is None else campaign.state


def _is_in(stack: Stack, state: State) -> bool:
    return _state(stack.campaigns().campaign(CAMPAIGN)) is state


def serve() -> None:
    """Keep everything ready until Ctrl-C, and tell the commands to try."""
    with ready() as prepared:
        click.echo(f"The stack is deployed to {prepared.aws.endpoint}, until Ctrl-C. In another terminal:\n")
        for function, event in (
            ("OpenCampaignFunction", OPEN_EVENT),
            *(("GrantCreditsFunction", path) for path in CHUNK_EVENTS.values()),
        ):
            click.echo("  " + " ".join(invocation(function, event)))
        with suppress(KeyboardInterrupt):
            Event().wait()


@click.command()
@click.argument("what", type=click.Choice(["check", "serve"]))
def main(what: str) -> None:
    """Run the functions in containers and look at what they changed, or only make everything ready for that."""
    try:
        check() if what == "check" else serve()
    except (EmbeddedAwsError, drive.Overdue) as error:
        raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
