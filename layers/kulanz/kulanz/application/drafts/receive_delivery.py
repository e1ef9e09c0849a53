"""Receives a delivery of a source: checks who sent it, keeps the body as it came, and hands on where it lies.

Nothing is read of the body here. A source that was answered with an error stops sending after some, so whatever is
authentic is taken, also where it turns out to be about nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from kulanz.application.drafts.draft_ports import Bodies, Delivery, DeliveryQueue, HeldSources, Secrets
from kulanz.sources.signatures import is_authentic

DELIVERY_BYTES = 1024 * 1024
"""PagerDuty sends at most 256 KB; an incident page of years has a tenth of this."""


class Received(Enum):
    """What became of a delivery, with the status that its sender gets."""

    KEPT = 202
    NOT_AUTHENTIC = 401
    TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Delivered:
    """A delivery as it came: the source and the secret that its path names, its headers in lower case, its bytes."""

    source: str
    in_path: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReceiverPorts:
    """The world of a receiver."""

    sources: HeldSources
    secrets: Secrets
    bodies: Bodies
    queue: DeliveryQueue


def receive_delivery(delivered: Delivered, ports: ReceiverPorts, now: datetime) -> Received:
    """Take a delivery. Raises TryAgain and Refused where it could not be kept: its sender sends it again.

    A source that is not configured looks like a wrong signature.
    """
    if len(delivered.body) > DELIVERY_BYTES:
        return Received.TOO_LARGE
    configured = ports.sources.current().sources.get(delivered.source)
    if configured is None or configured.is_stopped:
        # A source may have been published, or go on, since: what is refused for a minute, some never send again.
        configured = ports.sources.anew().sources.get(delivered.source)
    if configured is None or configured.is_stopped:
        return Received.NOT_AUTHENTIC
    name, scheme = configured.name, configured.source.scheme
    body, in_path, headers = delivered.body, delivered.in_path, delivered.headers
    secrets = ports.secrets.of(name)
    if not is_authentic(scheme, headers, body, in_path, secrets, now):
        # A secret may have been exchanged since it was read: a rotation refuses nothing.
        fresh = ports.secrets.of(name, anew=True)
        if tuple(fresh) == tuple(secrets) or not is_authentic(scheme, headers, body, in_path, fresh, now):
            return Received.NOT_AUTHENTIC
    key = ports.bodies.put(name, body, now)
    ports.queue.send(Delivery(name, key, now))
    return Received.KEPT
