"""Several workers at once, in an order of port calls that a test chooses: between two calls of one, any of another.

Each worker runs in a thread of its own, but only one of them ever runs: it is let go up to its next port call, then the
schedule decides again. The same schedule gives the same run.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from threading import Lock, Thread

from tests.support.faults import Tap

type Work = Callable[[Tap], object]
type Schedule = Callable[[Sequence[int]], int]
"""Chooses the next worker out of those that are not done."""

STUCK_SECONDS = 30


@dataclass(slots=True)
class _Worker:
    thread: Thread
    go: Lock
    error: BaseException | None = None
    done: bool = False


@dataclass(slots=True)
class Interleaving:
    """Runs workers call by call; `trace` is the order in which their calls happened."""

    trace: list[tuple[int, str]] = field(default_factory=list)

    def run(self, works: Sequence[Work], schedule: Schedule) -> None:
        """Run all works to their ends. Raises the first error of a worker."""
        back = _taken()
        workers: list[_Worker] = []
        for number, work in enumerate(works):
            workers.append(self._worker(number, work, workers, back))
        for worker in workers:
            worker.thread.start()
            _wait(back)
        while waiting := [number for number, worker in enumerate(workers) if not worker.done]:
            workers[schedule(waiting)].go.release()
            _wait(back)
        for worker in workers:
            worker.thread.join(STUCK_SECONDS)
            if worker.error is not None:
                raise worker.error

    def _worker(self, number: int, work: Work, workers: list[_Worker], back: Lock) -> _Worker:
        go = _taken()

        def before_call(_: int, name: str) -> None:
            back.release()
            _wait(go)
            self.trace.append((number, name))

        def run() -> None:
            try:
                work(Tap(before_call))
            except BaseException as error:  # noqa: BLE001 - handed to the thread that asked for the run
                workers[number].error = error
            workers[number].done = True
            back.release()

        return _Worker(Thread(target=run, daemon=True, name=f"worker-{number}"), go)


def _taken() -> Lock:
    """A turn that another thread gives. A bare lock, because turns are most of what a run costs."""
    turn = Lock()
    turn.acquire()
    return turn


def _wait(turn: Lock) -> None:
    if not turn.acquire(timeout=STUCK_SECONDS):
        raise AssertionError("a worker did not come to its next call")


def switching_after(first: int, *calls: int) -> Schedule:
    """Begin with worker `first`, switch to the other of two after so many calls, and again; then let each end."""
    order = iter(_turns(first, calls))
    current = first

    def schedule(waiting: Sequence[int]) -> int:
        nonlocal current
        current = next(order, current)
        if current not in waiting:
            current = waiting[0]
        return current

    return schedule


def _turns(first: int, calls: Sequence[int]) -> Iterator[int]:
    worker = first
    for number in calls:
        for _ in range(number):
            yield worker
        worker = 1 - worker
    yield worker
