"""How sources sign: each scheme by its maker's published rules, over the bytes as they came.

- PagerDuty: `X-PagerDuty-Signature: v1=HEX,v1=HEX`, HMAC-SHA256 of the body; one for each secret while secrets rotate.
  It states no time, so a delivery can be repeated: it changes nothing then.
- Standard Webhooks (incident.io): `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,BASE64 v1,BASE64`,
  HMAC-SHA256 of id, timestamp and body with dots between; the key is the base64 part of `whsec_...`.
- Statuspage signs nothing. The last segment of its path is a secret, of which only the SHA-256 is stored here.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

SECRETS_MOST = 5
"""Secrets of one source that are valid at the same time: two are enough to rotate."""
SIGNATURES_MOST = 20
"""Of one delivery that are looked at."""
TIMESTAMP_TOLERANCE_SECONDS = 300
"""Standard Webhooks: a timestamp further from now is refused, in either direction."""
STANDARD_PREFIX = "whsec_"


class Scheme(StrEnum):
    """How deliveries of a source are known to be its own. `RULE`: by the event bus that they come over."""

    PATH = "path"
    PAGERDUTY = "pagerduty"
    STANDARD_WEBHOOKS = "standard_webhooks"
    RULE = "rule"


def is_authentic(
    scheme: Scheme, headers: Mapping[str, str], body: bytes, in_path: str, secrets: Sequence[str], now: datetime
) -> bool:
    """Whether a delivery was sent by somebody who knows one of the secrets. Names of headers are in lower case."""
    valid = [one for one in secrets[:SECRETS_MOST] if one]
    if scheme is Scheme.PATH:
        return bool(in_path) and _is_one_of(path_digest(in_path), (one.lower() for one in valid))
    if in_path:
        return False
    if scheme is Scheme.PAGERDUTY:
        given = [one.strip() for one in headers.get("x-pagerduty-signature", "").split(",")][:SIGNATURES_MOST]
        return any(_is_one_of(pagerduty_signature(secret, body), given) for secret in valid)
    if scheme is Scheme.STANDARD_WEBHOOKS:
        return _is_standard(headers, body, valid, now)
    return False


def path_digest(in_path: str) -> str:
    """What is stored of a secret in a path: its SHA-256 in hexadecimal."""
    return sha256(in_path.encode("utf-8", "surrogatepass")).hexdigest()


def pagerduty_signature(secret: str, body: bytes) -> str:
    """One element of the header, as PagerDuty writes it."""
    return "v1=" + hmac.new(secret.encode(), body, sha256).hexdigest()


def standard_signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """One element of the header, as the Standard Webhooks specification writes it. Raises ValueError for a bad key."""
    try:
        key = b64decode(secret.removeprefix(STANDARD_PREFIX), validate=True)
    except Base64Error:
        raise ValueError("the secret is not whsec_ and base64") from None
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.new(key, signed, sha256).digest()).decode()


def _is_standard(headers: Mapping[str, str], body: bytes, secrets: Iterable[str], now: datetime) -> bool:
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit()) or len(timestamp) > len(str(2**63)):
        return False
    if abs(int(now.timestamp()) - int(timestamp)) > TIMESTAMP_TOLERANCE_SECONDS:
        return False
    given = headers.get("webhook-signature", "").split(" ")[:SIGNATURES_MOST]
    for secret in secrets:
        try:
            expected = standard_signature(secret, message_id, timestamp, body)
        except ValueError:
            continue  # a secret of another form opens nothing
        if _is_one_of(expected, given):
            return True
    return False


def _is_one_of(expected: str, given: Iterable[str]) -> bool:
    """Compared in constant time, all of them: how long it takes says nothing about a secret."""
    found = False
    for one in given:
        found |= hmac.compare_digest(expected.encode(), one.encode("utf-8", "surrogatepass"))
    return found
