"""Everything that is stored reads back as it was written, field by field: no field is lost, and none is another's."""

from dataclasses import replace
from uuid import uuid4

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kulanz.adapters.budget_items import (
    counted_text,
    read_counted,
    read_reservation,
    read_setting,
    read_stated,
    reservation_item,
    setting_item,
    stated_item,
)
from kulanz.adapters.campaign_items import frozen_item, log_item, meta_item, read_frozen, read_log, read_meta
from kulanz.adapters.incident_items import incident_item, read_incident, read_revision, revision_item
from kulanz.adapters.ledger_table import entry_item, read_entry
from kulanz.adapters.receipt_items import read_receipt, receipt_item
from kulanz.domain.budgets import Counted, LimitSet, Reservation
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cursor, Frozen, Receipt, StateChange
from kulanz.domain.campaigns.same_outage import OutageCampaign
from kulanz.domain.gate.stated import Stated
from kulanz.domain.incident_record import IncidentRecord, Revision
from kulanz.domain.ledger.entries import Entry, EntryWithHistory, HistoryChange
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory
from tests.contract.backends import Backend
from tests.support.stored_values import (
    CHANGES,
    COUNTED,
    ENTRIES,
    FROZEN,
    HISTORIES,
    LIMITS_SET,
    RECEIPTS,
    RECORDS,
    RESERVATIONS,
    REVISIONS,
    STATED,
    campaigns,
)

