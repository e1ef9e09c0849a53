"""The rows of an executed campaign: for each line of its list what stands in the ledger, as it stands now.

Nothing is decided again for them, so that they can be had as long as the list and the decisions are kept, whatever
release runs by then. A line is decided only to know whether its facts can be read.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

from kulanz.application.campaigns.chunk_run import TIME_TO_FINISH_SECONDS, Waiting
from kulanz.application.campaigns.stretch_run import LINES_READ_TOGETHER, StretchRun
from kulanz.application.delivery.world import Booked, CreditLedger
from kulanz.application.ledger.accept_offer import ended_offers
from kulanz.application.ports import CampaignStore, RecognisedRows
from kulanz.domain.byhand.goodwill import goodwill_bills, goodwill_persons
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz.domain.campaigns.reconciliation import RESULT_OF, RowResult
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.entries import CreditEntries
from kulanz.domain.delivery.law import Shares, shares_of
from kulanz.domain.exports.figures import CONFLICT, DUPLICATE, GOODWILL, MISSING, NOT_WRITTEN, Written
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
    without_digest,
)
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import Line, is_blank
from kulanz.domain.lists.rows import Problem
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.document.owed import Bill

TWO_PERSONS = 2
EXPIRED, VOIDED, OFFER_ENDED = "expired", "voided", "offer_ended"
"""The status of a grant that has ended by the clock, or was taken back; and of an offer that nobody can accept now."""


class _Row(NamedTuple):
    """A line of the list: its key and what its facts come to; or, without a key, the reason why it is rejected."""

    number: int
    offset: int
    key: DecisionKey | None
    line: Waiting | None = None
    reason: str = ""


class _Known(NamedTuple):
    """What decisions that are rendered alike have in common. `body` is the decision's without its row's digest.

    `rejected` is why the row cannot be read, where a person recognised whose it is.
    """

    body: str
    status: Outcome
    effective_at: datetime
    expires_at: datetime | None
    accepted_at: datetime | None
    entries: CreditEntries
    by_hand: str
    written: Written
    rejected: str


class Decisions:
    """Renders decisions as they stand, as of an instant. What many have in common is rendered once."""

    def __init__(
        self,
        campaign: CampaignId,
        policy: CompiledPolicy,
        bills: Mapping[str, Bill],
        now: datetime,
        *,
        offers_ended: bool,
    ) -> None:
        self._campaign, self._policy, self._bills, self._now = campaign, policy, bills, now
        self._offers_ended = offers_ended
        self._rendered: dict[_Known, Rendered] = {}

    def of(self, booked: Booked, written: Written, rejected: str = "") -> Rendered:
        """The rows of a decision. `rejected` is why its row cannot be read, where a person recognised whose it is."""
        entry = booked.entry
        place = _Known(
            without_digest(entry.body), entry.status, entry.effective_at, entry.expires_at, entry.accepted_at,
            booked.entries, "" if entry.by_hand is None else entry.by_hand.to_text(), written, rejected,
        )  # fmt: skip
        known = self._rendered.get(place)
        if known is None:
            if len(self._rendered) >= REMEMBERED_FACTS:
                self._rendered.clear()
            known = self._rendered[place] = self._render(booked, written, rejected)
        return known

    def _render(self, booked: Booked, written: Written, rejected: str) -> Rendered:
        entry = booked.entry
        decision = read_decision(entry.body)
        found = Found(
            (rejected and RowResult.REJECTED.value) or RESULT_OF[decision.outcome].value,
            rejected or decision.reason, written, decision, self._status(entry), self._instants(entry, decision),
        )  # fmt: skip
        shares: list[Shares | None] = [one for _, one in shares_of(entry, booked.entries, self._now)]
        if (hand := entry.by_hand) is not None:
            if decision.outcome is not Outcome.GRANTED:  # what it left open is granted no more
                shares = [*(None for _ in decision.benefits), *shares]
            found = found._replace(
                decision=replace(decision, claimable=hand.decision.benefits), is_by_hand=True,
                decided_by=decided_by(hand.persons), decided_for=hand.reason,
            )  # fmt: skip
        elif persons := goodwill_persons(entry.body):
            found = found._replace(
                result=GOODWILL, decision=replace(decision, benefits=(), claimable=decision.benefits), is_by_hand=True,
                instants=Instants(entry.effective_at, entry.effective_at),
                decided_by=decided_by(persons), decided_for=decision.reason,
            )  # fmt: skip
        found = found._replace(shares=shares)
        days = [self._due_by(found, part, benefit) for part, benefit in found.parts]
        return rendered(self._campaign, found, days, {**self._bills, **goodwill_bills(entry.body)})

    def _instants(self, entry: Entry, decision: Decision) -> Instants:
        accepted = entry.accepted_at
        if accepted is None and decision.outcome is Outcome.OFFERED and is_taken(entry):
            accepted = entry.effective_at  # accepted before acceptances were stored by themselves
        return Instants(entry.effective_at, accepted if entry.by_hand is None else entry.by_hand.at)

    def _due_by(self, found: Found, part: str, benefit: Benefit) -> date | None:
        begins = begins_at(found, part)
        return None if begins is None or benefit.due is None else self._policy.due_by(benefit.due, begins)

    def _status(self, entry: Entry) -> str:
        if is_voided(entry):
            return VOIDED
        if entry.status is Outcome.GRANTED and is_expired(entry, self._now):
            return EXPIRED
        if entry.status is Outcome.OFFERED and (self._offers_ended or is_expired(entry, self._now)):
            return OFFER_ENDED
        return entry.status.value


class LedgerRows:
    """Makes the rows of one chunk of an executed campaign, as of the instant at which the export was asked for."""

    def __init__(
        self,
        run: StretchRun,
        campaigns: CampaignStore,
        credits_: CreditLedger,
        rows: RecognisedRows,
        bills: Mapping[str, Bill],
        now: datetime,
    ) -> None:
        self._run, self._credits, self._rows = run, credits_, rows
        campaign = run.campaign
        cursor = campaigns.cursor(campaign.id, Pass.APPLY, run.message.chunk)
        incident = campaigns.incident(campaign.id.incident_id)
        ended = incident is not None and bool(ended_offers(incident, campaigns, [campaign.id.seq]))
        self._counted_until = 0 if cursor is None else cursor.position
        self._decisions = Decisions(campaign.id, run.policy, bills, now, offers_ended=ended)
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
        recognised = self._recognised(page)
        keys = list(dict.fromkeys([row.key for row in page if row.key is not None] + list(recognised.values())))
        found = self._credits.booked(keys) if keys else {}
        has_all = self._has_all(row.line for row in page if _is_elsewhere(row, found))
        for row in page:
            is_counted = row.offset < self._counted_until
            if row.key is None or row.line is None:
                booked = found.get(recognised[row.offset]) if row.offset in recognised else None
                if booked is not None and is_counted:
                    key = booked.entry.key
                    rows = self._decisions.of(booked, Written.YES, row.reason)
                    write(rows, row.number, key.account_id, key.subject, str(key))
                    continue
                result = (RowResult.REJECTED.value, row.reason) if is_counted else (NOT_WRITTEN, "")
                write(self._other(*result), row.number)
                continue
            booked, named = found.get(row.key), row.line.key
            if booked is None:
                write(self._other(self._nothing_stands(is_counted=is_counted), ""), row.number, *named)
            elif booked.entry.origin == row.offset:
                written = Written.YES if is_counted else Written.UNCOUNTED
                write(self._decisions.of(booked, written), row.number, *named, str(row.key))
            elif not is_counted:
                write(self._other(NOT_WRITTEN, ""), row.number, *named)
            elif row.offset in has_all:
                write(self._other(RowResult.UNCHANGED.value, ""), row.number, *named)
            else:
                is_same = row_digest_of(booked.entry.body) == row.line.remembered.digest(row.line.record)
                write(self._other(DUPLICATE if is_same else CONFLICT, ""), row.number, *named, str(row.key))

    def _recognised(self, page: list[_Row]) -> Mapping[int, DecisionKey]:
        """The decisions about rows that cannot be read, by where the row starts."""
        unread = [row.offset for row in page if row.key is None]
        if not unread:
            return {}
        return self._rows.recognised(self._run.campaign.id, unread[0], unread[-1] + 1)

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


def _is_elsewhere(row: _Row, found: Mapping[DecisionKey, Booked]) -> bool:
    """Whether another line of the list has the decision about the row's subject."""
    booked = None if row.key is None else found.get(row.key)
    return booked is not None and booked.entry.origin != row.offset


def decided_by(persons: int) -> str:
    """By which role it was decided by hand: the person is named in the audit log alone."""
    return "support" if persons < TWO_PERSONS else "support, and a second person"
