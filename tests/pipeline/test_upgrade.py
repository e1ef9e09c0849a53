"""An upgrade with campaigns open: other code is deployed over them, and each goes on or says which command to type.

An older release is what is built, with another release's name in its layer and, where decisions shall mean something
else, another engine.
"""

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

import kulanz
from kulanz.domain.campaigns.campaign import ENGINE_VERSION, Campaign, CampaignId, Pass, State
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.direct import DirectStack
from kulanz_cli.event_file import read_event
from kulanz_cli.send import send
from kulanz_local import drive
from kulanz_local.cases import ATT
from kulanz_local.deployment import BUILT_TEMPLATE, build, deploy
from kulanz_local.embedded import EmbeddedAws

pytestmark = [pytest.mark.ministack, pytest.mark.long]

LONGEST_SECONDS = 90
PARAMETERS = {"ChunkBytes": "4096", "MaximumConcurrency": "2", "TargetWriteRate": "80"}
"""So slow that a campaign is open for some seconds."""
ROWS = 600
OLDER, OLD = "0.0.8", "0.0.9"


def built_as(folder: Path, release: str, engine: str) -> Path:
    """The built template of another release, whose layer says so; without bytecode, which would say otherwise."""
    shutil.copytree(build().parent, folder)
    package = folder / "KulanzLayer/python/kulanz"
    for file, name, value in (
        ("__init__.py", "__version__", release),
        ("domain/campaigns/campaign.py", "ENGINE_VERSION", engine),
    ):
        path = package / file
        text, replaced = re.subn(rf'^{name} = ".*"$', f'{name} = "{value}"', path.read_text(), flags=re.MULTILINE)
        assert replaced == 1, name
        path.write_text(text)
    for cache in [*package.rglob("__pycache__")]:
        shutil.rmtree(cache)
    template = folder / BUILT_TEMPLATE.name
    text = template.read_text()
    assert text.count(kulanz.__version__) == 1
    template.write_text(text.replace(kulanz.__version__, release))
    return template


def run(stack: DirectStack, *words: str) -> tuple[int, str, str]:
    """A command's exit code and what it printed; a stack is made anew, as in another terminal."""
    out, err = io.StringIO(), io.StringIO()
    fresh = DirectStack(
        stack.name, region=stack._region, endpoint_url=stack._endpoint_url, make_client=stack._make_client,
        credentials=stack._credentials,
    )  # fmt: skip
    with redirect_stdout(out), redirect_stderr(err):
        try:
            code = drive.run_kulanz(fresh, *words)
        except Exception as error:  # noqa: BLE001 - what a command ends with outside click's own main
            code, message = getattr(error, "exit_code", 99), str(error)
            err.write(message)
    return code, out.getvalue(), err.getvalue()


def work_chunks(stack: DirectStack, *, are_worked: bool) -> None:
    functions = stack.client("lambda")
    found = functions.list_event_source_mappings(FunctionName=stack.outputs.grant_credits_function_name)
    for mapping in found["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=are_worked)


def request(stack: DirectStack, folder: Path, incident_id: str) -> None:
    """Request a campaign of an incident of its own for `ROWS` accounts."""
    path = folder / f"{incident_id}.csv"
    rows = "".join(f"{incident_id}-{number},consumer_postpaid,true\n" for number in range(ROWS))
    path.write_text(f"account_id,segment,potentially_impacted\n{rows}")
    event = drive.with_limits(read_event(ATT.event))
    event["detail"]["incident_id"] = incident_id
    key = f"lists/{incident_id}.csv"
    bucket = stack.outputs.list_bucket_name
    version = stack.client("s3").put_object(Bucket=bucket, Key=key, Body=path.read_bytes())["VersionId"]
    place = {"bucket": bucket, "key": key, "version_id": version}
    event["detail"]["campaign"]["affected"] = {"s3": place, "rows": ROWS}
    send(event, stack)


def once(stack: DirectStack, campaign_id: CampaignId, is_so: Callable[[Campaign], bool]) -> Campaign:
    found: list[Campaign] = []

    def look() -> bool:
        campaign = drive.approved(stack, campaign_id)
        found[:] = [campaign] if campaign is not None and is_so(campaign) else []
        return bool(found)

    drive.wait_until(f"what {campaign_id} was waited for", LONGEST_SECONDS, look)
    return found[0]


@pytest.fixture
def aws() -> Iterator[EmbeddedAws]:
    with EmbeddedAws() as found:
        yield found


def test_campaigns_that_are_open_during_an_upgrade_go_on_or_say_what_to_type(aws: EmbeddedAws, tmp_path: Path) -> None:
    # An older release, whose decisions mean something else.
    deploy(aws.endpoint, parameters=PARAMETERS, template=built_as(tmp_path / "older", OLDER, "older"))
    stack = drive.stack_of(aws)
    policy = load_policy(ATT.policy)
    stack.policies().publish(policy.policy.id, policy.policy.version, document_json(policy))
    work_chunks(stack, are_worked=False)
    request(stack, tmp_path, "engine")
    once(stack, CampaignId("engine", 1), lambda campaign: campaign.state is State.PLANNING)
    warned = run(stack, "campaigns")[2]
    assert f"is release {OLDER}, this command {kulanz.__version__}" in " ".join(warned.split())

    # Another engine pauses what was planned by the older one; the reason names the command.
    deploy(aws.endpoint, parameters=PARAMETERS, template=built_as(tmp_path / "old", OLD, ENGINE_VERSION))
    work_chunks(stack, are_worked=True)
    paused = once(stack, CampaignId("engine", 1), lambda campaign: campaign.state is State.PAUSED)
    assert paused.state_reason.startswith("engine_changed: planned by engine older")
    assert "engine/1" in run(stack, "campaigns")[1]
    code, _, said = run(stack, "resume", "engine/1", "--reason", "after the upgrade")
    assert code == 3
    assert "`kulanz replan engine/1` makes it again" in " ".join(said.split())
    assert run(stack, "cancel", "engine/1", "--reason", "after the upgrade")[0] == 0
    request(stack, tmp_path, "engine")  # the list is uploaded again
    closed = once(stack, CampaignId("engine", 2), lambda campaign: campaign.state is State.CLOSED)
    assert closed.engine == ENGINE_VERSION

    # The same engine in another release: what was half applied goes on by itself.
    request(stack, tmp_path, "release")
    begun = CampaignId("release", 1)
    once(stack, begun, lambda campaign: campaign.state is State.APPLYING and campaign.apply.totals.lines > 0)
    work_chunks(stack, are_worked=False)
    drive.wait_until("the end of chunks under way", LONGEST_SECONDS, lambda: not _under_way(stack))
    assert not once(stack, begun, lambda _: True).is_finished(Pass.APPLY)
    deploy(aws.endpoint, parameters=PARAMETERS)
    work_chunks(stack, are_worked=True)
    once(stack, begun, lambda campaign: campaign.state is State.CLOSED)
    assert drive.decisions_stored(stack) == {"engine": ROWS, "release": ROWS}
    code, written, warned = run(stack, "doctor", "--json")
    assert "Warning" not in warned
    problems = {one["check"] for one in json.loads(written)["results"] if one["verdict"] == "finding"}
    assert problems == {"alarms"}  # no topic was named
    assert code == 1


def _under_way(stack: DirectStack) -> int:
    sqs, name = stack.client("sqs"), "ApproximateNumberOfMessagesNotVisible"
    answer = sqs.get_queue_attributes(QueueUrl=stack.outputs.chunks_queue_url, AttributeNames=[name])
    return int(answer["Attributes"][name])
