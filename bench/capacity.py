"""How long a campaign takes past this machine: a model, calibrated and tested here, asked about 125 million rows.

Two levels. `one_worker` plays the waves of one worker call by call, with the write path's own constants: what a row
costs its processor, how long DynamoDB takes to answer, what it throttles, how the worker waits and narrows. `fleet`
plays many workers second by second against the quotas of an account.

`make capacity` calibrates on two small lists, predicts a long one and one under an imposed write quota,
prints the predictions, then runs both and says how far off they were.
"""

import random
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from pathlib import Path
from statistics import median

import click
from rich.console import Console

from bench.answering_endpoint import answering_endpoint
from bench.contention import CHUNK_CALLS_SECONDS, Bucket, receipts, waves
from bench.document import circumstances, table, write_part
from bench.stacks import written_list
from bench.worker import CALLS_IN_FLIGHT, Measured, in_own_process
from kulanz.adapters.aws import BACKOFF_FIRST_SECONDS, BACKOFF_LONGEST_SECONDS
from kulanz.domain.campaigns.campaign import Pass
from kulanz.domain.campaigns.estimate import AS_DEPLOYED, Planned, expected_calls
from kulanz.domain.campaigns.prices import (
    COLD_TABLE_DOUBLES_SECONDS,
    COLD_TABLE_WRITES,
    PRICES,
    TABLE_WRITES,
    TOPIC_MESSAGES,
)
from kulanz.domain.campaigns.write_units import INSERTS_PER_CALL

CHUNK_BYTES = 1024 * 1024
LATENCY_SECONDS = 0.010
"""How long DynamoDB takes for 25 inserts in one region: assumed, not measured on AWS."""
CALIBRATION_ROWS = (10_000, 100_000)
QUOTA_ROWS = 60_000
QUOTA_WRITES_PER_SECOND = 2_000
TOLERANCE = 0.15
SEED = 1

COUNTRY_ROWS = 125_000_000
BYTES_PER_ROW = 101
"""Of the generated list that the worker was measured on."""
WORKERS = 10
RECIPIENTS_PER_MESSAGE = 100
MINUTE_SECONDS = 60
TOGETHER = """What workers cost each other (`bench/contention.py`, in simulated time): every receipt adds to one record,
and transactions that meet there cancel each other; and a new table without a write rate throttles all. Who has tried
too often gives up, and the chunk comes again when the queue shows it again, 12 minutes later:"""


@dataclass(frozen=True, slots=True)
class Rates:
    """What one worker needs, in seconds; `per_pass` is what it needs whatever the list's length."""

    plan_row: float
    apply_row: float
    call_latency: float
    per_pass: float = 0.0


