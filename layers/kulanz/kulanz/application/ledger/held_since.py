"""Since when an id is the account's that has it now: what is older was decided about whoever had the id before."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from kulanz.application.ports import Ledger
from kulanz.domain.ledger.entries import Entry
from kulanz.domain.ledger.former_accounts import former_of, is_link, other_id


def held_since(entries: Iterable[Entry], ledger: Ledger) -> datetime | None:
    """The latest instant at which, by the decisions under an id, an account got it or gave it up; None for an id that
    no list says so of.

    A list says of an account which id it had and since when it has another one. So both ids changed hands at that
    instant: under the new one stand older decisions of whoever had that, and the old one may be anybody's since.
    """
    listed = list(entries)
    links = [replace(one.key, account_id=other_id(one.body)) for one in listed if is_link(one)]
    decided = [*listed, *(ledger.standing(links).values() if links else ())]
    return max((former.since for one in decided if (former := former_of(one.body)) is not None), default=None)
