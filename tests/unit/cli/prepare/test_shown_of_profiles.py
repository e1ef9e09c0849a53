"""What is said of a profile that cannot be used, whole, and which sign of which currency a profile may name.

A profile is written by hand, once, and reads every list of its export from then on.
"""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kulanz.domain.money import CURRENCY_SIGNS, may_mean
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.language.errors import PolicyError
from kulanz_cli.outcomes import Unusable
from kulanz_cli.prepare.command import compiled_for_lists
from kulanz_cli.prepare.json_rows import DEPTH_MOST, JsonSource, _Depth
from kulanz_cli.prepare.profile import (
    ENCODINGS,
    TYPES_OF_FACTS,
    _check_for,
    profile_from,
    python_encoding,
)
from tests.support.approved import must_be_as_approved
from tests.unit.cli.prepare.prepared import COLUMNS, POLICY, fields, loaded
from tests.unit.cli.prepare.test_profile import WHOLE, WRONG

VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    101,
    257,
    -1,
    1.5,
    "",
    "x",
    "xy",
    "\t",
    "\n",
    ["x"],
    [1],
    [],
    {},
    {"x": "y"},
)
ENTRIES = (
    "encoding", "dialect.delimiter", "dialect.quoteChar", "dialect.doubleQuote", "dialect.escapeChar",
    "dialect.skipInitialSpace", "dialect.header", "dialect.headerRows", "dialect.commentChar", "dialect.sheetName",
    "dialect.property", "footer.rows", "footer.startsWith", "drop", "ignore", "schema.missingValues", "schema.fields",
)  # fmt: skip
KEYS = ("name", "type", "from", "constant", "format", "timezone", "decimalChar", "groupChar", "symbols", "unit",
        "trueValues", "falseValues", "missingValues", "delimiter", "values", "constraints")  # fmt: skip
OF_FACTS: dict[str, Any] = {
    "type": "list", "format": "%d.%m.%Y", "timezone": "UTC", "symbols": "$", "unit": "minor", "delimiter": ";",
    "values": {"x": "basic"}, "constraints": {"pattern": "x"}, "constant": "5",
}  # fmt: skip
FORMATS = (
    "%Y-%m-%d", "%d.%m.%y", "%j %Y", "%m %Y", "%d %Y", "%d.%m", "%d.%m.%Y %d", "%d.%m.%Y %", "%d.%m.%Y %%", "%d %b %Y",
    "%d %B %Y", "%Q.%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %I:%M", "%d.%m.%Y %I:%M %p", "%d.%m.%Y %H:%M %z", "epoch",
    "epoch_ms", "epoch_us", "x",
)  # fmt: skip


def in_file(folder: Path, content: dict[str, Any]) -> str:
    """With the file and the line."""
    try:
        loaded(folder, content)
    except PolicyError as error:
        return str(error).replace(str(folder), "FOLDER")
    return "used"


COMPILED = compiled_for_lists(load_policy(POLICY), datetime(2026, 3, 1, tzinfo=UTC))


def said(content: dict[str, Any]) -> str:
    try:
        _check_for(profile_from(WHOLE | content), COMPILED)
    except PolicyError as error:
        return str(error)
    return "used"


def placed(path: str, value: Any) -> dict[str, Any]:
    content: dict[str, Any] = {"schema": fields()}
    place, (*steps, last) = content, path.split(".")
    for step in steps:
        place = place.setdefault(step, {})
    place[last] = value
    return content


def grouped(found: dict[str, str]) -> Iterator[str]:
    names: dict[str, list[str]] = {}
    for name, text in found.items():
        names.setdefault(text, []).append(name)
    yield from (f"  {' | '.join(some)}: {text}" for text, some in names.items())


