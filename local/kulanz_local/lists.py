"""Lists of invented accounts, of any size, with trouble planted among the rows, and what must become of every line.

What is expected is counted from what was planted, never by reading or deciding the list: it shares no code with the
product, so that both can be compared. Everything follows from (accounts, seed): the same call writes the same bytes.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

WRITE_BUFFER_BYTES = 1024 * 1024
TROUBLE_EVERY_ACCOUNTS = 97
TROUBLE_EVERY_ACCOUNTS_LEAST = 5
"""Trouble is planted after every so many accounts, and closer on a short list, so that it has every kind."""
FAR_REPEATED_PLACE, FAR_CONTRADICTED_PLACE = 1, 2
"""The accounts, after each planted trouble, of which one may come again far below; the first is for the row below."""
OVERLONG_LINE_BYTES = 70_000
"""Longer than any line may be: the limit is 65,536 bytes."""

type Cell = str | int | bool | None
"""A fact as the list states it; None is unknown."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy must say of an account: result, reason code, what it is worth, and whether the customer is told.

    `measure` is a currency (`amount` in minor units) or a unit; empty when nothing is granted.
    """

    row_result: str
    reason: str
    measure: str = ""
    amount: int = 0
    has_notice: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """One row: the account and its cells by column, in the list's order."""

    account_id: str
    cells: Mapping[str, Cell]
    verdict: Verdict


class ListFormat(StrEnum):
    """How a list is written."""

    CSV = "csv"
    JSONL = "jsonl"


@dataclass(frozen=True, slots=True)
class Maker:
    """How the accounts of a case are invented.

    `account` gives the n-th account of a seed, `contradiction` the same account with other facts; `text_column` is one
    that the policy does not read, and `wrong_facts` are cells that no account can have by what the policy declares.
    """

    format: ListFormat
    account: Callable[[int, int], Account]
    contradiction: Callable[[Account], Account]
    text_column: str
    wrong_facts: tuple[Mapping[str, Cell], ...]


@dataclass(slots=True)
class Expectation:
    """What must become of a list. Where two rows contradict each other, the first to be committed stands, so that some
    figures of the ledger have bounds; all others are exact."""

    lines: int = 0
    rows: int = 0
    planned: Counter[Verdict] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    blank: int = 0
    duplicates: Counter[Verdict] = field(default_factory=Counter)
    contradictions: Counter[tuple[Verdict, Verdict]] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def results(self) -> dict[tuple[str, str], int]:
        """Lines by result and reason, as the plan must count them."""
        found: Counter[tuple[str, str]] = Counter()
        for verdict, number in self.planned.items():
            found[verdict.row_result, verdict.reason] += number
        found.update({("rejected", reason): number for reason, number in self.rejected.items()})
        if self.blank:
            found["blank", "blank"] = self.blank
        return dict(found)

    def worth(self) -> dict[tuple[str, str], int]:
        """What all planned lines are worth, by result and measure."""
        found: Counter[tuple[str, str]] = Counter()
        for verdict, number in self.planned.items():
            if verdict.measure:
                found[verdict.row_result, verdict.measure] += number * verdict.amount
        return dict(found)

    def duplicate_rows(self) -> int:
        """Rows that repeat an account with the same facts."""
        return self.duplicates.total()

    def conflicting_rows(self) -> int:
        """Rows that lose against another row of their account."""
        return self.contradictions.total()

    def decisions(self) -> int:
        """Decisions that must stand in the ledger: one for each account with a row that can be decided."""
        return self.planned.total() - self.duplicate_rows() - self.conflicting_rows()

    def ledger_bounds(self, verdict: Verdict) -> tuple[int, int]:
        """The least and the most decisions with `verdict` that the ledger may hold."""
        most = self.planned[verdict] - self.duplicates[verdict] - self.contradictions[verdict, verdict]
        undecided = sum(n for pair, n in self.contradictions.items() if verdict in pair and pair != (verdict, verdict))
        return most - undecided, most

    def verdicts(self) -> list[Verdict]:
        """Every planned verdict, the most frequent first."""
        return [verdict for verdict, _ in self.planned.most_common()]


