"""Journeys of persons at the hosted console, played by playwright: run by the interpreter of .venvs/browser.

Its argument is {"chromium", "console": address, "provider": address, "journeys": {name: {"who", "path", "steps"}}}, and
where a host's name leads elsewhere "hosts": chromium's rule for it. A step is a list: what is done, and with what. It
prints JSON: what was read in each journey, and what is wrong.
"""

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, Request, sync_playwright

NARROW = {"width": 360, "height": 800}
SIDEWAYS = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
SESSION = "__Host-kulanz"
WAIT_MS = 10_000
SHOWN_MOST = 600


class Journey:
    """One person with a browser of their own."""

    def __init__(self, browser: Browser, asked: Mapping[str, Any], who: str, found: dict[str, Any]) -> None:
        self._console, self._provider, self._who = asked["console"], urlsplit(asked["provider"]).netloc, who
        self.found, self.read = found, dict[str, Any]()
        self._axe = Axe()
        self._context = browser.new_context(ignore_https_errors=True, locale="en-US", timezone_id="Europe/Berlin")
        self._context.set_default_timeout(WAIT_MS)
        self._context.on("page", self._watched)
        self.page = self._context.new_page()

    def _watched(self, page: Page) -> None:
        page.on("console", lambda one: self._complained(page, one.text) if one.type == "error" else None)
        page.on("pageerror", lambda error: self._complained(page, str(error)))
        page.on("request", self._requested)

    def _complained(self, page: Page, text: str) -> None:
        # A browser calls each page of status 4xx an error, and that one asks to sign in.
        if "401" not in text:
            self.found["errors"].append(f"{page.url}: {text}")

    def _requested(self, request: Request) -> None:
        host = urlsplit(request.url).netloc
        is_led = host == self._provider and request.is_navigation_request()
        if host != urlsplit(self._console).netloc and not is_led:
            self.found["foreign"].append(request.url)

    def play(self, path: str, steps: list[list[str]]) -> None:
        """From an address to the end, or to the first step that the page does not let be done."""
        self.page.goto(self._console + path)
        for what, *values in steps:
            done: Callable[..., None] = getattr(self, f"do_{what}")
            try:
                done(*values)
            except Error as error:
                shown = self.page.inner_text("body")[:SHOWN_MOST]
                self.found["stopped"].append(f"{self._who}, {what} {values}: {error.message[:200]}: {shown}")
                break
        self._context.close()

    def do_sign_in(self) -> None:
        self._signed_in(self.page)

    def _signed_in(self, page: Page) -> None:
        with page.expect_navigation(url=f"https://{self._provider}/**"):
            page.click("main a[href*='/login']")
        page.click(f"#{self._who}")
        page.wait_for_selector("nav")

    def do_sign_in_elsewhere(self) -> None:
        """As the page says: in another tab."""
        with self._context.expect_page() as other:
            self.page.click("main a[target=_blank]")
        other.value.click(f"#{self._who}")
        other.value.wait_for_selector("nav")
        other.value.close()

    def do_expire(self) -> None:
        self._context.clear_cookies(name=SESSION)

    def do_click(self, selector: str) -> None:
        self.page.click(selector)
        self.page.wait_for_load_state()

    def do_press(self, selector: str) -> None:
        """By the keyboard alone."""
        self.page.focus(selector)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")

    def do_twice(self, selector: str) -> None:
        with self.page.expect_navigation():
            self.page.dblclick(selector)

    def do_back(self) -> None:
        self.page.go_back()

    def do_fill(self, selector: str, text: str) -> None:
        self.page.fill(selector, text)

    def do_choose(self, selector: str, value: str) -> None:
        self.page.select_option(selector, value)

    def do_wait(self, url: str) -> None:
        self.page.wait_for_url(f"{self._console}{url}")

    def do_read(self, name: str, selector: str) -> None:
        self.read[name] = self.page.inner_text(selector)

    def do_value(self, name: str, selector: str) -> None:
        self.read[name] = self.page.input_value(selector)

    def do_look(self) -> None:
        """Axe on the page, and whether it fits a telephone."""
        for one in self._axe.run(self.page).response["violations"]:
            self.found["violations"].append(f"{self.page.url}: {one['id']}: {one['nodes'][0]['html'][:200]}")
        before = self.page.viewport_size
        self.page.set_viewport_size(NARROW)
        if self.page.evaluate(SIDEWAYS) > 0:
            self.found["sideways"].append(self.page.url)
        self.page.set_viewport_size(before)
        self.read["cookie for scripts"] = self.page.evaluate("() => document.cookie")


def started_with(asked: Mapping[str, Any]) -> list[str]:
    """What chromium is started with."""
    return ["--no-sandbox", *([f"--host-resolver-rules={asked['hosts']}"] if "hosts" in asked else [])]


def main() -> None:
    """Play them, one after the other."""
    asked = json.loads(sys.argv[1])
    found: dict[str, Any] = {"errors": [], "foreign": [], "violations": [], "sideways": [], "stopped": [], "read": {}}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked["chromium"], args=started_with(asked))
        for name, one in asked["journeys"].items():
            journey = Journey(browser, asked, one["who"], found)
            journey.play(one["path"], one["steps"])
            found["read"][name] = journey.read
        browser.close()
    print(json.dumps(found))  # noqa: T201 (the answer)


if __name__ == "__main__":
    main()
