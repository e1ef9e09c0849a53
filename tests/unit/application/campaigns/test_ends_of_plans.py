"""How a complete plan ends: refused for the first thing that is wrong with its list, or filed for its own channel."""

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.campaigns import advance_campaign as module
from kulanz.application.campaigns.advance_campaign import AdvancePorts, advance_campaign
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, Progress, SameOutage, State, StateChange
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, Totals, WriteResult
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.lists.rows import LIST_SEPARATOR_UNKNOWN
from tests.support.values import DATA_START, NOW, SIZE, campaign

ID = CampaignId("outage", 4)
OTHERS = SameOutage((CampaignId("other", 1),), (), is_whole=True)
FAULTS = (
    "receipts_incomplete: a gap", "quotes_unbalanced: ", "list_separator_unknown: ", "rows_differ: ",
    "currency_differs: ", "accounts_changed: ", "limits_exceeded: ", "same_outage_twice: ",
)  # fmt: skip
"""What can be wrong with a list, what is wrong with all of it first."""


class Plans:
    """A campaign whose plan has read its list."""

    def __init__(self) -> None:
        done = Progress(SIZE - DATA_START, 3, Totals())
        self.found = replace(campaign(ID), plan=done)
        self.moved: list[tuple[StateChange, Any]] = []

    def campaign(self, _: CampaignId) -> Campaign:
        return self.found

    def receipts(self, *_: object) -> list[Any]:
        return []

    def frozen(self, _: CampaignId) -> Any:
        return SimpleNamespace(incident=b"{}")

    def change_state(self, before: Campaign, change: StateChange, gate: Any = None) -> None:
        assert before == self.found
        self.moved.append((change, gate))
        self.found = replace(before, state=State.PAUSED, announced="paused")


@pytest.fixture
def end(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ends a plan that has some faults; what it moved to, why, and what the others were."""

    def ended(faults: tuple[str, ...], stack: str = "", policy: str = "") -> tuple[StateChange, Any, list[Any]]:
        plans, filed, is_wrong = Plans(), list[Any](), set(faults).__contains__
        reason = LIST_SEPARATOR_UNKNOWN if is_wrong(FAULTS[2]) else "not_utf8"
        result = RowResult.REJECTED if is_wrong(FAULTS[2]) or is_wrong(FAULTS[6]) else RowResult.GRANTED
        rows = campaign(ID).rows_announced + is_wrong(FAULTS[3])
        totals = Totals(
            rows, 2 * is_wrong(FAULTS[1]), counts=Counter({CountKey(result, reason, WriteResult.NONE): rows})
        )
        changed = SimpleNamespace(refusals=lambda: iter([FAULTS[5]] if is_wrong(FAULTS[5]) else []))
        measured = SimpleNamespace(other_currency=3 * is_wrong(FAULTS[4]), changed=changed)
        first = FAULTS[0] if is_wrong(FAULTS[0]) else ""
        stubs = {
            "_checked": (totals, measured, first), "same_outage": OTHERS, "exceeded": (), "decision_digest": "d",
            "pays_twice": FAULTS[7] if is_wrong(FAULTS[7]) else "",
            "channel_of": Channel(policy) if policy else None, "_announce": False,
        }  # fmt: skip

        def file(*_: object, **said: Any) -> str:
            filed.append(said)
            return "the plan"

        for name, found in stubs.items():
            monkeypatch.setattr(module, name, lambda *_, found=found, **__: found)
        monkeypatch.setattr(module, "other_currency", lambda number: f"{FAULTS[4]}{number}")
        monkeypatch.setattr(module, "unseparated_lists", lambda number: f"{FAULTS[2]}{number}")
        monkeypatch.setattr(module, "file_plan", file)
        monkeypatch.setattr(Campaign, "is_dispatched", lambda *_: True)
        channel = Channel(stack) if stack else None
        one: Any = plans
        advance_campaign(ID, AdvancePorts(one, one, one, one, one, channel=channel), Cause("a", "b", "c"), NOW)
        ((change, gate),) = plans.moved
        return change, gate, filed

    return ended


@pytest.mark.parametrize("place", range(len(FAULTS)))
def test_a_list_is_refused_for_the_first_of_all_that_is_wrong_with_it_and_the_others_are_named(
    place: int, end: Any
) -> None:
    """Whatever else is wrong with it, whoever mends that first meets the next."""
    for faults in (FAULTS[place:], (FAULTS[place],), (FAULTS[place], FAULTS[-1])):
        change, gate, filed = end(faults)
        assert (change.target, change.source, change.at, change.others) == (
            State.REFUSED, State.PLANNING, NOW, OTHERS.named(),
        )  # fmt: skip
        assert change.reason.startswith(FAULTS[place])
        assert (gate, filed) == (None, [])


@pytest.mark.parametrize(
    ("stack", "policy", "expected"),
    [("", "", None), ("billing", "", "billing"), ("", "letters", "letters"), ("billing", "letters", "letters")],
)
def test_credits_go_to_the_channel_that_the_policy_names_and_else_to_the_stacks(
    stack: str, policy: str, expected: str | None, end: Any
) -> None:
    change, gate, (filed,) = end((), stack, policy)
    assert (change.target, change.reason, change.others) == (
        State.AWAITING_APPROVAL, "plan_balanced", OTHERS.named(),
    )  # fmt: skip
    assert gate.plan == "the plan"
    assert filed["channel"] == (None if expected is None else Channel(expected))
    assert filed["planned_at"] == NOW
