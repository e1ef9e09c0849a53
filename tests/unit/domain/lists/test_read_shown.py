"""What is read of a list, whole: each form of a value in each type, each id, header and part, with each sentence.

A cell that is read as another value is paid as one. So every type is tried with every form that tools write, as a cell
and as a value of JSON, and what comes of it is compared with an approved text; sentences are compared whole.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from textwrap import wrap
from typing import Any

from kulanz.domain.lists.account_ids import IdProblem, read_id
from kulanz.domain.lists.columns import FactDeclaration
from kulanz.domain.lists.facts import INVALID, FactError, canonical
from kulanz.domain.lists.header import HEADER_BYTES, ListFormat, ListLayout, format_of, read_layout
from kulanz.domain.lists.header_advice import advice
from kulanz.domain.lists.id_shape import IdShape, IdShapeError
from kulanz.domain.lists.lines import Line, ListRefused
from kulanz.domain.lists.manifest import Manifest, Part, must_be_one_list, read_manifest
from kulanz.domain.lists.near_ids import normal_id
from kulanz.domain.lists.near_names import is_nearly
from kulanz.domain.lists.reader import line_reader
from kulanz.domain.lists.rows import Problem, Record, facts_text
from kulanz.domain.lists.unread_columns import OWN_COLUMNS, must_not_nearly_name, names_currency
from tests.support.approved import must_be_as_approved

TEXTS = (
    "", " ", "x", " x\u00a0", "X", "u\u0308", "NULL", "null", "None", "-", "n/a", "#REF!", "#N/A", "a|b", "a,b", "a;b",
    "b|a|b", "a||b", "|", "[", '["b", "a"]', "[1]", '[["a"]]', "{}", "true", "TRUE", "t", "T", "Y", "yes", "no", "0",
    "1",
    "007", "-0", "-1", "+1", "1.5", "1.50", "1.500", "1.234", "0.125", "1e3", "1,5", "1.", ".5", "12.3456789012345",
    "1234567890123456", "10000000", "10000000.01", "999999999999999", "39.9000", "5", "4.99", "9.01", "9",
    "2026-02-27", "2026-02-30", "27.02.2026", "2026-02-27T00:00", "2026-02-27 00:00:00.000", "2026-02-27 00:01",
    "2026-02-27T08:00:00Z", "2026-02-27T08:00:00+01:00", "2026-02-27 08:00:00.1234567 UTC",
    "2026-02-27 08:00:00 -0530", "2026-02-27T08:00:00",
    "Fri, 27 Feb 2026 08:00:00 GMT", "Thu, 27 Feb 2026 08:00:00 GMT", "20260227T080000Z", "1772179200",
    "2026-10-25 02:30 Europe/Berlin", "2026-10-25 03:30 Europe/Berlin", "2026-02-27T08:00:00+01:00[Europe/Berlin]",
    "2026-02-27T08:00:00+02:00[Europe/Berlin]", "Fri Feb 27 08:00:00 UTC 2026", "2026-02-27 08:00:00 +0100 CET",
    "Europe/Berlin", "CET+1", "UTC", "1|2.5", "5.00|1.2", "2026-02-27|2026-02-26", "a" * 200, "a" * 201, "a\u0001b",
    "2026-05-04T08:00:00Z/2026-05-04T12:00:00Z", "2026-05-04T08:00:00Z/", "2026-05-04T08:00:00Z",
    "2026-05-05T08:00:00Z/ | 2026-05-04T08:00:00Z / 2026-05-04T12:00:00Z", "2026-05-04T12:00:00Z/2026-05-04T08:00:00Z",
    "2026-05-04T08:00:00Z/2026-05-04T08:00:00Z",
)  # fmt: skip
WINDOW = {"start": "2026-05-04T08:00:00Z", "end": "2026-05-04T12:00:00Z"}
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, 5, 9, -1, 10**16, 2**53 + 1, Decimal("1.50"), Decimal("1.234"), Decimal("1E+2"),
    Decimal("1E+30"), Decimal("1E+31"), Decimal("1E-31"), Decimal("39.9000"), Decimal("NaN"), "x", "true", "NULL", " ",
    "5.00", [], ["b", "a", "b"], ["a|b"], ["NULL"], [1, Decimal("2.50")], [1, "2.5"], [1, True], [None], ["2026-02-27"],
    [WINDOW], [{**WINDOW, "end": None}], [{"start": WINDOW["start"]}], [{**WINDOW, "zone": "x"}], [{"end": None}], {},
    ["x"] * 50, ["x"] * 51,
)  # fmt: skip
DECLARED: dict[str, tuple[str, dict[str, Any]]] = {
    "text": ("text", {}), "choices": ("text", {"choices": ("x", "None", "\u00fc")}), "yes_no": ("yes_no", {}),
    "number": ("number", {}), "number of 5 to 9": ("number", {"minimum": Fraction(5), "maximum": Fraction(9)}),
    "number of 1.5 or more": ("number", {"minimum": Fraction(3, 2)}), "EUR": ("money", {"currency": "EUR"}),
    "JPY": ("money", {"currency": "JPY"}), "KWD": ("money", {"currency": "KWD"}),
    "EUR of at most 9": ("money", {"currency": "EUR", "maximum": Fraction(9)}),
    "EUR of 5 to 9": ("money", {"currency": "EUR", "minimum": Fraction(5), "maximum": Fraction(9)}),
    "instant": ("instant", {}), "day": ("day", {}), "zone": ("zone", {}), "list": ("list", {}),
    "list with commas": ("list", {"separator": ","}), "numbers": ("numbers", {}),
    "amounts": ("amounts", {"currency": "EUR"}), "dates": ("dates", {}), "windows": ("windows", {}),
    "windows with semicolons": ("windows", {"separator": ";"}),
}  # fmt: skip


def outcome(read: Callable[[Any], object], given: object) -> str:
    try:
        value: Any = read(given)
    except FactError as error:
        return f"{error.reason} of {error.field}: expected {error.expected}"
    if value is None or value is INVALID:
        return "unknown" if value is None else "wrong and held"
    return "as it is" if canonical(value) == given else f"{canonical(value)!r}"


def grouped(outcomes: Sequence[tuple[str, str]]) -> Iterator[str]:
    """Each outcome once, with what has it."""
    names: dict[str, list[str]] = {}
    for name, text in outcomes:
        names.setdefault(text, []).append(name if len(name) < 90 else f"{name[:9]} of {len(name)}")
    for text, some in names.items():
        shown = " | ".join(some)
        if len(shown) + len(text) < 112:
            yield f"    {shown} -> {text}"
            continue
        yield from wrap(f"{shown} ->", 112, initial_indent="    ", subsequent_indent="    ")
        yield f"      {text}"


def facts() -> Iterator[str]:
    for name, (type_, stated) in DECLARED.items():
        fact, held = (FactDeclaration("f", type_, hold_invalid=hold, **stated) for hold in (False, True))
        cells = {text: outcome(fact.parse_text, text) for text in TEXTS}
        yield f"{name}, in a cell:"
        yield from grouped([(repr(text), found) for text, found in cells.items()])
        yield f"{name}, in JSON:"
        yield from grouped([(repr(one), outcome(fact.parse_json, one)) for one in VALUES])
        for text, free in cells.items():
            expected = free if "fact_invalid" not in free else "wrong and held"
            assert outcome(held.parse_text, text) == expected, text


IDS: tuple[Any, ...] = (
    "A-1", " A-1 ", "1", "007", "", " ", "NULL", "nan", "unknown", "TRUE", "Wahr", "Total", "grand_total", "Sub Total:",
    "(12 rows)", "3 records in all", "1.0", "20510000005,0", "2.05E10", "1e15", "1e1", "1E5A", "12-Oct", "12 Oct",
    "Oct-12",
    "Oct 2024", "12Oct", "2024-10-12", "12.10.2024", "13.13.2024", "12:30", "12:30:59", "1" * 15 + "0000",
    "1" * 16 + "000",
    "12345678901200000000", "a@b", "a b", "a/b", "a#b", "\u00e4", "x" * 64, "x" * 65, "acct-000123", "W-1001",
    "4e7b-22",
    "0e0f", "d9428888-122b-11e1-b85c-61cd3cbb3210", None, True, 0, 7, -1, 2**53, 2**53 + 1, Decimal("1.0"),
    Decimal("1E3"),
    1.5, [], {},
)  # fmt: skip
SHAPES: tuple[dict[str, Any], ...] = (
    {"pattern": r"\d{4}"}, {"pattern": r"[A-Z]{2}\d+|nan"}, {"minimum": 2, "maximum": 4}, {"minimum": 4, "maximum": 4},
    {"check": "luhn"}, {"pattern": r"\d+", "check": "damm"}, {}, {"minimum": 0}, {"minimum": 5, "maximum": 4},
    {"maximum": 65}, {"check": "crc"}, {"pattern": "(a)"}, {"pattern": "a|"}, {"pattern": "a{3,2}"},
    {"pattern": "a{65}"},
    {"pattern": "a+b*c?"}, {"pattern": "a+b*c+"}, {"pattern": "[z-a]"}, {"pattern": "a" * 200}, {"pattern": "a" * 201},
    {"pattern": "|".join("a" * 10)}, {"pattern": "|".join("a" * 11)}, {"pattern": r"\w"}, {"pattern": "a.b"},
    {"pattern": r"a\.b"}, {"pattern": "a{2,}b{1,64}"}, {"pattern": "a{2,}b{0,64}c?"},
)  # fmt: skip


def ids() -> Iterator[str]:
    def of(found: object, given: object) -> str:
        if isinstance(found, IdProblem):
            return f"{found.kind}: expected {found.expected}"
        return "an id" if found == given else f"the id {found!r}"

    yield "ids:"
    yield from grouped([(repr(one), of(read_id(one), one)) for one in IDS])
    for stated in SHAPES:
        try:
            shape = IdShape(**stated)
        except IdShapeError as error:
            yield f"shape {str(stated)[:60]}: refused: {error}"
            continue
        yield f"shape {str(stated)[:60]}: {str(shape)[:90]}"
        texts = [one for one in IDS if isinstance(one, str)]
        given = (*texts, "1234", " 1234", "12345", "AB7", "79927398713", "7992-7398-713", "5724", "572-4", 1234)
        found = [(repr(one), of(shape.reader()(one), one)) for one in given]
        yield from grouped([one for one in found if "id as it was stated" not in one[1]])
    yield "one id: " + ", ".join(
        f"{one} = {normal_id(one)!r}"
        for one in (
            "001042",
            "1042",
            "1042.0",
            "1042.00",
            "1042.1",
            "AB-7",
            "ab-7",
            "0",
            "000",
            "",
            "0.0",
            "0A",
            "A.0",
            "stra\u00dfe",
        )
    )


HEADS: tuple[bytes, ...] = (
    b"", b"\x1f\x8b\x08", b"\xff\xfea\0", b"account_id,\xff\na,b\n", b"account_id", b"account_id\n", b"\xef\xbb\xbf",
    b"id,fee\na,1\n", b"\naccount_id\na\n", b'account_id,"fee\na,1\n', b'account_id,"fee"x\na,1\n',
    b"account_id,f\0e\na,1\n",
    b"account_id,fee,fee\na,1,2\n", b"account_id,fee,a,fee,a\na,1,2\n", b"account_id" + b",c" * 256 + b"\n1\n",
    b"account_id,fee,," + b"x," * 3 + b"\na,b\n", b"account_id," + b"x" * HEADER_BYTES + b"\na,b\n",
    b"account_id,fee\r\na-1,5", b"\xef\xbb\xbfaccount_id,fee\na-1,5", b'account_id,"a ""fee""",fee\na,1\n',
    b"ACCOUNT_ID,Fee\na,1\n", b" account_id, fee\na,1\n", b"Account Number;fee\na;1\n", b"account_id|fee\na|1\n",
    b"account_id\tfee\na\t1\n", b"sep=;\naccount_id;fee\n", b'"sep=,"\naccount_id,fee\n',
    b"Report\naccount_id,fee\na,1\n",
    b"Report\n\n\naccount_id;fee\na;1\n", b"\n" * 19 + b"account_id,fee\n", b"x\n" * 20 + b"account_id,fee\n",
    b"A-1001,39.90\nA-1002,5\n", b"Mustermann,Basic\n", b"account_id,feee\na,1\n", b"acount_id,fee\na,1\n",
    b"account_id,price\na,1\n", b"account_id,fee,2024\na,1,1\n", b"kundennummer,fee\n1,2\n", b"id,customer\n1,2\n",
    b"account_id," + b",".join(b"c%d" % n for n in range(12)) + b"\n", b"account_id," + b"y" * 41 + b"\n",
    b"account_id,a\x07b\n", b"ada@example.com,fee\n", b"account_id\n\n",
)  # fmt: skip


