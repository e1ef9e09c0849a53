"""Starting, resuming and repairing a campaign are one thing: send every chunk that is not finished."""

from collections.abc import Callable
from itertools import batched

from kulanz.application.ports import CampaignStore, ChunkMessage, ChunkQueue
from kulanz.domain.campaigns.campaign import Campaign, Pass

CHUNKS_PER_LOOK_AT_THE_CLOCK = 500
"""They are 50 calls: a second at 20 ms a call."""
SECONDS_TO_FINISH = 30.0
"""What a function keeps of its time for the calls of the next 500 chunks, should they be slow, and for the mark."""


def unlimited() -> float:
    """The seconds left to somebody whom nobody ends: a person at a terminal."""
    return float("inf")


def dispatch(
    campaign: Campaign,
    work: Pass,
    campaigns: CampaignStore,
    chunks: ChunkQueue,
    seconds_left: Callable[[], float] = unlimited,
    *,
    again: bool = False,
) -> bool:
    """Send every unfinished chunk of a pass and note how far they were sent; False when time ran out on the way.

    A list has up to 20,000 chunks, 2,000 calls. What was sent stands in META, whose change wakes advance_campaign, and
    that goes on from there. Where all were sent, or with `again`, it begins with the first.
    """
    progress, number = campaign.progress(work), len(campaign.chunks)
    if not campaign.is_finished(work):
        first = 0 if again or progress.sent >= number else progress.sent
        finished = campaigns.finished_chunks(campaign.id, work)
        unfinished = (chunk for chunk in range(first, number) if chunk not in finished)
        for page in batched(unfinished, CHUNKS_PER_LOOK_AT_THE_CLOCK, strict=False):
            chunks.send(ChunkMessage(campaign.id, work, chunk) for chunk in page)
            if seconds_left() < SECONDS_TO_FINISH and page[-1] + 1 < number:
                campaigns.mark_dispatched(campaign, work, page[-1] + 1)
                return False
    # Also where nothing is left to send: the change of META is what makes advance_campaign look again.
    campaigns.mark_dispatched(campaign, work, number)
    return True
