"""Compares the ledger with a campaign's receipts: after a restore, and whenever somebody doubts one of them.

The receipts of the apply pass say how many decisions were written and what they are worth; the pinned list says where
they stand. A table that was restored to an earlier instant than the other lacks some that the other counts.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kulanz.application.campaigns.frozen import thaw
from kulanz.application.ledger.committed import committed_decisions
from kulanz.application.ports import CampaignStore, Ledger, ListStore
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, Difference, worth_by_measure
from kulanz.domain.ledger.entries import read_decision


@dataclass(frozen=True, slots=True)
class CheckPorts:
    """The world that a check reads; it writes nothing."""

    campaigns: CampaignStore
    lists: ListStore
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class Checked:
    """What a campaign's ledger holds, and where that differs from its receipts (`planned`: what these say).

    `may_have_expired`: decisions of it may have passed their time to live, so that what is missing may be right.
    """

    campaign: CampaignId
    decisions: int
    differences: tuple[Difference, ...]
    may_have_expired: bool


def check_ledger(campaign_id: CampaignId, ports: CheckPorts, now: datetime) -> Checked:
    """Count a campaign's decisions and add up what they are worth, with memory that does not grow with the list.

    Raises KeyError without such a campaign, PinnedVersionGone, TryAgain.
    """
    campaign = ports.campaigns.campaign(campaign_id)
    if campaign is None:
        raise KeyError(str(campaign_id))
    expected = campaign.apply.totals
    may_have_expired = now >= campaign.decidable_until
    if not expected.lines:
        return Checked(campaign_id, 0, (), may_have_expired)
    decisions = 0
    found: dict[str, int | Decimal] = {}
    policy = thaw(campaign, ports.campaigns.frozen(campaign_id))
    for entries in committed_decisions(campaign, policy, ports.lists, ports.ledger):
        decisions += len(entries)
        for entry in entries:
            for measure, size in worth_by_measure(read_decision(entry.body)).items():
                found[measure] = found.get(measure, 0) + size
    stated: dict[str, int | Decimal] = {}
    for (_, measure), size in expected.worth(IN_THE_LEDGER).items():
        stated[measure] = stated.get(measure, 0) + size
    differences = [Difference("decisions", expected.ledger_count(), decisions)]
    differences += [
        Difference(measure, stated.get(measure, 0), found.get(measure, 0)) for measure in sorted(stated | found)
    ]
    # A worker that was stopped midway has written decisions that no receipt counts yet, or ever: none may be missing.
    is_finished = campaign.is_finished(Pass.APPLY)
    wrong = tuple(
        one for one in differences if one.applied < one.planned or (is_finished and one.applied > one.planned)
    )
    return Checked(campaign_id, decisions, wrong, may_have_expired)
