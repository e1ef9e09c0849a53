"""The control plane in CampaignsTable: incidents, campaigns and the log; workers have their part in `campaign_work`.

Every change is one conditional write or one transaction. A condition that failed may be our own earlier write whose
reply was lost, so each method looks at what stands there before it says that somebody else was first.
"""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from kulanz.adapters import budget_items, gate_items, halt_items, incident_items
from kulanz.adapters import campaign_items as items
from kulanz.adapters import campaign_keys as keys
from kulanz.adapters import index_items as index
from kulanz.adapters.aws import query
from kulanz.adapters.campaign_work import DynamoCampaignWork
from kulanz.adapters.receipt_actions import finished_of
from kulanz.application.ports import (
    NOTHING_MORE,
    AtTheGate,
    KeptRequest,
    Outdated,
    Start,
    must_begin_at_the_gate,
)
from kulanz.domain.audit import opening_entry, revision_entry
from kulanz.domain.budgets import Budget, Reservation
from kulanz.domain.campaigns.campaign import (
    ENDED,
    WAITING,
    Campaign,
    CampaignId,
    Frozen,
    Pass,
    State,
    StateChange,
)
from kulanz.domain.campaigns.same_outage import OutageCampaign
from kulanz.domain.campaigns.trouble import on_campaigns
from kulanz.domain.gate.approval import Action
from kulanz.domain.gate.filed_plan import FiledPlan
from kulanz.domain.gate.settings import Spent, SpentPlace
from kulanz.domain.halt import NEVER_SET, Halt, HaltAction
from kulanz.domain.incident_record import IncidentRecord, Revision

type Item = dict[str, Any]


