"""Every figure of a dirty campaign that anybody is shown is what a reader of its list can add up.

The figures of `tests/support/dirty_campaign.py` differ from one another, so that one shown in another's place is seen.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from itertools import takewhile
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import Pass, State
from kulanz.domain.campaigns.reconciliation import NEVER_WRITTEN, RowResult
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import read_decision
from tests.support.dirty_campaign import (
    CAMPAIGN,
    CAPPED,
    DECISIONS,
    HELD_SINCE,
    INCIDENT,
    LINES,
    PLANNED,
    ROWS,
    WRITTEN,
    added_up,
    dirty_world,
    lines_by,
    lines_that_became,
    planned_lines,
)
from tests.support.end_state import check_sound
from tests.support.world import World
from tests.support.world_stack import WorldStack, run

type Sums = Mapping[tuple[str, str], Decimal]
MEASURES = {"EUR": "EUR", "call minutes": "call_minute"}
BESIDE = ("duplicate", "conflict", "capped", "held_since")
SHOWN = [name.replace("_", " ") for name in BESIDE]


@pytest.fixture(scope="module")
def world() -> World:
    return dirty_world()


@pytest.fixture(autouse=True)
def _wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "240")


def told(world: World, *words: str) -> str:
    result = run(WorldStack(world), *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def rows_of(text: str, first: str) -> list[dict[str, str]]:
    """The table whose heading begins with a word, each row by the names of its columns."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(first))
    names, *rows = (re.split(r"  +", line.strip()) for line in takewhile(str.strip, lines[start:]))
    return [dict(zip(names, row, strict=True)) for row in rows if len(row) == len(names)]


def test_every_figure_of_the_fixture_differs(world: World) -> None:
    campaign = world.campaign(CAMPAIGN)
    assert (campaign.state, campaign.state_reason) == (State.CLOSED, "balanced")
    check_sound(world)
    became = Counter(line.became for line in LINES)
    lines = [len(LINES), ROWS, DECISIONS, *(became[name] for name in BESIDE)]
    assert len(set(lines)) == len(lines)
    money = "granted", "EUR"
    sums = [
        PLANNED[money],
        WRITTEN[money],
        CAPPED[money],
        HELD_SINCE[money],
        *(beside(became)[money] for became in ("duplicate", "conflict")),
    ]
    assert len(set(sums)) == len(sums)
    assert PLANNED[money] == sum(sums[1:]), "nothing is lost between what was planned and what was written"


def beside(became: str) -> Sums:
    return added_up(lambda line: (line.planned, line.minutes) if line.became == became else (0, Decimal(0)))


def check_report(report: Mapping[str, Any]) -> None:
    """A campaign's report, wherever it is read, against the lines of the list."""
    assert (report["campaign"], report["state"], report["reason"]) == (CAMPAIGN, "closed", "balanced")
    assert report["list"]["rows_announced"] == ROWS
    for work in ("plan", "apply"):
        assert (report[work]["lines"], report[work]["rows"]) == (len(LINES), ROWS)
    assert _lines(report["plan"]["results"]) == planned_lines()
    assert _lines(report["apply"]["results"]) == planned_lines()
    for became in BESIDE:
        found = [one for one in report["apply"]["results"] if one["write_result"] == became]
        assert _lines(found) == lines_that_became(became)
    in_ledger = [one for one in report["apply"]["results"] if one["write_result"] in ("written", "already")]
    assert _lines(in_ledger) == lines_that_became("written")
    assert _sums(report["plan"]["worth"]) == _sums(report["apply"]["worth"]) == PLANNED
    for became in ("duplicate", "conflict"):
        assert _sums(report["apply"]["worth"], became) == beside(became)
    assert _sums(report["apply"]["worth"], "capped") == CAPPED
    assert _sums(report["apply"]["worth"], "held_since") == HELD_SINCE
    assert _sums(report["apply"]["worth"], "written", "already") == WRITTEN
    assert report["in_the_ledger"]["decisions"] == DECISIONS
    assert _sums(report["in_the_ledger"]["worth"]) == WRITTEN
    undecided = sum(line.result in ("rejected", "blank", "unchanged") for line in LINES)
    assert report["estimate"]["rows"] == ROWS
    assert report["estimate"]["decisions"] == len(LINES) - undecided
    assert (report["differences"], report["chunks"]) == ([], [])


