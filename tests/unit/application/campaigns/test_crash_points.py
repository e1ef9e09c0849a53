"""Every call that any function makes, killed before it, killed after it, lost on its way there or back, or half done.

The campaign's list has every kind of row. Whatever happens to one call, after redelivery the ledger, the books, the
receipts, the notices and the incident are those of the run in which nothing happened.

`make prove` strikes every call with every fault. `make test` strikes every call with one of them, by turns, and the
first call of each kind with all.
"""

import pickle
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache

import pytest

from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.domain.campaigns.campaign import State
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.lists.lines import LINE_BYTES
from kulanz.domain.money import Money
from tests.support import accepted_offer, yearly_cap
from tests.support.effort import one_in
from tests.support.end_state import EndState, check_sound, end_state
from tests.support.faults import HALVABLE, Choose, Fault, Tap, fault_at
from tests.support.left_alike import content_of
from tests.support.small_campaign import (
    CAMPAIGN,
    EVERY_KIND_OF_LINE,
    INCIDENT_ID,
    POLICY,
    ROWS,
    event,
    list_of,
    sealed_policy,
    small_world,
)
from tests.support.world import ANNA, BEN, World

TURNS = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.REPLY_LOST, Fault.REQUEST_LOST)
"""The faults that can strike any call."""
FEWEST_CALLS = 100
"""A clean run of fewer calls than this is not the campaign that these tests are about."""


LATER = POLICY.replace("version: 1", "version: 2").replace("10% of fee", "25% of fee")
SHORT_LINES = [line for line in EVERY_KIND_OF_LINE.values() if len(line) < LINE_BYTES]
SHORT_ROWS = sum(line not in (b"", b"\r") for line in SHORT_LINES)


def _first_campaign(tap: Tap) -> World:
    """An incident's only campaign."""
    world = small_world(tap=tap)
    world.publish(event(rows=ROWS))
    return world


@cache
def _before_a_later_campaign() -> World:
    world = small_world(list_of(SHORT_LINES))
    world.policies.publish("net-credit", 2, sealed_policy(LATER))
    world.publish(event(rows=SHORT_ROWS))
    world.run_until_quiet()
    return world


def _later_campaign(tap: Tap) -> World:
    """A better policy for the same accounts: what was granted is set off, and only the difference is granted."""
    world = _before_a_later_campaign().copy()
    world.tap = tap
    world.publish(event(rows=SHORT_ROWS, revision=2, policy_version=2))
    return world


def _inline_campaign(tap: Tap) -> World:
    """Accounts that came inside the event, requested apart from the incident."""
    rows = [
        {"account_id": f"inline-{number}", "segment": "consumer", "affected": number != 1, "fee": "10.00"}
        for number in range(4)
    ]
    world = small_world(tap=tap)
    world.publish(event(rows=4, campaign=...))
    request = event(rows=4, detail_type="Campaign Requested")
    detail = {name: request["detail"][name] for name in ("incident_id", "revision", "campaign", "decision_digest")}
    detail["campaign"]["affected"] = {"inline": rows, "rows": len(rows)}
    world.publish({**request, "detail": detail})
    return world


def _withdrawn_incident(tap: Tap) -> World:
    """An incident that is withdrawn after its campaign has closed: a person has to look at it."""
    world = small_world(list_of(SHORT_LINES[:3]))
    world.publish(event(rows=3))
    world.run_until_quiet()
    world.tap = tap
    world.publish(event(rows=3, detail_type="Incident Withdrawn", revision=2, campaign=...))
    return world


def _refused_event(tap: Tap) -> World:
    """An event that nobody may act on."""
    world = small_world(tap=tap)
    world.publish(event(rows=ROWS, policy="no-such-policy"))
    return world


@cache
def _before_a_second_incident() -> World:
    world = yearly_cap.world(chunk_bytes=256, calls_in_flight=1)
    world.publish(yearly_cap.incident("in-1", yearly_cap.outage(2)))
    world.run_until_quiet()
    return world


