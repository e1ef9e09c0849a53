"""The accounts of a list that had another id before: what the list says of them must not contradict itself.

A list is read in many places at once, so each part remembers 64 bits of either id, and the plan looks at all of them.
Two rows of one account with the same former id are one statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from struct import Struct

CHANGED_MOST = 200_000
"""Accounts of a list that may have changed; some 40 MB of memory where a plan is looked at as a whole."""
CHANGED_PER_RECEIPT = 5_000
"""A receipt of the plan ends here: 120 KB of an item's 400, beside at most 200 KB of the subjects that it remembers."""
ROWS_NAMED = 3
"""Rows that a refusal names, by the bytes at which they start."""
_ENTRY = Struct(">QQQ")
ENTRY_BYTES = _ENTRY.size


@dataclass(slots=True)
class ChangedAccounts:
    """What some rows say: the hashes of the present and the former id of a subject, and the first row that says so."""

    rows: dict[tuple[int, int], int] = field(default_factory=dict)

    def see(self, account_id: str, former_id: str, subject: str, offset: int) -> None:
        """Remember what the row at byte `offset` says; of more than `CHANGED_MOST`, one more is enough to know it."""
        if len(self.rows) <= CHANGED_MOST:
            self._see((_hash(account_id, subject), _hash(former_id, subject)), offset)

    def add(self, other: "ChangedAccounts") -> None:
        """Add what other rows say."""
        for place, offset in other.rows.items():
            if len(self.rows) > CHANGED_MOST:
                break
            self._see(place, offset)

    def _see(self, place: tuple[int, int], offset: int) -> None:
        self.rows[place] = min(offset, self.rows.get(place, offset))

    @property
    def is_full(self) -> bool:
        """Whether a receipt has room for no more."""
        return len(self.rows) >= CHANGED_PER_RECEIPT

    def refusals(self) -> Iterator[str]:
        """Why a list that says this cannot be trusted."""
        if len(self.rows) > CHANGED_MOST:
            yield f"too_many_changed_accounts: more than {CHANGED_MOST:,} rows have account_was; split the list"
            return
        if twice := self.owned_twice():
            yield (
                "account_was_twice: two accounts had the same id before, in the rows that start at bytes"
                f" {_named(twice)}; one account has it, or none: correct account_was"
            )
        if circle := self.in_circles():
            yield (
                "account_was_circle: accounts that had each other's id before, in the rows that start at bytes"
                f" {_named(circle)}: correct account_was"
            )

    def owned_twice(self) -> list[int]:
        """The rows of accounts that had the same id before as another one."""
        owners: dict[int, list[int]] = {}
        for (_, former), offset in self.rows.items():
            owners.setdefault(former, []).append(offset)
        return sorted(offset for rows in owners.values() if len(rows) > 1 for offset in rows)

    def in_circles(self) -> list[int]:
        """The rows of accounts that, from former id to former id, come back to themselves."""
        leading: dict[int, int] = {}
        later: dict[int, list[int]] = {}
        for account, former in self.rows:
            leading[account] = leading.get(account, 0) + 1
            later.setdefault(former, []).append(account)
        ended = [former for former in later if former not in leading]
        while ended:  # whoever leads only to ids that lead to an end is in no circle
            for account in later.get(ended.pop(), ()):
                leading[account] -= 1
                if not leading[account]:
                    ended.append(account)
        return sorted(
            offset for (account, former), offset in self.rows.items() if leading.get(account) and leading.get(former)
        )

    def to_bytes(self) -> bytes:
        """What a receipt keeps."""
        return b"".join(_ENTRY.pack(*place, offset) for place, offset in sorted(self.rows.items()))

    @classmethod
    def from_bytes(cls, content: bytes) -> "ChangedAccounts":
        """Read what `to_bytes` wrote."""
        return cls({(account, former): offset for account, former, offset in _ENTRY.iter_unpack(content)})


def _hash(account_id: str, subject: str) -> int:
    return int.from_bytes(blake2b(f"{account_id}#{subject}".encode(), digest_size=8).digest())


def _named(rows: list[int]) -> str:
    named = ", ".join(map(str, rows[:ROWS_NAMED]))
    return named if len(rows) <= ROWS_NAMED else f"{named} and {len(rows) - ROWS_NAMED} more"
