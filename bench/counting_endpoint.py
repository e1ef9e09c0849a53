"""Stands between functions and the embedded AWS and counts what they ask: calls, write units, read units.

What Lambda's pollers do (receive and delete messages, read streams) does not come by here; `bench.run` adds it.
"""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil
from typing import Any
from urllib.parse import parse_qs, urlsplit

UNIT_BYTES = 1024
META_UNITS = 4
"""A campaign's META is counted as 4 KB, more than it has here: an update is billed by the whole item."""
UPSTREAM_SECONDS = 60
HOP_BY_HOP = frozenset({"transfer-encoding", "connection", "content-length"})

type Item = dict[str, Any]


def item_bytes(item: Item) -> int:
    """The size of an item as DynamoDB counts it: names and values, three bytes about a list or map."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in item.items())


def _value_bytes(value: Item) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(str(content).encode())
        case "N":
            return len(str(content)) // 2 + 2
        case "L":
            return 3 + sum(1 + _value_bytes(part) for part in content)
        case "M":
            return 3 + item_bytes(content) + len(content)
        case _:
            return 1


class Counts:
    """Calls by operation, and units."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self.write_units = self.read_units = self.topic_messages = 0

    def take(self, operation: str, content: Item) -> None:
        """Count one call."""
        writes, reads = _units(operation, content)
        with self._lock:
            self.calls[operation] += 1
            self.write_units += writes
            self.read_units += reads
            self.topic_messages += content.get("messages", 0)

    def clear(self) -> None:
        """Count from nothing again."""
        with self._lock:
            self.calls.clear()
            self.write_units = self.read_units = self.topic_messages = 0


def _units(operation: str, content: Item) -> tuple[int, int]:
    """Write units and read units of a call."""
    writes = reads = 0
    match operation:
        case "DynamoDB.BatchExecuteStatement":
            writes = sum(_insert_units(statement) for statement in content["Statements"])
        case "DynamoDB.PutItem":
            writes = _item_units(content["Item"])
        case "DynamoDB.UpdateItem" | "DynamoDB.DeleteItem":
            writes = _update_units(content)
        case "DynamoDB.TransactWriteItems":
            writes = 2 * sum(_action_units(action) for action in content["TransactItems"])
        case "DynamoDB.GetItem" | "DynamoDB.Query":
            reads = 1
        case "DynamoDB.BatchGetItem":
            reads = sum(len(table["Keys"]) for table in content["RequestItems"].values())
        case _:
            pass
    return writes, reads


def _insert_units(statement: Item) -> int:
    names = statement["Statement"].split("'")[1::2]
    return _item_units(dict(zip(names, statement["Parameters"], strict=True)))


def _item_units(item: Item) -> int:
    return ceil(item_bytes(item) / UNIT_BYTES)


def _update_units(update: Item) -> int:
    return META_UNITS if update["Key"].get("sk", {}).get("S") == "META" else 1


def _action_units(action: Item) -> int:
    [change] = action.values()
    return _item_units(change["Item"]) if "Item" in change else _update_units(change)


def _operation(handler: BaseHTTPRequestHandler, body: bytes) -> tuple[str, Item]:
    target = handler.headers.get("X-Amz-Target", "")
    if target:
        service = target.partition("_")[0].removeprefix("Amazon").partition(".")[0]
        return f"{service}.{target.rpartition('.')[2]}", json.loads(body)
    if "x-www-form-urlencoded" in handler.headers.get("Content-Type", ""):
        form = parse_qs(body.decode())
        return f"SNS.{form['Action'][0]}", {"messages": max(1, sum(name.endswith(".Id") for name in form))}
    return f"S3.{handler.command}", {}


@contextmanager
def counting_endpoint(upstream: str) -> Iterator[tuple[str, Counts]]:
    """An endpoint that passes everything on to `upstream`, and what it has counted so far."""
    counts, parts = Counts(), urlsplit(upstream)
    connections = threading.local()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            counts.take(*_operation(self, body))
            if not hasattr(connections, "upstream"):
                connections.upstream = http.client.HTTPConnection(
                    parts.hostname or "", parts.port, timeout=UPSTREAM_SECONDS
                )
            connection: http.client.HTTPConnection = connections.upstream
            connection.request(self.command, self.path, body=body, headers=dict(self.headers.items()))
            answer = connection.getresponse()
            content = answer.read()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    self.send_header(name, value)
            length = answer.headers.get("Content-Length") if self.command == "HEAD" else None
            self.send_header("Content-Length", length or str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's own name
            del format, args

    for method in ("GET", "PUT", "POST", "HEAD", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.pass_on)
    server = ThreadingHTTPServer((parts.hostname or "", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{parts.hostname}:{server.server_port}", counts
    finally:
        server.shutdown()
        server.server_close()
