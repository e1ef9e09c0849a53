"""A complete plan as it is filed for approval: one canonical text, whose hash an approval names.

The text has everything that decides what execution will do: what is pinned, what was read, every total, and the digest
of every planned decision. So two plans with the same hash grant the same amounts to the same subjects.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

from kulanz.domain.campaigns.amounts import plain_size
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Receipt
from kulanz.domain.campaigns.limits import Exceeded
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import RowResult, Totals
from kulanz.domain.canonical import canonical_json
from kulanz.domain.decision import UNLIMITED
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.money import Size
from kulanz.domain.people.caller import canonical_id
from kulanz.domain.time import format_instant, parse_day, parse_instant

PLAN_VERSION = 1
HASH_DIGITS_SHOWN = 12
"""What people type of a hash: 48 bits, compared with one plan."""

type Sums = Mapping[str, Size]
"""Minor units of a currency, or quantities of a unit, by measure."""


@dataclass(frozen=True, slots=True)
class FiledPlan:
    """What of a filed plan decides who must approve it, and until when. `text` is all of it.

    `requester` is the id of the person who requested the campaign; empty where the request came over the bus or from a
    machine. `source` is where it came from. `persons_asked` is how many persons its policy asks for, 0 where it asks
    for none. `subjects` counts the lines that grant or offer something. `first_due` is the first day on which something
    is due; `first_end` is the first instant from which a granted benefit would be over before it begins. `claims_until`
    is the first instant at which nothing can be accepted or claimed any more; None where that is not known.
    """

    text: str
    campaign: CampaignId
    planned_at: datetime
    decidable_until: datetime
    decision_digest: str
    source: str
    requester: str
    persons_asked: int
    subjects: int
    granted: Sums
    offered: Sums
    claimable: Sums
    exceeded: tuple[Exceeded, ...]
    first_due: date | None
    first_end: datetime | None
    channel: Channel | None = None
    claims_until: datetime | None = None

    @property
    def hash(self) -> str:
        """SHA-256 of the text, in hexadecimal."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def at_most(self) -> Sums:
        """What execution can cost at most: all offers accepted, and all that is claimable claimed."""
        found: dict[str, Size] = {}
        for sums in (self.granted, self.offered, self.claimable):
            for measure, size in sums.items():
                found[measure] = plain_size(found.get(measure, 0) + size)
        return found

    def is_unlimited(self) -> bool:
        """Whether something without limit is granted, offered or claimable."""
        return any(measure.rpartition(":")[2] == UNLIMITED for measure in self.at_most)


def requester_of(opened_by: str) -> str:
    """The id of the person who requested a campaign; empty where a source of events or a machine did."""
    try:
        return opened_by if canonical_id(opened_by) == opened_by else ""
    except ValueError:
        return ""


class ReadDigest:
    """SHA-256 over what the receipts of a plan say they read of histories and of earlier decisions."""

    def __init__(self) -> None:
        self._found = sha256()

    def over(self, receipts: Iterable[Receipt]) -> Iterator[Receipt]:
        """The same receipts, each of them taken into the digest as it passes."""
        for receipt in receipts:
            self._found.update(f"{receipt.start} {receipt.end} {receipt.read}\n".encode())
            yield receipt

    def text(self) -> str:
        """The digest in hexadecimal."""
        return self._found.hexdigest()