def one_worker(rows: int, rates: Rates, writes_per_second: float = 0, seed: int = SEED) -> float:
    """Seconds for the apply pass of one worker over so many rows."""
    drawn, bucket = random.Random(seed), Bucket(writes_per_second)  # noqa: S311 - spreads retries, guards nothing
    now, window, left = rates.per_pass, CALLS_IN_FLIGHT, rows
    while left:
        wave = min(left, INSERTS_PER_CALL * CALLS_IN_FLIGHT)
        left -= wave
        now += wave * rates.apply_row
        waiting, attempt = wave, 0
        while waiting:
            attempt += 1
            refused, calls = 0, ceil(waiting / INSERTS_PER_CALL)
            for number in range(calls):
                if number and number % window == 0:
                    now += rates.call_latency
                statements = min(INSERTS_PER_CALL, waiting - number * INSERTS_PER_CALL)
                refused += statements - bucket.take(now, statements)
            now += rates.call_latency
            window = max(1, window // 2) if refused else min(CALLS_IN_FLIGHT, window + 1)
            waiting = refused
            if waiting:
                longest = min(BACKOFF_LONGEST_SECONDS, BACKOFF_FIRST_SECONDS * 2 ** (attempt - 1))
                now += drawn.uniform(0, longest)
    return now


@dataclass(frozen=True, slots=True)
class Account:
    """The quotas a campaign meets: writes a second at a time of the apply pass, messages a second of one topic."""

    name: str
    writes_at: Callable[[int], float]
    messages_per_second: int
    workers: int = WORKERS
    recipients_per_message: int = RECIPIENTS_PER_MESSAGE
    chunk_bytes: int = CHUNK_BYTES

    def chunks(self, rows: int) -> int:
        """Of a list of so many rows."""
        return ceil(rows * BYTES_PER_ROW / self.chunk_bytes)


@dataclass(frozen=True, slots=True)
class Forecast:
    """Seconds of the plan pass, the apply pass, and until the last notice; and what bound the longer of both."""

    plan_seconds: float
    apply_seconds: int
    notices_seconds: int
    limit: str

    @property
    def seconds(self) -> float:
        """From the event to the last notice."""
        return self.plan_seconds + max(self.apply_seconds, self.notices_seconds)


def fleet(rows: int, rates: Rates, account: Account) -> Forecast:
    """A campaign of many workers, second by second; notices follow the writes.

    The plan pass is bound by its receipts, which all add to one record; in the apply pass they are a tenth as many.
    """
    wave = INSERTS_PER_CALL * CALLS_IN_FLIGHT
    worker_rate = wave / (wave * rates.apply_row + rates.call_latency)
    offered = account.workers * worker_rate
    written = told = 0.0
    second = apply_seconds = 0
    bound: dict[str, int] = {}
    while told < rows:
        second += 1
        if written < rows:
            quota = account.writes_at(second)
            limit = "write units of the table" if quota <= offered else f"{account.workers} workers"
            written = min(rows, written + min(quota, offered))
            bound[limit] = bound.get(limit, 0) + 1
            apply_seconds = second
        told = min(written, told + account.messages_per_second * account.recipients_per_message)
    chunk_seconds = CHUNK_CALLS_SECONDS + rates.plan_row * account.chunk_bytes / BYTES_PER_ROW
    plan_seconds = account.chunks(rows) / receipts(account.workers, chunk_seconds).per_second
    is_told_late = second > apply_seconds + 1
    limit = "messages of the topic" if is_told_late else max(bound, key=lambda name: bound[name])
    return Forecast(plan_seconds, apply_seconds, second, limit)


def cold(second: int) -> float:
    """A new on-demand table: it doubles what it takes every half hour, up to the table's quota."""
    doubled: int = COLD_TABLE_WRITES.per_second * 2 ** (second // COLD_TABLE_DOUBLES_SECONDS)
    return min(TABLE_WRITES.per_second, doubled)


def warm(_: int) -> float:
    """A table whose WarmThroughput is its quota."""
    return TABLE_WRITES.per_second


def calibrate(folder: Path, console: Console) -> Rates:
    """The rates of one worker of this machine, from two lists and a latency that the endpoint adds."""
    walls: dict[int, float] = {}
    applied: list[Measured] = []
    planned: list[Measured] = []
    with answering_endpoint(LATENCY_SECONDS) as endpoint:
        for accounts in CALIBRATION_ROWS:
            path, expected = written_list(accounts, folder)
            found = [in_own_process(Pass.APPLY, path, expected.rows, CHUNK_BYTES, endpoint) for _ in range(3)]
            walls[expected.rows] = median(one.wall_seconds for one in found)
            applied += found
            planned.append(in_own_process(Pass.PLAN, path, expected.rows, CHUNK_BYTES, endpoint))
            console.print(f"  calibrated on {expected.rows:,} rows: {walls[expected.rows]:.2f} s", highlight=False)
    (few, few_seconds), (many, many_seconds) = walls.items()
    slope = (many_seconds - few_seconds) / (many - few)
    apply_row = median(one.cpu_seconds / one.rows for one in applied)
    wave = INSERTS_PER_CALL * CALLS_IN_FLIGHT
    return Rates(
        plan_row=min(one.cpu_seconds / one.rows for one in planned),
        apply_row=apply_row,
        call_latency=max(LATENCY_SECONDS, wave * (slope - apply_row)),
        per_pass=max(0.0, few_seconds - slope * few),
    )


def check(rates: Rates, large_rows: int, folder: Path, console: Console) -> list[tuple[str, ...]]:
    """Predict, print the prediction, then run."""
    lines: list[tuple[str, ...]] = []
    for what, accounts, quota in (
        (f"{large_rows:,} rows", large_rows, 0),
        (f"{QUOTA_ROWS:,} rows, {QUOTA_WRITES_PER_SECOND:,} writes/s imposed", QUOTA_ROWS, QUOTA_WRITES_PER_SECOND),
    ):
        path, expected = written_list(accounts, folder)
        predicted = one_worker(expected.rows, rates, quota)
        console.print(f"  {what}: predicted {predicted:.1f} s", highlight=False)
        with answering_endpoint(LATENCY_SECONDS, quota) as endpoint:
            measured = in_own_process(Pass.APPLY, path, expected.rows, CHUNK_BYTES, endpoint).wall_seconds
        off = measured / predicted - 1
        console.print(f"  {what}: measured {measured:.1f} s, {off:+.1%}", highlight=False)
        verdict = "within 15 %" if abs(off) <= TOLERANCE else "MISSED"
        lines.append((what, f"{predicted:.1f} s", f"{measured:.1f} s", f"{off:+.1%}", verdict))
        path.unlink()
    return lines


def country(rates: Rates) -> list[tuple[str, ...]]:
    """The forecasts for 125 million rows."""
    topic_in_virginia = TOPIC_MESSAGES["us-east-1"].per_second
    accounts = [
        Account(
            "the template's defaults (TargetWriteRate 4,000)",
            lambda second: min(cold(second), AS_DEPLOYED.write_rate),
            topic_in_virginia,
        ),
        Account("a new table, no write rate set", cold, topic_in_virginia),
        *(
            Account(f"a pre-warmed table, {region}", warm, TOPIC_MESSAGES[region].per_second)
            for region in ("us-east-1", "eu-west-1", "eu-central-1")
        ),
        Account("pre-warmed, us-east-1, ChunkBytes 4 MiB", warm, topic_in_virginia, chunk_bytes=4 * CHUNK_BYTES),
        *(
            Account(
                f"pre-warmed, {region}, one recipient a message", warm, TOPIC_MESSAGES[region].per_second,
                recipients_per_message=1,
            )
            for region in ("us-east-1", "eu-west-1", "eu-central-1")
        ),
    ]  # fmt: skip
    lines: list[tuple[str, ...]] = []
    for account in accounts:
        made = fleet(COUNTRY_ROWS, rates, account)
        planned = Planned(COUNTRY_ROWS, COUNTRY_ROWS, account.chunks(COUNTRY_ROWS))
        usd = PRICES.cost(expected_calls(planned, account.recipients_per_message).priced())
        minutes = [made.plan_seconds, made.apply_seconds, made.notices_seconds, made.seconds]
        fee = "about 23 once" if account.writes_at is warm else "-"
        lines.append(
            (account.name, str(account.workers), *(f"{seconds / MINUTE_SECONDS:.0f}" for seconds in minutes),
             f"{usd.quantize(Decimal('0.01'))}", fee, made.limit)
        )  # fmt: skip
    return lines


def shared(rates: Rates) -> list[tuple[str, ...]]:
    """What workers cost each other: at the record of a campaign while they plan, at a new table while they write."""
    lines: list[tuple[str, ...]] = []
    for workers in (WORKERS, 2 * WORKERS, 5 * WORKERS, 10 * WORKERS):
        cells = [str(workers)]
        for chunk_bytes in (CHUNK_BYTES, 4 * CHUNK_BYTES):
            chunks = ceil(COUNTRY_ROWS * BYTES_PER_ROW / chunk_bytes)
            found = receipts(workers, CHUNK_CALLS_SECONDS + rates.plan_row * chunk_bytes / BYTES_PER_ROW)
            minutes = chunks / found.per_second / MINUTE_SECONDS
            cells += [f"{found.per_second:.0f}", f"{minutes:.1f}", f"{found.given_up_share * chunks:.0f}"]
        wave = waves(workers, rates.apply_row, rates.call_latency, CALLS_IN_FLIGHT, COLD_TABLE_WRITES.per_second)
        lines.append((*cells, f"{wave.given_up_share:.2%}"))
    return lines


@click.command()
@click.option("--large-rows", default=1_000_000, show_default=True, help="Rows of the long list that is predicted.")
def main(large_rows: int) -> None:
    """Calibrate, predict, run, and write the document's part."""
    console, started = Console(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="kulanz-capacity-") as name:
        rates = calibrate(Path(name), console)
        console.print(f"  {rates}", highlight=False)
        checked = check(rates, large_rows, Path(name), console)
    forecasts, together = country(rates), shared(rates)
    worker = (
        f"One worker: {rates.plan_row * 1e6:.1f} µs a row to plan, {rates.apply_row * 1e6:.1f} µs to apply,"
        f" {rates.call_latency * 1e3:.1f} ms until {CALLS_IN_FLIGHT} calls of {INSERTS_PER_CALL} inserts are"
        " answered;"
        f" {LATENCY_SECONDS * 1e3:.0f} ms of that are assumed, not measured on AWS."
    )
    text = "\n\n".join(
        [
            circumstances(f"make capacity LARGE_ROWS={large_rows}"),
            worker,
            "Predicted before it was run, one worker over an endpoint with that latency:",
            table(("run", "predicted", "measured", "off", ""), checked),
            f"{COUNTRY_ROWS:,} accounts, all written and told, minutes:",
            table(
                ("account", "workers", "plan", "apply", "last notice after apply began", "in all", "USD",
                 "warm-up fee, USD", "binding limit"), forecasts,
            ),
            TOGETHER,
            table(
                ("workers", "receipts/s, 1 MiB chunks", "plan, minutes", "given up", "receipts/s, 4 MiB chunks",
                 "plan, minutes", "given up", "waves given up at 4,000 writes/s"), together,
            ),
        ]
    )  # fmt: skip
    console.print(text, markup=False, highlight=False, soft_wrap=True)
    write_part("capacity", text)
    console.print(f"{time.monotonic() - started:.0f} s")
    if any(line[-1] == "MISSED" for line in checked):
        sys.exit(1)


if __name__ == "__main__":
    main()
