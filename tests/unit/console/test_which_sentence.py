"""Which of several sentences is said of a decision, a credit or a search: each case by its own words."""

from datetime import UTC, datetime
from itertools import combinations
from typing import Any, cast

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.decision import Outcome
from kulanz_console import answered
from kulanz_console.answered import Decided, Standing
from kulanz_console.on_the_way import lateness
from kulanz_console.port import NotAnswered
from kulanz_console.sessions import Session
from kulanz_console.views import audit, drafts
from kulanz_console.visit import Visit
from kulanz_console.words import Words

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)


def decided(outcome: str, reason: str = "the-reason", seq: int = 1, **changes: Any) -> Decided:
    content: dict[str, Any] = {
        "campaign": f"in-7/{seq}", "subject": "-", "status": outcome, "offer": None, "superseded": False,
        "decision": {"outcome": outcome, "reason": reason}, "credits": (), **changes,
    }  # fmt: skip
    return Decided(content)  # type: ignore[arg-type] # as far as it is looked at


def offer(*, ended: bool, late: bool) -> dict[str, Any]:
    return {"ended": ended, "late": late, "open": not ended, "accepted_at": None}


CREDITS = {
    "open": {"state": "due", "voided": "0.00"},
    "in part": {"state": "due", "voided": "1.00"},
    "whole": {"state": "voided", "voided": "5.00"},
}
MEANS: dict[str, tuple[Decided, str]] = {
    "granted": (decided("granted"), "The account gets it."),
    "declined": (decided("declined"), "The account does not get it."),
    "held": (decided("held"), "Nothing is given for now: the policy holds it, for the reason that follows."),
    "held for a fact": (
        decided("held", "fee_unknown"),
        "Not decided: a fact that the policy needs is unknown, and nothing is guessed.",
    ),
    "held since the plan": (
        decided("held", "changed_since_plan"),
        "Nothing more is given for now: what was granted before changed while the plan waited for its approval.",
    ),
    "declined for a fact": (decided("declined", "fee_unknown"), "The account does not get it."),
    "referred": (decided("referred"), "It waits for a manual review."),
    "offered": (decided("offered"), "The account gets it when the customer accepts or claims it."),
    "offered and open": (
        decided("offered", offer=offer(ended=False, late=False)),
        "The account gets it when the customer accepts or claims it.",
    ),
    "offered and over": (
        decided("offered", offer=offer(ended=True, late=True)), "It was offered and not accepted in time.",
    ),
    "offered and stopped": (
        decided("offered", offer=offer(ended=True, late=False)), "It was offered by a stopped campaign.",
    ),
    "offered and decided anew": (
        decided("offered", offer=offer(ended=True, late=True), superseded=True),
        "It was offered and not accepted; a later campaign has decided since.",
    ),
    "accepted": (
        decided("offered", status="granted", offer=offer(ended=True, late=True)),
        "The customer accepted the offer; the account gets it.",
    ),
    "taken back in part": (
        decided("granted", credits=(CREDITS["open"], CREDITS["in part"])),
        "The account gets a part of it: the rest was taken back.",
    ),
    "taken back, one of two": (
        decided("granted", credits=(CREDITS["whole"], CREDITS["open"])),
        "The account gets a part of it: the rest was taken back.",
    ),
    "taken back": (
        decided("granted", credits=(CREDITS["whole"],)),
        "The account does not get it: it was granted, and all of it was taken back.",
    ),
    "nothing taken back": (decided("granted", credits=(CREDITS["open"],)), "The account gets it."),
}  # fmt: skip


@pytest.mark.parametrize("name", MEANS)
def test_a_decision_means_for_the_account_what_became_of_it(name: str) -> None:
    one, says = MEANS[name]
    assert answered.meaning(one) == says


def test_every_outcome_means_something() -> None:
    assert {one.decision.outcome for one, _ in MEANS.values()} == set(Outcome)


def test_where_nothing_is_given_the_latest_decision_says_why() -> None:
    every = (decided("declined", "first"), decided("held", "second", 2), decided("declined", "third", 3))
    for state in ("declined", "held"):
        assert answered.what_words(Standing({"state": state}, every)) == "third"  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("due", "state", "late", "says"),
    [
        ("2026-04-01T00:00:00.5Z", "due", True, "late since 2026-04-01T00:00:00Z"),
        ("2026-04-01T00:00:00Z", "sent", False, "late from 2026-04-01T00:00:00Z"),
        (None, "due", False, ""),
        *(("2026-04-01T00:00:00Z", state, True, "") for state in ("applied", "written_off", "voided")),
    ],
)
def test_a_credit_is_late_since_its_deadline_or_from_it_and_never_once_it_is_over(
    due: str | None, state: str, *, late: bool, says: str
) -> None:
    assert lateness({"due": due, "state": state, "late": late}) == says  # type: ignore[typeddict-item]


def test_two_engines_are_named_by_what_each_did() -> None:
    assert answered._engine("7", "7") == "7"
    assert answered._engine("7", "8") == ("7 decided; the steps are worked out by engine 8, which may decide otherwise")