def _lines(results: list[dict[str, Any]]) -> Counter[tuple[str, str]]:
    found: Counter[tuple[str, str]] = Counter()
    for one in results:
        found[one["result"], one["reason"]] += one["lines"]
    return found


def _sums(worth: list[dict[str, str]], *write_results: str) -> Sums:
    found: Counter[tuple[str, str]] = Counter()
    for one in worth:
        if not write_results or one["write_result"] in write_results:
            found[one["result"], one["measure"]] += Decimal(one["sum"])  # type: ignore[assignment]
    return {place: Decimal(value) for place, value in found.items() if value}


def test_the_report_on_the_bus_and_in_the_bucket(world: World) -> None:
    announced = [one for one in world.announcer.after_the_gate if json.loads(one.detail)["campaign"] == CAMPAIGN]
    assert {one.detail_type for one in announced} == {"Campaign Closed"}
    for one in announced:
        check_report(json.loads(one.detail))
    filed = [content for key, content in world.archive.documents.items() if f"{INCIDENT}/002/report-" in key]
    assert filed
    for content in filed:
        if json.loads(content)["state"] != State.AWAITING_APPROVAL:
            check_report(json.loads(content))


def test_the_report_of_the_commands(world: World) -> None:
    check_report(json.loads(told(world, "watch", CAMPAIGN, "--json")))
    listed = json.loads(told(world, "campaigns", INCIDENT, "--json"))["campaigns"]
    check_report(next(report for report in listed if report["campaign"] == CAMPAIGN))


def test_the_lines_that_watch_prints(world: World) -> None:
    rows = rows_of(told(world, "watch", CAMPAIGN), "result  ")
    assert {(row["result"], row["reason"]): int(row["lines"]) for row in rows} == planned_lines()
    ledger = Counter[tuple[str, str]]()
    for line in LINES:
        ledger[line.result, line.reason] += line.has_decision
    for row in rows:
        place = row["result"], row["reason"]
        if RowResult(row["result"]) in NEVER_WRITTEN:
            assert [row[name] for name in ("ledger", *SHOWN)] == ["-"] * 5
            continue
        assert int(row["ledger"]) == ledger[place]
        assert [int(row[name]) for name in SHOWN] == [lines_that_became(name)[place] for name in BESIDE]


def test_the_last_line_that_watch_prints_is_the_sum_of_those_above_it(world: World) -> None:
    text = told(world, "watch", CAMPAIGN)
    (last,) = [line.split() for line in text.splitlines() if line.startswith("all ")]
    became = Counter(line.became for line in LINES)
    assert [int(figure) for figure in last[1:]] == [
        len(LINES), DECISIONS, *(became[name] for name in BESIDE),
    ]  # fmt: skip


def test_the_sums_that_watch_prints(world: World) -> None:
    rows = rows_of(told(world, "watch", CAMPAIGN), "result   sum of")
    places = {(row["result"], MEASURES[row["sum of"]]): row for row in rows}
    assert places.keys() == PLANNED.keys()
    columns = {
        "planned": PLANNED, "ledger": WRITTEN, "duplicate": beside("duplicate"), "conflict": beside("conflict"),
        "capped": CAPPED, "held since": HELD_SINCE,
    }  # fmt: skip
    for name, sums in columns.items():
        for place, row in places.items():
            assert amount(row[name], place[1]) == sums.get(place, 0), (place, name)


