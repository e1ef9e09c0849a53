"""The book can be browsed, read and begun from by somebody who has nothing but the clone."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result

from kulanz.domain.policy import PolicyDocument
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli import rulebook
from kulanz_cli.main import main
from kulanz_cli.policy_examples import run
from kulanz_cli.rule_description import OWED, describe
from kulanz_cli.rulebook import BOOK, EXAMPLES, industries, latest_rules, read_examples, versions
from kulanz_cli.rulebook_commands import SIMPLEST
from tests.support.reading import read

PROJECT = BOOK.parent
OWN = """\
kulanz: 1
id: acme
version: 2
title: Acme, credit for an outage
jurisdiction: FI
sources: https://example.org/terms
in_force: {from: 2024-01-01, until: 2025-12-31}
zone: Europe/Helsinki
currency: EUR

parameters:
  edge:
    strict: Four full hours are too short.
    lenient: Four full hours will do.

facts:
  monthly_fee: money          # as billed
  lines: {type: number, minimum: 1, maximum: 500, default: 1, says: How many lines the account has.}
  crew_on_site: {type: instant, from: incident}
  paid: {type: money, per: calendar year}

who:
  - decline: storm
    when: cause = "storm"
    because: Nobody is owed anything for a storm.
  - refer: no_crew
    unless: crew_on_site is known

# what every line is worth
values:
  hours: total(outage) / 1 h        # by the second
when: if(edge = "lenient", hours >= 4, hours > 4 and lines > 1)
pay: 10% of monthly_fee * lines
cap: {per: calendar year, at: 100.00 EUR - paid}
due: next bill

# the end of what is owed
test:
  rule: ACME
"""
HELD = {
    "id": "ACME-1", "rule": "ACME",
    "account": {"monthly_fee": "50.00", "lines": 2, "paid_2024": "0"},
    "incident": {"windows": [{"start": "2024-05-01T00:00:00Z", "end": "2024-05-01T05:00:00Z"}],
                 "crew_on_site": "2024-05-01T01:00:00Z"},
    "expected": {"outcome": "entitled", "money": [{"amount": "10.00", "currency": "EUR"}]},
    "derivation": "10% of 50.00, twice", "provenance": "invented",
}  # fmt: skip
DECLINED = {**HELD, "id": "ACME-0", "incident": {**HELD["incident"], "cause": "storm"}, "expected": {"outcome": "none"}}  # type: ignore[dict-item] # a literal of several types
WRONG = {**HELD, "id": "ACME-2", "expected": {"outcome": "held"}}


@pytest.fixture(scope="module", autouse=True)
def _public_rules_read_once() -> Iterator[None]:
    """Reading a rule takes longer than most of what is asked about it, and none of these tests changes one."""
    known = cache(load_policy)

    def read_once(file: Path) -> PolicyDocument:
        return known(file) if file.is_relative_to(BOOK) else load_policy(file)

    with patch.object(rulebook, "load_policy", read_once):
        yield


def kulanz(*words: object) -> Result:
    return CliRunner().invoke(main, ["policy", *map(str, words)], prog_name="kulanz")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """A company's own book: one policy in two versions, with examples of which one no longer holds."""
    folder = tmp_path / "book" / "acme"
    folder.mkdir(parents=True)
    (folder / "1.yaml").write_text("kulanz: 1\nid: acme\nversion: 1\ntitle: Acme, as it was\npay: 5.00 EUR\n")
    (folder / "2.yaml").write_text(OWN)
    (folder / EXAMPLES).write_text(json.dumps([WRONG, DECLINED, HELD]))
    return folder.parent


def test_the_list_has_every_policy_once_in_its_latest_version() -> None:
    listed = json.loads(kulanz("list", "--json").stdout)
    assert [f"{item['policy']}/{item['version']}" for item in listed] == [rule.name for rule in latest_rules(BOOK)]
    assert len(listed) == len({path.parent for path in BOOK.glob("*/1.yaml")})
    every = json.loads(kulanz("list", "--all", "--json").stdout)
    assert len(every) == len(versions(BOOK)) > len(listed)


def test_the_list_for_people_names_what_each_rule_gives_and_how() -> None:
    lines = CliRunner(env={"COLUMNS": "200"}).invoke(main, ["policy", "list"]).stdout.splitlines()
    att = next(line for line in lines if line.startswith("att-2024-02/2"))
    assert all(word in att for word in ("US", "USD (automatic)", "AT&T"))
    assert any(line.startswith("o2de-alice-mail/1") and "manual review" in line for line in lines)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("--kind", "units", "--text", "OUTAGE"), {"kddi-2022-07", "psn-2011", "skype-2015"}),
        (("--kind", "person"), {"o2de-alice-mail"}),
        (("--text", "SWISSCOM"), {"swisscom-2018"}),
    ],
)
def test_the_list_is_filtered_by_kind_and_text(words: tuple[str, ...], found: set[str]) -> None:
    listed = {item["policy"] for item in json.loads(kulanz("list", "--json", *words).stdout)}
    assert found <= listed < {rule.document.policy.id for rule in latest_rules(BOOK)}


