"""Everything that people read fits 80 columns, cuts no id, count or time, and is nothing but text."""

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from kulanz.application.campaigns.control_campaign import cancel, pause
from kulanz.domain.campaigns.campaign import CampaignId, Cause
from kulanz.domain.campaigns.reconciliation import Totals
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
from tests.support.small_campaign import event, sealed_policy
from tests.support.world import World
from tests.support.world_stack import WorldStack, run

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
    world = World()
    text = POLICY.format(id=LONG_ID, title=json.dumps(TITLE))
    (folder / "policy.yaml").write_text(text)
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


def is_address(line: str) -> bool:
    """An address that is longer than a line stands alone and unbroken, so that it can be copied."""
    return len(line.split()) == 1 and "://" in line


def lines_of(*outputs: str) -> Iterator[str]:
    for output in outputs:
        yield from output.splitlines()


COMMANDS = {
    "watch": ["watch", CAMPAIGN],
    "campaigns": ["campaigns", INCIDENT],
    "ask": ["ask", ACCOUNT, "--incident", INCIDENT],
    "ask, by line": ["ask", LINE, "--incident", INCIDENT],
    "ask, rejected": ["ask", "b-2", "--incident", INCIDENT],
    "ask, unknown": ["ask", "Z" * 64],
    "accept": ["accept", ACCOUNT, "--incident", INCIDENT, "--subject", LINE],
    "watch, unknown": ["watch", f"{INCIDENT}/999", "--seconds", "0"],
    "pause": ["pause", CAMPAIGN, "--reason", "r"],
    "policy show": ["policy", "show", "saas-uptime"],
    "policy explain, declined": ["policy", "explain", "FOLDER/policy.yaml", "--fact", "fee=99999.99"],
    "policy explain": ["policy", "explain", "FOLDER/policy.yaml", "--fact", "fee=1.00"],
    "policy check": ["policy", "check", "FOLDER/policy.yaml"],
    "list check": ["list", "check", "FOLDER/l.csv", "--policy", "FOLDER/policy.yaml"],
    "policy list": ["policy", "list"],
    "policy list, published": ["policy", "list", "--published"],
}


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize("columns", [80, 120])
def test_every_output_fits_and_is_text(
    stack: WorldStack, folder: Path, words: list[str], columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "l.csv").write_text(f"account_id,line_id,fee\n{ACCOUNT},{LINE},x\n")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.chdir(folder)
    result = run(stack, *(word.replace("FOLDER/", "") for word in words))
    assert result.exit_code in (0, 1, 3), result.output
    shown = list(lines_of(result.stdout, result.stderr))
    assert shown
    assert [line for line in shown if len(line) > columns and not is_address(line)] == []
    assert not CONTROL.search(result.stdout + result.stderr)


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
    stack, hand = WorldStack(world), Cause("a person", "a ticket", "1")
    pause(CampaignId("net-outage", 1), stack.control(), reason, hand, world.now)
    assert reason in run(stack, "watch", "net-outage/1").stdout
    cancel(CampaignId("net-outage", 1), stack.control(), reason, hand, world.now)
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
