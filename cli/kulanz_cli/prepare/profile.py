"""A profile: how one export writes its lists, stated once by whoever knows the export, and checked like a policy.

Its `dialect` is Frictionless' Table Dialect and its `schema` Frictionless' Table Schema, under the names that these
have. What they lack is named in the docstrings as our own: where a field comes from, zones, units, words for choices.
"""

# ruff: noqa: RUF009 (an entry is a field, declared by a call)

import codecs
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Any
from unicodedata import category
from zoneinfo import available_timezones

from kulanz.domain.lists.cells import ZONES_BY_HABIT
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import LIST_TYPES
from kulanz.domain.lists.header import ACCOUNT_COLUMN
from kulanz.domain.lists.id_shape import IdShape, IdShapeError
from kulanz.domain.lists.near_names import words_of
from kulanz.domain.money import CURRENCY_SIGNS, is_currency, may_mean
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.document.schema import schema_of
from kulanz.domain.policy.document.shape import (
    DATA_NAME,
    ListOf,
    MapOf,
    OneOf,
    Part,
    Schema,
    Text,
    Whole,
    entry,
    in_one_form,
)
from kulanz.domain.policy.document.strict_yaml import read_file
from kulanz.domain.policy.language.errors import Path, PolicyError

PROFILE_VERSION = 1
PROFILE_ENDING = ".profile.yaml"
"""What the name of a profile ends with, so that it can lie beside the policies."""
HEADER_ROWS_MOST = 100
COLUMNS_MOST = 256
FOOTER_ROWS_MOST = 100
"""Rows of a footer that are held back while a file is read."""
ENCODINGS = (
    "utf-8", "utf-16", "windows-1250", "windows-1251", "windows-1252", "windows-1253", "windows-1254", "windows-1255",
    "windows-1256", "windows-1257", "iso-8859-1", "iso-8859-2", "iso-8859-15", "cp437", "cp850", "macintosh",
    "shift_jis", "euc-jp", "gb18030", "big5", "euc-kr", "koi8-r",
)  # fmt: skip
FIELD_TYPES = ("string", "number", "integer", "boolean", "date", "datetime", "list")
"""Types of Table Schema. A field without one has the type of the policy's fact."""
TYPES_OF_FACTS: Mapping[str, tuple[str, ...]] = {
    "text": ("string",),
    "zone": ("string",),
    "yes_no": ("boolean",),
    "number": ("number", "integer"),
    "money": ("number", "integer"),
    "instant": ("datetime",),
    "day": ("date", "datetime"),
    **dict.fromkeys(LIST_TYPES, ("list",)),
}
"""The types of a field by the type of the fact that it becomes; the first is the one that is meant."""
EPOCHS = {"epoch": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000, "epoch_ns": 1_000_000_000}
"""Formats of our own: seconds, milli-, micro- and nanoseconds since 1970, with how many there are in a second."""
EPOCH_SECONDS_LEAST = 100_000_000
"""So many seconds since 1970 are March 1973. What is closer to 1970 is more likely counted in a longer unit: today's
seconds read as milliseconds are January 1970."""
WORDS_NOT_CODES = frozenset(("ALL", "TOP", "TRY", "CUP", "MAD", "PEN", "COP", "MOP", "GEL", "BAM", "SOS", "LAK"))
"""Codes of currencies that are words as well, so that the name of a column may have them."""
_CREDIT_OR_DEBIT = frozenset(("cr", "dr", "db", "c", "d", "h", "s", "soll", "haben", "credit", "debit"))
"""How accounting says on which side an amount stands, in English and German."""
_DIRECTIVES = frozenset("YmdyHMSfzbBpIjZ")
_MARK = Text("one character", r"(?s:.)", (";",), 1)
_FORMAT = Text(f"a format of strptime, {', '.join(EPOCHS)}", rf"{'|'.join(EPOCHS)}|(?s:.*%.*)", ("%d.%m.%Y",), 60)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def read(self, raw: Any, path: Path) -> bool:
        if not isinstance(raw, bool):
            raise PolicyError("expected true or false", path)
        return raw

    def schema(self, definitions: dict[str, Schema]) -> Schema:  # noqa: ARG002 (it names no part)
        return {"type": "boolean"}