def refused(read: Callable[..., object], *given: object) -> str:
    try:
        return f"read: {read(*given)}"
    except ListRefused as error:
        return f"{error.reason}: {error}"


WANTED = ["account_id", "fee"]


def headers() -> Iterator[str]:
    for head in HEADS:
        said = refused(read_layout, ListFormat.CSV, head[:HEADER_BYTES], len(head), WANTED)
        yield f"head {head[:50]!r}: {said[:600]}"
    for size, head in ((0, b""), (3, b"\xef\xbb\xbf"), (4, b"\xef\xbb\xbf{"), (2, b"{}")):
        yield f"JSONL {head!r}: {refused(read_layout, ListFormat.JSONL, head, size, [])}"
    for name in (
        "a.csv",
        "A.CSV",
        "a.jsonl",
        "a.ndjson",
        "a.csv.gz",
        "a.ZIP",
        "a.zst",
        "a.bz2",
        "a.txt",
        "csv",
        "a.xlsx",
    ):
        yield f"named {name}: {refused(format_of, name)}"
    yield f"advice: {advice('segmnet,Account No', ['account_id', 'segment', 'fee'])}"


COLUMNS = (
    "monthly_fee", "Monthly Fee", "monthly-fee", "monthlyfee", "monthly_fees", "monthl_fee", "montly_fee",
    "mnothly_fee",
    "monthly_fee_2", "monthly_fee2", "monthly_tee", "monthly_fe", "onthly_fee", "yearly_fee", "fee_2025", "fee_2024",
    "pla",
    "plan", "plam", "plans", "tv", "tw", "billing_account", "biller_acount", "billing-account-no", "next_bill",
    "next_bill_date", "old_account", "former_account_id", "account_ids", "Account_ID", "line", "lines", "note",
)  # fmt: skip
NAMED = [FactDeclaration(name, "text") for name in ("monthly_fee", "fee_2024", "plan", "tv")]


