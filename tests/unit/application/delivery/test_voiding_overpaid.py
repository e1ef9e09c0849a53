"""A void of what was overpaid takes exactly the difference back, by subject, and never what is used or delivered."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.application.delivery.advance_delivery import open_settled
from kulanz.application.delivery.ask_void import VoidRefused, ask_void
from kulanz.application.delivery.world import EntriesChange
from kulanz.application.ledger.check_ledger import check_ledger
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.delivery import DeliveryState
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.moved import MovedOf
from kulanz.domain.delivery.standing import CreditState, RejectedWith
from kulanz.domain.delivery.void import Share, Void, VoidState
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey, net_worth
from kulanz.domain.people.caller import Person
from tests.support import yearly_cap
from tests.support.by_hand import decide, door_of
from tests.support.effort import examples
from tests.support.faults import HALVABLE, Fault, Tap, fault_at
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, list_of, row, small_world
from tests.support.voiding import stands, voided_in_spite_of
from tests.support.world import ANNA, BEN, World
from tests.support.world_deliveries import watched
from tests.support.world_door import WorldDoor, check_ports
from tests.support.world_steps import Step
from tests.support.world_voids import approved, asked, run_voids, void_ports, watched_voids

SECOND, THIRD = f"{INCIDENT_ID}/2", f"{INCIDENT_ID}/3"
LEFT_OUT: dict[str, Any] = dict.fromkeys(("title", "service", "functions", "windows", "cause", "facts"), ...)


type Choose = Callable[[Sequence[Step]], Step]


def then(world: World, *content: bytes, choose: Choose = lambda steps: steps[0]) -> None:
    """The incident's next campaign, over another list."""
    key = f"lists/next-{world.now:%d%H%M%S}-{len(world.openings)}.csv"
    world.lists.upload(key, list_of(content))
    world.publish(event(detail_type="Campaign Requested", key=key, rows=len(content), **LEFT_OUT))
    world.run_until_quiet(choose)


def first(*content: bytes, **stated: Any) -> World:
    world = small_world(list_of(content), **stated)
    world.publish(event(rows=len(content)))
    world.run_until_quiet()
    return world


def overpaying(**stated: Any) -> World:
    """Of a-1 3.00 EUR were given too much, of a-2 nothing, and a-3 was given more since."""
    world = first(row("a-1", fee="50.00"), row("a-2", fee="29.90"), row("a-3", fee="10.00"), **stated)
    then(world, row("a-1", fee="20.00"), row("a-2", fee="29.90"), row("a-3", fee="40.00"))
    return world


def of_overpaid(world: World, campaign: str = SECOND, name: str = "difference") -> Void:
    """Asked for and planned."""
    void = asked(world, ANNA, name=name, campaign=campaign, is_of_overpaid=True)
    run_voids(world)
    return stands(world, void)


def voided(world: World, campaign: str = SECOND, name: str = "difference") -> Void:
    void = of_overpaid(world, campaign, name)
    approved(world, void, BEN)
    run_voids(world)
    return stands(world, void)


def net(world: World, account: str) -> Mapping[str, int]:
    """What an account has net of voids, by measure."""
    found: dict[str, int] = {}
    for entry in world.ledger.of_account(account):
        for measure, size in net_worth(entry).items():
            found[measure] = found.get(measure, 0) + int(size)
    return found


def law_holds(world: World, campaigns: int) -> None:
    door = WorldDoor(world)
    for seq in range(1, campaigns + 1):
        checked = check_ledger(CampaignId(INCIDENT_ID, seq), check_ports(door), world.now)
        assert (checked.differences, checked.beyond, checked.broken) == ((), (), ())


def key(account: str, seq: int = 1) -> DecisionKey:
    return DecisionKey(account, INCIDENT_ID, WHOLE_ACCOUNT, seq)


def write(world: World, account: str, *entries: CreditEntry, seq: int = 1) -> None:
    assert world.credits.write_entries([EntriesChange(key(account, seq), (), entries)]) == [True]
    world.now += timedelta(seconds=1)


def entry(world: World, kind: EntryKind, place: int = 0, **stated: Any) -> CreditEntry:
    told = {"delivery": "billing/1", **stated}
    return CreditEntry(kind, world.now, "test", f"{kind}/{place}", (place,), **told)


# What is taken back


