"""Acceptances over both tables: the offer becomes a grant that some budget pays.

Its incident has not moved, and the stack is not halted, or nothing is written.
"""

from typing import Any

from kulanz.adapters.added_items import added_actions
from kulanz.adapters.budget_items import draw_actions
from kulanz.adapters.campaign_keys import incident_key
from kulanz.adapters.halt_items import not_halted
from kulanz.adapters.index_items import addition_item, audit_items
from kulanz.adapters.ledger_table import entry_item, history_put
from kulanz.adapters.transactions import write_together
from kulanz.domain.audit import acceptance_entry
from kulanz.domain.budgets import Draw
from kulanz.domain.delivery.added import added_by
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import Entry, HistoryChange


class DynamoOffers:
    """Writes acceptances."""

    def __init__(self, client: Any, credits_table: str, campaigns_table: str) -> None:
        self._client = client
        self._credits_table = credits_table
        self._campaigns_table = campaigns_table

    def accept(
        self,
        offered: Entry,
        granted: Entry,
        incident: IncidentRecord,
        actor: str,
        kept: HistoryChange | None = None,
        draws: tuple[Draw, ...] = (),
    ) -> None:
        actions = [
            self._grant(offered, granted),
            self._incident_unmoved(incident),
            not_halted(self._campaigns_table),
            *self._listed(granted, actor),
            *added_actions(
                self._campaigns_table,
                granted.key.campaign,
                granted.accepted_at or granted.effective_at,
                added_by(offered, granted),
            ),
        ]
        if kept is not None:
            actions.append({"Put": {"TableName": self._credits_table, **history_put(kept, kept.ttl(granted))}})
        actions += draw_actions(self._campaigns_table, draws)
        write_together(self._client, actions)

    def _grant(self, offered: Entry, granted: Entry) -> dict[str, Any]:
        item = entry_item(granted)
        told = "SET #status = :status, effective_at = :effective_at, #ttl = :ttl, remaining = :remaining"
        values = {
            ":status": item["status"],
            ":offered": {"S": offered.status.value},
            ":effective_at": item["effective_at"],
            ":ttl": item["ttl"],
            ":remaining": item["remaining"],
        }
        if granted.accepted_at is not None:
            told += ", accepted_at = :accepted_at"
            values[":accepted_at"] = item["accepted_at"]
        if granted.expires_at is not None:
            told += ", expires_at = :expires_at"
            values[":expires_at"] = item["expires_at"]
        else:
            told += " REMOVE expires_at"
        return {
            "Update": {
                "TableName": self._credits_table,
                "Key": {"pk": item["pk"], "sk": item["sk"]},
                "UpdateExpression": told,
                "ConditionExpression": "#status = :offered AND attribute_not_exists(accepted_at)",
                "ExpressionAttributeNames": {"#status": "status", "#ttl": "ttl"},
                "ExpressionAttributeValues": values,
            }
        }

    def _listed(self, granted: Entry, actor: str) -> list[dict[str, Any]]:
        """The acceptance as an addition to its campaign, and in the audit log, for as long as the decision is kept."""
        at = granted.accepted_at or granted.effective_at
        listed = [
            addition_item(Addition(AdditionKind.ACCEPTED, granted.key, at, actor)),
            *audit_items(acceptance_entry(granted.key, at, actor)),
        ]
        kept = {"ttl": {"N": str(granted.ttl)}}
        return [{"Put": {"TableName": self._credits_table, "Item": item | kept}} for item in listed]

    def _incident_unmoved(self, incident: IncidentRecord) -> dict[str, Any]:
        return {
            "ConditionCheck": {
                "TableName": self._campaigns_table,
                "Key": incident_key(incident.incident_id),
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(incident.version)}},
            }
        }
