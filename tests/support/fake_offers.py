"""Acceptances over the fake ledger and the fake incidents."""

from datetime import datetime

from kulanz.application.ports import Outdated
from kulanz.domain.budgets import Draw
from kulanz.domain.delivery.added import added_by
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.ledger.entries import DecisionKey, Entry, HistoryChange
from kulanz.domain.policy.deciding.history import SubjectHistory
from tests.support.fakes import FakeCampaigns, FakeLedger


class FakeOffers:
    """The offer store; `accepted` holds every acceptance with who made it and when."""

    def __init__(self, ledger: FakeLedger, campaigns: FakeCampaigns) -> None:
        self.accepted: list[tuple[DecisionKey, str, datetime]] = []
        self._ledger = ledger
        self._campaigns = campaigns

    def accept(
        self,
        offered: Entry,
        granted: Entry,
        incident: IncidentRecord,
        actor: str,
        kept: HistoryChange | None = None,
        draws: tuple[Draw, ...] = (),
    ) -> None:
        standing = self._ledger.standing([offered.key])[offered.key]
        is_open = (standing.status, standing.accepted_at) == (offered.status, None)
        if self._campaigns.halt().is_on:
            raise Outdated
        if not is_open or self._campaigns.incident(incident.incident_id) != incident:
            raise Outdated
        if standing.body != granted.body:
            raise AssertionError("the body of a decision never changes")
        self._campaigns.budget_items.require_draws(draws)
        accepted_at = granted.accepted_at or granted.effective_at
        self._campaigns.added_items.require_open(granted.key.campaign, accepted_at)
        if kept is not None:
            if self._ledger.histories([kept.key]).get(kept.key, SubjectHistory()) != kept.before:
                raise Outdated
            self._ledger._histories[kept.key] = kept.after
        self._ledger._entries[granted.key] = granted
        self._campaigns.budget_items.draw(draws)
        self._campaigns.added_items.count(granted.key.campaign, accepted_at, added_by(offered, granted))
        self.accepted.append((offered.key, actor, accepted_at))
