"""What the plan read about each line's subject, filed with its receipts, so that the execution decides as planned.

It reads what earlier campaigns of the incident had decided, and what is kept of earlier incidents. Both can change
while the plan waits: an offer is accepted, another incident is paid. The execution decides by what the plan read,
compares, and only then looks at what stands now. The receipt has the digest of what was filed.
"""

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import NamedTuple

from kulanz.application.campaigns.read_history import NOTHING_READ, Read
from kulanz.application.ports import Archive, CampaignWork
from kulanz.domain.campaigns.campaign import Campaign, Pass, Receipt
from kulanz.domain.ledger.earlier_decisions import Before
from kulanz.domain.policy.deciding.history import history_content, values_of_history

READS_PER_RECEIPT = 10_000
READ_BYTES_PER_RECEIPT = 8 * 1024 * 1024
"""A receipt of the plan ends here, so that what it files needs no more memory in a chunk of short lines, nor with long
histories; one wave may come on top."""

REMEMBERED_TEXTS = 4_096
"""Of earlier decisions, at some 150 bytes each."""


class LineRead(NamedTuple):
    """What was read about a line's subject: its history, and what earlier campaigns of the incident had decided."""

    history: Read
    before: Before | None


NOTHING = LineRead(NOTHING_READ, None)


@dataclass(slots=True)
class FiledReads:
    """What the plan read about the lines of a chunk: noted and filed by the plan, read again by the execution."""

    campaign: Campaign
    chunk: int
    campaigns: CampaignWork
    archive: Archive
    _noted: dict[int, bytes] = field(default_factory=dict)
    _noted_bytes: int = 0
    _texts: dict[Before | None, tuple[bytes, bytes]] = field(default_factory=dict)
    _planned: dict[int, LineRead] = field(default_factory=dict)
    _known_until: int = 0

    def note(self, offset: int, read: LineRead) -> None:
        """Remember for the receipt what the plan read for the line at `offset`."""
        if read == NOTHING:
            return
        noted = self._before_alone(offset, read.before) if read.history == NOTHING_READ else _line(offset, read)
        self._noted[offset] = noted
        self._noted_bytes += len(noted)

    def _before_alone(self, offset: int, before: Before | None) -> bytes:
        """What `_line` makes where no history was read; most lines of a list have one of a few texts."""
        text = self._texts.get(before)
        if text is None:
            if len(self._texts) >= REMEMBERED_TEXTS:
                self._texts.clear()
            head, tail = _line(0, LineRead(NOTHING_READ, before)).rsplit(b"0", 1)
            text = self._texts[before] = head, tail
        return b"%b%d%b" % (text[0], offset, text[1])

    def is_long(self) -> bool:
        """Whether the plan has read as much as one receipt files."""
        return len(self._noted) >= READS_PER_RECEIPT or self._noted_bytes >= READ_BYTES_PER_RECEIPT

    def file(self, receipt: Receipt) -> Receipt:
        """File what the plan read, before the receipt that names it is recorded."""
        if not self._noted:
            return receipt
        content = b"".join(line for _, line in sorted(self._noted.items()))
        filed = replace(receipt, read=sha256(content).hexdigest())
        self.archive.put(_key(filed), content, "application/x-ndjson")
        return filed

    def planned(self, offset: int) -> LineRead:
        """What the plan read for a line. Lines are asked for in the order of the list."""
        while offset >= self._known_until:
            self._load_next(offset)
        return self._planned.get(offset, NOTHING)

    def _load_next(self, offset: int) -> None:
        """Load what was filed with the plan's receipt of a line; there is one, or apply would not have begun."""
        start, stop = self.campaign.chunks.bounds(self.chunk)
        receipts = self.campaigns.receipts(self.campaign.id, Pass.PLAN, start, stop)
        receipt = next(one for one in receipts if one.start <= offset < one.end)
        self._known_until = receipt.end
        content = self.archive.get(_key(receipt)) if receipt.read else b""
        self._planned = dict(_read_line(line) for line in content.splitlines())


def _key(receipt: Receipt) -> str:
    """Where a receipt's reads are filed: the digest in the key tells apart what two workers read at two moments."""
    span = f"{receipt.start:014d}-{receipt.end:014d}"
    return f"{receipt.campaign.folder}/read/{receipt.work}-{span}-{receipt.read}.jsonl"


def _line(offset: int, read: LineRead) -> bytes:
    """One line of JSON. It names no account: the offset leads to it."""
    history, before = read
    content = {
        "offset": offset,
        **({"kept": history_content(history.kept)} if history.kept else {}),
        **({"held": history.held} if history.held else {}),
        **({"before": before.content()} if before is not None else {}),
    }
    return json.dumps(content, sort_keys=True).encode() + b"\n"


def _read_line(line: bytes) -> tuple[int, LineRead]:
    content = json.loads(line)
    history = Read(values_of_history(content.get("kept", {})), content.get("held", ""))
    before = Before.from_content(content["before"]) if "before" in content else None
    return content["offset"], LineRead(history, before)
