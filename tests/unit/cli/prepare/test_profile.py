"""A profile is checked like a policy: what is wrong with it is said with its line, before any file is read."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner

from kulanz.domain.policy.document.schema import schema_text
from kulanz.domain.policy.language.errors import PolicyError
from kulanz_cli.main import main
from kulanz_cli.prepare.profile import ENCODINGS, load_profile, profile_from, profile_schema, python_encoding
from tests.unit.cli.prepare.prepared import COLUMNS, POLICY, fields, loaded, policy, profile_file
from tests.unit.cli.prepare.test_round_trip import TABLE

WHOLE: dict[str, Any] = {"kulanz": 1, "profile": "a", "title": "b", "schema": {"fields": [{"name": "c"}]}}
SCHEMA = Path(__file__).parents[4] / "docs/schemas/list-profile.schema.json"


def test_the_committed_schema_is_the_one_that_profiles_are_read_by() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(profile_schema()), f"kulanz list schema > {SCHEMA}"


@pytest.mark.parametrize("name", TABLE)
def test_a_profile_of_the_table_can_be_used_and_fits_the_schema(tmp_path: Path, name: str) -> None:
    content = TABLE[name].profile()
    jsonschema.Draft202012Validator(profile_schema()).validate(
        {"kulanz": 1, "profile": "export", "title": "An export", **content}
    )
    profile, _ = loaded(tmp_path, content)
    assert [field.name for field in profile.schema.fields] == list(COLUMNS)


def refused(folder: Path, content: dict[str, Any]) -> str:
    with pytest.raises(PolicyError) as error:
        loaded(folder, content)
    return str(error.value)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "no schema": ({}, "", "'schema' is missing"),
    "misspelt key": ({"dialect": {"delimeter": ";"}, "schema": fields()}, "dialect.delimeter", "did you mean"),
    "two characters": ({"dialect": {"delimiter": ";;"}, "schema": fields()}, "dialect.delimiter", "one character"),
    "same marks": ({"dialect": {"delimiter": '"'}, "schema": fields()}, "dialect", "differ"),
    "unknown encoding": ({"encoding": "latin", "schema": fields()}, "encoding", "expected one of utf-8"),
    "two header lines": ({"dialect": {"headerRows": [1, 2]}, "schema": fields()}, "dialect.headerRows", "one line"),
    "name without header": ({"dialect": {"header": False}, "schema": fields()}, "schema.fields[0]", "column's number"),
    "number with header": ({"schema": fields({"fee": {"from": 3}})}, "schema.fields[1].from", "its name"),
    "column twice": ({"schema": {"fields": [{"name": "account_id"}, {"name": "account_id"}]}}, "schema.fields[1].name",
                     "two fields"),
    "fact missing": ({"schema": fields(names=["account_id", "fee"])}, "schema.fields", "the policy needs usage"),
    "from and constant": ({"schema": fields({"note": {"from": "a", "constant": "b"}})}, "schema.fields[7]", "either"),
    "constant id": ({"schema": fields({"account_id": {"constant": "b"}})}, "schema.fields[0].constant", "a column"),
    "same marks in numbers": ({"schema": fields({"fee": {"decimalChar": ",", "groupChar": ","}})},
                              "schema.fields[1].groupChar", "differ"),
    "group is the unstated point": ({"schema": fields({"fee": {"groupChar": "."}})}, "schema.fields[1].groupChar",
                                    "differ"),
    "another type": ({"schema": fields({"fee": {"type": "date"}})}, "schema.fields[1].type", "the policy reads money"),
    "sign of another currency": ({"schema": fields({"fee": {"symbols": ["€", "zł"]}})}, "schema.fields[1].symbols",
                                 "the policy pays EUR"),
    "code of another currency": ({"schema": fields({"fee": {"symbols": "USD"}})}, "schema.fields[1].symbols", "EUR"),
    "minus behind amounts": ({"schema": fields({"fee": {"symbols": ["-"]}})}, "schema.fields[1].symbols", "no minus"),
    "minus of Unicode": ({"schema": fields({"usage": {"symbols": "\u2212"}})}, "schema.fields[2].symbols", "no minus"),
    "brackets": ({"schema": fields({"fee": {"symbols": ["(", ")"]}})}, "schema.fields[1].symbols", "no minus"),
    "debit": ({"schema": fields({"fee": {"symbols": ["DR"]}})}, "schema.fields[1].symbols", "CR or DR"),
    "column of another currency": ({"schema": fields({"fee": {"from": "Monthly Fee (USD)"}})}, "schema.fields[1].from",
                                   "the policy pays EUR, and the column is named for USD"),
    "column with another sign": ({"schema": fields({"fee": {"from": "Gebühr £"}})}, "schema.fields[1].from", "for £"),
    "abbreviation for a zone": ({"schema": fields({"seen": {"timezone": "CET"}})}, "schema.fields[5].timezone", "IANA"),
    "cents of a number": ({"schema": fields({"usage": {"unit": "minor"}})}, "schema.fields[2].unit", "money only"),
    "half of yes and no": ({"schema": fields({"active": {"trueValues": "x"}})}, "schema.fields[3]", "together"),
    "yes is no": ({"schema": fields({"active": {"trueValues": "x", "falseValues": "x"}})},
                  "schema.fields[3].trueValues", "no word"),
    "format without a year": ({"schema": fields({"since": {"format": "%d.%m."}})}, "schema.fields[4].format", "a year"),
    "unknown directive": ({"schema": fields({"since": {"format": "%d.%Q.%Y"}})}, "schema.fields[4].format", "%Y"),
    "twelve hours": ({"schema": fields({"seen": {"format": "%d.%m.%Y %I:%M", "timezone": "UTC"}})},
                     "schema.fields[5].format", "%p"),
    "instant without a zone": ({"schema": fields({"seen": {"format": "%d.%m.%Y %H:%M"}})}, "schema.fields[5].format",
                               "timezone"),
    "instant without hour": ({"schema": fields({"seen": {"format": "%d.%m.%Y"}})}, "schema.fields[5].format", "hour"),
    "unknown zone": ({"schema": fields({"seen": {"timezone": "Berlin"}})}, "schema.fields[5].timezone", "IANA"),
    "unknown choice": ({"schema": fields({"plan": {"values": {"P1": "gold"}}})}, "schema.fields[6].values",
                       "basic, plus"),
    "shape of a fact": ({"schema": fields({"note": {"constraints": {"pattern": "a"}}})}, "schema.fields[7].constraints",
                        "ids only"),
    "pattern with a group": ({"schema": fields({"account_id": {"constraints": {"pattern": "(a)+"}}})},
                             "schema.fields[0].constraints", "a pattern"),
    "empty footer": ({"footer": {}, "schema": fields()}, "footer", "either rows or startsWith"),
    "no word of yes": ({"schema": fields({"active": {"trueValues": [True], "falseValues": ["x"]}})},
                       "schema.fields[3].trueValues[0]", "a text"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_profile_is_said_with_its_field_and_line(tmp_path: Path, name: str) -> None:
    content, field, expected = WRONG[name]
    message = refused(tmp_path, content)
    assert expected in message
    assert f": {field}: " in message or not field
    assert "export.profile.yaml" in message


@pytest.mark.parametrize(
    "column",
    ["Fee", "fee_eur", "Fee (EUR)", "Gebühr €", "EUR, not USD", "ALL FEES", "Top fee", "fee (USD/EUR)"],
)
def test_a_column_may_be_named_for_the_currency_that_is_paid_or_for_none(tmp_path: Path, column: str) -> None:
    profile, _ = loaded(tmp_path, {"schema": fields({"fee": {"from": column}, "usage": {"from": "Usage (USD)"}})})
    assert profile.schema.fields[1].source == column


def test_a_profile_is_called_as_its_file(tmp_path: Path) -> None:
    path = profile_file(tmp_path, {"schema": fields()}, "one").rename(tmp_path / "other.profile.yaml")
    with pytest.raises(PolicyError, match=r"expected the file to be called one\.profile\.yaml"):
        load_profile(path, policy(tmp_path))


def test_a_line_is_the_one_of_the_entry(tmp_path: Path) -> None:
    text = "kulanz: 1\nprofile: export\ntitle: One\ndialect:\n  delimiter: ;;\nschema: {fields: [{name: account_id}]}\n"
    (tmp_path / "export.profile.yaml").write_text(text)
    with pytest.raises(PolicyError, match=r"export\.profile\.yaml:5: dialect\.delimiter"):
        load_profile(tmp_path / "export.profile.yaml", policy(tmp_path))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_python_knows_every_encoding(encoding: str) -> None:
    profile = profile_from(WHOLE | {"encoding": encoding})
    assert "abc".encode(python_encoding(profile))


def test_a_folder_of_policies_may_have_profiles_which_are_checked_with_them(tmp_path: Path) -> None:
    folder = tmp_path / "every-type"
    folder.mkdir()
    (folder / "1.yaml").write_text(POLICY, encoding="utf-8")
    good = profile_file(folder, {"schema": fields()}, "good")
    result = CliRunner().invoke(main, ["policy", "check", str(tmp_path)])
    assert (result.exit_code, str(good) in result.output.replace("\n  ", "")) == (0, True), result.output
    profile_file(folder, {"dialect": {"delimiter": ";;"}, "schema": fields()}, "bad")
    result = CliRunner().invoke(main, ["policy", "check", str(tmp_path)])
    assert result.exit_code == 1
    assert "one character" in result.output
