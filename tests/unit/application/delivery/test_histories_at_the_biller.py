"""A void under a policy with a history asks the biller: each answer gives the room of a cap back, or takes it again."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta

import pytest

from kulanz.application.delivery.ask_void import VoidRefused, inline_file
from kulanz.application.ledger.accept_offer import AcceptPorts, OfferRefused, accept_offer
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.reconciliation import worth_of
from kulanz.domain.campaigns.trouble import TroubleKind
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.credit import CreditType, credit_id
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.standing import Standing, standing
from kulanz.domain.delivery.void import VoidState
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import Entry, granted_benefits, net_worth
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory
from tests.support import yearly_cap
from tests.support.effort import one_in, seeds_tried
from tests.support.faults import HALVABLE, Choose, Fault, Tap, fault_at
from tests.support.heard_answers import hear_all
from tests.support.small_campaign import sealed_policy
from tests.support.world import ANNA, BEN
from tests.support.world_door import WorldDoor
from tests.support.world_voids import approved, asked, run_voids, void_ports, watched_voids
from tests.support.yearly_cap import CAP, FEES, POLICY, POLICY_ID

ACCOUNTS = [account for account in FEES if account != "excluded"]
MORE = ("pay: 50% of fee", "pay: 75% of fee")
LESS = ("pay: 50% of fee", "pay: 20% of fee")
OFFERS = ("cap:\n", "mode: {offer: {until: day(decided_at) + 20 days}}\ncap:\n")
VERSIONS: Sequence[Sequence[tuple[str, str]]] = ([], [OFFERS], [MORE], [LESS], [MORE, OFFERS])
SEEDS = seeds_tried(40)
STEPS = 60
FAULT_RATE = 0.03
BILLING = Channel("billing")


class Years:
    """Incidents of one year that share a cap, their deliveries, and a biller that says whatever it likes."""

    def __init__(self, channel: Channel | None = BILLING) -> None:
        self.world = yearly_cap.world(channel=channel, calls_in_flight=1)
        for version, changes in enumerate(VERSIONS[1:], 2):
            text = POLICY.replace("version: 1", f"version: {version}")
            for before, after in changes:
                text = text.replace(before, after)
            self.world.policies.publish(POLICY_ID, version, sealed_policy(text))
        self.door, self.done = WorldDoor(self.world), 0
        self.revisions: Counter[str] = Counter()
        self.had: Counter[str] = Counter()
        """How much each account had, or was offered, when it was looked at last."""

    # What happens

    def tell(self, name: str, day: int = 3, version: int = 1, policy: str = POLICY_ID) -> None:
        """An incident is declared, or decided again."""
        self.revisions[name] += 1
        told = {"revision": self.revisions[name], "policy": policy, "policy_version": version}
        self.world.publish(yearly_cap.incident(name, yearly_cap.outage(day), **told))
        self.world.run_until_quiet()
        self.world.now += timedelta(seconds=2)

    def deliver(self) -> None:
        """Deliver what was accepted, and what is asked back."""
        self.world.now += timedelta(days=2)
        self.world.watch()
        self.world.run_until_quiet()
        for campaign_id in self.world.campaigns.all_campaigns():
            self.done += 1
            self.door.put(f"deliveries/settled/{campaign_id}/d-{self.done}", {"reason": "now"})
            self.world.run_until_quiet()

    def void(
        self, campaign: str, account: str, tap: Tap | None = None, *, asks: bool = True, overpaid: bool = False
    ) -> bool:
        """Void what an account has of a campaign; whether it could be asked for."""
        self.done += 1
        void_id = VoidId(CampaignId.parse(campaign), f"v-{self.done}")
        try:
            file = None if overpaid else inline_file(void_id, [(account, WHOLE_ACCOUNT)], void_ports(self.world))
            void = asked(self.world, ANNA, file, void_id.name, campaign, is_of_overpaid=overpaid, asks_biller=asks)
        except VoidRefused:
            return False
        run_voids(self.world)
        found = self.world.voids.void(void.id)
        assert found is not None
        if found.state is VoidState.AWAITING_APPROVAL:
            approved(self.world, void, BEN)
            for _ in range(3):
                run_voids(self.world, tap)
                watched_voids(self.world)
        found = self.world.voids.void(void.id)
        assert found is not None
        assert found.state in (VoidState.VOIDED, VoidState.REJECTED), found.state_reason
        return found.state is VoidState.VOIDED

    def say(self, of: "Place", answer: str, part: int = 1, tap: Tap | None = None) -> None:
        """The biller answers about a credit, or a reversal, of which `1 / part` is on a bill where it is applied."""
        entry, place, number, delivery, kind, size = of
        self.done += 1
        told = {
            "serial": DeliveryId.parse(delivery).serial,
            "credit_id": credit_id(entry.key, place, number, kind),
            "account_id": entry.key.account_id,
            "answer": answer,
        }
        if answer == "applied":
            bill = {"bill": f"B-{self.done}", "billed_on": "2026-04-01"}
            told |= {"amount": f"{size // part / 100:.2f}", "measure": "EUR", **bill}
        if answer == "rejected":
            told["code"] = "closed"
        reply = self.door.put(f"acknowledgements/channel/billing/a-{self.done}", {"answers": [told]})
        assert reply.status == 200, reply.content
        account = entry.key.account_id
        before = self.promised(account)
        hear_all(self.door, tap)
        if (total := self.promised(account)) > max(before, CAP):
            assert self.is_told(), account
            self.had[account] = total
        self.world.now += timedelta(seconds=2)

    # What is there

    def credits(self) -> list[tuple[Entry, int, Standing, int]]:
        """Every credit of the ledger in money: its decision, its place, where it stands, and its size."""
        found = []
        for entry in self.world.ledger.all_entries():
            for place, benefit in enumerate(granted_benefits(entry)):
                measure, size = worth_of(benefit)
                assert measure == "EUR"
                found.append((entry, place, standing(self.world.credits.of(entry.key), place, size), int(size)))
        return found

    def at_biller(self) -> list["Place"]:
        """What the biller can answer about: credits."""
        found = ((entry, place, one, size) for entry, place, one, size in self.credits() if one.delivery)
        return [(entry, place, one.attempt, one.delivery, CreditType.CREDIT, size) for entry, place, one, size in found]

    def reversals(self) -> list["Place"]:
        """What the biller can answer about: reversals."""
        return [
            (entry, place, back.number, back.delivery, CreditType.REVERSAL, int(back.size))
            for entry, place, one, _ in self.credits()
            for back in one.reversals
            if back.delivery
        ]

    def net(self, account: str) -> Counter[str]:
        """What an account has, by incident."""
        found: Counter[str] = Counter()
        for entry in self.world.ledger.of_account(account):
            found[entry.key.incident_id] += int(net_worth(entry).get("EUR", 0))
        return found

    def history(self, account: str) -> SubjectHistory:
        """What is kept of it."""
        found = self.world.ledger.all_histories()
        return found.get(HistoryKey(account, POLICY_ID, WHOLE_ACCOUNT), SubjectHistory())

    def must_count_what_stands(self) -> None:
        """A history counts what an account has, no more and no less; only a biller passes a cap, and that is told."""
        for account in ACCOUNTS:
            net, kept = self.net(account), self.history(account)
            for incident in {*net, *kept.incidents}:
                addition = kept.incidents.get(incident)
                stays = None if addition is None else addition.for_good()
                counted = 0 if stays is None else stays.added.get("paid_2026:EUR", 0)
                assert counted == net[incident], (account, incident)
            assert net.total() <= self.promised(account) <= max(CAP, self.had[account]), account
            self.had[account] = self.promised(account)

    def promised(self, account: str) -> int:
        """What the cap has to hold: what an account has, and what it is offered."""
        counted = (one.at(self.world.now) for one in self.history(account).incidents.values())
        values = (one.added.get("paid_2026:EUR", 0) for one in counted if one is not None)
        return sum(value for value in values if isinstance(value, int))

    def is_told(self) -> bool:
        """Whether a person is told that something was given again."""
        return any(one.kind is TroubleKind.GIVEN_AGAIN for one in self.world.troubles.troubles())


type Place = tuple[Entry, int, int, str, CreditType, int]
"""What the biller answers about: a decision, the benefit's place, the number of the attempt or of the reversal, the
delivery, whether it is a credit or a reversal, and its size."""


def asked_back(campaign: str = "first/1", account: str = "large") -> Years:
    """An account that has all that a year's cap allows, and of which the biller is asked for all."""
    years = Years()
    years.tell("first", 3)
    years.tell("second", 5)
    assert years.net(account).total() == CAP
    years.deliver()
    assert years.void(campaign, account)
    years.deliver()
    return years


