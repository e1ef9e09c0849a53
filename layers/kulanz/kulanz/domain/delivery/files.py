"""The files of a delivery: parts with credits, and a trailer that releases them.

A reader takes the trailer first. What it does not name is no part of the delivery; a part whose bytes, SHA-256 or count
differ is damaged. All is rendered from what is assigned, so that a repetition gives the same bytes.

CSV (RFC 4180, UTF-8, lines end with a line feed, no line of names) and JSON Lines have the same records, told apart by
their first field. docs/delivery.md is the layout for billing engineers.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.credit import Credit, CreditContract, CreditSums, SumOf
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.money import Size, format_minor, minor_units
from kulanz.domain.time import format_instant

LAYOUT_VERSION = 1
TRAILER = "trailer"
CONTENT_TYPES = {FileFormat.CSV: "text/csv; charset=utf-8", FileFormat.JSONL: "application/x-ndjson"}

CREDIT_FIELDS = (
    "credit_id", "type", "account_id", "biller_account", "subject", "amount", "measure", "kind", "due", "valid_from",
    "valid_until", "text", "reason_code", "treatment", "ledger_account", "corrects", "to", "restriction", "terms",
    "due_by",
)  # fmt: skip
"""The fields of a record C, in the order of its columns. Further ones may be added behind these, never between."""

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What makes a spreadsheet take a text for a formula."""
_QUOTED = frozenset(',"\r\n')

type Record = Sequence[tuple[str, str | int]]
"""A record's fields by name, in order; the first one is `record`, its letter."""


@dataclass(frozen=True, slots=True)
class PartHead:
    """What a part says of itself. `part` is the place in its list at which the part begins.

    `at` is when the delivery was opened: the same however often a part is rendered.
    """

    delivery: DeliveryId
    campaign: str
    part: int
    at: datetime


@dataclass(frozen=True, slots=True)
class PartFile:
    """A part as the trailer names it; `name` has no folder."""

    name: str
    size_bytes: int
    sha256: str
    number: int


def part_name(start: int, end: int, form: FileFormat) -> str:
    """The name of the part over `[start, end)` of its list: one range of what is assigned has one content."""
    return f"part-{start:014d}-{end:014d}.{form.value}"


def trailer_name(form: FileFormat) -> str:
    """The name of a delivery's last file."""
    return f"{TRAILER}.{form.value}"


def render_part(head: PartHead, credits_: Iterable[Credit], form: FileFormat) -> bytes:
    """A part: its header H, then a record C for each credit, in the order given."""
    records = [_head_record(head), *(_credit_record(credit.content()) for credit in credits_)]
    return _rendered(records, form)


def part_file(name: str, content: bytes, number: int) -> PartFile:
    """A rendered part as the trailer names it."""
    return PartFile(name, len(content), sha256(content).hexdigest(), number)


def render_trailer(delivery: DeliveryId, parts: Iterable[PartFile], sums: CreditSums, form: FileFormat) -> bytes:
    """The last file of a delivery: a record P for each part, S for each sum, and T at the very end."""
    listed: list[Record] = [
        (("record", "P"), ("file", part.name), ("bytes", part.size_bytes), ("sha256", part.sha256), ("n", part.number))
        for part in parts
    ]
    number_of_parts = len(listed)
    listed += [
        (("record", "S"), ("type", of.type.value), ("measure", of.measure), ("n", number), ("sum", sum_text(of, size)))
        for of, (number, size) in sorted(sums.found.items())
    ]
    listed.append(
        (
            ("record", "T"),
            ("v", LAYOUT_VERSION),
            ("channel", delivery.channel),
            ("serial", delivery.serial),
            ("parts", number_of_parts),
            ("n", sums.number),
        )
    )
    return _rendered(listed, form)


def sum_text(of: SumOf, size: Size) -> str:
    """A sum as a plain decimal, in the decimals of its currency where it is money."""
    return format_minor(int(size), minor_units(of.measure)) if of.is_money else f"{size:f}"


def _head_record(head: PartHead) -> Record:
    return (
        ("record", "H"),
        ("v", LAYOUT_VERSION),
        ("channel", head.delivery.channel),
        ("serial", head.delivery.serial),
        ("campaign", head.campaign),
        ("part", head.part),
        ("at", format_instant(head.at)),
    )


def _credit_record(content: CreditContract) -> Record:
    terms = content["terms"]
    told = {**content, "terms": json.dumps(terms, sort_keys=True, ensure_ascii=False) if terms else ""}
    return (("record", "C"), *((name, str(told[name])) for name in CREDIT_FIELDS))


def _rendered(records: Iterable[Record], form: FileFormat) -> bytes:
    lines = map(_csv_line if form is FileFormat.CSV else _json_line, records)
    return "".join(lines).encode()


def _csv_line(record: Record) -> str:
    return ",".join([_cell(value) for _, value in record]) + "\n"


def _cell(value: str | int) -> str:
    """A field, so that no spreadsheet takes it for a formula, and quoted where it has to be."""
    if isinstance(value, int):
        return str(value)
    if value.startswith(_FORMULAS):
        value = f"'{value}"
    return f'"{value.replace('"', '""')}"' if not _QUOTED.isdisjoint(value) else value


def _json_line(record: Record) -> str:
    content: dict[str, Any] = dict(record)
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n"
