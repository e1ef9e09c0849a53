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
ANSWERED_NO = frozenset({"rejected", "taken_back"})
"""The states in which the biller has said that it has nothing."""
AT_BILLER = frozenset({"sent", "accepted", "used"})
"""The states of what can be asked back."""
IDS_MOST = 4


@dataclass
class Back:
    """What was asked back of a credit at once: it is asked, assigned, booked, rejected, undone or lapsed."""

    size: int
    at: datetime
    state: str = "asked"
    used: int = 0
    is_final: bool = False
    """Whether the rest of its credit was sent again since: what it took stays taken."""

    def is_in(self, *states: str) -> bool:
        return self.state in states


@dataclass
class Credit:
    """One thing that was granted, in the plain ledger. `state` is where the biller has it, whatever it took back."""

    size: int
    at: datetime
    ends: bool
    is_added: bool
    is_by_hand: bool = False
    state: str = "due"
    on_bills: int = 0
    less: int = 0
    """How much of it was voided here, where that is not all of it."""
    sent: int = 0
    """How much of it was delivered last."""
    again_at: datetime | None = None
    """When a person sent it again, if one did."""
    backs: list[Back] = field(default_factory=list)

    @property
    def asked(self) -> int:
        """How much of it is asked back, and not answered."""
        return sum(one.size for one in self.backs if one.is_in("asked", "assigned"))

    @property
    def reversed(self) -> int:
        """How much of it the biller has taken back."""
        return sum(one.size for one in self.backs if one.is_in("booked"))

    @property
    def left(self) -> int:
        """How large it is by now."""
        return 0 if self.state == "voided" else self.size - self.less - self.reversed

    @property
    def used(self) -> int:
        """How much of that is on bills: a reversal takes off first what is on none."""
        return min(self.on_bills, self.left)

    @property
    def can_be_sent_again(self) -> bool:
        return self.state in ANSWERED_NO and self.left > 0 and not self.asked

    def added_at(self) -> datetime | None:
        """When it became an addition; None of what the list has."""
        return self.again_at or (self.at if self.is_added else None)

    def send(self) -> None:
        """It is delivered: what is left of it."""
        self.state, self.sent, self.on_bills = "sent", self.left, 0
        for one in self.backs:
            one.is_final = True

    @property
    def can_be_voided(self) -> bool:
        return self.state in UNUSED and self.left > 0 and not self.asked

    def has_ended(self, now: datetime) -> bool:
        return self.ends and now >= self.at + WEEK

    def askable(self, now: datetime) -> int:
        """How much can be asked back: what has ended only where all of it is on bills."""
        is_lost = self.has_ended(now) and self.on_bills < self.sent
        return 0 if is_lost or self.asked or self.state not in AT_BILLER else self.left

    def hear(self, answer: str, amount: int) -> None:
        """What the biller says of it. What it took back, or never booked, comes onto no bill by what is said later."""
        if self.state in ANSWERED_NO and answer != "taken_back":
            return
        if answer == "applied":
            self.state, self.on_bills = "used", self.on_bills + amount
        elif answer == "accepted":
            self.state = "accepted" if self.state == "sent" else self.state
        else:
            self.state, self.on_bills = answer, 0
            for one in self.backs:
                one.state = "lapsed" if one.is_in("asked") else one.state

    def hear_back(self, back: Back, answer: str, amount: int) -> int:
        """What the biller says of a reversal; how much of the credit stands again by it."""
        had = self.left
        if back.is_final and answer in ("taken_back", "rejected"):
            return 0
        if answer in ("accepted", "applied"):
            back.state, back.used = "booked", back.used + amount
        elif answer == "taken_back":
            back.state, back.used = "undone", 0
        elif not back.used:
            back.state = "rejected"
        return max(0, self.left - had)

    def shares(self, now: datetime) -> Shares:
        if self.state == "voided":
            return Shares(voided=self.size)
        left, void = self.left - self.used, self.less + self.reversed
        if self.state == "written_off":
            return Shares(self.used, voided=void, written_off=left)
        is_over = self.ends and now >= counted_end(self.at + WEEK)
        return Shares(self.used, left if is_over else 0, void, open=0 if is_over else left, asked_back=self.asked)


