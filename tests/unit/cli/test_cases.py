"""`kulanz cases`: campaigns with something that waits, the cases of one, and one case with what it would owe."""

import json

import pytest

from kulanz.domain.byhand.discretion import discretion_json
from tests.support.by_hand import DISCRETION
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN
from tests.support.world_stack import WorldStack, run
from tests.unit.application.cases.test_waiting import closed


@pytest.fixture
def stack() -> WorldStack:
    return WorldStack(closed())


def test_campaigns_come_with_what_waits_of_each_and_the_command_to_go_on(stack: WorldStack) -> None:
    shown = run(stack, "cases", "--month", "2026-03")
    assert shown.exit_code == 0, shown.output
    assert f"kulanz cases {CAMPAIGN}" in read(shown.stdout)
    (found,) = json.loads(run(stack, "cases", "--month", "2026-03", "--json").stdout)["campaigns"]
    assert (found["waiting"]["held"], found["waiting"]["referred"]) == (2, 1)
    assert run(stack, "cases", "--month", "2026-02").exit_code == 1


def test_the_cases_of_a_campaign_name_accounts_and_reasons(stack: WorldStack) -> None:
    shown = run(stack, "cases", CAMPAIGN)
    text = read(shown.stdout)
    assert "held-1 held segment_unknown" in text
    assert "referred-1 referred business_customer" in text
    assert "torn-1 conflict conflict" in text
    assert f"kulanz cases {CAMPAIGN} referred-1" in text
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    held = json.loads(run(stack, "cases", CAMPAIGN, "--kind", "held", "--json").stdout)
    assert [one["account_id"] for one in held["cases"]] == ["held-1", "held-2"]
    cut = run(stack, "cases", CAMPAIGN, "--limit", "1")
    assert "there are more" in read(cut.stderr)


def test_a_case_has_its_steps_and_what_it_would_owe(stack: WorldStack) -> None:
    shown = run(stack, "cases", CAMPAIGN, "held-1")
    text = read(shown.stdout)
    assert text.startswith("HELD account held-1")
    assert "unknown segment (text: consumer, business, prepaid); the policy holds the row for it" in text
    assert "with segment = consumer: granted 2.99 EUR, 20 call minutes" in text
    assert "with segment = prepaid: declined (prepaid)" in text
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())


def test_a_fact_that_cannot_be_tried_is_asked_about(stack: WorldStack) -> None:
    assert f"kulanz cases {CAMPAIGN} held-2 --fact fee=..." in read(run(stack, "cases", CAMPAIGN, "held-2").stdout)
    shown = read(run(stack, "cases", CAMPAIGN, "held-2", "--fact", "fee=10.00").stdout)
    assert "with fee = 10.00: granted 1.00 EUR" in shown


@pytest.mark.parametrize("fact", ["fee", "=1", "fee=", "fee= "])
def test_a_fact_is_written_name_and_value(stack: WorldStack, fact: str) -> None:
    assert run(stack, "cases", CAMPAIGN, "held-2", "--fact", fact).exit_code == 2


def test_what_is_no_case_is_said(stack: WorldStack) -> None:
    refused = run(stack, "cases", CAMPAIGN, "granted-1")
    assert refused.exit_code != 0
    assert "was not held or referred" in read(refused.output)


# Deciding


@pytest.fixture
def deciding(stack: WorldStack) -> WorldStack:
    """A stack whose discretion file lets persons decide."""
    stack.discretion().publish(1, discretion_json(DISCRETION))
    return stack


def test_a_case_is_decided_and_ask_says_who_it_was(deciding: WorldStack) -> None:
    shown = read(run(deciding, "cases", CAMPAIGN, "held-2").stdout)
    assert f"kulanz decide {CAMPAIGN} held-2 --by-policy" in shown
    fact = ["--fact", "fee=30.00"]
    decided = run(deciding, "decide", CAMPAIGN, "held-2", "--by-policy", *fact, "--reason", "known_fact")
    assert decided.exit_code == 0, decided.output
    assert read(decided.stdout).strip() == "decided: granted 3.00 EUR, 20 call minutes"
    asked = run(deciding, "ask", "held-2")
    text = read(asked.stdout)
    assert "the account gets it" in text
    assert "by support: The fact is known (known_fact)" in text
    assert "granted 3.00 EUR, 20 call minutes" in text
    assert all(len(line) <= 80 for line in asked.stdout.splitlines())


