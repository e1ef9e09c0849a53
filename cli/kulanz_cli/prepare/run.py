"""The preparation of a list: files in, parts out, and a report of everything that was changed on the way."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, localcontext
from fractions import Fraction
from hashlib import file_digest
from itertools import islice
from operator import ne
from pathlib import Path

from kulanz.domain.lists.account_ids import is_surely_an_id
from kulanz.domain.lists.cells import clean
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.header import ACCOUNT_COLUMN
from kulanz.domain.lists.unread_columns import OWN_COLUMNS, WITHOUT_OWN, names_currency, nearly_named
from kulanz.domain.money import minor_units
from kulanz.domain.policy import CompiledPolicy
from kulanz_cli.prepare.cells import Cell, Change, ReadCell, cell_reader
from kulanz_cli.prepare.numbers import PlainNumbers
from kulanz_cli.prepare.opening import open_source
from kulanz_cli.prepare.parts import PART_BYTES, Part, PartWriter, whole_folder
from kulanz_cli.prepare.profile import Field, Profile
from kulanz_cli.prepare.sources import Batch, InputUnusable, Progress, Source
from kulanz_cli.prepare.text import TextSource, advice
from kulanz_cli.terminal import counted_as

WRONG_SHARE_MOST = Fraction(1, 100)
"""Rows with a cell that the profile cannot read: with more of them the profile is wrong, or the file is another. The
plan of a campaign has the same limit for rejected rows."""
SUM_DIGITS = 60
"""Sums are exact: 15 digits and 12 decimals of a cell, times the rows of any list, have fewer."""
WRONG_ROWS_FIRST = 1_000
"""From so many wrong rows on, files of which most rows are wrong are read no further."""
FIRST_PLACES = 3
REMEMBERED_CELLS = 200_000
"""Different cells of a column whose reading is kept; with more of them, all are forgotten after a batch."""
NAMES_SHOWN = 12
DIFFERENT_CELLS = 4
"""One cell in so many is another than all before it in a batch: then numbers are read at once, not remembered."""


@dataclass(slots=True)
class Found:
    """How often something was met, and the first places of all, in their order: each a file's number and a line."""

    times: int = 0
    first: list[tuple[int, int]] = field(default_factory=list)

    def see(self, times: int, places: Iterable[tuple[int, int]]) -> None:
        """Count it. `places` are in the order of the files; only so many are asked for as can be among the first."""
        self.times += times
        self.first = sorted([*self.first, *islice(places, FIRST_PLACES)])[:FIRST_PLACES]

    def is_first_at(self, place: tuple[int, int]) -> bool:
        """Whether a place would be among the first that were met."""
        return len(self.first) < FIRST_PLACES or place < self.first[-1]


@dataclass(slots=True)
class ColumnReport:
    """What became of a column. `before` is the sum in the file's unit, `after` that of what was written, as the policy
    reads it: of money in minor units."""

    name: str
    source: str
    fact: FactDeclaration | None
    is_number: bool
    changes: dict[Change, Found] = field(default_factory=dict)
    wrong: dict[str, Found] = field(default_factory=dict)
    numbers: int = 0
    before: Decimal = Decimal(0)
    after: int | Fraction = 0
    days: int = 0
    days_sure: int = 0


@dataclass(slots=True)
class Report:
    """What was prepared from which files. Rows in are those out and the dropped ones."""

    files: list[str] = field(default_factory=list)
    columns: list[ColumnReport] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    rows_in: int = 0
    rows_out: int = 0
    wrong_rows: int = 0
    dropped: dict[str, Found] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


class _Memo(dict[str, str]):
    """The cell of the list for each cell of the file, worked out once. What is to be counted of it is in `noted`.

    `are_ids`: the cells are ids without a stated shape, so that most need not be looked at one by one. `numbers` reads
    those that are numbers beyond doubt, many at once.
    """

    def __init__(self, read: ReadCell, numbers: PlainNumbers | None, *, is_plain_id: bool) -> None:
        super().__init__()
        self._read = read
        self.are_ids, self.numbers = is_plain_id, numbers
        self.noted: dict[str, Cell] = {}

    def __missing__(self, raw: str) -> str:
        cell = self._read(raw)
        if cell.change or cell.wrong or cell.number is not None or cell.is_order_sure is not None:
            self.noted[raw] = cell
        self[raw] = cell.text
        return cell.text

    def forget(self) -> None:
        """Make room where a column has too many different cells."""
        if len(self) > REMEMBERED_CELLS:
            self.clear()
            self.noted.clear()


