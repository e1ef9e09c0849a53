"""The figures that an approver is shown of a plan: each under its name, beside those of the campaign before."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.campaigns import review_plan as module
from kulanz.application.campaigns.review_plan import NoPlan, review_plan
from kulanz.application.ledger.answer import row_at
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Chunks, Progress, State
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.gate.approval import Approval, Rejection
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.gate.settings import SAFE, SpentPlace
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.lines import LINE_BYTES
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.time import format_instant
from tests.support.values import DATA_START, NOW, SIZE, campaign

GRANTED, HELD, DECLINED = RowResult.GRANTED, RowResult.HELD, RowResult.DECLINED
NONE = WriteResult.NONE


def totals(lines: int, counts: Mapping[tuple[RowResult, str], int], sums: Mapping[str, int]) -> Totals:
    """What a plan counted."""
    counted = Counter({CountKey(*place, NONE): number for place, number in counts.items()})
    return Totals(lines=lines, counts=counted, sums={SumKey(GRANTED, NONE, one): size for one, size in sums.items()})


BLANK = {(RowResult.BLANK, "blank"): 3}
HERE = totals(71, {(GRANTED, "credit"): 31, (DECLINED, "not_affected"): 37, **BLANK}, {"USD": 900, "EUR": 40})
THERE = totals(53, {(GRANTED, "credit"): 29, (HELD, "fee_unknown"): 19}, {"USD": 800, "CHF": 30})
OTHER = totals(11, {(GRANTED, "credit"): 11}, {"USD": 7})
PLAN = FiledPlan(
    text="the plan",
    campaign=CampaignId("outage", 5),
    planned_at=NOW,
    decidable_until=NOW + timedelta(days=300),
    decision_digest="d" * 64,
    source="billing",
    requester="sso:anna",
    persons_asked=0,
    subjects=59,
    granted={"USD": 900, "EUR": 40},
    offered={"EUR": 600},
    claimable={"GB": 50, "EUR": 3},
    exceeded=(cast("Any", SimpleNamespace(name="held", figures="29 % of 71")),),
    first_due=date(2026, 3, 9),
    first_end=None,
)
YES = [
    Approval("b", "sso:bert", PLAN.hash, ("held",), NOW + timedelta(hours=2)),
    Approval("c", "sso:clea", PLAN.hash, (), NOW + timedelta(hours=1), "flood"),
]


class Campaigns:
    """The campaigns of an incident: the third has a complete plan, the fourth was ended before it had one."""

    plan: FiledPlan | None = PLAN
    state = State.AWAITING_APPROVAL

    def campaign(self, of: CampaignId) -> Campaign | None:
        """The first and the third have a complete plan of their own."""
        plans = {1: OTHER, 3: THERE, 5: HERE}
        if of.seq not in (1, 3, 4, 5):
            return None
        done = SIZE - DATA_START if of.seq in plans else 1
        plan = Progress(done, 3, plans.get(of.seq, OTHER))
        found = replace(campaign(of), state=self.state, state_reason="plan_balanced", plan=plan)
        return replace(found, rows_announced=67, policy_version=8)

    def filed_plan(self, _: CampaignId) -> FiledPlan | None:
        return self.plan

    def receipts(self, *_: object) -> list[Any]:
        return []

    def actions(self, _: CampaignId) -> list[Any]:
        return [YES[0], Rejection("n", "sso:dora", PLAN.hash, "no", NOW), YES[1]]

    def frozen(self, _: CampaignId) -> None:
        return None

    def spent(self, place: Any) -> Any:
        return place


@pytest.fixture
def reviewed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A plan as it is shown, with what others work out of it left out."""
    stubs: Mapping[str, object] = {
        "campaigns_before": (),
        "incident_review": {"incident": "outage"},
        "uploaded_at": "2026-02-27T08:00:00Z",
        "review_budgets": ["a budget"],
        "thaw": SimpleNamespace(title="A credit"),
        "is_older": True,
        "same_list": ["another/1"],
        "usual_review": ["usual"],
        "repeats_review": {"repeated": 1},
        "beyond_budget": "beyond the budget",
        "not_automatic": "",
        "reported_estimate": {"usd": "1"},
        "delivery_estimate": 7,
    }
    for name, found in stubs.items():
        monkeypatch.setattr(module, name, lambda *_, found=found: found)
    monkeypatch.setattr(module, "add_up", lambda *_: (None, Measured(), ""))
    return Campaigns()


def review(campaigns: Campaigns, seq: int = 5, now: datetime = NOW) -> Any:
    """What an approver is shown."""
    ports = SimpleNamespace(
        campaigns=campaigns, lists=None, uploads=None, index=None, settings=SAFE, operation=None
    )  # fmt: skip
    return review_plan(CampaignId("outage", seq), cast("Any", ports), now)


