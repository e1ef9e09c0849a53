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
from kulanz.application.exports.ledger_rows import LedgerRows
from kulanz.application.exports.plan_rows import PlanRows
from kulanz.application.exports.ports import ExportQueue, ExportStore
from kulanz.application.ports import ChunkMessage, ExportMessage, PinnedVersionGone, TryAgain
from kulanz.domain.campaigns.campaign import Campaign, Pass
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.exports.export import LANES, Export, Part
from kulanz.domain.exports.figures import Figures, Of
from kulanz.domain.exports.rows import Rendered, count
from kulanz.domain.lists.lines import Line, ListRefused

GZIP_LEVEL = 1
"""Rows of one list are much alike: a tenth of their size at the least work."""
CONTENT_TYPE = "application/gzip"


@dataclass(frozen=True, slots=True)
class ExportPorts:
    """The world that writing an export touches. Of the ledger it only reads."""

    work: GrantPorts
    exports: ExportStore
    queue: ExportQueue


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

    def write(self, one: Rendered, line: int, account: str = "", subject: str = "", decision: str = "") -> None:
        """Write the rows of a line; `line` counts from 1 in the part."""
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
    store, campaigns = ports.exports, ports.work.campaigns
    export, campaign = store.export(message.campaign, message.export), campaigns.campaign(message.campaign)
    if export is None or campaign is None or export.failed or not 0 <= message.chunk < len(campaign.chunks):
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
    if message.chunk + LANES < len(campaign.chunks):
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
    campaigns, start_stop = ports.work.campaigns, campaign.chunks.bounds(chunk)
    written = {part.start for part in ports.exports.parts(export, *start_stop)}
    policy = cache.get(campaign, campaigns)
    run = StretchRun(campaign, ChunkMessage(campaign.id, Pass.PLAN, chunk), None, policy, ports.work, settings, clock)
    stretches = list(run.planned(None))
    todo = [one for one in stretches if one[0] not in written]
    if not todo:
        return
    lines = run.lines(todo[0][0], start_stop[1])
    rows: PlanRows | LedgerRows = (
        PlanRows(run, campaign.id) if export.of is Of.PLAN else LedgerRows(run, campaigns, export.asked_at)
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
        yield _stored(export, part, stretch, ports)


def _pass_over(lines: Iterator[Line], stretch: Stretch) -> None:
    """Leave out the lines of a part that is written already."""
    for line in lines:
        if line.end >= stretch.end:
            return


def _stored(export: Export, part: PartRows, stretch: Stretch, ports: ExportPorts) -> Part:
    content = part.content()
    digest = sha256(content).hexdigest()
    key = f"{export.folder}/{part.first:014d}-{stretch.end:014d}-{digest[:16]}.jsonl.gz"
    ports.work.archive.put(key, content, CONTENT_TYPE)
    return Part(part.first, stretch.end, stretch.lines, part.rows, key, len(content), digest, part.figures())
