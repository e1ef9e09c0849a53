"""A provider of logins over HTTPS on this machine, and a browser without a screen at a deployed console."""

import html
import json
import ssl
import subprocess
from base64 import b64decode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

import urllib3

from tests.support.console_browser import Form
from tests.support.fake_provider import FakeProvider
from tests.support.fake_provider import key as key_of

WAIT_SECONDS = 60.0
ROOT = "/console"


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine's own address, and its key; whoever shall trust it is told so."""
    cert, key = folder / "provider.crt", folder / "provider.key"
    extensions = (
        "subjectAltName=IP:127.0.0.1", "basicConstraints=critical,CA:FALSE", "extendedKeyUsage=serverAuth",
        "keyUsage=critical,digitalSignature,keyEncipherment",
    )  # fmt: skip
    asked = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=provider"]
    added = [word for one in extensions for word in ("-addext", one)]
    subprocess.run([*asked, "-keyout", key, "-out", cert, *added], check=True, capture_output=True)  # noqa: S603
    return cert, key


def sign_in_page(provider: FakeProvider, query: str) -> str:
    """The provider's page in a browser: who is it?"""
    persons = "".join(
        f'<li><a id="{who}" href="/t1/chosen?{html.escape(query)}&amp;who={who}">{who}</a></li>'
        for who in provider.persons
    )
    return f"<!DOCTYPE html><html lang='en'><title>Who is it?</title><ul>{persons}</ul></html>"


@contextmanager
def served(cert: Path, key: Path) -> Iterator[FakeProvider]:
    """The provider, at the address that it states as its issuer."""
    provider = FakeProvider(lambda: datetime.now(UTC))
    key_of("one")  # made once: two requests at the same time would make two

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            at = urlsplit(self.path)
            asked = dict(parse_qsl(at.query))
            if at.path == "/t1/authorize":
                self._page(sign_in_page(provider, at.query))
            elif at.path == "/t1/chosen":
                provider.sub, provider.groups = asked["who"], provider.persons[asked["who"]]
                self._lead(asked["redirect_uri"] + "?" + urlencode(provider.visited(self.path)))
            elif at.path == "/t1/logout":
                provider.left.append(asked)
                self._lead(asked["post_logout_redirect_uri"])
            else:
                self._answer(provider.read(f"{provider.issuer}{self.path.removeprefix('/t1')}"))

        def _page(self, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(text.encode())

        def _lead(self, to: str) -> None:
            self.send_response(302)
            self.send_header("Location", to)
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            basic = b64decode(self.headers["Authorization"].removeprefix("Basic ")).decode()
            user, password = (unquote(one) for one in basic.split(":"))
            self._answer(provider.send(f"{provider.issuer}/token", dict(parse_qsl(body)), user, password))

        def _answer(self, content: Mapping[str, Any] | None) -> None:
            text = json.dumps(content).encode()
            self.send_response(200 if content is not None else 400)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    provider.issuer = f"https://127.0.0.1:{server.server_address[1]}/t1"
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield provider
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


class Visitor:
    """A browser at the console of a stack: its cookies, and forms as its pages have them."""

    def __init__(self, gateway: str, host: str, ca: Path | None) -> None:
        self._gateway, self._host = gateway, host
        self._pool = urllib3.PoolManager(ca_certs=str(ca) if ca else None, timeout=WAIT_SECONDS, retries=False)
        self.cookies: dict[str, str] = {}

    def get(self, path: str) -> tuple[int, str]:
        """A page of the console by its path below the root."""
        status, _, text = self._send("GET", path, None)
        return status, text

    def post(self, path: str, fields: Mapping[str, Any]) -> tuple[int, str, str]:
        """Send a form: the status, where it leads, and the page."""
        return self._send("POST", path, fields)

    def submit(self, page: str, action: str, **filled: Any) -> tuple[int, str, str]:
        """Fill in a form of a page, and send it."""
        read = Form()
        read.feed(self.get(page)[1])
        return self.post(action, {**dict(read.found)[f"{ROOT}{action}"], **filled})

    def sign_in(self, provider: FakeProvider, sub: str, *groups: str) -> tuple[int, str]:
        """Go to the provider as somebody, and come back."""
        provider.sub, provider.groups = sub, list(groups)
        status, location, text = self._send("GET", "/login", None)
        assert status == 303, text
        return self.get(f"/callback?{urlencode(provider.visited(location))}")

    def _send(self, method: str, path: str, fields: Mapping[str, Any] | None) -> tuple[int, str, str]:
        headers = {"Host": self._host, "Cookie": "; ".join(f"{name}={text}" for name, text in self.cookies.items())}
        body = None
        if fields is not None:
            headers |= {"Origin": f"https://{self._host}", "Content-Type": "application/x-www-form-urlencoded"}
            body = urlencode(fields, doseq=True)
        url = f"{self._gateway}{ROOT}{'' if path == '/' else path}"
        answer = self._pool.request(method, url, body=body, headers=headers)
        for text in answer.headers.getlist("Set-Cookie"):
            self.cookies |= {name: one.value for name, one in SimpleCookie(text).items()}
        self.cookies = {name: text for name, text in self.cookies.items() if text}
        return answer.status, answer.headers.get("Location", ""), answer.data.decode()
