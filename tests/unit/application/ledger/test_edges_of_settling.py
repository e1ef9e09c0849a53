"""Settling budgets: which troubles are over, when nobody can accept any more, and what a pass over the ledger adds up;
and of what persons state, which part is not possible."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.budgets.store import ReservedBy
from kulanz.application.ledger import settle_budgets as module
from kulanz.application.ledger.settle_budgets import SECONDS_FOR_ONE, Settled, SettlePorts, settle_budgets
from kulanz.application.ledger.state_amounts import StatePorts, StateRefused, state_amounts
from kulanz.application.ports import ATTEMPTS_AGAINST_OTHERS, Outdated, PinnedVersionGone, TryAgain
from kulanz.domain.budgets import Budget, BudgetStep, Counted, Needed, ReadApart, Reservation
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State
from kulanz.domain.campaigns.reconciliation import RowResult, SumKey, Totals, WriteResult
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.gate.stated import Stated
from kulanz.domain.ledger.entries import DecisionKey, Entry, decision_body
from kulanz.domain.lists.lines import ListRefused
from kulanz.domain.money import Money
from kulanz.domain.people.caller import Person
from kulanz.domain.people.people import NOBODY_LISTED
from tests.support.values import NOW, campaign
from tests.support.world import ANNA

MONTH = "2026-02"
ONE, TWO, THREE = (CampaignId("outage", seq) for seq in (1, 2, 3))


@dataclass
class Stores:
    """What settling reads and writes. `faults` is what reading a campaign raises."""

    reserved_by: Sequence[ReservedBy] = ()
    reservations_of: Mapping[CampaignId, Sequence[Reservation]] = field(default_factory=dict)
    faults: Mapping[CampaignId, Exception] = field(default_factory=dict)
    states: Mapping[CampaignId, State] = field(default_factory=dict)
    budgets: Sequence[Budget] = ()
    known: dict[tuple[TroubleKind, str], Trouble] = field(default_factory=dict)
    written: list[tuple[CampaignId, BudgetStep, bool]] = field(default_factory=list)
    noted: list[tuple[CampaignId, Counted | None, Counted]] = field(default_factory=list)
    plan: Any = None

    def reserved(self) -> list[ReservedBy]:
        return list(self.reserved_by)

    def budgets_since(self, month: str, after: str = "") -> Any:
        """One budget a page."""
        assert month < MONTH
        place = int(after or 0)
        more = str(place + 1) if place + 1 < len(self.budgets) else ""
        return SimpleNamespace(found=self.budgets[place : place + 1], after=more)

    def campaign(self, of: CampaignId) -> Campaign:
        if of in self.faults:
            raise self.faults[of]
        return replace(campaign(of), state=self.states.get(of, State.CLOSED))

    def reservations(self, of: CampaignId) -> list[Reservation]:
        return list(self.reservations_of.get(of, ()))

    def budget(self, currency: str, month: str) -> Budget:
        return Budget(currency, month, reserved=10_000)

    def log(self, _: CampaignId) -> list[Any]:
        return []

    def incident(self, _: str) -> None:
        return None

    def filed_plan(self, _: CampaignId) -> Any:
        return self.plan

    def frozen(self, _: CampaignId) -> None:
        return None

    def write(self, of: CampaignId, step: BudgetStep, *, is_done: bool) -> None:
        self.written.append((of, step, is_done))

    def settle_as_stated(
        self, of: CampaignId, step: BudgetStep, before: Stated | None, after: Stated, *, is_done: bool
    ) -> None:
        assert (before, after.is_settled) == (None, True)
        self.write(of, step, is_done=is_done)

    def stated(self, _: CampaignId) -> None:
        return None

    def note_counted(self, of: CampaignId, before: Counted | None, after: Counted) -> None:
        self.noted.append((of, before, after))

    def troubles(self) -> list[Trouble]:
        return list(self.known.values())

    def note(self, kind: TroubleKind, on: str, now: Any) -> None:
        self.known[kind, on] = Trouble(kind, on, now, now)

    def repaired(self, kind: TroubleKind, on: str, _: object) -> None:
        del self.known[kind, on]

    def settle(self, seconds: Iterator[float] | None = None) -> Settled:
        """What the schedule does."""
        stores = cast("Any", self)
        left = seconds or iter([SECONDS_FOR_ONE] * 100)
        return settle_budgets(SettlePorts(stores, stores, stores, stores, stores), NOW, lambda: next(left))


def troubled(*of: tuple[TroubleKind, CampaignId]) -> dict[tuple[TroubleKind, str], Trouble]:
    """Troubles that were known before."""
    return {(kind, str(on)): Trouble(kind, str(on), NOW - timedelta(1), NOW) for kind, on in of}


UNSETTLED, UNCOUNTED = TroubleKind.UNSETTLED, TroubleKind.UNCOUNTED


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (TryAgain("busy"), UNSETTLED),
        (PinnedVersionGone("it was deleted"), UNCOUNTED),
        (ListRefused("list_empty", "it is empty"), UNCOUNTED),
    ],
)
def test_each_campaign_that_cannot_be_settled_is_in_the_trouble_of_its_own_fault(
    fault: Exception, kind: TroubleKind
) -> None:
    """Of two that fail both stay, the other kind's trouble of each is over, and that of a third is."""
    stores = Stores([ReservedBy(ONE), ReservedBy(TWO), ReservedBy(THREE)], faults={ONE: fault, THREE: fault})
    stores.known = troubled(*((one, on) for one in (UNSETTLED, UNCOUNTED) for on in (ONE, TWO, THREE)))
    found = stores.settle()
    assert sorted(stores.known) == [(kind, str(ONE)), (kind, str(THREE))]
    assert found.failed == tuple((on, f"{type(fault).__name__}: {fault}") for on in (ONE, THREE))
    assert (found.looked_at, found.is_whole) == (3, True)


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_trouble_is_over_where_its_campaign_was_looked_at_or_every_one_was(*, is_whole: bool) -> None:
    """That of a campaign that has no reservation any more ends with a look that had the time for all."""
    stores = Stores([ReservedBy(ONE), ReservedBy(TWO)])
    stores.known = troubled((UNSETTLED, ONE), (UNSETTLED, TWO), (UNCOUNTED, THREE), (TroubleKind.STUCK, ONE))
    seconds = [SECONDS_FOR_ONE, SECONDS_FOR_ONE if is_whole else SECONDS_FOR_ONE - 0.001]
    found = stores.settle(iter(seconds))
    left = [] if is_whole else [(UNCOUNTED, str(THREE)), (UNSETTLED, str(TWO))]
    assert sorted(stores.known) == sorted([(TroubleKind.STUCK, str(ONE)), *left])
    assert (found.looked_at, found.is_whole) == (2 if is_whole else 1, is_whole)