class Draws:
    """Choices that follow from a seed and a number alone, on every machine and Python."""

    __slots__ = ("_left",)

    def __init__(self, seed: int, number: int) -> None:
        self._left = int.from_bytes(blake2b(b"%d:%d" % (seed, number), digest_size=32).digest())

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1. All draws of one object together must stay below 2^256 possibilities."""
        self._left, drawn = divmod(self._left, limit)
        return drawn

    def one_of[Item](self, items: tuple[Item, ...]) -> Item:
        """One of the items."""
        self._left, drawn = divmod(self._left, len(items))
        return items[drawn]


def write_list(maker: Maker, accounts: int, seed: int, path: Path) -> Expectation:
    """Write a list of `accounts` accounts and the planted trouble to `path`; memory does not grow with its length."""
    if accounts < 1:
        raise ValueError("a list has at least one account")
    with path.open("wb", buffering=WRITE_BUFFER_BYTES) as file:
        expected = _Planting(maker, accounts, seed, file)
        if maker.format is ListFormat.CSV:
            # A byte order mark, as spreadsheets write it.
            file.write(b"\xef\xbb\xbf" + csv_line([str(name) for name in maker.account(seed, 0).cells]) + b"\r\n")
        for number in range(accounts - 1):
            expected.good(number)
        expected.last()
        return expected.counts


def sample_list(maker: Maker, accounts: int, seed: int) -> bytes:
    """A short list without any trouble, as an example for publishers."""
    rows = [maker.account(seed, number).cells for number in range(accounts)]
    header = [csv_line(list(rows[0]))] if maker.format is ListFormat.CSV else []
    return b"".join(line + b"\n" for line in (*header, *(line_of(maker.format, cells) for cells in rows)))


def csv_line(cells: list[str]) -> bytes:
    """Cells as one line of CSV without its end, quoted where needed."""
    return ",".join(
        '"' + cell.replace('"', '""') + '"' if any(character in ',"\r\n' for character in cell) else cell
        for cell in cells
    ).encode()


def line_of(list_format: ListFormat, cells: Mapping[str, Cell]) -> bytes:
    """A row as one line without its end; an unknown cell is empty, or null."""
    if list_format is ListFormat.JSONL:
        return json.dumps(dict(cells), ensure_ascii=False, separators=(",", ":")).encode()
    texts = [_cell_text(cell) for cell in cells.values()]
    line = ",".join(texts)
    # Hardly any row has a quote, or a comma inside a cell; asking once per row is what makes a million rows quick.
    if '"' in line or line.count(",") >= len(texts):
        return csv_line(texts)
    return line.encode()


def _cell_text(cell: Cell) -> str:
    if isinstance(cell, str):
        return cell
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    return str(cell)


class _Planting:
    """Writes the rows of one list and counts what it plants."""

    def __init__(self, maker: Maker, accounts: int, seed: int, file: BinaryIO) -> None:
        self.maker, self.accounts, self.seed, self.file = maker, accounts, seed, file
        self.counts = Expectation()
        kinds = _CSV_TROUBLE if maker.format is ListFormat.CSV else _JSONL_TROUBLE
        self.troubles: tuple[Trouble, ...] = (*_REPEATED, *kinds)
        self.every = max(
            TROUBLE_EVERY_ACCOUNTS_LEAST, min(TROUBLE_EVERY_ACCOUNTS, accounts // (2 * len(self.troubles)))
        )

    def good(self, number: int) -> None:
        """Write the account `number`, and trouble after it when it is due."""
        account = self.maker.account(self.seed, number)
        self._decided(account, ending=b"\r\n" if number % 11 == 0 else b"\n")
        place = number % self.every
        if place > FAR_CONTRADICTED_PLACE and account.verdict.row_result not in self.counts.examples:
            self.counts.examples[account.verdict.row_result] = account.account_id  # never the one that is repeated
        if place == 0:
            slot = number // self.every
            self.troubles[slot % len(self.troubles)](self, slot, number)

    def last(self) -> None:
        """Write what a list has once: a line that is too long, and a last line without an end."""
        account = self._stranger(0)
        long = {**account.cells, self.maker.text_column: "x" * OVERLONG_LINE_BYTES}
        self._broken(line_of(self.maker.format, long), "line_too_long")
        account = self.maker.account(self.seed, self.accounts - 1)
        self._decided(account, ending=b"")
        self.counts.examples["unlisted"] = self.maker.account(self.seed, 3 * self.accounts + 1).account_id

    def _stranger(self, slot: int) -> Account:
        """An account that is on the list only with a broken row."""
        return self.maker.account(self.seed, self.accounts + slot)

    def _decided(self, account: Account, ending: bytes = b"\n") -> None:
        self.file.write(line_of(self.maker.format, account.cells) + ending)
        self.counts.lines += 1
        self.counts.rows += 1
        self.counts.planned[account.verdict] += 1

    def _broken(self, line: bytes, reason: str, account: Account | None = None) -> None:
        self.file.write(line + b"\n")
        self.counts.lines += 1
        self.counts.rows += 1
        self.counts.rejected[reason] += 1
        if account is not None:
            self.counts.examples.setdefault("rejected", account.account_id)

    def repeat(self, slot: int, number: int) -> None:
        """The account of the row above, once more with the same facts."""
        del slot
        account = self.maker.account(self.seed, number)
        self.counts.duplicates[account.verdict] += 1
        self._decided(account)

    def repeat_far(self, slot: int, number: int) -> None:
        """An account from far above, once more with the same facts."""
        account = self._far(slot, FAR_REPEATED_PLACE)
        if account is None:
            return self.repeat(slot, number)
        self.counts.duplicates[account.verdict] += 1
        return self._decided(account)

    def contradict(self, slot: int, number: int) -> None:
        """The account of the row above, with other facts."""
        del slot
        self._contradict(self.maker.account(self.seed, number))

    def contradict_far(self, slot: int, number: int) -> None:
        """An account from far above, with other facts."""
        self._contradict(self._far(slot, FAR_CONTRADICTED_PLACE) or self.maker.account(self.seed, number))

    def _far(self, slot: int, place: int) -> Account | None:
        """An account near the middle of what was written; no two slots of a kind, and no two kinds, take the same."""
        number = slot // 2 * self.every + place
        return self.maker.account(self.seed, number) if number < slot * self.every else None

    def _contradict(self, account: Account) -> None:
        other = self.maker.contradiction(account)
        self.counts.contradictions[account.verdict, other.verdict] += 1
        self._decided(other)

    def blank(self, slot: int, number: int) -> None:
        """A line without any character, ended as on Unix or as on Windows."""
        del number
        self.file.write(b"\n" if slot % 2 else b"\r\n")
        self.counts.lines += 1
        self.counts.blank += 1

    def empty_row(self, slot: int, number: int) -> None:
        """A row that was emptied in a spreadsheet, which writes it as commas."""
        del slot, number
        self.file.write(b", ,,\n")
        self.counts.lines += 1
        self.counts.blank += 1

    def wrong_fact(self, slot: int, number: int) -> None:
        """A fact of the wrong type, or out of its range."""
        del number
        self.broken_cells(slot, "fact_invalid", self.maker.wrong_facts[slot % len(self.maker.wrong_facts)])

    def broken_cells(self, slot: int, reason: str, change: Mapping[str, Cell]) -> None:
        """A well-formed line with a cell that cannot be."""
        account = self._stranger(slot)
        line = line_of(self.maker.format, {**account.cells, **change})
        self._broken(line, reason, account if "account_id" not in change else None)

    def broken_line(self, slot: int, reason: str, change: Callable[[bytes], bytes]) -> None:
        """A line that is not well formed."""
        account = self._stranger(slot)
        self._broken(change(line_of(self.maker.format, account.cells)), reason, account)


type Trouble = Callable[[_Planting, int, int], None]


def _wrong_id(reason: str, account_id: Cell) -> Trouble:
    return lambda planting, slot, _: planting.broken_cells(slot, reason, {"account_id": account_id})


def _wrong_line(reason: str, change: Callable[[bytes], bytes]) -> Trouble:
    return lambda planting, slot, _: planting.broken_line(slot, reason, change)


_REPEATED: tuple[Trouble, ...] = (
    _Planting.repeat,
    _Planting.contradict,
    _Planting.blank,
    _Planting.repeat_far,
    _Planting.contradict_far,
)

_ANY_FORMAT: tuple[Trouble, ...] = (
    _wrong_id("account_id_missing", None),
    _wrong_id("account_id_invalid", "someone@example.com"),
    _wrong_id("account_id_invalid", "4711#DECISION"),
    _wrong_id("account_id_invalid", "٤٧١١"),  # Arabic digits
    _Planting.wrong_fact,
    _wrong_line("not_utf8", lambda line: line + " Zürich".encode("latin-1") + b" "),
    _wrong_line("nul_character", lambda line: line + b"\0"),
)

_CSV_TROUBLE: tuple[Trouble, ...] = (
    *_ANY_FORMAT,
    _wrong_line("field_count", lambda line: line.replace(b",", b";")),
    _wrong_line("field_count", lambda line: line + b",one more"),
    _Planting.empty_row,
    _wrong_line("csv_malformed", lambda line: b'"quoted"then not,' + line),
)

_JSONL_TROUBLE: tuple[Trouble, ...] = (
    *_ANY_FORMAT,
    _wrong_line("json_malformed", lambda line: line[:-1]),
    _wrong_line("json_malformed", lambda line: b"[" + line + b"]"),
    _wrong_line("json_malformed", lambda line: line[:-1] + b',"monthly_fee":NaN}'),
    _wrong_line("json_malformed", lambda line: line[:-1] + b',"account_id":"twice"}'),
    _wrong_id("account_id_invalid", -4711),
)
