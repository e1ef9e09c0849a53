"""What the pages of the console cost beside the use cases that answer them, in processor time, over a world in memory.

Each page is asked for as a server hands it to the application: on a laptop (its questions go through the client of the
API to the use cases) and hosted (they go to the use cases themselves). What AWS takes is in no column, nor is AWS's
client, which takes about a millisecond for each read. `python -m bench.pages` prints a table and writes it into
docs/benchmarks.md. It exits with 1 where a page takes more than twice its use cases, each question with one read.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from werkzeug.test import EnvironBuilder

from bench.control_plane import Body
from bench.document import circumstances, table, write_part
from bench.worker import CREDENTIALS
from kulanz.adapters.aws import client
from kulanz.application.door.routes import Role
from kulanz_console.port import Kulanz
from kulanz_console.sessions import Session
from tests.support.console_browser import ORIGIN as LAPTOP
from tests.support.console_browser import Browser
from tests.support.console_waiting import CASE, DRAFT, VOID, with_everything
from tests.support.hosted_browser import ORIGIN as HOSTED
from tests.support.hosted_browser import ROOT, HostedBrowser
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_LINE, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_stack import WorldStack

TIMES, ROUNDS = 20, 3
ADDS_MOST_READS = 4
"""What a page whose questions are answered in no time may add, as so many reads of one item by AWS's client."""
MS = 1_000
LINES = 1_000
ITEM_BYTES = 1_000
OTHERS = ("outage-2", "outage-3", "outage-4", "outage-5")
"""Incidents of the same month, each with a campaign; the first of them over the same accounts."""
WAITING = "outage-6"
"""The incident whose plan waits."""
PAGES: Mapping[str, str] = {
    "Waiting for you": "/",
    "Campaigns": "/campaigns?month=2026-03",
    "Campaign": f"/campaign/{CAMPAIGN}",
    "Plan that waits": f"/plan/{WAITING}/1",
    "Twenty rows of a plan": f"/sample/{CAMPAIGN}",
    "Account": "/account?id=granted-1",
    "Cases": "/cases",
    "Case": CASE,
    "Void": VOID,
    "Draft": DRAFT,
    "Deliveries": "/deliveries",
    "Month": "/month?month=2026-03",
    "Policy, with the form to try it": "/policy/net-credit/1",
    "Audit log": "/audit",
}


def many(prefix: str = "plain-") -> list[bytes]:
    """So many lines that the list has `LINES`, each with another fee."""
    return [row(f"{prefix}{n}", fee=f"{n}.90") for n in range(1, LINES + 1 - len(EVERY_KIND_OF_LINE))]


def world_of_a_month() -> WorldStack:
    """A campaign of a thousand rows with every kind of line, four more in its month, one that waits, and the rest."""
    first = [*many(), *EVERY_KIND_OF_LINE.values()]
    world = small_world(list_of(first), chunk_bytes=256 * 1024)
    _run(world, event(rows=sum(line.strip() != b"" for line in first)))
    for number, incident in enumerate(OTHERS, 1):
        rows = [row("granted-1"), *many("plain-" if number == 1 else f"of-{number}-")]
        _run(world, _published(world, incident, rows, day=number))
    world.approvers = ()
    _run(world, _published(world, WAITING, [row("granted-1"), *many()], day=10))
    return with_everything(world)


def _published(world: World, incident: str, rows: Sequence[bytes], day: int) -> dict[str, Any]:
    key = f"lists/{incident}.csv"
    world.lists.upload(key, list_of(rows))
    window = {"start": f"2026-02-{day:02d}T08:00:00Z", "end": f"2026-02-{day:02d}T20:00:00Z"}
    return event(key=key, rows=len(rows), incident_id=incident, windows=[window])


def _run(world: World, request: Mapping[str, Any]) -> None:
    world.publish(request)
    world.run_until_quiet()


