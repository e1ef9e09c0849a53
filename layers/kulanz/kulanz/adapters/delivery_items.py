"""How deliveries are laid out in CampaignsTable.

| pk | sk | content |
|---|---|---|
| `CHANNEL#<channel>` | `SERIAL` | the serial of its latest delivery |
| | `DELIVERY#<serial>` | the deliveries of the channel |
| `DELIVERY#<channel>#<serial>` | `META` | what it delivers, its state, and the sums of its receipts |
| | `CURSOR#<chunk>`, `RECEIPT#<offset>#<chunk>` | how far a chunk has come; what is delivered of a range |
| `CAMPAIGN#<incident>#<seq>` | `DELIVERY` | the delivery over the campaign's list |
| | `DELIVERY#<channel>#<serial>` | a delivery over what was added to it |
| `OPEN` | `DELIVERY#<channel>#<serial>` | the deliveries that are not sent, or are being published again |
"""

import json
from typing import Any

from kulanz.adapters.aws import read_number
from kulanz.adapters.campaign_keys import META, campaign_partition, item_key, offset_text
from kulanz.adapters.due_items import dues_content, dues_of_content
from kulanz.adapters.index_items import OPEN_PARTITION
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.added import Additions
from kulanz.domain.delivery.channel import ChannelKind, FileFormat
from kulanz.domain.delivery.credit import CreditSums, CreditType, SumOf
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt, DeliveryState
from kulanz.domain.delivery.files import PartFile
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.money import Size
from kulanz.domain.time import format_instant, parse_instant

DELIVERY_PREFIX = "DELIVERY#"
CURSOR_PREFIX = "CURSOR#"
RECEIPT_PREFIX = "RECEIPT#"

_SUMS, _ELSEWHERE, _AGAIN = "sums", "elsewhere", "again"

type Item = dict[str, Any]


def channel_partition(channel: str) -> str:
    """Where the serial and the deliveries of a channel stand."""
    return f"CHANNEL#{channel}"


def serial_key(channel: str) -> Item:
    """The key of a channel's counter."""
    return item_key(channel_partition(channel), "SERIAL")


def delivery_partition(delivery_id: DeliveryId) -> str:
    """Where everything about one delivery stands."""
    return f"{DELIVERY_PREFIX}{delivery_id.channel}#{delivery_id.serial:08d}"


def delivery_of_partition(partition: str) -> DeliveryId | None:
    """The delivery of a partition; None when it is not a delivery's."""
    kind, _, rest = partition.partition("#")
    channel, _, serial = rest.rpartition("#")
    return DeliveryId(channel, int(serial)) if kind == "DELIVERY" and serial.isdigit() else None


def delivery_key(delivery_id: DeliveryId) -> Item:
    """The key of a delivery's record."""
    return item_key(delivery_partition(delivery_id), META)


def over_list_key(campaign_id: CampaignId) -> Item:
    """The key of what names the delivery over a campaign's list."""
    return item_key(campaign_partition(campaign_id), "DELIVERY")


def over_additions_key(delivery_id: DeliveryId, campaign_id: CampaignId) -> Item:
    """The key of what names a delivery over a campaign's additions."""
    return item_key(campaign_partition(campaign_id), delivery_partition(delivery_id))


def open_delivery_key(delivery_id: DeliveryId) -> Item:
    """The key of what says that a delivery is not sent."""
    return item_key(OPEN_PARTITION, delivery_partition(delivery_id))


def listed_key(delivery_id: DeliveryId) -> Item:
    """The key of a delivery among those of its channel."""
    return item_key(channel_partition(delivery_id.channel), f"{DELIVERY_PREFIX}{delivery_id.serial:08d}")


def delivery_cursor_key(delivery_id: DeliveryId, chunk: int) -> Item:
    """The key of a chunk's cursor."""
    return item_key(delivery_partition(delivery_id), f"{CURSOR_PREFIX}{chunk:06d}")


def delivery_receipt_key(receipt: DeliveryReceipt) -> Item:
    """The key of a receipt: by where it starts; the chunk tells apart the empty ones that start at the same byte."""
    return receipt_key(receipt.delivery, receipt.start, receipt.chunk)


def receipt_key(delivery_id: DeliveryId, start: int, chunk: int) -> Item:
    """The key of the receipt of a chunk that starts at `start`."""
    return item_key(delivery_partition(delivery_id), f"{RECEIPT_PREFIX}{offset_text(start)}#{chunk:06d}")


def delivery_item(delivery: Delivery) -> Item:
    """A new delivery's record, before any receipt."""
    return (
        delivery_key(delivery.id)
        | _additions_item(delivery.additions)
        | {
            "campaign": {"S": str(delivery.campaign)},
            "format": {"S": delivery.form.value},
            "kind": {"S": delivery.kind.value},
            "opened_at": {"S": format_instant(delivery.opened_at)},
            "opened_by": {"S": delivery.opened_by},
            "state": {"S": delivery.state.value},
            "reason": {"S": delivery.reason},
        }
    )


def _additions_item(additions: Additions | None) -> Item:
    if additions is None:
        return {}
    worth = {measure: str(size) for measure, size in sorted(additions.worth.items())}
    content = [additions.start, additions.end, additions.number, worth, *filter(None, [additions.channel])]
    return {"additions": {"S": json.dumps(content, separators=(",", ":"))}}


