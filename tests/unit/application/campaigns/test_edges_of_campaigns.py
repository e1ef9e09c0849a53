"""What campaigns promise at their edges: the last instant, the first that is not, one more, the same key twice."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.campaigns import open_campaign, watch_open
from kulanz.application.campaigns.advance_campaign import _announce
from kulanz.application.campaigns.control_campaign import ControlPorts, cancel
from kulanz.application.campaigns.freeze_policy import _must_fit
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.open_campaign import MustWait, await_stopped
from kulanz.application.campaigns.read_history import HistoryReader
from kulanz.application.campaigns.replan import ReplanPorts, replan
from kulanz.application.campaigns.review_plan import _campaign_before, _sums
from kulanz.application.campaigns.start_execution import start_automatically
from kulanz.application.incidents.incident_event import EventRefused
from kulanz.application.ports import CampaignStore, GivenUpBatch, Outdated, Refused, TryAgain
from kulanz.domain.campaigns.campaign import FROZEN_BYTES, CampaignId, Cause, Frozen, State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.gate.approval import approvable_until
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.policy.deciding.history import Addition, SubjectHistory
from kulanz.domain.time import MICROSECOND
from tests.support.small_campaign import INCIDENT_ID, event, list_of, row, sealed_policy, small_world
from tests.support.values import NOW, campaign
from tests.support.world import ANNA, BEN, World

FIRST, SECOND = CampaignId(INCIDENT_ID, 1), CampaignId(INCIDENT_ID, 2)
HAND = Cause("an operator", "by hand", "test")
FEE = "kulanz: 1\nid: {id}\nversion: 1\ntitle: T\ncurrency: EUR\nfacts: {{fee: money}}\npay: fee\n"


def requested(world: World, seq: int, rows: list[str], policy: str = "flat", more: str = "", **request: Any) -> str:
    """Request the incident's campaign `seq` over a list of these rows, and let everything happen."""
    world.policies.publish(policy, 1, sealed_policy(FEE.format(id=policy) + more))
    key = f"lists/{seq}.csv"
    world.lists.upload(key, "\n".join(["account_id,fee", *rows, ""]).encode())
    told = event(key=key, rows=len(rows), policy=policy, revision=seq)
    told["detail"]["campaign"] |= request
    world.publish(told)
    world.run_until_quiet()
    return f"{INCIDENT_ID}/{seq}"


# One campaign after another


@pytest.mark.parametrize("minutes", [(1, 2, 3), (3, 1, 2), (2, 3, 1), (3, None, 1), (None, 2, -1)])
def test_a_next_campaign_waits_for_the_last_worker_of_all_that_ended(
    monkeypatch: pytest.MonkeyPatch, minutes: tuple[int | None, ...]
) -> None:
    ends = {seq: None if n is None else NOW + n * timedelta(minutes=1) for seq, n in enumerate(minutes, 1)}
    monkeypatch.setattr(open_campaign, "may_write_until", lambda earlier, _: ends[earlier.seq])
    record: Any = SimpleNamespace(incident_id=INCIDENT_ID, applied=tuple(ends))
    store = cast("CampaignStore", SimpleNamespace(campaign=lambda campaign_id: campaign_id))
    last = max(at for at in ends.values() if at is not None)
    for now in (NOW, last - MICROSECOND):
        with pytest.raises(MustWait) as waits:
            await_stopped(record, store, now)
        assert (waits.value.until, ends[waits.value.stopped.seq]) == (last, last)
    await_stopped(record, store, last)


def test_an_account_that_stands_in_a_list_more_than_once_is_planned_row_by_row_also_after_an_earlier_campaign() -> None:
    world = World()
    requested(world, 1, ["a-1,1.00"])
    second = world.campaign(requested(world, 2, ["a-2,1.00", "a-2,1.00", "a-3,1.00", "a-2,7.00", "a-1,1.00"]))
    assert second.follows == (1,)
    assert (second.plan.totals.rows(), second.apply.totals.rows()) == (5, 5)


