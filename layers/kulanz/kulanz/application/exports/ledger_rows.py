"""The rows of an executed campaign: for each line of its list what stands in the ledger, as it stands now.

Nothing is decided again for them, so that they can be had as long as the list and the decisions are kept, whatever
release runs by then. A line is decided only to know whether its facts can be read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import NamedTuple

from kulanz.application.campaigns.chunk_run import TIME_TO_FINISH_SECONDS, Waiting
from kulanz.application.campaigns.stretch_run import LINES_READ_TOGETHER, StretchRun
from kulanz.application.ledger.accept_offer import ended_offers
from kulanz.application.ports import CampaignStore
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.campaigns.reconciliation import RESULT_OF, RowResult
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.decision import Outcome
from kulanz.domain.exports.figures import CONFLICT, DUPLICATE, MISSING, NOT_WRITTEN, VOIDED, Size, Written
from kulanz.domain.exports.rows import Found, Instants, Rendered, begins_at, rendered
from kulanz.domain.ledger.decider import REMEMBERED_FACTS
from kulanz.domain.ledger.entries import (
    DecisionKey,
    Entry,
    is_expired,
    is_taken,
    is_voided,
    read_decision,
    row_digest_of,
)
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import Line, is_blank
from kulanz.domain.lists.rows import Problem

EXPIRED, OFFER_ENDED = "expired", "offer_ended"
"""The status of a grant that has ended by the clock, and of an offer that can no longer be accepted."""
_ROW, _DIGEST_CHARACTERS = '"row":"', 32


class _Row(NamedTuple):
    """A line of the list: its key and what its facts come to; or, without a key, the reason why it is rejected."""

    number: int
    offset: int
    key: DecisionKey | None
    line: Waiting | None = None
    reason: str = ""


class _Known(NamedTuple):
    """What decisions that are rendered alike have in common. `body` is the decision's without its row's digest."""

    body: str
    status: Outcome
    effective_at: datetime
    expires_at: datetime | None
    accepted_at: datetime | None
    voided: tuple[tuple[int, Size], ...]
    by_hand: str
    written: Written


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far the receipts of the execution come in a chunk, and whether later campaigns ended this one's offers."""

    counted_until: int
    has_ended: bool


