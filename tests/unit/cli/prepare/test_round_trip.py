"""A canonical list, written in any dialect and prepared with its profile, is the same list, row for row.

Every typed value is compared, so that no cent, no day and no instant moves; and the sums before and after are equal.
"""

import csv
import gzip
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.cli.prepare.prepared import COLUMNS, canonical, fields, loaded, prepared, rows_of

pytestmark = pytest.mark.property

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
"""Far from any change of clocks, so that the local time of a summer names one instant."""


@dataclass(frozen=True)
class Account:
    """One row, typed; None is unknown."""

    account_id: str
    fee: Decimal | None
    usage: Decimal | None
    active: bool | None
    since: date | None
    seen: datetime | None
    plan: str | None
    note: str | None
    areas: tuple[str, ...]

    def cells(self) -> list[str]:
        return [
            self.account_id,
            "" if self.fee is None else f"{self.fee:f}",
            "" if self.usage is None else f"{self.usage:f}",
            "" if self.active is None else ("true" if self.active else "false"),
            "" if self.since is None else self.since.isoformat(),
            "" if self.seen is None else self.seen.strftime("%Y-%m-%dT%H:%M:%SZ"),
            self.plan or "",
            self.note or "",
            "|".join(self.areas),
        ]


WORD = st.text("abcdefgÄöüß", min_size=1, max_size=8)
# No sign whose byte in Windows-1252 goes on a letter of UTF-8: a text that is UTF-8 by chance is refused, and named.
NOTE = (
    st.lists(st.text("abcÄß,;\t|\"'\\^", min_size=1, max_size=6), min_size=1, max_size=3)
    .map(" x ".join)
    .map(lambda text: f"n{text}n".replace("\t", " "))
)
AMOUNT = (
    st.integers(0, 99_999_999)
    .map(lambda cents: Decimal(cents) / 100)
    .map(lambda value: value.quantize(Decimal("0.01")))
)
USAGE = st.decimals(0, 9_999_999, places=4).filter(Decimal.is_finite)
ACCOUNTS = st.builds(
    Account,
    account_id=st.integers(1, 10**8).map(lambda number: f"K-{number:09d}"),
    fee=st.none() | AMOUNT,
    usage=st.none() | USAGE,
    active=st.none() | st.booleans(),
    since=st.none() | st.dates(date(1990, 1, 1), date(2030, 12, 31)),
    seen=st.none() | st.integers(-40_000, 40_000).map(lambda minutes: NOON + timedelta(minutes=minutes)),
    plan=st.none() | st.sampled_from(["basic", "plus"]),
    note=st.none() | NOTE,
    areas=st.lists(WORD, max_size=3, unique=True).map(tuple),
)


