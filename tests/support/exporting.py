"""An export in a world in memory: asked for, written by workers, and read back by its rows alone."""

import gzip
import json
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pytest

from kulanz.adapters.parted_lists import PartedLists
from kulanz.application.campaigns.chunk_run import GrantPorts, GrantSettings
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.exports.ask_export import AskPorts, ask_export
from kulanz.application.exports.write_parts import ExportPorts, PartsWritten, write_parts
from kulanz.application.ports import ExportMessage
from kulanz.domain.campaigns import stretches as stretches_module
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.exports.export import Export, Part
from kulanz.domain.exports.figures import Figures
from kulanz.domain.exports.rows import count_read
from tests.support.faults import Tap, tapped
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.world import World
from tests.support.world_clock import WorldClock
from tests.support.world_deliveries import KeptBack

EXPORT = "an-export"
NOBODY_APPROVES: dict[str, Any] = {"approvers": ()}
FINANCE = "iam:arn:aws:iam::123456789012:user/finance"


def ask(world: World, campaign: str, export_id: str = EXPORT) -> Export:
    """Ask for an export of a campaign. Raises ExportRefused."""
    ports = AskPorts(world.campaigns, world.exports, world.export_queue, KeptBack(world))
    return ask_export(world.campaign(campaign), export_id, FINANCE, ports, world.now)


def work(world: World, message: ExportMessage, tap: Tap | None = None) -> PartsWritten:
    """What a worker does with a message, in a life of its own. `tap` sees what it asks of the world."""
    through = tap or Tap()
    lists, archive = PartedLists(world.lists), tapped(world.archive, "archive", through)
    ledger, campaigns = tapped(world.ledger, "ledger", through), tapped(world.campaigns, "campaigns", through)
    ports = ExportPorts(
        GrantPorts(campaigns, lists, ledger, world.chunks, archive),
        campaigns,
        tapped(world.exports, "exports", through),
        tapped(world.export_queue, "queue", through),
        tapped(world.credits, "credits", through),
        tapped(world.cases, "cases", through),
        tapped(world.index, "index", through),
    )
    settings = GrantSettings(world.calls_in_flight, world.units_per_second, world.retention_days)
    return write_parts(message, ports, settings, WorldClock(world), FrozenCache())


def work_all(world: World) -> None:
    """Let workers take every message there is, and those that they send."""
    while world.export_queue.sent:
        work(world, world.export_queue.sent.pop(0))


def exported(world: World, campaign: str, export_id: str = EXPORT) -> Export:
    """An export as it stands when nothing is left to do."""
    ask(world, campaign, export_id)
    work_all(world)
    found = world.exports.export(CampaignId.parse(campaign), export_id)
    assert found is not None
    return found


def parts(world: World, export: Export) -> list[Part]:
    """The parts of an export, in the order of the list."""
    return list(world.exports.parts(export))


def rows(world: World, export: Export) -> Iterator[dict[str, Any]]:
    """The rows of all parts, with the number of their line behind the header, from 1."""
    line = 0
    for part in parts(world, export):
        for text in gzip.decompress(world.archive.documents[part.key]).splitlines():
            row = json.loads(text)
            yield {**row, "line": None if row["line"] is None else line + row["line"]}
        line += part.lines


def planned(**settings: Any) -> World:
    """The small campaign, whose plan waits."""
    world = small_world(**NOBODY_APPROVES, **settings)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL
    return world


def executed(**settings: Any) -> World:
    """The small campaign, closed."""
    world = small_world(**settings)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    return world


def small_stretches(monkeypatch: pytest.MonkeyPatch, most: int = 3) -> None:
    """Parts of a few rows, so that a short list has several."""
    monkeypatch.setattr(stretches_module, "STRETCH_ROWS", most)
    monkeypatch.setattr(stretches_module, "STRETCH_ROWS_READ", most)


def by_rows(world: World, campaign: str = CAMPAIGN, export_id: str = EXPORT) -> Figures:
    """What an export comes to by its rows alone."""
    export = world.exports.export(CampaignId.parse(campaign), export_id)
    assert export is not None
    figures = Figures()
    for _, group in groupby(rows(world, export), key=lambda one: (one["line"], one["decision"])):
        count_read(figures, list(group))
    return figures
