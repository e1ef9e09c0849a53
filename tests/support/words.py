"""The gallery of words: what an explanation says with each function, operator, outcome and term of the language.

The gallery of rules (`tests/support/gallery.py`) shows the words that shipped policies use; this one shows all others,
for an account whose facts are known and for one of whom nothing is. `python -m tests.support.words` writes it again;
read what changed as the customer would.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kulanz.domain.incident import Incident
from kulanz.domain.policy import compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.time import Window

WORDS = Path(__file__).parents[1] / "unit" / "domain" / "policy" / "explanations_of_words.txt"
COMMAND = "python -m tests.support.words"
NOW = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)
INCIDENT = Incident(
    "net-outage", 1, "Network down", "broadband", ("voice", "data"),
    (
        Window(datetime(2026, 5, 2, 6, 20, tzinfo=UTC), datetime(2026, 5, 2, 18, tzinfo=UTC)),
        Window(datetime(2026, 5, 4, 7, 0, 0, 500_000, tzinfo=UTC), datetime(2026, 5, 5, 1, 30, tzinfo=UTC)),
    ),
    "power", {},
)  # fmt: skip
HEAD = "kulanz: 1\nid: words\nversion: 1\ntitle: Words\nzone: Europe/Berlin\ncurrency: EUR\nworking_days: DE\n"
FACTS = (
    "facts:\n  fee: money\n  lines: number\n  seen: instant\n  since: day\n  plan: text\n  at_home: yes_no\n"
    "  own: windows\n  bills: {type: numbers}\n"
)
KNOWN: tuple[Any, ...] = (
    2_550, 3, datetime(2026, 5, 4, 16, 0, 0, 400_000, tzinfo=UTC), date(2026, 5, 2), "gold fibre", True,
    (Window(datetime(2026, 5, 2, 8, tzinfo=UTC), datetime(2026, 5, 4, 12, tzinfo=UTC)),), (90, 120),
)  # fmt: skip

CONDITIONS = (
    "at(since, 18:00) > seen", "start_of(since) <= seen", "end_of(since) >= seen", "day(seen) = since",
    "days(outage) >= 2", "days(month(since)) > 30", "days_with_at_least(outage, 12 h) >= 1",
    "days_with_more_than(outage, 1.5 h) > 2", "is_working_day(since)", "not is_working_day(since)",
    "weekday(since) in [\"sat\", \"sun\"]", "weekday(since) = \"mon\"", "time_of_day(seen) >= 18:00",
    "working_days(since, day(seen)) >= 1", "since + 2 working days < day(seen)", "since + 1 month > 2026-06-01",
    "day(seen) - since > 1", "seen - incident_start > 4 h", "seen + 30 min < decided_at",
    "total(outage) > 4 h", "longest(outage) < 24 h", "count(outage) != 2", "total(on_working_days(outage)) > 3 h",
    "total(weekdays(outage, [\"sat\", \"mon\"])) > 1 h", "total(daily(outage, 08:00, 20:00)) > 20 h",
    "total(during(outage, half_year(since))) > 1 h", "total(during(outage, quarter(since))) > 1 h",
    "total(during(outage, year(since, 4))) > 1 h", "total(during(outage, billing_period(since, 15))) > 1 h",
    "total(during(outage, period(start_of(since), end_of(since)))) > 1 h", "length(month(since)) > 720 h",
    "start(month(since)) < seen", "end(outage) > seen", "start(outage) < seen",
    "total(after(outage, seen)) > 1 h", "total(before(outage, seen)) > 1 h", "total(overlap(outage, own)) > 1 h",
    "total(together(outage, own)) > 1 h", "total(without(outage, own)) > 1 h", "total(merge(outage, 2 h)) > 1 h",
    "total(at_least(outage, 13 h)) > 1 h", "total(longer_than(outage, 13 h)) > 1 h",
    "total(stretch(incident_start, seen)) > 1 h", "most_in_a_year(own, 4) > 1", "functions has \"voice\"",
    "starts_with(plan, \"gold\")", "not starts_with(plan, \"gold\")", "plan in [\"gold\", \"silver\"]",
    "plan is known", "plan is unknown", "at_home", "not at_home", "at_home and lines > 2", "at_home or lines > 2",
    "lines in [1, 2, 3]", "lines >= 3", "lines <= 3", "lines != 3", "mean(bills) > 100", "sum(bills) > 100",
    "count(bills) = 2", "count(at_least(bills, 100)) > 1", "count(below(bills, 100)) > 1",
    "max(lines, 2) > min(lines, 4)", "max(lines, 2, 7) > min(lines, 4, 5)", "first_known(lines, 0) > 2",
    "if(at_home, lines, 0) > 2", "fee * 2 - 1 EUR > 40 EUR", "fee / 1 EUR > 20", "full(total(outage), 5 h) > 5",
    "begun(total(outage), 5 h) > 5", "round(lines, 2, \"down\") = 2", "-lines < -2", "lines / 2 > 1.5",
)  # fmt: skip
"""Each as the condition of five euros."""

BODIES: Sequence[tuple[str, str]] = (
    ("several things, one after another", ("heads:\n  - {name: hourly, pay: total(outage) / 1 h * 0.333 * 1.00 EUR}\n"
     "  - {name: fixed, pay: 1.00 EUR}\n  - {name: data, give: {quantity: lines, unit: GB, valid: {for: 1 month}}}")),
    ("rounded to five cents, up", "pay: fee / 7\nrounding: {mode: up, to: 0.05 EUR}"),
    ("paid to somebody", "pay: fee\nto: plan"),
    ("an upper bound", "pay: 3 * fee\ncap: {at: 2 * fee}"),
    ("an upper bound for each month", "pay: 3 * fee\ncap: {per: month, at: 2 * fee}"),
    ("more than can be", "pay: fee * 10000000000"),
    ("nothing left", "pay: fee - 30.00 EUR"),
    ("on a claim until a day", "pay: fee\nmode: {claim: {at: seen, until: day(incident_end) + 9 days}}"),
    ("offered until a day", "pay: fee\nmode: {offer: {until: day(decided_at) + 9 days}}"),
    ("offered without an end", "pay: fee\nmode: offer"),
    ("the offer is over", "pay: fee\nmode: {offer: {until: day(incident_end) + 3 days}}"),
    ("part of it on a claim", "heads:\n  - {name: first, pay: fee}\n  - {name: second, pay: fee, mode: claim}"),
    ("by day and by night", "pay: fee\nmode:\n  - automatic: total(daily(outage, 20:00, 24:00)) > 0 h\n  - claim"),
    ("held by a clause", "who:\n  - hold: under_review\n    when: plan = \"gold fibre\"\npay: fee"),
    ("referred by a clause", "who:\n  - refer: by_hand\n    unless: at_home\npay: fee"),
    ("declined by a clause", "who:\n  - decline: too_small\n    when: lines < 5\n    because: Too small.\npay: fee"),
    ("paid out from an amount on", "pay: fee\npayout:\n  - decline: small\n    when: amount < 50.00 EUR"),
    ("steps", "values:\n  owed: {count: lines, say: line, steps: {1 to 2: 1.00 EUR, from 3: 2.00 EUR}}\npay: owed"),
    ("tiers", ("values:\n  rate: {by: lines / 8, tiers: {at least 50%: 100%, more than 25%: 50%, otherwise: 0%}}\n"
     "pay: rate * fee")),
    ("usable from a day on", "give: {quantity: 5, unit: GB, valid: {from: since, until: 2026-07-03}}"),
    ("usable for months", "give: {quantity: 1.0 * lines / 2, unit: call_minute, valid: 2 months}"),
    ("never usable", "give: {quantity: 5, unit: GB, valid: {from: 2026-07-03, until: since}}"),
    ("without an end", "give: {quantity: unlimited, unit: data, each: week, times: 2}"),
    ("a choice", "give: {choose: 2, of: games, unit: games}\nrestrictions: {games: [Chess, Go, Skat]}"),
    ("a choice of more than there is", ("give: {choose: lines + 1, of: games, unit: games}\n"
     "restrictions: {games: [Chess, Go, Skat]}")),
    ("half a working day", "when: since + (lines / 2) * 1 working day < day(seen)\npay: fee"),
    ("divided by nothing", "pay: fee / (lines - 3)"),
    ("for each outage", "for_each: outage\npay: 10% of fee"),
    ("for each month", "for_each: month\npay: 10% of fee"),
    ("short ones do not count", "exposure: {ignore_under: 12 h}\nwhen: total(outage) > 0 h\npay: 10% of fee"),
)  # fmt: skip


_LEFT_OUT = ("Policy ", "Facts used: ", "The incident: ", "The outage counted for this customer: ", "Not known: ")
"""What every explanation begins with, and the gallery of rules shows."""


def told(body: str) -> Iterator[str]:
    """What accounts are told under a policy: one whose facts are known, and one of whom nothing is."""
    policy = compile_policy(freeze(load_policy(HEAD + FACTS + body), {}), INCIDENT, NOW)
    names = [fact.name for fact in policy.facts]
    every = dict(zip(_FACT_NAMES, KNOWN, strict=True))
    for row in ([every[name] for name in names], [None] * len(names))[: 1 + bool(names)]:
        yield from (step for step in explain(policy, tuple(row)).steps if not step.startswith(_LEFT_OUT))


_FACT_NAMES = ("fee", "lines", "seen", "since", "plan", "at_home", "own", "bills")


def words() -> str:
    """Every word, with what it is used in as a heading; of a condition, the step that tells how it turned out."""
    parts = []
    for condition in CONDITIONS:
        steps = [step for step in told(f"when: {condition}\npay: 5.00 EUR") if step.startswith("The condition ")]
        parts.append("\n  ".join([condition, *steps]))
    parts += ["\n  ".join([f"\n{heading}", *told(body)]) for heading, body in BODIES]
    return "\n".join([*parts, ""])


if __name__ == "__main__":
    WORDS.write_text(words(), encoding="utf-8")
