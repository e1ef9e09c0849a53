"""Deliveries of sources on their way: bodies in S3, pointers in SQS, secrets in Secrets Manager."""

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from kulanz.adapters.aws import call, error_code, translated
from kulanz.adapters.s3 import NOT_THERE
from kulanz.application.drafts.draft_ports import Delivery
from kulanz.application.drafts.receive_delivery import DELIVERY_BYTES
from kulanz.application.ports import Refused, TryAgain
from kulanz.domain.time import format_instant, parse_instant

DELIVERY_VERSION = 1
SECRETS_CACHED_SECONDS = 300
SECRETS_ANEW_SECONDS = 10
"""How often a wrong signature makes the secrets be read past the cache: a flood of them asks no more often."""
MISSING_SECRET = frozenset({"ResourceNotFoundException"})


class S3Bodies:
    """Bodies under `<prefix><source>/<day>/<digest>`."""

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client, self._bucket, self._prefix = client, bucket, prefix

    def put(self, source: str, body: bytes, received_at: datetime) -> str:
        key = f"{self._prefix}{source}/{received_at:%Y-%m-%d}/{sha256(body).hexdigest()}"
        call(
            "PutObject",
            self._client.put_object,
            Bucket=self._bucket,
            Key=key,
            Body=body,
            ContentType="application/octet-stream",
        )
        return key

    def get(self, key: str) -> bytes:
        if not key.startswith(self._prefix):
            raise Refused("a delivery lies under its prefix alone")
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            body: bytes = answer["Body"].read(DELIVERY_BYTES + 1)
        except ClientError as error:
            if error_code(error) in NOT_THERE:
                raise Refused("the body of a delivery is not there any more") from None
            raise translated(error, "GetObject") from error
        except (BotoCoreError, HTTPError, OSError) as error:
            raise TryAgain(f"GetObject: {type(error).__name__}") from error
        return body


class SqsDeliveries:
    """The queue of deliveries."""

    def __init__(self, client: Any, queue_url: str) -> None:
        self._client, self._queue_url = client, queue_url

    def send(self, delivery: Delivery) -> None:
        call("SendMessage", self._client.send_message, QueueUrl=self._queue_url, MessageBody=delivery_text(delivery))


def delivery_text(delivery: Delivery) -> str:
    """A delivery as it travels."""
    content = {
        "v": DELIVERY_VERSION,
        "delivery": {
            "source": delivery.source,
            "key": delivery.key,
            "received_at": format_instant(delivery.received_at),
        },
    }
    return json.dumps(content, separators=(",", ":"))


def read_message(text: str) -> Delivery | dict[str, Any]:
    """A message of the queue: a delivery, or an event of a bus as it came. Raises ValueError for anything else."""
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("expected a delivery or an event")  # noqa: TRY004 (a message, not an argument)
    if "detail-type" in content and "source" in content:
        return content
    told = content.get("delivery")
    if content.get("v") != DELIVERY_VERSION or not isinstance(told, dict):
        raise ValueError(f"expected a delivery of version {DELIVERY_VERSION}")
    return Delivery(str(told["source"]), str(told["key"]), parse_instant(str(told["received_at"])))


class ManagedSecrets:
    """Secrets `<prefix><source>` of Secrets Manager, each a JSON object {"secrets": ["current", "previous"]}."""

    def __init__(self, client: Any, prefix: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._prefix, self._clock = client, prefix, clock
        self._found: dict[str, tuple[float, tuple[str, ...]]] = {}

    def of(self, source: str, *, anew: bool = False) -> Sequence[str]:
        held = self._found.get(source)
        if held is None or self._clock() - held[0] >= (SECRETS_ANEW_SECONDS if anew else SECRETS_CACHED_SECONDS):
            held = (self._clock(), self._read(source))
            self._found[source] = held
        return held[1]

    def _read(self, source: str) -> tuple[str, ...]:
        try:
            text = self._client.get_secret_value(SecretId=self._prefix + source)["SecretString"]
        except ClientError as error:
            if error_code(error) in MISSING_SECRET:
                return ()
            raise translated(error, "GetSecretValue") from error
        except BotoCoreError as error:
            raise translated(error, "GetSecretValue") from error
        try:
            listed = json.loads(text)["secrets"]
        except (ValueError, KeyError, TypeError):
            listed = None
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise Refused(f'the secret of the source {source} is not a JSON object {{"secrets": ["..."]}}')
        return tuple(listed)
