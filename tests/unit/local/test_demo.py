"""What the demo prints and how it ends, and how it fits its stack to the number of accounts."""

import json
import shlex
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import click
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from kulanz.domain.campaigns.campaign import CampaignId, State
from kulanz.domain.gate.settings import GateSettings, read_amounts
from kulanz_cli.main import main as kulanz
from kulanz_cli.stack import Stack
from kulanz_local import demo as module
from kulanz_local import drive, settings_file
from kulanz_local.cases import CASES, Case
from kulanz_local.demo import (
    ACCOUNTS_LEAST,
    ACCOUNTS_MOST,
    AUTOMATIC_BELOW,
    SEED,
    DemoFailed,
    Run,
    main,
    parameters,
)
from kulanz_local.drive import Overdue
from kulanz_local.embedded import EmbeddedAwsError
from kulanz_local.gate import Desk
from kulanz_local.interrupt import INTERRUPTED, Terminated
from kulanz_local.lists import write_list
from kulanz_local.persons import NAMES
from kulanz_local.settings_file import NoSettingsFile
from kulanz_local.stories import att_wrong_list, o2_alice, status_page, swisscom, to_the_bill
from tests.support.world import BUCKET, World
from tests.support.world_door import Somebody
from tests.support.world_stack import WorldStack

LINES_MOST = 60
COLUMNS = 80
ENDPOINT = "http://127.0.0.1:54321"
AUTOMATIC = read_amounts(AUTOMATIC_BELOW)
GATE = GateSettings(automatic_below=AUTOMATIC, automatic_monthly=AUTOMATIC)
MACHINE = "role:arn:aws:sts::123456789012:assumed-role/billing/batch"
USERS = "iam:arn:aws:iam::123456789012:user"


BILLED = to_the_bill.Billed(21, 4, {"accepted": "5.00", "applied": "100.00"}, "5.00", Decimal("100.00"))
"""What the story of the bill comes to; `tests/pipeline/test_stories.py` tells it."""


class Listener:
    """The subscriber of a world in memory."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def check(self) -> None: ...

    def _messages(self) -> list[dict[str, Any]]:
        told = [json.loads(message.text) for message in self._world.topic.published]
        return [message for message in told if "incident" not in message]

    def distinct_notices(self) -> Counter[tuple[str, str, str]]:
        known = {
            (message["campaign"], message["kind"], message["locale"], recipient["notice_id"])
            for message in self._messages()
            for recipient in message["recipients"]
        }
        return Counter((campaign, kind, locale) for campaign, kind, locale, _ in known)

    def notices_of(self, campaign: str) -> int:
        return sum(number for audience, number in self.distinct_notices().items() if audience[0] == campaign)

    def deliveries(self) -> int:
        return sum(len(message["recipients"]) for message in self._messages())

    def announcements(self) -> list[tuple[str, dict[str, Any]]]:
        return [(one.detail_type, json.loads(one.detail)) for one in self._world.announcer.announced]


@pytest.fixture(autouse=True)
def _signals_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """The demo's AWS is a world in memory; everything else of the demo is itself."""
    world = World(approvers=(), gate=GATE)

    def completed(_stack: Stack, case: Case, path: Path, rows: int) -> dict[str, Any]:
        version = world.lists.upload(case.key, path.read_bytes())
        event = drive.with_limits(json.loads(case.event.read_text(encoding="utf-8")))
        event["detail"]["campaign"]["affected"] = {
            "s3": {"bucket": BUCKET, "key": case.key, "version_id": version}, "rows": rows,
        }  # fmt: skip
        return event

    run_kulanz = drive.run_kulanz

    def ran(stack: Stack, *arguments: str) -> int:
        code = run_kulanz(stack, *arguments)
        world.run_until_quiet()
        return code

    def stack_of(desk: str) -> WorldStack:
        stack = WorldStack(world)
        stack.desk = Somebody(desk)
        return stack

    deployed = SimpleNamespace(notices_topic_arn="", event_bus_name="")
    aws = SimpleNamespace(endpoint=ENDPOINT)
    monkeypatch.setattr(module, "build", lambda: None)
    monkeypatch.setattr(module, "EmbeddedAws", lambda: nullcontext(aws))
    monkeypatch.setattr(module, "deploy", lambda *_, **__: deployed)
    monkeypatch.setattr(module, "aws_session", lambda: None)
    monkeypatch.setattr(module, "create_persons", lambda _: {"anna": ("key", "secret")})
    monkeypatch.setattr(module, "desks", lambda _: tuple(Desk(name, stack_of(f"{USERS}/{name}")) for name in NAMES))
    monkeypatch.setattr(module, "Subscriber", lambda *_: Listener(world))
    monkeypatch.setattr(drive, "run_kulanz", ran)
    monkeypatch.setattr(drive, "stack_of", lambda _: stack_of(MACHINE))
    monkeypatch.setattr(drive, "completed_event", completed)
    monkeypatch.setattr(drive, "items_in_the_ledger", lambda _: len(world.ledger.inserted))
    monkeypatch.setattr(drive, "wait_until_quiet", lambda *_: None)
    monkeypatch.setattr(drive, "given_up", lambda _: {})
    monkeypatch.setattr(to_the_bill, "tell", lambda _: BILLED)
    monkeypatch.setattr(drive, "situation", lambda *_: "the situation")
    return world


