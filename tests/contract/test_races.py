"""Real conditional writes and transactions, raced by threads: each promise holds when nobody waits for anybody.

On DynamoDB Local alone: neither moto nor MiniStack ever lets two writes meet. Each thread has adapters and connections
of its own, as each worker has. Transactions that meet wait for each other here; on AWS one is cancelled, which
tests/unit/adapters/test_adapter_transactions.py plays.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest

from kulanz.adapters.aws import client
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.adapters.offers import DynamoOffers
from kulanz.application.ports import AtTheGate, Outdated, Start
from kulanz.domain.audit import About
from kulanz.domain.budgets import BudgetExceeded, BudgetPlace, LimitSet, Needed, draw_on, step_of_start
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cursor, Pass, State
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import Entry, EntryWithHistory, HistoryChange, HistoryMoved
from kulanz.domain.policy.deciding.history import Addition, HistoryKey, SubjectHistory
from tests.contract.backends import AwsBackend
from tests.contract.conftest import DYNAMODB_LOCAL
from tests.support.values import (
    FIRST,
    NOW,
    OPENING,
    change,
    declared,
    entry,
    frozen,
    move,
    opened,
    receipt,
    revision,
    totals,
)

RACERS = 6
ACCOUNTS = 60
STEPS = 25
"""Receipts of one racer, or additions to one history."""
CHUNK_BYTES = 100

pytestmark = pytest.mark.parametrize("emulator", [DYNAMODB_LOCAL], indirect=True)


class Racer:
    """One worker: its place among the others, and its own connections."""

    def __init__(self, number: int, backend: AwsBackend) -> None:
        database = client("dynamodb")
        self.number = number
        self.ledger = DynamoLedger(database, backend.credits_table, calls_in_flight=2)
        self.campaigns = DynamoCampaigns(database, backend.campaigns_table)
        self.offers = DynamoOffers(database, backend.credits_table, backend.campaigns_table)


def race[Found](backend: AwsBackend, run: Callable[[Racer], Found]) -> list[Found]:
    """Let every racer run at the same moment; what each came to."""
    assert backend.credits_table
    assert backend.campaigns_table
    racers = [Racer(number, backend) for number in range(RACERS)]
    line = threading.Barrier(RACERS)

    def started(racer: Racer) -> Found:
        line.wait()
        return run(racer)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(started, racers))


def opened_campaign(store: DynamoCampaigns) -> Campaign:
    record = declared()
    store.record_revision(None, record, revision())
    after, new = opened(record)
    store.open(record, after, new, frozen(), OPENING)
    return new


def test_of_racing_inserts_each_key_has_one_winner_and_every_loser_learns_what_stands(emulator: AwsBackend) -> None:
    def insert(racer: Racer) -> tuple[list[Entry], list[Entry | None]]:
        mine = [entry(f"account-{n:03d}", origin=1_000 * racer.number + n) for n in range(ACCOUNTS)]
        Random(racer.number).shuffle(mine)
        return mine, racer.ledger.insert(mine)

    standing: dict[str, list[Entry]] = {}
    winners: dict[str, list[Entry]] = {}
    for mine, answers in race(emulator, insert):
        for one, answer in zip(mine, answers, strict=True):
            standing.setdefault(one.key.account_id, []).append(answer or one)
            if answer is None:
                winners.setdefault(one.key.account_id, []).append(one)
    assert {account: len(found) for account, found in winners.items()} == dict.fromkeys(standing, 1)
    for account_id, found in standing.items():
        assert found == winners[account_id] * RACERS
        assert emulator.ledger.of_account(account_id) == winners[account_id]


def test_receipts_of_racing_chunks_are_each_counted_once_in_one_sum(emulator: AwsBackend) -> None:
    """Every receipt changes one record, the campaign's."""
    opened_campaign(emulator.campaigns)

    def record(racer: Racer) -> list[bool]:
        start = 50 + racer.number * STEPS * CHUNK_BYTES
        places = [start + step * CHUNK_BYTES for step in range(STEPS)]
        return [
            racer.campaigns.record_receipt(
                receipt(
                    place, place + CHUNK_BYTES,
                    chunk=racer.number, moved_from=None if place == start else place, totals=totals(3, racer.number),
                )
            )
            for place in places
        ]  # fmt: skip

    assert race(emulator, record) == [[True] * STEPS] * RACERS

    whole = Totals()
    for racer in range(RACERS):
        for _ in range(STEPS):
            whole.add(totals(3, racer))
    campaign = emulator.campaigns.campaign(FIRST)
    assert campaign is not None
    assert campaign.plan.totals == whole
    assert campaign.plan.bytes_done == RACERS * STEPS * CHUNK_BYTES
    assert len(list(emulator.campaigns.receipts(FIRST, Pass.PLAN))) == RACERS * STEPS


