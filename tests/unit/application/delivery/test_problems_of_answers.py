"""What is filed of an answer file's lines, and by which instant, file and campaign its answers count."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from kulanz.application.delivery import hear_answers as module
from kulanz.application.delivery.hear_answers import Sheet, _Line, hear_chunk, problems_folder, problems_key
from kulanz.application.delivery.open_answers import OpenAnswersPorts, file_id, open_answers
from kulanz.application.delivery.world import Booked, EntriesChange
from kulanz.domain.campaigns.campaign import CampaignId, PinnedList
from kulanz.domain.delivery.channel import FileFormat
from kulanz.domain.delivery.credit import credit_id
from kulanz.domain.delivery.delivery import Delivery, DeliveryState
from kulanz.domain.delivery.entries import EntryKind
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.gate.settings import GateSettings
from kulanz.domain.ledger.entries import DecisionKey
from kulanz.domain.lists.lines import ListRefused
from tests.support.billed import Clock
from tests.support.fake_answers import FakeAnswerQueue, FakeAnswers
from tests.support.fake_bucket import FakeArchive, FakeLists
from tests.unit.domain.delivery.test_answers import ASSIGNED, KEY, good, hearing

OPENED_AT = datetime(2026, 3, 31, 21, 30, tzinfo=UTC)
HEARD_AT = datetime(2026, 3, 31, 22, 30, tzinfo=UTC)
"""An hour later, and in Berlin the next month."""
HEADER = b"serial,credit_id,account_id,answer,amount\n"
LINES = (
    b"7,%032d,A-1,perhaps,\n" % 1,  # no such answer
    b"7,%032d,A-2,accepted,\n" % 2,  # no such delivery
    b"x,%032d,,accepted,\n" % 3,  # two fields are wrong
)


def opened(content: bytes = HEADER + b"".join(LINES), key: str = "acknowledgements/a.csv") -> Any:
    """A file that is opened, its stores, and what waits."""
    lists, files, queue = FakeLists("bucket"), FakeAnswers({}), FakeAnswerQueue()
    pinned = lists.pin("bucket", key, lists.upload(key, content))
    ports = OpenAnswersPorts(lists, files, queue)
    file = open_answers("letters", pinned, ports, 1 << 20, "sso:finance", OPENED_AT)
    return SimpleNamespace(lists=lists, files=files, queue=queue, file=file, pinned=pinned)


def test_an_opened_file_says_who_opened_it_when_and_for_which_channel() -> None:
    found = opened()
    file = found.file
    assert (file.channel, file.opened_by, file.opened_at, file.pinned) == (
        "letters", "sso:finance", OPENED_AT, found.pinned,
    )  # fmt: skip
    assert (file.chunks.data_start, file.chunks.size) == (len(HEADER), len(HEADER) + sum(map(len, LINES)))
    (message,) = found.queue.messages
    assert (message.channel, message.file, message.chunk) == ("letters", file.id, 0)


def test_a_file_is_known_by_its_object_and_its_version() -> None:
    plain = PinnedList("bucket", "acknowledgements/a.csv", "v-1", "e", 9)
    others = [replace(plain, version_id="v-2"), replace(plain, key="acknowledgements/b.csv")]
    assert len({file_id(one) for one in (plain, *others)}) == 3
    assert file_id(replace(plain, etag="other", size=10)) == file_id(plain)


def test_each_line_that_needs_a_person_is_filed_by_its_own_offset_result_field_and_reason() -> None:
    found, archive, months = opened(), FakeArchive(), list[str]()
    files = found.files
    record = files.record

    def recorded(receipt: Any) -> Any:
        months.extend(one.month for one in receipt.regained)
        return record(receipt)

    files.record = recorded
    ports: Any = SimpleNamespace(
        lists=found.lists, archive=archive, deliveries=SimpleNamespace(delivery=lambda _: None), credits=None,
        files=files, campaigns=None, troubles=None, gate=GateSettings(),
    )  # fmt: skip
    assert hear_chunk("letters", found.file.id, 0, ports, Clock(HEARD_AT))
    (receipt,) = files.receipts(found.file)
    content = archive.documents[receipt.problems]
    told = [json.loads(one) for one in content.splitlines()]
    starts = [len(HEADER) + sum(map(len, LINES[:number])) for number in range(3)]
    placed = [(one["offset"], one["result"], one.get("field", "")) for one in told]
    assert sorted(placed) == [
        (starts[0], "rejected_line", "answer"),
        (starts[1], "before_delivery", ""),
        (starts[2], "rejected_line", "account_id"),
        (starts[2], "rejected_line", "serial"),
    ]
    expected = {one["field"]: one["expected"] for one in told if "field" in one}
    assert len(set(expected.values())) == 3
    assert "accepted" in expected["answer"]
    assert all(one["reason"] and one["reason"] != one.get("expected") for one in told)
    assert receipt.problems == problems_key(found.file, receipt, content)
    assert receipt.problems.startswith(f"{problems_folder(found.file)}/{receipt.start:014d}-{receipt.end:014d}-")
    assert problems_key(found.file, receipt, content + b"x") != receipt.problems, "another content is another document"
    assert problems_folder(found.file) == f"answers/letters/{found.file.id}/problems"


def test_what_is_gained_back_counts_in_the_month_in_which_the_answer_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    found, months = opened(), list[str]()

    def regained(_: object, month: str) -> tuple[()]:
        months.append(month)
        return ()

    monkeypatch.setattr(module, "regained_by", regained)
    ports: Any = SimpleNamespace(
        lists=found.lists, archive=FakeArchive(), deliveries=SimpleNamespace(delivery=lambda _: None), credits=None,
        files=found.files, campaigns=None, troubles=None, gate=GateSettings(budget_zone="Europe/Berlin"),
    )  # fmt: skip
    assert hear_chunk("letters", found.file.id, 0, ports, Clock(HEARD_AT))
    assert months == ["2026-04"]


def test_answers_of_one_page_are_written_by_the_file_and_the_instant_that_heard_them_with_every_code() -> None:
    """Two credits of one campaign are rejected with a code each, and one of another campaign with a third."""
    keys = [DecisionKey(f"a-{number}", KEY.incident_id, KEY.subject, seq) for number, seq in ((1, 1), (2, 1), (3, 2))]
    decided = {key: Booked(replace(hearing().decision, key=key), (assigned(key),)) for key in keys}
    files, written = FakeAnswers({}), list[EntriesChange]()

    def write(changes: list[EntriesChange]) -> list[bool]:
        written.extend(changes)
        return [True for _ in changes]

    def delivery(of: DeliveryId) -> Delivery:
        campaign_id = CampaignId(KEY.incident_id, of.serial)
        return Delivery(of, campaign_id, FileFormat.CSV, OPENED_AT, "delivery", DeliveryState.SENT)

    credits_ = SimpleNamespace(booked=lambda asked: {key: decided[key] for key in asked}, write_entries=write)
    ports: Any = SimpleNamespace(files=files, deliveries=SimpleNamespace(delivery=delivery), credits=credits_)
    sheet = Sheet("billing", ports, "the-file")
    told = [
        good(
            serial=str(key.seq), account_id=key.account_id, credit_id=credit_id(key, 0, 1), answer="rejected",
            code=f"code-{number}",
        )
        for number, key in enumerate(keys)
    ]  # fmt: skip
    lines = [_Line(number, number + 1, one) for number, one in enumerate(told)]
    for line in lines:
        sheet.find(line)
    sheet.hear(lines, Clock(HEARD_AT))
    said = [change.after[-1] for change in written]
    assert [(one.kind, one.code, one.by, one.at) for one in said] == [
        (EntryKind.REJECTED, f"code-{number}", "the-file", HEARD_AT) for number in range(3)
    ]
    assert files.codes(CampaignId(KEY.incident_id, 1), "billing") == {"code-0", "code-1"}
    assert files.codes(CampaignId(KEY.incident_id, 2), "billing") == {"code-2"}


def assigned(key: DecisionKey) -> Any:
    """The delivery of a campaign's number has its credit."""
    name = f"billing/{key.seq}"
    return replace(ASSIGNED, at=OPENED_AT - timedelta(days=1), delivery=name, id=name)


