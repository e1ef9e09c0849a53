"""The rows of a list: what a line says once it is taken apart and typed, and what can be wrong with it.

`csv_rows` and `jsonl_rows` take lines apart. A problem with a line names its field and holds no value of it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, NamedTuple

from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.lists.account_ids import IdProblem, ReadId, is_surely_an_id, read_id, read_part_id
from kulanz.domain.lists.facts import INVALID, FactError, FactValue, canonical
from kulanz.domain.lists.former_ids import Former
from kulanz.domain.lists.header import ACCOUNT_COLUMN, ListFormat, ListLayout
from kulanz.domain.lists.lines import LINE_BYTES, Line
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.lists.to_bill import NOTHING_TO_BILL, ToBill

QUOTES_UNBALANCED = RowReason.QUOTES_UNBALANCED
LIST_SEPARATOR_UNKNOWN = RowReason.LIST_SEPARATOR_UNKNOWN
"""The problems that refuse a list as a whole."""

type Cells = tuple[Any, ...]
"""The columns a policy reads, as a line has them; equal cells are equal facts, and a decision is remembered by them."""


class Record(NamedTuple):
    """A line taken apart: the subject it is about, and the cells of the facts, not yet typed.

    `currencies` are the cells of columns that name a currency and that nobody reads: what pays in another is not meant.
    `to_bill` is what the row says of the account's bill, `former` of the id that the account had before.
    """

    account_id: str
    subject: str
    cells: Cells
    currencies: tuple[str, ...] = ()
    to_bill: ToBill = NOTHING_TO_BILL
    former: Former | None = None

    def digest(self, facts: str) -> str:
        """The digest of its row, whose facts have that text: also over what it says beside them, where it does."""
        stated = self.to_bill
        if stated is not NOTHING_TO_BILL:
            facts += _measured(stated.text())
        if self.former is not None:
            facts += f"was{_measured(self.former.text())}"
        return row_digest(self.account_id, self.subject, facts)


@dataclass(frozen=True, slots=True)
class Row:
    """A typed line: the subject it is about and the facts the policy reads, in the policy's order (None is unknown).

    `former` is the id that the account had before, `currencies` what it states in columns that nobody reads.
    """

    account_id: str
    subject: str
    values: tuple[FactValue | None, ...]
    former: Former | None = None
    currencies: tuple[str, ...] = ()


class ReadLoosely(NamedTuple):
    """What can be read of a line, whoever it is about and whatever is wrong with it, for a person who looks at it.

    `said` has the text of each column that is read, by its name. Of `values` a wrong one is INVALID, so that nothing
    fills it in. `currencies` are those of a `Record`.
    """

    said: Mapping[str, str]
    values: tuple[FactValue | None, ...]
    currencies: tuple[str, ...] = ()


def value_or_invalid[Given](parse: Callable[[Given], FactValue | None], given: Given) -> FactValue | None:
    """A fact's value; INVALID where its parser refuses what stands in the line."""
    try:
        return parse(given)
    except FactError:
        return INVALID


def facts_text(values: Sequence[FactValue | None]) -> str:
    """The facts' part of what a row's digest is over: each value's text with its length before it."""
    return "".join(_measured("" if value is None else canonical(value)) for value in values)


def row_digest(account_id: str, subject: str, facts: str) -> str:
    """128 bits, as hex, over all typed content of a row: equal digests are equal rows."""
    content = f"{len(account_id)}:{account_id}{len(subject)}:{subject}{facts}"
    return blake2b(content.encode(), digest_size=16).hexdigest()


