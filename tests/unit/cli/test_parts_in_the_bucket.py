"""`kulanz send --list-prefix` takes parts that lie in the bucket already, each in its current version."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.lists.manifest import read_manifest
from kulanz_cli.bucket_parts import NAMED, PinnedParts, _current, pinned_parts
from tests.support.small_campaign import CAMPAIGN, HEADER, event, row, small_world
from tests.support.world import BUCKET, World
from tests.support.world_stack import WorldStack, run

FOLDER = "lists/net-outage/"
HEADER_LINE = HEADER + b"\n"


def whole(*names: str) -> bytes:
    return HEADER_LINE + b"".join(row(name) + b"\n" for name in names)


class Bucket:
    """S3 over the lists of a world, as far as the command uses it."""

    def __init__(self, world: World) -> None:
        self.lists = world.lists

    def get_paginator(self, operation: str) -> "Bucket":
        assert operation == "list_object_versions"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:  # noqa: N803
        assert Bucket == BUCKET
        yield self.lists.listed(Prefix)

    def get_object(self, *, Bucket: str, Key: str, VersionId: str, Range: str) -> dict[str, Any]:  # noqa: N803
        assert Range.startswith("bytes=0-")
        pinned = self.lists.pin(Bucket, Key, VersionId)
        return {"Body": io.BytesIO(b"".join(self.lists.read(pinned, 0, int(Range.rpartition("-")[2]) + 1)))}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes, **_: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == BUCKET
        return {"VersionId": self.lists.upload(Key, Body)}


@pytest.fixture
def stack() -> WorldStack:
    world = small_world()
    stack = WorldStack(world)
    stack._clients = {"s3": Bucket(world)}
    return stack


@pytest.fixture
def sent(tmp_path: Path) -> str:
    told = event(rows=1)
    del told["id"], told["detail"]["campaign"]["affected"]
    (tmp_path / "event.json").write_text(json.dumps(told))
    return str(tmp_path / "event.json")


def test_a_part_that_was_deleted_once_and_is_there_again_is_in_the_list_without_a_note() -> None:
    latest, earlier = {"IsLatest": True}, {"IsLatest": False}
    version = {"VersionId": "v-1", "ETag": "e-1", "Size": 9}
    page = {
        "Versions": [{"Key": "again", **latest, **version}, {"Key": "gone", **earlier, **version}],
        "DeleteMarkers": [{"Key": "again", **earlier}, {"Key": "gone", **latest}],
    }

    class Listed:
        def get_paginator(self, _: str) -> "Listed":
            return self

        def paginate(self, **_: str) -> Iterator[dict[str, Any]]:
            yield page

    found, empty, deleted = _current(Listed(), "bucket", "lists/")
    assert ([part.key for part in found], empty, deleted) == (["again"], [], ["gone"])


@pytest.mark.parametrize(("keys", "is_more"), [(NAMED - 1, False), (NAMED, False), (NAMED + 1, True)])
def test_a_note_names_some_objects_and_says_that_there_are_more_only_where_there_are(keys: int, is_more: bool) -> None:
    empty = [f"empty-{number}" for number in range(keys)]
    (note,) = PinnedParts({}, [], empty, []).notes()
    assert note.endswith(f", {keys:,}: {', '.join(empty[:NAMED])}{' and more' * is_more}")
    (note,) = PinnedParts({}, [], [], ["gone"]).notes()
    assert note == "note: objects that were deleted in the bucket are not in the list, 1: gone"


def test_the_campaign_reads_what_was_there_when_the_command_ran(stack: WorldStack, sent: str) -> None:
    lists = stack.world.lists
    lists.upload(f"{FOLDER}part-2.csv", whole("a-9"))
    lists.upload(f"{FOLDER}part-2.csv", whole("a-3"))
    lists.upload(f"{FOLDER}part-1.csv", whole("a-1", "a-2"))
    lists.upload(f"{FOLDER}_SUCCESS", b"")
    lists.upload(f"{FOLDER}part-0.csv", whole("a-8"))
    lists.delete(f"{FOLDER}part-0.csv")
    lists.upload("lists/net-outage-2/part-1.csv", whole("a-7"))
    result = run(stack, "send", sent, "--list-prefix", FOLDER, "--rows", "3")
    assert result.exit_code == 0, result.output
    assert f"2 parts under {FOLDER}: lists/net-outage.csv.manifest.json" in " ".join(result.stdout.split())
    notes = " ".join(result.stderr.split())
    assert f"have no bytes are not in the list, 1: {FOLDER}_SUCCESS" in notes
    assert f"were deleted in the bucket are not in the list, 1: {FOLDER}part-0.csv" in notes
    lists.upload(f"{FOLDER}part-1.csv", whole("a-6"))
    lists.delete(f"{FOLDER}part-2.csv")
    stack.world.run_until_quiet()
    campaign = stack.world.campaign(CAMPAIGN)
    assert (campaign.state, campaign.rows_announced) == (State.CLOSED, 3)
    decided = [name for name in ("a-1", "a-2", "a-3", "a-6", "a-7", "a-8", "a-9") if stack.world.ask(name).decisions]
    assert decided == ["a-1", "a-2", "a-3"]


def test_the_same_command_again_is_the_same_list(stack: WorldStack) -> None:
    stack.world.lists.upload(f"{FOLDER}part-1.csv", whole("a-1"))
    first, again = (pinned_parts(stack, FOLDER) for _ in range(2))
    assert first.parts == again.parts


WRONG: Sequence[tuple[str, Callable[[Any], None], str]] = (
    (FOLDER, lambda _: None, f"there is no part under {FOLDER}"),
    ("lists/net-outage", lambda _: None, "with the slash at its end"),
    ("lists/", lambda _: None, "is no folder of lists"),
    ("policies/acme/", lambda _: None, "is no folder of lists"),
    (FOLDER, lambda lists: lists.upload(f"{FOLDER}b.csv", whole("a-1")), "have the same content"),
    (FOLDER, lambda lists: lists.upload(f"{FOLDER}b.csv", b"account_id"), "b.csv is shorter than the header"),
    (FOLDER, lambda lists: lists.upload(f"{FOLDER}b.parquet", b"PAR1"), "b.parquet has another format"),
    (FOLDER, lambda lists: lists.upload(f"{FOLDER}A.csv.gz", b"PAR1"), "A.csv.gz: "),
    (FOLDER, lambda lists: lists.upload(f"{FOLDER}b.jsonl", b"{}\n"), "b.jsonl has another format"),
    (FOLDER, lambda lists: lists.upload(f"{FOLDER}A.csv", b"account_id"), "A.csv has no header line"),
    (FOLDER, lambda lists: lists.upload(f"{FOLDER}A.csv", "account_id,Gebühr\n".encode("cp1252")), "is not UTF-8"),
)  # fmt: skip


def test_parts_that_are_not_one_list_are_named_and_nothing_is_sent(sent: str) -> None:
    wrong = []
    for folder, harm, expected in WRONG:
        world = small_world()
        stack = WorldStack(world)
        stack._clients = {"s3": Bucket(world)}
        if "there is no part" not in expected:
            world.lists.upload(f"{FOLDER}a.csv", whole("a-1"))
        harm(world.lists)
        result = run(stack, "send", sent, "--list-prefix", folder, "--rows", "1")
        text = " ".join(result.stderr.split())
        if result.exit_code != 3 or expected not in text or world.campaigns.incident("net-outage") is not None:
            wrong.append((expected, result.exit_code, text))
    assert not wrong


def test_a_part_of_another_export_is_named_by_the_stack(stack: WorldStack, sent: str) -> None:
    stack.world.lists.upload(f"{FOLDER}part-1.csv", whole("a-1"))
    stack.world.lists.upload(f"{FOLDER}part-2.csv", whole("a-2").replace(b"fee", b"fie"))
    result = run(stack, "send", sent, "--list-prefix", FOLDER, "--rows", "2")
    assert result.exit_code == 1
    assert f"the part {FOLDER}part-2.csv has another header" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--list-prefix", FOLDER], "needs --rows"),
        (["--list-prefix", FOLDER, "--rows", "3", "--list", "."], "leave out --list"),
    ],
)
def test_options_that_contradict_each_other(stack: WorldStack, sent: str, options: list[str], expected: str) -> None:
    result = run(stack, "send", sent, *options)
    assert result.exit_code == 2
    assert expected in " ".join(result.stderr.split())


def test_over_the_real_shapes_of_s3(stack: WorldStack) -> None:
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        stack._clients = {"s3": s3}
        made = {}
        for number in range(3):
            key = f"{FOLDER}part-{number:05d}.csv"
            s3.put_object(Bucket=BUCKET, Key=key, Body=b"old")
            made[key] = s3.put_object(Bucket=BUCKET, Key=key, Body=whole(f"a-{number}"))["VersionId"]
        s3.delete_object(Bucket=BUCKET, Key=f"{FOLDER}part-00001.csv")
        pinned = pinned_parts(stack, FOLDER)
        del made[f"{FOLDER}part-00001.csv"]
        assert {part.key: part.version_id for part in pinned.parts} == made
        assert list(pinned.deleted) == [f"{FOLDER}part-00001.csv"]
        named = pinned.place["s3"]
        stored = s3.get_object(Bucket=BUCKET, Key=named["key"], VersionId=named["version_id"])["Body"].read()
        assert read_manifest(named["key"], stored).parts == tuple(pinned.parts)
