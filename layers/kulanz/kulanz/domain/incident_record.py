"""The record of an incident: what was told about it, which campaigns it had, and until when it may be decided.

It never expires, so that what DynamoDB purges from the ledger can never be granted again.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from kulanz.domain.campaigns.campaign import CAMPAIGNS_PER_INCIDENT, CampaignId

REVISIONS_PER_INCIDENT = 3_000
"""The record holds a digest of each, some 80 bytes; with 999 requests that is below the 400 KB of a DynamoDB item."""
REVISIONS_LEFT_OUT = 1_000
"""How far a revision may leap ahead: a mistyped one would make all that follow stale."""


class IncidentConflict(Exception):
    """An event contradicts what is recorded. `reason` is a code; the text says what was expected and what to do."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of an incident as it was told; `content` is canonical JSON and `digest` its SHA-256."""

    incident_id: str
    number: int
    detail_type: str
    content: bytes
    digest: str
    recorded_at: datetime
    source: str


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """`version` counts the writes of this record; every write is conditional on it.

    `requests` maps the digest of each accepted campaign request to its seq, so that the same request is one campaign.
    `applied` are the campaigns that may have granted: those that reached their apply pass.
    """

    incident_id: str
    version: int
    highest_revision: int
    revision_digests: dict[int, str]
    decidable_until: datetime
    next_seq: int = 1
    open_seq: int | None = None
    applied: tuple[int, ...] = ()
    requests: dict[str, int] = field(default_factory=dict)


def with_revision(record: IncidentRecord | None, revision: Revision, decidable_days: int) -> IncidentRecord | None:
    """The record after a revision, or None when that revision is already recorded with the same content.

    Raises IncidentConflict for the same revision with other content.
    """
    if record is None:
        until = revision.recorded_at + timedelta(days=decidable_days)
        return IncidentRecord(revision.incident_id, 1, revision.number, {revision.number: revision.digest}, until)
    known = record.revision_digests.get(revision.number)
    if known == revision.digest:
        return None
    if known is not None:
        raise IncidentConflict(
            "revision_conflict",
            f"revision {revision.number} is recorded with other content; publish the change as a higher revision",
        )
    if revision.number > record.highest_revision + REVISIONS_LEFT_OUT:
        raise IncidentConflict(
            "revision_leap",
            f"revision {record.highest_revision} is the latest known; the next is at most {REVISIONS_LEFT_OUT} higher",
        )
    if len(record.revision_digests) >= REVISIONS_PER_INCIDENT:
        raise IncidentConflict("too_many_revisions", f"an incident has at most {REVISIONS_PER_INCIDENT} revisions")
    return replace(
        record,
        version=record.version + 1,
        highest_revision=max(record.highest_revision, revision.number),
        revision_digests={**record.revision_digests, revision.number: revision.digest},
    )


def with_campaign(
    record: IncidentRecord, revision: int, request_digest: str, now: datetime
) -> tuple[IncidentRecord, CampaignId]:
    """The record occupied by a new campaign, and the campaign's id. Raises IncidentConflict when none may open now."""
    if revision < record.highest_revision:
        raise IncidentConflict(
            "revision_stale",
            f"revision {record.highest_revision} is known; request the campaign under the latest revision",
        )
    if revision not in record.revision_digests:
        raise IncidentConflict(
            "revision_unknown", f"revision {revision} was never declared; publish the incident first"
        )
    if now >= record.decidable_until:
        raise IncidentConflict("incident_over", "the incident is older than it may be decided; nothing was opened")
    if record.open_seq is not None:
        raise IncidentConflict(
            "incident_occupied",
            f"campaign {record.incident_id}/{record.open_seq} is not finished; wait for it or cancel it",
        )
    if record.next_seq > CAMPAIGNS_PER_INCIDENT:
        raise IncidentConflict("too_many_campaigns", f"an incident has at most {CAMPAIGNS_PER_INCIDENT} campaigns")
    campaign = CampaignId(record.incident_id, record.next_seq)
    occupied = replace(
        record,
        version=record.version + 1,
        next_seq=record.next_seq + 1,
        open_seq=campaign.seq,
        requests={**record.requests, request_digest: campaign.seq},
    )
    return occupied, campaign
