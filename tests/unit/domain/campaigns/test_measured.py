"""What a plan measures is the same in however many chunks a list was read."""

from dataclasses import fields
from datetime import date

from kulanz.domain.campaigns.amounts import Amounts
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.repeats import Repeats
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.money import Money

PARTS = ("amounts", "repeats", "commitment")
COUNTS = tuple(one.name for one in fields(Measured) if one.name not in PARTS)


def test_every_count_of_two_ranges_is_the_sum_of_both() -> None:
    assert COUNTS
    both, other = Measured(), Measured()
    for name in COUNTS:
        setattr(both, name, 3)
        setattr(other, name, 4)
    both.add(other)
    assert {name: getattr(both, name) for name in COUNTS} == dict.fromkeys(COUNTS, 7)


def test_amounts_and_subjects_of_two_ranges_are_those_of_both() -> None:
    first, second, whole = Measured(), Measured(), Measured()
    for minor, measured in ((100, first), (250, second)):
        decision = Decision(Outcome.GRANTED, "credit", (Benefit(money=Money(minor, "EUR")),))
        for one in (measured, whole):
            one.amounts.count(decision)
            one.commitment.count(decision, 1, minor, date(2026, 3, minor // 50))
            one.repeats.see(7, "a-1", "-", f"{minor:032x}")
    first.add(second)
    assert first == whole
    assert first.amounts != Amounts()
    assert first.repeats != Repeats()
    assert (first.commitment.first_due, len(first.commitment.largest["EUR"])) == (date(2026, 3, 2), 2)
