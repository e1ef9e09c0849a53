"""Voids in CampaignsTable: each change is one conditional write or one transaction.

| pk | sk | content |
|---|---|---|
| `VOID#<incident>#<seq>#<id>` | `META` | what it is about, its state and approvals, the sums of its receipts |
| | `CURSOR#<pass>#<chunk>`, `RECEIPT#<pass>#<offset>#<chunk>` | how far a chunk has come; what a range came to |
| `CAMPAIGN#<incident>#<seq>` | `VOID#<id>` | the voids of a campaign |
| | `VOIDED` | what voids moved between the states of the campaign's credits |
| `OPEN` | `VOID#<incident>#<seq>#<id>` | the voids that have not ended |

A receipt adds in its own transaction to its void, to `VOIDED`, and to what is due (`DUES`).
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from kulanz.adapters.aws import item_of, query, read_number
from kulanz.adapters.budget_items import regain_actions
from kulanz.adapters.campaign_keys import META, campaign_partition, incident_key, item_key, offset_text
from kulanz.adapters.due_items import due_additions
from kulanz.adapters.incident_items import incident_item
from kulanz.adapters.index_items import OPEN_PARTITION
from kulanz.adapters.moved_items import moved_additions, moves_content, moves_of_content, read_moved
from kulanz.adapters.receipt_actions import NEW, STANDING, add_action, finished_of, move_cursor_action, put_action
from kulanz.adapters.receipt_items import read_cursor
from kulanz.adapters.transactions import write_together, write_until_alone
from kulanz.application.ports import Outdated
from kulanz.domain.budgets import Regained
from kulanz.domain.campaigns.campaign import CampaignId, Cursor, Pass, PinnedList
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.moved import MovedSums
from kulanz.domain.delivery.void import (
    Ends,
    Share,
    Void,
    VoidApproval,
    VoidProgress,
    VoidReceipt,
    VoidState,
    VoidTotals,
)
from kulanz.domain.incident_record import IncidentRecord
from kulanz.domain.money import Size
from kulanz.domain.time import format_instant, parse_instant

VOID_PREFIX = "VOID#"

type Item = dict[str, Any]


class DynamoVoids:
    """The void store."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def open(self, void: Void) -> None:
        partition = void_partition(void.id)
        actions = [
            put_action(self._table, _void_item(void), NEW),
            put_action(self._table, item_key(campaign_partition(void.id.campaign), f"{VOID_PREFIX}{void.id.name}")),
            put_action(
                self._table, item_key(OPEN_PARTITION, partition) | {"since": {"S": format_instant(void.opened_at)}}
            ),
        ]
        try:
            write_together(self._client, actions)
        except Outdated:
            if self.void(void.id) != void:
                raise

    def void(self, void_id: VoidId) -> Void | None:
        found = item_of(self._client, self._table, item_key(void_partition(void_id), META))
        return None if found is None else _read_void(found)

    def of_campaign(self, campaign_id: CampaignId) -> list[Void]:
        named = query(self._client.query, self._table, campaign_partition(campaign_id), VOID_PREFIX)
        found = (self.void(VoidId(campaign_id, item["sk"]["S"].partition("#")[2])) for item in named)
        return [void for void in found if void is not None]

    def open_voids(self) -> list[VoidId]:
        found = query(self._client.query, self._table, OPEN_PARTITION, VOID_PREFIX)
        named = (void_of_partition(item["sk"]["S"]) for item in found)
        return [one for one in named if one is not None]

    def cursor(self, void_id: VoidId, work: Pass, chunk: int) -> Cursor | None:
        found = item_of(self._client, self._table, _cursor_key(void_id, work, chunk))
        return None if found is None else read_cursor(found)

    def finished_chunks(self, void_id: VoidId, work: Pass) -> set[int]:
        found = query(self._client.query, self._table, void_partition(void_id), f"CURSOR#{work.value}#")
        return finished_of(found)

    def record(self, receipt: VoidReceipt) -> bool:
        record = item_key(void_partition(receipt.void), META)
        actions = [
            put_action(self._table, _receipt_item(receipt), NEW),
            move_cursor_action(self._table, _cursor_key(receipt.void, receipt.work, receipt.chunk), receipt),
            add_action(self._table, record, _additions(receipt), STANDING),
        ]
        # Of what was overpaid there may be several campaigns.
        moved = {one: moved_additions(receipt.moves, one) for one in sorted(receipt.moves.campaigns, key=str)}
        actions += [add_action(self._table, _voided_key(one), added) for one, added in moved.items() if added]
        actions += [add_action(self._table, key, additions) for key, additions in due_additions(receipt.moves.dues)]
        try:
            write_together(self._client, actions)
        except Outdated:
            standing = item_of(self._client, self._table, _receipt_key(receipt))
            return standing is not None and _read_receipt(receipt.void, receipt.work, standing) == receipt
        return True

    def moved(self, campaign_id: CampaignId) -> MovedSums:
        found = item_of(self._client, self._table, _voided_key(campaign_id))
        return {} if found is None else read_moved(campaign_id, found)

    def receipts(self, void_id: VoidId, work: Pass) -> Iterator[VoidReceipt]:
        for item in query(self._client.query, self._table, void_partition(void_id), f"RECEIPT#{work.value}#"):
            yield _read_receipt(void_id, work, item)

    def mark_dispatched(self, void_id: VoidId, work: Pass, chunks: int) -> None:
        self._set(void_id, f"{work.value}_sent", chunks)

    def note_seen(self, void_id: VoidId, bytes_done: int) -> None:
        self._set(void_id, "seen", bytes_done)

    def _set(self, void_id: VoidId, name: str, number: int) -> None:
        write_until_alone(
            "UpdateItem",
            self._client.update_item,
            TableName=self._table,
            Key=item_key(void_partition(void_id), META),
            # Without the counter a repetition would change nothing, and the stream would not tell of it.
            UpdateExpression="SET #name = :number ADD touched :one",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":number": {"N": str(number)}, ":one": {"N": "1"}},
        )

    def change(
        self,
        before: Void,
        after: Void,
        incident: tuple[IncidentRecord, IncidentRecord] | None = None,
        regained: Sequence[Regained] = (),
    ) -> None:
        told = "SET #state = :state, reason_now = :reason, changes = :after, approvals = :approvals"
        values: Item = {
            ":state": {"S": after.state.value},
            ":reason": {"S": after.state_reason},
            ":after": {"N": str(after.changes)},
            ":before": {"N": str(before.changes)},
            ":approvals": {"S": _approvals_text(after)},
        }
        if after.started_at is not None:
            told += ", started_at = :started"
            values[":started"] = {"S": format_instant(after.started_at)}
        actions: list[Item] = [
            *regain_actions(self._table, regained),
            {
                "Update": {
                    "TableName": self._table,
                    "Key": item_key(void_partition(before.id), META),
                    "UpdateExpression": told,
                    "ConditionExpression": "changes = :before",
                    "ExpressionAttributeNames": {"#state": "state"},
                    "ExpressionAttributeValues": values,
                }
            },
        ]
        if incident is not None:
            read, moved = incident
            actions.append(
                {
                    "Put": {
                        "TableName": self._table,
                        "Item": incident_key(read.incident_id) | incident_item(moved),
                        "ConditionExpression": "version = :version",
                        "ExpressionAttributeValues": {":version": {"N": str(read.version)}},
                    }
                }
            )
        write_together(self._client, actions)

    def close(self, void_id: VoidId) -> None:
        key = item_key(OPEN_PARTITION, void_partition(void_id))
        write_together(self._client, [{"Delete": {"TableName": self._table, "Key": key}}])


