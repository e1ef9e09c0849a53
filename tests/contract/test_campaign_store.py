"""The contract of CampaignStore: every write is conditional on what its caller had read, and safe to repeat."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from kulanz.application.ports import AtTheGate, CampaignStore, KeptRequest, Outdated, Refused, Start
from kulanz.domain.campaigns.campaign import WAITING, Campaign, CampaignId, Cursor, Pass, SameOutage, State
from kulanz.domain.campaigns.reconciliation import DIGEST_MODULUS, Totals
from kulanz.domain.campaigns.same_outage import OutageCampaign
from kulanz.domain.gate.approval import Rejection
from kulanz.domain.gate.settings import Spent, SpentPlace
from kulanz.domain.halt import NEVER_SET, HaltAction, Verb
from kulanz.domain.halt import after as after_halt
from kulanz.domain.incident_record import REVISION_HIGHEST, IncidentRecord, with_revision
from kulanz.domain.people.people import NOBODY_LISTED
from tests.contract.backends import Backend
from tests.support.values import (
    CAUSE,
    FIRST,
    INCIDENT,
    NOW,
    OPENING,
    OUTAGE,
    approval,
    campaign,
    change,
    declared,
    filed,
    frozen,
    move,
    opened,
    receipt,
    revision,
    totals,
)


def _declare(store: CampaignStore) -> IncidentRecord:
    record = declared()
    store.record_revision(None, record, revision())
    return record


def _open(store: CampaignStore) -> Campaign:
    before = _declare(store)
    after, new = opened(before)
    store.open(before, after, new, frozen(), OPENING)
    return new


def _known(store: CampaignStore, campaign_id: CampaignId = FIRST) -> Campaign:
    found = store.campaign(campaign_id)
    assert found is not None
    return found


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
    record = _declare(backend.campaigns)

    assert backend.campaigns.incident(INCIDENT) == record
    assert backend.campaigns.revisions(INCIDENT) == [revision()]


def test_revisions_come_lowest_first(backend: Backend) -> None:
    store, record = backend.campaigns, _declare(backend.campaigns)
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
    store, record = backend.campaigns, _declare(backend.campaigns)
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
    record = _declare(backend.campaigns)

    with suppress(Outdated):
        backend.campaigns.record_revision(None, record, revision())

    assert backend.campaigns.incident(INCIDENT) == record
    assert backend.campaigns.revisions(INCIDENT) == [revision()]


# Opening


def test_an_opened_campaign_reads_as_it_was_written_and_occupies_its_incident(backend: Backend) -> None:
    new = _open(backend.campaigns)

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
    store, first = backend.campaigns, _open(backend.campaigns)
    other_list = replace(first.pinned, key="lists/b.csv", version_id="version-2", etag='"other"', size=7)
    second = _opened_as(store, "noc-4711", pinned=other_list)
    _opened_as(store, "noc-4712", outage="1" * 64)

    found = list(store.over_outage(OUTAGE))

    assert found == [OutageCampaign(FIRST, first.pinned), OutageCampaign(second.id, other_list)]
    assert [one.id.incident_id for one in store.over_outage("1" * 64)] == ["noc-4712"]
    assert list(store.over_outage("2" * 64)) == []


def test_a_campaign_that_did_not_open_is_not_listed_under_its_outage(backend: Backend) -> None:
    store, before = backend.campaigns, _declare(backend.campaigns)
    after, new = opened(before)
    store.open(before, after, new, frozen(), OPENING)
    with pytest.raises(Outdated):
        store.open(before, after, replace(new, id=CampaignId(INCIDENT, 2)), frozen(), OPENING)

    assert [one.id for one in store.over_outage(OUTAGE)] == [FIRST]


def test_a_log_line_keeps_what_the_plan_found_of_other_incidents(backend: Backend) -> None:
    store, before = backend.campaigns, _open(backend.campaigns)
    found = SameOutage(
        (CampaignId("noc-4711", 12),), (CampaignId("noc-4712-b", 1), CampaignId("b", 999)), is_whole=False
    )
    lines = [replace(change(before, State.REFUSED), others=found)]
    store.change_state(before, lines[0])

    assert store.log(FIRST) == [OPENING, *lines]


def test_of_two_who_open_at_once_one_is_outdated(backend: Backend) -> None:
    store, before = backend.campaigns, _declare(backend.campaigns)
    after, new = opened(before)
    other_after, other = opened(before, "request-2")
    store.open(before, after, new, frozen(), OPENING)

    with pytest.raises(Outdated):
        store.open(before, other_after, replace(other, rows_announced=99), frozen(), OPENING)

    assert store.campaign(FIRST) == new
    assert store.incident(INCIDENT) == after


def test_a_campaign_opens_once_however_often_it_is_repeated(backend: Backend) -> None:
    store, before = backend.campaigns, _declare(backend.campaigns)
    after, new = opened(before)
    store.open(before, after, new, frozen(), OPENING)
    store.record_receipt(receipt(50, 450))

    with suppress(Outdated):
        store.open(before, after, new, frozen(), OPENING)

    assert _known(store).plan.bytes_done == 400, "a repeated opening put the campaign back to its start"
    assert len(store.log(FIRST)) == 1


# Receipts


def test_a_receipt_moves_the_cursor_and_adds_to_the_sums_in_one_step(backend: Backend) -> None:
    store = backend.campaigns
    _open(store)
    first = receipt(50, 450)
    second = receipt(450, 470, moved_from=450, finishes_chunk=True, totals=totals(2, 9, minutes="0.25"))

    assert store.record_receipt(first)
    assert store.cursor(FIRST, Pass.PLAN, 0) == Cursor(450, finished=False)
    assert store.finished_chunks(FIRST, Pass.PLAN) == set()
    assert store.record_receipt(second)

    assert store.cursor(FIRST, Pass.PLAN, 0) == Cursor(470, finished=True)
    assert store.finished_chunks(FIRST, Pass.PLAN) == {0}
    assert list(store.receipts(FIRST, Pass.PLAN)) == [first, second]
    found = _known(store).plan
    assert found.bytes_done == 420
    assert found.totals == _sum(first.totals, second.totals)


def test_the_two_passes_are_apart(backend: Backend) -> None:
    store = backend.campaigns
    _open(store)
    store.record_receipt(receipt(50, 450))
    store.record_receipt(receipt(50, 460, work=Pass.APPLY, totals=totals(5, 1)))

    assert (_known(store).plan.bytes_done, _known(store).apply.bytes_done) == (400, 410)
    assert _known(store).apply.totals == totals(5, 1)
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
    _open(store)
    winner = receipt(50, 450)
    store.record_receipt(winner)

    assert store.record_receipt(late) is False  # type: ignore[arg-type] # ids need plain parameters

    assert list(store.receipts(FIRST, Pass.PLAN)) == [winner]
    assert _known(store).plan.totals == winner.totals
    assert store.cursor(FIRST, Pass.PLAN, 0) == Cursor(450, finished=False)


def test_a_repeated_receipt_is_ours_and_counted_once(backend: Backend) -> None:
    store = backend.campaigns
    _open(store)
    first = receipt(50, 450)
    second = receipt(450, 470, moved_from=450, finishes_chunk=True)

    for _ in range(2):
        assert store.record_receipt(first)
    assert store.record_receipt(second)
    for repeated in (first, second):
        assert store.record_receipt(repeated)

    assert _known(store).plan.bytes_done == 420
    assert _known(store).plan.totals == _sum(first.totals, second.totals)


def test_nothing_is_added_to_a_finished_chunk(backend: Backend) -> None:
    store = backend.campaigns
    _open(store)
    store.record_receipt(receipt(50, 450, finishes_chunk=True))

    assert store.record_receipt(receipt(450, 470, moved_from=450)) is False
    assert _known(store).plan.bytes_done == 400


def test_nothing_is_recorded_for_a_campaign_that_does_not_exist(backend: Backend) -> None:
    assert backend.campaigns.record_receipt(receipt(50, 450)) is False
    assert backend.campaigns.cursor(FIRST, Pass.PLAN, 0) is None
    assert list(backend.campaigns.receipts(FIRST, Pass.PLAN)) == []


def test_a_chunk_without_a_line_and_the_next_one_may_start_at_the_same_byte(backend: Backend) -> None:
    store = backend.campaigns
    _open(store)
    long_line = receipt(50, 850, finishes_chunk=True)
    no_line = receipt(850, 850, chunk=1, finishes_chunk=True, totals=Totals())
    last = receipt(850, 1_050, chunk=2, finishes_chunk=True)

    for found in (last, no_line, long_line):
        assert store.record_receipt(found)

    assert list(store.receipts(FIRST, Pass.PLAN)) == [long_line, no_line, last]
    assert store.finished_chunks(FIRST, Pass.PLAN) == {0, 1, 2}
    assert _known(store).is_finished(Pass.PLAN)


def test_the_receipts_of_a_part_of_the_list_are_those_that_start_in_it(backend: Backend) -> None:
    _open(backend.campaigns)
    bounds = [(50, 100), (100, 450), (450, 460)]
    moved_from = None
    for start, end in bounds:
        read = "d" * 64 if start == 100 else ""
        assert backend.campaigns.record_receipt(receipt(start, end, moved_from=moved_from, history=read))
        moved_from = end

    def starts(*part: int | None) -> list[int]:
        return [found.start for found in backend.campaigns.receipts(FIRST, Pass.PLAN, *part)]  # type: ignore[arg-type]

    assert starts() == starts(0) == [50, 100, 450]
    assert starts(50, 450) == [50, 100]
    assert starts(51, 451) == [100, 450]
    assert starts(100, 100) == starts(451) == []
    assert [found.history for found in backend.campaigns.receipts(FIRST, Pass.PLAN)] == ["", "d" * 64, ""]


def test_digests_are_added_modulo_2_to_the_128(backend: Backend) -> None:
    store = backend.campaigns
    _open(store)
    digests = [DIGEST_MODULUS - 1, 2**127, 2**64 - 1]
    for chunk, digest in enumerate(digests):
        store.record_receipt(receipt(50 + chunk, 51 + chunk, chunk=chunk, totals=totals(digest=digest)))

    assert _known(store).plan.totals.digest == sum(digests) % DIGEST_MODULUS


def test_sums_are_exact_beyond_what_a_binary_fraction_holds(backend: Backend) -> None:
    store = backend.campaigns
    _open(store)
    parts = [totals(cents=10**15 + 1, minutes="0.1"), totals(cents=10**15 + 2, minutes="123456789012.2")]
    for chunk, part in enumerate(parts):
        store.record_receipt(receipt(50 + chunk, 51 + chunk, chunk=chunk, totals=part))

    assert _known(store).plan.totals == _sum(*parts)


# States


@pytest.mark.parametrize(
    ("path", "open_seq", "applied"),
    [
        ([State.APPLYING], 1, (1,)),
        ([State.APPLYING, State.CLOSED], None, (1,)),
        ([State.REFUSED], None, ()),
        ([State.PAUSED], 1, ()),
        ([State.PAUSED, State.PLANNING], 1, ()),
        ([State.APPLYING, State.PAUSED, State.APPLYING], 1, (1,)),
        ([State.APPLYING, State.FLAGGED], 1, (1,)),
        ([State.APPLYING, State.CLOSED, State.FLAGGED], None, (1,)),
        ([State.APPLYING, State.FLAGGED, State.CLOSED], None, (1,)),
        ([State.PAUSED, State.FLAGGED], 1, ()),
        ([State.PAUSED, State.CANCELLED], None, ()),
        ([State.APPLYING, State.CANCELLED], None, (1,)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "x",
)
def test_a_change_of_state_is_logged_and_the_incident_knows(
    backend: Backend, path: list[State], open_seq: int | None, applied: tuple[int, ...]
) -> None:
    store = backend.campaigns
    _open(store)
    changes = [OPENING]
    for target in path:
        changes += move(store, _known(store), target, f"to {target}")

    found, record = _known(store), store.incident(INCIDENT)
    assert (found.state, found.state_reason, found.log_count) == (path[-1], f"to {path[-1]}", len(changes))
    assert store.log(FIRST) == changes
    assert record is not None
    assert (record.open_seq, record.applied) == (open_seq, applied)
    assert store.waiting() == ([FIRST] if path[-1] in WAITING else [])


def test_a_plan_its_approvals_and_the_sums_of_automatic_executions_are_kept(backend: Backend) -> None:
    store, before = backend.campaigns, _open(backend.campaigns)
    assert (store.filed_plan(FIRST), store.actions(FIRST)) == (None, [])
    plan = filed(before)
    move(store, before, State.AWAITING_APPROVAL)
    said = [approval(plan), approval(plan, "ben")]
    for one in said:
        waiting = _known(store)
        store.change_state(waiting, change(waiting, State.AWAITING_APPROVAL), AtTheGate(action=one))
    waiting, record = _known(store), store.incident(INCIDENT)
    assert record is not None
    places = (SpentPlace(month="2026-03"), SpentPlace(incident_id=INCIDENT))
    spent = tuple(store.spent(place).with_plan({"EUR": 500, "call_minute": Decimal("0.5")}) for place in places)
    store.change_state(waiting, change(waiting, State.APPLYING), AtTheGate(start=Start(record, spent)))

    assert store.filed_plan(FIRST) == plan
    assert store.actions(FIRST) == said
    assert tuple(map(store.spent, places)) == spent
    assert store.spent(SpentPlace(month="2026-04")) == Spent(SpentPlace(month="2026-04"))


def test_a_rejection_is_kept_and_lets_the_incident_go(backend: Backend) -> None:
    store, before = backend.campaigns, _open(backend.campaigns)
    move(store, before, State.AWAITING_APPROVAL)
    waiting, said = _known(store), Rejection("no", "sso:ben", filed(before).hash, "another list", NOW)
    store.change_state(waiting, change(waiting, State.REJECTED), AtTheGate(action=said))

    record = store.incident(INCIDENT)
    assert record is not None
    assert (record.open_seq, record.applied, store.actions(FIRST)) == (None, (), [said])


def _second_spending(store: CampaignStore, record: IncidentRecord) -> AtTheGate:
    """The start that counts as the second of its month, where there was none."""
    spent = store.spent(SpentPlace(month="2026-03")).with_plan({"EUR": 1})
    return AtTheGate(start=Start(record, (spent.with_plan({"EUR": 1}),)))


@pytest.mark.parametrize(
    "late",
    [
        lambda _, record: AtTheGate(action=approval(filed(campaign())), start=Start(record)),
        lambda _, record: AtTheGate(start=Start(replace(record, version=record.version - 1))),
        _second_spending,
    ],
    ids=["an id that is taken", "an incident that has moved", "another sum of the month"],
)
def test_a_start_whose_conditions_do_not_hold_is_not_written(
    backend: Backend, late: Callable[[CampaignStore, IncidentRecord], AtTheGate]
) -> None:
    store, before = backend.campaigns, _open(backend.campaigns)
    move(store, before, State.AWAITING_APPROVAL)
    waiting = _known(store)
    yes = AtTheGate(action=approval(filed(before)))
    store.change_state(waiting, change(waiting, State.AWAITING_APPROVAL), yes)
    waiting, record = _known(store), store.incident(INCIDENT)
    assert record is not None

    with pytest.raises(Outdated):
        store.change_state(waiting, change(waiting, State.APPLYING), late(store, record))

    assert _known(store) == waiting
    assert store.incident(INCIDENT) == record


@pytest.mark.parametrize("gate", [AtTheGate(), AtTheGate(plan=filed(campaign()))])
def test_no_execution_begins_without_a_start(backend: Backend, gate: AtTheGate) -> None:
    store, before = backend.campaigns, _open(backend.campaigns)
    move(store, before, State.AWAITING_APPROVAL)
    waiting = _known(store)
    with pytest.raises(AssertionError):
        store.change_state(waiting, change(waiting, State.APPLYING), gate)
    assert _known(store) == waiting


def test_a_change_from_an_outdated_state_is_not_written(backend: Backend) -> None:
    store, before = backend.campaigns, _open(backend.campaigns)
    store.change_state(before, change(before, State.PAUSED))

    with pytest.raises(Outdated):
        store.change_state(before, change(before, State.REFUSED))

    assert _known(store).state is State.PAUSED
    assert len(store.log(FIRST)) == 2


def test_a_change_from_the_same_state_at_an_earlier_time_is_not_written(backend: Backend) -> None:
    store, before = backend.campaigns, _open(backend.campaigns)
    store.change_state(before, change(before, State.PAUSED))
    store.change_state(_known(store), change(_known(store), State.PLANNING))

    with pytest.raises(Outdated):
        store.change_state(before, change(before, State.CANCELLED))
    assert _known(store).state is State.PLANNING


def test_a_repeated_change_is_ours_and_logged_once(backend: Backend) -> None:
    store, before = backend.campaigns, _open(backend.campaigns)
    for _ in range(2):
        store.change_state(before, change(before, State.AWAITING_APPROVAL), AtTheGate(plan=filed(before)))
    waiting, record = _known(store), store.incident(INCIDENT)
    assert record is not None
    for _ in range(2):
        yes = AtTheGate(action=approval(filed(before)), start=Start(record))
        store.change_state(waiting, change(waiting, State.APPLYING), yes)

    assert len(store.log(FIRST)) == 3
    record = store.incident(INCIDENT)
    assert record is not None
    assert record.version == declared().version + 2


def test_receipts_do_not_make_a_change_of_state_outdated(backend: Backend) -> None:
    store, before = backend.campaigns, _open(backend.campaigns)
    store.record_receipt(receipt(50, 450))
    store.change_state(before, change(before, State.PAUSED))

    assert _known(store).state is State.PAUSED
    assert _known(store).plan.bytes_done == 400


def test_an_event_over_a_record_from_before_the_change_is_outdated(backend: Backend) -> None:
    store, new = backend.campaigns, _open(backend.campaigns)
    before = store.incident(INCIDENT)
    assert before is not None
    store.change_state(new, change(new, State.REFUSED))
    after = with_revision(before, revision(2), 400)
    assert after is not None

    with pytest.raises(Outdated):
        store.record_revision(before, after, revision(2))


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        (lambda store: store.mark_dispatched(_known(store), Pass.PLAN, 2), (2, 0, "")),
        (lambda store: store.mark_dispatched(_known(store), Pass.APPLY, 3), (0, 3, "")),
        (lambda store: store.mark_announced(_known(store), "3"), (0, 0, "3")),
    ],
    ids=["plan dispatched", "apply dispatched", "announced"],
)
def test_a_mark_says_one_thing_and_can_be_repeated(
    backend: Backend, mark: Callable[[CampaignStore], None], expected: tuple[bool, bool, str]
) -> None:
    store = backend.campaigns
    _open(store)
    for _ in range(2):
        mark(store)

    found = _known(store)
    assert (found.plan.sent, found.apply.sent, found.announced) == expected


@pytest.mark.parametrize("rests", [State.PAUSED, State.FLAGGED])
def test_chunks_that_were_sent_before_a_change_of_state_count_as_not_sent(backend: Backend, rests: State) -> None:
    store = backend.campaigns
    move(store, _open(store), State.APPLYING)
    at_work = _known(store)
    store.mark_dispatched(at_work, Pass.APPLY, 3)
    assert _known(store).apply.sent

    store.change_state(at_work, change(at_work, rests))
    store.mark_dispatched(at_work, Pass.APPLY, 3)  # by who began to send them before

    assert not _known(store).apply.sent


def test_a_campaign_that_does_not_exist_cannot_be_marked(backend: Backend) -> None:
    with pytest.raises(Refused):
        backend.campaigns.mark_dispatched(campaign(), Pass.PLAN, 1)
    assert backend.campaigns.campaign(FIRST) is None


def test_a_second_campaign_opens_after_the_first_was_refused(backend: Backend) -> None:
    store, first = backend.campaigns, _open(backend.campaigns)
    store.change_state(first, change(first, State.REFUSED))
    before = store.incident(INCIDENT)
    assert before is not None
    after, second = opened(before, "request-2")
    store.open(before, after, second, frozen(), OPENING)

    assert [found.id.seq for found in store.campaigns_of(INCIDENT)] == [1, 2]
    assert second.id == CampaignId(INCIDENT, 2)
    assert store.log(second.id) == [OPENING]
    assert campaign(second.id, "request-2") == store.campaign(second.id)


def test_an_incident_knows_every_campaign_that_may_have_granted(backend: Backend) -> None:
    store, first = backend.campaigns, _open(backend.campaigns)
    move(store, first, State.APPLYING)
    move(store, _known(store), State.CLOSED)
    before = store.incident(INCIDENT)
    assert before is not None
    after, second = opened(before, "request-2")
    second = replace(second, follows=before.applied)
    store.open(before, after, second, frozen(), OPENING)
    move(store, second, State.APPLYING)

    found = store.incident(INCIDENT)
    assert found is not None
    assert found.applied == (1, 2)
    assert _known(store, second.id).follows == (1,)


def test_instants_keep_their_microseconds(backend: Backend) -> None:
    new = _open(backend.campaigns)
    stored = _known(backend.campaigns)

    assert stored.decided_at == NOW
    assert stored.decidable_until == new.decidable_until == NOW + timedelta(days=400)
    assert backend.campaigns.log(FIRST)[0].cause == CAUSE


def test_a_request_that_waits_is_kept_once_until_it_is_forgotten(backend: Backend) -> None:
    store = backend.campaigns
    assert list(store.kept_requests()) == []
    first = KeptRequest("net-outage", "a" * 64, OPENING.at, CampaignId("net-outage", 1), '{"detail": {}}')
    other = replace(first, incident_id="another", after=CampaignId("another", 7))
    for request in (first, other, first):
        store.keep_request(request)
    assert list(store.kept_requests()) == [other, first]

    later = replace(first, opens_at=OPENING.at + timedelta(minutes=20))
    store.keep_request(later)
    store.forget_request(first)
    assert list(store.kept_requests()) == [other, later], "it was kept anew"
    for _ in range(2):
        store.forget_request(later)
    assert list(store.kept_requests()) == [other]


def test_the_state_alone_is_that_of_the_campaign(backend: Backend) -> None:
    store = backend.campaigns
    assert store.state_of(FIRST) is None
    opened = _open(store)
    assert store.state_of(opened.id) is State.PLANNING
    store.change_state(opened, change(opened, State.PAUSED))
    assert store.state_of(opened.id) is State.PAUSED


def test_the_halt_is_changed_once_and_keeps_an_execution_from_going_on(backend: Backend) -> None:
    store = backend.campaigns
    assert store.halt() == NEVER_SET
    on = HaltAction("stop-1", Verb.SET, "anna", "the amounts are wrong", OPENING.at)
    halted = after_halt(NEVER_SET, on, NOBODY_LISTED)
    opened = _open(store)
    store.change_halt(NEVER_SET, halted, on)
    assert store.halt() == halted
    with pytest.raises(Outdated):
        store.change_halt(NEVER_SET, halted, replace(on, id="stop-2", person="bert"))
    with pytest.raises(Outdated):
        move(store, opened, State.APPLYING)
    assert store.state_of(opened.id) is State.AWAITING_APPROVAL

    halt = halted
    for person in ("anna", "bert"):
        lift = HaltAction(f"go-{person}", Verb.LIFT, f"sso:{person}", "they are right", OPENING.at)
        lifted = after_halt(halt, lift, NOBODY_LISTED)
        store.change_halt(halt, lifted, lift)
        halt = lifted
    assert not store.halt().is_on
    move(store, _known(store), State.APPLYING)
    assert store.state_of(opened.id) is State.APPLYING
