"""Settles what a campaign reserved by what persons state, where it ended midway and the version of its list is gone.

Nothing else can settle that: the list is the only index of what stands in the ledger. What is stated has to fit the
receipts and the plan, and is a person's word, above a threshold two persons'. It is done once.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kulanz.application.budgets.store import BudgetStore
from kulanz.application.campaigns.control_campaign import may_write_until
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, Outdated, Troubles, TryAgain
from kulanz.domain.budgets import Needed, ReadApart, Reservation, step_of_end
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.gate.stated import Between, Stated, is_agreed, known_of, persons_to_state
from kulanz.domain.people.caller import APART, Caller, Door, must_be_person
from kulanz.domain.people.people import People, approver_problem

STARTS_OVER = frozenset({State.CLOSED, State.FLAGGED, State.CANCELLED})
"""The states from which no execution goes on."""


@dataclass(frozen=True, slots=True)
class StatePorts:
    """The world that stating touches. `people` is the people file that holds now."""

    campaigns: CampaignStore
    budgets: BudgetStore
    troubles: Troubles
    settings: GateSettings
    people: People
    door: Door = Door.IAM


@dataclass(frozen=True, slots=True)
class Uncounted:
    """What a campaign reserved, what is known of what it granted, and what was stated of that last.

    `known` is empty where no plan is filed. `is_open`: it cannot be counted, so that a person has to state it.
    """

    campaign: Campaign
    standing: tuple[Reservation, ...]
    known: Mapping[str, Between]
    stated: Stated | None
    is_open: bool


class StateRefused(Exception):
    """What was stated is not taken. `reason` is a stable code, `field` is what was wrong of the request."""

    def __init__(self, reason: str, field: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.field = field


def look_at(campaign: Campaign, campaigns: CampaignStore, budgets: BudgetStore, troubles: Troubles) -> Uncounted:
    """What a campaign reserved, as it stands."""
    standing, plan = campaigns.reservations(campaign.id), campaigns.filed_plan(campaign.id)
    known = {} if plan is None else known_of(plan, campaign.apply.totals, standing)
    is_open = any(not one.is_settled for one in standing) and any(
        (one.kind, one.on) == (TroubleKind.UNCOUNTED, str(campaign.id)) for one in troubles.troubles()
    )
    return Uncounted(campaign, tuple(standing), known, budgets.stated(campaign.id), is_open)


def state_amounts(campaign_id: CampaignId, asked: Stated, caller: Caller, ports: StatePorts) -> Uncounted:
    """Take what `caller` states of a campaign: it is settled so, or waits for a second person who states the same.

    `asked.person` is the id of the caller. Another statement takes the place of one that waits. The same again changes
    nothing. Raises PersonNeeded for a machine, StateRefused, and TryAgain.
    """
    if problem := approver_problem(must_be_person(caller), ports.people, ports.door, asked.at):
        raise StateRefused("may_not_state", "", problem)
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        campaign = ports.campaigns.campaign(campaign_id)
        if campaign is None:
            raise StateRefused("campaign_unknown", "", f"there is no campaign {campaign_id}")
        found = look_at(campaign, ports.campaigns, ports.budgets, ports.troubles)
        if found.stated is not None and found.stated.is_same_request(asked):
            return found
        _must_be_open(found, ports.campaigns, asked)
        _must_fit(found, asked)
        try:
            _take(found, asked, ports)
        except (Outdated, ReadApart):
            continue
        return look_at(campaign, ports.campaigns, ports.budgets, ports.troubles)
    raise TryAgain("the budgets' records keep changing")


def _must_be_open(found: Uncounted, campaigns: CampaignStore, asked: Stated) -> None:
    if not found.standing or all(one.is_settled for one in found.standing):
        raise StateRefused("nothing_to_settle", "", "nothing that this campaign reserved is left to be settled")
    until = may_write_until(found.campaign, campaigns)
    if found.campaign.state not in STARTS_OVER or (until is not None and asked.at < until):
        raise StateRefused("not_over", "", "its workers may still write; it is settled when none can any more")
    if not found.is_open or not found.known:
        raise StateRefused(
            "is_counted",
            "",
            "what it granted is counted from its list, within five minutes after no worker can write any more; a person"
            " states it where kulanz campaigns says that the list is gone (uncounted)",
        )


def _must_fit(found: Uncounted, asked: Stated) -> None:
    """Raises StateRefused."""
    if asked.amounts.keys() != found.known.keys():
        raise StateRefused("currencies_differ", "granted", "state each currency that it reserved, and no other")
    for currency, stated in sorted(asked.amounts.items()):
        known = found.known[currency]
        if known.has(stated):
            continue
        is_claimable = known.least.granting <= stated.granting <= known.most.granting
        field = "claimable" if is_claimable else "granted"
        raise StateRefused(
            "not_possible",
            field,
            f"{currency}: less than its receipts have, or more than its plan leaves; kulanz budget reserved shows both",
        )


def _take(found: Uncounted, asked: Stated, ports: StatePorts) -> None:
    campaign_id, before = found.campaign.id, found.stated
    agreed = is_agreed(before, asked, ports.people)
    if not agreed and persons_to_state(asked.amounts, found.known, ports.settings) > 1:
        if before is not None and before.amounts == asked.amounts:
            raise StateRefused(
                "second_person_needed", "", f"this person has stated the same already; ask another person ({APART})"
            )
        ports.budgets.state(campaign_id, before, asked)
        return
    done = before.agreed(asked) if before is not None and agreed else _alone(asked)
    read = {made.place: ports.campaigns.budget(made.currency, made.month) for made in found.standing}
    step = step_of_end(read, found.standing, asked.amounts, is_over=False)
    after = {one.currency: one for _, one in step.reservations}
    is_done = all(after.get(made.currency, made).is_done for made in found.standing)
    ports.budgets.settle_as_stated(campaign_id, step, before, done, is_done=is_done)


def _alone(asked: Stated) -> Stated:
    return Stated(asked.id, asked.amounts, asked.person, asked.reason, asked.at, is_settled=True)


def stated_amounts(
    granted: Mapping[str, int], claimable: Mapping[str, int], known: Mapping[str, Between]
) -> Mapping[str, Needed]:
    """What is stated, with what stays reserved for customers where that is not stated: all that they may have."""
    return {
        currency: Needed(amount, claimable.get(currency, known[currency].most.claimable if currency in known else 0))
        for currency, amount in granted.items()
    }
