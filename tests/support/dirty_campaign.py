"""A campaign in which nothing shown is equal to anything else: planned, written, duplicate, conflict, capped, held.

It is the second campaign of its incident, so that some are owed a difference and some nothing. While its plan waits,
some customers accept what the first one offered. While its apply pass waits, another incident runs whole and uses up
what some were planned to get; then a worker dies between its writes and its receipt. `LINES` says of each line what was
planned and what must stand in the ledger, by arithmetic that a reader can follow: half the fee, at most 100 EUR a year,
and minutes.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from kulanz.application.ledger.accept_offer import AcceptPorts, accept_offer
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State
from tests.support.faults import Fault, Tap
from tests.support.small_campaign import event, sealed_policy
from tests.support.world import World
from tests.support.world_steps import Function, Step
from tests.support.yearly_cap import outage

INCIDENT = "dirty"
CAMPAIGN = "dirty/2"
LIST_KEY = "lists/dirty.csv"
POLICY = """
kulanz: 1
id: dirty
version: 1
title: Half the fee, 100 EUR in a year at most, and minutes
zone: Europe/Berlin
currency: EUR
facts:
  segment: [consumer, prepaid, on_request]
  fee: money
  minutes: number
  paid: {type: money, per: calendar year, add: amount}
  outages_before: {type: windows, add: outage}
who:
  - decline: prepaid
    when: segment = "prepaid"
heads:
  - name: each
    pay: 50% of fee
  - name: minutes
    give: {quantity: minutes, unit: call_minute}
  - name: third
    when: count(together(outages_before, outage)) >= 3
    pay: fee
mode:
  - automatic: segment = "consumer"
  - offer: {until: day(incident_end) + 60 days}
cap:
  per: calendar year
  at: 100.00 EUR - paid
notice:
  texts:
    granted:
      en: {subject: Sorry, text: "We credit {{ amount }}."}
    offered:
      en: {subject: Yours, text: "Ask for {{ amount }}."}
"""
HEADER = b"account_id,segment,fee,minutes"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the list, what was planned for it (minor units and minutes), and what stands in the ledger of it."""

    account: str
    text: str
    result: str
    reason: str
    planned: int = 0
    minutes: Decimal = Decimal(0)
    became: str = "none"
    written: int = 0
    minutes_written: Decimal = Decimal(0)

    @property
    def has_decision(self) -> bool:
        """Whether the line's decision stands in the ledger."""
        return self.became in ("written", "capped", "held_since")