def demo(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["--accounts", str(ACCOUNTS_LEAST), *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.mark.usefixtures("world")
def test_it_ends_with_its_tables_and_one_line_of_what_was_checked_in_at_most_sixty_lines() -> None:
    result = demo()
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert len(lines) <= LINES_MOST
    assert [line for line in lines if len(line) > COLUMNS] == []
    assert "…" not in result.output
    assert set(BILLED.lines()) <= set(lines)
    last = [lines.index(case.title) for case in CASES]
    assert max(place for place, line in enumerate(lines) if line.startswith("ok ")) < min(last)
    assert lines[-1].startswith("All as planted: ")
    assert f"{ACCOUNTS_LEAST:,} decisions" in lines[-1]


def test_two_persons_approve_one_plan_is_rejected_and_made_again_and_one_executes_by_itself(world: World) -> None:
    result = demo()
    assert result.exit_code == 0, result.output
    states = {str(one): world.campaign(str(one)).state for one in world.campaigns.all_campaigns()}
    first, second = (f"{case.incident_id}/1" for case in CASES)
    again = f"{CASES[1].incident_id}/2"
    closed = dict.fromkeys((first, again, str(module.AUTOMATIC)), State.CLOSED)
    assert states == {**closed, second: State.REJECTED}
    persons = {
        name: [one.person.rpartition("/")[2] for one in world.campaigns.actions(CampaignId.parse(name))]
        for name in states
    }
    assert persons[first] == persons[again] == ["anna", "ben"]
    assert (persons[second], persons[str(module.AUTOMATIC)]) == (["anna"], [])
    assert {one for one in result.output.splitlines() if "differs" in one} == set()


@pytest.mark.usefixtures("world")
def test_each_table_has_every_result_that_was_planted(tmp_path: Path) -> None:
    output = demo().output
    for case in CASES:
        expected = write_list(case.maker, ACCOUNTS_LEAST // 2, SEED, tmp_path / case.incident_id)
        table = output.partition(case.title)[2].partition("result   sum of")[0]
        shown = [(*line.split()[:2], line.split()[2]) for line in table.splitlines() if len(line.split()) > 2]
        for (row_result, reason), lines in expected.results().items():
            # a long reason goes on in the line below
            found = [name for result, name, number in shown if (result, number) == (row_result, f"{lines:,}")]
            assert any(reason == name or (reason.startswith(name) and reason[len(name) :] in table) for name in found)


def test_with_stories_more_incidents_are_told_before_the_tables(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int]] = []
    stories = (status_page, o2_alice, swisscom, att_wrong_list)
    for story in stories:
        monkeypatch.setattr(story, "tell", lambda _, accounts, title=story.TITLE: told.append((title, accounts)))
    demo()
    assert told == []
    world.__init__(approvers=(), gate=GATE)  # type: ignore[misc] # a second run, on another AWS
    result = demo("--stories")
    assert result.exit_code == 0, result.output
    assert [title for title, _ in told] == [story.TITLE for story in stories]
    assert "$ kulanz ask " in result.output
    assert result.output.splitlines()[-1].startswith("All as planted: ")


def loses_a_notice(world: World) -> None:
    world.topic.published.pop()


def counts_one_more(world: World) -> None:
    world.ledger.inserted.append(world.ledger.inserted[0])


@pytest.mark.parametrize(
    ("harm", "words"),
    [(loses_a_notice, "distinct notices: planted"), (counts_one_more, "decisions in the table: planted")],
)
def test_anything_that_differs_is_named_and_ends_it_with_1(
    harm: Callable[[World], None], words: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced = module._announced

    def harmed(run: Run) -> Any:
        campaigns = announced(run)
        harm(world)
        return campaigns

    monkeypatch.setattr(module, "_announced", harmed)
    monkeypatch.setattr(module, "_wait_for_notices", lambda *_: None)
    result = demo()
    assert result.exit_code == 1
    assert "The demo failed." in result.output
    assert words in result.output
    assert "All as planted" not in result.output


def ending(error: BaseException) -> Callable[..., None]:
    def demo(_accounts: int, _console: Console, *, stories: bool, keep: bool) -> None:
        assert not keep
        assert not stories
        raise error

    return demo


FAILURES = [
    DemoFailed("one\nother"), Overdue("too late"), EmbeddedAwsError("no AWS"), NoSettingsFile("full"),
    Terminated("ended"),
]  # fmt: skip


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_whatever_is_wrong_is_told_and_ends_it_with_1(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "demo", ending(error))
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 1
    assert "The demo failed." in result.stdout
    assert str(error) in result.stdout


def test_ctrl_c_ends_it_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "demo", ending(KeyboardInterrupt()))
    result = CliRunner().invoke(main, [])
    assert (result.exit_code, result.output) == (INTERRUPTED, "")


def test_ctrl_c_in_the_middle_says_nothing_about_the_situation(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "_wait_for_notices", interrupted)
    result = demo()
    assert result.exit_code == INTERRUPTED
    assert "the situation" not in result.output
    assert world.ledger.inserted, "it was in the middle of its work"


@pytest.mark.parametrize("accounts", ["0", "999", "many"])
def test_too_few_accounts_to_show_everything_are_refused(accounts: str) -> None:
    assert CliRunner().invoke(main, ["--accounts", accounts]).exit_code == 2


@pytest.mark.parametrize("accounts", [ACCOUNTS_LEAST, 20_000, 1_000_000, ACCOUNTS_MOST])
def test_chunks_stay_within_what_the_template_allows(accounts: int) -> None:
    assert 131_072 <= int(parameters(accounts)["ChunkBytes"]) <= 16_777_216


@pytest.mark.usefixtures("world")
def test_the_aws_that_is_kept_is_reached_by_a_file_and_commands_that_exist(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_file, "PROJECT", tmp_path)
    monkeypatch.setattr(settings_file, "FOLDER", tmp_path / ".kulanz")
    written: list[Path] = []

    def interrupted(_: object) -> None:
        written.extend((tmp_path / ".kulanz").iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr("threading.Event.wait", interrupted)
    result = demo("--keep")
    assert result.exit_code == 0, result.output
    shown = result.output.partition("In another terminal, in this folder:\n\n")[2].splitlines()
    assert [line for line in shown if len(line) > COLUMNS] == []
    source, *lines = shown
    assert source == "  source .kulanz/demo.env"
    assert sorted(written) == [tmp_path / ".kulanz" / name for name in ("demo.credentials", "demo.env")]
    assert not any(path.exists() for path in written), "the files go with their AWS"
    assert lines
    for line in lines:
        command: click.Command | None = kulanz
        _, *words = shlex.split(line)
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None
        command.make_context("kulanz", words)
