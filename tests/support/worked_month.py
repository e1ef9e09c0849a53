"""A month in which persons do everything that a stack lets them do, and what each command told them.

Two incidents are planned, approved, delivered and answered; offers are accepted; cases are decided, by one person and
by two; goodwill is given; credits are rejected, sent again and written off; something is voided here and at the biller;
a plan is rejected, a campaign paused, resumed and cancelled; the stack is halted, and a budget is spent.
"""

import re
import shlex
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kulanz.application.delivery.hear_answers import AnswerPorts, hear_chunk
from kulanz.domain.byhand.discretion import discretion_json
from kulanz.domain.delivery.channel import Channel
from tests.fake_biller.biller import Biller
from tests.support.billed import Clock
from tests.support.by_hand import CARLA, DISCRETION
from tests.support.handed import discretion_content
from tests.support.small_campaign import event, sealed_policy
from tests.support.world import World
from tests.support.world_deliveries import watched
from tests.support.world_door import ANNA, BERT, Somebody
from tests.support.world_stack import WorldStack, run
from tests.support.world_voids import run_voids

POLICY = """
kulanz: 1
id: worked
version: 1
title: Half the fee, and minutes
zone: Europe/Berlin
currency: EUR
facts:
  segment: [consumer, business, prepaid, on_request]
  fee: money
  minutes: number
who:
  - refer: business_customer
    when: segment = "business"
  - decline: prepaid
    when: segment = "prepaid"
heads:
  - name: each
    pay: 50% of fee
    due: 30 days
  - name: minutes
    give: {quantity: minutes, unit: call_minute, valid: 90 days}
mode:
  - automatic: segment = "consumer"
  - offer: {until: day(incident_end) + 60 days}
cap: {at: 100.00 EUR}
notice:
  texts:
    granted:
      en: {subject: Sorry, text: "We credit {{ amount }} and {{ quantity }} minutes."}
    offered:
      en: {subject: Yours, text: "Ask for {{ amount }}."}
    voided:
      en: {subject: Taken back, text: "We take {{ taken_back }} back. {{ left }} is left."}
"""
HEADER = "account_id,segment,fee,minutes"
FIRST = (
    "a-1,consumer,20.10,11", "a-2,consumer,30.22,12", "a-3,consumer,40.34,13", "a-4,consumer,250.00,14",
    "b-1,business,50.00,15", "b-2,business,60.00,16", "c-1,on_request,70.08,17", "c-2,on_request,80.16,18",
    "d-1,prepaid,90.00,19", "e-1,consumer,,21", "e-2,consumer,ten,22", "a-5,consumer,12.36,23", "a-6,consumer,14.48,24",
)  # fmt: skip
SECOND = ("a-1,consumer,20.10,31", "f-1,consumer,99.98,32", "f-2,on_request,88.86,33")
THIRD = ("g-1,consumer,77.70,41", "g-2,consumer,66.60,42")
MONTH = "2026-03"


