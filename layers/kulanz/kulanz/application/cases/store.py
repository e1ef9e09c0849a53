"""What deciding cases writes and reads: the decision by hand, what waits for a second person, and counts of a month."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol

from kulanz.application.ports import RecognisedRows
from kulanz.domain.budgets import Draw
from kulanz.domain.byhand.counts import Count, CountOf, CountStep
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import Outcome
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.ledger.entries import DecisionKey, Entry, HistoryChange
from kulanz.domain.ledger.hand_decision import CaseKind, HandDecision
from kulanz.domain.money import Size

WAITS = timedelta(days=14)
"""How long a decision waits for its second person, as a plan does; then it is asked for again."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A decision that waits for a second person. `seen` is the case as the first one saw it."""

    key: DecisionKey
    hand: HandDecision
    seen: str
    ttl: int

    @property
    def hash(self) -> str:
        """SHA-256, in hexadecimal, of all that would be decided: what the second person names."""
        return sha256(canonical_json([str(self.key), self.seen, self.hand.to_text()]).encode()).hexdigest()

    def is_over(self, now: datetime) -> bool:
        """Whether it waited longer than it may."""
        return now >= self.hand.at + WAITS


@dataclass(frozen=True, slots=True)
class Rejection:
    """A person's no to what waited, by its hash, under the id `action_id`, which the person chose."""

    hash: str
    person: str
    action_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class HandStep:
    """A decision by hand with all that it changes, in one step.

    `held` is the decision as it stood; of a rejected row, for which none stands, as it would have been written.
    `waiting` is what waits for a second person about the case, as it was read: it waits no more.
    """

    held: Entry
    decided: Entry
    incident: IncidentRecord
    history: HistoryChange | None = None
    draws: tuple[Draw, ...] = ()
    counts: tuple[CountStep, ...] = ()
    waiting: Proposal | None = None

    @property
    def hand(self) -> HandDecision:
        """The decision by hand."""
        assert self.decided.by_hand is not None, "a step decides by hand"
        return self.decided.by_hand

    @property
    def kind(self) -> CaseKind:
        """Why it waited."""
        row = self.hand.row
        return CaseKind(self.held.status.value) if row is None else row.kind

    @property
    def grants(self) -> bool:
        """Whether something is granted by it."""
        return self.hand.decision.outcome is Outcome.GRANTED


@dataclass(frozen=True, slots=True)
class DecidedByHand:
    """What of a campaign was decided by hand: how many by what they were and became, and what that granted."""

    counts: Mapping[tuple[CaseKind, Outcome], int] = field(default_factory=dict)
    granted: Mapping[str, Size] = field(default_factory=dict)

    def by_kind(self) -> Mapping[CaseKind, int]:
        """How many of each kind were decided."""
        found: Counter[CaseKind] = Counter()
        for (was, _), number in self.counts.items():
            found[was] += number
        return found

    def by_outcome(self) -> Mapping[Outcome, int]:
        """How many were granted, and how many declined."""
        found: Counter[Outcome] = Counter()
        for (_, became), number in self.counts.items():
            found[became] += number
        return found


class CaseStore(RecognisedRows, Protocol):
    """Decisions by hand."""

    def decide(self, step: HandStep) -> None:
        """Decide a case, once, in one step with what it changes and its entry in the audit log. Raises Outdated.

        Of a rejected row the decision is written, with whose the row is. Conditional on the case being undecided; of a
        rejected row, on nothing standing about the account; on the incident, the history, the counts and what waits for
        a second person being as they were read; and on the stack not being halted.
        """

    def propose(self, proposal: Proposal, instead_of: Proposal | None) -> None:
        """Let a decision wait for a second person. Raises Outdated where another one waits than `instead_of`."""

    def proposal(self, key: DecisionKey) -> Proposal | None:
        """What waits for a second person about a case, read consistently; also where it has waited too long."""

    def reject(self, proposal: Proposal, rejection: Rejection, at: datetime) -> None:
        """Let a proposal wait no more, on a person's word. Raises Outdated where it does not stand."""

    def rejection(self, key: DecisionKey) -> Rejection | None:
        """Who rejected what waited last about a case, read consistently; None where nobody did, or something waits."""

    def proposals(self, after: str, most: int) -> tuple[Sequence[Proposal], str]:
        """Some of what waits for a second person, by campaign; and where more may begin, empty where there is none."""

    def counts(self, of: Sequence[CountOf]) -> tuple[Count, ...]:
        """What was decided by hand in a month, read consistently; nothing where nothing was."""

    def decided(self, campaign_id: CampaignId) -> DecidedByHand:
        """What of a campaign was decided by hand."""
