"""The report that is sent: it states the reconciliation's sums, takes every text for text, and loads nothing."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kulanz.application.campaigns.report import AMOUNTS_SHOWN
from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.campaigns.reconciliation import IN_THE_LEDGER, RowResult
from kulanz.domain.money import format_minor, minor_units
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz.domain.policy.document.frozen import freeze, policy_hash
from kulanz_cli.reconciliation import value_text
from kulanz_cli.report import asked
from kulanz_cli.terminal import plain
from kulanz_console.drawing.figures import figures_of
from kulanz_console.drawing.page import page
from kulanz_console.drawing.pictures import LEAST_HUNDREDTHS, WHOLE_HUNDREDTHS, hundredths
from kulanz_console.drawing.sections import OVERPAID
from kulanz_console.drawing.sources import Sources, readings
from tests.support.dirty_campaign import CAMPAIGN, LINES, dirty_world
from tests.support.small_campaign import CAMPAIGN as SMALL
from tests.support.small_campaign import ROWS, event, sealed_policy, small_world
from tests.support.small_campaign import row as line_of
from tests.support.world import World
from tests.support.world_stack import WorldStack, run
from tests.unit.application.campaigns.test_overpaid import RIGHT, SECOND, overpaying, then

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
VOID = {"meta", "wbr"}
TAGS = VOID | {
    *("html", "head", "title", "style", "body", "main", "header", "footer", "section", "h1", "h2", "h3", "p", "div"),
    *(
        "span",
        "dl",
        "dt",
        "dd",
        "ol",
        "ul",
        "li",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "code",
        "pre",
    ),
    *("bdi", "time", "figure", "figcaption", "svg", "desc", "rect"),
}
"""Every tag that the page may have: none of them runs, loads, sends or asks anything."""
HOSTILE = [
    "<script>alert(1)</script>",
    "</style></title></svg><img src=x onerror=alert(1)>",
    "\"'><a href=https://evil.example/?q=1>x</a>&lt;b&gt;",
    "\u202egnp.exe \u2066 \u200f \x1b[2J \x00 \ud7ff",
    "שלום עולם and مرحبا",
    "w" * 5_000,
    "a_very_long_code_" * 40,
    "<!-- ]]> --> <![CDATA[ x ]]> <?php ?>",
]


@dataclass
class Read(HTMLParser):
    """A page as a program reads it: balanced, with its tables by caption."""

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    tags: Counter[str] = field(default_factory=Counter)
    attributes: list[tuple[str, str, str]] = field(default_factory=list)
    text: str = ""
    large: list[str] = field(default_factory=list)
    style: str = ""

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[str] = []
        self._cells: list[str] = []
        self._rows: list[list[str]] = []
        self._caption = ""
        self._is_large = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in VOID or not self._open or self._open[-1] != "table"
        self.tags[tag] += 1
        assert all(value is not None for _, value in attrs)
        self.attributes += [(tag, name, str(value)) for name, value in attrs]
        assert len({name for name, _ in attrs}) == len(attrs)
        if tag not in VOID:
            self._open.append(tag)
        if tag == "table":
            self._rows, self._caption = [], ""
        if tag == "tr":
            self._rows.append([])
        if tag in ("td", "th"):
            self._rows[-1].append("")
        self._is_large = ("class", "large") in attrs
        if self._is_large:
            self.large.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"{tag} ends what it did not begin"
        self._is_large = False
        if tag == "table":
            self.tables[self._caption] = self._rows

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.style += data
            return
        self.text += data
        if "caption" in self._open:
            self._caption += data
        elif "td" in self._open or "th" in self._open:
            self._rows[-1][-1] += data
        if self._is_large:
            self.large[-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_pi(self, data: str) -> None:
        raise AssertionError(f"an instruction: {data}")

    def unknown_decl(self, data: str) -> None:
        raise AssertionError(f"a declaration: {data}")


def read(text: str) -> Read:
    """Read a page, holding it to what every page keeps."""
    found = Read()
    found.feed(text)
    found.close()
    assert not found._open
    assert set(found.tags) <= TAGS
    assert text.count("<script") == 0
    for tag, name, value in found.attributes:
        assert name not in ("src", "href", "style", "action", "srcset", "data"), (tag, name)
        assert not name.startswith("on"), (tag, name)
        assert not set("/<>") & set(value), (tag, name, value)
    assert not re.search(r"url\(|@import|https?:|<", found.style)
    ids = [value for _, name, value in found.attributes if name == "id"]
    assert len(set(ids)) == len(ids)
    labels = {value for _, name, value in found.attributes if name == "aria-labelledby"}
    assert labels <= set(ids)
    assert (found.tags["h1"], found.tags["html"], found.tags["main"]) == (1, 1, 1)
    assert found.tags["caption"] == found.tags["table"]
    images = [value for _, name, value in found.attributes if (name, value) == ("role", "img")]
    assert found.tags["desc"] == len(images)
    assert found.tags["title"] == len(images) + 1
    return found


@pytest.fixture(scope="module")
def world() -> World:
    return dirty_world()


@pytest.fixture(scope="module")
def sources(world: World) -> Sources:
    return asked(WorldStack(world).door(), CampaignId.parse(CAMPAIGN), NOW)


def changed(sources: Sources, change: Callable[[Any], Any]) -> Sources:
    """The sources after a change of a copy's parts."""
    copied = deepcopy(sources)
    return change(copied) or copied


