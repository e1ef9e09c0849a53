"""Works a chunk message: attempts at its chunk, each with a receipt, until the chunk or the time is over."""

import json
from dataclasses import dataclass, replace
from enum import StrEnum

from kulanz.application.campaigns.chunk_run import TIME_TO_FINISH_SECONDS, ChunkRun, Clock, GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.ports import ChunkMessage, Outdated, PinnedVersionGone
from kulanz.domain.campaigns.campaign import WORKABLE, Campaign, Cause, Pass, Receipt, State
from kulanz.domain.lists.lines import ListRefused

RECEIPTS_PER_MESSAGE = 1_000


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
    done = Worked(Work.NOTHING_TO_DO)
    for _ in range(RECEIPTS_PER_MESSAGE):
        campaign = ports.campaigns.campaign(message.campaign)
        if campaign is None or not may_work(campaign, message):
            return done
        cursor = ports.campaigns.cursor(campaign.id, message.work, message.chunk)
        if cursor is not None and cursor.finished:
            return done
        if clock.seconds_left() < TIME_TO_FINISH_SECONDS:
            break
        run = ChunkRun(campaign, message, cursor, cache.get(campaign, ports.campaigns), ports, settings, clock)
        receipt = _work_or_stop(run, cause)
        if isinstance(receipt, Work):
            return replace(done, work=receipt)
        if ports.campaigns.record_receipt(receipt):
            done = done.after(receipt)
    ports.chunks.send([message])
    return replace(done, work=Work.CONTINUED)


def _work_or_stop(run: ChunkRun, cause: Cause) -> Receipt | Work:
    """The receipt of one attempt; or, where the campaign cannot go on, how it was stopped."""
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
    if run.problems:
        run.ports.archive.put(problems_key(receipt), _problem_lines(run.problems), "application/x-ndjson")
    return receipt


def may_work(campaign: Campaign, message: ChunkMessage) -> bool:
    """Whether a chunk message still means anything: the right pass, and a chunk that the campaign has."""
    return WORKABLE.get(campaign.state) is message.work and 0 <= message.chunk < len(campaign.chunks)


def _stop(run: ChunkRun, target: State, reason: str, cause: Cause) -> Work:
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
