"""The contract of VoidStore, and of entries that are written in one step with a history."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ports import Outdated
from kulanz.domain.budgets import Regained
from kulanz.domain.campaigns.campaign import CampaignId, Cursor, Pass, PinnedList
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.moved import MovedOf, Moves
from kulanz.domain.delivery.standing import Counted, CreditState, RejectedWith
from kulanz.domain.delivery.void import Ends, Share, Void, VoidApproval, VoidReceipt, VoidState, VoidTotals
from kulanz.domain.incident_record import with_revision, with_void
from kulanz.domain.ledger.entries import EntryWithHistory, HistoryChange
from kulanz.domain.money import Size
from kulanz.domain.policy.deciding.history import Addition, HistoryKey, SubjectHistory
from tests.contract.backends import Backend
from tests.support.values import INCIDENT, NOW, entry, revision

FIRST = VoidId(CampaignId(INCIDENT, 1), "wrong-list")


def void(name: str = FIRST.name) -> Void:
    pinned = PinnedList("a-bucket", "lists/void.csv", "v1", "etag", 120)
    return Void(VoidId(FIRST.campaign, name), "Größe", "iam:anna", "iam:anna", NOW, pinned, data_start=11)


def receipt(start: int, end: int, moved_from: int | None = None, *, finishes: bool = False) -> VoidReceipt:
    sums: dict[tuple[Share, str], Size] = {(Share.VOIDABLE, "EUR"): 500, (Share.USED, "GB:3 x month"): Decimal("1.5")}
    return VoidReceipt(FIRST, Pass.PLAN, 0, start, end, moved_from, finishes, VoidTotals(3, 1, 2, sums, notices=1))


def test_a_void_is_read_as_it_was_opened_and_found_by_its_campaign(backend: Backend) -> None:
    assert backend.voids.void(FIRST) is None
    backend.voids.open(void())
    backend.voids.open(void())  # the reply was lost
    with pytest.raises(Outdated):
        backend.voids.open(replace(void(), reason="another"))
    backend.voids.open(replace(void("b"), pinned=None, data_start=0))
    assert backend.voids.void(FIRST) == void()
    for number, ends in enumerate(Ends):
        ending = replace(void(f"z-{number}"), ends=ends)
        backend.voids.open(ending)
        assert backend.voids.void(ending.id) == ending
        backend.voids.change(ending, ending.moved(VoidState.REJECTED, "no"))
        backend.voids.close(ending.id)
    assert [one.id.name for one in backend.voids.of_campaign(FIRST.campaign)] == ["b", "wrong-list", "z-0", "z-1"]
    assert backend.voids.of_campaign(CampaignId(INCIDENT, 2)) == []
    assert backend.voids.open_voids() == [replace(void("b")).id, FIRST]


def test_each_range_counts_once_and_only_from_where_the_cursor_stands(backend: Backend) -> None:
    backend.voids.open(void())
    assert backend.voids.cursor(FIRST, Pass.PLAN, 0) is None
    first, second = receipt(11, 60), receipt(60, 120, 60, finishes=True)
    assert [backend.voids.record(one) for one in (first, first, receipt(11, 70), second)] == [True, True, False, True]
    assert backend.voids.cursor(FIRST, Pass.PLAN, 0) == Cursor(120, finished=True)
    assert backend.voids.cursor(FIRST, Pass.APPLY, 0) is None
    assert backend.voids.finished_chunks(FIRST, Pass.PLAN) == {0}
    assert list(backend.voids.receipts(FIRST, Pass.PLAN)) == [first, second]
    assert list(backend.voids.receipts(FIRST, Pass.APPLY)) == []
    found = backend.voids.void(FIRST)
    assert found is not None
    assert (found.plan.bytes_done, found.apply.bytes_done) == (109, 0)
    assert found.plan.totals == VoidTotals(
        6, 2, 4, {(Share.VOIDABLE, "EUR"): 1_000, (Share.USED, "GB:3 x month"): Decimal(3)}, notices=2
    )


def test_what_was_voided_is_taken_off_what_is_due_and_counted_once_in_the_campaigns_sums(backend: Backend) -> None:
    eur, unit = MovedOf(FIRST.campaign, "EUR", "outage"), MovedOf(FIRST.campaign, "GB:3 x month", "")
    there = MovedOf(FIRST.campaign, "EUR", "outage", "billing")
    due, later = DueOf(FIRST.campaign, NOW, "EUR"), DueOf(FIRST.campaign, NOW + timedelta(days=40), "EUR")
    moves = Moves(
        {
            eur: {CreditState.DUE: -200, CreditState.VOIDED: 200},
            there: {CreditState.REJECTED: -300, CreditState.VOIDED: 300},
            there._replace(component=""): {RejectedWith("frozen"): -300},
            unit: {CreditState.TAKEN_BACK: Decimal("-1.5"), CreditState.VOIDED: Decimal("1.5")},
        },
        {due: (-1, -300), later: (-2, -200)},
    )
    backend.voids.open(void())
    backend.voids.open(void("b"))
    assert backend.voids.moved(FIRST.campaign) == {}
    first = replace(receipt(11, 60), work=Pass.APPLY, moves=moves)
    another = replace(first, void=void("b").id, start=60, end=120)
    assert [backend.voids.record(one) for one in (first, first, another)] == [True, True, True]
    assert backend.voids.record(replace(first, moves=Moves())) is False
    assert list(backend.voids.receipts(FIRST, Pass.APPLY)) == [first]
    assert backend.voids.moved(FIRST.campaign) == {
        eur: {CreditState.DUE: -400, CreditState.VOIDED: 400},
        there: {CreditState.REJECTED: -600, CreditState.VOIDED: 600},
        there._replace(component=""): {RejectedWith("frozen"): -600},
        unit: {CreditState.TAKEN_BACK: -3, CreditState.VOIDED: 3},
    }
    assert backend.voids.moved(CampaignId(INCIDENT, 2)) == {}
    assert dict(backend.dues.before(NOW + timedelta(days=50))) == {due: (-2, -600), later: (-4, -400)}
    assert [one.id.name for one in backend.voids.of_campaign(FIRST.campaign)] == ["b", "wrong-list"]


def test_what_was_taken_back_of_several_campaigns_counts_in_the_sums_of_each(backend: Backend) -> None:
    opened = replace(void(), pinned=None, data_start=0, is_of_overpaid=True)
    backend.voids.open(opened)
    assert backend.voids.void(FIRST) == opened
    earlier = [CampaignId(INCIDENT, 7), CampaignId(INCIDENT, 8)]
    sums: dict[Counted, Size] = {CreditState.DUE: -300, CreditState.VOIDED: 300}
    moves = Moves({MovedOf(one, "EUR", "outage"): dict(sums) for one in earlier})
    totals = VoidTotals(3, 1, 2, {(Share.VOIDED, "EUR"): 600, (Share.REPEATED, "EUR"): 5})
    taken = replace(receipt(11, 60), work=Pass.APPLY, totals=totals, moves=moves)
    assert [backend.voids.record(one) for one in (taken, taken)] == [True, True]
    assert list(backend.voids.receipts(FIRST, Pass.APPLY)) == [taken]
    assert [backend.voids.moved(one) for one in earlier] == [{MovedOf(one, "EUR", "outage"): sums} for one in earlier]
    assert backend.voids.moved(FIRST.campaign) == {}


def test_what_was_sent_and_seen_is_noted(backend: Backend) -> None:
    backend.voids.open(void())
    backend.voids.mark_dispatched(FIRST, Pass.APPLY, 1)
    backend.voids.note_seen(FIRST, 49)
    found = backend.voids.void(FIRST)
    assert found is not None
    assert (found.plan.sent, found.apply.sent, found.seen) == (0, 1, 49)


def test_a_void_moves_with_its_incident_or_not_at_all(backend: Backend) -> None:
    backend.voids.open(void())
    told = revision()
    record = with_revision(None, told, 400)
    assert record is not None
    backend.campaigns.record_revision(None, record, told)
    yes = VoidApproval("yes", "iam:ben", NOW)
    waiting = void()
    started = replace(waiting.moved(VoidState.VOIDING, "approved"), approvals=(yes,), started_at=NOW)
    occupied = with_void(record, str(FIRST))
    with pytest.raises(Outdated):
        backend.voids.change(waiting, started, (replace(record, version=7), occupied))
    assert backend.voids.void(FIRST) == waiting
    backend.voids.change(waiting, started, (record, occupied))
    assert backend.voids.void(FIRST) == started
    assert backend.campaigns.incident(INCIDENT) == occupied
    with pytest.raises(Outdated):
        backend.voids.change(waiting, waiting.moved(VoidState.REJECTED, "late"))
    ended = started.moved(VoidState.VOIDED, "balanced")
    regained = (Regained("EUR", "2026-03", 500), Regained("USD", "2026-03", 7))
    backend.voids.change(started, ended, (occupied, with_void(occupied, "")), regained)
    with pytest.raises(Outdated):
        backend.voids.change(started, ended, None, regained)
    assert [backend.campaigns.budget(one.currency, one.month).voided for one in regained] == [500, 7]
    backend.voids.close(FIRST)
    backend.voids.close(FIRST)
    assert backend.voids.open_voids() == []
    free = backend.campaigns.incident(INCIDENT)
    assert free is not None
    assert free.voiding == ""


def test_entries_and_a_history_are_written_together_or_neither(backend: Backend) -> None:
    a = entry("a", body='{"benefits":[{"money":[500,"EUR"]}],"outcome":"granted","reason":"credit"}')
    key = HistoryKey("a", "a-policy", a.key.subject)
    kept = SubjectHistory(1, {a.key.incident_id: Addition(NOW, {"paid_2026:EUR": 500})})
    backend.ledger.insert_with_history([EntryWithHistory(a, HistoryChange(key, SubjectHistory(), kept))])
    after = kept.voided(a.key.incident_id, {"EUR": 500}, {"EUR": 0})
    assert after is not None
    assert after.incidents[a.key.incident_id].added == {}
    change = EntriesChange(a.key, (), (CreditEntry(EntryKind.VOIDED, NOW, "anna", "void/1/x", (0,)),))
    moved = HistoryChange(key, replace(kept, version=4), replace(after, version=5))
    assert backend.credits.write_with_history(change, moved) is False
    assert backend.credits.booked([a.key])[a.key].entries == ()
    assert backend.credits.write_with_history(change, HistoryChange(key, kept, after)) is True
    assert backend.credits.booked([a.key])[a.key].entries == change.after
    assert backend.ledger.histories([key]) == {key: after}
    assert backend.credits.write_with_history(change, HistoryChange(key, after, after)) is False
