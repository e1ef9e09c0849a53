"""The files of a delivery, read back as a billing system would read them."""

import csv
import io
import json
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kulanz.domain.delivery.channel import Channel, ChannelError, ChannelKind, FileFormat
from kulanz.domain.delivery.credit import Credit, CreditSums, CreditType
from kulanz.domain.delivery.files import (
    CREDIT_FIELDS,
    PartHead,
    part_file,
    part_name,
    render_part,
    render_trailer,
    trailer_name,
)
from kulanz.domain.delivery.ids import DeliveryId
from kulanz.domain.ledger.entries import DecisionKey

AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
ID = DeliveryId("billing", 12)
HEAD = PartHead(ID, "att-2024-02-22/1", 0, AT)


def credit(**stated: Any) -> Credit:
    key = DecisionKey(stated.pop("account", "A-1001"), "att-2024-02-22", stated.pop("subject", "-"), 1)
    known: dict[str, Any] = {
        "id": "0" * 32, "type": CreditType.CREDIT, "key": key, "benefit": 0, "attempt": 1, "biller_account": "A-1001",
        "size": 500, "measure": "USD", "is_money": True, "due": AT, "valid_from": AT, "valid_until": None,
    }  # fmt: skip
    return Credit(**(known | stated))


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


def test_a_part_is_a_header_and_its_credits() -> None:
    head, first, second = rows(render_part(HEAD, [credit(), credit(size=Decimal("1.5"), measure="GB", is_money=False)],
                                           FileFormat.CSV))  # fmt: skip
    assert head == ["H", "1", "billing", "12", "att-2024-02-22/1", "0", "2026-12-01T09:00:00Z"]
    told = dict(zip(("record", *CREDIT_FIELDS), first, strict=True))
    assert (told["record"], told["amount"], told["measure"], told["kind"]) == ("C", "5.00", "USD", "money")
    assert (told["subject"], told["due"], told["valid_until"]) == ("", "2026-12-01T09:00:00Z", "")
    assert second[6:9] == ["1.5", "GB", "units"]


def test_json_lines_have_the_same_fields_by_name() -> None:
    credits_ = [credit(terms={"on": "weekends"}, text='5" credit')]
    csv_rows = rows(render_part(HEAD, credits_, FileFormat.CSV))
    lines = [json.loads(line) for line in render_part(HEAD, credits_, FileFormat.JSONL).splitlines()]
    assert [[str(value) for value in line.values()] for line in lines] == csv_rows
    assert tuple(lines[1]) == ("record", *CREDIT_FIELDS)


def test_a_trailer_releases_what_it_names() -> None:
    content = render_part(HEAD, [credit()], FileFormat.CSV)
    part = part_file(part_name(19, 4000, FileFormat.CSV), content, 1)
    sums = CreditSums.over([credit(), credit(), credit(size=30, measure="JPY"), credit(type=CreditType.REVERSAL)])
    found = rows(render_trailer(ID, [part], sums, FileFormat.CSV))
    assert found == [
        ["P", "part-00000000000019-00000000004000.csv", str(len(content)), sha256(content).hexdigest(), "1"],
        ["S", "credit", "JPY", "1", "30"],
        ["S", "credit", "USD", "2", "10.00"],
        ["S", "reversal", "USD", "1", "5.00"],
        ["T", "1", "billing", "12", "1", "4"],
    ]
    assert trailer_name(FileFormat.JSONL) == "trailer.jsonl"


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


@pytest.mark.property
@given(TEXTS, TEXTS, st.sampled_from(["=", "+", "-", "@", "\t", "\r", ""]))
def test_no_text_is_a_formula_or_breaks_a_record(text: str, unit: str, first: str) -> None:
    """Whatever a list or a policy has: the records are told apart, the amounts are as they were."""
    told = credit(text=first + text, biller_account=first + unit, measure=f"{first}{unit}", is_money=False)
    content = render_part(HEAD, [told, credit()], FileFormat.CSV)
    _, record, after = rows(content)
    assert after[0] == "C"
    assert len(record) == 1 + len(CREDIT_FIELDS)
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in record)
    assert record[6] == "500"
    line = json.loads(render_part(HEAD, [told], FileFormat.JSONL).split(b"\n")[1])
    assert line["text"] == first + text


def test_a_repetition_is_the_same_to_the_byte() -> None:
    credits_ = [credit(terms={"b": "1", "a": "2"}), credit(subject="line-1")]
    again = [credit(terms={"a": "2", "b": "1"}), credit(subject="line-1")]
    assert render_part(HEAD, credits_, FileFormat.CSV) == render_part(HEAD, again, FileFormat.CSV)


def test_a_delivery_has_a_place_and_a_name() -> None:
    assert (str(ID), ID.folder) == ("billing/12", "deliveries/billing/00000012")
    assert DeliveryId.parse("billing/12") == ID
    for wrong in ("billing", "billing/0", "billing/012", "Billing/1", "billing/1/2", "../x/1"):
        with pytest.raises(ValueError, match="channel"):
            DeliveryId.parse(wrong)


def test_a_channel_is_read_strictly() -> None:
    channel = Channel("billing", format=FileFormat.JSONL)
    assert Channel.from_content(channel.content()) == channel == Channel.from_text("billing:jsonl")
    topic = Channel("billing", ChannelKind.TOPIC, FileFormat.JSONL)
    assert Channel.from_content(topic.content()) == topic == Channel.from_text("billing:topic")
    assert topic.content()["kind"] == "topic", "a plan's hash says which of both it is"
    assert Channel.from_text("") is None
    assert Channel.from_text("billing") == Channel("billing")
    wrongs: list[Any] = [
        {"channel": "billing", "kind": "file"},
        {**channel.content(), "to": "x"},
        {**channel.content(), "kind": "push"},
        {**channel.content(), "kind": "topic", "format": "csv"},
        {**channel.content(), "format": "xml"},
        {**channel.content(), "channel": "Billing"},
        {**channel.content(), "channel": 1},
        [],
    ]
    for wrong in wrongs:
        with pytest.raises(ChannelError, match="expected"):
            Channel.from_content(wrong)
