"""Deliveries of several sources at a steady rate: recorded incidents over and over, some doubled, late, forged, broken.

Each is sent at its own moment, whatever became of those before it, as sources do; how long an answer took is counted
from that moment.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from math import ceil
from random import Random
from statistics import median
from typing import Any

from kulanz.application.drafts.draft_ports import Unread
from kulanz.application.drafts.read_drafts import read_drafts
from kulanz.domain.drafts.draft import Draft
from kulanz.sources.configuration import configuration_json
from kulanz.sources.signatures import Scheme, path_digest
from kulanz.sources.table import SOURCES
from kulanz_cli.direct import DirectStack
from kulanz_cli.play import signed
from kulanz_cli.signed import Http, NoReply, SignedRequest
from kulanz_cli.sources import as_delivery
from tests.support.sources import content_of, drafts_from, recorded

RATE = 20
"""Deliveries a second that must be received without loss."""
SENDERS = 6
"""Deliveries that may be under way at once. The stand-in starts a process for each, so that more would slow it down."""
ATTEMPTS = 5
SECRETS = {
    "pager": "a secret of PagerDuty's",
    "page": "the-end-of-a-path",
    "response": "whsec_plJ3nmyCDGBKInavdOK15jsl",
}
KINDS = {"pager": "pagerduty", "page": "statuspage", "response": "incident_io", "health": "aws_health"}
"""The kind of each source by its name."""
RECORDED = {"pager": "Q0EXAMPLE7ID42", "page": "0a1b2c3d4e5f", "response": "01FDAG4SAP5TYPT98WGR2N7W91"}
"""The id of the incident that the recording of a source is about."""
FORGED_EACH, BROKEN_EACH, DOUBLED_EACH = 25, 40, 4
"""One delivery in so many comes again with a wrong signature, comes cut off, or comes twice."""
RECEIVED, REFUSED = 202, 401


@dataclass(frozen=True, slots=True)
class Sent:
    """One delivery: its source, its body, and what its sender is to be answered."""

    source: str
    body: bytes
    status: int = RECEIVED


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a flood: seconds from each due moment to its answer, and the answers that were others.

    `again` were sent again because no answer came, as sources do.
    """

    seconds: tuple[float, ...]
    again: int
    wrong: Counter[tuple[int, int]]
    took: float

    @property
    def text(self) -> str:
        """Its figures in a line."""
        in_order = sorted(self.seconds)
        of_100 = in_order[ceil(len(in_order) * 0.99) - 1]
        return (
            f"{len(in_order)} deliveries in {self.took:.1f} s, {len(in_order) / self.took:.1f} a second; answered after"
            f" {median(in_order):.2f} s, 99 of 100 within {of_100:.2f} s, all within {in_order[-1]:.2f} s;"
            f" {self.again} sent again"
        )


@dataclass(frozen=True)
class Flood:
    """All deliveries in the order of their moments. `bodies` are those of each source that say something."""

    sent: tuple[Sent, ...]
    bodies: dict[str, list[Any]]
    broken: frozenset[tuple[str, str]]


