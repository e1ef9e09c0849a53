"""What can happen to the incident of `test_the_law_in_any_order`, by which policy and limits, and how often."""

from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from kulanz.domain.delivery.channel import Channel, FileFormat
from tests.support.effort import EXAMPLES_PERCENT, examples
from tests.support.faults import HALVABLE, Fault
from tests.support.plain_ledger import ACCOUNTS

POLICY = """
kulanz: 1
id: net-credit
version: 1
title: The fee and minutes, at once or as an offer
zone: UTC
currency: EUR
facts:
  fee: money
  kind: [now, offer]
pay: fee
give:
  quantity: 20
  unit: call_minute
  valid: 7 days
mode:
  - automatic: kind = "now"
  - offer
"""
LETTERS = Channel("letters", format=FileFormat.JSONL)
"""Where finance may send what billing rejected."""
MEASURES = ("EUR", "call_minute")
type OneFault = tuple[int, Fault] | None
"""At which call what goes wrong, if anything."""
type Answer = tuple[int, int, str] | None
"""Before which call of a void the biller answers, about which credit, and what."""
FAULTS = st.none() | st.tuples(st.integers(0, 80), st.sampled_from(Fault))
FEES = st.integers(1, 9) | st.none()
"""A list may not know a fee; then a person may."""
NAMED = st.sampled_from(["as before", "as before", "renamed", "with the former id", "by the former id"])
ROWS = st.dictionaries(st.sampled_from(ACCOUNTS), st.tuples(FEES, st.sampled_from(["now", "offer"]), NAMED), min_size=1)
SINCE = "2026-02-28T00:00:00Z"
"""An account got its next id after the incident began, and before every list."""
ANSWERS = st.sampled_from(["accepted", "part", "applied", "rejected", "taken_back"])
BETWEEN = st.none() | st.tuples(st.integers(0, 60), st.integers(0, 99), ANSWERS)
ROOMY_BYTES = 900
"""A decision with fewer bytes of entries has room for an answer, and then for a reversal of each of its two credits:
where two channels have these they are asked one after the other, and for each that is asked 400 bytes are kept."""
AMPLE = {"decision": "1000.00", "person_month": "90000.00", "account_month": "90000.00"}
DISCRETION: Mapping[str, Any] = {
    "kulanz_discretion": 1,
    "version": 1,
    "zone": "UTC",
    "reasons": {"known_fact": {"title": "The fact is known"}, "long_wait": {"title": "The customer waited"}},
    "cases": {"EUR": {"alone": AMPLE}, "call_minute": {"alone": dict.fromkeys(AMPLE, "90000")}},
    "goodwill": {"EUR": {"alone": AMPLE}},
}
"""Limits that no run reaches: those are tested elsewhere."""


def fault_of(fault: OneFault, at: int, name: str) -> Fault | None:
    """What goes wrong at the call with a number and a name."""
    if fault is None or at != fault[0]:
        return None
    return Fault.REQUEST_LOST if fault[1] is Fault.HALF_DONE and name not in HALVABLE else fault[1]


RUNS, STEPS = 150, 60
RUNS_IN_A_HURRY, STEPS_IN_A_HURRY = 40, 40
"""An eighth of a second of CPU each, because all share their policies."""
QUARTER, WHOLE = 25, 100
"""Percent of the stated examples: what `make test` runs, and from where on each run draws new ones. Below it the same
commit comes to the same runs: a change is not refused for an order that nothing of it has to do with."""


def runs() -> settings:
    """How many runs of how many steps there are."""
    is_in_a_hurry = EXAMPLES_PERCENT <= QUARTER
    return settings(
        max_examples=RUNS_IN_A_HURRY if is_in_a_hurry else examples(RUNS),
        stateful_step_count=STEPS_IN_A_HURRY if is_in_a_hurry else STEPS,
        suppress_health_check=list(HealthCheck),
        derandomize=EXAMPLES_PERCENT < WHOLE,
    )
