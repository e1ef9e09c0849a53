"""Stops what a withdrawn incident had under way: before credits are written by cancelling, after that by a person.

What was granted is never taken back by an event.
"""

from datetime import datetime

from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, Outdated, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, Cause, State


def stop_withdrawn(incident_id: str, revision: int, campaigns: CampaignStore, cause: Cause, now: datetime) -> None:
    """Cancel or flag each campaign of an incident whose latest revision withdraws it.

    A withdrawal that a higher revision has overtaken stops nothing. Safe to repeat. Raises TryAgain.
    """
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        record = campaigns.incident(incident_id)
        if record is None or record.highest_revision != revision:
            return
        try:
            for campaign in campaigns.campaigns_of(incident_id):
                _stop(campaign, revision, campaigns, cause, now)
        except Outdated:
            continue
        return
    raise TryAgain("the campaigns of the withdrawn incident keep changing")


def _stop(campaign: Campaign, revision: int, campaigns: CampaignStore, cause: Cause, now: datetime) -> None:
    if campaign.state in (State.REFUSED, State.REJECTED, State.CANCELLED, State.FLAGGED):
        return
    log = campaigns.log(campaign.id)
    if len(log) != campaign.log_count:
        raise Outdated  # it moved between the two looks
    withdrawn = f"incident_withdrawn: revision {revision} came"
    if any(change.reason.startswith(withdrawn) for change in log):
        return  # this withdrawal has stopped it, and a person has settled it since
    if any(change.target is State.APPLYING for change in log):
        reason = f"{withdrawn} after its credits were begun; none is taken back"
        campaigns.change_state(campaign, campaign.change(State.FLAGGED, reason, cause, now))
    else:
        reason = f"{withdrawn} before any credit was written"
        campaigns.change_state(campaign, campaign.change(State.CANCELLED, reason, cause, now))