def _campaign_with_a_history(tap: Tap) -> World:
    """The second incident of a year under a yearly cap: it reads what the first gave, and keeps what it gives."""
    world = _before_a_second_incident().copy()
    world.tap = tap
    world.publish(yearly_cap.incident("in-2", yearly_cap.outage(3)))
    return world


def _changed_since_its_plan(tap: Tap) -> World:
    """A later campaign whose plan waits while a customer accepts an offer of the first; then it is approved."""
    world = accepted_offer.waiting()
    assert accepted_offer.accept(world)
    world.approvers = (ANNA, BEN)
    world.tap = tap
    return world


type Scenario = Callable[[Tap], World]
SCENARIOS: dict[str, Scenario] = {
    "first campaign": _first_campaign,
    "later campaign": _later_campaign,
    "inline campaign": _inline_campaign,
    "withdrawn incident": _withdrawn_incident,
    "refused event": _refused_event,
    "campaign with a history": _campaign_with_a_history,
    "campaign changed since its plan": _changed_since_its_plan,
}


def _clean(scenario: Scenario) -> World:
    """A scenario's run in which nothing happens."""
    world = scenario(Tap())
    world.run_until_quiet()
    return world


class _Moment:
    """A run before one of its steps, to go on from again and again; workers keep the policies that they know."""

    def __init__(self, world: World) -> None:
        caches, world._caches = world._caches, {}
        self.calls = len(world.tap.calls)
        self._content = pickle.dumps(world)
        self._policies = {function: dict(cache._policies) for function, cache in caches.items()}
        world._caches = caches

    def again(self, choose: Choose) -> World:
        world: World = pickle.loads(self._content)  # noqa: S301 - these bytes are its own
        world._caches = {function: FrozenCache() for function in self._policies}
        for function, policies in self._policies.items():
            world._caches[function]._policies.update(policies)
        world.tap.choose = choose
        return world


@dataclass(frozen=True)
class _Clean:
    """A scenario's run in which nothing happens: before each of its steps, and at its end.

    `differences` holds how worlds that a fault has struck differ at their ends, by their content after the fault.
    """

    steps: list[_Moment]
    end: World
    differences: dict[bytes, str] = field(default_factory=dict)


@pytest.fixture(scope="module", params=SCENARIOS)
def run(request: pytest.FixtureRequest) -> _Clean:
    """Each scenario in turn."""
    world = SCENARIOS[request.param](Tap())
    found = []
    while steps := world.steps():
        found.append(_Moment(world))
        world.run(steps[0])
    return _Clean(found, world)


def test_the_clean_run_of_a_first_campaign_has_every_kind_of_row() -> None:
    clean = _clean(_first_campaign)
    campaign = clean.campaign(CAMPAIGN)
    classes = {str(row_result) for row_result, _ in campaign.apply.totals.results()}
    reasons = {reason for _, reason in campaign.apply.totals.results()}
    write_results = {str(key.write_result) for key in campaign.apply.totals.counts}

    assert campaign.state is State.CLOSED
    assert campaign.apply.totals.lines == len(EVERY_KIND_OF_LINE)
    assert classes == {"granted", "declined", "held", "referred", "rejected", "blank"}
    assert write_results == {"written", "duplicate", "conflict", "none"}
    assert reasons >= {
        "account_id_missing", "account_id_invalid", "not_utf8", "nul_character", "fact_invalid", "field_count",
        "csv_malformed", "line_too_long",
    }  # fmt: skip
    assert len(campaign.chunks) >= 5
    assert len(clean.tap.calls) >= FEWEST_CALLS
    assert clean.caught == []
    check_sound(clean)


def test_the_clean_run_of_a_later_campaign_grants_the_difference() -> None:
    clean = _clean(_later_campaign)
    campaign = clean.campaign(f"{INCIDENT_ID}/2")
    (first, second) = (
        read_decision(entry.body).benefits[0].money for entry in clean.ledger.of_account("granted-1", INCIDENT_ID)
    )

    assert campaign.state is State.CLOSED
    assert campaign.follows == (1,)
    assert {str(row_result) for row_result, _ in campaign.apply.totals.results()} >= {
        "granted",
        "unchanged",
        "rejected",
    }
    assert (first, second) == (Money(299, "EUR"), Money(748 - 299, "EUR"))
    assert len(campaign.chunks) >= 2
    assert len(clean.tap.calls) >= FEWEST_CALLS
    check_sound(clean)


