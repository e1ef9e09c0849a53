"""A void of what was overpaid comes to the same in however many attempts, and goes by the row that was decided by."""

from collections.abc import Sequence
from typing import Any

import pytest

from kulanz.application.delivery import void_chunk, void_overpaid
from kulanz.application.delivery.void_writes import VoidWriter
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.void import Share, VoidState
from tests.support import world_voids
from tests.support.exporting import small_stretches
from tests.support.small_campaign import INCIDENT_ID, event, row, sealed_policy
from tests.support.voiding import stands
from tests.support.world import BEN, World
from tests.support.world_steps import Function, Step
from tests.support.world_voids import approved, run_voids
from tests.unit.application.delivery.test_voiding_overpaid import (
    SECOND,
    Choose,
    first,
    law_holds,
    net,
    of_overpaid,
    then,
    voided,
    write,
)

ACCOUNTS = ("a-1", "a-2", "a-3", "a-4", "a-5")


@pytest.mark.parametrize("per_attempt", [1, 2, 5])
def test_an_attempt_that_ends_within_a_stretch_goes_on_behind_the_lines_that_are_done(
    monkeypatch: pytest.MonkeyPatch, per_attempt: int
) -> None:
    world = first(*(row(account, fee="50.00") for account in ACCOUNTS))
    then(world, *(row(account, fee="20.00") for account in ACCOUNTS))
    owed = net(world, "a-1")["EUR"] - 300
    monkeypatch.setattr(VoidWriter, "per_wave", property(lambda _: per_attempt))
    monkeypatch.setattr("kulanz.application.delivery.void_chunk.RECEIPTS_PER_MESSAGE", 3)
    monkeypatch.setattr("tests.support.world_voids.STEPS_MOST", 40)
    monkeypatch.setattr(VoidWriter, "must_end", lambda _: True)
    void = voided(world)
    for progress, share in ((void.plan, Share.VOIDABLE), (void.apply, Share.VOIDED)):
        found = progress.totals
        assert (found.lines, found.unmatched, found.decisions) == (len(ACCOUNTS), 0, len(ACCOUNTS))
        assert found.by_measure(share) == {"EUR": 300 * len(ACCOUNTS)}
    assert void.state is VoidState.VOIDED
    assert [net(world, account)["EUR"] for account in ACCOUNTS] == [owed] * len(ACCOUNTS)
    law_holds(world, 2)


def last_chunk_first(steps: Sequence[Step]) -> Step:
    return next((one for one in reversed(steps) if one.function is Function.GRANT), steps[0])


@pytest.mark.parametrize(
    ("choose", "voidable", "left"),
    [(lambda steps: steps[0], 500 - 200, 200), (last_chunk_first, 500 - 100, 100)],
    ids=["the first", "the last"],
)
def test_of_contradicting_rows_the_one_that_the_campaign_decided_by_takes_back(
    choose: Choose, voidable: int, left: int
) -> None:
    """The minutes were voided, so that they are owed again: the campaign decided about the account by the row that was
    worked first, wherever in the list that is.
    """
    world = first(row("a-1", fee="50.00"), chunk_bytes=1_800)
    write(world, "a-1", CreditEntry(EntryKind.VOIDED, world.now, "test", "void/1/minutes", (1,)))
    then(world, row("a-1", fee="20.00"), row("a-1", fee="10.00"), choose=choose)
    assert len(world.campaign(SECOND).chunks) > 1
    assert {one.key.seq for one in world.ledger.of_account("a-1")} == {1, 2}
    void = voided(world)
    totals = void.plan.totals
    assert (totals.by_measure(Share.VOIDABLE), totals.unmatched) == ({"EUR": voidable}, 1)
    assert net(world, "a-1") == {"EUR": left, "call_minute": 20}


def test_a_subject_with_many_decisions_is_done_in_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """One decision of a subject is reduced at a time: beside the rounds against others each has one of its own."""
    world = first(row("a-1", fee="20.00"))
    for fee in ("50.00", "70.00", "10.00"):
        then(world, row("a-1", fee=fee))
    monkeypatch.setattr(void_overpaid, "ROUNDS_MOST", 1)
    work, ended = void_chunk.void_chunk, list[bool]()

    def worked(*asked: Any) -> Any:
        ended.append(False)
        done = work(*asked)
        ended[-1] = True
        return done

    monkeypatch.setattr(world_voids, "void_chunk", worked)
    void = voided(world, f"{INCIDENT_ID}/4")
    assert void.apply.totals.by_measure(Share.VOIDED) == {"EUR": 200 + 300 + 100}
    assert net(world, "a-1")["EUR"] == 100
    assert ended == [True, True], "the plan, and what it planned"


BY_LINE = """
kulanz: 1
id: by-line
version: 1
title: Half the fee of each line
currency: EUR
subject: line
facts:
  fee: money
pay: 50% of fee
"""


@pytest.mark.parametrize(
    ("lines", "waves"), [(("l-1", "l-2", "l-3"), 1), (("l-1", "l-2", "l-1"), 2), (("l-1", "l-1", "l-1"), 3)]
)
def test_the_lines_of_an_account_are_worked_together_and_those_of_one_subject_one_after_the_other(
    lines: Sequence[str], waves: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World()
    world.policies.publish("by-line", 1, sealed_policy(BY_LINE))
    for revision, fee in ((1, "50.00"), (2, "20.00")):
        content = "".join(f"a-1,{line},{fee}\n" for line in lines)
        world.lists.upload(f"lists/{revision}.csv", f"account_id,line,fee\n{content}".encode())
        world.publish(event(key=f"lists/{revision}.csv", rows=len(lines), policy="by-line", revision=revision))
        world.run_until_quiet()
    monkeypatch.setattr(VoidWriter, "must_end", lambda _: True)
    work, ended = void_chunk.void_chunk, list[Any]()

    def worked(*asked: Any) -> None:
        ended.append(work(*asked))

    monkeypatch.setattr(world_voids, "void_chunk", worked)
    void = voided(world)
    assert void.apply.totals.by_measure(Share.VOIDED) == {"EUR": 1_500 * len(set(lines))}
    assert [(done.work, done.receipts) for done in ended] == [(Pass.PLAN, waves), (Pass.APPLY, waves)]


def test_a_begun_void_whose_lines_cannot_be_decided_as_planned_is_flagged_by_receipts_of_every_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It took nothing, and says so; never that lines are missing, after which its worker would be looked for."""
    small_stretches(monkeypatch, 2)
    world = first(*(row(account, fee="50.00") for account in ACCOUNTS))
    then(world, *(row(account, fee="20.00") for account in ACCOUNTS))
    had = [net(world, account) for account in ACCOUNTS]
    void = of_overpaid(world)
    approved(world, void, BEN)
    world.archive.documents.clear()
    run_voids(world)
    chunks = world.campaign(SECOND).chunks
    (receipt,) = world.voids.receipts(void.id, Pass.APPLY)
    assert (receipt.start, receipt.end, receipt.finishes_chunk) == (chunks.data_start, chunks.size, True)
    found = stands(world, void)
    assert (found.state, found.state_reason) == (VoidState.FLAGGED, "void differs: lines: planned 5, found 0")
    assert [net(world, account) for account in ACCOUNTS] == had