@dataclass
class Worked:
    """The stack, its biller, and what was typed and told so far."""

    biller: Biller
    stack: WorldStack = field(init=False)
    told: list[str] = field(default_factory=list)
    _taken: int = 0
    _answered: int = 0
    _typed: int = 0
    _second_goodwill: int = 0

    def __post_init__(self) -> None:
        world = World(channel=Channel("billing"), approvers=(), chunk_bytes=65_536)
        world.policies.publish("worked", 1, sealed_policy(POLICY))
        self.stack = WorldStack(world)
        self.stack.desk = ANNA
        content = discretion_content(cases=DISCRETION["cases"])
        reasons = {**content["reasons"], **DISCRETION["reasons"]}
        self.stack.served.discretion.publish(1, discretion_json({**content, "reasons": reasons}))
        accounts = ("a-1", "a-2", "a-3", "a-4", "a-6", "b-1", "c-1", "f-1")  # a-5 is not known there
        self.biller.open_accounts([(account, "EUR", "500.00") for account in accounts])

    @property
    def world(self) -> World:
        return self.stack.world

    def type(self, words: str, by: Somebody = ANNA, *, is_named: bool = True) -> str:
        """Type a command; what it told is kept. Each action has an id of its own."""
        self._typed += 1
        self.stack.desk = by
        named = (*shlex.split(words), *(("--id", f"t-{self._typed}") if is_named else ()))
        done = run(self.stack, *named)
        self.told.append(f"$ kulanz {shlex.join(named)}\n{done.output.rstrip()}\n[{done.exit_code}]")
        self.pass_by()
        return str(done.output)

    def pass_by(self, **span: float) -> None:
        """Let everything happen that waits, and time pass."""
        self.world.run_until_quiet()
        run_voids(self.world)
        self.world.run_until_quiet()
        self.world.now += timedelta(**span or {"minutes": 7})
        self.world.watch()
        watched(self.world)
        self.world.run_until_quiet()

    def report(self, incident: str, day: int, lines: tuple[str, ...], **changes: Any) -> None:
        """An incident with its list and request."""
        key = f"lists/{incident}.csv"
        version = self.world.lists.upload(key, "\n".join([HEADER, *lines, ""]).encode())
        window = {"start": f"2026-02-{day}T08:00:00Z", "end": f"2026-02-{day}T20:00:00Z"}
        told = event(
            incident_id=incident, windows=[window], policy="worked", rows=len(lines), key=key, version_id=version,
            title=f"Outage {incident}", **changes,
        )  # fmt: skip
        self.world.publish(told)
        self.pass_by()

    def plan_of(self, campaign: str) -> str:
        """The hash of the plan that waits."""
        (incident, seq) = campaign.split("/")
        found = self.stack.served.get(f"campaigns/plan/{incident}/{seq}").content
        return str(found["plan_hash"])[:12]

    def deliver(self) -> None:
        """The biller takes each delivery that it has not taken, books, and answers what it has to say."""
        documents = self.world.archive.documents
        while True:
            folder = f"deliveries/billing/{self._taken + 1:08}/"
            files = {key.removeprefix(folder): value for key, value in documents.items() if key.startswith(folder)}
            if not any("trailer" in name for name in files):
                break
            self._taken += 1
            self.told.append(f"-- the biller: delivery {self._taken} {self.biller.take('billing', self._taken, files)}")

    def answer(self) -> None:
        """The biller's answers since the last time are uploaded and heard."""
        content = self.biller.write_answers()
        if content.count(b"\n") < 2:
            self.told.append("-- the biller has no new answer")
            return
        self._answered += 1
        key = f"acknowledgements/billing/{self._answered}.csv"
        version = self.world.lists.upload(key, content)
        door = self.stack.served
        place = f"acknowledgements/channel/billing/{self._answered}"
        reply = door.put(place, {"file": {"key": key, "version_id": version}})
        assert reply.status == 200, reply.content
        ports = AnswerPorts(
            *(self.world.lists, self.world.archive, self.world.deliveries, self.world.credits, door.answers),
            *(self.world.campaigns, self.world.troubles, self.world.ledger),
        )
        for message in door.answer_queue.messages:
            assert hear_chunk(message.channel, message.file, message.chunk, ports, Clock(self.world.now))
        door.answer_queue.messages.clear()
        results = door.get(f"acknowledgements/one/billing/{reply.content['id']}").content["results"]
        self.told.append(f"-- answers {self._answered}: {results}")
        self.pass_by()

    # What the persons of the month do

    def agree(self, campaign: str, *persons: Somebody) -> None:
        """Each of some persons approves the plan that waits."""
        plan = self.plan_of(campaign)
        for person in persons:
            self.type(f"approve {campaign} --plan {plan}", person)

    def to_the_bill(self) -> None:
        """A day passes, the biller books what came, and answers."""
        self.pass_by(days=1)
        self.deliver()
        self.answer()

    def outages(self) -> None:
        """Three outages: one is paid, of one the plan is made anew and rejected, and one is stopped."""
        self.type(f"budget set EUR {MONTH} 400.00 --reason 'the month of the storm'")
        self.report("first", 20, FIRST)
        self.type("plan first/1", is_named=False)
        self.agree("first/1", ANNA, ANNA, BERT)
        self.type("watch first/1 --seconds 1", is_named=False)
        self.report("second", 22, SECOND)
        self.type("plan second/1", is_named=False)
        self.type("replan second/1 --reason 'others were paid meanwhile'")
        self.type(f"reject second/2 --plan {self.plan_of('second/2')} --reason 'it is the wrong list'", BERT)
        self.report("third", 24, THIRD)
        self.type("pause third/1 --reason 'the list is looked at'")
        self.type("resume third/1 --reason 'it is right'")
        self.type("halt --reason 'the biller is being moved'")
        self.agree("third/1", BERT)
        self.type("lift --reason 'it was moved'")
        self.type("lift --reason 'it was moved'", BERT)
        self.agree("third/1", BERT)
        self.type("cancel third/1 --reason 'it belongs to another company'", CARLA)
        for account in ("c-1", "c-1", "a-1"):
            self.type(f"accept {account} --incident first", CARLA)
        self.report("first", 20, (*FIRST[:2], "a-3,consumer,30.34,13", "h-1,consumer,55.50,51"), revision=2)
        self.type("plan first/2", is_named=False)
        self.agree("first/2", ANNA, BERT)
        self.to_the_bill()

    def by_hand(self) -> None:
        """A late acceptance, cases decided, goodwill given; some of it is refused."""
        self.type("accept c-2 --incident first", CARLA)
        waits = self.type("decide first/1 b-1 --amount '20.00 EUR' --reason known_fact")
        of_b = waits.partition("--case ")[2][:12]
        for person in (ANNA, BERT):
            self.type(f"approve-case first/1 b-1 --case {of_b}", person)
        self.type("decide first/1 b-2 --decline --reason known_fact")
        waits = self.type("decide first/1 e-1 --by-policy --fact fee=42.42 --reason known_fact", BERT)
        self.type(f"reject-case first/1 e-1 --case {waits.partition('--case ')[2][:12]} --reason 'no proof'", CARLA)
        self.type("cases first/1", is_named=False)
        self.type("goodwill a-2 30.00 EUR --reason long_wait --ticket T-1")
        given = f"t-{self._typed}"
        self._second_goodwill = self._typed + 1
        self.type("goodwill a-2 31.00 EUR --reason other --note 'said on the phone' --ticket T-4")
        self.type(f"goodwill a-2 30.00 EUR --reason long_wait --ticket T-5 --repeat-of {given}")
        for named, person, decision in (("T-2", BERT, "approve"), ("T-3", CARLA, "reject")):
            self.type(f"goodwill a-3 6{named[-1]}.00 EUR --reason long_wait --ticket {named}")
            why = " --reason 'enough was given'" if decision == "reject" else ""
            self.type(f"{decision}-goodwill t-{self._typed}{why}", person)
        self.type("goodwill a-3 500.00 EUR --reason long_wait --ticket T-6")
        self.to_the_bill()

    def rejected_and_voided(self) -> None:
        """Credits that the biller rejected are sent again and written off; others are taken back, here and there."""
        rejected = re.findall(r"[0-9a-f]{32}", self.type("credits first/1", is_named=False))
        again = "--account a-5 --reason 'a-6 pays for it'"
        self.type(f"credits first/1 --send-again {rejected[0]} --biller-account a-6 {again}")
        self.type(f"credits first/1 --write-off {rejected[1]} --account a-5 --reason 'too little'", BERT)
        self.to_the_bill()
        for asked in (
            "void first/1 --account a-1 --account a-4 --at-biller --reason 'they were not affected'",
            "void first/2 --overpaid --reason 'the list was wrong'",
            f"void goodwill-{MONTH}/1 --account a-2 --subject t-{self._second_goodwill} --at-biller --reason twice",
            "void first/1 --account b-1 --at-biller --reason 'it was another outage'",
        ):
            self.type(asked)
            campaign, named = asked.split()[1], f"t-{self._typed}"
            shown = self.type(f"void {campaign}", is_named=False)
            plan = re.search(rf"approve-void {campaign} {named} --plan (\S+)", shown)
            if plan is None:
                continue
            for person in (ANNA, BERT, CARLA):
                decide = "reject" if "b-1" in asked else "approve"
                why = " --reason 'it was this one'" if decide == "reject" else ""
                self.type(f"{decide}-void {campaign} {named} --plan {plan[1]}{why}", person)
            self.type(f"void {campaign}", is_named=False)
        self.to_the_bill()
        self.biller.run_cycle("2026-04-01")
        self.answer()
        self.type(f"budget set EUR {MONTH} 90.00 --reason 'too much was planned'")
        self.type(f"budget set EUR {MONTH} 90.00 --reason 'too much was planned'", BERT)

    def work(self) -> None:
        """The whole month."""
        self.outages()
        self.by_hand()
        self.rejected_and_voided()
