"""What is left before a month can be closed: counted for the console's page, the command and the report alike.

There is no record of a closed month: its figures move as long as something is left, and do not once nothing is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kulanz.domain.campaigns.campaign import ENDED, CampaignId, State
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz_console.drawing.ways import is_asked_back, is_for_a_person, is_late, is_unanswered, is_undelivered

OPEN_TEXTS: Mapping[str, str] = {
    "differences": "Differences between plan, ledger and bill",
    "late": "Campaigns with credits that are late",
    "rejected": "Campaigns with credits that the biller rejected or took back",
    "undelivered": "Campaigns with credits that are not delivered",
    "unanswered": "Campaigns with credits that the biller has not answered",
    "asked_back": "Campaigns with credits that the biller is asked to take back, and has not answered",
    "plans": "Plans that wait for an approval",
    "campaigns": "Campaigns under way, paused or flagged",
    "troubles": "Troubles of the month's campaigns",
    "voids": "Voids that are not over",
    "proposed": "Decisions of cases that wait for a second person",
    "cases": "Cases for manual review",
    "goodwill": "Goodwill that waits for a second person",
}
"""What is left, in the order in which it is shown: first what is wrong."""
STILL_OPEN = "What is left"
OPEN_RIGHTS = ("halts.current", "cases.of_month", "goodwill.waiting")
"""What one may not read is not counted: with the first right troubles and voids, then cases, then goodwill."""
GLASS_BROKEN = TroubleKind.GLASS_BROKEN.value
"""What is shown for thirty days and needs no repair."""
OVERPAID = "overpaid"
"""What a void is about that reduces decisions of campaigns before its own."""
MAY_CHANGE = "This is left before the month can be closed."
NOTHING_OPEN = "Nothing is left: the month can be closed."
NOT_OVER = "Nothing is left so far, but the month is not over."
NOTHING_READ = "Nothing is left of what your roles may read."
NOT_EVERY = "Not all of the month is counted here; kulanz month counts all of it."
NOT_COUNTED = "What your roles may not read is not counted. An auditor may read all of it."


class Questions(Protocol):
    """Who answers what is asked about a month."""

    def ask(self, use: str) -> Mapping[str, Any]:
        """The answer to a question."""
        ...

    def items(self, use: str, name: str, **values: str) -> Sequence[Mapping[str, Any]]:
        """The items of an answer that may be long."""
        ...


@dataclass(frozen=True, slots=True)
class StillOpen:
    """How much of each kind is left of a month, by the names of `OPEN_TEXTS`; without what one may not read.

    `is_over` is whether the month is; `is_every` whether all that may be read was.
    """

    numbers: Mapping[str, int]
    is_whole: bool
    is_over: bool = True
    is_every: bool = True

    def __bool__(self) -> bool:
        return any(self.numbers.values())

    def lines(self) -> list[tuple[str, int]]:
        """What there is of it: a text of `OPEN_TEXTS`, and how many."""
        return [(OPEN_TEXTS[kind], number) for kind, number in self.numbers.items() if number]

    def said(self) -> list[str]:
        """The sentences before and behind the lines that hold."""
        found = [MAY_CHANGE] if self else []
        if not self.is_every:
            found.append(NOT_EVERY)
        elif not self and not self.is_over:
            found.append(NOT_OVER)
        elif not self:
            found.append(NOTHING_OPEN if self.is_whole else NOTHING_READ)
        return found if self.is_whole else [*found, NOT_COUNTED]


def still_open(
    month: str,
    campaigns: Iterable[Mapping[str, Any]],
    rights: Collection[str],
    questions: Questions,
    now: datetime,
) -> StillOpen:
    """What is left of a month, as far as one may read it. `rights` are those of `OPEN_RIGHTS` that one has."""
    of_month = list(campaigns)
    states = {one["campaign"]: State(one["state"]) for one in of_month}
    waits = [state is State.AWAITING_APPROVAL for state in states.values()]
    numbers = {
        "differences": sum(len(one["differences"]) for one in of_month),
        "late": sum(map(is_late, of_month)),
        "rejected": _with(is_for_a_person, of_month),
        "undelivered": _with(is_undelivered, of_month),
        "unanswered": _with(is_unanswered, of_month),
        "asked_back": _with(is_asked_back, of_month),
        "plans": sum(waits),
        "campaigns": sum(state not in ENDED for state in states.values()) - sum(waits),
    }
    if "halts.current" in rights:
        troubles = questions.ask("campaigns.troubles")["troubles"]
        numbers["troubles"] = sum(one["on"] in states and one["kind"] != GLASS_BROKEN for one in troubles)
        voids = questions.ask("voids.waiting")["voids"]
        numbers["voids"] = sum(any(may_reduce(one, granted) for granted in states) for one in voids)
    if "cases.of_month" in rights:
        proposed = questions.items("cases.proposed", "proposed")
        numbers["proposed"] = sum(one["campaign"] in states for one in proposed)
        queue = questions.items("cases.of_month", "campaigns", month=month)
        numbers["cases"] = sum(sum(one["waiting"].values()) for one in queue if one["closed"] is None)
    if "goodwill.waiting" in rights and month == f"{now:%Y-%m}":  # it belongs to the month it is given in
        waiting = questions.ask("goodwill.waiting")["waiting"]
        numbers["goodwill"] = sum(one["state"] == "waiting" for one in waiting)
    return StillOpen(numbers, all(right in rights for right in OPEN_RIGHTS), month < f"{now:%Y-%m}")


def _with(is_so: Callable[[Mapping[str, Any]], bool], campaigns: Iterable[Mapping[str, Any]]) -> int:
    """Of how many campaigns some line is so."""
    return sum(any(map(is_so, one["lines"])) for one in campaigns)


def may_reduce(void: Mapping[str, Any], campaign: str) -> bool:
    """Whether a void may take back what a campaign granted: its own, or of what was overpaid the earlier ones of the
    incident.
    """
    if void["about"] != OVERPAID:
        return bool(void["campaign"] == campaign)
    found, granted = CampaignId.parse(void["campaign"]), CampaignId.parse(campaign)
    return granted.incident_id == found.incident_id and granted.seq < found.seq
