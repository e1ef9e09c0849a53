"""The control plane in CampaignsTable: incidents, campaigns, cursors, receipts and the log.

Every change is one conditional write or one transaction. A condition that failed may be our own earlier write whose
reply was lost, so each method looks at what stands there before it says that somebody else was first.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from kulanz.adapters import budget_items, gate_items, halt_items, incident_items, receipt_items
from kulanz.adapters import campaign_items as items
from kulanz.adapters import campaign_keys as keys
from kulanz.adapters import index_items as index
from kulanz.adapters.aws import call, item_of, query
from kulanz.adapters.receipt_actions import NEW, STANDING, add_action, finished_of, move_cursor_action, put_action
from kulanz.adapters.transactions import write_together, write_until_alone
from kulanz.application.ports import (
    NOTHING_MORE,
    AtTheGate,
    KeptRequest,
    Outdated,
    Refused,
    Start,
    must_begin_at_the_gate,
)
from kulanz.domain.audit import change_entry, opening_entry, revision_entry
from kulanz.domain.budgets import Budget, Reservation
from kulanz.domain.campaigns.campaign import (
    ENDED,
    WAITING,
    Campaign,
    CampaignId,
    Cursor,
    Frozen,
    Pass,
    Receipt,
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


class DynamoCampaigns:
    """The campaign store."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

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

    def campaign(self, campaign_id: CampaignId) -> Campaign | None:
        found = self._get(keys.meta_key(campaign_id))
        return None if found is None else items.read_meta(found)

    def state_of(self, campaign_id: CampaignId) -> State | None:
        answer = call(
            "GetItem",
            self._client.get_item,
            TableName=self._table,
            Key=keys.meta_key(campaign_id),
            ConsistentRead=True,
            ProjectionExpression="#state",
            ExpressionAttributeNames={"#state": "state"},
        )
        return State(answer["Item"]["state"]["S"]) if "Item" in answer else None

    def campaigns_of(self, incident_id: str) -> list[Campaign]:
        record = self.incident(incident_id)
        if record is None:
            return []
        found = [self.campaign(CampaignId(incident_id, seq)) for seq in range(1, record.next_seq)]
        return [campaign for campaign in found if campaign is not None]

    def frozen(self, campaign_id: CampaignId) -> Frozen:
        found = self._get(keys.frozen_key(campaign_id))
        if found is None:
            raise Refused("the campaign has no frozen policy")
        return items.read_frozen(found)

    def log(self, campaign_id: CampaignId) -> list[StateChange]:
        return [items.read_log(item) for item in self._query(keys.campaign_partition(campaign_id), keys.LOG_PREFIX)]

    def change_state(self, before: Campaign, change: StateChange, gate: AtTheGate = NOTHING_MORE) -> None:
        must_begin_at_the_gate(before, change, gate)
        actions = [
            {
                "Update": {
                    "TableName": self._table,
                    "Key": keys.meta_key(before.id),
                    "UpdateExpression": "SET #state = :target, state_reason = :reason, log_count = :number",
                    "ConditionExpression": "#state = :source AND log_count = :before",
                    "ExpressionAttributeNames": {"#state": "state"},
                    "ExpressionAttributeValues": {
                        ":target": {"S": change.target.value},
                        ":reason": {"S": change.reason},
                        ":number": {"N": str(change.number)},
                        ":source": {"S": before.state.value},
                        ":before": {"N": str(before.log_count)},
                    },
                }
            },
            self._put_new(items.log_item(before.id, change)),
        ]
        if gate.start is not None:
            actions += self._start(before.id, gate.start)
        elif change.target is State.APPLYING or (change.target in ENDED and self._occupies(before.id)):
            actions.append(self._record_in_incident(before.id, change.target))
        if change.target is State.APPLYING:
            actions.append(halt_items.not_halted(self._table))
        if gate.plan is not None:
            actions.append(self._put_new(gate_items.plan_item(gate.plan)))
        if gate.action is not None:
            actions.append(self._put_new(gate_items.action_item(before.id, gate.action)))
        if gate.trouble is not None:
            actions.append(self._put(index.trouble_item(gate.trouble)))
        actions.append(self._put(index.open_item(before.id, change.target, change.at)))
        actions += map(self._put, index.audit_items(change_entry(before.id, change)))
        try:
            self._write_conditionally(actions)
        except Outdated:
            standing = self._get(keys.log_key(before.id, change.number))
            if standing is None or items.read_log(standing) != change:
                raise

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

    def _occupies(self, campaign_id: CampaignId) -> bool:
        """Whether the incident waits for this campaign. One that was closed and then flagged has let it go for good."""
        record = self.incident(campaign_id.incident_id)
        return record is not None and record.open_seq == campaign_id.seq

    def _record_in_incident(self, campaign_id: CampaignId, target: State) -> Item:
        """The incident learns that the campaign may have granted, or that it is free again."""
        values: Item = {":seq": {"N": str(campaign_id.seq)}, ":one": {"N": "1"}}
        told = "REMOVE open_seq ADD version :one"
        if target is State.APPLYING:
            values[":applied"] = {"NS": [str(campaign_id.seq)]}
            told = "ADD version :one, applied :applied"
        return {
            "Update": {
                "TableName": self._table,
                "Key": keys.incident_key(campaign_id.incident_id),
                "UpdateExpression": told,
                "ConditionExpression": "open_seq = :seq",
                "ExpressionAttributeValues": values,
            }
        }

    def waiting(self) -> list[CampaignId]:
        found = map(index.read_open, self._query(index.OPEN_PARTITION, index.OPEN_PREFIX))
        waiting = [str(one.id) for one in found if one.state in WAITING]
        troubles = map(index.read_trouble, self._query(index.OPEN_PARTITION, index.TROUBLE_PREFIX))
        return [CampaignId.parse(one) for one in dict.fromkeys((*waiting, *on_campaigns(troubles)))]

    def halt(self) -> Halt:
        found = self._get(halt_items.halt_key())
        return NEVER_SET if found is None else halt_items.read_halt(found)

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

    def mark_dispatched(self, campaign: Campaign, work: Pass, sent: int) -> None:
        self._set(campaign.id, items.dispatched_name(work), items.dispatched_value(campaign, sent))

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

    def _set(self, campaign_id: CampaignId, name: str, value: Item) -> None:
        self._write(
            "UpdateItem",
            self._client.update_item,
            TableName=self._table,
            Key=keys.meta_key(campaign_id),
            # Without the counter a repetition would change nothing, and the stream would not tell of it.
            UpdateExpression="SET #name = :value ADD touched :one",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value, ":one": {"N": "1"}},
        )

    # Cursors and receipts

    def cursor(self, campaign_id: CampaignId, work: Pass, chunk: int) -> Cursor | None:
        found = self._get(keys.cursor_key(campaign_id, work, chunk))
        return None if found is None else receipt_items.read_cursor(found)

    def finished_chunks(self, campaign_id: CampaignId, work: Pass) -> set[int]:
        found = self._query(keys.campaign_partition(campaign_id), keys.cursor_prefix(work))
        return finished_of(found)

    def receipts(
        self, campaign_id: CampaignId, work: Pass, start: int = 0, stop: int | None = None
    ) -> Iterator[Receipt]:
        last = keys.LAST_OFFSET if stop is None else stop
        bounds = (keys.offset_text(start), keys.offset_text(last))
        place = keys.campaign_partition(campaign_id), keys.receipt_prefix(work)
        for item in query(self._client.query, self._table, *place, *bounds):
            yield receipt_items.read_receipt(campaign_id, item)

    def record_receipt(self, receipt: Receipt) -> bool:
        cursor_key = keys.cursor_key(receipt.campaign, receipt.work, receipt.chunk)
        try:
            self._write_conditionally(
                [
                    self._put_new(receipt_items.receipt_item(receipt)),
                    move_cursor_action(self._table, cursor_key, receipt),
                    add_action(self._table, keys.meta_key(receipt.campaign), items.meta_additions(receipt), STANDING),
                ]
            )
        except Outdated:
            standing = self._get(keys.receipt_key(receipt))
            return standing is not None and receipt_items.read_receipt(receipt.campaign, standing) == receipt
        return True

    # The calls

    def _put(self, item: Item) -> Item:
        """A write of what follows from the rest of its transaction, whose conditions are conditions of it, too."""
        return put_action(self._table, item)

    def _put_new(self, item: Item) -> Item:
        return put_action(self._table, item, NEW)

    def _get(self, key: Item) -> Item | None:
        return item_of(self._client, self._table, key)

    def _query(self, partition: str, prefix: str) -> Iterator[Item]:
        return query(self._client.query, self._table, partition, prefix)

    def _write_conditionally(self, actions: list[Item]) -> None:
        """One transaction. Raises Outdated when a condition failed, TryAgain when conflicts outlast the attempts."""
        write_together(self._client, actions)

    def _write(self, what: str, write: Callable[..., object], **arguments: Any) -> None:
        write_until_alone(what, write, **arguments)
