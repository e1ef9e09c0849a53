"""What a campaign granted that no row of its list granted by itself: a pass reads the list, then these."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kulanz.domain.ledger.entries import DecisionKey


class AdditionKind(StrEnum):
    """What was added. ACCEPTED: an offer, or a claimable part, of a decision that the list has. DECIDED: what the list
    held or referred, and a person granted, or granted beside what a contradicted row had. RECOGNISED: what a person
    granted for a row of the list that cannot be read. GOODWILL: a decision that a person made, and no row. AGAIN: a
    credit that a person sends to billing again; it grants nothing. REVERSAL: what a void asks the biller for.
    """

    ACCEPTED = "accepted"
    DECIDED = "decided"
    RECOGNISED = "recognised"
    GOODWILL = "goodwill"
    AGAIN = "again"
    REVERSAL = "reversal"

    @property
    def has_row(self) -> bool:
        """Whether the decision is one of the list's, so that a pass over the list has met it already."""
        return self in (AdditionKind.ACCEPTED, AdditionKind.DECIDED, AdditionKind.AGAIN, AdditionKind.REVERSAL)


@dataclass(frozen=True, slots=True)
class Addition:
    """One addition: the decision that it made or changed, when, and who did it.

    `benefit` is the place of the benefit that is sent again, or the first that is asked back; None of other kinds.
    `channel` is where that is sent, with its form (`letters:csv`), where it is another one than the plan's.
    """

    kind: AdditionKind
    key: DecisionKey
    at: datetime
    actor: str
    benefit: int | None = None
    channel: str = ""
