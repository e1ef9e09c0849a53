"""From a closed campaign to the bill and back, as finance does it: through the API, with a biller that is not ours."""

import io
import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from rich.console import Console

from kulanz.application.delivery.hear_answers import AnswerPorts, hear_chunk
from kulanz.application.delivery.world import EntriesChange
from kulanz.application.door import acknowledgements
from kulanz.application.ledger import committed
from kulanz.domain.delivery.channel import Channel
from kulanz.domain.delivery.entries import CreditEntry, EntryKind
from kulanz_cli.answers import show_answer
from kulanz_cli.month import html_of, late_csv
from kulanz_console.drawing.ways import differences_of, totals_of
from kulanz_console.month_table import csv_of
from kulanz_console.still_open import StillOpen
from tests.fake_biller.biller import Biller, Faults
from tests.support.billed import Clock
from tests.support.small_campaign import CAMPAIGN, event, list_of, row, small_world
from tests.support.world_door import ANNA, WorldDoor

if TYPE_CHECKING:
    from kulanz.application.door.accounts import AskAnswer

MONTH, MONEY = "2026-03", "EUR"


class Bills:
    """A campaign that is delivered, the door, and the biller."""

    def __init__(self, biller: Biller) -> None:
        lines = [row("a-1"), row("a-2"), row("a-3")]
        self.world = small_world(list_of(lines), channel=Channel("billing"))
        self.world.publish(event(rows=len(lines)))
        self.world.run_until_quiet()
        self.door, self.biller = WorldDoor(self.world), biller
        biller.open_accounts([("a-1", "EUR", "100.00"), ("a-2", "EUR", "100.00")])
        folder = "deliveries/billing/00000001/"
        documents = self.world.archive.documents
        self.files = {key.removeprefix(folder): value for key, value in documents.items() if key.startswith(folder)}
        assert biller.take("billing", 1, self.files) == "taken"

    def upload(self, named: str, content: bytes) -> dict[str, Any]:
        """Upload an answer file, have it read, and give it as it stands then."""
        key = f"acknowledgements/billing/{named}.csv"
        version = self.world.lists.upload(key, content)
        return self.act(named, {"file": {"key": key, "version_id": version}})

    def act(self, named: str, body: dict[str, Any]) -> dict[str, Any]:
        reply = self.door.put(f"acknowledgements/channel/billing/{named}", body)
        assert reply.status == 200, reply.content
        ports = AnswerPorts(
            *(self.world.lists, self.world.archive, self.world.deliveries, self.world.credits, self.door.answers),
            *(self.world.campaigns, self.world.troubles, self.world.ledger),
        )
        for message in self.door.answer_queue.messages:
            assert hear_chunk(message.channel, message.file, message.chunk, ports, Clock(self.world.now))
        self.door.answer_queue.messages.clear()
        return dict(self.door.get(f"acknowledgements/one/billing/{reply.content['id']}").content)

    def line(self) -> dict[str, Any]:
        """The campaign's one line on its way to the bill."""
        found = self.door.get(f"acknowledgements/campaign/{CAMPAIGN}").content
        assert found["differences"] == []
        return next(dict(line) for line in found["lines"] if line["measure"] == MONEY)

    def on_bills(self) -> Decimal:
        """The money on the biller's bills."""
        return sum((amount for *_, amount, measure in self.biller.on_bills() if measure == MONEY), Decimal(0))

    def month(self) -> list[dict[str, Any]]:
        return list(self.door.get(f"acknowledgements/month/{MONTH}").content["campaigns"])


@pytest.fixture
def bills() -> Iterator[Bills]:
    with closing(Biller(":memory:")) as biller:
        yield Bills(biller)


def test_what_is_granted_is_sent_accepted_rejected_and_applied_and_the_sums_hold(bills: Bills) -> None:
    line = bills.line()
    granted, each = Decimal(line["to_be_booked"]), Decimal(line["to_be_booked"]) / 3
    assert line["by_state"] == {"sent": line["to_be_booked"]}
    found = bills.upload("first", bills.biller.write_answers())
    assert {(one["result"], one["lines"]) for one in found["results"]} == {("accepted", 4), ("rejected", 2)}
    assert found["finished"]
    assert bills.line()["by_state"] == {"accepted": f"{2 * each:.2f}", "rejected": f"{each:.2f}"}
    bills.biller.run_cycle("2026-04-01")
    bills.upload("second", bills.biller.write_answers())
    line = bills.line()
    assert line["by_state"] == {"applied": f"{2 * each:.2f}", "rejected": f"{each:.2f}"}
    on_bills = bills.on_bills()
    assert on_bills == Decimal(line["by_state"]["applied"])
    assert Decimal(line["not_on_bills"]) == granted - on_bills