def test_of_racing_workers_on_one_chunk_one_receipt_is_counted(emulator: AwsBackend) -> None:
    opened_campaign(emulator.campaigns)
    ends = [200 + 10 * number for number in range(RACERS)]

    counted = race(
        emulator, lambda racer: racer.campaigns.record_receipt(receipt(50, ends[racer.number], totals=totals(3)))
    )

    assert counted.count(True) == 1
    won = ends[counted.index(True)]
    assert emulator.campaigns.cursor(FIRST, Pass.PLAN, 0) == Cursor(won, finished=False)
    campaign = emulator.campaigns.campaign(FIRST)
    assert campaign is not None
    assert (campaign.plan.bytes_done, campaign.plan.totals) == (won - 50, totals(3))


def test_of_racing_changes_of_state_one_is_made_and_logged(emulator: AwsBackend) -> None:
    new = opened_campaign(emulator.campaigns)

    def move(racer: Racer) -> bool:
        try:
            racer.campaigns.change_state(new, change(new, State.PAUSED, f"racer {racer.number}"))
        except Outdated:
            return False
        return True

    made = race(emulator, move)

    assert made.count(True) == 1
    log = emulator.campaigns.log(FIRST)
    assert [line.reason for line in log] == [OPENING.reason, f"racer {made.index(True)}"]


def additions(racer: Racer) -> Iterator[Entry]:
    for step in range(STEPS):
        plain = entry("shared", origin=racer.number * STEPS + step)
        yield replace(plain, key=replace(plain.key, incident_id=f"incident-{racer.number}-{step}"))


def test_racing_additions_to_one_history_are_all_kept_and_none_is_lost(emulator: AwsBackend) -> None:
    """A decision whose history has moved is decided again, as a worker does; a lost one would be paid past a cap."""
    key = HistoryKey("shared", "fi-eml", "-")

    def keep(racer: Racer) -> int:
        moved = 0
        for one in additions(racer):
            while True:
                before = racer.ledger.histories([key]).get(key, SubjectHistory())
                added = Addition(NOW, {"paid_2026": 500}, {}, NOW + timedelta(days=30))
                after = before.with_addition(one.key.incident_id, added, NOW)
                (answer,) = racer.ledger.insert_with_history([EntryWithHistory(one, HistoryChange(key, before, after))])
                if answer is None:
                    break
                assert answer is HistoryMoved.MOVED
                moved += 1
        return moved

    moved = race(emulator, keep)

    history = emulator.ledger.histories([key])[key]
    assert sum(moved) > 0, "they never met"
    assert history.version == RACERS * STEPS
    assert len(emulator.ledger.of_account("shared")) == RACERS * STEPS
    assert [known.added["paid_2026"] for known in history.incidents.values()] == [500] * RACERS * STEPS


def test_of_racing_acceptances_of_one_offer_one_is_made(emulator: AwsBackend) -> None:
    offer = entry("offered", status=Outcome.OFFERED)
    emulator.ledger.insert([offer])
    record = declared()
    emulator.campaigns.record_revision(None, record, revision())

    def accept(racer: Racer) -> bool:
        moment = NOW + timedelta(seconds=racer.number)
        grant = replace(offer, status=Outcome.GRANTED, effective_at=moment, ttl=offer.ttl + 100)
        try:
            racer.offers.accept(offer, grant, record, f"support-{racer.number}")
        except Outdated:
            return False
        return True

    made = race(emulator, accept)

    assert made.count(True) == 1
    (stored,) = emulator.ledger.of_account("offered")
    assert (stored.status, stored.effective_at) == (Outcome.GRANTED, NOW + timedelta(seconds=made.index(True)))


def test_racing_acceptances_of_one_incident_beside_racing_receipts_are_all_made_and_all_logged(
    emulator: AwsBackend,
) -> None:
    """Half of the racers accept offers, all of which look at one record; the others add receipts to the campaign."""
    opened_campaign(emulator.campaigns)
    record = emulator.campaigns.incident(FIRST.incident_id)
    assert record is not None
    offers = [entry(f"offered-{number:03d}", status=Outcome.OFFERED) for number in range(RACERS * STEPS)]
    emulator.ledger.insert(offers)

    def act(racer: Racer) -> int:
        if racer.number % 2:
            start = 50 + racer.number * STEPS * CHUNK_BYTES
            places = [start + step * CHUNK_BYTES for step in range(STEPS)]
            for place in places:
                moved_from = None if place == start else place
                mine = receipt(
                    place, place + CHUNK_BYTES, chunk=racer.number, moved_from=moved_from, totals=totals(3, 0)
                )
                assert racer.campaigns.record_receipt(mine)
            return 0
        for step in range(STEPS):
            offer = offers[racer.number * STEPS + step]
            moment = NOW + timedelta(seconds=step)
            grant = replace(offer, status=Outcome.GRANTED, effective_at=moment)
            racer.offers.accept(offer, grant, record, f"sso:{racer.number}")
        return STEPS

    made = sum(race(emulator, act))

    campaign = emulator.campaigns.campaign(FIRST)
    assert campaign is not None
    assert campaign.plan.bytes_done == RACERS // 2 * STEPS * CHUNK_BYTES
    found = emulator.index.additions(FIRST, most=RACERS * STEPS).found
    assert len(found) == len({addition.key for addition in found}) == made == RACERS // 2 * STEPS
    logged = emulator.index.audit_of_day(NOW.date(), most=RACERS * STEPS).found
    assert len([one for one in logged if one.action == "accepted"]) == made


