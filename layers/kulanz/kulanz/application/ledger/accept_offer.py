"""Takes up an offer: the customer accepted, so what was offered is granted from now on.

An offer can be accepted only while it is the incident's latest word, so that it is never paid beside its successor: the
acceptance and the check of the incident's record are one transaction.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from kulanz.application.incidents.incident_event import DetailType
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, CampaignStore, Ledger, Outdated, TryAgain
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.decision import Outcome
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.ledger import Entry, HistoryChange, Lifetime, read_decision
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory


class OfferRefused(Exception):
    """The offer cannot be accepted. `reason` is a code; the text says why and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class OfferStore(Protocol):
    """Writes acceptances."""

    def accept(
        self,
        offered: Entry,
        granted: Entry,
        incident: IncidentRecord,
        actor: str,
        kept: HistoryChange | None = None,
    ) -> None:
        """Make an offer a grant, once, with an entry of its own that says who and when.

        One step, conditional on the offer being open and the incident's record (and the subject's history, where that
        changes too) being as it was read. Raises Outdated.
        """


@dataclass(frozen=True, slots=True)
class AcceptPorts:
    """The world that accepting an offer touches."""

    ledger: Ledger
    campaigns: CampaignStore
    offers: OfferStore


def accept_offer(
    account_id: str, incident_id: str, ports: AcceptPorts, actor: str, now: datetime, subject: str = WHOLE_ACCOUNT
) -> Entry:
    """Accept the offer of a subject for an incident; what is granted then. Accepting twice changes nothing.

    Raises OfferRefused when there is no open offer, and TryAgain when the records kept changing.
    """
    for _ in range(ATTEMPTS_AGAINST_OTHERS):
        incident = ports.campaigns.incident(incident_id)
        entries = [entry for entry in ports.ledger.of_account(account_id, incident_id) if entry.key.subject == subject]
        if incident is None or not entries:
            raise OfferRefused("not_offered", "nothing was offered to this account for this incident")
        latest = entries[-1]
        offer = read_decision(latest.body)
        if latest.status is Outcome.GRANTED and offer.outcome is Outcome.OFFERED:
            return latest
        _must_be_open(latest, offer.claim_until, incident, now)
        _must_stand(latest, ports.campaigns)
        lifetime = Lifetime.of(replace(offer, outcome=Outcome.GRANTED), now, now)
        granted = replace(
            latest,
            status=Outcome.GRANTED,
            effective_at=now,
            expires_at=lifetime.expires_at,
            ttl=max(latest.ttl, lifetime.ttl),
        )
        try:
            ports.offers.accept(latest, granted, incident, actor, _kept_for_good(latest, ports))
        except Outdated:
            continue
        return granted
    raise TryAgain("the offer or its incident keeps changing")


def _must_be_open(latest: Entry, claim_until: datetime | None, incident: IncidentRecord, now: datetime) -> None:
    if latest.status is not Outcome.OFFERED:
        raise OfferRefused("not_offered", f"this account's latest decision for the incident is: {latest.status}")
    if claim_until is not None and now >= claim_until:
        raise OfferRefused("offer_over", "the time to accept this offer is over")
    seq = latest.key.seq
    if incident.open_seq not in (None, seq) or max(incident.applied, default=seq) != seq:
        raise OfferRefused(
            "offer_superseded", "a later campaign decides this incident; its decision replaces the offer"
        )


def _kept_for_good(latest: Entry, ports: AcceptPorts) -> HistoryChange | None:
    """What an offer added to its subject's history lapses with the offer; accepted, it stays."""
    campaign = ports.campaigns.campaign(latest.key.campaign)
    if campaign is None or not campaign.keeps_history:
        return None
    key = HistoryKey(latest.key.account_id, campaign.policy_id, latest.key.subject)
    before = ports.ledger.histories([key]).get(key, SubjectHistory())
    after = before.accepted(latest.key.incident_id)
    return None if after is None else HistoryChange(key, before, after)


def _must_stand(latest: Entry, campaigns: CampaignStore) -> None:
    """An offer falls with its incident and with its campaign; a change after this look moves the incident's record."""
    newest = max(campaigns.revisions(latest.key.incident_id), key=lambda revision: revision.number)
    if newest.detail_type == DetailType.WITHDRAWN:
        raise OfferRefused("incident_withdrawn", "the incident was withdrawn, and its offers with it")
    campaign = campaigns.campaign(latest.key.campaign)
    if campaign is None or campaign.state not in (State.APPLYING, State.CLOSED):
        raise OfferRefused("offer_stopped", "the campaign that made the offer was stopped; a person has to look at it")
