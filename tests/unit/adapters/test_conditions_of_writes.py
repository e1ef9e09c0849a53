"""On which condition each write stands, and until when it is kept: what one worker has read no other has changed.

Each line of the text beside this file says what is written where, and behind `if` the condition. No two numbers are
alike, so that each stands for one thing that was read or is written.
"""

from collections import Counter as CounterOf
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import pytest

from kulanz.adapters.answer_table import DynamoAnswers
from kulanz.adapters.budget_table import DynamoBudgets
from kulanz.adapters.campaign_table import DynamoCampaigns
from kulanz.adapters.case_table import DynamoCases
from kulanz.adapters.credit_actions import DynamoCreditActions, DynamoReversals
from kulanz.adapters.delivery_table import DynamoDeliveries
from kulanz.adapters.drafts_table import DynamoDrafts
from kulanz.adapters.export_table import DynamoExports
from kulanz.adapters.goodwill_table import DynamoGoodwill
from kulanz.adapters.ledger_table import DynamoLedger
from kulanz.adapters.offers import DynamoOffers
from kulanz.adapters.void_table import DynamoVoids
from kulanz.application.byhand.goodwill_store import Giving
from kulanz.application.cases.store import HandStep, Proposal, Rejection
from kulanz.application.delivery.world import Asking, EntriesChange
from kulanz.application.drafts.draft_ports import Confirmed, Dismissed, Listed, Upstream
from kulanz.application.ports import AtTheGate, KeptRequest, Start
from kulanz.domain.budgets import Budget, BudgetStep, Counted, Draw, LimitSet, Needed, Regained, Reservation
from kulanz.domain.byhand.counts import Count, CountOf, CountStep
from kulanz.domain.byhand.discretion import ByHand
from kulanz.domain.byhand.goodwill import Goodwill, GoodwillState
from kulanz.domain.campaigns.campaign import CampaignId, Pass, State, StateChange
from kulanz.domain.campaigns.trouble import Trouble, TroubleKind
from kulanz.domain.decision import Decision, Outcome
from kulanz.domain.delivery.added import Added, Additions
from kulanz.domain.delivery.answer_pass import AnswerReceipt, AnswerTotals
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.credit import CreditSums
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt, DeliveryState
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.moved import MovedOf, Moves
from kulanz.domain.delivery.standing import CreditState, OfWhich, RejectedWith
from kulanz.domain.delivery.void import Void, VoidReceipt, VoidState, VoidTotals
from kulanz.domain.exports.export import Export, Part
from kulanz.domain.exports.figures import Figures, LineKey, Written
from kulanz.domain.gate.settings import Spent, SpentPlace
from kulanz.domain.gate.stated import Stated
from kulanz.domain.halt import Halt, HaltAction, Verb
from kulanz.domain.ledger.additions import Addition, AdditionKind
from kulanz.domain.ledger.entries import EntryWithFormer, EntryWithHistory, HistoryChange
from kulanz.domain.ledger.hand_decision import HandDecision, Way
from kulanz.domain.policy.deciding.history import Addition as HistoryAddition
from kulanz.domain.policy.deciding.history import HistoryKey, SubjectHistory
from tests.support.distinct import distinct
from tests.support.said_writes import Writes
from tests.support.values import CAUSE, NOW, approval, campaign, change, declared, entry, filed, receipt

T, C = "campaigns", "credits"
ID, OTHER = CampaignId("an-incident", 7), CampaignId("another", 8)
DAY = timedelta(days=1)
VOID = VoidId(ID, "wrong")
FIRST = DeliveryId("billing", 1)

