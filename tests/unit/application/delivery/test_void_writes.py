"""What a void writes of a decision: its entries, in which language its customer is told, and what the history loses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.campaigns.chunk_run import STOP_LOOK_SECONDS, TIME_TO_FINISH_SECONDS, GrantSettings
from kulanz.application.delivery.deliver_chunk import ASSIGN_WRITE_UNITS
from kulanz.application.delivery.void_histories import changes_worth
from kulanz.application.delivery.void_writes import VoidWriter
from kulanz.application.delivery.world import EntriesChange
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, Pass
from kulanz.domain.campaigns.write_units import HISTORY_WRITE_UNITS
from kulanz.domain.decision import Benefit, Decision, Notice, Outcome
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.ledger.entries import DecisionKey, Entry, HistoryChange, decision_body, remaining_of
from kulanz.domain.money import Money
from kulanz.domain.policy.deciding.history import Addition, HistoryKey, SubjectHistory
from tests.support.values import INCIDENT, NOW, campaign

ACCOUNT, LINE, POLICY = "A-7", "L-3", "net-credit"
GRANTED: Mapping[int, Sequence[tuple[int, str]]] = {1: [(500, "USD"), (300, "USD"), (40, "EUR")], 2: [(700, "USD")]}
"""What two campaigns of the incident granted to one line: more of one currency than of the other."""


def decision(seq: int, notice: Notice | None = None) -> Entry:
    """What one of the campaigns granted."""
    key = DecisionKey(ACCOUNT, INCIDENT, LINE, seq)
    benefits = tuple(Benefit(Money(size, currency), component="x") for size, currency in GRANTED[seq])
    found = Decision(Outcome.GRANTED, "credit", benefits, notice=notice)
    body = decision_body(key.campaign, "2", "0" * 64, "0" * 32, found)
    return Entry(key, body, Outcome.GRANTED, remaining_of(benefits), NOW, None, 0, 0)


def history() -> SubjectHistory:
    """What the line got of this incident, and of another one."""
    added = {"paid:USD": 1_500, "paid:EUR": 40, "times": 2}
    other = Addition(NOW - timedelta(days=9), {"paid:USD": 11, "times": 1})
    return SubjectHistory(7, {INCIDENT: Addition(NOW - timedelta(days=1), added), "earlier": other})


@dataclass
class Books:
    """The ledger, the credits and the campaigns: what was asked of them, and what was written."""

    keeps: frozenset[int] = frozenset({1, 2})
    locale: str = ""
    history: SubjectHistory | None = field(default_factory=history)
    written: list[EntriesChange] = field(default_factory=list)
    with_history: list[tuple[EntriesChange, HistoryChange]] = field(default_factory=list)
    fails: frozenset[int] = frozenset()
    policies: Mapping[int, str] = field(default_factory=dict)
    follows: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    applied: tuple[int, ...] = (1, 2)
    halted: bool = False
    halts_read: int = 0

    def campaign(self, campaign_id: CampaignId) -> Campaign:
        seq = campaign_id.seq
        found = replace(campaign(campaign_id), keeps_history=seq in self.keeps, follows=self.follows.get(seq, ()))
        return replace(found, policy_id=self.policies.get(seq, found.policy_id))

    def incident(self, incident_id: str) -> Any:
        assert incident_id == INCIDENT
        return SimpleNamespace(applied=self.applied)

    def halt(self) -> Any:
        self.halts_read += 1
        return SimpleNamespace(is_on=self.halted)

    def histories(self, keys: Sequence[HistoryKey]) -> Mapping[HistoryKey, SubjectHistory]:
        return {key: self.history for key in keys if key == HistoryKey(ACCOUNT, POLICY, LINE) and self.history}

    def standing(self, keys: Sequence[DecisionKey]) -> Mapping[DecisionKey, Entry]:
        return {entry.key: entry for entry in map(decision, GRANTED) if entry.key in keys}

    def write_entries(self, changes: Sequence[EntriesChange]) -> list[bool]:
        self.written += changes
        return [one.key.seq not in self.fails for one in changes]

    def write_with_history(self, change: EntriesChange, kept: HistoryChange) -> bool:
        self.with_history.append((change, kept))
        return change.key.seq not in self.fails

    def get(self, of: Campaign, _: object) -> Any:
        """The policy of a campaign, as the cache has it."""
        return SimpleNamespace(voided_in=lambda notice: f"{self.locale} of {notice.kind}, {of.id}")

    def writer(self, work: Pass = Pass.APPLY, pace: float = 0.0, clock: object = None) -> VoidWriter:
        """Who writes."""
        books, settings = cast("Any", self), GrantSettings(1, pace, 30)
        return VoidWriter(work, bool(self.keeps), books, books, books, books, settings, cast("Any", clock))


def change(entry: Entry, *places: int) -> tuple[Entry, EntriesChange]:
    """Some of a decision is void."""
    new = CreditEntry(EntryKind.VOIDED, NOW, "void", "void/1", places)
    return entry, EntriesChange(entry.key, (), (new,))


@pytest.mark.parametrize(
    ("seq", "places", "left"),
    [
        (1, (0,), {"USD": 1_000, "EUR": 40}),
        (1, (1,), {"USD": 1_200, "EUR": 40}),
        (1, (2,), {"USD": 1_500, "EUR": 0}),
        (1, (0, 1, 2), {"USD": 700, "EUR": 0}),
        (2, (0,), {"USD": 800, "EUR": 40}),
    ],
)
def test_a_history_keeps_the_share_that_all_campaigns_of_the_incident_leave(
    seq: int, places: tuple[int, ...], left: Mapping[str, int]
) -> None:
    books = Books()
    entry, new = change(decision(seq), *places)
    assert books.writer().write([(entry, new)]) == {entry.key}
    after = history().voided(INCIDENT, {"USD": 1_500, "EUR": 40}, left)
    assert after is not None
    assert books.with_history == [(new, HistoryChange(HistoryKey(ACCOUNT, POLICY, LINE), history(), after))]
    assert books.written == []


@pytest.mark.parametrize(
    ("policies", "follows", "counted"),
    [
        pytest.param({1: POLICY, 2: POLICY}, {}, (1, 2), id="of one policy"),
        pytest.param({1: "other", 2: POLICY}, {}, (2,), id="what another policy gave beside it"),
        pytest.param({1: "other", 2: POLICY}, {2: (1,)}, (1, 2), id="what another policy gave and it set off"),
    ],
)
def test_a_history_counts_what_its_policy_granted_and_what_that_set_off(
    policies: Mapping[int, str], follows: Mapping[int, tuple[int, ...]], counted: tuple[int, ...]
) -> None:
    books = Books(policies=policies, follows=follows)
    entry, new = change(decision(2), 0)
    assert books.writer().write([(entry, new)]) == {entry.key}
    net = {"USD": 0, "EUR": 0}
    for seq in counted:
        for size, currency in GRANTED[seq]:
            net[currency] += size
    before = {currency: size for currency, size in net.items() if size}
    after = history().voided(INCIDENT, before, before | {"USD": before["USD"] - 700})
    assert after is not None
    assert [kept.after for _, kept in books.with_history] == [after]


@pytest.mark.parametrize("applied", [(), (1,)])
def test_a_history_counts_the_decision_itself_also_where_the_incident_does_not_name_its_campaign(
    applied: tuple[int, ...],
) -> None:
    """As after a restore of the incident's record to an earlier instant."""
    books = Books(applied=applied)
    entry, new = change(decision(2), 0)
    assert books.writer().write([(entry, new)]) == {entry.key}
    before = {"USD": 1_500, "EUR": 40} if applied else {"USD": 700}
    after = history().voided(INCIDENT, before, before | {"USD": before["USD"] - 700})
    assert [kept.after for _, kept in books.with_history] == [after]


