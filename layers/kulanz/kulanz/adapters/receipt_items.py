"""How receipts and cursors, what the workers leave behind, are laid out in CampaignsTable."""

import json
from collections import Counter
from typing import Any

from kulanz.adapters.aws import read_number
from kulanz.adapters.campaign_keys import Item, receipt_key
from kulanz.domain.campaigns.amounts import Amounts
from kulanz.domain.campaigns.campaign import CampaignId, Cursor, Pass, Receipt
from kulanz.domain.campaigns.changed_accounts import ChangedAccounts
from kulanz.domain.campaigns.ends import EndOf
from kulanz.domain.campaigns.measured import Commitment, LargestAmount, Measured
from kulanz.domain.campaigns.reconciliation import CountKey, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.campaigns.repeats import Repeats
from kulanz.domain.campaigns.stretches import stretches_from_bytes, stretches_to_bytes
from kulanz.domain.time import format_instant, parse_day, parse_instant


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
        **(
            {"ends": [[end.measure, format_instant(end.at), str(n)] for end, n in sorted(totals.ends.items())]}
            if totals.ends
            else {}
        ),
    }
    item = receipt_key(receipt) | {
        "chunk": {"N": str(receipt.chunk)},
        "end": {"N": str(receipt.end)},
        "finishes_chunk": {"BOOL": receipt.finishes_chunk},
        "totals": {"S": json.dumps(content, separators=(",", ":"))},
    }
    if receipt.read:
        item["read"] = {"S": receipt.read}
    if receipt.stretches:
        item["stretches"] = {"B": stretches_to_bytes(receipt.stretches)}
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
        ends={EndOf(measure, parse_instant(at)): read_number(n) for measure, at, n in content.get("ends", ())},
    )
    return Receipt(
        campaign=campaign_id,
        work=Pass(work),
        chunk=int(item["chunk"]["N"]),
        start=int(start),
        end=int(item["end"]["N"]),
        moved_from=int(item["moved_from"]["N"]) if "moved_from" in item else None,
        finishes_chunk=item["finishes_chunk"]["BOOL"],
        totals=totals,
        read=item.get("read", {}).get("S", ""),
        measured=_read_measured(item) if "repeats" in item else None,
        stretches=stretches_from_bytes(bytes(item["stretches"]["B"])) if "stretches" in item else (),
    )


def _measured_attributes(measured: Measured) -> Item:
    content = {
        "amounts": measured.amounts.content(),
        "known": measured.known,
        "other_currency": measured.other_currency,
        "commitment": _commitment(measured.commitment),
    }
    changed = {"changed": {"B": measured.changed.to_bytes()}} if measured.changed.rows else {}
    return {
        "measured": {"S": json.dumps(content, separators=(",", ":"))},
        "repeats": {"B": measured.repeats.to_bytes()},
        **changed,
    }


def _read_measured(item: Item) -> Measured:
    content = json.loads(item["measured"]["S"])
    return Measured(
        amounts=Amounts.from_content(content["amounts"]),
        repeats=Repeats.from_bytes(bytes(item["repeats"]["B"])),
        known=content["known"],
        other_currency=content["other_currency"],
        commitment=_read_commitment(content["commitment"]) if "commitment" in content else Commitment(),
        changed=ChangedAccounts.from_bytes(bytes(item["changed"]["B"])) if "changed" in item else ChangedAccounts(),
    )


def _commitment(found: Commitment) -> dict[str, Any]:
    return {
        "claimable": {measure: str(size) for measure, size in sorted(found.claimable.items())},
        "largest": {
            measure: [[str(one.size), one.lines, one.offset] for one in amounts]
            for measure, amounts in found.in_order().items()
        },
        "first_due": None if found.first_due is None else found.first_due.isoformat(),
        "first_end": None if found.first_end is None else format_instant(found.first_end),
        "last_claim": None if found.last_claim is None else format_instant(found.last_claim),
        "claimable_without_end": found.is_claimable_without_end,
    }


def _read_commitment(content: dict[str, Any]) -> Commitment:
    due, end, claim = content["first_due"], content["first_end"], content.get("last_claim")
    largest = {
        measure: [LargestAmount(read_number(size), lines, offset) for size, lines, offset in amounts]
        for measure, amounts in content["largest"].items()
    }
    return Commitment(
        claimable={measure: read_number(size) for measure, size in content["claimable"].items()},
        largest={measure: {one.size: one for one in amounts} for measure, amounts in largest.items()},
        first_due=None if due is None else parse_day(due),
        first_end=None if end is None else parse_instant(end),
        last_claim=None if claim is None else parse_instant(claim),
        is_claimable_without_end=content.get("claimable_without_end", True),  # an older release did not look
    )
