"""Works a message of an export: the rows of one chunk, a part for each stretch of the plan.

A part of a plan is decided again, by the code of the execution and compared with the same digests. A part of the ledger
shows what stands there. Both need no more memory for a longer list. Nothing is written but parts and their records, so
an export can be given up, repeated or run beside anything else.
"""

import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256

from kulanz.application.campaigns.chunk_run import TIME_TO_FINISH_SECONDS, Clock, GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.stretch_run import DecidedOtherwise, StretchRun
from kulanz.application.delivery.world import Booked, CreditLedger
from kulanz.application.exports.ledger_rows import Decisions, LedgerRows
from kulanz.application.exports.plan_rows import PlanRows
from kulanz.application.exports.ports import ExportQueue, ExportStore
from kulanz.application.ports import (
    CampaignIndex,
    CampaignStore,
    ChunkMessage,
    ExportMessage,
    PinnedVersionGone,
    RecognisedRows,
    TryAgain,
)
from kulanz.domain.byhand.goodwill import month_begins
from kulanz.domain.campaigns.campaign import Campaign, Pass
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.exports.export import LANES, Export, Part
from kulanz.domain.exports.figures import Figures, Of, Written
from kulanz.domain.exports.rows import Rendered, count
from kulanz.domain.identifiers import month_of_goodwill
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.lists.lines import Line, ListRefused
from kulanz.domain.policy.document.document import bills_of
from kulanz.domain.policy.document.frozen import read_frozen
from kulanz.domain.time import instant_of, microseconds_of

GZIP_LEVEL = 1
"""Rows of one list are much alike: a tenth of their size at the least work."""
CONTENT_TYPE = "application/gzip"
ADDED_PER_PART = 10_000
"""Decisions of goodwill in a part: as many as lines (`STRETCH_ROWS`), unless more were given at one instant."""


@dataclass(frozen=True, slots=True)
class ExportPorts:
    """The world that writing an export touches. Of the ledger it only reads."""

    work: GrantPorts
    campaigns: CampaignStore
    exports: ExportStore
    queue: ExportQueue
    credits: CreditLedger
    rows: RecognisedRows
    index: CampaignIndex


@dataclass(frozen=True, slots=True)
class PartsWritten:
    """What a worker did, for its log line: no value of any row."""

    parts: int = 0
    lines: int = 0
    failed: str = ""


@dataclass(slots=True)
class PartRows:
    """The rows of one part as they are written down, with what they add up to."""

    first: int
    texts: list[str] = field(default_factory=list)
    rows: int = 0
    _counted: Counter[Rendered] = field(default_factory=Counter)

    def write(self, one: Rendered, line: int | None, account: str = "", subject: str = "", decision: str = "") -> None:
        """Write the rows of a line; `line` counts from 1 in the part, and is None where no line made the decision."""
        self.texts.append(one.rows(line, account, subject, decision))
        self.rows += len(one.tails)
        self._counted[one] += 1

    def content(self) -> bytes:
        """The rows as they are stored: the same rows are the same bytes."""
        return gzip.compress("".join(self.texts).encode(), GZIP_LEVEL, mtime=0)

    def figures(self) -> Figures:
        """What all rows add up to."""
        figures = Figures()
        for one, lines in self._counted.items():
            count(figures, one, lines)
        return figures


def write_parts(
    message: ExportMessage, ports: ExportPorts, settings: GrantSettings, clock: Clock, cache: FrozenCache
) -> PartsWritten:
    """Write the parts of a chunk that are not there, as far as time allows; then the rest, or the next chunk, is sent.

    Raises TryAgain when the world does not answer; the message then comes again and goes on behind the last part.
    """
    store, campaigns = ports.exports, ports.campaigns
    export, campaign = store.export(message.campaign, message.export), campaigns.campaign(message.campaign)
    if export is None or campaign is None or export.failed or not 0 <= message.chunk < export.chunks(campaign):
        return PartsWritten()
    done = PartsWritten()
    try:
        _must_be_decidable(campaign, export)
        for part in _parts(campaign, export, message.chunk, ports, settings, clock, cache):
            if part is None:
                if not done.parts:
                    raise TryAgain("no part of the export was done in a worker's time")
                ports.queue.send_exports([message])
                return done
            if store.record(export, part):
                done = PartsWritten(done.parts + 1, done.lines + part.lines)
    except (_Failed, PinnedVersionGone, ListRefused, DecidedOtherwise) as problem:
        reason = _reason(problem)
        store.fail(export, reason)
        return PartsWritten(done.parts, done.lines, reason.partition(":")[0])
    if message.chunk + LANES < export.chunks(campaign):
        ports.queue.send_exports([ExportMessage(message.campaign, message.export, message.chunk + LANES)])
    return done


class _Failed(Exception):
    """Why an export cannot be finished."""


def _must_be_decidable(campaign: Campaign, export: Export) -> None:
    if export.of is Of.PLAN and (changed := campaign.planned_otherwise()):
        raise _Failed(changed)


