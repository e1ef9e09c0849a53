"""What a change of a campaign's record sets off, by the state that it is found in: each step, and in which order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from kulanz.application.campaigns import advance_campaign as module
from kulanz.application.campaigns.advance_campaign import STEPS_PER_RECORD, AdvancePorts, advance_campaign
from kulanz.domain.budgets import Reservation
from kulanz.domain.campaigns.campaign import DELIVERABLE, Campaign, CampaignId, Cause, State
from tests.support.values import NOW, campaign

ID = CampaignId("outage", 4)
CAUSE = Cause("a", "b", "c")
RESERVED = Reservation(str(ID), "EUR", "2026-03", 1, 2, 3)


class Traced:
    """A campaign in one state, and all that is done about it, in order."""

    def __init__(self, state: State) -> None:
        self.found = replace(campaign(ID), state=state, state_reason="why")
        self.done: list[str] = []

    def campaign(self, _: CampaignId) -> Campaign:
        return self.found

    def receipts(self, *_: object) -> list[Any]:
        return []

    def log(self, _: CampaignId) -> list[Any]:
        return []

    def filed_plan(self, _: CampaignId) -> None:
        return None

    def reservations(self, _: CampaignId) -> list[Reservation]:
        return [RESERVED]

    def mark_announced(self, before: Campaign, name: str) -> None:
        assert name == before.report_name
        self.done.append("marked")
        self.found = replace(before, announced=name)

    def put(self, key: str, *_: object) -> None:
        assert key == f"{ID.folder}/report-{self.found.report_name}.json"
        self.done.append("filed")

    def announce(self, told: Any) -> None:
        self.done.append(told.detail_type)


@pytest.fixture
def advance(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Advances a traced campaign; the arguments of its reports."""

    def advanced(traced: Traced) -> list[Sequence[Any]]:
        reports: list[Sequence[Any]] = []

        def noted(name: str, found: object) -> Any:
            def note(*_: object, **__: object) -> object:
                traced.done.append(name)
                return found

            return note

        def report(*said: Any) -> dict[str, Any]:
            reports.append(said)
            return {"v": 1}

        monkeypatch.setattr(module, "follow_incident", noted("followed", None))
        monkeypatch.setattr(module, "start_automatically", noted("start asked", False))
        monkeypatch.setattr(module, "dispatch", noted("sent", False))
        monkeypatch.setattr(module, "_must_wait", noted("halt asked", False))
        monkeypatch.setattr(module, "campaign_report", report)
        monkeypatch.setattr(module, "reported_law", noted("law counted", []))
        one: Any = traced
        ports = AdvancePorts(
            one, one, one, one, one, deliver=noted("delivered", None), law=noted("law read", {})
        )  # fmt: skip
        assert advance_campaign(ID, ports, CAUSE, NOW) is traced.found.state
        return reports

    return advanced


TELLING = ["filed", "law read", "law counted"]
STEPS: Mapping[State, list[str]] = {
    State.PLANNING: ["sent"],
    State.APPLYING: ["followed", "halt asked", "sent"],
    State.AWAITING_APPROVAL: ["start asked", *TELLING, "Campaign Awaiting Approval", "marked", "start asked"],
    State.CLOSED: ["delivered", *TELLING, "Campaign Closed", "marked", "delivered"],
    State.FLAGGED: [*TELLING, "Campaign Flagged", "marked"],
    State.REFUSED: [*TELLING, "Campaign Refused", "marked"],
    State.REJECTED: [*TELLING, "Campaign Rejected", "marked"],
    State.PAUSED: [*TELLING, "Campaign Paused", "marked"],
    State.CANCELLED: ["delivered", *TELLING, "Campaign Cancelled", "marked", "delivered"],
}


@pytest.mark.parametrize("state", State)
def test_each_state_has_its_steps_and_a_delivery_is_opened_before_the_end_is_told(state: State, advance: Any) -> None:
    traced = Traced(state)
    reports = advance(traced)
    assert traced.done == STEPS[state]
    assert ("delivered" in traced.done) is (state in DELIVERABLE)
    is_told = "marked" in traced.done
    assert len(reports) == is_told
    traced.done.clear()
    advance(traced)
    assert [one for one in traced.done if one not in ("delivered", "start asked")] == ([] if is_told else STEPS[state])


@pytest.mark.parametrize("state", [one for one, steps in STEPS.items() if "marked" in steps])
def test_a_plan_that_waits_has_reserved_nothing_whatever_was_reserved_since(state: State, advance: Any) -> None:
    (said,) = advance(Traced(state))
    assert list(said[-1]) == ([] if state is State.AWAITING_APPROVAL else [RESERVED])


@pytest.mark.parametrize("times", [1, STEPS_PER_RECORD - 1, STEPS_PER_RECORD])
def test_a_flagged_campaign_to_which_a_worker_still_adds_is_told_with_what_it_came_to(times: int, advance: Any) -> None:
    """Or with its next record: a report never has the receipts of one moment and the sums of another."""
    traced = Traced(State.FLAGGED)
    later = [replace(traced.found, log_count=2 + number) for number in range(times)]
    looks = iter(reversed(later))

    def receipts(*said: Any) -> list[Any]:
        if str(said[1]) == "apply":
            traced.found = next(looks, traced.found)
        return []

    traced.receipts = receipts  # type: ignore[method-assign]
    reports = advance(traced)
    if times == STEPS_PER_RECORD:
        assert (reports, traced.done) == ([], [])
    else:
        assert [said[0].log_count for said in reports] == [2]
        assert traced.done == STEPS[State.FLAGGED]