def _read_additions(item: Item) -> Additions | None:
    if "additions" not in item:
        return None
    start, end, number, worth, *channel = json.loads(item["additions"]["S"])
    sizes = {measure: read_number(size) for measure, size in worth.items()}
    return Additions(start, end, number, sizes, channel[0] if channel else "")


def read_delivery(item: Item) -> Delivery:
    """A delivery back from its record."""
    delivery_id = delivery_of_partition(item["pk"]["S"])
    if delivery_id is None:
        raise ValueError("not a delivery's record")
    sent_at = item.get("sent_at")
    return Delivery(
        id=delivery_id,
        campaign=CampaignId.parse(item["campaign"]["S"]),
        form=FileFormat(item["format"]["S"]),
        opened_at=parse_instant(item["opened_at"]["S"]),
        opened_by=item["opened_by"]["S"],
        state=DeliveryState(item["state"]["S"]),
        reason=item["reason"]["S"],
        bytes_done=_number(item, "bytes"),
        lines=_number(item, "lines"),
        parts=_number(item, "parts"),
        dispatched=_number(item, "dispatched"),
        seen=int(item["seen"]["N"]) if "seen" in item else -1,
        sums=_read_sums(item, _SUMS),
        elsewhere=_read_sums(item, _ELSEWHERE),
        sent_at=None if sent_at is None else parse_instant(sent_at["S"]),
        additions=_read_additions(item),
        again=_read_sums(item, _AGAIN),
        kind=ChannelKind(item["kind"]["S"]) if "kind" in item else ChannelKind.FILE,  # older records have none
        rounds=_number(item, "rounds"),
        published=_number(item, "published"),
    )


def _number(item: Item, name: str) -> int:
    return int(item[name]["N"]) if name in item else 0


def delivery_additions(receipt: DeliveryReceipt) -> dict[str, Size]:
    """What a receipt adds to its delivery's record, by attribute."""
    additions: dict[str, Size] = {
        "bytes": receipt.end - receipt.start,
        "lines": receipt.lines,
        "parts": int(receipt.part is not None),
    }
    for name, sums in ((_SUMS, receipt.sums), (_ELSEWHERE, receipt.elsewhere), (_AGAIN, receipt.again)):
        for of, (number, size) in sums.found.items():
            place = f"{name}|{of.type.value}|{'money' if of.is_money else 'units'}|{of.measure}"
            additions[f"{place}|n"], additions[f"{place}|sum"] = number, size
    return additions


def _read_sums(item: Item, name: str) -> CreditSums:
    sums = CreditSums()
    for attribute in item:
        if attribute.startswith(f"{name}|") and attribute.endswith("|n"):
            place = attribute.removesuffix("|n")
            _, kind, measured, measure = place.split("|", 3)
            of = SumOf(CreditType(kind), measure, measured == "money")
            sums.count(of, int(item[attribute]["N"]), read_number(item[f"{place}|sum"]["N"]))
    return sums


def delivery_receipt_item(receipt: DeliveryReceipt) -> Item:
    """A receipt as an item."""
    content: dict[str, Any] = {
        "lines": receipt.lines,
        _SUMS: _sums_content(receipt.sums),
        _ELSEWHERE: _sums_content(receipt.elsewhere),
        "dues": dues_content(receipt.dues),
        **({_AGAIN: _sums_content(receipt.again)} if receipt.again.found else {}),
    }
    if receipt.part is not None:
        content["part"] = [receipt.part.name, receipt.part.size_bytes, receipt.part.sha256, receipt.part.number]
    item = delivery_receipt_key(receipt) | {
        "chunk": {"N": str(receipt.chunk)},
        "end": {"N": str(receipt.end)},
        "finishes_chunk": {"BOOL": receipt.finishes_chunk},
        "delivered": {"S": json.dumps(content, separators=(",", ":"))},
    }
    if receipt.moved_from is not None:
        item["moved_from"] = {"N": str(receipt.moved_from)}
    return item


def read_delivery_receipt(delivery_id: DeliveryId, item: Item) -> DeliveryReceipt:
    """A receipt back from its item."""
    content = json.loads(item["delivered"]["S"])
    return DeliveryReceipt(
        delivery=delivery_id,
        chunk=int(item["chunk"]["N"]),
        start=int(item["sk"]["S"].split("#")[1]),
        end=int(item["end"]["N"]),
        moved_from=int(item["moved_from"]["N"]) if "moved_from" in item else None,
        finishes_chunk=item["finishes_chunk"]["BOOL"],
        lines=content["lines"],
        part=PartFile(*content["part"]) if "part" in content else None,
        sums=_sums_of(content[_SUMS]),
        elsewhere=_sums_of(content[_ELSEWHERE]),
        dues=dues_of_content(content["dues"]),
        again=_sums_of(content.get(_AGAIN, [])),
        published=_number(item, "published"),
    )


def _sums_content(sums: CreditSums) -> list[list[Any]]:
    return [
        [of.type.value, of.measure, of.is_money, number, str(size)] for of, (number, size) in sorted(sums.found.items())
    ]


def _sums_of(content: list[list[Any]]) -> CreditSums:
    return CreditSums(
        {
            SumOf(CreditType(kind), measure, is_money): (number, read_number(size))
            for kind, measure, is_money, number, size in content
        }
    )
