"""The contract of a ledger that keeps histories: a decision and its unit's history are written in one step or not."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from kulanz.domain.ledger.entries import Entry, EntryWithHistory, HistoryChange, HistoryMoved
from kulanz.domain.policy.deciding.history import Addition, HistoryKey, HistoryValues, SubjectHistory
from kulanz.domain.time import microseconds_of
from tests.contract.backends import Backend
from tests.support.values import NOW, entry

NOTHING = SubjectHistory()
HOUR = 3_600_000_000
START = microseconds_of(NOW)


def key(account_id: str) -> HistoryKey:
    return HistoryKey(account_id, "fi-eml", "-")


def addition(minor: int = 500) -> Addition:
    outage = ((START, START + HOUR), (START + 2 * HOUR, START + 3 * HOUR))
    added: HistoryValues = {"paid_2026": minor, "late": Fraction(3, 2), "outages": outage}
    return Addition(NOW, added, {"unpaid": outage[:1]}, NOW + timedelta(days=30))


def kept(
    one: Entry, before: SubjectHistory = NOTHING, incident: str = "net-outage", minor: int = 500
) -> EntryWithHistory:
    after = before.with_addition(incident, addition(minor), NOW)
    return EntryWithHistory(one, HistoryChange(key(one.key.account_id), before, after))


def of(backend: Backend, account_id: str) -> SubjectHistory:
    return backend.ledger.histories([key(account_id)]).get(key(account_id), NOTHING)


def test_a_decision_and_its_history_are_written_together(backend: Backend) -> None:
    assert backend.ledger.insert_with_history([]) == []
    assert backend.ledger.histories([key("a")]) == {}

    one = kept(entry("a"))
    assert backend.ledger.insert_with_history([one]) == [None]

    assert backend.ledger.of_account("a") == [entry("a")]
    assert of(backend, "a") == one.change.after
    assert of(backend, "a").incidents["net-outage"] == addition()


def test_a_repeated_write_finds_its_own_decision_and_changes_nothing(backend: Backend) -> None:
    one = kept(entry("a"))
    backend.ledger.insert_with_history([one])

    assert backend.ledger.insert_with_history([one]) == [entry("a")]
    assert of(backend, "a") == one.change.after


def test_a_decision_that_stands_is_told_and_keeps_its_history(backend: Backend) -> None:
    backend.ledger.insert([entry("a", origin=50)])

    assert backend.ledger.insert_with_history([kept(entry("a", origin=900))]) == [entry("a", origin=50)]
    assert of(backend, "a") == NOTHING


def test_a_decision_over_a_history_that_moved_is_not_written(backend: Backend) -> None:
    first = kept(entry("a"), incident="first")
    other = replace(entry("a"), key=replace(entry("a").key, incident_id="other"))
    backend.ledger.insert_with_history([first])

    assert backend.ledger.insert_with_history([kept(other)]) == [HistoryMoved.MOVED]
    assert backend.ledger.of_account("a", "other") == []
    assert of(backend, "a") == first.change.after

    third = replace(other, key=replace(other.key, incident_id="third"))
    assert backend.ledger.insert_with_history([kept(third, replace(of(backend, "a"), version=2))]) == [
        HistoryMoved.MOVED
    ]
    assert backend.ledger.of_account("a", "third") == []

    again = kept(other, of(backend, "a"))
    assert backend.ledger.insert_with_history([again]) == [None]
    assert backend.ledger.insert_with_history([replace(again, entry=entry("a", origin=1))]) == [entry("a")]
    assert set(of(backend, "a").incidents) == {"first", "net-outage"}
    assert of(backend, "a").version == 2
    stale = kept(third, first.change.after)  # the first history, which has moved once since
    assert backend.ledger.insert_with_history([stale]) == [HistoryMoved.MOVED]
    assert set(of(backend, "a").incidents) == {"first", "net-outage"}


def test_each_of_many_is_answered_in_its_place_and_stands_alone(backend: Backend) -> None:
    entries = [entry(f"many-{number:03d}", origin=number) for number in range(60)]
    backend.ledger.insert(entries[::3])
    for one in entries[1::3]:
        meddled = replace(one, key=replace(one.key, incident_id="other"))
        backend.ledger.insert_with_history([kept(meddled, incident="other")])

    found = backend.ledger.insert_with_history([kept(one) for one in entries])

    assert found == [(one, HistoryMoved.MOVED, None)[number % 3] for number, one in enumerate(entries)]
    assert [bool(backend.ledger.of_account(one.key.account_id, "net-outage")) for one in entries] == [
        number % 3 != 1 for number in range(60)
    ]


def test_two_entries_of_one_write_may_not_have_the_same_key(backend: Backend) -> None:
    with pytest.raises(ValueError, match="key"):
        backend.ledger.insert_with_history([kept(entry("a")), kept(entry("a", origin=60))])


def test_units_and_policies_have_histories_of_their_own(backend: Backend) -> None:
    backend.ledger.insert_with_history([kept(entry("a"))])
    others = [HistoryKey("a", "se-ellag", "-"), HistoryKey("a", "fi-eml", "line-1"), HistoryKey("b", "fi-eml", "-")]

    assert backend.ledger.histories(others) == {}
    assert list(backend.ledger.histories([*others, key("a")])) == [key("a")]


def test_histories_of_many_units_are_read_at_once(backend: Backend) -> None:
    entries = [entry(f"many-{number:03d}", origin=number) for number in range(120)]
    backend.ledger.insert_with_history([kept(one, minor=number) for number, one in enumerate(entries, 1)])

    found = backend.ledger.histories([key(one.key.account_id) for one in entries])

    assert [found[key(one.key.account_id)].incidents["net-outage"].added["paid_2026"] for one in entries] == list(
        range(1, 121)
    )
