"""Deliveries of incident sources: what the receiver and the reader of one take, and a burst through the stand-in.

The receiver's own handler runs with the SDK's clients; what would travel to AWS is answered in the process, each call
after a latency. Of the reader the domain's work is measured over stores in memory, and each call of a port is counted
as one of AWS. From both follows how many of each must run at once for 20 deliveries a second:
concurrency = rate * duration (Little's law).

`python -m bench.deliveries` prints a table. `--flood 15` also sends 20 a second to the stack on the stand-in, for so
many seconds, and exits with 1 unless each becomes exactly its draft, or is refused as it should be.
"""

import io
import json
import os
import time
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from math import ceil
from statistics import median
from types import SimpleNamespace
from typing import Any

import click
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders

from bench.control_plane import LATENCY_SECONDS
from bench.worker import CREDENTIALS
from kulanz.adapters.aws import client
from kulanz.adapters.source_deliveries import ManagedSecrets, S3Bodies, SqsDeliveries
from kulanz.application.drafts.draft_ports import Delivery
from kulanz.application.drafts.follow_drafts import follow_kept
from kulanz.application.drafts.keep_delivery import keep_delivery
from kulanz.application.drafts.receive_delivery import ReceiverPorts
from kulanz.sources.configuration import configuration_json
from kulanz.sources.signatures import pagerduty_signature
from kulanz_cli.sources import as_delivery
from kulanz_local import drive
from kulanz_local.deployment import build, deploy
from kulanz_local.embedded import EmbeddedAws
from tests.support import flood
from tests.support.fake_drafts import FakeSources
from tests.support.sources import body_of, content_of
from tests.unit.application.drafts.test_following import Follower
from tests.unit.application.drafts.test_keeping import NOW

DELIVERIES_PER_SECOND = flood.RATE
WORKERS_OF_A_NEW_ACCOUNT = 10
"""What an account that AWS has just made may run at once, of all functions together."""
SECRET = "a secret of the bench"  # noqa: S105 - nobody else has it
REPEATS = 200
LARGEST_BYTES = 256 * 1024
"""Of a body of PagerDuty, by its documentation."""
DRAFTS_SECONDS = 600
USUAL, LARGEST, READ = "received, as PagerDuty sends it", "received, 256 KB", "read, kept, followed"
RECEIVED = 202


@dataclass(frozen=True, slots=True)
class Taken:
    """One delivery: processor time and time by the clock, in seconds, and the calls of AWS."""

    cpu: float
    wall: float
    calls: float

    @property
    def at_once(self) -> int:
        """How many must run at once for `DELIVERIES_PER_SECOND`."""
        return ceil(DELIVERIES_PER_SECOND * self.wall)


class _Body(io.BytesIO):
    def stream(self, amount: int = 2**20, **_: Any) -> Iterator[bytes]:
        while piece := self.read(amount):
            yield piece


