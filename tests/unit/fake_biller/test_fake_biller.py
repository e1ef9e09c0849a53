"""The biller that the deliveries are proved with: it must notice what a mainframe would, and forget nothing."""

import ast
import csv
import io
from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from tests import fake_biller
from tests.fake_biller.biller import Biller, Faults
from tests.fake_biller.reading import Refused
from tests.unit.fake_biller.delivered import CHANNEL, Sent, delivery

TWO = [[Sent("c1"), Sent("c2", account="A-2", biller_account="A-2", amount="2.50")], [Sent("c3", amount="1.00")]]


@pytest.fixture
def biller() -> Iterator[Biller]:
    with closing(Biller(":memory:")) as made:
        made.open_accounts([("A-1", "USD", "30.00"), ("A-2", "USD", "3.00")])
        yield made


def answers(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def test_it_imports_nothing_of_what_it_is_to_prove() -> None:
    for path in Path(next(iter(fake_biller.__path__))).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.startswith("kulanz")], path.name


def test_a_whole_delivery_is_booked_and_billed_once(biller: Biller) -> None:
    assert biller.take(CHANNEL, 1, delivery(1, TWO)) == "taken"
    assert [one["answer"] for one in answers(biller.write_answers())] == ["accepted"] * 3
    biller.run_cycle("2026-12-01")
    biller.run_cycle("2027-01-01")
    lines = list(biller.on_bills())
    assert [(line[1], line[3]) for line in lines] == [
        ("c1", Decimal("5.00")),
        ("c3", Decimal("1.00")),
        ("c2", Decimal("2.50")),
    ]
    told = answers(biller.write_answers())
    assert [(one["credit_id"], one["answer"], one["bill"]) for one in told] == [
        ("c1", "applied", "B001-A-1"),
        ("c3", "applied", "B001-A-1"),
        ("c2", "applied", "B001-A-2"),
    ]


BREAKS: dict[str, tuple[str, Callable[[dict[str, bytes]], dict[str, bytes]]]] = {
    "no trailer": ("no_trailer", lambda files: {k: v for k, v in files.items() if k != "trailer.csv"}),
    "a part missing": ("part_missing", lambda files: {k: v for k, v in files.items() if k != "part-000001.csv"}),
    "a part too many": ("part_missing", lambda files: files | {"part-000009.csv": b""}),
    "a part changed": ("part_changed", lambda files: files | {"part-000000.csv": files["part-000000.csv"] + b"\n"}),
    "a wrong sum": ("sum_differs", lambda files: _trailer(files, b",3,8.50", b",3,8.51")),
    "a wrong number of parts": (
        "part_missing",
        lambda files: _trailer(files, b"T,1,billing,1,2,", b"T,1,billing,1,3,"),
    ),
    "a wrong number of credits": ("count_differs", lambda files: _trailer(files, b"1,2,3\n", b"1,2,4\n")),
    "a trailer of another serial": ("trailer_of_another", lambda files: _trailer(files, b"billing,1,", b"billing,2,")),
    "a trailer cut off": ("cut_off", lambda files: files | {"trailer.csv": files["trailer.csv"][:-1]}),
}


def _trailer(files: dict[str, bytes], old: bytes, new: bytes) -> dict[str, bytes]:
    content = files["trailer.csv"]
    assert old in content
    return files | {"trailer.csv": content.replace(old, new)}


@pytest.mark.parametrize("broken", BREAKS)
def test_what_is_broken_is_refused_whole(broken: str, biller: Biller) -> None:
    code, spoil = BREAKS[broken]
    with pytest.raises(Refused) as refusal:
        biller.take(CHANNEL, 1, spoil(delivery(1, TWO)))
    assert refusal.value.code == code
    assert biller.booked() == {}
    assert biller.take(CHANNEL, 1, delivery(1, TWO)) == "taken"


@pytest.mark.parametrize("amount", ["-5.00", "+5.00", "5e0", "NaN", "5,00", ""])
def test_an_amount_that_is_no_plain_decimal_is_refused(amount: str, biller: Biller) -> None:
    files = delivery(1, [[Sent("c1")]])
    name = "part-000000.csv"
    part = files[name].replace(b",5.00,", b"," + (f'"{amount}"' if "," in amount else amount).encode() + b",")
    files = delivery(1, [[Sent("c1")]]) | {name: part}
    trailer = files["trailer.csv"].splitlines()
    size = trailer[0].split(b",")
    size[2], size[3] = str(len(part)).encode(), sha256(part).hexdigest().encode()
    files["trailer.csv"] = b"\n".join([b",".join(size), *trailer[1:]]) + b"\n"
    with pytest.raises(Refused, match="amount_malformed"):
        biller.take(CHANNEL, 1, files)


