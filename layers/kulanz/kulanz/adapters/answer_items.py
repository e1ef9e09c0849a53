"""How answer files, their receipts and what these move are laid out in CampaignsTable.

| pk | sk | content |
|---|---|---|
| `ANSWERS#<channel>` | `<instant>#<file>` | the files of a channel, first to last |
| `ANSWERS#<channel>#<file>` | `META` | what is pinned, and the sums of its receipts |
| | `CURSOR#<chunk>`, `RECEIPT#<offset>#<chunk>` | how far a chunk has come; a finished stretch |
| `CAMPAIGN#<incident>#<seq>` | `BILLED#<channel>` | what answers moved between the states of its credits; the `codes` |

`codes` are those of the biller that are counted by themselves.
"""

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from kulanz.adapters.aws import read_number
from kulanz.adapters.campaign_keys import Item, campaign_partition, item_key, offset_text
from kulanz.adapters.index_items import OPEN_PARTITION, placed
from kulanz.adapters.moved_items import moves_content, moves_of_content
from kulanz.domain.campaigns.campaign import CampaignId, Chunks, PinnedList
from kulanz.domain.canonical import canonical_json
from kulanz.domain.delivery.answer_pass import AnswerFile, AnswerReceipt, AnswerTotals
from kulanz.domain.delivery.answers import AnswerResult
from kulanz.domain.lists.header import ListFormat, ListLayout
from kulanz.domain.money import Size
from kulanz.domain.time import format_instant, parse_instant

RECEIPT_PREFIX = "RECEIPT#"
CODES = "codes"


def channel_partition(channel: str) -> str:
    """Where the answer files of a channel are listed."""
    return f"ANSWERS#{channel}"


def file_partition(channel: str, file_id: str) -> str:
    """Where everything about one answer file stands."""
    return f"ANSWERS#{channel}#{file_id}"


def file_key(channel: str, file_id: str) -> Item:
    """The key of an answer file's record."""
    return item_key(file_partition(channel, file_id), "META")


def listed_item(file: AnswerFile) -> Item:
    """What lists an answer file under its channel."""
    return item_key(channel_partition(file.channel), f"{placed(file.opened_at)}#{file.id}")


def file_of_listed(item: Item) -> str:
    """The id of a listed file."""
    place: str = item["sk"]["S"]
    return place.partition("#")[2]


def cursor_key(channel: str, file_id: str, chunk: int) -> Item:
    """The key of a chunk's cursor."""
    return item_key(file_partition(channel, file_id), f"CURSOR#{chunk:06d}")


def open_answers_key(channel: str, file_id: str) -> Item:
    """The key of what says that an answer file is not closed."""
    return item_key(OPEN_PARTITION, file_partition(channel, file_id))


def receipt_key(receipt: AnswerReceipt) -> Item:
    """The key of a receipt."""
    place = f"{RECEIPT_PREFIX}{offset_text(receipt.start)}#{receipt.chunk:06d}"
    return item_key(file_partition(receipt.channel, receipt.file), place)


def billed_key(campaign_id: CampaignId, channel: str) -> Item:
    """The key of what answers of a channel moved between the states of a campaign's credits."""
    return item_key(campaign_partition(campaign_id), f"BILLED#{channel}")


def read_codes(item: Item | None) -> tuple[str, ...]:
    """The biller's codes that a campaign's sums of a channel count by themselves, in the order in which they came."""
    return () if item is None or CODES not in item else tuple(json.loads(item[CODES]["S"]))


def codes_action(table: str, key: Item, before: tuple[str, ...], after: tuple[str, ...]) -> Item:
    """Codes that are counted by themselves from now on, on the condition that they are as they were read."""
    names, values = {"#codes": CODES}, {":after": {"S": canonical_json(list(after))}}
    condition = "attribute_not_exists(#codes)"
    if before:
        condition, values = "#codes = :before", values | {":before": {"S": canonical_json(list(before))}}
    return {
        "Update": {
            "TableName": table,
            "Key": key,
            "UpdateExpression": "SET #codes = :after",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": values,
        }
    }