@dataclass(frozen=True)
class Column:
    """A column of a file: its name, or its number from 1 where the file has no header."""

    def read(self, raw: Any, path: Path) -> str | int:
        if isinstance(raw, bool) or not isinstance(raw, str | int) or raw == "":
            raise PolicyError("expected a column's name, or its number from 1 in a file without header", path)
        if isinstance(raw, int):
            return Whole(1, COLUMNS_MOST).read(raw, path)
        return raw

    def schema(self, definitions: dict[str, Schema]) -> Schema:  # noqa: ARG002 (it names no part)
        return {
            "anyOf": [{"type": "string", "minLength": 1}, {"type": "integer", "minimum": 1, "maximum": COLUMNS_MOST}]
        }


@dataclass(frozen=True)
class Dialect:
    """How rows are written, in the words of Frictionless' Table Dialect."""

    delimiter: str = entry(_MARK, "What stands between the cells of a text file.", default=",")
    quote: str = entry(_MARK, "What stands around a cell.", default='"', key="quoteChar")
    doubled: bool = entry(Flag(), "Whether a quote inside a cell is doubled.", default=True, key="doubleQuote")
    escape: str = entry(_MARK, "What precedes a quote inside a cell instead.", default="", key="escapeChar")
    skips_blanks: bool = entry(
        Flag(), "Whether blanks behind a delimiter are no part of a cell.", default=False, key="skipInitialSpace"
    )
    header: bool = entry(Flag(), "Whether a row names the columns.", default=True)
    header_rows: tuple[int, ...] = entry(
        ListOf(Whole(1, HEADER_ROWS_MOST)), "The line of the header, from 1; what stands above is a title.",
        default=(1,), key="headerRows",
    )  # fmt: skip
    comment: str = entry(_MARK, "What a line begins with that is no row.", default="", key="commentChar")
    sheet: str = entry(Text(maximum_characters=31), "The sheet of a workbook.", default="", key="sheetName")
    property: str = entry(
        Text(maximum_characters=200), "Where in a JSON document the array of rows is, such as data.", default=""
    )


@dataclass(frozen=True)
class Constraints:
    """The shape of ids: constraints of Table Schema, and our own `check`, the name of a check digit."""

    pattern: str = entry(Text(), "What an id looks like from its first to its last character.", default="")
    least: int = entry(Whole(1, 64), "The fewest characters.", default=1, key="minLength")
    most: int = entry(Whole(1, 64), "The most characters.", default=64, key="maxLength")
    check: str = entry(Text(), "The name of a check digit.", default="")

    def shape(self) -> IdShape:
        """The shape. Raises ``IdShapeError``."""
        return IdShape(self.pattern, self.least, self.most, self.check)


@dataclass(frozen=True)
class Field:
    """A column of the list: a field of Table Schema, and where in the file it comes from.

    Our own are `from`, `constant`, `timezone`, `unit`, `symbols` and `values`.
    """

    name: str = entry(Text(maximum_characters=200), "The column's name in the list, as the policy reads it.")
    from_: str | int = entry(Column(), "The column of the file, if not the one of the same name.", default="")
    constant: str = entry(Text(maximum_characters=200), "What every row has, in no column of the file.", default="")
    type: str = entry(OneOf(FIELD_TYPES), "The type, if not that of the policy's fact.", default="")
    format: str = entry(_FORMAT, "How days and instants are written.", default="")
    timezone: str = entry(
        Text("an IANA time zone", examples=("Europe/Berlin",)), "The clock of instants without an offset.", default=""
    )
    decimal: str = entry(
        _MARK, "The decimal mark of numbers: a point, but then 1.234 is refused, which may mean thousands.",
        default="", key="decimalChar",
    )  # fmt: skip
    group: str = entry(_MARK, "What separates thousands.", default="", key="groupChar")
    symbols: tuple[str, ...] = entry(
        ListOf(Text(maximum_characters=8), single=True), "Signs that a number may have at one end.", default=()
    )
    unit: str = entry(OneOf(("major", "minor")), "Whether amounts are euros or cents.", default="major")
    true: tuple[str, ...] = entry(ListOf(Text(), single=True), "Words for yes.", default=(), key="trueValues")
    false: tuple[str, ...] = entry(ListOf(Text(), single=True), "Words for no.", default=(), key="falseValues")
    missing: tuple[str, ...] = entry(
        ListOf(Text(), single=True), "Words for no value in this column.", default=(), key="missingValues"
    )
    delimiter: str = entry(_MARK, "What separates the items of a list in a cell.", default="")
    values: Mapping[str, str] = entry(MapOf(Text()), "The policy's words for the file's.", empty=dict)
    constraints: Constraints | None = entry(Part(Constraints), "The shape of ids.", default=None)

    @property
    def source(self) -> str | int:
        """The column of the file; of a constant, the empty text."""
        return "" if self.constant else self.from_ or self.name


