"""How incidents, campaigns and receipts are laid out in CampaignsTable.

A campaign's META record holds its immutable part as one JSON text and, beside it, what changes: state, log count and
the sums of its receipts, each an attribute of its own so that a receipt can add to it.
"""

import json
from collections import Counter
from decimal import Decimal
from typing import Any

from kulanz.adapters.aws import read_number
from kulanz.domain.campaigns.amounts import Amounts
from kulanz.domain.campaigns.campaign import (
    Campaign,
    CampaignId,
    Cause,
    Chunks,
    Cursor,
    Frozen,
    Pass,
    PinnedList,
    Progress,
    Receipt,
    SameOutage,
    State,
    StateChange,
)
from kulanz.domain.campaigns.limits import DEFAULT_LIMITS, Limits
from kulanz.domain.campaigns.measured import Measured
from kulanz.domain.campaigns.reconciliation import DIGEST_MODULUS, CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.campaigns.repeats import Repeats
from kulanz.domain.campaigns.same_outage import OutageCampaign
from kulanz.domain.canonical import canonical_json
from kulanz.domain.incident_record import IncidentRecord, Revision
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.time import format_instant, parse_instant

REVISION_PREFIX = "REVISION#"
LOG_PREFIX = "LOG#"
META = "META"
WAITING_PARTITION = "WAITING"
"""One item for each campaign that ever waited for a person: the one place that knows about all incidents."""
LAST_OFFSET = 10**14 - 1
"""The largest offset that a receipt's key can hold."""
_HALF = 2**64

type Item = dict[str, Any]


def _key(partition: str, place: str) -> Item:
    return {"pk": {"S": partition}, "sk": {"S": place}}


def incident_partition(incident_id: str) -> str:
    """Where everything that was told about one incident stands."""
    return f"INCIDENT#{incident_id}"


def incident_key(incident_id: str) -> Item:
    """The key of an incident's record."""
    return _key(incident_partition(incident_id), "INCIDENT")


def campaign_partition(campaign_id: CampaignId) -> str:
    """Where everything about one campaign stands."""
    return f"CAMPAIGN#{campaign_id.incident_id}#{campaign_id.seq:03d}"


def campaign_of_partition(partition: str) -> CampaignId | None:
    """The campaign of a partition; None when it is not a campaign's."""
    kind, _, rest = partition.partition("#")
    incident_id, _, seq = rest.rpartition("#")
    return CampaignId(incident_id, int(seq)) if kind == "CAMPAIGN" and seq.isdigit() else None


def meta_key(campaign_id: CampaignId) -> Item:
    """The key of a campaign's META record."""
    return _key(campaign_partition(campaign_id), META)


def waiting_key(campaign_id: CampaignId) -> Item:
    """The key of what says whether a campaign waits for a person."""
    return _key(WAITING_PARTITION, campaign_partition(campaign_id))


def read_waiting(item: Item) -> CampaignId | None:
    """The campaign that waits; None when it does no more."""
    return campaign_of_partition(item["sk"]["S"]) if item["waits"]["BOOL"] else None


def outage_partition(outage: str) -> str:
    """Where the campaigns of all incidents over one outage are listed."""
    return f"OUTAGE#{outage}"


def outage_item(campaign: Campaign) -> Item:
    """What lists a campaign under its outage, with the list that it pinned."""
    return _key(outage_partition(campaign.outage), campaign_partition(campaign.id)) | {
        "list": {"S": canonical_json(_place(campaign.pinned))}
    }


def read_outage(item: Item) -> OutageCampaign:
    """A campaign over an outage back from its item."""
    campaign_id = campaign_of_partition(item["sk"]["S"])
    if campaign_id is None:
        raise ValueError("not a campaign over an outage")
    return OutageCampaign(campaign_id, PinnedList(**json.loads(item["list"]["S"])))


def _place(pinned: PinnedList) -> dict[str, str | int]:
    return {
        "bucket": pinned.bucket,
        "key": pinned.key,
        "version_id": pinned.version_id,
        "etag": pinned.etag,
        "size": pinned.size,
    }


