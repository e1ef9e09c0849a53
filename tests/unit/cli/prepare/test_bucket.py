"""Files of a bucket are prepared like those of a folder, in the order of their keys, and nothing of them stays here."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare.bucket import with_fetched

BUCKET = "exports"


@pytest.fixture
def s3() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("s3", region_name="eu-central-1")
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        yield client


def test_all_objects_under_a_prefix_are_fetched_in_their_order_and_removed_again(s3: Any) -> None:
    contents = {"may/part-2.csv.gz": gzip.compress(b"two"), "may/part-1.csv.gz": gzip.compress(b"one")}
    for key, content in {**contents, "may/_SUCCESS": b"", "june/part-1.csv": b"other"}.items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
    with with_fetched(["own.csv", f"s3://{BUCKET}/may/"], lambda: s3) as files:
        own, *fetched = files
        assert own == "own.csv"
        assert [Path(one).name for one in fetched] == ["00000-part-1.csv.gz", "00001-part-2.csv.gz"]
        assert [gzip.decompress(Path(one).read_bytes()) for one in fetched] == [b"one", b"two"]
    assert not any(Path(one).exists() for one in fetched)


@pytest.mark.parametrize("url", [f"s3://{BUCKET}", f"s3://{BUCKET}/", "s3:///may", f"s3://{BUCKET}/none/"])
def test_a_prefix_without_objects_is_refused(s3: Any, url: str) -> None:
    with pytest.raises(Unusable), with_fetched([url], lambda: s3):
        raise AssertionError("it was entered")


def test_files_of_this_machine_need_no_client() -> None:
    def no_client() -> Any:
        raise AssertionError("AWS was asked")

    with with_fetched(["a.csv"], no_client) as files:
        assert files == ["a.csv"]
