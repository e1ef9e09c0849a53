"""What a campaign reads of its subjects' earlier incidents, as they stand at that moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kulanz.application.ports import Ledger
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.lists.rows import Record
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.deciding.history import (
    HISTORY_FULL,
    HISTORY_SETTLED,
    NO_HISTORY,
    Addition,
    HistoryKey,
    HistoryValues,
    SubjectHistory,
)


@dataclass(frozen=True, slots=True)
class Read:
    """What was read of a subject's earlier incidents. `held` is why a person decides: the history is full, whatever the
    facts come to; or another incident's payment has settled time of this one, where it would give something.
    """

    kept: HistoryValues
    held: str = ""

    def holds(self, decision: Decision) -> bool:
        """Whether a person makes a decision."""
        return self.held == HISTORY_FULL or (bool(self.held) and decision.outcome in (Outcome.GRANTED, Outcome.OFFERED))


NOTHING_READ = Read(NO_HISTORY)


@dataclass(frozen=True, slots=True)
class HistoryReader:
    """Reads the histories of some subjects."""

    campaign: Campaign
    policy: CompiledPolicy
    ledger: Ledger

    def key(self, record: Record) -> HistoryKey:
        """Whose history a line is decided with."""
        return HistoryKey(record.account_id, self.policy.policy_id, record.subject)

    def of(self, records: Iterable[Record]) -> Mapping[HistoryKey, SubjectHistory]:
        """The histories of some subjects as they stand now; without one, nothing is kept."""
        keys = [self.key(record) for record in records]
        found = self.ledger.histories(keys)
        return {key: found.get(key, SubjectHistory()) for key in keys}

    def read(self, records: Sequence[Record]) -> list[Read]:
        """What this campaign reads of each record's history now."""
        now = self.of(records)
        return [self.counted(now[self.key(record)]) for record in records]

    def counted(self, history: SubjectHistory) -> Read:
        """What of a history this campaign reads: the other incidents, as far as its policy names what they add."""
        if history.is_full():
            return Read(NO_HISTORY, HISTORY_FULL)
        incident_id, now = self.campaign.id.incident_id, self.campaign.decided_at
        is_settled = bool(self.policy.read_of(history.settled(incident_id, now)))
        return Read(self.policy.before(history, incident_id, now), HISTORY_SETTLED if is_settled else "")

    def after(self, history: SubjectHistory, addition: Addition | None) -> SubjectHistory | None:
        """A history with what a decision adds; None where it is left as it is.

        A subject that is held whatever its facts come to has no addition: what its incident's earlier campaigns granted
        stays counted. One that adds nothing takes away what its incident had added, where anything is there.
        """
        incident_id = self.campaign.id.incident_id
        if addition is None or (addition.is_empty() and incident_id not in history.incidents):
            return None
        return history.with_addition(incident_id, addition, self.campaign.decided_at)