def near() -> Iterator[str]:
    for name in ("monthly_fee", "plan", "tv", "fee_2024"):
        yield f"nearly {name}: {', '.join(one for one in COLUMNS if is_nearly(one, name))}"
    for own in ((), OWN_COLUMNS):
        found = [(one, refused(must_not_nearly_name, [one], NAMED, "line", ["plans"], own)) for one in COLUMNS]
        yield f"left unread, beside {own or 'no own columns'}:"
        yield from grouped(found)
    names = ("currency", "Currency Code", "fee_ccy", "ccy2", "currency_of", "CURRENCYCODE", "concurrency", "occurrence")
    yield f"currencies: {', '.join(one for one in names if names_currency(one))}"


CSV = ListLayout(ListFormat.CSV, ("account_id", "line", "fee", "note", "currency", "biller_account", "next_bill_on",
                                  "account_was", "account_since", ""), 0)  # fmt: skip
FACTS = (FactDeclaration("fee", "money", currency="EUR"), FactDeclaration("plan.name", "text", required=False))
ROWS: tuple[bytes, ...] = (
    b"A-1,L-1,5.00,n,USD,B-1,2027-01-05|2027-02-05,A-0,2026-01-01T00:00:00Z,", b"A-1,L-1,,,,B-1",
    b"A-1,L-1,5,,,B-1,,,,",
    b"A-1,L-1,x,,,NULL,2027-02-05|2027-01-05,A-1,,", b"NULL,Total,x,,,,2027-02-30,A-0,x,", b"A-1,L-1,5,,,B-1,,A-0,,",
    b"A-1,L-1,5,,,B-1,,A-0,2026-03-02T00:00:00Z,", b"A-1,L-1,5,,,B-1,,A-0,2026-03-01T00:00:00Z,",
    b"A-1,L-1,5,,,B-1,,a b,,",
    b"A-1,L-1,5,,,B-1,,NULL,x,", b"A-1,L-1,5,,,B-1,,,,,,", b"A-1,L-1,5,,,B-1,,,,x", b"A-1,L-1,5,,,B-1,,,,,x",
    b"A-1;L-1;5",
    b'A-1,"L-1",5,"a, ""b""",,B-1,,,,', b'A-1, "L-1",5,,,B-1,,,,', b'A-1,"L-1"x,5,,,B-1,,,,', b"account_id,line,fee",
    b"A-1,L-1,5,,,B-1,,,,, ,\xc2\xa0", b"\xef\xbb\xbfaccount_id,line",
    b"A-1,L-1,\xff", b"A-1,L-1,\0", b"A-1", b"x", b'A-1,L-1,5,a\\"b",,B-1,,,,',
)  # fmt: skip
OBJECTS: tuple[bytes, ...] = (
    b'{"account_id":"A-1","line":"L-1","fee":5.00,"plan":{"name":"p"},"currency":"USD","biller_account":"B-1"}',
    b'{"account_id":"A-1","line":"L","next_bill_on":["2027-01-05"],"account_was":"A-0","account_since":"2026-01-01T00Z"}',
    b'{"account_id":"A-1","line":"L","account_was":"A-0","account_since":"2026-01-01T00:00:00Z"}',
    b'{"account_id":7,"line":8,"fee":null,"plan.name":"p","plan":{"name":"q"},"of":{"currency":"USD"}}',
    b'{"account_id":"A-1","line":"L-1","Fee":5}', b'{"account_id":"A-1","line":"L-1","fee":"x","biller_account":null}',
    b'{"account_id":null,"fee":true,"next_bill_on":[],"account_was":"A-0"}', b'{"account_id":"A-1","account_id":"A-2"}',
    b'{"account_id":"A-1","line":"L-1","old_account":"A-0"}',
    b'{"account_id":"A-1","line":0,"fee":false}', b"[]", b"{", b'{"account_id":NaN}', b"\xff",
)  # fmt: skip


