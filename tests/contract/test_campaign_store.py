"""The contract of CampaignStore: every write is conditional on what its caller had read, and safe to repeat."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from kulanz.application.ports import CampaignStore, Outdated, Refused
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cursor, Pass, SameOutage, State
from kulanz.domain.campaigns.reconciliation import DIGEST_MODULUS, Totals
from kulanz.domain.campaigns.same_outage import OutageCampaign
from kulanz.domain.incident_record import REVISION_HIGHEST, with_revision
from tests.contract.backends import Backend
from tests.contract.stored_campaigns import declare, known, open_first
from tests.support.values import (
    FIRST,
    INCIDENT,
    OPENING,
    OUTAGE,
    change,
    declared,
    frozen,
    opened,
    receipt,
    revision,
    totals,
)


def _sum(*parts: Totals) -> Totals:
    whole = Totals()
    for part in parts:
        whole.add(part)
    return whole


# Incidents


def test_what_was_never_written_is_not_there(backend: Backend) -> None:
    store = backend.campaigns

    assert store.incident(INCIDENT) is None
    assert store.revisions(INCIDENT) == []
    assert store.campaign(FIRST) is None
    assert store.campaigns_of(INCIDENT) == []
    assert store.log(FIRST) == []
    assert store.cursor(FIRST, Pass.PLAN, 0) is None
    assert store.finished_chunks(FIRST, Pass.PLAN) == set()
    assert list(store.receipts(FIRST, Pass.PLAN)) == []
    with pytest.raises(Refused):
        store.frozen(FIRST)


def test_an_incident_reads_as_it_was_recorded(backend: Backend) -> None:
    record = declare(backend.campaigns)

    assert backend.campaigns.incident(INCIDENT) == record
    assert backend.campaigns.revisions(INCIDENT) == [revision()]


def test_revisions_come_lowest_first(backend: Backend) -> None:
    store, record = backend.campaigns, declare(backend.campaigns)
    for number in (10, 2, 100, 1_000, 1_002, 9_999_999, 10_000_000, REVISION_HIGHEST):  # keys have seven digits
        record = replace(record, highest_revision=max(record.highest_revision, number - 1))
        after = with_revision(record, revision(number), 400)
        assert after is not None
        store.record_revision(record, after, revision(number))
        record = after

    assert [found.number for found in store.revisions(INCIDENT)] == [
        1, 2, 10, 100, 1_000, 1_002, 9_999_999, 10_000_000, REVISION_HIGHEST,
    ]  # fmt: skip
    assert store.incident(INCIDENT) == record
    assert [store.revision(INCIDENT, number) for number in (10, 11)] == [revision(10), None]
    assert store.revision(INCIDENT, REVISION_HIGHEST) == revision(REVISION_HIGHEST)
    assert store.revision("another", 1) is None


def test_a_revision_over_an_outdated_record_is_not_written(backend: Backend) -> None:
    store, record = backend.campaigns, declare(backend.campaigns)
    second = with_revision(record, revision(2), 400)
    third = with_revision(record, revision(3), 400)
    assert second is not None
    assert third is not None
    store.record_revision(record, second, revision(2))

    with pytest.raises(Outdated):
        store.record_revision(record, third, revision(3))
    with pytest.raises(Outdated):
        store.record_revision(None, declared(), revision(digest="another"))
    assert store.incident(INCIDENT) == second
    assert [found.number for found in store.revisions(INCIDENT)] == [1, 2]


def test_a_revision_is_recorded_once_however_often_it_is_repeated(backend: Backend) -> None:
    record = declare(backend.campaigns)

    with suppress(Outdated):
        backend.campaigns.record_revision(None, record, revision())

    assert backend.campaigns.incident(INCIDENT) == record
    assert backend.campaigns.revisions(INCIDENT) == [revision()]


# Opening


def test_an_opened_campaign_reads_as_it_was_written_and_occupies_its_incident(backend: Backend) -> None:
    new = open_first(backend.campaigns)

    assert backend.campaigns.campaign(FIRST) == new
    assert backend.campaigns.frozen(FIRST) == frozen()
    assert backend.campaigns.log(FIRST) == [OPENING]
    assert backend.campaigns.campaigns_of(INCIDENT) == [new]
    record = backend.campaigns.incident(INCIDENT)
    assert record is not None
    assert (record.open_seq, record.applied, record.next_seq, record.requests) == (1, (), 2, {"request-1": 1})


def _opened_as(store: CampaignStore, incident_id: str, **changes: Any) -> Campaign:
    record = replace(declared(), incident_id=incident_id)
    store.record_revision(None, record, replace(revision(), incident_id=incident_id))
    after, new = opened(record)
    new = replace(new, **changes)
    store.open(record, after, new, frozen(), OPENING)
    return new


def test_the_campaigns_over_an_outage_are_listed_whatever_their_incident(backend: Backend) -> None:
    store, first = backend.campaigns, open_first(backend.campaigns)
    other_list = replace(first.pinned, key="lists/b.csv", version_id="version-2", etag='"other"', size=7)
    second = _opened_as(store, "noc-4711", pinned=other_list)
    _opened_as(store, "noc-4712", outage="1" * 64)

    found = list(store.over_outage(OUTAGE))

    assert found == [OutageCampaign(FIRST, first.pinned), OutageCampaign(second.id, other_list)]
    assert [one.id.incident_id for one in store.over_outage("1" * 64)] == ["noc-4712"]
    assert list(store.over_outage("2" * 64)) == []


def test_a_campaign_that_did_not_open_is_not_listed_under_its_outage(backend: Backend) -> None:
    store, before = backend.campaigns, declare(backend.campaigns)
    after, new = opened(before)
    store.open(before, after, new, frozen(), OPENING)
    with pytest.raises(Outdated):
        store.open(before, after, replace(new, id=CampaignId(INCIDENT, 2)), frozen(), OPENING)

    assert [one.id for one in store.over_outage(OUTAGE)] == [FIRST]


def test_a_log_line_keeps_what_the_plan_found_of_other_incidents(backend: Backend) -> None:
    store, before = backend.campaigns, open_first(backend.campaigns)
    found = SameOutage(
        (CampaignId("noc-4711", 12),), (CampaignId("noc-4712-b", 1), CampaignId("b", 999)), is_whole=False
    )
    lines = [replace(change(before, State.REFUSED), others=found)]
    store.change_state(before, lines[0])

    assert store.log(FIRST) == [OPENING, *lines]


def test_of_two_who_open_at_once_one_is_outdated(backend: Backend) -> None:
    store, before = backend.campaigns, declare(backend.campaigns)
    after, new = opened(before)
    other_after, other = opened(before, "request-2")
    store.open(before, after, new, frozen(), OPENING)

    with pytest.raises(Outdated):
        store.open(before, other_after, replace(other, rows_announced=99), frozen(), OPENING)

    assert store.campaign(FIRST) == new
    assert store.incident(INCIDENT) == after


def test_a_campaign_opens_once_however_often_it_is_repeated(backend: Backend) -> None:
    store, before = backend.campaigns, declare(backend.campaigns)
    after, new = opened(before)
    store.open(before, after, new, frozen(), OPENING)
    store.record_receipt(receipt(50, 450))

    with suppress(Outdated):
        store.open(before, after, new, frozen(), OPENING)

    assert known(store).plan.bytes_done == 400, "a repeated opening put the campaign back to its start"
    assert len(store.log(FIRST)) == 1


# Receipts


def test_a_receipt_moves_the_cursor_and_adds_to_the_sums_in_one_step(backend: Backend) -> None:
    store = backend.campaigns
    open_first(store)
    first = receipt(50, 450)
    second = receipt(450, 470, moved_from=450, finishes_chunk=True, totals=totals(2, 9, minutes="0.25"))

    assert store.record_receipt(first)
    assert store.cursor(FIRST, Pass.PLAN, 0) == Cursor(450, finished=False)
    assert store.finished_chunks(FIRST, Pass.PLAN) == set()
    assert store.record_receipt(second)

    assert store.cursor(FIRST, Pass.PLAN, 0) == Cursor(470, finished=True)
    assert store.finished_chunks(FIRST, Pass.PLAN) == {0}
    assert list(store.receipts(FIRST, Pass.PLAN)) == [first, second]
    found = known(store).plan
    assert found.bytes_done == 420
    assert found.totals == _sum(first.totals, second.totals)


def test_the_two_passes_are_apart(backend: Backend) -> None:
    store = backend.campaigns
    open_first(store)
    store.record_receipt(receipt(50, 450))
    store.record_receipt(receipt(50, 460, work=Pass.APPLY, totals=totals(5, 1)))

    assert (known(store).plan.bytes_done, known(store).apply.bytes_done) == (400, 410)
    assert known(store).apply.totals == totals(5, 1)
    assert [found.work for found in store.receipts(FIRST, Pass.APPLY)] == [Pass.APPLY]
    assert store.cursor(FIRST, Pass.APPLY, 0) == Cursor(460, finished=False)


@pytest.mark.parametrize(
    "late",
    [
        receipt(50, 450, totals=totals(2)),
        receipt(50, 300),
        receipt(300, 450, moved_from=300),
        receipt(60, 460),
    ],
    ids=["other counts", "another end", "from where the cursor never stood", "as if it were the first"],
)
def test_the_loser_of_a_race_is_told_and_not_counted(backend: Backend, late: object) -> None:
    store = backend.campaigns
    open_first(store)
    winner = receipt(50, 450)
    store.record_receipt(winner)

    assert store.record_receipt(late) is False  # type: ignore[arg-type] # ids need plain parameters

    assert list(store.receipts(FIRST, Pass.PLAN)) == [winner]
    assert known(store).plan.totals == winner.totals
    assert store.cursor(FIRST, Pass.PLAN, 0) == Cursor(450, finished=False)


def test_a_repeated_receipt_is_ours_and_counted_once(backend: Backend) -> None:
    store = backend.campaigns
    open_first(store)
    first = receipt(50, 450)
    second = receipt(450, 470, moved_from=450, finishes_chunk=True)

    for _ in range(2):
        assert store.record_receipt(first)
    assert store.record_receipt(second)
    for repeated in (first, second):
        assert store.record_receipt(repeated)

    assert known(store).plan.bytes_done == 420
    assert known(store).plan.totals == _sum(first.totals, second.totals)


def test_nothing_is_added_to_a_finished_chunk(backend: Backend) -> None:
    store = backend.campaigns
    open_first(store)
    store.record_receipt(receipt(50, 450, finishes_chunk=True))

    assert store.record_receipt(receipt(450, 470, moved_from=450)) is False
    assert known(store).plan.bytes_done == 400


def test_nothing_is_recorded_for_a_campaign_that_does_not_exist(backend: Backend) -> None:
    assert backend.campaigns.record_receipt(receipt(50, 450)) is False
    assert backend.campaigns.cursor(FIRST, Pass.PLAN, 0) is None
    assert list(backend.campaigns.receipts(FIRST, Pass.PLAN)) == []


def test_a_chunk_without_a_line_and_the_next_one_may_start_at_the_same_byte(backend: Backend) -> None:
    store = backend.campaigns
    open_first(store)
    long_line = receipt(50, 850, finishes_chunk=True)
    no_line = receipt(850, 850, chunk=1, finishes_chunk=True, totals=Totals())
    last = receipt(850, 1_050, chunk=2, finishes_chunk=True)

    for found in (last, no_line, long_line):
        assert store.record_receipt(found)

    assert list(store.receipts(FIRST, Pass.PLAN)) == [long_line, no_line, last]
    assert store.finished_chunks(FIRST, Pass.PLAN) == {0, 1, 2}
    assert known(store).is_finished(Pass.PLAN)


def test_the_receipts_of_a_part_of_the_list_are_those_that_start_in_it(backend: Backend) -> None:
    open_first(backend.campaigns)
    bounds = [(50, 100), (100, 450), (450, 460)]
    moved_from = None
    for start, end in bounds:
        read = "d" * 64 if start == 100 else ""
        assert backend.campaigns.record_receipt(receipt(start, end, moved_from=moved_from, read=read))
        moved_from = end

    def starts(*part: int | None) -> list[int]:
        return [found.start for found in backend.campaigns.receipts(FIRST, Pass.PLAN, *part)]  # type: ignore[arg-type]

    assert starts() == starts(0) == [50, 100, 450]
    assert starts(50, 450) == [50, 100]
    assert starts(51, 451) == [100, 450]
    assert starts(100, 100) == starts(451) == []
    assert [found.read for found in backend.campaigns.receipts(FIRST, Pass.PLAN)] == ["", "d" * 64, ""]


def test_digests_are_added_modulo_2_to_the_128(backend: Backend) -> None:
    store = backend.campaigns
    open_first(store)
    digests = [DIGEST_MODULUS - 1, 2**127, 2**64 - 1]
    for chunk, digest in enumerate(digests):
        store.record_receipt(receipt(50 + chunk, 51 + chunk, chunk=chunk, totals=totals(digest=digest)))

    assert known(store).plan.totals.digest == sum(digests) % DIGEST_MODULUS


def test_sums_are_exact_beyond_what_a_binary_fraction_holds(backend: Backend) -> None:
    store = backend.campaigns
    open_first(store)
    parts = [totals(cents=10**15 + 1, minutes="0.1"), totals(cents=10**15 + 2, minutes="123456789012.2")]
    for chunk, part in enumerate(parts):
        store.record_receipt(receipt(50 + chunk, 51 + chunk, chunk=chunk, totals=part))

    assert known(store).plan.totals == _sum(*parts)
