"""What persons do with single credits, and what voids ask back of many: transactions over both tables."""

from collections.abc import Sequence
from typing import Any

from kulanz.adapters.added_items import added_actions
from kulanz.adapters.answer_items import billed_key
from kulanz.adapters.credit_entries import entries_action
from kulanz.adapters.due_items import due_additions
from kulanz.adapters.halt_items import not_halted
from kulanz.adapters.index_items import addition_item
from kulanz.adapters.moved_items import moved_additions
from kulanz.adapters.receipt_actions import add_action, put_action
from kulanz.adapters.transactions import write_together
from kulanz.application.delivery.world import Asking, EntriesChange
from kulanz.application.ports import Outdated
from kulanz.domain.delivery.moved import Moves
from kulanz.domain.ledger.additions import Addition


class DynamoCreditActions:
    """Writes what persons do with single credits."""

    def __init__(self, client: Any, credits_table: str, campaigns_table: str) -> None:
        self._client = client
        self._credits, self._campaigns = credits_table, campaigns_table

    def write(self, change: EntriesChange, channel: str, moves: Moves, addition: Addition | None, ttl: int) -> None:
        campaign_id = change.key.campaign
        actions = [entries_action(self._credits, change), not_halted(self._campaigns)]
        if moved := moved_additions(moves, campaign_id, channel):
            actions.append(add_action(self._campaigns, billed_key(campaign_id, channel), moved))
        actions += [add_action(self._campaigns, key, additions) for key, additions in due_additions(moves.dues)]
        if addition is not None:
            actions.append(put_action(self._credits, addition_item(addition) | {"ttl": {"N": str(ttl)}}))
            actions += added_actions(self._campaigns, campaign_id, addition.at, {}, addition.channel)
        write_together(self._client, actions)


class DynamoReversals:
    """Writes what is asked back of decisions."""

    def __init__(self, client: Any, credits_table: str, campaigns_table: str) -> None:
        self._client = client
        self._credits, self._campaigns = credits_table, campaigns_table

    def ask(self, asked: Sequence[Asking]) -> bool:
        first = asked[0].addition
        actions = [not_halted(self._campaigns)]
        for one in asked:
            item = addition_item(one.addition) | {"ttl": {"N": str(one.ttl)}}
            actions += [entries_action(self._credits, one.change), put_action(self._credits, item)]
        earliest = min(one.addition.at for one in asked)
        campaign_id = first.key.campaign
        actions += added_actions(self._campaigns, campaign_id, earliest, {}, first.channel, len(asked))
        try:
            write_together(self._client, actions)
        except Outdated:
            return False
        return True
