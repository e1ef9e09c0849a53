"""Policies that keep a history: caps and counts hold over incidents, whatever happens at once, twice or half-way."""

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import product

import pytest

from kulanz.application.campaigns import apply_chunk, chunk_run, filed_reads
from kulanz.application.campaigns.frozen import FrozenCache, thaw
from kulanz.application.campaigns.read_history import Read
from kulanz.application.ledger.accept_offer import AcceptPorts, accept_offer
from kulanz.application.ledger.answer import Explained
from kulanz.application.ports import ChunkMessage
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from kulanz.domain.campaigns.reconciliation import RowResult, WriteResult
from kulanz.domain.campaigns.write_units import HISTORY_WRITE_UNITS
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.decider import PARTS_PER_SET, REMEMBERED_FACTS, Decider
from kulanz.domain.ledger.entries import read_decision
from kulanz.domain.lists.lines import Line
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Record
from kulanz.domain.policy.deciding import history as history_module
from kulanz.domain.policy.deciding.history import (
    HISTORY_CHANGED,
    HISTORY_FULL,
    HISTORY_SETTLED,
    NO_HISTORY,
    HistoryKey,
)
from tests.support.effort import seeds_tried
from tests.support.end_state import check_sound, end_state
from tests.support.fake_offers import FakeOffers
from tests.support.faults import Tap
from tests.support.interleaving import Interleaving, Schedule, Work, switching_after
from tests.support.left_alike import Ends
from tests.support.small_campaign import sealed_policy
from tests.support.world import World
from tests.support.world_steps import Function
from tests.support.yearly_cap import CAP, FEES, POLICY, POLICY_ID, incident, outage, paid, rows, world

SEEDS = seeds_tried(150)
CALLS_MOST = 100
"""More than a worker makes for a chunk."""


def run(made: World, incident_id: str, day: int, **changes: object) -> None:
    made.publish(incident(incident_id, outage(day), **changes))
    made.run_until_quiet()


def run_until(made: World, incident_id: str, state: State) -> None:
    """Until the incident's campaign is in a state, with every other function's work done as it comes."""
    for _ in range(200):
        found = made.campaigns.campaign(CampaignId(incident_id, 1))
        if found is not None and found.state is state:
            return
        made.run(made.steps()[0])
    raise AssertionError(f"{incident_id} did not come to {state}")


def check_caps(made: World) -> None:
    """No cap is overdrawn, what is kept is what the ledger holds, and every plan equals what was written and capped."""
    check_sound(made)
    for account in FEES:
        assert paid(made, account) <= CAP, account
        kept = made.ledger.all_histories().get(HistoryKey(account, POLICY_ID, "-"))
        for incident_id, addition in (kept.incidents if kept else {}).items():
            assert addition.added.get("paid_2026:EUR", 0) == paid(made, account, incident_id), (account, incident_id)
    for campaign_id in made.campaigns.all_campaigns():
        campaign = made.campaign(str(campaign_id))
        assert (campaign.state, campaign.state_reason) == (State.CLOSED, "balanced")
        assert campaign.plan.totals.results() == campaign.apply.totals.results()
        assert campaign.plan.totals.worth() == campaign.apply.totals.worth()


def test_one_incident_after_the_other_shares_the_years_cap() -> None:
    made = world()
    for number, day in enumerate((2, 3, 4), 1):
        run(made, f"in-{number}", day)

    granted = {account: [paid(made, account, f"in-{number}") for number in (1, 2, 3)] for account in FEES}
    assert granted == {
        "small": [1_000, 1_000, 3_000],  # the third outage pays the fee as well
        "half": [4_500, 4_500, 1_000],
        "large": [10_000, 0, 0],
        "excluded": [0, 0, 0],
    }
    assert not any(key.write_result is WriteResult.CAPPED for key in made.campaign("in-3/1").apply.totals.counts)
    assert HistoryKey("excluded", POLICY_ID, "-") not in made.ledger.all_histories()
    check_caps(made)


