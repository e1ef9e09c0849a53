"""What is probably wrong with a first line that lacks a column, and what to do: exports are wrong in few ways.

Names of columns are repeated to whoever sent the list. Cells of a row are not: they are a customer's. So a first line
is shown only where it has a known name, or nearly one, and is plainly no row. A line like `Mustermann,Basic` may be a
header in another language or a row of a list without one; of it only the number of columns is said.
"""

import csv
import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from kulanz.domain.lists.near_names import is_nearly

LINES_LOOKED_AT = 20
"""A title, a date and a filter stand above the header of a report; nothing longer is taken for one."""
NAMES_SHOWN = 12
NAME_CHARACTERS = 40
ALIKE = 0.8
"""How alike a name must be to a wanted one to be taken for a misspelling of it (0 to 1)."""
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}
ACCOUNT_NAMES = (
    "id", "account", "account id", "account no", "account nr", "account number", "accountid", "accountnumber", "acct",
    "acct id", "acct no", "customer", "customer id", "customer no", "customer number", "customerid", "cust id",
    "cust no", "client id", "client no", "client number", "subscriber id", "subscriber no", "user id", "kundennummer",
    "kundennr", "kunden nr", "kunden id", "kontonummer", "vertragskonto", "debitor", "debitorennummer", "kunnr",
    "numéro client", "numéro de client", "número de cliente", "numero cliente", "id cliente", "codice cliente",
    "código do cliente", "klantnummer", "kundenummer", "kundnummer", "asiakasnumero", "numer klienta",
)  # fmt: skip
"""What exports call the column with the account, in the order in which they are believed."""
_SEP_LINE = re.compile(r'"?sep=(.)"?', re.IGNORECASE)
_VALUE = re.compile(
    r"[+-]?[\d.,: /-]*\d[\d.,: /%-]*|\d{4}-\d\d-\d\d.*|.*@.*|true|false|yes|no|null|[A-Za-z]{0,5}[_-]?\d\w{3,}",
    re.IGNORECASE | re.ASCII,
)
"""Numbers, days, e-mail addresses, yes and no, and ids such as `cus_9f3a`: cells of a row, never names of columns."""


def advice(head: str, wanted: Sequence[str]) -> str:
    """Sentences about the first lines of a CSV list that lacks one of the `wanted` columns: what it has, what to do."""
    lines = [line.rstrip("\r") for line in head.split("\n")[:LINES_LOOKED_AT]]
    separator = _separator(lines[0], wanted)
    columns = _cells(lines[0], separator)
    if sep_line := _sep_line(lines[0]):
        return sep_line
    is_known = _has_known_name(columns, wanted)
    guess = (
        _other_separator(separator)
        or _title_above(lines, wanted)
        or _no_header(columns)
        or (_written_otherwise(columns, wanted) if is_known else _nothing_known(wanted))
    )
    return f"{guess}. {_shown(columns, are_names=is_known and not _is_row(columns))}"


def _has_known_name(columns: Sequence[str], wanted: Sequence[str]) -> bool:
    """Whether one of the columns has a name that is wanted, or nearly one: then the line is a header."""
    return any(_nearly(name, columns) is not None for name in wanted)


def _sep_line(first: str) -> str:
    found = _SEP_LINE.fullmatch(first.strip())
    if found is None:
        return ""
    commas = "" if found[1] == "," else " and save the list with commas between its columns"
    return f"the first line is Excel's `sep=`, not the header: remove that line{commas}"


def _separator(first: str, wanted: Sequence[str]) -> str:
    """What stands between the columns of a first line, judged by the names that it would have."""
    names = _plain_names([*wanted, *ACCOUNT_NAMES])
    found = {mark: cells for mark in SEPARATORS if len(cells := _cells(first, mark)) > 1}
    return next((mark for mark, cells in found.items() if _plain_names(cells) & names), ",")


def _other_separator(separator: str) -> str:
    if separator == ",":
        return ""
    return (
        f"the first line has {SEPARATORS[separator]} between its columns: save the list with commas, and write amounts"
        " with a decimal point (39.90)"
    )


def _title_above(lines: Sequence[str], wanted: Sequence[str]) -> str:
    for number, line in enumerate(lines[1:], 2):
        for separator in (",", *SEPARATORS):
            if _plain_names(wanted) <= _plain_names(_cells(line, separator)):
                above = "the line above it" if number == 2 else f"the {number - 1} lines above it"  # noqa: PLR2004
                commas = "" if separator == "," else f", and put commas in place of {SEPARATORS[separator]}"
                return f"the header seems to be line {number}: remove {above}{commas}"
    return ""


def _no_header(columns: Sequence[str]) -> str:
    if not _is_row(columns):
        return ""
    return "the first line looks like a row, not like a header: put a line with the names of the columns above it"


def _nothing_known(wanted: Sequence[str]) -> str:
    expected = ", ".join(wanted)
    return (
        f"no name in the first line is known. If that line is a row, put a header above it, with the names {expected};"
        " if it is the header, give its columns these names"
    )


def _written_otherwise(columns: Sequence[str], wanted: Sequence[str]) -> str:
    """Columns that are there under nearly the wanted name: `ACCOUNT_ID`, ` segment`, `Account Number`, `segmnet`."""
    missing = [name for name in wanted if name not in columns]
    found = {name: near for name in missing if (near := _nearly(name, columns)) is not None}
    renamed = ", ".join(f"{_quoted(near)} to {_quoted(name)}" for name, near in found.items())
    added = ", ".join(name for name in missing if name not in found)
    if found and all(_plain(near) == _plain(name) for name, near in found.items()):
        exactly = "names are read exactly, in lower case and without blanks around them"
        blanks = ", and write no blanks after commas" if any(name != name.strip() for name in columns) else ""
        advised = f"{exactly}: rename {renamed}{blanks}"
    elif found:
        advised = f"rename {renamed}, if that is what it holds"
    else:
        return f"add {added}, under exactly this name"
    return f"{advised}; add {added}" if added else advised


def _nearly(name: str, columns: Sequence[str]) -> str | None:
    plain = {_plain(column): column for column in reversed(columns)}
    if _plain(name) in plain:
        return plain[_plain(name)]
    if name == "account_id" and (found := next((one for one in ACCOUNT_NAMES if _plain(one) in plain), None)):
        return plain[_plain(found)]
    if (alike := next((column for column in columns if is_nearly(column, name)), None)) is not None:
        return alike
    close = get_close_matches(_plain(name), plain, n=1, cutoff=ALIKE)
    return plain[close[0]] if close else None


def _is_row(columns: Sequence[str]) -> bool:
    return any(_VALUE.fullmatch(cell.strip()) for cell in columns)


def _shown(columns: Sequence[str], *, are_names: bool) -> str:
    count = f"{len(columns)} column" + "s" * (len(columns) != 1)
    if not are_names:
        return f"It has {count}"
    names = ", ".join(_quoted(name) for name in columns[:NAMES_SHOWN])
    more = len(columns) - NAMES_SHOWN
    return f"It has {count}: {names}" + (f" and {more} more" if more > 0 else "")


def _quoted(name: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in name[:NAME_CHARACTERS])
    return f'"{shown}{"..." if len(name) > NAME_CHARACTERS else ""}"'


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return line.split(separator)


def _plain_names(names: Iterable[str]) -> set[str]:
    return {_plain(name) for name in names}


def _plain(name: str) -> str:
    """A name without what exports change of it: case, blanks and what stands between words."""
    return re.sub(r"[\s_.-]+", "", name).strip('"').casefold()
