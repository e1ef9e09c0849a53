"""What the first page and the page of an account pick out of many: which, in which order, and up to how many."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.time import format_instant
from kulanz_console.port import NotAnswered, Why
from kulanz_console.views import account, cases, plan, rejects, waiting
from kulanz_console.visit import RIGHTS, Visit
from tests.unit.console.test_what_pages_ask import NONE, Kept, visit_of

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def item(number: int, until: datetime | None = None, state: State = State.AWAITING_APPROVAL) -> Mapping[str, Any]:
    return {"id": f"in-{number}/1", "state": state.value, "approvable_until": until and format_instant(until)}


FIRST: Mapping[str, Mapping[str, Any]] = {
    "halts.current": {"halted": False}, "campaigns.waiting": {"campaigns": [], "kept": [], "next": None},
    "campaigns.troubles": {"troubles": []}, "drafts.of_month": NONE, "incidents.refused": {"events": []},
    "acknowledgements.overdue": NONE, "deliveries.waiting": NONE, "goodwill.waiting": {"waiting": []},
    "voids.waiting": {"voids": []},
}  # fmt: skip


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """What other views look for is theirs."""
    monkeypatch.setattr(
        waiting, "line_of", lambda one: SimpleNamespace(**{**one, "approvable_until": one["approvable_until"] or ""})
    )
    monkeypatch.setattr(cases, "waiting_in", lambda *_: [])
    monkeypatch.setattr(cases, "proposed", lambda *_: ([], False))
    monkeypatch.setattr(rejects, "waiting_in", lambda *_: [])


def first_page(visit: Visit) -> Mapping[str, Any]:
    return waiting.show(visit).content


class Warned(Kept):
    """A stack with plans, of which those of some campaigns look wrong."""

    def __init__(
        self, pages: Sequence[Sequence[Mapping[str, Any]]], warned: Sequence[str] = (), gone: str = ""
    ) -> None:
        super().__init__(**{use.replace(".", "__"): answer for use, answer in FIRST.items()})
        self._pages, self._warned, self._gone = pages, warned, gone
        self.looked_at: list[str] = []

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> Mapping[str, Any]:
        if use == "campaigns.waiting":
            number = int((query or {}).get("cursor") or 0)
            following = str(number + 1) if number + 1 < len(self._pages) else None
            return {"campaigns": self._pages[number], "kept": [{"incident_id": f"kept-{number}"}], "next": following}
        if use == "approvals.plan":
            name = f"{values['incident']}/{values['seq']}"
            self.looked_at.append(name)
            if name == self._gone:
                raise NotAnswered("gone", Why.UNKNOWN)
            return reviewed(is_older=name in self._warned)
        return super().ask(use, query, **values)


def reviewed(**changes: Any) -> dict[str, Any]:
    rows = {"repeated": 0, "contradicting": 0, "nearly_equal": 0}
    rows |= {name: changes[name] for name in rows if name in changes}
    listed = {"is_older": changes.get("is_older", False), "same_as": changes.get("same_as", [])}
    return {
        "your_yes": "counts",
        "list": listed,
        "repeats": rows,
        "usual": [{"times": None}, {"times": changes.get("times")}],
    }


@pytest.mark.parametrize(
    ("changes", "is_warned"),
    [
        ({}, False), ({"is_older": True}, True), ({"same_as": ["in-8/1"]}, True), ({"repeated": 1}, True),
        ({"contradicting": 1}, True), ({"nearly_equal": 1}, True), ({"times": 3}, True),
    ],
)  # fmt: skip
def test_each_thing_that_looks_wrong_about_a_list_is_a_warning_by_itself(
    changes: Mapping[str, Any], is_warned: bool
) -> None:
    assert plan.is_warned(reviewed(**changes)) is is_warned


@pytest.mark.usefixtures("_alone")
def test_plans_come_by_their_deadline_those_that_are_over_last_and_the_first_of_them_are_looked_at() -> None:
    ends = [NOW + SECOND, NOW, NOW - SECOND, NOW + 2 * SECOND, NOW + SECOND]
    found = [item(number, end) for number, end in enumerate(ends, 1)] + [item(9, None, State.PAUSED)]
    order = ["in-1/1", "in-5/1", "in-4/1", "in-3/1", "in-2/1"]
    stack = Warned([found], warned=["in-5/1", "in-2/1"], gone="in-4/1")
    content = first_page(visit_of(stack))
    assert [one.id for one in content["plans"]] == order
    assert content["over"] == {"in-2/1", "in-3/1"}, "at the very instant it is over"
    assert content["warned"] == {"in-1/1": False, "in-5/1": True, "in-3/1": False, "in-2/1": True}
    assert (content["with_warning"], [one.id for one in content["stopped"]]) == (2, ["in-9/1"])


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_so_many_plans_are_looked_at_at_once_and_so_many_on_request(more: int) -> None:
    for query, most in (({}, waiting.PLANS_LOOKED_AT), ({"lists": "all"}, waiting.PLANS_LOOKED_AT_MOST)):
        found = [item(number, NOW + number * SECOND) for number in range(1, most + more + 1)]
        stack = Warned([found])
        content = first_page(visit_of(stack, **dict[str, Any](query)))
        assert sorted(stack.looked_at) == sorted(str(one["id"]) for one in found[:most])
        assert len(content["plans"]) == len(found)
        assert bool(content["every_list"]) is not bool(query)


@pytest.mark.usefixtures("_alone")
def test_on_request_campaigns_are_read_until_there_are_enough_and_what_is_kept_is_of_the_first_answer() -> None:
    part = waiting.PLANS_LOOKED_AT_MOST // 2
    pages = [[item(100 * page + number, NOW + SECOND) for number in range(part)] for page in range(1, 4)]
    for query, some, read, is_more in (
        ({}, pages, part, True), ({}, pages[:1], part, False), ({"lists": "all"}, pages, 2 * part, True),
        ({"lists": "all"}, pages[:2], 2 * part, False),
        ({"lists": "all"}, [pages[0][1:], *pages[1:]], 3 * part - 1, False),
    ):  # fmt: skip
        content = first_page(visit_of(Warned(some), **dict[str, Any](query)))
        assert (len(content["plans"]), content["is_more"]) == (read, is_more)
        assert content["kept"] == [{"incident_id": "kept-0"}]


@pytest.mark.usefixtures("_alone")
def test_drafts_and_goodwill_stand_there_while_they_wait_and_cases_while_somebody_can_decide_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drafts = [{"state": state} for state in ("new", "confirmed", "changed", "held", "dismissed", "reopened")]
    goodwill = [{"state": state} for state in ("waiting", "over")]
    queue = [
        {"campaign": f"in-{number}/1", "closed": closed, "decided_at": "2026-03-01T09:00:00Z",
         "decidable_until": "2026-04-01T09:00:00Z"}
        for number, closed in ((1, None), (2, {"says": "over"}))
    ]  # fmt: skip
    months: list[Any] = []

    def looked_through(_: Visit, of: Sequence[str]) -> list[Any]:
        months.extend(of)
        return queue

    monkeypatch.setattr(cases, "waiting_in", looked_through)
    answers = {**FIRST, "drafts.of_month": {"drafts": drafts, "next": None}, "goodwill.waiting": {"waiting": goodwill}}
    stack = Kept(**{use.replace(".", "__"): answer for use, answer in answers.items()})
    content = first_page(visit_of(stack))
    assert [one["state"] for one in content["drafts"]] == ["new", "changed", "held", "reopened"]
    assert [one["state"] for one in content["goodwill"]] == ["waiting"]
    assert [one["campaign"] for one in content["cases"]] == ["in-1/1"]
    assert months == ["2026-03", "2026-02"]
    assert ("drafts.of_month", {"month": "2026-03"}) in [(use, values) for use, _, values in stack.asked]


@pytest.mark.usefixtures("_alone")
@pytest.mark.parametrize(
    "lacks", ["halts.current", "acknowledgements.overdue", "deliveries.waiting", "goodwill.waiting"]
)
def test_what_a_role_may_not_read_is_not_asked_for(lacks: str) -> None:
    stack = Kept(**{use.replace(".", "__"): answer for use, answer in FIRST.items()})
    visit = visit_of(stack)
    visit.session.rights = {**dict.fromkeys(RIGHTS, True), lacks: False}
    of_campaigns = {"campaigns.waiting", "campaigns.troubles", "drafts.of_month", "incidents.refused", "voids.waiting"}
    missing = {lacks} | (of_campaigns if lacks == "halts.current" else set())
    assert first_page(visit)["is_calm"]
    assert {use for use, _, _ in stack.asked} == FIRST.keys() - missing


# An account

GRANTED = Decision(Outcome.GRANTED, "ok").to_body()


def decision(campaign: str, status: str = "granted", subject: str = "-") -> dict[str, Any]:
    return {"campaign": campaign, "subject": subject, "status": status, "decision": GRANTED, "offer": None}


def answer(*decisions: Mapping[str, Any]) -> Any:
    places = dict.fromkeys((one["campaign"].rpartition("/")[0], one["subject"]) for one in decisions)
    standings = [
        {"incident_id": incident, "subject": subject, "state": "granted", "granted": {"EUR": f"{number}00"}}
        for number, (incident, subject) in enumerate(places, 1)
    ]
    return {"account_id": "a-1", "decisions": decisions, "standings": standings, "campaigns": []}


def row(account_id: str, byte: int) -> dict[str, Any]:
    return {"account_id": account_id, "subject": "-", "row_offset": byte, "kind": "conflict"}


def test_rows_that_contradict_are_looked_for_in_the_last_campaign_of_each_incident_and_in_so_many() -> None:
    of_incidents = [
        decision("in-1/1"),
        decision("in-1/10"),
        decision("in-1/9"),
        decision("goodwill-2026-03/1", subject="T-1"),
    ]
    of_incidents += [decision(f"in-{number}/2") for number in range(2, account.CAMPAIGNS_LOOKED_AT + 2)]

    def found(incident: str, seq: int) -> Mapping[str, Any]:
        if incident == "in-2":
            raise NotAnswered("not now", Why.LATER)
        of_first = incident == "in-1"
        return {
            "cases": [row("a-9", 5), row("a-1", 7), row("a-1", 9)] if of_first else [row("a-9", 5)],
            "closed": {"says": "the time is over"} if of_first else None, "decidable_until": f"until-{incident}-{seq}",
            "next": None if of_first else "more",
        }  # fmt: skip

    kulanz = Kept(cases__of_campaign=found)
    assert account._conflicts(visit_of(kulanz), answer(*of_incidents)) == [
        account.Conflicts(
            "in-1/10", ["/case/a-1/in-1/10?row=7", "/case/a-1/in-1/10?row=9"], "until-in-1-10", "the time is over"
        ),
        account.Conflicts("in-2/2", failed="not now"),
        account.Conflicts("in-3/2", [], "until-in-3-2", is_more=True),
        account.Conflicts("in-4/2", is_more=True),
    ]  # fmt: skip
    assert [query for _, query, _ in kulanz.asked] == [{"kind": "conflict"}] * account.CAMPAIGNS_LOOKED_AT


def test_a_void_may_take_back_what_its_campaign_granted_the_account_and_no_other() -> None:
    voids = [
        {"campaign": campaign, "void": f"v-{number}", "about": about, "state": "planning"}
        for number, (campaign, about) in enumerate(
            [
                ("in-1/1", "unused"),
                ("in-1/2", "unused"),
                ("in-2/1", "unused"),
                ("in-1/2", "overpaid"),
                ("in-1/1", "overpaid"),
            ]
        )
    ]
    asked = answer(decision("in-1/1"), decision("in-1/2", "offered"), decision("in-3/1"))
    assert [one["void"] for one in account._voids_of(asked, voids)] == ["v-0", "v-3"]


def test_what_was_given_by_hand_is_listed_under_its_own_id_with_what_it_came_to() -> None:
    asked = answer(
        decision("in-1/1"), decision("goodwill-2026-02/1", subject="T-1"), decision("goodwill-2026-03/1", subject="T-2")
    )
    for one in asked["decisions"]:
        one["taken_back"] = []
    waits = [{"id": "T-3", "amount": "9.00 EUR", "state": "waiting"}]
    assert account._given_before(asked, waits) == [
        ("T-1", "2.00 EUR", "granted"), ("T-2", "3.00 EUR", "granted"), ("T-3", "9.00 EUR", "waiting"),
    ]  # fmt: skip
