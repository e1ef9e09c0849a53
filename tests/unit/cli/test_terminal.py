"""Everything that people read fits 80 columns, cuts no id, count or time, and is nothing but text."""

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from kulanz.application.ports import Rejection
from kulanz.domain.campaigns.campaign import CampaignId
from kulanz.domain.campaigns.reconciliation import Totals
from kulanz_cli import send
from kulanz_cli.groups import walk
from kulanz_cli.main import main
from kulanz_cli.terminal import (
    PIPED_COLUMNS,
    Column,
    block,
    command,
    console,
    counted_as,
    labelled,
    plain,
    say,
    table,
)
from tests.support.healthy_aws import HealthyAws
from tests.support.received import configure, receive
from tests.support.small_campaign import event, sealed_policy
from tests.support.sources import SAMPLES, body_of
from tests.support.world import START, World
from tests.support.world_stack import WorldStack, run
from tests.unit.cli.test_sending import Clients

INCIDENT = "i" * 64
ACCOUNT, LINE = "A" * 64, "L" * 64
CAMPAIGN = f"{INCIDENT}/1"
HOSTILE = "[/x] [b]b[/b] [link=https://evil.example]l[/link] \x1b]0;pwned\x07\x1b[2J\x9b31m\x85\u2028\u202e\u2066"
TITLE = f"A title {HOSTILE} and {'some words ' * 6}"
POLICY = """\
kulanz: 1
id: {id}
version: 1
title: {title}
currency: EUR
subject: line_id
facts:
  fee: money
who:
  - decline: a_reason_of_the_greatest_length_that_is_a_code
    when: fee = 1.00 EUR
    because: {title}
pay: fee
give: {{quantity: 123456, unit: unit_of_some_length}}
due: next bill
"""
LONG_ID = "p" * 64
PROFILE = """\
kulanz: 1
profile: crm
title: Accounts as the CRM writes them
schema:
  fields:
    - {name: account_id, from: Konto}
    - {name: line_id, from: Anschluss}
    - {name: fee, from: Preis}
"""
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
BIG = 123_456_789


def enlarged(totals: Totals) -> Totals:
    """The totals of a list of nine-digit counts."""
    found = Totals(lines=totals.lines * BIG)
    found.counts.update({key: number * BIG for key, number in totals.counts.items()})
    found.sums.update({key: value * BIG for key, value in totals.sums.items()})
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("f")


@pytest.fixture(scope="module")
def stack(folder: Path) -> WorldStack:
    """A stack with the longest ids, nine-digit counts, and hostile text wherever somebody may write text."""
    world = World(now=START + timedelta(microseconds=123_456))
    text = POLICY.format(id=LONG_ID, title=json.dumps(TITLE))
    (folder / "policy.yaml").write_text(text)
    ids = ", ".join(f"'sso:{letter * 64}'" for letter in "abc")
    (folder / "people.yaml").write_text(f"kulanz_people: 1\nversion: 1\npersons:\n  {LONG_ID}:\n    ids: [{ids}]\n")
    (folder / "discretion.yaml").write_text(
        f"kulanz_discretion: 1\nversion: 1\nzone: UTC\nreasons: {{{'r' * 40}: {{title: {'t' * 100}}}}}\n"
        f"goodwill: {{{'u' * 60}: {{two: {{decision: 5, person_month: {10**12 - 1}, account_month: {10**12 - 1}}}}}}}\n"
    )
    world.policies.publish(LONG_ID, 1, sealed_policy(text))
    rows = [f"{ACCOUNT},{LINE},99999.99", f"{ACCOUNT},second,1.00", "b-1,l-1,", "b-2,l-2,x", "b-2,l-2"]
    world.lists.upload("lists/l.csv", ("account_id,line_id,fee\n" + "\n".join(rows) + "\n").encode())
    title = "An incident [/x] [b]with markup[/b] \u202ereversed"
    world.publish(event(key="lists/l.csv", rows=len(rows), policy=LONG_ID, incident_id=INCIDENT, title=title))
    world.run_until_quiet()
    assert str(world.campaign(CAMPAIGN).state) == "closed"
    stored = world.campaigns._campaigns[CampaignId.parse(CAMPAIGN)]
    known = stored.campaign
    stored.campaign = replace(
        known,
        state_reason=f"balanced: {HOSTILE}",
        plan=replace(known.plan, totals=enlarged(known.plan.totals)),
        apply=replace(known.apply, totals=enlarged(known.apply.totals)),
    )
    return WorldStack(world)


