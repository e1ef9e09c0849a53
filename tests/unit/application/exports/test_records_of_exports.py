"""An export's record: who asked for it, when and of what; which chunks are sent first; what a part's rows add up to."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.exports import ask_export as module
from kulanz.application.exports.ask_export import AskPorts, ask_export
from kulanz.application.exports.write_parts import PartRows
from kulanz.domain.campaigns.campaign import CampaignId, Chunks
from kulanz.domain.exports.export import LANES, Export
from kulanz.domain.exports.figures import Of
from kulanz.domain.time import microseconds_of
from tests.support.values import NOW, campaign


def ask(of: Of, chunks: int, incident: str, monkeypatch: pytest.MonkeyPatch, now: datetime = NOW) -> Any:
    """Somebody asks for an export; what is begun, and what is sent."""
    begun: list[Export] = []
    sent: list[Any] = []
    found = replace(campaign(CampaignId(incident, 4)), chunks=Chunks(50, 50 + 400 * chunks, 400), opened_by="sso:dora")

    def begin(asked: Export) -> Export:
        begun.append(asked)
        return asked

    monkeypatch.setattr(module, "exported_of", lambda *_: of)
    monkeypatch.setattr(module, "law_at", lambda *_: {})
    ports = SimpleNamespace(
        campaigns=None, exports=SimpleNamespace(begin=begin), queue=SimpleNamespace(send_exports=sent.extend),
        counters=None,
    )  # fmt: skip
    ask_export(found, "e-7", "sso:clea", cast("AskPorts", ports), now)
    (asked,) = begun
    assert (asked.campaign, asked.id, asked.of, asked.asked_by, asked.asked_at) == (
        found.id, "e-7", of, "sso:clea", now,
    )  # fmt: skip
    assert {(one.campaign, one.export) for one in sent} == {(found.id, "e-7")}
    return asked, [one.chunk for one in sent]


@pytest.mark.parametrize("of", Of)
@pytest.mark.parametrize("chunks", [1, LANES - 1, LANES, LANES + 1])
def test_an_export_names_who_asked_and_begins_with_as_many_chunks_as_there_are_lanes(
    of: Of, chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, sent = ask(of, chunks, "outage", monkeypatch)
    assert sent == list(range(min(LANES, chunks)))
    assert (asked.span, bool(asked.counters)) == (0, of is Of.LEDGER)


def test_of_goodwill_the_time_of_its_month_is_exported_up_to_the_very_instant_at_which_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begins = datetime(2026, 3, 1, tzinfo=UTC)
    for now in (NOW, begins):
        asked, sent = ask(Of.LEDGER, 1, "goodwill-2026-03", monkeypatch, now)
        assert (asked.span, sent) == (microseconds_of(now) - microseconds_of(begins) + 1, [0])


def test_a_part_counts_every_row_that_a_line_has() -> None:
    part = PartRows(7)
    for line, tails in enumerate((("a", "b"), ("c",), ("d", "e", "f")), 1):
        one = SimpleNamespace(tails=tails, rows=lambda number, *_, tails=tails: "".join(f"{number}{t};" for t in tails))
        part.write(cast("Any", _Hashed(one)), line)
    assert part.rows == 6
    assert "".join(part.texts) == "1a;1b;2c;3d;3e;3f;"


class _Hashed:
    """What is rendered of a line, known by itself."""

    def __init__(self, of: Any) -> None:
        self.tails, self.rows = of.tails, of.rows
