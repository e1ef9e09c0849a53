"""Confirms a stack's tables, on a person's word: that nothing was granted before, or that ledger and receipts agree."""

from datetime import datetime

from kulanz.application.ports import Stores
from kulanz.domain.confirmation import Confirmation, Occasion, missing


class NotConfirmed(Exception):
    """The tables cannot be confirmed so; the message says why and what to do."""


def confirm_tables(stores: Stores, occasion: Occasion, actor: str, reason: str, now: datetime) -> Confirmation:
    """Confirm the tables as they are. A repetition changes nothing. Raises NotConfirmed, Outdated.

    Whoever says that they were checked has run `check_ledger` over every campaign; whoever says that this is the first
    deployment says it of empty tables.
    """
    tables, before = stores.tables(), stores.confirmation()
    if before is not None and not missing(before, tables):
        return before
    if occasion is Occasion.FIRST and not stores.is_empty():
        raise NotConfirmed(
            "these tables hold campaigns or decisions, so this is not the first deployment; compare them with"
            " kulanz ledger check, then: kulanz ledger confirm --checked"
        )
    confirmation = Confirmation(tables, occasion, actor, reason, now)
    stores.confirm(confirmation, before)
    return confirmation
