"""Schemathesis calls the API by its OpenAPI document, with every check that it has; no exception is logged meanwhile.

The function's own handler answers, over a world in memory, behind a server that matches routes as the gateway does.
"""

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest

from api import handler
from kulanz.application.door.routes import BY_KEY, ROUTES
from kulanz_local.embedded import PROJECT
from tests.support.effort import EXAMPLES_PERCENT
from tests.support.small_campaign import ROWS, event, small_world
from tests.support.world_door import WorldDoor

pytestmark = pytest.mark.long

SCHEMATHESIS = PROJECT / ".venvs/api/bin/schemathesis"
LONGEST_SECONDS = 900
SIGNATURE = "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE"
"""What the server takes for a valid one."""
OF_THE_GATEWAY = "unsupported_method,missing_required_header"
"""An HTTP API answers 404 to a method that a path does not have, and 403 without a signature, where these two checks
want 405 and 401; docs/api.md says so. That no request without a signature is answered is the check `ignored_auth`."""
MAY_BE_REFUSED = {
    "requests.record": "422",
    "requests.campaign": "422",
    "drafts.confirm": "422",
    "acceptances.accept": "422",
    "acknowledgements.acknowledge": "422",
    "voids.ask": "422",
    "voids.decide": "422",
    "goodwill.give": "422",
    "goodwill.decide": "422",
    "cases.one": "400",
    "cases.decide": "422",
    "cases.second": "422",
    "credits.act": "422",
    "audit.of_day": "400",
    "repairs.notices": "400",
}
"""What a body or a path may still be refused for that is right by its schema: an incident's own rules, a day that no
month has, a cursor of nothing, facts that are no JSON, an amount beyond its currency's decimals, neither or both of two
entries of which one is expected, and 1.0 for the number of a campaign, which JSON Schema takes for a whole number."""
EXAMPLES = str(max(5, 15 * min(100, EXAMPLES_PERCENT) // 100))
"""For each route and phase: 15, and fewer where fewer are asked of every property."""
ACCOUNT = "123456789012"
ANNA = {"accountId": ACCOUNT, "userArn": f"arn:aws:iam::{ACCOUNT}:user/anna", "userId": "AIDAEXAMPLE"}


class Context:
    """What Lambda tells a handler."""

    function_name, function_version, memory_limit_in_mb = "api", "$LATEST", 1769
    invoked_function_arn, aws_request_id = "arn:api", "a-request"

    def get_remaining_time_in_millis(self) -> int:
        return 25_000


class LaptopDoor(WorldDoor):
    """The world's door with the settings of a function."""

    config: Any = SimpleNamespace(account_id=ACCOUNT, person_roles=frozenset())


class Gateway(BaseHTTPRequestHandler):
    """An HTTP API on this machine: a signature is whatever stands in the header, the most specific route wins."""

    protocol_version = "HTTP/1.1"
    turn = threading.Lock()

    def _serve(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        body, parts = self.rfile.read(length), urlsplit(self.path)
        path, key = unquote(parts.path), ""
        found = [route for route in BY_KEY.values() if route.method == self.command and route.match(path) is not None]
        if found:
            key = max(found, key=lambda route: len(route.words)).key
        if not key:
            return self._answer(404, {"content-type": "application/json"}, b'{"message":"Not Found"}')
        if self.headers.get("authorization") != SIGNATURE:
            return self._answer(403, {"content-type": "application/json"}, b'{"message":"Forbidden"}')
        query: dict[str, str] = {}
        for name, value in parse_qsl(parts.query, keep_blank_values=True):
            query[name] = f"{query[name]},{value}" if name in query else value
        made = {
            "version": "2.0",
            "routeKey": key,
            "rawPath": path,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {"routeKey": key, "requestId": "a-request", "authorizer": {"iam": ANNA}},
            "isBase64Encoded": False,
            **({"queryStringParameters": query} if query else {}),
            **({"body": body.decode("utf-8", "surrogateescape")} if body else {}),
        }
        with self.turn:
            reply = handler.handle(made, Context())  # type: ignore[arg-type]
        return self._answer(reply["statusCode"], reply["headers"], reply["body"].encode())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # whatever method comes, also one that no specification has
            return self._serve
        raise AttributeError(name)

    def log_message(self, *_: object) -> None:
        """Nothing: the handler has a log."""


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, StringIO]]:
    world = small_world()
    world.publish(event(rows=ROWS))
    world.run_until_quiet()
    door, log = LaptopDoor(world), StringIO()
    monkeypatch.setattr(handler, "_composed", lambda: door)
    for one in handler.logger._logger.handlers:
        monkeypatch.setattr(one, "stream", log)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", log
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


ACCEPTED = ["2xx", "401", "403", "404", "409"]
REFUSED = ["400", "401", "403", "404", "413", "415", "422"]
"""How a wrong request is answered: one that is too long, too, before anybody looks at what it says."""
TOO_LONG = {True: "413", False: None}
"""A body may be longer than a route takes, although each of its entries is as its schema says."""


def configured(folder: Path) -> Path:
    """The settings: by which status a right request may be answered. A cursor may be one of another question."""
    lines = ["[checks.negative_data_rejection]", f"expected-statuses = {json.dumps(REFUSED)}"]
    for route in ROUTES:
        may_be = (MAY_BE_REFUSED.get(route.use), "400" if "cursor" in route.query else None, TOO_LONG[bool(route.body)])
        if more := [status for status in may_be if status]:
            lines += [
                "[[operations]]",
                f'include-operation-id = "{route.use.replace(".", "_")}"',
                f"checks.positive_data_acceptance.expected-statuses = {json.dumps([*ACCEPTED, *more])}",
            ]
    path = folder / "schemathesis.toml"
    path.write_text("\n".join(lines))
    return path


def test_the_api_keeps_its_contract_whatever_is_sent(address: tuple[str, StringIO], tmp_path: Path) -> None:
    url, log = address
    done = subprocess.run(  # noqa: S603 - fixed arguments
        [
            SCHEMATHESIS, "--config-file", str(configured(tmp_path)), "run", str(PROJECT / "docs/openapi.json"),
            "--url", url, "--header", f"Authorization: {SIGNATURE}", "--max-examples", EXAMPLES,
            "--checks", "all", "--exclude-checks", OF_THE_GATEWAY, "--no-color", "--continue-on-failure",
        ],
        capture_output=True, text=True, timeout=LONGEST_SECONDS, check=False, cwd=tmp_path,
    )  # fmt: skip
    failed = [line for line in log.getvalue().splitlines() if json.loads(line)["level"] == "ERROR"]
    assert failed == []
    failures = done.stdout.partition("= FAILURES =")[2]
    assert done.returncode == 0, failures[:6_000] + done.stdout[-2_000:] + done.stderr[-2_000:]
