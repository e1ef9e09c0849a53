"""The file that a shell sources: what it sets, who holds it, and that it goes with its AWS."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kulanz_local import settings_file as module
from kulanz_local.embedded import PROJECT, aws_environment
from kulanz_local.settings_file import content, settings_file

ENDPOINT = "http://127.0.0.1:54321"
COLUMNS = 80


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "PROJECT", tmp_path)
    monkeypatch.setattr(module, "FOLDER", tmp_path / ".kulanz")
    return tmp_path / ".kulanz"


@contextmanager
def other_process() -> Iterator[int]:
    with subprocess.Popen(["sleep", "60"]) as process:  # noqa: S607 - whichever sleep there is
        yield process.pid
        process.kill()


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_a_shell_that_sources_it_reaches_that_aws_and_finds_the_command(shell: str, folder: Path) -> None:
    with settings_file("demo", ENDPOINT) as path:
        script = f". ./{path} && env && command -v python"
        told = subprocess.run(  # noqa: S603 - our own text
            [shell, "-c", script],
            cwd=folder.parent,
            env={"PATH": os.defpath, "AWS_PROFILE": "production"},
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    lines = told.stdout.splitlines()
    assert {f"{name}={value}" for name, value in aws_environment(ENDPOINT).items()} <= set(lines)
    assert lines[-1] == str(PROJECT / ".venvs" / "dev" / "bin" / "python")


def test_the_path_to_type_is_short_and_the_file_is_removed_at_the_end(folder: Path) -> None:
    with settings_file("demo", ENDPOINT) as path:
        assert str(path) == ".kulanz/demo.env"
        assert (folder / "demo.env").read_text() == content(ENDPOINT)
    assert list(folder.iterdir()) == []


def test_the_file_of_a_process_that_still_runs_is_left_alone(folder: Path) -> None:
    folder.mkdir()
    with other_process() as pid:
        held = f"# of process {pid}\n"
        (folder / "demo.env").write_text(held)
        with settings_file("demo", ENDPOINT) as path:
            assert str(path) == ".kulanz/demo-2.env"
        assert (folder / "demo.env").read_text() == held


def test_the_file_of_a_process_that_is_gone_is_written_anew(folder: Path) -> None:
    folder.mkdir()
    with other_process() as pid:
        pass
    (folder / "demo.env").write_text(f"# of process {pid}\n")
    with settings_file("demo", ENDPOINT) as path:
        assert str(path) == ".kulanz/demo.env"


def test_a_process_takes_its_own_file_again(folder: Path) -> None:
    folder.mkdir()
    (folder / "demo.env").write_text(content(ENDPOINT))
    with settings_file("demo", ENDPOINT) as path:
        assert str(path) == ".kulanz/demo.env"
