"""Settles what executions reserved of budgets, and sets free what nobody can accept any more: every five minutes.

An execution has reserved what it could cost at most. When none of its workers can write any more, what the ledger holds
of it is spent. Of a campaign whose execution was finished its receipts say that. One that ended midway is counted by a
pass over its list and the ledger, which goes on the next time where it had no more time.
Every step is one with the budget that it changes, and safe to repeat.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from kulanz.application.budgets.store import BudgetStore, ReservedBy
from kulanz.application.campaigns.control_campaign import may_write_until
from kulanz.application.campaigns.frozen import thaw
from kulanz.application.ledger.accept_offer import ended_offers
from kulanz.application.ledger.committed import committed_pages
from kulanz.application.ledger.state_amounts import STARTS_OVER
from kulanz.application.ports import (
    ATTEMPTS_AGAINST_OTHERS,
    CampaignStore,
    Ledger,
    ListStore,
    Outdated,
    PinnedVersionGone,
    Refused,
    Troubles,
    TryAgain,
)
from kulanz.domain.budgets import Budget, Counted, Needed, ReadApart, Reservation, step_of_end
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass, State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult
from kulanz.domain.campaigns.trouble import OF_BUDGETS, TroubleKind
from kulanz.domain.decision import Benefit, Outcome
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.incident_record import DetailType
from kulanz.domain.ledger.entries import Entry, read_decision
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.money import is_currency

SECONDS_FOR_ONE = 20.0
"""What is kept of the given time for the campaign that is looked at last: to note how far its pass has come."""
EVERY_MONTH = "2000-01"
"""No budget is of an earlier month."""


@dataclass(frozen=True, slots=True)
class SettlePorts:
    """The world that settling touches."""

    campaigns: CampaignStore
    lists: ListStore
    ledger: Ledger
    budgets: BudgetStore
    troubles: Troubles


@dataclass(frozen=True, slots=True)
class Settled:
    """What one look came to. `failed` says which campaigns could not be settled, and why.

    `beyond` are campaigns of which the ledger holds more than they reserved, which is spent all the same. `exceeded`
    are budgets beyond their limit. `is_whole`: it had the time to look at everything.
    """

    looked_at: int
    failed: tuple[tuple[CampaignId, str], ...]
    beyond: tuple[CampaignId, ...]
    exceeded: tuple[str, ...]
    is_whole: bool


def settle_budgets(ports: SettlePorts, now: datetime, seconds_left: Callable[[], float]) -> Settled:
    """Settle and set free what can be, and note budgets that are exceeded until they are not. Safe to repeat."""
    known = {(trouble.kind, trouble.on) for trouble in ports.troubles.troubles()}
    failed: dict[CampaignId, str] = {}
    beyond: list[CampaignId] = []
    seen, standing = set[str](), set[tuple[TroubleKind, str]]()
    looked_at, is_whole = 0, True
    for one in ports.budgets.reserved():
        if seconds_left() < SECONDS_FOR_ONE:
            is_whole = False
            break
        looked_at += 1
        at_fault: TroubleKind | None = None
        try:
            if settle_campaign(one, ports, now, seconds_left):
                beyond.append(one.campaign)
        except (TryAgain, Refused, PinnedVersionGone, ListRefused) as error:
            failed[one.campaign] = f"{type(error).__name__}: {error}"
            is_gone = isinstance(error, PinnedVersionGone | ListRefused)
            at_fault = TroubleKind.UNCOUNTED if is_gone else TroubleKind.UNSETTLED
            ports.troubles.note(at_fault, str(one.campaign), now)
        seen.add(str(one.campaign))
        standing |= {(at_fault, str(one.campaign))} if at_fault else set()
    for kind, on in known:
        if kind in OF_BUDGETS and (kind, on) not in standing and (on in seen or is_whole):
            ports.troubles.repaired(kind, on, now)
    exceeded = tuple(f"{one.currency} {one.month}" for one in _every_budget(ports.budgets) if one.is_exceeded)
    for name in exceeded:
        ports.troubles.note(TroubleKind.OVER_BUDGET, name, now)
    for kind, on in known:
        if kind is TroubleKind.OVER_BUDGET and on not in exceeded:
            ports.troubles.repaired(kind, on, now)
    return Settled(looked_at, tuple(failed.items()), tuple(beyond), exceeded, is_whole)


def _every_budget(budgets: BudgetStore) -> Iterator[Budget]:
    after = ""
    while True:
        page = budgets.budgets_since(EVERY_MONTH, after)
        yield from page.found
        after = page.after
        if not after:
            return


def settle_campaign(one: ReservedBy, ports: SettlePorts, now: datetime, seconds_left: Callable[[], float]) -> bool:
    """Settle and set free what can be of one campaign's reservations.

    Whether the ledger was found to hold more than they could cost. Raises Refused, PinnedVersionGone and ListRefused
    where it cannot be counted, and TryAgain.
    """
    campaign = ports.campaigns.campaign(one.campaign)
    if campaign is None:
        raise Refused("the reservations name a campaign that does not exist")
    counted: Mapping[str, Needed] | None = None
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        standing = ports.campaigns.reservations(one.campaign)
        if counted is None and not all(made.is_settled for made in standing) and _is_final(campaign, ports, now):
            counted = _in_the_ledger(campaign, one, ports, seconds_left)
        read = {made.place: ports.campaigns.budget(made.currency, made.month) for made in standing}
        is_over = _is_over(campaign, standing, ports, now)
        try:
            step = step_of_end(read, standing, counted, is_over=is_over)
            moved = {after.currency: after for _, after in step.reservations}
            is_done = all(moved.get(made.currency, made).is_done for made in standing)
            if moved or is_done:
                ports.budgets.write(one.campaign, step, is_done=is_done)
        except (Outdated, ReadApart):
            continue
        return step.is_beyond()
    raise TryAgain("the reservations of the campaign keep changing")


def _is_final(campaign: Campaign, ports: SettlePorts, now: datetime) -> bool:
    """Whether nothing is written for a campaign's list any more: it has stopped for good, and its workers are dead."""
    if campaign.state not in STARTS_OVER:
        return False
    until = may_write_until(campaign, ports.campaigns)
    return until is None or now >= until