class DynamoCampaigns(DynamoCampaignWork):
    """The campaign store."""

    # Incidents

    def incident(self, incident_id: str) -> IncidentRecord | None:
        found = self._get(keys.incident_key(incident_id))
        return None if found is None else incident_items.read_incident(found)

    def revisions(self, incident_id: str) -> list[Revision]:
        found = self._query(keys.incident_partition(incident_id), keys.REVISION_PREFIX)
        return sorted(map(incident_items.read_revision, found), key=lambda revision: revision.number)

    def revision(self, incident_id: str, number: int) -> Revision | None:
        found = self._get(keys.revision_key(incident_id, number))
        return None if found is None else incident_items.read_revision(found)

    def record_revision(self, before: IncidentRecord | None, after: IncidentRecord, revision: Revision) -> None:
        actions = [self._put_incident(before, after), self._put_new(incident_items.revision_item(revision))]
        if before is None:
            actions.append(self._put(index.incident_index_item(revision.incident_id, revision.recorded_at)))
        actions += map(self._put, index.audit_items(revision_entry(revision)))
        self._write_conditionally(actions)

    def open(
        self, before: IncidentRecord, after: IncidentRecord, campaign: Campaign, frozen: Frozen, change: StateChange
    ) -> None:
        self._write_conditionally(
            [
                self._put_incident(before, after),
                self._put_new(items.meta_item(campaign)),
                self._put_new(items.frozen_item(campaign.id, frozen)),
                self._put_new(items.log_item(campaign.id, change)),
                self._put_new(items.outage_item(campaign)),
                self._put(index.open_item(campaign.id, campaign.state, change.at)),
                *map(self._put, index.campaign_index_items(campaign)),
                *map(self._put, index.audit_items(opening_entry(campaign, change))),
            ]
        )

    def over_outage(self, outage: str) -> Iterator[OutageCampaign]:
        return map(items.read_outage, self._query(keys.outage_partition(outage), "CAMPAIGN#"))

    def _put_incident(self, before: IncidentRecord | None, after: IncidentRecord) -> Item:
        if before is None:
            return self._put_new(incident_items.incident_item(after))
        return {
            "Put": {
                "TableName": self._table,
                "Item": incident_items.incident_item(after),
                "ConditionExpression": "version = :before",
                "ExpressionAttributeValues": {":before": {"N": str(before.version)}},
            }
        }

    # Campaigns

    def campaigns_of(self, incident_id: str) -> list[Campaign]:
        record = self.incident(incident_id)
        if record is None:
            return []
        found = [self.campaign(CampaignId(incident_id, seq)) for seq in range(1, record.next_seq)]
        return [campaign for campaign in found if campaign is not None]

    def log(self, campaign_id: CampaignId) -> list[StateChange]:
        return [items.read_log(item) for item in self._query(keys.campaign_partition(campaign_id), keys.LOG_PREFIX)]

    def change_state(self, before: Campaign, change: StateChange, gate: AtTheGate = NOTHING_MORE) -> None:
        must_begin_at_the_gate(before, change, gate)
        actions = self._let_go(before.id, change.target)
        if gate.start is not None:
            actions = list(self._start(before.id, gate.start))
        elif change.target is State.APPLYING:
            actions = [self._record_in_incident(before.id, change.target)]
        if change.target is State.APPLYING:
            actions.append(halt_items.not_halted(self._table))
        if gate.plan is not None:
            actions.append(self._put_new(gate_items.plan_item(gate.plan)))
        if gate.action is not None:
            actions.append(self._put_new(gate_items.action_item(before.id, gate.action)))
        if gate.trouble is not None:
            actions.append(self._put(index.trouble_item(gate.trouble)))
        self._change_state(before, change, actions)

    def _start(self, campaign_id: CampaignId, start: Start) -> Iterator[Item]:
        """The execution begins only as long as no revision of its incident came since the record was read."""
        told = self._record_in_incident(campaign_id, State.APPLYING)
        told["Update"]["ConditionExpression"] += " AND version = :read"
        told["Update"]["ExpressionAttributeValues"][":read"] = {"N": str(start.incident.version)}
        yield told
        for spent in start.spent:
            before = {":before": {"N": str(spent.version - 1)}}
            is_first = spent.version == 1
            yield {
                "Put": {
                    "TableName": self._table,
                    "Item": gate_items.spent_item(spent),
                    "ConditionExpression": "attribute_not_exists(pk)" if is_first else "version = :before",
                    **({} if is_first else {"ExpressionAttributeValues": before}),
                }
            }
        if start.budgets is not None:
            yield from budget_items.step_actions(self._table, start.budgets)

    def filed_plan(self, campaign_id: CampaignId) -> FiledPlan | None:
        found = self._get(gate_items.plan_key(campaign_id))
        return None if found is None else gate_items.read_plan(found)

    def actions(self, campaign_id: CampaignId) -> list[Action]:
        found = self._query(keys.campaign_partition(campaign_id), gate_items.ACTION_PREFIX)
        return list(map(gate_items.read_action, found))

    def spent(self, place: SpentPlace) -> Spent:
        return gate_items.read_spent(place, self._get(gate_items.spent_key(place)))

    def budget(self, currency: str, month: str) -> Budget:
        found = self._get(budget_items.budget_key(currency, month))
        return Budget(currency, month) if found is None else budget_items.read_budget(found)

    def reservations(self, campaign_id: CampaignId) -> list[Reservation]:
        found = self._query(keys.campaign_partition(campaign_id), budget_items.RESERVATION_PREFIX)
        return list(map(budget_items.read_reservation, found))

    def waiting(self) -> list[CampaignId]:
        found = map(index.read_open, self._query(index.OPEN_PARTITION, index.OPEN_PREFIX))
        waiting = [str(one.id) for one in found if one.state in WAITING]
        troubles = map(index.read_trouble, self._query(index.OPEN_PARTITION, index.TROUBLE_PREFIX))
        return [CampaignId.parse(one) for one in dict.fromkeys((*waiting, *on_campaigns(troubles)))]

    def change_halt(self, before: Halt, after: Halt, action: HaltAction) -> None:
        put: Item = {"TableName": self._table, "Item": halt_items.halt_item(after)}
        if before == NEVER_SET:
            put["ConditionExpression"] = "attribute_not_exists(pk)"
        else:
            put["ConditionExpression"] = "version = :before"
            put["ExpressionAttributeValues"] = {":before": {"N": str(before.version)}}
        self._write_conditionally([{"Put": put}, self._put_new(halt_items.change_item(after, action))])

    def keep_request(self, request: KeptRequest) -> None:
        self._write_conditionally([self._put(incident_items.kept_item(request))])

    def kept_requests(self) -> Iterator[KeptRequest]:
        return map(incident_items.read_kept, self._query(keys.KEPT_PARTITION, keys.KEPT_PREFIX))

    def forget_request(self, request: KeptRequest) -> None:
        delete = {
            "TableName": self._table,
            "Key": incident_items.kept_key(request),
            "ConditionExpression": "attribute_not_exists(pk) OR opens_at = :opens_at",
            "ExpressionAttributeValues": {":opens_at": incident_items.kept_item(request)["opens_at"]},
        }
        with suppress(Outdated):  # kept anew
            self._write_conditionally([{"Delete": delete}])

    def mark_announced(self, campaign: Campaign, announced: str) -> None:
        if campaign.state not in ENDED:
            self._set(campaign.id, "announced", {"S": announced})
            return
        marked = {
            "TableName": self._table,
            "Key": keys.meta_key(campaign.id),
            "UpdateExpression": "SET announced = :announced ADD touched :one",
            "ConditionExpression": "log_count = :known",
            "ExpressionAttributeValues": {
                ":announced": {"S": announced},
                ":one": {"N": "1"},
                ":known": {"N": str(campaign.log_count)},
            },
        }
        ended = {"Delete": {"TableName": self._table, "Key": index.open_key(campaign.id)}}
        self._write("TransactWriteItems", self._client.transact_write_items, TransactItems=[{"Update": marked}, ended])

    def finished_chunks(self, campaign_id: CampaignId, work: Pass) -> set[int]:
        found = self._query(keys.campaign_partition(campaign_id), keys.cursor_prefix(work))
        return finished_of(found)

    def _query(self, partition: str, prefix: str) -> Iterator[Item]:
        return query(self._client.query, self._table, partition, prefix)
