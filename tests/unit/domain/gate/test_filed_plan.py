"""A filed plan is one text with everything that decides what its execution will do: another plan has another hash."""

from collections import Counter
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Chunks, Progress, State
from kulanz.domain.campaigns.limits import stated_limits
from kulanz.domain.campaigns.measured import Commitment, Measured
from kulanz.domain.campaigns.reconciliation import RowResult, SumKey, WriteResult
from kulanz.domain.gate.filed_plan import ReadDigest, file_plan, read_filed
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.money import Size
from tests.support.values import INCIDENT, NOW, campaign, filed, receipt, totals

BEFORE = campaign()
SHAPE = IdShape(pattern="[0-9]{10}")
DECIDES: dict[str, tuple[Any, ...]] = {
    "id": (CampaignId(INCIDENT, 2),),
    "incident_revision": (2,),
    "policy_id": ("net-credits",),
    "policy_version": (4,),
    "policy_hash": ("e" * 64,),
    "engine": ("0",),
    "time_zones": ("1970a",),
    "pinned": (
        replace(BEFORE.pinned, bucket="another"),
        replace(BEFORE.pinned, key="lists/another.csv"),
        replace(BEFORE.pinned, version_id="another"),
        replace(BEFORE.pinned, etag="another"),
        replace(BEFORE.pinned, size=1),
    ),
    "layout": (
        replace(BEFORE.layout, format=ListFormat.JSONL),
        ListLayout(ListFormat.CSV, ("account_id", "other"), BEFORE.layout.data_start),
        replace(BEFORE.layout, account_ids=SHAPE),
        replace(BEFORE.layout, subject_ids=SHAPE),
    ),
    "chunks": (Chunks(BEFORE.chunks.data_start, BEFORE.chunks.size, 2 * BEFORE.chunks.chunk_bytes),),
    "rows_announced": (18,),
    "decided_at": (NOW + timedelta(microseconds=1),),
    "decidable_until": (NOW + timedelta(days=399),),
    "request_digest": ("request-2",),
    "opened_by": ("sso:anna",),
    "follows": ((1,),),
    "adds": (True,),
    "keeps_history": (True,),
    "subject": ("",),
    "limits": (stated_limits({"request": {"held": "2 %"}}), stated_limits({"request": {"total": ["5.00 EUR"]}})),
    "ignored_columns": (("note",),),
    "same_outage_as": ((),),
    "persons_asked": (2,),
}
"""Other values of each field of a campaign that decides what an execution does, or who may start it."""
DECIDES_NOTHING: dict[str, Any] = {
    "outage": "0" * 64,  # of the incident, whose decision digest is in the text
    "state": State.AWAITING_APPROVAL,
    "state_reason": "another",
    "log_count": 7,
    "announced": "7",
    "plan": Progress(sent=3),
    "apply": Progress(sent=3),
}


def test_every_field_of_a_campaign_is_known_to_decide_or_not() -> None:
    assert {one.name for one in fields(Campaign)} == DECIDES.keys() | DECIDES_NOTHING.keys()


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in DECIDES.items() for value in values])
def test_what_decides_makes_another_plan(name: str, value: Any) -> None:
    assert filed(replace(BEFORE, **{name: value})).hash != filed(BEFORE).hash


@pytest.mark.parametrize("name", DECIDES_NOTHING)
def test_what_only_says_how_far_a_campaign_is_leaves_the_plan_as_it_is(name: str) -> None:
    assert filed(replace(BEFORE, **{name: DECIDES_NOTHING[name]})).hash == filed(BEFORE).hash


def test_what_was_read_and_what_it_came_to_make_another_plan() -> None:
    plain: dict[str, Any] = {"decision_digest": "d" * 64, "read": "e" * 64, "planned_at": NOW}
    first = file_plan(BEFORE, totals(), Measured(), (), **plain)
    others = [
        file_plan(BEFORE, totals(), Measured(), (), **{**plain, name: value})
        for name, value in (("decision_digest", "0" * 64), ("read", "0" * 64), ("planned_at", NOW + timedelta(1)))
    ]
    others += [
        file_plan(BEFORE, totals(cents=1), Measured(), (), **plain),
        file_plan(BEFORE, totals(), Measured(known=1), (), **plain),
    ]
    assert len({first.hash, *(one.hash for one in others)}) == len(others) + 1
    assert read_filed(first.text) == first


def test_what_every_receipt_says_it_read_is_in_the_digest() -> None:
    def digest(*reads: str) -> str:
        read = ReadDigest()
        found = [replace(receipt(50 + at, 51 + at), read=one) for at, one in enumerate(reads)]
        assert list(read.over(found)) == found
        return read.text()

    assert len({digest("a", "b"), digest("b", "a"), digest("a", ""), digest("a"), digest("")}) == 5


def test_a_plan_has_one_text_in_whichever_order_its_ranges_were_added_up() -> None:
    one, other = totals(), totals()
    other.counts = Counter(dict(reversed(one.counts.items())))
    other.sums = dict(reversed(one.sums.items()))
    offered = {
        SumKey(RowResult.OFFERED, WriteResult.NONE, "EUR"): 7,
        SumKey(RowResult.OFFERED, WriteResult.NONE, "SEK"): 9,
    }
    one.sums, other.sums = {**one.sums, **offered}, {**dict(reversed(offered.items())), **other.sums}
    sizes: dict[str, Size] = {"EUR": 7, "SEK": 9, "GB": Decimal("0.5")}
    told: dict[str, Any] = {"decision_digest": "d" * 64, "read": "e" * 64, "planned_at": NOW}
    first, second = (
        file_plan(BEFORE, each, Measured(commitment=Commitment(claimable=claimable)), (), **told)
        for each, claimable in ((one, sizes), (other, dict(reversed(sizes.items()))))
    )
    assert first == second
    assert first.at_most == {
        "EUR": 14,
        "SEK": 18,
        "GB": Decimal("0.5"),
        "USD": 500,
        "call_minute": Decimal("0.5"),
        "data:unlimited": 1,
    }


@pytest.mark.parametrize("of", ["granted", "offered", "claimable"])
@pytest.mark.parametrize(("measure", "is_unlimited"), [("data:unlimited", True), ("unlimited", True), ("data", False)])
def test_something_without_limit_is_seen_wherever_it_can_be_had(of: str, measure: str, is_unlimited: bool) -> None:
    plan = replace(filed(BEFORE), granted={}, offered={}, claimable={})
    assert not plan.is_unlimited()
    given: dict[str, Any] = {of: {"EUR": 5, measure: 1, "zone": 2}}
    assert replace(plan, **given).is_unlimited() is is_unlimited
