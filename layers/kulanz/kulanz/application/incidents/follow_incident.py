"""Stops what an incident has under way when it is not any more what its campaign decides by: withdrawn, or amended.

It looks at the records alone. So the message that brought a revision, the stream of the revisions, each change of a
campaign and the watch over open campaigns all come to the same, whichever is first and whichever fails.
"""

from datetime import datetime

from kulanz.application.incidents.withdraw_incident import stop_withdrawn
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, Outdated, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, State
from kulanz.domain.incident_record import DetailType, Revision, decision_digest

AMENDED = "incident_amended"


def follow_incident(incident_id: str, campaigns: CampaignStore, cause: Cause, now: datetime) -> None:
    """Stop the campaigns of an incident that its latest revision withdraws, or the one that it decides otherwise.

    A revision that changes words alone stops nothing. Safe to repeat. Raises TryAgain.
    """
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        record = campaigns.incident(incident_id)
        latest = None if record is None else campaigns.revision(incident_id, record.highest_revision)
        if record is None or latest is None:
            return
        if latest.detail_type == DetailType.WITHDRAWN:
            stop_withdrawn(incident_id, latest.number, campaigns, cause, now)
            return
        opened = None if record.open_seq is None else campaigns.campaign(CampaignId(incident_id, record.open_seq))
        try:
            if opened is not None:
                _pause_amended(opened, latest, campaigns, cause, now)
        except Outdated:
            continue
        return
    raise TryAgain("the campaign of the amended incident keeps changing")


def _pause_amended(campaign: Campaign, latest: Revision, campaigns: CampaignStore, cause: Cause, now: datetime) -> None:
    """Before its execution a campaign needs no stop: its start is conditional on the incident."""
    if campaign.state is State.APPLYING and is_amended(campaign, latest, campaigns):
        reason = (
            f"{AMENDED}: revision {latest.number} states other windows, service, functions, cause or facts than the"
            f" campaign decides by; another person than the requester may let it go on by naming"
            f" {decision_digest(latest.content)}"
        )
        campaigns.change_state(campaign, campaign.change(State.PAUSED, reason, cause, now))


def is_amended(campaign: Campaign, latest: Revision, campaigns: CampaignStore) -> bool:
    """Whether the latest revision of its incident decides otherwise than a campaign does, or was let go on by."""
    if latest.number == campaign.incident_revision:
        return False
    digest = decision_digest(latest.content)
    planned = campaigns.revision(campaign.id.incident_id, campaign.incident_revision)
    if planned is not None and decision_digest(planned.content) == digest:
        return False
    approved = [change.decides_by for change in campaigns.log(campaign.id) if change.decides_by]
    return not approved or approved[-1] != digest
