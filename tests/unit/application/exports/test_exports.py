"""An export has a row for each benefit of each line, and its rows come to the plan's figures, or to the ledger's."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.application.campaigns.control_campaign import WORKER_LONGEST, ControlPorts, cancel, pause
from kulanz.application.delivery.world import EntriesChange
from kulanz.application.exports.ask_export import ExportRefused
from kulanz.application.exports.write_parts import PartsWritten
from kulanz.application.ledger.accept_offer import AcceptPorts, accept_offer
from kulanz.application.ports import ExportMessage, TryAgain
from kulanz.domain.campaigns import stretches as stretches_module
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.campaigns.reconciliation import RowResult, worth_by_measure
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.exports.export import LANES
from kulanz.domain.exports.figures import Figures, LineKey, Of, SumKey, Written, differences, expected
from kulanz.domain.exports.rows import COLUMNS, count_read
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.lists.lines import LINE_BYTES
from kulanz.domain.money import parse_minor
from kulanz.domain.time import CLOCK_ALLOWANCE
from tests.support import accepted_offer
from tests.support.compiled_once import policies_compiled_once
from tests.support.exporting import EXPORT, ask, exported, parts, rows, work, work_all
from tests.support.faults import Fault, Killed, Tap, fault_at, no_faults
from tests.support.small_campaign import (
    CAMPAIGN,
    EVERY_KIND_OF_LINE,
    INCIDENT_ID,
    LIST_KEY,
    ROWS,
    event,
    list_of,
    row,
    sealed_policy,
    small_world,
)
from tests.support.world import ANNA, BEN, Function, World

ID = CampaignId.parse(CAMPAIGN)
CAUSE = Cause("a person", "a command", "1")
NOBODY_APPROVES: dict[str, Any] = {"approvers": ()}


@pytest.fixture(scope="module", autouse=True)
def _policies_compiled_once() -> Iterator[None]:
    with policies_compiled_once():
        yield


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


def by_rows(world: World, campaign: str = CAMPAIGN, export_id: str = EXPORT) -> Figures:
    """What an export comes to by its rows alone."""
    export = world.exports.export(CampaignId.parse(campaign), export_id)
    assert export is not None
    figures = Figures()
    for _, group in groupby(rows(world, export), key=lambda one: one["line"]):
        count_read(figures, list(group))
    return figures


def small_stretches(monkeypatch: pytest.MonkeyPatch, most: int = 3) -> None:
    monkeypatch.setattr(stretches_module, "STRETCH_ROWS", most)
    monkeypatch.setattr(stretches_module, "STRETCH_ROWS_READ", most)


# What it shows


@pytest.mark.parametrize(("make", "of"), [(planned, Of.PLAN), (executed, Of.LEDGER)])
def test_an_export_comes_to_the_figures_of_its_campaign(make: Any, of: Of, monkeypatch: pytest.MonkeyPatch) -> None:
    small_stretches(monkeypatch)
    world = make()
    export = exported(world, CAMPAIGN)
    assert (export.of, export.failed, export.bytes_done) == (of, "", world.campaign(CAMPAIGN).chunks.total_bytes)
    assert len(parts(world, export)) > len(world.campaign(CAMPAIGN).chunks), "a part for each stretch"
    assert list(differences(expected(world.campaign(CAMPAIGN), of), export.figures)) == []
    assert by_rows(world) == export.figures


def test_every_line_but_blank_ones_has_its_number_and_its_result() -> None:
    world = planned()
    found = {one["line"]: one for one in rows(world, exported(world, CAMPAIGN))}
    results = {name: found.get(number) for number, name in enumerate(EVERY_KIND_OF_LINE, 1)}
    for name, one in results.items():
        kind = name.partition(",")[0]
        if kind == "blank":
            assert one is None
        elif kind in ("granted", "declined", "referred", "held", "rejected"):
            assert one is not None, name
            assert one["result"] == kind, name


def test_a_row_says_what_is_due_when_and_until_when() -> None:
    world = executed()
    ours = [one for one in rows(world, exported(world, CAMPAIGN)) if one["account"] == "granted-1"]
    money, minutes = ours[0], ours[1]
    assert tuple(money) == COLUMNS
    assert (money["benefit"], money["amount"], money["currency"], money["unit"]) == (1, "2.99", "EUR", "")
    assert (money["due"], money["due_by"]) == ("2 billing_cycle", "2026-05-01")
    assert (minutes["benefit"], minutes["amount"], minutes["currency"]) == (2, "20", "")
    assert (minutes["unit"], minutes["validity"]) == ("call_minute", "7 days from grant in Europe/Berlin")
    assert minutes["valid_until"] > minutes["valid_from"] > "2026-03-01T09:00:00Z"
    assert {one["decision"] for one in ours[:2]} == {f"ACCOUNT#granted-1/DECISION#{INCIDENT_ID}#-#001"}
    assert {one["status"] for one in ours[:2]} == {"granted"}
    assert {one["subject"] for one in ours} == {""}, "the account itself"


def test_a_plan_knows_no_instant_of_a_grant_that_is_not_made() -> None:
    world = planned()
    ours = [one for one in rows(world, exported(world, CAMPAIGN)) if one["result"] == "granted"]
    assert {(one["valid_from"], one["valid_until"], one["status"], one["written"]) for one in ours} == {
        ("", "", "", "")
    }
    assert {one["due_by"] for one in ours if one["due"]} == {"2026-05-01"}, "were it granted when it is decided"


def test_a_rejected_line_has_its_reason_and_none_of_its_cells() -> None:
    world = planned()
    export = exported(world, CAMPAIGN)
    rejected = [one for one in rows(world, export) if one["result"] == "rejected"]
    assert len(rejected) == sum(name.startswith("rejected") for name in EVERY_KIND_OF_LINE)
    assert all(one["reason"] for one in rejected)
    filled = {name for one in rejected for name, value in one.items() if value}
    assert filled == {"campaign", "line", "result", "reason"}


def test_a_line_that_repeats_another_is_none_of_the_ledgers() -> None:
    world = executed()
    found = list(rows(world, exported(world, CAMPAIGN)))
    repeated = {one["result"] for one in found if one["account"] == "granted-1"}
    torn = [one["result"] for one in found if one["account"] == "torn-1"]
    assert repeated == {"granted", "duplicate"}
    assert sorted(set(torn)) == ["conflict", "granted"]
    amounts = [one["amount"] for one in found if one["result"] in ("duplicate", "conflict")]
    assert set(amounts) == {""}, "nobody books it twice"


PARTS = """
kulanz: 1
id: two-parts
version: 1
title: A part at once and a part on request
currency: EUR
facts:
  fee: money
