"""The contract of CreditLedger: a list of entries is written on what was read, each decision on its own."""

from dataclasses import replace

import pytest

from kulanz.application.delivery.world import EntriesChange
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.ledger.entries import DecisionKey, is_voided, net_worth
from tests.contract.backends import Backend
from tests.support.values import NOW, entry

ASSIGNED = (CreditEntry(EntryKind.ASSIGNED, NOW, "delivery", "billing/1", (0, 1), delivery="billing/1"),)
ACCEPTED = (*ASSIGNED, CreditEntry(EntryKind.ACCEPTED, NOW, "Größe 😀 \" '?", "a-1", (1,), delivery="billing/1"))
OTHER = (replace(ASSIGNED[0], id="billing/2", delivery="billing/2"),)


def first(key: DecisionKey) -> EntriesChange:
    return EntriesChange(key, (), ASSIGNED)


def test_a_decision_to_which_nothing_happened_has_no_entries(backend: Backend) -> None:
    a, gone = entry("a"), entry("gone")
    backend.ledger.insert([a])
    found = backend.credits.booked([a.key, gone.key])
    assert {key: (one.entry, one.entries) for key, one in found.items()} == {a.key: (a, ())}
    assert backend.credits.booked([]) == {}


def test_entries_are_read_as_they_were_written_and_the_decision_stays(backend: Backend) -> None:
    a = entry("a")
    backend.ledger.insert([a])
    assert backend.credits.write_entries([first(a.key)]) == [True]
    assert backend.credits.write_entries([EntriesChange(a.key, ASSIGNED, ACCEPTED)]) == [True]
    assert backend.credits.booked([a.key])[a.key].entries == ACCEPTED
    assert backend.ledger.of_account("a") == [a]
    assert backend.ledger.insert([a]) == [a]


@pytest.mark.parametrize("before", [(), OTHER, ACCEPTED])
def test_what_somebody_else_wrote_meanwhile_stays(backend: Backend, before: tuple[CreditEntry, ...]) -> None:
    a = entry("a")
    backend.ledger.insert([a])
    backend.credits.write_entries([first(a.key)])
    assert backend.credits.write_entries([EntriesChange(a.key, before, OTHER)]) == [False]
    assert backend.credits.booked([a.key])[a.key].entries == ASSIGNED


def test_nothing_is_written_of_what_is_not_there_or_not_granted(backend: Backend) -> None:
    declined, offered = entry("declined", status=Outcome.DECLINED), entry("offered", status=Outcome.OFFERED)
    gone = entry("gone")
    backend.ledger.insert([declined, offered])
    assert backend.credits.write_entries([first(one.key) for one in (declined, offered, gone)]) == [False] * 3
    assert [one.entries for one in backend.credits.booked([declined.key, offered.key, gone.key]).values()] == [(), ()]


def test_many_are_each_answered_in_their_place(backend: Backend) -> None:
    entries = [entry(f"many-{number:03d}", origin=number) for number in range(130)]
    backend.ledger.insert(entries)
    taken = entries[::3]
    backend.credits.write_entries([EntriesChange(one.key, (), OTHER) for one in taken])
    written = backend.credits.write_entries([first(one.key) for one in entries])
    assert written == [number % 3 != 0 for number in range(130)]
    found = backend.credits.booked([one.key for one in entries])
    assert [found[one.key].entries for one in entries] == [OTHER if n % 3 == 0 else ASSIGNED for n in range(130)]


def test_a_decision_is_named_once(backend: Backend) -> None:
    a = entry("a")
    with pytest.raises(ValueError, match="distinct"):
        backend.credits.write_entries([first(a.key), first(a.key)])


def test_whoever_reads_a_decision_reads_what_was_voided_of_it(backend: Backend) -> None:
    paid = '{"benefits":[{"money":[500,"EUR"]}],"outcome":"granted","reason":"credit"}'
    a, b = entry("a", body=paid), entry("b", body=paid, origin=1)
    backend.ledger.insert([a, b])
    void = CreditEntry(EntryKind.VOIDED, NOW, "anna", "void/1", (0,))
    assert backend.credits.write_entries([EntriesChange(a.key, (), (void,)), first(b.key)]) == [True, True]
    (found,) = backend.ledger.of_account("a")
    assert found.voided == ((0, 500),)
    assert (net_worth(a), net_worth(found)) == ({"EUR": 500}, {"EUR": 0})
    assert is_voided(found)
    assert backend.ledger.standing([a.key, b.key]) == {a.key: found, b.key: b}


def test_the_language_in_which_a_customer_is_told_stands_from_then_on(backend: Backend) -> None:
    a, b, c = entry("a"), entry("b", origin=1), entry("c", origin=2)
    backend.ledger.insert([a, b, c])
    changes = [EntriesChange(a.key, (), ASSIGNED, "de-AT"), EntriesChange(b.key, (), ASSIGNED)]
    assert backend.credits.write_entries(changes) == [True, True]
    later = [
        EntriesChange(a.key, ASSIGNED, ACCEPTED),
        EntriesChange(b.key, ASSIGNED, ACCEPTED, "en"),
        EntriesChange(c.key, ASSIGNED, ACCEPTED, "en"),
    ]
    assert backend.credits.write_entries(later) == [True, True, False]
    found = backend.credits.booked([a.key, b.key, c.key])
    assert {key: (one.entries, one.notice_locale) for key, one in found.items()} == {
        a.key: (ACCEPTED, "de-AT"),
        b.key: (ACCEPTED, "en"),
        c.key: ((), ""),
    }
    assert backend.ledger.of_account("a") == [a]
