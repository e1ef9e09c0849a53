"""The biller itself: accounts, what is booked on them, bills, and the answers that it owes.

One credit is booked under its id at most once. A bill cycle bills every account once: what the account is charged, less
the credits that are booked and not applied yet, as far as the charge goes. An invoice can be voided afterwards: what
was applied on it is taken back, and no later bill applies it again under that id. A reversal takes a booked credit off
the next bill, by a line of its own. Where the credit is taken back, so is its reversal, first.
"""

import csv
import io
import random
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any

from tests.fake_biller.reading import Credit, Refused, read_delivery

ANSWER_FIELDS = (
    *("serial", "credit_id", "account_id", "subject", "answer", "amount", "measure"),
    *("bill", "billed_on", "code"),
)
"""The columns of an answer file."""
REVERSAL = "reversal"
OPEN, CLOSED = "open", "closed"
BOOKED, APPLIED, REJECTED, TAKEN_BACK = "booked", "applied", "rejected", "taken_back"

_TABLES = """
create table if not exists accounts (key text primary key, currency text, charge text, state text);
create table if not exists deliveries (channel text, serial integer, digest text, primary key (channel, serial));
create table if not exists credits (
    id text primary key, channel text, serial integer, content text, type text, account text, biller_account text,
    subject text, amount text, measure text, words text, state text, code text, applied text, corrects text);
create table if not exists bills (id text primary key, account text, cycle integer, day text, charge text, state text);
create table if not exists bill_lines (bill text, credit text, amount text, measure text);
create table if not exists answers (
    number integer primary key, serial integer, credit_id text, account_id text, subject text, answer text, amount text,
    measure text, bill text, billed_on text, code text, file integer);
"""


@dataclass(frozen=True, slots=True)
class Faults:
    """What it does wrong, by switch. Shares are of 1,000 credits or answers, chosen by the seed.

    `rejects` maps a code to the share of new credits that get it. `percent_applied` is how many per cent of a
    credit one bill applies. `held_back` is how many answer files are written without the newest answers.
    """

    seed: int = 0
    rejects: Mapping[str, int] = field(default_factory=dict)
    percent_applied: int = 100
    lines_twice: int = 0
    lines_of_others: int = 0
    other_order: bool = False
    other_amounts: int = 0
    held_back: int = 0
    loses_deliveries: int = 0
    rejects_reversals: int = 0

    @classmethod
    def of(cls, switches: Mapping[str, Any]) -> "Faults":
        """The faults that switches name; every name must be one of them."""
        return replace(cls(), **switches)