def stands_alone(line: str) -> bool:
    """An address or a path that is longer than a line stands alone and unbroken, so that it can be copied."""
    return len(line.removesuffix(" \\").split()) == 1


def lines_of(*outputs: str) -> Iterator[str]:
    for output in outputs:
        yield from output.splitlines()


DRAFT = "it-0a1b2c3d4e5f-voice"
COMMANDS = {
    "watch": ["watch", CAMPAIGN],
    "campaigns": ["campaigns", INCIDENT],
    "campaigns, waiting": ["campaigns"],
    "campaigns, month": ["campaigns", "--month", "2026-03"],
    "incidents": ["incidents", "--month", "2026-03"],
    "incidents, none": ["incidents", "--month", "2020-01"],
    "log": ["log", CAMPAIGN],
    "log, of somebody": ["log", "--person", "iam:nobody"],
    "log, day": ["log", "--day", "2026-03-01", "--limit", "1"],
    "ask": ["ask", ACCOUNT, "--incident", INCIDENT],
    "ask, by line": ["ask", LINE, "--incident", INCIDENT],
    "ask, rejected": ["ask", "b-2", "--incident", INCIDENT],
    "ask, unknown": ["ask", "Z" * 64],
    "accept": ["accept", ACCOUNT, "--incident", INCIDENT, "--subject", LINE],
    "watch, unknown": ["watch", f"{INCIDENT}/999", "--seconds", "0"],
    "halt": ["halt", "--reason", "r"],
    "halt, shown": ["halt"],
    "lift": ["lift", "--reason", "r"],
    "pause": ["pause", CAMPAIGN, "--reason", "r"],
    "resume": ["resume", CAMPAIGN, "--reason", "r"],
    "cancel": ["cancel", CAMPAIGN, "--reason", "r"],
    "plan": ["plan", CAMPAIGN],
    "plan, unknown": ["plan", f"{INCIDENT}/999"],
    "budget": ["budget"],
    "budget, shown": ["budget", "show", "--since", "2026-01"],
    "budget, set": ["budget", "set", "EUR", "2026-03", "123456789.99", "--reason", "r"],
    "budget reserved": ["budget", "reserved", CAMPAIGN],
    "budget settle": ["budget", "settle", CAMPAIGN, "--granted", "EUR=123456789.99", "--reason", "r"],
    "budget, removed": ["budget", "remove", "EUR", "2026-04", "--reason", "r"],
    "approve": ["approve", CAMPAIGN, "--plan", "0" * 12],
    "reject": ["reject", CAMPAIGN, "--plan", "0" * 12, "--reason", "r"],
    "replan": ["replan", CAMPAIGN, "--reason", "r"],
    "report": ["report", CAMPAIGN, "--html", "FOLDER/new/report.html"],
    "report, unknown": ["report", f"{INCIDENT}/999", "--html", "FOLDER/new/report.html"],
    "export": ["export", CAMPAIGN, "--to", "FOLDER/new/rows.csv", "--seconds", "0"],
    "export, unknown": ["export", f"{INCIDENT}/999", "--to", "FOLDER/new/rows.csv"],
    "month": ["month", "2026-03"],
    "deliveries": ["deliveries"],
    "deliveries, campaign": ["deliveries", "--campaign", CAMPAIGN],
    "deliveries, unknown": ["deliveries", "--one", f"{'b' * 32}/99999999"],
    "acknowledge": ["acknowledge", "FOLDER/l.csv", "--channel", "b" * 32],
    "acknowledgements": ["acknowledgements", "--channel", "b" * 32],
    "overdue": ["overdue"],
    "void": ["void", CAMPAIGN, "--reason", "r"],
    "void, some": ["void", CAMPAIGN, "--account", ACCOUNT, "--reason", "r"],
    "voids": ["void", CAMPAIGN],
    "settle-void": ["settle-void", CAMPAIGN, LONG_ID, "--plan", "0" * 12, "--reason", "r"],
    "end": ["end", CAMPAIGN, "--keep", "--reason", "r"],
    "end, void": ["end", CAMPAIGN, "--void-unused", "--reason", "r"],
    "approve-void": ["approve-void", CAMPAIGN, LONG_ID, "--plan", "0" * 12],
    "reject-void": ["reject-void", CAMPAIGN, LONG_ID, "--plan", "0" * 12, "--reason", "r"],
    "settle": ["settle", CAMPAIGN, "--reason", "r"],
    "cases": ["cases"],
    "cases, campaign": ["cases", CAMPAIGN],
    "cases, one": ["cases", CAMPAIGN, ACCOUNT],
    "decide": ["decide", CAMPAIGN, ACCOUNT, "--decline", "--reason", LONG_ID],
    "approve-case": ["approve-case", CAMPAIGN, ACCOUNT, "--case", "0" * 12],
    "reject-case": ["reject-case", CAMPAIGN, ACCOUNT, "--case", "0" * 12, "--reason", "r"],
    "credits": ["credits", CAMPAIGN],
    "credits, written off": [
        *("credits", CAMPAIGN, "--write-off", "0" * 32, "--account", ACCOUNT, "--reason", "r"),
    ],
    "deliver": ["deliver", CAMPAIGN, "--reason", "r"],
    "resend": ["resend", CAMPAIGN, "--reason", "r"],
    "advance": ["advance", CAMPAIGN],
    "advance, unknown": ["advance", f"{INCIDENT}/999"],
    "notices rebuild": ["notices", "rebuild", CAMPAIGN],
    "notices status": ["notices", "status", INCIDENT],
    "redrive incidents": ["redrive", "incidents"],
    "redrive chunks": ["redrive", "chunks"],
    "rejected": ["rejected"],
    "rejected, rows": ["rejected", CAMPAIGN],
    "log, an incident": ["log", "--incident", INCIDENT],
    "log, a policy": ["log", "--policy", LONG_ID],
    "people check": ["people", "check", "FOLDER/people.yaml"],
    "people publish": ["people", "publish", "FOLDER/people.yaml"],
    "people show": ["people", "show"],
    "discretion check": ["discretion", "check", "FOLDER/discretion.yaml"],
    "discretion publish": ["discretion", "publish", "FOLDER/discretion.yaml"],
    "discretion show": ["discretion", "show"],
    "goodwill": ["goodwill", ACCOUNT, "999999.999999", "u" * 60, "--reason", "r" * 40, "--ticket", "T" * 64],
    "goodwill, refused": ["goodwill", ACCOUNT, "1.00", "EUR", "--reason", "r" * 40, "--id", "T" * 64],
    "goodwill, waiting": ["goodwill"],
    "approve-goodwill": ["approve-goodwill", "T" * 64],
    "reject-goodwill": ["reject-goodwill", "T" * 64, "--reason", "r"],
    "ledger check": ["ledger", "check", CAMPAIGN],
    "ledger confirm": ["ledger", "confirm", "--first", "--reason", "r"],
    "send": ["send", "FOLDER/event.json", "--list", "FOLDER/l.csv"],
    "send, on the bus": ["send", "FOLDER/event.json", "--list", "FOLDER/l.csv", "--bus"],
    "doctor": ["doctor"],
    "policy show": ["policy", "show", "saas-uptime"],
    "policy explain, declined": ["policy", "explain", "FOLDER/policy.yaml", "--fact", "fee=99999.99"],
    "policy explain": ["policy", "explain", "FOLDER/policy.yaml", "--fact", "fee=1.00"],
    "policy check": ["policy", "check", "FOLDER/policy.yaml"],
    "policy test": ["policy", "test", "FOLDER/policy.yaml", "FOLDER/examples.json", "--all"],
    "policy new": ["policy", "new", LONG_ID, "--into", "FOLDER/new"],
    "policy new, from the book": ["policy", "new", "p" * 63, "--from", "saas-uptime", "--into", "FOLDER/new"],
    "policy publish": ["policy", "publish", "FOLDER/policy.yaml"],
    "policy publish, other content": ["policy", "publish", "FOLDER/other.yaml"],
    "list check": ["list", "check", "FOLDER/l.csv", "--policy", "FOLDER/policy.yaml"],
    "list prepare": [
        *("list", "prepare", "FOLDER/export.csv", "--profile", "FOLDER/crm.profile.yaml"),
        *("--policy", "FOLDER/policy.yaml", "--into", "FOLDER/new/list"),
    ],
    "list profile": [
        *("list", "profile", "FOLDER/export.csv", "--policy", "FOLDER/policy.yaml"),
        *("--into", "FOLDER/new/crm.profile.yaml"),
    ],
    "drafts": ["drafts", "--month", "2026-03"],
    "draft": ["draft", DRAFT],
    "draft, confirmed": ["draft", DRAFT, "--confirm", "--draft", "0" * 12, "--windows", "major"],
    "draft, unknown": ["draft", f"it-{'0' * 32}-voice"],
    "source check": ["source", "check", "FOLDER/sources.yaml", "--payload", "FOLDER/delivery.json"],
    "source check, wrong": ["source", "check", "FOLDER/people.yaml"],
    "source publish": ["source", "publish", "FOLDER/sources.yaml"],
    "source show": ["source", "show"],
    "source play": [
        *("source", "play", "FOLDER/delivery.json", "--source", "it", "--kind", "aws_health", "--secret", "s")
    ],
    "policy list": ["policy", "list"],
    "policy list, published": ["policy", "list", "--published"],
}
DOCUMENTS = {("policy", "page"), ("policy", "schema"), ("list", "schema")}
"""They print a file for another program, with lines as long as they are."""
SERVES = {("console",)}
"""What serves until Ctrl-C, and prints one address."""
WHOLE = re.compile("|".join(f"{letter}{{9,}}" for letter in sorted({*INCIDENT, *ACCOUNT, *LINE, *LONG_ID})))
"""Of ids that are one letter 63 or 64 times, what is shown of them."""
CUT_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]*(?=[\s,;]|$)", re.MULTILINE)
"""An instant without the zone at its end."""
FRACTION = re.compile(r"T\d\d:\d\d:\d\d\.\d")
"""An instant with a part of a second, which is for programs."""
AS_STATED = ("draft", "source")
"""They show times as their source states them."""


