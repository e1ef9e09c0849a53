"""What `kulanz list check` needs for long lists: a process of its own for each, its time and its peak memory."""

import os
import subprocess
import sys
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from bench.stacks import CASE, PROJECT, BenchFailed, written_list

PATTERN_ROWS = 10_000
"""Rows whose facts are repeated; each has an account of its own, because every subject is remembered."""
KULANZ = Path(sys.executable).with_name("kulanz")


@dataclass(frozen=True, slots=True)
class Checked:
    """One check: processor and wall seconds, and the most memory that its process held."""

    rows: int
    cpu_seconds: float
    peak_bytes: int


def checked(rows: int, folder: Path) -> Checked:
    """Check a list of so many rows of the AT&T incident."""
    path = _long_list(rows, folder)
    arguments: list[str | Path] = [KULANZ, "list", "check", path, "--policy", CASE.policy, "--event", CASE.event]
    process = subprocess.Popen(arguments, cwd=PROJECT, stdout=subprocess.DEVNULL)  # noqa: S603 - ourselves
    _, status, usage = os.wait4(process.pid, 0)
    path.unlink()
    if os.waitstatus_to_exitcode(status) not in (0, 1):  # 1: the pattern has rows that are rejected
        raise BenchFailed(f"list check ended with {os.waitstatus_to_exitcode(status)}")
    return Checked(rows, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _long_list(rows: int, folder: Path) -> Path:
    pattern, _ = written_list(PATTERN_ROWS, folder)
    header, *lines = pattern.read_bytes().splitlines()
    facts = [line.partition(b",")[2] for line in lines if line[:6].isdigit()]
    path = folder / f"long-{rows}.csv"
    with path.open("wb", buffering=2**20) as file:
        file.write(header + b"\n")
        file.writelines(b"2%010d,%b\n" % (number, rest) for number, rest in enumerate(islice(cycle(facts), rows)))
    return path