def test_the_books_say_what_a_concurrent_incident_capped() -> None:
    made = _both_applying()
    made.run_until_quiet()
    check_caps(made)

    for number in (1, 2):
        campaign = made.campaign(f"in-{number}/1")
        sums = {key.write_result: value for key, value in campaign.apply.totals.sums.items() if key.measure == "EUR"}
        assert campaign.plan.totals.worth()[RowResult.GRANTED, "EUR"] == sum(sums.values())
        assert sums.get(WriteResult.WRITTEN, 0) == sum(paid(made, account, f"in-{number}") for account in FEES)
    # in-0 gave half 45 EUR; both were planned to give it 45 more, and the second to come found 10 left
    # and "small" would have got its third outage's fee on top by then, which nobody had approved
    for write_result, less in ((WriteResult.CAPPED, 3_500), (WriteResult.HELD_SINCE, 1_000)):
        given = [made.campaign(f"in-{number}/1").apply.totals.worth(frozenset({write_result})) for number in (1, 2)]
        assert sorted(sums.get((RowResult.GRANTED, "EUR"), 0) for sums in given) == [0, less]
    assert sorted(paid(made, "half", f"in-{number}") for number in (1, 2)) == [1_000, 4_500]


@pytest.mark.storm
@pytest.mark.parametrize("seed", range(SEEDS))
def test_concurrent_incidents_keep_every_cap_in_any_order_of_steps(seed: int) -> None:
    choose = random.Random(seed)
    made = world(calls_in_flight=1)
    for number, day in enumerate(choose.sample(range(2, 9), 3), 1):
        made.publish(incident(f"in-{number}", outage(day)))
        if choose.random() < 0.3:
            made.publish(incident(f"in-{number}", outage(day)))
    made.run_until_quiet(choose.choice)
    check_caps(made)

    before = end_state(made)
    for number in (1, 2, 3):
        totals = made.campaign(f"in-{number}/1")
        made.chunks.send(ChunkMessage(totals.id, work, chunk) for work in Pass for chunk in range(len(totals.chunks)))
    made.repeat_streams()
    made.run_until_quiet(choose.choice)
    assert end_state(made) == before


def _grant(made: World, message: ChunkMessage, name: str) -> Work:
    return lambda tap: made.grant(message, tap, FrozenCache(), name)


def _both_applying() -> World:
    """Two campaigns, both planned, whose apply messages wait: an earlier incident has been closed before."""
    return _planned().copy()


@cache
def _planned() -> World:
    made = world(chunk_bytes=65_536)
    run(made, "in-0", 1)
    for number in (1, 2):
        made.publish(incident(f"in-{number}", outage(number + 1)))
    for _ in range(100):
        waiting = [made.campaigns.campaign(CampaignId(f"in-{number}", 1)) for number in (1, 2)]
        if all(found is not None and found.state is State.APPLYING for found in waiting):
            return made
        steps = [step for step in made.steps() if not _applies(made, step.function, step.index)]
        made.run(steps[0])
    raise AssertionError("the campaigns did not come to apply")


def _applies(made: World, function: Function, index: int) -> bool:
    return function is Function.GRANT and made.chunk_messages[index].body.work is Pass.APPLY


def _write_results(made: World) -> Counter[WriteResult]:
    """How many lines of two incidents were written how, at the end of both, whose caps hold."""
    made.run_until_quiet()
    check_caps(made)
    found: Counter[WriteResult] = Counter()
    for number in (1, 2):
        for key, lines in made.campaign(f"in-{number}/1").apply.totals.counts.items():
            found[key.write_result] += lines
    return found


def _apply_together(made: World, schedule: Schedule) -> list[tuple[int, str]]:
    """Two incidents apply a chunk each; which of the two made which call."""
    works = [_grant(made, ChunkMessage(CampaignId(f"in-{n}", 1), Pass.APPLY, 0), f"w-{n}") for n in (1, 2)]
    together = Interleaving()
    together.run(works, schedule)
    return together.trace


def test_two_incidents_apply_at_once_with_every_order_of_their_calls() -> None:
    """From the first read of the histories on; what a worker reads before it, nobody changes here."""
    alone = [name for worker, name in _apply_together(_both_applying(), switching_after(0, CALLS_MOST)) if worker == 0]
    begins, calls = alone.index("ledger.histories"), len(alone)
    assert calls < CALLS_MOST
    write_results: Counter[WriteResult] = Counter()
    ends, moved = Ends(_write_results), 0
    for first, before, between in product((0, 1), range(begins, calls + 1), range(begins, calls + 1)):
        made = _both_applying()
        trace = _apply_together(made, switching_after(first, before, between))
        moved += len(trace) > 2 * calls
        write_results += ends(made)
    assert moved, "a worker that finds a history moved reads it once more"
    assert write_results[WriteResult.CAPPED] > 0


