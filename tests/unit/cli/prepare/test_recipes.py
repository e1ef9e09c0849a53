"""Every recipe of docs/list-exports.md, tried on a file as the tool writes it: all come to the same small list."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from kulanz.domain.lists.rows import Row
from kulanz_cli.prepare.command import policy_for_lists
from kulanz_cli.prepare.profile import load_profile
from kulanz_cli.prepare.run import prepare
from tests.unit.cli.prepare.prepared import rows_of

PROJECT = Path(__file__).parents[4]
PAGE = (PROJECT / "docs/list-exports.md").read_text(encoding="utf-8")
POLICY = PROJECT / "policies/saas-uptime/1.yaml"
EXPORTS = Path(__file__).parent / "exports"
SMALL_LIST = (PROJECT / "events/acme-2025-10-07.accounts.csv").read_bytes()
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PROFILES = {yaml.safe_load(text)["profile"]: text for text in BLOCKS}
STATE_CURRENCIES = {"stripe", "chargebee"}
"""Exports with a column of currencies, which every list may have."""
MADE_BY_PACKAGES = {"excel-workbook", "bigquery-parquet", "pandas-parquet", "duckdb-parquet", "duckdb-json"}
"""Exports that are read with what `make lists` installs."""


def exports_of(name: str) -> list[Path]:
    """The files of a recipe: one with its name, or shards numbered behind it."""
    return sorted(path for path in EXPORTS.iterdir() if re.fullmatch(rf"{name}(-\d+)?\.(?!py).+", path.name))


def test_every_export_has_its_recipe_and_every_recipe_its_export() -> None:
    assert all(exports_of(name) for name in PROFILES)
    used = {path for name in PROFILES for path in exports_of(name)}
    assert used == {path for path in EXPORTS.iterdir() if path.suffix not in (".py", "") and path.is_file()}


def test_every_tool_of_the_page_is_one_that_people_ask_for() -> None:
    titles = re.findall(r"^### (.+)$", PAGE, re.MULTILINE)
    asked = "Excel, German|Excel, US|Google Sheets|Salesforce|Snowflake|Athena|BigQuery|Redshift|PostgreSQL|SQL Server"
    assert set(titles) >= {*asked.split("|"), "Stripe", "Zuora", "Chargebee"}


@pytest.mark.parametrize("name", PROFILES)
def test_a_recipe_makes_the_small_list_of_its_export(name: str, tmp_path: Path) -> None:
    if name in MADE_BY_PACKAGES:
        for package in ("pyarrow", "python_calamine", "ijson"):
            pytest.importorskip(package, reason="make lists")
    path = tmp_path / f"{name}.profile.yaml"
    path.write_text(PROFILES[name], encoding="utf-8")
    policy = policy_for_lists(POLICY)
    report = prepare(exports_of(name), load_profile(path, policy), policy, tmp_path / "out", lambda _: None)
    assert (report.rows_out, report.wrong_rows, [part.rows for part in report.parts]) == (5, 0, [5])
    content = (tmp_path / "out" / report.parts[0].name).read_bytes()
    rows = [row for row in rows_of(content, policy) if isinstance(row, Row)]
    assert [replace(row, currencies=()) for row in rows] == rows_of(SMALL_LIST, policy)
    assert {row.currencies for row in rows} == ({("USD",)} if name in STATE_CURRENCIES else {()})
    fee = next(told for told in report.columns if told.name == "monthly_fee")
    assert (fee.numbers, fee.after) == (4, 133_990)
