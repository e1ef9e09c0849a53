"""Formulas that cannot be used: each is refused with the line, the field and what to do."""

from pathlib import Path

import pytest

from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.checking import load_policy
from tests.unit.domain.policy.rulebook import written
from tests.unit.domain.policy.test_bad_policies import assert_refused

FACTS = "currency: EUR\nfacts: {fee: money, count: number, who: text, since: day, seen: instant, plan: [a, b]}\n"
"""One line, so that what follows starts at line 7."""

NOT_A_FORMULA = {
    "a name that is not declared": (FACTS + "pay: fees", 7, "did you mean 'fee'?"),
    "a text without quotes": (FACTS + "when: who = somebody\npay: fee", 7, "quotes if it is a text"),
    "a text in YAML's quotes alone": (
        FACTS + 'pay: fee\nto: "transfer"',
        8,
        """to: 'transfer' is not known; declare it under facts, values or parameters, or write '"transfer"' if it is""",
    ),
    "a text without quotes in a line of tiers": (
        FACTS + "values: {x: {by: who, tiers: {is somebody: fee, otherwise: fee}}}\npay: x",
        7,
        "put it into quotes if it is a text",
    ),
    "the truth in another language": (FACTS + "pay: if(true, fee, 2 * fee)", 7, "'true' is not known; write: yes"),
    "a function of another language": (FACTS + "pay: floor(count) * fee", 7, "write: full(a, block)"),
    "a function that nothing resembles": (FACTS + "pay: xyzzy(count) * fee", 7, "known: after, at, at_least, before"),
    "a turnover": (FACTS + "when: fee < 30000000 EUR\npay: fee", 7, "expected at most 10000000.00 near"),
    "days for hours": (FACTS + "when: total(outage) > 2 days\npay: fee", 7, "23 to 25 hours: write 24 h for a length"),
    "hours divided by a day": (FACTS + "pay: fee * (total(outage) / 1 day)", 7, "or count days(outage)"),
    "a name with a unit": (FACTS + "when: since + count days > since\npay: fee", 7, "as in count * 1 day"),
    "a name in percent": (FACTS + "pay: fee * count%", 7, "a share of a name is its hundredth: / 100"),
    "a unit in other words": (FACTS + "when: total(outage) > 4 hrs\npay: fee", 7, "; write: h"),
    "not in": (FACTS + 'when: who not in ["a"]\npay: fee', 7, "write not in front of the whole comparison"),
    "is for equals": (FACTS + 'when: who is "a"\npay: fee', 7, "two values are compared with ="),
    "two comparisons in one": (FACTS + "when: 1 < count <= 3\npay: fee", 7, "each comparison out, with and between"),
    "a comparison without its left side": (FACTS + "when: count > 1 and < 3\npay: fee", 7, "each comparison out"),
    "a dollar sign": (FACTS + "pay: $5", 7, "currency after the amount: 5.00 EUR"),
    "a currency first": (FACTS + "pay: EUR 5", 7, "currency after the amount"),
    "an amount with a separator": (FACTS + "pay: 1,000.00 EUR", 7, "numbers have no separators"),
    "two equals signs": (FACTS + 'when: plan == "a"\npay: fee', 7, "a single = compares"),
    "and in signs": (FACTS + "when: count > 1 && count < 3\npay: fee", 7, "; write: and"),
    "or in capitals": (FACTS + "when: count > 1 OR count < 3\npay: fee", 7, "; write: or"),
    "a condition in the middle": (FACTS + "pay: fee if count > 1 else 0 EUR", 7, "write: if(condition, a, b)"),
    "money compared with a number": (FACTS + "when: fee > 5\npay: fee", 7, "say what the number is, such as 5.00 EUR"),
    "an outage compared with a duration": (
        FACTS + "when: outage > 4 h\npay: fee",
        7,
        "measure it, such as total(outage)",
    ),
    "the weekday of an instant": (FACTS + 'when: weekday(seen) = "sat"\npay: fee', 7, "found instant; use day(...)"),
    "a fee for time without its length": (FACTS + "pay: fee * total(outage) / 24", 7, "divide it by a duration"),
    "a rounding that is an amount": (
        FACTS + "pay: fee\nrounding: 0.05 CHF",
        8,
        "name: value; known here: mode, stage, to",
    ),
    "a misspelt entry": (FACTS + "pay: fee\nfor_eech: day", 8, "did you mean 'for_each'?"),
    "an unknown function": (FACTS + "pay: maxi(fee, fee)", 7, "did you mean 'max'?"),
    "no operator": (FACTS + "pay: fee fee", 7, "expected an operator"),
    "an open bracket": (FACTS + "pay: (fee", 7, "expected ')'"),
    "a stray sign": (FACTS + "pay: fee ^ 2", 7, "cannot read this"),
    "python": (FACTS + "pay: __import__('os').system('x')", 7, "cannot read this"),
    "an attribute": (FACTS + "pay: fee.__class__", 7, "is not known"),
    "an empty one": (FACTS + "pay: ''", 7, "expression"),
    "a long one": (FACTS + "pay: " + "fee + " * 300 + "fee", 7, "1000 characters"),
    "a long row of operators": (FACTS + "pay: " + "fee+" * 60 + "fee", 7, "at most 60 operators in a row"),
    "values that rest on one another without end": (
        FACTS + "values:\n" + "".join(f"  v{n}: v{n + 1} + 1\n" for n in range(300)) + "  v300: count\npay: fee",
        258,
        "at most 100 levels",
    ),
    "a square of a square of a square": (
        FACTS + "values:\n  v0: count\n" + "".join(f"  v{n}: v{n - 1} * v{n - 1}\n" for n in range(1, 40)) + "pay: fee",
        19,
        "at most 5000 parts",
    ),
    "an outage made from itself": (
        FACTS + "exposure: {from: start(outage)}\npay: full(total(outage), 1 h) * fee",
        7,
        "cannot use it; use windows",
    ),
    "a misspelt weekday": (FACTS + 'when: weekday(since) = "Sat"\npay: fee', 7, "'Sat' is not one of the choices mon"),
    "a nested one": (FACTS + "pay: " + "(" * 40 + "fee" + ")" * 40, 7, "levels"),
    "mixed currencies": (FACTS + "pay: fee + 5 USD", 7, "cannot mix EUR and USD"),
    "a sum of two currencies": (
        FACTS + "heads: [{name: a, pay: fee}, {name: b, pay: 5 USD}]\ncap: {at: fee}",
        None,
        "have no sum",
    ),
    "a condition on a sum of two currencies": (
        FACTS + "heads: [{name: a, pay: fee}, {name: b, pay: 5 USD}]\npayout: {hold: x, when: amount > fee}",
        8,
        "payout and mode only",
    ),
    "an amount where none is paid": (
        FACTS + "give: {quantity: 1, unit: GB}\npayout: {hold: x, when: amount > 5 EUR}",
        8,
        "where money of one currency is paid",
    ),
    "money plus a number": (FACTS + "pay: fee + 5", 7, "cannot combine"),
    "money times money": (FACTS + "pay: fee * fee", 7, "cannot multiply"),
    "money times a duration alone": (
        FACTS + "pay: fee * 2 h / 3",
        7,
        "gives money times a duration in EUR: fee * 2 h / 3; divide it by a duration, such as 24 h",
    ),
    "hours as an amount": (FACTS + "pay: total(outage)", 7, "expected money"),
    "a number as an amount": (FACTS + "pay: count", 7, "expected money"),
    "a condition as an amount": (FACTS + "pay: fee > 5 EUR", 7, "expected money"),
    "an amount as a condition": (FACTS + "when: fee\npay: fee", 7, "expected yes or no"),
    "a misspelt choice": (FACTS + 'when: plan = "c"\npay: fee', 7, "'c' is not one of the choices a, b"),
    "a misspelt choice in a list": (FACTS + 'when: plan in ["a", "c"]\npay: fee', 7, "not one of the choices"),
    "a day compared with an instant": (
        FACTS + "when: since > seen\npay: fee",
        7,
        "cannot compare an instant with a day",
    ),
    "a text compared by order": (FACTS + 'when: who > "a"\npay: fee', 7, "cannot do this with text"),
    "too few arguments": (FACTS + "pay: max(fee)", 7, "two or more"),
    "a wrong argument": (FACTS + "pay: total(fee) / 1 h * fee", 7, "expected outage"),
    "the items of an outage": (
        FACTS + "when: count(below(outage, 5 min)) > 0\npay: fee",
        7,
        "expected a list of numbers",
    ),
    "items compared with another kind": (
        FACTS.replace("who: text", "who: text, ns: numbers") + "when: count(below(ns, 5 min)) > 0\npay: fee",
        7,
        "expected number, found duration",
    ),
    "a day that does not exist": (FACTS + "when: since > 2023-02-29\npay: fee", 7, "a day that exists"),
    "a time that does not exist": (FACTS + "when: time_of_day(seen) > 24:01\npay: fee", 7, "a time of day"),
    "more decimals than the currency has": (FACTS + "pay: 5.001 EUR", 7, "at most 2 decimals"),
    "working days without a region": (
        FACTS + "when: since + 2 working days > since\npay: fee",
        7,
        "working_days: GB-ENG",
    ),
    "an amount before it is known": (FACTS + "when: amount > 5 EUR\npay: fee", 7, "payout and mode only"),
    "a value that needs itself": (FACTS + "values: {x: y, y: x}\npay: fee", 7, "cannot need itself"),
    "a table of neither kind": (FACTS + "values: {x: {lines: {}}}\npay: fee", 7, "tiers (by and tiers) or steps"),
    "tiers without otherwise": (FACTS + "values: {x: {by: count, tiers: {at least 1: fee}}}\npay: x", 7, "otherwise"),
    "tiers that leave a choice out": (
        FACTS + "values: {x: {by: plan, tiers: {'is \"a\"': fee}}}\npay: x",
        7,
        'add a last line `otherwise: ...`, or a line for each other choice: `is "b"`, so that every case has a value',
    ),
    "a tier after otherwise": (
        FACTS + "values: {x: {by: count, tiers: {otherwise: fee, at least 1: fee}}}\npay: x",
        7,
        "never be reached",
    ),
    "an unreachable tier": (
        FACTS + "values: {x: {by: count, tiers: {at least 1: fee, at least 2: fee, otherwise: fee}}}\npay: x",
        7,
        "never be reached: `at least 1`",
    ),
    "an unreachable tier of percentages": (
        FACTS + "values: {x: {by: count, tiers: {below 99%: fee, below 95%: fee, otherwise: fee}}}\npay: x",
        7,
        "never be reached: `below 99%`",
    ),
    "an exact value that a tier before holds": (
        FACTS + "values: {x: {by: count, tiers: {at least 5: fee, is 7: fee, otherwise: fee}}}\npay: x",
        7,
        "never be reached: `at least 5` stands",
    ),
    "a tier that two before it hold together": (
        FACTS + "values: {x: {by: count, tiers: {below 5: fee, more than 5: fee, is 5: fee, at most 9: fee}}}\npay: x",
        7,
        "never be reached: `below 5` and `more than 5` and `is 5` stand",
    ),
    "a choice that stands twice": (
        FACTS + "values: {x: {by: plan, tiers: {is 'a': fee, 'is \"a\"': fee, otherwise: fee}}}\npay: x",
        7,
        "never be reached",
    ),
    "a tier of another kind": (
        FACTS + "values: {x: {by: count, tiers: {at least 1 h: fee, otherwise: fee}}}\npay: x",
        7,
        "compare number, but this line gives duration",
    ),
    "tiers of mixed values": (
        FACTS + "values: {x: {by: count, tiers: {at least 1: fee, otherwise: 5}}}\npay: x",
        7,
        "expected money in EUR",
    ),
    "a tier in other words": (
        FACTS + "values: {x: {by: count, tiers: {over 1: fee, otherwise: fee}}}\npay: x",
        7,
        "a line such as",
    ),
    "steps that overlap": (
        FACTS + "values: {x: {count: count, steps: {1 to 3: fee, 3 to 4: fee}}}\npay: x",
        7,
        "never be reached",
    ),
    "steps after the open end": (
        FACTS + "values: {x: {count: count, steps: {from 1: fee, 5: fee}}}\npay: x",
        7,
        "never be reached",
    ),
    "steps backwards": (
        FACTS + "values: {x: {count: count, steps: {3 to 1: fee}}}\npay: x",
        7,
        "ends before it starts",
    ),
    "more tiers than the limit": (
        FACTS + "values:\n  x:\n    by: count\n    tiers:\n" + "".join(f"      is {n}: fee\n" for n in range(501)),
        10,
        "1 to 500 entries",
    ),
    "more steps than the limit": (
        FACTS + "values: {x: {count: count, steps: {1 to 1000000: fee}}}\npay: x",
        7,
        "expected steps such as",
    ),
    "steps that begin later": (
        FACTS + "values: {x: {count: count, steps: {3 to 4: fee, from 5: fee}}}\npay: x",
        7,
        "values.x.steps.3 to 4: say what comes before it, such as `1 to 2: nothing`",
    ),
    "steps with a gap": (
        FACTS + "values: {x: {count: count, steps: {1 to 2: fee, from 4: fee}}}\npay: x",
        7,
        "values.x.steps.from 4: say what comes before it, such as `3: nothing`",
    ),
    "steps that end": (
        FACTS + "values: {x: {count: count, steps: {1 to 2: fee, 3: fee}}}\npay: x",
        7,
        "values.x.steps: say what comes after them, such as `from 4: nothing`",
    ),
    "a price finer than the coin": (
        FACTS + "pay: 0.1534 EUR * count",
        7,
        "expected at most 2 decimals; for a price finer than that write 0.1534 * 1.00 EUR",
    ),
    "steps in words": (FACTS + "values: {x: {count: count, steps: {first: fee}}}\npay: x", 7, "expected steps such as"),
}


@pytest.mark.parametrize(("text", "line", "says"), NOT_A_FORMULA.values(), ids=NOT_A_FORMULA.keys())
def test_a_formula_that_cannot_be_used_is_refused_with_line_and_reason(
    text: str, line: int | None, says: str, tmp_path: Path
) -> None:
    assert_refused(written(text), line, says, tmp_path)


@pytest.mark.parametrize("name", ["data", "xray", "duration"])
def test_a_name_gets_no_advice_for_its_first_letter(name: str) -> None:
    with pytest.raises(PolicyError, match=f"near '{name}' in: fee {name}$"):
        load_policy(written(FACTS + f"pay: fee {name}"))