STORED = {
    "outcome": "granted", "reason": "a", "mode": "claim",
    "benefits": [{"money": "1", "component": "fee"}, {"money": "2", "component": "line", "due": {"days": 3}}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("today", "found"),
    [
        (STORED, []),
        (STORED | {"outcome": "declined", "reason": "b"}, []),  # the summary has these
        (STORED | {"mode": "offer"}, [("mode", "claim", "offer")]),
        ({name: value for name, value in STORED.items() if name != "mode"}, [("mode", "claim", "none")]),
        (STORED | {"notice": {"key": "k", "locale": "de"}}, [("notice", "none", "key k, locale de")]),
        (
            STORED | {"benefits": [{"component": "fee"}, {"component": "other"}]},
            [("benefits 2 component", "line", "other"), ("benefits 2 due", "days 3", "none")],
        ),
        (STORED | {"benefits": [{"component": "other"}]}, []),  # how many there are stands in the summary
    ],
)
def test_what_differs_is_named_by_its_place_with_what_was_stored_and_what_is_said_today(today: Any, found: Any) -> None:
    assert list(answered.differences(STORED, today)) == found


def looked(number: int, subject: str = "", *, searched: bool = True, **changes: Any) -> dict[str, Any]:
    return {"campaign": f"in-7/{number}", "subject": subject, "searched": searched, **changes}


@pytest.mark.parametrize(
    ("campaigns", "says"),
    [
        ([looked(1)], "the decisions of 1 campaign of the incident, as an account"),
        (
            [looked(1, "line_id"), looked(2, "line_id"), looked(3)],
            "the decisions of 3 campaigns of the incident, as an account; the lists of the incident, as line_id",
        ),
        (
            [looked(2, "line_id", searched=False), looked(1, "line_id", searched=False)],
            ("the decisions of 2 campaigns of the incident, as an account; not in the list of in-7/1, in-7/2, which is"
            " too long to be searched for a line"),
        ),
    ],
)  # fmt: skip
def test_it_is_said_where_an_id_was_looked_for(campaigns: Any, says: str) -> None:
    assert answered.looked_in(campaigns) == says


@pytest.mark.parametrize("final", [True, False])
def test_an_answer_can_change_by_what_has_not_ended(final: bool) -> None:
    over = {"closed", "cancelled", "rejected", "refused"}
    campaigns = [{"campaign": f"net-outage/{number}", "state": state} for number, state in enumerate(State)]
    left = [one["campaign"] for one in campaigns if one["state"] not in over]
    assert answered.at_work(cast("Any", {"final": final, "campaigns": campaigns})) == ([] if final else left)


@pytest.mark.parametrize(
    ("finished", "old", "says"),
    [
        (
            False,
            False,
            "Campaign in-7/1 ended (cancelled) before its list was decided: that says nothing about the account.",
        ),
        (
            False,
            True,
            "Campaign in-7/1 ended (cancelled) before its list was decided: that says nothing about the account.",
        ),
        (
            True,
            True,
            "Campaign in-7/1 is so old that its decisions may have been deleted: that says nothing about the account.",
        ),
        (True, False, "Campaign in-7/1: the account was not on its list, or its row was rejected."),
    ],
)
def test_that_nothing_was_decided_means_something_of_a_campaign_that_finished_alone(
    *, finished: bool, old: bool, says: str
) -> None:
    one: Any = looked(1, state="cancelled", finished=finished, may_have_expired=old)
    assert answered.what_nothing_means(one) == says


class Asking:
    """Who notes what is asked of the log."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any, Any]] = []

    def ask(self, use: str, query: Any = None, **values: Any) -> Any:
        self.asked.append((use, query, values))
        return {"entries": [], "next": None}

    def act(self, use: str, *_: Any, **__: Any) -> Any:
        raise AssertionError(use)

    def rights(self, uses: Any) -> Any:
        return dict.fromkeys(uses, True)


FILTERS: dict[str, tuple[str, dict[str, Any]]] = {
    "campaign": ("in-7/3", {"incident": "in-7", "seq": 3}),
    "incident": ("in-7", {"incident": "in-7"}),
    "policy": ("p-1", {"policy": "p-1"}),
    "actor": ("sso:anna", {}),
    "day": ("2026-03-01", {"day": "2026-03-01"}),
}


def asked_of(query: dict[str, str]) -> list[tuple[str, Any, Any]]:
    asking = Asking()
    audit.show(Visit(asking, Session("s", "t", NOW), Words("en"), NOW, query=query))
    return asking.asked


def test_the_log_is_asked_for_what_one_field_says_and_for_today_where_none_does() -> None:
    for name, (text, values) in FILTERS.items():
        actor = {"actor": text} if name == "actor" else {}
        assert asked_of({name: f" {text} "}) == [(f"audit.of_{name}", {**actor, "cursor": None}, values)]
    assert asked_of({"day": " "}) == [("audit.of_day", {"cursor": None}, {"day": "2026-03-20"})]
    for one, other in combinations(FILTERS, 2):
        with pytest.raises(NotAnswered, match="fill in one field"):
            asked_of({one: FILTERS[one][0], other: FILTERS[other][0]})


def test_windows_are_as_long_as_they_are_together_and_have_no_length_while_one_lasts() -> None:
    def window(start: int, end: int | None) -> dict[str, Any]:
        return {
            "start": {"at": f"2026-03-10T09:{start:02d}:00Z"},
            "end": end and {"at": f"2026-03-10T09:{end:02d}:00Z"},
        }

    assert drafts._length([window(1, 3), window(10, 14)]) == "0:06:00"
    assert drafts._length([window(1, 3), window(10, None)]) == ""
