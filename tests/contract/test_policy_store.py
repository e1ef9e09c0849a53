"""The contract of PolicyShelf: a version is published once, whoever tries, and never changes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from kulanz.application.ports import PolicyMissing, PolicySealed
from kulanz.domain.policy.document.frozen import MAX_EXAMPLES_BYTES
from tests.contract.backends import Backend, FakeBackend

FIRST, SECOND = b'{"format":1,"policy":{"id":"a"}}', b'{"format":1,"policy":{"id":"b"}}'
PUBLISHERS = 8


def test_what_was_published_is_what_is_fetched(backend: Backend) -> None:
    assert backend.policies.publish("att-2024-02", 1, FIRST)
    assert backend.policies.fetch("att-2024-02", 1) == FIRST


def test_a_version_that_was_never_published_is_missing(backend: Backend) -> None:
    backend.policies.publish("att-2024-02", 1, FIRST)
    for policy_id, version in (("att-2024-02", 2), ("att", 1)):
        with pytest.raises(PolicyMissing):
            backend.policies.fetch(policy_id, version)


def test_the_same_content_again_changes_nothing(backend: Backend) -> None:
    backend.policies.publish("att-2024-02", 1, FIRST)
    assert not backend.policies.publish("att-2024-02", 1, bytes(bytearray(FIRST)))
    assert backend.policies.fetch("att-2024-02", 1) == FIRST


def test_other_content_is_refused_and_what_was_published_stands(backend: Backend) -> None:
    backend.policies.publish("att-2024-02", 1, FIRST)
    with pytest.raises(PolicySealed, match="att-2024-02 version 1"):
        backend.policies.publish("att-2024-02", 1, SECOND)
    assert backend.policies.fetch("att-2024-02", 1) == FIRST
    assert backend.policies.publish("att-2024-02", 2, SECOND)


@pytest.mark.parametrize("backend", ["fake", pytest.param("ministack", marks=pytest.mark.ministack)], indirect=True)
def test_of_publishers_at_the_same_time_one_publishes(backend: Backend) -> None:
    """The others find the same content, or are refused, and every reader sees what the first one wrote.

    Not on moto: in this process it looks and writes in two steps, and another thread can come between them.
    """
    start = Barrier(PUBLISHERS)
    if not isinstance(backend, FakeBackend):
        assert backend.s3  # the client and the bucket are there before anybody starts
        assert backend.bucket

    def publish(number: int) -> str:
        content = FIRST if number % 2 else SECOND
        start.wait()
        try:
            return "published" if backend.policies.publish("att-2024-02", 1, content) else "the same"
        except PolicySealed:
            return "refused"

    with ThreadPoolExecutor(PUBLISHERS) as threads:
        told = list(threads.map(publish, range(PUBLISHERS)))

    first = told.index("published")
    assert told.count("published") == 1
    assert backend.policies.fetch("att-2024-02", 1) == (FIRST if first % 2 else SECOND)
    for number, word in enumerate(told):
        assert word == ("published" if number == first else "the same" if number % 2 == first % 2 else "refused")


def test_examples_stand_beside_their_version_and_the_first_stay(backend: Backend) -> None:
    """They are no version, and change nothing about the policy."""
    backend.policies.publish("att-2024-02", 1, FIRST)
    backend.policies.publish("att-2024-02", 11, FIRST)
    assert backend.policies.examples("att-2024-02", 1) is None
    assert backend.policies.publish_examples("att-2024-02", 1, b"[{}]")
    assert backend.policies.publish_examples("att-2024-02", 1, bytes(bytearray(b"[{}]")))
    assert not backend.policies.publish_examples("att-2024-02", 1, b"[]")
    assert backend.policies.examples("att-2024-02", 1) == b"[{}]"
    assert backend.policies.examples("att-2024-02", 11) is None
    assert backend.policies.fetch("att-2024-02", 1) == FIRST
    assert not backend.policies.is_replaced("att-2024-02", 1)


def test_examples_that_are_too_long_are_none(backend: Backend) -> None:
    for version, size in ((1, MAX_EXAMPLES_BYTES), (2, MAX_EXAMPLES_BYTES + 1)):
        backend.policies.publish_examples("att-2024-02", version, b" " * size)
    assert len(backend.policies.examples("att-2024-02", 1) or b"") == MAX_EXAMPLES_BYTES
    assert backend.policies.examples("att-2024-02", 2) is None


def test_every_published_version_is_listed_by_id_and_version(backend: Backend) -> None:
    assert list(backend.policies.published()) == []
    for policy_id, version in (("b", 10), ("b", 9), ("a", 2)):
        backend.policies.publish(policy_id, version, FIRST)
        backend.policies.publish_examples(policy_id, version, b"[]")
    if not isinstance(backend, FakeBackend):
        backend.upload("policies/README.txt", b"not a policy")
        backend.upload("policies/c/draft.json", b"{}")
    listed = list(backend.policies.published())
    assert [(policy.policy_id, policy.version) for policy in listed] == [("a", 2), ("b", 9), ("b", 10)]
    assert all(policy.published_at <= datetime.now(UTC) + timedelta(hours=1) for policy in listed)
    backend.policies.publish("bb", 1, FIRST)
    assert [(policy.policy_id, policy.version) for policy in backend.policies.published("b")] == [("b", 9), ("b", 10)]


@pytest.mark.parametrize("change", ["written over", "written over by the same", "hidden and written again"])
def test_a_version_that_was_written_a_second_time_is_known_as_replaced(backend: Backend, change: str) -> None:
    """The bucket's policy forbids it; here it is written by somebody whom nothing stops."""
    backend.policies.publish("att-2024-02", 1, FIRST)
    backend.policies.publish("att-2024-02", 10, FIRST)
    assert not backend.policies.is_replaced("att-2024-02", 1)
    if isinstance(backend, FakeBackend):
        backend.policies.replace("att-2024-02", 1, SECOND)
    else:
        key = "policies/att-2024-02/1.json"
        if change.startswith("hidden"):
            backend.delete(key)
        backend.upload(key, FIRST if change.endswith("the same") else SECOND)
        backend.upload("policies/att-2024-02/10.json.bak", SECOND)
    assert backend.policies.is_replaced("att-2024-02", 1)
    assert not backend.policies.is_replaced("att-2024-02", 10)
