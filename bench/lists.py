"""How fast `kulanz list prepare` reads, and in how much memory: `python -m bench.lists ROWS...` writes a table.

The file is what a German Excel or CRM writes: semicolons, quotes, decimal commas with points for thousands, days first,
Windows-1252, and columns that nobody needs. Every amount and every day has to be rewritten. 100 million rows are 10 GB.
Each size is measured twice: with 9,000 amounts that come again, and where nearly every row has an amount of its own.
Each size runs in a process of its own, which may address no more than 2 GiB and reports its own peak; writing the file
is not counted.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from decimal import Decimal
from itertools import product
from pathlib import Path

from bench.document import circumstances, table, write_part
from kulanz.domain.money import format_minor
from kulanz_cli.prepare.command import policy_for_lists
from kulanz_cli.prepare.profile import load_profile
from kulanz_cli.prepare.run import prepare

PROJECT = Path(__file__).resolve().parents[1]
POLICY = PROJECT / "policies/saas-uptime/1.yaml"
ROWS_PER_CPU_SECOND_LEAST = 100_000
PEAK_MIB_MOST = 1024
ADDRESS_BYTES_MOST = 2 * 1024**3
"""The limit on the address space of a measured process: what `ulimit -v` sets."""
assert PEAK_MIB_MOST * 1024**2 < ADDRESS_BYTES_MOST, "the goal is below what the process could take"
PATTERN_ROWS = 63_000
"""Rows whose facts are repeated, 9,000 fees and 420 days among them; each row has an account of its own."""
PROFILE = """
kulanz: 1
profile: bench
title: Customers as a German Excel writes them
encoding: windows-1252
dialect: {delimiter: ";"}
schema:
  fields:
    - {name: account_id, from: Kundennummer}
    - {name: subscription, from: Status, values: {Aktiv: active, Probe: trialing}}
    - {name: monthly_fee, from: Gebühr, decimalChar: ",", groupChar: ".", symbols: "$"}
    - {name: since, from: Seit, type: date, format: "%d.%m.%Y"}
"""
DIFFERENT = 9_000_000
"""So many amounts in cents come before one comes again, where nearly every one differs. A prime is the step between
neighbours, so that they are in no order."""
STEP = 7_919
HEADER = ("rows", "amounts", "MB", "seconds", "rows a second", "CPU seconds", "rows a CPU second", "peak MiB", "")


def write(path: Path, rows: int, *, differs: bool) -> int:
    """Write a file of so many rows, and give the sum of its fees in minor units.

    `differs`: nearly every row has a fee of its own.
    """
    if differs:
        return _write_different(path, rows)
    ends, cents = [], []
    for number in range(PATTERN_ROWS):
        status = "Probe" if number % 10 == 0 else "Aktiv"
        major, minor = (number % 9 + 1) * 1000 + number % 1000, number % 100
        day = f"{number % 28 + 1:02d}.{number % 12 + 1:02d}.20{number % 20 + 5:02d}"
        address = f'"Große Straße {number % 1000:03d}, 20095 Hamburg"'
        ends.append(f'";{address};{status};{major // 1000}.{major % 1000:03d},{minor:02d} $;{day}\r\n')
        cents.append(major * 100 + minor)
    with path.open("w", encoding="windows-1252", newline="") as file:
        file.write("Kundennummer;Name;Anschrift;Status;Gebühr;Seit\r\n")
        for first in range(0, rows, PATTERN_ROWS):
            numbers = range(first, min(rows, first + PATTERN_ROWS))
            file.writelines(
                f'K-{number:09d};"Müller; {number:09d}{end}' for number, end in zip(numbers, ends, strict=False)
            )
    whole, rest = divmod(rows, PATTERN_ROWS)
    return whole * sum(cents) + sum(cents[:rest])


def _write_different(path: Path, rows: int) -> int:
    sum_of_cents = 0
    with path.open("w", encoding="windows-1252", newline="") as file:
        file.write("Kundennummer;Name;Anschrift;Status;Gebühr;Seit\r\n")
        for number in range(rows):
            cents = 100_000 + number * STEP % DIFFERENT
            sum_of_cents += cents
            fee = f"{cents // 100_000}.{cents // 100 % 1000:03d},{cents % 100:02d} $"
            day = f"{number % 28 + 1:02d}.{number % 12 + 1:02d}.20{number % 20 + 5:02d}"
            status = "Probe" if number % 10 == 0 else "Aktiv"
            file.write(
                f'K-{number:09d};"Müller; {number:09d}";"Große Straße {number % 1000:03d}, 20095 Hamburg"'
                f";{status};{fee};{day}\r\n"
            )
    return sum_of_cents


def measure(path: Path, rows: int, cents: int) -> None:
    """Prepare a file, and print what it took as JSON."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_BYTES_MOST, ADDRESS_BYTES_MOST))
    policy = policy_for_lists(POLICY)
    profile = load_profile(path.parent / "bench.profile.yaml", policy)
    began, cpu = time.perf_counter(), time.process_time()
    report = prepare([path], profile, policy, path.parent / "out", lambda _: None)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    assert (report.rows_out, report.wrong_rows) == (rows, 0), "the file was not read as it was written"
    [fees] = [told for told in report.columns if told.name == "monthly_fee"]
    assert (fees.before, fees.after) == (Decimal(format_minor(cents, 2)), cents), "the fees were not read as written"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "cpu": cpu_seconds, "peak_mib": peak}))


def main(sizes: list[int]) -> None:
    """Measure each size in a process of its own. Exits with 1 when a goal is missed."""
    lines: list[tuple[str, ...]] = []
    for rows, differs in product(sizes, (False, True)):
        with tempfile.TemporaryDirectory(prefix="kulanz-bench-") as folder:
            path = Path(folder) / "list.csv"
            cents = write(path, rows, differs=differs)
            (path.parent / "bench.profile.yaml").write_text(PROFILE, encoding="utf-8")
            command = [sys.executable, "-m", "bench.lists", "--measure", str(path), str(rows), str(cents)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT)  # noqa: S603 (ours)
            found, size = json.loads(done.stdout), path.stat().st_size / 1e6
        rate = rows / found["cpu"]
        is_reached = rate >= ROWS_PER_CPU_SECOND_LEAST and found["peak_mib"] <= PEAK_MIB_MOST
        lines.append((
            f"{rows:,}", "nearly all different" if differs else "9,000", f"{size:,.0f}",
            f"{found['seconds']:.1f}", f"{rows / found['seconds']:,.0f}",
            f"{found['cpu']:.1f}", f"{rate:,.0f}", f"{found['peak_mib']:.0f}", "reached" if is_reached else "MISSED",
        ))  # fmt: skip
        print("  ".join(lines[-1]), flush=True)
    text = table(HEADER, lines)
    print(text)
    write_part("prepare", f"{circumstances(f'python -m bench.lists {" ".join(map(str, sizes))}')}\n\n{text}")
    if any(line[-1] == "MISSED" for line in lines):
        sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        main([int(rows) for rows in sys.argv[1:]] or [1_000_000])