def test_a_plan_made_again_sets_off_what_was_granted_since_the_first_plan() -> None:
    """Or an account would be paid twice: once by the campaign between the plans, and once by the second plan."""
    lines = [row("a-1"), row("a-2")]
    world = small_world(list_of(lines), approvers=())
    world.publish(event(rows=2))
    world.run_until_quiet()
    first = world.campaign(str(FIRST))
    cancel(FIRST, ControlPorts(world.campaigns, world.chunks, world.stores), "wrong", HAND, world.now)
    world.publish(event(rows=2, revision=2))
    world.run_until_quiet()
    for person in (ANNA, BEN):
        world.approve(SECOND, person)
    world.run_until_quiet()
    assert world.campaign(str(SECOND)).state is State.CLOSED
    again = replan(FIRST, ReplanPorts(world.campaigns, world.chunks), "once more", HAND, world.now)
    assert (first.follows, again.id.seq, again.follows) == ((), 3, (2,))
    world.run_until_quiet()
    assert world.campaign(str(again.id)).plan.totals.worth() == {}


# Limits and thresholds


def test_a_limit_that_a_request_states_holds_in_the_place_of_its_policys() -> None:
    world = World()
    limits = 'limits: {rejected: "1 %", total: 9.00 EUR}\n'.replace('"', "")
    found = world.campaign(
        requested(world, 1, ["a-1,1.00"], more=limits, limits={"total": ["2.00 EUR"], "held": "7 %"})
    )
    stated = {name: who for name, who in found.limits.stated.items() if who in ("policy", "request")}
    assert stated == {"rejected": "policy", "total EUR": "request", "held": "request"}
    assert found.limits.total == {"EUR": 200}


def test_a_policy_and_its_incident_fit_up_to_the_last_byte_that_is_kept() -> None:
    _must_fit(Frozen(b"p" * (FROZEN_BYTES - 10), b"i" * 10))
    with pytest.raises(EventRefused):
        _must_fit(Frozen(b"p" * (FROZEN_BYTES - 10), b"i" * 11))


def test_a_plan_starts_by_itself_only_before_the_instant_at_which_its_time_is_over() -> None:
    world = small_world(list_of([row("a-1")]), approvers=())
    world.publish(event(rows=1))
    world.run_until_quiet()
    waits, plan = world.campaign(str(FIRST)), world.campaigns.filed_plan(FIRST)
    assert plan is not None
    most = {"EUR": 10**9, "call_minute": 10**9}
    automatic = GateSettings(most, most, {}, frozenset({"billing"}))

    def starts(now: Any) -> bool:
        return start_automatically(waits, world.campaigns, world.stores, automatic, HAND, now)

    until = approvable_until(plan)
    assert not starts(until)
    assert not starts(until + MICROSECOND)
    assert starts(until - MICROSECOND)


# What an approver compares a plan with


@pytest.mark.parametrize(
    ("whole", "expected"), [([], None), ([True], 1), ([False], None), ([True, False], 1), ([True, True, False], 2)]
)
def test_a_plan_is_compared_with_the_last_one_that_was_complete(whole: list[bool], expected: int | None) -> None:
    kept = {
        seq: SimpleNamespace(id=SimpleNamespace(seq=seq), is_finished=lambda _, is_whole=is_whole: is_whole)
        for seq, is_whole in enumerate(whole, 1)
    }
    store = cast("CampaignStore", SimpleNamespace(campaign=lambda campaign_id: kept.get(campaign_id.seq)))
    found = _campaign_before(campaign(CampaignId(INCIDENT_ID, len(whole) + 1)), store)
    assert (None if found is None else found.id.seq) == expected


def test_a_sum_that_only_one_of_two_plans_has_is_shown_with_nought_for_the_other() -> None:
    def made(**sums: int) -> Any:
        return SimpleNamespace(worth=lambda: {(RowResult.GRANTED, measure): size for measure, size in sums.items()})

    before: Any = SimpleNamespace(plan=SimpleNamespace(totals=made(EUR=5, USD=7)))
    found = {one["measure"]: (one["sum"], one["before"]) for one in _sums(made(EUR=6, GBP=8), before)}
    assert found == {"EUR": ("6", "5"), "GBP": ("8", "0"), "USD": ("0", "7")}
    assert [one["before"] for one in _sums(made(EUR=6), None)] == [None]