def frozen_key(campaign_id: CampaignId) -> Item:
    """The key of what a campaign decides by."""
    return _key(campaign_partition(campaign_id), "FROZEN")


def log_key(campaign_id: CampaignId, number: int) -> Item:
    """The key of one line of a campaign's log."""
    return _key(campaign_partition(campaign_id), f"{LOG_PREFIX}{number:06d}")


def cursor_prefix(work: Pass) -> str:
    """What the cursors of a pass begin with."""
    return f"CURSOR#{work.value}#"


def cursor_key(campaign_id: CampaignId, work: Pass, chunk: int) -> Item:
    """The key of a chunk's cursor."""
    return _key(campaign_partition(campaign_id), f"{cursor_prefix(work)}{chunk:06d}")


def chunk_of_cursor(item: Item) -> int:
    """The chunk a cursor is about."""
    return int(item["sk"]["S"].rpartition("#")[2])


def receipt_prefix(work: Pass) -> str:
    """What the receipts of a pass begin with."""
    return f"RECEIPT#{work.value}#"


def receipt_key(receipt: Receipt) -> Item:
    """The key of a receipt: by where it starts; the chunk tells apart the empty ones that start at the same byte."""
    place = f"{receipt_prefix(receipt.work)}{offset_text(receipt.start)}#{receipt.chunk:06d}"
    return _key(campaign_partition(receipt.campaign), place)


def offset_text(offset: int) -> str:
    """An offset as it stands in a receipt's key: texts sort as the offsets do."""
    return f"{offset:014d}"


# Incidents


def incident_item(record: IncidentRecord) -> Item:
    """An incident's record as an item."""
    item = incident_key(record.incident_id) | {
        "version": {"N": str(record.version)},
        "highest_revision": {"N": str(record.highest_revision)},
        "revision_digests": {"M": {str(number): {"S": digest} for number, digest in record.revision_digests.items()}},
        "decidable_until": {"S": format_instant(record.decidable_until)},
        "next_seq": {"N": str(record.next_seq)},
        "requests": {"M": {digest: {"N": str(seq)} for digest, seq in record.requests.items()}},
    }
    if record.open_seq is not None:
        item["open_seq"] = {"N": str(record.open_seq)}
    if record.applied:
        item["applied"] = {"NS": [str(seq) for seq in record.applied]}
    return item


def read_incident(item: Item) -> IncidentRecord:
    """An incident's record back from its item."""
    return IncidentRecord(
        incident_id=item["pk"]["S"].partition("#")[2],
        version=int(item["version"]["N"]),
        highest_revision=int(item["highest_revision"]["N"]),
        revision_digests={int(number): digest["S"] for number, digest in item["revision_digests"]["M"].items()},
        decidable_until=parse_instant(item["decidable_until"]["S"]),
        next_seq=int(item["next_seq"]["N"]),
        open_seq=_optional_number(item, "open_seq"),
        applied=tuple(sorted(int(seq) for seq in item.get("applied", {}).get("NS", []))),
        requests={digest: int(seq["N"]) for digest, seq in item["requests"]["M"].items()},
    )


def _optional_number(item: Item, name: str) -> int | None:
    return int(item[name]["N"]) if name in item else None


def revision_key(incident_id: str, number: int) -> Item:
    """The key of a revision. Numbers of more than seven digits do not sort among the others."""
    return _key(incident_partition(incident_id), f"{REVISION_PREFIX}{number:07d}")


def revision_item(revision: Revision) -> Item:
    """A revision of an incident as an item."""
    return revision_key(revision.incident_id, revision.number) | {
        "detail_type": {"S": revision.detail_type},
        "content": {"S": revision.content.decode()},
        "digest": {"S": revision.digest},
        "recorded_at": {"S": format_instant(revision.recorded_at)},
        "source": {"S": revision.source},
    }


def is_revision(item: Item) -> bool:
    """Whether an item is a revision of an incident."""
    partition: str = item["pk"]["S"]
    place: str = item["sk"]["S"]
    return partition.startswith("INCIDENT#") and place.startswith(REVISION_PREFIX)


