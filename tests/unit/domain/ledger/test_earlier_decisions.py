"""What stands about a subject is added up over all its decisions, and says whether a person decided any of it."""

from datetime import UTC, datetime, timedelta

import pytest

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.ledger.earlier_decisions import Before, stands_before
from kulanz.domain.ledger.entries import DecisionKey, Entry, Lifetime, decided_by_hand, decision_body, new_entry
from kulanz.domain.ledger.hand_decision import HandDecision, Way
from kulanz.domain.money import Money

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GRANTED = Decision(Outcome.GRANTED, "credit", (Benefit(money=Money(500, "EUR")),))
HELD = Decision(Outcome.HELD, "fee_unknown")
DECLINED = Decision(Outcome.DECLINED, "goodwill_refused")


def entry(seq: int, decision: Decision, by_hand: Decision | None = None) -> Entry:
    key = DecisionKey("a-1", "outage", "-", seq)
    body = decision_body(CampaignId("outage", seq), "3", "policy", "0" * 32, decision)
    made = new_entry(key, 0, body, decision, Lifetime.of(decision, NOW, NOW))
    if by_hand is None:
        return made
    hand = HandDecision(
        "h-1", NOW + timedelta(days=1), Way.AMOUNT, by_hand, "reason", "A reason", "iam:arn:aws:iam::1:user/a"
    )
    return decided_by_hand(made, hand)


STANDS = [
    ("nobody", [entry(1, GRANTED), entry(2, GRANTED)], Before(Outcome.GRANTED, (("EUR", 1_000),))),
    ("a person granted", [entry(1, HELD, GRANTED)], Before(Outcome.GRANTED, (("EUR", 500),), is_by_hand=True)),
    ("and a policy after that", [entry(1, HELD, GRANTED), entry(2, GRANTED)],
     Before(Outcome.GRANTED, (("EUR", 1_000),), is_by_hand=True)),
    ("a person declined beside a policy's grant", [entry(1, GRANTED), entry(2, HELD, DECLINED)],
     Before(Outcome.GRANTED, (("EUR", 500),))),
    ("a person declined", [entry(1, HELD, DECLINED)], Before(Outcome.DECLINED, ())),
]  # fmt: skip


@pytest.mark.parametrize(("entries", "stands"), [one[1:] for one in STANDS], ids=[one[0] for one in STANDS])
def test_only_what_a_person_granted_is_a_persons(entries: list[Entry], stands: Before) -> None:
    assert stands_before(entries) == stands