def rows() -> Iterator[str]:
    """Lines of both formats with what is wrong, whole; the digests of those that are right; and what can be read."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    jsonl = ListLayout(ListFormat.JSONL, (), 0)
    for layout, lines in ((CSV, ROWS), (jsonl, OBJECTS)):
        reader = line_reader(layout, FACTS, "line", (), OWN_COLUMNS, now)
        for raw in lines:
            yield f"row {raw.decode('utf-8', 'replace')!r}"
            found = reader.record(Line(0, raw, len(raw) + 1))
            if isinstance(found, Problem):
                yield from (f"  {one.reason} of {one.field!r}: expected {one.expected}" for one in found.each())
            else:
                assert isinstance(found, Record)
                typed = reader.row(raw)
                yield f"  {found.account_id} {found.subject} {found.currencies} {tuple(found.to_bill)} {found.former}"
                if isinstance(typed, Problem):
                    yield from (
                        f"  then {one.reason} of {one.field!r}: expected {one.expected}" for one in typed.each()
                    )
                else:
                    yield f"  facts {facts_text(typed.values)} digest {found.digest(facts_text(typed.values))}"
                    assert (typed.former, typed.currencies) == (found.former, found.currencies)
            loose = reader.loosely(raw)
            yield "  nothing can be read" if loose is None else f"  said {dict(loose.said)} {loose.currencies}"
        cut = reader.record(Line(0, lines[1], len(lines[1])))
        yield f"cut off: {cut.reason if isinstance(cut, Problem) else 'no'}"
        long = reader.record(Line(0, None, 70_000, 2))
        assert isinstance(long, Problem)
        yield f"too long: {long.reason}: expected {long.expected}"
        odd = reader.record(Line(0, None, 70_000, 3))
        assert isinstance(odd, Problem)
        yield f"with an odd number of quotes: {odd.reason}: expected {odd.expected}"


KEY, HEADER = "lists/a.csv.manifest.json", b"account_id,fee\n"
PARTS = tuple(Part(f"lists/a/{n}.csv", f"v{n}", f"e{n}", 100 + n) for n in range(3))


def manifests() -> Iterator[str]:
    one = Manifest(HEADER, PARTS)
    yield f"manifest {one.text().decode()} {one.size} {one.digest}"
    for place in (0, 14, 15, 99, 100, 185, 186, 271, 272):
        span = one.place(place)
        yield f"byte {place}: {span.part.key} {span.start} {span.stop}"
    yield f"bytes 90 to 200: {[(span.part.key, span.start, span.stop) for span in one.spans(90, 200)]}"
    changed: dict[str, Manifest] = {
        "no part": Manifest(HEADER, ()), "a part twice": Manifest(HEADER, (*PARTS, PARTS[0])),
        "equal parts": Manifest(HEADER, (PARTS[0], PARTS[1]._replace(etag="e0", size=100))),
        "parts without rows": Manifest(HEADER, (PARTS[0], *(p._replace(etag="e", size=15) for p in PARTS[1:]))),
        "equal parts of a byte": Manifest(HEADER, tuple(p._replace(etag="e", size=16) for p in PARTS)),
        "elsewhere": Manifest(HEADER, (PARTS[0]._replace(key="other/a.csv"),)),
        "above": Manifest(HEADER, (PARTS[0]._replace(key="lists/../a.csv"),)),
        "a manifest": Manifest(HEADER, (PARTS[0]._replace(key=KEY),)),
        "another format": Manifest(HEADER, (PARTS[0]._replace(key="lists/a.jsonl"),)),
        "no format": Manifest(HEADER, (PARTS[0]._replace(key="lists/a.txt"),)),
        "too short": Manifest(HEADER, (PARTS[0]._replace(size=14),)), "two lines": Manifest(HEADER + b"a\n", PARTS),
        "no line end": Manifest(b"account_id", PARTS), "no header": Manifest(b"", PARTS),
    }  # fmt: skip
    for name, manifest in changed.items():
        yield f"{name}: {refused(must_be_one_list, KEY, manifest)}"
    for content in (b"{}", b"[]", b"x", b'{"v":2,"header":"","parts":[]}', b" " * (8 * 1024 * 1024 + 1)):
        yield f"content {content[:30]!r}: {refused(read_manifest, KEY, content)}"


def test_what_is_read_of_a_list_is_as_it_was_approved() -> None:
    lines = [line for section in (facts, ids, headers, near, rows, manifests) for line in section()]
    shown = "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in "\n".join(lines))
    must_be_as_approved(shown + "\n", Path(__file__))
