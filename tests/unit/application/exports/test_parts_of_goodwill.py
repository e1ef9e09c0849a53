"""The parts of a month's goodwill: each decision once, in the part of its instant, however often a worker stops; and
which message of an export leads to which."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.campaigns.chunk_run import TIME_TO_FINISH_SECONDS
from kulanz.application.exports import write_parts as module
from kulanz.application.exports.write_parts import CONTENT_TYPE, ExportPorts, PartsWritten, write_parts
from kulanz.application.ports import ExportMessage, Page, TryAgain
from kulanz.domain.byhand.goodwill import month_begins, month_campaign, month_of
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Chunks
from kulanz.domain.exports.export import LANES, Export, Part
from kulanz.domain.exports.figures import Figures, Of
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey
from tests.support.values import DATA_START, NOW, SIZE, campaign

ID = month_campaign(NOW)
BEGINS = month_begins(month_of(NOW))
SPAN = 1_000
"""Microseconds of the month that are exported."""
GOODWILL = AdditionKind.GOODWILL


def added(at: int, account: str, kind: AdditionKind = GOODWILL) -> Addition:
    """What was given so many microseconds after the month began."""
    return Addition(kind, DecisionKey(account, ID.incident_id, "s", ID.seq), BEGINS + timedelta(microseconds=at), "x")


GIVEN = [
    added(0, "a"), added(10, "b"), added(10, "c"), added(10, "d"), added(20, "again", AdditionKind.AGAIN),
    added(25, "b", AdditionKind.REVERSAL),
    added(30, "e"), added(40, "gone"), added(SPAN - 1, "f"), added(SPAN, "late"), added(SPAN + 1, "later"),
]  # fmt: skip
"""Three at one instant, one that was given before, one that does not stand, and two that came after it was asked."""


@dataclass
class Kept:
    """An export, its parts, and what was added."""

    export_: Export | None
    of: Campaign | None = None
    recorded: list[Part] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    sent: list[ExportMessage] = field(default_factory=list)
    left: Sequence[float] = ()

    def export(self, *_: object) -> Export | None:
        return self.export_

    def campaign(self, _: CampaignId) -> Campaign | None:
        return self.of

    def parts(self, _: Export, *bounds: int) -> list[Part]:
        return [one for one in self.recorded if one.start >= bounds[0]]

    def record(self, _: Export, part: Part) -> bool:
        self.recorded.append(part)
        return True

    def send_exports(self, messages: Any) -> None:
        self.sent += messages

    def put(self, key: str, content: bytes, kind: str) -> None:
        assert kind == CONTENT_TYPE
        self.files[key] = content

    def additions_from(self, _: CampaignId, first: Any, after: str) -> Page[Addition]:
        """Two a page, from an instant on."""
        found = [one for one in GIVEN if one.at >= first]
        place = int(after or 0)
        return Page(tuple(found[place : place + 2]), str(place + 2) if place + 2 < len(found) else "")

    def booked(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Any]:
        return {key: SimpleNamespace(entry=SimpleNamespace(key=key)) for key in keys if key.account_id != "gone"}

    def work(self, chunk: int = 0) -> PartsWritten:
        """What a worker does who has so many seconds after each part."""
        one: Any = self
        ports = ExportPorts(SimpleNamespace(archive=one), one, one, one, one, one, one)  # type: ignore[arg-type]
        left = iter(self.left)
        clock: Any = SimpleNamespace(seconds_left=lambda: next(left, TIME_TO_FINISH_SECONDS))
        cache: Any = SimpleNamespace(get=lambda *_: None)
        return write_parts(ExportMessage(ID, "e-1", chunk), ports, one, clock, cache)

    def rows(self) -> list[list[str]]:
        """The accounts of each part, in their order, as they are stored."""
        assert [one.key for one in self.recorded] == list(self.files)
        return [gzip.decompress(one).decode().split() for one in self.files.values()]


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that are an account's id."""
    made = SimpleNamespace(
        tails=[""], rows=lambda line, account, subject, key: f"{account}\n" if (line, subject) == (None, "s") else key
    )

    class Decisions:
        def __init__(self, *_: object, offers_ended: bool) -> None:
            assert not offers_ended

        def of(self, *_: object) -> Any:
            return Hashed(made)

    monkeypatch.setattr(module, "Decisions", Decisions)
    monkeypatch.setattr(module, "count", lambda *_: None)
    monkeypatch.setattr(module, "ADDED_PER_PART", 2)


