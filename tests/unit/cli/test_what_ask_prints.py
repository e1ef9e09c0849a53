"""What `kulanz ask` prints of how an account stands: each fact of its own account, incident and time, and no other."""

from typing import Any

import pytest

from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.money import Money
from tests.support.answering import Answering
from tests.support.world_stack import run


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


GIVEN = Decision(Outcome.GRANTED, "ok", (Benefit(money=Money(500, "EUR")),))


def decision(campaign: str, subject: str = "-", **content: Any) -> dict[str, Any]:
    return {
        "campaign": campaign, "subject": subject, "status": "granted", "decision": GIVEN.to_body(), "offer": None,
        "superseded": False, "effective_at": "2026-03-02T09:00:00Z", "expires_at": None, "expired": False,
        "steps": [f"step of {campaign}", f"then of {campaign}"], "explained": "as_stored", "notice_id": "n-1",
        "decided_at": "2026-03-01",
        "campaign_state": "closed", "engine": "1", **content,
    }  # fmt: skip


def standing(incident: str, subject: str = "-", **content: Any) -> dict[str, Any]:
    return {
        "incident_id": incident, "subject": subject, "state": "granted", "title": f"Title of {incident}",
        "began": "2026-02-28T09:00:00Z", "withdrawn": False, "granted": {"EUR": "500"}, "expired": {},
        "usable_until": None, "offered_by": [], "overpaid": None, **content,
    }  # fmt: skip


def campaign(name: str, state: str = "closed", rejected: int = 4) -> dict[str, Any]:
    return {
        "campaign": name, "state": state, "finished": True, "may_have_expired": False, "subject": None,
        "searched": False, "rejected_rows": f"rows of {name}",
        "rejected": rejected,
    }  # fmt: skip


def answer(**content: Any) -> dict[str, Any]:
    return {
        "v": 1, "account_id": "a-1", "found_as": None, "asked_at": "2026-03-20T09:00:00Z", "final": True,
        "decisions": [], "standings": [], "campaigns": [], "incidents": [], "withheld": None, "listed_nowhere": False,
        "explained_by": "1", **content,
    }  # fmt: skip


def printed(expected_code: int, found: dict[str, Any], *words: str) -> list[str]:
    shown = run(Answering(accounts__ask=[found]), "ask", "a-1", *words)
    assert shown.exit_code == expected_code, shown.output
    return [" ".join(line.split()) for line in shown.stdout.splitlines() if line.strip()]


def head(lines: list[str]) -> list[str]:
    """The lines before those of a decision."""
    return lines[: next(number for number, line in enumerate(lines) if line.startswith(("meaning", "Campaign ")))]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, ["account a-1", "incident in-7, Title of in-7", "began 2026-02-28T09:00:00Z"]),
        ({"title": None}, ["account a-1", "incident in-7", "began 2026-02-28T09:00:00Z"]),
        ({"began": None}, ["account a-1", "incident in-7, Title of in-7"]),
        (
            {"overpaid": {"campaign": "in-7/9", "sums": {"EUR": "300"}}},
            [
                "account a-1", "incident in-7, Title of in-7", "began 2026-02-28T09:00:00Z",
                "overpaid 3.00 EUR more than is owed now, as campaign in-7/9 found",
            ],
        ),
    ],
)  # fmt: skip
def test_a_standing_says_whose_it_is_of_which_incident_and_when_that_began(content: Any, said: list[str]) -> None:
    for subject, of in (("-", "account a-1"), ("l-2", "account a-1, l-2")):
        found = answer(decisions=[decision("in-7/3", subject)], standings=[standing("in-7", subject, **content)])
        now = "now granted (as of 2026-03-20T09:00:00Z)"
        expected = ["GRANTED 5.00 EUR", of, *said[1:]]
        place = next((number for number, line in enumerate(expected) if line.startswith("overpaid")), len(expected))
        assert head(printed(0, found)) == [*expected[:place], now, *expected[place:]]