def _is_over(campaign: Campaign, standing: Iterable[Reservation], ports: SettlePorts, now: datetime) -> bool:
    """Whether nobody can accept any more what a campaign offers, so that nothing needs to be kept for it."""
    claimable = [made for made in standing if made.claimable]
    if not claimable:
        return False
    if campaign.state is State.CANCELLED:
        return True
    if all(made.claims_until is not None and now >= made.claims_until for made in claimable):
        return True
    incident = ports.campaigns.incident(campaign.id.incident_id)
    if incident is None:
        return False
    newest = ports.campaigns.revision(incident.incident_id, incident.highest_revision)
    if newest is not None and newest.detail_type == DetailType.WITHDRAWN:
        return True
    return bool(ended_offers(incident, ports.campaigns, [campaign.id.seq]))


def _in_the_ledger(
    campaign: Campaign, one: ReservedBy, ports: SettlePorts, seconds_left: Callable[[], float]
) -> Mapping[str, Needed] | None:
    """What a campaign's decisions grant at once, and offer, by currency; None where the pass goes on the next time."""
    plan = ports.campaigns.filed_plan(campaign.id)
    log = ports.campaigns.log(campaign.id)
    is_balanced = any(change.source is State.APPLYING and change.target is State.CLOSED for change in log)
    if plan is not None and is_balanced and campaign.is_finished(Pass.APPLY) and _are_receipts_enough(campaign, plan):
        return _by_receipts(campaign, plan)
    return _by_a_pass(campaign, one, ports, seconds_left)


def _are_receipts_enough(campaign: Campaign, plan: FiledPlan) -> bool:
    """Whether the receipts' sums are all: they do not have what is claimable beside a grant, which the plan has.

    The plan has it of every line, and so of those, too, that left no decision of their own.
    """
    if not any(is_currency(measure) for measure in plan.claimable):
        return True
    counts = campaign.apply.totals.counts
    return all(key.write_result in IN_THE_LEDGER for key in counts if key.row_result is RowResult.GRANTED)


def _by_receipts(campaign: Campaign, plan: FiledPlan) -> Mapping[str, Needed]:
    worth = campaign.apply.totals.worth(IN_THE_LEDGER)
    currencies = {measure for measure in plan.at_most if is_currency(measure)}
    return {
        currency: Needed(
            int(worth.get((RowResult.GRANTED, currency), 0)),
            int(worth.get((RowResult.OFFERED, currency), 0)) + int(plan.claimable.get(currency, 0)),
        )
        for currency in currencies
    }


def _by_a_pass(
    campaign: Campaign, one: ReservedBy, ports: SettlePorts, seconds_left: Callable[[], float]
) -> Mapping[str, Needed] | None:
    """Read the list and what stands in the ledger for it, from where an earlier pass stopped.

    The bodies of decisions are added up, which never change: what was accepted meanwhile is an offer here.
    """
    granted: dict[str, int] = {}
    offered: dict[str, int] = {}
    begin = 0
    if one.counted is not None:
        begin = one.counted.position
        granted = {currency: found.granting for currency, found in one.counted.sums.items()}
        offered = {currency: found.claimable for currency, found in one.counted.sums.items()}
    policy = thaw(campaign, ports.campaigns.frozen(campaign.id))
    for position, entries in committed_pages(campaign, policy, ports.lists, ports.ledger, begin):
        for entry in entries:
            _count(entry, granted, offered)
        if seconds_left() < SECONDS_FOR_ONE:
            with suppress(Outdated):  # another pass at the same time has come further
                ports.budgets.note_counted(campaign.id, one.counted, Counted(position, _sums(granted, offered)))
            return None
    return _sums(granted, offered)


def _count(entry: Entry, granted: dict[str, int], offered: dict[str, int]) -> None:
    decision = read_decision(entry.body)
    match decision.outcome:
        case Outcome.GRANTED:
            _add(decision.benefits, granted)
            _add(decision.claimable, offered)
        case Outcome.OFFERED:
            _add((*decision.benefits, *decision.claimable), offered)
        case _:
            pass  # nothing is owed


def _add(benefits: Iterable[Benefit], sums: dict[str, int]) -> None:
    for benefit in benefits:
        if benefit.money is not None:
            sums[benefit.money.currency] = sums.get(benefit.money.currency, 0) + benefit.money.minor


def _sums(granted: Mapping[str, int], offered: Mapping[str, int]) -> Mapping[str, Needed]:
    return {
        currency: Needed(granted.get(currency, 0), offered.get(currency, 0)) for currency in granted.keys() | offered
    }
