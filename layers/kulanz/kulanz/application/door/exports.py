"""Exports: begin one, see how far it is, and fetch its parts by links that are good for a short time."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any, NotRequired, TypedDict

from kulanz.application.cases.case import CasePorts
from kulanz.application.cases.sample_plan import NoSample, sample_of
from kulanz.application.door.asked import Asked, Door
from kulanz.application.door.bodies import Body, Reason, read_body
from kulanz.application.door.campaigns import existing
from kulanz.application.door.cursors import make_cursor, read_cursor
from kulanz.application.door.problems import Kind, Problem, unknown
from kulanz.application.exports.ask_export import AskPorts, ExportRefused, ask_export, compared_law
from kulanz.application.ports import PinnedVersionGone
from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.exports.export import Export, Part
from kulanz.domain.exports.figures import (
    Difference,
    Figures,
    Of,
    differences,
    expected,
    law_differences,
)
from kulanz.domain.lists.header import ListFormat
from kulanz.domain.time import format_instant

EXPORT_VERSION = 1
PARTS_PER_ANSWER = 100
PART_LINK_SECONDS = 900
"""How long a link to a part is good for: the parts of one answer, a few hundred megabytes, are fetched in that time."""
DIFFERENCES_SHOWN = 50


class ExportBody(Body):
    """Why the export is asked for, where somebody says it: the audit log keeps it."""

    reason: Reason | None = None


class BegunAnswer(TypedDict):
    """An export that was begun. `of` is what it shows: `plan` or `ledger`. Its parts are there until the instant."""

    v: int
    campaign: str
    id: str
    of: str
    available_until: str


class LinesItem(TypedDict):
    """How many lines came to a result and a reason; `written` is empty in a plan, else yes, no or uncounted."""

    result: str
    reason: str
    written: str
    lines: int


class SumItem(TypedDict):
    """A sum as an exact text, money in minor units. `of` is a result, or claimable, accepted or uncounted.

    Of what is granted it is also used, expired, voided, written_off or open.
    """

    of: str
    measure: str
    sum: str


class FiguresItem(TypedDict):
    """What rows add up to."""

    lines: "Sequence[LinesItem]"
    sums: "Sequence[SumItem]"


class DifferenceItem(TypedDict):
    """A place where the export does not come to what it must."""

    what: str
    expected: str
    exported: str


class PartItem(TypedDict):
    """A part: the rows of `lines` lines of the list, as gzipped JSON lines, with the SHA-256 of its bytes."""

    start: int
    end: int
    lines: int
    rows: int
    bytes: int
    sha256: str
    url: str


class ExportAnswer(TypedDict):
    """An export as it stands. `parts` are there once it is finished; `next` is the cursor of further ones.

    `failed` is why it cannot be finished; None where it can. `expected` are the figures of the plan, or of the
    reconciliation, and `differences` where the parts do not come to them: None until it is finished. `law_compared`:
    the export is of a ledger, and where its counters have what was granted is among them: nothing has moved these since
    it was begun. `first_line` is
    the number of the list's first line behind its header. The links are good until `links_good_until`.
    """

    v: int
    campaign: str
    id: str
    of: str
    asked_by: str
    asked_at: str
    available_until: str
    bytes_done: int
    bytes_in_all: int
    finished: bool
    failed: str | None
    first_line: int
    figures: FiguresItem
    expected: FiguresItem
    law_compared: bool
    differences: "Sequence[DifferenceItem] | None"
    parts_in_all: int
    parts: "Sequence[PartItem]"
    links_good_until: NotRequired[str]
    next: str | None


def begin(asked: Asked, door: Door) -> BegunAnswer:
    """Begin an export of a campaign."""
    read_body(ExportBody, asked.body)
    campaign = existing(asked, door)
    ports = AskPorts(door.campaigns, door.exports, door.export_queue, door)
    try:
        export = ask_export(campaign, asked.of["id"], asked.caller.id, ports, asked.now)
    except ExportRefused as refusal:
        raise Problem(Kind.REFUSED, str(refusal), reason=refusal.reason) from None
    return {
        "v": EXPORT_VERSION,
        "campaign": str(campaign.id),
        "id": export.id,
        "of": export.of.value,
        "available_until": format_instant(export.available_until),
    }


def one(asked: Asked, door: Door) -> ExportAnswer:
    """An export as it stands, with links to its parts once all are written."""
    campaign = existing(asked, door)
    export = door.exports.export(campaign.id, asked.of["id"])
    if export is None:
        raise unknown("there is no such export of this campaign")
    if asked.now >= export.available_until:
        raise unknown("the parts of this export were removed; ask for another one")
    finished = not export.failed and export.bytes_done == export.size(campaign)
    owed = expected(campaign, export.of)
    counted, found = None, None
    if finished:
        found = list(differences(owed, export.figures))
    if found is not None and export.of is Of.LEDGER:
        counted = compared_law(campaign, export, door)
        found += law_differences(export.figures, counted)
    answer: ExportAnswer = {
        "v": EXPORT_VERSION,
        "campaign": str(campaign.id),
        "id": export.id,
        "of": export.of.value,
        "asked_by": export.asked_by,
        "asked_at": format_instant(export.asked_at),
        "available_until": format_instant(export.available_until),
        "bytes_done": export.bytes_done,
        "bytes_in_all": export.size(campaign),
        "finished": finished,
        "failed": export.failed or None,
        "first_line": 1 if campaign.layout.format is ListFormat.JSONL else 2,
        "figures": _figures(export.figures),
        "expected": _figures(owed),
        "law_compared": counted is not None,
        "differences": None if found is None else _differences(found),
        "parts_in_all": export.parts,
        "parts": (),
        "next": None,
    }
    return _with_parts(answer, asked, campaign, export, door) if finished else answer


def _with_parts(answer: ExportAnswer, asked: Asked, campaign: Campaign, export: Export, door: Door) -> ExportAnswer:
    after = read_cursor(asked.question, asked.query.get("cursor"))
    start = int(after) if after.isdecimal() else campaign.chunks.data_start
    found = list(islice(door.exports.parts(export, start), PARTS_PER_ANSWER))
    good_until = asked.now + timedelta(seconds=PART_LINK_SECONDS)
    answer["parts"] = [_part(part, door) for part in found]
    answer["links_good_until"] = format_instant(good_until)
    if found and found[-1].end < campaign.chunks.size + export.span:
        answer["next"] = make_cursor(asked.question, str(found[-1].end))
    return answer


def _part(part: Part, door: Door) -> PartItem:
    return {
        "start": part.start,
        "end": part.end,
        "lines": part.lines,
        "rows": part.rows,
        "bytes": part.size,
        "sha256": part.sha256,
        "url": door.documents.link(part.key, PART_LINK_SECONDS),
    }


def _figures(figures: Figures) -> FiguresItem:
    return {
        "lines": [
            {"result": key.result, "reason": key.reason, "written": key.written.value, "lines": number}
            for key, number in sorted(figures.lines.items())
        ],
        "sums": [
            {"of": key.of, "measure": key.measure, "sum": str(size)} for key, size in sorted(figures.sums.items())
        ],
    }


def _differences(found: Sequence[Difference]) -> Sequence[DifferenceItem]:
    return [
        {"what": one.what, "expected": str(one.expected), "exported": str(one.exported)}
        for one in found[:DIFFERENCES_SHOWN]
    ]


class SampledItem(TypedDict):
    """A row of the list, where it begins, and what the policy comes to with its steps.

    `decision` is a body of a decision; None where earlier campaigns of the incident granted all of it.
    """

    row_offset: int
    account_id: str
    subject: str
    decision: Mapping[str, Any] | None
    steps: list[str]


class SampleAnswer(TypedDict):
    """Rows of a plan, in the order of the list. The plan's hash draws them: each approver gets the same ones.

    They are decided over what earlier campaigns granted as it stands now.
    """

    v: int
    campaign: str
    plan_hash: str
    rows: list[SampledItem]


def sample(asked: Asked, door: Door) -> SampleAnswer:
    """Some rows of a filed plan, for whoever approves it to read one by one."""
    campaign = existing(asked, door)
    plan = door.campaigns.filed_plan(campaign.id)
    if plan is None:
        raise unknown("the campaign has filed no plan")
    try:
        rows = sample_of(campaign, plan.hash, CasePorts(door.campaigns, door.lists, door.ledger, door.cases))
    except NoSample as problem:
        raise Problem(Kind.REFUSED, str(problem), reason="engine_changed") from None
    except PinnedVersionGone:
        gone = "the pinned version of the list is gone: its rows cannot be read any more"
        raise Problem(Kind.REFUSED, gone, reason="list_gone") from None
    return {
        "v": EXPORT_VERSION,
        "campaign": str(campaign.id),
        "plan_hash": plan.hash,
        "rows": [
            {
                "row_offset": one.offset,
                "account_id": one.account_id,
                "subject": one.subject,
                "decision": None if one.decision is None else one.decision.to_body(),
                "steps": list(one.steps),
            }
            for one in rows
        ],
    }
