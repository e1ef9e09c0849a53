"""What may still change the figures of a month: counted for the console's page, the command and the report alike."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from kulanz.domain.campaigns.campaign import ENDED, CampaignId, State
from kulanz_console.drawing.ways import is_asked_back, is_for_a_person

OPEN_TEXTS: Mapping[str, str] = {
    "campaigns": "Campaigns that are not over",
    "rejected": "Campaigns with credits that the biller rejected or took back",
    "asked_back": "Campaigns with credits that the biller is asked to take back, and has not answered",
    "voids": "Voids that are not over",
    "proposed": "Decisions of cases that wait for a second person",
    "cases": "Cases for manual review",
    "goodwill": "Goodwill that waits for a second person",
}
"""What may still change the figures of a month, in the order in which it is shown."""
STILL_OPEN = "Still open"
OPEN_RIGHTS = ("halts.current", "cases.of_month", "goodwill.waiting")
"""What one may not read is not counted: with the first right voids, with the next two cases and goodwill."""
OVERPAID = "overpaid"
"""What a void is about that reduces decisions of campaigns before its own."""
MAY_CHANGE = "This may still change the month."
NOTHING_OPEN = "No campaign, rejected or asked back credit, void, case or goodwill of the month is open."
NOT_COUNTED = "What your roles may not read is not counted."


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
    """How much of each kind may still change a month, by the names of `OPEN_TEXTS`; without what nobody may read."""

    numbers: Mapping[str, int]
    is_whole: bool

    def __bool__(self) -> bool:
        return any(self.numbers.values())

    def lines(self) -> list[tuple[str, int]]:
        """What there is of it: a text of `OPEN_TEXTS`, and how many."""
        return [(OPEN_TEXTS[kind], number) for kind, number in self.numbers.items() if number]

    def said(self) -> list[str]:
        """The sentences before and behind the lines that hold."""
        first = [MAY_CHANGE] if self else [NOTHING_OPEN] if self.is_whole else []
        return [*first, *([] if self.is_whole else [NOT_COUNTED])]


def still_open(
    month: str,
    campaigns: Iterable[Mapping[str, Any]],
    rights: Collection[str],
    questions: Questions,
    now: datetime,
) -> StillOpen:
    """What may still change a month, as far as one may read it. `rights` are those of `OPEN_RIGHTS` that one has."""
    of_month = list(campaigns)
    states = {one["campaign"]: State(one["state"]) for one in of_month}
    numbers = {
        "campaigns": sum(state not in ENDED for state in states.values()),
        "rejected": sum(any(map(is_for_a_person, one["lines"])) for one in of_month),
        "asked_back": sum(any(map(is_asked_back, one["lines"])) for one in of_month),
    }
    if "halts.current" in rights:
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
    return StillOpen(numbers, all(right in rights for right in OPEN_RIGHTS))


def may_reduce(void: Mapping[str, Any], campaign: str) -> bool:
    """Whether a void may take back what a campaign granted: its own, or of what was overpaid the earlier ones of the
    incident.
    """
    if void["about"] != OVERPAID:
        return bool(void["campaign"] == campaign)
    found, granted = CampaignId.parse(void["campaign"]), CampaignId.parse(campaign)
    return granted.incident_id == found.incident_id and granted.seq < found.seq
