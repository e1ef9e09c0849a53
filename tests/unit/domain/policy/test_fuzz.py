"""Whatever is written: a policy can be used or is refused with a reason; a row is decided. Nothing else happens."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kulanz.domain.decision import Decision
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactError
from kulanz.domain.policy import PolicyError
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.explaining.explanation import explain
from kulanz.domain.policy.language.calendars import calendar_functions
from kulanz.domain.policy.language.functions import operators
from tests.unit.domain.policy.rulebook import POLICIES, compiled, incident, written

FACTS = (
    "zone: Europe/Berlin\ncurrency: EUR\nworking_days: DE\n"
    "facts: {f: money, n: number, t: text, d: day, i: instant, l: list, w: windows, a: amounts, s: dates, b: yes_no}\n"
)
NAMES = [
    "fee",
    "n",
    "t",
    "d",
    "i",
    "l",
    "w",
    "a",
    "s",
    "b",
    "outage",
    "windows",
    "incident_start",
    "cause",
    "decided_at",
]
LITERALS = ["12", "0", "12.5%", '"x"', "yes", "nothing", "2024-02-29", "2024-02-29T10:00:00Z", "18:00", "5 EUR", "24 h"]
SPANS = ["5 USD", "3 days", "2 working days", "1 month", '["x", "y"]', '["sat"]', "month(d)", "1 - 1"]
OPERATORS = ["+", "-", "*", "/", "of", "=", "!=", "<", ">=", "and", "or", "not", "in", "has", "(", ")", ",", "is known"]
CALLS = [f"{name}(" for name in operators() | calendar_functions(None) if name.isidentifier()]
WORDS = [*NAMES, *LITERALS, *SPANS, *OPERATORS, *CALLS]
expressions = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)
HAPPENED = incident(("2026-03-28T20:00:00Z", "2026-03-30T09:00:00Z"), cause="storm")
VALUES = {
    "text": ["x", ""],
    "yes_no": ["true", "false", ""],
    "number": ["0", "3", "-1", "2.5", ""],
    "money": ["0", "49.99", ""],
    "instant": ["2026-03-29T01:30:00Z", ""],
    "day": ["2024-02-29", "2026-03-29", ""],
    "list": ["x|y", ""],
    "windows": ["2026-03-28T20:00:00Z/2026-03-29T09:00:00Z", ""],
    "amounts": ["1.00|2.50", ""],
    "dates": ["2024-02-29", ""],
    "zone": ["Europe/Berlin", ""],
}


def rows(facts: tuple[FactDeclaration, ...]) -> list[tuple[object, ...]]:
    """Give a few rows: everything known, nothing known, and in between."""
    made: list[tuple[object, ...]] = []
    for shift in range(5):
        texts = [
            (fact.choices or tuple(VALUES[fact.type]))[(shift + place) % len(fact.choices or VALUES[fact.type])]
            for place, fact in enumerate(facts)
        ]
        made.append(tuple(read(fact, text) for fact, text in zip(facts, texts, strict=True)))
    return made


def read(fact: FactDeclaration, text: str) -> object:
    try:
        return fact.parse_text(text)
    except FactError:
        return None


def decides_or_refuses(source: str | Path) -> None:
    try:
        policy = compiled(source, HAPPENED)
    except PolicyError:
        return
    for row in rows(policy.facts):
        decision = policy.decide(row)  # type: ignore[arg-type] # values of several types
        assert Decision.from_body(decision.to_body()) == decision
        assert explain(policy, row).decision == decision  # type: ignore[arg-type] # values of several types


@settings(max_examples=80, deadline=None)
@given(expressions, expressions)
def test_any_words_as_an_amount_or_a_condition(amount: str, condition: str) -> None:
    for body in (f"pay: {amount!r}", f"when: {condition!r}\npay: 1 EUR", f"values: {{v: {amount!r}}}\npay: 1 EUR"):
        decides_or_refuses(written(FACTS + body.replace("\\'", "''")))


@settings(max_examples=60, deadline=None)
@given(expressions, expressions, expressions)
def test_any_words_as_a_period(start: str, end: str, by: str) -> None:
    for period in (f"from: {start!r}, by: {by!r}", f"until: {end!r}, by: {by!r}", f"from: {start!r}, until: {end!r}"):
        decides_or_refuses(written(FACTS + f"in_force: {{{period}}}\npay: 1 EUR".replace("\\'", "''")))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(operators() | calendar_functions(None))),
    st.lists(st.sampled_from([*NAMES, *LITERALS, *SPANS]), max_size=3),
)
def test_every_function_with_any_arguments(name: str, arguments: list[str]) -> None:
    if name.isidentifier() and name not in ("and", "or", "not", "in", "has", "known"):
        call = f"{name}({', '.join(arguments)})"
        decides_or_refuses(written(FACTS + f"values:\n  v: |-\n    {call}\nwhen: v is known\npay: 1 EUR"))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=200))
def test_any_text_as_a_file(text: str) -> None:
    with pytest.raises(PolicyError):
        load_policy(text)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(POLICIES.glob("*/[0-9]*.yaml"))),
    st.integers(0, 10**6),
    st.integers(1, 30),
    st.text(max_size=3),
)
def test_a_policy_with_a_piece_cut_out(
    tmp_path_factory: pytest.TempPathFactory, path: Path, start: int, length: int, instead: str
) -> None:
    text = path.read_text(encoding="utf-8")
    start %= len(text)
    copy = tmp_path_factory.mktemp("book") / path.parent.name / "1.yaml"
    (copy.parent.parent / "data").symlink_to(POLICIES / "data")
    copy.parent.mkdir()
    for data in set(path.parent.glob("*.yaml")) - set(path.parent.glob("[0-9]*.yaml")):
        (copy.parent / data.name).symlink_to(data)
    copy.write_text(text[:start] + instead + text[start + length :], encoding="utf-8")
    decides_or_refuses(copy)
