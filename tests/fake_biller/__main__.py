"""Run the biller as a process: `python -m tests.fake_biller FOLDER`. It prints its address, and ends with its input.

| | |
|---|---|
| GET / | accounts and bills as a page |
| GET /bills.json, /lines.json, /credits.json | bills, the lines of issued invoices, every credit with its state |
| PUT /accounts | accounts as `[[key, currency, charge], ...]` |
| PUT /faults | its switches |
| PUT /inbox/<channel>/<serial>/<file> | a file of a delivery |
| POST /take/<channel>/<serial> | read a delivery: `taken`, `already`, `lost`, or 409 with the code of the refusal |
| POST /cycle/<day> | bill every account |
| POST /void/<bill>/<day> | void an invoice |
| POST /answers, /answers/<number> | the next answer file, or one again |
"""

import json
import sys
import threading
from collections.abc import Callable
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

from tests.fake_biller.biller import Biller, Faults
from tests.fake_biller.reading import Refused

HOST = "127.0.0.1"
BILLS_SHOWN = 200


class Desk:
    """What its address offers."""

    def __init__(self, folder: Path) -> None:
        self.biller = Biller(str(folder / "biller.db"))
        self._inbox: dict[tuple[str, int], dict[str, bytes]] = {}

    def get(self, path: list[str]) -> tuple[str, bytes]:
        """Answer a question."""
        match path:
            case [""]:
                return "text/html; charset=utf-8", page(self.biller.bills()).encode()
            case ["bills.json"]:
                return _json(self.biller.bills())
            case ["lines.json"]:
                return _json([[*line[:3], str(line[3]), line[4]] for line in self.biller.on_bills()])
            case ["credits.json"]:
                return _json(self.biller.booked())
            case _:
                raise KeyError

    def act(self, path: list[str], body: bytes) -> tuple[str, bytes]:
        """Do what it is told."""
        match path:
            case ["accounts"]:
                self.biller.open_accounts([tuple(one) for one in json.loads(body)])
            case ["closed", key]:
                self.biller.close_account(key)
            case ["faults"]:
                self.biller.set_faults(Faults.of(json.loads(body)))
            case ["inbox", channel, serial, name]:
                self._inbox.setdefault((channel, int(serial)), {})[name] = body
            case ["take", channel, serial]:
                came = self._inbox.pop((channel, int(serial)), {})
                return _json(self.biller.take(channel, int(serial), came))
            case ["cycle", day]:
                return _json(self.biller.run_cycle(day))
            case ["void", bill, day]:
                return _json(self.biller.void(bill, day))
            case ["answers"]:
                return "text/csv; charset=utf-8", self.biller.write_answers()
            case ["answers", number]:
                return "text/csv; charset=utf-8", self.biller.file_again(int(number))
            case _:
                raise KeyError
        return _json("done")


def _json(content: object) -> tuple[str, bytes]:
    return "application/json", json.dumps(content).encode()


def page(bills: list[dict[str, Any]]) -> str:
    """Accounts and bills as a page: the newest bills with a credit on them first."""
    rows = "".join(
        f"<tr><td>{escape(bill['account'])}</td><td>{escape(bill['id'])}</td><td>{bill['state']}</td>"
        f"<td>{escape(bill['day'])}</td><td>{bill['charge']}</td><td>{_lines(bill['lines'])}</td></tr>"
        for bill in [bill for bill in reversed(bills) if bill["lines"]][:BILLS_SHOWN]
    )
    head = "".join(f"<th>{name}</th>" for name in ("account", "bill", "state", "day", "charge", "credits"))
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Bills</title>"
        f"<h1>Bills</h1><p>{len(bills)} bills</p><table><tr>{head}</tr>{rows}</table></html>"
    )


def _lines(lines: list[dict[str, str]]) -> str:
    return "<br>".join(f"{escape(line['text'])} {line['amount']} {escape(line['measure'])}" for line in lines)


def serve(desk: Desk) -> HTTPServer:
    """A server for the desk, on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(lambda: desk.get(self._path()))

        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            self._reply(lambda: desk.act(self._path(), body))

        do_POST = do_PUT  # noqa: N815 (the name that http.server asks for)

        def _path(self) -> list[str]:
            return self.path[1:].split("/")

        def _reply(self, answer: Callable[[], tuple[str, bytes]]) -> None:
            status = 200
            try:
                kind, content = answer()
            except Refused as refusal:
                status, (kind, content) = 409, _json(refusal.code)
            except KeyError:
                status, (kind, content) = 404, _json("no such place")
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nobody reads it."""

    return HTTPServer((HOST, 0), Handler)


def main() -> None:
    """Serve until whoever started this closes its input."""
    server = serve(Desk(Path(sys.argv[1])))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write(f"http://{HOST}:{server.server_port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.shutdown()


if __name__ == "__main__":
    main()
