"""Compares the ledger with a campaign's receipts: after a restore, and whenever somebody doubts one of them.

The receipts of the apply pass say how many decisions were written and what they are worth; the pinned list says where
they stand. A table that was restored to an earlier instant than the other lacks some that the other counts. A worker
that was stopped midway has written decisions that no receipt counts, also before the first receipt of its campaign: so
receipts are the least that the ledger holds, and all that it holds only where the campaign finished its execution.

It also proves the law: granted = used + expired + voided + written off + open, from the entries of the decisions and
from the counters of receipts, of answers and of voids.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from kulanz.application.campaigns.frozen import thaw
from kulanz.application.delivery.campaign_law import counted_law, counted_lines, is_moving
from kulanz.application.delivery.world import AnswerFiles, CreditLedger, DeliveryStore, VoidStore
from kulanz.application.ledger.committed import committed_decisions
from kulanz.application.ports import CampaignIndex, CampaignStore, Ledger, ListStore, PinnedVersionGone
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass, State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, Difference, worth_by_measure
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.at_channels import AtChannels
from kulanz.domain.delivery.law import Law, added_up, broken, law_of
from kulanz.domain.ledger.entries import DecisionKey, read_decision
from kulanz.domain.lists.lines import ListRefused


@dataclass(frozen=True, slots=True)
class CheckPorts:
    """The world that a check reads; it writes nothing."""

    campaigns: CampaignStore
    lists: ListStore
    ledger: Ledger
    credits: CreditLedger
    deliveries: DeliveryStore
    answers: AnswerFiles
    voids: VoidStore
    index: CampaignIndex


@dataclass(frozen=True, slots=True)
class Checked:
    """What a campaign's ledger holds, and where that differs from its receipts (`planned`: what these say).

    `decisions` are those of the list's rows; `by_hand` are those that persons made and no row has.
    `beyond` is what the ledger holds beyond the receipts because a worker was stopped before it wrote one: no fault.
    `may_have_expired`: decisions of it may have passed their time to live, so that what is missing may be right.
    `is_read` is False where no receipt counts a decision and the list is gone, so that nothing could be looked up.
    `law` is where what its list granted is, from the entries; `broken` says where the counters differ, one sentence
    each. Counters are not compared while something moves them, nor of a campaign that holds more than they count.
    """

    campaign: CampaignId
    decisions: int
    differences: tuple[Difference, ...]
    may_have_expired: bool
    beyond: tuple[Difference, ...] = ()
    is_read: bool = True
    law: Law = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    by_hand: int = 0


def check_ledger(campaign_id: CampaignId, ports: CheckPorts, now: datetime) -> Checked:
    """Count a campaign's decisions and add up what they are worth, with memory that does not grow with the list.

    Raises KeyError without such a campaign, TryAgain, and PinnedVersionGone where receipts count decisions.
    """
    campaign = ports.campaigns.campaign(campaign_id)
    if campaign is None:
        raise KeyError(str(campaign_id))
    counted = campaign.apply.totals
    may_have_expired = now >= campaign.decidable_until
    try:
        decisions, by_hand, found, law, channels = _found(campaign, ports, now)
    except (PinnedVersionGone, ListRefused):
        if counted.lines:
            raise
        return Checked(campaign_id, 0, (), may_have_expired, is_read=False)
    stated: dict[str, int | Decimal] = {}
    for (_, measure), size in counted.worth(IN_THE_LEDGER).items():
        stated[measure] = stated.get(measure, 0) + size
    compared = [Difference("decisions", counted.ledger_count(), decisions)]
    compared += [
        Difference(measure, stated.get(measure, 0), found.get(measure, 0)) for measure in sorted(stated | found)
    ]
    more = tuple(one for one in compared if one.applied > one.planned)
    less = tuple(one for one in compared if one.applied < one.planned)
    if not more or _may_hold_more(campaign, ports.campaigns):
        differs = () if more or less else _broken(campaign, law, channels, ports, now)
        return Checked(campaign_id, decisions, less, may_have_expired, more, law=law, broken=differs, by_hand=by_hand)
    wrong = tuple(one for one in compared if one.applied != one.planned)
    return Checked(campaign_id, decisions, wrong, may_have_expired, law=law, by_hand=by_hand)


def _broken(campaign: Campaign, law: Law, channels: AtChannels, ports: CheckPorts, now: datetime) -> tuple[str, ...]:
    """Where the counters do not say what the entries say; nothing while something is under way that moves both."""
    lines = counted_lines(campaign, ports)
    counted = counted_law(campaign, lines, now)
    at_channels = channels.broken(lines, lambda channel: ports.answers.codes(campaign.id, channel))
    wrong = (*broken(counted, law), *at_channels, *(sentence for line in lines for sentence in line.differences()))
    return () if not wrong or is_moving(campaign, ports) else wrong


def _found(
    campaign: Campaign, ports: CheckPorts, now: datetime
) -> tuple[int, int, dict[str, int | Decimal], Law, AtChannels]:
    """How many decisions of its list's rows stand in the ledger, how many without a row, their worth, and where it is.

    The worth by measure is that of the rows; where it is now, of both.
    """
    decisions, by_hand, channels = 0, 0, AtChannels()
    law: Law = {}
    worth: dict[str, int | Decimal] = {}
    policy = thaw(campaign, ports.campaigns.frozen(campaign.id))
    for entries in committed_decisions(campaign, policy, ports.lists, ports.ledger):
        decisions += len(entries)
        booked = ports.credits.booked([entry.key for entry in entries if entry.status is Outcome.GRANTED])
        law = added_up([law, *(law_of(one.entry, one.entries, now) for one in booked.values())])
        for one in booked.values():
            channels.take(one.entry, one.entries)
        for entry in entries:
            for measure, size in worth_by_measure(read_decision(entry.body)).items():
                worth[measure] = worth.get(measure, 0) + size
    for keys in _without_row(campaign.id, ports.index):
        booked = ports.credits.booked(keys)
        by_hand += len(booked)
        law = added_up([law, *(law_of(one.entry, one.entries, now) for one in booked.values())])
        for one in booked.values():
            channels.take(one.entry, one.entries)
    return decisions, by_hand, worth, law, channels


def _without_row(campaign_id: CampaignId, index: CampaignIndex) -> Iterator[list[DecisionKey]]:
    """The decisions that persons made and no row of the list has, page by page: the list's pass meets none of them."""
    page = index.additions(campaign_id)
    while True:
        yield [addition.key for addition in page.found if not addition.kind.has_row]
        if not page.after:
            return
        page = index.additions(campaign_id, page.after)


def _may_hold_more(campaign: Campaign, campaigns: CampaignStore) -> bool:
    """Whether workers may have written what no receipt counts: the execution was begun and is not finished."""
    if campaign.is_finished(Pass.APPLY):
        return False
    return any(change.target is State.APPLYING for change in campaigns.log(campaign.id))