def test_the_difference_is_planned_approved_and_taken_back_and_nothing_else() -> None:
    world = overpaying()
    had = {account: net(world, account) for account in ("a-1", "a-2", "a-3")}
    void = of_overpaid(world)
    assert void.state is VoidState.AWAITING_APPROVAL
    totals = void.plan.totals
    assert (totals.lines, totals.unmatched, totals.decisions) == (3, 2, 1)
    assert totals.by_measure(Share.VOIDABLE) == {"EUR": 300}
    assert {account: net(world, account) for account in had} == had, "a plan takes nothing back"
    approved(world, void, BEN)
    run_voids(world)
    done = stands(world, void)
    assert (done.state, done.state_reason) == (VoidState.VOIDED, "balanced")
    assert done.apply.totals.by_measure(Share.VOIDED) == {"EUR": 300}
    assert net(world, "a-1") == {"EUR": 200, "call_minute": 20}
    assert {account: net(world, account) for account in ("a-2", "a-3")} == {one: had[one] for one in ("a-2", "a-3")}
    law_holds(world, 2)


def test_what_was_written_off_is_set_off_and_nothing_of_it_is_overpaid() -> None:
    """It is not granted again, and no void takes for it what another campaign rightly gave."""
    world = first(row("a-1", fee="50.00"))
    write(
        world, "a-1", *(entry(world, kind) for kind in (EntryKind.ASSIGNED, EntryKind.REJECTED, EntryKind.WRITTEN_OFF))
    )
    then(world, row("a-1", fee="70.00"))
    had = net(world, "a-1")
    assert had["EUR"] == 700
    for seq, fee, overpaid in ((3, "20.00", None), (4, "10.00", 100)):
        then(world, row("a-1", fee=fee))
        campaign = world.campaign(f"{INCIDENT_ID}/{seq}")
        assert campaign.state is State.CLOSED
        assert campaign.apply.totals.worth().get((RowResult.OVERPAID, "EUR")) == overpaid
        assert net(world, "a-1") == had
    done = voided(world, f"{INCIDENT_ID}/4")
    assert done.apply.totals.by_measure(Share.VOIDED) == {"EUR": 100}
    assert net(world, "a-1")["EUR"] == 600


def test_doing_it_twice_changes_nothing_and_a_further_campaign_finds_nothing_overpaid() -> None:
    world = overpaying()
    voided(world)
    had, texts = net(world, "a-1"), dict(world.credits.texts)
    again = of_overpaid(world, name="again")
    assert (again.state, again.state_reason[:16]) == (VoidState.REJECTED, "nothing to void:")
    then(world, row("a-1", fee="20.00"), row("a-2", fee="29.90"), row("a-3", fee="40.00"))
    results = {result for result, _ in world.campaign(THIRD).apply.totals.results()}
    assert results == {RowResult.UNCHANGED}
    assert (net(world, "a-1"), world.credits.texts) == (had, texts)
    law_holds(world, 3)


def test_what_was_taken_back_can_be_spent_again() -> None:
    world = overpaying()
    for _ in range(2):
        world.watch()
    voided(world)
    assert world.campaigns.budget("EUR", world.gate.budget_month(world.now)).voided == 300


def test_what_is_used_or_at_the_biller_stays_and_is_named() -> None:
    world = first(*(row(f"a-{n}", fee="50.00") for n in range(4)))
    assigned = entry(world, EntryKind.ASSIGNED)
    used = entry(world, EntryKind.APPLIED, amount=450, bill="B-1")
    rejected = entry(world, EntryKind.REJECTED, code="closed")
    write(world, "a-1", assigned, used)
    write(world, "a-2", assigned)
    write(world, "a-3", assigned, rejected)
    world.codes.codes(key("a-3").campaign, "billing", {"closed"})
    then(world, *(row(f"a-{n}", fee="20.00") for n in range(4)))
    void = voided(world)
    assert void.state is VoidState.VOIDED
    for totals in (void.plan.totals, void.apply.totals):
        assert totals.by_measure(Share.USED) == {"EUR": 300 - 50}
        assert totals.by_measure(Share.AT_BILLER) == {"EUR": 50 + 300}
        assert totals.unmatched == 0
    assert void.apply.totals.by_measure(Share.VOIDED) == {"EUR": 300 + 300}
    assert {n: net(world, f"a-{n}")["EUR"] for n in range(4)} == {0: 200, 1: 500, 2: 500, 3: 200}
    moved = world.voids.moved(key("a-3").campaign)
    place = MovedOf(key("a-3").campaign, "EUR", "", "billing")
    assert moved[place] == {CreditState.REJECTED: -300, CreditState.VOIDED: 300, RejectedWith("closed"): -300}


