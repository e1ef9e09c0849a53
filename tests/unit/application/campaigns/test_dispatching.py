"""Sending the chunks of a large list: a function that runs out of time goes on where it was, and sends none twice."""

from collections import Counter
from dataclasses import replace

from kulanz.application.campaigns.dispatch_chunks import (
    CHUNKS_PER_LOOK_AT_THE_CLOCK,
    SECONDS_TO_FINISH,
    dispatch,
    unlimited,
)
from kulanz.domain.campaigns.campaign import CHUNKS_PER_LIST, Campaign, Chunks, Pass
from tests.support.fake_messages import FakeChunks
from tests.support.fakes import FakeCampaigns
from tests.support.values import OPENING, campaign, declared, frozen, opened, receipt, revision

CHUNKS = 2 * CHUNKS_PER_LOOK_AT_THE_CLOCK + 7


def stored(chunks: int) -> tuple[FakeCampaigns, Campaign]:
    campaigns, before = FakeCampaigns(), declared()
    campaigns.record_revision(None, before, revision())
    after, new = opened(before)
    start = new.chunks.data_start
    new = replace(new, chunks=Chunks(start, start + 256 * chunks, 256))
    campaigns.open(before, after, new, frozen(), OPENING)
    return campaigns, new


def again(campaigns: FakeCampaigns) -> Campaign:
    found = campaigns.campaign(campaign().id)
    assert found is not None
    return found


def sent(chunks: FakeChunks) -> list[int]:
    return [message.chunk for message in chunks.sent]


def test_a_function_without_time_goes_on_where_it_was_and_sends_every_chunk_once() -> None:
    campaigns, _ = stored(CHUNKS)
    chunks, rounds = FakeChunks(), 0

    while not dispatch(again(campaigns), Pass.PLAN, campaigns, chunks, lambda: SECONDS_TO_FINISH - 0.001):
        rounds += 1
        assert not again(campaigns).is_dispatched(Pass.PLAN)

    assert rounds == 2
    assert sent(chunks) == list(range(CHUNKS))
    assert again(campaigns).is_dispatched(Pass.PLAN)


def test_with_the_time_it_needs_it_sends_all_at_once() -> None:
    campaigns, _ = stored(CHUNKS)
    chunks = FakeChunks()
    assert dispatch(again(campaigns), Pass.PLAN, campaigns, chunks, lambda: SECONDS_TO_FINISH)
    assert sent(chunks) == list(range(CHUNKS))


def test_every_stop_is_a_change_that_wakes_the_next_round() -> None:
    campaigns, new = stored(CHUNKS)
    before = len(campaigns.changes)
    dispatch(again(campaigns), Pass.PLAN, campaigns, FakeChunks(), lambda: 0.0)
    assert campaigns.changes[before:] == [new.id]


def test_a_person_who_resumes_sends_all_that_is_unfinished_from_the_first_chunk() -> None:
    campaigns, _ = stored(CHUNKS)
    dispatch(again(campaigns), Pass.PLAN, campaigns, FakeChunks(), lambda: 0.0)
    chunks = FakeChunks()
    dispatch(again(campaigns), Pass.PLAN, campaigns, chunks, again=True)
    assert Counter(sent(chunks)) == Counter(range(CHUNKS))


def test_a_finished_chunk_is_not_sent_again() -> None:
    campaigns, new = stored(3)
    start, end = new.chunks.bounds(1)
    campaigns.record_receipt(receipt(start, end, chunk=1, finishes_chunk=True))
    chunks = FakeChunks()
    dispatch(again(campaigns), Pass.PLAN, campaigns, chunks)
    assert sent(chunks) == [0, 2]


def test_a_person_has_no_deadline_and_the_largest_list_is_sent() -> None:
    campaigns, _ = stored(CHUNKS_PER_LIST)
    chunks = FakeChunks()
    assert unlimited() > SECONDS_TO_FINISH
    assert dispatch(again(campaigns), Pass.PLAN, campaigns, chunks)
    assert len(chunks.sent) == CHUNKS_PER_LIST
