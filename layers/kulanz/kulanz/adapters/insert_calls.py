"""BatchExecuteStatement and BatchGetItem at a fraction of the SDK's work: several calls in flight on one thread.

Ninety-nine of a hundred calls that Kulanz makes are these, and through a client of the SDK four fifths of a worker's
time went into building and sending them (docs/decisions/0006-insert-calls.md). Here the request is one text, signed by
the SDK's own signer with the client's own credentials, and sent on connections that stay open: all calls are sent, then
all answers are read, so that DynamoDB works on many while no thread waits.

What the SDK's client would do besides: it looks for a proxy, which this does not; and it lets handlers of the event
`before-send` answer in place of the network, which this does too.
"""

import http.client
import json
import os
import ssl
import time
import weakref
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as _json_text
from typing import Any
from urllib.parse import urlsplit

from botocore.httpsession import get_cert_path
from urllib3.util.wait import wait_for_read

from kulanz.adapters.aws import (
    CONNECT_TIMEOUT_SECONDS,
    ENTRY_ATTEMPTS,
    READ_TIMEOUT_SECONDS,
    RETRYABLE_CODES,
    backoff_seconds,
)
from kulanz.adapters.signed_requests import SignedRequests
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.campaigns.write_units import INSERTS_PER_CALL

SHORTEST_WAIT_SECONDS = 0.001
LOST_CALLS_MOST = 4
"""How many calls of one batch may get no answer (reset, timeout) before the batch is given up for now."""
IDLE_LONGEST_SECONDS = 5.0
"""How long a connection may have been idle to be used again. Lambda freezes a worker between two chunks, for minutes;
DynamoDB closes what is idle, and the frozen worker does not see it."""

_OPERATION = "BatchExecuteStatement"
_READ_OPERATION = "BatchGetItem"
_KEYS_PER_CALL = 100
"""The limit of BatchGetItem."""
_OK = 200
_SERVER_ERROR = 500
_LOST, _STALE = -1, -2
"""Our own statuses of a call whose answer never came."""
_LOST_CODE = "ConnectionLost"
"""Our own code for a call whose answer never came; its statements may have been executed."""
_STALE_CODE = "ConnectionStale"
"""Our own code for the same on a connection that had been used before: it says nothing about DynamoDB."""
_UNANSWERED = frozenset({_LOST_CODE, _STALE_CODE})
_STANDING = frozenset({"DuplicateItem", "ConditionalCheckFailed"})
"""The codes of statements that were not executed because of what stands under their key."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as JSON text, and what the caller knows it by."""

    place: int
    text: str


@dataclass(frozen=True, slots=True)
class _Call[Asked]:
    """A call that was sent: the connection that owes its answer, an answer that a handler gave, or None: lost.

    All calls in flight wait at once, so each has its own deadline (monotonic seconds).
    """

    page: Asked
    sent: Any
    deadline: float
    is_reused: bool = False


