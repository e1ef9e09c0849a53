"""The guide said once more, by brute force: time as sets of ten-minute cells, and explanations read as arithmetic.

Nothing here uses how the language computes. A cell belongs to the day, month or hour that the zone's clock shows at its
start; a formula's value is worked out beside its text; an explanation is read as the sums that it tells.
"""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from kulanz.domain.policy.document.yaml_source import days_off
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import Window, zone_of
from tests.unit.domain.policy.rulebook import compiled, incident, written

CELL = timedelta(minutes=10)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAYS = frozenset(days_off("DE")[0])
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "America/St_Johns")
BEGINNINGS = [
    datetime(*day, tzinfo=UTC)
    for day in (
        *((2026, 3, 28), (2026, 10, 24), (2026, 3, 7), (2026, 10, 31), (2026, 4, 4), (2026, 10, 3)),
        *((2026, 2, 14), (2026, 3, 21), (2028, 2, 27), (2026, 12, 30), (2026, 4, 2)),
    )
]
"""Days before clocks change in one of the zones, before a leap day, the end of a year and a holiday."""

type Cells = frozenset[datetime]
type Spans = list[tuple[datetime, datetime]]


def cells_of(spans: Iterable[tuple[datetime, datetime]]) -> Cells:
    return frozenset(start + n * CELL for start, end in spans for n in range((end - start) // CELL))


def runs(cells: Cells) -> Spans:
    """Give the uninterrupted stretches of cells."""
    starts = sorted(cell for cell in cells if cell - CELL not in cells)
    ends = sorted(cell + CELL for cell in cells if cell + CELL not in cells)
    return list(zip(starts, ends, strict=True))


def kept(cells: Cells, keeps: Callable[[timedelta], bool]) -> Cells:
    return cells_of((start, end) for start, end in runs(cells) if keeps(end - start))


def merged(cells: Cells, under: timedelta) -> Cells:
    pauses = [(end, start) for (_, end), (start, _) in pairwise(runs(cells)) if start - end < under]
    return cells | cells_of(pauses)


def shown(cells: Cells, zone: ZoneInfo, tells: Callable[[datetime], bool]) -> Cells:
    """Give the cells at whose start the zone's clock tells something."""
    return frozenset(cell for cell in cells if tells(cell.astimezone(zone)))


def first_cell(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """Give the first cell of a day at which the clock shows a time or a later one."""
    cell = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    while ((local := cell.astimezone(zone)).date(), local.hour * 60 + local.minute) < (day, minutes):
        cell += CELL
    return cell


def daily(cells: Cells, start: int, end: int, zone: ZoneInfo) -> Cells:
    days = {cell.astimezone(zone).date() + timedelta(days=before) for cell in cells for before in (-1, 0)}
    later = timedelta(days=start >= end)
    return cells & cells_of((first_cell(day, start, zone), first_cell(day + later, end, zone)) for day in days)


def of_each_day(cells: Cells, zone: ZoneInfo) -> list[timedelta]:
    days = [cell.astimezone(zone).date() for cell in cells]
    return [days.count(day) * CELL for day in set(days)]


def year_of(local: datetime, first_month: int) -> int:
    return local.year - (local.month < first_month)


def billing_start(day: date, billing_day: int) -> date:
    """Walk back to the billing day, or to the last day of a month that is too short for it."""
    while day.day != billing_day and not (day.day < billing_day and (day + timedelta(days=1)).day == 1):
        day -= timedelta(days=1)
    return day


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


@st.composite
def spans(draw: st.DrawFn, begin: datetime, smallest: int) -> Spans:
    lengths = st.sampled_from([1, 2, 3, 6, 12, 13, 36, 72, 144, 145, 288, 400])
    starts = st.lists(st.tuples(st.integers(0, 5 * 144), lengths), min_size=smallest, max_size=4)
    return [(begin + start * CELL, begin + (start + length) * CELL) for start, length in draw(starts)]


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.sampled_from(BEGINNINGS).flatmap(
        lambda begin: st.tuples(
            spans(begin, 1), spans(begin, 0), st.integers(0, 5 * 144).map(lambda n: begin + n * CELL)
        )
    ),
    st.lists(st.integers(0, 144).map(lambda n: n * 10), min_size=2, max_size=2, unique=True),
    st.sampled_from([10, 20, 60, 120, 600, 1380, 1430, 1440, 1450, 1500]),
    st.integers(0, 1),
    st.booleans(),
    st.integers(1, 31),
)
def test_time_is_measured_as_sets_of_it_are(
    name: str,
    happened: tuple[Spans, Spans, datetime],
    hours: list[int],
    minutes: int,
    months: int,
    is_exact: bool,
    billing_day: int,
) -> None:
    zone, (windows, others, moment) = zone_of(name), happened
    month = (moment.month - 1 + months) % 12 + 1  # which most of these moments are near to
    outage, other = cells_of(windows), cells_of(others)
    pauses = [start - end for (_, end), (start, _) in pairwise(runs(outage))]
    if is_exact and pauses:
        minutes = pauses[0] // timedelta(minutes=1)
    (start, end), threshold = hours, timedelta(minutes=minutes)
    days, local = of_each_day(outage, zone), moment.astimezone(zone)
    bill = billing_start(local.date(), billing_day)
    years = [year_of(first.astimezone(zone), month) for first, _ in runs(outage)]
    outages: dict[str, Cells] = {
        "outage": outage,
        f"daily(outage, {clock(start)}, {clock(end)})": daily(outage, start, end, zone),
        'weekdays(outage, ["sat", "mon"])': shown(outage, zone, lambda at: WEEKDAYS[at.weekday()] in ("sat", "mon")),
        "on_working_days(outage)": shown(
            outage, zone, lambda at: at.weekday() < 5 and at.date().isoformat() not in HOLIDAYS
        ),
        "overlap(outage, other)": outage & other,
        "together(outage, other)": outage | other,
        "without(outage, other)": outage - other,
        "after(outage, moment)": frozenset(cell for cell in outage if cell >= moment),
        "before(outage, moment)": frozenset(cell for cell in outage if cell < moment),
        f"merge(outage, {minutes} min)": merged(outage, threshold),
        f"at_least(outage, {minutes} min)": kept(outage, lambda length: length >= threshold),
        f"longer_than(outage, {minutes} min)": kept(outage, lambda length: length > threshold),
        "during(outage, month(moment))": shown(
            outage, zone, lambda at: (at.year, at.month) == (local.year, local.month)
        ),
        f"during(outage, year(moment, {month}))": shown(
            outage, zone, lambda at: year_of(at, month) == year_of(local, month)
        ),
        f"during(outage, billing_period(moment, {billing_day}))": shown(
            outage, zone, lambda at: billing_start(at.date(), billing_day) == bill
        ),
    }
    numbers = {
        "days(outage)": len(days),
        f"days_with_more_than(outage, {minutes} min)": sum(time > threshold for time in days),
        f"days_with_at_least(outage, {minutes} min)": sum(time >= threshold for time in days),
        f"most_in_a_year(outage, {month})": max(years.count(year) for year in years),
    }
    for text, cells in outages.items():
        numbers[f"total({text}) / 10 min"] = len(cells)
        numbers[f"count({text})"] = len(runs(cells))
        numbers[f"longest({text}) / 10 min"] = (
            max((end - start for start, end in runs(cells)), default=0 * CELL) // CELL
        )
    for part in range(0, len(numbers), 20):  # as many as a policy has heads
        expected = dict(list(numbers.items())[part : part + 20])
        heads = "".join(f"  - {{name: h{n}, pay: '(1 + {text}) * 1 KRW'}}\n" for n, text in enumerate(expected))
        policy = compiled(
            written(f"zone: {name}\nworking_days: DE\nfacts: {{moment: instant, other: windows}}\nheads:\n{heads}"),
            incident(*[(start.isoformat(), end.isoformat()) for start, end in windows]),
        )
        facts = {"moment": moment, "other": tuple(Window(start, end) for start, end in others)}
        decision = policy.decide([facts[fact.name] for fact in policy.facts])  # type: ignore[misc]
        paid = [benefit.money.minor - 1 for benefit in decision.benefits if benefit.money is not None]
        assert dict(zip(expected, paid, strict=True)) == expected


FACTS = {"alpha": Fraction(5, 2), "beta": Fraction(3), "gamma": Fraction(-2)}


LEAVES = FACTS | {text: Fraction(text) for text in ("0", "1", "2", "10", "0.5")}


def rounded(value: Fraction, mode: str) -> Fraction:
    """Give the nearest whole number; of two that are as near, or where the mode asks for it, the one that it names."""
    low = value.__floor__()
    around = [low, low + (low != value)]
    named = {
        "half_up": max(around, key=abs),
        "half_even": around[low % 2],
        "half_down": min(around, key=abs),
        "up": max(around, key=abs),
        "down": min(around, key=abs),
    }[mode]
    is_tie = value - around[0] == around[1] - value
    nearest = min(around, key=lambda whole: abs(whole - value))
    return Fraction(named if is_tie or mode in ("up", "down") else nearest)


OPERATIONS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "({a}) + ({b})": lambda x, y: x + y,
    "({a}) - ({b})": lambda x, y: x - y,
    "({a}) * ({b})": lambda x, y: x * y,
    "({a}) / 4": lambda x, _: x / 4,
    "50% of ({a})": lambda x, _: x / 2,
    "-({a})": lambda x, _: -x,
    "max({a}, {b}, 1)": lambda x, y: max(x, y, Fraction(1)),
    "min({a}, {b}, 1)": lambda x, y: min(x, y, Fraction(1)),
    "full({a}, 2)": lambda x, _: Fraction(max(0, (x / 2).__floor__())),
    "begun({a}, 2)": lambda x, _: Fraction(max(0, (x / 2).__ceil__())),
    "if(({a}) > 1, {b}, {a})": lambda x, y: y if x > 1 else x,
    "round({a}, 1)": lambda x, _: rounded(x, "half_up"),
    'round({a}, 1, "half_even")': lambda x, _: rounded(x, "half_even"),
    'round({a}, 1, "half_down")': lambda x, _: rounded(x, "half_down"),
    'round({a}, 1, "up")': lambda x, _: rounded(x, "up"),
    'round({a}, 1, "down")': lambda x, _: rounded(x, "down"),
}


@st.composite
def formulas(draw: st.DrawFn, levels: int = 3) -> tuple[str, Fraction]:
    """Give a formula and what it comes to."""
    form = draw(st.sampled_from([*LEAVES, *OPERATIONS] if levels else sorted(LEAVES)))
    if form in LEAVES:
        return form, LEAVES[form]
    (a, x), (b, y) = draw(formulas(levels - 1)), draw(formulas(levels - 1))
    return form.format(a=a, b=b), OPERATIONS[form](x, y)


class Told:
    """Reads a sentence of an explanation as arithmetic, from left to right, and checks every result in brackets."""

    def __init__(self, sentence: str) -> None:
        self.words = re.findall(r"-?[0-9]+(?:\.[0-9]+)?%?|[a-z]+|[(),=]", sentence)

    def accept(self, *words: str) -> bool:
        found = tuple(self.words[: len(words)]) == words
        del self.words[: len(words) * found]
        return found

    def number(self) -> Fraction:
        word = self.words.pop(0)
        return Fraction(word.rstrip("%")) / (100 if word.endswith("%") else 1)

    def told(self) -> Fraction:
        """Read a formula with its result and the reasons for its branches, as far as they are told."""
        value = self.formula()
        if self.accept("="):
            assert self.number() == value
        while self.accept(",", "because"):
            compared = self.formula()
            assert self.accept("is")
            exceeds = not self.accept("not")
            assert self.accept("more", "than")
            assert (compared > self.number()) is exceeds
        return value

    def formula(self) -> Fraction:
        value = self.operand()
        while True:
            if self.accept("plus"):
                value += self.operand()
            elif self.accept("minus"):
                value -= self.operand()
            elif self.accept("times") or self.accept("of"):
                value *= self.operand()
            elif self.accept("divided", "by"):
                value /= self.operand()
            elif self.accept("rounded"):
                words = self.words[: self.words.index("to")]
                del self.words[: len(words)]
                assert self.accept("to", "a", "multiple", "of", "1")
                value = rounded(value, "_".join(words) or "half_up")
            else:
                return value

    def operand(self) -> Fraction:
        if self.accept("("):
            value = self.told()
            assert self.accept(")")
            return value
        if self.accept("minus"):
            return -self.operand()
        if self.accept("blocks", "of"):
            block, completed = self.operand(), self.accept("completed", "in") or not self.accept("begun", "in")
            blocks = self.formula() / block
            return Fraction(max(0, blocks.__floor__() if completed else blocks.__ceil__()))
        if self.accept("the"):
            extreme = max if self.words.pop(0) == "highest" else min
            assert self.accept("of")
            values = [self.formula()]
            while self.accept(",") or self.accept("and"):
                values.append(self.formula())
            return extreme(values)
        name = self.words[0]
        if name in FACTS:
            self.words.pop(0)
            assert self.number() == FACTS[name]
            return FACTS[name]
        return self.number()


@settings(max_examples=150, deadline=None)
@given(formulas())
def test_a_formula_comes_to_what_it_says_and_its_explanation_can_be_worked_out_by_hand(
    formula: tuple[str, Fraction],
) -> None:
    text, value = formula
    facts = "facts: {alpha: number, beta: number, gamma: number}"
    policy = compiled(
        written(f"{facts}\nvalues:\n  v: |-\n    {text}\nwhen: v = {value.numerator} / {value.denominator}\npay: 1 USD")
    )
    explanation = explain(policy, [FACTS[fact.name] for fact in policy.facts])
    assert explanation.decision.reason == "credit"
    sentence = next(step for step in explanation.steps if step.startswith("V: ")).removeprefix("V: ")
    assume("about" not in sentence)  # more decimals than are shown
    told = Told(sentence)
    assert told.told() == value
    assert not told.words


@st.composite
def owed(draw: st.DrawFn) -> tuple[Fraction, bool | None]:
    """Give what a head comes to, in cents, and whether its condition holds; None is one without condition."""
    cents = Fraction(draw(st.integers(-50, 900)), draw(st.sampled_from([1, 2, 3, 4, 7, 40])))
    return cents, draw(st.sampled_from([None, True, False]))


@settings(max_examples=150, deadline=None)
@given(
    st.lists(owed(), min_size=1, max_size=4),
    st.sampled_from(["sum", "max", "first"]),
    st.none() | st.fractions(-2, 2, max_denominator=3) | st.fractions(-900, 0, max_denominator=7),
    st.sampled_from(["half_up", "half_even", "half_down", "up", "down"]),
    st.sampled_from(["head", "total"]),
    st.sampled_from([1, 5, 100]),
)
def test_several_things_owed_are_composed_capped_rounded_and_told_as_the_guide_says(
    heads: list[tuple[Fraction, bool | None]], compose: str, room: Fraction | None, mode: str, stage: str, step: int
) -> None:
    """The cap is what is owed and some ``room``, so that a cent more or less matters."""

    def to_step(cents: Fraction) -> int:
        return int(rounded(cents / step, mode) * step)

    due = [cents for cents, holds in heads if holds is not False and cents > 0]
    due = {"sum": due, "max": sorted(due)[-1:], "first": due[:1]}[compose]
    exact = sum(due, Fraction(0))
    cap = None if room is None else max(exact + room, Fraction(0))
    allowed = exact if cap is None else min(exact, cap)
    cut = [max(Fraction(0), min(cents, allowed - sum(due[:place]))) for place, cents in enumerate(due)]
    one_by_one, at_once = sum(map(to_step, cut)), to_step(allowed)
    may_pass = cap is None or (allowed == exact and one_by_one <= cap)
    expected = at_once if stage == "total" else one_by_one if may_pass else min(one_by_one, at_once)

    lines = []
    for number, (cents, holds) in enumerate(heads):
        when = "" if holds is None else f", when: 1 {'<' if holds else '>'} 2, otherwise: unmet_{number}"
        lines.append(f"  - {{name: h{number}, pay: 0.01 USD * ({cents.numerator}) / {cents.denominator}{when}}}\n")
    limit = "" if cap is None else f"cap: {{at: 0.01 USD * {cap.numerator} / {cap.denominator}}}\n"
    rounding = f"rounding: {{mode: {mode}, stage: {stage}, to: {step / 100:.2f} USD}}\n"
    policy = compiled(written(f"compose: {compose}\n{rounding}{limit}heads:\n{''.join(lines)}"))
    explanation = explain(policy, ())
    decision = explanation.decision
    assert sum(benefit.money.minor for benefit in decision.benefits if benefit.money is not None) == expected
    unmet = [f"unmet_{number}" for number, (_, holds) in enumerate(heads) if holds is False]
    assert expected or decision.reason == ("nothing_due" if due else [*unmet, "nothing_due"][0])

    told = [step for step in explanation.steps if step.startswith(("Together", "Limited", "Rounded", "Each rounded"))]
    amounts = [re.findall(r"(-?[0-9.]+) USD", step)[0 if "Limited" in step else -1] for step in told]
    before = Fraction(amounts[-2]) * 100 if len(told) > 1 and "about" not in told[-2] else None
    if told and "about" not in told[-1]:
        assert Fraction(amounts[-1]) * 100 == expected
        assert before is None or to_step(before) == expected or told[-1].startswith(("Limited", "Each"))
    if told and told[-1].startswith("Each"):
        parts = re.findall(r"([0-9.]+) USD", told[-1].partition(": ")[2])[:-1]
        assert [Fraction(part) * 100 for part in parts] == [to_step(cents) for cents in cut if cents]
