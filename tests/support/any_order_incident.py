"""One incident of which anything can happen in any order: its world, its plain ledger, and what is at the biller."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    precondition,
    rule,
)

from kulanz.domain.byhand.discretion import discretion_json
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.credit import CreditType, credit_id
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.standing import Standing, standing
from kulanz.domain.identifiers import WHOLE_ACCOUNT
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.time import microseconds_of
from tests.support.any_order import (
    ANSWERS,
    DISCRETION,
    FAULTS,
    LETTERS,
    POLICY,
    ROOMY_BYTES,
    OneFault,
    fault_of,
)
from tests.support.faults import Fault, Tap, no_faults
from tests.support.heard_answers import hear_all
from tests.support.plain_ledger import ANSWERED_NO, AT_BILLER, Place, Plain
from tests.support.small_campaign import INCIDENT_ID, sealed_policy
from tests.support.world import World
from tests.support.world_deliveries import watched
from tests.support.world_door import BERT, WorldDoor


class AtTheBiller(RuleBasedStateMachine):
    """The incident with its world and its plain ledger, and what the biller and finance do with its credits."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(chunk_bytes=256, channel=Channel("billing"), delivers=False, other_channels=(LETTERS,))
        self.world.policies.publish("net-credit", 1, sealed_policy(POLICY))
        self.door, self.plain = WorldDoor(self.world), Plain()
        self.door.discretion.publish(1, discretion_json(DISCRETION))
        self.revision = self.campaigns = self.steps = self.decided_by = 0
        self.owed: dict[str, dict[str, int]] = {}
        """What the latest campaign comes to, by account of which it found something overpaid."""
        self.is_withdrawn = self.is_amended = False
        self.last: dict[str, Any] | None = None

    # How the world goes on

    def go_on(self, fault: OneFault = None) -> None:
        """Let everything happen, with one fault on the way, and the schedules after it."""
        first = len(self.world.tap.calls)

        def choose(at: int, name: str) -> Fault | None:
            return fault_of(fault, at - first, name)

        self.world.tap.choose = choose
        self.world.run_until_quiet()
        self.world.tap.choose = no_faults
        for _ in range(2):
            self.world.watch()
            watched(self.world)
            self.world.run_until_quiet()
        self.world.now += timedelta(seconds=2)
        self.note_delivered_additions()

    def note_delivered_additions(self) -> None:
        """What was accepted, or is asked back, is delivered by the schedule, a day after the first of it."""
        for place, one in self.plain.credits.items():
            since, asked = (
                one.added_at() if one.state == "due" else None,
                [back for back in one.backs if back.is_in("asked")],
            )
            if since is None and not asked:
                continue
            is_at_letters = self.stands(place).belongs_to == LETTERS.name
            beside = LETTERS.text if is_at_letters else ""
            taken = self.world.deliveries.added(CampaignId(INCIDENT_ID, place[0]), beside).until
            if since is not None and microseconds_of(since) < taken:
                one.send()
            for back in asked:
                if microseconds_of(back.at) < taken:
                    back.state = "assigned"

    def state(self, seq: int) -> State:
        return self.world.campaign(f"{INCIDENT_ID}/{seq}").state

    def seqs(self, *states: State) -> list[int]:
        return [seq for seq in range(1, self.campaigns + 1) if self.state(seq) in states]

    def granted_at(self, seq: int, account: str) -> datetime:
        key = DecisionKey(self.plain.named(seq, account), INCIDENT_ID, WHOLE_ACCOUNT, seq)
        return self.world.ledger.standing([key])[key].effective_at

    # What is at the biller

    def held_key(self, seq: int, account: str) -> DecisionKey:
        return DecisionKey(self.plain.named(seq, account), INCIDENT_ID, WHOLE_ACCOUNT, seq)

    def undelivered(self) -> list[int]:
        """The campaigns that closed, granted something at once, and have no delivery over their lists."""
        granted = {seq for (seq, *_), one in self.plain.credits.items() if not one.is_added}
        over_list = self.world.deliveries.over_list
        return [
            seq for seq in self.seqs(State.CLOSED) if seq in granted and not over_list(CampaignId(INCIDENT_ID, seq))
        ]

    def askable(self) -> list[Place]:
        """What the biller has of campaigns of which all decisions have room for what it will say."""
        full = {place[0] for place in self.plain.credits if not self.has_room(place)}
        can = {*self.seqs(State.CLOSED, State.FLAGGED, State.CANCELLED)} - full
        return [place for place, one in self.plain.credits.items() if place[0] in can and one.askable(self.world.now)]

    @precondition(lambda self: self.at_biller())
    @rule(pick=st.integers(0, 99), answer=ANSWERS, fault=FAULTS)
    def acknowledge(self, pick: int, answer: str, fault: OneFault = None) -> None:
        """The biller answers about a credit."""
        sent = self.at_biller()
        place = sent[pick % len(sent)]
        one, stands = self.plain.credits[place], self.stands(place)
        rest = one.sent - one.on_bills
        amount = rest if answer == "applied" else rest // 2 if answer == "part" else 0
        if (answer in ("part", "applied") and amount == 0) or (one.on_bills and answer == "rejected"):
            return
        said = "applied" if answer == "part" else answer
        told = {"credit_id": credit_id(*self.benefit(place), stands.attempt)}
        self.hear(place, stands.delivery, told, said, amount, fault)
        one.hear(said, amount)

    def at_biller(self) -> list[Place]:
        """What the biller has, or had, and can answer about."""
        can = AT_BILLER | ANSWERED_NO
        return [place for place, one in self.plain.credits.items() if one.state in can and self.has_room(place)]

    @precondition(lambda self: self.plain.backs("assigned", "booked"))
    @rule(pick=st.integers(0, 99), answer=ANSWERS, fault=FAULTS)
    def acknowledge_reversal(self, pick: int, answer: str, fault: OneFault) -> None:
        """The biller answers about what it was asked for."""
        found = [place for place in self.plain.backs("assigned", "booked") if self.has_room(place[0])]
        if not found:
            return
        place, number = found[pick % len(found)]
        one = self.plain.credits[place]
        back, stands = one.backs[number], self.stands(place).reversals[number]
        rest = back.size - back.used
        amount = rest if answer == "applied" else rest // 2 if answer == "part" else 0
        if answer in ("part", "applied") and amount == 0:
            return
        said = "applied" if answer == "part" else answer
        identity = credit_id(*self.benefit(place), number + 1, CreditType.REVERSAL)
        self.hear(place, stands.delivery, {"credit_id": identity}, said, amount, fault)
        again, of = one.hear_back(back, said, amount), place[1:]
        self.plain.given_again[of] = self.plain.given_again.get(of, 0) + again

    @precondition(lambda self: self.waiting())
    @rule(
        pick=st.integers(0, 99),
        action=st.sampled_from(["send_again", "to_letters", "to_letters", "write_off"]),
        answer=st.none() | ANSWERS,
    )
    def act_on_rejected(self, pick: int, action: str, answer: str | None) -> None:
        """Finance sends what the biller rejected or took back again, perhaps by letter, or writes it off. What was sent
        again may be delivered and answered at once.
        """
        places = self.waiting()
        place = places[pick % len(places)]
        one, stands, (key, benefit) = self.plain.credits[place], self.stands(place), self.benefit(place)
        self.steps += 1
        body = {"action": action, "account_id": key.account_id, "reason": "why"}
        if action == "to_letters":
            body |= {"action": "send_again", "channel": LETTERS.name}
        body["credit_id"] = credit_id(key, benefit, stands.attempt)
        reply = self.door.put(f"deliveries/credits/{INCIDENT_ID}/{key.seq}/c-{self.steps}", body, BERT)
        assert reply.status == 200, reply.content
        assert not reply.content["second_person_needed"]
        if body["action"] == "send_again":
            one.state, one.again_at = "due", self.world.now
        else:
            one.state = "written_off"
        self.world.now += timedelta(seconds=2)
        if answer is not None and one.state == "due":
            self.world.now += timedelta(days=2)
            self.go_on()
            sent = self.at_biller()
            if place in sent and one.state == "sent":
                self.acknowledge(sent.index(place), answer)

    def waiting(self) -> list[Place]:
        """What waits for finance."""
        return [place for place, one in self.plain.credits.items() if one.can_be_sent_again and self.has_room(place)]

    def benefit(self, place: Place) -> tuple[DecisionKey, int]:
        """The decision that granted something, and the place of that in it."""
        seq, account, measure = place
        granted = [what for of, who, what in self.plain.credits if (of, who) == (seq, account)]
        return self.held_key(seq, account), granted.index(measure)

    def stands(self, place: Place) -> Standing:
        """Where a credit stands: of this the biller has its serial, and nothing else is compared with it."""
        key, benefit = self.benefit(place)
        return standing(self.world.credits.of(key), benefit, Decimal(self.plain.credits[place].size))

    def has_room(self, place: Place) -> bool:
        """Whether the entries of a decision can take whatever is said next: full ones are tried elsewhere."""
        return len(self.world.credits.texts.get(self.benefit(place)[0], "")) < ROOMY_BYTES

    def hear(
        self, place: Place, delivery: str, told: dict[str, Any], answer: str, amount: int, fault: OneFault
    ) -> None:
        """Read one answer to a delivery, of the biller of its channel, with one fault on the way."""
        of = DeliveryId.parse(delivery)
        account, measure = self.benefit(place)[0].account_id, place[2]
        self.steps += 1
        told |= {"serial": of.serial, "account_id": account, "answer": answer}
        if answer == "applied":
            text = f"{amount / 100:.2f}" if measure == "EUR" else str(amount)
            told |= {"amount": text, "measure": measure, "bill": f"B-{self.steps}", "billed_on": "2026-04-01"}
        if answer == "rejected":
            told["code"] = "closed"
        reply = self.door.put(f"acknowledgements/channel/{of.channel}/a-{self.steps}", {"answers": [told]})
        assert reply.status == 200, reply.content
        hear_all(self.door, Tap(lambda at, name: fault_of(fault, at, name)))
        self.world.now += timedelta(seconds=2)
