"""An export shows what a person granted by hand, and the law counts it from counters and from entries alike."""

from kulanz.domain.exports.figures import Of, SumKey, differences, expected
from tests.support.by_hand import decide, door_of
from tests.support.exporting import by_rows, exported, rows
from tests.support.small_campaign import CAMPAIGN
from tests.support.world import ANNA, BEN
from tests.support.world_voids import approved, asked, run_voids
from tests.unit.application.cases.test_conflicts_and_rejected import at
from tests.unit.application.cases.test_conflicts_and_rejected import closed as with_rejected
from tests.unit.application.cases.test_waiting import closed

NONE: dict[str, str] = {}
"""No fact is stated for a row."""


def test_what_was_granted_by_hand_is_a_row_of_its_own_beside_the_sums_of_the_reconciliation() -> None:
    world = closed()
    door = door_of(world)
    decide(door, "held-2", facts={"fee": "30.00"})
    decide(door, "held-1", name="d-2", way="decline")
    export = exported(world, CAMPAIGN)
    found = [one for one in rows(world, export) if one["account"] in ("held-1", "held-2")]
    money = next(one for one in found if one["currency"] == "EUR")
    assert (money["account"], money["result"], money["part"], money["amount"], money["status"]) == (
        "held-2", "held", "by_hand", "3.00", "granted",
    )  # fmt: skip
    assert money["accepted_at"]
    assert [(one["status"], one["amount"]) for one in found if one["account"] == "held-1"] == [("declined", "")]
    assert export.figures.sums[SumKey("accepted", "EUR")] == 300
    assert by_rows(world) == export.figures
    assert list(differences(expected(world.campaign(CAMPAIGN), Of.LEDGER), export.figures)) == []


def test_what_was_taken_back_of_it_is_shown() -> None:
    world = closed()
    decide(door_of(world), "held-2", facts={"fee": "30.00"})
    void = asked(world, ANNA)
    run_voids(world)
    approved(world, void, BEN)
    run_voids(world)
    found = [one for one in rows(world, exported(world, CAMPAIGN)) if one["account"] == "held-2"]
    assert {(one["amount"], one["voided"], one["status"]) for one in found} == {
        ("3.00", "3.00", "voided"), ("20", "20", "voided"),
    }  # fmt: skip


def test_every_recognised_row_is_exported_with_what_was_granted_for_it_the_last_one_too() -> None:
    world = with_rejected()
    door = door_of(world)
    recognised = (
        ("wrong fact", "bad-fee", {"fee": "29.90"}),
        ("wrong account", "b-d", NONE),
        ("no account", "c-e", NONE),
    )
    for name, account, facts in recognised:
        reply = decide(door, account, name=f"d-{account}", row=at(name), facts=facts)
        assert reply.status == 200, reply.content
    found = [one for one in rows(world, exported(world, CAMPAIGN)) if one["result"] == "rejected"]
    assert {(one["account"], one["written"], one["status"]) for one in found} == {
        (account, "yes", "granted") for _, account, _ in recognised
    }
    assert len({one["line"] for one in found}) == len(recognised)