def void_partition(void_id: VoidId) -> str:
    """Where everything about one void stands."""
    campaign = void_id.campaign
    return f"{VOID_PREFIX}{campaign.incident_id}#{campaign.seq:03d}#{void_id.name}"


def void_of_partition(partition: str) -> VoidId | None:
    """The void of a partition; None when it is not a void's."""
    parts = partition.split("#")
    if len(parts) != 4 or parts[0] != "VOID" or not parts[2].isdigit():  # noqa: PLR2004 (the parts of the key)
        return None
    return VoidId(CampaignId(parts[1], int(parts[2])), parts[3])


def _cursor_key(void_id: VoidId, work: Pass, chunk: int) -> Item:
    return item_key(void_partition(void_id), f"CURSOR#{work.value}#{chunk:06d}")


def _voided_key(campaign_id: CampaignId) -> Item:
    return item_key(campaign_partition(campaign_id), "VOIDED")


def _receipt_key(receipt: VoidReceipt) -> Item:
    place = f"RECEIPT#{receipt.work.value}#{offset_text(receipt.start)}#{receipt.chunk:06d}"
    return item_key(void_partition(receipt.void), place)


def _approvals_text(void: Void) -> str:
    return json.dumps([[one.id, one.person, format_instant(one.at)] for one in void.approvals], separators=(",", ":"))


def _void_item(void: Void) -> Item:
    item = item_key(void_partition(void.id), META) | {
        "void": {"S": str(void.id)},
        "reason": {"S": void.reason},
        "requested_by": {"S": void.requested_by},
        "requester": {"S": void.requester},
        "opened_at": {"S": format_instant(void.opened_at)},
        "state": {"S": void.state.value},
        "reason_now": {"S": void.state_reason},
        "changes": {"N": str(void.changes)},
        "approvals": {"S": _approvals_text(void)},
    }
    if void.pinned is not None:
        pinned = void.pinned
        content = [pinned.bucket, pinned.key, pinned.version_id, pinned.etag, pinned.size, void.data_start]
        item["file"] = {"S": json.dumps(content, separators=(",", ":"))}
    if void.ends is not None:
        item["ends"] = {"S": void.ends.value}
    if void.is_of_overpaid:
        item["is_of_overpaid"] = {"BOOL": True}
    if void.asks_biller:
        item["asks_biller"] = {"BOOL": True}
    return item