def test_where_the_history_has_nothing_of_the_incident_the_entries_are_written_alone() -> None:
    others = {name: one for name, one in history().incidents.items() if name != INCIDENT}
    for kept in (None, SubjectHistory(7, others)):
        books = Books(history=kept)
        entry, new = change(decision(1), 0)
        assert books.writer().write([(entry, new)]) == {entry.key}
        assert (books.written, books.with_history) == ([new], [])


@pytest.mark.parametrize("keeps", [frozenset[int](), frozenset({1}), frozenset({2}), frozenset({1, 2})])
@pytest.mark.parametrize("fails", [frozenset[int](), frozenset({1}), frozenset({2})])
def test_what_was_written_is_said_of_each_decision_by_its_own_key(keeps: frozenset[int], fails: frozenset[int]) -> None:
    """Each campaign says by itself whether its policy keeps a history."""
    books = Books(keeps, fails=fails)
    changes = [change(decision(seq), 0) for seq in (1, 2)]
    assert books.writer().write(changes) == {entry.key for entry, _ in changes if entry.key.seq not in fails}
    assert {one.key.seq for one, _ in books.with_history} == keeps
    assert {one.key.seq for one in books.written} == {1, 2} - keeps


@pytest.mark.parametrize("keeps", [frozenset[int](), frozenset({1, 2})])
def test_a_change_says_in_which_language_the_customer_of_its_decision_is_told(keeps: frozenset[int]) -> None:
    books = Books(keeps, locale="de")
    told = [decision(seq, Notice(f"kind-{seq}", "fr", "sms")) for seq in (1, 2)]
    writer = books.writer()
    writer.write([change(entry, 0) for entry in told])
    found = [*books.written, *(one for one, _ in books.with_history)]
    assert {one.key.seq: one.notice_locale for one in found} == {
        seq: f"de of kind-{seq}, {INCIDENT}/{seq}" for seq in (1, 2)
    }
    assert writer.notice_locale(decision(1)) == "", "of a decision without a notice nobody is told"