AS_ITEMS = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A field that is lost is lost in every value."""
THROUGH_A_STORE = settings(
    max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
"""One store serves all examples of a test: each has an incident, or an account, of its own."""


# As items, without a store


@AS_ITEMS
@given(campaigns())
def test_a_campaign_reads_back_from_its_item(campaign: Campaign) -> None:
    assert read_meta(meta_item(campaign)) == campaign


@AS_ITEMS
@given(RECEIPTS)
def test_a_receipt_reads_back_from_its_item(receipt: Receipt) -> None:
    assert read_receipt(receipt.campaign, receipt_item(receipt)) == receipt


@AS_ITEMS
@given(RECORDS)
def test_an_incident_reads_back_from_its_item(record: IncidentRecord) -> None:
    assert read_incident(incident_item(record)) == record


@AS_ITEMS
@given(REVISIONS)
def test_a_revision_reads_back_from_its_item(revision: Revision) -> None:
    assert read_revision(revision_item(revision)) == revision


@AS_ITEMS
@given(FROZEN)
def test_what_a_campaign_decides_by_reads_back_from_its_item(frozen: Frozen) -> None:
    assert read_frozen(frozen_item(CampaignId("an-incident", 1), frozen)) == frozen


@AS_ITEMS
@given(CHANGES)
def test_a_line_of_the_log_reads_back_from_its_item(change: StateChange) -> None:
    assert read_log(log_item(CampaignId("an-incident", 1), change)) == change


@AS_ITEMS
@given(ENTRIES)
def test_a_decision_reads_back_from_its_item(entry: Entry) -> None:
    assert read_entry(entry_item(entry)) == entry


@AS_ITEMS
@given(HISTORIES)
def test_a_history_reads_back_from_its_text(history: SubjectHistory) -> None:
    assert SubjectHistory.from_text(history.version, history.to_text()) == history


@AS_ITEMS
@given(RESERVATIONS)
def test_a_reservation_reads_back_from_its_item(made: Reservation) -> None:
    assert read_reservation(reservation_item(made)) == made


@AS_ITEMS
@given(LIMITS_SET)
def test_the_setting_of_a_budget_reads_back_from_its_item(setting: LimitSet) -> None:
    assert read_setting(setting_item(setting)) == setting


@AS_ITEMS
@given(STATED)
def test_what_was_stated_reads_back_from_its_item(stated: Stated) -> None:
    assert read_stated(stated_item(CampaignId("i-1", 1), stated)) == stated


@AS_ITEMS
@given(COUNTED)
def test_how_far_a_pass_has_come_reads_back_from_its_text(counted: Counted) -> None:
    assert read_counted(counted_text(counted)) == counted


# Through the stores


def _elsewhere() -> str:
    return f"i-{uuid4().hex}"


@THROUGH_A_STORE
@given(RECORDS, REVISIONS, campaigns(), FROZEN, CHANGES)
def test_an_incident_and_its_campaign_read_back_from_the_store(
    backend: Backend,
    record: IncidentRecord,
    revision: Revision,
    campaign: Campaign,
    frozen: Frozen,
    change: StateChange,
) -> None:
    store, incident_id = backend.campaigns, _elsewhere()
    record = replace(record, incident_id=incident_id)
    revision = replace(revision, incident_id=incident_id)
    campaign = replace(campaign, id=CampaignId(incident_id, campaign.id.seq), outage=incident_id)
    after = replace(record, version=record.version + 1)
    store.record_revision(None, record, revision)
    assert store.incident(incident_id) == record
    assert store.revisions(incident_id) == [revision]

    store.open(record, after, campaign, frozen, change)

    assert store.incident(incident_id) == after
    assert store.campaign(campaign.id) == campaign
    assert store.frozen(campaign.id) == frozen
    assert store.log(campaign.id) == [change]
    assert list(store.over_outage(incident_id)) == [OutageCampaign(campaign.id, campaign.pinned)]


@THROUGH_A_STORE
@given(RECORDS, REVISIONS, campaigns(), FROZEN, CHANGES, st.lists(RECEIPTS, min_size=1, max_size=3), st.integers(1, 9))
def test_receipts_and_what_they_add_up_to_read_back_from_the_store(
    backend: Backend,
    record: IncidentRecord,
    revision: Revision,
    campaign: Campaign,
    frozen: Frozen,
    change: StateChange,
    receipts: list[Receipt],
    sent: int,
) -> None:
    store, incident_id = backend.campaigns, _elsewhere()
    record = replace(record, incident_id=incident_id)
    campaign = replace(campaign, id=CampaignId(incident_id, campaign.id.seq))
    store.record_revision(None, record, replace(revision, incident_id=incident_id))
    store.open(record, replace(record, version=record.version + 1), campaign, frozen, change)
    for chunk, drawn in enumerate(receipts):
        middle = drawn.start + 1
        whole = replace(drawn, campaign=campaign.id, chunk=chunk)
        first = replace(whole, moved_from=None, finishes_chunk=False, end=middle)
        second = replace(whole, moved_from=middle, start=middle)
        before = store.campaign(campaign.id)
        assert before is not None

        assert store.record_receipt(first)
        assert store.cursor(campaign.id, drawn.work, chunk) == Cursor(first.end, finished=False)
        assert store.record_receipt(second)

        assert store.cursor(campaign.id, drawn.work, chunk) == Cursor(second.end, finished=True)
        found = store.campaign(campaign.id)
        assert found is not None
        expected = before.progress(drawn.work)
        expected.totals.add(first.totals)
        expected.totals.add(second.totals)
        assert found.progress(drawn.work) == replace(expected, bytes_done=expected.bytes_done + drawn.end - drawn.start)
        stored = {(one.chunk, one.moved_from): one for one in store.receipts(campaign.id, drawn.work)}
        assert (stored[chunk, None], stored[chunk, first.end]) == (first, second)
    for work in {one.work for one in receipts}:
        store.mark_dispatched(campaign, work, sent)
        found = store.campaign(campaign.id)
        assert found is not None
        assert found.progress(work).sent == sent


@THROUGH_A_STORE
@given(st.lists(ENTRIES, min_size=1, max_size=3, unique_by=lambda entry: entry.key.subject))
def test_decisions_read_back_from_the_ledger(backend: Backend, entries: list[Entry]) -> None:
    """A decision is neither accepted nor decided by hand when it is written."""
    account_id = f"a-{uuid4().hex}"
    written = [
        replace(one, key=replace(one.key, account_id=account_id), accepted_at=None, by_hand=None) for one in entries
    ]

    assert backend.ledger.insert(written) == [None] * len(written)

    assert backend.ledger.standing([one.key for one in written]) == {one.key: one for one in written}


@THROUGH_A_STORE
@given(ENTRIES, HISTORIES)
def test_a_history_reads_back_from_the_ledger(backend: Backend, entry: Entry, history: SubjectHistory) -> None:
    account_id = f"a-{uuid4().hex}"
    written = replace(entry, key=replace(entry.key, account_id=account_id), accepted_at=None)
    key = HistoryKey(account_id, "a-policy", written.key.subject)

    assert backend.ledger.insert_with_history(
        [EntryWithHistory(written, HistoryChange(key, SubjectHistory(), history))]
    ) == [None]

    assert backend.ledger.histories([key]) == {key: history}
    assert backend.ledger.standing([written.key]) == {written.key: written}
