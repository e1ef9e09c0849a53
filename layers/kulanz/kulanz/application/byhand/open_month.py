"""Opens the campaign of a month's goodwill: what persons give is added to it, and billed, voided and reported as any.

It is closed from the beginning, over a list without rows, under a policy that decides nothing. So every pass over it
reads an empty list and then its additions, and nobody has to plan, approve or start it.
"""

from datetime import datetime, timedelta

from kulanz.application.byhand.goodwill_store import OpenedMonth
from kulanz.application.campaigns.frozen import thaw
from kulanz.application.campaigns.open_campaign import OpenSettings
from kulanz.application.ports import ListStore
from kulanz.domain.byhand.goodwill import month_begins, month_campaign, month_of
from kulanz.domain.campaigns.campaign import (
    BALANCED,
    ENGINE_VERSION,
    Campaign,
    CampaignId,
    Cause,
    Chunks,
    Frozen,
    Pass,
    Progress,
    Receipt,
    State,
    StateChange,
)
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.canonical import canonical_json
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.gate.filed_plan import ReadDigest, file_plan
from kulanz.domain.incident_record import IncidentRecord, decision_digest
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.policy import policy_hash
from kulanz.domain.time import TIME_ZONES, add_months, format_instant

SUBJECT_COLUMN = "goodwill"
"""What files name a decision of goodwill by, beside its account: as voids do."""
HEADER = f"account_id,{SUBJECT_COLUMN}\n".encode()
LIST = HEADER + b"\n"
"""A list has at least one byte after its header: a blank line, which is nobody's row."""

POLICY = canonical_json(
    {
        "format": 1,
        "parameters": {},
        "policy": {
            "kulanz": 1,
            "id": "given-by-hand",
            "version": 1,
            "title": "Given by hand, as goodwill",
            "subject": SUBJECT_COLUMN,
            "facts": {"handed": {"type": "money", "says": "Nothing reads it: the list has no rows."}},
            "currency": "EUR",
            "pay": "handed",
            "due": "next bill",
        },
    }
).encode()
"""The frozen policy of every month: it has the column of the subject, and never decides."""


def opened_month(
    now: datetime, lists: ListStore, settings: OpenSettings, channel: Channel | None, actor: str, code_version: str
) -> OpenedMonth:
    """The campaign of the month of `now`. Its list is stored; the rest is for the store to write. Raises TryAgain.

    `channel` is where its credits are delivered to. What is given in it may be decided, and is kept, as long after the
    month's end as after an incident's first event.
    """
    campaign_id, month = month_campaign(now), month_of(now)
    begins = month_begins(month)
    ends = datetime.combine(add_months(begins.date(), 1), begins.timetz())
    until = ends + timedelta(days=settings.decidable_days)
    frozen = Frozen(POLICY, _incident(campaign_id, month, begins))
    campaign = _campaign(campaign_id, frozen, lists, settings, now, until, actor)
    thaw(campaign, frozen)  # what cannot be read back is never opened
    plan = file_plan(
        campaign,
        campaign.plan.totals,
        Measured(),
        (),
        decision_digest=decision_digest(frozen.incident),
        read=ReadDigest().text(),
        planned_at=now,
        channel=channel,
    )
    return OpenedMonth(
        record=IncidentRecord(campaign_id.incident_id, 1, 0, {}, until, next_seq=2, applied=(1,)),
        campaign=campaign,
        frozen=frozen,
        plan=plan,
        change=StateChange(1, now, None, State.CLOSED, BALANCED, Cause(actor, campaign_id.incident_id, code_version)),
        receipts=tuple(
            Receipt(campaign_id, work, 0, len(HEADER), len(LIST), None, finishes_chunk=True, totals=_one_blank_line())
            for work in Pass
        ),
    )


def _campaign(
    campaign_id: CampaignId,
    frozen: Frozen,
    lists: ListStore,
    settings: OpenSettings,
    now: datetime,
    until: datetime,
    actor: str,
) -> Campaign:
    pinned = lists.put_inline(f"inline/{campaign_id.incident_id}/list.csv", LIST)
    return Campaign(
        id=campaign_id,
        incident_revision=1,
        policy_id="given-by-hand",
        policy_version=1,
        policy_hash=policy_hash(frozen.policy),
        engine=ENGINE_VERSION,
        time_zones=TIME_ZONES,
        pinned=pinned,
        layout=ListLayout(ListFormat.CSV, ("account_id", SUBJECT_COLUMN), len(HEADER), settings.account_ids),
        chunks=Chunks(len(HEADER), pinned.size, settings.chunk_bytes),
        rows_announced=0,
        decided_at=now,
        decidable_until=until,
        request_digest="",
        opened_by=actor,
        subject=SUBJECT_COLUMN,
        state=State.CLOSED,
        state_reason=BALANCED,
        log_count=1,
        plan=Progress(1, 1, _one_blank_line()),
        apply=Progress(1, 1, _one_blank_line()),
    )


def _incident(campaign_id: CampaignId, month: str, begins: datetime) -> bytes:
    """What the policy is compiled for, as a revision would state it; nobody reported it."""
    content = {
        "incident_id": campaign_id.incident_id,
        "revision": 1,
        "title": f"Goodwill of {month}",
        "service": "goodwill",
        "functions": [],
        "windows": [{"start": format_instant(begins), "end": None}],
        "cause": None,
        "facts": {},
    }
    return canonical_json(content).encode()


def _one_blank_line() -> Totals:
    totals = Totals()
    totals.count_blank()
    return totals