class LedgerRows:
    """Makes the rows of one chunk of an executed campaign, as of the instant at which the export was asked for."""

    def __init__(self, run: StretchRun, campaigns: CampaignStore, now: datetime) -> None:
        self._run, self._now = run, now
        campaign = run.campaign
        cursor = campaigns.cursor(campaign.id, Pass.APPLY, run.message.chunk)
        incident = campaigns.incident(campaign.id.incident_id)
        ended = incident is not None and bool(ended_offers(incident, campaigns, [campaign.id.seq]))
        self._reach = _Reach(0 if cursor is None else cursor.position, ended)
        self._rendered: dict[_Known, Rendered] = {}
        self._without: dict[tuple[str, str], Rendered] = {}

    def write(self, lines: Iterator[Line], at: int, planned: Stretch, write: Callable[..., None]) -> bool:  # noqa: ARG002
        """Write the rows of a stretch; False where time ran out over it."""
        page: list[_Row] = []
        for number, line in enumerate(lines, 1):
            row = self._row(number, line)
            if row is not None:
                page.append(row)
            if len(page) >= LINES_READ_TOGETHER:
                if self._run.clock.seconds_left() < TIME_TO_FINISH_SECONDS / 2:
                    return False
                self._write_page(page, write)
                page = []
            if line.end >= planned.end:
                break
        self._write_page(page, write)
        return True

    def _row(self, number: int, line: Line) -> _Row | None:
        reader = self._run.reader
        if is_blank(line.raw, is_csv=reader.format is ListFormat.CSV):
            return None
        record = reader.record(line)
        came = record if isinstance(record, Problem) else self._run.decider.decide(record)
        if isinstance(came, Problem) or isinstance(record, Problem):
            problem = came if isinstance(came, Problem) else record
            assert isinstance(problem, Problem), "one of them is"
            return _Row(number, line.offset, None, reason=problem.reason)
        campaign = self._run.campaign.id
        key = DecisionKey(record.account_id, campaign.incident_id, record.subject, campaign.seq)
        return _Row(number, line.offset, key, Waiting(line.offset, record, came))

    def _write_page(self, page: list[_Row], write: Callable[..., None]) -> None:
        keys = list(dict.fromkeys(row.key for row in page if row.key is not None))
        standing = self._run.ports.ledger.standing(keys) if keys else {}
        has_all = self._has_all(row.line for row in page if _is_elsewhere(row, standing))
        for row in page:
            is_counted = row.offset < self._reach.counted_until
            if row.key is None or row.line is None:
                result = (RowResult.REJECTED.value, row.reason) if is_counted else (NOT_WRITTEN, "")
                write(self._other(*result), row.number)
                continue
            entry, named = standing.get(row.key), row.line.key
            if entry is None:
                write(self._other(self._nothing_stands(is_counted=is_counted), ""), row.number, *named)
            elif entry.origin == row.offset:
                written = Written.YES if is_counted else Written.UNCOUNTED
                write(self._of(entry, written), row.number, *named, str(row.key))
            elif not is_counted:
                write(self._other(NOT_WRITTEN, ""), row.number, *named)
            elif row.offset in has_all:
                write(self._other(RowResult.UNCHANGED.value, ""), row.number, *named)
            else:
                is_same = row_digest_of(entry.body) == row.line.remembered.digest(row.line.record)
                write(self._other(DUPLICATE if is_same else CONFLICT, ""), row.number, *named, str(row.key))

    def _has_all(self, lines: Iterable[Waiting | None]) -> set[int]:
        """The offsets of lines that earlier campaigns of the incident had given all that they are owed."""
        if not self._run.campaign.follows:
            return set()
        asked = [line for line in lines if line is not None]
        earlier = self._run.stands_before(one.record for one in asked)
        owed = ((one, self._run.less(one.record, one.remembered, earlier[one.key].before)) for one in asked)
        return {one.offset for one, left in owed if left is None}

    def _nothing_stands(self, *, is_counted: bool) -> str:
        if not is_counted:
            return NOT_WRITTEN
        return RowResult.UNCHANGED.value if self._run.campaign.follows else MISSING

    def _other(self, result: str, reason: str) -> Rendered:
        known = self._without.get((result, reason))
        if known is None:
            found = Found(result, reason, Written.NO)
            known = self._without[result, reason] = rendered(self._run.campaign.id, found)
        return known

    def _of(self, entry: Entry, written: Written) -> Rendered:
        head, _, rest = entry.body.partition(_ROW)
        place = _Known(
            head + rest[_DIGEST_CHARACTERS:], entry.status, entry.effective_at, entry.expires_at, entry.accepted_at,
            entry.voided, "" if entry.by_hand is None else entry.by_hand.to_text(), written,
        )  # fmt: skip
        known = self._rendered.get(place)
        if known is None:
            if len(self._rendered) >= REMEMBERED_FACTS:
                self._rendered.clear()
            known = self._rendered[place] = self._render(entry, written)
        return known

    def _render(self, entry: Entry, written: Written) -> Rendered:
        decision = read_decision(entry.body)
        accepted = entry.accepted_at
        if accepted is None and decision.outcome is Outcome.OFFERED and is_taken(entry):
            accepted = entry.effective_at  # accepted before acceptances were stored by themselves
        if (hand := entry.by_hand) is not None:
            decision, accepted = replace(decision, claimable=hand.decision.benefits), hand.at
        instants = Instants(entry.effective_at, accepted)
        result = RESULT_OF[decision.outcome].value
        status = self._status(entry)
        found = Found(result, decision.reason, written, decision, status, instants, entry.voided, hand is not None)
        days: list[date | None] = []
        for part, benefit in found.parts:
            begins = begins_at(found, part)
            due = benefit.due
            days.append(None if begins is None or due is None else self._run.policy.due_by(due, begins))
        return rendered(self._run.campaign.id, found, days)

    def _status(self, entry: Entry) -> str:
        if is_voided(entry):
            return VOIDED
        if entry.status is Outcome.GRANTED and is_expired(entry, self._now):
            return EXPIRED
        if entry.status is Outcome.OFFERED and (self._reach.has_ended or is_expired(entry, self._now)):
            return OFFER_ENDED
        return entry.status.value


def _is_elsewhere(row: _Row, standing: Mapping[DecisionKey, Entry]) -> bool:
    """Whether another line of the list has the decision about the row's subject."""
    entry = None if row.key is None else standing.get(row.key)
    return entry is not None and entry.origin != row.offset