@pytest.mark.parametrize("seed", range(30))
def test_two_workers_on_one_chunk_with_a_history_end_as_one_does(seed: int) -> None:
    def made_with(together: bool) -> World:
        made = world(chunk_bytes=65_536)
        run(made, "in-0", 1)
        made.publish(incident("in-1", outage(2)))
        for work in Pass:
            run_until(made, "in-1", {Pass.PLAN: State.PLANNING, Pass.APPLY: State.APPLYING}[work])
            if together:
                message = ChunkMessage(CampaignId("in-1", 1), work, 0)
                schedule = random.Random(seed).choice
                Interleaving().run([_grant(made, message, name) for name in ("one", "two")], schedule)
        made.run_until_quiet()
        return made

    expected = end_state(made_with(together=False))
    made = made_with(together=True)
    check_caps(made)
    assert end_state(made) == expected


def test_what_would_give_more_than_was_planned_is_held_and_a_further_campaign_gives_it() -> None:
    made = _both_applying()  # in-0 came before; in-1 and in-2 each planned to be the second outage of three
    made.run_until_quiet()
    check_caps(made)
    decided = {number: read_decision(made.ledger.of_account("small", f"in-{number}")[0].body) for number in (1, 2)}
    (later,) = [number for number, decision in decided.items() if decision.reason == HISTORY_CHANGED]
    assert decided[later].outcome is Outcome.HELD
    assert decided[3 - later].outcome is Outcome.GRANTED
    answered = made.ask("small", f"in-{later}").decisions[0]
    assert answered.explained is Explained.AGREES
    assert "another incident changed what is kept" in answered.steps[-1]

    made.publish(incident(f"in-{later}", outage(later + 1), revision=2))
    made.run_until_quiet()
    check_caps(made)
    assert paid(made, "small", f"in-{later}") == 1_000 + 2_000


def test_an_amended_incident_grants_the_difference_and_replaces_what_it_added() -> None:
    made = world()
    run(made, "in-1", 2)
    better = POLICY.replace("version: 1", "version: 2").replace("pay: 50% of fee", "pay: 75% of fee")
    made.policies.publish(POLICY_ID, 2, sealed_policy(better))
    run(made, "in-1", 2, revision=2, policy_version=2)
    check_caps(made)

    assert [paid(made, "small"), paid(made, "half"), paid(made, "large")] == [1_500, 6_750, CAP]
    kept = made.ledger.all_histories()[HistoryKey("small", POLICY_ID, "-")]
    assert kept.incidents["in-1"].added["paid_2026:EUR"] == 1_500
    run(made, "in-2", 3)
    assert paid(made, "half") == CAP


def test_a_later_campaign_of_an_incident_is_not_capped_by_its_own_earlier_one() -> None:
    made = world()
    run(made, "in-1", 2)
    run(made, "in-1", 2, revision=2)

    classes = made.campaign("in-1/2").apply.totals.results()
    assert classes[RowResult.UNCHANGED, "each"] == 4
    check_caps(made)


def test_other_years_and_other_policies_have_caps_of_their_own() -> None:
    made = world()
    made.publish(incident("last-year", outage(28, month=12, year=2025)))
    made.run_until_quiet()
    run(made, "in-1", 2)

    assert paid(made, "large", "last-year") == paid(made, "large", "in-1") == CAP


def test_an_outage_over_new_year_uses_both_years_by_time() -> None:
    made = world()
    run(made, "in-1", 2)  # uses up large's 2026
    night = [{"start": "2025-12-31T11:00:00Z", "end": "2026-01-01T11:00:00Z"}]  # 12 h in each year, Berlin
    made.publish(incident("new-year", night))
    made.run_until_quiet()

    assert paid(made, "large", "new-year") == 30_000 // 2 // 2  # its half of 2025; nothing is left of 2026
    kept = made.ledger.all_histories()[HistoryKey("small", POLICY_ID, "-")].incidents["new-year"].added
    assert (kept["paid_2025:EUR"], kept["paid_2026:EUR"]) == (500, 500)


def test_a_full_history_holds_the_next_incident_and_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "HISTORY_BYTES", 400)
    made = world()
    for number, day in enumerate((2, 3, 4, 5), 1):
        run(made, f"in-{number}", day)

    reasons = [read_decision(entry.body).reason for entry in made.ledger.of_account("small")]
    assert reasons == ["each", "each", "each", HISTORY_FULL]
    assert "It needs a manual review" in made.ask("small", "in-4").decisions[0].steps[-1]
    assert len(made.ledger.all_histories()[HistoryKey("small", POLICY_ID, "-")].incidents) == 3
    check_caps(made)


