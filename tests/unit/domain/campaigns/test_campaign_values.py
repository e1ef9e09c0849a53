"""Campaigns, incidents and ledger entries as values: their names, their bounds, and how they may change."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.adapters.campaign_items import meta_additions, meta_item, read_meta
from kulanz.domain.campaigns.campaign import (
    CAMPAIGNS_PER_INCIDENT,
    CHUNK_BYTES_SMALLEST,
    CHUNKS_PER_LIST,
    ENDED,
    TRANSITIONS,
    WORKABLE,
    CampaignId,
    Chunks,
    State,
)
from kulanz.domain.campaigns.reconciliation import RowResult, SumKey, WriteResult
from kulanz.domain.decision import Benefit, Decision, Outcome, Validity
from kulanz.domain.identifiers import is_account_id, is_incident_id
from kulanz.domain.incident_record import (
    REVISION_HIGHEST,
    REVISIONS_LEFT_OUT,
    REVISIONS_REMEMBERED,
    IncidentConflict,
    IncidentRecord,
    with_campaign,
    with_revision,
)
from kulanz.domain.ledger.entries import WRITER_LIFE, DecisionKey, Lifetime, decision_body, is_expired, judge, row_hash
from kulanz.domain.money import Money
from tests.support.values import CAUSE, FIRST, INCIDENT, NOW, campaign, declared, entry, receipt, revision, totals

# Names

IDENTIFIER = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:~-]{0,63}", fullmatch=True)
INCIDENT_NAME = st.from_regex(r"[a-z0-9][a-z0-9-]{0,63}", fullmatch=True)


@pytest.mark.parametrize("text", ["", "#", "a#b", "a/b", "a b", "ä", "-a", ".a", "a" * 65, "a\n", "a\0", "a@b.example"])
def test_a_name_that_could_reach_into_another_key_is_no_name(text: str) -> None:
    assert not is_account_id(text)
    assert not is_incident_id(text)


@given(text=st.text(max_size=70))
def test_no_name_holds_a_delimiter(text: str) -> None:
    if is_account_id(text) or is_incident_id(text):
        assert text.isascii()
        assert not set(text) & set("#/ \n\0")
        assert 1 <= len(text) <= 64


@given(account=IDENTIFIER, incident=INCIDENT_NAME, unit=st.one_of(st.just("-"), IDENTIFIER), seq=st.integers(1, 999))
def test_a_decisions_key_reads_back_as_it_was_written(account: str, incident: str, unit: str, seq: int) -> None:
    key = DecisionKey(account, incident, unit, seq)

    assert DecisionKey.parse(key.partition, key.place) == key
    assert key.campaign == CampaignId(incident, seq)


@given(keys=st.lists(st.builds(DecisionKey, IDENTIFIER, INCIDENT_NAME, IDENTIFIER, st.integers(1, 999)), max_size=5))
def test_different_keys_are_stored_in_different_places(keys: list[DecisionKey]) -> None:
    assert len({(key.partition, key.place) for key in keys}) == len(set(keys))


@pytest.mark.parametrize(
    ("partition", "place"),
    [
        ("INCIDENT#a", "DECISION#i#-#001"),
        ("ACCOUNT#", "DECISION#i#-#001"),
        ("ACCOUNT#a", "DECISION#i#-#001#ENTRY#1"),
        ("ACCOUNT#a", "OTHER#i#-#001"),
        ("ACCOUNT#a", "DECISION#i#-#x"),
    ],
)
def test_what_is_no_decisions_key_is_refused(partition: str, place: str) -> None:
    with pytest.raises(ValueError, match=r"decision|invalid literal"):
        DecisionKey.parse(partition, place)


@given(incident=INCIDENT_NAME, seq=st.integers(1, 999))
def test_a_campaigns_name_reads_back_as_it_was_written(incident: str, seq: int) -> None:
    assert CampaignId.parse(str(CampaignId(incident, seq))) == CampaignId(incident, seq)


@pytest.mark.parametrize(
    "text",
    ["", "a", "a/", "a/0", "a/01", "a/1000", "A/1", "a/b/1", "a/\N{ARABIC-INDIC DIGIT ONE}", "a#1/1", "/1", "a/1\n"],
)
def test_what_is_no_campaigns_name_is_refused_without_the_text(text: str) -> None:
    with pytest.raises(ValueError, match="a campaign is written"):
        CampaignId.parse(text)


# Chunks


@given(
    data_start=st.integers(0, 500), length=st.integers(1, 20_000), chunk_bytes=st.integers(CHUNK_BYTES_SMALLEST, 9_000)
)
def test_chunks_tile_the_list(data_start: int, length: int, chunk_bytes: int) -> None:
    chunks = Chunks(data_start, data_start + length, chunk_bytes)
    bounds = [chunks.bounds(number) for number in range(len(chunks))]

    assert bounds[0][0] == data_start
    assert bounds[-1][1] == data_start + length
    assert all(stop == start for (_, stop), (start, _) in pairwise(bounds))
    assert all(0 < stop - start <= chunk_bytes for start, stop in bounds)
    assert chunks.total_bytes == length


@pytest.mark.parametrize(
    ("data_start", "size", "chunk_bytes", "says"),
    [
        (5, 5, 1_000, "at least one byte"),
        (-1, 5, 1_000, "at least one byte"),
        (0, 5, CHUNK_BYTES_SMALLEST - 1, "at least 256"),
        (0, CHUNKS_PER_LIST * 1_000 + 1, 1_000, "raise ChunkBytes"),
    ],
)
def test_impossible_chunks_are_refused(data_start: int, size: int, chunk_bytes: int, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Chunks(data_start, size, chunk_bytes)


@pytest.mark.parametrize("chunk", [-1, 3])
def test_there_is_no_chunk_outside_the_list(chunk: int) -> None:
    with pytest.raises(ValueError, match="of 3"):
        campaign().chunks.bounds(chunk)


# States


@pytest.mark.parametrize(("source", "target"), list(product(State, State)), ids=str)
def test_a_campaign_moves_only_where_its_states_lead(source: State, target: State) -> None:
    before = replace(campaign(), state=source, log_count=4)
    if target in TRANSITIONS[source]:
        moved = before.change(target, "why", CAUSE, NOW)
        assert (moved.number, moved.source, moved.target, moved.cause) == (5, source, target, CAUSE)
    else:
        with pytest.raises(ValueError, match="does not go"):
            before.change(target, "why", CAUSE, NOW)


def test_nothing_is_worked_in_a_state_that_waits_or_has_ended() -> None:
    assert set(WORKABLE) == {State.PLANNING, State.APPLYING}
    assert not ENDED & set(WORKABLE)
    assert all(target in TRANSITIONS for targets in TRANSITIONS.values() for target in targets)


# Incidents


def test_what_may_be_decided_is_fixed_at_first_sight_and_never_extended() -> None:
    record = declared()
    later = replace(revision(2), recorded_at=NOW + timedelta(days=300))
    after = with_revision(record, later, decidable_days=1_000)

    assert record.decidable_until == NOW + timedelta(days=400)
    assert after is not None
    assert after.decidable_until == record.decidable_until


def test_a_revision_told_again_changes_nothing_and_one_that_differs_is_a_conflict() -> None:
    assert with_revision(declared(), revision(), 400) is None
    with pytest.raises(IncidentConflict, match="higher revision") as conflict:
        with_revision(declared(), revision(digest="other"), 400)
    assert conflict.value.reason == "revision_conflict"


def test_a_late_lower_revision_is_recorded_and_does_not_come_into_force() -> None:
    highest = with_revision(declared(), revision(5), 400)
    assert highest is not None
    late = with_revision(highest, revision(3), 400)

    assert late is not None
    assert late.highest_revision == 5
    assert set(late.revision_digests) == {1, 3, 5}


def test_no_number_of_events_leaves_an_incident_without_a_higher_revision() -> None:
    events_a_second, century_seconds = 1_000, 100 * 366 * 86_400
    assert REVISIONS_LEFT_OUT * events_a_second * century_seconds / 10 < REVISION_HIGHEST
    assert REVISION_HIGHEST < 2**53, "JSON carries it exactly"


@given(st.permutations(range(1, REVISIONS_REMEMBERED + 40)))
def test_a_record_remembers_the_highest_revisions_and_its_size_is_bounded(numbers: list[int]) -> None:
    record = replace(declared(), revision_digests={1: "x"})
    for number in numbers:
        record = with_revision(record, revision(number, digest="x"), 400) or record
        assert len(record.revision_digests) <= REVISIONS_REMEMBERED
        assert record.highest_revision in record.revision_digests
    highest = range(40, REVISIONS_REMEMBERED + 40)
    assert set(record.revision_digests) == set(highest)
    assert [record.has_forgotten(number) for number in (1, 39, 40, 1_000)] == [True, True, False, False]


def test_a_forgotten_revision_told_again_changes_nothing_and_one_that_differs_is_a_conflict() -> None:
    full = replace(declared(), revision_digests=dict.fromkeys(range(2, REVISIONS_REMEMBERED + 2), "x"))
    assert full.has_forgotten(1)
    assert with_revision(full, revision(), 400, revision()) is None
    with pytest.raises(IncidentConflict, match="higher revision"):
        with_revision(full, revision(digest="other"), 400, revision())


def test_an_incident_has_a_bounded_number_of_campaigns() -> None:
    with pytest.raises(IncidentConflict, match="at most"):
        with_campaign(replace(declared(), next_seq=CAMPAIGNS_PER_INCIDENT + 1), 1, "request", NOW)


@pytest.mark.parametrize(
    ("record", "number", "later_days", "reason"),
    [
        (replace(declared(), highest_revision=2, revision_digests={1: "x", 2: "y"}), 1, 0, "revision_stale"),
        (declared(), 2, 0, "revision_unknown"),
        (declared(), 1, 400, "incident_over"),
        (replace(declared(), open_seq=1, next_seq=2), 1, 0, "incident_occupied"),
    ],
)
def test_a_campaign_that_may_not_open_says_why(
    record: IncidentRecord, number: int, later_days: int, reason: str
) -> None:
    with pytest.raises(IncidentConflict) as conflict:
        with_campaign(record, number, "request", NOW + timedelta(days=later_days))
    assert conflict.value.reason == reason


def test_the_last_instant_to_open_is_before_the_end() -> None:
    record = declared()
    after, opened = with_campaign(record, 1, "request", record.decidable_until - timedelta(microseconds=1))

    assert opened == FIRST
    assert (after.open_seq, after.next_seq, after.version) == (1, 2, record.version + 1)


# Entries

GRANT = Decision(Outcome.GRANTED, "credit", (Benefit(money=Money(500, "USD")),))


def _body(row: str = "row-1", *, policy: str = "hash", engine: str = "1", decision: Decision = GRANT) -> str:
    return decision_body(FIRST, engine, policy, row, decision)


def test_a_body_is_canonical_and_holds_no_instant() -> None:
    assert _body() == (
        '{"benefits":[{"money":[500,"USD"]}],"campaign":"net-outage/1","engine":"1","outcome":"granted",'
        '"policy":"hash","reason":"credit","row":"row-1","v":1}'
    )


@pytest.mark.parametrize(
    ("stored_body", "stored_origin", "write_result"),
    [
        (_body(), 50, WriteResult.ALREADY),
        (_body(), 99, WriteResult.DUPLICATE),
        (_body("row-2"), 50, WriteResult.CONFLICT),
        (_body("row-2"), 99, WriteResult.CONFLICT),
        (_body(policy="other"), 50, WriteResult.CONFLICT),
        (_body(engine="2"), 50, WriteResult.ALREADY),
        (_body(decision=Decision(Outcome.DECLINED, "x")), 50, WriteResult.ALREADY),
    ],
)
def test_what_stands_under_a_key_is_ours_a_duplicate_or_a_conflict(
    stored_body: str, stored_origin: int, write_result: WriteResult
) -> None:
    """Same campaign, policy and row: it is ours, however an engine words it; and it is never recomputed."""
    assert (
        judge(entry("a", body=_body(), origin=50), entry("a", body=stored_body, origin=stored_origin)) is write_result
    )


@given(
    first=st.tuples(st.integers(0, 10**13), st.text(max_size=9)),
    second=st.tuples(st.integers(0, 10**13), st.text(max_size=9)),
)
def test_a_row_at_another_place_has_another_hash(first: tuple[int, str], second: tuple[int, str]) -> None:
    assert (row_hash(*first) == row_hash(*second)) is (first == second)


def test_an_entry_outlives_its_benefits_and_what_may_still_write_it() -> None:
    week = Benefit(quantity="20", unit="minute", validity=Validity(count=7, unit="days"))
    year = Benefit(quantity="20", unit="minute", validity=Validity(count=800, unit="days"))
    keep = NOW + timedelta(days=500)

    short = Lifetime.of(Decision(Outcome.GRANTED, "x", (week,)), NOW, keep)
    long = Lifetime.of(Decision(Outcome.GRANTED, "x", (week, year)), NOW, keep)
    mixed = Lifetime.of(Decision(Outcome.GRANTED, "x", (week, *GRANT.benefits)), NOW, keep)

    assert short.expires_at == NOW + timedelta(days=7)
    assert short.ttl == int((keep + WRITER_LIFE).timestamp())
    assert long.expires_at == NOW + timedelta(days=800)
    assert long.ttl == int((NOW + timedelta(days=800) + WRITER_LIFE).timestamp())
    assert mixed.expires_at is None, "one benefit of two never ends"


def test_expiry_is_half_open_and_decided_by_the_clock() -> None:
    expiring = entry("a", expires_at=NOW)

    assert is_expired(expiring, NOW)
    assert not is_expired(expiring, NOW - timedelta(microseconds=1))
    assert not is_expired(entry("a"), NOW + timedelta(days=10_000))
    assert expiring.key.incident_id == INCIDENT


def test_a_campaign_reads_back_what_it_has_counted_whatever_a_policy_calls_its_units() -> None:
    unit = "GB | month:unlimited"
    found = totals()
    found.sums = {SumKey(RowResult.GRANTED, WriteResult.NONE, unit): 7}
    added = meta_additions(replace(receipt(0, 100), totals=found))
    item = meta_item(campaign()) | {name: {"N": str(value)} for name, value in added.items()}
    assert read_meta(item).plan.totals.sums == found.sums
