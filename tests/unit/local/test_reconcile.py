"""The demo's comparison finds what it is there to find."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.domain.campaigns.campaign import Campaign, Pass, State
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.event_file import read_event
from kulanz_local.cases import CASES, Case
from kulanz_local.drive import with_limits
from kulanz_local.lists import Expectation, Verdict, write_list
from kulanz_local.reconcile import discrepancies, notices_due
from tests.support.world import BUCKET, World

ACCOUNTS = 300
SEED = 1


def played(case: Case, tmp_path: Path) -> tuple[Expectation, Campaign, int, int]:
    """A case in a world in memory: what was planted, its campaign, the distinct notices and the stored decisions."""
    world, path = World(), tmp_path / "list"
    expected = write_list(case.maker, ACCOUNTS, SEED, path)
    document = load_policy(case.policy)
    world.policies.publish(document.policy.id, document.policy.version, document_json(document))
    world.lists.upload(case.key, path.read_bytes())
    event = with_limits(read_event(case.event))
    event["detail"]["campaign"]["affected"] = {"s3": {"bucket": BUCKET, "key": case.key}, "rows": expected.rows}
    world.publish(event)
    world.run_until_quiet()
    messages = [json.loads(message.text) for message in world.topic.published]
    notices = {recipient["notice_id"] for message in messages for recipient in message["recipients"]}
    return expected, world.campaign(f"{case.incident_id}/1"), len(notices), len(world.ledger.inserted)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.incident_id)
def test_a_campaign_that_went_well_differs_in_nothing(case: Case, tmp_path: Path) -> None:
    expected, campaign, notices, stored = played(case, tmp_path)
    assert list(discrepancies(expected, campaign, notices, stored)) == []
    assert notices == notices_due(expected, campaign)


def one_more_line(campaign: Campaign) -> None:
    campaign.plan.totals.lines += 1


def one_line_in_another_class(campaign: Campaign) -> None:
    counts = campaign.apply.totals.counts
    counts[CountKey(RowResult.GRANTED, "credit", WriteResult.WRITTEN)] -= 1
    counts[CountKey(RowResult.DECLINED, "prepaid", WriteResult.WRITTEN)] += 1


def one_cent_too_much(campaign: Campaign) -> None:
    campaign.apply.totals.sums[SumKey(RowResult.GRANTED, WriteResult.WRITTEN, "USD")] += 1


def one_duplicate_granted(campaign: Campaign) -> None:
    counts = campaign.apply.totals.counts
    counts[CountKey(RowResult.GRANTED, "credit", WriteResult.DUPLICATE)] -= 1
    counts[CountKey(RowResult.GRANTED, "credit", WriteResult.WRITTEN)] += 1


@pytest.mark.parametrize("change", [one_more_line, one_line_in_another_class, one_cent_too_much, one_duplicate_granted])
def test_books_that_are_off_by_one_are_found(change: Callable[[Campaign], None], tmp_path: Path) -> None:
    expected, campaign, notices, stored = played(CASES[0], tmp_path)
    changed = copy.deepcopy(campaign)
    change(changed)
    assert list(discrepancies(expected, changed, notices, stored))


def test_every_figure_of_a_reconciliation_that_is_off_by_one_is_found(tmp_path: Path) -> None:
    """Each count and each sum of both passes, one too many and one too few: whatever is shown is compared."""
    for case in CASES:
        expected, campaign, notices, stored = played(case, tmp_path)
        for work in Pass:
            totals = campaign.progress(work).totals
            figures: list[tuple[Any, Any]] = [(totals.counts, key) for key in totals.counts]
            figures += [(totals.sums, key) for key, value in totals.sums.items() if value]
            assert len(figures) > 10
            for figure, key in figures:
                for more in (1, -1):
                    figure[key] += more
                    assert list(discrepancies(expected, campaign, notices, stored)), (case.incident_id, work, key, more)
                    figure[key] -= more
        assert list(discrepancies(expected, campaign, notices, stored)) == []


@pytest.mark.parametrize(("notices_more", "stored_more"), [(-1, 0), (1, 0), (0, -1), (0, 1)])
def test_a_notice_or_a_decision_too_few_or_too_many_is_found(
    notices_more: int, stored_more: int, tmp_path: Path
) -> None:
    expected, campaign, notices, stored = played(CASES[0], tmp_path)
    assert len(list(discrepancies(expected, campaign, notices + notices_more, stored + stored_more))) == 1


PLANTED = {"a": 10, "b": 20, "c": 30}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ((7, 20, 26), None),
        ((8, 18, 27), None),
        ((10, 13, 30), None),
        ((6, 20, 27), "(a): planted 7 to 10, found 6"),
        ((8, 20, 25), "(c): planted 26 to 30, found 25"),
        ((10, 12, 31), "(c): planted 26 to 30, found 31"),
        ((11, 13, 29), "(a): planted 7 to 10, found 11"),
    ],
)
def test_of_rows_that_contradict_each_other_either_may_stand_and_no_more_or_fewer(
    written: tuple[int, int, int], said: str | None
) -> None:
    """Three rows of a contradict one of b, four of b one of c: all other sums are right in each of these."""
    verdicts = {reason: Verdict("declined", reason) for reason in PLANTED}
    expected = Expectation(60, 60)
    expected.planned.update({verdicts[reason]: rows for reason, rows in PLANTED.items()})
    expected.contradictions.update({(verdicts["a"], verdicts["b"]): 3, (verdicts["b"], verdicts["c"]): 4})
    plan, apply = Totals(lines=60), Totals(lines=60)
    for (reason, rows), stands in zip(PLANTED.items(), written, strict=True):
        plan.counts[CountKey(RowResult.DECLINED, reason, WriteResult.NONE)] = rows
        apply.counts[CountKey(RowResult.DECLINED, reason, WriteResult.WRITTEN)] = stands
        apply.counts[CountKey(RowResult.DECLINED, reason, WriteResult.CONFLICT)] = rows - stands
    campaign: Any = SimpleNamespace(
        id="i/1", state=State.CLOSED, rows_announced=60, plan=SimpleNamespace(totals=plan),
        apply=SimpleNamespace(totals=apply),
    )  # fmt: skip
    found = list(discrepancies(expected, campaign, notices=0, decisions_stored=53))
    assert (found == []) is (said is None)
    assert said is None or f"i/1: decisions declined {said}" in found