def in_words(measure: str, size: str) -> str:
    """A sum of the answer as the page's tables have it, worked out on its own."""
    is_money = measure.isupper()
    return f"{Decimal(format_minor(int(size), minor_units(measure))) if is_money else Decimal(size):,}"


def test_every_sum_of_the_reconciliation_is_printed_and_every_row_adds_up(sources: Sources) -> None:
    report = sources.report
    rows = read(page(sources)).tables["Each planned sum is the sum of the others in its row"][1:]
    measures = {"EUR": "EUR", "call_minute": "call minutes"}
    planned = {
        (one["result"], measures[one["measure"]]): in_words(one["measure"], one["sum"])
        for one in report["plan"]["worth"]
    }
    ledger = {
        (one["result"], measures[one["measure"]]): in_words(one["measure"], one["sum"])
        for one in report["in_the_ledger"]["worth"]
    }
    assert {(row[0], row[1]): row[2] for row in rows} == planned
    assert {(row[0], row[1]): row[3] for row in rows} == ledger
    for row in rows:
        first, *others = (Decimal(cell.replace(",", "")) for cell in row[2:])
        assert first == sum(others)
        assert not others[-1]
    for place, name in ((4, "duplicate"), (5, "conflict"), (6, "capped"), (7, "held_since")):
        stated = {
            (one["result"], measures[one["measure"]]): in_words(one["measure"], one["sum"])
            for one in report["apply"]["worth"]
            if one["write_result"] == name
        }
        assert {(row[0], row[1]): row[place] for row in rows if Decimal(row[place].replace(",", ""))} == stated


def test_the_totals_are_those_of_the_ledger_and_come_to_what_was_planned(sources: Sources) -> None:
    figures = figures_of(sources.report)
    ledger = figures.apply.worth(IN_THE_LEDGER)
    expected = []
    for one in figures.totals:
        assert one.granted == ledger.get((RowResult.GRANTED, one.measure), 0)
        assert one.offered == ledger.get((RowResult.OFFERED, one.measure), 0)
        assert one.to_offer == figures.plan.worth()[RowResult.OFFERED, one.measure]
        planned = sum(size for (_, measure), size in figures.plan.worth().items() if measure == one.measure)
        assert one.granted + one.offered + one.held_back == one.planned == planned
        expected += [value_text(one.measure, size) for size in (one.granted, one.offered, one.held_back)]
    found = read(page(sources))
    assert found.large == expected
    assert "935.37 EUR planned, of it 185.58 EUR to offer" in found.text
    assert len(expected) == 3 * 2


def test_every_count_by_reason_is_printed(sources: Sources) -> None:
    *rows, last = read(page(sources)).tables["Lines by result and reason; ledger: lines with a decision"][1:]
    expected = Counter[tuple[str, str]]()
    for one in sources.report["plan"]["results"]:
        expected[one["result"], one["reason"]] += one["lines"]
    assert {(row[0], row[1]): int(row[2]) for row in rows} == expected
    assert int(last[2]) == sources.report["plan"]["lines"]
    assert int(last[3]) == sources.report["in_the_ledger"]["decisions"]


def test_what_earlier_campaigns_gave_too_much_is_read_in_plan_campaign_and_page() -> None:
    world = overpaying()
    then(world, *RIGHT[:2], line_of("a-3", fee="60.00"))
    stack = WorldStack(world)
    for command, line in (("plan", "overpaid 3.00 EUR 0.00 EUR"), ("watch", "overpaid EUR 3.00")):
        shown = [" ".join(text.split()) for text in run(stack, command, SECOND).stdout.splitlines()]
        assert any(words.startswith(line) for words in shown), (command, shown)
    found = read(page(asked(stack.door(), CampaignId.parse(SECOND), NOW)))
    assert f"{OVERPAID} 3.00 EUR" in " ".join(found.text.split())