def read_revision(item: Item) -> Revision:
    """A revision back from its item."""
    return Revision(
        incident_id=item["pk"]["S"].partition("#")[2],
        number=int(item["sk"]["S"].rpartition("#")[2]),
        detail_type=item["detail_type"]["S"],
        content=item["content"]["S"].encode(),
        digest=item["digest"]["S"],
        recorded_at=parse_instant(item["recorded_at"]["S"]),
        source=item["source"]["S"],
    )


# Campaigns


def meta_item(campaign: Campaign) -> Item:
    """A new campaign's META record, before any receipt."""
    pinned, layout = campaign.pinned, campaign.layout
    fixed = {
        "incident_revision": campaign.incident_revision,
        "policy": {"id": campaign.policy_id, "version": campaign.policy_version, "hash": campaign.policy_hash},
        "engine": campaign.engine,
        "time_zones": campaign.time_zones,
        "list": {
            **_place(pinned),
            "format": layout.format.value,
            "columns": list(layout.columns),
            "data_start": layout.data_start,
            "account_ids": _shape(layout.account_ids),
            "subject_ids": _shape(layout.subject_ids),
        },
        "chunk_bytes": campaign.chunks.chunk_bytes,
        "rows_announced": campaign.rows_announced,
        "decided_at": format_instant(campaign.decided_at),
        "decidable_until": format_instant(campaign.decidable_until),
        "request_digest": campaign.request_digest,
        "opened_by": campaign.opened_by,
        "follows": list(campaign.follows),
        "adds": campaign.adds,
        "keeps_history": campaign.keeps_history,
        "subject": campaign.subject,
        "limits": campaign.limits.content(),
        "ignored_columns": list(campaign.ignored_columns),
        "outage": campaign.outage,
        "same_outage_as": list(campaign.same_outage_as),
    }
    return meta_key(campaign.id) | {
        "fixed": {"S": canonical_json(fixed)},
        "state": {"S": campaign.state.value},
        "state_reason": {"S": campaign.state_reason},
        "log_count": {"N": str(campaign.log_count)},
        "announced": {"S": campaign.announced},
    }


def _shape(shape: IdShape | None) -> dict[str, str | int] | None:
    return None if shape is None else shape.content


def read_meta(item: Item) -> Campaign:
    """A campaign back from its META record."""
    fixed = json.loads(item["fixed"]["S"])
    place, policy = fixed["list"], fixed["policy"]
    campaign_id = campaign_of_partition(item["pk"]["S"])
    if campaign_id is None:
        raise ValueError("not a campaign's record")
    return Campaign(
        id=campaign_id,
        incident_revision=fixed["incident_revision"],
        policy_id=policy["id"],
        policy_version=policy["version"],
        policy_hash=policy["hash"],
        engine=fixed["engine"],
        time_zones=fixed["time_zones"],
        pinned=PinnedList(place["bucket"], place["key"], place["version_id"], place["etag"], place["size"]),
        layout=ListLayout(
            ListFormat(place["format"]),
            tuple(place["columns"]),
            place["data_start"],
            IdShape.of(place.get("account_ids")),  # campaigns from before shapes could be stated have none
            IdShape.of(place.get("subject_ids")),
        ),
        chunks=Chunks(place["data_start"], place["size"], fixed["chunk_bytes"]),
        rows_announced=fixed["rows_announced"],
        decided_at=parse_instant(fixed["decided_at"]),
        decidable_until=parse_instant(fixed["decidable_until"]),
        request_digest=fixed["request_digest"],
        opened_by=fixed["opened_by"],
        follows=tuple(fixed["follows"]),
        adds=fixed.get("adds", False),
        keeps_history=fixed.get("keeps_history", False),
        subject=fixed.get("subject", ""),
        limits=Limits.from_content(fixed["limits"]) if "limits" in fixed else DEFAULT_LIMITS,
        ignored_columns=tuple(fixed.get("ignored_columns", ())),
        outage=fixed.get("outage", ""),
        same_outage_as=tuple(fixed.get("same_outage_as", ())),
        state=State(item["state"]["S"]),
        state_reason=item["state_reason"]["S"],
        log_count=int(item["log_count"]["N"]),
        announced=item["announced"]["S"],
        plan=_read_progress(item, Pass.PLAN),
        apply=_read_progress(item, Pass.APPLY),
    )