class _SignedCalls[Asked]:
    """Calls of one operation, several in flight, on connections that stay open.

    The window of calls in flight halves when DynamoDB throttles and grows by one with every batch that it does not.
    """

    def __init__(self, client: Any, calls_in_flight: int, operation: str) -> None:
        self._operation = operation
        self._events = client.meta.events
        self._url = f"{client.meta.endpoint_url.rstrip('/')}/"
        headers = {
            "Content-Type": "application/x-amz-json-1.0",
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "User-Agent": client.meta.config.user_agent,
        }
        self._signed = SignedRequests(client, "dynamodb", self._url, headers)
        self._most = calls_in_flight
        self._window = calls_in_flight
        self._idle: deque[tuple[http.client.HTTPConnection, float]] = deque()
        weakref.finalize(self, _close, self._idle)
        self._tls: ssl.SSLContext | None = None
        self._throttled = 0

    def take_throttled(self) -> int:
        """How many entries were throttled since this was last asked."""
        throttled, self._throttled = self._throttled, 0
        return throttled

    def _adapt(self, throttled: int) -> None:
        self._throttled += throttled
        self._window = max(1, self._window // 2) if throttled else min(self._most, self._window + 1)

    def _answers(self, pages: Iterable[tuple[Asked, str]]) -> Iterator[tuple[Asked, int, bytes]]:
        """Each page with the status and the content of its answer, a window of calls ahead. A page comes with its body.

        The status is `_LOST` or `_STALE` where no answer came.
        """
        under_way: deque[_Call[Asked]] = deque()
        try:
            for page, body in pages:
                if len(under_way) >= self._window:
                    yield self._answer(under_way.popleft())
                under_way.append(self._send(page, body.encode()))
            while under_way:
                yield self._answer(under_way.popleft())
        finally:
            for call in under_way:
                if isinstance(call.sent, http.client.HTTPConnection):
                    call.sent.close()  # an answer that nobody reads must not be taken for the next call's

    def _send(self, page: Asked, body: bytes) -> _Call[Asked]:
        signed = self._signed.request(body)
        deadline = time.monotonic() + READ_TIMEOUT_SECONDS
        for _, answer in self._events.emit(f"before-send.dynamodb.{self._operation}", request=signed.prepared):
            if answer is not None:
                return _Call(page, answer, deadline)
        request = signed.head + body
        for connection in self._connections():
            is_reused = connection.sock is not None
            try:
                if not is_reused:
                    connection.connect()
                connection.sock.sendall(request)
            except OSError:
                connection.close()
                if is_reused:
                    continue  # it had been closed from the other side while it was idle
                return _Call(page, None, deadline)
            return _Call(page, connection, deadline, is_reused)
        return _Call(page, None, deadline)

    def _connections(self) -> Iterator[http.client.HTTPConnection]:
        """Idle connections that are as they were left, then a new one.

        One that can be read from without having been asked was closed from the other side.
        """
        while self._idle:
            connection, idle_since = self._idle.pop()
            # By the wall clock: the monotonic one stands still while Lambda keeps a worker frozen.
            if time.time() - idle_since > IDLE_LONGEST_SECONDS or wait_for_read(connection.sock, 0.0):
                connection.close()
                continue
            yield connection
        yield self._connection()

    def _connection(self) -> http.client.HTTPConnection:
        parts = urlsplit(self._url)
        host = parts.hostname or ""
        if parts.scheme == "http":
            connection = http.client.HTTPConnection(host, parts.port, timeout=CONNECT_TIMEOUT_SECONDS)
        else:
            if self._tls is None:
                self._tls = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE") or get_cert_path(True))
            connection = http.client.HTTPSConnection(
                host, parts.port, timeout=CONNECT_TIMEOUT_SECONDS, context=self._tls
            )
        return connection

    def _answer(self, call: _Call[Asked]) -> tuple[Asked, int, bytes]:
        """What became of a call."""
        page, sent = call.page, call.sent
        if sent is None:
            return page, _LOST, b""
        if not isinstance(sent, http.client.HTTPConnection):
            return page, sent.status_code, sent.content
        try:
            sent.sock.settimeout(max(SHORTEST_WAIT_SECONDS, call.deadline - time.monotonic()))
            with http.client.HTTPResponse(sent.sock, method="POST") as answer:
                answer.begin()
                content = answer.read()
        except (OSError, http.client.HTTPException):
            sent.close()
            if call.is_reused:  # whatever closed it while it was idle has closed those beside it
                self._close_idle()
            return page, _STALE if call.is_reused else _LOST, b""
        if answer.will_close:
            sent.close()
        else:
            self._idle.append((sent, time.time()))
        return page, answer.status, content

    def _close_idle(self) -> None:
        _close(self._idle)
        self._idle.clear()


class InsertCalls(_SignedCalls[Sequence[Statement]]):
    """Executes any number of statements, each on its own, and says which what stands there refused."""

    def __init__(self, client: Any, calls_in_flight: int) -> None:
        super().__init__(client, calls_in_flight, _OPERATION)

    def execute(self, statements: Sequence[Statement]) -> list[int]:
        """Execute all statements; the places of those that what stands there refused.

        An insert is refused by a key that is taken, an update by a condition that does not hold. Either may be our own
        earlier write, whose answer was lost.

        Raises TryAgain when some could not be executed within the bounds, Refused when DynamoDB refuses one for good.
        In both cases others may have been executed.
        """
        refused: list[int] = []
        waiting = statements
        lost = 0
        for attempt in range(1, ENTRY_ATTEMPTS + 1):
            again: list[Statement] = []
            throttled = 0
            for page, status, content in self._answers(_pages(waiting)):
                codes = _codes(len(page), status, content)
                lost += codes[0] == _LOST_CODE
                for statement, code in zip(page, codes, strict=True):
                    if code is None:
                        continue
                    if code in _STANDING:
                        refused.append(statement.place)
                    elif code in _UNANSWERED or code in RETRYABLE_CODES:
                        again.append(statement)
                        throttled += code not in _UNANSWERED
                    else:
                        raise Refused(f"{_OPERATION}: {code}")
            self._adapt(throttled)
            if not again:
                return refused
            if lost > LOST_CALLS_MOST:
                raise TryAgain(f"{_OPERATION}: {lost} calls got no answer")
            waiting = again
            time.sleep(backoff_seconds(attempt))
        raise TryAgain(f"{_OPERATION}: statements throttled {ENTRY_ATTEMPTS} times: {len(waiting)}")


type _Keys = Sequence[tuple[str, str]]


class ReadCalls(_SignedCalls[_Keys]):
    """Reads any number of items by their keys, consistently."""

    def __init__(self, client: Any, table: str, calls_in_flight: int) -> None:
        super().__init__(client, calls_in_flight, _READ_OPERATION)
        self._table = table

    def read(self, keys: _Keys) -> Iterator[dict[str, Any]]:
        """The items that stand under some keys (pk and sk), in no order.

        Raises TryAgain when some could not be read within the bounds, Refused when DynamoDB refuses a call for good.
        """
        waiting = list(keys)
        lost = 0
        for attempt in range(1, ENTRY_ATTEMPTS + 1):
            again: list[tuple[str, str]] = []
            throttled = 0
            for page, status, content in self._answers(self._bodies(waiting)):
                code, found = _code(status, content), _found(content) if status == _OK else None
                if status == _OK and found is None:
                    code = _LOST_CODE  # a truncated answer tells nothing
                lost += code == _LOST_CODE
                if found is not None:
                    yield from found.get("Responses", {}).get(self._table, ())
                    left = found.get("UnprocessedKeys", {}).get(self._table, {}).get("Keys", ())
                    again += [(key["pk"]["S"], key["sk"]["S"]) for key in left]
                    throttled += len(left)
                elif code in _UNANSWERED or code in RETRYABLE_CODES:
                    again += page
                    throttled += 0 if code in _UNANSWERED else len(page)
                else:
                    raise Refused(f"{_READ_OPERATION}: {code}")
            self._adapt(throttled)
            if not again:
                return
            if lost > LOST_CALLS_MOST:
                raise TryAgain(f"{_READ_OPERATION}: {lost} calls got no answer")
            waiting = again
            time.sleep(backoff_seconds(attempt))
        raise TryAgain(f"{_READ_OPERATION}: keys left {ENTRY_ATTEMPTS} times: {len(waiting)}")

    def _bodies(self, keys: _Keys) -> Iterator[tuple[_Keys, str]]:
        table = json.dumps(self._table)
        for start in range(0, len(keys), _KEYS_PER_CALL):
            page = keys[start : start + _KEYS_PER_CALL]
            listed = ",".join([f'{{"pk":{{"S":{_json_text(pk)}}},"sk":{{"S":{_json_text(sk)}}}}}' for pk, sk in page])
            yield page, f'{{"RequestItems":{{{table}:{{"Keys":[{listed}],"ConsistentRead":true}}}}}}'


def _found(content: bytes) -> dict[str, Any] | None:
    """The content of an answer; None where it was cut off."""
    try:
        found: dict[str, Any] = json.loads(content)
    except ValueError:
        return None
    return found


def _close(connections: Iterable[tuple[http.client.HTTPConnection, float]]) -> None:
    for connection, _ in connections:
        connection.close()


def _pages(statements: Sequence[Statement]) -> Iterator[tuple[Sequence[Statement], str]]:
    for start in range(0, len(statements), INSERTS_PER_CALL):
        page = statements[start : start + INSERTS_PER_CALL]
        yield page, f'{{"Statements":[{",".join([statement.text for statement in page])}]}}'


def _codes(number: int, status: int, content: bytes) -> list[str | None]:
    """What became of each statement of a call; an error of the whole call is that of each."""
    code = _code(status, content)
    if code is not None:
        return [code] * number
    try:
        responses = json.loads(content).get("Responses", ())
    except ValueError:
        responses = ()
    if len(responses) != number:
        return [_LOST_CODE] * number  # a truncated answer tells nothing
    return [response["Error"]["Code"] if "Error" in response else None for response in responses]


def _code(status: int, content: bytes) -> str | None:
    """The error of a whole call; None where it has none."""
    if status == _OK:
        return None
    if status in (_LOST, _STALE):
        return _LOST_CODE if status == _LOST else _STALE_CODE
    try:
        answer = json.loads(content)
    except ValueError:
        answer = {}
    code = str(answer.get("__type", "")).rpartition("#")[2]
    if status >= _SERVER_ERROR and code not in RETRYABLE_CODES:
        code = "InternalServerError"
    return code or f"HTTP {status}"
