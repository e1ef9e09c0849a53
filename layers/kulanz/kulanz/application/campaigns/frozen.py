"""What a campaign decides by, brought back to life: its incident and its compiled policy."""

import json
from unicodedata import normalize

from kulanz.application.ports import CampaignWork
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Frozen
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.incident import Incident
from kulanz.domain.policy import CompiledPolicy, compile_policy
from kulanz.domain.time import Window, parse_instant


def thaw_incident(content: bytes) -> Incident:
    """The incident as the evaluation sees it, from the canonical JSON of a revision; its letters in form NFC."""
    told = json.loads(content)
    return Incident(
        incident_id=told["incident_id"],
        revision=told["revision"],
        title=told["title"],
        service=normalize("NFC", told["service"]),
        functions=tuple(normalize("NFC", function) for function in told["functions"]),
        windows=tuple(
            Window(parse_instant(window["start"]), None if window["end"] is None else parse_instant(window["end"]))
            for window in told["windows"]
        ),
        cause=None if told["cause"] is None else normalize("NFC", told["cause"]),
        facts=told["facts"],
    )


def thaw(campaign: Campaign, frozen: Frozen) -> CompiledPolicy:
    """The campaign's policy, compiled for its incident at the instant the campaign pinned as its `now`."""
    return compile_policy(frozen.policy, thaw_incident(frozen.incident), campaign.decided_at)


def channel_of(frozen: Frozen) -> Channel | None:
    """The channel that a campaign's policy names for its credits; None where it names none. Nothing is compiled."""
    return Channel.from_text(json.loads(frozen.policy)["policy"].get("channel", ""))


class FrozenCache:
    """The compiled policies of the last campaigns a process worked for; a campaign's frozen parts never change."""

    CAMPAIGNS = 4

    def __init__(self) -> None:
        self._policies: dict[CampaignId, CompiledPolicy] = {}

    def get(self, campaign: Campaign, campaigns: CampaignWork) -> CompiledPolicy:
        """The campaign's policy, compiled once."""
        known = self._policies.get(campaign.id)
        if known is None:
            known = thaw(campaign, campaigns.frozen(campaign.id))
            while len(self._policies) >= self.CAMPAIGNS:
                self._policies.pop(next(iter(self._policies)))
            self._policies[campaign.id] = known
        return known

    def find(self, campaign_id: CampaignId, campaigns: CampaignWork) -> CompiledPolicy | None:
        """The policy of a campaign known by its id alone; None when there is no such campaign."""
        known = self._policies.get(campaign_id)
        if known is not None:
            return known
        campaign = campaigns.campaign(campaign_id)
        return None if campaign is None else self.get(campaign, campaigns)
