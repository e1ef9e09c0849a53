"""A void of what was overpaid comes to the same in however many attempts its lines are worked."""

import pytest

from kulanz.application.delivery.void_writes import VoidWriter
from kulanz.domain.delivery.void import Share, VoidState
from tests.support.small_campaign import row
from tests.unit.application.delivery.test_voiding_overpaid import first, law_holds, net, then, voided

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
