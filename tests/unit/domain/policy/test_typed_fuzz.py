"""Policies that fit together by kind, and rows at the edges of every type: each row is decided, told, and told alike.

Words put together at random are nearly always refused. Here every expression has the kinds that its place takes, so
that what is exercised is the evaluation: fractions where whole numbers are usual, the first and the last day of the
calendar, windows over eons, and values that are unknown or wrong.
"""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.incident import Incident
from kulanz.domain.lists.facts import INVALID
from kulanz.domain.money import MAX_MINOR_UNITS
from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.explaining.benefits import worth_words
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.policy.explaining.wording import spoken
from kulanz.domain.time import Window
from tests.unit.domain.policy.rulebook import compiled, incident, written

HEAD = """currency: EUR
working_days: DE
facts: {fee: money, n: number, t: text, d: day, i: instant, l: list, w: windows, a: amounts, m: numbers, s: dates,
  b: yes_no, place: zone}
"""
GRAMMAR: dict[str, tuple[str, ...]] = {
    "money": (
        "fee", "5 EUR", "0 EUR", "{number} * {money}", "{money} + {money}", "{money} - {money}", "-{money}",
        "max({money}, {money})", "min(nothing, {money})", "if({yes}, {money}, {money})", "mean(a)", "sum(a)", "max(a)",
        "max(at_least(a, {money}))",
        "first_known({money}, {money})", "{money} * {duration} / {duration}", "{money} / {number}", "round({money})",
        'round({money}, {money}, "half_even")',
    ),
    "number": (
        "n", "12", "0", "12.5%", "1.5", "-{number}", "count({outage})", "days({outage})", "days({period})",
        "days_with_more_than({outage}, {duration})", "days_with_at_least({outage}, {duration})", "sum(m)", "mean(m)",
        "{duration} / {duration}", "{money} / {money}", "{day} - {day}", "full({money}, {money})", "max(m)", "min(m)",
        "begun({duration}, {duration})", "most_in_a_year({outage}, {number})", "working_days({day}, {day})",
        "count(s)", "count(during(s, {period}))", "{number} * {number}", "{number} / {number}", "{number} + {number}",
        "round({number}, {number})", "if({yes}, {number}, {number})", "count(l)",
        "count(below(m, {number}))", "count(at_least(s, {day}))",
    ),
    "duration": (
        "24 h", "90 s", "0 h", "total({outage})", "longest({outage})", "{instant} - {instant}", "length({period})",
        "{number} * {duration}", "{duration} / {number}", "{duration} + {duration}", "max({duration}, {duration})",
    ),
    "instant": (
        "i", "incident_start", "incident_end", "decided_at", "start({outage})", "end({outage})", "start_of({day})",
        "end_of({day})", "at({day}, {clock})", "{instant} + {duration}", "{instant} - {duration}", "start({period})",
        "{instant} + {span}", "2024-02-29T10:00:00Z", "end({period})", "if({yes}, {instant}, {instant})",
        "max({instant}, {instant})", "first_known({instant}, {instant})",
    ),
    "day": (
        "d", "2024-02-29", "day({instant})", "{day} + {span}", "{day} + {number} * 1 working day", "{day} - 3 days",
        "{day} - {number} * 1 month", "min({day}, {day})",
    ),
    "span": ("{number} * 1 day", "3 days", "{number} * 1 month"),
    "clock": ("18:00", "24:00", "00:00", "02:30", "time_of_day({instant})", "max({clock}, {clock})"),
    "outage": (
        "outage", "w", "windows", "after({outage}, {instant})", "before({outage}, {instant})",
        "during({outage}, {period})", "overlap({outage}, {outage})", "together({outage}, {outage})",
        "without({outage}, {outage})", "daily({outage}, {clock}, {clock})", 'weekdays({outage}, ["sat", "sun"])',
        "on_working_days({outage})", "merge({outage}, {duration})", "at_least({outage}, {duration})",
        "longer_than({outage}, {duration})", "stretch({instant}, {instant})", "if({yes}, {outage}, {outage})",
    ),
    "period": (
        "month({day})", "quarter({instant})", "half_year({day})", "year({day})", "year({instant}, 4)",
        "billing_period({day}, {number})", "period({instant}, {instant})",
    ),
    "yes": (
        "b", "yes", "{money} > {money}", "{number} <= {number}", "{duration} >= {duration}", "{instant} < {instant}",
        "{day} = {day}", "{clock} > {clock}", "{yes} and {yes}", "{yes} or {yes}", "not {yes}", "{day} is known",
        "is_working_day({day})", 'weekday({day}) in ["sat", "sun"]', 'starts_with(t, "x")', 'l has "x"', 't = "x"',
        "n in [1, 2]", "{outage} is unknown",
    ),
}  # fmt: skip
LONG_AGO, FAR_AHEAD = datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
CLOCKS_FORWARD = datetime(2026, 3, 29, 1, 30, 0, 1, tzinfo=UTC)
VALUES: dict[str, tuple[Any, ...]] = {
    "text": ("x", "xy"),
    "yes_no": (True, False),
    "number": (0, 1, 3, -1, Fraction(5, 2), 10**15 - 1, Fraction(1, 10**12), -(10**15)),
    "money": (0, 1, 4999, MAX_MINOR_UNITS),
    "instant": (CLOCKS_FORWARD, CLOCKS_FORWARD + timedelta(hours=40), LONG_AGO, FAR_AHEAD),
    "day": (date(2024, 2, 29), date(2026, 3, 29), date(2026, 3, 30), date.min, date.max),
    "list": ((), ("x",)),
    "windows": (
        (),
        (Window(CLOCKS_FORWARD, None),),
        (Window(datetime(2026, 3, 28, 20, tzinfo=UTC), datetime(2026, 3, 30, 20, tzinfo=UTC)),),
        (Window(LONG_AGO, FAR_AHEAD),),
    ),
    "amounts": ((), (100, 333), (MAX_MINOR_UNITS,) * 50),
    "numbers": ((), (Fraction(1, 3), 15), (Fraction(15, 2), Fraction(15, 2))),
    "dates": ((), (date.min, date.max, date(2024, 2, 29))),
    "zone": ("Europe/Berlin", "Pacific/Apia", "America/St_Johns", "Australia/Lord_Howe"),
}
HAPPENED: tuple[Incident, ...] = (
    incident(("2026-03-28T20:00:00Z", "2026-03-30T09:00:00Z"), cause="storm"),
    incident(("2026-10-24T20:00:00Z", "2026-10-25T09:00:00.5Z"), ("2026-12-30T20:00:00Z", None)),
    incident(),
)