_NOTHING_SENT: Item = {"L": [{"N": "0"}, {"N": "0"}]}


def dispatched_name(work: Pass) -> str:
    """The attribute of META that holds how many chunks of a pass were sent, and at which log count."""
    return f"{work.value}_dispatched"


def dispatched_value(campaign: Campaign, sent: int) -> Item:
    """What that attribute holds: messages that met an earlier state of the campaign are gone, and count as not sent."""
    return {"L": [{"N": str(campaign.log_count)}, {"N": str(sent)}]}


def meta_additions(receipt: Receipt) -> dict[str, int | Decimal]:
    """What a receipt adds to META, by attribute.

    The digest is added in two halves, because a DynamoDB number holds 38 digits and 2^128 has 39.
    """
    totals, work = receipt.totals, receipt.work.value
    additions: dict[str, int | Decimal] = {
        f"{work}|bytes": receipt.end - receipt.start,
        f"{work}|lines": totals.lines,
        f"{work}|unbalanced_quotes": totals.unbalanced_quotes,
        f"{work}|digest_high": totals.digest // _HALF,
        f"{work}|digest_low": totals.digest % _HALF,
    }
    for count, number in totals.counts.items():
        additions[f"{work}|count|{count.row_result.value}|{count.reason}|{count.write_result.value}"] = number
    for place, value in totals.sums.items():
        additions[f"{work}|sum|{place.row_result.value}|{place.write_result.value}|{place.measure}"] = value
    return additions


def _read_progress(item: Item, work: Pass) -> Progress:
    prefix = f"{work.value}|"
    figures = {
        name.removeprefix(prefix): read_number(value["N"]) for name, value in item.items() if name.startswith(prefix)
    }
    counts: Counter[CountKey] = Counter()
    sums: dict[SumKey, int | Decimal] = {}
    for name, number in figures.items():
        kind, _, rest = name.partition("|")
        if kind == "count":
            row_result, reason, write_result = rest.split("|")
            counts[CountKey(RowResult(row_result), reason, WriteResult(write_result))] = int(number)
        elif kind == "sum":
            row_result, write_result, measure = rest.split("|", 2)  # a subject is a text of the policy's own
            sums[SumKey(RowResult(row_result), WriteResult(write_result), measure)] = number
    totals = Totals(
        lines=int(figures.get("lines", 0)),
        unbalanced_quotes=int(figures.get("unbalanced_quotes", 0)),
        digest=int(figures.get("digest_high", 0) * _HALF + figures.get("digest_low", 0)) % DIGEST_MODULUS,
        counts=counts,
        sums=sums,
    )
    at, sent = (int(number["N"]) for number in item.get(dispatched_name(work), _NOTHING_SENT)["L"])
    return Progress(int(figures.get("bytes", 0)), sent if at == int(item["log_count"]["N"]) else 0, totals)


def frozen_item(campaign_id: CampaignId, frozen: Frozen) -> Item:
    """What a campaign decides by, as an item."""
    return frozen_key(campaign_id) | {
        "policy": {"S": frozen.policy.decode()},
        "incident": {"S": frozen.incident.decode()},
    }


def read_frozen(item: Item) -> Frozen:
    """What a campaign decides by, back from its item."""
    return Frozen(item["policy"]["S"].encode(), item["incident"]["S"].encode())


def log_item(campaign_id: CampaignId, change: StateChange) -> Item:
    """A line of the log as an item."""
    item = log_key(campaign_id, change.number) | {
        "at": {"S": format_instant(change.at)},
        "source": {"S": "" if change.source is None else change.source.value},
        "target": {"S": change.target.value},
        "reason": {"S": change.reason},
        "actor": {"S": change.cause.actor},
        "event_id": {"S": change.cause.event_id},
        "code_version": {"S": change.cause.code_version},
    }
    if change.others is not None:
        found = change.others
        content = [[str(one) for one in found.same_list], [str(one) for one in found.other_list], found.is_whole]
        item["others"] = {"S": canonical_json(content)}
    return item


