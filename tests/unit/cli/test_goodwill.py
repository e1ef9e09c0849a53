"""`kulanz goodwill`: give something anyway; above the limits a second person agrees, or rejects it."""

import json

import pytest

from tests.support.handed import publish_discretion
from tests.support.world import World
from tests.support.world_door import BERT
from tests.support.world_stack import DESK, WorldStack, run


@pytest.fixture
def stack() -> WorldStack:
    found = WorldStack(World())
    publish_discretion(found.served)
    return found


def give(stack: WorldStack, amount: str = "20.00", *words: str) -> tuple[int, str, str]:
    done = run(stack, "goodwill", "A-1001", amount, "EUR", "--reason", "long_wait", *words)
    return done.exit_code, done.stdout, " ".join(done.stderr.split())


def test_it_is_given_under_the_number_of_its_ticket_once(stack: WorldStack) -> None:
    code, out, _ = give(stack, "20.00", "--ticket", "T-4711")
    assert (code, out.splitlines()[0]) == (0, "goodwill T-4711: 20.00 EUR, given")
    assert give(stack, "20.00", "--ticket", "T-4711") == (code, out, "")
    assert len(stack.world.ledger.of_account("A-1001")) == 1

    code, _, error = give(stack, "30.00", "--ticket", "T-4711")
    assert (code, "amount" in error) == (3, True)


def test_support_sees_it_with_its_steps(stack: WorldStack) -> None:
    give(stack, "20.00", "--ticket", "T-4711")
    shown = run(stack, "ask", "A-1001").stdout
    assert shown.startswith("GRANTED 20.00 EUR\n")
    for text in ("Goodwill of ", "Given by a person of the role support", "T-4711", "due on the next bill"):
        assert text in " ".join(shown.split()), text
    assert DESK.id not in shown


def test_an_equal_amount_has_to_be_meant(stack: WorldStack) -> None:
    give(stack, "20.00", "--ticket", "T-1")
    code, _, error = give(stack, "20.00", "--ticket", "T-2")
    assert code == 3
    assert "T-1" in error
    code, out, _ = give(stack, "20.00", "--ticket", "T-2", "--repeat-of", "T-1")
    assert (code, "repeats" in out) == (0, True)


def test_what_waits_is_listed_and_approved_by_somebody_else(stack: WorldStack) -> None:
    assert run(stack, "goodwill").exit_code == 1
    code, out, _ = give(stack, "60.00", "--ticket", "T-1")
    assert (code, "kulanz approve-goodwill T-1" in out) == (1, True)
    assert "T-1: 60.00 EUR, waits for a second person" in run(stack, "goodwill").stdout
    assert "decided by" not in run(stack, "goodwill").stdout, "nobody has"
    assert run(stack, "approve-goodwill", "T-1").exit_code == 3

    stack.desk = BERT
    done = json.loads(run(stack, "approve-goodwill", "T-1", "--json").stdout)
    assert (done["state"], done["decided_by"]) == ("given", BERT.id)
    assert run(stack, "goodwill").exit_code == 1


def test_what_waits_can_be_rejected(stack: WorldStack) -> None:
    give(stack, "60.00", "--ticket", "T-1")
    stack.desk = BERT
    rejected = run(stack, "reject-goodwill", "T-1", "--reason", "not a fault of ours")
    assert (rejected.exit_code, rejected.stdout.splitlines()[0]) == (0, "goodwill T-1: 60.00 EUR, rejected")
    said = " ".join(rejected.stdout.split())
    assert f"asked by {DESK.id}, " in said
    assert f"decided by {BERT.id} why not a fault of ours" in said
    assert stack.world.ledger.of_account("A-1001") == []


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["A-1001"], 2, "state ACCOUNT, AMOUNT and CURRENCY or UNIT"),
        (["A-1001", "20.00", "EUR"], 2, "--reason"),
        (["a@b.example", "20.00", "EUR", "--reason", "long_wait"], 2, "not an e-mail address"),
        (["A-1001", "20.00", "USD", "--reason", "long_wait"], 3, "no limit in USD"),
        (
            ["A-1001", "20.00", "eur", "--reason", "long_wait"],
            3,
            "no limit in eur for goodwill, so nobody may give any; it has limits in EUR, GB. Correct",
        ),
        (["A-1001", "-5.00", "EUR", "--reason", "long_wait"], 2, "goodwill takes nothing back, kulanz void does"),
        (["A-1001", "20.001", "EUR", "--reason", "long_wait"], 3, "at most 2 decimals"),
        (["A-1001", "20.00", "EUR", "--reason", "because"], 3, "long_wait, other"),
        (["A-1001", "20.00", "EUR", "--reason", "long_wait", "--ticket", "#4711"], 2, "the number of the ticket"),
    ],
)
def test_what_cannot_be_given_is_a_sentence(stack: WorldStack, words: list[str], code: int, says: str) -> None:
    done = run(stack, "goodwill", *words)
    assert done.exit_code == code
    assert says in " ".join(done.stderr.split())
    assert not list(stack.world.ledger.all_entries())


def test_a_void_of_goodwill_names_which(stack: WorldStack) -> None:
    """Without the id it would name nothing that was given, and its plan would say so when somebody looks."""
    give(stack, "20.00", "--ticket", "T-1")
    (entry,) = stack.world.ledger.of_account("A-1001")
    words = ("void", str(entry.key.campaign), "--account", "A-1001", "--reason", "by mistake")
    refused = run(stack, *words)
    assert (refused.exit_code, "name which" in " ".join(refused.stderr.split())) == (3, True)
    assert stack.world.voids.of_campaign(entry.key.campaign) == []
    assert run(stack, *words, "--subject", "T-1").exit_code == 0


def test_the_months_campaign_is_shown_as_any_other(stack: WorldStack) -> None:
    give(stack, "20.00", "--ticket", "T-1")
    stack.world.run_until_quiet()
    month = f"{stack.world.now:%Y-%m}"
    named = f"goodwill-{month}/1"
    shown = " ".join(run(stack, "campaigns", "--month", month).stdout.split())
    assert shown.endswith(f"{named} has no list; what persons gave in it is in: kulanz month {month}")
    assert run(stack, "watch", named, "--seconds", "0").exit_code == 0
    assert "balanced" in run(stack, "campaigns", f"goodwill-{month}").stdout
    assert run(stack, "plan", named).exit_code in (0, 1)
    assert "gave" in run(stack, "log", "--day", f"{stack.world.now:%Y-%m-%d}").stdout
