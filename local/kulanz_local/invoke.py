"""`sam local invoke`: every function with each of its events, in Lambda's own container, against the embedded AWS.

`serve` starts the embedded AWS where containers reach it, deploys the stack, publishes a real incident, and writes the
files that an invocation needs; `check` does the same, runs the invocations one after the other, and looks at what each
has changed. Containers take the place of the pollers: these rest, so nothing else moves the campaign. Under `serve`
what incident sources deliver is read all the same, so that a source can be connected there. The events are
those of `events/functions/`, with what only a running stack knows filled in.
"""

import ipaddress
import json
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex
from threading import Event
from typing import Any, Final

import click

from kulanz.adapters.campaign_keys import campaign_partition, meta_key
from kulanz.adapters.incident_items import revision_item
from kulanz.adapters.ledger_table import entry_item
from kulanz.adapters.messaging import chunk_message_text
from kulanz.application.drafts.draft_ports import Upstream
from kulanz.application.ports import ChunkMessage
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass, State
from kulanz.domain.policy.document.strict_yaml import read_file
from kulanz.sources.configuration import configuration_json
from kulanz.sources.signatures import path_digest
from kulanz_cli.direct import DirectStack
from kulanz_cli.send import send
from kulanz_cli.sources import recorded_bodies
from kulanz_cli.stack import StackOutputs
from kulanz_local import drive
from kulanz_local.cases import ATT
from kulanz_local.deployment import SAM, SAM_FOLDER, build, deploy, machine_architecture
from kulanz_local.embedded import (
    ACCOUNT_ID,
    LOOPBACK,
    PROJECT,
    REGION,
    EmbeddedAws,
    EmbeddedAwsError,
    aws_environment,
    aws_session,
)
from kulanz_local.interrupt import Terminated, quietly_interrupted
from kulanz_local.lists import Expectation, write_list
from kulanz_local.persons import NAMES, create_persons
from kulanz_local.reconcile import discrepancies, notices_due
from kulanz_local.settings_file import NoSettingsFile, settings_file
from kulanz_local.subscriber import Subscriber

FOLDER: Final = SAM_FOLDER / "invoke"
CONFIG_FILE: Final = FOLDER / "samconfig.toml"
ENVIRONMENT_FILE: Final = FOLDER / "environment.json"
OPEN_EVENT: Final = FOLDER / "open_campaign-incident.json"
EVENTS: Final = PROJECT / "events" / "functions"
SAMPLES: Final = PROJECT / "events" / "sources"
SOURCES_HERE: Final = {"status": "statuspage", "health": "aws_health"}
SECRET_BYTES = 24
DRAFT_INCIDENTS: Final = "DraftIncidentsFunction"
SERVE_CONSOLE: Final = "ServeConsoleFunction"
PROVIDER: Final = {"ConsoleIssuer": "https://login.example", "ConsoleClientId": "kulanz"}
"""Nobody answers there: the console shows the page that asks to sign in."""
NOT_SIGNED_IN = 401
HEALTH_EVENT_MONTH = "2026-03"
"""Its message says that the queue got it then."""
ADVANCE_EVENTS = ("advance_campaign-opened", "advance_campaign-complete")
PLACEHOLDER = re.compile(r"\{\{ ([a-z ]+) \}\}")
CHUNK_EVENTS: Final = {work: FOLDER / f"grant_credits-{work}.json" for work in Pass}
COMPLETE_EVENT: Final = FOLDER / "advance_campaign-complete.json"
TO_TRY: Final = (
    ("OpenCampaignFunction", OPEN_EVENT),
    ("GrantCreditsFunction", CHUNK_EVENTS[Pass.PLAN]),
    ("AdvanceCampaignFunction", COMPLETE_EVENT),
    ("GrantCreditsFunction", CHUNK_EVENTS[Pass.APPLY]),
    ("AdvanceCampaignFunction", COMPLETE_EVENT),
)
"""The invocations that bring the campaign to its end, in the order in which each finds what it needs."""

ACCOUNTS = 300
SEED = 20240222
CAMPAIGN: Final = CampaignId(ATT.incident_id, 1)
CHUNK = 0
"""The list is small: it has one chunk."""

DOCKER_SECONDS = 20
MESSAGE_SECONDS = 20
INVOKE_SECONDS = 300
"""The first one builds an image with the layers."""
NOTICE_SECONDS = 60
ENGINE_GATEWAY_NAME = "host.docker.internal"
"""How containers call the machine where the engine runs in a virtual machine of its own."""


class InvocationFailed(EmbeddedAwsError):
    """An invocation in a container did not do what it must."""


