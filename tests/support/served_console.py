"""The console's function behind a gateway that speaks HTTPS on this machine: for a real browser."""

import ssl
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

from kulanz_console.app import Console
from kulanz_console.hosted.entry import LoginEntry
from kulanz_console.hosted.login import Client, Login
from kulanz_console.hosted.sessions import LoginSessions
from kulanz_console.place import Place
from serve_console import handler
from serve_console.kept import HttpsProvider
from tests.support.fake_provider import CLIENT_ID, FakeProvider, FakeSecret
from tests.support.hosted_browser import GROUPS, ROOT, FakeSessionStore
from tests.support.world_door import WorldDoor
from tests.unit.functions.test_api import Context


def composed(host: str, provider: FakeProvider, door: WorldDoor, cert: Path) -> Console:
    """The console as the function composes it, over a world in memory."""
    place = Place(host, "kulanz", is_hosted=True, root=ROOT)
    base = f"{place.origin}{ROOT}"
    of_provider = Client(provider.issuer, CLIENT_ID, f"{base}/callback", "groups", GROUPS, ended=f"{base}/ended")
    asks = HttpsProvider(ssl.create_default_context(cafile=cert))
    entry = LoginEntry(
        place, Login(of_provider, asks, FakeSecret()), LoginSessions(FakeSessionStore()), lambda: door,
        lambda: door.world.now, handler._invocation.seconds_left,
    )  # fmt: skip
    return Console(place, entry, lambda: door.world.now, handler._reported)


class _Gateway(BaseHTTPRequestHandler):
    """Hands a request on as the gateway does (payload 2.0), and the answer back."""

    def do_GET(self) -> None:
        self._handed_on("GET", None)

    def do_POST(self) -> None:
        self._handed_on("POST", self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _handed_on(self, method: str, body: bytes | None) -> None:
        at = urlsplit(self.path)
        cookies = [one.strip() for one in (self.headers.get("Cookie") or "").split(";") if one.strip()]
        event: dict[str, Any] = {
            "version": "2.0", "rawPath": unquote(at.path), "rawQueryString": at.query, "cookies": cookies,
            "headers": {name.lower(): text for name, text in self.headers.items() if name.lower() != "cookie"},
            "body": None if body is None else b64encode(body).decode(), "isBase64Encoded": body is not None,
            "requestContext": {"requestId": "a-request", "http": {"method": method, "path": unquote(at.path)}},
        }  # fmt: skip
        answer = handler.handle(event, Context())  # type: ignore[arg-type] # what the handler reads of it
        text = answer["body"].encode()
        self.send_response(answer["statusCode"])
        for name, value in answer["headers"].items():
            if name != "content-length":
                self.send_header(name, value)
        for cookie in answer["cookies"]:
            self.send_header("Set-Cookie", cookie)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@contextmanager
def listening(cert: Path, key: Path) -> Iterator[str]:
    """The gateway's host; the function behind it is that of `serve_console.handler`."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Gateway)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