def test_what_two_campaigns_gave_is_said_in_all_and_each_is_named() -> None:
    found = answer(
        decisions=[decision("in-7/3"), decision("in-7/4", superseded=False)],
        standings=[standing("in-7", granted={"EUR": "1000", "CHF": "200"})],
    )
    lines = printed(0, found)
    assert "in all 2.00 CHF + 10.00 EUR, by 2 campaigns" in lines
    assert [line for line in lines if line.startswith("Campaign ")] == [
        "Campaign in-7/3: granted 5.00 EUR (ok)", "Campaign in-7/4: granted 5.00 EUR (ok)",
    ]  # fmt: skip
    assert [line for line in lines if "1. " in line or "2. " in line] == [
        "why 1. step of in-7/3", "2. then of in-7/3", "why 1. step of in-7/4", "2. then of in-7/4",
    ]  # fmt: skip
    alone = printed(0, answer(decisions=[decision("in-7/3")], standings=[standing("in-7")]))
    assert not [line for line in alone if line.startswith(("in all", "Campaign "))]


def test_each_campaign_that_can_still_change_an_answer_is_said_to_and_no_other() -> None:
    campaigns = [campaign("in-7/3"), campaign("in-7/4", "applying")]
    decided: dict[str, Any] = {"decisions": [decision("in-7/3")], "standings": [standing("in-7")]}
    for final, decisions, said in (
        (True, decided, []), (False, decided, ["Campaign in-7/3 is closed.", "Campaign in-7/4 is applying."]),
        (False, {}, ["Campaign in-7/3 is closed.", "Campaign in-7/4 is applying; this can change."]),
    ):  # fmt: skip
        found = answer(final=final, campaigns=campaigns, **decisions)
        lines = printed(0 if decisions else 1, found)
        assert [line for line in lines if line.startswith("Campaign ") and " is " in line] == said


def test_what_was_withheld_names_who_sees_it_and_the_command_for_this_very_account() -> None:
    withheld = {"decisions": 3, "before": "2026-01-01"}
    assert printed(1, answer(withheld=withheld)) == [
        "Not shown: 3 decisions from before 2026-01-01. A list says that the id changed hands then.",
        "The role auditor sees all of them:", "kulanz ask a-1 --past",
    ]  # fmt: skip


def test_where_nothing_was_decided_it_is_said_where_it_was_looked_and_how_to_go_on() -> None:
    assert printed(1, answer(), "--incident", "in-9") == [
        "NOTHING DECIDED about account a-1",
        "The incident in-9 is not recorded on this stack. Is its id right? A month's:",
        "kulanz incidents --month 2026-03", "All about the account, whatever the incident:", "kulanz ask a-1",
    ]  # fmt: skip
    incidents = [{"incident_id": "in-9", "title": "Title", "began": "2026-02-01T09:00:00Z"}]
    begins = ["NOTHING DECIDED about account a-1", "incident in-9, Title", "began 2026-02-01T09:00:00Z"]
    assert printed(1, answer(incidents=incidents), "--incident", "in-9") == [
        *begins, "The incident has no campaign: nobody was decided about.",
    ]  # fmt: skip
    two = [campaign("in-9/1"), campaign("in-9/2", rejected=0)]
    rejected = ["Which rows were rejected, and why:", "kulanz rejected in-9/1", "rows of in-9/1"]
    looked = "Looked in: the decisions of 2 campaigns of the incident, as an account."
    nowhere = "The account was not on the list, or its row was rejected."
    for content, said in (
        ({"listed_nowhere": True}, [nowhere]), ({"final": False}, []),
        ({}, [f"Campaign {one['campaign']}: the account was not on its list, or its row was rejected." for one in two]),
    ):  # fmt: skip
        lines = printed(1, answer(incidents=incidents, campaigns=two, **content), "--incident", "in-9")
        assert lines[: len(lines) - 2 * (content.get("final") is False)] == [*begins, looked, *said, *rejected]