class Preparation:
    """One profile under one policy, and what it has read so far."""

    def __init__(self, profile: Profile, policy: CompiledPolicy) -> None:
        self._profile, self._policy = profile, policy
        self.report = Report()
        facts = {fact.name: fact for fact in policy.facts}
        ids = {ACCOUNT_COLUMN, policy.subject or ACCOUNT_COLUMN}
        self._memos: list[tuple[Field, _Memo, ColumnReport]] = []
        for one in profile.schema.fields:
            fact = facts.get(one.name)
            is_number = fact is not None and fact.type in ("number", "money")
            is_id = one.name in ids
            read = cell_reader(one, fact, profile.schema.missing, profile.encoding, is_id=is_id)
            is_plain = is_id and one.constraints is None and not one.missing and not profile.schema.missing
            told = ColumnReport(one.name, str(one.source), fact, is_number)
            self.report.columns.append(told)
            numbers = PlainNumbers.of(one, fact, profile.schema.missing, profile.encoding)
            self._memos.append((one, _Memo(read, numbers, is_plain_id=is_plain), told))

    def rows(self, paths: Sequence[Path], progress: Progress) -> Iterator[list[Sequence[str]]]:
        """The columns of the list, some rows at a time. Raises InputUnusable."""
        copies = _copies(paths)
        rows: list[int] = []
        for number, path in enumerate(paths):
            self.report.files.append(path.name)
            before = self.report.rows_in
            if number in copies and rows[copies[number]]:  # parts of an export may all be without rows
                raise InputUnusable(f"{path} has the same content as {paths[copies[number]]}; give each file once")
            source = open_source(path, self._profile, progress)
            self._must_have(source, path)
            wanted = self._profile.sources
            for batch in source.batches(wanted):
                for line, why in batch.dropped:
                    self._drop(number, line, why)
                cells = dict(zip(wanted, batch.columns, strict=True))
                lines, cells = self._without_dropped(number, batch, cells)
                yield self._converted(number, lines, cells)
                if self.report.wrong_rows > max(WRONG_ROWS_FIRST, self.report.rows_out // 2):
                    self._must_be_right()  # the rest would be no better
            rows.append(self.report.rows_in - before)
        self._must_be_right()

    def _must_have(self, source: Source, path: Path) -> None:
        """Refuse a file that lacks a column, has one twice, or has one that should not be left out."""
        names, profile = list(source.names), self._profile
        wanted = profile.sources
        lacking = [one for one in wanted if not (one in names if isinstance(one, str) else one <= len(names))]
        if lacking:
            told = advice(path, profile, [*map(str, lacking)], [*map(str, wanted)]) if _is_text(source) else ""
            shown = ", ".join(repr(name) for name in names[:NAMES_SHOWN]) + (" and more" * (len(names) > NAMES_SHOWN))
            raise InputUnusable(
                f"{path}: the profile reads {', '.join(map(repr, lacking))}, and the file has"
                f" {counted_as(len(names), 'column')}: {shown}{told}"
            )
        twice = [one for one in wanted if isinstance(one, str) and names.count(one) > 1]
        if twice:
            raise InputUnusable(f"{path}: two columns are called {twice[0]!r}; name each column once")
        left = [name for place, name in enumerate(names, 1) if name and name not in wanted and place not in wanted]
        self._must_be_meant(left, path)
        self.report.left_out = list(dict.fromkeys([*self.report.left_out, *left]))

    def _must_be_meant(self, left: Sequence[str], path: Path) -> None:
        """Refuse to leave out what would have stopped the list, or whose absence moves money without a word.

        Such are another currency, a fact, also a misspelt one, and the account as the biller names it.
        """
        if not self._profile.dialect.header:
            return
        unmeant = [name for name in left if name not in self._profile.ignore]
        currencies = [name for name in unmeant if names_currency(name)]
        if currencies:
            raise InputUnusable(
                f"{path}: the column {currencies[0]!r} says a currency and no field reads it; add a field for it, so"
                " that the plan compares it, or name it under ignore"
            )
        fields = {one.name for one in self._profile.schema.fields}
        absent = [fact for fact in self._policy.facts if fact.name not in fields]
        exactly = [(fact.name, fact.name) for fact in absent if fact.name in unmeant]
        for column, name in [*exactly, *nearly_named(unmeant, absent, None)]:
            raise InputUnusable(
                f"{path}: the column {column!r} is left out, and the policy's {name!r} is no field, so its default"
                " would count; add a field for it, or name the column under ignore"
            )
        own = [name for name in OWN_COLUMNS if name not in fields]
        exactly = [(name, name) for name in own if name in unmeant]
        for column, name in [*exactly, *nearly_named(unmeant, (), None, own)]:
            raise InputUnusable(
                f"{path}: the column {column!r} is left out, and {name!r} is no field, so {WITHOUT_OWN[name]}; add"
                f" the field {name!r} with from: {column!r}, or name the column under ignore"
            )

    def _drop(self, file: int, line: int, why: str) -> None:
        self.report.rows_in += 1
        self.report.dropped.setdefault(why, Found()).see(1, [(file, line)])

    def _without_dropped(
        self, file: int, batch: Batch, cells: dict[str | int, Sequence[str]]
    ) -> tuple[Sequence[int], dict[str | int, Sequence[str]]]:
        """The rows of a batch without those that the profile drops."""
        for one in self._profile.drop:
            words = set(map(clean, one.is_))
            column = cells[one.column]
            found = [place for place, cell in enumerate(column) if clean(cell) in words]
            if not found:
                continue
            for place in found:
                self._drop(file, batch.lines[place], f"{one.column} is a word of drop")
            gone = set(found)
            kept = [place for place in range(len(column)) if place not in gone]
            batch.lines = [batch.lines[place] for place in kept]
            cells = {name: [values[place] for place in kept] for name, values in cells.items()}
        return batch.lines, cells

    def _converted(self, file: int, lines: Sequence[int], cells: dict[str | int, Sequence[str]]) -> list[Sequence[str]]:
        rows = len(lines)
        self.report.rows_in += rows
        self.report.rows_out += rows
        wrong: set[int] = set()
        columns: list[Sequence[str]] = []
        for one, memo, told in self._memos:
            raws = [one.constant] * rows if one.constant else cells[one.source]
            if memo.are_ids and all(map(is_surely_an_id, raws)):
                columns.append(raws)
                continue
            texts, unread = _at_once(told, memo.numbers, raws, lines, file)
            if texts is None:
                columns.append(list(map(memo.__getitem__, raws)))
                wrong |= _count(told, memo, raws, lines, file)
            else:
                columns.append(texts)
                others = [raws[place] for place in unread]
                for place, raw in zip(unread, others, strict=True):
                    texts[place] = memo[raw]
                found = _count(told, memo, others, [lines[place] for place in unread], file)
                wrong |= {unread[place] for place in found}
            memo.forget()
        self.report.wrong_rows += len(wrong)
        return columns

    def _must_be_right(self) -> None:
        """Refuse what the profile reads wrongly, and sums that moved."""
        report = self.report
        if not report.rows_out:
            raise InputUnusable("the files have no row; export them again")
        if report.wrong_rows > report.rows_out * WRONG_SHARE_MOST:
            raise InputUnusable(
                f"{report.wrong_rows:,} of {report.rows_out:,} rows have a cell that cannot be read, over"
                f" {WRONG_SHARE_MOST * 100} %; nothing was written; the profile is of another export, or the file is"
                f" damaged: {'; '.join(_worst(report))}"
            )
        for told in report.columns:
            fact = told.fact
            if told.is_number and fact is not None:
                is_major = any(one.name == told.name and one.unit == "major" for one in self._profile.schema.fields)
                scale = 10 ** minor_units(fact.currency) if is_major and fact.type == "money" else 1
                if Fraction(told.before) * scale != told.after:
                    raise AssertionError(f"{told.name}: what was written adds up to something else than what was read")


def _at_once(
    told: ColumnReport, numbers: PlainNumbers | None, raws: Sequence[str], lines: Sequence[int], file: int
) -> tuple[list[str] | None, Sequence[int]]:
    """The numbers of some cells, counted, and the places of the cells that are still to be read.

    None where few of them differ, so that remembering them is faster, or where they must be looked at one by one.
    """
    if numbers is None or len(set(raws)) * DIFFERENT_CELLS <= len(raws):
        return None, ()
    unread = numbers.others(raws)
    if len(unread) * 2 > len(raws):
        return None, ()
    gone = set(unread)
    places = [place for place in range(len(raws)) if place not in gone] if unread else range(len(raws))
    given = [raws[place] for place in places] if unread else raws
    found = numbers.read(given)
    if found is None:
        return None, ()
    told.numbers += len(given)
    told.before += found.before
    told.after += found.after
    changed = list(map(ne, given, found.texts))
    if times := sum(changed):
        first = ((file, lines[place]) for place, is_changed in zip(places, changed, strict=True) if is_changed)
        told.changes.setdefault(numbers.change, Found()).see(times, first)
    if not unread:
        return found.texts, ()
    texts = list(raws)
    for place, text in zip(places, found.texts, strict=True):
        texts[place] = text
    return texts, unread


def _count(told: ColumnReport, memo: _Memo, raws: Sequence[str], lines: Sequence[int], file: int) -> set[int]:
    """Count what is to be reported of some cells; give the places of the wrong ones."""
    wrong: set[int] = set()
    if not memo.noted or not raws:
        return wrong
    kinds: dict[int, tuple[Found, set[str]]] = {}
    for raw, times in Counter(raws).items():
        cell = memo.noted.get(raw)
        if cell is None:
            continue
        if cell.wrong or cell.change:
            found = (
                told.wrong.setdefault(cell.wrong, Found())
                if cell.wrong
                else told.changes.setdefault(cell.change, Found())
            )
            found.see(times, ())
            if cell.wrong or found.is_first_at((file, lines[0])):
                kinds.setdefault(id(found), (found, set()))[1].add(raw)
        if cell.wrong:
            continue
        if told.is_number and cell.number is not None:
            assert isinstance(cell.value, int | Fraction), "a policy reads a number of a number"
            told.numbers += times
            told.before += cell.number * times
            told.after += cell.value * times
        if cell.is_order_sure is not None:
            told.days += times
            told.days_sure += times * cell.is_order_sure
    is_wrong = {raw for found, some in kinds.values() for raw in some if memo.noted[raw].wrong}
    if is_wrong:
        wrong.update(place for place, raw in enumerate(raws) if raw in is_wrong)
    for found, some in kinds.values():
        found.see(0, ((file, lines[place]) for place, raw in enumerate(raws) if raw in some))
    return wrong


def _worst(report: Report) -> Iterator[str]:
    """The kinds of wrong cells that are met most, with their first line."""
    kinds = [(found, told, expected) for told in report.columns for expected, found in told.wrong.items()]
    for found, told, expected in sorted(kinds, key=lambda one: -one[0].times)[:FIRST_PLACES]:
        file, line = found.first[0]
        yield f"{told.source or told.name}, {report.files[file]} line {line} first: expected {expected}"


def _is_text(source: Source) -> bool:
    return isinstance(source, TextSource)


def _copies(paths: Sequence[Path]) -> dict[int, int]:
    """The files with the content of an earlier one, by their places: their rows would be in the list twice."""
    sizes: dict[int, list[int]] = {}
    for place, path in enumerate(paths):
        sizes.setdefault(path.stat().st_size, []).append(place)
    copies: dict[int, int] = {}
    for alike in sizes.values():
        known: dict[bytes, int] = {}
        for place in alike if len(alike) > 1 else ():
            with paths[place].open("rb") as file:
                digest = file_digest(file, "sha256").digest()
            if known.setdefault(digest, place) != place:
                copies[place] = known[digest]
    return copies


def prepare(
    paths: Sequence[Path],
    profile: Profile,
    policy: CompiledPolicy,
    into: Path,
    progress: Callable[[int], None],
    part_bytes: int = PART_BYTES,
) -> Report:
    """Prepare files into the parts of a list, in a folder that is written whole or not at all. Raises Unusable."""
    preparation = Preparation(profile, policy)
    with whole_folder(into) as folder, localcontext(prec=SUM_DIGITS):
        writer = PartWriter(folder, [one.name for one in profile.schema.fields], part_bytes)
        try:
            for columns in preparation.rows(paths, progress):
                writer.write(columns, len(columns[0]))
        finally:
            writer.end_part()
        preparation.report.parts = writer.parts
    return preparation.report