def _granted(account: str, fee: int, *, segment: str = "consumer", result: str = "granted") -> Line:
    """Half the fee and a number of minutes that is not whole, planned and written."""
    minutes = Decimal(fee) / 800
    text = f"{account},{segment},{fee // 100}.{fee % 100:02},{minutes}"
    return Line(account, text, result, "each", fee // 2, minutes, "written", fee // 2, minutes)


def _not_written(line: Line, became: str) -> Line:
    return replace(line, became=became, written=0, minutes_written=Decimal(0))


_WRITTEN = [_granted(f"written-{n}", 1_100 + 202 * n) for n in range(9)]
_OFFERED = [_granted(f"offered-{n}", 2_000 + 22 * n, segment="on_request", result="offered") for n in range(10)]
CAPPED_FEE, CAPPED_LEFT = 12_000, 10_000 - 6_000
_CAPPED = [
    replace(_granted(f"capped-{n}", CAPPED_FEE + 200 * n), became="capped", written=CAPPED_LEFT) for n in range(6)
]
_CHANGED = [_not_written(_granted(f"changed-{n}", 1_000 + 2 * n), "held_since") for n in range(3)]
"""The other incident made this their third outage: they would get more than was planned, and are held."""
ACCEPTED_FEE = 2_400
_ACCEPTED = [
    _not_written(_granted(f"accepted-{n}", ACCEPTED_FEE + 10 * n, segment="on_request", result="offered"), "held_since")
    for n in range(4)
]
"""The first campaign offered them less, and they accepted that while the plan waited."""
GRANTED_BEFORE = 400
_DIFFERENCE = [
    replace(
        _granted(f"difference-{n}", 3_000 + 4 * n),
        planned=1_500 + 2 * n - GRANTED_BEFORE, written=1_500 + 2 * n - GRANTED_BEFORE,
        minutes=Decimal(0), minutes_written=Decimal(0),
    )
    for n in range(6)
]  # fmt: skip
_UNCHANGED = [
    Line(line.account, line.text, "unchanged", "each") for line in (_granted(f"unchanged-{n}", 800) for n in range(7))
]
_DECLINED = [
    Line(f"declined-{n}", f"declined-{n},prepaid,10.00,5", "declined", "prepaid", became="written") for n in range(8)
]
_HELD = [Line(f"held-{n}", f"held-{n},consumer,,5", "held", "fee_unknown", became="written") for n in range(11)]
_REJECTED = [
    Line(f"rejected-{n}", f"rejected-{n},consumer,ten,5", "rejected", "fact_invalid") for n in range(12)
]  # fmt: skip
_BLANK = [Line("", "", "blank", "blank") for _ in range(13)]
_DUPLICATE = [
    _not_written(line, "duplicate") for line in (_WRITTEN[0], _WRITTEN[5], _WRITTEN[5], _OFFERED[3], _CAPPED[1])
]
_CONFLICT = [
    _not_written(line, "conflict")
    for line in (
        _granted("written-1", 7_000), _granted("written-2", 9_000), _granted("declined-4", 8_000),
        _granted("offered-6", 4_400, segment="on_request", result="offered"),
    )
]  # fmt: skip
LINES = [
    *_WRITTEN, *_CAPPED, *_DECLINED, *_BLANK[:5], *_CHANGED, *_ACCEPTED, *_OFFERED, *_REJECTED[:7],
    *_DIFFERENCE, *_HELD,
    *_DUPLICATE, *_UNCHANGED, *_CONFLICT, *_REJECTED[7:], *_BLANK[5:],
]  # fmt: skip
ROWS = sum(line.result != "blank" for line in LINES)


def planned_lines() -> Counter[tuple[str, str]]:
    """How many lines were planned for each result and reason."""
    return Counter((line.result, line.reason) for line in LINES)


def lines_that_became(write_result: str) -> Counter[tuple[str, str]]:
    """How many lines of each result and reason came to a write result."""
    return Counter((line.result, line.reason) for line in LINES if line.became == write_result)


def added_up(pick: Callable[[Line], tuple[int, Decimal]]) -> dict[tuple[str, str], Decimal]:
    """Sums by result and measure, of whatever is picked of each line; what comes to nothing is left out."""
    found: Counter[tuple[str, str]] = Counter()
    for line in LINES:
        minor, minutes = pick(line)
        found[line.result, "EUR"] += minor
        found[line.result, "call_minute"] += minutes  # type: ignore[assignment] # a Counter adds up any numbers
    return {place: Decimal(value) for place, value in found.items() if value}


PLANNED = added_up(lambda line: (line.planned, line.minutes))
WRITTEN = added_up(lambda line: (line.written, line.minutes_written) if line.has_decision else (0, Decimal(0)))


def given_less(became: str) -> dict[tuple[str, str], Decimal]:
    """What lines of a write result give less than was planned."""
    return added_up(
        lambda line: (
            (line.planned - line.written, line.minutes - line.minutes_written)
            if line.became == became
            else (0, Decimal(0))
        )
    )


CAPPED, HELD_SINCE = given_less("capped"), given_less("held_since")
DECISIONS = sum(line.has_decision for line in LINES)


def dirty_world() -> World:
    """The world after that campaign has closed, with everything delivered."""
    world = World(chunk_bytes=65_536, units_per_second=4.0)
    world.policies.publish("dirty", 1, sealed_policy(POLICY))
    _run(world, "before", 1, [line.text for line in _CHANGED])
    lower = [f"{line.account},consumer,8.00,{_minutes(line)}" for line in _DIFFERENCE]
    offered = [f"{line.account},on_request,8.00,{_minutes(line)}" for line in _ACCEPTED]
    _run(world, INCIDENT, 3, [*lower, *offered, *(line.text for line in _UNCHANGED)])
    _publish(world, INCIDENT, 3, [line.text for line in LINES], revision=2)
    _run_until_apply_waits(world)
    hidden, world.chunk_messages = world.chunk_messages, []
    capping = [f"{line.account},consumer,{CAPPED_FEE // 100}.00,1" for line in _CAPPED]
    _run(world, "beside", 2, [*capping, *(line.text for line in _CHANGED)])
    world.chunk_messages += hidden
    world.tap = Tap(_killed_after_third_write())
    world.run(Step(Function.GRANT, 0))
    world.tap = Tap()
    world.run_until_quiet()
    return world


def _minutes(line: Line) -> str:
    return line.text.rpartition(",")[2]


def _run(world: World, incident_id: str, day: int, lines: list[str], **changes: Any) -> None:
    _publish(world, incident_id, day, lines, **changes)
    world.run_until_quiet()


def _publish(world: World, incident_id: str, day: int, lines: list[str], **changes: Any) -> None:
    key = LIST_KEY if incident_id == INCIDENT else f"lists/{incident_id}.csv"
    version = world.lists.upload(key, b"\n".join([HEADER, *(line.encode() for line in lines), b""]))
    rows = sum(line != "" for line in lines)
    world.publish(
        event(incident_id=incident_id, windows=outage(day), policy="dirty", rows=rows, key=key, version_id=version,
              **changes)
    )  # fmt: skip


def _run_until_apply_waits(world: World) -> None:
    """Until the second campaign's apply pass waits; while its plan waited, some accepted what the first had offered."""
    has_accepted = False
    for _ in range(200):
        found = world.campaigns.campaign(CampaignId.parse(CAMPAIGN))
        if found is not None and found.state is State.AWAITING_APPROVAL and not has_accepted:
            has_accepted = True
            ports = AcceptPorts(world.ledger, world.stores, world.campaigns, world.offers)
            for line in _ACCEPTED:
                accept_offer(line.account, INCIDENT, ports, "support", world.now)
        if any(_is_ours(message.body) for message in world.chunk_messages):
            return
        world.run(world.steps()[0])
    raise AssertionError("the campaign never came to apply")


def _is_ours(message: Any) -> bool:
    return (message.campaign, message.work) == (CampaignId.parse(CAMPAIGN), Pass.APPLY)


def _killed_after_third_write() -> Callable[[int, str], Fault | None]:
    writes = iter(range(1_000))

    def choose(_: int, name: str) -> Fault | None:
        return Fault.KILLED_AFTER if name == "ledger.insert_with_history" and next(writes) == 2 else None

    return choose


def lines_by(became: str) -> Iterator[Line]:
    """The lines that came to a write result, in the order of the list."""
    return (line for line in LINES if line.became == became)
