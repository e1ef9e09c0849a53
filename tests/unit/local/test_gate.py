"""The demo's gate says what differs: nothing begins with the first yes, and the second begins it."""

from itertools import product
from typing import Any, cast

import pytest

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz_local.gate import Desk, GateDiffers, approved_by_both

CAMPAIGN = CampaignId("in-7", 3)
WAITS, RUNS = State.AWAITING_APPROVAL, State.APPLYING


class _Desk:
    def __init__(self, comes_to: State) -> None:
        self._comes_to = comes_to

    def approve(self, _: CampaignId) -> State:
        return self._comes_to


@pytest.mark.parametrize(("first", "between", "second"), list(product(State, (WAITS, RUNS), State)))
def test_only_a_plan_that_waits_for_a_second_yes_and_is_executed_then_is_as_it_should_be(
    first: State, between: State, second: State
) -> None:
    persons = cast("tuple[Desk, Desk]", cast("Any", (_Desk(first), _Desk(second))))
    if (first, between, second) == (WAITS, WAITS, RUNS):
        approved_by_both(persons, CAMPAIGN, lambda: between)
        return
    with pytest.raises(GateDiffers, match=r"^in-7/3 is "):
        approved_by_both(persons, CAMPAIGN, lambda: between)