def test_what_is_delivered_after_the_plan_is_left_and_the_void_balances() -> None:
    world = overpaying()
    void = of_overpaid(world)
    write(world, "a-1", entry(world, EntryKind.ASSIGNED))
    approved(world, void, BEN)
    run_voids(world)
    done = stands(world, void)
    assert (done.state, done.state_reason) == (VoidState.VOIDED, "balanced")
    assert done.apply.totals.by_measure(Share.CHANGED) == {"EUR": 300}
    assert net(world, "a-1")["EUR"] == 500


def test_a_void_that_was_planned_before_counts_and_gives_back_what_it_took_itself() -> None:
    """Else a budget gets the difference back twice: once by each void."""
    world = overpaying()
    for _ in range(2):
        world.watch()
    all_of_it = asked(world, ANNA)
    run_voids(world)
    granted = stands(world, all_of_it).plan.totals.by_measure(Share.VOIDABLE)["EUR"]
    voided(world)  # 3.00 of it
    approved(world, all_of_it, BEN)
    run_voids(world)
    done = stands(world, all_of_it)
    assert (done.state, done.state_reason) == (VoidState.VOIDED, "balanced")
    assert done.apply.totals.by_measure(Share.VOIDED)["EUR"] == granted - 300
    assert done.apply.totals.by_measure(Share.CHANGED) == {"EUR": 300}
    assert world.campaigns.budget("EUR", world.gate.budget_month(world.now)).voided == granted
    law_holds(world, 2)


def test_of_several_earlier_campaigns_the_latest_is_reduced_first() -> None:
    world = first(row("a-1", fee="20.00"))
    then(world, row("a-1", fee="50.00"))  # 3.00 more
    then(world, row("a-1", fee="10.00"))
    void = voided(world, THIRD)
    assert void.apply.totals.by_measure(Share.VOIDED) == {"EUR": 400}
    left = {one.key.seq: net_worth(one)["EUR"] for one in world.ledger.of_account("a-1")}
    assert left == {1: 200 - 100, 2: 0}
    law_holds(world, 3)


def test_a_subject_that_the_list_names_twice_is_reduced_once() -> None:
    world = first(row("a-1", fee="50.00"), row("a-2", fee="50.00"))
    twice = [row("a-1", fee="20.00"), row("a-2", fee="20.00"), row("a-1", fee="20.00"), row("a-2", fee="30.00")]
    then(world, *twice)
    void = voided(world)
    assert (void.state, void.state_reason) == (VoidState.VOIDED, "balanced")
    totals = void.apply.totals
    assert totals.by_measure(Share.VOIDED) == {"EUR": 300 + 300}
    assert totals.by_measure(Share.REPEATED) == {"EUR": 300 + 200}
    assert [net(world, account)["EUR"] for account in ("a-1", "a-2")] == [200, 200]
    law_holds(world, 2)


def test_who_is_held_now_or_was_given_something_by_a_person_keeps_it() -> None:
    world = first(row("a-1", fee="50.00"), row("a-2", fee=""), row("a-3", fee="50.00"))
    assert decide(door_of(world), "a-2", facts={"fee": "50.00"}).status == 200
    then(world, row("a-1", fee=""), row("a-2", fee="10.00"), row("a-3", fee="40.00"))
    voided(world)
    assert [net(world, account)["EUR"] for account in ("a-1", "a-2", "a-3")] == [500, 500, 400]


def test_what_is_left_of_a_reduced_credit_is_delivered_and_the_sums_of_the_bill_agree() -> None:
    world = overpaying(channel=Channel("billing"), delivers=False)
    voided(world)
    for seq in (1, 2):
        open_settled(world.campaign(f"{INCIDENT_ID}/{seq}"), world.campaigns, world.deliveries, ANNA, world.now)
    world.run_until_quiet()
    watched(world)
    world.run_until_quiet()
    found = world.deliveries.over_list(CampaignId(INCIDENT_ID, 1))
    assert found is not None
    assert (found.state, found.reason) == (DeliveryState.SENT, "balanced")
    assert found.sums.by_measure() == {"EUR": 200 + 299 + 100, "call_minute": 60}
    law_holds(world, 2)


