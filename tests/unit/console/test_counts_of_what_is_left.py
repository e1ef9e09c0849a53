"""What is left of a month, counted over many campaigns: every kind has another number, so that one is never another."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import State
from kulanz_console.still_open import OPEN_RIGHTS, OVERPAID, may_reduce, still_open
from kulanz_console.views import month as month_page
from kulanz_console.visit import ITEMS_MOST
from tests.unit.console.test_what_is_left import Told
from tests.unit.console.test_what_pages_ask import NONE, Kept, shown, visit_of

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
CLEAN: Mapping[str, Any] = {"by_state": {"applied": "9.00"}, "overdue": "0.00", "asked_back": "0"}
SETTLED = (State.CLOSED, State.CANCELLED, State.REJECTED, State.REFUSED)
UNDER_WAY = (State.PLANNING, State.APPLYING, State.PAUSED, State.FLAGGED)


def in_state(state: str) -> Mapping[str, Any]:
    return {"by_state": {"applied": "9.00", state: "0.01"}}


LEFT: Mapping[str, tuple[int, Sequence[Mapping[str, Any]]]] = {
    "late": (2, [{"overdue": "0.01"}]),
    "rejected": (3, [in_state("rejected"), in_state("taken_back")]),
    "undelivered": (4, [in_state("due"), in_state("assigned")]),
    "unanswered": (5, [in_state("sent"), in_state("unknown")]),
    "asked_back": (6, [{"asked_back": "0.01"}]),
}
"""Of how many campaigns one line is so; and what makes it so."""


def campaigns() -> list[dict[str, Any]]:
    number = count(1)

    def one(lines: Sequence[Mapping[str, Any]], state: State = State.CLOSED, differences: int = 0) -> dict[str, Any]:
        return {
            "campaign": f"in-{next(number)}/1", "state": state.value, "lines": [{**CLEAN, **line} for line in lines],
            "differences": ["a difference"] * differences,
        }  # fmt: skip

    def wrong() -> Iterator[dict[str, Any]]:
        for times, changes in LEFT.values():
            for place in range(times):
                lines = [{}, changes[place % len(changes)]]
                yield one(lines[:: 1 if place % 2 else -1])

    return [
        *wrong(), one([{}], differences=6), one([{}], differences=7), *(one([{}], state) for state in SETTLED),
        *(one([], State.AWAITING_APPROVAL) for _ in range(8)), *(one([{}], state) for state in UNDER_WAY * 2),
        one([{}], State.PAUSED),
    ]  # fmt: skip


def named(numbers: range, **of: Any) -> list[dict[str, Any]]:
    return [{"campaign": f"in-{number}/1", "on": f"in-{number}/1", **of} for number in numbers]


OTHERS = range(100, 104)
"""Campaigns of other months."""
ANSWERS: Mapping[str, Any] = {
    "troubles": [
        *named(range(1, 11), kind="stuck"), *named(OTHERS, kind="stuck"), *named(range(1, 4), kind="glass_broken"),
    ],
    "voids": [*named(range(1, 12), about="unused"), *named(OTHERS, about="unused")],
    "proposed": [*named(range(1, 13)), *named(OTHERS)],
    "campaigns": [
        {"closed": None, "waiting": {"held": 6, "conflict": 8}}, {"closed": {"says": "over"}, "waiting": {"held": 90}},
        {"closed": None, "waiting": {"referred": 1}},
    ],
    "waiting": [{"state": "waiting"}] * 16 + [{"state": "over"}] * 3,
}  # fmt: skip
NUMBERS = {
    "differences": 13, **{kind: number for kind, (number, _) in LEFT.items()}, "plans": 8, "campaigns": 9,
    "troubles": 10, "voids": 11, "proposed": 12, "cases": 15, "goodwill": 16,
}  # fmt: skip


def test_everything_that_is_left_is_counted_over_all_campaigns_and_only_those_of_the_month() -> None:
    assert len(set(NUMBERS.values())) == len(NUMBERS)
    for order in (1, -1):
        found = still_open("2026-03", campaigns()[::order], OPEN_RIGHTS, Told(**ANSWERS), NOW)
        assert (found.numbers, found.is_whole, found.is_over) == (NUMBERS, True, False)


@pytest.mark.parametrize(
    ("lacks", "missing"),
    [
        ("halts.current", {"troubles", "voids"}),
        ("cases.of_month", {"proposed", "cases"}),
        ("goodwill.waiting", {"goodwill"}),
    ],
)
def test_without_a_right_what_it_reads_is_not_counted_and_nothing_else(lacks: str, missing: set[str]) -> None:
    rights = [one for one in OPEN_RIGHTS if one != lacks]
    found = still_open("2026-03", campaigns(), rights, Told(**ANSWERS), NOW)
    assert found.numbers == {kind: number for kind, number in NUMBERS.items() if kind not in missing}
    assert not found.is_whole


def test_goodwill_is_of_the_month_in_which_it_waits() -> None:
    for month, is_counted in (("2026-02", False), ("2026-03", True), ("2026-04", False)):
        assert ("goodwill" in still_open(month, [], OPEN_RIGHTS, Told(**ANSWERS), NOW).numbers) is is_counted


@pytest.mark.parametrize(
    ("about", "void", "campaign", "may"),
    [
        ("unused", "in-7/2", "in-7/2", True), ("unused", "in-7/2", "in-7/1", False),
        (OVERPAID, "in-7/2", "in-7/1", True), (OVERPAID, "in-7/2", "in-7/2", False),
        (OVERPAID, "in-7/2", "in-7/3", False), (OVERPAID, "in-7/10", "in-7/9", True),
        (OVERPAID, "in-7/2", "in-8/1", False),
    ],
)  # fmt: skip
def test_a_void_reduces_its_own_campaign_or_of_what_was_overpaid_those_before_it(
    about: str, void: str, campaign: str, may: bool
) -> None:
    assert may_reduce({"about": about, "campaign": void}, campaign) is may


# The page


def sent(number: int, **by_state: str) -> dict[str, Any]:
    figures = (
        "planned",
        "granted",
        "to_be_booked",
        "not_on_bills",
        "overdue",
        "used",
        "expired",
        "voided",
        "written_off",
    )
    line = {**dict.fromkeys((*figures, "open"), "1.00"), "asked_back": "0", "measure": "EUR", "by_state": by_state}
    return {
        "campaign": f"in-{number}/1", "state": "closed", "differences": [], "bookings": [], "lines": [line],
        "delivery": f"billing/{number}", "delivery_state": "sent", "why_not": "",
    }  # fmt: skip


def page(found: Sequence[Mapping[str, Any]], **answers: Any) -> Kept:
    def delivery(channel: str, serial: str) -> Mapping[str, Any]:
        return {"delivery": f"{channel}/{serial}", "sent_at": f"2026-03-{int(serial) % 28 + 1:02}T09:00:00Z"}

    return Kept(**{
        "acknowledgements__of_month": {"campaigns": found, "next": None}, "acknowledgements__overdue": NONE,
        "deliveries__one": delivery, "campaigns__troubles": {"troubles": []}, "voids__waiting": {"voids": []},
        "cases__proposed": NONE, "cases__of_month": NONE, "goodwill__waiting": {"waiting": []}, **answers,
    })  # fmt: skip


@pytest.mark.parametrize("more", [0, 1])
def test_of_so_many_deliveries_it_is_asked_when_they_were_sent_and_of_more_of_none(more: int) -> None:
    number = month_page.DELIVERIES_ASKED + more
    kulanz = page([sent(one, sent="1.00") for one in range(1, number + 1)])
    content = shown(month_page.show, kulanz, month="2026-03")
    asked = [values for use, _, values in kulanz.asked if use == "deliveries.one"]
    expected = [] if more else [{"channel": "billing", "serial": str(one)} for one in range(1, number + 1)]
    assert sorted(asked, key=str) == sorted(expected, key=str)
    assert content["sent_since"] == ({} if more else {"EUR": "2026-03-01T09:00:00Z"})


def test_whatever_a_page_reads_a_part_of_is_not_all_of_the_month() -> None:
    whole = page([])
    assert month_page.show(visit_of(whole, month="2026-03")).content["still_open"].is_every
    many = [{"campaign": "in-7/1"}] * (ITEMS_MOST + 1)
    for answers in ({"cases__proposed": {"proposed": many, "next": None}}, {"cases__of_month": {**NONE, "next": "on"}}):
        assert not shown(month_page.show, page([], **answers), month="2026-03")["still_open"].is_every


def test_a_campaign_is_shown_as_late_to_whoever_may_read_its_credits() -> None:
    found = [sent(1, sent="1.00"), sent(2, applied="1.00")]
    found[1]["lines"][0]["overdue"] = "0.00"
    visit = visit_of(page(found), month="2026-03")
    assert month_page.show(visit).content["late"] == {"in-1/1"}
    visit.session.rights = {**visit.session.rights, "acknowledgements.late_credits": False}
    assert month_page.show(visit).content["late"] == set()