def test_nothing_of_the_cap_is_free_before_the_biller_has_booked_the_reversal() -> None:
    years = asked_back()
    years.tell("third", 7)
    assert years.net("large")["third"] == 0
    (back,) = years.reversals()
    years.say(back, "accepted")
    years.must_count_what_stands()
    years.tell("fourth", 9)
    assert years.net("large") == Counter({"fourth": CAP}) | Counter({"first": 0})
    years.must_count_what_stands()
    assert not years.is_told()


@pytest.mark.parametrize("answer", ["rejected", "taken_back"])
def test_what_the_biller_undoes_takes_its_room_again_and_nobody_is_told_where_nobody_used_it(answer: str) -> None:
    years = asked_back()
    before = years.history("large").incidents
    (back,) = years.reversals()
    for said in ("accepted", answer):
        years.say(back, said)
        years.must_count_what_stands()
    assert years.history("large").incidents == before
    years.tell("third", 7)
    assert years.net("large")["third"] == 0
    assert not years.is_told()


def test_room_that_another_incident_had_meanwhile_is_told_and_sending_the_list_again_finds_what_is_too_much() -> None:
    years = asked_back()
    (back,) = years.reversals()
    years.say(back, "accepted")
    years.tell("third", 7)
    assert years.net("large")["third"] == CAP
    years.say(back, "taken_back")
    assert years.net("large").total() == 2 * CAP
    years.must_count_what_stands()
    (trouble,) = years.world.troubles.troubles()
    assert (trouble.kind, trouble.on) == (TroubleKind.GIVEN_AGAIN, "first/1")
    years.tell("first", 3)
    years.world.watch()
    assert not years.is_told(), "who sent the list again has looked"
    assert years.void("first/2", "large", overpaid=True)
    years.deliver()
    years.say(years.reversals()[-1], "accepted")
    assert years.net("large").total() == CAP
    years.must_count_what_stands()