def test_it_names_no_account_and_says_who_asked_and_who_approved(sources: Sources) -> None:
    text = page(sources)
    assert all(line.account not in text for line in LINES if line.account)
    assert sources.plan is not None
    assert len(sources.plan["largest"]) > 0
    shown = read(text).text
    assert [one["person"] for one in sources.plan["approvals"]] == [
        f"iam:arn:aws:iam::123456789012:user/{name}" for name in ("anna", "ben")
    ]
    for said in ("user/anna", "user/ben", "no person; source billing", sources.plan["plan_hash"]):
        assert said in shown
    pinned = sources.report["list"]
    for said in (sources.report["policy"]["hash"], pinned["key"], pinned["version_id"], "50% of fee"):
        assert said in shown
    assert "This text has the hash of the campaign's policy." in shown
    assert "2026-03-01 09:00:57 UTC" in shown


def _with_hostile(text: str) -> Callable[[Any], Any]:
    """Put a text wherever somebody outside writes one."""

    def change(copied: Any) -> Any:
        report, plan = copied.report, copied.plan
        report["reason"] = report["policy"]["id"] = report["list"]["key"] = text
        report["list"]["version_id"] = report["engine"] = text
        report["limits"]["largest"][text] = report["limits"]["total"]["EUR"] = text
        report["same_outage"]["same_list"].append(text)
        report["differences"] = [{"what": text, "planned": text, "applied": text}]
        for part in ("plan", "apply"):
            for one in report[part]["results"]:
                one["reason"] = text
            for one in report[part]["worth"]:
                one["measure"] = "EUR" if one["measure"] == "EUR" else f"{text} x"
        for one in plan["amounts"]:
            one["reason"] = text
        copied.campaign["opened_by"] = plan["requester"] = plan["source"] = text
        plan["reasons"] = [text]
        plan["exceeded"] = [{"name": text, "figures": text}]
        plan["approvals"][0] |= {"person": text, "limits": [text], "break_glass": text}
        for one in copied.log:
            one["reason"] = one["actor"] = text
        copied.policy["policy"]["title"] = text
        return replace(copied, title=text)

    return change


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_text_wherever_it_stands(sources: Sources, text: str) -> None:
    found = read(page(changed(sources, _with_hostile(text))))
    times = found.text.count(plain(text))
    assert times >= 20
    assert "img" not in found.tags
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\x00-\x09\x0b-\x1f]", found.text)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_any_text_leaves_the_page_whole(sources: Sources, text: str) -> None:
    assert plain(text).strip() in read(page(changed(sources, _with_hostile(text)))).text


def _no_lines(copied: Any) -> None:
    for part in ("plan", "apply"):
        copied.report[part] |= {"lines": 0, "rows": 0, "results": [], "worth": []}
    copied.plan["amounts"] = []


def _many_reasons(copied: Any) -> None:
    (one, *_) = (one for one in copied.report["plan"]["results"] if one["result"] == "granted")
    copied.report["plan"]["results"] = [{**one, "reason": f"reason_{number:02}"} for number in range(24)]
    (found, *_) = copied.plan["amounts"]
    copied.plan["amounts"] = [{**found, "reason": f"reason_{number:02}"} for number in range(24)]


def _unlimited(copied: Any) -> None:
    for part in ("plan", "apply"):
        for one in copied.report[part]["worth"]:
            if one["measure"] == "call_minute":
                one |= {"measure": "internet:3 x billing_cycle:unlimited", "sum": "7"}
    for one in copied.plan["amounts"]:
        if one["measure"] == "call_minute":
            one |= {"measure": "internet:unlimited"}


def _waits(copied: Any) -> None:
    copied.report["state"] = "awaiting_approval"
    copied.report["apply"] |= {"lines": 0, "rows": 0, "results": [], "worth": []}
    copied.plan["approvals"] = []
    copied.plan["exceeded"] = [{"name": "largest EUR", "figures": "63.00 EUR, at most 10.00 EUR"}]


def _many_and_no_plan(copied: Any) -> Any:
    (found, *_) = copied.plan["amounts"]
    copied.report["measured"] = {**copied.report["measured"], "amounts": [found] * AMOUNTS_SHOWN}
    return replace(copied, plan=None)


def _not_measured(copied: Any) -> Any:
    copied.report["measured"] = None
    return replace(copied, is_whole=False, plan=None, policy=None, title="")


