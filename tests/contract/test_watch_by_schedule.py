"""advance_campaign by its schedule, with its own adapters: lists what an older release wrote, and looks at it all."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from advance_campaign import handler
from kulanz.adapters.campaign_keys import META
from kulanz.adapters.table_policies import closing_policy
from kulanz.application.ledger.confirm_tables import confirm_tables
from kulanz.domain.campaigns.campaign import Pass, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.confirmation import Occasion
from tests.contract.backends import AwsBackend
from tests.contract.conftest import BACKENDS
from tests.contract.test_campaign_index import open_campaign
from tests.contract.test_older_items import as_an_older_release_left_it, older_change
from tests.contract.test_troubles import given_up
from tests.support.values import FIRST, change

pytestmark = pytest.mark.parametrize("emulator", BACKENDS[1:], indirect=True)
CONTEXT: Any = SimpleNamespace(
    function_name="advance_campaign",
    function_version="1",
    memory_limit_in_mb=1769,
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:advance_campaign",
    aws_request_id="00000000-0000-0000-0000-000000000000",
    get_remaining_time_in_millis=lambda: 300_000,
)


@pytest.fixture
def backend_of_function(emulator: AwsBackend, monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsBackend]:
    settings = {
        "CREDITS_TABLE": emulator.credits_table,
        "CAMPAIGNS_TABLE": emulator.campaigns_table,
        "LIST_BUCKET": emulator.bucket,
        "CHUNK_QUEUE_URL": emulator.chunk_queue,
        "BUS_NAME": "default",
        "CREDITS_WRITERS": "arn:aws:iam::123456789012:role/grant,arn:aws:iam::123456789012:role/api",
        "CAMPAIGNS_WRITERS": "arn:aws:iam::123456789012:role/grant",
        "NOTICES_PER_MESSAGE": "100",
        "TARGET_WRITE_RATE": "4000",
        "WARN_BEFORE_DAYS": "3",
        "LONE_OPERATOR": "false",
        "BUDGET_ZONE": "UTC",
        "POWERTOOLS_METRICS_NAMESPACE": "Kulanz",
        "POWERTOOLS_SERVICE_NAME": "kulanz",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for table, writers in ((emulator.credits_table, "CREDITS"), (emulator.campaigns_table, "CAMPAIGNS")):
        close(emulator, table, settings[f"{writers}_WRITERS"].split(","))
    confirm_tables(emulator.stores, Occasion.FIRST, "a person", "a new stack", datetime.now(UTC))
    handler._delivering.cache_clear()
    handler._composed.cache_clear()
    handler._watching.cache_clear()
    handler._settling.cache_clear()
    handler._voiding.cache_clear()
    handler._answering.cache_clear()
    handler._keeping_back.cache_clear()
    handler._second_persons.cache_clear()
    yield emulator
    handler._delivering.cache_clear()
    handler._composed.cache_clear()
    handler._watching.cache_clear()
    handler._settling.cache_clear()
    handler._voiding.cache_clear()
    handler._answering.cache_clear()
    handler._keeping_back.cache_clear()
    handler._second_persons.cache_clear()


def close(aws: AwsBackend, table: str, writers: list[str]) -> None:
    arn = aws.dynamodb.describe_table(TableName=table)["Table"]["TableArn"]
    aws.dynamodb.put_resource_policy(ResourceArn=arn, Policy=json.dumps(closing_policy(writers)))


def waiting(printed: str) -> int:
    """The figure of the metric that the alarm watches."""
    figures = [json.loads(line) for line in printed.splitlines() if "CampaignsWaitingForAPerson" in line]
    return int(figures[-1]["CampaignsWaitingForAPerson"][0])


def watch(capsys: pytest.CaptureFixture[str]) -> int:
    schedule: dict[str, Any] = {"source": "aws.events", "detail-type": "Scheduled Event", "id": "1", "detail": {}}
    assert handler.handle(schedule, CONTEXT) is None
    return waiting(capsys.readouterr().out)


def test_what_waits_is_counted_also_of_an_older_release(
    backend_of_function: AwsBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = backend_of_function
    new = open_campaign(aws, FIRST.incident_id)
    open_campaign(aws, "at-work")
    aws.campaigns.change_state(new, change(new, State.PAUSED))
    as_an_older_release_left_it(aws)

    assert watch(capsys) == 1
    assert [one.id.incident_id for one in aws.index.open_campaigns()] == ["at-work", FIRST.incident_id]
    assert [one.chunk for one in aws.chunks_received(3)] == [0, 1, 2], "chunks that were never sent"


def test_an_execution_that_an_older_release_began_without_a_filed_plan_goes_on(
    backend_of_function: AwsBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = backend_of_function
    new = open_campaign(aws, FIRST.incident_id)
    aws.campaigns.change_state(new, older_change(new, State.APPLYING))
    as_an_older_release_left_it(aws)

    assert watch(capsys) == 0
    assert [one.state for one in aws.index.open_campaigns()] == [State.APPLYING]
    assert [(one.work, one.chunk) for one in aws.chunks_received(3)] == [(Pass.APPLY, chunk) for chunk in range(3)]


def test_what_was_given_up_waits_until_it_is_repaired(
    backend_of_function: AwsBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = backend_of_function
    open_campaign(aws, FIRST.incident_id)
    places = [("ACCOUNT#a-1", f"DECISION#{FIRST.incident_id}#-#001"), ("CAMPAIGN#net-outage#001", META)]
    aws.upload("aws/lambda/mapping/shard/1", given_up(*places))

    assert watch(capsys) == 1
    assert watch(capsys) == 1
    (trouble,) = aws.troubles.troubles()
    assert (trouble.kind, trouble.on) == (TroubleKind.NOTICES, str(FIRST))
    assert aws.campaigns.waiting() == [FIRST]


def test_a_table_whose_policy_was_changed_or_removed_waits_until_it_is_put_back(
    backend_of_function: AwsBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = backend_of_function
    writers = ["arn:aws:iam::123456789012:role/api", "arn:aws:iam::123456789012:role/grant"]
    assert watch(capsys) == 0
    close(aws, aws.credits_table, [*writers, "arn:aws:iam::123456789012:role/mine"])
    assert watch(capsys) == 1
    arn = aws.dynamodb.describe_table(TableName=aws.campaigns_table)["Table"]["TableArn"]
    aws.dynamodb.delete_resource_policy(ResourceArn=arn)
    assert watch(capsys) == 2
    assert [one.on for one in aws.troubles.troubles()] == ["CampaignsTable", "CreditsTable"]

    close(aws, aws.credits_table, writers)
    close(aws, aws.campaigns_table, writers[1:])
    assert watch(capsys) == 0


def test_a_plan_that_one_person_alone_approved_rings_its_alarm_once_and_waits_for_nobody(
    backend_of_function: AwsBackend, capsys: pytest.CaptureFixture[str]
) -> None:
    """The figure comes before the note that it came: a function that dies in between rings again."""
    aws = backend_of_function
    approved_at = datetime.now(UTC)
    aws.troubles.note(TroubleKind.GLASS_BROKEN, str(FIRST), approved_at)
    schedule: dict[str, Any] = {"source": "aws.events", "detail-type": "Scheduled Event", "id": "1", "detail": {}}
    rang = []
    for _ in range(3):
        assert handler.handle(schedule, CONTEXT) is None
        printed = capsys.readouterr().out
        assert waiting(printed) == 0
        rang.append([json.loads(line)["GlassBroken"] for line in printed.splitlines() if '"GlassBroken"' in line])
    assert rang == [[[1.0]], [], []]
    (trouble,) = aws.troubles.troubles()
    assert (trouble.kind, trouble.since) == (TroubleKind.GLASS_BROKEN, approved_at)