def test_a_plan_is_shown_with_each_figure_under_its_name(reviewed: Campaigns) -> None:
    found = review(reviewed)
    told = {
        "campaign": "outage/5",
        "state": "awaiting_approval",
        "plan_hash": PLAN.hash,
        "planned_at": format_instant(NOW),
        "wanted_by": "2026-03-09T00:00:00Z",
        "first_due": "2026-03-09",
        "source": "billing",
        "requester": "sso:anna",
        "not_automatic": "beyond the budget",
        "lines": 71,
        "subjects": 59,
        "claimable": {"EUR": "3", "GB": "50"},
        "at_most": {"EUR": "643", "GB": "50", "USD": "900"},
        "exceeded": [{"name": "held", "figures": "29 % of 71"}],
        "compared_with": "outage/3",
        "delivery_usd": None,
        "decided_at": format_instant(NOW),
        "policy": {"id": "net-credit", "version": 8, "hash": "f" * 64, "title": "A credit"},
        "incident": {"incident": "outage"},
        "list": {
            "key": "lists/a.csv", "version_id": "version-1", "rows": 67, "bytes": SIZE,
            "uploaded_at": "2026-02-27T08:00:00Z", "is_older": True, "same_as": ["another/1"],
        },
    }  # fmt: skip
    assert {name: found[name] for name in told} == told
    assert found["wanted_by"] < found["approvable_until"] < format_instant(PLAN.decidable_until)


def test_the_approvals_stand_in_the_order_in_which_they_were_given_and_no_rejection_among_them(
    reviewed: Campaigns,
) -> None:
    assert review(reviewed)["approvals"] == [
        {"person": "sso:clea", "at": format_instant(YES[1].at), "limits": (), "break_glass": "flood"},
        {"person": "sso:bert", "at": format_instant(YES[0].at), "limits": ("held",), "break_glass": ""},
    ]


def test_what_is_here_or_was_there_is_compared_with_the_last_campaign_that_has_a_complete_plan(
    reviewed: Campaigns,
) -> None:
    found = review(reviewed)
    assert [(one["result"], one["reason"], one["lines"], one["before"]) for one in found["results"]] == sorted(
        [
            ("declined", "not_affected", 37, 0),
            ("granted", "credit", 31, 29),
            ("held", "fee_unknown", 0, 19),
            ("blank", "blank", 3, 0),
        ],
        key=lambda one: RowResult(one[0]),
    )
    assert [(one["measure"], one["sum"], one["before"]) for one in found["sums"]] == [
        ("CHF", "0", "30"), ("EUR", "40", "0"), ("USD", "900", "800"),
    ]  # fmt: skip
    alone = review(reviewed, seq=1)
    assert alone["compared_with"] == ""
    assert {one["before"] for one in (*alone["results"], *alone["sums"])} == {None}


@pytest.mark.parametrize(
    ("seq", "state", "says"),
    [
        (2, State.PLANNING, "there is no campaign outage/2; `kulanz campaigns outage`"),
        (5, State.PLANNING, "campaign outage/5 is still planning; `kulanz watch outage/5`"),
        (5, State.REFUSED, "campaign outage/5 has no plan to approve: it is refused (plan_balanced)"),
    ],
)
def test_where_there_is_no_plan_it_is_said_why(reviewed: Campaigns, seq: int, state: State, says: str) -> None:
    reviewed.plan, reviewed.state = None, state
    with pytest.raises(NoPlan) as none:
        review(reviewed, seq)
    assert str(none.value).startswith(says)


def test_what_was_executed_automatically_counts_of_this_month_and_of_the_incident(
    reviewed: Campaigns, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def automatic(*said: Any) -> str:
        asked.append(said)
        return "too much this month"

    monkeypatch.setattr(module, "not_automatic", automatic)
    later = NOW + timedelta(days=40)
    assert review(reviewed, now=later)["not_automatic"] == "too much this month"
    assert asked == [(PLAN, SAFE, [SpentPlace(month="2026-04"), SpentPlace(incident_id="outage")])]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("first", [b"", b"b-1,x\n"])
@pytest.mark.parametrize(("more", "is_read"), [(0, True), (1, False), (2, False)])
def test_whose_the_largest_amount_is_is_read_of_the_longest_line_there_can_be_and_of_no_longer_one(
    end: bytes, first: bytes, more: int, *, is_read: bool
) -> None:
    """What explains a decision reads the same row."""
    line = b"a-1," + b"y" * (LINE_BYTES - 4 + more)
    found = campaign(CampaignId("outage", 5))
    content = b"h" * (DATA_START - 1) + b"\n" + first + line + end + b"c-1,z\n"
    layout = ListLayout(ListFormat.CSV, ("account_id", "note"), DATA_START)
    chunks = Chunks(DATA_START, len(content), 400)
    found = replace(found, layout=layout, chunks=chunks, subject="", ignored_columns=("note",))
    lists: Any = SimpleNamespace(read=lambda _, start, stop: iter([content[start:stop]]))
    offset = DATA_START + len(first)
    assert module._whose(found, offset, lists) == (("a-1", "-") if is_read else ("", ""))
    row = row_at(found, offset, lists, line_reader(layout, (), None, ("note",)))
    assert (None if row is None else row.account_id) == ("a-1" if is_read else None)
