"""Ids of accounts and of their lines or premises: what a cell may name, and what spreadsheets and reports make of it.

Where the shape of the ids is stated (``IdShape``), an id is what has that shape, and nothing else is asked. Without it
these are refused, each kind under a reason of its own, because a row that names no customer must never be paid:

| kind | refused | because |
|---|---|---|
| null | ``words.NULL_WORDS``: NULL, \\N, None, nan, N/A, -, unknown | a database's or pandas' empty cell |
| | zeros alone: 0, 0000000000, the nil UUID; but a part of an account may be called 0 | an empty number |
| boolean | TRUE, FALSE, WAHR, FALSCH ... | a spreadsheet's formula |
| total | Total, Summe, Grand Total, Subtotal, (12 rows) ... | the last row of a report |
| | account, customer id, Kundennummer ... | a second header below the first |
| decimal | 20510000005.0, 20510000005. | pandas and spreadsheets make fractions of ids beside empty cells |
| | 20.510.000.005, but no address such as 10.100.200.100 | a spreadsheet divides thousands |
| exponent | 2.05E10, 2.05E+10, 1e15 | a spreadsheet's way to show a long number |
| date | 12-Oct, Oct-12, 2024-10-12, 12.10.2024, 12:30 | a spreadsheet takes 10-12 for a day, 12:30 for a time |
| rounded | 19 digits and more, of which all behind the fifteenth are 0 | a spreadsheet keeps 15 digits |
| | a whole number beyond 2^53 in JSON | most programs that write JSON keep no more |

A rounded id is told by its own digits alone, because a list is read in many places at once. Of ids that are random, one
in 10,000 with 19 digits ends so by chance; ids that end in far more zeros (8944120000000000000) are taken for what they
are. Of 16 to 18 digits too many end in zeros by chance, so that none is refused: a check tells of a list.
A customer may be called Total or 5e12: where ids can look like that, state their shape.
"""

import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from kulanz.domain.identifiers import ACCOUNT_ID_EXPECTED, is_account_id
from kulanz.domain.lists.cells import clean
from kulanz.domain.lists.header_advice import ACCOUNT_NAMES
from kulanz.domain.lists.words import BOOLEAN_WORDS, MONTHS, NULL_WORDS, TOTAL_WORDS

DIGITS_KEPT = 15
"""Significant digits of a number in a spreadsheet."""
DIGITS_ROUNDED = DIGITS_KEPT + 4
"""From so many digits on, zeros behind the fifteenth are no chance: one in 10,000."""
DIGITS_SIGNIFICANT_LEAST = 12
"""What is rounded has zeros in its last kept places as seldom as any number; with far more, it was round before."""
JSON_WHOLE_MOST = 2**53
"""The largest whole number that every reader and writer of JSON keeps (RFC 8259, section 6)."""
YEARS = range(1900, 2101)
"""The years a spreadsheet takes for dates."""

STATE_THE_SHAPE = "; where ids look like that, state their shape"
AS_TEXT = "export the column as text"


class IdProblem(NamedTuple):
    """Why a cell names no account: the end of the reason code, and what was expected."""

    kind: str
    expected: str


type ReadId = Callable[[object], str | IdProblem]

