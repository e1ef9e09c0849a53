"""The biller of the demo: a process of its own, which imports nothing of Kulanz and has accounts, bills and cycles.

It is the one that the tests plan faults with (`tests/fake_biller`); here it is spoken to as a billing system would be:
by files, and by what its desk offers over HTTP.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kulanz_local.embedded import PROJECT

ANSWER_SECONDS = 60
END_SECONDS = 10


class BillerRefused(Exception):
    """The biller does not take what it was given; the text has its code."""


@dataclass(frozen=True, slots=True)
class BilledLine:
    """A credit on an issued invoice. `amount` is in `measure`, a currency or a unit."""

    bill: str
    credit_id: str
    account_id: str
    amount: Decimal
    measure: str


class BillingProcess:
    """What the biller's desk offers."""

    def __init__(self, address: str) -> None:
        self._place = urlsplit(address)

    def open_accounts(self, accounts: Iterable[tuple[str, str, str]]) -> None:
        """Open accounts: key, currency, and what each bill charges."""
        self._asked("PUT", "/accounts", json.dumps(list(accounts)).encode())

    def set_faults(self, **switches: Any) -> None:
        """Err so from now on, as `tests/fake_biller` describes its switches."""
        self._asked("PUT", "/faults", json.dumps(switches).encode())

    def take(self, channel: str, serial: int, files: Mapping[str, bytes]) -> str:
        """Read a delivery: `taken`, or `already` where the same was taken. Raises BillerRefused."""
        for name, content in files.items():
            self._asked("PUT", f"/inbox/{channel}/{serial}/{name}", content)
        return str(json.loads(self._asked("POST", f"/take/{channel}/{serial}")))

    def run_cycle(self, day: str) -> int:
        """Bill every account for a day; how many bills were made."""
        return int(json.loads(self._asked("POST", f"/cycle/{day}")))

    def void(self, bill: str, day: str) -> int:
        """Void an invoice; how many credits were on it."""
        return int(json.loads(self._asked("POST", f"/void/{bill}/{day}")))

    def answers(self) -> bytes:
        """The next answer file."""
        return self._asked("POST", "/answers")

    def on_bills(self) -> list[BilledLine]:
        """Every credit on an issued invoice, as its own books have it."""
        found = json.loads(self._asked("GET", "/lines.json"))
        return [BilledLine(bill, credit, account, Decimal(size), unit) for bill, credit, account, size, unit in found]

    def _asked(self, method: str, path: str, body: bytes = b"") -> bytes:
        connection = HTTPConnection(self._place.hostname or "", self._place.port, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status != 200:  # noqa: PLR2004
            raise BillerRefused(f"{method} {path}: {content.decode(errors='replace')}")
        return content


@contextmanager
def billing_process(folder: Path) -> Iterator[BillingProcess]:
    """Run the biller with its books in a folder, and end it."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.fake_biller", str(folder)],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield BillingProcess(process.stdout.readline().decode().strip())
        finally:
            process.stdin.close()
            process.wait(END_SECONDS)
