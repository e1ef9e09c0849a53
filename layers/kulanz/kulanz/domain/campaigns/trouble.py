"""What was lost or stands still, and waits for a person until it is repaired: nothing is forgotten."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

STALLED_AFTER = timedelta(hours=1)
"""So long without a finished part a campaign at work is stalled. A worker records one every two minutes at most; a part
that fails is tried again every 12 minutes (the chunk queue's visibility timeout)."""
GLASS_SHOWN_FOR = timedelta(days=30)
"""So long everybody who lists what waits sees that one person alone approved a plan."""


class TroubleKind(StrEnum):
    """What is the matter. STUCK: a campaign could not be moved on. STALLED: no part of its list is finished any more.

    NOTICES: notices of its decisions were given up. STATUS: status notices of an incident were given up. UNREADABLE: a
    batch of records that a function gave up cannot be read. OPEN_TABLE: the policy of a table was changed or removed.
    UNSETTLED: what a campaign reserved of budgets could not be settled. UNCOUNTED: neither can it be counted, because
    the list is gone: a person states it. OVER_BUDGET: more is reserved and spent than a budget allows.
    VOID_FLAGGED: a void did not come to its plan. KEPT_BACK: what a campaign granted is in no delivery, because a
    person ended the campaign so. GIVEN_AGAIN: the biller has undone what it had taken back of a campaign, after a later
    one has granted anew, or another incident had used the room of a cap.
    GLASS_BROKEN: one person alone approved a plan; nothing is to be repaired, and it is shown for `GLASS_SHOWN_FOR`.
    """

    STUCK = "stuck"
    STALLED = "stalled"
    NOTICES = "notices"
    STATUS = "status"
    UNREADABLE = "unreadable"
    OPEN_TABLE = "open_table"
    UNSETTLED = "unsettled"
    UNCOUNTED = "uncounted"
    OVER_BUDGET = "over_budget"
    VOID_FLAGGED = "void_flagged"
    KEPT_BACK = "kept_back"
    GIVEN_AGAIN = "given_again"
    GLASS_BROKEN = "glass_broken"


OF_BUDGETS = frozenset({TroubleKind.UNSETTLED, TroubleKind.UNCOUNTED})
"""The kinds that are over when nothing that the campaign reserved is left to be settled."""
ON_CAMPAIGNS = (
    frozenset({TroubleKind.STUCK, TroubleKind.STALLED, TroubleKind.NOTICES})
    | frozenset({TroubleKind.KEPT_BACK, TroubleKind.GIVEN_AGAIN})
    | OF_BUDGETS
)
"""The kinds that are on a campaign."""
TRIED_AGAIN = frozenset({TroubleKind.STUCK, TroubleKind.UNSETTLED})
"""The kinds that may be over when it is looked for again."""

SAYS: dict[TroubleKind, str] = {
    TroubleKind.STUCK: "it cannot be moved on, and is tried again every five minutes; read the log of watch_campaigns",
    TroubleKind.STALLED: "no part of its list was finished for an hour; kulanz redrive chunks, then kulanz resume",
    TroubleKind.NOTICES: "notices of its decisions were given up; kulanz notices rebuild publishes all of them again",
    TroubleKind.STATUS: "status notices of this incident were given up; kulanz notices status publishes them again",
    TroubleKind.UNREADABLE: "this object in the list bucket is no batch of records; look at it, then delete it",
    TroubleKind.OPEN_TABLE: (
        "others than the stack's functions may write to this table: its resource policy is not the deployed one; put it"
        " back (docs/deployment.md) and find out who changed it"
    ),
    TroubleKind.UNSETTLED: (
        "what it reserved of budgets cannot be settled, and is tried again every five minutes; read the log of"
        " watch_campaigns"
    ),
    TroubleKind.UNCOUNTED: (
        "it ended midway and the version of its list is gone, so what it granted cannot be counted; kulanz budget"
        " reserved {on} shows what is known, and kulanz budget settle {on} states the rest"
    ),
    TroubleKind.OVER_BUDGET: (
        "more is reserved and spent than this budget allows: customers took what they have a right to, or it was set"
        " lower; kulanz budget shows it, and kulanz budget set changes it"
    ),
    TroubleKind.VOID_FLAGGED: (
        "this void took back something else than was planned; kulanz void shows what, and kulanz settle-void ends it as"
        " it stands"
    ),
    TroubleKind.KEPT_BACK: (
        "a person ended it, and what it granted is in no delivery; kulanz deliver delivers it where its execution came"
        " to its end, kulanz void takes back what is unused"
    ),
    TroubleKind.GIVEN_AGAIN: (
        "the biller has undone reversals of its credits, after a later campaign granted anew or another incident had"
        " the room under a cap: customers may have both; send the list again, then kulanz void --overpaid with the"
        " campaign that this opens"
    ),
    TroubleKind.GLASS_BROKEN: "one person alone approved its plan; kulanz log {on} shows who it was and why",
}
"""What is the matter, and what to do; `{on}` is what the trouble is on."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble `on` a campaign, an incident, an object or a budget.

    It was found first at `since`, and last at `found_at`. Of a broken glass `since` is when that plan was approved, and
    `found_at` when its alarm rang.
    """

    kind: TroubleKind
    on: str
    since: datetime
    found_at: datetime

    @property
    def says(self) -> str:
        """What is the matter, and what to do."""
        return SAYS[self.kind].format(on=self.on)

    @property
    def is_urgent(self) -> bool:
        """Whether somebody has to look now: a throttle of a moment is over when it is looked for again."""
        if self.kind is TroubleKind.GLASS_BROKEN:
            return False
        return self.kind not in TRIED_AGAIN or self.found_at > self.since

    @property
    def must_ring(self) -> bool:
        """Whether the alarm of a broken glass has not rung yet."""
        return self.kind is TroubleKind.GLASS_BROKEN and self.found_at == self.since


def on_campaigns(troubles: Iterable[Trouble]) -> list[str]:
    """The campaigns that wait for a person because of a trouble, once each."""
    urgent = (trouble.on for trouble in troubles if trouble.kind in ON_CAMPAIGNS and trouble.is_urgent)
    return list(dict.fromkeys(urgent))