_SURE = re.compile(
    # What the fast path takes, because nothing below could be written so: up to 18 digits, not all 0; one or
    # two letters and a digit (W-1001); more letters, and five characters from the first digit on (acct-000123); three
    # digits and a letter but e; digits, such a letter, and a digit soon behind it; 30 characters with a letter (UUIDs).
    r"(?=0*[1-9])[0-9]{1,18}|[A-Za-z]{1,2}[._:~-]?[0-9][A-Za-z0-9._:~-]{0,60}"
    r"|[A-Za-z][A-Za-z._:~-]{0,40}[0-9][A-Za-z0-9._:~-]{4,22}"
    r"|[0-9]{3,18}[A-DF-Za-df-z][A-Za-z0-9_~]{0,40}|[0-9]{1,2}[A-DF-Za-df-z][A-Za-z]?[0-9][A-Za-z0-9_~]{0,40}"
    r"|(?=[0-9._:~-]*[A-Za-z])[A-Za-z0-9][A-Za-z0-9._:~-]{29,63}",
    re.ASCII,
)
is_surely_an_id = _SURE.fullmatch
"""Whether a text is an id beyond suspicion, where no shape is stated: most are, and are looked at no further."""
_DECIMAL = re.compile(r"-?[0-9]+[.,]0*", re.ASCII)
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2}(?:[.][0-9]{3}){2,}", re.ASCII)
_ADDRESS_PARTS, _ADDRESS_MOST = 4, 255
"""Of an address in the internet, by which an access may be known."""
_ZEROS = re.compile(r"[0-]*0[0-]*", re.ASCII)
_EXPONENT = re.compile(
    r"-?(?:[0-9]{1,3}[.,][0-9]+[eE][+-]?[0-9]{1,3}|[0-9][eE](?:[+-][0-9]{1,3}|[0-9]{2,3}))", re.ASCII
)
_YEAR_FIRST = re.compile(r"([0-9]{4})([-./])([0-9]{1,2})\2([0-9]{1,2})(?:[T ].*)?", re.ASCII)
_YEAR_LAST = re.compile(r"([0-9]{1,2})([-./])([0-9]{1,2})\2([0-9]{4})(?: .*)?", re.ASCII)
_DAY_MONTH = re.compile(
    r"[0-9]{1,2}(?P<between>[-./ ]*)(?P<month>[^\W\d_]{3,9})\.?(?P<year>[-./ ]*(?:[0-9]{4}|[0-9]{2}))?"
)
_MONTH_YEAR = re.compile(r"(?P<month>[^\W\d_]{3,9})\.?[-./ ]+(?:[0-9]{4}|[0-9]{2})")
_LIKE_A_DATE = re.compile(r"[0-9]{1,4}[-./: ]|[0-9]{1,2}[^\W\d_]{3}|[^\W\d_]{3,9}\.?[-./ ]+[0-9]")
_DIGIT = re.compile(r"[0-9]")
_TIME = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2})?", re.ASCII)
_ROW_COUNT = re.compile(
    r"\(?[0-9.,]+ (?:rows?|row\(s\)|records?|record\(s\)|lines?|zeilen?|lignes?|filas?|righe|rijen)\b.*", re.IGNORECASE
)
_BETWEEN_WORDS = re.compile(r"[\s_.:*=-]+")

_MISSING = IdProblem("missing", ACCOUNT_ID_EXPECTED)
_INVALID = IdProblem("invalid", ACCOUNT_ID_EXPECTED)
_NULL = IdProblem("null", f"an id, not a word for no value{STATE_THE_SHAPE}")
_ZERO = IdProblem("null", f"an id, not zeros alone{STATE_THE_SHAPE}")
_BOOLEAN = IdProblem("boolean", f"an id, not true or false{STATE_THE_SHAPE}")
_TOTAL = IdProblem("total", f"an id, not a header, a total or a footer; leave such rows out{STATE_THE_SHAPE}")
_DECIMAL_ID = IdProblem("decimal", f"an id without a decimal point; {AS_TEXT}")
_THOUSANDS_ID = IdProblem("decimal", f"an id, not a number whose thousands are divided; {AS_TEXT}{STATE_THE_SHAPE}")
_EXPONENT_ID = IdProblem("exponent", f"an id, not a number with an exponent; {AS_TEXT}{STATE_THE_SHAPE}")
_DATE = IdProblem("date", f"an id, not what a spreadsheet took for a date; {AS_TEXT}{STATE_THE_SHAPE}")
_ROUNDED = IdProblem(
    "rounded",
    f"an id with all its digits; a spreadsheet keeps {DIGITS_KEPT}: {AS_TEXT}{STATE_THE_SHAPE}",
)
_JSON_ROUNDED = IdProblem("rounded", "an id in quotes: a number beyond 2^53 may have been rounded")