def test_every_budget_beyond_its_limit_is_a_trouble_until_it_is_not_on_whatever_page_it_stands() -> None:
    def budget(currency: str, spent: int) -> Budget:
        return Budget(currency, MONTH, limit=100, spent=spent)

    stores = Stores(budgets=[budget("CHF", 101), budget("EUR", 100), budget("GBP", 99), budget("USD", 102)])
    over = TroubleKind.OVER_BUDGET
    stores.known = {(over, on): Trouble(over, on, NOW, NOW) for on in ("EUR 2026-02", "USD 2026-02")}
    assert stores.settle().exceeded == ("CHF 2026-02", "USD 2026-02")
    assert sorted(stores.known) == [(over, "CHF 2026-02"), (over, "USD 2026-02")]


def made(currency: str, claimable: int, after: timedelta | None, **more: Any) -> Reservation:
    """What a campaign reserved, which can be accepted until so long after now."""
    until = None if after is None else NOW + after
    settled = {"granting": 0, "is_settled": True, **more}
    return Reservation(str(ONE), currency, MONTH, claimable=claimable, at_most=9_000, claims_until=until, **settled)


NOT_YET, JUST, OVER = timedelta(microseconds=1), timedelta(0), timedelta(days=-1)


@pytest.mark.parametrize("state", [State.CLOSED, State.CANCELLED, State.FLAGGED])
@pytest.mark.parametrize(
    ("standing", "is_over"),
    [
        ([made("CHF", 7, JUST), made("EUR", 9, OVER)], True),
        ([made("CHF", 7, NOT_YET), made("EUR", 9, OVER)], False),
        ([made("CHF", 7, OVER), made("EUR", 9, NOT_YET)], False),
        ([made("CHF", 7, OVER), made("EUR", 9, None)], False),
        ([made("CHF", 7, OVER), made("EUR", 0, None)], True),
        ([made("CHF", 7, OVER), made("EUR", 0, NOT_YET)], True),
    ],
)
def test_what_customers_may_accept_is_set_free_when_the_last_of_it_is_over(
    standing: Sequence[Reservation], state: State, *, is_over: bool
) -> None:
    """Or where the campaign was cancelled: then nobody accepts anything."""
    stores = Stores([ReservedBy(ONE)], {ONE: standing}, states={ONE: state})
    stores.settle()
    released = {after.currency for _, step, _ in stores.written for _, after in step.reservations if after.is_over}
    assert released == ({"CHF", "EUR"} if is_over or state is State.CANCELLED else set())
    assert [is_done for *_, is_done in stores.written] == ([True] if released else [])


