"""Every hostile row ends as what its data file says, and no row beside it changes; hostile lists are refused whole."""

import json
from collections import Counter
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import Campaign, State
from kulanz.domain.ledger.entries import read_decision
from tests.hostile.corpus import Case, cases, list_bytes, row_bytes
from tests.hostile.handlers import Functions
from tests.support.small_campaign import CAMPAIGN, event, small_world

CSV_HEADER = b"account_id,segment,affected,fee,language"
CSV_GOOD = (b"good-before,consumer,yes,10.00,de", b"good-after,consumer,yes,20.00,en")
JSONL_GOOD = (
    b'{"account_id":"good-before","segment":"consumer","affected":true,"fee":"10.00","language":"de"}',
    b'{"account_id":"good-after","segment":"consumer","affected":true,"fee":"20.00","language":"en"}',
)
GOOD_MINOR_UNITS = {"good-before": 100, "good-after": 200}
"""Ten percent of the fee, in cents."""


def run(content: bytes, rows: int, key: str, largest: str = "") -> Functions:
    world = small_world(content, chunk_bytes=1_000_000)
    world.lists.upload(key, content)
    functions = Functions(world)
    request = event(key=key, rows=rows)
    if largest:
        request["detail"]["campaign"]["limits"]["largest"] = [largest]
    functions.publish(request)
    return functions


def classes_of(campaign: Campaign) -> Counter[str]:
    found: Counter[str] = Counter()
    for (row_result, _), number in campaign.plan.totals.results().items():
        found[row_result.value] += number
    return found


def check_among_good_rows(case: Case, content: bytes, key: str) -> None:
    wanted, _, reason = case["is"].partition(" ")
    functions = run(content, 2 if wanted == "blank" else 3, key, case.get("largest", ""))
    campaign = functions.world.campaign(CAMPAIGN)
    assert (campaign.state, functions.dead_letters) == (State.CLOSED, []), campaign.state_reason
    assert classes_of(campaign) == Counter(["granted", "granted", wanted])
    if reason:
        (problem,) = problems_of(functions)
        assert problem["reason"] == reason
        assert problem["expected"]
    entries = {entry.key.account_id: read_decision(entry.body) for entry in functions.world.ledger.all_entries()}
    for account_id, minor in GOOD_MINOR_UNITS.items():
        money = entries[account_id].benefits[0].money
        assert money is not None
        assert money.minor == minor


def problems_of(functions: Functions) -> list[dict[str, Any]]:
    documents = functions.world.archive.documents
    return [
        json.loads(line)
        for key, content in documents.items()
        if "/problems/plan-" in key
        for line in content.splitlines()
    ]


@pytest.mark.parametrize("case", cases("lists/csv_rows.yaml"), ids=lambda case: case["name"])
def test_a_row_of_csv_ends_as_told_and_its_neighbours_are_untouched(case: Case) -> None:
    lines = [CSV_HEADER, CSV_GOOD[0], row_bytes(case), CSV_GOOD[1]]
    check_among_good_rows(case, b"\n".join(lines) + b"\n", "lists/hostile.csv")


@pytest.mark.parametrize("case", cases("lists/jsonl_rows.yaml"), ids=lambda case: case["name"])
def test_a_row_of_jsonl_ends_as_told_and_its_neighbours_are_untouched(case: Case) -> None:
    lines = [JSONL_GOOD[0], row_bytes(case), JSONL_GOOD[1]]
    check_among_good_rows(case, b"\n".join(lines) + b"\n", "lists/hostile.jsonl")


@pytest.mark.parametrize("case", cases("lists/whole.yaml"), ids=lambda case: case["name"])
def test_a_list_is_refused_as_a_whole_or_decided_as_told(case: Case) -> None:
    functions = run(list_bytes(case), case.get("rows", 1), "lists/hostile.csv")
    world = functions.world
    assert functions.dead_letters == []
    if "opens" in case:
        assert [rejection.reason for rejection in world.rejected.sent] == [case["opens"]]
        assert world.campaigns.all_campaigns() == []
    elif "plan" in case:
        campaign = world.campaign(CAMPAIGN)
        assert campaign.state is State.REFUSED
        assert campaign.state_reason.startswith(case["plan"])
        assert world.ledger.all_entries() == []
    else:
        campaign = world.campaign(CAMPAIGN)
        assert campaign.state is State.CLOSED
        assert classes_of(campaign) == Counter(case["closes"])
        assert len(world.ledger.all_entries()) == case.get("written", case["rows"])
