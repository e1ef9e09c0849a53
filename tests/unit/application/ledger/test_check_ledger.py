"""Comparing the ledger with a campaign's receipts: what is a fault, what is none, and what no list has is counted."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.delivery.world import Booked
from kulanz.application.ledger import check_ledger as module
from kulanz.application.ledger.check_ledger import Checked, CheckPorts, check_ledger
from kulanz.application.ports import Page, PinnedVersionGone
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Cause, Progress, State, StateChange
from kulanz.domain.campaigns.reconciliation import CountKey, Difference, RowResult, SumKey, Totals, WriteResult
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.delivery.standing import CreditState
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.money import Money
from tests.support.values import DATA_START, NOW, SIZE, campaign

ID = CampaignId("outage", 4)
MOMENT = timedelta(microseconds=1)
GRANTED, WRITTEN = RowResult.GRANTED, WriteResult.WRITTEN


def entry(account: str, minor: int, outcome: Outcome = Outcome.GRANTED) -> Entry:
    """A decision over some cents."""
    benefits = (Benefit(Money(minor, "EUR"), component="x"),) if minor else ()
    body = decision_body(ID, "2", "0" * 64, "0" * 32, Decision(outcome, "credit", benefits))
    return Entry(DecisionKey(account, ID.incident_id, "-", ID.seq), body, outcome, (), NOW, None, 0, 1)


def receipts(decisions: int, minor: int) -> Totals:
    """What receipts say was written; and as much that was not, because another row was first."""
    conflict = CountKey(GRANTED, "credit", WriteResult.CONFLICT)
    counts = Counter({CountKey(GRANTED, "credit", WRITTEN): decisions, conflict: decisions})
    sums = {SumKey(GRANTED, WRITTEN, "EUR"): minor, SumKey(GRANTED, WriteResult.CONFLICT, "EUR"): minor}
    return Totals(lines=2 * decisions, counts=counts, sums=cast("Any", sums))


@dataclass
class Kept:
    """What a check reads: decisions by page, receipts, additions by page, and what counters say."""

    pages: Sequence[Sequence[Entry]] = ()
    stated: Totals = field(default_factory=lambda: receipts(0, 0))
    is_finished: bool = True
    has_begun: bool = True
    gone: Exception | None = None
    additions_of: Sequence[Sequence[Addition]] = ((),)
    added: Mapping[DecisionKey, Entry] = field(default_factory=dict)
    asked: list[DecisionKey] = field(default_factory=list)

    def campaign(self, of: CampaignId) -> Campaign | None:
        if of != ID:
            return None
        done = SIZE - DATA_START - (0 if self.is_finished else 1)
        return replace(campaign(ID), state=State.CLOSED, apply=Progress(done, 3, self.stated))

    def frozen(self, _: CampaignId) -> None:
        return None

    def log(self, _: CampaignId) -> list[StateChange]:
        moves = [(State.PLANNING, State.AWAITING_APPROVAL)]
        moves += [(State.AWAITING_APPROVAL, State.APPLYING)] if self.has_begun else []
        return [StateChange(1, NOW, source, to, "x", Cause("a", "b", "c")) for source, to in moves]

    def booked(self, keys: Sequence[DecisionKey]) -> dict[DecisionKey, Booked]:
        self.asked += keys
        known = {one.key: one for page in self.pages for one in page} | dict(self.added)
        return {key: Booked(known[key], ()) for key in keys}

    def additions(self, of: CampaignId, after: str = "") -> Page[Addition]:
        assert of == ID
        place = int(after or 0)
        more = place + 1 < len(self.additions_of)
        return Page(tuple(self.additions_of[place]), str(place + 1) if more else "")

    def codes(self, of: CampaignId, channel: str) -> list[str]:
        assert (of, channel) == (ID, "billing")
        return []


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A check over what is kept; its counters agree, as long as nothing else is said."""

    def committed(*said: Any) -> Any:
        if said[3].gone is not None:
            raise said[3].gone
        return iter(said[3].pages)

    monkeypatch.setattr(module, "committed_decisions", committed)
    monkeypatch.setattr(module, "thaw", lambda *_: None)
    monkeypatch.setattr(module, "counted_lines", lambda *_: [])
    monkeypatch.setattr(module, "counted_law", lambda *_: {})
    monkeypatch.setattr(module, "broken", lambda *_: [])
    monkeypatch.setattr(module, "is_moving", lambda *_: False)

    def checked(kept: Kept, of: CampaignId = ID, now: Any = NOW) -> Checked:
        one: Any = kept
        return check_ledger(of, CheckPorts(one, one, one, one, one, one, one, one), now)

    return checked


THREE = [[entry("a", 100), entry("b", 0, Outcome.HELD)], [entry("c", 70)]]
"""Three decisions over 170 cents."""
LESS, MORE, SAME = (4, 171), (2, 169), (3, 170)


def differing(stated: tuple[int, int]) -> tuple[Difference, ...]:
    """How receipts over so many decisions and cents differ from the three."""
    pairs = (("decisions", stated[0], 3), ("EUR", stated[1], 170))
    return tuple(Difference(what, said, found) for what, said, found in pairs if said != found)


