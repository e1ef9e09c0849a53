"""How fast `kulanz list prepare` reads, and in how much memory: `python -m bench.lists ROWS...` prints a table.

The file is what a German Excel or CRM writes: semicolons, quotes, decimal commas with points for thousands, days first,
Windows-1252. Every amount and every day has to be rewritten. Each size runs in a process of its own, which reports its
own peak; writing the file is not counted.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from kulanz_cli.prepare.command import policy_for_lists
from kulanz_cli.prepare.profile import load_profile
from kulanz_cli.prepare.run import prepare

PROJECT = Path(__file__).resolve().parents[1]
POLICY = PROJECT / "policies/saas-uptime/1.yaml"
ROWS_PER_SECOND_LEAST = 100_000
PEAK_MIB_MOST = 1024
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


def write(path: Path, rows: int) -> None:
    """Write a file of so many rows."""
    with path.open("w", encoding="windows-1252", newline="") as file:
        file.write("Kundennummer;Name;Status;Gebühr;Seit\r\n")
        for number in range(rows):
            status = "Probe" if number % 10 == 0 else "Aktiv"
            fee = f"{number % 9 + 1}.{number % 1000:03d},{number % 100:02d} $"
            day = f"{number % 28 + 1:02d}.{number % 12 + 1:02d}.20{number % 20 + 5:02d}"
            file.write(f'K-{number:09d};"Müller; {number}";{status};{fee};{day}\r\n')


def measure(path: Path, rows: int) -> None:
    """Prepare a file, and print what it took as JSON."""
    policy = policy_for_lists(POLICY)
    profile = load_profile(path.parent / "bench.profile.yaml", policy)
    began, cpu = time.perf_counter(), time.process_time()
    report = prepare([path], profile, policy, path.parent / "out", lambda _: None)
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    assert (report.rows_out, report.wrong_rows) == (rows, 0), "the file was not read as it was written"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"rows": rows, "seconds": seconds, "cpu": cpu_seconds, "peak_mib": peak}))


def main(sizes: list[int]) -> None:
    """Measure each size in a process of its own."""
    print("| rows | MB | seconds | rows a second | CPU seconds | peak MiB |\n|---:|---:|---:|---:|---:|---:|")
    for rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "list.csv"
            write(path, rows)
            (path.parent / "bench.profile.yaml").write_text(PROFILE, encoding="utf-8")
            command = [sys.executable, "-m", "bench.lists", "--measure", str(path), str(rows)]
            done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=PROJECT)  # noqa: S603 (ours)
            found = json.loads(done.stdout)
            rate = rows / found["seconds"]
            size = path.stat().st_size / 1e6
            print(
                f"| {rows:,} | {size:,.0f} | {found['seconds']:.1f} | {rate:,.0f} | {found['cpu']:.1f} |"
                f" {found['peak_mib']:.0f} |"
            )
            if rate < ROWS_PER_SECOND_LEAST or found["peak_mib"] > PEAK_MIB_MOST:
                print("the goal is missed", file=sys.stderr)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        main([int(rows) for rows in sys.argv[1:]] or [1_000_000])
