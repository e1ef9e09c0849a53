"""What a person does in a browser, played by playwright: run by the interpreter of .venvs/browser, asked by JSON.

Its argument is {"chromium", "approvals": addresses, "tour": address, "pages": paths, "account": id}. It prints JSON.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

WIDTHS = (1280, 360)
SIDEWAYS = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""


def main() -> None:
    """Play it all."""
    asked = json.loads(sys.argv[1])
    found: dict[str, Any] = {"errors": [], "foreign": [], "violations": [], "sideways": [], "shown": {}}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked["chromium"], args=["--no-sandbox"])
        if asked["approvals"]:
            found["approved"] = [approve(browser, address, found) for address in asked["approvals"]]
        else:
            tour(browser, asked, found)
        browser.close()
    print(json.dumps(found))  # noqa: T201 (the answer)


@contextmanager
def entered(browser: Browser, address: str, found: dict[str, Any], **settings: Any) -> Iterator[Page]:
    """A page of a browser that was let in. What the browser complains of, or loads from elsewhere, is kept."""
    context = browser.new_context(timezone_id="Europe/Berlin", **settings)
    page = context.new_page()
    page.on("console", lambda one: found["errors"].append(f"{page.url}: {one.text}") if one.type == "error" else None)
    page.on("pageerror", lambda error: found["errors"].append(f"{page.url}: {error}"))
    host = urlsplit(address).netloc
    page.on("request", lambda one: None if urlsplit(one.url).netloc == host else found["foreign"].append(one.url))
    page.goto(address)
    page.wait_for_url(f"http://{host}/")
    yield page
    context.close()


def approve(browser: Browser, address: str, found: dict[str, Any]) -> str:
    """An approver: from the first page to the plan, a look, and a yes by the keyboard alone."""
    with entered(browser, address, found) as page:
        page.click("main table a")
        assert "/plan/" in page.url
        page.focus("button.yes")
        page.keyboard.press("Enter")
        page.wait_for_selector(".said")
        return str(page.inner_text(".said"))


def tour(browser: Browser, asked: dict[str, Any], found: dict[str, Any]) -> None:
    """Each page wide and narrow, looked at by axe; a support agent's answer; another language; without script."""
    axe = Axe()
    host = urlsplit(asked["tour"]).netloc
    with entered(browser, asked["tour"], found, locale="en-US") as page:
        state = page.context.storage_state()
        for path in asked["pages"]:
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                page.goto(f"http://{host}{path}")
                if page.evaluate(SIDEWAYS) > 0:
                    found["sideways"].append(f"{path} at {width}")
            for one in axe.run(page).response["violations"]:
                found["violations"].append(f"{path}: {one['id']}: {one['nodes'][0]['html'][:200]}")
        page.goto(f"http://{host}/")
        page.keyboard.press("Tab")
        found["shown"]["first focus"] = page.evaluate("() => document.activeElement.className")
        found["shown"]["cookie for scripts"] = page.evaluate("() => document.cookie")
        page.fill("input[name=id]", asked["account"])
        page.keyboard.press("Enter")
        page.wait_for_url("**/account?id=*")
        found["shown"]["support"] = page.inner_text("main")
        plain = browser.new_context(java_script_enabled=False, storage_state=state)
        bare = plain.new_page()
        bare.goto(page.url)
        found["shown"]["without script"] = bare.inner_text("main")
        found["shown"]["times"] = [
            [one.inner_text(), other.inner_text(), one.get_attribute("title")]
            for one, other in zip(page.query_selector_all("time"), bare.query_selector_all("time"), strict=True)
        ]
        plain.close()
        page.click("button[value=de]")
        found["shown"]["language"] = page.get_attribute("html", "lang")


if __name__ == "__main__":
    main()
