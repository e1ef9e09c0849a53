"""Every repair of docs/operations.md, run as it is written there, on the deployed stack with that very thing broken."""

import json
import re
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz_local import drive
from kulanz_local.embedded import PROJECT
from kulanz_local.gate import desks
from kulanz_local.stories.telling import Stage
from kulanz_local.subscriber import Subscriber
from tests.pipeline.conftest import Deployed

pytestmark = pytest.mark.ministack

INCIDENT = "repairs"
CAMPAIGN = CampaignId(INCIDENT, 1)
ACCOUNTS = 60
POLICY = PROJECT / "policies" / "att-2024-02" / "1.yaml"
FACTS = {
    "incident_id": INCIDENT,
    "title": "Network down",
    "service": "wireless",
    "windows": [{"start": "2024-02-22T09:45:00Z", "end": "2024-02-22T20:10:00Z"}],
}
PAGE = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
SECTIONS = [
    PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    for title in ("A campaign is refused, paused or flagged", "Lost messages")
]
DOCUMENTED = re.findall(r"^\$ kulanz (.+)$", "\n".join(SECTIONS), re.MULTILINE)


@pytest.fixture
def stage(deployed: Deployed, tmp_path: Path) -> Iterator[Stage]:
    outputs = deployed.outputs
    place = deployed.session, deployed.aws.endpoint, outputs.notices_topic_arn, outputs.event_bus_name
    with Subscriber(*place) as subscriber:
        yield Stage(drive.stack_of(deployed.aws), desks(deployed.aws), subscriber, Console(), tmp_path)


class Manual:
    """The documented commands, for our campaign; notes which were run."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.left = set(DOCUMENTED)

    def run(self, beginning: str) -> None:
        """Run the documented command that begins so, twice: each is safe to repeat."""
        (command,) = [line for line in DOCUMENTED if line.startswith(beginning)]
        ours = command.replace("att-2024-02-22/1", str(CAMPAIGN)).replace("att-2024-02-22", INCIDENT)
        for _ in range(2):
            assert self.stage.kulanz(*shlex.split(ours)) in (0, 1)
        self.left.discard(command)


@contextmanager
def resting(deployed: Deployed, *functions: str) -> Iterator[None]:
    """Functions get nothing from their queue or stream for the length of the block."""
    client = deployed.session.client("lambda", endpoint_url=deployed.aws.endpoint)
    uuids = [
        mapping["UUID"]
        for function in functions
        for mapping in client.list_event_source_mappings(FunctionName=function)["EventSourceMappings"]
    ]
    for uuid in uuids:
        client.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        yield
    finally:
        for uuid in uuids:
            client.update_event_source_mapping(UUID=uuid, Enabled=True)


def move(stage: Stage, source: str, target: str) -> None:
    """What SQS does with messages that failed too often."""
    sqs = stage.stack.client("sqs")
    moved = 0
    while messages := sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages"):
        for message in messages:
            sqs.send_message(QueueUrl=target, MessageBody=message["Body"])
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    assert moved


def test_every_documented_repair_mends_what_it_says_and_is_safe_to_repeat(stage: Stage, deployed: Deployed) -> None:
    manual, outputs, store = Manual(stage), deployed.outputs, stage.stack.campaigns()
    stage.publish_policy(POLICY)
    rows = [f"repair-{number},consumer_postpaid,true" for number in range(ACCOUNTS)]
    affected = stage.upload("repairs.csv", ["account_id,segment,potentially_impacted", *rows])
    campaign = {"policy": {"id": "att-2024-02", "version": 1}, "affected": affected}

    def finished(work: Pass) -> bool:
        found = store.campaign(CAMPAIGN)
        return found is not None and found.is_finished(work)

    with resting(deployed, outputs.advance_campaign_function_name):
        with resting(deployed, outputs.grant_credits_function_name):
            with resting(deployed, outputs.open_campaign_function_name):
                stage.send("Incident Declared", {**FACTS, "revision": 1, "campaign": campaign})
                move(stage, outputs.incidents_queue_url, outputs.incidents_dead_letter_queue_url)
                manual.run("redrive incidents")
            stage.wait_until("an open campaign", lambda: store.campaign(CAMPAIGN) is not None)
            drive.wait_until_quiet(stage.stack, [outputs.incidents_queue_url], 60)
            stage.stack.client("sqs").purge_queue(QueueUrl=outputs.chunks_queue_url)
            manual.run("resume")
            move(stage, outputs.chunks_queue_url, outputs.chunks_dead_letter_queue_url)
            manual.run("redrive chunks")
        stage.wait_until("the plan's receipts", lambda: finished(Pass.PLAN))
        known = store.campaign(CAMPAIGN)
        assert known is not None
        assert known.state is State.PLANNING, "nobody moves it on"
        manual.run("advance")
        drive.approved(stage.stack, CAMPAIGN)
        manual.run("advance")
        stage.wait_until("the apply pass's receipts", lambda: finished(Pass.APPLY))
        assert stage.kulanz("advance", str(CAMPAIGN)) == 0
        known = store.campaign(CAMPAIGN)
        assert known is not None
        assert known.state is State.CLOSED
    stage.closed(CAMPAIGN)
    stage.expect_notices(CAMPAIGN, ACCOUNTS)
    stage.expect_status(INCIDENT, ["incident_declared"])

    delivered = stage.subscriber.deliveries()
    manual.run("notices rebuild")
    stage.wait_until("repeated notices", lambda: stage.subscriber.deliveries() == delivered + 2 * ACCOUNTS)
    stage.expect_notices(CAMPAIGN, ACCOUNTS)
    manual.run("notices status")
    stage.expect_status(INCIDENT, ["incident_declared"])

    stage.send("Incident Withdrawn", {**FACTS, "revision": 2})
    stage.wait_until("a flag", lambda: (found := store.campaign(CAMPAIGN)) is not None and found.state is State.FLAGGED)
    manual.run("watch")
    manual.run("settle")
    settled = stage.closed(CAMPAIGN)
    assert settled.state_reason.startswith("settled_by_hand: customers keep what they got")
    assert [change.target.value for change in store.log(CAMPAIGN)][-2:] == ["flagged", "closed"]
    assert stage.differences == []
    assert manual.left == set()


def test_refused_events_are_shown_and_stay_in_their_queue(
    stage: Stage, deployed: Deployed, capsys: pytest.CaptureFixture[str]
) -> None:
    sqs, url = stage.stack.client("sqs"), deployed.outputs.rejected_queue_url
    bad = {"source": "nobody", "detail-type": "Incident Declared", "detail": {"incident_id": "refused"}}
    sqs.send_message(QueueUrl=deployed.outputs.incidents_queue_url, MessageBody=json.dumps(bad))
    stage.wait_until("a refusal", lambda: drive.messages_in(sqs, url) > 0)
    for _ in range(2):
        assert drive.run_kulanz(stage.stack, "rejected") == 1
        assert "event_invalid" in capsys.readouterr().out
    assert drive.run_kulanz(stage.stack, "rejected", "--done") == 1
    capsys.readouterr()
    assert drive.run_kulanz(stage.stack, "rejected", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "v": 1,
        "campaign": None,
        "refused": None,
        "more": False,
        "rejected": [],
    }