CASES: dict[str, tuple[Callable[[Any], Any], list[str]]] = {
    "no line": (_no_lines, ["No line comes to an amount", "No line was looked at.", "No line gets an amount"]),
    "24 reasons": (_many_reasons, ["reason_00", "reason_23", "Pictures of the 6 most frequent of 24"]),
    "unlimited": (_unlimited, ["7 times internet, 3 x billing_cycle:unlimited"]),
    "waits": (
        _waits,
        ["The plan waits for 2 persons; nobody has approved it. Nothing has been granted.", "0.00 EUR",
         "Nobody has approved", "largest EUR", "63.00 EUR, at most 10.00 EUR", "planned, not approved", "nobody"],
    ),
    "more amounts than a report has": (_many_and_no_plan, [f"The first {AMOUNTS_SHOWN} are stated"]),
    "not measured, no plan, no policy": (
        _not_measured, ["too long to measure", "No plan was filed", "no longer published", CAMPAIGN]
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_not_there_is_said(sources: Sources, name: str) -> None:
    change, expected = CASES[name]
    shown = read(page(changed(sources, change))).text
    for text in expected:
        assert text in shown


@pytest.mark.parametrize("state", State)
def test_every_state_has_its_sentence(sources: Sources, state: State) -> None:
    def change(copied: Any) -> None:
        copied.report["state"] = state.value

    found = read(page(changed(sources, change)))
    assert state.value.replace("_", " ") in found.text


def test_more_in_the_ledger_than_planned_is_said_and_is_no_plus(sources: Sources) -> None:
    def change(copied: Any) -> None:
        copied.report["state"] = "flagged"
        for one in copied.report["apply"]["worth"]:
            if (one["measure"], one["write_result"]) == ("EUR", "written"):
                one["sum"] = str(int(one["sum"]) + 1_000_000)

    found = read(page(changed(sources, change)))
    assert "the ledger has more than was planned" in found.text
    assert "-19,561.74 EUR" in found.large
    assert "All is accounted for" not in found.text


def test_a_refused_campaign_says_why_and_that_nothing_was_granted() -> None:
    world = small_world()
    world.publish(event(rows=ROWS + 1))
    world.run_until_quiet()
    assert world.campaign(SMALL).state is State.REFUSED
    shown = read(page(asked(WorldStack(world).door(), CampaignId.parse(SMALL), NOW))).text
    assert "The campaign was refused. Nothing was granted." in shown
    assert world.campaign(SMALL).state_reason in shown
    assert "No plan was filed" in shown


READINGS = """
kulanz: 1
id: choices
version: 1
title: A policy with readings
currency: EUR
parameters:
  scope: {narrow: Only lines, wide: All}
  pace: {slow: Later, fast: At once}
facts: {fee: money}
who:
  - decline: not_now
    when: scope = "narrow" and pace = "slow"
pay: fee
"""


@pytest.mark.parametrize("chosen", [{"scope": "narrow", "pace": "slow"}, {"scope": "wide", "pace": "fast"}])
def test_the_readings_are_those_that_have_the_hash(chosen: dict[str, str]) -> None:
    document = json.loads(sealed_policy(READINGS))
    frozen = freeze(load_policy(READINGS), chosen)
    assert readings(document, policy_hash(frozen)) == chosen
    assert readings(document, "0" * 64) is None
    assert readings({**document, "policy": {}}, policy_hash(frozen)) is None


@given(size=st.integers(0, 10**15), whole=st.integers(1, 10**15))
def test_a_bar_is_seen_and_stays_in_its_place(size: int, whole: int) -> None:
    found = hundredths(min(size, whole), whole)
    assert found == 0 if not size else LEAST_HUNDREDTHS <= found <= WHOLE_HUNDREDTHS


def _files(folder: Path) -> Iterator[str]:
    return (file.name for file in folder.iterdir())


def test_the_command_writes_the_page_whole_or_leaves_what_was_there(world: World, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("what was there")
    result = run(WorldStack(world), "report", f"{CAMPAIGN[:-1]}9", "--html", str(path))
    assert (result.exit_code, path.read_text()) == (3, "what was there")
    result = run(WorldStack(world), "report", CAMPAIGN, "--html", str(path))
    assert result.exit_code == 0
    assert path.read_text().startswith("<!DOCTYPE html>\n<html")
    read(path.read_text())
    result = run(WorldStack(world), "report", CAMPAIGN, "--html", str(tmp_path / "nowhere" / "report.html"))
    assert result.exit_code == 3
    assert "cannot be written" in result.stderr
    assert list(_files(tmp_path)) == ["report.html"]
