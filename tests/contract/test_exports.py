"""The contract of ExportStore, and the messages of exports: a part is written once, and adds to its export once."""

import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from kulanz.adapters.messaging import export_message_text, read_chunk_message
from kulanz.application.ports import ChunkMessage, ExportMessage, Refused
from kulanz.domain.campaigns.campaign import CampaignId, Pass
from kulanz.domain.exports.export import Export, Part
from kulanz.domain.exports.figures import Figures, LineKey, Of, SumKey, Written
from kulanz.domain.money import Size
from tests.contract.backends import AwsBackend, Backend
from tests.contract.conftest import BACKENDS

CAMPAIGN = CampaignId("net-outage", 1)
AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
EXPORT = Export(CAMPAIGN, "e.1:~-x", Of.LEDGER, "iam:anna", AT, counters="c0ffee", span=7_000_000)


def figures(lines: int, cents: int) -> Figures:
    """The figures of some lines, also of a unit whose name has the delimiter of the attributes."""
    counts = Counter(
        {LineKey("granted", "credit", Written.YES): lines, LineKey("rejected", "field_count", Written.NO): 1}
    )
    sums: dict[SumKey, Size] = {SumKey("granted", "EUR"): cents, SumKey("granted", "gigabyte|night"): Decimal("0.5")}
    return Figures(counts, sums)


def part(start: int, end: int, lines: int = 3, cents: int = 1_000) -> Part:
    key = f"exports/net-outage/001/e/{start}.jsonl.gz"
    return Part(start, end, lines + 1, 2 * lines, key, 99, f"{start:064x}", figures(lines, cents))


def test_an_export_is_begun_once(backend: Backend) -> None:
    assert backend.exports.export(CAMPAIGN, EXPORT.id) is None
    assert backend.exports.begin(EXPORT) == EXPORT
    assert backend.exports.begin(replace(EXPORT, of=Of.PLAN, asked_by="iam:ben")) == EXPORT
    assert backend.exports.export(CAMPAIGN, EXPORT.id) == EXPORT
    assert backend.exports.export(CampaignId("net-outage", 2), EXPORT.id) is None
    assert backend.exports.export(CAMPAIGN, "e") is None


def test_a_part_is_recorded_once_and_added_up_once(backend: Backend) -> None:
    exports = backend.exports
    exports.begin(EXPORT)
    assert exports.record(EXPORT, part(50, 100))
    assert not exports.record(EXPORT, replace(part(50, 100), sha256="f" * 64, figures=figures(9, 9)))
    assert exports.record(EXPORT, part(100, 175, 4, 250))
    found = exports.export(CAMPAIGN, EXPORT.id)
    assert found is not None
    assert (found.bytes_done, found.parts, found.failed) == (125, 2, "")
    assert found.figures.lines == {
        LineKey("granted", "credit", Written.YES): 7,
        LineKey("rejected", "field_count", Written.NO): 2,
    }
    assert found.figures.sums == {SumKey("granted", "EUR"): 1_250, SumKey("granted", "gigabyte|night"): 1}


def test_parts_come_by_where_they_start(backend: Backend) -> None:
    exports = backend.exports
    other = replace(EXPORT, id="e.1:~-xy")
    for one in (EXPORT, other):
        exports.begin(one)
    for start in (900, 50, 1_000_000, 100):
        exports.record(EXPORT, part(start, start + 50))
    exports.record(other, part(60, 61))
    assert list(exports.parts(EXPORT)) == [part(start, start + 50) for start in (50, 100, 900, 1_000_000)]
    assert [one.start for one in exports.parts(EXPORT, 100, 900)] == [100], "half-open"
    assert [one.start for one in exports.parts(EXPORT, 101)] == [900, 1_000_000]
    assert [one.start for one in exports.parts(other)] == [60]


def test_the_first_reason_why_an_export_fails_stands(backend: Backend) -> None:
    exports = backend.exports
    exports.begin(EXPORT)
    exports.fail(EXPORT, "list_version_gone: it was deleted")
    exports.fail(EXPORT, "decided_otherwise: later")
    found = exports.export(CAMPAIGN, EXPORT.id)
    assert found is not None
    assert found.failed == "list_version_gone: it was deleted"
    with pytest.raises(Refused):
        exports.fail(replace(EXPORT, id="of-nobody"), "why")


@pytest.mark.parametrize("emulator", ["moto"], indirect=True)
def test_no_item_of_an_export_names_more_than_figures(emulator: AwsBackend) -> None:
    emulator.exports.begin(EXPORT)
    emulator.exports.record(EXPORT, part(50, 100))
    items = emulator.dynamodb.scan(TableName=emulator.campaigns_table)["Items"]
    places = sorted(item["sk"]["S"] for item in items)
    assert places == ["EXPORT#e.1:~-x", "PART#e.1:~-x#00000000000050"]
    assert "ACCOUNT#" not in json.dumps(items, default=str)


@pytest.mark.parametrize("emulator", BACKENDS[1:], indirect=True)
def test_a_message_of_an_export_comes_as_it_was_sent(emulator: AwsBackend) -> None:
    sent = [ExportMessage(CAMPAIGN, "e.1:~-x", chunk) for chunk in range(12)]
    emulator.chunks.send_exports(sent)
    emulator.chunks.send([ChunkMessage(CAMPAIGN, Pass.PLAN, 3)])
    received = [read_chunk_message(text) for text in emulator._received(emulator.chunk_queue, 13)]
    assert sorted(received, key=str) == sorted([*sent, ChunkMessage(CAMPAIGN, Pass.PLAN, 3)], key=str)


def test_a_message_of_an_export_names_its_chunk() -> None:
    text = export_message_text(ExportMessage(CAMPAIGN, "e", 1))
    with pytest.raises(ValueError, match="chunk: expected"):
        read_chunk_message(text.replace('"chunk":1', '"chunk":-1'))
