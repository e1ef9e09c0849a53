"""An export says where all that its rows grant is, and whom a person gave it: its sums are those of the counters."""

from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from kulanz.application.delivery.world import EntriesChange
from kulanz.application.exports import write_parts as parts_module
from kulanz.application.exports.ask_export import compared_law
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.law import LAW, Shares
from kulanz.domain.exports.export import Export
from kulanz.domain.exports.figures import Difference, Of, differences, expected, law_differences, law_of_figures
from kulanz.domain.ledger.entries import DecisionKey, granted_benefits
from kulanz.domain.time import MICROSECOND
from tests.fake_biller.biller import Biller
from tests.support.by_hand import decide, door_of
from tests.support.exporting import by_rows, exported, parts, rows
from tests.support.handed import MONTH, give, opened
from tests.support.handed import decide as second
from tests.support.road import Road
from tests.support.small_campaign import CAMPAIGN
from tests.support.voiding import closed as closed_campaign
from tests.support.world import ANNA, BEN, World
from tests.support.world_deliveries import KeptBack
from tests.support.world_door import ANNA as SUPPORT
from tests.support.world_door import BERT
from tests.support.world_stack import WorldStack, run
from tests.support.world_voids import approved, asked, run_voids
from tests.unit.application.cases.test_conflicts_and_rejected import at, closed
from tests.unit.cli.test_export import stack_of

ID = CampaignId.parse(CAMPAIGN)


def wrong(world: World, export: Export, campaign: str = CAMPAIGN) -> list[Difference]:
    """Where an export differs from receipts and, as a void or answer may have come since, from counters."""
    of = world.campaign(campaign)
    found = [*differences(expected(of, Of.LEDGER), export.figures)]
    return [*found, *law_differences(export.figures, compared_law(of, export, KeptBack(world)))]


def must_be_compared(world: World, export: Export, campaign: str = CAMPAIGN) -> None:
    assert compared_law(world.campaign(campaign), export, KeptBack(world)) is not None
    assert wrong(world, export, campaign) == []
    assert by_rows(world, campaign, export.id) == export.figures


def test_each_row_that_is_granted_is_used_expired_voided_written_off_or_open() -> None:
    world = closed_campaign()
    void = asked(world, ANNA)
    run_voids(world)
    before = exported(world, CAMPAIGN, "before")
    must_be_compared(world, before)
    approved(world, void, BEN)
    run_voids(world)
    world.now += timedelta(days=30)
    export = exported(world, CAMPAIGN, "after")
    must_be_compared(world, export)
    for found, share in ((before, "open"), (export, "voided")):
        for one in rows(world, found):
            sizes = {name: one[name] for name in LAW if one[name]}
            is_granted = one["status"] in ("granted", "voided") and one["part"] == "decided"
            assert sizes == ({share: one["amount"]} if is_granted else {}), one


def test_what_has_ended_by_the_clock_of_the_export_has_expired() -> None:
    world = closed_campaign()
    world.now += timedelta(days=30)
    export = exported(world, CAMPAIGN)
    must_be_compared(world, export)
    law = law_of_figures(export.figures)
    assert law["call_minute"] == Shares(expired=law["call_minute"].granted)
    assert law["EUR"] == Shares(open=law["EUR"].granted)


@pytest.mark.parametrize("beside_the_end", [-MICROSECOND, timedelta(days=1)])
def test_counters_are_compared_as_of_the_instant_at_which_an_export_was_asked_for(beside_the_end: timedelta) -> None:
    """Minutes that end a moment later, and before the export is deleted, are open in it."""
    world = closed_campaign()
    given = [(one, benefit) for one in world.ledger.all_entries() for benefit in granted_benefits(one)]
    ends = (benefit.validity.expires_at(one.effective_at) for one, benefit in given)
    world.now = min(end for end in ends if end is not None) + beside_the_end
    export = exported(world, CAMPAIGN)
    must_be_compared(world, export)
    law = law_of_figures(export.figures)["call_minute"]
    assert (law.open > 0, law.expired > 0) == (beside_the_end < timedelta(0), beside_the_end > timedelta(0))


