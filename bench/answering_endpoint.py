"""An endpoint that answers at once, in a process of its own: what is left is the worker's own time.

It takes every request as done: DynamoDB's calls, an SNS publish, whatever comes. Nothing is stored, so no insert is
ever a duplicate. Started as a script it prints its port and serves until its standard input ends.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READ_BYTES = 256 * 1024
DYNAMODB_TYPE = b"application/x-amz-json-1.0"
PUBLISHED = (
    b'<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>'
    b"567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult><ResponseMetadata><RequestId>"
    b"d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>"
)


def _answer(head: bytes, body: bytes) -> tuple[bytes, bytes]:
    """The content type and the content that answer a request."""
    if b"batchexecutestatement" in head:
        statements = body.count(b'"Parameters"')
        return DYNAMODB_TYPE, b'{"Responses":[' + b",".join([b'{"TableName":"credits"}'] * statements) + b"]}"
    if b"x-amz-target: dynamodb" in head:
        return DYNAMODB_TYPE, b"{}"
    return b"text/xml", PUBLISHED


def _serve(connection: socket.socket) -> None:
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
            kind, content = _answer(head, body)
            fields = b"Content-Type: %b\r\nx-amzn-RequestId: %b\r\nContent-Length: %d" % (kind, b"0" * 52, len(content))
            connection.sendall(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n\r\n" + content)


def _main() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        print(server.getsockname()[1], flush=True)
        threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
        while True:
            connection, _ = server.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(connection,), daemon=True).start()


@contextmanager
def answering_endpoint() -> Iterator[str]:
    """The URL of an endpoint of its own, for the length of a `with` block."""
    process = subprocess.Popen(  # noqa: S603 - this very file
        [sys.executable, str(Path(__file__).resolve())], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
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
    _main()
