"""An export as it is kept: who asked for it, how far it is, and the parts that are written."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kulanz.domain.campaigns.campaign import Campaign, CampaignId
from kulanz.domain.exports.figures import Figures, Of

EXPORT_DAYS = 7
"""The parts are there for so many days at least; the bucket's lifecycle rule removes them then."""
LANES = 10
"""Chunks of one export that are worked or wait at a time: so an export never fills the queue before a campaign."""


@dataclass(frozen=True, slots=True)
class Export:
    """An export of a campaign. `failed` is why it cannot be finished; empty where nothing is wrong.

    `bytes_done` are the bytes of the list whose lines are in a part. `figures` are what all rows add up to. `counters`
    is the digest of where the campaign's counters had what it granted when the export was begun; empty of a plan.

    `span` is for a campaign whose grants no list has, of goodwill: what was added to it until `asked_at` is exported
    instead of the list, a microsecond of its month like a byte. 0 where the list is exported.
    """

    campaign: CampaignId
    id: str
    of: Of
    asked_by: str
    asked_at: datetime
    bytes_done: int = 0
    parts: int = 0
    figures: Figures = field(default_factory=Figures)
    failed: str = ""
    counters: str = ""
    span: int = 0

    def size(self, campaign: Campaign) -> int:
        """What `bytes_done` comes to at the end."""
        return self.span or campaign.chunks.total_bytes

    def chunks(self, campaign: Campaign) -> int:
        """How many chunks there are: those of the list, or one of all that was added."""
        return 1 if self.span else len(campaign.chunks)

    @property
    def available_until(self) -> datetime:
        """The parts are there until then."""
        return self.asked_at + timedelta(days=EXPORT_DAYS)

    @property
    def folder(self) -> str:
        """Where the bucket has its parts."""
        return f"exports/{self.campaign.incident_id}/{self.campaign.seq:03d}/{self.id}"


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of the list's lines in `[start, end)`, as `size` bytes of gzipped JSON lines at `key`.

    `lines` are those of the list, blank ones included; `rows` are those of the export. Behind the list there are no
    lines, and a part has the rows of what was added in that time.
    """

    start: int
    end: int
    lines: int
    rows: int
    key: str
    size: int
    sha256: str
    figures: Figures
