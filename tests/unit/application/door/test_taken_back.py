"""What an answer says that voids took back of a decision: each void by itself, and who was behind it by role alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kulanz.application.delivery.world import Booked
from kulanz.application.door.taken_back import taken_back
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.decision import Benefit, Decision, Notice, Outcome
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.void import Void, VoidApproval
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body, remaining_of
from kulanz.domain.money import Money
from tests.unit.domain.delivery.test_reversals import ASSIGNED, SENT_BACK, answer, asked, back

AT = datetime.fromisoformat("2026-03-01T09:00:00+00:00")
CAMPAIGN = CampaignId("out", 1)
BENEFITS = tuple(Benefit(Money(500, currency)) for currency in ("EUR", "CHF", "EUR"))


def reduced(void: str, day: int, **sizes: int) -> CreditEntry:
    """An entry of a void that takes sizes of benefits, which are named by their places: `at_0=100`."""
    places = tuple(int(name.removeprefix("at_")) for name in sizes)
    at = AT + timedelta(days=day)
    return CreditEntry(EntryKind.REDUCED, at, "test", void, places, sizes=tuple(sizes.values()))


def told(*entries: CreditEntry, voids: tuple[Void, ...] = ()) -> list[dict[str, Any]]:
    decision = Decision(Outcome.GRANTED, "credit", BENEFITS)
    body = decision_body(CAMPAIGN, "3", "0" * 64, "row", decision)
    entry = Entry(DecisionKey("a-1", "out", "-", 1), body, decision.outcome, remaining_of(BENEFITS), AT, None, 0, 17)
    known: Any = type("Voids", (), {"void": staticmethod({one.id: one for one in voids}.get)})
    return [dict(one) for one in taken_back(Booked(entry, entries), known)]


def test_each_void_says_what_it_took_by_measure() -> None:
    found = told(
        reduced("void/1/first", 1, at_0=100, at_1=50, at_2=30),
        reduced("hand/1", 2, at_0=7),
        reduced("void/2/second/90", 3, at_2=40),
    )
    assert [(one["at"], one["void"], one["sums"]) for one in found] == [
        ("2026-03-02T09:00:00Z", "out/1/first", {"CHF": "50", "EUR": "130"}),
        ("2026-03-04T09:00:00Z", "out/2/second", {"EUR": "40"}),
    ]


@pytest.mark.parametrize("locale", ["", "de", "en"])
def test_of_what_was_given_again_no_notice_is_shown(locale: str) -> None:
    """Customers are told of what a void took; of what the biller undid they get it anew, and no notice says so."""
    entries: CreditEntries = (ASSIGNED, answer(EntryKind.ACCEPTED), asked(70), SENT_BACK)
    entries += (back(EntryKind.ACCEPTED), back(EntryKind.TAKEN_BACK))
    decision = Decision(Outcome.GRANTED, "credit", BENEFITS[:1], Notice("credited", "fr", "email"))
    body = decision_body(CAMPAIGN, "3", "0" * 64, "row", decision)
    entry = Entry(DecisionKey("a-1", "out", "-", 1), body, decision.outcome, remaining_of(BENEFITS), AT, None, 0, 17)
    known: Any = type("Voids", (), {"void": staticmethod(lambda _: None)})
    found = list(taken_back(Booked(entry, entries, locale), known))
    assert [one["sums"] for one in found] == [{"EUR": "70"}, {"EUR": "-70"}]
    assert [one.get("notice", {}).get("locale", "") for one in found] == [locale, ""]


def test_who_was_behind_it_is_said_by_role_and_number_and_no_name() -> None:
    void = Void(VoidId(CAMPAIGN, "first"), "wrong list", "arn:anna", "anna", AT)
    approvals = tuple(VoidApproval(f"arn:{name}", name, AT) for name in ("ben", "carla"))
    entry = reduced("void/1/first", 1, at_0=100)
    cases = {
        ("requester", 2, "wrong list"): (replace(void, approvals=approvals),),
        ("machine", 0, "wrong list"): (replace(void, requester=""),),
        ("machine", 0, ""): (),
    }
    for expected, voids in cases.items():
        (one,) = told(entry, voids=voids)
        assert (one["role"], one["approved_by"], one["reason"]) == expected
        assert not any(name in str(one) for name in ("anna", "ben", "carla"))
