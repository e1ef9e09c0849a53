"""Campaigns as the suites of the control plane put them into a store, through its own port."""

from kulanz.application.ports import CampaignStore
from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.incident_record import IncidentRecord
from tests.support.values import FIRST, OPENING, declared, frozen, opened, revision


def declare(store: CampaignStore) -> IncidentRecord:
    """The record of an incident with its first revision."""
    record = declared()
    store.record_revision(None, record, revision())
    return record


def open_first(store: CampaignStore) -> Campaign:
    """The first campaign of an incident."""
    before = declare(store)
    after, new = opened(before)
    store.open(before, after, new, frozen(), OPENING)
    return new


def known(store: CampaignStore, campaign_id: CampaignId = FIRST) -> Campaign:
    """A campaign that exists."""
    found = store.campaign(campaign_id)
    assert found is not None
    return found
