"""Reads a delivery as a mainframe would: serial, parts, counts, sums and trailer first, and only then its credits.

A refusal is of the whole delivery, and says why by a code. Nothing of it is booked then. This is written from the
description of the files alone: it imports nothing of the program that writes them.
"""

import csv
import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

TRAILERS = {"trailer.csv": "csv", "trailer.jsonl": "jsonl"}
VERSION = "1"
FIELDS = (
    *("credit_id", "type", "account", "biller_account", "subject", "amount", "measure", "kind", "due"),
    *("valid_from", "valid_until", "text", "reason_code", "treatment", "ledger_account", "corrects"),
)
"""The fields of a credit, in the order of a record. Further ones may stand behind them."""
TYPES = ("credit", "reversal")
ID_CHARACTERS = 100


class Refused(Exception):
    """A delivery is not taken. `code` says why."""

    def __init__(self, code: str, told: str = "") -> None:
        super().__init__(f"{code}: {told}" if told else code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Credit:
    """One credit as it was delivered; amounts are unsigned."""

    credit_id: str
    type: str
    account: str
    biller_account: str
    subject: str
    amount: Decimal
    measure: str
    kind: str
    due: str
    valid_from: str
    valid_until: str
    text: str
    reason_code: str
    treatment: str
    ledger_account: str
    corrects: str

    @property
    def content(self) -> str:
        """Everything that it says, to be compared with what stands under its id."""
        return "\x1f".join(str(getattr(self, name)) for name in FIELDS)


@dataclass(slots=True)
class _Trailer:
    """What a trailer says: each part with its bytes, SHA-256 and count; sums by type and measure; and its end."""

    parts: dict[str, tuple[int, str, int]]
    sums: dict[tuple[str, str], tuple[int, Decimal]]
    ends: list[tuple[str, ...]]


def read_delivery(channel: str, serial: int, files: Mapping[str, bytes]) -> list[Credit]:
    """The credits of a delivery that is whole. Raises Refused where anything about it is not as its trailer says."""
    name = next((name for name in TRAILERS if name in files), None)
    if name is None:
        raise Refused("no_trailer", "nothing is released yet")
    read = _read_csv if TRAILERS[name] == "csv" else _read_jsonl
    trailer = _trailer(read(files[name]))
    _must_be_complete(channel, serial, set(files) - {name}, trailer)
    found: list[Credit] = []
    for part, (size, digest, count) in trailer.parts.items():
        content = files[part]
        if len(content) != size or hashlib.sha256(content).hexdigest() != digest:
            raise Refused("part_changed", part)
        inside = list(_credits_of(channel, serial, part, read(content)))
        if len(inside) != count:
            raise Refused("part_count", part)
        found += inside
    _must_add_up(found, trailer)
    return found


def _trailer(records: Iterator[list[str]]) -> _Trailer:
    trailer = _Trailer({}, {}, [])
    for kind, *fields in records:
        match kind, fields:
            case "P", [name, size, digest, count]:
                trailer.parts[name] = int(size), digest, int(count)
            case "S", [type_, measure, count, total]:
                trailer.sums[type_, measure] = int(count), _amount(total)
            case "T", _:
                trailer.ends.append(tuple(fields))
            case _:
                raise Refused("trailer_malformed", kind)
    return trailer


def _must_add_up(found: list[Credit], trailer: _Trailer) -> None:
    sums: dict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for one in found:
        number, total = sums[one.type, one.measure]
        sums[one.type, one.measure] = number + 1, total + one.amount
    if dict(sums) != trailer.sums:
        raise Refused("sum_differs")
    if int(trailer.ends[0][4]) != len(found):
        raise Refused("count_differs")
    if len({one.credit_id for one in found}) != len(found):
        raise Refused("id_twice")


def _must_be_complete(channel: str, serial: int, parts: set[str], trailer: _Trailer) -> None:
    if len(trailer.ends) != 1 or trailer.ends[0][:3] != (VERSION, channel, str(serial)):
        raise Refused("trailer_of_another", "another channel, serial or version")
    if int(trailer.ends[0][3]) != len(trailer.parts):
        raise Refused("part_missing", "the trailer names another number of parts")
    if set(trailer.parts) != parts:
        raise Refused("part_missing", "the parts are not those of the trailer")


def _credits_of(channel: str, serial: int, name: str, records: Iterator[list[str]]) -> Iterator[Credit]:
    head = next(records, [])
    if head[:4] != ["H", VERSION, channel, str(serial)]:
        raise Refused("header_of_another", name)
    for kind, *fields in records:
        if kind != "C" or len(fields) < len(FIELDS):
            raise Refused("record_malformed", name)
        values = dict(zip(FIELDS, fields, strict=False))
        amount = _amount(values.pop("amount"))
        one = Credit(amount=amount, **values)
        if one.type not in TYPES or not one.credit_id.isascii() or not 0 < len(one.credit_id) <= ID_CHARACTERS:
            raise Refused("record_malformed", name)
        yield one


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise Refused("amount_malformed") from None
    if not amount.is_finite() or amount < 0 or "E" in text.upper() or text[:1] in "+-":
        raise Refused("amount_malformed")
    return amount


def _read_csv(content: bytes) -> Iterator[list[str]]:
    if content and not content.endswith(b"\n"):
        raise Refused("cut_off", "the last line has no end")
    yield from csv.reader(io.StringIO(content.decode("utf-8"), newline=""), strict=True)


def _read_jsonl(content: bytes) -> Iterator[list[str]]:
    if content and not content.endswith(b"\n"):
        raise Refused("cut_off", "the last line has no end")
    for line in content.decode("utf-8").splitlines():
        yield [str(value) for value in json.loads(line).values()]