class _Aws:
    """AWS as the clients' `before-send` handlers see it: every call is answered after a latency."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        time.sleep(LATENCY_SECONDS)
        self.calls += 1
        content = b""
        if "secretsmanager" in str(request.url):
            content = json.dumps({"Name": "s", "SecretString": json.dumps({"secrets": [SECRET]})}).encode()
        elif "sqs" in str(request.url):
            content = b'{"MessageId":"m"}'
        return AWSResponse(str(request.url), 200, HTTPHeaders(), _Body(content))


def received(body: bytes) -> Taken:
    """A delivery through the handler of a receiver that is warm; the median of its repeats."""
    os.environ.update({**CREDENTIALS, "POWERTOOLS_SERVICE_NAME": "kulanz", "POWERTOOLS_LOG_LEVEL": "CRITICAL"})
    import receive_incidents.handler as function  # noqa: PLC0415 - it reads its settings when it is imported

    sources, aws = FakeSources(), _Aws()
    sources.publish(1, configuration_json(content_of("pagerduty")))
    clients = {name: client(name) for name in ("s3", "sqs", "secretsmanager")}
    for one in clients.values():
        one.meta.events.register("before-send", aws)
    ports = ReceiverPorts(
        sources=sources,
        secrets=ManagedSecrets(clients["secretsmanager"], "kulanz/sources/"),
        bodies=S3Bodies(clients["s3"], "lists", "upstream/"),
        queue=SqsDeliveries(clients["sqs"], "https://sqs.us-east-1.amazonaws.com/123456789012/deliveries"),
    )
    function._composed = lambda: ports  # type: ignore[assignment] # noqa: SLF001 - the world in place of AWS
    event = {
        "pathParameters": {"source": "it"},
        "headers": {"x-pagerduty-signature": pagerduty_signature(SECRET, body)},
        "body": body.decode(),
        "isBase64Encoded": False,
    }
    context: Any = SimpleNamespace(
        function_name="bench", memory_limit_in_mb=1769, invoked_function_arn="arn", aws_request_id="bench"
    )

    def once() -> None:
        if function.handle(event, context)["statusCode"] != RECEIVED:
            raise AssertionError("the delivery was not received")

    once()  # the configuration and the secret are read, as in a function that is warm
    aws.calls = 0
    found = _median(once)
    return replace(found, calls=aws.calls / REPEATS)


class _Counting:
    """A store whose every call is one of AWS."""

    def __init__(self, store: Any) -> None:
        self._store, self.calls = store, 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._store, name)

        def called(*words: Any, **more: Any) -> Any:
            self.calls += 1
            return found(*words, **more)

        return called


def read() -> Taken:
    """A delivery that is read, kept and followed: the first of an incident, and so with the most to be said."""
    follower = Follower("pagerduty")
    drafts, bodies, records = (_Counting(one) for one in (follower.drafts, follower.bodies, follower.records))
    keeping = replace(follower.ports, drafts=drafts, bodies=bodies)
    ports = replace(follower.following, keeping=keeping, records=records)
    numbers = iter(range(REPEATS))
    pointers = [Delivery("it", follower.bodies.put("it", numbered(number), NOW), NOW) for number in range(REPEATS)]

    def once() -> None:
        follow_kept(keep_delivery(pointers[next(numbers)], keeping), ports, NOW)

    found = _median(once)
    calls = (drafts.calls + bodies.calls + records.calls + len(follower.announcer.announced)) / REPEATS
    return Taken(found.cpu, found.cpu + calls * LATENCY_SECONDS, calls)


def _median(once: Callable[[], None]) -> Taken:
    walls, cpus = [], []
    for _ in range(REPEATS):
        wall, cpu = time.perf_counter(), time.process_time()
        once()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return Taken(median(cpus), median(walls), 0)


def numbered(number: int) -> bytes:
    """A delivery about an incident of its own."""
    body = deepcopy(body_of("pagerduty", "resolved"))
    body["event"]["id"] = f"EVENT{number:06d}"
    body["event"]["data"]["id"] = f"QBENCH{number:06d}"
    return as_delivery(body)


def large() -> bytes:
    """The largest that PagerDuty sends."""
    body = deepcopy(body_of("pagerduty", "resolved"))
    body["event"]["data"]["filler"] = "x" * (LARGEST_BYTES - len(as_delivery(body)))
    return as_delivery(body)


def flooded(seconds: int) -> bool:
    """Send 20 deliveries a second to the stack on the stand-in; whether each became what it should."""
    build()
    with EmbeddedAws() as aws:
        deploy(aws.endpoint, parameters={"EndpointUrl": aws.endpoint})
        stack = drive.stack_of(aws)
        flood.connect(stack)
        told = flood.flood(seconds, seed=1)
        flood.send(stack, told.sent[: flood.SENDERS], flood.RATE)  # the functions and the sources' secrets are read
        outcome = flood.send(stack, told.sent, flood.RATE)
        ended = time.monotonic()
        while (lost := flood.missing(stack, told)) and time.monotonic() < ended + DRAFTS_SECONDS:
            time.sleep(1)
        print(f"{outcome.text}; all drafts {time.monotonic() - ended:.0f} s later")
        print(f"answered otherwise than expected: {sum(outcome.wrong.values())}; lost: {len(lost)}")
    return not outcome.wrong and not lost


@click.command()
@click.option("--flood", "seconds", type=click.IntRange(1, 600), help="Send 20 a second to the stack for so long, too.")
def main(seconds: int | None) -> None:
    """Measure one delivery, and what 20 a second need; with --flood the stack on the stand-in, too."""
    print(f"calls of AWS are answered after {LATENCY_SECONDS * 1e3:.0f} ms; medians of {REPEATS}\n")
    print("| one delivery | CPU, ms | calls | by the clock, ms | at once for 20/s |\n| --- |" + " ---: |" * 4)
    measured = {
        USUAL: received(as_delivery(body_of("pagerduty", "resolved"))),
        LARGEST: received(large()),
        READ: read(),
    }
    for name, one in measured.items():
        print(f"| {name} | {one.cpu * 1e3:.2f} | {one.calls:.0f} | {one.wall * 1e3:.0f} | {one.at_once} |")
    both = max(measured[name].at_once for name in (USUAL, LARGEST)) + measured[READ].at_once
    print(f"\nboth functions at once, of the largest deliveries: {both}; a new account runs {WORKERS_OF_A_NEW_ACCOUNT}")
    is_reached = both <= WORKERS_OF_A_NEW_ACCOUNT
    if seconds is not None:
        is_reached = flooded(seconds) and is_reached
    if not is_reached:
        raise click.ClickException("a goal is missed")


if __name__ == "__main__":
    main()
