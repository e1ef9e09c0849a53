"""What every rule of the book decides of each of its examples, whole, and what a row can cost by each word at most.

An example states few fields of its decision; here the others are compared too: parts, ends, dues, notices, what is
added to a history. Whoever changes what is decided reads the difference to the approved text.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kulanz.domain.lists.facts import FactValue
from kulanz.domain.policy import CompiledPolicy, compile_policy, freeze
from kulanz.domain.policy.deciding.checking import load_policy, unread_facts
from kulanz.domain.policy.deciding.history import HistoryValues
from kulanz.domain.policy.deciding.row_cost import costliest
from kulanz.domain.policy.document.frozen import policy_hash
from kulanz_cli.policy_examples import left_out, prepare
from kulanz_cli.rulebook import BOOK, latest_rules
from tests.support.approved import must_be_as_approved
from tests.support.words import BODIES, CONDITIONS, FACTS, HEAD, INCIDENT, NOW

HERE = Path(__file__)
GRANTED_AT = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)


def _plain(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def _cost(policy: CompiledPolicy) -> str:
    return f"{policy.row_steps} steps, {_plain(costliest(policy._judge))}"  # the judge that decides


def _decided(policy: CompiledPolicy, values: Sequence[FactValue | None], kept: HistoryValues) -> Iterator[str]:
    judged = policy.judged(values, kept)
    decision = judged.decision
    for name, value in asdict(decision).items():
        if value not in (None, (), "", {}):
            yield f"    {name}: {_plain(value)}"
    if (day := policy.due_day(decision)) is not None:
        yield f"    due by: {day}"
    for place, benefit in enumerate(decision.benefits):
        if (due := policy.due_at(benefit, GRANTED_AT)) is not None:
            yield f"    due of {place}: {_plain(asdict(due))}"


def _of_the_book() -> Iterator[str]:
    for rule in latest_rules(BOOK):
        document = rule.document
        frozen = freeze(document, None)
        yield f"{document.policy.id}/{document.policy.version} {policy_hash(frozen)} {unread_facts(document)}"
        for number, example in enumerate(rule.examples):
            case = prepare(document, example, left_out(document))
            if not number:
                yield f"  {_cost(case.policy)}"
            yield f"  {example['id']} {_plain([one.name for one in case.policy.facts])}"
            yield from _decided(case.policy, case.values, case.kept)


def _of_own(text: str) -> str:
    """What a word does with the times of a row, rather than with those of the incident."""
    return text.replace("(outage", "(own").replace("(own, own)", "(own, outage)")


def _of_words() -> Iterator[str]:
    for text in (*(f"when: {condition}\npay: 5.00 EUR" for condition in CONDITIONS), *(body for _, body in BODIES)):
        policy = compile_policy(freeze(load_policy(HEAD + FACTS + text), {}), INCIDENT, NOW)
        yield f"{_plain(text)}: {_cost(policy)}"
        if (
            "(outage" in text and "exposure" not in text
        ):  # known before any row; what each row states is worked out for each
            own = compile_policy(freeze(load_policy(HEAD + FACTS + _of_own(text)), {}), INCIDENT, NOW)
            yield f"  over each row's own times: {_cost(own)}"


def test_what_each_example_of_the_book_decides_is_as_it_was_read_and_approved() -> None:
    must_be_as_approved("\n".join(_of_the_book()) + "\n", HERE.with_name("decisions_of_the_book.txt"))


def test_what_a_row_costs_by_each_word_is_as_it_was_read_and_approved() -> None:
    must_be_as_approved("\n".join(_of_words()) + "\n", HERE.with_name("costs_of_words.txt"))