def flood(seconds: int, seed: int) -> Flood:
    """So many seconds of deliveries at `RATE`. Which are doubled, and their order, follow from the seed."""
    random, bodies, sent, broken = Random(seed), dict[str, list[Any]](), list[Sent](), set[tuple[str, str]]()
    incidents, counted = count(seed * 1_000), count(1)
    while len(sent) < seconds * RATE:
        incident = next(incidents)
        for source in RECORDED:
            for content in _recorded(source, incident):
                bodies.setdefault(source, []).append(content)
                body, place = as_delivery(content), next(counted)
                sent += [Sent(source, body)] * (2 if place % DOUBLED_EACH == 0 else 1)
                if place % FORGED_EACH == 0:
                    sent.append(Sent(source, body, REFUSED))
                if place % BROKEN_EACH == 0:
                    sent.append(Sent(source, body[: len(body) // 2]))
                    broken.add((source, sha256(sent[-1].body).hexdigest()))
    random.shuffle(sent)
    return Flood(tuple(sent), bodies, frozenset(broken))


def _recorded(source: str, incident: int) -> Iterator[Any]:
    """The recording of a source as of another incident, in the source's own form of an id."""
    another = f"{RECORDED[source][:-6]}{incident:06d}"
    for body in recorded(KINDS[source]):
        yield json.loads(json.dumps(body).replace(RECORDED[source], another))


def connect(stack: DirectStack) -> None:
    """Publish the sources, each with its secret, unless they are there."""
    current = stack.sources().current()
    if not set(KINDS) <= set(current.sources):  # the stack may have told a story of a status page before
        sources = {name: content_of(kind)["sources"]["it"] for name, kind in KINDS.items()}
        content = {"kulanz_sources": 1, "version": current.version + 1, "sources": sources}
        stack.sources().publish(current.version + 1, configuration_json(content))
    secrets = stack.client("secretsmanager")
    for name, secret in SECRETS.items():
        known = path_digest(secret) if SOURCES[KINDS[name]].scheme is Scheme.PATH else secret
        with suppress(secrets.exceptions.ResourceExistsException):
            secrets.create_secret(
                Name=f"{stack.name}/sources/{name}", SecretString=json.dumps({"secrets": ["new", known]})
            )


def send(stack: DirectStack, deliveries: Sequence[Sent], rate: float) -> Outcome:
    """Send deliveries, each when it is due at a rate a second."""
    url = stack.sources_url()
    started = time.monotonic() + 0.1

    def one(place: int, delivery: Sent) -> tuple[float, int, tuple[int, int]]:
        due = started + place / rate
        time.sleep(max(0.0, due - time.monotonic()))
        for again in range(ATTEMPTS):
            try:
                status = Http()(_request(url, delivery)).status
            except NoReply:
                continue
            return time.monotonic() - due, again, (delivery.status, status)
        raise AssertionError(f"the receiver did not answer {ATTEMPTS} times")

    with ThreadPoolExecutor(SENDERS) as senders:
        found = list(senders.map(one, range(len(deliveries)), deliveries))
    wrong = Counter(answer for _, _, answer in found if answer[0] != answer[1])
    seconds = tuple(seconds for seconds, _, _ in found)
    return Outcome(seconds, sum(again for _, again, _ in found), wrong, time.monotonic() - started)


def _request(url: str, delivery: Sent) -> SignedRequest:
    source, secret = SOURCES[KINDS[delivery.source]], SECRETS[delivery.source]
    if delivery.status == REFUSED:
        secret = "whsec_c29tZWJvZHkgZWxzZSBzZWNyZXQ="
    path = f"{url}/{delivery.source}" + (f"/{secret}" if source.scheme is Scheme.PATH else "")
    headers = {"content-type": "application/json", **signed(source, secret, delivery.body)}
    return SignedRequest("POST", path, headers, delivery.body)


def expected(stack: DirectStack, of: Flood) -> dict[str, Draft]:
    """The drafts that the deliveries of a flood make, by their ids."""
    sources = stack.sources().current().sources
    return {
        name: draft
        for source, bodies in of.bodies.items()
        for name, draft in drafts_from(sources[source], bodies).items()
    }


def found(stack: DirectStack, of: Flood) -> list[Draft]:
    """The drafts of the stack that its sources reported."""
    return [*_seen(stack, of)[0].values()]


def missing(stack: DirectStack, of: Flood) -> list[str]:
    """What of a flood is not, or is otherwise, among the drafts and the refused deliveries of the stack."""
    drafts, unread = _seen(stack, of)
    lacking = [f"draft {name}" for name, draft in expected(stack, of).items() if drafts.get(name) != draft]
    return lacking + [f"refused delivery {source} {digest[:12]}" for source, digest in sorted(of.broken - unread)]


def _seen(stack: DirectStack, of: Flood) -> tuple[dict[str, Draft], set[tuple[str, str]]]:
    """The drafts of this month that the sources of a flood reported, and what could not be read of them."""
    store, sources = stack.drafts(), stack.sources().current().sources
    drafts, unread = dict[str, Draft](), set[tuple[str, str]]()
    month, after = time.strftime("%Y-%m", time.gmtime()), ""
    while True:
        page = store.in_month(month, after)
        for one in page.found:
            if isinstance(one, Unread):
                unread.add((one.source, one.key.rpartition("/")[2]))
            elif one.source in of.bodies:
                drafts |= {draft.id: draft for draft in read_drafts(one, sources[one.source], store)}
        after = page.after
        if not after:
            return drafts, unread
