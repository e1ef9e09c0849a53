"""How fast this machine is, so that goals in processor time mean the same on every one.

The reference is work of the kinds that a worker does, in the standard library alone: no change of Kulanz makes it
faster or slower. A goal in microseconds was set on one machine; on another it is multiplied by how much longer the
reference takes there.
"""

import json
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import cache
from hashlib import blake2b
from time import process_time

GOALS_SET_AT_SECONDS = 0.0237
"""What the reference took on the machine of 2026-11-26, on which the goals in processor time were set.

Found on 2026-11-30 with the code of that day (067adf7): a decision of att-2024-02 had taken 6.9 µs and now took 9.14,
while the reference took 31.5 ms. The other policies slowed down by more (1.39 to 1.67): this is the strict choice."""
ROWS = 4_000
RUNS = 15


@cache
def slowness() -> float:
    """How many times as long as on the goals' machine processor work takes here; above 1 is slower, never below 1."""
    return max(1.0, min(_reference_seconds() for _ in range(RUNS)) / GOALS_SET_AT_SECONDS)


def allowed(seconds: float) -> float:
    """What a goal in seconds of processor time comes to on this machine."""
    return seconds * slowness()


def _reference_seconds() -> float:
    """Processor time of parsing, counting, rounding, writing and hashing rows."""
    lines = [f"acct-{number:09d},consumer,{number % 900}.{number % 100:02d},true,de" for number in range(ROWS)]
    started = process_time()
    sums: dict[tuple[str, str], int] = {}
    digest = 0
    for line in lines:
        account, segment, amount, affected, locale = line.split(",")
        minor = int((Decimal(amount) * 100).to_integral_value(ROUND_HALF_UP))
        share = int(Fraction(minor * 7, 30))
        row = {"account": account, "segment": segment, "minor": share, "affected": affected == "true", "l": locale}
        body = json.dumps(row, separators=(",", ":"), sort_keys=True)
        digest ^= int.from_bytes(blake2b(body.encode(), digest_size=16).digest())
        key = segment, locale
        sums[key] = sums.get(key, 0) + share
    assert sums
    assert digest
    return process_time() - started