def test_racing_starts_never_pass_a_budget_and_what_they_reserve_is_what_it_says(emulator: AwsBackend) -> None:
    """Each racer starts a campaign of its own in the same month, of which the budget pays for four."""
    place, limit, needed = BudgetPlace("2026-03", "EUR"), 450, 100
    emulator.budgets.set_limit(LimitSet("a", "EUR", "2026-03", limit, "sso:anna", "as agreed", NOW))
    for number in range(RACERS):
        name = f"incident-{number}"
        record = replace(declared(), incident_id=name)
        emulator.campaigns.record_revision(None, record, replace(revision(), incident_id=name))
        after, new = opened(record)
        after, new = replace(after, incident_id=name), replace(new, id=CampaignId(name, 1), outage=name)
        emulator.campaigns.open(record, after, new, frozen(), OPENING)
        move(emulator.campaigns, new, State.AWAITING_APPROVAL)

    def start(racer: Racer) -> bool:
        campaign_id = CampaignId(f"incident-{racer.number}", 1)
        while True:
            campaign = racer.campaigns.campaign(campaign_id)
            record = racer.campaigns.incident(campaign_id.incident_id)
            assert campaign is not None
            assert record is not None
            read = {place: racer.campaigns.budget(place.currency, place.month)}
            try:
                step = step_of_start(read, str(campaign_id), place.month, {"EUR": Needed(needed, 0)}, None)
                gate = AtTheGate(start=Start(record, budgets=step))
                racer.campaigns.change_state(campaign, change(campaign, State.APPLYING), gate)
            except BudgetExceeded:
                return False
            except Outdated:
                continue
            return True

    started = race(emulator, start)

    assert started.count(True) == limit // needed
    budget = emulator.campaigns.budget("EUR", "2026-03")
    assert (budget.reserved, budget.spent, budget.left) == (400, 0, 50)
    assert len(emulator.budgets.reserved()) == limit // needed


def test_racing_acceptances_draw_all_of_a_reservation_and_nothing_beyond(emulator: AwsBackend) -> None:
    """The reservation pays for half of the offers; the others are charged to the month in which they are accepted."""
    campaign = opened_campaign(emulator.campaigns)
    move(emulator.campaigns, campaign, State.AWAITING_APPROVAL)
    waiting, record = emulator.campaigns.campaign(FIRST), emulator.campaigns.incident(FIRST.incident_id)
    assert waiting is not None
    assert record is not None
    place, count = BudgetPlace("2026-03", "EUR"), RACERS * 10
    read = {place: emulator.campaigns.budget(place.currency, place.month)}
    step = step_of_start(read, str(FIRST), place.month, {"EUR": Needed(0, 5 * count // 2)}, None)
    gate = AtTheGate(start=Start(record, budgets=step))
    emulator.campaigns.change_state(waiting, change(waiting, State.APPLYING), gate)
    record = emulator.campaigns.incident(FIRST.incident_id)
    assert record is not None
    offers = [entry(f"offered-{number:03d}", status=Outcome.OFFERED) for number in range(count)]
    emulator.ledger.insert(offers)

    def act(racer: Racer) -> None:
        for offer in offers[racer.number * 10 : racer.number * 10 + 10]:
            grant = replace(offer, status=Outcome.GRANTED, effective_at=NOW + timedelta(days=40))
            while True:
                (made,) = racer.campaigns.reservations(FIRST)
                try:
                    racer.offers.accept(offer, grant, record, "desk", None, (draw_on(made, "EUR", 5, "2026-04"),))
                except Outdated:
                    continue
                break

    race(emulator, act)

    (made,) = emulator.campaigns.reservations(FIRST)
    assert (made.claimable, made.drawn) == (0, 5 * count // 2)
    march, april = (emulator.campaigns.budget("EUR", month) for month in ("2026-03", "2026-04"))
    assert (march.reserved, march.spent, april.reserved, april.spent) == (0, 5 * count // 2, 0, 5 * count // 2)


def test_of_racing_changes_the_list_of_open_campaigns_shows_the_one_that_was_made(emulator: AwsBackend) -> None:
    new = opened_campaign(emulator.campaigns)
    targets = [State.PAUSED, State.CANCELLED, State.REFUSED]

    def move(racer: Racer) -> State | None:
        target = targets[racer.number % len(targets)]
        try:
            racer.campaigns.change_state(new, change(new, target))
        except Outdated:
            return None
        return target

    (made,) = {target for target in race(emulator, move) if target is not None}  # two racers may make one change

    assert [one.state for one in emulator.index.open_campaigns()] == [made]
    logged = emulator.index.audit_of_day(NOW.date()).found
    assert [one.action for one in logged if one.about is About.CAMPAIGN] == ["requested", made.value]