@dataclass(frozen=True)
class Ready:
    """An AWS with the stack and an incident on its bus, waiting for containers."""

    aws: EmbeddedAws
    outputs: StackOutputs
    stack: DirectStack
    expected: Expectation


@contextmanager
def ready(*, reads_deliveries: bool) -> Iterator[Ready]:
    """Everything that an invocation needs, for the length of the block; the files are left behind.

    `reads_deliveries`: what incident sources deliver is read by itself, as no container takes its place.
    """
    bind_host, container_host = hosts()
    build()
    with EmbeddedAws(bind_host=bind_host) as aws:
        outputs = deploy(aws.endpoint, parameters={"EndpointUrl": aws.endpoint, **PROVIDER})
        stack = drive.stack_of(aws)
        functions = deployed(outputs, stack.resources()[SERVE_CONSOLE][1])
        _rest_pollers(aws, functions, {DRAFT_INCIDENTS} if reads_deliveries else set())
        with tempfile.TemporaryDirectory(prefix="kulanz-invoke-") as folder:
            path = Path(folder) / Path(ATT.key).name
            expected = write_list(ATT.maker, ACCOUNTS, SEED, path)
            drive.run_kulanz(stack, "policy", "publish", str(ATT.policy))
            send(drive.completed_event(stack, ATT, path, expected.rows), stack)
        _write_files(aws, outputs, functions, aws.endpoint.replace(bind_host, container_host))
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


def _rest_pollers(aws: EmbeddedAws, functions: Mapping[str, str], but: Collection[str]) -> None:
    client = aws_session().client("lambda", endpoint_url=aws.endpoint)
    for name in (name for logical_id, name in functions.items() if logical_id not in but):
        for mapping in client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]:
            client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def deployed(outputs: StackOutputs, console: str) -> dict[str, str]:
    """The deployed functions' names by their names in the template; that of the console is no output."""
    return {
        "OpenCampaignFunction": outputs.open_campaign_function_name,
        "GrantCreditsFunction": outputs.grant_credits_function_name,
        "PublishNoticesFunction": outputs.publish_notices_function_name,
        "AdvanceCampaignFunction": outputs.advance_campaign_function_name,
        "ApiFunction": outputs.api_function_name,
        "ReceiveIncidentsFunction": outputs.receive_incidents_function_name,
        DRAFT_INCIDENTS: outputs.draft_incidents_function_name,
        SERVE_CONSOLE: console,
    }


def _write_files(
    aws: EmbeddedAws, outputs: StackOutputs, functions: Mapping[str, str], container_endpoint: str
) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    client = aws_session().client("lambda", endpoint_url=aws.endpoint)
    environment = {}
    for logical_id, name in functions.items():
        variables = client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
        environment[logical_id] = {**variables, "AWS_ENDPOINT_URL": container_endpoint}
    _write(ENVIRONMENT_FILE, environment)
    known = {
        "incident event": _received(aws, outputs.incidents_queue_url)["Body"],
        "campaign": str(CAMPAIGN),
        "campaign partition": campaign_partition(CAMPAIGN),
        "meta": meta_key(CAMPAIGN),
    }
    for name in ("open_campaign-incident", "grant_credits-plan", "grant_credits-apply", *ADVANCE_EVENTS):
        write_event(name, known)
    CONFIG_FILE.write_text(
        "version = 0.1\n"
        "[default.local_invoke.parameters]\n"
        f"env_vars = {json.dumps(str(ENVIRONMENT_FILE))}\n"
        f'parameter_overrides = "Architecture={machine_architecture()} EndpointUrl={container_endpoint}'
        f' {" ".join(f"{name}={value}" for name, value in PROVIDER.items())}"\n'
        f'region = "{REGION}"\n'
        "skip_pull_image = true\n"
    )


def write_event(name: str, known: Mapping[str, Any]) -> Path:
    """Fill an event of `events/functions/` in, and write it where an invocation finds it."""
    template = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    path = FOLDER / f"{name}.json"
    _write(path, filled(template, known))
    return path


