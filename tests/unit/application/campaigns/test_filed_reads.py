"""What a plan read is filed as it was, and with each receipt no more than a worker's memory holds."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from itertools import product

import pytest

from kulanz.application.campaigns import filed_reads as module
from kulanz.application.campaigns.filed_reads import NOTHING, FiledReads, LineRead
from kulanz.application.campaigns.read_history import NOTHING_READ, Read
from kulanz.domain.campaigns.campaign import CampaignId, Chunks, Pass, Receipt
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.earlier_decisions import Before
from kulanz.domain.policy.deciding.history import HISTORY_FULL
from tests.support.fake_bucket import FakeArchive
from tests.support.values import campaign

CAMPAIGN = replace(campaign(), chunks=Chunks(10, 5_000, 1_000))
HISTORIES = [
    NOTHING_READ,
    Read({"paid_2026:EUR": 1_250, "outages:windows": ((3, 9),)}),
    Read({"hours": Fraction(7, 3)}, "history_settled"),
    Read({}, HISTORY_FULL),
]
BEFORES = [
    None,
    Before(Outcome.GRANTED, (("EUR", 500), ("call_minute", Decimal("2.5")))),
    Before(Outcome.DECLINED, (), is_by_hand=True),
    Before(None, (), is_in_doubt=True),
    Before(Outcome.OFFERED, (("JPY", 7),), is_asked_back=True, written_off=(("JPY", 3),)),
]
READS = [LineRead(history, before) for history, before in product(HISTORIES, BEFORES)]


class Receipts:
    """The receipts of the plan's chunks, as they were recorded."""

    def __init__(self) -> None:
        self.recorded: list[Receipt] = []

    def receipts(self, _: CampaignId, work: Pass, start: int, stop: int) -> Iterator[Receipt]:
        assert work is Pass.PLAN
        return (one for one in self.recorded if start <= one.start < stop)


def reads_of(chunk: int, campaigns: Receipts, archive: FakeArchive) -> FiledReads:
    return FiledReads(CAMPAIGN, chunk, campaigns, archive)  # type: ignore[arg-type] # it reads receipts alone


def receipt(chunk: int, start: int, end: int) -> Receipt:
    return Receipt(CAMPAIGN.id, Pass.PLAN, chunk, start, end, None, finishes_chunk=True, totals=Totals())


def test_each_line_is_read_back_as_it_was_whichever_receipt_it_is_in() -> None:
    campaigns, archive, noted = Receipts(), FakeArchive(), dict[int, LineRead]()
    spans = [(0, 10, 400), (0, 400, 1_010), (1, 1_010, 1_500), (1, 1_500, 2_010)]
    for number, (chunk, start, end) in enumerate(spans):
        filing = reads_of(chunk, campaigns, archive)
        offsets = range(start, end, (end - start) // len(READS))[: len(READS)]
        # In another order than that of the list: a wave waits while lines of which nothing is read go on.
        some = dict(zip(offsets, [*READS[number:], *READS[:number]], strict=True))
        for offset in sorted(some, reverse=True):
            filing.note(offset, some[offset])
        noted |= some
        campaigns.recorded.append(filing.file(receipt(chunk, start, end)))
    assert len({one.read for one in campaigns.recorded}) == len(spans)
    for chunk in (0, 1):
        reading = reads_of(chunk, campaigns, archive)
        mine = {offset: read for offset, read in sorted(noted.items()) if CAMPAIGN.chunks.bounds(chunk)[0] <= offset}
        mine = {offset: read for offset, read in mine.items() if offset < CAMPAIGN.chunks.bounds(chunk)[1]}
        assert {offset: reading.planned(offset) for offset in mine} == mine


def test_of_which_nothing_was_read_nothing_is_filed() -> None:
    campaigns, archive = Receipts(), FakeArchive()
    filing = reads_of(0, campaigns, archive)
    for offset in (10, 50, 90):
        filing.note(offset, NOTHING)
    plain = receipt(0, 10, 1_010)
    assert filing.file(plain) == plain
    campaigns.recorded.append(plain)
    assert archive.documents == {}
    assert reads_of(0, campaigns, archive).planned(50) == NOTHING


@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_receipt_is_long_with_the_very_line_that_fills_it(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READS_PER_RECEIPT", most)
    filing, found = reads_of(0, Receipts(), FakeArchive()), list[bool]()
    for offset, read in enumerate(READS[1:8], 10):
        filing.note(offset, read)
        found.append(filing.is_long())
    assert found == [number >= most for number in range(1, 8)]


@pytest.mark.parametrize("less", [-1, 0, 1])
def test_a_receipt_is_long_with_the_very_byte_that_fills_it(less: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All lines count, whatever was read of each: what is filed is what was held in memory."""
    archive = FakeArchive()
    whole = reads_of(0, Receipts(), archive)
    for offset, read in enumerate(READS, 10):
        whole.note(offset, read)
    whole.file(receipt(0, 10, 1_010))
    (content,) = archive.documents.values()
    monkeypatch.setattr(module, "READ_BYTES_PER_RECEIPT", len(content) - less)
    again = reads_of(0, Receipts(), FakeArchive())
    found = []
    for offset, read in enumerate(READS, 10):
        again.note(offset, read)
        found.append(again.is_long())
    assert found == [False] * (len(READS) - 1) + [less >= 0]


def test_what_was_read_at_two_moments_is_filed_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers may read one stretch of lines while something changes: each receipt names what itself read."""
    archive, filed = FakeArchive(), list[Receipt]()
    monkeypatch.setattr(module, "REMEMBERED_TEXTS", 1)  # texts are forgotten on the way
    for read in (READS[1], READS[2], READS[7]):
        filing = reads_of(0, Receipts(), archive)
        filing.note(10, read)
        filing.note(60, READS[3])
        filed.append(filing.file(receipt(0, 10, 1_010)))
    assert len(archive.documents) == len({one.read for one in filed}) == len(filed)
    for one, read in zip(filed, (READS[1], READS[2], READS[7]), strict=True):
        campaigns = Receipts()
        campaigns.recorded.append(one)
        reading = reads_of(0, campaigns, archive)
        assert (reading.planned(10), reading.planned(60)) == (read, READS[3])