def test_room_that_the_account_had_under_another_id_meanwhile_is_told() -> None:
    years = asked_back()
    (back,) = years.reversals()
    years.say(back, "accepted")
    head, *rows = yearly_cap.rows().decode().splitlines()
    renamed = [
        f"{row},large,2026-02-04T00:00:00Z".replace("large,", "larger,", 1) for row in rows if row[:5] == "large"
    ]
    content = "\n".join(
        [f"{head},account_was,account_since", *renamed, *(f"{row},," for row in rows if row[:5] != "large"), ""]
    )
    years.world.lists.upload("lists/all.csv", content.encode())
    years.tell("third", 7)
    assert years.net("larger")["third"] == CAP
    years.say(back, "taken_back")
    assert years.net("large").total() + years.net("larger").total() == 2 * CAP
    assert years.is_told()


BESIDES = POLICY.replace("id: yearly-cap", "id: besides").replace("100.00 EUR - paid", "40.00 EUR - paid")


@pytest.mark.parametrize("asks", [True, False])
@pytest.mark.parametrize("first", [POLICY_ID, "besides"])
def test_what_another_policy_gave_beside_it_takes_no_share_of_what_a_cap_gets_back(first: str, *, asks: bool) -> None:
    years, second = Years(BILLING if asks else None), "besides" if first == POLICY_ID else POLICY_ID
    years.world.policies.publish("besides", 1, sealed_policy(f"{BESIDES}earlier: add\n"))
    for policy in (first, second):
        years.tell("first", 3, policy=policy)
    assert years.net("large").total() == CAP + 4_000
    if asks:
        years.deliver()
    years.world.now += timedelta(days=2)
    assert years.void("first/1", "large", asks=asks)
    if asks:
        years.deliver()
        (back,) = years.reversals()
        years.say(back, "accepted")
    kept = years.world.ledger.all_histories()
    counted = {
        policy: kept[HistoryKey("large", policy, WHOLE_ACCOUNT)].incidents["first"].added.get("paid_2026:EUR", 0)
        for policy in (first, second)
    }
    assert counted == {first: 0, second: years.net("large")["first"]}
    years.tell("third", 7, policy=first)
    assert years.net("large")["third"] == (CAP if first == POLICY_ID else 4_000)


