"""A case is decided, or agreed to, only as it was seen; and what then waits is printed with what the second types."""

from typing import Any

import pytest

from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.gate.filed_plan import HASH_DIGITS_SHOWN
from kulanz.domain.money import Money
from tests.support.answering import cells
from tests.support.world_stack import run
from tests.unit.cli.test_what_is_sent import CASE, HAND, C, Sending

OTHER = "ef56" * 16
DECIDE = ("decide", C, "a-1", "--reason", "the-code", "--decline")
GIVEN = Decision(
    Outcome.GRANTED, "ok", (Benefit(money=Money(500, "EUR")), Benefit(quantity="20", unit="call_minute"))
).to_body()
WAITS = {"by_hand": HAND | {"decision": GIVEN}, "campaign": "in-9/4", "account_id": "a-8", "hash": OTHER}


def stack(answer: Any) -> Sending:
    waiting = {"campaign": C, "account_id": "a-1", "subject": "-", "hash": CASE}
    return Sending(answer, cases__one=[{"seen": CASE}], cases__proposed=[{"proposed": [waiting]}])


@pytest.mark.parametrize("word", ["decide", "approve-case", "reject-case"])
@pytest.mark.parametrize(
    ("seen", "is_sent"),
    [
        (CASE, True), (CASE[:HASH_DIGITS_SHOWN], True), (CASE[: HASH_DIGITS_SHOWN - 1], False), ("", False),
        (OTHER, False), (OTHER[:HASH_DIGITS_SHOWN], False), (CASE + "a", False),
    ],
)  # fmt: skip
def test_a_case_is_named_by_as_many_digits_as_are_shown_and_is_that_very_one(
    word: str, seen: str, is_sent: bool
) -> None:
    of = stack({**WAITS, "state": "decided", "subject": "-"})
    words = DECIDE if word == "decide" else (word, C, "a-1", *(("--reason", "why") if word == "reject-case" else ()))
    shown = run(of, *words, "--case", seen)
    assert (shown.exit_code, len(of.sent)) == ((0, 1) if is_sent else (3, 0)), shown.output
    if is_sent:
        ((_, body, _),) = of.sent
        assert body["seen" if word == "decide" else "hash"] == CASE


@pytest.mark.parametrize(("subject", "more"), [("-", ""), ("l-2", " --subject l-2")])
def test_what_waits_for_a_second_person_is_named_as_the_answer_has_it(
    subject: str, more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    shown = run(stack({**WAITS, "state": "waits", "subject": subject}), *DECIDE)
    assert (shown.exit_code, cells(shown.stdout)) == (0, [
        ["waits for a second person: granted 5.00 EUR, 20 call minutes"],
        ["reason", "The title (the-code)"],
        ["The second person types one of:"],
        [f"kulanz approve-case in-9/4 a-8{more} --case {OTHER[:HASH_DIGITS_SHOWN]}"],
        [f"kulanz reject-case in-9/4 a-8{more} --case {OTHER[:HASH_DIGITS_SHOWN]} --reason ..."],
    ])  # fmt: skip


def test_who_agrees_to_a_case_of_which_nothing_waits_is_told_so_and_nothing_is_sent() -> None:
    of = stack({})
    for words in ((C, "a-2"), ("in-7/4", "a-1"), (C, "a-1", "--subject", "l-2")):
        shown = run(of, "approve-case", *words, "--case", CASE)
        assert (shown.exit_code, of.sent) == (3, [])
        assert "nothing of this case waits" in " ".join(shown.stderr.split())