def test_what_is_on_bills_and_what_was_given_up_is_said_of_each_row() -> None:
    with closing(Biller(":memory:")) as biller:
        road = Road(biller)
        for step in ("deliver", "answer", "cycle", "write_off", "void idle"):
            road.step(step)
        world = road.world
        export = exported(world, CAMPAIGN)
        counted = compared_law(world.campaign(CAMPAIGN), export, road.door)
        assert counted is None or [*law_differences(export.figures, counted)] == []
        money = {one["account"]: one for one in rows(world, export) if one["currency"] == "EUR"}
        assert {name: money["booked"][name] for name in LAW if money["booked"][name]} == {
            "used": money["booked"]["amount"]
        }
        assert money["rejected"]["written_off"] == money["rejected"]["amount"]
        assert by_rows(world) == export.figures


@pytest.mark.parametrize("kind", [EntryKind.VOIDED, EntryKind.WRITTEN_OFF])
def test_an_entry_that_no_counter_knows_is_a_difference(kind: EntryKind) -> None:
    world = closed_campaign()
    (entry, *_) = [one for one in world.ledger.all_entries() if one.status == "granted"]
    hidden = CreditEntry(kind, world.now, "x", "by-hand", (0,))
    assert world.credits.write_entries([EntriesChange(entry.key, (), (hidden,))]) == [True]
    assert {one.what for one in wrong(world, exported(world, CAMPAIGN))} == {
        f"EUR {kind.value.replace('_', ' ')}", "EUR expired or open",
    }  # fmt: skip


def test_nothing_is_compared_with_counters_that_moved_since_the_export_was_begun() -> None:
    world = closed_campaign()
    export = exported(world, CAMPAIGN)
    void = asked(world, ANNA)
    run_voids(world)
    approved(world, void, BEN)
    assert compared_law(world.campaign(CAMPAIGN), export, KeptBack(world)) is None, "a void runs"
    run_voids(world)
    assert compared_law(world.campaign(CAMPAIGN), export, KeptBack(world)) is None, "it has moved them"
    assert compared_law(world.campaign(CAMPAIGN), replace(export, counters=""), KeptBack(world)) is None
    assert wrong(world, export) == [], "the rows say what stood when they were read"


def test_a_sum_that_the_shares_do_not_come_to_is_a_difference_also_without_counters() -> None:
    export = exported(closed_campaign(), CAMPAIGN)
    for key in export.figures.sums:
        if key.of == "open":
            export.figures.sums[key] -= 1
    assert [one.what.partition(" ")[0] for one in law_differences(export.figures, None)] == ["EUR", "call_minute"]


# What persons decided


def test_a_rejected_row_that_a_person_granted_says_what_was_granted_and_by_which_role() -> None:
    world = closed()
    decide(door_of(world), "bad-fee", row=at("wrong fact"), facts={"fee": "29.90"})
    export = exported(world, CAMPAIGN)
    must_be_compared(world, export)
    found = [one for one in rows(world, export) if one["account"] == "bad-fee"]
    shown = [(one["result"], one["part"], one["amount"], one["open"], one["status"]) for one in found]
    assert shown == [
        ("rejected", "by_hand", "2.99", "2.99", "granted"), ("rejected", "by_hand", "20", "20", "granted"),
    ]  # fmt: skip
    assert {(one["reason"], one["written"], one["decided_by"], one["decided_for"]) for one in found} == {
        ("fact_invalid", "yes", "support", "known_fact")
    }
    assert {one["line"] for one in found} == {5}
    unread = [one for one in rows(world, export) if one["result"] == "rejected" and not one["account"]]
    assert {(one["decided_by"], one["status"], one["amount"]) for one in unread} == {("", "", "")}
    assert len(unread) == 2


