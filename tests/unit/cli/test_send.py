"""What `kulanz send` makes of a file before anything reaches the bus."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws

from kulanz.application.door.problems import Kind
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import is_blank, lines_starting_in
from kulanz_cli import event_file
from kulanz_cli import send as module
from kulanz_cli.door import DoorProblem
from kulanz_cli.event_file import EventUnsendable, read_event, rows_in
from kulanz_cli.send import Uploaded, send, with_decision_digest, with_list
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


@pytest.mark.parametrize("how", [error("SlowDown", 503), OSError("gone"), KeyboardInterrupt(), SystemExit(1)])
def test_an_upload_that_breaks_off_leaves_no_parts_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: BaseException
) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 1)
    path = tmp_path / "list.csv"
    path.write_bytes(ROWS)
    aborted: list[str] = []
    answers = iter([{"ETag": "e"}])

    def upload_part(**_: Any) -> Any:
        if (answer := next(answers, None)) is None:
            raise how
        return answer

    s3 = Scripted(
        create_multipart_upload=[{"UploadId": "u"}],
        upload_part=upload_part,
        abort_multipart_upload=lambda **of: aborted.append(of["UploadId"]),
    )
    with pytest.raises(type(how)):
        UPLOAD(s3, path, "lists", "lists/list.csv")
    assert aborted == ["u"]


def put(**of: Any) -> dict[str, Any]:
    """What S3 answers to whatever is uploaded."""
    return {"VersionId": "v-9", "ETag": f"etag-{of.get('PartNumber', 'whole')}", "UploadId": "u"}


@pytest.mark.parametrize(("size", "parts"), [(0, 0), (3, 0), (4, 0), (5, 2), (8, 2), (9, 3)])
def test_a_file_of_more_than_a_part_is_uploaded_in_parts_each_by_its_number(
    size: int, parts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PART_BYTES", 4)
    path = tmp_path / "list.csv"
    path.write_bytes(b"abcdefghi"[:size])
    s3 = Scripted(put_object=put, create_multipart_upload=put, upload_part=put, complete_multipart_upload=put)
    assert UPLOAD(s3, path, "the-bucket", "the-key", {"of": "it"}) == Uploaded("v-9", "etag-whole")
    of, metadata = {"Bucket": "the-bucket", "Key": "the-key"}, {"Metadata": {"of": "it"}}
    if not parts:
        ((asked),) = s3.asked
        assert {name: value for name, value in asked.items() if name != "Body"} == {**of, **metadata}
        return
    begun, *sent, ended = s3.asked
    assert begun == {**of, **metadata}
    assert sent == [
        {**of, "UploadId": "u", "PartNumber": number, "Body": b"abcdefghi"[:size][4 * number - 4 : 4 * number]}
        for number in range(1, parts + 1)
    ]
    numbered = [{"PartNumber": number, "ETag": f"etag-{number}"} for number in range(1, parts + 1)]
    assert ended == {**of, "UploadId": "u", "MultipartUpload": {"Parts": numbered}}


DIGEST = "ab" * 32


class Revisions(Stack):
    """A stack whose API knows revision 2 of in-7 alone."""

    def __init__(self, problem: DoorProblem | None = None) -> None:
        super().__init__("kulanz")
        self.problem = problem
        self.asked: list[Any] = []

    def door(self) -> Any:
        return self

    def ask(self, use: str, **values: object) -> dict[str, str]:
        self.asked.append((use, values))
        if self.problem is not None:
            raise self.problem
        if values != {"incident": "in-7", "revision": 2}:
            raise DoorProblem("there is none", Kind.UNKNOWN)
        return {"decision_digest": DIGEST}


def request(**detail: Any) -> dict[str, Any]:
    return {"source": "billing", "detail-type": "Campaign Requested", "detail": {"incident_id": "in-7", **detail}}


def test_a_request_names_the_digest_of_its_own_revision_unless_it_states_one() -> None:
    stack = Revisions()
    asked = with_decision_digest(request(revision=2), stack)
    assert asked == request(revision=2, decision_digest=DIGEST)
    assert stack.asked == [("incidents.revision", {"incident": "in-7", "revision": 2})]
    for unchanged in (request(revision=3, decision_digest="cd" * 32), {**request(revision=2), "detail-type": "Other"}):
        assert with_decision_digest(unchanged, stack) == unchanged
    for wrong in ({"revision": 3}, {"revision": 0}, {"revision": -1}, {"revision": "2"}, {}, {"incident_id": 7}):
        with pytest.raises(EventUnsendable, match="no such revision"):
            with_decision_digest(request(**{"revision": 2, **wrong} if "incident_id" in wrong else wrong), stack)
    assert len(stack.asked) == 2, "only what can be a revision is asked for"
    with pytest.raises(DoorProblem, match="try again"):
        with_decision_digest(request(revision=2), Revisions(DoorProblem("try again")))


@pytest.mark.parametrize("over", [0, 1])
def test_an_event_is_as_long_as_the_bus_takes_it_in_bytes_and_no_longer(
    over: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded()
    event = event_with_list(tmp_path, recorded)
    event["detail"]["title"] = "Störung"
    long = len(json.dumps(event["detail"], ensure_ascii=False).encode())
    monkeypatch.setattr(module, "EVENT_BYTES", long - over)
    if over:
        with pytest.raises(EventUnsendable, match=f"over {long - over} bytes"):
            send(event, stack_over(recorded))
        assert recorded.entries == []
        return
    sent = send(event, stack_over(recorded))
    (entry,) = recorded.entries
    assert (entry["Source"], entry["DetailType"]) == (event["source"], event["detail-type"])
    assert sent.detail_type == event["detail-type"]


def test_an_event_without_a_campaign_announces_no_rows_and_a_bus_that_fails_is_said(tmp_path: Path) -> None:
    recorded = Recorded()
    event = event_with_list(tmp_path, recorded)
    del event["detail"]["campaign"]
    assert send(event, stack_over(recorded)).rows is None
    stack = stack_over(recorded)
    stack._clients["events"] = Scripted(put_events=[error("AccessDeniedException")])
    with pytest.raises(EventUnsendable, match=r"the bus did not take the event: .*AccessDeniedException"):
        send(event, stack)
