"""What is stored reads back as it was, and what receipts add to a record is each figure under its own name.

No two fields of a value are alike, so that none can be taken for another.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kulanz.adapters import (
    answer_items,
    delivery_items,
    drafts_table,
    export_table,
    gate_items,
    goodwill_items,
    source_deliveries,
    void_table,
)
from kulanz.adapters import halt_items as halts
from kulanz.adapters import index_items as index
from kulanz.adapters.moved_items import moves_content, moves_of_content
from kulanz.application.drafts.draft_ports import Delivery as Received
from kulanz.domain.audit import AuditEntry
from kulanz.domain.byhand.goodwill import Goodwill
from kulanz.domain.campaigns.campaign import CampaignId, Chunks, Pass, PinnedList
from kulanz.domain.campaigns.trouble import Trouble
from kulanz.domain.delivery.added import Additions
from kulanz.domain.delivery.answer_pass import AnswerFile, AnswerReceipt, AnswerTotals
from kulanz.domain.delivery.answers import AnswerResult
from kulanz.domain.delivery.credit import CreditSums, CreditType, SumOf
from kulanz.domain.delivery.delivery import Delivery, DeliveryReceipt
from kulanz.domain.delivery.dues import DueOf
from kulanz.domain.delivery.files import PartFile
from kulanz.domain.delivery.ids import DeliveryId, VoidId
from kulanz.domain.delivery.moved import MovedOf, Moves
from kulanz.domain.delivery.standing import CreditState, OfWhich, RejectedWith
from kulanz.domain.delivery.void import Share, Void, VoidProgress, VoidReceipt, VoidTotals
from kulanz.domain.drafts.following import Followed
from kulanz.domain.exports.export import Export, Part
from kulanz.domain.exports.figures import Figures, LineKey, SumKey, Written
from kulanz.domain.gate.approval import Approval, Rejection
from kulanz.domain.gate.settings import Spent, SpentPlace
from kulanz.domain.halt import Halt
from kulanz.domain.ledger.additions import Addition
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.lists.header import ListFormat, ListLayout
from tests.support.distinct import distinct
from tests.support.values import NOW

ID = CampaignId("an-incident", 7)
OTHER = CampaignId("another", 8)
LAYOUT = ListLayout(ListFormat.JSONL, ("account_id", "größe"), 41)
SUMS, ELSEWHERE, AGAIN = (
    CreditSums(
        {SumOf(CreditType.CREDIT, "EUR", is_money=True): (n, n + 100), SumOf(kind, "GB", is_money=False): (n + 1, n)}
    )
    for n, kind in ((11, CreditType.CREDIT), (13, CreditType.REVERSAL), (17, CreditType.CREDIT))
)
MOVES = Moves(
    {
        MovedOf(ID, "EUR", "basic", "letters:csv"): {
            CreditState.DUE: -19,
            CreditState.VOIDED: 23,
            OfWhich.ASKED_BACK: 29,
        },
        MovedOf(OTHER, "EUR", "", "billing"): {RejectedWith("E-31"): 37, RejectedWith(""): 41},
    },
    {DueOf(ID, NOW, "EUR"): (43, 47), DueOf(OTHER, NOW, "GB"): (53, 59)},
)
VOIDED = VoidTotals(
    61,
    67,
    71,
    {(Share.VOIDABLE, "EUR"): 73, (Share.VOIDED, "GB"): 79},
    {("billing", "EUR"): (83, 89), ("letters:csv", "GB"): (97, 101)},
    103,
)
VOID = VoidId(ID, "a-void")
RECEIVED = DeliveryId("billing", 12)
FIGURES = Figures(
    Counter(
        {LineKey("granted", "owed", Written.YES): 107, LineKey("not_granted", "too_short", Written.UNCOUNTED): 109}
    ),
    {SumKey("granted", "EUR"): 113, SumKey("open", "data|unlimited"): 127},
)
EXPORT = distinct(Export, campaign=ID, figures=FIGURES)
PINNED = distinct(PinnedList, size=10_007)
ANSWERS = distinct(
    AnswerFile,
    pinned=PINNED,
    layout=LAYOUT,
    chunks=Chunks(LAYOUT.data_start, PINNED.size, 512),
    bytes_done=0,
    seen=-1,
    totals=AnswerTotals(),
)
NEW_VOID = distinct(Void, id=VOID, pinned=PINNED, seen=-1, started_at=None, plan=VoidProgress(), apply=VoidProgress())
NEW_DELIVERY = distinct(
    Delivery,
    id=RECEIVED,
    campaign=ID,
    additions=Additions(131, 137, 139, {"EUR": 149, "GB": 151}, "letters:csv"),
    sums=CreditSums(),
    elsewhere=CreditSums(),
    again=CreditSums(),
    sent_at=None,
    seen=-1,
    **dict.fromkeys(("bytes_done", "lines", "parts", "dispatched", "rounds", "published"), 0),
)
SPENT = distinct(Spent, place=SpentPlace(month="2026-03"), sums={"EUR": 157, "GB": 163})


def _void_receipt(work: Pass, **given: Any) -> VoidReceipt:
    return distinct(VoidReceipt, void=VOID, work=work, totals=VOIDED, moves=MOVES, **given)


def _delivery_receipt(**given: Any) -> DeliveryReceipt:
    sums = {"sums": SUMS, "elsewhere": ELSEWHERE, "again": AGAIN}
    return distinct(DeliveryReceipt, delivery=RECEIVED, dues=MOVES.dues, published=0, **(sums | given))


def _answer_receipt(**given: Any) -> AnswerReceipt:
    file = {"file": ANSWERS.id, "channel": ANSWERS.channel, "regained": ()}
    counted = Counter({(one, f"code|{number}"): number for number, one in enumerate(AnswerResult, 167)})
    return distinct(AnswerReceipt, totals=AnswerTotals(MOVES.moved, MOVES.dues, 211, counted), **(file | given))


STORED: dict[str, tuple[Any, Callable[[Any], Any]]] = {
    "goodwill": (
        distinct(Goodwill), lambda one: goodwill_items.read_goodwill(goodwill_items.goodwill_item(one, 5))
    ),
    "a void": (NEW_VOID, lambda one: void_table._read_void(void_table._void_item(one))),
    "a void of all": (
        replace(NEW_VOID, pinned=None, data_start=0, ends=None, is_of_overpaid=False, asks_biller=False, approvals=()),
        lambda one: void_table._read_void(void_table._void_item(one)),
    ),
    **{
        f"a receipt of a void's {work}": (
            _void_receipt(work, **given),
            lambda one: void_table._read_receipt(VOID, one.work, void_table._receipt_item(one)),
        )
        for work, given in ((Pass.PLAN, {}), (Pass.APPLY, {"moved_from": None, "finishes_chunk": False}))
    },
    "a delivery": (NEW_DELIVERY, lambda one: delivery_items.read_delivery(delivery_items.delivery_item(one))),
    "a delivery over a list": (
        replace(NEW_DELIVERY, additions=None),
        lambda one: delivery_items.read_delivery(delivery_items.delivery_item(one)),
    ),
    **{
        f"a receipt of a delivery {number}": (
            _delivery_receipt(**given),
            lambda one: delivery_items.read_delivery_receipt(RECEIVED, delivery_items.delivery_receipt_item(one)),
        )
        for number, given in enumerate(({}, {"part": None, "moved_from": None, "again": CreditSums()}))
    },
    "an answer file": (
        ANSWERS, lambda one: answer_items.read_file(one.channel, one.id, answer_items.file_item(one))
    ),
    "a receipt of answers": (
        _answer_receipt(),
        lambda one: answer_items.read_receipt(one.channel, one.file, answer_items.receipt_item(one)),
    ),
    "what was moved": (MOVES, lambda one: moves_of_content(moves_content(one))),
    "a part of an export": (
        distinct(Part, figures=FIGURES), lambda one: export_table._read_part(export_table._part_item(EXPORT, one))
    ),
    "a halt": (distinct(Halt), lambda one: halts.read_halt(halts.halt_item(one))),
    "an approval": (distinct(Approval), lambda one: gate_items.read_action(gate_items.action_item(ID, one))),
    "a rejection": (distinct(Rejection), lambda one: gate_items.read_action(gate_items.action_item(ID, one))),
    "what was spent": (SPENT, lambda one: gate_items.read_spent(one.place, gate_items.spent_item(one))),
    "a trouble": (distinct(Trouble), lambda one: index.read_trouble(index.trouble_item(one))),
    "an entry of the log": (distinct(AuditEntry), lambda one: index.read_audit(index.audit_items(one)[0])),
    **{
        f"an addition {number}": (one, lambda one: index.read_addition(index.addition_item(one)))
        for number, one in enumerate((
            distinct(Addition, key=distinct(DecisionKey)),
            distinct(Addition, key=distinct(DecisionKey), benefit=None, channel=""),
        ))
    },
    "what was said of a draft": (
        distinct(Followed), lambda one: drafts_table._read_followed(drafts_table._followed_item(one))
    ),
    "a source's delivery": (
        distinct(Received),
        lambda one: source_deliveries.read_message(source_deliveries.delivery_text(one)),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("one", "read_back"), STORED.values(), ids=STORED.keys())
def test_what_is_stored_reads_back_as_it_was(one: Any, read_back: Callable[[Any], Any]) -> None:
    assert read_back(one) == one


def _added(item: dict[str, Any], *additions: dict[str, Any]) -> dict[str, Any]:
    """An item to which numbers were added, as DynamoDB does it."""
    total: Counter[str] = Counter()
    for one in additions:
        total.update(one)
    return item | {name: {"N": str(number)} for name, number in total.items()}


def test_a_voids_record_has_of_each_pass_what_its_receipts_add_up_to() -> None:
    plan, apply = _void_receipt(Pass.PLAN), _void_receipt(Pass.APPLY, start=1_000, end=1_500)
    item = _added(void_table._void_item(NEW_VOID), *map(void_table._additions, (plan, apply, apply)))
    found = void_table._read_void(item | {"plan_sent": {"N": "3"}, "apply_sent": {"N": "5"}, "seen": {"N": "7"}})
    assert found.seen == 7
    assert found.plan == VoidProgress(plan.end - plan.start, 3, VOIDED)
    twice = VoidTotals(
        VOIDED.lines * 2,
        VOIDED.unmatched * 2,
        VOIDED.decisions * 2,
        {place: size * 2 for place, size in VOIDED.sums.items()},
        {place: (number * 2, size * 2) for place, (number, size) in VOIDED.asked.items()},
        VOIDED.notices * 2,
    )
    assert found.apply == VoidProgress(1_000, 5, twice)


def test_a_deliverys_record_has_what_its_receipts_add_up_to_each_sum_under_its_own_name() -> None:
    first = _delivery_receipt(part=distinct(PartFile), start=10, end=110, lines=3)
    second = _delivery_receipt(part=None, start=110, end=113, lines=5, elsewhere=CreditSums(), again=CreditSums())
    item = _added(delivery_items.delivery_item(NEW_DELIVERY), *map(delivery_items.delivery_additions, (first, second)))
    marked = {name: {"N": str(number)} for number, name in enumerate(("dispatched", "seen", "rounds", "published"), 2)}
    found = delivery_items.read_delivery(item | marked | {"sent_at": {"S": "2026-03-04T05:06:07Z"}})
    assert (found.bytes_done, found.lines, found.parts) == (103, 8, 1)
    assert (found.dispatched, found.seen, found.rounds, found.published) == (2, 3, 4, 5)
    assert found.sent_at is not None
    assert found.sums == CreditSums({of: (number * 2, size * 2) for of, (number, size) in SUMS.found.items()})
    assert (found.elsewhere, found.again) == (ELSEWHERE, AGAIN)


def test_an_answer_files_record_has_what_its_receipts_add_up_to() -> None:
    receipts = _answer_receipt(start=10, end=20), _answer_receipt(start=20, end=23)
    item = _added(answer_items.file_item(ANSWERS), *map(answer_items.file_additions, receipts))
    found = answer_items.read_file(ANSWERS.channel, ANSWERS.id, item | {"seen": {"N": "9"}})
    totals = receipts[0].totals
    counts = Counter({place: number * 2 for place, number in totals.counts.items()})
    assert (found.bytes_done, found.seen) == (13, 9)
    assert found.totals == AnswerTotals(lines=totals.lines * 2, counts=counts)