def test_what_is_said_of_a_profile_is_as_it_was_approved(tmp_path: Path) -> None:
    lines = [f"{name}: {in_file(tmp_path, content)}" for name, (content, _, _) in WRONG.items()]
    for entry in ENTRIES:
        lines += [f"{entry}:", *grouped({repr(one): said(placed(entry, one)) for one in VALUES})]
    for key in KEYS:
        found = {repr(one): said({"schema": fields({"note": {key: one}})}) for one in VALUES}
        lines += [f"{key} of a text:", *grouped(found)]
    for key, value in OF_FACTS.items():
        found = {name: said({"schema": fields({name: {key: value}})}) for name in COLUMNS}
        lines += [f"{key} {value!r}:", *grouped(found)]
    for text in FORMATS:
        found = {name: said({"schema": fields({name: {"format": text}})}) for name in ("since", "seen", "fee")}
        found["seen, with a zone"] = said({"schema": fields({"seen": {"format": text, "timezone": "UTC"}})})
        lines += [f"format {text}:", *grouped(found)]
    lines += [f"{sign}: {' '.join(sorted(codes))}" for sign, codes in CURRENCY_SIGNS.items()]
    lines += [f"{fact}: {', '.join(types)}" for fact, types in TYPES_OF_FACTS.items()]
    lines += [f"{name}: {python_encoding(profile_from(WHOLE | {'encoding': name}))}" for name in ENCODINGS]
    must_be_as_approved("\n".join(lines) + "\n", Path(__file__))


def test_a_sign_may_be_that_of_its_currencies_alone_and_one_of_none_says_nothing() -> None:
    for sign, codes in CURRENCY_SIGNS.items():
        for code in ("EUR", "USD", "GBP", "CHF", "SEK", "ISK", "PLN", *codes):
            assert may_mean(sign, code) is (code in codes), (sign, code)
    assert not may_mean("$", "EUR")
    assert may_mean("x", "EUR")
    assert may_mean("EUR", "EUR")
    assert not may_mean("USD", "EUR")


@pytest.mark.parametrize(("depth", "fits"), [(DEPTH_MOST, True), (DEPTH_MOST + 1, False)])
@pytest.mark.parametrize("form", ["[{}]", "{}\n"])
def test_json_is_nested_as_deep_as_an_export_is_and_no_deeper(
    tmp_path: Path, form: str, depth: int, *, fits: bool
) -> None:
    pytest.importorskip("ijson", reason="make lists")
    own = depth - (form == "[{}]") - 1
    record = f'{{"account_id": "[\\"{{[[", "of": {"[" * own}{"]" * own}}}'
    path = tmp_path / "in.json"
    path.write_text(form.replace("{}", "%s") % record)
    try:
        source = JsonSource(path, profile_from(WHOLE), lambda _: None, is_gzip=False)
        (batch,) = source.batches(["account_id"])
        is_read = batch.columns == [('["{[[',)]
    except Unusable as refused:
        assert str(refused).startswith(f"{path}: it has over {DEPTH_MOST} objects and arrays inside each other")  # noqa: PT017
        is_read = False
    assert is_read is fits


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize(
    ("text", "deepest"),
    [
        (b'{"a":[1,{"b":"[[[["}]}', 3), (b'["\\"[[", "\\\\", [["]"]]]', 3), (b'["\\\\\\"[[[", []]', 2),
        (b'"[" [] [[]]', 2),
        (b"[]" * 100, 1), (b'{"\\\\":"{"}', 1),
    ],
)  # fmt: skip
def test_the_depth_of_json_is_counted_across_its_blocks_and_not_in_its_texts(
    text: bytes, deepest: int, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for most in (deepest - 1, deepest):
        monkeypatch.setattr("kulanz_cli.prepare.json_rows.DEPTH_MOST", most)
        depth, stream = _Depth(), io.BytesIO(text)
        exceeded = False
        while (some := stream.read(block)) and not exceeded:
            exceeded = depth.is_exceeded(some)
        assert exceeded is (most < deepest)


def test_names_of_objects_are_those_of_all_of_the_first_ones(tmp_path: Path) -> None:
    path = tmp_path / "in.jsonl"
    records = [{"a": 1, "b": {"c": {"d": 1}, "e": 2}}, {"f": [{"g": 1}]}, {"b.c": 5, "b": {"e": 7}}, {"b": "x"}]
    path.write_text("\n".join(map(json.dumps, records)))
    source = JsonSource(path, profile_from(WHOLE), lambda _: None, is_gzip=False)
    assert list(source.names) == ["a", "b", "b.c", "b.c.d", "b.e", "f"]
    (batch,) = source.batches(["b.e", "b.c"])
    assert [column[2] for column in batch.columns] == ["\0n7", "\0n5"]
    assert [column[3] for column in batch.columns] == ["", ""]
    assert list(batch.lines) == [1, 2, 3, 4]
