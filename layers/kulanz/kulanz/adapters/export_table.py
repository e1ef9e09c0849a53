"""Exports in CampaignsTable, each beside its campaign: its record with the sums of its parts, and the parts.

`EXPORT#<id>` is the record. `PART#<id>#<offset>` is a part: written once, in one step with what it adds to the record.
No item holds an account.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from kulanz.adapters.aws import call, item_of, query, read_number
from kulanz.adapters.campaign_keys import LAST_OFFSET, Item, campaign_partition, item_key, offset_text
from kulanz.adapters.receipt_actions import NEW, STANDING, add_action, put_action
from kulanz.adapters.transactions import write_together
from kulanz.application.ports import Outdated
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.exports.export import Export, Part
from kulanz.domain.exports.figures import Figures, LineKey, Of, SumKey, Written
from kulanz.domain.time import format_instant, parse_instant

EXPORT_PREFIX = "EXPORT#"


class DynamoExports:
    """The exports of all campaigns."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def begin(self, export: Export) -> Export:
        item = _key(export.campaign, export.id) | {
            "of": {"S": export.of.value},
            "asked_by": {"S": export.asked_by},
            "asked_at": {"S": format_instant(export.asked_at)},
            "counters": {"S": export.counters},
            "span": {"N": str(export.span)},
        }
        with suppress(Outdated):
            write_together(self._client, [put_action(self._table, item, NEW)])
        standing = self.export(export.campaign, export.id)
        assert standing is not None, "it was put just now, or stood there"
        return standing

    def export(self, campaign_id: CampaignId, export_id: str) -> Export | None:
        item = item_of(self._client, self._table, _key(campaign_id, export_id))
        if item is None:
            return None
        return Export(
            campaign=campaign_id,
            id=export_id,
            of=Of(item["of"]["S"]),
            asked_by=item["asked_by"]["S"],
            asked_at=parse_instant(item["asked_at"]["S"]),
            bytes_done=int(item.get("bytes", _NOTHING)["N"]),
            parts=int(item.get("parts", _NOTHING)["N"]),
            figures=_figures_of({name: value["N"] for name, value in item.items() if "|" in name}),
            failed=item.get("failed", {"S": ""})["S"],
            counters=item.get("counters", {"S": ""})["S"],
            span=int(item.get("span", _NOTHING)["N"]),
        )

    def record(self, export: Export, part: Part) -> bool:
        added = {"bytes": part.end - part.start, "parts": 1, **_attributes(part.figures)}
        actions = [
            put_action(self._table, _part_item(export, part), NEW),
            add_action(self._table, _key(export.campaign, export.id), added, STANDING),
        ]
        try:
            write_together(self._client, actions)
        except Outdated:
            return False
        return True

    def parts(self, export: Export, start: int = 0, stop: int | None = None) -> Iterator[Part]:
        last = LAST_OFFSET if stop is None else stop - 1
        place = campaign_partition(export.campaign), _part_prefix(export)
        for item in query(self._client.query, self._table, *place, offset_text(start), offset_text(last)):
            yield _read_part(item)

    def fail(self, export: Export, reason: str) -> None:
        call(
            "UpdateItem",
            self._client.update_item,
            TableName=self._table,
            Key=_key(export.campaign, export.id),
            UpdateExpression="SET #failed = if_not_exists(#failed, :reason)",
            ConditionExpression="attribute_exists(pk)",
            ExpressionAttributeNames={"#failed": "failed"},
            ExpressionAttributeValues={":reason": {"S": reason}},
        )


_NOTHING: Item = {"N": "0"}


def _key(campaign_id: CampaignId, export_id: str) -> Item:
    return item_key(campaign_partition(campaign_id), f"{EXPORT_PREFIX}{export_id}")


def _part_prefix(export: Export) -> str:
    return f"PART#{export.id}#"


def _part_item(export: Export, part: Part) -> Item:
    figures = {name: str(value) for name, value in _attributes(part.figures).items()}
    return item_key(campaign_partition(export.campaign), f"{_part_prefix(export)}{offset_text(part.start)}") | {
        "end": {"N": str(part.end)},
        "lines": {"N": str(part.lines)},
        "rows": {"N": str(part.rows)},
        "key": {"S": part.key},
        "size": {"N": str(part.size)},
        "sha256": {"S": part.sha256},
        "figures": {"S": json.dumps(figures, sort_keys=True, separators=(",", ":"))},
    }


def _read_part(item: Item) -> Part:
    return Part(
        start=int(item["sk"]["S"].rpartition("#")[2]),
        end=int(item["end"]["N"]),
        lines=int(item["lines"]["N"]),
        rows=int(item["rows"]["N"]),
        key=item["key"]["S"],
        size=int(item["size"]["N"]),
        sha256=item["sha256"]["S"],
        figures=_figures_of(json.loads(item["figures"]["S"])),
    )


def _attributes(figures: Figures) -> dict[str, Any]:
    """Figures by the names of the attributes that add them up."""
    lines = {f"lines|{key.result}|{key.reason}|{key.written.value}": n for key, n in figures.lines.items()}
    return lines | {f"sum|{key.of}|{key.measure}": size for key, size in figures.sums.items()}


def _figures_of(attributes: dict[str, str]) -> Figures:
    lines: Counter[LineKey] = Counter()
    found = Figures(lines)
    for name, number in attributes.items():
        kind, _, rest = name.partition("|")
        if kind == "lines":
            result, reason, written = rest.split("|")
            lines[LineKey(result, reason, Written(written))] = int(number)
        elif kind == "sum":
            of, measure = rest.split("|", 1)  # a unit is a text of the policy's own
            found.sums[SumKey(of, measure)] = read_number(number)
    return found
