"""A hosted console over a world in memory, with a provider that errs on demand, and a browser without a screen."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from werkzeug.test import Client, TestResponse

from kulanz.application.door.routes import Role
from kulanz.domain.people.people import people_json
from kulanz_console.app import Console
from kulanz_console.hosted.entry import LoginEntry
from kulanz_console.hosted.login import Client as OfProvider
from kulanz_console.hosted.login import Login
from kulanz_console.hosted.sessions import KeptSession, LoginSessions
from kulanz_console.place import Place
from tests.support.console_browser import forms
from tests.support.fake_provider import CLIENT_ID, ISSUER, FakeProvider, FakeSecret
from tests.support.world import World
from tests.support.world_door import WorldDoor

HOST = "api.example"
ORIGIN = f"https://{HOST}"
ROOT = "/console"
GROUPS = {f"kulanz-{role.value}": frozenset({role}) for role in Role}
PLACE = Place(HOST, "kulanz", is_hosted=True, root=ROOT)
OF_PROVIDER = OfProvider(ISSUER, CLIENT_ID, f"{ORIGIN}{ROOT}/callback", "groups", GROUPS, ended=f"{ORIGIN}{ROOT}/ended")


class FakeSessionStore:
    """Sessions in memory, by key."""

    def __init__(self) -> None:
        self.kept: dict[str, KeptSession] = {}
        self.changes = 0

    def put(self, session: KeptSession) -> None:
        assert session.key not in self.kept
        self.kept[session.key] = session

    def change(self, session: KeptSession) -> None:
        if session.key in self.kept:
            self.changes += 1
            before = self.kept[session.key]
            self.kept[session.key] = replace(before, language=session.language, said=session.said)

    def get(self, key: str) -> KeptSession | None:
        return self.kept.get(key)

    def delete(self, key: str) -> None:
        self.kept.pop(key, None)


class HostedBrowser:
    """A browser at a hosted console; nobody has signed in yet."""

    def __init__(self, world: World, *roles: Role, sub: str = "anna", door: WorldDoor | None = None) -> None:
        self.world, self.door = world, door or WorldDoor(world)
        self.store = FakeSessionStore()
        self.provider = FakeProvider(lambda: world.now, sub, [f"kulanz-{role.value}" for role in roles])
        self.entry = LoginEntry(
            PLACE, Login(OF_PROVIDER, self.provider, FakeSecret()), LoginSessions(self.store), lambda: self.door,
            lambda: world.now, lambda: 25.0,
        )  # fmt: skip
        self.console = Console(PLACE, self.entry, lambda: world.now)
        self.client = Client(self.console)

    def list_the_person(self) -> None:
        """Publish a people file that says whose id the login is."""
        persons = {"anna": {"ids": [f"login:{ISSUER}#{self.provider.sub}"]}}
        self.door.people.publish(1, people_json({"kulanz_people": 1, "version": 1, "persons": persons}))

    def sign_in(self, to: str = "/") -> TestResponse:
        """Go to the provider and come back; the page that leads on."""
        begun = self.get("/login?to=" + to)
        assert begun.status_code == 303
        back = self.provider.visited(begun.headers["Location"])
        return self.get("/callback?" + "&".join(f"{name}={text}" for name, text in back.items()))

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(ROOT + path, base_url=ORIGIN, headers=headers or None)

    def post(self, path: str, fields: Mapping[str, Any], **headers: str) -> TestResponse:
        return self.client.post(ROOT + path, base_url=ORIGIN, data=fields, headers={"Origin": ORIGIN, **headers})

    def form(self, page: str, action: str) -> dict[str, str]:
        """What is in a form of a page."""
        return dict(forms(self.get(page))[ROOT + action])
