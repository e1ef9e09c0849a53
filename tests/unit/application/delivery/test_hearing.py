"""Lines of an answer file find their delivery."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kulanz.application.delivery import hear_answers
from kulanz.application.delivery.hear_answers import ANSWERS_READ_TOGETHER, Sheet, _Line, hear_chunk
from kulanz.application.delivery.open_answers import OpenAnswersPorts, open_answers
from kulanz.application.delivery.reject_codes import KnownCodes
from kulanz.application.delivery.world import Booked, EntriesChange
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.delivery.answer_pass import CAMPAIGNS_PER_RECEIPT, AnswerReceipt
from kulanz.domain.delivery.answers import AnswerResult, BillerAnswer
from kulanz.domain.delivery.channel import ChannelKind, FileFormat
from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.entries import CreditEntries, EntryKind
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.delivery.moved import Moved
from kulanz.domain.delivery.standing import CODES_MOST, CreditState
from kulanz.domain.gate.settings import SAFE
from kulanz.domain.ledger.entries import DecisionKey
from tests.support.billed import Clock
from tests.support.fake_answers import FakeAnswerQueue, FakeAnswers, FakeCodes
from tests.support.fake_bucket import FakeArchive, FakeLists
from tests.unit.domain.delivery.test_answers import ASSIGNED, KEY, good, hearing

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LINES = 50


@pytest.mark.parametrize("state", [None, *DeliveryState])
def test_a_delivery_is_looked_for_once_however_many_lines_name_it(state: DeliveryState | None) -> None:
    asked: list[DeliveryId] = []

    def delivery(named: DeliveryId) -> Delivery | None:
        asked.append(named)
        if state is None:
            return None
        return Delivery(named, CampaignId("i", 1), FileFormat.CSV, NOW, "delivery", state)

    ports: Any = SimpleNamespace(files=FakeAnswers({}), deliveries=SimpleNamespace(delivery=delivery))
    sheet = Sheet("billing", ports, "file")
    lines = [
        _Line(number, number + 1, BillerAnswer(7, "0" * 32, f"a-{number}", "-", EntryKind.ACCEPTED))
        for number in range(LINES)
    ]
    for line in lines:
        sheet.find(line)

    assert asked == [DeliveryId("billing", 7)]
    results = {None if line.heard is None else line.heard.result for line in lines}
    assert results == {None if state is DeliveryState.SENT else AnswerResult.BEFORE_DELIVERY}


@pytest.mark.parametrize(
    ("state", "rounds", "is_heard"),
    [
        (DeliveryState.ASSIGNING, 0, False),
        (DeliveryState.PUBLISHING, 1, True),
        (DeliveryState.SENT, 1, True),
        (DeliveryState.FLAGGED, 1, True),
        (DeliveryState.FLAGGED, 0, False),
    ],
)
def test_what_billing_may_have_from_the_topic_can_be_answered_before_all_of_it_is_sent(
    state: DeliveryState, rounds: int, is_heard: bool
) -> None:
    def delivery(named: DeliveryId) -> Delivery:
        return Delivery(
            named, CampaignId("i", 1), FileFormat.JSONL, NOW, "delivery", state, kind=ChannelKind.TOPIC, rounds=rounds
        )

    sheet = Sheet(
        "billing",
        cast("Any", SimpleNamespace(files=FakeAnswers({}), deliveries=SimpleNamespace(delivery=delivery))),
        "file",
    )
    line = _Line(0, 1, BillerAnswer(7, "0" * 32, "a-1", "-", EntryKind.ACCEPTED))
    sheet.find(line)
    assert (line.heard is None) is is_heard


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_an_answer_whose_entry_was_not_written_is_heard_again(lost: int) -> None:
    """Somebody else changed the decision's entries: what they are by then is read anew."""
    told = good()
    entries: CreditEntries = (ASSIGNED,)
    tries: list[CreditEntries] = []

    def write(changes: list[EntriesChange]) -> list[bool]:
        nonlocal entries
        (change,) = changes
        tries.append(change.after)
        if len(tries) <= lost:
            return [False]
        entries = change.after
        return [True]

    sent = Delivery(DeliveryId("billing", 1), KEY.campaign, FileFormat.CSV, NOW, "delivery", DeliveryState.SENT)
    credits_ = SimpleNamespace(booked=lambda _: {KEY: Booked(hearing().decision, entries)}, write_entries=write)
    ports: Any = SimpleNamespace(
        files=FakeAnswers({}), deliveries=SimpleNamespace(delivery=lambda _: sent), credits=credits_
    )
    sheet, line = Sheet("billing", ports, "file"), _Line(0, 1, told)
    sheet.find(line)
    sheet.hear([line], cast("Any", SimpleNamespace(now=lambda: NOW)))
    assert line.heard is not None
    assert line.heard.result is AnswerResult.ACCEPTED
    assert len(tries) == lost + 1
    assert [one.kind for one in entries] == [EntryKind.ASSIGNED, EntryKind.ACCEPTED]


