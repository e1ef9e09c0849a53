"""What workers cost each other on AWS: one record that all of them add to, one table that throttles all of them.

No stand-in shows either: the embedded AWS does one thing at a time. Both are played here in simulated time with the
adapters' own numbers of attempts and waits; how long AWS itself takes is assumed, as said at each constant.
"""

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from kulanz.adapters.aws import (
    BACKOFF_FIRST_SECONDS,
    BACKOFF_LONGEST_SECONDS,
    CONFLICT_ATTEMPTS,
    CONFLICT_BACKOFF_LONGEST_SECONDS,
    ENTRY_ATTEMPTS,
)
from kulanz.domain.campaigns.write_units import INSERTS_PER_CALL

SIMULATED_SECONDS = 300.0
SEED = 1
TRANSACTION_SECONDS = 0.012
"""How long a transaction of three writes holds its items: assumed, not measured on AWS."""
CONFLICT_SECONDS = 0.008
"""Until a transaction that met another is told so: assumed."""
CHUNK_CALLS_SECONDS = 0.085
"""What a chunk takes beside its rows and its receipt (a message, an invocation, four reads of its records, the list's
first bytes): assumed."""


class Bucket:
    """One second's writes of a table, in simulated time; `per_second` of 0 is none."""

    def __init__(self, per_second: float) -> None:
        self._per_second = self._left = per_second
        self._at = 0.0

    def take(self, now: float, wanted: int) -> int:
        """How many of the wanted writes may be done now."""
        if not self._per_second:
            return wanted
        self._left = min(self._per_second, self._left + max(0.0, now - self._at) * self._per_second)
        self._at = max(self._at, now)
        taken = min(wanted, int(self._left))
        self._left -= taken
        return taken


@dataclass(slots=True)
class Shared:
    """What many workers get done a second, and how much of it has to be begun anew because one gave up."""

    done: int = 0
    given_up: int = 0

    @property
    def per_second(self) -> float:
        """What was done, a second."""
        return self.done / SIMULATED_SECONDS

    @property
    def given_up_share(self) -> float:
        """What was given up, for each that was done."""
        return self.given_up / max(1, self.done)


@dataclass(slots=True)
class _Simulation:
    """Things that happen at a time, in their order."""

    drawn: random.Random = field(default_factory=lambda: random.Random(SEED))  # noqa: S311 - guards nothing
    waiting: list[tuple[float, int, Callable[[float], None]]] = field(default_factory=list)
    count: int = 0

    def at(self, when: float, act: Callable[[float], None]) -> None:
        self.count += 1
        heapq.heappush(self.waiting, (when, self.count, act))

    def backoff(self, attempt: int, longest_seconds: float) -> float:
        return self.drawn.uniform(0, min(longest_seconds, BACKOFF_FIRST_SECONDS * 2.0 ** (attempt - 1)))

    def run(self) -> None:
        while self.waiting and self.waiting[0][0] < SIMULATED_SECONDS:
            now, _, act = heapq.heappop(self.waiting)
            act(now)


def receipts(workers: int, chunk_seconds: float, attempts: int = CONFLICT_ATTEMPTS) -> Shared:
    """Receipts of workers whose chunks take so long each, all added to one record: who finds it held, waits."""
    simulation, found = _Simulation(), Shared()
    held_until = 0.0

    def begin(now: float) -> None:
        seconds = chunk_seconds * simulation.drawn.uniform(0.7, 1.3)
        simulation.at(now + seconds, lambda then: add(then, 1))

    def add(now: float, attempt: int) -> None:
        nonlocal held_until
        if now >= held_until:
            held_until = now + TRANSACTION_SECONDS
            found.done += 1
            begin(held_until)
        elif attempt == attempts:
            found.given_up += 1
            begin(now)
        else:
            wait = CONFLICT_SECONDS + simulation.backoff(attempt, CONFLICT_BACKOFF_LONGEST_SECONDS)
            simulation.at(now + wait, lambda then: add(then, attempt + 1))

    for _ in range(workers):
        begin(simulation.drawn.uniform(0, chunk_seconds))
    simulation.run()
    return found


