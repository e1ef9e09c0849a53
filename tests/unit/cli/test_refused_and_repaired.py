"""`kulanz rejected` and `kulanz redrive`, on queues and a bucket that behave like AWS's."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from kulanz.application.ledger.answer import AnswerPorts
from kulanz_cli.main import main
from kulanz_cli.rejected import HIDDEN_SECONDS
from kulanz_cli.stack import Stack, StackOutputs
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_LINE, ROWS, event, list_of, row, small_world
from tests.support.world import BUCKET, World

HEADER_LINES = 1


class HalfStack(Stack):
    """A stack whose tables are a world in memory, and whose queues and bucket are moto's."""

    def __init__(self, world: World, outputs: StackOutputs) -> None:
        super().__init__("kulanz", make_client=boto3.Session(region_name="eu-central-1").client)
        self.world = world
        self._outputs = outputs

    def campaigns(self) -> Any:
        return self.world.campaigns

    def answers(self) -> AnswerPorts:
        return AnswerPorts(self.world.campaigns, self.world.lists, self.world.ledger)


@pytest.fixture
def stack() -> Iterator[HalfStack]:
    with mock_aws():
        sqs, s3 = boto3.client("sqs"), boto3.client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        fields = dict.fromkeys(StackOutputs.__dataclass_fields__, BUCKET)
        for name in fields:
            if name.endswith("_queue_url"):
                fields[name] = sqs.create_queue(QueueName=name)["QueueUrl"]
        yield HalfStack(small_world(), StackOutputs(**fields))


def run(stack: Stack, *words: str) -> Result:
    return CliRunner().invoke(main, words, obj=stack, prog_name="kulanz")


def refuse(stack: HalfStack, number: int, source: str = "billing") -> None:
    content = {
        "v": 1, "reason": "event_invalid", "field": "revision", "message": f"expected {number}", "source": source,
        "detail_type": "Incident Declared", "incident_id": f"i-{number}", "event_key": f"rejected/{number}.json",
        "received_at": "2026-03-01T09:00:00Z",
    }  # fmt: skip
    stack.client("sqs").send_message(QueueUrl=stack.outputs.rejected_queue_url, MessageBody=json.dumps(content))


