"""What the pages of the console cost beside the use cases that answer them, in processor time, over a world in memory.

Each page is asked for as a server hands it to the application: on a laptop (its questions go through the client of the
API to the use cases) and hosted (they go to the use cases themselves). What AWS takes is in no column. The ratio is
stated twice: in memory, and with what AWS's client takes of the processor for each read that the use cases make.
`python -m bench.pages` prints a table and writes it into docs/benchmarks.md. It exits with 1 where a page takes more
than twice its use cases, these with their reads.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
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
from kulanz.application.ports import Page
from kulanz_console.port import Kulanz
from kulanz_console.sessions import Session
from tests.support.console_browser import ORIGIN as LAPTOP
from tests.support.console_browser import Browser
from tests.support.console_waiting import CASE, DRAFT, VOID, with_everything
from tests.support.hosted_browser import ORIGIN as HOSTED
from tests.support.hosted_browser import ROOT, HostedBrowser
from tests.support.small_campaign import CAMPAIGN, EVERY_KIND_OF_LINE, event, list_of, row, small_world
from tests.support.world import World
from tests.support.world_door import WorldDoor
from tests.support.world_stack import WorldStack

TIMES, ROUNDS = 20, 3
RATIO_MOST = 2.0
"""A page ÷ its use cases, each with what AWS's client takes for its reads."""
MS = 1_000
LINES = 1_000
ITEM_BYTES, ITEMS = 1_000, 50
KEY = {":a": {"S": "a"}}
OTHERS = ("outage-2", "outage-3", "outage-4", "outage-5")
"""Incidents of the same month, each with a campaign; the first of them over the same accounts."""
WAITING = "outage-6"
"""The incident whose plan waits."""


def many(prefix: str = "plain-") -> list[bytes]:
    """So many lines that the list has `LINES`, each with another fee."""
    return [row(f"{prefix}{n}", fee=f"{n}.90") for n in range(1, LINES + 1 - len(EVERY_KIND_OF_LINE))]


FIRST = [*many(), *EVERY_KIND_OF_LINE.values()]
REJECTED_AT = list_of(FIRST).index(EVERY_KIND_OF_LINE["rejected, wrong type"])
PAGES: Mapping[str, str] = {
    "Waiting for you": "/",
    "Campaigns": "/campaigns?month=2026-03",
    "Campaign": f"/campaign/{CAMPAIGN}",
    "Plan that waits": f"/plan/{WAITING}/1",
    "Twenty rows of a plan": f"/sample/{CAMPAIGN}",
    "Account": "/account?id=granted-1",
    "Account, also before its id changed hands": "/past?id=granted-1",
    "Cases": "/cases",
    "Cases of a campaign": f"/cases/{CAMPAIGN}",
    "Case": CASE,
    "Row that cannot be read": f"/row/{CAMPAIGN}?row={REJECTED_AT}&account=bad-yes-no",
    "Goodwill": "/goodwill",
    "Incidents": "/incidents?month=2026-03",
    "Incident": f"/incident/{CAMPAIGN.partition('/')[0]}",
    "Draft": DRAFT,
    "Deliveries": "/deliveries",
    "Late credits": f"/late/{CAMPAIGN}",
    "Rejected credits": f"/rejected/{CAMPAIGN}",
    "Void": VOID,
    "Month": "/month?month=2026-03",
    "Policies": "/policies",
    "Policy, with the form to try it": "/policy/net-credit/1",
    "Budgets and halt": "/money",
    "Audit log": "/audit",
}
"""Every page, by what it is called; a test compares them with the table of pages."""


def world_of_a_month() -> WorldStack:
    """A campaign of a thousand rows with every kind of line, four more in its month, one that waits, and the rest."""
    world = small_world(list_of(FIRST), chunk_bytes=256 * 1024)
    _run(world, event(rows=sum(line.strip() != b"" for line in FIRST)))
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


class Reads:
    """A part of the world behind the API, which counts what is asked of it: each is one read of AWS at least, and of a
    list each item is one.
    """

    def __init__(self, part: Any, count: Callable[[int], None]) -> None:
        self._part, self._count = part, count

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if not callable(found):
            return found

        def counted(*values: Any, **named: Any) -> Any:
            answer = found(*values, **named)
            items = answer.found if isinstance(answer, Page) else answer
            self._count(len(items) if isinstance(items, list | tuple) else 1)
            return answer

        return counted


