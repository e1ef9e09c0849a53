"""Decisions by hand over both tables: each is one transaction, and stands on the decision's own item.

| table | pk | sk | content |
|---|---|---|---|
| CreditsTable | `ACCOUNT#<account>` | the decision | `by_hand`: who decided what, when, for which reason |
| | | `PROPOSED#<incident>#<subject>#<n>` | a decision that waits for a second person, or did |
| | `PROPOSED#<hash>` | `CASE` | whose it is |
| | `ADDITIONS#<incident>#<n>#ROWS` | `<byte>` | whose a rejected row is, that a person recognised |
| CampaignsTable | `OPEN` | `CASE#<hash>` | that it waits |
| | `CAMPAIGN#<incident>#<n>` | `BYHAND` | what of the campaign was decided by hand |
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from kulanz.adapters.added_items import added_actions
from kulanz.adapters.aws import call, item_of, read_number
from kulanz.adapters.budget_items import draw_actions
from kulanz.adapters.campaign_keys import campaign_partition, incident_key, item_key
from kulanz.adapters.count_items import count_actions, count_key, read_count
from kulanz.adapters.halt_items import not_halted
from kulanz.adapters.index_items import OPEN_PARTITION, addition_item, additions_partition, audit_items
from kulanz.adapters.ledger_table import entry_item, history_put
from kulanz.adapters.receipt_actions import add_action, put_action
from kulanz.adapters.transactions import write_together
from kulanz.application.cases.store import DecidedByHand, HandStep, Proposal, Rejection
from kulanz.domain.audit import (
    AuditEntry,
    case_agreed_entry,
    case_asked_entry,
    case_rejected_entry,
    hand_decision_entry,
)
from kulanz.domain.byhand.counts import Count, CountOf
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import worth_by_measure
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.added import added_by
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.ledger.hand_decision import CaseKind, HandDecision
from kulanz.domain.money import Size
from kulanz.domain.time import format_instant

CASE_PREFIX = "CASE#"
_NUMBER, _SUM = "n|", "sum|"
_OFFSET_DIGITS = 20

type Item = dict[str, Any]


class DynamoCases:
    """The store of decisions by hand."""

    def __init__(self, client: Any, credits_table: str, campaigns_table: str) -> None:
        self._client = client
        self._credits = credits_table
        self._campaigns = campaigns_table
        self._counted_in = {True: credits_table, False: campaigns_table}

    def decide(self, step: HandStep) -> None:
        key, hand, ttl = step.decided.key, step.hand, step.decided.ttl
        is_recognised = step.kind is CaseKind.REJECTED
        actions = [
            *(self._recognised(step) if is_recognised else [self._decision(step)]),
            self._incident_unmoved(step),
            not_halted(self._campaigns),
            self._counted(step),
            *self._done(step),
            *self._logged(_entries(step), ttl),
            *draw_actions(self._campaigns, step.draws),
            *(count_actions(self._counted_in, one, ttl) for one in step.counts),
        ]
        if step.grants:
            kind = AdditionKind.RECOGNISED if is_recognised else AdditionKind.DECIDED
            addition = addition_item(Addition(kind, key, hand.at, hand.person))
            actions.append(put_action(self._credits, addition | _kept(ttl)))
            actions += added_actions(self._campaigns, key.campaign, hand.at, added_by(step.held, step.decided))
        if step.history is not None:
            put = history_put(step.history, step.history.ttl(step.decided))
            actions.append({"Put": {"TableName": self._credits, **put}})
        write_together(self._client, actions)

    def _decision(self, step: HandStep) -> Item:
        item = entry_item(step.decided)
        told = (
            "SET #status = :status, effective_at = :effective_at, #ttl = :ttl, remaining = :remaining,"
            " by_hand = :by_hand"
        )
        values = {f":{name}": item[name] for name in ("status", "effective_at", "ttl", "remaining", "by_hand")}
        if "expires_at" in item:
            told, values = f"{told}, expires_at = :expires_at", values | {":expires_at": item["expires_at"]}
        return {
            "Update": {
                "TableName": self._credits,
                "Key": {"pk": item["pk"], "sk": item["sk"]},
                "UpdateExpression": told,
                "ConditionExpression": "#status = :held AND attribute_not_exists(by_hand)",
                "ExpressionAttributeNames": {"#status": "status", "#ttl": "ttl"},
                "ExpressionAttributeValues": values | {":held": {"S": step.held.status.value}},
            }
        }

    def _recognised(self, step: HandStep) -> list[Item]:
        """The decision about a row that cannot be read: written once, for one account that has none of the campaign."""
        row, key = step.hand.row, step.decided.key
        assert row is not None, "a rejected row is named"
        decision = put_action(self._credits, entry_item(step.decided))
        whose = row_key(key.campaign, row.offset) | _kept(step.decided.ttl) | {"of": {"M": _decision_key(key)}}
        marker = put_action(self._credits, whose)
        for one in (decision, marker):
            one["Put"]["ConditionExpression"] = "attribute_not_exists(pk)"
        return [decision, marker]

    def _incident_unmoved(self, step: HandStep) -> Item:
        return {
            "ConditionCheck": {
                "TableName": self._campaigns,
                "Key": incident_key(step.incident.incident_id),
                "ConditionExpression": "version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(step.incident.version)}},
            }
        }

    def _counted(self, step: HandStep) -> Item:
        """What was decided of the campaign, for its reconciliation."""
        was, became = step.kind, step.hand.decision.outcome
        added: dict[str, Size] = {f"{_NUMBER}{was.value}|{became.value}": 1}
        for measure, size in worth_by_measure(step.hand.decision).items():
            added[f"{_SUM}{measure}"] = size
        return add_action(self._campaigns, _counted_key(step.decided.key.campaign), added)

    def _done(self, step: HandStep) -> list[Item]:
        """Nothing of the case waits any more, and what waited is what was read."""
        if step.waiting is not None:
            return self._closed(step.waiting)
        key = {"TableName": self._credits, "Key": _proposal_key(step.decided.key)}
        return [{"ConditionCheck": key | _nothing_waits()}]

    def _closed(self, proposal: Proposal, rejection: Rejection | None = None) -> list[Item]:
        """A proposal waits no more, on the condition that it does. Its item keeps who rejected it."""
        condition = _is_waiting(proposal)
        said, values = "", dict[str, Item]({":no": {"BOOL": False}})
        if rejection is not None:
            said = ", rejected_by = :by, rejected_as = :as, rejected_for = :for"
            names = rejection.person, rejection.action_id, rejection.reason
            values |= {f":{name}": {"S": value} for name, value in zip(("by", "as", "for"), names, strict=True)}
        update = {
            "TableName": self._credits,
            "Key": _proposal_key(proposal.key),
            "UpdateExpression": f"SET waits = :no{said}",
            "ConditionExpression": condition["ConditionExpression"],
            "ExpressionAttributeNames": condition["ExpressionAttributeNames"],
            "ExpressionAttributeValues": condition["ExpressionAttributeValues"] | values,
        }
        return [{"Update": update}, {"Delete": {"TableName": self._campaigns, "Key": _open_key(proposal)}}]

    def propose(self, proposal: Proposal, instead_of: Proposal | None) -> None:
        item = _proposal_key(proposal.key) | _kept(proposal.ttl) | {
            "hash": {"S": proposal.hash},
            "seen": {"S": proposal.seen},
            "by_hand": {"S": proposal.hand.to_text()},
            "waits": {"BOOL": True},
        }  # fmt: skip
        put = put_action(self._credits, item)
        put["Put"] |= _nothing_waits() if instead_of is None else _is_waiting(instead_of)
        place = _proposal_key(proposal.key)
        owner = _owner_key(proposal.hash) | _kept(proposal.ttl) | {"of": {"M": place}}
        actions = [
            put,
            put_action(self._credits, owner),
            put_action(self._campaigns, _open_key(proposal) | {"since": {"S": format_instant(proposal.hand.at)}}),
            not_halted(self._campaigns),
            *self._logged([case_asked_entry(proposal.key, proposal.hand)], proposal.ttl),
        ]
        if instead_of is not None:
            actions.append({"Delete": {"TableName": self._campaigns, "Key": _open_key(instead_of)}})
        write_together(self._client, actions)

    def proposal(self, key: DecisionKey) -> Proposal | None:
        return self._waiting(_proposal_key(key))

    def _waiting(self, key: Item) -> Proposal | None:
        found = item_of(self._client, self._credits, key)
        return _read_proposal(found) if found is not None and found["waits"]["BOOL"] else None

    def reject(self, proposal: Proposal, rejection: Rejection, at: datetime) -> None:
        entry = case_rejected_entry(proposal.key, rejection.person, at, rejection.reason, rejection.action_id)
        write_together(self._client, [*self._closed(proposal, rejection), *self._logged([entry], proposal.ttl)])

    def rejection(self, key: DecisionKey) -> Rejection | None:
        found = item_of(self._client, self._credits, _proposal_key(key))
        if found is None or "rejected_by" not in found:
            return None
        said = (found[name]["S"] for name in ("hash", "rejected_by", "rejected_as", "rejected_for"))
        return Rejection(*said)

    def proposals(self, after: str, most: int) -> tuple[Sequence[Proposal], str]:
        begin = {"ExclusiveStartKey": item_key(OPEN_PARTITION, f"{CASE_PREFIX}{after}")} if after else {}
        answer = call(
            "Query",
            self._client.query,
            TableName=self._campaigns,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND begins_with(sk, :prefix)",
            ExpressionAttributeValues={":pk": {"S": OPEN_PARTITION}, ":prefix": {"S": CASE_PREFIX}},
            Limit=most,
            **begin,
        )
        hashes = [item["sk"]["S"].removeprefix(CASE_PREFIX) for item in answer["Items"]]
        owners = (item_of(self._client, self._credits, _owner_key(one)) for one in hashes)
        found = (self._waiting(owner["of"]["M"]) for owner in owners if owner is not None)
        last = answer.get("LastEvaluatedKey")
        rest = "" if last is None else last["sk"]["S"].removeprefix(CASE_PREFIX)
        return [one for one in found if one is not None], rest

    def counts(self, of: Sequence[CountOf]) -> tuple[Count, ...]:
        return tuple(
            read_count(one, item_of(self._client, self._counted_in[bool(one.account)], count_key(one))) for one in of
        )

    def decided(self, campaign_id: CampaignId) -> DecidedByHand:
        found = item_of(self._client, self._campaigns, _counted_key(campaign_id))
        counts, granted = dict[tuple[CaseKind, Outcome], int](), dict[str, Size]()
        for name, value in ({} if found is None else found).items():
            if name.startswith(_NUMBER):
                was, became = name.removeprefix(_NUMBER).split("|")
                counts[CaseKind(was), Outcome(became)] = int(value["N"])
            elif name.startswith(_SUM):
                granted[name.removeprefix(_SUM)] = read_number(value["N"])
        return DecidedByHand(counts, granted)

    def recognised(self, campaign_id: CampaignId, start: int, stop: int) -> Mapping[int, DecisionKey]:
        first, last = row_key(campaign_id, start), row_key(campaign_id, stop - 1)
        begin: Item = {}
        found: dict[int, DecisionKey] = {}
        while True:
            answer = call(
                "Query",
                self._client.query,
                TableName=self._credits,
                ConsistentRead=True,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={":pk": first["pk"], ":first": first["sk"], ":last": last["sk"]},
                **begin,
            )
            for item in answer["Items"]:
                of = item["of"]["M"]
                found[int(item["sk"]["S"])] = DecisionKey.parse(of["pk"]["S"], of["sk"]["S"])
            if "LastEvaluatedKey" not in answer:
                return found
            begin = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def _logged(self, entries: Sequence[AuditEntry], ttl: int) -> list[Item]:
        return [put_action(self._credits, item | _kept(ttl)) for entry in entries for item in audit_items(entry)]


def _entries(step: HandStep) -> list[AuditEntry]:
    """Who decided; and who agreed, where that needed a second person."""
    key, hand = step.decided.key, step.hand
    if not hand.second:
        return [hand_decision_entry(key, hand)]
    return [hand_decision_entry(key, hand), case_agreed_entry(key, hand.second, hand.at, hand.second_id)]


def _kept(ttl: int) -> Item:
    return {"ttl": {"N": str(ttl)}}


def _counted_key(campaign_id: CampaignId) -> Item:
    return item_key(campaign_partition(campaign_id), "BYHAND")


def row_key(campaign_id: CampaignId, offset: int) -> Item:
    """The key of what says whose a rejected row is."""
    return item_key(f"{additions_partition(campaign_id)}#ROWS", f"{offset:0{_OFFSET_DIGITS}d}")


def _decision_key(key: DecisionKey) -> Item:
    return item_key(key.partition, key.place)


def _proposal_key(key: DecisionKey) -> Item:
    return item_key(key.partition, f"PROPOSED#{key.incident_id}#{key.subject}#{key.seq:03d}")


def _owner_key(hash_: str) -> Item:
    return item_key(f"PROPOSED#{hash_}", "CASE")


def _open_key(proposal: Proposal) -> Item:
    return item_key(OPEN_PARTITION, f"{CASE_PREFIX}{proposal.hash}")


def _nothing_waits() -> Item:
    """The condition that nothing waits for a second person about a case."""
    return {
        "ConditionExpression": "attribute_not_exists(pk) OR waits = :waits_not",
        "ExpressionAttributeValues": {":waits_not": {"BOOL": False}},
    }


def _is_waiting(proposal: Proposal) -> Item:
    """The condition that a very proposal waits."""
    return {
        "ConditionExpression": "#hash = :hash AND waits = :waits",
        "ExpressionAttributeNames": {"#hash": "hash"},
        "ExpressionAttributeValues": {":hash": {"S": proposal.hash}, ":waits": {"BOOL": True}},
    }


def _read_proposal(item: Item) -> Proposal:
    _, incident_id, subject, seq = item["sk"]["S"].split("#")
    account_id = item["pk"]["S"].partition("#")[2]
    hand = HandDecision.from_text(item["by_hand"]["S"])
    return Proposal(
        DecisionKey(account_id, incident_id, subject, int(seq)), hand, item["seen"]["S"], int(item["ttl"]["N"])
    )