@dataclass(slots=True)
class _Wave:
    """What one worker has in flight: statements that wait, and those that were throttled in this attempt."""

    window: int
    waiting: int = 0
    sent: int = 0
    refused: int = 0
    attempt: int = 1


@dataclass(slots=True)
class Beside:
    """Acceptances of offers beside a campaign: so many a minute, evenly, all of offers of one incident.

    Each is a transaction that looks at the incident's record, so that two of them at once meet there, and writes
    `ACCEPTANCE_UNITS` in the table that the campaign writes to. `done` and `given_up` are what became of them; what was
    given up is refused with 503, and sent again.
    """

    per_minute: float
    arrived: int = 0
    done: int = 0
    given_up: int = 0


ACCEPTANCE_UNITS = 10
"""Write units of CreditsTable: two for each of the decision, the addition and two entries of the audit log, which are
one transaction; one each for storing the action under its id and for its answer. A history would be two more."""


def _act_beside(simulation: _Simulation, bucket: Bucket, beside: Beside) -> None:
    """Let the actions arrive, each at its time, and write when the incident's record and the table are free."""
    held_until = 0.0
    every = 60 / beside.per_minute

    def arrive(now: float) -> None:
        beside.arrived += 1
        accept(now, 1, ACCEPTANCE_UNITS)
        simulation.at(now + every, arrive)

    def accept(now: float, attempt: int, left: int) -> None:
        nonlocal held_until
        if now >= held_until:
            left -= bucket.take(now, left)
            if not left:
                held_until = now + TRANSACTION_SECONDS
                beside.done += 1
                return
        if attempt == CONFLICT_ATTEMPTS:
            beside.given_up += 1
            return
        wait = CONFLICT_SECONDS + simulation.backoff(attempt, CONFLICT_BACKOFF_LONGEST_SECONDS)
        simulation.at(now + wait, lambda then: accept(then, attempt + 1, left))

    simulation.at(every, arrive)


def waves(
    workers: int, row_seconds: float, call_seconds: float, calls_in_flight: int, writes_per_second: float,
    attempts: int = ENTRY_ATTEMPTS, beside: Beside | None = None,
) -> Shared:  # fmt: skip
    """Waves of inserts by workers without a write rate, at a table that takes so many writes a second."""
    simulation, found, bucket = _Simulation(), Shared(), Bucket(writes_per_second)
    size = INSERTS_PER_CALL * calls_in_flight
    if beside is not None:
        _act_beside(simulation, bucket, beside)

    def begin(now: float, wave: _Wave) -> None:
        wave.waiting, wave.sent, wave.refused, wave.attempt = size, 0, 0, 1
        simulation.at(now + size * row_seconds, lambda then: send(then, wave))

    def send(now: float, wave: _Wave) -> None:
        statements = min(INSERTS_PER_CALL, wave.waiting - wave.sent)
        wave.refused += statements - bucket.take(now, statements)
        wave.sent += statements
        if wave.sent < wave.waiting:
            simulation.at(now + call_seconds / wave.window, lambda then: send(then, wave))
        else:
            simulation.at(now + call_seconds, lambda then: answered(then, wave))

    def answered(now: float, wave: _Wave) -> None:
        if not wave.refused:
            wave.window = min(calls_in_flight, wave.window + 1)
            found.done += 1
            begin(now, wave)
            return
        wave.window = max(1, wave.window // 2)
        if wave.attempt == attempts:
            found.given_up += 1
            begin(now, wave)
            return
        wait = simulation.backoff(wave.attempt, BACKOFF_LONGEST_SECONDS)
        wave.waiting, wave.sent, wave.refused, wave.attempt = wave.refused, 0, 0, wave.attempt + 1
        simulation.at(now + wait, lambda then: send(then, wave))

    for _ in range(workers):
        begin(simulation.drawn.uniform(0, call_seconds), _Wave(calls_in_flight))
    simulation.run()
    return found