def _reason(problem: Exception) -> str:
    match problem:
        case PinnedVersionGone():
            return f"list_version_gone: the pinned version of {problem} was deleted"
        case ListRefused():
            return f"{problem.reason}: {problem}"
        case DecidedOtherwise(start=start, stretch=stretch):
            end = "" if stretch is None else f" to {stretch.end - 1}"
            return f"decided_otherwise: bytes {start}{end} of the list do not come to what the plan says; replan it"
        case _:
            return str(problem)


def _parts(
    campaign: Campaign,
    export: Export,
    chunk: int,
    ports: ExportPorts,
    settings: GrantSettings,
    clock: Clock,
    cache: FrozenCache,
) -> Iterator[Part | None]:
    """The parts of a chunk that are not recorded yet, each as it is written; None where time is over."""
    campaigns = ports.campaigns
    if export.span:
        yield from _added_parts(campaign, export, ports, clock, cache)
        return
    start_stop = campaign.chunks.bounds(chunk)
    written = {part.start for part in ports.exports.parts(export, *start_stop)}
    policy = cache.get(campaign, campaigns)
    run = StretchRun(campaign, ChunkMessage(campaign.id, Pass.PLAN, chunk), None, policy, ports.work, settings, clock)
    stretches = list(run.planned(None))
    todo = [one for one in stretches if one[0] not in written]
    if not todo:
        return
    lines = run.lines(todo[0][0], start_stop[1])
    bills = bills_of(read_frozen(campaigns.frozen(campaign.id).policy)[0].policy)
    rows: PlanRows | LedgerRows = (
        PlanRows(run, campaign.id, bills)
        if export.of is Of.PLAN
        else LedgerRows(run, campaigns, ports.credits, ports.rows, bills, export.asked_at)
    )
    for at, stretch in stretches:
        if at < todo[0][0]:
            continue
        if at in written:
            _pass_over(lines, stretch)
            continue
        if at > todo[0][0] and clock.seconds_left() < TIME_TO_FINISH_SECONDS:
            yield None
            return
        part = PartRows(at)
        if not rows.write(lines, at, stretch, part.write):
            yield None
            return
        yield _stored(export, part, stretch.end, stretch.lines, ports)


def _added_parts(
    campaign: Campaign, export: Export, ports: ExportPorts, clock: Clock, cache: FrozenCache
) -> Iterator[Part | None]:
    """The parts of what was added to a campaign that has no list of its own, each as it is written; None where time is
    over. What was added at one instant is in one part.
    """
    size = campaign.chunks.size
    at = max((part.end for part in ports.exports.parts(export, size)), default=size)
    end = size + export.span
    decisions = Decisions(campaign.id, cache.get(campaign, ports.campaigns), {}, export.asked_at, offers_ended=False)
    found = _added(campaign, at - size, export.span, ports)
    one = next(found, None)
    while at < end:
        part, last = PartRows(at), None
        while one is not None and (len(part.texts) < ADDED_PER_PART or one[0] == last):
            last, booked = one
            part.write(decisions.of(booked, Written.YES), None, *_named(booked.entry.key))
            one = next(found, None)
        stop = end if one is None else size + one[0]
        yield _stored(export, part, stop, 0, ports)
        at = stop
        if at < end and clock.seconds_left() < TIME_TO_FINISH_SECONDS:
            yield None
            return


def _added(campaign: Campaign, start: int, span: int, ports: ExportPorts) -> Iterator[tuple[int, Booked]]:
    """What was added in `[start, span)`, in microseconds since the month of goodwill began, and stands.

    Two may give first at once: then the campaign can be a moment younger than what was given in it.
    """
    begins, after = microseconds_of(month_begins(month_of_goodwill(campaign.id.incident_id))), ""
    while True:
        page = ports.index.additions_from(campaign.id, instant_of(begins + start), after)
        booked = ports.credits.booked([one.key for one in page.found if not one.kind.has_row])
        for one in page.found:
            at = microseconds_of(one.at) - begins
            if at >= span:
                return
            if one.key in booked and not one.kind.has_row:
                yield at, booked[one.key]
        if not page.after:
            return
        after = page.after


def _named(key: DecisionKey) -> tuple[str, str, str]:
    return key.account_id, key.subject, str(key)


def _pass_over(lines: Iterator[Line], stretch: Stretch) -> None:
    """Leave out the lines of a part that is written already."""
    for line in lines:
        if line.end >= stretch.end:
            return


def _stored(export: Export, part: PartRows, end: int, lines: int, ports: ExportPorts) -> Part:
    content = part.content()
    digest = sha256(content).hexdigest()
    key = f"{export.folder}/{part.first:014d}-{end:014d}-{digest[:16]}.jsonl.gz"
    ports.work.archive.put(key, content, CONTENT_TYPE)
    return Part(part.first, end, lines, part.rows, key, len(content), digest, part.figures())
