"""Whose a move is: the channel that had the credit, and the biller's code that it was rejected with."""

from datetime import UTC, datetime

from kulanz.domain.decision import Benefit
from kulanz.domain.delivery.at_channels import AtChannels
from kulanz.domain.delivery.entries import CreditEntries, CreditEntry, EntryKind
from kulanz.domain.delivery.moved import moved_by
from kulanz.domain.delivery.standing import OTHER_CODES, CreditState, RejectedWith
from kulanz.domain.delivery.to_the_bill import ToTheBill
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.money import Money
from tests.support.billed import granted

AT = datetime(2026, 3, 2, tzinfo=UTC)
FIVE = Benefit(Money(500, "USD"))


def entry(kind: EntryKind, delivery: str = "", code: str = "", channel: str = "") -> CreditEntry:
    return CreditEntry(kind, AT, "x", f"{kind}/{delivery}", (0,), delivery=delivery, code=code, channel=channel)


def test_each_move_is_of_the_channel_that_had_the_credit_and_of_the_code_that_it_was_rejected_with() -> None:
    """What is due is at no channel, also where one had it before: so its void is of none."""
    story: CreditEntries = (
        entry(EntryKind.ASSIGNED, "billing/1"),
        entry(EntryKind.REJECTED, "billing/1", code="frozen"),
        entry(EntryKind.SEND_AGAIN, channel="letters:csv"),
        entry(EntryKind.ASSIGNED, "letters/7"),
        entry(EntryKind.REJECTED, "letters/7", code="moved away"),
    )
    ends = {
        EntryKind.WRITTEN_OFF: ("letters", "moved away"),
        EntryKind.VOIDED: ("letters", "moved away"),
        EntryKind.SEND_AGAIN: ("letters", "moved away"),
    }
    moves = [moved_by(story, at, 0, FIVE) for at in range(len(story))]
    assert [(one.channel, one.code) for one in moves] == [
        ("", ""), ("billing", "frozen"), ("billing", "frozen"), ("", ""), ("letters", "moved away"),
    ]  # fmt: skip
    for kind, expected in ends.items():
        last = moved_by((*story, entry(kind)), len(story), 0, FIVE)
        assert (last.channel, last.code) == expected
    due = *story[:3], entry(EntryKind.VOIDED)
    assert (moved_by(due, 3, 0, FIVE).channel, moved_by(due, 3, 0, FIVE).code) == ("", "")


def test_the_check_names_what_is_where_by_the_entries_and_not_by_the_counters() -> None:
    decided = granted(DecisionKey("A-1", "an-incident", "-", 1))
    entries = entry(EntryKind.ASSIGNED, "billing/1"), entry(EntryKind.REJECTED, "billing/1", code="frozen")
    found = AtChannels()
    found.take(decided, entries)
    assert found.broken([], lambda _: {"frozen"}) == [
        "USD rejected by billing: counters 0, entries 500 (in the smallest unit)",
        "USD rejected with frozen by billing: counters 0, entries 500 (in the smallest unit)",
    ]
    where = {"billing": {CreditState.REJECTED: 500}, "": {CreditState.DUE: 7, CreditState.VOIDED: 8}}

    def counted(code: RejectedWith) -> list[ToTheBill]:
        return [ToTheBill("USD", 500, 0, {CreditState.REJECTED: 500}, 0, 0, where, {("billing", code): 500})]

    assert found.broken(counted(RejectedWith("frozen")), lambda _: {"frozen"}) == []
    assert found.broken(counted(OTHER_CODES), lambda _: {"another"}) == []
    assert found.broken(counted(OTHER_CODES), lambda _: {"frozen"}) == [
        "USD rejected with other codes by billing: counters 500, entries 0 (in the smallest unit)",
        "USD rejected with frozen by billing: counters 0, entries 500 (in the smallest unit)",
    ]
