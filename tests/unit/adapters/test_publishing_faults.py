"""What publishing a policy makes of other publishers, of a bucket that refuses, and of many pages."""

import io
from typing import Any

import pytest
from botocore.exceptions import ClientError

from kulanz.adapters import s3
from kulanz.adapters.s3 import S3Policies
from kulanz.application.ports import PolicySealed, PublishingForbidden, Refused, TryAgain
from tests.support.scripted import SECRET, Scripted, error, waits_kept
from tests.support.values import NOW

WRITTEN: Any = {"ETag": '"1"', "VersionId": "1"}
TAKEN = error("PreconditionFailed", 412)
CONFLICT = error("ConditionalRequestConflict", 409)
"""What S3 answers while another conditional write of the same key is under way; the upload is to be tried again."""


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each wait would have been."""
    return waits_kept(monkeypatch)


def _stands(content: bytes) -> dict[str, Any]:
    return {"Body": io.BytesIO(content)}


def test_a_publisher_who_meets_another_waits_and_then_publishes(waits: list[float]) -> None:
    client = Scripted(put_object=[CONFLICT, CONFLICT, WRITTEN])
    assert S3Policies(client, "bucket", "policies/").publish("a", 1, b"{}")
    assert len(waits) == 2
    assert {asked["IfNoneMatch"] for asked in client.asked} == {"*"}


def test_a_publisher_who_meets_another_and_comes_second_finds_what_that_one_wrote() -> None:
    def policies(content: bytes) -> S3Policies:
        client = Scripted(put_object=[CONFLICT, TAKEN], get_object=[_stands(content)])
        return S3Policies(client, "bucket", "policies/")

    assert not policies(b"{}").publish("a", 1, b"{}")
    with pytest.raises(PolicySealed):
        policies(b'{"other":1}').publish("a", 1, b"{}")


def test_a_publisher_who_meets_others_for_ever_gives_up_for_now(waits: list[float]) -> None:
    client = Scripted(put_object=lambda **_: CONFLICT)
    with pytest.raises(TryAgain):
        S3Policies(client, "bucket", "policies/").publish("a", 1, b"{}")
    assert len(client.asked) == s3.PUBLISH_ATTEMPTS == len(waits) + 1


@pytest.mark.parametrize("answer", [error("AccessDenied", 403), error("403", 403)])
def test_a_publisher_who_may_not_publish_is_told_so(answer: ClientError) -> None:
    with pytest.raises(PublishingForbidden) as caught:
        S3Policies(Scripted(put_object=[answer]), "bucket", "policies/").publish("a", 1, b"{}")
    assert SECRET not in str(caught.value)


def test_published_versions_are_listed_over_all_pages_and_within_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    def page(*keys: str, **more: Any) -> dict[str, Any]:
        return {"Contents": [{"Key": f"policies/{key}", "LastModified": NOW} for key in keys], **more}

    def pages() -> Scripted:
        first = page("b/10.json", "b/x.json", "b/0.json", IsTruncated=True, NextContinuationToken="2")
        return Scripted(list_objects_v2=[first, page("b/9.json", "deep/a/1.json")])

    for most in (s3.PUBLISHED_AT_MOST, 2):  # as many as there are is within the bound
        monkeypatch.setattr(s3, "PUBLISHED_AT_MOST", most)
        client = pages()
        listed = list(S3Policies(client, "bucket", "policies/").published())
        assert [(policy.policy_id, policy.version) for policy in listed] == [("b", 9), ("b", 10)]
        assert [asked.get("ContinuationToken") for asked in client.asked] == [None, "2"]
    monkeypatch.setattr(s3, "PUBLISHED_AT_MOST", 1)
    with pytest.raises(Refused, match="more than 1"):
        S3Policies(pages(), "bucket", "policies/").published()
