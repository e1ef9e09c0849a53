"""The two stacks on the embedded AWS, and what a bench does with them: a campaign, the baseline, the bare floor."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.send import send, upload_list
from kulanz_cli.stack import StackOutputs
from kulanz_local.cases import CASES
from kulanz_local.deployment import BUILD_SECONDS, DEPLOY_SECONDS, SAM_FOLDER, run_sam
from kulanz_local.drive import approved, stack_of, with_limits
from kulanz_local.embedded import EmbeddedAws, aws_environment, aws_session
from kulanz_local.lists import Expectation, write_list
from kulanz_local.subscriber import Subscriber

PROJECT = Path(__file__).resolve().parents[1]
CASE = CASES[0]
NAIVE = PROJECT / "bench/naive/template.yaml"
NAIVE_BUILD = SAM_FOLDER / "naive"
NAIVE_STACK = "naive"
WORKERS = 2
NAIVE_WORKERS = 8
"""More than ours have: each waits for one call at a time, so that two would leave half of the machine idle."""
CALLS_IN_FLIGHT = 4
CHUNKS_PER_WORKER = 4
SEED = 7
POLL_SECONDS = 0.1
LONGEST_SECONDS = 3_600


class BenchFailed(Exception):
    """A run did not end as it must, so its figures mean nothing."""


def parameters(list_bytes: int) -> dict[str, str]:
    """No pacing, one worker for each of two cores, four chunks for each of them or the template's 1 MiB."""
    return {
        "ChunkBytes": str(min(1024 * 1024, max(65_536, list_bytes // (CHUNKS_PER_WORKER * WORKERS)))),
        "MaximumConcurrency": str(WORKERS),
        "TargetWriteRate": "1000000",
        "InFlightCalls": str(CALLS_IN_FLIGHT),
    }


def written_list(accounts: int, folder: Path) -> tuple[Path, Expectation]:
    """A list of the AT&T incident with all its planted trouble, and what must become of it."""
    path = folder / f"{accounts}.csv"
    return path, write_list(CASE.maker, accounts, SEED, path)


class Ours:
    """The deployed stack of Kulanz."""

    def __init__(self, aws: EmbeddedAws, outputs: StackOutputs) -> None:
        self.aws, self.outputs = aws, outputs
        self.stack = stack_of(aws)
        self.campaigns = self.stack.campaigns()
        self._lambda: Any = self.stack.client("lambda")
        policy = load_policy(CASE.policy)
        self.stack.policies().publish(policy.policy.id, policy.policy.version, document_json(policy))

    def publish(self, incident_id: str, path: Path, rows: int) -> dict[str, Any]:
        """Upload the list and publish an incident that names it."""
        event = with_limits(json.loads(CASE.event.read_text()))
        event["detail"]["incident_id"] = incident_id
        event["detail"]["service"] += f" {incident_id}"  # one list over one outage is paid once
        uploaded = upload_list(self.stack, path, f"lists/{incident_id}.csv", rows)
        event["detail"]["campaign"]["affected"] = uploaded
        send(event, self.stack)
        return dict(event)

    def wait(self, incident_id: str, until: Callable[[Campaign], bool]) -> tuple[Campaign, float]:
        """The first campaign of an incident once it is so, and when that was seen (monotonic seconds)."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            campaign = approved(self.stack, CampaignId(incident_id, 1))
            if campaign is not None:
                if until(campaign):
                    return campaign, time.monotonic()
                if campaign.state in (State.REFUSED, State.PAUSED, State.FLAGGED):
                    raise BenchFailed(f"{campaign.id} is {campaign.state}: {campaign.state_reason}")
            time.sleep(POLL_SECONDS)
        raise BenchFailed(f"{incident_id} did not get there within {LONGEST_SECONDS} seconds")

    def passes(self, incident_id: str, path: Path, expected: Expectation) -> tuple[Campaign, float]:
        """Run a campaign: it, and the seconds of its apply pass by its own log."""
        self.publish(incident_id, path, expected.rows)
        campaign, _ = self.wait(incident_id, lambda campaign: campaign.state is State.CLOSED)
        if campaign.apply.totals.ledger_count() != expected.decisions():
            raise BenchFailed(f"{campaign.apply.totals.ledger_count()} decisions of {expected.decisions()}")
        at = {change.target: change.at for change in self.campaigns.log(campaign.id)}
        return campaign, (at[State.CLOSED] - at[State.APPLYING]).total_seconds()

    def notices(self, *, are_on: bool) -> None:
        """Switch the mapping from the ledger's stream to publish_notices."""
        for mapping in self._lambda.list_event_source_mappings()["EventSourceMappings"]:
            if self.outputs.credits_table_name in mapping["EventSourceArn"]:
                self._lambda.update_event_source_mapping(UUID=mapping["UUID"], Enabled=are_on)

    @contextmanager
    def subscribed(self) -> Iterator[Subscriber]:
        """A company's system that receives the notices."""
        session = aws_session()
        with Subscriber(
            session, self.aws.endpoint, self.outputs.notices_topic_arn, self.outputs.event_bus_name
        ) as found:
            yield found


FLOOR_TABLE = "bench-floor"


def create_floor_table(endpoint: str) -> None:
    """A table as the ledger's, with a stream that nobody reads: the floor's items are no decisions."""
    aws_session().client("dynamodb", endpoint_url=endpoint).create_table(
        TableName=FLOOR_TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )


def floor(endpoint: str, rows: int, incident_id: str) -> float:
    """The bare inserts: as many processes and calls in flight as our workers, and nothing else. Rows a second."""
    share = rows // WORKERS
    processes = [
        subprocess.Popen(  # noqa: S603 - ourselves
            [
                sys.executable,
                "-m",
                "bench.floor",
                FLOOR_TABLE,
                str(share),
                str(CALLS_IN_FLIGHT),
                f"{incident_id}-{number}",
            ],
            cwd=PROJECT,
            env={**os.environ, **aws_environment(endpoint)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WORKERS)
    ]
    spans = [json.loads(process.communicate()[0]) for process in processes]
    if any(process.returncode for process in processes):
        raise BenchFailed("the floor's inserts failed")
    seconds: float = max(span[1] for span in spans) - min(span[0] for span in spans)
    return share * WORKERS / seconds


@dataclass(frozen=True, slots=True)
class NaiveStack:
    """The outputs of the baseline's stack."""

    bucket: str
    table: str
    topic_arn: str
    fan_out: str


def deploy_naive(aws: EmbeddedAws, endpoint: str | None = None) -> NaiveStack:
    """Build and deploy the baseline with the SAM CLI; its functions call `endpoint` where one is given."""
    environment = aws_environment(aws.endpoint)
    run_sam(["build", "-t", str(NAIVE), "--build-dir", str(NAIVE_BUILD)], environment, BUILD_SECONDS)
    overrides = {"EndpointUrl": endpoint or aws.endpoint, "Workers": str(NAIVE_WORKERS)}
    run_sam(
        ["deploy", "--template-file", str(NAIVE_BUILD / "template.yaml"), "--config-env", "embedded",
         "--stack-name", NAIVE_STACK, "--s3-bucket", "kulanz-artifacts", "--capabilities", "CAPABILITY_IAM",
         "--no-confirm-changeset", "--no-fail-on-empty-changeset", "--no-progressbar", "--parameter-overrides",
         *(f"ParameterKey={key},ParameterValue={value}" for key, value in overrides.items())],
        environment, DEPLOY_SECONDS,
    )  # fmt: skip
    session = aws_session()
    functions = session.client("lambda", endpoint_url=aws.endpoint)
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        if "AccountQueue" in mapping["EventSourceArn"]:
            functions.update_event_source_mapping(
                UUID=mapping["UUID"], ScalingConfig={"MaximumConcurrency": NAIVE_WORKERS}
            )
    stack = session.client("cloudformation", endpoint_url=aws.endpoint).describe_stacks(StackName=NAIVE_STACK)
    values = {output["OutputKey"]: output["OutputValue"] for output in stack["Stacks"][0]["Outputs"]}
    return NaiveStack(
        values["ListBucketName"],
        values["CreditsTableName"],
        values["NoticesTopicArn"],
        values["FanOutFunctionName"],
    )


def run_naive(aws: EmbeddedAws, naive: NaiveStack, accounts: int, incident_id: str) -> float:
    """Fan a plain list of so many accounts out and wait until all notices are received. Accounts a second.

    The clock starts with the first notices: what the start takes would weigh more here than in our longer runs.
    """
    session = aws_session()
    sqs: Any = session.client("sqs", endpoint_url=aws.endpoint)
    sns = session.client("sns", endpoint_url=aws.endpoint)
    queue = sqs.create_queue(QueueName=f"naive-subscriber-{incident_id}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    subscription = sns.subscribe(TopicArn=naive.topic_arn, Protocol="sqs", Endpoint=arn)["SubscriptionArn"]
    rows, told = naive_rows(accounts)
    session.client("s3", endpoint_url=aws.endpoint).put_object(Bucket=naive.bucket, Key="list.csv", Body=rows)
    payload = json.dumps({"bucket": naive.bucket, "key": "list.csv", "incident_id": incident_id}).encode()
    functions = session.client("lambda", endpoint_url=aws.endpoint)
    functions.invoke(FunctionName=naive.fan_out, InvocationType="Event", Payload=payload)
    known: set[str] = set()
    first, started = 0, 0.0
    deadline = time.monotonic() + LONGEST_SECONDS
    while len(known) < told:
        if time.monotonic() > deadline:
            raise BenchFailed(f"the baseline told {len(known)} of {told}")
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        known |= {json.loads(json.loads(message["Body"])["Message"])["account_id"] for message in messages}
        if messages:
            if not first:
                first, started = len(known), time.monotonic()
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(messages)
            ]
            sqs.delete_message_batch(QueueUrl=queue, Entries=entries)
    seconds = time.monotonic() - started
    sns.unsubscribe(SubscriptionArn=subscription)
    return accounts * (told - first) / told / seconds


def naive_rows(accounts: int) -> tuple[bytes, int]:
    """A plain list of the same accounts without planted trouble, and how many of them are to be told."""
    lines, told = ["account_id,segment,potentially_impacted"], 0
    for number in range(accounts):
        account = CASE.maker.account(SEED, number)
        segment, impacted = account.cells["segment"] or "", account.cells["potentially_impacted"]
        lines.append(f"{account.account_id},{segment},{'' if impacted is None else str(impacted).lower()}")
        told += account.verdict.has_notice
    return "\n".join(lines).encode(), told
