"""Deliveries of incident sources, from an HTTP API without authoriser (payload 2.0): each source signs by itself."""

from kulanz.startup import all_imported

import json
from base64 import b64decode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from kulanz.adapters.aws import client
from kulanz.adapters.source_deliveries import ManagedSecrets, S3Bodies, SqsDeliveries
from kulanz.adapters.sources import ANEW_SECONDS, CachedSources, S3Sources
from kulanz.application.drafts.receive_delivery import Delivered, Received, ReceiverPorts, receive_delivery
from kulanz.config.receive_incidents import ReceiveIncidentsConfig
from kulanz.failures import described

all_imported()
logger = Logger()

NOT_KEPT = 503
"""The sender sends it again. A 4xx would be final: PagerDuty drops it then, and after three the subscription rests."""
SAYS = {
    Received.KEPT: "received",
    Received.NOT_AUTHENTIC: "the signature or the secret is not one of this source's",
    Received.TOO_LARGE: "a delivery has at most 1 MB",
}


@cache
def _composed() -> ReceiverPorts:
    config = ReceiveIncidentsConfig.read()
    s3 = client("s3")
    return ReceiverPorts(
        sources=CachedSources(S3Sources(s3, config.list_bucket, config.policy_prefix), anew_seconds=ANEW_SECONDS),
        secrets=ManagedSecrets(client("secretsmanager"), config.secret_prefix),
        bodies=S3Bodies(s3, config.list_bucket, config.upstream_prefix),
        queue=SqsDeliveries(client("sqs"), config.sources_queue_url),
    )


@logger.inject_lambda_context
def handle(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:  # noqa: ARG001 (Lambda's signature)
    """Take one delivery. The log names the source as configured and what became of it: no path, header or body."""
    try:
        received = receive_delivery(_delivered(event), _composed(), datetime.now(UTC))
    except Exception as error:  # noqa: BLE001 - whatever it is, the sender is to send it again
        logger.error("delivery not kept", errors=described(error))  # noqa: TRY400 (it logs the message)
        return _answer(NOT_KEPT, "not kept; send it again")
    logger.info("delivery", became=received.name)
    return _answer(received.value, SAYS[received])


def _delivered(event: Mapping[str, Any]) -> Delivered:
    named = event.get("pathParameters") or {}
    headers = {str(name).lower(): str(value) for name, value in (event.get("headers") or {}).items()}
    body = event.get("body") or ""
    raw = b64decode(body) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
    return Delivered(str(named.get("source", "")), str(named.get("secret", "")), headers, raw)


def _answer(status: int, says: str) -> dict[str, Any]:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps({"message": says}),
        "isBase64Encoded": False,
    }