def file_plan(
    campaign: Campaign,
    totals: Totals,
    measured: Measured,
    exceeded: Sequence[Exceeded],
    *,
    decision_digest: str,
    read: str,
    planned_at: datetime,
    channel: Channel | None = None,
) -> FiledPlan:
    """File a complete plan. `read` is the digest of what it read of histories and of earlier decisions.

    `channel` is where its credits are delivered to, and in which form; None where the stack has no channel.
    """
    content = {
        "v": PLAN_VERSION,
        "campaign": str(campaign.id),
        "planned_at": format_instant(planned_at),
        "requested": {
            "source": campaign.opened_by,
            "person": requester_of(campaign.opened_by),
            "digest": campaign.request_digest,
        },
        "incident": {"revision": campaign.incident_revision, "decision_digest": decision_digest},
        "policy": {
            "id": campaign.policy_id,
            "version": campaign.policy_version,
            "hash": campaign.policy_hash,
            "persons": campaign.persons_asked,
        },
        "engine": campaign.engine,
        "time_zones": campaign.time_zones,
        "list": _list(campaign),
        "decided_at": format_instant(campaign.decided_at),
        "decidable_until": format_instant(campaign.decidable_until),
        "follows": {"campaigns": list(campaign.follows), "adds": campaign.adds, "history": campaign.keeps_history},
        "read": read,
        "limits": campaign.limits.content(),
        "same_outage_as": list(campaign.same_outage_as),
        "delivery": None if channel is None else channel.content(),
        "totals": _totals(totals),
        "measured": {
            "claimable": _texts(measured.commitment.claimable),
            "first_due": None if measured.commitment.first_due is None else measured.commitment.first_due.isoformat(),
            "first_end": None
            if measured.commitment.first_end is None
            else format_instant(measured.commitment.first_end),
            "claims_until": None
            if measured.commitment.claims_until is None
            else format_instant(measured.commitment.claims_until),
            "known": measured.known,
        },
        "exceeded": [list(one) for one in exceeded],
    }
    return read_filed(canonical_json(content))


def _list(campaign: Campaign) -> dict[str, Any]:
    pinned, layout, chunks = campaign.pinned, campaign.layout, campaign.chunks
    return {
        "bucket": pinned.bucket,
        "key": pinned.key,
        "version_id": pinned.version_id,
        "etag": pinned.etag,
        "bytes": pinned.size,
        "rows": campaign.rows_announced,
        "format": layout.format.value,
        "columns": list(layout.columns),
        "account_ids": None if layout.account_ids is None else layout.account_ids.content,
        "subject_ids": None if layout.subject_ids is None else layout.subject_ids.content,
        "ignored_columns": list(campaign.ignored_columns),
        "subject": campaign.subject,
        "chunks": [chunks.data_start, chunks.size, chunks.chunk_bytes],
    }


def _totals(totals: Totals) -> dict[str, Any]:
    return {
        "lines": totals.lines,
        "digest": f"{totals.digest:032x}",
        "results": [[*key[:2], lines] for key, lines in sorted(totals.counts.items())],
        "worth": [[key.row_result, key.measure, str(size)] for key, size in sorted(totals.sums.items())],
    }


def _texts(sums: Sums) -> dict[str, str]:
    return {measure: str(size) for measure, size in sorted(sums.items())}


def read_filed(text: str) -> FiledPlan:
    """Read a filed plan back from its text."""
    content = json.loads(text)
    worth = content["totals"]["worth"]
    measured, requested, policy = content["measured"], content["requested"], content["policy"]
    return FiledPlan(
        text=text,
        campaign=CampaignId.parse(content["campaign"]),
        planned_at=parse_instant(content["planned_at"]),
        decidable_until=parse_instant(content["decidable_until"]),
        decision_digest=content["incident"]["decision_digest"],
        source=requested["source"],
        requester=requested["person"],
        persons_asked=policy["persons"],
        subjects=sum(lines for result, _, lines in content["totals"]["results"] if result in _GIVING),
        granted=_of(worth, RowResult.GRANTED),
        offered=_of(worth, RowResult.OFFERED),
        claimable={measure: _size(size) for measure, size in measured["claimable"].items()},
        exceeded=tuple(Exceeded(*one) for one in content["exceeded"]),
        first_due=None if measured["first_due"] is None else parse_day(measured["first_due"]),
        first_end=None if measured["first_end"] is None else parse_instant(measured["first_end"]),
        channel=None if content["delivery"] is None else Channel.from_content(content["delivery"]),
        claims_until=None if measured.get("claims_until") is None else parse_instant(measured["claims_until"]),
    )


_GIVING = (RowResult.GRANTED, RowResult.OFFERED)


def _of(worth: Iterable[tuple[str, str, str]], row_result: RowResult) -> Sums:
    return {measure: _size(size) for result, measure, size in worth if result == row_result}


def _size(text: str) -> Size:
    return plain_size(Decimal(text))
