"""How campaigns and their logs are laid out in CampaignsTable.

A campaign's META record holds its immutable part as one JSON text and, beside it, what changes: state, log count and
the sums of its receipts, each an attribute of its own so that a receipt can add to it.
"""

import json
from collections import Counter
from decimal import Decimal

from kulanz.adapters.aws import read_number
from kulanz.adapters.campaign_keys import (
    Item,
    campaign_of_partition,
    campaign_partition,
    frozen_key,
    item_key,
    log_key,
    meta_key,
    outage_partition,
)
from kulanz.domain.campaigns.campaign import (
    Campaign,
    CampaignId,
    Cause,
    Chunks,
    Frozen,
    Pass,
    PinnedList,
    Progress,
    Receipt,
    SameOutage,
    State,
    StateChange,
)
from kulanz.domain.campaigns.ends import EndOf
from kulanz.domain.campaigns.limits import DEFAULT_LIMITS, Limits
from kulanz.domain.campaigns.reconciliation import DIGEST_MODULUS, CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.campaigns.same_outage import OutageCampaign
from kulanz.domain.canonical import canonical_json
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.lists.id_shape import IdShape
from kulanz.domain.time import format_instant, parse_instant

_HALF = 2**64
"""A DynamoDB number holds 38 digits and a digest has up to 39, so it is added in two halves."""


def outage_item(campaign: Campaign) -> Item:
    """What lists a campaign under its outage, with the list that it pinned."""
    return item_key(outage_partition(campaign.outage), campaign_partition(campaign.id)) | {
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
        "persons_asked": campaign.persons_asked,
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
        persons_asked=fixed.get("persons_asked", 0),
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
    """What a receipt adds to META, by attribute."""
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
    for end, size in totals.ends.items():
        additions[f"{work}|end|{format_instant(end.at)}|{end.measure}"] = size
    return additions


def _read_progress(item: Item, work: Pass) -> Progress:
    prefix = f"{work.value}|"
    figures = {
        name.removeprefix(prefix): read_number(value["N"]) for name, value in item.items() if name.startswith(prefix)
    }
    counts: Counter[CountKey] = Counter()
    sums: dict[SumKey, int | Decimal] = {}
    ends: dict[EndOf, int | Decimal] = {}
    for name, number in figures.items():
        kind, _, rest = name.partition("|")
        if kind == "count":
            row_result, reason, write_result = rest.split("|")
            counts[CountKey(RowResult(row_result), reason, WriteResult(write_result))] = int(number)
        elif kind == "sum":
            row_result, write_result, measure = rest.split("|", 2)  # a subject is a text of the policy's own
            sums[SumKey(RowResult(row_result), WriteResult(write_result), measure)] = number
        elif kind == "end":
            at, measure = rest.split("|", 1)
            ends[EndOf(measure, parse_instant(at))] = number
    totals = Totals(
        lines=int(figures.get("lines", 0)),
        unbalanced_quotes=int(figures.get("unbalanced_quotes", 0)),
        digest=int(figures.get("digest_high", 0) * _HALF + figures.get("digest_low", 0)) % DIGEST_MODULUS,
        counts=counts,
        sums=sums,
        ends=ends,
    )
    since, sent = (int(number["N"]) for number in item.get(dispatched_name(work), _NOTHING_SENT)["L"])
    return Progress(int(figures.get("bytes", 0)), sent if since == int(item["log_count"]["N"]) else 0, totals)


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
    if change.decides_by:
        item["decides_by"] = {"S": change.decides_by}
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
        decides_by=item.get("decides_by", {}).get("S", ""),
    )


def _read_others(content: str) -> SameOutage:
    same_list, other_list, is_whole = json.loads(content)
    return SameOutage(tuple(map(CampaignId.parse, same_list)), tuple(map(CampaignId.parse, other_list)), is_whole)
