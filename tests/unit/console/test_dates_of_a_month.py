"""Since when a month waits for its biller, and when its next credits become late: the earliest of each measure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz.application.door.bill import BillLine
from kulanz_console.sessions import Session
from kulanz_console.views import month
from kulanz_console.visit import Visit
from kulanz_console.words import Words

NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
SUMS = dict.fromkeys(BillLine.__annotations__, "1.00")
"""Every sum that a line has."""


def campaign(number: int, delivery: int | None, *sent: str, answered: Sequence[str] = ()) -> dict[str, Any]:
    """A campaign of the month: the measures of which something is sent, and those that are answered whole."""
    states = {**dict.fromkeys(sent, "sent"), **dict.fromkeys(answered, "applied")}
    lists: dict[str, list[Any]] = {"by_channel": [], "rejected_with": []}
    lines = [
        {**SUMS, **lists, "measure": name, "by_state": {of: "1.00"}, "is_exact": True} for name, of in states.items()
    ]
    return {
        "campaign": f"in-{number}/1", "policy": "p", "policy_version": 1, "state": "closed",
        "decided_at": "2026-03-01T09:00:00Z", "delivery": None if delivery is None else f"billing/{delivery}",
        "delivery_state": "" if delivery is None else "sent", "why_not": "", "bookings": [], "lines": lines,
        "differences": [],
    }  # fmt: skip


class Answers:
    """Who answers about the month; `sent_at` has the day on which each delivery was sent."""

    def __init__(self, campaigns: list[Any], sent_at: Mapping[int, str | None], soon: list[Any]) -> None:
        self._campaigns, self._sent_at, self._soon = campaigns, sent_at, soon

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **of: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        match use:
            case "acknowledgements.of_month":
                return {"campaigns": self._campaigns, "next": None}
            case "deliveries.one":
                return {"delivery": f"{of['channel']}/{of['serial']}", "sent_at": self._sent_at[int(of["serial"])]}
            case "acknowledgements.overdue":
                return {"overdue": [], "due_soon": self._soon}
            case _:
                raise AssertionError(use)

    def act(self, use: str, content: Mapping[str, Any], **_: str | int) -> Mapping[str, Any]:  # noqa: ARG002 (the port's)
        raise AssertionError(use)

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return dict.fromkeys(uses, False)


def due(number: int, measure: str, day: int) -> dict[str, Any]:
    return {"campaign": f"in-{number}/1", "measure": measure, "due": f"2026-03-{day:02}T00:00:00Z", "credits": 1}


@pytest.mark.parametrize("order", [1, -1])
def test_the_earliest_of_each_measure_is_said_whatever_their_order(order: int) -> None:
    campaigns = [
        campaign(1, 1, "EUR", answered=("call_minute",)),
        campaign(2, 2, "EUR", "call_minute"),
        campaign(3, 3, answered=("EUR",)),  # the oldest, and answered
        campaign(4, None, "USD"),
        campaign(5, 4, "EUR"),  # not sent yet
    ]
    sent_at = {1: "2026-03-05T09:00:00Z", 2: "2026-03-07T09:00:00Z", 3: "2026-03-02T09:00:00Z", 4: None}
    soon = [due(1, "EUR", 25), due(2, "EUR", 23), due(2, "call_minute", 24), due(9, "EUR", 21)]  # 9: of another month
    answers = Answers(campaigns[::order], sent_at, soon[::order])
    visit = Visit(answers, Session("s", "t", NOW), Words("en"), NOW, query={"month": "2026-03"})
    content = month.show(visit).content
    assert content["sent_since"] == {"EUR": sent_at[1], "call_minute": sent_at[2]}
    assert content["next_dues"] == {"EUR": "2026-03-23T00:00:00Z", "call_minute": "2026-03-24T00:00:00Z"}
