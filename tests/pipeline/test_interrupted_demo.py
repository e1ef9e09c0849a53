"""Ctrl-C ends the demo without a word, wherever it is, and leaves no process and no folder behind."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kulanz_local import embedded, subscriber
from kulanz_local.deployment import build
from kulanz_local.embedded import PROJECT
from kulanz_local.interrupt import INTERRUPTED

pytestmark = pytest.mark.ministack

REACH_SECONDS, END_SECONDS = 180, 60
assert 3 * subscriber.STOP_SECONDS + 2 * embedded.STOP_SECONDS < END_SECONDS, "whatever hangs is given up before"


def started_by(mark: str) -> Iterator[str]:
    """The command lines of living processes that were started, however indirectly, with the marked folder on PATH."""
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            if mark.encode() in (folder / "environ").read_bytes():
                yield (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:  # it ended while we looked
            continue


@pytest.mark.parametrize(
    "reached",
    [
        pytest.param(None, id="while it is imported"),
        pytest.param("build the stack", id="while it deploys", marks=pytest.mark.long),
        pytest.param("deploy it", id="while it decides", marks=pytest.mark.long),
        pytest.param("decide 1,000", id="while it publishes again", marks=pytest.mark.long),
    ],
)
def test_ctrl_c_ends_the_demo_quietly_and_leaves_nothing(reached: str | None, tmp_path: Path) -> None:
    build()
    temporary, marked = tmp_path / "tmp", tmp_path / "a-folder-of-no-commands"
    temporary.mkdir()
    marked.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "TMPDIR": str(temporary),
        "PATH": f"{marked}:{os.environ['PATH']}",
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "kulanz_local.interrupt", "kulanz_local.demo", "--accounts", "1000"]
    printed = tmp_path / "printed"
    with printed.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            command, cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + REACH_SECONDS
        while reached is not None and reached not in printed.read_text():
            assert process.poll() is None, printed.read_text()
            assert time.monotonic() < deadline, printed.read_text()
            time.sleep(0.1)
        time.sleep(1.0)  # into the step that follows
        process.send_signal(signal.SIGINT)
        code = process.wait(END_SECONDS)
    finally:
        process.kill()
        process.wait()
    told = printed.read_text()
    assert code in (INTERRUPTED, -signal.SIGINT), told
    assert [line for line in told.splitlines() if line and not line.startswith(("ok ", "Two incidents"))] == []
    assert list(started_by(str(marked))) == []
    assert list(temporary.iterdir()) == []