@dataclass(frozen=True)
class TableSchema:
    """The columns of the list, in their order, in the words of Frictionless' Table Schema."""

    fields: tuple[Field, ...] = entry(ListOf(Part(Field)), "The columns of the list.")
    missing: tuple[str, ...] = entry(
        ListOf(Text(), single=True), "Words for no value in any column; an empty cell always is one.", default=(),
        key="missingValues",
    )  # fmt: skip


@dataclass(frozen=True)
class Footer:
    """What stands below the rows and is none: so many rows, or all from the first that begins with a text."""

    rows: int = entry(Whole(1, FOOTER_ROWS_MOST), "How many rows; blank ones do not count.", default=0)
    starts_with: tuple[str, ...] = entry(
        ListOf(Text(), single=True), "What the first cell of the footer begins with.", default=(), key="startsWith"
    )


@dataclass(frozen=True)
class Drop:
    """Rows that are left out: those with one of some words in a column, such as a total."""

    column: str | int = entry(Column(), "The column of the file.")
    is_: tuple[str, ...] = entry(ListOf(Text(), single=True), "The whole cell, one of these words.")


@dataclass(frozen=True)
class Profile:
    """How one export writes its lists."""

    kulanz: int = entry(Whole(PROFILE_VERSION, PROFILE_VERSION), "The version of the language.")
    profile: str = entry(Text("the file's name", DATA_NAME, ("crm-excel",), 64), "Its name, as the file's.")
    title: str = entry(Text(maximum_characters=200), "Which export it is about, in a line.")
    schema: TableSchema = entry(Part(TableSchema), "The columns of the list.")
    encoding: str = entry(OneOf(ENCODINGS), "The encoding of text files.", default="utf-8")
    dialect: Dialect = entry(Part(Dialect), "How rows are written.", default=Dialect())
    footer: Footer | None = entry(Part(Footer), "What stands below the rows.", default=None)
    drop: tuple[Drop, ...] = entry(ListOf(Part(Drop)), "Rows that are left out.", default=())
    ignore: tuple[str | int, ...] = entry(
        ListOf(Column()), "Columns left out on purpose though they look like one that counts.", default=()
    )

    @property
    def sources(self) -> list[str | int]:
        """The columns of the file that are read, each once: for the list, then for rows that are left out."""
        named = [field.source for field in self.schema.fields if not field.constant]
        return list(dict.fromkeys([*named, *(one.column for one in self.drop)]))


PROFILE = Part(Profile)


def profile_schema() -> dict[str, Any]:
    """Give the JSON Schema (2020-12) of a profile."""
    return schema_of(PROFILE, "A profile of an export for Kulanz")


def load_profile(file: FilePath, policy: CompiledPolicy) -> Profile:
    """Read a profile and check it for a policy. Raises ``PolicyError`` with file, line, and what to do."""
    profile, lines = read_profile(file)
    try:
        _check_for(profile, policy)
    except PolicyError as error:
        raise error.located(str(file), lines) from None
    return profile


def read_profile(file: FilePath) -> tuple[Profile, dict[Path, int]]:
    """Read a profile and check what needs no policy; give the lines of its entries too. Raises ``PolicyError``."""
    data, lines = read_file(file)
    try:
        profile = profile_from(data)
        _must_be_named(profile, file)
    except PolicyError as error:
        raise error.located(str(file), lines) from None
    return profile, lines


def _must_be_named(profile: Profile, file: FilePath) -> None:
    if f"{profile.profile}{PROFILE_ENDING}" != file.name:
        raise PolicyError(f"expected the file to be called {profile.profile}{PROFILE_ENDING}", ("profile",))


def profile_from(data: Any) -> Profile:
    """Give the profile of plain data, checked as far as no policy is needed. Raises ``PolicyError``."""
    profile: Profile = PROFILE.read(in_one_form(data), ())  # names of columns are compared in that form
    _check_dialect(profile.dialect)
    if profile.footer is not None and bool(profile.footer.rows) == bool(profile.footer.starts_with):
        raise PolicyError("expected either rows or startsWith", ("footer",))
    names: set[str] = set()
    for place, field in enumerate(profile.schema.fields):
        path: Path = ("schema", "fields", place)
        if field.name in names:
            raise PolicyError("two fields have this name", (*path, "name"))
        names.add(field.name)
        _check_field(field, path, has_header=profile.dialect.header)
    for path, column in _columns(profile):
        if isinstance(column, str) is not profile.dialect.header:
            meant = "its name" if profile.dialect.header else "its number from 1: the file has no header"
            raise PolicyError(f"expected {meant}", path)
    return profile