class Biller:
    """Accounts and bills in one file of SQLite, so that they outlive the process."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.executescript(_TABLES)
        self.faults = Faults()
        self._random = random.Random(0)

    def close(self) -> None:
        """Close its file."""
        self._db.close()

    def set_faults(self, faults: Faults) -> None:
        """Err so from now on."""
        self.faults = faults
        self._random = random.Random(faults.seed)

    def _by_chance(self, share: int) -> bool:
        return share > 0 and self._random.randrange(1_000) < share

    # Accounts

    def open_accounts(self, accounts: Iterable[tuple[str, str, str]]) -> None:
        """Open accounts: key, currency, and what each bill charges."""
        with self._db:
            self._db.execute("begin")
            self._db.executemany("insert or replace into accounts values (?, ?, ?, 'open')", accounts)

    def close_account(self, key: str) -> None:
        """Take no credit on an account any more."""
        self._db.execute("update accounts set state = 'closed' where key = ?", (key,))

    # Deliveries

    def take(self, channel: str, serial: int, files: Mapping[str, bytes]) -> str:
        """Book a delivery: `taken`; `already` where the same was taken; `lost` where it loses it. Raises Refused."""
        if self._by_chance(self.faults.loses_deliveries):
            return "lost"
        digest = _digest(files)
        last = self._one("select max(serial) from deliveries where channel = ?", channel) or 0
        if serial <= last:
            known = self._one("select digest from deliveries where channel = ? and serial = ?", channel, serial)
            if known != digest:
                raise Refused("serial_repeated", "another content came under this serial before")
            return "already"
        if serial != last + 1:
            raise Refused("serial_gap", f"after {last} comes {last + 1}")
        found = read_delivery(channel, serial, files)
        with self._db:
            self._db.execute("begin")
            self._db.execute("insert into deliveries values (?, ?, ?)", (channel, serial, digest))
            for one in found:
                self._book(channel, serial, one)
        return "taken"

    def _book(self, channel: str, serial: int, one: Credit) -> None:
        known = self._db.execute("select content, state from credits where id = ?", (one.credit_id,)).fetchone()
        if known is not None and known[1] != REJECTED:
            self._answer(serial, one, *(("rejected", "id_reused") if known[0] != one.content else ("accepted", "")))
            return
        code = self._why_not(one)
        state = REJECTED if code else BOOKED
        self._db.execute(
            "insert or replace into credits values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '0', ?)",
            (
                *(one.credit_id, channel, serial, one.content, one.type, one.account, one.biller_account),
                *(one.subject, str(one.amount), one.measure, one.text, state, code, one.corrects),
            ),
        )
        self._answer(serial, one, "rejected" if code else "accepted", code)

    def _why_not(self, one: Credit) -> str:
        account = self._db.execute(
            "select currency, state from accounts where key = ?", (one.biller_account,)
        ).fetchone()
        if account is None:
            return "unknown_account"
        if account[1] != OPEN:
            return "account_closed"
        if one.kind == "money" and account[0] != one.measure:
            return "currency_differs"
        if one.type == REVERSAL:
            return self._why_not_reversed(one)
        return next((code for code, share in self.faults.rejects.items() if self._by_chance(share)), "")

    def _why_not_reversed(self, one: Credit) -> str:
        credit = self._db.execute(
            "select biller_account, measure, amount, state from credits where id = ? and type = 'credit'",
            (one.corrects,),
        ).fetchone()
        if credit is None or credit[:2] != (one.biller_account, one.measure):
            return "unknown_credit"
        if credit[3] not in (BOOKED, APPLIED):
            return "credit_not_booked"
        if sum((Decimal(amount) for _, amount in self._reversals(one.corrects)), one.amount) > Decimal(credit[2]):
            return "reversal_exceeds"
        return "reversal_refused" if self._by_chance(self.faults.rejects_reversals) else ""

    def _reversals(self, credit: str) -> list[tuple[str, str]]:
        """The reversals of a credit that are booked, with their amounts."""
        return self._db.execute(
            "select id, amount from credits where corrects = ? and type = 'reversal' and state in ('booked', 'applied')"
            " order by id",
            (credit,),
        ).fetchall()

    def _answer(self, serial: int, one: Credit, answer: str, code: str = "") -> None:
        self._owe(serial, one.credit_id, one.account, one.subject, answer, str(one.amount), one.measure, code=code)

    def _owe(
        self,
        serial: int,
        credit_id: str,
        account: str,
        subject: str,
        answer: str,
        amount: str,
        measure: str,
        *,
        bill: str = "",
        day: str = "",
        code: str = "",
    ) -> None:
        self._db.execute(
            "insert into answers values (null, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, null)",
            (serial, credit_id, account, subject, answer, amount, measure, bill, day, code),
        )

    # Bills

    def run_cycle(self, day: str) -> int:
        """Bill every open account for a day; how many bills were made."""
        with self._db:
            self._db.execute("begin")
            cycle = (self._one("select max(cycle) from bills") or 0) + 1
            accounts = self._db.execute("select key, charge from accounts where state = 'open' order by key").fetchall()
            for key, charge in accounts:
                bill = f"B{cycle:03d}-{key}"
                self._db.execute("insert into bills values (?, ?, ?, ?, ?, 'issued')", (bill, key, cycle, day, charge))
                self._apply(bill, key, day, Decimal(charge))
        return len(accounts)

    def _apply(self, bill: str, key: str, day: str, charge: Decimal) -> None:
        found = self._db.execute(
            "select id, serial, account, subject, type, amount, measure, applied from credits"
            " where biller_account = ? and state = 'booked' order by serial, id",
            (key,),
        ).fetchall()
        for credit_id, serial, account, subject, kind, amount, measure, applied in found:
            whole, left = Decimal(amount), Decimal(amount) - Decimal(applied)
            now = left
            if kind == "credit" and len(measure) == 3:
                part = (whole * self.faults.percent_applied / 100).quantize(Decimal("0.01"))
                now = min(left, max(part, Decimal("0.01")), charge)
                charge -= now
            if kind == REVERSAL and len(measure) == 3:
                charge += now
            if now <= 0:
                continue
            state = APPLIED if now == left else BOOKED
            self._db.execute(
                "update credits set applied = ?, state = ? where id = ?",
                (str(Decimal(applied) + now), state, credit_id),
            )
            on_bill = -now if kind == REVERSAL else now
            self._db.execute("insert into bill_lines values (?, ?, ?, ?)", (bill, credit_id, str(on_bill), measure))
            self._owe(serial, credit_id, account, subject, "applied", str(now), measure, bill=bill, day=day)

    def void(self, bill: str, day: str) -> int:
        """Void an issued invoice: every credit on it is taken back whole; how many."""
        with self._db:
            self._db.execute("begin")
            if self._one("select state from bills where id = ?", bill) != "issued":
                raise Refused("no_such_bill")
            self._db.execute("update bills set state = 'voided' where id = ?", (bill,))
            found = self._db.execute(
                "select c.id, c.serial, c.account, c.subject, c.amount, c.measure from credits c"
                " where c.state in ('booked', 'applied') and (c.id in (select credit from bill_lines where bill = ?)"
                " or c.type = 'reversal' and c.corrects in (select credit from bill_lines where bill = ?))"
                " order by c.type desc, c.id",  # reversals first
                (bill, bill),
            ).fetchall()
            for credit_id, serial, account, subject, amount, measure in found:
                self._db.execute("update credits set state = 'taken_back', applied = '0' where id = ?", (credit_id,))
                self._db.execute("delete from bill_lines where credit = ? and bill <> ?", (credit_id, bill))
                self._owe(serial, credit_id, account, subject, TAKEN_BACK, amount, measure, bill=bill, day=day)
        return len(found)

    # Answers

    def write_answers(self) -> bytes:
        """The next answer file: what it owes and has not written yet, with the faults that are switched on."""
        if self.faults.held_back > 0:
            self.faults = replace(self.faults, held_back=self.faults.held_back - 1)
            return _as_csv([])
        with self._db:
            self._db.execute("begin")
            number = (self._one("select max(file) from answers") or 0) + 1
            rows = self._db.execute(
                f"select number, {', '.join(ANSWER_FIELDS)} from answers where file is null order by number"  # noqa: S608
            ).fetchall()
            self._db.executemany("update answers set file = ? where number = ?", [(number, row[0]) for row in rows])
        return _as_csv(self._spoilt([row[1:] for row in rows]))

    def file_again(self, number: int) -> bytes:
        """An answer file that was written before, once more."""
        rows = self._db.execute(
            f"select {', '.join(ANSWER_FIELDS)} from answers where file = ? order by number",  # noqa: S608
            (number,),
        ).fetchall()
        return _as_csv(self._spoilt(rows))

    def _spoilt(self, rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        faults, written = self.faults, list[tuple[Any, ...]]()
        amount, credit = ANSWER_FIELDS.index("amount"), ANSWER_FIELDS.index("credit_id")
        for row in rows:
            one = list(row)
            if self._by_chance(faults.other_amounts):
                one[amount] = str(Decimal(one[amount]) + 1)
            written.append(tuple(one))
            if self._by_chance(faults.lines_twice):
                written.append(tuple(one))
            if self._by_chance(faults.lines_of_others):
                other = list(row)
                other[credit] = sha256(str(other).encode()).hexdigest()[:32]
                written.append(tuple(other))
        if faults.other_order:
            self._random.shuffle(written)
        return written

    # What is on its bills

    def on_bills(self) -> Iterator[tuple[str, str, str, Decimal, str]]:
        """Every line of an issued invoice: bill, credit id, account as we know it, amount, measure."""
        for bill, credit, account, amount, measure in self._db.execute(
            "select l.bill, l.credit, c.account, l.amount, l.measure from bill_lines l"
            " join credits c on c.id = l.credit join bills b on b.id = l.bill"
            " where b.state = 'issued' order by l.bill, l.credit"
        ):
            yield bill, credit, account, Decimal(amount), measure

    def applied_in_all(self, credit: str) -> Decimal:
        """What it ever applied of a credit, whether that was taken back since or not."""
        found = self._db.execute("select amount from answers where credit_id = ? and answer = 'applied'", (credit,))
        return sum((Decimal(amount) for (amount,) in found), Decimal(0))

    def booked(self) -> dict[str, tuple[str, str]]:
        """Every credit that it knows, with its state and code."""
        return {one: (state, code) for one, state, code in self._db.execute("select id, state, code from credits")}

    def bills(self) -> list[dict[str, Any]]:
        """Every bill with its lines, for the page."""
        found = self._db.execute(
            "select id, account, cycle, day, charge, state from bills order by cycle, account"
        ).fetchall()
        names = ("id", "account", "cycle", "day", "charge", "state")
        lines: dict[str, list[dict[str, str]]] = {}
        for bill, credit, amount, measure, words in self._db.execute(
            "select l.bill, l.credit, l.amount, l.measure, c.words from bill_lines l join credits c on c.id = l.credit"
        ):
            lines.setdefault(bill, []).append({"credit": credit, "amount": amount, "measure": measure, "text": words})
        return [dict(zip(names, bill, strict=True)) | {"lines": lines.get(bill[0], [])} for bill in found]

    def _one(self, query: str, *values: object) -> Any:
        found = self._db.execute(query, values).fetchone()
        return None if found is None else found[0]


def _digest(files: Mapping[str, bytes]) -> str:
    whole = sha256()
    for name in sorted(files):
        whole.update(name.encode() + b"\0" + sha256(files[name]).digest())
    return whole.hexdigest()


def _as_csv(rows: Iterable[Iterable[object]]) -> bytes:
    written = io.StringIO(newline="")
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(ANSWER_FIELDS)
    writer.writerows(rows)
    return written.getvalue().encode()