def test_a_void_takes_the_difference_off_the_history_so_that_a_cap_has_room_again() -> None:
    world = yearly_cap.world()
    world.publish(yearly_cap.incident("first", yearly_cap.outage(3)))
    world.run_until_quiet()
    assert yearly_cap.paid(world, "half") == 4_500
    smaller = yearly_cap.rows().replace(b"half,90.00", b"half,20.00")
    world.lists.upload("lists/all.csv", smaller)
    request = yearly_cap.incident("first", yearly_cap.outage(3), revision=2)
    world.publish(request)
    world.run_until_quiet()
    assert world.campaign("first/2").state is State.CLOSED
    void = voided(world, "first/2")
    assert (void.state, void.apply.totals.by_measure(Share.VOIDED)) == (VoidState.VOIDED, {"EUR": 3_500})
    for name, day in (("second", 5), ("third", 7)):
        world.lists.upload("lists/all.csv", yearly_cap.rows())
        world.publish(yearly_cap.incident(name, yearly_cap.outage(day)))
        world.run_until_quiet()
    assert yearly_cap.paid(world, "half", "second") == 4_500
    assert yearly_cap.paid(world, "half", "third") == yearly_cap.CAP - 1_000 - 4_500


# What cannot be asked for, or approved


def of_the_first(world: World) -> None:
    of_overpaid(world, CAMPAIGN)


def while_planned(world: World) -> None:
    world.approvers = ()
    then(world, row("a-1", fee="10.00"))
    of_overpaid(world, THIRD)


def decided_since(world: World) -> None:
    then(world, row("a-1", fee="40.00"))
    of_overpaid(world)


def amended(world: World) -> None:
    world.publish(event(rows=1, detail_type="Incident Amended", revision=2, cause="another", campaign=...))
    world.run_until_quiet()
    of_overpaid(world)


def approved_after_an_amendment(world: World) -> None:
    void = of_overpaid(world)
    world.publish(event(rows=1, detail_type="Incident Amended", revision=2, cause="another", campaign=...))
    world.run_until_quiet()
    approved(world, void, BEN)


def approved_after_a_later_campaign(world: World) -> None:
    void = of_overpaid(world)
    then(world, row("a-1", fee="40.00"))
    approved(world, void, BEN)


def another_void_runs(world: World) -> None:
    other = asked(world, ANNA, name="other", campaign=CAMPAIGN)
    run_voids(world)
    approved(world, other, BEN)
    of_overpaid(world)


def another_under_its_id(world: World) -> None:
    of_overpaid(world)
    asked(world, ANNA, name="difference", campaign=SECOND)


def an_earlier_one_is_delivered(world: World) -> None:
    open_settled(world.campaign(CAMPAIGN), world.campaigns, world.deliveries, ANNA, world.now)
    of_overpaid(world)


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (of_the_first, "nothing_earlier"),
        (while_planned, "campaign_not_closed"),
        (decided_since, "campaign_superseded"),
        (amended, "incident_amended"),
        (approved_after_an_amendment, "incident_amended"),
        (approved_after_a_later_campaign, "campaign_superseded"),
        (another_void_runs, "void_runs"),
        (another_under_its_id, "id_taken"),
        (an_earlier_one_is_delivered, "delivery_under_way"),
    ],
)
def test_each_bad_request_is_a_problem_with_a_reason_and_takes_nothing(
    act: Callable[[World], None], reason: str
) -> None:
    world = overpaying(channel=Channel("billing"), delivers=False)
    had = net(world, "a-1")
    with pytest.raises(VoidRefused) as refused:
        act(world)
    assert refused.value.reason == reason
    assert net(world, "a-1") == had


def test_another_engine_does_not_say_what_was_overpaid(monkeypatch: pytest.MonkeyPatch) -> None:
    world = overpaying()
    void = of_overpaid(world)
    monkeypatch.setattr("kulanz.domain.campaigns.campaign.ENGINE_VERSION", "99")
    with pytest.raises(VoidRefused) as refused:
        of_overpaid(world, name="another")
    assert refused.value.reason == "planned_otherwise"
    with pytest.raises(VoidRefused) as refused:
        approved(world, void, BEN)
    assert refused.value.reason == "planned_otherwise"


def test_a_list_whose_version_is_gone_ends_the_plan_with_a_reason() -> None:
    world = overpaying()
    void = asked(world, ANNA, name="difference", campaign=SECOND, is_of_overpaid=True)
    world.archive.documents.clear()
    run_voids(world)
    found = stands(world, void)
    assert (found.state, found.state_reason.partition(":")[0]) == (VoidState.REJECTED, "decided_otherwise")


