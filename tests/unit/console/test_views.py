"""What the views make of answers: figures, days, lengths and lists as they are, and forms done as they were shown."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.wrappers import Response

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.time import TimeError
from kulanz_console.drawing.figures import BESIDE, WorthLine, _totals
from kulanz_console.drawing.ways import FOR_A_PERSON
from kulanz_console.pages import LEAST_COST_USD, Page, environment
from kulanz_console.place import Place
from kulanz_console.port import NotAnswered
from kulanz_console.sessions import RIGHTS_LIFETIME, Session
from kulanz_console.views import cases, drafts, incidents, rejects, try_policy, voids, waiting
from kulanz_console.views.campaign import LINES_SHOWN, _by_reason
from kulanz_console.views.campaign_lines import line_of
from kulanz_console.visit import RIGHTS, Visit
from kulanz_console.words import Words

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
DAY = timedelta(days=1)


class Desk:
    """Who answers what was given, and notes what is done."""

    def __init__(self, of: Mapping[str, Mapping[str, Any]]) -> None:
        self._of = of
        self.acts: list[tuple[str, Mapping[str, Any]]] = []
        self.asked: list[str] = []

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        return self._of[use]

    def act(self, use: str, content: Mapping[str, Any], **_: str | int) -> Mapping[str, Any]:
        self.acts.append((use, content))
        return self._of[use]

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        self.asked += uses
        return {use: use != "halts.act" for use in uses}


def visited(desk: Desk, **changes: Any) -> Visit:
    session = Session("an-id", "a-token", NOW + DAY)
    return Visit(**{"kulanz": desk, "session": session, "words": Words("en"), "now": NOW, **changes})


# Rights


def test_what_a_person_may_do_is_asked_anew_after_some_minutes_and_not_before() -> None:
    desk = Desk({})
    visit = visited(desk)
    for now, times in ((NOW, 1), (NOW + RIGHTS_LIFETIME - timedelta(seconds=1), 1), (NOW + RIGHTS_LIFETIME, 2)):
        visit.now = now
        visit.learn_rights()
        assert len(desk.asked) == times * len(RIGHTS)
        assert (visit.may("halts.act"), visit.may("budgets.act"), visit.may("nothing.known")) == (False, True, False)


# Figures


def campaign_item(state: State, plan: int, apply: int) -> dict[str, Any]:
    """A campaign of 1,000 bytes with so many of them done; of its lines one is blank."""
    results = [
        {"result": "granted", "reason": "credit", "write_result": "none", "lines": 40},
        {"result": "blank", "reason": "blank", "write_result": "none", "lines": 1},
    ]
    passed = {"lines": 41, "digest": "0", "results": results, "worth": []}
    report = {"plan": passed, "apply": passed, "list": {"rows_announced": 50}, "policy": {"id": "p", "version": 1}}
    return {
        "campaign": "outage/1", "state": state.value, "reason": "", "decided_at": "2026-03-01T00:00:00Z",
        "plan": {"bytes_done": plan, "finished": plan == 1_000}, "apply": {"bytes_done": apply, "finished": False},
        "bytes_in_all": 1_000, "seconds_left": None, "approvable_until": None,
        "report": report,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("state", "plan", "apply", "percent", "rows"),
    [
        (State.PLANNING, 0, 0, 0, 50),
        (State.PLANNING, 250, 0, 25, 50),
        (State.AWAITING_APPROVAL, 1_000, 0, 0, 40),
        (State.APPLYING, 1_000, 700, 70, 40),
        (State.CLOSED, 1_000, 1_000, 100, 40),
    ],
)
def test_a_line_shows_how_far_its_campaign_is_and_the_rows_as_they_were_counted(
    state: State, plan: int, apply: int, percent: int, rows: int
) -> None:
    line = line_of(campaign_item(state, plan, apply))
    assert (line.percent, line.rows) == (percent, rows)


@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3 * LINES_SHOWN))
def test_rows_with_a_problem_are_counted_by_reason_though_few_of_them_are_named(reasons: list[str]) -> None:
    rows = [{"reason": reason, "line": number, "offset": 0} for number, reason in enumerate(reasons)]
    found = {reason: (number, places) for reason, number, places in _by_reason(rows, Words("en"))}
    assert {reason: number for reason, (number, _) in found.items()} == Counter(reasons)
    for reason, (number, places) in found.items():
        assert places == [f"line {at} (byte 0)" for at, one in enumerate(reasons) if one == reason][:LINES_SHOWN]
        assert len(places) == min(number, LINES_SHOWN)
    assert [number for number, _ in found.values()] == sorted(Counter(reasons).values(), reverse=True)


SIZES = st.integers(0, 900)


@given(st.lists(st.tuples(st.sampled_from([RowResult.GRANTED, RowResult.OFFERED, RowResult.HELD]), SIZES, SIZES)))
def test_granted_offered_and_held_back_are_what_was_planned(drawn: list[tuple[RowResult, int, int]]) -> None:
    worth = tuple(WorthLine(of, "EUR", planned, ledger, (0,) * len(BESIDE), 0) for of, planned, ledger in drawn)
    for one in _totals(worth):
        assert one.granted + one.offered + one.held_back == one.planned == sum(planned for _, planned, _ in drawn)
        assert one.offered == sum(ledger for of, _, ledger in drawn if of is RowResult.OFFERED)
        assert one.to_offer == sum(planned for of, planned, _ in drawn if of is RowResult.OFFERED)


@pytest.mark.parametrize(
    ("usd", "says"),
    [("0", "less than 0.01 USD"), ("0.009999", "less than 0.01 USD"), ("0.01", "0.01 USD"), ("1.239", "1.24 USD")],
)
def test_what_aws_asks_for_is_shown_to_the_cent_and_never_as_nothing(usd: str, says: str) -> None:
    assert Decimal("0.01") == LEAST_COST_USD
    page = Page(environment(), Words("en"), "a-stack", None, ())
    assert page._cost(usd) == says


# Days and lengths


@pytest.mark.parametrize(
    ("decided", "until", "old", "left"),
    [
        (NOW - 3 * DAY, NOW + 5 * DAY, 3, 5),
        (NOW - 3 * DAY + timedelta(seconds=1), NOW + 5 * DAY - timedelta(seconds=1), 2, 4),
        (NOW, NOW, 0, 0),
        (NOW + DAY, NOW - DAY, 0, 0),
    ],
)
def test_days_are_counted_from_now(decided: datetime, until: datetime, old: int, left: int) -> None:
    one = {"decided_at": f"{decided:%Y-%m-%dT%H:%M:%SZ}", "decidable_until": f"{until:%Y-%m-%dT%H:%M:%SZ}"}
    shown = cases.line_of_queue({**one, "closed": None}, visited(Desk({})))
    assert (shown["days_old"], shown["days_left"], shown["is_over"]) == (old, left, False)


@pytest.mark.parametrize("more_incidents", [None, "a-cursor"])
@pytest.mark.parametrize("more_drafts", [None, "a-cursor"])
def test_a_month_says_that_there_is_more_of_incidents_or_of_drafts(
    more_incidents: str | None, more_drafts: str | None
) -> None:
    desk = Desk({
        "incidents.of_month": {"incidents": [], "next": more_incidents}, "incidents.refused": {"events": []},
        "drafts.of_month": {"drafts": [], "next": more_drafts},
    })  # fmt: skip
    assert incidents.show(visited(desk)).content["is_more"] is bool(more_incidents or more_drafts)


def test_a_window_of_an_incident_is_as_long_as_it_was() -> None:
    start, end = "2026-03-01T09:00:00Z", "2026-03-01T11:30:00Z"
    assert incidents._window({"start": start, "end": end}) == (start, end, "2:30:00")
    assert incidents._window({"start": start, "end": None}) == incidents._window({"start": start}) == (start, None, "")


def test_a_window_to_try_has_a_length() -> None:
    assert try_policy._window("2026-03-01T09:00:00Z/..").end is None
    for end in ("2026-03-01T09:00:00Z", "2026-03-01T08:00:00Z"):
        with pytest.raises(TimeError, match="after its start"):
            try_policy._window(f"2026-03-01T09:00:00Z/{end}")


# What waits


def test_only_cases_that_somebody_can_decide_stand_on_the_first_page() -> None:
    common = {"decidable_until": "2026-06-01T00:00:00Z", "decided_at": "2026-03-01T00:00:00Z"}
    found = [
        {**common, "campaign": "open/1", "closed": None},
        {**common, "campaign": "over/1", "closed": {"says": "x"}},
    ]
    desk = Desk({"cases.of_month": {"campaigns": found, "next": None}})
    assert {one["campaign"] for one in waiting._cases(visited(desk))} == {"open/1"}


@pytest.mark.parametrize("state", FOR_A_PERSON)
def test_credits_that_the_biller_refused_or_took_back_wait_for_a_person(state: str) -> None:
    lines = [{"measure": "EUR", "by_state": {state: "5.00", "applied": "7.00"}}]
    answer = {"campaigns": [{"campaign": "outage/1", "lines": lines}], "next": None}
    found = rejects.waiting_in(visited(Desk({"acknowledgements.of_month": answer})))
    assert found == rejects.MONTHS_BACK * [
        {"campaign": "outage/1", "sums": [{"measure": "EUR", "state": state, "sum": "5.00"}]}
    ]
    lines[0]["by_state"] = {"applied": "7.00"}
    assert rejects.waiting_in(visited(Desk({"acknowledgements.of_month": answer}))) == []


@pytest.mark.parametrize(("needed", "given", "missing"), [(2, 0, 2), (2, 1, 1), (2, 2, 0), (1, 2, 0)])
def test_a_void_says_how_many_persons_its_plan_misses(needed: int, given: int, missing: int) -> None:
    one = {
        "campaign": "outage/1", "void": "v-1", "state": "awaiting_approval", "plan_hash": "a" * 64,
        "about": "campaign", "plan": {"lines": 1}, "done": {"lines": 0},
        "persons_needed": needed, "approvals": [{"person": "sso:ben"}] * given, "requested_by": "sso:anna",
    }  # fmt: skip
    visit = visited(Desk({"voids.one": one}), of={"incident": "outage", "seq": "1", "void": "v-1"})
    shown = voids.show(visit)
    assert (shown.content["missing"], shown.content["is_another"]) == (missing, False)
    visit.form = {"plan_hash": "b" * 64}
    assert voids.show(visit).content["is_another"]


@pytest.mark.parametrize("subject", ["-", "l-1", "l-2"])
@pytest.mark.parametrize("account", ["a-1", "a-2"])
def test_what_waits_for_a_second_person_is_shown_at_its_own_case(account: str, subject: str) -> None:
    body = {"outcome": "declined", "reason": "known_fact"}
    waits = {"account_id": "a-1", "campaign": "outage/1", "subject": "l-1", "by_hand": {"decision": body}}
    case = {
        "account_id": account, "campaign": "outage/1", "subject": subject, "would_owe": [], "kind": "held", "row": {},
        "row_offset": 0, "stands": None,
    }  # fmt: skip
    desk = Desk({
        "cases.one": case, "cases.proposed": {"proposed": [waits], "next": None}, "goodwill.reasons": {"reasons": []},
    })  # fmt: skip
    shown = cases.show_one(visited(desk, of={"account": account, "incident": "outage", "seq": "1"}))
    assert (shown.content["proposal"] is not None) is ((account, subject) == ("a-1", "l-1"))


# Forms

DRAFT = {
    "draft": "page-1-web", "digest": "d" * 64, "by": {},
    "windows": [{"start": {"at": "2026-03-01T09:00:00Z"}, "end": {"at": "2026-03-01T11:00:00Z"}}],
}  # fmt: skip
DONE = {"campaign": None, "revision": 1, "incident_id": "page-1-web"}


def confirmed(form: Mapping[str, str]) -> Mapping[str, Any]:
    desk = Desk({"drafts.one": DRAFT, "drafts.confirm": DONE})
    drafts.confirm(visited(desk, of={"draft": "page-1-web"}, form=form))
    ((_, body),) = desk.acts
    return body


@pytest.mark.parametrize("digest", [None, "", "e" * 64, "d" * 63])
def test_a_draft_is_confirmed_only_as_it_was_shown(digest: str | None) -> None:
    form = {"windows": "proposed", **({} if digest is None else {"digest": digest})}
    with pytest.raises(NotAnswered, match="has changed"):
        confirmed(form)
    assert confirmed({**form, "digest": "d" * 64})["windows"] == [
        {"start": "2026-03-01T09:00:00Z", "end": "2026-03-01T11:00:00Z"}
    ]


def test_own_windows_are_recorded_with_their_begins_and_ends() -> None:
    own = "2026-03-01T09:00:00Z/2026-03-01T10:00:00Z\n\n 2026-03-02T09:00:00+01:00 / .. \n"
    assert confirmed({"windows": "own", "own": own, "digest": "d" * 64})["windows"] == [
        {"start": "2026-03-01T09:00:00Z", "end": "2026-03-01T10:00:00Z"},
        {"start": "2026-03-02T08:00:00Z", "end": None},
    ]


@pytest.mark.parametrize("is_hosted", [False, True])
def test_the_cookie_of_a_session_goes_by_https_alone_where_the_console_is_hosted(is_hosted: bool) -> None:
    place, response = Place("console.example", "a-stack", is_hosted=is_hosted), Response()
    place.set_session(response, "an-id")
    place.end_session(response)
    for cookie in response.headers.getlist("set-cookie"):
        parts = {part.strip().lower() for part in cookie.split(";")}
        assert ("secure" in parts) is is_hosted
        assert {"httponly", "samesite=strict", "path=/"} <= parts