def receipts_of(campaigns: int, lines: int, problems: int = 0) -> list[AnswerReceipt]:
    """The receipts of a file that accepts so many credits of each campaign, after lines that name no delivery."""
    decision, known, rows = hearing().decision, dict[DecisionKey, Booked](), ["serial,credit_id,account_id,answer"]
    rows += [f"{campaigns + 1},{0:032x},nobody-{number},accepted" for number in range(problems)]
    for seq in range(1, campaigns + 1):
        assigned = replace(ASSIGNED, delivery=f"billing/{seq}", id=f"billing/{seq}")
        for number in range(lines):
            key = DecisionKey(f"a-{number}", KEY.incident_id, KEY.subject, seq)
            known[key] = Booked(replace(decision, key=key), (assigned,))
            rows.append(f"{seq},{credit_id(key, 0, 1)},{key.account_id},accepted")
    lists, files, queue = FakeLists("bucket"), FakeAnswers({}), FakeAnswerQueue()
    version = lists.upload("acknowledgements/all.csv", "\n".join([*rows, ""]).encode())
    opening: Any = OpenAnswersPorts(lists, files, queue)
    file = open_answers(
        "billing", lists.pin("bucket", "acknowledgements/all.csv", version), opening, 1 << 20, "finance", NOW
    )
    credits_ = SimpleNamespace(
        booked=lambda keys: {key: known[key] for key in keys}, write_entries=lambda changes: [True for _ in changes]
    )

    def delivery(of: DeliveryId) -> Delivery | None:
        campaign_id = CampaignId(KEY.incident_id, of.serial)
        sent = Delivery(of, campaign_id, FileFormat.CSV, NOW, "delivery", DeliveryState.SENT)
        return sent if of.serial <= campaigns else None

    ports: Any = SimpleNamespace(
        lists=lists, archive=FakeArchive(), deliveries=SimpleNamespace(delivery=delivery), credits=credits_,
        files=files, campaigns=None, troubles=None, gate=SAFE,
    )  # fmt: skip
    assert hear_chunk("billing", file.id, 0, ports, Clock(NOW))
    return list(files.receipts(file))


@pytest.mark.parametrize(
    "campaigns", [1, CAMPAIGNS_PER_RECEIPT, CAMPAIGNS_PER_RECEIPT + 1, 3 * CAMPAIGNS_PER_RECEIPT - 1]
)
@pytest.mark.parametrize("lines", [1, ANSWERS_READ_TOGETHER + 3])
def test_no_receipt_is_of_more_campaigns_than_fit_into_its_step(campaigns: int, lines: int) -> None:
    """Whatever a file is about: the lines of some campaigns in a row, as often as a page takes and more."""
    receipts = receipts_of(campaigns, lines)
    assert sum(one.totals.counts[AnswerResult.ACCEPTED, ""] for one in receipts) == campaigns * lines
    assert max(len(one.totals.campaigns) for one in receipts) == min(campaigns, CAMPAIGNS_PER_RECEIPT)
    assert len(set().union(*(one.totals.campaigns for one in receipts))) == campaigns


