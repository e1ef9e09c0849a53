"""Counting, keeping and dating notices: of records that have one, and of offers by their own end."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.application.delivery.world import Booked
from kulanz.application.notices.keep_notices import kept_by_halt
from kulanz.application.notices.publish_notices import PublishPorts, Recorded, notice_values, publish_notices
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.decision import Benefit, Decision, Due, Notice, Outcome
from kulanz.domain.halt import Halt, HaltAction, Verb
from kulanz.domain.ledger.entries import Entry, decision_body
from kulanz.domain.money import Money
from kulanz.domain.time import format_instant
from tests.support.small_campaign import CAMPAIGN, ROWS, event, small_world
from tests.support.values import FIRST, NOW, entry
from tests.support.world import World


def granted() -> World:
    """A campaign that told some of its accounts, and others nothing."""
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


def test_what_was_seen_and_what_was_told_are_counted_apart() -> None:
    world = granted()
    records = [Recorded(Booked(one, ())) for one in world.ledger.all_entries()]
    told = [one for one in records if '"notice"' in one.now.entry.body]
    assert 0 < len(told) < len(records)
    world.topic.published.clear()
    done = publish_notices(records, PublishPorts(world.campaigns, world.topic, world.troubles), 2, FrozenCache())
    assert (done.decisions, done.recipients, done.messages) == (len(records), len(told), len(world.topic.published))


def test_a_halt_keeps_the_notices_of_campaigns_that_have_any_and_of_no_other() -> None:
    world = granted()
    action = HaltAction("h-1", Verb.SET, "a person", "a wrong file", world.now)
    told = next(one for one in world.ledger.all_entries() if '"notice"' in one.body)
    silent = replace(entry("a-1"), key=replace(told.key, incident_id="silent"))
    world.troubles.repaired(TroubleKind.NOTICES, CAMPAIGN, world.now)
    records = [Recorded(Booked(one, ())) for one in (silent, told)]
    assert not kept_by_halt(records, (), world.campaigns, world.troubles, world.now)
    world.campaigns.change_halt(world.campaigns.halt(), Halt(version=1, number=1, set=action), action)
    assert kept_by_halt(records, (), world.campaigns, world.troubles, world.now)
    assert [(one.kind, one.on) for one in world.troubles.troubles()] == [(TroubleKind.NOTICES, CAMPAIGN)]


def test_an_offer_is_told_with_its_own_end_also_when_it_was_accepted_since() -> None:
    """The item then holds the end of what was granted."""
    claim_until, expires_at = NOW + timedelta(days=30), NOW + timedelta(days=90)

    def values(outcome: Outcome, **more: Any) -> Any:
        decision = Decision(outcome, "credit", (Benefit(Money(500, "USD"), component="x"),), **more)
        body = decision_body(FIRST, "2", "0" * 64, "0" * 32, decision)
        found: Entry = entry("a-1", body, expires_at=expires_at)
        return notice_values(found, decision)["expires_at"]

    assert values(Outcome.OFFERED, claim_until=claim_until) == format_instant(claim_until)
    assert values(Outcome.GRANTED, claim_until=claim_until) == format_instant(expires_at)
    assert values(Outcome.GRANTED) == format_instant(expires_at)


def test_a_notice_says_of_the_first_benefit_alone_how_much_it_is_and_when_it_is_due() -> None:
    money = Benefit(Money(512, "USD"), component="x", due=Due(2, "weeks"))
    units = Benefit(quantity="7.5", unit="GB", component="y", due=Due(day="2026-12-24"))
    plain = Benefit(quantity="3", unit="call_minute", component="z")
    told = [
        (money, {"amount": "5.12", "currency": "USD", "due": "2 weeks"}),
        (units, {"quantity": "7.5", "unit": "GB", "due": "2026-12-24"}),
        (plain, {"quantity": "3", "unit": "call_minute"}),
    ]
    for order in permutations(told):
        decision = Decision(Outcome.GRANTED, "credit", tuple(benefit for benefit, _ in order))
        found: Entry = entry("a-1", decision_body(FIRST, "2", "0" * 64, "0" * 32, decision), effective_at=NOW)
        beside = {"reason": "credit", "effective_at": format_instant(NOW)}
        assert notice_values(replace(found, expires_at=None), decision) == beside | order[0][1]


def test_the_policys_own_values_fill_in_a_text_beside_ours_and_in_the_place_of_one_of_the_same_name() -> None:
    own = {"hours": "3.5", "reason": "storm", "amount": "half"}
    decision = Decision(
        Outcome.GRANTED, "credit", (Benefit(Money(512, "USD"), component="x"),), Notice("told", "en", "sms", own)
    )
    found: Entry = entry("a-1", decision_body(FIRST, "2", "0" * 64, "0" * 32, decision), effective_at=NOW)
    ours = {"currency": "USD", "effective_at": format_instant(NOW)}
    assert notice_values(replace(found, expires_at=None), decision) == ours | own
