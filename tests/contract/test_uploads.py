"""The contract of Uploads: who brought a policy or a list is what its object says, and never more than that."""

from datetime import UTC, datetime

import pytest

from kulanz.adapters.uploads import S3Uploads
from kulanz.application.ports import UPLOADED_BY
from tests.contract.backends import AwsBackend
from tests.contract.conftest import BACKENDS

pytestmark = pytest.mark.parametrize("emulator", BACKENDS[1:], indirect=True)


def test_a_published_policy_says_who_published_it(emulator: AwsBackend) -> None:
    uploads = S3Uploads(emulator.s3, emulator.bucket, "policies/")
    before = datetime.now(UTC).replace(microsecond=0)
    emulator.policies.publish("five", 1, b"{}", "sso:paula")
    emulator.policies.publish("five", 2, b"{}")
    emulator.policies.publish("five-and-more", 1, b"{}", "sso:other")

    found = dict(uploads.policies("five"))

    assert {version: upload.by for version, upload in found.items()} == {1: "sso:paula", 2: ""}
    assert all(upload.at >= before for upload in found.values())
    assert uploads.policy("five", 1) == found[1]
    assert uploads.policy("five", 3) is None
    assert list(uploads.policies("none")) == []


def test_the_pinned_version_of_a_list_says_who_uploaded_it(emulator: AwsBackend) -> None:
    uploads = S3Uploads(emulator.s3, emulator.bucket, "policies/")
    said = {"Metadata": {UPLOADED_BY: "sso:anna"}}
    emulator.s3.put_object(Bucket=emulator.bucket, Key="lists/a.csv", Body=b"1", **said)
    first = emulator.lists.pin(emulator.bucket, "lists/a.csv", None)
    emulator.s3.put_object(Bucket=emulator.bucket, Key="lists/a.csv", Body=b"2")
    second = emulator.lists.pin(emulator.bucket, "lists/a.csv", None)

    by = [None if found is None else found.by for found in map(uploads.pinned, (first, second))]
    assert by == ["sso:anna", ""]
    emulator.delete_version("lists/a.csv", first.version_id)
    assert uploads.pinned(first) is None