# Histories


def test_a_decision_that_adds_nothing_takes_away_what_its_incident_had_added() -> None:
    reader = HistoryReader(campaign(), cast("Any", None), cast("Any", None))
    mine, nothing, something = campaign().id.incident_id, Addition(NOW, {}), Addition(NOW, {"paid:EUR": 5})
    empty, added = SubjectHistory(), SubjectHistory(3, {mine: something, "other": something})
    assert reader.after(added, None) is None
    assert reader.after(empty, nothing) is None
    assert reader.after(SubjectHistory(3, {"other": something}), nothing) is None
    taken = reader.after(added, nothing)
    assert taken is not None
    assert taken.incidents == {"other": something}
    again = reader.after(empty, something)
    assert again is not None
    assert again.incidents == {mine: something}


# The watch over what was given up


def test_a_batch_is_looked_at_again_until_each_campaign_it_was_about_could_be_moved_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Or what one bad minute kept from a campaign is never tried again."""
    tried, bad_minutes = list[CampaignId](), [TryAgain("the table is slow"), Refused("it cannot be read")]

    def advance(campaign_id: CampaignId, *_: object) -> None:
        tried.append(campaign_id)
        if campaign_id == SECOND and bad_minutes:
            raise bad_minutes.pop(0)

    monkeypatch.setattr(watch_open, "advance_campaign", advance)
    world = World()
    world.given_up.batches["aws/lambda/x"] = GivenUpBatch("aws/lambda/x", (FIRST, SECOND))
    looked_at = [(world.watch(), world.troubles.has_looked_at("aws/lambda/x"))[1] for _ in range(4)]
    assert looked_at == [False, False, True, True]
    assert tried == [FIRST, SECOND] * 3


# Policies


def test_a_process_keeps_the_policies_of_so_many_campaigns_and_the_one_it_compiled_first_makes_room() -> None:
    world = small_world(list_of([row("a-1")]))
    world.publish(event(rows=1))
    world.run_until_quiet()
    kept, compiled = world.campaigns.frozen(FIRST), list[CampaignId]()

    def frozen(campaign_id: CampaignId) -> Frozen:
        compiled.append(campaign_id)
        return kept

    store = cast("CampaignStore", SimpleNamespace(frozen=frozen))
    several = [replace(world.campaign(str(FIRST)), id=CampaignId("i", n)) for n in range(FrozenCache.CAMPAIGNS + 1)]
    first, *others = (one.id for one in several)
    cache = FrozenCache()
    for one in (*several[:-1], *several[:-1], several[-1], *several[1:]):
        cache.get(one, store)
    assert compiled == [first, *others], "each is compiled once while it is kept"
    cache.get(several[0], store)
    assert compiled == [first, *others, first]


# Reports


def test_the_report_of_a_flagged_campaign_is_not_announced_when_a_worker_added_to_it_meanwhile() -> None:
    """Its chunks would be those of other figures than its sums."""
    world = small_world(list_of([row("a-1")]))
    world.publish(event(rows=1))
    world.run_until_quiet()
    world.archive.documents.clear()  # the report of the campaign as it was closed
    kept, before = world.campaigns._campaigns[FIRST], list(world.announcer.announced)
    flagged = replace(kept.campaign, state=State.FLAGGED, announced="")
    kept.campaign = replace(flagged, apply=replace(flagged.apply, bytes_done=flagged.apply.bytes_done + 1))
    with pytest.raises(Outdated):
        _announce(flagged, world._advance_ports(), world.now)
    assert (world.announcer.announced, world.archive.documents) == (before, {})
    kept.campaign = flagged
    assert _announce(flagged, world._advance_ports(), world.now)
    assert len(world.announcer.announced) == len(before) + 1