def entry(seq: int, outcome: Outcome, benefits: Mapping[str, int], claimable: Mapping[str, int]) -> Entry:
    """A decision about some amounts."""
    owed, may = (
        tuple(Benefit(Money(size, currency), component="x") for currency, size in some.items())
        for some in (benefits, claimable)
    )
    key = DecisionKey(f"A-{seq}", ONE.incident_id, "-", ONE.seq)
    body = decision_body(ONE, "2", "0" * 64, "0" * 32, Decision(outcome, "credit", owed, claimable=may))
    return Entry(key, body, Outcome.GRANTED, (), NOW, None, 0, seq)


PAGES = [
    (110, [entry(1, Outcome.GRANTED, {"USD": 1, "EUR": 2}, {"USD": 4}), entry(2, Outcome.DECLINED, {}, {})]),
    (210, [entry(3, Outcome.OFFERED, {"USD": 8, "CHF": 16}, {"GBP": 32})]),
    (310, [entry(4, Outcome.GRANTED, {"USD": 64}, {"JPY": 128})]),
]
SUMS = [
    {"USD": Needed(1, 4), "EUR": Needed(2, 0)},
    {"USD": Needed(1, 12), "EUR": Needed(2, 0), "CHF": Needed(0, 16), "GBP": Needed(0, 32)},
    {
        "USD": Needed(65, 12), "EUR": Needed(2, 0), "CHF": Needed(0, 16), "GBP": Needed(0, 32), "JPY": Needed(0, 128),
    },
]  # fmt: skip
"""What the decisions up to each page grant at once, and let customers accept: each amount is another power of two."""