def filled(template: Any, known: Mapping[str, Any]) -> Any:
    """An event with each `{{ name }}` replaced; where it is the whole text, by what is known as it is.

    Raises KeyError for a name that is not known.
    """
    if isinstance(template, dict):
        return {name: filled(part, known) for name, part in template.items()}
    if isinstance(template, list):
        return [filled(part, known) for part in template]
    if not isinstance(template, str):
        return template
    if whole := PLACEHOLDER.fullmatch(template):
        return known[whole[1]]
    return PLACEHOLDER.sub(lambda found: str(known[found[1]]), template)


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
    click.echo(f"ok    {function}, {event.name}, {time.monotonic() - started:.1f} s")
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
    """Invoke every function with each of its events. Raises InvocationFailed unless all is as it must be."""
    with ready(reads_deliveries=False) as prepared:
        aws, outputs, store = prepared.aws, prepared.outputs, prepared.stack.campaigns()
        expect("no campaign before", store.campaign(CAMPAIGN), None)
        expect("answer", invoke("OpenCampaignFunction", OPEN_EVENT, aws.endpoint), {"batchItemFailures": []})
        expect("state", _state(store.campaign(CAMPAIGN)), State.PLANNING)
        invoke("AdvanceCampaignFunction", FOLDER / "advance_campaign-opened.json", aws.endpoint)
        expect("state before the plan", _state(store.campaign(CAMPAIGN)), State.PLANNING)
        for work, state in ((Pass.PLAN, State.AWAITING_APPROVAL), (Pass.APPLY, State.CLOSED)):
            expect(
                "chunk message",
                json.loads(_received(aws, outputs.chunks_queue_url)["Body"]),
                json.loads(_chunk_text(work)),
            )
            invoke("GrantCreditsFunction", CHUNK_EVENTS[work], aws.endpoint)
            campaign = store.campaign(CAMPAIGN)
            expect(f"{work} finished", campaign is not None and campaign.is_finished(work), True)
            invoke("AdvanceCampaignFunction", COMPLETE_EVENT, aws.endpoint)
            expect(f"state after {work}", _state(store.campaign(CAMPAIGN)), state)
            if work is Pass.PLAN:
                expect("approved", _state(drive.approved(prepared.stack, CAMPAIGN)), State.APPLYING)
                invoke("AdvanceCampaignFunction", COMPLETE_EVENT, aws.endpoint)
        campaign = store.campaign(CAMPAIGN)
        assert campaign is not None
        stored = drive.decisions_stored(prepared.stack)[CAMPAIGN.incident_id]
        notices = notices_due(prepared.expected, campaign)  # they come next
        problems = [*discrepancies(prepared.expected, campaign, notices, stored)]
        if problems:
            raise InvocationFailed("\n".join(problems))
        click.echo(f"ok    {campaign.apply.totals.lines} lines became {stored} decisions, all as planted")
        _check_answer(prepared)
        _check_notices(prepared)
        _check_sources(prepared)
        _check_console(prepared)


def _check_answer(prepared: Ready) -> None:
    """The API answers what one account got, to whom the gateway has verified."""
    account_id = prepared.expected.examples["granted"]
    known = {"account id": account_id, "incident": CAMPAIGN.incident_id, "account of the stack": ACCOUNT_ID}
    answer = invoke("ApiFunction", write_event("api-ask", known), prepared.aws.endpoint)
    expect("status of the answer", answer["statusCode"], 200)
    expect("account of the answer", json.loads(answer["body"])["account_id"], account_id)
    click.echo("ok    the API's answer about one account")


def _check_notices(prepared: Ready) -> None:
    """A new decision and a new revision are told once each; a changed or expired decision is told to nobody."""
    aws, outputs = prepared.aws, prepared.outputs
    place = aws_session(), aws.endpoint, outputs.notices_topic_arn, outputs.event_bus_name
    with Subscriber(*place) as subscriber:
        known = known_records(prepared)
        for name in ("decision-modified", "decision-expired", "decision-inserted", "revision-inserted"):
            event = write_event(f"publish_notices-{name}", known)
            invoke("PublishNoticesFunction", event, aws.endpoint)
        drive.wait_until("a notice", NOTICE_SECONDS, lambda: subscriber.deliveries() > 0)
        told = "incident_declared"
        drive.wait_until("a status", NOTICE_SECONDS, lambda: subscriber.status_notices(CAMPAIGN.incident_id) == [told])
        expect("notices", subscriber.notices_of(str(CAMPAIGN)), 1)
        expect("deliveries", subscriber.deliveries(), 1)
    click.echo("ok    a notice for the new decision, one for the new revision, no other")


