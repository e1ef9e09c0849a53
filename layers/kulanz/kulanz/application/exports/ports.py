"""What exports need of the world beside what campaigns need."""

from collections.abc import Iterable, Iterator
from typing import Protocol

from kulanz.application.ports import ExportMessage
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.exports.export import Export, Part


class ExportQueue(Protocol):
    """Sends the messages of exports to the workers."""

    def send_exports(self, messages: Iterable[ExportMessage]) -> None:
        """Send every message at least once. Raises TryAgain when some were refused within the adapter's bounds."""


class ExportStore(Protocol):
    """The exports, with what their parts add up to. An export and its parts never change once they are recorded."""

    def begin(self, export: Export) -> Export:
        """Store an export where none stands under its id; the one that stands there then."""

    def export(self, campaign_id: CampaignId, export_id: str) -> Export | None:
        """An export with the figures of its parts, read consistently."""

    def record(self, export: Export, part: Part) -> bool:
        """Write a part and add it to the export, in one step. False where a part with that start stands already."""

    def parts(self, export: Export, start: int = 0, stop: int | None = None) -> Iterator[Part]:
        """The parts that start in the bytes `[start, stop)` of the list, by where they start, read consistently."""

    def fail(self, export: Export, reason: str) -> None:
        """Note why an export cannot be finished. The first reason stands."""
