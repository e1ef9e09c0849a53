"""Writes deliveries for the fake biller by the description of the files, and breaks them on purpose."""

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256

from tests.fake_biller.reading import FIELDS

CHANNEL = "billing"


@dataclass(frozen=True, slots=True)
class Sent:
    """A credit as a test delivers it."""

    credit_id: str
    account: str = "A-1"
    biller_account: str = "A-1"
    amount: str = "5.00"
    measure: str = "USD"
    kind: str = "money"
    type: str = "credit"
    subject: str = ""
    text: str = "Credit for the outage"
    corrects: str = ""

    def record(self) -> list[str]:
        """Its record in a part."""
        return ["C", *(getattr(self, name, "") for name in FIELDS)]


def delivery(serial: int, parts: Sequence[Sequence[Sent]]) -> dict[str, bytes]:
    """The files of a delivery that is as it should be."""
    files: dict[str, bytes] = {}
    trailer: list[list[str]] = []
    sums: dict[tuple[str, str], tuple[int, Decimal]] = defaultdict(lambda: (0, Decimal(0)))
    for number, part in enumerate(parts):
        name = f"part-{number:06d}.csv"
        head = ["H", "1", CHANNEL, str(serial), "outage/1", name, "2026-11-30T00:00:00Z"]
        files[name] = written([head, *(one.record() for one in part)])
        trailer.append(["P", name, str(len(files[name])), sha256(files[name]).hexdigest(), str(len(part))])
        for one in part:
            count, total = sums[one.type, one.measure]
            sums[one.type, one.measure] = count + 1, total + Decimal(one.amount)
    trailer += [["S", *of, str(count), str(total)] for of, (count, total) in sums.items()]
    trailer.append(["T", "1", CHANNEL, str(serial), str(len(parts)), str(sum(map(len, parts)))])
    files["trailer.csv"] = written(trailer)
    return files


def written(records: Sequence[Sequence[str]]) -> bytes:
    """Records as CSV."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(records)
    return out.getvalue().encode()
