"""Columns that no policy reads and that a credit needs on its way to a bill: the biller's account, the next bill dates.

A list may have them or not. Where a list has the column `biller_account`, each row states it: an empty cell is no
account, and a credit that is booked on a guessed one pays somebody else. `next_bill_on` may be empty: then nobody knows
when the account is billed next, and the policy's own latest day counts.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from kulanz.domain.lists.account_ids import IdProblem, read_id
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactError, FactValue

BILLER_ACCOUNT_COLUMN = "biller_account"
NEXT_BILLS_COLUMN = "next_bill_on"
TO_BILL_COLUMNS = (BILLER_ACCOUNT_COLUMN, NEXT_BILLS_COLUMN)
TO_BILL_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    BILLER_ACCOUNT_COLUMN: (
        *("billing_account", "bill_account", "biller_account_id", "billing_account_id", "biller_acct", "billing_acct"),
        *("biller_account_no", "biller_account_number", "billing_account_no", "billing_account_number"),
    ),
    NEXT_BILLS_COLUMN: (
        *("next_bill", "next_bill_day", "next_bill_days", "next_bill_date", "next_bill_dates"),
        *("next_billing", "next_billing_on", "next_billing_day", "next_billing_date", "next_billing_dates"),
    ),
}
"""What exports call these columns. Nothing reads a column of such a name, so it must be renamed, or be meant."""
WITHOUT_TO_BILL: Mapping[str, str] = {
    BILLER_ACCOUNT_COLUMN: "credits would be booked at the biller under the account_id",
    NEXT_BILLS_COLUMN: "deadlines would not be counted by the account's own bills",
}
"""What follows where a list has no such column."""
NEXT_BILLS_MOST = 12
"""Bill dates in one cell: a year of them."""
CELLS_REMEMBERED = 4_096
"""Different cells of bill dates that are remembered: accounts are billed in some thirty cycles."""

_DAYS_EXPECTED = f"days of the account's next bills such as 2026-12-05 or 2026-12-05|2027-01-05: 1 to {NEXT_BILLS_MOST}"
_NEXT_BILLS = FactDeclaration(NEXT_BILLS_COLUMN, "dates", separator="|")


class ToBill(NamedTuple):
    """What a row says of the bill: the biller's key of the account, and the days of its next bills, first to last.

    An empty key: the biller knows the account by its `account_id`. No days: the list says nothing of them.
    """

    biller_account: str = ""
    next_bills: tuple[date, ...] = ()

    def text(self) -> str:
        """What it says, for the digest of a row: equal texts are equal contents."""
        return f"{self.biller_account}\0{'|'.join(day.isoformat() for day in self.next_bills)}"


NOTHING_TO_BILL = ToBill()


def _to_bill(biller_account: str, next_bills: tuple[date, ...]) -> ToBill:
    return ToBill(biller_account, next_bills) if biller_account or next_bills else NOTHING_TO_BILL


def biller_account_of(cell: object) -> str:
    """The biller's key of an account. Raises FactError where the cell names none."""
    found = read_id(cell)
    if isinstance(found, IdProblem):
        raise FactError(BILLER_ACCOUNT_COLUMN, f"the account as the biller names it: {found.expected}")
    return found


def next_bills_of(value: FactValue | None) -> tuple[date, ...]:
    """The bill dates of a cell that was typed as dates. Raises FactError where they are too many or out of order."""
    if value is None:
        return ()
    days = tuple(day for day in value if isinstance(day, date)) if isinstance(value, tuple) else ()
    if not 0 < len(days) <= NEXT_BILLS_MOST:
        raise FactError(NEXT_BILLS_COLUMN, _DAYS_EXPECTED)
    if any(later <= earlier for earlier, later in pairwise(days)):
        raise FactError(NEXT_BILLS_COLUMN, f"{_DAYS_EXPECTED}, each after the one before")
    return days


@lru_cache(CELLS_REMEMBERED)
def _next_bills_of_text(cell: str) -> tuple[date, ...]:
    return next_bills_of(_NEXT_BILLS.parse_text(cell))


def states_no_bill(_: Sequence[str]) -> ToBill:
    """What a row says of the bill where its list has neither of these columns."""
    return NOTHING_TO_BILL


def to_bill_in_fields(columns: Sequence[str]) -> Callable[[Sequence[str]], ToBill]:
    """What reads these columns of a row of CSV that has been taken apart; `states_no_bill` without any."""
    places = {name: place for place, name in enumerate(columns) if name in TO_BILL_COLUMNS}
    if not places:
        return states_no_bill
    account, bills = places.get(BILLER_ACCOUNT_COLUMN), places.get(NEXT_BILLS_COLUMN)

    def read(fields: Sequence[str]) -> ToBill:
        return _to_bill(
            "" if account is None else biller_account_of(fields[account]),
            () if bills is None else _next_bills_of_text(fields[bills]),
        )

    return read


def to_bill_in_record(record: Mapping[str, Any]) -> ToBill:
    """What a record of JSONL says of the bill. Raises FactError."""
    if BILLER_ACCOUNT_COLUMN not in record and NEXT_BILLS_COLUMN not in record:
        return NOTHING_TO_BILL
    return _to_bill(
        biller_account_of(record[BILLER_ACCOUNT_COLUMN]) if BILLER_ACCOUNT_COLUMN in record else "",
        next_bills_of(_NEXT_BILLS.parse_json(record.get(NEXT_BILLS_COLUMN))),
    )
