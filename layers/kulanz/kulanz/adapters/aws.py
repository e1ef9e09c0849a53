"""What all adapters share: how clients are configured, and which AWS errors are worth another try."""

import random
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import cache
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError
from botocore.session import Session

from kulanz.application.ports import Refused, TryAgain

CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 20
SDK_ATTEMPTS = 5
ENTRY_ATTEMPTS = 12
"""How often the entries of a batch that AWS refused one by one inside a 200 are sent: enough for ten workers at a table
that takes a nineteenth of what they could write (`bench/contention.py`), and over before a worker's time is."""
BACKOFF_FIRST_SECONDS = 0.05
BACKOFF_LONGEST_SECONDS = 2.0
CONFLICT_ATTEMPTS = 32
CONFLICT_BACKOFF_LONGEST_SECONDS = 0.5
"""A transaction that meets another on the same item has to wait for milliseconds only, but perhaps often: every receipt
of a campaign adds to one record (`bench/contention.py`)."""

AFTER_EVERY_PLACE = "~"
"""It sorts behind whatever can follow a prefix of a sort key: digits, letters, delimiters."""

RETRYABLE_CODES = frozenset(
    {
        "ConditionalRequestConflict",
        "InternalError", "InternalFailure", "InternalServerError", "InternalException", "KMSThrottling",
        "LimitExceededException", "PriorRequestNotComplete", "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled", "RequestTimeout",
        "RequestTimeoutException", "ServiceUnavailable", "SlowDown", "Throttled", "ThrottledException", "Throttling",
        "ThrottlingError", "ThrottlingException", "TooManyRequestsException", "TransactionConflict",
        "TransactionConflictException", "TransactionInProgressException", "503", "500",
    }
)  # fmt: skip


RETRIED_REASONS = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
"""Why a transaction can be cancelled that may succeed when it is sent again."""


def client(service: str) -> Any:
    """A client with bounded waits and retries."""
    config = Config(
        connect_timeout=CONNECT_TIMEOUT_SECONDS,
        read_timeout=READ_TIMEOUT_SECONDS,
        retries={"mode": "standard", "total_max_attempts": SDK_ATTEMPTS},
    )
    return _session().create_client(service, config=config)


@cache
def _session() -> Session:
    """What a function's clients share, as endpoints and credentials are read once; boto3 has nothing more to offer."""
    return Session()


def error_code(error: ClientError) -> str:
    """The code AWS gave, without the `#` prefix that some services put before it."""
    return str(error.response.get("Error", {}).get("Code", "")).rpartition("#")[2]


def translated(error: Exception, what: str) -> Exception:
    """The port's error for an AWS error: TryAgain when a repetition may succeed, else Refused. It holds no content."""
    if isinstance(error, ClientError):
        code = error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if code in RETRYABLE_CODES or status >= 500:  # noqa: PLR2004 - HTTP's server errors
            return TryAgain(f"{what}: {code}")
        return Refused(f"{what}: {code}")
    if isinstance(error, ParamValidationError):
        return Refused(f"{what}: ParamValidationError")
    if isinstance(error, (HTTPClientError, BotoCoreError, OSError)):
        return TryAgain(f"{what}: {type(error).__name__}")
    return error


def call[T](what: str, function: Callable[..., T], **arguments: Any) -> T:
    """Call AWS and raise the port's errors."""
    try:
        return function(**arguments)
    except (ClientError, BotoCoreError, OSError) as error:
        raise translated(error, what) from error


def read_number(text: str) -> int | Decimal:
    """A number of DynamoDB: an int where it is whole."""
    value = Decimal(text)
    return int(value) if value == value.to_integral_value() else value


def item_of(client: Any, table: str, key: dict[str, Any]) -> dict[str, Any] | None:
    """The item of a key, read consistently; None where there is none."""
    answer = call("GetItem", client.get_item, TableName=table, Key=key, ConsistentRead=True)
    found: dict[str, Any] | None = answer.get("Item")
    return found


def query(
    function: Callable[..., Any],
    table: str,
    partition: str,
    prefix: str,
    first: str = "",
    last: str = AFTER_EVERY_PLACE,
) -> Iterator[dict[str, Any]]:
    """The items of a partition whose sort keys begin with `prefix`, in order, read consistently, a page at a time.

    What follows the prefix lies between `first` and `last`. `function` is the client's own `query`.
    """
    start: dict[str, Any] = {}
    while True:
        page = call(
            "Query",
            function,
            TableName=table,
            ConsistentRead=True,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": partition},
                ":first": {"S": prefix + first},
                ":last": {"S": prefix + last},
            },
            **start,
        )
        yield from page.get("Items", [])
        if not page.get("LastEvaluatedKey"):
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def backoff_seconds(attempt: int, longest_seconds: float = BACKOFF_LONGEST_SECONDS) -> float:
    """How long to wait after attempt `attempt` (from 1): doubling, bounded, with full jitter."""
    longest = min(longest_seconds, BACKOFF_FIRST_SECONDS * 2 ** (attempt - 1))
    return random.uniform(0, longest)  # noqa: S311 - spreads retries, guards nothing
