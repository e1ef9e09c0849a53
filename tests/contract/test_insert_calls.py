"""BatchExecuteStatement without the SDK's client: throttles, lost answers and connections that died while idle."""

import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile

import boto3
import pytest
from botocore.config import Config

from kulanz.adapters import insert_calls
from kulanz.adapters.insert_calls import IDLE_LONGEST_SECONDS, LOST_CALLS_MOST, InsertCalls, Statement
from kulanz.application.ports import Refused, TryAgain

type Answer = bytes | None
"""What the endpoint sends back for a call's statements; None closes the connection without a word."""

STOP_SECONDS = 5


class Endpoint:
    """An HTTP endpoint that answers each call by a function of its number and its statements' texts."""

    def __init__(self, answer: Callable[[int, Sequence[str]], Answer]) -> None:
        self._answer = answer
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        self.calls: list[list[str]] = []
        self.heads: list[str] = []
        self.connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    def _start(self, serve: Callable[..., None], *arguments: socket.socket) -> None:
        self._threads.append(threading.Thread(target=serve, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            self.connections.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while True:
                try:
                    head = b"".join(takewhile(lambda line: line != b"\r\n", stream))
                    found = re.search(rb"content-length: ([0-9]+)", head, re.IGNORECASE)
                    if found is None:
                        return
                    body = stream.read(int(found[1]))
                    statements = [statement["Statement"] for statement in json.loads(body)["Statements"]]
                    self.heads.append(head.decode())
                    self.calls.append(statements)
                    answer = self._answer(len(self.calls), statements)
                    if answer is None:
                        return
                    connection.sendall(answer)
                except OSError:
                    return

    def close(self) -> None:
        """Fails when a thread stays: it would take its share of the processor from all tests that follow."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.drop_connections()
        for thread in self._threads:
            thread.join(STOP_SECONDS)
        assert not any(thread.is_alive() for thread in self._threads)

    def drop_connections(self) -> None:
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def http(status: int, content: object) -> bytes:
    body = json.dumps(content).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


def executed(statements: Sequence[str], **codes: str) -> bytes:
    """A 200 in which the named statements failed with a code each."""
    return http(200, {"Responses": [{"Error": {"Code": codes[text]}} if text in codes else {} for text in statements]})


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Endpoint, InsertCalls]]]:
    monkeypatch.setattr(insert_calls, "backoff_seconds", lambda _: 0.0)
    started: list[Endpoint] = []

    def begin(answer: Callable[[int, Sequence[str]], Answer], calls_in_flight: int = 4) -> tuple[Endpoint, InsertCalls]:
        endpoint = Endpoint(answer)
        started.append(endpoint)
        client = boto3.client("dynamodb", endpoint_url=endpoint.url, config=Config(connect_timeout=2))
        return endpoint, InsertCalls(client, calls_in_flight)

    yield begin
    for endpoint in started:
        endpoint.close()


def statements(number: int) -> list[Statement]:
    return [Statement(place, json.dumps({"Statement": f"s{place}"})) for place in range(number)]


def test_every_statement_travels_once_in_calls_of_25(start: Callable[..., tuple[Endpoint, InsertCalls]]) -> None:
    endpoint, calls = start(lambda _, texts: executed(texts))

    assert calls.execute(statements(130)) == []

    assert sorted(map(len, endpoint.calls)) == [5, 25, 25, 25, 25, 25]
    assert sorted(text for call in endpoint.calls for text in call) == sorted(f"s{place}" for place in range(130))
    assert len(endpoint.connections) <= 4
    assert all("Authorization: AWS4-HMAC-SHA256" in head for head in endpoint.heads)


def test_duplicates_are_named_by_their_places(start: Callable[..., tuple[Endpoint, InsertCalls]]) -> None:
    _, calls = start(lambda _, texts: executed(texts, s3="DuplicateItem", s40="DuplicateItem"))

    assert sorted(calls.execute(statements(60))) == [3, 40]


def test_a_throttled_statement_is_sent_again_alone_and_counted(
    start: Callable[..., tuple[Endpoint, InsertCalls]],
) -> None:
    endpoint, calls = start(
        lambda number, texts: executed(texts, s1="ThrottlingError") if number == 1 else executed(texts), 1
    )

    assert calls.execute(statements(3)) == []

    assert endpoint.calls == [["s0", "s1", "s2"], ["s1"]]
    assert (calls.take_throttled(), calls.take_throttled()) == (1, 0)


def test_a_throttled_call_is_sent_again_whole(start: Callable[..., tuple[Endpoint, InsertCalls]]) -> None:
    error = {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"}
    endpoint, calls = start(lambda number, texts: http(400, error) if number == 1 else executed(texts))

    assert calls.execute(statements(2)) == []
    assert endpoint.calls == [["s0", "s1"], ["s0", "s1"]]


@pytest.mark.parametrize(
    "broken",
    [
        None,
        http(500, {}),
        http(503, {}),
        http(200, {"Responses": [{}]}),
        b"HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\n{",
    ],
    ids=["no answer", "500", "503", "an answer too short", "nonsense"],
)
def test_a_call_without_a_whole_answer_is_sent_again(
    start: Callable[..., tuple[Endpoint, InsertCalls]], broken: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insert_calls, "READ_TIMEOUT_SECONDS", 0.5)
    _, calls = start(lambda number, texts: broken if number == 1 else executed(texts, s1="DuplicateItem"))

    assert calls.execute(statements(2)) == [1]


def test_a_connection_that_died_while_idle_costs_nothing(
    start: Callable[..., tuple[Endpoint, InsertCalls]],
) -> None:
    endpoint, calls = start(lambda _, texts: executed(texts))
    calls.execute(statements(2))
    endpoint.drop_connections()

    assert calls.execute(statements(2)) == []


FROZEN = [1, 4, 5, 8, 32]
"""Calls in flight, each on a connection of its own: below, at and above what may be lost of one batch."""


@pytest.mark.parametrize("in_flight", FROZEN)
@pytest.mark.parametrize("seen", [True, False], ids=["closed before the thaw", "closed, and not yet seen to be"])
def test_a_worker_that_was_frozen_between_two_chunks_goes_on(
    start: Callable[..., tuple[Endpoint, InsertCalls]], in_flight: int, seen: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DynamoDB closes idle connections; a frozen worker's first send on one seems to succeed."""
    endpoint, calls = start(lambda _, texts: executed(texts, s0="DuplicateItem"), in_flight)
    calls.execute(statements(25 * in_flight))
    assert len(calls._idle) == in_flight
    if not seen:
        monkeypatch.setattr(insert_calls, "wait_for_read", lambda *_: False)
    endpoint.drop_connections()
    before = len(endpoint.calls)

    assert calls.execute(statements(25 * in_flight)) == [0]
    assert sorted(text for call in endpoint.calls[before:] for text in call) == sorted(
        f"s{place}" for place in range(25 * in_flight)
    )


def test_a_connection_that_was_idle_for_long_is_not_used_again(
    start: Callable[..., tuple[Endpoint, InsertCalls]], monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, calls = start(lambda _, texts: executed(texts))
    clock = time.time()
    monkeypatch.setattr(time, "time", lambda: clock)
    calls.execute(statements(2))
    clock += IDLE_LONGEST_SECONDS
    calls.execute(statements(2))
    assert len(endpoint.connections) == 1
    clock += IDLE_LONGEST_SECONDS + 0.001
    calls.execute(statements(2))
    assert len(endpoint.connections) == 2


def test_throttles_without_end_are_given_up(start: Callable[..., tuple[Endpoint, InsertCalls]]) -> None:
    _, calls = start(lambda _, texts: executed(texts, s0="ThrottlingError"))

    with pytest.raises(TryAgain, match=r"statements throttled 12 times: 1\Z"):
        calls.execute(statements(2))


def test_an_endpoint_that_never_answers_is_given_up_early(
    start: Callable[..., tuple[Endpoint, InsertCalls]],
) -> None:
    endpoint, calls = start(lambda _, __: None, 1)

    with pytest.raises(TryAgain, match="got no answer"):
        calls.execute(statements(2))
    assert len(endpoint.calls) <= LOST_CALLS_MOST + 1


def test_an_error_that_no_repetition_mends_is_refused_without_content(
    start: Callable[..., tuple[Endpoint, InsertCalls]],
) -> None:
    _, calls = start(lambda _, __: http(400, {"__type": "x#ValidationException", "message": "secret value"}))

    with pytest.raises(Refused, match=r"^BatchExecuteStatement: ValidationException$"):
        calls.execute(statements(2))


def test_throttles_narrow_what_is_in_flight_and_quiet_widens_it_again(
    start: Callable[..., tuple[Endpoint, InsertCalls]],
) -> None:
    throttling = True
    _, calls = start(lambda _, texts: executed(texts, **({texts[0]: "ThrottlingError"} if throttling else {})), 8)

    with pytest.raises(TryAgain):
        calls.execute(statements(1))
    assert calls._window == 1
    throttling = False
    for _ in range(10):
        calls.execute(statements(1))
    assert calls._window == 8


def test_calls_that_wait_together_time_out_together(
    start: Callable[..., tuple[Endpoint, InsertCalls]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insert_calls, "READ_TIMEOUT_SECONDS", 1.0)
    silent = threading.Event()

    def never(_: int, __: Sequence[str]) -> Answer:
        silent.wait(30)
        return None

    _, calls = start(never, 4)

    began = time.monotonic()
    with pytest.raises(TryAgain, match="8 calls got no answer"):
        calls.execute(statements(100))
    silent.set()

    assert time.monotonic() - began < 6.0  # two rounds of four calls, not eight waits one after the other
