"""The contract of a ledger for accounts that changed: a decision and what stands under its other ids, in one step."""

from dataclasses import replace

from kulanz.domain.ledger.entries import Entry, EntryWithFormer, HistoryChange, HistoryMoved
from kulanz.domain.ledger.former_accounts import other_id, under_other_id, with_former
from kulanz.domain.lists.former_ids import Former
from kulanz.domain.policy.deciding.history import Addition, HistoryKey, SubjectHistory
from tests.contract.backends import Backend
from tests.support.values import NOW, campaign, entry

NEW, OLD = "new", "old"


def changed(account: str = NEW, *others: str, origin: int = 50) -> EntryWithFormer:
    one = entry(account, origin=origin)
    one = replace(one, body=with_former(one.body, Former(OLD, NOW)))
    return EntryWithFormer(one, tuple(under_other_id(campaign(), one, other) for other in others or (OLD,)))


def stands(backend: Backend, account: str) -> list[Entry]:
    return backend.ledger.of_account(account)


def test_a_decision_takes_the_places_under_all_ids_of_its_account(backend: Backend) -> None:
    one = changed(NEW, OLD, "oldest")
    assert backend.ledger.insert_with_former([]) == []
    assert backend.ledger.insert_with_former([one]) == [None]
    assert stands(backend, NEW) == [one.entry]
    assert [stands(backend, account) for account in (OLD, "oldest")] == [[former] for former in one.former]
    assert [other_id(found.body) for account in (NEW, OLD, "oldest") for found in stands(backend, account)] == [
        OLD, NEW, NEW,
    ]  # fmt: skip


def test_a_repeated_write_finds_its_own_decision(backend: Backend) -> None:
    one = changed()
    backend.ledger.insert_with_former([one])
    assert backend.ledger.insert_with_former([one]) == [one.entry]


def test_where_another_id_was_decided_before_nothing_is_written_and_that_is_found(backend: Backend) -> None:
    backend.ledger.insert([entry(OLD, origin=7)])
    assert backend.ledger.insert_with_former([changed(), changed("third", "fourth")]) == [entry(OLD, origin=7), None]
    assert stands(backend, NEW) == []


def test_the_second_of_two_that_name_one_former_id_finds_the_first(backend: Backend) -> None:
    one, other = changed(), changed("third", origin=90)
    assert backend.ledger.insert_with_former([one, other]) == [None, one.former[0]]
    assert stands(backend, "third") == []


def test_histories_of_both_ids_must_be_those_that_were_read(backend: Backend) -> None:
    added = SubjectHistory().with_addition("net-outage", Addition(NOW, {"paid_2026": 500}), NOW)
    own, former = (HistoryKey(account, "fi-eml", "-") for account in (NEW, OLD))
    untouched = SubjectHistory(1, {})
    changes = HistoryChange(own, SubjectHistory(), added), HistoryChange(former, SubjectHistory(), untouched)
    assert backend.ledger.insert_with_former([replace(changed(), changes=changes)]) == [None]
    assert backend.ledger.histories([own, former]) == {own: added, former: untouched}

    third = replace(changed("third", "fourth"), changes=(changes[1],))
    assert backend.ledger.insert_with_former([third]) == [HistoryMoved.MOVED]
    assert stands(backend, "third") == stands(backend, "fourth") == []
