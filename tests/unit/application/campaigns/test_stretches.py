"""Execution is compared with the plan before it writes: what it would decide otherwise is never written."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.adapters.receipt_items import receipt_item
from kulanz.application.campaigns.control_campaign import ControlPorts, cancel, pause, resume
from kulanz.application.campaigns.frozen import FrozenCache
from kulanz.domain.campaigns import stretches as stretches_module
from kulanz.domain.campaigns.campaign import CampaignId, Cause, Pass, Receipt, State
from kulanz.domain.campaigns.stretches import (
    STRETCH_BYTES,
    STRETCH_FULL_BYTES,
    STRETCH_ROW_STEPS,
    STRETCH_ROWS,
    STRETCH_ROWS_READ,
    STRETCHES_PER_RECEIPT,
    Stretch,
    rows_per_stretch,
    stretch_of,
    stretches_from_bytes,
    stretches_to_bytes,
)
from kulanz.domain.lists.lines import LINE_BYTES
from kulanz.domain.money import Money
from kulanz.domain.policy.deciding.compiled import CompiledPolicy
from tests.support.end_state import check_sound, end_state
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_ROW, ROWS, event, sealed_policy, small_world
from tests.support.world import World
from tests.support.world_clock import INSERTS_PER_SECOND

ID = CampaignId.parse(CAMPAIGN)
CAUSE = Cause("a person", "a command", "1")
FLAT = """
kulanz: 1
id: flat
version: 1
title: The fee
currency: EUR
facts:
  fee: money
pay: fee
"""


def flat_world(rows: int, **settings: Any) -> World:
    """A world that has planned a list of so many rows of 10 EUR, and has just begun to execute it."""
    world = World(**settings)
    world.policies.publish("flat", 1, sealed_policy(FLAT))
    content = b"account_id,fee\n" + b"".join(b"a-%05d,10.00\n" % number for number in range(rows))
    world.lists.upload("lists/flat.csv", content)
    world.publish(event(key="lists/flat.csv", rows=rows, policy="flat"))
    return until_applying(world)


def until_applying(world: World) -> World:
    while (found := world.campaigns.campaign(ID)) is None or found.state is not State.APPLYING:
        world.run(world.steps()[0])
    return world


def small_stretches(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(stretches_module, "STRETCH_ROWS", rows)
    monkeypatch.setattr(stretches_module, "STRETCH_ROWS_READ", rows)


def plan_stretches(world: World) -> list[tuple[int, Stretch]]:
    """The plan's stretches, each with the byte where it begins."""
    found = []
    for receipt in world.campaigns.receipts(ID, Pass.PLAN):
        at = receipt.start
        for stretch in receipt.stretches:
            found.append((at, stretch))
            at = stretch.end
        assert at == receipt.end, "stretches tile the receipt"
    return found


