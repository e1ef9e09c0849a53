"""Figures that people read, at their edges: nothing is missing, counted for another, or too small to be seen."""

import io
import re
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from kulanz.domain.campaigns.campaign import State
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, WriteResult
from kulanz_cli.checked_list import BAR_CELLS, _bar
from kulanz_cli.reconciliation import show_where_rejected
from kulanz_console.drawing.worth import RANGES_PRINTED, coarser_ranges
from tests.support.reading import read
from tests.support.small_campaign import CAMPAIGN, INCIDENT_ID, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_stack import WorldStack, run
from tests.unit.application.campaigns.test_later_campaigns import OFFER_HALF, PAY_MORE_BESIDES, campaign
from tests.unit.cli.test_answered_offers import told


def counted(**write_results: int) -> Any:
    """A pass that counted rejected rows, or rows that contradict others."""
    keys = {
        "rejected": CountKey(RowResult.REJECTED, "cell_unreadable", WriteResult.NONE),
        "conflict": CountKey(RowResult.GRANTED, "credit", WriteResult.CONFLICT),
    }
    return SimpleNamespace(totals=SimpleNamespace(counts=Counter({keys[name]: n for name, n in write_results.items()})))


@pytest.mark.parametrize(
    ("plan", "apply", "words"),
    [
        ({"rejected": 2}, {}, "2 rows were rejected; which and why:"),
        ({"rejected": 2}, {"rejected": 2}, "2 rows were rejected; which and why:"),
        ({"rejected": 1}, {"rejected": 1, "conflict": 3}, "1 row was rejected and 3 rows contradict others;"),
        ({}, {"conflict": 1}, "1 row contradicts another; which and why:"),
        ({}, {}, ""),
    ],
)
def test_rejected_rows_are_named_from_the_plan_on_and_once(
    plan: dict[str, int], apply: dict[str, int], words: str
) -> None:
    printed, shown = io.StringIO(), SimpleNamespace(id=CAMPAIGN, plan=counted(**plan), apply=counted(**apply))
    show_where_rejected(shown, Console(file=printed, width=100))  # type: ignore[arg-type] # what it reads of a campaign
    text = printed.getvalue()
    assert text.startswith(words)
    assert bool(text) is bool(words)


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=40))
def test_ranges_that_are_put_together_have_every_amount_and_line_of_theirs(lines: list[int]) -> None:
    histogram = [
        {"least": str(100 * place), "most": str(100 * place + 99), "lines": number}
        for place, number in enumerate(lines)
    ]
    found = coarser_ranges({"measure": "EUR", "histogram": histogram})  # type: ignore[typeddict-item] # what it reads
    assert len(found) == min(len(lines), RANGES_PRINTED)
    at = 0
    for text, number in found:
        least, most = re.fullmatch(r"([0-9]+)\.00 EUR to ([0-9]+)\.99 EUR", text).groups()  # type: ignore[union-attr]
        assert int(least) == at, "a range begins behind the one before"
        assert sum(lines[at : int(most) + 1]) == number
        at = int(most) + 1
    assert at == len(lines)


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_a_bar_of_a_few_lines_among_many_is_seen(lines: int, more: int) -> None:
    assert 1 <= len(_bar(lines, lines + more)) <= BAR_CELLS
    assert len(_bar(lines, lines)) == BAR_CELLS


def test_a_planned_campaign_is_listed_with_the_rows_that_its_list_has() -> None:
    world = small_world(list_of([row("a-1"), row("a-2"), row("a-3")]))
    world.publish(event(rows=1_234))
    world.run_until_quiet()
    found = world.campaign(CAMPAIGN)
    assert (found.state, found.plan.totals.rows()) == (State.REFUSED, 3)
    listed = read(run(WorldStack(world), "campaigns", INCIDENT_ID).stdout)
    assert re.search(rf"{CAMPAIGN} +refused +3\b", listed)


def test_of_several_open_offers_each_is_accepted_by_the_campaign_that_made_it() -> None:
    world = World()
    campaign(world, 1, OFFER_HALF)
    assert "--campaign" not in told(world)
    campaign(world, 2, PAY_MORE_BESIDES + "mode:\n  offer: {{until: claims_until}}\n")
    words = read(told(world))
    assert [f"--campaign {seq}" in words for seq in (1, 2, 3)] == [True, True, False]