def _measured(text: str) -> str:
    return f"{len(text)}:{text}"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a line cannot be decided; it holds no value of the line. `others` are what else is wrong with it."""

    reason: RowReason
    field: str
    expected: str
    others: "tuple[Problem, ...]" = ()

    def each(self) -> "Iterator[Problem]":
        """Everything that is wrong with the line: the problem by which it is counted, then the others."""
        yield replace(self, others=())
        yield from self.others


def together(problems: "Iterable[Problem]") -> Problem:
    """Several problems of a line as one, of which the first counts."""
    first, *others = problems
    return replace(first, others=tuple(others))


def fact_problem(error: FactError) -> Problem:
    """The problem with a line one of whose facts is not what the policy declared."""
    return Problem(RowReason(error.reason), error.field, error.expected)


def or_problem[Came](read: Callable[..., Came], *given: object) -> Came | Problem:
    """What is read of a line, or the problem with it."""
    try:
        return read(*given)
    except FactError as error:
        return fact_problem(error)


def fact_problems[Given](given: Iterable[tuple[Callable[[Given], object], Given]]) -> Iterator[Problem]:
    """The problem of each fact whose parser refuses what stands in the line."""
    for parse, cell in given:
        try:
            parse(cell)
        except FactError as error:
            yield fact_problem(error)


BACKSLASH_ADVICE = (
    '; a backslash before a quote does not double it: Spark writes it so unless told .option("escape", "\\"")'
    ' and .option("quote", "\\"")'
)


def quotes_expected(expected: str, raw: bytes | str) -> str:
    """What is expected of a line's quotes, with Spark's setting where it wrote backslashes."""
    has_backslash = b'\\"' in raw if isinstance(raw, bytes) else '\\"' in raw
    return expected + BACKSLASH_ADVICE if has_backslash else expected


def unseparated_lists(lines: int) -> str:
    """Why a list is refused as a whole, `lines` of which have a cell that nobody can take apart."""
    return (
        f"{LIST_SEPARATOR_UNKNOWN}: lines with a list in a cell that has , or ; and no |: {lines}; separate its items"
        " with |, or name the separator in the policy"
    )


class Identify:
    """Reads whom a line is about, by the shapes that the list's ids have, else by what an id can be.

    `is_sure` tells the texts that name an account beyond question, and need not be read.
    """

    __slots__ = ("_account", "_subject", "_subject_column", "is_sure")

    def __init__(self, layout: ListLayout, subject_column: str | None) -> None:
        self._account: ReadId = read_id if layout.account_ids is None else layout.account_ids.reader()
        self._subject: ReadId = read_part_id if layout.subject_ids is None else layout.subject_ids.reader()
        self._subject_column = subject_column
        can_be_sure = subject_column is None and layout.account_ids is None
        self.is_sure: Callable[[str], object] = is_surely_an_id if can_be_sure else never_sure

    def __call__(self, account: object, subject: object) -> tuple[str, str] | Problem:
        """The account and the subject of it, or what is wrong with them."""
        account_id = self._account(account)
        if self._subject_column is None:
            if isinstance(account_id, str):
                return account_id, WHOLE_ACCOUNT
            return _id_problem("account", ACCOUNT_COLUMN, account_id)
        subject_id = self._subject(subject)
        if isinstance(account_id, str) and isinstance(subject_id, str):
            return account_id, subject_id
        found = (("account", ACCOUNT_COLUMN, account_id), ("subject", self._subject_column, subject_id))
        return together(_id_problem(who, column, one) for who, column, one in found if not isinstance(one, str))


def never_sure(_: str) -> None:
    """Nothing is sure where a shape is stated, or a subject is to be read as well."""


def _id_problem(who: str, column: str, problem: IdProblem) -> Problem:
    return Problem(RowReason(f"{who}_id_{problem.kind}"), column, problem.expected)


@dataclass(frozen=True, slots=True)
class LineReader:
    """Reads the lines of one list for one policy: `split` takes a line apart, `values` types the cells of its facts.

    `split` gives a record, or everything that is wrong with the line; `values` raises FactError for the first fact that
    is wrong, and `faults` gives all of them. `is_short` tells a row without its last cells, which are read as empty.
    `loosely` gives what can be read of a line that is wrong; None where it cannot be taken apart.
    """

    format: ListFormat
    split: Callable[[bytes], Record | Problem]
    values: Callable[[Cells], tuple[FactValue | None, ...]]
    faults: Callable[[Cells], Problem]
    is_short: Callable[[bytes], bool]
    loosely: Callable[[bytes], ReadLoosely | None]

    def record(self, line: Line) -> Record | Problem:
        """The record of a line that is not blank, or what is wrong with it."""
        offset, raw, end, quotes = line
        if (quotes if raw is None else raw.count(b'"')) % 2 and self.format is ListFormat.CSV:
            expected = "an even number of double quotes; no line break inside a field"
            return Problem(QUOTES_UNBALANCED, "", quotes_expected(expected, raw or b""))
        if raw is None:
            return Problem(RowReason.LINE_TOO_LONG, "", f"a line of at most {LINE_BYTES} bytes")
        found = self.split(raw)
        if end - offset == len(raw) and isinstance(found, Record) and self.is_short(raw):
            return Problem(
                RowReason.FIELD_COUNT, "", "as many fields as the header has; the list ends within this line, cut off"
            )
        return found

    def row(self, raw: bytes) -> Row | Problem:
        """The typed row of one non-blank line, or what is wrong with it."""
        record = self.split(raw)
        if isinstance(record, Problem):
            return record
        try:
            return Row(record.account_id, record.subject, self.values(record.cells), record.former, record.currencies)
        except FactError:
            return self.faults(record.cells)


def decode(raw: bytes) -> str | Problem:
    """The text of a line, or the problem with its encoding."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return Problem(RowReason.NOT_UTF8, "", "a line in UTF-8")
    if "\0" in text:
        return Problem(RowReason.NUL_CHARACTER, "", "a line without NUL characters")
    return text