def test_the_same_file_is_read_once_and_the_same_answers_again_are_duplicates(bills: Bills) -> None:
    content = bills.biller.write_answers()
    first = bills.upload("first", content)
    key, version = "acknowledgements/billing/first.csv", bills.world.lists.newest("acknowledgements/billing/first.csv")
    assert bills.act("anew", {"file": {"key": key, "version_id": version}})["results"] == first["results"]
    again = bills.upload("again", content)
    assert {one["result"] for one in again["results"]} == {"duplicate"}
    files = bills.door.get("acknowledgements/channel/billing").content["files"]
    assert {one["key"] for one in files} == {key, "acknowledgements/billing/again.csv"}


def test_single_answers_are_read_as_a_file_is(bills: Bills) -> None:
    credit = next(iter(bills.biller.booked()))
    account = next(key.account_id for key in bills.world.credits.texts if credit)
    told = {"account_id": account, "serial": 1, "credit_id": "0" * 32, "answer": "accepted"}
    found = bills.act("call-1", {"answers": [told]})
    assert [(one["result"], one["lines"]) for one in found["results"]] == [("unknown_id", 1)]
    (problem,) = found["problems"]
    assert (problem["offset"], problem["result"]) == (0, "unknown_id")


def test_each_fault_of_a_line_is_noted_once_and_what_changed_something_not_at_all(bills: Bills) -> None:
    lines = (
        b"account_id,serial,credit_id,answer,amount,measure,code",
        b"a-1,1,short,rejected,,,",  # two faults: no such id, and no code
        b"a-1,1,%032d,rejected,,," % 0,  # no code
        b"a-1,1,%032d,accepted,,," % 0,  # no such credit
        b"",
        b"a-1,7,%032d,accepted,,," % 0,  # no such delivery
    )
    found = bills.upload("wrong", b"\n".join([*lines, b""]))
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    noted = [(one["offset"], one["result"], one.get("field", "")) for one in found["problems"]]
    assert noted == [
        (starts[1], "rejected_line", "credit_id"), (starts[1], "rejected_line", "code"),
        (starts[2], "rejected_line", "code"), (starts[3], "unknown_id", ""), (starts[5], "before_delivery", ""),
    ]  # fmt: skip
    counted = {one["result"]: one["lines"] for one in found["results"]}
    assert counted == {"rejected_line": 2, "unknown_id": 1, "before_delivery": 1, "blank": 1}