@pytest.mark.parametrize("outcome", Outcome)
def test_over_a_full_history_a_person_decides_everything_and_over_a_settled_one_what_would_be_given(
    outcome: Outcome,
) -> None:
    decision = Decision(outcome, "each")
    assert Read(NO_HISTORY, HISTORY_FULL).holds(decision)
    assert Read(NO_HISTORY, HISTORY_SETTLED).holds(decision) is (outcome in (Outcome.GRANTED, Outcome.OFFERED))
    assert not Read(NO_HISTORY).holds(decision)


OFFERED = POLICY.replace("cap:\n", "mode:\n  offer: {until: day(incident_end) + 30 days}\ncap:\n")


def _offering() -> World:
    made = world()
    made.policies.publish(POLICY_ID, 2, sealed_policy(OFFERED.replace("version: 1", "version: 2")))
    run(made, "in-1", 2, policy_version=2)
    return made


def test_an_offer_is_counted_until_it_lapses() -> None:
    made = _offering()
    run(made, "in-2", 3)
    assert paid(made, "large", "in-2") == 0

    lapsed = _offering()
    lapsed.now += timedelta(days=60)
    run(lapsed, "in-2", 3)
    assert paid(lapsed, "large", "in-2") == CAP


def test_an_accepted_offer_is_counted_for_good() -> None:
    made = _offering()
    ports = AcceptPorts(made.ledger, made.stores, made.campaigns, FakeOffers(made.ledger, made.campaigns))
    granted = accept_offer("large", "in-1", ports, "an agent", made.now)
    assert granted.status is Outcome.GRANTED
    assert accept_offer("large", "in-1", ports, "an agent", made.now) == granted

    made.now += timedelta(days=60)
    run(made, "in-2", 3)
    assert paid(made, "large", "in-2") == 0
    assert paid(made, "half", "in-2") == 4_500


def test_a_list_that_states_what_kulanz_keeps_is_refused() -> None:
    made = world()
    made.lists.upload("lists/all.csv", rows().replace(b"account_id,fee,", b"account_id,paid_2026,", 1))
    made.publish(incident("in-1", outage(2)))
    made.run_until_quiet()
    (rejection,) = made.rejected.sent
    assert rejection.reason != "column_of_history"  # the column for the fee is missing, which is told first

    stating = rows().replace(b"excluded", b"excluded,paid_2026", 1)
    made.lists.upload("lists/all.csv", stating)
    made.publish(incident("in-2", outage(2)))
    made.run_until_quiet()
    assert made.rejected.sent[-1].reason == "column_of_history"
    assert "paid_2026" in made.rejected.sent[-1].message


def test_the_plan_files_what_it_read_and_no_account() -> None:
    made = world()
    run(made, "in-1", 2)
    run(made, "in-2", 3)

    assert not [key for key in made.archive.documents if "in-1/001/read/" in key]
    filed = {key: content for key, content in made.archive.documents.items() if "in-2/001/read/" in key}
    lines = [json.loads(line) for content in filed.values() for line in content.splitlines()]
    assert len({line["offset"] for line in lines}) == len(lines) == 4  # three accounts, one of them listed twice
    assert not any(account.encode() in content for account in FEES for content in filed.values())
    named = {receipt.read for receipt in made.campaigns.receipts(CampaignId("in-2", 1), Pass.PLAN)}
    assert named - {""} == {key.rpartition("-")[2].removesuffix(".jsonl") for key in filed}


@pytest.mark.parametrize("name", ["READS_PER_RECEIPT", "READ_BYTES_PER_RECEIPT"])
def test_a_plan_that_reads_many_histories_has_more_receipts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one_a_wave = {"chunk_bytes": 65_536, "units_per_second": 1 / chunk_run.WAVE_SECONDS}
    plain, short = world(**one_a_wave), world(**one_a_wave)
    for made, most in ((plain, 10_000), (short, 1)):
        monkeypatch.setattr(filed_reads, name, most)
        for number, day in ((1, 2), (2, 3)):
            run(made, f"in-{number}", day)
        check_caps(made)
    counts = [len(list(made.campaigns.receipts(CampaignId("in-2", 1), Pass.PLAN))) for made in (plain, short)]
    assert counts == [1, 4]
    assert plain.campaign("in-2/1").apply == short.campaign("in-2/1").apply


