"""What a biller and a policy may say that is out of bounds: ten million lines, and a deadline that is over already."""

import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from kulanz.application.delivery.hear_answers import LINES_PER_RECEIPT, AnswerPorts, hear_chunk
from kulanz.application.delivery.open_answers import OpenAnswersPorts, open_answers
from kulanz.domain.campaigns.campaign import PinnedList
from kulanz.domain.delivery.answers import AnswerResult
from kulanz.domain.delivery.channel import Channel
from tests.support.billed import Clock
from tests.support.fake_answers import FakeAnswerQueue, FakeAnswers
from tests.support.fake_bucket import FakeArchive
from tests.support.fake_deliveries import FakeCredits, FakeDeliveries
from tests.support.fake_troubles import FakeTroubles
from tests.support.fakes import FakeCampaigns, FakeLedger
from tests.support.small_campaign import CAMPAIGN, POLICY, event, list_of, row, sealed_policy, small_world
from tests.support.world_door import WorldDoor

NOW = datetime(2026, 3, 1, tzinfo=UTC)
HEADER = b"serial,credit_id,account_id,answer,code\n"
LINE = b"7,%032x,A-%08d,rejected,unknown_account\n"
WIDTH = len(LINE % (0, 0))
CHUNK_BYTES = 4 * 1024 * 1024
PEAK_BYTES = 48 * 1024 * 1024
"""What a worker may hold of one chunk: 20,000 lines that nobody knows are noted, each with its result and reason."""


class LongFile:
    """A list store over one file of a number of lines, each made when it is read."""

    def __init__(self, lines: int) -> None:
        self.pinned = PinnedList("bucket", "acknowledgements/long.csv", "1", "1", len(HEADER) + WIDTH * lines)

    def read(self, pinned: PinnedList, start: int, stop: int | None = None) -> Iterator[bytes]:
        end = pinned.size if stop is None else min(stop, pinned.size)
        while start < end:
            block = self._line(start)
            block = block[: end - start]
            start += len(block)
            yield block

    def _line(self, at: int) -> bytes:
        if at < len(HEADER):
            return HEADER[at:]
        number, within = divmod(at - len(HEADER), WIDTH)
        return (LINE % (number, number))[within:]


def peak_of(lines: int, at: float) -> tuple[int, int]:
    """The peak of memory while the chunk at a part of a file is worked, and how many lines have their result then."""
    lists, files, queue = LongFile(lines), FakeAnswers({}), FakeAnswerQueue()
    tracemalloc.start()
    try:
        opening = OpenAnswersPorts(lists, files, queue)  # type: ignore[arg-type]
        file = open_answers("billing", lists.pinned, opening, CHUNK_BYTES, "finance", NOW)
        chunk = int(at * (len(file.chunks) - 1))
        ledger, deliveries = FakeLedger(), FakeDeliveries()
        credits_ = FakeCredits(ledger)
        campaigns = FakeCampaigns()
        told = campaigns, FakeTroubles(campaigns), ledger
        ports = AnswerPorts(lists, FakeArchive(), deliveries, credits_, files, *told)  # type: ignore[arg-type]
        assert hear_chunk("billing", file.id, chunk, ports, Clock(NOW))
        done = files.file("billing", file.id)
        assert done is not None
        results = done.totals.by_result()
        assert set(results) == {AnswerResult.BEFORE_DELIVERY}
        return tracemalloc.get_traced_memory()[1], results[AnswerResult.BEFORE_DELIVERY]
    finally:
        tracemalloc.stop()


@pytest.mark.long
def test_ten_million_answers_that_nobody_knows_are_read_chunk_by_chunk_in_the_same_memory_as_few() -> None:
    for at in (0.0, 1.0):
        peak, heard = peak_of(10_000_000, at)
        assert heard > LINES_PER_RECEIPT or at == 1.0
        assert peak < PEAK_BYTES, f"{peak:,} bytes"


def test_a_deadline_that_was_over_before_the_grant_is_late_at_once_and_changes_nothing_else() -> None:
    text = POLICY.replace("due: 2 billing cycles", "due: 2026-01-31").replace("version: 1", "version: 2")
    world = small_world(list_of([row("a-1"), row("a-2")]), channel=Channel("billing"))
    world.policies.publish("net-credit", 2, sealed_policy(text))
    world.publish(event(rows=2, policy_version=2))
    world.run_until_quiet()
    door = WorldDoor(world)
    late = door.get(f"overdue/{CAMPAIGN}").content["credits"]
    assert {one["account_id"] for one in late} == {"a-1", "a-2"}
    assert {(one["due"][:10], one["due_by"], one["state"]) for one in late} == {("2026-01-31", "policy", "sent")}
    (sums, *_) = door.get("acknowledgements/overdue").content["overdue"]
    assert sums["credits"] == 2
