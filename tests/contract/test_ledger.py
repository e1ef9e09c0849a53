"""The contract of Ledger: insert if absent, nothing overwritten, and what stands there is told."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from kulanz.domain.decision import Outcome
from kulanz.domain.ledger.entries import DecisionKey, Entry
from tests.contract.backends import Backend
from tests.support.values import INCIDENT, NOW, entry

EVERY_KIND = [
    entry("money"),
    entry("declined", status=Outcome.DECLINED, remaining=()),
    entry("units", remaining=(Decimal("0.25"),), expires_at=NOW + timedelta(days=7)),
    entry("both", remaining=(10**9, 20)),
    entry("unlimited", remaining=(None, 500)),
    entry("text", body='{"text":"Größe 😀 \\" \'?"}'),
    entry("a.b_c:d~e-f"),
]


def test_new_entries_are_written_and_read_as_they_were(backend: Backend) -> None:
    assert backend.ledger.insert(EVERY_KIND) == [None] * len(EVERY_KIND)

    for written in EVERY_KIND:
        assert backend.ledger.of_account(written.key.account_id) == [written]


def test_nothing_inserted_is_nothing_found(backend: Backend) -> None:
    assert backend.ledger.insert([]) == []


def test_what_stands_there_is_told_and_stays(backend: Backend) -> None:
    first = entry("a", body='{"facts":1}', origin=50)
    backend.ledger.insert([first])

    second = entry("a", body='{"facts":2}', origin=900, effective_at=NOW + timedelta(hours=1))
    other = entry("b")
    assert backend.ledger.insert([second, other]) == [first, None]

    assert backend.ledger.of_account("a") == [first]
    assert backend.ledger.of_account("b") == [other]


def test_a_repeated_insert_finds_its_own_entries(backend: Backend) -> None:
    backend.ledger.insert(EVERY_KIND)

    assert backend.ledger.insert(EVERY_KIND) == EVERY_KIND
    assert backend.ledger.insert(list(reversed(EVERY_KIND))) == list(reversed(EVERY_KIND))


def test_many_entries_are_each_answered_in_their_place(backend: Backend) -> None:
    entries = [entry(f"many-{number:03d}", origin=number) for number in range(130)]
    standing = entries[::3]
    backend.ledger.insert(standing)

    found = backend.ledger.insert(entries)

    assert found == [known if known in standing else None for known in entries]
    assert backend.ledger.insert(entries) == entries


def test_two_entries_of_one_insert_may_not_have_the_same_key(backend: Backend) -> None:
    with pytest.raises(ValueError, match="key"):
        backend.ledger.insert([entry("a"), entry("a", origin=60)])
    assert backend.ledger.of_account("a") == []


def _at(incident: str, unit: str = "-", seq: int = 1) -> Entry:
    return replace(entry("a"), key=DecisionKey("a", incident, unit, seq))


def test_an_account_is_asked_about_one_incident_or_all(backend: Backend) -> None:
    mine = [_at(INCIDENT), _at(INCIDENT, "line-1"), _at(INCIDENT, "line-1", 2)]
    others = [_at("net"), _at(f"{INCIDENT}-2")]
    backend.ledger.insert([*others, *mine, entry("aa"), entry("b")])

    assert backend.ledger.of_account("a", INCIDENT) == mine
    assert backend.ledger.of_account("a", "net") == [_at("net")]
    assert backend.ledger.of_account("a", "net-o") == []
    assert {found.key for found in backend.ledger.of_account("a")} == {found.key for found in [*mine, *others]}
    assert backend.ledger.of_account("unlisted") == []


def test_the_entries_that_stand_are_found_by_their_keys(backend: Backend) -> None:
    entries = [entry(f"many-{number:03d}", origin=number) for number in range(110)]
    backend.ledger.insert(entries)
    absent = DecisionKey("absent", INCIDENT, "-", 1)

    found = backend.ledger.standing([absent, *(known.key for known in entries)])

    assert found == {known.key: known for known in entries}
    assert backend.ledger.standing([]) == {}


def test_the_longest_legal_names_fit(backend: Backend) -> None:
    longest = replace(entry("a"), key=DecisionKey("a" * 64, "i" * 64, "u" * 64, 999))

    assert backend.ledger.insert([longest]) == [None]
    assert backend.ledger.of_account("a" * 64, "i" * 64) == [longest]