def test_the_list_is_filtered_by_where_a_rule_applies(book: Path) -> None:
    for place, is_found in (("FI", True), ("fi", True), ("F", False), ("FI-01", False), ("SE", False)):
        result = kulanz("list", "--json", "--book", book, "--jurisdiction", place)
        assert (bool(json.loads(result.stdout)), result.exit_code) == (is_found, 0 if is_found else 1), place
    (item,) = json.loads(kulanz("list", "--json", "--book", book).stdout)
    assert (item["jurisdiction"], item["in_force"]["from"], item["gives"]) == ("FI", "2024-01-01", ["EUR"])
    assert "rules apply to: FI" in read(kulanz("list", "--book", book, "--jurisdiction", "SE").stdout)
    listed = CliRunner(env={"COLUMNS": "100"}).invoke(main, ["policy", "list", "--book", str(book)])
    assert re.search(r"acme/2 +FI +2024-01-01 to", listed.stdout)


def test_a_folder_without_a_book_is_told_so(tmp_path: Path) -> None:
    result = kulanz("list", "--book", tmp_path)
    assert result.exit_code == 3
    assert "<id>/1.yaml" in result.stderr


def test_a_rule_is_told_whole(book: Path) -> None:
    told = json.loads(kulanz("show", "acme", "--book", book, "--json").stdout)
    assert (told["policy"], told["version"], told["in_force"]["until"]) == ("acme", 2, "2025-12-31")
    assert told["readings"] == [
        {"parameter": "edge", "choice": "strict", "says": "Four full hours are too short.", "is_default": True},
        {"parameter": "edge", "choice": "lenient", "says": "Four full hours will do.", "is_default": False},
    ]
    facts = {fact["name"]: fact for fact in told["facts"]}
    assert list(facts) == ["monthly_fee", "lines", "crew_on_site", "paid_2026", "cause"]
    assert (facts["monthly_fee"]["type"], facts["monthly_fee"]["says"]) == ("amount in EUR", "as billed")
    assert (facts["lines"]["type"], facts["lines"]["required"]) == ("number from 1 to 500", False)
    assert facts["lines"]["says"] == "How many lines the account has."
    assert {facts["crew_on_site"]["source"], facts["cause"]["source"]} == {"incident"}
    assert "each calendar year" in facts["paid_2026"]["type"]
    assert told["excluded"][1] == {
        "outcome": "referred", "reason": "no_crew", "condition": "unless crew_on_site is known", "because": "",
    }  # fmt: skip


def test_what_kulanz_keeps_itself_is_no_column_of_a_list(book: Path) -> None:
    head = "kulanz: 1\nid: acme\nversion: 1\ntitle: Acme\ncurrency: EUR\n"
    kept = "facts:\n  paid: {type: money, per: calendar year, add: amount, says: Paid before.}\n"
    owed = "pay: 5.00 EUR\ncap: {per: calendar year, at: 9 EUR - paid}\n"
    (book / "acme" / "1.yaml").write_text(head + kept + owed)
    (fact,) = json.loads(kulanz("show", "acme/1", "--book", book, "--json").stdout)["facts"]
    assert (fact["name"], fact["source"], fact["adds"], fact["required"]) == ("paid", "history", "amount", False)
    shown = " ".join(kulanz("show", "acme/1", "--book", book).stdout.split())
    assert "kept by Kulanz over incidents, each adds amount. Paid before." in shown


def test_what_is_owed_is_the_policys_own_text_with_its_comments(book: Path) -> None:
    owed = json.loads(kulanz("show", "acme", "--book", book, "--json").stdout)["owed"]
    start, end = OWN.index("values:"), OWN.index("\n\n# the end of")
    assert owed == OWN[start:end]
    assert f"\n  {'  '.join(owed.splitlines(keepends=True))}" in kulanz("show", "acme", "--book", book).stdout


def test_the_example_of_a_rule_is_one_that_holds_and_entitles_somebody(book: Path) -> None:
    told = json.loads(kulanz("show", "acme", "--book", book, "--json").stdout)
    assert told["example"]["id"] == "ACME-1"
    assert told["examples"] == ["ACME-2", "ACME-0", "ACME-1"]
    (held,) = [example for example in read_examples(book / "acme" / EXAMPLES) if example["id"] == "ACME-1"]
    explanation = run(load_policy(book / "acme" / "2.yaml"), held).explanation
    assert explanation == "\n".join(f"{number}. {step}" for number, step in enumerate(told["example"]["steps"], 1))
    assert "Owed: 10% of monthly fee 50.00 EUR times lines 2 = 10.00 EUR." in explanation
    old = json.loads(kulanz("show", "acme/1", "--book", book, "--json").stdout)
    assert old["example"] is None