@pytest.mark.parametrize(
    ("stated", "is_finished", "has_begun", "is_more_right"),
    [
        *((stated, True, True, False) for stated in (SAME, LESS, MORE, (4, 169), (2, 171), (3, 171), (3, 169))),
        *((stated, False, True, True) for stated in (SAME, LESS, MORE, (4, 169), (2, 171), (3, 171), (3, 169))),
        *((stated, False, False, False) for stated in (SAME, LESS, MORE, (4, 169), (2, 171))),
    ],
)
def test_what_is_missing_is_a_fault_and_what_is_beyond_is_one_where_no_worker_can_have_left_it(
    stated: tuple[int, int], is_finished: bool, has_begun: bool, is_more_right: bool, check: Any
) -> None:
    kept = Kept(THREE, receipts(*stated), is_finished=is_finished, has_begun=has_begun)
    found, differ = check(kept), differing(stated)
    more = tuple(one for one in differ if one.applied > one.planned)
    if more and not is_more_right:
        assert (found.differences, found.beyond) == (differ, ())
    else:
        assert (found.differences, found.beyond) == (tuple(one for one in differ if one not in more), more)
    assert (found.campaign, found.decisions, found.is_read) == (ID, 3, True)
    granted = {measure: (shares.granted, shares.open) for measure, shares in found.law.items()}
    assert granted == {"EUR": (170, 170)}


@pytest.mark.parametrize(("after", "may_have"), [(-MOMENT, False), (timedelta(0), True), (MOMENT, True)])
@pytest.mark.parametrize("gone", [None, ListRefused("list_empty", "it is empty")])
def test_decisions_may_have_expired_from_the_instant_until_which_the_incident_may_be_decided(
    after: timedelta, may_have: bool, gone: Exception | None, check: Any
) -> None:
    now = campaign(ID).decidable_until + after
    assert check(Kept(gone=gone), now=now).may_have_expired is may_have


@pytest.mark.parametrize("gone", [PinnedVersionGone("it was deleted"), ListRefused("list_empty", "it is empty")])
def test_a_list_that_is_gone_is_no_fault_as_long_as_no_receipt_counts_a_line(gone: Exception, check: Any) -> None:
    assert check(Kept(gone=gone)) == Checked(ID, 0, (), may_have_expired=False, is_read=False)
    rejected = Totals(lines=1, counts=Counter({CountKey(RowResult.REJECTED, "fee_invalid", WriteResult.NONE): 1}))
    for stated in (receipts(1, 0), rejected):
        with pytest.raises(type(gone)):
            check(Kept(stated=stated, gone=gone))
    with pytest.raises(KeyError, match="outage/5"):
        check(Kept(), CampaignId("outage", 5))


def test_what_persons_added_is_in_the_law_once_on_whatever_page_it_stands_and_in_no_receipt(check: Any) -> None:
    """A decision of a row of the list was met with the list."""
    sizes = {kind: 1_000 * 2**place for place, kind in enumerate(AdditionKind)}
    made = {kind: entry(f"by-hand-{kind.value}", size) for kind, size in sizes.items()}
    additions = [Addition(kind, one.key, NOW, "anna") for kind, one in made.items()]
    kept = Kept(THREE, receipts(3, 170), additions_of=[additions[:2], (), additions[2:4], additions[4:]])
    kept.added = {one.key: one for one in made.values()}
    found = check(kept)
    without_row = [kind for kind in AdditionKind if not kind.has_row]
    assert found.law["EUR"].granted == 170 + sum(sizes[kind] for kind in without_row)
    assert (found.decisions, found.differences, found.beyond) == (3, (), ())
    assert found.by_hand == len(without_row)
    named = [key.account_id for key in kept.asked]
    assert named == ["a", "c", *(f"by-hand-{kind.value}" for kind in without_row)]


@pytest.mark.parametrize(
    ("stated", "is_finished", "is_moving", "is_said"),
    [
        (SAME, True, False, True),
        (SAME, True, True, False),
        (LESS, True, False, False),
        (MORE, True, False, False),
        (SAME, False, False, True),
        (MORE, False, False, False),
    ],
)
def test_counters_are_compared_where_receipts_and_ledger_agree_and_nothing_moves(
    stated: tuple[int, int], is_finished: bool, is_moving: bool, is_said: bool, check: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    line = SimpleNamespace(
        measure="EUR", by_channel={"billing": {CreditState.SENT: 5}}, rejected_with={}, differences=lambda: ["by line"]
    )
    monkeypatch.setattr(module, "counted_lines", lambda *_: [line])
    monkeypatch.setattr(module, "broken", lambda *_: ["by law"])
    monkeypatch.setattr(module, "is_moving", lambda *_: is_moving)
    found = check(Kept(THREE, receipts(*stated), is_finished=is_finished))
    sentence = "EUR sent by billing: counters 5, entries 0 (in the smallest unit)"
    assert found.broken == (("by law", sentence, "by line") if is_said else ())
