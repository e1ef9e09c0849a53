"""How the demo ends, and how it fits its stack to the number of accounts."""

import shlex
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from rich.console import Console

from kulanz_cli.main import main as kulanz
from kulanz_local import demo as module
from kulanz_local.cases import CASES
from kulanz_local.demo import ACCOUNTS_LEAST, ACCOUNTS_MOST, SEED, DemoFailed, Run, how_to_try, main, parameters
from kulanz_local.drive import Overdue
from kulanz_local.embedded import EmbeddedAwsError
from kulanz_local.lists import write_list


@pytest.fixture(autouse=True)
def _signals_as_they_were(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)


def ending(error: Exception | None) -> Callable[..., None]:
    def demo(_accounts: int, _console: Console, *, keep: bool) -> None:
        assert not keep
        if error is not None:
            raise error

    return demo


@pytest.mark.parametrize("error", [DemoFailed("one\nother"), Overdue("too late"), EmbeddedAwsError("no AWS")])
def test_whatever_is_wrong_is_told_and_ends_it_with_1(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "demo", ending(error))
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 1
    assert "The demo failed." in result.stdout
    assert str(error) in result.stdout
    assert "balances" not in result.stdout


def test_it_ends_with_0_when_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "demo", ending(None))
    result = CliRunner().invoke(main, ["--accounts", "20000"])
    assert result.exit_code == 0
    assert "Every book balances." in result.stdout


@pytest.mark.parametrize("accounts", ["0", "999", "many"])
def test_too_few_accounts_to_show_everything_are_refused(accounts: str) -> None:
    assert CliRunner().invoke(main, ["--accounts", accounts]).exit_code == 2


@pytest.mark.parametrize("accounts", [ACCOUNTS_LEAST, 20_000, 1_000_000, ACCOUNTS_MOST])
def test_chunks_stay_within_what_the_template_allows(accounts: int) -> None:
    assert 131_072 <= int(parameters(accounts)["ChunkBytes"]) <= 16_777_216


def test_the_aws_that_is_kept_is_told_with_its_address_and_commands_that_exist(tmp_path: Path) -> None:
    nothing: Any = None
    expected = {CASES[0].incident_id: write_list(CASES[0].maker, ACCOUNTS_LEAST, SEED, tmp_path / "list.csv")}
    run = Run(Console(), nothing, nothing, nothing, expected=expected)
    export, *lines = [line for line in how_to_try(run, "http://127.0.0.1:9").splitlines() if line.startswith("  ")]
    assert {"export", "AWS_ENDPOINT_URL=http://127.0.0.1:9"} <= set(shlex.split(export))
    assert lines
    for line in lines:
        command: click.Command | None = kulanz
        _, *words = shlex.split(line)
        while isinstance(command, click.Group):
            command = command.get_command(click.Context(command), words.pop(0))
        assert command is not None
        command.make_context("kulanz", words)


def test_it_is_kept_when_that_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(module, "demo", lambda _accounts, _console, *, keep: asked.append(keep))
    assert CliRunner().invoke(main, ["--keep"]).exit_code == 0
    assert asked == [True]