def test_serials_have_no_gap_and_a_repetition_books_nothing(biller: Biller) -> None:
    assert biller.take(CHANNEL, 1, delivery(1, TWO)) == "taken"
    assert biller.take(CHANNEL, 1, delivery(1, TWO)) == "already"
    with pytest.raises(Refused, match="serial_repeated"):
        biller.take(CHANNEL, 1, delivery(1, [[Sent("c9")]]))
    with pytest.raises(Refused, match="serial_gap"):
        biller.take(CHANNEL, 3, delivery(3, [[Sent("c9")]]))
    assert sorted(biller.booked()) == ["c1", "c2", "c3"]


def test_an_id_is_booked_once_whatever_serial_it_comes_under(biller: Biller) -> None:
    biller.take(CHANNEL, 1, delivery(1, [[Sent("c1")]]))
    biller.take(CHANNEL, 2, delivery(2, [[Sent("c1")]]))
    biller.take(CHANNEL, 3, delivery(3, [[Sent("c1", amount="6.00")]]))
    biller.run_cycle("2026-12-01")
    assert [line[3] for line in biller.on_bills()] == [Decimal("5.00")]
    assert [one["code"] for one in answers(biller.write_answers())] == ["", "", "id_reused", ""]


def test_it_rejects_what_it_does_not_know_and_takes_it_under_the_same_id_once_that_is_fixed(biller: Biller) -> None:
    biller.take(CHANNEL, 1, delivery(1, [[Sent("c1", biller_account="X"), Sent("c2", measure="EUR")]]))
    assert [one["code"] for one in answers(biller.write_answers())] == ["unknown_account", "currency_differs"]
    biller.take(CHANNEL, 2, delivery(2, [[Sent("c1")]]))
    assert biller.booked()["c1"] == ("booked", "")


def test_a_credit_is_applied_in_parts_and_never_beyond_its_amount_or_the_charge(biller: Biller) -> None:
    biller.set_faults(Faults.of({"percent_applied": 60}))
    biller.take(CHANNEL, 1, delivery(1, [[Sent("c1"), Sent("c2", biller_account="A-2", amount="9.00")]]))
    for day in ("2026-12-01", "2027-01-01", "2027-02-01", "2027-03-01"):
        biller.run_cycle(day)
    by_credit: dict[str, list[Decimal]] = {}
    for _, credit, _, amount, _ in biller.on_bills():
        by_credit.setdefault(credit, []).append(amount)
    assert by_credit == {
        "c1": [Decimal("3.00"), Decimal("2.00")],
        "c2": [Decimal("3.00"), Decimal("3.00"), Decimal("3.00")],
    }


def test_a_voided_invoice_takes_its_credits_back_for_good(biller: Biller) -> None:
    biller.take(CHANNEL, 1, delivery(1, [[Sent("c1")]]))
    biller.run_cycle("2026-12-01")
    assert biller.void("B001-A-1", "2026-12-03") == 1
    biller.run_cycle("2027-01-01")
    assert list(biller.on_bills()) == []
    assert [one["answer"] for one in answers(biller.write_answers())] == ["accepted", "applied", "taken_back"]
    with pytest.raises(Refused):
        biller.void("B001-A-1", "2026-12-04")


def test_its_faults_spoil_answers_and_never_its_books(biller: Biller) -> None:
    biller.take(CHANNEL, 1, delivery(1, [[Sent(f"c{number:02d}") for number in range(6)]]))
    faults = {"seed": 3, "lines_twice": 1_000, "lines_of_others": 1_000, "other_order": True, "other_amounts": 300}
    biller.set_faults(Faults.of({**faults, "held_back": 1}))
    assert answers(biller.write_answers()) == []
    told = [one["credit_id"] for one in answers(biller.write_answers())]
    assert set(told) > set(biller.booked())
    assert len(told) > len(set(told))
    assert [one["credit_id"] for one in answers(biller.file_again(1))] != []
    assert len(biller.booked()) == 6


def test_what_it_loses_it_never_saw(biller: Biller) -> None:
    biller.set_faults(Faults.of({"loses_deliveries": 1_000}))
    assert biller.take(CHANNEL, 1, delivery(1, TWO)) == "lost"
    biller.set_faults(Faults())
    with pytest.raises(Refused, match="serial_gap"):
        biller.take(CHANNEL, 2, delivery(2, TWO))
    assert biller.take(CHANNEL, 1, delivery(1, TWO)) == "taken"
