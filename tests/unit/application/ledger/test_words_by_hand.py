"""What an answer says of a decision by hand: which row, who, how much, why, and with which facts."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz.application.ledger.answer import AnswerPorts, Explained, answer
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body
from kulanz.domain.ledger.hand_decision import CaseKind, CaseRow, HandDecision, Way
from kulanz.domain.money import Money

ID = CampaignId("outage", 4)
NOW = datetime(2026, 3, 31, 23, 30, tzinfo=UTC)
GRANTED = Decision(
    Outcome.GRANTED, "by_hand", (Benefit(Money(1_234, "EUR"), component="x"), Benefit(Money(50, "USD"), component="y"))
)
NOTHING = Decision(Outcome.DECLINED, "by_hand")
WORTH = "12.34 EUR, 0.50 USD"
REASON = "The reason: Long wait (long_wait)."
CONFLICT, REJECTED = CaseRow(CaseKind.CONFLICT, 77), CaseRow(CaseKind.REJECTED, 88)
CONTRADICTS = "The row at byte 77 of the list contradicts the decided one: a person looked at both."
RECOGNISED = "A person recognised whose row it is."


class Only:
    """One decision, and nothing else of its campaign."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry

    def of_account(self, account: str) -> list[Entry]:
        assert account == self.entry.key.account_id
        return [self.entry]

    def campaign(self, of: CampaignId) -> None:
        assert of == ID

    def incident(self, _: str) -> None:
        return None

    def campaigns_of(self, _: str) -> list[Any]:
        return []


def said(hand: HandDecision, status: Outcome, outcome: Outcome = Outcome.HELD) -> tuple[str, ...]:
    """The steps of a decision whose list and policy are gone: those of the person."""
    decision = Decision(outcome, "fee_unknown")
    body = decision_body(ID, "2", "0" * 64, "0" * 32, decision)
    entry = Entry(DecisionKey("a", ID.incident_id, "-", ID.seq), body, status, (), NOW, None, 0, 55, by_hand=hand)
    one: Any = Only(entry)
    (found,) = answer("a", ID.incident_id, AnswerPorts(one, one, one), NOW).decisions
    assert (found.explained, found.because, found.decision) == (Explained.LIST_GONE, "", decision)
    return found.steps


BY_AMOUNT = HandDecision("h-1", NOW, Way.AMOUNT, GRANTED, "long_wait", "Long wait", "anna")


@pytest.mark.parametrize(
    ("changes", "status", "steps"),
    [
        ({}, Outcome.GRANTED, [f"by a person of support: granted {WORTH}."]),
        (
            {"second": "ben", "second_id": "h-2"}, Outcome.GRANTED,
            [f"by a person of support, and a second person agreed: granted {WORTH}."],
        ),
        ({"decision": NOTHING}, Outcome.DECLINED, ["by a person of support: nothing is given."]),
        ({"row": REJECTED}, Outcome.GRANTED, [RECOGNISED, f"by a person of support: granted {WORTH}."]),
        (
            {"row": REJECTED, "decision": NOTHING}, Outcome.DECLINED,
            [RECOGNISED, "by a person of support: nothing is given."],
        ),
        (
            {"row": CONFLICT}, Outcome.GRANTED,
            [CONTRADICTS, f"by a person of support: granted {WORTH} beside what stands."],
        ),
        (
            {"row": CONFLICT, "decision": NOTHING}, Outcome.GRANTED,
            [CONTRADICTS, "by a person of support: nothing more is given."],
        ),
        (
            {"row": CONFLICT, "decision": NOTHING}, Outcome.DECLINED,
            [CONTRADICTS, "by a person of support: nothing is given."],
        ),
    ],
)  # fmt: skip
def test_the_row_the_persons_and_what_is_given_are_said_in_this_order_and_no_person_is_named(
    changes: Mapping[str, Any], status: Outcome, steps: list[str]
) -> None:
    found = list(said(replace(BY_AMOUNT, **changes), status))
    expected = [one if one in (RECOGNISED, CONTRADICTS) else f"Decided by hand on 2026-03-31 {one}" for one in steps]
    assert found == [*expected, REASON]
    assert not any(person in " ".join(found) for person in ("anna", "ben"))


SUPPLIED = "The person supplied what the list leaves open: fee = 20.00, segment = consumer. With that, by the policy:"


@pytest.mark.parametrize(
    ("facts", "earlier", "steps"),
    [
        ({}, {}, ["By the policy, with what is known now:"]),
        ({"segment": "consumer", "fee": "20.00"}, {}, [SUPPLIED]),
        ({}, {"EUR": "0"}, ["By the policy, with what is known now:"]),
        (
            {"segment": "consumer", "fee": "20.00"},
            {"USD": "205", "GB": "2", "EUR": "0"},
            [SUPPLIED, "Granted before for this incident: 2 GB, 2.05 USD. It is set off, and the rest is granted now."],
        ),
    ],
)
def test_by_the_policy_the_facts_supplied_and_what_was_set_off_are_said_too(
    facts: Mapping[str, str], earlier: Mapping[str, str], steps: list[str]
) -> None:
    hand = replace(BY_AMOUNT, way=Way.POLICY, facts=facts, earlier=earlier)
    assert list(said(hand, Outcome.GRANTED)[2:]) == steps