@pytest.mark.parametrize("said", [("accepted",), ("accepted", "taken_back")], ids=" > ".join)
@pytest.mark.parametrize("fault", [one for one in Fault if one is not Fault.HALF_DONE])
def test_wherever_a_worker_dies_an_answer_changes_the_history_once(said: tuple[str, ...], fault: Fault) -> None:
    for number in range(0, 40, one_in(3)):
        years = asked_back()
        (back,) = years.reversals()
        years.say(back, "accepted")
        years.tell("third", 7)
        years.say(back, "taken_back")
        assert years.void("first/1", "large")
        years.deliver()
        (_, back) = years.reversals()
        tap = Tap(fault_at(number, fault))
        for one in said:
            years.say(back, one, tap=tap)
            years.must_count_what_stands()
        if len(tap.calls) <= number:
            return
    raise AssertionError("an answer has more calls than were tried")


class Storm:
    """Steps at random, with faults, some of them in the midst of others."""

    def __init__(self, seed: int) -> None:
        self.years, self.choose = Years(), random.Random(seed)

    def faults(self, then: Callable[[], None] | None = None) -> Choose:
        """Faults at random calls; before one of the calls something else happens, once."""
        possible = [fault for fault in Fault if fault is not Fault.HALF_DONE]
        waiting = [] if then is None else [(self.choose.randrange(60), then)]

        def choose(at: int, name: str) -> Fault | None:
            if waiting and at >= waiting[0][0]:
                waiting.pop()[1]()
            if self.choose.random() >= FAULT_RATE:
                return None
            return self.choose.choice([*possible, Fault.HALF_DONE] if name in HALVABLE else possible)

        return choose

    def act(self) -> None:
        self.choose.choice((self.tell, self.ask, self.ask, self.ask, self.void, self.accept, *(self.answer,) * 8))()
        self.years.must_count_what_stands()

    def tell(self) -> None:
        world = self.years.world
        world.tap = Tap(self.faults(self.answer if self.choose.random() < 0.5 else None))
        number = self.choose.randrange(3)
        day = 1 + 6 * number + self.choose.randrange(6)  # of no two incidents the same outage
        self.years.tell(f"in-{number}", day, self.choose.randrange(len(VERSIONS)) + 1)
        world.tap = Tap()
        for _ in range(3):
            world.redrive()
            world.watch()
            world.run_until_quiet()
        found = [world.campaign(str(one)) for one in world.campaigns.all_campaigns()]
        assert {one.state for one in found} <= {State.CLOSED}, [one.state_reason for one in found]

    def ask(self) -> None:
        """Ask back what the biller has of an account, and deliver that."""
        self.void(asks=True)
        if self.choose.random() < 0.8:
            self.years.deliver()

    def void(self, *, asks: bool = False) -> None:
        granted = sorted({(str(one.key.campaign), one.key.account_id) for one, *_ in self.years.credits()})
        if granted:
            campaign, account = self.choose.choice(granted)
            tap = Tap(self.faults(self.answer if self.choose.random() < 0.5 else None))
            overpaid = not campaign.endswith("/1") and self.choose.random() < 0.4
            self.years.void(campaign, account, tap, asks=asks, overpaid=overpaid)

    def answer(self) -> None:
        reversals = self.years.reversals()
        found = reversals if reversals and self.choose.random() < 0.8 else self.years.at_biller()
        if found:
            said = self.choose.choice(("accepted", "accepted", "accepted", "applied", "taken_back", "rejected"))
            self.years.say(self.choose.choice(found[-4:]), said, self.choose.choice((1, 2)), Tap(self.faults()))

    def accept(self) -> None:
        world = self.years.world
        ports = AcceptPorts(world.ledger, world.stores, world.campaigns, world.offers)
        try:
            accept_offer(self.choose.choice(ACCOUNTS), f"in-{self.choose.randrange(3)}", ports, "an agent", world.now)
        except OfferRefused:
            return


@pytest.mark.storm
@pytest.mark.parametrize("seed", range(SEEDS))
def test_in_a_storm_of_lists_voids_and_answers_the_history_counts_what_stands(seed: int) -> None:
    storm = Storm(seed)
    for _ in range(STEPS):
        storm.act()
