"""What a campaign reads of earlier incidents: as it stands now, and as it stood when the plan was made.

The plan files what it read with its receipts, under a key that the receipt holds. So the apply pass knows exactly what
was planned for each line, and its books can say what was capped because more was kept in between.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from kulanz.application.ports import Archive, CampaignStore, Ledger
from kulanz.domain.campaigns.campaign import Campaign, Pass, Receipt
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
    history_content,
    values_of_history,
)

HISTORIES_PER_RECEIPT = 10_000
HISTORY_BYTES_PER_RECEIPT = 8 * 1024 * 1024
"""A receipt of the plan ends here, so that what it files needs no more memory in a chunk of short lines, nor with long
histories; one wave may come on top."""


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


@dataclass(slots=True)
class HistoryReader:
    """Reads the histories of a chunk's subjects. `read` is what the plan pass will file of them, by line offset."""

    campaign: Campaign
    policy: CompiledPolicy
    chunk: int
    ledger: Ledger
    campaigns: CampaignStore
    archive: Archive
    read: dict[int, bytes] = field(default_factory=dict)
    _read_bytes: int = 0
    _planned: dict[int, Read] = field(default_factory=dict)
    _known_until: int = 0

    def key(self, record: Record) -> HistoryKey:
        """Whose history a line is decided with."""
        return HistoryKey(record.account_id, self.policy.policy_id, record.subject)

    def of(self, records: Iterable[Record]) -> Mapping[HistoryKey, SubjectHistory]:
        """The histories of some subjects as they stand now; without one, nothing is kept."""
        keys = [self.key(record) for record in records]
        found = self.ledger.histories(keys)
        return {key: found.get(key, SubjectHistory()) for key in keys}

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

    def read_for_plan(self, lines: Sequence[tuple[int, Record]]) -> list[Read]:
        """What the plan reads for some lines, known by their offsets; it is remembered for the receipt."""
        now = self.of(record for _, record in lines)
        reads = [self.counted(now[self.key(record)]) for _, record in lines]
        told = {
            offset: _line(offset, one) for (offset, _), one in zip(lines, reads, strict=True) if one != NOTHING_READ
        }
        self.read |= told
        self._read_bytes += sum(map(len, told.values()))
        return reads

    def is_long(self) -> bool:
        """Whether the plan has read as much as one receipt files."""
        return len(self.read) >= HISTORIES_PER_RECEIPT or self._read_bytes >= HISTORY_BYTES_PER_RECEIPT

    def file(self, receipt: Receipt) -> Receipt:
        """File what the plan read, before the receipt that names it is recorded."""
        if not self.read:
            return receipt
        content = b"".join(line for _, line in sorted(self.read.items()))
        filed = replace(receipt, history=sha256(content).hexdigest())
        self.archive.put(_key(filed), content, "application/x-ndjson")
        return filed

    def planned(self, offset: int) -> Read:
        """What the plan read for a line. Lines are asked for in the order of the list."""
        while offset >= self._known_until:
            self._load_next(offset)
        return self._planned.get(offset, NOTHING_READ)

    def _load_next(self, offset: int) -> None:
        """Load what was filed with the plan's receipt of a line; there is one, or apply would not have begun."""
        start, stop = self.campaign.chunks.bounds(self.chunk)
        receipts = self.campaigns.receipts(self.campaign.id, Pass.PLAN, start, stop)
        receipt = next(one for one in receipts if one.start <= offset < one.end)
        self._known_until = receipt.end
        content = self.archive.get(_key(receipt)) if receipt.history else b""
        self._planned = dict(_read_line(line) for line in content.splitlines())


def _key(receipt: Receipt) -> str:
    """Where a receipt's histories are filed: the digest in the key tells apart what two workers read at two moments."""
    span = f"{receipt.start:014d}-{receipt.end:014d}"
    return f"{receipt.campaign.folder}/history/{receipt.work}-{span}-{receipt.history}.jsonl"


def _line(offset: int, read: Read) -> bytes:
    content = {"offset": offset, "kept": history_content(read.kept), **({"held": read.held} if read.held else {})}
    return json.dumps(content, sort_keys=True).encode() + b"\n"


def _read_line(line: bytes) -> tuple[int, Read]:
    content = json.loads(line)
    return content["offset"], Read(values_of_history(content["kept"]), content.get("held", ""))
