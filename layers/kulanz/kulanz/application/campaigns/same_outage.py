"""Refuses a plan whose outage and list another incident has paid already, or may still pay.

Each campaign is listed under its outage in the transaction that opens it, and looks for the others when its plan is
complete. So of two that open at once the one that looks last finds the other. Where each finds the other at work, both
are refused.
"""

from collections.abc import Iterable

from kulanz.application.ports import CampaignStore
from kulanz.domain.campaigns.campaign import (
    OTHERS_NAMED,
    Campaign,
    CampaignId,
    Pass,
    SameOutage,
    State,
    StateChange,
)
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.campaigns.same_outage import OTHERS_READ, others_among

IDS_IN_A_REASON = 3
"""A reason is one line of a log; the line itself has `OTHERS_NAMED`."""


def same_outage(campaign: Campaign, campaigns: CampaignStore) -> SameOutage:
    """The campaigns of other incidents over the outage of a campaign, read consistently."""
    return others_among(campaign, campaigns.over_outage(campaign.outage))


def found_by_plan(log: Iterable[StateChange]) -> SameOutage | None:
    """What the last complete plan of a campaign found of other incidents; None where no plan was complete."""
    return next((change.others for change in reversed(list(log)) if change.others is not None), None)


def pays_twice(campaign: Campaign, found: SameOutage, campaigns: CampaignStore) -> str:
    """Why a complete plan would pay an outage a second time, as the reason of a refusal; empty where it would not.

    `found` are all campaigns of other incidents over its outage. What is not looked at counts as paid.
    """
    if not found.is_whole:
        return f"same_outage_twice: more than {OTHERS_READ:,} campaigns are over the same windows and service"
    others = [one for one in found.same_list if one.incident_id not in campaign.same_outage_as]
    twice = [one for one in others[:OTHERS_NAMED] if _pays(one, campaigns)] or others[OTHERS_NAMED:]
    if not twice:
        return ""
    more = len(twice) - IDS_IN_A_REASON
    named = ", ".join(map(str, twice[:IDS_IN_A_REASON])) + (f" and {more} more" if more > 0 else "")
    return (
        f"same_outage_twice: the same list over the same windows and service was paid, or may still be paid, by"
        f" {named}. If it is one outage, request nothing more; if this campaign is meant besides, name the other"
        " incidents in campaign.same_outage_as of the event"
    )


def _pays(campaign_id: CampaignId, campaigns: CampaignStore) -> bool:
    """Whether a campaign has given anything, or may still do so."""
    campaign = campaigns.campaign(campaign_id)
    if campaign is None or campaign.state in (State.REFUSED, State.REJECTED):
        return False
    if campaign.state not in (State.CANCELLED, State.CLOSED):
        return True
    if campaign.state is State.CLOSED and campaign.is_finished(Pass.APPLY):
        totals = campaign.apply.totals
        gives = any(key.row_result is not RowResult.OVERPAID for key in totals.sums)
        return gives or any(key.row_result is RowResult.REFERRED for key in totals.counts)
    return any(change.target is State.APPLYING for change in campaigns.log(campaign_id))
