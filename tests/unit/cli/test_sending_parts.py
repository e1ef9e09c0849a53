"""`kulanz send --list` takes a list in parts, and prepares files by a profile: what is pinned is what was looked at."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kulanz.domain.campaigns.campaign import State
from kulanz_cli import list_parts, send
from kulanz_cli.send import Uploaded
from tests.support.small_campaign import CAMPAIGN, HEADER, event, row, small_world
from tests.support.world import BUCKET, World
from tests.support.world_stack import WorldStack, run

HEADER_LINE = HEADER + b"\n"
PROFILE = """
kulanz: 1
profile: crm
title: Accounts as the CRM writes them
encoding: windows-1252
dialect: {delimiter: ";"}
schema:
  fields:
    - {name: account_id, from: Konto}
    - {name: segment, from: Art, values: {Privat: consumer, Firma: business}}
    - {name: affected, constant: "yes"}
    - {name: fee, from: Gebühr, decimalChar: ","}
    - {name: language, constant: de}
"""


class Bucket:
    """S3 and the bus over the lists of a world; `stops_after` uploads it fails."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.heads: dict[str, dict[str, Any]] = {}
        self.uploaded: list[str] = []
        self.stops_after = 10**6

    def upload(self, path: Path, bucket: str, key: str, metadata: Mapping[str, str] = MappingProxyType({})) -> Uploaded:
        assert bucket == BUCKET
        if len(self.uploaded) >= self.stops_after:
            raise ClientError({"Error": {"Code": "SlowDown"}}, "PutObject")
        self.uploaded.append(key)
        made = self._put(key, path.read_bytes(), dict(metadata))
        return Uploaded(made["VersionId"], made["ETag"])

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == BUCKET
        return self._put(Key, Body, {})

    def _put(self, key: str, content: bytes, metadata: dict[str, str]) -> dict[str, Any]:
        version = self.world.lists.upload(key, content)
        pinned = self.world.lists.pin(BUCKET, key, version)
        self.heads[key] = {
            "VersionId": version, "ETag": pinned.etag, "ContentLength": pinned.size, "Metadata": metadata,
        }  # fmt: skip
        return self.heads[key]

    def head_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == BUCKET
        if Key not in self.heads:
            raise ClientError({"Error": {"Code": "404"}}, "HeadObject")
        return self.heads[Key]


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> WorldStack:
    monkeypatch.setattr(send, "upload_file", Bucket.upload)
    monkeypatch.setattr(list_parts, "upload_file", Bucket.upload)
    world = small_world()
    stack, bucket = WorldStack(world), Bucket(world)
    stack._clients = dict.fromkeys(("s3",), bucket)
    return stack


def bucket(stack: WorldStack) -> Bucket:
    found: Bucket = stack._clients["s3"]
    return found


def event_file(folder: Path) -> str:
    told = event(rows=1)
    del told["id"], told["detail"]["campaign"]["affected"]
    (folder / "event.json").write_text(json.dumps(told))
    return str(folder / "event.json")


def parts(folder: Path, *contents: bytes) -> Path:
    """A folder with parts."""
    into = folder / "net outage"
    into.mkdir(exist_ok=True)
    for number, rows in enumerate(contents, 1):
        (into / f"part-{number:05d}.csv").write_bytes(rows)
    return into


def whole(*names: str) -> bytes:
    return HEADER_LINE + b"".join(row(name) + b"\n" for name in names)


def test_a_folder_of_parts_is_one_list(stack: WorldStack, tmp_path: Path) -> None:
    folder = parts(tmp_path, whole("a-1", "a-2"), whole("a-3"))
    result = run(stack, "send", event_file(tmp_path), "--list", str(folder))
    assert result.exit_code == 0, result.output
    assert "2 parts are uploaded as lists/net-outage.csv.manifest.json" in " ".join(result.stdout.split())
    stack.world.run_until_quiet()
    campaign = stack.world.campaign(CAMPAIGN)
    assert (campaign.state, campaign.rows_announced) == (State.CLOSED, 3)
    assert stack.world.ask("a-3").decisions


def test_an_upload_that_was_interrupted_goes_on_where_it_stopped(stack: WorldStack, tmp_path: Path) -> None:
    folder = parts(tmp_path, whole("a-1"), whole("a-2"), whole("a-3"))
    bucket(stack).stops_after = 2
    assert run(stack, "send", event_file(tmp_path), "--list", str(folder)).exit_code == 3
    bucket(stack).stops_after = 10
    assert run(stack, "send", event_file(tmp_path), "--list", str(folder)).exit_code == 0
    assert bucket(stack).uploaded == [f"lists/net-outage/part-{number:05d}.csv" for number in (1, 2, 3)]
    assert stack.world.campaign(CAMPAIGN).rows_announced == 3


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (HEADER_LINE.replace(b"fee", b"fie") + row("a-2") + b"\n", "part-00002.csv has another header"),
        (HEADER_LINE + row("a-2"), "part-00002.csv ends within a line"),
        (b"account_id", "part-00002.csv has no header line"),
        (whole("a-1"), "have the same content"),
    ],
)
def test_parts_that_are_not_one_list_are_not_sent(
    stack: WorldStack, tmp_path: Path, second: bytes, expected: str
) -> None:
    folder = parts(tmp_path, whole("a-1"), second)
    result = run(stack, "send", event_file(tmp_path), "--list", str(folder))
    assert result.exit_code == 3
    assert expected in " ".join(result.stderr.split())
    assert stack.world.campaigns.incident("net-outage") is None


def test_files_are_prepared_by_their_profile_and_the_report_comes_first(stack: WorldStack, tmp_path: Path) -> None:
    (tmp_path / "crm.profile.yaml").write_text(PROFILE)
    export = tmp_path / "export.csv"
    export.write_bytes("Konto;Art;Gebühr\nK-1;Privat;29,90\nK-2;Firma;10,00\n".encode("cp1252"))
    words = [event_file(tmp_path), "--list", str(export), "--list-profile", str(tmp_path / "crm.profile.yaml")]
    result = run(stack, "send", *words)
    assert result.exit_code == 0, result.output
    assert "1 file, 2 rows read" in result.stderr
    assert "39.90  39.90" in result.stderr
    assert stack.world.campaign(CAMPAIGN).rows_announced == 2


def test_files_with_a_row_that_cannot_be_read_are_not_sent_unasked(stack: WorldStack, tmp_path: Path) -> None:
    (tmp_path / "crm.profile.yaml").write_text(PROFILE)
    export = tmp_path / "export.csv"
    rows = "".join(f"K-{number};Privat;29,90\n" for number in range(200))
    export.write_bytes(f"Konto;Art;Gebühr\n{rows}K-x;Privat;29.9O\n".encode("cp1252"))
    words = [event_file(tmp_path), "--list", str(export), "--list-profile", str(tmp_path / "crm.profile.yaml")]
    result = run(stack, "send", *words)
    assert result.exit_code == 3
    assert "nothing was sent: 1 row cannot be read" in " ".join(result.stderr.split())
    assert not bucket(stack).uploaded