def waiting(stack: HalfStack, queue_url: str) -> int:
    attributes = stack.client("sqs").get_queue_attributes(QueueUrl=queue_url, AttributeNames=["All"])["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


def test_looking_at_refused_events_takes_none_away(stack: HalfStack) -> None:
    for number in range(25):
        refuse(stack, number)
    assert HIDDEN_SECONDS > 0
    for _ in range(2):
        result = run(stack, "rejected", "--json")
        assert result.exit_code == 1
        assert {item["incident_id"] for item in json.loads(result.output)["rejected"]} == {f"i-{n}" for n in range(25)}
        assert waiting(stack, stack.outputs.rejected_queue_url) == 25


def test_what_was_seen_and_done_is_taken_out(stack: HalfStack) -> None:
    refuse(stack, 1)
    assert "event_invalid (revision): expected 1" in read(run(stack, "rejected", "--done").output)
    assert waiting(stack, stack.outputs.rejected_queue_url) == 0
    result = run(stack, "rejected")
    assert (result.exit_code, result.output) == (0, "no event was refused\n")


def test_a_refused_event_cannot_write_to_the_terminal(stack: HalfStack) -> None:
    refuse(stack, 1, source="\x1b[2Jbilling\n")
    output = run(stack, "rejected").output
    assert "\x1b" not in output
    assert [line[:1] for line in output.splitlines()][1:] == [" "]


def test_rejected_rows_are_told_by_their_line_in_the_file(stack: HalfStack) -> None:
    stack.world.publish(event(rows=ROWS))
    stack.world.run_until_quiet()
    for key, content in stack.world.archive.documents.items():
        stack.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    result = run(stack, "rejected", CAMPAIGN, "--json")
    assert result.exit_code == 1
    found = {item["line"]: item["reason"] for item in json.loads(result.output)["rejected"]}
    lines = list(EVERY_KIND_OF_LINE)
    rejected = {HEADER_LINES + number for number, name in enumerate(lines, 1) if name.startswith("rejected")}
    assert {line for line, reason in found.items() if reason != "conflict"} == rejected
    conflicts = {HEADER_LINES + lines.index(name) + 1 for name in lines if name.startswith("listed with other facts")}
    assert {line for line, reason in found.items() if reason == "conflict"} < conflicts
    first = json.loads(run(stack, "rejected", CAMPAIGN, "--json", "--limit", "3").output)["rejected"]
    assert first == json.loads(result.output)["rejected"][:3]
    assert "expected" in run(stack, "rejected", CAMPAIGN).output


def test_rejected_rows_of_a_list_that_was_deleted_are_told_by_their_byte_alone(stack: HalfStack) -> None:
    stack.world.publish(event(rows=ROWS))
    stack.world.run_until_quiet()
    for key, content in stack.world.archive.documents.items():
        stack.client("s3").put_object(Bucket=BUCKET, Key=key, Body=content)
    pinned = stack.world.campaign(CAMPAIGN).pinned
    stack.world.lists.delete_version(pinned.key, pinned.version_id)
    told = run(stack, "rejected", CAMPAIGN)
    assert told.exit_code == 1
    assert told.output.startswith("byte ")
    found = json.loads(run(stack, "rejected", CAMPAIGN, "--json").output)["rejected"]
    assert len(found) == sum(line.startswith("byte ") for line in told.output.splitlines())
    assert {item["line"] for item in found} == {None}


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_a_campaign_that_was_refused_as_a_whole_is_a_no_although_no_row_of_it_is_wrong(
    stack: HalfStack, form: tuple[str, ...]
) -> None:
    stack.world.lists.upload("lists/good.csv", list_of([row("a-1"), row("a-2")]))
    stack.world.publish(event(rows=3, key="lists/good.csv"))
    stack.world.run_until_quiet()
    assert not [key for key in stack.world.archive.documents if "problems" in key]
    result = run(stack, "rejected", CAMPAIGN, *form)
    assert result.exit_code == 1
    if form:
        content = json.loads(result.output)
        assert (content["rejected"], content["refused"][:12]) == ([], "rows_differ:")
    else:
        assert "was refused as a whole, and nobody was credited: rows_differ:" in read(result.output)


@pytest.mark.parametrize(("words", "code"), [(("rejected", "nothing"), 2), (("rejected", "other/1"), 3),
                                             (("rejected", "other/1", "--done"), 2)])  # fmt: skip
def test_a_campaign_that_is_none_is_an_error(stack: HalfStack, words: tuple[str, ...], code: int) -> None:
    assert run(stack, *words).exit_code == code


@pytest.mark.parametrize("queue", ["incidents", "chunks"])
def test_dead_letters_are_moved_back_word_for_word(stack: HalfStack, queue: str) -> None:
    source, target = (
        getattr(stack.outputs, f"{queue}_dead_letter_queue_url"),
        getattr(stack.outputs, f"{queue}_queue_url"),
    )
    bodies = {json.dumps({"number": number}) for number in range(23)}
    for body in bodies:
        stack.client("sqs").send_message(QueueUrl=source, MessageBody=body)
    result = run(stack, "redrive", queue, "--json")
    assert json.loads(result.output) == {"v": 1, "queue": queue, "moved": 23}
    assert (waiting(stack, source), waiting(stack, target)) == (0, 23)
    received = set()
    while messages := stack.client("sqs").receive_message(QueueUrl=target, MaxNumberOfMessages=10).get("Messages"):
        received |= {message["Body"] for message in messages}
    assert received == bodies
    assert run(stack, "redrive", queue).output.startswith("0 messages")
