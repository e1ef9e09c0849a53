"""What the pages of the console cost beside the use cases that answer them, in processor time, over a world in memory.

What AWS takes is in neither, so a page whose answers are small is mostly its template. `python -m bench.pages` prints
a table and exits with 1 where a page adds more than it may.
"""

import sys
import time
from collections.abc import Mapping
from typing import Any

from tests.support.console_browser import EVERY_ROLE, Browser
from tests.support.console_waiting import ALL_THAT_WAITS, CASE, DRAFT, VOID, with_everything
from tests.support.small_campaign import CAMPAIGN

TIMES = 20
ADDS_MOST_MS = 25.0
"""What a page may add to its use cases, in milliseconds of processor time; about what one read of a table waits."""
MS = 1_000
PAGES: Mapping[str, str] = {
    "Waiting for you": "/",
    "Campaign": f"/campaign/{CAMPAIGN}",
    "Plan": f"/plan/{CAMPAIGN}",
    "Twenty rows": f"/sample/{CAMPAIGN}",
    "Account": "/account?id=granted-1",
    "Cases": "/cases",
    "Case": CASE,
    "Void": VOID,
    "Draft": DRAFT,
    "Month": "/month?month=2026-03",
    "Policy": "/policy/net-credit/1",
}
assert {CASE, VOID, DRAFT} <= set(ALL_THAT_WAITS)


class Timed:
    """A browser that knows what its questions took."""

    def __init__(self) -> None:
        stack = with_everything()
        self.browser = Browser(stack.world, EVERY_ROLE, stack).enter()
        self.answering = 0.0
        asked = self.browser.kulanz.ask

        def ask(use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> Mapping[str, Any]:
            before = time.thread_time()
            found = asked(use, query, **values)
            self.answering += time.thread_time() - before
            return found

        self.browser.kulanz.ask = ask  # type: ignore[method-assign]

    def page(self, path: str) -> tuple[float, float]:
        """What a page takes, and its use cases, in milliseconds."""
        self.browser.get(path)
        self.answering, before = 0.0, time.process_time()
        for _ in range(TIMES):
            assert self.browser.get(path).status_code == 200
        return (time.process_time() - before) * MS / TIMES, self.answering * MS / TIMES


def main() -> int:
    """Print the table."""
    timed, slow = Timed(), list[str]()
    print("| page | whole, ms | use cases, ms | ratio |\n|---|---|---|---|")
    for name, path in PAGES.items():
        whole, answering = timed.page(path)
        print(f"| {name} | {whole:.1f} | {answering:.1f} | {whole / answering:.1f} |")
        if whole - answering > ADDS_MOST_MS:
            slow.append(name)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
