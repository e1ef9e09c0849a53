"""An offer accepted while a later campaign's plan waits: nobody is paid twice, and no campaign stops for it.

The first campaign offers. The second one's plan has read that, and waits for its approval. Whoever accepts before the
plan reads gets the rest; whoever accepts after that is held; once the execution has started, the offer is over.
"""

import random
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.application.campaigns import filed_reads
from kulanz.application.campaigns.filed_reads import FiledReads, LineRead
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.campaigns.read_history import NOTHING_READ
from kulanz.application.ledger.answer import Explained
from kulanz.application.ledger.standing import Now, standings
from kulanz.application.ports import ChunkMessage, TryAgain
from kulanz.domain.campaigns.campaign import Pass, Receipt, State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, Totals, WriteResult, differences
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.earlier_decisions import CHANGED_SINCE_PLAN, Before
from kulanz.domain.ledger.entries import granted_benefits, read_decision
from tests.support.accepted_offer import (
    ENTITLED,
    FEES,
    HISTORIES,
    LATER,
    OFFERED,
    SECOND,
    accept,
    offered,
    request,
    waiting,
)
from tests.support.effort import examples, seeds_tried
from tests.support.end_state import EndState, check_sound, end_state
from tests.support.fake_bucket import FakeArchive
from tests.support.fakes import FakeCampaigns
from tests.support.faults import Fault, Killed, Tap
from tests.support.interleaving import Interleaving, Work, switching_after
from tests.support.left_alike import Ends
from tests.support.small_campaign import INCIDENT_ID
from tests.support.values import FIRST, campaign
from tests.support.world import ANNA, BEN, World


def approved(world: World) -> World:
    """The world after two persons approved, and everything that follows."""
    for person in (ANNA, BEN):
        world.approve(SECOND, person)
    world.run_until_quiet()
    return world


def euros(world: World, account: str) -> int:
    """Minor units that an account has been granted by now."""
    found = [granted_benefits(entry) for entry in world.ledger.of_account(account, INCIDENT_ID)]
    return sum(one.money.minor for benefits in found for one in benefits if one.money is not None)


def decided(world: World, account: str = "taker", seq: int = 2) -> Decision | None:
    """What a campaign decided about an account; None where it wrote nothing."""
    entries = world.ledger.of_account(account, INCIDENT_ID)
    return next((read_decision(entry.body) for entry in entries if entry.key.seq == seq), None)


def check(world: World) -> None:
    """The second campaign closed, everything that was planned is accounted for, and nobody has more than is due."""
    campaign = world.campaign(str(SECOND))
    assert (campaign.state, campaign.state_reason) == (State.CLOSED, "balanced")
    assert list(differences(campaign.plan.totals, campaign.apply.totals)) == []
    check_sound(world)
    for account, fee in FEES.items():
        assert euros(world, account) <= fee * ENTITLED // 100, account
        for answered in world.ask(account, INCIDENT_ID).decisions:
            assert answered.explained is Explained.AGREES, answered.entry.key


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("later", LATER)
def test_whose_offer_is_accepted_while_the_plan_waits_is_held_and_the_others_are_decided_as_planned(
    later: str, history: str
) -> None:
    plain, world = approved(waiting(later, history)), waiting(later, history)
    assert accept(world)
    approved(world)
    check(world)
    assert decided(world) == Decision(Outcome.HELD, CHANGED_SINCE_PLAN)
    assert euros(world, "taker") == FEES["taker"] * OFFERED // 100, "what was accepted, and nothing beside it"
    for account in ("other", "cheap"):
        assert decided(world, account) == decided(plain, account)
    assert world.campaign(str(SECOND)).plan == plain.campaign(str(SECOND)).plan


