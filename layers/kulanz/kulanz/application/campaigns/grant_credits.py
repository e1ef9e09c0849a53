"""Works a chunk message: attempts at its chunk, each with a receipt, until the chunk or the time is over."""

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from kulanz.application.campaigns.apply_chunk import ApplyRun
from kulanz.application.campaigns.chunk_run import (
    STOP_LOOK_SECONDS,
    TIME_TO_FINISH_SECONDS,
    Clock,
    GrantPorts,
    GrantSettings,
)
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.plan_chunk import PlanRun
from kulanz.application.campaigns.stretch_run import DecidedOtherwise
from kulanz.application.ports import ChunkMessage, Outdated, PinnedVersionGone, TryAgain
from kulanz.domain.campaigns.campaign import WORKABLE, Campaign, Cause, Pass, Receipt, State
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.lists.lines import ListRefused

RECEIPTS_PER_MESSAGE = 1_000
SECONDS_TO_NAME_LINES = 20.0
"""The numbers of lines are counted with no less time left: pausing the campaign comes first."""


class Work(StrEnum):
    """What became of a chunk message."""

    FINISHED = "finished"
    CONTINUED = "continued"
    NOTHING_TO_DO = "nothing_to_do"
    PAUSED = "paused"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Worked:
    """What a worker did, for its log line: no value of any row."""

    work: Work
    lines: int = 0
    written: int = 0
    receipts: int = 0

    def after(self, receipt: Receipt) -> "Worked":
        """What was done once a further receipt is recorded."""
        totals = receipt.totals
        return Worked(Work.FINISHED, self.lines + totals.lines, self.written + totals.ledger_count(), self.receipts + 1)


def grant_credits(
    message: ChunkMessage, ports: GrantPorts, settings: GrantSettings, clock: Clock, cause: Cause, cache: FrozenCache
) -> Worked:
    """Work a chunk from its cursor to its end, or as far as time allows; then the rest is sent again.

    Raises TryAgain when the world does not answer; the message then comes again and goes on at the cursor.
    """
    done, tried, came = Worked(Work.NOTHING_TO_DO), 0, 0
    for _ in range(RECEIPTS_PER_MESSAGE):
        campaign = ports.campaigns.campaign(message.campaign)
        if campaign is None or not may_work(campaign, message):
            return done
        cursor = ports.campaigns.cursor(campaign.id, message.work, message.chunk)
        if cursor is not None and cursor.finished:
            return done
        if message.work is Pass.APPLY and ports.campaigns.halt().is_on:
            if campaign.apply.sent:  # once: the chunks that are given up now are sent again after the halt
                ports.campaigns.mark_dispatched(campaign, Pass.APPLY, 0)
            return done
        seconds_left = clock.seconds_left()
        if seconds_left < TIME_TO_FINISH_SECONDS:
            break
        kind = PlanRun if message.work is Pass.PLAN else ApplyRun
        run = kind(campaign, message, cursor, cache.get(campaign, ports.campaigns), ports, settings, clock)
        run.looks_below = seconds_left - STOP_LOOK_SECONDS  # both were looked at just now
        receipt = _work_or_stop(run, cause)
        tried += 1
        if isinstance(receipt, Work):
            return replace(done, work=receipt)
        if receipt is None:
            continue
        came += 1
        if ports.campaigns.record_receipt(receipt):
            done = done.after(receipt)
    if tried and not came:
        raise TryAgain("no line of the chunk was done in a worker's time")
    ports.chunks.send([message])
    return replace(done, work=Work.CONTINUED)


def _work_or_stop(run: PlanRun | ApplyRun, cause: Cause) -> Receipt | Work | None:
    """The receipt of one attempt, if it got anywhere; or, where the campaign cannot go on, how it was stopped."""
    campaign, now = run.campaign, run.clock.now()
    if changed := campaign.planned_otherwise():
        return _stop(run, State.PAUSED, changed, cause)
    if run.message.work is Pass.APPLY and now >= campaign.decidable_until:
        return _stop(run, State.PAUSED, "incident_over: the incident is older than it may be decided", cause)
    try:
        receipt = run.work()
    except PinnedVersionGone as gone:
        reason = f"list_version_gone: the pinned version of {gone} was deleted; a newer upload does not replace it"
        return _stop(run, State.PAUSED, reason, cause)
    except ListRefused as refusal:
        target = State.REFUSED if run.message.work is Pass.PLAN else State.PAUSED
        return _stop(run, target, f"{refusal.reason}: {refusal}", cause)
    except DecidedOtherwise as difference:
        return _stop(run, State.PAUSED, _where_decided_otherwise(run, difference), cause)
    if receipt is not None and run.problems:
        run.ports.archive.put(problems_key(receipt), _problem_lines(run.problems), "application/x-ndjson")
    return receipt


def may_work(campaign: Campaign, message: ChunkMessage) -> bool:
    """Whether a chunk message still means anything: the right pass, and a chunk that the campaign has."""
    return WORKABLE.get(campaign.state) is message.work and 0 <= message.chunk < len(campaign.chunks)


def _where_decided_otherwise(run: PlanRun | ApplyRun, difference: DecidedOtherwise) -> str:
    """The reason of a campaign that is paused because a stretch would not be written as planned; it names the lines."""
    stretch = difference.stretch
    if stretch is None:
        return (
            f"decided_otherwise: the plan has no digest of the lines from byte {difference.start} on; none of them was"
            " written"
        )
    first = _line_number(run, difference.start)
    where = f"bytes {difference.start} to {stretch.end - 1}"
    if first is not None:
        where = f"lines {first} to {first + stretch.lines - 1}, {where}"
    return f"decided_otherwise: {where}: not what the plan says; none of these lines was written after that was found"


def _line_number(run: PlanRun | ApplyRun, offset: int) -> int | None:
    """The number of the list's line at which a stretch of the plan begins; None where counting takes too long."""
    campaign = run.campaign
    number = 1 if campaign.layout.format is ListFormat.JSONL else 2  # after the header
    for receipt in run.ports.campaigns.receipts(campaign.id, Pass.PLAN, 0, offset + 1):
        if run.clock.seconds_left() < SECONDS_TO_NAME_LINES:
            return None
        if receipt.end <= offset:
            number += receipt.totals.lines
        else:
            number += sum(stretch.lines for stretch in receipt.stretches if stretch.end <= offset)
    return number


def _stop(run: PlanRun | ApplyRun, target: State, reason: str, cause: Cause) -> Work:
    try:
        run.ports.campaigns.change_state(run.campaign, run.campaign.change(target, reason, cause, run.clock.now()))
    except Outdated:
        return Work.NOTHING_TO_DO
    return Work.PAUSED if target is State.PAUSED else Work.REFUSED


def problems_key(receipt: Receipt) -> str:
    """Where the problems of a receipt's lines are filed: the key holds the whole range, so only one content fits it."""
    return f"{receipt.campaign.folder}/problems/{receipt.work}-{receipt.start:014d}-{receipt.end:014d}.jsonl"


def _problem_lines(problems: list[dict[str, str | int]]) -> bytes:
    return b"".join(json.dumps(problem, sort_keys=True).encode() + b"\n" for problem in problems)
