"""What a plan measures is the same in however many chunks a list was read."""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.campaigns.amounts import Amounts
from kulanz.domain.campaigns.measured import LARGEST_SHOWN, Commitment, Measured
from kulanz.domain.campaigns.repeats import Repeats
from kulanz.domain.decision import Benefit, Decision, Outcome, Validity
from kulanz.domain.money import Money

PARTS = ("amounts", "repeats", "commitment", "changed")
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


BEGAN = datetime(2026, 3, 1, tzinfo=UTC)
INSTANTS = st.none() | st.integers(0, 6).map(lambda days: BEGAN + timedelta(days=days))


@st.composite
def lines(draw: st.DrawFn) -> tuple[Decision, int, date | None]:
    """A decision of some lines, and the first day on which it is due."""

    def benefits(least: int) -> tuple[Benefit, ...]:
        drawn = draw(st.lists(st.tuples(st.integers(1, 4 * LARGEST_SHOWN), INSTANTS), min_size=least, max_size=2))
        return tuple(Benefit(money=Money(minor, "EUR"), validity=Validity(until=until)) for minor, until in drawn)

    outcome = draw(st.sampled_from((Outcome.GRANTED, Outcome.OFFERED, Outcome.HELD)))
    if outcome is Outcome.HELD:
        return Decision(outcome, "held"), draw(st.integers(1, 3)), None
    decision = Decision(outcome, "credit", benefits(1), claimable=benefits(0), claim_until=draw(INSTANTS))
    return decision, draw(st.integers(1, 3)), draw(st.none() | st.integers(1, 9).map(lambda day: date(2026, 4, day)))


@given(st.lists(lines(), min_size=1, max_size=30), st.data())
def test_what_a_plan_commits_to_is_the_same_however_its_parts_are_cut_and_in_whatever_order_they_are_added(
    found: Sequence[tuple[Decision, int, date | None]], data: st.DataObject
) -> None:
    whole, parts = Commitment(), [Commitment() for _ in range(data.draw(st.integers(1, 4)))]
    for offset, (decision, number, due) in enumerate(found):
        for one in (whole, data.draw(st.sampled_from(parts))):
            one.count(decision, number, 100 * offset, due)
    added = Commitment()
    for part in data.draw(st.permutations(parts)):
        added.add(deepcopy(part))
    assert added == whole
    giving = [(one, number, due, 100 * offset) for offset, (one, number, due) in enumerate(found) if one.benefits]
    ends = [
        each.validity.until for one, *_ in giving for each in (*one.benefits, *one.claimable) if each.validity.until
    ]
    assert whole.first_end == min(ends, default=None)
    assert whole.first_due == min((due for _, _, due, _ in giving if due), default=None)
    claims = [one.claim_until for one, *_ in giving if one.outcome is Outcome.OFFERED or one.claimable]
    assert whole.claims_until == (None if None in claims else max((one for one in claims if one), default=None))
    sizes = [
        (sum(each.money.minor for each in one.benefits if each.money), number, at) for one, number, _, at in giving
    ]
    for shown in whole.in_order().get("EUR", ()):
        of = [(number, at) for size, number, at in sizes if size == shown.size]
        assert (shown.lines, shown.offset) == (sum(number for number, _ in of), min(at for _, at in of))