def test_an_example_that_says_no_more_than_its_money_and_its_past_is_shown_with_both(tmp_path: Path) -> None:
    """What it does not say, such as where it comes from, is left out instead of standing there empty."""
    folder = tmp_path / "acme"
    folder.mkdir()
    (folder / "1.yaml").write_text(
        "kulanz: 1\nid: acme\nversion: 1\ntitle: The second outage\n"
        "facts: {before: {type: number, add: '1'}}\nwhen: before >= 1\npay: 5.00 EUR\n"
    )
    earlier, now = (
        {"windows": [{"start": f"2026-01-0{day}T00:00:00Z", "end": f"2026-01-0{day}T01:00:00Z"}]} for day in (1, 2)
    )
    owed = {"money": [{"amount": "5.00", "currency": "EUR"}]}
    second = {"past": [{"incident": earlier}], "incident": now, "expected": owed}
    first = {"expected": {"outcome": "none"}}
    (folder / EXAMPLES).write_text(json.dumps([{"rule": "acme", **first}, {"rule": "acme", **second}]))
    for shown in (kulanz("show", "acme", "--book", tmp_path), kulanz("page", "--book", tmp_path)):
        assert json.dumps([{"incident": earlier}]) in read(shown.stdout)
        assert "Kept of earlier incidents: before: 1." in shown.stdout
        assert "by hand" not in shown.stdout
        assert "origin" not in shown.stdout
    explained = kulanz("explain", folder / "1.yaml", "--examples", folder / EXAMPLES, "--example", "#2").stdout
    assert explained.startswith("Before, 1: Declined. Reason: ")