def test_a_month_of_goodwill_has_a_row_for_all_that_was_given_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "ADDED_PER_PART", 2)
    door = opened()
    for number in range(5):
        give(door, f"T-{number}", f"A-{number}", amount="10.00")
        door.world.now += timedelta(seconds=1)
    give(door, "T-5", "A-5", amount="90.00")
    second(door, "T-5", BERT)
    give(door, "G-1", "A-1", amount="2", measure="GB")
    give(door, "W-1", "A-9", amount="90.00")
    export = exported(door.world, str(MONTH))
    must_be_compared(door.world, export, str(MONTH))
    assert len(parts(door.world, export)) == 3, "several parts of what was given"
    found = {one["subject"]: one for one in rows(door.world, export)}
    assert sorted(found) == ["G-1", *(f"T-{number}" for number in range(6))], "what waits was not given"
    one = found["T-5"]
    assert (one["result"], one["reason"], one["part"], one["written"], one["status"]) == (
        "goodwill", "long_wait", "by_hand", "yes", "granted",
    )  # fmt: skip
    assert (one["line"], one["account"], one["amount"], one["open"]) == (None, "A-5", "90.00", "90.00")
    assert (one["decided_by"], one["decided_for"]) == ("support, and a second person", "long_wait")
    assert (found["G-1"]["decided_by"], found["G-1"]["unit"]) == ("support", "GB")
    assert one["accepted_at"]
    assert law_of_figures(export.figures) == {"EUR": Shares(open=14_000), "GB": Shares(open=Decimal(2))}
    assert not any(SUPPORT.id in str(one) or BERT.id in str(one) for one in found.values()), "a role, and no person"


def test_what_is_given_after_an_export_was_begun_is_in_the_next_one() -> None:
    door = opened()
    give(door, "T-1", "A-1")
    first = exported(door.world, str(MONTH), "first")
    door.world.now += timedelta(seconds=1)
    give(door, "T-2", "A-2")
    assert exported(door.world, str(MONTH), "first") == first
    assert compared_law(door.world.campaign(str(MONTH)), first, KeptBack(door.world)) is None
    later = exported(door.world, str(MONTH), "later")
    assert [one["subject"] for one in rows(door.world, later)] == ["T-1", "T-2"]
    must_be_compared(door.world, later, str(MONTH))


def test_what_was_given_a_moment_before_its_months_campaign_was_opened_is_exported() -> None:
    """Two persons give first at once: the later request opens the campaign, and the earlier one gives in it."""
    door = opened()
    door.world.now += timedelta(seconds=1)
    give(door, "T-2", "A-2")
    door.world.now -= timedelta(seconds=1)
    give(door, "T-1", "A-1")
    door.world.now += timedelta(seconds=1)
    export = exported(door.world, str(MONTH))
    assert [one["subject"] for one in rows(door.world, export)] == ["T-1", "T-2"]
    must_be_compared(door.world, export, str(MONTH))


def test_goodwill_that_was_lost_from_the_ledger_is_a_difference() -> None:
    door = opened()
    give(door, "T-1", "A-1")
    door.ledger.forget(DecisionKey("A-1", MONTH.incident_id, "T-1", 1))
    assert [one.what for one in wrong(door.world, exported(door.world, str(MONTH)), str(MONTH))] == [
        "EUR expired or open"
    ]


# What the command prints


def test_the_command_prints_the_law_and_that_the_counters_say_the_same(tmp_path: Path) -> None:
    stack = stack_of(closed_campaign())
    out = exported_by(stack, CAMPAIGN, tmp_path)
    assert " EUR: granted " in f" {out}"
    assert "as the reconciliation says" in out


def test_the_command_exports_goodwill(tmp_path: Path) -> None:
    door = opened()
    give(door, "T-1", "A-1")
    stack = stack_of(door.world)
    out = exported_by(stack, str(MONTH), tmp_path)
    assert f"{MONTH}: 1 row of 1 line" in out
    assert "EUR: granted 20.00 = 20.00 open" in out
    assert "as the reconciliation says" in out


def exported_by(stack: WorldStack, campaign: str, folder: Path) -> str:
    """What `kulanz export` prints."""
    done = run(stack, "export", campaign, "--to", str(folder / "rows.csv"))
    assert done.exit_code == 0, done.output
    return " ".join(done.stdout.split())