def read_log(item: Item) -> StateChange:
    """A line of the log back from its item."""
    source = item["source"]["S"]
    return StateChange(
        number=int(item["sk"]["S"].rpartition("#")[2]),
        at=parse_instant(item["at"]["S"]),
        source=State(source) if source else None,
        target=State(item["target"]["S"]),
        reason=item["reason"]["S"],
        cause=Cause(item["actor"]["S"], item["event_id"]["S"], item["code_version"]["S"]),
        others=_read_others(item["others"]["S"]) if "others" in item else None,
    )


def _read_others(content: str) -> SameOutage:
    same_list, other_list, is_whole = json.loads(content)
    return SameOutage(tuple(map(CampaignId.parse, same_list)), tuple(map(CampaignId.parse, other_list)), is_whole)


# Cursors and receipts


def read_cursor(item: Item) -> Cursor:
    """A cursor back from its item."""
    return Cursor(int(item["position"]["N"]), item["finished"]["BOOL"])


def receipt_item(receipt: Receipt) -> Item:
    """A receipt as an item."""
    totals = receipt.totals
    content = {
        "lines": totals.lines,
        "unbalanced_quotes": totals.unbalanced_quotes,
        "digest": f"{totals.digest:032x}",
        "counts": [
            [key.row_result.value, key.reason, key.write_result.value, n] for key, n in sorted(totals.counts.items())
        ],
        "sums": [
            [key.row_result.value, key.write_result.value, key.measure, str(n)]
            for key, n in sorted(totals.sums.items())
        ],
    }
    item = receipt_key(receipt) | {
        "chunk": {"N": str(receipt.chunk)},
        "end": {"N": str(receipt.end)},
        "finishes_chunk": {"BOOL": receipt.finishes_chunk},
        "totals": {"S": json.dumps(content, separators=(",", ":"))},
    }
    if receipt.history:
        item["history"] = {"S": receipt.history}
    if receipt.measured is not None:
        item |= _measured_attributes(receipt.measured)
    if receipt.moved_from is not None:
        item["moved_from"] = {"N": str(receipt.moved_from)}
    return item


def read_receipt(campaign_id: CampaignId, item: Item) -> Receipt:
    """A receipt back from its item."""
    content = json.loads(item["totals"]["S"])
    _, work, start, _ = item["sk"]["S"].split("#")
    totals = Totals(
        lines=content["lines"],
        unbalanced_quotes=content["unbalanced_quotes"],
        digest=int(content["digest"], 16),
        counts=Counter(
            {
                CountKey(RowResult(row_result), reason, WriteResult(write_result)): n
                for row_result, reason, write_result, n in content["counts"]
            }
        ),
        sums={
            SumKey(RowResult(row_result), WriteResult(write_result), measure): read_number(n)
            for row_result, write_result, measure, n in content["sums"]
        },
    )
    return Receipt(
        campaign=campaign_id,
        work=Pass(work),
        chunk=int(item["chunk"]["N"]),
        start=int(start),
        end=int(item["end"]["N"]),
        moved_from=_optional_number(item, "moved_from"),
        finishes_chunk=item["finishes_chunk"]["BOOL"],
        totals=totals,
        history=item.get("history", {}).get("S", ""),
        measured=_read_measured(item) if "repeats" in item else None,
    )


def _measured_attributes(measured: Measured) -> Item:
    content = {
        "amounts": measured.amounts.content(),
        "known": measured.known,
        "other_currency": measured.other_currency,
    }
    return {
        "measured": {"S": json.dumps(content, separators=(",", ":"))},
        "repeats": {"B": measured.repeats.to_bytes()},
    }


def _read_measured(item: Item) -> Measured:
    content = json.loads(item["measured"]["S"])
    return Measured(
        amounts=Amounts.from_content(content["amounts"]),
        repeats=Repeats.from_bytes(bytes(item["repeats"]["B"])),
        known=content["known"],
        other_currency=content["other_currency"],
    )
