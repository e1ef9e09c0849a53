"""Answers about campaigns: lists of them, one, its reconciliation, its log, the rows that were not decided."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import NotRequired, TypedDict

from kulanz.application.campaigns.advance_campaign import add_up
from kulanz.application.campaigns.control_campaign import may_write_until
from kulanz.application.campaigns.report import (
    LawLine,
    ReportContract,
    ReportedSameOutage,
    campaign_report,
    differing_chunks,
    law_lines,
)
from kulanz.application.campaigns.same_outage import found_by_plan
from kulanz.application.delivery.campaign_law import law_at
from kulanz.application.door.asked import Asked, Document, Door, page_after
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import unknown
from kulanz.application.door.rejected_rows import RejectedRow, numbered, rows_after
from kulanz.application.drafts.waiting_long import waiting_long
from kulanz.application.ports import KeptRequest, Refused
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass, State, StateChange
from kulanz.domain.campaigns.estimate import time_left
from kulanz.domain.campaigns.reconciliation import differences
from kulanz.domain.drafts.following import LONG_WAITING_SAYS
from kulanz.domain.gate.approval import approvable_until
from kulanz.domain.time import format_instant

CAMPAIGN_VERSION = 1
CAMPAIGNS_PER_ANSWER = 20
"""Each has up to 330 counters a pass, some 70 KB; an answer of the function has at most 6 MB."""
CHUNKS_ADDED_UP_MOST = 1_000
"""The receipts of a longer list are not read for an answer: its report is there as soon as it has stopped."""
FILES_PER_ANSWER = 500
LINK_SECONDS = 300
"""How long a link to a document is good for."""


class PassProgress(TypedDict):
    """How far a pass is: bytes of the list with a receipt, lines, chunks sent since the last change of state."""

    bytes_done: int
    lines: int
    sent: int
    finished: bool


class CampaignItem(TypedDict):
    """A campaign as it stands. `report` has its figures; `seconds_left` is None where none can be told.

    `may_write_until`: until then workers under way may write, and no other campaign of its incident opens.
    `approvable_until`: until when its plan can be approved; None where none waits.
    """

    campaign: str
    state: str
    reason: str
    revision: int
    opened_by: str
    decided_at: str
    decidable_until: str
    subject: str | None
    follows: list[int]
    keeps_history: bool
    bytes_in_all: int
    chunks: int
    plan: PassProgress
    apply: PassProgress
    seconds_left: int | None
    may_write_until: str | None
    approvable_until: str | None
    report: ReportContract


class CampaignAnswer(CampaignItem):
    """One campaign."""

    v: int


class KeptRequestItem(TypedDict):
    """A campaign request that waits until no worker of the campaign `after` can write; it opens by itself.

    Where it waits for a `void` to end, `opens_at` is when it is tried again.
    """

    incident_id: str
    after: str
    opens_at: str
    void: str | None


class CampaignsAnswer(TypedDict):
    """Some campaigns; `next` is the cursor of the rest, None where these are all that are left.

    `incident_known`: whether the incident that was asked about is recorded; None where none was. `kept` are requests of
    that incident, or of all, that open later by themselves.
    """

    v: int
    incident_known: bool | None
    kept: list[KeptRequestItem]
    campaigns: list[CampaignItem]
    next: str | None


def existing(asked: Asked, door: Door) -> Campaign:
    """The campaign that the path names. Raises Problem where there is none."""
    found = door.campaigns.campaign(asked.campaign_id)
    if found is None:
        raise unknown("there is no such campaign")
    return found


def waiting(asked: Asked, door: Door) -> CampaignsAnswer:
    """The campaigns of all incidents that wait for a person."""
    return _page(door.campaigns.waiting(), None, asked, door)


def of_month(asked: Asked, door: Door) -> CampaignsAnswer:
    """The campaigns that were opened in a month of UTC, first to last."""
    after = read_cursor(asked.question, asked.query.get("cursor"))
    page = door.index.campaigns_in(asked.of["month"], after, CAMPAIGNS_PER_ANSWER)
    found = [campaign for one in page.found if (campaign := door.campaigns.campaign(one.id)) is not None]
    return {
        "v": CAMPAIGN_VERSION,
        "incident_known": None,
        "kept": [],
        "campaigns": [_item(campaign, asked, door) for campaign in found],
        "next": make_cursor(asked.question, page.after) if page.after else None,
    }


class TroubleLine(TypedDict):
    """What was lost or stands still: `on` a campaign, an incident or an object of the bucket. `urgent`: somebody has to
    look now. `says` is what is the matter and what to do.
    """

    kind: str
    on: str
    since: str
    found_at: str
    urgent: bool
    says: str


class TroublesAnswer(TypedDict):
    """Everything that waits for a repair."""

    v: int
    troubles: list[TroubleLine]


def troubles(asked: Asked, door: Door) -> TroublesAnswer:
    """What was lost or stands still until it is repaired, and drafts that have waited for a day."""
    lines: list[TroubleLine] = [
        {
            "kind": one.kind.value,
            "on": one.on,
            "since": format_instant(one.since),
            "found_at": format_instant(one.found_at),
            "urgent": one.is_urgent,
            "says": one.says,
        }
        for one in door.troubles.troubles()
    ]
    lines += [
        {
            "kind": "draft",
            "on": one.draft_id,
            "since": format_instant(one.since),
            "found_at": format_instant(asked.now),
            "urgent": False,
            "says": LONG_WAITING_SAYS[one.waits].format(draft=one.draft_id),
        }
        for one in waiting_long(door.sources.current(), door.drafts, asked.now)
    ]
    return {"v": CAMPAIGN_VERSION, "troubles": lines}


def of_incident(asked: Asked, door: Door) -> CampaignsAnswer:
    """The campaigns of an incident, first to last."""
    record = door.campaigns.incident(asked.of["incident"])
    seqs = range(1, 1 if record is None else record.next_seq)
    return _page([CampaignId(asked.of["incident"], seq) for seq in seqs], record is not None, asked, door)


def _page(ids: Sequence[CampaignId], incident_known: bool | None, asked: Asked, door: Door) -> CampaignsAnswer:
    after = read_cursor(asked.question, asked.query.get("cursor"))
    named = list(page_after(ids, str, after, CAMPAIGNS_PER_ANSWER))
    found = [campaign for one in named if (campaign := door.campaigns.campaign(one)) is not None]
    is_last = not named or named[-1] == ids[-1]
    return {
        "v": CAMPAIGN_VERSION,
        "incident_known": incident_known,
        "kept": [_kept(request) for request in door.campaigns.kept_requests() if _is_asked(request, asked)],
        "campaigns": [_item(campaign, asked, door) for campaign in found],
        "next": None if is_last else make_cursor(asked.question, str(named[-1])),
    }


def _is_asked(request: KeptRequest, asked: Asked) -> bool:
    return asked.of.get("incident", request.incident_id) == request.incident_id


def _kept(request: KeptRequest) -> KeptRequestItem:
    opens_at = format_instant(request.opens_at)
    void = request.void or None
    return {"incident_id": request.incident_id, "after": str(request.after), "opens_at": opens_at, "void": void}


def one(asked: Asked, door: Door) -> CampaignAnswer:
    """A campaign as it stands, with its figures."""
    return {"v": CAMPAIGN_VERSION, **_item(existing(asked, door), asked, door)}


def _item(campaign: Campaign, asked: Asked, door: Door) -> CampaignItem:
    log = door.campaigns.log(campaign.id)
    left = time_left(campaign, log, asked.now)
    until = may_write_until(campaign, door.campaigns)
    plan = door.campaigns.filed_plan(campaign.id) if campaign.state is State.AWAITING_APPROVAL else None
    return {
        "campaign": str(campaign.id),
        "state": campaign.state.value,
        "reason": campaign.state_reason,
        "revision": campaign.incident_revision,
        "opened_by": campaign.opened_by,
        "decided_at": format_instant(campaign.decided_at),
        "decidable_until": format_instant(campaign.decidable_until),
        "subject": campaign.subject or None,
        "follows": list(campaign.follows),
        "keeps_history": campaign.keeps_history,
        "bytes_in_all": campaign.chunks.total_bytes,
        "chunks": len(campaign.chunks),
        "plan": _progress(campaign, Pass.PLAN),
        "apply": _progress(campaign, Pass.APPLY),
        "seconds_left": None if left is None else int(left.total_seconds()),
        "may_write_until": None if until is None else format_instant(until),
        "approvable_until": None if plan is None else format_instant(approvable_until(plan)),
        "report": campaign_report(
            campaign,
            (),
            door.operation,
            others=found_by_plan(log),
            reserved=door.campaigns.reservations(campaign.id),
        ),
    }


def _progress(campaign: Campaign, work: Pass) -> PassProgress:
    progress = campaign.progress(work)
    return {
        "bytes_done": progress.bytes_done,
        "lines": progress.totals.lines,
        "sent": progress.sent,
        "finished": campaign.is_finished(work),
    }


class ReconciliationAnswer(TypedDict):
    """The report of a campaign, with what was measured and where plan and ledger differ; and the law, as it is now.

    `whole` is False where the list is too long for its receipts to be read for an answer, and the campaign has not
    reported yet: `measured` and `chunks` are missing then, and `differences` are those of the sums.
    """

    v: int
    campaign: str
    whole: bool
    report: ReportContract
    law: list[LawLine]


def reconciliation(asked: Asked, door: Door) -> ReconciliationAnswer:
    """What was planned beside what was written, down to the chunk."""
    campaign = existing(asked, door)
    law = law_lines(law_at(campaign, door, asked.now))
    report, whole = _report(campaign, door)
    return {
        "v": CAMPAIGN_VERSION,
        "campaign": str(campaign.id),
        "whole": whole,
        "report": report,
        "law": law,
    }


def _report(campaign: Campaign, door: Door) -> tuple[ReportContract, bool]:
    if campaign.announced == campaign.report_name:
        try:
            filed: ReportContract = json.loads(door.archive.get(report_key(campaign)))
        except (Refused, ValueError):
            pass  # it was removed from the bucket: the receipts have the same figures
        else:
            return filed, True
    store = door.campaigns
    is_whole = len(campaign.chunks) <= CHUNKS_ADDED_UP_MOST
    has_ended = campaign.state in (State.CLOSED, State.FLAGGED)
    found = list(differences(campaign.plan.totals, campaign.apply.totals)) if has_ended else []
    others, reserved = found_by_plan(store.log(campaign.id)), store.reservations(campaign.id)
    if not is_whole:
        return campaign_report(campaign, found, door.operation, others=others, reserved=reserved), False
    chunks = []
    if campaign.state is State.FLAGGED:
        chunks = differing_chunks(campaign, *(store.receipts(campaign.id, work) for work in Pass))
    _, measured, _ = add_up(campaign, store.receipts(campaign.id, Pass.PLAN))
    return campaign_report(campaign, found, door.operation, chunks, measured, others, reserved), True


def report_key(campaign: Campaign) -> str:
    """Where the bucket has the report of a campaign with its present figures, once it was announced."""
    return f"{campaign.id.folder}/report-{campaign.report_name}.json"


class LogLine(TypedDict):
    """A change of state: who caused it, why, and by which event and code. `others` is what a complete plan found."""

    number: int
    at: str
    source: str | None
    target: str
    reason: str
    actor: str
    event_id: str
    code_version: str
    others: NotRequired[ReportedSameOutage]


class LogAnswer(TypedDict):
    """The log of a campaign, first to last."""

    v: int
    campaign: str
    log: list[LogLine]


def log(asked: Asked, door: Door) -> LogAnswer:
    """The changes of state of a campaign."""
    campaign = existing(asked, door)
    lines = [_line(change) for change in door.campaigns.log(campaign.id)]
    return {"v": CAMPAIGN_VERSION, "campaign": str(campaign.id), "log": lines}


def _line(change: StateChange) -> LogLine:
    line: LogLine = {
        "number": change.number,
        "at": format_instant(change.at),
        "source": None if change.source is None else change.source.value,
        "target": change.target.value,
        "reason": change.reason,
        "actor": change.cause.actor,
        "event_id": change.cause.event_id,
        "code_version": change.cause.code_version,
    }
    if change.others is not None:
        line["others"] = {
            "same_list": [str(one) for one in change.others.same_list],
            "other_list": [str(one) for one in change.others.other_list],
            "named_all": change.others.is_whole,
        }
    return line


class RejectedAnswer(TypedDict):
    """Rows with a problem: first those of the plan by their place in the list, then those of the execution.

    `refused` is why the campaign was refused as a whole; None where it was not. `next` is the cursor of the rest.
    """

    v: int
    campaign: str
    refused: str | None
    rows: list[RejectedRow]
    next: str | None


def rejected(asked: Asked, door: Door) -> RejectedAnswer:
    """The rows of a campaign's list that have a problem, some at a time."""
    campaign = existing(asked, door)
    after = read_cursor(asked.question, asked.query.get("cursor"))
    rows, more = rows_after(campaign, after, door)
    return {
        "v": CAMPAIGN_VERSION,
        "campaign": str(campaign.id),
        "refused": campaign.state_reason if campaign.state is State.REFUSED else None,
        "rows": numbered(campaign, rows, door),
        "next": None if more is None else make_cursor(asked.question, more),
    }


