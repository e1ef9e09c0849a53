"""Goodwill over both tables: each write is one transaction."""

from collections.abc import Sequence
from typing import Any

from kulanz.adapters import campaign_items, campaign_keys, gate_items, incident_items, receipt_items
from kulanz.adapters import goodwill_items as items
from kulanz.adapters import index_items as index
from kulanz.adapters.added_items import added_actions
from kulanz.adapters.aws import item_of, query
from kulanz.adapters.budget_items import draw_actions
from kulanz.adapters.count_items import account_partition, count_actions, count_key, read_count
from kulanz.adapters.halt_items import not_halted
from kulanz.adapters.ledger_table import entry_item
from kulanz.adapters.receipt_actions import NEW, move_cursor_action, put_action
from kulanz.adapters.transactions import write_together
from kulanz.application.byhand.goodwill_store import Giving, OpenedMonth
from kulanz.domain.audit import goodwill_entry, opening_entry
from kulanz.domain.byhand.counts import Count, CountOf, CountStep
from kulanz.domain.byhand.goodwill import Goodwill
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.delivery.added import added_whole
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.time import format_instant

type Item = dict[str, Any]


class DynamoGoodwill:
    """Goodwill in CreditsTable; what names no account in CampaignsTable."""

    def __init__(self, client: Any, credits_table: str, campaigns_table: str) -> None:
        self._client = client
        self._credits = credits_table
        self._campaigns = campaigns_table
        self._counted_in = {True: credits_table, False: campaigns_table}

    # What is read

    def goodwill(self, goodwill_id: str) -> Goodwill | None:
        owner = item_of(self._client, self._credits, items.owner_key(goodwill_id))
        if owner is None:
            return None
        found = item_of(self._client, self._credits, items.goodwill_key(owner["account"]["S"], goodwill_id))
        return None if found is None else items.read_goodwill(found)

    def of_account(self, account_id: str) -> list[Goodwill]:
        partition = account_partition(account_id)
        found = query(self._client.query, self._credits, partition, items.GOODWILL_PREFIX)
        return list(map(items.read_goodwill, found))

    def waiting(self) -> list[str]:
        found = query(self._client.query, self._campaigns, index.OPEN_PARTITION, items.GOODWILL_PREFIX)
        return [item["sk"]["S"].removeprefix(items.GOODWILL_PREFIX) for item in found]

    def counts(self, of: Sequence[CountOf]) -> tuple[Count, ...]:
        return tuple(
            read_count(one, item_of(self._client, self._counted_in[bool(one.account)], count_key(one))) for one in of
        )

    # What is written

    def open_month(self, month: OpenedMonth) -> None:
        campaign, put = month.campaign, self._put_campaign
        meta = campaign_items.meta_item(campaign)
        for receipt in month.receipts:
            meta |= {name: {"N": str(size)} for name, size in campaign_items.meta_additions(receipt).items()}
        new = [
            incident_items.incident_item(month.record),
            meta,
            campaign_items.frozen_item(campaign.id, month.frozen),
            campaign_items.log_item(campaign.id, month.change),
            gate_items.plan_item(month.plan),
            *map(receipt_items.receipt_item, month.receipts),
        ]
        listed = [
            index.open_item(campaign.id, campaign.state, month.change.at),
            *index.campaign_index_items(campaign),
            *index.audit_items(opening_entry(campaign, month.change)),
        ]
        cursors = [
            move_cursor_action(
                self._campaigns, campaign_keys.cursor_key(campaign.id, receipt.work, receipt.chunk), receipt
            )
            for receipt in month.receipts
        ]
        write_together(self._client, [*(put(item, NEW) for item in new), *map(put, listed), *cursors])

    def wait(self, asked: Goodwill, counts: Sequence[CountStep], keep_until: int) -> None:
        write_together(
            self._client,
            [
                *self._named(asked, keep_until),
                self._put_campaign(items.waiting_key(asked.id) | {"since": {"S": format_instant(asked.asked_at)}}),
                *(count_actions(self._counted_in, step, keep_until) for step in counts),
                not_halted(self._campaigns),
                *self._logged(asked, keep_until),
            ],
        )

    def give(self, giving: Giving) -> None:
        before, after, entry = giving.before, giving.after, giving.entry
        decision = put_action(self._credits, entry_item(entry), NEW)
        addition = index.addition_item(
            Addition(AdditionKind.GOODWILL, entry.key, entry.effective_at, after.decided_by or after.asked_by)
        )
        write_together(
            self._client,
            [
                decision,
                *(self._named(after, entry.ttl) if before is None else self._moved(before, after, entry.ttl)),
                *(count_actions(self._counted_in, step, entry.ttl) for step in giving.counts),
                put_action(self._credits, addition | {"ttl": {"N": str(entry.ttl)}}),
                *added_actions(self._campaigns, entry.key.campaign, entry.effective_at, added_whole(entry)),
                self._closed(entry.key.campaign),
                not_halted(self._campaigns),
                *draw_actions(self._campaigns, giving.draws),
                *self._logged(after, entry.ttl),
            ],
        )

    def reject(self, before: Goodwill, after: Goodwill) -> None:
        found = item_of(self._client, self._credits, items.goodwill_key(before.account_id, before.id))
        ttl = 0 if found is None else int(found["ttl"]["N"])
        write_together(self._client, [*self._moved(before, after, ttl), *self._logged(after, ttl)])

    def _named(self, one: Goodwill, ttl: int) -> list[Item]:
        """A record under an id that nobody has used."""
        owner = items.owner_key(one.id) | {"account": {"S": one.account_id}, "ttl": {"N": str(ttl)}}
        return [
            put_action(self._credits, owner, NEW),
            put_action(self._credits, items.goodwill_item(one, ttl), NEW),
        ]

    def _moved(self, before: Goodwill, after: Goodwill, ttl: int) -> list[Item]:
        """A record that waited, and waits no more; its id is kept as long as it is."""
        record = put_action(self._credits, items.goodwill_item(after, ttl))
        record["Put"] |= {
            "ConditionExpression": "version = :before",
            "ExpressionAttributeValues": {":before": {"N": str(before.version)}},
        }
        owner = items.owner_key(after.id) | {"account": {"S": after.account_id}, "ttl": {"N": str(ttl)}}
        done = {"Delete": {"TableName": self._campaigns, "Key": items.waiting_key(after.id)}}
        return [record, put_action(self._credits, owner), done]

    def _logged(self, one: Goodwill, ttl: int) -> list[Item]:
        kept = {"ttl": {"N": str(ttl)}}
        return [put_action(self._credits, item | kept) for item in index.audit_items(goodwill_entry(one))]

    def _closed(self, campaign_id: CampaignId) -> Item:
        """The month's campaign is neither flagged nor ended otherwise."""
        return {
            "ConditionCheck": {
                "TableName": self._campaigns,
                "Key": campaign_keys.meta_key(campaign_id),
                "ConditionExpression": "#state = :closed",
                "ExpressionAttributeNames": {"#state": "state"},
                "ExpressionAttributeValues": {":closed": {"S": State.CLOSED.value}},
            }
        }

    def _put_campaign(self, item: Item, condition: str = "") -> Item:
        return put_action(self._campaigns, item, condition)