class Counter:
    """How many reads the use cases made, over all threads that ask at the same time."""

    def __init__(self, door: WorldDoor) -> None:
        self.reads, self.items = 0, 0
        self._lock = Lock()
        for name, part in vars(door).items():
            if type(part).__module__.startswith("tests.support") and name != "world":
                setattr(door, name, Reads(part, self._one))

    def _one(self, items: int) -> None:
        with self._lock:
            self.reads += 1
            self.items += items


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
    """A page: the whole of it and its use cases, in milliseconds of processor time; what it asks, and what is read."""

    whole: float
    answering: float
    questions: int
    reads: int
    items: int

    def ratio(self, client: "Client | None" = None) -> float:
        """The page ÷ its use cases, with what AWS's client takes for the reads."""
        reading = 0.0 if client is None else self.reads * client.read + self.items * client.item
        return (self.whole + reading) / (self.answering + reading)

    def cells(self, client: "Client") -> tuple[str, str, str, str]:
        return f"{self.whole:.1f}", f"{self.answering:.1f}", f"{self.ratio():.1f}", f"{self.ratio(client):.1f}"


@dataclass(frozen=True, slots=True)
class Client:
    """What AWS's client takes of the processor, in milliseconds: for a read of nothing, and for each item of it."""

    read: float
    item: float


class Timed:
    """A console, and a browser that was let in."""

    def __init__(self, browser: Browser | HostedBrowser, counter: Counter, origin: str, root: str = "") -> None:
        self._counter = counter
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
        asked_for = self.answering.questions, self._counter.reads, self._counter.items
        return Took(whole * MS / TIMES, answering * MS / TIMES, *(number // TIMES for number in asked_for))

    def _round(self, asked: Mapping[str, Any]) -> tuple[float, float]:
        self.answering.seconds, self.answering.questions = 0.0, 0
        self._counter.reads, self._counter.items, before = 0, 0, time.process_time()
        for _ in range(TIMES):
            b"".join(self._console(dict(asked), lambda *_: None))
        return time.process_time() - before, self.answering.seconds


def client_of_aws() -> Client:
    """What AWS's client takes, measured with answers of one item and of many, each of a kilobyte."""
    few, many_items = _query(1), _query(ITEMS)
    item = max(many_items - few, 0) / (ITEMS - 1)
    return Client(max(few - item, 0), item)


def _query(items: int) -> float:
    os.environ.update(CREDENTIALS)
    dynamodb = client("dynamodb")
    found_items = [{"pk": {"S": "a"}, "body": {"S": "x" * ITEM_BYTES}}] * items
    text = json.dumps({"Items": found_items, "Count": items}).encode()

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        return AWSResponse(str(request.url), 200, HTTPHeaders(), Body(text))

    dynamodb.meta.events.register("before-send.dynamodb", answer)
    found = []
    for _ in range(ROUNDS):
        before = time.thread_time()
        for _ in range(TIMES):
            dynamodb.query(TableName="t", KeyConditionExpression="pk = :a", ExpressionAttributeValues=KEY)
        found.append(time.thread_time() - before)
    return min(found) * MS / TIMES


def consoles(stack: WorldStack) -> tuple[Timed, Timed]:
    """The two compositions over one world."""
    laptop = Browser(stack.world, stack=stack).enter()
    hosted = HostedBrowser(stack.world, *Role, door=stack.served)
    hosted.sign_in()
    counter = Counter(stack.served)
    return Timed(laptop, counter, LAPTOP), Timed(hosted, counter, HOSTED, ROOT)


def main() -> int:
    """Print the table."""
    stack, rows, slow = world_of_a_month(), list[tuple[str, ...]](), list[str]()
    both, reading = consoles(stack), client_of_aws()
    for name, path in PAGES.items():
        laptop, hosted = found = [one.page(path) for one in both]
        if any(round(one.ratio(reading), 1) > RATIO_MOST for one in found):
            slow.append(name)
        rows.append((name, f"{hosted.questions}, {hosted.reads}", *laptop.cells(reading), *hosted.cells(reading)))
    of_each = ("use cases", "in memory", "with reads")
    made = table(("page", "questions, reads", "laptop, ms", *of_each, "hosted, ms", *of_each), rows)
    text = (
        f"{circumstances('python -m bench.pages')} AWS's client takes"
        f" {reading.read:.2f} ms for a read, and {reading.item:.3f} ms for each item of a kilobyte.\n\n{made}"
    )
    write_part("pages", text)
    sys.stdout.write(f"{text}\n{'too slow: ' + ', '.join(slow) if slow else 'within its limits'}\n")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