def test_the_clean_runs_of_the_other_scenarios_end_as_their_names_say() -> None:
    inline, withdrawn, refused = map(_clean, (_inline_campaign, _withdrawn_incident, _refused_event))

    assert inline.campaign(CAMPAIGN).state is State.CLOSED
    assert len(inline.ledger.all_entries()) == 4
    assert withdrawn.campaign(CAMPAIGN).state is State.FLAGGED
    assert withdrawn.campaign(CAMPAIGN).state_reason.startswith("incident_withdrawn")
    assert [rejection.reason for rejection in refused.rejected.sent] == ["policy_unknown"]


def test_the_clean_run_of_a_campaign_with_a_history_reads_and_keeps_it() -> None:
    clean = _clean(_campaign_with_a_history)

    assert clean.campaign("in-2/1").state is State.CLOSED
    assert [yearly_cap.paid(clean, name, "in-2") for name in yearly_cap.FEES] == [1_000, 4_500, 0, 0]
    calls = set(clean.tap.calls)
    assert calls >= {
        "ledger.histories",
        "ledger.insert_with_history",
        "ledger.insert",
        "archive.get",
        "campaigns.receipts",
    }


def _struck(calls: Sequence[str], fault: Fault, one_of: int) -> list[int]:
    """The calls that a fault strikes: one of so many and the first of each kind, or those that can be half done."""
    if fault is Fault.HALF_DONE:
        return [number for number, name in enumerate(calls) if name in HALVABLE]
    turn = TURNS.index(fault) % one_of
    firsts = {name: number for number, name in reversed(list(enumerate(calls)))}
    return [number for number, name in enumerate(calls) if number % one_of == turn or firsts[name] == number]


@pytest.mark.parametrize("one_of", range(1, len(TURNS) + 1))
def test_however_few_are_tried_every_call_is_struck_and_every_kind_by_every_fault(one_of: int) -> None:
    calls = _clean(_first_campaign).tap.calls
    struck = {fault: _struck(calls, fault, one_of) for fault in TURNS}
    assert set().union(*struck.values()) == set(range(len(calls)))
    for fault, numbers in struck.items():
        assert {calls[number] for number in numbers} == set(calls), fault
        assert (len(numbers) == len(calls)) is (one_of == 1)


@pytest.mark.storm
@pytest.mark.parametrize("fault", list(Fault))
def test_the_end_is_the_clean_runs_wherever_a_fault_strikes(
    fault: Fault, run: _Clean, record_property: Callable[[str, object], None]
) -> None:
    """Up to the fault every run is the clean one, so each goes on from the step in which its fault strikes.

    Where a fault left the same as another did, such as one more call that only reads, they go on as one.
    """
    expected, calls = end_state(run.end), run.end.tap.calls
    points = _struck(calls, fault, one_in(len(TURNS)))
    wrong = {}
    for number in points:
        before = run.steps[bisect_right(run.steps, number, key=lambda step: step.calls) - 1]
        world = before.again(fault_at(number, fault))
        world.run(world.steps()[0])
        assert len(world.caught) == 1, f"the fault at {number} {calls[number]} did not strike, or was not noticed"
        content = content_of(world)
        if content not in run.differences:
            world.run_until_quiet()
            run.differences[content] = _difference(expected, world)
        if run.differences[content]:
            wrong[f"{number} {calls[number]}"] = run.differences[content]

    record_property("crash points", f"{len(points)} calls {fault}")
    assert wrong == {}


def _difference(expected: EndState, world: World) -> str:
    """How a world's end differs from the expected one; empty when it does not."""
    assert len(world.caught) == 1, "the fault struck more than once"
    if world.dead_letters:
        return "a message went to the dead letters"
    try:
        check_sound(world)
    except AssertionError as error:
        return str(error)
    found = end_state(world)
    return ", ".join(name for name, value in vars(expected).items() if getattr(found, name) != value)