@pytest.mark.parametrize("problems", [0, 2 * ANSWERS_READ_TOGETHER])
def test_a_receipt_ends_where_it_has_as_many_lines_as_it_may(problems: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the problems of its lines fit in memory, and a worker that dies repeats little."""
    most = 2 * ANSWERS_READ_TOGETHER
    monkeypatch.setattr(hear_answers, "LINES_PER_RECEIPT", most)
    receipts = receipts_of(1, 2 * most + 7, problems)
    assert [one.totals.lines for one in receipts] == [most] * (problems // most) + [most, most, 7]
    assert [one.start for one in receipts[1:]] == [one.end for one in receipts[:-1]]


def test_a_code_is_known_before_a_credit_is_written_that_is_rejected_with_it() -> None:
    """Whoever takes the credit out again finds the counter that it was put into, also where the worker died."""
    told = good(answer="rejected", code="frozen")
    files, known = FakeAnswers({}), list[frozenset[str]]()

    def write(changes: list[EntriesChange]) -> list[bool]:
        known.append(files.codes(KEY.campaign, "billing"))
        return [True for _ in changes]

    sent = Delivery(DeliveryId("billing", 1), KEY.campaign, FileFormat.CSV, NOW, "delivery", DeliveryState.SENT)
    credits_ = SimpleNamespace(booked=lambda _: {KEY: Booked(hearing().decision, (ASSIGNED,))}, write_entries=write)
    ports: Any = SimpleNamespace(files=files, deliveries=SimpleNamespace(delivery=lambda _: sent), credits=credits_)
    sheet, line = Sheet("billing", ports, "file"), _Line(0, 1, told)
    sheet.find(line)
    sheet.hear([line], cast("Any", SimpleNamespace(now=lambda: NOW)))
    assert known == [{"frozen"}]


class Counting(FakeCodes):
    """The codes, and how often somebody asked for them."""

    asked = 0

    def codes(self, campaign_id: CampaignId, channel: str, new: Collection[str] = ()) -> frozenset[str]:
        self.asked += 1
        return super().codes(campaign_id, channel, new)


def moved(state: CreditState, code: str) -> Moved:
    return Moved("USD", "", {state: 500, CreditState.ASSIGNED: -500}, None, 0, 0, "billing", code)


def test_a_worker_finds_the_codes_that_others_made_known_and_asks_no_more_than_it_must() -> None:
    store = Counting()
    mine, others = KnownCodes(store), KnownCodes(store)
    assert mine.counting(KEY.campaign, moved(CreditState.ACCEPTED, "")) == ()
    assert store.asked == 0, "nothing is rejected"
    mine.note(KEY.campaign, "billing", {"a"})
    mine.note(KEY.campaign, "billing", {"a"})
    assert (store.asked, mine.counting(KEY.campaign, moved(CreditState.REJECTED, "a"))) == (1, {"a"})
    others.note(KEY.campaign, "billing", {"b"})
    assert mine.counting(KEY.campaign, moved(CreditState.REJECTED, "b")) == {"a", "b"}
    others.note(KEY.campaign, "billing", {f"c{number}" for number in range(CODES_MOST)})
    full = mine.counting(KEY.campaign, moved(CreditState.REJECTED, "c1"))
    assert (len(full), "c1" in full) == (CODES_MOST, True)
    asked = store.asked
    assert mine.counting(KEY.campaign, moved(CreditState.REJECTED, "never")) == full
    mine.note(KEY.campaign, "billing", {"never"})
    assert store.asked == asked, "nothing is added to what is full"
