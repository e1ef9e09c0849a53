"""The budgets in CampaignsTable: their list, their limits, and the reservations that can still change."""

from typing import Any

from kulanz.adapters import budget_items as items
from kulanz.adapters.aws import call, item_of, query
from kulanz.adapters.campaign_keys import campaign_of_partition
from kulanz.adapters.index_items import OPEN_PREFIX, audit_items
from kulanz.adapters.transactions import write_together
from kulanz.application.budgets.store import ReservedBy
from kulanz.application.ports import INDEXED_PER_PAGE, Page
from kulanz.domain.audit import budget_entry
from kulanz.domain.budgets import Budget, BudgetStep, Counted, LimitSet
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.gate.stated import Stated

type Item = dict[str, Any]


class DynamoBudgets:
    """The budget store."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def budgets_since(self, month: str, after: str = "", most: int = INDEXED_PER_PAGE) -> Page[Budget]:
        answer = call(
            "Query",
            self._client.query,
            TableName=self._table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": items.BUDGETS},
                ":first": {"S": f"{after}~" if after else month},
                ":last": {"S": items.BEHIND_EVERY_MONTH},
            },
            Limit=most + 1,
        )
        found: list[Item] = answer["Items"]
        last = found[most - 1]["sk"]["S"] if len(found) > most else ""
        return Page(tuple(map(items.read_budget, found[:most])), last)

    def limit_set(self, currency: str, month: str, setting_id: str) -> LimitSet | None:
        found = item_of(self._client, self._table, items.setting_key(currency, month, setting_id))
        return None if found is None else items.read_setting(found)

    def set_limit(self, setting: LimitSet) -> None:
        limited: Item = {
            "TableName": self._table,
            "Key": items.budget_key(setting.currency, setting.month),
            **items.limit_changed(setting.limit),
        }
        once = {
            "TableName": self._table,
            "Item": items.setting_item(setting),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        entries = [{"Put": {"TableName": self._table, "Item": item}} for item in audit_items(budget_entry(setting))]
        write_together(self._client, [{"Update": limited}, {"Put": once}, *entries])

    def reserved(self) -> list[ReservedBy]:
        found = query(self._client.query, self._table, items.RESERVED, OPEN_PREFIX)
        return [ReservedBy(_campaign_of(item), _counted(item)) for item in found]

    def note_counted(self, campaign_id: CampaignId, before: Counted | None, after: Counted) -> None:
        values = {":after": {"S": items.counted_text(after)}}
        condition = "attribute_exists(pk) AND attribute_not_exists(counted)"
        if before is not None:
            condition = "counted = :before"
            values[":before"] = {"S": items.counted_text(before)}
        noted = {
            "TableName": self._table,
            "Key": items.reserved_key(campaign_id),
            "UpdateExpression": "SET counted = :after",
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
        }
        write_together(self._client, [{"Update": noted}])

    def write(self, campaign_id: CampaignId, step: BudgetStep, *, is_done: bool) -> None:
        if actions := self._settling(campaign_id, step, is_done=is_done):
            write_together(self._client, actions)

    def _settling(self, campaign_id: CampaignId, step: BudgetStep, *, is_done: bool) -> list[items.Action]:
        actions = items.step_actions(self._table, step)
        if is_done:
            actions.append({"Delete": {"TableName": self._table, "Key": items.reserved_key(campaign_id)}})
        return actions

    def stated(self, campaign_id: CampaignId) -> Stated | None:
        found = item_of(self._client, self._table, items.stated_key(campaign_id))
        return None if found is None else items.read_stated(found)

    def state(self, campaign_id: CampaignId, before: Stated | None, after: Stated) -> None:
        write_together(self._client, [items.stated_action(self._table, campaign_id, before, after)])

    def settle_as_stated(
        self, campaign_id: CampaignId, step: BudgetStep, before: Stated | None, after: Stated, *, is_done: bool
    ) -> None:
        stated = items.stated_action(self._table, campaign_id, before, after)
        write_together(self._client, [stated, *self._settling(campaign_id, step, is_done=is_done)])


def _campaign_of(item: Item) -> CampaignId:
    found = campaign_of_partition(item["sk"]["S"])
    if found is None:
        raise ValueError("not a campaign of the reservations")
    return found


def _counted(item: Item) -> Counted | None:
    return items.read_counted(item["counted"]["S"]) if "counted" in item else None