def test_above_the_limit_the_second_person_gets_the_command_to_type(deciding: WorldStack) -> None:
    referred = [CAMPAIGN, "referred-1"]
    waits = run(deciding, "decide", *referred, "--amount", "20.00 EUR", "--reason", "known_fact", "--id", "d-1")
    text = read(waits.stdout)
    assert "waits for a second person: granted 20.00 EUR" in text
    (proposed,) = json.loads(run(deciding, "cases", "--proposed", "--json").stdout)["proposed"]
    case = proposed["hash"][:12]
    assert f"kulanz approve-case {CAMPAIGN} referred-1 --case {case}" in text
    assert case in read(run(deciding, "cases", "--proposed").stdout)
    same = run(deciding, "approve-case", *referred, "--case", case)
    assert same.exit_code != 0
    assert "who decided first cannot agree" in read(same.output)
    rejected = run(deciding, "reject-case", *referred, "--case", case, "--reason", "too much")
    assert read(rejected.stdout).strip() == "rejected: the case stays open"
    assert run(deciding, "cases", "--proposed").exit_code == 1


@pytest.mark.parametrize(
    "words",
    [
        ["--reason", "known_fact"],
        ["--decline", "--amount", "1.00 EUR", "--reason", "known_fact"],
        ["--decline", "--fact", "a=b", "--reason", "known_fact"],
        ["--amount", "1.00", "--reason", "known_fact"],
        ["--decline"],
    ],
)
def test_how_it_is_decided_is_said_once(deciding: WorldStack, words: list[str]) -> None:
    assert run(deciding, "decide", CAMPAIGN, "held-2", *words).exit_code == 2


def test_a_case_that_was_looked_at_before_it_changed_is_not_decided(deciding: WorldStack) -> None:
    words = ["--decline", "--reason", "known_fact"]
    refused = run(deciding, "decide", CAMPAIGN, "held-2", *words, "--case", "0" * 12)
    assert "has changed since" in read(refused.output)
    seen = json.loads(run(deciding, "cases", CAMPAIGN, "held-2", "--json").stdout)["seen"]
    assert run(deciding, "decide", CAMPAIGN, "held-2", *words, "--case", seen[:12]).exit_code == 0


def test_a_contradicting_row_is_shown_beside_what_stands_and_decided(deciding: WorldStack) -> None:
    listed = read(run(deciding, "cases", CAMPAIGN, "--kind", "conflict").stdout)
    (found,) = json.loads(run(deciding, "cases", CAMPAIGN, "--kind", "conflict", "--json").stdout)["cases"]
    of_row = ["torn-1", "--row", str(found["row_offset"])]
    assert f"kulanz cases {CAMPAIGN} {' '.join(of_row)}" in listed
    shown = run(deciding, "cases", CAMPAIGN, *of_row)
    text = read(shown.stdout)
    assert text.startswith("CONFLICT account torn-1")
    assert "fee = 30.00" in text
    assert "stands granted 2.00 EUR, 20 call minutes (credit)" in text
    assert "granted 1.00 EUR" in text
    assert f"kulanz decide {CAMPAIGN} {' '.join(of_row)} --by-policy" in text
    assert all(len(line) <= 80 for line in shown.stdout.splitlines())
    decided = run(deciding, "decide", CAMPAIGN, *of_row, "--by-policy", "--reason", "known_fact")
    assert read(decided.stdout).strip() == "decided: granted 1.00 EUR"
    asked = read(run(deciding, "ask", "torn-1").stdout)
    assert "gets more by that than the row that was decided gave it" in asked
    assert "granted 2.00 EUR + 20 call minutes + 1.00 EUR" in asked


def test_a_rejected_row_is_decided_for_the_account_that_is_recognised(deciding: WorldStack) -> None:
    listed = json.loads(run(deciding, "cases", CAMPAIGN, "--kind", "rejected", "--json").stdout)["cases"]
    row = next(str(one["row_offset"]) for one in listed if one.get("field") == "affected")
    assert "kulanz cases net-outage/1 ACCOUNT --row" in read(run(deciding, "cases", CAMPAIGN).stdout)
    shown = read(run(deciding, "cases", CAMPAIGN, "bad-yes-no", "--row", row).stdout)
    assert shown.startswith("REJECTED account bad-yes-no")
    assert "affected = perhaps" in shown
    assert "with affected = yes: granted" in shown
    words = ["--row", row, "--by-policy", "--fact", "affected=yes", "--reason", "known_fact"]
    decided = run(deciding, "decide", CAMPAIGN, "bad-yes-no", *words)
    assert decided.exit_code == 0, decided.output
    assert "A person recognised the account and decided: it gets it" in read(run(deciding, "ask", "bad-yes-no").stdout)
    other = run(deciding, "cases", CAMPAIGN, "somebody-else", "--row", row)
    assert "about another account" in read(other.output)