heads:
  - name: auto
    pay: fee
  - name: more
    pay: 30.00 EUR
    mode:
      offer: {until: 2026-03-10T00:00:00Z}
"""
OFFER = """
kulanz: 1
id: offer
version: 1
title: An offer
currency: EUR
facts:
  fee: money
pay: fee
mode:
  offer: {until: 2026-03-10T00:00:00Z}
"""


def decided(policy: str, policy_id: str, **settings: Any) -> World:
    world = World(**settings)
    world.policies.publish(policy_id, 1, sealed_policy(policy))
    world.lists.upload("lists/two.csv", b"account_id,fee\na-1,10.00\na-2,20.00\n")
    world.publish(event(key="lists/two.csv", rows=2, policy=policy_id))
    world.run_until_quiet()
    return world


def accept(world: World, account: str) -> None:
    accept_offer(account, INCIDENT_ID, AcceptPorts(world.ledger, world.campaigns, world.offers), "support", world.now)


@pytest.mark.parametrize(
    ("policy", "policy_id", "owed", "taken"), [(PARTS, "two-parts", 3_000, 3_000), (OFFER, "offer", 0, 1_000)]
)
def test_what_a_customer_accepted_is_shown_and_leaves_the_sums_of_the_reconciliation_as_they_are(
    policy: str, policy_id: str, owed: int, taken: int
) -> None:
    world = decided(policy, policy_id)
    before = exported(world, CAMPAIGN, "before").figures
    world.now += timedelta(hours=1)
    accept(world, "a-1")
    export = exported(world, CAMPAIGN, "after")
    assert list(differences(expected(world.campaign(CAMPAIGN), Of.LEDGER), export.figures)) == []
    assert export.figures.sums[SumKey("accepted", "EUR")] == taken
    assert export.figures.sums.get(SumKey("claimable", "EUR"), 0) == owed
    assert before.sums.get(SumKey("claimable", "EUR"), 0) == (owed + taken if owed else 0)
    assert by_rows(world, export_id="after") == export.figures
    ours = [one for one in rows(world, export) if one["account"] == "a-1"]
    assert ours[-1]["accepted_at"] == "2026-03-01T10:00:" + ours[-1]["accepted_at"][17:]
    assert ours[-1]["status"] == "granted"
    later = exported(world, CAMPAIGN, "after")
    assert later == export, "an export stays what it was"


def void_first_benefit(world: World, account: str) -> None:
    (entry,) = world.ledger.of_account(account)
    taken_back = CreditEntry(EntryKind.VOIDED, world.now, "test", "void/1", (0,))
    assert world.credits.write_entries([EntriesChange(entry.key, (), (taken_back,))]) == [True]


def test_what_was_voided_is_shown_of_each_benefit_and_is_granted_no_more() -> None:
    """Whoever books by an export would book what was taken back. One account is voided in part, one whole."""
    world = decided(PARTS, "two-parts")
    accept(world, "a-1")
    void_first_benefit(world, "a-1")
    void_first_benefit(world, "a-2")
    export = exported(world, CAMPAIGN)
    found = {
        (one["account"], one["part"]): (one["amount"], one["voided"], one["status"]) for one in rows(world, export)
    }
    (in_part, claimed) = found["a-1", "decided"], found["a-1", "to_claim"]
    assert in_part[1:] == (in_part[0], "granted")
    assert claimed[1:] == ("", "granted")
    whole = found["a-2", "decided"]
    assert whole[1:] == (whole[0], "voided")
    assert found["a-2", "to_claim"][1] == ""
    voided = sum(parse_minor(one[1], 2) for one in (in_part, whole))
    assert export.figures.sums[SumKey("voided", "EUR")] == voided > 0
    assert by_rows(world) == export.figures
    assert list(differences(expected(world.campaign(CAMPAIGN), Of.LEDGER), export.figures)) == []


def test_an_offer_that_can_no_longer_be_accepted_says_so() -> None:
    world = decided(OFFER, "offer")
    assert {one["status"] for one in rows(world, exported(world, CAMPAIGN, "open"))} == {"offered"}
    world.now += timedelta(days=30)
    assert {one["status"] for one in rows(world, exported(world, CAMPAIGN, "over"))} == {"offer_ended"}


def test_a_later_campaign_shows_what_it_leaves_as_it_is() -> None:
    world = executed()
    world.publish(event(rows=ROWS, revision=2))
    world.run_until_quiet()
    assert world.campaign(f"{INCIDENT_ID}/2").state is State.CLOSED
    export = exported(world, f"{INCIDENT_ID}/2")
    assert "unchanged" in {one["result"] for one in rows(world, export)}
    assert list(differences(expected(world.campaign(f"{INCIDENT_ID}/2"), Of.LEDGER), export.figures)) == []


@pytest.mark.parametrize("history", accepted_offer.HISTORIES)
def test_an_offer_accepted_while_the_plan_waits_changes_no_row_of_the_plan_and_is_a_held_row_of_the_ledger(
    history: str,
) -> None:
    world, second = accepted_offer.waiting(history=history), str(accepted_offer.SECOND)
    before = list(rows(world, exported(world, second, "before")))
    accepted_offer.accept(world)
    after = exported(world, second, "after")
    assert (after.failed, list(rows(world, after))) == ("", before)
    for person in (ANNA, BEN):
        world.approve(accepted_offer.SECOND, person)
    world.run_until_quiet()
    export = exported(world, second, "executed")
    assert list(differences(expected(world.campaign(second), Of.LEDGER), export.figures)) == []
    shown = [(one["account"], one["result"], one["reason"]) for one in rows(world, export)]
    assert ("taker", "held", "changed_since_plan") in shown


FACTS = st.tuples(
    st.integers(0, 9),
    st.sampled_from(["consumer", "business", "prepaid", "", "gold"]),
    st.sampled_from(["yes", "no", "", "perhaps"]),
    st.sampled_from(["29.90", "0.01", "", "x", "1000.00", "0.00"]),
)


@pytest.mark.property
@settings(max_examples=50)
@given(st.lists(FACTS, min_size=1, max_size=25), st.integers(256, 4_000), st.integers(1, 7))
def test_the_sums_of_an_export_are_those_of_the_plan_and_then_those_of_the_ledger(
    listed: list[tuple[int, str, str, str]], chunk_bytes: int, stretch: int
) -> None:
    content = list_of([row("decided"), *(row(f"a-{number}", *facts) for number, *facts in listed)])
    in_all = len(listed) + 1
    with pytest.MonkeyPatch.context() as patch:
        small_stretches(patch, stretch)
        world = small_world(content, chunk_bytes=chunk_bytes, **NOBODY_APPROVES)
        world.publish(event(rows=in_all))
        world.run_until_quiet()
        plan = exported(world, CAMPAIGN, "plan")
        assert by_rows(world, export_id="plan") == plan.figures
        totals = world.campaign(CAMPAIGN).plan.totals
        assert {(RowResult(key.of), key.measure): size for key, size in plan.figures.sums.items()} == totals.worth()
        assert sum(plan.figures.lines.values()) == in_all
        world.approvers = ("iam:arn:aws:iam::123456789012:user/a", "iam:arn:aws:iam::123456789012:user/b")
        world.run_until_quiet()
        assert world.campaign(CAMPAIGN).state is State.CLOSED
        ledger = exported(world, CAMPAIGN, "ledger")
    assert by_rows(world, export_id="ledger") == ledger.figures
    assert list(differences(expected(world.campaign(CAMPAIGN), Of.LEDGER), ledger.figures)) == []
    stands: Counter[str] = Counter()
    for entry in world.ledger.all_entries():
        stands.update(worth_by_measure(read_decision(entry.body)))
    assert {key.measure: size for key, size in ledger.figures.sums.items()} == stands


# What is not as it must be


def test_a_ledger_that_lost_a_decision_is_noticed() -> None:
    world = executed()
    lost = next(one for one in world.ledger.all_entries() if one.status is Outcome.GRANTED)
    world.ledger.forget(lost.key)
    found = list(differences(expected(world.campaign(CAMPAIGN), Of.LEDGER), exported(world, CAMPAIGN).figures))
    assert {one.what for one in found} >= {"lines missing", "EUR granted", "call_minute granted"}


def test_a_plan_that_would_be_decided_otherwise_today_has_no_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    world = planned()
    filed = world.campaigns.receipts

    def altered(*arguments: Any, **named: Any) -> Any:
        for receipt in filed(*arguments, **named):
            other = tuple(one._replace(digest=b"another decision") for one in receipt.stretches)
            object.__setattr__(receipt, "stretches", other)
            yield receipt

    monkeypatch.setattr(world.campaigns, "receipts", altered)
    export = exported(world, CAMPAIGN)
    assert export.failed.startswith("decided_otherwise: bytes ")
    assert parts(world, export) == []


def test_a_list_that_was_deleted_ends_the_export() -> None:
    world = executed()
    world.lists.delete_version(LIST_KEY, world.campaign(CAMPAIGN).pinned.version_id)
    assert exported(world, CAMPAIGN).failed.startswith("list_version_gone: ")


def test_a_plan_of_another_engine_is_refused_and_a_ledger_of_another_engine_is_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits, closed = planned(), executed()
    monkeypatch.setattr("kulanz.domain.campaigns.campaign.ENGINE_VERSION", "99")
    with pytest.raises(ExportRefused, match="replan it") as refusal:
        ask(waits, CAMPAIGN)
    assert refusal.value.reason == "engine_changed"
    export = exported(closed, CAMPAIGN)
    assert list(differences(expected(closed.campaign(CAMPAIGN), Of.LEDGER), export.figures)) == []


def test_an_engine_that_changes_while_a_plan_is_exported_ends_the_export(monkeypatch: pytest.MonkeyPatch) -> None:
    world = planned()
    ask(world, CAMPAIGN)
    monkeypatch.setattr("kulanz.domain.campaigns.campaign.ENGINE_VERSION", "99")
    work_all(world)
    export = world.exports.export(ID, EXPORT)
    assert export is not None
    assert export.failed.startswith("engine_changed: ")


# When


def applying(rows_in_all: int = 400, **settings: Any) -> World:
    """A world that has written some of its decisions."""
    content = list_of([row(f"a-{number}") for number in range(rows_in_all)])
    world = small_world(content, units_per_second=20.0, chunk_bytes=20_000, **settings)
    world.publish(event(rows=rows_in_all))
    while not world.ledger.inserted:
        world.run(world.steps()[0])
    assert world.campaign(CAMPAIGN).state is State.APPLYING
    return world


def test_nothing_is_exported_while_it_changes() -> None:
    early = small_world()
    early.publish(event(rows=ROWS))
    early.run(early.steps()[0])
    with pytest.raises(ExportRefused, match="not complete"):
        ask(early, CAMPAIGN)
    world = applying()
    with pytest.raises(ExportRefused, match="is applying") as refusal:
        ask(world, CAMPAIGN)
    assert refusal.value.reason == "executing"
    control = ControlPorts(world.campaigns, world.chunks, world.stores)
    pause(ID, control, "why", CAUSE, world.now)
    with pytest.raises(ExportRefused, match="is paused"):
        ask(world, CAMPAIGN)
    cancel(ID, control, "why", CAUSE, world.now)
    with pytest.raises(ExportRefused, match="may write until"):
        ask(world, CAMPAIGN)
    world.now += WORKER_LONGEST + CLOCK_ALLOWANCE
    assert ask(world, CAMPAIGN).of is Of.LEDGER


def test_a_campaign_that_was_cancelled_midway_shows_what_was_written_and_what_was_not() -> None:
    world = applying()
    cancel(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "why", CAUSE, world.now)
    world.run_until_quiet()
    world.now += WORKER_LONGEST + CLOCK_ALLOWANCE
    export = exported(world, CAMPAIGN)
    campaign = world.campaign(CAMPAIGN)
    assert list(differences(expected(campaign, Of.LEDGER), export.figures)) == []
    counts = {key.result: lines for key, lines in export.figures.lines.items()}
    assert counts["granted"] == len(world.ledger.all_entries())
    assert counts["not_written"] == 400 - counts["granted"]
    assert by_rows(world) == export.figures


def test_what_was_written_without_a_receipt_is_shown_apart() -> None:
    """A worker died between its writes and its receipt, and then the campaign was cancelled."""
    content = list_of([row(f"a-{number}") for number in range(12)])
    world = small_world(content)
    world.publish(event(rows=12))
    while world.campaigns.campaign(ID) is None or world.campaign(CAMPAIGN).state is not State.APPLYING:
        world.run(world.steps()[0])
    world.tap.choose = lambda _, name: Fault.KILLED_BEFORE if name == "campaigns.record_receipt" else None
    while not world.ledger.inserted:
        world.run(next(step for step in world.steps() if step.function in (Function.ADVANCE, Function.GRANT)))
    world.tap.choose = no_faults
    cancel(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "why", CAUSE, world.now)
    world.run_until_quiet()
    world.now += WORKER_LONGEST + CLOCK_ALLOWANCE
    export = exported(world, CAMPAIGN)
    figures = export.figures
    assert figures.lines[LineKey("granted", "credit", Written.UNCOUNTED)] == len(world.ledger.all_entries()) > 0
    assert figures.sums[SumKey("uncounted", "EUR")] == 299 * len(world.ledger.all_entries())
    assert list(differences(expected(world.campaign(CAMPAIGN), Of.LEDGER), figures)) == []


# Workers


def test_an_export_never_has_more_messages_than_lanes() -> None:
    content = list_of([row(f"a-{number}") for number in range(200)])
    world = small_world(content, chunk_bytes=4_000, **NOBODY_APPROVES)
    world.publish(event(rows=200))
    world.run_until_quiet()
    assert len(world.campaign(CAMPAIGN).chunks) > 3 * LANES
    ask(world, CAMPAIGN)
    while world.export_queue.sent:
        assert len(world.export_queue.sent) <= LANES
        work(world, world.export_queue.sent.pop(0))
    export = world.exports.export(ID, EXPORT)
    assert export is not None
    assert export.bytes_done == world.campaign(CAMPAIGN).chunks.total_bytes


def test_a_message_that_comes_again_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    small_stretches(monkeypatch)
    world = executed()
    ask(world, CAMPAIGN)
    messages = list(world.export_queue.sent)
    work_all(world)
    before, documents = world.exports.export(ID, EXPORT), dict(world.archive.documents)
    for message in [*messages, *messages]:
        assert work(world, message).parts == 0
    work_all(world)
    assert (world.exports.export(ID, EXPORT), world.archive.documents) == (before, documents)


@pytest.mark.parametrize("make", [planned, executed])
@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.REPLY_LOST])
def test_a_worker_may_die_at_every_call_that_it_makes(make: Any, fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message comes again, and the export is the one that it would have been."""
    small_stretches(monkeypatch, 12)
    world = make()
    wanted = exported(world, CAMPAIGN, "wanted")
    number = 0
    while True:
        ask(world, CAMPAIGN, f"e-{number}")
        died = _worked_with_a_death(world, number, fault)
        export = world.exports.export(ID, f"e-{number}")
        assert export is not None
        assert (export.figures, export.bytes_done) == (wanted.figures, wanted.bytes_done)
        assert [one.sha256 for one in parts(world, export)] == [one.sha256 for one in parts(world, wanted)]
        if not died:
            break
        number += 1
    assert number > 10, "there are calls to die at"