def test_who_asks_about_an_account_hears_on_which_bill_its_credit_is_or_why_not(bills: Bills) -> None:
    def billing(account: str) -> str:
        answer = bills.door.get(f"accounts/{account}").content
        printed = io.StringIO()
        show_answer(cast("AskAnswer", answer), Console(file=printed, width=200))
        return " ".join(printed.getvalue().split())

    assert "was delivered to billing, which has not answered; billing/1, sent 2026-03-01" in billing("a-1")
    bills.biller.run_cycle("2026-04-01")
    bills.upload("first", bills.biller.write_answers())
    assert "; 2.99 on bill B001-a-1 of 2026-04-01" in billing("a-1")
    assert "2.99 EUR was rejected by billing (unknown_account); billing/1, sent 2026-03-01" in billing("a-3")


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "body-invalid"),
    "both": (
        {"file": {"key": "acknowledgements/a.csv", "version_id": "1"}, "answers": [{"answer": "x"}]},
        "body-invalid",
    ),
    "another folder": ({"file": {"key": "lists/a.csv", "version_id": "1"}}, "body-invalid"),
    "no such version": ({"file": {"key": "acknowledgements/a.csv", "version_id": "9"}}, "file_missing"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cannot_be_read_is_refused_with_what_to_do(bills: Bills, what: str) -> None:
    body, expected = WRONG[what]
    reply = bills.door.put("acknowledgements/channel/billing/x", body)
    assert reply.status >= 400
    assert expected in (reply.content.get("reason"), reply.content["type"].rpartition(":")[2])


def test_a_header_without_what_is_needed_and_a_channel_without_deliveries_are_refused(bills: Bills) -> None:
    version = bills.world.lists.upload("acknowledgements/a.csv", b"account_id,answer\na-1,accepted\n")
    body = {"file": {"key": "acknowledgements/a.csv", "version_id": version}}
    reply = bills.door.put("acknowledgements/channel/billing/x", body)
    assert (reply.status, reply.content["reason"]) == (409, "column_missing")
    reply = bills.door.put("acknowledgements/channel/vouchers/x", body)
    assert (reply.status, reply.content["reason"]) == (409, "channel_unknown")


def test_what_is_late_is_listed_until_it_is_on_a_bill(bills: Bills) -> None:
    assert bills.door.get("acknowledgements/overdue").content["overdue"] == []
    bills.biller.run_cycle("2026-04-01")
    bills.upload("first", bills.biller.write_answers())
    due = next(due.due for due in bills.world.deliveries.dues if due.measure == MONEY)
    bills.world.now = due - timedelta(days=1)
    found = bills.door.get("acknowledgements/overdue").content
    assert ([one["credits"] for one in found["due_soon"]], found["overdue"]) == ([1, 1], [])
    for warned, number in ((timedelta(hours=23), 0), (timedelta(days=1), 0), (timedelta(days=1, seconds=1), 2)):
        bills.door.warn_before = warned  # half-open, as every span of time
        assert len(bills.door.get("acknowledgements/overdue").content["due_soon"]) == number
    bills.world.now = due
    found = bills.door.get("acknowledgements/overdue").content
    assert ([one["credits"] for one in found["overdue"]], found["due_soon"]) == ([1, 1], [])
    assert bills.line()["overdue"] == bills.line()["not_on_bills"] != "0.00"
    late = bills.door.get(f"overdue/{CAMPAIGN}").content["credits"]
    assert [(one["account_id"], one["measure"], one["state"], one["code"]) for one in late] == [
        ("a-3", MONEY, "rejected", "unknown_account"),
        ("a-3", "call_minute", "rejected", "unknown_account"),
    ]
    csv_lines = late_csv([{"campaign": CAMPAIGN, **one, "code": "=1+1"} for one in late]).splitlines()
    assert len(csv_lines) == 3
    assert ",'=1+1," in csv_lines[1]


def test_what_billing_has_not_answered_is_late_as_sent_and_what_is_on_bills_in_part_for_the_rest(bills: Bills) -> None:
    def late() -> list[tuple[str, ...]]:
        found = bills.door.get(f"overdue/{CAMPAIGN}").content["credits"]
        names = ("account_id", "state", "amount", "not_on_bills", "delivery")
        return [tuple(one[name] for name in names) for one in found if one["measure"] == MONEY]

    bills.world.now = max(due.due for due in bills.world.deliveries.dues)
    assert late() == [(account, "sent", "2.99", "2.99", "billing/1") for account in ("a-1", "a-2", "a-3")]
    credit = bills.door.get(f"overdue/{CAMPAIGN}").content["credits"][0]["credit_id"]
    part = {
        "account_id": "a-1",
        "serial": 1,
        "credit_id": credit,
        "answer": "applied",
        "amount": "1.00",
        "measure": MONEY,
    }
    found = bills.act("in-part", {"answers": [{**part, "bill": "B-1", "billed_on": "2026-04-01"}]})
    assert [one["result"] for one in found["results"]] == ["applied"]
    assert late()[0] == ("a-1", "partly_applied", "2.99", "1.99", "billing/1")
    for cents, left in ((150, [("a-1", "partly_applied", "2.99", "0.49", "billing/1")]), (100, [])):
        reverse(bills, "a-1", cents)  # of the second one more than is on no bill
        assert [one for one in late() if one[0] == "a-1"] == left


def reverse(bills: Bills, account: str, cents: int) -> None:
    """The biller has taken so much back of what it has of an account."""
    (key,) = (one.key for one in bills.world.ledger.all_entries() if one.key.account_id == account)
    before = bills.world.credits.of(key)
    number = 1 + sum(one.kind is EntryKind.REVERSAL_ASKED for one in before)
    back, at = f"billing/{number + 1}", bills.world.now
    after = (
        *before,
        CreditEntry(EntryKind.REVERSAL_ASKED, at, "anna", f"void/{number}", (0,), sizes=(cents,)),
        CreditEntry(EntryKind.REVERSAL_ASSIGNED, at, "x", f"reversal_assigned/{back}", (0,), delivery=back),
        CreditEntry(EntryKind.REVERSAL_ACCEPTED, at, "x", f"b/{number}", (0,), delivery=back, attempt=number),
    )
    assert bills.world.credits.write_entries([EntriesChange(key, before, after)]) == [True]


def test_the_late_come_in_parts_that_leave_none_out(bills: Bills, monkeypatch: pytest.MonkeyPatch) -> None:
    bills.world.now = max(due.due for due in bills.world.deliveries.dues)
    whole = bills.door.get(f"overdue/{CAMPAIGN}").content
    assert (len(whole["credits"]), whole["next"]) == (6, None)
    monkeypatch.setattr(acknowledgements, "LATE_PER_ANSWER", 1)
    monkeypatch.setattr(committed, "KEYS_PER_READ", 1)
    found: list[Any] = []
    query: dict[str, str] = {}
    for _ in range(10):
        page = bills.door.get(f"overdue/{CAMPAIGN}", ANNA, **query).content
        found += page["credits"]
        if page["next"] is None:
            break
        query = {"cursor": page["next"]}
    assert found == whole["credits"]


def test_the_files_of_a_channel_come_in_parts_that_leave_none_out(
    bills: Bills, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acknowledgements, "FILES_PER_ANSWER", 2)
    content = bills.biller.write_answers()
    for number in range(5):
        bills.upload(f"file-{number}", content)
    found: list[str] = []
    query: dict[str, str] = {}
    for _ in range(10):
        page = bills.door.get("acknowledgements/channel/billing", ANNA, **query).content
        found += [one["key"] for one in page["files"]]
        if page["next"] is None:
            break
        query = {"cursor": page["next"]}
    assert sorted(found) == [f"acknowledgements/billing/file-{number}.csv" for number in range(5)]


@pytest.mark.parametrize("most", [1, 2, 3, 100])
def test_the_problems_of_a_file_come_in_parts_that_leave_none_out_and_repeat_none(
    most: int, bills: Bills, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Six parts of the file have problems, one of them two; what a part had may be gone."""
    monkeypatch.setattr(acknowledgements, "PROBLEMS_PER_ANSWER", most)
    file = bills.upload("wrong", b"account_id,serial,credit_id,answer\na-1,1,short,accepted\n")["id"]
    noted = {
        f"part-{start}": [{"offset": start + number, "result": "rejected_line", "reason": f"r-{start}"}
                          for number in range(1 + (start == 20))]
        for start in range(0, 60, 10)
    }  # fmt: skip
    receipts = [SimpleNamespace(start=start, problems=f"part-{start}") for start in range(0, 60, 10)]
    receipts[3:3] = [SimpleNamespace(start=25, problems=""), SimpleNamespace(start=26, problems="gone")]
    monkeypatch.setattr(bills.door.answers, "receipts", lambda _: receipts)
    monkeypatch.setattr(
        bills.world.archive, "documents",
        {name: "\n".join(map(json.dumps, lines)).encode() for name, lines in noted.items()},
    )  # fmt: skip
    found: list[Any] = []
    query: dict[str, str] = {}
    for _ in range(10):
        page = bills.door.get(f"acknowledgements/one/billing/{file}", ANNA, **query).content
        assert len(page["problems"]) <= most + 1, "the part that fills an answer is in it as a whole"
        found += page["problems"]
        if page["next"] is None:
            break
        query = {"cursor": page["next"]}
    assert found == [line for lines in noted.values() for line in lines]


def test_the_month_adds_up_to_what_the_biller_has_on_its_bills(bills: Bills) -> None:
    bills.biller.set_faults(Faults.of({"percent_applied": 50}))
    bills.biller.run_cycle("2026-04-01")
    bills.upload("first", bills.biller.write_answers())
    campaigns = bills.month()
    total, _ = totals_of(campaigns)
    assert Decimal(total["applied"]) == bills.on_bills() > 0
    assert Decimal(total["applied"]) + Decimal(total["not_on_bills"]) == Decimal(total["granted"])
    assert differences_of(campaigns) == []
    head, money, _ = (line.split(",") for line in csv_of(campaigns).splitlines())
    told = dict(zip(head, money, strict=True))
    assert (told["granted"], told["applied"], told["measure"]) == (total["granted"], total["applied"], MONEY)
    page = html_of(MONTH, campaigns, StillOpen({}, is_whole=True), datetime(2026, 4, 2, tzinfo=UTC))
    assert f"{MONTH} costs {total['granted']} EUR" in page
    assert f"{total['applied']} on bills, {total['not_on_bills']} not on bills yet." in page
    assert "a-1" not in page