def _columns(profile: Profile) -> Iterable[tuple[Path, str | int]]:
    for place, field in enumerate(profile.schema.fields):
        if not field.constant:
            yield ("schema", "fields", place, "from"), field.source
    yield from ((("drop", place, "column"), one.column) for place, one in enumerate(profile.drop))
    yield from ((("ignore", place), one) for place, one in enumerate(profile.ignore))


def _check_dialect(dialect: Dialect) -> None:
    marks = {"delimiter": dialect.delimiter, "quoteChar": dialect.quote, "escapeChar": dialect.escape}
    given = [mark for mark in marks.values() if mark]
    if len(set(given)) < len(given):
        raise PolicyError("expected delimiter, quoteChar and escapeChar to differ", ("dialect",))
    for key, mark in marks.items():
        if mark in ("\r", "\n", "\0") or (mark and not mark.isprintable() and mark != "\t" and key == "quoteChar"):
            raise PolicyError("expected another character than a line end", ("dialect", key))
    if not dialect.doubled and not dialect.escape:
        raise PolicyError("expected doubleQuote or an escapeChar; else no cell could have a quote", ("dialect",))
    if len(dialect.header_rows) != 1:
        raise PolicyError("expected one line; a header of several lines is not read", ("dialect", "headerRows"))
    if not dialect.header and dialect.header_rows != (1,):
        raise PolicyError("expected no headerRows where header is false", ("dialect", "headerRows"))


def _check_field(field: Field, path: Path, *, has_header: bool) -> None:
    if field.constant and field.from_:
        raise PolicyError("expected either from or constant", path)
    if not has_header and not field.constant and not field.from_:
        raise PolicyError("expected from, the column's number from 1: the file has no header", path)
    if field.group and field.group == (field.decimal or "."):
        raise PolicyError("expected decimalChar and groupChar to differ", (*path, "groupChar"))
    for key, mark in (("decimalChar", field.decimal), ("groupChar", field.group)):
        if mark and (mark.isalnum() or mark in "+-"):
            raise PolicyError("expected a mark that is neither letter, digit nor sign", (*path, key))
    if set(field.true) & set(field.false):
        raise PolicyError("expected no word to be yes and no", (*path, "trueValues"))
    if bool(field.true) is not bool(field.false):
        raise PolicyError("expected trueValues and falseValues together", path)
    if field.timezone and (field.timezone not in available_timezones() or field.timezone in ZONES_BY_HABIT):
        raise PolicyError("expected an IANA time zone such as Europe/Berlin", (*path, "timezone"))
    if field.format and field.format not in EPOCHS:
        _check_format(field.format, (*path, "format"))
    if field.constraints is not None:
        try:
            field.constraints.shape()
        except IdShapeError as error:
            raise PolicyError(str(error), (*path, "constraints")) from None


def _check_format(text: str, path: Path) -> None:
    found = re.findall(r"%(.)", text.replace("%%", ""))
    unknown = [letter for letter in found if letter not in _DIRECTIVES]
    if unknown or text.replace("%%", "").endswith("%"):
        known = ", ".join(f"%{letter}" for letter in sorted(_DIRECTIVES))
        raise PolicyError(f"expected directives of strptime: {known}", path)
    if len(set(found)) < len(found):
        raise PolicyError("expected each directive once", path)
    has_month = {"m", "b", "B"} & set(found)
    if not ({"Y", "y"} & set(found) and ((has_month and "d" in found) or "j" in found)):
        raise PolicyError("expected a year, a month and a day in it", path)
    if "I" in found and "p" not in found:
        raise PolicyError("expected %p beside %I: twelve hours come twice a day", path)


def _check_for(profile: Profile, policy: CompiledPolicy) -> None:
    """Check the fields of a profile against what a policy reads."""
    facts = {fact.name: fact for fact in policy.facts}
    ids = {ACCOUNT_COLUMN, policy.subject or ACCOUNT_COLUMN}
    for place, field in enumerate(profile.schema.fields):
        path: Path = ("schema", "fields", place)
        if policy.keeps(field.name):
            raise PolicyError("Kulanz keeps this itself, from the incidents it decides; leave it out", (*path, "name"))
        if field.name in ids:
            _check_id(field, path)
        elif field.name in facts:
            check_fact(field, facts[field.name], path)
        elif field.constraints is not None:
            raise PolicyError("expected constraints at ids only", (*path, "constraints"))
    missing = [name for name in needed(policy) if name not in {field.name for field in profile.schema.fields}]
    if missing:
        raise PolicyError(f"the policy needs {', '.join(missing)}; name each as a field", ("schema", "fields"))


