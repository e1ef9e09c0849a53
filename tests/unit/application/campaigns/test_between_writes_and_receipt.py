"""A worker dies at any of its calls, another incident is planned, applied and closed whole, and only then its chunk
comes again: the reconciliation holds what the ledger holds, and no cap is passed.

In the plan pass that other incident runs between what the plan read and its receipt; in the apply pass between what a
worker wrote and the receipt that says so.
"""

from collections import Counter
from functools import cache

import pytest

from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult, WriteResult
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.policy.deciding.history import HistoryKey
from tests.support.end_state import check_sound
from tests.support.faults import Fault, Tap, fault_at
from tests.support.left_alike import Ends
from tests.support.world import World
from tests.support.world_steps import Function, Step
from tests.support.yearly_cap import CAP, FEES, POLICY_ID, incident, outage, paid, world

CALLS_MOST = 30
OURS = CampaignId("in-1", 1)


@cache
def _waiting(work: Pass, outages_before: int) -> World:
    """A campaign whose chunk of a pass waits for its worker, after other incidents of the year."""
    made = world(chunk_bytes=65_536)
    for number in range(outages_before):
        made.publish(incident(f"before-{number}", outage(1 + number)))
        made.run_until_quiet()
    made.publish(incident("in-1", outage(12)))
    for _ in range(200):
        if any((message.body.campaign, message.body.work) == (OURS, work) for message in made.chunk_messages):
            return made
        made.run(made.steps()[0])
    raise AssertionError("the chunk never waited")


def _run_another_whole(made: World) -> None:
    """Another incident from its event to its report, while every chunk of ours is hidden in its queue."""
    hidden = [message for message in made.chunk_messages if message.body.campaign == OURS]
    made.chunk_messages = [message for message in made.chunk_messages if message not in hidden]
    made.publish(incident("in-2", outage(7)))
    for _ in range(200):
        others = [step for step in made.steps() if not _is_ours(made, step)]
        if not others:
            break
        made.run(others[0])
    assert made.campaign("in-2/1").state is State.CLOSED
    made.chunk_messages += hidden


def _is_ours(made: World, step: Step) -> bool:
    return step.function is Function.GRANT and made.chunk_messages[step.index].body.campaign == OURS


def _check_figures(made: World, incident_id: str) -> None:
    """What a campaign says is in the ledger is what anybody counts there, result by result and cent by cent."""
    campaign = made.campaign(f"{incident_id}/1")
    assert (campaign.state, campaign.state_reason) == (State.CLOSED, "balanced")
    bodies = [read_decision(entry.body) for account in FEES for entry in made.ledger.of_account(account, incident_id)]
    totals = campaign.apply.totals
    assert totals.ledger_count() == len(bodies)
    booked = {measure: value for (_, measure), value in totals.worth(IN_THE_LEDGER).items()}
    assert booked.get("EUR", 0) == sum(paid(made, account, incident_id) for account in FEES)
    standing = Counter(decision.outcome for decision in bodies)
    capped = sum(n for key, n in totals.counts.items() if key.write_result is WriteResult.CAPPED)
    in_ledger = sum(
        n for key, n in totals.counts.items()
        if key.row_result is RowResult.GRANTED and key.write_result in IN_THE_LEDGER
    )  # fmt: skip
    assert in_ledger <= standing[Outcome.GRANTED] <= in_ledger + capped
    assert campaign.plan.totals.worth() == totals.worth()


def _check(made: World) -> None:
    check_sound(made)
    for account in FEES:
        assert paid(made, account) <= CAP, account
        kept = made.ledger.all_histories().get(HistoryKey(account, POLICY_ID, "-"))
        for incident_id, addition in (kept.incidents if kept else {}).items():
            assert addition.added.get("paid_2026:EUR", 0) == paid(made, account, incident_id), (account, incident_id)
    for incident_id in ("in-1", "in-2"):
        _check_figures(made, incident_id)


def _end_after_another(made: World) -> Counter[WriteResult]:
    """How many of our lines were written how, at a sound end of both incidents."""
    _run_another_whole(made)
    made.run_until_quiet()
    _check(made)
    found: Counter[WriteResult] = Counter()
    for key, lines in made.campaign(str(OURS)).apply.totals.counts.items():
        found[key.write_result] += lines
    return found


@pytest.mark.parametrize("outages_before", [0, 1])
@pytest.mark.parametrize("fault", [Fault.KILLED_BEFORE, Fault.REPLY_LOST])
@pytest.mark.parametrize("work", Pass)
def test_another_incident_runs_whole_while_a_dead_workers_chunk_waits(
    work: Pass, fault: Fault, outages_before: int
) -> None:
    results: Counter[WriteResult] = Counter()
    ends = Ends(_end_after_another)
    for number in range(CALLS_MOST):
        made = _waiting(work, outages_before).copy()
        (index,) = [at for at, message in enumerate(made.chunk_messages) if message.body.campaign == OURS]
        made.tap = Tap(fault_at(number, fault))
        made.run(Step(Function.GRANT, index))
        if len(made.tap.calls) <= number:
            break
        made.tap = Tap()
        results += ends(made)
    else:
        raise AssertionError("a chunk takes more calls than are tried")
    assert number > 5
    if work is Pass.APPLY:
        assert results[WriteResult.ALREADY] > 0, "a worker died after it wrote"
        assert results[WriteResult.CAPPED] > 0, "a worker died before it wrote"
