"""Reads the files of a delivery as a careful billing system would, by docs/delivery.md alone.

It imports nothing of Kulanz. What is not as the page says raises ValueError: then nothing is booked.
"""

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any

FIELDS = (
    "credit_id", "type", "account_id", "biller_account", "subject", "amount", "measure", "kind", "due", "valid_from",
    "valid_until", "text", "reason_code", "treatment", "ledger_account", "corrects", "to", "restriction", "terms",
    "due_by",
)  # fmt: skip
RECORDS = {
    "H": ("v", "channel", "serial", "campaign", "part", "at"),
    "C": FIELDS,
    "P": ("file", "bytes", "sha256", "n"),
    "S": ("type", "measure", "n", "sum"),
    "T": ("v", "channel", "serial", "parts", "n"),
}


@dataclass(frozen=True)
class ReadDelivery:
    """What a delivery asks to be booked: each credit by its id, and the parts that were read."""

    credits: Mapping[str, Mapping[str, str]]
    parts: tuple[str, ...]
    campaign: str


def is_released(documents: Mapping[str, bytes], folder: str) -> bool:
    """Whether there is a trailer."""
    return any(f"{folder}/trailer.{form}" in documents for form in ("csv", "jsonl"))


def read_delivery(documents: Mapping[str, bytes], folder: str) -> ReadDelivery:
    """Read a released delivery, and check all that can be checked. Raises ValueError."""
    form = "csv" if f"{folder}/trailer.csv" in documents else "jsonl"
    trailer = _records(documents[f"{folder}/trailer.{form}"], form)
    end = trailer[-1]
    _must(end["record"] == "T" and end["v"] == "1", "the trailer ends with T")
    channel, serial = folder.split("/")[1:]
    _must((end["channel"], int(end["serial"])) == (channel, int(serial)), "the trailer is this delivery's")
    found: dict[str, Mapping[str, str]] = {}
    campaigns, parts = set(), []
    for part in (one for one in trailer if one["record"] == "P"):
        content = documents[f"{folder}/{part['file']}"]
        _must(len(content) == int(part["bytes"]), "bytes")
        _must(sha256(content).hexdigest() == part["sha256"], "SHA-256")
        head, *credits_ = _records(content, form)
        _must(head["record"] == "H" and head["serial"] == end["serial"], "a part begins with H")
        _must(len(credits_) == int(part["n"]), "the credits of a part")
        for credit in credits_:
            _must(credit["record"] == "C" and credit["credit_id"] not in found, "a credit stands once")
            found[credit["credit_id"]] = credit
        campaigns.add(head["campaign"])
        parts.append(part["file"])
    _must(len(parts) == int(end["parts"]) and len(found) == int(end["n"]), "the counts of the trailer")
    told = {
        (one["type"], one["measure"]): (int(one["n"]), Decimal(one["sum"])) for one in trailer if one["record"] == "S"
    }
    _must(told == _sums(found), "the sums of the trailer")
    _must(len(campaigns) == 1, "one campaign")
    return ReadDelivery(found, tuple(parts), campaigns.pop())


def _sums(credits_: Mapping[str, Mapping[str, str]]) -> dict[tuple[str, str], tuple[int, Decimal]]:
    sums: dict[tuple[str, str], tuple[int, Decimal]] = {}
    for credit in credits_.values():
        place = credit["type"], credit["measure"]
        number, size = sums.get(place, (0, Decimal(0)))
        sums[place] = number + 1, size + Decimal(credit["amount"])
    return sums


def _records(content: bytes, form: str) -> list[dict[str, str]]:
    if form == "jsonl":
        lines: list[dict[str, Any]] = [json.loads(line) for line in content.decode().splitlines()]
        return [{name: str(value) for name, value in line.items()} for line in lines]
    rows = csv.reader(io.StringIO(content.decode(), newline=""))
    return [dict(zip(("record", *RECORDS[row[0]]), row, strict=True)) for row in rows]


def _must(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)
