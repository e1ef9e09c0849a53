"""Decides the records of one list, remembering what equal facts came to.

Most rows of a list differ in the account alone. What their facts come to (the decision, and the text of its body around
the row's digest) is worked out once and remembered, within a bound.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from kulanz.domain.campaigns.campaign import Campaign
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.ledger.entries import decision_body
from kulanz.domain.ledger.former_accounts import with_former
from kulanz.domain.lists.facts import FactError
from kulanz.domain.lists.rows import Cells, LineReader, Problem, Record, facts_text
from kulanz.domain.policy import CompiledPolicy
from kulanz.domain.policy.deciding.history import NO_HISTORY, Addition, HistoryValues
from kulanz.domain.policy.deciding.verdict import CANNOT_BE_COMPUTED

WORTH_LARGEST = 10**10
WORTH_DECIMALS = 6
"""With 125,000,000 rows of a list, sums of such quantities have 25 digits: fewer than DynamoDB and Decimal keep."""
REMEMBERED_FACTS = 8_192
"""Sets of facts remembered at a time; about 1 KB each. One with much time kept has the room of several."""
PARTS_PER_SET = 8
"""Kept stretches of time that need as much room as a set of facts."""
_NO_DIGEST = "\0"
_DIGEST_PLACE = '"row":"\\u0000"'
"""Where a body that is being prepared has its row's digest: no text can hold a NUL, nor an unescaped quote."""


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """What a set of facts came to: told apart by identity, so that rows can be counted by it.

    `kept` is what was read of the subject's earlier incidents, `addition` what this decision adds to that.
    """

    decision: Decision
    facts: str
    body_head: str
    body_tail: str
    kept: HistoryValues = NO_HISTORY
    addition: Addition | None = None

    def digest(self, record: Record) -> str:
        """The digest of a row with these facts."""
        return record.digest(self.facts)

    def body(self, digest: str) -> str:
        """The body of the decision about a row with these facts."""
        return f"{self.body_head}{digest}{self.body_tail}"

    def body_of(self, record: Record) -> str:
        """The body of the decision about a record with these facts; it names the id that its account had before."""
        body = f"{self.body_head}{record.digest(self.facts)}{self.body_tail}"
        return body if record.former is None else with_former(body, record.former)


type Prepare[Came] = Callable[[Decision, str, HistoryValues, Addition | None], Came]
"""Makes of a decision, its facts' text, what it read of earlier incidents and what it adds, what is remembered."""


class Decider[Came]:
    """A policy over the records of a list."""

    def __init__(
        self,
        policy: CompiledPolicy,
        reader: LineReader,
        decided_at: datetime,
        prepare: Prepare[Came],
    ) -> None:
        self._policy = policy
        self._reader = reader
        self._decided_at = decided_at
        self._prepare = prepare
        self._remembered: dict[object, Came | Problem] = {}
        self._room = 0
        self.decided = 0
        """How many sets of facts were worked out; what is remembered costs next to nothing, and these may cost much."""

    def decide(self, record: Record, kept: HistoryValues = NO_HISTORY) -> Came | Problem:
        """What the record's facts come to, with what is kept of its subject; or the problem with one of them."""
        place = (record.cells, tuple(kept.items())) if kept else record.cells
        known = self._remembered.get(place)
        if known is None:
            known = self._decide(record.cells, kept)
            self.decided += 1
            if self._room >= REMEMBERED_FACTS:
                self._remembered.clear()
                self._room = 0
            self._remembered[place] = known
            self._room += 1 + sum(len(value) for value in kept.values() if isinstance(value, tuple)) // PARTS_PER_SET
        return known

    def addition(self, record: Record, kept: HistoryValues, granted: Mapping[str, int]) -> Addition:
        """What a record adds, where more money than its facts come to was granted before (`granted`, by currency)."""
        return self._policy.decide_with_history(self._reader.values(record.cells), kept, granted)[1]

    def _decide(self, cells: Cells, kept: HistoryValues) -> Came | Problem:
        try:
            values = self._reader.values(cells)
        except FactError:
            return self._reader.faults(cells)
        addition: Addition | None = None
        try:
            if self._policy.history:
                decision, addition = self._policy.decide_with_history(values, kept)
            else:
                decision = self._policy.decide(values)
            must_be_writable(decision, self._decided_at)
        except (ArithmeticError, ValueError):
            # A date at the end of the calendar, a product beyond all sums: this row's alone, and a person's to decide.
            decision, addition = Decision(Outcome.HELD, CANNOT_BE_COMPUTED), None
        return self._prepare(decision, facts_text(values), kept, addition)


def must_be_writable(decision: Decision, now: datetime) -> None:
    """Raise what writing the decision or accepting what it offers would raise, where only its own row is concerned."""
    for benefit in (*decision.benefits, *decision.claimable):
        size = Decimal(worth_of(benefit)[1])
        if size >= WORTH_LARGEST or size != round(size, WORTH_DECIMALS):
            raise ValueError("a quantity out of bounds")
        benefit.validity.expires_at(now)


def prepare(
    campaign: Campaign,
    decision: Decision,
    facts: str,
    kept: HistoryValues = NO_HISTORY,
    addition: Addition | None = None,
    earlier: Mapping[str, str] | None = None,
) -> Remembered:
    """A decision with the text of its body around the row's digest. `earlier` is what was granted before."""
    body = decision_body(campaign.id, campaign.engine, campaign.policy_hash, _NO_DIGEST, decision, earlier, kept)
    head, tail = body.split(_DIGEST_PLACE)
    return Remembered(decision, facts, f'{head}"row":"', f'"{tail}', kept, addition)
