"""The biller as a process of its own, as the demo starts it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.unit.fake_biller.delivered import CHANNEL, Sent, delivery


@pytest.fixture
def biller(tmp_path: Path) -> Iterator[HTTPConnection]:
    root = Path(__file__).parents[2]
    with subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "tests.fake_biller", str(tmp_path)],
        cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        place = urlsplit(process.stdout.readline().decode().strip())
        connection = HTTPConnection(place.hostname or "", place.port, timeout=10)
        yield connection
        connection.close()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def asked(biller: HTTPConnection, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
    biller.request(method, path, body)
    answer = biller.getresponse()
    return answer.status, answer.read()


def test_it_takes_files_bills_answers_and_shows_its_bills(biller: HTTPConnection) -> None:
    assert asked(biller, "PUT", "/accounts", json.dumps([["A-1", "USD", "30.00"]]).encode())[0] == 200
    for name, content in delivery(1, [[Sent("c1", text="<b>outage</b>")]]).items():
        asked(biller, "PUT", f"/inbox/{CHANNEL}/1/{name}", content)
    assert asked(biller, "POST", f"/take/{CHANNEL}/1") == (200, b'"taken"')
    assert asked(biller, "POST", f"/take/{CHANNEL}/3") == (409, b'"serial_gap"')
    assert asked(biller, "POST", "/cycle/2026-12-01") == (200, b"1")
    assert asked(biller, "POST", "/answers")[1].decode().splitlines()[1:] == [
        "1,c1,A-1,,accepted,5.00,USD,,,",
        "1,c1,A-1,,applied,5.00,USD,B001-A-1,2026-12-01,",
    ]
    page = asked(biller, "GET", "/")[1].decode()
    assert "B001-A-1" in page
    assert "&lt;b&gt;outage&lt;/b&gt; 5.00 USD" in page
    assert asked(biller, "GET", "/lines.json")[1] == b'[["B001-A-1", "c1", "A-1", "5.00", "USD"]]'
    assert asked(biller, "GET", "/nowhere")[0] == 404
