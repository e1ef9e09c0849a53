"""A deployed stack as the `kulanz` command sees it, over a world in memory: for tests of what commands do and say."""

import json
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from click.testing import CliRunner, Result

from kulanz.application.door.serve import JSON_TYPE, Request
from kulanz.application.ledger.answer import AnswerPorts
from kulanz.application.ledger.check_ledger import CheckPorts
from kulanz_cli.direct import DirectStack
from kulanz_cli.door import Door
from kulanz_cli.main import main
from kulanz_cli.signed import Reply, SignedApi, SignedRequest
from kulanz_cli.stack import Stack, StackOutputs
from tests.support.world import BUCKET, World
from tests.support.world_door import OPERATION, Somebody, WorldDoor, check_ports, routed

__all__ = ["CALLER", "OPERATION", "WorldStack", "run"]
CALLER = "arn:aws:iam::123456789012:user/support-desk"
DESK = Somebody(f"iam:{CALLER}")
BASE = "https://api.example"


class WorldStack(DirectStack):
    """A stack whose API, tables and policies are those of a world in memory. It has no client of AWS."""

    def __init__(self, world: World) -> None:
        super().__init__("kulanz")
        self.world = world
        self.desk = DESK
        self.served = WorldDoor(world)
        self.accepting = self.served.offers
        self._outputs = StackOutputs(**dict.fromkeys(StackOutputs.__dataclass_fields__, BUCKET))
        self._door = Door(SignedApi(BASE, _unsigned, self._carried, wait=lambda _: None))

    def _carried(self, request: SignedRequest) -> Reply:
        """A request as the gateway hands it on: its path decoded, and the key of the route that it matches."""
        parts = urlsplit(request.url.removeprefix(BASE))
        path = unquote(parts.path)
        key, query = routed(request.method, path).key, dict(parse_qsl(parts.query))
        stated = JSON_TYPE if request.body else ""
        answer = self.served.send(Request(key, path, query, request.body, stated), self.desk)
        return Reply(answer.status, json.dumps(answer.content).encode())

    def fetch(self, url: str) -> Reply:
        """What a link of the fake door leads to."""
        key = urlsplit(url).path.removeprefix("/")
        content = self.world.archive.documents.get(key)
        return Reply(404, b"") if content is None else Reply(200, content)

    def campaigns(self) -> Any:
        return self.world.campaigns

    def stores(self) -> Any:
        return self.world.stores

    def policies(self) -> Any:
        return self.world.policies

    def people(self) -> Any:
        return self.world.people

    def discretion(self) -> Any:
        return self.served.discretion

    def sources(self) -> Any:
        return self.served.sources

    def answers(self) -> AnswerPorts:
        return AnswerPorts(self.world.campaigns, self.world.lists, self.world.ledger)

    def checks(self) -> CheckPorts:
        return check_ports(self.served)

    def caller(self) -> str:
        return CALLER


def _unsigned(method: str, url: str, body: bytes) -> SignedRequest:
    return SignedRequest(method, url, {}, body)


def run(stack: Stack | None, *words: str) -> Result:
    """What a command line prints, and its exit code; an error that is not told as one fails the test."""
    result = CliRunner().invoke(main, words, obj=stack, prog_name="kulanz")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