@dataclass(frozen=True)
class Written:
    """How an export writes: one choice of each kind."""

    delimiter: str = ","
    quote: str = '"'
    doubled: bool = True
    encoding: str = "utf-8"
    bom: bool = False
    line_end: str = "\n"
    quotes_all: bool = False
    decimal: str = "."
    group: str = ""
    symbol: str = ""
    minor: bool = False
    day: str = "%Y-%m-%d"
    moment: str = "utc"
    yes: str = "true"
    no: str = "false"
    null: str = ""
    separator: str = "|"
    words: Mapping[str, str] | None = None
    titles: int = 0
    footer: int = 0
    header: bool = True
    packed: bool = False

    def number(self, value: Decimal | None, *, is_money: bool) -> str:
        if value is None:
            return self.null
        if is_money and self.minor:
            return str(int(value * 100))
        text = f"{value:,f}" if self.group else f"{value:f}"
        text = text.replace(",", "\0").replace(".", self.decimal).replace("\0", self.group)
        return f"{text}{self.symbol}" if is_money else text

    def cells(self, one: Account) -> list[str]:
        def known(value: object, text: str) -> str:
            return self.null if value is None else text

        seen = one.seen or NOON
        moment = seen.strftime("%Y-%m-%d %H:%M:%S+00")
        if self.moment == "berlin":
            moment = seen.astimezone(BERLIN).strftime(f"{self.day} %H:%M")
        elif self.moment == "epoch":
            moment = str(int(seen.timestamp()))
        return [
            one.account_id,
            self.number(one.fee, is_money=True),
            self.number(one.usage, is_money=False),
            known(one.active, self.yes if one.active else self.no),
            known(one.since, (one.since or NOON).strftime(self.day)),
            known(one.seen, moment),
            known(one.plan, (self.words or {}).get(one.plan or "", one.plan or "")),
            known(one.note, one.note or ""),
            self.separator.join(one.areas) or self.null,
        ]

    def file(self, accounts: list[Account]) -> bytes:
        text = io.StringIO()
        text.write("".join(f"Report {number}{self.line_end}" for number in range(self.titles)))
        writer = csv.writer(
            text, delimiter=self.delimiter, quotechar=self.quote, lineterminator=self.line_end,
            doublequote=self.doubled, escapechar=None if self.doubled else "\\",
            quoting=csv.QUOTE_ALL if self.quotes_all else csv.QUOTE_MINIMAL,
        )  # fmt: skip
        if self.header:
            writer.writerow(["Konto", *COLUMNS[1:]])
        writer.writerows(self.cells(one) for one in accounts)
        text.write("".join(f"Generated by{self.line_end}" for _ in range(self.footer)))
        data = text.getvalue().encode(self.encoding)
        data = b"\xef\xbb\xbf" + data if self.bom else data
        return gzip.compress(data, mtime=0) if self.packed else data

    def profile(self) -> dict[str, Any]:
        numbers = {"decimalChar": self.decimal} | ({"groupChar": self.group} if self.group else {})
        money = {"unit": "minor"} if self.minor else numbers | ({"symbols": self.symbol.strip()} if self.symbol else {})
        changes: dict[str, dict[str, Any]] = {
            "account_id": {"from": "Konto"},
            "fee": money,
            "usage": numbers,
            "active": {"trueValues": self.yes, "falseValues": self.no},
            "since": {"format": self.day},
        }
        if self.moment == "berlin":
            changes["seen"] = {"format": f"{self.day} %H:%M", "timezone": "Europe/Berlin"}
        elif self.moment == "epoch":
            changes["seen"] = {"format": "epoch"}
        if self.words:
            changes["plan"] = {"values": {word: meant for meant, word in self.words.items()}}
        if self.separator != "|":
            changes["areas"] = {"delimiter": self.separator}
        if not self.header:
            changes = {name: changes.get(name, {}) | {"from": place} for place, name in enumerate(COLUMNS, 1)}
        dialect: dict[str, Any] = {"delimiter": self.delimiter, "quoteChar": self.quote}
        if self.header:
            dialect["headerRows"] = [self.titles + 1]
        else:
            dialect["header"] = False
        if not self.doubled:
            dialect |= {"doubleQuote": False, "escapeChar": "\\"}
        schema = fields(changes)
        if self.null:
            schema["missingValues"] = [self.null]
        footer = {"footer": {"rows": self.footer}} if self.footer else {}
        return {"encoding": self.encoding, "dialect": dialect, "schema": schema, **footer}


TABLE = {
    "canonical": Written(),
    "Excel, German": Written(delimiter=";", encoding="windows-1252", line_end="\r\n", decimal=",", group=".",
                             symbol=" €", day="%d.%m.%Y", moment="berlin", yes="WAHR", no="FALSCH", separator=","),
    "Excel, US": Written(bom=True, line_end="\r\n", group=",", day="%m/%d/%Y", yes="TRUE", no="FALSE", separator=";"),
    "Excel, Unicode text": Written(delimiter="\t", encoding="utf-16", line_end="\r\n", decimal=",", group="\xa0",
                                   day="%d/%m/%Y"),
    "CRM with titles and a footer": Written(quotes_all=True, titles=4, footer=3, null="-", day="%d/%m/%Y"),
    "warehouse, packed, without header": Written(header=False, packed=True, null="\\N", yes="t", no="f"),
    "Hive and Spark": Written(doubled=False, quotes_all=True, null="null", separator=";"),
    "unload with bars": Written(delimiter="|", quotes_all=True, moment="epoch", separator=","),
    "payments in cents": Written(minor=True, moment="epoch", words={"basic": "price_1", "plus": "price_2"}),
    "SQL Server, single quotes": Written(delimiter="^", quote="'", null="NULL", yes="1", no="0", day="%Y%m%d"),
}  # fmt: skip


