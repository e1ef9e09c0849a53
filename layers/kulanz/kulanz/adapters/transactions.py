"""Transactions and single writes on items that others write at the same moment: each waits for its turn.

DynamoDB cancels a transaction that meets another on one of its items, and the SDK does not send it again.
"""

import json
import time
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from kulanz.adapters.aws import (
    CONFLICT_ATTEMPTS,
    CONFLICT_BACKOFF_LONGEST_SECONDS,
    RETRIED_REASONS,
    backoff_seconds,
    error_code,
    translated,
)
from kulanz.application.ports import Outdated, Refused, TryAgain

type Item = dict[str, Any]


def write_together(client: Any, actions: list[Item]) -> None:
    """One transaction. Raises Outdated when a condition failed, TryAgain when conflicts outlast the attempts.

    A repetition of the same transaction has the same token, so that DynamoDB recognises it for ten minutes.
    """
    write = client.transact_write_items
    write_until_alone("TransactWriteItems", write, TransactItems=actions, ClientRequestToken=_token(actions))


def write_until_alone(what: str, write: Callable[..., object], **arguments: Any) -> None:
    """Write, again and again while another transaction holds one of the items."""
    for attempt in range(1, CONFLICT_ATTEMPTS + 1):
        try:
            write(**arguments)
        except ClientError as error:
            if not _met_another(error, what):
                raise translated(error, what) from error
        except (BotoCoreError, OSError) as error:
            raise translated(error, what) from error
        else:
            return
        time.sleep(backoff_seconds(attempt, CONFLICT_BACKOFF_LONGEST_SECONDS))
    raise TryAgain(f"{what}: conflicts outlasted the attempts")


def _met_another(error: ClientError, what: str) -> bool:
    """Whether a write failed only because of another one. Raises Outdated or Refused for a transaction's verdict."""
    code = error_code(error)
    if code != "TransactionCanceledException":
        return code in ("TransactionConflictException", "TransactionInProgressException")
    reasons = {reason.get("Code", "None") for reason in error.response.get("CancellationReasons", [])}
    if "ConditionalCheckFailed" in reasons:
        raise Outdated from None
    if not reasons & RETRIED_REASONS:
        raise Refused(f"{what}: {', '.join(sorted(reasons))}") from error
    return True


def _token(actions: list[Item]) -> str:
    return sha256(json.dumps(actions, sort_keys=True, default=_plain).encode()).hexdigest()[:36]


def _plain(value: object) -> str:
    if isinstance(value, bytes):
        return sha256(value).hexdigest()
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
