"""What a campaign reads of its subjects' earlier incidents, as they stand at that moment."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from kulanz.application.campaigns.read_earlier import NOTHING_EARLIER, Earlier, UnitPlace
from kulanz.application.ports import Ledger
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.entries import HistoryChange
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
HISTORY_OF_FORMER_ID = "history_of_former_id"
"""Held, because histories under the account's present and its former id say something of the same incident, or the
former id's something of this one: it is not known what replaces what."""


@dataclass(frozen=True, slots=True)
class HistoryReader:
    """Reads the histories of some subjects."""

    campaign: Campaign
    policy: CompiledPolicy
    ledger: Ledger

    def key(self, record: Record) -> HistoryKey:
        """Whose history a line is decided with."""
        return HistoryKey(record.account_id, self.policy.policy_id, record.subject)

    def keys(self, record: Record) -> list[HistoryKey]:
        """The same, and that of the id that its account had before, where it names one."""
        key, former = self.key(record), record.former
        return [key] if former is None else [key, replace(key, account_id=former.account_id)]

    def of(self, records: Iterable[Record]) -> Mapping[HistoryKey, SubjectHistory]:
        """The histories of some subjects as they stand now; without one, nothing is kept."""
        keys = [key for record in records for key in self.keys(record)]
        found = self.ledger.histories(keys)
        return {key: found.get(key, SubjectHistory()) for key in keys}

    def read(self, records: Sequence[Record], earlier: Mapping[UnitPlace, Earlier]) -> list[Read]:
        """What this campaign reads of each record's history now.

        An account of which earlier campaigns know another id than its row names waits for a person: what is kept under
        that id is not read.
        """
        now = self.of(records)
        return [
            Read(NO_HISTORY, HISTORY_OF_FORMER_ID)
            if _unnamed(record, earlier.get((record.account_id, record.subject), NOTHING_EARLIER))
            else self.read_of(record, now)
            for record in records
        ]

    def read_of(self, record: Record, now: Mapping[HistoryKey, SubjectHistory]) -> Read:
        """What this campaign reads of a record's history, and of the one under the id that its account had before."""
        own, *former = (now[key] for key in self.keys(record))
        if not any(one.incidents for one in former):
            return self.counted(own)
        incidents = dict(own.incidents)
        for one in former:
            if self.campaign.id.incident_id in one.incidents or incidents.keys() & one.incidents.keys():
                return Read(NO_HISTORY, HISTORY_OF_FORMER_ID)
            incidents |= one.incidents
        return self.counted(SubjectHistory(own.version, incidents))

    def counted(self, history: SubjectHistory) -> Read:
        """What of a history this campaign reads: the other incidents, as far as its policy names what they add."""
        if history.is_full():
            return Read(NO_HISTORY, HISTORY_FULL)
        incident_id, now = self.campaign.id.incident_id, self.campaign.decided_at
        is_settled = bool(self.policy.read_of(history.settled(incident_id, now)))
        return Read(self.policy.before(history, incident_id, now), HISTORY_SETTLED if is_settled else "")

    def changes(
        self, record: Record, now: Mapping[HistoryKey, SubjectHistory], addition: Addition | None
    ) -> tuple[HistoryChange, ...]:
        """What a decision changes of the histories that it was decided with; nothing where all stays as it is.

        What it adds stands under the account's present id. The former id's history only gets another version, and says
        that it was read.
        """
        own, *former = self.keys(record)
        after = self.after(now[own], addition)
        if after is None:
            return ()
        kept = (HistoryChange(key, now[key], now[key].read_under_another_id()) for key in former)
        return HistoryChange(own, now[own], after), *kept

    def after(self, history: SubjectHistory, addition: Addition | None) -> SubjectHistory | None:
        """A history with what a decision adds; None where it is left as it is.

        A subject that is held whatever its facts come to has no addition: what its incident's earlier campaigns granted
        stays counted. One that adds nothing takes away what its incident had added, where anything is there.
        """
        incident_id = self.campaign.id.incident_id
        if addition is None or (addition.is_empty() and incident_id not in history.incidents):
            return None
        return history.with_addition(incident_id, addition, self.campaign.decided_at)


def _unnamed(record: Record, earlier: Earlier) -> bool:
    """Whether an account has another id than the one that its row names."""
    return bool(set(earlier.other_ids) - {record.former.account_id if record.former else ""})
