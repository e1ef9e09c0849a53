"""What a receiver promises: what is authentic is kept as it came, nothing else is, and no secret gets anywhere."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from kulanz.adapters.sources import CachedSources
from kulanz.application.drafts.receive_delivery import (
    DELIVERY_BYTES,
    Delivered,
    Received,
    ReceiverPorts,
    receive_delivery,
)
from kulanz.application.ports import TryAgain
from kulanz.sources.configuration import configuration_json
from kulanz.sources.signatures import pagerduty_signature, path_digest, standard_signature
from tests.support.fake_drafts import FakeBodies, FakeDeliveries, FakeSecrets, FakeSources
from tests.support.sources import content_of

NOW = datetime(2026, 3, 10, 10, tzinfo=UTC)
BODY = b'{"any": "body, read by nobody here"}'
IN_PATH = "s3cret-in-the-path"
WHSEC = "whsec_plJ3nmyCDGBKInavdOK15jsl"
SECRETS = {"page": [path_digest(IN_PATH)], "old": [path_digest(IN_PATH)], "pager": ["pd-secret"], "response": [WHSEC]}


class Receiver:
    """A receiver with three sources that sign, one that comes over a bus, and one that is stopped."""

    def __init__(self) -> None:
        self.sources, self.bodies, self.queue = FakeSources(), FakeBodies(), FakeDeliveries()
        self.secrets = FakeSecrets(SECRETS)
        kinds = {"page": "statuspage", "pager": "pagerduty", "response": "incident_io", "health": "aws_health"}
        listed = {name: content_of(kind)["sources"]["it"] for name, kind in kinds.items()}
        listed["old"] = {**listed["page"], "stopped": True}
        self.sources.publish(1, configuration_json({"kulanz_sources": 1, "version": 1, "sources": listed}))
        self.ports = ReceiverPorts(self.sources, self.secrets, self.bodies, self.queue)

    def take(self, delivered: Delivered) -> Received:
        return receive_delivery(delivered, self.ports, NOW)


def from_page(secret: str = IN_PATH, body: bytes = BODY) -> Delivered:
    return Delivered("page", secret, {}, body)


def from_pager(*secrets: str) -> Delivered:
    signatures = ",".join(pagerduty_signature(secret, BODY) for secret in secrets)
    return Delivered("pager", "", {"x-pagerduty-signature": signatures}, BODY)


def from_response(at: datetime = NOW) -> Delivered:
    timestamp = str(int(at.timestamp()))
    signature = standard_signature(WHSEC, "msg_1", timestamp, BODY)
    headers = {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": signature}
    return Delivered("response", "", headers, BODY)


@pytest.mark.parametrize("delivered", [from_page(), from_pager("pd-secret"), from_response()])
def test_what_is_authentic_is_kept_byte_by_byte_and_handed_on(delivered: Delivered) -> None:
    receiver = Receiver()
    assert receiver.take(delivered) is Received.KEPT
    (sent,) = receiver.queue.sent
    assert (sent.source, sent.received_at) == (delivered.source, NOW)
    assert receiver.bodies.kept == {sent.key: BODY}
    assert sent.key == f"upstream/{delivered.source}/2026-03-10/{sha256(BODY).hexdigest()}"


@pytest.mark.parametrize(
    "delivered",
    [
        from_page("wrong"),
        from_page(""),
        replace(from_page(), source="pager"),
        from_pager(),
        from_pager("wrong"),
        replace(from_pager("pd-secret"), body=BODY + b" "),
        replace(from_pager("pd-secret"), in_path=IN_PATH),
        from_response(datetime(2026, 3, 10, 9, 50, tzinfo=UTC)),
        replace(from_response(), headers={}),
        replace(from_page(), source="health"),
        replace(from_page(), source="old"),
        replace(from_page(), source="nobody"),
        replace(from_page(), source=""),
        replace(from_page(), source="../page"),
    ],
)
def test_what_is_not_is_refused_in_one_way_and_nothing_of_it_is_kept(delivered: Delivered) -> None:
    receiver = Receiver()
    assert receiver.take(delivered) is Received.NOT_AUTHENTIC
    assert (receiver.bodies.kept, receiver.queue.sent) == ({}, [])


def test_a_body_of_more_than_a_megabyte_is_refused_before_anything_is_looked_at() -> None:
    receiver = Receiver()
    assert receiver.take(from_page(body=b"x" * (DELIVERY_BYTES + 1))) is Received.TOO_LARGE
    assert receiver.take(from_page(body=b"x" * DELIVERY_BYTES)) is Received.KEPT


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]"])
def test_what_is_authentic_is_taken_whatever_it_says(body: bytes) -> None:
    assert Receiver().take(from_page(body=body)) is Received.KEPT


def test_secrets_rotate_without_a_gap() -> None:
    receiver = Receiver()
    receiver.secrets.stored["pager"] = ["new", "pd-secret"]  # the receiver still has the old ones in its cache
    assert receiver.take(from_pager("new")) is Received.KEPT
    assert receiver.take(from_pager("pd-secret")) is Received.KEPT
    receiver.secrets.stored["pager"] = ["new"]
    assert receiver.take(from_pager("new", "pd-secret")) is Received.KEPT


def test_a_source_without_a_secret_receives_nothing() -> None:
    receiver = Receiver()
    receiver.ports = replace(receiver.ports, secrets=FakeSecrets({}))
    for delivered in (from_page(), from_pager("pd-secret"), from_pager(""), from_response()):
        assert receiver.take(delivered) is Received.NOT_AUTHENTIC


@pytest.mark.parametrize("port", ["sources", "secrets", "bodies", "queue"])
def test_what_could_not_be_kept_is_no_success(port: str) -> None:
    class Down:
        def __getattr__(self, name: str) -> object:
            raise TryAgain(name)

    receiver = Receiver()
    down: Any = {port: Down()}
    receiver.ports = replace(receiver.ports, **down)
    with pytest.raises(TryAgain):
        receiver.take(from_page())


def test_no_secret_stands_in_the_words_for_a_delivery() -> None:
    for delivered in (from_page(), from_pager("pd-secret")):
        shown = repr(delivered)
        assert IN_PATH not in shown
        assert "v1=" not in shown
        assert json.loads(BODY)["any"] not in shown


def test_a_source_that_was_published_or_goes_on_since_the_configuration_was_read_is_received() -> None:
    for name, before in (("page", {"another": {}}), ("old", {"old": {"stopped": True}})):
        receiver, published = Receiver(), FakeSources()
        page = content_of("statuspage")["sources"]["it"]
        listed = {source: page | more for source, more in before.items()}
        published.publish(1, configuration_json({"kulanz_sources": 1, "version": 1, "sources": listed}))
        held = CachedSources(published)
        receiver.ports = replace(receiver.ports, sources=held)
        delivered = Delivered(name, IN_PATH, {}, BODY)
        assert receiver.take(delivered) is Received.NOT_AUTHENTIC
        published.publish(2, configuration_json({"kulanz_sources": 1, "version": 2, "sources": {name: page}}))
        assert receiver.take(delivered) is Received.KEPT, name