type Place = tuple[int, str, str]
"""A credit: campaign, account and measure."""
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
    `given_again` is what the biller had taken back, and stands again because it undid that: by account and measure.
    """

    credits: dict[tuple[int, str, str], Credit] = field(default_factory=dict)
    offers: dict[tuple[int, str], dict[str, int]] = field(default_factory=dict)
    most: dict[tuple[str, str], int] = field(default_factory=dict)
    ids: dict[str, list[str]] = field(default_factory=lambda: {account: [account] for account in ACCOUNTS})
    under: dict[tuple[int, str], str] = field(default_factory=dict)
    held: dict[tuple[int, str], str] = field(default_factory=dict)
    goodwill: dict[str, int] = field(default_factory=dict)
    given_again: dict[tuple[str, str], int] = field(default_factory=dict)
    overpaid: set[str] = field(default_factory=set)
    """The accounts of which the latest campaign found something overpaid: nothing of what is given again later."""

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
        return any(one.is_by_hand and one.left for (_, of, _), one in self.credits.items() if of == account)

    def is_asked_back(self, account: str) -> bool:
        """Whether the biller is asked for some of what an account has."""
        return any(one.asked for (_, of, _), one in self.credits.items() if of == account)

    def backs(self, *states: str) -> list[tuple[tuple[int, str, str], int]]:
        """The reversals in some states: the credit of each, and its place among those of the credit."""
        found = ((place, number, back) for place, one in self.credits.items() for number, back in enumerate(one.backs))
        return [(place, number) for place, number, back in found if back.is_in(*states)]

    def net(self, account: str, measure: str) -> int:
        found = (one for (_, of, what), one in self.credits.items() if (of, what) == (account, measure))
        return sum(one.left for one in found)

    def written_off(self, account: str, measure: str) -> int:
        """How much of what an account has finance gave up: it never came to a bill."""
        found = (one for (_, of, what), one in self.credits.items() if (of, what) == (account, measure))
        return sum(one.left for one in found if one.state == "written_off")

    def decide(self, seq: int, rows: Rows, at: Callable[[str], datetime]) -> dict[str, int]:
        """A campaign grants what is missing, or offers it; the offers of earlier ones have ended.

        How much more earlier ones had given than it owes, by measure.
        """
        self.offers.clear()
        self.overpaid.clear()
        too_much: dict[str, int] = {}
        for account, (fee, kind, _) in rows.items():
            if fee is None:
                self.held[seq, account] = kind
                continue
            if self.is_asked_back(account):  # held: nobody knows what it has before the biller has answered
                continue
            for measure, size in () if self.has_by_hand(account) else whole_of(fee).items():
                given = self.net(account, measure) - self.written_off(account, measure)
                if given > size:
                    too_much[measure] = too_much.get(measure, 0) + given - size
                    self.overpaid.add(account)
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
            if of == seq and account in accounts and one.can_be_voided and not one.has_ended(now):
                found[measure] = found.get(measure, 0) + one.left
                one.state = "voided"
        return found

    def ask(self, seq: int, accounts: tuple[str, ...], now: datetime) -> dict[str, int]:
        """Ask back what the biller has; how much that is, by measure."""
        found: dict[str, int] = {}
        for (of, account, measure), one in self.credits.items():
            size = one.askable(now) if of == seq and account in accounts else 0
            if size:
                one.backs.append(Back(size, now))
                found[measure] = found.get(measure, 0) + size
        return found

    def ask_overpaid(self, owed: Mapping[str, Mapping[str, int]], now: datetime) -> dict[str, int]:
        """Ask back what the biller has of what is still too much, the latest first; how much, by measure."""
        found: dict[str, int] = {}
        for (_, account, measure), one in sorted(self.credits.items(), key=lambda one: one[0], reverse=True):
            size = one.askable(now) if account in owed else 0
            taken = min(size, max(0, self.too_much(account, measure, owed))) if size else 0
            if taken:
                found[measure] = found.get(measure, 0) + taken
                one.backs.append(Back(taken, now))
        return found

    def too_much(self, account: str, measure: str, owed: Mapping[str, Mapping[str, int]]) -> int:
        """How much more an account has than it is owed, less what is asked back."""
        asked = sum(one.asked for (_, who, what), one in self.credits.items() if (who, what) == (account, measure))
        return self.net(account, measure) - self.written_off(account, measure) - asked - owed[account][measure]

    def void_overpaid(self, owed: Mapping[str, Mapping[str, int]], now: datetime) -> dict[str, int]:
        """Void what is unused of what some accounts have too much, the latest first; how much, by measure."""
        found: dict[str, int] = {}
        for (_, account, measure), one in sorted(self.credits.items(), key=lambda one: one[0], reverse=True):
            if account not in owed or not one.can_be_voided or one.has_ended(now):
                continue
            taken = min(one.left, max(0, self.too_much(account, measure, owed)))
            if taken:
                found[measure] = found.get(measure, 0) + taken
                one.less += taken
                one.state = one.state if one.left or one.reversed else "voided"
        return found

    def law(self, seq: int, now: datetime) -> dict[str, Shares]:
        """The shares of what a campaign granted: at once, and when it was accepted."""
        found: dict[str, Shares] = {}
        for (of, _, measure), one in self.credits.items():
            if of == seq:
                found[measure] = found.get(measure, Shares()) + one.shares(now)
        return found