RECORD = {"account_id": "A-1", "serial": 1, "credit_id": "c", "answer": "accepted"}


@pytest.mark.parametrize("ends", [b"", b"\n", b"\n" + json.dumps(RECORD).encode()])
@pytest.mark.parametrize("name", ["amuont", "amount"])
def test_a_field_that_is_nearly_named_is_refused_also_in_a_file_of_one_line(name: str, ends: bytes) -> None:
    content = json.dumps({**RECORD, name: 5}).encode() + ends
    if name == "amount":
        assert opened(content, "acknowledgements/a.jsonl").file.chunks
        return
    with pytest.raises(ListRefused) as refused:
        opened(content, "acknowledgements/a.jsonl")
    assert refused.value.reason == "column_nearly_named"
    assert "'amuont'" in str(refused.value)
    assert "'amount'" in str(refused.value)


@pytest.mark.parametrize("ends", ["csv", "jsonl"])
def test_an_empty_file_is_refused_and_never_read(ends: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store has no range of an object without a byte."""

    def read(*_: object) -> Any:
        raise AssertionError("there is nothing to read")

    monkeypatch.setattr(FakeLists, "read", read)
    with pytest.raises(ListRefused) as refused:
        opened(b"", f"acknowledgements/a.{ends}")
    assert refused.value.reason