class Hashed:
    """What rows are counted by."""

    def __init__(self, made: Any) -> None:
        self.tails, self.rows = made.tails, made.rows


def export(**changes: Any) -> Export:
    return replace(Export(ID, "e-1", Of.LEDGER, "anna", NOW, span=SPAN), **changes)


LAST_OF_PARTS = [["a", "b", "c", "d"], ["e", "f"]]
ENDS = [SIZE + 30, SIZE + SPAN]


def test_what_was_given_at_one_instant_is_in_one_part_and_what_came_after_it_was_asked_is_in_none() -> None:
    kept = Kept(export(), campaign(ID))
    assert kept.work() == PartsWritten(2, 0)
    assert kept.rows() == LAST_OF_PARTS
    assert [(one.start, one.end, one.lines, one.rows) for one in kept.recorded] == [
        (SIZE, ENDS[0], 0, 4), (ENDS[0], ENDS[1], 0, 2),
    ]  # fmt: skip
    folder = f"exports/{ID.incident_id}/{ID.seq:03d}/e-1"
    assert [one.key for one in kept.recorded] == [
        f"{folder}/{one.start:014d}-{one.end:014d}-{one.sha256[:16]}.jsonl.gz" for one in kept.recorded
    ]
    assert [one.size for one in kept.recorded] == [len(one) for one in kept.files.values()]
    assert kept.sent == []


@pytest.mark.parametrize("most", [1, 3, 5, 6, 100])
def test_however_many_a_part_holds_each_decision_until_the_export_was_asked_is_in_one_of_them(
    most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ADDED_PER_PART", most)
    kept = Kept(export(), campaign(ID))
    kept.work()
    assert [name for part in kept.rows() for name in part] == ["a", "b", "c", "d", "e", "f"]
    assert [one.start for one in kept.recorded] == [SIZE, *(one.end for one in kept.recorded[:-1])]
    assert kept.recorded[-1].end == SIZE + SPAN


@pytest.mark.parametrize(
    ("seconds", "is_over"), [(TIME_TO_FINISH_SECONDS, False), (TIME_TO_FINISH_SECONDS - 0.1, True)]
)
def test_a_worker_whose_time_is_over_sends_the_rest_which_goes_on_behind_the_last_part(
    seconds: float, *, is_over: bool
) -> None:
    kept = Kept(export(), campaign(ID), left=[seconds])
    first = kept.work()
    assert (first, kept.sent) == (
        (PartsWritten(1, 0), [ExportMessage(ID, "e-1", 0)]) if is_over else (PartsWritten(2, 0), [])
    )
    if is_over:
        kept.left = ()
        assert kept.work() == PartsWritten(1, 0)
    assert kept.rows() == LAST_OF_PARTS
    assert [one.end for one in kept.recorded] == ENDS


@pytest.mark.parametrize("gone", ["export", "campaign", "failed", "chunk"])
def test_an_export_that_is_gone_or_has_failed_or_a_chunk_that_there_is_not_is_nothing_to_do(gone: str) -> None:
    one = export(failed="list_version_gone: x") if gone == "failed" else export()
    kept = Kept(None if gone == "export" else one, None if gone == "campaign" else campaign(ID))
    assert kept.work(1 if gone == "chunk" else 0) == PartsWritten()
    assert kept.work(-1) == PartsWritten()
    assert (kept.recorded, kept.sent, kept.files) == ([], [], {})


@pytest.mark.parametrize("chunks", [1, LANES - 1, LANES, LANES + 1, 2 * LANES, 2 * LANES + 3])
def test_every_chunk_is_worked_once_and_none_is_sent_that_there_is_not(
    chunks: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = Part(DATA_START, SIZE, 7, 7, "k", 1, "s", Figures())
    monkeypatch.setattr(module, "_parts", lambda *_: iter([part]))
    size = DATA_START + 256 * chunks
    kept = Kept(export(span=0), replace(campaign(ID), chunks=Chunks(DATA_START, size, 256)))
    waiting, worked = list(range(min(LANES, chunks))), list[int]()
    while waiting:
        worked.append(waiting.pop(0))
        assert kept.work(worked[-1]) == PartsWritten(1, 7)
        waiting += [one.chunk for one in kept.sent]
        kept.sent.clear()
        assert len(waiting) <= LANES
    assert worked == list(range(chunks))


def test_a_worker_that_came_to_no_part_in_its_time_lets_the_message_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_parts", lambda *_: iter([None]))
    kept = Kept(export(), campaign(ID))
    with pytest.raises(TryAgain, match="no part of the export"):
        kept.work()
    assert kept.sent == []