def needed(policy: CompiledPolicy) -> list[str]:
    """The columns without which the policy decides nothing."""
    subject = [policy.subject] if policy.subject else []
    return [ACCOUNT_COLUMN, *subject, *(fact.name for fact in policy.facts if fact.required)]


def _check_id(field: Field, path: Path) -> None:
    if field.constant:
        raise PolicyError("expected a column: an id is another in each row", (*path, "constant"))
    if field.type not in ("", "string"):
        raise PolicyError("expected string: an id is a text, whatever it looks like", (*path, "type"))
    for key in ("format", "timezone", "group", "symbols", "true", "values", "delimiter"):
        if getattr(field, key):
            raise PolicyError("expected nothing but constraints at an id", path)


def marks_negative(symbol: str, currency: str) -> bool:
    """Whether what stands beside a number makes it negative: a minus of any kind, brackets; of money, CR and DR."""
    side = symbol.strip(" .").casefold() if currency else ""
    return side in _CREDIT_OR_DEBIT or any(
        letter in "+\N{MINUS SIGN}" or category(letter) in ("Pd", "Ps", "Pe") for letter in symbol
    )


def _check_symbols(field: Field, currency: str, path: Path) -> None:
    """Refuse the sign of another currency than is paid, and what makes a number negative: it is no sign alone."""
    for symbol in field.symbols:
        if marks_negative(symbol, currency):
            raise PolicyError("expected no minus, brackets, CR or DR: they change the number", (*path, "symbols"))
        if currency and not may_mean(symbol, currency):
            problem = f"the policy pays {currency}, and {symbol} is the sign of another currency"
            raise PolicyError(problem, (*path, "symbols"))


def _must_not_be_named_for_another(field: Field, currency: str, path: Path) -> None:
    """Refuse a column whose name says another currency than is paid: `Fee (USD)` where the policy pays euros."""
    if not currency or not isinstance(field.source, str):
        return
    codes = {word.upper() for word in words_of(field.source)} - WORDS_NOT_CODES
    named = [code for code in sorted(codes) if is_currency(code)]
    named += [sign for sign in CURRENCY_SIGNS if len(sign) == 1 and sign in field.source]
    if named and not any(may_mean(one, currency) for one in named):
        problem = f"the policy pays {currency}, and the column is named for {named[0]}"
        raise PolicyError(problem, (*path, "from"))


def check_fact(field: Field, fact: FactDeclaration, path: Path) -> None:
    """Check a field against the fact that it becomes. Raises ``PolicyError``."""
    allowed = TYPES_OF_FACTS[fact.type]
    if field.type and field.type not in allowed:
        raise PolicyError(f"expected {' or '.join(allowed)}: the policy reads {fact.type}", (*path, "type"))
    if field.constraints is not None:
        raise PolicyError("expected constraints at ids only", (*path, "constraints"))
    _check_symbols(field, fact.currency, path)
    _must_not_be_named_for_another(field, fact.currency, path)
    if field.unit == "minor" and fact.type not in ("money", "amounts"):
        raise PolicyError("expected it at money only", (*path, "unit"))
    if field.true and fact.type != "yes_no":
        raise PolicyError("expected words for yes and no at a yes_no fact only", (*path, "trueValues"))
    if field.delimiter and fact.type not in LIST_TYPES:
        raise PolicyError("expected it at a list only", (*path, "delimiter"))
    if (field.format or field.timezone) and fact.type not in ("instant", "day", "dates"):
        raise PolicyError("expected a format at days and instants only", path)
    if fact.type == "instant" and field.format and field.format not in EPOCHS:
        letters = set(re.findall(r"%(.)", field.format.replace("%%", "")))
        if not letters & {"H", "I"}:
            raise PolicyError("expected an hour in it: the policy reads an instant", (*path, "format"))
        if "z" not in letters and not field.timezone:
            raise PolicyError("expected %z in it, or the timezone of these clocks", (*path, "format"))
    if field.values and fact.choices:
        unknown = [word for word in field.values.values() if word not in fact.choices]
        if unknown:
            expected = ", ".join(fact.choices)
            raise PolicyError(f"expected one of the policy's choices: {expected}", (*path, "values"))


def python_encoding(profile: Profile) -> str:
    """The name under which Python knows a profile's encoding. A byte order mark of UTF-8 is skipped."""
    return _PYTHON.get(profile.encoding) or codecs.lookup(profile.encoding).name


_PYTHON = {"utf-8": "utf-8-sig", "macintosh": "mac-roman"}
