"""`kulanz credits` and `kulanz deliver`: what billing rejected, and what is done with it."""

import json
from typing import Any

import pytest

from tests.support.answering import Answering, cells
from tests.support.reading import read
from tests.support.world_stack import run

CREDIT = "0123456789abcdef0123456789abcdef"
FOUND = {
    "account_id": "A-1002", "subject": "-", "credit_id": CREDIT, "due": "", "state": "rejected",
    "delivery": "billing/12", "code": "unknown_account",
    "amount": "5.00", "reversed": "0.00", "not_on_bills": "5.00", "measure": "USD",
}  # fmt: skip
WORDS = ("credits", "in-7/1", "--account", "A-1002", "--reason", "corrected")


def test_the_credits_that_wait_are_listed_with_the_code_and_end_with_1() -> None:
    pages: list[dict[str, Any]] = [{"credits": [FOUND], "next": None}]
    shown = run(Answering(acknowledgements__rejected_credits=pages), "credits", "in-7/1")
    assert shown.exit_code == 1
    assert cells(shown.stdout) == [
        ["1 credit waits for a person"],
        ["A-1002: 5.00 USD, rejected unknown_account"],
        [CREDIT],
    ]
    reversed_: Any = [{"credits": [FOUND | {"reversed": "2.00", "not_on_bills": "3.00"}], "next": None}]
    shown = run(Answering(acknowledgements__rejected_credits=reversed_), "credits", "in-7/1")
    assert "A-1002: 3.00 USD, rejected" in shown.stdout, "as much as would be sent again"
    assert "another 2.00 USD was taken back by a reversal: did the biller take it off twice?" in read(shown.stdout)
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    as_json = run(Answering(acknowledgements__rejected_credits=pages), "credits", "in-7/1", "--json")
    assert (as_json.exit_code, json.loads(as_json.stdout)["credits"]) == (1, [FOUND])
    nothing = run(Answering(acknowledgements__rejected_credits=[{"credits": [], "next": None}]), "credits", "in-7/1")
    assert (nothing.exit_code, cells(nothing.stdout)) == (0, [["0 credits wait for a person"]])


@pytest.mark.parametrize(
    ("words", "acted", "said"),
    [
        (("--send-again", CREDIT, "--biller-account", "K-1"), ("due", False), "due again"),
        (("--write-off", CREDIT), ("written_off", False), "the credit is written off"),
        (("--write-off", CREDIT), ("rejected", True), "written off by one person; another person has to say the same"),
        (("--send-again", CREDIT, "--to", "letters"), ("due", False), "delivery of additions to letters has it"),
        (("--send-again", CREDIT, "--to", "letters"), ("rejected", True), "sent to another channel by one person"),
    ],
)
def test_what_was_done_is_said(words: tuple[str, ...], acted: tuple[str, bool], said: str) -> None:
    done = {"v": 1, "credit_id": CREDIT, "state": acted[0], "attempt": 1, "second_person_needed": acted[1]}
    done["channel"] = "letters" if "--to" in words else "billing"
    shown = run(Answering(credits__act=[done]), *WORDS, *words)
    assert shown.exit_code == 0
    assert said in shown.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("credits", "in-7/1", "--send-again", CREDIT),
        ("credits", "in-7/1", "--account", "A-1002"),
        (*WORDS, "--send-again", CREDIT, "--write-off", CREDIT),
        (*WORDS, "--write-off", CREDIT, "--to", "letters"),
        ("credits", "in-7/1", "--to", "letters"),
    ],
)
def test_what_is_half_said_is_refused(words: tuple[str, ...]) -> None:
    assert run(Answering(), *words).exit_code == 2


def test_a_delivery_that_a_person_opens_is_named() -> None:
    shown = run(
        Answering(deliveries__deliver=[{"delivery": "billing/13", "state": "assigning"}]),
        *("deliver", "in-7/1", "--reason", "checked"),
    )
    assert (shown.exit_code, cells(shown.stdout)) == (0, [["billing/13 is assigning"]])
