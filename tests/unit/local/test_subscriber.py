"""What the demo's subscriber has received: every notice counted once, however often and however many there are."""

import json
import subprocess
import sys
import threading
from collections import defaultdict
from contextlib import closing
from itertools import cycle
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz_local import subscriber
from kulanz_local.subscriber import Audience, KnownNotices, Receiver, Subscriber

AUDIENCES: list[Audience] = [("one/1", "granted", "de"), ("one/1", "granted", "en"), ("two/1", "held", "en")]
GROWTH_MOST_BYTES = 16 * 1024 * 1024
MANY = 250_000
IDS_PER_MESSAGE = 100
GROWTH = f"""
import os, resource
from kulanz_local.subscriber import KnownNotices
known = KnownNotices()
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
known.add(("a/1", "granted", "en"), [os.urandom(16)])
before = peak()
for _ in range({MANY // IDS_PER_MESSAGE}):
    known.add(("a/1", "granted", "en"), [os.urandom(16) for _ in range({IDS_PER_MESSAGE})])
print(known.distinct().total(), peak() - before)
"""


@given(
    messages=st.lists(
        st.tuples(st.sampled_from(AUDIENCES), st.lists(st.integers(0, 30).map(lambda n: bytes([n]) * 16), max_size=8)),
        max_size=20,
    )
)
def test_a_notice_counts_once_for_its_audience_however_often_it_comes(
    messages: list[tuple[Audience, list[bytes]]],
) -> None:
    known, expected = KnownNotices(), defaultdict[Audience, set[bytes]](set)

    for audience, ids in messages:
        known.add(audience, ids)
        expected[audience].update(ids)

    assert {key: n for key, n in known.distinct().items() if n} == {
        key: len(ids) for key, ids in expected.items() if ids
    }
    assert known.delivered == sum(len(ids) for _, ids in messages)
    known.close()


@pytest.mark.long
def test_a_quarter_of_a_million_notices_need_no_more_memory_than_a_few() -> None:
    """A set of as many ids holds 20 MB more."""
    told = subprocess.run([sys.executable, "-c", GROWTH], check=True, capture_output=True, text=True)  # noqa: S603 - our own text
    distinct, growth = map(int, told.stdout.split())

    assert distinct == MANY + 1
    assert growth <= GROWTH_MOST_BYTES


class Hanging:
    """An AWS on which every receiver waits for ever, holding what it holds."""

    def __init__(self) -> None:
        self.subscriber: Subscriber | None = None
        self.ended = threading.Event()

    def client(self, name: str, endpoint_url: str) -> Any:  # noqa: ARG002 - boto3's signature
        return self

    def receive_message(self, **_asked: Any) -> dict[str, Any]:
        assert self.subscriber is not None
        with self.subscriber._lock:
            self.ended.wait()
        return {}


def test_a_receiver_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscriber, "STOP_SECONDS", 0.05)
    aws: Any = Hanging()
    aws.subscriber = received = Subscriber(aws, "", "topic", "bus")
    received._receivers = [Receiver(aws, "queue", lambda _: None)]
    received._receivers[0].start()
    leaving = threading.Thread(target=received.__exit__, args=(None, None, None), daemon=True)
    leaving.start()
    leaving.join(10)
    is_left = not leaving.is_alive()
    aws.ended.set()
    received._known.close()
    assert is_left


@pytest.mark.parametrize("seed", range(5))
def test_what_is_told_of_an_incident_is_shown_once_by_its_revisions_in_whatever_order_it_came(seed: int) -> None:
    aws: Any = Hanging()
    received = Subscriber(aws, "", "topic", "bus")
    kinds = ("detected", "updated", "completed")
    told = [
        {"notice_id": f"{of}-{revision}", "incident_id": of, "kind": f"{kind} {revision}",
         "incident": {"revision": revision}}
        for of in ("one", "two") for revision, kind in zip(range(1, 13), cycle(kinds), strict=False)
    ]  # fmt: skip
    of_campaign = {"campaign": "one/1", "kind": "granted", "locale": "de", "recipients": [{"notice_id": "00" * 16}]}
    with closing(received._known):
        for message in Random(seed).sample([of_campaign, *told, *told], 2 * len(told) + 1):
            received._take_notices(json.dumps(message))
        for of in ("one", "two"):
            assert received.status_notices(of) == [one["kind"] for one in told if one["incident_id"] == of]
        assert received.status_notices("three") == []
        assert (received.notices_of("one/1"), received.deliveries()) == (1, 1)


def test_notices_of_a_campaign_are_those_of_all_its_audiences() -> None:
    aws: Any = Hanging()
    received = Subscriber(aws, "", "topic", "bus")
    with closing(received._known):
        for number, (campaign, kind, locale) in enumerate(AUDIENCES, 2):
            recipients = [{"notice_id": f"{one:032x}"} for one in range(number)]
            told = {"campaign": campaign, "kind": kind, "locale": locale, "recipients": recipients}
            for _ in range(2):
                received._take_notices(json.dumps(told))
        assert [received.notices_of(one) for one in ("one/1", "two/1", "three/1")] == [2 + 3, 4, 0]
        assert received.deliveries() == 2 * (2 + 3 + 4)