def _check_sources(prepared: Ready) -> None:
    """A delivery of a status page is received and kept, and an event of AWS Health is kept; drafts, no incidents."""
    aws, outputs, stack = prepared.aws, prepared.outputs, prepared.stack
    configured = {name: _configured(kind) for name, kind in SOURCES_HERE.items()}
    stack.sources().publish(1, configuration_json({"kulanz_sources": 1, "version": 1, "sources": configured}))
    secret = token_hex(SECRET_BYTES)
    kept = json.dumps({"secrets": [path_digest(secret)]})
    stack.client("secretsmanager").create_secret(Name=f"{stack.name}/sources/status", SecretString=kept)
    (page,) = recorded_bodies(SAMPLES / "statuspage" / "outage-resolved.json")
    (health,) = recorded_bodies(SAMPLES / "aws_health" / "issue-closed.json")
    known = {"account of the stack": ACCOUNT_ID, "secret": secret, "delivery body": json.dumps(page)}
    answer = invoke("ReceiveIncidentsFunction", write_event("receive_incidents-statuspage", known), aws.endpoint)
    expect("status of the receiver's answer", answer["statusCode"], 202)
    known = {
        "delivery": _received(aws, outputs.sources_queue_url)["Body"],
        "health event": json.dumps(health),
    }
    for name in ("draft_incidents-delivery", "draft_incidents-aws-health"):
        answer = invoke("DraftIncidentsFunction", write_event(name, known), aws.endpoint)
        expect("answer", answer, {"batchItemFailures": []})
    for source, month in (("status", f"{datetime.now(UTC):%Y-%m}"), ("health", HEALTH_EVENT_MONTH)):
        listed = stack.drafts().in_month(month).found
        expect("draft's source", [one.source for one in listed if isinstance(one, Upstream)], [source])
    click.echo("ok    a status page's delivery and an event of AWS Health became drafts")


def _check_console(prepared: Ready) -> None:
    """The console asks a browser to sign in, in its language: the layer has pages, texts and what they need."""
    host = prepared.outputs.console_url.removeprefix("https://").partition("/")[0]
    known = {"host of the console": host, "account of the stack": ACCOUNT_ID}
    event = write_event("serve_console-first-page", known)
    answer = invoke("ServeConsoleFunction", event, prepared.aws.endpoint)
    expect("status of the console's page", answer["statusCode"], NOT_SIGNED_IN)
    expect("language of the console's page", '<html lang="de">' in answer["body"], True)
    click.echo("ok    the console's page that asks to sign in")


def _configured(kind: str) -> Any:
    """The one source of a kind's sample configuration."""
    content, _ = read_file(SAMPLES / kind / "configuration.yaml")
    (configured,) = content["sources"].values()
    return configured


def known_records(prepared: Ready) -> dict[str, Any]:
    """The records that the streams hold now: a decision that is told to its customer, and the incident's revision."""
    account_id = prepared.expected.examples["granted"]
    (entry,) = prepared.stack.answers().ledger.of_account(account_id, CAMPAIGN.incident_id)
    (revision,) = prepared.stack.campaigns().revisions(CAMPAIGN.incident_id)
    decision, recorded = entry_item(entry), revision_item(revision)
    return {
        "account": decision["pk"]["S"],
        "place": decision["sk"]["S"],
        "decision": decision,
        "incident": CAMPAIGN.incident_id,
        "revision place": recorded["sk"]["S"],
        "revision": recorded,
    }


def expect(what: str, found: object, wanted: object) -> None:
    """Raise InvocationFailed unless something is as it must be."""
    if found != wanted:
        raise InvocationFailed(f"{what}: expected {wanted}, found {found}")


def _state(campaign: Campaign | None) -> State | None:
    return None if campaign is None else campaign.state


def serve() -> None:
    """Keep everything ready until Ctrl-C, and tell the commands to try."""
    with (
        ready(reads_deliveries=True) as prepared,
        suppress(KeyboardInterrupt),
        settings_file("local-aws", prepared.aws.endpoint, create_persons(prepared.aws.endpoint)) as path,
    ):
        click.echo(how_to_try(prepared.aws.endpoint, path))
        Event().wait()


def how_to_try(endpoint: str, settings: Path) -> str:
    """The lines to type in another terminal, in an order in which each finds what it needs."""
    lines = [f"  source {settings}"]
    for function, event in TO_TRY:
        if event == CHUNK_EVENTS[Pass.APPLY]:  # which grants nothing, and says nothing, before the plan is approved
            approve = f"approve {CAMPAIGN} --plan HASH"
            lines += [f"  kulanz plan {CAMPAIGN}", *(f"  kulanz --profile {name} {approve}" for name in NAMES)]
        *command, config, config_path, option, event_path = invocation(function, event)
        lines += [f"  {' '.join(command)} \\", f"    {config} {config_path} \\", f"    {option} {event_path}"]
    place = f"The stack is deployed to {endpoint}, until Ctrl-C."
    return "\n".join((place, "In another terminal, in this folder:\n", *lines))


@click.command()
@click.argument("what", type=click.Choice(["check", "serve"]))
def main(what: str) -> None:
    """Run the functions in containers and look at what they changed, or only make everything ready for that."""
    with quietly_interrupted():
        try:
            check() if what == "check" else serve()
        except (EmbeddedAwsError, NoSettingsFile, Terminated, drive.Overdue) as error:
            raise click.ClickException(str(error)) from error


if __name__ == "__main__":
    main()
