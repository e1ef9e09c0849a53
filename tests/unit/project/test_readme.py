"""The README shows commands that exist and an answer that Kulanz gives, word for word."""

import io
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from kulanz.application.door.accounts import ask_answer
from kulanz.domain.policy import document_json
from kulanz.domain.policy.deciding.checking import load_policy
from kulanz_cli.answers import show_answer
from kulanz_cli.event_file import read_event
from kulanz_cli.main import main
from kulanz_cli.reconciliation import show_reconciliation
from kulanz_cli.terminal import PIPED_COLUMNS
from kulanz_local.drive import shown
from tests.support.fake_bucket import FakePolicies
from tests.support.policy_stack import PolicyStack
from tests.support.world import BUCKET, World

PROJECT = Path(__file__).resolve().parents[3]
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands_of(pages: Sequence[Path]) -> list[str]:
    """Every command line that pages show."""
    found = [block for page in pages for block in blocks(page.read_text(encoding="utf-8"), "console")]
    lines = "\n".join(found).replace("\\\n", " ").splitlines()
    return sorted({line[2:].partition("  #")[0].strip() for line in lines if line.startswith("$ ")})


@pytest.mark.parametrize("line", [line for line in commands_of(PAGES) if line.startswith("make ")])
def test_a_make_command_on_a_page_is_a_target(line: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    words = [word for word in shlex.split(line)[1:] if "=" not in word]
    assert set(words) <= set(targets)


@pytest.mark.parametrize("line", [line for line in commands_of(PAGES) if line.startswith("kulanz ")])
def test_a_kulanz_command_on_a_page_is_one_that_it_understands(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command: click.Command = main
    words = shlex.split(line)[1:]
    while words[0].startswith("--"):  # an option of all commands, with its value
        del words[:2]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found is not None, line
        command = found
    for parameter in command.params:
        if isinstance(parameter.type, click.Path):  # what a page calls yours need not exist here
            monkeypatch.setattr(parameter, "type", click.STRING)
    command.make_context("kulanz", words)


OFFLINE = (
    "kulanz policy check policies", "kulanz policy explain policies/", "kulanz policy list", "kulanz policy show",
    "kulanz list check events/",
)  # fmt: skip
NEED_A_STACK = "kulanz policy list --published"
MADE_ON_THE_WAY = " first/"
"""The reader's own policy, which an earlier command of the same section writes."""


@pytest.mark.parametrize(
    "line",
    [
        line
        for line in commands_of(PAGES[:1])
        if line.startswith(OFFLINE) and not line.startswith(NEED_A_STACK) and MADE_ON_THE_WAY not in line
    ],
)
def test_a_command_of_the_readme_that_needs_no_aws_works(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(PROJECT)
    result = CliRunner().invoke(main, shlex.split(line)[1:])
    assert result.exit_code == 0, result.output


def in_section(page: str, title: str) -> list[str]:
    """The command lines of a section, in their order."""
    text = (PROJECT / page).read_text(encoding="utf-8").partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = "\n".join(blocks(text, "console")).splitlines()
    return [line.removeprefix("$ ") for line in lines if line.startswith("$ kulanz")]


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("README.md", "Policies"),
        ("docs/policy-guide.md", "Starting from the rulebook, and publishing"),
        ("docs/operations.md", "Who may publish policies"),
    ],
)
def test_the_way_from_the_rulebook_to_a_published_policy_can_be_walked_as_it_is_written(
    page: str, title: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command of the section, one after the other, in a folder with the clone's files and a stack in memory."""
    for name in ("policies", "events"):
        (tmp_path / name).symlink_to(PROJECT / name)
    monkeypatch.chdir(tmp_path)
    stack, commands = PolicyStack(FakePolicies()), in_section(page, title)
    assert commands
    for line in commands:
        result = CliRunner().invoke(main, shlex.split(line)[1:], obj=stack)
        assert result.exit_code == 0, f"{line}\n{result.output}"


def names_of_the_template(pattern: str) -> list[str]:
    return re.findall(pattern, (PROJECT / "template.yaml").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("alarm", names_of_the_template(r"^  ([A-Za-z]+)Alarm:$"))
def test_whoever_is_called_by_an_alarm_finds_it_in_the_operations_guide(alarm: str) -> None:
    guide = (PROJECT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert re.search(rf"^\|[^|]*\b{alarm}\b", guide, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_parameter_that_a_page_names_is_one_of_the_template(page: Path) -> None:
    parameters = set(names_of_the_template(r"^  ([A-Za-z]+):$"))
    rows = re.findall(r"^\| ((?:`[A-Z][a-z][A-Za-z]+`(?:, )?)+) \|", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"`([A-Za-z]+)`", row)} <= parameters


FIRST_INCIDENT = "Your own first incident"
LIST = PROJECT / "events" / "acme-2025-10-07.accounts.csv"
EVENT = PROJECT / "events" / "acme-2025-10-07.json"
FIRST_INCIDENT_ID = "acme-2025-10-07"
ASKED = "A-1001"
NEEDS_A_STACK = ("kulanz policy publish", "kulanz send", "kulanz watch", "kulanz plan", "kulanz --profile")


def section(title: str) -> str:
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_the_list_and_the_event_of_the_first_incident_are_the_files_that_the_readme_names() -> None:
    assert blocks(section(FIRST_INCIDENT), "csv") == [LIST.read_text(encoding="utf-8")]
    assert blocks(section(FIRST_INCIDENT), "json") == [EVENT.read_text(encoding="utf-8")]


def test_the_first_incident_can_be_walked_to_the_stack_as_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands that need a stack are walked by the pipeline's tests."""
    for name in ("policies", "events"):
        (tmp_path / name).symlink_to(PROJECT / name)
    monkeypatch.chdir(tmp_path)
    walked = [line for line in in_section("README.md", FIRST_INCIDENT) if not line.startswith(NEEDS_A_STACK)]
    assert len(walked) >= 4
    printed = ""
    for line in walked:
        result = CliRunner().invoke(main, shlex.split(line)[1:])
        assert result.exit_code == 0, f"{line}\n{result.output}"
        printed = result.output
    shown = next(block for block in blocks(section(FIRST_INCIDENT), "console") if "list check" in block)
    assert shown.partition("\n")[2] == printed, f"put this into README.md:\n{printed}"


@pytest.fixture
def first_incident(tmp_path: Path) -> World:
    """The README's incident, decided under the copy of a rule that the README begins with."""
    world = World()
    made = CliRunner().invoke(main, ["policy", "new", "acme-uptime", "--from", "saas-uptime", "--into", str(tmp_path)])
    assert made.exit_code == 0, made.output
    document = load_policy(tmp_path / "acme-uptime" / "1.yaml")
    world.policies.publish(document.policy.id, document.policy.version, document_json(document))
    event = read_event(EVENT)
    place = event["detail"]["campaign"]["affected"]["s3"]
    pinned = {"bucket": BUCKET, **place, "version_id": world.lists.upload(place["key"], LIST.read_bytes())}
    event["detail"]["campaign"]["affected"] = {"s3": pinned, "rows": 5}
    world.publish(event)
    world.run_until_quiet()
    return world


def test_the_worked_answer_in_the_readme_is_what_kulanz_says(first_incident: World) -> None:
    out = io.StringIO()
    answer = first_incident.ask(ASKED, FIRST_INCIDENT_ID)
    show_answer(ask_answer(answer), Console(file=out, width=PIPED_COLUMNS))
    shown = f"$ kulanz ask {ASKED} --incident {FIRST_INCIDENT_ID}\n{out.getvalue()}"
    assert shown in blocks(section("A credit, explained"), "console"), f"put this into README.md:\n{shown}"


def test_the_reconciliation_of_the_first_incident_is_what_kulanz_prints(first_incident: World) -> None:
    out = io.StringIO()
    show_reconciliation(
        shown(first_incident.campaigns.campaigns_of(FIRST_INCIDENT_ID)[0]), Console(file=out, width=PIPED_COLUMNS)
    )
    assert blocks(section(FIRST_INCIDENT), "text") == [out.getvalue()], f"put this into README.md:\n{out.getvalue()}"