# Whatever dies, and whatever was given


CALLS = 90


@pytest.mark.parametrize("number", range(0, CALLS, 9))
@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.HALF_DONE])
def test_wherever_a_function_dies_the_void_ends_the_same(number: int, fault: Fault) -> None:
    world = first(row("a-1", fee="20.00"), row("a-2", fee="20.00"))
    then(world, row("a-1", fee="50.00"), row("a-2", fee="30.00"))
    then(world, row("a-1", fee="10.00"), row("a-2", fee="10.00"))
    void = asked(world, ANNA, name="difference", campaign=THIRD, is_of_overpaid=True)
    run_voids(world, Tap(fault_at(number, fault)))
    for _ in range(2):
        watched_voids(world)
        run_voids(world)
    done = voided_in_spite_of(world, void, Tap(fault_at(number, fault)))
    assert done.apply.totals.by_measure(Share.VOIDED) == {"EUR": 400 + 200}
    assert [net(world, account)["EUR"] for account in ("a-1", "a-2")] == [100, 100]
    law_holds(world, 3)


def test_entries_that_were_written_by_half_are_finished() -> None:
    world = first(row("a-1", fee="50.00"), row("a-2", fee="50.00"))
    then(world, row("a-1", fee="20.00"), row("a-2", fee="20.00"))
    void = of_overpaid(world)
    approved(world, void, BEN)
    halved = iter([Fault.HALF_DONE])
    run_voids(world, Tap(lambda _, name: next(halved, None) if name in HALVABLE else None))
    assert next(halved, None) is None
    assert stands(world, void).apply.totals.by_measure(Share.VOIDED) == {"EUR": 600}
    assert [net(world, account)["EUR"] for account in ("a-1", "a-2")] == [200, 200]


ACCOUNTS = ("a-1", "a-2", "a-3")
FEES = st.fixed_dictionaries(dict.fromkeys(ACCOUNTS, st.integers(1, 99)))
HAPPENED = st.sampled_from(["", "assigned", "used", "part", "rejected"])


@pytest.mark.property
@settings(max_examples=examples(60), deadline=None)
@given(
    fees=st.lists(FEES, min_size=2, max_size=4),
    happened=st.fixed_dictionaries(dict.fromkeys(ACCOUNTS, HAPPENED)),
)
def test_whatever_was_given_exactly_the_unused_difference_is_taken_back(
    fees: list[dict[str, int]], happened: dict[str, str]
) -> None:
    lists = [[row(account, fee=f"{fee}.00") for account, fee in some.items()] for some in fees]
    world = first(*lists[0])
    used = dict.fromkeys(ACCOUNTS, 0)
    for account, what in happened.items():
        amount = fees[0][account] * 10
        assigned = entry(world, EntryKind.ASSIGNED)
        if what in ("used", "part"):
            amount = amount if what == "used" else amount // 2
            write(world, account, assigned, entry(world, EntryKind.APPLIED, amount=amount, bill="B-1"))
        elif what == "rejected":
            write(world, account, assigned, entry(world, EntryKind.REJECTED, code="closed"))
        elif what:
            write(world, account, assigned)
        used[account] = 0 if what in ("", "rejected") else fees[0][account] * 10
    for some in lists[1:]:
        then(world, *some)
    last = CampaignId(INCIDENT_ID, len(fees))
    had = {account: net(world, account)["EUR"] for account in ACCOUNTS}
    assert had == {account: 10 * max(some[account] for some in fees) for account in ACCOUNTS}
    void = of_overpaid(world, str(last))
    if void.state is VoidState.AWAITING_APPROVAL:
        approved(world, void, BEN)
        run_voids(world)
        assert stands(world, void).state_reason == "balanced"
    expected = {account: min(had[account], max(10 * fees[-1][account], used[account])) for account in ACCOUNTS}
    assert {account: net(world, account)["EUR"] for account in ACCOUNTS} == expected
    taken = sum(had.values()) - sum(expected.values())
    assert stands(world, void).apply.totals.by_measure(Share.VOIDED) == ({"EUR": taken} if taken else {})
    again = ask_void(
        VoidId(last, "again"), None, "why", Person(ANNA), void_ports(world), world.now, is_of_overpaid=True
    )
    run_voids(world)
    assert stands(world, again).state is VoidState.REJECTED
    then(world, *lists[-1])
    assert {account: net(world, account)["EUR"] for account in ACCOUNTS} == expected
