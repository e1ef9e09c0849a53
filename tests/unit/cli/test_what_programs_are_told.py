"""What the log and every list ask for, and what they tell a program: all of it, under its names."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kulanz_cli import cases
from tests.support.answering import Answering
from tests.support.world_stack import run
from tests.unit.cli.test_every_sentence import CASE, LISTED, C, campaign_cases, listed, refused, said, settlement


class Noting(Answering):
    """A stack whose API notes what it was asked for."""

    def __init__(self, **pages: Any) -> None:
        super().__init__(**pages)
        self.asked: list[tuple[str, tuple[object, ...], dict[str, object]]] = []

    def pages(self, use: str, *query: object, **values: object) -> Iterator[Any]:
        self.asked.append((use, query, values))
        return super().pages(use)

    def ask(self, use: str, *query: object, **values: object) -> Any:
        self.asked.append((use, query, values))
        return super().ask(use)


LOG: dict[tuple[str, ...], tuple[str, dict[str, str], dict[str, object]]] = {
    (C,): ("audit.of_campaign", {}, {"incident": "in-7", "seq": 3}),
    ("--incident", "in-7"): ("audit.of_incident", {}, {"incident": "in-7"}),
    ("--policy", "p-1"): ("audit.of_policy", {}, {"policy": "p-1"}),
    ("--person", "sso:anna"): ("audit.of_actor", {"actor": "sso:anna"}, {}),
    ("--day", "2026-03-01"): ("audit.of_day", {}, {"day": "2026-03-01"}),
}
ENTRY = {
    "at": "2026-03-01T09:00:00Z", "action": "paused", "about": "campaign", "on": C, "actor": "sso:anna",
    "reason": "the reason",
}  # fmt: skip


@pytest.mark.parametrize("words", LOG)
def test_the_log_is_asked_for_what_was_named_and_shown_to_its_limit(words: tuple[str, ...]) -> None:
    use, query, values = LOG[words]
    later = ENTRY | {"at": "2026-03-02T09:00:00Z", "reason": ""}
    pages = [{"entries": [ENTRY, later]}, {"entries": [ENTRY]}]
    for limit, more in (("2", True), ("3", False)):
        stack = Noting(**{use.replace(".", "__"): pages})
        shown = run(stack, "log", *words, "--limit", limit)
        assert stack.asked == [(use, (query,), values)]
        lines = [
            f"2026-03-01T09:00:00Z paused campaign {C} by sso:anna: the reason",
            f"2026-03-02T09:00:00Z paused campaign {C} by sso:anna",
        ]
        expected = " ".join([*lines, lines[0]][: int(limit)])
        assert (shown.exit_code, " ".join(shown.stdout.split())) == (0, expected)
        assert ("There is more: the first 2 are shown" in shown.stderr) is more
    empty: dict[str, Any] = {use.replace(".", "__"): [{"entries": []}]}
    assert said(1, "log", *words, **empty) == "nothing was done"
    if words != (C,):
        assert run(Noting(**empty), "log", C, *words).exit_code == 2


MONTH = "2026-03"
TOLD: dict[str, tuple[tuple[str, ...], dict[str, Any], dict[str, Any], int]] = {
    "incidents": (
        ("incidents", "--month", MONTH),
        {"incidents__of_month": [{"incidents": [{"incident_id": "in-1"}]}, {"incidents": [{"incident_id": "in-2"}]}]},
        {"month": MONTH, "incidents": [{"incident_id": "in-1"}, {"incident_id": "in-2"}]}, 0,
    ),
    "drafts": (
        ("drafts", "--month", MONTH),
        {"drafts__of_month": [{"drafts": [{"draft": "d-1"}], "unread": []}, {"drafts": [], "unread": [{"u": 1}]}]},
        {"month": MONTH, "drafts": [{"draft": "d-1"}], "unread": [{"u": 1}]}, 0,
    ),
    "log": (
        ("log", C), {"audit__of_campaign": [{"entries": [ENTRY]}]}, {"entries": [ENTRY], "more": False}, 0,
    ),
    "cases of a month": (
        ("cases", "--month", MONTH), {"cases__of_month": [{"campaigns": [campaign_cases(3, "2027-02-03T09:00:00Z")]}]},
        {"campaigns": [campaign_cases(3, "2027-02-03T09:00:00Z")]}, 0,
    ),
    "cases that were proposed": (
        ("cases", "--proposed"), {"cases__proposed": [{"proposed": [{"hash": "h"}]}]}, {"proposed": [{"hash": "h"}]}, 0,
    ),
    "cases of a campaign": (
        ("cases", C, "--limit", "1"), {"cases__of_campaign": [{"v": 1, **listed(*LISTED[:2])}]},
        {**listed(LISTED[0]), "more": True}, 0,
    ),
    "a case": (("cases", C, "a-1"), {"cases__one": [CASE]}, {**CASE}, 0),
    "answer files": (
        ("acknowledgements", "--channel", "billing"),
        {"acknowledgements__of_channel": [{"files": [{"id": "f", "finished": True, "results": []}]}]},
        {"files": [{"id": "f", "finished": True, "results": []}]}, 0,
    ),
    "an answer file": (
        ("acknowledgements", "--channel", "billing", "--one", "0123456789ab"),
        {
            "acknowledgements__one": [
                {"v": 1, "id": "f", "finished": True, "results": [], "problems": [{"offset": 1}], "next": "c"},
                {"v": 1, "id": "f", "finished": True, "results": [], "problems": [{"offset": 2}], "next": None},
            ]
        },
        {"files": [{"id": "f", "finished": True, "results": []}], "problems": [{"offset": 1}, {"offset": 2}]}, 0,
    ),
    "the halt": (("halt",), {"halts__current": [{"v": 1, "halted": False}]}, {"halted": False}, 0),
    "a reservation": (
        ("budget", "reserved", C), {"settlements__one": [settlement(is_settled=True)]}, settlement(is_settled=True), 0,
    ),
    "refused events": (
        ("rejected",), {"incidents__refused": [{"foreign": [], "more": False, "events": [refused(1)]}]},
        {
            "campaign": None, "refused": None, "more": False,
            "rejected": [{"v": 1, **{name: text for name, text in refused(1).items() if name != "id"}}],
        },
        1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_a_program_is_told_all_of_it_under_its_names(name: str) -> None:
    words, answers, told, code = TOLD[name]
    shown = run(Answering(**answers), *words, "--json")
    assert shown.exit_code == code, shown.output
    assert json.loads(shown.stdout) == {"v": 1, **told}


@pytest.mark.parametrize(("words", "use"), [("incidents", "incidents.of_month"), ("drafts", "drafts.of_month")])
def test_without_a_month_the_present_one_is_asked_for(words: str, use: str) -> None:
    stack = Noting(**{use.replace(".", "__"): [{"incidents": [], "drafts": [], "unread": []}]})
    before = f"{datetime.now(UTC):%Y-%m}"
    shown = run(stack, words)
    ((_, _, values),) = stack.asked
    assert values["month"] in (before, f"{datetime.now(UTC):%Y-%m}")
    assert (shown.exit_code, str(values["month"]) in shown.stdout) == (1, True)


def test_without_a_month_campaigns_of_the_last_fourteen_months_are_looked_through(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Now(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> "Now":
            return cls(2026, 1, 31, 23, 59, tzinfo=tz)

    monkeypatch.setattr(cases, "datetime", Now)
    stack = Noting(cases__of_month=[{"campaigns": []}])
    assert run(stack, "cases").exit_code == 1
    months = [values["month"] for _, _, values in stack.asked]
    assert months == [
        *(f"2024-{number}" for number in (12,)),
        *(f"2025-{number:02d}" for number in range(1, 13)),
        "2026-01",
    ]
