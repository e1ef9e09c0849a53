"""Starting, resuming and repairing a campaign are one thing: send every chunk that is not finished."""

from kulanz.application.ports import CampaignStore, ChunkMessage, ChunkQueue
from kulanz.domain.campaigns.campaign import Campaign, Pass


def dispatch(campaign: Campaign, work: Pass, campaigns: CampaignStore, chunks: ChunkQueue) -> None:
    """Send every unfinished chunk of a pass and note that all were sent."""
    if not campaign.is_finished(work):
        finished = campaigns.finished_chunks(campaign.id, work)
        unfinished = (chunk for chunk in range(len(campaign.chunks)) if chunk not in finished)
        chunks.send(ChunkMessage(campaign.id, work, chunk) for chunk in unfinished)
    # Also where nothing is left to send: the change of META is what makes advance_campaign look again.
    campaigns.mark_dispatched(campaign, work)
