"""A plain ledger of one incident: what should be granted, used and void, without entries, receipts or streams."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kulanz.domain.campaigns.ends import counted_end
from kulanz.domain.delivery.law import Shares

ACCOUNTS = ("ada", "bob", "cid")
MINUTES = 20
WEEK = timedelta(days=7)
UNUSED = frozenset({"due", "rejected", "taken_back"})
"""The states of what can be voided."""
IDS_MOST = 4


@dataclass
class Credit:
    """One thing that was granted, in the plain ledger."""

    size: int
    at: datetime
    ends: bool
    is_added: bool
    is_by_hand: bool = False
    state: str = "due"
    used: int = 0
    less: int = 0
    """How much of it was voided, where that is not all of it."""

    @property
    def left(self) -> int:
        """How large it is by now."""
        return self.size - self.less

    def has_ended(self, now: datetime) -> bool:
        return self.ends and now >= self.at + WEEK

    def shares(self, now: datetime) -> Shares:
        if self.state == "voided":
            return Shares(voided=self.size)
        left = self.left - self.used
        is_over = self.ends and now >= counted_end(self.at + WEEK)
        return Shares(self.used, left if is_over else 0, self.less, open=0 if is_over else left)


type Rows = dict[str, tuple[int | None, str, str]]
"""The rows of a list: fee, kind, and how it names the account."""


def whole_of(fee: int) -> dict[str, int]:
    """What the policy comes to, by measure."""
    return {"EUR": fee * 100, "call_minute": MINUTES}


@dataclass
class Plain:
    """What was granted, by campaign, account and measure; what is offered; and the most that was decided.

    `ids` are the ids that an account had, the present one last; `under` says under which a campaign decided about it.
    `held` are the rows without a fee, with the kind that their lists state. `goodwill` is in cents, by account.
    """

    credits: dict[tuple[int, str, str], Credit] = field(default_factory=dict)
    offers: dict[tuple[int, str], dict[str, int]] = field(default_factory=dict)
    most: dict[tuple[str, str], int] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=lambda: {account: [account] for account in ACCOUNTS})
    under: dict[tuple[int, str], str] = field(default_factory=dict)
    held: dict[tuple[int, str], str] = field(default_factory=dict)
    goodwill: dict[str, int] = field(default_factory=dict)

    def named(self, seq: int, account: str) -> str:
        """The id under which a campaign decided about an account; the present one where it did not."""
        return self.under.get((seq, account), self.ids[account][-1])

    def name(self, seq: int, account: str, how: str) -> tuple[str, str]:
        """By which id a list names an account, and the former one that it states, if any."""
        ids = self.ids[account]
        if how == "renamed" and len(ids) < IDS_MOST:
            ids.append(f"{account}-{len(ids)}")
        place = len(ids) - 2 if how == "by the former id" and len(ids) > 1 else len(ids) - 1
        states = place > 0 and how in ("renamed", "with the former id")
        self.under[seq, account] = ids[place]
        return ids[place], ids[place - 1] if states else ""

    def has_by_hand(self, account: str) -> bool:
        """Whether a person decided some of what an account has."""
        return any(
            one.is_by_hand and one.state != "voided" for (_, of, _), one in self.credits.items() if of == account
        )

    def net(self, account: str, measure: str) -> int:
        found = (one for (_, of, what), one in self.credits.items() if (of, what) == (account, measure))
        return sum(one.left for one in found if one.state != "voided")

    def decide(self, seq: int, rows: Rows, at: Callable[[str], datetime]) -> dict[str, int]:
        """A campaign grants what is missing, or offers it; the offers of earlier ones have ended.

        How much more earlier ones had given than it owes, by measure.
        """
        self.offers.clear()
        too_much: dict[str, int] = {}
        for account, (fee, kind, _) in rows.items():
            if fee is None:
                self.held[seq, account] = kind
                continue
            for measure, size in () if self.has_by_hand(account) else whole_of(fee).items():
                if self.net(account, measure) > size:
                    too_much[measure] = too_much.get(measure, 0) + self.net(account, measure) - size
            owed = self.owed(account, fee)
            if owed and kind == "offer":
                self.offers[seq, account] = owed
            elif owed:
                self.grant(seq, account, owed, at(account), is_added=False)
        return too_much

    def owed(self, account: str, fee: int) -> dict[str, int]:
        """What an account is owed beside what it has; from then on so much was decided for it."""
        for measure, size in whole_of(fee).items():
            self.most[account, measure] = max(size, self.most.get((account, measure), 0))
        owed = {measure: size - self.net(account, measure) for measure, size in whole_of(fee).items()}
        return {measure: size for measure, size in owed.items() if size > 0}

    def grant(
        self, seq: int, account: str, owed: dict[str, int], at: datetime, *, is_added: bool, is_by_hand: bool = False
    ) -> None:
        for measure, size in owed.items():
            self.credits[seq, account, measure] = Credit(size, at, measure == "call_minute", is_added, is_by_hand)

    def void(self, seq: int, accounts: tuple[str, ...], now: datetime) -> dict[str, int]:
        """Void what is unused; how much that is, by measure."""
        found: dict[str, int] = {}
        for (of, account, measure), one in self.credits.items():
            if of == seq and account in accounts and one.state in UNUSED and not one.has_ended(now):
                one.state = "voided"
                found[measure] = found.get(measure, 0) + one.left
        return found

    def void_overpaid(self, owed: Mapping[str, Mapping[str, int]], now: datetime) -> dict[str, int]:
        """Void what is unused of what some accounts have too much, the latest first; how much, by measure."""
        found: dict[str, int] = {}
        for (_, account, measure), one in sorted(self.credits.items(), reverse=True):
            if account not in owed or one.state not in UNUSED or one.has_ended(now):
                continue
            taken = min(one.left, max(0, self.net(account, measure) - owed[account][measure]))
            if taken:
                found[measure] = found.get(measure, 0) + taken
                one.state = "voided" if taken == one.left else one.state
                one.less += taken if one.state != "voided" else 0
        return found

    def law(self, seq: int, now: datetime) -> dict[str, Shares]:
        """The shares of what a campaign granted: at once, and when it was accepted."""
        found: dict[str, Shares] = {}
        for (of, _, measure), one in self.credits.items():
            if of == seq:
                found[measure] = found.get(measure, Shares()) + one.shares(now)
        return found