def file_item(file: AnswerFile) -> Item:
    """A new answer file, before any receipt."""
    pinned, layout = file.pinned, file.layout
    fixed = {
        "list": {
            "bucket": pinned.bucket,
            "key": pinned.key,
            "version_id": pinned.version_id,
            "etag": pinned.etag,
            "size": pinned.size,
            "format": layout.format.value,
            "columns": list(layout.columns),
            "data_start": layout.data_start,
        },
        "chunk_bytes": file.chunks.chunk_bytes,
        "opened_at": format_instant(file.opened_at),
        "opened_by": file.opened_by,
    }
    return file_key(file.channel, file.id) | {"fixed": {"S": canonical_json(fixed)}}


def read_file(channel: str, file_id: str, item: Item) -> AnswerFile:
    """An answer file back from its record."""
    fixed = json.loads(item["fixed"]["S"])
    place = fixed["list"]
    figures = {name: read_number(value["N"]) for name, value in item.items() if "N" in value}
    return AnswerFile(
        id=file_id,
        channel=channel,
        pinned=PinnedList(place["bucket"], place["key"], place["version_id"], place["etag"], place["size"]),
        layout=ListLayout(ListFormat(place["format"]), tuple(place["columns"]), place["data_start"]),
        chunks=Chunks(place["data_start"], place["size"], fixed["chunk_bytes"]),
        opened_at=parse_instant(fixed["opened_at"]),
        opened_by=fixed["opened_by"],
        bytes_done=int(figures.get("bytes", 0)),
        seen=int(figures.get("seen", -1)),
        totals=AnswerTotals(
            lines=int(figures.get("lines", 0)),
            counts=Counter({_count_of(name): int(n) for name, n in figures.items() if name.startswith("count|")}),
        ),
    )


def file_additions(receipt: AnswerReceipt) -> dict[str, Size]:
    """What a receipt adds to its file's record, by attribute."""
    totals = receipt.totals
    counts = {f"count|{result}|{reason}": number for (result, reason), number in totals.counts.items()}
    return {"bytes": receipt.end - receipt.start, "lines": totals.lines, **counts}


def receipt_item(receipt: AnswerReceipt) -> Item:
    """A receipt as an item."""
    content = {
        "chunk": receipt.chunk,
        "end": receipt.end,
        "moved_from": receipt.moved_from,
        "finishes_chunk": receipt.finishes_chunk,
        "problems": receipt.problems,
        "totals": _totals_content(receipt.totals),
    }
    return receipt_key(receipt) | {"answers": {"S": canonical_json(content)}}


def read_receipt(channel: str, file_id: str, item: Item) -> AnswerReceipt:
    """A receipt back from its item."""
    content = json.loads(item["answers"]["S"])
    return AnswerReceipt(
        file=file_id,
        channel=channel,
        chunk=content["chunk"],
        start=int(item["sk"]["S"].split("#")[1]),
        end=content["end"],
        moved_from=content["moved_from"],
        finishes_chunk=content["finishes_chunk"],
        totals=_totals_of(content["totals"]),
        problems=content["problems"],
    )


def _totals_content(totals: AnswerTotals) -> dict[str, Any]:
    return {
        "lines": totals.lines,
        "counts": sorted([result.value, reason, number] for (result, reason), number in totals.counts.items()),
        **moves_content(totals),
    }


def _totals_of(content: Mapping[str, Any]) -> AnswerTotals:
    counts = Counter({(AnswerResult(result), reason): number for result, reason, number in content["counts"]})
    moves = moves_of_content(content)
    return AnswerTotals(moves.moved, moves.dues, content["lines"], counts)


def _count_of(name: str) -> tuple[AnswerResult, str]:
    _, result, reason = name.split("|", 2)
    return AnswerResult(result), reason
