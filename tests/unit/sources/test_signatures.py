"""Signatures by their makers' published rules: their examples, an independent calculation, and every refusal."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from kulanz.sources.signatures import SECRETS_MOST, Scheme, is_authentic, path_digest

BODY = b'{"event_type":"ping","data":{"success":true}}'
SECRET = "whsec_plJ3nmyCDGBKInavdOK15jsl"
SIGNED_AT = datetime.fromtimestamp(1_731_705_121, UTC)
EXAMPLE = {
    "webhook-id": "msg_loFOjxBNrRLzqYUf",
    "webhook-timestamp": "1731705121",
    "webhook-signature": "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
}
"""The worked example of the specification's reference implementation."""


def standard(headers: dict[str, str], body: bytes = BODY, secret: str = SECRET, now: datetime = SIGNED_AT) -> bool:
    return is_authentic(Scheme.STANDARD_WEBHOOKS, headers, body, "", [secret], now)


def test_the_published_example_of_standard_webhooks_is_authentic() -> None:
    assert standard(EXAMPLE)


def test_of_several_signatures_and_secrets_one_pair_is_enough() -> None:
    several = EXAMPLE | {"webhook-signature": f"v1,AAAA v2,xyz {EXAMPLE['webhook-signature']}"}
    assert standard(several)
    secrets = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLw", SECRET]
    assert is_authentic(Scheme.STANDARD_WEBHOOKS, several, BODY, "", secrets, SIGNED_AT)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": "1731705122"},
        {"webhook-timestamp": "1731705121.0"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "9" * 400},
        {"webhook-signature": ""},
        {"webhook-signature": "v1,"},
        {"webhook-signature": EXAMPLE["webhook-signature"][3:]},
        {"webhook-signature": EXAMPLE["webhook-signature"].replace("v1", "v2")},
        {"webhook-signature": "v1,\udcff"},
        {"webhook-id": ""},
    ],
)
def test_whatever_is_changed_of_the_headers_is_refused(change: dict[str, str]) -> None:
    assert not standard(EXAMPLE | change)


@pytest.mark.parametrize(("seconds", "is_taken"), [(-301, False), (-300, True), (0, True), (300, True), (301, False)])
def test_a_signature_is_taken_for_five_minutes_around_its_time(seconds: int, *, is_taken: bool) -> None:
    assert standard(EXAMPLE, now=SIGNED_AT + timedelta(seconds=seconds)) is is_taken


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp"])
def test_a_delivery_without_an_id_or_a_time_is_refused_also_where_it_is_signed_so(name: str) -> None:
    headers = EXAMPLE | {name: ""}
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + BODY
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    assert not standard(headers | {"webhook-signature": f"v1,{signed}"})


def test_another_body_secret_or_time_is_refused() -> None:
    assert not standard(EXAMPLE, BODY + b" ")
    assert not standard(EXAMPLE, secret="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLw")
    assert not standard(EXAMPLE, secret="whsec_not base64")
    assert not standard(EXAMPLE, secret="")
    for minutes in (-6, 6):
        assert not standard(EXAMPLE, now=SIGNED_AT + timedelta(minutes=minutes)), "old, or of a clock that is wrong"
    for minutes in (-4, 4):
        assert standard(EXAMPLE, now=SIGNED_AT + timedelta(minutes=minutes))


def test_signatures_as_the_specification_words_them() -> None:
    """Not by our own code: id, timestamp and body, with dots between, under the decoded key."""
    body, secret = "Störung in Köln".encode(), "whsec_" + base64.b64encode(bytes(range(24))).decode()
    signed = b"msg_1.1731705121." + body
    signature = base64.b64encode(hmac.new(bytes(range(24)), signed, hashlib.sha256).digest()).decode()
    headers = EXAMPLE | {"webhook-id": "msg_1", "webhook-signature": f"v1,{signature}"}
    assert standard(headers, body, secret)


def pagerduty(header: str, secrets: list[str], body: bytes = BODY) -> bool:
    return is_authentic(Scheme.PAGERDUTY, {"x-pagerduty-signature": header}, body, "", secrets, SIGNED_AT)


def signed(secret: str, body: bytes = BODY) -> str:
    """As PagerDuty's documentation words it: v1= and the HMAC-SHA256 of the raw body, in hexadecimal."""
    return "v1=" + hmac.new(secret.encode("ascii"), body, "sha256").hexdigest()


def test_pagerduty_signs_with_every_secret_that_is_valid_while_they_rotate() -> None:
    assert pagerduty(signed("old"), ["new", "old"])
    assert pagerduty(f"{signed('older')},{signed('old')}", ["new", "old"])
    assert pagerduty(f"{signed('older')}, {signed('new')}", ["new"])
    assert not pagerduty(f"{signed('older')},{signed('oldest')}", ["new", "old"])


@pytest.mark.parametrize(
    "header",
    ["", "v1=", "v1", signed("s")[3:], signed("s").upper(), signed("s", BODY + b"\n"), "v2=" + signed("s")[3:], ","],
)
def test_whatever_else_pagerdutys_header_says_is_refused(header: str) -> None:
    assert not pagerduty(header, ["s"])


def test_no_secret_opens_nothing() -> None:
    for scheme in Scheme:
        for secrets in ([], [""], ["", ""]):
            headers = EXAMPLE | {"x-pagerduty-signature": signed("")}
            assert not is_authentic(scheme, headers, BODY, "", secrets, SIGNED_AT)
            assert not is_authentic(scheme, headers, BODY, "x", secrets, SIGNED_AT)


def test_a_secret_in_the_path_is_compared_with_the_hashes_that_are_stored() -> None:
    hashes = [hashlib.sha256(one.encode()).hexdigest() for one in ("new", "old")]
    for in_path, expected in (("new", True), ("old", True), ("older", False), ("", False), (hashes[0], False)):
        assert is_authentic(Scheme.PATH, {}, BODY, in_path, hashes, SIGNED_AT) is expected, in_path
    assert is_authentic(Scheme.PATH, {}, BODY, "new", [hashes[0].upper()], SIGNED_AT)
    assert path_digest("new") == hashes[0]


def test_a_secret_in_the_path_does_not_replace_a_signature() -> None:
    for scheme in (Scheme.PAGERDUTY, Scheme.STANDARD_WEBHOOKS, Scheme.RULE):
        assert not is_authentic(scheme, {}, BODY, "x", [path_digest("x"), "x"], SIGNED_AT)


def test_what_comes_over_a_bus_is_never_received() -> None:
    headers = EXAMPLE | {"x-pagerduty-signature": signed(SECRET)}
    assert not is_authentic(Scheme.RULE, headers, BODY, "", [SECRET], SIGNED_AT)


@pytest.mark.parametrize(("before", "is_taken"), [(0, True), (SECRETS_MOST - 1, True), (SECRETS_MOST, False)])
def test_as_many_secrets_as_a_rotation_needs_are_looked_at_and_no_more(before: int, *, is_taken: bool) -> None:
    assert pagerduty(signed("last"), [*(f"s{number}" for number in range(before)), "last"]) is is_taken