def test_every_command_is_looked_at() -> None:
    looked_at = {words for words, _ in walk(main) for shown in COMMANDS.values() if tuple(shown[: len(words)]) == words}
    assert {words for words, _ in walk(main)} - looked_at == DOCUMENTS | SERVES


def refused() -> Rejection:
    """An event that was refused, with everything as long and as hostile as somebody outside can make it."""
    return Rejection(
        "event_invalid", f"campaign.{'f' * 50}", f"expected {HOSTILE}", HOSTILE, "Incident Declared", INCIDENT,
        "rejected/1.json", START,
    )  # fmt: skip


class Tables:
    """The account has the tables of an earlier stack."""

    def get_paginator(self, _: str) -> Any:
        pages = [{"TableNames": [f"kulanz-CreditsTable-{'T' * 64}"]}]
        return SimpleNamespace(paginate=lambda: pages)


def hostile_delivery() -> Any:
    """An outage whose title and names are as long and as hostile as somebody outside can make them."""
    body = body_of("statuspage", "outage-resolved")
    body["incident"]["name"] = HOSTILE * 20
    for component in body["incident"]["components"]:
        component["name"] = HOSTILE
    return body


def files(folder: Path) -> None:
    """What the commands read from files: a list, an event, examples, another policy under a published version."""
    (folder / "l.csv").write_text(f"account_id,line_id,fee\n{ACCOUNT},{LINE},x\n")
    (folder / "export.csv").write_text(f"Konto,Anschluss,Preis\n{ACCOUNT},{LINE},1.00\n{ACCOUNT},second,x\n")
    (folder / "crm.profile.yaml").write_text(PROFILE)
    sent = event(key="lists/l.csv", rows=1, policy=LONG_ID, incident_id=INCIDENT)
    del sent["id"], sent["detail"]["campaign"]["affected"]
    (folder / "event.json").write_text(json.dumps(sent))
    stated = {
        "id": "e" * 40,
        "rule": "r",
        "account": {"fee": "1.00"},
        "incident": {},
        "expected": {"money": "2.00 EUR"},
    }
    (folder / "examples.json").write_text(json.dumps([stated]))
    (folder / "delivery.json").write_text(json.dumps(hostile_delivery()))
    (folder / "sources.yaml").write_text((SAMPLES / "statuspage/configuration.yaml").read_text())
    (folder / "other.yaml").write_text(f"kulanz: 1\nid: {LONG_ID}\nversion: 1\ntitle: Other\npay: 6.00 EUR\n")


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("columns", [80, 120])
def test_every_output_fits_and_is_text(
    stack: WorldStack, folder: Path, words: list[str], columns: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    files(folder)
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(folder)
    stack.world.rejected.sent[:] = [refused()]
    stack._clients = {"dynamodb": Tables()}
    configure(stack.served, "statuspage")
    receive(stack.served, hostile_delivery(), {"no": "delivery"})
    if words[0] == "send":  # for no other: what imports it only now would keep this one for good
        monkeypatch.setattr(send, "upload_file", Clients.upload)
        stack = WorldStack(stack.world.copy())
        stack._clients = dict.fromkeys(("s3", "events"), Clients(stack.world))
    given = [word.replace("FOLDER/new", str(tmp_path)).replace("FOLDER/", "") for word in words]
    result = run(HealthyAws() if words == ["doctor"] else stack, *given)
    assert result.exit_code in (0, 1, 3), result.output
    shown = list(lines_of(result.stdout, result.stderr))
    assert shown
    assert [line for line in shown if len(line) > columns and not stands_alone(line)] == []
    assert not CONTROL.search(result.stdout + result.stderr)
    assert {len(found) for found in WHOLE.findall(result.output)} <= {63, 64}, "an id is cut"
    assert CUT_INSTANT.findall(result.output) == []
    assert words[0] in AS_STATED or [line for line in shown if FRACTION.search(line)] == []
    assert "…" not in result.output


def test_ids_counts_and_times_are_whole_on_a_narrow_terminal(
    stack: WorldStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    watched = run(stack, "watch", CAMPAIGN).stdout
    assert all(part in watched for part in (CAMPAIGN, f"{BIG:,}", f"{99999 * BIG + BIG:,}"[:6]))
    listed = run(stack, "campaigns", INCIDENT).stdout
    assert CAMPAIGN in listed
    assert f"{5 * BIG:,}" in listed
    answered = run(stack, "ask", ACCOUNT, "--incident", INCIDENT).stdout
    assert all(part in answered for part in (ACCOUNT, LINE, INCIDENT, CAMPAIGN, LONG_ID))
    assert re.search(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", answered)


@pytest.mark.parametrize("reason", ["see [/OPS-12]", "ticket [ops-12]", "[link=https://evil.example]look[/link]"])
def test_a_reason_is_shown_as_it_was_written(reason: str) -> None:
    world = World()
    world.policies.publish("p", 1, sealed_policy("kulanz: 1\nid: p\nversion: 1\ntitle: T\npay: 5.00 EUR\n"))
    world.lists.upload("lists/1.csv", b"account_id\na-1\n")
    world.publish(event(key="lists/1.csv", rows=1, policy="p"))
    world.run(world.steps()[0])
    stack = WorldStack(world)
    assert run(stack, "pause", "net-outage/1", "--reason", reason).exit_code == 0
    assert reason in run(stack, "watch", "net-outage/1").stdout
    assert run(stack, "cancel", "net-outage/1", "--reason", reason).exit_code == 0
    assert reason in run(stack, "watch", "net-outage/1").stdout


@given(st.text())
def test_any_text_is_one_line_that_a_terminal_only_shows(text: str) -> None:
    assert not CONTROL.search(plain(text))
    assert "\n" not in plain(text)
    assert plain(plain(text)) == plain(text)


WORDS = st.lists(st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=70), max_size=9)


@given(words=WORDS, name=st.text("ab", min_size=1, max_size=12))
def test_no_word_is_ever_cut(words: list[str], name: str) -> None:
    text = " ".join(words)
    columns = [Column(name, is_label=True), Column("n", is_number=True)]
    shows: Sequence[Callable[[Console], None]] = (
        lambda out: say(out, text),
        lambda out: labelled(out, name, text),
        lambda out: block(out, text),
        lambda out: command(out, words or ["x"]),
        lambda out: table(out, columns, [[word, "1"] for word in words]),
    )
    for show in shows:
        printed = io.StringIO()
        show(Console(width=PIPED_COLUMNS, file=printed))
        shown = printed.getvalue()
        assert all(len(line) <= PIPED_COLUMNS for line in shown.splitlines())
        assert set(words) <= set(shown.split())


@given(
    edge=st.integers(0, 6),
    words=st.text("ab", min_size=1, max_size=9),
    blanks=st.integers(0, 9),
    more=st.integers(0, 4),
)
def test_a_line_keeps_its_own_indentation_and_blanks_behind_it_say_nothing(
    edge: int, words: str, blanks: int, more: int
) -> None:
    printed = io.StringIO()
    block(Console(width=PIPED_COLUMNS, file=printed), f"{' ' * edge}{words}{' ' * blanks}\nz", indent=more)
    assert [line.rstrip() for line in printed.getvalue().splitlines()] == [
        " " * (more + edge) + words,
        " " * more + "z",
    ]


def test_a_pipe_has_80_columns_and_states_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert console().width == PIPED_COLUMNS == 80
    monkeypatch.setenv("COLUMNS", "132")
    assert console().width == 132


@pytest.mark.parametrize(("number", "told"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (1_204, "1,204 rows")])
def test_one_is_not_many(number: int, told: str) -> None:
    assert counted_as(number, "row") == told


def test_json_is_the_same_text_for_a_program_and_harmless_on_a_terminal(stack: WorldStack) -> None:
    shown = run(stack, "ask", ACCOUNT, "--incident", INCIDENT, "--json").stdout
    assert not CONTROL.search(shown)
    assert any("\x1b]0;pwned" in step for step in json.loads(shown)["decisions"][0]["steps"])
