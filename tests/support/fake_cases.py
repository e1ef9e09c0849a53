"""Decisions by hand in memory, as their port says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from kulanz.application.cases.store import DecidedByHand, HandStep, Proposal, Rejection
from kulanz.application.ports import Outdated
from kulanz.domain.audit import AuditEntry, hand_decision_entry
from kulanz.domain.byhand.counts import Count, CountOf
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import worth_by_measure
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.added import added_by
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey, Entry
from kulanz.domain.ledger.hand_decision import CaseKind
from kulanz.domain.money import Size
from kulanz.domain.policy.deciding.history import SubjectHistory
from tests.support.fakes import FakeCampaigns, FakeLedger


class FakeCases:
    """The store of decisions by hand. `steps` has every one that was made."""

    def __init__(self, ledger: FakeLedger, campaigns: FakeCampaigns) -> None:
        self.steps: list[HandStep] = []
        self._ledger, self._campaigns = ledger, campaigns
        self._proposals: dict[DecisionKey, Proposal] = {}
        self._rejections: dict[DecisionKey, Rejection] = {}
        self._counts: dict[CountOf, Count] = {}

    def decide(self, step: HandStep) -> None:
        key = step.decided.key
        standing: Entry | None = self._ledger.standing([key]).get(key)
        if (row := step.hand.row) is not None and step.kind is CaseKind.REJECTED:
            is_open = standing is None and not self.recognised(key.campaign, row.offset, row.offset + 1)
        else:
            is_open = standing is not None and (standing.status, standing.by_hand) == (step.held.status, None)
        if self._campaigns.halt().is_on or not is_open:
            raise Outdated
        if self._campaigns.incident(key.incident_id) != step.incident:
            raise Outdated
        if self._proposals.get(key) != step.waiting:
            raise Outdated
        if any(self._counts.get(one.before.of, Count(one.before.of)) != one.before for one in step.counts):
            raise Outdated
        if step.grants:
            self._campaigns.added_items.require_open(key.campaign, step.hand.at)
        change = step.history
        if change is not None:
            if self._ledger.histories([change.key]).get(change.key, SubjectHistory()) != change.before:
                raise Outdated
            self._ledger.replace_history(change)
        if standing is None:
            assert self._ledger.insert([step.decided]) == [None], "looked at above"
        else:
            assert standing.body == step.decided.body, "the body of a decision never changes"
            self._ledger.replace_entry(step.decided)
        self._counts |= {one.after.of: one.after for one in step.counts}
        self._campaigns.budget_items.draw(step.draws)
        self._proposals.pop(key, None)
        if step.grants:
            added = added_by(step.held, step.decided)
            self._campaigns.added_items.count(key.campaign, step.hand.at, added)
        self.steps.append(step)

    def additions(self, campaign_id: CampaignId) -> list[Addition]:
        """What was granted by hand, as the index has it."""
        return [
            Addition(
                AdditionKind.RECOGNISED if step.kind is CaseKind.REJECTED else AdditionKind.DECIDED,
                step.decided.key,
                step.hand.at,
                step.hand.person,
            )
            for step in self.steps
            if step.decided.key.campaign == campaign_id and step.grants
        ]

    def recognised(self, campaign_id: CampaignId, start: int, stop: int) -> Mapping[int, DecisionKey]:
        return {
            row.offset: step.decided.key
            for step in self.steps
            if (row := step.hand.row) is not None
            and step.kind is CaseKind.REJECTED
            and step.decided.key.campaign == campaign_id
            and start <= row.offset < stop
        }

    def audit_entries(self) -> list[AuditEntry]:
        """What the audit log has of decisions by hand."""
        return [hand_decision_entry(step.decided.key, step.hand) for step in self.steps]

    def propose(self, proposal: Proposal, instead_of: Proposal | None) -> None:
        if self._campaigns.halt().is_on or self._proposals.get(proposal.key) != instead_of:
            raise Outdated
        self._proposals[proposal.key] = proposal
        self._rejections.pop(proposal.key, None)

    def proposal(self, key: DecisionKey) -> Proposal | None:
        return self._proposals.get(key)

    def reject(self, proposal: Proposal, rejection: Rejection, at: datetime) -> None:  # noqa: ARG002
        if self._proposals.get(proposal.key) != proposal:
            raise Outdated
        del self._proposals[proposal.key]
        self._rejections[proposal.key] = rejection

    def rejection(self, key: DecisionKey) -> Rejection | None:
        return self._rejections.get(key)

    def proposals(self, after: str, most: int) -> tuple[Sequence[Proposal], str]:
        named = {_place(key): one for key, one in self._proposals.items()}
        found = sorted(place for place in named if place > after)
        page = found[:most]
        return [named[place] for place in page], page[-1] if len(page) == most else ""

    def counts(self, of: Sequence[CountOf]) -> tuple[Count, ...]:
        return tuple(self._counts.get(one, Count(one)) for one in of)

    def decided(self, campaign_id: CampaignId) -> DecidedByHand:
        counts: Counter[tuple[CaseKind, Outcome]] = Counter()
        granted: dict[str, Size] = {}
        for step in self.steps:
            if step.decided.key.campaign == campaign_id:
                counts[step.kind, step.hand.decision.outcome] += 1
                for measure, size in worth_by_measure(step.hand.decision).items():
                    granted[measure] = granted.get(measure, 0) + size
        return DecidedByHand(dict(counts), granted)


def _place(key: DecisionKey) -> str:
    return f"{key.incident_id}#{key.seq:03d}#{key.account_id}#{key.subject}"