class FileLink(TypedDict):
    """A document and where it can be fetched for `LINK_SECONDS`."""

    key: str
    bytes: int
    url: str


class FilesAnswer(TypedDict):
    """The documents of a campaign, reports and problems of rows. The links are good until `good_until`."""

    v: int
    campaign: str
    good_until: str
    files: list[FileLink]
    next: str | None


def files(asked: Asked, door: Door) -> FilesAnswer:
    """Links to what a campaign left behind: its reports, and the problems of its rows."""
    campaign = existing(asked, door)
    after = read_cursor(asked.question, asked.query.get("cursor"))
    prefixes = [f"{campaign.id.folder}/problems/", f"{campaign.id.folder}/report-"]
    found: list[Document] = []
    for prefix in prefixes:
        if after < prefix or after.startswith(prefix):
            left = FILES_PER_ANSWER - len(found)
            found += door.documents.under(prefix, after if after.startswith(prefix) else "", left) if left else []
    good_until = asked.now + timedelta(seconds=LINK_SECONDS)
    return {
        "v": CAMPAIGN_VERSION,
        "campaign": str(campaign.id),
        "good_until": format_instant(good_until),
        "files": [
            {"key": one.key, "bytes": one.size, "url": door.documents.link(one.key, LINK_SECONDS)} for one in found
        ],
        "next": make_cursor(asked.question, found[-1].key) if len(found) >= FILES_PER_ANSWER else None,
    }
