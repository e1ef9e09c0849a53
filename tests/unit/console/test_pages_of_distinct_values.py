"""Every page once where no two values of an answer are alike: what stands in another's place changes the text.

In a month that goes well what was planned is what was granted and what is on bills: one can be shown for another.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

from kulanz.domain.time import format_instant
from tests.support.approved import must_be_as_approved
from tests.support.conditions_of_lists import DUE, KEPT, SUMS, TROUBLE, WAITS
from tests.support.conditions_of_pages import CAMPAIGN, CREDIT, DECLINED, GRANTED, HELD, OFFER, ONE, PLAN, SECOND, SENT
from tests.support.console_waiting import CASE, DRAFT, VOID, WAITING_CASE
from tests.unit.console.test_each_condition_of_a_page import Changed, page
from tests.unit.console.test_pages_seen_whole import Page

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
TOKEN = re.compile(r"(?<=value=)[\w-]{43}(?= name=form_token)")
DAY = re.compile(r"\d{4}-\d\d-\d\d")
DECIMAL = re.compile(r"\d+(?:\.(\d+))?")
KEPT_AS_IT_IS = frozenset(
    {"v", "revision", "highest_revision", "version", "policy_version", "persons_needed", "needed", "digest", "seq"}
    | {"money", "units", "valid", "due_in", "upstream_id", "campaign", "approvable_until", "engine", "explained_by"}
)  # fmt: skip
"""Fields by which something else is asked for, or whose form says more than a number."""
FILLED: Mapping[str, Mapping[str, Any]] = {
    "deliveries.waiting": {"deliveries": [{**SENT, "sums": SUMS}], "kept_back": [KEPT]},
    "deliveries.of_channel": {"deliveries": [{**SENT, "sums": SUMS, "sent_at": "2026-03-04T05:06:07Z"}]},
    "acknowledgements.overdue": {"overdue": [DUE], "due_soon": [{**DUE, "campaign": "in-8/1"}]},
    "acknowledgements.rejected_credits": {"credits": [CREDIT]},
    "acknowledgements.late_credits": {"credits": [{**CREDIT, "due": "2026-03-04T05:06:07Z", "due_by": "list"}]},
    "acknowledgements.of_month": {
        "campaigns.0.lines.0.by_state.applied": "7.00", "campaigns.0.lines.0.by_state.rejected": "7.00",
        "campaigns.0.additions": [{"channel": "b", "deliveries": 7, "first": "b/1", "last": "b/9", "not_sent": 7}],
    },
    "acknowledgements.of_campaign": {"lines.0.by_state.applied": "7.00", "differences": ["it differs"]},
    "budgets.since": {"budgets.0.limit": "7.00", "budgets.0.left": "7.00"},
    "campaigns.troubles": {"troubles": [TROUBLE]},
    "campaigns.waiting": {"kept": [WAITS, {**WAITS, "void": "v-9"}]},
    "incidents.refused": {
        "events": [
            {
                "received_at": "2026-03-04T05:06:07Z", "detail_type": "X", "incident_id": "in-9", "source": "s-9",
                "reason": "r-9", "field": "f-9", "message": "m-9",
            },
        ],
    },
    "halts.current": {"halted": True, "since": "2026-03-04T05:06:07Z", "by": "sso:ben", "reason": "so"},
    "accounts.ask": {"decisions.0.offer": OFFER, "withheld": {"before": "2026-03-04T05:06:07Z", "decisions": 1}},
    ONE: {
        "approvals": [{"person": "sso:ben", "at": "2026-03-04T05:06:07Z", "limits": ["held"], "break_glass": "alone"}],
        "compared_with": "in-9/2", "results.0.before": 7, "sums.0.before": "7",
        "budgets.0.limit": "7", "budgets.0.left": "7",
    },
    "voids.one": {
        "approvals": [{"person": "sso:ben", "at": "2026-03-04T05:06:07Z"}], "done.lines": 7,
        "plan.asked": [{"channel": "b", "measure": "EUR", "credits": 7, "sum": "7"}],
    },
    "drafts.one": {
        "confirmed": {"revision": 4, "by": "sso:ben", "at": "2026-03-04T05:06:07Z", "digest": "d"},
        "dismissed": {"reason": "none", "by": "sso:eva", "at": "2026-03-04T05:06:07Z", "digest": "e"},
    },
    "cases.one": {"earlier": {"EUR": "7"}, "kind": "conflict", "row": {"fee": "7.00"}},
}  # fmt: skip
"""What is empty in the world, by the question that has it."""


def distinct(value: Any, place: str) -> Any:
    """The same with each number, amount, day and instant another one, by its place."""
    if place.rpartition("/")[2] in KEPT_AS_IT_IS:
        return value
    number = 1_000 + crc32(place.encode()) % 9_000
    made = value
    match value:
        case Mapping():
            made = {name: distinct(one, f"{place}/{name}") for name, one in value.items()}
        case list():
            made = [distinct(one, f"{place}/{at}") for at, one in enumerate(value)]
        case bool():
            made = value
        case int():
            made = number
        case str() if INSTANT.fullmatch(value):
            made = format_instant(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(minutes=number))
        case str() if DAY.fullmatch(value):
            made = (date(2026, 3, 1) + timedelta(days=number % 300)).isoformat()
        case str() if found := DECIMAL.fullmatch(value):
            digits = len(found[1] or "")
            made = f"{number}.{number % 10**digits:0{digits}d}" if digits else str(number)
    return made


class Distinct(Changed):
    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: Any) -> Mapping[str, Any]:
        found: Mapping[str, Any] = distinct(Changed(use, FILLED.get(use)).ask(use, query, **values), use)
        return found


PAGES = (
    *("/", GRANTED, HELD, DECLINED, "/past?id=declined-1", CAMPAIGN, SECOND, PLAN, CASE, WAITING_CASE, VOID, DRAFT),
    *("/cases", "/cases/net-outage/1", "/campaigns", "/deliveries?channel=billing", "/goodwill", "/incident/second"),
    *("/incidents", "/late/net-outage/1", "/money", "/month", "/policies", "/rejected/net-outage/1?credit=c-9"),
    *("/sample/second/1", "/audit"),
)


def test_every_page_of_distinct_values_is_as_it_was_read_and_approved() -> None:
    shown = [f"==== {path}\n{TOKEN.sub('...', Page(page(path, Distinct())).text())}" for path in PAGES]
    must_be_as_approved("\n\n".join(shown) + "\n", Path(__file__).with_name("pages_of_distinct_values.txt"))
