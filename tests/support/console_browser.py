"""A console over a world in memory, and a browser without a screen: cookies, forms and redirections, one process."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any, Self

from werkzeug.test import Client, TestResponse

from kulanz.application.door.routes import BY_USE, Role
from kulanz_cli.pages import ByDoor
from kulanz_console.app import Console, FirstAddress
from kulanz_console.place import Place
from kulanz_console.port import NotAnswered, Why
from kulanz_console.sessions import Sessions
from tests.support.world import World
from tests.support.world_stack import WorldStack

HOST = "127.0.0.1:49152"
ORIGIN = f"http://{HOST}"
EVERY_ROLE = frozenset(Role)


class InRoles:
    """Answers as the gateway and the function do together: what no role of the caller has is not permitted."""

    def __init__(self, stack: WorldStack, roles: frozenset[Role] = EVERY_ROLE) -> None:
        self._door, self.roles = ByDoor(stack.door()), roles
        self.asked: list[str] = []
        self.acted: list[tuple[str, Mapping[str, Any]]] = []
        self.fails: NotAnswered | None = None
        self.seen: Callable[[Mapping[str, Any]], Mapping[str, Any]] = dict
        """What becomes of an answer before a page sees it."""

    def _must(self, use: str) -> None:
        if self.fails is not None:
            raise self.fails
        if not BY_USE[use].roles & self.roles:
            raise NotAnswered("your credentials lack the role", Why.NOT_PERMITTED)

    def ask(self, use: str, query: Mapping[str, str | None] | None = None, **values: str | int) -> Mapping[str, Any]:
        self.asked.append(use)
        self._must(use)
        return self.seen(self._door.ask(use, query, **values))

    def act(self, use: str, content: Mapping[str, Any], **values: str | int) -> Mapping[str, Any]:
        self._must(use)
        self.acted.append((use, content))
        return self._door.act(use, content, **values)

    def may(self, use: str) -> bool:
        return bool(BY_USE[use].roles & self.roles)

    def rights(self, uses: Sequence[str]) -> Mapping[str, bool]:
        return {use: self.may(use) for use in uses}


@dataclass
class Form(HTMLParser):
    """The forms of a page: where each goes, and its fields with what is in them."""

    found: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    _select: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form" and of.get("method") == "post":
            self.found.append((of["action"], {}))
        elif tag == "form":
            self.found.append(("", {}))
        elif tag == "textarea" and self.found:
            self.found[-1][1][of["name"]] = ""
        elif tag == "select" and self.found:
            self._select = of["name"]
            self.found[-1][1][of["name"]] = ""
        elif tag == "option" and self.found and "selected" in of:
            self.found[-1][1][self._select] = of.get("value", "")
        elif tag == "input" and self.found and (of.get("type") not in ("checkbox", "radio") or "checked" in of):
            self.found[-1][1][of["name"]] = of.get("value", "")
        elif tag == "a" and "href" in of:
            self.links.append(of["href"])


class Browser:
    """A browser that was let in, or not yet."""

    def __init__(self, world: World, roles: frozenset[Role] = EVERY_ROLE, stack: WorldStack | None = None) -> None:
        self.world, self.stack = world, stack or WorldStack(world)
        self.kulanz = InRoles(self.stack, roles)
        self.sessions = Sessions()
        place = Place(HOST, "kulanz")
        self.entry = FirstAddress(place, self.kulanz, self.sessions)
        self.console = Console(place, self.entry, lambda: world.now)
        self.client = Client(self.console)

    def enter(self) -> Self:
        """Use the first address."""
        assert self.get(f"/enter/{self.sessions.first_token}").status_code == 200
        return self

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(path, base_url=ORIGIN, headers=headers or None)

    def post(self, path: str, fields: Mapping[str, Any], **headers: str) -> TestResponse:
        stated = {"Origin": ORIGIN, **headers}
        return self.client.post(path, base_url=ORIGIN, data=fields, headers=stated)

    def form(self, page: str, action: str) -> dict[str, str]:
        """What is in a form of a page."""
        return dict(forms(self.get(page))[action])

    def submit(self, page: str, target: str, /, **filled: Any) -> TestResponse:
        """Fill in a form of a page, and send it to where it goes."""
        return self.post(target, {**self.form(page, target), **filled})


def forms(response: TestResponse) -> dict[str, dict[str, str]]:
    """The forms of a page by where they go; not those of the footer."""
    read = Form()
    read.feed(response.text)
    return {action: fields for action, fields in read.found if action}


def settled(world: World, is_enough: Callable[[World], bool]) -> World:
    """Let things happen until it is enough."""
    while not is_enough(world):
        world.run(world.steps()[0])
    return world
