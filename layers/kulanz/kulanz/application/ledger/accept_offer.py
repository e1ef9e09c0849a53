"""Takes up an offer: the customer accepted, so what was offered is granted from now on.

An offer can be accepted until the execution of a later campaign that sets it off starts, so that it is never paid
beside its successor: the acceptance and the check of the incident's record are one transaction, and so are the start
and its mark in that record. A campaign that adds ends no offer.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, Ledger, Outdated, Stores, TryAgain
from kulanz.domain.budgets import Draw, draw_on
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.confirmation import UNCONFIRMED, missing
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.gate.settings import SAFE, GateSettings
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.incident_record import DetailType, IncidentRecord
from kulanz.domain.ledger.entries import (
    Entry,
    HistoryChange,
    Lifetime,
    granted_benefits,
    is_offer,
    is_taken,
    read_decision,
    remaining_of,
)
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory
from kulanz.domain.refusal import WithReason


class OfferRefused(WithReason):
    """The offer cannot be accepted. `reason` is a code; the text says why and what to do."""


class OfferStore(Protocol):
    """Writes acceptances."""

    def accept(
        self,
        offered: Entry,
        granted: Entry,
        incident: IncidentRecord,
        actor: str,
        kept: HistoryChange | None = None,
        draws: tuple[Draw, ...] = (),
    ) -> None:
        """Make an offer a grant, once, with an entry of its own that says who and when; `draws` is what it spends.

        One step, conditional on the offer being open, the incident's record (and the subject's history, where that
        changes too) being as it was read, the stack not being halted, and on reservations that have what is drawn of
        them. Raises Outdated.
        """


@dataclass(frozen=True, slots=True)
class AcceptPorts:
    """The world that accepting an offer touches. `gate` says in which zone the months of budgets are."""

    ledger: Ledger
    stores: Stores
    campaigns: CampaignStore
    offers: OfferStore
    gate: GateSettings = SAFE


def accept_offer(
    account_id: str,
    incident_id: str,
    ports: AcceptPorts,
    actor: str,
    now: datetime,
    subject: str = WHOLE_ACCOUNT,
    seq: int | None = None,
) -> Entry:
    """Accept the offer of a subject for an incident; what is granted then. Accepting twice changes nothing.

    What stands as claimable beside a part that was granted at once is an offer too. `seq` names the campaign whose
    offer it is, where several policies made one. Raises OfferRefused when there is no open offer, and TryAgain when
    the records kept changing.
    """
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        if ports.campaigns.halt().is_on:
            raise OfferRefused("halted", "the stack is halted: no offer is accepted until that is lifted")
        if problem := missing(ports.stores.confirmation(), ports.stores.tables()):
            raise OfferRefused(UNCONFIRMED, problem)  # a restored table may have forgotten that it was accepted
        incident = ports.campaigns.incident(incident_id)
        entries = [
            entry
            for entry in ports.ledger.of_account(account_id, incident_id)
            if entry.key.subject == subject and seq in (None, entry.key.seq)
        ]
        if incident is None or not entries:
            raise OfferRefused("not_offered", "nothing was offered to this account for this incident")
        found = _chosen(entries, incident, ports.campaigns)
        if is_taken(found):
            return found
        offer = read_decision(found.body)
        if offer.claim_until is not None and now >= offer.claim_until:
            raise OfferRefused("offer_over", "the time to accept this offer is over")
        _must_stand(found, incident, ports.campaigns)
        granted = _granted(found, offer, now)
        try:
            history, draws = _history_after_acceptance(found, ports), _draws(found, granted, ports, now)
            ports.offers.accept(found, granted, incident, actor, history, draws)
        except Outdated:
            continue
        return granted
    raise TryAgain("the offer or its incident keeps changing")


def _chosen(entries: Sequence[Entry], incident: IncidentRecord, campaigns: CampaignStore) -> Entry:
    """The entry whose offer is meant: the open one, else the latest that was accepted. Raises OfferRefused."""
    offers = [entry for entry in entries if is_offer(entry)]
    ended = ended_offers(incident, campaigns, [entry.key.seq for entry in offers])
    still_open = [entry for entry in offers if not is_taken(entry) and entry.key.seq not in ended]
    if len(still_open) > 1:
        named = ", ".join(str(entry.key.campaign) for entry in still_open)
        raise OfferRefused("offers_several", f"several campaigns made an offer, {named}; name the one that is meant")
    taken = [entry for entry in offers if is_taken(entry)]
    if still_open or taken:
        return (still_open or taken)[-1]
    if not is_offer(entries[-1]):
        told = f"this account's latest decision for the incident is: {entries[-1].status}"
        raise OfferRefused("not_offered", told)
    raise OfferRefused("offer_superseded", "a later campaign decides this incident; its decision replaces the offer")


def ended_offers(incident: IncidentRecord, campaigns: CampaignStore, seqs: Sequence[int]) -> set[int]:
    """Of some campaigns of an incident those whose offers a later campaign replaces: one that sets them off.

    While that one is planned and waits for its approval, the offers stand. A campaign that adds to them, under another
    policy, ends none of their offers.
    """
    if not seqs:
        return set()
    later = (
        campaigns.campaign(CampaignId(incident.incident_id, other)) for other in incident.applied if other > min(seqs)
    )
    return {seq for campaign in later if campaign is not None for seq in campaign.follows if seq in seqs}


def _granted(offered: Entry, offer: Decision, now: datetime) -> Entry:
    """What an offer becomes when it is accepted at `now`. A part that was granted before keeps its own instants."""
    if offer.outcome is Outcome.OFFERED:
        lifetime = Lifetime.of(replace(offer, outcome=Outcome.GRANTED), now, now)
        ttl = max(offered.ttl, lifetime.ttl, _purge_at(offered, now))
        return replace(
            offered, status=Outcome.GRANTED, effective_at=now, expires_at=lifetime.expires_at, ttl=ttl, accepted_at=now
        )
    claimed = Lifetime.of(replace(offer, benefits=offer.claimable, claimable=()), now, now)
    ends = (offered.expires_at, claimed.expires_at)
    return replace(
        offered,
        remaining=(*offered.remaining, *remaining_of(offer.claimable)),
        expires_at=None if None in ends else max(end for end in ends if end is not None),
        ttl=max(offered.ttl, claimed.ttl, _purge_at(offered, now)),
        accepted_at=now,
    )


def _draws(offered: Entry, granted: Entry, ports: AcceptPorts, now: datetime) -> tuple[Draw, ...]:
    """What the acceptance spends of budgets, by currency: of what its campaign reserved, else of this month."""
    more = Counter(_money(granted))
    more.subtract(_money(offered))
    if not any(more.values()):
        return ()
    made = {one.currency: one for one in ports.campaigns.reservations(offered.key.campaign)}
    month = ports.gate.budget_month(now)
    return tuple(draw_on(made.get(one), one, amount, month) for one, amount in sorted(more.items()) if amount)


def _money(entry: Entry) -> dict[str, int]:
    """What a decision as it stands grants in money, in minor units by currency."""
    found: dict[str, int] = {}
    for benefit in granted_benefits(entry):
        if benefit.money is not None:
            found[benefit.money.currency] = found.get(benefit.money.currency, 0) + benefit.money.minor
    return found


def _purge_at(entry: Entry, now: datetime) -> int:
    """When a decision that is accepted at `now` may be deleted: kept from then on as long as from when it was written.

    In seconds since 1970, because "no end" is often written as the calendar's last day.
    """
    return int(now.timestamp()) + entry.ttl - int(entry.effective_at.timestamp())


def _history_after_acceptance(latest: Entry, ports: AcceptPorts) -> HistoryChange | None:
    """What an offer added to its subject's history lapses with the offer; accepted, it stays."""
    campaign = ports.campaigns.campaign(latest.key.campaign)
    if campaign is None or not campaign.keeps_history:
        return None
    key = HistoryKey(latest.key.account_id, campaign.policy_id, latest.key.subject)
    before = ports.ledger.histories([key]).get(key, SubjectHistory())
    after = before.accepted(latest.key.incident_id)
    return None if after is None else HistoryChange(key, before, after)


def _must_stand(latest: Entry, incident: IncidentRecord, campaigns: CampaignStore) -> None:
    """An offer falls with its incident and with its campaign; a change after this look moves the incident's record."""
    newest = campaigns.revision(incident.incident_id, incident.highest_revision)
    if newest is not None and newest.detail_type == DetailType.WITHDRAWN:
        raise OfferRefused("incident_withdrawn", "the incident was withdrawn, and its offers with it")
    campaign = campaigns.campaign(latest.key.campaign)
    if campaign is None or campaign.state not in (State.APPLYING, State.CLOSED):
        raise OfferRefused("offer_stopped", "the campaign that made the offer was stopped; a person has to look at it")
