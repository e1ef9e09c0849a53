"""What an acceptance writes and spends: by its own instant, campaign, subject and currencies, and by nobody else's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.application.ledger.confirm_tables import confirm_tables
from kulanz.domain.budgets import Draw, Reservation
from kulanz.domain.campaigns.campaign import Campaign, CampaignId, State
from kulanz.domain.confirmation import Occasion
from kulanz.domain.decision import Benefit, Decision, Outcome
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.halt import NEVER_SET
from kulanz.domain.incident_record import IncidentRecord, Revision
from kulanz.domain.ledger.entries import DecisionKey, Entry, HistoryChange, decision_body, remaining_of
from kulanz.domain.money import Money
from kulanz.domain.policy.deciding.history import Addition, HistoryKey, SubjectHistory
from tests.support.fakes import FakeCampaigns, FakeLedger, FakeStores
from tests.support.values import INCIDENT, NOW, campaign, declared, revision

ACCOUNT, LINE = "A-7", "L-3"
DECIDED_AT = NOW - timedelta(days=40)
DAYS_KEPT = 500 * 86_400
TTL = int(DECIDED_AT.timestamp()) + DAYS_KEPT
PAID = {1: {"USD": 500, "EUR": 40}, 2: {"USD": 730, "CHF": 60}, 3: {"USD": 910}}
"""What each of three campaigns offered, each under a policy that adds to the others."""


def offered(seq: int, subject: str = LINE, **otherwise: Any) -> Entry:
    """What a campaign offered."""
    key = DecisionKey(ACCOUNT, INCIDENT, subject, seq)
    benefits = tuple(Benefit(Money(size, currency), component="x") for currency, size in PAID[seq].items())
    body = decision_body(key.campaign, "2", "0" * 64, "0" * 32, Decision(Outcome.OFFERED, "credit", benefits))
    return replace(Entry(key, body, Outcome.OFFERED, remaining_of(benefits), DECIDED_AT, None, TTL, 0), **otherwise)


def taken(seq: int) -> Entry:
    """An offer that was accepted."""
    return offered(seq, status=Outcome.GRANTED, accepted_at=NOW - timedelta(days=seq))


def in_part(seq: int) -> Entry:
    """A decision that granted 1.11 dollars at once, and lets the customer claim the rest."""
    found = offered(seq)
    claimable = tuple(Benefit(Money(size, currency), component="x") for currency, size in PAID[seq].items())
    at_once = (Benefit(Money(111, "USD"), component="y"),)
    decision = Decision(Outcome.GRANTED, "credit", at_once, claimable=claimable)
    body = decision_body(found.key.campaign, "2", "0" * 64, "0" * 32, decision)
    return replace(found, body=body, status=Outcome.GRANTED, remaining=remaining_of(at_once))


@dataclass
class Records:
    """The ledger, the campaigns and the offers, as an acceptance meets them; what it wrote."""

    entries: Sequence[Entry]
    reserved: Mapping[int, Sequence[Reservation]] = field(default_factory=dict)
    states: Mapping[int, State] = field(default_factory=dict)
    history: SubjectHistory | None = None
    written: list[tuple[Any, ...]] = field(default_factory=list)

    def of_account(self, account_id: str, incident_id: str) -> Sequence[Entry]:
        assert (account_id, incident_id) == (ACCOUNT, INCIDENT)
        return self.entries

    def histories(self, keys: Sequence[HistoryKey]) -> Mapping[HistoryKey, SubjectHistory]:
        assert keys == [HistoryKey(ACCOUNT, "net-credit", LINE)]
        return {} if self.history is None else {keys[0]: self.history}

    def halt(self) -> Any:
        return NEVER_SET

    def incident(self, _: str) -> IncidentRecord:
        return replace(declared(), applied=tuple(sorted(PAID)))

    def revision(self, _: str, number: int) -> Revision:
        return revision(number)

    def campaign(self, of: CampaignId) -> Campaign:
        found = replace(campaign(of), state=self.states.get(of.seq, State.CLOSED), adds=True)
        return replace(found, keeps_history=self.history is not None)

    def reservations(self, of: CampaignId) -> Sequence[Reservation]:
        return self.reserved.get(of.seq, ())

    def accept(self, *written: Any) -> None:
        self.written.append(written)

    def taken_up(self, now: datetime = NOW, seq: int | None = None, zone: str = "UTC") -> Entry:
        """The customer accepts."""
        stores = FakeStores(FakeCampaigns(), FakeLedger())
        confirm_tables(stores, Occasion.FIRST, "a person", "first deployment", NOW)
        records, gate = cast("Any", self), GateSettings(budget_zone=zone)
        ports = AcceptPorts(records, stores, records, records, gate)
        return accept_offer(ACCOUNT, INCIDENT, ports, "an-agent", now, LINE, seq)


def reservation(seq: int, currency: str, claimable: int) -> Reservation:
    """What a campaign reserved in the month before."""
    return Reservation(f"{INCIDENT}/{seq}", currency, "2026-01", 0, claimable, 9_999)


def test_an_acceptance_is_written_with_who_accepted_and_what_the_offer_and_its_incident_were() -> None:
    world = Records([offered(1)])
    granted = world.taken_up()
    assert (granted.status, granted.effective_at, granted.accepted_at) == (Outcome.GRANTED, NOW, NOW)
    assert world.written == [
        (
            offered(1), granted, world.incident(INCIDENT), "an-agent", None,
            (Draw("EUR", "2026-03", 40), Draw("USD", "2026-03", 500)),
        )
    ]  # fmt: skip


@pytest.mark.parametrize("entry", [offered(1), in_part(1)])
def test_what_is_accepted_is_kept_as_long_from_then_on_as_it_was_to_be_kept_from_its_decision_on(entry: Entry) -> None:
    granted = Records([entry]).taken_up()
    assert granted.ttl - int(NOW.timestamp()) == TTL - int(DECIDED_AT.timestamp())


@pytest.mark.parametrize("kind", [offered, in_part])
def test_only_what_is_new_is_spent_of_what_its_own_campaign_reserved_and_else_of_the_month_of_the_acceptance(
    kind: Any,
) -> None:
    reserved = {
        1: (reservation(1, "USD", 5_000), reservation(1, "EUR", 5_000)),
        2: (reservation(2, "USD", 730), reservation(2, "CHF", 59), reservation(2, "EUR", 5_000)),
    }
    world = Records([kind(2)], reserved)
    world.taken_up(NOW.replace(hour=23, minute=30, day=31), zone="Europe/Berlin")
    assert world.written[0][-1] == (Draw("CHF", "2026-04", 60), Draw("USD", "2026-01", 730, f"{INCIDENT}/2"))


def test_nothing_is_spent_of_a_currency_of_which_everything_was_granted_at_once() -> None:
    claimable, at_once = (Benefit(Money(730, "USD"), component="x"),), (Benefit(Money(111, "EUR"), component="y"),)
    decision = Decision(Outcome.GRANTED, "credit", at_once, claimable=claimable)
    entry = offered(2, status=Outcome.GRANTED, remaining=remaining_of(at_once))
    world = Records([replace(entry, body=decision_body(entry.key.campaign, "2", "0" * 64, "0" * 32, decision))])
    world.taken_up()
    assert world.written[0][-1] == (Draw("USD", "2026-03", 730),)


def test_the_offer_is_that_of_the_subject_and_of_the_campaign_that_is_named() -> None:
    others = [offered(1), offered(2), offered(3, "-"), offered(3, "L-4")]
    for seq in (1, 2):
        world = Records(others)
        assert world.taken_up(seq=seq).key == DecisionKey(ACCOUNT, INCIDENT, LINE, seq)
    with pytest.raises(OfferRefused) as several:
        Records(others).taken_up()
    assert (several.value.reason, "net-outage/1, net-outage/2;" in str(several.value)) == ("offers_several", True)
    with pytest.raises(OfferRefused) as none:
        Records(others).taken_up(seq=3)
    assert none.value.reason == "not_offered"


def test_an_open_offer_comes_before_those_that_were_accepted_and_of_these_the_latest() -> None:
    for seq in PAID:
        entries = [offered(one) if one == seq else taken(one) for one in PAID]
        world = Records(entries)
        assert world.taken_up().key.seq == seq
        assert len(world.written) == 1
    world = Records([taken(one) for one in PAID])
    assert world.taken_up() == taken(max(PAID))
    assert world.written == []


@pytest.mark.parametrize("state", State)
def test_an_offer_stands_while_its_campaign_executes_and_when_it_has_closed(state: State) -> None:
    world = Records([offered(1)], states={1: state})
    if state in (State.APPLYING, State.CLOSED):
        assert world.taken_up().status is Outcome.GRANTED
        return
    with pytest.raises(OfferRefused) as refused:
        world.taken_up()
    assert (refused.value.reason, world.written) == ("offer_stopped", [])


def test_the_history_of_the_subject_keeps_what_was_accepted_and_nothing_else_changes_in_it() -> None:
    offers = {
        name: Addition(DECIDED_AT, {f"paid:{name}": 7}, lapses_at=NOW + timedelta(days=1))
        for name in (INCIDENT, "another", ACCOUNT)
    }
    before = SubjectHistory(4, offers)
    world = Records([offered(1)], history=before)
    world.taken_up()
    kept = world.written[0][-2]
    after = SubjectHistory(5, offers | {INCIDENT: replace(offers[INCIDENT], lapses_at=None)})
    assert kept == HistoryChange(HistoryKey(ACCOUNT, "net-credit", LINE), before, after)