def read_id(given: object) -> str | IdProblem:
    """The id that a cell or a JSON value names, or the problem with it, where no shape is stated."""
    if isinstance(given, str):
        return given if is_surely_an_id(given) else _suspected(clean(given))
    return written_as_number(given, read_id)


def read_part_id(given: object) -> str | IdProblem:
    """The id of a part of an account, as ``read_id`` reads it; but the first line or port of one may be called 0."""
    text = clean(given) if isinstance(given, str) else given
    return "0" if text == "0" or (text == 0 and type(text) is int) else read_id(given)


def written_as_number(given: object, read: ReadId) -> str | IdProblem:
    """A whole number of JSON is the id as it is written; one with a fraction or an exponent went through a float."""
    if given is None:
        return _MISSING
    if isinstance(given, bool):
        return _BOOLEAN
    if isinstance(given, int):
        return _INVALID if given < 0 else _JSON_ROUNDED if given > JSON_WHOLE_MOST else read(str(given))
    if isinstance(given, Decimal):
        return _DECIMAL_ID if "." in str(given) and "E" not in str(given) else _EXPONENT_ID
    return _INVALID


def is_long_number(account_id: str) -> bool:
    """Whether an id is a number of more digits than a spreadsheet keeps, of which one alone says not enough."""
    return DIGITS_KEPT < len(account_id) < DIGITS_ROUNDED and account_id.isdecimal() and account_id[0] != "0"


def has_zeros_for_digits(account_id: str) -> bool:
    """Whether a long number has zeros alone behind the digits that a spreadsheet keeps: one in ten with 16 digits."""
    return not account_id[DIGITS_KEPT:].strip("0")


def _suspected(text: str) -> str | IdProblem:
    """An id that the fast path did not take."""
    could_be = is_account_id(text)
    word = None if could_be and _DIGIT.search(text) else _word(text)
    problem = (
        word
        or (None if text[:1].isalpha() else _number(text))
        or (_DATE if _LIKE_A_DATE.match(text) and _is_date(text) else None)
    )
    return problem or (text if could_be else _INVALID)


def _word(text: str) -> IdProblem | None:
    if not text:
        return _MISSING
    folded = text.casefold()
    if folded in NULL_WORDS:
        return _NULL
    if folded in BOOLEAN_WORDS:
        return _BOOLEAN
    words = _BETWEEN_WORDS.sub(" ", folded).strip()
    return _TOTAL if words in TOTAL_WORDS or words in ACCOUNT_NAMES or _ROW_COUNT.fullmatch(text) else None


def _number(text: str) -> IdProblem | None:
    if _ZEROS.fullmatch(text):
        return _ZERO
    if _DECIMAL.fullmatch(text):
        return _DECIMAL_ID
    if _THOUSANDS.fullmatch(text) and not _is_address(text):
        return _THOUSANDS_ID
    if _EXPONENT.fullmatch(text):
        return _EXPONENT_ID
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0")
        significant = len(digits.rstrip("0"))
        if len(digits) >= DIGITS_ROUNDED and DIGITS_SIGNIFICANT_LEAST <= significant <= DIGITS_KEPT:
            return _ROUNDED
    return None


def _is_address(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == _ADDRESS_PARTS and all(int(part) <= _ADDRESS_MOST for part in parts)


def _is_date(text: str) -> bool:
    """Whether a spreadsheet writes a day, a month or a time of day so."""
    found = _YEAR_FIRST.fullmatch(text)
    if found:
        return _exists(found[1], found[3], found[4])
    found = _YEAR_LAST.fullmatch(text)
    if found:
        return _exists(found[4], found[3], found[1]) or _exists(found[4], found[1], found[3])
    found = _DAY_MONTH.fullmatch(text)
    if found and found["month"].casefold() in MONTHS:
        return bool(found["between"]) or bool(found["year"])
    found = _MONTH_YEAR.fullmatch(text)
    if found and found["month"].casefold() in MONTHS:
        return True
    return _TIME.fullmatch(text) is not None


def _exists(year: str, month: str, day: str) -> bool:
    try:
        return date(int(year), int(month), int(day)).year in YEARS
    except ValueError:
        return False
