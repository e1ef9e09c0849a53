"""Whatever persons, billers, clock and faults do in whatever order: a plain ledger says the same, and the law holds.

The plain ledger knows nothing of entries, receipts or streams. After every step the real one has the same net
grants and the same shares of the law, entries and counters agree, and no subject has more than the most that a policy
ever decided for it.
"""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kulanz.application.delivery.advance_delivery import open_settled
from kulanz.application.delivery.ask_void import VoidRefused, inline_file
from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.application.ledger.check_ledger import check_ledger
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.reconciliation import RowResult
from kulanz.domain.decision import Outcome
from kulanz.domain.delivery.ids import VoidId
from kulanz.domain.delivery.law import Shares
from kulanz.domain.delivery.void import Share, VoidState
from kulanz.domain.identifiers import WHOLE_ACCOUNT, month_of_goodwill
from kulanz.domain.ledger.entries import net_worth
from tests.support.any_order import (
    BETWEEN,
    FAULTS,
    MEASURES,
    ROWS,
    SINCE,
    Answer,
    OneFault,
    fault_of,
    runs,
)
from tests.support.any_order_incident import AtTheBiller
from tests.support.faults import Fault, Tap
from tests.support.plain_ledger import ACCOUNTS, Rows, whole_of
from tests.support.small_campaign import INCIDENT_ID, event
from tests.support.world import ANNA, BEN
from tests.support.world_deliveries import unsent_of
from tests.support.world_door import BERT, check_ports
from tests.support.world_voids import approved, asked, run_voids, void_ports, watched_voids