def _read_void(item: Item) -> Void:
    file = json.loads(item["file"]["S"]) if "file" in item else None
    started_at = item.get("started_at")
    return Void(
        id=VoidId.parse(item["void"]["S"]),
        reason=item["reason"]["S"],
        requested_by=item["requested_by"]["S"],
        requester=item["requester"]["S"],
        opened_at=parse_instant(item["opened_at"]["S"]),
        pinned=None if file is None else PinnedList(*file[:5]),
        data_start=0 if file is None else int(file[5]),
        ends=Ends(item["ends"]["S"]) if "ends" in item else None,
        is_of_overpaid="is_of_overpaid" in item,
        asks_biller="asks_biller" in item,
        state=VoidState(item["state"]["S"]),
        state_reason=item["reason_now"]["S"],
        changes=int(item["changes"]["N"]),
        approvals=tuple(
            VoidApproval(id_, person, parse_instant(at)) for id_, person, at in json.loads(item["approvals"]["S"])
        ),
        started_at=None if started_at is None else parse_instant(started_at["S"]),
        seen=int(item["seen"]["N"]) if "seen" in item else -1,
        plan=_read_progress(item, Pass.PLAN),
        apply=_read_progress(item, Pass.APPLY),
    )


def _read_progress(item: Item, work: Pass) -> VoidProgress:
    def number(name: str) -> int:
        return int(item[f"{work.value}_{name}"]["N"]) if f"{work.value}_{name}" in item else 0

    sums, asked = {}, {}
    for name, value in item.items():
        kind, _, rest = name.partition("|")
        before, _, measure = rest.partition("|")
        if kind == work.value:
            sums[Share(before), measure] = read_number(value["N"])
        elif kind == f"{work.value}_asked":
            asked[before, measure] = number(f"asked_n|{rest}"), read_number(value["N"])
    totals = VoidTotals(number("lines"), number("unmatched"), number("decisions"), sums, asked, number("notices"))
    return VoidProgress(number("bytes"), number("sent"), totals)


def _additions(receipt: VoidReceipt) -> dict[str, Size]:
    """What a receipt adds to its void's record, by attribute."""
    work, totals = receipt.work.value, receipt.totals
    numbers: dict[str, Size] = {
        f"{work}_bytes": receipt.end - receipt.start,
        f"{work}_lines": totals.lines,
        f"{work}_unmatched": totals.unmatched,
        f"{work}_decisions": totals.decisions,
        f"{work}_notices": totals.notices,
    }
    for (channel, measure), (number, size) in totals.asked.items():
        numbers[f"{work}_asked|{channel}|{measure}"] = size
        numbers[f"{work}_asked_n|{channel}|{measure}"] = number
    return numbers | {f"{work}|{share.value}|{measure}": size for (share, measure), size in totals.sums.items()}


def _receipt_item(receipt: VoidReceipt) -> Item:
    totals = receipt.totals
    content = {
        "lines": totals.lines,
        "unmatched": totals.unmatched,
        "decisions": totals.decisions,
        "notices": totals.notices,
        "sums": [[share.value, measure, str(size)] for (share, measure), size in sorted(totals.sums.items())],
        "asked": [[*place, number, str(size)] for place, (number, size) in sorted(totals.asked.items())],
        **moves_content(receipt.moves),
    }
    item = _receipt_key(receipt) | {
        "chunk": {"N": str(receipt.chunk)},
        "end": {"N": str(receipt.end)},
        "finishes_chunk": {"BOOL": receipt.finishes_chunk},
        "totals": {"S": json.dumps(content, separators=(",", ":"))},
    }
    if receipt.moved_from is not None:
        item["moved_from"] = {"N": str(receipt.moved_from)}
    return item


def _read_receipt(void_id: VoidId, work: Pass, item: Item) -> VoidReceipt:
    older = {"moved": [], "dues": [], "asked": [], "notices": 0}  # what they had not yet
    content = older | json.loads(item["totals"]["S"])
    sums = {(Share(share), measure): read_number(size) for share, measure, size in content["sums"]}
    asked = {(channel, measure): (number, read_number(size)) for channel, measure, number, size in content["asked"]}
    return VoidReceipt(
        void=void_id,
        work=work,
        chunk=int(item["chunk"]["N"]),
        start=int(item["sk"]["S"].split("#")[2]),
        end=int(item["end"]["N"]),
        moved_from=int(item["moved_from"]["N"]) if "moved_from" in item else None,
        finishes_chunk=item["finishes_chunk"]["BOOL"],
        totals=VoidTotals(
            content["lines"], content["unmatched"], content["decisions"], sums, asked, content["notices"]
        ),
        moves=moves_of_content(content),
    )