@st.composite
def expressions(draw: st.DrawFn, kind: str, levels: int = 2) -> str:
    """Give an expression of a kind, its operands in brackets."""
    forms = GRAMMAR[kind] if levels else tuple(form for form in GRAMMAR[kind] if "{" not in form)
    form = draw(st.sampled_from(forms or GRAMMAR[kind]))
    while "{" in form:
        before, rest = form.split("{", 1)
        wanted, after = rest.split("}", 1)
        form = f"{before}({draw(expressions(wanted, max(levels - 1, 0)))}){after}"
    return form


@st.composite
def policies(draw: st.DrawFn) -> str:
    """Give a policy that uses expressions wherever it can."""

    def quoted(kind: str, before: str = "") -> str:
        return "'" + before + draw(expressions(kind)).replace("'", "''") + "'"

    zone = draw(st.sampled_from(["place", "Europe/Berlin", "America/St_Johns"]))
    exposed = f"from: {quoted('instant')}, without: [{{from: {quoted('instant')}, until: decided_at}}]"
    exposed = exposed.replace("outage", "windows")  # which an exposure makes
    lines = [
        f"zone: {zone}\n{HEAD}values:\n  v: {quoted(draw(st.sampled_from(sorted(GRAMMAR))))}",
        f"  banded:\n    by: {quoted('number')}\n    tiers: {{at least 2: {quoted('money')}, otherwise: 1 EUR}}",
        f"  stepped:\n    count: {quoted('number')}\n    steps: {{1 to 2: nothing, from 3: {quoted('money')}}}",
        f"exposure: {{{exposed}}}" if draw(st.booleans()) else "",
        f"who: [{{hold: wait, when: {quoted('yes')}}}]" if draw(st.booleans()) else "",
    ]
    head = f"when: {quoted('yes', 'b or ')}, pay: {draw(st.sampled_from([quoted('money'), 'banded', 'stepped']))}"
    each = draw(
        st.sampled_from(
            ["", ", for_each: outage", ", for_each: day", ", for_each: calendar year", ", for_each: year from June"]
        )
    )
    valid = f"valid: {{from: {quoted('day')}, until: {quoted('instant')}}}"
    claim = f"mode: {{claim: {{at: {quoted('instant')}, until: {quoted('day')}}}}}"
    mode = draw(st.sampled_from(["half_up", "half_even", "half_down", "up", "down"]))
    stage = draw(st.sampled_from(["step", "head", "total"]))
    several = [
        f"  - {{name: one, {head}{each}}}",
        f"  - {{name: two, pay: {quoted('money')}, {claim}}}",
        f"  - {{name: three, give: {{quantity: {quoted('number')}, unit: GB, {valid}}}}}",
        f"  - {{name: four, give: {{quantity: {quoted('number')}, unit: GB}}}}",
    ]
    lines += ["heads:", *draw(st.lists(st.sampled_from(several), min_size=1, max_size=3, unique=True))]
    per = draw(st.sampled_from(["incident", "calendar year", "year from June"]))
    further = [
        f"compose: {draw(st.sampled_from(['sum', 'max', 'first']))}",
        f"cap: {{at: {quoted('money')}, per: {per}}}",
        f"payout: [{{decline: little, when: {quoted('money', 'amount < ')}}}]",
        f"rounding: {{mode: {mode}, stage: {stage}, to: {draw(st.sampled_from(['0.01', '0.05']))} EUR}}",
        "notice: {values: {v: v}, texts: {granted: {en: {subject: a, text: b}}}}",
    ]
    lines += draw(st.lists(st.sampled_from(further), max_size=4, unique=True))
    return written("\n".join(lines))


@settings(max_examples=60, deadline=None)
@given(policies(), st.sampled_from(HAPPENED), st.data())
def test_every_row_of_every_policy_is_decided_and_told_alike(
    text: str, happened: Incident, data: st.DataObject
) -> None:
    try:
        policy = compiled(text, happened)
    except PolicyError:
        return
    for _ in range(4):
        row = [data.draw(st.sampled_from((*VALUES[fact.type] * 6, None, INVALID))) for fact in policy.facts]
        decision, explanation = policy.decide(row), explain(policy, row)
        assert explanation.decision == decision
        assert Decision.from_body(decision.to_body()) == decision
        assert explanation.steps[-1].endswith(f"Reason: {spoken(decision.reason)}.")
        for benefit in decision.benefits:
            assert worth_words(benefit) in explanation.steps[-1]
            assert benefit.money is None or 0 < benefit.money.minor <= MAX_MINOR_UNITS
        assert bool(decision.benefits) == (decision.outcome in (Outcome.GRANTED, Outcome.OFFERED))