def amount(shown: str, measure: str) -> Decimal:
    """A figure as it is shown, in minor units or in units."""
    value = Decimal(shown.replace(",", ""))
    return value * 100 if measure == "EUR" else value


def test_the_list_of_campaigns_shows_rows_and_what_is_in_the_ledger_beside_what_was_planned(world: World) -> None:
    (row,) = [row for row in rows_of(told(world, "campaigns", INCIDENT), "campaign") if row["campaign"] == CAMPAIGN]
    assert (row["state"], int(row["rows"]), row["why"]) == ("closed", ROWS, "balanced")
    for name, result, sums in (
        ("granted", "granted", WRITTEN), ("offered", "offered", WRITTEN), ("planned", "granted", PLANNED),
    ):  # fmt: skip
        money, minutes = row[name].split(" + ")
        assert money.endswith(" EUR")
        assert amount(money.removesuffix(" EUR"), "EUR") == sums[result, "EUR"]
        assert amount(minutes.removesuffix(" call minutes"), "minutes") == sums[result, "call_minute"]


def test_who_is_told_of_an_amount_has_it(world: World) -> None:
    """The notices of the campaign are those of its decisions in the ledger, each with the amount that stands there."""
    expected = {
        line.account: f"{line.written // 100}.{line.written % 100:02}"
        for line in LINES
        if line.has_decision and line.result in ("granted", "offered") and line.written
    }
    notices = {
        recipient["account_id"]: recipient["values"]["amount"]
        for message in world.topic.published
        if (content := json.loads(message.text)).get("campaign", "") == CAMPAIGN
        for recipient in content["recipients"]
    }
    assert notices == expected


def test_what_an_agent_is_told_is_what_stands_in_the_ledger(world: World) -> None:
    first = {line.account: line for line in LINES if line.has_decision}
    assert len(first) == DECISIONS
    for account, line in first.items():
        answer = told(world, "ask", account, "--incident", INCIDENT, "--json")
        decided = json.loads(answer)["decisions"][-1]
        money = sum(one["money"][0] for one in decided["decision"].get("benefits", []) if "money" in one)
        minutes = sum(Decimal(one["units"][0]) for one in decided["decision"].get("benefits", []) if "units" in one)
        assert (decided["campaign"], money, minutes) == (CAMPAIGN, line.written, line.minutes_written), account
        assert decided["explained"] == "agrees", account
        assert decided["remaining"] == [
            str(part) for part in (line.written, line.minutes_written.normalize()) if part
        ], account  # fmt: skip


def test_a_worker_says_how_many_decisions_it_left_in_the_ledger(world: World) -> None:
    """Of the incident's two campaigns and the two beside it, plan and apply passes together."""
    campaigns = [world.campaign(str(campaign_id)) for campaign_id in world.campaigns.all_campaigns()]
    assert sum(worked.lines for worked in world.worked) == sum(
        campaign.progress(work).totals.lines for campaign in campaigns for work in Pass
    )  # fmt: skip
    assert sum(worked.written for worked in world.worked) == len(world.ledger.all_entries())


def test_who_was_capped_or_held_since_the_plan_is_shown_so(world: World) -> None:
    for line in (*lines_by("capped"), *lines_by("held_since")):
        (entry,) = [one for one in world.ledger.of_account(line.account, INCIDENT) if one.key.seq == 2]
        decision = read_decision(entry.body)
        assert (decision.outcome is Outcome.HELD) is (line.became == "held_since")
        answer = told(world, "ask", line.account, "--incident", INCIDENT)
        if line.became == "capped":
            assert answer.startswith("GRANTED 40.00 EUR")
        elif line.account.startswith("accepted"):
            assert decision.reason == "changed_since_plan"
            assert answer.startswith("GRANTED 4.00 EUR"), "what was accepted"
            assert "Nothing more is given for now" in answer
        else:
            assert decision.reason == "history_changed"
            assert answer.startswith("HELD")
