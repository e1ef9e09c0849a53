"""Reads a chunk of an answer file: each answer added to the entries of the decision that it is about, and counted.

The file's record says what is to be done; a message only says where to look. A worker that dies between its writes and
its receipt leaves entries that name their line, so that the same lines read again are counted as they were first.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256

from kulanz.application.campaigns.chunk_run import TIME_TO_FINISH_SECONDS, Clock
from kulanz.application.delivery.given_again import note_given_again, note_room_used
from kulanz.application.delivery.reject_codes import KnownCodes
from kulanz.application.delivery.void_histories import changes_worth, history_step
from kulanz.application.delivery.world import AnswerFiles, CreditLedger, DeliveryStore, EntriesChange
from kulanz.application.ports import Archive, CampaignStore, Ledger, ListStore, Troubles, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cursor
from kulanz.domain.delivery.answer_pass import (
    CAMPAIGNS_PER_RECEIPT,
    AnswerFile,
    AnswerReceipt,
    AnswerTotals,
    regained_by,
)
from kulanz.domain.delivery.answers import (
    FOR_A_PERSON,
    AnswerReader,
    AnswerResult,
    BillerAnswer,
    Heard,
    Hearing,
)
from kulanz.domain.delivery.delivery import Delivery
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.gate.settings import SAFE, GateSettings
from kulanz.domain.ledger.entries import DecisionKey, Entry
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import LINE_BYTES, LINE_SCAN_BYTES, Line, is_blank, lines_starting_in

ANSWERS_READ_TOGETHER = 100
"""The keys of one BatchGetItem."""
LINES_PER_RECEIPT = 20_000
"""A receipt ends here, so that a worker that dies repeats little, and the problems of its lines fit in memory."""
ROUNDS = 8
"""How often a decision is read again because somebody else added to its entries; then the chunk comes again."""


@dataclass(frozen=True, slots=True)
class AnswerPorts:
    """The world that reading answers touches."""

    lists: ListStore
    archive: Archive
    deliveries: DeliveryStore
    credits: CreditLedger
    files: AnswerFiles
    campaigns: CampaignStore
    troubles: Troubles
    ledger: Ledger
    gate: GateSettings = SAFE
    """In which zone the months of budgets are."""


@dataclass(slots=True)
class _Line:
    """A line of the page that is being worked: what it says, and once it is known, what became of it."""

    offset: int
    end: int
    answer: BillerAnswer | None
    sent: Delivery | None = None
    key: DecisionKey | None = None
    heard: Heard | None = None


class Sheet:
    """Hears answers: finds the delivery and the decision of each, and writes the entries of a page together."""

    def __init__(self, channel: str, ports: AnswerPorts, by: str) -> None:
        self._channel = channel
        self._ports = ports
        self._by = by
        self._sent: dict[int, Delivery | None] = {}
        self._campaigns: dict[CampaignId, Campaign | None] = {}
        self.codes = KnownCodes(ports.files)

    def find(self, line: _Line) -> None:
        """Find the delivery that a line is about; where it is none, that is what became of the line."""
        if line.answer is None:
            return
        serial = line.answer.serial
        if serial not in self._sent:  # also one that was not sent is looked for once, not for each of its lines
            self._sent[serial] = self._ports.deliveries.delivery(DeliveryId(self._channel, serial))
        line.sent = self._sent[serial]
        if line.sent is None or not line.sent.is_released:
            line.heard = Heard(AnswerResult.BEFORE_DELIVERY, "no delivery was sent under this serial")
            return
        campaign = line.sent.campaign
        line.key = line.answer.key(campaign.incident_id, campaign.seq)

    def hear(self, lines: list[_Line], clock: Clock) -> None:
        """Let each answer have its result. Raises TryAgain where others keep changing the same entries."""
        for _ in range(ROUNDS):
            waiting = [line for line in lines if line.key is not None and line.heard is None]
            if not waiting:
                return
            self._round(waiting, clock)
        raise TryAgain("the entries of some decisions keep changing")

    def _round(self, waiting: list[_Line], clock: Clock) -> None:
        keys = list(dict.fromkeys(key for line in waiting if (key := line.key) is not None))
        found = self._ports.credits.booked(keys)
        hearings = {key: Hearing(booked.entry, booked.entries) for key, booked in found.items()}
        heard: list[tuple[_Line, DecisionKey, Heard]] = []
        now = clock.now()
        for line in waiting:
            key = line.key
            assert key is not None
            assert line.answer is not None
            assert line.sent is not None
            hearing = hearings.get(key)
            if hearing is None:
                heard.append((line, key, Heard(AnswerResult.UNKNOWN_ID, "no such account or subject was delivered")))
                continue
            place = str(line.offset)
            heard.append((line, key, hearing.hear(line.answer, str(line.sent.id), now, self._by, place)))
        self._note_codes(heard)
        changes = [
            EntriesChange(key, hearing.read, hearing.entries) for key, hearing in hearings.items() if hearing.is_changed
        ]
        written = self._written(changes, hearings, now)
        for line, key, result in heard:
            if written.get(key, True):
                line.heard = result

    def _written(
        self, changes: list[EntriesChange], hearings: Mapping[DecisionKey, Hearing], now: datetime
    ) -> dict[DecisionKey, bool]:
        """Write the entries of distinct decisions; whether each was written.

        What becomes void under a policy with a history, or stands again, is one step with the history.
        """
        plain, found = list[EntriesChange](), dict[DecisionKey, bool]()
        for change in changes:
            decision = hearings[change.key].decision
            campaign = self._campaign(change.key.campaign) if changes_worth(decision, change) else None
            if campaign is not None and campaign.keeps_history:
                found[change.key] = self._write_with_history(decision, change, campaign, now)
            else:
                plain.append(change)
        written = self._ports.credits.write_entries(plain) if plain else []
        return found | dict(zip((one.key for one in plain), written, strict=True))

    def _write_with_history(self, decision: Entry, change: EntriesChange, campaign: Campaign, now: datetime) -> bool:
        ports = self._ports

        def applied() -> list[Campaign]:
            record = ports.campaigns.incident(change.key.incident_id)
            seqs = () if record is None else record.applied
            found = (self._campaign(CampaignId(change.key.incident_id, seq)) for seq in seqs)
            return [one for one in found if one is not None]

        step = history_step(decision, change, campaign.policy_id, ports.ledger, applied, answered_at=now)
        if step is None:
            return ports.credits.write_entries([change])[0]
        if step.is_room_used:  # before it is written: whoever takes over from a dead worker does not see it any more
            note_room_used(campaign.id, ports.troubles, now)
        return ports.credits.write_with_history(change, step.change)

    def _campaign(self, campaign_id: CampaignId) -> Campaign | None:
        if campaign_id not in self._campaigns:
            self._campaigns[campaign_id] = self._ports.campaigns.campaign(campaign_id)
        return self._campaigns[campaign_id]

    def _note_codes(self, heard: Iterable[tuple[_Line, DecisionKey, Heard]]) -> None:
        """Let the codes of what is rejected be known before it is written."""
        found: dict[CampaignId, set[str]] = {}
        for _, key, result in heard:
            if result.moved is not None and CreditState.REJECTED in result.moved.by_state:
                found.setdefault(key.campaign, set()).add(result.moved.code)
        for campaign_id, codes in found.items():
            self.codes.note(campaign_id, self._channel, codes)


@dataclass(slots=True)
class HearRun:
    """One attempt at a chunk: from its cursor to a receipt that is offered once."""

    file: AnswerFile
    chunk: int
    cursor: Cursor | None
    ports: AnswerPorts
    clock: Clock
    reader: AnswerReader = field(init=False)
    sheet: Sheet = field(init=False)
    totals: AnswerTotals = field(default_factory=AnswerTotals)
    problems: list[Mapping[str, str | int]] = field(default_factory=list)
    given_again: set[CampaignId] = field(default_factory=set)
    """The campaigns of which the biller gives something again that it had taken back."""

    def __post_init__(self) -> None:
        self.reader = AnswerReader(self.file.layout)
        self.sheet = Sheet(self.file.channel, self.ports, self.file.id)

    def work(self) -> AnswerReceipt | None:
        """Hear page after page; the receipt covers exactly the lines that have their result. None where none has."""
        chunk_start, chunk_stop = self.file.chunks.bounds(self.chunk)
        begun = chunk_start if self.cursor is None else self.cursor.position
        start: int | None = None if self.cursor is None else begun
        reached, finished = begun, True
        for page in self._pages(begun, chunk_stop):
            start = page[0].offset if start is None else start
            if self._must_end(page):
                finished = False
                break
            self.sheet.hear(page, self.clock)
            for line in page:
                self._count(line)
            reached = page[-1].end
        if not finished and reached in (begun, start):
            return None
        if start is None:  # no line starts in this chunk
            start = reached = chunk_stop
        elif finished:
            reached = max(reached, start)
        return AnswerReceipt(
            file=self.file.id,
            channel=self.file.channel,
            chunk=self.chunk,
            start=start,
            end=reached,
            moved_from=None if self.cursor is None else self.cursor.position,
            finishes_chunk=finished,
            totals=self.totals,
        )

    def _must_end(self, page: list[_Line]) -> bool:
        if self.totals.lines >= LINES_PER_RECEIPT or self.clock.seconds_left() < TIME_TO_FINISH_SECONDS:
            return True
        ours = {line.sent.campaign for line in page if line.sent is not None}
        return bool(self.totals.lines) and len(self.totals.campaigns | ours) > CAMPAIGNS_PER_RECEIPT

    def _pages(self, start: int, stop: int) -> Iterator[list[_Line]]:
        """The lines that start in `[start, stop)`, read, some together; each page is of few campaigns."""
        page: list[_Line] = []
        campaigns: set[CampaignId] = set()
        for one in self._lines(start, stop):
            line = self._read(one)
            self.sheet.find(line)
            ours = campaigns | ({line.sent.campaign} if line.sent is not None else set())
            if page and (len(page) >= ANSWERS_READ_TOGETHER or len(ours) > CAMPAIGNS_PER_RECEIPT):
                yield page
                page, ours = [], {line.sent.campaign} if line.sent is not None else set()
            page.append(line)
            campaigns = ours
        if page:
            yield page

    def _lines(self, start: int, stop: int) -> Iterator[Line]:
        data_start = self.file.chunks.data_start
        read_from = start if start == data_start else start - 1
        return lines_starting_in(self._blocks(read_from, stop), read_from, start, stop, data_start)

    def _blocks(self, read_from: int, chunk_stop: int) -> Iterator[bytes]:
        pinned, position = self.file.pinned, read_from
        stop = min(chunk_stop + LINE_BYTES, pinned.size)
        while position < stop:
            yield from list(self.ports.lists.read(pinned, position, stop))
            position, stop = stop, min(stop + LINE_SCAN_BYTES, pinned.size)

    def _read(self, line: Line) -> _Line:
        if is_blank(line.raw, is_csv=self.reader.format is ListFormat.CSV):
            return _Line(line.offset, line.end, None, heard=Heard(AnswerResult.BLANK))
        found = self.reader.answer(line)
        if isinstance(found, BillerAnswer):
            return _Line(line.offset, line.end, found)
        for one in found.each():
            self._note(line.offset, AnswerResult.REJECTED_LINE, one.reason, field=one.field, expected=one.expected)
        return _Line(line.offset, line.end, None, heard=Heard(AnswerResult.REJECTED_LINE, found.reason))

    def _count(self, line: _Line) -> None:
        assert line.heard is not None
        campaign_id, moved = None if line.sent is None else line.sent.campaign, line.heard.moved
        codes = () if campaign_id is None or moved is None else self.sheet.codes.counting(campaign_id, moved)
        self.totals.count(campaign_id, line.heard, codes)
        if campaign_id is not None and moved is not None and moved.by_state.get(CreditState.VOIDED, 0) < 0:
            self.given_again.add(campaign_id)
        if line.heard.result in FOR_A_PERSON and line.heard.result is not AnswerResult.REJECTED_LINE:
            self._note(line.offset, line.heard.result, line.heard.reason)

    def _note(self, offset: int, result: AnswerResult, reason: str, **details: str) -> None:
        shown = {name: text for name, text in details.items() if text}
        self.problems.append({"offset": offset, "result": result.value, "reason": reason, **shown})


def problems_folder(file: AnswerFile) -> str:
    """Where the lines of an answer file are filed that changed nothing and ought to be looked at."""
    return f"answers/{file.channel}/{file.id}/problems"


def problems_key(file: AnswerFile, receipt: AnswerReceipt, content: bytes) -> str:
    """Where those of a receipt are filed: by the range and the content, because an answer that came meanwhile may have
    changed what became of a line that was not counted yet.
    """
    return f"{problems_folder(file)}/{receipt.start:014d}-{receipt.end:014d}-{sha256(content).hexdigest()[:16]}.jsonl"


def hear_chunk(channel: str, file_id: str, chunk: int, ports: AnswerPorts, clock: Clock) -> bool:
    """Work a chunk of an answer file from its cursor on; whether it is finished. Safe to repeat.

    False: the time is over, and the chunk is to be sent again. Raises TryAgain.
    """
    while True:
        file = ports.files.file(channel, file_id)
        if file is None or not 0 <= chunk < len(file.chunks):
            return True
        cursor = ports.files.cursor(file, chunk)
        if cursor is not None and cursor.finished:
            return True
        run = HearRun(file, chunk, cursor, ports, clock)
        receipt = run.work()
        if receipt is None:
            return False
        if run.problems:
            content = b"".join(json.dumps(one, sort_keys=True).encode() + b"\n" for one in run.problems)
            receipt = replace(receipt, problems=problems_key(file, receipt, content))
            ports.archive.put(receipt.problems, content, "application/x-ndjson")
        note_given_again(run.given_again, ports.campaigns, ports.troubles, clock.now())
        regained = regained_by(receipt.totals, ports.gate.budget_month(clock.now()))
        ports.files.record(replace(receipt, regained=regained))
