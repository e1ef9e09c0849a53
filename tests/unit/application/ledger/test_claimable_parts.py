"""What can be claimed beside a part that was granted at once: accepted once, in time, and counted from then on."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rich.console import Console

from kulanz.application.door.accounts import ask_answer
from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import Entry, granted_benefits, read_decision
from kulanz.domain.time import parse_instant
from kulanz_cli.answers import show_answer
from tests.support.fake_offers import FakeOffers
from tests.support.small_campaign import INCIDENT_ID, event, sealed_policy
from tests.support.world import World

UNTIL = "2026-03-10T00:00:00Z"
POLICY = f"""
kulanz: 1
id: two-parts
version: {{version}}
title: A part at once and a part on request
currency: EUR
facts:
  fee: money
heads:
  - name: auto
    pay: fee
  - name: more
    pay: {{more}}
    give: {{{{quantity: 20, unit: call_minute, valid: 7 days}}}}
    mode:
      offer: {{{{until: {UNTIL}}}}}
"""
INSTANT = timedelta(microseconds=1)


def world(fee: str = "10.00", more: str = "30.00 EUR", **settings: Any) -> World:
    made = World(**settings)
    decide(made, 1, fee, more)
    return made


def decide(made: World, version: int, fee: str, more: str = "30.00 EUR") -> None:
    made.policies.publish("two-parts", version, sealed_policy(POLICY.format(version=version, more=more)))
    key = f"lists/{version}.csv"
    made.lists.upload(key, f"account_id,fee\na-1,{fee}\n".encode())
    made.publish(event(key=key, rows=1, policy="two-parts", policy_version=version, revision=version))
    made.run_until_quiet()


def accept(made: World, at: datetime | None = None) -> Entry:
    ports = AcceptPorts(made.ledger, made.stores, made.campaigns, FakeOffers(made.ledger, made.campaigns))
    return accept_offer("a-1", INCIDENT_ID, ports, "support", made.now if at is None else at)


def paid(made: World) -> int:
    entries = made.ledger.of_account("a-1")
    return sum(one.money.minor for entry in entries for one in granted_benefits(entry) if one.money is not None)


def told(made: World) -> str:
    printed = io.StringIO()
    show_answer(ask_answer(made.ask("a-1", INCIDENT_ID)), Console(file=printed, width=200))
    return printed.getvalue()


def test_it_is_granted_once_beside_the_rest() -> None:
    made = world()
    before = made.ledger.all_entries()[0]
    assert paid(made) == 1_000
    assert "kulanz accept a-1" in told(made)
    later = made.now + timedelta(days=2)
    granted = accept(made, later)
    assert paid(made) == 4_000
    assert granted.accepted_at == later
    assert granted.remaining == (1_000, 3_000, 20)
    assert (granted.effective_at, granted.body, granted.status) == (before.effective_at, before.body, Outcome.GRANTED)
    assert accept(made, later + timedelta(days=1)) == granted, "twice changes nothing"
    assert "kulanz accept" not in told(made)
    assert "claimable" in told(made)


@pytest.mark.parametrize(
    ("at_once", "claimed", "days"),
    [("", "", None), ("", ", valid: 7 days", None), (", valid: 7 days", "", None)]
    + [(f", valid: {one} days", f", valid: {other} days", max(one, other + 2)) for one, other in ((3, 9), (30, 7))],
)
def test_both_parts_end_with_the_later_end_and_never_where_one_of_them_does_not_end(
    at_once: str, claimed: str, days: int | None
) -> None:
    made, parts = World(), "{{quantity: 1, unit: {}{}}}"
    policy = (
        "kulanz: 1\nid: two-parts\nversion: 1\ntitle: Two\nfacts: {fee: text}\nheads:\n"
        f"  - {{name: auto, give: {parts.format('GB', at_once)}}}\n"
        f"  - {{name: more, give: {parts.format('call_minute', claimed)}, mode: {{offer: {{until: {UNTIL}}}}}}}\n"
    )
    made.policies.publish("two-parts", 1, sealed_policy(policy))
    made.lists.upload("lists/1.csv", b"account_id,fee\na-1,x\n")
    made.publish(event(key="lists/1.csv", rows=1, policy="two-parts"))
    made.run_until_quiet()
    (granted,) = made.ledger.all_entries()
    accepted = accept(made, granted.effective_at + timedelta(days=2))
    assert accepted.expires_at == (None if days is None else granted.effective_at + timedelta(days=days))


@pytest.mark.parametrize("days", [1, 399, 401, 3_000])
def test_what_is_accepted_is_kept_until_it_ends_and_as_long_as_what_is_decided(days: int) -> None:
    made = World()
    policy = POLICY.format(version=1, more="30.00 EUR").replace("valid: 7 days", f"valid: {days} days")
    made.policies.publish("two-parts", 1, sealed_policy(policy))
    made.lists.upload("lists/1.csv", b"account_id,fee\na-1,10.00\n")
    made.publish(event(key="lists/1.csv", rows=1, policy="two-parts"))
    made.run_until_quiet()
    (granted,) = made.ledger.all_entries()
    kept = granted.ttl - granted.effective_at.timestamp()
    at = granted.effective_at + timedelta(days=2)
    ends = at + timedelta(days=days)
    assert accept(made, at).ttl >= max(ends.timestamp(), at.timestamp() + int(kept))


def test_its_time_ends_half_open() -> None:
    end = parse_instant(UNTIL)
    assert read_decision(world().ledger.all_entries()[0].body).claim_until == end
    assert accept(world(), end - INSTANT).accepted_at == end - INSTANT
    with pytest.raises(OfferRefused) as refused:
        accept(world(), end)
    assert refused.value.reason == "offer_over"


def test_a_later_campaign_sets_off_what_was_accepted() -> None:
    made = world()
    accept(made)
    decide(made, 2, "15.00")
    assert paid(made) == 4_000, "nothing is paid a second time"
    (_, second) = made.ledger.of_account("a-1")
    decision = read_decision(second.body)
    assert second.status is Outcome.OFFERED
    assert [str(one.money.minor) for one in decision.benefits if one.money is not None] == ["500"]


def test_a_later_campaign_offers_again_what_was_not_accepted() -> None:
    made = world()
    decide(made, 2, "10.00")
    (first, second) = made.ledger.of_account("a-1")
    assert (first.status, second.status) == (Outcome.GRANTED, Outcome.OFFERED)
    assert accept(made).key.seq == 2
    assert paid(made) == 4_000


def test_what_is_accepted_late_is_kept_as_long_as_every_decision() -> None:
    for retention_days in (2, 30, 800):
        made = world(retention_days=retention_days, decidable_days=retention_days)
        offered = made.ledger.all_entries()[0]
        late = parse_instant(UNTIL) - INSTANT
        kept = datetime.fromtimestamp(accept(made, late).ttl, UTC) - late
        assert kept >= timedelta(days=retention_days)
        assert offered.accepted_at is None
