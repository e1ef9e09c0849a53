"""The rows of a plan: each stretch decided as its plan decided it, compared with the plan's digest, and rendered."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from kulanz.application.campaigns.stretch_run import DecidedOtherwise, NotWritten, Owed, StretchRun
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import RESULT_OF, Overpaid, RowResult
from kulanz.domain.campaigns.stretches import Stretch
from kulanz.domain.decision import Outcome
from kulanz.domain.exports.figures import Written
from kulanz.domain.exports.rows import Found, Rendered, decision_key, rendered
from kulanz.domain.ledger.decider import REMEMBERED_FACTS, Remembered
from kulanz.domain.lists.lines import Line
from kulanz.domain.policy.document.owed import Bill


class PlanRows:
    """Makes the rows of one chunk of a plan."""

    def __init__(self, run: StretchRun, campaign: CampaignId, bills: Mapping[str, Bill]) -> None:
        self._run, self._campaign, self._bills = run, campaign, bills
        self._rendered: dict[tuple[Remembered, Overpaid], Rendered] = {}
        self._without: dict[tuple[RowResult, str, Overpaid], Rendered] = {}

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
            too_much = decided.overpaid.get(one.offset, ())
            if isinstance(one, Owed):
                account, subject = one.record.account_id, one.record.subject
                key = decision_key(self._campaign, account, subject)
                write(self._of(one.remembered, too_much), line + 1, account, subject, key)
            elif one.row_result is not RowResult.BLANK:
                named = ("", "") if one.record is None else (one.record.account_id, one.record.subject)
                write(self._other(one, too_much), line + 1, *named)
        return True

    def _of(self, remembered: Remembered, too_much: Overpaid) -> Rendered:
        known = self._rendered.get((remembered, too_much))
        if known is None:
            if len(self._rendered) >= REMEMBERED_FACTS:
                self._rendered.clear()
            decision = remembered.decision
            is_granted, due = decision.outcome is Outcome.GRANTED, self._run.policy.due_by
            at = self._run.campaign.decided_at
            days = [due(one.due, at) if is_granted and one.due is not None else None for one in decision.benefits]
            result = RESULT_OF[decision.outcome].value
            found = Found(result, decision.reason, Written.PLANNED, decision, overpaid=too_much)
            known = self._rendered[remembered, too_much] = rendered(self._campaign, found, days, self._bills)
        return known

    def _other(self, line: NotWritten, too_much: Overpaid) -> Rendered:
        key = line.row_result, line.reason, too_much
        known = self._without.get(key)
        if known is None:
            if len(self._without) >= REMEMBERED_FACTS:
                self._without.clear()
            found = Found(line.row_result.value, line.reason, Written.PLANNED, overpaid=too_much)
            known = self._without[key] = rendered(self._campaign, found)
        return known


def _offset(line: Owed | NotWritten) -> int:
    return line.offset


def _noting(lines: Iterator[Line], offsets: list[int]) -> Iterator[Line]:
    """The lines, whose offsets are noted: a line's place among them is its number."""
    for line in lines:
        offsets.append(line.offset)
        yield line
