"""What the readers of the tables' streams promise: a record is retried, isolated and in the end kept, never dropped."""

import json
from datetime import UTC, datetime
from fnmatch import fnmatch

import pytest

from kulanz.adapters.campaign_keys import META
from kulanz.adapters.incident_items import revision_item
from kulanz.domain.incident_record import Revision
from tests.template.resolved import Json, Stack, as_list, role_statements

STREAM_KEEPS_SECONDS = 24 * 3600
READERS_OF_A_STREAM_MOST = 2
"""More are throttled: a stream's shard serves two readers."""
REVISION = Revision("att-2024-02-22", 1, "Incident Declared", b"{}", "", datetime(2024, 2, 22, tzinfo=UTC), "billing")
LAMBDAS_KEY_OF_A_FAILED_BATCH = "aws/lambda/{mapping}/{shard}/2026/11/22/2026-11-22T10.00.00-{random}"


@pytest.fixture
def readers(stack: Stack) -> dict[tuple[str, str], Json]:
    """The mappings that read a stream, by their function and the stream."""
    return {
        (mapping["FunctionName"], mapping["EventSourceArn"].removesuffix(".StreamArn")): mapping
        for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values()
        if mapping["EventSourceArn"].endswith(".StreamArn")
    }


def matches(pattern: Json, value: Json) -> bool:
    """Lambda's event filter, as far as the template uses it."""
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            name in value and matches(item, value[name]) for name, item in pattern.items()
        )
    return any(
        value.startswith(choice["prefix"]) if isinstance(choice, dict) else value == choice
        for choice in as_list(pattern)
    )


def is_read(mapping: Json, event_name: str, sort_key: str) -> bool:
    image = "OldImage" if event_name == "REMOVE" else "NewImage"
    record = {"eventName": event_name, "dynamodb": {image: {"sk": {"S": sort_key}}}}
    patterns = [json.loads(choice["Pattern"]) for choice in mapping["FilterCriteria"]["Filters"]]
    return any(matches(pattern, record) for pattern in patterns)


DECISIONS = "PublishNoticesFunction", "CreditsTable"
REVISIONS = "PublishNoticesFunction", "CampaignsTable"
PROGRESS = "AdvanceCampaignFunction", "CampaignsTable"


def test_each_table_has_its_readers(readers: dict[tuple[str, str], Json]) -> None:
    assert set(readers) == {DECISIONS, REVISIONS, PROGRESS}


def test_no_stream_has_more_readers_than_it_serves(stack: Stack) -> None:
    sources = [mapping["EventSourceArn"] for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values()]
    assert all(sources.count(source) <= READERS_OF_A_STREAM_MOST for source in sources)


def test_nothing_that_was_written_before_the_reader_is_missed(readers: dict[tuple[str, str], Json]) -> None:
    assert {mapping["StartingPosition"] for mapping in readers.values()} == {"TRIM_HORIZON"}


def test_a_failing_record_is_retried_within_bounds_isolated_and_kept(readers: dict[tuple[str, str], Json]) -> None:
    for function, mapping in readers.items():
        assert 1 <= mapping["MaximumRetryAttempts"] <= 100, function
        assert 60 <= mapping["MaximumRecordAgeInSeconds"] < STREAM_KEEPS_SECONDS, function
        assert mapping["BisectBatchOnFunctionError"] is True, function
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"], function
        assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": "arn:ListBucket"}}, function


def test_the_role_may_keep_what_its_function_gave_up(stack: Stack, readers: dict[tuple[str, str], Json]) -> None:
    for function, _ in readers:
        role = stack.properties(function)["Role"].removeprefix("arn:")
        written = [
            resource.removeprefix("arn:ListBucket/")
            for statement in role_statements(stack, role)
            if "s3:PutObject" in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        ]
        assert any(fnmatch(LAMBDAS_KEY_OF_A_FAILED_BATCH, pattern) for pattern in written), function


def test_notices_follow_new_decisions_only(readers: dict[tuple[str, str], Json]) -> None:
    mapping = readers[DECISIONS]
    assert is_read(mapping, "INSERT", "DECISION#att-2024-02-22#-#001")
    assert not is_read(mapping, "MODIFY", "DECISION#att-2024-02-22#-#001")
    assert not is_read(mapping, "REMOVE", "DECISION#att-2024-02-22#-#001")
    assert not is_read(mapping, "INSERT", "OTHER#att-2024-02-22")


def test_a_campaign_advances_by_its_own_record_not_by_receipts(readers: dict[tuple[str, str], Json]) -> None:
    mapping = readers[PROGRESS]
    assert is_read(mapping, "INSERT", META)
    assert is_read(mapping, "MODIFY", META)
    assert not is_read(mapping, "REMOVE", META)
    assert not is_read(mapping, "INSERT", "RECEIPT#plan#00000000000000")


def test_status_notices_follow_recorded_revisions_only(readers: dict[tuple[str, str], Json]) -> None:
    mapping = readers[REVISIONS]
    assert is_read(mapping, "INSERT", revision_item(REVISION)["sk"]["S"])
    assert not is_read(mapping, "MODIFY", revision_item(REVISION)["sk"]["S"])
    assert not is_read(mapping, "INSERT", "INCIDENT")
    assert not is_read(mapping, "INSERT", META)
