"""An export has a row for each benefit of each line, and its rows come to the plan's figures, or to the ledger's."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.application.delivery.world import EntriesChange
from kulanz.application.exports.ask_export import ExportRefused
from kulanz.application.ledger.accept_offer import AcceptPorts, accept_offer
from kulanz.domain.campaigns.campaign import CampaignId, Cause, State
from kulanz.domain.campaigns.reconciliation import RowResult, worth_by_measure
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.exports.figures import Of, SumKey, Written, differences, expected
from kulanz.domain.exports.rows import COLUMNS, Found, Instants, begins_at
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.money import parse_minor
from tests.support import accepted_offer
from tests.support.exporting import (
    EXPORT,
    NOBODY_APPROVES,
    ask,
    by_rows,
    executed,
    exported,
    parts,
    planned,
    rows,
    small_stretches,
    work_all,
)
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
from tests.support.world import ANNA, BEN, World

ID = CampaignId.parse(CAMPAIGN)
CAUSE = Cause("a person", "a command", "1")


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
    accept_offer(
        account,
        INCIDENT_ID,
        AcceptPorts(world.ledger, world.stores, world.campaigns, world.offers),
        "support",
        world.now,
    )


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


@pytest.mark.parametrize(
    ("outcome", "part", "is_accepted", "begins"),
    [
        (Outcome.GRANTED, "decided", False, "granted"),
        (Outcome.GRANTED, "decided", True, "granted"),
        (Outcome.GRANTED, "to_claim", False, None),
        (Outcome.GRANTED, "to_claim", True, "accepted"),
        (Outcome.OFFERED, "decided", False, None),
        (Outcome.OFFERED, "decided", True, "accepted"),
        (Outcome.HELD, "by_hand", True, "accepted"),
    ],
)
def test_what_is_granted_by_itself_begins_then_and_what_is_accepted_at_its_acceptance(
    outcome: Outcome, part: str, is_accepted: bool, begins: str | None
) -> None:
    instants = {"granted": datetime(2026, 3, 1, tzinfo=UTC), "accepted": datetime(2026, 3, 4, tzinfo=UTC)}
    given = Instants(instants["granted"], instants["accepted"] if is_accepted else None)
    found = Found(outcome.value, "credit", Written.YES, Decision(outcome, "credit"), "", given)
    assert begins_at(found, part) == (None if begins is None else instants[begins])
