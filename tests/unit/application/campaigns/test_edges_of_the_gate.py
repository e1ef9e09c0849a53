"""Approving, starting and planning again: who is named, by which instant and month, and what a refusal says."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.campaigns import start_execution as module
from kulanz.application.campaigns.approve_plan import GatePorts, decide_plan
from kulanz.application.campaigns.replan import ReplanPorts, replan
from kulanz.application.campaigns.same_outage import IDS_IN_A_REASON, found_by_plan, pays_twice
from kulanz.application.campaigns.start_execution import budget_text, start_automatically
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, Start, TryAgain
from kulanz.domain.budgets import BudgetExceeded
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, Progress, SameOutage, State, StateChange
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.gate.approval import Approval, ApprovalRefused, Rejection, approvable_until
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN, FiledPlan
from kulanz.domain.gate.settings import SAFE, Spent, SpentPlace
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support.small_campaign import CAMPAIGN, event
from tests.support.values import DATA_START, NOW, SIZE, campaign, declared
from tests.support.world import ANNA, BEN, World
from tests.unit.application.campaigns.test_gate import ID, LINES, NEXT, waiting

HAND = Cause("an operator", "by-hand-7", "9")


def plan_of(world: World) -> FiledPlan:
    """The plan that waits."""
    found = world.campaigns.filed_plan(ID)
    assert found is not None
    return found


def decide(world: World, action: Approval | Rejection) -> Campaign:
    """A person decides."""
    ports = GatePorts(world.campaigns, world.stores, world.gate, NOBODY_LISTED)
    return decide_plan(ID, action, Person(action.person), ports, "9.1")


def test_each_yes_is_one_change_of_its_own_instant_person_id_and_version() -> None:
    world = waiting()
    before, digits = list(world.campaigns.log(ID)), plan_of(world).hash
    for number, person in enumerate((ANNA, BEN)):
        world.now += timedelta(hours=1)
        said = Approval(f"yes-{number}", person, digits[:HASH_DIGITS_SHOWN], (), world.now)
        decide(world, said)
        change = list(world.campaigns.log(ID))[-1]
        assert (change.at, change.cause) == (world.now, Cause(person, f"yes-{number}", "9.1"))
        given = world.campaigns.actions(ID)[-1]
        assert given == replace(said, plan_hash=digits)
        assert change.reason == ("approved: 1 of 2 persons", "approved: by 2 persons")[number]
    assert len(list(world.campaigns.log(ID))) == len(before) + 2


def test_a_no_is_one_change_of_its_own_instant_and_reason() -> None:
    world = waiting()
    world.now += timedelta(hours=5)
    said = Rejection("no-1", BEN, plan_of(world).hash, "the wrong list", world.now)
    decide(world, said)
    change = list(world.campaigns.log(ID))[-1]
    assert (change.at, change.target, change.reason) == (world.now, State.REJECTED, "rejected_by_hand: the wrong list")
    assert (change.cause, world.campaigns.actions(ID)[-1]) == (Cause(BEN, "no-1", "9.1"), said)


@pytest.mark.parametrize("missed", [1, ATTEMPTS_AGAINST_OTHERS - 1, ATTEMPTS_AGAINST_OTHERS])
def test_a_plan_that_is_not_there_at_one_look_is_looked_at_again_so_many_times(
    missed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = waiting()
    plan = plan_of(world)
    looks: list[FiledPlan | None] = [None] * missed + [plan] * 9
    monkeypatch.setattr(world.campaigns, "filed_plan", lambda _: looks.pop(0))
    said = Rejection("no-1", BEN, plan.hash, "the wrong list", world.now)
    if missed < ATTEMPTS_AGAINST_OTHERS:
        assert decide(world, said).state is State.REJECTED
        return
    with pytest.raises(TryAgain):
        decide(world, said)
    assert world.campaign(CAMPAIGN).state is State.AWAITING_APPROVAL


def test_a_yes_that_comes_again_with_fewer_digits_than_are_shown_is_another_one() -> None:
    world = waiting()
    said = Approval("yes-1", ANNA, plan_of(world).hash, (), world.now)
    stands = decide(world, said)
    again = replace(said, plan_hash=said.plan_hash[:HASH_DIGITS_SHOWN], at=world.now + timedelta(hours=1))
    assert decide(world, again) == stands
    with pytest.raises(ApprovalRefused) as refused:
        decide(world, replace(said, plan_hash=said.plan_hash[: HASH_DIGITS_SHOWN - 1]))
    assert refused.value.reason == "id_taken"


def test_whoever_is_enough_alone_is_seen_by_everybody_on_the_campaign_itself() -> None:
    world = waiting()
    world.now += timedelta(hours=1)
    decide(world, Approval("yes-1", ANNA, plan_of(world).hash, (), world.now, "flood in the hall"))
    assert world.campaign(CAMPAIGN).state_reason == "glass_broken: flood in the hall"
    kind = TroubleKind.GLASS_BROKEN
    assert world.campaigns.troubles == {(kind, CAMPAIGN): Trouble(kind, CAMPAIGN, world.now, world.now)}


def test_an_execution_is_paid_from_the_month_in_which_it_starts() -> None:
    world = waiting(now=datetime(2026, 3, 30, 9, tzinfo=UTC))
    world.now = datetime(2026, 4, 2, 9, tzinfo=UTC)
    for person in (ANNA, BEN):
        world.approve(ID, person)
    (made,) = world.campaigns.reservations(ID)
    assert (made.currency, made.month) == ("EUR", "2026-04")


class Automatic:
    """The store of a plan that executes automatically; what was counted before, and what is written."""

    def __init__(self) -> None:
        self.written: list[tuple[StateChange, Start]] = []
        planned_at = NOW.replace(day=28)
        self.plan = cast("FiledPlan", SimpleNamespace(
            at_most={"EUR": 700, "GB": 5}, granted={"EUR": 1}, campaign=CampaignId("net-outage", 1),
            planned_at=planned_at, decidable_until=planned_at + timedelta(days=300), first_end=None,
        ))  # fmt: skip

    def filed_plan(self, _: CampaignId) -> FiledPlan:
        return self.plan

    def spent(self, place: SpentPlace) -> Spent:
        return Spent(place, 4, {"EUR": 11 if place.month else 13})

    def change_state(self, _: Campaign, change: StateChange, gate: Any) -> None:
        self.written.append((change, gate.start))


@pytest.mark.parametrize(("before", "starts"), [(timedelta(microseconds=1), True), (timedelta(0), False)])
def test_what_starts_by_itself_counts_all_that_it_can_cost_in_its_month_and_its_incident(
    before: timedelta, monkeypatch: pytest.MonkeyPatch, *, starts: bool
) -> None:
    store = Automatic()
    now = approvable_until(store.plan) - before
    asked: list[Spent] = []
    monkeypatch.setattr(module, "not_automatic", lambda _, __, spent: asked.extend(spent))
    monkeypatch.setattr(module, "start_of", lambda *_: Start(declared()))
    monkeypatch.setattr(module, "with_budgets", lambda start, *_: start)
    waits = replace(campaign(), state=State.AWAITING_APPROVAL)
    assert start_automatically(waits, cast("Any", store), cast("Any", None), SAFE, HAND, now) is starts
    if not starts:
        assert store.written == []
        return
    month, incident = SpentPlace(month=f"{now:%Y-%m}"), SpentPlace(incident_id="net-outage")
    assert month.month != f"{store.plan.planned_at:%Y-%m}", "it starts in another month than it was planned in"
    assert [one.place for one in asked] == [month, incident]
    ((change, start),) = store.written
    assert (change.at, change.target, change.cause) == (now, State.APPLYING, HAND)
    assert start.spent == (
        Spent(month, 5, {"EUR": 711, "GB": 5}), Spent(incident, 5, {"EUR": 713, "GB": 5}),
    )  # fmt: skip


@pytest.mark.parametrize(("left", "shown"), [(1_234, "12.34 EUR"), (0, "0.00 EUR"), (-500, "0.00 EUR")])
def test_a_month_that_has_too_little_says_what_is_needed_and_never_less_than_nothing_left(
    left: int, shown: str
) -> None:
    told = budget_text(BudgetExceeded("EUR", "2026-05", 9_876, left))
    assert told.startswith(f"the plan needs up to 98.76 EUR, and the budget of 2026-05 has {shown} left;")
    assert "kulanz budget set EUR 2026-05" in told


class Others:
    """Campaigns of other incidents, each in a state, with what its execution counted."""

    def __init__(self, found: Mapping[str, tuple[State, Totals, bool]]) -> None:
        self.found = found

    def campaign(self, of: CampaignId) -> Campaign | None:
        if of.incident_id not in self.found:
            return None
        state, counted, is_done = self.found[of.incident_id]
        apply = Progress(SIZE - DATA_START if is_done else 1, 3, counted)
        return replace(campaign(of), state=state, apply=apply)

    def log(self, of: CampaignId) -> list[StateChange]:
        state, _, _ = self.found[of.incident_id]
        begun = State.APPLYING if of.incident_id.endswith("begun") else State.PLANNING
        return [StateChange(1, NOW, None, begun, "x", HAND), StateChange(2, NOW, begun, state, "y", HAND)]


def counted(row_result: RowResult, *, has_sum: bool = True) -> Totals:
    """One line of a result."""
    counts = Counter({CountKey(row_result, "r", WriteResult.WRITTEN): 1})
    return Totals(1, counts=counts, sums={SumKey(row_result, WriteResult.WRITTEN, "EUR"): 5} if has_sum else {})


GIVES, NOTHING = counted(RowResult.GRANTED), counted(RowResult.DECLINED, has_sum=False)
PAYS: Mapping[str, tuple[State, Totals, bool]] = {
    "granted": (State.CLOSED, GIVES, True),
    "referred": (State.CLOSED, counted(RowResult.REFERRED, has_sum=False), True),
    "planning": (State.PLANNING, NOTHING, False),
    "waiting": (State.AWAITING_APPROVAL, NOTHING, False),
    "paused": (State.PAUSED, NOTHING, False),
    "flagged": (State.FLAGGED, NOTHING, True),
    "cancelled-when-begun": (State.CANCELLED, NOTHING, False),
    "settled-when-begun": (State.CLOSED, NOTHING, False),
}
PAYS_NOT: Mapping[str, tuple[State, Totals, bool]] = {
    "declined": (State.CLOSED, NOTHING, True),
    "overpaid": (State.CLOSED, counted(RowResult.OVERPAID), True),
    "refused": (State.REFUSED, GIVES, False),
    "rejected": (State.REJECTED, GIVES, False),
    "cancelled-before": (State.CANCELLED, NOTHING, False),
}


def twice(*names: str, meant: tuple[str, ...] = ()) -> str:
    """Why a plan would pay twice, with some others over its outage."""
    found = SameOutage(tuple(CampaignId(name, 1) for name in names), (CampaignId("other-list", 1),), is_whole=True)
    asked = replace(campaign(), same_outage_as=meant)
    return pays_twice(asked, found, cast("Any", Others({**PAYS, **PAYS_NOT})))


@pytest.mark.parametrize("name", [*PAYS, *PAYS_NOT, "gone"])
def test_an_outage_is_paid_by_each_campaign_that_gave_something_or_still_may(name: str) -> None:
    assert bool(twice(name)) is (name in PAYS)
    assert twice(name, meant=(name,)) == "", "it was named as meant besides"


def test_the_reason_names_the_first_of_those_that_pay_and_counts_only_them() -> None:
    paying = list(PAYS)
    for number in range(1, len(paying) + 1):
        told = twice(*PAYS_NOT, *paying[:number], "gone")
        named = ", ".join(f"{one}/1" for one in paying[: min(number, IDS_IN_A_REASON)])
        more = f" and {number - IDS_IN_A_REASON} more" if number > IDS_IN_A_REASON else ""
        assert f"by {named}{more}. If it is one outage" in told


def test_of_several_plans_the_last_complete_one_says_what_it_found() -> None:
    found = [SameOutage((CampaignId(name, 1),), (), is_whole=True) for name in ("first", "last")]
    change = StateChange(1, NOW, None, State.PLANNING, "x", HAND)
    log = [change, replace(change, others=found[0]), change, replace(change, others=found[1]), change]
    assert found_by_plan(iter(log)) == found[1]
    assert found_by_plan(iter([change])) is None


def test_what_is_planned_again_decides_by_the_incident_as_it_is_now_and_says_so() -> None:
    world = waiting()
    windows = [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T21:00:00Z"}]
    world.publish(event(rows=len(LINES), detail_type="Incident Amended", revision=2, windows=windows, campaign=...))
    world.run_until_quiet()
    old, world.now = world.campaign(CAMPAIGN), world.now + timedelta(days=1)
    replan(ID, ReplanPorts(world.campaigns, world.chunks), "the outage was longer", HAND, world.now)
    new = world.campaign(str(NEXT))
    assert world.campaign(CAMPAIGN).state_reason == "cancelled_for_replan: the outage was longer"
    assert (old.incident_revision, new.incident_revision, new.decided_at) == (1, 2, world.now)
    assert new.outage != old.outage
    assert (new.pinned, new.rows_announced, new.opened_by) == (old.pinned, old.rows_announced, old.opened_by)
    assert (new.plan.sent, new.apply, new.log_count) == (len(new.chunks), Progress(), 1)
    (opened,) = world.campaigns.log(NEXT)
    assert (opened.at, opened.cause) == (world.now, HAND)
    assert opened.reason == f"replanned: as {CAMPAIGN}: the outage was longer"


def test_nobody_approves_what_was_planned_by_an_incident_that_has_changed_since() -> None:
    world = waiting()
    windows = [{"start": "2026-02-27T08:00:00Z", "end": "2026-02-27T21:00:00Z"}]
    world.publish(event(rows=len(LINES), detail_type="Incident Amended", revision=2, windows=windows, campaign=...))
    world.run_until_quiet()
    with pytest.raises(ApprovalRefused) as refused:
        decide(world, Approval("yes-1", ANNA, plan_of(world).hash, (), world.now))
    assert (refused.value.reason, "revision 2 of the incident" in str(refused.value)) == ("incident_changed", True)