@pytest.mark.parametrize("pages", [1, 2, 3])
def test_a_pass_that_goes_on_where_another_one_stopped_comes_to_the_same(
    pages: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each of so many pages its time is over; also where a sum is only offered, or only granted."""

    def committed(*_: object) -> Iterator[tuple[int, list[Entry]]]:
        begin = cast("int", _[-1])
        return ((position, found) for position, found in PAGES if position > begin)

    monkeypatch.setattr(module, "committed_pages", committed)
    monkeypatch.setattr(module, "thaw", lambda *_: None)
    standing = [made(one, 900, None, granting=800, is_settled=False) for one in sorted(SUMS[-1])]
    stores, counted, looks = Stores(reservations_of={ONE: standing}), cast("Counted | None", None), 0
    while not stores.written:
        stores.reserved_by = [ReservedBy(ONE, counted)]
        stores.settle(iter([SECONDS_FOR_ONE] * pages + [0.0] * len(PAGES)))
        looks += 1
        if not stores.written:
            of, before, counted = stores.noted[-1]
            place = looks * pages - 1
            assert (of, before, counted.position, counted.sums) == (
                ONE, stores.reserved_by[0].counted, PAGES[place][0], SUMS[place],
            )  # fmt: skip
    ((_, step, is_done),) = stores.written
    spent = {after.currency: after.spent for _, after in step.budgets}
    kept = {after.currency: after.claimable for _, after in step.reservations}
    assert spent == {one: found.granting for one, found in SUMS[-1].items()}
    assert kept == {one: found.claimable for one, found in SUMS[-1].items()}
    assert not is_done, "customers may still accept some of it"


class Rival(Stores):
    """Stores of which another settler was first, with every write so often."""

    first: int = 0
    error: type[Exception] = Outdated
    passes: int = 0
    tries: int = 0

    def frozen(self, _: CampaignId) -> None:
        self.passes += 1

    def write(self, of: CampaignId, step: BudgetStep, *, is_done: bool) -> None:
        self.tries += 1
        if self.tries <= self.first:
            raise self.error
        super().write(of, step, is_done=is_done)

    def note_counted(self, of: CampaignId, before: Counted | None, after: Counted) -> None:
        if self.first:
            raise self.error
        super().note_counted(of, before, after)


@pytest.mark.parametrize("first", [0, 1, ATTEMPTS_AGAINST_OTHERS - 1, ATTEMPTS_AGAINST_OTHERS])
@pytest.mark.parametrize("error", [Outdated, ReadApart])
def test_whoever_was_second_writes_with_what_stands_now_a_few_times_and_reads_the_list_once(
    first: int, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "committed_pages", lambda *_: iter(PAGES))
    monkeypatch.setattr(module, "thaw", lambda *_: None)
    standing = [made(one, 900, None, granting=800, is_settled=False) for one in sorted(SUMS[-1])]
    stores = Rival([ReservedBy(ONE)], {ONE: standing})
    stores.first, stores.error = first, error
    found = stores.settle()
    is_settled = first < ATTEMPTS_AGAINST_OTHERS
    assert (len(stores.written), stores.passes) == (1 if is_settled else 0, 1)
    why = "TryAgain: the reservations of the campaign keep changing"
    assert found.failed == (() if is_settled else ((ONE, why),))
    assert sorted(stores.known) == ([] if is_settled else [(UNSETTLED, str(ONE))])


def test_a_pass_whose_place_another_one_has_noted_meanwhile_is_no_fault_and_the_next_campaign_is_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "committed_pages", lambda *_: iter(PAGES))
    monkeypatch.setattr(module, "thaw", lambda *_: None)
    standing = [made(one, 900, None, granting=800, is_settled=False) for one in sorted(SUMS[-1])]
    stores = Rival([ReservedBy(ONE), ReservedBy(TWO)], {ONE: standing})
    stores.first = 1
    found = stores.settle(iter([SECONDS_FOR_ONE, 0.0, SECONDS_FOR_ONE]))
    assert (found.looked_at, found.failed, found.is_whole, stores.known) == (2, (), True, {})


def open_reservations() -> list[Reservation]:
    """Two currencies of a campaign that cannot be counted."""
    return [made(one, 300, None, granting=700, is_settled=False) for one in ("CHF", "EUR")]


def stating(**amounts: tuple[int, int]) -> tuple[Stores, Any]:
    """Stores of which a person states amounts: the plan was 700 granted and 300 claimable of each currency.

    Receipts have 100 that were granted of each, and 20 that were offered of one.
    """
    written, both = Totals(), ("CHF", "EUR")
    written.sums.update({SumKey(RowResult.GRANTED, WriteResult.WRITTEN, one): 100 for one in both})
    written.sums[SumKey(RowResult.OFFERED, WriteResult.WRITTEN, "EUR")] = 20
    plan = SimpleNamespace(granted=dict.fromkeys(both, 700), offered={"EUR": 250}, claimable={"CHF": 300, "EUR": 50})
    known = {(UNCOUNTED, str(ONE)): Trouble(UNCOUNTED, str(ONE), NOW, NOW)}
    stores = Stores(reservations_of={ONE: open_reservations()}, known=known, plan=plan)

    def found(of: CampaignId) -> Campaign:
        new = replace(campaign(of), state=State.CANCELLED)
        return replace(new, apply=replace(new.apply, totals=written))

    stores.campaign = found  # type: ignore[method-assign]
    needed = {one: Needed(*amount) for one, amount in amounts.items()}
    asked = Stated("s-1", needed, ANNA, "counted by hand", NOW)
    one_for_all, gate = cast("Any", stores), GateSettings(second_person_above=dict.fromkeys(amounts, 10**9))
    ports = StatePorts(one_for_all, one_for_all, one_for_all, gate, NOBODY_LISTED)
    return stores, lambda: state_amounts(ONE, asked, Person(ANNA), ports)


@pytest.mark.parametrize(
    ("eur", "field_name"),
    [
        ((99, 20), "granted"),
        ((100, 19), "claimable"),
        ((100, 20), ""),
        ((700, 300), ""),
        ((701, 300), "granted"),
        ((700, 301), "claimable"),
        ((100, 301), "claimable"),
        ((700, 19), "claimable"),
    ],
)
def test_what_is_stated_is_taken_up_to_each_bound_and_beyond_it_the_wrong_part_is_named(
    eur: tuple[int, int], field_name: str
) -> None:
    stores, state = stating(CHF=(100, 0), EUR=eur)
    if field_name:
        with pytest.raises(StateRefused) as refused:
            state()
        assert (refused.value.reason, refused.value.field, str(refused.value)[:4]) == (
            "not_possible", field_name, "EUR:",
        )  # fmt: skip
        assert stores.written == []
        return
    state()
    ((of, step, is_done),) = stores.written
    assert of == ONE
    assert {after.currency: after.spent for _, after in step.budgets} == {"CHF": 100, "EUR": eur[0]}
    assert {after.currency: after.claimable for _, after in step.reservations} == {"CHF": 0, "EUR": eur[1]}
    assert not is_done


@pytest.mark.parametrize("amounts", [{"CHF": (100, 0)}, {"CHF": (100, 0), "EUR": (100, 20), "USD": (0, 0)}])
def test_each_currency_that_was_reserved_is_stated_and_no_other(amounts: Mapping[str, tuple[int, int]]) -> None:
    stores, state = stating(**amounts)
    with pytest.raises(StateRefused) as refused:
        state()
    assert (refused.value.reason, refused.value.field, stores.written) == ("currencies_differ", "granted", [])


@pytest.mark.parametrize(
    ("kind", "on", "is_open"),
    [(UNCOUNTED, ONE, True), (UNCOUNTED, TWO, False), (UNSETTLED, ONE, False), (TroubleKind.STUCK, ONE, False)],
)
def test_a_person_states_what_a_campaign_granted_where_that_very_one_cannot_be_counted(
    kind: TroubleKind, on: CampaignId, *, is_open: bool
) -> None:
    stores, state = stating(CHF=(100, 0), EUR=(100, 20))
    stores.known = troubled((kind, on))
    if is_open:
        state()
        assert len(stores.written) == 1
        return
    with pytest.raises(StateRefused) as refused:
        state()
    assert (refused.value.reason, stores.written) == ("is_counted", [])
