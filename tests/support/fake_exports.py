"""Exports in memory, and a queue whose messages a test's worker takes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from kulanz.application.ports import ExportMessage, Refused
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.exports.export import Export, Part
from kulanz.domain.exports.figures import Figures


class FakeExports:
    """Exports by campaign and id."""

    def __init__(self) -> None:
        self._exports: dict[tuple[CampaignId, str], Export] = {}
        self._parts: dict[tuple[CampaignId, str], dict[int, Part]] = {}

    def begin(self, export: Export) -> Export:
        self._exports.setdefault((export.campaign, export.id), export)
        return self._exports[export.campaign, export.id]

    def export(self, campaign_id: CampaignId, export_id: str) -> Export | None:
        return self._exports.get((campaign_id, export_id))

    def record(self, export: Export, part: Part) -> bool:
        place = export.campaign, export.id
        parts = self._parts.setdefault(place, {})
        if part.start in parts:
            return False
        parts[part.start] = part
        known, figures = self._exports[place], Figures()
        for one in (known.figures, part.figures):
            figures.add(one)
        self._exports[place] = replace(
            known, bytes_done=known.bytes_done + part.end - part.start, parts=known.parts + 1, figures=figures
        )
        return True

    def parts(self, export: Export, start: int = 0, stop: int | None = None) -> Iterator[Part]:
        parts = self._parts.get((export.campaign, export.id), {})
        return iter([parts[at] for at in sorted(parts) if start <= at and (stop is None or at < stop)])

    def fail(self, export: Export, reason: str) -> None:
        place = export.campaign, export.id
        if place not in self._exports:
            raise Refused("there is no such export")
        known = self._exports[place]
        self._exports[place] = replace(known, failed=known.failed or reason)


class FakeExportQueue:
    """The chunk queue as exports send to it. `work` takes each message at once, where a test states it."""

    def __init__(self) -> None:
        self.sent: list[ExportMessage] = []
        self.work: Callable[[ExportMessage], object] | None = None

    def send_exports(self, messages: Iterable[ExportMessage]) -> None:
        waiting = list(messages)
        self.sent += waiting
        if self.work is None:
            return
        for message in waiting:
            self.sent.remove(message)
            self.work(message)