@pytest.mark.parametrize("path", versions(BOOK), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_rule_can_be_shown_and_its_own_words_are_all_there(path: Path) -> None:
    name = f"{path.parent.name}/{path.stem}"
    told = json.loads(kulanz("show", name, "--json").stdout)
    shown = kulanz("show", name)
    assert shown.exit_code == 0
    assert told["title"] in read(shown.stdout)
    document = load_policy(path)
    assert [line.partition(":")[0] for line in told["owed"].splitlines() if line[:1].isalpha()] == [
        entry for entry in document.data if entry in OWED
    ]
    assert {fact["name"] for fact in told["facts"]} >= {
        name for name, raw in document.data.get("facts", {}).items() if not (isinstance(raw, dict) and "per" in raw)
    }
    assert all(source in " ".join(shown.stdout.split()) for source in told["sources"])


@pytest.mark.parametrize(
    ("wanted", "help_"), [("at-2024-02", "att-2024-02"), ("att-2024-02/9", "known: 1"), ("zzz", "policy list")]
)
def test_a_rule_that_is_not_there_is_told_with_what_is(wanted: str, help_: str) -> None:
    result = kulanz("show", wanted)
    assert result.exit_code == 3
    assert help_ in read(result.stderr)


def test_a_policy_that_is_named_by_its_file_is_told_how_a_book_names_it(book: Path) -> None:
    (file,) = book.glob("*/1.yaml")
    result = kulanz("show", file)
    assert result.exit_code == 3
    assert f"{file.parent.name}/1 --book {book}" in read(result.stderr)


@pytest.mark.parametrize("rule", latest_rules(BOOK), ids=lambda rule: rule.document.policy.id)
def test_ones_own_policy_begins_as_a_rule_of_the_book_whose_examples_still_hold(rule, tmp_path: Path) -> None:  # type: ignore[no-untyped-def] # a rule of the book
    result = kulanz("new", "acme-own", "--from", rule.document.policy.id, "--into", tmp_path)
    assert result.exit_code == 0, result.output
    file = tmp_path / "acme-own" / "1.yaml"
    ours, theirs = file.read_text(encoding="utf-8"), rule.file.read_text(encoding="utf-8")
    changed = [line for line in ours.splitlines() if line not in theirs.splitlines()]
    assert {line for line in changed if "test: {rule: " not in line} <= {"id: acme-own", "version: 1", ""}
    document = load_policy(file)
    assert (document.policy.id, document.policy.version) == ("acme-own", 1)
    examples = file.parent / EXAMPLES
    assert kulanz("test", file, examples).exit_code == 0
    assert f"{len(rule.examples)} examples hold now" in result.stdout


def test_the_steps_that_new_names_lead_to_a_sealed_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = kulanz("new", "acme-own", "--from", "att-2024-02").stdout
    commands = [line.partition("  #")[0].split()[2:] for line in told.splitlines() if line.startswith("  kulanz")]
    assert [words[0] for words in commands] == ["check", "test", "check", "publish"]
    for words in commands[:-1]:
        assert kulanz(*words).exit_code == 0, words
    file = tmp_path / "acme-own" / "1.yaml"
    assert set(json.loads((tmp_path / "sealed.json").read_text())) == {"acme-own/1"}
    file.write_text(file.read_text().replace("5.00 USD", "6.00 USD"))
    result = kulanz("check", ".")
    assert result.exit_code == 1
    assert "write the change into acme-own/2.yaml" in result.stdout


def test_a_policy_that_belongs_to_its_examples_by_its_id_alone_still_does_under_another(
    book: Path, tmp_path: Path
) -> None:
    for written in (
        OWN.replace("test:\n  rule: ACME\n", ""),
        OWN.replace("  rule: ACME\n", "  defaults: {lines: 2}\n"),
    ):
        (book / "acme" / "2.yaml").write_text(written)
        (book / "acme" / EXAMPLES).write_text(json.dumps([HELD]))
        into = tmp_path / f"own-{len(written)}"
        assert kulanz("new", "other", "--from", "acme", "--book", book, "--into", into).exit_code == 0
        assert kulanz("test", into / "other" / "1.yaml", into / "other" / EXAMPLES).exit_code == 0


def test_without_a_rule_to_start_from_it_begins_as_the_simplest_policy_of_the_guide(tmp_path: Path) -> None:
    assert kulanz("new", "five-dollars", "--into", tmp_path).exit_code == 0
    written = (tmp_path / "five-dollars" / "1.yaml").read_text()
    assert f"```yaml\n{written}```" in (PROJECT / "docs" / "policy-guide.md").read_text(encoding="utf-8")
    assert written == SIMPLEST.format(id="five-dollars")


def test_nothing_that_is_there_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    result = kulanz("new", "acme", "--from", "att-2024-02", "--into", tmp_path)
    assert result.exit_code == 3
    assert "left as it is" in result.stderr
    assert list((tmp_path / "acme").iterdir()) == []


@pytest.mark.parametrize("wrong", ["Acme", "../acme", "acme_own", "-acme", ""])
def test_an_id_that_no_policy_can_have_is_refused_before_anything_is_written(wrong: str, tmp_path: Path) -> None:
    result = kulanz("new", "--into", tmp_path, "--", wrong)
    assert result.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_page_of_the_book_is_as_the_book() -> None:
    result = kulanz("page", "--check", PROJECT / "docs" / "rulebook.md")
    assert result.exit_code == 0, result.stdout


def test_a_page_that_differs_is_told_with_the_command_that_writes_it(tmp_path: Path, book: Path) -> None:
    page = tmp_path / "rulebook.md"
    page.write_text(kulanz("page", "--book", book).stdout, encoding="utf-8")
    assert kulanz("page", "--book", book, "--check", page).exit_code == 0
    (book / "acme" / "2.yaml").write_text(OWN.replace("next bill", "2 billing cycles"))
    result = kulanz("page", "--book", book, "--check", page)
    assert (result.exit_code, "kulanz policy page >" in result.stdout) == (1, True)


def test_the_page_has_every_rule_with_its_example_and_explanation() -> None:
    text = (PROJECT / "docs" / "rulebook.md").read_text(encoding="utf-8")
    for rule in latest_rules(BOOK):
        described = describe(rule)
        assert f"\n## {described.summary.policy}, version {described.summary.version}\n" in text
        assert f"(#{described.summary.policy}-version-{described.summary.version})" in text
        assert described.owed in text
        assert described.example is not None
        assert all(f". {step}\n" in text for step in described.example.steps)


def test_every_public_rule_stands_under_one_industry_and_the_page_under_its_heading() -> None:
    listed = Counter(policy for policies in industries(BOOK).values() for policy in policies)
    assert listed == Counter(rule.document.policy.id for rule in latest_rules(BOOK))
    page = kulanz("page").stdout
    for industry, policies in industries(BOOK).items():
        table = page.partition(f"\n**{industry}**\n")[2].partition("\n\n**")[0].partition("\n## ")[0]
        assert re.findall(r"^\| \[([a-z0-9-]+)\]", table, re.MULTILINE) == sorted(policies)


def test_a_companys_own_book_is_not_called_public_rules(book: Path) -> None:
    page = kulanz("page", "--book", book).stdout
    assert "ublic" not in page
    assert page.startswith("# The rulebook\n\nThe rules of this book")


@pytest.mark.parametrize("content", ["[]", '{"Water": "acme"}', "{"])
def test_industries_that_cannot_be_read_are_named_with_their_file(content: str, book: Path) -> None:
    (book / "industries.json").write_text(content, encoding="utf-8")
    result = kulanz("page", "--book", book)
    assert result.exit_code == 3
    assert "industries.json" in result.stderr