MOVES = Moves(
    {
        MovedOf(ID, "EUR", "basic", "letters"): {CreditState.DUE: -19, CreditState.VOIDED: 23, OfWhich.ASKED_BACK: 29},
        MovedOf(OTHER, "EUR", "", "billing"): {RejectedWith("E-31"): 37, CreditState.SENT: 0},
    },
    {DueOf(ID, NOW, "EUR"): (43, 47), DueOf(OTHER, NOW + 40 * DAY, "GB"): (-53, Decimal("-5.9"))},
)
BEFORE_VOID = Void(VOID, "why", "sso:anna", "anna", NOW, changes=61, state=VoidState.AWAITING_APPROVAL)
RECEIPT = VoidReceipt(VOID, Pass.APPLY, 3, 100, 167, 71, True, VoidTotals(73, 79, 83), MOVES)
DELIVERY = Delivery(
    DeliveryId("billing", 12), ID, FileFormat.CSV, NOW, "sso:anna", DeliveryState.ASSIGNING, "why", rounds=5
)
DELIVERED = DeliveryReceipt(FIRST, 3, 100, 167, None, False, 73, None, CreditSums(), CreditSums(), MOVES.dues)
GOODWILL = Goodwill("g-1", "A-1", "EUR", 500, "code", "title", "sso:anna", NOW, version=11)
OF_ANNA = CountOf(ByHand.GOODWILL, "2026-03", "EUR", person="sso:anna")
OF_ACCOUNT = CountOf(ByHand.GOODWILL, "2026-03", "EUR", account="A-1")
COUNTS = (
    CountStep(Count(OF_ANNA, 100, 13), Count(OF_ANNA, 600, 14)),
    CountStep(Count(OF_ACCOUNT), Count(OF_ACCOUNT, 500, 1)),
    CountStep(Count(replace(OF_ACCOUNT, measure="GB"), 7, 17), Count(replace(OF_ACCOUNT, measure="GB"), 7, 17)),
)
GRANTED = replace(entry("A-1"), ttl=1_900_000_001)
DRAWS = (Draw("EUR", "2026-03", 500, str(ID)), Draw("CHF", "2026-04", 300))
GIVEN = replace(GOODWILL, state=GoodwillState.GIVEN, given_at=NOW, decided_by="sso:ben", version=12)
ASSIGNED = CreditEntry(EntryKind.ASSIGNED, NOW, "kulanz", "billing/1", (0,), delivery="billing/1", dues=(None,))
CHANGE = EntriesChange(GRANTED.key, (), (ASSIGNED,))
AGAIN = EntriesChange(GRANTED.key, (ASSIGNED,), (), "de")
OF_CREDIT = Moves(
    {MovedOf(GRANTED.key.campaign, "EUR", "", "billing"): {CreditState.REJECTED: -107, CreditState.DUE: 107}},
    {DueOf(GRANTED.key.campaign, NOW, "EUR"): (-1, -107)},
)
ADDED = Addition(AdditionKind.GOODWILL, GRANTED.key, NOW, "sso:anna", 0, "letters:csv")
BUDGET = Budget("EUR", "2026-03", limit=900, reserved=100, spent=50, voided=20, version=21)
RESERVED = Reservation(str(ID), "EUR", "2026-03", 60, 40, 100, version=23)
STEP = BudgetStep(
    ((BUDGET, replace(BUDGET, reserved=150, version=22)),),
    (
        (RESERVED, replace(RESERVED, granting=0, version=24)),
        (None, replace(RESERVED, currency="CHF", version=1)),
    ),
)
SETTING = LimitSet("set-1", "EUR", "2026-03", 900, "sso:anna", "why", NOW)
STATED = Stated("s-1", {"EUR": Needed(5, 6)}, "sso:anna", "why", NOW)
CONFIRMED = Confirmed("a-draft", 4, "digest", {"a": 1}, 2, "sso:anna", NOW)
DISMISSED = Dismissed("a-draft", 1, "digest", {"a": 1}, "why", "sso:anna", NOW)
OF = Upstream("status", "up-1")
HALT = Halt(version=31, number=2, set=HaltAction("h-1", Verb.SET, "sso:anna", "why", NOW))
LIFT = HaltAction("h-2", Verb.LIFT, "sso:ben", "why", NOW)
BEFORE = replace(campaign(ID), log_count=41, state=State.AWAITING_APPROVAL)
STARTED = StateChange(42, NOW, State.AWAITING_APPROVAL, State.APPLYING, "approved", CAUSE)
SPENT = (
    Spent(SpentPlace(month="2026-03"), 1, {"EUR": 5}),
    Spent(SpentPlace(incident_id=ID.incident_id), 6, {"EUR": 7}),
)
REGAINED = (Regained("EUR", "2026-03", 97),)
HEARD = AnswerReceipt("f-1", "billing", 3, 100, 167, 71, True, AnswerTotals(MOVES.moved, MOVES.dues, 73), "", REGAINED)
INCIDENT = replace(declared(), incident_id=ID.incident_id, version=51)
OFFERED = replace(GRANTED, status=Outcome.OFFERED, ttl=1_900_000_006)
ACCEPTED = replace(GRANTED, accepted_at=NOW + DAY, expires_at=NOW + 9 * DAY, ttl=1_900_000_007)
EXPORT = distinct(Export, campaign=ID, id="e-1", figures=Figures())
PART = distinct(Part, start=100, end=167, figures=Figures(CounterOf({LineKey("granted", "owed", Written.YES): 73})))
HAND = HandDecision(
    id="hand-1", at=NOW, person="sso:anna", way=Way.DECLINE, reason="code", title="a title", facts={},
    decision=Decision(Outcome.DECLINED, "too_short"), second="sso:ben", second_id="second-1",
)  # fmt: skip
PROPOSED = Proposal(GRANTED.key, HAND, "c" * 64, 1_900_000_008)
HELD = replace(GRANTED, status=Outcome.HELD)
DECIDED = replace(GRANTED, status=Outcome.DECLINED, by_hand=HAND, ttl=1_900_000_009)
PLANNED = replace(campaign(ID), log_count=81)
WAITING_REQUEST = KeptRequest(ID.incident_id, "digest", NOW, OTHER, "{}", "wrong")
LATER = SubjectHistory(71).with_addition("net-outage", HistoryAddition(datetime(2090, 1, 1, tzinfo=UTC), {"n": 1}), NOW)
KEPT = HistoryChange(HistoryKey("A-1", "a", "-"), SubjectHistory(), SubjectHistory(1))
"""A history of which nothing counts for longer than the decision is kept; of the next something does."""
CHANGED = HistoryChange(HistoryKey("A-0", "a", "-"), SubjectHistory(71), LATER)


