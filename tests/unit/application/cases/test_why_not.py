"""Why a case cannot be shown, tried or decided: a whole sentence for each state of it, its list and its campaign."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kulanz.application.cases.case import (
    TRIED_MOST,
    Case,
    CasePorts,
    CaseRefused,
    campaign_closed_because,
    find_case,
    later_of,
    writable,
)
from kulanz.application.cases.decide import HandRequest, _by_way, _draws
from kulanz.application.cases.sample_plan import NoSample, sample_of
from kulanz.application.cases.store import WAITS, DecidedByHand, Proposal
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.decision import NEXT_BILL, UNLIMITED, Benefit, Decision, Outcome
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.ledger.hand_decision import CaseKind, HandDecision, Way
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.money import Money
from kulanz.domain.time import MICROSECOND
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID
from tests.support.world import World
from tests.unit.application.cases.test_conflicts_and_rejected import at, closed

HELD = DecisionKey("held-1", INCIDENT_ID, "-", 1)


def ports_of(world: World) -> CasePorts:
    return CasePorts(world.campaigns, world.lists, world.ledger, world.cases)


def held(world: World | None = None, key: DecisionKey = HELD, row: int | None = None) -> Case:
    world = world or closed()
    return find_case(key, ports_of(world), world.now, row)


def refused(act: Callable[[], object]) -> tuple[str, str, str]:
    with pytest.raises(CaseRefused) as found:
        act()
    return found.value.reason, str(found.value), found.value.field


def lost() -> World:
    """The pinned version of the list is gone."""
    world = closed()
    pinned = world.campaign(CAMPAIGN).pinned
    world.lists.delete_version(pinned.key, pinned.version_id)
    return world


def test_without_its_list_a_case_can_be_declined_or_decided_by_an_amount() -> None:
    case = held(lost())
    assert (case.row, case.missing, case.holding, case.steps, list(case.tried())) == (None, (), None, (), [])
    assert refused(lambda: case.owed({})) == (
        "row_unreadable", "the pinned list or its row is gone; decide an amount, or decline", "",
    )  # fmt: skip
    assert refused(lambda: held(lost(), row=at("wrong fact"))) == (
        "list_gone", "the pinned list is gone, and its rows with it; goodwill can be given", "",
    )  # fmt: skip


def test_what_another_engine_decided_is_not_tried_by_this_one() -> None:
    case = held()
    old = replace(case, campaign=replace(case.campaign, engine="0"))
    assert refused(lambda: old.owed({})) == (
        "engine_changed", "another engine decided this campaign; decide an amount, or decline", "",
    )  # fmt: skip
    world = closed()
    with pytest.raises(NoSample, match="another engine made this plan; plan it again to see rows of it"):
        sample_of(replace(world.campaign(CAMPAIGN), engine="0"), "a" * 64, ports_of(world))
    assert sample_of(world.campaign(CAMPAIGN), "a" * 64, ports_of(world))


def test_a_case_of_no_campaign_is_none() -> None:
    for key in (replace(HELD, seq=9), replace(HELD, incident_id="other-1")):
        assert refused(lambda key=key: held(key=key)) == ("not_a_case", "there is no such campaign", "")  # type: ignore[misc]


@pytest.mark.parametrize("state", State)
def test_no_case_is_decided_before_its_campaign_is_closed(state: State) -> None:
    world = closed()
    campaign, incident = world.campaign(CAMPAIGN), world.campaigns.incident(INCIDENT_ID)
    assert incident is not None
    found = campaign_closed_because(replace(campaign, state=state), incident, world.campaigns, world.now)
    expected = "campaign_not_closed", f"its campaign is {state}; a case is decided once its campaign is closed"
    assert found == (None if state is State.CLOSED else expected)


def test_a_case_is_decided_up_to_its_last_instant() -> None:
    world = closed()
    campaign, incident = world.campaign(CAMPAIGN), world.campaigns.incident(INCIDENT_ID)
    assert incident is not None
    until = campaign.decidable_until
    assert campaign_closed_because(campaign, incident, world.campaigns, until - MICROSECOND) is None
    assert campaign_closed_because(campaign, incident, world.campaigns, until) == (
        "too_late", "the time in which the incident may be decided is over; goodwill can still be given",
    )  # fmt: skip


def test_only_later_campaigns_that_set_a_campaign_off_are_later() -> None:
    world = closed()
    first, incident = world.campaign(CAMPAIGN), world.campaigns.incident(INCIDENT_ID)
    assert incident is not None
    follows = {1: (), 2: (1,), 3: (), 4: (1, 2), 5: (4,)}
    known = {CampaignId(INCIDENT_ID, seq): replace(first, id=CampaignId(INCIDENT_ID, seq), follows=before)
             for seq, before in follows.items()}  # fmt: skip

    class Campaigns:
        def campaign(self, campaign_id: CampaignId) -> Any:
            return known.get(campaign_id)

    some: Any = Campaigns()
    applied = replace(incident, applied=(1, 2, 3, 4, 5, 6))
    assert {seq: later_of(CampaignId(INCIDENT_ID, seq), applied, some) for seq in (1, 2, 3, 4, 5)} == {
        1: [2, 4], 2: [4], 3: [], 4: [5], 5: [],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "by", "shapes", "reason", "says", "field"),
    [
        ("line-1", "", {}, "subject_unknown", "the policy decides accounts; leave the subject out", "subject"),
        ("-", "line", {}, "subject_missing", "the policy decides each line; name it", "subject"),
        ("-", "", {"account_ids": IdShape(pattern="x")}, "account_shape",
         "expected an id as it was stated for this list: pattern x, 1 to 64 characters", "account"),
        ("line-1", "line", {"subject_ids": IdShape(pattern="x")}, "subject_shape",
         "expected an id as it was stated for this list: pattern x, 1 to 64 characters", "subject"),
        ("x ", "line", {"subject_ids": IdShape(pattern="x")}, "subject_shape",
         "expected the id exactly as the list's other rows have it", "subject"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_read_is_no_account_s_whose_id_no_row_could_have(
    subject: str, by: str, shapes: dict[str, Any], reason: str, says: str, field: str
) -> None:
    world = closed()
    campaign = world.campaign(CAMPAIGN)
    changed = replace(campaign, subject=by, layout=replace(campaign.layout, **shapes))

    class Campaigns:
        def __getattr__(self, name: str) -> Any:
            return getattr(world.campaigns, name)

        def campaign(self, _: CampaignId) -> Any:
            return changed

    some: Any = Campaigns()
    ports = replace(ports_of(world), campaigns=some)
    key = DecisionKey("anna-1", INCIDENT_ID, subject, 1)
    assert refused(lambda: find_case(key, ports, world.now, at("no account"))) == (reason, says, field)


def by_policy(case: Case, decision: Decision | None, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Any:
    """What deciding by the policy comes to where the policy comes to that."""
    from kulanz.application.cases.case import Owed  # noqa: PLC0415 (this helper alone)

    monkeypatch.setattr(Case, "owed", lambda _, facts: Owed(facts, decision, ()))
    return _by_way(replace(case, **changes), HandRequest("d-1", Way.POLICY, case.seen, "known_fact"))


EUROS = Benefit(money=Money(100, "EUR"), due=NEXT_BILL)


def test_what_the_policy_comes_to_is_granted_declined_or_refused_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    case = held()
    granted = Decision(Outcome.GRANTED, "credit", (EUROS,))
    assert by_policy(case, granted, monkeypatch) == (granted, None)
    assert by_policy(case, None, monkeypatch) == (Decision(Outcome.DECLINED, "granted_before"), None)
    assert by_policy(case, Decision(Outcome.DECLINED, "too_short"), monkeypatch) == (
        Decision(Outcome.DECLINED, "too_short"), None,
    )  # fmt: skip
    what_to_do = "supply the fact that it lacks, decide an amount, or decline"
    for outcome in (Outcome.HELD, Outcome.REFERRED):
        assert refused(lambda one=outcome: by_policy(case, Decision(one, "x"), monkeypatch)) == (  # type: ignore[misc]
            "policy_does_not_grant", f"with these facts the policy's outcome is {outcome}: {what_to_do}", "facts",
        )  # fmt: skip
    claimed = replace(granted, claimable=(EUROS,))
    assert refused(lambda: by_policy(case, claimed, monkeypatch)) == (
        "policy_does_not_grant",
        f"with these facts the policy's outcome is granted, with a part to claim: {what_to_do}",
        "facts",
    )
    unlimited = replace(granted, benefits=(EUROS, Benefit(quantity=UNLIMITED, unit="data")))
    assert refused(lambda: by_policy(case, unlimited, monkeypatch)) == (
        "unlimited",
        (
            "the policy gives something without a limit, and no person has one; decline, or request a campaign with the"
            " fact in its list"
        ),
        "facts",
    )
    assert case.row is not None
    dollars = replace(case.row, currencies=("USD",))
    assert refused(lambda: by_policy(case, granted, monkeypatch, row=dollars)) == (
        "currency_differs",
        "the row states another currency than the policy would pay: decide an amount, or decline",
        "facts",
    )
    assert by_policy(case, granted, monkeypatch, row=replace(case.row, currencies=("EUR",)))[0] == granted
    assert refused(lambda: by_policy(case, granted, monkeypatch, is_amended=True))[:2] == (
        "incident_amended",
        (
            "the incident was amended since, and the policy would decide by what was told before: request a further"
            " campaign, decide an amount, or decline"
        ),
    )


@pytest.mark.parametrize(("number", "tried"), [(TRIED_MOST, TRIED_MOST), (TRIED_MOST + 1, 0)])
def test_each_choice_is_tried_where_they_are_few(number: int, tried: int, monkeypatch: pytest.MonkeyPatch) -> None:
    choices = tuple(f"c{place}" for place in range(number))
    monkeypatch.setattr(Case, "holding", FactDeclaration("plan", "text", choices=choices))
    monkeypatch.setattr(Case, "owed", lambda _, facts: dict(facts))
    tries: list[Any] = list(held().tried())
    assert tries == [{"plan": choice} for choice in choices[:tried]]
    monkeypatch.setattr(Case, "holding", FactDeclaration("active", "yes_no"))
    tries = list(held().tried())
    assert tries == [{"active": "yes"}, {"active": "no"}]
    monkeypatch.setattr(Case, "holding", None)
    tries = list(held().tried())
    assert tries == [{}]
    assert list(replace(held(), row=None).tried()) == []
    case = held()
    assert list(replace(case, campaign=replace(case.campaign, engine="0")).tried()) == []


def test_what_cannot_be_written_is_held() -> None:
    fine = Decision(Outcome.GRANTED, "credit", (EUROS,))
    now = closed().now
    assert writable(fine, now) is fine
    large = replace(fine, benefits=(replace(EUROS, money=Money(10**40, "EUR")),))
    assert writable(large, now) == Decision(Outcome.HELD, "cannot_be_computed")


def hand(*benefits: Benefit) -> HandDecision:
    now = closed().now
    return HandDecision("d-1", now, Way.AMOUNT, Decision(Outcome.GRANTED, "x", benefits), "x", "X", "anna")


def test_a_decision_by_hand_draws_each_currency_once_and_nothing_that_is_no_money() -> None:
    benefits = (EUROS, Benefit(money=Money(0, "JPY")), Benefit(quantity="5", unit="call_minute"),
                Benefit(money=Money(7, "CHF")), EUROS)  # fmt: skip
    assert [(one.currency, one.month, one.amount) for one in _draws(hand(*benefits), "2026-03")] == [
        ("CHF", "2026-03", 7), ("EUR", "2026-03", 200),
    ]  # fmt: skip


def test_what_waits_is_over_at_its_end_and_its_hash_is_of_all_that_would_be_decided() -> None:
    one = Proposal(HELD, hand(EUROS), "s" * 64, 7)
    assert timedelta(days=14) == WAITS
    assert not one.is_over(one.hand.at + WAITS - MICROSECOND)
    assert one.is_over(one.hand.at + WAITS)
    others = [replace(one, key=replace(HELD, account_id="a")), replace(one, seen="t" * 64),
              replace(one, hand=hand(EUROS, EUROS)), replace(one, hand=replace(one.hand, person="ben"))]  # fmt: skip
    assert len({one.hash, *(other.hash for other in others)}) == 5
    assert replace(one, ttl=8).hash == one.hash


def test_what_was_decided_by_hand_is_counted_by_what_it_was_and_became() -> None:
    kinds = {(CaseKind.HELD, Outcome.GRANTED): 2, (CaseKind.HELD, Outcome.DECLINED): 3,
             (CaseKind.REJECTED, Outcome.GRANTED): 5}  # fmt: skip
    found = DecidedByHand(kinds, {})
    assert dict(found.by_kind()) == {CaseKind.HELD: 5, CaseKind.REJECTED: 5}
    assert dict(found.by_outcome()) == {Outcome.GRANTED: 7, Outcome.DECLINED: 3}
