"""Accounts that changed: the columns by which a row names the id that its account had before.

`account_was` is that id, `account_since` the instant from which the account has its present one. Most rows of a list
leave both empty. What was granted under the former id for the same incident is set off. A former id may look otherwise
than the present ones, so the stated shape of ids is not asked of it.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from kulanz.domain.lists.account_ids import IdProblem, read_id
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import FactError
from kulanz.domain.lists.instants import EXPECTED
from kulanz.domain.lists.reasons import RowReason
from kulanz.domain.time import format_instant

WAS_COLUMN = "account_was"
SINCE_COLUMN = "account_since"
FORMER_COLUMNS = (WAS_COLUMN, SINCE_COLUMN)
FORMER_OTHERWISE: Mapping[str, tuple[str, ...]] = {
    WAS_COLUMN: tuple(
        name
        for word in ("old", "former", "previous", "prior")
        for name in (f"{word}_account", f"{word}_account_id", f"account_id_{word}", f"account_{word}")
    ),
}
"""What exports call these columns. Nothing reads a column of such a name, so it must be renamed, or be meant."""
WITHOUT_FORMER: Mapping[str, str] = {
    WAS_COLUMN: "an account that was credited under its former id would be credited again",
    SINCE_COLUMN: "nobody would know since when an account has its present id",
}
"""What follows where a list has no such column."""

_UNSTATED = frozenset({"missing", "null"})
"""The kinds of cells that name no former id: most accounts never had one."""
_SINCE = FactDeclaration(SINCE_COLUMN, "instant")


class Former(NamedTuple):
    """The id that an account had before, and the first instant at which it had it no more."""

    account_id: str
    since: datetime

    def text(self) -> str:
        """What a row says of it, for the digest of the row: equal texts are equal contents."""
        return f"{self.account_id}\0{format_instant(self.since)}"


def states_no_former(_: str, __: Sequence[str]) -> None:
    """What a row says of its account where its list has no column `account_was`."""


def former_in_fields(columns: Sequence[str], now: datetime | None) -> Callable[[str, Sequence[str]], Former | None]:
    """What reads these columns of a row of CSV, for its account; `states_no_former` without `account_was`.

    `now` is when the list is decided; None where that does not matter.
    """
    places = {name: place for place, name in enumerate(columns)}
    was, since = places.get(WAS_COLUMN), places.get(SINCE_COLUMN)
    if was is None:
        return states_no_former
    return lambda account_id, fields: _former(account_id, fields[was], "" if since is None else fields[since], now)


def former_in_record(account_id: str, record: Mapping[str, Any], now: datetime | None) -> Former | None:
    """What a record of JSONL says of its account. Raises FactError."""
    if WAS_COLUMN not in record:
        return None
    return _former(account_id, record[WAS_COLUMN], record.get(SINCE_COLUMN), now)


def _former(account_id: str, was: object, since: object, now: datetime | None) -> Former | None:
    found = read_id(was)
    if isinstance(found, IdProblem):
        if found.kind in _UNSTATED:
            return None
        expected = f"the id that the account had before: {found.expected}"
        raise FactError(WAS_COLUMN, expected, RowReason.ACCOUNT_WAS_INVALID)
    if found == account_id:
        raise FactError(WAS_COLUMN, "another id than account_id, or nothing", RowReason.ACCOUNT_WAS_ITSELF)
    try:
        began = _SINCE.parse_json(since)
    except FactError as error:
        raise FactError(SINCE_COLUMN, error.expected, RowReason.ACCOUNT_SINCE_INVALID) from None
    if not isinstance(began, datetime):
        expected = f"since when the account has its present id, where account_was is stated: {EXPECTED}"
        raise FactError(SINCE_COLUMN, expected, RowReason.ACCOUNT_SINCE_INVALID)
    if now is not None and began > now:
        raise FactError(SINCE_COLUMN, "an instant that is not in the future", RowReason.ACCOUNT_SINCE_FUTURE)
    return Former(found, began)