class Tenfold:
    """Code that decides ten times the amounts from a point on, under the same engine version."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._patch, self._was = monkeypatch, CompiledPolicy.decide

    def deploy(self, world: World) -> None:
        was = self._was

        def ten_times(policy: CompiledPolicy, values: Any) -> Any:
            decision = was(policy, values)
            tenfold = (replace(one, money=Money(one.money.minor * 10, "EUR")) for one in decision.benefits if one.money)
            return replace(decision, benefits=tuple(tenfold))

        self._patch.setattr(CompiledPolicy, "decide", ten_times)
        world._caches = {function: FrozenCache() for function in world._caches}

    def roll_back(self, world: World) -> None:
        self._patch.setattr(CompiledPolicy, "decide", self._was)
        world._caches = {function: FrozenCache() for function in world._caches}


@pytest.mark.parametrize("stretch_rows", [1, 7, 10_000])
@pytest.mark.parametrize("deployed_after", [0, 1, 2, 3])
def test_code_that_decides_otherwise_pays_nothing(
    monkeypatch: pytest.MonkeyPatch, stretch_rows: int, deployed_after: int
) -> None:
    small_stretches(monkeypatch, stretch_rows)
    world, code = flat_world(60, chunk_bytes=256), Tenfold(monkeypatch)
    for _ in range(deployed_after):
        world.run(world.steps()[0])
    code.deploy(world)
    world.run_until_quiet()

    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.PAUSED
    assert campaign.state_reason.startswith("decided_otherwise: ")
    assert all(entry.remaining == (1_000,) for entry in world.ledger.all_entries()), "no amount but the planned one"

    code.roll_back(world)
    resume(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "the old code is back", CAUSE, world.now)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert len(world.ledger.all_entries()) == 60
    check_sound(world)


def test_nothing_of_a_stretch_is_written_where_its_last_line_differs(monkeypatch: pytest.MonkeyPatch) -> None:
    small_stretches(monkeypatch, 20)
    world = flat_world(60, chunk_bytes=65_536)
    (version,) = world.lists._versions["lists/flat.csv"]
    changed = version.content.replace(b"a-00039,10.00", b"a-00039,99.00")  # type: ignore[union-attr] # it is there
    world.lists._versions["lists/flat.csv"] = [replace(version, content=changed)]
    world.run_until_quiet()

    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.PAUSED
    start, stretch = plan_stretches(world)[1]
    assert campaign.state_reason == (
        f"decided_otherwise: lines 22 to 41, bytes {start} to {stretch.end - 1}: not what the plan says;"
        " none of these lines was written after that was found"
    )
    assert [entry.key.account_id for entry in world.ledger.inserted] == [f"a-{number:05d}" for number in range(20)]
    (receipt,) = world.campaigns.receipts(ID, Pass.APPLY) if list(world.campaigns.receipts(ID, Pass.APPLY)) else (None,)
    assert receipt is None or receipt.end == start


def test_lines_are_numbered_as_a_person_counts_them_whatever_receipt_they_are_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small_stretches(monkeypatch, 4)
    world = flat_world(60, chunk_bytes=256)
    (version,) = world.lists._versions["lists/flat.csv"]
    changed = version.content.replace(b"a-00051,10.00", b"a-00051,11.00")  # type: ignore[union-attr] # it is there
    world.lists._versions["lists/flat.csv"] = [replace(version, content=changed)]
    world.run_until_quiet()

    reason = world.campaign(CAMPAIGN).state_reason
    first, last = (int(word.rstrip(",")) for word in reason.split()[2:5:2])
    assert first <= 53 <= last < first + 4, "line 53 has the account a-00051: the header is line 1"


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda content: content.replace(b"a-00030,", b"b-00030,"), id="another account"),
        pytest.param(lambda content: content.replace(b"a-00030,10.00\n", b"a-00030,\n,,,,\n"), id="a row made two"),
        pytest.param(lambda content: content.replace(b"a-00030,10.00\n", b" " * 13 + b"\n"), id="a row emptied"),
        pytest.param(lambda content: content.replace(b"a-00030,10.00\na", b"a-00030,10.000a"), id="two rows made one"),
        pytest.param(lambda content: content.replace(b"a-00059,10.00\n", b"a-00059,99.00\n"), id="the last row"),
    ],
)
def test_a_version_whose_bytes_changed_pays_nobody_otherwise(monkeypatch: pytest.MonkeyPatch, changed: Any) -> None:
    small_stretches(monkeypatch, 10)
    world = flat_world(60, chunk_bytes=256)
    (version,) = world.lists._versions["lists/flat.csv"]
    other = changed(version.content)
    assert len(other) == len(version.content or b"")
    assert other != version.content
    world.lists._versions["lists/flat.csv"] = [replace(version, content=other)]
    world.run_until_quiet()

    assert world.campaign(CAMPAIGN).state is State.PAUSED
    planned = {f"a-{number:05d}" for number in range(60)}
    assert all(entry.key.account_id in planned for entry in world.ledger.all_entries())
    assert all(entry.remaining == (1_000,) for entry in world.ledger.all_entries())


def test_other_bytes_under_the_same_etag_are_not_read() -> None:
    world = flat_world(60, chunk_bytes=256)
    (old,) = world.lists._versions["lists/flat.csv"]
    world.lists.upload("lists/flat.csv", (old.content or b"").replace(b"10.00", b"99.00"))
    versions = world.lists._versions["lists/flat.csv"]
    versions[-1] = replace(versions[-1], etag=old.etag)
    world.run_until_quiet()

    assert world.campaign(CAMPAIGN).state is State.CLOSED
    assert all(entry.remaining == (1_000,) for entry in world.ledger.all_entries())


def test_a_plan_without_digests_is_not_executed() -> None:
    world = flat_world(5)
    receipts = world.campaigns._campaigns[ID].receipts
    for place, receipt in receipts.items():
        receipts[place] = replace(receipt, stretches=())
    world.run_until_quiet()

    campaign = world.campaign(CAMPAIGN)
    assert campaign.state is State.PAUSED
    assert campaign.state_reason.startswith("decided_otherwise: the plan has no digest of the lines from byte 15 on")
    assert world.ledger.all_entries() == []


@pytest.mark.parametrize("stretch_rows", [1, 3, 10_000])
@pytest.mark.parametrize("looked_every", [0.0, 25.0])
def test_how_a_list_is_cut_into_stretches_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, stretch_rows: int, looked_every: float
) -> None:
    calm = small_world()
    calm.publish(event(rows=ROWS))
    calm.run_until_quiet()
    small_stretches(monkeypatch, stretch_rows)
    cut = small_world(seconds_per_look=looked_every)
    cut.publish(event(rows=ROWS))
    cut.run_until_quiet()

    assert cut.campaign(CAMPAIGN).state is State.CLOSED
    check_sound(cut)
    assert end_state(cut, whole_ranges=False) == end_state(calm, whole_ranges=False)
    assert plan_stretches(cut)[-1][1].end == len(EVERY_KIND_OF_ROW)


def test_a_worker_that_goes_on_in_the_middle_of_a_stretch_compares_the_whole_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, code = flat_world(200, chunk_bytes=65_536, worker_seconds=41.0), Tenfold(monkeypatch)
    world.seconds_per_look = 0.2
    while not (written := len(world.ledger.all_entries())):
        world.run(world.steps()[0])
    assert written < 200, "the worker's time was over within the one stretch"
    assert len(plan_stretches(world)) == 1
    code.deploy(world)
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.PAUSED
    assert len(world.ledger.all_entries()) == written


# What stretches are


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 2**32 - 1), st.binary(min_size=16, max_size=16))))
def test_stretches_are_read_back_as_they_were_filed(content: list[tuple[int, int, bytes]]) -> None:
    written = tuple(Stretch(*one) for one in content)
    assert stretches_from_bytes(stretches_to_bytes(written)) == written


@given(st.tuples(*[st.integers(0, 2**40)] * 4), st.tuples(*[st.integers(0, 2**40)] * 4))
def test_the_digest_tells_place_lines_and_decisions_apart(
    one: tuple[int, int, int, int], other: tuple[int, int, int, int]
) -> None:
    assert (stretch_of(*one).digest == stretch_of(*other).digest) is (one == other)


@pytest.mark.parametrize("reads", [True, False])
@pytest.mark.parametrize("row_steps", [0, 1, 30, 1_500, 40_000, 400_000, STRETCH_ROW_STEPS + 1])
def test_a_stretch_is_decided_again_within_a_worker_s_life(row_steps: int, reads: bool) -> None:
    rows = rows_per_stretch(row_steps, reads=reads)
    assert 1 <= rows <= (STRETCH_ROWS_READ if reads else STRETCH_ROWS)
    assert rows == 1 or rows * row_steps <= STRETCH_ROW_STEPS


def test_a_full_stretch_has_no_room_for_another_line() -> None:
    assert STRETCH_FULL_BYTES + LINE_BYTES + len(b"\r\n") <= STRETCH_BYTES == 1024 * 1024
    assert STRETCH_ROWS == 10_000


def test_the_stretches_of_a_receipt_take_little_of_its_item() -> None:
    most = tuple(stretch_of(number, number + 1, 1, number) for number in range(STRETCHES_PER_RECEIPT))
    world = flat_world(1)
    (receipt,) = world.campaigns.receipts(ID, Pass.PLAN)
    item = receipt_item(replace(receipt, stretches=most))
    assert len(item["stretches"]["B"]) <= 30 * 1024


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_receipt_of_the_plan_ends_where_its_stretches_are_many(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    small_stretches(monkeypatch, 1)
    monkeypatch.setattr("kulanz.application.campaigns.plan_chunk.STRETCHES_PER_RECEIPT", most)
    world = flat_world(10, chunk_bytes=65_536)
    receipts: list[Receipt] = list(world.campaigns.receipts(ID, Pass.PLAN))
    assert [len(receipt.stretches) for receipt in receipts] == [most] * (10 // most) + (
        [10 % most] if 10 % most else []
    )
    world.run_until_quiet()
    assert world.campaign(CAMPAIGN).state is State.CLOSED


# Stop means stop


@pytest.mark.parametrize("end", [cancel, pause])
@pytest.mark.parametrize("units_per_second", [0.0, 200.0, 20.0])
def test_a_campaign_that_is_stopped_midway_pays_two_seconds_more_at_most(end: Any, units_per_second: float) -> None:
    world = flat_world(20_000, chunk_bytes=1024 * 1024, calls_in_flight=4, units_per_second=units_per_second)
    stopped: list[int] = []

    def stop_at(_: int, name: str) -> None:
        if name == "ledger.insert" and len(world.ledger.inserted) >= 100 and not stopped:
            stopped.append(len(world.ledger.inserted))
            end(
                ID, ControlPorts(world.campaigns, world.chunks, world.stores), "the amounts are wrong", CAUSE, world.now
            )

    world.tap.choose = stop_at
    world.run_until_quiet()
    (before,) = stopped
    rate = units_per_second or INSERTS_PER_SECOND
    written = len(world.ledger.inserted) - before
    assert 0 < written <= 2 * rate
    assert world.campaign(CAMPAIGN).apply.totals.ledger_count() == before + written, "what was written has its receipt"
    assert world.steps() == []


def test_a_planning_worker_stops_too() -> None:
    rows = 2_000
    world = World(chunk_bytes=1024 * 1024, seconds_per_look=0.6)
    world.policies.publish("flat", 1, sealed_policy(FLAT))
    world.lists.upload(
        "lists/flat.csv", b"account_id,fee\n" + b"".join(b"a-%05d,10.00\n" % number for number in range(rows))
    )
    world.publish(event(key="lists/flat.csv", rows=rows, policy="flat"))
    looks: list[str] = []

    def stop_at(_: int, name: str) -> None:
        looks.append(name)
        if looks.count("campaigns.state_of") == 2 and name == "campaigns.state_of":
            cancel(ID, ControlPorts(world.campaigns, world.chunks, world.stores), "another list", CAUSE, world.now)

    world.tap.choose = stop_at
    world.run_until_quiet()
    assert 0 < world.campaign(CAMPAIGN).plan.totals.lines < rows
    assert world.campaign(CAMPAIGN).state is State.CANCELLED


def test_a_chunk_of_which_no_line_is_done_in_a_worker_s_life_is_a_failure_and_not_sent_on_for_ever() -> None:
    world = flat_world(10, chunk_bytes=65_536)
    world.seconds_per_look = 50.0  # 70 s are left at the first look, and 20 s at the second
    world.run_until_quiet()
    assert world.dead_letters, "a person hears of it"
    assert world.ledger.all_entries() == []