class Ticking:
    """A worker's clock that says what is left."""

    def __init__(self, left: float) -> None:
        self.left = left
        self.waited: list[float] = []

    def seconds_left(self) -> float:
        return self.left

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)


@pytest.mark.parametrize("work", Pass)
def test_a_halt_ends_what_writes_within_a_second_and_no_plan(work: Pass) -> None:
    books, clock = Books(halted=True), Ticking(500.0)
    assert books.writer(work, clock=clock).must_end() is (work is Pass.APPLY)
    books = Books()
    writer = books.writer(work, clock=clock)
    for left, looks in ((500.0, 1), (500.0 - STOP_LOOK_SECONDS, 1), (499.5 - STOP_LOOK_SECONDS, 2)):
        clock.left = left
        assert writer.must_end() is False
        assert books.halts_read == (looks if work is Pass.APPLY else 0), left


@pytest.mark.parametrize(("left", "ends"), [(TIME_TO_FINISH_SECONDS, False), (TIME_TO_FINISH_SECONDS - 0.1, True)])
def test_a_worker_ends_while_there_is_time_to_finish(left: float, *, ends: bool) -> None:
    assert Books().writer(clock=Ticking(left)).must_end() is ends


@pytest.mark.parametrize(
    ("keeps", "written", "pace", "spent", "waited"),
    [
        (frozenset[int](), 6, 2.0, 1.5, [6 * ASSIGN_WRITE_UNITS / 2.0 - 1.5]),
        (frozenset({1}), 6, 2.0, 1.5, [6 * HISTORY_WRITE_UNITS / 2.0 - 1.5]),
        (frozenset({1}), 1, 2.0, 2.5, [0.0]),
        (frozenset({1}), 0, 2.0, 0.5, []),
        (frozenset({1}), 6, 0.0, 0.5, []),
    ],
)
def test_a_worker_waits_for_the_rest_of_what_its_writes_take_at_the_pace(
    keeps: frozenset[int], written: int, pace: float, spent: float, waited: list[float]
) -> None:
    clock = Ticking(100.0 - spent)
    Books(keeps).writer(pace=pace, clock=clock).pace(written, 100.0)
    assert clock.waited == waited


def said(kind: EntryKind, place: int = 0, delivery: str = "billing/1", **stated: Any) -> CreditEntry:
    """Something that is said of one benefit."""
    plain = CreditEntry(EntryKind.SENT, NOW, "x", f"{kind}/{place}/{delivery}", (place,), delivery=delivery)
    return replace(plain, kind=kind, **stated)


VOID_OF_FIRST = said(EntryKind.REDUCED, 0, "", id="void/1/v", sizes=(120,))
AT_BILLER = (said(EntryKind.ASSIGNED), said(EntryKind.ACCEPTED))
ASKED_BACK = (
    said(EntryKind.REVERSAL_ASKED, 0, "", id="void/1/w", sizes=(70,)),
    said(EntryKind.REVERSAL_ASSIGNED, delivery="billing/2"),
)
BOOKED_BACK = said(EntryKind.REVERSAL_ACCEPTED, delivery="billing/2")


@pytest.mark.parametrize(
    ("before", "new", "changes"),
    [
        ((), AT_BILLER[0], False),
        ((), VOID_OF_FIRST, True),
        ((VOID_OF_FIRST,), AT_BILLER[0], False),
        ((VOID_OF_FIRST, AT_BILLER[0]), AT_BILLER[1], False),
        ((VOID_OF_FIRST,), said(EntryKind.VOIDED, 1, ""), True),
        ((*AT_BILLER, ASKED_BACK[0]), ASKED_BACK[1], False),
        ((*AT_BILLER, *ASKED_BACK), BOOKED_BACK, True),
        ((*AT_BILLER, *ASKED_BACK), said(EntryKind.REVERSAL_REJECTED, delivery="billing/2", code="no"), False),
        ((*AT_BILLER, *ASKED_BACK, BOOKED_BACK), said(EntryKind.ASSIGNED, 1), False),
        ((*AT_BILLER, *ASKED_BACK, BOOKED_BACK), said(EntryKind.REVERSAL_UNDONE, delivery="billing/2"), True),
    ],
)
def test_a_history_is_looked_at_only_where_something_becomes_void_or_stands_again(
    before: tuple[CreditEntry, ...], new: CreditEntry, *, changes: bool
) -> None:
    """Not for every answer about what is void in part already."""
    entry = decision(1)
    assert changes_worth(entry, EntriesChange(entry.key, before, (*before, new))) is changes
