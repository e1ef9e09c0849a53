"""What the demo's subscriber has received: every notice counted once, however often and however many there are."""

import subprocess
import sys
from collections import defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz_local.subscriber import Audience, KnownNotices

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
