"""What is not on a bill yet, by its deadline: counters that deliveries fill and answers empty; nothing is scanned."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.credit import Credit
from kulanz.domain.money import Size

WARN_BEFORE_DAYS = 3
"""How many days before a deadline a stack warns, where its parameter WarnBeforeDays says nothing else."""
WARN_BEFORE_DAYS_MOST = 62
"""Two billing cycles: what is due later was hardly delivered yet. A look reads the counters of so many months."""


class DueOf(NamedTuple):
    """What is not on bills yet is counted by. `due` is the first instant at which it is late."""

    campaign: CampaignId
    due: datetime
    measure: str


type Dues = dict[DueOf, tuple[int, Size]]
"""How many credits of a deadline are not wholly on bills, and how much of them; in a receipt, how much more or less."""


def dues_of(campaign_id: CampaignId, delivered: Iterable[Credit]) -> Dues:
    """What delivering some credits adds: each is owed whole until an answer says otherwise."""
    found: Dues = {}
    for credit in delivered:
        if credit.due is not None:
            owe(found, DueOf(campaign_id, credit.due, credit.measure), 1, credit.size)
    return found


def owe(dues: Dues, due: DueOf, number: int, size: Size) -> None:
    """Add a number of credits, or take it away, and what is not on bills of them."""
    known_number, known_size = dues.get(due, (0, 0))
    dues[due] = known_number + number, known_size + size