class Ledger(AtTheBiller):
    """One incident whose lists, offers, deliveries, bills, voids and withdrawals come in any order."""

    # What can happen

    @initialize(is_delivered=st.booleans())
    def first(self, is_delivered: bool) -> None:
        self.grant({"ada": (5, "now", "as before"), "bob": (5, "offer", "as before")}, None)
        if is_delivered:
            self.deliver(None)

    @precondition(lambda self: self.campaigns < 8)
    @rule(rows=ROWS, fault=FAULTS)
    def grant(self, rows: Rows, fault: OneFault) -> None:
        self.revision, self.campaigns = self.revision + 1, self.campaigns + 1
        lines = []
        for account, (fee, kind, how) in rows.items():
            named, was = self.plain.name(self.campaigns, account, how)
            lines.append(f"{named},{'' if fee is None else f'{fee}.00'},{kind},{was},{SINCE if was else ''}\n")
        self.world.lists.upload(
            "lists/x.csv", ("account_id,fee,kind,account_was,account_since\n" + "".join(lines)).encode()
        )
        self.last = event(key="lists/x.csv", rows=len(rows), revision=self.revision)
        self.world.publish(self.last)
        self.is_withdrawn = self.is_amended = False
        self.go_on(fault)
        assert self.state(self.campaigns) is State.CLOSED
        self.decided_by = self.revision
        too_much = self.plain.decide(self.campaigns, rows, lambda account: self.granted_at(self.campaigns, account))
        self.owed = {
            account: whole_of(fee)
            for account, (fee, *_) in rows.items()
            if fee is not None and account in self.plain.overpaid
        }
        totals = self.world.campaign(f"{INCIDENT_ID}/{self.campaigns}").apply.totals
        overpaid = {what: size for (of, what), size in totals.worth().items() if of is RowResult.OVERPAID}
        assert overpaid == too_much

    @rule(account=st.sampled_from(ACCOUNTS))
    def accept(self, account: str) -> None:
        offered = [place for place in self.plain.offers if place[1] == account]
        can = [seq for seq, _ in offered if self.state(seq) is State.CLOSED and not self.is_withdrawn]
        world = self.world
        ports = AcceptPorts(world.ledger, world.stores, world.campaigns, world.offers)
        seq = offered[0][0] if offered else self.campaigns
        named = self.plain.named(seq, account)
        had = {one.key: one.accepted_at for one in world.ledger.of_account(named)}
        try:
            entry = accept_offer(named, INCIDENT_ID, ports, "support", world.now, seq=seq)
        except OfferRefused:
            assert not can
            return
        if had[entry.key] is None:
            assert can
            self.plain.grant(seq, account, self.plain.offers.pop((seq, account)), world.now, is_added=True)
        world.now += timedelta(seconds=2)

    @rule(pick=st.integers(0, 99), fee=st.integers(1, 9), is_repeated=st.booleans())
    def decide_by_hand(self, pick: int, fee: int, is_repeated: bool) -> None:
        """A person supplies the fee of a row that was held."""
        standing = {entry.key: entry for entry in self.world.ledger.all_entries()}
        places = [place for place in sorted(self.plain.held) if self.held_key(*place) in standing]
        if not places:
            return
        seq, account = places[pick % len(places)]
        kind, key = self.plain.held[seq, account], self.held_key(seq, account)
        was_held = standing[key].status is Outcome.HELD
        must = was_held and kind == "now" and seq == self.campaigns and self.state(seq) is State.CLOSED
        self.steps += 1
        found = self.door.get(f"cases/one/{key.account_id}/{INCIDENT_ID}/{seq}")
        if found.status != 200:
            assert not must, found.content
            return
        body = {"way": "policy", "reason": "known_fact", "facts": {"fee": f"{fee}.00"}, "seen": found.content["seen"]}
        path = f"case-decisions/{key.account_id}/{INCIDENT_ID}/{seq}/d-{self.steps}"
        reply = self.door.put(path, body)
        if reply.status == 200:
            assert was_held
            assert kind == "now"
            owed = self.plain.owed(account, fee)
            self.plain.grant(seq, account, owed, self.world.now, is_added=True, is_by_hand=True)
            if is_repeated:
                self.world.now += timedelta(seconds=1)
                assert self.door.put(path, body).status == 200
        else:
            assert not must or self.is_withdrawn or self.is_amended, reply.content
        self.world.now += timedelta(seconds=2)

    @rule(account=st.sampled_from(ACCOUNTS), is_about=st.booleans(), is_repeated=st.booleans())
    def goodwill(self, account: str, is_about: bool, is_repeated: bool) -> None:
        """No two amounts are equal, so that none need name another."""
        self.steps += 1
        amount = f"{self.steps // 100 + 1}.{self.steps % 100:02}"
        body = {"amount": amount, "measure": "EUR", "reason": "long_wait", "incident": INCIDENT_ID if is_about else ""}
        path = f"goodwill/{self.plain.ids[account][-1]}/g-{self.steps}"
        for _ in range(1 + is_repeated):
            assert self.door.put(path, body).status == 200
            self.world.now += timedelta(seconds=1)
        self.plain.goodwill[account] = self.plain.goodwill.get(account, 0) + 100 + self.steps

    @precondition(lambda self: self.undelivered())
    @rule(fault=FAULTS)
    def deliver(self, fault: OneFault) -> None:
        for seq in self.undelivered():
            campaign = self.world.campaign(f"{INCIDENT_ID}/{seq}")
            open_settled(campaign, self.world.campaigns, self.world.deliveries, ANNA, self.world.now)
            self.go_on(fault)
            for (of, *_), one in self.plain.credits.items():
                if of == seq and one.added_at() is None and one.state == "due":
                    one.send()

    @rule(pick=st.integers(0, 99), one=st.none() | st.sampled_from(ACCOUNTS), fault=FAULTS)
    def void(self, pick: int, one: str | None, fault: OneFault) -> None:
        seqs = self.seqs(State.CLOSED, State.FLAGGED, State.CANCELLED)
        self.take_back(seqs[pick % len(seqs)], one, fault)

    @precondition(lambda self: self.askable())
    @rule(pick=st.integers(0, 99), is_all=st.booleans(), fault=FAULTS, between=BETWEEN)
    def ask_biller(self, pick: int, is_all: bool, fault: OneFault, between: Answer) -> None:
        """Void what is here, and ask the biller for what it has; it may answer in the midst of that."""
        places = self.askable()
        seq, account, _ = places[pick % len(places)]
        self.take_back(seq, None if is_all else account, fault, between, asks_biller=True)

    def take_back(
        self,
        seq: int,
        one: str | None,
        fault: OneFault,
        between: Answer = None,
        *,
        asks_biller: bool = False,
    ) -> None:
        accounts = ACCOUNTS if one is None else (one,)
        self.steps += 1
        void_id = VoidId(CampaignId(INCIDENT_ID, seq), f"v-{self.steps}")
        file = (
            None
            if one is None
            else inline_file(void_id, [(self.plain.named(seq, one), WHOLE_ACCOUNT)], void_ports(self.world))
        )
        try:
            opened = asked(self.world, ANNA, file, void_id.name, str(void_id.campaign), asks_biller=asks_biller)
        except VoidRefused:
            assert asks_biller
            assert unsent_of(self.world, CampaignId(INCIDENT_ID, seq))
            return
        run_voids(self.world)
        voidable = self.plain.void(seq, accounts, opened.opened_at)
        askable = self.plain.ask(seq, accounts, opened.opened_at) if asks_biller else {}
        self.must_be_planned(void_id, voidable, askable)
        self.finish_void(void_id.name, seq, fault, between)

    @rule(pick=st.integers(0, 99), asks_biller=st.booleans(), fault=FAULTS, between=BETWEEN)
    def void_overpaid(self, pick: int, asks_biller: bool, fault: OneFault, between: Answer) -> None:
        """Mostly of the latest campaign: no other one says what is owed now."""
        seq = self.campaigns if pick else 1 + self.campaigns // 2
        self.steps += 1
        name, campaign = f"o-{self.steps}", f"{INCIDENT_ID}/{seq}"
        owes = 1 < seq == self.campaigns and self.decided_by == self.revision
        asks_biller = asks_biller and all(map(self.has_room, self.plain.credits))
        unsent = [one for of in range(1, seq + 1) for one in unsent_of(self.world, CampaignId(INCIDENT_ID, of))]
        try:
            opened = asked(self.world, ANNA, None, name, campaign, is_of_overpaid=True, asks_biller=asks_biller)
        except VoidRefused:
            assert not owes or self.state(seq) is not State.CLOSED or (asks_biller and unsent)
            return
        assert owes
        run_voids(self.world)
        voidable = self.plain.void_overpaid(self.owed, opened.opened_at)
        askable = self.plain.ask_overpaid(self.owed, opened.opened_at) if asks_biller else {}
        self.must_be_planned(opened.id, voidable, askable)
        self.finish_void(name, seq, fault, between if asks_biller else None)

    @precondition(lambda self: self.campaigns < 6)
    @rule(account=st.sampled_from(ACCOUNTS), fee=st.integers(1, 3), fault=FAULTS, between=BETWEEN)
    def void_what_several_overpaid(self, account: str, fee: int, fault: OneFault, between: Answer) -> None:
        """Two campaigns have each delivered some of what a third one finds overpaid."""
        for more in (2, 4):
            self.grant({account: (fee + more, "now", "as before")}, None)
            if self.undelivered():
                self.deliver(None)
        self.grant({account: (fee, "now", "as before")}, None)
        self.void_overpaid(1, True, fault, between)

    def must_be_planned(self, void_id: VoidId, voidable: dict[str, int], askable: dict[str, int]) -> None:
        planned = self.world.voids.void(void_id)
        assert planned is not None
        assert [*map(planned.plan.totals.by_measure, (Share.VOIDABLE, Share.ASKABLE))] == [voidable, askable]

    def finish_void(self, name: str, seq: int, fault: OneFault, between: Answer = None) -> None:
        """Approve a void, if there is anything to approve, and let it end with one fault on the way. Before one of its
        calls the biller may answer.

        The plain ledger has voided before: what is voided is what could be when it was asked, and of that nothing is
        delivered by the schedules that go on after it.
        """
        void_id = VoidId(CampaignId(INCIDENT_ID, seq), name)
        found = self.world.voids.void(void_id)
        assert found is not None
        if found.state is VoidState.AWAITING_APPROVAL:
            approved(self.world, found, BEN)

            def choose(at: int, name: str) -> Fault | None:
                if between is not None and at == between[0] and self.at_biller():
                    self.acknowledge(*between[1:])
                return fault_of(fault, at, name)

            run_voids(self.world, Tap(choose))
            for _ in range(3):
                watched_voids(self.world)
                run_voids(self.world)
        found = self.world.voids.void(void_id)
        assert found is not None
        assert found.state in (VoidState.VOIDED, VoidState.REJECTED), found.state_reason
        if between is not None:
            self.forget_what_was_never_asked()
        self.go_on()

    def forget_what_was_never_asked(self) -> None:
        """The plain ledger has asked before; where the biller's answer was faster, nothing was asked, or numbered."""
        for place, one in self.plain.credits.items():
            if one.backs and one.backs[-1].state == "lapsed" and len(one.backs) > len(self.stands(place).reversals):
                del one.backs[-1]

    @rule(days=st.integers(1, 8), fault=FAULTS)
    def expire(self, days: int, fault: OneFault) -> None:
        """Days pass; then the schedule delivers what was added."""
        self.world.now += timedelta(days=days)
        self.go_on(fault)

    @rule(kind=st.sampled_from(["Amended", "Withdrawn"]), fault=FAULTS)
    def amend_or_withdraw(self, kind: str, fault: OneFault) -> None:
        self.revision += 1
        told: dict[str, Any] = {"campaign": ..., "cause": f"cause {self.revision}"}
        self.world.publish(event(rows=1, detail_type=f"Incident {kind}", revision=self.revision, **told))
        self.is_withdrawn, self.is_amended = kind == "Withdrawn", True
        self.go_on(fault)

    @precondition(lambda self: self.seqs(State.FLAGGED))
    @rule(action=st.sampled_from(["keep", "void_unused", "at_biller", "void_unassigned"]), fault=FAULTS)
    def end_withdrawn(self, action: str, fault: OneFault) -> None:
        seq = self.seqs(State.FLAGGED)[0]
        self.steps += 1
        name, now = f"e-{self.steps}", self.world.now
        asks = action == "at_biller" and all(map(self.has_room, self.plain.credits))
        body = {"action": action.replace("at_biller", "void_unused"), "reason": "why", "at_biller": asks}
        reply = self.door.put(f"stops/{INCIDENT_ID}/{seq}/{name}", body, BERT)
        if asks and unsent_of(self.world, CampaignId(INCIDENT_ID, seq)):
            assert reply.content["reason"] == "delivery_under_way"
            return
        assert reply.status == 200, reply.content
        if action != "keep":
            run_voids(self.world)
            for (of, *_), one in self.plain.credits.items():
                is_new = one.state == "due" and one.again_at is None
                may = one.can_be_voided and (action != "void_unassigned" or is_new)
                if of == seq and may and not one.has_ended(now):
                    one.state = "voided"
            if asks:
                self.plain.ask(seq, ACCOUNTS, now)
            self.finish_void(name, seq, fault)
        self.go_on()
        assert self.state(seq) is (State.CLOSED if action == "keep" else State.CANCELLED)

    @rule(fault=FAULTS)
    def replay(self, fault: OneFault) -> None:
        self.world.repeat_streams()
        if self.last is not None:
            self.world.publish(self.last)
        self.go_on(fault)

    # What holds after every step

    @invariant()
    def the_plain_ledger_says_the_same_and_nobody_has_more_than_was_decided(self) -> None:
        whose = {one: account for account, ids in self.plain.ids.items() for one in ids}
        found: dict[tuple[str, str], int] = {}
        goodwill: dict[str, int] = {}
        for entry in self.world.ledger.all_entries():
            account = whose[entry.key.account_id]
            for measure, size in net_worth(entry).items():
                if month_of_goodwill(entry.key.incident_id):
                    goodwill[account] = goodwill.get(account, 0) + int(size)
                else:
                    found[account, measure] = found.get((account, measure), 0) + int(size)
        assert goodwill == self.plain.goodwill
        for account in ACCOUNTS:
            for measure in MEASURES:
                net = found.get((account, measure), 0)
                assert net == self.plain.net(account, measure), (account, measure)
                again = self.plain.given_again.get((account, measure), 0)
                assert net <= self.plain.most.get((account, measure), 0) + again, (account, measure)

    @invariant()
    def the_law_holds_in_entries_and_in_counters(self) -> None:
        for seq in range(1, self.campaigns + 1):
            checked = check_ledger(CampaignId(INCIDENT_ID, seq), check_ports(self.door), self.world.now)
            assert (checked.differences, checked.beyond, checked.broken) == ((), (), ())
            assert dict(checked.law) == self.plain.law(seq, self.world.now)
        months = {one for one in self.world.campaigns.all_campaigns() if month_of_goodwill(one.incident_id)}
        given = 0
        for month in months:
            checked = check_ledger(month, check_ports(self.door), self.world.now)
            assert (checked.differences, checked.beyond, checked.broken) == ((), (), ())
            assert set(checked.law) == {"EUR"}
            assert checked.law["EUR"] == Shares(open=checked.law["EUR"].open)
            given += int(checked.law["EUR"].open)
        assert given == sum(self.plain.goodwill.values())


def test_in_any_order_the_law_holds_and_a_plain_ledger_says_the_same() -> None:
    run_state_machine_as_test(Ledger, settings=runs())
