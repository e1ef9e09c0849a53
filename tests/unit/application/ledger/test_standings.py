"""How an account stands with an incident now: over all campaigns, by the clock, and by what can still be accepted."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.ledger.answer import AnsweredDecision, Explained
from kulanz.application.ledger.standing import Now, standings
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.decision import Benefit, Decision, Outcome, Validity
from kulanz.domain.ledger.entries import DecisionKey, Lifetime, decision_body, is_expired, new_entry
from kulanz.domain.money import Money

NOW = datetime(2026, 3, 1, tzinfo=UTC)
CLOSED: Any = SimpleNamespace(state=State.CLOSED)
STOPPED: Any = SimpleNamespace(state=State.CANCELLED)


def decided(
    seq: int, outcome: Outcome = Outcome.GRANTED, days: int | None = None, campaign: Any = CLOSED, **changes: Any
) -> AnsweredDecision:
    """A decision of a campaign about one subject, whose benefit ends so many days from now."""
    until = None if days is None else NOW + timedelta(days=days)
    benefits = (Benefit(money=Money(100 * seq, "EUR"), validity=Validity(until=until)),)
    made = Decision(outcome, "because", benefits if outcome in (Outcome.GRANTED, Outcome.OFFERED) else ())
    body = decision_body(CampaignId("outage", seq), "3", "policy", "0" * 32, made)
    lifetime = Lifetime.of(made, NOW - timedelta(days=100), NOW)
    entry = new_entry(DecisionKey("a-1", "outage", "-", seq), 0, body, made, lifetime)
    found = AnsweredDecision(entry, made, campaign, is_expired(entry, NOW), (), Explained.AGREES, made)
    return replace(found, **changes)


OFFERED, OVER = decided(2, Outcome.OFFERED), decided(2, Outcome.OFFERED, is_late=True)
LASTING, EXPIRED = decided(1, days=1), decided(1, days=0)
VOIDED = replace(LASTING, entry=replace(LASTING.entry, voided=((0, 100),)))
STATES = {
    "lasts": ([LASTING], Now.GRANTED),
    "ends at this very instant": ([EXPIRED], Now.EXPIRED),
    "one lasts": ([EXPIRED, decided(2, days=3)], Now.GRANTED),
    "lasts beside an open offer": ([LASTING, OFFERED], Now.GRANTED),
    "expired beside an open offer": ([EXPIRED, OFFERED], Now.OFFERED),
    "expired beside an offer that is over": ([EXPIRED, OVER], Now.EXPIRED),
    "an open offer": ([OFFERED], Now.OFFERED),
    "an offer that is over": ([OVER], Now.OFFER_ENDED),
    "an offer that a later campaign replaced": ([decided(2, Outcome.OFFERED, has_ended=True)], Now.OFFER_ENDED),
    "an offer of a stopped campaign": ([decided(2, Outcome.OFFERED, campaign=STOPPED)], Now.OFFER_ENDED),
    "all of it was taken back": ([VOIDED], Now.VOIDED),
    **{
        f"{became.value} after all was taken back": ([VOIDED, decided(2, outcome)], became)
        for outcome, became in (
            (Outcome.DECLINED, Now.DECLINED),
            (Outcome.HELD, Now.HELD),
            (Outcome.REFERRED, Now.REFERRED),
        )
    },
    "an offer ended after all was taken back": ([VOIDED, OVER], Now.OFFER_ENDED),
    "declined, then held": ([decided(1, Outcome.DECLINED), decided(2, Outcome.HELD)], Now.HELD),
}


@pytest.mark.parametrize("what", STATES)
def test_what_can_be_used_counts_before_what_can_be_accepted_and_that_before_what_is_over(what: str) -> None:
    found, state = STATES[what]
    for order in (found, found[::-1]):
        (standing,) = standings(order)
        assert standing.state is state


@pytest.mark.parametrize(
    ("days", "until", "granted", "expired"),
    [
        ((3, 9), 9, 300, 0),
        ((9, 3), 9, 300, 0),
        ((3, None), None, 300, 0),
        ((-2, 3), 3, 300, 100),
        ((-2, -5), -2, 300, 300),
    ],
)
def test_it_can_be_used_until_the_latest_end_of_what_is_left(
    days: tuple[int | None, int | None], until: int | None, granted: int, expired: int
) -> None:
    (standing,) = standings(decided(seq, days=one) for seq, one in enumerate(days, 1))
    assert standing.usable_until == (None if until is None else NOW + timedelta(days=until))
    assert (standing.granted, standing.expired) == ({"EUR": granted}, {"EUR": expired} if expired else {})