@pytest.mark.parametrize(
    ("meddled", "errors"), [(apply_chunk.HISTORY_ROUNDS - 1, []), (apply_chunk.HISTORY_ROUNDS, ["TryAgain"])]
)
def test_histories_that_keep_changing_let_the_chunk_come_again(meddled: int, errors: list[str]) -> None:
    made = world(chunk_bytes=65_536)
    run(made, "in-0", 1)
    made.publish(incident("in-1", outage(2)))
    run_until(made, "in-1", State.APPLYING)
    key = HistoryKey("small", POLICY_ID, "-")
    rounds = 0

    def meddle(_: int, name: str) -> None:
        """Somebody else's incident is always first."""
        nonlocal rounds
        if name == "ledger.insert_with_history" and rounds < meddled:
            rounds += 1
            known = made.ledger._histories[key]
            made.ledger._histories[key] = replace(known, version=known.version + 1)

    made.tap = Tap(meddle)
    made.run_until_quiet()
    assert [type(error).__name__ for _, error in made.caught] == errors
    check_caps(made)


@pytest.mark.parametrize("days", [(2,), (2, 3)])
def test_a_worker_looks_at_its_clock_after_each_wave_whose_histories_it_waited_for(days: tuple[int, ...]) -> None:
    made = world(chunk_bytes=65_536)
    number = 300
    content = b"account_id,fee,excluded\n" + b"".join(b"a-%03d,20.00,no\n" % account for account in range(number))
    made.lists.upload("lists/all.csv", content)

    def wait_for_answer(_: int, name: str) -> None:
        if name == "ledger.histories":
            made.now += timedelta(seconds=15)

    made.tap = Tap(wait_for_answer)
    longest = timedelta(0)
    for day in days:
        told = incident(f"in-{day}", outage(day))
        told["detail"]["campaign"]["affected"]["rows"] = number
        made.publish(told)
        while steps := made.steps():
            began = made.now
            made.run(steps[0])
            longest = max(longest, made.now - began)
    assert made.campaign("in-2/1").state is State.CLOSED
    assert longest < timedelta(seconds=made.worker_seconds)


def test_decisions_with_much_time_kept_are_remembered_within_a_bound() -> None:
    made = world()
    run(made, "in-1", 2)
    campaign = made.campaign("in-1/1")
    policy = thaw(campaign, made.campaigns.frozen(campaign.id))
    reader = line_reader(campaign.layout, policy.facts, policy.subject, ())
    decider = Decider(policy, reader, campaign.decided_at, lambda decision, *_: decision)
    line = Line(0, b"small,20.00,no", 15)
    record = reader.record(line)
    assert isinstance(record, Record)
    parts = 40 * PARTS_PER_SET
    for number in range(REMEMBERED_FACTS // 20):
        outages = tuple((1_000 * part, 1_000 * part + 1 + number) for part in range(parts))
        decider.decide(record, {"outages_before": outages})
        assert len(decider._remembered) <= REMEMBERED_FACTS // 40


LINES = POLICY.replace("facts:\n", "subject: line\nfacts:\n").replace("version: 1", "version: 2")


def test_each_line_of_an_account_has_a_cap_of_its_own() -> None:
    made = world(chunk_bytes=65_536)
    made.policies.publish(POLICY_ID, 2, sealed_policy(LINES))
    lines = b"account_id,line,fee,excluded\na,l-1,150.00,no\na,l-2,150.00,no\nb,l-1,150.00,no\n"
    made.lists.upload("lists/all.csv", lines)
    for number in (1, 2):
        told = incident(f"in-{number}", outage(number + 1), policy_version=2)
        told["detail"]["campaign"]["affected"]["rows"] = 3
        made.publish(told)
        made.run_until_quiet()

    assert [paid(made, "a", name) for name in ("in-1", "in-2")] == [15_000, 5_000]
    assert [paid(made, "b", name) for name in ("in-1", "in-2")] == [7_500, 2_500]
    assert set(made.ledger.all_histories()) == {
        HistoryKey(account, POLICY_ID, line) for account, line in (("a", "l-1"), ("a", "l-2"), ("b", "l-1"))
    }


def test_a_decision_with_a_history_is_paced_by_all_that_it_writes() -> None:
    made = world(chunk_bytes=65_536, units_per_second=1.0)
    made.publish(incident("in-1", outage(2)))
    run_until(made, "in-1", State.APPLYING)
    began = made.now
    made.run_until_quiet()
    kept = len(made.ledger.all_histories())
    assert kept == 3
    assert made.now - began >= timedelta(seconds=HISTORY_WRITE_UNITS * kept)
