"""The law of one campaign from its counters: for its report, as event and document, and for the check."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from kulanz.application.delivery.advance_delivery import granted_by_list
from kulanz.application.delivery.world import AnswerFiles, DeliveryStore, VoidStore
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.delivery.law import Counted, law_of_counters
from kulanz.domain.delivery.to_the_bill import ToTheBill, to_the_bill


class LawPorts(Protocol):
    """What has the counters of a campaign beside its own record."""

    @property
    def deliveries(self) -> DeliveryStore: ...
    @property
    def answers(self) -> AnswerFiles: ...
    @property
    def voids(self) -> VoidStore: ...


def counted_lines(campaign: Campaign, ports: LawPorts) -> list[ToTheBill]:
    """Where what a campaign granted stands, by measure: its list, and what was added to it."""
    found = [ports.deliveries.over_list(campaign.id), *ports.deliveries.over_additions(campaign.id)]
    deliveries = [one for one in found if one is not None]
    added = ports.deliveries.added(campaign.id).worth
    granted = granted_by_list(campaign)
    for measure, size in added.items():
        granted[measure] = granted.get(measure, 0) + size
    answered = [ports.answers.billed(campaign.id, name) for name in sorted({one.id.channel for one in deliveries})]
    lines = to_the_bill(granted, deliveries, *answered, ports.voids.moved(campaign.id))
    return [replace(line, added=added.get(line.measure, 0)) for line in lines]


def counted_law(campaign: Campaign, lines: Iterable[ToTheBill], now: datetime) -> dict[str, Counted]:
    """The law of some lines by measure, at `now`."""
    ends = campaign.apply.totals.ends
    return {line.measure: law_of_counters(line, ends, now) for line in lines}


def law_at(campaign: Campaign, ports: LawPorts, now: datetime) -> dict[str, Counted]:
    """The law of a campaign by measure, at `now`."""
    return counted_law(campaign, counted_lines(campaign, ports), now)


def is_moving(campaign: Campaign, ports: LawPorts) -> bool:
    """Whether a void or an answer of the campaign is under way: entries are written before their counters."""
    is_voiding = any(one.is_running for one in ports.voids.of_campaign(campaign.id))
    return is_voiding or bool(ports.answers.open_files())