@pytest.mark.parametrize("history", HISTORIES)
def test_what_was_planned_is_written_duplicate_or_held_since(history: str) -> None:
    world = waiting("grants more", history)
    accept(world)
    approved(world)
    totals = world.campaign(str(SECOND)).apply.totals
    worth = {key.write_result: size for key, size in totals.sums.items() if size}
    planned = {account: fee * ENTITLED // 100 for account, fee in FEES.items()}
    assert worth == {
        WriteResult.WRITTEN: planned["other"],
        WriteResult.HELD_SINCE: planned["taker"],
        WriteResult.DUPLICATE: planned["taker"],
    }
    lines = {key.write_result: number for key, number in totals.counts.items() if key.reason == "credit"}
    assert lines == {WriteResult.WRITTEN: 1, WriteResult.HELD_SINCE: 1, WriteResult.DUPLICATE: 1}
    assert sum(number for key, number in totals.counts.items() if key.write_result in IN_THE_LEDGER) == 1


@given(
    st.dictionaries(
        st.integers(0, 10**12),
        st.tuples(
            st.sampled_from(Outcome),
            st.dictionaries(st.sampled_from(["EUR", "USD"]), st.integers(0, 10**10)),
            st.dictionaries(
                st.sampled_from(["GB", "call_minute:3 x month"]),
                st.decimals(0, 10**9, places=6, allow_nan=False).map(Decimal.normalize),
            ),
        ),
        max_size=8,
    )
)
@settings(max_examples=examples(100), deadline=None)
@pytest.mark.property
def test_what_the_plan_read_of_each_line_is_read_back_as_it_was(
    read: dict[int, tuple[Outcome, dict[str, int], dict[str, Decimal]]],
) -> None:
    noted = {
        offset: LineRead(NOTHING_READ, Before(outcome, tuple(sorted([*money.items(), *units.items()]))))
        for offset, (outcome, money, units) in read.items()
    }
    campaigns, archive = FakeCampaigns(), FakeArchive()
    filed = FiledReads(campaign(), 0, campaigns, archive)
    for offset, one in noted.items():
        filed.note(offset, one)
    receipt = filed.file(Receipt(FIRST, Pass.PLAN, 0, 0, 10**13, None, True, Totals()))
    content = archive.get(f"{FIRST.folder}/read/plan-{0:014d}-{10**13:014d}-{receipt.read}.jsonl") if noted else b""
    assert dict(map(filed_reads._read_line, content.splitlines())) == noted
    assert b"".join(filed_reads._line(*one) for one in sorted(noted.items())) == content


def test_the_answer_says_why_and_how_the_account_stands() -> None:
    world = waiting()
    accept(world)
    approved(world)
    answer = world.ask("taker", INCIDENT_ID)
    (standing,) = standings(answer.decisions)
    assert (standing.state, dict(standing.granted)) == (Now.GRANTED, {"EUR": 500})
    told, stands = answer.decisions[-1].steps[-2:]
    assert told.startswith("Held all the same: while this campaign's plan waited for its approval")
    assert stands == "Granted for this incident by then: 5.00 EUR."


@pytest.mark.parametrize("history", HISTORIES)
def test_a_further_campaign_grants_what_is_missing(history: str) -> None:
    world = waiting("grants more", history)
    accept(world)
    approved(world)
    world.approvers = (ANNA, BEN)
    request(world, 3, version=2)
    world.run_until_quiet()
    check(world)
    assert euros(world, "taker") == FEES["taker"] * ENTITLED // 100


@dataclass
class _Accepting:
    """Lets a customer accept right before the call with a number, and remembers which state the campaign was in."""

    world: World
    at: int
    was_accepted: bool = False
    state: State | None = None

    def __call__(self, number: int, _: str) -> Fault | None:
        if number == self.at:
            found = self.world.campaigns.campaign(SECOND)
            self.state = None if found is None else found.state
            self.was_accepted = accept(self.world)
        return None


def test_whenever_an_offer_is_accepted_its_customer_gets_no_more_than_is_due() -> None:
    """Before each call of the second campaign: its request, its plan, its approvals, its execution."""
    clean = offered()
    came_to: dict[str, set[State | None]] = {}
    while steps := clean.steps():
        before, clean.tap = clean.copy(), Tap()
        clean.run(steps[0])
        for number in range(len(clean.tap.calls)):
            world = before.copy()
            accepting = _Accepting(world, number)
            world.tap = Tap(accepting)
            world.run_until_quiet()
            check(world)
            decision = decided(world)
            assert decision is not None
            assert (decision.reason == CHANGED_SINCE_PLAN) == (euros(world, "taker") == 500)
            outcome = decision.reason if accepting.was_accepted else "refused"
            came_to.setdefault(outcome, set()).add(accepting.state)
    assert State.AWAITING_APPROVAL in came_to[CHANGED_SINCE_PLAN]
    assert came_to["credit"] >= {None, State.PLANNING}, "the plan had not read yet: the rest is granted"
    assert came_to["refused"] == {State.APPLYING, State.CLOSED}


def _alone(acceptance: str) -> World:
    """The world in which the acceptance came wholly before the rest, or wholly after it."""
    world = waiting()
    if acceptance == "first":
        accept(world)
    approved(world)
    if acceptance == "last":
        assert not accept(world)
    return world


def test_an_acceptance_and_the_approval_that_starts_have_one_order_between_any_two_of_their_calls() -> None:
    """Both look at the incident's record, and one of them is first: it is one of two ends, and no third."""
    ends = [end_state(_alone(acceptance)).ledger for acceptance in ("first", "last")]
    assert ends[0] != ends[1]
    found = set()
    for first in (0, 1):
        for before in range(12):
            world = waiting()
            world.approve(SECOND, ANNA)
            works = [_acceptor(world), _approver(world)]
            Interleaving().run(works, switching_after(first, before))
            world.run_until_quiet()
            check(world)
            found.add(ends.index(end_state(world).ledger))
    assert found == {0, 1}


@pytest.mark.parametrize("before", range(8))
def test_an_acceptance_that_began_before_the_start_is_not_made_after_the_execution_wrote(before: int) -> None:
    """It read the offer while the plan waited, and comes to its write when the whole later campaign is over."""
    world, made = waiting(), list[bool]()
    world.approve(SECOND, ANNA)

    def everything_else(tap: Tap) -> None:
        world.approve(SECOND, BEN, tap=tap)
        world.run_until_quiet()

    works: list[Work] = [lambda tap: made.append(accept(world, tap=tap)), everything_else]
    together = Interleaving()
    together.run(works, switching_after(0, before))
    check(world)
    assert made == ([True] if together.trace.index((1, "campaigns.campaign")) > _calls_of_an_acceptance() else [False])


def _calls_of_an_acceptance() -> int:
    tap = Tap()
    accept(waiting(), tap=tap)
    return len(tap.calls) - 1


def _approver(world: World) -> Work:
    return lambda tap: world.approve(SECOND, BEN, tap=tap)


def _acceptor(world: World) -> Work:
    return lambda tap: accept(world, tap=tap)


def test_two_workers_on_the_execution_hold_each_subject_once_in_every_order_of_their_calls() -> None:
    begun = waiting()
    accept(begun)
    for person in (ANNA, BEN):
        begun.approve(SECOND, person)
    alone = begun.copy()
    alone.run_until_quiet()
    expected, message = end_state(alone), ChunkMessage(SECOND, Pass.APPLY, 0)

    def checked(world: World) -> EndState:
        world.run_until_quiet()
        check(world)
        return end_state(world)

    tap, ends = Tap(), Ends(checked)
    _worker(begun.copy(), message, "alone")(tap)
    calls = len(tap.calls)
    for first, before, between in product((0, 1), range(1, calls + 1), (1, 3, calls)):
        world = begun.copy()
        works = [_worker(world, message, name) for name in ("one", "two")]
        Interleaving().run(works, switching_after(first, before, between))
        assert ends(world) == expected, (first, before, between)


def _worker(world: World, message: ChunkMessage, name: str) -> Work:
    def work(tap: Tap) -> None:
        with suppress(TryAgain):
            world.grant(message, tap, FrozenCache(), name)

    return work


@pytest.mark.storm
@pytest.mark.parametrize("seed", range(seeds_tried(60)))
def test_acceptances_amid_faults_pay_nobody_twice(seed: int) -> None:
    """Acceptances at random calls of everything, where one call in thirty fails."""
    choose = random.Random(seed)
    world = offered(choose.choice(list(LATER)), choose.choice(list(HISTORIES)))
    faults = [fault for fault in Fault if fault is not Fault.HALF_DONE]

    def happens(_: int, __: str) -> Fault | None:
        if choose.random() < 0.05:
            with suppress(TryAgain, Killed):
                accept(world, choose.choice(list(FEES)[:2]))
        return choose.choice(faults) if choose.random() < 0.03 else None

    world.tap = Tap(happens)
    world.run_until_quiet(choose.choice)
    world.tap = Tap()
    while world.redrive():
        world.run_until_quiet()
    check(world)