def same(written: bytes, dialect: Mapping[str, Any], accounts: list[Account], name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, compiled = loaded(Path(folder), dialect)
        report, content = prepared(Path(folder), {name: written}, dialect)
        expected = canonical([one.cells() for one in accounts])
        assert rows_of(content, compiled) == rows_of(expected, compiled)
        assert (report.rows_out, report.wrong_rows) == (len(accounts), 0)
        fee = next(one for one in report.columns if one.name == "fee")
        total = sum((one.fee for one in accounts if one.fee is not None), Decimal(0))
        assert fee.after == total * 100
        assert fee.before in (total, total * 100)


@pytest.mark.parametrize("name", TABLE)
@given(accounts=st.lists(ACCOUNTS, min_size=1, max_size=12))
def test_a_list_in_a_dialect_of_the_table_comes_back_row_for_row(name: str, accounts: list[Account]) -> None:
    written = TABLE[name]
    same(written.file(accounts), written.profile(), accounts, "export.csv")


DIALECTS = st.builds(
    Written,
    delimiter=st.sampled_from([",", ";", "\t", "|", "^"]),
    doubled=st.booleans(),
    encoding=st.sampled_from(["utf-8", "windows-1252", "utf-16", "iso-8859-15"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    quotes_all=st.booleans(),
    decimal=st.sampled_from([".", ","]),
    day=st.sampled_from(["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d-%m-%Y", "%Y%m%d", "%d %b %Y"]),
    moment=st.sampled_from(["utc", "berlin", "epoch"]),
    null=st.sampled_from(["", "NULL", "k.A.", "\\N"]),
    separator=st.sampled_from(["|", ",", ";"]),
    titles=st.integers(0, 3),
    footer=st.integers(0, 3),
    packed=st.booleans(),
)


@given(written=DIALECTS, accounts=st.lists(ACCOUNTS, min_size=1, max_size=8))
def test_a_list_in_any_dialect_comes_back_row_for_row(written: Written, accounts: list[Account]) -> None:
    same(written.file(accounts), written.profile(), accounts, "export.csv")


def record(one: Account) -> dict[str, Any]:
    """An account as an object of JSON, with numbers as numbers."""
    return {
        "Konto": one.account_id,
        "fee": None if one.fee is None else f"{one.fee:f}",
        "usage": None if one.usage is None else f"{one.usage:f}",
        "active": one.active,
        "since": None if one.since is None else one.since.isoformat(),
        "seen": None if one.seen is None else one.seen.isoformat(),
        "plan": one.plan,
        "note": one.note,
        "areas": list(one.areas),
    }


JSON_PROFILE = {"schema": fields({"account_id": {"from": "Konto"}, "usage": {"decimalChar": "."}})}


@pytest.mark.parametrize("form", ["lines", "array", "property"])
@given(accounts=st.lists(ACCOUNTS, min_size=1, max_size=8))
def test_a_list_in_json_comes_back_row_for_row(form: str, accounts: list[Account]) -> None:
    if form != "lines":
        pytest.importorskip("ijson", reason="make lists")
    records = [record(one) for one in accounts]
    profile: dict[str, Any] = dict(JSON_PROFILE)
    if form == "lines":
        text = "".join(f"{json.dumps(one, ensure_ascii=False)}\n" for one in records)
    elif form == "array":
        text = json.dumps(records, indent=1)
    else:
        text = json.dumps({"object": "list", "data": records, "has_more": False})
        profile["dialect"] = {"property": "data"}
    same(text.encode(), profile, accounts, "export.json")


@given(accounts=st.lists(ACCOUNTS, min_size=1, max_size=8))
def test_a_list_in_parquet_comes_back_row_for_row(accounts: list[Account]) -> None:
    pa = pytest.importorskip("pyarrow", reason="make lists")
    parquet = pytest.importorskip("pyarrow.parquet", reason="make lists")
    table = pa.table(
        {
            "Konto": pa.array([one.account_id for one in accounts]),
            "fee": pa.array([one.fee for one in accounts], pa.decimal128(18, 4)),
            "usage": pa.array([one.usage for one in accounts], pa.decimal128(18, 6)),
            "active": pa.array([one.active for one in accounts], pa.bool_()),
            "since": pa.array([one.since for one in accounts], pa.date32()),
            "seen": pa.array([one.seen for one in accounts], pa.timestamp("us", tz="UTC")),
            "plan": pa.array([one.plan for one in accounts], pa.string()).dictionary_encode(),
            "note": pa.array([one.note for one in accounts], pa.string()),
            "areas": pa.array([list(one.areas) for one in accounts], pa.list_(pa.string())),
        }
    )
    buffer = io.BytesIO()
    parquet.write_table(table, buffer)
    same(buffer.getvalue(), JSON_PROFILE, accounts, "export.parquet")