def test_a_worker_without_time_hands_on_what_is_left() -> None:
    content = list_of([row(f"a-{number}") for number in range(60)])
    with pytest.MonkeyPatch.context() as patch:
        small_stretches(patch, 5)
        world = small_world(content, chunk_bytes=500_000, **NOBODY_APPROVES)
        world.publish(event(rows=60))
        world.run_until_quiet()
    ask(world, CAMPAIGN)
    world.seconds_per_look = 30.0
    lives = 0
    while world.export_queue.sent:
        work(world, world.export_queue.sent.pop(0))
        lives += 1
    export = world.exports.export(ID, EXPORT)
    assert export is not None
    assert lives > 3
    assert export.bytes_done == world.campaign(CAMPAIGN).chunks.total_bytes
    assert by_rows(world) == export.figures


@pytest.mark.parametrize(
    "message",
    [ExportMessage(ID, "of-nobody", 0), ExportMessage(ID, EXPORT, 99), ExportMessage(CampaignId("x", 1), EXPORT, 0)],
)
def test_a_message_about_nothing_does_nothing(message: ExportMessage) -> None:
    world = executed()
    ask(world, CAMPAIGN)
    world.export_queue.sent.clear()
    assert work(world, message) == PartsWritten()
    assert world.export_queue.sent == []


def test_a_stretch_is_a_part_of_some_megabytes_at_most() -> None:
    """One part is held in memory: at most so many lines, each with few rows of text."""
    assert stretches_module.STRETCH_ROWS <= 10_000
    assert LINE_BYTES < stretches_module.STRETCH_BYTES


def _worked_with_a_death(world: World, number: int, fault: Fault) -> bool:
    """Work an export to its end; the worker's `number`-th call dies. False where there are not so many."""
    tap, died = Tap(fault_at(number, fault)), False
    while world.export_queue.sent:
        message = world.export_queue.sent.pop(0)
        try:
            work(world, message, tap)
        except (Killed, TryAgain):
            died = True
            tap.choose = no_faults
            world.export_queue.sent.append(message)
    return died
