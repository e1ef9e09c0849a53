"""What each command that reads asks the API for: the whole of what was typed, and of nobody and nothing else.

No two values of a command line are the same, so that one in another's place is seen.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from kulanz_cli.month import LATE_FIELDS
from tests.support.world_stack import run
from tests.unit.cli.test_what_programs_are_told import Noting

C, DAY = "in-7/3", "2026-03-01"
OF: Mapping[str, object] = {"incident": "in-7", "seq": 3}
LINE = ("--subject", "l-2")
CREDIT_FIELDS = [name for name in LATE_FIELDS if name != "campaign"]


class _AskedEnoughError(Exception):
    """The question is noted; no answer is needed."""


class Asked(Noting):
    """A stack that notes the first question, and answers none."""

    def pages(self, use: str, *query: object, **values: object) -> Any:
        self.asked.append((use, query, values))
        raise _AskedEnoughError

    ask = pages


FIRST: Mapping[tuple[str, ...], tuple[str, Mapping[str, object], Mapping[str, object]]] = {
    ("ask", "a-1"): ("accounts.ask", {}, {"account": "a-1"}),
    ("ask", "a-1", "--incident", "in-7", *LINE): (
        "accounts.ask", {"incident": "in-7", "subject": "l-2"}, {"account": "a-1"},
    ),
    ("ask", "a-1", "--incident", "in-7", *LINE, "--past"): (
        "accounts.ask_past", {"incident": "in-7", "subject": "l-2"}, {"account": "a-1"},
    ),
    ("acknowledgements", "--channel", "billing"): ("acknowledgements.of_channel", {}, {"channel": "billing"}),
    ("acknowledgements", "--channel", "billing", "--one", "0123456789ab"): (
        "acknowledgements.one", {}, {"channel": "billing", "file": "0123456789ab"},
    ),
    ("budget", "reserved", C): ("settlements.one", {}, {"incident": "in-7", "seq": "3"}),
    ("budget", "show", "--since", "2026-02"): ("budgets.since", {}, {"month": "2026-02"}),
    ("campaigns",): ("campaigns.waiting", {}, {}),
    ("campaigns", "in-7"): ("campaigns.of_incident", {}, {"incident": "in-7"}),
    ("campaigns", "--month", "2026-02"): ("campaigns.of_month", {}, {"month": "2026-02"}),
    ("cases", "--proposed"): ("cases.proposed", {}, {}),
    ("cases", "--month", "2026-02"): ("cases.of_month", {}, {"month": "2026-02"}),
    ("cases", C): ("cases.of_campaign", {}, OF),
    ("cases", C, "--kind", "held"): ("cases.of_campaign", {"kind": "held"}, OF),
    ("cases", C, "a-1"): ("cases.one", {"subject": "-"}, {**OF, "account": "a-1"}),
    ("cases", C, "a-1", *LINE, "--row", "0", "--fact", " fee = 30.00 ", "--fact", "b=a=c"): (
        "cases.one", {"subject": "l-2", "row": "0", "facts": '{"b":"a=c","fee":"30.00"}'}, {**OF, "account": "a-1"},
    ),
    ("decide", C, "a-1", *LINE, "--row", "78", "--reason", "r", "--by-policy", "--fact", "fee=30.00"): (
        "cases.one", {"subject": "l-2", "row": "78"}, {**OF, "account": "a-1"},
    ),
    ("approve-case", C, "a-1", "--case", "ab12ab12ab12"): ("cases.proposed", {}, {}),
    ("credits", C): ("acknowledgements.rejected_credits", {}, OF),
    ("deliveries",): ("deliveries.waiting", {}, {}),
    ("deliveries", "--channel", "billing"): ("deliveries.of_channel", {}, {"channel": "billing"}),
    ("deliveries", "--one", "billing/12"): ("deliveries.one", {}, {"channel": "billing", "serial": 12}),
    ("deliveries", "--campaign", C): ("deliveries.of_campaign", {}, OF),
    ("draft", "it-1-a"): ("drafts.one", {}, {"draft": "it-1-a"}),
    ("goodwill",): ("goodwill.waiting", {}, {}),
    ("halt",): ("halts.current", {}, {}),
    ("month", "2026-02"): ("acknowledgements.of_month", {}, {"month": "2026-02"}),
    ("overdue",): ("acknowledgements.overdue", {}, {}),
    ("plan", C): ("approvals.plan", {}, OF),
    ("rejected",): ("incidents.refused", {}, {}),
    ("rejected", C): ("campaigns.rejected", {}, OF),
    ("report", C, "--html", "never.html"): ("campaigns.one", {}, OF),
    ("void", C): ("voids.of_campaign", {}, OF),
    ("watch", C): ("campaigns.one", {}, OF),
}  # fmt: skip


def stated(query: Sequence[object]) -> Mapping[str, object]:
    """What of a query is sent: the API is not sent what is None."""
    found = [one for one in query if isinstance(one, Mapping)]
    return {name: value for one in found for name, value in one.items() if value is not None}


@pytest.mark.parametrize("words", FIRST, ids=" ".join)
def test_a_command_asks_for_what_was_typed_and_for_nothing_else(words: tuple[str, ...]) -> None:
    stack = Asked()
    with pytest.raises(_AskedEnoughError):
        run(stack, *words)
    ((use, query, values),) = stack.asked
    assert (use, stated(query), values) == FIRST[words]


def late(campaign: str, number: int) -> dict[str, Any]:
    return {"campaign": campaign, "due": "2026-05-02", "credits": number, "sum": "1.00", "measure": "EUR"}


BILL = {"lines": [{"measure": "EUR", "granted": "9.00", "rejected_with": [
    {"channel": "billing", "code": "frozen", "sum": "2.00"}
]}]}  # fmt: skip
FURTHER: Mapping[tuple[str, ...], tuple[Mapping[str, Any], Sequence[tuple[str, Mapping[str, object]]]]] = {
    ("deliveries", "--campaign", C): (
        {
            "deliveries__of_campaign": [{"delivery": None, "additions": [], "why_not": "", "to_be_booked": []}],
            "acknowledgements__of_campaign": [BILL],
        },
        [("deliveries.of_campaign", OF), ("acknowledgements.of_campaign", OF)],
    ),
    ("month", "2026-02"): (
        {
            "acknowledgements__of_month": [{"campaigns": []}], "voids__waiting": [{"voids": []}],
            "campaigns__troubles": [{"troubles": []}],
            "cases__proposed": [{"proposed": []}], "cases__of_month": [{"campaigns": []}],
            "goodwill__waiting": [{"waiting": []}],
        },
        [
            ("acknowledgements.of_month", {"month": "2026-02"}),
            ("campaigns.troubles", {}), ("voids.waiting", {}), ("cases.proposed", {}),
            ("cases.of_month", {"month": "2026-02"}),
        ],
    ),
    ("campaigns",): (
        {
            "campaigns__waiting": [{"campaigns": [], "kept": [], "incident_known": None}],
            "halts__current": [{"halted": False}], "campaigns__troubles": [{"troubles": []}],
        },
        [("campaigns.waiting", {}), ("halts.current", {}), ("campaigns.troubles", {})],
    ),
}  # fmt: skip


@pytest.mark.parametrize("words", FURTHER, ids=" ".join)
def test_a_command_that_asks_several_questions_asks_each_about_the_same(words: tuple[str, ...]) -> None:
    answers, asked = FURTHER[words]
    stack = Noting(**answers)
    run(stack, *words)
    assert [(use, values) for use, _, values in stack.asked] == asked


def test_of_a_campaign_that_is_delivered_what_is_rejected_is_said_where_the_role_is_there() -> None:
    answers, _ = FURTHER["deliveries", "--campaign", C]
    for lacks in (False, True):
        stack = Noting(**answers)
        if lacks:
            stack.lose("acknowledgements__of_campaign")
        assert ("2.00 EUR rejected with frozen by billing" in run(stack, "deliveries", "--campaign", C).stdout) is (
            not lacks
        )


def test_every_late_credit_stands_in_the_table_under_its_own_campaign_each_campaign_once(tmp_path: Path) -> None:
    class Late(Noting):
        def pages(self, use: str, *query: object, **values: object) -> Any:
            self.asked.append((use, query, values))
            named = f"{values['incident']}-{values['seq']}"
            return iter([{"credits": [dict.fromkeys(CREDIT_FIELDS, f"{named}-{page}")]} for page in (1, 2)])

    stack = Late(acknowledgements__overdue=[{"overdue": [late(one, 2) for one in (C, "in-9/1", C)], "due_soon": []}])
    assert run(stack, "overdue", "--csv", str(tmp_path / "late.csv")).exit_code == 1
    _, *lines = csv.reader((tmp_path / "late.csv").read_text(encoding="utf-8").splitlines())
    assert [line[:2] for line in lines] == [
        [C, "in-7-3-1"], [C, "in-7-3-2"], ["in-9/1", "in-9-1-1"], ["in-9/1", "in-9-1-2"],
    ]  # fmt: skip
