"""What `kulanz watch` prints while a campaign goes on, each pass once, and what it says of one that waits for a yes."""

import io
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from kulanz.domain.campaigns.campaign import CampaignId, Pass, SameOutage, State
from kulanz_cli import watch
from kulanz_cli.watch import CampaignBars
from tests.support.small_campaign import CAMPAIGN
from tests.support.world import World
from tests.support.world_stack import run
from tests.unit.cli.test_exit_codes import closed, in_state

__all__ = ["closed"]
ID = CampaignId.parse("in-7/3")


def passed(lines: int, *, finished: bool, done: int = 1, sent: int = 0) -> Any:
    return SimpleNamespace(
        bytes_done=done, sent=sent, is_finished=finished, totals=SimpleNamespace(lines=lines)
    )  # fmt: skip


def shown(plan: Any, apply: Any, campaign: CampaignId = ID) -> Any:
    return SimpleNamespace(
        id=campaign, plan=plan, apply=apply, progress={Pass.PLAN: plan, Pass.APPLY: apply}.__getitem__,
        rows_announced=9, bytes_in_all=9,
    )  # fmt: skip


NONE = passed(0, finished=False, done=0)


def test_each_pass_of_each_campaign_is_printed_once_and_when_it_is_finished() -> None:
    printed = io.StringIO()
    planned, applied = passed(1_234, finished=True), passed(56, finished=True)
    with CampaignBars(Console(file=printed, width=80)) as bars:
        for one in (
            shown(NONE, NONE), shown(passed(7, finished=False), NONE), shown(planned, NONE), shown(planned, NONE),
            shown(planned, passed(3, finished=False)), shown(planned, applied), shown(planned, applied),
            shown(planned, NONE, CampaignId.parse("in-7/4")),
            shown(passed(1, finished=True, done=0, sent=2), NONE, CampaignId.parse("in-7/5")),
        ):  # fmt: skip
            bars.show(one)
    assert printed.getvalue().splitlines() == [
        "in-7/3 plan: 1,234 lines", "in-7/3 apply: 56 lines", "in-7/4 plan: 1,234 lines", "in-7/5 plan: 1 line",
    ]  # fmt: skip


@pytest.mark.parametrize("state", sorted(watch.AT_REST))
def test_only_of_a_plan_that_waits_it_is_said_that_nothing_is_granted_before(closed: World, state: State) -> None:
    text = " ".join(run(in_state(closed, state), "watch", CAMPAIGN).stdout.split())
    says = f"nothing is granted before its plan is approved; look at it: kulanz plan {CAMPAIGN}"
    assert (says in text) is (state is State.AWAITING_APPROVAL)


@pytest.mark.parametrize("state", sorted(watch.AT_REST))
def test_campaigns_over_the_same_outage_are_named_in_every_state_that_a_campaign_rests_in(
    closed: World, state: State
) -> None:
    stack = in_state(closed, state)
    kept = stack.world.campaigns._campaigns[CampaignId.parse(CAMPAIGN)]
    same, other = (CampaignId.parse("in-2/1"),), (CampaignId.parse("in-4/3"), CampaignId.parse("in-5/1"))
    kept.log[-1] = replace(kept.log[-1], others=SameOutage(same, other, is_whole=True))
    shown_whole = " ".join(run(stack, "watch", CAMPAIGN).stdout.split())
    assert "same windows and service, the same list: in-2/1" in shown_whole
    assert "same windows and service, another list: in-4/3, in-5/1" in shown_whole
