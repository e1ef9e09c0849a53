"""The last instant, the largest quantity, the whole list: what a policy may come to, at its end and just beyond."""

from datetime import UTC, datetime

import pytest

from kulanz.domain.policy.deciding import judge
from kulanz.domain.policy.deciding.verdict import LARGEST_QUANTITY, MOST_BENEFITS
from kulanz.domain.time import MICROSECOND
from tests.unit.domain.policy.rulebook import compiled, incident, written

LAST = datetime.max.replace(tzinfo=UTC)
FIRST = datetime.min.replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("moved", "at", "reason"),
    [
        ("seen + 1 h", LAST - 3_600_000_000 * MICROSECOND, "credit"),
        ("seen + 1 h", LAST - 3_599_999_999 * MICROSECOND, "cannot_be_computed"),
        ("seen - 1 h", FIRST + 3_600_000_000 * MICROSECOND, "nothing_due"),
        ("seen - 1 h", FIRST + 3_599_999_999 * MICROSECOND, "cannot_be_computed"),
        ("seen + 0 h", LAST, "credit"),
        ("seen - 0 h", FIRST, "nothing_due"),
    ],
)
def test_time_is_counted_to_the_last_instant_of_the_calendar_and_is_not_known_beyond(
    moved: str, at: datetime, reason: str
) -> None:
    policy = compiled(written(f"facts: {{seen: instant}}\nwhen: {moved} > decided_at\npay: 1 EUR"))
    assert policy.decide([at]).reason == reason


@pytest.mark.parametrize(
    ("quantity", "given"),
    [
        ("0", ""), ("0.0000009", ""), ("0.000001", "0.000001"), ("0.0000014", "0.000001"), ("0.0000015", "0.000002"),
        ("1", "1"), (f"{LARGEST_QUANTITY}", "1000000000"), (f"{LARGEST_QUANTITY} + 0.000001", "quantity_too_large"),
        ("unlimited", "unlimited"),
    ],
)  # fmt: skip
def test_a_quantity_is_given_from_a_millionth_to_the_largest(quantity: str, given: str) -> None:
    decision = compiled(written(f'give: {{quantity: "{quantity}", unit: GB}}')).decide(())
    assert ([one.quantity for one in decision.benefits] or [decision.reason]) == [given or "nothing_due"]


@pytest.mark.parametrize(
    ("choose", "taken"),
    [(0, "nothing_due"), (1, "1"), (2, "2"), (5, "5"), (6, "cannot_be_computed"), (-1, "nothing_due")],
)
@pytest.mark.parametrize(
    "games", ["[Chess, Go, Skat, Whist, Ludo]", "{cards: [Skat, Whist], boards: [Chess, Go, Ludo]}"]
)
def test_a_customer_chooses_up_to_the_whole_list(choose: int, taken: str, games: str) -> None:
    give = "give: {choose: number, of: games, unit: game}\n"
    policy = compiled(written(f"facts: {{number: number}}\n{give}restrictions: {{games: {games}}}"))
    decision = policy.decide([choose])
    assert ([one.quantity for one in decision.benefits] or [decision.reason]) == [taken]


@pytest.mark.parametrize("more", [0, 1])
@pytest.mark.parametrize("heads", [1, 4])
def test_so_many_things_are_given_at_once_and_not_one_more(more: int, heads: int) -> None:
    count = MOST_BENEFITS + more
    each = [count // heads + (place < count % heads) for place in range(heads)]
    things = iter(range(count))
    lines = [
        f"- {{name: h{place}, give: [{', '.join(f'{{quantity: 1, unit: thing {next(things)}}}' for _ in range(n))}]}}\n"
        for place, n in enumerate(each)
    ]
    decision = compiled(written("heads:\n" + "".join(lines))).decide(())
    assert decision.reason == ("too_many_benefits" if more else "h0")
    assert len(decision.benefits) == (0 if more else MOST_BENEFITS)


def test_an_amount_is_worked_out_for_as_many_days_as_its_parts_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    days = ("2026-05-04T00:00:00Z", "2026-05-14T00:00:00Z")
    policy = compiled(written("for_each: day\npay: total(outage) / 24 h * 1 EUR"), incident(days))
    (component,) = policy._judge.components
    assert component.parts > 1
    monkeypatch.setattr(judge, "PARTS_OF_ALL_PIECES", 10 * component.parts)
    assert policy.decide(()).reason == "credit"
    monkeypatch.setattr(judge, "PARTS_OF_ALL_PIECES", 10 * component.parts - 1)
    assert policy.decide(()).reason == "cannot_be_computed"
