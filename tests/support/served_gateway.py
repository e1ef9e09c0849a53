"""A deployed console at its own host name: a browser's requests by HTTPS, handed on to the emulator's gateway.

The emulator has its gateway below a path of its own. A browser has to see the host that the stack states (ConsoleUrl),
because cookies, redirections and the pages' own policy are about that host. Only the beginning of a path is changed.
"""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import urllib3

WAIT_SECONDS = 60.0
OF_THE_CONNECTION = frozenset({"connection", "transfer-encoding", "content-length", "date", "server", "keep-alive"})


@contextmanager
def fronted(gateway: str, ca: Path, cert: Path, key: Path) -> Iterator[int]:
    """The port on which the gateway is handed requests. `ca` is whose certificate the emulator shows."""
    pool = urllib3.PoolManager(ca_certs=str(ca), timeout=WAIT_SECONDS, retries=False, maxsize=8)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._handed_on(None)

        def do_POST(self) -> None:
            self._handed_on(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

        def _handed_on(self, body: bytes | None) -> None:
            headers = {name: text for name, text in self.headers.items() if name.lower() != "accept-encoding"}
            answer = pool.request(self.command, gateway + self.path, body=body, headers=headers, redirect=False)
            self.send_response(answer.status)
            for name, text in answer.headers.iteritems():
                if name.lower() not in OF_THE_CONNECTION:
                    self.send_header(name, text)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            with suppress(ConnectionError):  # a browser that has left the page
                self.wfile.write(answer.data)

        def log_message(self, *_: Any) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