class Answering:
    """Whoever answers, and what it took: over all threads that ask at the same time."""

    def __init__(self) -> None:
        self.kulanz: Kulanz
        self.seconds, self.questions = 0.0, 0
        self._lock = Lock()

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> Mapping[str, Any]:
        before = time.thread_time()
        try:
            return self.kulanz.ask(use, query, **values)
        finally:
            took = time.thread_time() - before
            with self._lock:
                self.seconds += took
                self.questions += 1

    def act(self, use: str, content: Mapping[str, Any], **values: str | int) -> Mapping[str, Any]:
        return self.kulanz.act(use, content, **values)

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return self.kulanz.rights(uses)


@dataclass(frozen=True, slots=True)
class Took:
    """A page: the whole of it and its use cases, in milliseconds of processor time; and how many questions it asks."""

    whole: float
    answering: float
    questions: int

    @property
    def adds(self) -> float:
        return self.whole - self.answering

    def cells(self) -> tuple[str, str, str]:
        return f"{self.whole:.1f}", f"{self.answering:.1f}", f"{self.whole / self.answering:.1f}"


class Timed:
    """A console, and a browser that was let in."""

    def __init__(self, browser: Browser | HostedBrowser, origin: str, root: str = "") -> None:
        self._console, self._client, self._origin, self._root = browser.console, browser.client, origin, root
        self.answering, entry = Answering(), browser.entry
        answered_by = entry.kulanz

        def answers(session: Session) -> Answering:
            self.answering.kulanz = answered_by(session)
            return self.answering

        entry.kulanz = answers  # type: ignore[method-assign]

    def page(self, path: str) -> Took:
        """What a page takes at best, and its use cases then."""
        shown = self._client.get(self._root + path, base_url=self._origin)
        assert shown.status_code == 200, (path, shown.status_code)
        asked = EnvironBuilder.from_environ(shown.request.environ).get_environ()
        found = [self._round(asked) for _ in range(ROUNDS)]
        whole, answering = min(found)
        return Took(whole * MS / TIMES, answering * MS / TIMES, self.answering.questions // TIMES)

    def _round(self, asked: Mapping[str, Any]) -> tuple[float, float]:
        self.answering.seconds, self.answering.questions, before = 0.0, 0, time.process_time()
        for _ in range(TIMES):
            b"".join(self._console(dict(asked), lambda *_: None))
        return time.process_time() - before, self.answering.seconds


def one_read() -> float:
    """What AWS's client takes to read one item of a kilobyte, in milliseconds of processor time."""
    os.environ.update(CREDENTIALS)
    dynamodb = client("dynamodb")
    text = json.dumps({"Item": {"pk": {"S": "a"}, "body": {"S": "x" * ITEM_BYTES}}}).encode()

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return AWSResponse(str(request.url), 200, HTTPHeaders(), Body(text))

    dynamodb.meta.events.register("before-send.dynamodb", answer)
    found = []
    for _ in range(ROUNDS):
        before = time.thread_time()
        for _ in range(TIMES):
            dynamodb.get_item(TableName="t", Key={"pk": {"S": "a"}})
        found.append(time.thread_time() - before)
    return min(found) * MS / TIMES


def consoles(stack: WorldStack) -> tuple[Timed, Timed]:
    """The two compositions over one world."""
    laptop = Browser(stack.world, stack=stack).enter()
    hosted = HostedBrowser(stack.world, *Role, door=stack.served)
    hosted.sign_in()
    return Timed(laptop, LAPTOP), Timed(hosted, HOSTED, ROOT)


def main() -> int:
    """Print the table."""
    stack, rows, slow = world_of_a_month(), list[tuple[str, ...]](), list[str]()
    both, read = consoles(stack), one_read()
    for name, path in PAGES.items():
        laptop, hosted = found = [one.page(path) for one in both]
        if any(one.adds > max(one.answering + one.questions * read, ADDS_MOST_READS * read) for one in found):
            slow.append(name)
        rows.append((name, str(hosted.questions), *laptop.cells(), *hosted.cells()))
    made = table(("page", "questions", "laptop, ms", "use cases", "ratio", "hosted, ms", "use cases", "ratio"), rows)
    text = f"{circumstances('python -m bench.pages')} AWS's client takes {read:.1f} ms to read one item.\n\n{made}"
    write_part("pages", text)
    sys.stdout.write(f"{text}\n{'too slow: ' + ', '.join(slow) if slow else 'within its limits'}\n")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
