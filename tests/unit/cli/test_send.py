"""What `kulanz send` makes of a file before anything reaches the bus."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import is_blank, lines_starting_in
from kulanz_cli import event_file
from kulanz_cli import send as module
from kulanz_cli.event_file import EventUnsendable, read_event, rows_in
from kulanz_cli.send import Uploaded, send, with_list
from kulanz_cli.stack import Stack, StackOutputs
from kulanz_local.cases import ATT
from tests.support.scripted import Scripted, error

UPLOAD = module.upload_file
SMALLEST_PART = 5 * 1024 * 1024
"""Of S3, for every part but the last."""
ROWS = b"account_id,segment\n1,business\n2,prepaid\n"


class Recorded:
    """S3 and EventBridge, as far as sending calls them."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.uploads: list[tuple[str, str, str]] = []
        self.entries: list[dict[str, Any]] = []
        self._refuses = refuses

    def upload(self, path: Path, bucket: str, key: str) -> Uploaded:
        self.uploads.append((str(path), bucket, key))
        return Uploaded("v1", "etag")

    def put_events(self, *, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - boto3's name
        self.entries += Entries
        return {"Entries": [{"ErrorCode": "ThrottlingException"} if self._refuses else {"EventId": "event-1"}]}


@pytest.fixture(autouse=True)
def recorded_uploads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "upload_file", Recorded.upload)


def stack_over(recorded: Recorded) -> Stack:
    stack = Stack("kulanz")
    stack._outputs = StackOutputs(**{name: name for name in StackOutputs.__dataclass_fields__})
    stack._clients = {"s3": recorded, "events": recorded}
    return stack


def event_with_list(tmp_path: Path, recorded: Recorded, rows: int | None = None) -> dict[str, Any]:
    path = tmp_path / "list.csv"
    path.write_bytes(ROWS)
    return with_list(read_event(ATT.event), stack_over(recorded), path, rows)


def test_an_event_names_the_uploaded_version_and_its_rows(tmp_path: Path) -> None:
    recorded = Recorded()
    event = event_with_list(tmp_path, recorded)
    assert recorded.uploads == [(str(tmp_path / "list.csv"), "list_bucket_name", ATT.key)]
    affected = event["detail"]["campaign"]["affected"]
    assert affected == {"s3": {"bucket": "list_bucket_name", "key": ATT.key, "version_id": "v1"}, "rows": 2}
    sent = send(event, stack_over(recorded))
    assert (sent.event_id, sent.incident_id, sent.rows) == ("event-1", ATT.incident_id, 2)
    (entry,) = recorded.entries
    assert entry["EventBusName"] == "event_bus_name"
    assert json.loads(entry["Detail"]) == event["detail"]


def test_the_publishers_own_count_is_announced_where_it_is_given(tmp_path: Path) -> None:
    event = event_with_list(tmp_path, Recorded(), rows=3)
    assert event["detail"]["campaign"]["affected"]["rows"] == 3


def test_an_event_that_breaks_the_contract_does_not_reach_the_bus() -> None:
    recorded = Recorded()
    with pytest.raises(EventUnsendable, match=r"campaign\.affected"):
        send(read_event(ATT.event), stack_over(recorded))
    assert recorded.entries == []


def test_an_event_that_the_bus_refuses_is_told(tmp_path: Path) -> None:
    recorded = Recorded(refuses=True)
    event = event_with_list(tmp_path, recorded)
    with pytest.raises(EventUnsendable, match="ThrottlingException; try again"):
        send(event, stack_over(recorded))


def test_a_list_belongs_to_a_campaign(tmp_path: Path) -> None:
    event = read_event(ATT.event)
    del event["detail"]["campaign"]
    with pytest.raises(EventUnsendable, match=r"no detail\.campaign"):
        with_list(event, stack_over(Recorded()), tmp_path / "list.csv", None)


@pytest.mark.parametrize(
    "content", ["[]", "{}", '{"source": "billing", "detail-type": "Incident Declared", "detail": []}', "not JSON"]
)
def test_a_file_that_is_no_event_is_told(content: str, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    path.write_text(content)
    with pytest.raises(EventUnsendable, match=r"event\.json"):
        read_event(path)


@given(
    pieces=st.lists(st.sampled_from([b"\n", b"\r\n", b"a", b"bc", b'"', b",", b" "])),
    block=st.integers(1, 4),
    list_format=st.sampled_from(ListFormat),
)
def test_rows_are_counted_as_a_campaign_counts_them(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes], block: int, list_format: ListFormat
) -> None:
    header = b"account_id\n" if list_format is ListFormat.CSV else b""
    content = header + b"".join(pieces)
    path = tmp_path_factory.mktemp("list") / "list.jsonl"
    path.write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(event_file, "READ_BYTES", block)
        counted = rows_in(path, list_format)
    lines = lines_starting_in([content], 0, 0, len(content), 0)
    rows = sum(not is_blank(line.raw, is_csv=list_format is ListFormat.CSV) for line in lines)
    assert counted == rows - (list_format is ListFormat.CSV)


@pytest.mark.parametrize("size", [0, 1, SMALLEST_PART, SMALLEST_PART + 1, 2 * SMALLEST_PART + 1])
def test_an_upload_is_the_file_in_the_version_that_is_named(
    size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_BYTES", SMALLEST_PART)
    path, content = tmp_path / "list.csv", (ROWS * (1 + size // len(ROWS)))[:size]
    path.write_bytes(content)
    with mock_aws():
        s3 = Stack("kulanz", region="eu-central-1").client("s3")
        s3.create_bucket(Bucket="lists", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        s3.put_bucket_versioning(Bucket="lists", VersioningConfiguration={"Status": "Enabled"})
        version = UPLOAD(s3, path, "lists", "lists/list.csv").version_id
        s3.put_object(Bucket="lists", Key="lists/list.csv", Body=b"somebody else's, at the same time")
        found = s3.get_object(Bucket="lists", Key="lists/list.csv", VersionId=version)
        assert found["Body"].read() == content


def test_an_upload_that_breaks_off_leaves_no_parts_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 1)
    path = tmp_path / "list.csv"
    path.write_bytes(ROWS)
    aborted: list[str] = []
    s3 = Scripted(
        create_multipart_upload=[{"UploadId": "u"}],
        upload_part=[{"ETag": "e"}, error("SlowDown", 503)],
        abort_multipart_upload=lambda **of: aborted.append(of["UploadId"]),
    )
    with pytest.raises(ClientError):
        UPLOAD(s3, path, "lists", "lists/list.csv")
    assert aborted == ["u"]
