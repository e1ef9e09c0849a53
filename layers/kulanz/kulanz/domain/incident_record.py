"""The record of an incident: what was told about it, which campaigns it had, and until when it may be decided.

It never expires, so that what DynamoDB purges from the ledger can never be granted again.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from kulanz.domain.campaigns.campaign import CAMPAIGNS_PER_INCIDENT, CampaignId
from kulanz.domain.canonical import canonical_json
from kulanz.domain.refusal import WithReason

REVISIONS_REMEMBERED = 100
"""The record holds the digest of each of the highest ones, some 80 bytes. Any number of revisions may come: what the
record has forgotten stands in the revision's own item."""
REVISION_HIGHEST = 10**15
"""More leaps than anybody can publish, and a whole number that JSON carries exactly: no number of events leaves an
incident without a higher revision that withdraws or amends it."""
REVISIONS_LEFT_OUT = 1_000
"""How far a revision may leap ahead: a mistyped one would make all that follow stale."""


class DetailType(StrEnum):
    """The types of events. All but CAMPAIGN_REQUESTED record a revision of an incident."""

    DECLARED = "Incident Declared"
    UPDATED = "Incident Updated"
    RESOLVED = "Incident Resolved"
    AMENDED = "Incident Amended"
    WITHDRAWN = "Incident Withdrawn"
    CAMPAIGN_REQUESTED = "Campaign Requested"


class IncidentConflict(WithReason):
    """An event contradicts what is recorded. `reason` is a code; the text says what was expected and what to do."""


class VoidRuns(IncidentConflict):
    """No campaign opens while a void runs. The request is not wrong: it opens when the void has ended."""


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


DECIDING_FIELDS = ("cause", "facts", "functions", "service", "windows")
"""What of a revision decides who gets how much; its number and its words do not."""


def decision_digest(content: bytes) -> str:
    """SHA-256, in hexadecimal, of what a revision decides by. `content` is the revision's canonical JSON.

    A campaign request names it, so that a revision of the same number with other windows is never decided instead.
    """
    told = json.loads(content)
    return sha256(canonical_json({name: told[name] for name in DECIDING_FIELDS}).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class IncidentRecord:
    """`version` counts the writes of this record; every write is conditional on it.

    `revision_digests` are those of the highest revisions, `REVISIONS_REMEMBERED` of them at most.

    `requests` maps the digest of each accepted campaign request to its seq, so that the same request is one campaign.
    `applied` are the campaigns that may have granted: those that reached their apply pass. `voiding` is the void that
    runs, empty where none does: until it ends, no campaign opens and no execution starts.
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
    voiding: str = ""

    def has_forgotten(self, number: int) -> bool:
        """Whether a revision may have been recorded although the record holds no digest of it."""
        full = len(self.revision_digests) >= REVISIONS_REMEMBERED
        return full and number < min(self.revision_digests)


def with_revision(
    record: IncidentRecord | None, revision: Revision, decidable_days: int, recorded: Revision | None = None
) -> IncidentRecord | None:
    """The record after a revision, or None when that revision is already recorded with the same content.

    `recorded` is the revision of that number as it was recorded, where the record may have forgotten it. Raises
    IncidentConflict for the same revision with other content.
    """
    if record is None:
        until = revision.recorded_at + timedelta(days=decidable_days)
        return IncidentRecord(revision.incident_id, 1, revision.number, {revision.number: revision.digest}, until)
    known = record.revision_digests.get(revision.number) if recorded is None else recorded.digest
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
    return replace(
        record,
        version=record.version + 1,
        highest_revision=max(record.highest_revision, revision.number),
        revision_digests=_remembered({**record.revision_digests, revision.number: revision.digest}),
    )


def with_void(record: IncidentRecord, void: str) -> IncidentRecord:
    """The record while a void runs, or after it (`void` is empty then)."""
    return replace(record, version=record.version + 1, voiding=void)


def _remembered(digests: dict[int, str]) -> dict[int, str]:
    """The digests of the highest revisions."""
    return dict(sorted(digests.items())[-REVISIONS_REMEMBERED:])


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
            f"campaign {record.incident_id}/{record.open_seq} is not finished; wait until it has ended,"
            " reject its plan if that waits, or cancel it",
        )
    if record.voiding:
        raise VoidRuns(
            "incident_occupied",
            f"the void {record.voiding} is taking back what the incident's campaign granted; wait for it",
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
