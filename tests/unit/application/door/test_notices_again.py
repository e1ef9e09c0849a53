"""Notices that are published again: of which decisions, what is read about them, and where the next call goes on."""

from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any

from kulanz.application.delivery.world import Booked
from kulanz.application.door import repairs as module
from kulanz.domain.ledger.hand_decision import HandDecision
from tests.support.distinct import distinct
from tests.support.values import entry

HAND = replace(distinct(HandDecision), row=None)


def test_of_each_decision_of_which_something_was_taken_back_its_credits_are_read_whoever_decided_it() -> None:
    """Or a customer is told again of what was granted, and not of what was taken back of it."""
    page = [
        entry(f"a-{number}", voided=voided, by_hand=by_hand)
        for number, (voided, by_hand) in enumerate(product([(), ((0, 1),), ((0, 500),)], [None, HAND]))
    ]
    known = {one.key: Booked(one, (), notice_locale=one.key.account_id) for one in page[1:]}
    asked = list[Any]()

    def booked(keys: list[Any]) -> Any:
        asked.extend(keys)
        return {key: known[key] for key in keys if key in known}

    door: Any = SimpleNamespace(credits=SimpleNamespace(booked=booked))
    found = module._booked(page, door)
    assert asked == [one.key for one in page if one.voided] == [one.key for one in page[2:]]
    assert found == [Booked(page[0], ()), Booked(page[1], ()), *(known[one.key] for one in page[2:])]
    gone = replace(page[2], key=replace(page[2].key, subject="gone"))
    assert module._booked([gone], door) == [Booked(gone, ())], "what was granted is told, where nothing else is there"
