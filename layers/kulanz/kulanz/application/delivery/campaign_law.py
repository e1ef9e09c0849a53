"""The law of one campaign from its counters: for its report, and for the check that compares them with entries."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from kulanz.application.delivery.advance_delivery import granted_by_list
from kulanz.application.delivery.world import AnswerFiles, VoidStore
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.law import Counted, law_of_counters
from kulanz.domain.delivery.to_the_bill import ToTheBill, to_the_bill


class LawPorts(Protocol):
    """What has the counters of a campaign beside its own record."""

    @property
    def answers(self) -> AnswerFiles: ...
    @property
    def voids(self) -> VoidStore: ...


def counted_lines(campaign: Campaign, delivery: Delivery | None, ports: LawPorts) -> list[ToTheBill]:
    """Where what a campaign's list granted stands, by measure. What was accepted later is not in it."""
    answered = {} if delivery is None else ports.answers.billed(campaign.id, delivery.id.channel)
    return to_the_bill(granted_by_list(campaign), delivery, answered, ports.voids.moved(campaign.id))


def counted_law(campaign: Campaign, lines: Iterable[ToTheBill], now: datetime) -> dict[str, Counted]:
    """The law of some lines by measure, at `now`."""
    ends = campaign.apply.totals.ends
    return {line.measure: law_of_counters(line, ends, now) for line in lines}
