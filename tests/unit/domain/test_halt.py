"""The halt: set by one, lifted by two persons, whatever the order of their actions."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.adapters.halt_items import halt_item, read_halt
from kulanz.domain.halt import NEVER_SET, Halt, HaltAction, HaltRefused, Verb, after
from kulanz.domain.people.people import NOBODY_LISTED
from kulanz.domain.people.reason import REASON_CHARACTERS

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
PERSONS = ("sso:anna", "sso:bert", "sso:carla")

ACTIONS = st.lists(st.tuples(st.sampled_from(list(Verb)), st.sampled_from(PERSONS)), max_size=12)


def action(verb: Verb, person: str, reason: str = "so", number: int = 1) -> HaltAction:
    return HaltAction(f"action-{number}", verb, person, reason, AT)


@given(ACTIONS, st.sampled_from([1, 2]))
def test_it_is_on_from_a_set_until_as_many_different_persons_as_needed_have_lifted_it(
    actions: list[tuple[Verb, str]], needed: int
) -> None:
    halt, is_on, lifted, times = NEVER_SET, False, set[str](), 0
    written = 0
    for number, (verb, person) in enumerate(actions):
        changes = not is_on if verb is Verb.SET else is_on and person not in lifted
        try:
            halt = after(halt, action(verb, person, number=number), NOBODY_LISTED, needed)
        except HaltRefused:
            assert not changes
            continue
        assert changes
        written += 1
        assert halt.version == written, "every write is conditional on the one before it"
        if verb is Verb.SET:
            is_on, lifted, times = True, set(), times + 1
        else:
            lifted.add(person)
            is_on = len(lifted) < needed
        assert (halt.is_on, halt.number) == (is_on, times)
        assert read_halt(halt_item(halt)) == halt


def test_whoever_set_it_may_be_one_of_those_who_lift_it() -> None:
    halt = after(NEVER_SET, action(Verb.SET, "sso:anna"), NOBODY_LISTED)
    halt = after(halt, action(Verb.LIFT, "sso:anna"), NOBODY_LISTED)
    assert halt.is_on
    assert not after(halt, action(Verb.LIFT, "sso:bert"), NOBODY_LISTED).is_on


@pytest.mark.parametrize("reason", ["", "two\nlines", "x" * (REASON_CHARACTERS + 1), "\x1b[31m"])
def test_a_reason_is_one_line(reason: str) -> None:
    with pytest.raises(HaltRefused, match="one line"):
        after(NEVER_SET, action(Verb.SET, "anna", reason), NOBODY_LISTED)


@pytest.mark.parametrize("characters", [1, REASON_CHARACTERS])
def test_the_shortest_and_the_longest_reason_are_taken(characters: int) -> None:
    assert after(NEVER_SET, action(Verb.SET, "anna", "x" * characters), NOBODY_LISTED).reason == "x" * characters


def test_the_same_request_is_known_whenever_it_comes() -> None:
    one = action(Verb.SET, "anna")
    assert one.is_same_request(replace(one, at=AT.replace(year=2027)))
    assert not one.is_same_request(replace(one, reason="another"))
    assert Halt().reason == ""