def _ledger(client: Any) -> DynamoLedger:
    """A ledger whose transactions go to a client."""
    made = DynamoLedger(boto3.client("dynamodb"), C, calls_in_flight=1)
    made._client = client
    return made


WRITES: dict[str, Callable[[Any], object]] = {
    "a void is opened": (lambda one: DynamoVoids(one, T).open(BEFORE_VOID)),
    "a void's receipt": (lambda one: DynamoVoids(one, T).record(RECEIPT)),
    "a void starts": (
        lambda one: DynamoVoids(one, T).change(
            BEFORE_VOID, replace(BEFORE_VOID, state=VoidState.VOIDING, changes=62, started_at=NOW),
            (INCIDENT, replace(INCIDENT, version=52)), (Regained("EUR", "2026-03", 97),),
        )),
    "a void is closed": (lambda one: DynamoVoids(one, T).close(VOID)),
    "a void was sent": (lambda one: DynamoVoids(one, T).mark_dispatched(VOID, Pass.APPLY, 6)),
    "a void was looked at": (lambda one: DynamoVoids(one, T).note_seen(VOID, 66)),
    "a first delivery": (lambda one: DynamoDeliveries(one, T).open(replace(DELIVERY, id=FIRST))),
    "a delivery of additions": (
        lambda one: DynamoDeliveries(one, T).open(
            replace(DELIVERY, additions=Additions(101, 202, 3, {}, "letters:csv")), Added(3, {}, 101, "letters:csv")
        )),
    "a first delivery of additions": (
        lambda one: DynamoDeliveries(one, T).open(replace(DELIVERY, additions=Additions(0, 202, 3, {})), Added(3))),
    "a delivery's receipt": (lambda one: DynamoDeliveries(one, T).record(DELIVERED)),
    "a delivery is sent": (
        lambda one: DynamoDeliveries(one, T).change(
            DELIVERY, replace(DELIVERY, state=DeliveryState.SENT, sent_at=NOW))),
    "a delivery is flagged": (
        lambda one: DynamoDeliveries(one, T).change(
            replace(DELIVERY, rounds=0), replace(DELIVERY, state=DeliveryState.FLAGGED, reason="differs"))),
    "a round begins": (lambda one: DynamoDeliveries(one, T).begin_round(DELIVERY, replace(DELIVERY, rounds=6))),
    "a part is published": (lambda one: DynamoDeliveries(one, T).mark_published(DELIVERED, 5)),
    "goodwill waits": (lambda one: DynamoGoodwill(one, C, T).wait(GOODWILL, COUNTS, 1_900_000_002)),
    "goodwill is given at once": (
        lambda one: DynamoGoodwill(one, C, T).give(Giving(None, GIVEN, GRANTED, COUNTS, DRAWS))),
    "goodwill is given after it waited": (
        lambda one: DynamoGoodwill(one, C, T).give(Giving(GOODWILL, GIVEN, GRANTED, ()))),
    "a credit is acted on": (
        lambda one: DynamoCreditActions(one, C, T).write(CHANGE, "billing", OF_CREDIT, ADDED, 1_900_000_003)),
    "a credit is written off": (
        lambda one: DynamoCreditActions(one, C, T).write(AGAIN, "letters", OF_CREDIT, None, 1_900_000_003)),
    "credits are asked back": (
        lambda one: DynamoReversals(one, C, T).ask([
            Asking(CHANGE, replace(ADDED, at=NOW + DAY), 1_900_000_004), Asking(AGAIN, ADDED, 1_900_000_005),
        ])),
    "a budget is set": (lambda one: DynamoBudgets(one, T).set_limit(SETTING)),
    "a budget is removed": (lambda one: DynamoBudgets(one, T).set_limit(replace(SETTING, limit=None))),
    "it is noted how far a pass was counted": (
        lambda one: DynamoBudgets(one, T).note_counted(ID, None, Counted(5, {"EUR": Needed(6, 7)}))),
    "it is noted how much farther": (
        lambda one: DynamoBudgets(one, T).note_counted(ID, Counted(5, {}), Counted(9, {}))),
    "a reservation is settled": (lambda one: DynamoBudgets(one, T).write(ID, STEP, is_done=True)),
    "something is stated": (lambda one: DynamoBudgets(one, T).state(ID, None, STATED)),
    "it is settled as stated": (
        lambda one: DynamoBudgets(one, T).settle_as_stated(
            ID, BudgetStep(), STATED, replace(STATED, is_settled=True), is_done=True)),
    "a draft is confirmed again": (lambda one: DynamoDrafts(one, T).confirm(OF, "voice", CONFIRMED)),
    "a draft is dismissed": (lambda one: DynamoDrafts(one, T).dismiss(OF, "voice", DISMISSED)),
    "a draft is settled": (lambda one: DynamoDrafts(one, T).settle(Listed(OF, NOW, None), NOW + DAY, is_settled=True)),
    "the stack is halted first": (
        lambda one: DynamoCampaigns(one, T).change_halt(Halt(), replace(HALT, version=1), LIFT)),
    "the stack is halted": (lambda one: DynamoCampaigns(one, T).change_halt(HALT, replace(HALT, version=32), LIFT)),
    "an execution starts": (
        lambda one: DynamoCampaigns(one, T).change_state(
            BEFORE, STARTED, AtTheGate(start=Start(INCIDENT, SPENT, STEP)))),
    "a campaign's end is announced": (
        lambda one: DynamoCampaigns(one, T).mark_announced(replace(BEFORE, state=State.CLOSED), "figures")),
    "an offer is accepted": (
        lambda one: DynamoOffers(one, C, T).accept(OFFERED, ACCEPTED, INCIDENT, "sso:anna", None, DRAWS[:1])),
    "a part of an export is written": (lambda one: DynamoExports(one, T).record(EXPORT, PART)),
    "an export has failed": (lambda one: DynamoExports(one, T).fail(EXPORT, "the list is gone")),
    "a decision by hand is proposed": (lambda one: DynamoCases(one, C, T).propose(PROPOSED, None)),
    "another is proposed instead": (
        lambda one: DynamoCases(one, C, T).propose(PROPOSED, replace(PROPOSED, seen="d" * 64))),
    "a proposed decision is rejected": (
        lambda one: DynamoCases(one, C, T).reject(
            PROPOSED, Rejection(PROPOSED.hash, "sso:ben", "no-1", "too much"), NOW + DAY)),
    "a case is decided by hand": (lambda one: DynamoCases(one, C, T).decide(
        HandStep(HELD, DECIDED, INCIDENT, draws=DRAWS[:1], counts=COUNTS[:1], waiting=PROPOSED))),
    "a decision with a history": (
        lambda one: _ledger(one).insert_with_history([EntryWithHistory(GRANTED, KEPT)])),
    "a decision of an account that has changed its id": (
        lambda one: _ledger(one).insert_with_former([
            EntryWithFormer(GRANTED, (replace(entry("A-0"), ttl=1_900_000_010),), (KEPT, CHANGED))])),
    "a plan is filed": (
        lambda one: DynamoCampaigns(one, T).change_state(
            PLANNED, change(PLANNED, State.AWAITING_APPROVAL), AtTheGate(plan=filed(PLANNED)))),
    "one person alone approves": (
        lambda one: DynamoCampaigns(one, T).change_state(
            BEFORE, STARTED, AtTheGate(
                start=Start(INCIDENT), action=approval(filed(PLANNED), "ben"),
                trouble=Trouble(TroubleKind.GLASS_BROKEN, str(ID), NOW, NOW)))),
    "a request is kept": (lambda one: DynamoCampaigns(one, T).keep_request(WAITING_REQUEST)),
    "a request is forgotten": (lambda one: DynamoCampaigns(one, T).forget_request(WAITING_REQUEST)),
    "a chunk's receipt": (lambda one: DynamoCampaigns(one, T).record_receipt(receipt(50, 450))),
    "answers are heard": (lambda one: DynamoAnswers(one, T).record(HEARD)),
}  # fmt: skip


def expected() -> dict[str, list[str]]:
    """What the file beside this one has: a name, and below it the lines of one call of a store."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in Path(__file__).with_suffix(".txt").read_text().splitlines():
        if line.startswith(" "):
            lines.append(line.strip())
        elif line:
            lines = found[line.removesuffix(":")] = []
    return found


EXPECTED = expected()


@pytest.mark.parametrize("name", WRITES)
def test_a_write_stands_on_what_was_read(name: str) -> None:
    client = Writes()
    WRITES[name](client)
    assert client.said == EXPECTED[name]


def test_every_write_of_the_file_is_tried() -> None:
    assert EXPECTED.keys() == WRITES.keys()
