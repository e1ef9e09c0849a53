"""Every call that any function makes, killed before it, killed after it, lost on its way there or back, or half done.

The campaign's list has every kind of row. Whatever happens to one call, after redelivery the ledger, the books, the
receipts, the notices and the incident are those of the run in which nothing happened.
"""

from collections.abc import Callable, Iterator

import pytest

from kulanz.domain.campaign import State
from tests.support.compiled_once import policies_compiled_once
from tests.support.end_state import EndState, check_sound, end_state
from tests.support.faults import HALVABLE, Fault, Tap, fault_at
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_LINE, ROWS, event, small_world
from tests.support.world import World

FEWEST_CALLS = 100
"""A clean run of fewer calls than this is not the campaign that these tests are about."""


def _run(tap: Tap) -> World:
    world = small_world(tap=tap)
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    return world


@pytest.fixture(scope="module", autouse=True)
def _policies_compiled_once() -> Iterator[None]:
    with policies_compiled_once():
        yield


@pytest.fixture(scope="module")
def clean() -> World:
    return _run(Tap())


def test_the_clean_run_closes_with_every_kind_of_row(clean: World) -> None:
    campaign = clean.campaign(CAMPAIGN)
    classes = {str(row_class) for row_class, _ in campaign.apply.totals.classes()}
    reasons = {reason for _, reason in campaign.apply.totals.classes()}
    fates = {str(key.fate) for key in campaign.apply.totals.counts}

    assert campaign.state is State.CLOSED
    assert campaign.apply.totals.lines == len(EVERY_KIND_OF_LINE)
    assert classes == {"granted", "declined", "held", "referred", "rejected", "blank"}
    assert fates == {"written", "duplicate", "conflict", "none"}
    assert reasons >= {
        "account_id_missing", "account_id_invalid", "not_utf8", "nul_character", "fact_invalid", "field_count",
        "csv_malformed", "line_too_long",
    }  # fmt: skip
    assert len(campaign.chunks) >= 5
    assert len(clean.tap.calls) >= FEWEST_CALLS
    assert clean.caught == []
    check_sound(clean)


@pytest.mark.parametrize("fault", list(Fault))
def test_the_end_is_the_clean_runs_wherever_a_fault_strikes(
    fault: Fault, clean: World, record_property: Callable[[str, object], None]
) -> None:
    expected = end_state(clean)
    points = [number for number, name in enumerate(clean.tap.calls) if fault is not Fault.HALF_DONE or name in HALVABLE]
    wrong = {}
    for number in points:
        difference = _difference(expected, _run(Tap(fault_at(number, fault))))
        if difference:
            wrong[f"{number} {clean.tap.calls[number]}"] = difference

    record_property("crash points", f"{len(points)} calls {fault}")
    assert wrong == {}


def _difference(expected: EndState, world: World) -> str:
    """How a world's end differs from the expected one; empty when it does not."""
    assert len(world.caught) == 1, "the fault did not strike, or struck more than once"
    if world.dead_letters:
        return "a message went to the dead letters"
    try:
        check_sound(world)
    except AssertionError as error:
        return str(error)
    found = end_state(world)
    return ", ".join(name for name, value in vars(expected).items() if getattr(found, name) != value)
