"""An endpoint that answers at once, in a process of its own: what is left is the worker's own time.

It takes every request as done: DynamoDB's calls, an SNS publish, whatever comes. Nothing is stored, so no insert is
ever a duplicate. Asked to, it answers inserts after a latency, and throttles what exceeds a number of writes a second.
Started as a script (`LATENCY_SECONDS WRITES_PER_SECOND`, 0 for none) it prints its port and serves until its standard
input ends.
"""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READ_BYTES = 256 * 1024
DYNAMODB_TYPE = b"application/x-amz-json-1.0"
WRITTEN = b'{"TableName":"credits"}'
THROTTLED = b'{"Error":{"Code":"ThrottlingError","Message":"Throughput exceeds the current capacity"}}'
PUBLISHED = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>'
    b"567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult><ResponseMetadata><RequestId>"
    b"d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>"
)


class Writes:
    """A token bucket of one second's writes, as a table has; `per_second` of 0 is none."""

    def __init__(self, per_second: float) -> None:
        self._per_second = self._left = per_second
        self._at = time.monotonic()
        self._lock = threading.Lock()

    def take(self, wanted: int) -> int:
        """How many of the wanted writes may be done now."""
        if not self._per_second:
            return wanted
        with self._lock:
            now = time.monotonic()
            self._left = min(self._per_second, self._left + (now - self._at) * self._per_second)
            self._at = now
            taken = min(wanted, int(self._left))
            self._left -= taken
            return taken


def _answer(head: bytes, body: bytes, latency_seconds: float, writes: Writes) -> tuple[bytes, bytes]:
    """The content type and the content that answer a request."""
    if b"batchexecutestatement" in head:
        statements = body.count(b'"Parameters"')
        done = writes.take(statements)
        if latency_seconds:
            time.sleep(latency_seconds)
        return DYNAMODB_TYPE, b'{"Responses":[' + b",".join(
            [WRITTEN] * done + [THROTTLED] * (statements - done)
        ) + b"]}"
    if b"x-amz-target: dynamodb" in head:
        return DYNAMODB_TYPE, b"{}"
    return b"text/xml", PUBLISHED


def _serve(connection: socket.socket, latency_seconds: float, writes: Writes) -> None:
    buffer = b""
    with connection:
        while True:
            while b"\r\n\r\n" not in buffer:
                data = connection.recv(READ_BYTES)
                if not data:
                    return
                buffer += data
            raw_head, _, rest = buffer.partition(b"\r\n\r\n")
            head = raw_head.lower()
            place = head.find(b"content-length:")
            length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
            if b"100-continue" in head:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            parts, got = [rest], len(rest)
            while got < length:
                data = connection.recv(READ_BYTES)
                if not data:
                    return
                parts.append(data)
                got += len(data)
            whole = b"".join(parts)
            body, buffer = whole[:length], whole[length:]
            kind, content = _answer(head, body, latency_seconds, writes)
            fields = b"Content-Type: %b\r\nx-amzn-RequestId: %b\r\nContent-Length: %d" % (kind, b"0" * 52, len(content))
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n" + content)


def _main(latency_seconds: float, writes: Writes) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        print(server.getsockname()[1], flush=True)
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(connection, latency_seconds, writes), daemon=True).start()


@contextmanager
def answering_endpoint(latency_seconds: float = 0, writes_per_second: int = 0) -> Iterator[str]:
    """The URL of an endpoint of its own, for the length of a `with` block."""
    arguments = [sys.executable, str(Path(__file__).resolve()), str(latency_seconds), str(writes_per_second)]
    process = subprocess.Popen(  # noqa: S603 - this very file
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    _main(float(sys.argv[1]), Writes(float(sys.argv[2])))
