"""The rows of a plan: each stretch decided as its plan decided it, compared with the plan's digest, and rendered."""

from collections.abc import Callable, Iterator, Sequence

from kulanz.application.campaigns.stretch_run import DecidedOtherwise, NotWritten, Owed, StretchRun
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import RESULT_OF, RowResult
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.decision import Outcome
from kulanz.domain.exports.figures import Written
from kulanz.domain.exports.rows import Found, Rendered, decision_key, rendered
from kulanz.domain.ledger.decider import REMEMBERED_FACTS, Remembered
from kulanz.domain.lists.lines import Line


class PlanRows:
    """Makes the rows of one chunk of a plan."""

    def __init__(self, run: StretchRun, campaign: CampaignId) -> None:
        self._run, self._campaign = run, campaign
        self._rendered: dict[Remembered, Rendered] = {}
        self._without: dict[tuple[RowResult, str], Rendered] = {}

    def write(self, lines: Iterator[Line], at: int, planned: Stretch, write: Callable[..., None]) -> bool:
        """Write the rows of a stretch; False where time ran out over it. Raises DecidedOtherwise."""
        numbers: list[int] = []
        decided = self._run.decided(_noting(lines, numbers), at, planned)
        if decided is None:
            return False
        if decided.stretch() != planned:
            raise DecidedOtherwise(at, planned)
        found: Sequence[Owed | NotWritten] = decided.owed
        if decided.others:
            found = sorted((*decided.owed, *decided.others), key=_offset)
        line = 0
        for one in found:
            while numbers[line] != one.offset:
                line += 1
            if isinstance(one, Owed):
                account, subject = one.record.account_id, one.record.subject
                write(
                    self._of(one.remembered), line + 1, account, subject, decision_key(self._campaign, account, subject)
                )
            elif one.row_result is not RowResult.BLANK:
                named = ("", "") if one.record is None else (one.record.account_id, one.record.subject)
                write(self._other(one), line + 1, *named)
        return True

    def _of(self, remembered: Remembered) -> Rendered:
        known = self._rendered.get(remembered)
        if known is None:
            if len(self._rendered) >= REMEMBERED_FACTS:
                self._rendered.clear()
            decision = remembered.decision
            is_granted, due = decision.outcome is Outcome.GRANTED, self._run.policy.due_by
            at = self._run.campaign.decided_at
            days = [due(one.due, at) if is_granted and one.due is not None else None for one in decision.benefits]
            found = Found(RESULT_OF[decision.outcome].value, decision.reason, Written.PLANNED, decision)
            known = self._rendered[remembered] = rendered(self._campaign, found, days)
        return known

    def _other(self, line: NotWritten) -> Rendered:
        key = line.row_result, line.reason
        known = self._without.get(key)
        if known is None:
            found = Found(line.row_result.value, line.reason, Written.PLANNED)
            known = self._without[key] = rendered(self._campaign, found)
        return known


def _offset(line: Owed | NotWritten) -> int:
    return line.offset


def _noting(lines: Iterator[Line], offsets: list[int]) -> Iterator[Line]:
    """The lines, whose offsets are noted: a line's place among them is its number."""
    for line in lines:
        offsets.append(line.offset)
        yield line
