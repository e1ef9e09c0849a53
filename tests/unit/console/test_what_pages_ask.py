"""What each page asks Kulanz for, and what it makes of the answers: no two values are the same.

A campaign, month or account in another's place, a question left out, and a list in the order of its answer are seen so.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kulanz.domain.delivery.void import VoidState
from kulanz_console.port import NotAnswered, Why
from kulanz_console.sessions import Session
from kulanz_console.views import (
    audit,
    campaign,
    campaigns,
    cases,
    deliveries,
    drafts,
    incidents,
    money,
    months,
    policies,
    rejects,
    voids,
)
from kulanz_console.visit import RIGHTS, Shown, Visit
from kulanz_console.words import Words

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
OF = {
    "incident": "in-7", "seq": "3", "account": "a-1", "void": "v-1", "draft": "it-1-a", "policy": "p-1", "version": "2",
}  # fmt: skip
ON = {"incident": "in-7", "seq": "3"}
type Asked = tuple[str, Mapping[str, object], Mapping[str, object]]


class Kept:
    """Who answers what it was given, part after part, and notes what it was asked."""

    def __init__(self, **answers: Any) -> None:
        self._answers = {use.replace("__", "."): answer for use, answer in answers.items()}
        self.asked: list[Asked] = []

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> Mapping[str, Any]:
        stated = {name: text for name, text in (query or {}).items() if text is not None}
        self.asked.append((use, stated, values))
        answer = self._answers[use]
        found: Mapping[str, Any] = answer(**values) if callable(answer) else answer
        return found

    def act(self, use: str, content: Mapping[str, Any], **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        raise AssertionError(use)

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return dict.fromkeys(uses, True)


def visit_of(kulanz: Kept, *, form: Mapping[str, str] | None = None, now: datetime = NOW, **query: str) -> Visit:
    session = Session("s", "t", now, rights=dict.fromkeys(RIGHTS, True))
    return Visit(kulanz, session, Words("en"), now, of=OF, query=query, form=form or {})


def shown(view: Callable[[Visit], Shown], kulanz: Kept, **of: Any) -> Mapping[str, Any]:
    return view(visit_of(kulanz, **of)).content


# Months


def test_the_months_beside_one_and_before_an_instant_are_those_of_the_calendar() -> None:
    assert [months.neighbours(one) for one in ("2026-01", "2026-06", "2026-12")] == [
        ("2025-12", "2026-02"), ("2026-05", "2026-07"), ("2026-11", "2027-01"),
    ]  # fmt: skip
    assert months.last_months(datetime(2026, 2, 28, 23, 59, tzinfo=UTC), 4) == [
        "2026-02",
        "2026-01",
        "2025-12",
        "2025-11",
    ]


def test_a_month_is_the_one_that_was_chosen_or_this_one_and_never_what_is_none() -> None:
    for chosen, expected in ((None, "2026-03"), ("", "2026-03"), (" 2025-12 ", "2025-12"), ("2026-01", "2026-01")):
        query: Any = {} if chosen is None else {"month": chosen}
        assert months.month_of(visit_of(Kept(), **query)) == expected
    for wrong in ("2026-00", "2026-13", "2026-1", "26-01", "2026-01-01", "x2026-01", "2026"):
        with pytest.raises(NotAnswered, match="expected a month") as problem:
            months.month_of(visit_of(Kept(), month=wrong))
        assert problem.value.why is Why.WRONG


# Questions

NONE: Mapping[str, Any] = {
    "next": None, "campaigns": [], "entries": [], "incidents": [], "drafts": [], "events": [], "deliveries": [],
    "kept_back": [], "credits": [], "overdue": [], "due_soon": [], "proposed": [], "cases": [], "budgets": [],
    "policies": [], "campaign": "in-7/3", "highest_revision": 5, "halted": False,
}  # fmt: skip
MARCH, FEBRUARY = {"month": "2026-03"}, {"month": "2026-02"}


def day(text: str) -> Asked:
    return "audit.of_day", {}, {"day": text}


ASKED: Sequence[tuple[Callable[[Visit], Shown], Mapping[str, str], Sequence[Asked]]] = [
    (audit.show, {}, [day("2026-03-20")]),
    (audit.show, {"day": " 2026-03-01 ", "actor": " "}, [day("2026-03-01")]),
    (audit.show, {"campaign": "in-8/4"}, [("audit.of_campaign", {}, {"incident": "in-8", "seq": 4})]),
    (audit.show, {"incident": "in-8"}, [("audit.of_incident", {}, {"incident": "in-8"})]),
    (audit.show, {"policy": "p-8"}, [("audit.of_policy", {}, {"policy": "p-8"})]),
    (audit.show, {"actor": "sso:anna"}, [("audit.of_actor", {"actor": "sso:anna"}, {})]),
    (campaigns.show, {}, [("campaigns.of_month", {}, MARCH)]),
    (campaigns.show, {"month": "2026-02"}, [("campaigns.of_month", {}, FEBRUARY)]),
    (campaigns.show, {"incident": " in-8 "}, [("campaigns.of_incident", {}, {"incident": "in-8"})]),
    (
        deliveries.show, {},
        [
            ("deliveries.waiting", {}, {}), ("acknowledgements.overdue", {}, {}),
            ("acknowledgements.of_month", {}, MARCH), ("acknowledgements.of_month", {}, FEBRUARY),
        ],
    ),
    (
        deliveries.show, {"channel": " billing "},
        [
            ("deliveries.waiting", {}, {}), ("acknowledgements.overdue", {}, {}),
            ("deliveries.of_channel", {}, {"channel": "billing"}), ("acknowledgements.of_month", {}, MARCH),
            ("acknowledgements.of_month", {}, FEBRUARY),
        ],
    ),
    (deliveries.show_late, {}, [("acknowledgements.late_credits", {}, ON)]),
    (
        incidents.show, {"month": "2026-02"},
        [("incidents.of_month", {}, FEBRUARY), ("drafts.of_month", {}, FEBRUARY), ("incidents.refused", {}, {})],
    ),
    (rejects.show, {}, [("acknowledgements.rejected_credits", {}, ON)]),
    (cases.show, {"month": "2026-02"}, [("cases.of_month", {}, FEBRUARY), ("cases.proposed", {}, {})]),
    (
        cases.show_campaign, {"kind": "held"},
        [("cases.of_campaign", {"kind": "held"}, ON), ("cases.of_campaign", {"kind": "held"}, ON)],
    ),
    (money.show, {}, [("halts.current", {}, {}), ("budgets.since", {}, MARCH)]),
    (policies.show, {}, [("policies.published", {}, {})]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("view", "query", "asked"), ASKED, ids=[f"{view.__module__}-{number}" for number, (view, _, _) in enumerate(ASKED)]
)
def test_a_page_asks_for_what_was_chosen_and_for_nothing_else(
    view: Callable[[Visit], Shown], query: Mapping[str, str], asked: Sequence[Asked]
) -> None:
    kulanz = Kept(**{use.replace(".", "__"): NONE for use, _, _ in asked})
    shown(view, kulanz, **query)
    assert sorted(map(repr, kulanz.asked)) == sorted(map(repr, asked)), "some are asked at the same time"


def test_the_cases_of_the_last_fourteen_months_are_looked_through_where_none_is_chosen() -> None:
    kulanz = Kept(cases__of_month=NONE, cases__proposed=NONE)
    assert shown(cases.show, kulanz)["month"] == ""
    looked_at = sorted(str(values["month"]) for use, _, values in kulanz.asked if use == "cases.of_month")
    assert looked_at == [*(f"2025-{number:02}" for number in range(2, 13)), "2026-01", "2026-02", "2026-03"]


def test_budgets_are_asked_from_a_month_that_has_begun_in_every_zone() -> None:
    for now, month in (
        (datetime(2026, 4, 1, 23, tzinfo=UTC), "2026-03"),
        (datetime(2026, 4, 2, tzinfo=UTC), "2026-04"),
    ):
        kulanz = Kept(halts__current=NONE, budgets__since=NONE)
        assert shown(money.show, kulanz, now=now)["month"] == "2026-04"
        assert kulanz.asked[-1][2] == {"month": month} or kulanz.asked[0][2] == {"month": month}


def test_only_one_field_of_the_audit_log_is_asked_for_and_a_campaign_that_is_none_is_said() -> None:
    for wrong in ({"campaign": "in-7/3", "day": "2026-03-01"}, {"campaign": "in-7"}, {"campaign": "in-7/x"}):
        with pytest.raises(NotAnswered) as problem:
            shown(audit.show, Kept(), **wrong)
        assert problem.value.why is Why.WRONG


# What is made of the answers


ACTIONS = ("was_paused", "requested void v_1 of", "approved void v_1 of", "sent_again credit c_2 of")
SAID = ("was paused", "requested void v_1 of", "approved void v_1 of", "sent again credit c_2 of")
"""The ids of voids and credits stay as they are."""


def test_a_line_of_the_audit_log_says_when_what_on_what_by_whom_and_why() -> None:
    entries = [
        {
            "at": f"2026-03-0{number}T09:00:00Z", "action": action, "about": f"about-{number}", "on": f"in-{number}/1",
            "actor": f"sso:actor-{number}", "reason": f"reason-{number}",
        }
        for number, action in enumerate(ACTIONS, 1)
    ]  # fmt: skip
    rows = str(shown(audit.show, Kept(audit__of_day={**NONE, "entries": entries}))["rows"]).split("</tr>")[:-1]
    for number, (row, said) in enumerate(zip(rows, SAID, strict=True), 1):
        cells = [re.sub("<[^>]+>", "", cell) for cell in re.split("</t[hd]>", row)[:-1]]
        assert cells == [
            f"2026-03-0{number} 09:00:00 UTC", said, f"about-{number} in-{number}/1", f"sso:actor-{number}",
            f"reason-{number}",
        ]  # fmt: skip
        assert f'href="?actor=sso%3Aactor-{number}"' in row


def bill(number: int, delivery: str | None, why_not: str = "", **due: str) -> dict[str, Any]:
    lines = [{"measure": measure, "by_state": {"due": text, "sent": "1.00"}} for measure, text in due.items()]
    return {
        "campaign": f"in-{number}/1", "delivery": delivery, "delivery_state": "sent", "why_not": why_not,
        "lines": lines,
    }  # fmt: skip


def test_deliveries_name_every_channel_once_and_what_is_due_unless_it_is_kept_back() -> None:
    others = ("post", "erp", "sap", "mail")
    waiting = {
        "deliveries": [{"delivery": f"{name}/3"} for name in ("sms", *others)],
        "kept_back": [{"campaign": "in-9/1"}],
    }
    of_month = {
        "2026-03": [
            bill(1, "letters/2", EUR="0.00", CHF="7.00"), bill(2, None, "no channel", EUR="8.00"),
            bill(9, None, EUR="9"),
        ],
        "2026-02": [bill(3, "billing/1", EUR="6.00"), bill(4, "letters/1")],
    }  # fmt: skip

    def page(month: str) -> Mapping[str, Any]:
        return {"campaigns": of_month[month], "next": None}

    content = shown(
        deliveries.show,
        Kept(deliveries__waiting=waiting, acknowledgements__overdue=NONE, acknowledgements__of_month=page),
    )
    assert (content["channels"], content["months"]) == (
        sorted(["billing", "letters", "sms", *others]),
        ["2026-03", "2026-02"],
    )
    assert [(one["campaign"], one["measure"], one["sum"], str(one["says"])) for one in content["due"]] == [
        ("in-1/1", "CHF", "7.00", "letters/2"), ("in-2/1", "EUR", "8.00", "no channel"),
        ("in-3/1", "EUR", "6.00", "billing/1"),
    ]  # fmt: skip
    assert (content["is_delivered"], content["due_more"]) == (True, False)


@pytest.mark.parametrize(
    ("of_month", "is_delivered"),
    [
        ([], False), ([bill(1, None, "no channel")], False), ([bill(1, None)], True),
        ([bill(1, None, "no channel"), bill(2, None)], True), ([bill(1, "billing/1")], True),
    ],
)  # fmt: skip
def test_something_is_delivered_where_a_list_or_an_addition_is(of_month: list[Any], is_delivered: bool) -> None:
    answers = Kept(
        deliveries__waiting=NONE, acknowledgements__overdue=NONE,
        acknowledgements__of_month={"campaigns": of_month, "next": None},
    )  # fmt: skip
    assert shown(deliveries.show, answers)["is_delivered"] is is_delivered


def test_rejected_credits_wait_by_campaign_with_each_sum_and_the_chosen_one_has_its_form() -> None:
    lines = [
        {"measure": "EUR", "by_state": {"rejected": "1.00", "taken_back": "2.00", "sent": "4.00"}},
        {"measure": "call_minute", "by_state": {"taken_back": "8"}},
    ]
    of_month = {
        "2026-03": [
            {"campaign": "in-1/1", "lines": lines},
            {"campaign": "in-2/1", "lines": [{"by_state": {"sent": "1"}}]},
        ],
        "2026-02": [{"campaign": "in-3/1", "lines": lines[1:]}],
    }

    def page(month: str) -> Mapping[str, Any]:
        return {"campaigns": of_month[month], "next": None}

    def of(measure: str, state: str, text: str) -> Mapping[str, str]:
        return {"measure": measure, "state": state, "sum": text}

    minutes = of("call_minute", "taken_back", "8")
    assert rejects.waiting_in(visit_of(Kept(acknowledgements__of_month=page))) == [
        {"campaign": "in-1/1", "sums": [of("EUR", "rejected", "1.00"), of("EUR", "taken_back", "2.00"), minutes]},
        {"campaign": "in-3/1", "sums": [minutes]},
    ]
    found = [{"credit_id": f"c-{number}", "reversed": f"0.0{number - 1}"} for number in (1, 2, 3)]
    answers = Kept(acknowledgements__rejected_credits={"credits": found, "next": None})
    for name, one, is_reversed in (("c-1", found[0], False), ("c-2", found[1], True), ("", None, False)):
        content = shown(rejects.show, answers, credit=name)
        assert (content["chosen"], content["is_reversed"]) == (one, is_reversed)
    assert shown(rejects.show, answers, form={"credit_id": "c-3"})["chosen"] == found[2]


def queued(number: int, decided: str, until: str, **changes: Any) -> dict[str, Any]:
    return {"campaign": f"in-{number}/1", "decided_at": decided, "decidable_until": until, "closed": None, **changes}


def test_cases_come_by_their_deadline_then_by_their_decision_and_with_whole_days() -> None:
    early, late, soon = "2026-03-01T09:00:00Z", "2026-03-02T09:00:00Z", "2026-03-25T09:00:00Z"
    of_month = {
        "2026-03": [queued(4, late, soon), queued(3, early, soon), queued(2, early, soon)],
        "2026-02": [queued(1, late, "2026-03-24T09:00:00Z", closed={"says": "over"})],
    }

    def page(month: str) -> Mapping[str, Any]:
        return {"campaigns": of_month.get(month, []), "next": None}

    content = shown(cases.show, Kept(cases__of_month=page, cases__proposed=NONE))
    assert [one["campaign"] for one in content["campaigns"]] == ["in-1/1", "in-2/1", "in-3/1", "in-4/1"]
    assert [one["is_over"] for one in content["campaigns"]] == [True, False, False, False]
    second = timedelta(seconds=1)
    for before, after, old, left in (
        (timedelta(days=3), timedelta(days=2), 3, 2), (timedelta(days=3) - second, timedelta(days=2) - second, 2, 1),
        (-second, -second, 0, 0), (timedelta(), timedelta(), 0, 0),
    ):  # fmt: skip
        one = queued(1, f"{NOW - before:%Y-%m-%dT%H:%M:%SZ}", f"{NOW + after:%Y-%m-%dT%H:%M:%SZ}")
        found = cases.line_of_queue(one, visit_of(Kept()))
        assert (found["days_old"], found["days_left"]) == (old, left)


def test_what_waits_of_a_campaign_leads_to_its_own_case() -> None:
    one = {"account_id": "a 1", "subject": "-", "row_offset": 78, "kind": "held"}
    found = [
        one, {**one, "subject": "l-2"}, {**one, "kind": "conflict"}, {**one, "kind": "conflict", "subject": "l-2"},
        {"kind": "rejected", "row_offset": 90},
    ]  # fmt: skip
    content = shown(cases.show_campaign, Kept(cases__of_campaign={"campaign": "in-7/3", "cases": found, "next": None}))
    assert [case["path"] for case in content["cases"]] == [
        "/case/a%201/in-7/3", "/case/a%201/in-7/3?subject=l-2", "/case/a%201/in-7/3?row=78",
        "/case/a%201/in-7/3?subject=l-2&row=78", "/row/in-7/3?row=90",
    ]  # fmt: skip


KINDS = {
    VoidState.PLANNING: "waits", VoidState.AWAITING_APPROVAL: "waits", VoidState.VOIDED: "closed",
    VoidState.REJECTED: "stopped", VoidState.FLAGGED: "stopped", VoidState.SETTLED: "stopped",
}  # fmt: skip


@pytest.mark.parametrize("state", VoidState)
def test_a_void_is_shown_as_what_it_is_and_who_is_missing(state: VoidState) -> None:
    one = {
        "campaign": "in-9/4", "void": "v 8", "state": state.value, "about": "overpaid", "plan_hash": "ab",
        "plan": {"lines": 0}, "done": {"lines": 1}, "persons_needed": 2, "requested_by": "sso:anna",
        "approvals": [{"person": f"sso:person-{number}"} for number in range(3)],
    }  # fmt: skip
    kulanz = Kept(voids__one=one)
    content = shown(voids.show, kulanz, form={"plan_hash": "cd"})
    assert kulanz.asked == [("voids.one", {}, {**ON, "void": "v-1"})]
    assert content["void"] == {**one, "path": "/void/in-9/4/v%208", "kind": KINDS.get(state, "waits")}
    assert (content["waits"], content["is_flagged"], content["is_planning"]) == (
        state is VoidState.AWAITING_APPROVAL, state is VoidState.FLAGGED, state is VoidState.PLANNING,
    )  # fmt: skip
    assert (content["is_another"], content["is_overpaid"], content["passes"], content["missing"]) == (
        True,
        True,
        ["done"],
        0,
    )
    assert content["others"] == ["sso:anna", "sso:person-0", "sso:person-1", "sso:person-2"]
    for seen in ("", "ab"):
        assert not shown(voids.show, kulanz, form={"plan_hash": seen})["is_another"]


def span(start: int, end: int | None) -> dict[str, Any]:
    return {"start": {"at": f"2026-03-10T09:{start:02}:00Z"}, "end": end and {"at": f"2026-03-10T09:{end:02}:00Z"}}


def test_a_draft_offers_each_way_to_count_that_has_windows_and_says_what_became_of_it() -> None:
    draft = {
        "draft": "it-1-a", "digest": "ab", "windows": [span(1, 2), span(4, 6)], "components": [],
        "by": {"major": [span(1, 5)], "partial": [], "whole": [span(7, None)]},
        "suggested": {"policy": "p-1/2", "list": None, "cause": ""}, "confirmed": None, "dismissed": None,
    }  # fmt: skip
    content = shown(drafts.show, Kept(drafts__one=draft))
    assert [(one["name"], one["windows"], one["length"]) for one in content["choices"]] == [
        ("proposed", draft["windows"], "0:03:00"), ("major", [span(1, 5)], "0:04:00"), ("whole", [span(7, None)], ""),
    ]  # fmt: skip
    assert (content["policy"], content["list"], "cause" in content["suggested"]) == ("p-1/2", "", False)
    for confirmed, dismissed, seen in (
        (None, None, ""), ("ab", None, "ab"), (None, "ab", "cd"), ("cd", "ef", "ab"), ("ab", "ab", ""),
    ):  # fmt: skip
        ended = {"confirmed": confirmed and {"digest": confirmed}, "dismissed": dismissed and {"digest": dismissed}}
        content = shown(drafts.show, Kept(drafts__one=draft | ended), form={"digest": seen})
        assert (content["is_confirmed"], content["is_dismissed"], content["is_another"]) == (
            confirmed == "ab", dismissed == "ab", seen == "cd",
        )  # fmt: skip


def test_rows_with_a_problem_are_named_by_their_place_the_most_frequent_reason_first() -> None:
    rows = [{"reason": reason, "line": line, "offset": 1_000 + number} for number, (reason, line) in enumerate(
        [("few", 7), ("many", None), ("many", 1_234), ("many", 9)]
    )]  # fmt: skip
    assert campaign._by_reason(rows, Words("en")) == [
        ("many", 3, ["byte 1,001", "line 1,234 (byte 1,002)", "line 9 (byte 1,003)"]),
        ("few", 1, ["line 7 (byte 1,000)"]),
    ]  # fmt: skip
    many = [{"reason": "many", "line": number, "offset": 0} for number in range(campaign.LINES_SHOWN + 1)]
    ((_, number, named),) = campaign._by_reason(many, Words("en"))
    assert (number, len(named)) == (campaign.LINES_SHOWN + 1, campaign.LINES_SHOWN)


def test_policies_stand_together_with_their_versions_and_examples_say_how_they_were_worked_out() -> None:
    found = [{"id": "p-2", "version": 1}, {"id": "p-1", "version": 1}, {"id": "p-2", "version": 2}]
    content = shown(policies.show, Kept(policies__published={"policies": found, "next": None}))
    assert content["policies"] == {"p-2": [found[0], found[2]], "p-1": [found[1]]}
    for example, says in (({"id": "e", "derivation": "by hand"}, "e: by hand"), ({"id": "e"}, "e"), ({}, "")):
        assert policies._says(example) == says
